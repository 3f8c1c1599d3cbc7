// SPDX-License-Identifier: MIT
/*
 * khugepaged.c - small pages become a huge one, from time to time or by advice
 *
 * What it models: khugepaged_scan_mm_slot, hpage_collapse_scan_pmd,
 * collapse_huge_page, madvise_collapse (mm/khugepaged.c).
 *
 * How it works: address spaces with areas that could have huge pages stand in
 * a row.  Every scan_sleep_millisecs of modelled time the next pages_to_scan
 * pages are looked at, 2 MiB after 2 MiB; where enough of them is there, all
 * are copied into a new huge page, and the table that mapped them is kept for
 * the day on which it is split again.
 *
 *     scan:  asleep until scan_next_ns -> some ranges -> asleep again
 *            no memory: asleep for alloc_sleep_millisecs, once a scan
 *
 * When much time passes at once, rounds of scans that find nothing to do are
 * counted and not done: they would all be the same.
 *
 * Differs from the kernel: a scan takes no time; without any sleep between them
 * there is one every millisecond.
 */
#include "vm_impl.h"

#include <errno.h>
#include <string.h>

/* Counters that a scan moves that finds nothing to do. */
#define NR_IDLE_COUNTS 3

/* Why a range is not collapsed; those that the callers tell apart. */
enum scan {
	SCAN_SUCCEED,
	SCAN_FAIL,
	SCAN_NONE,	   /* no table, or too few pages */
	SCAN_MAPPED,	   /* huge already */
	SCAN_NOT_SUITABLE, /* of pages that are there: some can go on */
	SCAN_PINNED,
	SCAN_NO_MEMORY,
};

/* What a look at a range found. */
struct look {
	struct vm *vm;
	struct vma *v;
	va_t va;
	pa_t table; /* of leaves */
	bool daemon;
	unsigned int none, shared, young;
	bool writable;
	uint32_t load[64]; /* pages on each node */
};

/* --- looking ------------------------------------------------------------ */

static enum scan
look_at_page(struct look *l, va_t va, uint64_t e)
{
	struct vm *vm = l->vm;
	bool bad;
	pfn_t pfn = pt_page(vm, l->v, va, e, &bad), head;
	uint32_t refs;
	unsigned int node;

	if (pfn == PFN_NONE || !(vm->pages[pfn].flags & VMP_ANON))
		return SCAN_NOT_SUITABLE;
	l->writable |= (e & PTE_RW) != 0;
	if (vm_mapcount(vm, pfn) > 1 &&
	    ++l->shared > vm->thp->max_ptes_shared && l->daemon) {
		vm->phys->event[VE_thp_scan_exceed_share_pte]++;
		return SCAN_FAIL;
	}
	node = pg_node(vm, pfn)->id;
	if (node < ARRAY_SIZE(l->load))
		l->load[node]++;
	head = pg_head(vm, pfn);
	refs = vm->pages[head].flags & VMP_HUGE
		       ? huge_mapcount(vm, head)
		       : (uint32_t)vm->phys->frames[head].mapcount;
	if ((uint32_t)vm->phys->frames[head].refs != refs)
		return SCAN_PINNED;
	if ((e & PTE_A) || (vm->pages[head].flags & VMP_REFERENCED))
		l->young++;
	return SCAN_SUCCEED;
}

/* hpage_collapse_scan_pmd(), up to the collapse. */
static enum scan
look_at_range(struct look *l)
{
	struct vm *vm = l->vm;
	pa_t at = vm_entry_at(vm, l->v->mm, l->va, 1);

	if (!at || !pte_load(vm, at))
		return SCAN_NONE;
	if (huge_leaf_bits(pte_load(vm, at)))
		return SCAN_MAPPED;
	at = vm_entry_at(vm, l->v->mm, l->va, 0);
	if (!at)
		return SCAN_NONE;
	l->table = at;
	for (unsigned int i = 0; i < huge_frames(vm); i++) {
		uint64_t e = pte_load(vm, at + i * vm->shape.bytes);
		enum scan result;

		if (!e || ((e & PTE_SPECIAL) &&
			   vm_entry_pfn(vm, e) == vm->zero_page)) {
			if (++l->none <= vm->thp->max_ptes_none || !l->daemon)
				continue;
			vm->phys->event[VE_thp_scan_exceed_none_pte]++;
			return SCAN_FAIL;
		}
		if (!pte_there(e))
			return SCAN_NOT_SUITABLE;
		result = look_at_page(l, l->va + i * VM_PAGE, e);
		if (result != SCAN_SUCCEED)
			return result;
	}
	if (!l->writable || (l->daemon && !l->young))
		return SCAN_NOT_SUITABLE;
	return SCAN_SUCCEED;
}

/* --- collapsing --------------------------------------------------------- */

/* alloc_charge_hpage(): near to most of the pages. */
static bool
alloc_target(struct look *l, unsigned int cpu, pfn_t *pfn)
{
	struct vm *vm = l->vm;
	struct page_request q = {
		.gfp = l->daemon && !vm->thp->khugepaged_defrag
			       ? GFP_TRANSHUGE_LIGHT
			       : GFP_TRANSHUGE,
		.order = vm->thp->order,
		.cpu = cpu,
	};
	uint32_t most = 0;
	int err;

	for (unsigned int i = 0; i < MIN_OF(vm->phys->nr_nodes, 64U); i++)
		if (l->load[i] > most) {
			most = l->load[i];
			q.nid = (int)i;
		}
	for (unsigned int i = 0; i < MIN_OF(vm->phys->nr_nodes, 64U); i++)
		if (l->load[i] == most)
			q.nodes |= 1ULL << i;
	err = pages_alloc(vm->phys, &q, pfn);
	vm->phys->event[err ? VE_thp_collapse_alloc_failed
			    : VE_thp_collapse_alloc]++;
	return !err;
}

/* Copy what is there; false: the host's limit, nothing has changed. */
static bool
copy_bytes(struct look *l, pfn_t to)
{
	struct vm *vm = l->vm;
	int err = 0;

	ram_zero(vm->ram, to << VM_PAGE_SHIFT, huge_bytes(vm));
	for (unsigned int i = 0; !err && i < huge_frames(vm); i++) {
		uint64_t e = pte_load(vm, l->table + i * vm->shape.bytes);

		if (e && !(e & PTE_SPECIAL))
			pg_copy(vm, to + i, vm_entry_pfn(vm, e), &err);
	}
	return !err;
}

static void
drop_small(struct look *l, unsigned int cpu)
{
	struct vm *vm = l->vm;
	struct vma *v = l->v;

	for (unsigned int i = 0; i < huge_frames(vm); i++) {
		pa_t at = l->table + i * vm->shape.bytes;
		uint64_t e = pte_load(vm, at);
		pfn_t pfn;

		if (!e)
			continue;
		pte_store(vm, at, 0);
		if (e & PTE_SPECIAL)
			continue;
		pfn = vm_entry_pfn(vm, e);
		mm_count(v->mm, MM_ANONPAGES, -1);
		pg_unmap(vm, v, pfn);
		pg_put(vm, pfn, cpu);
	}
}

/* collapse_huge_page() */
static enum scan
collapse(struct look *l, unsigned int cpu)
{
	struct vm *vm = l->vm;
	struct vma *v = l->v;
	uint64_t bits = pte_prot(vm, v) | pte_dirty_bits(vm);
	pa_t at = vm_entry_at(vm, v->mm, l->va, 1);
	pfn_t pfn;

	if (!alloc_target(l, cpu, &pfn))
		return SCAN_NO_MEMORY;
	if (!copy_bytes(l, pfn)) {
		ram_zero(vm->ram, pfn << VM_PAGE_SHIFT, huge_bytes(vm));
		pages_put(vm->phys, pfn, vm->thp->order, cpu);
		return SCAN_FAIL;
	}
	pte_store(vm, at, 0);
	vm->generation++;
	vm->tables++;
	flush_range(vm, v->mm, l->va, l->va + huge_bytes(vm), cpu);
	drop_small(l, cpu);
	if (v->flags & VM_WRITE)
		bits |= PTE_RW;
	huge_new_anon(vm, v, l->va, pfn);
	mm_count(v->mm, MM_ANONPAGES, huge_frames(vm));
	thp_deposit(vm, at, l->table >> VM_PAGE_SHIFT);
	pte_store(vm, at, huge_make(vm, pfn, bits, 1));
	return SCAN_SUCCEED;
}

static enum scan
try_range(struct vm *vm, struct vma *v, va_t va, bool daemon, unsigned int cpu)
{
	struct look l = {.vm = vm, .v = v, .va = va, .daemon = daemon};
	enum scan result = look_at_range(&l);

	return result == SCAN_SUCCEED ? collapse(&l, cpu) : result;
}

/* --- by advice ---------------------------------------------------------- */

int
thp_collapse_range(struct vm *vm, struct vma *v, va_t start, va_t end,
		   unsigned int cpu)
{
	static const int errors[] = {
		[SCAN_SUCCEED] = 0,
		[SCAN_FAIL] = -EINVAL,
		[SCAN_NONE] = -EINVAL,
		[SCAN_MAPPED] = 0,
		[SCAN_NOT_SUITABLE] = -EINVAL,
		[SCAN_PINNED] = -EAGAIN,
		[SCAN_NO_MEMORY] = -ENOMEM,
	};
	uint64_t size;
	int err = 0;

	if (!vm->thp || !vma_is_anonymous(v) || !v->anon ||
	    (v->flags & (VM_NOHUGEPAGE | VM_SPECIAL | VM_HUGETLB)) ||
	    v->end < huge_bytes(vm) ||
	    !thp_suits(vm, v, v->end - huge_bytes(vm)))
		return -EINVAL;
	size = huge_bytes(vm);
	for (va_t va = round_up_to(start, size); va + size <= end; va += size) {
		enum scan result = try_range(vm, v, va, false, cpu);

		if (errors[result])
			err = errors[result];
		if (result == SCAN_FAIL || result == SCAN_NONE ||
		    result == SCAN_NO_MEMORY)
			break;
	}
	return err;
}

/* --- from time to time -------------------------------------------------- */

static void
sleep_ms(struct vm *vm, uint32_t ms)
{
	vm->thp->asleep = true;
	vm->thp->scan_next_ns = *vm->phys->now_ns + (uint64_t)ms * 1000000;
}

/* The next address space, when the one in hand is done or gone. */
static void
next_space(struct thp *t)
{
	guint i = 0;

	while (i < t->scan->len && g_ptr_array_index(t->scan, i) != t->scan_mm)
		i++;
	t->scan_at = 0;
	t->scan_mm =
		i + 1 < t->scan->len ? g_ptr_array_index(t->scan, i + 1) : NULL;
	if (!t->scan_mm)
		t->full_scans++;
}

static void
enter(struct vm *vm, struct mm *mm)
{
	struct thp *t = vm->thp;

	mm->khugepaged = true;
	/* The first one wakes it up. */
	if (!t->scan->len && !t->asleep)
		sleep_ms(vm, 0);
	g_ptr_array_add(t->scan, mm);
}

void
khugepaged_enter(struct vm *vm, const struct vma *v)
{
	if (!v->mm->khugepaged && thp_allowed(vm, v, false))
		enter(vm, v->mm);
}

void
khugepaged_fork(struct vm *vm, struct mm *mm, const struct mm *old)
{
	if (old->khugepaged)
		enter(vm, mm);
}

void
thp_mm_gone(struct vm *vm, struct mm *mm)
{
	struct thp *t = vm->thp;

	if (!t)
		return;
	if (mm->khugepaged) {
		if (t->scan_mm == mm)
			next_space(t);
		g_ptr_array_remove(t->scan, mm);
	}
	if (mm->huge_zero)
		t->zero_refs--;
}

/* Look at ranges of the address space in hand: pages of progress.  Stops after
 * each that was tried, as the kernel does when it has let go of the lock. */
static uint32_t
scan_space(struct vm *vm, uint32_t pages, enum scan *result)
{
	struct thp *t = vm->thp;
	struct mm *mm = t->scan_mm;
	uint64_t size = huge_bytes(vm);
	uint32_t progress = 1;

	for (guint n = vma_index(mm, t->scan_at); n < mm->areas->len; n++) {
		struct vma *v = vma_nth(mm, n);
		va_t end = v->end & ~(size - 1);

		if (!thp_allowed(vm, v, false) || t->scan_at > end) {
			progress++;
			continue;
		}
		t->scan_at = MAX_OF(t->scan_at, round_up_to(v->start, size));
		while (t->scan_at < end) {
			uint64_t *allocs = vm->phys->event;
			uint64_t before = allocs[VE_thp_collapse_alloc] +
					  allocs[VE_thp_collapse_alloc_failed];

			*result = try_range(vm, v, t->scan_at, true, 0);
			t->pages_collapsed += *result == SCAN_SUCCEED;
			t->scan_at += size;
			progress += huge_frames(vm);
			if (progress >= pages ||
			    before !=
				    allocs[VE_thp_collapse_alloc] +
					    allocs[VE_thp_collapse_alloc_failed])
				return progress;
		}
	}
	next_space(t);
	return progress;
}

/* khugepaged_do_scan(): whether it is done, not waiting for memory. */
static bool
do_scan(struct vm *vm)
{
	struct thp *t = vm->thp;
	enum scan result = SCAN_SUCCEED;

	while (t->progress < t->pages_to_scan) {
		if (!t->scan_mm)
			t->passes++;
		if (!t->scan->len || t->enabled == THP_NEVER || t->passes > 1)
			break;
		if (!t->scan_mm) {
			t->scan_mm = g_ptr_array_index(t->scan, 0);
			t->scan_at = 0;
		}
		t->progress +=
			scan_space(vm, t->pages_to_scan - t->progress, &result);
		if (t->progress >= t->pages_to_scan || result != SCAN_NO_MEMORY)
			continue;
		if (t->waited)
			break;
		t->waited = true;
		sleep_ms(vm, t->alloc_sleep_ms);
		return false;
	}
	t->progress = 0;
	t->passes = 0;
	t->waited = false;
	return true;
}

/* Where a scan ended, and what had been counted by then. */
struct mark {
	const struct mm *mm;
	va_t at;
	uint64_t due;
	uint64_t counts[NR_IDLE_COUNTS + 1]; /* full_scans first */
};

static const enum vm_event idle_events[NR_IDLE_COUNTS] = {
	VE_thp_scan_exceed_none_pte,
	VE_thp_scan_exceed_swap_pte,
	VE_thp_scan_exceed_share_pte,
};

static struct mark
mark_here(const struct vm *vm, uint64_t due)
{
	const struct thp *t = vm->thp;
	struct mark m = {t->scan_mm, t->scan_at, due, {t->full_scans}};

	for (int i = 0; i < NR_IDLE_COUNTS; i++)
		m.counts[i + 1] = vm->phys->event[idle_events[i]];
	return m;
}

/*
 * Scans since @then have found nothing to do and have come back to the same
 * place: so will those up to now.  Count them without doing them.
 */
static void
leave_out(struct vm *vm, const struct mark *then, uint64_t due, uint64_t now)
{
	struct mark here = mark_here(vm, due);
	uint64_t round = due - then->due, rounds;
	struct thp *t = vm->thp;

	if (here.mm != then->mm || here.at != then->at || !round || now < due)
		return;
	rounds = (now - due) / round;
	t->full_scans +=
		(uint32_t)((here.counts[0] - then->counts[0]) * rounds);
	for (int i = 0; i < NR_IDLE_COUNTS; i++)
		vm->phys->event[idle_events[i]] +=
			(here.counts[i + 1] - then->counts[i + 1]) * rounds;
	t->scan_next_ns += rounds * round;
}

/* A try for a huge page, or for what it is made of, was more than a look. */
static uint64_t
tries(const struct vm *vm)
{
	return vm->phys->event[VE_thp_collapse_alloc] +
	       vm->phys->event[VE_thp_collapse_alloc_failed];
}

/* One scan that was due; false: khugepaged waits for someone to come. */
static bool
scan_due(struct vm *vm)
{
	struct thp *t = vm->thp;
	uint64_t due = t->scan_next_ns, ms = MAX_OF(t->scan_sleep_ms, 1U);

	t->asleep = false;
	if (!do_scan(vm))
		ms = t->alloc_sleep_ms;
	else if (!t->scan->len || t->enabled == THP_NEVER)
		return false;
	t->asleep = true;
	t->scan_next_ns = due + MAX_OF(ms, 1U) * 1000000;
	return true;
}

static inline bool
is_due(const struct thp *t, uint64_t now)
{
	return t->asleep && t->scan_next_ns <= now;
}

static __attribute__((noinline)) void
scan_all_due(struct vm *vm, uint64_t now)
{
	struct thp *t = vm->thp;
	struct task *acting = vm->acting;
	struct mark then = {0};
	uint64_t idle = 0;

	vm->acting = NULL;
	do {
		uint64_t before = tries(vm);

		if (!scan_due(vm))
			break;
		idle = tries(vm) == before ? idle + 1 : 0;
		if (idle > 1)
			leave_out(vm, &then, t->scan_next_ns, now);
		/* The round may begin later than the first of them. */
		if (idle && !(idle & (idle - 1)))
			then = mark_here(vm, t->scan_next_ns);
	} while (is_due(t, now));
	vm->acting = acting;
}

bool
khugepaged_tick(struct vm *vm)
{
	uint64_t now = *vm->phys->now_ns;

	if (!is_due(vm->thp, now))
		return false;
	scan_all_due(vm, now);
	return true;
}

void
thp_wake(struct vm *vm)
{
	if (vm->thp && vm->thp->asleep)
		vm->thp->scan_next_ns = *vm->phys->now_ns;
}

int
thp_set_enabled(struct vm *vm, enum thp_mode mode)
{
	struct thp *t = vm->thp;

	if (!t)
		return -EINVAL;
	t->enabled = mode;
	if (mode != THP_NEVER && t->scan->len && !t->asleep)
		sleep_ms(vm, 0);
	phys_set_khugepaged(vm->phys, mode != THP_NEVER);
	return 0;
}

void
thp_digest(const struct vm *vm, const struct number_stream *to)
{
	const struct thp *t = vm->thp;
	const uint64_t numbers[] = {
		(uint64_t)t->enabled,
		(uint64_t)t->defrag,
		(uint64_t)t->use_zero_page << 3 |
			(uint64_t)t->khugepaged_defrag << 2 |
			(uint64_t)t->asleep << 1 | t->waited,
		t->pages_to_scan,
		t->scan_sleep_ms,
		t->alloc_sleep_ms,
		t->max_ptes_none,
		t->max_ptes_swap,
		t->max_ptes_shared,
		t->pages_collapsed,
		t->full_scans,
		t->zero,
		t->zero_refs,
		t->scan_mm ? t->scan_mm->id : 0,
		t->scan_at,
		t->scan_next_ns,
		(uint64_t)t->progress << 32 | t->passes,
	};

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		stream_put(to, numbers[i]);
	for (guint i = 0; i < t->scan->len; i++) {
		const struct mm *mm = g_ptr_array_index(t->scan, i);

		stream_put(to, mm->id);
	}
	for (unsigned int n = 0; n < vm->phys->nr_nodes; n++)
		for (guint i = 0; i < t->deferred[n]->len; i++)
			stream_put(to, g_array_index(t->deferred[n], pfn_t, i));
}
