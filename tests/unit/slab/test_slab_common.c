// SPDX-License-Identifier: MIT
/* test_slab_common.c - caches by name: boot, merging, destroying, refusals */
#include "slabbed.h"

#include <errno.h>

Suite *suite_slab_common(void);

static struct slabbed *
boot(const char *cmdline, bool memcg)
{
	return slabbed_new(&(struct slabbed_kind){
		.nodes = 2,
		.memory = "256M",
		.config = {.cmdline = cmdline, .memcg = memcg},
	});
}

static int
create(struct slabbed *t, struct kmem_cache_args args, struct kmem_cache **s)
{
	struct refusal why = {0};
	int err;

	args.who = &t->who;
	*s = NULL;
	err = kmem_cache_create(t->sc, &args, s, &why);
	ck_assert(!err == !*why.sentence);
	return err;
}

static struct kmem_cache *
made(struct slabbed *t, const char *name, uint64_t size, slab_flags_t flags)
{
	struct kmem_cache *s;

	ck_assert_int_eq(create(t,
				(struct kmem_cache_args){.name = name,
							 .size = size,
							 .flags = flags},
				&s),
			 0);
	return s;
}

static const char *
dir_of(const struct kmem_cache *s)
{
	static char dir[32];

	return kmem_cache_dir(s, dir);
}

/* --- boot ---------------------------------------------------------------- */

START_TEST(boot_makes_the_kernels_caches_in_its_order)
{
	static const char *const first[] = {
		"kmem_cache",  "kmem_cache_node", "kmalloc-8",	"kmalloc-16",
		"kmalloc-32",  "kmalloc-64",	  "kmalloc-96", "kmalloc-128",
		"kmalloc-192", "kmalloc-256",	  "kmalloc-512"};
	struct slabbed *t = boot("", true);
	uint32_t id = 0;

	for (size_t i = 0; i < ARRAY_SIZE(first); i++) {
		const struct kmem_cache *s = kmem_cache_next(t->sc, id);

		ck_assert_str_eq(s->name, first[i]);
		ck_assert(s->boot);
		ck_assert_ptr_eq(kmem_cache_get(t->sc, s->id), s);
		id = s->id;
	}
	ck_assert_uint_eq(t->sc->caches->len, 2 + 4 * 13);
	ck_assert_str_eq(kmem_cache_next(t->sc, 53)->name, "dma-kmalloc-8k");
	ck_assert_ptr_null(kmem_cache_next(t->sc, 54));
	slabbed_free(t);
}
END_TEST

START_TEST(boot_takes_no_page)
{
	struct slabbed *t = boot("", true);

	for (uint32_t id = 0; kmem_cache_next(t->sc, id); id++)
		ck_assert_uint_eq(slab_count(kmem_cache_get(t->sc, id + 1),
					     SLAB_COUNT_SLABS, -1),
				  0);
	ck_assert_uint_eq(findings(t, NULL), 0);
	slabbed_free(t);
}
END_TEST

START_TEST(descriptors_grow_with_nodes_and_options)
{
	struct slabbed *t = slabbed_new(&(struct slabbed_kind){
		.nodes = 4,
		.memory = "256M",
		.config = {.hardened = true, .random = true},
	});

	ck_assert_uint_eq(t->sc->kmem_cache->object_size, 248);
	ck_assert_uint_eq(t->sc->kmem_cache_node->object_size, 64);
	slabbed_free(t);
	t = slabbed_new(&(struct slabbed_kind){
		.arch = "i386",
		.config = {.hardened = true, .random = true},
	});
	ck_assert_uint_eq(t->sc->kmem_cache->object_size, 140);
	ck_assert_uint_eq(t->sc->kmem_cache_node->object_size, 32);
	slabbed_free(t);
}
END_TEST

START_TEST(a_kernel_without_cgroups_has_no_caches_for_them)
{
	struct slabbed *t = boot("", false);

	ck_assert_ptr_null(kmem_cache_find(t->sc, "kmalloc-cg-64"));
	ck_assert_ptr_nonnull(kmem_cache_find(t->sc, "kmalloc-rcl-64"));
	ck_assert_uint_eq(t->sc->caches->len, 2 + 3 * 13);
	slabbed_free(t);
}
END_TEST

/* --- merging ------------------------------------------------------------- */

START_TEST(a_cache_like_another_becomes_a_name_of_it)
{
	struct slabbed *t = boot("", true);
	struct kmem_cache *a = made(t, "a", 60, SLAB_HWCACHE_ALIGN);
	struct kmem_cache *b = made(t, "b", 64, 0);

	ck_assert_ptr_eq(a, b);
	ck_assert_int_eq(a->refcount, 2);
	ck_assert_uint_eq(a->object_size, 64);
	ck_assert_uint_eq(a->inuse, 64);
	ck_assert_str_eq(a->name, "a");
	ck_assert_ptr_eq(kmem_cache_find(t->sc, "b"), a);
	ck_assert_str_eq(dir_of(a), ":0000064");
	slabbed_free(t);
}
END_TEST

START_TEST(the_oldest_that_fits_is_taken)
{
	struct slabbed *t = boot("", true);
	struct kmem_cache *small = made(t, "small", 56, 0);
	struct kmem_cache *large = made(t, "large", 64, 0);

	ck_assert_ptr_ne(small, large);
	ck_assert_ptr_eq(made(t, "third", 50, 0), small);
	ck_assert_ptr_eq(made(t, "fourth", 57, 0), large);
	slabbed_free(t);
}
END_TEST

static const struct {
	const char *why;
	struct kmem_cache_args args;
	const char *dir;
} alone[] = {
	{"red zone",	     {.size = 64, .flags = SLAB_RED_ZONE},	   "x"	      },
	{"RCU",		{.size = 64, .flags = SLAB_TYPESAFE_BY_RCU}, "x"		},
	{"no leak trace", {.size = 64, .flags = SLAB_NOLEAKTRACE},	   "x"	      },
	{"user copies",	{.size = 64, .usersize = 8},		     "x"		},
	{"accounted",     {.size = 64, .flags = SLAB_ACCOUNT},	   ":A-0000064"},
	{"reclaimable",
	 {.size = 64, .flags = SLAB_RECLAIM_ACCOUNT | SLAB_ACCOUNT},
	 ":aA-0000064"							     },
	{"DMA",		{.size = 64, .flags = SLAB_CACHE_DMA},       ":d-0000064"},
	{"larger",	   {.size = 72},				 ":0000072"  },
	{"alignment",     {.size = 64, .align = 128},		  ":0000128"  },
};

START_TEST(what_differs_is_a_cache_of_its_own)
{
	struct slabbed *t = boot("", true);
	struct kmem_cache *plain = made(t, "plain", 64, 0), *s;
	struct kmem_cache_args args = alone[_i].args;

	args.name = "x";
	ck_assert_int_eq(create(t, args, &s), 0);
	ck_assert_msg(s != plain, "%s", alone[_i].why);
	ck_assert_str_eq(dir_of(s), alone[_i].dir);
	slabbed_free(t);
}
END_TEST

START_TEST(nothing_is_merged_with_a_constructor_or_when_told_so)
{
	struct slabbed *t = boot("", true);
	struct kmem_cache *s;
	struct kmem_cache_args args = {
		.name = "x", .size = 64, .ctor = slab_ctor_nth(0)};

	made(t, "plain", 64, 0);
	ck_assert_int_eq(create(t, args, &s), 0);
	ck_assert_str_eq(dir_of(s), "x");
	slabbed_free(t);
	t = boot("slab_nomerge", true);
	ck_assert_ptr_ne(made(t, "a", 64, 0), made(t, "b", 64, 0));
	ck_assert_str_eq(dir_of(kmem_cache_find(t->sc, "b")), "b");
	slabbed_free(t);
}
END_TEST

START_TEST(caches_of_the_boot_stand_alone)
{
	struct slabbed *t = boot("", true);

	ck_assert(kmem_cache_unmergeable(t->sc->kmem_cache));
	ck_assert_str_eq(dir_of(kmem_cache_find(t->sc, "kmalloc-64")),
			 "kmalloc-64");
	ck_assert_ptr_ne(made(t, "x", 64, 0),
			 kmem_cache_find(t->sc, "kmalloc-64"));
	slabbed_free(t);
}
END_TEST

START_TEST(what_was_spared_debugging_has_a_directory_of_its_own)
{
	struct slabbed *t = boot("slub_debug=FZPUO", true);
	struct kmem_cache *s = made(t, "x", 4096, 0);

	ck_assert_uint_eq(s->flags & SLAB_DEBUG_METADATA, 0);
	ck_assert_str_eq(dir_of(s), "x");
	ck_assert_ptr_ne(made(t, "y", 4096, 0), s);
	slabbed_free(t);
}
END_TEST

/* --- descriptors --------------------------------------------------------- */

START_TEST(a_cache_takes_an_object_and_one_for_each_node)
{
	struct slabbed *t = boot("", true);
	struct kmem_cache *s = made(t, "x", 64, 0);
	const struct kmem_cache *nodes = t->sc->kmem_cache_node;

	ck_assert_ptr_eq(slab_of(t->sc, s->descriptor)->cache,
			 t->sc->kmem_cache);
	for (unsigned int n = 0; n < 2; n++) {
		const struct slab *slab = slab_of(t->sc, s->node_descriptor[n]);

		ck_assert_ptr_eq(slab->cache, nodes);
		ck_assert_uint_eq(slab->nid, n);
	}
	ck_assert_uint_eq(findings(t, NULL), 0);
	slabbed_free(t);
}
END_TEST

START_TEST(destroying_gives_everything_back)
{
	struct slabbed *t = boot("", true);
	uint64_t free = free_pages(t);
	struct kmem_cache *s = made(t, "x", 100, 0);
	va_t object = take(t, s, 0);

	give(t, s, 0, object);
	ck_assert_int_eq(kmem_cache_destroy(s, "x", &t->who), 0);
	ck_assert_ptr_null(kmem_cache_find(t->sc, "x"));
	kmem_cache_shrink(t->sc->kmem_cache);
	kmem_cache_shrink(t->sc->kmem_cache_node);
	ck_assert_uint_eq(free_pages(t), free);
	ck_assert_uint_eq(findings(t, NULL), 0);
	/* The name is free again, the id is not. */
	ck_assert_uint_eq(made(t, "x", 100, 0)->id, 56);
	slabbed_free(t);
}
END_TEST

START_TEST(a_cache_lives_until_its_last_name_goes)
{
	struct slabbed *t = boot("", true);
	struct kmem_cache *s = made(t, "a", 64, 0);

	made(t, "b", 64, 0);
	made(t, "c", 64, 0);
	ck_assert_int_eq(kmem_cache_destroy(s, s->name, &t->who), 0);
	ck_assert_ptr_null(kmem_cache_find(t->sc, "a"));
	ck_assert_str_eq(s->name, "b");
	ck_assert_int_eq(kmem_cache_destroy(s, "c", &t->who), 0);
	ck_assert_int_eq(s->refcount, 1);
	ck_assert_uint_eq(s->aliases->len, 0);
	ck_assert_int_eq(kmem_cache_destroy(s, "b", &t->who), 0);
	ck_assert_ptr_null(kmem_cache_find(t->sc, "b"));
	slabbed_free(t);
}
END_TEST

START_TEST(a_busy_cache_stays_and_the_log_says_so)
{
	struct slabbed *t = boot("", true);
	struct kmem_cache *s = made(t, "x", 64, 0);
	va_t object = take(t, s, 0);

	ck_assert_int_eq(kmem_cache_destroy(s, "x", &t->who), -EBUSY);
	ck_assert(s->dead);
	ck_assert_ptr_nonnull(
		strstr(t->b->log->str,
		       "kmem_cache_destroy x: Slab cache still has objects "
		       "when called from test+0x0/0x40"));
	ck_assert_ptr_eq(kmem_cache_find(t->sc, "x"), s);
	give(t, s, 0, object);
	ck_assert_int_eq(kmem_cache_destroy(s, "x", &t->who), 0);
	ck_assert_uint_eq(findings(t, NULL), 0);
	slabbed_free(t);
}
END_TEST

START_TEST(caches_of_the_boot_cannot_be_destroyed)
{
	struct slabbed *t = boot("", true);
	struct kmem_cache *s = kmem_cache_find(t->sc, "kmalloc-rcl-8");

	ck_assert_int_eq(kmem_cache_destroy(s, "kmalloc-rcl-8", &t->who),
			 -EBUSY);
	ck_assert_ptr_eq(kmem_cache_find(t->sc, "kmalloc-rcl-8"), s);
	slabbed_free(t);
}
END_TEST

/* --- refusals ------------------------------------------------------------ */

static const struct {
	struct kmem_cache_args args;
	int err;
} refused[] = {
	{{.name = "", .size = 64},				   EINVAL},
	{{.name = "a b", .size = 64},				      EINVAL},
	{{.name = "a/b", .size = 64},				      EINVAL},
	{{.name = ":0000064", .size = 64},			   EINVAL},
	{{.name = "..", .size = 64},				     EINVAL},
	{{.name = "kmalloc-64", .size = 64},			     EEXIST},
	{{.name = "x", .size = 0},				   EINVAL},
	{{.name = "x", .size = MIB(4) + 1},			    EINVAL},
	{{.name = "x", .size = UINT64_MAX},			    EINVAL},
	{{.name = "x", .size = 64, .align = 24},			 EINVAL},
	{{.name = "x", .size = 64, .align = MIB(8)},		     EINVAL},
	{{.name = "x", .size = 64, .usersize = 65},		    EINVAL},
	{{.name = "x", .size = 64, .usersize = 8, .useroffset = 57}, EINVAL},
	{{.name = "x", .size = 64, .useroffset = 8},		     EINVAL},
	{{.name = "x", .size = 64, .flags = SLAB_KMALLOC},	   EINVAL},
	{{.name = "x", .size = 64, .flags = 0x40000000},		 EINVAL},
	{{.name = "x",
	  .size = 64,
	  .use_freeptr_offset = true,
	  .freeptr_offset = 60},
	 EINVAL							    },
	{{.name = "x", .size = 64, .allocator = NR_SLAB_ALLOCATORS}, EINVAL},
};

START_TEST(what_makes_no_sense_is_refused_with_a_sentence)
{
	struct slabbed *t = boot("", true);
	guint caches = t->sc->caches->len;
	struct kmem_cache *s;

	ck_assert_int_eq(create(t, refused[_i].args, &s), -refused[_i].err);
	ck_assert_uint_eq(t->sc->caches->len, caches);
	ck_assert_uint_eq(findings(t, NULL), 0);
	slabbed_free(t);
}
END_TEST

START_TEST(later_kernels_let_a_cache_be_like_those_of_kmalloc)
{
	struct slabbed *t = slabbed_new(
		&(struct slabbed_kind){.config = {.orig_size = true}});
	const struct kmem_cache *s = made(
		t, "x", 32, SLAB_KMALLOC | SLAB_STORE_USER | SLAB_RED_ZONE);

	/* Its free pointer makes room for the red zone. */
	ck_assert_uint_eq(s->offset, s->inuse);
	ck_assert_int_eq(s->kmalloc_type, -1);
	slabbed_free(t);
}
END_TEST

START_TEST(a_name_of_a_merged_cache_is_taken_too)
{
	struct slabbed *t = boot("", true);
	struct kmem_cache *s;

	made(t, "a", 64, 0);
	made(t, "b", 64, 0);
	ck_assert_int_eq(
		create(t, (struct kmem_cache_args){.name = "b", .size = 8}, &s),
		-EEXIST);
	slabbed_free(t);
}
END_TEST

START_TEST(without_memory_no_cache_is_made)
{
	struct slabbed *t = slabbed_new(&(struct slabbed_kind){0});
	struct page_request r = {.gfp = GFP_KERNEL | __GFP_MEMALLOC};
	struct kmem_cache *s;
	pfn_t pfn;

	while (!pages_alloc(t->b->phys, &r, &pfn))
		;
	ck_assert_int_eq(
		create(t, (struct kmem_cache_args){.name = "x", .size = 64},
		       &s),
		-ENOMEM);
	ck_assert_ptr_null(kmem_cache_find(t->sc, "x"));
	slabbed_free(t);
}
END_TEST

START_TEST(a_directory_has_the_whole_of_a_long_name)
{
	struct slabbed *t = boot("slub_debug=ZO", true);
	struct kmem_cache *s =
		made(t, "a_name_of_more_than_thirty_one_letters", 4096, 0);

	/* With a red zone it would need larger slabs: spared. */
	ck_assert(!(s->flags & SLAB_RED_ZONE));
	ck_assert_str_eq(dir_of(s), "a_name_of_more_than_thirty_one_letters");
	slabbed_free(t);
}
END_TEST

START_TEST(what_was_destroyed_in_vain_serves_again)
{
	struct slabbed *t = boot("", true);
	struct kmem_cache *s = made(t, "x", 64, 0);
	va_t object = take(t, s, 0);

	ck_assert_int_eq(kmem_cache_destroy(s, "x", &t->who), -EBUSY);
	ck_assert(s->dead);
	/* Or two directories would have one name. */
	ck_assert_ptr_eq(made(t, "y", 64, 0), s);
	ck_assert(!s->dead);
	give(t, s, 0, object);
	ck_assert_int_eq(kmem_cache_destroy(s, "x", &t->who), 0);
	ck_assert_ptr_eq(kmem_cache_find(t->sc, "y"), s);
	ck_assert_int_eq(kmem_cache_destroy(s, "y", &t->who), 0);
	ck_assert_uint_eq(findings(t, NULL), 0);
	slabbed_free(t);
}
END_TEST

Suite *
suite_slab_common(void)
{
	Suite *s = suite_create("slab_common");
	TCase *t = tcase_create("slab_common");

	tcase_add_test(t, boot_makes_the_kernels_caches_in_its_order);
	tcase_add_test(t, boot_takes_no_page);
	tcase_add_test(t, descriptors_grow_with_nodes_and_options);
	tcase_add_test(t, a_kernel_without_cgroups_has_no_caches_for_them);
	tcase_add_test(t, a_cache_like_another_becomes_a_name_of_it);
	tcase_add_test(t, the_oldest_that_fits_is_taken);
	tcase_add_loop_test(t, what_differs_is_a_cache_of_its_own, 0,
			    ARRAY_SIZE(alone));
	tcase_add_test(t, nothing_is_merged_with_a_constructor_or_when_told_so);
	tcase_add_test(t, caches_of_the_boot_stand_alone);
	tcase_add_test(t, what_was_spared_debugging_has_a_directory_of_its_own);
	tcase_add_test(t, a_cache_takes_an_object_and_one_for_each_node);
	tcase_add_test(t, destroying_gives_everything_back);
	tcase_add_test(t, a_cache_lives_until_its_last_name_goes);
	tcase_add_test(t, a_busy_cache_stays_and_the_log_says_so);
	tcase_add_test(t, caches_of_the_boot_cannot_be_destroyed);
	tcase_add_loop_test(t, what_makes_no_sense_is_refused_with_a_sentence,
			    0, ARRAY_SIZE(refused));
	tcase_add_test(t, later_kernels_let_a_cache_be_like_those_of_kmalloc);
	tcase_add_test(t, a_name_of_a_merged_cache_is_taken_too);
	tcase_add_test(t, without_memory_no_cache_is_made);
	tcase_add_test(t, a_directory_has_the_whole_of_a_long_name);
	tcase_add_test(t, what_was_destroyed_in_vain_serves_again);
	suite_add_tcase(s, t);
	return s;
}
