// SPDX-License-Identifier: MIT
/* test_config_kernel.c - [kernel] of a machine file */
#include "kmemfs/machine/config.h"

#include "configs.h"

#include <check.h>
#include <string.h>

Suite *suite_config_kernel(void);

#define X86 "[machine]\narch = x86-64\nmemory = 64M\n"
#define I386 "[machine]\narch = i386\nmemory = 64M\n"

static const struct {
	const char *text, *group;
} good[] = {
	{X86,					"[kernel]\nstack = 16K\nvmap_stack = yes\ninterrupt_stack = own\n"
	      "kmap_atomic = stack\n"				     },
	{I386,				       "[kernel]\nstack = 8K\nvmap_stack = no\ninterrupt_stack = own\n"
	       "kmap_atomic = stack\n"				      },
	{I386 "[kernel]\nkmap_atomic = type\nstack = 4K\nvmap_stack = yes\n"
	      "interrupt_stack = shared\n", "[kernel]\nstack = 4K\nvmap_stack = yes\ninterrupt_stack = shared\n"
	 "kmap_atomic = type\n"},
};

START_TEST(defaults_are_filled_in_and_what_is_printed_reads_back)
{
	char *first = configs_printed(good[_i].text),
	     *second = configs_printed(first);

	ck_assert_msg(strstr(first, good[_i].group) != NULL, "%s", first);
	ck_assert_str_eq(first, second);
	g_free(first);
	g_free(second);
}
END_TEST

START_TEST(a_machine_without_tables_has_no_such_group)
{
	char *text =
		configs_printed("[machine]\narch = generic\nmemory = 64M\n");

	ck_assert_ptr_null(strstr(text, "[kernel]"));
	g_free(text);
}
END_TEST

static const struct {
	const char *text, *message;
} wrong[] = {
	{X86 "[kernel]\nstack = 32K\n",
	 "m:5: stack: '32K' is none of 4K, 8K, 16K"			   },
	{X86 "[kernel]\nvmap_stack = maybe\n",
	 "m:5: vmap_stack: 'maybe' is neither yes nor no"		 },
	{X86 "[kernel]\ninterrupt_stack = task\n",
	 "m:5: interrupt_stack: 'task' is not own or shared"	    },
	{X86 "[kernel]\nkmap_atomic = both\n",
	 "m:5: kmap_atomic: 'both' is not stack or type"		},
	{X86 "[kernel]\npreempt = yes\n",
	 "m:5: preempt: group [kernel] has no such key"		       },
	{"[machine]\narch = generic\nmemory = 64M\n[kernel]\nstack = 4K\n",
	 "m:5: stack: this machine's kernel has no addresses of its own"},
};

START_TEST(what_is_wrong_is_said_with_its_line)
{
	char *error = NULL;

	ck_assert_ptr_null(config_read(wrong[_i].text, "m", &error));
	ck_assert_str_eq(error, wrong[_i].message);
	g_free(error);
}
END_TEST

Suite *
suite_config_kernel(void)
{
	Suite *s = suite_create("config_kernel");
	TCase *tc = tcase_create("config_kernel");

	tcase_add_loop_test(
		tc, defaults_are_filled_in_and_what_is_printed_reads_back, 0,
		ARRAY_SIZE(good));
	tcase_add_test(tc, a_machine_without_tables_has_no_such_group);
	tcase_add_loop_test(tc, what_is_wrong_is_said_with_its_line, 0,
			    ARRAY_SIZE(wrong));
	suite_add_tcase(s, tc);
	return s;
}
