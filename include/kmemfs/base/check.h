// SPDX-License-Identifier: MIT
/*
 * check.h - our own bugs end the program, at once and with a place
 *
 * KM_ASSERT is always on and must be cheap; KM_DEBUG is compiled in debug
 * builds (make DEBUG=1) only.  Neither may have side effects.  What a user of
 * the modelled machine does wrong is never asserted: it is refused (refusal.h)
 * or reported in the modelled log.
 */
#ifndef KMEMFS_BASE_CHECK_H
#define KMEMFS_BASE_CHECK_H

/* Print @file, @line, @what to stderr and abort.  Does not return. */
_Noreturn void km_panic(const char *file, int line, const char *what);

#define KM_ASSERT(e) ((e) ? (void)0 : km_panic(__FILE__, __LINE__, #e))

#ifdef KM_DEBUG_BUILD
#define KM_DEBUG(e) KM_ASSERT(e)
#else
#define KM_DEBUG(e) ((void)0)
#endif

#endif
