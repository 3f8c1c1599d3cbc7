// SPDX-License-Identifier: MIT
/* views.h - machines to look at, and their files' texts read back */
#ifndef TESTS_UNIT_VIEW_VIEWS_H
#define TESTS_UNIT_VIEW_VIEWS_H

#include "kmemfs/machine/op.h"
#include "kmemfs/show.h"

#include <check.h>
#include <errno.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NUMA_MACHINE                                                           \
	"[machine]\narch = x86-64\nmemory = 6G\ncpus = 4\nnodes = 2\n"
#define HIGHMEM_MACHINE "[machine]\narch = i386\nmemory = 2G\ncpus = 2\n"

static inline struct machine *
views_boot(const char *text)
{
	char *error = NULL;
	struct machine_config *config = config_read(text, "test", &error);
	struct machine *m = config ? machine_boot(config, NULL, &error) : NULL;

	ck_assert_msg(m, "%s", error);
	return m;
}

typedef void (*show_fn)(const struct view *v, struct out *out);

/* The text of a file whose path has up to two keys; to be freed with g_free. */
static inline char *
views_text(struct machine *m, show_fn show, uint64_t key0, uint64_t key1)
{
	struct view v = {
		.m = m, .key = {key0, key1},
		     .name = ""
	       };
	struct out out = OUT_INIT;
	char *text;

	show(&v, &out);
	text = g_strdup(out_text(&out));
	out_fini(&out);
	return text;
}

/* The number after @label in @text; fails when there is none. */
static inline uint64_t
views_number(const char *text, const char *label)
{
	const char *at = strstr(text, label);

	ck_assert_msg(at, "no %s in:\n%s", label, text);
	return strtoull(at + strlen(label), NULL, 10);
}

/* The sum of the numbers after all @label of @text. */
static inline uint64_t
views_sum(const char *text, const char *label)
{
	uint64_t sum = 0;

	for (const char *at = text; (at = strstr(at, label));
	     at += strlen(label))
		sum += strtoull(at + strlen(label), NULL, 10);
	return sum;
}

static inline int
views_do(struct machine *m, const char *format, ...)
{
	struct refusal r = {0};
	char line[512];
	va_list ap;

	va_start(ap, format);
	vsnprintf(line, sizeof(line), format, ap);
	va_end(ap);
	return machine_do(m, line, NULL, &r);
}

/* A machine after @ops allocations and frees, seeded by @seed. */
static inline void
views_use(struct machine *m, unsigned int seed, unsigned int ops)
{
	static const char *const gfps[] = {
		"GFP_KERNEL",
		"GFP_HIGHUSER_MOVABLE",
		"GFP_ATOMIC",
		"GFP_KERNEL|__GFP_RECLAIMABLE",
		"GFP_KERNEL|__GFP_COMP",
		"GFP_DMA",
	};
	unsigned int live = 0;

	for (unsigned int i = 0; i < ops; i++) {
		unsigned int r = (seed = seed * 1103515245 + 12345) >> 16;

		if (r % 3 || !live) {
			if (!views_do(m, "page/alloc_pages %s %u name=v%u",
				      gfps[r / 3 % 6], r / 18 % 5, live))
				live++;
		} else {
			ck_assert_int_eq(
				views_do(m, "page/__free_pages v%u", --live),
				0);
		}
	}
}

#endif
