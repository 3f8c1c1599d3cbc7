// SPDX-License-Identifier: MIT
/*
 * mm.c - address spaces as a whole: made, copied, torn down
 *
 * What it models: mm_init, dup_mmap, exit_mmap (kernel/fork.c, mm/mmap.c),
 * arch_pick_mmap_layout (arch/x86/mm/mmap.c).
 *
 * Always true: when the last user has gone, so have all frames of its tables
 * and all that only it mapped.
 */
#include "vm_impl.h"

#include <errno.h>
#include <inttypes.h>

struct mm *
mm_new(struct vm *vm, unsigned int cpu, int *err)
{
	struct mm *mm;

	if (vm->last_mm >= OWNER_NUMBER_MAX) {
		*err = -ENOMEM;
		return NULL;
	}
	mm = g_new0(struct mm, 1);
	mm->vm = vm;
	mm->id = vm->last_mm + 1;
	mm->users = 1;
	mm->gen = 1;
	mm->areas = g_ptr_array_new();
	mm->cpus = g_new0(uint64_t, (vm->nr_cpus + 63) / 64);
	*err = pt_new(vm, mm, cpu);
	if (*err) {
		g_ptr_array_free(mm->areas, TRUE);
		g_free(mm->cpus);
		g_free(mm);
		return NULL;
	}
	vm->last_mm++;
	g_ptr_array_add(vm->mms, mm);
	return mm;
}

void
mm_get(struct mm *mm)
{
	mm->users++;
}

uint64_t
mm_rss(const struct mm *mm)
{
	int64_t rss = mm->counter[MM_FILEPAGES] + mm->counter[MM_ANONPAGES] +
		      mm->counter[MM_SHMEMPAGES];

	return (uint64_t)MAX_OF(rss, 0);
}

void
mm_update_hiwater(struct mm *mm)
{
	mm->hiwater_rss = MAX_OF(mm->hiwater_rss, mm_rss(mm));
	mm->hiwater_vm = MAX_OF(mm->hiwater_vm, mm->total_vm);
}

/* Bottom of what mmap gives, downwards from below the stack. */
void
mm_layout(struct vm *vm, struct mm *mm, const struct task *t)
{
	uint64_t gap = t->rlimit[LIMIT_STACK];
	uint64_t pad = vm->sysctl.stack_guard_gap << VM_PAGE_SHIFT;
	uint64_t most = vm->layout.map_window / 6 * 5;

	if (gap + pad > gap)
		gap += pad;
	gap = MIN_OF(MAX_OF(gap, MIB(128)), most);
	mm->mmap_base = page_align(vm->layout.map_window - gap);
}

struct mm *
task_mm(struct vm *vm, struct task *t)
{
	if (!t || t->vm != vm || t->state == TASK_ZOMBIE || task_wake(t))
		return NULL;
	vm->acting = t;
	return t->mm;
}

/* --- the end ------------------------------------------------------------ */

/* Tables of neighbouring areas go together, so that what lies between goes. */
static void
free_tables(struct gather *g, struct mm *mm)
{
	uint64_t span = 1ULL << mm->vm->shape.shift[1];
	guint i = 0;

	while (i < mm->areas->len) {
		const struct vma *first = vma_nth(mm, i), *last = first;
		const struct vma *next = vma_nth(mm, ++i);

		while (next && next->start <= last->end + span) {
			last = next;
			next = vma_nth(mm, ++i);
		}
		pt_free_range(g, first->start, last->end, 0,
			      next ? next->start : 0);
	}
}

/* check_mm() */
static void
check_counters(struct vm *vm, const struct mm *mm)
{
	static const char *const names[NR_MM_COUNTERS] = {
		"MM_FILEPAGES",
		"MM_ANONPAGES",
		"MM_SWAPENTS",
		"MM_SHMEMPAGES",
	};

	for (int i = 0; i < NR_MM_COUNTERS; i++)
		if (mm->counter[i])
			vm_printk(vm,
				  "BUG: Bad rss-counter state mm:%016x type:%s "
				  "val:%" PRId64,
				  mm->id, names[i], mm->counter[i]);
	/* Those of PAE that are there from the start are not pages of it. */
	if (mm->pgtables && vm->mode != MMU_PAE)
		vm_printk(vm,
			  "BUG: non-zero pgtables_bytes on freeing mm: "
			  "%" PRIu64,
			  mm->pgtables << VM_PAGE_SHIFT);
}

static void
exit_mmap(struct mm *mm, unsigned int cpu)
{
	struct vm *vm = mm->vm;
	uint64_t accounted = 0;
	struct gather g;

	gather_init(&g, mm, cpu);
	for (guint i = 0; i < mm->areas->len; i++) {
		struct vma *v = vma_nth(mm, i);

		if (v->flags & VM_ACCOUNT)
			accounted += vma_pages(v);
		zap_range(&g, v, v->start, v->end);
	}
	free_tables(&g, mm);
	gather_finish(&g);
	while (mm->areas->len) {
		struct vma *v = vma_nth(mm, mm->areas->len - 1);

		g_ptr_array_set_size(mm->areas, (gint)mm->areas->len - 1);
		vma_free(v, cpu);
	}
	vm_uncommit(vm, accounted);
}

void
mm_put(struct mm *mm, unsigned int cpu)
{
	struct vm *vm = mm->vm;

	if (--mm->users)
		return;
	exit_mmap(mm, cpu);
	thp_mm_gone(vm, mm);
	flush_gone(vm, mm);
	check_counters(vm, mm);
	pt_free(vm, mm, cpu);
	if (vm->hooks.areas_gone)
		vm->hooks.areas_gone(vm->hooks.user, mm, 0,
				     vm->layout.task_size);
	g_ptr_array_remove(vm->mms, mm);
	g_ptr_array_free(mm->areas, TRUE);
	g_free(mm->cpus);
	g_free(mm);
}
