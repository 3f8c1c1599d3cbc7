// SPDX-License-Identifier: MIT
/* test_hugetlb.c - the pool of huge pages, its promises, its mappings */
#include "vmed.h"

#include <stdio.h>

Suite *suite_hugetlb(void);

#define H (2 << 20)
#define AT 0x40000000ULL

static struct vmed *
with_pool(uint64_t pages)
{
	struct vmed *m = vmed_usual();

	ck_assert_int_eq(hugetlb_resize(m->vm, pages, HUGETLB_ALL_NODES, 0), 0);
	ck_assert_uint_eq(m->vm->hugetlb->nr, pages);
	return m;
}

static int
map_pool(struct vmed *m, struct task *t, va_t at, uint64_t pages,
	 uint64_t flags)
{
	const struct vm_mmap_args a = {
		.addr = at,
		.len = pages * H,
		.prot = RW,
		.flags = flags | VM_MAP_ANONYMOUS | VM_MAP_HUGETLB |
			 VM_MAP_FIXED,
	};
	va_t got;

	return vm_mmap(m->vm, t, &a, &got);
}

/* "total free promised surplus" */
static const char *
counts(const struct vmed *m)
{
	static char text[80];
	const struct hugetlb *h = m->vm->hugetlb;

	snprintf(text, sizeof(text), "%d %d %d %d", (int)h->nr, (int)h->free,
		 (int)h->resv, (int)h->surplus);
	return text;
}

START_TEST(the_pool_takes_blocks_and_gives_them_back)
{
	struct vmed *m = vmed_usual();
	uint64_t free = vmed_free_pages(m);
	uint64_t *events = m->b->phys->event;

	ck_assert_int_eq(hugetlb_resize(m->vm, 3, HUGETLB_ALL_NODES, 0), 0);
	ck_assert_str_eq(counts(m), "3 3 0 0");
	ck_assert_uint_eq(vmed_free_pages(m), free - 3 * 512);
	ck_assert_uint_eq(events[VE_htlb_buddy_alloc_success], 3);
	ck_assert_int_eq(hugetlb_resize(m->vm, 1, HUGETLB_ALL_NODES, 0), 0);
	ck_assert_uint_eq(vmed_free_pages(m), free - 512);
	/* As many as there is memory for. */
	ck_assert_int_eq(hugetlb_resize(m->vm, 1000, HUGETLB_ALL_NODES, 0), 0);
	ck_assert_uint_gt(m->vm->hugetlb->nr, 5);
	ck_assert_uint_lt(m->vm->hugetlb->nr, 32);
	ck_assert_uint_eq(events[VE_htlb_buddy_alloc_fail], 1);
	ck_assert_int_eq(hugetlb_resize(m->vm, 1, 5, 0), -EINVAL);
	vmed_free(m);
}
END_TEST

START_TEST(a_mapping_is_promised_what_it_may_touch)
{
	struct vmed *m = with_pool(3);
	uint64_t committed = m->vm->committed;

	ck_assert_int_eq(map_pool(m, m->t, AT, 2, VM_MAP_PRIVATE), 0);
	ck_assert_str_eq(counts(m), "3 3 2 0");
	ck_assert_uint_eq(m->vm->committed, committed);
	ck_assert_int_eq(map_pool(m, m->t, AT + 8 * H, 2, VM_MAP_PRIVATE),
			 -ENOMEM);
	ck_assert_int_eq(poke_user(m, m->t, AT + H - 1, 7), 0);
	ck_assert_str_eq(counts(m), "3 2 1 0");
	ck_assert_int_eq(m->t->mm->hugetlb, 512);
	ck_assert_uint_eq(byte_at(m, m->t, AT + H - 1), 7);
	ck_assert_uint_eq(byte_at(m, m->t, AT), 0);
	ck_assert_int_eq(vm_munmap(m->vm, m->t, AT, 2 * H), 0);
	ck_assert_str_eq(counts(m), "3 3 0 0");
	vmed_free(m);
}
END_TEST

START_TEST(shared_pages_are_one_for_parent_and_child)
{
	struct vmed *m = with_pool(2);
	struct task *child;

	ck_assert_int_eq(map_pool(m, m->t, AT, 2, VM_MAP_SHARED), 0);
	ck_assert_int_eq(poke_user(m, m->t, AT, 7), 0);
	child = child_of(m->t);
	ck_assert_int_eq(poke_user(m, child, AT, 8), 0);
	ck_assert_int_eq(poke_user(m, child, AT + H, 9), 0);
	ck_assert_uint_eq(byte_at(m, m->t, AT), 8);
	ck_assert_uint_eq(byte_at(m, m->t, AT + H), 9);
	ck_assert_str_eq(counts(m), "2 0 0 0");
	end_task(child);
	ck_assert_str_eq(counts(m), "2 0 0 0");
	ck_assert_int_eq(vm_munmap(m->vm, m->t, AT, 2 * H), 0);
	ck_assert_str_eq(counts(m), "2 2 0 0");
	vmed_free(m);
}
END_TEST

START_TEST(a_private_page_is_copied_when_either_writes)
{
	struct vmed *m = with_pool(2);
	struct task *child;

	ck_assert_int_eq(map_pool(m, m->t, AT, 1, VM_MAP_PRIVATE), 0);
	ck_assert_int_eq(poke_user(m, m->t, AT, 7), 0);
	child = child_of(m->t);
	ck_assert_str_eq(counts(m), "2 1 0 0");
	ck_assert_int_eq(poke_user(m, child, AT, 8), 0);
	ck_assert_str_eq(counts(m), "2 0 0 0");
	ck_assert_uint_eq(byte_at(m, m->t, AT), 7);
	ck_assert_uint_eq(byte_at(m, child, AT), 8);
	end_task(child);
	ck_assert_str_eq(counts(m), "2 1 0 0");
	ck_assert_int_eq(poke_user(m, m->t, AT, 9), 0);
	ck_assert_str_eq(counts(m), "2 1 0 0");
	vmed_free(m);
}
END_TEST

START_TEST(a_child_without_a_promise_meets_sigbus)
{
	struct vmed *m = with_pool(1);
	struct task *child;

	ck_assert_int_eq(map_pool(m, m->t, AT, 1, VM_MAP_PRIVATE), 0);
	ck_assert_int_eq(poke_user(m, m->t, AT, 7), 0);
	child = child_of(m->t);
	ck_assert_int_eq(poke_user(m, child, AT, 8), -EFAULT);
	ck_assert_uint_eq(child->sig, VM_SIGBUS);
	/* The parent was promised its page: the child loses it. */
	ck_assert_int_eq(poke_user(m, m->t, AT, 9), 0);
	ck_assert_uint_eq(byte_at(m, m->t, AT), 9);
	ck_assert_uint_eq(m->t->sig, 0);
	ck_assert_int_eq(peek_user(m, child, AT, &(uint8_t){0}), -EFAULT);
	end_task(child);
	vmed_free(m);
}
END_TEST

START_TEST(without_a_reserve_the_pool_may_be_empty_at_the_touch)
{
	struct vmed *m = with_pool(1);

	ck_assert_int_eq(
		map_pool(m, m->t, AT, 4, VM_MAP_PRIVATE | VM_MAP_NORESERVE), 0);
	ck_assert_str_eq(counts(m), "1 1 0 0");
	ck_assert_int_eq(poke_user(m, m->t, AT, 7), 0);
	ck_assert_int_eq(poke_user(m, m->t, AT + H, 7), -EFAULT);
	ck_assert_uint_eq(m->t->sig, VM_SIGBUS);
	/* With overcommit there is a surplus page, for as long as it is used.
	 */
	ck_assert_int_eq(hugetlb_set_overcommit(m->vm, 1), 0);
	ck_assert_int_eq(poke_user(m, m->t, AT + H, 7), 0);
	ck_assert_str_eq(counts(m), "2 0 0 1");
	ck_assert_int_eq(poke_user(m, m->t, AT + 2 * H, 7), -EFAULT);
	ck_assert_int_eq(vm_madvise(m->vm, m->t, AT + H, H, VM_MADV_DONTNEED),
			 0);
	ck_assert_str_eq(counts(m), "1 0 0 0");
	vmed_free(m);
}
END_TEST

START_TEST(pages_in_use_become_surplus_when_the_pool_shrinks)
{
	struct vmed *m = with_pool(2);

	ck_assert_int_eq(map_pool(m, m->t, AT, 2, VM_MAP_PRIVATE), 0);
	ck_assert_int_eq(poke_user(m, m->t, AT, 7), 0);
	/* One is in use, one is promised: neither may go. */
	ck_assert_int_eq(hugetlb_resize(m->vm, 0, HUGETLB_ALL_NODES, 0), 0);
	ck_assert_str_eq(counts(m), "2 1 1 2");
	ck_assert_int_eq(vm_munmap(m->vm, m->t, AT, 2 * H), 0);
	ck_assert_str_eq(counts(m), "0 0 0 0");
	vmed_free(m);
}
END_TEST

START_TEST(promises_beyond_the_pool_take_surplus_pages_at_once)
{
	struct vmed *m = with_pool(1);

	ck_assert_int_eq(hugetlb_set_overcommit(m->vm, 2), 0);
	ck_assert_int_eq(map_pool(m, m->t, AT, 4, VM_MAP_SHARED), -ENOMEM);
	ck_assert_str_eq(counts(m), "1 1 0 0");
	ck_assert_int_eq(map_pool(m, m->t, AT, 3, VM_MAP_SHARED), 0);
	ck_assert_str_eq(counts(m), "3 3 3 2");
	ck_assert_int_eq(vm_munmap(m->vm, m->t, AT, 3 * H), 0);
	ck_assert_str_eq(counts(m), "1 1 0 0");
	vmed_free(m);
}
END_TEST

static const struct {
	const char *why;
	va_t addr;
	uint64_t len, flags, offset;
	int err;
} maps[] = {
	{"fixed inside of a huge page",	AT + 4096, H,
	 VM_MAP_PRIVATE | VM_MAP_FIXED,							    0,	   -EINVAL},
	{"a size there is none of",	    0,	       H,		  VM_MAP_PRIVATE | 22 << 26, 0,
	 -EINVAL												},
	{"the size by its number",	   0,	      H,		 VM_MAP_PRIVATE | 21 << 26, 0,    0	},
	{"a length of nothing",		0,	   0,		      VM_MAP_PRIVATE,	      0,	 -EINVAL},
	{"an offset inside of a huge page", 0,	       H,		  VM_MAP_PRIVATE,		  4096,
	 -EINVAL												},
	{"neither shared nor private",      0,	  H,		     0,				0,	   -EINVAL},
	{"one byte is a page",	       0,	  1,		     VM_MAP_SHARED,		    0,    0	},
	{"more than the pool has",	   0,	      3 * (uint64_t)H, VM_MAP_SHARED,	      0,
	 -ENOMEM												},
};

START_TEST(mmap_of_the_pool_says_what_is_wrong)
{
	struct vmed *m = with_pool(2);
	const struct vm_mmap_args a = {
		.addr = maps[_i].addr,
		.len = maps[_i].len,
		.prot = RW,
		.flags = maps[_i].flags | VM_MAP_ANONYMOUS | VM_MAP_HUGETLB,
		.offset = maps[_i].offset,
	};
	va_t at = 0;
	int err = vm_mmap(m->vm, m->t, &a, &at);

	ck_assert_msg(err == maps[_i].err, "%s: %d", maps[_i].why, err);
	if (!err)
		ck_assert_uint_eq(at % H, 0);
	vmed_free(m);
}
END_TEST

START_TEST(only_whole_pages_are_unmapped_protected_and_moved)
{
	struct vmed *m = with_pool(2);
	const struct tlb_stats *s = tlb_stats(m->vm->cpu[0].tlb);
	struct tlb_stats before;
	va_t at;

	ck_assert_int_eq(map_pool(m, m->t, AT, 2, VM_MAP_PRIVATE), 0);
	ck_assert_int_eq(poke_user(m, m->t, AT + H, 7), 0);
	before = *s;
	ck_assert_int_eq(vm_munmap(m->vm, m->t, AT + 4096, 4096), -EINVAL);
	ck_assert_int_eq(vm_mprotect(m->vm, m->t, AT, 4096, VM_PROT_READ),
			 -EINVAL);
	ck_assert_int_eq(
		vm_madvise(m->vm, m->t, AT + 4096, H, VM_MADV_DONTNEED),
		-EINVAL);
	ck_assert_int_eq(
		vm_mremap(m->vm, m->t, AT, H, 2 * H, VM_MREMAP_MAYMOVE, 0, &at),
		-EINVAL);
	ck_assert_int_eq(vm_mprotect(m->vm, m->t, AT, 2 * H, VM_PROT_READ), 0);
	ck_assert_int_eq(poke_user(m, m->t, AT + H, 8), -EFAULT);
	ck_assert_int_eq(vm_mprotect(m->vm, m->t, AT, 2 * H, RW), 0);
	ck_assert_int_eq(poke_user(m, m->t, AT + H, 8), 0);
	ck_assert_int_eq(vm_mremap(m->vm, m->t, AT, 2 * H, 2 * H,
				   VM_MREMAP_MAYMOVE | VM_MREMAP_FIXED,
				   0x60000000, &at),
			 0);
	ck_assert_uint_eq(byte_at(m, m->t, 0x60000000 + H), 8);
	ck_assert_str_eq(counts(m), "2 1 1 0");
	/* Each time TLBs forgot the one page that is there. */
	ck_assert_uint_eq(s->flushes_page, before.flushes_page + 3);
	ck_assert_uint_eq(s->flushes_pcid, before.flushes_pcid);
	ck_assert_int_eq(vm_munmap(m->vm, m->t, 0x60000000, H), 0);
	ck_assert_str_eq(counts(m), "2 1 0 0");
	vmed_free(m);
}
END_TEST

START_TEST(nodes_give_pages_in_turn)
{
	struct vmed *m = vmed_new(
		&(struct vmed_kind){.memory = "128M", .more = "nodes = 2\n"});
	const struct hugetlb *h = m->vm->hugetlb;

	ck_assert_int_eq(hugetlb_resize(m->vm, 4, HUGETLB_ALL_NODES, 0), 0);
	ck_assert_uint_eq(h->node[0].nr, 2);
	ck_assert_uint_eq(h->node[1].nr, 2);
	ck_assert_int_eq(hugetlb_resize(m->vm, 5, 1, 0), 0);
	ck_assert_uint_eq(h->node[0].nr, 2);
	ck_assert_uint_eq(h->node[1].nr, 5);
	ck_assert_int_eq(hugetlb_resize(m->vm, 8, HUGETLB_ALL_NODES, 1), 0);
	ck_assert_uint_eq(h->node[0].nr, 3);
	vmed_free(m);
}
END_TEST

START_TEST(the_arguments_fill_the_pool_at_boot)
{
	struct vmed *m = vmed_new(
		&(struct vmed_kind){.more = "cmdline = hugepages=4\n"});

	ck_assert_str_eq(counts(m), "4 4 0 0");
	m->before += 4 * 512;
	vmed_free(m);
	m = vmed_new(&(struct vmed_kind){
		.more = "cmdline = default_hugepagesz=4M hugepages=4\n"});
	ck_assert_str_eq(counts(m), "0 0 0 0");
	ck_assert_ptr_nonnull(
		strstr(m->b->log->str, "unsupported hugepagesz=4M"));
	vmed_free(m);
}
END_TEST

START_TEST(i386_has_pages_of_four_mebibytes)
{
	struct vmed *m = vmed_new(&(struct vmed_kind){.arch = "i386"});
	struct vm_leaf leaf;

	ck_assert_uint_eq(hugetlb_size(m->vm), 4 << 20);
	ck_assert_int_eq(hugetlb_resize(m->vm, 2, HUGETLB_ALL_NODES, 0), 0);
	ck_assert_int_eq(map_pool(m, m->t, AT, 2, VM_MAP_PRIVATE), 0);
	ck_assert_int_eq(poke_user(m, m->t, AT + (3 << 20), 7), 0);
	ck_assert(vm_leaf(m->vm, m->t->mm, AT, &leaf));
	ck_assert_uint_eq(leaf.level, 1);
	ck_assert_uint_eq(byte_at(m, m->t, AT + (3 << 20)), 7);
	ck_assert_uint_eq(byte_at(m, m->t, AT), 0);
	vmed_free(m);
}
END_TEST

Suite *
suite_hugetlb(void)
{
	Suite *s = suite_create("hugetlb");
	TCase *t = tcase_create("hugetlb");

	tcase_add_test(t, the_pool_takes_blocks_and_gives_them_back);
	tcase_add_test(t, a_mapping_is_promised_what_it_may_touch);
	tcase_add_test(t, shared_pages_are_one_for_parent_and_child);
	tcase_add_test(t, a_private_page_is_copied_when_either_writes);
	tcase_add_test(t, a_child_without_a_promise_meets_sigbus);
	tcase_add_test(t, without_a_reserve_the_pool_may_be_empty_at_the_touch);
	tcase_add_test(t, pages_in_use_become_surplus_when_the_pool_shrinks);
	tcase_add_test(t, promises_beyond_the_pool_take_surplus_pages_at_once);
	tcase_add_loop_test(t, mmap_of_the_pool_says_what_is_wrong, 0,
			    ARRAY_SIZE(maps));
	tcase_add_test(t, only_whole_pages_are_unmapped_protected_and_moved);
	tcase_add_test(t, nodes_give_pages_in_turn);
	tcase_add_test(t, the_arguments_fill_the_pool_at_boot);
	tcase_add_test(t, i386_has_pages_of_four_mebibytes);
	suite_add_tcase(s, t);
	return s;
}
