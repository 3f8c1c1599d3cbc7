// SPDX-License-Identifier: MIT
/* test_ops_task.c - ops on tasks and their memory */
#include "replay_feed.h"

#include "kmemfs/machine/op.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static void
setup_task(void)
{
	feed_setup_config("[machine]\n"
			  "arch = x86-64\n"
			  "memory = 64M\n"
			  "cpus = 2\n");
	feed_op("task/fork name=sh");
	feed_op("vm/mmap sh 64K name=heap");
}

static void
answers(const char *line, const char *want)
{
	struct out answer = OUT_INIT;
	struct refusal r = {0};

	machine_do(feed_m, line, &answer, &r);
	ck_assert_msg(!strcmp(out_text(&answer), want), "%s: %s, not %s", line,
		      out_text(&answer), want);
	out_fini(&answer);
}

/* It is answered with @err, whether refused or failed. */
static struct refusal
fails(const char *line, int err)
{
	struct refusal r = {0};
	int got = machine_do(feed_m, line, NULL, &r);

	ck_assert_msg(got == -err, "%s: %d", line, got);
	ck_assert(*r.sentence);
	return r;
}

static const struct allocation *
area(const char *name)
{
	return allocation_find(feed_m, name);
}

START_TEST(a_child_has_its_own_copy_once_it_writes)
{
	feed_op("vm/write sh heap hello");
	feed_op("task/fork sh name=child");
	answers("vm/read child heap 5", "hello");
	feed_op("vm/write child heap jello");
	answers("vm/read child heap 5", "jello");
	answers("vm/read sh heap 5", "hello");
	feed_verify();
}
END_TEST

START_TEST(a_thread_sees_what_the_other_writes)
{
	feed_op("task/fork sh name=thread share=thread cpu=1");
	feed_op("vm/write thread heap hello");
	answers("vm/read sh heap 5", "hello");
	feed_op("task/exit thread group=no");
	ck_assert_ptr_null(task_named(feed_m->vm, "thread"));
	feed_verify();
}
END_TEST

static const struct {
	const char *line;
	int err;
	const char *sentence;
} reasons[] = {
	{"vm/mmap sh 4K flags=MAP_ANONYMOUS",				      EINVAL,
	 "mmap: Invalid argument: flags must have one of MAP_PRIVATE and "
	 "MAP_SHARED"																},
	{"vm/mmap sh 300T",						     ENOMEM,
	 "mmap: Cannot allocate memory: it is longer than all addresses of a "
	 "task"																      },
	{"vm/mmap sh 4K addr=0x1000 flags=MAP_PRIVATE|MAP_ANONYMOUS|MAP_FIXED",
	 EPERM,									 "mmap: Operation not permitted: it is below vm.mmap_min_addr"},
	{"vm/munmap sh 0x1001 4K",					      EINVAL,
	 "munmap: Invalid argument: the address is not that of a page"									       },
	{"vm/mprotect sh 0x10000 PROT_READ 4K",					ENOMEM,
	 "mprotect: Cannot allocate memory: nothing is mapped there"										 },
	{"vm/mremap sh heap 0",						 EINVAL,
	 "mremap: Invalid argument: the new size is 0"											       },
	{"vm/madvise sh 0x10000 MADV_DONTNEED 4K",				   ENOMEM,
	 "madvise: Cannot allocate memory: there is a hole in the range, where "
	 "nothing is mapped"															 },
	{"vm/mlockall sh MCL_ONFAULT",					  EINVAL,
	 "mlockall: Invalid argument: flags must have MCL_CURRENT or "
	 "MCL_FUTURE"																},
};

START_TEST(a_call_that_fails_says_for_what)
{
	struct refusal r = fails(reasons[_i].line, reasons[_i].err);

	ck_assert_str_eq(r.sentence, reasons[_i].sentence);
}
END_TEST

START_TEST(a_mapping_that_is_unmapped_is_no_allocation_any_more)
{
	feed_op("vm/munmap sh heap");
	ck_assert_ptr_null(area("heap"));
	feed_verify();
}
END_TEST

START_TEST(a_mapping_without_its_beginning_begins_later)
{
	va_t was = area("heap")->address;
	char line[100];

	snprintf(line, sizeof(line), "vm/munmap sh %#llx 8K",
		 (unsigned long long)was);
	feed_op(line);
	ck_assert_uint_eq(area("heap")->address, was + 8192);
	ck_assert_uint_eq(area("heap")->size, 65536 - 8192);
	feed_verify();
}
END_TEST

START_TEST(a_mapping_with_a_hole_ends_there)
{
	char line[100];

	snprintf(line, sizeof(line), "vm/munmap sh %#llx 8K",
		 (unsigned long long)area("heap")->address + 16384);
	feed_op(line);
	ck_assert_uint_eq(area("heap")->size, 16384);
	feed_verify();
}
END_TEST

START_TEST(a_mapping_that_moves_keeps_its_name)
{
	va_t was;

	/* The heap above it is in the way. */
	feed_op("vm/mmap sh 4K name=below");
	was = area("below")->address;
	feed_op("vm/write sh below hello");
	feed_op("vm/mremap sh below 1M");
	ck_assert_uint_eq(area("below")->size, MIB(1));
	ck_assert_uint_ne(area("below")->address, was);
	answers("vm/read sh below 5", "hello");
	feed_verify();
}
END_TEST

START_TEST(a_mapping_that_grows_in_place_leaves_its_neighbours_alone)
{
	char line[100];
	va_t at;

	/* Two allocations, one area: the upper one is where the lower ends. */
	feed_op("vm/mmap sh 64K name=above addr=0x10010000");
	feed_op("vm/mmap sh 64K name=lower addr=0x10000000");
	at = area("lower")->address;
	ck_assert_uint_eq(area("above")->address, at + KIB(64));
	snprintf(line, sizeof(line), "vm/mremap sh %#llx 256K old_size=128K",
		 (unsigned long long)at);
	feed_op(line);
	ck_assert_uint_eq(area("lower")->size, KIB(64));
	ck_assert_uint_eq(area("above")->size, KIB(64));
	/* As large as it is not: nothing more is mapped. */
	feed_op("vm/mmap sh 4K name=small addr=0x20000000");
	feed_op("vm/mremap sh small 2M old_size=2M");
	ck_assert_uint_eq(area("small")->size, KIB(4));
	feed_verify();
}
END_TEST

START_TEST(a_mapping_that_cannot_grow_stays_as_it_is)
{
	feed_op("vm/mmap sh 16K name=parts addr=0x10000000");
	feed_op("vm/mprotect sh parts PROT_READ size=4K");
	fails("vm/mremap sh parts 1M flags=0", EFAULT);
	ck_assert_uint_eq(area("parts")->size, KIB(16));
	feed_verify();
}
END_TEST

START_TEST(a_device_keeps_no_bytes)
{
	feed_op("vm/remap_pfn_range sh 0xff000 4K name=registers");
	feed_op("vm/write sh registers hello");
	answers("vm/read sh registers 5", "hex:0000000000");
	answers("vm/copy_to_user sh registers hello", "copied=5 left=0");
	answers("vm/read sh registers 5", "hex:0000000000");
	feed_verify();
}
END_TEST

START_TEST(the_first_call_of_init_may_be_any)
{
	answers("vm/sbrk 1 4096", "brk=0x403000");
	feed_verify();
}
END_TEST

START_TEST(one_that_is_mapped_over_is_gone)
{
	char line[120];

	snprintf(line, sizeof(line),
		 "vm/mmap sh 64K name=new addr=%#llx "
		 "flags=MAP_PRIVATE|MAP_ANONYMOUS|MAP_FIXED",
		 (unsigned long long)area("heap")->address);
	feed_op(line);
	ck_assert_ptr_null(area("heap"));
	ck_assert_ptr_nonnull(area("new"));
	feed_verify();
}
END_TEST

START_TEST(who_touches_nothing_dies_and_its_mappings_go)
{
	struct refusal r = fails("vm/touch sh 0x1000", EFAULT);

	ck_assert(r.ran);
	ck_assert(strstr(r.sentence, "SIGSEGV (SEGV_MAPERR) at 0x1000"));
	ck_assert_ptr_null(task_named(feed_m->vm, "sh"));
	ck_assert_ptr_null(area("heap"));
	ck_assert(strstr(out_text(&feed_m->dmesg), "segfault at 1000"));
	feed_verify();
}
END_TEST

START_TEST(who_handles_the_signal_lives)
{
	feed_op("task/sigaction sh");
	fails("vm/touch sh 0x1000", EFAULT);
	ck_assert_ptr_nonnull(task_named(feed_m->vm, "sh"));
	ck_assert_ptr_nonnull(area("heap"));
	feed_verify();
}
END_TEST

START_TEST(a_child_that_ends_is_a_zombie_until_its_parent_waits)
{
	feed_op("task/fork sh name=child");
	fails("task/wait sh", EAGAIN);
	feed_op("task/exit child");
	ck_assert_int_eq(task_named(feed_m->vm, "child")->state, TASK_ZOMBIE);
	fails("vm/touch child heap", ESRCH);
	feed_op("task/wait sh");
	ck_assert_ptr_null(task_named(feed_m->vm, "child"));
	fails("task/wait sh", ECHILD);
	feed_verify();
}
END_TEST

START_TEST(the_zombies_of_a_zombie_go_with_it)
{
	feed_op("task/fork sh name=child");
	feed_op("task/fork child name=a");
	feed_op("task/fork child name=b");
	feed_op("task/exit a");
	feed_op("task/exit b");
	feed_op("task/exit sh");
	ck_assert_int_eq(task_named(feed_m->vm, "child")->ppid, 1);
	feed_op("task/exit child");
	ck_assert_ptr_null(task_named(feed_m->vm, "a"));
	ck_assert_ptr_null(task_named(feed_m->vm, "b"));
	feed_verify();
}
END_TEST

START_TEST(children_of_a_thread_are_the_groups)
{
	int32_t sh = task_named(feed_m->vm, "sh")->pid;

	feed_op("task/fork sh name=thread share=thread");
	feed_op("task/fork thread name=child");
	ck_assert_int_eq(task_named(feed_m->vm, "child")->ppid, sh);
	feed_op("task/exit sh group=no");
	feed_op("task/exit child");
	ck_assert_ptr_nonnull(task_named(feed_m->vm, "sh"));
	feed_op("task/wait thread");
	feed_op("task/exit thread");
	ck_assert_ptr_null(task_named(feed_m->vm, "sh"));
	feed_verify();
}
END_TEST

START_TEST(exec_of_a_thread_is_the_first_threads)
{
	struct task *sh = task_named(feed_m->vm, "sh"), *thread;
	int32_t pid = sh->pid;

	feed_op("task/fork sh name=thread share=thread");
	thread = task_named(feed_m->vm, "thread");
	feed_op("task/exec thread cat text=10K data=5K bss=8K heap=8K");
	ck_assert_ptr_null(task_named(feed_m->vm, "thread"));
	ck_assert_ptr_eq(task_named(feed_m->vm, "sh"), thread);
	ck_assert_int_eq(thread->pid, pid);
	ck_assert_ptr_eq(task_find(feed_m->vm, pid), thread);
	feed_verify();
}
END_TEST

START_TEST(exec_gives_a_new_address_space)
{
	feed_op("task/exec sh cat text=10K data=5K bss=8K heap=8K");
	ck_assert_ptr_null(area("heap"));
	ck_assert_str_eq(task_named(feed_m->vm, "sh")->comm, "cat");
	ck_assert_ptr_nonnull(vm_file_find(feed_m->vm, "cat"));
	feed_verify();
}
END_TEST

START_TEST(a_file_has_what_a_shared_mapping_writes)
{
	feed_op("file/create lib 10000 content=abc");
	feed_op("vm/mmap sh 8K name=map file=lib flags=MAP_SHARED");
	answers("vm/read sh map 3", "abc");
	feed_op("vm/write sh map xyz");
	fails("file/unlink lib", EBUSY);
	feed_op("vm/munmap sh map");
	answers("file/fsync lib", "pages=1");
	feed_op("file/unlink lib");
	ck_assert_ptr_null(vm_file_find(feed_m->vm, "lib"));
	feed_verify();
}
END_TEST

START_TEST(beyond_the_end_of_a_file_is_a_bus_error)
{
	struct refusal r;

	feed_op("file/create lib 4096");
	feed_op("vm/mmap sh 8K name=map file=lib flags=MAP_SHARED");
	feed_op("task/sigaction sh");
	r = fails("vm/touch sh map size=8K", EFAULT);
	ck_assert(strstr(r.sentence, "SIGBUS (BUS_ADRERR)"));
	feed_verify();
}
END_TEST

START_TEST(a_debuggers_write_is_seen_by_the_task)
{
	feed_op("bytes/write allocations/heap 10 hello");
	answers("vm/read sh heap 15", "hex:0000000000000000000068656c6c6f");
	feed_verify();
}
END_TEST

START_TEST(a_line_of_the_same_write_finds_the_task_of_the_one_before)
{
	struct refusal r = {0};
	struct op fork, map;
	char first[] = "task/fork name=late", second[] = "vm/mmap late 4K";

	ck_assert_int_eq(op_parse(feed_m, NULL, first, &fork, &r), 0);
	ck_assert_int_eq(op_parse(feed_m, NULL, second, &map, &r), 0);
	ck_assert_int_eq(op_run(feed_m, &fork, NULL, &r), 0);
	ck_assert_int_eq(op_run(feed_m, &map, NULL, &r), 0);
	op_fini(&fork);
	op_fini(&map);
}
END_TEST

static const struct {
	const char *line;
	int err;
	const char *says;
} wrong[] = {
	{"task/fork nobody",			     ESRCH,  "there is no task nobody"},
	{"task/fork 4194305",		      ESRCH,  "there is no task"       },
	{"task/fork name=sh",		      EEXIST, "a task called sh"	},
	{"task/fork name=init",			EEXIST, "PID 1"		       },
	{"task/exit 1",			    EPERM,  "does not end"	     },
	{"vm/mmap sh 4K name=heap",		    EEXIST, "heap"			  },
	{"vm/mmap sh 4K prot=PROT_READ|PROT_ALL",  EINVAL, "PROT_ALL"		    },
	{"vm/mmap sh 0",			   EINVAL, "mmap"		       },
	{"vm/mprotect sh heap PROT_READ 1T",	     ENOMEM, "mprotect"	       },
	{"task/setrlimit sh RLIMIT_AS much",	     EINVAL, "neither a size"	     },
	{"file/unlink lib",			    ENOENT, "no file called lib"	},
	{"vm/unpin_user_page 5",			 EINVAL, "not pinned"	     },
	{"vm/madvise sh heap MADV_FREE|MADV_COLD", EINVAL, "one advice"	       },
};

START_TEST(what_is_wrong_is_said)
{
	struct refusal r = fails(wrong[_i].line, wrong[_i].err);

	ck_assert_msg(strstr(r.sentence, wrong[_i].says) != NULL, "%s",
		      r.sentence);
	feed_verify();
}
END_TEST

static void
setup_no_mmu(void)
{
	feed_setup_config("[machine]\n"
			  "arch = generic\n"
			  "memory = 16M\n");
}

START_TEST(a_machine_without_tables_has_no_tasks_but_init)
{
	fails("task/fork name=sh", ENOSYS);
	fails("vm/mmap 1 4K", ENOSYS);
	feed_verify();
}
END_TEST

Suite *suite_ops_task(void);

Suite *
suite_ops_task(void)
{
	Suite *suite = suite_create("ops_task");
	TCase *tc = tcase_create("ops_task");

	tcase_add_checked_fixture(tc, setup_task, feed_teardown);
	tcase_add_test(tc, a_child_has_its_own_copy_once_it_writes);
	tcase_add_test(tc, a_thread_sees_what_the_other_writes);
	tcase_add_loop_test(tc, a_call_that_fails_says_for_what, 0,
			    ARRAY_SIZE(reasons));
	tcase_add_test(tc,
		       a_mapping_that_is_unmapped_is_no_allocation_any_more);
	tcase_add_test(tc, a_mapping_without_its_beginning_begins_later);
	tcase_add_test(tc, a_mapping_with_a_hole_ends_there);
	tcase_add_test(tc, a_mapping_that_moves_keeps_its_name);
	tcase_add_test(
		tc, a_mapping_that_grows_in_place_leaves_its_neighbours_alone);
	tcase_add_test(tc, a_mapping_that_cannot_grow_stays_as_it_is);
	tcase_add_test(tc, a_device_keeps_no_bytes);
	tcase_add_test(tc, the_first_call_of_init_may_be_any);
	tcase_add_test(tc, one_that_is_mapped_over_is_gone);
	tcase_add_test(tc, who_touches_nothing_dies_and_its_mappings_go);
	tcase_add_test(tc, who_handles_the_signal_lives);
	tcase_add_test(tc,
		       a_child_that_ends_is_a_zombie_until_its_parent_waits);
	tcase_add_test(tc, the_zombies_of_a_zombie_go_with_it);
	tcase_add_test(tc, children_of_a_thread_are_the_groups);
	tcase_add_test(tc, exec_of_a_thread_is_the_first_threads);
	tcase_add_test(tc, exec_gives_a_new_address_space);
	tcase_add_test(tc, a_file_has_what_a_shared_mapping_writes);
	tcase_add_test(tc, beyond_the_end_of_a_file_is_a_bus_error);
	tcase_add_test(tc, a_debuggers_write_is_seen_by_the_task);
	tcase_add_test(
		tc, a_line_of_the_same_write_finds_the_task_of_the_one_before);
	tcase_add_loop_test(tc, what_is_wrong_is_said, 0, ARRAY_SIZE(wrong));
	suite_add_tcase(suite, tc);
	tc = tcase_create("ops_task no_mmu");
	tcase_add_checked_fixture(tc, setup_no_mmu, feed_teardown);
	tcase_add_test(tc, a_machine_without_tables_has_no_tasks_but_init);
	suite_add_tcase(suite, tc);
	return suite;
}
