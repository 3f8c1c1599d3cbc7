// SPDX-License-Identifier: MIT
/*
 * task.h - tasks: who has an address space, and which CPU runs whom
 *
 * Source: include/linux/sched.h, kernel/fork.c, kernel/exit.c, fs/exec.c,
 * arch/x86/mm/tlb.c of 6.1.192.
 */
#ifndef KMEMFS_VM_TASK_H
#define KMEMFS_VM_TASK_H

#include "kmemfs/vm/mm.h"

enum task_state { TASK_RUNNING, TASK_SLEEPING, TASK_ZOMBIE, NR_TASK_STATES };

#define TASK_COMM_LEN 16
#define TASK_NAME_MAX 63
#define PID_MAX 4194304

enum rlimit_id { /* those that memory management looks at */
		 LIMIT_DATA,
		 LIMIT_STACK,
		 LIMIT_AS,
		 LIMIT_MEMLOCK,
		 NR_RLIMITS
};
#define LIMIT_INFINITY UINT64_MAX

enum task_caps {
	CAP_IPC_LOCK_BIT = 1 << 0,
	CAP_SYS_RAWIO_BIT = 1 << 1,
	CAP_SYS_RESOURCE_BIT = 1 << 2,
	CAP_SYS_ADMIN_BIT = 1 << 3,
	CAP_SYS_NICE_BIT = 1 << 4,
};

/* Signals that this layer sends, and why. */
enum vm_signal {
	VM_SIGBUS = 7,
	VM_SIGKILL = 9,
	VM_SIGSEGV = 11,
	VM_SEGV_MAPERR = 1,
	VM_SEGV_ACCERR = 2,
	VM_BUS_ADRERR = 2,
	VM_SI_KERNEL = 128,
};

struct task {
	struct vm *vm;
	int32_t pid;
	int32_t tgid; /* of its thread group */
	int32_t ppid;
	char *name; /* by which ops know it, also tasks/NAME; NULL */
	char comm[TASK_COMM_LEN];
	struct mm *mm; /* shared by threads; NULL: kernel thread, zombie, or
			  PID 1 before it is first used */
	bool kthread;
	bool asleep;	  /* PID 1 before it is first used */
	unsigned int cpu; /* that runs or ran it last */
	enum task_state state;
	uint64_t rlimit[NR_RLIMITS];
	int oom_score_adj;
	uint64_t min_flt, maj_flt;
	uint64_t start_ns;
	va_t kernel_stack; /* lowest address; 0 */
	bool handles_segv; /* its handler is told instead of death */
	uint32_t sig;	   /* sent last, 0 */
	uint32_t sig_code;
	va_t sig_addr;
	uint64_t caps; /* enum task_caps */
	/* Where its pages come from: mempolicy.h. */
	int policy; /* enum mempolicy */
	uint32_t policy_flags;
	uint64_t policy_nodes, policy_user;
	int il_prev; /* node that interleaving has used last, -1: none */
	void *impl;  /* the kernel half's own: kmap_local stack, ... */
};

/* PID 1, which there always is. */
struct task *task_init(const struct vm *vm);
struct task *task_find(const struct vm *vm, int32_t pid);
struct task *task_named(const struct vm *vm, const char *name);
/* The task with the smallest pid above @after, NULL at the end. */
struct task *task_next(const struct vm *vm, int32_t after);

enum task_clone {
	TASK_SHARES_VM = 1 << 0, /* CLONE_VM: one address space */
	TASK_THREAD = 1 << 1,	 /* same thread group; needs the former */
};

/*
 * A child of @parent on CPU @cpu, ready to run; @name (NULL: none) must be
 * new.  -ENOMEM: frames or the promise are refused; -EAGAIN: no pid left;
 * -EEXIST; -EINVAL; -ENOSYS: no paging; -ENOSPC: the host's limit.  On failure
 * nothing has changed but counters of the allocator.
 */
int task_fork(struct task *parent, unsigned int cpu, unsigned int clone,
	      const char *name, struct task **child);
/* A kernel thread: no address space. */
int task_kthread(struct vm *vm, unsigned int cpu, const char *comm,
		 const char *name, struct task **made);

/* A program: sizes in bytes.  Text and data come from @file, text first. */
struct vm_image {
	const char *comm;
	struct vm_object *file;
	uint64_t text, data, bss, heap;
	va_t base; /* 0: the layout's */
};
/* Replace @t's address space by a new one of @image; a thread's others die.
 * -ENOMEM, -EINVAL, -ENOSPC: nothing has changed. */
int task_exec(struct task *t, const struct vm_image *image);
/* End @t and, if @group, all its threads: address space and kernel stack go,
 * a zombie stays until task_reap().  With the last thread's end the group's
 * children become PID 1's.  PID 1: -EPERM. */
int task_exit(struct task *t, bool group);
/* A zombie and, if it led a thread group, the last of it: one may reap it. */
bool task_has_ended(const struct task *t);
/* Forget a zombie: -EINVAL when it is none.  Frees @t. */
int task_reap(struct task *t);
/* Send @sig: stored, and unless handled (VM_SIGSEGV and VM_SIGBUS only) its
 * thread group exits.  PID 1 only remembers it. */
void task_signal(struct task *t, uint32_t sig, uint32_t code, va_t addr);
/* Make PID 1 run, if @t is it and has not: 0 or -errno, as task_fork(). */
int task_wake(struct task *t);

/*
 * CPU @cpu runs @t (NULL: idle) from now on: CR3 is loaded if it has another
 * address space, TLB entries go as the PCID rules say.  -EINVAL for a zombie
 * or a CPU that does not exist; -EBUSY: it holds temporary mappings of another
 * CPU, and so may not move.
 */
int vm_switch_to(struct vm *vm, unsigned int cpu, struct task *t);

#endif
