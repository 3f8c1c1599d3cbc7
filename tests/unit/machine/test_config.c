// SPDX-License-Identifier: MIT
/* test_config.c - machine files: what is filled in, what is refused */
#include "kmemfs/machine/config.h"

#include "configs.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

Suite *suite_config(void);

static void
assert_prints(const struct machine_config *config, const char *line)
{
	char *text = configs_print(config);

	ck_assert_msg(strstr(text, line) != NULL, "no '%s' in\n%s", line, text);
	g_free(text);
}

#define X86 "[machine]\narch = x86-64\n"

/* clang-format off */
static const struct {
	const char *text;
	const char *message;
} wrong[] = {
    {"",								"m: memory: say memory = SIZE or [firmware] map"	 },
    {"arch = x86-64\n",						 "m:1: arch: stands before the first [group]"	    },
    {"[machine]\nnonsense\n",					   "m:2: line: neither [group] nor key = value"		  },
    {"[machine]\n= 4\n",						"m:2: line: neither [group] nor key = value"	     },
    {"[machine\n",						      "m:1: [machine: a group is [name] on a line of its own"},
    {"[machine] # x\n",
     "m:1: [machine] # x: a group is [name] on a line of its own"								 },
    {"[machine]\n\x01\n",					       "m:2: line: this is not text (byte 0x01)"		   },
    {X86 "memory = 1G\n[machine]\n",
     "m:4: machine: this group began in line 1 already"									},
    {X86 "cpus = 1\nmemory = 1G\ncpus = 2\n",
     "m:5: cpus: already set in line 3; a key may stand once in a group"							},
    {X86 "memroy = 1G\n",					       "m:3: memroy: group [machine] has no such key"		},
    {X86 "memory = 1G\n[tbl]\n",
     "m:4: tbl: there is no such group (machine, firmware, boot, bootmem, node N, vm, mmu, tlb, cache, costs, kernel, slab, percpu, free, pcp, pageblocks)"						     },
    {X86 "memory = 1G\n[node 0]\nsize = 4\n",
     "m:5: size: group [node 0] has no such key"									       },
    {"[machine]\narch = arm\nmemory = 1G\n",
     "m:2: arch: 'arm' is none of x86-64, i386, i386-pae, generic"								  },
    {X86 "memory = lots\n",
     "m:3: memory: 'lots' is not a size (such as 64M or 8G)"								   },
    {X86 "memory = 100\n",					      "m:3: memory: it is at least 1M, at most 2048T and "
			   "in whole pages"							  },
    {X86 "memory = 1G\ncpus = 0\n",				     "m:4: cpus: 0 is not between 1 and 4096"		    },
    {X86 "memory = 1G\ncpus = two\n",				      "m:4: cpus: 'two' is not a number"			},
    {X86 "memory = 1G\nseed = -1\n",				     "m:4: seed: '-1' is not a number"		      },
    {X86 "memory = 1G\npage-size = 16K\n",
     "m:4: page-size: pages of x86-64 are 4K"										  },
    {"[machine]\narch = generic\nmemory = 1G\npage-size = 5K\n",
     "m:4: page-size: pages are of 4K, 8K, 16K, 32K or 64K"								    },
    {X86 "memory = 1G\nmmu = no\n",				     "m:4: mmu: x86-64 has one"			      },
    {X86 "memory = 1G\nmmu = maybe\n",
     "m:4: mmu: 'maybe' is neither yes nor no"										 },
    {X86 "memory = 1G\npageblock-order = 3\n",
     "m:4: pageblock-order: 3 is not between 4 and 10"},
    {X86 "memory = 1G\npageblock-order = 11\n",
     "m:4: pageblock-order: 11 is not between 4 and 10"},
    {"[machine]\narch = i386\nmemory = 1G\ndeferred-init = yes\n",
     "m:4: deferred-init: i386 kernels do not"										 },
    {"[machine]\narch = i386\nmemory = 1G\nnodes = 2\n",
     "m:4: nodes: i386 kernels know one node only"									     },
    {X86 "memory = 1G\nhostname = a b\n",
     "m:4: hostname: 'a b' is not a name (letters, digits, _ . -)"								  },
    {X86 "memory = 1G\ncmdline = quiet mem=xyz\n",
     "m:4: cmdline: 'mem=xyz': mem= takes a size: no RAM at or above that "
     "address"														 },
    {X86 "memory = 1G\ncmdline = kernelcore=mirror\n",
     "m:4: cmdline: 'kernelcore=mirror': kernelcore=mirror needs memory that "
     "the firmware mirrors, and this machine has none"									 },
    {X86 "memory = 1G\ncmdline = kernelcore=101%\n",
     "m:4: cmdline: 'kernelcore=101%': kernelcore= and movablecore= take a "
     "size, or a percentage of memory up to 100%"									      },
    {X86 "memory = 1G\ncmdline = hugetlb_cma=4\n",
     "m:4: cmdline: 'hugetlb_cma=4': this argument changes memory in a way that "
     "is not modelled; leave it out"											   },
    {X86 "memory = 1G\ncmdline = maxcpus=1\n",
     "m:4: cmdline: 'maxcpus=1': how many CPUs there are is said by cpus= of "
     "[machine]"													       },
    {X86 "memory = 1G\n[firmware]\nmap = 0x0-0xffffff usable\n",
     "m:3: memory: the [firmware] map says it already"									 },
    {X86 "[firmware]\nmap = 0x0-0xffffff ram\n",
     "m:4: map: 'ram' is none of usable, reserved, acpi, nvs, unusable, pmem"						     },
    {X86 "[firmware]\nmap = 0x0-0xffffff\n",
     "m:4: map: '0x0-0xffffff' lacks a type (usable, reserved, acpi, nvs, "
     "unusable, pmem)"													 },
    {X86 "[firmware]\nmap = 0x0 usable\n",
     "m:4: map: '0x0' is not a range (such as 0x100000-0x1fffff)"								 },
    {X86 "[firmware]\nmap = 0x5-0x4 usable\n",
     "m:4: map: the range 0x5-0x4 ends before it starts"								       },
    {X86 "[firmware]\nmap = 0x0-0xffffffffffffffff usable\n",
     "m:4: map: 0xffffffffffffffff is beyond 52 address bits"								  },
    {X86 "memory = 1G\n[boot]\nreserved = 0x0-0xfff;;0x2000-0x2fff\n",
     "m:5: reserved: a part between semicolons is empty"								       },
    {X86 "memory = 1G\n[boot]\nhotplugged = 0x100000000-0x100000fff\n",
     "m:5: hotplugged: memory is plugged in and out in multiples of 128M"							 },
    {X86 "memory = 1G\n[boot]\ncma = 0x0-0x1fffff\n",
     "m:5: cma: no cma= in cmdline asks for this area"									 },
    {X86 "memory = 1G\nnodes = 2\n[node 0]\ncpus = 0\n",
     "m:4: nodes: the [node N] groups say it already"									  },
    {X86 "nodes = 2\n[firmware]\nmap = 0x0-0x3fffffff usable\n",
     "m:3: nodes: without memory = SIZE, say [node N] what each has"							    },
    {X86 "memory = 8M\nnodes = 2\n",
     "m:4: nodes: memory is too small for 2 nodes"									     },
    {X86 "memory = 1G\n[node 1]\ncpus = 0\n",
     "m:4: node 1: there is no [node 0]"										       },
    {X86 "memory = 1G\n[node x]\n",
     "m:4: node x: nodes are [node 0] to [node 1023]"									  },
    {X86 "memory = 1G\n[node 0]\ncpus = 1\n",
     "m:5: cpus: there is no cpu 1: cpus of [machine] is 1"								    },
    {X86 "memory = 1G\ncpus = 2\n[node 0]\ncpus = 0-1,0\n",
     "m:6: cpus: cpu 0 belongs to node 0 already"									      },
    {X86 "memory = 1G\ncpus = 2\n[node 0]\ncpus = 0\n",
     "m: cpus: no node has cpu 1"											      },
    {X86 "memory = 1G\n[node 0]\ncpus = 0-\n",
     "m:5: cpus: '0-' is not a list of CPUs (such as 0-3,8)"								   },
    {X86 "memory = 1G\n[node 0]\ndistances = 10; 20\n",
     "m:5: distances: there are 2 distances for 1 nodes"								       },
    {X86 "memory = 1G\n[node 0]\ndistances = 11\n",
     "m:5: distances: a node is 10 away from itself and more from others: "
     "node 0 says 11 to node 0"												},
    {X86 "memory = 1G\n[node 0]\ndistances = 9\n",
     "m:5: distances: '9' is not a distance (10 to 255)"								       },
    {X86 "[firmware]\nmap = 0x0-0x3fffffff usable\n"
	 "[node 0]\nmemory = 0x0-0x1fffffff\n"
	 "[node 1]\nmemory = 0x1fffffff-0x3fffffff\n",	     "m:8: memory: 0x1fffffff-0x3fffffff is claimed twice"  },
    {X86 "memory = 1G\n[vm]\nmin_free_kbytes = -1\n",
     "m:5: min_free_kbytes: min_free_kbytes: -1 is not between 0 and "
     "2147483647"													      },
    {X86 "memory = 1G\n[vm]\nmagic = 1\n",
     "m:5: magic: there is no sysctl vm.magic here"									    },
    {X86 "memory = 16M\n",
     "m:3: reserved: the kernel's place, 0x1000000-0x2bfffff, is not memory: "
     "say more memory, or reserved of [boot]"										  },
    {X86 "memory = 1G\n[free]\nisolate = 1\n",
     "m:5: isolate: group [free] has no such key"},
    {X86 "memory = 1G\n[pageblocks]\nmovable = 1\n",
     "m:5: movable: group [pageblocks] has no such key"},
    {X86 "memory = 1G\n[free]\nmovable = 1; two\n",
     "m:5: movable: 'two' is not a frame's number or first-last"},
    {X86 "memory = 1G\n[free]\nmovable = 1;\n",
     "m:5: movable: '1' is not a frame's number or first-last"},
    {X86 "memory = 1G\n[free]\nmovable = 5-4\n",
     "m:5: movable: '5-4' is not a frame's number or first-last"},
    {X86 "memory = 1G\n[free]\nmovable = 99999999999999999999\n",
     "m:5: movable: '99999999999999999999' is not a frame's number or first-last"},
    {X86 "memory = 1G\n[free]\nmovable = 5-9\nunmovable = 3; 8\n",
     "m:4: free: frame 8 stands twice (movable, unmovable)"},
    {X86 "memory = 1G\n[pcp]\n0 = 700\n",
     "m:4: pcp: per-cpu lists without a group [free]"},
    {X86 "memory = 1G\n[free]\nmovable = 5-9\n[pcp]\n0 = 9\n",
     "m:6: pcp: frame 9 stands twice (movable, pcp)"},
    {X86 "memory = 1G\n[free]\n[pcp]\n1 = 9\n",
     "m:6: 1: the machine has CPUs 0 to 0"},
    {X86 "memory = 1G\n[free]\n[pcp]\n00 = 9\n",
     "m:6: 00: group [pcp] has no such key"},
    {X86 "memory = 1G\n[free]\n[pcp]\n0 = 9-\n",
     "m:6: 0: '9-' is not a frame's number or first-last"},
};
/* clang-format on */

START_TEST(what_is_wrong_is_said_with_its_line)
{
	char *error = NULL;

	ck_assert_ptr_null(config_read(wrong[_i].text, "m", &error));
	ck_assert_str_eq(error, wrong[_i].message);
	g_free(error);
}
END_TEST

/* clang-format off */
static const char *const good[] = {
    X86 "memory = 1G\n",
    X86 "memory = 8G\nnodes = 3\ncpus = 7\n",
    X86 "memory = 8G\ncmdline = cma=64M movablecore=1G\n",
    "[machine]\narch = generic\nmemory = 16M\nmmu = no\n",
    "[machine]\narch = generic\npage-size = 64K\nmemory = 1G\n",
    "[machine]\narch = i386-pae\nmemory = 6G\nram-limit = 3M\n",
    X86 "memory = 2T\nnodes = 2\n",
    X86 "memory = 1G\ncpus = 3\nhostname = box\nseed = 0x10\n"
	"cmdline = quiet  console=ttyS0\n"
	"[boot]\nfreed-late = 0x1100000-0x11fffff\n"
	"hotplugged = 0x100000000-0x13fffffff\n"
	"[vm]\nwatermark_scale_factor = 20\nlowmem_reserve_ratio = 1 2\n",
    X86 "[firmware]\nmap = 0x0-0x3fffffff usable; 0x40000000-0x4fffffff nvs\n"
	"[boot]\nreserved =\n[node 0]\nmemory = 0x0-0x3fffffff\n[node 1]\n",
    X86 "memory = 1G\n[free]\n",
    X86 "memory = 1G\n[pageblocks]\n[free]\nmovable = 700-701 ;9; 800\n"
	"unmovable=300 - 310\n",
    X86 "memory = 1G\ncpus = 2\n[pcp]\n1 = 900-903; 702\n0 = 12\n[free]\n"
	"movable = 700-701\n",
};
/* clang-format on */

static void
assert_stable(struct machine_config *config)
{
	char *first = configs_print(config), *second;
	struct machine_config *again = configs_read(first);

	second = configs_print(again);
	ck_assert_str_eq(first, second);
	g_free(first);
	g_free(second);
	config_free(again);
	config_free(config);
}

START_TEST(what_is_printed_reads_back_as_the_same_text)
{
	assert_stable(configs_read(good[_i]));
}
END_TEST

/* clang-format off */
static const char *const shipped[] = {
	"default", "uma-small", "i386-highmem", "i386-pae",
	"numa-4",  "embedded",  "big",          "huge",
	"boot-buffers",
	"slub-debug", "slab-classic",
};
/* clang-format on */

START_TEST(shipped_machines_read_back_as_the_same_text)
{
	char *error = NULL;
	struct machine_config *config = config_load(shipped[_i], &error);

	ck_assert_msg(config != NULL, "%s", error);
	assert_stable(config);
}
END_TEST

START_TEST(a_short_description_is_filled_in_like_a_pc)
{
	struct machine_config *config =
		configs_read(X86 "memory = 8G\nnodes = 2\ncpus = 4\n");

	assert_prints(config, "0x100000-0xbffdffff usable");
	assert_prints(config, "0x100000000-0x23fffffff usable");
	assert_prints(config, "reserved = 0x0-0xfffff; 0x1000000-0x2bfffff; ");
	/* 64 bytes a page: 64 MiB for the 4 GiB of each node. */
	assert_prints(config, "0x23c000000-0x23fffffff\n");
	assert_prints(config, "[node 0]\nmemory = 0x0-0xbfffffff; "
			      "0x100000000-0x13fffffff\ncpus = 0-1\n"
			      "distances = 10; 20\n");
	assert_prints(config, "[node 1]\nmemory = 0x140000000-0x23fffffff\n"
			      "cpus = 2-3\ndistances = 20; 10\n");
	config_free(config);
}
END_TEST

static const struct {
	const char *memory;
	const char *last; /* the last of the map that is usable */
} holes[] = {
	{"1G",    "0x100000-0x3ffdffff usable; 0x3ffe0000-0x3fffffff reserved"},
	{"3583M", "0x100000-0xdfedffff usable; 0xdfee0000-0xdfefffff reserved"},
	{"3584M", "0x100000000-0x11fffffff usable"				  },
	{"4G",    "0x100000000-0x13fffffff usable"			       },
};

START_TEST(the_hole_for_pci_opens_at_3584_mib)
{
	char *text = g_strdup_printf(X86 "memory = %s\n", holes[_i].memory);
	struct machine_config *config = configs_read(text);

	assert_prints(config, holes[_i].last);
	config_free(config);
	g_free(text);
}
END_TEST

START_TEST(the_order_of_pageblocks_is_the_architectures_or_as_given)
{
	struct machine_config *config =
		configs_read(X86 "memory = 1G\npageblock-order = 7\n");

	assert_prints(config, "\npageblock-order = 7\n");
	assert_stable(config);
	config = configs_read(X86 "memory = 1G\n");
	assert_prints(config, "\npageblock-order = 9\n");
	assert_stable(config);
}
END_TEST

START_TEST(a_cma_area_is_placed_and_printed)
{
	struct machine_config *config =
		configs_read(X86 "memory = 1G\ncmdline = cma=64M\n");

	ck_assert(config->phys.cma_kernel);
	assert_prints(config, "cma = yes\n");
	assert_prints(config, "cma = 0x3be00000-0x3fdfffff\n");
	/* The memory map lies below it. */
	assert_prints(config, "0x3ae00000-0x3bdfffff\n");
	config_free(config);
	config = configs_read(X86 "memory = 1G\ncma = no\ncmdline = cma=64M\n");
	ck_assert_uint_eq(config->phys.cma.end, 0);
	config_free(config);
}
END_TEST

START_TEST(words_of_the_command_line_that_are_not_about_memory_are_kept)
{
	struct machine_config *config = configs_read(
		X86
		"memory = 1G\ncmdline = console=ttyS0 quiet nokaslr panic=-1 "
		"memblock=debug no_hash_pointers mminit_loglevel=4 "
		"slub_debug=FZPU -- mem=1K\n");

	ck_assert_str_eq(config->phys.cmdline,
			 "console=ttyS0 quiet nokaslr panic=-1 memblock=debug "
			 "no_hash_pointers mminit_loglevel=4 slub_debug=FZPU "
			 "-- mem=1K");
	config_free(config);
}
END_TEST

START_TEST(remarks_blanks_and_line_ends_of_other_systems_are_passed_over)
{
	struct machine_config *config = configs_read(
		"# a remark\r\n\r\n[ machine ]\r\n  memory=1G\t\r\n"
		"  # another\r\n arch\t=\tx86-64\r\n");

	ck_assert_int_eq(config->phys.arch, ARCH_X86_64);
	assert_prints(config, "0x3ffdffff usable");
	config_free(config);
}
END_TEST

START_TEST(nobody_has_a_machine_of_a_made_up_name)
{
	char *error = NULL;

	ck_assert_ptr_null(config_load("no-such-machine", &error));
	ck_assert_ptr_nonnull(strstr(error, "no-such-machine: there is no "));
	g_free(error);
	ck_assert_ptr_null(config_load("./no-such.ini", &error));
	ck_assert_ptr_nonnull(strstr(error, "./no-such.ini: "));
	g_free(error);
}
END_TEST

START_TEST(a_setting_stands_in_place_of_what_the_file_says)
{
	char set[][64] = {"machine.cpus=3", "machine.cmdline+=movablecore=64M",
			  "vm.min_free_kbytes=512", "node 0.cpus=0-2"};
	char *settings[] = {set[0], set[1], set[2], set[3], NULL};
	char *error = NULL;
	struct machine_config *config =
		config_read_set(X86 "memory = 1G\ncpus = 1\ncmdline = quiet\n",
				"m", settings, &error);

	ck_assert_msg(config != NULL, "%s", error);
	assert_prints(config, "\ncpus = 3\n");
	assert_prints(config, "\ncmdline = quiet movablecore=64M\n");
	assert_prints(config, "[vm]\nmin_free_kbytes = 512\n");
	assert_prints(config, "\ncpus = 0-2\n");
	config_free(config);
}
END_TEST

static const struct {
	const char *setting;
	const char *message;
} wrong_settings[] = {
	{"cpus=3",	   "m: cpus=3: a setting is group.key=value"	    },
	{"machine.cpus",	 "m: machine.cpus: a setting is group.key=value"},
	{"machine.cpsu=3", "m: cpsu: group [machine] has no such key"     },
	{"machine.cpus=0", "m: cpus: 0 is not between 1 and 4096"	 },
	{"vm.magic=1",     "m: magic: there is no sysctl vm.magic here"   },
};

START_TEST(a_setting_that_cannot_be_is_said_without_a_line)
{
	char *setting = g_strdup(wrong_settings[_i].setting), *error = NULL;
	char *settings[] = {setting, NULL};

	ck_assert_ptr_null(
		config_read_set(X86 "memory = 1G\n", "m", settings, &error));
	ck_assert_str_eq(error, wrong_settings[_i].message);
	g_free(setting);
	g_free(error);
}
END_TEST

Suite *
suite_config(void)
{
	Suite *s = suite_create("config");
	TCase *t = tcase_create("config");

	tcase_add_loop_test(t, what_is_wrong_is_said_with_its_line, 0,
			    ARRAY_SIZE(wrong));
	tcase_add_loop_test(t, what_is_printed_reads_back_as_the_same_text, 0,
			    ARRAY_SIZE(good));
	tcase_add_loop_test(t, shipped_machines_read_back_as_the_same_text, 0,
			    ARRAY_SIZE(shipped));
	tcase_add_test(t, a_short_description_is_filled_in_like_a_pc);
	tcase_add_loop_test(t, the_hole_for_pci_opens_at_3584_mib, 0,
			    ARRAY_SIZE(holes));
	tcase_add_test(
		t, the_order_of_pageblocks_is_the_architectures_or_as_given);
	tcase_add_test(t, a_cma_area_is_placed_and_printed);
	tcase_add_test(
		t,
		words_of_the_command_line_that_are_not_about_memory_are_kept);
	tcase_add_test(
		t,
		remarks_blanks_and_line_ends_of_other_systems_are_passed_over);
	tcase_add_test(t, nobody_has_a_machine_of_a_made_up_name);
	tcase_add_test(t, a_setting_stands_in_place_of_what_the_file_says);
	tcase_add_loop_test(t, a_setting_that_cannot_be_is_said_without_a_line,
			    0, ARRAY_SIZE(wrong_settings));
	suite_add_tcase(s, t);
	return s;
}
