// SPDX-License-Identifier: MIT
/*
 * ops_file.c - modelled files: what tasks map, bytes in a page cache
 *
 * What it models: creat, read, write, ftruncate, fsync and unlink of a file on
 * a device that holds bytes and may answer with errors.
 *
 * Differs from the kernel: the device is as fast as memory; a file that is
 * mapped cannot be unlinked.
 */
#include "ops_task_impl.h"

#include <errno.h>

/* Pages of files are kept by those who keep tables. */
static int
check_pages(struct op *op)
{
	if (op->m->vm->shape.f)
		return 0;
	return op_refuse(op, -1, ENOSYS,
			 "the machine has no page tables, and so no page "
			 "cache");
}

int
op_find_file(struct op *op, int param, const char *name,
	     struct vm_object **found)
{
	*found = vm_file_find(op->m->vm, name);
	if (*found)
		return check_pages(op);
	return op_refuse(op, param, ENOENT, "there is no file called %s", name);
}

int
op_file_create(struct op *op, struct args_file_create *a)
{
	struct vm *vm = op->m->vm;
	int err = check_pages(op);

	if (err)
		return err;
	if (vm_file_find(vm, a->name))
		return op_refuse(op, ARG_FILE_CREATE_NAME, EEXIST,
				 "there is a file called %s", a->name);
	if (a->size > FILE_MOST)
		return op_refuse(op, ARG_FILE_CREATE_SIZE, EFBIG,
				 "a file has at most %llu bytes", FILE_MOST);
	if (!vm_file_new(vm, a->name, a->size, a->content.data, a->content.len))
		return op_refuse(op, -1, ENFILE, "no more files can be made");
	machine_tell_entry(op->m, ENTRY_FILE, NULL, a->name);
	op_answer(op, "%s size=%llu", a->name, (unsigned long long)a->size);
	return 0;
}

int
op_file_unlink(struct op *op, struct args_file_unlink *a)
{
	struct vm_object *o;
	int err = op_find_file(op, ARG_FILE_UNLINK_FILE, a->file, &o);

	if (err)
		return err;
	if (o->refs > 1)
		return op_refuse(op, ARG_FILE_UNLINK_FILE, EBUSY,
				 "%s is mapped", a->file);
	machine_tell_entry(op->m, ENTRY_FILE, NULL, a->file);
	vm_object_put(o, (unsigned int)a->cpu);
	return 0;
}

int
op_file_write(struct op *op, struct args_file_write *a)
{
	struct vm_object *o;
	int64_t done;
	int err = op_find_file(op, ARG_FILE_WRITE_FILE, a->file, &o);

	if (err)
		return err;
	if (!a->data.len)
		return op_refuse(op, ARG_FILE_WRITE_DATA, EINVAL,
				 "there are no bytes to write");
	if (a->offset > FILE_MOST || a->data.len > FILE_MOST - a->offset)
		return op_refuse(op, ARG_FILE_WRITE_OFFSET, EFBIG,
				 "a file has at most %llu bytes", FILE_MOST);
	if (a->offset + a->data.len > o->size)
		o->size = a->offset + a->data.len;
	done = vm_object_write(o, (unsigned int)a->cpu, a->offset, a->data.data,
			       a->data.len);
	if (done < 0)
		return op_call_failed(op, "write", (int)done);
	op_answer(op, "bytes=%lld", (long long)done);
	return 0;
}

int
op_file_truncate(struct op *op, struct args_file_truncate *a)
{
	struct vm_object *o;
	int err = op_find_file(op, ARG_FILE_TRUNCATE_FILE, a->file, &o);

	if (err)
		return err;
	if (a->size > FILE_MOST)
		return op_refuse(op, ARG_FILE_TRUNCATE_SIZE, EFBIG,
				 "a file has at most %llu bytes", FILE_MOST);
	vm_object_truncate(o, (unsigned int)a->cpu, a->size);
	return 0;
}

int
op_file_fsync(struct op *op, struct args_file_fsync *a)
{
	struct vm_object *o;
	int err = op_find_file(op, ARG_FILE_FSYNC_FILE, a->file, &o);

	if (!err)
		op_answer(op, "pages=%llu",
			  (unsigned long long)vm_object_sync(o, 0, UINT64_MAX));
	return err;
}

int
op_file_break(struct op *op, struct args_file_break *a)
{
	struct vm_object *o;
	int err = op_find_file(op, ARG_FILE_BREAK_FILE, a->file, &o);

	if (!err)
		o->broken = a->broken;
	return err;
}
