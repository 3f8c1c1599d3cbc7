// SPDX-License-Identifier: MIT
/*
 * vm_steps.h - law_vm's steps: each done to the machine and to the model
 */
#ifndef TESTS_LAW_VM_STEPS_H
#define TESTS_LAW_VM_STEPS_H

#include "vm_model.h"

/* The highest gap of the window that @nr pages fit in; WINDOW: none. */
static unsigned int
model_gap(const struct mtask *m, unsigned int nr)
{
	for (unsigned int n = WINDOW - nr + 1; n-- > 0;) {
		unsigned int i = 0;

		while (i < nr && !m->page[n + i].mapped)
			i++;
		if (i == nr)
			return n;
	}
	return WINDOW;
}

static void
model_map(struct run *r, struct mtask *m, unsigned int n, unsigned int nr,
	  const struct vm_mmap_args *a, unsigned int file)
{
	struct shared *s = NULL;

	if (!(a->flags & VM_MAP_ANONYMOUS)) {
		s = r->content[file] + a->offset / VM_PAGE;
	} else if (a->flags & VM_MAP_SHARED) {
		s = g_new0(struct shared, nr);
		r->made[r->nr_made++] = s;
	}
	for (unsigned int i = 0; i < nr; i++) {
		struct mpage *p = &m->page[n + i];

		clear(p);
		p->mapped = true;
		p->prot = (unsigned int)a->prot;
		p->shared = s ? s + i : NULL;
		p->left = a->flags & VM_MAP_ANONYMOUS
				  ? nr - i
				  : FILE_PAGES - i -
					    (unsigned int)(a->offset / VM_PAGE);
		p->private = !(a->flags & VM_MAP_SHARED);
		p->locked = a->flags & VM_MAP_LOCKED;
	}
}

static void
step_mmap(struct run *r)
{
	static const unsigned int prots[] = {3, 3, 3, 3, 1, 0, 7, 5, 2};
	struct mtask *m = some_task(r);
	unsigned int nr, n = some_range(r, &nr), file = 0, gap;
	struct vm_mmap_args a = {
		.len = nr * VM_PAGE - below(r, VM_PAGE),
		.prot = prots[below(r, ARRAY_SIZE(prots))],
		.flags = below(r, 3) ? VM_MAP_PRIVATE : VM_MAP_SHARED,
	};
	struct vm_open open = {.mode = VM_OPEN_READ | VM_OPEN_WRITE};
	va_t at = 0;
	int err;

	if (n >= WINDOW)
		return;
	if (below(r, 3)) {
		a.flags |= VM_MAP_ANONYMOUS;
	} else {
		file = (unsigned int)below(r, FILES);
		nr = MIN_OF(nr, FILE_PAGES);
		a.len = nr * VM_PAGE;
		a.offset = below(r, FILE_PAGES - nr + 1) * VM_PAGE;
		open.object = r->file[file];
		a.file = &open;
	}
	if (r->nr_made == SHARED_MOST)
		return;
	if (below(r, 2)) {
		a.flags |= VM_MAP_FIXED;
		a.addr = address(m, n);
	}
	if (!below(r, 6))
		a.flags |= VM_MAP_POPULATE;
	if (!below(r, 12))
		a.flags |= VM_MAP_NORESERVE;
	if (!below(r, 10))
		a.flags |= VM_MAP_LOCKED;
	/* Faulted in, a private page of a file is a copy at once; the model
	 * takes it to be one when it is written. */
	if (!(a.flags & (VM_MAP_ANONYMOUS | VM_MAP_SHARED)))
		a.flags &= ~(uint64_t)(VM_MAP_POPULATE | VM_MAP_LOCKED);
	gap = model_gap(m, nr);
	err = vm_mmap(r->vm, m->t, &a, &at);
	say(r,
	    "%d mmap page %u +%u prot %u flags %x file %u+%x: %d at %" PRIx64,
	    m->t->pid, n, nr, (unsigned int)a.prot, (unsigned int)a.flags, file,
	    (unsigned int)a.offset, err, at);
	if (err) {
		if (err != -ENOMEM && err != -EAGAIN)
			fail(r, "mmap: %d", err);
		return;
	}
	if (a.flags & VM_MAP_FIXED) {
		if (at != a.addr)
			fail(r, "MAP_FIXED gave %" PRIx64, at);
	} else if (gap == WINDOW) {
		if (at >= address(m, 0))
			fail(r, "no gap in the window, mmap found one");
		if (vm_munmap(r->vm, m->t, at, a.len))
			fail(r, "munmap outside the window");
		return;
	} else if (at != address(m, gap)) {
		fail(r, "the highest gap is page %u, mmap gave %" PRIx64, gap,
		     at);
		return;
	} else {
		n = gap;
	}
	model_map(r, m, n, nr, &a, file);
}

static void
step_munmap(struct run *r)
{
	struct mtask *m = some_task(r);
	unsigned int nr, n = some_range(r, &nr);
	int err;

	/* The heap's pages are brk's. */
	if (n >= WINDOW)
		return;
	err = vm_munmap(r->vm, m->t, address(m, n), nr * VM_PAGE);
	say(r, "%d munmap page %u +%u: %d", m->t->pid, n, nr, err);
	if (err)
		fail(r, "munmap: %d", err);
	for (unsigned int i = 0; i < nr; i++)
		clear(&m->page[n + i]);
}

static void
step_mprotect(struct run *r)
{
	static const unsigned int prots[] = {0, 1, 3, 3, 3, 7, 5};
	struct mtask *m = some_task(r);
	unsigned int nr, n = some_range(r, &nr);
	unsigned int prot = prots[below(r, ARRAY_SIZE(prots))];
	int err = vm_mprotect(r->vm, m->t, address(m, n), nr * VM_PAGE, prot);
	bool hole = false;

	say(r, "%d mprotect page %u +%u to %u: %d", m->t->pid, n, nr, prot,
	    err);
	for (unsigned int i = 0; i < nr && !hole; i++) {
		hole = !m->page[n + i].mapped;
		if (!hole)
			m->page[n + i].prot = prot;
	}
	if (err != (hole ? -ENOMEM : 0))
		fail(r, "mprotect: %d, %s hole", err, hole ? "a" : "no");
}

static void
step_mremap(struct run *r)
{
	struct mtask *m = some_task(r);
	unsigned int nr, n = some_range(r, &nr), to, new_nr;
	bool fixed = below(r, 2);
	uint64_t flags = VM_MREMAP_MAYMOVE | (fixed ? VM_MREMAP_FIXED : 0);
	struct mpage *moved;
	va_t at = 0;
	int err;

	if (n >= WINDOW)
		return;
	to = some_range(r, &new_nr);
	if (to >= WINDOW)
		return;
	if (below(r, 2))
		new_nr = nr;
	err = vm_mremap(r->vm, m->t, address(m, n), nr * VM_PAGE,
			new_nr * VM_PAGE, flags, address(m, to), &at);
	say(r, "%d mremap page %u +%u to %u +%u%s: %d at %" PRIx64, m->t->pid,
	    n, nr, to, new_nr, fixed ? " fixed" : "", err, at);
	if (err == -EFAULT && fixed && m->page[n].mapped) {
		/* The target was unmapped before the source was looked at, and
		 * what was beyond the new length too. */
		for (unsigned int i = 0; i < new_nr; i++)
			if (to + i < WINDOW)
				clear(&m->page[to + i]);
		for (unsigned int i = new_nr; i < nr; i++)
			clear(&m->page[n + i]);
		return;
	}
	if (err) {
		if (err != -EFAULT && err != -EINVAL && err != -ENOMEM &&
		    err != -EAGAIN)
			fail(r, "mremap: %d", err);
		/* Unmapped on the way to a failure for want of memory. */
		if (err == -ENOMEM && fixed)
			for (unsigned int i = 0; i < MAX_OF(nr, new_nr); i++) {
				if (i < new_nr && to + i < WINDOW)
					clear(&m->page[to + i]);
				if (i >= new_nr)
					clear(&m->page[n + i]);
			}
		return;
	}
	moved = g_new0(struct mpage, MAX_OF(nr, new_nr));
	for (unsigned int i = 0; i < nr; i++) {
		if (i < new_nr)
			moved[i] = m->page[n + i];
		else
			g_free(m->page[n + i].own);
		memset(&m->page[n + i], 0, sizeof(m->page[0]));
	}
	/* What is new goes on as the area did. */
	for (unsigned int i = nr; i < new_nr; i++) {
		moved[i] = moved[i - 1];
		moved[i].own = NULL;
		if (!moved[i].shared)
			continue;
		moved[i].beyond = moved[i].beyond || --moved[i].left == 0;
		moved[i].shared += !moved[i].beyond;
	}
	if (at < address(m, 0) || at >= m->t->mm->mmap_base) {
		if (vm_munmap(r->vm, m->t, at, new_nr * VM_PAGE))
			fail(r, "munmap outside the window");
		for (unsigned int i = 0; i < new_nr; i++)
			g_free(moved[i].own);
		g_free(moved);
		return;
	}
	to = (unsigned int)((at - address(m, 0)) / VM_PAGE);
	for (unsigned int i = 0; i < new_nr && to + i < WINDOW; i++) {
		clear(&m->page[to + i]);
		m->page[to + i] = moved[i];
	}
	g_free(moved);
}

static void
step_brk(struct run *r)
{
	struct mtask *m = some_task(r);
	struct mm *mm = m->t->mm;
	unsigned int nr = (unsigned int)below(r, HEAP);
	unsigned int was = (unsigned int)((mm->brk - mm->start_brk) / VM_PAGE);
	va_t got = vm_brk(r->vm, m->t, mm->start_brk + nr * VM_PAGE);
	unsigned int now = (unsigned int)((got - mm->start_brk) / VM_PAGE);

	say(r, "%d brk %u: %u", m->t->pid, nr, now);
	for (unsigned int i = 0; i < HEAP; i++) {
		struct mpage *p = &m->page[WINDOW + i];

		if (i >= now) {
			clear(p);
		} else if (i >= was) {
			/* What a parent kept to itself below stays a hole. */
			p->mapped = true;
			p->private = true;
			p->prot = VM_PROT_READ | VM_PROT_WRITE;
		}
	}
}

/* Pages from @n on, one after the other, that allow it. */
static uint64_t
allowed(const struct mtask *m, unsigned int n, uint64_t offset, uint64_t len,
	bool write)
{
	uint64_t done = 0;

	for (; done < len && n < PAGES; n++) {
		const struct mpage *p = &m->page[n];

		if (!(write ? can_write(p) : can_read(p)))
			break;
		done = MIN_OF(len, done + VM_PAGE - offset);
		offset = 0;
		if (n == WINDOW - 1)
			break;
	}
	return done;
}

static uint64_t
touch(struct run *r, struct mtask *m, va_t va, uint8_t *bytes, uint64_t len,
      bool write, int *err)
{
	struct vm_access a = {
		.va = va,
		.len = len,
		.access = write ? MMU_WRITE : MMU_READ,
		.user = true,
		.bytes = bytes,
	};
	struct vm_access_result result;
	unsigned int cpu = (unsigned int)below(r, r->phys->nr_cpus);

	*err = 0;
	if (!below(r, 4))
		return write ? vm_copy_to_user(r->vm, m->t, va, bytes, len)
			     : vm_copy_from_user(r->vm, m->t, bytes, va, len);
	if (vm_switch_to(r->vm, cpu, m->t))
		fail(r, "vm_switch_to");
	*err = vm_access(r->vm, cpu, &a, &result);
	if (result.stale)
		fail(r, "a stale entry was used");
	return result.done;
}

static void
step_write(struct run *r)
{
	struct mtask *m = some_task(r);
	unsigned int nr, n = some_range(r, &nr);
	uint64_t offset = below(r, VM_PAGE), len = 1 + below(r, 2 * VM_PAGE);
	uint64_t want = allowed(m, n, offset, len, true), done;
	uint8_t bytes[2 * VM_PAGE], *from = bytes;
	int err;

	for (uint64_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)random_next(&r->law.random);
	done = touch(r, m, address(m, n) + offset, bytes, len, true, &err);
	say(r, "%d write page %u+%u %u bytes: %u, %d", m->t->pid, n,
	    (unsigned int)offset, (unsigned int)len, (unsigned int)done, err);
	if (done != want && err != -ENOMEM && !r->kind->room && n + 2 < WINDOW)
		fail(r, "%u bytes written of %u", (unsigned int)done,
		     (unsigned int)want);
	for (uint64_t left = done; left; n++) {
		uint64_t part = MIN_OF(left, VM_PAGE - offset);

		if (n >= PAGES || (n == WINDOW && from != bytes))
			break;
		memcpy(writable(&m->page[n]) + offset, from, part);
		from += part;
		left -= part;
		offset = 0;
	}
}

static void
step_read(struct run *r)
{
	struct mtask *m = some_task(r);
	unsigned int nr, n = some_range(r, &nr);
	uint64_t offset = below(r, VM_PAGE);
	uint64_t len = 1 + below(r, VM_PAGE - offset), done;
	uint8_t bytes[VM_PAGE];
	int err;

	done = touch(r, m, address(m, n) + offset, bytes, len, false, &err);
	say(r, "%d read page %u: %u, %d", m->t->pid, n, (unsigned int)done,
	    err);
	if (done && !can_read(&m->page[n]))
		fail(r, "page %u could be read", n);
	if (!done && can_read(&m->page[n]) && err != -ENOMEM && !r->kind->room)
		fail(r, "page %u could not be read: %d", n, err);
	if (done && memcmp(bytes, content(&m->page[n]) + offset, done))
		fail(r, "page %u reads other bytes", n);
}

static void
step_fork(struct run *r)
{
	struct mtask *m = some_task(r), *child;
	struct task *t = NULL;
	int err;

	if (r->nr_tasks == TASKS_MOST)
		return;
	err = task_fork(m->t, (unsigned int)below(r, r->phys->nr_cpus), 0, NULL,
			&t);
	say(r, "%d fork: %d, %d", m->t->pid, err, err ? 0 : t->pid);
	if (err) {
		if (err != -ENOMEM)
			fail(r, "fork: %d", err);
		return;
	}
	child = g_memdup2(m, sizeof(*m));
	child->t = t;
	for (unsigned int i = 0; i < POOL_MOST; i++)
		child->pool[i].weak |= !child->pool[i].shared;
	for (unsigned int i = 0; i < PAGES; i++) {
		struct mpage *p = &child->page[i];

		p->locked = false;
		if (p->own)
			p->own = g_memdup2(p->own, VM_PAGE);
		if (p->dontfork) {
			clear(p);
		} else if (p->wipe) {
			g_free(p->own);
			p->own = NULL;
		}
	}
	r->task[r->nr_tasks++] = child;
}

static void
drop_task(struct run *r, unsigned int i)
{
	struct mtask *m = r->task[i];

	say(r, "%d exit", m->t->pid);
	if (task_exit(m->t, true) || task_reap(m->t))
		fail(r, "exit");
	for (unsigned int n = 0; n < PAGES; n++)
		clear(&m->page[n]);
	g_free(m);
	r->task[i] = r->task[--r->nr_tasks];
}

static void
step_exit(struct run *r)
{
	if (r->nr_tasks > 1)
		drop_task(r, (unsigned int)below(r, r->nr_tasks));
}

static void
step_advise(struct run *r)
{
	static const int all[] = {
		VM_MADV_DONTNEED, VM_MADV_DONTNEED,   VM_MADV_DONTFORK,
		VM_MADV_DOFORK,	  VM_MADV_WIPEONFORK, VM_MADV_KEEPONFORK,
		VM_MADV_WILLNEED, VM_MADV_SEQUENTIAL, VM_MADV_COLD,
		VM_MADV_HUGEPAGE, VM_MADV_NOHUGEPAGE,
	};
	struct mtask *m = some_task(r);
	unsigned int nr, n = some_range(r, &nr);
	int what = all[below(r, ARRAY_SIZE(all) - (r->vm->thp ? 0 : 2))], err;
	bool hole = false;

	/* One kind of page, so that it is done with all or with none. */
	for (unsigned int i = 0; i < nr; i++) {
		const struct mpage *p = &m->page[n + i];

		hole |= !p->mapped;
		if (p->locked)
			return;
		if (p->shared && what == VM_MADV_WIPEONFORK)
			return;
	}
	err = vm_madvise(r->vm, m->t, address(m, n), nr * VM_PAGE, what);
	say(r, "%d madvise page %u +%u %d: %d", m->t->pid, n, nr, what, err);
	if (err != (hole ? -ENOMEM : 0))
		fail(r, "madvise %d: %d", what, err);
	for (unsigned int i = 0; i < nr; i++) {
		struct mpage *p = &m->page[n + i];

		if (what == VM_MADV_DONTNEED) {
			g_free(p->own);
			p->own = NULL;
		}
		if (!p->mapped)
			continue;
		if (what == VM_MADV_DONTFORK || what == VM_MADV_DOFORK)
			p->dontfork = what == VM_MADV_DONTFORK;
		if (what == VM_MADV_WIPEONFORK || what == VM_MADV_KEEPONFORK)
			p->wipe = what == VM_MADV_WIPEONFORK;
	}
}

static void
step_lock(struct run *r)
{
	struct mtask *m = some_task(r);
	unsigned int nr, n = some_range(r, &nr), i;
	bool lock = below(r, 2);
	int err;

	for (i = 0; i < nr; i++) {
		const struct mpage *p = &m->page[n + i];

		if (!p->mapped || (p->shared && p->private))
			return;
	}
	err = lock ? vm_mlock(r->vm, m->t, address(m, n), nr * VM_PAGE, false)
		   : vm_munlock(r->vm, m->t, address(m, n), nr * VM_PAGE);
	say(r, "%d %s page %u +%u: %d", m->t->pid, lock ? "mlock" : "munlock",
	    n, nr, err);
	/* A page that allows nothing stops the faulting in, after the lock. */
	for (i = 0; i < nr; i++)
		m->page[n + i].locked = lock;
	if (err && err != -ENOMEM && err != -EAGAIN)
		fail(r, "mlock: %d", err);
}

static void
step_sync(struct run *r)
{
	struct mtask *m = some_task(r);
	unsigned int nr, n = some_range(r, &nr);
	int err =
		vm_msync(r->vm, m->t, address(m, n), nr * VM_PAGE, VM_MS_SYNC);

	say(r, "%d msync page %u +%u: %d", m->t->pid, n, nr, err);
}

#include "vm_steps_huge.h"

static const struct law_step steps[] = {
	{14, step_mmap      },
	     {8,	 step_munmap    },
	 {8,  step_mprotect  },
	{6,  step_mremap    },
	     {4,	 step_brk	 },
	 {26, step_write	},
	{14, step_read      },
	     {5,	 step_fork	  },
	 {4,  step_exit      },
	{6,  step_advise    },
	     {3,	 step_lock	  },
	 {2,  step_sync      },
	{8,  step_huge_map	 },
	     {3,	 step_time	  },
	 {3,  step_settings  },
	{3,  step_split     },
	     {3,	 step_collapse  },
	 {4,  step_policy	},
	{1,  step_pool_size },
	     {3,	 step_pool_map  },
	 {6,  step_pool_touch},
};

#endif
