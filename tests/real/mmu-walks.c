// SPDX-License-Identifier: MIT
/*
 * mmu-walks.c - random tables, some damaged, and what the MMU makes of them
 *
 *   mmu-walks MODE SEED WALKS RAM-FILE
 *
 * Writes a small RAM full of tables to RAM-FILE, then prints the registers and
 * a line for each walk: what was asked, what came of it.  check-walks compares
 * it with a walker of another language that reads the same bytes.
 */
#include "kmemfs/base/random.h"
#include "kmemfs/hw/mmu.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RAM_SIZE MIB(1)
#define FRAMES (RAM_SIZE / 4096)

static uint64_t state;

static uint64_t
draw(uint64_t below)
{
	return random_next(&state) % below;
}

/* An entry that mostly leads on, with bits that mostly allow. */
static uint64_t
random_entry(unsigned int bytes)
{
	uint64_t e = PTE_P | draw(FRAMES) << 12;

	e |= draw(8) ? PTE_RW : 0;
	e |= draw(8) ? PTE_US : 0;
	e |= draw(4) ? 0 : PTE_PS;
	e |= draw(256) & (PTE_PWT | PTE_PCD | PTE_A | PTE_D);
	e |= draw(4) ? 0 : PTE_G;
	if (bytes == 8 && !draw(6))
		e |= PTE_NX;
	if (!draw(12))
		e &= ~(uint64_t)PTE_P;
	/* Damage: any one bit. */
	if (!draw(6))
		e ^= 1ULL << draw(bytes * 8);
	/* Large pages want their low address bits clear. */
	if ((e & PTE_PS) && draw(3))
		e &= ~(uint64_t)0x3fe000;
	return e;
}

/* PAE's top tables, whose entries have few bits: the first page of RAM. */
#define PDPTE_TABLES 128U

static uint64_t
random_pdpte(void)
{
	return (draw(8) ? PTE_P : 0) | draw(FRAMES) << 12 | draw(2) << 9;
}

static void
fill(struct ram *ram, enum mmu_mode mode)
{
	unsigned int bytes =
		mmu_format(&(struct mmu_regs){.mode = mode})->entry_bytes;

	for (pa_t at = 0; at < RAM_SIZE; at += bytes) {
		bool top = mode == MMU_PAE && at < PDPTE_TABLES * 32;
		uint64_t e = top ? random_pdpte() : random_entry(bytes);
		uint8_t raw[8];

		for (unsigned int b = 0; b < bytes; b++)
			raw[b] = (uint8_t)(e >> (8 * b));
		ram_write(ram, at, raw, bytes);
	}
}

static void
random_regs(struct mmu_regs *regs, const struct ram *ram)
{
	static const uint8_t widths[] = {36, 39, 40, 46, 52};
	struct mmu_regs fresh = {
		.mode = regs->mode,
		.phys_bits = regs->mode == MMU_32BIT
				     ? widths[draw(3)]
				     : widths[draw(ARRAY_SIZE(widths))],
		.wp = draw(2),
		.pse = draw(4),
		.nxe = regs->mode != MMU_32BIT && draw(4),
		.smep = draw(2),
		.smap = draw(2),
		.gb_pages = draw(2),
	};

	/* Flags such as PWT in CR3 play no part.  A and D bits of walks that
	 * took PDPTEs for other entries may have made some of them bad. */
	do {
		*regs = fresh;
	} while (!mmu_load_cr3(ram, regs,
			       regs->mode == MMU_PAE
				       ? draw(PDPTE_TABLES) << 5
				       : draw(FRAMES) << 12 | draw(4) << 3));
}

static va_t
random_va(const struct mmu_regs *regs)
{
	va_t va = draw(UINT64_MAX);

	if (regs->mode <= MMU_PAE)
		return draw(64) ? va & UINT32_MAX : va;
	/* Canonical, but now and then. */
	if (draw(64))
		va = (va_t)((int64_t)(va << (64 - mmu_format(regs)->va_bits)) >>
			    (64 - mmu_format(regs)->va_bits));
	return va;
}

static void
one_walk(struct ram *ram, const struct mmu_regs *regs)
{
	struct mmu_request q = {
		.va = random_va(regs),
		.access = (enum mmu_access)draw(3),
		.user = draw(2),
		.ac = draw(2),
	};
	struct mmu_result r;

	mmu_walk(ram, regs, &q, &r);
	printf("walk\t%#" PRIx64 "\t%d\t%d\t%d\t%d\t%#x\t%#" PRIx64 "\t%d\t%d",
	       q.va, q.access, q.user, q.ac, r.outcome, r.error_code, r.pa,
	       r.page_shift, r.nr_steps);
	mmu_set_bits(ram, regs, &q, &r);
	/* The entries as they stand now: A and D are in them. */
	for (unsigned int i = 0; i < r.nr_steps; i++) {
		uint8_t raw[8] = {0};
		uint64_t entry;

		ram_read(ram, r.step[i].at, raw, mmu_format(regs)->entry_bytes);
		memcpy(&entry, raw, sizeof(entry));
		printf("\t%#" PRIx64 "=%#" PRIx64, r.step[i].at, entry);
	}
	putchar('\n');
}

static void
save(const struct ram *ram, const char *path)
{
	FILE *file = fopen(path, "w");
	uint8_t page[4096];

	if (!file) {
		perror(path);
		exit(1);
	}
	for (pa_t at = 0; at < RAM_SIZE; at += sizeof(page)) {
		ram_read(ram, at, page, sizeof(page));
		fwrite(page, sizeof(page), 1, file);
	}
	fclose(file);
}

int
main(int argc, char **argv)
{
	struct mmu_regs regs = {.mode = NR_MMU_MODES};
	unsigned long walks;
	struct ram *ram;

	if (argc != 5)
		return 2;
	for (int m = MMU_32BIT; m <= MMU_5LEVEL; m++)
		if (!strcmp(argv[1], mmu_mode_names[m]))
			regs.mode = (enum mmu_mode)m;
	if (regs.mode == NR_MMU_MODES)
		return 2;
	state = strtoull(argv[2], NULL, 0);
	walks = strtoul(argv[3], NULL, 0);
	ram = ram_new(RAM_SIZE, GIB(1));
	fill(ram, regs.mode);
	save(ram, argv[4]);
	for (unsigned long i = 0; i < walks; i++) {
		if (i % 100 == 0) {
			random_regs(&regs, ram);
			printf("regs\t%#" PRIx64 "\t%d\t%d\t%d\t%d\t%d\t%d\t%d"
			       "\n",
			       regs.cr3, regs.phys_bits, regs.wp, regs.pse,
			       regs.nxe, regs.smep, regs.smap, regs.gb_pages);
		}
		one_walk(ram, &regs);
	}
	ram_free(ram);
	return 0;
}
