// SPDX-License-Identifier: MIT
/*
 * iomem.c - /proc/iomem
 *
 * What it models: kernel/resource.c's listing of what e820__reserve_resources
 * made of the firmware's map, after mem= and memmap= had changed it.
 * Differs from the kernel: no devices, ROMs or sections of the kernel's image.
 */
#include "kmemfs/show.h"

static const char *const type_names[NR_E820_TYPES] = {
    [E820_USABLE] = "System RAM",
    [E820_RESERVED] = "Reserved",
    [E820_ACPI] = "ACPI Tables",
    [E820_NVS] = "ACPI Non-volatile Storage",
    [E820_UNUSABLE] = "Unusable memory",
    [E820_PMEM] = "Persistent Memory (legacy)",
};

void
show_iomem(const struct view *v, struct out *out)
{
	const GArray *map = v->m->phys->firmware;
	/* i386 without PAE has no words for what lies above 4 GiB */
	bool narrow = v->m->phys->arch == &archs[ARCH_I386];

	for (guint i = 0; i < map->len; i++) {
		const struct firmware_range *f =
		    &g_array_index(map, struct firmware_range, i);

		if (narrow && f->range.end - 1 > UINT32_MAX)
			continue;
		out_hex_pad(out, f->range.start, 8);
		out_char(out, '-');
		out_hex_pad(out, f->range.end - 1, 8);
		out_str(out, " : ");
		out_str(out, type_names[f->type]);
		out_char(out, '\n');
	}
}
