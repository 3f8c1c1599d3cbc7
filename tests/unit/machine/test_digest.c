// SPDX-License-Identifier: MIT
/* test_digest.c - what is state, what is not, and one way to write each */
#include "kmemfs/machine/op.h"
#include "kmemfs/phys/list_walk.h"

#include <check.h>
#include <string.h>

Suite *suite_digest(void);

static const char two_nodes[] = "[machine]\n"
				"arch = x86-64\n"
				"cpus = 2\n"
				"memory = 512M\n"
				"nodes = 2\n";

static struct machine *m;

static struct machine *
boot(const char *text)
{
	char *error = NULL;
	struct machine_config *config = config_read(text, "test", &error);
	struct machine *made;

	ck_assert_msg(config != NULL, "%s", error);
	made = machine_boot(config, NULL, &error);
	ck_assert_msg(made != NULL, "%s", error);
	return made;
}

static void
setup(void)
{
	m = boot(two_nodes);
}

static void
teardown(void)
{
	machine_free(m);
}

static void
run(struct machine *on, const char *line)
{
	struct refusal r;

	ck_assert_msg(machine_do(on, line, NULL, &r) == 0, "%s: %s", line,
		      r.sentence);
}

static void
assert_same(struct machine *a, struct machine *b)
{
	char left[DIGEST_TEXT], right[DIGEST_TEXT];

	machine_digest(a, left);
	machine_digest(b, right);
	ck_assert_str_eq(left, right);
}

START_TEST(it_is_64_hex_digits)
{
	char text[DIGEST_TEXT];

	machine_digest(m, text);
	ck_assert_uint_eq(strlen(text), 64);
	ck_assert_uint_eq(strspn(text, "0123456789abcdef"), 64);
}
END_TEST

START_TEST(machines_of_one_file_and_the_same_ops_agree)
{
	struct machine *other = boot(two_nodes);

	assert_same(m, other);
	run(m, "page/alloc_pages GFP_KERNEL 3 name=buf");
	run(other, "page/alloc_pages GFP_KERNEL 3 name=buf");
	assert_same(m, other);
	machine_free(other);
}
END_TEST

START_TEST(a_made_up_name_is_a_name_like_any)
{
	struct machine *other = boot(two_nodes);

	run(m, "page/alloc_page GFP_KERNEL");
	run(other, "page/alloc_page GFP_KERNEL name=a1");
	assert_same(m, other);
	machine_free(other);
}
END_TEST

/* Each of these alone makes another state. */
static const struct {
	const char *why, *before, *line;
} changes[] = {
	{"a block is allocated",		 NULL,				       "page/alloc_pages GFP_KERNEL 3"      },
	{"time passes",			NULL,				   "clock/advance 1ns"			 },
	{"a sysctl is set",		    NULL,				   "vm/sysctl watermark_scale_factor 20"},
	{"a byte is written",	      NULL,				    "bytes/write ram 0x1000000 hex:01"   },
	{"the per-cpu lists are drained", "page/alloc_page GFP_KERNEL",
	 "page/drain_all_pages"											},
	{"a block is freed",		     "page/alloc_pages GFP_KERNEL 5 name=b",
	 "page/__free_pages b"											 },
	{"a replay's policy is set",	     NULL,				   "replay/policy mirror"		 },
};

START_TEST(a_change_of_state_changes_it)
{
	char before[DIGEST_TEXT], after[DIGEST_TEXT];
	uint64_t now;

	if (changes[_i].before)
		run(m, changes[_i].before);
	machine_digest(m, before);
	now = m->now_ns;
	run(m, changes[_i].line);
	/* That time moved on is not to be the only difference. */
	if (strcmp(changes[_i].why, "time passes"))
		m->now_ns = now;
	machine_digest(m, after);
	ck_assert_msg(strcmp(before, after) != 0, "%s", changes[_i].why);
}
END_TEST

START_TEST(logs_and_rings_are_not_state)
{
	char before[DIGEST_TEXT], after[DIGEST_TEXT];
	struct out report = OUT_INIT;

	machine_digest(m, before);
	machine_printk(m, "hello");
	line_ring_add(&m->answers, "ok");
	machine_do(m, "no/such_op", NULL, NULL);
	machine_do(m, "page/alloc_pages GFP_NONE", NULL, NULL);
	run(m, "trace/enable all 1");
	machine_verify(m, &report);
	machine_digest(m, after);
	ck_assert_str_eq(before, after);
	out_fini(&report);
}
END_TEST

START_TEST(bytes_overwritten_with_zeros_are_as_if_never_written)
{
	char before[DIGEST_TEXT], after[DIGEST_TEXT];

	machine_digest(m, before);
	ck_assert_int_eq(ram_write(m->ram, 0x2000ff8, "0123456789abcdef", 16),
			 0);
	machine_digest(m, after);
	ck_assert_str_ne(before, after);
	ck_assert_int_eq(ram_write(m->ram, 0x2000ff8,
				   "\0\0\0\0\0\0\0\0\0\0\0"
				   "\0\0\0\0\0",
				   16),
			 0);
	machine_digest(m, after);
	ck_assert_str_eq(before, after);
}
END_TEST

/* Strides of the list of order 10 of @zone: how the host keeps it. */
static unsigned int
strides(const struct zone *zone)
{
	struct list_cursor cursor = {0};
	unsigned int n = 0;
	uint64_t nr;

	while (buddy_list_stride(zone, MAX_ORDER - 1, MIGRATE_MOVABLE, &cursor,
				 &nr) != PFN_NONE)
		n++;
	return n;
}

START_TEST(a_list_hashes_alike_whether_its_blocks_were_touched_or_not)
{
	struct zone *zone = &m->phys->nodes[1]->zones[ZONE_DMA32];
	struct page_request request = {
		.gfp = GFP_HIGHUSER_MOVABLE, .order = MAX_ORDER - 1, .nid = 1};
	char before[DIGEST_TEXT], after[DIGEST_TEXT];
	uint64_t event[NR_VM_EVENTS], numa[NR_NUMA_STATS];
	unsigned int kept = strides(zone);
	pfn_t pfn;

	memcpy(event, m->phys->event, sizeof(event));
	memcpy(numa, zone->numa, sizeof(numa));
	machine_digest(m, before);
	/* Too large for per-cpu lists: it comes back where it was, as a block
	 * of its own. */
	ck_assert_int_eq(pages_alloc(m->phys, &request, &pfn), 0);
	ck_assert_ptr_eq(phys_zone_of(m->phys, pfn), zone);
	pages_put(m->phys, pfn, MAX_ORDER - 1, 0);
	ck_assert_uint_ne(strides(zone), kept);
	memcpy(m->phys->event, event, sizeof(event));
	memcpy(zone->numa, numa, sizeof(numa));
	machine_digest(m, after);
	ck_assert_str_eq(before, after);
}
END_TEST

START_TEST(a_stride_is_the_blocks_that_stepping_gives)
{
	const struct zone *zone = &m->phys->nodes[1]->zones[ZONE_DMA32];

	for (unsigned int order = 0; order < MAX_ORDER; order++)
		for (int type = 0; type < MIGRATE_TYPES; type++) {
			struct list_cursor a = {0}, b = {0};
			uint64_t nr;
			pfn_t pfn;

			while ((pfn = buddy_list_stride(zone, order, type, &a,
							&nr)) != PFN_NONE)
				for (uint64_t i = 0; i < nr; i++)
					ck_assert_uint_eq(
						buddy_list_next(zone, order,
								type, &b),
						pfn + (i << order));
			ck_assert_uint_eq(
				buddy_list_next(zone, order, type, &b),
				PFN_NONE);
		}
}
END_TEST

Suite *
suite_digest(void)
{
	Suite *suite = suite_create("digest");
	TCase *tc = tcase_create("digest");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, it_is_64_hex_digits);
	tcase_add_test(tc, machines_of_one_file_and_the_same_ops_agree);
	tcase_add_test(tc, a_made_up_name_is_a_name_like_any);
	tcase_add_loop_test(tc, a_change_of_state_changes_it, 0,
			    ARRAY_SIZE(changes));
	tcase_add_test(tc, logs_and_rings_are_not_state);
	tcase_add_test(tc,
		       bytes_overwritten_with_zeros_are_as_if_never_written);
	tcase_add_test(
		tc, a_list_hashes_alike_whether_its_blocks_were_touched_or_not);
	tcase_add_test(tc, a_stride_is_the_blocks_that_stepping_gives);
	suite_add_tcase(suite, tc);
	return suite;
}
