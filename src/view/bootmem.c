// SPDX-License-Identifier: MIT
/*
 * bootmem.c - /bootmem: what was asked for while booting
 *
 * How it works: a name's value is its place in [bootmem], from 1.
 */
#include "kmemfs/view/keys.h"
#include "kmemfs/view/sums.h"

#include "kmemfs/base/text.h"

static const struct boot_request *
request_at(const struct view *v, uint64_t id)
{
	const GArray *requests = v->m->config->phys.bootmem;

	if (!requests || !id || id > requests->len ||
	    g_array_index(v->m->phys->bootmem, struct boot_grant, id - 1).freed)
		return NULL;
	return &g_array_index(requests, struct boot_request, id - 1);
}

static bool
bootreq_exists(const struct view *v, uint64_t id)
{
	return request_at(v, id);
}

static bool
bootreq_next(const struct view *v, bool first, uint64_t after, uint64_t *id)
{
	const GArray *requests = v->m->config->phys.bootmem;

	return requests && key_scan(v, first, after, requests->len + 1ULL,
				    bootreq_exists, id);
}

static bool
bootreq_parse(const struct view *v, const char *name, uint64_t *id)
{
	for (bool more = bootreq_next(v, true, 0, id); more;
	     more = bootreq_next(v, false, *id, id))
		if (!strcmp(request_at(v, *id)->name, name))
			return true;
	return false;
}

static void
bootreq_print(const struct view *v, uint64_t id, struct out *out)
{
	const struct boot_request *r = request_at(v, id);

	if (r)
		out_str(out, r->name);
}

const struct key_kind key_bootreq = {
	"bootreq",	16, bootreq_parse, bootreq_next, bootreq_print,
	bootreq_exists,
};

static const struct range *
view_range(const struct view *v)
{
	if (!request_at(v, v->key[0]))
		return NULL;
	return &g_array_index(v->m->phys->bootmem, struct boot_grant,
			      v->key[0] - 1)
			.range;
}

void
show_bootreq_info(const struct view *v, struct out *out)
{
	const struct boot_request *r = request_at(v, v->key[0]);
	const struct range *range = view_range(v);
	const struct phys *phys = v->m->phys;
	const struct zone *zone;

	if (!r)
		return;
	zone = phys_zone_of(phys, range->start >> phys->page_shift);
	put_text(out, "name", r->name);
	put_text(out, "call", boot_call_names[r->call]);
	put_counter(out, "size", r->size);
	put_hex(out, "physical", range->start);
	put_hex(out, "address", phys->arch->page_offset + range->start);
	put_counter(out, "pfn", range->start >> phys->page_shift);
	if (!zone)
		return;
	put_counter(out, "node", zone->node->id);
	put_text(out, "zone", zone_type_name(zone->type));
}

void
show_bootreq_pfn(const struct view *v, struct out *out)
{
	const struct range *range = view_range(v);

	if (range)
		put_value(out, range->start >> v->m->phys->page_shift);
}

void
show_bootreq_size(const struct view *v, struct out *out)
{
	const struct range *range = view_range(v);

	if (range)
		put_value(out, range->end - range->start);
}

uint64_t
size_bootreq_data(const struct view *v)
{
	const struct range *range = view_range(v);

	return range ? range->end - range->start : 0;
}

ssize_t
read_bootreq_data(const struct view *v, void *to, size_t len, uint64_t at)
{
	const struct range *range = view_range(v);

	if (!range)
		return 0;
	return view_read_ram(v, range->start, range->end - range->start, to,
			     len, at);
}
