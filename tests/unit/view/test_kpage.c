// SPDX-License-Identifier: MIT
/* test_kpage.c - kpageflags and kpagecount, word by word */
#include "unit/view/views.h"

Suite *suite_kpage(void);

enum {
	BUDDY = 10,
	HEAD = 15,
	TAIL = 16,
	NOPAGE = 20,
	RESERVED = 32,
};

static struct machine *m;

static void
boot(void)
{
	m = views_boot(NUMA_MACHINE);
}

static void
end(void)
{
	machine_free(m);
}

static uint64_t
flags(pfn_t pfn)
{
	struct view v = {.m = m};
	uint64_t word = 0;

	ck_assert_int_eq(read_kpageflags(&v, &word, 8, pfn * 8), 8);
	return word;
}

static pfn_t
pfn_of(const char *name)
{
	const struct allocation *a = allocation_find(m, name);

	ck_assert_ptr_nonnull(a);
	return a->pfn;
}

START_TEST(a_read_that_is_not_made_of_words_is_refused)
{
	struct view v = {.m = m};
	uint64_t words[4];

	ck_assert_int_eq(read_kpageflags(&v, words, 3, 0), -EINVAL);
	ck_assert_int_eq(read_kpageflags(&v, words, 8, 4), -EINVAL);
	ck_assert_int_eq(read_kpageflags(&v, words, 1, size_kpageflags(&v)), 0);
	ck_assert_int_eq(read_kpagecount(&v, words, 12, 0), -EINVAL);
	ck_assert_int_eq(read_kpagecount(&v, words, 8, 1), -EINVAL);
}
END_TEST

START_TEST(a_read_stops_at_the_end_of_memory)
{
	struct view v = {.m = m};
	uint64_t size = size_kpageflags(&v), words[4];

	ck_assert_uint_eq(size % (KIB(32) * 8), 0); /* whole sections */
	ck_assert_int_eq(read_kpageflags(&v, words, 32, size - 16), 16);
	ck_assert_int_eq(read_kpageflags(&v, words, 32, size), 0);
	ck_assert_int_eq(read_kpageflags(&v, words, 32, size + 800), 0);
}
END_TEST

START_TEST(all_words_are_the_same_however_they_are_read)
{
	enum { WORDS = 4096 };
	static uint64_t whole[WORDS];
	struct view v = {.m = m};
	pfn_t from = 4096;

	views_use(m, 3, 200);
	ck_assert_int_eq(read_kpageflags(&v, whole, sizeof(whole), from * 8),
			 (ssize_t)sizeof(whole));
	for (unsigned int i = 0; i < WORDS; i++)
		ck_assert_uint_eq(whole[i], flags(from + i));
}
END_TEST

START_TEST(only_a_compound_block_has_heads_and_tails)
{
	ck_assert_int_eq(views_do(m, "page/alloc_pages GFP_KERNEL|__GFP_COMP "
				     "2 name=comp"),
			 0);
	ck_assert_int_eq(
		views_do(m, "page/alloc_pages GFP_KERNEL 2 name=plain"), 0);
	ck_assert_uint_eq(flags(pfn_of("comp")), 1ULL << HEAD);
	for (int i = 1; i < 4; i++)
		ck_assert_uint_eq(flags(pfn_of("comp") + i), 1ULL << TAIL);
	for (int i = 0; i < 4; i++)
		ck_assert_uint_eq(flags(pfn_of("plain") + i), 0);
}
END_TEST

START_TEST(every_page_of_a_free_block_is_marked)
{
	struct list_cursor cursor = {0};
	const struct zone *zone = &m->phys->nodes[0]->zones[ZONE_DMA32];
	pfn_t pfn =
		buddy_list_next(zone, MAX_ORDER - 1, MIGRATE_MOVABLE, &cursor);

	ck_assert_uint_ne(pfn, PFN_NONE);
	ck_assert_uint_eq(flags(pfn), 1ULL << BUDDY);
	ck_assert_uint_eq(flags(pfn + 1), 1ULL << BUDDY);
	ck_assert_uint_eq(flags(pfn + 1023), 1ULL << BUDDY);
}
END_TEST

START_TEST(pages_on_per_cpu_lists_have_no_flag)
{
	pfn_t pfn;

	ck_assert_int_eq(views_do(m, "page/alloc_page name=one"), 0);
	pfn = pfn_of("one");
	ck_assert_int_eq(views_do(m, "page/__free_page one"), 0);
	ck_assert_int_eq(m->phys->frames[pfn].state, FRAME_PCP);
	ck_assert_uint_eq(flags(pfn), 0);
}
END_TEST

/* The PCI hole: no section of it has memory; the BIOS hole shares one. */
START_TEST(holes_have_no_page_unless_memory_shares_their_section)
{
	ck_assert_uint_eq(flags(0), 1ULL << RESERVED);
	ck_assert_uint_eq(flags(0xa0), 1ULL << RESERVED);
	ck_assert_uint_eq(flags(0xc8000), 1ULL << NOPAGE);
	ck_assert_uint_eq(flags(0xfffff), 1ULL << NOPAGE);
	ck_assert_uint_eq(flags(0x1000), 1ULL << RESERVED); /* the kernel */
}
END_TEST

START_TEST(a_block_that_is_offline_has_no_pages)
{
	uint64_t block = 39;

	ck_assert_uint_eq(flags(block << 15), 1ULL << BUDDY);
	ck_assert_int_eq(views_do(m, "memory/state memory39 offline"), 0);
	ck_assert_uint_eq(flags(block << 15), 1ULL << NOPAGE);
	ck_assert_uint_eq(flags((block << 15) + 0x7fff), 1ULL << NOPAGE);
	ck_assert_int_eq(views_do(m, "memory/state memory39 online"), 0);
	ck_assert_uint_eq(flags(block << 15), 1ULL << BUDDY);
}
END_TEST

START_TEST(nothing_that_is_not_mapped_is_counted)
{
	struct view v = {.m = m};
	uint64_t word = 1;

	ck_assert_int_eq(views_do(m, "page/alloc_page name=one"), 0);
	ck_assert_int_eq(read_kpagecount(&v, &word, 8, pfn_of("one") * 8), 8);
	ck_assert_uint_eq(word, 0);
	m->phys->frames[pfn_of("one")].mapcount = 3;
	ck_assert_int_eq(read_kpagecount(&v, &word, 8, pfn_of("one") * 8), 8);
	ck_assert_uint_eq(word, 3);
	ck_assert_uint_eq(flags(pfn_of("one")), 1ULL << 11); /* mapped */
}
END_TEST

Suite *
suite_kpage(void)
{
	Suite *s = suite_create("kpage");
	TCase *t = tcase_create("kpage");

	tcase_add_checked_fixture(t, boot, end);
	tcase_add_test(t, a_read_that_is_not_made_of_words_is_refused);
	tcase_add_test(t, a_read_stops_at_the_end_of_memory);
	tcase_add_test(t, all_words_are_the_same_however_they_are_read);
	tcase_add_test(t, only_a_compound_block_has_heads_and_tails);
	tcase_add_test(t, every_page_of_a_free_block_is_marked);
	tcase_add_test(t, pages_on_per_cpu_lists_have_no_flag);
	tcase_add_test(t,
		       holes_have_no_page_unless_memory_shares_their_section);
	tcase_add_test(t, a_block_that_is_offline_has_no_pages);
	tcase_add_test(t, nothing_that_is_not_mapped_is_counted);
	suite_add_tcase(s, t);
	return s;
}
