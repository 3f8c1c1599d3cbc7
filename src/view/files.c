// SPDX-License-Identifier: MIT
/*
 * files.c - files/NAME: modelled files, their bytes and their pages
 */
#include "kmemfs/view/keys.h"

#include "kmemfs/view/sums.h"

/* --- the key: a file's serial number ------------------------------------- */

static struct vm_object *
file_get(const struct view *v, uint64_t id)
{
	struct vm_object *o = g_hash_table_lookup(v->m->vm->objects,
						  GUINT_TO_POINTER((guint)id));

	return o && o->name ? o : NULL;
}

static bool
file_exists(const struct view *v, uint64_t id)
{
	return id <= UINT32_MAX && file_get(v, id);
}

static bool
file_parse(const struct view *v, const char *name, uint64_t *id)
{
	const struct vm_object *o = vm_file_find(v->m->vm, name);

	if (o)
		*id = o->id;
	return o;
}

static bool
file_next(const struct view *v, bool first, uint64_t after, uint64_t *id)
{
	for (uint64_t at = first ? 0 : after + 1; at <= v->m->vm->last_object;
	     at++)
		if (file_get(v, at)) {
			*id = at;
			return true;
		}
	return false;
}

static void
file_print(const struct view *v, uint64_t id, struct out *out)
{
	const struct vm_object *o = file_get(v, id);

	if (o)
		out_str(out, o->name);
}

const struct key_kind key_file = {
	"file", 28, file_parse, file_next, file_print, file_exists,
};

/* --- what is in its directory -------------------------------------------- */

void
show_file_size(const struct view *v, struct out *out)
{
	const struct vm_object *o = file_get(v, v->key[0]);

	if (o)
		put_value(out, o->size);
}

void
show_file_info(const struct view *v, struct out *out)
{
	const struct vm_object *o = file_get(v, v->key[0]);

	if (!o)
		return;
	put_text(out, "name", o->name);
	put_counter(out, "id", o->id);
	put_counter(out, "size", o->size);
	put_counter(out, "pages", o->nr_pages);
	put_counter(out, "areas", o->areas->len);
	put_text(out, "device", o->broken ? "broken" : "good");
}

static const struct {
	uint32_t flag;
	const char *name;
} flag_names[] = {
	{VMP_UPTODATE,   "uptodate"	 },
	{VMP_DIRTY,	    "dirty"	   },
	{VMP_REFERENCED, "referenced"},
	{VMP_ACTIVE,     "active"    },
	{VMP_LRU,	  "lru"       },
	{VMP_MLOCKED,    "mlocked"   },
	{VMP_PINNED,     "pinned"    },
};

static void
put_page_flags(uint32_t flags, struct out *out)
{
	const char *before = "";

	for (size_t i = 0; i < ARRAY_SIZE(flag_names); i++)
		if (flags & flag_names[i].flag) {
			out_str(out, before);
			out_str(out, flag_names[i].name);
			before = "|";
		}
	out_str(out, *before ? "\n" : "-\n");
}

void
show_file_pages(const struct view *v, struct out *out)
{
	const struct vm_object *o = file_get(v, v->key[0]);
	const struct vm *vm = v->m->vm;
	uint64_t index = 0;
	pfn_t pfn;

	out_printf(out, "%10s %10s %8s %s\n", "index", "pfn", "mapcount",
		   "flags");
	for (; o && (pfn = vm_object_next(o, &index)) != PFN_NONE; index++) {
		out_printf(out, "%10llu %10llu %8d ", (unsigned long long)index,
			   (unsigned long long)pfn,
			   vm->phys->frames[pfn].mapcount);
		put_page_flags(vm->pages[pfn].flags, out);
	}
}

uint64_t
size_file_data(const struct view *v)
{
	const struct vm_object *o = file_get(v, v->key[0]);

	return o ? o->size : 0;
}

ssize_t
read_file_data(const struct view *v, void *to, size_t len, uint64_t at)
{
	const struct vm_object *o = file_get(v, v->key[0]);
	uint8_t *bytes = to;
	size_t done = 0;

	if (!o || at >= o->size)
		return 0;
	len = MIN_OF(len, o->size - at);
	while (done < len) {
		uint64_t offset = (at + done) % VM_PAGE;
		size_t part = MIN_OF(len - done, VM_PAGE - offset);
		pfn_t pfn = vm_object_page(o, (at + done) / VM_PAGE);

		if (pfn == PFN_NONE)
			vm_file_look(o, at + done, bytes + done, part);
		else
			ram_read(v->m->ram, (pfn << VM_PAGE_SHIFT) + offset,
				 bytes + done, part);
		done += part;
	}
	return (ssize_t)done;
}
