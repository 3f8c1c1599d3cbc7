// SPDX-License-Identifier: MIT
/*
 * exec.c - a new program: its address space from the start
 *
 * What it models: load_elf_binary, setup_arg_pages, set_brk (fs/binfmt_elf.c,
 * fs/exec.c), for a static program whose layout is given by sizes.
 *
 * How it works:
 *
 *     base        text   (file, read and execute)
 *                 data   (file, private, written)
 *                 bss    (anonymous)
 *                 heap   (anonymous, from start_brk to brk)
 *                 ...    what mmap gives, downwards from mmap_base
 *     task_size   stack  (anonymous, grows down; 132 KiB to begin with)
 *
 * The name of the program is written to the top of the stack, as an argument.
 */
#include "vm_impl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define STACK_FIRST KIB(132)
#define IMAGE_MOST GIB(1)
#define DATA_FLAGS (VM_READ | VM_WRITE | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC)

/* An area of the program; what it needs must be promised. */
static int
add_area(struct task *t, va_t start, uint64_t len, uint64_t flags,
	 struct vm_object *o, uint64_t pgoff)
{
	struct vm *vm = t->vm;
	uint64_t pages = len >> VM_PAGE_SHIFT;

	if (!len)
		return 0;
	if (!may_expand_vm(vm, t, flags, pages))
		return vm_refuse(vm, -ENOMEM, WHY_RLIMIT);
	if (flags & VM_WRITE) {
		if (vm_commit(vm, t, pages))
			return -ENOMEM;
		flags |= VM_ACCOUNT;
	}
	vma_link(vma_new(t->mm, start, start + len, flags | VM_SOFTDIRTY, o,
			 o ? pgoff : start >> VM_PAGE_SHIFT));
	vm_stat_account(t->mm, flags, (int64_t)pages);
	return 0;
}

static int
add_stack(struct task *t)
{
	struct vm *vm = t->vm;
	struct mm *mm = t->mm;
	va_t top = vm->layout.map_window;
	const char *comm = t->comm;
	size_t len = strlen(comm) + 1;
	int err = add_area(t, top - STACK_FIRST, STACK_FIRST,
			   DATA_FLAGS | VM_GROWSDOWN, NULL, 0);

	if (err)
		return err;
	mm->arg_end = top - 8;
	mm->arg_start = mm->arg_end - len;
	mm->start_stack = round_down_to(mm->arg_start, 16) - 64;
	return vm_copy_to_user(vm, t, mm->arg_start, comm, len) == len
		       ? 0
		       : -ENOMEM;
}

static int
load(struct task *t, const struct vm_image *image)
{
	struct mm *mm = t->mm;
	uint64_t text = page_align(image->text), data = page_align(image->data);
	uint64_t bss = page_align(image->bss), heap = page_align(image->heap);
	va_t base = image->base ? image->base : t->vm->layout.image_base;
	const uint64_t code =
		VM_READ | VM_EXEC | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC;
	int err;

	mm_layout(t->vm, mm, t);
	mm->start_code = base;
	mm->end_code = base + image->text;
	mm->start_data = base + text;
	mm->end_data = mm->start_data + image->data;
	mm->start_brk = mm->brk = base + text + data + bss;
	err = add_area(t, base, text, code, image->file, 0);
	if (!err)
		err = add_area(t, base + text, data, DATA_FLAGS, image->file,
			       text >> VM_PAGE_SHIFT);
	if (!err)
		err = add_area(t, base + text + data, bss, DATA_FLAGS, NULL, 0);
	if (!err && heap) {
		err = mm_add_brk(t->vm, t, mm->start_brk, heap);
		mm->brk += heap;
	}
	return err ? err : add_stack(t);
}

static bool
image_fits(const struct vm *vm, const struct vm_image *i)
{
	va_t base = i->base ? i->base : vm->layout.image_base;

	return page_aligned(base) && base >= vm->sysctl.mmap_min_addr &&
	       i->text <= IMAGE_MOST && i->data <= IMAGE_MOST &&
	       i->bss <= IMAGE_MOST && i->heap <= IMAGE_MOST &&
	       base + 4 * (IMAGE_MOST + VM_PAGE) > base &&
	       base + page_align(i->text) + page_align(i->data) +
			       page_align(i->bss) + page_align(i->heap) <=
		       vm->layout.map_window - MIB(16);
}

/* CPUs that run @t load what it has now. */
static void
reload(struct task *t)
{
	struct vm *vm = t->vm;

	for (unsigned int i = 0; i < vm->nr_cpus; i++)
		if (vm->cpu[i].current == t) {
			vm->cpu[i].current = NULL;
			(void)vm_switch_to(vm, i, t);
		}
}

int
task_exec(struct task *t, const struct vm_image *image)
{
	struct vm *vm = t->vm;
	struct mm *old;
	char comm[TASK_COMM_LEN];
	int err;

	if (t->kthread || t->state == TASK_ZOMBIE || !image_fits(vm, image))
		return -EINVAL;
	if (t->asleep && (err = task_wake(t)))
		return err;
	old = t->mm;
	memcpy(comm, t->comm, sizeof(comm));
	t->mm = mm_new(vm, t->cpu, &err);
	if (!t->mm) {
		t->mm = old;
		return err;
	}
	if (image->comm)
		snprintf(t->comm, sizeof(t->comm), "%s", image->comm);
	err = load(t, image);
	if (err) {
		mm_put(t->mm, t->cpu);
		t->mm = old;
		memcpy(t->comm, comm, sizeof(comm));
		return err;
	}
	task_end_others(t);
	reload(t);
	if (old)
		mm_put(old, t->cpu);
	return 0;
}
