// SPDX-License-Identifier: MIT
/*
 * config_mmu.c - [mmu]: what CPUs make of addresses
 *
 * How it works: tables of keys; a key belongs to some modes of the MMU, and is
 * neither read nor printed for others.
 */
#include "config_impl.h"

#include "kmemfs/base/kernel_args.h"
#include "kmemfs/base/text.h"

#include <stddef.h>
#include <string.h>

#define IN(mode) (1U << (mode))
#define LONG_MODES (IN(MMU_4LEVEL) | IN(MMU_5LEVEL))
#define WIDE_MODES (LONG_MODES | IN(MMU_PAE))
#define X86_MODES (WIDE_MODES | IN(MMU_32BIT))
#define TABLE_MODES (X86_MODES | IN(MMU_CUSTOM))
#define CPU_MODES ((1U << NR_MMU_MODES) - 1)

#define VA_BITS_MOST 57
#define INDEX_BITS_MOST 30
#define PHYS_BITS_LEAST 32
#define PHYS_BITS_MOST 52

/* --- [mmu]: switches ----------------------------------------------------- */

/* A bool of struct vm_config; @no: it says the opposite. */
static const struct flag {
	const char *key;
	unsigned int modes;
	size_t at;
	bool no;
	bool on; /* by default */
} flags[] = {
	{"nx",	       WIDE_MODES,  offsetof(struct vm_config, no_nx),	      true,  true },
	{"gb_pages",	     LONG_MODES,	 offsetof(struct vm_config, no_gb_pages),  true,
	 true										},
	{"wp",	       X86_MODES,	  offsetof(struct vm_config, no_wp),	     true,  true },
	{"smep",		 X86_MODES,   offsetof(struct vm_config, smep),	      false, false},
	{"smap",		 X86_MODES,   offsetof(struct vm_config, smap),	      false, false},
	{"pcid",		 LONG_MODES,  offsetof(struct vm_config, pcid),	       false, false},
	{"meltdown",	     X86_MODES,	offsetof(struct vm_config, meltdown),     false,
	 true										},
	{"kpti",		 LONG_MODES,  offsetof(struct vm_config, kpti),	       false, false},
	{"paging_caches", TABLE_MODES, offsetof(struct vm_config, upper_caches),
	 false,									 false},
};

static bool *
flag_of(struct vm_config *vm, const struct flag *f)
{
	return (bool *)(void *)((char *)vm + f->at);
}

static bool
flag_value(const struct vm_config *vm, const struct flag *f)
{
	bool value = *(const bool *)(const void *)((const char *)vm + f->at);

	return f->no ? !value : value;
}

/* What the kernel's arguments say of pti, as pti_check_boottime_disable()
 * takes them; else @otherwise. */
static bool
pti_argument(const struct machine_config *config, bool otherwise)
{
	char *pti = kernel_args_find(config->cmdline, "pti");
	bool on = otherwise;

	if (!g_strcmp0(pti, "on"))
		on = true;
	else if (!g_strcmp0(pti, "off"))
		on = false;
	else if (!g_strcmp0(pti, "auto"))
		on = config->vm.meltdown;
	else if (kernel_args_has(config->cmdline, "nopti"))
		on = false;
	g_free(pti);
	return on;
}

/* --- [mmu]: numbers ------------------------------------------------------ */

/* A number of a custom format. */
static const struct number {
	const char *key;
	size_t at;   /* in struct mmu_format */
	bool is_bit; /* a mask of one bit, or none; else a byte */
	uint8_t least, most;
	uint8_t fallback; /* bits: 255 is none */
} numbers[] = {
	{"frame_shift", offsetof(struct mmu_format, frame_shift), false, 0, 63,
	 0									 },
	{"present",	    offsetof(struct mmu_format, present),	  true,	0, 63, 255},
	{"write",	  offsetof(struct mmu_format, write),	      true,  0, 63, 255},
	{"user",	 offsetof(struct mmu_format, user),	    true,  0, 63, 255},
	{"accessed",    offsetof(struct mmu_format, accessed),    true,  0, 63, 255},
	{"dirty",	  offsetof(struct mmu_format, dirty),	      true,  0, 63, 255},
	{"global",	   offsetof(struct mmu_format, global),	true,  0, 63, 255},
	{"no_exec",	    offsetof(struct mmu_format, no_exec),	  true,	0, 63, 255},
};

static const char *const custom_keys[] = {
	"page_size", "entry_bytes", "index_bits", "va_bits", "frame_bits",
};
static const char *const bounds_keys[] = {"base", "limit"};

/* In which modes [mmu] has @key; 0: in none. */
static unsigned int
modes_of(const char *key)
{
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		if (!strcmp(flags[i].key, key))
			return flags[i].modes;
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		if (!strcmp(numbers[i].key, key))
			return IN(MMU_CUSTOM);
	if (config_word_in(custom_keys, ARRAY_SIZE(custom_keys), key))
		return IN(MMU_CUSTOM);
	if (config_word_in(bounds_keys, ARRAY_SIZE(bounds_keys), key))
		return IN(MMU_BOUNDS);
	if (!strcmp(key, "phys_bits"))
		return X86_MODES;
	return strcmp(key, "mode") ? 0 : CPU_MODES;
}

bool
config_mmu_key(const char *group, const char *key)
{
	return !strcmp(group, CONFIG_MMU) && (!key || modes_of(key));
}

/* --- reading ------------------------------------------------------------- */

/* "32-bit" is also "32bit". */
static bool
same_mode(const char *name, const char *word)
{
	for (; *name; name++) {
		if (*name == *word)
			word++;
		else if (*name != '-')
			return false;
	}
	return !*word;
}

static enum mmu_mode
default_mode(const struct phys_config *phys)
{
	static const enum mmu_mode of[NR_ARCHS] = {
		[ARCH_X86_64] = MMU_4LEVEL,
		[ARCH_I386] = MMU_32BIT,
		[ARCH_I386_PAE] = MMU_PAE,
	};

	return of[phys->arch];
}

/* Modes that a machine of this architecture can have. */
static unsigned int
possible_modes(const struct phys_config *phys)
{
	unsigned int any = IN(MMU_NONE) | IN(MMU_CUSTOM) | IN(MMU_BOUNDS);

	if (phys->nommu)
		return IN(MMU_NONE);
	switch (phys->arch) {
	case ARCH_I386:
		return any | IN(MMU_32BIT);
	case ARCH_I386_PAE:
		return any | IN(MMU_PAE);
	case ARCH_X86_64:
		return any | LONG_MODES;
	default:
		return phys->page_shift == 12 ? any | LONG_MODES : any;
	}
}

static bool
read_mode(struct config_reader *r)
{
	const struct config_entry *e = config_entry_find(r, CONFIG_MMU, "mode");
	const struct phys_config *phys = &r->config->phys;
	unsigned int possible = possible_modes(phys);
	struct out known = OUT_INIT;
	enum mmu_mode mode = default_mode(phys), found = NR_MMU_MODES;

	for (unsigned int i = 0; i < NR_MMU_MODES; i++) {
		if (!(possible >> i & 1))
			continue;
		out_printf(&known, "%s%s", known.len ? ", " : "",
			   mmu_mode_names[i]);
		if (e && same_mode(mmu_mode_names[i], e->value))
			found = (enum mmu_mode)i;
	}
	if (e && found == NR_MMU_MODES)
		config_fail(r, e->line, e->key,
			    "'%s' is none that this machine can have: %s",
			    e->value, out_text(&known));
	out_fini(&known);
	if (e)
		mode = found;
	r->config->vm.mode = mode;
	r->config->vm.no_mmu = mode == MMU_NONE;
	return !r->error;
}

/* Keys that the mode does not have. */
static bool
check_keys(struct config_reader *r)
{
	enum mmu_mode mode = r->config->vm.mode;

	for (guint i = 0; i < r->entries->len; i++) {
		const struct config_entry *e = g_ptr_array_index(r->entries, i);

		if (strcmp(e->group, CONFIG_MMU) || !e->key)
			continue;
		if (!(modes_of(e->key) & IN(mode)))
			return config_fail(r, e->line, e->key,
					   "mode %s has no such key",
					   mmu_mode_names[mode]);
	}
	return true;
}

static bool
read_flags(struct config_reader *r)
{
	struct vm_config *vm = &r->config->vm;

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		const struct flag *f = &flags[i];
		const struct config_entry *e =
			config_entry_find(r, CONFIG_MMU, f->key);
		bool on = f->on;

		if (!(f->modes & IN(vm->mode)))
			continue;
		if (!strcmp(f->key, "kpti"))
			on = pti_argument(r->config, on);
		if (e && !config_bool(r, e, &on))
			return false;
		*flag_of(vm, f) = f->no ? !on : on;
	}
	return true;
}

static bool
read_phys_bits(struct config_reader *r)
{
	const struct config_entry *e =
		config_entry_find(r, CONFIG_MMU, "phys_bits");
	struct vm_config *vm = &r->config->vm;
	uint64_t bits = vm->mode == MMU_32BIT ? 32
			: vm->mode == MMU_PAE ? 36
					      : 46;

	if (!(X86_MODES & IN(vm->mode)))
		return true;
	if ((LONG_MODES & IN(vm->mode)) &&
	    config_memory_end(&r->config->phys) > 1ULL << bits)
		bits = PHYS_BITS_MOST;
	if (e && !config_number(r, e, PHYS_BITS_LEAST, PHYS_BITS_MOST, &bits))
		return false;
	if (e && vm->mode != MMU_32BIT &&
	    config_memory_end(&r->config->phys) > 1ULL << bits)
		return config_fail(r, e->line, e->key,
				   "memory goes beyond %llu bits",
				   (unsigned long long)bits);
	vm->phys_bits = (uint8_t)bits;
	return true;
}

/* --- [mmu] of a custom format -------------------------------------------- */

static bool
must_have(struct config_reader *r, const char *key)
{
	const struct config_entry *e = config_entry_find(r, CONFIG_MMU, "mode");

	return config_fail(r, e->line, e->key, "mode %s needs %s",
			   mmu_mode_names[r->config->vm.mode], key);
}

static bool
read_page_size(struct config_reader *r, struct mmu_format *f)
{
	const struct config_entry *e =
		config_entry_find(r, CONFIG_MMU, "page_size");
	uint64_t bytes;

	if (!e)
		return must_have(r, "page_size");
	if (!config_size(r, e, &bytes))
		return false;
	for (unsigned int shift = 1; shift <= 20; shift++)
		if (bytes == 1ULL << shift)
			f->page_shift = (uint8_t)shift;
	return f->page_shift ||
	       config_fail(r, e->line, e->key,
			   "a page has 2 bytes to 1M, a power of two");
}

static bool
read_entry_bytes(struct config_reader *r, struct mmu_format *f)
{
	const struct config_entry *e =
		config_entry_find(r, CONFIG_MMU, "entry_bytes");
	uint64_t bytes = 4;

	if (e && !config_number(r, e, 1, 8, &bytes))
		return false;
	if (bytes & (bytes - 1))
		return config_fail(r, e->line, e->key,
				   "an entry has 1, 2, 4 or 8 bytes");
	f->entry_bytes = (uint8_t)bytes;
	return true;
}

/* The top table's comes first in the file, last in the format. */
static bool
read_index_bits(struct config_reader *r, struct mmu_format *f)
{
	const struct config_entry *e =
		config_entry_find(r, CONFIG_MMU, "index_bits");
	uint64_t list[MMU_LEVELS_MAX];

	if (!e)
		return must_have(r, "index_bits");
	f->levels = config_list(r, e, list, MMU_LEVELS_MAX);
	if (!f->levels)
		return false;
	f->va_bits = f->page_shift;
	for (unsigned int i = 0; i < f->levels; i++) {
		if (!list[i] || list[i] > INDEX_BITS_MOST)
			return config_fail(r, e->line, e->key,
					   "an index has 1 to %d bits",
					   INDEX_BITS_MOST);
		f->index_bits[f->levels - 1 - i] = (uint8_t)list[i];
		f->va_bits += (unsigned int)list[i];
	}
	if (f->va_bits > VA_BITS_MOST)
		return config_fail(r, e->line, e->key,
				   "together with the page's they make %u "
				   "bits: %d at most",
				   f->va_bits, VA_BITS_MOST);
	return true;
}

static bool
read_va_bits(struct config_reader *r, struct mmu_format *f)
{
	const struct config_entry *e =
		config_entry_find(r, CONFIG_MMU, "va_bits");
	uint64_t bits = f->va_bits;

	if (e && !config_number(r, e, 1, f->va_bits, &bits))
		return false;
	f->va_bits = (unsigned int)bits;
	return true;
}

static bool
read_number(struct config_reader *r, const struct number *n,
	    struct mmu_format *f)
{
	const struct config_entry *e = config_entry_find(r, CONFIG_MMU, n->key);
	char *at = (char *)f + n->at;
	uint64_t value = n->fallback;

	if (e && n->is_bit && !strcmp(e->value, "none"))
		value = 255;
	else if (e && !config_number(r, e, n->least,
				     MIN_OF(n->most, f->entry_bytes * 8 - 1),
				     &value))
		return false;
	if (n->is_bit)
		*(uint64_t *)(void *)at = value == 255 ? 0 : 1ULL << value;
	else
		*(uint8_t *)at = (uint8_t)value;
	return true;
}

static bool
read_frame_bits(struct config_reader *r, struct mmu_format *f)
{
	const struct config_entry *e =
		config_entry_find(r, CONFIG_MMU, "frame_bits");
	unsigned int most = f->entry_bytes * 8U - f->frame_shift;
	uint64_t bits;

	most = MIN_OF(most, PHYS_BITS_MOST - (unsigned int)f->page_shift);
	bits = most;
	/* Left out: up to the first bit that means something else. */
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		uint64_t mask;

		if (!numbers[i].is_bit)
			continue;
		mask = *(const uint64_t *)(const void *)((const char *)f +
							 numbers[i].at) >>
		       f->frame_shift;
		if (mask)
			bits = MIN_OF(bits, (uint64_t)__builtin_ctzll(mask));
	}
	if (e && !config_number(r, e, 1, most, &bits))
		return false;
	if (!bits)
		return must_have(r, "frame_bits, or bits above the frame's");
	f->frame_bits = (uint8_t)bits;
	return true;
}

static bool
read_custom(struct config_reader *r)
{
	struct mmu_format *f = &r->config->mmu.format;

	if (!read_page_size(r, f) || !read_entry_bytes(r, f) ||
	    !read_index_bits(r, f) || !read_va_bits(r, f))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		if (!read_number(r, &numbers[i], f))
			return false;
	if (!f->present)
		return must_have(r, "present");
	r->config->vm.format = f;
	return read_frame_bits(r, f);
}

static bool
read_bounds(struct config_reader *r)
{
	const struct config_entry *base =
		config_entry_find(r, CONFIG_MMU, "base");
	const struct config_entry *limit =
		config_entry_find(r, CONFIG_MMU, "limit");
	struct vm_config *vm = &r->config->vm;

	return (!base || config_number(r, base, 0, 1ULL << 52, &vm->base)) &&
	       (!limit || config_number(r, limit, 0, 1ULL << 52, &vm->limit));
}

bool
config_read_mmu(struct config_reader *r)
{
	if (!read_mode(r) || !check_keys(r) || !read_flags(r) ||
	    !read_phys_bits(r))
		return false;
	if (r->config->vm.mode == MMU_CUSTOM && !read_custom(r))
		return false;
	return r->config->vm.mode != MMU_BOUNDS || read_bounds(r);
}

/* --- printing ------------------------------------------------------------ */

static void
print_custom(const struct mmu_format *f, struct out *out)
{
	out_printf(out, "page_size = %llu\nentry_bytes = %u\nindex_bits =",
		   1ULL << f->page_shift, f->entry_bytes);
	for (unsigned int l = f->levels; l--;)
		out_printf(out, " %u", f->index_bits[l]);
	out_printf(out, "\nva_bits = %u\n", f->va_bits);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		const char *at = (const char *)f + numbers[i].at;
		uint64_t mask = 0;

		if (numbers[i].is_bit)
			mask = *(const uint64_t *)(const void *)at;
		out_printf(out, "%s = ", numbers[i].key);
		if (!numbers[i].is_bit)
			out_printf(out, "%u\n", *(const uint8_t *)at);
		else if (mask)
			out_printf(out, "%d\n", __builtin_ctzll(mask));
		else
			out_str(out, "none\n");
	}
	out_printf(out, "frame_bits = %u\n", f->frame_bits);
}

void
config_print_mmu(const struct vm_config *vm, struct out *out)
{
	out_printf(out, "\n[%s]\nmode = %s\n", CONFIG_MMU,
		   mmu_mode_names[vm->mode]);
	if (X86_MODES & IN(vm->mode))
		out_printf(out, "phys_bits = %u\n", vm->phys_bits);
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		if (flags[i].modes & IN(vm->mode))
			out_printf(out, "%s = %s\n", flags[i].key,
				   config_yes_no(flag_value(vm, &flags[i])));
	if (vm->mode == MMU_CUSTOM)
		print_custom(vm->format, out);
	if (vm->mode == MMU_BOUNDS)
		out_printf(out, "base = %llu\nlimit = %llu\n",
			   (unsigned long long)vm->base,
			   (unsigned long long)vm->limit);
}
