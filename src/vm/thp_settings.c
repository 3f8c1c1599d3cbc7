// SPDX-License-Identifier: MIT
/*
 * thp_settings.c - the files of /sys/kernel/mm/transparent_hugepage
 *
 * What it models: enabled_store, defrag_store, single_hugepage_flag_store
 * (mm/huge_memory.c), the attributes of khugepaged (mm/khugepaged.c).
 *
 * How it works: a table of numbers with their limits; the two choices print
 * all words, the chosen one in brackets.
 */
#include "vm_impl.h"

#include "kmemfs/base/text.h"

#include <errno.h>
#include <string.h>

struct number {
	const char *name;
	size_t offset; /* in struct thp, a uint32_t; a bool when @flag */
	bool flag;
	bool fixed;	/* nobody may write it */
	bool wakes;	/* khugepaged looks at once whether it is time */
	uint64_t least; /* 0: none */
	bool frames;	/* not above the frames of a page less one */
};

#define AT(member) offsetof(struct thp, member)

static const struct number numbers[] = {
	{"use_zero_page",			  AT(use_zero_page),     true,  false, false, 0, false},
	{"khugepaged/defrag",		      AT(khugepaged_defrag), true,  false, false, 0,
	 false										   },
	{"khugepaged/pages_to_scan",	     AT(pages_to_scan),	false, false, false, 1,
	 false										   },
	{"khugepaged/pages_collapsed",       AT(pages_collapsed),   false, true,	 false,
	 0,										 false},
	{"khugepaged/full_scans",		  AT(full_scans),	  false, true,  false, 0, false},
	{"khugepaged/scan_sleep_millisecs",  AT(scan_sleep_ms),     false, false,
	 true,									   0, false},
	{"khugepaged/alloc_sleep_millisecs", AT(alloc_sleep_ms),	 false, false,
	 true,									   0, false},
	{"khugepaged/max_ptes_none",	     AT(max_ptes_none),	false, false, false, 0,
	 true										    },
	{"khugepaged/max_ptes_swap",	     AT(max_ptes_swap),	false, false, false, 0,
	 true										    },
	{"khugepaged/max_ptes_shared",       AT(max_ptes_shared),   false, false, false,
	 0,										 true },
};

static const struct number *
find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		if (!strcmp(numbers[i].name, name))
			return &numbers[i];
	return NULL;
}

static bool
find_word(const char *const *words, size_t nr, const char *value, unsigned *n)
{
	for (*n = 0; *n < nr; (*n)++)
		if (!strcmp(words[*n], value))
			return true;
	return false;
}

static int
write_number(struct vm *vm, const struct number *f, const char *value,
	     struct refusal *r)
{
	void *at = (char *)vm->thp + f->offset;
	uint64_t most = f->flag	    ? 1
			: f->frames ? huge_frames(vm) - 1
				    : UINT32_MAX;
	uint64_t number;

	if (f->fixed)
		return refuse(r, EACCES, 0, "%s is not to be written", f->name);
	if (!text_u64(value, &number) || number < f->least || number > most)
		return refuse(r, EINVAL, 0, "%s is a number from %llu to %llu",
			      f->name, (unsigned long long)f->least,
			      (unsigned long long)most);
	if (f->flag)
		*(bool *)at = number;
	else
		*(uint32_t *)at = (uint32_t)number;
	if (f->wakes)
		thp_wake(vm);
	return 0;
}

int
thp_setting_write(struct vm *vm, const char *name, const char *value,
		  struct refusal *r)
{
	const struct number *f = find(name);
	unsigned int n;

	if (!vm->thp)
		return refuse(r, EINVAL, 0,
			      "this kernel has no transparent huge pages");
	if (f)
		return write_number(vm, f, value, r);
	if (!strcmp(name, "enabled")) {
		if (!find_word(thp_mode_names, NR_THP_MODES, value, &n))
			return refuse(r, EINVAL, 0,
				      "enabled takes always, madvise or never");
		return thp_set_enabled(vm, (enum thp_mode)n);
	}
	if (strcmp(name, "defrag"))
		return refuse(r, ENOENT, 0, "there is no such setting: %s",
			      name);
	if (!find_word(thp_defrag_names, NR_THP_DEFRAGS, value, &n))
		return refuse(r, EINVAL, 0,
			      "defrag takes always, defer, defer+madvise, "
			      "madvise or never");
	vm->thp->defrag = (enum thp_defrag)n;
	return 0;
}

static void
show_choice(struct out *out, const char *const *words, unsigned int nr,
	    unsigned int chosen)
{
	for (unsigned int i = 0; i < nr; i++)
		out_printf(out, i == chosen ? "%s[%s]" : "%s%s", i ? " " : "",
			   words[i]);
	out_char(out, '\n');
}

bool
thp_setting_show(const struct vm *vm, const char *name, struct out *out)
{
	const struct number *f = find(name);
	const struct thp *t = vm->thp;
	const void *at;

	if (!t)
		return false;
	if (!strcmp(name, "enabled")) {
		show_choice(out, thp_mode_names, NR_THP_MODES, t->enabled);
	} else if (!strcmp(name, "defrag")) {
		show_choice(out, thp_defrag_names, NR_THP_DEFRAGS, t->defrag);
	} else if (f) {
		at = (const char *)t + f->offset;
		out_u64(out,
			f->flag ? *(const bool *)at : *(const uint32_t *)at);
		out_char(out, '\n');
	} else {
		return false;
	}
	return true;
}
