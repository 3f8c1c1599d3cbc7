// SPDX-License-Identifier: MIT
/*
 * proc_maps.c - /proc/PID/maps and numa_maps: areas, and where their pages lie
 *
 * What it models: show_map_vma, show_numa_map (fs/proc/task_mmu.c),
 * mpol_to_str (mm/mempolicy.c) of 6.1.
 *
 * Differs from the kernel: modelled files lie in one directory, the root, of
 * one file system, 08:01; an inode's number there is the file's serial number.
 */
#include "kmemfs/show.h"
#include "kmemfs/view/kernel.h"
#include "kmemfs/view/sums.h"
#include "kmemfs/vm/mempolicy.h"

#include "proc_impl.h"

#include <inttypes.h>

#define FILES_DEV "08:01"
#define SHMEM_DEV "00:01"
#define NO_DEV "00:00"

/* --- columns -------------------------------------------------------------- */

static bool
is_wide(const struct vm *vm)
{
	return vm->layout.task_size > UINT32_MAX;
}

void
proc_put_rights(uint64_t flags, struct out *out)
{
	out_char(out, flags & VM_READ ? 'r' : '-');
	out_char(out, flags & VM_WRITE ? 'w' : '-');
	out_char(out, flags & VM_EXEC ? 'x' : '-');
	out_char(out, flags & VM_MAYSHARE ? 's' : 'p');
}

static void
put_columns(va_t start, va_t end, uint64_t flags, uint64_t offset,
	    const char *dev, uint32_t inode, struct out *out)
{
	out_hex_pad(out, start, 8);
	out_char(out, '-');
	out_hex_pad(out, end, 8);
	out_char(out, ' ');
	proc_put_rights(flags, out);
	out_char(out, ' ');
	out_hex_pad(out, offset, 8);
	out_printf(out, " %s %u ", dev, inode);
}

/* Blanks up to the column of names: 25 and three addresses on, one at least. */
static void
pad_to_name(const struct vm *vm, size_t line, struct out *out)
{
	size_t width = 25 + (is_wide(vm) ? 48 : 24) - 1;

	while (out->len - line < width)
		out_char(out, ' ');
	out_char(out, ' ');
}

bool
proc_put_file(const struct vma *v, struct out *out)
{
	if (!v->object)
		return false;
	if (v->object->name)
		out_char(out, '/');
	out_str(out, vma_name(v));
	return true;
}

void
proc_put_area(const struct vma *v, struct out *out)
{
	const struct vm_object *o = v->object;
	const char *dev = !o ? NO_DEV : o->name ? FILES_DEV : SHMEM_DEV;
	size_t line = out->len;

	put_columns(v->start, v->end, v->flags,
		    o ? v->pgoff << VM_PAGE_SHIFT : 0, dev, o ? o->id : 0, out);
	if (!*vma_name(v))
		return;
	pad_to_name(v->mm->vm, line, out);
	if (!proc_put_file(v, out))
		out_str(out, vma_name(v));
}

void
proc_put_range(const struct vm *vm, va_t start, va_t end, uint64_t flags,
	       const char *name, struct out *out)
{
	size_t line = out->len;

	put_columns(start, end, flags, 0, NO_DEV, 0, out);
	pad_to_name(vm, line, out);
	out_str(out, name);
}

void
show_pid_maps(const struct view *v, struct out *out)
{
	const struct mm *mm = proc_mm(v);
	const struct vma *area;

	for (guint n = 0; (area = proc_area(mm, n)); n++) {
		proc_put_area(area, out);
		out_char(out, '\n');
	}
}

/* --- numa_maps ------------------------------------------------------------ */

#define NODES_MOST 1024

/* What the entries of an area map, in pages. */
struct places {
	const struct vm *vm;
	uint64_t pages, anon, active, dirty;
	uint32_t most_mapped;
	uint64_t node[NODES_MOST];
};

static void
count_page(void *user, const struct vma *v, const struct vm_mapping *m)
{
	struct places *p = user;
	const struct phys *phys = p->vm->phys;
	const struct vm_page *page;
	unsigned int nid;
	uint64_t nr = v->flags & VM_HUGETLB ? 1 : m->pages;

	if (m->head == PFN_NONE)
		return;
	page = vm_page_of(p->vm, m->head);
	p->pages += nr;
	if (m->dirty || (page->flags & VMP_DIRTY))
		p->dirty += nr;
	/* Locked pages are unevictable. */
	if (page->flags & (VMP_ACTIVE | VMP_MLOCKED))
		p->active += nr;
	if (page->flags & VMP_ANON)
		p->anon += nr;
	p->most_mapped = MAX_OF(p->most_mapped, vm_mapcount(p->vm, m->pfn));
	nid = phys->zones[phys->frames[m->head].zone]->node->id;
	p->node[MIN_OF(nid, NODES_MOST - 1U)] += nr;
}

static void
put_policy(int mode, uint32_t flags, uint64_t nodes, struct out *out)
{
	const char *before = ":";

	out_str(out, mempolicy_names[mode]);
	if (flags & MPOL_F_STATIC_NODES)
		out_str(out, "=static");
	else if (flags & MPOL_F_RELATIVE_NODES)
		out_str(out, "=relative");
	for (unsigned int i = 0; i < 64; i++) {
		unsigned int last = i;

		if (!(nodes >> i & 1))
			continue;
		while (last < 63 && nodes >> (last + 1) & 1)
			last++;
		out_str(out, before);
		out_u64(out, i);
		if (last > i) {
			out_char(out, '-');
			out_u64(out, last);
		}
		before = ",";
		i = last;
	}
}

static void
put_count(struct out *out, const char *key, uint64_t value)
{
	out_str(out, key);
	out_u64(out, value);
}

static void
put_places(const struct places *p, const struct vma *v, struct out *out)
{
	bool huge = v->flags & VM_HUGETLB;
	unsigned int order = huge ? kernel_huge_order(p->vm->phys) : 0;

	if (!p->pages)
		return;
	if (p->anon)
		put_count(out, " anon=", p->anon);
	if (p->dirty)
		put_count(out, " dirty=", p->dirty);
	if (p->pages != p->anon && p->pages != p->dirty)
		put_count(out, " mapped=", p->pages);
	if (p->most_mapped > 1)
		put_count(out, " mapmax=", p->most_mapped);
	if (p->active < p->pages && !huge)
		put_count(out, " active=", p->active);
	for (unsigned int i = 0; i < NODES_MOST; i++)
		if (p->node[i])
			out_printf(out, " N%u=%" PRIu64, i, p->node[i]);
	put_count(out, " kernelpagesize_kB=", VM_PAGE >> 10 << order);
}

static void
put_numa_area(const struct task *t, const struct vma *v, struct out *out)
{
	struct places p = {.vm = t->vm};
	const struct mm *mm = v->mm;

	out_hex_pad(out, v->start, 8);
	out_char(out, ' ');
	if (v->policy != MPOL_DEFAULT)
		put_policy(v->policy, v->policy_flags, v->policy_nodes, out);
	else
		put_policy(t->policy, t->policy_flags, t->policy_nodes, out);
	if (v->object) {
		out_str(out, " file=");
		proc_put_file(v, out);
	} else if (v->start <= mm->brk && v->end >= mm->start_brk) {
		out_str(out, " heap");
	} else if (v->start <= mm->start_stack && v->end >= mm->start_stack) {
		out_str(out, " stack");
	}
	if (v->flags & VM_HUGETLB)
		out_str(out, " huge");
	vm_walk(t->vm, v, v->start, v->end, count_page, &p);
	put_places(&p, v, out);
	out_char(out, '\n');
}

void
show_pid_numa_maps(const struct view *v, struct out *out)
{
	const struct task *t = proc_task(v);
	const struct vma *area;

	for (guint n = 0; t && (area = proc_area(t->mm, n)); n++)
		put_numa_area(t, area, out);
}
