// SPDX-License-Identifier: MIT
/* test_verify.c - each law notices when it is broken */
#include "kmemfs/machine/op.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

Suite *suite_verify(void);

static struct machine *m;

static void
setup(void)
{
	char *error = NULL;
	struct machine_config *config = config_read("[machine]\n"
						    "arch = x86-64\n"
						    "cpus = 1\n"
						    "memory = 64M\n",
						    "test", &error);

	ck_assert_msg(config != NULL, "%s", error);
	m = machine_boot(config, NULL, &error);
	ck_assert_msg(m != NULL, "%s", error);
	ck_assert_int_eq(machine_do(m, "page/alloc_pages GFP_KERNEL 2 name=buf",
				    NULL, NULL),
			 0);
	ck_assert_int_eq(machine_do(m, "page/alloc_pages_exact 12K name=exact",
				    NULL, NULL),
			 0);
}

static void
teardown(void)
{
	machine_free(m);
}

/* Findings in the row of @law; the row must be there. */
static unsigned int
row(const char *report, const char *law)
{
	char **lines = g_strsplit(report, "\n", -1);
	long nr = -1;

	for (char **l = lines; *l; l++) {
		size_t len = strlen(law);

		if (!strncmp(*l, law, len) && (*l)[len] == ' ')
			nr = strtol(*l + len, NULL, 10);
	}
	g_strfreev(lines);
	ck_assert_msg(nr >= 0, "no row for %s", law);
	return (unsigned int)nr;
}

START_TEST(a_sound_machine_has_no_findings)
{
	struct out report = OUT_INIT;

	ck_assert_uint_eq(machine_verify(m, &report), 0);
	ck_assert(g_str_has_prefix(out_text(&report), "law "));
	for (const struct law *law = phys_laws; law->name; law++)
		ck_assert_uint_eq(row(out_text(&report), law->name), 0);
	ck_assert_uint_eq(row(out_text(&report), "allocation.frames"), 0);
	out_fini(&report);
}
END_TEST

static struct frame *
frame_of(const char *name)
{
	return &m->phys->frames[allocation_find(m, name)->pfn];
}

static void
break_owner(void)
{
	frame_of("buf")->owner = 0;
}

static void
break_exact(void)
{
	(frame_of("exact") + 2)->refs = 0;
}

static void
break_dead_owner(void)
{
	frame_of("buf")->owner = 77;
}

static void
break_other_owner(void)
{
	frame_of("buf")->owner = allocation_find(m, "exact")->id;
}

static void
break_size(void)
{
	allocation_find(m, "buf")->nr_pages = 3;
}

static void
break_id(void)
{
	allocation_find(m, "buf")->id = 5;
}

static void
break_ram(void)
{
	ck_assert_int_eq(ram_write(m->ram, 0xa0000, "x", 1), 0);
}

static void
break_position(void)
{
	m->position++;
}

static const struct {
	const char *why, *law;
	void (*crime)(void);
} crimes[] = {
	{"a frame lost its owner",	   "allocation.frames", break_owner	   },
	{"a single page lost its reference", "allocation.frames", break_exact     },
	{"an allocation has the wrong size", "allocation.frames", break_size	    },
	{"a frame names a dead owner",       "allocation.owners", break_dead_owner},
	{"a frame names another's owner",	  "allocation.owners",
	 break_other_owner							},
	{"an allocation has another id",	 "allocation.names",  break_id	     },
	{"bytes lie in a hole",		"ram.inside",	      break_ram       },
	{"the position ran ahead",	   "journal.count",	    break_position  },
};

START_TEST(a_broken_law_is_found)
{
	struct out report = OUT_INIT;
	char *listed = g_strdup_printf("\n%s: ", crimes[_i].law);

	crimes[_i].crime();
	ck_assert_uint_ge(machine_verify(m, &report), 1);
	ck_assert_msg(row(out_text(&report), crimes[_i].law) >= 1, "%s",
		      crimes[_i].why);
	ck_assert_ptr_nonnull(strstr(out_text(&report), listed));
	g_free(listed);
	out_fini(&report);
}
END_TEST

START_TEST(many_findings_are_counted_and_some_listed)
{
	struct out report = OUT_INIT;
	unsigned int nr = 0;

	for (pa_t at = 0xa0000; at < 0xf0000; at += 0x1000)
		ck_assert_int_eq(ram_write(m->ram, at, "x", 1), 0);
	ck_assert_uint_eq(machine_verify(m, &report), 80);
	ck_assert_uint_eq(row(out_text(&report), "ram.inside"), 80);
	for (const char *at = out_text(&report);
	     (at = strstr(at, "\nram.inside: ")); at++)
		nr++;
	ck_assert_uint_eq(nr, 21);
	out_fini(&report);
}
END_TEST

Suite *
suite_verify(void)
{
	Suite *suite = suite_create("verify");
	TCase *tc = tcase_create("verify");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_sound_machine_has_no_findings);
	tcase_add_loop_test(tc, a_broken_law_is_found, 0, ARRAY_SIZE(crimes));
	tcase_add_test(tc, many_findings_are_counted_and_some_listed);
	suite_add_tcase(suite, tc);
	return suite;
}
