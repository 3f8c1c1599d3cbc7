// SPDX-License-Identifier: MIT
/* lawful.c - whether a machine with virtual memory obeys its laws */
#include "lawful.h"

#include <check.h>

static void
add_law(void *laws, const char *law, const char *finding)
{
	g_string_append_printf(laws, "%s: %s\n", law, finding);
}

void
assert_vm_lawful(const struct vm *vm)
{
	GString *laws = g_string_new(NULL);
	unsigned int nr = vm_verify(vm, add_law, laws) +
			  phys_verify(vm->phys, add_law, laws);

	ck_assert_msg(!nr, "%s", laws->str);
	g_string_free(laws, TRUE);
}
