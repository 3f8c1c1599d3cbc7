// SPDX-License-Identifier: MIT
/*
 * proc_smaps.c - /proc/PID/smaps and smaps_rollup: what areas have in memory
 *
 * What it models: smap_gather_stats, smaps_account, show_smap_vma_flags
 * (fs/proc/task_mmu.c) of 6.1.
 *
 * How it works: entries are walked, each page adds to sums of bytes; the share
 * of a page that has N entries is its bytes divided by N, kept with 12 bits
 * behind the point.  The lines are a table of names and sums.
 *
 * Always true: Rss = Shared_Clean + Shared_Dirty + Private_Clean +
 * Private_Dirty.
 */
#include "kmemfs/show.h"
#include "kmemfs/view/kernel.h"
#include "kmemfs/vm/thp.h"

#include "proc_impl.h"

#include <stddef.h>

#define PSS_SHIFT 12

/* Bytes; those named pss << PSS_SHIFT. */
struct sums {
	const struct vm *vm;
	uint64_t rss, pss, pss_dirty, pss_anon, pss_file, pss_shmem, pss_locked;
	uint64_t shared_clean, shared_dirty, private_clean, private_dirty;
	uint64_t referenced, anonymous, lazyfree;
	uint64_t anon_thp, shmem_thp, file_thp;
	uint64_t shared_hugetlb, private_hugetlb, swap, swap_pss;
};

/* --- counting ------------------------------------------------------------- */

/* @bytes of the page at hand, which so many entries map. */
static void
add_part(struct sums *s, const struct vm_page *page, uint64_t bytes,
	 uint32_t entries, bool dirty, bool locked)
{
	uint64_t pss = (bytes << PSS_SHIFT) / MAX_OF(entries, 1U);
	bool own = entries < 2;

	s->pss += pss;
	if (page->flags & VMP_ANON)
		s->pss_anon += pss;
	else if (page->flags & VMP_SWAPBACKED)
		s->pss_shmem += pss;
	else
		s->pss_file += pss;
	if (locked)
		s->pss_locked += pss;
	if (dirty) {
		s->pss_dirty += pss;
		*(own ? &s->private_dirty : &s->shared_dirty) += bytes;
	} else {
		*(own ? &s->private_clean : &s->shared_clean) += bytes;
	}
}

static void
add_large(struct sums *s, const struct vm_page *page, uint64_t bytes)
{
	if (page->flags & VMP_ANON)
		s->anon_thp += bytes;
	else if (page->flags & VMP_SWAPBACKED)
		s->shmem_thp += bytes;
	else
		s->file_thp += bytes;
}

static void
add_hugetlb(struct sums *s, const struct vm_mapping *m)
{
	uint64_t bytes = m->pages << VM_PAGE_SHIFT;

	if (vm_mapcount(s->vm, m->pfn) >= 2)
		s->shared_hugetlb += bytes;
	else
		s->private_hugetlb += bytes;
}

static void
add_mapping(void *user, const struct vma *v, const struct vm_mapping *m)
{
	struct sums *s = user;
	uint64_t bytes = m->pages << VM_PAGE_SHIFT;
	bool locked = v->flags & VM_LOCKED, dirty;
	const struct vm_page *page;

	if (m->head == PFN_NONE)
		return;
	if (v->flags & VM_HUGETLB) {
		add_hugetlb(s, m);
		return;
	}
	page = vm_page_of(s->vm, m->head);
	dirty = m->dirty || (page->flags & VMP_DIRTY);
	if (m->level)
		add_large(s, page, bytes);
	if (page->flags & VMP_ANON) {
		s->anonymous += bytes;
		if (!(page->flags & VMP_SWAPBACKED) && !dirty)
			s->lazyfree += bytes;
	}
	s->rss += bytes;
	if (m->young || (page->flags & VMP_REFERENCED))
		s->referenced += bytes;
	/* With one reference there is one entry. */
	if (s->vm->phys->frames[m->head].refs == 1) {
		add_part(s, page, bytes, 1, dirty, locked);
		return;
	}
	for (uint64_t i = 0; i < m->pages; i++)
		add_part(s, page, VM_PAGE, vm_mapcount(s->vm, m->pfn + i),
			 dirty, locked);
}

/* --- lines ---------------------------------------------------------------- */

enum where { BOTH, ROLLUP };

static const struct {
	const char *name;
	size_t at;
	unsigned int shift; /* to KiB */
	unsigned int width;
	enum where where;
} lines[] = {
#define BYTES(name, field)                                                     \
	{                                                                      \
		name, offsetof(struct sums, field), 10, 8, BOTH                \
	}
#define PSS(name, field, where)                                                \
	{                                                                      \
		name, offsetof(struct sums, field), PSS_SHIFT + 10, 8, where   \
	}
	BYTES("Rss:            ", rss),
	PSS("Pss:            ", pss, BOTH),
	PSS("Pss_Dirty:      ", pss_dirty, BOTH),
	PSS("Pss_Anon:       ", pss_anon, ROLLUP),
	PSS("Pss_File:       ", pss_file, ROLLUP),
	PSS("Pss_Shmem:      ", pss_shmem, ROLLUP),
	BYTES("Shared_Clean:   ", shared_clean),
	BYTES("Shared_Dirty:   ", shared_dirty),
	BYTES("Private_Clean:  ", private_clean),
	BYTES("Private_Dirty:  ", private_dirty),
	BYTES("Referenced:     ", referenced),
	BYTES("Anonymous:      ", anonymous),
	BYTES("LazyFree:       ", lazyfree),
	BYTES("AnonHugePages:  ", anon_thp),
	BYTES("ShmemPmdMapped: ", shmem_thp),
	BYTES("FilePmdMapped:  ", file_thp),
	BYTES("Shared_Hugetlb: ", shared_hugetlb),
	{"Private_Hugetlb: ", offsetof(struct sums, private_hugetlb), 10, 7,
				  BOTH},
	BYTES("Swap:           ", swap),
	PSS("SwapPss:        ", swap_pss, BOTH),
	PSS("Locked:         ", pss_locked, BOTH),
#undef BYTES
#undef PSS
};

static void
put_kb(struct out *out, const char *name, uint64_t kb, unsigned int width)
{
	out_str(out, name);
	out_u64_pad(out, kb, width);
	out_str(out, " kB\n");
}

static void
put_sums(const struct sums *s, bool rollup, struct out *out)
{
	const char *base = (const char *)s;

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		const void *at = base + lines[i].at;

		if (lines[i].where == BOTH || rollup)
			put_kb(out, lines[i].name,
			       *(const uint64_t *)at >> lines[i].shift,
			       lines[i].width);
	}
}

/* By bit number; "" is a flag that is shown elsewhere. */
static const char *const flag_names[] = {
	"rd", "wr", "ex", "sh", "mr", "mw", "me", "ms", "gd", "um", "pf",
	"??", "uw", "lo", "io", "sr", "rr", "dc", "de", "??", "ac", "nr",
	"ht", "sf", "ar", "wf", "dd", "sd", "mm", "hg", "nh", "mg",
};

static void
put_flags(const struct vm *vm, uint64_t flags, struct out *out)
{
	/* Without the bit in entries the kernel has no such flag. */
	if (!vm->shape.soft_dirty)
		flags &= ~(uint64_t)VM_SOFTDIRTY;
	out_str(out, "VmFlags: ");
	for (size_t i = 0; i < ARRAY_SIZE(flag_names); i++)
		if (flags >> i & 1) {
			out_str(out, flag_names[i]);
			out_char(out, ' ');
		}
	out_char(out, '\n');
}

static void
put_area(const struct vm *vm, const struct vma *v, struct out *out)
{
	struct sums s = {.vm = vm};
	unsigned int order =
		v->flags & VM_HUGETLB ? kernel_huge_order(vm->phys) : 0;

	vm_walk(vm, v, v->start, v->end, add_mapping, &s);
	proc_put_area(v, out);
	out_char(out, '\n');
	put_kb(out, "Size:           ", (v->end - v->start) >> 10, 8);
	put_kb(out, "KernelPageSize: ", VM_PAGE >> 10 << order, 8);
	put_kb(out, "MMUPageSize:    ", VM_PAGE >> 10 << order, 8);
	put_sums(&s, false, out);
	out_printf(out, "THPeligible:    %d\n", thp_eligible(vm, v));
	put_flags(vm, v->flags, out);
}

void
show_pid_smaps(const struct view *v, struct out *out)
{
	const struct mm *mm = proc_mm(v);
	const struct vma *area;

	for (guint n = 0; (area = proc_area(mm, n)); n++)
		put_area(v->m->vm, area, out);
}

/* It is there to be written; who copies all files reads it. */
void
show_pid_clear_refs(const struct view *v, struct out *out)
{
	(void)v;
	(void)out;
}

void
show_pid_smaps_rollup(const struct view *v, struct out *out)
{
	const struct vm *vm = v->m->vm;
	const struct mm *mm = proc_mm(v);
	const struct vma *area, *last = NULL;
	struct sums s = {.vm = vm};

	for (guint n = 0; (area = proc_area(mm, n)); n++) {
		vm_walk(vm, area, area->start, area->end, add_mapping, &s);
		last = area;
	}
	/* Without an address space the kernel says ESRCH. */
	if (!mm)
		return;
	proc_put_range(vm, last ? proc_area(mm, 0)->start : 0,
		       last ? last->end : 0, 0, "[rollup]", out);
	out_char(out, '\n');
	put_sums(&s, true, out);
}
