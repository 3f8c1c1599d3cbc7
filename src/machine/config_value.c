// SPDX-License-Identifier: MIT
/* config_value.c - the values of a machine file's keys */
#include "config_impl.h"

#include "kmemfs/base/text.h"
#include "kmemfs/phys/firmware.h"

#include <string.h>

/* Addresses end here: what x86 page tables can hold. */
#define ADDRESS_END (1ULL << 52)

bool
config_number(struct config_reader *r, const struct config_entry *e,
	      uint64_t least, uint64_t most, uint64_t *value)
{
	uint64_t v;

	if (!text_u64(e->value, &v))
		return config_fail(r, e->line, e->key, "'%s' is not a number",
				   e->value);
	if (v < least || v > most)
		return config_fail(
			r, e->line, e->key, "%llu is not between %llu and %llu",
			(unsigned long long)v, (unsigned long long)least,
			(unsigned long long)most);
	*value = v;
	return true;
}

bool
config_size(struct config_reader *r, const struct config_entry *e,
	    uint64_t *bytes)
{
	if (!text_size(e->value, bytes))
		return config_fail(r, e->line, e->key,
				   "'%s' is not a size (such as 64M or 8G)",
				   e->value);
	return true;
}

bool
config_bool(struct config_reader *r, const struct config_entry *e, bool *value)
{
	if (!text_bool(e->value, value))
		return config_fail(r, e->line, e->key,
				   "'%s' is neither yes nor no", e->value);
	return true;
}

/*
 * Call @item for each of the parts of @e's value between semicolons, blanks
 * around it taken away.  An empty value has no parts.
 */
static bool
each_part(struct config_reader *r, const struct config_entry *e,
	  bool (*item)(struct config_reader *, const struct config_entry *,
		       char *, GArray *),
	  GArray *to)
{
	char **parts = g_strsplit(e->value, ";", -1);
	bool good = true;

	for (char **part = parts; *e->value && good && *part; part++) {
		char *text = g_strstrip(*part);

		if (*text)
			good = item(r, e, text, to);
		else
			good = config_fail(r, e->line, e->key,
					   "a part between semicolons is "
					   "empty");
	}
	g_strfreev(parts);
	return good;
}

/* "first-last", both included. */
static bool
read_range(struct config_reader *r, const struct config_entry *e, char *text,
	   struct range *range)
{
	char *dash = strchr(text, '-');
	uint64_t first, last;

	if (dash)
		*dash = '\0';
	if (!dash || !text_u64(g_strchomp(text), &first) ||
	    !text_u64(g_strchug(dash + 1), &last))
		return config_fail(r, e->line, e->key,
				   "'%s%s%s' is not a range (such as "
				   "0x100000-0x1fffff)",
				   text, dash ? "-" : "", dash ? dash + 1 : "");
	if (last < first)
		return config_fail(r, e->line, e->key,
				   "the range 0x%llx-0x%llx ends before it "
				   "starts",
				   (unsigned long long)first,
				   (unsigned long long)last);
	if (last >= ADDRESS_END)
		return config_fail(r, e->line, e->key,
				   "0x%llx is beyond 52 address bits",
				   (unsigned long long)last);
	*range = (struct range){first, last + 1};
	return true;
}

static bool
item_range(struct config_reader *r, const struct config_entry *e, char *text,
	   GArray *to)
{
	struct range range;

	if (!read_range(r, e, text, &range))
		return false;
	g_array_append_val(to, range);
	return true;
}

const char *
config_yes_no(bool value)
{
	return value ? "yes" : "no";
}

bool
config_keys_have(const struct config_key *keys, size_t n, const char *key)
{
	for (size_t i = 0; key && i < n; i++)
		if (!strcmp(keys[i].key, key))
			return true;
	return !key;
}

bool
config_word_in(const char *const *words, size_t n, const char *word)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(words[i], word))
			return true;
	return false;
}

bool
config_ranges(struct config_reader *r, const struct config_entry *e,
	      GArray *ranges)
{
	return each_part(r, e, item_range, ranges);
}

static bool
item_map(struct config_reader *r, const struct config_entry *e, char *text,
	 GArray *to)
{
	char *blank = text + strcspn(text, " \t");
	struct firmware_range f;
	char *name;

	if (!*blank)
		return config_fail(r, e->line, e->key,
				   "'%s' lacks a type (usable, reserved, acpi, "
				   "nvs, unusable, pmem)",
				   text);
	*blank = '\0';
	name = g_strchug(blank + 1);
	if (!firmware_type_find(name, &f.type))
		return config_fail(r, e->line, e->key,
				   "'%s' is none of usable, reserved, acpi, "
				   "nvs, unusable, pmem",
				   name);
	if (!read_range(r, e, text, &f.range))
		return false;
	g_array_append_val(to, f);
	return true;
}

bool
config_map(struct config_reader *r, const struct config_entry *e, GArray *map)
{
	return each_part(r, e, item_map, map);
}

static bool
item_distance(struct config_reader *r, const struct config_entry *e, char *text,
	      GArray *to)
{
	uint64_t v;
	uint32_t distance;

	if (!text_u64(text, &v) || v < 10 || v > 255)
		return config_fail(r, e->line, e->key,
				   "'%s' is not a distance (10 to 255)", text);
	distance = (uint32_t)v;
	g_array_append_val(to, distance);
	return true;
}

bool
config_distances(struct config_reader *r, const struct config_entry *e,
		 GArray *distances)
{
	return each_part(r, e, item_distance, distances);
}

/* "3" or "0-3" */
static bool
read_cpu_range(char *text, uint64_t *first, uint64_t *last)
{
	char *dash = strchr(text, '-');

	if (dash)
		*dash = '\0';
	if (!text_u64(g_strstrip(text), first))
		return false;
	*last = *first;
	return !dash || (text_u64(g_strstrip(dash + 1), last) &&
			 *last >= *first && *last < MAX_CPUS);
}

bool
config_cpus(struct config_reader *r, const struct config_entry *e,
	    bool (*take)(struct config_reader *r, const struct config_entry *e,
			 uint64_t cpu, unsigned int node),
	    unsigned int node)
{
	char **parts = g_strsplit_set(e->value, ",;", -1);
	bool good = true;

	for (char **part = parts; *e->value && good && *part; part++) {
		uint64_t first, last;

		if (!read_cpu_range(*part, &first, &last)) {
			good = config_fail(r, e->line, e->key,
					   "'%s' is not a list of CPUs (such "
					   "as 0-3,8)",
					   e->value);
			break;
		}
		for (uint64_t cpu = first; good && cpu <= last; cpu++)
			good = take(r, e, cpu, node);
	}
	g_strfreev(parts);
	return good;
}
