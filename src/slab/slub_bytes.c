// SPDX-License-Identifier: MIT
/*
 * slub_bytes.c - marks in modelled RAM: filling, and finding what changed
 *
 * What it models: memset and memchr_inv of the kernel's direct map.
 * Always true:    no address, however wrong, reaches anything but RAM.
 */
#include "slub_debug_impl.h"

#define PIECE 512

/* The host has no room for pages of RAM that read as zeros: words still find
 * theirs. */
static void
fill_words(struct ram *ram, pa_t at, uint8_t value, size_t len)
{
	for (; len; at++, len--) {
		pa_t word = at & ~(pa_t)3;
		unsigned int shift = 8 * (unsigned int)(at & 3);
		uint64_t was = ram_load(ram, word, 4);

		ram_store(ram, word, 4,
			  (was & ~(0xffULL << shift)) | (uint64_t)value
								<< shift);
	}
}

void
slub_fill(const struct slab_common *sc, va_t at, uint8_t value, uint64_t len)
{
	uint8_t piece[PIECE];
	pa_t pa;

	if (!len || !slab_mapped(sc, at, len, &pa))
		return;
	memset(piece, value, MIN_OF(len, sizeof(piece)));
	for (uint64_t done = 0; done < len; done += PIECE) {
		size_t part = MIN_OF(len - done, PIECE);

		if (ram_write(sc->ram, pa + done, piece, part))
			fill_words(sc->ram, pa + done, value, part);
	}
}

void
slub_copy(const struct slab_common *sc, va_t at, uint8_t *to, size_t len)
{
	pa_t pa;

	if (!len)
		return;
	if (slab_mapped(sc, at, len, &pa))
		ram_read(sc->ram, pa, to, len);
	else
		memset(to, 0, len);
}

uint64_t
slub_word(const struct slab_common *sc, va_t at, unsigned int bytes)
{
	pa_t pa;

	return slab_mapped(sc, at, bytes, &pa) ? ram_load(sc->ram, pa, bytes)
					       : 0;
}

void
slub_set_word(const struct slab_common *sc, va_t at, unsigned int bytes,
	      uint64_t value)
{
	pa_t pa;

	if (slab_mapped(sc, at, bytes, &pa))
		ram_store(sc->ram, pa, bytes, value);
}

bool
slub_all(const struct slab_common *sc, va_t at, uint8_t value, uint64_t len,
	 struct slub_fault *fault)
{
	uint8_t want[PIECE], got[PIECE];
	bool good = true;

	memset(want, value, MIN_OF(len, PIECE));
	for (uint64_t done = 0; done < len; done += PIECE) {
		size_t part = MIN_OF(len - done, PIECE);

		slub_copy(sc, at + done, got, part);
		if (!memcmp(got, want, part))
			continue;
		for (size_t i = 0; i < part; i++) {
			if (got[i] == value)
				continue;
			if (good) {
				fault->first = at + done + i;
				fault->got = got[i];
			}
			good = false;
			fault->end = at + done + i + 1;
		}
	}
	return good;
}
