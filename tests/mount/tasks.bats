#!/usr/bin/env bats
# Tasks: what they map, their page tables, look-ups of their addresses.

load common

setup() {
	new_mountpoint
	mount_machine
	echo "name=sh" > "$mnt/control/task/fork"
	echo "sh 10M name=heap" > "$mnt/control/vm/mmap"
	echo "sh heap MADV_NOHUGEPAGE" > "$mnt/control/vm/madvise"
	address=$(< "$mnt/allocations/heap/address")
}

value() { # KEY FILE
	awk -v key="$1" '$1 == key ":" || $1 == key { print $2 }' "$2"
}

leaves() {
	find "$mnt/tasks/$1/pagetable/" -type f | wc -l
}

@test "a process asks for 10 MiB and gets nothing; a write gives it one page" {
	before=$(value VmRSS "$mnt/tasks/sh/status")
	[ "$(value VmSize "$mnt/tasks/sh/status")" -ge 10240 ]
	[ "$before" -lt 100 ]
	grep -q "^read: fault 0x4" "$mnt/tasks/sh/translate/$address"
	echo "sh $address hello" > "$mnt/control/vm/write"
	[ "$(value VmRSS "$mnt/tasks/sh/status")" -eq $((before + 4)) ]
	for level in PML4E PDPTE PDE PTE; do
		grep -q "^$level\[" "$mnt/tasks/sh/translate/$address"
	done
	grep -q "^TLB of CPU 0, data: hit" "$mnt/tasks/sh/translate/$address"
	physical=$(value physical "$mnt/tasks/sh/translate/$address")
	[ "$(dd if="$mnt/ram" bs=1 skip=$((physical)) count=5 status=none)" = hello ]
}

@test "find counts the present leaves: resident pages and the zero page" {
	[ "$(leaves sh)" -eq "$(value resident_pages "$mnt/tasks/sh/info")" ]
	echo "sh heap write 100K" > "$mnt/control/vm/touch"
	[ "$(leaves sh)" -eq "$(value resident_pages "$mnt/tasks/sh/info")" ]
	rss=$(leaves sh)
	echo "sh heap read 200K" > "$mnt/control/vm/touch"
	[ "$(leaves sh)" -eq $((rss + 25)) ]
	[ "$(value resident_pages "$mnt/tasks/sh/info")" -eq "$rss" ]
	zero=$(cat "$mnt"/tasks/sh/vmas/* | awk '$1 == "zero_pages" { n += $2 } END { print n }')
	[ "$zero" -eq 25 ]
	echo "sh heap MADV_DONTNEED" > "$mnt/control/vm/madvise"
	[ "$(leaves sh)" -eq "$(value resident_pages "$mnt/tasks/sh/info")" ]
}

@test "a huge page is one leaf, in the table above" {
	leaves=$(leaves sh)
	rss=$(value resident_pages "$mnt/tasks/sh/info")
	echo "sh heap MADV_HUGEPAGE" > "$mnt/control/vm/madvise"
	huge=$(printf '%#x' $(((address + 0x1fffff) & ~0x1fffff)))
	echo "sh $huge write" > "$mnt/control/vm/touch"
	[ "$(leaves sh)" -eq $((leaves + 1)) ]
	[ "$(value resident_pages "$mnt/tasks/sh/info")" -eq $((rss + 512)) ]
	leaf=$(grep -rl "level PDE" "$mnt/tasks/2/pagetable")
	[ "$(value virtual "$leaf")" = "$huge" ]
	[ "$(value page_bytes "$leaf")" -eq 2097152 ]
	grep -q "^PDE.* PS .* 2 MiB$" "$mnt/tasks/sh/translate/$huge"
}

@test "a leaf's entry is what stands in ram" {
	echo "sh heap write 20K" > "$mnt/control/vm/touch"
	find "$mnt/tasks/sh/pagetable/" -type f | while read -r leaf; do
		at=$(value entry_at "$leaf")
		entry=$(value entry "$leaf")
		[ "0x$(dd if="$mnt/ram" bs=8 skip=$((at / 8)) count=1 status=none |
			od -An -tx8 | tr -d ' ')" = "$entry" ]
	done
}

@test "the child's write copies the page" {
	echo "sh $address hello" > "$mnt/control/vm/write"
	echo "sh name=child" > "$mnt/control/task/fork"
	grep -q "^write: fault 0x7.*copy on write" "$mnt/tasks/child/translate/$address"
	[ "$(value physical "$mnt/tasks/sh/translate/$address")" = \
		"$(value physical "$mnt/tasks/child/translate/$address")" ]
	echo "child $address jello" > "$mnt/control/vm/write"
	[ "$(value physical "$mnt/tasks/sh/translate/$address")" != \
		"$(value physical "$mnt/tasks/child/translate/$address")" ]
	tail -n 1 "$mnt/trace/trace" |
		grep -q "child-3 .* page_fault_user: address=$address .*error_code=0x7$"
	for who in sh:hello child:jello; do
		[ "$(dd if="$mnt/tasks/${who%:*}/mem" bs=1 skip=$((address)) count=5 status=none)" = "${who#*:}" ]
	done
}

@test "a write to mem is an access of the task" {
	before=$(value resident_pages "$mnt/tasks/sh/info")
	printf 'written through mem' |
		dd of="$mnt/tasks/sh/mem" bs=64 oflag=seek_bytes seek=$((address + 4090)) conv=notrunc status=none
	[ "$(value resident_pages "$mnt/tasks/sh/info")" -eq $((before + 2)) ]
	[ "$(dd if="$mnt/tasks/sh/mem" bs=19 iflag=skip_bytes skip=$((address + 4090)) count=1 status=none)" = "written through mem" ]
	tail -n 1 "$mnt/history/journal" | grep -q '^vm/write'
}

@test "no read of a task changes the digest" {
	echo "sh heap write 100K" > "$mnt/control/vm/touch"
	digest=$(cat "$mnt/history/digest")
	find "$mnt/tasks/" "$mnt/kernel_pagetable/" -type f -exec cat {} + > "$BATS_TEST_TMPDIR/all"
	cat "$mnt/tasks/sh/translate/$address" "$mnt"/views/*-2.png > "$BATS_TEST_TMPDIR/all"
	[ "$(cat "$mnt/history/digest")" = "$digest" ]
}

@test "damaged tables end no daemon and no find" {
	top=$(($(cat "$mnt/tasks/sh/cr3")))
	# The second entry leads to the table that it stands in, the third beyond RAM.
	python3 - "$mnt/ram" "$top" <<- 'EOF'
		import struct, sys
		top = int(sys.argv[2])
		with open(sys.argv[1], "r+b", buffering=0) as ram:
		    ram.seek(top + 8)
		    ram.write(struct.pack("<QQ", top | 7, 0x3ffffffff007))
	EOF
	[ "$(timeout 60 find "$mnt/tasks/sh/pagetable/" -maxdepth 4 -type f | wc -l)" -gt 2 ]
	[ "$(timeout 60 find "$mnt/tasks/sh/pagetable/002" | wc -l)" -eq 1 ]
	cat "$mnt/tasks/sh/translate/0x8000000000" > "$BATS_TEST_TMPDIR/text"
	cat "$mnt/tasks/sh/translate/0x10000000000" > "$BATS_TEST_TMPDIR/text"
	timeout 60 cat "$mnt/views/pagetable-2.svg" > "$BATS_TEST_TMPDIR/picture"
	grep -q "^sh" <(cat "$mnt/tasks/sh/info" | cut -d' ' -f2)
}

@test "the pictures of a task are there as long as it is" {
	for picture in pagetable-2 address-space-2; do
		[[ "$(file -b "$mnt/views/$picture.svg")" == "SVG Scalable Vector Graphics"* ]]
		[[ "$(file -b "$mnt/views/$picture.png")" == "PNG image data, 1168 x "* ]]
	done
	rmdir "$mnt/tasks/2"
	[ ! -e "$mnt/views/pagetable-2.svg" ]
	[ ! -e "$mnt/tasks/sh" ]
	run cat "$mnt"/views/pagetable-2.png
	[ "$status" -ne 0 ]
}

@test "tasks can be copied and searched like files" {
	echo "sh heap write 100K" > "$mnt/control/vm/touch"
	timeout 60 cp -a "$mnt/tasks" "$BATS_TEST_TMPDIR/copy"
	diff -r --no-dereference "$mnt/tasks" "$BATS_TEST_TMPDIR/copy"
	[ "$(grep -rl "level PTE" "$mnt/tasks/2/pagetable" | wc -l)" -eq "$(leaves sh)" ]
}
