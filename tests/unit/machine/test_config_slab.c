// SPDX-License-Identifier: MIT
/* test_config_slab.c - [slab] of a machine file, and the machine it makes */
#include "kmemfs/machine/machine.h"
#include "kmemfs/machine/op.h"

#include "configs.h"

#include <check.h>
#include <string.h>

Suite *suite_config_slab(void);

#define X86 "[machine]\narch = x86-64\nmemory = 64M\n"

static const struct {
	const char *text, *group;
} good[] = {
	{X86,
	 "[slab]\nallocator = slub\nkernel = 6.1\nhardened = no\nrandom = no\n"
	 "memcg = yes\norig_size = no\n"},
	{"[machine]\narch = generic\nmemory = 64M\n",
	 "[slab]\nallocator = slub\nkernel = 6.1\nhardened = no\nrandom = no\n"
	 "memcg = no\norig_size = no\n" },
	{X86 "[slab]\norig_size = no\nkernel = 6.12\n",
	 "[slab]\nallocator = slub\nkernel = 6.12\nhardened = no\nrandom = no\n"
	 "memcg = yes\norig_size = no\n"},
	{X86 "[slab]\nkernel = 6.2\nhardened = yes\nrandom = on\nmemcg = 0\n",
	 "[slab]\nallocator = slub\nkernel = 6.2\nhardened = yes\nrandom = "
	 "yes\n"
	 "memcg = no\norig_size = yes\n"},
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

static const struct {
	const char *text, *message;
} wrong[] = {
	{X86 "[slab]\nallocator = slubb\n",
	 "m:5: allocator: 'slubb' is none of slub"			  },
	{X86 "[slab]\nkernel = 5.10\n",
	 "m:5: kernel: '5.10' is not a version from 6.1 to 6.18"	},
	{X86 "[slab]\nkernel = 6\n",
	 "m:5: kernel: '6' is not a version from 6.1 to 6.18"	     },
	{X86 "[slab]\nkernel = 6.1x\n",
	 "m:5: kernel: '6.1x' is not a version from 6.1 to 6.18"	},
	{X86 "[slab]\nkernel = 4294967302.1\n",
	 "m:5: kernel: '4294967302.1' is not a version from 6.1 to 6.18"},
	{X86 "[slab]\nhardened = maybe\n",
	 "m:5: hardened: 'maybe' is neither yes nor no"		       },
	{X86 "[slab]\ncolour = 3\n",
	 "m:5: colour: group [slab] has no such key"		    },
};

START_TEST(what_is_wrong_is_told_with_its_line)
{
	char *error = NULL;

	ck_assert_ptr_null(config_read(wrong[_i].text, "m", &error));
	/* Which allocators there are may grow. */
	ck_assert_msg(g_str_has_prefix(error, wrong[_i].message), "%s", error);
	g_free(error);
}
END_TEST

static struct machine *
boot(const char *text)
{
	char *error = NULL;
	struct machine_config *config = config_read(text, "m", &error);
	struct machine *m = config ? machine_boot(config, NULL, &error) : NULL;

	ck_assert_msg(m != NULL, "%s", error);
	return m;
}

START_TEST(a_machine_boots_with_the_slabs_that_its_file_asks_for)
{
	struct machine *m =
		boot(X86 "cmdline = slub_debug=P,kmalloc-64 slab_nomerge\n"
			 "[slab]\nhardened = yes\nmemcg = no\n");

	ck_assert(m->slab->config.hardened);
	ck_assert(m->slab->nomerge);
	ck_assert_uint_eq(kmem_cache_find(m->slab, "kmalloc-64")->flags &
				  SLAB_POISON,
			  SLAB_POISON);
	ck_assert_ptr_null(kmem_cache_find(m->slab, "kmalloc-cg-64"));
	machine_free(m);
}
END_TEST

START_TEST(what_slabs_are_like_is_part_of_the_digest)
{
	struct machine *a = boot(X86), *b = boot(X86);
	const struct kmem_cache_args args = {.name = "x", .size = 100};
	char first[DIGEST_TEXT], second[DIGEST_TEXT];
	struct kmem_cache *s;

	machine_digest(a, first);
	machine_digest(b, second);
	ck_assert_str_eq(first, second);
	ck_assert_int_eq(kmem_cache_create(b->slab, &args, &s, NULL), 0);
	machine_digest(b, second);
	ck_assert_str_ne(first, second);
	symbols_address(a->symbols, "caller");
	machine_digest(a, second);
	ck_assert_str_ne(first, second);
	machine_free(a);
	machine_free(b);
}
END_TEST

START_TEST(laws_of_slabs_are_among_those_that_verify_checks)
{
	struct machine *m = boot(X86);
	struct out out = OUT_INIT;

	ck_assert_uint_eq(machine_verify(m, &out), 0);
	ck_assert_ptr_nonnull(slab_laws[0].name);
	for (const struct law *law = slab_laws; law->name; law++)
		ck_assert_msg(strstr(out_text(&out), law->name) != NULL, "%s",
			      law->name);
	out_fini(&out);
	machine_free(m);
}
END_TEST

START_TEST(grace_periods_end_when_the_clock_moves)
{
	struct machine *m = boot(X86);
	const struct kmem_cache_args args = {
		.name = "x", .size = 100, .flags = SLAB_TYPESAFE_BY_RCU};
	struct slab_request r = {.gfp = GFP_KERNEL, .nid = NODE_LOCAL};
	struct kmem_cache *s;
	va_t object;

	ck_assert_int_eq(kmem_cache_create(m->slab, &args, &s, NULL), 0);
	ck_assert_int_eq(kmem_cache_alloc(s, &r, &object), 0);
	ck_assert_int_eq(kmem_cache_free(s, object, &r), 0);
	kmem_cache_shrink(s);
	ck_assert_uint_eq(m->slab->rcu.length, 1);
	ck_assert_int_eq(machine_do(m, "clock/advance 10s", NULL, NULL), 0);
	ck_assert_uint_eq(m->slab->rcu.length, 0);
	machine_free(m);
}
END_TEST

Suite *
suite_config_slab(void)
{
	Suite *s = suite_create("config_slab");
	TCase *t = tcase_create("config_slab");

	tcase_add_loop_test(
		t, defaults_are_filled_in_and_what_is_printed_reads_back, 0,
		ARRAY_SIZE(good));
	tcase_add_loop_test(t, what_is_wrong_is_told_with_its_line, 0,
			    ARRAY_SIZE(wrong));
	tcase_add_test(t,
		       a_machine_boots_with_the_slabs_that_its_file_asks_for);
	tcase_add_test(t, what_slabs_are_like_is_part_of_the_digest);
	tcase_add_test(t, laws_of_slabs_are_among_those_that_verify_checks);
	tcase_add_test(t, grace_periods_end_when_the_clock_moves);
	suite_add_tcase(s, t);
	return s;
}
