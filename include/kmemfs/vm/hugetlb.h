// SPDX-License-Identifier: MIT
/*
 * hugetlb.h - a pool of huge pages, and mappings that are made of them
 *
 * Pages of the pool are either free, some of them promised to mappings, or in
 * use.  A mapping asks for all that it may need when it is made, so that its
 * faults do not fail; one made with MAP_NORESERVE, and a child's private copy,
 * may find the pool empty: SIGBUS.  There is one size, that of a leaf of level
 * 1.
 *
 * Source: mm/hugetlb.c of 6.1.192.
 */
#ifndef KMEMFS_VM_HUGETLB_H
#define KMEMFS_VM_HUGETLB_H

#include "kmemfs/vm/task.h"

struct hugetlb_node {
	uint64_t nr, free, surplus; /* pages */
	GArray *list;		    /* of pfn_t: free ones, the next one last */
};

/* struct hstate; counts are of huge pages. */
struct hugetlb {
	unsigned int order; /* 9, or 10 */
	uint64_t nr;	    /* nr_hugepages: all there are */
	uint64_t free;
	uint64_t resv;			    /* of the free ones, promised */
	uint64_t surplus;		    /* more than were asked for */
	uint64_t overcommit;		    /* surplus ones at most */
	struct hugetlb_node *node;	    /* [nr_nodes] */
	unsigned int next_alloc, next_free; /* nodes whose turn it is */
};

#define HUGETLB_ALL_NODES (-1)

/* Bytes of one page. */
uint64_t hugetlb_size(const struct vm *vm);
/*
 * Make the pool @count pages large, or @nid's part of it, as far as memory
 * and pages in use allow: nr_hugepages.  Pages in use beyond it become
 * surplus.  @nodes: bits of nodes that may change, 0: all (a memory policy's
 * for nr_hugepages_mempolicy).  -EINVAL: no such pages or node.
 */
int hugetlb_resize(struct vm *vm, uint64_t count, int nid, uint64_t nodes);
/* nr_overcommit_hugepages.  -EINVAL: no such pages. */
int hugetlb_set_overcommit(struct vm *vm, uint64_t count);

#endif
