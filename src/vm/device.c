// SPDX-License-Identifier: MIT
/*
 * device.c - what the device of a modelled file holds
 *
 * How it works: pages by their index, in order; what was never written is
 * zeros.
 *
 * Where it lies: on the host; a page costs itself and a node of a tree.
 */
#include "vm_impl.h"

#include <string.h>

static gint
by_index(gconstpointer a, gconstpointer b, gpointer user)
{
	(void)user;
	return (a > b) - (a < b);
}

static gpointer
key_of(uint64_t index)
{
	return GSIZE_TO_POINTER(index);
}

void
device_write(struct vm_object *o, uint64_t at, const void *from, uint64_t len)
{
	const uint8_t *bytes = from;

	if (!o->device)
		o->device = g_tree_new_full(by_index, NULL, NULL, g_free);
	while (len) {
		uint64_t index = at >> VM_PAGE_SHIFT, offset = at % VM_PAGE;
		uint64_t part = MIN_OF(len, VM_PAGE - offset);
		uint8_t *page = g_tree_lookup(o->device, key_of(index));

		if (!page) {
			page = g_malloc0(VM_PAGE);
			g_tree_insert(o->device, key_of(index), page);
		}
		memcpy(page + offset, bytes, part);
		bytes += part;
		at += part;
		len -= part;
	}
}

void
vm_file_look(const struct vm_object *o, uint64_t at, void *to, uint64_t len)
{
	uint8_t *bytes = to;

	while (len) {
		uint64_t index = at >> VM_PAGE_SHIFT, offset = at % VM_PAGE;
		uint64_t part = MIN_OF(len, VM_PAGE - offset);
		const uint8_t *page =
			o->device ? g_tree_lookup(o->device, key_of(index))
				  : NULL;

		if (page)
			memcpy(bytes, page + offset, part);
		else
			memset(bytes, 0, part);
		bytes += part;
		at += part;
		len -= part;
	}
}

bool
device_has(const struct vm_object *o, uint64_t index)
{
	return o->device && g_tree_lookup(o->device, key_of(index));
}

void
device_zero(struct vm_object *o, uint64_t first, uint64_t last)
{
	GTreeNode *n =
		o->device ? g_tree_lower_bound(o->device, key_of(first)) : NULL;

	while (n && GPOINTER_TO_SIZE(g_tree_node_key(n)) <= last) {
		gpointer index = g_tree_node_key(n);

		g_tree_remove(o->device, index);
		n = g_tree_upper_bound(o->device, index);
	}
}

void
device_cut(struct vm_object *o, uint64_t size)
{
	uint8_t *page = o->device ? g_tree_lookup(o->device,
						  key_of(size >> VM_PAGE_SHIFT))
				  : NULL;

	device_zero(o, page_align(size) >> VM_PAGE_SHIFT, UINT64_MAX);
	if (size % VM_PAGE && page)
		memset(page + size % VM_PAGE, 0, VM_PAGE - size % VM_PAGE);
}

void
device_digest(const struct vm_object *o, const struct number_stream *to)
{
	GTreeNode *n = o->device ? g_tree_node_first(o->device) : NULL;

	for (; n; n = g_tree_node_next(n)) {
		const uint8_t *page = g_tree_node_value(n);
		static const uint8_t zeros[VM_PAGE];

		if (!memcmp(page, zeros, VM_PAGE))
			continue;
		stream_put(to, GPOINTER_TO_SIZE(g_tree_node_key(n)) + 1);
		stream_put_hash(to, page, VM_PAGE);
	}
	stream_put(to, 0);
}

void
device_free(struct vm_object *o)
{
	if (o->device)
		g_tree_destroy(o->device);
	o->device = NULL;
}
