// SPDX-License-Identifier: MIT
/* slab_flags.c - flags of a cache as text; their list is slab_flags.def */
#include "kmemfs/slab/slab.h"

#include "kmemfs/base/flag_names.h"

static const struct flag_name known[] = {
#define SLAB_FLAG(name, value) {#name, value},
#include "kmemfs/slab/slab_flags.def"
#undef SLAB_FLAG
};

bool
slab_flags_parse(const char *text, slab_flags_t *flags, size_t *bad_at)
{
	return flag_names_parse(known, ARRAY_SIZE(known), text, flags, bad_at);
}

void
slab_flags_print(struct out *out, slab_flags_t flags)
{
	flag_names_print(known, ARRAY_SIZE(known), out, flags);
}
