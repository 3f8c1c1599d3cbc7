// SPDX-License-Identifier: MIT
/*
 * slub_pointer.c - free pointers: words in modelled RAM that a kernel follows
 *
 * What it models: get_freepointer, set_freepointer, check_valid_pointer of
 *                 mm/slub.c of 6.1.192, and what the processor does with a
 *                 pointer that leads nowhere.
 * How it works:   a free object holds the address of the next one, s->offset
 *                 bytes into it.  Who writes past an object, or into one that
 *                 is free, changes that word; the next allocation follows it.
 *                 If RAM is there, the kernel takes what lies there for an
 *                 object.  If not, it crashes: the log gets the oops, the
 *                 caller -EFAULT, and the state stays as the crash found it.
 * Where it lies:  the words in modelled RAM, plain or hardened (xored with the
 *                 cache's secret and the byte-swapped address of the word).
 * Differs from the kernel: a list that goes in a circle ends with what the
 *                 watchdog would say, not with a machine that hangs.
 */
#include "slub_impl.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

/* --- what the processor says -----------------------------------------------
 */

static void
print_place(const struct slab_common *sc, const char *where)
{
	struct out text = OUT_INIT;

	out_str(&text, "RIP: 0010:");
	symbols_print(sc->symbols, symbols_address(sc->symbols, where), &text);
	slab_printk(sc, "%s", out_text(&text));
	slab_printk(sc, "---[ end trace 0000000000000000 ]---");
	out_fini(&text);
}

static void
print_die(struct slab_common *sc, const char *what, unsigned int code,
	  const char *where)
{
	/* Lock debugging goes off without a word when a kernel dies. */
	sc->lock_debug_off = true;
	sc->tainted |= SLAB_TAINT_DIE;
	slab_printk(sc, "%s: %04x [#%u] PREEMPT SMP", what, code, ++sc->oopses);
	print_place(sc, where);
}

int
slub_died(struct slab_common *sc, const char *where)
{
	print_die(sc, "invalid opcode", 0, where);
	return -EFAULT;
}

/* Bits 63..47 of an address that has a place in a page table are equal. */
static bool
canonical(const struct slab_common *sc, va_t at)
{
	return sc->word == 4 || (int64_t)(at << 16) >> 16 == (int64_t)at;
}

int
slub_oops(struct slab_common *sc, va_t address, bool write, const char *where)
{
	int digits = sc->word == 4 ? 8 : 16;

	if (!canonical(sc, address)) {
		char what[96];

		snprintf(what, sizeof(what),
			 "general protection fault, probably for non-canonical "
			 "address 0x%" PRIx64,
			 address);
		print_die(sc, what, 0, where);
		return -EFAULT;
	}
	if (address < page_size(sc->phys))
		slab_printk(sc,
			    "BUG: kernel NULL pointer dereference, address: "
			    "%0*" PRIx64,
			    digits, address);
	else
		slab_printk(sc,
			    "BUG: unable to handle page fault for address: "
			    "%0*" PRIx64,
			    digits, address);
	slab_printk(sc, "#PF: supervisor %s access in kernel mode",
		    write ? "write" : "read");
	slab_printk(sc, "#PF: error_code(0x%04x) - not-present page",
		    write ? 2 : 0);
	print_die(sc, "Oops", write ? 2 : 0, where);
	return -EFAULT;
}

void
slub_lockup(const struct slab_common *sc, const char *where)
{
	const struct trace_now *now = &sc->phys->trace->now;

	slab_printk(sc,
		    "watchdog: BUG: soft lockup - CPU#%u stuck for 26s! "
		    "[%.16s:%d]",
		    now->cpu, now->comm, now->pid);
	print_place(sc, where);
}

/* --- words -----------------------------------------------------------------
 */

bool
slub_peek_pointer(const struct kmem_cache *s, va_t object, va_t *next)
{
	const struct slab_common *sc = s->common;
	va_t at = object + s->offset;
	pa_t pa;

	if (!slab_mapped(sc, at, sc->word, &pa))
		return false;
	*next = slub_code_pointer(s, ram_load(sc->ram, pa, sc->word), at);
	return true;
}

int
slub_read_pointer(const struct kmem_cache *s, va_t object, const char *where,
		  va_t *next)
{
	if (slub_peek_pointer(s, object, next))
		return 0;
	return slub_oops(s->common, object + s->offset, false, where);
}

int
slub_write_pointer(const struct kmem_cache *s, va_t object, const char *where,
		   va_t next)
{
	struct slab_common *sc = s->common;
	pa_t pa;

	if (unlikely(sc->config.hardened && object == next)) {
		slab_printk(sc, "------------[ cut here ]------------");
		slab_printk(sc, "kernel BUG at mm/slub.c:419!");
		return slub_died(sc, where);
	}
	if (!slab_mapped(sc, object + s->offset, sc->word, &pa))
		return slub_oops(sc, object + s->offset, true, where);
	slub_store(s, object, next);
	return 0;
}

/* --- lists -----------------------------------------------------------------
 */

bool
slub_valid_pointer(const struct kmem_cache *s, const struct slab *slab,
		   va_t object)
{
	const struct phys *phys = s->common->phys;
	va_t base = phys->arch->page_offset + (slab->pfn << phys->page_shift);
	uint64_t at = object - s->red_left_pad - base;

	return !object ||
	       (at < (uint64_t)slab->objects * s->size && at % s->size == 0);
}

unsigned int
slub_walk(const struct slab *slab, va_t object, uint8_t *map, uint8_t value,
	  bool *broken)
{
	const struct kmem_cache *s = slab->cache;
	unsigned int found = 0;
	bool good = true;

	while (object) {
		uint32_t index;

		good = slub_valid_pointer(s, slab, object);
		if (!good)
			break;
		index = slab_object_index(slab, object);
		good = map[index] != value;
		if (!good)
			break;
		map[index] = value;
		found++;
		good = slub_peek_pointer(s, object, &object);
		if (!good)
			break;
	}
	if (broken)
		*broken = !good;
	return found;
}
