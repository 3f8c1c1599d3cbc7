// SPDX-License-Identifier: MIT
/* test_slab_cmdline.c - slub_debug= and the other arguments about slabs */
#include "slabbed.h"

#include "../../../src/slab/common_impl.h"

Suite *suite_slab_cmdline(void);

#define F SLAB_CONSISTENCY_CHECKS
#define Z SLAB_RED_ZONE
#define P SLAB_POISON
#define U SLAB_STORE_USER
#define T SLAB_TRACE
#define ALL (F | Z | P | U)

static struct slabbed *
boot(const char *cmdline, unsigned int kernel)
{
	return slabbed_new(&(struct slabbed_kind){
		.config = {.cmdline = cmdline, .kernel = kernel},
	});
}

/* clang-format off */
static const struct {
	const char *cmdline, *cache;
	slab_flags_t own, want;
} debug[] = {
	{"",                                "dentry",       0, 0},
	{"slub_debug",                      "dentry",       0, ALL},
	{"slub_debug=",                     "dentry",       0, ALL},
	{"slub-debug=FZ",                   "dentry",       0, F | Z},
	{"quiet slub_debug=fzp x=y",        "dentry",       0, F | Z | P},
	{"\"slub_debug=U\"",                "dentry",       0, U},
	{"slub_debug=-",                    "dentry",       0, 0},
	{"slub_debug=PU-Z",                 "dentry",       0, Z},
	{"slub_debug=PQ",                   "dentry",       0, P},
	{"slub_debug=T",                    "dentry",       0, T},
	{"slub_debug=P -- slub_debug=Z",    "dentry",       0, P},
	{"slub_debug=P slub_debug=Z",       "dentry",       0, Z},
	/* names */
	{"slub_debug=,dentry",              "dentry",       0, ALL},
	{"slub_debug=,dentry",              "dentry2",      0, 0},
	{"slub_debug=,dentry2",             "dentry",       0, 0},
	{"slub_debug=P,dentry",             "dentry",       0, P},
	{"slub_debug=P,inode,dentry,x",     "dentry",       0, P},
	{"slub_debug=P,kmalloc-*",          "kmalloc-64",   0, P},
	{"slub_debug=P,kmalloc-*",          "dma-kmalloc-64", 0, 0},
	{"slub_debug=P,kmalloc-*4",         "kmalloc-96",   0, P},
	{"slub_debug=P,*",                  "dentry",       0, P},
	{"slub_debug=P,",                   "dentry",       0, 0},
	/* blocks */
	{"slub_debug=P,dentry;Z,inode",     "inode",        0, Z},
	{"slub_debug=P,dent*;Z,dentry",     "dentry",       0, P},
	/* all ; but one belong to the last name */
	{"slub_debug=P,dentry;;;Z,inode",   "inode",        0, Z},
	{"slub_debug=P,dentry;;;Z,inode",   "dentry",       0, 0},
	{"slub_debug=P,dent*;;;Z,inode",    "dentry",       0, P},
	{"slub_debug=P,x,dentry;Z,inode",   "x",            0, P},
	{"slub_debug=P,dentry;Z,inode;",    "inode",        0, 0},
	{"slub_debug=;;P,dentry;Z,inode",   "dentry",       0, P},
	{"slub_debug=P,;Z,inode",           "inode",        0, Z},
	{"slub_debug=F;P,dentry",           "dentry",       0, P},
	{"slub_debug=F;P,dentry",           "inode",        0, F},
	{"slub_debug=P,dentry;F",           "inode",        0, F},
	{"slub_debug=-;P,dentry",           "inode",        0, 0},
	{"slub_debug=-,dentry;FZ",          "dentry",       0, 0},
	{"slub_debug=Z slub_debug=P,dentry", "inode",       0, Z},
	/* flags of their own */
	{"slub_debug=P",                    "dentry",       Z, P | Z},
	{"slub_debug=PU",                   "object_cache", SLAB_NOLEAKTRACE,
	 P | SLAB_NOLEAKTRACE},
	{"slub_debug=U,object_cache",       "object_cache", SLAB_NOLEAKTRACE,
	 U | SLAB_NOLEAKTRACE},
	{"slub_debug=P",                    "TestSlub",     SLAB_NO_USER_FLAGS,
	 SLAB_NO_USER_FLAGS},
	{"slub_debug=P,Test*",              "TestSlub",     SLAB_NO_USER_FLAGS,
	 SLAB_NO_USER_FLAGS},
	/* 6.1 does not know this one */
	{"slab_debug=P",                    "dentry",       0, 0},
};
/* clang-format on */

START_TEST(slub_debug_gives_each_cache_the_flags_that_the_kernel_would)
{
	struct slab_common sc = {
		.config = {.cmdline = debug[_i].cmdline,
			   .kernel = SLAB_KERNEL(6, 1)},
	};
	uint64_t now = 0;
	struct phys phys = {.now_ns = &now};

	sc.phys = &phys;
	slab_cmdline_read(&sc);
	ck_assert_msg(slab_debug_flags(&sc, debug[_i].own, debug[_i].cache) ==
			      debug[_i].want,
		      "%s, %s: 0x%x", debug[_i].cmdline, debug[_i].cache,
		      slab_debug_flags(&sc, debug[_i].own, debug[_i].cache));
	g_free(sc.slub_debug_string);
}
END_TEST

static const struct {
	const char *cmdline;
	unsigned int kernel, min, max, objects;
	bool nomerge;
} numbers[] = {
	{"",				    601, 0, 3,	0,  false},
	{"slub_min_order=2",		     601, 2, 3,	0,  false},
	{"slub_min_order=5",		     601, 5, 3,	0,  false},
	{"slub_min_order=5",		     607, 5, 5,	0,  false},
	{"slub_min_order=11",		      601, 0, 3,	 0,  false},
	{"slub_min_order=x",		     601, 0, 3,	0,  false},
	{"slub_max_order=0x1",		       601, 0, 1,  0,  false},
	{"slub_max_order=99",		      601, 0, 10, 0,  false},
	{"slub_max_order=-1",		      601, 0, 3,	 0,  false},
	{"slub_min_objects=50",			601, 0, 3,  50, false},
	{"slab_nomerge",			 601, 0, 3,  0,  true },
	{"slub_nomerge",			 601, 0, 3,  0,  true },
	{"slab_nomerge slab_merge",		    601, 0, 3,  0,  false},
	{"slab_max_order=1",		     601, 0, 3,	0,  false},
	{"slab_max_order=1 slab_min_objects=9", 612, 0, 1,  9,  false},
};

START_TEST(orders_and_numbers_are_read_and_nonsense_is_ignored)
{
	struct slabbed *t = boot(numbers[_i].cmdline, numbers[_i].kernel);

	ck_assert_uint_eq(t->sc->slub_min_order, numbers[_i].min);
	ck_assert_uint_eq(t->sc->slub_max_order, numbers[_i].max);
	ck_assert_uint_eq(t->sc->slub_min_objects, numbers[_i].objects);
	ck_assert(t->sc->nomerge == numbers[_i].nomerge);
	slabbed_free(t);
}
END_TEST

START_TEST(what_cannot_be_read_is_told_in_the_log)
{
	struct slabbed *t = boot("slub_debug=Qf9 slub_min_order=12", 0);

	ck_assert_ptr_nonnull(strstr(t->b->log->str,
				     "slub_debug option 'Q' unknown. skipped"));
	ck_assert_ptr_nonnull(strstr(t->b->log->str,
				     "slub_debug option '9' unknown. skipped"));
	ck_assert_ptr_nonnull(
		strstr(t->b->log->str, "slub_min_order=12: there is no such"));
	slabbed_free(t);
}
END_TEST

START_TEST(the_log_says_what_slub_starts_with)
{
	struct slabbed *t = boot("slub_max_order=2 slub_min_objects=7", 0);

	ck_assert_ptr_nonnull(strstr(t->b->log->str,
				     "SLUB: HWalign=64, Order=0-2, "
				     "MinObjects=7, CPUs=2, Nodes=1"));
	slabbed_free(t);
}
END_TEST

Suite *
suite_slab_cmdline(void)
{
	Suite *s = suite_create("slab_cmdline");
	TCase *t = tcase_create("slab_cmdline");

	tcase_add_loop_test(
		t, slub_debug_gives_each_cache_the_flags_that_the_kernel_would,
		0, ARRAY_SIZE(debug));
	tcase_add_loop_test(t,
			    orders_and_numbers_are_read_and_nonsense_is_ignored,
			    0, ARRAY_SIZE(numbers));
	tcase_add_test(t, what_cannot_be_read_is_told_in_the_log);
	tcase_add_test(t, the_log_says_what_slub_starts_with);
	suite_add_tcase(s, t);
	return s;
}
