// SPDX-License-Identifier: MIT
/* test_kernel_direct.c - the direct map, the kernel's image, kinds of addresses
 */
#include "kerneled.h"

Suite *suite_kernel_direct(void);

#define P VM_PAGE

static const struct kerneled_kind kinds[] = {
	{.arch = "x86-64",		   .memory = "4G"},
	{.arch = "x86-64",		   .memory = "4G", .vm = {.no_gb_pages = true}},
	{.arch = "x86-64",			   .memory = "4G",			   .vm = {.mode = MMU_5LEVEL}},
	{.arch = "i386", .memory = "2G"},
	{.arch = "i386-pae",	     .memory = "6G"					   },
	{.arch = "i386", .memory = "100M"},
};

START_TEST(pa_and_va_are_inverse_in_low_memory)
{
	struct kerneled *m = kerneled_new(&kinds[_i]);
	pa_t low = m->b->phys->max_low_pfn << VM_PAGE_SHIFT;
	const pa_t some[] = {0, 0x9f000, MIB(1), MIB(16) + 5, low - 1};

	for (size_t i = 0; i < ARRAY_SIZE(some); i++)
		ck_assert_uint_eq(kernel_pa(m->vm, kernel_va(m->vm, some[i])),
				  some[i]);
	ck_assert_uint_eq(kernel_va(m->vm, low), 0);
	ck_assert_uint_eq(kernel_pa(m->vm, m->vm->layout.vmalloc_start),
			  UINT64_MAX);
	kerneled_free(m);
}
END_TEST

START_TEST(the_direct_map_is_made_when_first_walked)
{
	struct kerneled *m = kerneled_new(&kinds[_i]);
	pfn_t pfn = page_of(m, GFP_KERNEL);
	va_t va = kernel_page_address(m->vm, pfn);
	struct mmu_result w;
	struct mmu_request q = {.va = va + 3};
	uint8_t byte = 0xab;
	int level = kernel_direct_level(m->vm, pfn * P);

	ram_write(m->ram, pfn * P + 3, &byte, 1);
	byte = 0;
	ck_assert_int_eq(vm_switch_to(m->vm, 0, m->init), 0);
	vm_translate(m->vm, m->init, &q, &w);
	ck_assert_int_eq(w.outcome, MMU_PAGE_FAULT);
	ck_assert_int_eq(kernel_peek(m, 0, va + 3, &byte), 0);
	ck_assert_uint_eq(byte, 0xab);
	vm_translate(m->vm, m->init, &q, &w);
	ck_assert_int_eq(w.outcome, MMU_OK);
	ck_assert_uint_eq(w.pa, pfn * P + 3);
	ck_assert_uint_eq(w.page_shift, m->vm->shape.shift[level]);
	ck_assert(!w.user && w.writable && w.global);
	kerneled_free(m);
}
END_TEST

START_TEST(the_first_page_has_small_pages_and_all_else_large_ones)
{
	struct kerneled *m = kerneled_new(&kinds[_i]);
	uint64_t bytes[3], sum = MIB(1);
	const GArray *memory = m->b->phys->memblock.memory;
	pa_t low = m->b->phys->max_low_pfn << VM_PAGE_SHIFT;

	ck_assert_int_eq(kernel_direct_level(m->vm, 0), 0);
	ck_assert_int_ge(kernel_direct_level(m->vm, MIB(64)), 1);
	kernel_direct_bytes(m->vm, bytes);
	for (guint i = 0; i < memory->len; i++) {
		const struct range *r = &g_array_index(memory, struct range, i);
		pa_t start = MAX_OF(r->start, MIB(1));
		pa_t end = MIN_OF(r->end, low);

		sum += end > start ? end - start : 0;
	}
	ck_assert_uint_eq(bytes[0] + bytes[1] + bytes[2], sum);
	ck_assert_uint_eq(bytes[2] != 0, m->vm->boot_regs.gb_pages);
	ck_assert_uint_eq(bytes[1] % (1ULL << m->vm->shape.shift[1]), 0);
	kerneled_free(m);
}
END_TEST

START_TEST(where_there_is_no_memory_the_kernel_oopses)
{
	struct kerneled *m = kerneled_usual();
	va_t beyond = m->vm->layout.page_offset + MIB(64);
	uint8_t byte;

	ck_assert_int_eq(kernel_peek(m, 0, beyond, &byte), -EFAULT);
	ck_assert(told(m, "BUG: unable to handle page fault for address: "
			  "ffff888004000000"));
	ck_assert_int_eq(vm_switch_to(m->vm, 0, NULL), 0);
	ck_assert_int_eq(kernel_peek(m, 0, 8, &byte), -EFAULT);
	ck_assert(told(m, "BUG: kernel NULL pointer dereference, address: "
			  "0000000000000008"));
	kerneled_free(m);
}
END_TEST

START_TEST(the_image_is_mapped_a_second_time)
{
	struct kerneled *m = kerneled_usual();
	struct kernel_section s[KERNEL_SECTIONS];
	uint8_t byte = 0x42;

	ck_assert_uint_eq(kernel_image(m->vm, s), KERNEL_SECTIONS);
	ck_assert_uint_eq(s[0].range.start, MIB(16));
	for (int i = 1; i < KERNEL_SECTIONS; i++)
		ck_assert_uint_eq(s[i].range.start, s[i - 1].range.end);
	ram_write(m->ram, MIB(17), &byte, 1);
	byte = 0;
	ck_assert_int_eq(kernel_peek(m, 0, 0xffffffff81100000, &byte), 0);
	ck_assert_uint_eq(byte, 0x42);
	ck_assert_uint_eq(kernel_pa(m->vm, 0xffffffff81100000), MIB(17));
	kerneled_free(m);
}
END_TEST

START_TEST(vmalloc_costs_a_tlb_entry_a_page_and_kmalloc_does_not)
{
	struct kerneled *m =
		kerneled_new(&(struct kerneled_kind){.memory = "4G"});
	struct kernel_area *a = area_of(m, MIB(2));
	struct tlb_stats *s = tlb_stats(m->vm->cpu[0].tlb);
	uint64_t before, by_vmalloc, by_direct;
	va_t block = kernel_va(m->vm, MIB(512));
	uint8_t byte;

	ck_assert_int_eq(kernel_peek(m, 0, block, &byte), 0);
	tlb_flush_all(m->vm->cpu[0].tlb, true);
	before = s->misses;
	for (uint64_t n = 0; n < 512; n++)
		ck_assert_int_eq(kernel_peek(m, 0, a->start + n * P, &byte), 0);
	by_vmalloc = s->misses - before;
	before = s->misses;
	for (uint64_t n = 0; n < 512; n++)
		ck_assert_int_eq(kernel_peek(m, 0, block + n * P, &byte), 0);
	by_direct = s->misses - before;
	ck_assert_uint_eq(by_vmalloc, 512);
	ck_assert_uint_eq(by_direct, 1);
	kerneled_free(m);
}
END_TEST

START_TEST(bytes_can_be_read_and_written_without_tables)
{
	struct kerneled *m = kerneled_usual();
	struct kernel_area *a = area_of(m, 2 * P);
	uint8_t text[8] = "abcdefg", back[8];

	ck_assert_uint_eq(kernel_write(m->vm, a->start + P - 3, text, 8), 8);
	ck_assert_uint_eq(kernel_read(m->vm, a->start + P - 3, back, 8), 8);
	ck_assert_mem_eq(text, back, 8);
	ram_read(m->ram, a->pages[1] * P, back, 5);
	ck_assert_mem_eq("defg", back, 5);
	ck_assert_uint_eq(kernel_write(m->vm, a->start + 2 * P - 3, text, 8),
			  3);
	kerneled_free(m);
}
END_TEST

/* --- kinds ---------------------------------------------------------------- */

static const struct {
	const char *arch, *memory;
	uint64_t a;
	enum address_space space;
	enum address_kind kind;
	const char *region;
	bool mapped;
} addresses[] = {
	{"x86-64", "64M", 0xffff888000001000, SPACE_GUESS,	   ADDRESS_LOGICAL,
	 "direct map",									true },
	{"x86-64", "64M", 0xffff888004000000, SPACE_GUESS,	   ADDRESS_KERNEL,
	 "unused",									    false},
	{"x86-64", "64M", 0xffffc90000000000, SPACE_GUESS,	   ADDRESS_KERNEL,
	 "vmalloc",									   false},
	{"x86-64", "64M", 0xffffea0000000040, SPACE_GUESS,	   ADDRESS_KERNEL,
	 "vmemmap",									   true },
	{"x86-64", "64M", 0xffffffff81000000, SPACE_GUESS,	   ADDRESS_KERNEL,
	 "kernel text",								       true },
	{"x86-64", "64M", 0xffffffffff5fc000, SPACE_GUESS,	   ADDRESS_KERNEL,
	 "fixmap",									    false},
	{"x86-64", "64M", 0x0000800000000000, SPACE_GUESS,	   ADDRESS_NONE,	 "hole",
	 false										     },
	{"x86-64", "64M", 0x1000000,	     SPACE_GUESS,	  ADDRESS_PHYSICAL,
	 "System RAM",									true },
	{"x86-64", "64M", 0x1000000,	     SPACE_BUS,	ADDRESS_BUS,	     "System RAM",
	 true										      },
	{"x86-64", "64M", 0x1000000,	     SPACE_VIRTUAL,  ADDRESS_USER,	  "no area",
	 false										     },
	{"x86-64", "64M", 0x7fff00000000,	  SPACE_GUESS,    ADDRESS_USER,     "no area",
	 false										     },
	{"x86-64", "64M", 0xfee00000,	      SPACE_PHYSICAL, ADDRESS_PHYSICAL,
	 "device or nothing",								 true },
	{"i386",	 "2G",  0xc0100000,	   SPACE_GUESS,	ADDRESS_LOGICAL,	 "direct map",
	 true										      },
	{"i386",	 "2G",  0xfec01000,	   SPACE_GUESS,	ADDRESS_KERNEL,	"kmap",	false},
	{"i386",	 "2G",  0xffffc000,	   SPACE_GUESS,	ADDRESS_KERNEL,	"fixmap",
	 false										     },
	{"i386",	 "2G",  0x60000000,	   SPACE_PHYSICAL, ADDRESS_PHYSICAL,
	 "System RAM",									true },
	{"i386",	 "2G",  0x100000000,	    SPACE_VIRTUAL,  ADDRESS_NONE,	 "hole",	 false},
};

START_TEST(every_address_has_a_kind_and_a_reason)
{
	const struct kerneled_kind kind = {.arch = addresses[_i].arch,
					   .memory = addresses[_i].memory};
	struct kerneled *m = kerneled_new(&kind);
	struct address_class c;

	kernel_classify(m->vm, m->init, addresses[_i].a, addresses[_i].space,
			&c);
	ck_assert_str_eq(address_kind_names[c.kind],
			 address_kind_names[addresses[_i].kind]);
	ck_assert_str_eq(c.region, addresses[_i].region);
	ck_assert_int_eq(c.mapped, addresses[_i].mapped);
	ck_assert_uint_gt(strlen(c.why), 20);
	kerneled_free(m);
}
END_TEST

START_TEST(vmalloc_and_its_guard_are_told_apart)
{
	struct kerneled *m = kerneled_usual();
	struct kernel_area *a = area_of(m, P);
	va_t va = a->start;
	struct address_class c;

	kernel_classify(m->vm, NULL, va + 9, SPACE_GUESS, &c);
	ck_assert_int_eq(c.kind, ADDRESS_KERNEL);
	ck_assert_uint_eq(c.pa, a->pages[0] * P + 9);
	kernel_classify(m->vm, NULL, va + P, SPACE_GUESS, &c);
	ck_assert(!c.mapped && strstr(c.why, "guard page"));
	ck_assert_int_eq(kernel_vfree(m->vm, va, 0), 0);
	kernel_classify(m->vm, NULL, va, SPACE_GUESS, &c);
	ck_assert(strstr(c.why, "not purged"));
	kerneled_free(m);
}
END_TEST

START_TEST(struct_pages_lie_in_a_row)
{
	struct kerneled *m = kerneled_usual();

	ck_assert_uint_eq(kernel_struct_page(m->vm, 0), 0);
	ck_assert_uint_eq(kernel_struct_page(m->vm, 1), 0xffffea0000000040);
	ck_assert_uint_eq(kernel_struct_page(m->vm, 0x3000),
			  0xffffea0000000000 + 64ULL * 0x3000);
	ck_assert_uint_eq(kernel_struct_page(m->vm, 0x4000), 0);
	kerneled_free(m);
}
END_TEST

Suite *
suite_kernel_direct(void)
{
	Suite *s = suite_create("kernel_direct");
	TCase *tc = tcase_create("kernel_direct");
	const int all = ARRAY_SIZE(kinds);

	tcase_add_loop_test(tc, pa_and_va_are_inverse_in_low_memory, 0, all);
	tcase_add_loop_test(tc, the_direct_map_is_made_when_first_walked, 0,
			    all);
	tcase_add_loop_test(
		tc, the_first_page_has_small_pages_and_all_else_large_ones, 0,
		all);
	tcase_add_test(tc, where_there_is_no_memory_the_kernel_oopses);
	tcase_add_test(tc, the_image_is_mapped_a_second_time);
	tcase_add_test(tc,
		       vmalloc_costs_a_tlb_entry_a_page_and_kmalloc_does_not);
	tcase_add_test(tc, bytes_can_be_read_and_written_without_tables);
	tcase_add_loop_test(tc, every_address_has_a_kind_and_a_reason, 0,
			    ARRAY_SIZE(addresses));
	tcase_add_test(tc, vmalloc_and_its_guard_are_told_apart);
	tcase_add_test(tc, struct_pages_lie_in_a_row);
	suite_add_tcase(s, tc);
	return s;
}
