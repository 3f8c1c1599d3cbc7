// SPDX-License-Identifier: MIT
/*
 * replay_shadow.c - which object of which slab a recorded kernel gives next
 *
 * How it works: under policy mirror the recorded objects lie where they lay;
 * the lists that SLUB kept of them (replay_shadow_lists.c) follow from the
 * events. Before each allocation the next object is foretold: from the CPU's
 * list, the CPU's slab, its partial ones, the block that was just allocated for
 * a slab, the node's.  Then what was recorded is done, whatever was foretold.
 * Nothing of this is state of the machine: no op, no digest.
 *
 * Which cache a call site takes from shows by the addresses that it gets: two
 * sites that take from one slab take from one cache.  What is told by names, of
 * frees or of allocations, counts from the start.
 *
 * Why one cannot be foretold: the site is new, its cache not known (no_cache);
 * the slab is older than the recording (before); a new slab's first object, or
 * the order of a cache's first slab, where kernels shuffle (shuffled).  These
 * two are counted only, so that the list of mismatches keeps the others.
 */
#include "kmemfs/slab/kmalloc.h"

#include "replay_shadow_impl.h"

#include <glib.h>
#include <stdio.h>
#include <string.h>

struct guess {
	struct shadow_cache *cache; /* NULL: not known */
	uint64_t slab;		    /* its address, 0: none foretold */
	uint64_t object;	    /* 0: not known which */
};

/* --- caches -----------------------------------------------------------------
 */

static struct slab_shadow *
shadow_new(const struct phys *phys)
{
	struct slab_shadow *shadow = g_new0(struct slab_shadow, 1);

	shadow->caches = g_ptr_array_new();
	shadow->pages = g_hash_table_new(g_direct_hash, g_direct_equal);
	shadow->live = object_map_new();
	shadow->nr_cpus = phys->nr_cpus;
	shadow->page_shift = phys->page_shift;
	shadow->blocks = g_malloc0_n(phys->nr_cpus, sizeof(*shadow->blocks));
	return shadow;
}

static struct shadow_slab *
slab_at(const struct slab_shadow *shadow, uint64_t ptr)
{
	return g_hash_table_lookup(shadow->pages,
				   (gpointer)(ptr >> shadow->page_shift));
}

static void
slab_forget(struct slab_shadow *shadow, struct shadow_slab *slab)
{
	for (uint64_t i = 0; i < 1ULL << slab->order; i++)
		g_hash_table_remove(
			shadow->pages,
			(gpointer)((slab->base >> shadow->page_shift) + i));
	shadow_slab_free(slab);
}

static struct shadow_cache *
cache_get(const struct slab_shadow *shadow, uint32_t number)
{
	struct shadow_cache *s = g_ptr_array_index(shadow->caches, number - 1);

	while (s->root != number) {
		number = s->root;
		s = g_ptr_array_index(shadow->caches, number - 1);
	}
	return s;
}

static struct shadow_cache *
cache_new(struct machine *m, struct slab_shadow *shadow, uint32_t req,
	  uint32_t size, const char *name)
{
	struct kmem_cache like;
	struct shadow_cache *s;

	if (!slab_geometry(m->slab, size, &like))
		return NULL;
	s = g_new0(struct shadow_cache, 1);
	s->name = name;
	s->req = req;
	s->size = size;
	s->order = like.order;
	s->objects = like.objects;
	s->min_partial = like.min_partial;
	s->cpu_partial_slabs = like.cpu_partial_slabs;
	s->cpu = g_new0(struct shadow_cpu, shadow->nr_cpus);
	s->follows = g_new0(uint16_t, s->objects);
	g_ptr_array_add(shadow->caches, s);
	s->root = shadow->caches->len;
	return s;
}

static struct shadow_cache *
named_cache(const struct slab_shadow *shadow, const char *name)
{
	for (guint i = 0; i < shadow->caches->len; i++) {
		struct shadow_cache *s = shadow->caches->pdata[i];

		if (s->root == i + 1 && s->name && !strcmp(s->name, name))
			return s;
	}
	return NULL;
}

/* The one cache with these sizes; NULL: none, or several. */
static struct shadow_cache *
cache_sized(const struct slab_shadow *shadow, const struct site *site)
{
	struct shadow_cache *found = NULL;

	for (guint i = 0; i < shadow->caches->len; i++) {
		struct shadow_cache *s = shadow->caches->pdata[i];

		if (s->root != i + 1 || s->req != site->bytes_req ||
		    s->size != site->bytes_alloc)
			continue;
		if (found)
			return NULL;
		found = s;
	}
	return found;
}

/* @other turned out to be @s: its slabs are those of @s, on no list. */
static void
cache_join(struct shadow_cache *s, struct shadow_cache *other,
	   unsigned int nr_cpus)
{
	while (other->first)
		shadow_unlist(other, other->first);
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++) {
		struct shadow_cpu *c = &other->cpu[cpu];

		while (c->partial)
			shadow_unlist(other, c->partial);
		if (c->slab) {
			chain_move(&c->slab->list, &c->list);
			shadow_unlist(other, c->slab);
		}
	}
	s->allocated += other->allocated;
	s->freed += other->freed;
	s->live += other->live;
	s->steps += other->steps;
	s->right += other->right;
	s->slab_right += other->slab_right;
	if (!s->name)
		s->name = other->name;
	other->root = s->root;
}

void
shadow_free(struct slab_shadow *shadow)
{
	GHashTableIter iter;
	gpointer page, value;
	GPtrArray *slabs;

	if (!shadow)
		return;
	slabs = g_ptr_array_new_with_free_func(shadow_slab_free);
	g_hash_table_iter_init(&iter, shadow->pages);
	while (g_hash_table_iter_next(&iter, &page, &value)) {
		const struct shadow_slab *slab = value;

		/* A slab is known by each of its pages. */
		if (slab->base >> shadow->page_shift == (uint64_t)page)
			g_ptr_array_add(slabs, value);
	}
	g_ptr_array_free(slabs, TRUE);
	g_hash_table_destroy(shadow->pages);
	for (guint i = 0; i < shadow->caches->len; i++) {
		struct shadow_cache *s = shadow->caches->pdata[i];

		for (unsigned int c = 0; c < shadow->nr_cpus; c++)
			g_free(s->cpu[c].list.index);
		g_free(s->cpu);
		g_free(s->follows);
		g_free(s);
	}
	g_ptr_array_free(shadow->caches, TRUE);
	object_map_free(shadow->live);
	g_free(shadow->blocks);
	g_free(shadow);
}

/* kmalloc's caches are told by size and kind of memory. */
static struct shadow_cache *
cache_of_kmalloc(struct machine *m, struct slab_shadow *shadow,
		 const struct ftrace_event *e)
{
	const char *kind = e->gfp & __GFP_DMA		? "dma-kmalloc"
			   : e->gfp & __GFP_RECLAIMABLE ? "kmalloc-rcl"
			   : e->gfp & __GFP_ACCOUNT	? "kmalloc-cg"
							: "kmalloc";
	struct shadow_cache *s;
	char name[40];

	if (e->bytes_alloc > 1U << KMALLOC_SHIFT_HIGH || !e->bytes_alloc)
		return NULL;
	if (e->bytes_alloc >= 1024)
		snprintf(name, sizeof(name), "%s-%uk", kind,
			 (unsigned int)e->bytes_alloc / 1024);
	else
		snprintf(name, sizeof(name), "%s-%u", kind,
			 (unsigned int)e->bytes_alloc);
	s = named_cache(shadow, name);
	if (s)
		return s;
	return cache_new(
		m, shadow, (uint32_t)e->bytes_alloc, (uint32_t)e->bytes_alloc,
		sites_intern(m->replay->slab->sites, name, strlen(name)));
}

static struct shadow_cache *
cache_of_site(struct machine *m, struct slab_shadow *shadow, struct site *site)
{
	const char *name = site->cache;
	struct shadow_cache *s;

	if (site->shadow)
		return cache_get(shadow, site->shadow);
	if (!name)
		name = sites_given(m->replay->slab->sites, site);
	if (!name)
		return cache_sized(shadow, site);
	s = named_cache(shadow, name);
	if (!s)
		s = cache_new(m, shadow, site->bytes_req, site->bytes_alloc,
			      name);
	if (s)
		site->shadow = s->root;
	return s;
}

/* --- foretelling ------------------------------------------------------------
 */

static uint64_t
object_address(const struct shadow_cache *s, uint64_t slab, uint16_t index)
{
	return slab + (uint64_t)index * s->size;
}

/* The next object of a list that ends in a new slab's order. */
static void
guess_chain(const struct slab_shadow *shadow, struct guess *g,
	    const struct shadow_slab *slab, const struct chain *chain)
{
	uint16_t index = chain_top(chain);

	g->slab = slab->base;
	if (index == INDEX_UNKNOWN) {
		index = slab->fresh ? g->cache->follows[slab->fresh - 1] : 0;
		/* Not shuffled: one after the other. */
		if (!index && shadow->first_zero && !shadow->first_other)
			index = slab->fresh + 1;
		if (!index || index > slab->objects)
			return;
		index--;
	}
	g->object = object_address(g->cache, slab->base, index);
}

/* The block that was allocated for a slab of @s just now; NULL. */
static struct shadow_block *
new_block(struct slab_shadow *shadow, const struct shadow_cache *s,
	  unsigned int cpu)
{
	for (unsigned int i = 0; i < BLOCKS_KEPT; i++) {
		struct shadow_block *block = &shadow->blocks[cpu][i];

		if (block->pfn && block->order == s->order)
			return block;
	}
	return NULL;
}

static uint64_t
block_address(const struct machine *m, const struct shadow_block *block)
{
	return m->replay->slab->direct_map +
	       (block->pfn << m->phys->page_shift);
}

static void
foretell(struct machine *m, struct slab_shadow *shadow, unsigned int cpu,
	 struct guess *g)
{
	const struct shadow_cpu *c = &g->cache->cpu[cpu];
	const struct shadow_block *block;

	if (c->list.nr) {
		guess_chain(shadow, g, c->slab, &c->list);
		return;
	}
	block = new_block(shadow, g->cache, cpu);
	if (block) {
		g->slab = block_address(m, block);
		if (shadow->first_zero && !shadow->first_other)
			g->object = g->slab;
	} else if (c->slab && c->slab->list.nr) {
		guess_chain(shadow, g, c->slab, &c->slab->list);
	} else if (c->partial && c->partial->list.nr) {
		guess_chain(shadow, g, c->partial, &c->partial->list);
	} else if (g->cache->first && g->cache->first->list.nr) {
		guess_chain(shadow, g, g->cache->first, &g->cache->first->list);
	}
}

/* --- what was recorded ------------------------------------------------------
 */

/* The slab of the object at @ptr, made known now. */
static struct shadow_slab *
slab_new(struct machine *m, struct slab_shadow *shadow, struct shadow_cache *s,
	 uint64_t ptr, unsigned int cpu)
{
	const uint64_t bytes = page_size(m->phys) << s->order;
	struct shadow_block *block = new_block(shadow, s, cpu);
	struct shadow_slab *slab = g_new0(struct shadow_slab, 1);

	slab->base = ptr & ~(bytes - 1);
	slab->cache = s->root;
	slab->order = s->order;
	slab->objects = s->objects;
	if (block && block_address(m, block) == slab->base) {
		*block = (struct shadow_block){0};
		slab->made = true;
		for (unsigned int i = 0; i < slab->objects; i++)
			chain_push(&slab->list, INDEX_UNKNOWN);
	}
	for (uint64_t i = 0; i < 1ULL << slab->order; i++) {
		struct shadow_slab *old =
			slab_at(shadow, slab->base + (i << shadow->page_shift));

		if (old) {
			shadow_unlist(cache_get(shadow, old->cache), old);
			slab_forget(shadow, old);
		}
		g_hash_table_insert(
			shadow->pages,
			(gpointer)((slab->base >> shadow->page_shift) + i),
			slab);
	}
	return slab;
}

/* The cache that the object at @ptr, of @site, lies in. */
static struct shadow_cache *
settle(struct machine *m, struct slab_shadow *shadow, struct site *site,
       struct shadow_cache *guess, uint64_t ptr, bool foretold)
{
	struct shadow_slab *slab = slab_at(shadow, ptr);
	bool is_site = site->event == FTRACE_CACHE_ALLOC ||
		       site->event == FTRACE_CACHE_ALLOC_NODE;
	struct shadow_cache *s;

	if (slab) {
		s = cache_get(shadow, slab->cache);
		if (guess && guess != s && guess->size == s->size &&
		    (!is_site || site->shadow))
			cache_join(s, guess, shadow->nr_cpus);
		if (s->size != site->bytes_alloc)
			return NULL;
	} else if (guess && (!is_site || site->shadow || foretold)) {
		s = guess;
	} else {
		s = cache_new(m, shadow, site->bytes_req, site->bytes_alloc,
			      NULL);
	}
	if (s && is_site)
		site->shadow = s->root;
	return s;
}

static void
tell_miss(struct machine *m, const struct ftrace_event *e, uint64_t at,
	  const struct guess *g, const char *reason)
{
	struct replay_note note = {
		.at_ns = at,
		.pfn = e->ptr,
		.cpu = (uint16_t)e->cpu,
		.event = (uint8_t)e->kind,
		.expected = g->object ? g->object : g->slab,
	};

	snprintf(note.lists, sizeof(note.lists), "%s", reason);
	replay_note(m->replay, MISMATCH_OBJECT, &note);
}

static void
judge(struct machine *m, const struct ftrace_event *e, uint64_t at,
      const struct guess *g, struct shadow_cache *s,
      const struct shadow_slab *slab)
{
	struct replay_slab_counts *counts = &m->replay->counts.slab;
	bool right = g->object == e->ptr;
	bool in_slab = g->slab && g->slab == slab->base;

	counts->steps++;
	counts->object_right += right;
	counts->slab_right += in_slab;
	s->steps++;
	s->right += right;
	s->slab_right += in_slab;
	if (right)
		return;
	if (!g->cache) {
		counts->no_cache++;
		tell_miss(m, e, at, g, "no_cache");
	} else if (in_slab && !g->object) {
		counts->shuffled++;
	} else if (!slab->made) {
		counts->before++;
	} else {
		counts->otherwise++;
		tell_miss(m, e, at, g, "otherwise");
	}
}

static void
object_allocated(struct machine *m, struct slab_shadow *shadow,
		 const struct ftrace_event *e, uint64_t at, uint32_t number)
{
	struct site *site = site_get(m->replay->slab->sites, number);
	unsigned int cpu = replay_fold_cpu(m, e->cpu);
	bool kmalloc =
		e->kind == FTRACE_KMALLOC || e->kind == FTRACE_KMALLOC_NODE;
	struct guess g = {0};
	struct shadow_cache *s;
	struct shadow_slab *slab;
	uint64_t index;

	if (kmalloc && e->bytes_alloc > 1U << KMALLOC_SHIFT_HIGH)
		return;
	site->bytes_alloc = (uint32_t)e->bytes_alloc;
	g.cache = kmalloc ? cache_of_kmalloc(m, shadow, e)
			  : cache_of_site(m, shadow, site);
	if (g.cache)
		foretell(m, shadow, cpu, &g);
	s = settle(m, shadow, site, g.cache, e->ptr,
		   g.slab && e->ptr - g.slab < page_size(m->phys)
						       << g.cache->order);
	if (!s)
		return;
	slab = slab_at(shadow, e->ptr);
	if (!slab)
		slab = slab_new(m, shadow, s, e->ptr, cpu);
	index = (e->ptr - slab->base) / s->size;
	judge(m, e, at, &g, s, slab);
	s->allocated++;
	s->live++;
	if (s->cpu[cpu].slab != slab || !s->cpu[cpu].list.nr)
		shadow_switch(shadow, s, cpu, slab);
	if (index < slab->objects)
		shadow_take(shadow, s, cpu, (uint16_t)index);
}

static void
object_freed(struct machine *m, struct slab_shadow *shadow,
	     const struct ftrace_event *e, uint32_t number)
{
	struct shadow_slab *slab = slab_at(shadow, e->ptr);
	unsigned int cpu = replay_fold_cpu(m, e->cpu);
	struct shadow_cache *s;
	uint64_t index;

	if (!slab)
		return;
	s = cache_get(shadow, slab->cache);
	index = (e->ptr - slab->base) / s->size;
	s->freed++;
	s->live -= s->live != 0;
	if (e->cache_len && number) {
		const char *name =
			site_get(m->replay->slab->sites, number)->cache;
		struct shadow_cache *other = named_cache(shadow, name);

		if (!s->name && !other)
			s->name = name;
		else if (!s->name && other != s && other->size == s->size)
			cache_join(s, other, shadow->nr_cpus);
	}
	if (index < slab->objects)
		shadow_give(s, slab, cpu, (uint16_t)index);
}

/* A block for a slab, or the end of one. */
static void
page_event(struct machine *m, struct slab_shadow *shadow,
	   const struct ftrace_event *e)
{
	struct shadow_block *blocks =
		shadow->blocks[replay_fold_cpu(m, e->cpu)];
	uint64_t address =
		m->replay->slab->direct_map + (e->pfn << m->phys->page_shift);
	struct shadow_slab *slab;

	if (e->kind == FTRACE_ALLOC && e->gfp & __GFP_NORETRY &&
	    !(e->gfp & (__GFP_HIGHMEM | __GFP_MOVABLE))) {
		memmove(blocks + 1, blocks,
			(BLOCKS_KEPT - 1) * sizeof(*blocks));
		*blocks = (struct shadow_block){e->pfn, e->order};
	}
	if (e->kind != FTRACE_ALLOC && e->kind != FTRACE_FREE)
		return;
	slab = slab_at(shadow, address);
	if (!slab)
		return;
	shadow_unlist(cache_get(shadow, slab->cache), slab);
	slab_forget(shadow, slab);
}

/* Count objects, by whatever their pointers are. */
static void
count_allocated(struct replay_slab_counts *counts, struct object_map *live,
		uint64_t ptr)
{
	struct replay_object object;

	if (!ptr) {
		counts->had_failed++;
		return;
	}
	counts->allocated++;
	if (object_map_take(live, ptr, &object))
		counts->again++;
	object_map_add(live, ptr, 0, 0);
}

static void
count_freed(struct replay_slab_counts *counts, struct object_map *live,
	    uint64_t ptr)
{
	struct replay_object object;

	if (ptr <= ZERO_SIZE_PTR)
		counts->null_frees++;
	else if (object_map_take(live, ptr, &object))
		counts->freed++;
	else
		counts->unknown++;
}

uint64_t
shadow_live(const struct slab_shadow *shadow)
{
	return shadow ? object_map_count(shadow->live) : 0;
}

void
shadow_release(struct slab_shadow *shadow)
{
	if (!shadow)
		return;
	object_map_free(shadow->live);
	shadow->live = object_map_new();
	for (guint i = 0; i < shadow->caches->len; i++)
		((struct shadow_cache *)shadow->caches->pdata[i])->live = 0;
}

void
shadow_event(struct machine *m, const struct ftrace_event *e, uint64_t at,
	     uint32_t site)
{
	struct replay_slab *slab = m->replay->slab;
	struct replay_slab_counts *counts = &m->replay->counts.slab;

	if (!slab->shadow)
		slab->shadow = shadow_new(m->phys);
	switch (e->kind) {
	case FTRACE_ALLOC:
	case FTRACE_FREE:
		page_event(m, slab->shadow, e);
		break;
	case FTRACE_KMALLOC:
	case FTRACE_KMALLOC_NODE:
	case FTRACE_CACHE_ALLOC:
	case FTRACE_CACHE_ALLOC_NODE:
		count_allocated(counts, slab->shadow->live, e->ptr);
		if (site && replay_ptr_is_raw(m, e->ptr))
			object_allocated(m, slab->shadow, e, at, site);
		break;
	case FTRACE_KFREE:
	case FTRACE_CACHE_FREE:
		count_freed(counts, slab->shadow->live, e->ptr);
		if (replay_ptr_is_raw(m, e->ptr))
			object_freed(m, slab->shadow, e, site);
		break;
	default:
		break;
	}
}

void
shadow_print(const struct slab_shadow *shadow, struct out *out)
{
	out_str(out, "cache object_size allocated freed live steps "
		     "objects_predicted slabs_predicted\n");
	for (guint i = 0; shadow && i < shadow->caches->len; i++) {
		const struct shadow_cache *s = shadow->caches->pdata[i];

		if (s->root != i + 1)
			continue;
		if (s->name)
			out_str(out, s->name);
		else
			out_printf(out, "replay-%u-%u", s->req, s->size);
		out_printf(out, " %u %llu %llu %llu %llu %llu %llu\n", s->req,
			   (unsigned long long)s->allocated,
			   (unsigned long long)s->freed,
			   (unsigned long long)s->live,
			   (unsigned long long)s->steps,
			   (unsigned long long)s->right,
			   (unsigned long long)s->slab_right);
	}
}
