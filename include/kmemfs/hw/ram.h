// SPDX-License-Identifier: MIT
/*
 * ram.h - the bytes of physical memory, sparse
 *
 * A page nobody wrote reads as zeros and costs nothing.  Writing zeros over a
 * page that is not there leaves it not there.  The number of pages held has a
 * limit: a write that would pass it is refused whole.
 */
#ifndef KMEMFS_HW_RAM_H
#define KMEMFS_HW_RAM_H

#include "kmemfs/base/types.h"

struct ram;

/* @end: first address beyond memory.  @limit: bytes that may be held. */
struct ram *ram_new(pa_t end, uint64_t limit);
void ram_free(struct ram *ram);
pa_t ram_end(const struct ram *ram);
/* Bytes held on the host for it. */
uint64_t ram_held(const struct ram *ram);

/* Copy out; what lies beyond the end reads as zeros. */
void ram_read(const struct ram *ram, pa_t at, void *to, size_t len);
/* Whether ram_write of this range would stay inside memory and limit: 0,
 * -EFAULT beyond the end, -ENOSPC beyond the limit. */
int ram_may_write(const struct ram *ram, pa_t at, size_t len);
/* Copy in; same errors, all or nothing. */
int ram_write(struct ram *ram, pa_t at, const void *from, size_t len);
/* A number of @bytes (up to 8; 4 and 8 are quick), little endian, at any
 * address. */
uint64_t ram_load(const struct ram *ram, pa_t at, unsigned int bytes);
/*
 * Store one, and keep its page held even when it is 0: what a kernel keeps of
 * its own between bytes of others.  Never fails for want of the limit, which
 * it may pass by the pages of words whose place was checked with
 * ram_may_write() before and has become zeros since.  Beyond the end: nothing
 * happens.
 */
void ram_store(struct ram *ram, pa_t at, unsigned int bytes, uint64_t value);
/* Ask the host for the byte @at before it is wanted; changes nothing. */
void ram_prefetch(const struct ram *ram, pa_t at);
/* Make a range zero; whole pages of it are held no more, and the host's
 * memory for them serves those that are written next. */
void ram_zero(struct ram *ram, pa_t at, uint64_t len);
/* The first page at or after @at that is held and not all zeros; false when
 * none is left.  For SEEK_DATA, digests, dumps. */
bool ram_next_data(const struct ram *ram, pa_t at, pa_t *page);

#endif
