# SPDX-License-Identifier: MIT
# types.awk - types of pageblocks and of free blocks

# block_type[b]: of pageblock b, absent is movable
function type_blocks(z,    p, b, last, n, i, score, most) {
	split("", bucket)
	last = -1
	most = 0
	for (p = 1; p <= parts; p++) {
		if (part_zone[p] != z)
			continue
		for (b = int(part_from[p] / block_pages);
		     b * block_pages < part_to[p]; b++) {
			if (b == last || in_cma(b))
				continue
			last = b
			score = min(slab[b] + kernel[b], block_pages)
			bucket[score] = bucket[score] " " b
		}
	}
	n = 0
	for (score = block_pages; score >= 0; score--) {
		if (!(score in bucket))
			continue
		last = split(bucket[score], part, " ")
		for (i = 1; i <= last; i++)
			ranked[++n] = part[i] + 0
	}
	pick_types(z, n)
}

# The pageblocks with most kernel pages; of these the reclaimable ones have the
# largest part of slabs.
function pick_types(z, n,    u, r, h, i, b, best, left) {
	u = blocks_of[z, "unmovable"] + 0
	r = blocks_of[z, "reclaimable"] + 0
	h = blocks_of[z, "highatomic"] + 0
	n = min(n, u + r)
	split("", bucket)
	for (i = 1; i <= n; i++) {
		b = ranked[i]
		best = int(8 * slab[b] / (slab[b] + kernel[b] + 1))
		bucket[best] = bucket[best] " " b
	}
	for (best = 8; best >= 0; best--) {
		left = split(bucket[best], part, " ")
		for (i = 1; i <= left; i++) {
			b = part[i] + 0
			block_type[b] = r-- > 0 ? "reclaimable" : "unmovable"
		}
	}
	for (i = 1; i <= blocks[z, 9] && h > 0; i++) {
		b = int(block_list[z, 9, i] / block_pages)
		if (!(b in block_type) && !in_cma(b)) {
			block_type[b] = "highatomic"
			h--
		}
	}
}

function in_cma(b) {
	return cma_areas == 1 && b * block_pages >= cma_base &&
		b * block_pages < cma_base + cma_count
}

function type_at(at,    b) {
	b = int(at / block_pages)
	if (in_cma(b))
		return "cma"
	return b in block_type ? block_type[b] : "movable"
}

# free_type["b" pfn]: as many of each type as the host counts, first those whose
# pageblock has it.
function type_free(z,    k, i, at, type, t) {
	for (k = 0; k <= 10; k++) {
		for (i = 1; i <= blocks[z, k]; i++) {
			at = block_list[z, k, i]
			type = type_at(at)
			if (!has_types || type == "cma") {
				free_type["b" at] = type
			} else if (want_type[z, type, k] > 0) {
				free_type["b" at] = type
				want_type[z, type, k]--
			}
		}
		for (i = 1; i <= blocks[z, k]; i++) {
			at = block_list[z, k, i]
			for (t = 1; t <= 4 && !(("b" at) in free_type); t++)
				if (want_type[z, types[t], k] > 0) {
					free_type["b" at] = types[t]
					want_type[z, types[t], k]--
				}
			if (!(("b" at) in free_type))
				free_type["b" at] = type_at(at)
		}
	}
}
