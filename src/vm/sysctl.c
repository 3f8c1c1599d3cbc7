// SPDX-License-Identifier: MIT
/*
 * sysctl.c - the knobs of tasks' memory in /proc/sys/vm
 *
 * What it models: the entries of kernel/sysctl.c:vm_table that belong to
 * mm/mmap.c, mm/util.c and security/min_addr.c, with their ranges and handlers.
 *
 * Differs from the kernel: words beyond the number are refused whole, where the
 * kernel takes the first and returns a short count.
 */
#include "kmemfs/vm/sysctl.h"

#include "kmemfs/base/text.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

struct knob {
	const char *name;
	size_t offset; /* in struct vm_sysctl_mm */
	bool is_int;   /* there an int, else uint64_t */
	uint64_t most;
	size_t clears; /* this one, a uint64_t, becomes 0; 0: none */
};

#define AT(name) offsetof(struct vm_sysctl_mm, name)
#define LONG(name)                                                             \
	{                                                                      \
#name, AT(name), false, LONG_MAX, 0                            \
	}

static const struct knob knobs[] = {
	LONG(admin_reserve_kbytes),
	{"max_map_count",	  AT(max_map_count),     false, INT_MAX,  0},
	LONG(mmap_min_addr),
	{"overcommit_kbytes", AT(overcommit_kbytes), false, LONG_MAX,
				AT(overcommit_ratio)					  },
	{"overcommit_memory", AT(overcommit_memory), true,  2,	      0},
	{"overcommit_ratio",  AT(overcommit_ratio),  false, INT_MAX,
				AT(overcommit_kbytes)					 },
	LONG(user_reserve_kbytes),
};

static const struct knob *
find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(knobs); i++)
		if (!strcmp(knobs[i].name, name))
			return &knobs[i];
	return NULL;
}

static int
read_value(const char *name, const char *value, const struct knob **knob,
	   uint64_t *number, struct refusal *r)
{
	char *word;
	bool good;

	*knob = find(name);
	if (!*knob)
		return refuse(r, ENOENT, 0, "there is no sysctl vm.%s here",
			      name);
	word = g_strstrip(g_strdup(value));
	good = text_u64(word, number);
	g_free(word);
	if (!good)
		return refuse(r, EINVAL, 0, "%s: a number is wanted", name);
	if (*number > (*knob)->most)
		return refuse(r, EINVAL, 0, "%s: %s is not between 0 and %llu",
			      name, value, (unsigned long long)(*knob)->most);
	return 0;
}

static void *
place(const struct vm *vm, size_t offset)
{
	return (char *)(uintptr_t)&vm->sysctl + offset;
}

int
vm_sysctl_check(const char *name, const char *value, struct refusal *r)
{
	const struct knob *knob;
	uint64_t number;

	return read_value(name, value, &knob, &number, r);
}

int
vm_sysctl_write(struct vm *vm, const char *name, const char *value,
		struct refusal *r)
{
	const struct knob *knob;
	uint64_t number;
	int err = read_value(name, value, &knob, &number, r);

	if (err)
		return err;
	if (knob->is_int)
		*(int *)place(vm, knob->offset) = (int)number;
	else
		*(uint64_t *)place(vm, knob->offset) = number;
	if (knob->clears)
		*(uint64_t *)place(vm, knob->clears) = 0;
	return 0;
}

bool
vm_sysctl_show(const struct vm *vm, const char *name, struct out *out)
{
	const struct knob *knob = find(name);

	if (!knob)
		return false;
	if (knob->is_int)
		out_i64(out, *(const int *)place(vm, knob->offset));
	else
		out_u64(out, *(const uint64_t *)place(vm, knob->offset));
	out_char(out, '\n');
	return true;
}
