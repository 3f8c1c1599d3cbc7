// SPDX-License-Identifier: MIT
/* test_mmu.c - formats, rights, faults and the bits that a walk writes */
#include "kmemfs/hw/mmu.h"

#include <check.h>

Suite *suite_mmu(void);

#define RAM_SIZE MIB(16)
#define VA 0x12345670ULL
#define LEAF_PFN 0x100ULL /* 1 MiB */

static struct ram *ram;
static struct mmu_regs regs;

static void
store(pa_t at, uint64_t entry)
{
	unsigned int bytes = mmu_format(&regs)->entry_bytes;
	uint8_t raw[8];

	for (unsigned int b = 0; b < bytes; b++)
		raw[b] = (uint8_t)(entry >> (8 * b));
	ck_assert_int_eq(ram_write(ram, at, raw, bytes), 0);
}

static uint64_t
load(pa_t at)
{
	uint8_t raw[8] = {0};
	uint64_t entry = 0;

	ram_read(ram, at, raw, mmu_format(&regs)->entry_bytes);
	for (unsigned int b = 8; b--;)
		entry = entry << 8 | raw[b];
	return entry;
}

static pa_t entry_at[MMU_LEVELS_MAX]; /* of VA's walk, by level */

/* Tables for VA: one in each page from 1 up, the leaf at LEAF_PFN. */
static void
build(enum mmu_mode mode)
{
	const struct mmu_format *f;
	pa_t table = 0x1000;

	ram = ram_new(RAM_SIZE, GIB(1));
	regs = (struct mmu_regs){
		.mode = mode,
		.phys_bits = mode == MMU_32BIT ? 36 : 46,
		.pse = true,
		.wp = true,
		.nxe = mode != MMU_32BIT,
		.gb_pages = true,
	};
	f = mmu_format(&regs);
	for (unsigned int level = f->levels; level--;) {
		uint64_t index = VA >> mmu_level_shift(f, level) &
				 ((1U << f->index_bits[level]) - 1);
		uint64_t rights =
			mode == MMU_PAE && level == 2 ? 0 : PTE_RW | PTE_US;

		entry_at[level] = table + index * f->entry_bytes;
		table += 0x1000;
		store(entry_at[level],
		      (level ? table : LEAF_PFN << 12) | PTE_P | rights);
	}
	ck_assert(mmu_load_cr3(ram, &regs, 0x1000));
}

static void
teardown(void)
{
	ram_free(ram);
}

static struct mmu_result
walk(va_t va, enum mmu_access access, bool user)
{
	struct mmu_request q = {.va = va, .access = access, .user = user};
	struct mmu_result r;

	mmu_walk(ram, &regs, &q, &r);
	return r;
}

static const struct {
	enum mmu_mode mode;
	unsigned int nr, index[5]; /* the top table's first */
} splits[] = {
	{MMU_32BIT,  2, {0x48, 0x345}	    },
	{MMU_PAE,	  3, {0, 0x91, 0x145}	     },
	{MMU_4LEVEL, 4, {0, 0, 0x91, 0x145}   },
	{MMU_5LEVEL, 5, {0, 0, 0, 0x91, 0x145}},
};

START_TEST(an_address_splits_into_indices_as_the_manual_says)
{
	struct mmu_result r;

	build(splits[_i].mode);
	r = walk(VA, MMU_READ, true);
	ck_assert_int_eq(r.outcome, MMU_OK);
	ck_assert_uint_eq(r.pa, 0x100670);
	ck_assert_uint_eq(r.nr_steps, splits[_i].nr);
	for (unsigned int i = 0; i < r.nr_steps; i++)
		ck_assert_uint_eq(
			r.step[i].at,
			0x1000 * (i + 1) +
				splits[_i].index[i] *
					mmu_format(&regs)->entry_bytes);
	teardown();
}
END_TEST

/* What one entry lacks, who asks, and the error code. */
static const struct {
	uint64_t clear, set;
	enum mmu_access access;
	bool user;
	uint32_t code;
} faults[] = {
	{PTE_P,	0,	   MMU_READ,  false, 0   },
	{PTE_P,	0,	   MMU_WRITE, false, 2   },
	{PTE_P,	0,	   MMU_READ,  true,  4   },
	{PTE_P,	0,	   MMU_WRITE, true,  6   },
	{PTE_RW, 0,	    MMU_WRITE, false, 3   },
	{PTE_US, 0,	    MMU_READ,  true,  5   },
	{PTE_RW, 0,	    MMU_WRITE, true,  7   },
	{PTE_P,	0,	   MMU_FETCH, false, 0x10},
	{PTE_P,	0,	   MMU_FETCH, true,  0x14},
	{0,	    PTE_NX,	    MMU_FETCH, false, 0x11},
	{0,	    PTE_NX,	    MMU_FETCH, true,  0x15},
	{0,	    1ULL << 50, MMU_READ,  false, 9	  },
	{0,	    1ULL << 50, MMU_WRITE, false, 0xb },
	{0,	    1ULL << 50, MMU_READ,  true,	0xd },
	{0,	    1ULL << 50, MMU_WRITE, true,	 0xf },
};

START_TEST(each_level_alone_can_make_each_fault)
{
	for (unsigned int level = 0; level < 4; level++) {
		struct mmu_result r;

		build(MMU_4LEVEL);
		store(entry_at[level],
		      (load(entry_at[level]) & ~faults[_i].clear) |
			      faults[_i].set);
		r = walk(VA, faults[_i].access, faults[_i].user);
		ck_assert_int_eq(r.outcome, MMU_PAGE_FAULT);
		ck_assert_uint_eq(r.error_code, faults[_i].code);
		teardown();
	}
}
END_TEST

START_TEST(each_reserved_bit_alone_faults_for_every_access)
{
	for (unsigned int level = 0; level < 4; level++) {
		for (unsigned int bit = 0; bit < 64; bit++) {
			build(MMU_4LEVEL);
			regs.gb_pages = false;
			if (mmu_reserved(&regs, level, !level) >> bit & 1) {
				store(entry_at[level],
				      load(entry_at[level]) | 1ULL << bit);
				for (int a = MMU_READ; a <= MMU_FETCH; a++)
					ck_assert_uint_eq(
						walk(VA, (enum mmu_access)a,
						     false)
								.error_code &
							9,
						9);
			}
			teardown();
		}
	}
}
END_TEST

START_TEST(the_kernel_writes_to_read_only_pages_when_wp_is_off)
{
	build(MMU_4LEVEL);
	store(entry_at[0], load(entry_at[0]) & ~(uint64_t)PTE_RW);
	ck_assert_uint_eq(walk(VA, MMU_WRITE, false).error_code, 3);
	regs.wp = false;
	ck_assert_int_eq(walk(VA, MMU_WRITE, false).outcome, MMU_OK);
	ck_assert_uint_eq(walk(VA, MMU_WRITE, true).error_code, 7);
	teardown();
}
END_TEST

START_TEST(smep_and_smap_keep_the_kernel_off_user_pages)
{
	struct mmu_request q = {.va = VA};
	struct mmu_result r;

	build(MMU_4LEVEL);
	regs.smep = regs.smap = true;
	ck_assert_uint_eq(walk(VA, MMU_READ, false).error_code, 1);
	ck_assert_uint_eq(walk(VA, MMU_FETCH, false).error_code, 0x11);
	ck_assert_int_eq(walk(VA, MMU_READ, true).outcome, MMU_OK);
	q.ac = true;
	mmu_walk(ram, &regs, &q, &r);
	ck_assert_int_eq(r.outcome, MMU_OK);
	q.implicit = true;
	mmu_walk(ram, &regs, &q, &r);
	ck_assert_int_eq(r.outcome, MMU_PAGE_FAULT);
	teardown();
}
END_TEST

START_TEST(reads_set_accessed_and_the_first_write_sets_dirty)
{
	struct mmu_request q = {.va = VA, .access = MMU_READ, .user = true};
	struct mmu_result r;

	build(MMU_4LEVEL);
	mmu_walk(ram, &regs, &q, &r);
	ck_assert_uint_eq(mmu_set_bits(ram, &regs, &q, &r), 4);
	ck_assert_uint_eq(load(entry_at[0]) & (PTE_A | PTE_D), PTE_A);
	ck_assert_uint_eq(load(entry_at[3]) & (PTE_A | PTE_D), PTE_A);
	q.access = MMU_WRITE;
	mmu_walk(ram, &regs, &q, &r);
	ck_assert_uint_eq(mmu_set_bits(ram, &regs, &q, &r), 1);
	ck_assert_uint_eq(load(entry_at[0]) & (PTE_A | PTE_D), PTE_A | PTE_D);
	ck_assert_uint_eq(load(entry_at[1]) & PTE_D, 0);
	mmu_walk(ram, &regs, &q, &r);
	ck_assert_uint_eq(mmu_set_bits(ram, &regs, &q, &r), 0);
	teardown();
}
END_TEST

START_TEST(a_fault_sets_no_bit)
{
	struct mmu_request q = {.va = VA, .access = MMU_WRITE, .user = true};
	struct mmu_result r;

	build(MMU_4LEVEL);
	store(entry_at[0], load(entry_at[0]) & ~(uint64_t)PTE_RW);
	mmu_walk(ram, &regs, &q, &r);
	ck_assert_uint_eq(mmu_set_bits(ram, &regs, &q, &r), 0);
	ck_assert_uint_eq(load(entry_at[3]) & PTE_A, 0);
	teardown();
}
END_TEST

START_TEST(what_is_not_canonical_is_a_general_protection_fault)
{
	build(MMU_4LEVEL);
	ck_assert_int_eq(walk(0x800000000000, MMU_READ, false).outcome,
			 MMU_GENERAL_PROTECTION);
	ck_assert_int_eq(walk(0xffff7fffffffffff, MMU_READ, false).outcome,
			 MMU_GENERAL_PROTECTION);
	ck_assert_int_eq(walk(0xffff800000000000, MMU_READ, false).outcome,
			 MMU_PAGE_FAULT);
	regs.mode = MMU_5LEVEL;
	ck_assert_int_eq(walk(0x800000000000, MMU_READ, false).outcome,
			 MMU_PAGE_FAULT);
	teardown();
}
END_TEST

START_TEST(a_bad_pdpte_is_refused_when_cr3_is_loaded)
{
	uint64_t before;

	build(MMU_PAE);
	before = regs.cr3;
	store(entry_at[2], load(entry_at[2]) | PTE_RW);
	ck_assert(!mmu_load_cr3(ram, &regs, 0x1000));
	ck_assert_uint_eq(regs.cr3, before);
	/* What was loaded before is still used. */
	ck_assert_int_eq(walk(VA, MMU_READ, true).outcome, MMU_OK);
	teardown();
}
END_TEST

START_TEST(large_pages_take_their_low_bits_from_the_address)
{
	struct mmu_result r;

	build(MMU_4LEVEL);
	store(entry_at[1], 0x600000 | PTE_P | PTE_RW | PTE_US | PTE_PS);
	r = walk(VA, MMU_READ, true);
	ck_assert_uint_eq(r.pa, 0x600000 | (VA & 0x1fffff));
	ck_assert_uint_eq(r.page_shift, 21);
	store(entry_at[2], 0x40000000 | PTE_P | PTE_RW | PTE_US | PTE_PS);
	r = walk(VA, MMU_READ, true);
	ck_assert_uint_eq(r.pa, 0x40000000 | (VA & 0x3fffffff));
	ck_assert_uint_eq(r.page_shift, 30);
	teardown();
	/* PSE-36: bits 13 to 20 of a 4 MiB entry are address bits 32 to 39. */
	build(MMU_32BIT);
	store(entry_at[1], 0x10000000 | 3U << 13 | PTE_P | PTE_US | PTE_PS);
	r = walk(VA, MMU_READ, true);
	ck_assert_uint_eq(r.pa, 0x310000000 | (VA & 0x3fffff));
	teardown();
}
END_TEST

START_TEST(without_paging_an_address_is_physical)
{
	build(MMU_4LEVEL);
	regs.mode = MMU_NONE;
	ck_assert_uint_eq(walk(VA, MMU_WRITE, true).pa, VA);
	teardown();
}
END_TEST

START_TEST(a_base_is_added_to_addresses_below_the_limit)
{
	struct mmu_result r;

	build(MMU_4LEVEL);
	regs.mode = MMU_BOUNDS;
	regs.base = 17624;
	regs.limit = 1501;
	r = walk(499, MMU_WRITE, true);
	ck_assert_int_eq(r.outcome, MMU_OK);
	ck_assert_uint_eq(r.pa, 18123);
	ck_assert_uint_eq(walk(1500, MMU_READ, true).pa, 17624 + 1500);
	ck_assert_int_eq(walk(1501, MMU_READ, true).outcome,
			 MMU_GENERAL_PROTECTION);
	teardown();
}
END_TEST

/* Bit 7 valid, 6 writable, 5 user, 4 accessed, 3 dirty; three bits of frame. */
static const struct mmu_format textbook = {
	.levels = 2,
	.va_bits = 9,
	.entry_bytes = 1,
	.page_shift = 5,
	.frame_bits = 3,
	.index_bits = {2, 2},
	.present = 0x80,
	.write = 0x40,
	.user = 0x20,
	.accessed = 0x10,
	.dirty = 0x08,
};

START_TEST(a_described_format_has_its_own_bits)
{
	/* Index 2 and 3, offset 5. */
	const va_t va = 2 << 7 | 3 << 5 | 5;
	const struct mmu_request write = {
		.va = va, .access = MMU_WRITE, .user = true};
	struct mmu_result r;

	build(MMU_4LEVEL);
	regs.mode = MMU_CUSTOM;
	regs.format = &textbook;
	ck_assert(mmu_load_cr3(ram, &regs, 0x40));
	ram_store(ram, 0x42, 1, 0x80 | 0x60 | 4);
	ram_store(ram, 0x83, 1, 0x80 | 0x60 | 7);
	r = walk(va, MMU_READ, true);
	ck_assert_int_eq(r.outcome, MMU_OK);
	ck_assert_uint_eq(r.pa, 7 * 32 + 5);
	ck_assert_uint_eq(r.page_shift, 5);
	mmu_walk(ram, &regs, &write, &r);
	ck_assert_uint_eq(mmu_set_bits(ram, &regs, &write, &r), 2);
	ck_assert_uint_eq(ram_load(ram, 0x42, 1), 0x80 | 0x60 | 0x10 | 4);
	ck_assert_uint_eq(ram_load(ram, 0x83, 1), 0x80 | 0x60 | 0x18 | 7);
	/* Not user: for a user it is forbidden, though there. */
	ram_store(ram, 0x42, 1, 0x80 | 0x40 | 4);
	ck_assert_uint_eq(walk(va, MMU_READ, true).error_code,
			  PF_PROT | PF_USER);
	ck_assert_int_eq(walk(va, MMU_READ, false).outcome, MMU_OK);
	ck_assert_int_eq(walk(1 << 9, MMU_READ, false).outcome,
			 MMU_GENERAL_PROTECTION);
	teardown();
}
END_TEST

Suite *
suite_mmu(void)
{
	Suite *suite = suite_create("mmu");
	TCase *tc = tcase_create("mmu");

	tcase_add_loop_test(tc,
			    an_address_splits_into_indices_as_the_manual_says,
			    0, ARRAY_SIZE(splits));
	tcase_add_loop_test(tc, each_level_alone_can_make_each_fault, 0,
			    ARRAY_SIZE(faults));
	tcase_add_test(tc, each_reserved_bit_alone_faults_for_every_access);
	tcase_add_test(tc, the_kernel_writes_to_read_only_pages_when_wp_is_off);
	tcase_add_test(tc, smep_and_smap_keep_the_kernel_off_user_pages);
	tcase_add_test(tc, reads_set_accessed_and_the_first_write_sets_dirty);
	tcase_add_test(tc, a_fault_sets_no_bit);
	tcase_add_test(tc, what_is_not_canonical_is_a_general_protection_fault);
	tcase_add_test(tc, a_bad_pdpte_is_refused_when_cr3_is_loaded);
	tcase_add_test(tc, large_pages_take_their_low_bits_from_the_address);
	tcase_add_test(tc, without_paging_an_address_is_physical);
	tcase_add_test(tc, a_base_is_added_to_addresses_below_the_limit);
	tcase_add_test(tc, a_described_format_has_its_own_bits);
	suite_add_tcase(suite, tc);
	return suite;
}
