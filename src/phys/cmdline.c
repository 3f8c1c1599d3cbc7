// SPDX-License-Identifier: MIT
/*
 * cmdline.c - the kernel's arguments that shape physical memory
 *
 * What it models: the early_param() and __setup() handlers of arch/x86/kernel/
 *                 e820.c (mem, memmap), mm/page_alloc.c (kernelcore,
 *                 movablecore, numa_zonelist_order), kernel/dma/contiguous.c
 *                 (cma), mm/huge_memory.c, mm/memory_hotplug.c, and for i386
 *                 vmalloc and highmem.
 * How it works:   a table gives each key its reader.
 * Differs from the kernel: a value it cannot read is refused here; the kernel
 *                 prints a warning and goes on without it.
 */
#include "kmemfs/phys/cmdline.h"

#include "kmemfs/base/kernel_args.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A number as memparse() reads it: 0x and 0 prefixes, K to E suffixes. */
static bool
cmdline_size(const char **at, uint64_t *bytes)
{
	static const char suffixes[] = "kmgtpe";
	const char *suffix;
	unsigned long long v;
	char *end;

	if (!isdigit((unsigned char)**at))
		return false;
	errno = 0;
	v = strtoull(*at, &end, 0);
	if (errno)
		return false;
	*at = end;
	suffix = **at ? strchr(suffixes, tolower((unsigned char)**at)) : NULL;
	if (suffix) {
		unsigned int shift = 10 * (unsigned int)(suffix - suffixes + 1);

		(*at)++;
		if (v > UINT64_MAX >> shift)
			return false;
		v <<= shift;
	}
	*bytes = v;
	return true;
}

static void
cmdline_firmware(struct phys_cmdline *args, enum firmware_op op, pa_t start,
		 pa_t end, enum firmware_type type)
{
	struct firmware_change change = {
		op, {start, end},
		  type
	      };

	g_array_append_val(args->firmware, change);
}

static const char *
cmdline_mem(struct phys_cmdline *args, const char *value)
{
	uint64_t size;

	if (!cmdline_size(&value, &size) || *value || !size)
		return "mem= takes a size: no RAM at or above that address";
	cmdline_firmware(args, FIRMWARE_CUT, size, UINT64_MAX, E820_USABLE);
	return NULL;
}

/* The characters of memmap=, and what they make of the range. */
static const struct {
	char sign;
	enum firmware_type type;
} memmap_signs[] = {
	{'@', E820_USABLE	 },
	{'#', E820_ACPI    },
	{'$', E820_RESERVED},
	{'!', E820_PMEM    },
};

static const char *
cmdline_memmap_one(struct phys_cmdline *args, const char *value)
{
	static const char usage[] =
		"memmap= takes size@start, size$start, size#start, size!start, "
		"size or exactmap, with commas between";
	uint64_t size, start;
	char sign;

	if (!strcmp(value, "exactmap")) {
		cmdline_firmware(args, FIRMWARE_CLEAR, 0, 0, E820_USABLE);
		return NULL;
	}
	if (!cmdline_size(&value, &size) || !size)
		return usage;
	if (!*value) {
		cmdline_firmware(args, FIRMWARE_CUT, size, UINT64_MAX,
				 E820_USABLE);
		return NULL;
	}
	sign = *value++;
	if (!cmdline_size(&value, &start) || *value || start + size < start)
		return usage;
	for (size_t i = 0; i < ARRAY_SIZE(memmap_signs); i++) {
		if (memmap_signs[i].sign != sign)
			continue;
		cmdline_firmware(args, FIRMWARE_ADD, start, start + size,
				 memmap_signs[i].type);
		return NULL;
	}
	return usage;
}

static const char *
cmdline_memmap(struct phys_cmdline *args, const char *value)
{
	char **parts = g_strsplit(value, ",", -1);
	const char *wrong = NULL;

	for (char **part = parts; *part && !wrong; part++)
		wrong = cmdline_memmap_one(args, *part);
	g_strfreev(parts);
	return wrong;
}

static const char *
cmdline_core(struct core_size *core, const char *value)
{
	static const char usage[] =
		"kernelcore= and movablecore= take a size, or a percentage of "
		"memory up to 100%";
	uint64_t number;

	if (!strcmp(value, "mirror"))
		return "kernelcore=mirror needs memory that the firmware "
		       "mirrors, and this machine has none";
	if (!cmdline_size(&value, &number))
		return usage;
	if (*value != '%') {
		*core = (struct core_size){.bytes = number};
		return *value ? usage : NULL;
	}
	if (value[1] || number > 100)
		return usage;
	*core = (struct core_size){.percent = number};
	return NULL;
}

static const char *
cmdline_kernelcore(struct phys_cmdline *args, const char *value)
{
	return cmdline_core(&args->kernelcore, value);
}

static const char *
cmdline_movablecore(struct phys_cmdline *args, const char *value)
{
	return cmdline_core(&args->movablecore, value);
}

static const char *
cmdline_zonelist_order(struct phys_cmdline *args, const char *value)
{
	switch (tolower((unsigned char)*value)) {
	case 'd':
	case 'n':
		args->zonelist_by_zone = false;
		return NULL;
	case 'z':
		args->zonelist_by_zone = true;
		return NULL;
	default:
		return "numa_zonelist_order= takes node, zone or default";
	}
}

static const char *
cmdline_cma(struct phys_cmdline *args, const char *value)
{
	static const char usage[] = "cma= takes size[@base[-limit]]";

	args->cma_base = args->cma_limit = 0;
	if (!cmdline_size(&value, &args->cma_size))
		return usage;
	if (!*value)
		return NULL;
	if (*value++ != '@' || !cmdline_size(&value, &args->cma_base))
		return usage;
	/* A base alone means: there and nowhere else. */
	args->cma_limit = args->cma_base + args->cma_size;
	if (!*value)
		return NULL;
	if (*value++ != '-' || !cmdline_size(&value, &args->cma_limit) ||
	    *value)
		return usage;
	return NULL;
}

static const char *
cmdline_thp(struct phys_cmdline *args, const char *value)
{
	static const char *const modes[] = {
		[THP_ALWAYS] = "always",
		[THP_MADVISE] = "madvise",
		[THP_NEVER] = "never",
	};

	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		if (strcmp(modes[i], value))
			continue;
		args->thp = (enum thp_mode)i;
		return NULL;
	}
	return "transparent_hugepage= takes always, madvise or never";
}

static const char *
cmdline_vmalloc(struct phys_cmdline *args, const char *value)
{
	if (!cmdline_size(&value, &args->vmalloc) || *value)
		return "vmalloc= takes a size";
	return NULL;
}

static const char *
cmdline_highmem(struct phys_cmdline *args, const char *value)
{
	if (!cmdline_size(&value, &args->highmem) || *value)
		return "highmem= takes a size";
	return NULL;
}

static const char *
cmdline_hugepages(struct phys_cmdline *args, const char *value)
{
	uint64_t pages;

	if (!cmdline_size(&value, &pages) || *value)
		return "hugepages= takes how many huge pages there are at boot";
	args->hugepages = pages;
	return NULL;
}

static const char *
cmdline_hugepage_size(struct phys_cmdline *args, const char *value)
{
	uint64_t size;

	if (!cmdline_size(&value, &size) || *value ||
	    (size != 2 << 20 && size != 4 << 20))
		return "of hugepagesz= and default_hugepagesz= only the one "
		       "size is modelled that an entry above the smallest "
		       "maps: "
		       "2M, on i386 without PAE 4M";
	args->hugepage_size = size;
	return NULL;
}

static const char *
cmdline_memhp(struct phys_cmdline *args, const char *value)
{
	static const char *const states[] = {
		[MEMHP_OFFLINE] = "offline",
		[MEMHP_ONLINE] = "online",
		[MEMHP_ONLINE_KERNEL] = "online_kernel",
		[MEMHP_ONLINE_MOVABLE] = "online_movable",
	};

	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		if (strcmp(states[i], value))
			continue;
		args->memhp = (enum memhp_state)i;
		return NULL;
	}
	return "memhp_default_state= takes offline, online, online_kernel or "
	       "online_movable";
}

static const char *
cmdline_numa(struct phys_cmdline *args, const char *value)
{
	if (strcmp(value, "off"))
		return "of numa= only off is modelled; [node N] groups say "
		       "where nodes are";
	args->numa_off = true;
	return NULL;
}

/* Memory that was there at boot is never hot-pluggable on these machines, so
 * all that is left of the argument is where plugged memory goes. */
static const char *
cmdline_movable_node(struct phys_cmdline *args, const char *value)
{
	(void)value;
	args->movable_node = true;
	return NULL;
}

static const char *
cmdline_cpus(struct phys_cmdline *args, const char *value)
{
	(void)args;
	(void)value;
	return "how many CPUs there are is said by cpus= of [machine]";
}

static const char *
cmdline_not_modelled(struct phys_cmdline *args, const char *value)
{
	(void)args;
	(void)value;
	return "this argument changes memory in a way that is not modelled; "
	       "leave it out";
}

static const struct {
	const char *key;
	/* Reads @value into @args; NULL, or what is wrong with it. */
	const char *(*read)(struct phys_cmdline *args, const char *value);
} cmdline_keys[] = {
	{"mem",			     cmdline_mem	   },
	{"memmap",			  cmdline_memmap	 },
	{"kernelcore",		       cmdline_kernelcore	 },
	{"movablecore",			cmdline_movablecore   },
	{"numa_zonelist_order",		cmdline_zonelist_order},
	{"cma",			     cmdline_cma	   },
	{"transparent_hugepage",		 cmdline_thp	    },
	{"vmalloc",			 cmdline_vmalloc	   },
	{"highmem",			 cmdline_highmem	   },
	{"memhp_default_state",		cmdline_memhp	     },
	{"numa",			    cmdline_numa	     },
	{"maxcpus",			 cmdline_cpus		},
	{"nr_cpus",			 cmdline_cpus		},
	{"possible_cpus",			  cmdline_cpus	      },
	{"nosmp",			   cmdline_cpus	      },
	{"hugepages",		       cmdline_hugepages     },
	{"hugepagesz",		       cmdline_hugepage_size },
	{"default_hugepagesz",	       cmdline_hugepage_size },
	{"hugetlb_cma",			cmdline_not_modelled  },
	{"hugetlb_free_vmemmap",		 cmdline_not_modelled  },
	{"cma_pernuma",			cmdline_not_modelled  },
	{"crashkernel",			cmdline_not_modelled  },
	{"movable_node",			 cmdline_movable_node  },
	{"efi_fake_mem",			 cmdline_not_modelled  },
	{"page_alloc.shuffle",	       cmdline_not_modelled  },
	{"memory_hotplug.online_policy",	 cmdline_not_modelled  },
	{"memory_hotplug.memmap_on_memory", cmdline_not_modelled	},
};

static const char *
cmdline_take(struct phys_cmdline *args, const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(cmdline_keys); i++) {
		const char *value =
			kernel_args_behind(word, cmdline_keys[i].key);

		if (value && (!*value || *value == '='))
			return cmdline_keys[i].read(args,
						    value + (*value == '='));
	}
	return NULL;
}

int
phys_cmdline_read(struct phys_cmdline *args, const char *text,
		  struct refusal *r)
{
	const char *at = text, *start, *wrong = NULL;
	char *word;

	*args = (struct phys_cmdline){.highmem = UINT64_MAX};
	args->firmware =
		g_array_new(FALSE, FALSE, sizeof(struct firmware_change));
	while (!wrong && (word = kernel_args_next(&at, &start))) {
		wrong = cmdline_take(args, word);
		g_free(word);
	}
	if (!wrong)
		return 0;
	phys_cmdline_fini(args);
	return refuse(r, EINVAL, (size_t)(start - text), "%s", wrong);
}

void
phys_cmdline_fini(struct phys_cmdline *args)
{
	if (args->firmware)
		g_array_free(args->firmware, TRUE);
	args->firmware = NULL;
}
