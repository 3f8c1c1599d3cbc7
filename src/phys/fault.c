// SPDX-License-Identifier: MIT
/*
 * fault.c - allocations that fail because somebody wants them to
 *
 * What it models: should_fail_ex and the debugfs files of lib/fault-inject.c,
 *                 the filters of mm/failslab.c and fail_page_alloc of 6.1.192.
 * Differs from the kernel: it throws with a generator of its own, seeded by the
 *                 machine; messages are not rate limited and show no stack;
 *                 there are no filters by task and by stack.
 */
#include "kmemfs/phys/fault.h"

#include "kmemfs/base/random.h"
#include "kmemfs/base/text.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>

#define INTERVAL_BOOT 1
#define TIMES_BOOT 1
#define VERBOSE_BOOT 2

void
fault_init(struct fault_attr *attr, const char *name, uint64_t min_order,
	   uint64_t seed)
{
	*attr = (struct fault_attr){
		.name = name,
		.interval = INTERVAL_BOOT,
		.times = TIMES_BOOT,
		.verbose = VERBOSE_BOOT,
		.min_order = min_order,
		.ignore_gfp_wait = true,
		.ignore_gfp_highmem = true,
		.random = seed,
	};
}

static void
fault_say(const struct fault_attr *attr,
	  void (*say)(void *user, const char *line), void *user)
{
	char line[160];

	if (!say || !attr->verbose)
		return;
	say(user, "FAULT_INJECTION: forcing a failure.");
	snprintf(line, sizeof(line),
		 "name %s, interval %llu, probability %llu, space %lld, "
		 "times %lld",
		 attr->name, (unsigned long long)attr->interval,
		 (unsigned long long)attr->probability, (long long)attr->space,
		 (long long)attr->times);
	say(user, line);
}

bool
fault_should_fail(struct fault_attr *attr, gfp_t gfp, int64_t size,
		  void (*say)(void *user, const char *line), void *user)
{
	if (gfp & __GFP_NOFAIL)
		return false;
	if (attr->ignore_gfp_wait && gfp & __GFP_DIRECT_RECLAIM)
		return false;
	if (!attr->probability || !attr->times)
		return false;
	if (attr->space > size) {
		attr->space -= size;
		return false;
	}
	if (attr->interval > 1 && ++attr->count % attr->interval)
		return false;
	if (attr->probability <= random_next(&attr->random) % 100)
		return false;
	if (!(gfp & __GFP_NOWARN))
		fault_say(attr, say, user);
	if (attr->times > 0)
		attr->times--;
	return true;
}

/* --- its files ------------------------------------------------------------ */

enum value_kind { VALUE_COUNT, VALUE_SIGNED, VALUE_FLAG };

static const struct attribute {
	const char *name;
	enum value_kind kind;
	size_t at;
	uint64_t most;
} attributes[] = {
#define AT(field) offsetof(struct fault_attr, field)
	{"cache-filter",	 VALUE_FLAG,   AT(cache_filter),       1		},
	{"ignore-gfp-highmem", VALUE_FLAG,   AT(ignore_gfp_highmem), 1	    },
	{"ignore-gfp-wait",    VALUE_FLAG,	AT(ignore_gfp_wait),    1	      },
	{"interval",	     VALUE_COUNT,  AT(interval),		UINT64_MAX},
	{"min-order",	      VALUE_COUNT,  AT(min_order),	  UINT32_MAX},
	{"probability",	VALUE_COUNT,  AT(probability),	      UINT64_MAX},
	{"space",		  VALUE_SIGNED, AT(space),		   INT32_MAX },
	{"times",		  VALUE_SIGNED, AT(times),		   INT32_MAX },
	{"verbose",	    VALUE_COUNT,	 AT(verbose),	      UINT64_MAX},
#undef AT
};

static const struct attribute *
find_attribute(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(attributes); i++)
		if (!strcmp(attributes[i].name, name))
			return &attributes[i];
	return NULL;
}

static int
write_flag(bool *to, const char *value, struct refusal *why)
{
	if (!text_bool(value, to))
		return refuse(why, EINVAL, 0, "%s: Y or N", value);
	return 0;
}

static int
write_signed(int64_t *to, const char *value, struct refusal *why)
{
	int64_t v;

	if (!text_i64(value, &v))
		return refuse(why, EINVAL, 0, "%s: not a number", value);
	if (v < -1 || v > INT32_MAX)
		return refuse(why, ERANGE, 0, "%s: from -1 to %d", value,
			      INT32_MAX);
	*to = v;
	return 0;
}

int
fault_write(struct fault_attr *attr, const char *attribute, const char *value,
	    struct refusal *why)
{
	const struct attribute *a = find_attribute(attribute);
	char *field = a ? (char *)attr + a->at : NULL;
	uint64_t v;

	if (!a)
		return refuse(why, ENOENT, 0, "there is no attribute %s",
			      attribute);
	if (a->kind == VALUE_FLAG)
		return write_flag((bool *)field, value, why);
	if (a->kind == VALUE_SIGNED)
		return write_signed((int64_t *)(void *)field, value, why);
	if (!text_u64(value, &v))
		return refuse(why, EINVAL, 0, "%s: not a number", value);
	if (v > a->most)
		return refuse(why, ERANGE, 0, "%s: at most %llu", value,
			      (unsigned long long)a->most);
	*(uint64_t *)(void *)field = v;
	return 0;
}

bool
fault_show(const struct fault_attr *attr, const char *attribute,
	   struct out *out)
{
	const struct attribute *a = find_attribute(attribute);
	const char *field = a ? (const char *)attr + a->at : NULL;

	if (!a)
		return false;
	if (a->kind == VALUE_FLAG)
		out_char(out, *(const bool *)field ? 'Y' : 'N');
	else if (a->kind == VALUE_SIGNED)
		out_i64(out, *(const int64_t *)(const void *)field);
	else
		out_u64(out, *(const uint64_t *)(const void *)field);
	out_char(out, '\n');
	return true;
}

void
fault_digest(const struct fault_attr *attr, const struct number_stream *to)
{
	const uint64_t values[] = {
		attr->probability,
		attr->interval,
		attr->count,
		(uint64_t)(attr->times + 1),
		(uint64_t)(attr->space + 1),
		attr->verbose,
		attr->min_order,
		attr->ignore_gfp_wait,
		attr->ignore_gfp_highmem,
		attr->cache_filter,
		attr->random,
	};

	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		stream_put(to, values[i]);
}
