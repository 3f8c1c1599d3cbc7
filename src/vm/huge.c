// SPDX-License-Identifier: MIT
/*
 * huge.c - a page of 512 frames, and who maps which of them
 *
 * What it models: page_add_anon_rmap, page_remove_rmap and the counts of
 * compound pages (mm/rmap.c), split_huge_page, the deferred split queue
 * (mm/huge_memory.c).
 *
 * How it works: the first frame's record stands for all of them.  Its map
 * count is that of huge entries; small entries are counted for each frame in
 * struct huge_parts, which is there from the first split of an entry on:
 *
 *     huge entries   0..n   frames[first].mapcount
 *     small entries  0..n   parts->entries[i], records of the other frames
 *                           then have VMP_TAIL and may be exclusive by
 *                           themselves
 *
 * Every entry is one reference of the first frame.
 *
 * Always true: nr_anon_pages counts the frames that any entry maps, and
 * nr_anon_transparent_hugepages those of pages with a huge one.
 */
#include "vm_impl.h"

#include "kmemfs/vm/walk.h"

#include <errno.h>

struct huge_parts *
huge_parts(const struct vm *vm, pfn_t head)
{
	return g_hash_table_lookup(vm->thp->parts, GSIZE_TO_POINTER(head));
}

uint32_t
huge_mapcount(const struct vm *vm, pfn_t head)
{
	const struct huge_parts *parts = huge_parts(vm, head);
	uint32_t sum = (uint32_t)vm->phys->frames[head].mapcount;

	for (unsigned int i = 0; parts && i < huge_frames(vm); i++)
		sum += parts->entries[i];
	return sum;
}

uint32_t
vm_mapcount(const struct vm *vm, pfn_t pfn)
{
	const struct huge_parts *parts;
	pfn_t head;
	uint32_t sum;

	if (!vm->pages || pfn >= vm->phys->max_pfn)
		return 0;
	head = vm_page_head(vm, pfn);
	if (vm->phys->frames[head].state != FRAME_ALLOCATED)
		return 0;
	sum = (uint32_t)MAX_OF(vm->phys->frames[head].mapcount, 0);
	parts = vm->pages[head].flags & VMP_HUGE ? huge_parts(vm, head) : NULL;
	return sum + (parts ? parts->entries[pfn - head] : 0);
}

bool
pg_pinned(const struct vm *vm, pfn_t pfn)
{
	pfn_t head = pg_head(vm, pfn);

	if (!(vm->pages[head].flags & VMP_HUGE))
		return vm->pages[head].flags & VMP_PINNED;
	for (unsigned int i = 0; i < huge_frames(vm); i++)
		if (g_hash_table_contains(vm->pins, GSIZE_TO_POINTER(head + i)))
			return true;
	return false;
}

void
pg_take_over(struct vm *vm, const struct vma *v, pfn_t pfn)
{
	pfn_t head = pg_head(vm, pfn);

	vm->pages[pfn].flags |= VMP_EXCLUSIVE;
	vm->phys->frames[head].owner = frame_owner(OWNER_ANON, v->anon->id);
	vm->pages[head].mapping = v->anon->id;
	if (!(vm->pages[head].flags & VMP_HUGE) || !huge_parts(vm, head))
		return;
	for (unsigned int i = 1; i < huge_frames(vm); i++)
		vm->pages[head + i].mapping = v->anon->id;
}

/* --- the deferred split queue ------------------------------------------- */

static GArray *
queue_of(const struct vm *vm, pfn_t head)
{
	return vm->thp->deferred[pg_node(vm, head)->id];
}

static guint
queue_find(const GArray *queue, pfn_t head)
{
	guint i = 0;

	while (i < queue->len && g_array_index(queue, pfn_t, i) != head)
		i++;
	return i;
}

static void
defer_split(struct vm *vm, pfn_t head)
{
	GArray *queue = queue_of(vm, head);

	if (queue_find(queue, head) < queue->len)
		return;
	vm->phys->event[VE_thp_deferred_split_page]++;
	g_array_append_val(queue, head);
}

static void
undefer_split(struct vm *vm, pfn_t head)
{
	GArray *queue = queue_of(vm, head);
	guint i = queue_find(queue, head);

	if (i < queue->len)
		g_array_remove_index(queue, i);
}

uint64_t
thp_deferred_count(const struct vm *vm, unsigned int nid)
{
	return vm->thp ? vm->thp->deferred[nid]->len : 0;
}

uint64_t
thp_deferred_scan(struct vm *vm, unsigned int nid, uint64_t nr,
		  unsigned int cpu)
{
	uint64_t split = 0;
	GArray *queue;
	GArray *todo;

	if (!vm->thp)
		return 0;
	queue = vm->thp->deferred[nid];
	todo = g_array_new(FALSE, FALSE, sizeof(pfn_t));
	g_array_append_vals(todo, queue->data,
			    (guint)MIN_OF(nr, (uint64_t)queue->len));
	for (guint i = 0; i < todo->len; i++)
		split +=
			!thp_split_page(vm, g_array_index(todo, pfn_t, i), cpu);
	g_array_free(todo, TRUE);
	return split;
}

/* --- counts ------------------------------------------------------------- */

static void
count_anon(struct vm *vm, pfn_t head, int64_t frames)
{
	pg_node(vm, head)->stat[NS_nr_anon_pages] += frames;
}

static void
count_huge(struct vm *vm, pfn_t head, int sign)
{
	pg_node(vm, head)->stat[NS_nr_anon_transparent_hugepages] +=
		sign * (int64_t)huge_frames(vm);
}

static unsigned int
frames_without_part(const struct vm *vm, pfn_t head)
{
	const struct huge_parts *parts = huge_parts(vm, head);

	return huge_frames(vm) - (parts ? parts->mapped : 0);
}

void
huge_new_anon(struct vm *vm, struct vma *v, va_t va, pfn_t pfn)
{
	struct frame *f = &vm->phys->frames[pfn];

	vm->pages[pfn] = (struct vm_page){
		.mapping = v->anon->id,
		.flags = VMP_ANON | VMP_EXCLUSIVE | VMP_UPTODATE |
			 VMP_SWAPBACKED | VMP_LRU | VMP_HUGE,
		.index = v->pgoff + ((va - v->start) >> VM_PAGE_SHIFT),
	};
	f->owner = frame_owner(OWNER_ANON, v->anon->id);
	f->mapcount = 1;
	pg_lru(vm, pfn, 1);
	count_anon(vm, pfn, huge_frames(vm));
	count_huge(vm, pfn, 1);
	if (v->flags & VM_LOCKED)
		pg_mlock(vm, pfn);
}

void
huge_map(struct vm *vm, const struct vma *v, pfn_t head)
{
	pages_get(vm->phys, head);
	if (!vm->phys->frames[head].mapcount++) {
		count_huge(vm, head, 1);
		count_anon(vm, head, frames_without_part(vm, head));
	}
	if (v->flags & VM_LOCKED)
		pg_mlock(vm, head);
}

void
huge_unmap(struct vm *vm, const struct vma *v, pfn_t head)
{
	if (!--vm->phys->frames[head].mapcount) {
		unsigned int gone = frames_without_part(vm, head);

		count_huge(vm, head, -1);
		count_anon(vm, head, -(int64_t)gone);
		if (gone && gone < huge_frames(vm))
			defer_split(vm, head);
	}
	if (v->flags & VM_LOCKED)
		pg_munlock(vm, head);
}

struct huge_parts *
huge_make_parts(struct vm *vm, pfn_t head)
{
	struct huge_parts *parts = huge_parts(vm, head);
	const struct vm_page *first = &vm->pages[head];

	if (parts)
		return parts;
	parts = g_malloc0(sizeof(*parts) +
			  huge_frames(vm) * sizeof(parts->entries[0]));
	g_hash_table_insert(vm->thp->parts, GSIZE_TO_POINTER(head), parts);
	for (unsigned int i = 1; i < huge_frames(vm); i++)
		vm->pages[head + i] = (struct vm_page){
			.mapping = first->mapping,
			.flags = VMP_ANON | VMP_TAIL,
			.index = first->index + i,
		};
	return parts;
}

static void
part_get(struct vm *vm, pfn_t head, struct huge_parts *parts, pfn_t pfn)
{
	pages_get(vm->phys, head);
	if (!parts->entries[pfn - head]++)
		parts->mapped++;
}

void
huge_map_parts(struct vm *vm, const struct vma *v, pfn_t head, bool exclusive)
{
	struct huge_parts *parts = huge_make_parts(vm, head);
	struct frame *f = &vm->phys->frames[head];

	for (unsigned int i = 0; i < huge_frames(vm); i++) {
		part_get(vm, head, parts, head + i);
		if (exclusive)
			vm->pages[head + i].flags |= VMP_EXCLUSIVE;
	}
	/* The huge entry's own reference and count; frames stay mapped. */
	pages_put(vm->phys, head, f->order, 0);
	if (!--f->mapcount)
		count_huge(vm, head, -1);
	if (v->flags & VM_LOCKED)
		pg_munlock(vm, head);
}

void
huge_map_part(struct vm *vm, pfn_t pfn)
{
	pfn_t head = pg_head(vm, pfn);
	struct huge_parts *parts = huge_make_parts(vm, head);

	if (!vm->phys->frames[head].mapcount && !parts->entries[pfn - head])
		count_anon(vm, head, 1);
	part_get(vm, head, parts, pfn);
}

void
huge_unmap_part(struct vm *vm, pfn_t pfn)
{
	pfn_t head = pg_head(vm, pfn);
	struct huge_parts *parts = huge_make_parts(vm, head);

	if (--parts->entries[pfn - head])
		return;
	parts->mapped--;
	if (vm->phys->frames[head].mapcount)
		return;
	count_anon(vm, head, -1);
	defer_split(vm, head);
}

/* The frames are no page any more; their records go. */
static void
drop_parts(struct vm *vm, pfn_t head)
{
	if (!g_hash_table_remove(vm->thp->parts, GSIZE_TO_POINTER(head)))
		return;
	for (unsigned int i = 1; i < huge_frames(vm); i++)
		vm->pages[head + i] = (struct vm_page){0};
}

void
huge_forget(struct vm *vm, pfn_t head)
{
	undefer_split(vm, head);
	drop_parts(vm, head);
}

/* --- splitting the page ------------------------------------------------- */

struct splitter {
	struct vm *vm;
	unsigned int cpu;
	GPtrArray *areas; /* of struct vma *, with */
	GArray *vas;	  /* addresses of huge entries */
};

static void
note_huge(void *user, struct vma *v, va_t va, pa_t at, uint64_t entry)
{
	struct splitter *s = user;

	(void)at;
	if (!(entry & PTE_PS))
		return;
	g_ptr_array_add(s->areas, v);
	g_array_append_val(s->vas, va);
}

static void
split_entries(struct vm *vm, pfn_t head, unsigned int cpu)
{
	struct splitter s = {vm, cpu, g_ptr_array_new(),
			     g_array_new(FALSE, FALSE, sizeof(va_t))};

	(void)vm_rmap_walk(vm, head, note_huge, &s);
	for (guint i = 0; i < s.areas->len; i++) {
		struct vma *v = g_ptr_array_index(s.areas, i);
		va_t va = g_array_index(s.vas, va_t, i);
		pa_t at = thp_entry_at(vm, v->mm, va);

		if (at)
			thp_split_entry(vm, v, va, at, cpu);
	}
	g_ptr_array_free(s.areas, TRUE);
	g_array_free(s.vas, TRUE);
}

static void
lock_again(void *user, struct vma *v, va_t va, pa_t at, uint64_t entry)
{
	struct splitter *s = user;

	(void)at;
	(void)va;
	if (v->flags & VM_LOCKED)
		pg_mlock(s->vm, vm_entry_pfn(s->vm, entry));
}

/* Each frame is a page of its own from now on. */
static void
cut(struct vm *vm, pfn_t head, unsigned int cpu)
{
	const uint32_t kept = VMP_ANON | VMP_UPTODATE | VMP_SWAPBACKED |
			      VMP_LRU | VMP_DIRTY | VMP_REFERENCED | VMP_ACTIVE;
	struct huge_parts *parts = huge_make_parts(vm, head);
	uint32_t owner = vm->phys->frames[head].owner;
	struct vm_page first = vm->pages[head];
	struct splitter s = {.vm = vm};

	undefer_split(vm, head);
	g_hash_table_steal(vm->thp->parts, GSIZE_TO_POINTER(head));
	while (vm->phys->frames[head].refs > 1)
		pages_put(vm->phys, head, vm->thp->order, cpu);
	pages_uncompound(vm->phys, head);
	pages_split(vm->phys, head, vm->thp->order);
	for (unsigned int i = 0; i < huge_frames(vm); i++) {
		struct vm_page *p = &vm->pages[head + i];

		p->flags = (first.flags & kept) |
			   (p->flags & (uint32_t)VMP_EXCLUSIVE);
		p->mapping = first.mapping;
		p->index = first.index + i;
		vm->phys->frames[head + i].owner = owner;
		vm->phys->frames[head + i].mapcount =
			(int32_t)parts->entries[i];
		for (uint32_t n = 0; n < parts->entries[i]; n++)
			pages_get(vm->phys, head + i);
	}
	/* What held the page while it was cut: frames that nothing maps go. */
	for (unsigned int i = 0; i < huge_frames(vm); i++) {
		if (parts->entries[i])
			(void)vm_rmap_walk(vm, head + i, lock_again, &s);
		pg_put(vm, head + i, cpu);
	}
	g_free(parts);
}

int
thp_split_page(struct vm *vm, pfn_t pfn, unsigned int cpu)
{
	uint64_t *events = vm->phys->event;

	if (!vm->thp || !vm->pages || pfn >= vm->phys->max_pfn ||
	    !(vm->pages[pfn].flags & VMP_HUGE))
		return -EBUSY;
	/* Whoever holds it without mapping it wants it whole. */
	if ((uint32_t)vm->phys->frames[pfn].refs != huge_mapcount(vm, pfn)) {
		events[VE_thp_split_page_failed]++;
		return -EAGAIN;
	}
	split_entries(vm, pfn, cpu);
	cut(vm, pfn, cpu);
	events[VE_thp_split_page]++;
	return 0;
}
