// SPDX-License-Identifier: MIT
/*
 * ops_kernel_area.c - vmalloc, vmap, vm_map_ram, ioremap, and their ends
 */
#include "ops_kernel_impl.h"

#include "caller_impl.h"
#include "ops_task_impl.h"

#include <errno.h>
#include <string.h>

#define ENDS_VMALLOC "vm/vfree"
#define ENDS_VMAP "vm/vunmap"
#define ENDS_RAM "vm/vm_unmap_ram"
#define ENDS_DEVICE "vm/iounmap"

static int
no_mapping(const struct mapping *g, const char *call, int err)
{
	if (err == -ENOMEM)
		return op_fail(g->op, ENOMEM,
			       "%s: no pages or no addresses: see dmesg", call);
	return mapping_failed(g->op, call, err);
}

int
op_vm_vmalloc(struct op *op, struct args_vm_vmalloc *a)
{
	struct mapping g = MAPPING(op, a, a->gfp, VMALLOC);
	struct kernel_request q;
	struct kernel_area *area;
	int err = check_mapping(&g);

	if (!err)
		err = begin_mapping(&g, &q);
	if (err)
		return err;
	q.module = a->module;
	err = kernel_vmalloc(op->m->vm, &q, a->size, &area);
	if (err)
		return no_mapping(&g, "vmalloc", err);
	record_mapping(&g, area->start, a->size, area->nr_pages, ENDS_VMALLOC);
	return 0;
}

/* --- pages of others ------------------------------------------------------ */

struct pages {
	const pfn_t *pfns;
	uint64_t nr;
	bool put;
};

typedef int (*map_fn)(struct vm *vm, const struct kernel_request *q,
		      const struct pages *pages, va_t *at);

static int
do_vmap(struct vm *vm, const struct kernel_request *q, const struct pages *p,
	va_t *at)
{
	struct kernel_area *area;
	int err = kernel_vmap(vm, q, p->pfns, p->nr, p->put, &area);

	if (!err)
		*at = area->start;
	return err;
}

static int
do_map_ram(struct vm *vm, const struct kernel_request *q, const struct pages *p,
	   va_t *at)
{
	return kernel_map_ram(vm, q, p->pfns, p->nr, at);
}

static int
map_pages(struct mapping *g, int param, const char *words, bool put, map_fn map,
	  const char *call, const char *end)
{
	GArray *pfns = g_array_new(FALSE, FALSE, sizeof(pfn_t));
	struct kernel_request q;
	struct pages pages;
	va_t at;
	int err = find_frames(g->op, param, words, pfns);

	if (!err)
		err = check_mapping(g);
	if (!err)
		err = begin_mapping(g, &q);
	if (!err) {
		pages = (struct pages){(const pfn_t *)(const void *)pfns->data,
				       pfns->len, put};
		err = map(g->op->m->vm, &q, &pages, &at);
		if (err)
			no_mapping(g, call, err);
		else
			record_mapping(g, at, pages.nr << VM_PAGE_SHIFT,
				       pages.nr, end);
	}
	g_array_free(pfns, TRUE);
	return err;
}

int
op_vm_vmap(struct op *op, struct args_vm_vmap *a)
{
	struct mapping g = MAPPING(op, a, GFP_KERNEL, VMAP);

	return map_pages(&g, ARG_VM_VMAP_PAGES, a->pages, a->put, do_vmap,
			 "vmap", a->put ? ENDS_VMALLOC : ENDS_VMAP);
}

int
op_vm_vm_map_ram(struct op *op, struct args_vm_vm_map_ram *a)
{
	struct mapping g = MAPPING(op, a, GFP_KERNEL, VM_MAP_RAM);

	return map_pages(&g, ARG_VM_VM_MAP_RAM_PAGES, a->pages, false,
			 do_map_ram, "vm_map_ram", ENDS_RAM);
}

/* --- devices -------------------------------------------------------------- */

int
op_vm_ioremap(struct op *op, struct args_vm_ioremap *a)
{
	struct mapping g = MAPPING(op, a, GFP_KERNEL, IOREMAP);
	struct kernel_request q;
	unsigned int mode = 0;
	va_t at;
	int err;

	while (mode < NR_CACHE_MODES && strcmp(cache_mode_names[mode], a->mode))
		mode++;
	if (mode >= CACHE_WP)
		return op_refuse(op, ARG_VM_IOREMAP_MODE, EINVAL,
				 "%s: wb, wc, uc-, uc or wt", a->mode);
	err = check_mapping(&g);
	if (!err)
		err = begin_mapping(&g, &q);
	if (err)
		return err;
	err = kernel_ioremap(op->m->vm, &q, a->physical, a->size,
			     (enum cache_mode)mode, &at);
	if (err == -EINVAL)
		return op_fail(op, EINVAL,
			       "ioremap: no bytes, or no physical address");
	if (err == -EBUSY)
		return op_fail(op, EBUSY,
			       "ioremap: the kernel refuses: see dmesg");
	if (err)
		return no_mapping(&g, "ioremap", err);
	record_mapping(&g, at, a->size,
		       kernel_area_at(op->m->vm->kernel, at)->nr_pages,
		       ENDS_DEVICE);
	op_answer(
		op, " mode=%s",
		cache_mode_names[kernel_area_at(op->m->vm->kernel, at)->mode]);
	return 0;
}

/* --- ends ----------------------------------------------------------------- */

typedef int (*end_fn)(struct vm *vm, va_t va, unsigned int cpu);

/* An area of somebody's stack or of the interrupts' is not given away: a kernel
 * that frees it would run on. */
static int
check_stack(struct op *op, int param, va_t va)
{
	const struct vm *vm = op->m->vm;
	const struct kernel_area *area = kernel_area_at(vm->kernel, va);
	bool used = area && (area->flags & KA_STACK);

	for (unsigned int i = 0; area && !used && i < vm->nr_cpus; i++)
		used = area->start == vm->kernel->irq_stack[i] ||
		       area->start == vm->kernel->softirq_stack[i];
	if (used)
		return op_refuse(op, param, EBUSY,
				 "%#llx is a kernel stack in use",
				 (unsigned long long)va);
	return 0;
}

static int
end_mapping(struct op *op, int param, const char *word, uint64_t cpu,
	    end_fn end, const char *call)
{
	va_t va;
	int err = op_find_address(op, param, word, &va, NULL);

	if (!err)
		err = op_check_cpu(op, -1, cpu);
	if (!err)
		err = check_stack(op, param, va);
	if (err)
		return err;
	caller_stamp(op->m, cpu, CONTEXT_PROCESS);
	err = end(op->m->vm, va, (unsigned int)cpu);
	return err ? mapping_failed(op, call, err) : 0;
}

int
op_vm_vfree(struct op *op, struct args_vm_vfree *a)
{
	return end_mapping(op, ARG_VM_VFREE_ADDRESS, a->address, a->cpu,
			   kernel_vfree, "vfree");
}

int
op_vm_vunmap(struct op *op, struct args_vm_vunmap *a)
{
	return end_mapping(op, ARG_VM_VUNMAP_ADDRESS, a->address, a->cpu,
			   kernel_vunmap, "vunmap");
}

int
op_vm_iounmap(struct op *op, struct args_vm_iounmap *a)
{
	return end_mapping(op, ARG_VM_IOUNMAP_ADDRESS, a->address, a->cpu,
			   kernel_iounmap, "iounmap");
}

int
op_vm_vm_unmap_ram(struct op *op, struct args_vm_vm_unmap_ram *a)
{
	const struct allocation *found;
	uint64_t nr = a->count;
	va_t va;
	int err = op_find_address(op, ARG_VM_VM_UNMAP_RAM_ADDRESS, a->address,
				  &va, NULL);

	if (!err)
		err = op_check_cpu(op, -1, a->cpu);
	if (err)
		return err;
	found = area_at(op->m, 0, va);
	if (!nr && found)
		nr = found->nr_pages;
	err = kernel_unmap_ram(op->m->vm, va, nr, (unsigned int)a->cpu);
	if (err)
		return op_refuse(op, ARG_VM_VM_UNMAP_RAM_ADDRESS, EINVAL,
				 "no %llu pages were mapped at %#llx by "
				 "vm_map_ram (BUG_ON)",
				 (unsigned long long)nr,
				 (unsigned long long)va);
	return 0;
}

int
op_vm_purge_vmap_area_lazy(struct op *op,
			   struct args_vm_purge_vmap_area_lazy *a)
{
	int err = op_check_cpu(op, ARG_VM_PURGE_VMAP_AREA_LAZY_CPU, a->cpu);

	if (!err)
		op_answer(op, "pages=%llu",
			  (unsigned long long)kernel_purge(
				  op->m->vm, (unsigned int)a->cpu));
	return err;
}
