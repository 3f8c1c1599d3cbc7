// SPDX-License-Identifier: MIT
/* machine.c - /machine, /memblock and the README: what was booted */
#include "kmemfs/show.h"

#include "kmemfs/hw/ram.h"
#include "kmemfs/phys/firmware.h"
#include "kmemfs/view/sums.h"

void
show_readme(const struct view *v, struct out *out)
{
	static const char text[] =
#include "readme.def"
		;

	(void)v;
	out_mem(out, text, sizeof(text) - 1);
}

/* --- /machine --- */

void
show_machine_arch(const struct view *v, struct out *out)
{
	out_str(out, v->m->phys->arch->name);
	out_char(out, '\n');
}

void
show_machine_page_size(const struct view *v, struct out *out)
{
	put_value(out, page_size(v->m->phys));
}

void
show_machine_byte_order(const struct view *v, struct out *out)
{
	(void)v;
	out_str(out, "little\n");
}

void
show_machine_memory_map(const struct view *v, struct out *out)
{
	const GArray *map = v->m->phys->config->firmware;

	out_str(out, "first last type\n");
	for (guint i = 0; i < map->len; i++) {
		const struct firmware_range *f =
			&g_array_index(map, struct firmware_range, i);

		out_hex(out, f->range.start);
		out_char(out, ' ');
		out_hex(out, f->range.end - 1);
		out_char(out, ' ');
		out_str(out, firmware_type_name(f->type));
		out_char(out, '\n');
	}
}

void
show_machine_cmdline(const struct view *v, struct out *out)
{
	const char *cmdline = v->m->phys->config->cmdline;

	out_str(out, cmdline ? cmdline : "");
	out_char(out, '\n');
}

void
show_machine_config(const struct view *v, struct out *out)
{
	config_print(v->m->config, out);
}

void
show_machine_cpus(const struct view *v, struct out *out)
{
	const struct phys *phys = v->m->phys;

	out_str(out, "cpu node online\n");
	for (unsigned int cpu = 0; cpu < phys->nr_cpus; cpu++)
		out_printf(out, "%u %d %d\n", cpu, phys->cpu_node[cpu],
			   phys->cpu_online[cpu]);
}

void
show_machine_state(const struct view *v, struct out *out)
{
	out_str(out, v->m->state == MACHINE_PANIC ? "panic\n" : "running\n");
}

void
show_machine_ram_held(const struct view *v, struct out *out)
{
	put_value(out, ram_held(v->m->ram));
}

/* --- /memblock ----------------------------------------------------------- */

static void
put_range(struct out *out, const struct range *r)
{
	out_hex(out, r->start);
	out_char(out, ' ');
	out_hex(out, r->end - 1);
	out_char(out, ' ');
}

void
show_memblock_memory(const struct view *v, struct out *out)
{
	const struct memblock *mb = &v->m->phys->memblock;
	unsigned int shift = v->m->phys->page_shift;
	uint64_t round = page_size(v->m->phys) - 1;

	out_str(out, "first last node pages\n");
	for (guint i = 0; i < mb->memory->len; i++) {
		const struct range *r =
			&g_array_index(mb->memory, struct range, i);

		put_range(out, r);
		out_i64(out, g_array_index(mb->memory_node, int, i));
		out_char(out, ' ');
		put_value(out,
			  (r->end >> shift) - ((r->start + round) >> shift));
	}
}

void
show_memblock_reserved(const struct view *v, struct out *out)
{
	const GArray *reserved = v->m->phys->memblock.reserved;

	out_str(out, "first last bytes\n");
	for (guint i = 0; i < reserved->len; i++) {
		const struct range *r =
			&g_array_index(reserved, struct range, i);

		put_range(out, r);
		put_value(out, r->end - r->start);
	}
}

void
show_memblock_handover(const struct view *v, struct out *out)
{
	put_counter(out, "handover_pages", v->m->phys->handover_pages);
	put_counter(out, "late_pages", v->m->phys->late_pages);
}
