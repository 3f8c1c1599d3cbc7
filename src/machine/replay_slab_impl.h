// SPDX-License-Identifier: MIT
/* replay_slab_impl.h - what the parts of the replay of slab events share */
#ifndef KMEMFS_MACHINE_REPLAY_SLAB_IMPL_H
#define KMEMFS_MACHINE_REPLAY_SLAB_IMPL_H

#include "replay_impl.h"

/* --- replay_objects.c: recorded objects ------------------------------------
 */

struct replay_object {
	uint64_t ptr;  /* recorded */
	pa_t pa;       /* of ours */
	uint32_t site; /* that allocated it, 0: not known */
};

/* Physical addresses of objects lie below this. */
#define REPLAY_PA_MAX (1ULL << 48)
#define REPLAY_SITES_MAX 65536

struct object_map;

struct object_map *object_map_new(void);
void object_map_free(struct object_map *map);
/* Add one; @ptr is not 0 and not there yet, @pa is below REPLAY_PA_MAX. */
void object_map_add(struct object_map *map, uint64_t ptr, pa_t pa,
		    uint32_t site);
/* The object that stands for @ptr; false: none.  And forget it. */
bool object_map_find(const struct object_map *map, uint64_t ptr,
		     struct replay_object *object);
bool object_map_take(struct object_map *map, uint64_t ptr,
		     struct replay_object *object);
uint64_t object_map_count(const struct object_map *map);
/* A sum over all that does not depend on their order, nor on the sites. */
uint64_t object_map_fingerprint(const struct object_map *map);
/* All by recorded address, *@nr of them, to be freed with g_free. */
struct replay_object *object_map_list(const struct object_map *map,
				      uint64_t *nr);

/* --- replay_sites.c: call sites, and the caches that they take from ---------
 */

/* How a site's cache is known. */
#define REPLAY_HOW(H)                                                          \
	H(PRINTED, "printed")                                                  \
	H(GIVEN, "given")                                                      \
	H(LEARNT, "learnt")                                                    \
	H(SIZES, "sizes")                                                      \
	H(MADE, "made")

enum site_how {
#define HOW_ENUM(id, word) SITE_##id,
	REPLAY_HOW(HOW_ENUM)
#undef HOW_ENUM
		NR_SITE_HOWS
};

struct site {
	uint64_t key;
	const char *text;     /* as it was recorded, all strings are interned */
	const char *function; /* its name, as one of symbols.h */
	va_t address;	      /* of the function here, 0: not asked for yet */
	const char *cache;    /* kmem_cache_alloc: NULL, not known */
	uint32_t bytes_req, bytes_alloc;
	uint8_t event; /* enum ftrace_kind */
	uint8_t how;   /* enum site_how */
	bool sure;     /* its cache was printed, given, or named by a free */
	uint64_t events;
	uint32_t shadow; /* mirror: number of the cache shadowed, 0 */
};

struct sites;

struct sites *sites_new(void);
void sites_free(struct sites *sites);
/* The site of slab event @e, its number from 1; 0 when there are too many. */
uint32_t sites_find(struct sites *sites, const struct ftrace_event *e);
/* By number, not 0; valid until the next sites_find(). */
struct site *site_get(const struct sites *sites, uint32_t number);
uint32_t sites_count(const struct sites *sites);
/* A copy of a name that lives as long as @sites, one for equal ones. */
const char *sites_intern(struct sites *sites, const char *text, size_t len);
/* Say which cache an allocating site takes from: bytes of 0 mean all.  False:
 * too many are known. */
bool sites_give(struct sites *sites, const char *site, const char *cache,
		uint64_t req, uint64_t alloc);
/* What was given for site @s; NULL. */
const char *sites_given(const struct sites *sites, const struct site *s);

/* --- replay_slab.c: slab events become ops ----------------------------------
 */

/* What the recording did with a cache of ours. */
struct cache_usage {
	uint64_t allocated, freed; /* in this replay */
	uint64_t live;
};

struct slab_waiting;
struct slab_shadow;

struct replay_slab {
	struct object_map *objects; /* state: made by ops alone */
	GHashTable *pooled; /* state: those on SLOB's pages that came from a
			       cache, by our address: its id */
	GArray *usage;	    /* of struct cache_usage, by id of our caches; 0: of
			       memory that has pages of its own */
	struct sites *sites;
	int64_t unsure; /* sites whose cache a free may correct; those that
			   were told later count on */
	uint32_t hand;	/* site of the op that is being made, 0 */
	struct slab_waiting *waiting; /* [cpu] */
	unsigned int nr_waiting;
	uint64_t direct_map; /* where the recorded kernel had it */
	uint64_t candidate;  /* another start, and how many blocks in a row */
	unsigned int votes;  /* spoke for it */
	struct replay_map *pages;   /* recorded blocks that are slabs' */
	struct slab_shadow *shadow; /* mirror; NULL until needed */
	const struct op_desc *op[NR_FTRACE_EVENTS], *make;
};

/* The replay's part for slabs, made at first use. */
struct replay_slab *replay_slab_of(struct machine *m);
/* A sum over all objects that stand for recorded ones. */
uint64_t replay_slab_fingerprint(const struct replay_slab *slab);
void replay_slab_free(struct replay_slab *slab);
/*
 * Look at a line that is an event.  Returns true when nothing else is to be
 * done with it; *@err is then what replay_line() returns.
 */
bool replay_slab_line(struct machine *m, const struct ftrace_event *e,
		      uint64_t at, struct refusal *r, int *err);
/* Do all that waits: the replay ends. */
void replay_slab_flush(struct machine *m);
/* A new replay: counts begin anew, objects stay. */
void replay_slab_begin(struct replay *replay);
struct cache_usage *replay_slab_usage(struct replay_slab *slab, uint32_t id);
/* Free all objects that stand for recorded ones; how many. */
uint64_t replay_slab_release(struct step *s);

/* --- replay_slab_pages.c: blocks that the recorded slabs took ----------------
 */

/* One for each CPU, to be freed with g_free. */
struct slab_waiting *slab_waiting_new(unsigned int nr_cpus);
/* Look at an event of pages or objects under policy model.  True: it is a
 * slab's, or has to wait, and nothing is to be done now. */
bool slab_page_event(struct machine *m, const struct ftrace_event *e,
		     uint64_t at);
/* Blocks that wait are no slabs'. */
void slab_pages_flush(struct machine *m);
/* Whether a recorded pointer is an address, and no hash; the frame that it is
 * in, where the recorded kernel's direct map is known to be. */
bool replay_ptr_is_raw(const struct machine *m, uint64_t ptr);
pfn_t replay_ptr_pfn(const struct machine *m, uint64_t ptr);

/* --- replay_shadow.c: which object comes next, under mirror ------------------
 */

void shadow_free(struct slab_shadow *shadow);
/* A slab event, or one of pages, of a recording that is mirrored; @site is that
 * of slab events. */
void shadow_event(struct machine *m, const struct ftrace_event *e, uint64_t at,
		  uint32_t site);
/* No object of the recording lives any more. */
void shadow_release(struct slab_shadow *shadow);
uint64_t shadow_live(const struct slab_shadow *shadow);
void shadow_print(const struct slab_shadow *shadow, struct out *out);

#endif
