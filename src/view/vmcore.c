// SPDX-License-Identifier: MIT
/*
 * vmcore.c - physical memory as an ELF core file
 *
 * What it models: /proc/vmcore of a crashed kernel, as kexec prepares it
 * (kernel/crash_core.c, arch/x86/kernel/crash.c): one PT_NOTE, and a PT_LOAD
 * for each range of RAM, whose p_paddr is where it lies and p_vaddr where the
 * direct map shows it.
 *
 *     | ELF header | program headers | notes |   | range 0 | range 1 | ...
 *     0                                      a page's multiple
 *
 * i386 has a 32-bit file; all others, i386-pae too (its RAM can lie above
 * 4 GiB), a 64-bit one, as kexec does.  RAM of HighMem, which the direct map
 * does not show, has p_vaddr -1, as kexec-tools writes it.
 *
 * /proc/kcore is the same of a running kernel (fs/proc/kcore.c), for what the
 * direct map shows.
 *
 * How it works: headers are made anew for each read that touches them, a few
 * hundred bytes; the rest is RAM at a shifted offset.
 *
 * Differs from the kernel: no task was interrupted, so the registers in the
 * notes are zeros; vmcoreinfo tells the sizes and numbers the model has, and
 * no symbols.  kcore has no segments for vmalloc, modules and the image, whose
 * bytes are in the direct map too, and is as long as low memory.
 */
#include "kmemfs/show.h"

#include "kmemfs/view/kernel.h"

#include <elf.h>
#include <string.h>

#define ALIGN 4096

struct load {
	pa_t start, end;
	uint64_t offset; /* in the file */
	bool direct;	 /* the direct map shows it */
};

struct core {
	const struct phys *phys;
	bool elf32;
	GArray *loads;	 /* of struct load */
	struct out head; /* everything before the first range */
	uint64_t size;
};

/* --- ranges -------------------------------------------------------------- */

static void
add_load(struct core *c, pa_t start, pa_t end, bool direct)
{
	struct load load = {start, end, 0, direct};

	if (start < end)
		g_array_append_val(c->loads, load);
}

/* RAM's ranges, those that touch joined, cut where the direct map ends. */
static void
find_loads(struct core *c, bool low_only)
{
	const struct phys *phys = c->phys;
	const GArray *memory = phys->memblock.memory;
	pa_t low_end = phys->max_low_pfn << phys->page_shift;

	for (unsigned int i = 0; i < memory->len;) {
		struct range r = g_array_index(memory, struct range, i);

		while (++i < memory->len &&
		       g_array_index(memory, struct range, i).start == r.end)
			r.end = g_array_index(memory, struct range, i).end;
		add_load(c, r.start, MIN_OF(r.end, low_end), true);
		if (!low_only)
			add_load(c, MAX_OF(r.start, low_end), r.end, false);
	}
}

/* --- notes --------------------------------------------------------------- */

static void
pad(struct out *out, size_t align)
{
	while (out->len % align)
		out_char(out, 0);
}

static void
put_note(struct out *out, const char *name, uint32_t type, const void *desc,
	 size_t len)
{
	Elf64_Nhdr note = {
		.n_namesz = (uint32_t)strlen(name) + 1,
		.n_descsz = (uint32_t)len,
		.n_type = type,
	};

	out_mem(out, &note, sizeof(note));
	out_mem(out, name, note.n_namesz);
	pad(out, 4);
	out_mem(out, desc, len);
	pad(out, 4);
}

/*
 * Bytes of struct elf_prstatus.  A reader tells by its size whose registers
 * they are: 27 of 8 bytes on x86-64, 17 of 4 bytes on i386, after 112 and 72
 * bytes about the task.  That is the idle task here, pid 0.
 */
#define PRSTATUS_X86_64 336
#define PRSTATUS_I386 144

static bool
is_i386(const struct phys *phys)
{
	return phys->arch == &archs[ARCH_I386] ||
	       phys->arch == &archs[ARCH_I386_PAE];
}

static void
put_notes(const struct core *c, struct out *out)
{
	const struct phys *phys = c->phys;
	size_t size = is_i386(phys) ? PRSTATUS_I386 : PRSTATUS_X86_64;
	uint8_t status[PRSTATUS_X86_64] = {0};
	struct out info = OUT_INIT;

	for (unsigned int cpu = 0; cpu < phys->nr_cpus; cpu++)
		if (phys->cpu_online[cpu])
			put_note(out, "CORE", NT_PRSTATUS, status, size);
	out_printf(&info, "OSRELEASE=%s\nPAGESIZE=%llu\n", KERNEL_RELEASE,
		   (unsigned long long)page_size(phys));
	out_printf(&info,
		   "SIZE(page)=%u\nLENGTH(zone.free_area)=%d\n"
		   "LENGTH(free_area.free_list)=%d\n",
		   phys->arch->struct_page_size, MAX_ORDER, MIGRATE_TYPES);
	put_note(out, "VMCOREINFO", 0, info.text, info.len);
	out_fini(&info);
}

/* --- headers ------------------------------------------------------------- */

static void
put_ident(const struct core *c, unsigned char ident[EI_NIDENT])
{
	memset(ident, 0, EI_NIDENT);
	memcpy(ident, ELFMAG, SELFMAG);
	ident[EI_CLASS] = c->elf32 ? ELFCLASS32 : ELFCLASS64;
	ident[EI_DATA] = ELFDATA2LSB;
	ident[EI_VERSION] = EV_CURRENT;
}

static uint16_t
machine_of(const struct phys *phys)
{
	if (is_i386(phys))
		return EM_386;
	return phys->arch == &archs[ARCH_X86_64] ? EM_X86_64 : EM_NONE;
}

/* The two classes differ in the widths of fields and their order only. */
#define PUT_HEADERS(bits)                                                      \
	static void put_ehdr##bits(struct core *c)                             \
	{                                                                      \
		Elf##bits##_Ehdr e = {                                         \
			.e_type = ET_CORE,                                     \
			.e_machine = machine_of(c->phys),                      \
			.e_version = EV_CURRENT,                               \
			.e_phoff = sizeof(e),                                  \
			.e_ehsize = sizeof(e),                                 \
			.e_phentsize = sizeof(Elf##bits##_Phdr),               \
			.e_phnum = (uint16_t)(c->loads->len + 1),              \
		};                                                             \
                                                                               \
		put_ident(c, e.e_ident);                                       \
		out_mem(&c->head, &e, sizeof(e));                              \
	}                                                                      \
                                                                               \
	static void put_phdr##bits(struct core *c, uint32_t type,              \
				   uint64_t offset, uint64_t vaddr,            \
				   uint64_t paddr, uint64_t size)              \
	{                                                                      \
		Elf##bits##_Phdr p = {                                         \
			.p_type = type,                                        \
			.p_flags = type == PT_LOAD ? PF_R | PF_W | PF_X : 0,   \
			.p_offset = (Elf##bits##_Off)offset,                   \
			.p_vaddr = (Elf##bits##_Addr)vaddr,                    \
			.p_paddr = (Elf##bits##_Addr)paddr,                    \
			.p_filesz = (Elf##bits##_Off)size,                     \
			.p_memsz =                                             \
				type == PT_LOAD ? (Elf##bits##_Off)size : 0,   \
		};                                                             \
                                                                               \
		out_mem(&c->head, &p, sizeof(p));                              \
	}

PUT_HEADERS(32)
PUT_HEADERS(64)

static void
put_phdr(struct core *c, uint32_t type, uint64_t offset, uint64_t vaddr,
	 uint64_t paddr, uint64_t size)
{
	if (c->elf32)
		put_phdr32(c, type, offset, vaddr, paddr, size);
	else
		put_phdr64(c, type, offset, vaddr, paddr, size);
}

static void
core_init(struct core *c, const struct phys *phys, bool low_only)
{
	struct out notes = OUT_INIT;
	size_t headers;
	uint64_t at;

	*c = (struct core){.phys = phys};
	c->elf32 = phys->arch == &archs[ARCH_I386];
	c->loads = g_array_new(FALSE, FALSE, sizeof(struct load));
	find_loads(c, low_only);
	put_notes(c, &notes);
	headers = c->elf32 ? sizeof(Elf32_Ehdr) +
				     (c->loads->len + 1) * sizeof(Elf32_Phdr)
			   : sizeof(Elf64_Ehdr) +
				     (c->loads->len + 1) * sizeof(Elf64_Phdr);
	if (c->elf32)
		put_ehdr32(c);
	else
		put_ehdr64(c);
	put_phdr(c, PT_NOTE, headers, 0, 0, notes.len);
	at = round_up_to(headers + notes.len, ALIGN);
	for (unsigned int i = 0; i < c->loads->len; i++) {
		struct load *load = &g_array_index(c->loads, struct load, i);
		uint64_t size = load->end - load->start;

		load->offset = at;
		put_phdr(c, PT_LOAD, at,
			 load->direct ? phys->arch->page_offset + load->start
				      : UINT64_MAX,
			 load->start, size);
		at += size;
	}
	out_mem(&c->head, notes.text, notes.len);
	pad(&c->head, ALIGN);
	c->size = at;
	out_fini(&notes);
}

static void
core_fini(struct core *c)
{
	g_array_free(c->loads, TRUE);
	out_fini(&c->head);
}

/* --- the file ------------------------------------------------------------ */

static uint64_t
size_core(const struct view *v, bool low_only)
{
	struct core c;
	uint64_t size;

	core_init(&c, v->m->phys, low_only);
	size = c.size;
	core_fini(&c);
	return size;
}

/* The range whose part of the file holds offset @at, which is not the head's
 * and not beyond the end. */
static const struct load *
load_at(const struct core *c, uint64_t at)
{
	const struct load *load = NULL;

	for (unsigned int i = 0; i < c->loads->len; i++)
		if (g_array_index(c->loads, struct load, i).offset <= at)
			load = &g_array_index(c->loads, struct load, i);
	return load;
}

static ssize_t
read_core(const struct view *v, bool low_only, void *to, size_t len,
	  uint64_t at)
{
	uint8_t *into = to;
	size_t got = 0;
	struct core c;

	core_init(&c, v->m->phys, low_only);
	if (at < c.head.len) {
		got = MIN_OF(len, c.head.len - at);
		memcpy(into, c.head.text + at, got);
	}
	while (got < len && at + got < c.size) {
		const struct load *load = load_at(&c, at + got);
		uint64_t in = at + got - load->offset;
		size_t part = MIN_OF(len - got, load->end - load->start - in);

		ram_read(v->m->ram, load->start + in, into + got, part);
		got += part;
	}
	core_fini(&c);
	return (ssize_t)got;
}

/* Where data begins at or after offset @at of range @load. */
static bool
next_in_load(const struct view *v, const struct load *load, uint64_t at,
	     uint64_t *data)
{
	uint64_t in = at > load->offset ? at - load->offset : 0;
	pa_t found;

	if (load->start + in >= load->end ||
	    !ram_next_data(v->m->ram, load->start + in, &found) ||
	    found >= load->end)
		return false;
	found = MAX_OF(found, load->start + in);
	*data = load->offset + (found - load->start);
	return true;
}

static bool
next_core(const struct view *v, bool low_only, uint64_t at, uint64_t *data)
{
	struct core c;
	bool found = false;

	core_init(&c, v->m->phys, low_only);
	if (at < c.head.len) {
		*data = at;
		found = true;
	}
	for (unsigned int i = 0; !found && i < c.loads->len; i++)
		found = next_in_load(v, &g_array_index(c.loads, struct load, i),
				     at, data);
	core_fini(&c);
	return found;
}

/* --- /vmcore: all; /proc/kcore: what the direct map shows ----------------- */

uint64_t
size_vmcore(const struct view *v)
{
	return size_core(v, false);
}

ssize_t
read_vmcore(const struct view *v, void *to, size_t len, uint64_t at)
{
	return read_core(v, false, to, len, at);
}

bool
next_vmcore(const struct view *v, uint64_t at, uint64_t *data)
{
	return next_core(v, false, at, data);
}

uint64_t
size_kcore(const struct view *v)
{
	return size_core(v, true);
}

ssize_t
read_kcore(const struct view *v, void *to, size_t len, uint64_t at)
{
	return read_core(v, true, to, len, at);
}

bool
next_kcore(const struct view *v, uint64_t at, uint64_t *data)
{
	return next_core(v, true, at, data);
}
