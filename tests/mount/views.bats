#!/usr/bin/env bats
# Pictures of the machine, read from the mount.

load common

setup() {
	new_mountpoint
	mount_machine
}

@test "every picture is an SVG and a PNG file" {
	for picture in buddy frames slab; do
		[[ "$(file -b "$mnt/views/$picture.svg")" == "SVG Scalable Vector Graphics"* ]]
		[[ "$(file -b "$mnt/views/$picture.png")" == "PNG image data, 1168 x "* ]]
		python3 -c 'import sys, xml.dom.minidom as d; d.parse(sys.argv[1])' \
			"$mnt/views/$picture.svg"
	done
}

@test "a picture is the same until something is done" {
	sha256sum "$mnt"/views/*.svg "$mnt"/views/*.png > "$BATS_TEST_TMPDIR/before"
	sha256sum -c "$BATS_TEST_TMPDIR/before"
	alloc "GFP_KERNEL 3 name=buf"
	for picture in buddy frames; do
		grep "$picture" "$BATS_TEST_TMPDIR/before" > "$BATS_TEST_TMPDIR/one"
		not sha256sum --status -c "$BATS_TEST_TMPDIR/one"
	done
}

@test "a picture's size is that of its last reading" {
	bytes=$(wc -c < "$mnt/views/frames.svg")
	[ "$(stat -c %s "$mnt/views/frames.svg")" -eq "$bytes" ]
	cp "$mnt/views/frames.png" "$BATS_TEST_TMPDIR/frames.png"
	cmp "$mnt/views/frames.png" "$BATS_TEST_TMPDIR/frames.png"
}

@test "the page's pictures stand beside it" {
	grep -o 'src="[a-z]*\.svg"' "$mnt/views/index.html" | cut -d'"' -f2 > "$BATS_TEST_TMPDIR/names"
	[ "$(wc -l < "$BATS_TEST_TMPDIR/names")" -eq 3 ]
	while read -r name; do
		[ -s "$mnt/views/$name" ]
	done < "$BATS_TEST_TMPDIR/names"
}
