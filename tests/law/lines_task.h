// SPDX-License-Identifier: MIT
/*
 * lines_task.h - lines at random for tasks: made, mapped, touched, ended
 *
 * Of law_machine.c, which has run, below(), ONE_OF.
 */
#ifndef TESTS_LAW_LINES_TASK_H
#define TESTS_LAW_LINES_TASK_H

static const char *const tasks[] = {"sh", "cat", "t1", "t2", "t3", "1"};
static const char *const maps[] = {"m1", "m2", "m3", "m4", "m5", "m6"};
static const char *const files[] = {"lib", "data"};
static const char *const prots[] = {"PROT_READ", "PROT_READ|PROT_WRITE",
				    "PROT_NONE", "PROT_READ|PROT_EXEC"};
static const char *const advices[] = {
	"MADV_DONTNEED", "MADV_FREE",		"MADV_WILLNEED",
	"MADV_DONTFORK", "MADV_POPULATE_WRITE", "MADV_HUGEPAGE",
};

static void
put_range(struct out *out)
{
	if (below(3))
		out_printf(out, " address=%s", ONE_OF(maps));
	else
		out_printf(out, " address=%#llx size=%u",
			   0x7ffff7000000ULL + below(64) * 4096,
			   (1 + below(8)) * 4096);
}

static void
line_task(struct out *out)
{
	switch (below(8)) {
	case 0:
	case 1:
	case 2:
		out_printf(out, "task/fork %s name=%s cpu=%u", ONE_OF(tasks),
			   ONE_OF(tasks), below(run.m->phys->nr_cpus));
		if (below(4) == 0)
			out_printf(out, " share=%s",
				   below(2) ? "thread" : "vm");
		break;
	case 3:
		out_printf(out, "task/exit %s", ONE_OF(tasks));
		break;
	case 4:
		out_printf(out,
			   "task/exec %s prog%u text=%u data=%u bss=%u "
			   "heap=%u",
			   ONE_OF(tasks), below(3), below(200000), below(20000),
			   below(20000), below(30000));
		break;
	case 5:
		out_printf(out, "task/run %s cpu=%u", ONE_OF(tasks),
			   below(run.m->phys->nr_cpus));
		break;
	case 6:
		out_printf(out, "task/wait %s", ONE_OF(tasks));
		break;
	default:
		out_printf(out, "task/sigaction %s", ONE_OF(tasks));
	}
}

static void
line_map(struct out *out)
{
	switch (below(8)) {
	case 0:
	case 1:
	case 2:
		out_printf(out, "vm/mmap %s %uK name=%s prot=%s", ONE_OF(tasks),
			   4 * (1 + below(below(8) ? 20 : 2000)), ONE_OF(maps),
			   ONE_OF(prots));
		if (below(3) == 0)
			out_printf(out, " flags=%s file=%s offset=%uK",
				   below(2) ? "MAP_SHARED" : "MAP_PRIVATE",
				   ONE_OF(files), 4 * below(8));
		else if (below(4) == 0)
			out_str(out, " flags=MAP_SHARED|MAP_ANONYMOUS");
		break;
	case 3:
		out_printf(out, "vm/munmap %s", ONE_OF(tasks));
		put_range(out);
		break;
	case 4:
		out_printf(out, "vm/mprotect %s prot=%s", ONE_OF(tasks),
			   ONE_OF(prots));
		put_range(out);
		break;
	case 5:
		out_printf(out, "vm/mremap %s %s new_size=%uK", ONE_OF(tasks),
			   ONE_OF(maps), 4 * (1 + below(40)));
		break;
	case 6:
		out_printf(out, "vm/madvise %s advice=%s", ONE_OF(tasks),
			   ONE_OF(advices));
		put_range(out);
		break;
	default:
		out_printf(out, "vm/%s %s", below(2) ? "mlock" : "munlock",
			   ONE_OF(tasks));
		put_range(out);
	}
}

static void
line_touch(struct out *out)
{
	static const char *const ways[] = {"read", "write", "exec"};

	switch (below(6)) {
	case 0:
	case 1:
		out_printf(out, "vm/write %s %s offset=%u data=hello",
			   ONE_OF(tasks), ONE_OF(maps), below(40) * 1000);
		break;
	case 2:
	case 3:
		out_printf(out, "vm/touch %s access=%s", ONE_OF(tasks),
			   ONE_OF(ways));
		put_range(out);
		break;
	case 4:
		out_printf(out, "vm/copy_to_user %s %s data=bytes",
			   ONE_OF(tasks), ONE_OF(maps));
		break;
	default:
		out_printf(out, "bytes/write allocations/%s %u text",
			   ONE_OF(maps), below(9000));
	}
}

static void
line_file(struct out *out)
{
	const char *file = ONE_OF(files);

	switch (below(6)) {
	case 0:
	case 1:
		out_printf(out, "file/create %s %u content=abc", file,
			   below(100000));
		break;
	case 2:
		out_printf(out, "file/write %s %u hello", file, below(100000));
		break;
	case 3:
		out_printf(out, "file/truncate %s %u", file, below(100000));
		break;
	case 4:
		out_printf(out, "file/unlink %s", file);
		break;
	default:
		out_printf(out, "file/fsync %s", file);
	}
}

#endif
