// SPDX-License-Identifier: MIT
/* test_thp.c - transparent huge pages: had, shared, split, collapsed */
#include "vmed.h"

Suite *suite_thp(void);

#define P VM_PAGE
#define H (512 * P)

static struct vmed *
huge_machine(void)
{
	return vmed_new(&(struct vmed_kind){.huge = true});
}

/* Two huge pages' worth of private memory, at a place that suits them. */
static va_t
suitable(struct vmed *m)
{
	return map_with(m, 0x40000000, 1024, RW, VM_MAP_PRIVATE | VM_MAP_FIXED,
			NULL, 0);
}

static uint64_t
event(const struct vmed *m, enum vm_event e)
{
	return m->b->phys->event[e];
}

static bool
is_huge(const struct vmed *m, const struct task *t, va_t va)
{
	struct vm_leaf leaf;

	return vm_leaf(m->vm, t->mm, va, &leaf) && leaf.level == 1;
}

static pfn_t
frame_at(const struct vmed *m, const struct task *t, va_t va)
{
	struct vm_leaf leaf;

	ck_assert(vm_leaf(m->vm, t->mm, va, &leaf));
	return leaf.pfn;
}

static void
pass(struct vmed *m, uint64_t ms)
{
	m->b->now += ms * 1000000;
	vm_tick(m->vm);
}

START_TEST(the_first_write_takes_two_mebibytes_and_a_table_kept_aside)
{
	struct vmed *m = huge_machine();
	va_t a = suitable(m);
	uint64_t free, tables = m->t->mm->tables;

	free = vmed_free_pages(m);
	ck_assert_int_eq(poke_user(m, m->t, a + 5 * P, 7), 0);
	ck_assert(is_huge(m, m->t, a));
	ck_assert_uint_eq(event(m, VE_thp_fault_alloc), 1);
	/* The page, a PUD and a PMD table, and the one that is kept. */
	ck_assert_uint_eq(m->t->mm->tables - tables, 3);
	ck_assert_uint_eq(free - vmed_free_pages(m), 512 + 3);
	ck_assert_int_eq(m->t->mm->counter[MM_ANONPAGES] % 512,
			 (int64_t)m->t->mm->counter[MM_ANONPAGES] - 512);
	ck_assert_int_eq(node_sum(m, NS_nr_anon_transparent_hugepages), 512);
	ck_assert_uint_eq(frame_at(m, m->t, a) % 512, 0);
	ck_assert_uint_eq(frame_at(m, m->t, a + 9 * P),
			  frame_at(m, m->t, a) + 9);
	ck_assert_uint_eq(byte_at(m, m->t, a + 5 * P), 7);
	ck_assert_uint_eq(byte_at(m, m->t, a + H - 1), 0);
	ck_assert_uint_eq(event(m, VE_pgfault) > 0, true);
	vmed_free(m);
}
END_TEST

START_TEST(the_entry_says_what_the_kernel_writes)
{
	struct vmed *m = huge_machine();
	va_t a = suitable(m);
	struct vm_leaf leaf;

	ck_assert_int_eq(poke_user(m, m->t, a, 7), 0);
	ck_assert(vm_leaf(m->vm, m->t->mm, a, &leaf));
	/* P RW U A D PS, soft-dirty, NX. */
	ck_assert_uint_eq(leaf.entry & ~m->vm->shape.frame_mask,
			  0x80000000000008e7);
	ck_assert_uint_eq(leaf.entry & (H - 1) & m->vm->shape.frame_mask, 0);
	vmed_free(m);
}
END_TEST

START_TEST(a_read_maps_the_huge_zero_page_once_for_all)
{
	struct vmed *m = huge_machine();
	va_t a = suitable(m);
	uint64_t rss = mm_rss(m->t->mm);

	ck_assert_uint_eq(byte_at(m, m->t, a + 3 * P), 0);
	ck_assert_uint_eq(byte_at(m, m->t, a + H), 0);
	ck_assert_uint_eq(event(m, VE_thp_zero_page_alloc), 1);
	ck_assert_uint_eq(frame_at(m, m->t, a), m->vm->thp->zero);
	ck_assert_uint_eq(frame_at(m, m->t, a + H), m->vm->thp->zero);
	ck_assert_uint_eq(mm_rss(m->t->mm), rss);
	/* It stays while an address space has it. */
	ck_assert_uint_eq(thp_shrink_zero(m->vm, 0), 0);
	/* A write splits the entry and takes one small page. */
	ck_assert_int_eq(poke_user(m, m->t, a + 3 * P, 1), 0);
	ck_assert(!is_huge(m, m->t, a));
	ck_assert_uint_eq(event(m, VE_thp_split_pmd), 1);
	ck_assert_uint_eq(mm_rss(m->t->mm), rss + 1);
	ck_assert_uint_eq(frame_at(m, m->t, a + 4 * P), m->vm->zero_page);
	vmed_free(m);
}
END_TEST

static const struct {
	const char *why;
	enum thp_mode mode;
	int advice;
	uint64_t pages;
	bool huge;
} rules[] = {
	{"always",			     THP_ALWAYS,  0,		  1024, true },
	{"always, but the area is too short",  THP_ALWAYS,  0,		     511,  false},
	{"always, but it was advised against", THP_ALWAYS,  VM_MADV_NOHUGEPAGE,
	 1024,									false},
	{"madvise without advice",		   THP_MADVISE, 0,		   1024, false},
	{"madvise with advice",		THP_MADVISE, VM_MADV_HUGEPAGE,   1024, true },
	{"never, whatever the advice",	       THP_NEVER,	  VM_MADV_HUGEPAGE,   1024,
	 false									     },
};

START_TEST(settings_and_advice_decide)
{
	struct vmed *m = huge_machine();
	va_t a = map_with(m, 0x40000000, rules[_i].pages, RW,
			  VM_MAP_PRIVATE | VM_MAP_FIXED, NULL, 0);

	m->vm->thp->enabled = rules[_i].mode;
	if (rules[_i].advice)
		ck_assert_int_eq(vm_madvise(m->vm, m->t, a, rules[_i].pages * P,
					    rules[_i].advice),
				 0);
	ck_assert_int_eq(poke_user(m, m->t, a, 1), 0);
	ck_assert_msg(is_huge(m, m->t, a) == rules[_i].huge, "%s",
		      rules[_i].why);
	vmed_free(m);
}
END_TEST

START_TEST(a_child_shares_it_and_a_write_copies_one_small_page)
{
	struct vmed *m = huge_machine();
	va_t a = suitable(m);
	struct task *child;
	uint64_t free;
	pfn_t pfn;

	ck_assert_int_eq(poke_user(m, m->t, a + P, 7), 0);
	pfn = frame_at(m, m->t, a);
	child = child_of(m->t);
	ck_assert(is_huge(m, child, a));
	ck_assert_uint_eq(frame_at(m, child, a), pfn);
	ck_assert_uint_eq(vm_mapcount(m->vm, pfn + 9), 2);
	free = vmed_free_pages(m);
	ck_assert_int_eq(poke_user(m, child, a + P, 8), 0);
	/* Its entry is split into the table kept aside: one page is taken. */
	ck_assert_uint_eq(free - vmed_free_pages(m), 1);
	ck_assert(!is_huge(m, child, a));
	ck_assert(is_huge(m, m->t, a));
	ck_assert_uint_eq(event(m, VE_thp_split_pmd), 1);
	ck_assert_uint_eq(byte_at(m, m->t, a + P), 7);
	ck_assert_uint_eq(byte_at(m, child, a + P), 8);
	ck_assert_uint_eq(frame_at(m, child, a + 2 * P), pfn + 2);
	ck_assert_uint_eq(vm_mapcount(m->vm, pfn + 1), 1);
	ck_assert_uint_eq(vm_mapcount(m->vm, pfn + 2), 2);
	vmed_lawful(m);
	end_task(child);
	/* Alone again, the parent writes in place. */
	free = vmed_free_pages(m);
	ck_assert_int_eq(poke_user(m, m->t, a + 2 * P, 9), 0);
	ck_assert_uint_eq(vmed_free_pages(m), free);
	ck_assert(is_huge(m, m->t, a));
	vmed_free(m);
}
END_TEST

START_TEST(unmapping_a_part_splits_the_entry_and_queues_the_page)
{
	struct vmed *m = huge_machine();
	va_t a = suitable(m);
	uint64_t free;
	pfn_t pfn;

	ck_assert_int_eq(poke_user(m, m->t, a + P, 7), 0);
	pfn = frame_at(m, m->t, a);
	free = vmed_free_pages(m);
	ck_assert_int_eq(vm_munmap(m->vm, m->t, a + 8 * P, 8 * P), 0);
	ck_assert(!is_huge(m, m->t, a));
	/* Nothing is free yet: the page is whole. */
	ck_assert_uint_eq(vmed_free_pages(m), free);
	ck_assert_int_eq(node_sum(m, NS_nr_anon_transparent_hugepages), 0);
	ck_assert_uint_eq(event(m, VE_thp_deferred_split_page), 1);
	ck_assert_uint_eq(thp_deferred_count(m->vm, 0), 1);
	ck_assert_uint_eq(frame_at(m, m->t, a + P), pfn + 1);
	vmed_lawful(m);
	/* When memory is short it is split, and the frames go. */
	ck_assert_uint_eq(thp_deferred_scan(m->vm, 0, 10, 0), 1);
	ck_assert_uint_eq(vmed_free_pages(m), free + 8);
	ck_assert_uint_eq(event(m, VE_thp_split_page), 1);
	ck_assert_uint_eq(thp_deferred_count(m->vm, 0), 0);
	ck_assert_uint_eq(byte_at(m, m->t, a + P), 7);
	ck_assert_uint_eq(byte_at(m, m->t, a + 17 * P), 0);
	vmed_free(m);
}
END_TEST

START_TEST(rights_of_a_part_split_the_entry_those_of_all_do_not)
{
	struct vmed *m = huge_machine();
	va_t a = suitable(m);

	ck_assert_int_eq(poke_user(m, m->t, a, 7), 0);
	ck_assert_int_eq(vm_mprotect(m->vm, m->t, a, 2 * H, VM_PROT_READ), 0);
	ck_assert(is_huge(m, m->t, a));
	ck_assert_int_eq(poke_user(m, m->t, a, 8), -EFAULT);
	ck_assert_int_eq(vm_mprotect(m->vm, m->t, a, 2 * H, RW), 0);
	ck_assert_int_eq(poke_user(m, m->t, a, 8), 0);
	ck_assert(is_huge(m, m->t, a));
	ck_assert_int_eq(vm_mprotect(m->vm, m->t, a + P, P, VM_PROT_READ), 0);
	ck_assert(!is_huge(m, m->t, a));
	ck_assert_int_eq(poke_user(m, m->t, a + P, 8), -EFAULT);
	ck_assert_int_eq(poke_user(m, m->t, a + 2 * P, 9), 0);
	ck_assert_uint_eq(byte_at(m, m->t, a), 8);
	vmed_free(m);
}
END_TEST

START_TEST(rights_of_a_huge_entry_are_flushed_in_one_step_a_split_is_not)
{
	struct vmed *m = huge_machine();
	va_t a = suitable(m), small = map(m, 40, RW);
	const struct tlb_stats *s = tlb_stats(m->vm->cpu[0].tlb);
	struct tlb_stats before;

	ck_assert_int_eq(poke_user(m, m->t, a, 7), 0);
	ck_assert_int_eq(poke_user(m, m->t, a + H, 7), 0);
	ck_assert_int_eq(poke_user(m, m->t, small, 7), 0);
	before = *s;
	ck_assert_int_eq(vm_mprotect(m->vm, m->t, a, H, VM_PROT_READ), 0);
	ck_assert_uint_eq(s->flushes_page, before.flushes_page + 1);
	ck_assert_int_eq(vm_mprotect(m->vm, m->t, a, 2 * H, 0), 0);
	ck_assert_uint_eq(s->flushes_page, before.flushes_page + 3);
	ck_assert_int_eq(vm_mprotect(m->vm, m->t, a, 2 * H, RW), 0);
	ck_assert_uint_eq(s->flushes_page, before.flushes_page + 3);
	ck_assert_uint_eq(s->flushes_pcid, before.flushes_pcid);
	/* Other addresses are known still. */
	before = *s;
	ck_assert_int_eq(poke_user(m, m->t, small, 8), 0);
	ck_assert_uint_eq(s->misses, before.misses);
	/* pmdp_invalidate() goes by small pages: too many. */
	before = *s;
	ck_assert_int_eq(vm_mprotect(m->vm, m->t, a + P, P, VM_PROT_READ), 0);
	ck_assert_uint_eq(s->flushes_pcid, before.flushes_pcid + 1);
	ck_assert_int_eq(poke_user(m, m->t, small, 9), 0);
	ck_assert_uint_gt(s->misses, before.misses);
	/* Unmapping a huge one is one step again. */
	before = *s;
	ck_assert_int_eq(vm_munmap(m->vm, m->t, a + H, H), 0);
	ck_assert_uint_eq(s->flushes_pcid, before.flushes_pcid);
	ck_assert_uint_eq(s->flushes_page, before.flushes_page + 1);
	vmed_lawful(m);
	vmed_free(m);
}
END_TEST

START_TEST(no_rights_hide_it_and_bring_it_back)
{
	struct vmed *m = huge_machine();
	va_t a = suitable(m);
	pfn_t pfn;

	ck_assert_int_eq(poke_user(m, m->t, a, 7), 0);
	pfn = frame_at(m, m->t, a);
	ck_assert_int_eq(vm_mprotect(m->vm, m->t, a, 2 * H, VM_PROT_NONE), 0);
	ck_assert(is_huge(m, m->t, a));
	ck_assert_uint_eq(frame_at(m, m->t, a), pfn);
	ck_assert_int_eq(poke_user(m, m->t, a, 8), -EFAULT);
	ck_assert_int_eq(vm_mprotect(m->vm, m->t, a, 2 * H, RW), 0);
	ck_assert_uint_eq(byte_at(m, m->t, a), 7);
	vmed_free(m);
}
END_TEST

START_TEST(it_moves_as_a_whole_where_it_fits)
{
	struct vmed *m = huge_machine();
	va_t a = suitable(m), at;

	ck_assert_int_eq(poke_user(m, m->t, a + P, 7), 0);
	ck_assert_int_eq(vm_mremap(m->vm, m->t, a, 2 * H, 2 * H,
				   VM_MREMAP_MAYMOVE | VM_MREMAP_FIXED,
				   0x60000000, &at),
			 0);
	ck_assert(is_huge(m, m->t, at));
	ck_assert_uint_eq(event(m, VE_thp_split_pmd), 0);
	ck_assert_uint_eq(byte_at(m, m->t, at + P), 7);
	/* Elsewhere by one page: small entries. */
	ck_assert_int_eq(vm_mremap(m->vm, m->t, at, 2 * H, 2 * H,
				   VM_MREMAP_MAYMOVE | VM_MREMAP_FIXED,
				   0x70001000, &at),
			 0);
	ck_assert(!is_huge(m, m->t, at));
	ck_assert_uint_eq(event(m, VE_thp_split_pmd), 1);
	ck_assert_uint_eq(byte_at(m, m->t, at + P), 7);
	vmed_free(m);
}
END_TEST

START_TEST(a_pinned_page_is_not_split_and_not_shared)
{
	struct vmed *m = huge_machine();
	va_t a = suitable(m);
	struct task *child;
	pfn_t pinned, pfn;

	ck_assert_int_eq(poke_user(m, m->t, a, 7), 0);
	pfn = frame_at(m, m->t, a);
	ck_assert_int_eq(vm_pin_pages(m->vm, m->t, a + 3 * P, 1, true, &pinned),
			 1);
	ck_assert_uint_eq(pinned, pfn + 3);
	ck_assert_int_eq(thp_split_page(m->vm, pfn, 0), -EAGAIN);
	ck_assert_uint_eq(event(m, VE_thp_split_page_failed), 1);
	child = child_of(m->t);
	/* The parent keeps the frames that a device knows. */
	ck_assert_uint_eq(frame_at(m, m->t, a + 3 * P), pinned);
	ck_assert_uint_ne(frame_at(m, child, a + 3 * P), pinned);
	ck_assert_uint_eq(byte_at(m, child, a), 7);
	vmed_lawful(m);
	end_task(child);
	ck_assert_int_eq(vm_unpin_page(m->vm, pinned, true, 0), 0);
	ck_assert_int_eq(thp_split_page(m->vm, pfn, 0), 0);
	ck_assert_uint_eq(byte_at(m, m->t, a), 7);
	vmed_free(m);
}
END_TEST

START_TEST(small_pages_are_collapsed_when_khugepaged_comes_by)
{
	struct vmed *m = huge_machine();
	va_t a = suitable(m);

	m->vm->thp->enabled = THP_NEVER;
	for (unsigned int i = 0; i < 512; i += 2)
		ck_assert_int_eq(poke_user(m, m->t, a + i * P, (uint8_t)i + 1),
				 0);
	ck_assert(!is_huge(m, m->t, a));
	m->vm->thp->enabled = THP_MADVISE;
	ck_assert_int_eq(vm_madvise(m->vm, m->t, a, 2 * H, VM_MADV_HUGEPAGE),
			 0);
	/* The first in the row wakes it. */
	pass(m, 0);
	ck_assert(is_huge(m, m->t, a));
	ck_assert(!is_huge(m, m->t, a + H));
	ck_assert_uint_eq(event(m, VE_thp_collapse_alloc), 1);
	ck_assert_uint_eq(m->vm->thp->pages_collapsed, 1);
	for (unsigned int i = 0; i < 512; i++)
		ck_assert_uint_eq(byte_at(m, m->t, a + i * P),
				  i % 2 ? 0 : (uint8_t)(i + 1));
	ck_assert_int_eq(node_sum(m, NS_nr_anon_transparent_hugepages), 512);
	vmed_free(m);
}
END_TEST

START_TEST(khugepaged_sleeps_between_its_scans)
{
	struct vmed *m = huge_machine();
	va_t a = suitable(m);

	ck_assert_int_eq(vm_madvise(m->vm, m->t, a, 2 * H, VM_MADV_HUGEPAGE),
			 0);
	ck_assert_int_eq(poke_user(m, m->t, a, 1), 0);
	pass(m, 0);
	ck_assert_uint_eq(m->vm->thp->full_scans, 1);
	pass(m, 9999);
	ck_assert_uint_eq(m->vm->thp->full_scans, 1);
	pass(m, 1);
	ck_assert_uint_eq(m->vm->thp->full_scans, 2);
	pass(m, 50000);
	ck_assert_uint_eq(m->vm->thp->full_scans, 7);
	vmed_free(m);
}
END_TEST

START_TEST(idle_scans_are_counted_alike_in_one_step_and_in_many)
{
	uint32_t scans[2], holes[2];

	for (int many = 0; many < 2; many++) {
		struct vmed *m = vmed_new(
			&(struct vmed_kind){.memory = "192M", .huge = true});
		va_t a = map_with(m, 0x40000000, 20 * 512, RW,
				  VM_MAP_PRIVATE | VM_MAP_FIXED, NULL, 0);

		m->vm->thp->enabled = THP_NEVER;
		m->vm->thp->max_ptes_none = 100;
		for (int i = 0; i < 20; i++)
			ck_assert_int_eq(poke_user(m, m->t, a + i * H, 1), 0);
		m->vm->thp->enabled = THP_ALWAYS;
		ck_assert_int_eq(
			vm_madvise(m->vm, m->t, a, 20 * H, VM_MADV_HUGEPAGE),
			0);
		pass(m, 0);
		for (int i = 0; i < (many ? 5000 : 1); i++)
			pass(m, many ? 20000 : 5000 * 20000);
		scans[many] = m->vm->thp->full_scans;
		holes[many] = (uint32_t)event(m, VE_thp_scan_exceed_none_pte);
		vmed_free(m);
	}
	ck_assert_uint_gt(scans[0], 2000);
	ck_assert_uint_eq(scans[0], scans[1]);
	ck_assert_uint_eq(holes[0], holes[1]);
}
END_TEST

START_TEST(too_many_holes_keep_khugepaged_away)
{
	struct vmed *m = huge_machine();
	va_t a = suitable(m);

	m->vm->thp->enabled = THP_NEVER;
	m->vm->thp->max_ptes_none = 100;
	ck_assert_int_eq(poke_user(m, m->t, a, 1), 0);
	m->vm->thp->enabled = THP_ALWAYS;
	ck_assert_int_eq(vm_madvise(m->vm, m->t, a, 2 * H, VM_MADV_HUGEPAGE),
			 0);
	pass(m, 0);
	ck_assert(!is_huge(m, m->t, a));
	ck_assert_uint_eq(event(m, VE_thp_scan_exceed_none_pte), 1);
	/* Advice does not count holes. */
	ck_assert_int_eq(vm_madvise(m->vm, m->t, a, H, VM_MADV_COLLAPSE), 0);
	ck_assert(is_huge(m, m->t, a));
	ck_assert_uint_eq(byte_at(m, m->t, a), 1);
	vmed_free(m);
}
END_TEST

START_TEST(collapse_says_why_it_cannot)
{
	struct vmed *m = huge_machine();
	va_t a = suitable(m);
	pfn_t pinned;

	/* No table, nothing to collapse. */
	ck_assert_int_eq(vm_madvise(m->vm, m->t, a, H, VM_MADV_COLLAPSE),
			 -EINVAL);
	m->vm->thp->enabled = THP_NEVER;
	ck_assert_int_eq(poke_user(m, m->t, a, 1), 0);
	ck_assert_int_eq(vm_pin_pages(m->vm, m->t, a, 1, true, &pinned), 1);
	ck_assert_int_eq(vm_madvise(m->vm, m->t, a, H, VM_MADV_COLLAPSE),
			 -EAGAIN);
	ck_assert_int_eq(vm_unpin_page(m->vm, pinned, false, 0), 0);
	ck_assert_int_eq(vm_madvise(m->vm, m->t, a, H, VM_MADV_COLLAPSE), 0);
	/* What is huge already is as asked for. */
	ck_assert_int_eq(vm_madvise(m->vm, m->t, a, H, VM_MADV_COLLAPSE), 0);
	vmed_free(m);
}
END_TEST

START_TEST(without_a_huge_block_the_fault_takes_a_small_page)
{
	struct vmed *m = huge_machine();
	va_t a = suitable(m);
	const struct page_request q = {
		.gfp = GFP_TRANSHUGE, .order = 9, .nid = NODE_LOCAL};
	pfn_t taken[64];
	unsigned int nr = 0;

	while (nr < 64 && !pages_alloc(m->b->phys, &q, &taken[nr]))
		nr++;
	ck_assert_int_eq(poke_user(m, m->t, a, 7), 0);
	ck_assert(!is_huge(m, m->t, a));
	ck_assert_uint_eq(event(m, VE_thp_fault_fallback), 1);
	while (nr--)
		pages_put(m->b->phys, taken[nr], 9, 0);
	vmed_free(m);
}
END_TEST

START_TEST(a_locked_area_locks_the_whole_page)
{
	struct vmed *m = huge_machine();
	va_t a;

	m->t->caps = CAP_IPC_LOCK_BIT;
	a = suitable(m);
	ck_assert_int_eq(vm_mlock(m->vm, m->t, a, 2 * H, false), 0);
	ck_assert_int_eq(node_sum(m, NS_nr_unevictable), 1024);
	ck_assert_int_eq(vm_munlock(m->vm, m->t, a, H), 0);
	ck_assert_int_eq(node_sum(m, NS_nr_unevictable), 512);
	/* Split, it can be reclaimed again. */
	ck_assert_int_eq(vm_mprotect(m->vm, m->t, a + H + P, P, VM_PROT_READ),
			 0);
	ck_assert_int_eq(node_sum(m, NS_nr_unevictable), 0);
	vmed_free(m);
}
END_TEST

static const struct {
	const char *arch;
	struct vm_config vm;
	unsigned int order;
} formats[] = {
	{"x86-64",   {0},			9 },
	{"x86-64",   {.mode = MMU_5LEVEL}, 9 },
	{"i386-pae", {0},		  9 },
	{"i386",	 {0},		      10},
};

START_TEST(every_format_has_pages_of_an_entry_above_the_smallest)
{
	struct vmed *m = vmed_new(&(struct vmed_kind){
		.arch = formats[_i].arch, .vm = formats[_i].vm, .huge = true});
	va_t a = map_with(m, 0x40000000, 4096, RW,
			  VM_MAP_PRIVATE | VM_MAP_FIXED, NULL, 0);

	ck_assert_uint_eq(m->vm->thp->order, formats[_i].order);
	ck_assert_int_eq(poke_user(m, m->t, a + 5, 7), 0);
	ck_assert(is_huge(m, m->t, a));
	ck_assert_uint_eq(byte_at(m, m->t, a + 5), 7);
	ck_assert_int_eq(vm_madvise(m->vm, m->t, a, 2 * H, VM_MADV_HUGEPAGE),
			 0);
	vmed_free(m);
}
END_TEST

START_TEST(a_small_machine_starts_without_them)
{
	struct vmed *m = vmed_usual();

	ck_assert_int_eq(m->vm->thp->enabled, THP_NEVER);
	ck_assert_int_eq(m->vm->thp->use_zero_page, false);
	vmed_free(m);
}
END_TEST

START_TEST(damaged_entries_are_told_of_and_end_nothing)
{
	struct vmed *m = huge_machine();
	va_t a = suitable(m);
	struct vm_leaf leaf;
	uint64_t whole;

	ck_assert_int_eq(poke_user(m, m->t, a, 7), 0);
	ck_assert(vm_leaf(m->vm, m->t->mm, a, &leaf));
	whole = leaf.entry;
	/* Another frame than the area's. */
	vm_entry_set(m->vm, leaf.at, (whole & ~m->vm->shape.frame_mask) | H);
	vm_bytes_changed(m->vm, leaf.at, 8);
	ck_assert(!vm_leaf(m->vm, m->t->mm, a, &leaf) || !leaf.level);
	ck_assert_int_eq(vm_mprotect(m->vm, m->t, a, H, VM_PROT_READ), 0);
	ck_assert_ptr_nonnull(strstr(m->b->log->str, "bad pmd"));
	end_task(m->t);
	m->t = NULL;
	ck_assert(vmed_free_pages(m) + 513 >= m->before);
	m->before = vmed_free_pages(m);
	vm_free(m->vm);
	symbols_free(m->symbols);
	ram_free(m->ram);
	booted_free(m->b);
	g_free(m);
}
END_TEST

Suite *
suite_thp(void)
{
	Suite *s = suite_create("thp");
	TCase *t = tcase_create("thp");

	tcase_add_test(
		t,
		rights_of_a_huge_entry_are_flushed_in_one_step_a_split_is_not);
	tcase_add_test(
		t, the_first_write_takes_two_mebibytes_and_a_table_kept_aside);
	tcase_add_test(t, the_entry_says_what_the_kernel_writes);
	tcase_add_test(t, a_read_maps_the_huge_zero_page_once_for_all);
	tcase_add_loop_test(t, settings_and_advice_decide, 0,
			    ARRAY_SIZE(rules));
	tcase_add_test(t, a_child_shares_it_and_a_write_copies_one_small_page);
	tcase_add_test(t,
		       unmapping_a_part_splits_the_entry_and_queues_the_page);
	tcase_add_test(t, rights_of_a_part_split_the_entry_those_of_all_do_not);
	tcase_add_test(t, no_rights_hide_it_and_bring_it_back);
	tcase_add_test(t, it_moves_as_a_whole_where_it_fits);
	tcase_add_test(t, a_pinned_page_is_not_split_and_not_shared);
	tcase_add_test(t, small_pages_are_collapsed_when_khugepaged_comes_by);
	tcase_add_test(t, khugepaged_sleeps_between_its_scans);
	tcase_add_test(t, idle_scans_are_counted_alike_in_one_step_and_in_many);
	tcase_add_test(t, too_many_holes_keep_khugepaged_away);
	tcase_add_test(t, collapse_says_why_it_cannot);
	tcase_add_test(t, without_a_huge_block_the_fault_takes_a_small_page);
	tcase_add_test(t, a_locked_area_locks_the_whole_page);
	tcase_add_loop_test(
		t, every_format_has_pages_of_an_entry_above_the_smallest, 0,
		ARRAY_SIZE(formats));
	tcase_add_test(t, a_small_machine_starts_without_them);
	tcase_add_test(t, damaged_entries_are_told_of_and_end_nothing);
	suite_add_tcase(s, t);
	return s;
}
