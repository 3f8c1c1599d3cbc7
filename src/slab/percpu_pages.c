// SPDX-License-Identifier: MIT
/*
 * percpu_pages.c - address space of per-CPU chunks, and the frames behind it
 *
 * What it models: pcpu_alloc_pages, pcpu_populate_chunk, pcpu_depopulate_chunk,
 *                 pcpu_create_chunk (mm/percpu-vm.c), pcpu_get_vm_areas
 *                 (mm/vmalloc.c) of 6.1.192.
 * How it works:   chunks lie in the vmalloc area from its top down, all units
 *                 of one next to each other; a page of a chunk gets a frame on
 *                 each CPU's node, or on none.
 * Differs from the kernel: the first chunk lies at the bottom of the vmalloc
 *                 area, as with percpu_alloc=page, and takes no frame before a
 *                 page of it is used: the machines of today leave the boot's
 *                 per-CPU areas free.  No page table leads to any of them.
 */
#include "percpu_impl.h"

#include <errno.h>
#include <string.h>

static uint64_t
area_bytes(const struct percpu *pc)
{
	return (uint64_t)pc->nr_units * pc->unit_size;
}

/* The highest free place below the end of the vmalloc area; 0: none. */
static va_t
find_place(const struct percpu *pc)
{
	uint64_t bytes = area_bytes(pc);
	va_t end = round_down_to(pc->vmalloc_end, page_size(pc->phys));
	bool moved = true;

	while (moved) {
		moved = false;
		if (end < pc->vmalloc_start || end - pc->vmalloc_start < bytes)
			return 0;
		for (guint i = 0; i < pc->areas->len; i++) {
			const struct percpu_area *a = pc->areas->pdata[i];

			if (!a || a->base >= end ||
			    a->base + bytes <= end - bytes)
				continue;
			end = a->base;
			moved = true;
		}
		if (!moved && pc->space.conflict) {
			va_t start = pc->space.conflict(pc->space.user,
							end - bytes, end);

			moved = start;
			end = start ? round_down_to(start, page_size(pc->phys))
				    : end;
		}
	}
	return end - bytes;
}

struct percpu_area *
percpu_area_new(struct percpu *pc, va_t base)
{
	struct percpu_area *area;

	if (!base)
		base = find_place(pc);
	if (!base)
		return NULL;
	area = g_new0(struct percpu_area, 1);
	area->id = pc->areas->len;
	area->base = base;
	area->unit_pages = pc->unit_size >> pc->phys->page_shift;
	area->frames = g_new0(pfn_t, pc->nr_cpus * area->unit_pages);
	g_ptr_array_add(pc->areas, area);
	if (pc->space.area)
		pc->space.area(pc->space.user, base, base + area_bytes(pc),
			       false);
	return area;
}

void
percpu_area_free(struct percpu *pc, struct percpu_area *area)
{
	if (pc->space.area)
		pc->space.area(pc->space.user, area->base,
			       area->base + area_bytes(pc), true);
	pc->areas->pdata[area->id] = NULL;
	g_free(area->frames);
	g_free(area);
}

static pfn_t *
frame_slot(struct percpu_area *area, unsigned int cpu, uint64_t page)
{
	return &area->frames[cpu * area->unit_pages + page];
}

pfn_t
percpu_frame_at(const struct percpu *pc, va_t va)
{
	for (guint i = 0; i < pc->areas->len; i++) {
		struct percpu_area *a = pc->areas->pdata[i];
		uint64_t off = a ? va - a->base : UINT64_MAX;
		pfn_t pfn = 0;

		if (off >= area_bytes(pc))
			continue;
		for (unsigned int cpu = 0; cpu < pc->nr_cpus; cpu++)
			if (pc->unit[cpu] == off / pc->unit_size)
				pfn = *frame_slot(a, cpu,
						  off % pc->unit_size >>
							  pc->phys->page_shift);
		return pfn ? pfn : PFN_NONE;
	}
	return PFN_NONE;
}

/* alloc_pages_node(cpu_to_node(@unit_cpu), gfp | __GFP_HIGHMEM, 0) */
static int
take_frame(struct percpu *pc, struct percpu_area *area, unsigned int unit_cpu,
	   uint64_t page, gfp_t gfp, unsigned int cpu)
{
	const struct page_request request = {
		.gfp = gfp | __GFP_HIGHMEM,
		.nid = pc->phys->cpu_node[unit_cpu],
		.cpu = cpu,
		.context = gfp & __GFP_DIRECT_RECLAIM ? CONTEXT_PROCESS
						      : CONTEXT_ATOMIC,
	};
	pfn_t pfn;
	int err = pages_alloc_warn(pc->phys, &request, &pfn);

	if (err)
		return -ENOMEM;
	pc->phys->frames[pfn].owner =
		frame_owner(OWNER_PERCPU, area->id & OWNER_NUMBER_MAX);
	*frame_slot(area, unit_cpu, page) = pfn;
	area->held++;
	return 0;
}

static void
drop_frame(struct percpu *pc, struct percpu_area *area, unsigned int unit_cpu,
	   uint64_t page, unsigned int cpu)
{
	pfn_t *pfn = frame_slot(area, unit_cpu, page);
	const struct frame *f = &pc->phys->frames[*pfn];
	uint32_t number;

	if (!*pfn)
		return;
	/* Somebody may have freed it by its address. */
	if (f->state == FRAME_ALLOCATED &&
	    frame_owned_by(f->owner, OWNER_PERCPU, &number) &&
	    number == (area->id & OWNER_NUMBER_MAX))
		pages_put(pc->phys, *pfn, 0, cpu);
	*pfn = 0;
	area->held--;
	if (pc->space.page_gone)
		pc->space.page_gone(pc->space.user,
				    area->base +
					    pc->unit[unit_cpu] * pc->unit_size +
					    (page << pc->phys->page_shift));
}

int
percpu_touch(struct percpu *pc, struct percpu_area *area, unsigned int cpu,
	     uint64_t page, gfp_t gfp)
{
	unsigned int shift = pc->phys->page_shift;
	int err;

	if (*frame_slot(area, cpu, page))
		return 0;
	err = take_frame(pc, area, cpu, page, gfp, pc->phys->trace->now.cpu);
	if (!err)
		ram_zero(pc->ram, *frame_slot(area, cpu, page) << shift,
			 page_size(pc->phys));
	return err;
}

int
percpu_populate(struct percpu *pc, struct percpu_chunk *c, uint64_t from,
		uint64_t to, gfp_t gfp, unsigned int cpu)
{
	int err = 0;

	for (unsigned int u = 0; !err && u < pc->nr_cpus; u++)
		for (uint64_t page = from; !err && page < to; page++)
			err = take_frame(pc, c->area, u, c->first_page + page,
					 gfp, cpu);
	for (uint64_t page = from; page < to; page++) {
		for (unsigned int u = 0; err && u < pc->nr_cpus; u++)
			drop_frame(pc, c->area, u, c->first_page + page, cpu);
		if (!err)
			c->populated[page] = true;
	}
	percpu_chunk_recount(pc, c);
	return err;
}

void
percpu_depopulate(struct percpu *pc, struct percpu_chunk *c, unsigned int cpu)
{
	for (uint64_t page = 0; page < c->nr_pages; page++) {
		for (unsigned int u = 0; u < pc->nr_cpus; u++)
			drop_frame(pc, c->area, u, c->first_page + page, cpu);
		c->populated[page] = false;
	}
	percpu_chunk_recount(pc, c);
}

/* --- bytes ------------------------------------------------------------------
 */

va_t
percpu_offset(const struct percpu *pc, unsigned int cpu)
{
	const struct percpu_area *first = pc->areas->pdata[0];

	return first->base + pc->unit[cpu] * pc->unit_size;
}

va_t
percpu_pointer(const struct percpu *pc, const struct percpu_variable *v)
{
	const struct percpu_area *first = pc->areas->pdata[0];

	return v->area->base + v->off - first->base;
}

va_t
percpu_address(const struct percpu *pc, const struct percpu_variable *v,
	       unsigned int cpu)
{
	return percpu_offset(pc, cpu) + percpu_pointer(pc, v);
}

pfn_t
percpu_frame(const struct percpu *pc, const struct percpu_variable *v,
	     unsigned int cpu, uint64_t at)
{
	uint64_t page = (v->off + at) >> pc->phys->page_shift;
	pfn_t pfn = *frame_slot(v->area, cpu, page);

	return pfn ? pfn : PFN_NONE;
}

/* The piece of a copy from @at on that lies in one page: where, and how much
 * of @len. */
static size_t
piece_of(const struct percpu *pc, const struct percpu_variable *v, uint64_t at,
	 size_t len, uint64_t *in_page)
{
	*in_page = (v->off + at) & (page_size(pc->phys) - 1);
	return MIN_OF(len, page_size(pc->phys) - *in_page);
}

void
percpu_read(const struct percpu *pc, const struct percpu_variable *v,
	    unsigned int cpu, uint64_t at, void *to, size_t len)
{
	uint8_t *bytes = to;

	memset(to, 0, len);
	if (at >= v->size)
		return;
	len = MIN_OF(len, v->size - at);
	while (len) {
		uint64_t in_page;
		size_t piece = piece_of(pc, v, at, len, &in_page);
		pfn_t pfn = percpu_frame(pc, v, cpu, at);

		if (pfn != PFN_NONE)
			ram_read(pc->ram,
				 (pfn << pc->phys->page_shift) + in_page, bytes,
				 piece);
		at += piece;
		bytes += piece;
		len -= piece;
	}
}

int
percpu_write(struct percpu *pc, const struct percpu_variable *v,
	     unsigned int cpu, uint64_t at, const void *from, size_t len)
{
	unsigned int shift = pc->phys->page_shift;
	const uint8_t *bytes = from;
	int err = 0;

	if (at > v->size || len > v->size - at)
		return -EFBIG;
	for (uint64_t a = v->off + at; !err && a < v->off + at + len;
	     a = round_down_to(a, page_size(pc->phys)) + page_size(pc->phys))
		err = percpu_touch(pc, v->area, cpu, a >> shift, GFP_KERNEL);
	while (!err && len) {
		uint64_t in_page;
		size_t piece = piece_of(pc, v, at, len, &in_page);
		pfn_t pfn = percpu_frame(pc, v, cpu, at);

		err = ram_write(pc->ram, (pfn << shift) + in_page, bytes,
				piece);
		at += piece;
		bytes += piece;
		len -= piece;
	}
	return err;
}

uint64_t
percpu_value(const struct percpu *pc, const struct percpu_variable *v,
	     unsigned int cpu)
{
	uint8_t bytes[8];
	uint64_t value = 0;

	percpu_read(pc, v, cpu, 0, bytes, sizeof(bytes));
	for (int i = 7; i >= 0; i--)
		value = value << 8 | bytes[i];
	return value;
}

uint64_t
percpu_frames(const struct percpu *pc)
{
	uint64_t frames = 0;

	for (guint i = 0; i < pc->areas->len; i++) {
		const struct percpu_area *area = pc->areas->pdata[i];

		frames += area ? area->held : 0;
	}
	return frames;
}
