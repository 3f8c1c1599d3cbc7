// SPDX-License-Identifier: MIT
/*
 * huge.c - the files of huge pages below /sys
 *
 * What it models: the attributes of transparent_hugepage (mm/huge_memory.c,
 * mm/khugepaged.c) and of the pools (mm/hugetlb.c:hstate_attrs,
 * per_node_hstate_attrs).
 */
#include "kmemfs/show.h"
#include "kmemfs/view/kernel.h"
#include "kmemfs/vm/hugetlb.h"
#include "kmemfs/vm/thp.h"

#include <string.h>

bool
when_thp(const struct view *v)
{
	return v->m->vm->thp;
}

void
show_thp_setting(const struct view *v, struct out *out)
{
	thp_setting_show(v->m->vm, v->name, out);
}

void
show_khugepaged_setting(const struct view *v, struct out *out)
{
	char *name = g_strdup_printf("khugepaged/%s", v->name);

	thp_setting_show(v->m->vm, name, out);
	g_free(name);
}

static void
put_value(struct out *out, uint64_t value)
{
	out_u64(out, value);
	out_char(out, '\n');
}

void
show_thp_size(const struct view *v, struct out *out)
{
	put_value(out, page_size(v->m->phys) << v->m->vm->thp->order);
}

/* --- pools --- */

static bool
has_pool_of(const struct view *v, uint64_t size)
{
	return hugetlb_size(v->m->vm) == size;
}

bool
when_hugepages_2m(const struct view *v)
{
	return has_pool_of(v, MIB(2));
}

bool
when_hugepages_4m(const struct view *v)
{
	return has_pool_of(v, MIB(4));
}

bool
when_hugepages(const struct view *v)
{
	return v->m->vm->hugetlb;
}

void
show_hugepages(const struct view *v, struct out *out)
{
	const struct hugetlb *h = v->m->vm->hugetlb;
	const struct {
		const char *name;
		uint64_t value;
	} rows[] = {
		{"nr_hugepages",		 h->nr	      },
		{"nr_hugepages_mempolicy",  h->nr	},
		{"nr_overcommit_hugepages", h->overcommit},
		{"free_hugepages",	   h->free	  },
		{"resv_hugepages",	   h->resv	  },
		{"surplus_hugepages",	      h->surplus	},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (!strcmp(rows[i].name, v->name))
			put_value(out, rows[i].value);
}

void
show_node_hugepages(const struct view *v, struct out *out)
{
	const struct hugetlb_node *n =
		&v->m->vm->hugetlb->node[view_node(v)->id];

	if (!strcmp(v->name, "nr_hugepages"))
		put_value(out, n->nr);
	else if (!strcmp(v->name, "free_hugepages"))
		put_value(out, n->free);
	else
		put_value(out, n->surplus);
}
