// SPDX-License-Identifier: MIT
/*
 * trace.c - the files of trace/, as tracefs has them
 */
#include "kmemfs/show.h"

#include "kmemfs/view/trace_text.h"

#include <string.h>

void
show_trace_readme(const struct view *v, struct out *out)
{
	(void)v;
	out_str(out,
		"Events of the modelled kernels, as in tracefs.\n"
		"\n"
		"  echo 1 > events/kmem/enable    record all events of kmem\n"
		"  cat trace                      look at the ring\n"
		"  cat trace_pipe                 take records out of it\n"
		"  echo > trace                   clear it\n"
		"  echo 0 > tracing_on            stop recording\n"
		"\n"
		"page= is the address of the struct page.  The text of trace "
		"can be fed\nto replay/ftrace of this or another machine.\n");
}

void
show_trace_text(const struct view *v, struct out *out)
{
	const struct trace *t = &v->m->trace;
	const struct phys *phys = v->m->phys;
	struct trace_printer with = {phys->arch, v->m->symbols};
	uint64_t n, oldest = trace_oldest(t);
	unsigned int cpu, online = 0;

	for (cpu = 0; cpu < phys->nr_cpus; cpu++)
		online += phys->cpu_online[cpu];
	trace_text_header(out, t->written - oldest,
			  t->written - oldest + t->lost, online);
	for (n = oldest; n < t->written; n++)
		trace_text_record(out, &with, trace_get(t, n));
}

void
show_trace_tracing_on(const struct view *v, struct out *out)
{
	out_str(out, v->m->trace.on ? "1\n" : "0\n");
}

void
show_trace_buffer_size_kb(const struct view *v, struct out *out)
{
	out_u64(out, v->m->trace.capacity * sizeof(struct trace_record) / 1024);
	out_char(out, '\n');
}

void
show_trace_current_tracer(const struct view *v, struct out *out)
{
	(void)v;
	out_str(out, "nop\n");
}

void
show_trace_available_events(const struct view *v, struct out *out)
{
	unsigned int i;

	(void)v;
	for (i = 0; i < NR_TRACE_EVENTS; i++)
		out_printf(out, "%s:%s\n", trace_system(i), trace_name(i));
}

/* 1: all on, 0: all off, X: some.  @system NULL: of all systems. */
static void
show_enabled(const struct trace *t, const char *system, struct out *out)
{
	unsigned int i, on = 0, all = 0;

	for (i = 0; i < NR_TRACE_EVENTS; i++) {
		if (system && strcmp(system, trace_system(i)))
			continue;
		all++;
		on += (t->enabled >> i) & 1;
	}
	out_str(out, !on ? "0\n" : on == all ? "1\n" : "X\n");
}

void
show_trace_enable_all(const struct view *v, struct out *out)
{
	show_enabled(&v->m->trace, NULL, out);
}

void
show_trace_enable_system(const struct view *v, struct out *out)
{
	show_enabled(&v->m->trace, trace_system(v->key[0]), out);
}

void
show_trace_enable_event(const struct view *v, struct out *out)
{
	out_str(out, (v->m->trace.enabled >> v->key[1]) & 1 ? "1\n" : "0\n");
}

void
show_trace_format(const struct view *v, struct out *out)
{
	trace_text_format(out, v->m->phys, (enum trace_event)v->key[1]);
}

void
show_trace_id(const struct view *v, struct out *out)
{
	out_u64(out, trace_text_id((enum trace_event)v->key[1]));
	out_char(out, '\n');
}
