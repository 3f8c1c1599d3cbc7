// SPDX-License-Identifier: MIT
/*
 * keys_task.c - the variable parts of paths: tasks, by PID and by name, and
 * their addresses
 */
#include "kmemfs/view/keys.h"

#include <inttypes.h>
#include <string.h>

static bool
task_exists(const struct view *v, uint64_t pid)
{
	return pid <= PID_MAX && task_find(v->m->vm, (int32_t)pid);
}

static bool
task_parse(const struct view *v, const char *name, uint64_t *pid)
{
	return key_decimal(name, pid) && task_exists(v, *pid);
}

static bool
next_task(const struct view *v, bool first, uint64_t after, uint64_t *pid)
{
	const struct task *t = task_next(v->m->vm, first ? 0 : (int32_t)after);

	if (t)
		*pid = (uint64_t)t->pid;
	return t;
}

const struct key_kind key_task = {
	"task", 22, task_parse, next_task, key_print_decimal, task_exists,
};

/* --- by name ------------------------------------------------------------- */

static const char *
name_of(const struct view *v, uint64_t pid)
{
	const struct task *t =
		pid <= PID_MAX ? task_find(v->m->vm, (int32_t)pid) : NULL;

	return t ? t->name : NULL;
}

static bool
taskname_exists(const struct view *v, uint64_t pid)
{
	return name_of(v, pid);
}

static bool
taskname_parse(const struct view *v, const char *name, uint64_t *pid)
{
	const struct task *t = task_named(v->m->vm, name);

	if (t)
		*pid = (uint64_t)t->pid;
	return t;
}

static bool
taskname_next(const struct view *v, bool first, uint64_t after, uint64_t *pid)
{
	*pid = after;
	while (next_task(v, first, *pid, pid)) {
		if (taskname_exists(v, *pid))
			return true;
		first = false;
	}
	return false;
}

static void
taskname_print(const struct view *v, uint64_t pid, struct out *out)
{
	const char *name = name_of(v, pid);

	if (name)
		out_str(out, name);
}

const struct key_kind key_taskname = {
	"taskname",	 22, taskname_parse, taskname_next, taskname_print,
	taskname_exists,
};

struct task *
view_task(const struct view *v)
{
	return v->key[0] <= PID_MAX ? task_find(v->m->vm, (int32_t)v->key[0])
				    : NULL;
}

/* --- its areas, by the number of their first page ------------------------- */

struct vma *
view_vma(const struct view *v)
{
	struct task *t = view_task(v);
	va_t start = v->key[1] << VM_PAGE_SHIFT;
	struct vma *area = t && t->mm ? vma_find(t->mm, start) : NULL;

	return area && area->start == start ? area : NULL;
}

static bool
vma_exists(const struct view *v, uint64_t page)
{
	struct view at = *v;

	at.key[1] = page;
	return view_vma(&at);
}

static void
vma_print(const struct view *v, uint64_t page, struct out *out)
{
	struct view at = *v;
	const struct vma *area;

	at.key[1] = page;
	area = view_vma(&at);
	if (area)
		out_printf(out, "%" PRIx64 "-%" PRIx64, area->start, area->end);
}

static bool
vma_parse(const struct view *v, const char *name, uint64_t *page)
{
	struct out out = OUT_INIT;
	char *end;
	bool same;

	*page = g_ascii_strtoull(name, &end, 16) >> VM_PAGE_SHIFT;
	vma_print(v, *page, &out);
	same = out.len && !strcmp(out_text(&out), name);
	out_fini(&out);
	return same;
}

static bool
vma_next(const struct view *v, bool first, uint64_t after, uint64_t *page)
{
	struct task *t = view_task(v);
	va_t from = first ? 0 : (after + 1) << VM_PAGE_SHIFT;
	struct vma *area = t && t->mm ? vma_find(t->mm, from) : NULL;

	/* The one that @after began may have grown since. */
	if (area && area->start < from)
		area = vma_find(t->mm, area->end);
	if (area)
		*page = area->start >> VM_PAGE_SHIFT;
	return area;
}

const struct key_kind key_vma = {
	"vma", 44, vma_parse, vma_next, vma_print, vma_exists,
};

/* --- an address: any, of which none is listed ----------------------------- */

static bool
va_parse(const struct view *v, const char *name, uint64_t *va)
{
	size_t len = strlen(name);
	char *end;

	(void)v;
	if (name[0] != '0' || name[1] != 'x' || len < 3 || len > 18 ||
	    !g_ascii_isxdigit(name[2]))
		return false;
	*va = g_ascii_strtoull(name + 2, &end, 16);
	return !*end;
}

static bool
va_next(const struct view *v, bool first, uint64_t after, uint64_t *va)
{
	(void)v, (void)first, (void)after, (void)va;
	return false;
}

static void
va_print(const struct view *v, uint64_t va, struct out *out)
{
	(void)v;
	out_printf(out, "0x%" PRIx64, va);
}

static bool
va_exists(const struct view *v, uint64_t va)
{
	(void)v, (void)va;
	return true;
}

const struct key_kind key_va = {
	"va", 64, va_parse, va_next, va_print, va_exists,
};

/* --- its pictures ----------------------------------------------------------
 */

static bool
has_tables(const struct view *v, uint64_t pid)
{
	const struct task *t =
		pid <= PID_MAX ? task_find(v->m->vm, (int32_t)pid) : NULL;

	return t && t->mm;
}

static bool
picture_next(const struct view *v, bool first, uint64_t after, uint64_t *pid)
{
	*pid = after;
	while (next_task(v, first, *pid, pid)) {
		if (has_tables(v, *pid))
			return true;
		first = false;
	}
	return false;
}

static bool
picture_parse(const struct view *v, const char *name, const char *prefix,
	      const char *suffix, uint64_t *pid)
{
	char *stem = g_strdup(name);
	bool ours = g_str_has_suffix(name, suffix);

	if (ours)
		stem[strlen(name) - strlen(suffix)] = '\0';
	ours = ours && key_prefixed(stem, prefix, pid) && has_tables(v, *pid);
	g_free(stem);
	return ours;
}

/* A kind of key: a picture of a task. */
#define PICTURE_KEY(name, prefix, suffix)                                      \
	static bool name##_parse(const struct view *v, const char *text,       \
				 uint64_t *pid)                                \
	{                                                                      \
		return picture_parse(v, text, prefix, suffix, pid);            \
	}                                                                      \
                                                                               \
	static void name##_print(const struct view *v, uint64_t pid,           \
				 struct out *out)                              \
	{                                                                      \
		(void)v;                                                       \
		out_printf(out, prefix "%" PRIu64 suffix, pid);                \
	}                                                                      \
                                                                               \
	const struct key_kind key_##name =                                     \
		{                                                              \
			#name,	      22,	    name##_parse,              \
			picture_next, name##_print, has_tables,                \
	};

PICTURE_KEY(ptsvg, "pagetable-", ".svg")
PICTURE_KEY(ptpng, "pagetable-", ".png")
PICTURE_KEY(assvg, "address-space-", ".svg")
PICTURE_KEY(aspng, "address-space-", ".png")
