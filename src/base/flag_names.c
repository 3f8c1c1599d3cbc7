// SPDX-License-Identifier: MIT
/* flag_names.c - sets of bits as text */
#include "kmemfs/base/flag_names.h"

#include "kmemfs/base/text.h"

#include <string.h>

/* With 0x and eight digits, and the end. */
#define NUMBER_MOST 11

static bool
word_is(const char *word, size_t len, const char *name)
{
	return strlen(name) == len && !memcmp(name, word, len);
}

static bool
word_number(const char *word, size_t len, uint32_t *value)
{
	char copy[NUMBER_MOST];
	uint64_t v;

	if (len < 3 || len >= sizeof(copy) || word[0] != '0' ||
	    (word[1] | 32) != 'x')
		return false;
	memcpy(copy, word, len);
	copy[len] = '\0';
	if (!text_u64(copy, &v))
		return false;
	*value = (uint32_t)v;
	return true;
}

static bool
word_value(const struct flag_name *known, size_t nr, const char *word,
	   size_t len, uint32_t *value)
{
	for (size_t i = 0; i < nr; i++) {
		if (!word_is(word, len, known[i].name))
			continue;
		*value = known[i].value;
		return true;
	}
	*value = 0;
	return word_is(word, len, "none") || word_is(word, len, "0") ||
	       word_number(word, len, value);
}

bool
flag_names_parse(const struct flag_name *known, size_t nr, const char *text,
		 uint32_t *flags, size_t *bad_at)
{
	const char *at = text;
	uint32_t sum = 0;

	for (;;) {
		size_t len = strcspn(at, "|,+");
		uint32_t value;

		if (!word_value(known, nr, at, len, &value)) {
			*bad_at = (size_t)(at - text);
			return false;
		}
		sum |= value;
		if (!at[len])
			break;
		at += len + 1;
	}
	*flags = sum;
	return true;
}

void
flag_names_print(const struct flag_name *known, size_t nr, struct out *out,
		 uint32_t flags)
{
	const char *between = "";

	if (!flags) {
		out_str(out, "none");
		return;
	}
	for (size_t i = 0; i < nr; i++) {
		if ((flags & known[i].value) != known[i].value)
			continue;
		out_str(out, between);
		out_str(out, known[i].name);
		between = "|";
		flags &= ~known[i].value;
	}
	if (flags) {
		out_str(out, between);
		out_hex(out, flags);
	}
}
