// SPDX-License-Identifier: MIT
/*
 * test_errno_host.c - wrong calls: the model's errno beside the host kernel's
 *
 * Each row is made twice: in the model, and by a child of this process that has
 * the same areas at the same addresses and the same limits.  The row says what
 * 6.1 answers; where later kernels answer otherwise it says that too.
 *
 *     page  0 1    private, read and write
 *           2 3    nothing
 *           4 5    shared, of a file opened to read
 *           6 7    shared, of a file opened to read and write
 *           8 9    private, read and write, locked
 *          10      private, read only
 *          11      nothing
 */
#include "vmed.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

Suite *suite_errno_host(void);

#define P VM_PAGE
#define BASE 0x100000000000
#define AT(page) (BASE + (page)*P)
#define MEMLOCK (16 * P)
#define ANON (VM_MAP_PRIVATE | VM_MAP_ANONYMOUS)

enum call {
	MMAP,
	MUNMAP,
	MPROTECT,
	MREMAP,
	MADVISE,
	MSYNC,
	MLOCK,
	MUNLOCK,
	MLOCKALL,
	MINCORE
};

enum fd { NO_FD, BAD_FD, FD_R, FD_W, FD_RW, FD_DIR, FD_PIPE, NR_FDS };

static const struct row {
	const char *why;
	enum call call;
	uint64_t a[5]; /* arguments in the call's order, without fd */
	enum fd fd;
	int want; /* 6.1; 0: it succeeds */
	int host; /* later kernels, when they differ; -1: not asked */
} rows[] = {
	/* addr, len, prot, flags, offset */
	{"length 0",			   MMAP,	   {0, 0, 3, ANON, 0},						0,	  EINVAL,	  0},
	{"length rounds to 0",		       MMAP,     {0, UINT64_MAX, 3, ANON, 0},					  0,	     ENOMEM,     0},
	{"longer than the space",
	 MMAP,					   {0, 1ULL << 47, 3, ANON, 0},
	 0,															  ENOMEM,
	 0																	},
	{"a kernel address",
	 MMAP,					   {0xffff888000000000, P, 3, ANON | VM_MAP_FIXED, 0},
	 0,															  ENOMEM,
	 0																	},
	{"an odd offset",			  MMAP,	{0, P, 3, ANON, 100},					      0,	 EINVAL,	 0},
	{"an odd offset of a file",
	 MMAP,					   {0, P, 1, VM_MAP_SHARED, 1},
	 FD_RW,														      EINVAL,
	 0																	},
	{"an offset that wraps",
	 MMAP,					   {0, 2 * P, 1, VM_MAP_SHARED, 0xfffffffffffff000},
	 FD_RW,														      EOVERFLOW,
	 0																	},
	{"neither shared nor private",
	 MMAP,					   {0, P, 3, VM_MAP_ANONYMOUS, 0},
	 0,															  EINVAL,
	 0																	},
	{"both, of no file",
	 MMAP,					   {0, P, 3, VM_MAP_SHARED_VALIDATE | VM_MAP_ANONYMOUS, 0},
	 0,															  EINVAL,
	 0																	},
	{"a stack of a file",
	 MMAP,					   {0, P, 3, VM_MAP_PRIVATE | VM_MAP_GROWSDOWN, 0},
	 FD_RW,														      EINVAL,
	 0																	},
	{"a shared stack",
	 MMAP,					   {0, P, 3, VM_MAP_SHARED | VM_MAP_ANONYMOUS | VM_MAP_GROWSDOWN, 0},
	 0,															  EINVAL,
	 0																	},
	{"synchronous on what is not",
	 MMAP,					   {0, P, 3, VM_MAP_SHARED_VALIDATE | VM_MAP_SYNC, 0},
	 FD_RW,														      EOPNOTSUPP,
	 0																	},
	{"an odd place",
	 MMAP,					   {AT(2) + 1, P, 3, ANON | VM_MAP_FIXED, 0},
	 0,															  EINVAL,
	 0																	},
	{"page zero",			  MMAP,	    {0, P, 3, ANON | VM_MAP_FIXED, 0},				       0,	  EPERM,	 0},
	{"where something is",
	 MMAP,					   {AT(1), 2 * P, 3, ANON | VM_MAP_FIXED_NOREPLACE, 0},
	 0,															  EEXIST,
	 0																	},
	{"where nothing is",
	 MMAP,					   {AT(2), 2 * P, 3, ANON | VM_MAP_FIXED_NOREPLACE, 0},
	 0,															  0,
	 0																	},
	{"a bad descriptor",
	 MMAP,					   {0, P, 1, VM_MAP_SHARED, 0},
	 BAD_FD,														     EBADF,
	 0																	},
	{"a bad descriptor, private",
	 MMAP,					   {0, P, 1, VM_MAP_PRIVATE, 0},
	 BAD_FD,														     EBADF,
	 0																	},
	{"a file that cannot be read",
	 MMAP,					   {0, P, 2, VM_MAP_SHARED, 0},
	 FD_W,														       EACCES,
	 0																	},
	{"shared writes to a read-only file",
	 MMAP,					   {0, P, 3, VM_MAP_SHARED, 0},
	 FD_R,														       EACCES,
	 0																	},
	{"private writes to a read-only file",
	 MMAP,					   {0, P, 3, VM_MAP_PRIVATE, 0},
	 FD_R,														       0,
	 0																	},
	{"a directory",			MMAP,     {0, P, 1, VM_MAP_PRIVATE, 0},					    FD_DIR,  ENODEV,	    0},
	{"a pipe",			     MMAP,	 {0, P, 1, VM_MAP_PRIVATE, 0},				       FD_PIPE, ENODEV,	0},
	{"more locked than allowed",
	 MMAP,					   {0, 64 * P, 3, ANON | VM_MAP_LOCKED, 0},
	 0,															  EAGAIN,
	 0																	},
	{"huge pages of no known size",
	 MMAP,					   {0, 1 << 21, 3, ANON | VM_MAP_HUGETLB | 13ULL << 26, 0},
	 0,															  EINVAL,
	 0																	},
 /* addr, len */
	{"an odd address",			   MUNMAP,   {AT(0) + 1, P},						    0,	      EINVAL,     0},
	{"no length",			  MUNMAP,   {AT(0), 0},							0,	     EINVAL,     0},
	{"beyond the space",		     MUNMAP,   {AT(0), 1ULL << 47},						  0,	     EINVAL,     0},
	{"an address beyond",		      MUNMAP,   {1ULL << 48, P},						       0,	  EINVAL,	  0},
	{"a hole",			     MUNMAP,   {AT(2), 2 * P},						    0,	      0,		 0},
	{"a part of a page",		     MUNMAP,   {AT(0), 1},							0,	    0,	       0},
 /* addr, len, prot */
	{"an odd address",			   MPROTECT, {AT(0) + 8, P, 1},							0,	   EINVAL,	   0},
	{"no length",			  MPROTECT, {AT(2), 0, 1},						     0,	  0,	     0},
	{"a length that wraps",		MPROTECT, {AT(0), -P, 1},							  0,	     ENOMEM,     0},
	{"an unknown right",		     MPROTECT, {AT(0), P, 0x100},						  0,	     EINVAL,     0},
	{"grows both ways",
	 MPROTECT,				       {AT(0), P, VM_PROT_GROWSDOWN | VM_PROT_GROWSUP | 1},
	 0,															  EINVAL,
	 0																	},
	{"grows down, is no stack",
	 MPROTECT,				       {AT(0), P, VM_PROT_GROWSDOWN | 1},
	 0,															  EINVAL,
	 0																	},
	{"grows up, is none",
	 MPROTECT,				       {AT(0), P, VM_PROT_GROWSUP | 1},
	 0,															  EINVAL,
	 0																	},
	{"a hole at the end",		      MPROTECT, {AT(0), 3 * P, 1},						   0,	      ENOMEM,     0},
	{"nothing there",			  MPROTECT, {AT(2), P, 1},						     0,	      ENOMEM,     0},
	{"to write a read-only file",	      MPROTECT, {AT(4), P, 3},						       0,	  EACCES,	  0},
	{"to write a file",		    MPROTECT, {AT(6), P, 3},						     0,	0,	   0},
 /* addr, old, new, flags, to */
	{"an unknown flag",		    MREMAP,   {AT(0), P, P, 64, 0},						  0,	     EINVAL,     0},
	{"fixed, may not move",		MREMAP,	{AT(0), P, P, 2, AT(2)},						 0,	    EINVAL,	    0},
	{"kept, may not move",		       MREMAP,   {AT(0), P, P, 4, 0},						    0,       EINVAL,     0},
	{"kept, another size",		       MREMAP,   {AT(0), P, 2 * P, 5, 0},						0,	   EINVAL,	   0},
	{"an odd address",			   MREMAP,   {AT(0) + 1, P, 2 * P, 1, 0},					0,	   EINVAL,	   0},
	{"no new size",			MREMAP,	{AT(0), P, 0, 1, 0},						     0,	EINVAL,	0},
	{"onto itself",			MREMAP,	{AT(0), 2 * P, 2 * P, 3, AT(1)},					 0,	    EINVAL,	    0},
	{"an odd target",			  MREMAP,	  {AT(0), P, P, 3, AT(2) + 1},				       0,	  EINVAL,	  0},
	{"twice what is private",		  MREMAP,	  {AT(0), 0, P, 1, 0},					       0,	  EINVAL,	  0},
	{"nothing there",			  MREMAP,	  {AT(2), P, 2 * P, 1, 0},					   0,	      EFAULT,     0},
	{"beyond the area",		    MREMAP,   {AT(0), 4 * P, 5 * P, 1, 0},					 0,	    EFAULT,	    0},
	{"no room to grow",		    MREMAP,   {AT(6), 2 * P, 3 * P, 0, 0},					 0,	    ENOMEM,	    0},
	{"more locked than allowed",
	 MREMAP,					 {AT(8), 2 * P, 64 * P, 1, 0},
	 0,															  EAGAIN,
	 0																	},
	{"smaller",			    MREMAP,   {AT(0), 2 * P, P, 0, 0},					     0,	0,	   0},
	{"grown into a hole",		      MREMAP,   {AT(0), 2 * P, 3 * P, 0, 0},					   0,	      0,		 0},
 /* addr, len, advice */
	{"unknown advice",			   MADVISE,  {AT(0), P, 77},						    0,       EINVAL,     0},
	{"an odd address",			   MADVISE,  {AT(0) + 1, P, 4},						       0,	  EINVAL,	  0},
	{"a length that wraps",		MADVISE,	 {AT(0), UINT64_MAX, 4},						 0,	    EINVAL,	    0},
	{"no length",			  MADVISE,  {AT(2), 0, 4},						     0,	 0,	    0},
	{"a hole",			     MADVISE,  {AT(0), 5 * P, 4},						 0,	  ENOMEM,	  0},
	{"nothing there",			  MADVISE,  {AT(2), P, 4},						     0,	     ENOMEM,     0},
	{"not needed, locked",		       MADVISE,	{AT(8), P, 4},						       0,	  EINVAL,	  0},
	{"not needed, though locked",	      MADVISE,  {AT(8), P, 24},						       0,	  0,	     0},
	{"free, locked",			 MADVISE,  {AT(8), P, 8},						     0,	    EINVAL,	    0},
	{"free, of a file",		    MADVISE,  {AT(6), P, 8},						     0,       EINVAL,     0},
	{"cold, locked",			 MADVISE,  {AT(8), P, 20},						    0,	     EINVAL,     0},
	{"wiped, of a file",		     MADVISE,  {AT(6), P, 18},						      0,	 EINVAL,	 0},
	{"removed, of no file",		MADVISE,	 {AT(0), P, 9},							0,	   EINVAL,	   0},
	{"removed, locked",		    MADVISE,  {AT(8), P, 9},						     0,       EINVAL,     0},
	{"removed, read-only",		       MADVISE,	{AT(4), P, 9},						       0,	  EACCES,	  0},
	{"removed",			    MADVISE,  {AT(6), P, 9},						     0,       0,	  0},
	{"written in, read-only",		  MADVISE,  {AT(10), P, 23},						    0,       EINVAL,     0},
	{"read in",			    MADVISE,  {AT(10), P, 22},						   0,	 0,	    0},
 /* addr, len, flags */
	{"an odd address",			   MSYNC,	  {AT(6) + 1, P, 4},						     0,	EINVAL,	0},
	{"an unknown flag",		    MSYNC,	   {AT(6), P, 8},						     0,	     EINVAL,     0},
	{"now and later",			  MSYNC,	 {AT(6), P, 5},						     0,	   EINVAL,	   0},
	{"a hole",			     MSYNC,	  {AT(0), 5 * P, 4},						 0,	ENOMEM,	0},
	{"invalidate, locked",		       MSYNC,    {AT(8), P, 2},						     0,	EBUSY,      0},
	{"a file",			     MSYNC,	  {AT(6), 2 * P, 4},						 0,	0,	   0},
 /* addr, len */
	{"a hole",			     MLOCK,	  {AT(0), 3 * P},						    0,	     ENOMEM,     0},
	{"more than allowed",		      MLOCK,    {AT(0), 64 * P},						      0,	 ENOMEM,	 0},
	{"a page and a bit",		     MLOCK,    {AT(0) + 5, P},						    0,       0,	  0},
	{"a hole",			     MUNLOCK,  {AT(0), 3 * P},						    0,       ENOMEM,     0},
	{"what is not locked",		       MUNLOCK,	{AT(0), P},							0,       0,	  0},
 /* flags */
	{"nothing",			    MLOCKALL, {0},							       0,	      EINVAL,     0},
	{"an unknown flag",		    MLOCKALL, {8},							       0,	      EINVAL,     0},
	{"on fault alone",			   MLOCKALL, {4},							       0,	     EINVAL,     0},
	{"more than allowed",		      MLOCKALL, {1},							       0,	ENOMEM,	0},
	{"from now on",			MLOCKALL, {2},							       0,	  0,	     0},
 /* addr, len, whether there is a vector */
	{"an odd address",			   MINCORE,  {AT(0) + 1, P, 1},						       0,	  EINVAL,	  0},
	{"a hole",			     MINCORE,  {AT(0), 3 * P, 1},						 0,	  ENOMEM,	  0},
	{"a bad vector",			 MINCORE,  {AT(0), P, 0},						     0,	    EFAULT,	    0},
	{"what is there",			  MINCORE,  {AT(0), 2 * P, 1},						      0,	 0,	    0},
};

/* --- in the model ------------------------------------------------------- */

static int
model_mmap(struct vmed *m, const struct row *r, struct vm_object *f)
{
	static const unsigned int modes[NR_FDS] = {
		[FD_R] = VM_OPEN_READ,
		[FD_W] = VM_OPEN_WRITE,
		[FD_RW] = VM_OPEN_READ | VM_OPEN_WRITE,
		[FD_DIR] = VM_OPEN_READ,
		[FD_PIPE] = VM_OPEN_READ,
	};
	const struct vm_open open = {
		.object = r->fd == FD_DIR || r->fd == FD_PIPE ? NULL : f,
		.mode = modes[r->fd],
	};
	const struct vm_mmap_args a = {
		.addr = r->a[0],
		.len = r->a[1],
		.prot = r->a[2],
		.flags = r->a[3],
		.file = r->fd <= BAD_FD ? NULL : &open,
		.offset = r->a[4],
	};

	return map_error(m, &a);
}

static int
model_call(struct vmed *m, const struct row *r, struct vm_object *f)
{
	uint8_t vec[64];
	va_t at;

	switch (r->call) {
	case MMAP:
		return model_mmap(m, r, f);
	case MUNMAP:
		return vm_munmap(m->vm, m->t, r->a[0], r->a[1]);
	case MPROTECT:
		return vm_mprotect(m->vm, m->t, r->a[0], r->a[1], r->a[2]);
	case MREMAP:
		return vm_mremap(m->vm, m->t, r->a[0], r->a[1], r->a[2],
				 r->a[3], r->a[4], &at);
	case MADVISE:
		return vm_madvise(m->vm, m->t, r->a[0], r->a[1], (int)r->a[2]);
	case MSYNC:
		return vm_msync(m->vm, m->t, r->a[0], r->a[1], r->a[2]);
	case MLOCK:
		return vm_mlock(m->vm, m->t, r->a[0], r->a[1], false);
	case MUNLOCK:
		return vm_munlock(m->vm, m->t, r->a[0], r->a[1]);
	case MLOCKALL:
		return vm_mlockall(m->vm, m->t, r->a[0]);
	default:
		return vm_mincore(m->vm, m->t, r->a[0], r->a[1],
				  r->a[2] ? vec : NULL);
	}
}

static int
ask_model(const struct row *r)
{
	struct vmed *m = vmed_usual();
	struct vm_object *f = vm_file_new(m->vm, "f", 8 * P, NULL, 0);
	const struct vm_open read_only = {f, VM_OPEN_READ};
	const uint64_t fix = VM_MAP_FIXED;
	va_t at;
	int err;

	m->t->rlimit[LIMIT_MEMLOCK] = MEMLOCK;
	map_with(m, AT(0), 2, RW, VM_MAP_PRIVATE | fix, NULL, 0);
	ck_assert_int_eq(vm_mmap(m->vm, m->t,
				 &(struct vm_mmap_args){
					 AT(4), 2 * P, VM_PROT_READ,
					 VM_MAP_SHARED | fix, &read_only, 0},
				 &at),
			 0);
	map_with(m, AT(6), 2, RW, VM_MAP_SHARED | fix, f, 0);
	map_with(m, AT(8), 2, RW, VM_MAP_PRIVATE | VM_MAP_LOCKED | fix, NULL,
		 0);
	map_with(m, AT(10), 1, VM_PROT_READ, VM_MAP_PRIVATE | fix, NULL, 0);
	err = model_call(m, r, f);
	vmed_lawful(m);
	end_task(m->t);
	m->t = NULL;
	vm_object_put(f, 0);
	vmed_free(m);
	return err;
}

/* --- on the host -------------------------------------------------------- */

static void *
host_map(int page, int nr, int prot, int flags, int fd)
{
	void *want = (void *)(uintptr_t)AT((unsigned int)page);
	void *at = mmap(want, (size_t)nr * P, prot, flags | MAP_FIXED_NOREPLACE,
			fd, 0);

	return at == want ? at : NULL;
}

static bool
host_open(int fds[NR_FDS])
{
	char path[64];
	int pipes[2];

	fds[NO_FD] = -1;
	fds[BAD_FD] = 1000;
	fds[FD_RW] = memfd_create("errno", 0);
	if (fds[FD_RW] < 0 || ftruncate(fds[FD_RW], 8 * P) || pipe(pipes))
		return false;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fds[FD_RW]);
	fds[FD_R] = open(path, O_RDONLY);
	fds[FD_W] = open(path, O_WRONLY);
	fds[FD_DIR] = open("/", O_RDONLY | O_DIRECTORY);
	fds[FD_PIPE] = pipes[0];
	return fds[FD_R] >= 0 && fds[FD_W] >= 0 && fds[FD_DIR] >= 0;
}

static bool
host_areas(const int fds[NR_FDS])
{
	const int anon = MAP_PRIVATE | MAP_ANONYMOUS;
	const struct rlimit limit = {MEMLOCK, MEMLOCK};

	/* Without rights of root, whose limits do not bind. */
	if (setrlimit(RLIMIT_MEMLOCK, &limit) ||
	    (!geteuid() && (setresgid(65534, 65534, 65534) ||
			    setresuid(65534, 65534, 65534))))
		return false;
	return host_map(0, 2, PROT_READ | PROT_WRITE, anon, -1) &&
	       host_map(4, 2, PROT_READ, MAP_SHARED, fds[FD_R]) &&
	       host_map(6, 2, PROT_READ | PROT_WRITE, MAP_SHARED, fds[FD_RW]) &&
	       host_map(8, 2, PROT_READ | PROT_WRITE, anon | MAP_LOCKED, -1) &&
	       host_map(10, 1, PROT_READ, anon, -1);
}

static long
host_call(const struct row *r, const int fds[NR_FDS])
{
	void *at = (void *)(uintptr_t)r->a[0];
	unsigned char vec[64];

	switch (r->call) {
	case MMAP:
		return (long)mmap(at, r->a[1], (int)r->a[2], (int)r->a[3],
				  fds[r->fd], (off_t)r->a[4]);
	case MUNMAP:
		return munmap(at, r->a[1]);
	case MPROTECT:
		return mprotect(at, r->a[1], (int)r->a[2]);
	case MREMAP:
		return (long)mremap(at, r->a[1], r->a[2], (int)r->a[3],
				    (void *)(uintptr_t)r->a[4]);
	case MADVISE:
		return madvise(at, r->a[1], (int)r->a[2]);
	case MSYNC:
		return msync(at, r->a[1], (int)r->a[2]);
	case MLOCK:
		return mlock(at, r->a[1]);
	case MUNLOCK:
		return munlock(at, r->a[1]);
	case MLOCKALL:
		return mlockall((int)r->a[0]);
	default:
		return mincore(at, r->a[1], r->a[2] ? vec : (void *)1);
	}
}

/* The host's errno; -1: it cannot be asked. */
static int
ask_host(const struct row *r)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		int fds[NR_FDS];

		if (!host_open(fds) || !host_areas(fds))
			_exit(255);
		errno = 0;
		_exit(host_call(r, fds) == -1 ? errno : 0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status) ||
	    WEXITSTATUS(status) == 255)
		return -1;
	return WEXITSTATUS(status);
}

START_TEST(a_wrong_call_gets_the_kernels_errno)
{
	const struct row *r = &rows[_i];
	int model = -ask_model(r), host = ask_host(r);

	ck_assert_msg(model == r->want, "%s: %d, 6.1 says %d", r->why, model,
		      r->want);
	if (host >= 0 && r->host >= 0)
		ck_assert_msg(host == (r->host ? r->host : r->want),
			      "%s: the host says %d, the table %d", r->why,
			      host, r->host ? r->host : r->want);
}
END_TEST

START_TEST(without_a_limit_to_lock_nobody_may)
{
	struct vmed *m = vmed_usual();
	va_t a = map(m, 1, RW);

	m->t->rlimit[LIMIT_MEMLOCK] = 0;
	ck_assert_int_eq(vm_mlock(m->vm, m->t, a, P, false), -EPERM);
	ck_assert_int_eq(vm_mlockall(m->vm, m->t, VM_MCL_FUTURE), -EPERM);
	ck_assert_int_eq(
		map_error(m,
			  &(struct vm_mmap_args){
				  .len = P, .flags = ANON | VM_MAP_LOCKED}),
		-EPERM);
	m->t->caps = CAP_IPC_LOCK_BIT;
	ck_assert_int_eq(vm_mlock(m->vm, m->t, a, P, false), 0);
	vmed_free(m);
}
END_TEST

Suite *
suite_errno_host(void)
{
	Suite *s = suite_create("errno_host");
	TCase *c = tcase_create("errno_host");

	tcase_add_loop_test(c, a_wrong_call_gets_the_kernels_errno, 0,
			    ARRAY_SIZE(rows));
	tcase_add_test(c, without_a_limit_to_lock_nobody_may);
	suite_add_tcase(s, c);
	return s;
}
