// SPDX-License-Identifier: MIT
/*
 * suites.h - the unit suites; the list is made by the build
 *
 * A file tests/unit/LAYER/test_X.c declares and defines Suite *suite_X(void).
 */
#ifndef TESTS_UNIT_SUITES_H
#define TESTS_UNIT_SUITES_H

#include <check.h>

extern Suite *(*const suites[])(void); /* ends with NULL */

#endif
