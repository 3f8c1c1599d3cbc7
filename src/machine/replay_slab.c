// SPDX-License-Identifier: MIT
/*
 * replay_slab.c - slab events become ops
 *
 * How it works: under policy model each allocation and free of a recorded
 * object is an op (ops_replay_slab.c).  Which cache an object comes from is
 * printed by kernels since 6.6; else what was given for its call site
 * (replay/site), what a free of one of the site's objects named, or the cache
 * that has just these sizes; if there is none, one is made, by an op too.
 *
 * The recorded kernel's slabs had pages, whose mm_page_alloc comes before the
 * event of the first object: our slabs take pages themselves, so those of the
 * recording wait (replay_slab_pages.c) and are passed over.
 *
 * Under policy mirror objects are only foretold (replay_shadow.c): no op.
 *
 * Always true: objects that stand for recorded ones are changed by ops alone;
 * sites, and the recorded slabs' pages, only decide which ops lines become.
 */
#include "kmemfs/ops.h"

#include "kmemfs/slab/kmalloc.h"

#include "replay_slab_impl.h"

#include <errno.h>
#include <glib.h>
#include <stdio.h>

static const char *const op_names[NR_FTRACE_EVENTS] = {
	[FTRACE_KMALLOC] = "replay/kmalloc",
	[FTRACE_KMALLOC_NODE] = "replay/kmalloc",
	[FTRACE_KFREE] = "replay/kfree",
	[FTRACE_CACHE_ALLOC] = "replay/kmem_cache_alloc",
	[FTRACE_CACHE_ALLOC_NODE] = "replay/kmem_cache_alloc",
	[FTRACE_CACHE_FREE] = "replay/kmem_cache_free",
};

struct replay_slab *
replay_slab_of(struct machine *m)
{
	struct replay *replay = replay_of(m);
	struct replay_slab *slab = replay->slab;

	if (slab)
		return slab;
	slab = replay->slab = g_new0(struct replay_slab, 1);
	slab->objects = object_map_new();
	slab->pooled = g_hash_table_new_full(g_int64_hash, g_int64_equal,
					     g_free, NULL);
	slab->usage = g_array_new(FALSE, TRUE, sizeof(struct cache_usage));
	slab->sites = sites_new();
	slab->pages = replay_map_new();
	slab->direct_map = m->phys->arch->page_offset;
	slab->waiting = slab_waiting_new(m->phys->nr_cpus);
	for (unsigned int i = 0; i < NR_FTRACE_EVENTS; i++)
		if (op_names[i])
			slab->op[i] = op_find(op_names[i]);
	slab->make = op_find("replay/cache");
	return slab;
}

uint64_t
replay_slab_fingerprint(const struct replay_slab *slab)
{
	uint64_t sum = object_map_fingerprint(slab->objects);
	GHashTableIter iter;
	gpointer at, id;

	g_hash_table_iter_init(&iter, slab->pooled);
	while (g_hash_table_iter_next(&iter, &at, &id))
		sum += (*(const uint64_t *)at + 1) *
		       (GPOINTER_TO_UINT(id) + 1) * 0x9e3779b97f4a7c15ULL;
	return sum;
}

void
replay_slab_free(struct replay_slab *slab)
{
	if (!slab)
		return;
	object_map_free(slab->objects);
	g_hash_table_destroy(slab->pooled);
	g_array_free(slab->usage, TRUE);
	sites_free(slab->sites);
	replay_map_free(slab->pages);
	g_free(slab->waiting);
	shadow_free(slab->shadow);
	g_free(slab);
}

void
replay_slab_begin(struct replay *replay)
{
	struct replay_slab *slab = replay->slab;

	if (!slab)
		return;
	for (guint i = 0; i < slab->usage->len; i++) {
		struct cache_usage *u =
			&g_array_index(slab->usage, struct cache_usage, i);

		u->allocated = u->freed = 0;
	}
	shadow_free(slab->shadow);
	slab->shadow = NULL;
	/* What sites took from belongs to the shadow. */
	for (uint32_t n = 1; n <= sites_count(slab->sites); n++)
		site_get(slab->sites, n)->shadow = 0;
}

struct cache_usage *
replay_slab_usage(struct replay_slab *slab, uint32_t id)
{
	if (id >= slab->usage->len)
		g_array_set_size(slab->usage, id + 1);
	return &g_array_index(slab->usage, struct cache_usage, id);
}

uint64_t
replay_live_objects(const struct replay *replay)
{
	if (!replay->slab)
		return 0;
	return replay->policy == REPLAY_MIRROR
		       ? shadow_live(replay->slab->shadow)
		       : object_map_count(replay->slab->objects);
}

uint64_t
replay_standing_objects(const struct replay *replay)
{
	return replay->slab ? object_map_count(replay->slab->objects) : 0;
}

uint64_t
replay_slab_pages(const struct replay *replay)
{
	return replay->slab ? replay_map_pages(replay->slab->pages) : 0;
}

/* --- which cache -----------------------------------------------------------
 */

/* The oldest cache with these sizes that is not kmalloc's; NULL. */
static const struct kmem_cache *
cache_of_sizes(const struct slab_common *sc, const struct site *s)
{
	for (guint i = 0; i < sc->caches->len; i++) {
		const struct kmem_cache *c = g_ptr_array_index(sc->caches, i);

		if (c->kmalloc_type < 0 && !c->dead &&
		    c->object_size == s->bytes_req && c->size == s->bytes_alloc)
			return c;
	}
	return NULL;
}

static const char *
choose_cache(struct machine *m, struct site *s)
{
	struct replay_slab *slab = m->replay->slab;
	const char *given = sites_given(slab->sites, s);
	const struct kmem_cache *c;
	char name[64];

	if (given) {
		s->how = SITE_GIVEN;
		s->sure = true;
		return given;
	}
	slab->unsure++;
	c = cache_of_sizes(m->slab, s);
	if (c) {
		s->how = SITE_SIZES;
		m->replay->counts.slab.by_size++;
		return sites_intern(slab->sites, c->name, strlen(c->name));
	}
	s->how = SITE_MADE;
	snprintf(name, sizeof(name), "replay-%u-%u", s->bytes_req,
		 s->bytes_alloc);
	return sites_intern(slab->sites, name, strlen(name));
}

/* A free names the cache of an object that site @number allocated. */
static void
learn(struct replay *replay, uint32_t number, const char *cache)
{
	struct site *s = site_get(replay->slab->sites, number);

	if (s->sure)
		return;
	s->sure = true;
	replay->slab->unsure--;
	replay->counts.slab.learnt++;
	replay->counts.slab.moved += s->cache && strcmp(s->cache, cache);
	s->cache = cache;
	s->how = SITE_LEARNT;
}

#define FILL(op, name, ...)                                                    \
	(*(struct args_##name *)(void *)&(op)->args =                          \
		 (struct args_##name){__VA_ARGS__})

/* Make the cache of @s, which is not here. */
static void
make_cache(struct machine *m, const struct site *s)
{
	struct replay *replay = m->replay;
	struct refusal own;
	struct op op;

	op_begin(&op, m, replay->slab->make);
	FILL(&op, replay_cache, .name = s->cache, .object_size = s->bytes_req,
	     .size = s->bytes_alloc);
	if (!op_run(m, &op, NULL, &own))
		replay->counts.slab.made++;
}

/* --- one event ------------------------------------------------------------ */

static uint64_t
context_of(const struct ftrace_event *e)
{
	if (e->flags & FTRACE_HARDIRQ)
		return CONTEXT_IRQ;
	return e->flags & FTRACE_SOFTIRQ ? CONTEXT_SOFTIRQ : CONTEXT_PROCESS;
}

#define WHO(e, s, at_ns)                                                       \
	.cpu = cpu, .pid = (uint64_t)(e)->pid, .context = context_of(e),       \
	.at = (at_ns), .caller = (s) ? (s)->function : NULL

static void
fill(struct op *op, const struct ftrace_event *e, const struct site *s,
     unsigned int cpu, uint64_t at)
{
	int node = e->node;

	if (node >= (int)op->m->phys->nr_nodes)
		node = NODE_LOCAL;
	switch (e->kind) {
	case FTRACE_KMALLOC:
	case FTRACE_KMALLOC_NODE:
		FILL(op, replay_kmalloc, .ptr = e->ptr, .size = e->bytes_req,
		     .gfp = e->gfp, .node = node, WHO(e, s, at));
		break;
	case FTRACE_CACHE_ALLOC:
	case FTRACE_CACHE_ALLOC_NODE:
		FILL(op, replay_kmem_cache_alloc, .ptr = e->ptr,
		     .cache = s->cache, .gfp = e->gfp, .node = node,
		     WHO(e, s, at));
		break;
	case FTRACE_KFREE:
		FILL(op, replay_kfree, .ptr = e->ptr, WHO(e, s, at));
		break;
	default:
		FILL(op, replay_kmem_cache_free, .ptr = e->ptr, WHO(e, s, at));
		break;
	}
}

static int
run(struct machine *m, const struct ftrace_event *e, uint32_t site, uint64_t at,
    struct refusal *own)
{
	struct replay *replay = m->replay;
	struct site *s = site ? site_get(replay->slab->sites, site) : NULL;
	struct op op;
	int err;

	op_begin(&op, m, replay->slab->op[e->kind]);
	fill(&op, e, s, replay_fold_cpu(m, e->cpu), at);
	own->ran = false;
	replay->current = e;
	replay->slab->hand = site;
	err = op_run(m, &op, NULL, own);
	replay->slab->hand = 0;
	replay->current = NULL;
	return err;
}

static bool
takes_from_cache(enum ftrace_kind kind)
{
	return kind == FTRACE_CACHE_ALLOC || kind == FTRACE_CACHE_ALLOC_NODE;
}

/* Whether the line can be an op at all. */
static bool
prepare(struct machine *m, const struct ftrace_event *e, uint32_t site)
{
	struct replay *replay = m->replay;
	struct replay_object object;
	struct site *s;

	if (takes_from_cache(e->kind)) {
		if (!site)
			return false;
		s = site_get(replay->slab->sites, site);
		if (!s->cache)
			s->cache = choose_cache(m, s);
	} else if (e->kind == FTRACE_CACHE_FREE && site && e->cache_len &&
		   replay->slab->unsure) {
		s = site_get(replay->slab->sites, site);
		if (object_map_find(replay->slab->objects, e->ptr, &object) &&
		    object.site)
			learn(replay, object.site, s->cache);
	}
	return true;
}

/* Events that change nothing: of NULL, or of what could not be had. */
static bool
is_nothing(struct replay *replay, const struct ftrace_event *e)
{
	bool frees = e->kind == FTRACE_KFREE || e->kind == FTRACE_CACHE_FREE;

	if (frees && e->ptr <= ZERO_SIZE_PTR)
		replay->counts.slab.null_frees++;
	else if (!e->ptr)
		replay->counts.slab.had_failed++;
	else
		return false;
	return true;
}

static int
do_event(struct machine *m, const struct ftrace_event *e, uint32_t site,
	 uint64_t at, struct refusal *r)
{
	struct replay *replay = m->replay;
	struct refusal own;
	int err;

	if (is_nothing(replay, e))
		return 0;
	if (!prepare(m, e, site)) {
		replay->counts.slab.impossible++;
		return 0;
	}
	err = run(m, e, site, at, &own);
	if (err == -ENOENT && !own.ran && takes_from_cache(e->kind)) {
		make_cache(m, site_get(replay->slab->sites, site));
		err = run(m, e, site, at, &own);
	}
	if (!err || own.ran)
		return 0;
	if (m->state == MACHINE_PANIC) {
		if (r)
			*r = own;
		return err;
	}
	replay->counts.slab.impossible++;
	return 0;
}

bool
replay_slab_line(struct machine *m, const struct ftrace_event *e, uint64_t at,
		 struct refusal *r, int *err)
{
	struct replay *replay = m->replay;
	bool slab = e->kind >= FTRACE_KMALLOC && e->kind < FTRACE_OTHER;
	bool model = replay->policy == REPLAY_MODEL;
	uint32_t site = 0;

	*err = 0;
	replay_slab_of(m);
	if (!slab && model)
		return slab_page_event(m, e, at);
	if (!slab) {
		shadow_event(m, e, at, 0);
		return false;
	}
	replay->counts.slab.events++;
	m->generation++;
	if (e->ptr == FTRACE_PTR_HIDDEN) {
		replay->counts.slab.hidden++;
		return model;
	}
	site = sites_find(replay->slab->sites, e);
	if (!model) {
		shadow_event(m, e, at, site);
		return false;
	}
	slab_page_event(m, e, at);
	*err = do_event(m, e, site, at, r);
	return true;
}

void
replay_slab_flush(struct machine *m)
{
	if (m->replay->slab)
		slab_pages_flush(m);
}

/* --- tables ----------------------------------------------------------------
 */

static const char *const hows[] = {
#define HOW_WORD(id, word) word,
	REPLAY_HOW(HOW_WORD)
#undef HOW_WORD
};

static void
print_cache(const struct kmem_cache *c, const struct cache_usage *u,
	    struct out *out)
{
	struct slabinfo info;

	if (!u->allocated && !u->freed && !u->live)
		return;
	out_printf(out, "%s %u %llu %llu %llu ", c ? c->name : "pages",
		   c ? c->object_size : 0, (unsigned long long)u->allocated,
		   (unsigned long long)u->freed, (unsigned long long)u->live);
	if (!c) {
		out_str(out, "- - -\n");
		return;
	}
	slab_info(c, &info);
	out_printf(out, "%llu %llu %llu\n",
		   (unsigned long long)info.active_objs,
		   (unsigned long long)info.num_objs,
		   (unsigned long long)info.num_slabs);
}

void
replay_print_caches(struct machine *m, struct out *out)
{
	struct replay_slab *slab = replay_of(m)->slab;

	if (m->replay->policy == REPLAY_MIRROR) {
		shadow_print(slab ? slab->shadow : NULL, out);
		return;
	}
	out_str(out, "cache object_size allocated freed live active_objs "
		     "num_objs num_slabs\n");
	for (guint id = 0; slab && id < slab->usage->len; id++) {
		struct kmem_cache *c = kmem_cache_get(m->slab, id);

		if (c || !id)
			print_cache(c, replay_slab_usage(slab, id), out);
	}
}

void
replay_print_sites(struct machine *m, struct out *out)
{
	struct replay_slab *slab = replay_of(m)->slab;
	uint32_t nr = slab ? sites_count(slab->sites) : 0;

	out_str(out, "site bytes_req bytes_alloc cache known objects\n");
	for (uint32_t n = 1; n <= nr; n++) {
		const struct site *s = site_get(slab->sites, n);

		if (!takes_from_cache(s->event))
			continue;
		out_printf(out, "%s %u %u %s %s %llu\n", s->text, s->bytes_req,
			   s->bytes_alloc, s->cache ? s->cache : "-",
			   s->cache ? hows[s->how] : "-",
			   (unsigned long long)s->events);
	}
}
