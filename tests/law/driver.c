// SPDX-License-Identifier: MIT
/* driver.c - runs of random steps: from few to many, on all machines, twice */
#include "driver.h"

#include "args.h"
#include "common.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

uint64_t
law_below(struct law_run *l, uint64_t limit)
{
	return random_next(&l->random) % limit;
}

void
law_fail(struct law_run *l, const char *format, ...)
{
	va_list ap;

	if (!l->failed)
		printf("FAILED --seed %" PRIu64 " --machine %s, step %u\n",
		       l->seed, l->machine, l->step);
	l->failed = true;
	printf("  ");
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	putchar('\n');
}

void
law_say(const struct law_run *l, const char *format, ...)
{
	va_list ap;

	if (!l->show)
		return;
	printf("%6u ", l->step);
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	putchar('\n');
}

void
law_found(void *user, const char *law, const char *finding)
{
	law_fail(user, "%s: %s", law, finding);
}

struct machine_config *
law_config(const char *ini)
{
	char *text = g_strdup_printf("[machine]\n%s", ini), *error = NULL;
	struct machine_config *config = config_read(text, "law", &error);

	if (!config)
		printf("%s\n", error);
	g_free(error);
	g_free(text);
	return config;
}

void
law_take_step(struct law_run *l, struct run *r, const struct law_step *steps,
	      size_t nr)
{
	unsigned int total = 0;
	uint64_t pick;

	for (size_t i = 0; i < nr; i++)
		total += steps[i].weight;
	pick = law_below(l, total);
	for (; pick >= steps->weight; steps++)
		pick -= steps->weight;
	steps->do_it(r);
}

static bool
run_twice(const struct law_test *test, size_t i, uint64_t seed,
	  unsigned int ops, bool show)
{
	struct law_run start = {
		.machine = test->machine(i), .seed = seed, .random = seed};
	uint64_t digest[2] = {0};

	for (int second = 0; second < 2; second++) {
		start.show = show && !second;
		if (!test->run(i, &start, ops, second, &digest[second]))
			return false;
	}
	if (digest[0] != digest[1])
		printf("FAILED --seed %" PRIu64 " --machine %s: %s\n", seed,
		       start.machine, test->differ);
	return digest[0] == digest[1];
}

/* All seeds and machines up to the first failure: how many passed. */
static unsigned int
run_all(const struct law_test *test, const struct law_args *args,
	unsigned int ops, bool *failed)
{
	unsigned int passed = 0;
	uint64_t seeds = args->seeded ? 1 : test->seeds;

	for (uint64_t n = 0; n < seeds; n++)
		for (size_t i = 0; i < test->nr_machines; i++) {
			if (!law_args_want(args, test->machine(i)))
				continue;
			*failed = !run_twice(test, i, args->seed + n, ops,
					     args->trace);
			if (*failed)
				return passed;
			passed++;
		}
	return passed;
}

int
law_main(int argc, char **argv, const struct law_test *test)
{
	struct law_args args;
	unsigned int passed = 0;
	bool failed = false;

	if (!law_args_read(&args, argc, argv))
		return 2;
	for (unsigned int nr = test->first; !failed; nr *= test->factor) {
		passed += run_all(test, &args, MIN_OF(nr, args.ops), &failed);
		if (nr >= args.ops)
			break;
	}
	printf("%u passed, %u failed\n", passed, failed);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
