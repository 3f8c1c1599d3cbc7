// SPDX-License-Identifier: MIT
/* test_psc.c - walks that begin below upper entries that are kept */
#include "kmemfs/hw/psc.h"
#include "kmemfs/hw/tlb.h"

#include <check.h>

Suite *suite_psc(void);

#define VA 0x12345670ULL
#define TABLE_BITS (PTE_P | PTE_RW | PTE_US)

static struct ram *ram;
static struct mmu_regs regs;
static struct psc *psc;

static void
setup(void)
{
	ram = ram_new(MIB(16), GIB(1));
	regs = (struct mmu_regs){
		.mode = MMU_4LEVEL,
		.phys_bits = 46,
		.wp = true,
		.nxe = true,
	};
	/* VA's indices are 0, 0, 0x91, 0x145. */
	ram_store(ram, 0x1000, 8, 0x2000 | TABLE_BITS);
	ram_store(ram, 0x2000, 8, 0x3000 | TABLE_BITS);
	ram_store(ram, 0x3000 + 0x91 * 8, 8, 0x4000 | TABLE_BITS);
	ram_store(ram, 0x4000 + 0x145 * 8, 8, 0x100000 | TABLE_BITS);
	ram_store(ram, 0x4000 + 0x146 * 8, 8, 0x200000 | TABLE_BITS);
	ck_assert(mmu_load_cr3(ram, &regs, 0x1000));
	psc = psc_new();
}

static void
teardown(void)
{
	psc_free(psc);
	ram_free(ram);
}

/* A walk as a CPU does it; fills. */
static struct mmu_result
walk(va_t va, enum mmu_access access, uint16_t pcid)
{
	const struct mmu_request q = {.va = va, .access = access, .user = true};
	const struct mmu_start *start = psc_find(psc, va, pcid);
	struct mmu_result r;

	mmu_walk_from(ram, &regs, &q, start, &r);
	if (r.outcome == MMU_OK)
		psc_fill(psc, &regs, va, pcid, start, &r);
	return r;
}

START_TEST(the_second_walk_reads_only_the_lowest_table)
{
	ck_assert_uint_eq(walk(VA, MMU_READ, 1).nr_steps, 4);
	ck_assert_uint_eq(walk(VA, MMU_READ, 1).nr_steps, 1);
	ck_assert_uint_eq(walk(VA, MMU_READ, 1).pa, 0x100670);
	ck_assert_uint_eq(walk(VA + 0x1000, MMU_READ, 1).nr_steps, 1);
	ck_assert_uint_eq(walk(VA + 0x1000, MMU_READ, 1).pa, 0x200670);
	/* Another process' are not asked. */
	ck_assert_uint_eq(walk(VA, MMU_READ, 2).nr_steps, 4);
}
END_TEST

START_TEST(rights_of_entries_that_are_not_read_count)
{
	ram_store(ram, 0x2000, 8, 0x3000 | PTE_P | PTE_US);
	walk(VA, MMU_READ, 0);
	ck_assert_int_eq(walk(VA, MMU_WRITE, 0).outcome, MMU_PAGE_FAULT);
	ck_assert_uint_eq(walk(VA, MMU_WRITE, 0).error_code,
			  PF_PROT | PF_WRITE | PF_USER);
	ram_store(ram, 0x2000, 8, 0x3000 | TABLE_BITS);
	/* Still: nobody flushed. */
	ck_assert_int_eq(walk(VA, MMU_WRITE, 0).outcome, MMU_PAGE_FAULT);
	psc_flush(psc, 0);
	ck_assert_int_eq(walk(VA, MMU_WRITE, 0).outcome, MMU_OK);
}
END_TEST

START_TEST(a_table_that_moved_is_not_seen_before_a_flush)
{
	walk(VA, MMU_READ, 3);
	ram_store(ram, 0x3000 + 0x91 * 8, 8, 0x5000 | TABLE_BITS);
	ram_store(ram, 0x5000 + 0x145 * 8, 8, 0x300000 | TABLE_BITS);
	ck_assert_uint_eq(walk(VA, MMU_READ, 3).pa, 0x100670);
	psc_flush(psc, 4);
	ck_assert_uint_eq(walk(VA, MMU_READ, 3).pa, 0x100670);
	psc_flush(psc, 3);
	ck_assert_uint_eq(walk(VA, MMU_READ, 3).pa, 0x300670);
	walk(VA, MMU_READ, 4);
	psc_flush(psc, -1);
	for (unsigned int n = 0; n < PSC_ENTRIES; n++)
		ck_assert_ptr_null(psc_entry(psc, n));
}
END_TEST

START_TEST(what_is_not_present_is_never_kept)
{
	ram_store(ram, 0x2000, 8, 0);
	ck_assert_int_eq(walk(VA, MMU_READ, 0).outcome, MMU_PAGE_FAULT);
	ram_store(ram, 0x2000, 8, 0x3000 | TABLE_BITS);
	ck_assert_int_eq(walk(VA, MMU_READ, 0).outcome, MMU_OK);
}
END_TEST

START_TEST(the_entry_not_used_for_longest_makes_room)
{
	const struct psc_entry *e;
	unsigned int kept = 0;

	/* Three entries a process: the eleventh process pushes the first out.
	 */
	for (uint16_t pcid = 0; pcid < 11; pcid++)
		walk(VA, MMU_READ, pcid);
	for (unsigned int n = 0; n < PSC_ENTRIES; n++)
		if ((e = psc_entry(psc, n)))
			kept += e->pcid == 0;
	ck_assert_uint_eq(kept, 2);
	ck_assert_uint_eq(walk(VA, MMU_READ, 10).nr_steps, 1);
}
END_TEST

START_TEST(a_tlb_that_keeps_upper_entries_flushes_them_too)
{
	struct tlb *tlb = tlb_new(tlb_default_geometry);
	const struct mmu_request q = {.va = VA};
	struct mmu_result r;

	ck_assert_ptr_null(tlb_upper(tlb));
	tlb_keep_upper(tlb, true);
	for (unsigned int how = 0; how < 3; how++) {
		mmu_walk(ram, &regs, &q, &r);
		psc_fill(tlb_upper(tlb), &regs, VA, 7, NULL, &r);
		ck_assert_ptr_nonnull(psc_find(tlb_upper(tlb), VA, 7));
		if (how == 0)
			tlb_flush_page(tlb, VA + 0x100000, 7);
		else if (how == 1)
			tlb_flush_pcid(tlb, 7);
		else
			tlb_flush_all(tlb, false);
		ck_assert_ptr_null(psc_find(tlb_upper(tlb), VA, 7));
	}
	tlb_free(tlb);
}
END_TEST

Suite *
suite_psc(void)
{
	Suite *suite = suite_create("psc");
	TCase *tc = tcase_create("psc");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, the_second_walk_reads_only_the_lowest_table);
	tcase_add_test(tc, rights_of_entries_that_are_not_read_count);
	tcase_add_test(tc, a_table_that_moved_is_not_seen_before_a_flush);
	tcase_add_test(tc, what_is_not_present_is_never_kept);
	tcase_add_test(tc, the_entry_not_used_for_longest_makes_room);
	tcase_add_test(tc, a_tlb_that_keeps_upper_entries_flushes_them_too);
	suite_add_tcase(suite, tc);
	return suite;
}
