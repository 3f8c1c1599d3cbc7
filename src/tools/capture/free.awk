# SPDX-License-Identifier: MIT
# free.awk - free blocks, as many as the host counts

function largest(at, end,    k) { # the order of the block at @at
	k = 0
	while (k < 10 && at % two[k + 1] == 0 && at + two[k + 1] <= end)
		k++
	return k
}

# free_at["b" pfn] = order; have[z, order]; block_list[z, order, i]
# As a number pfn would be a bad key: mawk puts all multiples of 1024 into one
# bucket.
function add_block(z, at, k) {
	free_at["b" at] = k
	have[z, k]++
	block_list[z, k, ++blocks[z, k]] = at
}

function cut_free(    p, at, k) {
	for (p = 1; p <= parts; p++)
		if (part_class[p] == "F")
			for (at = part_from[p]; at < part_to[p]; at += two[k]) {
				k = largest(at, part_to[p])
				add_block(part_zone[p], at, k)
			}
}

# pool[z, order, 1..pooled[z, order]]: used blocks that could be free
function fill_pool(z,    p, at, k) {
	filled[z] = 1
	for (p = 1; p <= parts; p++)
		if (part_zone[p] == z && part_class[p] ~ /[UZ]/)
			for (at = part_from[p]; at < part_to[p]; at += two[k]) {
				k = largest(at, part_to[p])
				pool[z, k, ++pooled[z, k]] = at
			}
}

function sibling(at, k) {
	return int(at / two[k]) % 2 ? at - two[k] : at + two[k]
}

# Take a used block that can be a free one of order @k; "" when there is none.
# One whose sibling is free would merge with it.  Such a block is passed over
# but once: the first refused[z, k] of the pool are such, until order @k is done.
function from_pool(z, k,    j, at, sib) {
	while (pooled[z, k] > refused[z, k]) {
		at = pool[z, k, pooled[z, k]]
		sib = sibling(at, k)
		if (k == 10 || !(("b" sib) in free_at) ||
		    free_at["b" sib] != k) {
			pooled[z, k]--
			return at
		}
		j = ++refused[z, k]
		pool[z, k, pooled[z, k]] = pool[z, k, j]
		pool[z, k, j] = at
	}
	for (j = k + 1; j <= 10; j++) {
		if (!pooled[z, j])
			continue
		at = pool[z, j, pooled[z, j]--]
		while (j-- > k)
			pool[z, j, ++pooled[z, j]] = at + two[j]
		return at
	}
	return ""
}

# Make the free blocks of @z as many as the host counts.
function fit_blocks(z,    k, at, same) {
	same = 1
	for (k = 0; k <= 10; k++)
		if (have[z, k] + 0 != want[z, k] + 0)
			same = 0
	if (same)
		return
	fill_pool(z)
	for (k = 10; k >= 0; k--) {
		while (have[z, k] + 0 > want[z, k] + 0) {
			at = block_list[z, k, blocks[z, k]--]
			delete free_at["b" at]
			have[z, k]--
			pool[z, k, ++pooled[z, k]] = at
			moved++
		}
		while (have[z, k] + 0 < want[z, k] + 0) {
			at = from_pool(z, k)
			if (at == "") {
				remark("node " zn[z] " " zname[z] ": no room " \
				       "for " want[z, k] - have[z, k] \
				       " free blocks of order " k)
				break
			}
			add_block(z, at, k)
			made_free["b" at] = k
			moved++
		}
	}
}

# Without page flags: what is left over when the free blocks have their places
# is reserved, as much as has to be.
function reserve_rest(z,    k, i) {
	if (!filled[z])
		fill_pool(z)
	for (k = 10; k >= 0; k--)
		for (i = 1; i <= pooled[z, k] && lack[z] > 0; i++)
			mark_reserved(pool[z, k, i], pool[z, k, i] + two[k])
}
