// SPDX-License-Identifier: MIT
/*
 * ftrace_fields.c - the key=value words of the mm_page events
 *
 * How it works: words are read from left to right and looked up by the length
 * and bytes of their key, from the one behind the last on, since kernels print
 * them in the order of this table.  Unknown keys are passed over, so is what
 * page= says, and words that are no pair ("page=   (null)" of old kernels falls
 * apart in two).
 */
#include "ftrace_impl.h"

#include <string.h>

enum {
#define FIELD(id, name) FIELD_##id,
#define FIELDS(F)                                                              \
	F(PAGE, "page")                                                        \
	F(PFN, "pfn")                                                          \
	F(ORDER, "order")                                                      \
	F(MIGRATETYPE, "migratetype")                                          \
	F(GFP, "gfp_flags")                                                    \
	F(REFILL, "percpu_refill")                                             \
	F(ALLOC_ORDER, "alloc_order")                                          \
	F(FALLBACK_ORDER, "fallback_order")                                    \
	F(ALLOC_TYPE, "alloc_migratetype")                                     \
	F(FALLBACK_TYPE, "fallback_migratetype")                               \
	F(OWNERSHIP, "change_ownership")
	FIELDS(FIELD) NR_FIELDS
#undef FIELD
};

enum {
#define F_BIT(id, name) F_##id = 1 << FIELD_##id,
	FIELDS(F_BIT)
#undef F_BIT
};

static const struct {
	char key[FTRACE_KEY];
	size_t len;
} fields[] = {
#define FIELD_KEY(id, name) {name, sizeof(name) - 1},
	FIELDS(FIELD_KEY)
#undef FIELD_KEY
};

static const unsigned int needs[NR_FTRACE_KINDS] = {
#define FTRACE_EVENT(id, name, need) [FTRACE_##id] = (need),
#include "kmemfs/machine/ftrace.def"
#undef FTRACE_EVENT
};

const uint8_t ftrace_hex_value[256] = {
	['0'] = 1,  ['1'] = 2,	['2'] = 3,  ['3'] = 4,	['4'] = 5,  ['5'] = 6,
	['6'] = 7,  ['7'] = 8,	['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12,
	['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
};

/* 123 or 0x7b, and then a blank or the end. */
static bool
fields_number(struct ftrace_text *t, uint64_t *value)
{
	bool good;

	if (t->end - t->at > 2 && t->at[0] == '0' && t->at[1] == 'x') {
		t->at += 2;
		good = ftrace_hex(t, value);
	} else {
		good = ftrace_decimal(t, value);
	}
	return good && (t->at == t->end || *t->at == ' ' || *t->at == '\t');
}

static bool
fields_store(struct ftrace_event *e, unsigned int field, uint64_t v)
{
	if (field == FIELD_PFN) {
		e->pfn = v;
		return true;
	}
	if (v > UINT32_MAX)
		return false;
	switch (field) {
	case FIELD_ORDER:
	case FIELD_ALLOC_ORDER:
		e->order = (uint32_t)v;
		break;
	case FIELD_MIGRATETYPE:
	case FIELD_ALLOC_TYPE:
		e->migratetype = (uint32_t)v;
		break;
	case FIELD_FALLBACK_ORDER:
		e->fallback_order = (uint32_t)v;
		break;
	case FIELD_FALLBACK_TYPE:
		e->fallback_type = (uint32_t)v;
		break;
	case FIELD_REFILL:
		e->percpu_refill = v != 0;
		break;
	case FIELD_OWNERSHIP:
		e->change_ownership = v != 0;
		break;
	}
	return true;
}

/* What kernels that did not print a field would have printed. */
static void
fields_infer(struct ftrace_event *e, unsigned int seen)
{
	if (e->kind == FTRACE_ALLOC && !(seen & F_MIGRATETYPE))
		e->migratetype = gfp_migratetype(e->gfp);
	if (e->kind == FTRACE_ZONE_LOCKED && !(seen & F_REFILL))
		e->percpu_refill = e->order == 0;
}

/* Whether the word at @t has the key of @field; then it stands at its value. */
static inline bool
fields_is(struct ftrace_text *t, unsigned int field)
{
	size_t len = fields[field].len;

	if ((size_t)(t->end - t->at) <= len || t->at[len] != '=' ||
	    !ftrace_same(t->at, (size_t)(t->end - t->at), fields[field].key,
			 len))
		return false;
	t->at += len + 1;
	return true;
}

/* The key of the word at @t, which then stands at its value; NR_FIELDS, and
 * @t behind the word, when it is none that is known.  Most likely it is @first
 * or one soon behind it. */
static unsigned int
fields_key(struct ftrace_text *t, unsigned int first)
{
	for (unsigned int n = 0; n < NR_FIELDS; n++, first++) {
		if (first >= NR_FIELDS)
			first = 0;
		if (fields_is(t, first))
			return first;
	}
	t->at = ftrace_word_end(t->at, t->end);
	return NR_FIELDS;
}

bool
ftrace_fields(struct ftrace *f, struct ftrace_text t, struct ftrace_event *e)
{
	unsigned int seen = 0, likely = FIELD_PAGE;

	for (;;) {
		unsigned int field;
		uint64_t v;

		ftrace_blanks(&t);
		if (t.at == t.end)
			break;
		field = fields_key(&t, likely);
		if (field == NR_FIELDS)
			continue;
		likely = field + 1;
		if (field == FIELD_PAGE) {
			t.at = ftrace_word_end(t.at, t.end);
			continue;
		}
		if (field == FIELD_GFP) {
			const char *from = t.at;

			t.at = ftrace_word_end(from, t.end);
			e->gfp = ftrace_gfp(f, from, (size_t)(t.at - from),
					    &e->unknown_gfp);
		} else if (!fields_number(&t, &v) ||
			   !fields_store(e, field, v)) {
			return false;
		}
		seen |= 1U << field;
	}
	if (needs[e->kind] & ~seen)
		return false;
	fields_infer(e, seen);
	return true;
}
