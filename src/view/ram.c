// SPDX-License-Identifier: MIT
/* ram.c - all bytes of physical memory at their addresses */
#include "kmemfs/show.h"

ssize_t
view_read_ram(const struct view *v, pa_t base, uint64_t size, void *to,
	      size_t len, uint64_t at)
{
	if (at >= size)
		return 0;
	len = MIN_OF(len, size - at);
	ram_read(v->m->ram, base + at, to, len);
	return (ssize_t)len;
}

uint64_t
size_ram(const struct view *v)
{
	return ram_end(v->m->ram);
}

ssize_t
read_ram(const struct view *v, void *to, size_t len, uint64_t at)
{
	return view_read_ram(v, 0, size_ram(v), to, len, at);
}

/* The first offset from @at on where data lies; what was never written, or was
 * written with zeros only, is a hole. */
bool
next_ram(const struct view *v, uint64_t at, uint64_t *data)
{
	if (!ram_next_data(v->m->ram, at, data))
		return false;
	*data = MAX_OF(*data, at);
	return true;
}
