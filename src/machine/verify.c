// SPDX-License-Identifier: MIT
/*
 * verify.c - every law of the model, checked by full walks
 *
 * How it works: tables of laws, those of the layers below and those here; each
 * check tells its findings to one function, which counts them and keeps the
 * first few for the report.  Nothing is changed and nothing aborts: verify is
 * for the moment when something is wrong.
 */
#include "kmemfs/machine/machine.h"

#include "kmemfs/machine/journal.h"
#include "kmemfs/phys/frame_walk.h"

#include <stdio.h>
#include <string.h>

#define SHOWN_MAX 20 /* findings listed of a law */
#define PIECE 4096

struct report {
	struct machine *m;
	GHashTable *counts; /* law's name -> findings */
	struct out findings;
};

static void
found(void *user, const char *law, const char *finding)
{
	struct report *r = user;
	unsigned int nr = GPOINTER_TO_UINT(g_hash_table_lookup(r->counts, law));

	g_hash_table_insert(r->counts, g_strdup(law), GUINT_TO_POINTER(nr + 1));
	if (nr < SHOWN_MAX)
		out_printf(&r->findings, "%s: %s\n", law, finding);
	else if (nr == SHOWN_MAX)
		out_printf(&r->findings, "%s: ...\n", law);
}

static void found_here(struct report *r, const char *law, const char *format,
		       ...) __attribute__((format(printf, 3, 4)));

static void
found_here(struct report *r, const char *law, const char *format, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	found(r, law, text);
}

/* --- allocations --------------------------------------------------------- */

static bool
owned_head(const struct machine *m, pfn_t pfn, uint32_t id, unsigned int order)
{
	const struct frame *f;

	if (pfn >= m->phys->max_pfn)
		return false;
	f = &m->phys->frames[pfn];
	return f->state == FRAME_ALLOCATED && f->owner == id &&
	       f->order == order && f->refs > 0;
}

static void
check_frames_of(struct report *r, const char *law, const struct allocation *a)
{
	unsigned int order = a->exact ? 0 : a->order;
	uint64_t step = 1ULL << order;
	char name[16];

	if (!a->nr_pages || (!a->exact && a->nr_pages != step))
		found_here(r, law, "%s has %llu pages, its order is %u",
			   allocation_name(a, name),
			   (unsigned long long)a->nr_pages, a->order);
	for (uint64_t i = 0; i < a->nr_pages; i += step)
		if (!owned_head(r->m, a->pfn + i, a->id, order))
			found_here(r, law,
				   "%s: pfn %llu is not the head of an "
				   "allocated block of order %u that it owns",
				   allocation_name(a, name),
				   (unsigned long long)(a->pfn + i), order);
}

/* An object that an op made: in a slab, or in a block of its own. */
static void
check_object_of(struct report *r, const char *law, const struct allocation *a)
{
	const struct phys *phys = r->m->phys;
	const struct frame *f;
	char name[16];

	if (slab_of(r->m->slab, a->address) || !a->pfn)
		return;
	f = a->pfn < phys->max_pfn ? &phys->frames[a->pfn] : NULL;
	if (!f || f->state != FRAME_ALLOCATED || f->owner != a->id)
		found_here(r, law, "%s at %#llx is in no slab and no block",
			   allocation_name(a, name),
			   (unsigned long long)a->address);
}

/* A mapping that an op made, of which something is left. */
static void
check_area_of(struct report *r, const char *law, const struct allocation *a)
{
	char name[16];

	if (area_at(r->m, a->pool, a->address) != a)
		found_here(r, law, "%s at %#llx is not among the mappings",
			   allocation_name(a, name),
			   (unsigned long long)a->address);
	if (a->pool && !area_task(r->m, a))
		found_here(r, law, "%s is of an address space that is gone",
			   allocation_name(a, name));
}

static void
check_allocations(struct report *r, const char *law)
{
	for (const struct allocation *a = allocation_next(r->m, 0); a;
	     a = allocation_next(r->m, a->id))
		if (a->kind == ALLOCATION_OBJECT)
			check_object_of(r, law, a);
		else if (a->kind == ALLOCATION_AREA)
			check_area_of(r, law, a);
		else
			check_frames_of(r, law, a);
}

static void
check_owners(struct report *r, const char *law)
{
	const struct phys *phys = r->m->phys;
	pfn_t pfn = frame_next_allocated(phys, 0);

	while (pfn != PFN_NONE) {
		const struct frame *f = &phys->frames[pfn];
		const struct allocation *a = NULL;

		/* Those have laws of their own. */
		if (f->owner & OWNER_KERNEL) {
			pfn = frame_next_allocated(phys,
						   pfn + (1ULL << f->order));
			continue;
		}
		if (f->owner)
			a = allocation_get(r->m, f->owner);
		if (f->owner &&
		    (!a || pfn < a->pfn || pfn >= a->pfn + a->nr_pages))
			found_here(r, law,
				   "pfn %llu belongs to allocation %u, which "
				   "%s",
				   (unsigned long long)pfn, f->owner,
				   a ? "is elsewhere" : "is not live");
		pfn = frame_next_allocated(phys, pfn + (1ULL << f->order));
	}
}

static void
check_names(struct report *r, const char *law)
{
	uint64_t nr = 0;
	char name[16];

	for (const struct allocation *a = allocation_next(r->m, 0); a;
	     a = allocation_next(r->m, a->id), nr++) {
		const char *own = allocation_name(a, name);

		if (allocation_find(r->m, own) != a)
			found_here(r, law, "looking up %s finds another", own);
		if (a->id > allocation_last_id(r->m))
			found_here(r, law, "%s has id %u, the last given is %u",
				   own, a->id, allocation_last_id(r->m));
	}
	if (nr != allocation_count(r->m))
		found_here(r, law, "%llu are counted, %llu are there",
			   (unsigned long long)allocation_count(r->m),
			   (unsigned long long)nr);
}

/* --- bytes, journal ------------------------------------------------------ */

static void
check_ram(struct report *r, const char *law)
{
	const struct ram *ram = r->m->ram;
	pa_t at = 0;

	for (; ram_next_data(ram, at, &at); at += PIECE)
		if (!machine_is_ram(r->m, at, PIECE))
			found_here(r, law, "bytes are held at %#llx",
				   (unsigned long long)at);
	if (ram_held(ram) > r->m->config->ram_limit)
		found_here(r, law, "%llu bytes are held, the limit is %llu",
			   (unsigned long long)ram_held(ram),
			   (unsigned long long)r->m->config->ram_limit);
}

static void
check_journal(struct report *r, const char *law)
{
	uint64_t count = journal_count(r->m->journal);

	if (count != r->m->position)
		found_here(r, law, "it has %llu lines, the position is %llu",
			   (unsigned long long)count,
			   (unsigned long long)r->m->position);
}

static const struct {
	struct law law;
	void (*check)(struct report *r, const char *law);
} laws[] = {
	{{"allocation.frames", "each live allocation's frames are allocated, "
			       "referenced and its own"},
	 check_allocations},
	{{"allocation.owners",
	  "each frame that names an owner lies inside that live allocation"},
	 check_owners     },
	{{"allocation.names",
	  "each live allocation is found by its name, and all are counted"},
	 check_names	    },
	{{"ram.inside", "bytes are held inside RAM only, within the limit"},
	 check_ram	  },
	{{"journal.count", "the position is the number of ops in the journal"},
	 check_journal    },
};

static void
print_row(struct report *r, const struct law *law, struct out *out)
{
	gpointer nr = g_hash_table_lookup(r->counts, law->name);

	out_printf(out, "%-20s %8u  %s\n", law->name, GPOINTER_TO_UINT(nr),
		   law->sentence);
}

unsigned int
machine_verify(struct machine *m, struct out *out)
{
	static const struct law *const below[] = {
		phys_laws, slab_laws, mempool_laws, percpu_laws, vm_laws};
	struct report r = {.m = m};
	unsigned int total;

	r.counts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	total = phys_verify(m->phys, found, &r);
	total += slab_verify(m->slab, found, &r);
	total += mempool_verify(m->mempools, found, &r);
	total += percpu_verify(m->percpu, found, &r);
	total += vm_verify(m->vm, found, &r);
	for (size_t i = 0; i < ARRAY_SIZE(laws); i++) {
		const char *name = laws[i].law.name;

		laws[i].check(&r, name);
		total += GPOINTER_TO_UINT(g_hash_table_lookup(r.counts, name));
	}
	out_printf(out, "%-20s %8s  %s\n", "law", "findings", "sentence");
	for (size_t i = 0; i < ARRAY_SIZE(below); i++)
		for (const struct law *law = below[i]; law->name; law++)
			print_row(&r, law, out);
	for (size_t i = 0; i < ARRAY_SIZE(laws); i++)
		print_row(&r, &laws[i].law, out);
	if (r.findings.len)
		out_char(out, '\n');
	out_mem(out, r.findings.text, r.findings.len);
	out_fini(&r.findings);
	g_hash_table_destroy(r.counts);
	return total;
}
