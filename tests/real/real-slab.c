// SPDX-License-Identifier: MIT
/*
 * real-slab.c - boots a machine file and tells what its caches are like
 *
 *   real-slab MACHINE.ini
 *
 * reads commands, one a line, and answers each with one line: what
 * slab-geometry compares with a real kernel's /sys/kernel/slab.
 *
 *   plan NAME SIZE ALIGN FLAGS USERSIZE CTOR FREEPTR
 *                a cache as it would be made, but on its own: nothing is made
 *   create ...   the same, made, or merged with another
 *   show NAME    a cache that is there
 *
 * FLAGS are those of slab_flags.def; CTOR and FREEPTR (the free pointer stays
 * in the object) are 0 or 1.  The answer is keys and values, or "error" and a
 * sentence.
 */
#include "kmemfs/machine/machine.h"

#include "../../src/slab/common_impl.h"
#include "../../src/slab/slub_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct slab_common *sc;

static void
tell(const struct kmem_cache *s)
{
	char buf[32];

	printf("dir %s object_size %u slab_size %u align %u objs_per_slab %u "
	       "order %u min_partial %u cpu_partial %u names %d flags %u\n",
	       kmem_cache_dir(s, buf), s->object_size, s->size, s->align,
	       s->objects, s->order, s->min_partial, s->cpu_partial,
	       s->refcount, s->flags);
}

static bool
read_args(char **words, struct kmem_cache_args *args)
{
	size_t bad;

	*args = (struct kmem_cache_args){.name = words[1]};
	if (g_strv_length(words) != 8 ||
	    !slab_flags_parse(words[4], &args->flags, &bad))
		return false;
	args->size = strtoull(words[2], NULL, 0);
	args->align = strtoull(words[3], NULL, 0);
	args->usersize = strtoull(words[5], NULL, 0);
	args->ctor = *words[6] == '1' ? slab_ctor_nth(0) : NULL;
	args->use_freeptr_offset = *words[7] == '1';
	return true;
}

static void
plan(const struct kmem_cache_args *args)
{
	struct kmem_cache s = {
		.common = sc,
		.ops = &slub_ops,
		.name = g_strdup(args->name),
		.refcount = 1,
		.object_size = (uint32_t)args->size,
		.usersize = (uint32_t)args->usersize,
		.ctor = args->ctor,
		.use_freeptr_offset = args->use_freeptr_offset,
	};

	s.align = slab_alignment(sc, args->flags, args->align, args->size);
	s.flags = slab_debug_flags(sc, args->flags, args->name);
	if (slub_calculate_sizes(&s))
		printf("error no slab holds it\n");
	else
		tell(&s);
	g_free(s.name);
}

static void
create(struct kmem_cache_args *args)
{
	const struct slab_request who = {
		.nid = NODE_LOCAL,
		.pid = 1,
		.caller = symbols_address(sc->symbols, "kernel_init"),
	};
	struct kmem_cache *s;
	struct refusal why = {0};

	args->who = &who;
	if (kmem_cache_create(sc, args, &s, &why))
		printf("error %s\n", why.sentence);
	else
		tell(s);
}

static void
answer(char **words)
{
	const struct kmem_cache *s;
	struct kmem_cache_args args;

	if (words[0] && words[1] && !strcmp(words[0], "show")) {
		s = kmem_cache_find(sc, words[1]);
		if (s)
			tell(s);
		else
			printf("error no such cache\n");
	} else if (!words[0] || !words[1] || !read_args(words, &args)) {
		printf("error not a command\n");
	} else if (!strcmp(words[0], "plan")) {
		plan(&args);
	} else {
		create(&args);
	}
}

int
main(int argc, char **argv)
{
	char *error = NULL, *line = NULL;
	struct machine_config *config;
	struct machine *m;
	size_t size = 0;

	config = argc == 2 ? config_load(argv[1], &error) : NULL;
	m = config ? machine_boot(config, NULL, &error) : NULL;
	if (!m) {
		fprintf(stderr, "%s\n",
			error ? error : "usage: real-slab MACHINE.ini");
		return EXIT_FAILURE;
	}
	sc = m->slab;
	while (getline(&line, &size, stdin) > 0) {
		char **words = g_strsplit(g_strchomp(line), " ", -1);

		answer(words);
		fflush(stdout);
		g_strfreev(words);
	}
	free(line);
	machine_free(m);
	return EXIT_SUCCESS;
}
