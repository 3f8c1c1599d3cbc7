// SPDX-License-Identifier: MIT
/* test_kmalloc.c - memory by size: classes, large requests, wrong pointers */
#include "slabbed.h"

#include "kmemfs/slab/kmalloc.h"

#include <errno.h>

Suite *suite_kmalloc(void);

static struct slabbed *
boot(void)
{
	return slabbed_new(&(struct slabbed_kind){.config = {.memcg = true}});
}

static va_t
get(struct slabbed *t, uint64_t bytes)
{
	va_t object = 0;

	ck_assert_int_eq(kmalloc(t->sc, bytes, &t->who, &object), 0);
	return object;
}

static int64_t
unreclaimable(const struct slabbed *t)
{
	return t->b->phys->nodes[0]->stat[NS_nr_slab_unreclaimable];
}

/* --- classes ------------------------------------------------------------- */

static const struct {
	uint64_t bytes;
	gfp_t gfp;
	const char *cache; /* NULL: pages */
} classes[] = {
	{1,    GFP_KERNEL,				     "kmalloc-8"	   },
	{8,    GFP_KERNEL,				     "kmalloc-8"	   },
	{9,    GFP_KERNEL,				     "kmalloc-16"	    },
	{64,   GFP_KERNEL,				     "kmalloc-64"     },
	{65,   GFP_KERNEL,				     "kmalloc-96"     },
	{96,   GFP_KERNEL,				     "kmalloc-96"     },
	{97,   GFP_KERNEL,				     "kmalloc-128"    },
	{129,  GFP_KERNEL,				     "kmalloc-192"    },
	{192,  GFP_KERNEL,				     "kmalloc-192"    },
	{193,  GFP_KERNEL,				     "kmalloc-256"    },
	{1025, GFP_KERNEL,				     "kmalloc-2k"     },
	{8192, GFP_KERNEL,				     "kmalloc-8k"     },
	{8193, GFP_KERNEL,				     NULL	       },
	{0,    GFP_KERNEL,				     NULL		    },
	{100,  GFP_KERNEL | __GFP_DMA,			      "dma-kmalloc-128"},
	{100,  GFP_KERNEL | __GFP_RECLAIMABLE,		      "kmalloc-rcl-128"},
	{100,  GFP_KERNEL | __GFP_ACCOUNT,			  "kmalloc-cg-128" },
	{100,  GFP_KERNEL | __GFP_ACCOUNT | __GFP_RECLAIMABLE,
	 "kmalloc-rcl-128"						      },
	{100,  GFP_KERNEL | __GFP_RECLAIMABLE | __GFP_DMA,	  "dma-kmalloc-128"},
};

START_TEST(a_request_goes_to_the_next_size_of_its_kind)
{
	struct slabbed *t = boot();
	const struct kmem_cache *s =
		kmalloc_cache(t->sc, classes[_i].bytes, classes[_i].gfp);

	if (classes[_i].cache)
		ck_assert_str_eq(s->name, classes[_i].cache);
	else
		ck_assert_ptr_null(s);
	slabbed_free(t);
}
END_TEST

START_TEST(kinds_that_a_kernel_lacks_are_served_from_the_normal_ones)
{
	struct slabbed *t = slabbed_new(&(struct slabbed_kind){
		.arch = "generic",
	});

	ck_assert_str_eq(kmalloc_cache(t->sc, 64, __GFP_ACCOUNT)->name,
			 "kmalloc-64");
	ck_assert_str_eq(kmalloc_cache(t->sc, 64, __GFP_DMA)->name,
			 "kmalloc-64");
	slabbed_free(t);
}
END_TEST

START_TEST(the_size_that_is_really_taken_can_be_asked_for)
{
	struct slabbed *t = boot();

	ck_assert_uint_eq(kmalloc_size(t->sc, 0, GFP_KERNEL), 0);
	ck_assert_uint_eq(kmalloc_size(t->sc, 100, GFP_KERNEL), 128);
	ck_assert_uint_eq(kmalloc_size(t->sc, 8193, GFP_KERNEL), 16384);
	ck_assert_uint_eq(kmalloc_size(t->sc, MIB(4), GFP_KERNEL), MIB(4));
	slabbed_free(t);
}
END_TEST

/* --- giving out and taking back ------------------------------------------ */

START_TEST(nothing_is_a_pointer_of_its_own_and_can_be_freed)
{
	struct slabbed *t = boot();

	ck_assert_uint_eq(get(t, 0), ZERO_SIZE_PTR);
	ck_assert_int_eq(kfree(t->sc, ZERO_SIZE_PTR, &t->who), 0);
	ck_assert_int_eq(kfree(t->sc, 0, &t->who), 0);
	ck_assert_uint_eq(ksize(t->sc, ZERO_SIZE_PTR), 0);
	ck_assert_uint_eq(ksize(t->sc, 0), 0);
	slabbed_free(t);
}
END_TEST

START_TEST(a_large_request_is_a_block_of_pages_that_counts_as_slab)
{
	struct slabbed *t = boot();
	uint64_t free = free_pages(t);
	int64_t slab = unreclaimable(t);
	va_t object = get(t, 9000);

	ck_assert_uint_eq(free_pages(t), free - 4);
	ck_assert_int_eq(unreclaimable(t), slab + 4);
	ck_assert_ptr_null(slab_of(t->sc, object));
	ck_assert_uint_eq(ksize(t->sc, object), 16384);
	ck_assert_int_eq(kfree(t->sc, object, &t->who), 0);
	ck_assert_uint_eq(free_pages(t), free);
	ck_assert_int_eq(unreclaimable(t), slab);
	slabbed_free(t);
}
END_TEST

START_TEST(freeing_a_large_one_by_an_address_inside_frees_it_all)
{
	struct slabbed *t = boot();
	uint64_t free = free_pages(t);
	va_t object = get(t, 20000);

	ck_assert_int_eq(kfree(t->sc, object + 9000, &t->who), 0);
	ck_assert_uint_eq(free_pages(t), free);
	slabbed_free(t);
}
END_TEST

START_TEST(requests_beyond_the_largest_block_are_refused)
{
	struct slabbed *t = boot();
	va_t object = 1;

	ck_assert_int_eq(kmalloc(t->sc, MIB(4) + 1, &t->who, &object), -EINVAL);
	ck_assert_int_eq(kmalloc(t->sc, UINT64_MAX, &t->who, &object), -EINVAL);
	ck_assert_uint_eq(get(t, MIB(4)) % MIB(4),
			  t->b->phys->arch->page_offset % MIB(4));
	slabbed_free(t);
}
END_TEST

START_TEST(zeroed_memory_is_zero_small_or_large)
{
	struct slabbed *t = boot();
	const uint64_t sizes[] = {64, 16384};

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct slab_request r = t->who;
		va_t object = get(t, sizes[i]), again;

		set_word(t, object, 0x1234);
		set_word(t, object + sizes[i] - 8, 0x1234);
		ck_assert_int_eq(kfree(t->sc, object, &t->who), 0);
		r.gfp |= __GFP_ZERO;
		ck_assert_int_eq(kmalloc(t->sc, sizes[i], &r, &again), 0);
		ck_assert_uint_eq(again, object);
		ck_assert_uint_eq(word_at(t, again), 0);
		ck_assert_uint_eq(word_at(t, again + sizes[i] - 8), 0);
	}
	slabbed_free(t);
}
END_TEST

START_TEST(zones_without_an_address_are_not_asked_for)
{
	struct slabbed *t = boot();
	struct slab_request r = t->who;
	va_t object;

	r.gfp |= __GFP_HIGHMEM;
	ck_assert_int_eq(kmalloc(t->sc, 16384, &r, &object), 0);
	ck_assert_ptr_nonnull(strstr(t->b->log->str,
				     "Unexpected gfp: 0x2 (__GFP_HIGHMEM). "
				     "Fixing up to gfp: 0xcc0 (GFP_KERNEL). "
				     "Fix your code!"));
	slabbed_free(t);
}
END_TEST

/* --- wrong pointers ------------------------------------------------------ */

START_TEST(freeing_a_page_warns_once_and_frees_it)
{
	struct slabbed *t = boot();
	struct phys *phys = t->b->phys;
	uint64_t free = free_pages(t);
	const struct page_request r = {.gfp = GFP_KERNEL};

	for (int i = 0; i < 2; i++) {
		pfn_t pfn;

		ck_assert_int_eq(pages_alloc(phys, &r, &pfn), 0);
		g_string_truncate(t->b->log, 0);
		ck_assert_int_eq(kfree(t->sc,
				       phys->arch->page_offset + (pfn << 12),
				       &t->who),
				 0);
		ck_assert((strstr(t->b->log->str, "free_large_kmalloc") !=
			   NULL) == !i);
		ck_assert((strstr(t->b->log->str, "object pointer: 0x") !=
			   NULL) == !i);
	}
	ck_assert_uint_eq(free_pages(t), free);
	slabbed_free(t);
}
END_TEST

START_TEST(freeing_what_is_free_or_was_never_memory_ends_nothing)
{
	struct slabbed *t = boot();
	const struct phys *phys = t->b->phys;
	uint64_t free = free_pages(t);
	va_t large = get(t, 16384);

	ck_assert_int_eq(kfree(t->sc, large, &t->who), 0);
	ck_assert_int_eq(kfree(t->sc, large, &t->who), 0);
	/* Reserved: the kernel's image. */
	ck_assert_int_eq(
		kfree(t->sc, phys->arch->page_offset + MIB(16), &t->who), 0);
	ck_assert_int_eq(kfree(t->sc, 0x1000, &t->who), -EFAULT);
	ck_assert_int_eq(kfree(t->sc, UINT64_MAX, &t->who), -EFAULT);
	ck_assert_uint_eq(free_pages(t), free);
	slabbed_free(t);
}
END_TEST

START_TEST(of_a_block_that_is_not_compound_nothing_is_freed)
{
	struct slabbed *t = boot();
	const struct page_request r = {.gfp = GFP_KERNEL, .order = 2};
	uint64_t free;
	pfn_t pfn;

	ck_assert_int_eq(pages_alloc(t->b->phys, &r, &pfn), 0);
	free = free_pages(t);
	ck_assert_int_eq(kfree(t->sc,
			       t->b->phys->arch->page_offset + (pfn << 12),
			       &t->who),
			 0);
	ck_assert_ptr_nonnull(strstr(t->b->log->str, "free_large_kmalloc"));
	ck_assert_uint_eq(free_pages(t), free);
	slabbed_free(t);
}
END_TEST

/* --- ksize, krealloc ----------------------------------------------------- */

static const struct {
	const char *cmdline;
	uint64_t want; /* of a request of 100 bytes */
} sizes[] = {
	{"",	     128},
	{"slub_debug=P", 128},
	{"slub_debug=U", 128},
	{"slub_debug=Z", 128},
};

START_TEST(all_of_an_object_may_be_used_but_what_belongs_to_others)
{
	struct slabbed *t = slabbed_new(&(struct slabbed_kind){
		.config = {.cmdline = sizes[_i].cmdline},
	});

	ck_assert_uint_eq(ksize(t->sc, get(t, 100)), sizes[_i].want);
	slabbed_free(t);
}
END_TEST

/* Where pages that are no slab's lie, and what ksize makes of them. */
static const struct {
	const char *why;
	gfp_t gfp;
	unsigned int order;
	uint64_t at; /* from their start */
	uint64_t want;
	const char *place; /* where it warns */
} pages[] = {
	{"one page",			GFP_KERNEL,		 0, 0,    0, "mm/slab_common.c:1014"},
	{"as large as the largest cache",	  GFP_KERNEL | __GFP_COMP, 1, 0,	 0,
	 "mm/slab_common.c:1014"									},
	{"a large kmalloc is no different", GFP_KERNEL | __GFP_COMP, 2, 0,
	 16384,								  NULL		    },
	{"inside",			  GFP_KERNEL | __GFP_COMP, 2, 8,	  0, "mm/slab_common.c:1016"},
	{"a later page",			 GFP_KERNEL | __GFP_COMP, 2, 4096, 0,
	 "mm/slab_common.c:1016"									},
	{"pages of their own",	       GFP_KERNEL,		   2, 0,	 0, "mm/slab_common.c:1014"},
};

START_TEST(ksize_of_pages_is_that_of_their_folio_or_a_warning)
{
	struct slabbed *t = boot();
	const struct page_request r = {.gfp = pages[_i].gfp,
				       .order = pages[_i].order};
	va_t at = t->b->phys->arch->page_offset;
	pfn_t pfn;

	ck_assert_int_eq(pages_alloc(t->b->phys, &r, &pfn), 0);
	at += (pfn << 12) + pages[_i].at;
	for (int i = 0; i < 2; i++) {
		g_string_truncate(t->b->log, 0);
		ck_assert_msg(ksize_warn(t->sc, at, &t->who) == pages[_i].want,
			      "%s", pages[_i].why);
		if (pages[_i].place)
			ck_assert_ptr_nonnull(
				strstr(t->b->log->str, pages[_i].place));
		else
			ck_assert_uint_eq(t->b->log->len, 0);
	}
	ck_assert_uint_eq(ksize(t->sc, at), pages[_i].want);
	slabbed_free(t);
}
END_TEST

START_TEST(realloc_stays_while_there_is_room_and_takes_the_bytes_along)
{
	struct slabbed *t = boot();
	va_t object = get(t, 40), old = object;

	set_word(t, object, 0xfeed);
	set_word(t, object + 56, 0xbeef);
	ck_assert_int_eq(krealloc(t->sc, 64, &t->who, &object), 0);
	ck_assert_uint_eq(object, old);
	ck_assert_int_eq(krealloc(t->sc, 20000, &t->who, &object), 0);
	ck_assert_uint_ne(object, old);
	ck_assert_uint_eq(word_at(t, object), 0xfeed);
	ck_assert_uint_eq(word_at(t, object + 56), 0xbeef);
	/* The old one is free: it is the next to be given. */
	ck_assert_uint_eq(get(t, 64), old);
	ck_assert_int_eq(krealloc(t->sc, 0, &t->who, &object), 0);
	ck_assert_uint_eq(object, ZERO_SIZE_PTR);
	ck_assert_int_eq(krealloc(t->sc, 10, &t->who, &object), 0);
	ck_assert_uint_gt(object, ZERO_SIZE_PTR);
	object = 0;
	ck_assert_int_eq(krealloc(t->sc, 10, &t->who, &object), 0);
	ck_assert_uint_gt(object, ZERO_SIZE_PTR);
	object = 0x1000;
	ck_assert_int_eq(krealloc(t->sc, 10, &t->who, &object), -EFAULT);
	ck_assert_uint_eq(object, 0x1000);
	ck_assert_uint_eq(findings(t, NULL), 0);
	slabbed_free(t);
}
END_TEST

START_TEST(a_realloc_that_fails_leaves_the_old_one_alone)
{
	struct slabbed *t = boot();
	va_t object = get(t, 40), old = object;

	set_word(t, object, 0xfeed);
	ck_assert_int_eq(krealloc(t->sc, MIB(5), &t->who, &object), -EINVAL);
	ck_assert_uint_eq(object, old);
	ck_assert_uint_eq(word_at(t, object), 0xfeed);
	slabbed_free(t);
}
END_TEST

/* --- events -------------------------------------------------------------- */

START_TEST(events_tell_what_was_asked_for_and_what_was_taken)
{
	struct slabbed *t = boot();
	struct trace *trace = t->b->phys->trace;
	const struct trace_record *r;
	va_t small, large;

	trace_init(trace, 64);
	trace->on = true;
	trace->enabled = 1U << TRACE_KMALLOC | 1U << TRACE_KFREE |
			 1U << TRACE_KMEM_CACHE_ALLOC;
	t->who.gfp |= __GFP_ACCOUNT;
	small = get(t, 100);
	large = get(t, 9000);
	kfree(t->sc, small, &t->who);
	kfree(t->sc, 0, &t->who);
	ck_assert_uint_eq(trace->written, 4);
	r = trace_get(trace, 0);
	ck_assert_uint_eq(r->event, TRACE_KMALLOC);
	ck_assert_uint_eq(r->arg[0], t->who.caller);
	ck_assert_uint_eq(r->arg[1], small);
	ck_assert_uint_eq(r->arg[2], 100);
	ck_assert_uint_eq(r->arg[3], 128);
	ck_assert_uint_eq(r->arg[4], t->who.gfp);
	ck_assert_int_eq((int64_t)r->arg[5], -1);
	ck_assert_uint_eq(r->arg[6], 1);
	r = trace_get(trace, 1);
	ck_assert_uint_eq(r->arg[1], large);
	ck_assert_uint_eq(r->arg[3], 16384);
	r = trace_get(trace, 2);
	ck_assert_uint_eq(r->event, TRACE_KFREE);
	ck_assert_uint_eq(r->arg[1], small);
	ck_assert_uint_eq(trace_get(trace, 3)->arg[1], 0);
	trace_fini(trace);
	slabbed_free(t);
}
END_TEST

START_TEST(a_large_block_that_is_not_there_is_reported_unless_it_was_made_so)
{
	static const char message[] =
		": page allocation failure: order:10, "
		"mode:0x40cc0(GFP_KERNEL|__GFP_COMP), nodemask=(null)\n";
	struct slabbed *t = boot();
	struct fault_attr *fault = &t->b->phys->fail_page_alloc;
	va_t object;

	fault->probability = 100;
	fault->times = -1;
	fault->verbose = 0;
	fault->ignore_gfp_wait = false;
	ck_assert_int_eq(kmalloc(t->sc, MIB(4), &t->who, &object), -ENOMEM);
	ck_assert_ptr_null(strstr(t->b->log->str, message));
	fault->probability = 0;
	while (!kmalloc(t->sc, MIB(4), &t->who, &object))
		;
	ck_assert_ptr_nonnull(strstr(t->b->log->str, message));
	slabbed_free(t);
}
END_TEST

Suite *
suite_kmalloc(void)
{
	Suite *s = suite_create("kmalloc");
	TCase *t = tcase_create("kmalloc");

	tcase_add_loop_test(t,
			    ksize_of_pages_is_that_of_their_folio_or_a_warning,
			    0, ARRAY_SIZE(pages));
	tcase_add_loop_test(t, a_request_goes_to_the_next_size_of_its_kind, 0,
			    ARRAY_SIZE(classes));
	tcase_add_test(
		t, kinds_that_a_kernel_lacks_are_served_from_the_normal_ones);
	tcase_add_test(t, the_size_that_is_really_taken_can_be_asked_for);
	tcase_add_test(t, nothing_is_a_pointer_of_its_own_and_can_be_freed);
	tcase_add_test(t,
		       a_large_request_is_a_block_of_pages_that_counts_as_slab);
	tcase_add_test(
		t,
		a_large_block_that_is_not_there_is_reported_unless_it_was_made_so);
	tcase_add_test(t,
		       freeing_a_large_one_by_an_address_inside_frees_it_all);
	tcase_add_test(t, requests_beyond_the_largest_block_are_refused);
	tcase_add_test(t, zeroed_memory_is_zero_small_or_large);
	tcase_add_test(t, zones_without_an_address_are_not_asked_for);
	tcase_add_test(t, freeing_a_page_warns_once_and_frees_it);
	tcase_add_test(t,
		       freeing_what_is_free_or_was_never_memory_ends_nothing);
	tcase_add_test(t, of_a_block_that_is_not_compound_nothing_is_freed);
	tcase_add_loop_test(
		t, all_of_an_object_may_be_used_but_what_belongs_to_others, 0,
		ARRAY_SIZE(sizes));
	tcase_add_test(
		t, realloc_stays_while_there_is_room_and_takes_the_bytes_along);
	tcase_add_test(t, a_realloc_that_fails_leaves_the_old_one_alone);
	tcase_add_test(t, events_tell_what_was_asked_for_and_what_was_taken);
	suite_add_tcase(s, t);
	return s;
}
