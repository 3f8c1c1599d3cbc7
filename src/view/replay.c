// SPDX-License-Identifier: MIT
/*
 * replay.c - the files of replay/: policy, progress, mismatches
 */
#include "kmemfs/show.h"

#include "kmemfs/machine/replay.h"
#include "kmemfs/view/sums.h"

static const char *
policy_name(const struct replay *replay)
{
	return replay->policy == REPLAY_MIRROR ? "mirror" : "model";
}

void
show_replay_policy(const struct view *v, struct out *out)
{
	out_printf(out, "%s\n", policy_name(replay_of(v->m)));
}

static void
progress_lines(const struct replay_counts *counts, struct out *out)
{
	uint64_t events = 0;
	unsigned int i;

	for (i = 0; i < NR_FTRACE_EVENTS; i++)
		events += counts->event[i];
	put_counter(out, "lines", counts->lines);
	put_counter(out, "events", events);
	put_counter(out, "headers", counts->headers);
	put_counter(out, "unparsed", counts->unparsed);
	put_counter(out, "lost_events", counts->lost);
	put_counter(out, "folded_cpus", counts->folded_cpus);
	put_counter(out, "unknown_gfp_words", counts->unknown_gfp);
	for (i = 0; i < NR_FTRACE_EVENTS; i++)
		put_counter(out, ftrace_kind_name(i), counts->event[i]);
}

/* In hundredths of a percent, rounded down: only all is 100.00. */
static void
percent(struct out *out, uint64_t right, uint64_t steps)
{
	uint64_t p = steps ? right * 10000 / steps : 0;

	if (steps)
		out_printf(out, "%llu.%02llu", (unsigned long long)p / 100,
			   (unsigned long long)p % 100);
	else
		out_char(out, '-');
}

static void
progress_foreseen(const struct replay_counts *counts, struct out *out)
{
	unsigned int i;

	for (i = 0; i < NR_FORESEEN; i++) {
		const char *name = replay_foreseen_name(i);

		out_printf(out, "%s_steps %llu\n%s_predicted %llu\n", name,
			   (unsigned long long)counts->foreseen[i].steps, name,
			   (unsigned long long)counts->foreseen[i].right);
		out_printf(out, "%s_percent ", name);
		percent(out, counts->foreseen[i].right,
			counts->foreseen[i].steps);
		out_char(out, '\n');
	}
	put_counter(out, "silent_pages", counts->silent);
	put_counter(out, "missing_pages", counts->missing);
	put_counter(out, "late_pages", counts->late);
	put_counter(out, "retyped_blocks", counts->types);
	put_counter(out, "reordered_blocks", counts->reordered);
}

void
show_replay_predicted(const struct view *v, struct out *out)
{
	const struct replay *replay = replay_of(v->m);
	const struct phys *phys = v->m->phys;
	unsigned int kind, zone, order;
	uint64_t steps, right;

	out_str(out, "kind node zone order steps predicted percent\n");
	for (kind = 0; kind < NR_FORESEEN; kind++)
		for (zone = 0; zone < phys->nr_zones; zone++)
			for (order = 0; order < MAX_ORDER; order++) {
				const struct zone *z = phys->zones[zone];

				replay_foreseen(replay, zone, kind, order,
						&steps, &right);
				if (!steps)
					continue;
				out_printf(out, "%s %u %s %u %llu %llu ",
					   replay_foreseen_name(kind),
					   z->node->id, zone_type_name(z->type),
					   order, (unsigned long long)steps,
					   (unsigned long long)right);
				percent(out, right, steps);
				out_char(out, '\n');
			}
}

static void
progress_steps(const struct replay *replay, struct out *out)
{
	const struct replay_counts *counts = &replay->counts;
	unsigned int i;

	put_counter(out, "allocated", counts->allocated);
	put_counter(out, "freed", counts->freed);
	put_counter(out, "failed_in_recording", counts->had_failed);
	put_counter(out, "same_frame", counts->same_frame);
	for (i = 0; i < NR_MISMATCHES; i++)
		put_counter(out, replay_mismatch_name(i), counts->mismatch[i]);
	if (replay->policy == REPLAY_MIRROR)
		progress_foreseen(counts, out);
	put_counter(out, "live_blocks", replay_live_blocks(replay));
	put_counter(out, "live_pages", replay_live_pages(replay));
}

/* What the model did by itself meanwhile, to be compared. */
static void
progress_modelled(const struct trace *trace, struct out *out)
{
	put_counter(out, "modelled_zone_locked",
		    trace->count[TRACE_MM_PAGE_ALLOC_ZONE_LOCKED]);
	put_counter(out, "modelled_pcpu_drain",
		    trace->count[TRACE_MM_PAGE_PCPU_DRAIN]);
	put_counter(out, "modelled_extfrag",
		    trace->count[TRACE_MM_PAGE_ALLOC_EXTFRAG]);
}

/* Fields in the order in which the file has them. */
static const struct {
	const char *key;
	size_t offset;
} slab_rows[] = {
#define SLAB_ROW(key, field)                                                   \
	{                                                                      \
		key, offsetof(struct replay_slab_counts, field)                \
	}
	SLAB_ROW("slab_events", events),
	SLAB_ROW("slab_hidden_pointers", hidden),
	SLAB_ROW("slab_allocated", allocated),
	SLAB_ROW("slab_freed", freed),
	SLAB_ROW("slab_failed_in_recording", had_failed),
	SLAB_ROW("slab_null_frees", null_frees),
	SLAB_ROW("slab_unknown_frees", unknown),
	SLAB_ROW("slab_allocated_again", again),
	SLAB_ROW("slab_failed", failed),
	SLAB_ROW("slab_impossible", impossible),
	SLAB_ROW("slab_caches_made", made),
	SLAB_ROW("slab_sites_by_size", by_size),
	SLAB_ROW("slab_sites_learnt", learnt),
	SLAB_ROW("slab_sites_moved", moved),
	SLAB_ROW("slab_pages_taken", pages_taken),
	SLAB_ROW("slab_pages_freed", pages_freed),
};

static const struct {
	const char *key;
	size_t offset;
} foretold_rows[] = {
	SLAB_ROW("slab_steps", steps),
	SLAB_ROW("slab_objects_predicted", object_right),
	SLAB_ROW("slab_slabs_predicted", slab_right),
	SLAB_ROW("slab_no_cache", no_cache),
	SLAB_ROW("slab_before", before),
	SLAB_ROW("slab_shuffled", shuffled),
	SLAB_ROW("slab_otherwise", otherwise),
#undef SLAB_ROW
};

static uint64_t
slab_count_at(const struct replay_slab_counts *counts, size_t offset)
{
	return *(const uint64_t *)(const void *)((const char *)counts + offset);
}

static void
progress_slab(const struct replay *replay, struct out *out)
{
	const struct replay_slab_counts *counts = &replay->counts.slab;

	for (size_t i = 0; i < ARRAY_SIZE(slab_rows); i++)
		put_counter(out, slab_rows[i].key,
			    slab_count_at(counts, slab_rows[i].offset));
	put_counter(out, "slab_pages_live", replay_slab_pages(replay));
	put_counter(out, "live_objects", replay_live_objects(replay));
	if (replay->policy != REPLAY_MIRROR)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(foretold_rows); i++)
		put_counter(out, foretold_rows[i].key,
			    slab_count_at(counts, foretold_rows[i].offset));
	out_str(out, "slab_objects_percent ");
	percent(out, counts->object_right, counts->steps);
	out_char(out, '\n');
}

void
show_replay_caches(const struct view *v, struct out *out)
{
	replay_print_caches(v->m, out);
}

void
show_replay_sites(const struct view *v, struct out *out)
{
	replay_print_sites(v->m, out);
}

void
show_replay_progress(const struct view *v, struct out *out)
{
	const struct replay *replay = replay_of(v->m);

	out_printf(out, "policy %s\nrunning %s\n", policy_name(replay),
		   replay->running ? "yes" : "no");
	put_counter(out, "recorded_ns", replay->last_at);
	put_counter(out, "modelled_ns", v->m->now_ns);
	progress_lines(&replay->counts, out);
	progress_steps(replay, out);
	progress_slab(replay, out);
	progress_modelled(&v->m->trace, out);
}

static void
mismatch_line(const struct replay_note *note, struct out *out)
{
	bool foreseen = note->mismatch == MISMATCH_FORESEEN;
	bool slab = note->event >= FTRACE_KMALLOC;

	out_printf(out,
		   slab ? "%llu %u %s %#llx %u %s" : "%llu %u %s %llu %u %s",
		   (unsigned long long)note->at_ns, note->cpu,
		   ftrace_kind_name(note->event), (unsigned long long)note->pfn,
		   note->order, replay_mismatch_name(note->mismatch));
	if (note->mismatch == MISMATCH_OBJECT)
		out_printf(out, " %#llx %s", (unsigned long long)note->expected,
			   note->lists);
	else if (!foreseen)
		out_str(out, " - -");
	else if (note->expected == PFN_NONE)
		out_printf(out, ":%s - %s",
			   replay_foreseen_name(note->foreseen), note->lists);
	else
		out_printf(out, ":%s %llu %s",
			   replay_foreseen_name(note->foreseen),
			   (unsigned long long)note->expected, note->lists);
	out_printf(out, " %s\n", replay_mismatch_meaning(note->mismatch));
}

void
show_replay_mismatches(const struct view *v, struct out *out)
{
	const struct replay *replay = replay_of(v->m);
	uint64_t n = 0;

	out_str(out, "at_ns cpu event pfn order mismatch expected lists "
		     "meaning\n");
	if (replay->nr_notes > REPLAY_NOTES)
		n = replay->nr_notes - REPLAY_NOTES;
	for (; n < replay->nr_notes; n++)
		mismatch_line(&replay->notes[n % REPLAY_NOTES], out);
}
