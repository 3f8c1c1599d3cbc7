// SPDX-License-Identifier: MIT
/*
 * trace.h - the ring of events, as the kernel's ring buffer behind tracefs
 *
 * Every layer emits; nobody below view renders.  An event that is off costs
 * one test of a bit.  The ring is bounded: the oldest records are overwritten
 * and counted.  Not part of the machine's state: the digest ignores it.
 */
#ifndef KMEMFS_BASE_TRACE_H
#define KMEMFS_BASE_TRACE_H

#include "kmemfs/base/types.h"

#include <glib.h>

enum trace_event {
#define EVENT(id, system, name) TRACE_##id,
#include "kmemfs/base/trace.def"
#undef EVENT
	NR_TRACE_EVENTS
};

#define TRACE_ARGS_MAX 8

/* The bits of the flags column of trace text. */
enum trace_context {
	TRACE_IRQS_OFF = 1 << 0, /* d */
	TRACE_HARDIRQ = 1 << 1,	 /* h */
	TRACE_SOFTIRQ = 1 << 2,	 /* s */
};

/* Why a TLB is flushed, with the kernel's numbers and words. */
#define TRACE_TLB_REASONS(R)                                                   \
	R(ON_TASK_SWITCH, "flush on task switch")                              \
	R(REMOTE_SHOOTDOWN, "remote shootdown")                                \
	R(LOCAL_SHOOTDOWN, "local shootdown")                                  \
	R(LOCAL_MM_SHOOTDOWN, "local mm shootdown")                            \
	R(REMOTE_SEND_IPI, "remote ipi send")

enum trace_tlb_reason {
#define TRACE_TLB_ENUM(id, words) TRACE_TLB_##id,
	TRACE_TLB_REASONS(TRACE_TLB_ENUM)
#undef TRACE_TLB_ENUM
};

/* Who is running: stamped on each record by the op that sets it. */
struct trace_now {
	uint64_t ns; /* modelled time */
	uint16_t cpu;
	uint8_t context; /* enum trace_context */
	uint8_t preempt; /* preemption depth, the column's fourth character */
	int32_t pid;
	char comm[16]; /* task's name, NUL-terminated */
};

struct trace_record {
	struct trace_now now;
	uint32_t event;		      /* enum trace_event */
	uint64_t arg[TRACE_ARGS_MAX]; /* by the event's own order */
};

struct trace {
	struct trace_now now;	   /* stamped on what is emitted */
	uint32_t enabled;	   /* bit per enum trace_event */
	uint32_t counted;	   /* those counted below even when off */
	bool on;		   /* tracing_on */
	struct trace_record *ring; /* allocated when first needed */
	uint64_t capacity;	   /* records the ring holds, a power of two */
	uint64_t written;	   /* records ever written */
	uint64_t cleared;	   /* records before this one are not shown */
	uint64_t consumed;	   /* trace_pipe has read up to here */
	uint64_t lost;		   /* overwritten before trace_pipe read them */
	uint64_t lost_told;	   /* of these, told to a reader of the pipe */
	uint64_t count[NR_TRACE_EVENTS]; /* emitted while in @counted */
	/* Told of each event in @counted and of its arguments as it happens;
	 * may be NULL.  It must change nothing of the model. */
	void (*watch)(void *user, enum trace_event event, const uint64_t *arg);
	void *watch_user;
};

/* All events off, tracing_on set; @capacity is rounded up to a power of two. */
void trace_init(struct trace *t, uint64_t capacity);
void trace_fini(struct trace *t);
/* Make the ring hold @capacity records (rounded up); the newest are kept. */
void trace_resize(struct trace *t, uint64_t capacity);
/* Append a record with @nr arguments.  Use the TRACE macro. */
void trace_emit(struct trace *t, enum trace_event event, const uint64_t *arg,
		size_t nr);
/*
 * First record that can still be shown: neither overwritten nor cleared nor
 * consumed by trace_pipe; == written when there is none.
 */
uint64_t trace_oldest(const struct trace *t);
/* The oldest is read and gone, as trace_pipe does; trace_oldest() < written. */
void trace_consume(struct trace *t);
/* Record number @n, trace_oldest() <= n < written. */
const struct trace_record *trace_get(const struct trace *t, uint64_t n);
/* Forget all records (a write that truncates the trace file). */
void trace_clear(struct trace *t);
/* The event called @name of @system, or NR_TRACE_EVENTS. */
enum trace_event trace_find(const char *system, const char *name);
/* A bit for each event that @word names: SYSTEM:EVENT, SYSTEM:*, SYSTEM, EVENT
 * or "all"; 0: none.  Follows __ftrace_set_clr_event(). */
uint32_t trace_events(const char *word);
const char *trace_system(enum trace_event event);
const char *trace_name(enum trace_event event);

static inline bool
trace_is_on(const struct trace *t, enum trace_event event)
{
	uint32_t wanted = (t->on ? t->enabled : 0) | t->counted;

	return __builtin_expect((wanted >> event) & 1, 0);
}

/* TRACE(t, MM_PAGE_FREE, pfn, order): arguments are uint64_t. */
#define TRACE(t, id, ...)                                                      \
	do {                                                                   \
		if (trace_is_on((t), TRACE_##id)) {                            \
			const uint64_t trace_args_[] = {__VA_ARGS__};          \
			trace_emit((t), TRACE_##id, trace_args_,               \
				   sizeof(trace_args_) /                       \
					   sizeof(trace_args_[0]));            \
		}                                                              \
	} while (0)

/*
 * A text as an argument: kept for the life of the program, once, so that a
 * record may outlive what it tells of.  For names only, which are few.
 */
#define TRACE_TEXT(text) ((uint64_t)(uintptr_t)g_intern_string(text))

#endif
