// SPDX-License-Identifier: MIT
/*
 * slab_verify_impl.h - how the files that check slabs report what they find
 */
#ifndef KMEMFS_SLAB_SLAB_VERIFY_IMPL_H
#define KMEMFS_SLAB_SLAB_VERIFY_IMPL_H

#include "kmemfs/slab/slab.h"

/* Findings reported for one law. */
#define SLAB_FINDINGS_MOST 8

enum slab_law {
#define LAW(id, name, sentence) SLAB_LAW_##id,
#include "slab_laws.def"
#undef LAW
	NR_SLAB_LAWS
};

struct slab_audit {
	struct audit audit;
	const struct kmem_cache *cache; /* in hand, NULL: none */
};

#define SLAB_AUDIT(found_, user_, cache_)                                      \
	{                                                                      \
		.audit = {.laws = slab_laws,                                   \
			  .most = SLAB_FINDINGS_MOST,                          \
			  .found = (found_),                                   \
			  .user = (user_)},                                    \
		.cache = (cache_)                                              \
	}

/* Report one, about @slab if there is one. */
void slab_finding(struct slab_audit *a, enum slab_law law,
		  const struct slab *slab, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

#endif
