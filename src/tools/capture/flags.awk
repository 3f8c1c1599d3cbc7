# SPDX-License-Identifier: MIT
# flags.awk - kpageflags: runs of frames of one class, how pageblocks are used

# F free, R reserved, Z no flag at all, P on a per-cpu list for sure, M movable, S slab, K other kernel pages
function classify(word,    r) {
	r = substr("0000000000000000" word, length(word) + 1)
	if (index("13579bdf", substr(r, 8, 1))) # 32
		return "R"
	if (index("13579bdf", substr(r, 11, 1))) # 20: no page
		return "R"
	if (index("4567cdef", substr(r, 14, 1))) # 10
		return "F"
	if (word ~ /^0*$/)
		return "Z"
	if (index("89abcdef", substr(r, 15, 1))) # 7
		return "S"
	if (index("2367abef", substr(r, 15, 1)) || # 5 LRU
	    index("13579bdf", substr(r, 13, 1)) || # 12 anonymous
	    index("89abcdef", substr(r, 14, 1)))   # 11 mapped
		return "M"
	return "K"
}

# Frames @from..@to - 1 have flags of class @c: what were they?
function seen(c, from, to,    end) {
	for (; rewind && from < to; from = end) {
		end = min(to, (int(from / 512) + 1) * 512)
		if (!(int(from / 512) in shown))
			class_seen(c, from, end)
		else
			for (; from < end; from++)
				class_seen(c != "R" && from in first_class ? \
					   first_class[from] : c, from, from + 1)
	}
	if (from < to)
		class_seen(c, from, to)
}

# Frames @from..@to - 1 are of class @c.
function class_seen(c, from, to,    kind, b, part) {
	kind = c ~ /[MSK]/ ? "U" : c
	if (kind != run_class[runs]) {
		runs++
		run_class[runs] = kind
		run_start[runs] = from
	}
	run_end[runs] = to
	if (c == "F" || c == "R")
		return
	while (from < to) {
		b = int(from / block_pages)
		part = min(to, (b + 1) * block_pages) - from
		if (c == "M")
			movable[b] += part
		else if (c == "S")
			slab[b] += part
		else
			kernel[b] += part
		from += part
	}
}

function od_line(line,    i) {
	words = split(line, word, " ") - 1
	uniform = 1
	for (i = 1; i <= words; i++) {
		if (!(word[i + 1] in class_of))
			class_of[word[i + 1]] = classify(word[i + 1])
		class[i] = class_of[word[i + 1]]
		if (class[i] != class[1])
			uniform = 0
	}
}

# od prints a line that is like the one before it as "*", once.
function read_flags(    cmd, line, at, pos, i, width) {
	cmd = "od -A d -t x8 -w64"
	width = ""
	(cmd " /dev/null 2>&1") | getline width
	close(cmd " /dev/null 2>&1")
	if (width !~ /^0+$/) # an od without -w
		cmd = "od -A d -t x8"
	cmd = cmd " \"" root "/proc/kpageflags\" 2> /dev/null"
	pos = 0
	words = 0
	while ((cmd | getline line) > 0) {
		if (line == "*")
			continue
		at = line
		sub(/ .*/, "", at)
		sub(/^0+/, "", at) # else some awks take it for octal
		at = (at + 0) / 8
		while (pos < at && words) {
			if (uniform) {
				seen(class[1], pos, at)
				pos = at
				break
			}
			for (i = 1; i <= words && pos < at; i++)
				seen(class[i], pos, ++pos)
		}
		od_line(line)
		pos = at
		for (i = 1; i <= words; i++)
			seen(class[i], pos, ++pos)
	}
	close(cmd)
	return runs > 0
}
