// SPDX-License-Identifier: MIT
/*
 * ops_page.c - the ops of the page allocator: who asks, what is named
 *
 * What it models: the callers' side of mm/page_alloc.c of 6.1.192.  The
 * allocator itself is phys/pages.h; here requests are checked, blocks get
 * names, and what the kernel would say to its log is said.
 *
 * Always true: a live block made by an op belongs to exactly one struct
 * allocation; its frames' owner is that id.
 */
#include "kmemfs/ops.h"

#include "kmemfs/base/text.h"
#include "caller_impl.h"
#include "ops_page_impl.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

/* --- asking -----------------------------------------------------------------
 */

/* What all requests have in common; pointers into the op's own arguments, so
 * that what is chosen here is what the journal says. */
struct asking {
	struct op *op;
	uint64_t *gfp;
	unsigned int order;
	const char **name;
	int name_param;
	uint64_t cpu;
	int64_t *node;
	uint64_t context;
};

#define ASKING(o, a, ord, ID)                                                  \
	{                                                                      \
		.op = (o), .gfp = &(a)->gfp, .order = (unsigned int)(ord),     \
		.name = &(a)->name, .name_param = ARG_##ID##_NAME,             \
		.cpu = (a)->cpu, .node = &(a)->node, .context = (a)->context   \
	}

static int
check_asking(const struct asking *ask)
{
	struct op *op = ask->op;
	int err = op_check_new_name(op, ask->name_param, *ask->name);

	if (err)
		return err;
	if ((*ask->gfp & __GFP_MOVABLE) && (*ask->gfp & __GFP_RECLAIMABLE))
		return op_refuse(op, 0, EINVAL,
				 "the gfp flags name two kinds of page, "
				 "__GFP_MOVABLE and __GFP_RECLAIMABLE");
	err = op_check_allocations(op, 1);
	return err ? err : op_check_cpu(op, -1, ask->cpu);
}

/* Name the block and answer; the request has succeeded. */
static struct allocation *
record(const struct asking *ask, pfn_t pfn, uint64_t nr_pages)
{
	struct op *op = ask->op;
	struct machine *m = op->m;
	struct allocation *a = allocation_add(m, *ask->name);

	a->order = (uint8_t)ask->order;
	a->context = (uint8_t)ask->context;
	a->cpu = (uint16_t)ask->cpu;
	a->pfn = pfn;
	a->nr_pages = nr_pages;
	a->gfp = (gfp_t)*ask->gfp;
	a->born_ns = m->now_ns;
	a->op = op->desc->name;
	m->phys->frames[pfn].owner = a->id;
	if (!*ask->name)
		*ask->name = allocation_name(a, op->made_up);
	return a;
}

static uint64_t
bytes_of(const struct machine *m, uint64_t nr_pages)
{
	return nr_pages << m->phys->page_shift;
}

/* Refuse with what the story of a failed request ends with. */
static void
fail_with_reason(struct op *op, unsigned int order, int err,
		 const struct out *why)
{
	static const char mark[] = "failed: -ENOMEM, ";
	const char *reason = "no zone of the list can give it";
	int len = (int)strlen(reason);
	const char *last =
		why->len ? g_strrstr_len(why->text, (gssize)why->len, mark)
			 : NULL;

	if (last) {
		reason = last + strlen(mark);
		len = (int)strcspn(reason, "\n");
	}
	op_fail(op, err, "order %u: %.*s", order, len, reason);
}

static int
ask_failed(const struct asking *ask, struct out *why, int err)
{
	struct op *op = ask->op;

	if (err == -EINVAL) {
		out_fini(why);
		return op_refuse(op, 0, EINVAL,
				 "the gfp flags name more than one zone");
	}
	out_text(why);
	fail_with_reason(op, ask->order, -err, why);
	if (why->len) {
		g_free(op->m->story);
		op->m->story = g_strdup(out_text(why));
	}
	out_fini(why);
	return err;
}

/* Ask the allocator; on success the block is named and zeroed as asked. */
static int
ask_pages(const struct asking *ask, struct allocation **made)
{
	struct op *op = ask->op;
	struct machine *m = op->m;
	struct out why = OUT_INIT;
	struct page_request request;
	struct allocation *a;
	pfn_t pfn;
	int err = check_asking(ask);

	if (err)
		return err;
	caller_stamp(m, ask->cpu, ask->context);
	if (*ask->node == NODE_LOCAL)
		*ask->node = m->phys->cpu_node[ask->cpu];
	request = (struct page_request){
		.gfp = (gfp_t)*ask->gfp,
		.order = ask->order,
		.nid = (int)*ask->node,
		.cpu = (unsigned int)ask->cpu,
		.context = (enum alloc_context)ask->context,
		.why = op->want_why ? &why : NULL,
	};
	if (request_zone(m->phys->arch, request.gfp) != MAX_NR_ZONES)
		caller_report_sleep(m, *ask->gfp, ask->context);
	err = pages_alloc_warn(m->phys, &request, &pfn);
	if (err)
		return ask_failed(ask, &why, err);
	if (*ask->gfp & __GFP_ZERO)
		ram_zero(m->ram, pfn << m->phys->page_shift,
			 bytes_of(m, 1ULL << ask->order));
	a = record(ask, pfn, 1ULL << ask->order);
	if (op->want_why)
		a->why = g_strdup(out_text(&why));
	out_fini(&why);
	*made = a;
	return 0;
}

static void
answer_place(struct op *op, const struct allocation *a)
{
	const struct zone *zone;

	if (!op->answer)
		return;
	zone = phys_zone_of(op->m->phys, a->pfn);
	op_answer(op, " node=%u zone=%s", zone->node->id,
		  zone_type_name(zone->type));
}

static int
ask_block(const struct asking *ask)
{
	struct allocation *a;
	int err = ask_pages(ask, &a);

	if (err)
		return err;
	if (!ask->op->answer)
		return 0;
	op_answer(ask->op, "%s pfn=%llu order=%u", *ask->name,
		  (unsigned long long)a->pfn, ask->order);
	answer_place(ask->op, a);
	return 0;
}

static int
ask_address(const struct asking *ask)
{
	struct allocation *a;
	int err;

	*ask->gfp &= ~(uint64_t)__GFP_HIGHMEM;
	err = ask_pages(ask, &a);
	if (err)
		return err;
	if (!ask->op->answer)
		return 0;
	op_answer(ask->op, "%s address=%#llx pfn=%llu order=%u", *ask->name,
		  (unsigned long long)page_to_virt(ask->op->m, a->pfn),
		  (unsigned long long)a->pfn, ask->order);
	answer_place(ask->op, a);
	return 0;
}

int
op_page_alloc_pages(struct op *op, struct args_page_alloc_pages *a)
{
	struct asking ask = ASKING(op, a, a->order, PAGE_ALLOC_PAGES);

	return ask_block(&ask);
}

int
op_page_alloc_page(struct op *op, struct args_page_alloc_page *a)
{
	struct asking ask = ASKING(op, a, 0, PAGE_ALLOC_PAGE);

	return ask_block(&ask);
}

int
op_page___get_free_pages(struct op *op, struct args_page___get_free_pages *a)
{
	struct asking ask = ASKING(op, a, a->order, PAGE___GET_FREE_PAGES);

	return ask_address(&ask);
}

int
op_page___get_free_page(struct op *op, struct args_page___get_free_page *a)
{
	struct asking ask = ASKING(op, a, 0, PAGE___GET_FREE_PAGE);

	return ask_address(&ask);
}

int
op_page_get_zeroed_page(struct op *op, struct args_page_get_zeroed_page *a)
{
	struct asking ask = ASKING(op, a, 0, PAGE_GET_ZEROED_PAGE);

	a->gfp |= __GFP_ZERO;
	return ask_address(&ask);
}

/* --- exact sizes and single pages ---------------------------------------- */

static unsigned int
order_of(uint64_t nr_pages)
{
	unsigned int order = 0;

	while ((1ULL << order) < nr_pages)
		order++;
	return order;
}

int
op_page_alloc_pages_exact(struct op *op, struct args_page_alloc_pages_exact *a)
{
	struct phys *phys = op->m->phys;
	uint64_t most = 1ULL << (MAX_ORDER - 1), nr, all;
	struct asking ask = ASKING(op, a, 0, PAGE_ALLOC_PAGES_EXACT);
	struct allocation *made;
	int err;

	if (!a->size || a->size > most << phys->page_shift)
		return op_refuse(op, ARG_PAGE_ALLOC_PAGES_EXACT_SIZE, EINVAL,
				 "%llu bytes: from 1 to %llu can be asked for",
				 (unsigned long long)a->size,
				 (unsigned long long)most << phys->page_shift);
	nr = (a->size + page_size(phys) - 1) >> phys->page_shift;
	ask.order = order_of(nr);
	a->gfp &= ~(uint64_t)(__GFP_COMP | __GFP_HIGHMEM);
	err = ask_pages(&ask, &made);
	if (err)
		return err;
	made->exact = true;
	made->nr_pages = nr;
	all = 1ULL << ask.order;
	pages_split(phys, made->pfn, ask.order);
	for (uint64_t i = nr; i < all; i++)
		pages_put(phys, made->pfn + i, 0, (unsigned int)a->cpu);
	for (uint64_t i = 0; i < nr; i++)
		phys->frames[made->pfn + i].owner = made->id;
	op_answer(op, "%s address=%#llx pfn=%llu pages=%llu", a->name,
		  (unsigned long long)page_to_virt(op->m, made->pfn),
		  (unsigned long long)made->pfn, (unsigned long long)nr);
	answer_place(op, made);
	return 0;
}

int
op_page_split_page(struct op *op, struct args_page_split_page *a)
{
	struct machine *m = op->m;
	struct allocation *whole, copy;
	char buf[16], name[80];
	const char *base;
	int err = resolve_page(op, ARG_PAGE_SPLIT_PAGE_PAGE, a->page, &whole);

	if (err)
		return err;
	if (whole->exact || !whole->order)
		return op_refuse(op, ARG_PAGE_SPLIT_PAGE_PAGE, EINVAL,
				 "its pages are single already");
	if (m->phys->frames[whole->pfn].flags & FRAME_COMPOUND)
		return op_refuse(op, ARG_PAGE_SPLIT_PAGE_PAGE, EINVAL,
				 "a compound block (__GFP_COMP) cannot be "
				 "split");
	base = allocation_name(whole, buf);
	for (uint64_t i = 0; i < whole->nr_pages; i++) {
		g_snprintf(name, sizeof(name), "%s.%llu", base,
			   (unsigned long long)i);
		if (!text_is_name(name) || allocation_find(m, name))
			return op_refuse(op, ARG_PAGE_SPLIT_PAGE_PAGE, EEXIST,
					 "%s is taken, or too long a name",
					 name);
	}
	copy = *whole;
	pages_split(m->phys, copy.pfn, copy.order);
	for (uint64_t i = 0; i < copy.nr_pages; i++) {
		struct allocation *page;

		g_snprintf(name, sizeof(name), "%s.%llu", base,
			   (unsigned long long)i);
		page = allocation_add(m, name);
		page->context = copy.context;
		page->cpu = copy.cpu;
		page->pfn = copy.pfn + i;
		page->nr_pages = 1;
		page->gfp = copy.gfp;
		page->born_ns = m->now_ns;
		page->op = op->desc->name;
		m->phys->frames[page->pfn].owner = page->id;
	}
	op_answer(op, "%s.0 pfn=%llu pages=%llu", base,
		  (unsigned long long)copy.pfn,
		  (unsigned long long)copy.nr_pages);
	allocation_remove(m, whole);
	return 0;
}

int
op_page_drain_all_pages(struct op *op, struct args_page_drain_all_pages *a)
{
	(void)a;
	pages_drain(op->m->phys, NULL, -1);
	return 0;
}
