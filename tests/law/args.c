// SPDX-License-Identifier: MIT
/* args.c - the arguments of the law tests */
#include "args.h"

#include "kmemfs/base/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Whether argument @name is known and @value, NULL: none, is one for it. */
static bool
read_one(struct law_args *args, const char *name, const char *value)
{
	uint64_t number = 0;

	if (!value)
		return false;
	if (!strcmp(name, "--machine")) {
		args->machine = value;
		return true;
	}
	if (!text_u64(value, &number))
		return false;
	if (!strcmp(name, "--seed")) {
		args->seed = number;
		args->seeded = true;
		return true;
	}
	args->ops = (unsigned int)number;
	return !strcmp(name, "--ops");
}

bool
law_args_read(struct law_args *args, int argc, char **argv)
{
	*args = (struct law_args){.seed = 1, .ops = 3000};
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--trace")) {
			args->trace = true;
		} else if (read_one(args, argv[i], argv[i + 1])) {
			i++;
		} else {
			fprintf(stderr,
				"%s [--seed N] [--ops N] [--machine NAME] "
				"[--trace]\n",
				program_invocation_short_name);
			return false;
		}
	}
	printf("--seed %" PRIu64 " --ops %u\n", args->seed, args->ops);
	return true;
}

bool
law_args_want(const struct law_args *args, const char *name)
{
	return !args->machine || !strcmp(args->machine, name);
}
