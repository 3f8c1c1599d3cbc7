// SPDX-License-Identifier: MIT
/* test_config_mmu.c - [mmu], [tlb], [cache], [costs] of a machine file */
#include "kmemfs/machine/machine.h"

#include "configs.h"

#include <check.h>
#include <string.h>

Suite *suite_config_mmu(void);

#define X86 "[machine]\narch = x86-64\nmemory = 64M\n"
#define GENERIC "[machine]\narch = generic\nmemory = 16M\n"
#define CUSTOM GENERIC "[mmu]\nmode = custom\n"

static const struct {
	const char *text, *part;
} good[] = {
	{X86,								"[mmu]\nmode = 4-level\nphys_bits = 46\nnx = yes\n"
	      "gb_pages = yes\nwp = yes\nsmep = no\nsmap = no\npcid = no\n"
	      "meltdown = yes\nkpti = no\npaging_caches = no\n"				       },
	{X86,								"[tlb]\nl1i-4k = 16 8\nl1i-2m = 1 8\nl1d-4k = 16 4\n"
	      "l1d-2m = 8 4\nl1d-1g = 1 4\nl2 = 128 12\nl2-1g = 4 4\n"				      },
	{X86,								"[cache]\nmodel = yes\nl1 = 64 8 4\n"},
	{"[machine]\narch = i386\nmemory = 64M\n",
	 "[mmu]\nmode = 32-bit\nphys_bits = 32\nwp = yes\nsmep = no\n"
	 "smap = no\nmeltdown = yes\npaging_caches = no\n"							  },
	{"[machine]\narch = i386-pae\nmemory = 64M\n",
	 "mode = pae\nphys_bits = 36\n"									   },
	{GENERIC,							    "[mmu]\nmode = none\n\n"		  },
	{X86 "[mmu]\nmode = 5level\nphys_bits = 52\nkpti = yes\nnx = no\n",
	 "mode = 5-level\nphys_bits = 52\nnx = no\n"							      },
	{X86 "cmdline = quiet pti=on\n",					 "kpti = yes\n"		       },
	{X86 "cmdline = pti=auto\n[mmu]\nmeltdown = no\n",		   "kpti = no\n"			},
	{X86 "cmdline = pti=auto\n",					 "kpti = yes\n"			   },
	{X86 "cmdline = pti=on nopti\n",					 "kpti = yes\n"		       },
	{X86 "cmdline = pti=on pti=off\n",				   "kpti = no\n"			},
	{X86 "cmdline = nopti pti=auto\n",				   "kpti = yes\n"			 },
	{X86 "cmdline = pti=\"on\"\n",				       "kpti = no\n"			    },
	{X86 "cmdline = init=\"/sh pti=on /x\"\n",			   "kpti = yes\n"			 },
	{X86 "cmdline = quiet -- pti=on\n",				    "kpti = yes\n"			  },
	{X86 "cmdline = pti=on\n[mmu]\nkpti = no\n",			     "kpti = no\n"			  },
	{CUSTOM "page_size = 32\nentry_bytes = 1\nindex_bits = 5 4\n"
		"present = 7\ndirty = 6\n",			 "page_size = 32\nentry_bytes = 1\nindex_bits = 5 4\nva_bits = 14\n"
	 "frame_shift = 0\npresent = 7\nwrite = none\nuser = none\n"
	 "accessed = none\ndirty = 6\nglobal = none\nno_exec = none\n"
	 "frame_bits = 6\n"				   },
	{GENERIC "[mmu]\nmode = base-bounds\nbase = 0x4000\nlimit = 1501\n",
	 "mode = base-bounds\nbase = 16384\nlimit = 1501\n"							   },
	{X86 "[boot]\nhotplugged = 0x400000000000-0x400007ffffff\n",
	 "phys_bits = 52\n"										       },
	{X86 "[tlb]\nl1d-4k = 0 0\nl2 = 1 3\n",				"l1d-4k = 0 0\n"			},
	{X86 "[cache]\nmodel = no\nl3 = 0 0\n[costs]\nmemory = 300\n",
	 "model = no\nl1 = 64 8 4\nl2 = 1024 16 14\nl3 = 0 0 44\n\n[costs]\n"
	 "memory = 300\n"											 },
};

START_TEST(defaults_are_filled_in_and_what_is_printed_reads_back)
{
	char *first = configs_printed(good[_i].text),
	     *second = configs_printed(first);

	ck_assert_msg(strstr(first, good[_i].part) != NULL, "%s", first);
	ck_assert_str_eq(first, second);
	g_free(first);
	g_free(second);
}
END_TEST

static const struct {
	const char *text, *message;
} wrong[] = {
	{X86 "[mmu]\nmode = pae\n",
	 "m:5: mode: 'pae' is none that this machine can have: none, 4-level"								     },
	{X86 "[mmu]\nmode = fast\n",						"m:5: mode: 'fast' is none"					},
	{"[machine]\narch = generic\nmemory = 16M\nmmu = no\n[mmu]\n"
	 "mode = custom\n",						"m:6: mode: 'custom' is none that this machine can have: none"},
	{X86 "[mmu]\nlevels = 3\n",						 "m:5: levels: group [mmu] has no such key"		      },
	{X86 "[mmu]\npage_size = 32\n",
	 "m:5: page_size: mode 4-level has no such key"											   },
	{"[machine]\narch = i386\nmemory = 64M\n[mmu]\npcid = yes\n",
	 "m:5: pcid: mode 32-bit has no such key"												 },
	{X86 "[mmu]\nphys_bits = 53\n",
	 "m:5: phys_bits: 53 is not between 32 and 52"											    },
	{"[machine]\narch = x86-64\nmemory = 8G\n[mmu]\nphys_bits = 32\n",
	 "m:5: phys_bits: memory goes beyond 32 bits"											     },
	{X86 "[boot]\nhotplugged = 0x100000000-0x107ffffff\n[mmu]\nphys_bits = "
	     "32\n",						       "m:7: phys_bits: memory goes beyond 32 bits"		     },
	{X86 "[mmu]\nsmep = perhaps\n",
	 "m:5: smep: 'perhaps' is neither yes nor no"											     },
	{CUSTOM "page_size = 48\n",
	 "m:6: page_size: a page has 2 bytes to 1M, a power of two"									       },
	{CUSTOM "page_size = 32\n",						 "m:5: mode: mode custom needs index_bits"		     },
	{CUSTOM "page_size = 32\nindex_bits = 5\n",
	 "m:5: mode: mode custom needs present"												   },
	{CUSTOM "page_size = 32\nindex_bits = 5 x\npresent = 7\n",
	 "m:7: index_bits: '5 x' is not a list of 1 to 5 numbers"										 },
	{CUSTOM "page_size = 32\nindex_bits = 1 2 3 4 5 6\npresent = 7\n",
	 "m:7: index_bits: '1 2 3 4 5 6' is not a list of 1 to 5 numbers"									 },
	{CUSTOM "page_size = 32\nindex_bits = 30 30\npresent = 7\n",
	 "m:7: index_bits: together with the page's they make 65 bits"									    },
	{CUSTOM "page_size = 32\nindex_bits = 0\npresent = 7\n",
	 "m:7: index_bits: an index has 1 to 30 bits"											     },
	{CUSTOM "page_size = 32\nindex_bits = 5\nentry_bytes = 3\n",
	 "m:8: entry_bytes: an entry has 1, 2, 4 or 8 bytes"										      },
	{CUSTOM
	 "page_size = 32\nindex_bits = 5\nentry_bytes = 1\npresent = 8\n", "m:9: present: 8 is not between 0 and 7"			 },
	{CUSTOM "page_size = 32\nindex_bits = 5\npresent = 0\n",
	 "m:5: mode: mode custom needs frame_bits"												},
	{X86 "[tlb]\nl1d-4k = 3 4\n",
	 "m:5: l1d-4k: sets are a power of two, 32768 at most"										    },
	{X86 "[tlb]\nl1d-4k = 4\n",						 "m:5: l1d-4k: ways are 1 to 64"				   },
	{X86 "[tlb]\nl9 = 4 4\n",						   "m:5: l9: group [tlb] has no such key"			},
	{X86 "[cache]\nl1 = 64 8 2000000\n",					     "m:5: l1: 1000000 cycles at most"			      },
	{X86 "[cache]\nl1 = 64 8 4 4\n",
	 "m:5: l1: '64 8 4 4' is not a list of 1 to 3 numbers"										    },
	{X86 "[costs]\nwalk = -1\n",						"m:5: walk: '-1' is not a number"			      },
	{X86 "[costs]\nsleep = 1\n",
	 "m:5: sleep: group [costs] has no such key"											      },
};

START_TEST(what_is_wrong_is_told_with_its_line)
{
	char *error = NULL;

	ck_assert_ptr_null(config_read(wrong[_i].text, "m", &error));
	ck_assert_msg(g_str_has_prefix(error, wrong[_i].message), "%s", error);
	g_free(error);
}
END_TEST

static struct machine *
boot(const char *text)
{
	char *error = NULL;
	struct machine *m = machine_boot(configs_read(text), NULL, &error);

	ck_assert_msg(m != NULL, "%s", error);
	return m;
}

START_TEST(a_machine_boots_with_the_processor_that_its_file_describes)
{
	struct machine *m = boot(
		X86 "cpus = 2\n[mmu]\nmode = 5-level\nsmap = yes\npcid = yes\n"
		    "paging_caches = yes\n[tlb]\nl1d-4k = 2 3\n"
		    "[cache]\nmodel = no\n[costs]\ncr3 = 1000\n");
	const struct vm_cpu *c = &m->vm->cpu[1];

	ck_assert_int_eq(c->regs.mode, MMU_5LEVEL);
	ck_assert(c->regs.smap && m->vm->pcid && !m->vm->kpti);
	ck_assert_ptr_nonnull(tlb_upper(c->tlb));
	ck_assert_uint_eq(tlb_geometry(c->tlb, TLB_L1D_4K).ways, 3);
	ck_assert_ptr_null(m->vm->caches);
	ck_assert_uint_eq(m->vm->costs.cr3, 1000);
	machine_free(m);
	m = boot(GENERIC "[mmu]\nmode = base-bounds\nbase = 4096\nlimit = 9\n");
	ck_assert_uint_eq(m->vm->cpu[0].regs.base, 4096);
	ck_assert_uint_eq(m->vm->cpu[0].regs.limit, 9);
	machine_free(m);
}
END_TEST

Suite *
suite_config_mmu(void)
{
	Suite *suite = suite_create("config_mmu");
	TCase *tc = tcase_create("config_mmu");

	tcase_add_loop_test(
		tc, defaults_are_filled_in_and_what_is_printed_reads_back, 0,
		ARRAY_SIZE(good));
	tcase_add_loop_test(tc, what_is_wrong_is_told_with_its_line, 0,
			    ARRAY_SIZE(wrong));
	tcase_add_test(
		tc, a_machine_boots_with_the_processor_that_its_file_describes);
	suite_add_tcase(suite, tc);
	return suite;
}
