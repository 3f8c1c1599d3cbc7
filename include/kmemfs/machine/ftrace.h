// SPDX-License-Identifier: MIT
/*
 * ftrace.h - reading one line of a recorded kernel trace
 *
 * Takes what people have: the text of tracefs' trace and trace_pipe, with and
 * without the flags column or the thread group, of kernels 4.18 to 6.18;
 * trace-cmd report; perf script.  One pass, no allocation, no copy: names in
 * the result point into the line.
 */
#ifndef KMEMFS_MACHINE_FTRACE_H
#define KMEMFS_MACHINE_FTRACE_H

#include "kmemfs/phys/gfp.h"

enum ftrace_kind {
#define FTRACE_EVENT(id, name, needs) FTRACE_##id,
#include "kmemfs/machine/ftrace.def"
#undef FTRACE_EVENT
	FTRACE_OTHER, /* an event, none of the above */
	NR_FTRACE_EVENTS,
	FTRACE_HEADER = NR_FTRACE_EVENTS, /* empty, a remark, a banner */
	FTRACE_LOST,			  /* "CPU:1 [LOST 12 EVENTS]" */
	FTRACE_UNPARSED, /* nothing of these, or an event with parts missing */
	NR_FTRACE_KINDS
};

/* The flags column, decoded as far as the model has a use for it. */
enum ftrace_flags {
	FTRACE_IRQS_OFF = 1 << 0,
	FTRACE_HARDIRQ = 1 << 1,
	FTRACE_SOFTIRQ = 1 << 2,
	FTRACE_HAS_FLAGS = 1 << 3, /* the column was there */
};

struct ftrace_event {
	enum ftrace_kind kind;
	uint64_t ts_ns; /* a stamp without a point is taken as ns */
	uint32_t cpu;
	int32_t pid;
	const char *comm; /* task's name, not NUL-terminated */
	uint32_t comm_len;
	uint32_t name_len;
	const char *name; /* the event's, without its system */
	uint8_t flags;	  /* enum ftrace_flags */
	uint8_t preempt;  /* low 4 bits depth, high 4 migrate-disable */

	/* Of the mm_page events; zero elsewhere. */
	bool percpu_refill;
	bool change_ownership;
	uint32_t order; /* EXTFRAG: alloc_order */
	uint32_t fallback_order;
	uint32_t migratetype; /* EXTFRAG: alloc_migratetype */
	uint32_t fallback_type;
	gfp_t gfp;	      /* in the bits of gfp.h */
	uint32_t unknown_gfp; /* words of gfp_flags that nobody knows */
	pfn_t pfn;	      /* 0: the allocation had failed */

	/* Of the slab events, gfp too; zero elsewhere. */
	uint64_t ptr; /* as printed, hashed or not; 0: NULL, or it had failed */
	uint64_t bytes_req;
	uint64_t bytes_alloc;
	const char *site;  /* the caller, "f+0x1a/0x60" or an address */
	const char *cache; /* its name, where the kernel printed it */
	uint32_t site_len;
	uint32_t cache_len; /* 0: it was not printed */
	int32_t node;	    /* NODE_LOCAL: none asked for */

	uint64_t lost; /* LOST: how many, at least 1 */
};

/* What ptr is where the kernel would not tell: "(____ptrval____)". */
#define FTRACE_PTR_HIDDEN UINT64_MAX

#define FTRACE_GFP_CACHED 64
#define FTRACE_GFP_TEXT 104
#define FTRACE_COLUMNS_TEXT 64

/* What the reader remembers between lines: texts that repeat. */
struct ftrace {
	/* The columns of the last line, up to the point of the stamp, and what
	 * they say. */
	struct {
		char text[FTRACE_COLUMNS_TEXT];
		uint32_t len; /* 0: unused */
		uint32_t comm, comm_len;
		uint32_t cpu;
		int32_t pid;
		uint8_t flags, preempt;
		uint64_t seconds;
	} columns;
	struct {
		char text[FTRACE_GFP_TEXT];
		uint32_t len; /* 0: unused */
		gfp_t gfp;
		uint32_t unknown;
	} gfp[FTRACE_GFP_CACHED];
};

void ftrace_init(struct ftrace *f);
/*
 * Read @line of @len bytes, without or with its line end.  Any bytes will do:
 * what is not understood is FTRACE_UNPARSED.  Fills in @e and returns e->kind.
 */
enum ftrace_kind ftrace_parse(struct ftrace *f, const char *line, size_t len,
			      struct ftrace_event *e);
/* The event's name, "mm_page_alloc"; "other" for FTRACE_OTHER. */
const char *ftrace_kind_name(enum ftrace_kind kind);

#endif
