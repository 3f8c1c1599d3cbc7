// SPDX-License-Identifier: MIT
/* pageblocks.h - how many pageblocks of a zone have which migrate type */
#ifndef KMEMFS_VIEW_PAGEBLOCKS_H
#define KMEMFS_VIEW_PAGEBLOCKS_H

#include "kmemfs/phys/phys.h"

/*
 * Count pageblocks of @zone by type as pagetypeinfo_showblockcount_print does:
 * from the zone's first pfn in steps of a pageblock, those where a struct page
 * of this zone stands.
 */
void pageblocks_count(const struct zone *zone, uint64_t count[MIGRATE_TYPES]);

#endif
