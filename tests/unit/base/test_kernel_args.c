// SPDX-License-Identifier: MIT
/* test_kernel_args.c - the kernel's command line, cut as the kernel cuts it */
#include "unit/suites.h"

#include "kmemfs/base/kernel_args.h"

#include <glib.h>
#include <string.h>

Suite *suite_kernel_args(void);

static const struct {
	const char *text;
	const char *args; /* with | behind each */
} lines[] = {
	{"",		""	       },
	{" \t ",		 ""		   },
	{"quiet  a=b\tc",	  "quiet|a=b|c|"},
	{"a=\"b c\" d",	"a=b c|d|"	  },
	{"\"a=b c\" d",	"a=b c|d|"	  },
	{"a=b\" \"c d",	"a=b\" \"c|d|"},
	{"a=\"b",		  "a=b|"	},
	{"a=\"",		 "a=|"	      },
	{"a=\"\"",	   "a=|"		},
	{"\"",	       "|"		  },
	{"\"a\" b",	    "a|b|"	  },
	{"\"a=\"b c\"\" d", "a=b|c\"\"|d|"},
	{"a=b=\"c d\"",	"a=b=\"c d\"|"},
	{"=a=\"b c\"",      "=a=b c|"	},
	{"a -- b",	   "a|"	       },
	{"a \"--\" b",      "a|"	   },
	{"a --b --=c -- d", "a|--b|--=c|" },
};

START_TEST(arguments_are_cut_where_the_kernel_cuts_them)
{
	const char *at = lines[_i].text, *start;
	GString *got = g_string_new(NULL);
	char *word;

	while ((word = kernel_args_next(&at, &start))) {
		ck_assert(start >= lines[_i].text && start < at);
		ck_assert(!strchr(" \t", *start));
		g_string_append_printf(got, "%s|", word);
		g_free(word);
	}
	ck_assert_str_eq(got->str, lines[_i].args);
	g_string_free(got, TRUE);
}
END_TEST

START_TEST(a_key_may_be_written_with_dashes)
{
	ck_assert_str_eq(kernel_args_behind("slub-debug=F", "slub_debug"),
			 "=F");
	ck_assert_str_eq(kernel_args_behind("mem=1G", "mem="), "1G");
	ck_assert_ptr_null(kernel_args_behind("slub.debug", "slub_debug"));
	ck_assert_ptr_null(kernel_args_behind("me", "mem"));
}
END_TEST

static const struct {
	const char *text, *pti; /* NULL: not there */
	bool nopti;
} early[] = {
	{"",			  NULL,	   false},
	{"pti=on",		    "on",	 false},
	{"pti=on nopti pti=off\tx",   "off",	   true },
	{"pti= x",		    "",       false},
	{"pti",		       NULL,     false},
	{"xpti=on nopti2",		   NULL,	 false},
	{"pti=\"on\"",		       "\"on\"", false},
	{"init=\"x pti=on nopti y\"", "on",	    true },
	{"-- pti=on nopti",	    "on",	  true },
};

START_TEST(the_boot_code_of_x86_knows_no_quotes_and_no_end)
{
	char *pti = kernel_args_find(early[_i].text, "pti");

	ck_assert_msg(!g_strcmp0(pti, early[_i].pti), "%s: %s", early[_i].text,
		      pti);
	ck_assert(kernel_args_has(early[_i].text, "nopti") == early[_i].nopti);
	g_free(pti);
}
END_TEST

Suite *
suite_kernel_args(void)
{
	Suite *s = suite_create("kernel_args");
	TCase *t = tcase_create("kernel_args");

	tcase_add_loop_test(t, arguments_are_cut_where_the_kernel_cuts_them, 0,
			    G_N_ELEMENTS(lines));
	tcase_add_test(t, a_key_may_be_written_with_dashes);
	tcase_add_loop_test(t, the_boot_code_of_x86_knows_no_quotes_and_no_end,
			    0, G_N_ELEMENTS(early));
	suite_add_tcase(s, t);
	return s;
}
