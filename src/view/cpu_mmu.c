// SPDX-License-Identifier: MIT
/*
 * cpu_mmu.c - /cpus/N: registers, TLB and caches of a CPU
 */
#include "kmemfs/show.h"

#include "kmemfs/vm/cpu.h"

#include <inttypes.h>

static const struct vm_cpu *
cpu_of(const struct view *v)
{
	return &v->m->vm->cpu[v->key[0]];
}

static void
put_hex(struct out *out, uint64_t value)
{
	out_printf(out, "%#" PRIx64 "\n", value);
}

static void
put_count(struct out *out, const char *what, uint64_t value)
{
	out_printf(out, "%s %" PRIu64 "\n", what, value);
}

/* --- registers ----------------------------------------------------------- */

void
show_cpu_cr3(const struct view *v, struct out *out)
{
	put_hex(out, cpu_cr3(v->m->vm, cpu_of(v)));
}

void
show_cpu_cr2(const struct view *v, struct out *out)
{
	put_hex(out, cpu_of(v)->cr2);
}

void
show_cpu_mode(const struct view *v, struct out *out)
{
	out_str(out, cpu_of(v)->user ? "user\n" : "kernel\n");
}

void
show_cpu_registers(const struct view *v, struct out *out)
{
	const struct vm *vm = v->m->vm;
	const struct vm_cpu *c = cpu_of(v);

	out_printf(out, "paging %s\n", mmu_mode_names[vm->mode]);
	out_printf(out, "cr0 %#" PRIx64 "\n", cpu_cr0(c));
	out_printf(out, "cr2 %#" PRIx64 "\n", c->cr2);
	out_printf(out, "cr3 %#" PRIx64 "\n", cpu_cr3(vm, c));
	out_printf(out, "cr4 %#" PRIx64 "\n", cpu_cr4(vm, c));
	out_printf(out, "efer %#" PRIx64 "\n", cpu_efer(c));
	for (unsigned int i = 0; i < NR_CPU_BITS; i++)
		put_count(out, cpu_bit_names[i], cpu_bit(c, (enum cpu_bit)i));
	put_count(out, "pcide", vm->pcid);
	put_count(out, "pcid", c->pcid);
	put_count(out, "maxphyaddr", c->regs.phys_bits);
	put_count(out, "gb_pages", c->regs.gb_pages);
	put_count(out, "separate_user_tables", vm->kpti);
	out_printf(out, "base %#" PRIx64 "\n", c->regs.base);
	out_printf(out, "limit %#" PRIx64 "\n", c->regs.limit);
}

void
show_cpu_pdpte(const struct view *v, struct out *out)
{
	for (unsigned int i = 0; v->m->vm->mode == MMU_PAE && i < 4; i++)
		put_hex(out, cpu_of(v)->regs.pdpte[i]);
}

void
show_cpu_cycles(const struct view *v, struct out *out)
{
	out_printf(out, "%" PRIu64 "\n", cpu_of(v)->cycles);
}

/* --- the TLB ------------------------------------------------------------- */

/* What tables say of the page of @e, to those who may do anything. */
static bool
still_true(const struct vm *vm, const struct vm_cpu *c,
	   const struct tlb_entry *e)
{
	struct mmu_regs regs = c->regs;
	struct mmu_request q = {.va = e->page};
	struct mmu_result w;

	regs.smap = false;
	mmu_walk(vm->ram, &regs, &q, &w);
	return w.outcome == MMU_OK && w.page_shift == e->page_shift &&
	       w.pa == e->frame && w.writable >= e->writable &&
	       w.user >= e->user && w.no_exec <= e->no_exec;
}

static void
put_entry(const struct view *v, struct out *out, unsigned int part,
	  unsigned int n, const struct tlb_entry *e)
{
	const struct vm_cpu *c = cpu_of(v);
	unsigned int ways = tlb_geometry(c->tlb, part).ways;
	const char *tables = "other";

	/* Those of another PCID can only be judged by its tables. */
	if (e->global || e->pcid == c->pcid)
		tables = still_true(v->m->vm, c, e) ? "same" : "stale";
	out_printf(out,
		   "%s %u %u %#" PRIx64 " %#" PRIx64 " %llu %c%c%c%c%c %u %s\n",
		   tlb_part_names[part], n / ways, n % ways, e->page, e->frame,
		   1ULL << e->page_shift, e->user ? 'u' : 's',
		   e->writable ? 'w' : '-', e->no_exec ? '-' : 'x',
		   e->dirty ? 'd' : '-', e->global ? 'g' : '-', e->pcid,
		   tables);
}

void
show_cpu_tlb_entries(const struct view *v, struct out *out)
{
	const struct tlb *t = cpu_of(v)->tlb;

	out_str(out, "part set way page frame bytes rights pcid tables\n");
	for (unsigned int p = 0; p < NR_TLB_PARTS; p++) {
		struct tlb_geometry g = tlb_geometry(t, p);

		for (unsigned int n = 0; n < (unsigned int)g.sets * g.ways;
		     n++) {
			const struct tlb_entry *e = tlb_entry(t, p, n);

			if (e)
				put_entry(v, out, p, n, e);
		}
	}
}

void
show_cpu_tlb_upper(const struct view *v, struct out *out)
{
	const struct psc *upper = tlb_upper(cpu_of(v)->tlb);

	out_str(out, "address bytes table pcid\n");
	for (unsigned int n = 0; upper && n < PSC_ENTRIES; n++) {
		const struct psc_entry *e = psc_entry(upper, n);

		if (e)
			out_printf(out, "%#" PRIx64 " %llu %#" PRIx64 " %u\n",
				   e->prefix << e->shift, 1ULL << e->shift,
				   e->start.table, e->pcid);
	}
}

void
show_cpu_tlb_geometry(const struct view *v, struct out *out)
{
	const struct tlb *t = cpu_of(v)->tlb;

	out_str(out, "part sets ways used\n");
	for (unsigned int p = 0; p < NR_TLB_PARTS; p++) {
		struct tlb_geometry g = tlb_geometry(t, p);

		out_printf(out, "%s %u %u %u\n", tlb_part_names[p], g.sets,
			   g.ways, tlb_used(t, p));
	}
}

void
show_cpu_tlb_hits(const struct view *v, struct out *out)
{
	const struct tlb_stats *s = tlb_stats(cpu_of(v)->tlb);

	out_printf(out, "%" PRIu64 "\n", s->l1_hits + s->l2_hits);
}

void
show_cpu_tlb_misses(const struct view *v, struct out *out)
{
	out_printf(out, "%" PRIu64 "\n", tlb_stats(cpu_of(v)->tlb)->misses);
}

void
show_cpu_tlb_flushes(const struct view *v, struct out *out)
{
	const struct tlb_stats *s = tlb_stats(cpu_of(v)->tlb);

	out_printf(out, "%" PRIu64 "\n",
		   s->flushes_all + s->flushes_pcid + s->flushes_page);
}

void
show_cpu_tlb_stale_used(const struct view *v, struct out *out)
{
	out_printf(out, "%" PRIu64 "\n", tlb_stats(cpu_of(v)->tlb)->stale_used);
}

void
show_cpu_tlb_stats(const struct view *v, struct out *out)
{
	const struct vm_cpu *c = cpu_of(v);
	const struct tlb_stats *s = tlb_stats(c->tlb);
	const struct {
		const char *what;
		uint64_t n;
	} rows[] = {
		{"l1_hits",	    s->l1_hits	      },
		{"l2_hits",	    s->l2_hits	      },
		{"misses",	   s->misses	    },
		{"walks",		  c->walks	  },
		{"walk_steps",      c->walk_steps	    },
		{"page_faults",	c->faults	 },
		{"flushes_all",	s->flushes_all    },
		{"flushes_pcid",	 s->flushes_pcid	},
		{"flushes_page",	 s->flushes_page	},
		{"dropped",	    s->dropped	      },
		{"evicted",	    s->evicted	      },
		{"shootdowns",      c->shootdowns	    },
		{"shootdowns_sent", c->shootdowns_sent},
		{"stale_used",      s->stale_used	    },
		{"task_switches",	  c->switches	     },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		put_count(out, rows[i].what, rows[i].n);
}

/* --- caches -------------------------------------------------------------- */

static const char *const source_names[NR_CACHE_SOURCES] = {
	[CACHE_L1] = "l1",	   [CACHE_L2] = "l2",
	[CACHE_L3] = "l3",	   [CACHE_OTHER] = "other_cpu",
	[CACHE_MEMORY] = "memory",
};

void
show_cpu_cache_stats(const struct view *v, struct out *out)
{
	const struct caches *caches = v->m->vm->caches;
	const struct cache_stats *s;

	if (!caches)
		return;
	s = caches_stats(caches, (unsigned int)v->key[0]);
	for (unsigned int i = 0; i < NR_CACHE_SOURCES; i++)
		put_count(out, source_names[i], s->hits[i]);
	put_count(out, "lost_to_others", s->invalidated);
	put_count(out, "remote_memory", s->remote);
	put_count(out, "cycles", s->cycles);
}

void
show_cpu_cache_lines(const struct view *v, struct out *out)
{
	const struct caches *caches = v->m->vm->caches;
	unsigned int cpu = (unsigned int)v->key[0];

	if (!caches)
		return;
	out_str(out, "level set line state\n");
	for (unsigned int l = 0; l < NR_CACHE_LEVELS; l++) {
		struct cache_geometry g = caches_geometry(caches, l);
		bool dirty;
		pa_t line;

		for (unsigned int n = 0;
		     caches_line(caches, cpu, l, n, &line, &dirty); n++)
			if (line != UINT64_MAX)
				out_printf(out, "%s %u %#" PRIx64 " %s\n",
					   source_names[l], n / g.ways, line,
					   dirty ? "dirty" : "shared");
	}
}
