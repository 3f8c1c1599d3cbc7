// SPDX-License-Identifier: MIT
/* text.c - sizes, numbers, ranges and names as people write them */
#include "kmemfs/base/text.h"

#include <ctype.h>
#include <glib.h>
#include <string.h>
#include <strings.h>

#define NAME_LEN_MAX 63

/*
 * Read digits of @base from *@at.  Returns false when there is none or the
 * value does not fit in 64 bits; *@at then is where reading stopped.
 */
static bool
digits(const char **at, unsigned int base, uint64_t *value)
{
	const char *start = *at;
	uint64_t v = 0;

	for (; isxdigit((unsigned char)**at); (*at)++) {
		char c = (char)tolower((unsigned char)**at);
		unsigned int d =
			(unsigned int)(c <= '9' ? c - '0' : c - 'a' + 10);

		if (d >= base)
			break;
		if (__builtin_mul_overflow(v, (uint64_t)base, &v) ||
		    __builtin_add_overflow(v, (uint64_t)d, &v))
			return false;
	}
	*value = v;
	return *at > start;
}

static bool
number(const char **at, uint64_t *value)
{
	if ((*at)[0] == '0' && ((*at)[1] == 'x' || (*at)[1] == 'X')) {
		*at += 2;
		return digits(at, 16, value);
	}
	return digits(at, 10, value);
}

bool
text_u64(const char *word, uint64_t *value)
{
	uint64_t v;

	if (!number(&word, &v) || *word)
		return false;
	*value = v;
	return true;
}

bool
text_i64(const char *word, int64_t *value)
{
	bool minus = *word == '-';
	uint64_t v;

	if (!text_u64(word + minus, &v) ||
	    v > (uint64_t)INT64_MAX + (minus ? 1 : 0))
		return false;
	*value = minus ? (int64_t)(0 - v) : (int64_t)v;
	return true;
}

static const struct unit {
	const char *name;
	uint64_t factor;
} size_units[] =
	{
		{"",    1	      },
		{"B",   1	       },
		{"K",   1ULL << 10},
		{"M",   1ULL << 20},
		{"G",   1ULL << 30},
		{"T",   1ULL << 40},
		{"P",   1ULL << 50},
		{"KB",  1ULL << 10},
		{"MB",  1ULL << 20},
		{"GB",  1ULL << 30},
		{"TB",  1ULL << 40},
		{"KIB", 1ULL << 10},
		{"MIB", 1ULL << 20},
		{"GIB", 1ULL << 30},
		{"TIB", 1ULL << 40},
},
  time_units[] = {
	  {"ns", 1},
	  {"us", 1000},
	  {"ms", 1000000},
	  {"s", 1000000000},
	  {"min", 60000000000ULL},
	  {"h", 3600000000000ULL},
};

static bool
unit_of(const struct unit *units, size_t nr, const char *name, uint64_t *factor)
{
	for (size_t i = 0; i < nr; i++)
		if (!strcasecmp(units[i].name, name)) {
			*factor = units[i].factor;
			return true;
		}
	return false;
}

bool
text_size(const char *word, uint64_t *bytes)
{
	uint64_t v, factor;

	if (!number(&word, &v) ||
	    !unit_of(size_units, ARRAY_SIZE(size_units), word, &factor) ||
	    __builtin_mul_overflow(v, factor, &v))
		return false;
	*bytes = v;
	return true;
}

bool
text_time(const char *word, uint64_t *ns)
{
	uint64_t v, part = 0, scale = 1, factor;

	if (!number(&word, &v))
		return false;
	if (*word == '.') {
		const char *start = ++word;

		if (!digits(&word, 10, &part) || word - start > 9)
			return false;
		for (; start < word; start++)
			scale *= 10;
	}
	if (!*word && !v && !part)
		factor = 1; /* none at all needs no unit */
	else if (!unit_of(time_units, ARRAY_SIZE(time_units), word, &factor))
		return false;
	if (__builtin_mul_overflow(v, factor, &v))
		return false;
	return !__builtin_add_overflow(
		v, (uint64_t)((__uint128_t)part * factor / scale), ns);
}

bool
text_bool(const char *word, bool *value)
{
	static const char *const words[2][5] = {
		{"0", "no",  "false", "off", "n"},
		{"1", "yes", "true",  "on",  "y"},
	};

	for (int v = 0; v < 2; v++)
		for (size_t i = 0; i < ARRAY_SIZE(words[v]); i++)
			if (!strcasecmp(word, words[v][i])) {
				*value = v;
				return true;
			}
	return false;
}

bool
text_is_name(const char *word)
{
	size_t len = strlen(word);

	if (!len || len > NAME_LEN_MAX ||
	    !(isalpha((unsigned char)*word) || *word == '_'))
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = word[i];

		if (!g_ascii_isalnum(c) && c != '_' && c != '.' && c != '-')
			return false;
	}
	return true;
}
