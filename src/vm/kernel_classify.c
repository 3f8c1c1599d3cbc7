// SPDX-License-Identifier: MIT
/*
 * kernel_classify.c - what kind of address a number is
 *
 * How it works: five kinds.  A number above user addresses can only be meant
 * for a processor that walks tables, and the kernel's layout says in which
 * region it lies; a number that is low may be a user's virtual address or one
 * of memory, so the task's areas are asked first.  The answer says why.
 */
#include "kernel_impl.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

const char *const address_kind_names[NR_ADDRESS_KINDS] = {
	"user-virtual",	  "physical",	    "bus",
	"kernel-logical", "kernel-virtual", "none",
};

static void say(struct address_class *c, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void
say(struct address_class *c, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(c->why, sizeof(c->why), format, ap);
	va_end(ap);
}

static void
found(struct address_class *c, enum address_kind kind, const char *region,
      pa_t pa)
{
	c->kind = kind;
	c->region = region;
	c->pa = pa;
	c->mapped = pa != UINT64_MAX;
}

/* --- without tables ------------------------------------------------------- */

static const char *
memory_name(const struct vm *vm, pa_t pa)
{
	const GArray *map = vm->phys->firmware;

	if (phys_present(vm->phys, pa >> VM_PAGE_SHIFT))
		return "System RAM";
	for (guint i = 0; i < map->len; i++) {
		const struct firmware_range *f =
			&g_array_index(map, struct firmware_range, i);

		if (pa >= f->range.start && pa < f->range.end)
			return "firmware";
	}
	return "device or nothing";
}

static void
classify_physical(const struct vm *vm, pa_t pa, struct address_class *c)
{
	const struct zone *zone = phys_zone_of(vm->phys, pa >> VM_PAGE_SHIFT);
	va_t logical = kernel_va(vm, pa);

	found(c, ADDRESS_PHYSICAL, memory_name(vm, pa), pa);
	if (!zone || !phys_present(vm->phys, pa >> VM_PAGE_SHIFT))
		say(c, "no memory in use: ioremap gives it a kernel address");
	else if (logical)
		say(c,
		    "pfn %" PRIu64
		    " of zone %s; low memory, so __va says where "
		    "the kernel has it: %#" PRIx64,
		    pa >> VM_PAGE_SHIFT, zone_type_name(zone->type), logical);
	else
		say(c,
		    "pfn %" PRIu64 " of zone %s; high memory: no logical "
		    "address, kmap gives it one for a while",
		    pa >> VM_PAGE_SHIFT, zone_type_name(zone->type));
}

static void
classify_bus(const struct vm *vm, uint64_t a, struct address_class *c)
{
	found(c, ADDRESS_BUS, memory_name(vm, a), a);
	say(c, "what a device puts on the bus; without an IOMMU it is the "
	       "physical address");
}

/* --- user addresses ------------------------------------------------------- */

static bool
in_task(const struct task *t, uint64_t a)
{
	return t && t->mm && vma_at(t->mm, a);
}

static void
classify_user(const struct vm *vm, const struct task *t, uint64_t a,
	      struct address_class *c)
{
	const struct mmu_request q = {.va = a, .ac = true};
	struct mmu_result w = {.outcome = MMU_PAGE_FAULT};
	struct vma *v = t && t->mm ? vma_at(t->mm, a) : NULL;

	if (t && t->mm)
		vm_translate(vm, t, &q, &w);
	found(c, ADDRESS_USER, v ? "area of the task" : "no area",
	      w.outcome == MMU_OK ? w.pa : UINT64_MAX);
	if (!v)
		say(c,
		    "below user addresses' end, %#" PRIx64
		    "; the task has nothing there: SIGSEGV",
		    vm->layout.task_size);
	else
		say(c,
		    "in the area %" PRIx64 "-%" PRIx64
		    " of task %d, through its own page tables; %s",
		    v->start, v->end, t->pid,
		    c->mapped ? "a page is there"
			      : "no page yet: the first access faults");
}

/* --- kernel addresses ----------------------------------------------------- */

static void
classify_area(const struct vm *vm, uint64_t a, struct address_class *c)
{
	const struct kernel_half *k = vm->kernel;
	const struct kernel_area *area = kernel_area_at(k, a);
	const char *what;

	if (!area) {
		found(c, ADDRESS_KERNEL, "vmalloc", UINT64_MAX);
		say(c, rangeset_find(&k->lazy, a)
			       ? "given back, not purged: a TLB may still "
				 "know it"
			       : "of the addresses for vmalloc and ioremap; "
				 "nothing is there");
		return;
	}
	what = area->flags & KA_PERCPU	  ? "per-CPU memory"
	       : area->flags & KA_IOREMAP ? "ioremap"
	       : area->flags & KA_STACK	  ? "kernel stack"
	       : area->flags & KA_RAM	  ? "vm_map_ram"
	       : area->flags & KA_MAP	  ? "vmap"
	       : area->flags & KA_MODULE  ? "module"
					  : "vmalloc";
	found(c, ADDRESS_KERNEL, what, kernel_lookup(vm, a));
	if (!c->mapped)
		say(c,
		    "%s of the area %" PRIx64 "-%" PRIx64
		    ": unmapped, so that what runs over faults",
		    a >= kernel_area_guard(area) ? "the guard page"
						 : "a free page",
		    area->start, area->end);
	else
		say(c,
		    "page %" PRIu64 " of the area %" PRIx64 "-%" PRIx64
		    ", through page tables, so __pa is meaningless; its "
		    "neighbours' frames may lie anywhere",
		    (a - area->start) >> VM_PAGE_SHIFT, area->start, area->end);
}

static void
classify_direct(const struct vm *vm, uint64_t a, struct address_class *c)
{
	static const char *const sizes[] = {"4 KiB", "large", "1 GiB"};
	pa_t pa = a - vm->layout.page_offset;
	int level = kernel_direct_level(vm, pa);

	found(c, ADDRESS_LOGICAL, "direct map", level < 0 ? UINT64_MAX : pa);
	if (level < 0)
		say(c,
		    "in the direct map's range, but there is no memory at "
		    "physical %#" PRIx64,
		    pa);
	else
		say(c,
		    "%#" PRIx64 " - PAGE_OFFSET %#" PRIx64
		    " is the physical address: one to one, by %s pages",
		    a, vm->layout.page_offset, sizes[level]);
}

/* An entry of its own in init_mm's tables. */
static void
classify_slot(const struct vm *vm, uint64_t a, const char *region,
	      const char *why, struct address_class *c)
{
	found(c, ADDRESS_KERNEL, region, kernel_lookup(vm, a));
	say(c, "%s%s", why, c->mapped ? "" : "; nothing is mapped there");
}

static bool
classify_fixed(const struct vm *vm, uint64_t a, struct address_class *c)
{
	const struct vm_layout *l = &vm->layout;
	unsigned int nr = kernel_fixed_count(vm);
	struct kernel_fixed run;
	unsigned int index;
	char why[96];

	if (a >= l->fixmap_top + VM_PAGE || a < kernel_fix_to_virt(vm, nr - 1))
		return false;
	index = (unsigned int)((l->fixmap_top - round_down_to(a, VM_PAGE)) >>
			       VM_PAGE_SHIFT);
	snprintf(why, sizeof(why), "slot %u of the fixmap%s%s", index,
		 kernel_fixed_find(vm, index, &run) ? ", " : "",
		 kernel_fixed_find(vm, index, &run) ? run.name : "");
	classify_slot(vm, a, "fixmap", why, c);
	return true;
}

static bool
in_pkmap(const struct vm_layout *l, uint64_t a)
{
	return l->pkmap_slots && a >= l->pkmap_base &&
	       a < l->pkmap_base + ((va_t)l->pkmap_slots << VM_PAGE_SHIFT);
}

static bool
classify_memmap(const struct vm *vm, uint64_t a, struct address_class *c)
{
	unsigned int size = vm->phys->arch->struct_page_size;
	pfn_t pfn;

	if (!vm->layout.vmemmap || a < vm->layout.vmemmap)
		return false;
	pfn = (a - vm->layout.vmemmap) / size;
	if (pfn >= vm->phys->max_pfn)
		return false;
	found(c, ADDRESS_KERNEL, "vmemmap", UINT64_MAX);
	c->mapped = kernel_struct_page(vm, pfn);
	say(c, "struct page of pfn %" PRIu64 ", byte %" PRIu64 " of %u", pfn,
	    (a - vm->layout.vmemmap) % size, size);
	return true;
}

static void
classify_kernel(const struct vm *vm, uint64_t a, struct address_class *c)
{
	const struct vm_layout *l = &vm->layout;
	pa_t low_end = vm->phys->max_low_pfn << VM_PAGE_SHIFT;

	if (a >= l->page_offset && a - l->page_offset < low_end)
		classify_direct(vm, a, c);
	else if ((a >= l->vmalloc_start && a < l->vmalloc_end) ||
		 (a >= l->modules && a < l->modules_end))
		classify_area(vm, a, c);
	else if (in_pkmap(l, a))
		classify_slot(vm, a, "kmap",
			      "a slot of kmap: high memory's address for a "
			      "while",
			      c);
	else if (classify_fixed(vm, a, c) || classify_memmap(vm, a, c))
		return;
	else if (l->kernel_text && a >= l->kernel_text && a < l->modules)
		classify_slot(vm, a, "kernel text",
			      "the kernel's image: physical memory from 0 on, "
			      "a second time",
			      c);
	else
		classify_slot(vm, a, "unused", "a hole of the kernel's layout",
			      c);
}

/* Whether the format can translate @a at all. */
static bool
canonical(const struct vm *vm, uint64_t a)
{
	unsigned int bits = vm->shape.f->va_bits;

	if (!vm->shape.f->sign_extends)
		return bits >= 64 || !(a >> bits);
	return !((uint64_t)((int64_t)a >> (bits - 1)) + 1 > 1);
}

void
kernel_classify(const struct vm *vm, const struct task *t, uint64_t a,
		enum address_space space, struct address_class *c)
{
	*c = (struct address_class){.kind = ADDRESS_NONE, .pa = UINT64_MAX};
	if (space == SPACE_BUS) {
		classify_bus(vm, a, c);
	} else if (space == SPACE_PHYSICAL || !vm->shape.f) {
		classify_physical(vm, a, c);
	} else if (!canonical(vm, a)) {
		c->region = "hole";
		say(c,
		    "bits above %u do not repeat it: not canonical, an "
		    "access is a general protection fault",
		    vm->shape.f->va_bits - 1);
	} else if (a >= vm->layout.page_offset) {
		classify_kernel(vm, a, c);
	} else if (a >= vm->layout.task_size) {
		c->region = "hole";
		say(c, "between user addresses and the kernel's: nothing is "
		       "ever there");
	} else if (space == SPACE_GUESS && !in_task(t, a) &&
		   phys_present(vm->phys, a >> VM_PAGE_SHIFT)) {
		classify_physical(vm, a, c);
	} else {
		classify_user(vm, t, a, c);
	}
}
