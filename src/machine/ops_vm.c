// SPDX-License-Identifier: MIT
/*
 * ops_vm.c - the knobs: sysctls, and memory blocks that go off- and online
 *
 * What it models: writes to /proc/sys/vm, and to a memory block's state and
 * online files (drivers/base/memory.c:state_store, drivers/base/core.c:
 * online_store).
 */
#include "kmemfs/ops.h"

#include "kmemfs/base/text.h"
#include "kmemfs/phys/memory_block.h"
#include "kmemfs/phys/sysctl.h"
#include "kmemfs/vm/sysctl.h"

#include <errno.h>
#include <string.h>

int
op_vm_sysctl(struct op *op, struct args_vm_sysctl *a)
{
	struct phys *phys = op->m->phys;
	struct out value = OUT_INIT;
	struct refusal r = {0};
	int err = sysctl_write(phys, a->name, a->value, &r);

	if (err == -ENOENT)
		err = vm_sysctl_write(op->m->vm, a->name, a->value, &r);

	if (err)
		return op_refuse(op,
				 err == -ENOENT ? ARG_VM_SYSCTL_NAME
						: ARG_VM_SYSCTL_VALUE,
				 -err, "%s", r.sentence);
	if ((sysctl_show(phys, a->name, &value) ||
	     vm_sysctl_show(op->m->vm, a->name, &value)) &&
	    value.len)
		value.len--; /* the newline */
	op_answer(op, "%s = %s", a->name, out_text(&value));
	out_fini(&value);
	return 0;
}

/* --- memory blocks --- */

static const struct state_word {
	const char *word;
	bool online;
	bool lenient; /* it may have that state already */
	enum online_type how;
} state_words[] = {
	{"offline",	    false, false, ONLINE_AUTO   },
	{"online",	   true,	 false, ONLINE_AUTO   },
	{"online_kernel",  true,	false, ONLINE_KERNEL },
	{"online_movable", true,	 false, ONLINE_MOVABLE},
	{"0",	      false, true,  ONLINE_AUTO   },
	{"1",	      true,  true,  ONLINE_AUTO   },
};

/* memory12 or 12. */
static bool
find_block(const struct phys *phys, const char *word, uint64_t *block)
{
	static const char prefix[] = "memory";

	if (!strncmp(word, prefix, strlen(prefix)))
		word += strlen(prefix);
	return text_u64(word, block) && memory_block_exists(phys, *block);
}

/* Why a block that is online cannot go: 0, or op_refuse(). */
static int
check_offline(struct op *op, uint64_t block)
{
	const struct phys *phys = op->m->phys;

	if (!memory_block_zone(phys, block))
		return op_refuse(op, ARG_MEMORY_STATE_BLOCK, EINVAL,
				 "memory%llu lies in more than one zone",
				 (unsigned long long)block);
	if (memory_block_has_hole(phys, block))
		return op_refuse(op, ARG_MEMORY_STATE_BLOCK, EINVAL,
				 "memory%llu has holes",
				 (unsigned long long)block);
	return 0;
}

static int
change(struct op *op, uint64_t block, const struct state_word *to)
{
	struct phys *phys = op->m->phys;
	uint64_t pages = memory_block_pages(phys);
	pfn_t start = block * pages;
	int err;

	if (to->online)
		err = hotplug_online(phys, start, pages, to->how);
	else
		err = hotplug_offline(phys, start, pages);
	if (err == -EBUSY)
		return op_fail(op, EBUSY,
			       "a page of memory%llu is in use or was never "
			       "given to the page allocator",
			       (unsigned long long)block);
	if (err)
		return op_fail(op, -err, "memory%llu: %s",
			       (unsigned long long)block, strerror(-err));
	return 0;
}

int
op_memory_state(struct op *op, struct args_memory_state *a)
{
	const struct phys *phys = op->m->phys;
	const struct state_word *to = NULL;
	const struct zone *zone;
	uint64_t block;
	bool online;
	int err;

	for (size_t i = 0; i < ARRAY_SIZE(state_words); i++)
		if (!strcmp(a->state, state_words[i].word))
			to = &state_words[i];
	if (!find_block(phys, a->block, &block))
		return op_refuse(op, ARG_MEMORY_STATE_BLOCK, ENODEV,
				 "there is no memory block %s", a->block);
	if (!to)
		return op_refuse(op, ARG_MEMORY_STATE_STATE, EINVAL,
				 "a state is online, offline, online_kernel "
				 "or online_movable");
	online = memory_block_online(phys, block);
	if (online == to->online && !to->lenient)
		return op_refuse(op, ARG_MEMORY_STATE_STATE, EINVAL,
				 "memory%llu is %s already",
				 (unsigned long long)block,
				 online ? "online" : "offline");
	err = !online || to->online ? 0 : check_offline(op, block);
	if (!err && online != to->online)
		err = change(op, block, to);
	if (err)
		return err;
	op_answer(op, "memory%llu %s", (unsigned long long)block,
		  to->online ? "online" : "offline");
	zone = to->online ? memory_block_zone(phys, block) : NULL;
	if (zone)
		op_answer(op, " zone=%s", zone_type_name(zone->type));
	return 0;
}
