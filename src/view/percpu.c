// SPDX-License-Identifier: MIT
/*
 * percpu.c - /percpu, and percpu_stats of debugfs
 *
 * What it models: percpu_stats is percpu_stats_show of mm/percpu-stats.c of
 * 6.1, its lines and columns.
 */
#include "kmemfs/show.h"

#include "kmemfs/view/sums.h"

#include <stdlib.h>

static const struct percpu_variable *
view_variable(const struct view *v)
{
	return percpu_get(v->m->percpu, (uint32_t)v->key[0]);
}

static const char *
chunk_name(const struct percpu_chunk *c)
{
	return c->reserved ? "reserved" : c->first ? "first" : "further";
}

/* --- all of it -------------------------------------------------------------
 */

void
show_percpu_info(const struct view *v, struct out *out)
{
	const struct percpu *pc = v->m->percpu;
	const struct percpu_stats *s = &pc->stats;
	uint64_t free = 0;

	for (const struct percpu_chunk *c = percpu_chunk_next(pc, NULL); c;
	     c = percpu_chunk_next(pc, c))
		free += c->free_bytes;
	put_counter(out, "static_size", pc->static_size);
	put_counter(out, "reserved_size", pc->reserved_size);
	put_counter(out, "dyn_size", pc->dyn_size);
	put_counter(out, "unit_size", pc->unit_size);
	put_counter(out, "units", pc->nr_units);
	put_counter(out, "units_per_alloc", pc->units_per_alloc);
	put_hex(out, "base", percpu_offset(pc, 0));
	put_counter(out, "chunks", s->nr_chunks);
	put_counter(out, "allocations", s->nr_cur_alloc);
	put_counter(out, "free_bytes", free);
	put_counter(out, "empty_populated_pages", pc->nr_empty_pop);
	put_counter(out, "frames", percpu_frames(pc));
}

void
show_percpu_units(const struct view *v, struct out *out)
{
	const struct percpu *pc = v->m->percpu;

	out_str(out, "cpu unit offset node\n");
	for (unsigned int cpu = 0; cpu < pc->nr_cpus; cpu++)
		out_printf(out, "%u %u %#llx %d\n", cpu, pc->unit[cpu],
			   (unsigned long long)percpu_offset(pc, cpu),
			   v->m->phys->cpu_node[cpu]);
}

void
show_percpu_chunks(const struct view *v, struct out *out)
{
	const struct percpu *pc = v->m->percpu;
	unsigned int shift = v->m->phys->page_shift;

	out_str(out, "chunk slot base pages populated free_bytes "
		     "contig_bytes allocations frames\n");
	for (const struct percpu_chunk *c = percpu_chunk_next(pc, NULL); c;
	     c = percpu_chunk_next(pc, c)) {
		va_t base = c->area->base + (c->first_page << shift);

		out_printf(out, "%s ", chunk_name(c));
		if (c->reserved)
			out_char(out, '-');
		else
			out_u64(out, c->slot);
		out_printf(out, " %#llx %llu %llu %llu %llu %llu %llu\n",
			   (unsigned long long)base,
			   (unsigned long long)c->nr_pages,
			   (unsigned long long)c->nr_populated,
			   (unsigned long long)c->free_bytes,
			   (unsigned long long)c->contig,
			   (unsigned long long)c->nr_alloc,
			   (unsigned long long)c->area->held);
	}
}

void
show_percpu_tasks(const struct view *v, struct out *out)
{
	const struct percpu *pc = v->m->percpu;
	const struct runner *r;

	out_str(out, "task pid cpu preempt_count variable pointer register\n");
	for (uint32_t i = 0; (r = runner_nth(v->m, i)); i++) {
		const struct percpu_variable *var = percpu_get(pc, r->variable);

		out_printf(out, "%s %d %u %u ", r->comm, r->pid, r->cpu,
			   r->preempt);
		if (var)
			out_printf(out, "%s %#llx ", var->name,
				   (unsigned long long)percpu_address(pc, var,
								      r->unit));
		else
			out_str(out, "- - ");
		if (r->loaded)
			out_u64(out, r->reg);
		else
			out_char(out, '-');
		out_char(out, '\n');
	}
}

void
show_cpu_preempt_count(const struct view *v, struct out *out)
{
	const struct runner *r = runner_holding(v->m, (uint32_t)v->key[0]);

	put_value(out, r ? r->preempt : 0);
}

void
show_cpu_percpu(const struct view *v, struct out *out)
{
	const struct percpu *pc = v->m->percpu;
	unsigned int cpu = (unsigned int)v->key[0];

	out_str(out, "variable address value\n");
	for (const struct percpu_variable *var = percpu_next(pc, 0); var;
	     var = percpu_next(pc, var->id))
		out_printf(out, "%s %#llx %llu\n", var->name,
			   (unsigned long long)percpu_address(pc, var, cpu),
			   (unsigned long long)percpu_value(pc, var, cpu));
}

/* --- one variable ----------------------------------------------------------
 */

void
show_pcpuvar_info(const struct view *v, struct out *out)
{
	const struct percpu *pc = v->m->percpu;
	const struct percpu_variable *var = view_variable(v);

	if (!var)
		return;
	put_text(out, "name", var->name);
	put_text(out, "kind", percpu_kind_names[var->kind]);
	put_counter(out, "size", var->size);
	put_counter(out, "align", var->align);
	put_hex(out, "pointer", percpu_pointer(pc, var));
	put_text(out, "chunk", var->chunk ? chunk_name(var->chunk) : "static");
	put_hex(out, "unit_offset", var->off);
}

void
show_pcpuvar_size(const struct view *v, struct out *out)
{
	const struct percpu_variable *var = view_variable(v);

	if (var)
		put_value(out, var->size);
}

void
show_pcpuvar_values(const struct view *v, struct out *out)
{
	const struct percpu *pc = v->m->percpu;
	const struct percpu_variable *var = view_variable(v);

	if (!var)
		return;
	out_str(out, "cpu address pfn value\n");
	for (unsigned int cpu = 0; cpu < pc->nr_cpus; cpu++) {
		pfn_t pfn = percpu_frame(pc, var, cpu, 0);

		out_printf(out, "%u %#llx ", cpu,
			   (unsigned long long)percpu_address(pc, var, cpu));
		if (pfn == PFN_NONE)
			out_char(out, '-');
		else
			out_u64(out, pfn);
		out_printf(out, " %llu\n",
			   (unsigned long long)percpu_value(pc, var, cpu));
	}
}

void
show_pcpuvar_sum(const struct view *v, struct out *out)
{
	const struct percpu *pc = v->m->percpu;
	const struct percpu_variable *var = view_variable(v);
	uint64_t sum = 0;

	for (unsigned int cpu = 0; var && cpu < pc->nr_cpus; cpu++)
		sum += percpu_value(pc, var, cpu);
	if (var)
		put_value(out, sum);
}

uint64_t
size_pcpuvar_copy(const struct view *v)
{
	const struct percpu_variable *var = view_variable(v);

	return var ? var->size : 0;
}

ssize_t
read_pcpuvar_copy(const struct view *v, void *to, size_t len, uint64_t at)
{
	const struct percpu_variable *var = view_variable(v);

	if (!var || at >= var->size)
		return 0;
	len = MIN_OF(len, var->size - at);
	percpu_read(v->m->percpu, var, (unsigned int)v->key[1], at, to, len);
	return (ssize_t)len;
}

/* --- percpu_stats ----------------------------------------------------------
 */

static void
put_stat(struct out *out, const char *name, uint64_t value)
{
	out_printf(out, "  %-20s: %12llu\n", name, (unsigned long long)value);
}

static void
put_heading(struct out *out, const char *heading)
{
	out_printf(out, "%s\n----------------------------------------\n",
		   heading);
}

static int
compare_sizes(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* Sizes of what lies between the start of the chunk and the end of its last
 * allocation: free stretches negative. */
static GArray *
chunk_pieces(const struct view *v, const struct percpu_chunk *c)
{
	GArray *sizes = g_array_new(FALSE, FALSE, sizeof(int64_t));
	uint64_t bytes = c->nr_pages * page_size(v->m->phys);
	uint64_t at = c->start_offset / PERCPU_MIN_ALLOC;
	uint64_t end = (bytes - c->end_offset) / PERCPU_MIN_ALLOC;

	while (end > at && c->map[end - 1] == PERCPU_FREE)
		end--;
	while (at < end) {
		bool free = c->map[at] == PERCPU_FREE;
		uint64_t from = at++;
		int64_t size;

		while (at < end &&
		       c->map[at] == (free ? PERCPU_FREE : PERCPU_REST))
			at++;
		size = (int64_t)(at - from) * PERCPU_MIN_ALLOC;
		size = free ? -size : size;
		g_array_append_val(sizes, size);
	}
	if (sizes->len)
		qsort(sizes->data, sizes->len, sizeof(int64_t), compare_sizes);
	return sizes;
}

static void
put_chunk(const struct view *v, const struct percpu_chunk *c, struct out *out)
{
	GArray *sizes = chunk_pieces(v, c);
	const int64_t *size = (const int64_t *)(const void *)sizes->data;
	uint64_t sum = 0, max = 0;
	guint i = 0;

	for (; i < sizes->len && size[i] < 0; i++) {
		sum += (uint64_t)-size[i];
		max = MAX_OF(max, (uint64_t)-size[i]);
	}
	put_stat(out, "nr_alloc", c->nr_alloc);
	put_stat(out, "max_alloc_size", c->max_alloc_size);
	put_stat(out, "empty_pop_pages", c->nr_empty_pop);
	put_stat(out, "first_bit", c->first_free);
	put_stat(out, "free_bytes", c->free_bytes);
	put_stat(out, "contig_bytes", c->contig);
	put_stat(out, "sum_frag", sum);
	put_stat(out, "max_frag", max);
	put_stat(out, "cur_min_alloc", sizes->len ? (uint64_t)size[i] : 0);
	put_stat(out, "cur_med_alloc",
		 sizes->len ? (uint64_t)size[(i + sizes->len - 1) / 2] : 0);
	put_stat(out, "cur_max_alloc",
		 sizes->len ? (uint64_t)size[sizes->len - 1] : 0);
	out_char(out, '\n');
	g_array_free(sizes, TRUE);
}

void
show_percpu_stats(const struct view *v, struct out *out)
{
	const struct percpu *pc = v->m->percpu;
	const struct percpu_stats *s = &pc->stats;

	out_str(out, "Percpu Memory Statistics\n");
	put_heading(out, "Allocation Info:");
	put_stat(out, "unit_size", pc->unit_size);
	put_stat(out, "static_size", pc->static_size);
	put_stat(out, "reserved_size", pc->reserved_size);
	put_stat(out, "dyn_size", pc->dyn_size);
	put_stat(out, "atom_size", pc->atom_size);
	put_stat(out, "alloc_size", pc->alloc_size);
	out_char(out, '\n');
	put_heading(out, "Global Stats:");
	put_stat(out, "nr_alloc", s->nr_alloc);
	put_stat(out, "nr_dealloc", s->nr_dealloc);
	put_stat(out, "nr_cur_alloc", s->nr_cur_alloc);
	put_stat(out, "nr_max_alloc", s->nr_max_alloc);
	put_stat(out, "nr_chunks", s->nr_chunks);
	put_stat(out, "nr_max_chunks", s->nr_max_chunks);
	put_stat(out, "min_alloc_size", s->min_alloc_size);
	put_stat(out, "max_alloc_size", s->max_alloc_size);
	put_stat(out, "empty_pop_pages", pc->nr_empty_pop);
	out_char(out, '\n');
	put_heading(out, "Per Chunk Stats:");
	for (const struct percpu_chunk *c = percpu_chunk_next(pc, NULL); c;
	     c = percpu_chunk_next(pc, c)) {
		out_str(out, c->reserved ? "Chunk: <- Reserved Chunk\n"
			     : c->first	 ? "Chunk: <- First Chunk\n"
					 : "Chunk:\n");
		put_chunk(v, c, out);
	}
}
