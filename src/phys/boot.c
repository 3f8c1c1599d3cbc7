// SPDX-License-Identifier: MIT
/*
 * boot.c - from a machine's description to running physical memory
 *
 * What it models: the order of start_kernel: setup_arch (firmware map,
 *                 memblock, nodes), free_area_init (zones),
 * build_all_zonelists, mem_init (hand-over), SMP alternatives, CMA, the
 * watermarks at postcore_initcall and again with khugepaged, memory devices,
 * and last the initrd and init sections, after which nothing is computed anew.
 * How it works:   nothing is done for each page.  Arrays that are indexed by
 *                 frame are address space of zeros, and zero has a meaning.
 * Always true:    a description that makes no machine is refused with a reason
 *                 before anything of it is seen outside.
 */
#include "boot_impl.h"

#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>

bool
boot_fail(struct boot *boot, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(boot->why, boot->why_size, format, ap);
	va_end(ap);
	return false;
}

void
phys_printk(struct phys *phys, const char *format, ...)
{
	va_list ap;
	char *line;

	if (!phys->printk)
		return;
	va_start(ap, format);
	line = g_strdup_vprintf(format, ap);
	va_end(ap);
	phys->printk(phys->printk_user, line);
	g_free(line);
}

static const struct vm_sysctl sysctl_defaults = {
	.user_min_free_kbytes = -1,
	.watermark_scale_factor = 10,
	.watermark_boost_factor = 15000,
	.lowmem_reserve_ratio =
		{
				       [ZONE_DMA] = 256,
				       [ZONE_DMA32] = 256,
				       [ZONE_NORMAL] = 32,
				       },
	.extfrag_threshold = 500,
};

bool
boot_arguments(struct boot *boot)
{
	struct phys *phys = boot->phys;
	const char *text = phys->config->cmdline;
	struct refusal r;

	phys->cmdline = g_new0(struct phys_cmdline, 1);
	if (phys_cmdline_read(phys->cmdline, text ? text : "", &r))
		return boot_fail(boot, "%s", r.sentence);
	phys->sysctl = sysctl_defaults;
	phys->sysctl.zonelist_by_zone =
		phys->cmdline->zonelist_by_zone && phys->numa;
	return true;
}

static bool
boot_is_pc(const struct phys *phys)
{
	return phys->arch != &archs[ARCH_GENERIC];
}

static void
boot_reserve(struct boot *boot, const GArray *ranges)
{
	for (guint i = 0; ranges && i < ranges->len; i++) {
		const struct range *r = &g_array_index(ranges, struct range, i);

		memblock_reserve(&boot->mem, r->start, r->end);
	}
}

bool
boot_memory(struct boot *boot)
{
	struct phys *phys = boot->phys;
	const struct phys_config *config = phys->config;

	phys->firmware = firmware_map(config->firmware, phys->cmdline,
				      boot_is_pc(phys), page_size(phys));
	boot_log_firmware(phys);
	firmware_to_memblock(phys->firmware,
			     phys->arch->pfn_limit << phys->page_shift,
			     &boot->mem);
	phys->max_pfn = memblock_end(&boot->mem) >> phys->page_shift;
	if (!phys->max_pfn)
		return boot_fail(boot, "the firmware map has no usable memory");
	boot_find_low_pfn(phys);
	if (!phys->max_low_pfn)
		return boot_fail(boot, "vmalloc= leaves no room for memory");
	if (!boot_nodes(boot))
		return false;
	boot_reserve(boot, config->reserved);
	boot_reserve(boot, config->freed_early);
	boot_reserve(boot, config->freed_late);
	return boot_reserve_cma(boot) && boot_requests(boot);
}

/* RAM below 16 MiB that is not free: memblock_find_dma_reserve (x86-64). */
static uint64_t
boot_dma_reserve(const struct boot *boot)
{
	unsigned int shift = boot->phys->page_shift;
	uint64_t end = MIB(16), pages = 0;
	struct range free;
	pa_t from = 0;
	int nid;

	if (boot->phys->arch != &archs[ARCH_X86_64])
		return 0;
	for (unsigned int i = 0; i < rangeset_size(&boot->mem.memory); i++) {
		const struct rangeset_item *m =
			rangeset_at(&boot->mem.memory, i);

		pages += (MIN_OF(m->end, end) - MIN_OF(m->start, end)) >> shift;
	}
	while (memblock_next_free(&boot->mem, from, &free, &nid) &&
	       free.start < end) {
		pa_t first = round_up_to(free.start, 1ULL << shift);
		pa_t last = round_down_to(MIN_OF(free.end, end), 1ULL << shift);

		if (first < last)
			pages -= (last - first) >> shift;
		from = free.end;
	}
	return pages;
}

static bool
boot_free_area(struct boot *boot)
{
	struct phys *phys = boot->phys;

	phys->zone_lowest[0] =
		rangeset_at(&boot->mem.memory, 0)->start >> phys->page_shift;
	boot_zone_limits(phys);
	boot_find_movable(boot);
	if (!boot_zones(boot))
		return false;
	boot_log_zones(phys, &boot->mem);
	/* From here on all frames that may ever be there count. */
	phys->max_pfn = phys->frames_len;
	phys->vm_total_pages = boot_total_pages(phys, boot_dma_reserve(boot));
	phys->boot_total_pages = phys->vm_total_pages;
	phys_build_all_zonelists(phys, false);
	return true;
}

static bool
boot_has_lowmem(const struct phys *phys)
{
	for (unsigned int id = 0; id < phys->nr_zones; id++) {
		if (!zone_is_highmem(phys->zones[id]) &&
		    phys->zones[id]->managed_pages)
			return true;
	}
	return false;
}

/* The node whose memory ranges of the description hold @at; 0 when none. */
static int
config_node_of(const struct phys *phys, pa_t at)
{
	for (unsigned int n = 0; n < phys->nr_nodes && phys->nr_nodes > 1;
	     n++) {
		const GArray *ranges = phys->config->nodes[n].memory;

		for (guint i = 0; ranges && i < ranges->len; i++) {
			const struct range *r =
				&g_array_index(ranges, struct range, i);

			if (at >= r->start && at < r->end)
				return (int)n;
		}
	}
	return 0;
}

/* Memory devices are memory, of the node that claims their place, but not
 * online yet. */
static void
boot_add_hotplugged(struct boot *boot)
{
	const struct phys *phys = boot->phys;
	const struct phys_config *config = phys->config;

	for (guint i = 0; config->hotplugged && i < config->hotplugged->len;
	     i++) {
		const struct range *r =
			&g_array_index(config->hotplugged, struct range, i);

		memblock_add(&boot->mem, r->start, r->end,
			     config_node_of(phys, r->start));
	}
}

static bool
boot_allocator(struct boot *boot)
{
	struct phys *phys = boot->phys;
	const struct phys_config *config = phys->config;

	boot_add_hotplugged(boot);
	memblock_export(&boot->mem, &phys->memblock);
	boot_log_memory(phys);
	boot_hand_over(boot);
	if (!boot_has_lowmem(phys))
		return boot_fail(boot,
				 "all directly mapped memory is reserved: "
				 "there is nothing to run on");
	phys->late_pages += boot_free_ranges(phys, config->freed_early);
	boot_activate_cma(phys);
	phys_init_wmark_min(phys);
	boot_khugepaged(phys);
	boot_hotplug(phys);
	phys->late_pages += boot_free_ranges(phys, config->freed_late);
	return boot_in_use(boot);
}

struct phys *
boot_new(const struct phys_config *config)
{
	struct phys *phys = g_new0(struct phys, 1);

	phys->arch = &archs[config->arch];
	phys->pageblock_order = phys_config_pageblock_order(config);
	phys->numa = phys->arch->numa;
	phys->config = config;
	phys->page_shift = config->page_shift;
	return phys;
}

struct phys *
phys_boot(const struct phys_config *config, struct trace *trace,
	  const uint64_t *now_ns, void (*printk)(void *, const char *),
	  void *printk_user, char *why, size_t why_size)
{
	struct phys *phys = boot_new(config);
	struct boot boot = {.phys = phys, .why = why, .why_size = why_size};
	bool done;

	phys->trace = trace;
	phys->now_ns = now_ns;
	fault_init(&phys->fail_page_alloc, "fail_page_alloc", 1, 1);
	phys->printk = printk;
	phys->printk_user = printk_user;
	memblock_init(&boot.mem, page_size(phys));
	done = boot_arguments(&boot) && boot_memory(&boot) &&
	       boot_free_area(&boot) && boot_allocator(&boot);
	memblock_fini(&boot.mem);
	if (done)
		return phys;
	phys_free(phys);
	return NULL;
}

static void
node_free(struct node *node)
{
	for (unsigned int type = 0; type < MAX_NR_ZONES; type++) {
		buddy_zone_fini(&node->zones[type]);
		g_free(node->zones[type].pcp);
	}
	g_free(node->distance);
	g_free(node->fallback);
	g_free(node->zonelist[ZONELIST_FALLBACK].zones);
	g_free(node->zonelist[ZONELIST_NOFALLBACK].zones);
	g_free(node);
}

void
phys_free(struct phys *phys)
{
	GArray *arrays[] = {phys->firmware, phys->spans, phys->managed,
			    phys->bootmem};

	for (unsigned int n = 0; phys->nodes && n < phys->nr_nodes; n++)
		node_free(phys->nodes[n]);
	for (size_t i = 0; i < ARRAY_SIZE(arrays); i++) {
		if (arrays[i])
			g_array_free(arrays[i], TRUE);
	}
	if (phys->frames)
		munmap(phys->frames, phys->frames_len * sizeof(struct frame));
	if (phys->heads)
		munmap(phys->heads, phys->frames_len);
	if (phys->pageblocks)
		munmap(phys->pageblocks, phys->pageblocks_len);
	memblock_export_fini(&phys->memblock);
	if (phys->cmdline)
		phys_cmdline_fini(phys->cmdline);
	g_free(phys->cmdline);
	g_free(phys->nodes);
	g_free(phys->zones);
	g_free(phys->cpu_node);
	g_free(phys->cpu_online);
	g_free(phys->movable_start);
	g_free(phys->span_index);
	g_free(phys);
}
