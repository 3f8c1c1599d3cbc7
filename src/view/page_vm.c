// SPDX-License-Identifier: MIT
/*
 * page_vm.c - pages/PFN of frames that tasks and tables have
 *
 * How it works: a frame's owner field names an address space, an object, a
 * task; what is printed of it is where in the tree it can be looked at.
 */
#include "kmemfs/show.h"

#include "kmemfs/view/sums.h"
#include "kmemfs/vm/walk.h"

#include "pages_impl.h"
#include "proc_impl.h"

#include <inttypes.h>

/* The first task that has address space @id. */
static const struct task *
task_of(const struct vm *vm, uint32_t id)
{
	for (const struct task *t = task_next(vm, 0); t;
	     t = task_next(vm, t->pid))
		if (t->mm && t->mm->id == id)
			return t;
	return NULL;
}

static void
put_table(const struct vm *vm, uint32_t id, struct out *out)
{
	const struct task *t = id ? task_of(vm, id) : NULL;

	if (t)
		out_printf(out, "tasks/%d/pagetable", t->pid);
	else
		out_str(out, id ? "-" : "kernel/pagetable");
}

static void
put_object(const struct vm *vm, uint32_t id, struct out *out)
{
	const struct vm_object *o =
		g_hash_table_lookup(vm->objects, GUINT_TO_POINTER(id));

	if (o && o->name)
		out_printf(out, "files/%s", o->name);
	else
		out_printf(out, "shared/%u", id);
}

static void
put_anon(const struct vm *vm, uint32_t id, struct out *out)
{
	(void)vm;
	out_printf(out, "anonymous/%u", id);
}

static void
put_stack(const struct vm *vm, uint32_t pid, struct out *out)
{
	(void)vm;
	out_printf(out, "tasks/%u/kernel_stack", pid);
}

static void
put_vmalloc(const struct vm *vm, uint32_t id, struct out *out)
{
	(void)vm;
	out_printf(out, "vmalloc/%u", id);
}

static const struct {
	enum frame_owner_kind kind;
	void (*put)(const struct vm *vm, uint32_t number, struct out *out);
} owners[] = {
	{OWNER_PGTABLE, put_table	 },
	      {OWNER_OBJECT,  put_object },
	{OWNER_ANON,    put_anon   },
	      {OWNER_STACK,   put_stack  },
	{OWNER_VMALLOC, put_vmalloc},
};

bool
page_put_vm_owner(const struct machine *m, pfn_t head, struct out *out)
{
	uint32_t number;

	for (size_t i = 0; i < ARRAY_SIZE(owners); i++)
		if (frame_owned_by(m->phys->frames[head].owner, owners[i].kind,
				   &number)) {
			out_str(out, "owner ");
			owners[i].put(m->vm, number, out);
			out_char(out, '\n');
			return true;
		}
	return false;
}

void
page_put_vm_flags(const struct machine *m, pfn_t head, const char **before,
		  struct out *out)
{
	static const struct {
		uint32_t flag;
		const char *name;
	} names[] = {
		{VMP_TABLE,	    "pgtable"   },
		{VMP_ANON,	   "anon"	 },
		{VMP_OBJECT,     "mapping"   },
		{VMP_EXCLUSIVE,	"exclusive" },
		{VMP_UPTODATE,   "uptodate"	 },
		{VMP_DIRTY,	    "dirty"	   },
		{VMP_REFERENCED, "referenced"},
		{VMP_LRU,	  "lru"       },
		{VMP_ACTIVE,     "active"    },
		{VMP_SWAPBACKED, "swapbacked"},
		{VMP_MLOCKED,    "mlocked"   },
		{VMP_PINNED,     "pinned"    },
		{VMP_HUGETLB,    "hugetlb"   },
		{VMP_HUGE,	   "thp"	},
		{VMP_READAHEAD,	"readahead" },
	};
	uint32_t flags = m->vm->pages ? m->vm->pages[head].flags : 0;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (flags & names[i].flag) {
			out_str(out, *before);
			out_str(out, names[i].name);
			*before = "|";
		}
}

/* --- who maps it ---------------------------------------------------------- */

static void
put_row(void *user, struct vma *v, va_t va, pa_t at, uint64_t entry)
{
	const struct task *t = task_of(v->mm->vm, v->mm->id);
	struct out *out = user;

	out_printf(out, "%d 0x%" PRIx64 " 0x%" PRIx64 " 0x%" PRIx64 " ",
		   t ? t->pid : 0, va, at, entry);
	proc_put_rights(v->flags, out);
	out_char(out, ' ');
	if (!proc_put_file(v, out))
		out_str(out, *vma_name(v) ? vma_name(v) : "-");
	out_char(out, '\n');
}

void
show_page_mappings(const struct view *v, struct out *out)
{
	out_str(out, "task address entry_at entry rights name\n");
	vm_rmap_walk(v->m->vm, v->key[0], put_row, out);
}
