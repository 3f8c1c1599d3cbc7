// SPDX-License-Identifier: MIT
/*
 * vm_words.c - the names that system calls on memory have for their bits
 */
#include "ops_task_impl.h"

#include "kmemfs/vm/mempolicy.h"

#include "kmemfs/base/text.h"

#include <errno.h>
#include <string.h>

#define W(name)                                                                \
	{                                                                      \
#name, VM_##name                                               \
	}

static const struct vm_word prot[] = {
	{"PROT_NONE", 0},
	   W(PROT_READ),    W(PROT_WRITE), W(PROT_EXEC),
	W(PROT_GROWSDOWN), W(PROT_GROWSUP), {0	      },
};

static const struct vm_word map[] = {
	W(MAP_SHARED),
	W(MAP_PRIVATE),
	W(MAP_SHARED_VALIDATE),
	W(MAP_FIXED),
	W(MAP_ANONYMOUS),
	{"MAP_ANON",     VM_MAP_ANONYMOUS},
	W(MAP_32BIT),
	W(MAP_GROWSDOWN),
	W(MAP_DENYWRITE),
	W(MAP_EXECUTABLE),
	W(MAP_LOCKED),
	W(MAP_NORESERVE),
	W(MAP_POPULATE),
	W(MAP_NONBLOCK),
	W(MAP_STACK),
	W(MAP_HUGETLB),
	W(MAP_SYNC),
	W(MAP_FIXED_NOREPLACE),
	{"MAP_HUGE_2MB",		 21ULL << 26},
	{"MAP_HUGE_1GB",30ULL << 26},
	{0},
};

static const struct vm_word mremap[] = {
	W(MREMAP_MAYMOVE),
	W(MREMAP_FIXED),
	W(MREMAP_DONTUNMAP),
	{0},
};

static const struct vm_word msync[] = {
	W(MS_ASYNC),
	W(MS_INVALIDATE),
	W(MS_SYNC),
	{0},
};

static const struct vm_word mlockall[] = {
	W(MCL_CURRENT),
	W(MCL_FUTURE),
	W(MCL_ONFAULT),
	{0},
};

static const struct vm_word madvise[] = {
	W(MADV_NORMAL),		 W(MADV_RANDOM),	W(MADV_SEQUENTIAL),
	W(MADV_WILLNEED),	 W(MADV_DONTNEED),	W(MADV_FREE),
	W(MADV_REMOVE),		 W(MADV_DONTFORK),	W(MADV_DOFORK),
	W(MADV_MERGEABLE),	 W(MADV_UNMERGEABLE),	W(MADV_HUGEPAGE),
	W(MADV_NOHUGEPAGE),	 W(MADV_DONTDUMP),	W(MADV_DODUMP),
	W(MADV_WIPEONFORK),	 W(MADV_KEEPONFORK),	W(MADV_COLD),
	W(MADV_PAGEOUT),	 W(MADV_POPULATE_READ), W(MADV_POPULATE_WRITE),
	W(MADV_DONTNEED_LOCKED), W(MADV_COLLAPSE),	{0},
};

static const struct vm_word signals[] = {
	{"SIGBUS",	   VM_SIGBUS},
	{"SIGKILL",	    VM_SIGKILL},
	{"SIGSEGV",VM_SIGSEGV},
	{0  },
};

static const struct vm_word rlimits[] = {
	{"RLIMIT_DATA", LIMIT_DATA},
	{"RLIMIT_STACK",		 LIMIT_STACK},
	{"RLIMIT_AS",LIMIT_AS},
	{"RLIMIT_MEMLOCK",   LIMIT_MEMLOCK},
	{0	    },
};

static const struct vm_word caps[] = {
	{"none",		 0},
	{"CAP_IPC_LOCK",			 CAP_IPC_LOCK_BIT},
	{"CAP_SYS_RAWIO",CAP_SYS_RAWIO_BIT},
	{"CAP_SYS_RESOURCE",	     CAP_SYS_RESOURCE_BIT},
	{"CAP_SYS_ADMIN",			  CAP_SYS_ADMIN_BIT},
	{"CAP_SYS_NICE",CAP_SYS_NICE_BIT},
	{0	  },
};

static const struct vm_word policies[] = {
	{"MPOL_DEFAULT",	 MPOL_DEFAULT},
	{"MPOL_PREFERRED",			   MPOL_PREFERRED},
	{"MPOL_BIND",MPOL_BIND},
	{"MPOL_INTERLEAVE",	    MPOL_INTERLEAVE},
	{"MPOL_LOCAL",		       MPOL_LOCAL},
	{"MPOL_PREFERRED_MANY",MPOL_PREFERRED_MANY},
	{"MPOL_F_STATIC_NODES",		MPOL_F_STATIC_NODES},
	{"MPOL_F_RELATIVE_NODES",			  MPOL_F_RELATIVE_NODES},
	{"MPOL_F_NUMA_BALANCING",	  MPOL_F_NUMA_BALANCING},
	{0},
};

static const struct vm_word mbind[] = {
	{"none",		 0},
	{"MPOL_MF_STRICT",		   MPOL_MF_STRICT},
	{"MPOL_MF_MOVE",MPOL_MF_MOVE},
	{"MPOL_MF_MOVE_ALL",  MPOL_MF_MOVE_ALL},
	{0	      },
};

static const struct vm_word get_mempolicy[] = {
	{"none",	 0},
	{"MPOL_F_NODE",		MPOL_F_NODE},
	{"MPOL_F_ADDR",MPOL_F_ADDR},
	{"MPOL_F_MEMS_ALLOWED", MPOL_F_MEMS_ALLOWED},
	{0	    },
};

static const struct {
	const struct vm_word *words;
	const char *what;
	bool one; /* not a set of bits; a number must be one of them */
} sets[NR_VM_WORDS] = {
	[WORDS_PROT] = {prot,	      "protection",	    false},
	[WORDS_MAP] = {map,	    "mmap flag",		 false},
	[WORDS_MREMAP] = {mremap,	  "mremap flag",	 false},
	[WORDS_MSYNC] = {msync,		"msync flag",	      false},
	[WORDS_MLOCKALL] = {mlockall,      "mlockall flag",      false},
	[WORDS_MADVISE] = {madvise,	    "advice",	      true },
	[WORDS_SIGNAL] = {signals,	   "signal",	     true },
	[WORDS_RLIMIT] = {rlimits,	   "limit",		    true },
	[WORDS_CAPS] = {caps,	      "capability",	    false},
	[WORDS_MPOL] = {policies,	  "memory policy",	   false},
	[WORDS_MBIND] = {mbind,		"mbind flag",	      false},
	[WORDS_GET_MPOL] = {get_mempolicy, "get_mempolicy flag", false},
};

static bool
find_word(const struct vm_word *words, const char *name, size_t len,
	  uint64_t *value)
{
	for (; words->name; words++)
		if (strlen(words->name) == len &&
		    !memcmp(words->name, name, len)) {
			*value = words->value;
			return true;
		}
	return false;
}

int
op_read_words(struct op *op, int param, enum vm_words set, const char *text,
	      uint64_t *value)
{
	const char *at = text;

	/* What the kernel thinks of a number is its own business. */
	if (text_u64(text, value) && set != WORDS_RLIMIT)
		return 0;
	*value = 0;
	for (;;) {
		size_t len = strcspn(at, "|,+");
		uint64_t bits;

		if (!find_word(sets[set].words, at, len, &bits))
			return op_refuse(op, param, EINVAL, "%.*s: unknown %s",
					 (int)len, at, sets[set].what);
		*value |= bits;
		at += len;
		if (!*at)
			return 0;
		at++;
		if (sets[set].one)
			return op_refuse(op, param, EINVAL,
					 "%s: one %s is wanted", text,
					 sets[set].what);
	}
}
