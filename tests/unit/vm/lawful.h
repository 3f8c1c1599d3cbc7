// SPDX-License-Identifier: MIT
/* lawful.h - whether a machine with virtual memory obeys its laws */
#ifndef TESTS_UNIT_VM_LAWFUL_H
#define TESTS_UNIT_VM_LAWFUL_H

#include "kmemfs/vm/vm.h"

/* No law of @vm, or of the pages below it, is broken. */
void assert_vm_lawful(const struct vm *vm);

#endif
