// SPDX-License-Identifier: MIT
/* history.c - the ops that ran, and the hash of what came of them */
#include "kmemfs/show.h"

#include "kmemfs/machine/journal.h"

void
show_position(const struct view *v, struct out *out)
{
	out_u64(out, v->m->position);
	out_char(out, '\n');
}

void
show_digest(const struct view *v, struct out *out)
{
	char text[DIGEST_TEXT];

	machine_digest(v->m, text);
	out_str(out, text);
	out_char(out, '\n');
}

ssize_t
read_journal(const struct view *v, void *to, size_t len, uint64_t at)
{
	return (ssize_t)journal_read(v->m->journal, to, len, at);
}

uint64_t
size_journal(const struct view *v)
{
	return journal_text_length(v->m->journal);
}
