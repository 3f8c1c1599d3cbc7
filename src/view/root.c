// SPDX-License-Identifier: MIT
/* root.c - laws and logs at the root of the tree */
#include "kmemfs/show.h"

void
show_verify(const struct view *v, struct out *out)
{
	machine_verify(v->m, out);
}

void
show_dmesg(const struct view *v, struct out *out)
{
	out_mem(out, v->m->dmesg.text, v->m->dmesg.len);
}

static void
show_ring(const struct line_ring *ring, struct out *out)
{
	for (const GList *l = ring->lines.head; l; l = l->next) {
		out_str(out, l->data);
		out_char(out, '\n');
	}
}

void
show_error_log(const struct view *v, struct out *out)
{
	show_ring(&v->m->error_log, out);
}

void
show_answers(const struct view *v, struct out *out)
{
	show_ring(&v->m->answers, out);
}
