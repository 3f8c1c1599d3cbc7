// SPDX-License-Identifier: MIT
/* pages.c - /pages/PFN and /allocations/NAME: frames and who has them */
#include "kmemfs/show.h"

#include "kmemfs/view/kernel.h"
#include "kmemfs/view/sums.h"

#include "pages_impl.h"

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
put_flags(const struct machine *m, pfn_t head, struct out *out)
{
	const struct frame *frame = &m->phys->frames[head];
	static const struct {
		unsigned int flag;
		const char *name;
	} names[] = {
		{FRAME_COMPOUND,	 "compound"  },
		{FRAME_ZEROED,     "zeroed"    },
		{FRAME_HIGHATOMIC, "highatomic"},
	};
	const char *before = "flags ";
	uint32_t number;

	if (frame_owned_by(frame->owner, OWNER_SLAB, &number)) {
		out_str(out, "flags slab");
		before = "|";
	}
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (frame->flags & names[i].flag) {
			out_str(out, before);
			out_str(out, names[i].name);
			before = "|";
		}
	page_put_vm_flags(m, head, &before, out);
	if (*before == 'f')
		out_str(out, "flags -");
	out_char(out, '\n');
}

static void
put_owner(struct machine *m, const struct frame *frame, struct out *out)
{
	const struct allocation *a;
	uint32_t number;
	char name[16];

	if (frame_owned_by(frame->owner, OWNER_SLAB, &number)) {
		out_printf(out, "owner slab/%s\n",
			   slab_get(m->slab, number)->cache->name);
	} else if (frame_owned_by(frame->owner, OWNER_MEMPOOL, &number)) {
		const struct mempool *pool = mempool_get(m->mempools, number);

		out_printf(out, "owner mempools/%s\n", pool ? pool->name : "-");
	} else if (frame_owned_by(frame->owner, OWNER_PERCPU, &number)) {
		put_text(out, "owner", "percpu");
	} else {
		a = frame->owner ? allocation_get(m, frame->owner) : NULL;
		put_text(out, "owner", a ? allocation_name(a, name) : "-");
	}
}

/* What a block's first frame says of all its pages; @pfn is one of them. */
static void
put_block(struct machine *m, pfn_t pfn, pfn_t head, unsigned int order,
	  enum frame_state state, enum migratetype type, struct out *out)
{
	const struct frame *frame = &m->phys->frames[head];
	bool allocated = state == FRAME_ALLOCATED;
	uint32_t entries = vm_mapcount(m->vm, pfn);

	put_counter(out, "head", head);
	put_counter(out, "order", order);
	put_text(out, "migratetype", migratetype_name(type));
	put_counter(out, "refcount", frame_refs(frame));
	put_counter(out, "mapcount", allocated ? entries : 0);
	if (!allocated)
		return;
	put_flags(m, head, out);
	if (!page_put_vm_owner(m, head, out))
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
		put_block(v->m, pfn, head, order, state, type, out);
}

ssize_t
read_page_data(const struct view *v, void *to, size_t len, uint64_t at)
{
	return view_read_ram(v, v->key[0] << v->m->phys->page_shift,
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

bool
when_allocation_pages(const struct view *v)
{
	const struct allocation *a = view_allocation(v);

	return a && a->kind == ALLOCATION_PAGES;
}

bool
when_allocation_framed(const struct view *v)
{
	const struct allocation *a = view_allocation(v);

	return a && a->kind != ALLOCATION_AREA;
}

bool
when_allocation_cached(const struct view *v)
{
	const struct allocation *a = view_allocation(v);

	return a && a->cache;
}

/* Whether the direct map has it; then *@address is where. */
static bool
logical_address(const struct machine *m, const struct allocation *a,
		va_t *address)
{
	if (a->kind == ALLOCATION_AREA) {
		*address = a->address;
		return true;
	}
	*address = m->phys->arch->page_offset + allocation_start(m, a);
	return a->pfn < m->phys->max_low_pfn;
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
	if (logical_address(v->m, a, &address))
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
		put_value(out, allocation_bytes(v->m, a));
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

/* A debugger's look. */
static ssize_t
read_area(const struct machine *m, const struct allocation *a, void *to,
	  size_t len, uint64_t at)
{
	if (at >= a->size)
		return 0;
	len = MIN_OF(len, a->size - at);
	if (!a->pool)
		return (ssize_t)kernel_read(m->vm, a->address + at, to, len);
	(void)vm_peek(m->vm, area_task(m, a), a->address + at, to, len);
	return (ssize_t)len;
}

ssize_t
read_allocation_data(const struct view *v, void *to, size_t len, uint64_t at)
{
	const struct allocation *a = view_allocation(v);

	if (!a)
		return 0;
	if (a->kind == ALLOCATION_AREA)
		return read_area(v->m, a, to, len, at);
	return view_read_ram(v, allocation_start(v->m, a),
			     allocation_bytes(v->m, a), to, len, at);
}

uint64_t
size_allocation_data(const struct view *v)
{
	const struct allocation *a = view_allocation(v);

	return a ? allocation_bytes(v->m, a) : 0;
}

static const char *const context_names[NR_CONTEXTS] = {
	[CONTEXT_PROCESS] = "process",	 [CONTEXT_ATOMIC] = "atomic",
	[CONTEXT_SOFTIRQ] = "softirq",	 [CONTEXT_IRQ] = "irq",
	[CONTEXT_SPINLOCK] = "spinlock",
};

/* What their first frame says of pages. */
static void
put_pages(const struct phys *phys, const struct allocation *a, struct out *out)
{
	const struct frame *frame = &phys->frames[a->pfn];

	put_text(out, "migratetype", migratetype_name(frame->type));
	put_counter(out, "refcount", frame_refs(frame));
}

/* What only objects have. */
static void
put_object(struct machine *m, const struct allocation *a, struct out *out)
{
	const struct kmem_cache *s =
		a->cache ? kmem_cache_get(m->slab, a->cache) : NULL;
	const struct slab *slab = slab_of(m->slab, a->address);

	put_text(out, "cache", s ? s->name : "-");
	if (slab) {
		put_counter(out, "slab", slab->pfn);
		put_counter(out, "index", slab_object_index(slab, a->address));
	}
	put_text(out, "freed_by", a->free);
}

void
show_allocation_cache(const struct view *v, struct out *out)
{
	const struct allocation *a = view_allocation(v);
	const struct kmem_cache *s =
		a ? kmem_cache_get(v->m->slab, a->cache) : NULL;

	out_str(out, "../../slab/");
	out_str(out, s ? s->name : "-");
}

/* A mapping has addresses; frames come and go. */
static void
put_area(const struct machine *m, const struct allocation *a, struct out *out)
{
	const struct task *t = area_task(m, a);

	put_hex(out, "address", a->address);
	put_counter(out, "bytes", a->size);
	if (t)
		put_counter(out, "task", (uint64_t)t->pid);
	else
		put_counter(out, "pages", a->nr_pages);
	put_counter(out, "cpu", a->cpu);
	put_counter(out, "born_ns", a->born_ns);
}

void
show_allocation_info(const struct view *v, struct out *out)
{
	const struct allocation *a = view_allocation(v);
	const struct phys *phys = v->m->phys;
	const struct zone *zone;
	va_t address;
	char name[16];

	if (!a)
		return;
	zone = phys_zone_of(phys, a->pfn);
	put_text(out, "name", allocation_name(a, name));
	put_counter(out, "id", a->id);
	put_text(out, "op", a->op);
	if (a->kind == ALLOCATION_AREA) {
		put_area(v->m, a, out);
		return;
	}
	put_counter(out, "pfn", a->pfn);
	put_hex(out, "physical", allocation_start(v->m, a));
	if (logical_address(v->m, a, &address))
		put_hex(out, "address", address);
	else
		put_text(out, "address", "none");
	if (a->kind == ALLOCATION_PAGES) {
		put_counter(out, "order", a->order);
		put_counter(out, "pages", a->nr_pages);
	}
	put_counter(out, "bytes", allocation_bytes(v->m, a));
	if (a->kind == ALLOCATION_OBJECT)
		put_object(v->m, a, out);
	if (zone) {
		put_counter(out, "node", zone->node->id);
		put_text(out, "zone", zone_type_name(zone->type));
	}
	out_str(out, "gfp ");
	gfp_print(out, a->gfp);
	out_char(out, '\n');
	put_counter(out, "cpu", a->cpu);
	put_text(out, "context", context_names[a->context % NR_CONTEXTS]);
	if (a->kind == ALLOCATION_PAGES)
		put_pages(phys, a, out);
	put_counter(out, "born_ns", a->born_ns);
}
