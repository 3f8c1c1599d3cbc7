// SPDX-License-Identifier: MIT
/*
 * config.h - machine files: read, check, fill in, print back
 *
 * The grammar is kmemfs-machine(5).  Reading fills in every default, so that
 * config_print() of what was read, read again, prints the same text.
 */
#ifndef KMEMFS_MACHINE_CONFIG_H
#define KMEMFS_MACHINE_CONFIG_H

#include "kmemfs/base/out.h"
#include "kmemfs/phys/phys.h"
#include "kmemfs/slab/percpu.h"
#include "kmemfs/slab/slab.h"
#include "kmemfs/vm/kernel.h"

struct sysctl_setting {
	char *name;
	char *value;
};

/* What [mmu], [tlb], [cache] and [costs] say beside vm_config. */
struct mmu_config {
	struct mmu_format format; /* of MMU_CUSTOM */
	struct tlb_geometry tlb[NR_TLB_PARTS];
	struct cache_config cache;
	struct vm_costs costs;
	bool cached; /* the caches are modelled */
};

struct machine_config {
	struct phys_config phys;
	struct slab_config slab;     /* [slab] */
	struct percpu_config percpu; /* [percpu] */
	struct vm_config vm;	     /* [mmu]: what CPUs make of addresses */
	struct mmu_config mmu;	     /* vm points here */
	struct kernel_config kernel; /* [kernel] */
	char *cmdline; /* owned; phys.cmdline, slab.cmdline point here */
	uint64_t seed;
	uint64_t ram_limit; /* bytes the host may hold for RAM */
	char *hostname;	    /* only a name, for banners */
	GArray *sysctls;    /* of struct sysctl_setting, [vm], file order */
	char *source;	    /* what it was read from, for messages */
};

/*
 * Read a machine from @text (NUL-terminated), called @source in messages.
 * Returns NULL and a message "source:line: key: reason" in @error (to be
 * freed with g_free) when anything in it is wrong, unknown or doubled.
 */
struct machine_config *config_read(const char *text, const char *source,
				   char **error);
/* The same with @settings of config_load_set(). */
struct machine_config *config_read_set(const char *text, const char *source,
				       char *const *settings, char **error);
/*
 * Find machine @name: a file when it holds a '/' or ends in .ini, "-" is
 * standard input, else NAME.ini in $KMEMFS_MACHINES, the build's and the
 * installed machines folder.  NULL name: "default".
 */
struct machine_config *config_load(const char *name, char **error);
/* The same; without @name the machine that @state_dir (may be NULL) holds. */
struct machine_config *config_load_kept(const char *name, const char *state_dir,
					char **error);
/*
 * The same; what @settings say (NULL at its end, may be NULL) stands in place
 * of what the file says: "group.key=value" sets a key, "group.key+=word" adds
 * a word to it.
 */
struct machine_config *config_load_set(const char *name, const char *state_dir,
				       char *const *settings, char **error);
/* The name of the machine's file in a state directory. */
#define STATE_MACHINE "machine.ini"
void config_free(struct machine_config *config);
/* The whole machine as a machine file. */
void config_print(const struct machine_config *config, struct out *out);

#endif
