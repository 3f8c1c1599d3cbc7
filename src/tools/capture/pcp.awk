# SPDX-License-Identifier: MIT
# pcp.awk - pages on per-cpu lists

# pcp_text[cpu]: ranges of the frames on the lists of the host cpu.  Frames that
# have no flag, of Movable pageblocks first: what else has none is the
# kernel's own; without flags any that are left over.
function fill_pagesets(    z, t, p, i, class_, type) {
	class_ = runs ? "Z" : "U"
	for (z = 1; z <= zones; z++) {
		pcp_turn = 1
		pcp_left = pcp_count[z, pcp_cpus[1]] + 0
		for (p = 1; p <= parts; p++)
			if (part_zone[p] == z && part_class[p] == "P")
				list_frames(z, part_from[p], part_to[p], 1)
		for (t = 1; t <= 3; t++) {
			type = substr("mru", t, 1)
			for (p = 1; p <= parts; p++)
				if (part_zone[p] == z && part_class[p] == class_)
					list_part(z, p, type)
		}
		for (i = pcp_left; pcp_turn < pcp_n; )
			i += pcp_count[z, pcp_cpus[++pcp_turn]]
		if (i > 0 && pcp_n && !rewind)
			remark("node " zn[z] " " zname[z] ": " i " pages fewer " \
			       "are on per-cpu lists")
	}
}

# Frames of part @p in pageblocks of the type that begins with @type go to the
# lists.
function list_part(z, p, type,    at, end, start, k) {
	for (at = part_from[p]; at < part_to[p] && pcp_turn <= pcp_n;
	     at = max(at, end)) {
		end = min(part_to[p], (int(at / block_pages) + 1) * block_pages)
		if (substr(type_at(at), 1, 1) != type)
			continue
		for (start = at; at < end;) {
			k = made_order(at)
			if (k < 0) {
				at++
				continue
			}
			list_frames(z, start, at, 0)
			start = at = at - at % two[k] + two[k]
		}
		list_frames(z, start, end, 0)
	}
}

# The order of the free block that was made up and has this frame, -1: none.
function made_order(at,    k, first) {
	for (k = 0; k <= 10; k++) {
		first = at - at % two[k]
		if (("b" first) in made_free && made_free["b" first] == k)
			return k
	}
	return -1
}

# With @sure beyond the counts too, which are those of another moment.
function list_frames(z, start, end, sure,    n, cpu) {
	while (start < end && (pcp_turn <= pcp_n || sure)) {
		if (!pcp_left && pcp_turn <= pcp_n) {
			pcp_left = pcp_count[z, pcp_cpus[++pcp_turn]] + 0
			continue
		}
		cpu = pcp_cpus[min(pcp_turn, pcp_n)]
		n = pcp_turn <= pcp_n ? min(end - start, pcp_left) : end - start
		pcp_text[cpu] = pcp_text[cpu] \
			(pcp_text[cpu] == "" ? "" : "; ") \
			frames_text(start, start + n)
		pcp_left = max(pcp_left - n, 0)
		start += n
	}
}

function print_pagesets(    i) {
	print "\n[pcp]"
	for (i = 1; i <= pcp_n; i++)
		if (pcp_text[pcp_cpus[i]] != "" &&
		    (pcp_cpus[i] in cpu_number || !knows_cpus))
			print (knows_cpus ? cpu_number[pcp_cpus[i]] : i - 1) \
				" = " pcp_text[pcp_cpus[i]]
}
