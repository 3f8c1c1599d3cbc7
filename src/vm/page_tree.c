// SPDX-License-Identifier: MIT
/*
 * page_tree.c - which frame holds page N of an object
 *
 * How it works: a radix tree of 6 bits a level that grows at the root, like
 * the kernel's xarray; a slot holds the frame's number plus one, 0: nothing.
 * Nodes that become empty stay until the tree goes.
 */
#include "vm_impl.h"

#define BITS 6
#define SLOTS (1U << BITS)

struct tree_node {
	union {
		struct tree_node *below[SLOTS];
		uint64_t page[SLOTS];
	};
};

struct page_tree {
	struct tree_node *root;
	unsigned int levels; /* 0: empty */
};

struct page_tree *
page_tree_new(void)
{
	return g_new0(struct page_tree, 1);
}

static void
node_free(struct tree_node *node, unsigned int level)
{
	for (unsigned int i = 0; level && i < SLOTS; i++)
		if (node->below[i])
			node_free(node->below[i], level - 1);
	g_free(node);
}

void
page_tree_free(struct page_tree *tree)
{
	if (tree->root)
		node_free(tree->root, tree->levels - 1);
	g_free(tree);
}

/* Whether the tree is high enough for @index. */
static inline bool
covers(const struct page_tree *tree, uint64_t index)
{
	unsigned int bits = tree->levels * BITS;

	return bits >= 64 || !(index >> bits);
}

static uint64_t *
slot_find(const struct page_tree *tree, uint64_t index)
{
	struct tree_node *node = tree->root;

	if (!node || !covers(tree, index))
		return NULL;
	for (unsigned int level = tree->levels - 1; level; level--) {
		node = node->below[index >> (level * BITS) & (SLOTS - 1)];
		if (!node)
			return NULL;
	}
	return &node->page[index & (SLOTS - 1)];
}

pfn_t
page_tree_get(const struct page_tree *tree, uint64_t index)
{
	const uint64_t *slot = slot_find(tree, index);

	return slot && *slot ? *slot - 1 : PFN_NONE;
}

void
page_tree_set(struct page_tree *tree, uint64_t index, pfn_t pfn)
{
	struct tree_node *node;

	if (!tree->root) {
		tree->root = g_new0(struct tree_node, 1);
		tree->levels = 1;
	}
	while (!covers(tree, index)) {
		node = g_new0(struct tree_node, 1);
		node->below[0] = tree->root;
		tree->root = node;
		tree->levels++;
	}
	node = tree->root;
	for (unsigned int level = tree->levels - 1; level; level--) {
		struct tree_node **below =
			&node->below[index >> (level * BITS) & (SLOTS - 1)];

		if (!*below)
			*below = g_new0(struct tree_node, 1);
		node = *below;
	}
	node->page[index & (SLOTS - 1)] = pfn + 1;
}

void
page_tree_clear(struct page_tree *tree, uint64_t index)
{
	uint64_t *slot = slot_find(tree, index);

	if (slot)
		*slot = 0;
}

/* The first page from @from on below @node, which begins with @base. */
static pfn_t
node_next(const struct tree_node *node, unsigned int level, uint64_t base,
	  uint64_t from, uint64_t *index)
{
	unsigned int shift = level * BITS;
	unsigned int i =
		from > base ? (unsigned int)((from - base) >> shift) : 0;

	for (; i < SLOTS; i++) {
		uint64_t at = base + ((uint64_t)i << shift);
		pfn_t pfn;

		if (!level && node->page[i]) {
			*index = at;
			return node->page[i] - 1;
		}
		if (!level || !node->below[i])
			continue;
		pfn = node_next(node->below[i], level - 1, at, from, index);
		if (pfn != PFN_NONE)
			return pfn;
	}
	return PFN_NONE;
}

pfn_t
page_tree_next(const struct page_tree *tree, uint64_t *index)
{
	if (!tree->root || !covers(tree, *index))
		return PFN_NONE;
	return node_next(tree->root, tree->levels - 1, 0, *index, index);
}
