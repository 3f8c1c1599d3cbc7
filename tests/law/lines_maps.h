// SPDX-License-Identifier: MIT
/*
 * lines_maps.h - lines at random for the kernel's own mappings
 *
 * Of law_machine.c, which has run, below(), ONE_OF; tasks of lines_task.h.
 */
#ifndef TESTS_LAW_LINES_MAPS_H
#define TESTS_LAW_LINES_MAPS_H

static const char *const kernel_names[] = {"v1", "v2", "v3", "v4", "v5"};
static const char *const kernel_pages[] = {"4096", "4099-4103", "6000,6002",
					   "a,b",  "v1",	"99999999"};

static void
line_area(struct out *out)
{
	const char *name = ONE_OF(kernel_names);

	switch (below(10)) {
	case 0:
	case 1:
	case 2:
		out_printf(out, "vm/vmalloc %u name=%s cpu=%u%s", below(300000),
			   name, below(run.m->phys->nr_cpus),
			   below(4) ? "" : " module=yes");
		break;
	case 3:
		out_printf(out, "vm/vmap %s name=%s", ONE_OF(kernel_pages),
			   name);
		break;
	case 4:
		out_printf(out, "vm/vm_map_ram %s name=%s",
			   ONE_OF(kernel_pages), name);
		break;
	case 5:
		out_printf(out, "vm/ioremap %#x %u name=%s",
			   0xfed00000 + below(4) * 4096, below(20000), name);
		break;
	case 6:
		out_printf(out, "vm/vfree %s", name);
		break;
	case 7:
		out_printf(out, "vm/vunmap %s", name);
		break;
	case 8:
		out_printf(out, "vm/%s %s",
			   below(2) ? "iounmap" : "vm_unmap_ram", name);
		break;
	default:
		out_printf(out, "vm/purge_vmap_area_lazy %u",
			   below(run.m->phys->nr_cpus));
	}
}

static void
line_kernel_use(struct out *out)
{
	switch (below(7)) {
	case 0:
		out_printf(out, "vm/kmap %u", 4096 + below(300000));
		break;
	case 1:
		out_printf(out, "vm/kunmap %u", 4096 + below(300000));
		break;
	case 2:
		out_printf(out, "vm/kmap_local_page %u cpu=%u",
			   4096 + below(300000), below(run.m->phys->nr_cpus));
		break;
	case 3:
		out_printf(out, "vm/kunmap_local %#x cpu=%u",
			   0xfffbb000 - below(40) * 4096,
			   below(run.m->phys->nr_cpus));
		break;
	case 4:
		out_printf(out, "vm/use_stack %s %u context=%s", ONE_OF(tasks),
			   below(4000), below(2) ? "process" : "irq");
		break;
	default:
		out_printf(out, "vm/kernel_touch %s %s size=%u cpu=%u",
			   ONE_OF(kernel_names), below(2) ? "read" : "write",
			   1 + below(9000), below(run.m->phys->nr_cpus));
	}
}

#endif
