// SPDX-License-Identifier: MIT
/*
 * percpu.h - memory of which every CPU has its own copy
 *
 * A chunk has one unit of address space for each CPU; what is allocated is an
 * offset that is valid in all of them.  The first chunk begins with the
 * variables that the kernel was linked with; behind them lies a part reserved
 * for those of modules, and one to allocate from.  Further chunks are made when
 * that is full, and are given pages as they are needed.
 *
 * Frames are taken from the page allocator, one for each page of each unit.
 *
 * Follows mm/percpu.c, mm/percpu-vm.c and arch/x86/kernel/setup_percpu.c of
 * 6.1.192.
 */
#ifndef KMEMFS_SLAB_PERCPU_H
#define KMEMFS_SLAB_PERCPU_H

#include "kmemfs/base/number_stream.h"
#include "kmemfs/base/out.h"
#include "kmemfs/hw/ram.h"
#include "kmemfs/phys/pages.h"

#define PERCPU_MIN_ALLOC 4 /* bytes that a bit of the map stands for */
#define PERCPU_MIN_UNIT KIB(32)
#define PERCPU_NAME_MAX 63

/* A variable that the machine's kernel was linked with. */
struct percpu_static {
	char *name;
	uint64_t size;
	uint64_t align;
};

struct percpu_config {
	GArray *variables; /* of struct percpu_static, in their order; NULL */
};

enum percpu_kind {
	PERCPU_STATIC,	 /* linked with the kernel */
	PERCPU_RESERVED, /* of a module */
	PERCPU_DYNAMIC,	 /* alloc_percpu */
	NR_PERCPU_KINDS
};

extern const char *const percpu_kind_names[NR_PERCPU_KINDS];

/* What is known by a name: offset @off of each unit of @area. */
struct percpu_variable {
	uint32_t id; /* serial, from 1, never used twice */
	char *name;
	enum percpu_kind kind;
	uint64_t size;
	uint64_t align;
	struct percpu_area *area;
	uint64_t off;
	struct percpu_chunk *chunk; /* NULL: static */
};

/* One stretch of address space with a unit for each CPU. */
struct percpu_area {
	uint32_t id; /* serial, from 0: the first chunk's */
	va_t base;   /* of unit 0 */
	uint64_t unit_pages;
	pfn_t *frames; /* [nr_cpus * unit_pages], 0: none there */
	uint64_t held; /* frames */
};

/* What can be allocated from: a stretch of the pages of an area's units. */
struct percpu_chunk {
	struct percpu_area *area;
	bool first, reserved;
	uint64_t first_page; /* in the unit */
	uint64_t nr_pages;
	uint64_t start_offset; /* bytes at its start that are not its own */
	uint64_t end_offset;   /* ditto, at its end */
	uint8_t *map;	       /* enum percpu_bit for each 4 bytes */
	bool *populated;       /* [nr_pages] */
	uint64_t nr_populated;
	uint64_t nr_empty_pop; /* populated pages without an allocation */
	uint64_t free_bytes;
	uint64_t contig;     /* bytes of the largest free stretch */
	uint64_t first_free; /* first free bit */
	uint64_t nr_alloc;
	uint64_t max_alloc_size;
	unsigned int slot; /* index of the list it is on */
};

enum percpu_bit { PERCPU_FREE, PERCPU_START, PERCPU_REST };

struct percpu_stats {
	uint64_t nr_alloc, nr_dealloc, nr_cur_alloc, nr_max_alloc;
	uint64_t nr_chunks, nr_max_chunks;
	uint64_t min_alloc_size, max_alloc_size;
};

/* Who else has addresses for areas; any may be NULL. */
struct percpu_space {
	void *user;
	/* Where something begins that overlaps @start..@end, 0: nothing does */
	va_t (*conflict)(void *user, va_t start, va_t end);
	/* An area has these addresses from now on, or has them no more. */
	void (*area)(void *user, va_t start, va_t end, bool gone);
	/* Its page at @va has no frame any more. */
	void (*page_gone)(void *user, va_t va);
};

struct percpu {
	struct phys *phys;
	struct ram *ram;
	unsigned int nr_cpus;
	uint64_t static_size, reserved_size, dyn_size;
	uint64_t unit_size, atom_size, alloc_size;
	unsigned int nr_units, units_per_alloc;
	uint32_t *unit; /* [nr_cpus]: the CPU's unit */
	va_t vmalloc_start, vmalloc_end;
	struct percpu_space space;
	GPtrArray *areas; /* of struct percpu_area *, the first chunk's first;
			     NULL where one was given back */
	struct percpu_chunk *first_chunk, *reserved_chunk; /* NULL: none */
	GQueue *slots; /* [nr_slots] of struct percpu_chunk * */
	unsigned int nr_slots;
	uint64_t nr_empty_pop;
	bool atomic_failed;
	unsigned int warnings; /* failures still to be told of */
	GPtrArray *variables;  /* of struct percpu_variable *, oldest first */
	uint32_t last_id;
	struct percpu_stats stats;
};

/* As setup_per_cpu_areas() leaves it.  @config is borrowed for the call. */
struct percpu *percpu_boot(const struct percpu_config *config,
			   struct phys *phys, struct ram *ram);
void percpu_free(struct percpu *pc);

struct percpu_request {
	const char *name;
	uint64_t size;
	uint64_t align;
	enum percpu_kind kind; /* RESERVED or DYNAMIC */
	gfp_t gfp;
	unsigned int cpu; /* that asks */
};

/*
 * Allocate zeroed bytes on every CPU (pcpu_alloc).  0; -EINVAL: no such size or
 * alignment; -ENOMEM; what the kernel says is said.
 */
int percpu_alloc(struct percpu *pc, const struct percpu_request *r,
		 struct percpu_variable **made);
/* Give it back; frees the chunk if it is empty and not the only such one.
 * @v, not static, is gone. */
void percpu_release(struct percpu *pc, struct percpu_variable *v,
		    unsigned int cpu);
struct percpu_variable *percpu_find(const struct percpu *pc, const char *name);
struct percpu_variable *percpu_get(const struct percpu *pc, uint32_t id);
struct percpu_variable *percpu_next(const struct percpu *pc, uint32_t after);

/* Address of @v's copy of @cpu; what stands for it in all CPUs (the kernel's
 * void __percpu *); what that is moved by for @cpu. */
va_t percpu_address(const struct percpu *pc, const struct percpu_variable *v,
		    unsigned int cpu);
va_t percpu_pointer(const struct percpu *pc, const struct percpu_variable *v);
va_t percpu_offset(const struct percpu *pc, unsigned int cpu);
/* The frame behind byte @at of @cpu's copy; PFN_NONE: none yet, zeros. */
pfn_t percpu_frame(const struct percpu *pc, const struct percpu_variable *v,
		   unsigned int cpu, uint64_t at);
/* Bytes of a copy; beyond its end: zeros. */
void percpu_read(const struct percpu *pc, const struct percpu_variable *v,
		 unsigned int cpu, uint64_t at, void *to, size_t len);
/* 0; -EFBIG: beyond its end; -ENOMEM: the first chunk's page is not there yet
 * and cannot be had; -ENOSPC: the host's limit. */
int percpu_write(struct percpu *pc, const struct percpu_variable *v,
		 unsigned int cpu, uint64_t at, const void *from, size_t len);
/* The frame behind address @va of any area; PFN_NONE: none. */
pfn_t percpu_frame_at(const struct percpu *pc, va_t va);
/* The first 8 bytes, or as many as there are, as a number. */
uint64_t percpu_value(const struct percpu *pc, const struct percpu_variable *v,
		      unsigned int cpu);

/* Frames of all areas: what meminfo calls Percpu. */
uint64_t percpu_frames(const struct percpu *pc);
/* Chunks one after another, the reserved one first, then list by list; NULL
 * starts, NULL at the end. */
const struct percpu_chunk *percpu_chunk_next(const struct percpu *pc,
					     const struct percpu_chunk *after);

extern const struct law percpu_laws[];
unsigned int percpu_verify(const struct percpu *pc, finding_fn found,
			   void *user);
void percpu_digest(const struct percpu *pc, const struct number_stream *to);

#endif
