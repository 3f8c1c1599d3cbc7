# SPDX-License-Identifier: MIT
# reserved.awk - what of the present memory is reserved

# all frames of RAM are in one list, ascending, cut at the ends of pieces:
# part_class, part_first, part_end, part_zone[1..parts]
function add_part(class_, from, to, z) {
	if (from >= to)
		return
	if (parts && part_class[parts] == class_ && part_to[parts] == from &&
	    part_zone[parts] == z) {
		part_to[parts] = to
		return
	}
	new_part(class_, from, to, z)
}

function new_part(class_, from, to, z) {
	parts++
	part_class[parts] = class_
	part_from[parts] = from
	part_to[parts] = to
	part_zone[parts] = z
}

function find_parts(    p, r, from, to) {
	r = 1
	for (p = 1; p <= pieces; p++) {
		from = piece_start[p]
		if (!runs) {
			add_part("U", from, piece_end[p], piece_zone[p])
			continue
		}
		while (r < runs && run_end[r] <= from)
			r++
		while (from < piece_end[p] && r <= runs) {
			to = min(run_end[r], piece_end[p])
			add_part(run_class[r], from, to, piece_zone[p])
			from = to
			if (run_end[r] <= from && r < runs)
				r++
			else
				break
		}
		add_part("Z", from, piece_end[p], piece_zone[p])
	}
}

# Kernel image and first megabyte are reserved when nothing tells what is.
function guess_reserved(    file, line) {
	mark_reserved(0, 256)
	file = root "/proc/iomem"
	while ((getline line < file) > 0) {
		iomem_line(line)
		if (io_name ~ /^Kernel (code|rodata|data|bss)/ && io_last)
			mark_reserved(down(io_first, page) / page,
				      up(io_last, page) / page)
	}
	close(file)
}

# Cut the parts so that @from..@to - 1 are of class R, as far as need[] goes.
function mark_reserved(from, to,    p, n, a, b) {
	n = parts
	for (p = 1; p <= n; p++) {
		a = max(from, part_from[p])
		b = min(to, part_to[p])
		if (a >= b || part_class[p] == "R")
			continue
		b = min(b, a + lack[part_zone[p]])
		if (a < b)
			cut_part(p, a, b)
	}
	sort_parts()
}

# Make @a..@b - 1 of part @p a part of class R.
function cut_part(p, a, b,    z, class_, from, to) {
	z = part_zone[p]
	class_ = part_class[p]
	from = part_from[p]
	to = part_to[p]
	lack[z] -= b - a
	part_from[p] = a
	part_to[p] = b
	part_class[p] = "R"
	mark_blocks(a, b)
	if (from < a)
		new_part(class_, from, a, z)
	if (b < to)
		new_part(class_, b, to, z)
}

# What is reserved says nothing of the type of its pageblock.
function mark_blocks(from, to,    b, part) {
	while (from < to) {
		b = int(from / block_pages)
		part = min(to, (b + 1) * block_pages) - from
		kernel[b] = max(kernel[b] - part, 0)
		from += part
	}
}

# Few parts are out of order: those added last.
function sort_parts(    i, j, c, f, t, z) {
	for (i = 2; i <= parts; i++) {
		if (part_from[i - 1] <= part_from[i])
			continue
		c = part_class[i]; f = part_from[i]
		t = part_to[i]; z = part_zone[i]
		for (j = i; j > 1 && part_from[j - 1] > f; j--) {
			part_class[j] = part_class[j - 1]
			part_from[j] = part_from[j - 1]
			part_to[j] = part_to[j - 1]
			part_zone[j] = part_zone[j - 1]
		}
		part_class[j] = c; part_from[j] = f
		part_to[j] = t; part_zone[j] = z
	}
}

# Managed pages of each zone become the host's own number: frames without flags,
# longest runs first, then any used ones are reserved too; or some reserved
# ones, shortest first, are used.
function fit_reserved(    z, p) {
	for (z = 1; z <= zones; z++)
		lack[z] = ram_pages[z] - zm[z]
	for (p = 1; p <= parts; p++)
		if (part_class[p] == "R")
			lack[part_zone[p]] -= part_to[p] - part_from[p]
	for (z = 1; z <= zones; z++)
		release_shortest(z)
	if (!runs) { # the rest when the free blocks have their places
		guess_reserved()
		return
	}
	for (z = 1; z <= zones; z++) {
		reserve_longest(z, "Z")
		reserve_longest(z, "U")
		reserve_longest(z, "F")
		if (lack[z])
			remark("node " zn[z] " " zname[z] ": " lack[z] \
			       " pages fewer are present than managed")
	}
	sort_parts()
}

# Parts of @class_ are reserved until nothing lacks.  Only the last is cut, so
# that their order stays what it was at first.
function reserve_longest(z, class_,    n, p, len) {
	if (lack[z] <= 0)
		return
	for (n = rank_parts(z, class_); n && lack[z] > 0; n--) {
		p = by_length[n]
		len = min(part_to[p] - part_from[p], lack[z])
		if (class_ == "Z" && len >= 65536)
			remark("node " zn[z] " " zname[z] ": " len \
			       " pages that the host has not put to use yet " \
			       "are reserved")
		cut_part(p, part_to[p] - len, part_to[p])
	}
}

# Ditto the other way.
function release_shortest(z,    n, i, p, len) {
	if (lack[z] >= 0)
		return
	n = rank_parts(z, "R")
	for (i = 1; i <= n && lack[z] < 0; i++) {
		p = by_length[i]
		len = min(part_to[p] - part_from[p], -lack[z])
		lack[z] += len
		if (part_to[p] - part_from[p] == len) {
			part_class[p] = "U"
			continue
		}
		part_to[p] -= len
		new_part("U", part_to[p], part_to[p] + len, z)
	}
	sort_parts()
}

# by_length[1..n]: parts of zone @z and @class_, shorter ones first, those of
# one length as they lie; returns n.
function rank_parts(z, class_,    p, n, i, top) {
	n = 0
	for (p = 1; p <= parts; p++)
		if (part_zone[p] == z && part_class[p] == class_)
			by_length[++n] = p
	for (i = int(n / 2); i >= 1; i--)
		sift_part(i, n)
	for (i = n; i > 1; i--) {
		top = by_length[1]
		by_length[1] = by_length[i]
		by_length[i] = top
		sift_part(1, i - 1)
	}
	return n
}

# A heap with the longest on top: by_length[@i] goes down to where it belongs.
function sift_part(i, n,    p, child) {
	p = by_length[i]
	while ((child = 2 * i) <= n) {
		if (child < n && is_shorter(by_length[child],
					    by_length[child + 1]))
			child++
		if (!is_shorter(p, by_length[child]))
			break
		by_length[i] = by_length[child]
		i = child
	}
	by_length[i] = p
}

function is_shorter(p, q,    a, b) {
	a = part_to[p] - part_from[p]
	b = part_to[q] - part_from[q]
	return a == b ? p < q : a < b
}
