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

@test "what is compared is only tried: a kept state stays as it is" {
	state=$BATS_TEST_TMPDIR/state
	kmem --state "$state" -m uma-small do page/alloc_pages GFP_KERNEL 3
	before=$(cd "$state" && sha256sum journal machine.ini)
	for i in 1 2; do
		kmem compare --replay "$trace" "$state" "$state" \
			> "$BATS_TEST_TMPDIR/table$i"
	done
	[ "$(cd "$state" && sha256sum journal machine.ini)" = "$before" ]
	cmp "$BATS_TEST_TMPDIR/table1" "$BATS_TEST_TMPDIR/table2"
	[ "$(column allocated_blocks 1 < "$BATS_TEST_TMPDIR/table1")" -gt 0 ]
	mkdir "$BATS_TEST_TMPDIR/empty"
	fails_with "no state is kept there" \
		kmem compare "$BATS_TEST_TMPDIR/empty" default
	[ -z "$(ls "$BATS_TEST_TMPDIR/empty")" ]
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

@test "a recording that holds no event fails, and packed ones say what unpacks them" {
	zstd -dcq "$trace" | head -n 100 > "$BATS_TEST_TMPDIR/text"
	gzip -c "$BATS_TEST_TMPDIR/text" > "$BATS_TEST_TMPDIR/text.gz"
	fails_with "gzip unpacks it" kmem replay "$BATS_TEST_TMPDIR/text.gz"
	fails_with "gzip unpacks it" kmem compare \
		--replay "$BATS_TEST_TMPDIR/text.gz" default default
	fails_with "gzip unpacks it" kmem batch "$BATS_TEST_TMPDIR/text.gz"
	gzip -dc "$BATS_TEST_TMPDIR/text.gz" | kmem replay - |
		grep -qx "events 88"
	echo "0	0	init-1	.	PA	0x1f" > "$BATS_TEST_TMPDIR/tsv"
	fails_with "none of its lines is an event" \
		kmem replay "$BATS_TEST_TMPDIR/tsv"
	fails_with "none of its lines is an event" kmem compare \
		--replay "$BATS_TEST_TMPDIR/tsv" default default
	: > "$BATS_TEST_TMPDIR/empty"
	kmem replay "$BATS_TEST_TMPDIR/empty" | grep -qx "events 0"
}

@test "words that a command does not take are refused, in a script too" {
	zstd -dcq "$trace" | head -n 100 > "$BATS_TEST_TMPDIR/text"
	fails_with "usage: replay FILE [POLICY]" \
		kmem replay "$BATS_TEST_TMPDIR/text" model more
	fails_with "usage: mkdir PATH" kmem mkdir allocations/a allocations/b
	fails_with "usage: verify" kmem verify one two
	fails_with "usage: ls" kmem ls proc sys
	fails_with "usage: verify" kmem <<< "verify 1 2 3 4 5 6 7 8 9 10 11 12"
	[ "$(kmem cat proc/sys/vm/overcommit_ratio proc/sys/vm/min_free_kbytes |
		wc -l)" = 2 ]
	kmem do page/alloc_pages GFP_KERNEL 3 name=a | grep -q "^a pfn="
}

@test "a batch that is compared may be packed or standard input" {
	local ops=$BATS_TEST_TMPDIR/ops

	printf 'page/alloc_pages GFP_KERNEL %s\n' 3 10 > "$ops"
	zstd -q "$ops"
	kmem compare --batch "$ops" default numa-4 > "$BATS_TEST_TMPDIR/plain"
	kmem compare --batch "$ops.zst" default numa-4 |
		diff "$BATS_TEST_TMPDIR/plain" -
	kmem compare --batch - default numa-4 < "$ops" |
		diff "$BATS_TEST_TMPDIR/plain" -
	kmem compare default numa-4 | not diff -q "$BATS_TEST_TMPDIR/plain" -
	fails_with "each side reads the recording" \
		kmem compare --replay - default numa-4
}

@test "a directory is no file to print, and what cannot be printed is a failure" {
	fails_with "Is a directory" kmem cat proc
	fails_with "No space left" bash -c "kmem ls > /dev/full"
	# More than a buffer: only the stream itself remembers.
	fails_with "standard output" bash -c "kmem cat proc/zoneinfo > /dev/full"
	fails_with "standard output" \
		bash -c "kmem compare default numa-4 > /dev/full"
}

@test "the largest machine's numbers stand apart, in the table and the picture" {
	kmem compare --plot "$BATS_TEST_TMPDIR/plot.svg" huge huge \
		> "$BATS_TEST_TMPDIR/table"
	awk '$2 == "A" && $1 == "free_blocks" && NF != 13 { bad = 1 }
		$1 == "free_blocks" { seen = 1 }
		END { exit bad || !seen }' "$BATS_TEST_TMPDIR/table"
	grep -q '>TiB<' "$BATS_TEST_TMPDIR/plot.svg"
	not grep -Eq 'anchor="end">[0-9]{5}' "$BATS_TEST_TMPDIR/plot.svg"
}

@test "in the picture pages count as large as they are" {
	for size in 4K 16K; do
		kmem -m embedded -S machine.page-size=$size cat machine/config \
			> "$BATS_TEST_TMPDIR/$size.ini"
	done
	kmem compare --plot "$BATS_TEST_TMPDIR/plot.svg" \
		"$BATS_TEST_TMPDIR/16K.ini" "$BATS_TEST_TMPDIR/4K.ini" \
		> "$BATS_TEST_TMPDIR/table"
	# The highest bar is that of the side with more bytes in an order.
	awk '/^  free_blocks|^ +B +[0-9]/ && !done[$1 == "B"]++ {
			for (i = 0; i < 11; i++) {
				kib = $(NF - 10 + i) * 2 ^ i * ($1 == "B" ? 4 : 16)
				most = kib > most ? kib : most
			}
		}
		END { printf ">%.1f<\n", most / 1024 }' \
		"$BATS_TEST_TMPDIR/table" > "$BATS_TEST_TMPDIR/most"
	grep -qf "$BATS_TEST_TMPDIR/most" "$BATS_TEST_TMPDIR/plot.svg"
}

# said TEXT: docs/what-if.md says it, wherever its lines end.
said() {
	tr '\n' ' ' < docs/what-if.md | grep -qF -- "$1" && return
	echo "docs/what-if.md does not say: $1" >&2
	return 1
}

@test "the sentences of docs/what-if.md say what its tables say" {
	# number KEY SIDE TABLE: of the document's table of that number
	number() {
		awk -v key="  $1 " -v n="$2" -v table="$3" '
			$1 == "A" && $2 == "B" && $3 == "C" { at++ }
			at == table && index($0, key) == 1 {
				print $(NF - 3 + n); exit }' docs/what-if.md |
			sed -E ':a; s/([0-9])([0-9]{3})($|,)/\1,\2\3/; ta'
	}
	dma32() { # the rest of the document behind the first zone of that name
		sed -n '/^node 0 DMA32/,$p' docs/what-if.md | awk -v key="$1" \
			-v n="$2" '$1 == key { print $(NF - 3 + n); exit }'
	}
	unusable=$(sed -n '/^node 0 DMA32/,$p' docs/what-if.md |
		awk '$1 == "unusable_index" { print $(NF - 4); exit }')
	said "All $(number allocated_blocks 1 1) allocations succeed"
	said "(\`unusable_index\` $unusable)"
	said "$(dma32 free_pages 2) pages against $(dma32 free_pages 1),"
	said "$(number "failed order 0" 3 1) requests fail for single pages"
	said "$(number "fallbacks Unmovable<-Movable" 3 2) times an Unmovable"
	said "$(number "fallbacks Movable<-Unmovable" 3 2) times a Movable one"
	said "$(number fallbacks_that_fragment 3 2) of these $(number \
		fallbacks 3 2) fallbacks leave"
}
