// SPDX-License-Identifier: MIT
/*
 * journal_text.c - the journal as lines of text
 *
 * How it works: text is made from the records each time it is asked for.  To
 * read from an offset, the places where lines start are remembered: that of
 * the last line made, for those who read on, and one every 64 KiB.  A place is
 * remembered only when a line came after it; the last line may still change,
 * as a run of clock ops grows.
 *
 * The outcome of an op that failed follows its line, " -> ENOMEM".  A line
 * that ends so by itself, with text a user chose, is marked " -> OK": so what
 * stands after the last arrow always is the outcome.
 */
#include "journal_impl.h"

#include <string.h>

#define ANCHOR_EVERY (64U << 10)

bool
journal_outcome(const char *line, size_t len, size_t *at, int *result)
{
	static const char arrow[] = " -> ";
	size_t start = len;
	char name[16];

	while (start && line[start - 1] != ' ')
		start--;
	if (start < sizeof(arrow) - 1 || len - start >= sizeof(name) ||
	    memcmp(line + start - (sizeof(arrow) - 1), arrow,
		   sizeof(arrow) - 1))
		return false;
	memcpy(name, line + start, len - start);
	name[len - start] = '\0';
	*at = start - (sizeof(arrow) - 1);
	if (!strcmp(name, "OK")) {
		*result = 0;
		return true;
	}
	for (int err = 1; err < 4096; err++) {
		const char *known = strerrorname_np(err);

		if (known && !strcmp(known, name)) {
			*result = -err;
			return true;
		}
	}
	return false;
}

static void
print_line(const struct journal_record *rec, struct out *out)
{
	size_t start = out->len, at;
	int result;

	op_print(rec->desc, &rec->args, out);
	if (rec->result) {
		const char *name = strerrorname_np(-rec->result);

		out_printf(out, " -> %s", name ? name : "EIO");
	} else if (journal_outcome(out->text + start, out->len - start, &at,
				   &result)) {
		out_str(out, " -> OK");
	}
	out_char(out, '\n');
}

bool
journal_text(struct journal *j, uint64_t *cursor, size_t want, struct out *out)
{
	size_t start = out->len;
	struct journal_reader r;
	struct journal_record rec;

	if (!*cursor) {
		out_str(out, j->header);
		*cursor = strlen(j->header);
	}
	journal_reader_init(&r, j, *cursor, false);
	while (out->len - start < want && journal_reader_line(&r, &rec))
		print_line(&rec, out);
	*cursor = r.at;
	journal_reader_fini(&r);
	return out->len > start;
}

/* The last remembered start of a line at or before @at. */
static struct journal_anchor
anchor_before(const struct journal *j, uint64_t at)
{
	struct journal_anchor best = {0};
	unsigned int low = 0, high = j->anchors->len;

	while (low < high) {
		unsigned int mid = (low + high) / 2;
		const struct journal_anchor *a =
			&g_array_index(j->anchors, struct journal_anchor, mid);

		if (a->text_at <= at) {
			best = *a;
			low = mid + 1;
		} else {
			high = mid;
		}
	}
	if (j->hot.text_at <= at && j->hot.text_at > best.text_at)
		best = j->hot;
	return best;
}

static void
remember(struct journal *j, struct journal_anchor here)
{
	uint64_t last = 0;

	if (j->anchors->len)
		last = g_array_index(j->anchors, struct journal_anchor,
				     j->anchors->len - 1)
			       .text_at;
	if (here.text_at >= last + ANCHOR_EVERY)
		g_array_append_val(j->anchors, here);
	j->hot = here;
}

/* Copy what [from, from + text) has of [at, at + len). */
static size_t
copy_part(const struct out *text, uint64_t from, uint8_t *to, size_t len,
	  uint64_t at)
{
	uint64_t end = from + text->len;

	if (end <= at || from >= at + len)
		return 0;
	end = MIN_OF(end, at + len);
	at = MAX_OF(at, from);
	memcpy(to, text->text + (at - from), (size_t)(end - at));
	return (size_t)(end - at);
}

size_t
journal_read(struct journal *j, void *to, size_t len, uint64_t at)
{
	struct journal_anchor here = anchor_before(j, at);
	struct out line = OUT_INIT;
	struct journal_reader r;
	struct journal_record rec;
	size_t got = 0;

	if (!here.file_at) {
		out_str(&line, j->header);
		got = copy_part(&line, 0, to, len, at);
		here.text_at = here.file_at = line.len;
	}
	journal_reader_init(&r, j, here.file_at, false);
	while (here.text_at < at + len && journal_reader_line(&r, &rec)) {
		remember(j, here);
		out_reset(&line);
		print_line(&rec, &line);
		got += copy_part(&line, here.text_at, (uint8_t *)to + got,
				 len - got, at + got);
		here.text_at += line.len;
		here.file_at = r.at;
	}
	journal_reader_fini(&r);
	out_fini(&line);
	return got;
}

uint64_t
journal_text_length(struct journal *j)
{
	struct journal_anchor here = j->measured;
	struct out line = OUT_INIT;
	struct journal_reader r;
	struct journal_record rec;
	unsigned int lines = 0;

	if (j->hot.text_at > here.text_at)
		here = j->hot;
	if (!here.file_at)
		here.text_at = here.file_at = strlen(j->header);
	journal_reader_init(&r, j, here.file_at, false);
	while (lines < JOURNAL_MEASURE && journal_reader_line(&r, &rec)) {
		j->measured = here;
		out_reset(&line);
		print_line(&rec, &line);
		here.text_at += line.len;
		here.file_at = r.at;
		lines++;
	}
	journal_reader_fini(&r);
	out_fini(&line);
	return lines < JOURNAL_MEASURE ? here.text_at : 0;
}
