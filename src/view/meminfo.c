// SPDX-License-Identifier: MIT
/*
 * meminfo.c - /proc/meminfo and a node's part of it
 *
 * What it models: fs/proc/meminfo.c and drivers/base/node.c of Linux 6.1: the
 * lines, their order and widths, and which kernels have which of them.
 * How it works: each file is a table of lines; a line is a constant zero, a sum
 * of counters of zones or nodes, or a function.
 * Differs from the kernel: DirectMap* is the map as boot makes it, before the
 * kernel splits large pages to protect its own image.
 */
#include "kmemfs/show.h"
#include "kmemfs/view/kernel.h"
#include "kmemfs/view/sums.h"
#include "kmemfs/vm/hugetlb.h"
#include "kmemfs/vm/kernel.h"

/* What a line asks about: all memory, or one node's. */
struct about {
	const struct phys *phys;
	const struct node *node; /* NULL: all */
	const struct percpu *pc;
	const struct vm *vm;
};

enum line_kind {
	LINE_ZERO,    /* nothing of it is modelled: 0 kB */
	LINE_COUNT,   /* get(), without a unit */
	LINE_ZONE,    /* pages: zones' counter @stat */
	LINE_NODE,    /* pages: nodes' counter @stat */
	LINE_NODE_KB, /* nodes' counter @stat is in KiB */
	LINE_PAGES,   /* pages: get() */
	LINE_KB,      /* KiB: get() */
};

#define NEED_NONE (-1)

struct line {
	const char *name; /* with its colon and padding */
	enum line_kind kind;
	int stat, stat2; /* stat2 is added; -1: none */
	int need;	 /* enum kernel_feature, or NEED_NONE */
	uint64_t (*get)(const struct about *a);
	unsigned int width; /* of the number, in columns */
};

static uint64_t
total(const struct about *a)
{
	return sum_managed(a->phys, a->node);
}

static uint64_t
used(const struct about *a)
{
	return total(a) - sum_zones(a->phys, a->node, ZS_nr_free_pages);
}

static uint64_t
available(const struct about *a)
{
	return phys_available(a->phys);
}

static uint64_t
cached(const struct about *a)
{
	uint64_t files = sum_nodes(a->phys, a->node, NS_nr_file_pages);
	uint64_t swap = sum_nodes(a->phys, a->node, NS_nr_swapcached);

	return files > swap ? files - swap : 0;
}

static uint64_t
high_total(const struct about *a)
{
	return sum_high_managed(a->phys, a->node);
}

static uint64_t
high_free(const struct about *a)
{
	return sum_high_free(a->phys, a->node);
}

static uint64_t
low_total(const struct about *a)
{
	return total(a) - high_total(a);
}

static uint64_t
low_free(const struct about *a)
{
	return sum_zones(a->phys, a->node, ZS_nr_free_pages) - high_free(a);
}

static uint64_t
percpu(const struct about *a)
{
	return percpu_frames(a->pc);
}

static uint64_t
commit_limit(const struct about *a)
{
	return vm_commit_limit(a->vm);
}

static uint64_t
committed(const struct about *a)
{
	return a->vm->committed;
}

static uint64_t
vmalloc_used(const struct about *a)
{
	return a->vm->kernel->vmalloc_pages;
}

/* mm.h, pgtable_64_types.h, pgtable_32_areas.h: VMALLOC_END - VMALLOC_START. */
static uint64_t
vmalloc_total(const struct about *a)
{
	const struct phys *phys = a->phys;
	va_t start = phys->arch->page_offset +
		     (phys->max_low_pfn << phys->page_shift) + MIB(8);

	if (phys->arch == &archs[ARCH_I386])
		return (0xfebfe000 - start) >> 10;
	if (phys->arch == &archs[ARCH_I386_PAE])
		return (0xfeffe000 - start) >> 10;
	return ((1ULL << 45) - 1) >> 10;
}

static uint64_t
cma_total(const struct about *a)
{
	return (a->phys->cma.end - a->phys->cma.start) >> a->phys->page_shift;
}

/* The direct map as boot makes it, by leaves of @level. */
static uint64_t
direct(const struct about *a, unsigned int level)
{
	uint64_t bytes[3];

	kernel_direct_bytes(a->vm, bytes);
	return bytes[level] >> 10;
}

static uint64_t
direct_small(const struct about *a)
{
	return direct(a, 0);
}

static void
put_direct(struct out *out, const char *name, uint64_t kib)
{
	out_str(out, name);
	out_u64_pad(out, kib, 8);
	out_str(out, " kB\n");
}

static uint64_t
huge_size(const struct about *a)
{
	return pages_kb(a->phys, 1ULL << kernel_huge_order(a->phys));
}

/* --- the pool of huge pages: hugetlb_report_meminfo --- */

static uint64_t
pool_total(const struct about *a)
{
	const struct hugetlb *h = a->vm->hugetlb;

	if (!h)
		return 0;
	return a->node ? h->node[a->node->id].nr : h->nr;
}

static uint64_t
pool_free(const struct about *a)
{
	const struct hugetlb *h = a->vm->hugetlb;

	if (!h)
		return 0;
	return a->node ? h->node[a->node->id].free : h->free;
}

static uint64_t
pool_reserved(const struct about *a)
{
	return a->vm->hugetlb ? a->vm->hugetlb->resv : 0;
}

static uint64_t
pool_surplus(const struct about *a)
{
	const struct hugetlb *h = a->vm->hugetlb;

	if (!h)
		return 0;
	return a->node ? h->node[a->node->id].surplus : h->surplus;
}

static uint64_t
pool_pages(const struct about *a)
{
	return a->vm->hugetlb ? pool_total(a) << a->vm->hugetlb->order : 0;
}

#define LINE(...) {__VA_ARGS__},
#define ZERO(name, need) LINE(name, LINE_ZERO, -1, -1, need, NULL, 8)
#define NARROW(name, need) LINE(name, LINE_ZERO, -1, -1, need, NULL, 5)
#define COUNT(name, need, get) LINE(name, LINE_COUNT, -1, -1, need, get, 5)
#define ZONES(name, need, s) LINE(name, LINE_ZONE, ZS_##s, -1, need, NULL, 8)
#define NODES(name, need, s) LINE(name, LINE_NODE, NS_##s, -1, need, NULL, 8)
#define NODES_KB(name, need, s)                                                \
	LINE(name, LINE_NODE_KB, NS_##s, -1, need, NULL, 8)
#define SUM(name, need, s, t)                                                  \
	LINE(name, LINE_NODE, NS_##s, NS_##t, need, NULL, 8)
#define PAGES(name, need, get) LINE(name, LINE_PAGES, -1, -1, need, get, 8)
#define KB(name, need, get) LINE(name, LINE_KB, -1, -1, need, get, 8)

static const struct line meminfo_lines[] = {
#include "meminfo.def"
};

static const struct line node_lines[] = {
#include "meminfo_node.def"
};

/* The line's number in KiB (a plain count for LINE_COUNT). */
static uint64_t
line_value(const struct line *line, const struct about *a)
{
	uint64_t pages;

	switch (line->kind) {
	case LINE_ZERO:
		return 0;
	case LINE_COUNT:
	case LINE_KB:
		return line->get(a);
	case LINE_NODE_KB:
		return sum_nodes(a->phys, a->node, line->stat);
	case LINE_ZONE:
		pages = sum_zones(a->phys, a->node, line->stat);
		break;
	case LINE_NODE:
		pages = sum_nodes(a->phys, a->node, line->stat);
		if (line->stat2 >= 0)
			pages += sum_nodes(a->phys, a->node, line->stat2);
		break;
	case LINE_PAGES:
	default:
		pages = line->get(a);
	}
	return pages_kb(a->phys, pages);
}

static void
put_line(struct out *out, const struct line *line, const struct about *a)
{
	if (line->need != NEED_NONE && !kernel_has(a->phys, line->need))
		return;
	if (a->node) {
		out_str(out, "Node ");
		out_u64(out, a->node->id);
		out_char(out, ' ');
	}
	out_str(out, line->name);
	out_u64_pad(out, line_value(line, a), line->width);
	out_str(out, line->kind == LINE_COUNT ? "\n" : " kB\n");
}

void
show_meminfo(const struct view *v, struct out *out)
{
	struct about a = {v->m->phys, NULL, v->m->percpu, v->m->vm};
	bool pse = v->m->phys->arch == &archs[ARCH_I386];

	for (size_t i = 0; i < ARRAY_SIZE(meminfo_lines); i++)
		put_line(out, &meminfo_lines[i], &a);
	put_direct(out, pse ? "DirectMap4M:    " : "DirectMap2M:    ",
		   direct(&a, 1));
	if (v->m->vm->boot_regs.gb_pages)
		put_direct(out, "DirectMap1G:    ", direct(&a, 2));
}

void
show_node_meminfo(const struct view *v, struct out *out)
{
	struct about a = {v->m->phys, view_node(v), v->m->percpu, v->m->vm};

	for (size_t i = 0; i < ARRAY_SIZE(node_lines); i++)
		put_line(out, &node_lines[i], &a);
}
