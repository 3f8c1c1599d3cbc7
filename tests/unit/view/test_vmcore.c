// SPDX-License-Identifier: MIT
/* test_vmcore.c - the core file's headers lead to the bytes of RAM */
#include "kmemfs/show.h"

#include <check.h>
#include <elf.h>
#include <string.h>

Suite *suite_vmcore(void);

static struct machine *m;
static struct view v;

static void
boot(const char *arch, const char *memory)
{
	char *text = g_strdup_printf("[machine]\narch = %s\ncpus = 3\n"
				     "memory = %s\n",
				     arch, memory);
	char *error = NULL;
	struct machine_config *config = config_read(text, "test", &error);

	ck_assert_msg(config != NULL, "%s", error);
	m = machine_boot(config, NULL, &error);
	ck_assert_msg(m != NULL, "%s", error);
	v = (struct view){.m = m};
	g_free(text);
}

static void
teardown(void)
{
	machine_free(m);
	m = NULL;
}

static void
get(uint64_t at, void *to, size_t len)
{
	ck_assert_int_eq(read_vmcore(&v, to, len, at), (ssize_t)len);
}

/* Every range of RAM is a PT_LOAD; @count of them, the lowest first. */
static void
check_loads(const Elf64_Phdr *p, unsigned int count)
{
	uint64_t pages = 0;

	for (unsigned int i = 0; i < count; i++) {
		char want[16], got[16];
		pa_t last = p[i].p_paddr + p[i].p_filesz - 16;

		ck_assert_uint_eq(p[i].p_type, PT_LOAD);
		ck_assert_uint_eq(p[i].p_filesz, p[i].p_memsz);
		ck_assert_uint_eq(p[i].p_offset % 4096, 0);
		ck_assert(machine_is_ram(m, p[i].p_paddr, p[i].p_filesz));
		g_snprintf(want, sizeof(want), "end of %u", i);
		ck_assert_int_eq(ram_write(m->ram, last, want, 16), 0);
		get(p[i].p_offset + p[i].p_filesz - 16, got, 16);
		ck_assert(!memcmp(got, want, 16));
		pages += p[i].p_filesz / 4096;
	}
	for (unsigned int i = 0; i < m->phys->nr_zones; i++)
		pages -= m->phys->zones[i]->present_pages;
	ck_assert_uint_eq(pages, 0);
}

START_TEST(ranges_of_ram_are_in_the_file_at_their_offsets)
{
	Elf64_Ehdr e;
	Elf64_Phdr p[16];

	boot("x86-64", "8G");
	get(0, &e, sizeof(e));
	ck_assert(!memcmp(e.e_ident, ELFMAG "\2\1\1", SELFMAG + 3));
	ck_assert_uint_eq(e.e_type, ET_CORE);
	ck_assert_uint_eq(e.e_machine, EM_X86_64);
	ck_assert_uint_eq(e.e_phnum, 4);
	get(e.e_phoff, p, e.e_phnum * sizeof(p[0]));
	check_loads(p + 1, e.e_phnum - 1);
	ck_assert_uint_eq(p[3].p_paddr, GIB(4));
	ck_assert_uint_eq(p[3].p_vaddr, 0xffff888000000000 + GIB(4));
	ck_assert_uint_eq(p[3].p_offset + p[3].p_filesz, size_vmcore(&v));
}
END_TEST

START_TEST(memory_above_the_direct_map_has_no_virtual_address)
{
	Elf64_Ehdr e;
	Elf64_Phdr p[16];

	boot("i386-pae", "6G");
	get(0, &e, sizeof(e));
	ck_assert_uint_eq(e.e_machine, EM_386);
	get(e.e_phoff, p, e.e_phnum * sizeof(p[0]));
	check_loads(p + 1, e.e_phnum - 1);
	for (unsigned int i = 1; i < e.e_phnum; i++)
		ck_assert_uint_eq(p[i].p_vaddr,
				  p[i].p_paddr >> 12 < m->phys->max_low_pfn
					  ? p[i].p_paddr + 0xc0000000
					  : UINT64_MAX);
}
END_TEST

START_TEST(a_32_bit_machine_without_pae_has_a_32_bit_file)
{
	Elf32_Ehdr e;
	Elf32_Phdr p[16];
	char got[4];

	boot("i386", "2G");
	get(0, &e, sizeof(e));
	ck_assert_uint_eq(e.e_ident[EI_CLASS], ELFCLASS32);
	get(e.e_phoff, p, e.e_phnum * sizeof(p[0]));
	ck_assert_uint_eq(p[1].p_type, PT_LOAD);
	ck_assert_uint_eq(p[1].p_vaddr, p[1].p_paddr + 0xc0000000);
	ck_assert_int_eq(ram_write(m->ram, p[2].p_paddr, "abc", 4), 0);
	get(p[2].p_offset, got, 4);
	ck_assert_str_eq(got, "abc");
}
END_TEST

START_TEST(there_is_a_note_for_each_cpu_and_one_that_tells_the_page_size)
{
	Elf64_Ehdr e;
	Elf64_Phdr p;
	unsigned int prstatus = 0, vmcoreinfo = 0;
	char *notes;

	boot("x86-64", "64M");
	get(0, &e, sizeof(e));
	get(e.e_phoff, &p, sizeof(p));
	ck_assert_uint_eq(p.p_type, PT_NOTE);
	notes = g_malloc0(p.p_filesz + 1);
	get(p.p_offset, notes, p.p_filesz);
	for (size_t at = 0; at < p.p_filesz;) {
		Elf64_Nhdr n;
		const char *name = notes + at + sizeof(n);
		const char *desc;

		memcpy(&n, notes + at, sizeof(n));
		desc = name + round_up_to(n.n_namesz, 4);
		if (!strcmp(name, "CORE")) {
			ck_assert_uint_eq(n.n_type, NT_PRSTATUS);
			ck_assert_uint_eq(n.n_descsz, 336);
			prstatus++;
		} else {
			ck_assert_str_eq(name, "VMCOREINFO");
			ck_assert_ptr_nonnull(g_strstr_len(
				desc, n.n_descsz, "\nPAGESIZE=4096\n"));
			vmcoreinfo++;
		}
		at = (size_t)(desc - notes) + round_up_to(n.n_descsz, 4);
	}
	ck_assert_uint_eq(prstatus, 3);
	ck_assert_uint_eq(vmcoreinfo, 1);
	g_free(notes);
}
END_TEST

START_TEST(holes_of_ram_are_holes_of_both_files)
{
	Elf64_Ehdr e;
	Elf64_Phdr p[16];
	uint64_t data, header;

	boot("x86-64", "8G");
	ck_assert(!next_ram(&v, 0, &data));
	ck_assert_int_eq(ram_write(m->ram, GIB(5) + 5, "x", 1), 0);
	ck_assert(next_ram(&v, 77, &data));
	ck_assert_uint_eq(data, GIB(5));
	ck_assert(next_ram(&v, GIB(5) + 100, &data));
	ck_assert_uint_eq(data, GIB(5) + 100);
	ck_assert(!next_ram(&v, GIB(5) + 4096, &data));

	get(0, &e, sizeof(e));
	get(e.e_phoff, p, e.e_phnum * sizeof(p[0]));
	header = p[1].p_offset;
	ck_assert(next_vmcore(&v, 3, &data));
	ck_assert_uint_eq(data, 3);
	ck_assert(next_vmcore(&v, header, &data));
	ck_assert_uint_eq(data, p[3].p_offset + GIB(1));
	ck_assert(!next_vmcore(&v, data + 4096, &data));
}
END_TEST

START_TEST(reads_end_where_the_files_end)
{
	char bytes[100];
	uint64_t size;

	boot("x86-64", "64M");
	size = size_ram(&v);
	ck_assert_uint_eq(size, m->phys->max_pfn * 4096);
	ck_assert_int_eq(read_ram(&v, bytes, 100, size - 10), 10);
	ck_assert_int_eq(read_ram(&v, bytes, 100, size), 0);
	ck_assert_int_eq(read_ram(&v, bytes, 100, UINT64_MAX), 0);
	size = size_vmcore(&v);
	ck_assert_int_eq(read_vmcore(&v, bytes, 100, size - 10), 10);
	ck_assert_int_eq(read_vmcore(&v, bytes, 100, size), 0);
	ck_assert_int_eq(read_vmcore(&v, bytes, 100, UINT64_MAX), 0);
}
END_TEST

START_TEST(a_read_over_a_border_of_ranges_joins_their_bytes)
{
	Elf64_Ehdr e;
	Elf64_Phdr p[16];
	char got[8];

	boot("x86-64", "8G");
	get(0, &e, sizeof(e));
	get(e.e_phoff, p, e.e_phnum * sizeof(p[0]));
	ck_assert_int_eq(
		ram_write(m->ram, p[1].p_paddr + p[1].p_filesz - 3, "abc", 3),
		0);
	ck_assert_int_eq(ram_write(m->ram, p[2].p_paddr, "defg", 5), 0);
	get(p[2].p_offset - 3, got, 8);
	ck_assert_str_eq(got, "abcdefg");
	/* And from the headers into the first range. */
	ck_assert_int_eq(ram_write(m->ram, p[1].p_paddr, "first", 6), 0);
	get(p[1].p_offset - 2, got, 8);
	ck_assert_str_eq(got + 2, "first");
}
END_TEST

Suite *
suite_vmcore(void)
{
	Suite *suite = suite_create("vmcore");
	TCase *tc = tcase_create("vmcore");

	tcase_add_checked_fixture(tc, NULL, teardown);
	tcase_add_test(tc, ranges_of_ram_are_in_the_file_at_their_offsets);
	tcase_add_test(tc, memory_above_the_direct_map_has_no_virtual_address);
	tcase_add_test(tc, a_32_bit_machine_without_pae_has_a_32_bit_file);
	tcase_add_test(
		tc,
		there_is_a_note_for_each_cpu_and_one_that_tells_the_page_size);
	tcase_add_test(tc, holes_of_ram_are_holes_of_both_files);
	tcase_add_test(tc, reads_end_where_the_files_end);
	tcase_add_test(tc, a_read_over_a_border_of_ranges_joins_their_bytes);
	suite_add_tcase(suite, tc);
	return suite;
}
