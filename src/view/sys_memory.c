// SPDX-License-Identifier: MIT
/*
 * sys_memory.c - /sys/devices/system/memory, and features of memory management
 * below /sys/kernel/mm
 *
 * What it models: drivers/base/memory.c, mm/huge_memory.c, mm/ksm.c and
 * mm/hugetlb.c of Linux 6.1.
 * Differs from the kernel: merging of pages and pools of huge pages are not
 * modelled; their files say that there is nothing.  The small kernel with CMA
 * can take memory away too.
 */
#include "kmemfs/show.h"

#include "kmemfs/base/check.h"
#include "kmemfs/phys/cmdline.h"
#include "kmemfs/phys/memory_block.h"
#include "kmemfs/view/kernel.h"
#include "kmemfs/view/sums.h"

bool
when_memory_blocks(const struct view *v)
{
	return memory_block_bytes(v->m->phys) != 0;
}

void
show_memory_block_size(const struct view *v, struct out *out)
{
	out_hex_pad(out, memory_block_bytes(v->m->phys), 1);
	out_char(out, '\n');
}

void
show_memory_auto_online(const struct view *v, struct out *out)
{
	static const char *const names[] = {
		[MEMHP_OFFLINE] = "offline\n",
		[MEMHP_ONLINE] = "online\n",
		[MEMHP_ONLINE_KERNEL] = "online_kernel\n",
		[MEMHP_ONLINE_MOVABLE] = "online_movable\n",
	};

	out_str(out, names[v->m->phys->cmdline->memhp]);
}

void
show_memory_state(const struct view *v, struct out *out)
{
	out_str(out, memory_block_online(v->m->phys, v->key[0]) ? "online\n"
								: "offline\n");
}

void
show_memory_online(const struct view *v, struct out *out)
{
	put_value(out, memory_block_online(v->m->phys, v->key[0]));
}

void
show_memory_phys_index(const struct view *v, struct out *out)
{
	out_hex_pad(out, v->key[0], 8);
	out_char(out, '\n');
}

void
show_memory_zero(const struct view *v, struct out *out)
{
	(void)v;
	put_value(out, 0);
}

void
show_memory_one(const struct view *v, struct out *out)
{
	(void)v;
	put_value(out, 1);
}

void
show_memory_valid_zones(const struct view *v, struct out *out)
{
	static const enum online_type others[] = {ONLINE_KERNEL,
						  ONLINE_MOVABLE};
	const struct phys *phys = v->m->phys;
	uint64_t pages = memory_block_pages(phys);
	pfn_t start = v->key[0] * pages;
	const struct zone *zone;

	if (memory_block_online(phys, v->key[0])) {
		zone = memory_block_zone(phys, v->key[0]);
		out_str(out, zone ? zone_type_name(zone->type) : "none");
		out_char(out, '\n');
		return;
	}
	/* a block that is offline lies in one range of memory, on one node */
	zone = hotplug_zone(phys, start, pages, ONLINE_AUTO);
	KM_ASSERT(zone);
	out_str(out, zone_type_name(zone->type));
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		const struct zone *other =
			hotplug_zone(phys, start, pages, others[i]);

		if (other == zone)
			continue;
		out_char(out, ' ');
		out_str(out, zone_type_name(other->type));
	}
	out_char(out, '\n');
}

void
show_memory_node_link(const struct view *v, struct out *out)
{
	out_str(out, "../../node/node");
	out_u64(out, v->key[1]);
}

/* --- ksm --- */

bool
when_ksm(const struct view *v)
{
	return kernel_has(v->m->phys, KERNEL_KSM);
}

void
show_ksm(const struct view *v, struct out *out)
{
	/* What is not 0 in a kernel that never merged a page. */
	static const struct {
		const char *name;
		uint64_t value;
	} defaults[] = {
		{"max_page_sharing",   256},
		{"merge_across_nodes", 1	},
		{"pages_to_scan",	  100},
		{"sleep_millisecs",    20 },
	};
	uint64_t value = 0;

	for (size_t i = 0; i < ARRAY_SIZE(defaults); i++)
		if (!strcmp(v->name, defaults[i].name))
			value = defaults[i].value;
	put_value(out, value);
}
