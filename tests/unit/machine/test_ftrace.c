// SPDX-License-Identifier: MIT
/* test_ftrace.c - lines of recordings: all kernels, all tools, nasty names */
#include "kmemfs/machine/ftrace.h"

#include <check.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

Suite *suite_ftrace(void);

static struct ftrace reader;

static void
setup(void)
{
	ftrace_init(&reader);
}

/* --- columns ------------------------------------------------------------- */

#define FREE ": mm_page_free: page=00000000d8a9810b pfn=0x1b4406 order=2"

static const struct {
	const char *why;
	const char *line;
	const char *comm;
	int pid;
	unsigned int cpu;
	uint64_t ts_ns;
	unsigned int flags, preempt;
} columns[] = {
	{"6.1 to 6.18, five flags",
	 "             cat-17775   [001] .....  1557.954759" FREE,				   "cat",	  17775,
	 1,													       1557954759000, FTRACE_HAS_FLAGS,						     0 },
	{"4.18 to 5.15, four flags",
	 "             cat-17775   [001] d..1  1557.954759" FREE,				  "cat",	 17775,
	 1,													       1557954759000, FTRACE_HAS_FLAGS | FTRACE_IRQS_OFF,				       1 },
	{"option noirq-info: no flags",
	 "             cat-17775   [001]   1557.954759" FREE,				      "cat",	     17775, 1,
	 1557954759000,														  0,								    0 },
	{"a softirq with interrupts off",
	 "             cat-1       [127] dNs2.     0.000001" FREE,				   "cat",	  1,
	 127,													     1000,	    FTRACE_HAS_FLAGS | FTRACE_IRQS_OFF | FTRACE_SOFTIRQ,			 2 },
	{"a hard interrupt in a softirq, migration disabled",
	 "             cat-1       [000] D.H32     0.000001" FREE,				   "cat",	  1,     0,
	 1000,															   FTRACE_HAS_FLAGS | FTRACE_IRQS_OFF | FTRACE_SOFTIRQ | FTRACE_HARDIRQ,
	 0x23																								    },
	{"an NMI counts as a hard interrupt",
	 "             cat-1       [000] d.za.     0.000001" FREE,				   "cat",	  1,     0,
	 1000,															   FTRACE_HAS_FLAGS | FTRACE_IRQS_OFF | FTRACE_HARDIRQ,		    10},
	{"option record-tgid",
	 "             cat-17776   (  17775) [001] .....  1557.954759" FREE,
	 "cat",												 17776, 1, 1557954759000, FTRACE_HAS_FLAGS,							   0 },
	{"record-tgid, group not known",
	 "             cat-17776   (-------) [001] .....  1557.954759" FREE,
	 "cat",												 17776, 1, 1557954759000, FTRACE_HAS_FLAGS,							   0 },
	{"a pid of seven digits",
	 "             cat-4194303 [001] .....  1557.954759" FREE,				   "cat",
	 4194303,												      1, 1557954759000, FTRACE_HAS_FLAGS,						      0 },
	{"a CPU of four digits",
	 "             cat-1       [1023] .....  1557.954759" FREE,				    "cat",	   1,
	 1023,													    1557954759000, FTRACE_HAS_FLAGS,						     0 },
	{"the idle task",
	 "          <idle>-0       [000] d..1.     0.000000" FREE,				   "<idle>",	     0,
	 0,													       0,	       FTRACE_HAS_FLAGS | FTRACE_IRQS_OFF,				   1 },
	{"a name that the kernel has forgotten",
	 "           <...>-77      [000] .....     0.000000" FREE,				   "<...>",	    77,
	 0,													       0,	       FTRACE_HAS_FLAGS,						     0 },
	{"a worker: slash, colon, dash",
	 "   kworker/u16:1-9       [000] .....     1.000000" FREE,
	 "kworker/u16:1",										       9,     0, 1000000000,    FTRACE_HAS_FLAGS,						      0 },
	{"a name with a blank",
	 "     Web Content-123     [000] .....     1.000000" FREE,
	 "Web Content",											 123,   0, 1000000000,    FTRACE_HAS_FLAGS,						      0 },
	{"a name that ends in dash and digits",
	 "        thread-7-123     [000] .....     1.000000" FREE,				   "thread-7",
	 123,													  0, 1000000000,    FTRACE_HAS_FLAGS,						     0 },
	{"a name with brackets",
	 "       a [003] b-123     [000] .....     1.000000" FREE,				   "a [003] b",
	 123,													  0, 1000000000,    FTRACE_HAS_FLAGS,						     0 },
	{"a name that reads like the columns themselves",
	 " a-1 [0] 1.0: b:-123     [002] .....     1.000000" FREE,
	 "a-1 [0] 1.0: b:",										     123,	 2, 1000000000,	FTRACE_HAS_FLAGS,							  0 },
	{"a name of fifteen bytes",
	 " abcdefghijklmno-123     [000] .....     1.000000" FREE,
	 "abcdefghijklmno",										     123,	 0, 1000000000,	FTRACE_HAS_FLAGS,							  0 },
	{"bytes beyond ASCII",
	 "          \xc3\xa4\xff\x01\x80-123     [000] .....     1.000000" FREE,
	 "\xc3\xa4\xff\x01\x80",										123,   0, 1000000000,    FTRACE_HAS_FLAGS,						       0 },
	{"leading blanks stripped by a tool",
	 "a [003] b-123 [000] ..... 1.000000" FREE,						    "a [003] b",	 123,   0,
	 1000000000,														     FTRACE_HAS_FLAGS,						     0 },
	{"trace-cmd report, old: no flags",
	 "          <idle>-0     [001]  4345.807123" FREE,					   "<idle>",	     0,	1,
	 4345807123000,														  0,								    0 },
	{"trace-cmd report -t: nanoseconds",
	 "          <idle>-0     [001]  4345.807123456" FREE,				      "<idle>",	0,	   1,
	 4345807123456,														  0,								    0 },
	{"trace-cmd report of the uptime clock: no point",
	 "             cat-5     [001]  4345807" FREE,					       "cat",	      5,	 1, 4345807,	     0,
	 0																								       },
	{"perf script",
	 "cc1 16580 [001]  4345.834030:      kmem:mm_page_free: "
	 "page=0xffffea0000000040 pfn=0x1b4406 order=2",					 "cc1",		16580, 1, 4345834030000, 0,								    0 },
	{"perf script, name with a blank, pid/tid",
	 "     Web Content  4711/4712  [001]  4345.834030: kmem:mm_page_free: "
	 "page=(nil) pfn=0x1b4406 order=2",						      "Web Content", 4712,  1, 4345834030000, 0,								    0 },
	{"tabs instead of blanks",				   "\tcat-5\t[001]\t.....\t1.5" FREE, "cat",	     5,
	 1,													       1500000000,	FTRACE_HAS_FLAGS,						     0 },
	{"a line end of another system",
	 "             cat-5       [001] .....  1.5" FREE "\r\n",				  "cat",	 5,	    1,
	 1500000000,														     FTRACE_HAS_FLAGS,						     0 },
};

START_TEST(the_columns_are_read_in_every_shape)
{
	struct ftrace_event e;
	size_t len = strlen(columns[_i].line);

	ck_assert_msg(ftrace_parse(&reader, columns[_i].line, len, &e) ==
			      FTRACE_FREE,
		      "%s: %s", columns[_i].why, columns[_i].line);
	ck_assert_msg(e.comm_len == strlen(columns[_i].comm) &&
			      !memcmp(e.comm, columns[_i].comm, e.comm_len),
		      "%s: task %.*s", columns[_i].why, (int)e.comm_len,
		      e.comm);
	ck_assert_int_eq(e.pid, columns[_i].pid);
	ck_assert_uint_eq(e.cpu, columns[_i].cpu);
	ck_assert_uint_eq(e.ts_ns, columns[_i].ts_ns);
	ck_assert_uint_eq(e.flags, columns[_i].flags);
	ck_assert_uint_eq(e.preempt, columns[_i].preempt);
	ck_assert_uint_eq(e.pfn, 0x1b4406);
	ck_assert_uint_eq(e.order, 2);
	ck_assert_uint_eq(e.name_len, strlen("mm_page_free"));
	ck_assert_int_eq(memcmp(e.name, "mm_page_free", e.name_len), 0);
}
END_TEST

/* --- events -------------------------------------------------------------- */

#define AT "             cat-5       [001] ..... 1.5: "

static const struct {
	const char *why;
	const char *text;
	struct ftrace_event want; /* kind and what the fields say */
} events[] = {
	{"mm_page_alloc of 6.1",
	 "mm_page_alloc: page=ffffea000022bbc0 pfn=0x8aef order=3 "
	 "migratetype=1 gfp_flags=GFP_HIGHUSER_MOVABLE|__GFP_ZERO",	 {.kind = FTRACE_ALLOC,
	  .pfn = 0x8aef,
	  .order = 3,
	  .migratetype = 1,
	  .gfp = GFP_HIGHUSER_MOVABLE | __GFP_ZERO}			   },
	{"mm_page_alloc of 4.18: decimal pfn",
	 "mm_page_alloc: page=00000000d8a9810b pfn=123 order=0 migratetype=2 "
	 "gfp_flags=GFP_NOFS|__GFP_RECLAIMABLE",			 {.kind = FTRACE_ALLOC,
	  .pfn = 123,
	  .migratetype = 2,
	  .gfp = GFP_NOFS | __GFP_RECLAIMABLE}						},
	{"no migratetype: it follows from the flags",
	 "mm_page_alloc: page=00000000d8a9810b pfn=123 order=0 "
	 "gfp_flags=GFP_HIGHUSER_MOVABLE",			       {.kind = FTRACE_ALLOC,
	  .pfn = 123,
	  .migratetype = 1,
	  .gfp = GFP_HIGHUSER_MOVABLE}							      },
	{"a failed allocation of an old kernel",
	 "mm_page_alloc: page=          (null) pfn=0 order=4 migratetype=0 "
	 "gfp_flags=GFP_ATOMIC",					 {.kind = FTRACE_ALLOC, .order = 4, .gfp = GFP_ATOMIC}		      },
	{"a failed allocation of 6.1",
	 "mm_page_alloc: page=0000000000000000 pfn=0x0 order=4 migratetype=0 "
	 "gfp_flags=GFP_ATOMIC",					 {.kind = FTRACE_ALLOC, .order = 4, .gfp = GFP_ATOMIC}		      },
	{"mm_page_free_batched",
	 "mm_page_free_batched: page=00000000d8a9810b pfn=0x10 order=0", {.kind = FTRACE_FREE_BATCHED, .pfn = 16}				 },
	{"mm_page_alloc_zone_locked of 6.1",
	 "mm_page_alloc_zone_locked: page=00000000d8a9810b pfn=0x10 order=1 "
	 "migratetype=1 percpu_refill=1",				{.kind = FTRACE_ZONE_LOCKED,
	  .pfn = 16,
	  .order = 1,
	  .migratetype = 1,
	  .percpu_refill = true}								     },
	{"without percpu_refill: order 0 went to the CPU's list",
	 "mm_page_alloc_zone_locked: page=00000000d8a9810b pfn=16 order=0 "
	 "migratetype=1",						{.kind = FTRACE_ZONE_LOCKED,
	  .pfn = 16,
	  .migratetype = 1,
	  .percpu_refill = true}										     },
	{"without percpu_refill: higher orders did not",
	 "mm_page_alloc_zone_locked: page=00000000d8a9810b pfn=16 order=2 "
	 "migratetype=1",						{.kind = FTRACE_ZONE_LOCKED, .pfn = 16, .order = 2, .migratetype = 1}},
	{"mm_page_pcpu_drain",
	 "mm_page_pcpu_drain: page=00000000d8a9810b pfn=0x10 order=0 "
	 "migratetype=2",						{.kind = FTRACE_DRAIN, .pfn = 16, .migratetype = 2}		    },
	{"mm_page_alloc_extfrag",
	 "mm_page_alloc_extfrag: page=ffffea000022bbc0 pfn=0x9000 "
	 "alloc_order=1 fallback_order=10 pageblock_order=9 "
	 "alloc_migratetype=2 fallback_migratetype=1 fragmenting=0 "
	 "change_ownership=1",					   {.kind = FTRACE_EXTFRAG,
	  .pfn = 0x9000,
	  .order = 1,
	  .fallback_order = 10,
	  .migratetype = 2,
	  .fallback_type = 1,
	  .change_ownership = true}									     },
	{"kmalloc",
	 "kmalloc: call_site=f+0x1/0x2 ptr=0000 bytes_req=1 "
	 "bytes_alloc=8 gfp_flags=GFP_KERNEL",			   {.kind = FTRACE_KMALLOC}					     },
	{"kmalloc_node",
	 "kmalloc_node: call_site=f ptr=0 bytes_req=1 bytes_alloc=8 "
	 "gfp_flags=GFP_KERNEL node=1",				  {.kind = FTRACE_KMALLOC_NODE}					},
	{"kfree",
	 "kfree: call_site=f+0x1/0x2 ptr=0000000000000000",	      {.kind = FTRACE_KFREE}					       },
	{"kmem_cache_alloc",
	 "kmem_cache_alloc: call_site=f ptr=0 name=filp bytes_req=1 "
	 "bytes_alloc=8 gfp_flags=GFP_KERNEL",			   {.kind = FTRACE_CACHE_ALLOC}					 },
	{"kmem_cache_alloc_node",
	 "kmem_cache_alloc_node: call_site=f ptr=0 bytes_req=1 bytes_alloc=8 "
	 "gfp_flags=GFP_KERNEL",					 {.kind = FTRACE_CACHE_ALLOC_NODE}					  },
	{"kmem_cache_free",
	 "kmem_cache_free: call_site=f ptr=0 name=a b",		  {.kind = FTRACE_CACHE_FREE}					  },
	{"another event of kmem",
	 "rss_stat: mm_id=1 curr=1 size=1B",			     {.kind = FTRACE_OTHER}					       },
	{"an event whose name begins alike",
	 "mm_page_free_x: pfn=1 order=0",				{.kind = FTRACE_OTHER}					       },
	{"a function tracer's line",
	 "schedule <-do_idle",					   {.kind = FTRACE_OTHER}					       },
	{"a mark of the user",
	 "tracing_mark_write: mm_page_free: pfn=1",		      {.kind = FTRACE_OTHER}					       },
	{"fields in another order, and one too many",
	 "mm_page_free: order=1 colour=red pfn=0x20 page=x",	     {.kind = FTRACE_FREE, .pfn = 32, .order = 1}			     },
	{"cut off before its order",
	 "mm_page_free: page=0 pfn=0x20 ord",			    {.kind = FTRACE_UNPARSED}					    },
	{"cut off inside a number that must be there",
	 "mm_page_free: page=0 pfn=0x order=0",			  {.kind = FTRACE_UNPARSED}					    },
	{"a number with a tail",
	 "mm_page_free: page=0 pfn=12z order=0",			 {.kind = FTRACE_UNPARSED}					    },
	{"a pfn of more than 64 bits",
	 "mm_page_free: page=0 pfn=0x12345678123456781 order=0",	 {.kind = FTRACE_UNPARSED}					    },
	{"an order of more than 32 bits",
	 "mm_page_free: page=0 pfn=0x1 order=4294967296",		{.kind = FTRACE_UNPARSED}					    },
	{"a negative order",
	 "mm_page_free: page=0 pfn=0x1 order=-1",			{.kind = FTRACE_UNPARSED}					    },
	{"no gfp_flags",
	 "mm_page_alloc: page=0 pfn=0x1 order=0 migratetype=0",	  {.kind = FTRACE_UNPARSED}					    },
	{"the largest pfn",
	 "mm_page_free: pfn=0xffffffffffffffff order=0",		 {.kind = FTRACE_FREE, .pfn = UINT64_MAX}				 },
};

START_TEST(events_are_read_as_the_kernels_print_them)
{
	const struct ftrace_event *want = &events[_i].want;
	struct ftrace_event e;
	char line[512];
	int len = snprintf(line, sizeof(line), AT "%s", events[_i].text);

	ftrace_parse(&reader, line, (size_t)len, &e);
	ck_assert_msg(e.kind == want->kind, "%s: kind %d", events[_i].why,
		      e.kind);
	if (e.kind >= FTRACE_KMALLOC)
		return;
	ck_assert_msg(e.pfn == want->pfn && e.order == want->order &&
			      e.migratetype == want->migratetype &&
			      e.gfp == want->gfp &&
			      e.percpu_refill == want->percpu_refill &&
			      e.fallback_order == want->fallback_order &&
			      e.fallback_type == want->fallback_type &&
			      e.change_ownership == want->change_ownership,
		      "%s", events[_i].why);
	ck_assert_uint_eq(e.unknown_gfp, 0);
}
END_TEST

/* --- gfp words -------------------------------------------------------------
 */

static const struct {
	const char *why;
	const char *text;
	gfp_t gfp;
	unsigned int unknown;
} gfps[] = {
	{"none",			    "none",			     0,				 0},
	{"a sum",			   "GFP_KERNEL",			GFP_KERNEL,			    0},
	{"sums and bits",			  "GFP_NOFS|__GFP_COMP|__GFP_NOWARN",
	 GFP_NOFS | __GFP_COMP | __GFP_NOWARN,								     0},
	{"__GFP_NOTRACK is gone",		  "GFP_KERNEL|__GFP_NOTRACK",	      GFP_KERNEL,			  0},
	{"__GFP_ATOMIC until 6.2",	   "__GFP_HIGH|__GFP_ATOMIC",
	 __GFP_HIGH | __GFP_ATOMIC,										0},
	{"__GFP_REPEAT until 4.12",	    "GFP_KERNEL|__GFP_REPEAT",
	 GFP_KERNEL | __GFP_RETRY_MAYFAIL,									 0},
	{"KASAN's since 5.18",
	 "GFP_HIGHUSER_MOVABLE|__GFP_ZERO|__GFP_SKIP_ZERO|"
	 "__GFP_SKIP_KASAN_UNPOISON",					   GFP_HIGHUSER_MOVABLE | __GFP_ZERO, 0},
	{"__GFP_NO_OBJ_EXT since 6.10",	"GFP_NOWAIT|__GFP_NO_OBJ_EXT",
	 GFP_NOWAIT,											       0},
	{"without underscores, before 4.6", "GFP_KERNEL|GFP_ZERO|GFP_COMP",
	 GFP_KERNEL | __GFP_ZERO | __GFP_COMP,								     0},
	{"with three",		       "GFP_KERNEL|___GFP_ZERO",		 GFP_KERNEL | __GFP_ZERO,		  0},
	{"a word of the future",		 "GFP_KERNEL|__GFP_TELEPATHY",       GFP_KERNEL,			   1},
	{"bits without a name",		"GFP_KERNEL|0x4000000|__GFP_X",	GFP_KERNEL,			    2},
	{"an empty word",			  "GFP_KERNEL||__GFP_ZERO",	    GFP_KERNEL | __GFP_ZERO,	     1},
};

static void
read_gfp(const char *text, struct ftrace_event *e)
{
	char line[512];
	int len = snprintf(line, sizeof(line),
			   AT "mm_page_alloc: pfn=0x1 order=0 migratetype=0 "
			      "gfp_flags=%s",
			   text);

	ck_assert_int_eq(ftrace_parse(&reader, line, (size_t)len, e),
			 FTRACE_ALLOC);
}

START_TEST(gfp_words_of_all_kernels_are_known_or_counted)
{
	struct ftrace_event e;

	/* Twice: read, and then remembered. */
	for (int i = 0; i < 2; i++) {
		read_gfp(gfps[_i].text, &e);
		ck_assert_msg(e.gfp == gfps[_i].gfp, "%s: %#x", gfps[_i].why,
			      e.gfp);
		ck_assert_msg(e.unknown_gfp == gfps[_i].unknown, "%s: %u",
			      gfps[_i].why, e.unknown_gfp);
	}
}
END_TEST

START_TEST(remembered_gfp_texts_are_never_mixed_up)
{
	static const char *const words[] = {
		"GFP_KERNEL",	"GFP_NOFS",	 "__GFP_ZERO", "__GFP_COMP",
		"__GFP_NOWARN", "__GFP_NORETRY", "__GFP_HIGH", "GFP_NOWAIT"};
	static const gfp_t values[] = {GFP_KERNEL, GFP_NOFS,	 __GFP_ZERO,
				       __GFP_COMP, __GFP_NOWARN, __GFP_NORETRY,
				       __GFP_HIGH, GFP_NOWAIT};

	/* All 255 combinations: more than the cache has places. */
	for (unsigned int round = 0; round < 2; round++)
		for (unsigned int set = 1; set < 256; set++) {
			struct ftrace_event e;
			char text[256] = "";
			gfp_t want = 0;

			for (unsigned int i = 0; i < 8; i++) {
				if (!(set >> i & 1))
					continue;
				if (*text)
					strcat(text, "|");
				strcat(text, words[i]);
				want |= values[i];
			}
			read_gfp(text, &e);
			ck_assert_msg(e.gfp == want, "%s: %#x", text, e.gfp);
		}
}
END_TEST

/* --- other lines ------------------------------------------------------------
 */

static const struct {
	const char *why;
	const char *line;
	enum ftrace_kind kind;
	uint64_t lost;
} others[] = {
	{"empty",			  "",						FTRACE_HEADER,   0  },
	{"blanks",			 "  \t ",					   FTRACE_HEADER,   0  },
	{"only a line end",		    "\r\n",					    FTRACE_HEADER,   0  },
	{"a remark",		       "# tracer: nop",				      FTRACE_HEADER,   0  },
	{"the legend",		       "#           TASK-PID     CPU#  |||||  TIMESTAMP",
	 FTRACE_HEADER,											0	 },
	{"where a CPU's buffer begins",	"##### CPU 1 buffer started ####",
	 FTRACE_HEADER,											0	 },
	{"trace-cmd's banner",	       "cpus=2",					  FTRACE_HEADER,	0	 },
	{"trace-cmd's other banner",	     "version = 7",					    FTRACE_HEADER,   0  },
	{"trace-cmd on a quiet CPU",	     "CPU 3 is empty",				       FTRACE_HEADER,   0  },
	{"lost events",			"CPU:0 [LOST 123 EVENTS]",			   FTRACE_LOST,	123},
	{"lost, nobody knows how many",	"CPU:12 [LOST EVENTS]",				FTRACE_LOST,     1  },
	{"lost, as trace-cmd says",	    "CPU:1 [7 EVENTS DROPPED]",			FTRACE_LOST,     7  },
	{"prose",			  "hello, world",				    FTRACE_UNPARSED, 0  },
	{"the latency format",
	 "  <idle>-0       0d..1.    0us : mm_page_free: pfn=1 order=0",		      FTRACE_UNPARSED, 0  },
	{"no time stamp",
	 "             cat-5       [001] ..... mm_page_free: pfn=1 order=0",		  FTRACE_UNPARSED, 0  },
	{"a time stamp that does not fit",
	 "             cat-5       [001] ..... 99999999999999999999.1: e: ",		  FTRACE_UNPARSED, 0  },
	{"flags that are none",
	 "             cat-5       [001] QQQQQ 1.5: mm_page_free: pfn=1",		     FTRACE_UNPARSED, 0  },
	{"no pid",			 "[001] ..... 1.5: mm_page_free: pfn=1 order=0",
	 FTRACE_UNPARSED,										      0  },
	{"nothing behind the time",
	 "             cat-5       [001] ..... 1.5:",					      FTRACE_UNPARSED, 0	},
	{"no CPU's number",
	 "             cat-5       [x] ..... 1.5: e: ",					FTRACE_UNPARSED, 0  },
};

START_TEST(other_lines_are_told_apart)
{
	struct ftrace_event e;

	ftrace_parse(&reader, others[_i].line, strlen(others[_i].line), &e);
	ck_assert_msg(e.kind == others[_i].kind, "%s: kind %d", others[_i].why,
		      e.kind);
	ck_assert_uint_eq(e.lost, others[_i].lost);
}
END_TEST

#define STAMPED "             cat-1       [000] ..... 7."

START_TEST(six_digits_and_nine_are_the_same_time)
{
	static const uint32_t times[] = {0,	 1,	 9,	 10,	99,
					 100000, 123456, 700001, 999999};

	for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
		struct ftrace_event micro, nano;
		char *six = g_strdup_printf(STAMPED "%06u" FREE, times[i]);
		char *nine = g_strdup_printf(STAMPED "%06u000" FREE, times[i]);

		ck_assert_int_eq(
			ftrace_parse(&reader, six, strlen(six), &micro),
			FTRACE_FREE);
		ck_assert_int_eq(
			ftrace_parse(&reader, nine, strlen(nine), &nano),
			FTRACE_FREE);
		ck_assert_uint_eq(micro.ts_ns, 7000000000 + times[i] * 1000);
		ck_assert_uint_eq(nano.ts_ns, micro.ts_ns);
		g_free(six);
		g_free(nine);
	}
}
END_TEST

START_TEST(a_stamp_has_digits_only)
{
	for (unsigned int byte = 1; byte < 256; byte++) {
		char line[] = STAMPED "123456" FREE;
		struct ftrace_event e;
		bool digit = byte >= '0' && byte <= '9';

		for (size_t at = 0; at < 6 && byte != ':'; at++) {
			memcpy(line, STAMPED "123456", sizeof(STAMPED) + 5);
			line[sizeof(STAMPED) - 1 + at] = (char)byte;
			ck_assert_msg((ftrace_parse(&reader, line, strlen(line),
						    &e) == FTRACE_FREE) ==
					      digit,
				      "%s", line);
		}
	}
}
END_TEST

/* A copy of just the bytes, so that a sanitizer sees any step beyond. */
START_TEST(no_cut_of_a_line_is_read_beyond_its_end)
{
	const char *line = columns[_i].line;
	size_t all = strlen(line);

	for (size_t len = 0; len <= all; len++) {
		struct ftrace_event e;
		char *copy = malloc(len ? len : 1);

		memcpy(copy, line, len);
		ftrace_parse(&reader, copy, len, &e);
		ck_assert_int_lt(e.kind, NR_FTRACE_KINDS);
		if (e.kind < FTRACE_HEADER)
			ck_assert(e.comm >= copy &&
				  e.comm + e.comm_len <= copy + len);
		free(copy);
	}
}
END_TEST

/* By a reader that knows no other line; what is left of one that is none may
 * differ. */
static void
reads_as_alone(const char *line, size_t len)
{
	static struct ftrace fresh;
	struct ftrace_event e, alone;

	ftrace_init(&fresh);
	ftrace_parse(&fresh, line, len, &alone);
	ftrace_parse(&reader, line, len, &e);
	ck_assert_msg(e.kind == alone.kind, "%.*s", (int)len, line);
	if (alone.kind != FTRACE_UNPARSED)
		ck_assert_msg(!memcmp(&e, &alone, sizeof(e)), "%.*s", (int)len,
			      line);
}

START_TEST(a_line_reads_the_same_whatever_line_was_before)
{
	static const char bytes[] = " \t.:[]-0917x";
	const char *before = columns[_i].line;
	size_t len = strlen(before);
	struct ftrace_event e;
	char *line = strdup(before);

	for (size_t other = 0; other < ARRAY_SIZE(columns); other++) {
		ftrace_parse(&reader, before, len, &e);
		reads_as_alone(columns[other].line,
			       strlen(columns[other].line));
	}
	for (size_t at = 0; at < len; at++) {
		for (const char *byte = bytes; *byte; byte++) {
			ftrace_parse(&reader, before, len, &e);
			line[at] = *byte;
			reads_as_alone(line, len);
		}
		line[at] = before[at];
		ftrace_parse(&reader, before, len, &e);
		reads_as_alone(line, at);
	}
	free(line);
}
END_TEST

static enum ftrace_kind
parse_pointer(const char *digits, const char *behind, uint64_t *ptr)
{
	struct ftrace_event e;
	char line[128];

	snprintf(line, sizeof(line),
		 "             cat-1       [000] .....     0.000001: kfree: "
		 "call_site=f+0x1 ptr=%s%s",
		 digits, behind);
	ftrace_parse(&reader, line, strlen(line), &e);
	*ptr = e.ptr;
	return e.kind;
}

/* Every byte in every place, against the C library. */
START_TEST(a_pointer_has_hex_digits_only)
{
	static const char digits[] = "0123456789abcdef";
	const char *const behind[] = {"", " name=filp", "\tname=filp"};

	for (unsigned int place = 0; place < 16; place++)
		for (int byte = '!'; byte < 256; byte++) {
			char text[] = "89abcdef01234567";
			bool good = strchr(digits, byte) != NULL;

			if (byte == '(' && !place)
				continue; /* as in "(null)" */
			text[place] = (char)byte;
			for (size_t i = 0; i < ARRAY_SIZE(behind); i++) {
				enum ftrace_kind kind;
				uint64_t ptr;

				kind = parse_pointer(text, behind[i], &ptr);
				ck_assert_msg((kind == FTRACE_KFREE) == good,
					      "%s", text);
				if (good)
					ck_assert_uint_eq(
						ptr, strtoull(text, NULL, 16));
			}
		}
}
END_TEST

START_TEST(words_end_at_blanks_and_tabs_only)
{
	struct ftrace_event e;

	for (int byte = 1; byte < 256; byte++) {
		bool blank = byte == ' ' || byte == '\t';

		for (unsigned int place = 0; place < 20; place++) {
			char line[160], name[] = "abcdefghijklmnopqrst";

			if (byte == '\n' || byte == '\r')
				continue;
			name[place] = (char)byte;
			snprintf(line, sizeof(line),
				 "             cat-1       [000] .....     "
				 "0.000001: kfree: call_site=f%s ptr=0",
				 name);
			ftrace_parse(&reader, line, strlen(line), &e);
			ck_assert_int_eq(e.kind, FTRACE_KFREE);
			ck_assert_uint_eq(e.site_len, blank ? place + 1 : 21);
		}
	}
}
END_TEST

START_TEST(every_line_of_the_samples_is_an_event_or_a_header)
{
	FILE *file = fopen("tests/data/samples/trace.text.txt", "r");
	unsigned int events_seen = 0;
	char line[1024];

	ck_assert_ptr_nonnull(file);
	while (fgets(line, sizeof(line), file)) {
		struct ftrace_event e;

		ftrace_parse(&reader, line, strlen(line), &e);
		ck_assert_msg(e.kind < NR_FTRACE_EVENTS ||
				      e.kind == FTRACE_HEADER,
			      "%s", line);
		events_seen += e.kind < NR_FTRACE_EVENTS;
	}
	fclose(file);
	ck_assert_uint_eq(events_seen, 54);
}
END_TEST

Suite *
suite_ftrace(void)
{
	Suite *suite = suite_create("ftrace");
	TCase *tc = tcase_create("lines");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_loop_test(tc, the_columns_are_read_in_every_shape, 0,
			    ARRAY_SIZE(columns));
	tcase_add_loop_test(tc, events_are_read_as_the_kernels_print_them, 0,
			    ARRAY_SIZE(events));
	tcase_add_loop_test(tc, gfp_words_of_all_kernels_are_known_or_counted,
			    0, ARRAY_SIZE(gfps));
	tcase_add_test(tc, remembered_gfp_texts_are_never_mixed_up);
	tcase_add_test(tc, six_digits_and_nine_are_the_same_time);
	tcase_add_test(tc, a_stamp_has_digits_only);
	tcase_add_loop_test(tc, other_lines_are_told_apart, 0,
			    ARRAY_SIZE(others));
	tcase_add_loop_test(tc, no_cut_of_a_line_is_read_beyond_its_end, 0,
			    ARRAY_SIZE(columns));
	tcase_add_loop_test(tc, a_line_reads_the_same_whatever_line_was_before,
			    0, ARRAY_SIZE(columns));
	tcase_add_test(tc, a_pointer_has_hex_digits_only);
	tcase_add_test(tc, words_end_at_blanks_and_tabs_only);
	tcase_add_test(tc, every_line_of_the_samples_is_an_event_or_a_header);
	suite_add_tcase(suite, tc);
	return suite;
}
