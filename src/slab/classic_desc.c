// SPDX-License-Identifier: MIT
/*
 * classic_desc.c - a slab's descriptor and its free list, in modelled RAM
 *
 * What it models: struct slab and kmem_bufctl_t of mm/slab.c, 2.6.11 to
 *                 2.6.18: slab_get_obj, slab_put_obj.
 * Where it lies:  in the slab before its objects, or in an object of a kmalloc
 *                 cache; w is the size of a word:
 *
 *     0    list.next, list.prev     neighbours, or the list's head in the
 *                                   node's struct kmem_list3
 *     2w   colouroff                bytes before the first object
 *     3w   s_mem                    address of the first object
 *     4w   inuse, free              32 bits: objects not free here; first free
 *     4w+8 nodeid                   16 bits
 *     then, for each object, the index of the next free one, 32 bits
 *
 * How it works:   free objects are a list of indices; the objects themselves
 *                 are not touched.  inuse, free, s_mem and the indices are read
 *                 back and believed, as the kernel believes them: they may lead
 *                 anywhere, and the first address without memory is an oops.
 *                 slab->inuse is what was written last.
 * Differs from the kernel: pointers of lists are written and never followed; a
 *                 cache of the boot has its heads in the kernel's image, so
 *                 they read as 0.
 */
#include "classic_impl.h"

#include <errno.h>
#include <string.h>

enum { WORD_NEXT, WORD_PREV, WORD_COLOUR, WORD_S_MEM, WORD_COUNTS };

#define LIST_POISON1 0x00100100
#define LIST_POISON2 0x00200200

/* --- words -----------------------------------------------------------------
 */

static va_t
desc(const struct slab *slab)
{
	return slab->freelist;
}

/* Descriptors lie in slabs: their pages are there as long as theirs. */
static uint64_t
load(const struct slab *slab, uint64_t offset, unsigned int bytes)
{
	const struct slab_common *sc = slab->cache->common;

	return ram_load(sc->ram, slab_pa(sc, desc(slab)) + offset, bytes);
}

static void
store(const struct slab *slab, uint64_t offset, unsigned int bytes,
      uint64_t value)
{
	struct slab_common *sc = slab->cache->common;

	ram_store(sc->ram, slab_pa(sc, desc(slab)) + offset, bytes, value);
}

static uint64_t
load_word(const struct slab *slab, unsigned int index)
{
	unsigned int w = slab->cache->common->word;

	return load(slab, (uint64_t)index * w, w);
}

static void
store_word(const struct slab *slab, unsigned int index, uint64_t value)
{
	unsigned int w = slab->cache->common->word;

	store(slab, (uint64_t)index * w, w, value);
}

static uint64_t
offset_inuse(const struct slab *slab)
{
	return (uint64_t)WORD_COUNTS * slab->cache->common->word;
}

va_t
classic_s_mem(const struct slab *slab)
{
	return load_word(slab, WORD_S_MEM);
}

uint32_t
classic_inuse(const struct slab *slab)
{
	return (uint32_t)load(slab, offset_inuse(slab), 4);
}

uint32_t
classic_free_index(const struct slab *slab)
{
	return (uint32_t)load(slab, offset_inuse(slab) + 4, 4);
}

static void
set_inuse(struct slab *slab, uint32_t inuse)
{
	store(slab, offset_inuse(slab), 4, inuse);
	slab->inuse = (uint16_t)MIN_OF(inuse, (uint32_t)UINT16_MAX);
}

static void
set_free_index(struct slab *slab, uint32_t index)
{
	store(slab, offset_inuse(slab) + 4, 4, index);
}

/* --- indices ---------------------------------------------------------------
 */

static va_t
bufctl_address(const struct slab *slab, uint32_t index)
{
	return desc(slab) + classic_descriptor_size(slab->cache->common) +
	       (uint64_t)index * sizeof(uint32_t);
}

bool
classic_bufctl(const struct slab *slab, uint32_t index, uint32_t *next)
{
	const struct slab_common *sc = slab->cache->common;
	pa_t pa;

	if (!slab_mapped(sc, bufctl_address(slab, index), 4, &pa))
		return false;
	*next = (uint32_t)ram_load(sc->ram, pa, 4);
	return true;
}

static bool
set_bufctl(const struct slab *slab, uint32_t index, uint32_t next)
{
	struct slab_common *sc = slab->cache->common;
	pa_t pa;

	if (!slab_mapped(sc, bufctl_address(slab, index), 4, &pa) ||
	    ram_may_write(sc->ram, pa, 4))
		return false;
	ram_store(sc->ram, pa, 4, next);
	return true;
}

void
classic_desc_init(struct slab *slab, va_t s_mem)
{
	store_word(slab, WORD_NEXT, 0);
	store_word(slab, WORD_PREV, 0);
	store_word(slab, WORD_COLOUR, slab->colour);
	store_word(slab, WORD_S_MEM, s_mem);
	set_inuse(slab, 0);
	set_free_index(slab, 0);
	/* nodeid is 16 bits; what follows it is padding or the array. */
	store(slab, offset_inuse(slab) + 8, 4, slab->nid);
	for (uint32_t i = 0; i < slab->objects; i++)
		set_bufctl(slab, i,
			   i + 1U < slab->objects ? i + 1 : BUFCTL_END);
}

/* An address as wide as the machine's. */
static va_t
narrow(const struct slab_common *sc, va_t at)
{
	return sc->word == 4 ? (uint32_t)at : at;
}

int
classic_take(struct slab *slab, va_t *buffer)
{
	const struct kmem_cache *s = slab->cache;
	struct slab_common *sc = s->common;
	uint32_t index = classic_free_index(slab), next;

	if (!classic_bufctl(slab, index, &next))
		return slub_oops(sc, bufctl_address(slab, index), false,
				 "cache_alloc_refill");
	*buffer = narrow(sc, classic_s_mem(slab) + (uint64_t)index * s->size);
	set_inuse(slab, classic_inuse(slab) + 1);
	if (classic_debugged(s))
		set_bufctl(slab, index, BUFCTL_FREE);
	set_free_index(slab, next);
	return 0;
}

/* The index that the kernel computes for @buffer, right or not. */
static uint32_t
buffer_index(const struct slab *slab, va_t buffer)
{
	const struct slab_common *sc = slab->cache->common;

	return (uint32_t)(narrow(sc, buffer - classic_s_mem(slab)) /
			  slab->cache->size);
}

int
classic_put(struct slab *slab, va_t buffer)
{
	uint32_t index = buffer_index(slab, buffer);

	if (!set_bufctl(slab, index, classic_free_index(slab)))
		return slub_oops(slab->cache->common,
				 bufctl_address(slab, index), true,
				 "free_block");
	set_free_index(slab, index);
	set_inuse(slab, classic_inuse(slab) - 1);
	return 0;
}

bool
classic_debug_double(const struct slab *slab, va_t buffer)
{
	uint32_t entry;

	return !classic_bufctl(slab, buffer_index(slab, buffer), &entry) ||
	       entry != BUFCTL_FREE;
}

unsigned int
classic_walk(const struct slab *slab, uint8_t *map, uint8_t value, bool *broken)
{
	uint32_t at = classic_free_index(slab);
	unsigned int found = 0;

	while (at < slab->objects && map[at] != value) {
		map[at] = value;
		found++;
		if (!classic_bufctl(slab, at, &at))
			break;
	}
	if (broken)
		*broken = at != BUFCTL_END;
	return found;
}

/* --- lists -----------------------------------------------------------------
 */

static struct slab_list *
list_of(struct slab *slab, enum slab_where where)
{
	struct kmem_cache_node *n = &slab->cache->node[slab->nid];

	return where == SLAB_NODE_PARTIAL ? &n->partial
	       : where == SLAB_FULL	  ? &n->full
					  : &n->free;
}

/* Of the list that @slab is on: its head in struct kmem_list3, 0 when that is
 * in the kernel's image. */
static va_t
head_address(const struct slab *slab)
{
	static const unsigned int place[NR_SLAB_WHERE] = {
		[SLAB_NODE_PARTIAL] = 0, [SLAB_FULL] = 1, [SLAB_FREE] = 2};
	const struct kmem_cache *s = slab->cache;

	if (!s->node_descriptor || !s->node_descriptor[slab->nid])
		return 0;
	return s->node_descriptor[slab->nid] +
	       2UL * place[slab->where] * s->common->word;
}

static void
store_head(const struct slab *slab, unsigned int word, va_t value)
{
	const struct slab_common *sc = slab->cache->common;
	va_t head = head_address(slab);

	if (head)
		ram_store(sc->ram,
			  slab_pa(sc, head) + (uint64_t)word * sc->word,
			  sc->word, value);
}

/* Make the words between @prev and @next agree; NULL is the head of @of's
 * list. */
static void
join(const struct slab *of, struct slab *prev, struct slab *next)
{
	va_t to = next ? desc(next) : head_address(of);
	va_t from = prev ? desc(prev) : head_address(of);

	if (prev)
		store_word(prev, WORD_NEXT, to);
	else
		store_head(of, WORD_NEXT, to);
	if (next)
		store_word(next, WORD_PREV, from);
	else
		store_head(of, WORD_PREV, from);
}

static struct slab *
neighbour(const struct slab *slab, uint32_t link)
{
	return link ? slab_at(slab->cache->common, link - 1) : NULL;
}

void
classic_unlink(struct slab *slab)
{
	struct slab_common *sc = slab->cache->common;
	struct slab *prev, *next;

	if (!slab->linked)
		return;
	prev = neighbour(slab, slab->prev);
	next = neighbour(slab, slab->next);
	slab_list_del(sc, list_of(slab, slab->where), slab);
	join(slab, prev, next);
	store_word(slab, WORD_NEXT, LIST_POISON1);
	store_word(slab, WORD_PREV, LIST_POISON2);
}

void
classic_link(struct slab *slab, enum slab_where where, bool tail)
{
	struct slab_common *sc = slab->cache->common;

	slab->where = (uint8_t)where;
	slab_list_add(sc, list_of(slab, where), slab, tail);
	join(slab, neighbour(slab, slab->prev), slab);
	join(slab, slab, neighbour(slab, slab->next));
}
