// SPDX-License-Identifier: MIT
/* replay_feed.c - a small machine that is fed recordings line by line */
#include "unit/machine/replay_feed.h"

#include "common.h"

#include "kmemfs/machine/journal.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

static const char small[] = "[machine]\n"
			    "arch = x86-64\n"
			    "cpus = 2\n"
			    "memory = 64M\n";
static const char *config = small;

struct machine *feed_m;

static struct machine *
boot(void)
{
	char *error = NULL;
	struct machine_config *c = config_read(config, "test", &error);
	struct machine *booted;

	ck_assert_msg(c != NULL, "%s", error);
	booted = machine_boot(c, NULL, &error);
	ck_assert_msg(booted != NULL, "%s", error);
	return booted;
}

void
feed_setup_config(const char *text)
{
	config = text;
	feed_m = boot();
}

void
feed_setup(void)
{
	feed_setup_config(small);
}

void
feed_verify(void)
{
	struct out out = OUT_INIT;
	unsigned int findings = machine_verify(feed_m, &out);

	ck_assert_msg(!findings, "%s", out_text(&out));
	out_fini(&out);
}

/* The journal, done again on a fresh machine, ends in the same state. */
static void
journal_leads_here(void)
{
	char here[DIGEST_TEXT], there[DIGEST_TEXT], *error = NULL;
	struct out text = OUT_INIT;
	struct machine *again = boot();
	uint64_t cursor = 0;

	while (journal_text(feed_m->journal, &cursor, 1 << 20, &text))
		;
	ck_assert_msg(!journal_replay(again, out_text(&text), text.len, &error),
		      "%s", error);
	machine_digest(feed_m, here);
	machine_digest(again, there);
	ck_assert_str_eq(here, there);
	machine_free(again);
	out_fini(&text);
}

void
feed_teardown(void)
{
	feed_verify();
	journal_leads_here();
	machine_free(feed_m);
}

/* --- feeding ---------------------------------------------------------------
 */

void
feed_op(const char *line)
{
	struct refusal r;

	ck_assert_msg(!machine_do(feed_m, line, NULL, &r), "%s: %s", line,
		      r.sentence);
}

void
feed_begin(const char *policy)
{
	char line[64];

	snprintf(line, sizeof(line), "replay/policy %s", policy);
	feed_op(line);
	ck_assert_int_eq(replay_begin(feed_m, NULL), 0);
}

void
feed_end(void)
{
	ck_assert_int_eq(replay_end(feed_m, NULL), 0);
}

double feed_stamp;

void
feed_line(unsigned int cpu, const char *format, ...)
{
	char event[400], line[512];
	struct refusal r = {0};
	va_list ap;
	int len;

	va_start(ap, format);
	vsnprintf(event, sizeof(event), format, ap);
	va_end(ap);
	len = snprintf(line, sizeof(line),
		       "             cat-5       [%03u] ..... %5.6f: %s", cpu,
		       feed_stamp, event);
	ck_assert_msg(!replay_line(feed_m, line, (size_t)len, &r), "%s: %s",
		      line, r.sentence);
}

void
feed_alloc(pfn_t pfn, unsigned int order)
{
	feed_line(0,
		  "mm_page_alloc: page=0 pfn=%#llx order=%u migratetype=0 "
		  "gfp_flags=GFP_KERNEL",
		  (unsigned long long)pfn, order);
}

void
feed_free(pfn_t pfn, unsigned int order)
{
	feed_line(0, "mm_page_free: page=0 pfn=%#llx order=%u",
		  (unsigned long long)pfn, order);
}

const struct replay_counts *
feed_counts(void)
{
	return &replay_of(feed_m)->counts;
}

uint64_t
feed_unused_pages(void)
{
	return unused_pages(feed_m->phys);
}

bool
feed_is_allocated(pfn_t pfn, unsigned int want)
{
	enum migratetype type;
	unsigned int order = 99;
	pfn_t head = PFN_NONE;

	return frame_block(feed_m->phys, pfn, &head, &order, &type) ==
		       FRAME_ALLOCATED &&
	       head == pfn && order == want;
}

#define PFN 0x3000
