// SPDX-License-Identifier: MIT
/*
 * test_damage.c - users write what they like into tables: nothing may break
 *
 * Entries are overwritten with noise, with entries of other tables, and with
 * links to any frame, while programs run.  What they read may be wrong then,
 * and the kernel says so; but the page allocator's laws hold, nothing loops,
 * and no frame is freed twice.
 */
#include "vmed.h"

#include "kmemfs/base/random.h"
#include "kmemfs/phys/frame_walk.h"

Suite *suite_damage(void);

#define P VM_PAGE
#define SEEDS 24
#define STEPS 400
#define TASKS 5

struct play {
	struct vmed *m;
	uint64_t random;
	struct task *task[TASKS];
	unsigned int nr;
};

static uint64_t
below(struct play *p, uint64_t limit)
{
	return random_next(&p->random) % limit;
}

/* A word of some table of some address space. */
static pa_t
some_word(struct play *p)
{
	const struct phys *phys = p->m->b->phys;
	pfn_t pfn = frame_next_allocated(phys, 0), chosen = 0;
	unsigned int tables = 0, bytes = p->m->vm->shape.bytes;
	uint32_t number;

	for (; pfn != PFN_NONE;
	     pfn = frame_next_allocated(
		     phys, pfn + (1ULL << phys->frames[pfn].order)))
		if (frame_owned_by(phys->frames[pfn].owner, OWNER_PGTABLE,
				   &number) &&
		    !below(p, ++tables))
			chosen = pfn;
	return chosen * P + below(p, P / bytes) * bytes;
}

static void
damage(struct play *p)
{
	struct vm *vm = p->m->vm;
	unsigned int bytes = vm->shape.bytes;
	pa_t at = some_word(p);
	uint64_t word;

	switch (below(p, 4)) {
	case 0:
		word = below(p, UINT64_MAX);
		break;
	case 1:
		word = ram_load(vm->ram, some_word(p), bytes);
		break;
	case 2:
		word = below(p, vm->phys->max_pfn) * P | 0x67;
		break;
	default:
		word = ram_load(vm->ram, at, bytes) ^ 1ULL << below(p, 64);
		break;
	}
	ram_store(vm->ram, at, bytes, word);
	vm_bytes_changed(vm, at, bytes);
}

static void
act(struct play *p)
{
	struct vmed *m = p->m;
	struct task *t = p->task[below(p, p->nr)], *child = NULL;
	va_t at, va = 0x20000000 + below(p, 40) * 37 * P;
	const struct vm_mmap_args a = {
		.addr = va,
		.len = (1 + below(p, 60)) * P,
		.prot = RW,
		.flags = VM_MAP_FIXED | VM_MAP_ANONYMOUS |
			 (below(p, 3) ? VM_MAP_PRIVATE : VM_MAP_SHARED),
	};
	uint8_t bytes[100] = {1};
	pfn_t pfn;

	switch (below(p, 9)) {
	case 0:
		(void)vm_mmap(m->vm, t, &a, &at);
		break;
	case 1:
		(void)vm_munmap(m->vm, t, va, a.len);
		break;
	case 2:
		(void)vm_mprotect(m->vm, t, va, a.len, below(p, 4));
		break;
	case 3:
		(void)vm_mremap(m->vm, t, va, a.len, a.len, 3, va + 0x4000000,
				&at);
		break;
	case 4:
		if (p->nr < TASKS && !task_fork(t, 1, 0, NULL, &child))
			p->task[p->nr++] = child;
		break;
	case 5:
		if (p->nr > 1) {
			t = p->task[--p->nr];
			if (t->state != TASK_ZOMBIE)
				(void)task_exit(t, true);
			(void)task_reap(t);
		}
		break;
	case 6:
		(void)vm_copy_to_user(m->vm, t, va, bytes, sizeof(bytes));
		if (vm_pin_pages(m->vm, t, va, 1, true, &pfn) == 1)
			(void)vm_unpin_page(m->vm, pfn, true, 0);
		break;
	default:
		if (t->state != TASK_ZOMBIE)
			(void)poke_user(m, t, va + below(p, 60) * P, 1);
	}
}

static const struct vmed_kind kinds[] = {
	{.vm = {.mode = MMU_4LEVEL}},
	{.arch = "i386"},
	{.arch = "i386-pae"},
	{.vm = {.mode = MMU_5LEVEL, .pcid = true}},
};

START_TEST(damaged_tables_break_nothing_else)
{
	struct play p = {.random = (uint64_t)_i};
	GString *laws = g_string_new(NULL);

	p.m = vmed_new(&kinds[_i % 4]);
	p.task[p.nr++] = p.m->t;
	for (int i = 0; i < STEPS; i++) {
		act(&p);
		if (i > 50 && !below(&p, 3))
			damage(&p);
	}
	while (p.nr) {
		struct task *t = p.task[--p.nr];

		if (t->state != TASK_ZOMBIE)
			(void)task_exit(t, true);
	}
	/* Whatever it finds of ours, it ends, and changes nothing. */
	(void)vm_verify(p.m->vm, NULL, NULL);
	ck_assert_msg(!phys_verify(p.m->b->phys, NULL, NULL), "%s", laws->str);
	g_string_free(laws, TRUE);
	vm_free(p.m->vm);
	symbols_free(p.m->symbols);
	ram_free(p.m->ram);
	booted_free(p.m->b);
	g_free(p.m);
}
END_TEST

Suite *
suite_damage(void)
{
	Suite *s = suite_create("damage");
	TCase *c = tcase_create("damage");

	tcase_add_loop_test(c, damaged_tables_break_nothing_else, 0, SEEDS);
	suite_add_tcase(s, c);
	return s;
}
