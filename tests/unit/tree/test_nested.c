// SPDX-License-Identifier: MIT
/*
 * test_nested.c - directories that stand in themselves, names with keys of many
 * bits: page tables, areas, addresses of tasks
 */
#include "unit/suites.h"

#include "../../../src/tree/tree_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <inttypes.h>
#include <string.h>

Suite *suite_nested(void);

static const struct {
	const char *machine;
	unsigned int levels;
} modes[] = {
	{"[machine]\narch = x86-64\nmemory = 64M\n",			     4},
	{"[machine]\narch = x86-64\nmemory = 64M\n[mmu]\nmode = 5-level\n", 5},
	{"[machine]\narch = i386\nmemory = 64M\n",			   2},
	{"[machine]\narch = i386-pae\nmemory = 64M\n",		       3},
};

static struct tree *
boot(const char *text)
{
	char *error = NULL;
	struct machine_config *config = config_read(text, "test", &error);
	struct machine *m = config ? machine_boot(config, NULL, &error) : NULL;

	ck_assert_msg(m, "%s", error);
	return tree_new(m, false);
}

static void
run(struct tree *t, const char *format, ...)
{
	struct out answer = OUT_INIT;
	char line[256];
	va_list ap;

	va_start(ap, format);
	g_vsnprintf(line, sizeof(line), format, ap);
	va_end(ap);
	ck_assert_msg(!tree_do(t, line, &answer, NULL), "%s: %s", line,
		      out_text(&answer));
	out_fini(&answer);
}

/* A machine whose task 2, "sh", has 10 MiB of which it uses a little. */
static struct tree *
boot_task(const char *machine)
{
	struct tree *t = boot(machine);

	run(t, "task/fork name=sh");
	run(t, "vm/mmap sh 10M name=heap");
	run(t, "vm/touch sh heap write 40K");
	run(t, "vm/touch sh heap read 64K");
	return t;
}

static struct task *
task_of(struct tree *t)
{
	return task_named(t->m->vm, "sh");
}

static uint64_t
ino_of(struct tree *t, const char *path)
{
	struct tree_attr attr;

	ck_assert_msg(!tree_path(t, path, &attr), "%s", path);
	return attr.ino;
}

static char *
text_of(struct tree *t, uint64_t ino)
{
	char *text = g_malloc0(4096);
	struct tree_file *f;

	ck_assert_int_eq(tree_open(t, ino, O_RDONLY, &f), 0);
	ck_assert_int_gt(tree_read(f, text, 4095, 0), 0);
	tree_close(f);
	return text;
}

/* --- walking -------------------------------------------------------------- */

struct found {
	struct tree *t;
	GArray *files, *dirs; /* of inode numbers */
	GHashTable *seen;     /* set of inode numbers */
	unsigned int depth, deepest;
};

static bool
collect(void *user, const char *name, uint64_t ino, enum tree_kind kind,
	uint64_t cookie)
{
	struct found *f = user;

	(void)name, (void)cookie;
	if (kind == TREE_LINK)
		return true;
	ck_assert(g_hash_table_add(f->seen, g_memdup2(&ino, sizeof(ino))));
	g_array_append_val(kind == TREE_DIR ? f->dirs : f->files, ino);
	return f->seen && g_hash_table_size(f->seen) < 100000;
}

static void
walk(struct found *f, uint64_t ino)
{
	guint first = f->dirs->len, end;

	f->depth++;
	f->deepest = MAX_OF(f->deepest, f->depth);
	ck_assert_int_eq(tree_readdir(f->t, ino, 0, collect, f), 0);
	end = f->dirs->len;
	for (guint i = first; i < end; i++)
		walk(f, g_array_index(f->dirs, uint64_t, i));
	f->depth--;
}

static void
find_all(struct found *f, struct tree *t, const char *path)
{
	*f = (struct found){
		.t = t,
		.files = g_array_new(FALSE, FALSE, sizeof(uint64_t)),
		.dirs = g_array_new(FALSE, FALSE, sizeof(uint64_t)),
		.seen = g_hash_table_new_full(g_int64_hash, g_int64_equal,
					      g_free, NULL),
	};
	walk(f, ino_of(t, path));
}

static void
found_free(struct found *f)
{
	g_array_free(f->files, TRUE);
	g_array_free(f->dirs, TRUE);
	g_hash_table_destroy(f->seen);
}

static void
walk_read(struct tree *t, va_t va, struct mmu_result *r)
{
	const struct mmu_request q = {.va = va, .user = true};

	vm_translate(t->m->vm, task_of(t), &q, r);
}

/* Pages that a user can read, by asking for each page of each area. */
static unsigned int
readable(struct tree *t)
{
	const GPtrArray *areas = task_of(t)->mm->areas;
	unsigned int n = 0;

	for (guint i = 0; i < areas->len; i++) {
		const struct vma *v = areas->pdata[i];

		for (va_t va = v->start; va < v->end; va += VM_PAGE) {
			struct mmu_result r;

			walk_read(t, va, &r);
			n += r.outcome == MMU_OK;
		}
	}
	return n;
}

START_TEST(the_files_of_a_page_table_are_the_leaves_that_are_present)
{
	struct tree *t = boot_task(modes[_i].machine);
	struct found f;

	find_all(&f, t, "/tasks/sh/pagetable");
	ck_assert_uint_eq(f.files->len, readable(t));
	ck_assert_uint_ge(f.files->len, 16);
	ck_assert_uint_eq(f.deepest, modes[_i].levels);
	/* The top table is pagetable/ itself; PAE's has entries of its own. */
	ck_assert_uint_le(f.dirs->len + 1, task_of(t)->mm->tables);
	found_free(&f);
	tree_free(t);
}
END_TEST

START_TEST(a_leaf_says_what_a_walk_says)
{
	struct tree *t = boot_task(modes[_i].machine);
	struct found f;

	find_all(&f, t, "/tasks/sh/pagetable");
	for (guint i = 0; i < f.files->len; i++) {
		char *text = text_of(t, g_array_index(f.files, uint64_t, i));
		char *line;
		struct mmu_result r;
		const struct mmu_step *leaf;

		walk_read(t,
			  g_ascii_strtoull(strstr(text, "virtual 0x") + 10,
					   NULL, 16),
			  &r);
		ck_assert_int_eq(r.outcome, MMU_OK);
		leaf = &r.step[r.nr_steps - 1];
		line = g_strdup_printf("physical 0x%" PRIx64 "\n", r.pa);
		ck_assert_msg(strstr(text, line), "no %s in %s", line, text);
		g_free(line);
		line = g_strdup_printf("entry_at 0x%" PRIx64 "\n", leaf->at);
		ck_assert_msg(strstr(text, line), "no %s in %s", line, text);
		g_free(line);
		ck_assert_uint_eq(g_ascii_strtoull(strstr(text, "entry 0x") + 8,
						   NULL, 16),
				  leaf->entry);
		ck_assert_msg(strstr(text, r.writable ? "user rw" : "user r-"),
			      "%s", text);
		g_free(text);
	}
	found_free(&f);
	tree_free(t);
}
END_TEST

START_TEST(each_name_has_a_number_that_leads_back_to_its_path)
{
	struct tree *t = boot_task(modes[_i].machine);
	struct found f;

	find_all(&f, t, "/tasks/sh/pagetable");
	g_array_append_vals(f.files, f.dirs->data, f.dirs->len);
	for (guint i = 0; i < f.files->len; i++) {
		uint64_t ino = g_array_index(f.files, uint64_t, i);
		struct out path = OUT_INIT;

		ck_assert_int_eq(tree_path_of(t, ino, &path), 0);
		ck_assert_uint_eq(ino_of(t, out_text(&path)), ino);
		out_fini(&path);
	}
	found_free(&f);
	tree_free(t);
}
END_TEST

START_TEST(an_entry_has_one_name)
{
	static const char *const wrong[] = {
		"0",   "00",	      "0000", "0FF", "0ff ", "-01",
		"200", "1ff/1ff/1ff", "fff",  "xyz", "100",
	};
	struct tree *t = boot_task(modes[0].machine);
	uint64_t dir = ino_of(t, "/tasks/sh/pagetable");

	ino_of(t, "/tasks/sh/pagetable/0ff");
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct tree_attr attr;

		ck_assert_msg(tree_lookup(t, dir, wrong[i], &attr) == -ENOENT,
			      "%s", wrong[i]);
	}
	tree_free(t);
}
END_TEST

struct one {
	uint64_t cookie, ino;
};

static bool
take_one(void *user, const char *name, uint64_t ino, enum tree_kind kind,
	 uint64_t cookie)
{
	(void)name, (void)kind;
	*(struct one *)user = (struct one){cookie, ino};
	return false;
}

START_TEST(a_list_goes_on_where_it_was_left)
{
	struct tree *t = boot_task(modes[0].machine);
	struct found whole, f;
	struct out path = OUT_INIT;
	uint64_t dir, cookie = 0;
	unsigned int n = 0;

	find_all(&whole, t, "/tasks/sh/pagetable");
	/* The directory of the first leaf. */
	tree_path_of(t, g_array_index(whole.files, uint64_t, 0), &path);
	*strrchr(path.text, '/') = '\0';
	dir = ino_of(t, path.text);
	find_all(&f, t, path.text);
	for (;; n++) {
		struct one one = {0, 0};

		tree_readdir(t, dir, cookie, take_one, &one);
		if (!one.ino)
			break;
		ck_assert_uint_eq(one.ino, g_array_index(f.files, uint64_t, n));
		cookie = one.cookie;
	}
	ck_assert_uint_eq(n, f.files->len);
	out_fini(&path);
	found_free(&whole);
	found_free(&f);
	tree_free(t);
}
END_TEST

/* --- what users write into tables ------------------------------------------
 */

static void
poke(struct tree *t, pa_t at, uint64_t entry)
{
	ck_assert_int_eq(ram_write(t->m->ram, at, &entry, 8), 0);
}

/* The top table's first entry that is present, its table. */
static pa_t
below_top(struct tree *t, pa_t *entry_at)
{
	pa_t top = task_of(t)->mm->top;

	for (*entry_at = top; *entry_at < top + 2048; *entry_at += 8) {
		uint64_t entry = ram_load(t->m->ram, *entry_at, 8);

		if (entry & PTE_P)
			return entry & 0xffffffffff000;
	}
	ck_abort_msg("no entry");
}

static const struct {
	const char *why;
	uint64_t entry;
} damages[] = {
	{"a table beyond RAM",       0x3ffffff000 | PTE_P | PTE_RW | PTE_US},
	{"a table in a hole",	      0xb8000 | PTE_P | PTE_RW | PTE_US     },
	{"a reserved bit",	   0x1000 | PTE_P | 1ULL << 51	      },
	{"a leaf where none may be", 0x1000 | PTE_P | PTE_PS		    },
	{"not present",		0x1000 | PTE_US		       },
};

START_TEST(damaged_entries_lead_nowhere)
{
	struct tree *t = boot_task(modes[0].machine);
	unsigned int before;
	struct found f;
	pa_t at;

	below_top(t, &at);
	poke(t, at, damages[_i].entry);
	before = readable(t);
	find_all(&f, t, "/tasks/sh/pagetable");
	ck_assert_msg(f.files->len == before, "%s", damages[_i].why);
	found_free(&f);
	tree_free(t);
}
END_TEST

START_TEST(a_table_that_points_to_itself_is_no_deeper_than_others)
{
	struct tree *t = boot_task(modes[0].machine);
	pa_t top = task_of(t)->mm->top, at, table = below_top(t, &at);
	struct found f;

	poke(t, top + 8, top | PTE_P | PTE_RW | PTE_US);
	poke(t, table + 16, table | PTE_P | PTE_RW | PTE_US);
	find_all(&f, t, "/tasks/sh/pagetable");
	ck_assert_uint_eq(f.deepest, 4);
	found_free(&f);
	tree_free(t);
}
END_TEST

START_TEST(a_table_full_of_itself_is_listed_a_table_at_a_time)
{
	struct tree *t = boot_task(modes[0].machine);
	pa_t top = task_of(t)->mm->top;
	struct found f;

	for (unsigned int i = 0; i < 256; i++)
		poke(t, top + 8 * i, top | PTE_P | PTE_RW | PTE_US);
	find_all(&f, t, "/tasks/sh/pagetable/001/001/001");
	/* The whole table, the kernel's half too, are leaves here. */
	ck_assert_uint_ge(f.files->len, 256);
	ck_assert_uint_eq(f.dirs->len, 0);
	found_free(&f);
	tree_free(t);
}
END_TEST

START_TEST(a_large_leaf_is_a_file_where_a_table_would_be)
{
	struct tree *t = boot_task(modes[0].machine);
	pa_t at, table = below_top(t, &at);
	struct mmu_result r;
	char *text;
	va_t va;

	va = ((at & 0xfff) / 8) << 39 | 5ULL << 30;
	poke(t, table + 5 * 8, PTE_P | PTE_US | PTE_PS | PTE_A);
	walk_read(t, va + 0x12345678, &r);
	ck_assert_int_eq(r.outcome, MMU_OK);
	ck_assert_uint_eq(r.pa, 0x12345678);
	{
		char *path = g_strdup_printf("/tasks/sh/pagetable/%03x/005",
					     (unsigned int)(at & 0xfff) / 8);

		text = text_of(t, ino_of(t, path));
		g_free(path);
	}
	ck_assert(strstr(text, "level PDPTE\n"));
	ck_assert(strstr(text, "page_bytes 1073741824\n"));
	ck_assert(strstr(text, "flags P US A PS\n"));
	g_free(text);
	tree_free(t);
}
END_TEST

/* --- the kernel half --------------------------------------------------------
 */

START_TEST(the_kernel_half_is_one_directory_behind_a_link)
{
	struct tree *t = boot_task(modes[_i].machine);
	struct vm *vm = t->m->vm;
	struct found f;

	ck_assert_uint_eq(ino_of(t, "/tasks/sh/pagetable/kernel"),
			  ino_of(t, "/kernel_pagetable"));
	find_all(&f, t, "/kernel_pagetable");
	for (guint i = 0; i < f.files->len; i++) {
		char *text = text_of(t, g_array_index(f.files, uint64_t, i));
		va_t va = g_ascii_strtoull(strstr(text, "virtual 0x") + 10,
					   NULL, 16);

		ck_assert_uint_ge(va, vm->layout.task_size);
		ck_assert(strstr(text, "rights supervisor"));
		g_free(text);
	}
	found_free(&f);
	tree_free(t);
}
END_TEST

/* --- numbers
 * ------------------------------------------------------------------ */

START_TEST(a_number_is_never_given_again)
{
	struct tree *t = boot_task(modes[0].machine);
	uint64_t dir = ino_of(t, "/tasks/sh/translate");
	struct tree_attr first, attr;
	struct out path = OUT_INIT;
	uint64_t last = 0;

	tree_lookup(t, dir, "0x1000", &first);
	for (uint64_t i = 0; i < NUMBERS_MOST + 10; i++) {
		char name[24];

		g_snprintf(name, sizeof(name), "0x%" PRIx64, i << 20);
		ck_assert_int_eq(tree_lookup(t, dir, name, &attr), 0);
		ck_assert_uint_gt(attr.ino, last);
		last = attr.ino;
	}
	/* Forgotten; what is seen again is another number. */
	ck_assert_int_eq(tree_getattr(t, first.ino, &attr), -ENOENT);
	ck_assert_int_eq(tree_path_of(t, last, &path), 0);
	tree_lookup(t, dir, "0x1000", &attr);
	ck_assert_uint_gt(attr.ino, last);
	out_fini(&path);
	tree_free(t);
}
END_TEST

START_TEST(what_a_name_stands_in_is_remembered_with_it)
{
	struct tree *t = boot_task(modes[0].machine);
	uint64_t dir = ino_of(t, "/tasks/sh/translate"), top, low;
	struct tree_attr attr;
	struct found f;
	struct out path = OUT_INIT;

	find_all(&f, t, "/tasks/sh/pagetable");
	low = g_array_index(f.files, uint64_t, 0);
	tree_path_of(t, low, &path);
	path.text[strlen("/tasks/2/pagetable/000")] = '\0';
	top = ino_of(t, path.text);
	for (uint64_t i = 0; i < NUMBERS_MOST + 10; i++) {
		char name[24];

		g_snprintf(name, sizeof(name), "0x%" PRIx64, i << 21);
		tree_lookup(t, dir, name, &attr);
		ck_assert_int_eq(tree_getattr(t, low, &attr), 0);
	}
	ck_assert_int_eq(tree_getattr(t, top, &attr), 0);
	ck_assert_uint_eq(ino_of(t, path.text), top);
	out_fini(&path);
	found_free(&f);
	tree_free(t);
}
END_TEST

START_TEST(the_number_of_what_is_gone_stands_for_nothing)
{
	struct tree *t = boot_task(modes[0].machine);
	struct tree_attr attr;
	struct found f;

	find_all(&f, t, "/tasks/sh/pagetable");
	run(t, "task/exit sh");
	for (guint i = 0; i < f.files->len; i++)
		ck_assert_int_eq(
			tree_getattr(t, g_array_index(f.files, uint64_t, i),
				     &attr),
			-ENOENT);
	found_free(&f);
	tree_free(t);
}
END_TEST

/* --- areas and addresses
 * -------------------------------------------------------- */

START_TEST(each_area_has_a_name_and_is_listed_in_order)
{
	struct tree *t = boot_task(modes[_i].machine);
	const GPtrArray *areas = task_of(t)->mm->areas;
	struct found f;

	find_all(&f, t, "/tasks/sh/vmas");
	ck_assert_uint_eq(f.files->len, areas->len);
	for (guint i = 0; i < areas->len; i++) {
		const struct vma *v = areas->pdata[i];
		char *path =
			g_strdup_printf("/tasks/sh/vmas/%" PRIx64 "-%" PRIx64,
					v->start, v->end);

		ck_assert_uint_eq(ino_of(t, path),
				  g_array_index(f.files, uint64_t, i));
		g_free(path);
	}
	found_free(&f);
	tree_free(t);
}
END_TEST

START_TEST(an_address_is_found_however_many_zeros_it_begins_with)
{
	static const char *const wrong[] = {
		"1000",
		"0x",
		"0X1000",
		"0x1000 ",
		"0x-1",
		"0xg",
		"0x00000000000000001",
	};
	struct tree *t = boot_task(modes[0].machine);
	uint64_t dir = ino_of(t, "/tasks/sh/translate");
	struct tree_attr a, b;

	ck_assert_int_eq(tree_lookup(t, dir, "0x7fff1000", &a), 0);
	ck_assert_int_eq(tree_lookup(t, dir, "0x000000007FFF1000", &b), 0);
	ck_assert_uint_eq(a.ino, b.ino);
	ck_assert_int_eq(tree_lookup(t, dir, "0xffffffffffffffff", &b), 0);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		ck_assert_msg(tree_lookup(t, dir, wrong[i], &b) == -ENOENT,
			      "%s", wrong[i]);
	tree_free(t);
}
END_TEST

Suite *
suite_nested(void)
{
	Suite *s = suite_create("nested");
	TCase *t = tcase_create("nested");
	int nr_modes = ARRAY_SIZE(modes);

	tcase_add_loop_test(
		t, the_files_of_a_page_table_are_the_leaves_that_are_present, 0,
		nr_modes);
	tcase_add_loop_test(t, a_leaf_says_what_a_walk_says, 0, nr_modes);
	tcase_add_loop_test(t,
			    each_name_has_a_number_that_leads_back_to_its_path,
			    0, nr_modes);
	tcase_add_test(t, an_entry_has_one_name);
	tcase_add_test(t, a_list_goes_on_where_it_was_left);
	tcase_add_loop_test(t, damaged_entries_lead_nowhere, 0,
			    ARRAY_SIZE(damages));
	tcase_add_test(t,
		       a_table_that_points_to_itself_is_no_deeper_than_others);
	tcase_add_test(t, a_table_full_of_itself_is_listed_a_table_at_a_time);
	tcase_add_test(t, a_large_leaf_is_a_file_where_a_table_would_be);
	tcase_add_loop_test(t, the_kernel_half_is_one_directory_behind_a_link,
			    0, nr_modes);
	tcase_add_test(t, a_number_is_never_given_again);
	tcase_add_test(t, what_a_name_stands_in_is_remembered_with_it);
	tcase_add_test(t, the_number_of_what_is_gone_stands_for_nothing);
	tcase_add_loop_test(t, each_area_has_a_name_and_is_listed_in_order, 0,
			    nr_modes);
	tcase_add_test(t,
		       an_address_is_found_however_many_zeros_it_begins_with);
	suite_add_tcase(s, t);
	return s;
}
