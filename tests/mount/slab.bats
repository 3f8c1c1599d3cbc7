#!/usr/bin/env bats
# Objects on pages, as a user types it: caches, kmalloc, and the programs that
# read slab files.

load common

setup() {
	new_mountpoint
	mount_machine default
}

# Some of everything: caches merged and not, objects on both nodes.
workload() {
	local i

	mkdir "$mnt/slab/mine"
	slab kmem_cache_create task 5960 flags=SLAB_HWCACHE_ALIGN,SLAB_PANIC
	slab kmem_cache_create inode 600 \
		flags=SLAB_RECLAIM_ACCOUNT,SLAB_HWCACHE_ALIGN ctor=zero
	slab kmem_cache_alloc_bulk mine 200 name=m
	slab kmem_cache_alloc_bulk inode 50 node=1 name=i
	for i in 1 2 3 4 5 6 7 8 9; do
		slab kmem_cache_alloc task cpu=$((i % 4)) name=t$i
		slab kmalloc $((i * 70)) name=k$i
		slab kmem_cache_free inode i.$((i * 4))
	done
	slab kmalloc 100K name=large
}

@test "a cache is made, used, refused while used, and removed" {
	mkdir "$mnt/slab/mine"
	[ "$(cat "$mnt/slab/mine/object_size")" = 64 ]
	slab kmem_cache_create task 5960 flags=SLAB_HWCACHE_ALIGN,SLAB_PANIC
	[ "$(cat "$mnt/slab/task/size")" = 6016 ]
	[ "$(cat "$mnt/slab/task/flags")" = "SLAB_HWCACHE_ALIGN|SLAB_PANIC" ]
	slab kmem_cache_alloc task cpu=1 name=init
	[ "$(readlink "$mnt/allocations/init/cache")" = ../../slab/task ]
	[ "$(cat "$mnt/allocations/init/size")" = 5960 ]
	[ "$(stat -c %s "$mnt/allocations/init/data")" = 5960 ]
	[ ! -e "$mnt/allocations/init/order" ]
	grep -q "new slab" "$mnt/allocations/init/why"
	fails_with "busy" rmdir "$mnt/slab/task"
	grep -q "still has objects" "$mnt/dmesg"
	rmdir "$mnt/allocations/init"
	[ ! -e "$mnt/allocations/init" ]
	rmdir "$mnt/slab/mine"
	[ ! -e "$mnt/slab/mine" ]
	fails_with "File exists" mkdir "$mnt/slab/kmalloc-64"
	fails_with "Invalid argument" rmdir "$mnt/slab/kmalloc-64"
	laws_hold
}

@test "names that were merged are links in sysfs and directories in slab" {
	slab kmem_cache_create first 100
	slab kmem_cache_create second 104
	[ "$(cat "$mnt/slab/first/aliases")" = second ]
	[ "$(cat "$mnt/slab/second/aliases")" = first ]
	[ "$(cat "$mnt/slab/first/object_size")" = 104 ]
	[ "$(readlink "$mnt/sys/kernel/slab/first")" = :0000104 ]
	[ "$(readlink "$mnt/sys/kernel/slab/second")" = :0000104 ]
	[ "$(cat "$mnt/sys/kernel/slab/second/aliases")" = 1 ]
	rmdir "$mnt/slab/second"
	[ ! -e "$mnt/sys/kernel/slab/second" ]
	[ "$(cat "$mnt/sys/kernel/slab/:0000104/aliases")" = 0 ]
	rmdir "$mnt/slab/first"
	[ ! -e "$mnt/sys/kernel/slab/:0000104" ]
	laws_hold
}

@test "lists, slabs and objects show one state" {
	slab kmem_cache_create mine 1000
	slab kmem_cache_alloc_bulk mine 20 name=m
	slab kmem_cache_free mine m.3
	slab kmem_cache_free mine m.17 cpu=2
	objects=$(cat "$mnt/slab/mine/objs_per_slab")
	[ "$(awk 'NR > 1 { n += $7; l += length($8) } END { print n, l }' \
		"$mnt/slab/mine/slabs/all")" = "$((2 * objects)) $((2 * objects))" ]
	[ "$(awk 'NR > 1' "$mnt/slab/mine/objects" | wc -l)" = $((2 * objects)) ]
	used=$(awk 'NR > 1 { n += gsub("U", "", $8) } END { print n }' \
		"$mnt/slab/mine/slabs/all")
	[ "$used" = 18 ]
	[ "$(grep -c ' used ' "$mnt/slab/mine/objects")" = 18 ]
	[ "$(awk '$4 == "used" { print $5 }' "$mnt/slab/mine/objects" |
		sort)" = "$(ls "$mnt/allocations" | sort)" ]
	# m.3 lies in the first slab, which is full but for it
	pfn=$(awk '$5 == "m.2" { print $2 }' "$mnt/slab/mine/objects")
	grep -q "^$pfn " "$mnt/slab/mine/slabs/cpu"
}

@test "a write past an object reaches its neighbour and no further than the slab" {
	slab kmem_cache_create mine 104
	slab kmem_cache_alloc mine name=a
	slab kmem_cache_alloc mine name=b
	printf hello > "$mnt/allocations/b/data"
	printf X | dd of="$mnt/allocations/a/data" bs=1 seek=104 \
		conv=notrunc status=none
	[ "$(head -c 5 "$mnt/allocations/b/data")" = Xello ]
	fails_with "File too large" dd if=/dev/zero \
		of="$mnt/allocations/a/data" bs=1 seek=4096 count=1 \
		conv=notrunc
	address=$(cat "$mnt/allocations/b/address")
	[ "$(dd if="$mnt/ram" iflag=skip_bytes,count_bytes status=none \
		skip=$((address - 0xffff888000000000)) count=5)" = Xello ]
}

@test "what is freed wrongly by name is refused, by address it happens" {
	alloc "GFP_KERNEL 0 name=page"
	slab kmalloc 30 name=obj
	fails_with "Invalid argument" slab kfree page
	grep -q "page is pages, not an object: page/free_pages frees it" \
		"$mnt/error_log"
	fails_with "Invalid argument" \
		bash -c "echo obj > '$mnt/control/page/__free_pages'"
	grep -q "obj is an object, not pages: slab/kfree frees it" \
		"$mnt/error_log"
	slab kmem_cache_alloc kmalloc-64 name=cached
	fails_with "Invalid argument" slab kfree cached
	grep -q "slab/kmem_cache_free kmalloc-64 frees it" "$mnt/error_log"
	fails_with "Invalid argument" bash -c \
		"cat '$mnt/allocations/obj/pfn' > '$mnt/control/page/__free_pages'"
	grep -q "is a page of slab cache kmalloc-32" "$mnt/error_log"
	address=$(cat "$mnt/allocations/obj/address")
	slab kfree "$address"
	[ ! -e "$mnt/allocations/obj" ]
	# a double free that nobody notices: the object is handed out twice
	slab kmalloc 30 name=other
	slab kfree "$address"
	[ ! -e "$mnt/allocations/other" ]
	fails_with "Bad address" slab kfree 0x1234
	grep -q "unable to handle page fault" "$mnt/dmesg"
}

@test "krealloc keeps the name, in place or elsewhere" {
	slab kmalloc 100 name=msg
	printf hello > "$mnt/allocations/msg/data"
	first=$(cat "$mnt/allocations/msg/address")
	slab krealloc msg 120
	[ "$(cat "$mnt/allocations/msg/address")" = "$first" ]
	[ "$(cat "$mnt/allocations/msg/size")" = 120 ]
	slab krealloc msg 3000
	[ "$(cat "$mnt/allocations/msg/address")" != "$first" ]
	[ "$(readlink "$mnt/allocations/msg/cache")" = ../../slab/kmalloc-4k ]
	[ "$(head -c 5 "$mnt/allocations/msg/data")" = hello ]
	slab krealloc msg 0
	[ ! -e "$mnt/allocations/msg" ]
	fails_with "Cannot allocate memory" slab kcalloc \
		0x100000000 0x100000000
	laws_hold
}

@test "a cache that must be made and cannot be panics the machine" {
	mount_again() {
		unmount_all
		cd - > /dev/null
		mount_machine uma-small
	}
	mount_again
	echo on > "$mnt/control/trace/tracing_on"
	# all memory is taken: there is no slab for the descriptor
	cat > "$mnt/control/batch" <<- EOF || true
		$(for order in 10 9 8 7 6 5 4 3 2 1 0; do
			for ((i = 0; i < 70; i++)); do
				echo "page/alloc_pages GFP_ATOMIC|__GFP_MEMALLOC|__GFP_NOWARN $order"
			done
		done)
	EOF
	for order in 9 8 7 6 5 4 3 2 1 0; do
		while alloc "GFP_ATOMIC|__GFP_MEMALLOC|__GFP_NOWARN $order" \
			2> /dev/null; do :; done
	done
	fails_with "Cannot allocate memory" slab kmem_cache_create quiet 100
	[ "$(grep -c "kmem_cache_create_usercopy(quiet) failed with error -12" \
		"$mnt/dmesg")" = 1 ]
	fails_with "Cannot allocate memory" \
		slab kmem_cache_create loud 100 flags=SLAB_PANIC
	[ "$(grep -c "\] Kernel panic - not syncing: kmem_cache_create_usercopy: Failed to create slab 'loud'. Error -12" \
		"$mnt/dmesg")" = 1 ]
	[ "$(cat "$mnt/machine/state")" = panic ]
	fails_with "Input/output error" slab kmalloc 10
}

@test "attributes are written as in sysfs" {
	dir=$mnt/sys/kernel/slab/kmalloc-64
	[ "$(stat -c %a "$dir/objects")" = 400 ]
	[ "$(stat -c %a "$dir/min_partial")" = 600 ]
	echo 0 > "$dir/min_partial"
	[ "$(cat "$mnt/slab/kmalloc-64/min_partial")" = 0 ]
	slab kmalloc 60 name=a
	slab kfree a
	[ "$(cat "$dir/slabs")" = "1 N0=1" ]
	echo 1 > "$dir/shrink"
	[ "$(cat "$dir/slabs")" = 0 ]
	fails_with "Invalid argument" bash -c "echo 2 > '$dir/shrink'"
	fails_with "Invalid argument" bash -c "echo 1 > '$dir/validate'"
	fails_with "out of range" bash -c \
		"echo 200 > '$dir/remote_node_defrag_ratio'"
	echo 30 > "$dir/cpu_partial"
	[ "$(cat "$dir/cpu_partial")" = 30 ]
	fails_with "Permission denied" bash -c "echo 1 > '$dir/order'"
}

@test "events tell who asked for what" {
	echo 1 > "$mnt/trace/events/kmem/enable"
	slab kmalloc 100 name=msg caller=ext4_dir_open context=irq
	slab kmem_cache_alloc kmalloc-64 GFP_ATOMIC node=1 name=obj
	slab kmem_cache_free kmalloc-64 obj
	slab kfree msg
	address=$(grep -o 'kmalloc: .*' "$mnt/trace/trace" | sed 's/.*ptr=//; s/ .*//')
	grep -q "d\.h\.\. .*: kmalloc: call_site=ext4_dir_open+0x0/0x40 ptr=$address bytes_req=100 bytes_alloc=128 gfp_flags=GFP_KERNEL node=-1 accounted=false$" \
		"$mnt/trace/trace"
	grep -q ": kmem_cache_alloc: call_site=my_function+0x0/0x40 ptr=[0-9a-f]* bytes_req=64 bytes_alloc=64 gfp_flags=GFP_ATOMIC node=1 accounted=false$" \
		"$mnt/trace/trace"
	grep -q ": kmem_cache_free: call_site=my_function+0x0/0x40 ptr=[0-9a-f]* name=kmalloc-64$" \
		"$mnt/trace/trace"
	grep -q ": kfree: call_site=my_function+0x0/0x40 ptr=$address$" \
		"$mnt/trace/trace"
	grep -q "field:__data_loc char\[\] name;	offset:24;	size:4;" \
		"$mnt/trace/events/kmem/kmem_cache_free/format"
}

@test "slabinfo, sysfs, meminfo, kpageflags and the frames agree" {
	workload
	read -r objs slabs pages < <(awk 'NR > 2 {
		o += $3; s += $15; p += $15 * $6 } END { print o, s, p }' \
		"$mnt/proc/slabinfo")
	read -r sysobjs < <(find "$mnt/sys/kernel/slab" -maxdepth 1 -type d \
		-exec cat {}/total_objects \; 2> /dev/null |
		awk '{ n += $1 } END { print n }')
	[ "$objs" -eq "$sysobjs" ]
	read -r sysslabs < <(find "$mnt/sys/kernel/slab" -maxdepth 1 -type d \
		-exec cat {}/slabs \; 2> /dev/null |
		awk '{ n += $1 } END { print n }')
	[ "$slabs" -eq "$sysslabs" ]
	# kmalloc's own pages count as slab memory too
	pages_in_use=$((pages + 32))
	[ "$(meminfo Slab)" -eq $((pages_in_use * 4)) ]
	[ "$(meminfo Slab)" -eq \
		$(($(meminfo SReclaimable) + $(meminfo SUnreclaim))) ]
	[ "$(meminfo SReclaimable)" -gt 0 ]
	[ "$(meminfo KReclaimable)" -eq "$(meminfo SReclaimable)" ]
	nodes=$(cat "$mnt"/sys/devices/system/node/node*/meminfo |
		awk '$3 == "Slab:" { n += $4 } END { print n }')
	[ "$nodes" -eq "$(meminfo Slab)" ]
	vmstat=$(($(value nr_slab_reclaimable "$mnt/proc/vmstat") +
		$(value nr_slab_unreclaimable "$mnt/proc/vmstat")))
	[ "$vmstat" -eq "$pages_in_use" ]
	zoneinfo=$(awk '$1 ~ /^nr_slab_/ { n += $2 } END { print n }' \
		"$mnt/proc/zoneinfo")
	[ "$zoneinfo" -eq "$pages_in_use" ]
	flagged=$(od -An -v -tu8 -w8 "$mnt/proc/kpageflags" |
		awk 'int($1 / 128) % 2 { n++ } END { print n }')
	[ "$flagged" -eq "$pages" ]
	laws_hold
	# and all of it comes back
	for a in "$mnt"/allocations/*; do
		rmdir "$a"
	done
	for c in mine task inode; do
		rmdir "$mnt/slab/$c"
	done
	for c in "$mnt"/slab/*; do
		echo 1 > "$c/shrink"
	done
	[ "$(meminfo Slab)" -eq 0 ]
	laws_hold
}

@test "a page of a slab says whose it is" {
	slab kmalloc 1000 name=k
	pfn=$(cat "$mnt/allocations/k/pfn")
	grep -qx "owner slab/kmalloc-1k" "$mnt/pages/$pfn/info"
	grep -qx "flags slab|compound" "$mnt/pages/$pfn/info"
	slab kmalloc 100K name=large
	pfn=$(cat "$mnt/allocations/large/pfn")
	grep -qx "owner large" "$mnt/pages/$pfn/info"
	grep -q "kmalloc-1k .* 1 *1000 *1024 *2.3$" "$mnt/kmalloc"
	grep -q "^pages .* 1 *102400 *131072 *21.8$" "$mnt/kmalloc"
}

@test "the journal of slab ops leads to the same machine" {
	workload
	slab krealloc k3 4000
	fails_with "Cannot allocate memory" slab kcalloc \
		0x100000000 0x100000000
	digest=$(cat "$mnt/history/digest")
	cat "$mnt/history/journal" > "$BATS_TEST_TMPDIR/journal"
	unmount_all
	cd - > /dev/null
	mount_machine default
	while read -r line; do
		case $line in
		kmemfs-journal*) ;;
		*ENOMEM) fails_with "Cannot allocate memory" \
			bash -c "echo '${line% -> *}' > '$mnt/control/batch'" ;;
		*) echo "$line" > "$mnt/control/batch" ;;
		esac
	done < "$BATS_TEST_TMPDIR/journal"
	[ "$(cat "$mnt/history/digest")" = "$digest" ]
}

@test "slabtop and vmstat -m read slabinfo" {
	need slabtop
	need vmstat
	workload
	run kmemfs-run "$mnt" -- slabtop -o
	[ "$status" -eq 0 ]
	total=$(awk 'NR > 2 { a += $2; t += $3 } END { print a " / " t }' \
		"$mnt/proc/slabinfo")
	[[ "${lines[0]}" == *": $total ("* ]]
	slabs=$(awk 'NR > 2 { n += $15 } END { print n }' "$mnt/proc/slabinfo")
	[[ "${lines[1]}" == *": $slabs / $slabs ("* ]]
	grep -q " task *$" <<< "$output"
	run kmemfs-run "$mnt" -- vmstat -m
	[ "$status" -eq 0 ]
	grep -q "^task  *$(awk '$1 == "task" { print $2, "*" $3, "*" $4 }' \
		"$mnt/proc/slabinfo")" <<< "$output"
}

@test "prometheus-node-exporter scrapes slabinfo" {
	need prometheus-node-exporter
	need curl
	workload
	port=$((20000 + BASHPID % 20000))
	log=$BATS_TEST_TMPDIR/exporter
	prometheus-node-exporter --path.procfs="$mnt/proc" \
		--web.listen-address="127.0.0.1:$port" \
		--collector.disable-defaults --collector.slabinfo \
		> "$log" 2>&1 3>&- &
	exporter=$!
	soon curl -sf -o "$log.metrics" "http://127.0.0.1:$port/metrics" || {
		kill "$exporter"
		cat "$log" >&2
		false
	}
	kill "$exporter"
	wait "$exporter" || true
	grep -qxF 'node_scrape_collector_success{collector="slabinfo"} 1' \
		"$log.metrics"
	grep -qxF "node_slabinfo_active_objects{slab=\"task\"} $(awk \
		'$1 == "task" { print $2 }' "$mnt/proc/slabinfo")" \
		"$log.metrics"
}

@test "page-types counts slab pages" {
	need gcc
	tests/mount/build-page-types "$bin/page-types" ||
		skip "the kernel's source package is not installed"
	workload
	run "$bin/page-types" -b slab -F "$mnt/proc/kpageflags"
	[ "$status" -eq 0 ]
	[ "$(awk '$1 == "total" { print $2 }' <<< "$output")" -eq \
		$(($(meminfo Slab) / 4 - 32)) ]
}

@test "the kernel's slabinfo adds up sysfs" {
	need gcc
	[ -d /sys/kernel/slab ] || skip "the host has no /sys/kernel/slab"
	tests/mount/build-slabinfo "$bin/slabinfo" ||
		skip "the kernel's source package is not installed"
	workload
	run kmemfs-run "$mnt" -- "$bin/slabinfo" -l
	[ "$status" -eq 0 ]
	grep -Eq '^task +20 +5960 ' <<< "$output"
	run kmemfs-run "$mnt" -- "$bin/slabinfo" -T
	[ "$status" -eq 0 ]
	objects=$(find "$mnt/sys/kernel/slab" -maxdepth 1 -type d \
		-exec cat {}/objects \; 2> /dev/null |
		awk '{ n += $1 } END { print n }')
	[[ "$output" == *"# Objects"*" $objects"* ]]
	run kmemfs-run "$mnt" -- "$bin/slabinfo" -s kmalloc
	[ "$status" -eq 0 ]
	grep -q 'slab/attribute kmalloc-64 shrink 1' "$mnt/history/journal"
}

@test "a machine of 2.6: slabinfo has tunables, and slabtop reads it" {
	need slabtop
	unmount_all
	mount_machine slab-classic
	slab kmem_cache_create task 5960 flags=SLAB_HWCACHE_ALIGN,SLAB_PANIC
	slab kmem_cache_alloc_bulk task 20 name=t
	slab kmalloc 100 name=k
	slab kmalloc 1000 name=l
	[ "$(cat "$mnt/slab/task/allocator")" = slab ]
	grep -Eq '^task +20 +20 +6016 +1 +2 : tunables +8 +4 +0 : slabdata +20 +20 +0$' \
		"$mnt/proc/slabinfo"
	grep -Eq '^size-128 +[0-9]+ +30 +128 +30 +1 : tunables +120 +60 +8 :' \
		"$mnt/proc/slabinfo"
	[ ! -e "$mnt/sys/kernel/slab" ]
	run kmemfs-run "$mnt" -- slabtop -o
	[ "$status" -eq 0 ]
	total=$(awk 'NR > 2 { a += $2; t += $3 } END { print a " / " t }' \
		"$mnt/proc/slabinfo")
	[[ "${lines[0]}" == *": $total ("* ]]
	grep -q " task *$" <<< "$output"
	laws_hold
	# Busy: put back, in the words of the time.
	run rmdir "$mnt/slab/task"
	[ "$status" -ne 0 ]
	grep -q "slab error in kmem_cache_destroy(): cache \`task': Can't free all objects" \
		"$mnt/dmesg"
	# What was freed goes back with time.
	rmdir "$mnt"/allocations/t.*
	rmdir "$mnt/allocations/k"
	pages=$(meminfo Slab)
	echo 600s > "$mnt/control/clock/advance"
	[ "$(meminfo Slab)" -lt "$pages" ]
	grep -Eq '^task +0 +0 ' "$mnt/proc/slabinfo"
	laws_hold
}

@test "a tiny machine has SLOB: no slabinfo, and its pages in slob" {
	unmount_all
	mount_machine embedded
	[ ! -e "$mnt/proc/slabinfo" ]
	[ ! -e "$mnt/sys/kernel/slab" ]
	slab kmem_cache_create mine 200
	slab kmem_cache_alloc mine name=a
	slab kmalloc 100 name=b
	slab kmalloc 100 name=c
	echo hello > "$mnt/allocations/c/data"
	rmdir "$mnt/allocations/b"
	[ "$(head -c 5 "$mnt/allocations/c/data")" = hello ]
	awk 'NR == 2 && $3 == "small" && $5 ~ /^[0-9]+[+]112,/ { ok = 1 }
		END { exit !ok }' "$mnt/slob"
	laws_hold
	rmdir "$mnt/allocations/c" "$mnt/allocations/a"
	laws_hold
}

@test "the three allocators are compared without touching the machine" {
	memory=$(cat "$mnt/proc/buddyinfo")
	[ ! -s "$mnt/labs/slabs" ]
	echo "small seed=7 operations=20000 live=1000" \
		> "$mnt/control/labs/compare_slabs"
	[ "$(cat "$mnt/proc/buddyinfo")" = "$memory" ]
	[ "$(awk '$1 == "live_objects" { print ($2 == $3 && $3 == $4) }' \
		"$mnt/labs/slabs")" = 1 ]
	[ "$(awk '$1 == "asked_bytes" { print ($2 == $3 && $3 == $4) }' \
		"$mnt/labs/slabs")" = 1 ]
	live=$(awk '$1 == "live_objects" { print $4 }' "$mnt/labs/slabs")
	[ "$(awk 'NR > 1 { s += $4 } END { print s }' \
		"$mnt/labs/slabs_sets")" = "$live" ]
	run bash -c 'echo nosuch > "$0"' "$mnt/control/labs/compare_slabs"
	[ "$status" -ne 0 ]
}
