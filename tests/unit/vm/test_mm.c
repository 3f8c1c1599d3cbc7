// SPDX-License-Identifier: MIT
/* test_mm.c - advice, locks, what is in core, device memory, digests */
#include "vmed.h"

Suite *suite_mm(void);

#define P VM_PAGE

static void
fill(struct vmed *m, va_t a, unsigned int pages)
{
	for (unsigned int i = 0; i < pages; i++)
		ck_assert_int_eq(
			poke_user(m, m->t, a + i * P, (uint8_t)(i + 1)), 0);
}

START_TEST(what_is_not_needed_goes_at_once_and_reads_zero)
{
	struct vmed *m = vmed_usual();
	va_t a = map(m, 4, RW);
	uint64_t free, committed;

	fill(m, a, 4);
	free = vmed_free_pages(m);
	committed = m->vm->committed;
	ck_assert_int_eq(vm_madvise(m->vm, m->t, a, 4 * P, VM_MADV_DONTNEED),
			 0);
	ck_assert_uint_eq(vmed_free_pages(m), free + 4);
	ck_assert_uint_eq(m->vm->committed, committed);
	ck_assert_uint_eq(byte_at(m, m->t, a + P), 0);
	vmed_free(m);
}
END_TEST

START_TEST(what_may_be_freed_is_clean_and_counts_as_a_files)
{
	struct vmed *m = vmed_usual();
	va_t a = map(m, 2, RW);
	int64_t anon;

	fill(m, a, 2);
	anon = node_sum(m, NS_nr_inactive_anon);
	ck_assert_int_eq(vm_madvise(m->vm, m->t, a, 2 * P, VM_MADV_FREE), 0);
	ck_assert_int_eq(node_sum(m, NS_nr_inactive_anon), anon - 2);
	ck_assert_int_eq(node_sum(m, NS_nr_inactive_file), 2);
	ck_assert_uint_eq(m->b->phys->event[VE_pglazyfree], 2);
	ck_assert(!(leaf_of(m, m->t, a) & PTE_D));
	ck_assert_uint_eq(byte_at(m, m->t, a), 1);
	vmed_lawful(m);
	vmed_free(m);
}
END_TEST

START_TEST(what_a_task_frees_of_a_shared_page_is_its_own_dirty_bit)
{
	struct vmed *m = vmed_usual();
	va_t a = map(m, 1, RW);
	struct task *child;
	const struct vm_page *page;

	fill(m, a, 1);
	child = child_of(m->t);
	page = &m->vm->pages[pfn_of(m, child, a)];
	ck_assert_int_eq(vm_madvise(m->vm, child, a, P, VM_MADV_FREE), 0);
	ck_assert(!(leaf_of(m, child, a) & PTE_D));
	ck_assert(leaf_of(m, m->t, a) & PTE_D);
	ck_assert(!(page->flags & VMP_SWAPBACKED));
	/* A page that is dirty itself is so for all who have it. */
	ck_assert_int_eq(vm_madvise(m->vm, m->t, a, P, VM_MADV_FREE), 0);
	ck_assert(!(leaf_of(m, m->t, a) & PTE_D));
	ck_assert_int_eq(poke_user(m, m->t, a, 2), 0);
	m->vm->pages[pfn_of(m, m->t, a)].flags |= VMP_DIRTY;
	end_task(child);
	child = child_of(m->t);
	ck_assert_int_eq(vm_madvise(m->vm, child, a, P, VM_MADV_FREE), 0);
	ck_assert(leaf_of(m, child, a) & PTE_D);
	end_task(child);
	vmed_free(m);
}
END_TEST

static const struct {
	const char *why;
	uint64_t prot;
	int read, write;
} populated[] = {
	{"to read",	    VM_PROT_READ,  0,	     -EINVAL},
	{"to write",	     VM_PROT_WRITE, -EINVAL, 0      },
	{"to run",		   VM_PROT_EXEC,	 -EINVAL, -EINVAL},
	{"for nobody",	       0,		  -EINVAL, -EINVAL},
	{"to read and write", RW,		  0,	     0      },
};

START_TEST(populating_wants_the_right_that_is_asked_for)
{
	struct vmed *m = vmed_usual();
	va_t a = map(m, 2, populated[_i].prot);

	ck_assert_msg(vm_madvise(m->vm, m->t, a, P, VM_MADV_POPULATE_READ) ==
			      populated[_i].read,
		      "%s", populated[_i].why);
	ck_assert_msg(vm_madvise(m->vm, m->t, a + P, P,
				 VM_MADV_POPULATE_WRITE) == populated[_i].write,
		      "%s", populated[_i].why);
	vmed_free(m);
}
END_TEST

START_TEST(populating_marks_pages_as_used)
{
	struct vmed *m = vmed_usual();
	va_t a = map_with(m, 0, 1, RW, VM_MAP_SHARED, NULL, 0);
	const struct vm_page *page;

	/* Read, it may be written to, and is clean. */
	ck_assert_int_eq(vm_madvise(m->vm, m->t, a, P, VM_MADV_POPULATE_READ),
			 0);
	page = &m->vm->pages[pfn_of(m, m->t, a)];
	ck_assert_uint_eq(page->flags & (VMP_DIRTY | VMP_REFERENCED),
			  VMP_REFERENCED);
	ck_assert_int_eq(vm_madvise(m->vm, m->t, a, P, VM_MADV_POPULATE_WRITE),
			 0);
	/* Used twice, it is active. */
	ck_assert_uint_eq(page->flags & (VMP_DIRTY | VMP_ACTIVE),
			  VMP_DIRTY | VMP_ACTIVE);
	ck_assert_uint_eq(node_sum(m, NS_nr_active_anon), 1);
	ck_assert_uint_eq(m->b->phys->event[VE_pgactivate], 1);
	vmed_lawful(m);
	vmed_free(m);
}
END_TEST

START_TEST(moving_flushes_each_table_by_itself)
{
	struct vmed *m = vmed_usual();
	const va_t edge = 0x40200000, to = 0x50001000;
	const struct tlb_stats *s = tlb_stats(m->vm->cpu[0].tlb);
	va_t a = map_with(m, edge - 40 * P, 80, RW,
			  VM_MAP_PRIVATE | VM_MAP_FIXED, NULL, 0);
	uint64_t gen, pages, all;
	va_t at;

	/* Five pages below the edge and one above it. */
	fill(m, a + 35 * P, 6);
	gen = m->t->mm->gen;
	pages = s->flushes_page;
	all = s->flushes_pcid;
	ck_assert_int_eq(vm_mremap(m->vm, m->t, a + 35 * P, 30 * P, 30 * P,
				   VM_MREMAP_MAYMOVE | VM_MREMAP_FIXED, to,
				   &at),
			 0);
	/* All that lies in a table, there or not: 5 pages and 25. */
	ck_assert_uint_eq(m->t->mm->gen, gen + 2);
	ck_assert_uint_eq(s->flushes_page, pages + 30);
	ck_assert_uint_eq(s->flushes_pcid, all);
	vmed_lawful(m);
	vmed_free(m);
}
END_TEST

START_TEST(mprotect_flushes_what_it_changes_and_leaves_what_was_used)
{
	struct vmed *m = vmed_usual();
	va_t a = map(m, 8, RW);
	const struct tlb_stats *s = tlb_stats(m->vm->cpu[0].tlb);
	struct task *child;
	uint64_t pages;

	fill(m, a, 8);
	child = child_of(m->t);
	ck_assert(!(leaf_of(m, child, a) & PTE_A));
	ck_assert_int_eq(vm_mprotect(m->vm, child, a, 8 * P, VM_PROT_READ), 0);
	/* A copy is not used because it may be used otherwise. */
	ck_assert(!(leaf_of(m, child, a) & PTE_A));
	ck_assert(leaf_of(m, m->t, a) & PTE_A);
	end_task(child);
	/* Entries that wait for a copy on write may be written to already; one
	 * page was, so the range to be flushed is that one alone. */
	child = child_of(m->t);
	ck_assert_int_eq(poke_user(m, m->t, a + 3 * P, 1), 0);
	pages = s->flushes_page;
	ck_assert_int_eq(vm_mprotect(m->vm, m->t, a, 8 * P, VM_PROT_READ), 0);
	ck_assert_uint_eq(s->flushes_page, pages + 1);
	end_task(child);
	vmed_lawful(m);
	vmed_free(m);
}
END_TEST

START_TEST(advice_cuts_areas_and_takes_them_back)
{
	struct vmed *m = vmed_usual();
	va_t a = map(m, 6, RW);

	ck_assert_int_eq(
		vm_madvise(m->vm, m->t, a + P, 2 * P, VM_MADV_SEQUENTIAL), 0);
	ck_assert_uint_eq(areas_in(m->t, a, a + 6 * P), 3);
	ck_assert_int_eq(vm_madvise(m->vm, m->t, a, 6 * P, VM_MADV_NORMAL), 0);
	ck_assert_uint_eq(areas_in(m->t, a, a + 6 * P), 1);
	/* A hole is told of after all else was done. */
	ck_assert_int_eq(vm_munmap(m->vm, m->t, a + 2 * P, P), 0);
	fill(m, a + 3 * P, 1);
	ck_assert_int_eq(vm_madvise(m->vm, m->t, a, 6 * P, VM_MADV_DONTNEED),
			 -ENOMEM);
	ck_assert_uint_eq(byte_at(m, m->t, a + 3 * P), 0);
	vmed_free(m);
}
END_TEST

START_TEST(holes_are_punched_into_shared_memory_and_files)
{
	struct vmed *m = vmed_usual();
	struct vm_object *f = vm_file_new(m->vm, "f", 4 * P, "abc", 3);
	va_t a = map_with(m, 0, 4, RW, VM_MAP_SHARED, f, 0);
	va_t s = map_with(m, 0, 4, RW, VM_MAP_SHARED, NULL, 0);

	ck_assert_uint_eq(byte_at(m, m->t, a), 'a');
	ck_assert_int_eq(vm_madvise(m->vm, m->t, a, P, VM_MADV_REMOVE), 0);
	ck_assert_uint_eq(byte_at(m, m->t, a), 0);
	fill(m, s, 4);
	ck_assert_int_eq(vm_madvise(m->vm, m->t, s + P, 2 * P, VM_MADV_REMOVE),
			 0);
	ck_assert_int_eq(node_sum(m, NS_nr_shmem), 2);
	ck_assert_uint_eq(byte_at(m, m->t, s + P), 0);
	ck_assert_uint_eq(byte_at(m, m->t, s + 3 * P), 4);
	ck_assert_int_eq(vm_munmap(m->vm, m->t, a, 4 * P), 0);
	vm_object_put(f, 0);
	vmed_free(m);
}
END_TEST

START_TEST(locked_pages_are_there_and_unevictable)
{
	struct vmed *m = vmed_usual();
	va_t a = map(m, 8, RW);
	struct zone *z = m->b->phys->zones[ZONE_DMA32];

	ck_assert_int_eq(vm_mlock(m->vm, m->t, a, 3 * P, false), 0);
	ck_assert_uint_eq(m->t->mm->locked_vm, 3);
	ck_assert_int_eq(node_sum(m, NS_nr_unevictable), 3);
	ck_assert_int_eq(z->stat[ZS_nr_mlock], 3);
	ck_assert_uint_ne(leaf_of(m, m->t, a + 2 * P), 0);
	/* Locks are not counted: one unlock is enough. */
	ck_assert_int_eq(vm_mlock(m->vm, m->t, a, 3 * P, false), 0);
	ck_assert_int_eq(vm_munlock(m->vm, m->t, a, P), 0);
	ck_assert_int_eq(z->stat[ZS_nr_mlock], 2);
	ck_assert_int_eq(vm_mlock(m->vm, m->t, a + 4 * P, P, true), 0);
	ck_assert_uint_eq(leaf_of(m, m->t, a + 4 * P), 0);
	fill(m, a + 4 * P, 1);
	ck_assert_int_eq(z->stat[ZS_nr_mlock], 3);
	vmed_lawful(m);
	ck_assert_int_eq(vm_munlockall(m->vm, m->t), 0);
	ck_assert_int_eq(z->stat[ZS_nr_mlock], 0);
	/* Not one: two parts got their first pages while they were apart, and
	 * what was not touched does not take them over. */
	ck_assert_uint_eq(areas_in(m->t, a, a + 8 * P), 4);
	vmed_free(m);
}
END_TEST

START_TEST(nothing_can_be_locked_anywhere)
{
	struct vmed *m = vmed_usual();
	va_t a = map(m, 2, 0);

	ck_assert_int_eq(vm_mlock(m->vm, m->t, a + P, 0, false), 0);
	ck_assert_int_eq(vm_mlock(m->vm, m->t, a + P, 1, false), -ENOMEM);
	vmed_free(m);
}
END_TEST

START_TEST(all_that_comes_is_locked_when_asked_for)
{
	struct vmed *m = vmed_usual();
	va_t a;

	ck_assert_int_eq(vm_mlockall(m->vm, m->t, VM_MCL_FUTURE), 0);
	a = map(m, 3, RW);
	ck_assert_uint_eq(m->t->mm->locked_vm, 3);
	ck_assert_uint_ne(leaf_of(m, m->t, a + 2 * P), 0);
	vmed_lawful(m);
	vmed_free(m);
}
END_TEST

START_TEST(mincore_sees_tables_and_the_page_cache)
{
	struct vmed *m = vmed_usual();
	struct vm_object *f = vm_file_new(m->vm, "f", 4 * P, NULL, 0);
	va_t a = map(m, 3, RW), b;
	uint8_t vec[4];

	fill(m, a + P, 1);
	ck_assert_int_eq(vm_mincore(m->vm, m->t, a, 3 * P, vec), 0);
	ck_assert(!vec[0] && vec[1] && !vec[2]);
	b = map_with(m, 0, 4, VM_PROT_READ, VM_MAP_SHARED, f, 0);
	ck_assert_int_eq(vm_object_read(f, 0, 2 * P, vec, 1), 1);
	ck_assert_int_eq(vm_mincore(m->vm, m->t, b, 4 * P, vec), 0);
	ck_assert(!vec[0] && vec[2] && !vec[3]);
	ck_assert_int_eq(vm_munmap(m->vm, m->t, b, 4 * P), 0);
	vm_object_put(f, 0);
	vmed_free(m);
}
END_TEST

START_TEST(device_memory_is_mapped_and_never_counted)
{
	struct vmed *m = vmed_usual();
	va_t a = 0x200000000, odd = a + 1, far = 4 * a, any = 0, at;
	struct task *c;
	uint64_t rss = mm_rss(m->t->mm);
	struct vm_leaf leaf;

	ck_assert_int_eq(vm_remap_pfn(m->vm, m->t, &any, 0xfe000, P, RW), 0);
	ck_assert_uint_eq(pfn_of(m, m->t, any), 0xfe000);
	ck_assert_int_eq(vm_remap_pfn(m->vm, m->t, &a, 0xfe000, 4 * P, RW), 0);
	ck_assert_uint_eq(pfn_of(m, m->t, a + P), 0xfe001);
	ck_assert_uint_eq(mm_rss(m->t->mm), rss);
	ck_assert_int_eq(vm_remap_pfn(m->vm, m->t, &a, 1, P, RW), -EEXIST);
	ck_assert_int_eq(vm_remap_pfn(m->vm, m->t, &odd, 1, P, RW), -EINVAL);
	ck_assert_int_eq(vm_remap_pfn(m->vm, m->t, &far, UINT64_MAX, P, RW),
			 -EINVAL);
	ck_assert_int_eq(vm_mremap(m->vm, m->t, a, 4 * P, 8 * P,
				   VM_MREMAP_MAYMOVE, 0, &at),
			 -EFAULT);
	ck_assert_int_eq(vm_madvise(m->vm, m->t, a, P, VM_MADV_DONTNEED),
			 -EINVAL);
	c = child_of(m->t);
	ck_assert_uint_eq(pfn_of(m, c, a + 3 * P), 0xfe003);
	vmed_lawful(m);
	end_task(c);
	/* An entry that is lost does not come back. */
	ck_assert(vm_leaf(m->vm, m->t->mm, a, &leaf));
	ram_store(m->ram, leaf.at, m->vm->shape.bytes, 0);
	vm_bytes_changed(m->vm, leaf.at, m->vm->shape.bytes);
	ck_assert_int_eq(poke_user(m, m->t, a, 1), -EFAULT);
	ck_assert_uint_eq(m->t->sig, VM_SIGBUS);
	ck_assert_int_eq(vm_munmap(m->vm, m->t, a + P, P), 0);
	ck_assert_uint_eq(vma_at(m->t->mm, a + 2 * P)->pfn, 0xfe002);
	vmed_free(m);
}
END_TEST

static void
add_number(void *sum, uint64_t v)
{
	uint64_t *hash = sum;

	*hash = (*hash ^ v) * 0x9e3779b97f4a7c15;
	*hash ^= *hash >> 29;
}

static uint64_t
digest(const struct vmed *m)
{
	uint64_t hash = 0;

	vm_digest(m->vm, &(struct number_stream){add_number, &hash});
	return hash;
}

START_TEST(a_table_written_through_a_mapping_of_it_makes_entries_suspect)
{
	struct vmed *m = vmed_usual();
	va_t a = map(m, 1, RW), at = 0;
	uint64_t entry, was;
	pa_t pa;

	fill(m, a, 1);
	pa = vm_entry_at(m->vm, m->t->mm, a, 0);
	ram_read(m->ram, pa, &entry, sizeof(entry));
	ck_assert_int_eq(vm_remap_pfn(m->vm, m->t, &at, pa >> 12, P, RW), 0);
	at += pa & (P - 1);
	was = m->vm->generation;
	ck_assert_uint_eq(
		vm_copy_to_user(m->vm, m->t, at, &entry, sizeof(entry)),
		sizeof(entry));
	ck_assert_uint_gt(m->vm->generation, was);
	was = m->vm->generation;
	fill(m, a, 1);
	ck_assert_uint_eq(m->vm->generation, was);
	vmed_lawful(m);
	vmed_free(m);
}
END_TEST

START_TEST(looking_changes_nothing_and_touching_does)
{
	struct vmed *m = vmed_usual();
	va_t a = map(m, 2, RW);
	uint64_t was;
	uint8_t bytes[16];
	struct mmu_result w;

	fill(m, a, 1);
	was = digest(m);
	ck_assert(vm_peek(m->vm, m->t, a, bytes, sizeof(bytes)));
	ck_assert_uint_eq(bytes[0], 1);
	vm_translate(m->vm, m->t, &(struct mmu_request){.va = a, .user = true},
		     &w);
	ck_assert_int_eq(w.outcome, MMU_OK);
	ck_assert_uint_eq(w.pa >> 12, pfn_of(m, m->t, a));
	vm_rmap_walk(m->vm, w.pa >> 12, NULL, NULL);
	vmed_lawful(m);
	ck_assert_uint_eq(digest(m), was);
	fill(m, a + P, 1);
	ck_assert_uint_ne(digest(m), was);
	vmed_free(m);
}
END_TEST

START_TEST(the_hosts_limit_stops_a_write_and_nothing_else)
{
	struct booted *b = boot_short("x86-64", "64M", 1, "");
	struct ram *ram = ram_new(b->phys->max_pfn << 12, MIB(1));
	struct symbols *symbols = symbols_new(0xffffffff81000000, 64);
	struct vm *vm = vm_boot(b->phys, ram, symbols, &(struct vm_config){0});
	struct task *t = task_find(vm, 1);
	struct vmed m = {.b = b, .ram = ram, .vm = vm, .t = t};
	va_t a;
	int err = 0;
	uint64_t n = 0;

	ck_assert_int_eq(task_wake(t), 0);
	a = map(&m, 1000, RW);
	while (n < 1000 && !(err = poke_user(&m, t, a + n * P, 1)))
		n++;
	ck_assert_int_eq(err, -ENOSPC);
	ck_assert_uint_gt(n, 100);
	ck_assert_uint_eq(byte_at(&m, t, a), 1);
	vmed_lawful(&m);
	ck_assert_int_eq(vm_munmap(vm, t, a, 1000 * P), 0);
	vmed_lawful(&m);
	vm_free(vm);
	symbols_free(symbols);
	ram_free(ram);
	booted_free(b);
}
END_TEST

START_TEST(without_paging_there_are_no_tasks)
{
	struct booted *b = boot_short("x86-64", "64M", 1, "");
	struct ram *ram = ram_new(b->phys->max_pfn << 12, UINT64_MAX);
	struct vm *vm = vm_boot(b->phys, ram, NULL,
				&(struct vm_config){.no_mmu = true});
	struct task *t = NULL;
	struct vm_access a = {.va = 0x5000, .len = 4, .access = MMU_WRITE};
	struct vm_access_result r;
	uint8_t bytes[4] = "abc";

	ck_assert_int_eq(task_fork(task_find(vm, 1), 0, 0, NULL, &t), -ENOSYS);
	ck_assert_int_eq(vm_munmap(vm, task_find(vm, 1), 0, P), -EINVAL);
	/* An address is the place itself. */
	a.bytes = bytes;
	ck_assert_int_eq(vm_access(vm, 0, &a, &r), 0);
	ck_assert_uint_eq(ram_load(ram, 0x5000, 4), 0x636261);
	ck_assert_int_eq(vm_access(vm, 99, &a, &r), -EINVAL);
	vm_free(vm);
	ram_free(ram);
	booted_free(b);
}
END_TEST

Suite *
suite_mm(void)
{
	Suite *s = suite_create("mm");
	TCase *c = tcase_create("mm");

	tcase_add_test(c, what_is_not_needed_goes_at_once_and_reads_zero);
	tcase_add_test(c, what_may_be_freed_is_clean_and_counts_as_a_files);
	tcase_add_test(c,
		       what_a_task_frees_of_a_shared_page_is_its_own_dirty_bit);
	tcase_add_loop_test(c, populating_wants_the_right_that_is_asked_for, 0,
			    ARRAY_SIZE(populated));
	tcase_add_test(c, populating_marks_pages_as_used);
	tcase_add_test(c, moving_flushes_each_table_by_itself);
	tcase_add_test(
		c, mprotect_flushes_what_it_changes_and_leaves_what_was_used);
	tcase_add_test(c, advice_cuts_areas_and_takes_them_back);
	tcase_add_test(c, holes_are_punched_into_shared_memory_and_files);
	tcase_add_test(c, locked_pages_are_there_and_unevictable);
	tcase_add_test(c, nothing_can_be_locked_anywhere);
	tcase_add_test(c, all_that_comes_is_locked_when_asked_for);
	tcase_add_test(c, mincore_sees_tables_and_the_page_cache);
	tcase_add_test(c, device_memory_is_mapped_and_never_counted);
	tcase_add_test(
		c,
		a_table_written_through_a_mapping_of_it_makes_entries_suspect);
	tcase_add_test(c, looking_changes_nothing_and_touching_does);
	tcase_add_test(c, the_hosts_limit_stops_a_write_and_nothing_else);
	tcase_add_test(c, without_paging_there_are_no_tasks);
	suite_add_tcase(s, c);
	return s;
}
