// SPDX-License-Identifier: MIT
/*
 * journal_record.c - an op that ran as a few bytes, and back
 *
 * How it works: the table of parameters (op.h) tells for each argument where
 * it lies and of which kind it is; three kinds of encoding serve all types.
 * Ops have the numbers that the file itself gave them, with the names and
 * types of their parameters, so that a file outlives a change of the op table
 * and a change of an op is noticed.
 *
 * The file is read as what it is, input: every length is checked, and nothing
 * that stands in it can lead outside the record.
 */
#include "journal_impl.h"

#include "kmemfs/base/check.h"

#include <stdlib.h>
#include <string.h>

#define ERRNO_MAX 4095

enum encoding { AS_NUMBER, AS_SIGNED, AS_STRING, AS_BYTES };

static const char *const type_names[NR_PARAM_TYPES] = {
#define PARAM_NAME(id, name, type, help) [PARAM_##id] = name,
	PARAM_TYPES(PARAM_NAME)
#undef PARAM_NAME
};

/* All types that are not named here are numbers. */
static const uint8_t encodings[NR_PARAM_TYPES] = {
	[PARAM_INT] = AS_SIGNED,     [PARAM_NODE] = AS_SIGNED,
	[PARAM_TASK] = AS_STRING,    [PARAM_PAGE] = AS_STRING,
	[PARAM_ADDRESS] = AS_STRING, [PARAM_NAME] = AS_STRING,
	[PARAM_NEWNAME] = AS_STRING, [PARAM_WORD] = AS_STRING,
	[PARAM_TEXT] = AS_STRING,    [PARAM_BYTES] = AS_BYTES,
	[PARAM_CACHE] = AS_STRING,   [PARAM_CTOR] = AS_STRING,
	[PARAM_SYMBOL] = AS_STRING,  [PARAM_ALLOCATOR] = AS_STRING,
};

/* Values beyond these no line could have had; 0: there is no such bound. */
static const uint64_t limits[NR_PARAM_TYPES] = {
	[PARAM_GFP] = 1ULL << 32,  [PARAM_SLABFLAGS] = 1ULL << 32,
	[PARAM_ORDER] = MAX_ORDER, [PARAM_CPU] = MAX_CPUS,
	[PARAM_BOOL] = 2,	   [PARAM_CONTEXT] = NR_CONTEXTS,
	[PARAM_POLICY] = 2,	   [PARAM_MIGRATETYPE] = MIGRATE_TYPES,
};

bool
journal_merges(const struct op_desc *desc)
{
	return (desc->flags & OP_CLOCK) && desc->nr_params == 1 &&
	       desc->params[0].type == PARAM_TIME;
}

/* --- writing ------------------------------------------------------------- */

/* What a record takes beside its strings: so much is reserved before each, and
 * again after each string, so that numbers need not look. */
#define RECORD_ROOM (JOURNAL_PADDED * (2 * OP_PARAMS_MAX + 4))

static inline char *
write_varint(char *to, uint64_t v)
{
	while (v >= 0x80) {
		*to++ = (char)(v | 0x80);
		v >>= 7;
	}
	*to++ = (char)v;
	return to;
}

static inline void
put_varint(struct out *out, uint64_t v)
{
	out->len = (size_t)(write_varint(out->text + out->len, v) - out->text);
}

static void
put_counted(struct out *out, const void *bytes, size_t len)
{
	if (!bytes) {
		put_varint(out, 0);
		return;
	}
	put_varint(out, len + 1);
	out_reserve(out, len + 1 + RECORD_ROOM);
	memcpy(out->text + out->len, bytes, len);
	out->len += len;
	out->text[out->len++] = '\0';
}

void
journal_pad(uint8_t to[JOURNAL_PADDED], uint64_t v)
{
	for (int i = 0; i < JOURNAL_PADDED; i++, v >>= 7)
		to[i] = (uint8_t)((v & 0x7f) |
				  (i < JOURNAL_PADDED - 1 ? 0x80 : 0));
}

/* The arguments of @op, from @to on, where the text ends; returns its end. */
static char *
put_arguments(struct out *out, char *to, const struct op *op)
{
	const struct op_desc *desc = op->desc;

	for (unsigned int i = 0; i < desc->nr_params; i++) {
		const struct param *param = &desc->params[i];
		const uint8_t *at = op->args.bytes + param->offset;
		struct op_bytes bytes;
		const char *string;
		uint64_t number;

		switch (encodings[param->type]) {
		case AS_NUMBER:
			memcpy(&number, at, sizeof(number));
			to = write_varint(to, number);
			continue;
		case AS_SIGNED:
			memcpy(&number, at, sizeof(number));
			number = number << 1 ^
				 (uint64_t) - (int64_t)(number >> 63);
			to = write_varint(to, number);
			continue;
		case AS_STRING:
			memcpy(&string, at, sizeof(string));
			bytes.data = (const uint8_t *)string;
			bytes.len = string ? strlen(string) : 0;
			break;
		default:
			memcpy(&bytes, at, sizeof(bytes));
			break;
		}
		out->len = (size_t)(to - out->text);
		put_counted(out, bytes.data, bytes.len);
		to = out->text + out->len;
	}
	return to;
}

/* A record starts: one byte is left for its length. */
static size_t
record_begin(struct out *out)
{
	out_reserve(out, RECORD_ROOM);
	out->text[out->len++] = '\0';
	return out->len;
}

/* The record that began at @start ends here; more bytes of length are made
 * room for when one is not enough. */
static void
record_end(struct out *out, size_t start)
{
	size_t len = out->len - start, more = 0;

	for (size_t l = len; l >= 0x80; l >>= 7)
		more++;
	if (more) {
		out_reserve(out, more);
		memmove(out->text + start + more, out->text + start, len);
	}
	out->len = start - 1;
	put_varint(out, len);
	out->len += len;
}

static uint32_t
define(struct journal *j, const struct op_desc *desc, struct out *out)
{
	size_t start = record_begin(out);

	put_varint(out, 0);
	put_counted(out, desc->name, strlen(desc->name));
	put_varint(out, desc->nr_params);
	for (unsigned int i = 0; i < desc->nr_params; i++) {
		const struct param *param = &desc->params[i];
		const char *type = type_names[param->type];

		put_counted(out, param->name, strlen(param->name));
		put_counted(out, type, strlen(type));
	}
	record_end(out, start);
	g_ptr_array_add(j->ops, (gpointer)(uintptr_t)desc);
	return j->ops->len;
}

size_t
journal_encode(struct journal *j, const struct op *op, struct out *out)
{
	const struct op_desc *desc = op->desc;
	uint32_t *number = &j->numbers[desc - op_table];
	size_t start, padded = 0;

	if (!*number)
		*number = define(j, desc, out);
	start = record_begin(out);
	put_varint(out, (uint64_t)*number << 1 | (op->result != 0));
	if (op->result)
		put_varint(out, (uint64_t)-op->result);
	if (journal_merges(desc) && !op->result) {
		uint64_t v;

		memcpy(&v, op->args.bytes + desc->params[0].offset, sizeof(v));
		padded = out->len;
		journal_pad((uint8_t *)out->text + out->len, v);
		out->len += JOURNAL_PADDED;
	} else {
		char *end = put_arguments(out, out->text + out->len, op);

		out->len = (size_t)(end - out->text);
	}
	record_end(out, start);
	return padded;
}

/* --- reading ------------------------------------------------------------- */

/* What is left of a record. */
struct span {
	const uint8_t *at, *end;
	bool bad;
};

static uint64_t
get_varint(struct span *s)
{
	uint64_t v = 0;

	for (unsigned int shift = 0; shift < 70 && s->at < s->end; shift += 7) {
		uint8_t byte = *s->at++;

		if (shift == 63 && byte > 1)
			break;
		v |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return v;
	}
	s->bad = true;
	return 0;
}

/* Counted bytes with their NUL; NULL when absent (or bad). */
static const uint8_t *
get_counted(struct span *s, size_t *len)
{
	uint64_t n = get_varint(s);
	const uint8_t *bytes = s->at;

	*len = 0;
	if (s->bad || !n)
		return NULL;
	if (n > (uint64_t)(s->end - s->at) || bytes[n - 1]) {
		s->bad = true;
		return NULL;
	}
	s->at += n;
	*len = n - 1;
	return bytes;
}

static const char *
get_string(struct span *s)
{
	size_t len;
	const uint8_t *bytes = get_counted(s, &len);

	if (bytes && memchr(bytes, '\0', len))
		s->bad = true;
	return (const char *)bytes;
}

static void
get_argument(struct span *s, const struct param *param, uint8_t *to)
{
	struct op_bytes bytes;
	const char *string;
	uint64_t number;

	switch (encodings[param->type]) {
	case AS_NUMBER:
		number = get_varint(s);
		if (limits[param->type] && number >= limits[param->type])
			s->bad = true;
		memcpy(to, &number, sizeof(number));
		break;
	case AS_SIGNED:
		number = get_varint(s);
		number = number >> 1 ^ (uint64_t) - (int64_t)(number & 1);
		memcpy(to, &number, sizeof(number));
		break;
	case AS_STRING:
		string = get_string(s);
		if (!string && !param->optional)
			s->bad = true;
		memcpy(to, &string, sizeof(string));
		break;
	case AS_BYTES:
		bytes.data = get_counted(s, &bytes.len);
		memcpy(to, &bytes, sizeof(bytes));
		break;
	}
}

static bool
same_signature(struct span *s, const struct op_desc *desc)
{
	uint64_t nr = get_varint(s);

	if (nr != desc->nr_params)
		return false;
	for (unsigned int i = 0; i < desc->nr_params; i++) {
		const char *name = get_string(s), *type = get_string(s);

		if (!name || !type || strcmp(name, desc->params[i].name) ||
		    strcmp(type, type_names[desc->params[i].type]))
			return false;
	}
	return true;
}

/* A definition; returns NULL or what is wrong with it. */
static char *
learn(struct journal *j, struct span *s)
{
	const char *name = get_string(s);
	const struct op_desc *desc;

	if (!name)
		return g_strdup("an op without a name");
	desc = op_find(name);
	if (!desc)
		return g_strdup_printf("this program has no op %s", name);
	if (!same_signature(s, desc))
		return g_strdup_printf("op %s had other parameters", name);
	if (j->numbers[desc - op_table])
		return g_strdup_printf("op %s is defined twice", name);
	g_ptr_array_add(j->ops, (gpointer)(uintptr_t)desc);
	j->numbers[desc - op_table] = j->ops->len;
	return NULL;
}

void
journal_reader_init(struct journal_reader *r, struct journal *j, uint64_t at,
		    bool learn_ops)
{
	*r = (struct journal_reader){.j = j, .at = at, .learn = learn_ops};
}

void
journal_reader_fini(struct journal_reader *r)
{
	g_free(r->bytes);
	g_free(r->damage);
}

/* Have @len bytes from r->at on in the window; false when there are fewer. */
static bool
window(struct journal_reader *r, size_t len)
{
	uint64_t length = journal_length(r->j);

	if (r->at >= r->base && r->at + len <= r->base + r->have)
		return true;
	if (r->at + len > length)
		return false;
	if (r->room < MAX_OF(len, 64U << 10)) {
		r->room = MAX_OF(len, 64U << 10);
		g_free(r->bytes);
		r->bytes = g_malloc(r->room);
	}
	r->base = r->at;
	r->have = journal_bytes(r->j, r->at, r->bytes, r->room);
	return r->have >= len;
}

/* Take apart the record in @s; false with r->damage. */
static bool
decode(struct journal_reader *r, struct span *s, struct journal_record *rec)
{
	uint64_t tag = get_varint(s), number = tag >> 1;

	rec->desc = NULL;
	rec->result = 0;
	if (!tag && !s->bad) {
		if (r->learn)
			r->damage = learn(r->j, s);
		return !r->damage;
	}
	if (s->bad || !number || number > r->j->ops->len) {
		r->damage = g_strdup("an op that was not defined before");
		return false;
	}
	rec->desc = g_ptr_array_index(r->j->ops, number - 1);
	if (tag & 1) {
		uint64_t err = get_varint(s);

		if (!err || err > ERRNO_MAX)
			s->bad = true;
		rec->result = s->bad ? 0 : -(int)err;
	}
	memset(&rec->args, 0, sizeof(rec->args));
	for (unsigned int i = 0; i < rec->desc->nr_params; i++)
		get_argument(s, &rec->desc->params[i],
			     rec->args.bytes + rec->desc->params[i].offset);
	if (s->bad || s->at != s->end)
		r->damage = g_strdup_printf(
			"arguments of %s that make no sense", rec->desc->name);
	return !r->damage;
}

bool
journal_reader_next(struct journal_reader *r, struct journal_record *rec)
{
	g_clear_pointer(&r->damage, g_free);
	do {
		uint64_t left = journal_length(r->j) - r->at;
		struct span s = {0};
		uint64_t len;

		if (!left || !window(r, MIN_OF(left, JOURNAL_PADDED)))
			return false;
		s.at = r->bytes + (r->at - r->base);
		s.end = s.at + MIN_OF(left, JOURNAL_PADDED);
		len = get_varint(&s);
		if (s.bad && left >= JOURNAL_PADDED)
			r->damage = g_strdup("a length that makes no sense");
		left -= (uint64_t)(s.at - (r->bytes + (r->at - r->base)));
		if (s.bad || len > left)
			return false;
		rec->at = r->at;
		rec->end = journal_length(r->j) - left + len;
		if (!window(r, rec->end - rec->at))
			return false;
		s.end = r->bytes + (rec->end - r->base);
		s.at = s.end - len;
		if (!decode(r, &s, rec))
			return false;
		r->at = rec->end;
	} while (!rec->desc);
	return true;
}

bool
journal_reader_line(struct journal_reader *r, struct journal_record *rec)
{
	struct journal_record more;
	uint64_t total, v = 0;
	uint8_t *value;

	if (!journal_reader_next(r, rec))
		return false;
	if (rec->result || !journal_merges(rec->desc))
		return true;
	value = rec->args.bytes + rec->desc->params[0].offset;
	memcpy(&total, value, sizeof(total));
	/* No strings in it: it may outlive the next record's reading. */
	while (journal_reader_next(r, &more)) {
		bool same = more.desc == rec->desc && !more.result;

		if (same)
			memcpy(&v,
			       more.args.bytes + more.desc->params[0].offset,
			       sizeof(v));
		if (!same || v > UINT64_MAX - total) {
			r->at = more.at;
			break;
		}
		total += v;
		rec->end = more.end;
	}
	memcpy(value, &total, sizeof(total));
	return true;
}
