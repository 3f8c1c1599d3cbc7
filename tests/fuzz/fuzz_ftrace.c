// SPDX-License-Identifier: MIT
/*
 * fuzz_ftrace.c - arbitrary bytes as a recording
 *
 * How it works: the first byte of an input picks the policy, the rest are
 * lines, each in a buffer of just its size, replayed on a fresh small machine.
 *
 * What it finds: crashes, sanitizer reports, hangs, names that do not lie in
 * their line, lines that are not counted, broken laws.
 *
 * With libFuzzer (-DFUZZ): fuzz_ftrace SEEDS.  Without: fuzz_ftrace [FILE...]
 * runs those, or some hundred recordings made up from pieces of real lines.
 */
#include "kmemfs/base/check.h"
#include "kmemfs/machine/config.h"
#include "kmemfs/machine/op.h"
#include "kmemfs/machine/replay.h"

#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct machine *
boot(void)
{
	static const char text[] = "[machine]\narch = x86-64\ncpus = 2\n"
				   "memory = 64M\n";
	char *error = NULL;
	struct machine_config *config = config_read(text, "fuzz", &error);

	KM_ASSERT(config);
	return machine_boot(config, NULL, &error);
}

static void
check_line(const char *line, size_t len)
{
	static struct ftrace reader;
	struct ftrace_event e;

	ftrace_parse(&reader, line, len, &e);
	KM_ASSERT(e.kind < NR_FTRACE_KINDS);
	if (e.kind >= NR_FTRACE_EVENTS)
		return;
	KM_ASSERT(e.comm >= line && e.comm + e.comm_len <= line + len);
	KM_ASSERT(e.name >= line && e.name + e.name_len <= line + len);
	KM_ASSERT(!e.site_len ||
		  (e.site >= line && e.site + e.site_len <= line + len));
	KM_ASSERT(!e.cache_len ||
		  (e.cache >= line && e.cache + e.cache_len <= line + len));
}

static void
feed(struct machine *m, const char *line, size_t len)
{
	/* Of just that size: one byte further is a report. */
	char *copy = g_memdup2(len ? line : "", len ? len : 1);

	check_line(copy, len);
	KM_ASSERT(!replay_line(m, copy, len, NULL));
	g_free(copy);
}

static void
check_counts(const struct replay_counts *counts, uint64_t lines)
{
	uint64_t sum = counts->headers + counts->unparsed;

	for (unsigned int i = 0; i < NR_FTRACE_EVENTS; i++)
		sum += counts->event[i];
	KM_ASSERT(counts->lines == lines);
	/* Lines that tell of lost events are the rest. */
	KM_ASSERT(sum <= lines && lines - sum <= counts->lost);
}

static void
check_laws(struct machine *m)
{
	struct out out = OUT_INIT;

	if (machine_verify(m, &out)) {
		fputs(out_text(&out), stderr);
		abort();
	}
	out_fini(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct machine *m = boot();
	const char *at = (const char *)data + 1, *end = at + size - 1;
	uint64_t lines = 0;

	if (size && data[0] & 1)
		KM_ASSERT(!machine_do(m, "replay/policy mirror", NULL, NULL));
	KM_ASSERT(!replay_begin(m, NULL));
	while (size && at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));

		newline = newline ? newline : end;
		feed(m, at, (size_t)(newline - at));
		at = newline + 1;
		lines++;
	}
	check_counts(&m->replay->counts, lines);
	KM_ASSERT(!replay_end(m, NULL));
	check_laws(m);
	KM_ASSERT(!machine_do(m, "replay/release", NULL, NULL));
	check_laws(m);
	machine_free(m);
	return 0;
}

#ifndef FUZZ

#define MADE_UP 300

static uint64_t seed;

static unsigned int
below(unsigned int n)
{
	uint64_t z = seed += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	return (unsigned int)((z ^ z >> 31) % n);
}

#define ONE_OF(table) (table)[below(ARRAY_SIZE(table))]

static void
made_up_line(struct out *out)
{
	static const char *const tasks[] = {"             cat-17775  ",
					    "     kworker/0:0-9      ",
					    "       a [003] b-123    ",
					    "cat-5",
					    "",
					    "-",
					    "[",
					    "x 7/8"};
	static const char *const cpus[] = {" [000] ", " [001] ", " [4095] ",
					   " [", " [99999999999999] "};
	static const char *const flags[] = {"..... ", "d.s2. ", "", "d..1 ",
					    "....!"};
	static const char *const events[] = {"mm_page_alloc",
					     "mm_page_free",
					     "mm_page_alloc_zone_locked",
					     "mm_page_pcpu_drain",
					     "mm_page_alloc_extfrag",
					     "kmalloc",
					     "kfree",
					     "kmem_cache_alloc",
					     "kmem_cache_free",
					     "kmem:mm_page_free"};
	static const char *const ptrs[] = {"00000000", "ffff888", "0x", "(",
					   ""};
	static const char *const names[] = {"a", "kmalloc-64", "", ":/", "b=c"};
	static const char *const gfps[] = {
		"GFP_KERNEL", "GFP_HIGHUSER_MOVABLE|__GFP_COMP|__GFP_ZERO", "|",
		"GFP_DMA|__GFP_HIGHMEM"};
	unsigned int order = below(3) ? below(4) : below(13);
	unsigned int pfn = below(0x4800);

	if (below(6))
		pfn = pfn >> order << order;
	out_str(out, ONE_OF(tasks));
	out_str(out, ONE_OF(cpus));
	out_str(out, ONE_OF(flags));
	out_printf(out, " %u.%06u: %s: page=0 pfn=%#x order=%u", below(3000),
		   below(1000000), ONE_OF(events), pfn, order);
	out_printf(out, " migratetype=%u gfp_flags=%s percpu_refill=%u",
		   below(7), ONE_OF(gfps), below(2));
	out_printf(out, " alloc_order=%u fallback_order=%u", below(11),
		   below(12));
	out_printf(out,
		   " alloc_migratetype=%u fallback_migratetype=%u "
		   "change_ownership=%u",
		   below(3), below(3), below(2));
	out_printf(out,
		   " call_site=f+%#x/0x9 ptr=%s%09x bytes_req=%u "
		   "bytes_alloc=%u node=%d",
		   below(20), ONE_OF(ptrs), below(64) << 9, below(5000),
		   below(5000), (int)below(4) - 1);
	if (below(2))
		out_printf(out, " name=%s", ONE_OF(names));
	/* Now and then a byte that is not the line's. */
	if (!below(8))
		out->text[out->len - 1 - below(40)] = (char)below(256);
	out_char(out, '\n');
}

static void
run_made_up(void)
{
	for (seed = 1; seed <= MADE_UP; seed++) {
		struct out out = OUT_INIT;
		uint64_t kept = seed;
		unsigned int lines = 1 + below((unsigned int)seed);

		out_char(&out, (char)below(2));
		while (lines--)
			made_up_line(&out);
		LLVMFuzzerTestOneInput((const uint8_t *)out.text, out.len);
		out_fini(&out);
		seed = kept;
	}
	printf("%d passed, 0 failed\n", MADE_UP);
}

int
main(int argc, char **argv)
{
	int files = 0;

	for (int i = 1; i < argc; i++) {
		char *text;
		gsize len;

		if (argv[i][0] == '-' ||
		    !g_file_get_contents(argv[i], &text, &len, NULL))
			continue;
		LLVMFuzzerTestOneInput((const uint8_t *)text, len);
		g_free(text);
		files++;
	}
	if (files)
		printf("%d passed, 0 failed\n", files);
	else
		run_made_up();
	return EXIT_SUCCESS;
}

#endif
