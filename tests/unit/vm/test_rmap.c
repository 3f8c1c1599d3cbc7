// SPDX-License-Identifier: MIT
/* test_rmap.c - the way back from frames; copies to and from user space */
#include "vmed.h"

Suite *suite_rmap(void);

#define P VM_PAGE

struct seen {
	unsigned int nr;
	va_t va[8];
	uint32_t mm[8];
};

static void
note(void *user, struct vma *v, va_t va, pa_t at, uint64_t entry)
{
	struct seen *s = user;

	ck_assert(at && entry);
	ck_assert_uint_lt(s->nr, 8);
	s->mm[s->nr] = v->mm->id;
	s->va[s->nr++] = va;
}

START_TEST(a_page_knows_all_tasks_that_map_it)
{
	struct vmed *m = vmed_usual();
	va_t a = map(m, 3, RW), b = 0;
	struct task *c, *d;
	struct seen s = {0};
	pfn_t pfn;

	ck_assert_int_eq(poke_user(m, m->t, a + P, 1), 0);
	pfn = pfn_of(m, m->t, a + P);
	c = child_of(m->t);
	d = child_of(c);
	/* The grandchild's lies elsewhere. */
	ck_assert_int_eq(vm_mremap(m->vm, d, a, 3 * P, 3 * P,
				   VM_MREMAP_MAYMOVE | VM_MREMAP_FIXED,
				   0x10000000000, &b),
			 0);
	ck_assert_uint_eq(vm_rmap_walk(m->vm, pfn, note, &s), 3);
	ck_assert_int_eq(m->b->phys->frames[pfn].mapcount, 3);
	ck_assert_uint_eq(s.va[0], a + P);
	ck_assert_uint_eq(s.va[2], b + P);
	ck_assert_uint_eq(s.mm[2], d->mm->id);
	/* A page of the child's own is not looked for in the parent. */
	ck_assert_int_eq(poke_user(m, c, a + P, 2), 0);
	ck_assert_uint_eq(vm_rmap_walk(m->vm, pfn, NULL, NULL), 2);
	ck_assert_uint_eq(vm_rmap_walk(m->vm, pfn_of(m, c, a + P), NULL, NULL),
			  1);
	end_task(d);
	end_task(c);
	vmed_free(m);
}
END_TEST

START_TEST(a_file_page_is_found_at_each_place)
{
	struct vmed *m = vmed_usual();
	struct vm_object *f = vm_file_new(m->vm, "f", 8 * P, NULL, 0);
	va_t a = map_with(m, 0, 4, RW, VM_MAP_SHARED, f, 2);
	va_t b = map_with(m, 0, 8, VM_PROT_READ, VM_MAP_PRIVATE, f, 0);
	struct seen s = {0};

	ck_assert_int_eq(poke_user(m, m->t, a + P, 1), 0);
	ck_assert_uint_eq(byte_at(m, m->t, b + 3 * P), 1);
	ck_assert_uint_eq(vm_rmap_walk(m->vm, vm_object_page(f, 3), note, &s),
			  2);
	ck_assert_int_eq(vm_munmap(m->vm, m->t, a, 4 * P), 0);
	ck_assert_int_eq(vm_munmap(m->vm, m->t, b, 8 * P), 0);
	vm_object_put(f, 0);
	vmed_free(m);
}
END_TEST

START_TEST(pages_of_nobody_have_no_way_back)
{
	struct vmed *m = vmed_usual();

	ck_assert_uint_eq(vm_rmap_walk(m->vm, m->vm->zero_page, NULL, NULL), 0);
	ck_assert_uint_eq(vm_rmap_walk(m->vm, UINT64_MAX, NULL, NULL), 0);
	vmed_free(m);
}
END_TEST

START_TEST(copies_stop_at_the_first_byte_that_cannot_be_had)
{
	struct vmed *m = vmed_usual();
	va_t a = map(m, 3, RW);
	uint8_t bytes[3 * P];

	memset(bytes, 0x5a, sizeof(bytes));
	ck_assert_int_eq(vm_munmap(m->vm, m->t, a + 2 * P, P), 0);
	ck_assert_uint_eq(
		vm_copy_to_user(m->vm, m->t, a + 100, bytes, sizeof(bytes)),
		2 * P - 100);
	memset(bytes, 0, sizeof(bytes));
	ck_assert_uint_eq(vm_copy_from_user(m->vm, m->t, bytes, a + P, 2 * P),
			  P);
	ck_assert_uint_eq(bytes[P - 1], 0x5a);
	ck_assert_uint_eq(bytes[P], 0);
	ck_assert_uint_eq(m->t->sig, 0);
	ck_assert_uint_eq(
		vm_copy_to_user(m->vm, m->t, 0xffff888000000000, bytes, 1), 0);
	ck_assert_uint_eq(vm_copy_to_user(m->vm, m->t, UINT64_MAX, bytes, 9),
			  0);
	ck_assert(!vm_peek(m->vm, m->t, a + P, bytes, 2 * P));
	vmed_free(m);
}
END_TEST

START_TEST(a_pin_to_read_gets_a_page_that_stays)
{
	struct vmed *m = vmed_usual();
	va_t a = map(m, 2, RW);
	struct task *c;
	pfn_t pfn, shared;

	ck_assert_int_eq(poke_user(m, m->t, a, 1), 0);
	shared = pfn_of(m, m->t, a);
	c = child_of(m->t);
	/* Shared after a fork: who pins gets its own first. */
	ck_assert_int_eq(vm_pin_pages(m->vm, m->t, a, 1, false, &pfn), 1);
	ck_assert_uint_ne(pfn, shared);
	ck_assert_uint_eq(pfn_of(m, m->t, a), pfn);
	ck_assert_int_eq(node_sum(m, NS_nr_foll_pin_acquired), 1);
	ck_assert_int_eq(vm_unpin_page(m->vm, pfn, false, 0), 0);
	ck_assert_int_eq(vm_pin_pages(m->vm, m->t, 0x1000, 1, false, &pfn),
			 -EFAULT);
	ck_assert_int_eq(vm_mprotect(m->vm, m->t, a, P, VM_PROT_READ), 0);
	ck_assert_int_eq(vm_pin_pages(m->vm, m->t, a, 2, true, &pfn), -EFAULT);
	end_task(c);
	vmed_free(m);
}
END_TEST

Suite *
suite_rmap(void)
{
	Suite *s = suite_create("rmap");
	TCase *c = tcase_create("rmap");

	tcase_add_test(c, a_page_knows_all_tasks_that_map_it);
	tcase_add_test(c, a_file_page_is_found_at_each_place);
	tcase_add_test(c, pages_of_nobody_have_no_way_back);
	tcase_add_test(c, copies_stop_at_the_first_byte_that_cannot_be_had);
	tcase_add_test(c, a_pin_to_read_gets_a_page_that_stays);
	suite_add_tcase(s, c);
	return s;
}
