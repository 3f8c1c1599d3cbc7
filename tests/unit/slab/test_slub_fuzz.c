// SPDX-License-Identifier: MIT
/*
 * test_slub_fuzz.c - SLUB over RAM whose bytes are anything
 *
 * Random bytes over slabs of debugged and other caches, then whatever can be
 * asked of them, right or wrong.  What is asserted is that the model lives: it
 * is the sanitizers' test.
 */
#include "slabbed.h"

#include "kmemfs/slab/kmalloc.h"

#include <errno.h>

Suite *suite_slub_fuzz(void);

#define ROUNDS 12
#define STEPS 400
#define CACHES 6
#define KEPT 64
#define BULK 5

struct fuzz {
	struct slabbed *t;
	struct kmem_cache *s[CACHES];
	va_t kept[KEPT]; /* addresses of objects, some of them stale */
	uint64_t state;
	enum slab_allocator allocator;
};

static uint64_t
rnd(struct fuzz *f, uint64_t below)
{
	f->state = f->state * 6364136223846793005 + 1442695040888963407;
	return (f->state >> 24) % below;
}

static void
make_cache(struct fuzz *f, unsigned int i)
{
	static const slab_flags_t bits[] = {
		SLAB_CONSISTENCY_CHECKS,
		SLAB_RED_ZONE,
		SLAB_POISON,
		SLAB_STORE_USER,
		SLAB_TYPESAFE_BY_RCU,
		SLAB_HWCACHE_ALIGN,
		SLAB_TRACE,
	};
	static const uint64_t sizes[] = {1,   8,   24,	 64,  100,
					 256, 700, 4096, 9000};
	char name[8] = "cache0";
	slab_flags_t flags = 0;
	struct kmem_cache_args args = {
		.name = name, .allocator = f->allocator, .who = &f->t->who};
	struct refusal why = {0};

	for (size_t b = 0; b < ARRAY_SIZE(bits); b++)
		if (!rnd(f, b < 4 ? 2 : 6))
			flags |= bits[b];
	name[5] = (char)('0' + i);
	args.flags = flags;
	args.size = args.usersize = sizes[rnd(f, ARRAY_SIZE(sizes))];
	/* Now and then of another allocator than the machine's. */
	if (!rnd(f, 8))
		args.allocator =
			(enum slab_allocator)rnd(f, NR_SLAB_ALLOCATORS);
	/* Its descriptor may be what the kernel crashes on. */
	if (kmem_cache_create(f->t->sc, &args, &f->s[i], &why))
		f->s[i] = f->t->sc->kmem_cache;
}

/* An address: an object that was given out, one of a slab, or near one. */
static va_t
some_address(struct fuzz *f)
{
	va_t at = f->kept[rnd(f, KEPT)];

	if (!rnd(f, 6))
		at += rnd(f, 600) - 300;
	if (!rnd(f, 200))
		at = f->t->b->phys->arch->page_offset + rnd(f, 80 << 20);
	return at;
}

/* Some bytes of a slab, or of an object's surroundings, become anything. */
static void
scribble(struct fuzz *f)
{
	const struct slab_common *sc = f->t->sc;
	const struct slab *slab =
		slab_get(sc, (uint32_t)rnd(f, sc->nr_slabs + 1));
	uint64_t page = page_size(sc->phys), bytes;
	uint8_t byte[64];
	pa_t pa;

	if (!slab)
		return;
	bytes = page << slab->order;
	pa = slab->pfn * page + rnd(f, bytes);
	if (!rnd(f, 2)) {
		/* A word that looks like a pointer. */
		va_t next = slab_object(slab, (uint32_t)rnd(f, slab->objects));

		if (!rnd(f, 3))
			next = some_address(f);
		pa = slab->pfn * page +
		     (slab_object(slab, (uint32_t)rnd(f, slab->objects)) +
		      slab->cache->offset - sc->phys->arch->page_offset) %
			     bytes;
		ram_store(sc->ram, pa, sc->word, next);
		return;
	}
	for (size_t i = 0; i < sizeof(byte); i++)
		byte[i] = (uint8_t)rnd(f, 256);
	ram_write(sc->ram, pa, byte, 1 + rnd(f, sizeof(byte)));
}

static void
some_alloc(struct fuzz *f, struct kmem_cache *s)
{
	struct slab_request r = on_cpu(f->t, (unsigned int)rnd(f, 2));
	va_t objects[BULK], object;
	int err;

	r.bytes = (uint32_t)rnd(f, s->object_size + 1UL);
	if (!rnd(f, 4))
		r.gfp |= __GFP_ZERO;
	if (!rnd(f, 8)) {
		err = kmem_cache_alloc_bulk(s, &r, BULK, objects);
		object = objects[rnd(f, BULK)];
	} else if (!rnd(f, 4)) {
		err = kmalloc(f->t->sc, rnd(f, 2000) + 1, &r, &object);
	} else {
		err = kmem_cache_alloc(s, &r, &object);
	}
	if (!err)
		f->kept[rnd(f, KEPT)] = object;
}

static void
some_free(struct fuzz *f, struct kmem_cache *s)
{
	struct slab_request r = on_cpu(f->t, (unsigned int)rnd(f, 2));
	va_t at = some_address(f), objects[BULK];
	const struct slab *slab = slab_of(f->t->sc, at);

	if (!slab)
		return;
	if (!rnd(f, 10)) {
		for (unsigned int i = 0; i < BULK; i++)
			objects[i] = some_address(f);
		kmem_cache_free_bulk(s, &r, BULK, objects);
	} else if (!rnd(f, 3)) {
		kfree(f->t->sc, at, &r);
	} else {
		kmem_cache_free(rnd(f, 10) ? slab->cache : s, at, &r);
	}
}

static void
drop(void *user, uint64_t v)
{
	*(uint64_t *)user ^= v;
}

static void
some_look(struct fuzz *f)
{
	const struct slab_common *sc = f->t->sc;
	const struct slab *slab =
		slab_get(sc, (uint32_t)rnd(f, sc->nr_slabs + 1));
	uint64_t sum = 0;
	const struct kmem_cache *s = f->s[rnd(f, CACHES)];
	struct out out = OUT_INIT;
	uint8_t *state;

	findings(f->t, NULL);
	if (slab_has_traces(s))
		slab_print_traces(s, rnd(f, 2), &out);
	out_fini(&out);
	slab_digest(sc, &(struct number_stream){drop, &sum});
	if (!slab)
		return;
	state = g_malloc(slab->objects + 1UL);
	slab_states(slab, state);
	g_free(state);
}

static void
some_destroy(struct fuzz *f, unsigned int i)
{
	char *name = g_strdup(f->s[i]->name);

	if (!kmem_cache_destroy(f->s[i], name, &f->t->who))
		make_cache(f, i);
	g_free(name);
}

static void
step(struct fuzz *f)
{
	unsigned int i = (unsigned int)rnd(f, CACHES);
	struct kmem_cache *s = f->s[i];

	switch (rnd(f, 16)) {
	case 0 ... 5:
		some_alloc(f, s);
		break;
	case 6 ... 9:
		some_free(f, s);
		break;
	case 10 ... 12:
		scribble(f);
		break;
	case 13:
		s->ops->validate(s);
		break;
	case 14:
		if (rnd(f, 4))
			some_look(f);
		else
			kmem_cache_shrink(s);
		break;
	default:
		if (!rnd(f, 4))
			some_destroy(f, i);
		f->t->b->now += rnd(f, rnd(f, 9) ? 9000000 : 9000000000);
		slab_tick(f->t->sc);
	}
	g_string_truncate(f->t->b->log, 0);
}

START_TEST(nothing_in_ram_can_end_the_model)
{
	struct fuzz f = {.state = (uint64_t)_i * 7919 + 1,
			 .allocator = (enum slab_allocator)(_i / ROUNDS)};
	struct slabbed_kind kind = {
		.arch = _i % 4 == 3 ? "i386" : "x86-64",
 /* As many rounds for the classic one, and for SLOB. */
		.config = {.allocator = (enum slab_allocator)(_i / ROUNDS),
			   .hardened = _i % 3 == 1,
			   .random = _i % 2 == 1,
			   .orig_size = _i % 3 == 2,
			   .kernel = _i % 3 == 2 ? SLAB_KERNEL(6, 12) : 0,
			   .cmdline = _i % 2 ? "slub_debug=FZPU" : ""}
	      };

	f.t = slabbed_new(&kind);
	for (unsigned int i = 0; i < CACHES; i++)
		make_cache(&f, i);
	for (unsigned int i = 0; i < STEPS; i++)
		step(&f);
	ck_assert_uint_gt(f.t->sc->errors + f.t->sc->oopses, 0);
	slabbed_free(f.t);
}
END_TEST

Suite *
suite_slub_fuzz(void)
{
	Suite *suite = suite_create("slub_fuzz");
	TCase *tc = tcase_create("fuzz");

	tcase_set_timeout(tc, 0);
	tcase_add_loop_test(tc, nothing_in_ram_can_end_the_model, 0,
			    NR_SLAB_ALLOCATORS * ROUNDS);
	suite_add_tcase(suite, tc);
	return suite;
}
