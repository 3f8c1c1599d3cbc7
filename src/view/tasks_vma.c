// SPDX-License-Identifier: MIT
/*
 * tasks_vma.c - tasks/PID/vmas: one file for each area
 *
 * How it works: what is resident is counted from the entries of the page
 * tables, not taken from the address space's counters.
 */
#include "kmemfs/show.h"

#include "kmemfs/view/sums.h"
#include "kmemfs/vm/mempolicy.h"
#include "kmemfs/vm/walk.h"

#include <inttypes.h>

static const struct {
	uint64_t flag;
	const char *name;
} flag_names[] = {
	{VM_READ,	  "read"	},
	{VM_WRITE,	   "write"	  },
	{VM_EXEC,	  "exec"	},
	{VM_SHARED,	    "shared"	    },
	{VM_MAYREAD,     "mayread"    },
	{VM_MAYWRITE,    "maywrite"	},
	{VM_MAYEXEC,     "mayexec"    },
	{VM_MAYSHARE,    "mayshare"	},
	{VM_GROWSDOWN,   "growsdown"  },
	{VM_PFNMAP,	    "pfnmap"	    },
	{VM_LOCKED,	    "locked"	    },
	{VM_IO,		"io"	    },
	{VM_SEQ_READ,    "seqread"    },
	{VM_RAND_READ,   "randread"	 },
	{VM_DONTCOPY,    "dontcopy"	},
	{VM_DONTEXPAND,	"dontexpand" },
	{VM_LOCKONFAULT, "lockonfault"},
	{VM_ACCOUNT,     "account"    },
	{VM_NORESERVE,   "noreserve"  },
	{VM_HUGETLB,     "hugetlb"    },
	{VM_WIPEONFORK,	"wipeonfork" },
	{VM_DONTDUMP,    "dontdump"	},
	{VM_SOFTDIRTY,   "softdirty"  },
	{VM_MIXEDMAP,    "mixedmap"	},
	{VM_HUGEPAGE,    "hugepage"	},
	{VM_NOHUGEPAGE,	"nohugepage" },
	{VM_MERGEABLE,   "mergeable"  },
};

/* Pages of an area by what their entries say. */
struct resident {
	const struct vm *vm;
	uint64_t present, rss, zero, huge, writable, accessed, dirty;
	uint64_t forbidden; /* PROT_NONE: there, but not for hardware */
};

static void
count_mapping(void *user, const struct vma *area,
	      const struct vm_mapping *mapping)
{
	struct resident *r = user;
	uint64_t pages = mapping->pages;

	(void)area;
	if (!(mapping->entry & PTE_P)) {
		r->forbidden += pages;
		return;
	}
	r->present += pages;
	r->rss += mapping->head != PFN_NONE ? pages : 0;
	r->zero += mapping->pfn == r->vm->zero_page;
	r->huge += mapping->level ? pages : 0;
	r->writable += mapping->entry & PTE_RW ? pages : 0;
	r->accessed += mapping->young ? pages : 0;
	r->dirty += mapping->dirty ? pages : 0;
}

static void
put_flags(struct out *out, const struct vma *area)
{
	out_printf(out, "flags 0x%" PRIx64, area->flags);
	for (size_t i = 0; i < ARRAY_SIZE(flag_names); i++)
		if (area->flags & flag_names[i].flag)
			out_printf(out, " %s", flag_names[i].name);
	out_char(out, '\n');
}

static void
put_object(struct out *out, const struct vma *area)
{
	const struct vm_object *o = area->object;

	if (area->flags & VM_PFNMAP) {
		put_text(out, "object", "page frames as they are");
		put_counter(out, "first_pfn", area->pfn);
		return;
	}
	if (!o) {
		put_text(out, "object", "anonymous");
		return;
	}
	out_printf(out, "object %" PRIu32 " %s\n", o->id,
		   o->name ? o->name : "shared anonymous memory");
	out_printf(out, "offset 0x%" PRIx64 "\n", area->pgoff << VM_PAGE_SHIFT);
	put_counter(out, "object_pages", o->nr_pages);
}

static void
put_anon(struct out *out, const struct vma *area)
{
	if (!area->anon)
		return;
	out_printf(out, "anon_vma %" PRIu32, area->anon->id);
	for (uint32_t i = 0; i < area->nr_chain; i++)
		if (area->chain[i] != area->anon)
			out_printf(out, " %" PRIu32, area->chain[i]->id);
	out_char(out, '\n');
}

static void
put_policy(struct out *out, const struct vma *area)
{
	out_printf(out, "policy %s", mempolicy_names[area->policy]);
	if (area->policy_nodes)
		out_printf(out, " nodes=0x%" PRIx64, area->policy_nodes);
	out_char(out, '\n');
}

void
show_task_vma(const struct view *v, struct out *out)
{
	const struct vma *area = view_vma(v);
	struct resident r = {.vm = v->m->vm};

	vm_walk(r.vm, area, area->start, area->end, count_mapping, &r);
	put_hex(out, "start", area->start);
	put_hex(out, "end", area->end);
	put_counter(out, "pages", vma_pages(area));
	if (*vma_name(area))
		put_text(out, "name", vma_name(area));
	put_flags(out, area);
	put_object(out, area);
	put_anon(out, area);
	put_policy(out, area);
	put_counter(out, "present_pages", r.present);
	put_counter(out, "zero_pages", r.zero);
	put_counter(out, "rss_pages", r.rss);
	put_counter(out, "forbidden_pages", r.forbidden);
	put_counter(out, "huge_pages", r.huge);
	put_counter(out, "writable_pages", r.writable);
	put_counter(out, "accessed_pages", r.accessed);
	put_counter(out, "dirty_pages", r.dirty);
}
