// SPDX-License-Identifier: MIT
/*
 * iomem.c - /proc/iomem
 *
 * What it models: kernel/resource.c's listing of what e820__reserve_resources
 * made of the firmware's map, after mem= and memmap= had changed it, and
 * memory that was plugged in.
 * Differs from the kernel: no devices and no ROMs; where the sections of the
 * kernel's image begin is a share of what was reserved for it.
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

struct resource {
	struct range range;
	const char *name;
};

static int
by_start(const void *a, const void *b)
{
	const struct resource *x = a, *y = b;

	return x->range.start < y->range.start
		       ? -1
		       : x->range.start > y->range.start;
}

/* All resources by address: a new array of struct resource. */
static GArray *
list_resources(const struct phys *phys)
{
	const GArray *devices = phys->config->hotplugged;
	GArray *list = g_array_new(FALSE, FALSE, sizeof(struct resource));

	for (guint i = 0; i < phys->firmware->len; i++) {
		const struct firmware_range *f = &g_array_index(
			phys->firmware, struct firmware_range, i);
		struct resource r = {f->range, type_names[f->type]};

		g_array_append_val(list, r);
	}
	for (guint i = 0; devices && i < devices->len; i++) {
		struct resource r = {g_array_index(devices, struct range, i),
				     type_names[E820_USABLE]};

		g_array_append_val(list, r);
	}
	g_array_sort(list, by_start);
	return list;
}

static void
put_resource(struct out *out, const char *indent, const struct range *r,
	     const char *name)
{
	out_str(out, indent);
	out_hex_pad(out, r->start, 8);
	out_char(out, '-');
	out_hex_pad(out, r->end - 1, 8);
	out_str(out, " : ");
	out_str(out, name);
	out_char(out, '\n');
}

/* The kernel's image lies in one of them. */
static void
put_image(const struct vm *vm, struct out *out, const struct range *within)
{
	struct kernel_section s[KERNEL_SECTIONS];
	unsigned int nr = kernel_image(vm, s);

	for (unsigned int i = 0; i < nr; i++)
		if (s[i].range.start >= within->start &&
		    s[i].range.end <= within->end)
			put_resource(out, "  ", &s[i].range, s[i].name);
}

void
show_iomem(const struct view *v, struct out *out)
{
	/* i386 without PAE has no words for what lies above 4 GiB */
	bool narrow = v->m->phys->arch == &archs[ARCH_I386];
	GArray *list = list_resources(v->m->phys);

	for (guint i = 0; i < list->len; i++) {
		const struct resource *r =
			&g_array_index(list, struct resource, i);

		if (narrow && r->range.end - 1 > UINT32_MAX)
			continue;
		put_resource(out, "", &r->range, r->name);
		if (r->name == type_names[E820_USABLE])
			put_image(v->m->vm, out, &r->range);
	}
	g_array_free(list, TRUE);
}
