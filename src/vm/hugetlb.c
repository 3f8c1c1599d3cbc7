// SPDX-License-Identifier: MIT
/*
 * hugetlb.c - the pool of huge pages and what is promised of it
 *
 * What it models: alloc_pool_huge_page, set_max_huge_pages,
 * gather_surplus_pages, hugetlb_acct_memory, alloc_huge_page, free_huge_page,
 * the maps of reservations (mm/hugetlb.c).
 *
 * How it works: nodes give and take pages in turn.  Who has a promise is kept
 * in a set of page numbers:
 *
 *     shared   of the object: pages that were promised; all mappings share it
 *     private  of the area: pages whose promise was used up
 *
 * Always true: free pages are those on the nodes' lists; no more is promised
 * than is free; a page that is free has one reference, the pool's.
 */
#include "vm_impl.h"

#include <errno.h>

uint64_t
hugetlb_size(const struct vm *vm)
{
	return vm->hugetlb ? VM_PAGE << vm->hugetlb->order : 0;
}

struct hugetlb *
hugetlb_new(const struct vm *vm)
{
	struct hugetlb *h;

	if (!vm->shape.f)
		return NULL;
	h = g_new0(struct hugetlb, 1);
	h->order = vm->shape.shift[1] - VM_PAGE_SHIFT;
	h->node = g_new0(struct hugetlb_node, vm->phys->nr_nodes);
	for (unsigned int i = 0; i < vm->phys->nr_nodes; i++)
		h->node[i].list = g_array_new(FALSE, FALSE, sizeof(pfn_t));
	return h;
}

void
hugetlb_free(struct vm *vm)
{
	struct hugetlb *h = vm->hugetlb;

	if (!h)
		return;
	for (unsigned int i = 0; i < vm->phys->nr_nodes; i++)
		g_array_free(h->node[i].list, TRUE);
	g_free(h->node);
	g_free(h);
}

void
hugetlb_digest(const struct vm *vm, const struct number_stream *to)
{
	const struct hugetlb *h = vm->hugetlb;

	stream_put(to, h->nr);
	stream_put(to, h->free);
	stream_put(to, h->resv);
	stream_put(to, h->surplus);
	stream_put(to, h->overcommit);
	stream_put(to, (uint64_t)h->next_alloc << 32 | h->next_free);
	for (unsigned int n = 0; n < vm->phys->nr_nodes; n++) {
		const struct hugetlb_node *node = &h->node[n];

		stream_put(to, node->nr);
		stream_put(to, node->surplus);
		for (guint i = 0; i < node->list->len; i++)
			stream_put(to, g_array_index(node->list, pfn_t, i));
	}
}

/* --- pages of the pool -------------------------------------------------- */

static void
enqueue(struct vm *vm, pfn_t pfn)
{
	struct hugetlb_node *node = &vm->hugetlb->node[pg_node(vm, pfn)->id];

	vm->phys->frames[pfn].owner = frame_owner(OWNER_OBJECT, 0);
	vm->phys->frames[pfn].mapcount = 0;
	vm->pages[pfn] = (struct vm_page){.flags = VMP_HUGETLB};
	g_array_append_val(node->list, pfn);
	node->free++;
	vm->hugetlb->free++;
}

/* A free page of node @nid, PFN_NONE. */
static pfn_t
dequeue(struct vm *vm, unsigned int nid)
{
	struct hugetlb_node *node = &vm->hugetlb->node[nid];
	pfn_t pfn;

	if (!node->list->len)
		return PFN_NONE;
	pfn = g_array_index(node->list, pfn_t, node->list->len - 1);
	g_array_set_size(node->list, node->list->len - 1);
	node->free--;
	vm->hugetlb->free--;
	return pfn;
}

/* A page from the page allocator; PFN_NONE. */
static pfn_t
alloc_fresh(struct vm *vm, int nid, gfp_t more, uint64_t nodes)
{
	const struct page_request q = {
		.gfp = (vm->mode == MMU_32BIT ? GFP_HIGHUSER
					      : GFP_HIGHUSER_MOVABLE) |
		       __GFP_COMP | __GFP_NOWARN | __GFP_RETRY_MAYFAIL | more,
		.order = vm->hugetlb->order,
		.nid = nid,
		.nodes = nodes,
	};
	struct hugetlb *h = vm->hugetlb;
	pfn_t pfn;

	if (pages_make(vm) || pages_alloc(vm->phys, &q, &pfn)) {
		vm->phys->event[VE_htlb_buddy_alloc_fail]++;
		return PFN_NONE;
	}
	vm->phys->event[VE_htlb_buddy_alloc_success]++;
	h->nr++;
	h->node[pg_node(vm, pfn)->id].nr++;
	vm->pages[pfn] = (struct vm_page){.flags = VMP_HUGETLB};
	vm->phys->frames[pfn].owner = frame_owner(OWNER_OBJECT, 0);
	vm->phys->frames[pfn].mapcount = 0;
	return pfn;
}

/* A page that is on no list goes back to the page allocator. */
static void
give_back(struct vm *vm, pfn_t pfn, bool surplus)
{
	struct hugetlb *h = vm->hugetlb;
	struct hugetlb_node *node = &h->node[pg_node(vm, pfn)->id];

	h->nr--;
	node->nr--;
	if (surplus) {
		h->surplus--;
		node->surplus--;
	}
	vm->pages[pfn] = (struct vm_page){0};
	vm->phys->frames[pfn].owner = 0;
	pages_put(vm->phys, pfn, h->order, 0);
}

/* --- whose turn it is --------------------------------------------------- */

static bool
node_allowed(const struct vm *vm, unsigned int nid, uint64_t nodes)
{
	if (!vm->phys->nodes[nid]->present_pages)
		return false;
	return !nodes || (nid < 64 && (nodes >> nid & 1));
}

/* The allowed node at *@next or after it, and the turn goes on; -1: none. */
static int
take_turn(const struct vm *vm, unsigned int *next, uint64_t nodes)
{
	unsigned int nr = vm->phys->nr_nodes;

	for (unsigned int i = 0; i < nr; i++) {
		unsigned int nid = (*next + i) % nr;

		if (!node_allowed(vm, nid, nodes))
			continue;
		*next = (nid + 1) % nr;
		while (!node_allowed(vm, *next, nodes))
			*next = (*next + 1) % nr;
		return (int)nid;
	}
	return -1;
}

static bool
pool_grow(struct vm *vm, uint64_t nodes)
{
	struct hugetlb *h = vm->hugetlb;

	for (unsigned int i = 0; i < vm->phys->nr_nodes; i++) {
		int nid = take_turn(vm, &h->next_alloc, nodes);
		pfn_t pfn = nid < 0 ? PFN_NONE
				    : alloc_fresh(vm, nid, __GFP_THISNODE, 0);

		if (pfn == PFN_NONE)
			continue;
		enqueue(vm, pfn);
		return true;
	}
	return false;
}

/* Free one page of the pool; @surplus: one of the surplus. */
static bool
pool_shrink(struct vm *vm, uint64_t nodes, bool surplus)
{
	struct hugetlb *h = vm->hugetlb;

	for (unsigned int i = 0; i < vm->phys->nr_nodes; i++) {
		int nid = take_turn(vm, &h->next_free, nodes);
		pfn_t pfn;

		if (nid < 0 || (surplus && !h->node[nid].surplus))
			continue;
		pfn = dequeue(vm, (unsigned int)nid);
		if (pfn == PFN_NONE)
			continue;
		give_back(vm, pfn, surplus);
		return true;
	}
	return false;
}

/* adjust_pool_surplus(): call a page surplus, or one no longer. */
static bool
pool_rename(struct vm *vm, uint64_t nodes, int delta)
{
	struct hugetlb *h = vm->hugetlb;
	unsigned int *turn = delta < 0 ? &h->next_alloc : &h->next_free;

	for (unsigned int i = 0; i < vm->phys->nr_nodes; i++) {
		int nid = take_turn(vm, turn, nodes);
		struct hugetlb_node *node = &h->node[MAX_OF(nid, 0)];

		if (nid < 0 ||
		    (delta < 0 ? !node->surplus : node->surplus >= node->nr))
			continue;
		h->surplus += (uint64_t)(int64_t)delta;
		node->surplus += (uint64_t)(int64_t)delta;
		return true;
	}
	return false;
}

int
hugetlb_resize(struct vm *vm, uint64_t count, int nid, uint64_t nodes)
{
	struct hugetlb *h = vm->hugetlb;
	uint64_t least;

	if (!h || nid >= (int)vm->phys->nr_nodes)
		return -EINVAL;
	if (nid >= 0) {
		uint64_t others = h->nr - h->node[nid].nr;

		count = count + others < count ? UINT64_MAX : count + others;
		/* Nodes beyond those that a mask can name: all of them. */
		nodes = nid < 64 ? 1ULL << nid : 0;
	}
	while (h->surplus && count > h->nr - h->surplus &&
	       pool_rename(vm, nodes, -1))
		;
	while (count > h->nr - h->surplus)
		if (!pool_grow(vm, nodes))
			return 0;
	least = MAX_OF(count, h->resv + h->nr - h->free);
	while (least < h->nr - h->surplus && pool_shrink(vm, nodes, false))
		;
	while (count < h->nr - h->surplus && pool_rename(vm, nodes, 1))
		;
	return 0;
}

int
hugetlb_set_overcommit(struct vm *vm, uint64_t count)
{
	if (!vm->hugetlb)
		return -EINVAL;
	vm->hugetlb->overcommit = count;
	return 0;
}

void
hugetlb_boot(struct vm *vm)
{
	const struct phys_cmdline *args = vm->phys->cmdline;
	struct hugetlb *h = vm->hugetlb;

	if (!h || !args->hugepages)
		return;
	if (args->hugepage_size && args->hugepage_size != hugetlb_size(vm)) {
		vm_printk(vm, "HugeTLB: unsupported hugepagesz=%lluM",
			  (unsigned long long)(args->hugepage_size >> 20));
		return;
	}
	(void)hugetlb_resize(vm, args->hugepages, HUGETLB_ALL_NODES, 0);
	if (h->nr < args->hugepages)
		vm_printk(vm,
			  "HugeTLB: allocating %llu of page size %llu.00 MiB "
			  "failed.  Only allocated %llu hugepages.",
			  (unsigned long long)args->hugepages,
			  (unsigned long long)(hugetlb_size(vm) >> 20),
			  (unsigned long long)h->nr);
}

/* --- promises ----------------------------------------------------------- */

/* A page beyond the pool, on no list; PFN_NONE. */
static pfn_t
alloc_surplus(struct vm *vm, int nid, uint64_t nodes)
{
	struct hugetlb *h = vm->hugetlb;
	pfn_t pfn;

	if (h->surplus >= h->overcommit)
		return PFN_NONE;
	pfn = alloc_fresh(vm, nid, 0, nodes);
	if (pfn == PFN_NONE)
		return pfn;
	h->surplus++;
	h->node[pg_node(vm, pfn)->id].surplus++;
	return pfn;
}

int
hugetlb_promise(struct vm *vm, uint64_t pages)
{
	struct hugetlb *h = vm->hugetlb;
	uint64_t got = 0;

	if (h->resv + pages < pages)
		return -ENOMEM;
	while (h->resv + pages > h->free) {
		pfn_t pfn = alloc_surplus(vm, NODE_LOCAL, 0);

		if (pfn == PFN_NONE)
			break;
		enqueue(vm, pfn);
		got++;
	}
	if (h->resv + pages <= h->free) {
		h->resv += pages;
		return 0;
	}
	while (got-- && pool_shrink(vm, 0, true))
		;
	return -ENOMEM;
}

void
hugetlb_unpromise(struct vm *vm, uint64_t pages)
{
	struct hugetlb *h = vm->hugetlb;
	uint64_t nr = MIN_OF(pages, h->surplus);

	KM_DEBUG(pages <= h->resv);
	h->resv -= pages;
	while (nr-- && pool_shrink(vm, 0, true))
		;
}

static gpointer
index_key(uint64_t index)
{
	return GSIZE_TO_POINTER(index);
}

/* Pages @from..@to of the set. */
static uint64_t
count_in(GHashTable *set, uint64_t from, uint64_t to)
{
	uint64_t nr = 0;

	for (uint64_t i = from; i < to; i++)
		nr += g_hash_table_contains(set, index_key(i));
	return nr;
}

static uint64_t
first_of(const struct vm *vm, const struct vma *v)
{
	return v->pgoff >> vm->hugetlb->order;
}

static uint64_t
last_of(const struct vm *vm, const struct vma *v)
{
	return (v->pgoff + vma_pages(v)) >> vm->hugetlb->order;
}

int
hugetlb_reserve(struct vm *vm, struct vma *v)
{
	uint64_t from = first_of(vm, v), to = last_of(vm, v), pages = to - from;
	struct vm_object *o = v->object;
	int err;

	if (v->flags & VM_NORESERVE)
		return 0;
	if (v->flags & VM_MAYSHARE)
		pages -= count_in(o->reserved, from, to);
	err = hugetlb_promise(vm, pages);
	if (err)
		return err;
	if (!(v->flags & VM_MAYSHARE)) {
		v->resv = g_new0(struct hugetlb_resv, 1);
		v->resv->refs = 1;
		v->resv->used = g_hash_table_new(NULL, NULL);
		return 0;
	}
	for (uint64_t i = from; i < to; i++)
		g_hash_table_add(o->reserved, index_key(i));
	return 0;
}

void
hugetlb_resv_put(struct vma *v)
{
	struct hugetlb_resv *r = v->resv;

	v->resv = NULL;
	if (!r || --r->refs)
		return;
	g_hash_table_destroy(r->used);
	g_free(r);
}

void
hugetlb_area_gone(struct vm *vm, struct vma *v)
{
	uint64_t from = first_of(vm, v), to = last_of(vm, v);

	if (!v->resv)
		return;
	hugetlb_unpromise(vm, to - from - count_in(v->resv->used, from, to));
	hugetlb_resv_put(v);
}

void
hugetlb_object_gone(struct vm_object *o)
{
	struct vm *vm = o->vm;
	uint64_t pages = g_hash_table_size(o->reserved), index = 0;
	pfn_t pfn;

	for (; (pfn = page_tree_next(o->pages, &index)) != PFN_NONE; index++) {
		/* Its promise was used up when it was made. */
		pages -= g_hash_table_contains(o->reserved, index_key(index));
		page_tree_clear(o->pages, index);
		o->nr_pages--;
		hugetlb_put(vm, pfn);
	}
	hugetlb_unpromise(vm, pages);
	g_hash_table_destroy(o->reserved);
	o->reserved = NULL;
}

/* --- pages for faults --------------------------------------------------- */

/* Whether page @index of @v was promised to it and not used yet. */
static bool
has_promise(const struct vma *v, uint64_t index)
{
	if (v->flags & VM_MAYSHARE)
		return g_hash_table_contains(v->object->reserved,
					     index_key(index));
	return v->resv &&
	       !g_hash_table_contains(v->resv->used, index_key(index));
}

/* A free page near CPU @cpu, or where the area's policy wants it. */
static pfn_t
dequeue_near(struct vm *vm, const struct vma *v, uint64_t index,
	     unsigned int cpu)
{
	unsigned int home = (unsigned int)vm->phys->cpu_node[cpu];
	uint64_t nodes = 0;
	const struct node *node;
	pfn_t pfn = PFN_NONE;

	place_huge(vm, v, index, &home, &nodes);
	node = vm->phys->nodes[home];
	for (unsigned int i = 0; pfn == PFN_NONE && i < node->nr_fallback; i++)
		if (node_allowed(vm, node->fallback[i], nodes))
			pfn = dequeue(vm, node->fallback[i]);
	return pfn;
}

int
hugetlb_alloc(struct vm *vm, struct vma *v, uint64_t index, bool avoid,
	      unsigned int cpu, pfn_t *pfn)
{
	struct hugetlb *h = vm->hugetlb;
	bool promised = !avoid && has_promise(v, index);

	*pfn = PFN_NONE;
	if (promised || h->free > h->resv)
		*pfn = dequeue_near(vm, v, index, cpu);
	if (*pfn == PFN_NONE) {
		unsigned int home = (unsigned int)vm->phys->cpu_node[cpu];
		uint64_t nodes = 0;

		place_huge(vm, v, index, &home, &nodes);
		*pfn = alloc_surplus(vm, (int)home, nodes);
	}
	if (*pfn == PFN_NONE)
		return -ENOSPC;
	if (promised)
		h->resv--;
	if (v->flags & VM_MAYSHARE)
		g_hash_table_add(v->object->reserved, index_key(index));
	else if (v->resv)
		g_hash_table_add(v->resv->used, index_key(index));
	return 0;
}

void
hugetlb_put(struct vm *vm, pfn_t pfn)
{
	struct hugetlb *h = vm->hugetlb;

	if (vm->phys->frames[pfn].refs > 1) {
		pages_put(vm->phys, pfn, h->order, 0);
		return;
	}
	if (h->node[pg_node(vm, pfn)->id].surplus)
		give_back(vm, pfn, true);
	else
		enqueue(vm, pfn);
}
