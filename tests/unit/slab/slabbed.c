// SPDX-License-Identifier: MIT
/* slabbed.c - a booted machine with slabs, small enough to see through */
#include "slabbed.h"

#include "common.h"

struct slabbed *
slabbed_new(const struct slabbed_kind *kind)
{
	struct slabbed *t = g_new0(struct slabbed, 1);
	char *text = g_strdup_printf(
		"[machine]\narch = %s\nmemory = %s\nnodes = %u\ncpus = %u\n",
		kind->arch ? kind->arch : "x86-64",
		kind->memory ? kind->memory : "64M",
		kind->nodes ? kind->nodes : 1, kind->cpus ? kind->cpus : 2);

	t->b = boot_text(text);
	g_free(text);
	t->ram = ram_new(t->b->phys->max_pfn << t->b->phys->page_shift,
			 kind->ram_limit ? kind->ram_limit : UINT64_MAX);
	t->symbols = symbols_new(0xffffffff81000000, 64);
	t->sc = slab_boot(&kind->config, t->b->phys, t->ram, t->symbols);
	t->who = (struct slab_request){
		.gfp = GFP_KERNEL,
		.nid = NODE_LOCAL,
		.caller = symbols_address(t->symbols, "test"),
	};
	return t;
}

void
slabbed_free(struct slabbed *t)
{
	slab_common_free(t->sc);
	symbols_free(t->symbols);
	ram_free(t->ram);
	booted_free(t->b);
	g_free(t);
}

struct kmem_cache *
slabbed_cache(struct slabbed *t, const char *name, uint64_t size,
	      slab_flags_t flags)
{
	const struct kmem_cache_args args = {
		.name = name,
		.size = size,
		.flags = flags,
		.usersize = size, /* a usercopy window: never merged */
		.allocator = t->sc->config.allocator,
		.who = &t->who,
	};
	struct refusal why = {0};
	struct kmem_cache *s = NULL;
	int err = kmem_cache_create(t->sc, &args, &s, &why);

	ck_assert_msg(!err, "%d %s", err, why.sentence);
	return s;
}

struct slab_request
on_cpu(const struct slabbed *t, unsigned int cpu)
{
	struct slab_request r = t->who;

	r.cpu = cpu;
	return r;
}

struct slab_request
on_node(const struct slabbed *t, int nid)
{
	struct slab_request r = t->who;

	r.nid = nid;
	return r;
}

va_t
take(struct slabbed *t, struct kmem_cache *s, unsigned int cpu)
{
	struct slab_request r = on_cpu(t, cpu);
	va_t object = 0;
	int err = kmem_cache_alloc(s, &r, &object);

	ck_assert_msg(!err, "%d\n%s", err, t->b->log->str);
	return object;
}

void
give(struct slabbed *t, struct kmem_cache *s, unsigned int cpu, va_t object)
{
	struct slab_request r = on_cpu(t, cpu);

	ck_assert_int_eq(kmem_cache_free(s, object, &r), 0);
}

uint64_t
word_at(const struct slabbed *t, va_t at)
{
	return ram_load(t->ram, at - t->b->phys->arch->page_offset,
			t->sc->word);
}

void
set_word(struct slabbed *t, va_t at, uint64_t value)
{
	ram_store(t->ram, at - t->b->phys->arch->page_offset, t->sc->word,
		  value);
}

static void
add_law(void *laws, const char *law, const char *finding)
{
	if (laws)
		g_string_append_printf(laws, "%s: %s\n", law, finding);
}

unsigned int
findings(const struct slabbed *t, GString *laws)
{
	return slab_verify(t->sc, add_law, laws) +
	       phys_verify(t->b->phys, add_law, laws);
}

uint64_t
free_pages(const struct slabbed *t)
{
	return unused_pages(t->b->phys);
}

unsigned int
fill(struct slabbed *t, struct kmem_cache *s, unsigned int cpu, unsigned int nr,
     va_t *o)
{
	unsigned int total = nr * s->objects;

	ck_assert_uint_le(total, OBJECTS_MOST);
	for (unsigned int i = 0; i < total; i++)
		o[i] = take(t, s, cpu);
	return total;
}

void
assert_slabs_lawful(const struct slabbed *t)
{
	GString *laws = g_string_new(NULL);

	ck_assert_msg(!findings(t, laws), "%s", laws->str);
	g_string_free(laws, TRUE);
}
