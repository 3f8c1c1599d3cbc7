// SPDX-License-Identifier: MIT
/* kerneled.c - a booted machine with a kernel half */
#include "kerneled.h"

#include "common.h"

#include "lawful.h"

static void
keep_line(void *user, const char *line)
{
	g_string_append_printf(user, "%s\n", line);
}

static void
keep_panic(void *user, const char *why)
{
	struct kerneled *m = user;

	g_string_append_printf(m->panics, "%s\n", why);
}

struct kerneled *
kerneled_new(const struct kerneled_kind *kind)
{
	struct kerneled *m = g_new0(struct kerneled, 1);
	struct vm_config config = kind->vm;
	char *text = g_strdup_printf(
		"[machine]\narch = %s\nmemory = %s\ncpus = 2\n%s%s\n",
		kind->arch ? kind->arch : "x86-64",
		kind->memory ? kind->memory : "64M",
		kind->cmdline ? "cmdline = " : "",
		kind->cmdline ? kind->cmdline : "");

	m->b = boot_text(text);
	g_free(text);
	m->ram = ram_new(m->b->phys->max_pfn << m->b->phys->page_shift,
			 UINT64_MAX);
	m->symbols = symbols_new(0xffffffff81000000, 64);
	m->panics = g_string_new(NULL);
	config.printk = keep_line;
	config.printk_user = m->b->log;
	config.kernel = &kind->kernel;
	m->vm = vm_boot(m->b->phys, m->ram, m->symbols, &config);
	m->vm->hooks.user = m;
	m->vm->hooks.panic = keep_panic;
	m->k = m->vm->kernel;
	m->init = task_find(m->vm, 1);
	return m;
}

struct kerneled *
kerneled_usual(void)
{
	return kerneled_new(&(struct kerneled_kind){0});
}

void
kerneled_free(struct kerneled *m)
{
	if (!m->damaged)
		kerneled_lawful(m);
	vm_free(m->vm);
	symbols_free(m->symbols);
	ram_free(m->ram);
	g_string_free(m->panics, TRUE);
	booted_free(m->b);
	g_free(m);
}

struct kernel_request
asking(struct kerneled *m)
{
	return (struct kernel_request){
		.gfp = GFP_KERNEL,
		.nid = NODE_LOCAL,
		.caller = symbols_address(m->symbols, "driver_probe"),
	};
}

struct kernel_area *
area_of(struct kerneled *m, uint64_t size)
{
	const struct kernel_request q = asking(m);
	struct kernel_area *a = NULL;

	ck_assert_int_eq(kernel_vmalloc(m->vm, &q, size, &a), 0);
	return a;
}

pfn_t
page_of(struct kerneled *m, gfp_t gfp)
{
	const struct page_request q = {.gfp = gfp, .nid = NODE_LOCAL};
	pfn_t pfn;

	ck_assert_int_eq(pages_alloc(m->b->phys, &q, &pfn), 0);
	return pfn;
}

static int
touch(struct kerneled *m, unsigned int cpu, va_t va, enum mmu_access access,
      uint8_t *byte)
{
	const struct vm_access a = {
		.va = va, .len = 1, .access = access, .bytes = byte};
	struct vm_access_result r;

	if (!m->vm->cpu[cpu].mm)
		ck_assert_int_eq(vm_switch_to(m->vm, cpu, m->init), 0);
	return vm_access(m->vm, cpu, &a, &r);
}

int
kernel_poke(struct kerneled *m, unsigned int cpu, va_t va, uint8_t byte)
{
	return touch(m, cpu, va, MMU_WRITE, &byte);
}

int
kernel_peek(struct kerneled *m, unsigned int cpu, va_t va, uint8_t *byte)
{
	return touch(m, cpu, va, MMU_READ, byte);
}

uint64_t
kerneled_free_pages(const struct kerneled *m)
{
	return unused_pages(m->b->phys);
}

void
kerneled_lawful(const struct kerneled *m)
{
	assert_vm_lawful(m->vm);
}

static void
mix(void *user, uint64_t v)
{
	uint64_t *hash = user;

	*hash = (*hash ^ v) * 0x100000001b3;
}

uint64_t
kerneled_digest(const struct kerneled *m)
{
	uint64_t hash = 0xcbf29ce484222325;
	const struct number_stream to = {mix, &hash};

	vm_digest(m->vm, &to);
	return hash;
}

bool
told(const struct kerneled *m, const char *text)
{
	return strstr(m->b->log->str, text);
}
