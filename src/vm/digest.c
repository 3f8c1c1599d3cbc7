// SPDX-License-Identifier: MIT
/*
 * digest.c - the state of virtual memory as a stream of numbers
 *
 * How it works: what later calls depend on, in an order that follows from ids
 * and addresses; counts of flushes and walks are left out, entries of TLBs are
 * not.  Bytes of tables and pages are RAM's, which has a digest of its own.
 */
#include "kernel_impl.h"

#include "kmemfs/phys/frame_walk.h"

/* Pages of the pool that were promised to the area and are used up. */
static void
put_promises(const struct number_stream *to, const struct vma *v)
{
	uint64_t size = huge_bytes(v->mm->vm) >> VM_PAGE_SHIFT;

	for (uint64_t i = v->pgoff / size; i < (v->pgoff + vma_pages(v)) / size;
	     i++)
		if (g_hash_table_contains(v->resv->used, GSIZE_TO_POINTER(i)))
			stream_put(to, i);
}

static void
put_area(const struct number_stream *to, const struct vma *v)
{
	stream_put(to, v->start);
	stream_put(to, v->end);
	stream_put(to, v->flags);
	stream_put(to, v->pgoff);
	stream_put(to, v->object ? v->object->id : 0);
	stream_put(to, v->pfn);
	stream_put(to, (uint64_t)v->policy << 32 | v->policy_flags);
	stream_put(to, v->policy_nodes);
	stream_put(to, v->policy_user);
	if (v->resv)
		put_promises(to, v);
	stream_put(to, v->anon ? v->anon->id : 0);
	for (uint32_t i = 0; i < v->nr_chain; i++)
		stream_put(to, v->chain[i]->id);
}

static void
put_mm(const struct number_stream *to, const struct mm *mm)
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
		stream_put(to, numbers[i]);
	for (int i = 0; i < NR_MM_COUNTERS; i++)
		stream_put(to, (uint64_t)mm->counter[i]);
	for (guint i = 0; i < mm->areas->len; i++)
		put_area(to, vma_nth(mm, i));
}

static void
put_task(const struct number_stream *to, const struct task *t)
{
	stream_put(to, (uint64_t)t->pid << 32 | (uint32_t)t->tgid);
	stream_put(to, (uint64_t)t->ppid << 32 | t->cpu);
	stream_put(to, (uint64_t)t->state << 8 | (uint64_t)t->kthread << 2 |
			       (uint64_t)t->asleep << 1 | t->handles_segv);
	stream_put(to, t->mm ? t->mm->id : 0);
	stream_put_text(to, t->name);
	stream_put_text(to, t->comm);
	for (int i = 0; i < NR_RLIMITS; i++)
		stream_put(to, t->rlimit[i]);
	stream_put(to, (uint64_t)(int64_t)t->oom_score_adj);
	stream_put(to, t->min_flt);
	stream_put(to, t->maj_flt);
	stream_put(to, t->start_ns);
	stream_put(to, t->kernel_stack);
	stream_put(to, (uint64_t)t->sig << 32 | t->sig_code);
	stream_put(to, t->sig_addr);
	stream_put(to, t->caps);
	stream_put(to, (uint64_t)t->policy << 32 | t->policy_flags);
	stream_put(to, t->policy_nodes);
	stream_put(to, t->policy_user);
	stream_put(to, (uint64_t)(int64_t)t->il_prev);
}

static void
put_object(const struct number_stream *to, const struct vm_object *o)
{
	uint64_t index = 0;
	pfn_t pfn;

	stream_put(to, o->id);
	stream_put_text(to, o->name);
	stream_put(to, o->size);
	stream_put(to, (uint64_t)o->refs << 3 | (uint64_t)o->shmem << 2 |
			       (uint64_t)o->charged << 1 | o->broken);
	device_digest(o, to);
	for (uint64_t i = 0; o->reserved && i << VM_PAGE_SHIFT < o->size; i++)
		if (g_hash_table_contains(o->reserved, GSIZE_TO_POINTER(i)))
			stream_put(to, i);
	for (; (pfn = vm_object_next(o, &index)) != PFN_NONE; index++) {
		stream_put(to, index);
		stream_put(to, pfn);
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
put_objects(const struct number_stream *to, const struct vm *vm)
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
put_regs(const struct number_stream *to, const struct vm_cpu *c)
{
	const struct mmu_regs *r = &c->regs;
	const struct psc *upper = tlb_upper(c->tlb);

	stream_put(to, r->cr3);
	for (int i = 0; i < 4; i++)
		stream_put(to, r->pdpte[i]);
	stream_put(to, r->base);
	stream_put(to, r->limit);
	stream_put(to, (uint64_t)r->wp << 7 | (uint64_t)r->pse << 6 |
			       (uint64_t)r->nxe << 5 | (uint64_t)r->smep << 4 |
			       (uint64_t)r->smap << 3 |
			       (uint64_t)c->user_tables << 2 |
			       (uint64_t)c->hand_made << 1 | c->user);
	stream_put(to, c->cr2);
	for (unsigned int n = 0; upper && n < PSC_ENTRIES; n++) {
		const struct psc_entry *e = psc_entry(upper, n);

		if (!e)
			continue;
		stream_put(to, (uint64_t)e->shift << 32 | e->pcid);
		stream_put(to, e->prefix);
		stream_put(to, e->start.table);
		stream_put(to, e->start.in_all);
		stream_put(to, e->start.in_any);
		stream_put(to, e->used);
	}
}

static void
put_cpu(const struct number_stream *to, const struct vm_cpu *c)
{
	stream_put(to, c->current ? (uint64_t)c->current->pid : 0);
	stream_put(to, c->mm ? c->mm->id + 1ULL : 0);
	stream_put(to, (uint64_t)c->pcid << 16 | (uint64_t)c->asid << 8 |
			       c->next_asid);
	put_regs(to, c);
	for (int i = 0; i < VM_ASIDS; i++) {
		stream_put(to, c->asids[i].mm);
		stream_put(to, c->asids[i].gen);
	}
	for (int part = 0; part < NR_TLB_PARTS; part++) {
		struct tlb_geometry g = tlb_geometry(c->tlb, part);

		for (unsigned int n = 0; n < (unsigned int)g.sets * g.ways;
		     n++) {
			const struct tlb_entry *e = tlb_entry(c->tlb, part, n);

			if (!e)
				continue;
			stream_put(to, (uint64_t)part << 32 | n);
			stream_put(to, e->page);
			stream_put(to, e->frame);
			stream_put(to, (uint64_t)e->pcid << 32 | e->used);
			stream_put(to, (uint64_t)e->dirty << 4 |
					       (uint64_t)e->writable << 3 |
					       (uint64_t)e->user << 2 |
					       (uint64_t)e->no_exec << 1 |
					       e->global);
		}
	}
}

/* Small entries of a huge page, and which frames are exclusive. */
static void
put_parts(const struct number_stream *to, const struct vm *vm, pfn_t head)
{
	const struct huge_parts *parts = huge_parts(vm, head);

	for (unsigned int i = 0; parts && i < huge_frames(vm); i++) {
		stream_put(to, parts->entries[i]);
		stream_put(to, vm->pages[head + i].flags);
	}
}

static void
put_deposits(const struct number_stream *to, const struct vm *vm, pfn_t table)
{
	const GArray *kept =
		g_hash_table_lookup(vm->thp->deposits, GSIZE_TO_POINTER(table));

	for (guint i = 0; kept && i < kept->len; i++)
		stream_put(to, g_array_index(kept, pfn_t, i));
}

static void
put_frames(const struct number_stream *to, const struct vm *vm)
{
	const struct phys *phys = vm->phys;
	pfn_t pfn = frame_next_allocated(phys, 0);

	for (; pfn != PFN_NONE;
	     pfn = frame_next_allocated(
		     phys, pfn + (1ULL << phys->frames[pfn].order))) {
		const struct vm_page *p = &vm->pages[pfn];

		if (!p->flags)
			continue;
		stream_put(to, pfn);
		stream_put(to, (uint64_t)p->mapping << 32 | p->flags);
		stream_put(to, p->index);
		if (p->flags & VMP_HUGE)
			put_parts(to, vm, pfn);
		/* Tables of leaves that huge entries keep. */
		if ((p->flags & VMP_TABLE) && vm->thp)
			put_deposits(to, vm, pfn);
		stream_put(to, (uintptr_t)g_hash_table_lookup(
				       vm->pins, (gpointer)(uintptr_t)pfn));
	}
}

static void
put_sysctl(const struct number_stream *to, const struct vm_sysctl_mm *s)
{
	stream_put(to, (uint64_t)(int64_t)s->overcommit_memory);
	stream_put(to, s->overcommit_ratio);
	stream_put(to, s->overcommit_kbytes);
	stream_put(to, s->max_map_count);
	stream_put(to, s->mmap_min_addr);
	stream_put(to, s->stack_guard_gap);
	stream_put(to, s->admin_reserve_kbytes);
	stream_put(to, s->user_reserve_kbytes);
	stream_put(to, s->fault_around_bytes);
	stream_put(to, s->flush_ceiling);
	stream_put(to, s->readahead_pages);
}

void
vm_digest(const struct vm *vm, const struct number_stream *to)
{
	put_sysctl(to, &vm->sysctl);
	stream_put(to, vm->committed);
	stream_put(to, (uint64_t)vm->last_pid);
	stream_put(to, vm->forks);
	stream_put(to, (uint64_t)vm->last_mm << 32 | vm->last_object);
	stream_put(to, vm->last_anon);
	stream_put(to, vm->init_mm ? vm->init_mm->top : 0);
	for (guint i = 0; i < vm->tasks->len; i++)
		put_task(to, g_ptr_array_index(vm->tasks, i));
	for (guint i = 0; i < vm->mms->len; i++)
		put_mm(to, g_ptr_array_index(vm->mms, i));
	put_objects(to, vm);
	for (unsigned int i = 0; i < vm->nr_cpus; i++)
		put_cpu(to, &vm->cpu[i]);
	if (vm->caches)
		caches_digest(vm->caches, to);
	if (vm->thp)
		thp_digest(vm, to);
	if (vm->hugetlb)
		hugetlb_digest(vm, to);
	if (vm->pages)
		put_frames(to, vm);
	kernel_digest(vm, to);
}
