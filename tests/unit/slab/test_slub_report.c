// SPDX-License-Identifier: MIT
/* test_slub_report.c - when slabs are looked at, and what is said of them */
#include "debugged.h"

#include "kmemfs/slab/kmalloc.h"

#include <errno.h>
#include <inttypes.h>

Suite *suite_slub_report(void);

/* --- slabs --------------------------------------------------------------- */

START_TEST(padding_of_a_slab_is_checked_and_restored)
{
	struct debugged d = debugged_new(&plain_kind, 300, SLAB_POISON);
	va_t start = slab_object(d.slab, 0) - d.s->red_left_pad;
	uint64_t used = (uint64_t)d.slab->objects * d.s->size;

	poke(&d, start + used + 1, 0x77);
	poke(&d, start + used + 3, 0x78);
	ck_assert_uint_eq(validate(&d), 2);
	assert_said(&d,
		    "Padding overwritten. 0x%016" PRIx64 "-0x%016" PRIx64
		    " @offset=%" PRIu64 "\n",
		    start + used + 1, start + used + 3, used + 1);
	assert_said(&d, "Padding %016" PRIx64 ": 5a 77 5a 78 5a ",
		    start + used);
	assert_said(&d, "FIX test: Restoring slab padding 0x");
	ck_assert_uint_eq(validate(&d), 0);
	debugged_free(&d);
}
END_TEST

START_TEST(an_empty_slab_is_checked_before_its_pages_go)
{
	struct debugged d = debugged_new(&plain_kind, 64, FULL_DEBUG);

	give(d.t, d.s, 0, d.p);
	give(d.t, d.s, 0, d.other);
	poke(&d, d.p + 3, 0x33);
	kmem_cache_shrink(d.s);
	assert_said(&d, "Poison overwritten");
	assert_said(&d, " kmem_cache_shrink+0x0/0x40\n");
	ck_assert_uint_eq(d.s->node[0].nr_slabs, 0);
	debugged_free(&d);
}
END_TEST

START_TEST(a_slab_is_checked_when_its_grace_period_ends)
{
	struct debugged d = debugged_new(&plain_kind, 64,
					 FULL_DEBUG | SLAB_TYPESAFE_BY_RCU);

	give(d.t, d.s, 0, d.p);
	give(d.t, d.s, 0, d.other);
	kmem_cache_shrink(d.s);
	/* Such objects are not poisoned; their red zones are. */
	poke(&d, d.p + 64, 0x33);
	ck_assert_uint_eq(d.t->sc->errors, 0);
	d.t->b->now += SLAB_RCU_GRACE_NS;
	slab_tick(d.t->sc);
	assert_said(&d, "Right Redzone overwritten");
	assert_said(&d, " rcu_free_slab+0x0/0x40\n");
	debugged_free(&d);
}
END_TEST

START_TEST(a_cache_that_is_destroyed_tells_who_has_its_objects)
{
	struct debugged d = debugged_new(&plain_kind, 64, FULL_DEBUG);

	give(d.t, d.s, 0, d.p);
	d.t->b->now += 4000000000;
	ck_assert_int_eq(kmem_cache_destroy(d.s, "test", &d.t->who), -EBUSY);
	assert_said(&d, "BUG test (Not tainted): Objects remaining in test on "
			"__kmem_cache_shutdown()\n");
	assert_said(&d,
		    "Object 0x%016" PRIx64 " @offset=%" PRIu64
		    "\nAllocated in test+0x0/0x40 age=1000 cpu=0 pid=0\n",
		    d.other,
		    d.other + d.s->red_left_pad - slab_object(d.slab, 0));
	debugged_free(&d);
}
END_TEST

/* --- reports ------------------------------------------------------------- */

START_TEST(a_report_is_the_kernel_s_line_by_line)
{
	struct debugged d =
		debugged_new(&plain_kind, 24, SLAB_RED_ZONE | SLAB_POISON);
	const struct trace_now now = {.cpu = 1, .pid = 7, .comm = "init"};

	d.t->b->trace.now = now;
	poke(&d, d.p + 24, 'A');
	validate(&d);
	ck_assert_uint_eq(d.p, 0xffff888000000000 + (d.slab->pfn << 12) + 8);
	ck_assert_uint_eq(d.slab->order, 0);
	assert_lines(&d, 1,
		     "BUG test (Not tainted): Right Redzone "
		     "overwritten\n"
		     "------------------------------------------------"
		     "-----------------------------\n\n");
	assert_said(&d,
		    "Slab 0x%016" PRIx64 " objects=%u used=2 fp=0x%016" PRIx64
		    " flags=0x",
		    0xffffea0000000000 + d.slab->pfn * 64, d.slab->objects,
		    d.slab->freelist);
	assert_said(&d, "(slab|node=0|zone=1|lastcpupid=0x1fffff)\n");
	assert_said(&d,
		    "Object 0x%016" PRIx64 " @offset=8 fp=0x%016" PRIx64 "\n\n"
		    "Redzone  %016" PRIx64 ": cc cc cc cc cc cc cc cc          "
		    "                ........\n"
		    "Object   %016" PRIx64 ": 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b "
		    "6b 6b 6b 6b 6b  kkkkkkkkkkkkkkkk\n"
		    "Object   %016" PRIx64 ": 6b 6b 6b 6b 6b 6b 6b a5          "
		    "                kkkkkkk.\n"
		    "Redzone  %016" PRIx64 ": 41 cc cc cc cc cc cc cc          "
		    "                A.......\n"
		    "Padding  %016" PRIx64 ": 5a 5a 5a 5a 5a 5a 5a 5a          "
		    "                ZZZZZZZZ\n"
		    "CPU: 1 PID: 7 Comm: init Not tainted 6.1.192 #1\n"
		    "Call Trace:\n"
		    " <TASK>\n"
		    " validate_slab_cache+0x0/0x40\n"
		    " </TASK>\n"
		    "Disabling lock debugging due to kernel taint\n"
		    "FIX test: Restoring Right Redzone 0x%016" PRIx64
		    "-0x%016" PRIx64 "=0xcc\n",
		    d.p, word_at(d.t, d.p + d.s->offset), d.p - 8, d.p,
		    d.p + 16, d.p + 24, d.p + 40, d.p + 24, d.p + 24);
	debugged_free(&d);
}
END_TEST

START_TEST(without_red_zones_the_bytes_before_are_shown)
{
	struct debugged d = debugged_new(&plain_kind, 24, SLAB_POISON);

	give(d.t, d.s, 0, d.other);
	poke(&d, d.other, 'A');
	validate(&d);
	assert_said(&d, "Bytes b4 %016" PRIx64 ": ", d.other - 16);
	assert_not_said(&d, "Redzone ");
	debugged_free(&d);
}
END_TEST

START_TEST(the_first_report_taints_the_kernel)
{
	struct debugged d = debugged_new(&plain_kind, 64, FULL_DEBUG);

	poke(&d, d.p + 64, 1);
	validate(&d);
	assert_said(&d, "BUG test (Not tainted): ");
	forget(&d);
	poke(&d, d.p + 64, 1);
	validate(&d);
	assert_said(&d, "BUG test (Tainted: G    B             ): ");
	assert_said(&d, "Comm:  Tainted: G    B              6.1.192 #1\n");
	assert_not_said(&d, "Disabling lock debugging");
	debugged_free(&d);
}
END_TEST

START_TEST(a_record_that_was_written_over_is_printed_as_it_is)
{
	struct debugged d = debugged_new(&plain_kind, 64, FULL_DEBUG);
	va_t track = d.p + d.s->inuse + 8;

	set_word(d.t, track, 0x1234);
	set_word(d.t, track + 8, 0x00000002ffffffff);
	set_word(d.t, track + 16, 0xfffffffe);
	poke(&d, d.p + 64, 1);
	validate(&d);
	assert_said(&d, "Allocated in 0x1234 age=0 cpu=2 pid=-2\n");
	assert_said(&d, "out of bounds (0) for stack id ffffffff\n");
	debugged_free(&d);
}
END_TEST

START_TEST(a_narrow_kernel_prints_eight_digits)
{
	struct debugged d = debugged_new(&narrow_kind, 64, FULL_DEBUG);

	poke(&d, d.p + 64, 1);
	validate(&d);
	assert_said(&d,
		    "FIX test: Restoring Right Redzone 0x%08" PRIx64
		    "-0x%08" PRIx64 "=0xcc\n",
		    d.p + 64, d.p + 64);
	assert_said(&d, "Object   %08" PRIx64 ": 6b 6b", d.p);
	assert_said(&d, " flags=0x40000200(slab|zone=1)\n");
	debugged_free(&d);
}
END_TEST

START_TEST(a_stack_names_the_function_that_was_called)
{
	struct debugged d = debugged_new(&plain_kind, 20, SLAB_TRACE);
	struct kmem_cache *s = kmem_cache_find(d.t->sc, "kmalloc-64");
	va_t p, many[2];

	s->flags |= SLAB_TRACE;
	ck_assert_int_eq(kmalloc(d.t->sc, 40, &d.t->who, &p), 0);
	assert_said(&d, " __kmalloc+0x0/0x40\n test+0x0/0x40\n");
	forget(&d);
	ck_assert_int_eq(kfree(d.t->sc, p, &d.t->who), 0);
	assert_said(&d, " kfree+0x0/0x40\n test+0x0/0x40\n");
	forget(&d);
	ck_assert_int_eq(kmem_cache_alloc_bulk(d.s, &d.t->who, 2, many), 0);
	assert_said(&d, " kmem_cache_alloc_bulk+0x0/0x40\n");
	forget(&d);
	ck_assert_int_eq(kmem_cache_free_bulk(d.s, &d.t->who, 2, many), 0);
	assert_said(&d, " kmem_cache_free_bulk+0x0/0x40\n");
	debugged_free(&d);
}
END_TEST

START_TEST(a_traced_cache_tells_of_each_use)
{
	struct debugged d = debugged_new(&plain_kind, 20, SLAB_TRACE);
	va_t p = take(d.t, d.s, 0);

	assert_said(&d, "TRACE test alloc 0x%016" PRIx64 " inuse=3 fp=0x", p);
	assert_said(&d, " kmem_cache_alloc+0x0/0x40\n test+0x0/0x40\n");
	forget(&d);
	give(d.t, d.s, 0, p);
	assert_said(&d, "TRACE test free 0x%016" PRIx64 " inuse=3 fp=0x", p);
	assert_said(&d, "Object %016" PRIx64 ": ", p);
	assert_said(&d, "Object %016" PRIx64 ": ", p + 16);
	ck_assert_uint_eq(d.t->sc->errors, 0);
	debugged_free(&d);
}
END_TEST

/* --- traces -------------------------------------------------------------- */

static void
assert_traces(const struct debugged *d, bool of_frees, const char *want)
{
	struct out out = OUT_INIT;

	slab_print_traces(d->s, of_frees, &out);
	ck_assert_str_eq(out_text(&out), want);
	out_fini(&out);
}

START_TEST(traces_count_objects_in_use_by_their_callers)
{
	const struct slabbed_kind kind = {
		.nodes = 2,
		.memory = "128M",
		.cpus = 4,
		.config = {.cmdline = "slub_debug=U,kmalloc-128"}};
	struct debugged d = {.t = slabbed_new(&kind)};
	struct slab_request r = on_cpu(d.t, 0);
	va_t object;

	d.s = kmalloc_cache(d.t->sc, 100, GFP_KERNEL);
	ck_assert(slab_has_traces(d.s));
	ck_assert(!slab_has_traces(kmalloc_cache(d.t->sc, 64, GFP_KERNEL)));
	assert_traces(&d, false, "No data\n");
	r.caller = symbols_address(d.t->symbols, "reader");
	for (unsigned int i = 0; i < 3; i++) {
		d.t->b->now = i * 400000000ULL; /* 100 ticks */
		r.pid = (int32_t)i + 7;
		r.cpu = i == 2;
		r.nid = 0;
		ck_assert_int_eq(kmalloc(d.t->sc, 100, &r, &object), 0);
	}
	r.caller = symbols_address(d.t->symbols, "writer");
	r.cpu = 3;
	r.nid = 1;
	ck_assert_int_eq(kmalloc(d.t->sc, 128, &r, &object), 0);
	assert_traces(&d, false,
		      "      3 reader+0x0/0x40 waste=84/28 age=0/100/200 "
		      "pid=7-9 cpus=0-1 nodes=0\n"
		      "        reader+0x0/0x40\n\n"
		      "      1 writer+0x0/0x40 age=0 pid=9 cpus=3 nodes=1\n"
		      "        writer+0x0/0x40\n\n");
	debugged_free(&d);
}
END_TEST

START_TEST(free_traces_are_those_of_objects_in_use_again)
{
	struct debugged d = debugged_new(&plain_kind, 64, SLAB_STORE_USER);

	give(d.t, d.s, 1, d.p);
	ck_assert_uint_eq(take(d.t, d.s, 0), d.p);
	/* The other one was never freed: all of its record is 0. */
	assert_traces(&d, true,
		      "      1 <not-available> age=4294892296 pid=0 cpus=0\n"
		      "      1 test+0x0/0x40 age=0 pid=0 cpus=1\n"
		      "        test+0x0/0x40\n\n");
	debugged_free(&d);
}
END_TEST

Suite *
suite_slub_report(void)
{
	Suite *suite = suite_create("slub_report");
	TCase *tc = tcase_create("reports");

	tcase_add_test(tc, padding_of_a_slab_is_checked_and_restored);
	tcase_add_test(tc, an_empty_slab_is_checked_before_its_pages_go);
	tcase_add_test(tc, a_slab_is_checked_when_its_grace_period_ends);
	tcase_add_test(tc, a_cache_that_is_destroyed_tells_who_has_its_objects);
	tcase_add_test(tc, a_report_is_the_kernel_s_line_by_line);
	tcase_add_test(tc, without_red_zones_the_bytes_before_are_shown);
	tcase_add_test(tc, the_first_report_taints_the_kernel);
	tcase_add_test(tc, a_record_that_was_written_over_is_printed_as_it_is);
	tcase_add_test(tc, a_narrow_kernel_prints_eight_digits);
	tcase_add_test(tc, a_stack_names_the_function_that_was_called);
	tcase_add_test(tc, a_traced_cache_tells_of_each_use);
	tcase_add_test(tc, traces_count_objects_in_use_by_their_callers);
	tcase_add_test(tc, free_traces_are_those_of_objects_in_use_again);
	suite_add_tcase(suite, tc);
	return suite;
}
