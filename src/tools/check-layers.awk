# check-layers.awk - every include goes to the same layer or a lower one
#
#   awk -f check-layers.awk src/LAYERS FILE...
#
# Generated headers count as what they declare: ops.h, entries.h to machine, show.h to
# view.  Only src/fuse may include a FUSE header; X_impl.h stays in its folder.

FILENAME == ARGV[1] {
	if ($0 !~ /^#/ && NF) {
		level++
		for (i = 1; i <= NF; i++)
			rank[$i] = level
	}
	next
}

FNR == 1 {
	n = split(FILENAME, part, "/")
	layer = part[1] == "include" ? part[3] : part[2]
	dir = FILENAME
	sub("/[^/]*$", "", dir)
	if (!(layer in rank) && layer != "tools")
		fail("its folder is no layer of src/LAYERS")
}

function fail(text) {
	printf "%s:%d: %s\n", FILENAME, FNR, text > "/dev/stderr"
	bad = 1
}

layer == "tools" { next }

/^#[ \t]*include[ \t]*<fuse/ && layer != "fuse" {
	fail("only src/fuse may include a FUSE header")
}

/^#[ \t]*include[ \t]*"/ {
	split($0, quoted, "\"")
	path = quoted[2]
	if (path ~ /_impl\.h$/ && path ~ /\//)
		fail(path " is private to another folder")
	if (path !~ /^kmemfs\//)
		next
	split(path, p, "/")
	to = p[2]
	if (to == "ops.h" || to == "entries.h")
		to = "machine"
	else if (to == "show.h")
		to = "view"
	if (!(to in rank))
		fail(path " is in no layer")
	else if (rank[to] > rank[layer] || (rank[to] == rank[layer] && to != layer))
		fail(layer " may not include " path)
}

END { exit bad }
