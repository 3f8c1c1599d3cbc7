// SPDX-License-Identifier: MIT
/*
 * ops_task_impl.h - what ops on tasks and on their memory share
 */
#ifndef KMEMFS_MACHINE_OPS_TASK_IMPL_H
#define KMEMFS_MACHINE_OPS_TASK_IMPL_H

#include "kmemfs/ops.h"

/* Refuse with ESRCH a task that has ended. */
int op_check_live(struct op *op, int param, const struct task *t);
/* The same for a task that can have no address space: EINVAL, ENOSYS. */
int op_check_user_task(struct op *op, int param, const struct task *t);
/* All is checked, the op's task does something now: PID 1 is started when it is
 * the one.  ENOMEM, ENOSPC: it cannot be, the op has failed. */
int op_begin_call(struct op *op);
/*
 * What an address word stands for: a number; or an allocation's first byte, and
 * its size, which is stored in *@size if that is not NULL and 0.
 */
int op_find_address(struct op *op, int param, const char *word, va_t *address,
		    uint64_t *size);
/* read, write or exec; EINVAL. */
int op_read_access(struct op *op, int param, const char *word,
		   enum mmu_access *access);
/* Check the op's task, find the address, begin: all of the above. */
int op_begin_at(struct op *op, int task_param, int address_param,
		const char *word, va_t *address, uint64_t *size);
/* As a debugger writes to another's memory: faults happen, signals do not.
 * What @t may not write is failed with @err. */
int op_poke_user(struct op *op, struct task *t, va_t at,
		 const struct op_bytes *data, int err);
/* A call on memory returned @err < 0: the op ran and failed. */
int op_call_failed(struct op *op, const char *call, int err);

#define FILE_MOST (1ULL << 44) /* bytes of a file */
/* The file of that name: ENOENT. */
int op_find_file(struct op *op, int param, const char *name,
		 struct vm_object **found);

/* --- vm_words.c: names of bits ------------------------------------------ */

struct vm_word {
	const char *name;
	uint64_t value;
};

enum vm_words {
	WORDS_PROT, /* PROT_READ|... of mmap, mprotect */
	WORDS_MAP,  /* MAP_PRIVATE|... */
	WORDS_MREMAP,
	WORDS_MSYNC,
	WORDS_MLOCKALL,
	WORDS_MADVISE, /* one of them */
	WORDS_SIGNAL,  /* one of them */
	WORDS_RLIMIT,  /* one of them */
	WORDS_CAPS,
	WORDS_MPOL, /* a policy with its flags */
	WORDS_MBIND,
	WORDS_GET_MPOL,
	NR_VM_WORDS
};

/* Names joined by | , or +, or a number: 0, or refused with EINVAL. */
int op_read_words(struct op *op, int param, enum vm_words set, const char *text,
		  uint64_t *value);

#endif
