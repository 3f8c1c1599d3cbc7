// SPDX-License-Identifier: MIT
/* test_replay_slab.c - recorded objects: done again, and foretold */
#include "kmemfs/machine/op.h"
#include "kmemfs/machine/replay.h"

#include "unit/machine/replay_feed.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

Suite *suite_replay_slab(void);

#define DIRECT_MAP 0xffff888000000000ULL
#define SLAB_GFP "__GFP_NOWARN|__GFP_NORETRY"

static const struct replay_slab_counts *
counts(void)
{
	return &feed_counts()->slab;
}

/* kmem_cache_alloc as 6.6 and later print it, @name NULL: as 6.1 does. */
static void
cache_alloc(const char *site, uint64_t ptr, const char *name, unsigned int req,
	    unsigned int alloc)
{
	feed_line(0,
		  "kmem_cache_alloc: call_site=%s+0x1a/0x60 ptr=%016llx "
		  "%s%s%sbytes_req=%u bytes_alloc=%u gfp_flags=GFP_KERNEL "
		  "node=-1 accounted=false",
		  site, (unsigned long long)ptr, name ? "name=" : "",
		  name ? name : "", name ? " " : "", req, alloc);
}

static void
cache_free(uint64_t ptr, const char *name)
{
	feed_line(0,
		  "kmem_cache_free: call_site=done+0x1/0x2 ptr=%016llx "
		  "name=%s",
		  (unsigned long long)ptr, name);
}

static void
kmalloc_event(uint64_t ptr, unsigned int req, unsigned int alloc)
{
	feed_line(0,
		  "kmalloc: call_site=make+0x1/0x2 ptr=%016llx bytes_req=%u "
		  "bytes_alloc=%u gfp_flags=GFP_KERNEL node=-1 accounted=false",
		  (unsigned long long)ptr, req, alloc);
}

static void
kfree_event(uint64_t ptr)
{
	feed_line(0, "kfree: call_site=drop+0x1/0x2 ptr=%016llx",
		  (unsigned long long)ptr);
}

static void
page_alloc(pfn_t pfn, unsigned int order, const char *gfp)
{
	feed_line(0,
		  "mm_page_alloc: pfn=%#llx order=%u migratetype=0 "
		  "gfp_flags=%s",
		  (unsigned long long)pfn, order, gfp);
}

static uint64_t
address(pfn_t pfn, unsigned int offset)
{
	return DIRECT_MAP + (pfn << 12) + offset;
}

/* Objects of cache @name in use or on a CPU's list. */
static uint64_t
objects_of(const char *name)
{
	const struct kmem_cache *s = kmem_cache_find(feed_m->slab, name);
	struct slabinfo info;

	ck_assert_msg(s != NULL, "%s", name);
	slab_info(s, &info);
	return info.active_objs;
}

static uint64_t
slab_pages(void)
{
	const struct phys *phys = feed_m->phys;

	return (uint64_t)(phys->nodes[0]->stat[NS_nr_slab_unreclaimable] +
			  phys->nodes[0]->stat[NS_nr_slab_reclaimable]);
}

/* --- model -----------------------------------------------------------------
 */

START_TEST(recorded_objects_live_and_are_freed)
{
	feed_begin("model");
	for (unsigned int i = 1; i <= 100; i++)
		cache_alloc("open", 0x1000 + i, "filp", 232, 256);
	ck_assert_uint_eq(replay_live_objects(feed_m->replay), 100);
	ck_assert_uint_eq(objects_of("filp"), 112);
	for (unsigned int i = 1; i <= 100; i++)
		cache_free(0x1000 + i, "filp");
	feed_end();
	ck_assert_uint_eq(replay_live_objects(feed_m->replay), 0);
	ck_assert_uint_eq(counts()->allocated, 100);
	ck_assert_uint_eq(counts()->freed, 100);
	ck_assert_uint_eq(counts()->made, 1);
	ck_assert_uint_eq(counts()->impossible, 0);
}
END_TEST

/* --- SLOB ------------------------------------------------------------------
 */

static void
slob_setup(void)
{
	feed_setup_config("[machine]\narch = x86-64\nmemory = 64M\n"
			  "[slab]\nallocator = slob\n");
}

START_TEST(slob_gets_objects_back_as_they_were_asked_for)
{
	feed_begin("model");
	for (unsigned int i = 1; i <= 100; i++) {
		cache_alloc("creds", 0x10000 + 256 * i, "cred_jar", 184, 192);
		kmalloc_event(0x20000 + 64 * i, 50, 64);
	}
	feed_verify();
	/* What took them tells, and not the function that frees them. */
	for (unsigned int i = 1; i <= 100; i++) {
		if (i % 2) {
			cache_free(0x10000 + 256 * i, "cred_jar");
			kfree_event(0x20000 + 64 * i);
		} else {
			kfree_event(0x10000 + 256 * i);
			cache_free(0x20000 + 64 * i, "kmalloc-64");
		}
	}
	feed_end();
	feed_verify();
	ck_assert_uint_eq(counts()->freed, 200);
	ck_assert_uint_eq(objects_of("cred_jar"), 0);
}
END_TEST

static const struct {
	unsigned int req, alloc;
	const char *why;
} shapes[] = {
	{56,   56,	 "words"			},
	{632,  640,  "aligned to cache lines"  },
	{576,  584,  "a free pointer behind it"},
	{1128, 1152, "both"			   },
	{24,   24,	 "small"			},
	{100,  448,  "a kernel that debugs"	 },
	{4096, 4096, "a page"		     },
};

START_TEST(a_cache_is_made_with_the_recorded_sizes)
{
	const struct kmem_cache *s;
	char name[40];

	feed_begin("model");
	cache_alloc("f", 1, NULL, shapes[_i].req, shapes[_i].alloc);
	feed_end();
	snprintf(name, sizeof(name), "replay-%u-%u", shapes[_i].req,
		 shapes[_i].alloc);
	s = kmem_cache_find(feed_m->slab, name);
	ck_assert_msg(s && s->size == shapes[_i].alloc, "%s", shapes[_i].why);
}
END_TEST

START_TEST(a_cache_that_is_here_is_told_by_its_sizes)
{
	feed_op("replay/cache inode_cache 632 size=640");
	feed_begin("model");
	cache_alloc("f", 1, NULL, 632, 640);
	feed_end();
	ck_assert_uint_eq(counts()->by_size, 1);
	ck_assert_uint_eq(counts()->made, 0);
	ck_assert_uint_eq(objects_of("inode_cache"), 12);
}
END_TEST

START_TEST(a_free_tells_the_cache_of_the_site)
{
	feed_begin("model");
	cache_alloc("f", 0x101, NULL, 192, 192);
	cache_free(0x101, "dentry");
	cache_alloc("f", 0x102, NULL, 192, 192);
	cache_alloc("f", 0x103, NULL, 72, 72);
	feed_end();
	ck_assert_uint_eq(counts()->learnt, 1);
	ck_assert_uint_eq(counts()->moved, 1);
	ck_assert_uint_eq(objects_of("dentry"), 21);
	ck_assert_uint_eq(objects_of("replay-72-72"), 56);
}
END_TEST

START_TEST(what_was_given_for_a_site_counts)
{
	feed_op("replay/site f+0x1a cred_jar req=192");
	feed_op("replay/site f+0x1a dentry req=192");
	feed_begin("model");
	cache_alloc("f", 0x101, NULL, 192, 192);
	feed_op("replay/site g+0x1a vmap_area");
	cache_alloc("g", 2, NULL, 64, 64);
	feed_end();
	ck_assert_uint_eq(objects_of("dentry"), 21);
	ck_assert_uint_eq(objects_of("vmap_area"), 64);
	ck_assert_ptr_null(kmem_cache_find(feed_m->slab, "cred_jar"));
}
END_TEST

START_TEST(kmalloc_takes_from_its_own_caches)
{
	uint64_t before = objects_of("kmalloc-64"), free;

	feed_begin("model");
	kmalloc_event(0x101, 50, 64);
	ck_assert_uint_gt(objects_of("kmalloc-64"), before);
	free = feed_unused_pages();
	kmalloc_event(0x102, 40000, 65536);
	ck_assert_uint_eq(free - feed_unused_pages(), 16);
	kfree_event(0x102);
	ck_assert_uint_eq(free, feed_unused_pages());
	kfree_event(0x101);
	feed_end();
	ck_assert_uint_eq(counts()->freed, 2);
	ck_assert_uint_eq(counts()->unknown, 0);
}
END_TEST

START_TEST(what_a_recording_cannot_tell_is_counted)
{
	feed_begin("model");
	kfree_event(0);
	kfree_event(16);
	kfree_event(0x1234);
	kmalloc_event(0, 8, 8);
	kmalloc_event(0x1000, 8, 8);
	kmalloc_event(0x1000, 8, 8);
	feed_line(0, "kfree: call_site=f ptr=(____ptrval____)");
	feed_line(0, "kfree: call_site=f ptr=(null)");
	kmalloc_event(0x2000, 1U << 30, 1U << 30);
	feed_end();
	ck_assert_uint_eq(counts()->null_frees, 3);
	ck_assert_uint_eq(counts()->unknown, 1);
	ck_assert_uint_eq(counts()->had_failed, 1);
	ck_assert_uint_eq(counts()->again, 1);
	ck_assert_uint_eq(counts()->hidden, 1);
	ck_assert_uint_eq(counts()->impossible, 1);
	ck_assert_uint_eq(counts()->events, 9);
	ck_assert_uint_eq(replay_live_objects(feed_m->replay), 1);
}
END_TEST

START_TEST(what_memory_has_no_room_for_fails_and_the_replay_goes_on)
{
	feed_begin("model");
	for (uint64_t i = 1; i <= 40; i++)
		kmalloc_event(i << 32, 4U << 20, 4U << 20);
	feed_end();
	ck_assert_uint_gt(counts()->failed, 20);
	ck_assert_uint_eq(counts()->failed + counts()->allocated, 40);
}
END_TEST

START_TEST(pages_of_recorded_slabs_are_passed_over)
{
	feed_begin("model");
	page_alloc(0x100, 0, SLAB_GFP);
	cache_alloc("f", address(0x100, 0x40), NULL, 64, 64);
	ck_assert_uint_eq(counts()->pages_taken, 1);
	ck_assert_uint_eq(replay_live_blocks(feed_m->replay), 0);
	cache_free(address(0x100, 0x40), "x");
	feed_free(0x100, 0);
	feed_end();
	ck_assert_uint_eq(counts()->pages_freed, 1);
	ck_assert_uint_eq(feed_counts()->mismatch[MISMATCH_UNKNOWN], 0);
}
END_TEST

START_TEST(pages_of_large_kmallocs_are_passed_over)
{
	feed_begin("model");
	page_alloc(0x100, 3, "GFP_KERNEL|__GFP_COMP");
	kmalloc_event(address(0x100, 0), 20000, 32768);
	page_alloc(0x200, 3, "GFP_KERNEL|__GFP_COMP");
	kmalloc_event(0x777, 20000, 32768);
	feed_end();
	ck_assert_uint_eq(counts()->pages_taken, 2);
	ck_assert_uint_eq(replay_live_blocks(feed_m->replay), 0);
}
END_TEST

START_TEST(pages_that_no_object_lies_in_are_allocated)
{
	feed_begin("model");
	page_alloc(0x100, 0, SLAB_GFP);
	feed_free(0x500, 0);
	ck_assert_uint_eq(replay_live_blocks(feed_m->replay), 1);
	page_alloc(0x101, 0, SLAB_GFP);
	for (unsigned int i = 0; i < 8; i++)
		cache_alloc("f", address(0x300, i * 64), NULL, 64, 64);
	ck_assert_uint_eq(replay_live_blocks(feed_m->replay), 2);
	page_alloc(0x102, 0, SLAB_GFP);
	feed_end();
	ck_assert_uint_eq(replay_live_blocks(feed_m->replay), 3);
	ck_assert_uint_eq(counts()->pages_taken, 0);
}
END_TEST

START_TEST(pages_are_told_by_what_follows_where_pointers_are_hashed)
{
	feed_begin("model");
	page_alloc(0x100, 0, "GFP_NOWAIT|__GFP_NORETRY|__GFP_NOMEMALLOC");
	cache_alloc("f", 0x12345678, "filp", 232, 256);
	page_alloc(0x200, 0,
		   "GFP_NOFS|__GFP_HIGHMEM|__GFP_MOVABLE|__GFP_NOWARN|"
		   "__GFP_NORETRY");
	cache_alloc("f", 0x12345679, "filp", 232, 256);
	feed_end();
	ck_assert_uint_eq(counts()->pages_taken, 1);
	ck_assert_uint_eq(replay_live_blocks(feed_m->replay), 1);
}
END_TEST

START_TEST(a_direct_map_elsewhere_is_found)
{
	const uint64_t base = 0xffff9a3440000000;

	feed_begin("model");
	for (pfn_t pfn = 0x100; pfn < 0x120; pfn++) {
		page_alloc(pfn, 0, SLAB_GFP);
		cache_alloc("f", base + (pfn << 12), "filp", 232, 256);
	}
	feed_end();
	ck_assert_uint_ge(counts()->pages_taken, 28);
}
END_TEST

START_TEST(release_frees_all_and_the_policy_can_change)
{
	struct refusal r;
	struct machine *m = feed_m;

	feed_begin("model");
	for (unsigned int i = 1; i <= 100; i++)
		cache_alloc("open", 0x1000 + i, "filp", 232, 256);
	kmalloc_event(1000, 40000, 65536);
	feed_end();
	ck_assert_int_eq(machine_do(m, "replay/policy mirror", NULL, &r),
			 -EBUSY);
	feed_op("replay/release");
	ck_assert_uint_eq(replay_live_objects(m->replay), 0);
	feed_op("replay/policy mirror");
	feed_op("slab/kmem_cache_shrink filp");
	ck_assert_uint_eq(slab_pages(), 0);
}
END_TEST

START_TEST(release_forgets_the_pages_of_recorded_slabs)
{
	feed_begin("model");
	page_alloc(0x100, 0, SLAB_GFP);
	cache_alloc("f", address(0x100, 0), "filp", 232, 256);
	feed_end();
	ck_assert_uint_eq(replay_slab_pages(feed_m->replay), 1);
	feed_op("replay/release");
	ck_assert_uint_eq(replay_slab_pages(feed_m->replay), 0);
	/* Of another recording it is a block that nobody allocated. */
	feed_begin("model");
	feed_free(0x100, 0);
	feed_end();
	ck_assert_uint_eq(counts()->pages_freed, 0);
	ck_assert_uint_eq(feed_counts()->mismatch[MISMATCH_UNKNOWN], 1);
}
END_TEST

START_TEST(nothing_of_a_mirrored_recording_lives_after_its_release)
{
	feed_begin("mirror");
	page_alloc(0x100, 0, SLAB_GFP);
	cache_alloc("f", address(0x100, 0), "filp", 232, 256);
	feed_end();
	ck_assert_uint_eq(replay_live_objects(feed_m->replay), 1);
	feed_op("replay/release");
	ck_assert_uint_eq(replay_live_objects(feed_m->replay), 0);
}
END_TEST

START_TEST(an_object_that_somebody_freed_is_unknown_when_its_slab_is_gone)
{
	struct replay_note *note;

	feed_begin("model");
	kmalloc_event(0x107, 40000, 65536);
	feed_end();
	/* Whoever frees the pages by their number. */
	for (pfn_t pfn = 0; pfn < feed_m->phys->max_pfn; pfn++)
		if (feed_is_allocated(pfn, 4) &&
		    feed_m->phys->frames[pfn].flags & FRAME_COMPOUND &&
		    !feed_m->phys->frames[pfn].owner) {
			char line[64];

			snprintf(line, sizeof(line), "slab/kfree %#llx",
				 (unsigned long long)address(pfn, 0));
			feed_op(line);
			break;
		}
	feed_begin("model");
	kfree_event(0x107);
	feed_end();
	ck_assert_uint_eq(counts()->unknown, 1);
	note = &feed_m->replay->notes[0];
	ck_assert_uint_eq(note->pfn, 0x107);
	ck_assert_uint_eq(note->event, FTRACE_KFREE);
}
END_TEST

/* --- mirror ----------------------------------------------------------------
 */

/* A new slab of 64 objects at @pfn, whose objects come @step apart. */
static void
new_slab(pfn_t pfn, unsigned int start, unsigned int step)
{
	page_alloc(pfn, 0, SLAB_GFP);
	for (unsigned int i = 0; i < 64; i++)
		cache_alloc("f", address(pfn, (start + i * step) % 64 * 64),
			    "c", 64, 64);
}

START_TEST(objects_that_come_in_order_are_foretold)
{
	feed_begin("mirror");
	new_slab(0x3000, 0, 1);
	ck_assert_uint_eq(counts()->steps, 64);
	ck_assert_uint_eq(counts()->object_right, 63);
	ck_assert_uint_eq(counts()->slab_right, 64);
	new_slab(0x3001, 0, 1);
	ck_assert_uint_eq(counts()->object_right, 127);
	feed_end();
	ck_assert_uint_eq(replay_live_objects(feed_m->replay), 128);
}
END_TEST

START_TEST(the_order_of_a_shuffled_slab_is_learnt)
{
	feed_begin("mirror");
	new_slab(0x3000, 5, 27);
	ck_assert_uint_eq(counts()->object_right, 0);
	ck_assert_uint_eq(counts()->shuffled, 64);
	/* From another start; what followed the last one is not known yet. */
	new_slab(0x3001, 31, 27);
	feed_end();
	ck_assert_uint_eq(counts()->object_right, 62);
	ck_assert_uint_eq(counts()->slab_right, 128);
	ck_assert_uint_eq(counts()->otherwise, 0);
}
END_TEST

START_TEST(what_is_freed_last_comes_first)
{
	feed_begin("mirror");
	new_slab(0x3000, 0, 1);
	for (unsigned int i = 0; i < 10; i++)
		cache_free(address(0x3000, i * 64), "c");
	for (unsigned int i = 10; i-- > 0;)
		cache_alloc("f", address(0x3000, i * 64), "c", 64, 64);
	ck_assert_uint_eq(counts()->object_right, 63 + 10);
	feed_end();
}
END_TEST

START_TEST(a_full_slab_that_gets_room_is_the_cpus_next)
{
	feed_begin("mirror");
	new_slab(0x3000, 0, 1);
	new_slab(0x3001, 0, 1);
	cache_free(address(0x3000, 640), "c");
	cache_alloc("f", address(0x3000, 640), "c", 64, 64);
	feed_end();
	ck_assert_uint_eq(counts()->object_right, 128);
}
END_TEST

START_TEST(sites_that_share_a_slab_share_a_cache)
{
	feed_begin("mirror");
	page_alloc(0x3000, 0, SLAB_GFP);
	cache_alloc("f", address(0x3000, 0), NULL, 64, 64);
	cache_alloc("g", address(0x3000, 64), NULL, 64, 64);
	cache_alloc("f", address(0x3000, 128), NULL, 64, 64);
	cache_alloc("g", address(0x3000, 192), NULL, 64, 64);
	feed_end();
	ck_assert_uint_eq(counts()->no_cache, 1);
	ck_assert_uint_eq(counts()->object_right, 3);
}
END_TEST

START_TEST(foretelling_changes_nothing)
{
	char before[DIGEST_TEXT], after[DIGEST_TEXT];
	uint64_t position;

	feed_begin("mirror");
	position = feed_m->position;
	machine_digest(feed_m, before);
	for (unsigned int i = 0; i < 64; i++)
		cache_alloc("f", address(0x3000, i * 64), "c", 64, 64);
	kfree_event(address(0x3000, 0));
	machine_digest(feed_m, after);
	ck_assert_str_eq(before, after);
	ck_assert_uint_eq(position, feed_m->position);
	feed_end();
}
END_TEST

/* --- anything ---------------------------------------------------------------
 */

static uint64_t generator;

static uint64_t
below(uint64_t n)
{
	generator = generator * 6364136223846793005ULL + 1442695040888963407ULL;
	return (generator >> 33) % n;
}

static uint64_t
any_ptr(void)
{
	switch (below(4)) {
	case 0:
		return below(40);
	case 1:
		return generator;
	default:
		return address(0x3000 + below(32),
			       (unsigned int)below(64) * 64);
	}
}

static void
any_line(void)
{
	static const char *const gfp[] = {"GFP_KERNEL",
					  SLAB_GFP,
					  "GFP_KERNEL|__GFP_COMP",
					  "GFP_ATOMIC|__GFP_ZERO",
					  "GFP_KERNEL_ACCOUNT",
					  "GFP_DMA"};
	static const char *const names[] = {"a", "b/c", ":d", "kmalloc-64",
					    "kmem_cache"};
	unsigned int order = (unsigned int)below(4);
	unsigned int req = (unsigned int)below(9000);

	feed_stamp += (double)below(1000) * 1e-6;
	switch (below(8)) {
	case 0:
	case 1:
		page_alloc((0x3000 + below(32)) >> order << order, order,
			   gfp[below(ARRAY_SIZE(gfp))]);
		break;
	case 2:
		feed_free((0x3000 + below(32)) >> order << order, order);
		break;
	case 3:
		feed_line((unsigned int)below(3),
			  "kmalloc_node: call_site=f+%#x/0x2 ptr=%llx "
			  "bytes_req=%u bytes_alloc=%u gfp_flags=%s node=%d",
			  (unsigned int)below(9), (unsigned long long)any_ptr(),
			  req, (unsigned int)below(20000),
			  gfp[below(ARRAY_SIZE(gfp))], (int)below(4) - 1);
		break;
	case 4:
	case 5:
		cache_alloc(below(2) ? "f" : "1234", any_ptr(),
			    below(2) ? names[below(ARRAY_SIZE(names))] : NULL,
			    req, below(2) ? req : (unsigned int)below(20000));
		break;
	case 6:
		kfree_event(any_ptr());
		break;
	default:
		cache_free(any_ptr(), names[below(ARRAY_SIZE(names))]);
		break;
	}
}

START_TEST(any_recording_leaves_a_sound_machine)
{
	generator = (uint64_t)_i;
	for (int i = 0; i < 4; i++) {
		feed_begin(_i % 2 ? "mirror" : "model");
		for (unsigned int l = 0; l < 400; l++)
			any_line();
		feed_end();
		feed_verify();
		if (i % 2)
			feed_op("replay/release");
	}
}
END_TEST

Suite *
suite_replay_slab(void)
{
	Suite *suite = suite_create("replay_slab");
	TCase *tcase = tcase_create("replay_slab");

	tcase_add_checked_fixture(tcase, feed_setup, feed_teardown);
	tcase_add_test(tcase, recorded_objects_live_and_are_freed);
	tcase_add_loop_test(tcase, a_cache_is_made_with_the_recorded_sizes, 0,
			    ARRAY_SIZE(shapes));
	tcase_add_test(tcase, a_cache_that_is_here_is_told_by_its_sizes);
	tcase_add_test(tcase, a_free_tells_the_cache_of_the_site);
	tcase_add_test(tcase, what_was_given_for_a_site_counts);
	tcase_add_test(tcase, kmalloc_takes_from_its_own_caches);
	tcase_add_test(tcase, what_a_recording_cannot_tell_is_counted);
	tcase_add_test(
		tcase,
		what_memory_has_no_room_for_fails_and_the_replay_goes_on);
	tcase_add_test(tcase, pages_of_recorded_slabs_are_passed_over);
	tcase_add_test(tcase, pages_of_large_kmallocs_are_passed_over);
	tcase_add_test(tcase, pages_that_no_object_lies_in_are_allocated);
	tcase_add_test(
		tcase,
		pages_are_told_by_what_follows_where_pointers_are_hashed);
	tcase_add_test(tcase, a_direct_map_elsewhere_is_found);
	tcase_add_test(tcase, release_frees_all_and_the_policy_can_change);
	tcase_add_test(tcase, release_forgets_the_pages_of_recorded_slabs);
	tcase_add_test(tcase,
		       nothing_of_a_mirrored_recording_lives_after_its_release);
	tcase_add_test(
		tcase,
		an_object_that_somebody_freed_is_unknown_when_its_slab_is_gone);
	tcase_add_test(tcase, objects_that_come_in_order_are_foretold);
	tcase_add_test(tcase, the_order_of_a_shuffled_slab_is_learnt);
	tcase_add_test(tcase, what_is_freed_last_comes_first);
	tcase_add_test(tcase, a_full_slab_that_gets_room_is_the_cpus_next);
	tcase_add_test(tcase, sites_that_share_a_slab_share_a_cache);
	tcase_add_test(tcase, foretelling_changes_nothing);
	tcase_add_loop_test(tcase, any_recording_leaves_a_sound_machine, 0, 12);
	suite_add_tcase(suite, tcase);
	tcase = tcase_create("replay_slob");
	tcase_add_checked_fixture(tcase, slob_setup, feed_teardown);
	tcase_add_test(tcase, slob_gets_objects_back_as_they_were_asked_for);
	suite_add_tcase(suite, tcase);
	return suite;
}
