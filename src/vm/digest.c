// SPDX-License-Identifier: MIT
/*
 * digest.c - the state of virtual memory as a stream of numbers
 *
 * How it works: what later calls depend on, in an order that follows from ids
 * and addresses; counts of flushes and walks are left out, entries of TLBs are
 * not.  Bytes of tables and pages are RAM's, which has a digest of its own.
 */
#include "vm_impl.h"

#include "kmemfs/phys/frame_walk.h"

#include <string.h>

struct stream {
	void (*put)(void *user, uint64_t v);
	void *user;
};

static void
put(const struct stream *to, uint64_t v)
{
	to->put(to->user, v);
}

static void
put_bytes(const struct stream *to, const void *bytes, size_t len)
{
	const uint8_t *b = bytes;
	uint64_t hash = 0xcbf29ce484222325;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ b[i]) * 0x100000001b3;
	put(to, hash);
	put(to, len);
}

static void
put_text(const struct stream *to, const char *text)
{
	put_bytes(to, text ? text : "", text ? strlen(text) : 0);
}

static void
put_area(const struct stream *to, const struct vma *v)
{
	put(to, v->start);
	put(to, v->end);
	put(to, v->flags);
	put(to, v->pgoff);
	put(to, v->object ? v->object->id : 0);
	put(to, v->pfn);
	put(to, (uint64_t)v->policy << 56 ^ v->policy_nodes);
	put(to, v->anon ? v->anon->id : 0);
	for (uint32_t i = 0; i < v->nr_chain; i++)
		put(to, v->chain[i]->id);
}

static void
put_mm(const struct stream *to, const struct mm *mm)
{
	const uint64_t numbers[] = {
		mm->id,		 (uint64_t)mm->users, mm->top,
		mm->total_vm,	 mm->locked_vm,	      mm->data_vm,
		mm->exec_vm,	 mm->stack_vm,	      mm->hiwater_rss,
		mm->hiwater_vm,	 mm->pgtables,	      mm->tables,
		mm->start_code,	 mm->end_code,	      mm->start_data,
		mm->end_data,	 mm->start_brk,	      mm->brk,
		mm->start_stack, mm->arg_start,	      mm->arg_end,
		mm->mmap_base,	 mm->def_flags,	      mm->gen,
	};

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		put(to, numbers[i]);
	for (int i = 0; i < NR_MM_COUNTERS; i++)
		put(to, (uint64_t)mm->counter[i]);
	for (guint i = 0; i < mm->areas->len; i++)
		put_area(to, vma_nth(mm, i));
}

static void
put_task(const struct stream *to, const struct task *t)
{
	put(to, (uint64_t)t->pid << 32 | (uint32_t)t->tgid);
	put(to, (uint64_t)t->ppid << 32 | t->cpu);
	put(to, (uint64_t)t->state << 8 | (uint64_t)t->kthread << 2 |
			(uint64_t)t->asleep << 1 | t->handles_segv);
	put(to, t->mm ? t->mm->id : 0);
	put_text(to, t->name);
	put_text(to, t->comm);
	for (int i = 0; i < NR_RLIMITS; i++)
		put(to, t->rlimit[i]);
	put(to, (uint64_t)(int64_t)t->oom_score_adj);
	put(to, t->min_flt);
	put(to, t->maj_flt);
	put(to, t->start_ns);
	put(to, t->kernel_stack);
	put(to, (uint64_t)t->sig << 32 | t->sig_code);
	put(to, t->sig_addr);
	put(to, t->caps);
}

static void
put_object(const struct stream *to, const struct vm_object *o)
{
	uint64_t index = 0;
	pfn_t pfn;

	put(to, o->id);
	put_text(to, o->name);
	put(to, o->size);
	put(to, (uint64_t)o->refs << 3 | (uint64_t)o->shmem << 2 |
			(uint64_t)o->charged << 1 | o->broken);
	put_bytes(to, o->content, o->content_len);
	for (; (pfn = vm_object_next(o, &index)) != PFN_NONE; index++) {
		put(to, index);
		put(to, pfn);
	}
}

static gint
by_id(gconstpointer a, gconstpointer b)
{
	guint i = GPOINTER_TO_UINT(*(const gconstpointer *)a);
	guint j = GPOINTER_TO_UINT(*(const gconstpointer *)b);

	return i < j ? -1 : i > j;
}

static void
put_objects(const struct stream *to, const struct vm *vm)
{
	GPtrArray *ids = g_ptr_array_new();
	GHashTableIter it;
	gpointer id;

	g_hash_table_iter_init(&it, vm->objects);
	while (g_hash_table_iter_next(&it, &id, NULL))
		g_ptr_array_add(ids, id);
	g_ptr_array_sort(ids, by_id);
	for (guint i = 0; i < ids->len; i++)
		put_object(to, g_hash_table_lookup(vm->objects,
						   g_ptr_array_index(ids, i)));
	g_ptr_array_free(ids, TRUE);
}

static void
put_cpu(const struct stream *to, const struct vm_cpu *c)
{
	put(to, c->current ? (uint64_t)c->current->pid : 0);
	put(to, c->mm ? c->mm->id + 1ULL : 0);
	put(to,
	    (uint64_t)c->pcid << 16 | (uint64_t)c->asid << 8 | c->next_asid);
	for (int i = 0; i < VM_ASIDS; i++) {
		put(to, c->asids[i].mm);
		put(to, c->asids[i].gen);
	}
	for (int part = 0; part < NR_TLB_PARTS; part++) {
		struct tlb_geometry g = tlb_geometry(c->tlb, part);

		for (unsigned int n = 0; n < (unsigned int)g.sets * g.ways;
		     n++) {
			const struct tlb_entry *e = tlb_entry(c->tlb, part, n);

			if (!e)
				continue;
			put(to, (uint64_t)part << 32 | n);
			put(to, e->page);
			put(to, e->frame);
			put(to, (uint64_t)e->pcid << 32 | e->used);
			put(to, (uint64_t)e->dirty << 4 |
					(uint64_t)e->writable << 3 |
					(uint64_t)e->user << 2 |
					(uint64_t)e->no_exec << 1 | e->global);
		}
	}
}

static void
put_frames(const struct stream *to, const struct vm *vm)
{
	const struct phys *phys = vm->phys;
	pfn_t pfn = frame_next_allocated(phys, 0);

	for (; pfn != PFN_NONE;
	     pfn = frame_next_allocated(
		     phys, pfn + (1ULL << phys->frames[pfn].order))) {
		const struct vm_page *p = &vm->pages[pfn];

		if (!p->flags)
			continue;
		put(to, pfn);
		put(to, (uint64_t)p->mapping << 32 | p->flags);
		put(to, p->index);
		put(to, (uintptr_t)g_hash_table_lookup(
				vm->pins, (gpointer)(uintptr_t)pfn));
	}
}

static void
put_sysctl(const struct stream *to, const struct vm_sysctl_mm *s)
{
	put(to, (uint64_t)(int64_t)s->overcommit_memory);
	put(to, s->overcommit_ratio);
	put(to, s->overcommit_kbytes);
	put(to, s->max_map_count);
	put(to, s->mmap_min_addr);
	put(to, s->stack_guard_gap);
	put(to, s->admin_reserve_kbytes);
	put(to, s->user_reserve_kbytes);
	put(to, s->nr_hugepages);
	put(to, s->fault_around_bytes);
	put(to, s->flush_ceiling);
	put(to, s->readahead_pages);
	put(to, (uint64_t)(int64_t)s->thp);
}

void
vm_digest(const struct vm *vm, void (*fn)(void *user, uint64_t v), void *user)
{
	const struct stream to = {fn, user};

	put_sysctl(&to, &vm->sysctl);
	put(&to, vm->committed);
	put(&to, (uint64_t)vm->last_pid);
	put(&to, (uint64_t)vm->last_mm << 32 | vm->last_object);
	put(&to, vm->last_anon);
	put(&to, vm->init_mm ? vm->init_mm->top : 0);
	for (guint i = 0; i < vm->tasks->len; i++)
		put_task(&to, g_ptr_array_index(vm->tasks, i));
	for (guint i = 0; i < vm->mms->len; i++)
		put_mm(&to, g_ptr_array_index(vm->mms, i));
	put_objects(&to, vm);
	for (unsigned int i = 0; i < vm->nr_cpus; i++)
		put_cpu(&to, &vm->cpu[i]);
	if (vm->pages)
		put_frames(&to, vm);
}
