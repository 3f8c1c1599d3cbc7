// SPDX-License-Identifier: MIT
/*
 * object.c - files and shared memory: pages that outlive their mappings
 *
 * What it models: filemap_fault, do_sync_mmap_readahead, filemap_fsync,
 * truncate_inode_pages (mm/filemap.c, mm/truncate.c), shmem_fault (mm/shmem.c).
 *
 * How it works: a tree from index to frame.  A file has bytes on its device,
 * kept on the host; a page that is wanted is read from there, with those around
 * it, and written back when it is synced.  Shared memory has no device: its
 * pages begin as zeros and stay.
 *
 * Always true: each page of the tree has one reference of the object's; those
 * beyond its size are not there.
 *
 * Differs from the kernel: pages are single frames; write-back happens when it
 * is asked for, not by itself.
 */
#include "vm_impl.h"

#include <errno.h>
#include <string.h>

#define GFP_READAHEAD (GFP_HIGHUSER_MOVABLE | __GFP_NORETRY | __GFP_NOWARN)

static struct vm_object *
obj_new(struct vm *vm, uint64_t size)
{
	struct vm_object *o;

	if (vm->last_object >= OWNER_NUMBER_MAX)
		return NULL;
	o = g_new0(struct vm_object, 1);
	o->vm = vm;
	o->id = ++vm->last_object;
	o->size = size;
	o->refs = 1;
	o->pages = page_tree_new();
	o->areas = g_ptr_array_new();
	g_hash_table_insert(vm->objects, GUINT_TO_POINTER(o->id), o);
	return o;
}

struct vm_object *
obj_new_shmem(struct vm *vm, uint64_t size)
{
	struct vm_object *o = obj_new(vm, size);

	if (o)
		o->shmem = true;
	return o;
}

struct vm_object *
obj_new_hugetlb(struct vm *vm, uint64_t size)
{
	struct vm_object *o = obj_new_shmem(vm, size);

	if (o)
		o->reserved = g_hash_table_new(NULL, NULL);
	return o;
}

struct vm_object *
vm_file_new(struct vm *vm, const char *name, uint64_t size, const void *content,
	    uint64_t len)
{
	struct vm_object *o;

	if (vm_file_find(vm, name) || size > INT64_MAX)
		return NULL;
	o = obj_new(vm, size);
	if (!o)
		return NULL;
	o->name = g_strdup(name);
	len = MIN_OF(len, size);
	if (len)
		device_write(o, 0, content, len);
	g_hash_table_insert(vm->files, o->name, o);
	return o;
}

struct vm_object *
vm_file_find(const struct vm *vm, const char *name)
{
	return g_hash_table_lookup(vm->files, name);
}

void
vm_object_get(struct vm_object *o)
{
	o->refs++;
}

static void
obj_drop_page(struct vm_object *o, uint64_t index, pfn_t pfn, unsigned int cpu)
{
	struct vm *vm = o->vm;
	int64_t *stat = pg_node(vm, pfn)->stat;

	pg_clear_dirty(vm, pfn);
	stat[NS_nr_file_pages]--;
	stat[NS_nr_shmem] -= o->shmem;
	page_tree_clear(o->pages, index);
	o->nr_pages--;
	pg_put(vm, pfn, cpu);
}

void
vm_object_put(struct vm_object *o, unsigned int cpu)
{
	struct vm *vm = o->vm;
	uint64_t index = 0;
	pfn_t pfn;

	if (--o->refs)
		return;
	if (o->reserved)
		hugetlb_object_gone(o);
	for (; (pfn = page_tree_next(o->pages, &index)) != PFN_NONE; index++)
		obj_drop_page(o, index, pfn, cpu);
	if (o->charged)
		vm_uncommit(vm, page_align(o->size) >> VM_PAGE_SHIFT);
	if (o->name)
		g_hash_table_remove(vm->files, o->name);
	g_hash_table_remove(vm->objects, GUINT_TO_POINTER(o->id));
	page_tree_free(o->pages);
	g_ptr_array_free(o->areas, TRUE);
	device_free(o);
	g_free(o->name);
	g_free(o);
}

pfn_t
vm_object_page(const struct vm_object *o, uint64_t index)
{
	return page_tree_get(o->pages, index);
}

pfn_t
vm_object_next(const struct vm_object *o, uint64_t *index)
{
	return page_tree_next(o->pages, index);
}

/* --- reading in --------------------------------------------------------- */

static uint64_t
obj_pages(const struct vm_object *o)
{
	return page_align(o->size) >> VM_PAGE_SHIFT;
}

/* Fill frame @pfn with page @index of the device: 0, -ENOSPC. */
static int
read_device(struct vm_object *o, uint64_t index, pfn_t pfn)
{
	uint8_t bytes[VM_PAGE];

	if (!device_has(o, index))
		return 0;
	vm_file_look(o, index << VM_PAGE_SHIFT, bytes, VM_PAGE);
	return ram_write(o->vm->ram, pfn << VM_PAGE_SHIFT, bytes, VM_PAGE);
}

/* A new page @index: 0, -ENOMEM, -ENOSPC. */
static int
add_page(struct vm_object *o, const struct vma *v, uint64_t index, gfp_t gfp,
	 unsigned int cpu, pfn_t *pfn)
{
	struct vm *vm = o->vm;
	va_t va = v ? v->start + ((index - v->pgoff) << VM_PAGE_SHIFT) : 0;
	int err;

	if (vm_start(vm, cpu))
		return -ENOSPC;
	/* A file's pages come from where the task wants its own. */
	err = pg_alloc(vm, o->shmem ? v : NULL, va, gfp, cpu, pfn);
	if (err)
		return err;
	err = read_device(o, index, *pfn);
	if (err) {
		pages_put(vm->phys, *pfn, 0, cpu);
		return err;
	}
	pg_new_object(vm, o, index, *pfn);
	if (!o->shmem)
		vm->phys->event[VE_pgpgin] += VM_PAGE / 1024;
	return 0;
}

void
obj_read_ahead(struct vm_object *o, uint64_t from, uint64_t to,
	       unsigned int cpu)
{
	to = MIN_OF(to, obj_pages(o));
	for (uint64_t i = from; i < to && !o->broken; i++) {
		pfn_t pfn;

		if (page_tree_get(o->pages, i) == PFN_NONE &&
		    add_page(o, NULL, i, GFP_READAHEAD, cpu, &pfn))
			return;
	}
}

/* do_sync_mmap_readahead(): which pages are read with page @index. */
static void
read_around(struct vm_object *o, const struct vma *v, uint64_t index,
	    unsigned int cpu)
{
	uint64_t most = o->vm->sysctl.readahead_pages, from;

	if (v->flags & VM_RAND_READ)
		return;
	if (v->flags & VM_SEQ_READ)
		from = index;
	else
		from = index > most / 2 ? index - most / 2 : 0;
	obj_read_ahead(o, from, from + most, cpu);
}

unsigned int
obj_fault(struct vm_object *o, const struct vma *v, uint64_t index,
	  unsigned int cpu, pfn_t *pfn)
{
	unsigned int major = 0;
	int err;

	if (index >= obj_pages(o))
		return VM_FAULT_SIGBUS;
	*pfn = page_tree_get(o->pages, index);
	if (*pfn != PFN_NONE)
		return 0;
	if (!o->shmem) {
		if (o->broken)
			return VM_FAULT_SIGBUS;
		major = VM_FAULT_MAJOR;
		o->vm->phys->event[VE_pgmajfault]++;
		if (v)
			read_around(o, v, index, cpu);
		*pfn = page_tree_get(o->pages, index);
		if (*pfn != PFN_NONE)
			return major;
	}
	err = add_page(o, v, index, GFP_HIGHUSER_MOVABLE, cpu, pfn);
	if (err)
		return err == -ENOMEM ? VM_FAULT_OOM : VM_FAULT_HOST;
	return major;
}

/* --- bytes -------------------------------------------------------------- */

static int
fault_error(const struct vm_object *o, unsigned int fault)
{
	if (!(fault & VM_FAULT_ERROR))
		return 0;
	if (fault & VM_FAULT_OOM)
		return -ENOMEM;
	return fault & VM_FAULT_HOST || !o->broken ? -ENOSPC : -EIO;
}

static int64_t
copy(struct vm_object *o, unsigned int cpu, uint64_t at, void *to,
     const void *from, uint64_t len)
{
	uint64_t done = 0;

	if (at >= o->size)
		return 0;
	len = MIN_OF(len, o->size - at);
	while (done < len) {
		uint64_t offset = (at + done) & (VM_PAGE - 1);
		uint64_t part = MIN_OF(len - done, VM_PAGE - offset);
		pfn_t pfn;
		int err = fault_error(o, obj_fault(o, NULL,
						   (at + done) >> VM_PAGE_SHIFT,
						   cpu, &pfn));

		if (!err && from)
			err = ram_write(o->vm->ram,
					(pfn << VM_PAGE_SHIFT) + offset,
					(const uint8_t *)from + done, part);
		if (err)
			return done ? (int64_t)done : err;
		if (from)
			pg_set_dirty(o->vm, pfn);
		else
			ram_read(o->vm->ram, (pfn << VM_PAGE_SHIFT) + offset,
				 (uint8_t *)to + done, part);
		done += part;
	}
	return (int64_t)done;
}

int64_t
vm_object_read(struct vm_object *o, unsigned int cpu, uint64_t at, void *to,
	       uint64_t len)
{
	return copy(o, cpu, at, to, NULL, len);
}

int64_t
vm_object_write(struct vm_object *o, unsigned int cpu, uint64_t at,
		const void *from, uint64_t len)
{
	return copy(o, cpu, at, NULL, from, len);
}

/* --- writing back ------------------------------------------------------- */

/* Make an entry clean and read-only: the next write is told again. */
static void
clean_entry(void *user, struct vma *v, va_t va, pa_t at, uint64_t entry)
{
	struct vm *vm = user;

	if (!(entry & (PTE_D | PTE_RW)))
		return;
	if (entry & PTE_D)
		pg_set_dirty(vm, vm_entry_pfn(vm, entry));
	pte_store(vm, at, entry & ~(uint64_t)(PTE_D | PTE_RW));
	vm->generation++;
	flush_range(vm, v->mm, va, va + VM_PAGE, 0);
}

uint64_t
vm_object_sync(struct vm_object *o, uint64_t first, uint64_t last)
{
	struct vm *vm = o->vm;
	uint64_t written = 0, index = first;
	pfn_t pfn;

	if (o->shmem)
		return 0;
	for (; (pfn = page_tree_next(o->pages, &index)) != PFN_NONE &&
	       index <= last;
	     index++) {
		uint64_t at = index << VM_PAGE_SHIFT;
		uint64_t len = MIN_OF(VM_PAGE, o->size - at);
		uint8_t bytes[VM_PAGE];

		(void)vm_rmap_walk(vm, pfn, clean_entry, vm);
		if (!(vm->pages[pfn].flags & VMP_DIRTY))
			continue;
		ram_read(vm->ram, pfn << VM_PAGE_SHIFT, bytes, len);
		device_write(o, at, bytes, len);
		pg_clear_dirty(vm, pfn);
		pg_node(vm, pfn)->stat[NS_nr_written]++;
		vm->phys->event[VE_pgpgout] += VM_PAGE / 1024;
		written++;
	}
	return written;
}

/* --- pages that go ------------------------------------------------------ */

void
obj_punch(struct vm_object *o, uint64_t first, uint64_t last, bool copies,
	  unsigned int cpu)
{
	uint64_t index = first;
	pfn_t pfn;

	areas_sort(o->areas);
	for (guint i = 0; i < o->areas->len; i++) {
		struct vma *v = g_ptr_array_index(o->areas, i);
		uint64_t from = MAX_OF(first, v->pgoff);
		uint64_t to = MIN_OF(last, v->pgoff + vma_pages(v) - 1);

		if (from > to || from < v->pgoff)
			continue;
		zap(v, v->start + ((from - v->pgoff) << VM_PAGE_SHIFT),
		    v->start + ((to - v->pgoff + 1) << VM_PAGE_SHIFT), !copies,
		    cpu);
	}
	for (; (pfn = page_tree_next(o->pages, &index)) != PFN_NONE &&
	       index <= last;
	     index++)
		obj_drop_page(o, index, pfn, cpu);
}

void
vm_object_truncate(struct vm_object *o, unsigned int cpu, uint64_t size)
{
	uint64_t first = page_align(size) >> VM_PAGE_SHIFT;
	uint64_t tail = size & (VM_PAGE - 1);

	if (size < o->size) {
		pfn_t pfn = page_tree_get(o->pages, size >> VM_PAGE_SHIFT);

		obj_punch(o, first, UINT64_MAX >> VM_PAGE_SHIFT, true, cpu);
		if (tail && pfn != PFN_NONE)
			ram_zero(o->vm->ram, (pfn << VM_PAGE_SHIFT) + tail,
				 VM_PAGE - tail);
		device_cut(o, size);
	}
	o->size = size;
}
