// SPDX-License-Identifier: MIT
/*
 * foresight_assumed.c - per-cpu lists of a host, as far as they are known
 *
 * What it models: nothing that a kernel does: what a capture cannot tell.  It
 *                 has the pages that were on per-cpu lists, but not on whose
 *                 list, under which type and in which order ([pcp] of the
 *                 machine file).
 * How it works:   such pages are assumed to be where the file has them until
 *                 the recording shows one.  All that it freed itself is above
 *                 them, since the lists are stacks.  A page that is taken shows
 *                 on which list it was; those beside it were freed with it,
 *                 more likely than not, so that they come next, going on in
 *                 the direction of the last two.  A list that is refilled was
 *                 empty: what it was assumed to have goes to the tail of
 *                 another one that is not proved empty yet, else it was in use.
 *                 Where such lists have thousands of pages, what is looked
 *                 through is only what may be known: the blocks at the head.
 * Always true:    an assumed page is on a list, and no step has named it.
 */
#include "foresight_impl.h"

#define NEIGHBOURS 16 /* brought along with a page that was taken */

static bool
is_assumed(const struct foresight *f, pfn_t pfn)
{
	return f->assumed && pfn != PFN_NONE &&
	       f->assumed[pfn / 8] >> pfn % 8 & 1;
}

static void
assume(struct foresight *f, pfn_t pfn)
{
	f->assumed[pfn / 8] |= (uint8_t)(1 << pfn % 8);
	f->assumed_sum += pfn * pfn;
	f->nr_assumed++;
}

static void
forget(struct foresight *f, pfn_t pfn)
{
	if (!is_assumed(f, pfn))
		return;
	f->assumed[pfn / 8] &= (uint8_t) ~(1 << pfn % 8);
	f->assumed_sum -= pfn * pfn;
	f->nr_assumed--;
}

void
assumed_begin(struct machine *m)
{
	const struct phys *phys = m->phys;
	const GArray *ranges = phys->config->pcp_frames;
	struct foresight *f = foresight_of(m);

	if (!phys->config->free_frames || m->replay->policy != REPLAY_MIRROR)
		return;
	f->started = true;
	if (f->assumed || !ranges)
		return;
	f->assumed = g_new0(uint8_t, phys->max_pfn / 8 + 1);
	f->proved = g_new0(uint8_t, phys->nr_zones * phys->nr_cpus);
	f->mixed =
		g_malloc0_n(phys->nr_zones * phys->nr_cpus, sizeof(*f->mixed));
	for (guint i = 0; i < ranges->len; i++) {
		const struct typed_frames *r =
			&g_array_index(ranges, struct typed_frames, i);

		for (pfn_t at = r->start; at < r->end; at++) {
			if (phys->frames[at].state != FRAME_PCP ||
			    phys->frames[at].order)
				continue;
			assume(f, at);
		}
	}
}

void
assumed_free(struct foresight *f)
{
	g_free(f->assumed);
	g_free(f->proved);
	g_free(f->mixed);
}

void
assumed_shown(struct step *s)
{
	struct foresight *f = s->replay->foresight;
	pfn_t end = s->pfn + block_pages(s->order);

	if (!f->nr_assumed)
		return;
	for (pfn_t at = s->pfn; at < end; at++)
		forget(f, at);
}

/* Whether the CPU's list was empty once, so that nothing assumed is there. */
static bool
is_proved(const struct step *s, const struct zone *zone, enum migratetype type)
{
	const struct foresight *f = s->replay->foresight;

	return type >= MIGRATE_PCPTYPES ||
	       f->proved[zone->id * s->m->phys->nr_cpus + s->cpu] >> type & 1;
}

/* --- what may be known of a list ------------------------------------------
 */

#define ANYWHERE UINT64_MAX

static uint64_t *
mixed_of(const struct step *s, const struct zone *zone, enum migratetype type)
{
	const struct foresight *f = s->replay->foresight;

	return &f->mixed[zone->id * s->m->phys->nr_cpus + s->cpu][type];
}

void
assumed_above(struct step *s, const struct zone *zone, enum migratetype type,
	      uint64_t nr)
{
	uint64_t *mixed;

	if (!s->replay->foresight->nr_assumed || s->order ||
	    type >= MIGRATE_PCPTYPES)
		return;
	mixed = mixed_of(s, zone, type);
	if (*mixed != ANYWHERE)
		*mixed += nr;
}

void
assumed_below(struct step *s, const struct zone *zone, enum migratetype type)
{
	if (s->replay->foresight->nr_assumed && !s->order &&
	    type < MIGRATE_PCPTYPES)
		*mixed_of(s, zone, type) = ANYWHERE;
}

bool
assumed_pass(struct step *s, struct zone *zone, enum migratetype type)
{
	const struct foresight *f = s->replay->foresight;
	uint64_t *mixed;

	if (!f->nr_assumed || s->order || type >= MIGRATE_PCPTYPES)
		return false;
	mixed = mixed_of(s, zone, type);
	if (!foresee_pcp_all(zone, s->cpu, 0, type, f->assumed, s->pfn, *mixed))
		return false;
	resync_to_head(zone, s->pfn);
	if (*mixed != ANYWHERE)
		*mixed = 0;
	return true;
}

uint64_t
assumed_demote(struct step *s, struct zone *zone, unsigned int order,
	       enum migratetype type, uint64_t most)
{
	const struct foresight *f = s->replay->foresight;
	pfn_t last = PFN_NONE;
	uint64_t nr;

	if (!f->nr_assumed || order)
		return 0;
	nr = foresee_pcp_run(zone, s->cpu, order, type, f->assumed, s->pfn,
			     most, &last);
	if (nr)
		resync_rotate(zone, last);
	return nr;
}

bool
assumed_before(struct step *s, pfn_t tail, enum migratetype type,
	       unsigned int cpu)
{
	if (!is_assumed(s->replay->foresight, tail))
		return false;
	resync_move(s->m->phys, s->pfn, type, cpu, true);
	return true;
}

int64_t
assumed_slack(const struct foresight *f, const struct per_cpu_pages *pcp)
{
	return f->assumed ? pcp->count / 4 : 0;
}

/* Those beside the page that was taken come next on its list. */
static void
bring(struct step *s, struct zone *zone, enum migratetype type, int way)
{
	const struct foresight *f = s->replay->foresight;
	pfn_t at = s->pfn;
	unsigned int nr = 0;

	while (nr < NEIGHBOURS && is_assumed(f, at + way) &&
	       s->m->phys->frames[at + way].zone == zone->id) {
		at += way;
		nr++;
	}
	assumed_above(s, zone, type, nr);
	for (; nr; nr--, at -= way)
		resync_move(s->m->phys, at, type, s->cpu, false);
}

void
assumed_alloc(struct step *s, struct zone *zone, enum migratetype type)
{
	struct foresight *f = s->replay->foresight;
	struct foresight_cpu *c = &f->cpu[s->cpu];

	if (s->order || !is_assumed(f, s->pfn))
		return;
	forget(f, s->pfn);
	c->way = c->assumed && s->pfn < c->assumed ? -1 : 1;
	c->assumed = s->pfn;
	if (!is_proved(s, zone, type))
		bring(s, zone, type, c->way);
}

/* A list of @zone that may have had the page after all. */
static bool
other_list(struct step *s, const struct zone *zone, enum migratetype *type,
	   unsigned int *cpu)
{
	const struct foresight *f = s->replay->foresight;
	unsigned int nr_cpus = s->m->phys->nr_cpus;

	for (unsigned int t = 0; t < MIGRATE_PCPTYPES; t++)
		for (unsigned int i = 0; i < nr_cpus; i++) {
			enum migratetype other = (enum migratetype)(
				(*type + t) % MIGRATE_PCPTYPES);
			unsigned int at = (*cpu + i) % nr_cpus;

			if (f->proved[zone->id * nr_cpus + at] >> other & 1)
				continue;
			*type = other;
			*cpu = at;
			return true;
		}
	return false;
}

/* The assumed pages of a list, from its head. */
static GArray *
assumed_on(struct step *s, const struct burst *burst)
{
	GArray *found = g_array_new(FALSE, FALSE, sizeof(pfn_t));
	struct list_cursor cursor = {0};
	pfn_t pfn;

	/* Lists of single pages come first, by type. */
	while ((pfn = pcp_list_next(burst->zone, s->cpu, burst->type,
				    &cursor)) != PFN_NONE)
		if (is_assumed(s->replay->foresight, pfn))
			g_array_append_val(found, pfn);
	return found;
}

void
assumed_refill(struct step *s, struct burst *burst)
{
	struct foresight *f = s->replay->foresight;
	struct zone *zone = burst->zone;
	enum migratetype type = burst->type;
	unsigned int cpu = s->cpu;
	GArray *pages;
	bool found;

	if (!f->assumed || burst->order || is_proved(s, zone, type))
		return;
	f->proved[zone->id * s->m->phys->nr_cpus + cpu] |=
		(uint8_t)(1U << type);
	found = other_list(s, zone, &type, &cpu);
	pages = assumed_on(s, burst);
	burst->before -= MIN_OF(burst->before, pages->len);
	for (guint i = 0; i < pages->len; i++) {
		pfn_t pfn = g_array_index(pages, pfn_t, i);

		if (found) {
			resync_move(s->m->phys, pfn, type, cpu, true);
			continue;
		}
		forget(f, pfn);
		resync_take(s->m->phys, pfn, 0, burst->type, s->cpu);
		s->replay->counts.missing++;
	}
	g_array_free(pages, TRUE);
}
