// SPDX-License-Identifier: MIT
/* test_slub_size.c - how objects are laid out, and how many fit in a slab */
#include "slabbed.h"

#include "../../../src/slab/common_impl.h"

#include <errno.h>

Suite *suite_slub_size(void);

static struct slabbed *
boot(const char *cmdline, unsigned int cpus, unsigned int kernel,
     const char *arch)
{
	return slabbed_new(&(struct slabbed_kind){
		.arch = arch,
		.cpus = cpus,
		.config = {.cmdline = cmdline, .kernel = kernel},
	});
}

static struct kmem_cache *
make(struct slabbed *t, uint64_t size, uint64_t align, slab_flags_t flags,
     bool ctor)
{
	const struct kmem_cache_args args = {
		.name = "made",
		.size = size,
		.align = align,
		.flags = flags,
		.usersize = size,
		.ctor = ctor ? slab_ctor_nth(0) : NULL,
		.who = &t->who,
	};
	struct kmem_cache *s = NULL;

	ck_assert_int_eq(kmem_cache_create(t->sc, &args, &s, NULL), 0);
	return s;
}

#define HW SLAB_HWCACHE_ALIGN
#define RCU SLAB_TYPESAFE_BY_RCU
#define Z SLAB_RED_ZONE
#define P SLAB_POISON
#define U SLAB_STORE_USER

/* clang-format off */
static const struct {
	const char *why;
	const char *arch;
	uint32_t size, align;
	slab_flags_t flags;
	bool ctor;
	uint32_t want, inuse, offset, left;
} layouts[] = {
	{"pointer in the middle",      "x86-64", 40,   0, 0, false, 40, 40, 16, 0},
	{"rounded to a word",          "x86-64", 20,   0, 0, false, 24, 24, 8, 0},
	{"one byte",                   "x86-64", 1,    0, 0, false, 8, 8, 0, 0},
	{"a line of its own",          "x86-64", 33,   0, HW, false, 64, 40, 16, 0},
	{"two to a line",              "x86-64", 32,   0, HW, false, 32, 32, 16, 0},
	{"alignment asked for",        "x86-64", 40,   256, HW, false, 256, 40, 16, 0},
	{"kept when free: RCU",        "x86-64", 40,   0, RCU, false, 48, 40, 40, 0},
	{"kept when free: constructor", "x86-64", 40,  0, 0, true, 48, 40, 40, 0},
	{"poison",                     "x86-64", 40,   0, P, false, 48, 40, 40, 0},
	{"red zone needs a word",      "x86-64", 40,   0, Z, false, 64, 48, 16, 8},
	{"red zone in the padding",    "x86-64", 36,   0, Z, false, 56, 40, 16, 8},
	{"too small for both",         "x86-64", 4,    0, Z, false, 32, 8, 8, 8},
	{"two tracks",                 "x86-64", 40,   0, U, false, 104, 40, 16, 0},
	{"all of it",                  "x86-64", 40,   0, Z | P | U, false,
	 136, 48, 48, 8},
	{"left red zone is aligned",   "x86-64", 40,   64, Z, false, 128, 48, 16, 64},
	{"32 bits: word",              "i386",   18,   0, 0, false, 24, 20, 8, 0},
	{"32 bits: tracks",            "i386",   40,   0, U, false, 80, 40, 20, 0},
};
/* clang-format on */

START_TEST(objects_are_laid_out_as_slub_does)
{
	struct slabbed *t = boot("", 2, 0, layouts[_i].arch);
	struct kmem_cache *s = make(t, layouts[_i].size, layouts[_i].align,
				    layouts[_i].flags, layouts[_i].ctor);

	ck_assert_msg(s->size == layouts[_i].want, "%s: size %u",
		      layouts[_i].why, s->size);
	ck_assert_uint_eq(s->inuse, layouts[_i].inuse);
	ck_assert_uint_eq(s->offset, layouts[_i].offset);
	ck_assert_uint_eq(s->red_left_pad, layouts[_i].left);
	slabbed_free(t);
}
END_TEST

static const struct {
	const char *why, *cmdline;
	unsigned int cpus, kernel;
	uint32_t size;
	unsigned int order, objects;
} orders[] = {
	{"nothing lost in one page",	     "",			 2,  601, 256,   0, 16   },
	{"twelve objects for two CPUs",	"",		    2,  601, 1024,  2, 16   },
	{"eight for one CPU",	      "",			  1,  601, 1024,	1, 8    },
	{"more CPUs want more",		"",		    64, 601, 1024,  3, 32	},
	{"never beyond order 3",		 "",		     64, 601, 4096,  3, 8	},
	{"unless one does not fit",	    "",			2,  601, 40960, 4, 1	   },
	{"less waste is worth an order",	 "",		     2,	601, 704,	  2, 23   },
	{"a least order",		  "slub_min_order=2",    2,	 601, 64,	  2, 256	},
	{"a largest order",		    "slub_max_order=1",	2,  601, 1024,  1, 8	  },
	{"as many as were asked for",      "slub_min_objects=40", 2,	601, 512,	  3,
	 64									       },
	{"objects are counted in 15 bits",
	 "slub_min_order=10 slub_max_order=10",			2,  601, 8,	   5, 16384},
 /* 6.1 would rather hold one than waste a third; 6.7 would not. */
	{"two large ones in 6.1",	  "",		      2,	 601, 11000, 2, 1	 },
	{"two large ones in 6.7",	  "",		      2,	 607, 11000, 3, 2	 },
};

START_TEST(the_order_wastes_little_and_holds_enough)
{
	struct slabbed *t = boot(orders[_i].cmdline, orders[_i].cpus,
				 orders[_i].kernel, NULL);
	struct kmem_cache *s = make(t, orders[_i].size, 0, 0, false);

	ck_assert_msg(s->order == orders[_i].order, "%s: order %u",
		      orders[_i].why, s->order);
	ck_assert_uint_eq(s->objects, orders[_i].objects);
	ck_assert_uint_eq(s->min_order, slab_get_order(t->sc, s->size));
	slabbed_free(t);
}
END_TEST

static const struct {
	uint32_t size;
	slab_flags_t flags;
	uint32_t min_partial, cpu_partial, slabs;
} partials[] = {
	{8,	    0,	       5, 120, 1 },
	     {128,   0,	      5, 120, 8 },
	  {256,	0,	   5, 52,  7 },
	{1024,  0,		  5, 24,	 3 },
	     {4096,  0,	       6, 6,   2 },
	  {65536, 0,	     8, 6,   12},
	{256,   SLAB_POISON, 5, 0,	 0 },
};

START_TEST(how_much_is_kept_follows_from_the_size)
{
	struct slabbed *t = boot("", 2, 0, NULL);
	struct kmem_cache *s =
		make(t, partials[_i].size, 0, partials[_i].flags, false);

	ck_assert_uint_eq(s->min_partial, partials[_i].min_partial);
	ck_assert_uint_eq(s->cpu_partial, partials[_i].cpu_partial);
	ck_assert_uint_eq(s->cpu_partial_slabs, partials[_i].slabs);
	slabbed_free(t);
}
END_TEST

START_TEST(debugging_that_needs_a_larger_slab_is_left_out_when_told_so)
{
	struct slabbed *t = boot("slub_debug=FZPUO", 2, 0, NULL);
	struct kmem_cache *s = make(t, 4096, 0, 0, false);

	ck_assert_uint_eq(s->flags, SLAB_CONSISTENCY_CHECKS);
	ck_assert_uint_eq(s->size, 4096);
	s = kmem_cache_find(t->sc, "kmalloc-64");
	ck_assert_uint_eq(s->flags & SLAB_DEBUG_METADATA, SLAB_DEBUG_METADATA);
	slabbed_free(t);
}
END_TEST

START_TEST(page_flags_follow_from_order_and_cache_flags)
{
	struct slabbed *t = boot("", 2, 0, NULL);
	const struct kmem_cache *s =
		make(t, 1024, 0, SLAB_CACHE_DMA | SLAB_RECLAIM_ACCOUNT, false);

	ck_assert_uint_eq(s->allocflags,
			  __GFP_COMP | __GFP_DMA | __GFP_RECLAIMABLE);
	ck_assert_uint_eq(kmem_cache_find(t->sc, "kmalloc-64")->allocflags, 0);
	slabbed_free(t);
}
END_TEST

START_TEST(the_size_asked_for_moves_the_free_pointer_in_later_kernels)
{
	struct slabbed *t = slabbed_new(&(struct slabbed_kind){
		.config = {.cmdline = "slub_debug=U", .orig_size = true},
	});
	const struct kmem_cache *s = kmem_cache_find(t->sc, "kmalloc-64");

	ck_assert_uint_eq(s->offset, 64);
	slabbed_free(t);
	t = slabbed_new(&(struct slabbed_kind){
		.config = {.cmdline = "slub_debug=U",
			   .kernel = SLAB_KERNEL(6, 12),
			   .orig_size = true},
	});
	ck_assert_uint_eq(kmem_cache_find(t->sc, "kmalloc-64")->offset, 32);
	ck_assert_uint_eq(kmem_cache_find(t->sc, "kmalloc-96")->align, 32);
	slabbed_free(t);
	t = boot("slub_debug=U", 2, 0, NULL);
	ck_assert_uint_eq(kmem_cache_find(t->sc, "kmalloc-64")->offset, 32);
	ck_assert_uint_eq(kmem_cache_find(t->sc, "kmalloc-96")->align, 8);
	slabbed_free(t);
}
END_TEST

START_TEST(an_object_that_no_slab_holds_is_refused)
{
	struct slabbed *t = boot("", 2, 0, NULL);
	const struct kmem_cache_args args = {
		.name = "huge",
		.size = MIB(4),
		.flags = SLAB_RED_ZONE,
		.who = &t->who,
	};
	struct refusal why = {0};
	struct kmem_cache *s;
	uint64_t free = free_pages(t);

	ck_assert_int_eq(kmem_cache_create(t->sc, &args, &s, &why), -E2BIG);
	ck_assert_uint_gt(strlen(why.sentence), 0);
	ck_assert_ptr_null(kmem_cache_find(t->sc, "huge"));
	kmem_cache_shrink(t->sc->kmem_cache);
	kmem_cache_shrink(t->sc->kmem_cache_node);
	ck_assert_uint_eq(free_pages(t), free);
	slabbed_free(t);
}
END_TEST

Suite *
suite_slub_size(void)
{
	Suite *s = suite_create("slub_size");
	TCase *t = tcase_create("slub_size");

	tcase_add_loop_test(t, objects_are_laid_out_as_slub_does, 0,
			    ARRAY_SIZE(layouts));
	tcase_add_loop_test(t, the_order_wastes_little_and_holds_enough, 0,
			    ARRAY_SIZE(orders));
	tcase_add_loop_test(t, how_much_is_kept_follows_from_the_size, 0,
			    ARRAY_SIZE(partials));
	tcase_add_test(
		t, debugging_that_needs_a_larger_slab_is_left_out_when_told_so);
	tcase_add_test(t, page_flags_follow_from_order_and_cache_flags);
	tcase_add_test(
		t, the_size_asked_for_moves_the_free_pointer_in_later_kernels);
	tcase_add_test(t, an_object_that_no_slab_holds_is_refused);
	suite_add_tcase(s, t);
	return s;
}
