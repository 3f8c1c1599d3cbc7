// SPDX-License-Identifier: MIT
/*
 * template.c - op lines and link targets that the layout declares
 *
 * <key> becomes the name of the key's value in the path, $name, $value,
 * $offset, $address, $bytes what the request brought, $free the op that frees
 * the allocation whose directory it is.
 */
#include "tree_impl.h"

#include <glib.h>
#include <string.h>

static size_t
expand_key(const struct place *p, const char *at, struct out *out)
{
	const char *end = strchr(at, '>');
	struct place above = *p;

	if (!end)
		return 0;
	/* Upwards from @p: the nearest entry whose last part is that key. */
	for (;;) {
		const struct layout_entry *entry = above.entry;

		if (entry->key &&
		    strlen(entry->key->name) == (size_t)(end - at - 1) &&
		    !memcmp(entry->key->name, at + 1, (size_t)(end - at - 1))) {
			place_name(&above, out);
			return (size_t)(end + 1 - at);
		}
		if (!above.index)
			return 0;
		above.index = entry->parent;
		above.entry = &layout_table[above.index];
	}
}

static size_t
expand_word(const struct place *p, const char *at,
	    const struct template_words *words, struct out *out)
{
	if (g_str_has_prefix(at, "$free")) {
		const struct allocation *a = allocation_get(
			p->view.m,
			(uint32_t)p->view.key[p->entry->nr_keys - 1]);

		if (a)
			allocation_free_words(p->view.m, a, out);
		return strlen("$free");
	}
	if (!words)
		return 0;
	if (g_str_has_prefix(at, "$name") && words->name) {
		out_str(out, words->name);
		return strlen("$name");
	}
	if (g_str_has_prefix(at, "$value") && words->value) {
		out_str(out, words->value);
		return strlen("$value");
	}
	if (g_str_has_prefix(at, "$offset") && words->offset) {
		out_u64(out, *words->offset);
		return strlen("$offset");
	}
	if (g_str_has_prefix(at, "$address") && words->offset) {
		out_printf(out, "%#llx", (unsigned long long)*words->offset);
		return strlen("$address");
	}
	if (g_str_has_prefix(at, "$bytes") && words->bytes) {
		char *text = g_base64_encode(words->bytes, words->bytes_len);

		out_str(out, "base64:");
		out_str(out, text);
		g_free(text);
		return strlen("$bytes");
	}
	return 0;
}

void
template_expand(const struct place *p, const char *template,
		const struct template_words *words, struct out *out)
{
	while (*template) {
		size_t used = 0;

		if (*template == '<')
			used = expand_key(p, template, out);
		else if (*template == '$')
			used = expand_word(p, template, words, out);
		if (used) {
			template += used;
			continue;
		}
		out_char(out, *template ++);
	}
}
