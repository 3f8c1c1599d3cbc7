#!/usr/bin/env bats
# Huge pages and memory policies, as a user types them.

load common

setup() {
	new_mountpoint
	mount_machine
	thp=$mnt/sys/kernel/mm/transparent_hugepage
	pool=$mnt/sys/kernel/mm/hugepages/hugepages-2048kB
	echo "name=sh" > "$mnt/control/task/fork"
}

teardown() {
	# Whatever was done, no law is broken.
	! awk 'NR > 1 && $2 != 0' "$mnt/verify" | grep .
	unmount_all
}

kib() { # KEY of meminfo
	awk -v key="$1:" '$1 == key { print $2 }' "$mnt/proc/meminfo"
}

event() {
	awk -v key="$1" '$1 == key { print $2 }' "$mnt/proc/vmstat"
}

# Per-cpu lists keep nothing back from MemFree.
all_free() {
	echo > "$mnt/control/page/drain_all_pages"
}

# A mapping that two huge pages fit in, with a byte in the first.
map_and_write() {
	echo "sh 4M name=$1 addr=$2" > "$mnt/control/vm/mmap"
	echo "sh $1 hello" > "$mnt/control/vm/write"
}

@test "the first write takes 2 MiB, unless the setting or advice says no" {
	[ "$(cat "$thp/enabled")" = "[always] madvise never" ]
	map_and_write a 0x40000000
	[ "$(kib AnonHugePages)" = 2048 ]
	[ "$(event thp_fault_alloc)" = 1 ]
	[ "$(event nr_anon_transparent_hugepages)" = 1 ]
	echo madvise > "$thp/enabled"
	[ "$(cat "$thp/enabled")" = "always [madvise] never" ]
	map_and_write b 0x50000000
	[ "$(kib AnonHugePages)" = 2048 ]
	echo "sh 4M name=c addr=0x60000000" > "$mnt/control/vm/mmap"
	echo "sh c MADV_HUGEPAGE" > "$mnt/control/vm/madvise"
	echo "sh c hello" > "$mnt/control/vm/write"
	[ "$(kib AnonHugePages)" = 4096 ]
}

@test "what is unmapped of it comes free when the page is split" {
	map_and_write a 0x40000000
	all_free
	free=$(kib MemFree)
	echo "sh 0x40100000 64K" > "$mnt/control/vm/munmap"
	all_free
	[ "$(kib MemFree)" = "$free" ]
	[ "$(kib AnonHugePages)" = 0 ]
	[ "$(event thp_split_pmd)" = 1 ]
	[ "$(event thp_deferred_split_page)" = 1 ]
	echo 10 > "$mnt/control/vm/shrink_huge_pages"
	[ "$(event thp_split_page)" = 1 ]
	all_free
	[ "$(kib MemFree)" = $((free + 64)) ]
}

@test "khugepaged collapses small pages when time passes" {
	echo never > "$thp/enabled"
	map_and_write a 0x40000000
	[ "$(kib AnonHugePages)" = 0 ]
	echo 100 > "$thp/khugepaged/max_ptes_none"
	echo always > "$thp/enabled"
	echo "sh a MADV_HUGEPAGE" > "$mnt/control/vm/madvise"
	echo 1s > "$mnt/control/clock/advance"
	[ "$(event thp_scan_exceed_none_pte)" -ge 1 ]
	[ "$(kib AnonHugePages)" = 0 ]
	echo 511 > "$thp/khugepaged/max_ptes_none"
	echo 11s > "$mnt/control/clock/advance"
	[ "$(kib AnonHugePages)" = 2048 ]
	[ "$(cat "$thp/khugepaged/pages_collapsed")" = 1 ]
	[ "$(dd if="$mnt/proc/$(< "$mnt/tasks/sh/pid")/mem" bs=4096 skip=$((0x40000)) count=1 status=none | head -c 5)" = hello ]
}

@test "settings that the kernel refuses are refused" {
	! echo sometimes > "$thp/enabled"
	! echo 512 > "$thp/khugepaged/max_ptes_none"
	! echo 0 > "$thp/khugepaged/pages_to_scan"
	! echo 2 > "$thp/use_zero_page"
	[ ! -w "$thp/hpage_pmd_size" ] || [ "$(id -u)" = 0 ]
	[ "$(cat "$thp/hpage_pmd_size")" = 2097152 ]
	[ "$(cat "$thp/khugepaged/max_ptes_none")" = 511 ]
}

@test "the pool is filled, promised, used and given back" {
	echo 6 > "$mnt/proc/sys/vm/nr_hugepages"
	[ "$(cat "$pool/nr_hugepages")" = 6 ]
	[ "$(cat "$mnt"/sys/devices/system/node/node*/hugepages/*/nr_hugepages | paste -sd' ')" = "3 3" ]
	[ "$(kib Hugetlb)" = 12288 ]
	echo "sh 6M name=db flags=MAP_PRIVATE|MAP_ANONYMOUS|MAP_HUGETLB" > "$mnt/control/vm/mmap"
	[ "$(kib HugePages_Rsvd)" = 3 ]
	run bash -c "echo 'sh 8M flags=MAP_PRIVATE|MAP_ANONYMOUS|MAP_HUGETLB' > '$mnt/control/vm/mmap'"
	[[ "$output" == *"Cannot allocate memory"* ]]
	echo "sh db hello" > "$mnt/control/vm/write"
	[ "$(kib HugePages_Free)" = 5 ]
	[ "$(kib HugePages_Rsvd)" = 2 ]
	echo 0 > "$pool/nr_hugepages"
	[ "$(kib HugePages_Total)" = 3 ]
	[ "$(kib HugePages_Surp)" = 3 ]
	echo "sh db" > "$mnt/control/vm/munmap"
	[ "$(kib HugePages_Total)" = 0 ]
}

@test "a node has a pool of its own" {
	echo 4 > "$mnt/sys/devices/system/node/node1/hugepages/hugepages-2048kB/nr_hugepages"
	[ "$(kib HugePages_Total)" = 4 ]
	grep -q "^Node 1 HugePages_Free:  *4$" "$mnt/sys/devices/system/node/node1/meminfo"
	grep -q "^Node 0 HugePages_Free:  *0$" "$mnt/sys/devices/system/node/node0/meminfo"
}

@test "hugepages= fills the pool at boot" {
	unmount_all
	printf '[machine]\narch = x86-64\nmemory = 1G\ncmdline = hugepages=5\n' > "$BATS_TEST_TMPDIR/m.ini"
	mount_machine "$BATS_TEST_TMPDIR/m.ini"
	[ "$(kib HugePages_Total)" = 5 ]
	[ "$(kib HugePages_Free)" = 5 ]
}

@test "a policy decides from which node a page comes" {
	echo never > "$thp/enabled"
	echo "sh 1M name=far" > "$mnt/control/vm/mmap"
	echo "sh far MPOL_BIND 1" > "$mnt/control/vm/mbind"
	echo "sh far write 64K" > "$mnt/control/vm/touch"
	grep "bind:1" "$mnt/proc/$(< "$mnt/tasks/sh/pid")/numa_maps" | grep -q "N1=16"
	echo "sh 1M name=both" > "$mnt/control/vm/mmap"
	echo "sh MPOL_INTERLEAVE 0-1" > "$mnt/control/vm/set_mempolicy"
	hits=$(awk '$1 == "interleave_hit" { print $2 }' "$mnt/sys/devices/system/node/node1/numastat")
	echo "sh both write 64K" > "$mnt/control/vm/touch"
	[ "$(awk '$1 == "interleave_hit" { print $2 }' "$mnt/sys/devices/system/node/node1/numastat")" -ge $((hits + 8)) ]
	run bash -c "echo 'sh far MPOL_BIND 9' > '$mnt/control/vm/mbind'"
	[[ "$output" == *"Invalid argument"* ]]
}
