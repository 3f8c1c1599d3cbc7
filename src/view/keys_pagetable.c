// SPDX-License-Identifier: MIT
/*
 * keys_pagetable.c - the variable parts of paths: entries of page tables
 *
 * How it works: a directory of entries stands in itself, so that all levels
 * share one declaration; the value of its key is the whole path of indices
 * (pagetable.h), the name the last of them, in three hexadecimal digits.
 * Whether an entry is there is asked of the tables each time.
 */
#include "kmemfs/view/keys.h"
#include "kmemfs/view/pagetable.h"

#include "kmemfs/base/text.h"

#define DIGITS 3

static bool
user_half(const struct view *v, struct pagetable *pt)
{
	const struct task *t = view_task(v);

	return t && pagetable_of(v->m->vm, t, pt);
}

static bool
kernel_half(const struct view *v, struct pagetable *pt)
{
	return pagetable_of(v->m->vm, NULL, pt);
}

typedef bool (*half_fn)(const struct view *v, struct pagetable *pt);

static bool
parse_index(const char *name, unsigned int *index)
{
	*index = 0;
	for (unsigned int i = 0; i < DIGITS; i++) {
		int digit = name[i] >= 'A' && name[i] <= 'F'
				    ? -1
				    : g_ascii_xdigit_value(name[i]);

		if (digit < 0)
			return false;
		*index = *index << 4 | (unsigned int)digit;
	}
	return !name[DIGITS];
}

static bool
entry_exists(const struct view *v, half_fn half, enum slot_kind kind,
	     uint64_t path)
{
	struct pagetable pt;
	struct slot slot;

	return half(v, &pt) && pagetable_slot(&pt, path, &slot) == kind;
}

static bool
entry_parse(const struct view *v, half_fn half, enum slot_kind kind,
	    uint64_t above, const char *name, uint64_t *path)
{
	struct pagetable pt;
	unsigned int index;

	if (!parse_index(name, &index) || !half(v, &pt) ||
	    index >= pt.vm->shape.entries[0])
		return false;
	*path = pagetable_below(pt.vm, above, index);
	return entry_exists(v, half, kind, *path);
}

static bool
entry_next(const struct view *v, half_fn half, enum slot_kind kind,
	   uint64_t above, const uint64_t *after, uint64_t *path)
{
	struct pagetable pt;

	if (!half(v, &pt))
		return false;
	*path = pagetable_next(&pt, above, kind,
			       after ? pagetable_index(pt.vm, *after) + 1 : 0);
	return *path;
}

static void
entry_print(const struct view *v, uint64_t path, struct out *out)
{
	out_printf(out, "%0*x", DIGITS,
		   v->m->vm->shape.f ? pagetable_index(v->m->vm, path) : 0);
}

uint64_t
up_pagetable(const struct view *v, uint64_t path)
{
	return pagetable_above(v->m->vm, path);
}

/* A kind of key: those entries of @half that are @slot; the path of the
 * directory is the key's own value there, key[@at]. */
#define ENTRY_KEY(name, half, slot, at)                                        \
	static bool name##_parse(const struct view *v, const char *text,       \
				 uint64_t *path)                               \
	{                                                                      \
		return entry_parse(v, half, slot, v->key[at], text, path);     \
	}                                                                      \
                                                                               \
	static bool name##_next(const struct view *v, bool first,              \
				uint64_t after, uint64_t *path)                \
	{                                                                      \
		return entry_next(v, half, slot, v->key[at],                   \
				  first ? NULL : &after, path);                \
	}                                                                      \
                                                                               \
	static bool name##_exists(const struct view *v, uint64_t path)         \
	{                                                                      \
		return entry_exists(v, half, slot, path);                      \
	}                                                                      \
                                                                               \
	const struct key_kind key_##name = {                                   \
		#name,	     46,	  name##_parse,                        \
		name##_next, entry_print, name##_exists,                       \
	};

ENTRY_KEY(ptdir, user_half, SLOT_TABLE, 1)
ENTRY_KEY(ptleaf, user_half, SLOT_LEAF, 1)
ENTRY_KEY(kptdir, kernel_half, SLOT_TABLE, 0)
ENTRY_KEY(kptleaf, kernel_half, SLOT_LEAF, 0)
