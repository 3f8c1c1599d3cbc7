// SPDX-License-Identifier: MIT
/*
 * ops_vm_map.c - what a task maps: mmap and the calls that change mappings
 *
 * What it models: mmap, munmap, mprotect, mremap, brk, madvise, msync, mlock
 * and munlock, mincore, and a driver's remap_pfn_range.
 *
 * How it works: what mmap maps is an allocation, by whose name the other ops
 * find it.  A call that the kernel answers with an errno has run and failed.
 */
#include "ops_task_impl.h"

#include "kmemfs/base/text.h"

#include <errno.h>
#include <string.h>

#define MINCORE_MOST (1U << 20) /* pages asked about at a time */

int
op_find_address(struct op *op, int param, const char *word, va_t *address,
		uint64_t *size)
{
	const struct allocation *a;

	if (text_u64(word, address))
		return 0;
	a = allocation_find(op->m, word);
	if (!a)
		return op_refuse(op, param, ENOENT,
				 "there is no allocation called %s", word);
	*address = a->kind == ALLOCATION_PAGES
			   ? op->m->phys->arch->page_offset +
				     allocation_start(op->m, a)
			   : a->address;
	if (size && !*size)
		*size = allocation_bytes(op->m, a);
	return 0;
}

int
op_begin_at(struct op *op, int task_param, int address_param, const char *word,
	    va_t *address, uint64_t *size)
{
	int err = op_check_user_task(op, task_param, op->task);

	if (!err)
		err = op_find_address(op, address_param, word, address, size);
	return err ? err : op_begin_call(op);
}

/* --- mmap ---------------------------------------------------------------- */

static void
record(struct op *op, const char *words, const char **name, va_t at,
       uint64_t size)
{
	struct allocation *a = allocation_add(op->m, *name);
	char buf[16];

	a->kind = ALLOCATION_AREA;
	a->pool = op->task->mm->id;
	a->address = at;
	a->size = size;
	a->cpu = (uint16_t)op->task->cpu;
	a->born_ns = op->m->now_ns;
	a->op = words;
	a->free = "vm/munmap";
	area_place(op->m, a);
	if (!*name) {
		g_strlcpy(op->made_up, allocation_name(a, buf),
			  sizeof(op->made_up));
		*name = op->made_up;
	}
	op_answer(op, "%s address=%#llx size=%llu", *name,
		  (unsigned long long)at, (unsigned long long)size);
}

/* What is mapped: a file, opened so that nothing but the call can refuse. */
static int
open_file(struct op *op, const struct args_vm_mmap *a, struct vm_open *open)
{
	*open = (struct vm_open){
		.mode = VM_OPEN_READ | (a->readonly ? 0 : VM_OPEN_WRITE),
	};
	if (!a->file)
		return 0;
	return op_find_file(op, ARG_VM_MMAP_FILE, a->file, &open->object);
}

int
op_vm_mmap(struct op *op, struct args_vm_mmap *a)
{
	struct vm_mmap_args args = {
		.addr = a->addr, .len = a->size, .offset = a->offset};
	struct vm_open file;
	va_t at;
	int err = op_read_words(op, ARG_VM_MMAP_PROT, WORDS_PROT, a->prot,
				&args.prot);

	if (!err)
		err = op_read_words(op, ARG_VM_MMAP_FLAGS, WORDS_MAP, a->flags,
				    &args.flags);
	if (!err)
		err = op_check_new_name(op, ARG_VM_MMAP_NAME, a->name);
	if (!err)
		err = op_check_allocations(op, 1);
	if (!err)
		err = open_file(op, a, &file);
	if (!err)
		err = op_check_user_task(op, ARG_VM_MMAP_TASK, op->task);
	if (!err)
		err = op_begin_call(op);
	if (err)
		return err;
	if (a->file) {
		args.file = &file;
		args.flags &= ~(uint64_t)VM_MAP_ANONYMOUS;
	}
	err = vm_mmap(op->m->vm, op->task, &args, &at);
	if (err)
		return op_call_failed(op, "mmap", err);
	/* MAP_POPULATE may have ended the task. */
	if (op->task->mm)
		record(op, "vm/mmap", &a->name, at, a->size);
	return 0;
}

int
op_vm_munmap(struct op *op, struct args_vm_munmap *a)
{
	uint64_t size = a->size;
	va_t at;
	int err = op_begin_at(op, ARG_VM_MUNMAP_TASK, ARG_VM_MUNMAP_ADDRESS,
			      a->address, &at, &size);

	if (!err && (err = vm_munmap(op->m->vm, op->task, at, size)))
		err = op_call_failed(op, "munmap", err);
	return err;
}

int
op_vm_remap_pfn_range(struct op *op, struct args_vm_remap_pfn_range *a)
{
	const struct allocation *page = NULL;
	uint64_t prot;
	pfn_t pfn;
	va_t at = a->addr;
	int err = op_read_words(op, ARG_VM_REMAP_PFN_RANGE_PROT, WORDS_PROT,
				a->prot, &prot);

	if (!err && !text_u64(a->page, &pfn)) {
		page = allocation_find(op->m, a->page);
		if (!page || page->kind != ALLOCATION_PAGES)
			err = op_refuse(op, ARG_VM_REMAP_PFN_RANGE_PAGE, ENOENT,
					"there are no pages called %s",
					a->page);
		else
			pfn = page->pfn;
	}
	if (!err)
		err = op_check_new_name(op, ARG_VM_REMAP_PFN_RANGE_NAME,
					a->name);
	if (!err)
		err = op_check_allocations(op, 1);
	if (!err)
		err = op_check_user_task(op, ARG_VM_REMAP_PFN_RANGE_TASK,
					 op->task);
	if (!err)
		err = op_begin_call(op);
	if (err)
		return err;
	err = vm_remap_pfn(op->m->vm, op->task, &at, pfn, a->size, prot);
	if (err)
		return op_call_failed(op, "remap_pfn_range", err);
	record(op, "vm/remap_pfn_range", &a->name, at, a->size);
	return 0;
}

/* --- changing ------------------------------------------------------------ */

int
op_vm_mprotect(struct op *op, struct args_vm_mprotect *a)
{
	uint64_t prot, size = a->size;
	va_t at;
	int err = op_read_words(op, ARG_VM_MPROTECT_PROT, WORDS_PROT, a->prot,
				&prot);

	if (!err)
		err = op_begin_at(op, ARG_VM_MPROTECT_TASK,
				  ARG_VM_MPROTECT_ADDRESS, a->address, &at,
				  &size);
	if (!err && (err = vm_mprotect(op->m->vm, op->task, at, size, prot)))
		err = op_call_failed(op, "mprotect", err);
	return err;
}

/* How much of @size from @at on is mapped without a hole. */
static uint64_t
mapped_from(struct mm *mm, va_t at, uint64_t size)
{
	va_t end = at, stop = at + size;
	const struct vma *v;

	while (end < stop && (v = vma_at(mm, end)))
		end = v->end;
	return MIN_OF(end, stop) - at;
}

/* The allocation that was moved is where the call says, if it ran; else where
 * it was, as far as that is still mapped.  In place it gets no more than was
 * asked for beyond @old, and nothing that another allocation has. */
static void
moved(struct op *op, struct allocation *a, int err, va_t at, uint64_t old,
      uint64_t size)
{
	if (err)
		a->size = mapped_from(op->task->mm, a->address, a->size);
	else if (at != a->address || size > old)
		a->size = size;
	else
		a->size = MIN_OF(a->size, size);
	if (!err)
		a->address = at;
	a->size = MIN_OF(a->size, area_room(op->m, a));
	area_place(op->m, a);
	if (!a->size)
		allocation_remove(op->m, a);
}

int
op_vm_mremap(struct op *op, struct args_vm_mremap *a)
{
	uint64_t flags, size = a->old_size;
	struct allocation *area = NULL;
	va_t at, to = 0;
	int err = op_read_words(op, ARG_VM_MREMAP_FLAGS, WORDS_MREMAP, a->flags,
				&flags);

	if (!err)
		err = op_begin_at(op, ARG_VM_MREMAP_TASK, ARG_VM_MREMAP_ADDRESS,
				  a->address, &at, &size);
	if (err)
		return err;
	area = area_at(op->m, op->task->mm->id, at);
	/* What moves in part stays one allocation where it was. */
	if (area && (!size || area->size > size + VM_PAGE - 1))
		area = NULL;
	if (area)
		area_lift(op->m, area);
	err = vm_mremap(op->m->vm, op->task, at, size, a->new_size, flags,
			a->new_address, &to);
	if (area)
		moved(op, area, err, to, size, a->new_size);
	if (err)
		return op_call_failed(op, "mremap", err);
	op_answer(op, "address=%#llx size=%llu", (unsigned long long)to,
		  (unsigned long long)a->new_size);
	return 0;
}

static int
set_brk(struct op *op, va_t to)
{
	va_t now = vm_brk(op->m->vm, op->task, to);

	if (to && now != to)
		return op_fail(op, ENOMEM, "the break stays at %#llx",
			       (unsigned long long)now);
	op_answer(op, "brk=%#llx", (unsigned long long)now);
	return 0;
}

int
op_vm_brk(struct op *op, struct args_vm_brk *a)
{
	int err = op_check_user_task(op, ARG_VM_BRK_TASK, op->task);

	if (!err)
		err = op_begin_call(op);
	return err ? err : set_brk(op, a->to);
}

int
op_vm_sbrk(struct op *op, struct args_vm_sbrk *a)
{
	int err = op_check_user_task(op, ARG_VM_SBRK_TASK, op->task);

	if (!err)
		err = op_begin_call(op);
	if (err)
		return err;
	return set_brk(op, op->task->mm->brk + (uint64_t)a->by);
}

int
op_vm_madvise(struct op *op, struct args_vm_madvise *a)
{
	uint64_t advice, size = a->size;
	va_t at;
	int err = op_read_words(op, ARG_VM_MADVISE_ADVICE, WORDS_MADVISE,
				a->advice, &advice);

	if (!err)
		err = op_begin_at(op, ARG_VM_MADVISE_TASK,
				  ARG_VM_MADVISE_ADDRESS, a->address, &at,
				  &size);
	if (!err && (err = vm_madvise(op->m->vm, op->task, at, size,
				      (int)MIN_OF(advice, INT32_MAX))))
		err = op_call_failed(op, "madvise", err);
	return err;
}

int
op_vm_msync(struct op *op, struct args_vm_msync *a)
{
	uint64_t flags, size = a->size;
	va_t at;
	int err = op_read_words(op, ARG_VM_MSYNC_FLAGS, WORDS_MSYNC, a->flags,
				&flags);

	if (!err)
		err = op_begin_at(op, ARG_VM_MSYNC_TASK, ARG_VM_MSYNC_ADDRESS,
				  a->address, &at, &size);
	if (!err && (err = vm_msync(op->m->vm, op->task, at, size, flags)))
		err = op_call_failed(op, "msync", err);
	return err;
}

/* --- locking ------------------------------------------------------------- */

int
op_vm_mlock(struct op *op, struct args_vm_mlock *a)
{
	uint64_t size = a->size;
	va_t at;
	int err = op_begin_at(op, ARG_VM_MLOCK_TASK, ARG_VM_MLOCK_ADDRESS,
			      a->address, &at, &size);

	if (!err && (err = vm_mlock(op->m->vm, op->task, at, size, a->onfault)))
		err = op_call_failed(op, "mlock", err);
	return err;
}

int
op_vm_munlock(struct op *op, struct args_vm_munlock *a)
{
	uint64_t size = a->size;
	va_t at;
	int err = op_begin_at(op, ARG_VM_MUNLOCK_TASK, ARG_VM_MUNLOCK_ADDRESS,
			      a->address, &at, &size);

	if (!err && (err = vm_munlock(op->m->vm, op->task, at, size)))
		err = op_call_failed(op, "munlock", err);
	return err;
}

int
op_vm_mlockall(struct op *op, struct args_vm_mlockall *a)
{
	uint64_t flags;
	int err = op_read_words(op, ARG_VM_MLOCKALL_FLAGS, WORDS_MLOCKALL,
				a->flags, &flags);

	if (!err)
		err = op_check_user_task(op, ARG_VM_MLOCKALL_TASK, op->task);
	if (!err)
		err = op_begin_call(op);
	if (!err && (err = vm_mlockall(op->m->vm, op->task, flags)))
		err = op_call_failed(op, "mlockall", err);
	return err;
}

int
op_vm_munlockall(struct op *op, struct args_vm_munlockall *a)
{
	int err = op_check_user_task(op, ARG_VM_MUNLOCKALL_TASK, op->task);

	(void)a;
	if (!err)
		err = op_begin_call(op);
	if (!err && (err = vm_munlockall(op->m->vm, op->task)))
		err = op_call_failed(op, "munlockall", err);
	return err;
}

int
op_vm_mincore(struct op *op, struct args_vm_mincore *a)
{
	uint64_t size = a->size, pages, resident = 0;
	uint8_t *vec;
	va_t at;
	int err = op_begin_at(op, ARG_VM_MINCORE_TASK, ARG_VM_MINCORE_ADDRESS,
			      a->address, &at, &size);

	if (err)
		return err;
	pages = (size + VM_PAGE - 1) >> VM_PAGE_SHIFT;
	if (pages > MINCORE_MOST)
		return op_fail(op, EINVAL, "at most %u pages at a time",
			       MINCORE_MOST);
	vec = g_malloc0(MAX_OF(pages, 1));
	err = vm_mincore(op->m->vm, op->task, at, size, vec);
	for (uint64_t i = 0; !err && i < pages; i++)
		resident += vec[i] & 1;
	if (err)
		err = op_call_failed(op, "mincore", err);
	else
		op_answer(op, "resident=%llu of=%llu",
			  (unsigned long long)resident,
			  (unsigned long long)pages);
	g_free(vec);
	return err;
}
