// SPDX-License-Identifier: MIT
/*
 * driver.h - runs of random steps: from few to many, on all machines, twice
 *
 * A test has a struct run of its own with a struct law_run as its member law.
 */
#ifndef TESTS_LAW_DRIVER_H
#define TESTS_LAW_DRIVER_H

#include "kmemfs/machine/config.h"

/* What a run of any test knows. */
struct law_run {
	const char *machine;
	uint64_t seed, random;
	unsigned int step;
	bool show; /* each step */
	bool failed;
};

struct law_test {
	size_t nr_machines;
	const char *(*machine)(size_t i);
	/* A run of @ops steps on machine @i that begins as @start: whether it
	 * passed.  Of both times that it is done the digests must be equal. */
	bool (*run)(size_t i, const struct law_run *start, unsigned int ops,
		    bool second, uint64_t *digest);
	const char *differ;	    /* what it means when they are not */
	unsigned int first, factor; /* steps of the shortest run; then more */
	unsigned int seeds;	    /* how many when none is given */
};

/* The status of the program. */
int law_main(int argc, char **argv, const struct law_test *test);

/* A machine of this [machine] group; NULL, and why is printed. */
struct machine_config *law_config(const char *ini);

struct run;
struct law_step {
	unsigned int weight;
	void (*do_it)(struct run *r);
};

/* Do one of the steps, the more often the heavier. */
void law_take_step(struct law_run *l, struct run *r,
		   const struct law_step *steps, size_t nr);
uint64_t law_below(struct law_run *l, uint64_t limit);
void law_fail(struct law_run *l, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void law_say(const struct law_run *l, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* A finding_fn, of a struct law_run. */
void law_found(void *user, const char *law, const char *finding);

#define below(r, limit) law_below(&(r)->law, limit)
#define fail(r, ...) law_fail(&(r)->law, __VA_ARGS__)
#define say(r, ...) law_say(&(r)->law, __VA_ARGS__)

#endif
