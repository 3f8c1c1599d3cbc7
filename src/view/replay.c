// SPDX-License-Identifier: MIT
/*
 * replay.c - the files of replay/: policy, progress, mismatches
 */
#include "kmemfs/show.h"

#include "kmemfs/machine/replay.h"

void
show_replay_policy(const struct view *v, struct out *out)
{
	const struct replay *replay = replay_of(v->m);

	out_str(out, replay->policy == REPLAY_MIRROR ? "mirror\n" : "model\n");
}

static void
row(struct out *out, const char *key, uint64_t value)
{
	out_str(out, key);
	out_char(out, ' ');
	out_u64(out, value);
	out_char(out, '\n');
}

static void
progress_lines(const struct replay_counts *counts, struct out *out)
{
	unsigned int i;

	row(out, "lines", counts->lines);
	row(out, "headers", counts->headers);
	row(out, "unparsed", counts->unparsed);
	row(out, "lost_events", counts->lost);
	row(out, "folded_cpus", counts->folded_cpus);
	row(out, "unknown_gfp_words", counts->unknown_gfp);
	for (i = 0; i < NR_FTRACE_EVENTS; i++)
		row(out, ftrace_kind_name(i), counts->event[i]);
}

static void
progress_steps(const struct replay *replay, struct out *out)
{
	const struct replay_counts *counts = &replay->counts;
	unsigned int i;

	row(out, "allocated", counts->allocated);
	row(out, "freed", counts->freed);
	row(out, "failed_in_recording", counts->had_failed);
	row(out, "same_frame", counts->same_frame);
	for (i = 0; i < NR_MISMATCHES; i++)
		row(out, replay_mismatch_name(i), counts->mismatch[i]);
	row(out, "live_blocks", replay_live_blocks(replay));
	row(out, "live_pages", replay_live_pages(replay));
}

/* What the model did by itself meanwhile, to be compared. */
static void
progress_modelled(const struct trace *trace, struct out *out)
{
	row(out, "modelled_zone_locked",
	    trace->count[TRACE_MM_PAGE_ALLOC_ZONE_LOCKED]);
	row(out, "modelled_pcpu_drain", trace->count[TRACE_MM_PAGE_PCPU_DRAIN]);
	row(out, "modelled_extfrag", trace->count[TRACE_MM_PAGE_ALLOC_EXTFRAG]);
}

void
show_replay_progress(const struct view *v, struct out *out)
{
	const struct replay *replay = replay_of(v->m);

	out_printf(out, "policy %s\nrunning %s\n",
		   replay->policy == REPLAY_MIRROR ? "mirror" : "model",
		   replay->running ? "yes" : "no");
	row(out, "recorded_ns", replay->last_at);
	row(out, "modelled_ns", v->m->now_ns);
	progress_lines(&replay->counts, out);
	progress_steps(replay, out);
	progress_modelled(&v->m->trace, out);
}

void
show_replay_mismatches(const struct view *v, struct out *out)
{
	const struct replay *replay = replay_of(v->m);
	uint64_t n = 0;

	out_str(out, "at_ns cpu event pfn order mismatch meaning\n");
	if (replay->nr_notes > REPLAY_NOTES)
		n = replay->nr_notes - REPLAY_NOTES;
	for (; n < replay->nr_notes; n++) {
		const struct replay_note *note =
		    &replay->notes[n % REPLAY_NOTES];

		out_printf(out, "%llu %u %s %llu %u %s %s\n",
			   (unsigned long long)note->at_ns, note->cpu,
			   ftrace_kind_name(note->event),
			   (unsigned long long)note->pfn, note->order,
			   replay_mismatch_name(note->mismatch),
			   replay_mismatch_meaning(note->mismatch));
	}
}
