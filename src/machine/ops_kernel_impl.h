// SPDX-License-Identifier: MIT
/*
 * ops_kernel_impl.h - what ops on the kernel's mappings share
 */
#ifndef KMEMFS_MACHINE_OPS_KERNEL_IMPL_H
#define KMEMFS_MACHINE_OPS_KERNEL_IMPL_H

#include "kmemfs/ops.h"

/* Who maps: from an op's arguments with common: alloc caller. */
struct mapping {
	struct op *op;
	uint64_t gfp, cpu, context;
	int64_t node;
	const char *caller;
	const char **name; /* of the allocation; made up when NULL */
	int name_param;
};

#define MAPPING(o, a, flags, ID)                                               \
	{                                                                      \
		.op = (o), .gfp = (flags), .cpu = (a)->cpu,                    \
		.context = (a)->context, .node = (a)->node,                    \
		.caller = (a)->caller, .name = &(a)->name,                     \
		.name_param = ARG_VM_##ID##_NAME                               \
	}

/* Refuse what cannot run: 0 or -errno. */
int check_mapping(struct mapping *g);
/* All is checked: in an interrupt the kernel's BUG, else 0 and @q. */
int begin_mapping(struct mapping *g, struct kernel_request *q);
/* What was mapped is the allocation *@g->name, ended by @free: answered. */
void record_mapping(struct mapping *g, va_t at, uint64_t size, uint64_t pages,
		    const char *free);
/* A call failed: told, -errno. */
int mapping_failed(struct op *op, const char *call, int err);

/* The frames that "buf,4096,5000-5003" stands for: 0, or refused. */
int find_frames(struct op *op, int param, const char *words, GArray *pfns);
/* The one frame that a word stands for. */
int find_frame(struct op *op, int param, const char *word, pfn_t *pfn);

#endif
