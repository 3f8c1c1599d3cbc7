// SPDX-License-Identifier: MIT
/*
 * kernel_half.c - the kernel half: made, used first, gone
 *
 * How it works: the record is made with the machine and takes nothing of it;
 * kernel_start() makes the top table and the interrupt stacks when something is
 * mapped for the first time.  What goes wrong then is tried again with the next
 * mapping.
 */
#include "kernel_impl.h"

#include <errno.h>

const char *const cache_mode_names[NR_CACHE_MODES] = {
	"wb", "wc", "uc-", "uc", "wt", "wp",
};

static void
config_fill(struct kernel_half *k, const struct kernel_config *config)
{
	struct vm *vm = k->vm;

	if (config)
		k->config = *config;
	if (!k->config.vmap_stack_set)
		k->config.vmap_stack = vm->mode >= MMU_4LEVEL;
	if (k->config.stack)
		vm->layout.stack_bytes = k->config.stack;
	k->config.stack = vm->layout.stack_bytes;
}

void
kernel_half_new(struct vm *vm, const struct kernel_config *config)
{
	struct kernel_half *k = g_new0(struct kernel_half, 1);
	const struct vm_layout *l = &vm->layout;

	k->vm = vm;
	vm->kernel = k;
	config_fill(k, config);
	k->areas = g_ptr_array_new();
	rangeset_init(&k->free);
	rangeset_init(&k->lazy);
	if (l->vmalloc_end > l->vmalloc_start)
		rangeset_add(&k->free, l->vmalloc_start, l->vmalloc_end, 0);
	if (l->modules_end > l->modules && l->modules > l->vmalloc_end)
		rangeset_add(&k->free, l->modules, l->modules_end, 0);
	k->blocks = g_array_new(FALSE, FALSE, sizeof(struct kernel_block));
	k->rams = g_hash_table_new(NULL, NULL);
	k->pkmap_count = g_new0(uint32_t, l->pkmap_slots);
	k->pkmap_pfn = g_new0(pfn_t, l->pkmap_slots);
	k->pkmap_of = g_hash_table_new(NULL, NULL);
	g_queue_init(&k->waiters);
	k->idle = g_new0(struct kernel_local, vm->nr_cpus);
	k->typed = g_new0(uint64_t, (size_t)vm->nr_cpus * KM_TYPE_NR);
	k->stacks =
		g_new0(struct kernel_area *, (size_t)vm->nr_cpus * STACK_CACHE);
	k->irq_stack = g_new0(va_t, vm->nr_cpus);
	k->softirq_stack = g_new0(va_t, vm->nr_cpus);
}

void
kernel_half_free(struct kernel_half *k)
{
	if (!k)
		return;
	for (guint i = 0; i < k->areas->len; i++)
		kernel_area_free(g_ptr_array_index(k->areas, i));
	for (guint i = 0; i < k->vm->tasks->len; i++) {
		struct task *t = g_ptr_array_index(k->vm->tasks, i);

		g_free(t->impl);
		t->impl = NULL;
	}
	g_ptr_array_free(k->areas, TRUE);
	rangeset_fini(&k->free);
	rangeset_fini(&k->lazy);
	g_array_free(k->blocks, TRUE);
	g_hash_table_destroy(k->rams);
	g_free(k->pkmap_count);
	g_free(k->pkmap_pfn);
	g_hash_table_destroy(k->pkmap_of);
	g_queue_clear_full(&k->waiters, g_free);
	g_free(k->idle);
	g_free(k->typed);
	g_free(k->stacks);
	g_free(k->irq_stack);
	g_free(k->softirq_stack);
	g_free(k);
}

int
kernel_start(struct vm *vm, unsigned int cpu)
{
	struct kernel_half *k = vm->kernel;
	int err;

	if (!vm->shape.f || vm->mode < MMU_32BIT || vm->mode > MMU_5LEVEL)
		return -ENOSYS;
	err = vm_start(vm, cpu);
	if (err)
		return err;
	k->started = true;
	if (k->irq_stacks)
		return 0;
	/* Areas for the stacks come back here. */
	k->irq_stacks = true;
	err = kernel_irq_stacks(vm, cpu);
	k->irq_stacks = !err;
	return err;
}
