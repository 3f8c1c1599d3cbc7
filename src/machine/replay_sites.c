// SPDX-License-Identifier: MIT
/*
 * replay_sites.c - call sites of a recording, and the caches they take from
 *
 * What it models: kernels before 6.6 do not print the cache's name where an
 *                 object is allocated, and print it where one is freed.  A
 *                 call site takes objects of given sizes from one cache all
 *                 the time: once known it stays known.
 * How it works:   sites are numbered as they come; a hash of their text, event
 *                 and sizes leads to the number.  Two with the same hash of 64
 *                 bits are taken for one.
 * Always true:    what is known here only decides which ops lines become.
 */
#include "replay_slab_impl.h"

#include "kmemfs/base/check.h"

#include <glib.h>
#include <string.h>

#define FUNCTION_MOST 60

struct given {
	const char *site, *cache;
	uint64_t req, alloc;
};

struct sites {
	GArray *site;	/* of struct site, number - 1 */
	uint32_t *slot; /* numbers, 2^bits of them */
	unsigned int bits;
	GHashTable *names; /* interned strings */
	GArray *given;	   /* of struct given */
};

struct sites *
sites_new(void)
{
	struct sites *sites = g_new0(struct sites, 1);

	sites->site = g_array_new(FALSE, TRUE, sizeof(struct site));
	sites->given = g_array_new(FALSE, FALSE, sizeof(struct given));
	sites->bits = 10;
	sites->slot = g_new0(uint32_t, 1UL << sites->bits);
	sites->names =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	return sites;
}

void
sites_free(struct sites *sites)
{
	if (!sites)
		return;
	g_array_free(sites->site, TRUE);
	g_array_free(sites->given, TRUE);
	g_free(sites->slot);
	g_hash_table_destroy(sites->names);
	g_free(sites);
}

const char *
sites_intern(struct sites *sites, const char *text, size_t len)
{
	char *copy = g_strndup(text, len);
	gpointer known = g_hash_table_lookup(sites->names, copy);

	if (known) {
		g_free(copy);
		return known;
	}
	g_hash_table_add(sites->names, copy);
	return copy;
}

struct site *
site_get(const struct sites *sites, uint32_t number)
{
	KM_DEBUG(number && number <= sites->site->len);
	return &g_array_index(sites->site, struct site, number - 1);
}

uint32_t
sites_count(const struct sites *sites)
{
	return sites->site->len;
}

static uint64_t
hash_text(const char *text, size_t len, uint64_t h)
{
	uint64_t word;

	for (; len >= sizeof(word); len -= sizeof(word)) {
		memcpy(&word, text, sizeof(word));
		h = (h ^ word) * 0x9e3779b97f4a7c15ULL;
		h ^= h >> 32;
		text += sizeof(word);
	}
	word = len;
	memcpy(&word, text, len);
	h = (h ^ word ^ len << 60) * 0x9e3779b97f4a7c15ULL;
	return h ^ h >> 29;
}

/* "f+0x1a/0x60" is "f+0x1a": the size says nothing. */
static size_t
site_text_len(const struct ftrace_event *e)
{
	const char *slash = memchr(e->site, '/', e->site_len);

	return slash ? (size_t)(slash - e->site) : e->site_len;
}

static uint64_t
site_key(const struct ftrace_event *e, size_t len)
{
	uint64_t sizes = 0, key;

	if (e->kind == FTRACE_CACHE_ALLOC || e->kind == FTRACE_CACHE_ALLOC_NODE)
		sizes = e->bytes_req << 32 | e->bytes_alloc;
	key = hash_text(e->site, len, sizes + (uint64_t)e->kind * 0x5bd1e995);
	/* A kernel that prints names may serve one site from several. */
	if (e->cache_len)
		key = hash_text(e->cache, e->cache_len, key);
	return key ? key : 1;
}

/* A name that symbols.h takes: letters, digits, _ and . only. */
static const char *
function_name(struct sites *sites, const char *text, size_t len)
{
	char name[FUNCTION_MOST + 1];
	size_t n = 0;

	if (len && g_ascii_isdigit(*text))
		name[n++] = '_';
	for (size_t i = 0; i < len && text[i] != '+' && n < FUNCTION_MOST;
	     i++, n++) {
		bool fits = g_ascii_isalnum(text[i]) || text[i] == '_' ||
			    (text[i] == '.' && n);

		name[n] = fits ? text[i] : '_';
	}
	if (!n)
		name[n++] = '_';
	return sites_intern(sites, name, n);
}

/* A cache's name as it may be here. */
static const char *
cache_name(struct sites *sites, const char *text, size_t len)
{
	char name[CACHE_NAME_MAX];
	size_t n = 0;

	for (; n < len && n < sizeof(name); n++)
		name[n] = g_ascii_isgraph(text[n]) && text[n] != '/' ? text[n]
								     : '_';
	if (n && (*name == ':' || *name == '.'))
		*name = '_';
	return sites_intern(sites, name, n);
}

static uint32_t *
seek(const struct sites *sites, uint64_t key)
{
	uint64_t mask = (1ULL << sites->bits) - 1, at = key & mask;

	while (sites->slot[at] && site_get(sites, sites->slot[at])->key != key)
		at = (at + 1) & mask;
	return &sites->slot[at];
}

static void
grow(struct sites *sites)
{
	g_free(sites->slot);
	sites->bits++;
	sites->slot = g_new0(uint32_t, 1UL << sites->bits);
	for (uint32_t n = 1; n <= sites->site->len; n++)
		*seek(sites, site_get(sites, n)->key) = n;
}

static uint32_t
add(struct sites *sites, const struct ftrace_event *e, uint64_t key, size_t len)
{
	struct site s = {
		.key = key,
		.bytes_req = (uint32_t)MIN_OF(e->bytes_req, UINT32_MAX),
		.bytes_alloc = (uint32_t)MIN_OF(e->bytes_alloc, UINT32_MAX),
		.event = (uint8_t)e->kind,
	};

	if (sites->site->len >= REPLAY_SITES_MAX - 1)
		return 0;
	s.text = sites_intern(sites, e->site, len);
	s.function = function_name(sites, e->site, len);
	if (e->cache_len) {
		s.cache = cache_name(sites, e->cache, e->cache_len);
		s.how = SITE_PRINTED;
		s.sure = true;
	}
	g_array_append_val(sites->site, s);
	if (sites->site->len * 2 > 1UL << sites->bits)
		grow(sites);
	else
		*seek(sites, key) = sites->site->len;
	return sites->site->len;
}

uint32_t
sites_find(struct sites *sites, const struct ftrace_event *e)
{
	size_t len = site_text_len(e);
	uint64_t key = site_key(e, len);
	uint32_t number = *seek(sites, key);

	if (!number)
		number = add(sites, e, key, len);
	if (number)
		site_get(sites, number)->events++;
	return number;
}

static bool
given_fits(const struct given *g, const struct site *s)
{
	return !strcmp(g->site, s->text) &&
	       (!g->req || g->req == s->bytes_req) &&
	       (!g->alloc || g->alloc == s->bytes_alloc);
}

const char *
sites_given(const struct sites *sites, const struct site *s)
{
	for (guint i = sites->given->len; i > 0; i--) {
		const struct given *g =
			&g_array_index(sites->given, struct given, i - 1);

		if (given_fits(g, s))
			return g->cache;
	}
	return NULL;
}

/* Put it into the list, in place of one for the same. */
static bool
given_add(struct sites *sites, const struct given *g)
{
	for (guint i = 0; i < sites->given->len; i++) {
		struct given *old =
			&g_array_index(sites->given, struct given, i);

		if (old->site == g->site && old->req == g->req &&
		    old->alloc == g->alloc) {
			*old = *g;
			return true;
		}
	}
	if (sites->given->len >= REPLAY_SITES_MAX)
		return false;
	g_array_append_vals(sites->given, g, 1);
	return true;
}

bool
sites_give(struct sites *sites, const char *site, const char *cache,
	   uint64_t req, uint64_t alloc)
{
	const char *slash = strchr(site, '/');
	struct given g = {
		.site = sites_intern(sites, site,
				     slash ? (size_t)(slash - site)
					   : strlen(site)),
		.cache = sites_intern(sites, cache, strlen(cache)),
		.req = req,
		.alloc = alloc,
	};

	if (!given_add(sites, &g))
		return false;
	for (uint32_t n = 1; n <= sites->site->len; n++) {
		struct site *s = site_get(sites, n);

		if (!given_fits(&g, s) || s->how == SITE_PRINTED ||
		    (s->event != FTRACE_CACHE_ALLOC &&
		     s->event != FTRACE_CACHE_ALLOC_NODE))
			continue;
		s->cache = g.cache;
		s->how = SITE_GIVEN;
		s->sure = true;
	}
	return true;
}
