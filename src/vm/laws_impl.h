// SPDX-License-Identifier: MIT
/*
 * laws_impl.h - the laws of this layer, by number
 */
#ifndef KMEMFS_VM_LAWS_IMPL_H
#define KMEMFS_VM_LAWS_IMPL_H

enum law_id {
#define LAW(id, name, sentence) LAW_##id,
#include "laws.def"
#undef LAW
	NR_LAWS
};

#endif
