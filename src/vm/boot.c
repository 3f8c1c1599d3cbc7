// SPDX-License-Identifier: MIT
/*
 * boot.c - virtual memory as the kernel leaves it when it has booted
 *
 * How it works: what differs between the modes is worked out once from the
 * formats of hw/mmu.h; layouts are tables.  PID 1 is a record and nothing
 * else; vm_start() makes what all tasks share when the first one runs.
 *
 * Where it lies: records of tasks, areas, objects and pages on the host; every
 * table and every byte of a page in modelled RAM.
 *
 * Differs from the kernel: the kernel's own top table is made with the first
 * task, not at boot, so that a machine nobody uses has the free pages that the
 * recorded one has.
 */
#include "kernel_impl.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>

#define KERNEL_IMAGE MIB(16) /* where it lies in physical memory */
/* Of a 32-bit kernel that is built for 32 CPUs; the LDT and then kmap's slots
 * have a page table each below it. */
#define CPU_ENTRY_AREA 0xff400000

const struct vm_costs vm_default_costs = {
	.tlb_l2 = 7,
	.walk = 10,
	.cr3 = 150,
	.invlpg = 150,
	.ipi = 2000,
	.mode = 70,
	.task = 1500,
};

static const struct vm_layout layout_4level = {
	.task_size = 0x7ffffffff000,
	.map_window = 0x7ffffffff000,
	.page_offset = 0xffff888000000000,
	.vmalloc_start = 0xffffc90000000000,
	.vmalloc_end = 0xffffe90000000000,
	.vmemmap = 0xffffea0000000000,
	.kernel_text = 0xffffffff80000000,
	.modules = 0xffffffffa0000000,
	.modules_end = 0xffffffffff000000,
	.fixmap_top = 0xffffffffff7ff000,
	.image_base = 0x400000,
	.stack_bytes = KIB(16),
};

static const struct vm_layout layout_5level = {
	.task_size = 0xfffffffffff000,
	.map_window = 0x7ffffffff000,
	.page_offset = 0xff11000000000000,
	.vmalloc_start = 0xffa0000000000000,
	.vmalloc_end = 0xffd2000000000000,
	.vmemmap = 0xffd4000000000000,
	.kernel_text = 0xffffffff80000000,
	.modules = 0xffffffffa0000000,
	.modules_end = 0xffffffffff000000,
	.fixmap_top = 0xffffffffff7ff000,
	.image_base = 0x400000,
	.stack_bytes = KIB(16),
};

static const struct vm_layout layout_i386 = {
	.task_size = 0xc0000000,
	.map_window = 0xc0000000,
	.page_offset = 0xc0000000,
	.fixmap_top = 0xfffff000,
	.image_base = 0x8048000,
	.stack_bytes = KIB(8),
};

void
vm_printk(struct vm *vm, const char *format, ...)
{
	char line[256];
	va_list ap;

	if (!vm->printk)
		return;
	va_start(ap, format);
	vsnprintf(line, sizeof(line), format, ap);
	va_end(ap);
	vm->printk(vm->printk_user, line);
}

/* Areas of i386 above the direct map, down from the fixmap. */
static void
layout_fill_i386(struct vm *vm)
{
	struct vm_layout *l = &vm->layout;
	bool pae = vm->mode == MMU_PAE;
	uint64_t pmd = pae ? MIB(2) : MIB(4);
	va_t high = l->page_offset + (vm->phys->max_low_pfn << VM_PAGE_SHIFT);

	l->pkmap_slots = pae ? 512 : 1024;
	l->pkmap_base = CPU_ENTRY_AREA - 2 * pmd;
	l->vmalloc_end = l->pkmap_base - 2 * VM_PAGE;
	l->vmalloc_start = MIN_OF(high + MIB(8), l->vmalloc_end);
	l->kernel_text = l->page_offset + KERNEL_IMAGE;
	l->modules = l->vmalloc_start;
	l->modules_end = l->vmalloc_end;
}

static void
layout_init(struct vm *vm)
{
	switch (vm->mode) {
	case MMU_4LEVEL:
		vm->layout = layout_4level;
		break;
	case MMU_5LEVEL:
		vm->layout = layout_5level;
		break;
	case MMU_32BIT:
	case MMU_PAE:
		vm->layout = layout_i386;
		layout_fill_i386(vm);
		break;
	default:
		break;
	}
}

static void
shape_init(struct vm *vm)
{
	const struct mmu_format *f;
	struct vm_shape *s = &vm->shape;

	if (vm->mode < MMU_32BIT || vm->mode > MMU_5LEVEL)
		return;
	f = mmu_format(&vm->boot_regs);
	s->f = f;
	s->top = f->levels - 1;
	s->bytes = f->entry_bytes;
	for (unsigned int l = 0; l < f->levels; l++) {
		s->shift[l] = (uint8_t)mmu_level_shift(f, l);
		s->entries[l] = (uint16_t)(1U << f->index_bits[l]);
	}
	s->frame_mask =
		vm->mode == MMU_32BIT ? 0xfffff000ULL : 0xffffffffff000ULL;
	if (vm->mode != MMU_32BIT) {
		uint64_t bits = MIN_OF(vm->boot_regs.phys_bits, 52);

		s->frame_mask &= (1ULL << bits) - 1;
		s->inverted = true;
	}
	s->no_exec = vm->boot_regs.nxe ? f->no_exec : 0;
	if (f->levels >= 4)
		s->soft_dirty = PTE_SOFT_DIRTY;
}

static enum mmu_mode
mode_of(const struct phys *phys, const struct vm_config *c)
{
	if (c->no_mmu)
		return MMU_NONE;
	if (c->mode != MMU_NONE)
		return c->mode;
	if (phys->arch == &archs[ARCH_I386])
		return MMU_32BIT;
	if (phys->arch == &archs[ARCH_I386_PAE])
		return MMU_PAE;
	return phys->arch == &archs[ARCH_X86_64] ? MMU_4LEVEL : MMU_NONE;
}

static uint8_t
phys_bits_of(const struct vm *vm, const struct vm_config *c)
{
	if (c->phys_bits)
		return (uint8_t)MIN_OF(MAX_OF(c->phys_bits, 32), 52);
	if (vm->mode == MMU_32BIT)
		return 32;
	return vm->mode == MMU_PAE ? 36 : 46;
}

static void
regs_init(struct vm *vm, const struct vm_config *c)
{
	bool wide = vm->mode >= MMU_PAE && vm->mode <= MMU_5LEVEL;

	vm->boot_regs = (struct mmu_regs){
		.mode = vm->mode,
		.format = c->format,
		.phys_bits = phys_bits_of(vm, c),
		.wp = !c->no_wp,
		.pse = true,
		.nxe = wide && !c->no_nx,
		.smep = c->smep,
		.smap = c->smap,
		.gb_pages =
			(vm->mode == MMU_4LEVEL || vm->mode == MMU_5LEVEL) &&
			!c->no_gb_pages,
		.base = c->base,
		.limit = c->limit,
	};
	vm->pcid =
		c->pcid && (vm->mode == MMU_4LEVEL || vm->mode == MMU_5LEVEL);
	vm->kpti = c->kpti && wide;
	vm->meltdown = c->meltdown;
	vm->page_shift =
		vm->mode == MMU_CUSTOM ? c->format->page_shift : VM_PAGE_SHIFT;
	vm->costs = c->costs ? *c->costs : vm_default_costs;
}

static void
sysctl_init(struct vm *vm, const struct vm_config *c)
{
	uint64_t free = 0;
	struct vm_sysctl_mm *s = &vm->sysctl;

	for (unsigned int i = 0; i < vm->phys->nr_zones; i++)
		free += (uint64_t)vm->phys->zones[i]->stat[ZS_nr_free_pages];
	free <<= vm->phys->page_shift - 10;
	s->overcommit_ratio = 50;
	s->max_map_count = 65530;
	s->mmap_min_addr = c->mmap_min_addr ? c->mmap_min_addr : 65536;
	s->stack_guard_gap = 256;
	s->admin_reserve_kbytes = MIN_OF(free / 32, 8192);
	s->user_reserve_kbytes = MIN_OF(free / 32, 131072);
	s->fault_around_bytes = KIB(64);
	s->flush_ceiling = 33;
	s->readahead_pages = 32;
}

static void
cpus_init(struct vm *vm, const struct vm_config *c)
{
	vm->nr_cpus = vm->phys->nr_cpus;
	vm->cpu = g_new0(struct vm_cpu, vm->nr_cpus);
	for (unsigned int i = 0; i < vm->nr_cpus; i++) {
		vm->cpu[i].regs = vm->boot_regs;
		vm->cpu[i].tlb =
			tlb_new(c->tlb ? c->tlb : tlb_default_geometry);
		tlb_set_page_shift(vm->cpu[i].tlb, vm->page_shift);
		tlb_keep_upper(vm->cpu[i].tlb, c->upper_caches);
	}
	if (c->cache)
		vm->caches = caches_new(c->cache, vm->nr_cpus,
					vm->phys->cpu_node, vm->phys->nr_nodes);
}

/* A page of the kernel's image: never allocated, never written. */
static pfn_t
find_zero_page(const struct phys *phys)
{
	const GArray *ranges = phys->memblock.reserved;
	pfn_t found = PFN_NONE;

	for (guint i = 0; i < ranges->len; i++) {
		const struct range *r = &g_array_index(ranges, struct range, i);
		pfn_t last = (r->end >> phys->page_shift) - 1;

		if (r->end < r->start + VM_PAGE || last >= phys->max_pfn ||
		    !phys_reserved(phys, last) || !phys_present(phys, last))
			continue;
		if (found == PFN_NONE || r->start <= KERNEL_IMAGE)
			found = last;
	}
	return found;
}

static void
add_init(struct vm *vm)
{
	struct task *t = g_new0(struct task, 1);

	t->vm = vm;
	t->pid = t->tgid = 1;
	t->asleep = true;
	t->state = TASK_SLEEPING;
	snprintf(t->comm, sizeof(t->comm), "init");
	for (int i = 0; i < NR_RLIMITS; i++)
		t->rlimit[i] = LIMIT_INFINITY;
	t->rlimit[LIMIT_STACK] = MIB(8);
	t->rlimit[LIMIT_MEMLOCK] = MIB(8);
	g_ptr_array_add(vm->tasks, t);
	g_hash_table_insert(vm->by_pid, GINT_TO_POINTER(1), t);
	vm->last_pid = 1;
}

struct vm *
vm_boot(struct phys *phys, struct ram *ram, struct symbols *symbols,
	const struct vm_config *config)
{
	struct vm *vm = g_new0(struct vm, 1);

	vm->phys = phys;
	vm->ram = ram;
	vm->symbols = symbols;
	vm->printk = config->printk;
	vm->printk_user = config->printk_user;
	vm->mode =
		phys->page_shift == VM_PAGE_SHIFT || config->mode >= MMU_CUSTOM
			? mode_of(phys, config)
			: MMU_NONE;
	regs_init(vm, config);
	shape_init(vm);
	layout_init(vm);
	sysctl_init(vm, config);
	cpus_init(vm, config);
	vm->mms = g_ptr_array_new();
	vm->tasks = g_ptr_array_new();
	vm->by_pid = g_hash_table_new(NULL, NULL);
	vm->by_name = g_hash_table_new(g_str_hash, g_str_equal);
	vm->files = g_hash_table_new(g_str_hash, g_str_equal);
	vm->objects = g_hash_table_new(NULL, NULL);
	vm->anon = g_hash_table_new(NULL, NULL);
	vm->pins = g_hash_table_new(NULL, NULL);
	vm->zero_page = find_zero_page(phys);
	vm->thp = thp_new(vm);
	vm->hugetlb = hugetlb_new(vm);
	hugetlb_boot(vm);
	kernel_half_new(vm, config->kernel);
	vm->generation = vm->tables = 1;
	add_init(vm);
	return vm;
}

int
pages_make(struct vm *vm)
{
	void *at;

	if (vm->pages)
		return 0;
	vm->pages_bytes = vm->phys->max_pfn * sizeof(*vm->pages);
	at = mmap(NULL, vm->pages_bytes, PROT_READ | PROT_WRITE,
		  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (at == MAP_FAILED)
		return -ENOSPC;
	vm->pages = at;
	return 0;
}

int
vm_start(struct vm *vm, unsigned int cpu)
{
	struct mm *mm;
	int err;

	if (!vm->shape.f)
		return -ENOSYS;
	err = pages_make(vm);
	if (err)
		return err;
	if (vm->init_mm)
		return 0;
	mm = g_new0(struct mm, 1);
	mm->vm = vm;
	mm->users = 1;
	mm->gen = 1;
	mm->areas = g_ptr_array_new();
	mm->cpus = g_new0(uint64_t, (vm->nr_cpus + 63) / 64);
	err = pt_new(vm, mm, cpu);
	if (err) {
		g_ptr_array_free(mm->areas, TRUE);
		g_free(mm->cpus);
		g_free(mm);
		return err;
	}
	vm->init_mm = mm;
	return 0;
}

bool
vm_tick(struct vm *vm)
{
	return vm->thp && khugepaged_tick(vm);
}

static void
mm_free_host(struct mm *mm)
{
	for (guint i = 0; i < mm->areas->len; i++) {
		struct vma *v = vma_nth(mm, i);

		g_free(v->chain);
		hugetlb_resv_put(v);
		g_free(v);
	}
	g_ptr_array_free(mm->areas, TRUE);
	g_free(mm->cpus);
	g_free(mm);
}

static void
objects_free_host(struct vm *vm)
{
	GHashTableIter it;
	gpointer value;

	g_hash_table_iter_init(&it, vm->objects);
	while (g_hash_table_iter_next(&it, NULL, &value)) {
		struct vm_object *o = value;

		page_tree_free(o->pages);
		if (o->reserved)
			g_hash_table_destroy(o->reserved);
		g_ptr_array_free(o->areas, TRUE);
		device_free(o);
		g_free(o->name);
		g_free(o);
	}
	g_hash_table_iter_init(&it, vm->anon);
	while (g_hash_table_iter_next(&it, NULL, &value)) {
		struct anon_vma *a = value;

		g_ptr_array_free(a->areas, TRUE);
		if (a->below)
			g_ptr_array_free(a->below, TRUE);
		g_free(a);
	}
}

void
vm_free(struct vm *vm)
{
	if (!vm)
		return;
	kernel_half_free(vm->kernel);
	for (guint i = 0; i < vm->tasks->len; i++) {
		struct task *t = g_ptr_array_index(vm->tasks, i);

		g_free(t->name);
		g_free(t);
	}
	for (guint i = 0; i < vm->mms->len; i++)
		mm_free_host(g_ptr_array_index(vm->mms, i));
	if (vm->init_mm)
		mm_free_host(vm->init_mm);
	objects_free_host(vm);
	for (unsigned int i = 0; i < vm->nr_cpus; i++)
		tlb_free(vm->cpu[i].tlb);
	g_free(vm->cpu);
	caches_free(vm->caches);
	g_ptr_array_free(vm->mms, TRUE);
	g_ptr_array_free(vm->tasks, TRUE);
	g_hash_table_destroy(vm->by_pid);
	g_hash_table_destroy(vm->by_name);
	g_hash_table_destroy(vm->files);
	g_hash_table_destroy(vm->objects);
	g_hash_table_destroy(vm->anon);
	g_hash_table_destroy(vm->pins);
	thp_free(vm);
	hugetlb_free(vm);
	if (vm->pages)
		munmap(vm->pages, vm->pages_bytes);
	g_free(vm);
}

void
vm_bytes_changed(struct vm *vm, pa_t at, uint64_t len)
{
	pfn_t end;

	/* Tables may be where nobody knows of any. */
	if (vm->hand_made && len) {
		vm->generation++;
		vm->tables++;
		return;
	}
	if (!vm->pages || !len || at >= vm->phys->max_pfn << VM_PAGE_SHIFT)
		return;
	len = MIN_OF(len, (vm->phys->max_pfn << VM_PAGE_SHIFT) - at);
	end = (at + len - 1) >> VM_PAGE_SHIFT;
	for (pfn_t pfn = at >> VM_PAGE_SHIFT; pfn <= end; pfn++) {
		uint32_t number;

		if (!frame_owned_by(vm->phys->frames[pfn].owner, OWNER_PGTABLE,
				    &number))
			continue;
		vm->generation++;
		vm->tables++;
		return;
	}
}
