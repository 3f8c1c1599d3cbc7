// SPDX-License-Identifier: MIT
/* version.h - the version that programs and machine files print, and that of
 * the kernel that is modelled */
#ifndef KMEMFS_BASE_VERSION_H
#define KMEMFS_BASE_VERSION_H

#define KMEMFS_VERSION "0.1"
#define KERNEL_RELEASE "6.1.192"

#endif
