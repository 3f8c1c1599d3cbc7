// SPDX-License-Identifier: MIT
/* test_mempolicy.c - from which nodes pages come */
#include "vmed.h"

Suite *suite_mempolicy(void);

#define P VM_PAGE

/* Three nodes of 64 MiB; the task's CPU is on node 0. */
static struct vmed *
three_nodes(void)
{
	return vmed_new(
		&(struct vmed_kind){.memory = "192M", .more = "nodes = 3\n"});
}

static unsigned int
node_at(struct vmed *m, va_t va)
{
	struct vm_leaf leaf;

	ck_assert_int_eq(poke_user(m, m->t, va, 1), 0);
	ck_assert(vm_leaf(m->vm, m->t->mm, va, &leaf));
	return m->b->phys->zones[m->b->phys->frames[leaf.pfn].zone]->node->id;
}

/* "0 0 1 ...": nodes of the first pages of an area. */
static char *
nodes_of(struct vmed *m, va_t a, unsigned int pages)
{
	GString *s = g_string_new(NULL);

	for (unsigned int i = 0; i < pages; i++)
		g_string_append_printf(s, "%s%u", i ? " " : "",
				       node_at(m, a + i * P));
	return g_string_free(s, FALSE);
}

static const struct {
	const char *why;
	int mode;
	uint64_t nodes;
	const char *want;
} places[] = {
	{"the node of the CPU",		MPOL_DEFAULT,	      0, "0 0 0 0 0"},
	{"the same, said aloud",		 MPOL_LOCAL,	     0, "0 0 0 0 0"},
	{"the one that is preferred",	      MPOL_PREFERRED,      4, "2 2 2 2 2"},
	{"preferred, but none said: local", MPOL_PREFERRED,	    0, "0 0 0 0 0"},
	{"the nearest of those bound to",	  MPOL_BIND,	     6, "1 1 1 1 1"},
	{"in turn, by the page's place",	 MPOL_INTERLEAVE,	  7, "0 1 2 0 1"},
	{"in turn, between two",		 MPOL_INTERLEAVE,	  5, "0 2 0 2 0"},
	{"the nearest of many preferred",	  MPOL_PREFERRED_MANY, 6, "1 1 1 1 1"},
};

START_TEST(an_areas_policy_places_its_pages)
{
	struct vmed *m = three_nodes();
	/* Page numbers of the area begin with a multiple of 6. */
	va_t a = map_with(m, 0x30000000, 8, RW, VM_MAP_PRIVATE | VM_MAP_FIXED,
			  NULL, 0);
	char *got;

	ck_assert_int_eq(vm_mbind(m->vm, m->t, a, 8 * P, places[_i].mode,
				  places[_i].nodes, 0),
			 0);
	got = nodes_of(m, a, 5);
	ck_assert_msg(!strcmp(got, places[_i].want), "%s: %s", places[_i].why,
		      got);
	g_free(got);
	vmed_free(m);
}
END_TEST

START_TEST(a_tasks_policy_serves_where_no_area_has_one)
{
	struct vmed *m = three_nodes();
	va_t a = map(m, 8, RW);
	struct task *child;

	ck_assert_int_eq(vm_set_mempolicy(m->vm, m->t, MPOL_PREFERRED, 4), 0);
	ck_assert_uint_eq(node_at(m, a), 2);
	ck_assert_int_eq(vm_mbind(m->vm, m->t, a + P, P, MPOL_PREFERRED, 2, 0),
			 0);
	ck_assert_uint_eq(node_at(m, a + P), 1);
	child = child_of(m->t);
	ck_assert_int_eq(child->policy, MPOL_PREFERRED);
	ck_assert_uint_eq(child->policy_nodes, 4);
	end_task(child);
	vmed_free(m);
}
END_TEST

START_TEST(bound_memory_ends_where_its_nodes_do)
{
	struct vmed *m = three_nodes();
	va_t a = map(m, 64 << 8, RW);
	uint64_t done = 0;

	ck_assert_int_eq(
		vm_mbind(m->vm, m->t, a, (64 << 8) * P, MPOL_BIND, 2, 0), 0);
	while (!poke_user(m, m->t, a + done * P, 1))
		done++;
	ck_assert_uint_gt(done, 10000);
	ck_assert_uint_lt(done, 64 << 8);
	ck_assert_int_eq(poke_user(m, m->t, a + done * P, 1), -ENOMEM);
	/* The others have plenty. */
	ck_assert_int_gt(
		m->b->phys->nodes[2]->zones[ZONE_DMA32].stat[ZS_nr_free_pages],
		10000);
	vmed_free(m);
}
END_TEST

START_TEST(counters_tell_hits_from_misses)
{
	struct vmed *m = three_nodes();
	va_t a = map(m, 8, RW);
	struct zone *z = &m->b->phys->nodes[1]->zones[ZONE_DMA32];
	uint64_t hit, other, interleave;

	ck_assert_int_eq(byte_at(m, m->t, a), 0); /* tables are made */
	ck_assert_int_eq(vm_mbind(m->vm, m->t, a, 8 * P, MPOL_PREFERRED, 2, 0),
			 0);
	hit = z->numa[NUMA_numa_hit - NUMA_BASE];
	other = z->numa[NUMA_numa_other - NUMA_BASE];
	ck_assert_uint_eq(node_at(m, a + P), 1);
	ck_assert_uint_eq(z->numa[NUMA_numa_hit - NUMA_BASE], hit + 1);
	ck_assert_uint_eq(z->numa[NUMA_numa_other - NUMA_BASE], other + 1);
	interleave = z->numa[NUMA_numa_interleave - NUMA_BASE];
	ck_assert_int_eq(vm_mbind(m->vm, m->t, a, 8 * P, MPOL_INTERLEAVE, 2, 0),
			 0);
	ck_assert_uint_eq(node_at(m, a + 2 * P), 1);
	ck_assert_uint_eq(z->numa[NUMA_numa_interleave - NUMA_BASE],
			  interleave + 1);
	vmed_free(m);
}
END_TEST

START_TEST(areas_are_cut_and_merged_by_policy)
{
	struct vmed *m = three_nodes();
	va_t a = map(m, 9, RW);

	ck_assert_uint_eq(areas_in(m->t, a, a + 9 * P), 1);
	ck_assert_int_eq(
		vm_mbind(m->vm, m->t, a + 3 * P, 3 * P, MPOL_BIND, 2, 0), 0);
	ck_assert_uint_eq(areas_in(m->t, a, a + 9 * P), 3);
	ck_assert_int_eq(vm_mbind(m->vm, m->t, a, 3 * P, MPOL_BIND, 2, 0), 0);
	ck_assert_uint_eq(areas_in(m->t, a, a + 9 * P), 2);
	ck_assert_int_eq(vm_mbind(m->vm, m->t, a, 9 * P, MPOL_DEFAULT, 0, 0),
			 0);
	ck_assert_uint_eq(areas_in(m->t, a, a + 9 * P), 1);
	vmed_free(m);
}
END_TEST

#define STATIC MPOL_F_STATIC_NODES
#define RELATIVE MPOL_F_RELATIVE_NODES
#define BALANCING MPOL_F_NUMA_BALANCING

static const struct {
	const char *why;
	int mode;
	uint64_t nodes;
	int err;
} modes[] = {
	{"no such mode",			 6,			     1,    -EINVAL},
	{"a negative mode",		    -1,				1,	   -EINVAL},
	{"default takes no nodes",	   MPOL_DEFAULT,			 1,    -EINVAL},
	{"local takes none either",	    MPOL_LOCAL,			1,	   -EINVAL},
	{"bind wants some",		    MPOL_BIND,		       0,	  -EINVAL},
	{"interleave wants some",		  MPOL_INTERLEAVE,		   0,    -EINVAL},
	{"nodes that there are not",	     MPOL_BIND,			0x30, -EINVAL},
	{"some of them there are",	   MPOL_BIND,		      0x34, 0	     },
	{"both of static and relative",	MPOL_BIND | STATIC | RELATIVE, 1,
	 -EINVAL									},
	{"preferred, static, none",	    MPOL_PREFERRED | STATIC,	     0,	-EINVAL},
	{"balancing is for bind",		  MPOL_INTERLEAVE | BALANCING,   1,	  -EINVAL},
	{"balancing of bind",		      MPOL_BIND | BALANCING,	     1,	0	 },
	{"relative nodes are counted anew", MPOL_BIND | RELATIVE,	  0x30, 0	 },
};

START_TEST(set_mempolicy_and_mbind_refuse_the_same)
{
	struct vmed *m = three_nodes();
	va_t a = map(m, 2, RW);

	ck_assert_msg(vm_set_mempolicy(m->vm, m->t, modes[_i].mode,
				       modes[_i].nodes) == modes[_i].err,
		      "%s", modes[_i].why);
	ck_assert_msg(vm_mbind(m->vm, m->t, a, P, modes[_i].mode,
			       modes[_i].nodes, 0) == modes[_i].err,
		      "%s", modes[_i].why);
	if (modes[_i].err)
		ck_assert_int_eq(m->t->policy, MPOL_DEFAULT);
	vmed_free(m);
}
END_TEST

START_TEST(mbind_says_what_is_wrong_with_the_range)
{
	struct vmed *m = three_nodes();
	va_t a = map(m, 6, RW);
	struct vm *vm = m->vm;

	ck_assert_int_eq(vm_munmap(vm, m->t, a + 2 * P, P), 0);
	ck_assert_int_eq(vm_mbind(vm, m->t, a + 1, P, MPOL_BIND, 1, 0),
			 -EINVAL);
	ck_assert_int_eq(vm_mbind(vm, m->t, a, -P, MPOL_BIND, 1, 0), -EINVAL);
	ck_assert_int_eq(vm_mbind(vm, m->t, a, 0, MPOL_BIND, 1, 0), 0);
	ck_assert_int_eq(vm_mbind(vm, m->t, a, 4 * P, MPOL_BIND, 1, 0),
			 -EFAULT);
	ck_assert_int_eq(vm_mbind(vm, m->t, a, 4 * P, MPOL_DEFAULT, 0, 0), 0);
	ck_assert_int_eq(vm_mbind(vm, m->t, a, P, MPOL_BIND, 1, 8), -EINVAL);
	ck_assert_int_eq(
		vm_mbind(vm, m->t, a, P, MPOL_BIND, 1, MPOL_MF_MOVE_ALL),
		-EPERM);
	/* A page that is elsewhere. */
	ck_assert_uint_eq(node_at(m, a), 0);
	ck_assert_int_eq(vm_mbind(vm, m->t, a, P, MPOL_BIND, 2, MPOL_MF_STRICT),
			 -EIO);
	ck_assert_int_eq(vm_mbind(vm, m->t, a, P, MPOL_BIND, 1, MPOL_MF_STRICT),
			 0);
	vmed_free(m);
}
END_TEST

START_TEST(pages_move_when_they_are_asked_to)
{
	struct vmed *m = three_nodes();
	va_t a = map(m, 4, RW),
	     shm = map_with(m, 0, 2, RW, VM_MAP_SHARED, NULL, 0);
	struct vm *vm = m->vm;
	struct task *child;
	pfn_t pinned;

	for (unsigned int i = 0; i < 3; i++)
		ck_assert_uint_eq(node_at(m, a + i * P), 0);
	ck_assert_int_eq(poke_user(m, m->t, a, 77), 0);
	ck_assert_int_eq(vm_mbind(vm, m->t, a, 2 * P, MPOL_BIND, 2,
				  MPOL_MF_MOVE | MPOL_MF_STRICT),
			 0);
	ck_assert_uint_eq(m->b->phys->event[VE_pgmigrate_success], 2);
	ck_assert_uint_eq(byte_at(m, m->t, a), 77);
	ck_assert_uint_eq(node_at(m, a), 1);
	/* Shared memory goes too. */
	ck_assert_uint_eq(node_at(m, shm), 0);
	ck_assert_int_eq(
		vm_mbind(vm, m->t, shm, 2 * P, MPOL_BIND, 4, MPOL_MF_MOVE), 0);
	ck_assert_uint_eq(node_at(m, shm), 2);
	vmed_lawful(m);
	/* What others have too stays, unless all are meant. */
	child = child_of(m->t);
	ck_assert_int_eq(vm_mbind(vm, child, a, P, MPOL_BIND, 4, MPOL_MF_MOVE),
			 0);
	ck_assert_uint_eq(m->b->phys->event[VE_pgmigrate_success], 3);
	child->caps |= CAP_SYS_NICE_BIT;
	ck_assert_int_eq(
		vm_mbind(vm, child, a, P, MPOL_PREFERRED, 4, MPOL_MF_MOVE_ALL),
		0);
	ck_assert_uint_eq(m->b->phys->event[VE_pgmigrate_success], 4);
	ck_assert_uint_eq(pfn_of(m, child, a), pfn_of(m, m->t, a));
	ck_assert_uint_eq(byte_at(m, m->t, a), 1);
	vmed_lawful(m);
	end_task(child);
	/* One that a device knows does not move. */
	ck_assert_int_eq(vm_pin_pages(vm, m->t, a + 2 * P, 1, true, &pinned),
			 1);
	ck_assert_int_eq(vm_mbind(vm, m->t, a + 2 * P, P, MPOL_BIND, 2,
				  MPOL_MF_MOVE | MPOL_MF_STRICT),
			 -EIO);
	ck_assert_uint_eq(m->b->phys->event[VE_pgmigrate_fail], 1);
	ck_assert_int_eq(vm_unpin_page(vm, pinned, false, 0), 0);
	vmed_free(m);
}
END_TEST

START_TEST(get_mempolicy_tells_policies_and_nodes)
{
	struct vmed *m = three_nodes();
	va_t a = map(m, 2, RW);
	struct vm *vm = m->vm;
	uint64_t nodes = 9;
	int mode = 9;

	ck_assert_int_eq(vm_set_mempolicy(vm, m->t, MPOL_INTERLEAVE, 6), 0);
	ck_assert_int_eq(vm_get_mempolicy(vm, m->t, 0, 0, &mode, &nodes), 0);
	ck_assert_int_eq(mode, MPOL_INTERLEAVE);
	ck_assert_uint_eq(nodes, 6);
	ck_assert_int_eq(
		vm_get_mempolicy(vm, m->t, 0, MPOL_F_NODE, &mode, &nodes), 0);
	ck_assert_int_eq(mode, 1);
	ck_assert_int_eq(
		vm_get_mempolicy(vm, m->t, a, MPOL_F_ADDR, &mode, &nodes), 0);
	ck_assert_int_eq(mode, MPOL_DEFAULT);
	ck_assert_uint_eq(nodes, 0);
	ck_assert_int_eq(vm_mbind(vm, m->t, a, P, MPOL_BIND | STATIC, 4, 0), 0);
	ck_assert_int_eq(
		vm_get_mempolicy(vm, m->t, a, MPOL_F_ADDR, &mode, &nodes), 0);
	ck_assert_int_eq(mode, MPOL_BIND | STATIC);
	ck_assert_int_eq(vm_get_mempolicy(vm, m->t, a,
					  MPOL_F_ADDR | MPOL_F_NODE, &mode,
					  &nodes),
			 0);
	ck_assert_int_eq(mode, 2);
	ck_assert_int_eq(vm_get_mempolicy(vm, m->t, 0, MPOL_F_MEMS_ALLOWED,
					  &mode, &nodes),
			 0);
	ck_assert_uint_eq(nodes, 7);
	ck_assert_int_eq(vm_get_mempolicy(vm, m->t, a, 0, &mode, &nodes),
			 -EINVAL);
	ck_assert_int_eq(vm_get_mempolicy(vm, m->t, 0, 8, &mode, &nodes),
			 -EINVAL);
	ck_assert_int_eq(
		vm_get_mempolicy(vm, m->t, 0x1000, MPOL_F_ADDR, &mode, &nodes),
		-EFAULT);
	vmed_free(m);
}
END_TEST

START_TEST(huge_pages_are_interleaved_as_a_whole)
{
	struct vmed *m = vmed_new(&(struct vmed_kind){
		.memory = "192M", .more = "nodes = 3\n", .huge = true});
	va_t a = map_with(m, 0x30000000, 4 * 512, RW,
			  VM_MAP_PRIVATE | VM_MAP_FIXED, NULL, 0);
	uint64_t first = a / P / 512;

	ck_assert_int_eq(
		vm_mbind(m->vm, m->t, a, 2048 * P, MPOL_INTERLEAVE, 7, 0), 0);
	for (unsigned int i = 0; i < 4; i++)
		ck_assert_uint_eq(node_at(m, a + i * 512 * P), (first + i) % 3);
	vmed_free(m);
}
END_TEST

Suite *
suite_mempolicy(void)
{
	Suite *s = suite_create("mempolicy");
	TCase *t = tcase_create("mempolicy");

	tcase_add_loop_test(t, an_areas_policy_places_its_pages, 0,
			    ARRAY_SIZE(places));
	tcase_add_test(t, a_tasks_policy_serves_where_no_area_has_one);
	tcase_add_test(t, bound_memory_ends_where_its_nodes_do);
	tcase_add_test(t, counters_tell_hits_from_misses);
	tcase_add_test(t, areas_are_cut_and_merged_by_policy);
	tcase_add_loop_test(t, set_mempolicy_and_mbind_refuse_the_same, 0,
			    ARRAY_SIZE(modes));
	tcase_add_test(t, mbind_says_what_is_wrong_with_the_range);
	tcase_add_test(t, pages_move_when_they_are_asked_to);
	tcase_add_test(t, get_mempolicy_tells_policies_and_nodes);
	tcase_add_test(t, huge_pages_are_interleaved_as_a_whole);
	suite_add_tcase(s, t);
	return s;
}
