// SPDX-License-Identifier: MIT
/*
 * ops_bytes.c - bytes written to modelled memory from outside
 *
 * What it models: a debugger that writes to physical memory, or to the pages
 * of one allocation.  A write goes where its file ends at most (EFBIG), into
 * RAM only (EFAULT), and is done as a whole or not at all.  Past an object it
 * goes as far as its slab: what is damaged is found by who checks it.
 */
#include "ops_task_impl.h"

#include "kmemfs/base/text.h"

#include <errno.h>
#include <string.h>

/* The memory behind one file. */
struct extent {
	pa_t start; /* of a mapping: its virtual address */
	uint64_t size;
	const struct allocation *area; /* a mapping; NULL: none */
};

static int
find_page(struct op *op, const char *number, struct extent *e)
{
	const struct phys *phys = op->m->phys;
	uint64_t pfn;

	if (!text_u64(number, &pfn) || pfn >= phys->max_pfn)
		return op_refuse(op, ARG_BYTES_WRITE_PATH, ENOENT,
				 "there is no page %s", number);
	e->start = pfn << phys->page_shift;
	e->size = page_size(phys);
	return 0;
}

static int
find_allocation(struct op *op, const char *name, struct extent *e)
{
	const struct allocation *a = allocation_find(op->m, name);

	if (!a)
		return op_refuse(op, ARG_BYTES_WRITE_PATH, ENOENT,
				 "there is no allocation called %s", name);
	e->area = a->kind == ALLOCATION_AREA ? a : NULL;
	e->start = e->area ? a->address : allocation_start(op->m, a);
	e->size = e->area ? a->size : allocation_reach(op->m, a);
	return 0;
}

static int
find_bootmem(struct op *op, const char *name, struct extent *e)
{
	const struct machine *m = op->m;
	const GArray *requests = m->config->phys.bootmem;

	for (guint i = 0; requests && i < requests->len; i++) {
		const struct boot_grant *grant =
			&g_array_index(m->phys->bootmem, struct boot_grant, i);

		if (grant->freed ||
		    strcmp(g_array_index(requests, struct boot_request, i).name,
			   name))
			continue;
		e->start = grant->range.start;
		e->size = grant->range.end - e->start;
		return 0;
	}
	return op_refuse(op, ARG_BYTES_WRITE_PATH, ENOENT,
			 "nothing called %s was got while booting", name);
}

static int
find_ram(struct op *op, const char *rest, struct extent *e)
{
	(void)rest;
	e->start = 0;
	e->size = ram_end(op->m->ram);
	return 0;
}

static const struct {
	const char *prefix;
	bool whole; /* nothing follows it */
	int (*find)(struct op *op, const char *rest, struct extent *e);
} places[] = {
	{"ram",		true,  find_ram	      },
	{"pages/",	   false, find_page	   },
	{"allocations/", false, find_allocation},
	{"bootmem/",     false, find_bootmem	},
};

static int
find_place(struct op *op, const char *path, struct extent *e)
{
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		size_t len = strlen(places[i].prefix);

		if (!strncmp(path, places[i].prefix, len) &&
		    !(places[i].whole && path[len]))
			return places[i].find(op, path + len, e);
	}
	return op_refuse(op, ARG_BYTES_WRITE_PATH, EINVAL,
			 "%s: it must be ram, pages/PFN, allocations/NAME or "
			 "bootmem/NAME",
			 path);
}

/* To the pages of the kernel's own mapping, as a whole. */
static int
write_kernel(struct op *op, const struct args_bytes_write *a, va_t at)
{
	struct machine *m = op->m;

	for (uint64_t done = 0, part; done < a->data.len; done += part) {
		pa_t pa = kernel_lookup(m->vm, at + done);

		part = MIN_OF(a->data.len - done,
			      VM_PAGE - ((at + done) & (VM_PAGE - 1)));
		if (pa == UINT64_MAX || !machine_is_ram(m, pa, part))
			return op_refuse(op, ARG_BYTES_WRITE_OFFSET, EFAULT,
					 "%#llx leads to no memory",
					 (unsigned long long)(at + done));
		if (ram_may_write(m->ram, pa, part))
			return op_refuse(
				op, -1, ENOSPC,
				"the daemon may hold %llu bytes of "
				"written memory, no more (ram-limit)",
				(unsigned long long)m->config->ram_limit);
	}
	if (kernel_write(m->vm, at, a->data.data, a->data.len) < a->data.len)
		return op_refuse(op, -1, ENOSPC,
				 "the daemon may hold %llu bytes of written "
				 "memory, no more (ram-limit)",
				 (unsigned long long)m->config->ram_limit);
	op_answer(op, "address=%#llx bytes=%zu", (unsigned long long)at,
		  a->data.len);
	return 0;
}

static int
write_area(struct op *op, const struct args_bytes_write *a,
	   const struct extent *e)
{
	struct task *t = area_task(op->m, e->area);
	va_t at = e->start + a->offset;

	return t ? op_poke_user(op, t, at, &a->data, EFAULT)
		 : write_kernel(op, a, at);
}

int
op_bytes_write(struct op *op, struct args_bytes_write *a)
{
	struct machine *m = op->m;
	struct extent e = {0};
	pa_t at;
	int err = find_place(op, a->path, &e);

	if (err)
		return err;
	if (!a->data.len)
		return op_refuse(op, ARG_BYTES_WRITE_DATA, EINVAL,
				 "there are no bytes to write");
	if (a->offset > e.size || a->data.len > e.size - a->offset)
		return op_refuse(op, ARG_BYTES_WRITE_OFFSET, EFBIG,
				 "%s ends at offset %llu", a->path,
				 (unsigned long long)e.size);
	if (e.area)
		return write_area(op, a, &e);
	at = e.start + a->offset;
	if (!machine_is_ram(m, at, a->data.len))
		return op_refuse(op, ARG_BYTES_WRITE_OFFSET, EFAULT,
				 "%#llx to %#llx is not all RAM",
				 (unsigned long long)at,
				 (unsigned long long)(at + a->data.len - 1));
	err = ram_write(m->ram, at, a->data.data, a->data.len);
	if (err)
		return op_refuse(op, -1, -err,
				 "the daemon may hold %llu bytes of written "
				 "memory, no more (ram-limit)",
				 (unsigned long long)m->config->ram_limit);
	vm_bytes_changed(m->vm, at, a->data.len);
	op_answer(op, "address=%#llx bytes=%zu", (unsigned long long)at,
		  a->data.len);
	return 0;
}
