// SPDX-License-Identifier: MIT
/*
 * bootlog.c - what the modelled kernel's log says while it boots
 *
 * How it works:   the lines are those that tools look for in a real log, with
 *                 the same shape: the firmware's map, zone ranges, movable
 *                 starts, early node ranges, the sum of memory.
 */
#include "boot_impl.h"

typedef unsigned long long ull;

/* A line of @who for each range of @map, which is freed. */
static void
boot_log_map(struct phys *phys, const char *who, GArray *map)
{
	for (guint i = 0; i < map->len; i++) {
		const struct firmware_range *f =
			&g_array_index(map, struct firmware_range, i);

		phys_printk(phys, "%s: [mem 0x%016llx-0x%016llx] %s", who,
			    (ull)f->range.start, (ull)f->range.end - 1,
			    firmware_type_text(f->type));
	}
	g_array_free(map, TRUE);
}

void
boot_log_firmware(struct phys *phys)
{
	const struct phys_config *config = phys->config;
	const struct phys_cmdline *args = phys->cmdline;

	phys_printk(phys, "BIOS-provided physical RAM map:");
	boot_log_map(
		phys, "BIOS-e820",
		firmware_map(config->firmware, NULL, false, page_size(phys)));
	if (args->firmware->len) {
		phys_printk(phys, "user-defined physical RAM map:");
		boot_log_map(phys, "user",
			     firmware_map(config->firmware, args, false,
					  page_size(phys)));
	}
}

void
boot_log_zones(struct phys *phys, const struct bootmem *mem)
{
	unsigned int shift = phys->page_shift;

	phys_printk(phys, "Zone ranges:");
	for (unsigned int type = 0; type < MAX_NR_ZONES; type++) {
		const char *name = zone_type_name((enum zone_type)type);
		pfn_t start = phys->zone_lowest[type];
		pfn_t end = phys->zone_highest[type];

		if (type == ZONE_MOVABLE ||
		    !phys_config_has_zone(phys->config, (enum zone_type)type))
			continue;
		if (start == end)
			phys_printk(phys, "  %-8s empty", name);
		else
			phys_printk(phys, "  %-8s [mem 0x%016llx-0x%016llx]",
				    name, (ull)start << shift,
				    ((ull)end << shift) - 1);
	}
	phys_printk(phys, "Movable zone start for each node");
	for (unsigned int n = 0; n < phys->nr_nodes; n++) {
		if (phys->movable_start[n])
			phys_printk(phys, "  Node %u: 0x%016llx", n,
				    (ull)phys->movable_start[n] << shift);
	}
	phys_printk(phys, "Early memory node ranges");
	for (unsigned int i = 0; i < rangeset_size(&mem->memory); i++) {
		const struct rangeset_item *m = rangeset_at(&mem->memory, i);

		phys_printk(phys, "  node %3d: [mem 0x%016llx-0x%016llx]",
			    m->tag, (ull)m->start, (ull)m->end - 1);
	}
}

void
boot_log_memory(struct phys *phys)
{
	unsigned int kib = phys->page_shift - 10;
	uint64_t present = 0, reserved = 0;
	uint64_t cma = (phys->cma.end - phys->cma.start) >> 10;
	const GArray *taken = phys->memblock.reserved;

	for (unsigned int id = 0; id < phys->nr_zones; id++)
		present += phys->zones[id]->present_pages << kib;
	for (guint i = 0; i < taken->len; i++) {
		const struct range *r = &g_array_index(taken, struct range, i);
		pfn_t end = round_up_to(r->end, page_size(phys)) >>
			    phys->page_shift;

		/* Spans are few: count what of each is taken. */
		for (guint s = 0; s < phys->spans->len; s++) {
			const struct pfn_span *span =
				&g_array_index(phys->spans, struct pfn_span, s);
			pfn_t from = MAX_OF(r->start >> phys->page_shift,
					    span->start);
			pfn_t to = MIN_OF(end, span->end);

			if (from < to)
				reserved += (to - from) << kib;
		}
	}
	phys_printk(phys,
		    "Memory: %lluK/%lluK available (%lluK reserved, %lluK "
		    "cma-reserved)",
		    (ull)(present - MIN_OF(present, reserved)), (ull)present,
		    (ull)(reserved - MIN_OF(reserved, cma)), (ull)cma);
}
