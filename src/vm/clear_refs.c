// SPDX-License-Identifier: MIT
/*
 * clear_refs.c - what tools write to the files of a task
 *
 * What it models: clear_refs_write and clear_refs_pte_range
 * (fs/proc/task_mmu.c), __set_oom_adj (fs/proc/base.c), __set_task_comm
 * (fs/exec.c).
 *
 * Differs from the kernel: referenced bits of entries are cleared, but as there
 * no TLB is told, so that an access which hits does not set them again.
 */
#include "kmemfs/vm/walk.h"

#include "vm_impl.h"

#include <errno.h>
#include <stdio.h>

#define OOM_ADJ_MOST 1000

struct clearing {
	struct vm *vm;
	unsigned int what;
};

/* Whether someone may have pinned a page that only this task writes. */
static bool
keeps_soft_dirty(const struct vm *vm, const struct vma *v,
		 const struct vm_mapping *m)
{
	return (m->entry & PTE_RW) && !(v->flags & VM_SHARED) &&
	       m->head != PFN_NONE && pg_pinned(vm, m->pfn);
}

static void
clear_one(void *user, const struct vma *v, const struct vm_mapping *m)
{
	struct clearing *c = user;
	struct vm *vm = c->vm;
	pa_t at = vm_entry_at(vm, v->mm, m->va, m->level);
	uint64_t entry = m->entry;

	if (c->what == CLEAR_REFS_SOFT_DIRTY) {
		if (keeps_soft_dirty(vm, v, m))
			return;
		entry &= ~(PTE_RW | vm->shape.soft_dirty);
	} else if (m->head != PFN_NONE) {
		entry &= ~(uint64_t)PTE_A;
		vm->pages[m->head].flags &= ~(uint32_t)VMP_REFERENCED;
	}
	if (entry != m->entry)
		pte_store(vm, at, entry);
}

static bool
is_meant(const struct vma *v, unsigned int what)
{
	if (v->flags & VM_PFNMAP)
		return false;
	if (what == CLEAR_REFS_ANON)
		return !v->object;
	return what != CLEAR_REFS_MAPPED || v->object;
}

int
vm_clear_refs(struct vm *vm, struct task *t, unsigned int what,
	      unsigned int cpu)
{
	struct clearing c = {vm, what};
	struct mm *mm = t->mm;

	if (what < CLEAR_REFS_ALL || what >= NR_CLEAR_REFS)
		return -EINVAL;
	if (!mm)
		return 0;
	if (what == CLEAR_REFS_HIWATER_RSS) {
		mm->hiwater_rss = mm_rss(mm);
		return 0;
	}
	/* An architecture without the bit has nothing to forget. */
	if (what == CLEAR_REFS_SOFT_DIRTY && !vm->shape.soft_dirty)
		return 0;
	for (guint i = 0; i < mm->areas->len; i++) {
		struct vma *v = vma_nth(mm, i);

		if (what == CLEAR_REFS_SOFT_DIRTY)
			v->flags &= ~(uint64_t)VM_SOFTDIRTY;
		if (is_meant(v, what))
			vm_walk(vm, v, v->start, v->end, clear_one, &c);
	}
	if (what == CLEAR_REFS_SOFT_DIRTY) {
		vm->generation++;
		flush_mm(vm, mm, cpu);
	}
	return 0;
}

int
task_set_oom_score_adj(struct task *t, int64_t value)
{
	struct vm *vm = t->vm;

	if (value < -OOM_ADJ_MOST || value > OOM_ADJ_MOST)
		return -EINVAL;
	for (struct task *o = task_next(vm, 0); o; o = task_next(vm, o->pid))
		if (o->tgid == t->tgid ||
		    (t->mm && o->mm == t->mm && o->tgid != 1))
			o->oom_score_adj = (int)value;
	return 0;
}

void
task_set_comm(struct task *t, const char *comm)
{
	snprintf(t->comm, sizeof(t->comm), "%s", comm);
}
