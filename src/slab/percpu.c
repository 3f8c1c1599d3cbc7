// SPDX-License-Identifier: MIT
/*
 * percpu.c - memory of which every CPU has its own copy: set up, given, taken
 *
 * What it models: pcpu_build_alloc_info, pcpu_setup_first_chunk, pcpu_alloc,
 *                 free_percpu, pcpu_balance_workfn of mm/percpu.c,
 *                 setup_per_cpu_areas of x86, 6.1.192.
 * How it works:   the first chunk's units are laid out as an embedded one's:
 *
 *                     static | reserved, 8 KiB | dynamic, 28 KiB | unused
 *
 *                 A request goes to the fullest chunk that can serve, else to a
 *                 new one; pages that it needs are populated on all CPUs.  The
 *                 worker that keeps 2 to 4 populated pages free for requests
 *                 that may not wait, and gives empty chunks back, runs at once.
 * Where it lies:  the bytes in modelled RAM; maps and lists on the host.
 * Differs from the kernel: chunks are not charged to anyone for their
 *                 descriptors; populated pages of a chunk that is in use are
 *                 kept when they are empty; groups of CPUs of different nodes
 *                 lie next to each other, where the kernel keeps the distances
 *                 that their areas got at boot.
 */
#include "percpu_impl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define EMPTY_POP_LOW 2
#define EMPTY_POP_HIGH 4
#define SLOT_FAIL_THRESHOLD 3
#define WARNINGS 10

const char *const percpu_kind_names[NR_PERCPU_KINDS] = {"static", "reserved",
							"dynamic"};

/* What the kernels of 6.1 as Debian builds them were linked with; x86 makes
 * the dynamic part larger where no module's part is reserved. */
static const struct first_chunk {
	uint64_t static_size, reserved, dynamic, atom;
	va_t vmalloc_start, vmalloc_end; /* 0: behind low memory */
} first_chunks[NR_ARCHS] = {
	[ARCH_X86_64] = {217088,	 KIB(8), KIB(28), MIB(2), 0xffffc90000000000,
			 0xffffe8ffffffffff					      },
	[ARCH_I386] = {103316,  0,	  KIB(28), KIB(4), 0,		      0xfebfe000},
	[ARCH_I386_PAE] = {103316,  0,      KIB(28), KIB(4), 0,		  0xfeffe000},
	[ARCH_GENERIC] = {KIB(32), 0,      KIB(28), 0,	  0xffffc90000000000,
			  0xffffe8ffffffffff					      },
};

static void
say(const struct percpu *pc, const char *line)
{
	if (pc->phys->printk)
		pc->phys->printk(pc->phys->printk_user, line);
}

/* --- setting up ------------------------------------------------------------
 */

/* CPUs of each node that has some: nr[group]; the group of each CPU. */
static unsigned int
group_cpus(const struct percpu *pc, unsigned int *nr, unsigned int *group)
{
	unsigned int groups = 0;

	for (unsigned int cpu = 0; cpu < pc->nr_cpus; cpu++) {
		unsigned int before = 0;

		while (before < cpu &&
		       pc->phys->cpu_node[before] != pc->phys->cpu_node[cpu])
			before++;
		group[cpu] = before < cpu ? group[before] : groups++;
		nr[group[cpu]]++;
	}
	return groups;
}

/* Units in an allocation, so that the least is wasted. */
static unsigned int
best_upa(const struct percpu *pc, uint64_t least, const unsigned int *nr,
	 unsigned int groups)
{
	uint64_t page = page_size(pc->phys), last_allocs = UINT64_MAX;
	unsigned int best = 1;

	for (uint64_t upa = pc->alloc_size / least; upa; upa--) {
		uint64_t allocs = 0, wasted = 0;

		if (pc->alloc_size % upa || pc->alloc_size / upa % page)
			continue;
		for (unsigned int g = 0; g < groups; g++) {
			uint64_t own = (nr[g] + upa - 1) / upa;

			allocs += own;
			wasted += own * upa - nr[g];
		}
		if (wasted > pc->nr_cpus / 3)
			continue;
		if (allocs > last_allocs)
			break;
		last_allocs = allocs;
		best = (unsigned int)upa;
	}
	return best;
}

/* pcpu_build_alloc_info: sizes of units, and which CPU has which. */
static void
build_units(struct percpu *pc, uint64_t size_sum)
{
	unsigned int *nr = g_new0(unsigned int, pc->nr_cpus);
	unsigned int *group = g_new0(unsigned int, pc->nr_cpus);
	unsigned int groups = group_cpus(pc, nr, group), upa;
	uint64_t least = MAX_OF(size_sum, PERCPU_MIN_UNIT);
	uint32_t next = 0;

	pc->alloc_size = round_up_to(least, pc->atom_size);
	upa = best_upa(pc, least, nr, groups);
	pc->units_per_alloc = upa;
	pc->unit_size = pc->alloc_size / upa;
	for (unsigned int g = 0; g < groups; g++) {
		uint32_t unit = next;

		for (unsigned int cpu = 0; cpu < pc->nr_cpus; cpu++)
			if (group[cpu] == g)
				pc->unit[cpu] = unit++;
		next += (nr[g] + upa - 1) / upa * upa;
	}
	pc->nr_units = next;
	g_free(nr);
	g_free(group);
}

static struct percpu_variable *
variable_new(struct percpu *pc, const char *name, enum percpu_kind kind,
	     uint64_t size, uint64_t align)
{
	struct percpu_variable *v = g_new0(struct percpu_variable, 1);

	v->id = ++pc->last_id;
	v->name = g_strdup(name);
	v->kind = kind;
	v->size = size;
	v->align = align;
	g_ptr_array_add(pc->variables, v);
	return v;
}

/* Variables of the machine's own stand behind the kernel's. */
static void
link_static(struct percpu *pc, const struct percpu_config *config)
{
	for (guint i = 0; config->variables && i < config->variables->len;
	     i++) {
		const struct percpu_static *s = &g_array_index(
			config->variables, struct percpu_static, i);
		struct percpu_variable *v = variable_new(
			pc, s->name, PERCPU_STATIC, s->size, s->align);

		v->off = round_up_to(pc->static_size, s->align);
		pc->static_size = v->off + s->size;
	}
}

/* pcpu_alloc_first_chunk: of @size bytes that begin at @off of the units. */
static struct percpu_chunk *
first_part(struct percpu *pc, uint64_t off, uint64_t size)
{
	uint64_t page = page_size(pc->phys);
	uint64_t start = off & (page - 1);
	uint64_t bytes = round_up_to(start + size, page);
	struct percpu_chunk *c = percpu_chunk_new(
		pc, pc->areas->pdata[0], off >> pc->phys->page_shift,
		bytes >> pc->phys->page_shift);

	c->first = true;
	percpu_chunk_bound(pc, c, start, bytes - size - start);
	return c;
}

static void
setup_first_chunk(struct percpu *pc)
{
	uint64_t fixed = round_up_to(pc->static_size, PERCPU_MIN_ALLOC);
	uint64_t dynamic = pc->dyn_size - (fixed - pc->static_size);
	struct percpu_area *area = percpu_area_new(pc, pc->vmalloc_start);

	for (guint i = 0; i < pc->variables->len; i++)
		((struct percpu_variable *)pc->variables->pdata[i])->area =
			area;
	/* The list of empty chunks is the last. */
	pc->nr_slots = percpu_size_slot(pc, pc->unit_size - 1) + 3;
	pc->slots = g_new0(GQueue, pc->nr_slots);
	if (pc->reserved_size) {
		pc->reserved_chunk = first_part(pc, fixed, pc->reserved_size);
		pc->reserved_chunk->reserved = true;
		pc->nr_empty_pop -= pc->reserved_chunk->nr_empty_pop;
	}
	pc->first_chunk = first_part(pc, fixed + pc->reserved_size, dynamic);
	percpu_chunk_relocate(pc, pc->first_chunk, true);
	pc->stats.nr_chunks = pc->stats.nr_max_chunks = 1;
	pc->stats.min_alloc_size = pc->unit_size;
}

struct percpu *
percpu_boot(const struct percpu_config *config, struct phys *phys,
	    struct ram *ram)
{
	const struct first_chunk *f = &first_chunks[phys->config->arch];
	struct percpu *pc = g_new0(struct percpu, 1);
	uint64_t size_sum;

	pc->phys = phys;
	pc->ram = ram;
	pc->nr_cpus = phys->nr_cpus;
	pc->unit = g_new0(uint32_t, pc->nr_cpus);
	pc->areas = g_ptr_array_new();
	pc->variables = g_ptr_array_new();
	pc->warnings = WARNINGS;
	pc->static_size = f->static_size;
	link_static(pc, config);
	pc->reserved_size = f->reserved;
	size_sum = round_up_to(pc->static_size + f->reserved + f->dynamic,
			       page_size(phys));
	pc->dyn_size = size_sum - pc->static_size - f->reserved;
	pc->atom_size = MAX_OF(f->atom, page_size(phys));
	pc->vmalloc_end = f->vmalloc_end;
	pc->vmalloc_start = f->vmalloc_start;
	if (!pc->vmalloc_start)
		pc->vmalloc_start = phys->arch->page_offset +
				    (phys->max_low_pfn << phys->page_shift) +
				    MIB(8);
	build_units(pc, size_sum);
	setup_first_chunk(pc);
	return pc;
}

static void
variable_free(struct percpu_variable *v)
{
	g_free(v->name);
	g_free(v);
}

void
percpu_free(struct percpu *pc)
{
	struct percpu_chunk *c;

	if (!pc)
		return;
	for (unsigned int slot = 0; slot < pc->nr_slots; slot++)
		while ((c = g_queue_pop_head(&pc->slots[slot])))
			percpu_chunk_free(c);
	percpu_chunk_free(pc->reserved_chunk);
	for (guint i = 0; i < pc->areas->len; i++)
		if (pc->areas->pdata[i])
			percpu_area_free(pc, pc->areas->pdata[i]);
	for (guint i = 0; i < pc->variables->len; i++)
		variable_free(pc->variables->pdata[i]);
	g_ptr_array_free(pc->areas, TRUE);
	g_ptr_array_free(pc->variables, TRUE);
	g_free(pc->slots);
	g_free(pc->unit);
	g_free(pc);
}

/* --- names ------------------------------------------------------------------
 */

struct percpu_variable *
percpu_find(const struct percpu *pc, const char *name)
{
	for (guint i = 0; i < pc->variables->len; i++) {
		struct percpu_variable *v = pc->variables->pdata[i];

		if (!strcmp(v->name, name))
			return v;
	}
	return NULL;
}

struct percpu_variable *
percpu_next(const struct percpu *pc, uint32_t after)
{
	for (guint i = 0; i < pc->variables->len; i++) {
		struct percpu_variable *v = pc->variables->pdata[i];

		if (v->id > after)
			return v;
	}
	return NULL;
}

struct percpu_variable *
percpu_get(const struct percpu *pc, uint32_t id)
{
	struct percpu_variable *v = id ? percpu_next(pc, id - 1) : NULL;

	return v && v->id == id ? v : NULL;
}

const struct percpu_chunk *
percpu_chunk_next(const struct percpu *pc, const struct percpu_chunk *after)
{
	unsigned int slot = 0;
	GList *link = NULL;

	if (!after && pc->reserved_chunk)
		return pc->reserved_chunk;
	if (after && !after->reserved) {
		slot = after->slot + 1;
		link = g_queue_find(&pc->slots[after->slot], after)->next;
	}
	while (!link && slot < pc->nr_slots)
		link = pc->slots[slot++].head;
	return link ? link->data : NULL;
}

/* --- the worker -------------------------------------------------------------
 */

static struct percpu_chunk *
create_chunk(struct percpu *pc)
{
	struct percpu_area *area = percpu_area_new(pc, 0);
	struct percpu_chunk *c;

	if (!area)
		return NULL;
	c = percpu_chunk_new(pc, area, 0, area->unit_pages);
	percpu_chunk_relocate(pc, c, true);
	pc->stats.nr_chunks++;
	pc->stats.nr_max_chunks =
		MAX_OF(pc->stats.nr_max_chunks, pc->stats.nr_chunks);
	return c;
}

static void
destroy_chunk(struct percpu *pc, struct percpu_chunk *c, unsigned int cpu)
{
	g_queue_remove(&pc->slots[c->slot], c);
	percpu_depopulate(pc, c, cpu);
	percpu_area_free(pc, c->area);
	percpu_chunk_free(c);
	pc->stats.nr_chunks--;
}

/* All empty chunks but the first of their list. */
static void
balance_free(struct percpu *pc, bool empty_only, unsigned int cpu)
{
	GList *link = pc->slots[percpu_free_slot(pc)].head;

	link = link ? link->next : NULL;
	while (link) {
		struct percpu_chunk *c = link->data;

		link = link->next;
		if (!c->first && (!empty_only || !c->nr_empty_pop))
			destroy_chunk(pc, c, cpu);
	}
}

/* Populate pages of @c that are not, up to *@nr; what is left in *@nr, 0 when
 * there are no frames. */
static void
balance_chunk(struct percpu *pc, struct percpu_chunk *c, uint64_t *nr,
	      unsigned int cpu)
{
	const gfp_t gfp = GFP_NOIO | __GFP_NORETRY | __GFP_NOWARN;

	for (uint64_t page = 0; *nr && page < c->nr_pages; page++) {
		uint64_t end = page;

		while (end < c->nr_pages && end - page < *nr &&
		       !c->populated[end])
			end++;
		if (end == page)
			continue;
		if (percpu_populate(pc, c, page, end, gfp, cpu))
			*nr = 0;
		else
			*nr -= end - page;
		page = end - 1;
	}
}

static void
balance_populated(struct percpu *pc, unsigned int cpu)
{
	uint64_t nr;

	do {
		nr = pc->nr_empty_pop < EMPTY_POP_HIGH
			     ? EMPTY_POP_HIGH - pc->nr_empty_pop
			     : 0;
		if (pc->atomic_failed)
			nr = EMPTY_POP_HIGH;
		pc->atomic_failed = false;
		for (unsigned int s = percpu_size_slot(pc, page_size(pc->phys));
		     nr && s < pc->nr_slots; s++)
			for (GList *l = pc->slots[s].head; l; l = l->next) {
				struct percpu_chunk *c = l->data;

				if (c->nr_populated == c->nr_pages)
					continue;
				balance_chunk(pc, c, &nr, cpu);
				break;
			}
	} while (nr && create_chunk(pc));
}

/* pcpu_balance_workfn() */
static void
balance(struct percpu *pc, unsigned int cpu)
{
	balance_free(pc, false, cpu);
	balance_populated(pc, cpu);
	balance_free(pc, true, cpu);
}

/* --- allocating ------------------------------------------------------------
 */

static void
illegal(const struct percpu *pc, const struct percpu_request *r, uint64_t size,
	uint64_t align)
{
	char line[120];

	if (r->gfp & __GFP_NOWARN)
		return;
	say(pc, "------------[ cut here ]------------");
	snprintf(line, sizeof(line),
		 "illegal size (%llu) or align (%llu) for percpu allocation",
		 (unsigned long long)size, (unsigned long long)align);
	say(pc, line);
	say(pc, "---[ end trace 0000000000000000 ]---");
}

static int
failed(struct percpu *pc, const struct percpu_request *r, uint64_t size,
       uint64_t align, const char *why)
{
	bool atomic = !(r->gfp & __GFP_DIRECT_RECLAIM);
	char line[160];

	if (!atomic && !(r->gfp & __GFP_NOWARN) && pc->warnings) {
		snprintf(line, sizeof(line),
			 "percpu: allocation failed, size=%llu align=%llu "
			 "atomic=%d, %s",
			 (unsigned long long)size, (unsigned long long)align,
			 atomic, why);
		say(pc, line);
		if (!--pc->warnings)
			say(pc, "percpu: limit reached, disable warning");
	}
	if (atomic) {
		pc->atomic_failed = true;
		balance(pc, r->cpu);
	}
	return -ENOMEM;
}

/* The fullest chunk with a place; those that should have had one and have not
 * go to the end of what is tried. */
static struct percpu_chunk *
search_chunks(struct percpu *pc, uint64_t size, uint64_t align, bool atomic,
	      uint64_t *off)
{
	for (unsigned int slot = percpu_size_slot(pc, size);
	     slot < pc->nr_slots; slot++) {
		GList *link = pc->slots[slot].head;

		while (link) {
			struct percpu_chunk *c = link->data;

			link = link->next;
			*off = percpu_chunk_find(pc, c, size, align, atomic);
			if (*off != UINT64_MAX)
				return c;
			if (slot < SLOT_FAIL_THRESHOLD)
				percpu_chunk_move(pc, c, 0);
		}
	}
	return NULL;
}

/* Frames for all that the allocation covers. */
static int
back(struct percpu *pc, struct percpu_chunk *c, uint64_t off, uint64_t size,
     gfp_t gfp, unsigned int cpu)
{
	unsigned int shift = pc->phys->page_shift;
	uint64_t end = (off + size + page_size(pc->phys) - 1) >> shift;
	int err = 0;

	for (uint64_t page = off >> shift; !err && page < end; page++) {
		if (!c->populated[page])
			err = percpu_populate(pc, c, page, page + 1, gfp, cpu);
		for (unsigned int u = 0; c->first && !err && u < pc->nr_cpus;
		     u++)
			err = percpu_touch(pc, c->area, u, c->first_page + page,
					   gfp);
	}
	return err;
}

static void
clear(struct percpu *pc, const struct percpu_variable *v)
{
	for (unsigned int cpu = 0; cpu < pc->nr_cpus; cpu++)
		for (uint64_t at = 0; at < v->size;) {
			uint64_t in_page =
				(v->off + at) & (page_size(pc->phys) - 1);
			uint64_t len = MIN_OF(v->size - at,
					      page_size(pc->phys) - in_page);
			pfn_t pfn = percpu_frame(pc, v, cpu, at);

			if (pfn != PFN_NONE)
				ram_zero(pc->ram,
					 (pfn << pc->phys->page_shift) +
						 in_page,
					 len);
			at += len;
		}
}

int
percpu_alloc(struct percpu *pc, const struct percpu_request *r,
	     struct percpu_variable **made)
{
	const gfp_t gfp = r->gfp & (GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN);
	bool atomic = !(r->gfp & __GFP_DIRECT_RECLAIM);
	uint64_t align = MAX_OF(r->align, PERCPU_MIN_ALLOC), off, size;
	bool reserved = r->kind == PERCPU_RESERVED && pc->reserved_chunk;
	struct percpu_chunk *c = pc->reserved_chunk;

	size = r->size > PERCPU_MIN_UNIT
		       ? r->size
		       : round_up_to(r->size, PERCPU_MIN_ALLOC);
	if (!size || size > PERCPU_MIN_UNIT || align > page_size(pc->phys) ||
	    align & (align - 1)) {
		illegal(pc, r, size, align);
		return -EINVAL;
	}
	if (reserved) {
		off = percpu_chunk_find(pc, c, size, align, atomic);
		if (off == UINT64_MAX)
			return failed(pc, r, size, align,
				      "alloc from reserved chunk failed");
	} else {
		c = search_chunks(pc, size, align, atomic, &off);
		if (!c && atomic)
			return failed(pc, r, size, align,
				      "atomic alloc failed, no space left");
		if (!c && create_chunk(pc))
			c = search_chunks(pc, size, align, atomic, &off);
		if (!c)
			return failed(pc, r, size, align,
				      "failed to allocate new chunk");
	}
	percpu_chunk_take(pc, c, off, size);
	if (back(pc, c, off, size, gfp, r->cpu)) {
		percpu_chunk_give(pc, c, off);
		return failed(pc, r, size, align, "failed to populate");
	}
	if (pc->nr_empty_pop < EMPTY_POP_LOW)
		balance(pc, r->cpu);
	*made = variable_new(pc, r->name, r->kind, size, align);
	(*made)->chunk = c;
	(*made)->area = c->area;
	(*made)->off = (c->first_page << pc->phys->page_shift) + off;
	clear(pc, *made);
	return 0;
}

void
percpu_release(struct percpu *pc, struct percpu_variable *v, unsigned int cpu)
{
	struct percpu_chunk *c = v->chunk;

	percpu_chunk_give(pc, c,
			  v->off - (c->first_page << pc->phys->page_shift));
	g_ptr_array_remove(pc->variables, v);
	variable_free(v);
	if (c->free_bytes == pc->unit_size &&
	    pc->slots[percpu_free_slot(pc)].length > 1)
		balance(pc, cpu);
}
