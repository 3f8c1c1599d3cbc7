// SPDX-License-Identifier: MIT
/*
 * keys_pools.c - the variable parts of paths: mempools, per-CPU variables
 *
 * How it works: a name's value is the serial number of what it names.
 */
#include "kmemfs/view/keys.h"

/* --- mempools/NAME ------------------------------------------------------- */

static bool
pool_exists(const struct view *v, uint64_t id)
{
	return id <= UINT32_MAX && mempool_get(v->m->mempools, (uint32_t)id);
}

static bool
pool_parse(const struct view *v, const char *name, uint64_t *id)
{
	const struct mempool *pool = mempool_find(v->m->mempools, name);

	if (pool)
		*id = pool->id;
	return pool;
}

static bool
pool_next(const struct view *v, bool first, uint64_t after, uint64_t *id)
{
	const struct mempool *pool =
		mempool_next(v->m->mempools, first ? 0 : (uint32_t)after);

	if (pool)
		*id = pool->id;
	return pool;
}

static void
pool_print(const struct view *v, uint64_t id, struct out *out)
{
	const struct mempool *pool = mempool_get(v->m->mempools, (uint32_t)id);

	if (pool)
		out_str(out, pool->name);
}

const struct key_kind key_mempool = {
	"mempool", 32, pool_parse, pool_next, pool_print, pool_exists,
};

/* --- percpu/variables/NAME ----------------------------------------------- */

static bool
pcpuvar_exists(const struct view *v, uint64_t id)
{
	return id <= UINT32_MAX && percpu_get(v->m->percpu, (uint32_t)id);
}

static bool
pcpuvar_parse(const struct view *v, const char *name, uint64_t *id)
{
	const struct percpu_variable *var = percpu_find(v->m->percpu, name);

	if (var)
		*id = var->id;
	return var;
}

static bool
pcpuvar_next(const struct view *v, bool first, uint64_t after, uint64_t *id)
{
	const struct percpu_variable *var =
		percpu_next(v->m->percpu, first ? 0 : (uint32_t)after);

	if (var)
		*id = var->id;
	return var;
}

static void
pcpuvar_print(const struct view *v, uint64_t id, struct out *out)
{
	const struct percpu_variable *var =
		percpu_get(v->m->percpu, (uint32_t)id);

	if (var)
		out_str(out, var->name);
}

const struct key_kind key_pcpuvar = {
	"pcpuvar",	32, pcpuvar_parse, pcpuvar_next, pcpuvar_print,
	pcpuvar_exists,
};
