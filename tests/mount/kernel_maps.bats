#!/usr/bin/env bats
# The kernel half of addresses, as a user types it.

load common

setup() {
	new_mountpoint
}

@test "vmalloc'd memory is listed, written, found in ram, and freed by rmdir" {
	mount_machine default
	echo "4M name=table" > "$mnt/control/vm/vmalloc"
	grep -Eq ' 4198400 .* pages=1024 vmalloc vpages N0=1024$' \
		"$mnt/proc/vmallocinfo"
	[ "$(meminfo VmallocUsed)" -ge 4096 ]
	echo hello > "$mnt/allocations/table/data"
	pfn=$(awk '$4 == "vmalloc" && $5 == 1024 { print $6 }' "$mnt/vmalloc")
	[ "$(dd if="$mnt/ram" bs=4096 skip="$pfn" count=1 status=none |
		head -c 5)" = hello ]
	rmdir "$mnt/allocations/table"
	grep -q 'unpurged vm_area$' "$mnt/proc/vmallocinfo"
	ctl vm/purge_vmap_area_lazy
	not grep -q 'unpurged vm_area$' "$mnt/proc/vmallocinfo"
	laws_hold
}

@test "vmalloc needs a TLB entry a page, the direct map one for many" {
	mount_machine default
	ctl vm/vmalloc 2M name=table
	run kmemfs-do "$mnt" vm/kernel_touch table size=2M
	[[ $output == *"walks=512"* ]]
	run kmemfs-do "$mnt" vm/kernel_touch 0xffff888010000000 size=2M
	[[ $output == *"walks=2 "* ]]
	fails_with "Bad address" ctl vm/kernel_touch 0xffffc9f000000000 write
	grep -q 'BUG: unable to handle page fault for address: ffffc9f000000000' \
		"$mnt/dmesg"
	grep -q '#PF: error_code(0x0002) - not-present page' "$mnt/dmesg"
}

@test "the last megabyte that mem= keeps back is ioremapped" {
	printf '%s\n' '[machine]' 'arch = x86-64' 'memory = 256M' \
		'cmdline = mem=255M' > "$BATS_TEST_TMPDIR/kept.ini"
	mount_machine "$BATS_TEST_TMPDIR/kept.ini"
	fails_with "busy" ctl vm/ioremap 0x8000000 1M
	grep -q 'ioremap on RAM at 0x0000000008000000' "$mnt/dmesg"
	ctl vm/ioremap 0xff00000 0x100000 name=dmabuf
	echo device > "$mnt/allocations/dmabuf/data"
	ctl vm/ioremap 0xff00000 0x100000 name=again
	[ "$(head -c 6 "$mnt/allocations/again/data")" = device ]
	[ "$(dd if="$mnt/ram" bs=1M skip=255 count=1 status=none |
		head -c 6)" = device ]
	grep -q 'phys=0x000000000ff00000 ioremap' "$mnt/proc/vmallocinfo"
	[ "$(awk 'NR > 1' "$mnt/ioremap" | wc -l)" = 2 ]
	laws_hold
}

@test "kmap's slots run out, and who sleeps is given what comes free" {
	local i

	mount_machine i386-highmem
	seq -f 'page/alloc_pages GFP_HIGHUSER name=p%g' 0 1024 \
		> "$mnt/control/batch"
	seq -f 'vm/kmap p%g' 0 1023 > "$mnt/control/batch"
	fails_with "temporarily unavailable" ctl vm/kmap p1024
	[ "$(awk '/^sleeper/ { getline; print $1 }' "$mnt/kmap")" = 1 ]
	[[ $(kmemfs-do "$mnt" vm/kunmap p7) == *"woke="*"address=0xfec08000" ]]
	laws_hold
}

@test "a stack of one page overflows into its neighbour, an area does not" {
	printf '%s\n' '[machine]' 'arch = i386' 'memory = 64M' '[kernel]' \
		'stack = 4K' > "$BATS_TEST_TMPDIR/small.ini"
	mount_machine "$BATS_TEST_TMPDIR/small.ini"
	ctl task/fork name=sh
	[ "$(value bytes "$mnt/tasks/sh/kernel_stack")" = 4096 ]
	[[ $(kmemfs-do "$mnt" vm/use_stack sh 4100) == *"damaged=4 "* ]]
	[ "$(value end_mark "$mnt/tasks/sh/kernel_stack")" = gone ]
	ctl task/run sh
	run ctl task/run 1
	[ "$(cat "$mnt/machine/state")" = panic ]
	grep -q 'corrupted stack end detected inside scheduler' "$mnt/dmesg"
}

@test "kcore and iomem show the kernel's memory" {
	mount_machine uma-small
	grep -q '^  01000000-.* : Kernel code$' "$mnt/proc/iomem"
	[ "$(head -c 4 "$mnt/proc/kcore" | tail -c 3)" = ELF ]
	need readelf
	readelf -lW "$mnt/proc/kcore" | grep -q 'LOAD .*0xffff888000100000'
}

@test "vmallocinfo without areas is empty, bad lines change nothing" {
	mount_machine uma-small
	digest=$(cat "$mnt/history/digest")
	for line in "" much "4K 1 2 3 4 5 6 7 8" "4K name=a/b" "4K gfp=NO"; do
		run ctl vm/vmalloc "$line"
		[ "$status" -ne 0 ]
	done
	run ctl vm/vfree nothing
	run ctl vm/classify 0x1000 nowhere
	run ctl vm/vmap 5-1
	[ "$(cat "$mnt/history/digest")" = "$digest" ]
}
