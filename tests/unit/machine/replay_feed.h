// SPDX-License-Identifier: MIT
/*
 * replay_feed.h - a small machine that is fed recordings line by line
 *
 * feed_teardown checks after each test that every law holds, and that the
 * journal, done again on a fresh machine, ends in the same state.
 */
#ifndef TESTS_UNIT_MACHINE_REPLAY_FEED_H
#define TESTS_UNIT_MACHINE_REPLAY_FEED_H

#include "kmemfs/machine/replay.h"

/* 64 MiB, 2 CPUs. */
extern struct machine *feed_m;
/* Seconds; what the next line is stamped with. */
extern double feed_stamp;

/* A free frame that lies well inside the machine. */
#define PFN 0x3000

void feed_setup(void);
/* The same with a machine file of the test's own. */
void feed_setup_config(const char *text);
void feed_teardown(void);
/* Every law holds. */
void feed_verify(void);
/* A command line that must succeed. */
void feed_op(const char *line);
/* Begin a replay under @policy, end it. */
void feed_begin(const char *policy);
void feed_end(void);
/* One event, given from its name on. */
void feed_line(unsigned int cpu, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void feed_alloc(pfn_t pfn, unsigned int order);
void feed_free(pfn_t pfn, unsigned int order);
const struct replay_counts *feed_counts(void);
/* Pages on free and per-cpu lists. */
uint64_t feed_unused_pages(void);
/* Whether an allocated block of @order begins at @pfn. */
bool feed_is_allocated(pfn_t pfn, unsigned int order);

#endif
