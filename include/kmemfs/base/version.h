// SPDX-License-Identifier: MIT
/* version.h - the version that programs and machine files print */
#ifndef KMEMFS_BASE_VERSION_H
#define KMEMFS_BASE_VERSION_H

#define KMEMFS_VERSION "0.1"

#endif
