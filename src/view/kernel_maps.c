// SPDX-License-Identifier: MIT
/*
 * kernel_maps.c - the kernel half of addresses: /vmalloc, /kmap, /ioremap, ...
 *
 * What it models: /proc/vmallocinfo is s_show of mm/vmalloc.c of 6.1; addresses
 * are printed as a kernel with kptr_restrict = 0 and no_hash_pointers does.
 */
#include "kmemfs/show.h"

#include "kmemfs/view/sums.h"

#include <inttypes.h>
#include <stdio.h>

static const struct kernel_half *
half(const struct view *v)
{
	return v->m->vm->kernel;
}

static const struct kernel_area *
nth_area(const struct kernel_half *k, guint n)
{
	return n < k->areas->len ? g_ptr_array_index(k->areas, n) : NULL;
}

static uint64_t
bytes_of(const struct rangeset *set)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < rangeset_size(set); i++)
		sum += rangeset_at(set, i)->end - rangeset_at(set, i)->start;
	return sum;
}

/* --- /proc/vmallocinfo ---------------------------------------------------- */

static void
put_span(struct out *out, va_t start, va_t end)
{
	out_printf(out, "0x%016" PRIx64 "-0x%016" PRIx64 " %7" PRIu64, start,
		   end, end - start);
}

/* On 32 bit a pointer has eight digits. */
static void
put_line_start(const struct vm *vm, struct out *out, va_t start, va_t end)
{
	if (vm->mode >= MMU_4LEVEL)
		put_span(out, start, end);
	else
		out_printf(out, "0x%08" PRIx64 "-0x%08" PRIx64 " %7" PRIu64,
			   start, end, end - start);
}

/* " N0=3 N1=1" */
static void
put_nodes(const struct vm *vm, const struct kernel_area *a, struct out *out)
{
	uint64_t *nr;

	if (!vm->phys->arch->numa || !a->pages ||
	    !(a->flags & (KA_ALLOC | KA_PUT_PAGES)))
		return;
	nr = g_new0(uint64_t, vm->phys->nr_nodes);
	for (uint64_t n = 0; n < a->nr_pages; n++) {
		const struct zone *zone = phys_zone_of(vm->phys, a->pages[n]);

		if (zone)
			nr[zone->node->id]++;
	}
	for (unsigned int i = 0; i < vm->phys->nr_nodes; i++)
		if (nr[i])
			out_printf(out, " N%u=%" PRIu64, i, nr[i]);
	g_free(nr);
}

static void
put_area(const struct vm *vm, const struct kernel_area *a, struct out *out)
{
	put_line_start(vm, out, a->start, a->end);
	if (a->flags & KA_RAM) {
		out_str(out, " vm_map_ram\n");
		return;
	}
	if (a->caller) {
		out_char(out, ' ');
		symbols_print(vm->symbols, a->caller, out);
	}
	if ((a->flags & (KA_ALLOC | KA_PUT_PAGES)) && a->nr_pages)
		out_printf(out, " pages=%" PRIu64, a->nr_pages);
	if (a->phys)
		out_printf(out,
			   vm->mode == MMU_32BIT ? " phys=0x%08" PRIx64
						 : " phys=0x%016" PRIx64,
			   a->phys);
	if (a->flags & KA_IOREMAP)
		out_str(out, " ioremap");
	if (a->flags & (KA_ALLOC | KA_PERCPU))
		out_str(out, " vmalloc");
	if (a->flags & KA_MAP)
		out_str(out, " vmap");
	if (a->flags & KA_USERMAP)
		out_str(out, " user");
	if (a->array)
		out_str(out, " vpages");
	put_nodes(vm, a, out);
	out_char(out, '\n');
}

void
show_vmallocinfo(const struct view *v, struct out *out)
{
	const struct vm *vm = v->m->vm;
	const struct kernel_half *k = half(v);
	const struct kernel_area *a;

	for (guint n = 0; (a = nth_area(k, n)); n++)
		put_area(vm, a, out);
	/* The kernel tells these after the last area, and so of no area
	 * without one. */
	for (unsigned int i = 0; k->areas->len && i < rangeset_size(&k->lazy);
	     i++) {
		put_line_start(vm, out, rangeset_at(&k->lazy, i)->start,
			       rangeset_at(&k->lazy, i)->end);
		out_str(out, " unpurged vm_area\n");
	}
}

/* --- /vmalloc, /ioremap --------------------------------------------------- */

static const char *
area_kind(const struct kernel_area *a)
{
	return a->flags & KA_PERCPU    ? "percpu"
	       : a->flags & KA_IOREMAP ? "ioremap"
	       : a->flags & KA_STACK   ? "stack"
	       : a->flags & KA_BLOCK   ? "vm_map_ram-block"
	       : a->flags & KA_RAM     ? "vm_map_ram"
	       : a->flags & KA_MAP     ? "vmap"
	       : a->flags & KA_MODULE  ? "module"
				       : "vmalloc";
}

void
show_vmalloc(const struct view *v, struct out *out)
{
	const struct kernel_half *k = half(v);
	const struct kernel_area *a;

	out_str(out, "id address bytes kind pages first_pfn caller\n");
	for (guint n = 0; (a = nth_area(k, n)); n++) {
		pfn_t first = kernel_area_pfn(a, a->start);

		out_printf(out, "%u %#" PRIx64 " %" PRIu64 " %s %" PRIu64 " ",
			   a->id, a->start, a->end - a->start, area_kind(a),
			   a->nr_pages);
		if (first == PFN_NONE)
			out_char(out, '-');
		else
			out_u64(out, first);
		out_char(out, ' ');
		if (a->caller)
			symbols_print(v->m->symbols, a->caller, out);
		else
			out_char(out, '-');
		out_char(out, '\n');
	}
	out_char(out, '\n');
	put_counter(out, "pages", k->vmalloc_pages);
	put_counter(out, "leaked_pages", k->leaked_pages);
	put_counter(out, "free_bytes", bytes_of(&k->free));
	put_counter(out, "free_holes", rangeset_size(&k->free));
	put_counter(out, "lazy_pages", k->lazy_pages);
	put_counter(out, "lazy_max_pages", kernel_lazy_max(v->m->vm));
	put_counter(out, "purges", k->purges);
	put_counter(out, "tlb_range_flushes", k->range_flushes);
	put_counter(out, "tlb_full_flushes", k->full_flushes);
}

void
show_ioremap(const struct view *v, struct out *out)
{
	const struct kernel_half *k = half(v);
	const struct kernel_area *a;

	out_str(out, "address bytes physical mode caller\n");
	for (guint n = 0; (a = nth_area(k, n)); n++) {
		if (!(a->flags & KA_IOREMAP))
			continue;
		out_printf(out, "%#" PRIx64 " %" PRIu64 " %#" PRIx64 " %s ",
			   a->start, a->nr_pages << VM_PAGE_SHIFT, a->phys,
			   cache_mode_names[a->mode]);
		symbols_print(v->m->symbols, a->caller, out);
		out_char(out, '\n');
	}
}

/* --- /kmap ---------------------------------------------------------------- */

static void
put_slots(const struct vm *vm, struct out *out)
{
	const struct kernel_half *k = vm->kernel;

	out_str(out, "slot address pfn users\n");
	for (unsigned int i = 0; i < vm->layout.pkmap_slots; i++)
		if (k->pkmap_count[i])
			out_printf(out, "%u %#" PRIx64 " %" PRIu64 " %u\n", i,
				   vm->layout.pkmap_base +
					   ((va_t)i << VM_PAGE_SHIFT),
				   k->pkmap_pfn[i], k->pkmap_count[i] - 1);
}

static void
put_entry(const struct vm *vm, struct out *out, unsigned int cpu,
	  const char *what, uint64_t entry)
{
	out_printf(out, "%u %s %" PRIu64 "\n", cpu, what,
		   (uint64_t)vm_entry_pfn(vm, entry));
}

static void
put_temporary(const struct vm *vm, struct out *out)
{
	const struct kernel_half *k = vm->kernel;

	out_str(out, "\ncpu mapping pfn\n");
	for (unsigned int cpu = 0; cpu < vm->nr_cpus; cpu++) {
		const struct kernel_local *l = kernel_local_of(vm, cpu);
		const uint64_t *typed = &k->typed[cpu * KM_TYPE_NR];
		char depth[16];

		for (unsigned int i = 0; i < l->nr; i++) {
			snprintf(depth, sizeof(depth), "%u", i);
			put_entry(vm, out, cpu, depth, l->entry[i]);
		}
		for (unsigned int type = 0; type < KM_TYPE_NR; type++)
			if (typed[type])
				put_entry(vm, out, cpu, km_type_names[type],
					  typed[type]);
	}
}

void
show_kmap(const struct view *v, struct out *out)
{
	const struct vm *vm = v->m->vm;
	const struct kernel_half *k = half(v);

	put_slots(vm, out);
	put_temporary(vm, out);
	out_str(out, "\nsleeper pfn\n");
	for (const GList *l = k->waiters.head; l; l = l->next) {
		const struct kmap_waiter *w = l->data;

		out_printf(out, "%d %" PRIu64 "\n", w->pid, w->pfn);
	}
	out_char(out, '\n');
	put_counter(out, "slots", vm->layout.pkmap_slots);
	put_counter(out, "last", k->last_pkmap);
	put_counter(out, "flushes", k->pkmap_flushes);
	put_counter(out, "sleeps", k->kmap_sleeps);
}

/* --- /fixmap, /memory_layout ---------------------------------------------- */

void
show_fixmap(const struct view *v, struct out *out)
{
	const struct vm *vm = v->m->vm;
	struct kernel_fixed run;

	out_str(out, "slot count first_address name\n");
	for (unsigned int n = 0; kernel_fixed_nth(vm, n, &run); n++)
		out_printf(out, "%u %u %#" PRIx64 " %s\n", run.first, run.count,
			   kernel_fix_to_virt(vm, run.first), run.name);
}

static void
put_region(struct out *out, va_t start, va_t end, const char *what)
{
	if (start < end)
		out_printf(out, "%#" PRIx64 " %#" PRIx64 " %" PRIu64 " %s\n",
			   start, end - 1, end - start, what);
}

void
show_memory_layout(const struct view *v, struct out *out)
{
	const struct vm *vm = v->m->vm;
	const struct vm_layout *l = &vm->layout;
	pa_t low = vm->phys->max_low_pfn << VM_PAGE_SHIFT;
	va_t fixed = kernel_fix_to_virt(vm, kernel_fixed_count(vm));

	out_str(out, "first last bytes use\n");
	put_region(out, 0, l->task_size, "user");
	if (!l->task_size)
		return;
	put_region(out, l->page_offset, l->page_offset + low, "direct_map");
	put_region(out, l->vmalloc_start, l->vmalloc_end, "vmalloc");
	if (l->vmemmap)
		put_region(out, l->vmemmap,
			   l->vmemmap +
				   vm->phys->max_pfn *
					   vm->phys->arch->struct_page_size,
			   "vmemmap");
	put_region(out, l->pkmap_base,
		   l->pkmap_base + ((va_t)l->pkmap_slots << VM_PAGE_SHIFT),
		   "kmap");
	if (vm->mode >= MMU_4LEVEL) {
		put_region(out, l->kernel_text, l->modules, "kernel_image");
		put_region(out, l->modules, l->modules_end, "modules");
	}
	put_region(out, fixed, l->fixmap_top + VM_PAGE, "fixmap");
}
