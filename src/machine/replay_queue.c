// SPDX-License-Identifier: MIT
/*
 * replay_queue.c - what the order of a recording's lines hides
 *
 * What it models: free_unref_page_list() announces all its pages first
 * (mm_page_free each), and puts them on the per-cpu lists afterwards, with
 * mm_page_free_batched just before each.
 *
 * How it works:   a free of a single page waits, for its CPU and for the level
 *                 it ran at (task, softirq, interrupt), until the next line of
 *                 that CPU tells which it was: another one may be of the same
 *                 list; mm_page_free_batched of one that waits shows that it
 *                 and those behind it are a list's, and those before are not;
 *                 anything else, that none of them is.  While a list's pages
 *                 are put away one by one, drains come between.
 * Always true:    what waits is done before the replay ends.
 */
#include "foresight_impl.h"

#include "kmemfs/ops.h"

#include <string.h>

#define LEVELS 3
#define WAITING_MOST 65536
#define STALE_NS 20000000 /* that a free may wait for its CPU's next line */
#define KSWAPD_NS 2000000 /* without a step of it, and it may have ended */
#define BOOT_PAGES 16	  /* so many at least has an initramfs, in a row */

struct waiting {
	struct ftrace_event e;
	uint64_t at;
	uint64_t serial;
	char comm[24];
};

struct queue {
	struct waiting *event; /* a ring would do; lists are short */
	unsigned int first, nr, room;
	bool is_list; /* the rest are a list's, and */
	pfn_t last;   /* this was put away last */
};

struct replay_queue {
	uint64_t nr, serial;	  /* waiting on all CPUs; ever queued */
	struct queue *queue;	  /* [cpu * LEVELS + level] */
	unsigned int *areas;	  /* [cpu]: vmalloc areas begun */
	unsigned int interleaved; /* node of the last page that pid 1 took */
	unsigned int *kswapd_cpu; /* [node]: where it ran last, and when */
	uint64_t *kswapd_at;
	pfn_t boot_last;	    /* the page freed last of those... */
	unsigned int boot_pages[2]; /* of the boot that were freed, [1]: the
				       init sections, by pid 1 */
};

static struct replay_queue *
queue_of(struct machine *m)
{
	struct replay *replay = m->replay;

	if (!replay->queue) {
		replay->queue = g_new0(struct replay_queue, 1);
		replay->queue->queue =
			g_new0(struct queue, m->phys->nr_cpus * LEVELS);
		replay->queue->areas = g_new0(unsigned int, m->phys->nr_cpus);
		replay->queue->kswapd_cpu =
			g_new0(unsigned int, m->phys->nr_nodes);
		replay->queue->kswapd_at = g_new0(uint64_t, m->phys->nr_nodes);
	}
	return replay->queue;
}

void
queue_free(struct replay_queue *queue, unsigned int nr_cpus)
{
	if (!queue)
		return;
	for (unsigned int i = 0; i < nr_cpus * LEVELS; i++)
		g_free(queue->queue[i].event);
	g_free(queue->queue);
	g_free(queue->areas);
	g_free(queue->kswapd_cpu);
	g_free(queue->kswapd_at);
	g_free(queue);
}

static unsigned int
level_of(const struct ftrace_event *e)
{
	if (e->flags & FTRACE_HARDIRQ)
		return 2;
	return e->flags & FTRACE_SOFTIRQ ? 1 : 0;
}

static void
queue_add(struct replay_queue *all, struct queue *q,
	  const struct ftrace_event *e, uint64_t at)
{
	struct waiting *w;

	if (!q->nr)
		q->first = 0;
	if (q->first + q->nr == q->room) {
		q->room = MAX_OF(q->room * 2, 16);
		q->event = g_renew(struct waiting, q->event, q->room);
	}
	w = &q->event[q->first + q->nr++];
	w->e = *e;
	w->at = at;
	w->serial = all->serial++;
	w->e.comm_len = MIN_OF(e->comm_len, sizeof(w->comm));
	memcpy(w->comm, e->comm, w->e.comm_len);
	all->nr++;
}

/* Do the one that has waited longest. */
static void
queue_do(struct machine *m, struct queue *q)
{
	struct waiting w = q->event[q->first];

	w.e.comm = w.comm;
	q->first++;
	q->nr--;
	m->replay->queue->nr--;
	if (!q->nr)
		q->is_list = false;
	replay_step(m, &w.e, w.at, NULL);
}

static void
queue_do_all(struct machine *m, struct queue *q)
{
	while (q->nr)
		queue_do(m, q);
	q->is_list = false;
}

/* Those of level @from and above, in the order in which they came. */
static void
queue_do_levels(struct machine *m, struct queue *levels, unsigned int from)
{
	for (;;) {
		struct queue *next = NULL;

		for (unsigned int i = from; i < LEVELS; i++) {
			struct queue *q = &levels[i];

			if (q->nr &&
			    (!next || q->event[q->first].serial <
					      next->event[next->first].serial))
				next = q;
		}
		if (!next)
			return;
		queue_do(m, next);
	}
}

static bool
queue_has(const struct queue *q, pfn_t pfn, unsigned int order)
{
	for (unsigned int i = 0; i < q->nr; i++)
		if (q->event[q->first + i].e.pfn >> order == pfn >> order)
			return true;
	return false;
}

/* A CPU that has no more lines leaves frees waiting: what has waited for long,
 * or is in use again, is done before another CPU's step. */
static void
queue_do_stale(struct machine *m, const struct ftrace_event *e,
	       unsigned int cpu, uint64_t at)
{
	struct replay_queue *all = m->replay->queue;
	bool takes = e->kind == FTRACE_ALLOC || e->kind == FTRACE_ZONE_LOCKED ||
		     e->kind == FTRACE_DRAIN;

	for (unsigned int i = 0; i < m->phys->nr_cpus * LEVELS; i++) {
		struct queue *q = &all->queue[i];

		if (!q->nr || i / LEVELS == cpu)
			continue;
		if (q->event[q->first].at + STALE_NS < at ||
		    (takes && e->order < MAX_ORDER &&
		     queue_has(q, e->pfn, e->order)))
			queue_do_all(m, q);
	}
}

/* mm_page_free_batched: that page goes to its list now. */
static void
queue_batched(struct machine *m, struct queue *q, pfn_t pfn)
{
	unsigned int at = 0;

	while (at < q->nr && q->event[q->first + at].e.pfn != pfn)
		at++;
	if (at == q->nr)
		return;
	for (; at; at--)
		queue_do(m, q);
	q->is_list = true;
	q->last = pfn;
	queue_do(m, q);
}

bool
queue_interrupted(struct machine *m, const struct ftrace_event *e,
		  unsigned int cpu)
{
	const struct replay_queue *all = m->replay->queue;
	unsigned int level = level_of(e);

	if (!all || !all->nr || e->kind != FTRACE_FREE)
		return false;
	while (level--) {
		const struct queue *q = &all->queue[cpu * LEVELS + level];

		if (q->nr && q->is_list &&
		    phys_zone_of(m->phys, q->last) ==
			    phys_zone_of(m->phys, e->pfn))
			return true;
	}
	return false;
}

static bool
is_settled(const struct replay_queue *q)
{
	return q->boot_pages[1] >= BOOT_PAGES;
}

/* The boot is past the calculation of watermarks. */
static void
hint_final(struct machine *m)
{
	struct args_replay_pcp *args;
	struct refusal r;
	struct op op;

	if (foresight_of(m)->phase == PCP_FINAL)
		return;
	op_begin(&op, m, op_find("replay/pcp"));
	args = (void *)&op.args;
	args->phase = "final";
	args->node = -1;
	op_run(m, &op, NULL, &r);
}

/* Memory that nobody was seen to allocate is freed: by a worker that has
 * unpacked the initramfs, when all numbers are final, at last by pid 1. */
static void
queue_reserved(struct machine *m, const struct ftrace_event *e)
{
	struct replay_queue *q = m->replay->queue;
	unsigned int *pages = &q->boot_pages[e->pid == 1];
	struct step s = {.m = m, .replay = m->replay, .pfn = e->pfn};
	struct replay_block block;

	if (e->kind != FTRACE_FREE || !e->pid || *pages >= BOOT_PAGES ||
	    e->order || replay_map_cover(m->replay->map, e->pfn, &block) ||
	    foresee_is_late(&s))
		return;
	*pages = e->pfn == q->boot_last + 1 ? *pages + 1 : 1;
	q->boot_last = e->pfn;
	if (*pages == BOOT_PAGES)
		hint_final(m);
}

static void
hint_reclaim(struct machine *m, unsigned int nid, bool active, uint64_t at)
{
	struct args_replay_reclaim *args;
	struct refusal r;
	struct op op;

	op_begin(&op, m, op_find("replay/reclaim"));
	args = (void *)&op.args;
	args->node = nid;
	args->active = active;
	args->at = at;
	op_run(m, &op, NULL, &r);
}

/* The node whose kswapd did this, or -1. */
static int
kswapd_node(const struct machine *m, const struct ftrace_event *e)
{
	static const char name[] = "kswapd";
	size_t len = strlen(name);
	unsigned int nid = 0;

	if (level_of(e) || e->comm_len <= len || memcmp(e->comm, name, len))
		return -1;
	for (size_t i = len; i < e->comm_len; i++) {
		if (e->comm[i] < '0' || e->comm[i] > '9' || nid > 999)
			return -1;
		nid = nid * 10 + (unsigned int)(e->comm[i] - '0');
	}
	return nid < m->phys->nr_nodes ? (int)nid : -1;
}

static bool
reclaim_active(const struct node *node)
{
	for (unsigned int i = 0; i < MAX_NR_ZONES; i++)
		if (node->zones[i].reclaim_active)
			return true;
	return false;
}

/*
 * That kswapd balances a node is told by its wake and by all that it does; that
 * it has done so, by nothing, but once a zone has its high watermark it goes to
 * sleep, and others run where it ran.
 */
static void
queue_kswapd(struct machine *m, const struct ftrace_event *e, unsigned int cpu,
	     uint64_t at)
{
	struct replay_queue *q = m->replay->queue;
	int own = kswapd_node(m, e);

	if (e->kind > FTRACE_EXTFRAG || level_of(e))
		return;
	for (unsigned int nid = 0; nid < m->phys->nr_nodes; nid++) {
		const struct node *node = m->phys->nodes[nid];
		bool active = reclaim_active(node);

		if ((int)nid == own) {
			if (!active)
				hint_reclaim(m, nid, true, at);
			q->kswapd_cpu[nid] = cpu;
			q->kswapd_at[nid] = at;
		} else if (active && own < 0 &&
			   (cpu == q->kswapd_cpu[nid] ||
			    at > q->kswapd_at[nid] + KSWAPD_NS) &&
			   foresee_balanced(node)) {
			hint_reclaim(m, nid, false, at);
		}
	}
}

bool
queue_event(struct machine *m, const struct ftrace_event *e, uint64_t at)
{
	struct replay_queue *all = queue_of(m);
	unsigned int cpu = replay_fold_cpu(m, e->cpu), level = level_of(e);
	struct queue *levels = &all->queue[cpu * LEVELS];
	struct queue *q = &levels[level];
	bool single = e->kind == FTRACE_FREE && !e->order;

	queue_reserved(m, e);
	queue_kswapd(m, e, cpu, at);
	if (all->nr)
		queue_do_stale(m, e, cpu, at);
	if (!all->nr && !single)
		return false;
	if (e->kind == FTRACE_FREE_BATCHED) {
		queue_do_levels(m, levels, level + 1);
		queue_batched(m, q, e->pfn);
		return false;
	}
	if (single) {
		queue_do_levels(m, levels, level + 1);
		if (q->is_list || q->nr >= WAITING_MOST)
			queue_do_all(m, q);
		queue_add(all, q, e, at);
		m->generation++;
		return true;
	}
	if (q->is_list && e->kind == FTRACE_DRAIN)
		queue_do_levels(m, levels, level + 1);
	else
		queue_do_levels(m, levels, level);
	return false;
}

void
queue_flush(struct machine *m)
{
	struct replay_queue *all = m->replay->queue;

	for (unsigned int cpu = 0; all && cpu < m->phys->nr_cpus; cpu++)
		queue_do_levels(m, &all->queue[cpu * LEVELS], 0);
	if (all) {
		all->interleaved = 0;
		memset(all->boot_pages, 0, sizeof(all->boot_pages));
	}
}

/* --- lines that are no events of pages --------------------------------------
 */

static const char *
find_word(const char *line, size_t len, const char *word)
{
	const char *at = memmem(line, len, word, strlen(word));

	return at ? at + strlen(word) : NULL;
}

static bool
begins(const char *at, const char *end, const char *word)
{
	size_t len = strlen(word);

	return (size_t)(end - at) >= len && !memcmp(at, word, len);
}

/* A number behind @word; @otherwise when it is not there. */
static int64_t
number_at(const char *line, size_t len, const char *word, int64_t otherwise)
{
	const char *at = find_word(line, len, word), *end = line + len;
	bool minus = at && at < end && *at == '-';
	int64_t v = 0;

	if (!at)
		return otherwise;
	for (at += minus; at < end && *at >= '0' && *at <= '9' && v < 1LL << 40;
	     at++)
		v = v * 10 + (*at - '0');
	return minus ? -v : v;
}

static void
hint_silent(struct machine *m, unsigned int cpu, unsigned int nid,
	    uint64_t pages, uint64_t at)
{
	struct args_replay_silent *args;
	struct refusal r;
	struct op op;

	if (!pages)
		return;
	op_begin(&op, m, op_find("replay/silent"));
	args = (void *)&op.args;
	args->pages = pages;
	args->node = nid;
	args->cpu = cpu;
	args->at = at;
	op_run(m, &op, NULL, &r);
}

/* Pages of a bulk allocation of pid 1: alloc_pages_bulk_array_interleave. */
static void
hint_interleaved(struct machine *m, unsigned int cpu, uint64_t pages,
		 uint64_t at)
{
	unsigned int nodes = m->phys->nr_nodes;
	uint64_t each = pages / nodes, rest = pages % nodes;

	for (unsigned int i = 1; i <= nodes; i++) {
		unsigned int nid = (m->replay->queue->interleaved + i) % nodes;
		uint64_t nr = each + (i <= rest);

		/* One page goes the ordinary way, which is recorded. */
		hint_silent(m, cpu, nid, nr > 1 ? nr : 0, at);
	}
}

/* The pages of a vmalloc area, taken in calls of at most a hundred. */
static void
hint_area(struct machine *m, const struct ftrace_event *e, unsigned int cpu,
	  int64_t nid, uint64_t pages, uint64_t at)
{
	const struct replay_queue *q = m->replay->queue;
	uint64_t call;

	if (nid >= 0 || e->pid != 1 || is_settled(q) || m->phys->nr_nodes < 2) {
		pages -= pages % 100 == 1;
		if (nid < 0 || nid >= m->phys->nr_nodes)
			nid = m->phys->cpu_node[cpu];
		hint_silent(m, cpu, (unsigned int)nid, pages, at);
		return;
	}
	for (; pages > 1; pages -= call) {
		call = MIN_OF(pages, 100);
		hint_interleaved(m, cpu, call, at);
	}
}

static void
hint_kmalloc(struct machine *m, const struct ftrace_event *e, const char *line,
	     size_t len, uint64_t at)
{
	const char *site = find_word(line, len, "call_site=");
	unsigned int cpu = replay_fold_cpu(m, e->cpu);
	unsigned int *areas = &m->replay->queue->areas[cpu];
	unsigned int pointer =
		m->phys->arch == &archs[ARCH_I386] ||
				m->phys->arch == &archs[ARCH_I386_PAE]
			? 4
			: 8;
	uint64_t pages;
	int64_t nid;

	if (!site)
		return;
	/* The initramfs is unpacked later than the watermarks are set. */
	if (begins(site, line + len, "unpack_to_rootfs"))
		hint_final(m);
	if (begins(site, line + len, "__get_vm_area_node")) {
		++*areas;
		return;
	}
	if (!begins(site, line + len, "__vmalloc_node_range") &&
	    !begins(site, line + len, "__vmalloc_area_node")) {
		*areas = 0;
		return;
	}
	pages = (uint64_t)number_at(line, len, "bytes_req=", 0) / pointer;
	nid = number_at(line, len, " node=", -1);
	hint_area(m, e, cpu, nid, pages, at);
	/* It is the array of a larger one, of which at least so much follows:
	 * the last page of the array need not be full. */
	if (*areas > 1 && pages > 1)
		hint_area(m, e, cpu, nid,
			  (pages - 1) * (page_size(m->phys) / pointer) + 2, at);
	*areas = 0;
}

static void
hint_kswapd(struct machine *m, bool active, const char *line, size_t len,
	    uint64_t at)
{
	int64_t nid = number_at(line, len, " nid=", 0);

	if (nid >= 0 && nid < m->phys->nr_nodes)
		hint_reclaim(m, (unsigned int)nid, active, at);
}

static bool
is_named(const struct ftrace_event *e, const char *name)
{
	return e->name_len == strlen(name) &&
	       !memcmp(e->name, name, e->name_len);
}

void
replay_hint(struct machine *m, const struct ftrace_event *e, const char *line,
	    size_t len, uint64_t at)
{
	struct replay_queue *q = queue_of(m);
	const struct zone *zone;

	switch (e->kind) {
	case FTRACE_KMALLOC:
	case FTRACE_KMALLOC_NODE:
		hint_kmalloc(m, e, line, len, at);
		break;
	case FTRACE_ALLOC:
		zone = e->pid == 1 ? phys_zone_of(m->phys, e->pfn) : NULL;
		if (zone && !level_of(e))
			q->interleaved = zone->node->id;
		break;
	case FTRACE_KFREE:
		q->areas[replay_fold_cpu(m, e->cpu)] = 0;
		break;
	case FTRACE_OTHER:
		if (is_named(e, "mm_vmscan_kswapd_wake"))
			hint_kswapd(m, true, line, len, at);
		else if (is_named(e, "mm_vmscan_kswapd_sleep"))
			hint_kswapd(m, false, line, len, at);
		break;
	default:
		break;
	}
}
