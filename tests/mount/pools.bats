#!/usr/bin/env bats
# Pools with a reserve, per-CPU memory and memory of the boot, as a user types
# it.

load common

setup() {
	new_mountpoint
}

@test "a pool gives from its reserve when the allocator is made to fail" {
	local debug=$mnt/sys/kernel/debug/failslab i

	mount_machine default
	ctl mempool/mempool_create_kmalloc_pool 3 100 name=pool
	[ "$(cat "$mnt/mempools/pool/curr_nr")" = 3 ]
	echo 0 > "$debug/verbose"
	echo N > "$debug/ignore-gfp-wait"
	echo -1 > "$debug/times"
	echo 100 > "$debug/probability"
	[ "$(cat "$debug/ignore-gfp-wait" "$debug/times")" = "$(printf 'N\n-1')" ]
	for i in 1 2 3; do ctl mempool/mempool_alloc pool name=e$i; done
	run ctl mempool/mempool_alloc pool GFP_ATOMIC
	[ "$status" -ne 0 ]
	run ctl mempool/mempool_alloc pool name=late
	[[ $output == *"Resource temporarily unavailable"* ]]
	grep -q late "$mnt/mempools/pool/waiters"
	[ ! -e "$mnt/allocations/late" ]
	rmdir "$mnt/allocations/e1"
	[ "$(cat "$mnt/allocations/late/info" | value op /dev/stdin)" = \
		mempool/mempool_alloc ]
	[ "$(cat "$mnt/mempools/pool/out")" = "$(printf 'e2\ne3\nlate')" ]
	echo 0 > "$debug/probability"
	rmdir "$mnt"/allocations/{e2,e3,late} "$mnt/mempools/pool"
	[ ! -e "$mnt/mempools/pool" ]
	laws_hold
}

@test "directories of pools and variables come and go" {
	mount_machine default
	mkdir "$mnt/mempools/mine" "$mnt/percpu/variables/mine"
	[ "$(ls "$mnt/mempools" "$mnt/percpu/variables" | grep -c mine)" = 2 ]
	run mkdir "$mnt/mempools/mine"
	[ "$status" -ne 0 ]
	echo 6 > "$mnt/mempools/mine/min_nr"
	[ "$(cat "$mnt/mempools/mine/curr_nr")" = 6 ]
	rmdir "$mnt/mempools/mine" "$mnt/percpu/variables/mine"
	[ -z "$(ls "$mnt/mempools" "$mnt/percpu/variables" | grep mine)" ]
}

@test "a page pool's elements are pages, and go back to it" {
	mount_machine default
	ctl mempool/mempool_create_page_pool 2 1 name=pages
	pfn=$(awk 'NR == 2 { print $3 }' "$mnt/mempools/pages/elements")
	grep -q '^owner mempools/pages' "$mnt/pages/$pfn/info"
	ctl mempool/mempool_alloc pages name=e
	echo hello > "$mnt/allocations/e/data"
	rmdir "$mnt/allocations/e"
	laws_hold
}

@test "each CPU's copy has bytes of its own, which ram has too" {
	local var=$mnt/percpu/variables/counter pfn

	mount_machine default
	ctl percpu/alloc_percpu 8 name=counter
	printf '\x2a' > "$var/copies/2"
	[ "$(od -An -tu1 "$var/copies/2" | tr -d ' \n')" = 420000000 ]
	[ "$(cat "$var/sum")" = 42 ]
	[ "$(awk '$1 == 2 { print $4 }' "$var/values")" = 42 ]
	pfn=$(awk '$1 == 2 { print $3 }' "$var/values")
	[ "$(dd if="$mnt/ram" bs=4096 skip="$pfn" count=1 status=none |
		head -c 1)" = '*' ]
	grep -q '^owner percpu' "$mnt/pages/$pfn/info"
	[ "$(value Percpu: "$mnt/proc/meminfo")" = \
		$(($(value frames "$mnt/percpu/info") * 4)) ]
	grep -q 'nr_cur_alloc *: *1$' "$mnt/sys/kernel/debug/percpu_stats"
	laws_hold
}

@test "without get_cpu_ptr an update is lost, with it none" {
	local var=$mnt/percpu/variables/counter

	mount_machine default
	ctl percpu/alloc_percpu 8 name=counter
	cat > "$mnt/control/batch" <<'END'
percpu/this_cpu_ptr counter A
percpu/load A
percpu/migrate A 1
percpu/this_cpu_add counter 1 B
percpu/add 1 A
percpu/store A
END
	[ "$(cat "$var/sum")" = 1 ]
	grep -q 'BUG: using smp_processor_id() in preemptible' "$mnt/dmesg"
	ctl percpu/get_cpu_ptr counter A
	[ "$(cat "$mnt/cpus/1/preempt_count")" = 1 ]
	run ctl percpu/migrate A 0
	[[ $output == *"busy"* ]]
	ctl percpu/load A
	ctl percpu/add 1 A
	ctl percpu/store A
	ctl percpu/put_cpu_ptr counter A
	[ "$(cat "$var/sum")" = 2 ]
}

@test "the boot gives what the page allocator cannot" {
	mount_machine boot-buffers
	[ "$(cat "$mnt/bootmem/framebuffer/size")" = $((64 << 20)) ]
	echo hello > "$mnt/bootmem/framebuffer/data"
	pfn=$(cat "$mnt/bootmem/framebuffer/pfn")
	[ "$(dd if="$mnt/ram" bs=4096 skip="$pfn" count=1 status=none |
		head -c 5)" = hello ]
	run ctl bootmem/alloc_bootmem_pages 64M
	[[ $output == *"Cannot allocate memory"* ]]
	before=$(value MemTotal: "$mnt/proc/meminfo")
	rmdir "$mnt/bootmem/framebuffer"
	[ $(($(value MemTotal: "$mnt/proc/meminfo") - before)) = 65536 ]
	[ ! -e "$mnt/bootmem/framebuffer" ]
	kmem --machine boot-buffers cat machine/config > "$BATS_TEST_TMPDIR/a.ini"
	kmem --machine "$BATS_TEST_TMPDIR/a.ini" cat machine/config |
		diff - "$BATS_TEST_TMPDIR/a.ini"
	laws_hold
}
