#!/usr/bin/env bats
# kmem compare and kmem --set: the same work on other machines

load common

trace=tests/data/traces/host-compile-raw/trace.txt.zst

column() { # KEY SIDE: the first row called so, of a table on standard input
	awk -v key="$1" -v n="$2" 'index($0, "  " key " ") == 1 {
		print $(NF - sides + n); exit
	}
	$1 == "A" && !sides { sides = NF }'
}

@test "what a side shows is what its machine's files show" {
	kmem compare --replay "$trace" uma-small default \
		> "$BATS_TEST_TMPDIR/table"
	printf '%s\n' "replay $trace" "cat replay/progress" \
		"cat proc/zoneinfo" "cat proc/buddyinfo" |
		kmem -m default > "$BATS_TEST_TMPDIR/files"
	fallbacks=$(awk '$1 == "modelled_extfrag" { print $2; exit }' \
		"$BATS_TEST_TMPDIR/files")
	[ "$(column fallbacks 2 < "$BATS_TEST_TMPDIR/table")" -eq "$fallbacks" ]
	awk '/^node 0 Normal/ { on = 1 } on && /free_blocks/ {
		for (i = NF - 10; i <= NF; i++) print $i; exit }' \
		"$BATS_TEST_TMPDIR/table" > "$BATS_TEST_TMPDIR/blocks"
	awk '/^Node 0, zone +Normal +[0-9]/ && NF == 15 {
		for (i = 5; i <= NF; i++) print $i; exit }' \
		"$BATS_TEST_TMPDIR/files" | diff "$BATS_TEST_TMPDIR/blocks" -
	failed=$(awk '$1 == "allocated_blocks" { print $2 + 0 }' \
		"$BATS_TEST_TMPDIR/table")
	[ "$failed" -gt 0 ]
	grep -q '^node 1 Normal$' "$BATS_TEST_TMPDIR/table"
}

@test "pageblocks may be smaller, and what is stolen is as small" {
	kmem -m uma-small --set machine.memory=72M compare --replay "$trace" \
		machine.pageblock-order=9 machine.pageblock-order=7 \
		> "$BATS_TEST_TMPDIR/table"
	large=$(column "pageblocks Movable" 1 < "$BATS_TEST_TMPDIR/table")
	small=$(column "pageblocks Movable" 2 < "$BATS_TEST_TMPDIR/table")
	[ "$small" -gt $((3 * large)) ]
	printf '%s\n' "replay $trace" verify "cat proc/pagetypeinfo" \
		"cat trace/events/kmem/mm_page_alloc_extfrag/format" |
		kmem -m uma-small --set machine.memory=72M \
			--set machine.pageblock-order=7 \
			> "$BATS_TEST_TMPDIR/files"
	grep -q '^Page block order: 7$' "$BATS_TEST_TMPDIR/files"
	grep -q '^Pages per block:  128$' "$BATS_TEST_TMPDIR/files"
	grep -q 'fallback_order < 7' "$BATS_TEST_TMPDIR/files"
}

@test "failures are counted by order, and stop nothing" {
	for i in $(seq 40); do
		echo "page/alloc_pages GFP_KERNEL 9"
	done > "$BATS_TEST_TMPDIR/ops"
	echo "page/alloc_pages GFP_KERNEL 0" >> "$BATS_TEST_TMPDIR/ops"
	kmem compare --batch "$BATS_TEST_TMPDIR/ops" uma-small default \
		> "$BATS_TEST_TMPDIR/table"
	[ "$(column "allocated_blocks" 2 < "$BATS_TEST_TMPDIR/table")" = 41 ]
	got=$(column "allocated_blocks" 1 < "$BATS_TEST_TMPDIR/table")
	failed=$(column "failed order 9" 1 < "$BATS_TEST_TMPDIR/table")
	[ "$failed" -gt 0 ]
	[ $((got + failed)) -eq 41 ]
}

@test "a side may be a machine, a file, settings, both, or a state directory" {
	kmem --state "$BATS_TEST_TMPDIR/state" -m uma-small \
		do page/alloc_pages GFP_KERNEL 9 name=big
	kmem -m uma-small cat machine/config > "$BATS_TEST_TMPDIR/m.ini"
	run kmem -m uma-small compare uma-small "$BATS_TEST_TMPDIR/m.ini" \
		vm.min_free_kbytes=512 'uma-small vm.min_free_kbytes=512' \
		"$BATS_TEST_TMPDIR/state"
	[ "$status" -eq 0 ]
	free=$(sed -n '/^node 0 DMA32/,$p' <<< "$output" |
		awk '$1 == "free_pages" { print $2 - $6, $2 - $3, $4 - $5; exit }')
	[ "$free" = "512 0 0" ]
	low=$(sed -n '/^node 0 DMA32/,$p' <<< "$output" |
		awk '$1 == "watermark_low" { print ($2 > $4), $4 == $5 }')
	[ "$low" = "1 1" ]
}

@test "a setting changes the machine of every command" {
	[ "$(kmem -m uma-small --set vm.min_free_kbytes=4321 \
		cat proc/sys/vm/min_free_kbytes)" = 4321 ]
	run kmem -m uma-small -S machine.cmdline+=movablecore=16M \
		-S machine.cmdline+=quiet cat proc/cmdline
	[ "$output" = "movablecore=16M quiet" ]
}

@test "wrong sides, settings and files are refused with a sentence" {
	fails_with "usage: compare" kmem compare default
	fails_with "there is no machine of this name" kmem compare default no-such
	fails_with "a setting is group.key=value" kmem compare default x=1
	fails_with "has no such key" kmem compare machine.x=1 default
	fails_with "No such file" kmem compare --replay /no-such default default
	fails_with "quotes do not match" kmem compare default "default '"
	echo "page/alloc_pages GFP_NONE" > "$BATS_TEST_TMPDIR/ops"
	fails_with "ops:1: error EINVAL" kmem compare --batch \
		"$BATS_TEST_TMPDIR/ops" default default
}

@test "the picture of docs/what-if.md is what its command writes" {
	kmem -m uma-small --set machine.memory=72M \
		--set vm.min_free_kbytes=2048 compare --replay "$trace" \
		--plot "$BATS_TEST_TMPDIR/plot.svg" uma-small \
		machine.cmdline=movablecore=8M machine.cmdline=movablecore=24M
	cmp docs/what-if.svg "$BATS_TEST_TMPDIR/plot.svg"
}
