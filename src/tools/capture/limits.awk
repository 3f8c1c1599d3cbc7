# SPDX-License-Identifier: MIT
# limits.awk - limits that were computed before all memory was free

# Watermarks and protection are those of the managed pages that there were when
# they were last computed.  After that the kernel gives back its init sections
# and the initrd: @late pages of one zone.

function isqrt(n,    r) {
	r = 1
	while (r * r < n)
		r *= 2
	while (r * r > n)
		r = int((r + n / r) / 2)
	return r
}

function is_high(z) {
	return zname[z] == "HighMem" ||
		(zname[z] == "Movable" && "HighMem" in zone_name)
}

function managed_then(z) { return zm[z] - (z == late_zone ? late : 0) }

# mark_*[z] for min_free_kbytes @kib; then: with the managed pages of then.
function compute_marks(kib, then,    z, sum, m, pages, share, step) {
	sum = 0
	for (z = 1; z <= zones; z++)
		if (!is_high(z))
			sum += then ? managed_then(z) : zm[z]
	pages = int(kib * 1024 / page)
	for (z = 1; z <= zones; z++) {
		m = then ? managed_then(z) : zm[z]
		share = int(pages * m / sum)
		step = max(int(share / 4), int(m / 10000) * scale_factor + \
			   int(m % 10000 * scale_factor / 10000))
		mark_min[z] = is_high(z) ? \
			min(max(int(m / 1024), 32), 128) : share
		mark_low[z] = mark_min[z] + step
		mark_high[z] = mark_low[z] + step
	}
}

function marks_agree(then,    z) {
	compute_marks(min_free, then)
	for (z = 1; z <= zones; z++)
		if (mark_min[z] != zmin[z] || mark_low[z] != zlow[z] ||
		    mark_high[z] != zhigh[z])
			return 0
	return 1
}

function protection_agrees(    z, above, i, y) {
	for (z = 1; z <= zones; z++) {
		above = 0
		for (i = zi[z] + 1; (z, i) in zprot; i++) {
			for (y = 1; y <= zones; y++)
				if (zn[y] == zn[z] && zi[y] == i)
					above += managed_then(y)
			if (zprot[z, i] != (ratio[zi[z]] > 0 ? \
					    int(above / ratio[zi[z]]) : 0))
				return 0
		}
	}
	return 1
}

# Of the pages of low memory then, those above @marks times high watermarks.
function low_pages(marks,    z, sum) {
	sum = 0
	for (z = 1; z <= zones; z++)
		if (zname[z] ~ /^(DMA|DMA32|Normal)$/)
			sum += max(managed_then(z) - marks * mark_high[z], 0)
	return sum
}

function root_kib(pages) {
	return min(max(isqrt(pages * page / 1024 * 16), 128), 262144)
}

# What a kernel sets min_free_kbytes to by itself, with the pages of then:
# twice, the second time when huge pages are switched on or off.
function own_min_free(    z, all, nr, kib, pages) {
	all = nr = 0
	for (z = 1; z <= zones; z++) {
		all += managed_then(z)
		nr += zname[z] ~ /^(DMA|DMA32|Normal)$/
	}
	kib = root_kib(low_pages(0))
	if (all * page < 536870912)
		return kib
	compute_marks(kib, 1)
	if (arguments ~ /transparent_hugepage=never/)
		return root_kib(low_pages(1))
	pages = min(nr * block_pages * 11, int(low_pages(1) / 20))
	return max(kib, pages * page / 1024)
}

# Sets late and late_zone, and own: whether min_free_kbytes is to be left to
# the boot, which then computes the limits before the late pages come.
function find_late(    most, f, n, i) {
	min_free = read1("proc/sys/vm/min_free_kbytes")
	scale_factor = read1("proc/sys/vm/watermark_scale_factor")
	n = split(read1("proc/sys/vm/lowmem_reserve_ratio"), f, " ")
	for (i = 1; i <= n; i++)
		ratio[i - 1] = f[i]
	late = late_zone = own = 0
	if (arch == "generic" || min_free == "" || !n || scale_factor == "")
		return
	if (marks_agree(0) && protection_agrees())
		return
	for (late_zone = 1; late_zone <= zones; late_zone++) {
		most = min(zm[late_zone] - 1, 131072)
		for (late = 1; late <= most; late++) {
			if (!protection_agrees())
				continue
			if (marks_agree(1) && own_min_free() == min_free) {
				own = 1
				return
			}
			if (marks_agree(0))
				return
		}
	}
	late = late_zone = 0
	if (!marks_agree(0))
		remark("watermarks are those that min_free_kbytes gives now; " \
		       "the host computed its own with other managed pages")
	else
		remark("protection is what lowmem_reserve_ratio gives now; " \
		       "the host computed its own with other managed pages")
}

# late pages of late_zone, wherever they are: what is free is said elsewhere.
function print_late(    p, n, left, before) {
	if (!late)
		return
	left = late
	before = "freed-late = "
	for (p = parts; p >= 1 && left > 0; p--) {
		if (part_zone[p] != late_zone || part_class[p] == "R")
			continue
		n = min(left, part_to[p] - part_from[p])
		printf "%s%s", before, bytes_text(part_to[p] - n, part_to[p])
		before = "; "
		left -= n
	}
	print ""
}
