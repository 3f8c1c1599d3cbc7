# Recordings with slab events, given to a mount.

load common

setup() {
	new_mountpoint
	mount_machine
}

progress() { # KEY
	value "$1" "$mnt/replay/progress"
}

@test "objects of a recording live in slabs, and release frees them" {
	zstd -dcq tests/data/traces/host-compile-raw/trace.txt.zst |
		cat > "$mnt/replay/ftrace"
	[ "$(progress slab_events)" -gt 50000 ]
	[ "$(progress live_objects)" -gt 700 ]
	awk '$1 == "maple_node" { exit !($5 == 630 && $6 >= 630) }' \
		"$mnt/replay/caches"
	# What replay/caches says of a cache is what slabinfo says.
	want=$(awk '$1 == "filp" { print $6, $7, $8 }' "$mnt/replay/caches")
	got=$(awk '$1 == "filp" { print $2, $3, $15 }' "$mnt/proc/slabinfo")
	[ "$want" = "$got" ]
	[ -d "$mnt/slab/filp" ]
	grep -q '^getname_flags.part.0+0x24 4096 4096 names_cache printed ' \
		"$mnt/replay/sites"
	echo > "$mnt/control/replay/release"
	[ "$(progress live_objects)" -eq 0 ]
	[ -z "$(awk '/^[a-z]/ && NR > 1 && $2 != 0' "$mnt/verify")" ]
}

@test "what was told of caches and sites before the stream counts" {
	echo "thing 100 size=128" > "$mnt/control/replay/cache"
	echo "f+0x1 thing" > "$mnt/control/replay/site"
	echo "thing 100" > "$BATS_TEST_TMPDIR/op"
	fails_with "File exists" \
		dd if="$BATS_TEST_TMPDIR/op" of="$mnt/control/replay/cache" status=none
	{
		echo "  a-1  [000] .....  1.000001: kmem_cache_alloc: call_site=f+0x1/0x9 ptr=ffff888003000000 bytes_req=100 bytes_alloc=128 gfp_flags=GFP_KERNEL node=-1 accounted=false"
		echo "  a-1  [000] .....  1.000002: kmem_cache_alloc: call_site=g+0x1/0x9 ptr=ffff888003000080 bytes_req=100 bytes_alloc=128 gfp_flags=GFP_KERNEL node=-1 accounted=false"
	} > "$BATS_TEST_TMPDIR/trace"
	cat "$BATS_TEST_TMPDIR/trace" > "$mnt/replay/ftrace"
	grep -q '^f+0x1 100 128 thing given 1$' "$mnt/replay/sites"
	grep -q '^g+0x1 100 128 thing sizes 1$' "$mnt/replay/sites"
	grep -q '^thing 100 2 0 2 ' "$mnt/replay/caches"
	echo mirror > "$BATS_TEST_TMPDIR/op"
	fails_with "busy" dd if="$BATS_TEST_TMPDIR/op" of="$mnt/replay/policy" status=none
	echo > "$mnt/control/replay/release"
	echo mirror > "$mnt/replay/policy"
	cat "$BATS_TEST_TMPDIR/trace" > "$mnt/replay/ftrace"
	[ "$(progress slab_steps)" -eq 2 ]
	[ "$(progress live_objects)" -eq 2 ]
}
