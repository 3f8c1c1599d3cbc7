// SPDX-License-Identifier: MIT
/*
 * kernel_digest.c - the state of the kernel half as a stream of numbers
 *
 * How it works: areas by address, sets of addresses, slots; counts of flushes
 * are left out, as are the entries, whose bytes are RAM's.
 */
#include "kernel_impl.h"

static void
put_area(const struct kernel_half *k, const struct number_stream *to,
	 const struct kernel_area *a)
{
	stream_put(to, (uint64_t)a->id << 32 | a->flags);
	stream_put(to, a->start);
	stream_put(to, a->end);
	stream_put(to, a->caller);
	stream_put(to, a->phys);
	stream_put(to, (uint64_t)a->mode << 32 | (a->array ? a->array->id : 0));
	stream_put(to, a->nr_pages);
	for (uint64_t n = 0; a->pages && n < a->nr_pages; n++) {
		gconstpointer at =
			(gconstpointer)(uintptr_t)(a->start +
						   (n << VM_PAGE_SHIFT));

		stream_put(to, a->pages[n]);
		if (a->flags & KA_RAM)
			stream_put(to,
				   (uintptr_t)g_hash_table_lookup(k->rams, at));
	}
}

static void
put_set(const struct number_stream *to, const struct rangeset *set)
{
	stream_put(to, rangeset_size(set));
	for (unsigned int i = 0; i < rangeset_size(set); i++) {
		stream_put(to, rangeset_at(set, i)->start);
		stream_put(to, rangeset_at(set, i)->end);
	}
}

static void
put_local(const struct number_stream *to, const struct kernel_local *l)
{
	stream_put(to, l ? l->nr : 0);
	stream_put(to, l ? l->depth : 0);
	for (unsigned int i = 0; l && i < l->nr; i++)
		stream_put(to, l->entry[i]);
}

static void
put_kmap(const struct number_stream *to, const struct kernel_half *k)
{
	const struct vm *vm = k->vm;

	stream_put(to, k->last_pkmap);
	for (unsigned int i = 0; i < vm->layout.pkmap_slots; i++) {
		if (!k->pkmap_count[i])
			continue;
		stream_put(to, (uint64_t)i << 32 | k->pkmap_count[i]);
		stream_put(to, k->pkmap_pfn[i]);
	}
	for (const GList *w = k->waiters.head; w; w = w->next) {
		const struct kmap_waiter *waiter = w->data;

		stream_put(to, waiter->pfn);
		stream_put(to, (uint64_t)waiter->pid);
	}
}

static void
put_cpu(const struct number_stream *to, const struct kernel_half *k,
	unsigned int cpu)
{
	put_local(to, &k->idle[cpu]);
	for (unsigned int type = 0; type < KM_TYPE_NR; type++)
		stream_put(to, k->typed[cpu * KM_TYPE_NR + type]);
	for (unsigned int i = 0; i < STACK_CACHE; i++) {
		const struct kernel_area *a = k->stacks[cpu * STACK_CACHE + i];

		stream_put(to, a ? a->id : 0);
	}
	stream_put(to, k->irq_stack[cpu]);
	stream_put(to, k->softirq_stack[cpu]);
}

void
kernel_digest(const struct vm *vm, const struct number_stream *to)
{
	const struct kernel_half *k = vm->kernel;

	if (!k || !k->started)
		return;
	stream_put(to, k->last_area);
	stream_put(to, k->vmalloc_pages);
	stream_put(to, k->leaked_pages);
	for (guint i = 0; i < k->areas->len; i++)
		put_area(k, to, g_ptr_array_index(k->areas, i));
	put_set(to, &k->free);
	put_set(to, &k->lazy);
	for (guint i = 0; i < k->blocks->len; i++) {
		const struct kernel_block *b =
			&g_array_index(k->blocks, struct kernel_block, i);

		stream_put(to, (uint64_t)b->area->id << 32 | b->cpu);
		stream_put(to, (uint64_t)b->free << 32 | b->dirty);
	}
	put_kmap(to, k);
	for (unsigned int i = 0; i < vm->nr_cpus; i++)
		put_cpu(to, k, i);
	for (guint i = 0; i < vm->tasks->len; i++) {
		const struct task *t = g_ptr_array_index(vm->tasks, i);

		put_local(to, t->impl);
	}
}
