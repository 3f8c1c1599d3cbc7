// SPDX-License-Identifier: MIT
/*
 * ops_bootmem.c - the boot's allocators, called when the boot is over
 *
 * What it models: ___alloc_bootmem_nopanic and memblock_alloc_internal when
 * slab_is_available(): a warning, once, and kzalloc(GFP_NOWAIT) instead;
 * free_bootmem_late.
 *
 * Differs from the kernel: alloc_bootmem panics when kzalloc gives nothing;
 * here it says so and fails.
 */
#include "kmemfs/ops.h"

#include "kmemfs/slab/kmalloc.h"

#include "ops_slab_impl.h"

#include <errno.h>
#include <string.h>

static int
ask(struct op *op, uint64_t size, const char **name, int size_param,
    int name_param, const char *caller)
{
	struct machine *m = op->m;
	struct calling c = {.op = op,
			    .gfp = GFP_NOWAIT | __GFP_ZERO,
			    .node = NODE_LOCAL,
			    .caller = caller};
	struct slab_request who;
	struct allocation *a;
	va_t address;
	int err = op_check_new_name(op, name_param, *name);

	if (!err && (!size || size >> 51))
		err = op_refuse(op, size_param, EINVAL,
				"it has a byte at least, and a memory's worth "
				"at most");
	if (!err)
		err = check_calling(&c, 1);
	if (err)
		return err;
	begin_calling(&c, &who);
	machine_printk(m, "------------[ cut here ]------------");
	machine_printk(m, "WARNING: %s after the boot's allocator is gone",
		       strchr(op->desc->name, '/') + 1);
	err = kmalloc(m->slab, size, &who, &address);
	if (err) {
		machine_printk(m, "bootmem alloc of %llu bytes failed!",
			       (unsigned long long)size);
		return op_fail(op, ENOMEM,
			       "the boot is over, so this is kzalloc(%llu), "
			       "which gives nothing: while booting it would "
			       "have been had ([bootmem] of the machine file)",
			       (unsigned long long)size);
	}
	c.large = !slab_of(m->slab, address);
	a = record_object(&c, name, address, size, 0, "slab/kfree");
	answer_object(op, a);
	return 0;
}

#define ASK(op, a, ID)                                                         \
	ask(op, (a)->size, &(a)->name, ARG_BOOTMEM_##ID##_SIZE,                \
	    ARG_BOOTMEM_##ID##_NAME, (a)->caller)

int
op_bootmem_alloc_bootmem(struct op *op, struct args_bootmem_alloc_bootmem *a)
{
	return ASK(op, a, ALLOC_BOOTMEM);
}

int
op_bootmem_alloc_bootmem_low(struct op *op,
			     struct args_bootmem_alloc_bootmem_low *a)
{
	return ASK(op, a, ALLOC_BOOTMEM_LOW);
}

int
op_bootmem_alloc_bootmem_pages(struct op *op,
			       struct args_bootmem_alloc_bootmem_pages *a)
{
	return ASK(op, a, ALLOC_BOOTMEM_PAGES);
}

int
op_bootmem_alloc_bootmem_low_pages(
	struct op *op, struct args_bootmem_alloc_bootmem_low_pages *a)
{
	return ASK(op, a, ALLOC_BOOTMEM_LOW_PAGES);
}

int
op_bootmem_memblock_alloc(struct op *op, struct args_bootmem_memblock_alloc *a)
{
	return ASK(op, a, MEMBLOCK_ALLOC);
}

int
op_bootmem_free_bootmem(struct op *op, struct args_bootmem_free_bootmem *a)
{
	struct machine *m = op->m;
	const GArray *requests = m->config->phys.bootmem;

	for (guint i = 0; requests && i < requests->len; i++) {
		const struct boot_request *r =
			&g_array_index(requests, struct boot_request, i);

		if (strcmp(r->name, a->buffer) ||
		    g_array_index(m->phys->bootmem, struct boot_grant, i).freed)
			continue;
		machine_tell_entry(m, ENTRY_BOOTREQ, NULL, r->name);
		op_answer(op, "pages=%llu",
			  (unsigned long long)phys_free_bootmem(m->phys, i));
		return 0;
	}
	return op_refuse(op, ARG_BOOTMEM_FREE_BOOTMEM_BUFFER, ENOENT,
			 "%s is no memory that was got while booting",
			 a->buffer);
}
