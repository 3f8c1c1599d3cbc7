// SPDX-License-Identifier: MIT
/*
 * symbols.c - functions of the modelled kernel: names for code addresses
 *
 * How it works: function n lies at text + n * size, so an address leads back
 * to its function by a division; names lead to numbers through a hash table.
 */
#include "kmemfs/base/symbols.h"

#include <glib.h>

struct symbols {
	va_t text;
	uint32_t size;
	GPtrArray *names;   /* of char *, by number */
	GHashTable *number; /* name -> number + 1 */
};

struct symbols *
symbols_new(va_t text, uint32_t size)
{
	struct symbols *s = g_new0(struct symbols, 1);

	s->text = text;
	s->size = size;
	s->names = g_ptr_array_new_with_free_func(g_free);
	s->number = g_hash_table_new(g_str_hash, g_str_equal);
	return s;
}

void
symbols_free(struct symbols *s)
{
	if (!s)
		return;
	g_hash_table_destroy(s->number);
	g_ptr_array_free(s->names, TRUE);
	g_free(s);
}

va_t
symbols_address(struct symbols *s, const char *name)
{
	uint32_t number =
		GPOINTER_TO_UINT(g_hash_table_lookup(s->number, name));

	if (!number) {
		char *copy = g_strdup(name);

		g_ptr_array_add(s->names, copy);
		number = s->names->len;
		g_hash_table_insert(s->number, copy, GUINT_TO_POINTER(number));
	}
	return s->text + (va_t)(number - 1) * s->size;
}

const char *
symbols_name(const struct symbols *s, va_t address)
{
	uint64_t number = (address - s->text) / s->size;

	if (address < s->text || number >= s->names->len)
		return NULL;
	return g_ptr_array_index(s->names, number);
}

void
symbols_print(const struct symbols *s, va_t address, struct out *out)
{
	const char *name = symbols_name(s, address);

	if (name)
		out_printf(out, "%s+0x%x/0x%x", name,
			   (uint32_t)((address - s->text) % s->size), s->size);
	else
		out_printf(out, "0x%llx", (unsigned long long)address);
}

uint32_t
symbols_count(const struct symbols *s)
{
	return s->names->len;
}

const char *
symbols_nth(const struct symbols *s, uint32_t n, va_t *address)
{
	*address = s->text + (va_t)n * s->size;
	return g_ptr_array_index(s->names, n);
}

void
symbols_forget(struct symbols *s, uint32_t count)
{
	while (s->names->len > count) {
		g_hash_table_remove(s->number,
				    s->names->pdata[s->names->len - 1]);
		g_ptr_array_set_size(s->names, (gint)s->names->len - 1);
	}
}
