// SPDX-License-Identifier: MIT
/*
 * main.c - runs every unit suite; with arguments, those whose names are given
 */
#include "unit/suites.h"

#include <stdlib.h>

int
main(int argc, char **argv)
{
	SRunner *runner = srunner_create(NULL);
	int failed;

	for (unsigned int i = 0; suites[i]; i++)
		srunner_add_suite(runner, suites[i]());
	/* No test has a time of its own: the outer watchdog ends a hang. */
	setenv("CK_DEFAULT_TIMEOUT", "0", 1);
	srunner_run(runner, argc > 1 ? argv[1] : NULL, NULL, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
