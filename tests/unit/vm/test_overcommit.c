// SPDX-License-Identifier: MIT
/* test_overcommit.c - what is promised, and when no more is */
#include "vmed.h"

Suite *suite_overcommit(void);

#define P VM_PAGE
#define MIB10 2560 /* pages */

static const struct {
	const char *why;
	uint64_t prot, flags;
	bool file;
	uint64_t charged;
} charges[] = {
	{"private writable",	     RW,		 VM_MAP_PRIVATE,			 false, MIB10},
	{"private read-only",	      VM_PROT_READ, VM_MAP_PRIVATE,		    false, 0    },
	{"shared anonymous",	     RW,		 VM_MAP_SHARED,			false, MIB10},
	{"shared anonymous, to read", VM_PROT_READ, VM_MAP_SHARED,			   false,
	 MIB10										     },
	{"not reserved",		 RW,	     VM_MAP_PRIVATE | VM_MAP_NORESERVE, false, 0	},
	{"shared file",		RW,	    VM_MAP_SHARED,			   true,	 0	  },
	{"private file, writable",	   RW,	       VM_MAP_PRIVATE,		       true,  MIB10},
	{"private file, to read",	  VM_PROT_READ, VM_MAP_PRIVATE,			true,  0    },
};

START_TEST(ten_mebibytes_are_promised_and_none_is_given)
{
	struct vmed *m = vmed_usual();
	struct vm_object *f = vm_file_new(m->vm, "f", MIB10 * P, NULL, 0);
	uint64_t committed = m->vm->committed, total = m->t->mm->total_vm;
	uint64_t free = vmed_free_pages(m);
	va_t a = map_with(m, 0, MIB10, charges[_i].prot, charges[_i].flags,
			  charges[_i].file ? f : NULL, 0);

	ck_assert_msg(m->vm->committed == committed + charges[_i].charged, "%s",
		      charges[_i].why);
	ck_assert_uint_eq(m->t->mm->total_vm, total + MIB10);
	ck_assert_uint_eq(vmed_free_pages(m), free);
	ck_assert_int_eq(vm_munmap(m->vm, m->t, a, MIB10 * P), 0);
	ck_assert_uint_eq(m->vm->committed, committed);
	vm_object_put(f, 0);
	vmed_free(m);
}
END_TEST

START_TEST(made_writable_it_is_charged_and_stays_so)
{
	struct vmed *m = vmed_usual();
	va_t a = map(m, 10, VM_PROT_READ);
	uint64_t committed = m->vm->committed;

	ck_assert_int_eq(vm_mprotect(m->vm, m->t, a, 4 * P, RW), 0);
	ck_assert_uint_eq(m->vm->committed, committed + 4);
	ck_assert_int_eq(vm_mprotect(m->vm, m->t, a, 4 * P, VM_PROT_READ), 0);
	ck_assert_uint_eq(m->vm->committed, committed + 4);
	/* Charged and not: they are two areas now. */
	ck_assert_uint_eq(areas_in(m->t, a, a + 10 * P), 2);
	ck_assert_int_eq(vm_madvise(m->vm, m->t, a, 4 * P, VM_MADV_DONTNEED),
			 0);
	ck_assert_uint_eq(m->vm->committed, committed + 4);
	vmed_free(m);
}
END_TEST

START_TEST(what_is_not_charged_promises_nothing_when_it_grows_down)
{
	struct vmed *m = vmed_usual();
	uint64_t committed = m->vm->committed;
	va_t a = map_with(m, 0, 2, VM_PROT_READ,
			  VM_MAP_PRIVATE | VM_MAP_GROWSDOWN, NULL, 0);
	uint8_t byte;

	ck_assert_int_eq(peek_user(m, m->t, a - 3 * P, &byte), 0);
	ck_assert_uint_eq(vma_at(m->t->mm, a)->start, a - 3 * P);
	ck_assert_uint_eq(m->vm->committed, committed);
	/* There must be enough for it all the same. */
	m->vm->sysctl.overcommit_memory = 2;
	m->vm->sysctl.overcommit_kbytes = 4;
	ck_assert_int_eq(peek_user(m, m->t, a - 4 * P, &byte), -EFAULT);
	ck_assert_uint_eq(m->vm->committed, committed);
	vmed_free(m);
}
END_TEST

static int
ask(struct vmed *m, uint64_t pages, uint64_t flags)
{
	return map_error(m, &(struct vm_mmap_args){.len = pages * P,
						   .prot = RW,
						   .flags = VM_MAP_PRIVATE |
							    VM_MAP_ANONYMOUS |
							    flags});
}

START_TEST(guessing_refuses_only_what_can_never_be)
{
	struct vmed *m = vmed_usual();
	uint64_t all = vm_total_pages(m->vm);

	ck_assert_int_eq(ask(m, all, 0), 0);
	ck_assert_int_eq(ask(m, all, 0), 0);
	ck_assert_int_eq(ask(m, all + 1, 0), -ENOMEM);
	ck_assert_ptr_nonnull(
		strstr(m->b->log->str,
		       "__vm_enough_memory: pid: 2, comm: init, no enough "
		       "memory for the allocation"));
	ck_assert_int_eq(ask(m, all + 1, VM_MAP_NORESERVE), 0);
	m->vm->sysctl.overcommit_memory = 1;
	ck_assert_int_eq(ask(m, 100 * all, 0), 0);
	vmed_free(m);
}
END_TEST

START_TEST(never_means_below_the_limit)
{
	struct vmed *m = vmed_usual();
	struct vm_sysctl_mm *s = &m->vm->sysctl;
	uint64_t limit, room;

	ck_assert_uint_eq(vm_commit_limit(m->vm), vm_total_pages(m->vm) / 2);
	s->overcommit_memory = 2;
	s->overcommit_kbytes = 40000;
	limit = vm_commit_limit(m->vm);
	ck_assert_uint_eq(limit, 10000);
	room = limit - s->admin_reserve_kbytes / 4 -
	       MIN_OF(m->t->mm->total_vm / 32, s->user_reserve_kbytes / 4) -
	       m->vm->committed;
	ck_assert_int_eq(ask(m, room, 0), -ENOMEM);
	/* Not to be reserved plays no part here. */
	ck_assert_int_eq(ask(m, room, VM_MAP_NORESERVE), -ENOMEM);
	ck_assert_int_eq(ask(m, room - 1, 0), 0);
	ck_assert_int_eq(ask(m, 1, 0), -ENOMEM);
	m->t->caps = CAP_SYS_ADMIN_BIT;
	ck_assert_int_eq(ask(m, 1, 0), 0);
	vmed_free(m);
}
END_TEST

Suite *
suite_overcommit(void)
{
	Suite *s = suite_create("overcommit");
	TCase *c = tcase_create("overcommit");

	tcase_add_loop_test(c, ten_mebibytes_are_promised_and_none_is_given, 0,
			    ARRAY_SIZE(charges));
	tcase_add_test(c, made_writable_it_is_charged_and_stays_so);
	tcase_add_test(c,
		       what_is_not_charged_promises_nothing_when_it_grows_down);
	tcase_add_test(c, guessing_refuses_only_what_can_never_be);
	tcase_add_test(c, never_means_below_the_limit);
	suite_add_tcase(s, c);
	return s;
}
