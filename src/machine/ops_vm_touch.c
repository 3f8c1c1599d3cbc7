// SPDX-License-Identifier: MIT
/*
 * ops_vm_touch.c - a task touches its memory, or the kernel does for it
 *
 * What it models: loads, stores and fetches of a task on its CPU, with TLB,
 * walk and faults; copy_to_user, copy_from_user; pages that a driver pins.
 *
 * How it works: the task is switched to if its CPU runs another.  A signal that
 * it gets is the op's failure: EFAULT.
 */
#include "ops_task_impl.h"

#include "kmemfs/base/text.h"

#include <errno.h>
#include <string.h>

#define READ_MOST KIB(64) /* bytes of an answer */
#define PINS_MOST 4096

static const char *
signal_name(uint32_t sig)
{
	return sig == VM_SIGBUS ? "SIGBUS" : "SIGSEGV";
}

static const char *
signal_code(const struct vm_access_result *r, uint32_t code)
{
	if (r->sig == VM_SIGBUS)
		return "BUS_ADRERR";
	return code == VM_SEGV_ACCERR	? "SEGV_ACCERR"
	       : code == VM_SEGV_MAPERR ? "SEGV_MAPERR"
					: "SI_KERNEL";
}

static int
access_failed(struct op *op, const struct task *t,
	      const struct vm_access_result *r, int err)
{
	switch (err) {
	case -EFAULT:
		return op_fail(op, EFAULT, "%s (%s) at %#llx: task %d %s",
			       signal_name(r->sig), signal_code(r, t->sig_code),
			       (unsigned long long)t->sig_addr, t->pid,
			       t->state == TASK_ZOMBIE ? "has ended"
						       : "handles it");
	case -ENOMEM:
		return op_fail(op, ENOMEM, "no frame for a fault of task %d",
			       t->pid);
	case -ELOOP:
		return op_fail(op, ELOOP,
			       "damaged tables: task %d would fault for ever",
			       t->pid);
	default:
		return op_call_failed(op, "access", err);
	}
}

/* Bytes are touched by the op's task; stores the result. */
static int
touch(struct op *op, struct vm_access *a, struct vm_access_result *r)
{
	struct vm *vm = op->m->vm;
	struct task *t = op->task;
	int err = vm_switch_to(vm, t->cpu, t);

	if (err)
		return op_call_failed(op, "switch_to", err);
	a->user = true;
	err = vm_access(vm, t->cpu, a, r);
	return err ? access_failed(op, t, r, err) : 0;
}

static void
answer_access(struct op *op, const struct vm_access_result *r)
{
	op_answer(op,
		  "bytes=%llu physical=%#llx l1=%u l2=%u walks=%u faults=%u",
		  (unsigned long long)r->done, (unsigned long long)r->pa,
		  r->l1_hits, r->l2_hits, r->walks, r->faults);
	if (r->cycles)
		op_answer(op, " cycles=%llu", (unsigned long long)r->cycles);
	if (r->stale)
		op_answer(op, " stale");
}

int
op_read_access(struct op *op, int param, const char *word,
	       enum mmu_access *access)
{
	static const char *const words[NR_MMU_ACCESSES] = {
		[MMU_READ] = "read",
		[MMU_WRITE] = "write",
		[MMU_FETCH] = "exec",
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (!strcmp(words[i], word)) {
			*access = (enum mmu_access)i;
			return 0;
		}
	return op_refuse(op, param, EINVAL, "%s: not read, write or exec",
			 word);
}

int
op_vm_touch(struct op *op, struct args_vm_touch *a)
{
	struct vm_access x = {.len = a->size};
	struct vm_access_result r;
	int err = op_read_access(op, ARG_VM_TOUCH_ACCESS, a->access, &x.access);

	if (!err)
		err = op_begin_at(op, ARG_VM_TOUCH_TASK, ARG_VM_TOUCH_ADDRESS,
				  a->address, &x.va, &x.len);
	if (!err)
		err = touch(op, &x, &r);
	if (!err)
		answer_access(op, &r);
	return err;
}

int
op_vm_write(struct op *op, struct args_vm_write *a)
{
	struct vm_access x = {.len = a->data.len, .access = MMU_WRITE};
	struct vm_access_result r;
	int err;

	if (!a->data.len)
		return op_refuse(op, ARG_VM_WRITE_DATA, EINVAL,
				 "there are no bytes to write");
	err = op_begin_at(op, ARG_VM_WRITE_TASK, ARG_VM_WRITE_ADDRESS,
			  a->address, &x.va, NULL);
	if (err)
		return err;
	x.va += a->offset;
	/* It is only read from. */
	x.bytes = (uint8_t *)(uintptr_t)a->data.data;
	err = touch(op, &x, &r);
	if (!err)
		answer_access(op, &r);
	return err;
}

/* As text when it is some, else in hex. */
static void
answer_bytes(struct op *op, const uint8_t *bytes, uint64_t len)
{
	bool text = len;

	for (uint64_t i = 0; text && i < len; i++)
		text = bytes[i] > ' ' && bytes[i] < 127;
	if (text &&
	    g_ascii_strncasecmp((const char *)bytes, "hex:", MIN_OF(len, 4))) {
		op_answer(op, "%.*s", (int)len, (const char *)bytes);
		return;
	}
	op_answer(op, "hex:");
	for (uint64_t i = 0; i < len; i++)
		op_answer(op, "%02x", bytes[i]);
}

static int
check_read(struct op *op, int param, uint64_t size)
{
	if (size && size <= READ_MOST)
		return 0;
	return op_refuse(op, param, EINVAL,
			 "between 1 and %llu bytes at a time",
			 (unsigned long long)READ_MOST);
}

int
op_vm_read(struct op *op, struct args_vm_read *a)
{
	struct vm_access x = {.len = a->size, .access = MMU_READ};
	struct vm_access_result r;
	int err = check_read(op, ARG_VM_READ_SIZE, a->size);

	if (!err)
		err = op_begin_at(op, ARG_VM_READ_TASK, ARG_VM_READ_ADDRESS,
				  a->address, &x.va, NULL);
	if (err)
		return err;
	x.bytes = g_malloc0(x.len);
	err = touch(op, &x, &r);
	if (!err)
		answer_bytes(op, x.bytes, r.done);
	g_free(x.bytes);
	return err;
}

/* --- a debugger ---------------------------------------------------------- */

int
op_poke_user(struct op *op, struct task *t, va_t at,
	     const struct op_bytes *data, int err)
{
	uint64_t done =
		vm_copy_to_user(op->m->vm, t, at, data->data, data->len);

	if (done < data->len)
		return op_fail(op, err,
			       "%llu of %zu bytes: task %d may not write at "
			       "%#llx",
			       (unsigned long long)done, data->len, t->pid,
			       (unsigned long long)(at + done));
	op_answer(op, "address=%#llx bytes=%zu", (unsigned long long)at,
		  data->len);
	return 0;
}

/* --- the kernel, for a task ---------------------------------------------- */

int
op_vm_copy_to_user(struct op *op, struct args_vm_copy_to_user *a)
{
	uint64_t done;
	va_t to;
	int err =
		op_begin_at(op, ARG_VM_COPY_TO_USER_TASK,
			    ARG_VM_COPY_TO_USER_ADDRESS, a->address, &to, NULL);

	if (err)
		return err;
	done = vm_copy_to_user(op->m->vm, op->task, to, a->data.data,
			       a->data.len);
	op_answer(op, "copied=%llu left=%llu", (unsigned long long)done,
		  (unsigned long long)(a->data.len - done));
	return 0;
}

int
op_vm_copy_from_user(struct op *op, struct args_vm_copy_from_user *a)
{
	uint8_t *bytes;
	uint64_t done;
	va_t from;
	int err = check_read(op, ARG_VM_COPY_FROM_USER_SIZE, a->size);

	if (!err)
		err = op_begin_at(op, ARG_VM_COPY_FROM_USER_TASK,
				  ARG_VM_COPY_FROM_USER_ADDRESS, a->address,
				  &from, NULL);
	if (err)
		return err;
	bytes = g_malloc0(a->size);
	done = vm_copy_from_user(op->m->vm, op->task, bytes, from, a->size);
	op_answer(op, "copied=%llu left=%llu ", (unsigned long long)done,
		  (unsigned long long)(a->size - done));
	answer_bytes(op, bytes, done);
	g_free(bytes);
	return 0;
}

int
op_vm_pin_user_pages(struct op *op, struct args_vm_pin_user_pages *a)
{
	pfn_t *pfns;
	int64_t got;
	va_t va;
	int err = 0;

	if (!a->pages || a->pages > PINS_MOST)
		err = op_refuse(op, ARG_VM_PIN_USER_PAGES_PAGES, EINVAL,
				"between 1 and %d pages at a time", PINS_MOST);
	if (!err)
		err = op_begin_at(op, ARG_VM_PIN_USER_PAGES_TASK,
				  ARG_VM_PIN_USER_PAGES_ADDRESS, a->address,
				  &va, NULL);
	if (err)
		return err;
	pfns = g_new(pfn_t, a->pages);
	got = vm_pin_pages(op->m->vm, op->task, va, a->pages, a->write, pfns);
	if (got < 0) {
		err = op_call_failed(op, "pin_user_pages", (int)got);
	} else {
		op_answer(op, "pinned=%lld", (long long)got);
		for (int64_t i = 0; i < got; i++)
			op_answer(op, " %llu", (unsigned long long)pfns[i]);
	}
	g_free(pfns);
	return err;
}

int
op_vm_unpin_user_page(struct op *op, struct args_vm_unpin_user_page *a)
{
	if (a->pfn >= op->m->phys->max_pfn ||
	    vm_unpin_page(op->m->vm, a->pfn, a->dirty, (unsigned int)a->cpu))
		return op_refuse(op, ARG_VM_UNPIN_USER_PAGE_PFN, EINVAL,
				 "pfn %llu is not pinned",
				 (unsigned long long)a->pfn);
	return 0;
}
