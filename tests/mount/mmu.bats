#!/usr/bin/env bats
# The processor by itself: tables, TLB, caches, protection, as a user types it.

load common

setup() {
	new_mountpoint
}

# machine MODE ARCH [LINES]: mount a small one.
small() {
	local ini=$BATS_TEST_TMPDIR/m.ini

	printf '[machine]\narch = %s\nmemory = 64M\ncpus = 2\n[mmu]\nmode = %s\n%b' \
		"$2" "$1" "${3:-}" > "$ini"
	mount_machine "$ini"
}

# What word KEY=... of the answer of op $2... is.
answer() {
	local key=$1 word
	shift
	for word in $(kmemfs-do "$mnt" "$@"); do
		[[ $word == "$key="* ]] && echo "${word#*=}" && return
	done
	return 1
}

@test "translations by the files alone are the manual's, 32-bit" {
	small 32-bit i386
	tests/mount/manual-walks "$mnt" tables 1 1000
	laws_hold
}

@test "translations by the files alone are the manual's, PAE" {
	small pae i386-pae
	tests/mount/manual-walks "$mnt" tables 2 1000
	laws_hold
}

@test "translations by the files alone are the manual's, four levels" {
	small 4-level x86-64 'smep = yes\nsmap = yes\n'
	tests/mount/manual-walks "$mnt" tables 3 1000
	laws_hold
}

@test "translations by the files alone are the manual's, five levels" {
	small 5-level x86-64 'wp = no\nnx = no\n'
	tests/mount/manual-walks "$mnt" tables 4 1000
	laws_hold
}

@test "the tables of a task that runs are the manual's" {
	local at

	mount_machine default
	ctl task/fork name=sh
	ctl task/run sh
	ctl vm/mmap sh 128K name=heap
	at=$(cat "$mnt/allocations/heap/address")
	ctl vm/write sh "$at" hello
	[ "$(cat "$mnt/cpus/0/mode")" = user ]
	tests/mount/manual-walks "$mnt" task 100 "$at"
	laws_hold
}

@test "a write to cr3 loads it, and reads change nothing" {
	local digest

	small 4-level x86-64
	echo 0x3000000 > "$mnt/cpus/1/cr3"
	[ "$(cat "$mnt/cpus/1/cr3")" = 0x3000000 ]
	digest=$(cat "$mnt/history/digest")
	cat "$mnt"/cpus/*/tlb/* "$mnt"/cpus/*/cache/* "$mnt/cpus/1/registers" \
		"$mnt/cpus/1/translate/0x1000" > /dev/null
	kmemfs-do "$mnt" mmu/walk 0x1000 cpu=1
	[ "$(cat "$mnt/history/digest")" = "$digest" ]
	fails_with "Bad address" ctl mmu/load_cr3 0xf000000000000000
}

@test "a TLB entry that nobody flushed is used, and the log says which flush is missing" {
	small 4-level x86-64
	# One page at 0x400000: 0, 0, 2, 0.
	ctl bytes/write ram 0x3000000 hex:0710000300000000
	ctl bytes/write ram 0x3001000 hex:0720000300000000
	ctl bytes/write ram 0x3002010 hex:0730000300000000
	ctl bytes/write ram 0x3003000 hex:0750000300000000
	ctl mmu/load_cr3 0x3000000
	[ "$(answer tlb mmu/access 0x400010)" = miss ]
	[ "$(answer pa mmu/access 0x400010)" = 0x3005010 ]
	grep -q '^l1d-4k 0 0 0x400000 0x3005000 4096 uwx-- 0 same$' \
		"$mnt/cpus/0/tlb/entries"
	ctl bytes/write ram 0x3003000 hex:0000000000000000
	grep -q 'stale$' "$mnt/cpus/0/tlb/entries"
	[ "$(answer stale mmu/access 0x400010)" = yes ]
	[ "$(cat "$mnt/cpus/0/tlb/stale_used")" = 1 ]
	grep -q 'stale entry for 0x400000.*tables say no page' "$mnt/dmesg"
	grep -q 'missing is a flush of 0x400000 on CPU 0' "$mnt/dmesg"
	ctl mmu/invlpg 0x400000
	[ "$(answer outcome mmu/access 0x400010)" = page-fault ]
	[ "$(cat "$mnt/cpus/0/cr2")" = 0x400010 ]
	[ "$(cat "$mnt/cpus/0/tlb/stale_used")" = 1 ]
	laws_hold
}

@test "sizes of the TLB come from the machine file" {
	local i

	small custom generic 'page_size = 32\nentry_bytes = 1\nindex_bits = 5 5\npresent = 7\n[tlb]\nl1d-4k = 1 2\nl2 = 1 4\n'
	grep -q '^l1d-4k 1 2 0$' "$mnt/cpus/0/tlb/geometry"
	# Every directory entry leads to frame 1, every page to frame 2.
	printf '\201%.0s' {1..32} > "$BATS_TEST_TMPDIR/directory"
	printf '\202%.0s' {1..32} > "$BATS_TEST_TMPDIR/table"
	dd if="$BATS_TEST_TMPDIR/directory" of="$mnt/ram" bs=32 conv=notrunc status=none
	dd if="$BATS_TEST_TMPDIR/table" of="$mnt/ram" bs=32 seek=1 conv=notrunc status=none
	ctl mmu/load_cr3 0
	for i in 0 32 64; do
		[ "$(answer tlb mmu/access $i)" = miss ]
	done
	[ "$(answer tlb mmu/access 64)" = l1 ]
	[ "$(answer tlb mmu/access 0)" = l2 ]
	[ "$(answer pa mmu/access 71)" = 0x47 ]
	[ "$(cat "$mnt/cpus/0/tlb/misses")" = 3 ]
	laws_hold
}

@test "paging-structure caches let a walk begin below" {
	small 4-level x86-64 'paging_caches = yes\n'
	ctl bytes/write ram 0x3000000 hex:0710000300000000
	ctl bytes/write ram 0x3001000 hex:0720000300000000
	ctl bytes/write ram 0x3002010 hex:0730000300000000
	ctl bytes/write ram 0x3003000 hex:07500003000000000760000300000000
	ctl mmu/load_cr3 0x3000000
	ctl mmu/access 0x400000
	[ "$(value walk_steps "$mnt/cpus/0/tlb/stats")" = 4 ]
	ctl mmu/access 0x401000
	[ "$(value walk_steps "$mnt/cpus/0/tlb/stats")" = 5 ]
	grep -q '^0x400000 2097152 0x3003000 0$' "$mnt/cpus/0/tlb/upper"
	laws_hold
}

@test "privileged instructions of user mode kill the task" {
	mount_machine default
	ctl task/fork name=sh
	ctl cpu/privileged hlt
	ctl task/run sh
	fails_with "Operation not permitted" ctl cpu/privileged out
	grep -qE 'traps: sh\[[0-9]+\] general protection fault' "$mnt/dmesg"
	[ "$(cat "$mnt/cpus/0/mode")" = kernel ]
	[ ! -e "$mnt/tasks/sh" ]
	fails_with "Invalid argument" ctl cpu/privileged nop
	laws_hold
}

@test "SMEP and SMAP keep the kernel off user pages" {
	mount_machine default
	ctl task/fork name=sh
	ctl task/run sh
	ctl vm/mmap sh 4K "prot=PROT_READ|PROT_WRITE|PROT_EXEC" name=page
	at=$(cat "$mnt/allocations/page/address")
	ctl vm/write sh "$at" x
	[ "$(answer outcome mmu/walk "$at" fetch user=no)" = ok ]
	ctl mmu/write_cr smep yes
	[ "$(answer error_code mmu/walk "$at" fetch user=no)" = 0x11 ]
	[ "$(answer outcome mmu/walk "$at" read user=no)" = ok ]
	ctl mmu/write_cr smap yes
	[ "$(answer error_code mmu/walk "$at" read user=no)" = 0x1 ]
	[ "$(answer outcome mmu/walk "$at" read user=no ac=yes)" = ok ]
	[ "$(answer outcome mmu/walk "$at" read user=yes)" = ok ]
}

secret() {
	ctl page/get_zeroed_page name=secret
	printf K > "$mnt/allocations/secret/data"
	ctl labs/meltdown secret
}

@test "a speculating load gives a byte of the kernel away" {
	mount_machine default
	secret
	[ "$(cat "$mnt/labs/meltdown/byte")" = 0x4b ]
	[ "$(grep -c hot "$mnt/labs/meltdown/latencies")" = 1 ]
	grep -q '^75 [0-9]* hot$' "$mnt/labs/meltdown/latencies"
	[ "$(cat "$mnt/sys/devices/system/cpu/vulnerabilities/meltdown")" = Vulnerable ]
	laws_hold
}

@test "with user tables of its own it does not" {
	kmem --set mmu.kpti=yes cat machine/config > "$BATS_TEST_TMPDIR/k.ini"
	mount_machine "$BATS_TEST_TMPDIR/k.ini"
	secret
	[ "$(cat "$mnt/labs/meltdown/byte")" = none ]
	[ "$(grep -c hot "$mnt/labs/meltdown/latencies")" = 0 ]
	[ "$(cat "$mnt/sys/devices/system/cpu/vulnerabilities/meltdown")" = "Mitigation: PTI" ]
	laws_hold
}

@test "ways to touch memory have their prices" {
	mount_machine default
	ctl labs/costs
	awk '$1 == "kmalloc" { k = $5 } $1 == "vmalloc" { v = $5 }
		END { exit !(v > 100 * k) }' "$mnt/labs/costs"
	awk '/distance_10/ { near = $4 } /distance_20/ { far = $4 }
		END { exit !(far == 2 * near) }' "$mnt/labs/costs"
	awk '$1 == "two_cpus_a_line_each" { own = $4 }
		$1 == "two_cpus_one_line" { one = $4 }
		END { exit !(one > 10 * own) }' "$mnt/labs/costs"
	awk '$1 == "system_call_shared" { s = $4 }
		$1 == "system_call_separate" { k = $4 }
		$1 == "system_call_separate_pcid" { p = $4 }
		END { exit !(s < p && p < k) }' "$mnt/labs/costs"
}
