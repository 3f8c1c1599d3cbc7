// SPDX-License-Identifier: MIT
/*
 * kernel_kmap.c - kmap: slots for pages that have no address of their own
 *
 * What it models: kmap_high, map_new_virtual, flush_all_zero_pkmaps,
 * kunmap_high, page_address (mm/highmem.c).
 *
 * How it works: one table of leaves, 1024 slots or 512 with PAE, and a count a
 * slot: 0 free; 1 nobody uses it, but it is still mapped and TLBs may know it;
 * n + 1 has n users.  Slots are taken in a circle; when it closes, all that
 * nobody uses are unmapped and one flush makes TLBs forget them.  With none
 * left the caller sleeps until one is given back: who slept longest gets it.
 *
 * Low pages, and so all of 64-bit machines, have an address already.
 *
 * Always true: a slot has an entry exactly when its count is not 0.
 */
#include "kernel_impl.h"

#include <errno.h>
#include <inttypes.h>

static inline bool
is_high(const struct vm *vm, pfn_t pfn)
{
	return vm->mode < MMU_4LEVEL && pfn >= vm->phys->max_low_pfn;
}

static inline va_t
slot_va(const struct vm *vm, unsigned int slot)
{
	return vm->layout.pkmap_base + ((va_t)slot << VM_PAGE_SHIFT);
}

/* The slot that maps @pfn, -1. */
static int
slot_of(const struct vm *vm, pfn_t pfn)
{
	return (int)(uintptr_t)g_hash_table_lookup(vm->kernel->pkmap_of,
						   (gpointer)(uintptr_t)pfn) -
	       1;
}

va_t
kernel_page_address(const struct vm *vm, pfn_t pfn)
{
	int slot = slot_of(vm, pfn);

	if (!is_high(vm, pfn))
		return vm->layout.page_offset + (pfn << VM_PAGE_SHIFT);
	return slot < 0 ? 0 : slot_va(vm, (unsigned int)slot);
}

/* flush_all_zero_pkmaps() */
static void
flush_unused(struct vm *vm, unsigned int cpu)
{
	struct kernel_half *k = vm->kernel;
	unsigned int nr = vm->layout.pkmap_slots;
	bool any = false;

	for (unsigned int i = 0; i < nr; i++) {
		if (k->pkmap_count[i] != 1)
			continue;
		k->pkmap_count[i] = 0;
		kernel_clear(vm, slot_va(vm, i), 1);
		g_hash_table_remove(k->pkmap_of,
				    (gpointer)(uintptr_t)k->pkmap_pfn[i]);
		k->pkmap_pfn[i] = 0;
		any = true;
	}
	if (!any)
		return;
	kernel_flush(vm, slot_va(vm, 0), slot_va(vm, nr), cpu);
	k->pkmap_flushes++;
}

/* The next free slot in the circle, -1: none. */
static int
find_slot(struct vm *vm, unsigned int cpu)
{
	struct kernel_half *k = vm->kernel;
	unsigned int nr = vm->layout.pkmap_slots, left = nr;

	for (;;) {
		k->last_pkmap = (k->last_pkmap + 1) % nr;
		if (!k->last_pkmap) {
			flush_unused(vm, cpu);
			left = nr;
		}
		if (!k->pkmap_count[k->last_pkmap])
			return (int)k->last_pkmap;
		/* A second time round would find nothing more. */
		if (!--left)
			return -1;
	}
}

/* map_new_virtual() */
static int
map_new(struct vm *vm, unsigned int cpu, pfn_t pfn, int *slot)
{
	struct kernel_half *k = vm->kernel;
	const struct kernel_source from = {&pfn, 0, kernel_prot(vm)};
	unsigned int i;
	int err;

	*slot = find_slot(vm, cpu);
	if (*slot < 0)
		return -EAGAIN;
	i = (unsigned int)*slot;
	err = kernel_enter(vm, slot_va(vm, i), &from, 1, cpu);
	if (err)
		return err;
	k->pkmap_count[i] = 1;
	k->pkmap_pfn[i] = pfn;
	g_hash_table_insert(k->pkmap_of, (gpointer)(uintptr_t)pfn,
			    (gpointer)(uintptr_t)(i + 1));
	return 0;
}

static void
sleep_on(struct kernel_half *k, const struct task *t, pfn_t pfn)
{
	struct kmap_waiter *w;

	k->kmap_sleeps++;
	if (k->waiters.length >= KMAP_WAITERS_MOST)
		return;
	w = g_new(struct kmap_waiter, 1);
	*w = (struct kmap_waiter){pfn, t ? t->pid : 0};
	g_queue_push_tail(&k->waiters, w);
}

int
kernel_kmap(struct vm *vm, unsigned int cpu, const struct task *t, pfn_t pfn,
	    va_t *at)
{
	int err = kernel_start(vm, cpu), slot;

	if (err)
		return err;
	if (!is_high(vm, pfn)) {
		*at = kernel_page_address(vm, pfn);
		return 0;
	}
	slot = slot_of(vm, pfn);
	if (slot < 0)
		err = map_new(vm, cpu, pfn, &slot);
	if (err == -EAGAIN)
		sleep_on(vm->kernel, t, pfn);
	if (err)
		return err;
	vm->kernel->pkmap_count[slot]++;
	*at = slot_va(vm, (unsigned int)slot);
	return 0;
}

/* A slot came free: the oldest sleeper tries again. */
static pfn_t
wake(struct vm *vm, unsigned int cpu)
{
	struct kernel_half *k = vm->kernel;
	struct kmap_waiter *w = g_queue_pop_head(&k->waiters);
	pfn_t pfn;
	int slot;

	if (!w)
		return PFN_NONE;
	pfn = w->pfn;
	slot = slot_of(vm, pfn);
	if (slot < 0 && map_new(vm, cpu, pfn, &slot)) {
		g_queue_push_head(&k->waiters, w);
		return PFN_NONE;
	}
	k->pkmap_count[slot]++;
	g_free(w);
	return pfn;
}

int
kernel_kunmap(struct vm *vm, unsigned int cpu, pfn_t pfn, pfn_t *woken)
{
	struct kernel_half *k = vm->kernel;
	int slot;

	*woken = PFN_NONE;
	if (!is_high(vm, pfn))
		return 0;
	slot = slot_of(vm, pfn);
	if (slot < 0 || k->pkmap_count[slot] < 2) {
		vm_printk(vm,
			  "kernel BUG at mm/highmem.c: kunmap of pfn %" PRIu64
			  ", which nobody has mapped",
			  pfn);
		return -EINVAL;
	}
	if (--k->pkmap_count[slot] == 1)
		*woken = wake(vm, cpu);
	return 0;
}
