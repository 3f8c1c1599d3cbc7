// SPDX-License-Identifier: MIT
/*
 * why_impl.h - telling how a request was served, line by line
 *
 * Called only when somebody asks (search->why is not NULL).  Nothing here
 * changes the model.
 */
#ifndef KMEMFS_PHYS_WHY_IMPL_H
#define KMEMFS_PHYS_WHY_IMPL_H

#include "alloc_impl.h"

#include <inttypes.h>

/* One line about the step in hand. */
void why_line(struct out *why, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* The request, decoded, and the first try. */
void why_begin(struct out *why, const struct search *s,
	       const struct page_request *request, unsigned int flags);
/* The outcome. */
void why_end(struct out *why, const struct search *s, pfn_t pfn);
/* A walk over the zones begins. */
void why_try(struct out *why, const struct search *s, const char *which,
	     unsigned int flags);
/* A zone's watermark in numbers. */
void why_zone(struct out *why, const struct search *s, const struct zone *zone,
	      unsigned int flags, bool ok);
/* The CPU's list before it is used. */
void why_pcp(struct out *why, const struct search *s,
	     const struct per_cpu_pages *pcp, unsigned int index);
/* Block @i of a refill was told from byte @told on: keep it if it is one of
 * the first or more than a plain pick. */
void why_shorten(struct out *why, size_t told, uint32_t i);
void why_refill(struct out *why, const struct search *s,
		const struct per_cpu_pages *pcp, uint32_t wanted, uint32_t got);
/* A block left the list of (@at, @type), cut down to @order. */
void why_taken(struct out *why, pfn_t pfn, unsigned int order, unsigned int at,
	       enum migratetype type);
void why_steal(struct out *why, const struct phys *phys, pfn_t pfn,
	       unsigned int order, enum migratetype from,
	       enum migratetype type);
void why_stolen(struct out *why, const struct phys *phys, pfn_t pfn,
		enum migratetype type, uint64_t moved, uint64_t movable,
		uint64_t alike, bool retag);
void why_no_fallback(struct out *why, unsigned int order, enum migratetype type,
		     unsigned int flags);

#endif
