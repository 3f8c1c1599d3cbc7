// SPDX-License-Identifier: MIT
/*
 * ops_huge.c - memory policies, huge pages and their pools
 *
 * What it models: set_mempolicy, mbind, get_mempolicy; writes to the files of
 * transparent_hugepage, to nr_hugepages and its like; split_huge_pages of
 * debugfs; the shrinkers of huge pages.
 */
#include "ops_task_impl.h"

#include "kmemfs/base/text.h"
#include "kmemfs/vm/hugetlb.h"
#include "kmemfs/vm/mempolicy.h"
#include "kmemfs/vm/thp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* --- policies ------------------------------------------------------------ */

/* "0-2,4" as bits; "none": no node.  False: it is not a list of nodes. */
static bool
read_nodes(const char *list, uint64_t *nodes)
{
	const char *at = list;

	*nodes = 0;
	if (!strcmp(list, "none"))
		return true;
	for (;;) {
		char *end;
		unsigned long first, last;

		if (*at < '0' || *at > '9')
			return false;
		first = last = strtoul(at, &end, 10);
		if (*end == '-') {
			at = end + 1;
			if (*at < '0' || *at > '9')
				return false;
			last = strtoul(at, &end, 10);
		}
		if (last > 63 || first > last)
			return false;
		*nodes |=
			(last - first == 63 ? ~0ULL
					    : (1ULL << (last - first + 1)) - 1)
			<< first;
		if (!*end)
			return true;
		if (*end != ',')
			return false;
		at = end + 1;
	}
}

static int
read_policy(struct op *op, int mode_param, const char *mode_word,
	    int nodes_param, const char *list, int *mode, uint64_t *nodes)
{
	uint64_t bits;
	int err = op_read_words(op, mode_param, WORDS_MPOL, mode_word, &bits);

	if (err)
		return err;
	*mode = (int)(int32_t)bits;
	if (!read_nodes(list, nodes))
		return op_refuse(op, nodes_param, EINVAL,
				 "%s is no list of nodes below 64: 0-2,4 or "
				 "none",
				 list);
	return 0;
}

static void
answer_nodes(struct op *op, uint64_t nodes)
{
	const char *sep = "";

	op_answer(op, " nodes=");
	if (!nodes)
		op_answer(op, "none");
	for (unsigned int i = 0; i < 64; i++)
		if (nodes >> i & 1) {
			op_answer(op, "%s%u", sep, i);
			sep = ",";
		}
}

int
op_vm_set_mempolicy(struct op *op, struct args_vm_set_mempolicy *a)
{
	uint64_t nodes;
	int mode, err;

	err = read_policy(op, ARG_VM_SET_MEMPOLICY_MODE, a->mode,
			  ARG_VM_SET_MEMPOLICY_NODES, a->nodes, &mode, &nodes);
	if (!err)
		err = op_check_user_task(op, ARG_VM_SET_MEMPOLICY_TASK,
					 op->task);
	if (!err)
		err = op_begin_call(op);
	if (err)
		return err;
	err = vm_set_mempolicy(op->m->vm, op->task, mode, nodes);
	if (err)
		return op_call_failed(op, "set_mempolicy", err);
	op_answer(op, "%d %s", op->task->pid,
		  mempolicy_names[op->task->policy]);
	answer_nodes(op, op->task->policy_nodes);
	return 0;
}

int
op_vm_mbind(struct op *op, struct args_vm_mbind *a)
{
	uint64_t nodes, flags, size = a->size;
	va_t at;
	int mode, err;

	err = read_policy(op, ARG_VM_MBIND_MODE, a->mode, ARG_VM_MBIND_NODES,
			  a->nodes, &mode, &nodes);
	if (!err)
		err = op_read_words(op, ARG_VM_MBIND_FLAGS, WORDS_MBIND,
				    a->flags, &flags);
	if (!err)
		err = op_begin_at(op, ARG_VM_MBIND_TASK, ARG_VM_MBIND_ADDRESS,
				  a->address, &at, &size);
	if (err)
		return err;
	err = vm_mbind(op->m->vm, op->task, at, size, mode, nodes,
		       (unsigned int)flags);
	if (err)
		return op_call_failed(op, "mbind", err);
	op_answer(op, "address=%#llx size=%llu", (unsigned long long)at,
		  (unsigned long long)size);
	return 0;
}

static void
answer_mode(struct op *op, int mode)
{
	int bare = mode & ~MPOL_MODE_FLAGS;

	op_answer(op, "%s", mempolicy_names[bare]);
	if (mode & MPOL_F_STATIC_NODES)
		op_answer(op, "=static");
	if (mode & MPOL_F_RELATIVE_NODES)
		op_answer(op, "=relative");
	if (mode & MPOL_F_NUMA_BALANCING)
		op_answer(op, "=balancing");
}

int
op_vm_get_mempolicy(struct op *op, struct args_vm_get_mempolicy *a)
{
	uint64_t flags, nodes, size = 0;
	va_t at;
	int mode, err;

	err = op_read_words(op, ARG_VM_GET_MEMPOLICY_FLAGS, WORDS_GET_MPOL,
			    a->flags, &flags);
	if (!err)
		err = op_begin_at(op, ARG_VM_GET_MEMPOLICY_TASK,
				  ARG_VM_GET_MEMPOLICY_ADDRESS, a->address, &at,
				  &size);
	if (err)
		return err;
	err = vm_get_mempolicy(op->m->vm, op->task, at, (unsigned int)flags,
			       &mode, &nodes);
	if (err)
		return op_call_failed(op, "get_mempolicy", err);
	if (flags & MPOL_F_NODE)
		op_answer(op, "node=%d", mode);
	else
		answer_mode(op, mode);
	answer_nodes(op, nodes);
	return 0;
}

/* --- transparent huge pages ---------------------------------------------- */

int
op_vm_transparent_hugepage(struct op *op,
			   struct args_vm_transparent_hugepage *a)
{
	struct refusal r = {0};
	struct out value = OUT_INIT;
	int err = thp_setting_write(op->m->vm, a->name, a->value, &r);

	if (err)
		return op_refuse(op,
				 err == -ENOENT
					 ? ARG_VM_TRANSPARENT_HUGEPAGE_NAME
					 : ARG_VM_TRANSPARENT_HUGEPAGE_VALUE,
				 -err, "%s", r.sentence);
	if (thp_setting_show(op->m->vm, a->name, &value) && value.len)
		value.len--; /* the newline */
	op_answer(op, "%s = %s", a->name, out_text(&value));
	out_fini(&value);
	return 0;
}

int
op_vm_split_huge_pages(struct op *op, struct args_vm_split_huge_pages *a)
{
	struct vm *vm = op->m->vm;
	uint64_t size = a->size, split = 0, failed = 0, step;
	va_t at, end;
	int err;

	if (!vm->thp)
		return op_refuse(op, -1, ENOSYS,
				 "this kernel has no transparent huge pages");
	err = op_begin_at(op, ARG_VM_SPLIT_HUGE_PAGES_TASK,
			  ARG_VM_SPLIT_HUGE_PAGES_ADDRESS, a->address, &at,
			  &size);
	if (err)
		return err;
	step = VM_PAGE << vm->thp->order;
	end = at + MIN_OF(size, vm->layout.task_size -
					MIN_OF(at, vm->layout.task_size));
	for (va_t va = at & ~(step - 1); va < end; va += step) {
		struct vm_leaf leaf;

		if (!vm_leaf(vm, op->task->mm, va, &leaf) || !leaf.level)
			continue;
		err = thp_split_page(vm, leaf.pfn, op->task->cpu);
		split += !err;
		failed += err == -EAGAIN;
	}
	op_answer(op, "split=%llu failed=%llu", (unsigned long long)split,
		  (unsigned long long)failed);
	return 0;
}

int
op_vm_shrink_huge_pages(struct op *op, struct args_vm_shrink_huge_pages *a)
{
	struct vm *vm = op->m->vm;
	uint64_t split = 0, freed;

	if (!vm->thp)
		return op_refuse(op, -1, ENOSYS,
				 "this kernel has no transparent huge pages");
	for (unsigned int nid = 0; nid < op->m->phys->nr_nodes; nid++)
		split += thp_deferred_scan(vm, nid, a->most, 0);
	freed = thp_shrink_zero(vm, 0);
	op_answer(op, "split=%llu zero_page_frames=%llu",
		  (unsigned long long)split, (unsigned long long)freed);
	return 0;
}

/* --- pools --------------------------------------------------------------- */

/* "all", "node1" or "1". */
static bool
read_node(const struct phys *phys, const char *word, int *nid)
{
	uint64_t n;

	*nid = HUGETLB_ALL_NODES;
	if (!strcmp(word, "all"))
		return true;
	if (!strncmp(word, "node", 4))
		word += 4;
	if (!text_u64(word, &n) || n >= phys->nr_nodes)
		return false;
	*nid = (int)n;
	return true;
}

int
op_vm_hugepages(struct op *op, struct args_vm_hugepages *a)
{
	struct vm *vm = op->m->vm;
	bool over = !strcmp(a->name, "nr_overcommit_hugepages");
	bool policy = !strcmp(a->name, "nr_hugepages_mempolicy");
	uint64_t count;
	int nid;

	if (!over && !policy && strcmp(a->name, "nr_hugepages"))
		return op_refuse(op, ARG_VM_HUGEPAGES_NAME, EINVAL,
				 "nr_hugepages, nr_hugepages_mempolicy or "
				 "nr_overcommit_hugepages");
	if (!vm->hugetlb)
		return op_refuse(op, -1, ENOSYS,
				 "this kernel has no huge pages");
	if (!text_u64(a->value, &count))
		return op_refuse(op, ARG_VM_HUGEPAGES_VALUE, EINVAL,
				 "%s is not a number of pages", a->value);
	if (!read_node(op->m->phys, a->node, &nid))
		return op_refuse(op, ARG_VM_HUGEPAGES_NODE, EINVAL,
				 "%s is no node: all, or a number", a->node);
	if (over)
		(void)hugetlb_set_overcommit(vm, count);
	else
		(void)hugetlb_resize(vm, count, nid,
				     policy ? op->task->policy_nodes : 0);
	op_answer(op, "total=%llu free=%llu surplus=%llu overcommit=%llu",
		  (unsigned long long)vm->hugetlb->nr,
		  (unsigned long long)vm->hugetlb->free,
		  (unsigned long long)vm->hugetlb->surplus,
		  (unsigned long long)vm->hugetlb->overcommit);
	return 0;
}
