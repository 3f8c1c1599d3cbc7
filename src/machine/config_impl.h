// SPDX-License-Identifier: MIT
/*
 * config_impl.h - reading a machine file, piece by piece
 */
#ifndef KMEMFS_MACHINE_CONFIG_IMPL_H
#define KMEMFS_MACHINE_CONFIG_IMPL_H

#include "kmemfs/machine/config.h"

/* One "key = value" line, or the line of a group itself (key NULL). */
struct config_entry {
	char *group;
	char *key;
	char *value;
	unsigned int line;
	bool counted; /* of a [node N]: it is one of 0 to N */
};

/* All that reading needs; the first complaint is kept. */
struct config_reader {
	struct machine_config *config;
	const char *source;
	GPtrArray *entries; /* of struct config_entry *, in file order */
	GHashTable *names;  /* "group\nkey" -> the same */
	char *error;

	uint64_t memory; /* memory =, 0 when not given */
	uint64_t nodes;	 /* nodes =, 0 when not given */
	bool has_firmware;
	bool has_reserved;
	int cma;      /* cma = of [machine]: 0, 1, -1 not given */
	int deferred; /* deferred-init =, ditto */
};

/*
 * Keep "source:line: what: reason" as the complaint, unless there is one.
 * Returns false, so that a check can end with it.
 */
bool config_fail(struct config_reader *r, unsigned int line, const char *what,
		 const char *format, ...) __attribute__((format(printf, 4, 5)));

/* --- config_scan.c: text to entries -----------------------------------------
 */

/* Cut @text into r->entries; complains of bad lines and doubled names. */
bool config_scan(struct config_reader *r, const char *text);
/* Let @settings, see config_load_set(), stand in place of entries. */
bool config_settings(struct config_reader *r, char *const *settings);
void config_entry_free(void *entry);
/* The entry @key of @group, NULL when absent; key NULL: the group's line. */
struct config_entry *config_entry_find(const struct config_reader *r,
				       const char *group, const char *key);

/* --- config_value.c: values --------------------------------------------------
 */

/* Each reads @text, stores the value, or complains about @e and returns
 * false. */
bool config_number(struct config_reader *r, const struct config_entry *e,
		   uint64_t least, uint64_t most, uint64_t *value);
bool config_size(struct config_reader *r, const struct config_entry *e,
		 uint64_t *bytes);
bool config_bool(struct config_reader *r, const struct config_entry *e,
		 bool *value);
/* What config_bool() reads. */
const char *config_yes_no(bool value);

/* A key, and what reads its value. */
struct config_key {
	const char *key;
	bool (*read)(struct config_reader *r, const struct config_entry *e);
};

/* Whether one of @n @keys is @key; key NULL: the group's line, true. */
bool config_keys_have(const struct config_key *keys, size_t n, const char *key);
/* Whether one of the @n @words is @word. */
bool config_word_in(const char *const *words, size_t n, const char *word);
/* "0x0-0xfff; 0x2000-0x2fff" to an array of struct range, appended. */
bool config_ranges(struct config_reader *r, const struct config_entry *e,
		   GArray *ranges);
/* "0x0-0xfff usable; ..." to an array of struct firmware_range. */
bool config_map(struct config_reader *r, const struct config_entry *e,
		GArray *map);
/* "10; 20" to an array of uint32_t. */
bool config_distances(struct config_reader *r, const struct config_entry *e,
		      GArray *distances);
/* "0-3,8" : CPUs, each of which @take is told; it may complain. */
bool config_cpus(struct config_reader *r, const struct config_entry *e,
		 bool (*take)(struct config_reader *r,
			      const struct config_entry *e, uint64_t cpu,
			      unsigned int node),
		 unsigned int node);

/* --- config_node.c, config_fill.c: what entries mean together ------------ */

/* The end of memory, as far as firmware tells of it and it is plugged in. */
pa_t config_memory_end(const struct phys_config *phys);
/* Read [node N] groups, if there are any; make nodes where there are none. */
bool config_nodes(struct config_reader *r);
/* Fill in all that was left out. */
bool config_fill(struct config_reader *r);

/* --- config_slab.c: [slab] ----------------------------------------------- */

#define CONFIG_SLAB "slab"

/* Whether @group is it and has @key; key NULL: the group's line. */
bool config_slab_key(const char *group, const char *key);
/* Read the group, or what is said without it; after config_fill(). */
bool config_read_slab(struct config_reader *r);
void config_print_slab(const struct slab_config *slab, struct out *out);

/* --- config_mmu.c: [mmu] ------------------------------------------------- */

#define CONFIG_MMU "mmu"

/* Whether @group is it and has @key; key NULL: the group's line. */
bool config_mmu_key(const char *group, const char *key);
/* Read it, or what is said without it; after config_fill(). */
bool config_read_mmu(struct config_reader *r);
void config_print_mmu(const struct vm_config *vm, struct out *out);

/* --- config_cache.c: [tlb], [cache], [costs] ----------------------------- */

/* Whether @group is one of them and has @key; key NULL: the group's line. */
bool config_cache_key(const char *group, const char *key);
bool config_read_cache(struct config_reader *r);
void config_print_cache(const struct machine_config *config, struct out *out);
/* Up to @most numbers with blanks between: how many, 0 when it is wrong. */
unsigned int config_list(struct config_reader *r, const struct config_entry *e,
			 uint64_t *list, unsigned int most);

/* --- config_kernel.c: [kernel] ------------------------------------------- */

#define CONFIG_KERNEL "kernel"

/* Whether @group is it and has @key; key NULL: the group's line. */
bool config_kernel_key(const char *group, const char *key);
/* Read the group, or what is said without it; after config_fill(). */
bool config_read_kernel(struct config_reader *r);
void config_print_kernel(const struct machine_config *config, struct out *out);

/* --- config_percpu.c: [percpu] ------------------------------------------- */

#define CONFIG_PERCPU "percpu"

/* Whether @group is it and @key a variable's name; key NULL: the group. */
bool config_percpu_key(const char *group, const char *key);
bool config_read_percpu(struct config_reader *r);
void config_print_percpu(const struct percpu_config *percpu, struct out *out);
void config_free_percpu(struct percpu_config *percpu);

/* --- config_bootmem.c: [bootmem] ----------------------------------------- */

#define CONFIG_BOOTMEM "bootmem"

/* Whether @group is it and @key a request's name; key NULL: the group. */
bool config_bootmem_key(const char *group, const char *key);
bool config_read_bootmem(struct config_reader *r);
void config_print_bootmem(const struct phys_config *phys, struct out *out);
void config_free_bootmem(struct phys_config *phys);

/* --- config_free.c: what is free when the machine starts ----------------- */

#define CONFIG_FREE "free"
#define CONFIG_PAGEBLOCKS "pageblocks"
#define CONFIG_PCP "pcp"

/* Whether @group is one of the three and has @key; key NULL: the group's line.
 */
bool config_frames_key(const char *group, const char *key);
/* Read all three groups, as far as they are there. */
bool config_read_free(struct config_reader *r);
void config_print_free(const struct phys_config *phys, struct out *out);

#endif
