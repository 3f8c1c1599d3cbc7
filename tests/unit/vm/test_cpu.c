// SPDX-License-Identifier: MIT
/* test_cpu.c - a CPU by itself, and user tables of their own */
#include "vmed.h"

#include "kmemfs/vm/cpu.h"

#include <string.h>

Suite *suite_cpu(void);

#define TOP 0x300000ULL
#define VA 0x12345670ULL
#define BITS (PTE_P | PTE_RW | PTE_US)

/* Tables for VA at TOP and behind it, the leaf at 0x10000. */
static void
build(struct vmed *m)
{
	ram_store(m->ram, TOP, 8, (TOP + 0x1000) | BITS);
	ram_store(m->ram, TOP + 0x1000, 8, (TOP + 0x2000) | BITS);
	ram_store(m->ram, TOP + 0x2000 + 0x91 * 8, 8, (TOP + 0x3000) | BITS);
	ram_store(m->ram, TOP + 0x3000 + 0x145 * 8, 8, 0x10000 | BITS);
}

static struct cpu_result
look(struct vmed *m, va_t va, enum mmu_access access)
{
	const struct mmu_request q = {.va = va, .access = access, .user = true};
	struct cpu_result r;

	cpu_look(m->vm, 1, &q, &r);
	return r;
}

START_TEST(tables_made_by_hand_translate)
{
	struct vmed *m = vmed_usual();
	struct cpu_result r;

	build(m);
	ck_assert_int_eq(cpu_load_cr3(m->vm, 1, TOP), 0);
	r = look(m, VA, MMU_READ);
	ck_assert_int_eq(r.outcome, MMU_OK);
	ck_assert_int_eq(r.where, TLB_MISS);
	ck_assert_uint_eq(r.pa, 0x10670);
	ck_assert_uint_eq(r.written, 4);
	ck_assert_int_eq(look(m, VA, MMU_READ).where, TLB_HIT_L1);
	/* The first write walks again, to set D. */
	r = look(m, VA, MMU_WRITE);
	ck_assert_int_eq(r.where, TLB_MISS);
	ck_assert_uint_eq(r.written, 1);
	ck_assert_uint_eq(ram_load(m->ram, TOP + 0x3000 + 0x145 * 8, 8),
			  0x10000 | BITS | PTE_A | PTE_D);
	ck_assert_int_eq(look(m, VA, MMU_WRITE).where, TLB_HIT_L1);
	vmed_free(m);
}
END_TEST

START_TEST(a_fault_leaves_its_address_and_no_entry)
{
	struct vmed *m = vmed_usual();
	struct cpu_result r;

	build(m);
	ck_assert_int_eq(cpu_load_cr3(m->vm, 1, TOP), 0);
	r = look(m, VA + 0x1000, MMU_WRITE);
	ck_assert_int_eq(r.outcome, MMU_PAGE_FAULT);
	ck_assert_uint_eq(r.error_code, PF_WRITE | PF_USER);
	ck_assert_uint_eq(m->vm->cpu[1].cr2, VA + 0x1000);
	ck_assert_int_eq(look(m, 0x800000000000, MMU_READ).outcome,
			 MMU_GENERAL_PROTECTION);
	ck_assert_uint_eq(m->vm->cpu[1].cr2, VA + 0x1000);
	vmed_free(m);
}
END_TEST

static void
count_stale(void *user, unsigned int cpu, va_t va)
{
	(void)cpu;
	(void)va;
	++*(unsigned int *)user;
}

START_TEST(an_entry_that_nobody_flushed_is_used_and_told_of)
{
	struct vmed *m = vmed_usual();
	unsigned int told = 0;

	m->vm->hooks.user = &told;
	m->vm->hooks.stale_used = count_stale;
	build(m);
	ck_assert_int_eq(cpu_load_cr3(m->vm, 1, TOP), 0);
	look(m, VA, MMU_READ);
	ck_assert(!look(m, VA, MMU_READ).stale);
	ram_store(m->ram, TOP + 0x3000 + 0x145 * 8, 8, 0);
	vm_bytes_changed(m->vm, TOP + 0x3000 + 0x145 * 8, 8);
	ck_assert(look(m, VA, MMU_READ).stale);
	ck_assert_uint_eq(look(m, VA, MMU_READ).pa, 0x10670);
	ck_assert_uint_eq(told, 2);
	cpu_invlpg(m->vm, 1, VA);
	ck_assert_int_eq(look(m, VA, MMU_READ).outcome, MMU_PAGE_FAULT);
	ck_assert_uint_eq(told, 2);
	m->vm->hooks.user = NULL;
	m->vm->hooks.stale_used = NULL;
	vmed_free(m);
}
END_TEST

START_TEST(reserved_bits_of_cr3_are_a_protection_fault)
{
	struct vmed *m = vmed_usual();

	ck_assert_int_eq(cpu_load_cr3(m->vm, 1, 1ULL << 46), -EFAULT);
	ck_assert_uint_eq(m->vm->cpu[1].regs.cr3, 0);
	vmed_free(m);
	m = vmed_new(&(struct vmed_kind){.arch = "i386-pae",
					 .vm = {.mode = MMU_PAE}});
	ram_store(m->ram, TOP, 8, 0x301000 | PTE_P | PTE_RW);
	ck_assert_int_eq(cpu_load_cr3(m->vm, 1, TOP), -EFAULT);
	ram_store(m->ram, TOP, 8, 0x301000 | PTE_P);
	ck_assert_int_eq(cpu_load_cr3(m->vm, 1, TOP), 0);
	ck_assert_uint_eq(m->vm->cpu[1].regs.pdpte[0], 0x301000 | PTE_P);
	vmed_free(m);
}
END_TEST

START_TEST(the_scheduler_takes_a_cpu_back)
{
	struct vmed *m = vmed_usual();
	va_t a = map(m, 1, RW);

	ck_assert_int_eq(poke_user(m, m->t, a, 5), 0);
	build(m);
	ck_assert_int_eq(cpu_load_cr3(m->vm, 0, TOP), 0);
	ck_assert_int_eq(vm_switch_to(m->vm, 0, NULL), 0);
	ck_assert_int_eq(vm_switch_to(m->vm, 0, m->t), 0);
	ck_assert(!m->vm->cpu[0].hand_made);
	ck_assert_uint_eq(byte_at(m, m->t, a), 5);
	vmed_free(m);
}
END_TEST

START_TEST(bits_of_control_registers_count_at_once)
{
	struct vmed *m = vmed_usual();
	const struct mmu_request kernel = {.va = VA};
	struct cpu_result r;

	build(m);
	ck_assert_int_eq(cpu_load_cr3(m->vm, 1, TOP), 0);
	cpu_look(m->vm, 1, &kernel, &r);
	ck_assert_int_eq(r.outcome, MMU_OK);
	ck_assert_uint_eq(cpu_cr4(m->vm, &m->vm->cpu[1]) >> 21 & 1, 0);
	ck_assert_int_eq(cpu_set_bit(m->vm, 1, CPU_SMAP, true), 0);
	ck_assert_uint_eq(cpu_cr4(m->vm, &m->vm->cpu[1]) >> 21 & 1, 1);
	cpu_look(m->vm, 1, &kernel, &r);
	ck_assert_int_eq(r.outcome, MMU_PAGE_FAULT);
	ck_assert_uint_eq(r.error_code, PF_PROT);
	vmed_free(m);
}
END_TEST

/* --- separate user tables ------------------------------------------------- */

static struct vmed *
separate(bool pcid)
{
	return vmed_new(&(struct vmed_kind){
		.vm = {.kpti = true, .pcid = pcid, .meltdown = true}
	    });
}

START_TEST(the_users_tables_have_the_user_half_only)
{
	struct vmed *m = separate(_i);
	const struct vm_shape *s = &m->vm->shape;
	va_t a = map(m, 1, RW);

	ck_assert_int_eq(poke_user(m, m->t, a, 9), 0);
	ck_assert_uint_eq(m->t->mm->top & VM_PAGE, 0);
	for (unsigned int i = 0; i < s->entries[s->top]; i++) {
		uint64_t mine =
			ram_load(m->ram, m->t->mm->top + VM_PAGE + i * 8, 8);
		uint64_t theirs = ram_load(m->ram, m->t->mm->top + i * 8, 8);

		if (i >= s->entries[s->top] / 2) {
			ck_assert_uint_eq(mine, 0);
		} else {
			ck_assert_uint_eq(mine & s->frame_mask,
					  theirs & s->frame_mask);
			/* The kernel runs nothing of the user's. */
			ck_assert_uint_eq(theirs & PTE_NX, theirs ? PTE_NX : 0);
			ck_assert_uint_eq(mine & PTE_NX, 0);
		}
	}
	vmed_lawful(m);
	vmed_free(m);
}
END_TEST

START_TEST(cr3_changes_with_the_mode)
{
	struct vmed *m = separate(_i);
	struct vm_cpu *c = &m->vm->cpu[0];
	va_t a = map(m, 1, RW);
	uint64_t cycles;

	ck_assert_int_eq(poke_user(m, m->t, a, 9), 0);
	ck_assert(c->user);
	ck_assert_uint_eq(c->regs.cr3, m->t->mm->top + VM_PAGE);
	cycles = c->cycles;
	cpu_set_mode(m->vm, 0, false);
	ck_assert_uint_eq(c->regs.cr3, m->t->mm->top);
	ck_assert_uint_eq(c->cycles - cycles,
			  m->vm->costs.cr3 + m->vm->costs.mode);
	ck_assert_uint_eq(c->pcid, _i ? c->asid + 1 : 0);
	cpu_set_mode(m->vm, 0, true);
	ck_assert_uint_eq(c->pcid, _i ? (c->asid + 1) | CPU_PCID_USER : 0);
	ck_assert_uint_eq(byte_at(m, m->t, a), 9);
	vmed_lawful(m);
	vmed_free(m);
}
END_TEST

START_TEST(pcids_keep_what_each_mode_knows)
{
	struct vmed *m = separate(_i);
	struct vm_cpu *c = &m->vm->cpu[0];
	va_t a = map(m, 1, RW);
	const struct mmu_request q = {.va = a, .user = true};
	struct cpu_result r;

	ck_assert_int_eq(poke_user(m, m->t, a, 9), 0);
	cpu_set_mode(m->vm, 0, false);
	cpu_set_mode(m->vm, 0, true);
	cpu_look(m->vm, 0, &q, &r);
	ck_assert_int_eq(r.where, _i ? TLB_HIT_L1 : TLB_MISS);
	/* Both modes' entries go with the page. */
	cpu_set_mode(m->vm, 0, false);
	cpu_look(m->vm, 0, &q, &r);
	ck_assert_int_eq(r.outcome, MMU_OK);
	ck_assert_int_eq(vm_munmap(m->vm, m->t, a, VM_PAGE), 0);
	cpu_look(m->vm, 0, &q, &r);
	ck_assert_int_eq(r.outcome, MMU_PAGE_FAULT);
	cpu_set_mode(m->vm, 0, true);
	cpu_look(m->vm, 0, &q, &r);
	ck_assert_int_eq(r.outcome, MMU_PAGE_FAULT);
	ck_assert(c->user);
	vmed_free(m);
}
END_TEST

START_TEST(a_space_with_user_tables_gives_both_back)
{
	struct vmed *m = separate(false);
	uint64_t free = vmed_free_pages(m);
	struct task *t = child_of(m->t);

	ck_assert_uint_eq(t->mm->tables, m->t->mm->tables);
	end_task(t);
	ck_assert_uint_eq(vmed_free_pages(m), free);
	vmed_free(m);
}
END_TEST

Suite *
suite_cpu(void)
{
	Suite *suite = suite_create("cpu");
	TCase *tc = tcase_create("cpu");

	tcase_add_test(tc, tables_made_by_hand_translate);
	tcase_add_test(tc, a_fault_leaves_its_address_and_no_entry);
	tcase_add_test(tc, an_entry_that_nobody_flushed_is_used_and_told_of);
	tcase_add_test(tc, reserved_bits_of_cr3_are_a_protection_fault);
	tcase_add_test(tc, the_scheduler_takes_a_cpu_back);
	tcase_add_test(tc, bits_of_control_registers_count_at_once);
	tcase_add_loop_test(tc, the_users_tables_have_the_user_half_only, 0, 2);
	tcase_add_loop_test(tc, cr3_changes_with_the_mode, 0, 2);
	tcase_add_loop_test(tc, pcids_keep_what_each_mode_knows, 0, 2);
	tcase_add_test(tc, a_space_with_user_tables_gives_both_back);
	suite_add_tcase(suite, tc);
	return suite;
}
