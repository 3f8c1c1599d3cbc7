// SPDX-License-Identifier: MIT
/*
 * slab_cmdline.c - the kernel's arguments about slabs
 *
 * What it models: the __setup() handlers of mm/slub.c and mm/slab_common.c of
 *                 6.1.192: slub_debug, slub_min_order, slub_max_order,
 *                 slub_min_objects, slab_nomerge, slab_merge, slub_nomerge,
 *                 slub_merge; parse_slub_debug_flags and kmem_cache_flags.
 * How it works:   slub_debug=[flags][,name...][;...] is blocks.  A block
 *                 without names is for all caches.  Blocks with names are kept
 *                 as text; the first that has a cache's name decides for it.
 *                 A name may end in *, and what stands behind that is ignored.
 * Differs from the kernel: what it cannot make sense of is told in the log and
 *                 ignored: an order that would stop its boot, a number that is
 *                 none.
 */
#include "common_impl.h"
#include "slub_impl.h"

#include "kmemfs/base/kernel_args.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define DEBUG_DEFAULT                                                          \
	(SLAB_CONSISTENCY_CHECKS | SLAB_RED_ZONE | SLAB_POISON |               \
	 SLAB_STORE_USER)

/* From 6.9 on slub_ may be written slab_ too. */
#define KERNEL_SLAB_PREFIX SLAB_KERNEL(6, 9)
/* From 6.7 on a least order above the largest raises that. */
#define KERNEL_MIN_RAISES_MAX SLAB_KERNEL(6, 7)

/* --- slub_debug ---------------------------------------------------------- */

static const struct {
	char letter;
	slab_flags_t flag; /* 0: see below */
} debug_letters[] = {
	{'f', SLAB_CONSISTENCY_CHECKS},
	{'z', SLAB_RED_ZONE	   },
	{'p', SLAB_POISON		 },
	{'u', SLAB_STORE_USER	     },
	{'t', SLAB_TRACE		},
	{'a', SLAB_FAILSLAB	   },
	{'o', 0		      }, /* nothing that needs a larger slab */
	{'-', 0		      }, /* forget the letters before */
};

/* One block of slub_debug=. */
struct block {
	slab_flags_t flags;
	const char *names; /* up to a ; or the end; NULL: for all caches */
	const char *next;  /* NULL: it is the last */
	bool no_higher_order;
};

/* @log: who is told of a letter that means nothing; NULL: nobody. */
static void
block_letter(struct block *b, char letter, const struct slab_common *log)
{
	char lower = (char)tolower((unsigned char)letter);

	for (size_t i = 0; i < ARRAY_SIZE(debug_letters); i++) {
		if (debug_letters[i].letter != lower)
			continue;
		if (lower == '-')
			b->flags = 0;
		b->flags |= debug_letters[i].flag;
		b->no_higher_order |= lower == 'o';
		return;
	}
	if (log)
		slab_printk(log, "slub_debug option '%c' unknown. skipped",
			    letter);
}

static struct block
block_read(const char *at, const struct slab_common *log)
{
	struct block b = {0};

	at += strspn(at, ";");
	if (*at == ',')
		b.flags = DEBUG_DEFAULT;
	else
		for (; *at && *at != ',' && *at != ';'; at++)
			block_letter(&b, *at, log);
	if (*at == ',')
		b.names = at + 1;
	at += strcspn(at, ";");
	at += strspn(at, ";");
	b.next = *at ? at : NULL;
	return b;
}

/*
 * Whether @b's list has @name.  A list ends one character before the next
 * block, as in the kernel: of several ; all but the last belong to its last
 * name, and so do those at the text's end.
 */
static bool
names_match(const struct block *b, const char *name)
{
	for (const char *at = b->names; *at;) {
		const char *end = at + strcspn(at, ",");
		const char *star;
		size_t len;

		if (b->next && b->next < end)
			end = b->next - 1;
		len = (size_t)(end - at);
		star = memchr(at, '*', len);
		if (star ? !strncmp(name, at, (size_t)(star - at))
			 : strlen(name) == len && !memcmp(name, at, len))
			return true;
		if (*end != ',')
			return false;
		at = end + 1;
	}
	return false;
}

slab_flags_t
slab_debug_flags(const struct slab_common *sc, slab_flags_t flags,
		 const char *name)
{
	slab_flags_t global = sc->slub_debug;

	if (flags & SLAB_NO_USER_FLAGS)
		return flags;
	/* Caches of debugging tools would report about themselves for ever. */
	if (flags & SLAB_NOLEAKTRACE)
		global &= ~(slab_flags_t)SLAB_STORE_USER;
	for (const char *at = sc->slub_debug_string; at;) {
		struct block b = block_read(at, NULL);

		if (b.names && names_match(&b, name))
			return flags | b.flags;
		at = b.next;
	}
	return flags | global;
}

/* @value: what stands behind the key, with its '='. */
static void
arg_debug(struct slab_common *sc, const char *value)
{
	bool some = false, all = false;
	slab_flags_t global = DEBUG_DEFAULT;

	if (*value == '=' && value[1]) {
		for (const char *at = value + 1; at;) {
			struct block b = block_read(at, sc);

			sc->no_higher_order_debug |= b.no_higher_order;
			some |= b.names != NULL;
			if (!b.names) {
				global = b.flags;
				all = true;
			}
			at = b.next;
		}
		/* With names alone, the other caches stay as they are. */
		if (some && !all)
			global = sc->slub_debug;
		if (some) {
			g_free(sc->slub_debug_string);
			sc->slub_debug_string = g_strdup(value + 1);
		}
	}
	sc->slub_debug = global;
}

/* --- numbers and switches ------------------------------------------------ */

static bool
arg_number(struct slab_common *sc, const char *key, const char *value,
	   unsigned int *to)
{
	char *end;
	long v;

	if (*value != '=')
		return false;
	v = strtol(value + 1, &end, 0);
	if (end == value + 1 || v < 0 || v > INT32_MAX) {
		slab_printk(sc, "%s%s: not a number, ignored", key, value);
		return false;
	}
	*to = (unsigned int)v;
	return true;
}

static void
arg_min_order(struct slab_common *sc, const char *value)
{
	unsigned int order;

	if (!arg_number(sc, "slub_min_order", value, &order))
		return;
	if (order >= MAX_ORDER) {
		slab_printk(sc,
			    "slub_min_order=%u: there is no such order, "
			    "ignored",
			    order);
		return;
	}
	sc->slub_min_order = order;
	if (slab_kernel_from(sc, KERNEL_MIN_RAISES_MAX))
		sc->slub_max_order = MAX_OF(sc->slub_max_order, order);
}

static void
arg_max_order(struct slab_common *sc, const char *value)
{
	unsigned int order;

	if (!arg_number(sc, "slub_max_order", value, &order))
		return;
	sc->slub_max_order = MIN_OF(order, MAX_ORDER - 1);
	if (slab_kernel_from(sc, KERNEL_MIN_RAISES_MAX))
		sc->slub_min_order =
			MIN_OF(sc->slub_min_order, sc->slub_max_order);
}

static void
arg_min_objects(struct slab_common *sc, const char *value)
{
	arg_number(sc, "slub_min_objects", value, &sc->slub_min_objects);
}

static void
arg_nomerge(struct slab_common *sc, const char *value)
{
	(void)value;
	sc->nomerge = true;
}

static void
arg_merge(struct slab_common *sc, const char *value)
{
	(void)value;
	sc->nomerge = false;
}

/* As in the kernel a key need only begin the word; what follows is the
 * handler's business. */
static const struct {
	const char *key;
	void (*take)(struct slab_common *sc, const char *value);
	unsigned int from; /* kernels that know it */
} args[] = {
	{"slub_debug",       arg_debug,	  0		   },
	{"slub_min_order",   arg_min_order,	  0		   },
	{"slub_max_order",   arg_max_order,	  0		   },
	{"slub_min_objects", arg_min_objects, 0		       },
	{"slub_nomerge",	 arg_nomerge,     0		       },
	{"slub_merge",       arg_merge,	  0		   },
	{"slab_nomerge",	 arg_nomerge,     0		       },
	{"slab_merge",       arg_merge,	  0		   },
	{"slab_debug",       arg_debug,	  KERNEL_SLAB_PREFIX},
	{"slab_min_order",   arg_min_order,	  KERNEL_SLAB_PREFIX},
	{"slab_max_order",   arg_max_order,	  KERNEL_SLAB_PREFIX},
	{"slab_min_objects", arg_min_objects, KERNEL_SLAB_PREFIX},
};

static void
take_word(struct slab_common *sc, const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(args); i++) {
		const char *value = kernel_args_behind(word, args[i].key);

		if (!value || !slab_kernel_from(sc, args[i].from))
			continue;
		args[i].take(sc, value);
		return;
	}
}

void
slab_cmdline_read(struct slab_common *sc)
{
	const char *at = sc->config.cmdline ? sc->config.cmdline : "", *start;
	char *word;

	while ((word = kernel_args_next(&at, &start))) {
		take_word(sc, word);
		g_free(word);
	}
}
