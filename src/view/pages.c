// SPDX-License-Identifier: MIT
/* pages.c - /pages/PFN and /allocations/NAME: frames and who has them */
#include "kmemfs/show.h"

#include "kmemfs/view/kernel.h"
#include "kmemfs/view/sums.h"

/* --- /pages/PFN --- */

static const char *
state_name(const struct phys *phys, pfn_t pfn, enum frame_state state)
{
	switch (state) {
	case FRAME_FREE:
		return "free";
	case FRAME_PCP:
		return "pcp";
	case FRAME_ALLOCATED:
		return "allocated";
	default:
		if (!phys_present(phys, pfn))
			return "absent";
		return phys_reserved(phys, pfn) ? "reserved" : "isolated";
	}
}

/* The names of a head's flags, or "-". */
static void
put_flags(const struct frame *frame, struct out *out)
{
	static const struct {
		unsigned int flag;
		const char *name;
	} names[] = {
		{FRAME_COMPOUND,	 "compound"  },
		{FRAME_ZEROED,     "zeroed"    },
		{FRAME_HIGHATOMIC, "highatomic"},
	};
	const char *before = "flags ";

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (frame->flags & names[i].flag) {
			out_str(out, before);
			out_str(out, names[i].name);
			before = "|";
		}
	if (*before == 'f')
		out_str(out, "flags -");
	out_char(out, '\n');
}

static void
put_owner(struct machine *m, const struct frame *frame, struct out *out)
{
	const struct allocation *a =
		frame->owner ? allocation_get(m, frame->owner) : NULL;
	char name[16];

	put_text(out, "owner", a ? allocation_name(a, name) : "-");
}

/* What a block's first frame says of all its pages. */
static void
put_block(struct machine *m, pfn_t head, unsigned int order,
	  enum frame_state state, enum migratetype type, struct out *out)
{
	const struct frame *frame = &m->phys->frames[head];
	bool allocated = state == FRAME_ALLOCATED;

	put_counter(out, "head", head);
	put_counter(out, "order", order);
	put_text(out, "migratetype", migratetype_name(type));
	put_counter(out, "refcount",
		    allocated ? (uint64_t)(uint32_t)frame->refs : 0);
	put_counter(out, "mapcount",
		    allocated ? (uint64_t)(uint32_t)frame->mapcount : 0);
	if (!allocated)
		return;
	put_flags(frame, out);
	put_owner(m, frame, out);
}

void
show_page_info(const struct view *v, struct out *out)
{
	const struct phys *phys = v->m->phys;
	pfn_t pfn = v->key[0], head;
	const struct zone *zone = phys_zone_of(phys, pfn);
	enum migratetype type;
	unsigned int order;
	enum frame_state state = frame_block(phys, pfn, &head, &order, &type);

	put_counter(out, "pfn", pfn);
	put_hex(out, "physical", pfn << phys->page_shift);
	put_text(out, "state", state_name(phys, pfn, state));
	if (zone) {
		put_counter(out, "node", zone->node->id);
		put_text(out, "zone", zone_type_name(zone->type));
		put_text(out, "pageblock",
			 migratetype_name(pageblock_type(phys, pfn)));
	}
	if (state != FRAME_NONE)
		put_block(v->m, head, order, state, type, out);
}

/* Read from @size bytes of memory at @base. */
static ssize_t
read_memory(const struct view *v, pa_t base, uint64_t size, void *to,
	    size_t len, uint64_t at)
{
	if (at >= size)
		return 0;
	len = MIN_OF(len, size - at);
	ram_read(v->m->ram, base + at, to, len);
	return (ssize_t)len;
}

ssize_t
read_page_data(const struct view *v, void *to, size_t len, uint64_t at)
{
	return read_memory(v, v->key[0] << v->m->phys->page_shift,
			   page_size(v->m->phys), to, len, at);
}

uint64_t
size_page_data(const struct view *v)
{
	return page_size(v->m->phys);
}

/* --- /allocations/NAME --- */

static const struct allocation *
view_allocation(const struct view *v)
{
	return allocation_get(v->m, (uint32_t)v->key[0]);
}

static uint64_t
bytes_of(const struct view *v, const struct allocation *a)
{
	return a->nr_pages << v->m->phys->page_shift;
}

/* Whether the direct map has it; then *@address is where. */
static bool
logical_address(const struct phys *phys, pfn_t pfn, va_t *address)
{
	*address = phys->arch->page_offset + (pfn << phys->page_shift);
	return pfn < phys->max_low_pfn;
}

void
show_allocation_pfn(const struct view *v, struct out *out)
{
	const struct allocation *a = view_allocation(v);

	if (a)
		put_value(out, a->pfn);
}

void
show_allocation_address(const struct view *v, struct out *out)
{
	const struct allocation *a = view_allocation(v);
	va_t address;

	if (!a)
		return;
	if (logical_address(v->m->phys, a->pfn, &address))
		out_hex(out, address);
	else
		out_str(out, "none");
	out_char(out, '\n');
}

void
show_allocation_order(const struct view *v, struct out *out)
{
	const struct allocation *a = view_allocation(v);

	if (a)
		put_value(out, a->order);
}

void
show_allocation_size(const struct view *v, struct out *out)
{
	const struct allocation *a = view_allocation(v);

	if (a)
		put_value(out, bytes_of(v, a));
}

void
show_allocation_zone(const struct view *v, struct out *out)
{
	const struct allocation *a = view_allocation(v);
	const struct zone *zone = a ? phys_zone_of(v->m->phys, a->pfn) : NULL;

	if (!zone)
		return;
	out_str(out, zone_type_name(zone->type));
	out_char(out, '\n');
}

void
show_allocation_node(const struct view *v, struct out *out)
{
	const struct allocation *a = view_allocation(v);
	const struct zone *zone = a ? phys_zone_of(v->m->phys, a->pfn) : NULL;

	if (zone)
		put_value(out, zone->node->id);
}

void
show_allocation_why(const struct view *v, struct out *out)
{
	const struct allocation *a = view_allocation(v);

	if (a && a->why)
		out_str(out, a->why);
}

void
show_allocation_page(const struct view *v, struct out *out)
{
	const struct allocation *a = view_allocation(v);

	out_str(out, "../../pages/");
	out_u64(out, a ? a->pfn : 0);
}

ssize_t
read_allocation_data(const struct view *v, void *to, size_t len, uint64_t at)
{
	const struct allocation *a = view_allocation(v);

	if (!a)
		return 0;
	return read_memory(v, a->pfn << v->m->phys->page_shift, bytes_of(v, a),
			   to, len, at);
}

uint64_t
size_allocation_data(const struct view *v)
{
	const struct allocation *a = view_allocation(v);

	return a ? bytes_of(v, a) : 0;
}

static const char *const context_names[NR_CONTEXTS] = {
	[CONTEXT_PROCESS] = "process",	 [CONTEXT_ATOMIC] = "atomic",
	[CONTEXT_SOFTIRQ] = "softirq",	 [CONTEXT_IRQ] = "irq",
	[CONTEXT_SPINLOCK] = "spinlock",
};

void
show_allocation_info(const struct view *v, struct out *out)
{
	const struct allocation *a = view_allocation(v);
	const struct phys *phys = v->m->phys;
	const struct frame *frame;
	const struct zone *zone;
	va_t address;
	char name[16];

	if (!a)
		return;
	frame = &phys->frames[a->pfn];
	zone = phys_zone_of(phys, a->pfn);
	put_text(out, "name", allocation_name(a, name));
	put_counter(out, "id", a->id);
	put_text(out, "op", a->op);
	put_counter(out, "pfn", a->pfn);
	put_hex(out, "physical", a->pfn << phys->page_shift);
	if (logical_address(phys, a->pfn, &address))
		put_hex(out, "address", address);
	else
		put_text(out, "address", "none");
	put_counter(out, "order", a->order);
	put_counter(out, "pages", a->nr_pages);
	put_counter(out, "bytes", bytes_of(v, a));
	if (zone) {
		put_counter(out, "node", zone->node->id);
		put_text(out, "zone", zone_type_name(zone->type));
	}
	put_text(out, "migratetype", migratetype_name(frame->type));
	out_str(out, "gfp ");
	gfp_print(out, a->gfp);
	out_char(out, '\n');
	put_counter(out, "cpu", a->cpu);
	put_text(out, "context", context_names[a->context % NR_CONTEXTS]);
	put_counter(out, "refcount", (uint64_t)(uint32_t)frame->refs);
	put_counter(out, "born_ns", a->born_ns);
}
