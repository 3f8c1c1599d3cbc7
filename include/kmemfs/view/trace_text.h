// SPDX-License-Identifier: MIT
/*
 * trace_text.h - records of the trace ring in the kernel's text
 *
 * Byte for byte what tracefs of 6.1 prints with no_hash_pointers and the
 * default options.
 */
#ifndef KMEMFS_VIEW_TRACE_TEXT_H
#define KMEMFS_VIEW_TRACE_TEXT_H

#include "kmemfs/base/out.h"
#include "kmemfs/base/trace.h"
#include "kmemfs/machine/machine.h"

/* What it takes to print a record. */
struct trace_printer {
	const struct arch *arch;
	const struct symbols *symbols; /* that call sites are named after */
};

/* The remarks at the top of the trace file. */
void trace_text_header(struct out *out, uint64_t in_buffer, uint64_t written,
		       unsigned int nr_cpus);
/* One record as one line, with its newline. */
void trace_text_record(struct out *out, const struct trace_printer *with,
		       const struct trace_record *record);
/* The format file of @event: fields, places, print fmt, as a kernel built for
 * the architecture and pageblocks of @phys has it. */
void trace_text_format(struct out *out, const struct phys *phys,
		       enum trace_event event);
/* The event's number in its id and format files. */
unsigned int trace_text_id(enum trace_event event);

/*
 * For readers of trace_pipe: take records out of the ring and append their
 * lines until @want bytes are there, at least one record; what was overwritten
 * before is told as the kernel does.  Returns the bytes appended, 0 when the
 * ring is empty.
 */
size_t trace_pipe_take(struct machine *m, struct out *out, size_t want);

#endif
