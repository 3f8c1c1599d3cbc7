// SPDX-License-Identifier: MIT
/*
 * ops_bytes.c - bytes written to modelled memory from outside
 *
 * What it models: a debugger that writes to physical memory, or to the pages
 * of one allocation.  A write goes where its file ends at most (EFBIG), into
 * RAM only (EFAULT), and is done as a whole or not at all.  Past an object it
 * goes as far as its slab: what is damaged is found by who checks it.
 */
#include "kmemfs/ops.h"

#include "kmemfs/base/text.h"

#include <errno.h>
#include <string.h>

/* The memory behind one file. */
struct extent {
	pa_t start;
	uint64_t size;
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
	e->start = allocation_start(op->m, a);
	e->size = allocation_reach(op->m, a);
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

int
op_bytes_write(struct op *op, struct args_bytes_write *a)
{
	struct machine *m = op->m;
	struct extent e;
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
	op_answer(op, "address=%#llx bytes=%zu", (unsigned long long)at,
		  a->data.len);
	return 0;
}
