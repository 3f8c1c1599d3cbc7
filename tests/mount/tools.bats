#!/usr/bin/env bats
# Programs that nobody wrote for this mount read it as they read a kernel.

load common

setup() {
	new_mountpoint
	mount_machine default
}

zone_sum() { # the sum of "pages free" and its like in zoneinfo
	awk -v key="$1" '$1 == key || ($1 == "pages" && $2 == key) { n += $NF }
		END { print n + 0 }' "$mnt/proc/zoneinfo"
}

@test "free shows the machine's memory" {
	need free
	alloc "GFP_KERNEL 10 name=big"
	run kmemfs-run "$mnt" -- free -w
	[ "$status" -eq 0 ]
	read -r _ total _ free _ _ _ available <<< "${lines[1]}"
	[ "$total" = "$(meminfo MemTotal)" ]
	[ "$free" = "$(meminfo MemFree)" ]
	[ "$available" = "$(meminfo MemAvailable)" ]
	[ "$free" -eq $((total - 4096)) ]
}

@test "vmstat reads memory, counters and idle time" {
	need vmstat
	echo 10s > "$mnt/control/clock/advance"
	run kmemfs-run "$mnt" -- vmstat -s
	[ "$status" -eq 0 ]
	[[ "$output" == *"$(meminfo MemTotal) K total memory"* ]]
	[[ "$output" == *" 4000 idle cpu ticks"* ]]
	run kmemfs-run "$mnt" -- vmstat
	[ "$status" -eq 0 ]
	[ "$(awk '{ print $4 }' <<< "${lines[2]}")" = "$(meminfo MemFree)" ]
	[ "$(awk '{ print $15 }' <<< "${lines[2]}")" = 100 ]
}

@test "free sees an allocation between two of its lines" {
	need free
	# to a terminal, else it prints all at its end
	need script
	exec 4< <(script -qfc "kmemfs-run '$mnt' -- free -s 1 -c 2" \
		/dev/null < /dev/null)
	read -r _ <&4 && read -r _ _ _ first _ <&4
	alloc "GFP_KERNEL 10 name=big"
	read -r _ <&4 && read -r _ <&4 && read -r _ <&4
	read -r _ _ _ second _ <&4
	exec 4<&-
	[ "$second" -eq $((first - 4096)) ]
}

@test "numactl -H shows nodes, CPUs and distances" {
	need numactl
	run kmemfs-run "$mnt" -- numactl -H
	[ "$status" -eq 0 ]
	[ "${lines[0]}" = "available: 2 nodes (0-1)" ]
	[ "${lines[1]}" = "node 0 cpus: 0 1" ]
	[ "${lines[4]}" = "node 1 cpus: 2 3" ]
	size=$(awk '/MemTotal/ { print int($4 / 1024) }' \
		"$mnt/sys/devices/system/node/node1/meminfo")
	[ "${lines[5]}" = "node 1 size: $size MB" ]
	[[ "$output" == *"0:  10  20"* ]]
}

@test "numactl -H shows four nodes with uneven distances" {
	need numactl
	unmount_all
	cd - > /dev/null
	mount_machine numa-4
	run kmemfs-run "$mnt" -- numactl -H
	[ "$status" -eq 0 ]
	[ "${lines[0]}" = "available: 4 nodes (0-3)" ]
	for node in 0 1 2 3; do
		row=$(tr -s ' ' <<< "$output" | grep "^ $node: " | sed 's/ *$//')
		[ "$row" = " $node: $(cat "$mnt/nodes/$node/distance")" ]
	done
}

@test "numastat counts hits on the node that was asked" {
	need numastat
	for i in 1 2 3; do
		alloc "GFP_KERNEL 0 node=1 name=n$i"
	done
	run kmemfs-run "$mnt" -- numastat
	[ "$status" -eq 0 ]
	[[ "$output" =~ numa_hit\ +0\ +3 ]]
	run kmemfs-run "$mnt" -- numastat -m
	[ "$status" -eq 0 ]
	[[ "$output" == *MemTotal* ]]
	[[ "$output" == *KReclaimable* ]]
}

@test "lsmem lists memory blocks, holes and zones" {
	need lsmem
	run lsmem --sysroot "$mnt" -n -b -o RANGE,SIZE,STATE,REMOVABLE,BLOCK,NODE,ZONES
	[ "$status" -eq 0 ]
	[[ "${lines[0]}" == 0x0000000000000000-*" 134217728 "*online*yes*None ]]
	[[ "${lines[1]}" == *"1-23"*DMA32 ]]
	[[ "${lines[2]}" == 0x0000000100000000-*" 0 "*Normal ]]
	[[ "${lines[3]}" == *-0x000000023fffffff*" 1 "*Normal ]]
}

@test "chmem takes a block offline and brings it back" {
	need chmem
	total=$(meminfo MemTotal)
	run kmemfs-run "$mnt" -- chmem -v -d -b 70
	[ "$status" -eq 0 ]
	[[ "$output" == "Memory Block 70 "*" disabled" ]]
	[ "$(meminfo MemTotal)" -eq $((total - 131072)) ]
	[[ "$(lsmem --sysroot "$mnt" -n -o BLOCK,STATE,ZONES)" == *"70"*"offline Normal/Movable"* ]]
	run kmemfs-run "$mnt" -- chmem -v -e -b 70
	[ "$status" -eq 0 ]
	[ "$(meminfo MemTotal)" -eq "$total" ]
	grep -q '^memory/state' "$mnt/history/journal"
}

@test "lscpu finds CPUs, packages and nodes" {
	need lscpu
	run env LC_ALL=C lscpu --sysroot "$mnt"
	[ "$status" -eq 0 ]
	[[ "$output" =~ CPU\(s\):\ +4 ]]
	[[ "$output" =~ Socket\(s\):\ +2 ]]
	[[ "$output" =~ NUMA\ node1\ CPU\(s\):\ +2,3 ]]
}

@test "lstopo draws packages and NUMA nodes" {
	need lstopo-no-graphics
	run sh -c 'lstopo-no-graphics --no-io --input "$1" 2> "$1.err"' sh "$mnt"
	[ "$status" -eq 0 ]
	mb=$((($(meminfo MemTotal) + 512) / 1024))
	[ "${lines[0]}" = "Machine (${mb}MB total)" ]
	[[ "$output" == *"NUMANode L#1 (P#1 "* ]]
	[ "$(grep -c 'PU L#' <<< "$output")" -eq 4 ]
}

@test "sysctl reads and writes" {
	need sysctl
	run kmemfs-run "$mnt" -- sysctl vm.lowmem_reserve_ratio
	[ "$output" = $'vm.lowmem_reserve_ratio = 256\t256\t32\t0\t0' ]
	low=$(cat "$mnt/nodes/0/zones/DMA32/watermarks/low")
	run kmemfs-run "$mnt" -- sysctl -w vm.watermark_scale_factor=200
	[ "$status" -eq 0 ]
	[ "$(cat "$mnt/proc/sys/vm/watermark_scale_factor")" = 200 ]
	[ "$(cat "$mnt/nodes/0/zones/DMA32/watermarks/low")" -gt "$low" ]
	run kmemfs-run "$mnt" -- sysctl -w vm.watermark_scale_factor=9000
	[[ "$output" == *"Invalid argument"* ]]
}

@test "prometheus-node-exporter scrapes every collector that has files here" {
	need prometheus-node-exporter
	need curl
	collectors="meminfo meminfo_numa vmstat buddyinfo zoneinfo ksmd pressure
		stat loadavg"
	alloc "GFP_KERNEL 3 node=1 name=x"
	flags=
	for c in $collectors; do
		flags="$flags --collector.$c"
	done
	port=$((20000 + BASHPID % 20000))
	log=$BATS_TEST_TMPDIR/exporter
	# shellcheck disable=SC2086
	prometheus-node-exporter --path.procfs="$mnt/proc" \
		--path.sysfs="$mnt/sys" --web.listen-address="127.0.0.1:$port" \
		--collector.disable-defaults $flags \
		--collector.vmstat.fields='.*' > "$log" 2>&1 3>&- &
	exporter=$!
	soon curl -sf -o "$log.metrics" "http://127.0.0.1:$port/metrics" || {
		kill "$exporter"
		cat "$log" >&2
		false
	}
	kill "$exporter"
	wait "$exporter" || true
	for c in $collectors; do
		grep -qxF "node_scrape_collector_success{collector=\"$c\"} 1" \
			"$log.metrics"
	done
	blocks=$(cat "$mnt/nodes/1/zones/Normal/orders/10/nr_free")
	grep -qxF "node_buddyinfo_blocks{node=\"1\",size=\"10\",zone=\"Normal\"} $blocks" \
		"$log.metrics"
	grep -q "^node_zoneinfo_min_pages{node=\"0\",zone=\"DMA32\"} $(cat \
		"$mnt/nodes/0/zones/DMA32/watermarks/min")\$" "$log.metrics"
	grep -q '^node_memory_numa_MemTotal{node="1"}' "$log.metrics"
	grep -q "^node_vmstat_nr_free_pages " "$log.metrics"
}

@test "page-types counts as many free pages as there are" {
	need gcc
	tests/mount/build-page-types "$bin/page-types" ||
		skip "the kernel's source package is not installed"
	alloc "GFP_KERNEL|__GFP_COMP 4 name=comp"
	run "$bin/page-types" -r -F "$mnt/proc/kpageflags"
	[ "$status" -eq 0 ]
	buddy=$(awk '$NF == "buddy" { print $2 }' <<< "$output")
	[ "$buddy" -eq "$(zone_sum free)" ]
	[ "$(awk '$NF == "compound_head" { print $2 }' <<< "$output")" -eq 1 ]
	[ "$(awk '$NF == "compound_tail" { print $2 }' <<< "$output")" -eq 15 ]
	present=$(zone_sum present)
	managed=$(zone_sum managed)
	reserved=$(awk '$NF == "reserved" { print $2 }' <<< "$output")
	[ "$reserved" -ge $((present - managed)) ]
}

@test "ps and top see the first task and nobody else" {
	need ps
	need top
	run kmemfs-run --all "$mnt" -- ps -e -o pid,comm
	[ "$status" -eq 0 ]
	[ "$(awk 'NR > 1 { print $1, $2 }' <<< "$output")" = "1 init" ]
	run kmemfs-run --all "$mnt" -- top -b -n 1
	[ "$status" -eq 0 ]
	[[ "$output" == *"1 total,"* ]]
}

@test "a program that keeps a file open and rewinds it sees the present" {
	exec 4< "$mnt/proc/meminfo"
	before=$(python3 -c 'import os; print(os.pread(4, 8191, 0).decode())' |
		awk '/MemFree/ { print $2 }')
	alloc "GFP_KERNEL 10 name=big"
	after=$(python3 -c 'import os; print(os.pread(4, 8191, 0).decode())' |
		awk '/MemFree/ { print $2 }')
	exec 4<&-
	[ "$after" -eq $((before - 4096)) ]
}
