// SPDX-License-Identifier: MIT
/*
 * keys_page.c - the variable parts of paths: page frames and allocations
 *
 * How it works: a page frame is found by any number below the end of memory,
 * but only first frames of allocated blocks are listed: those are few, and
 * finding the next one skips what was never touched.
 */
#include "kmemfs/view/keys.h"

#include "kmemfs/phys/frame_walk.h"

static bool
pfn_exists(const struct view *v, uint64_t pfn)
{
	return pfn < v->m->phys->max_pfn;
}

static bool
pfn_parse(const struct view *v, const char *name, uint64_t *pfn)
{
	return key_decimal(name, pfn) && pfn_exists(v, *pfn);
}

static bool
pfn_next(const struct view *v, bool first, uint64_t after, uint64_t *pfn)
{
	*pfn = frame_next_allocated(v->m->phys, first ? 0 : after + 1);
	return *pfn != PFN_NONE;
}

const struct key_kind key_pfn = {
	"pfn", 36, pfn_parse, pfn_next, key_print_decimal, pfn_exists,
};

static bool
alloc_exists(const struct view *v, uint64_t id)
{
	return id <= UINT32_MAX && allocation_get(v->m, (uint32_t)id);
}

static bool
alloc_parse(const struct view *v, const char *name, uint64_t *id)
{
	const struct allocation *a = allocation_find(v->m, name);

	if (a)
		*id = a->id;
	return a != NULL;
}

static bool
alloc_next(const struct view *v, bool first, uint64_t after, uint64_t *id)
{
	const struct allocation *a =
		allocation_next(v->m, first ? 0 : (uint32_t)after);

	if (a)
		*id = a->id;
	return a != NULL;
}

static void
alloc_print(const struct view *v, uint64_t id, struct out *out)
{
	const struct allocation *a = allocation_get(v->m, (uint32_t)id);
	char name[16];

	if (a)
		out_str(out, allocation_name(a, name));
}

const struct key_kind key_alloc = {
	"alloc", 32, alloc_parse, alloc_next, alloc_print, alloc_exists,
};
