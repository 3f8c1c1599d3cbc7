// SPDX-License-Identifier: MIT
/*
 * phys.h - physical memory: nodes, zones, frames, and who keeps what
 *
 * One struct phys is the physical memory of one machine.  It is described by
 * struct phys_config, built by phys_boot() in the order in which Linux boots
 * (firmware map, memblock, zones, zonelists, hand-over, watermarks), and from
 * then on changed only by the functions of pages.h, sysctl.h and hotplug.h.
 *
 * All counters are exact at every moment: the kernel's per-cpu deltas are not
 * modelled.
 */
#ifndef KMEMFS_PHYS_PHYS_H
#define KMEMFS_PHYS_PHYS_H

#include "kmemfs/base/trace.h"
#include "kmemfs/base/types.h"
#include "kmemfs/phys/fault.h"
#include "kmemfs/phys/frame.h"
#include "kmemfs/phys/gfp.h"

#include <glib.h>

#define MAX_ORDER 11 /* exclusive: orders 0..10 */
#define PAGE_ALLOC_COSTLY_ORDER 3
#define MAX_NODES 1024
#define MAX_CPUS 4096
#define NODE_LOCAL (-1)

enum zone_type {
#define ZONE(id, name, vmstat) ZONE_##id,
#include "kmemfs/phys/zone.def"
#undef ZONE
	MAX_NR_ZONES
};

enum wmark { WMARK_MIN, WMARK_LOW, WMARK_HIGH, WMARK_PROMO, NR_WMARK };

enum zone_stat {
#define ZONE_STAT(name) ZS_##name,
#define NUMA_STAT(name)
#define NODE_STAT(name)
#define VM_EVENT(name, where)
#include "kmemfs/phys/vmstat.def"
	NR_ZONE_STATS,
#undef ZONE_STAT
#undef NUMA_STAT
#define ZONE_STAT(name)
#define NUMA_STAT(name) NUMA_##name,
#include "kmemfs/phys/vmstat.def"
	NR_NUMA_END,
	NUMA_BASE = NR_ZONE_STATS + 1,
	NR_NUMA_STATS = NR_NUMA_END - NUMA_BASE,
#undef NUMA_STAT
#undef NODE_STAT
#undef VM_EVENT
};

enum node_stat {
#define ZONE_STAT(name)
#define NUMA_STAT(name)
#define NODE_STAT(name) NS_##name,
#define VM_EVENT(name, where)
#include "kmemfs/phys/vmstat.def"
	NR_NODE_STATS,
#undef NODE_STAT
#undef VM_EVENT
};

enum vm_event {
#define NODE_STAT(name)
#define VM_EVENT(name, where) VE_##name,
#include "kmemfs/phys/vmstat.def"
	NR_VM_EVENTS
#undef ZONE_STAT
#undef NUMA_STAT
#undef NODE_STAT
#undef VM_EVENT
};

enum arch_id { ARCH_X86_64, ARCH_I386, ARCH_I386_PAE, ARCH_GENERIC, NR_ARCHS };

/* What differs between the kernels that are modelled. */
struct arch {
	const char *name;	       /* "x86-64" */
	uint32_t zone_mask;	       /* bit per enum zone_type it has */
	unsigned int pageblock_order;  /* as built: 9, 10 (no PAE) */
	bool thp;		       /* two more pcp lists, order 9 */
	bool numa;		       /* numa_* counters, this-node lists */
	unsigned int struct_page_size; /* bytes of memmap a page: 64, 40 */
	va_t page_offset;	       /* start of the direct map */
	va_t vmemmap;		       /* struct page of pfn 0 */
	pfn_t pfn_limit;	       /* first pfn the kernel cannot use */
};

extern const struct arch archs[NR_ARCHS];

/* A range of physical addresses; @end is exclusive. */
struct range {
	pa_t start;
	pa_t end;
};

enum firmware_type {
	E820_USABLE,
	E820_RESERVED,
	E820_ACPI,
	E820_NVS,
	E820_UNUSABLE,
	E820_PMEM,
	NR_E820_TYPES
};

struct firmware_range {
	struct range range;
	enum firmware_type type;
};

/* Frames that are free, or pageblocks, of one type; @end is exclusive. */
struct typed_frames {
	pfn_t start;
	pfn_t end;
	enum migratetype type;
	unsigned int cpu; /* on whose list; of pcp_frames only */
};

struct node_config {
	GArray *memory;	   /* of struct range */
	GArray *distances; /* of uint32_t, one for each node */
};

/* Memory that is asked for while the kernel boots. */
enum boot_call {
	BOOT_ALLOC_BOOTMEM,	      /* a cache line's, above 16 MiB */
	BOOT_ALLOC_BOOTMEM_LOW,	      /* ... anywhere */
	BOOT_ALLOC_BOOTMEM_PAGES,     /* whole pages above 16 MiB */
	BOOT_ALLOC_BOOTMEM_LOW_PAGES, /* ... anywhere */
	BOOT_MEMBLOCK_ALLOC,	      /* a cache line's, from the top down */
	NR_BOOT_CALLS
};

extern const char *const boot_call_names[NR_BOOT_CALLS];

struct boot_request {
	char *name;
	enum boot_call call;
	uint64_t size;
};

/* What one was given. */
struct boot_grant {
	struct range range;
	bool freed; /* given back since */
};

/*
 * Everything the boot needs, already read from the machine file and the
 * command line's text; numbers in bytes unless said otherwise.
 */
struct phys_config {
	enum arch_id arch;
	unsigned int page_shift; /* 12 on x86 */
	unsigned int nr_cpus;
	unsigned int nr_nodes;
	struct node_config *nodes;    /* [nr_nodes] */
	int32_t *cpu_node;	      /* [nr_cpus] */
	GArray *firmware;	      /* of struct firmware_range, as given */
	GArray *reserved;	      /* of struct range, at hand-over */
	GArray *freed_late;	      /* of struct range: freed after boot */
	GArray *bootmem;	      /* of struct boot_request, asked for when
					 all of the above is reserved, in this
					 order; NULL: none */
	GArray *late_holes;	      /* of uint64_t pages given back late to
					 the zone holding them; unused */
	const char *cmdline;	      /* the kernel's arguments */
	bool thp_never;		      /* transparent_hugepage=never */
	bool cma_kernel;	      /* kernel built with CONFIG_CMA */
	unsigned int pageblock_order; /* 0: the architecture's */
	struct range cma;	      /* where the cma= area lies; empty: the
					 kernel's own rule finds a place */
	GArray *freed_early;	      /* of struct range: given back before
					 the watermarks are computed (SMP
					 alternatives) */
	GArray *hotplugged;	      /* of struct range: memory devices that
					 are there at boot, put online as
					 memhp_default_state= says */
	bool deferred_init;	      /* struct pages of large nodes are
					 initialised late (x86-64) */
	bool nommu;		      /* no per-cpu lists to speak of */
	GArray *free_frames; /* of struct typed_frames: all that is free
				when the machine starts, in the order
				of the lists; NULL: all managed frames */
	GArray *pageblocks;  /* ditto: pageblocks of other types than
				Movable; NULL: as boot code leaves
				them */
	GArray *pcp_frames;  /* ditto: single pages on per-cpu lists, of
				their pageblocks' types, each list from
				its head; none is in free_frames.
				NULL: none */
};

/* The sysctls of physical memory, /proc/sys/vm; set by sysctl.h only. */
struct vm_sysctl {
	uint64_t min_free_kbytes;
	int64_t user_min_free_kbytes; /* -1: never written */
	uint64_t watermark_scale_factor;
	uint64_t watermark_boost_factor;
	uint64_t lowmem_reserve_ratio[MAX_NR_ZONES];
	uint64_t percpu_pagelist_high_fraction;
	uint64_t extfrag_threshold;
	uint64_t zone_reclaim_mode;
	bool zonelist_by_zone; /* numa_zonelist_order=zone */
};

/* Doubly linked list of blocks through struct frame; 0 ends it. */
struct block_list {
	uint32_t head;
	uint32_t tail;
};

struct free_area {
	struct block_list list[MIGRATE_TYPES];
	uint64_t nr_free[MIGRATE_TYPES]; /* blocks in each list */
	uint64_t nr_free_all;		 /* their sum */
};

#define PCP_ORDERS 4 /* 0..PAGE_ALLOC_COSTLY_ORDER */
#define NR_PCP_LISTS (PCP_ORDERS * MIGRATE_PCPTYPES + 2)

/* One CPU's cache of blocks of one zone (struct per_cpu_pages). */
struct per_cpu_pages {
	uint32_t count;	      /* base pages on all lists */
	uint32_t high;	      /* free when count reaches this */
	uint32_t batch;	      /* blocks moved at a time */
	uint32_t free_factor; /* doublings of batch while freeing */
	struct block_list list[NR_PCP_LISTS];
	uint32_t length[NR_PCP_LISTS]; /* blocks on each list */
};

#define PAGEBLOCK_MARKS 4096

struct node;
struct phys;
struct phys_cmdline;
struct free_runs; /* untouched runs of this zone, see buddy.c */

struct zone {
	struct phys *phys;
	struct node *node;
	enum zone_type type;
	uint16_t id; /* index in phys->zones */

	pfn_t start_pfn; /* 0 when empty */
	uint64_t spanned_pages;
	uint64_t present_pages;
	uint64_t managed_pages;
	uint64_t cma_pages;

	uint64_t watermark[NR_WMARK]; /* pages, without the boost */
	uint64_t watermark_boost;
	uint64_t lowmem_reserve[MAX_NR_ZONES];
	uint64_t nr_reserved_highatomic;
	bool boosted;	     /* ZONE_BOOSTED_WATERMARK */
	bool reclaim_active; /* ZONE_RECLAIM_ACTIVE: pcp lists stay short;
				set by whoever plays kswapd */
	uint64_t nr_isolate_pageblock; /* of type Isolate; kept by hotplug */

	struct free_area free_area[MAX_ORDER];
	/* For each type, a bit for each order whose list is not empty. */
	uint16_t free_orders[MIGRATE_TYPES];
	struct free_runs *runs;
	pfn_t link_base; /* pfn of link 1; set by buddy_hand_over() */

	uint32_t pcp_high; /* zone_highsize() at last update */
	uint32_t pcp_batch;
	struct per_cpu_pages *pcp; /* [nr_cpus] */
	uint32_t stat_threshold;   /* pages, "vm stats threshold" */

	int64_t stat[NR_ZONE_STATS];
	uint64_t numa[NR_NUMA_STATS];
};

struct zoneref {
	struct zone *zone;
};

/* Zones in the order in which they are tried; populated ones only. */
struct zonelist {
	struct zone **zones;
	unsigned int nr;
};

struct node {
	struct phys *phys;
	unsigned int id;
	struct zone zones[MAX_NR_ZONES];
	pfn_t start_pfn;
	uint64_t spanned_pages;
	uint64_t present_pages;
	uint32_t *distance;	  /* [nr_nodes] */
	unsigned int *fallback;	  /* [nr_nodes]: node order of the zonelist */
	unsigned int nr_fallback; /* entries of it in use */
	struct zonelist
		zonelist[2]; /* ZONELIST_FALLBACK, ZONELIST_NOFALLBACK */
	int64_t stat[NR_NODE_STATS];
	unsigned int nr_cpus; /* online CPUs on it */
};

enum { ZONELIST_FALLBACK, ZONELIST_NOFALLBACK };

struct memblock {
	GArray *memory;	     /* of struct range, sorted, merged within a node */
	GArray *memory_node; /* of int: the node of each memory range */
	GArray *reserved;    /* of struct range, sorted, merged */
};

/* Frames without a hole between them, all of one zone. */
struct pfn_span {
	pfn_t start;
	pfn_t end;     /* exclusive */
	uint16_t zone; /* struct zone's id */
};

struct phys {
	const struct arch *arch;
	const struct phys_config *config;
	unsigned int page_shift;
	unsigned int pageblock_order;
	unsigned int nr_nodes;
	unsigned int nr_cpus;
	int32_t *cpu_node;
	bool *cpu_online;    /* [nr_cpus] */
	struct node **nodes; /* [nr_nodes] */
	struct zone **zones; /* all, by id: node * MAX_NR_ZONES + type */
	unsigned int nr_zones;

	pfn_t max_pfn;	      /* end of RAM, exclusive */
	pfn_t max_low_pfn;    /* end of the direct map's RAM */
	struct frame *frames; /* [max_pfn], sparse */
	uint8_t *heads;	      /* [max_pfn], sparse: frame_head() of each */
	uint8_t *pageblocks;  /* type of each pageblock ^ MOVABLE, sparse;
				 read with pageblock_type() */
	/* One bit for an equal share of all pageblocks: some are set. */
	uint64_t pageblock_marks[PAGEBLOCK_MARKS / 64];
	struct range cma; /* the cma= area; empty when start == end */

	struct memblock memblock; /* as it stood at hand-over */
	GArray *bootmem;	  /* of struct boot_grant, as config->bootmem */
	uint64_t handover_pages;  /* pages given to the buddy then */
	uint64_t late_pages;	  /* pages given back after boot */
	enum zone_type movable_zone;
	pfn_t *movable_start; /* [nr_nodes], 0 = none */
	bool mobility_off;    /* page_group_by_mobility_disabled */
	uint64_t total_reserve_pages;
	uint64_t vm_total_pages; /* "Total pages" of the zonelists line */

	struct vm_sysctl sysctl;
	struct fault_attr fail_page_alloc; /* requests made to fail */
	uint64_t event[NR_VM_EVENTS];

	struct trace *trace; /* where events go, never NULL */
	void (*printk)(void *user, const char *line); /* modelled log, may be
							 NULL */
	void *printk_user;
	const uint64_t *now_ns; /* modelled time, never NULL */

	struct phys_cmdline *cmdline; /* the arguments, read */
	GArray *firmware;	      /* of struct firmware_range: the e820 map
					 after mem= and memmap=, sorted, no
					 overlaps */
	pfn_t zone_lowest[MAX_NR_ZONES];  /* arch_zone_lowest_possible_pfn */
	pfn_t zone_highest[MAX_NR_ZONES]; /* ditto, highest; exclusive */
	GArray *spans;	      /* of struct pfn_span: RAM online, sorted */
	GArray *managed;      /* ditto: what the page allocator was given
				 and still has */
	uint16_t *span_index; /* zone.c's shortcut into spans */
	unsigned int span_shift;
	uint64_t span_index_len; /* entries */
	uint64_t frames_len;	 /* frames[] has so many */
	uint64_t pageblocks_len;
	bool khugepaged;	   /* THP is always or madvise, and running */
	bool numa;		   /* arch->numa */
	uint64_t boot_total_pages; /* vm_total_pages of the first zonelists */
};

/* A zone that has pages the buddy manages; ditto, that is present. */
static inline bool
zone_managed(const struct zone *zone)
{
	return zone->managed_pages != 0;
}

static inline bool
zone_populated(const struct zone *zone)
{
	return zone->present_pages != 0;
}

/* zone->watermark[w] with the boost, as every comparison uses it. */
static inline uint64_t
wmark_pages(const struct zone *zone, enum wmark w)
{
	return zone->watermark[w] + zone->watermark_boost;
}

static inline bool
arch_has_zone(const struct arch *arch, enum zone_type type)
{
	return (arch->zone_mask >> type) & 1;
}

/* Whether the kernel was built with @type: the kernels with CMA come without
 * device memory. */
static inline bool
phys_config_has_zone(const struct phys_config *config, enum zone_type type)
{
	return arch_has_zone(&archs[config->arch], type) &&
	       !(type == ZONE_DEVICE && config->cma_kernel);
}

static inline unsigned int
phys_config_pageblock_order(const struct phys_config *config)
{
	return config->pageblock_order ? config->pageblock_order
				       : archs[config->arch].pageblock_order;
}

static inline uint64_t
page_size(const struct phys *phys)
{
	return 1ULL << phys->page_shift;
}

static inline pfn_t
zone_end_pfn(const struct zone *zone)
{
	return zone->start_pfn + zone->spanned_pages;
}

static inline bool
zone_spans(const struct zone *zone, pfn_t pfn)
{
	return pfn >= zone->start_pfn && pfn < zone_end_pfn(zone);
}

/* The zone's own name, "DMA32". */
const char *zone_type_name(enum zone_type type);

/* --- boot.c ------------------------------------------------------------ */

/*
 * Build physical memory from @config, as far as and including the hand-over
 * of free memory to the page allocator, watermarks and late frees.  @config
 * must live as long as the result.  @trace and @now_ns are borrowed.
 * Returns NULL and fills in @why (at most @why_size bytes) when the
 * configuration cannot make a machine (no RAM, a zone over 16 TiB, ...).
 * Source: setup_arch, free_area_init, mm_init, free_reserved_area.
 */
struct phys *phys_boot(const struct phys_config *config, struct trace *trace,
		       const uint64_t *now_ns,
		       void (*printk)(void *, const char *), void *printk_user,
		       char *why, size_t why_size);
void phys_free(struct phys *phys);
/*
 * Fill in @config's reserved ranges and, where its arguments ask for one, the
 * cma area, as the boot of an ordinary machine of this description takes
 * them.  False with the reason in @why when there is no room for them.
 */
bool phys_default_reserved(struct phys_config *config, char *why,
			   size_t why_size);

/* --- inuse.c ------------------------------------------------------------- */

/* All of @ranges and @others, either of which may be NULL, of struct
 * typed_frames, ascending; to be freed with g_array_free(). */
GArray *typed_frames_sorted(const GArray *ranges, const GArray *others);

/* --- bootmem.c ----------------------------------------------------------- */

/* The boot call named so, NR_BOOT_CALLS: none. */
enum boot_call boot_call_find(const char *name);
/* Give what request @n got back to the page allocator, in whole pages
 * (free_bootmem_late); returns how many. */
uint64_t phys_free_bootmem(struct phys *phys, uint32_t n);

/* --- zone.c: where a pfn belongs --------------------------------------- */

/* Index of the first of @spans, of struct pfn_span and sorted, that ends above
 * @pfn. */
guint phys_span_above(const GArray *spans, pfn_t pfn);
/* The zone that spans @pfn and whose node has it; NULL when none. */
struct zone *phys_zone_of(const struct phys *phys, pfn_t pfn);
/* Whether @pfn is RAM (memblock.memory) that is online. */
bool phys_present(const struct phys *phys, pfn_t pfn);
/* Whether all bytes @at..+@len, below @ram_end, are RAM: the kernel's, online
 * or not, or kept from it by mem=. */
bool phys_is_ram(const struct phys *phys, pa_t at, uint64_t len, pa_t ram_end);
/* Whether @pfn was reserved at hand-over and never given back. */
bool phys_reserved(const struct phys *phys, pfn_t pfn);
/* Recompute spans' index after a change of zones or spans (hotplug). */
void phys_index_spans(struct phys *phys);
/* Whether the zone's memory is not in the direct map: HighMem, and Movable
 * made of it (is_highmem). */
bool zone_is_highmem(const struct zone *zone);
/* The architecture called @name, or NR_ARCHS. */
enum arch_id arch_find(const char *name);

/* --- watermark.c -------------------------------------------------------- */

/* Recompute all watermarks, pcp sizes, totalreserve: setup_per_zone_wmarks. */
void phys_setup_wmarks(struct phys *phys);
/* Recompute lowmem_reserve and totalreserve. */
void phys_setup_lowmem_reserve(struct phys *phys);
/* MemAvailable in pages: si_mem_available(). */
uint64_t phys_available(const struct phys *phys);

/*
 * Recompute min_free_kbytes, watermarks, vmstat thresholds and lowmem_reserve
 * as after boot or hotplug: init_per_zone_wmark_min.
 */
void phys_init_wmark_min(struct phys *phys);
/* khugepaged starts or stops: min_free_kbytes and the watermarks are computed
 * anew, as start_stop_khugepaged() does. */
void phys_set_khugepaged(struct phys *phys, bool runs);
/* Recompute every zone's pcp high and batch; @cpu_online as the kernel's
 * argument of that name: 1 while a CPU comes online. */
void phys_setup_pcp(struct phys *phys, unsigned int cpu_online);
/* Recompute every zone's stat_threshold. */
void phys_setup_thresholds(struct phys *phys);
/*
 * Take @cpu offline (its per-cpu pages go back to the buddy) or online, and
 * recompute what the kernel does then: pcp high, vmstat thresholds.  Nothing
 * happens when it is in that state already or is the last one online.
 */
void phys_set_cpu_online(struct phys *phys, unsigned int cpu, bool online);

/* --- zonelist.c --------------------------------------------------------- */

/* (Re)build every node's lists; @see_cpus: the CPU penalty plays a part. */
void phys_build_zonelists(struct phys *phys, bool see_cpus);

/* --- buddy.c ------------------------------------------------------------ */

enum migratetype pageblock_type(const struct phys *phys, pfn_t pfn);
void pageblock_set_type(struct phys *phys, pfn_t pfn, enum migratetype type);
/* The first pfn in @from..@end (@from or a pageblock's first) whose pageblock
 * was not always Movable, or PFN_NONE: whoever counts types need not visit the
 * others. */
pfn_t pageblock_next_set(const struct phys *phys, pfn_t from, pfn_t end);
/*
 * Give a new managed range to the buddy, as __free_pages_memory cuts it:
 * every block to the tail of its list (that of its pageblock's type, which the
 * caller sets before), ascending; managed and free pages grow, pgfree counts.
 * Costs nothing for each block of order 10.  The zone must span the range;
 * after the zone's start moved down, links are made anew.
 */
void buddy_hand_over(struct zone *zone, pfn_t start, pfn_t end);
/* All of a range will be given, in pieces and in any order: note it as a whole
 * before, so that each piece costs the same however many there are. */
void buddy_expect(struct zone *zone, pfn_t start, pfn_t end);
/*
 * The opposite, for memory that goes offline: frames @start..@end, all of them
 * free in @zone, leave their lists; what they were part of is split; managed
 * and free pages shrink.  False, and nothing done, when one is not free.
 */
bool buddy_take_range(struct zone *zone, pfn_t start, pfn_t end);
/* Free what the buddy keeps on the host for @zone. */
void buddy_zone_fini(struct zone *zone);

/*
 * The live block that covers @pfn, whatever its state: stores its first pfn
 * and order.  Blocks of untouched free runs count.  Returns FRAME_NONE when no
 * block covers it (reserved, absent, offline).
 */
enum frame_state frame_block(const struct phys *phys, pfn_t pfn, pfn_t *head,
			     unsigned int *order, enum migratetype *type);

/* Walk a free list from the head.  *@cursor starts as 0.  Returns the next
 * block's first pfn or PFN_NONE. Blocks of untouched runs are given one by
 * one. Constant host memory. */
struct list_cursor {
	uint32_t at;	 /* link of the element in hand, 0 = start */
	uint64_t in_run; /* block of the run given next */
	bool done;
};
pfn_t buddy_list_next(const struct zone *zone, unsigned int order,
		      enum migratetype type, struct list_cursor *cursor);
/* Ditto for list @index of @cpu's pcp; head first. */
pfn_t pcp_list_next(const struct zone *zone, unsigned int cpu,
		    unsigned int index, struct list_cursor *cursor);

/* --- extfrag.c ---------------------------------------------------------- */

/* Index in thousandths, -1000 when an allocation would succeed. */
int zone_fragmentation_index(const struct zone *zone, unsigned int order);
/* In thousandths. */
unsigned int zone_unusable_index(const struct zone *zone, unsigned int order);
/* The same and the compaction score (percent, extfrag_for_order), from counts
 * of free blocks of each order alone. */
int fragmentation_index(const uint64_t nr_free[MAX_ORDER], unsigned int order);
unsigned int unusable_index(const uint64_t nr_free[MAX_ORDER],
			    unsigned int order);
unsigned int extfrag_for_order(const uint64_t nr_free[MAX_ORDER],
			       unsigned int order);

#endif
