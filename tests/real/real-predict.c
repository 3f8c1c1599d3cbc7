// SPDX-License-Identifier: MIT
/*
 * real-predict.c - predicts each step of a recorded page allocator
 *
 *   trace-to-steps FOLDER END | real-predict END BATCH HIGH EARLY-BATCH
 *
 * Before a recorded step is done, the model says what it would do: which block
 * the buddy would give (PZ), which page the CPU's list (PA), which pages a free
 * would drain (PD).  Then the recorded step is done, so that one mistake does
 * not make all that follow wrong.  BATCH and HIGH are the per-cpu numbers of
 * the zone in the end, EARLY-BATCH those while memory was not all there yet.
 *
 * What cannot be known is taken from the recording: the type of a pageblock
 * that was filled before it began, when a block of it is taken first; pages
 * that left a per-cpu list silently, when one behind them is taken.
 */
#include "kmemfs/phys/pages.h"
#include "kmemfs/phys/phys.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DMA_END 4096 /* first pfn of zone DMA32 */

struct step {
	char code[3];
	uint64_t a[6];
};

static struct phys *phys;
static struct trace trace;
static struct step *steps;
static size_t nr_steps;
static uint32_t batch, high, early_batch, had_batch = 1;
static uint64_t silent; /* pages of a bulk allocation still to be taken */
static struct {
	uint64_t steps, right;
} picks, pages, drains;
static uint64_t overdrained, types_learnt, silent_found, resyncs;

static struct zone *
zone_of(pfn_t pfn)
{
	enum zone_type type = pfn < DMA_END ? ZONE_DMA : ZONE_DMA32;

	return &phys->nodes[0]->zones[type];
}

static void
note(enum mirror_result result)
{
	resyncs += result >= MIRROR_NOT_FREE;
}

/* --- the start ----------------------------------------------------------- */

/* Boot with all memory reserved but the first free range. */
static void
boot(pfn_t end, pfn_t free_start, pfn_t free_end)
{
	static uint64_t now;
	struct phys_config *c = g_new0(struct phys_config, 1);
	const struct firmware_range memory = {
		{4096, end << 12},
		   E820_USABLE
	      };
	const struct range low = {0, free_start << 12};
	const struct range rest = {free_end << 12, end << 12};
	char why[256];

	c->arch = ARCH_X86_64;
	c->page_shift = 12;
	c->nr_cpus = 1;
	c->nr_nodes = 1;
	c->cmdline = "transparent_hugepage=never";
	c->nodes = g_new0(struct node_config, 1);
	c->firmware = g_array_new(FALSE, FALSE, sizeof(memory));
	c->reserved = g_array_new(FALSE, FALSE, sizeof(rest));
	g_array_append_val(c->firmware, memory);
	g_array_append_val(c->reserved, low);
	g_array_append_val(c->reserved, rest);
	trace_init(&trace, 4096);
	trace.enabled = 1U << TRACE_MM_PAGE_PCPU_DRAIN;
	phys = phys_boot(c, &trace, &now, NULL, NULL, why, sizeof(why));
	if (!phys) {
		fprintf(stderr, "%s\n", why);
		exit(1);
	}
	zone_of(0)->pcp[0].high = 0;
	zone_of(DMA_END)->pcp[0] = (struct per_cpu_pages){.batch = 1};
}

/* The end of the frames that are alike from @pfn on, in one zone. */
static pfn_t
alike(const char *state, pfn_t pfn, pfn_t end)
{
	pfn_t at = pfn + 1;

	while (at < end && state[at] == state[pfn] && at != DMA_END)
		at++;
	return at;
}

/* Give the frames of state @kind to the buddy, all but those it has. */
static void
fill(const char *state, pfn_t end, char kind)
{
	for (pfn_t at = 1, to; at < end; at = to) {
		enum migratetype type;
		unsigned int order;
		pfn_t head;

		to = alike(state, at, end);
		if (state[at] != kind ||
		    frame_block(phys, at, &head, &order, &type) != FRAME_NONE)
			continue;
		buddy_hand_over(zone_of(at), at, to);
		for (pfn_t pfn = at; kind == 'A' && pfn < to; pfn++)
			mirror_take(phys, pfn, 0, 0, MIGRATE_UNMOVABLE, 0);
	}
}

/* Pageblocks that are initialised late are Unmovable until then. */
static void
set_late(const char *state, pfn_t end)
{
	pfn_t at = 1;

	while (at < end && state[at] != 'L')
		at++;
	for (at = round_up_to(at, 512); at < end; at += 512)
		pageblock_set_type(phys, at, MIGRATE_UNMOVABLE);
}

/* --- steps --------------------------------------------------------------- */

/* How many blocks of the CPU's list stand before @pfn; UINT64_MAX: it is not
 * there. */
static uint64_t
pcp_before(struct zone *zone, unsigned int order, enum migratetype type,
	   pfn_t pfn)
{
	unsigned int index = order * MIGRATE_PCPTYPES + (unsigned int)type;
	struct list_cursor cursor = {0};
	uint64_t nr = 0;
	pfn_t at;

	if (order >= PCP_ORDERS)
		index = NR_PCP_LISTS - 2 + (type == MIGRATE_MOVABLE);
	while ((at = pcp_list_next(zone, 0, index, &cursor)) != PFN_NONE) {
		if (at == pfn)
			return nr;
		nr++;
	}
	return UINT64_MAX;
}

static pfn_t
pcp_head(struct zone *zone, unsigned int order, enum migratetype type)
{
	unsigned int index = order * MIGRATE_PCPTYPES + (unsigned int)type;
	struct list_cursor cursor = {0};

	if (order >= PCP_ORDERS)
		index = NR_PCP_LISTS - 2 + (type == MIGRATE_MOVABLE);
	return pcp_list_next(zone, 0, index, &cursor);
}

/* Bulk allocations take single Unmovable pages that no event shows. */
static void
take_silent(void)
{
	pfn_t head;

	while (silent && (head = pcp_head(zone_of(DMA_END), 0,
					  MIGRATE_UNMOVABLE)) != PFN_NONE) {
		note(mirror_take(phys, head, 0, 0, MIGRATE_UNMOVABLE, 0));
		silent--;
	}
}

/* The length of a refill tells the batch. */
static void
see_batch(size_t i)
{
	struct per_cpu_pages *pcp = &zone_of(DMA_END)->pcp[0];
	const struct step *s = &steps[i];
	uint32_t nr = 0, now = 0;

	if (s->a[1] || s->a[0] < DMA_END ||
	    (i && !strcmp(steps[i - 1].code, "PZ")))
		return;
	while (i + nr < nr_steps && !strcmp(s[nr].code, "PZ") && !s[nr].a[1] &&
	       s[nr].a[2] == s->a[2])
		nr++;
	if (nr > 1 && nr % batch == 0)
		now = batch;
	else if (nr > 1 && nr % early_batch == 0)
		now = early_batch;
	if (now <= had_batch)
		return;
	had_batch = now;
	pcp->batch = now;
	pcp->high = now == batch ? high : 4 * now;
}

/* The block of the smallest order that the type's lists would give. */
static pfn_t
buddy_head(struct zone *zone, unsigned int order, enum migratetype type)
{
	pfn_t pfn = PFN_NONE;

	for (; order < MAX_ORDER && pfn == PFN_NONE; order++) {
		struct list_cursor cursor = {0};

		pfn = buddy_list_next(zone, order, type, &cursor);
	}
	return pfn;
}

static void
step_locked(const struct step *s)
{
	unsigned int order = (unsigned int)s->a[1], at;
	enum migratetype type = (enum migratetype)s->a[2], was;
	struct zone *zone = zone_of(s->a[0]);
	pfn_t head;

	picks.steps++;
	picks.right += buddy_head(zone, order, type) == s->a[0];
	if (frame_block(phys, s->a[0], &head, &at, &was) == FRAME_FREE &&
	    was != type) {
		types_learnt++;
		mirror_extfrag(phys, head, order, at, type, was, true);
	}
	note(mirror_zone_locked(phys, s->a[0], order, type, s->a[3], 0));
}

static void
step_alloc(const struct step *s)
{
	unsigned int order = (unsigned int)s->a[1];
	enum migratetype type = (enum migratetype)s->a[2];
	struct zone *zone = zone_of(s->a[0]);
	bool listed = order < PCP_ORDERS || order == 9;

	if (!s->a[0])
		return; /* a failure */
	if (listed) {
		uint64_t before = pcp_before(zone, order, type, s->a[0]);

		zone->pcp[0].free_factor >>= 1;
		pages.steps++;
		pages.right += before == 0;
		/* A list is a stack: those before it went silently. */
		for (; before && before != UINT64_MAX; before--) {
			pfn_t head = pcp_head(zone, order, type);

			note(mirror_take(phys, head, order, 0, type, 0));
			silent_found++;
		}
	}
	note(mirror_take(phys, s->a[0], order, 0, type, 0));
}

/* Free with the model's own rules; compare the drains. Returns the last step
 * that was dealt with. */
static size_t
step_free(size_t i)
{
	const struct step *s = &steps[i];
	unsigned int order = s->code[1] == 'B' ? 0 : (unsigned int)s->a[1];
	const struct frame *f = &phys->frames[s->a[0]];
	uint64_t at;

	if (f->state != FRAME_ALLOCATED || f->order != order) {
		note(mirror_free(phys, s->a[0], order, 0));
		return i;
	}
	trace_clear(&trace);
	at = trace_oldest(&trace);
	trace.on = true;
	pages_put(phys, s->a[0], order, 0);
	trace.on = false;
	for (; i + 1 < nr_steps && !strcmp(steps[i + 1].code, "PD"); i++) {
		const uint64_t *a = steps[i + 1].a;
		const uint64_t *here = NULL;

		if (at < trace.written)
			here = trace_get(&trace, at++)->arg;
		drains.steps++;
		if (here && here[0] == a[0] && here[1] == a[1])
			drains.right++;
		else
			note(mirror_drain(phys, a[0], (unsigned int)a[1],
					  (enum migratetype)a[2], 0));
	}
	overdrained += trace.written - at;
	return i;
}

static void
step_late(const struct step *s)
{
	if (s->a[0] % 512 == 0)
		pageblock_set_type(phys, s->a[0], MIGRATE_MOVABLE);
	buddy_hand_over(zone_of(s->a[0]), s->a[0], s->a[0] + (1ULL << s->a[1]));
}

static size_t
step_do(size_t i)
{
	const struct step *s = &steps[i];

	if (!strcmp(s->code, "VM")) {
		/* A rest of one page goes the ordinary way, as does one. */
		silent += s->a[0] % 100 == 1 ? s->a[0] - 1 : s->a[0];
		take_silent();
		return i;
	}
	if (strcmp(s->code, "PZ"))
		take_silent();
	if (!strcmp(s->code, "PZ")) {
		see_batch(i);
		step_locked(s);
		take_silent();
	} else if (!strcmp(s->code, "PA")) {
		step_alloc(s);
	} else if (!strcmp(s->code, "LF")) {
		step_late(s);
	} else if (!strcmp(s->code, "PX")) {
		note(mirror_extfrag(phys, s->a[0], (unsigned int)s->a[1],
				    (unsigned int)s->a[2],
				    (enum migratetype)s->a[3],
				    (enum migratetype)s->a[4], s->a[5]));
	} else if (!strcmp(s->code, "PD")) {
		drains.steps++;
		note(mirror_drain(phys, s->a[0], (unsigned int)s->a[1],
				  (enum migratetype)s->a[2], 0));
	} else {
		return step_free(i);
	}
	return i;
}

static void
read_steps(void)
{
	size_t room = 0;
	char line[256];

	while (fgets(line, sizeof(line), stdin)) {
		char *word = strtok(line, " \n");
		struct step *s;

		if (nr_steps == room) {
			room = room ? room * 2 : 4096;
			steps = g_renew(struct step, steps, room);
		}
		s = &steps[nr_steps++];
		*s = (struct step){0};
		snprintf(s->code, sizeof(s->code), "%s", word);
		for (int i = 0; i < 6 && (word = strtok(NULL, " \n")); i++)
			s->a[i] = strtoull(word, NULL, 0);
	}
}

static void
print_finding(void *user, const char *law, const char *finding)
{
	(void)user;
	printf("law %s: %s\n", law, finding);
}

static void
print_lists(void)
{
	for (int z = ZONE_DMA; z <= ZONE_DMA32; z++)
		for (int t = 0; t < MIGRATE_PCPTYPES; t++) {
			printf("free %s %s", zone_type_name((enum zone_type)z),
			       migratetype_name((enum migratetype)t));
			for (int k = 0; k < MAX_ORDER; k++)
				printf(" %" PRIu64, phys->nodes[0]
							    ->zones[z]
							    .free_area[k]
							    .nr_free[t]);
			putchar('\n');
		}
}

int
main(int argc, char **argv)
{
	pfn_t end, first = 1;
	char *state;

	if (argc != 5)
		return 2;
	end = strtoull(argv[1], NULL, 0);
	batch = (uint32_t)strtoul(argv[2], NULL, 0);
	high = (uint32_t)strtoul(argv[3], NULL, 0);
	early_batch = (uint32_t)strtoul(argv[4], NULL, 0);
	state = g_malloc0(end + 2);
	if (!fgets(state + 1, (int)end + 1, stdin))
		return 2;
	read_steps();
	memset(state + 0x9f, 'H', 0x100 - 0x9f); /* no memory there */
	while (state[first] != 'F')
		first++;
	boot(end, first, alike(state, first, end));
	set_late(state, end);
	/* What is in use first, so that free ranges keep their order. */
	fill(state, end, 'A');
	fill(state, end, 'F');
	for (size_t i = 0; i < nr_steps; i++)
		i = step_do(i);
	printf("buddy %" PRIu64 " %" PRIu64 "\n", picks.right, picks.steps);
	printf("pcp %" PRIu64 " %" PRIu64 "\n", pages.right, pages.steps);
	printf("drains %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", drains.right,
	       drains.steps, overdrained);
	printf("learnt %" PRIu64 " types, %" PRIu64 " silent pages, %" PRIu64
	       " resynchronised\n",
	       types_learnt, silent_found, resyncs);
	print_lists();
	g_free(state);
	return phys_verify(phys, print_finding, NULL) != 0;
}
