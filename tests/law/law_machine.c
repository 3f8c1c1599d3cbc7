// SPDX-License-Identifier: MIT
/*
 * law_machine.c - random command lines, and what must hold after each
 *
 *   law_machine [--seed N] [--ops N] [--machine NAME] [--trace]
 *
 * Lines valid and not go through machine_do() on several machines, few first,
 * so that what fails fails small.  After each line:
 *
 *   a refused one left the digest, the time and the journal as they were;
 *   an accepted one is in the journal;
 *   every law holds (on large machines: every 64 lines).
 *
 * From time to time the journal's text is done again on a fresh machine of the
 * same machine file, and must lead to the same digest; so must the records of
 * a state directory, opened again.
 *
 * A failure prints seed, machine and line number; --seed N --machine NAME
 * --trace shows the lines that led there.
 */
#include "args.h"
#include "common.h"

#include "kmemfs/machine/journal.h"
#include "kmemfs/machine/op.h"

#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct run {
	struct law_args args;
	uint64_t random;
	const char *machine;
	unsigned int line;
	unsigned int failed, passed;
	struct machine *m;
	char digest[DIGEST_TEXT]; /* after the last line */
} run;

static unsigned int
below(unsigned int n)
{
	return (unsigned int)(random_next(&run.random) % n);
}

#define ONE_OF(table) (table)[below(ARRAY_SIZE(table))]

/* --- lines --------------------------------------------------------------- */

static const char *const gfps[] = {
	"GFP_KERNEL",
	"GFP_ATOMIC",
	"GFP_USER",
	"GFP_HIGHUSER",
	"GFP_HIGHUSER_MOVABLE",
	"GFP_DMA",
	"GFP_DMA32",
	"GFP_NOWAIT",
	"GFP_KERNEL|__GFP_RECLAIMABLE",
	"GFP_KERNEL|__GFP_ZERO",
	"GFP_KERNEL|__GFP_COMP",
	"GFP_KERNEL|__GFP_THISNODE",
	"GFP_ATOMIC|__GFP_NOMEMALLOC",
	"__GFP_HIGH+__GFP_NOWARN",
	"GFP_KERNEL|__GFP_MEMALLOC",
	"0x8",
	"0",
	"GFP_NOIO,__GFP_NORETRY",
	/* and wrong ones */
	"__GFP_DMA|__GFP_HIGHMEM",
	"GFP_KERNL",
	"|",
	"0x80000000",
};
static const char *const allocators[] = {
	"page/alloc_pages",
	"page/alloc_pages",
	"page/alloc_pages",
	"page/__get_free_pages",
};
static const char *const single_allocators[] = {
	"page/alloc_page",
	"page/__get_free_page",
	"page/get_zeroed_page",
};
static const char *const freers[] = {
	"page/__free_pages",	 "page/__free_pages", "page/__free_pages",
	"page/__free_page",	 "page/free_pages",   "page/free_page",
	"page/free_pages_exact", "page/split_page",
};
static const char *const sysctls[] = {
	"min_free_kbytes",
	"watermark_scale_factor",
	"watermark_boost_factor",
	"lowmem_reserve_ratio",
	"percpu_pagelist_high_fraction",
	"extfrag_threshold",
	"zone_reclaim_mode",
	"numa_zonelist_order",
	"no_such_sysctl",
};
static const char *const values[] = {
	"0",
	"1",
	"8",
	"10",
	"100",
	"1000",
	"1024",
	"67584",
	"3000",
	"15000",
	"256 256 32",
	"256 256 32 0 0",
	"1 1 1 1 1",
	"-1",
	"node",
	"zone",
	"99999999999999999999",
	"x",
	"4096 extra",
};
static const char *const states[] = {
	"offline", "online", "online_movable", "online_kernel", "sideways",
};
static const char *const words[] = {
	"1",
	"0",
	"-1",
	"3",
	"0x10",
	"4096",
	"18446744073709551615",
	"GFP_KERNEL",
	"name=a1",
	"name=b2",
	"cpu=0",
	"cpu=999",
	"node=local",
	"node=1",
	"order=1",
	"order=11",
	"context=irq",
	"context=process",
	"at=1ms",
	"by=1us",
	"a1",
	"a2",
	"model",
	"mirror",
	"path=ram",
	"hex:00ff",
	"base64:AAAA",
	"base64:!",
	"1s",
	"yes",
	"=",
	"==",
	"name=",
	"\x01\xff",
	"memory1",
	"ram",
	"pages/16",
	"allocations/a1",
	"colour=red",
};

/* The name or first pfn of a live allocation; sometimes of none. */
static void
put_live(struct out *out, bool address)
{
	uint32_t last = allocation_last_id(run.m);
	struct allocation *a;
	char name[16];

	a = allocation_next(run.m, last ? below(last) : 0);
	if (!a || below(20) == 0)
		out_printf(out, "%s", below(2) ? "nosuch" : "123");
	else if (address && below(3) == 0)
		out_printf(out, "%#llx",
			   (unsigned long long)run.m->phys->arch->page_offset +
				   (a->pfn << run.m->phys->page_shift));
	else if (below(4) == 0)
		out_printf(out, "%llu", (unsigned long long)a->pfn);
	else
		out_str(out, allocation_name(a, name));
}

static void
put_common(struct out *out)
{
	static const char *const contexts[] = {"process", "atomic", "softirq",
					       "irq", "spinlock"};

	if (below(4) == 0)
		out_printf(out, " name=%c%u", "abn"[below(3)], below(200));
	if (below(2))
		out_printf(out, " cpu=%u", below(run.m->phys->nr_cpus));
	if (below(4) == 0)
		out_printf(out, " node=%u", below(run.m->phys->nr_nodes + 1));
	if (below(8) == 0)
		out_printf(out, " context=%s", ONE_OF(contexts));
}

/* Mostly small orders, the large ones too. */
static unsigned int
random_order(void)
{
	return below(3) ? below(4) : below(12);
}

static void
line_alloc(struct out *out)
{
	if (below(3))
		out_printf(out, "%s %s %u", ONE_OF(allocators), ONE_OF(gfps),
			   random_order());
	else
		out_printf(out, "%s %s", ONE_OF(single_allocators),
			   ONE_OF(gfps));
	put_common(out);
}

static void
line_exact(struct out *out)
{
	out_printf(out, "page/alloc_pages_exact %u%s", below(300),
		   below(2) ? "K" : "");
	put_common(out);
}

static void
line_free(struct out *out)
{
	const char *op = ONE_OF(freers);

	out_printf(out, "%s ", op);
	put_live(out, strstr(op, "/free_") != NULL);
	if (below(8) == 0)
		out_printf(out, " order=%u", below(5));
	if (below(4) == 0)
		out_printf(out, " cpu=%u", below(run.m->phys->nr_cpus));
}

/* Whether bytes at @at may be written without harm to a slab's lists. */
static bool
is_harmless(pa_t at)
{
	const struct phys *phys = run.m->phys;
	va_t address = phys->arch->page_offset + at;

	/* Nor tables and stacks. */
	for (pa_t end = at + 64; at < end; at += 32) {
		pfn_t pfn = at >> phys->page_shift, head;
		enum migratetype type;
		unsigned int order;

		if (frame_block(phys, pfn, &head, &order, &type) ==
			    FRAME_ALLOCATED &&
		    (phys->frames[head].owner & OWNER_KERNEL))
			return false;
	}
	return !slab_of(run.m->slab, address) &&
	       !slab_of(run.m->slab, address + 64);
}

/* Inside an object at most: what lies past it is for other tests. */
static unsigned int
put_allocation_place(struct out *out)
{
	uint32_t last = allocation_last_id(run.m);
	const struct allocation *a =
		allocation_next(run.m, last ? below(last) : 0);
	unsigned int at;
	char name[16];

	out_str(out, "allocations/");
	if (!a || a->kind == ALLOCATION_PAGES) {
		out_printf(out, "%s %u", a ? allocation_name(a, name) : "no",
			   below(9000));
		return 40;
	}
	at = below((unsigned int)MIN_OF(a->size, 100000));
	out_printf(out, "%s %u", allocation_name(a, name), at);
	return (unsigned int)MIN_OF(40, a->size - at);
}

static void
line_bytes(struct out *out)
{
	const struct phys *phys = run.m->phys;
	pa_t at =
		random_next(&run.random) % (phys->max_pfn << phys->page_shift);
	unsigned int most = 40;

	out_str(out, "bytes/write ");
	if (below(3) == 0 || !is_harmless(at))
		most = put_allocation_place(out);
	else if (below(2))
		out_printf(out, "ram %llu", (unsigned long long)at);
	else
		out_printf(out, "pages/%llu %llu",
			   (unsigned long long)(at >> phys->page_shift),
			   (unsigned long long)(at % page_size(phys)));
	out_str(out, " hex:");
	for (unsigned int n = below(most); n; n--)
		out_printf(out, "%02x", below(3) ? 0 : below(256));
}

#include "lines_kernel.h"
#include "lines_task.h"
#include "lines_maps.h"

static void
line_sysctl(struct out *out)
{
	out_printf(out, "vm/sysctl %s %s", ONE_OF(sysctls), ONE_OF(values));
}

static void
line_memory(struct out *out)
{
	out_printf(out, "memory/state memory%u %s", below(80), ONE_OF(states));
}

static void
line_clock(struct out *out)
{
	out_printf(out, "clock/advance %u%s", below(1000),
		   below(2) ? "us" : "ms");
}

static void
line_drain(struct out *out)
{
	out_str(out, "page/drain_all_pages");
}

static void
line_replay(struct out *out)
{
	const struct phys *phys = run.m->phys;
	unsigned long long pfn =
		random_next(&run.random) % (phys->max_pfn + 100);

	/* Few blocks, so that they are met again. */
	if (below(3))
		pfn = pfn % 64 * 8 + phys->max_pfn / 2;
	switch (below(8)) {
	case 0:
		out_printf(out, "replay/%s", below(2) ? "begin" : "end at=2ms");
		break;
	case 1:
		out_printf(out, "replay/policy %s",
			   below(2) ? "mirror" : "model");
		break;
	case 2:
	case 3:
	case 4:
		out_printf(out,
			   "replay/alloc %llu order=%u migratetype=%u "
			   "gfp=%s",
			   pfn, random_order(), below(4), ONE_OF(gfps));
		break;
	case 5:
	case 6:
		out_printf(out, "replay/free %llu order=%u", pfn, below(4));
		break;
	default:
		out_str(out, "replay/release");
	}
}

/* Any op with any words. */
static void
line_any(struct out *out)
{
	out_str(out, op_table[below(op_table_size)].name);
	for (unsigned int n = below(5); n; n--)
		out_printf(out, " %s", ONE_OF(words));
}

/* A good line with a few bytes changed. */
static void
line_noise(struct out *out)
{
	line_alloc(out);
	for (unsigned int n = 1 + below(3); n; n--)
		out->text[below((unsigned int)out->len)] =
			(char)(1 + below(255));
}

static const struct {
	unsigned int weight;
	void (*make)(struct out *out);
} kinds[] = {
	{40, line_alloc      },
	{30, line_free	      },
	  {4,  line_exact	},
	{10, line_bytes      },
	{10, line_cache      },
	  {40, line_object	  },
	{30, line_object_free},
	{10, line_pool	      },
	  {10, line_percpu	  },
	{2,  line_fault      },
	{12, line_task	      },
	  {20, line_map	       },
	{30, line_touch      },
	{4,  line_file	     },
	  {8,  line_area       },
	{6,  line_kernel_use },
	{3,  line_sysctl     },
	  {3,  line_memory	 },
	{4,  line_clock      },
	{1,  line_drain      },
	  {6,  line_replay	 },
	{5,  line_any	    },
	{3,  line_noise      },
};

static void
make_line(struct out *out)
{
	unsigned int total = 0, pick;
	size_t i = 0;

	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++)
		total += kinds[k].weight;
	for (pick = below(total); pick >= kinds[i].weight; i++)
		pick -= kinds[i].weight;
	out_reset(out);
	kinds[i].make(out);
}

/* --- laws ---------------------------------------------------------------- */

static void
broken(const char *what, const char *detail)
{
	printf("FAILED: %s\n  --seed %llu --machine %s, line %u: %s\n", what,
	       (unsigned long long)run.args.seed, run.machine, run.line,
	       detail);
	fflush(stdout);
	run.failed++;
}

static void
check_laws(const char *line)
{
	struct out report = OUT_INIT;

	if (machine_verify(run.m, &report)) {
		broken("a law", line);
		printf("%s", out_text(&report));
	}
	out_fini(&report);
}

static struct machine_config *
same_config(void)
{
	struct machine_config *config;
	struct out text = OUT_INIT;
	char *error = NULL;

	config_print(run.m->config, &text);
	config = config_read(out_text(&text), "again", &error);
	if (!config)
		broken("config of config", error);
	g_free(error);
	out_fini(&text);
	return config;
}

/* Do the journal's text again; the digest must be @want. */
static void
check_replay(const char *want)
{
	struct machine *again;
	struct out text = OUT_INIT;
	char digest[DIGEST_TEXT], *error = NULL;
	uint64_t cursor = 0;

	while (journal_text(run.m->journal, &cursor, 1 << 16, &text))
		;
	again = machine_boot(same_config(), NULL, &error);
	if (!again) {
		broken("booting again", error);
	} else if (journal_replay(again, out_text(&text), text.len, &error)) {
		broken("replay", error);
	} else {
		machine_digest(again, digest);
		if (strcmp(digest, want))
			broken("replay", "another digest");
	}
	machine_free(again);
	g_free(error);
	out_fini(&text);
}

static void
do_line(const char *line, bool large)
{
	char after[DIGEST_TEXT];
	uint64_t count = journal_count(run.m->journal);
	uint64_t now = run.m->now_ns;
	struct refusal r = {0};
	int err;

	if (run.args.trace)
		printf("%u: %s\n", run.line, line);
	err = machine_do(run.m, line, NULL, &r);
	machine_digest(run.m, after);
	if (run.args.trace && err)
		printf("    %s\n", r.sentence);
	if (err && !r.ran) {
		if (strcmp(run.digest, after))
			broken("a refused line changed the digest", line);
		if (now != run.m->now_ns ||
		    count != journal_count(run.m->journal))
			broken("a refused line moved time or journal", line);
		if (!r.err || !r.sentence[0])
			broken("a refusal without errno or sentence", line);
	}
	memcpy(run.digest, after, sizeof(after));
	if (journal_count(run.m->journal) < count ||
	    journal_count(run.m->journal) > count + 1)
		broken("an op is one line of the journal", line);
	if (!large || run.line % 64 == 0)
		check_laws(line);
}

/* --- runs ---------------------------------------------------------------- */

static bool
boot(const char *name, const char *state_dir)
{
	char *error = NULL;
	struct machine_config *config = config_load(name, &error);

	run.machine = name;
	run.line = 0;
	run.m = config ? machine_boot(config, state_dir, &error) : NULL;
	if (!run.m)
		broken("boot", error);
	g_free(error);
	return run.m != NULL;
}

static void
run_lines(unsigned int nr, bool large)
{
	struct out line = OUT_INIT;
	unsigned int failed = run.failed;

	machine_digest(run.m, run.digest);
	for (run.line = 1; run.line <= nr && run.failed == failed; run.line++) {
		make_line(&line);
		do_line(out_text(&line), large);
	}
	check_laws("the end");
	check_replay(run.digest);
	out_fini(&line);
}

static void
run_machine(const char *name, unsigned int nr, bool large)
{
	unsigned int failed = run.failed;

	run.random = run.args.seed ^ nr;
	if (!boot(name, NULL))
		return;
	run_lines(nr, large);
	machine_free(run.m);
	run.passed += run.failed == failed;
	printf("%s: %u lines\n", name, nr);
}

/* Work, leave, come back, three times: the state is what it was. */
static void
run_state(const char *name, unsigned int nr)
{
	char *dir = g_dir_make_tmp("kmemfs-law-XXXXXX", NULL);
	char left[DIGEST_TEXT] = "", found[DIGEST_TEXT];
	unsigned int failed = run.failed;

	run.random = run.args.seed;
	for (int turn = 0; turn < 3 && boot(name, dir); turn++) {
		machine_digest(run.m, found);
		if (turn && strcmp(left, found))
			broken("a state directory", "another digest");
		run_lines(nr, false);
		machine_digest(run.m, left);
		machine_free(run.m);
	}
	remove_state(dir);
	run.passed += run.failed == failed;
	printf("%s: left and come back to, %u lines each time\n", name, nr);
}

static const struct {
	const char *name;
	bool large;
	unsigned int share; /* of the lines: 1 in so many */
} machines[] = {
	{"uma-small",    false, 1 },
	 {"default",	     true,  1 },
	{"embedded",     false, 1 },
	 {"i386-highmem", true,	1 },
	{"i386-pae",     true,  1 },
	 {"numa-4",	    true,  1 },
	{"big",		true,  4 },
	 {"huge",	  true,	20},
};

int
main(int argc, char **argv)
{
	unsigned int ops;

	if (!law_args_read(&run.args, argc, argv))
		return 2;
	ops = run.args.ops;
	for (size_t i = 0; i < ARRAY_SIZE(machines); i++) {
		const char *name = machines[i].name;
		unsigned int most = MAX_OF(ops / machines[i].share, 1U);

		if (!law_args_want(&run.args, name))
			continue;
		for (unsigned int nr = 30; nr < most && !run.failed; nr *= 10)
			run_machine(name, nr, machines[i].large);
		if (!run.failed)
			run_machine(name, most, machines[i].large);
	}
	if (!run.failed && law_args_want(&run.args, "uma-small"))
		run_state("uma-small", MIN_OF(ops, 1000U));
	printf("%u passed, %u failed\n", run.passed, run.failed);
	return run.failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
