// SPDX-License-Identifier: MIT
/* epoch.h - when the modelled machine booted: the same moment on every host */
#ifndef KMEMFS_BASE_EPOCH_H
#define KMEMFS_BASE_EPOCH_H

/* 2000-01-01 00:00:00 UTC: modelled time 0 as file times and btime tell it. */
#define EPOCH_SECONDS 946684800ULL

#endif
