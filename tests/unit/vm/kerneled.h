// SPDX-License-Identifier: MIT
/*
 * kerneled.h - a booted machine with a kernel half, and what tests ask of it
 */
#ifndef TESTS_UNIT_VM_KERNELED_H
#define TESTS_UNIT_VM_KERNELED_H

#include "../phys/booted.h"

#include "kmemfs/vm/fault.h"
#include "kmemfs/vm/kernel.h"

#include <errno.h>

struct kerneled {
	struct booted *b;
	struct ram *ram;
	struct symbols *symbols;
	struct vm *vm;
	struct kernel_half *k;
	struct task *init; /* PID 1, asleep */
	GString *panics;   /* a line for each */
	bool damaged;	   /* the test has overwritten who knows what */
};

struct kerneled_kind {
	const char *arch;    /* NULL: x86-64 */
	const char *memory;  /* NULL: 64M */
	const char *cmdline; /* NULL: none */
	struct vm_config vm;
	struct kernel_config kernel;
};

struct kerneled *kerneled_new(const struct kerneled_kind *kind);
/* The usual one: x86-64, 64M, 2 CPUs. */
struct kerneled *kerneled_usual(void);
/* Also checks all laws. */
void kerneled_free(struct kerneled *m);
/* A request by CPU 0. */
struct kernel_request asking(struct kerneled *m);
/* Areas that must succeed. */
struct kernel_area *area_of(struct kerneled *m, uint64_t size);
/* One page of the page allocator, from high memory with @gfp saying so. */
pfn_t page_of(struct kerneled *m, gfp_t gfp);
/* The kernel's access on CPU @cpu: vm_access()'s result. */
int kernel_poke(struct kerneled *m, unsigned int cpu, va_t va, uint8_t byte);
int kernel_peek(struct kerneled *m, unsigned int cpu, va_t va, uint8_t *byte);
uint64_t kerneled_free_pages(const struct kerneled *m);
void kerneled_lawful(const struct kerneled *m);
/* The state as one number. */
uint64_t kerneled_digest(const struct kerneled *m);
/* Whether the log has a line with @text. */
bool told(const struct kerneled *m, const char *text);

#endif
