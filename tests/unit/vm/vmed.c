// SPDX-License-Identifier: MIT
/* vmed.c - a booted machine with virtual memory and one task */
#include "vmed.h"

#include "common.h"

#include "kmemfs/vm/kernel.h"

#include "lawful.h"

static void
keep_line(void *user, const char *line)
{
	g_string_append_printf(user, "%s\n", line);
}

/* Stacks are blocks, which come free with their tasks. */
static const struct kernel_config kernel = {
	.vmap_stack_set = true,
	.irq_shared = true,
};

struct vmed *
vmed_new(const struct vmed_kind *kind)
{
	struct vmed *m = g_new0(struct vmed, 1);
	struct vm_config config = kind->vm;
	char *text = g_strdup_printf(
		"[machine]\narch = %s\nmemory = %s\ncpus = 2\n%s",
		kind->arch ? kind->arch : "x86-64",
		kind->memory ? kind->memory : "64M",
		kind->more ? kind->more : "");

	m->b = boot_text(text);
	g_free(text);
	m->ram = ram_new(m->b->phys->max_pfn << m->b->phys->page_shift,
			 UINT64_MAX);
	m->symbols = symbols_new(0xffffffff81000000, 64);
	config.printk = keep_line;
	config.printk_user = m->b->log;
	config.kernel = &kernel;
	m->vm = vm_boot(m->b->phys, m->ram, m->symbols, &config);
	ck_assert_int_eq(task_wake(task_find(m->vm, 1)), 0);
	m->before = vmed_free_pages(m);
	ck_assert_int_eq(task_fork(task_find(m->vm, 1), 0, 0, "t", &m->t), 0);
	m->t->handles_segv = true;
	if (kind->huge && m->vm->thp) {
		m->vm->thp->enabled = THP_ALWAYS;
		m->vm->thp->use_zero_page = true;
		m->vm->thp->defrag = THP_DEFRAG_MADVISE;
		m->vm->thp->khugepaged_defrag = true;
	}
	return m;
}

struct vmed *
vmed_usual(void)
{
	return vmed_new(&(struct vmed_kind){0});
}

void
vmed_free(struct vmed *m)
{
	if (m->t)
		end_task(m->t);
	(void)thp_shrink_zero(m->vm, 0);
	(void)hugetlb_resize(m->vm, 0, HUGETLB_ALL_NODES, 0);
	vmed_lawful(m);
	ck_assert_uint_eq(vmed_free_pages(m), m->before);
	vm_free(m->vm);
	symbols_free(m->symbols);
	ram_free(m->ram);
	booted_free(m->b);
	g_free(m);
}

va_t
map_with(struct vmed *m, va_t at, uint64_t pages, uint64_t prot, uint64_t flags,
	 struct vm_object *o, uint64_t page)
{
	const struct vm_open file = {o, VM_OPEN_READ | VM_OPEN_WRITE};
	const struct vm_mmap_args a = {
		.addr = at,
		.len = pages * VM_PAGE,
		.prot = prot,
		.flags = flags | (o ? 0 : VM_MAP_ANONYMOUS),
		.file = o ? &file : NULL,
		.offset = page * VM_PAGE,
	};
	va_t got = 0;
	int err = vm_mmap(m->vm, m->t, &a, &got);

	ck_assert_msg(!err, "mmap: %d", err);
	return got;
}

va_t
map(struct vmed *m, uint64_t pages, uint64_t prot)
{
	return map_with(m, 0, pages, prot, VM_MAP_PRIVATE, NULL, 0);
}

int
map_error(struct vmed *m, const struct vm_mmap_args *a)
{
	va_t got;

	return vm_mmap(m->vm, m->t, a, &got);
}

static int
access_byte(struct vmed *m, struct task *t, va_t va, enum mmu_access access,
	    uint8_t *byte)
{
	const struct vm_access a = {va, 1, access, true, false, byte};
	struct vm_access_result r;

	ck_assert_int_eq(vm_switch_to(m->vm, 0, t), 0);
	return vm_access(m->vm, 0, &a, &r);
}

int
poke_user(struct vmed *m, struct task *t, va_t va, uint8_t byte)
{
	return access_byte(m, t, va, MMU_WRITE, &byte);
}

int
peek_user(struct vmed *m, struct task *t, va_t va, uint8_t *byte)
{
	return access_byte(m, t, va, MMU_READ, byte);
}

uint8_t
byte_at(struct vmed *m, struct task *t, va_t va)
{
	uint8_t byte = 0xee;

	ck_assert_int_eq(peek_user(m, t, va, &byte), 0);
	return byte;
}

uint64_t
leaf_of(struct vmed *m, struct task *t, va_t va)
{
	pa_t at = vm_entry_at(m->vm, t->mm, va, 0);

	return at ? vm_entry_get(m->vm, at) : 0;
}

pfn_t
pfn_of(struct vmed *m, struct task *t, va_t va)
{
	return vm_entry_pfn(m->vm, leaf_of(m, t, va));
}

struct task *
child_of(struct task *t)
{
	struct task *child = NULL;

	ck_assert_int_eq(task_fork(t, 1, 0, NULL, &child), 0);
	return child;
}

void
end_task(struct task *t)
{
	ck_assert_int_eq(task_exit(t, true), 0);
	ck_assert_int_eq(task_reap(t), 0);
}

uint64_t
vmed_free_pages(const struct vmed *m)
{
	return unused_pages(m->b->phys);
}

int64_t
node_sum(const struct vmed *m, enum node_stat stat)
{
	int64_t sum = 0;

	for (unsigned int i = 0; i < m->b->phys->nr_nodes; i++)
		sum += m->b->phys->nodes[i]->stat[stat];
	return sum;
}

void
vmed_lawful(const struct vmed *m)
{
	assert_vm_lawful(m->vm);
}

unsigned int
areas_in(struct task *t, va_t start, va_t end)
{
	unsigned int nr = 0;

	for (guint i = 0; i < t->mm->areas->len; i++) {
		const struct vma *v = g_ptr_array_index(t->mm->areas, i);

		nr += v->start < end && v->end > start;
	}
	return nr;
}
