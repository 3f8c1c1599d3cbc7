#!/usr/bin/env bats
# Programs that look at processes take the modelled tasks for theirs.

load common

setup() {
	new_mountpoint
	mount_machine default
	ctl task/fork "name=sh"
	ctl vm/mmap "sh 10M name=heap"
	heap=$(cat "$mnt/allocations/heap/address")
	ctl vm/touch "sh $heap 10M access=write"
	sh=$(cat "$mnt/tasks/sh/pid")
}

status_of() { # PID KEY
	value "$2:" "$mnt/proc/$1/status"
}

# A child that shares the heap and has written to the first quarter of it.
make_child() {
	ctl task/fork "sh name=child"
	ctl vm/touch "child $heap 2560K access=write"
	child=$(cat "$mnt/tasks/child/pid")
}

sums() { # FIELD FILE: the sum of a field of smaps
	awk -v key="$1:" '$1 == key { n += $2 } END { print n }' "$2"
}

@test "ps shows every task with the memory it has" {
	need ps
	make_child
	run kmemfs-run --all "$mnt" -- ps -e -o pid=,ppid=,rss=,vsz=,pss=,comm=
	[ "$status" -eq 0 ]
	[ "${#lines[@]}" -eq 3 ]
	for pid in 1 "$sh" "$child"; do
		read -r _ ppid rss vsz pss comm < <(grep "^ *$pid " <<< "$output")
		[ "$ppid" = "$(status_of "$pid" PPid)" ]
		[ "$rss" = "$(status_of "$pid" VmRSS)" ]
		[ "$vsz" = "$(status_of "$pid" VmSize)" ]
		[ "$pss" = "$(sums Pss "$mnt/proc/$pid/smaps_rollup")" ]
		[ "$comm" = "$(cat "$mnt/proc/$pid/comm")" ]
	done
	[ "$(status_of "$sh" VmRSS)" -ge 10240 ]
}

@test "ps shows threads below their process" {
	need ps
	ctl task/fork "sh name=worker share=thread"
	worker=$(cat "$mnt/tasks/worker/pid")
	run kmemfs-run --all "$mnt" -- ps -L -p "$sh" -o pid=,lwp=,nlwp=,rss=
	[ "$status" -eq 0 ]
	[ "$(awk '{ print $1, $2, $3 }' <<< "$output")" = "$sh $sh 2
$sh $worker 2" ]
	run ls "$mnt/proc"
	[[ "$output" != *"$worker"* ]]
	[ "$(status_of "$worker" Tgid)" = "$sh" ]
	[ "$(ls "$mnt/proc/$sh/task")" = "$sh
$worker" ]
}

@test "top lists the tasks with their sizes" {
	need top
	make_child
	run kmemfs-run --all "$mnt" -- top -b -n 1
	[ "$status" -eq 0 ]
	[[ "$output" == *"Tasks:   3 total"* ]]
	for pid in "$sh" "$child"; do
		read -r _ _ _ _ virt res shr _ < <(grep "^ *$pid " <<< "$output")
		[ "$virt" = "$(status_of "$pid" VmSize)" ]
		[ "$res" = "$(status_of "$pid" VmRSS)" ]
		[ "$shr" = "$(status_of "$pid" RssFile)" ]
	done
}

@test "pmap adds up what status says" {
	need pmap
	make_child
	for pid in "$sh" "$child"; do
		run kmemfs-run --all "$mnt" -- pmap -X "$pid"
		[ "$status" -eq 0 ]
		# columns: address, rights, offset, device, inode, size, rss, pss
		read -r size rss pss _ <<< "${lines[-1]}"
		[ "$size" = "$(status_of "$pid" VmSize)" ]
		[ "$rss" = "$(status_of "$pid" VmRSS)" ]
		[ "$pss" -eq "$(sums Pss "$mnt/proc/$pid/smaps")" ]
		[[ "$output" == *"[stack]"* ]]
		run kmemfs-run --all "$mnt" -- pmap "$pid"
		[ "$status" -eq 0 ]
		[[ "${lines[-1]}" =~ total\ +$(status_of "$pid" VmSize)K ]]
		run kmemfs-run --all "$mnt" -- pmap -x "$pid"
		[ "$(awk '/^total/ { print $4 }' <<< "$output")" = \
			"$(status_of "$pid" VmRSS)" ]
	done
}

@test "smem shares out what tasks have in common" {
	need smem
	make_child
	run smem -S "$mnt" -H -c "pid uss pss rss"
	[ "$status" -eq 0 ]
	for pid in "$sh" "$child"; do
		read -r _ uss pss rss < <(grep "^ *$pid " <<< "$output")
		smaps=$mnt/proc/$pid/smaps
		[ "$rss" = "$(status_of "$pid" VmRSS)" ]
		[ "$pss" = "$(sums Pss "$smaps")" ]
		[ "$uss" = $(($(sums Private_Clean "$smaps") + $(sums Private_Dirty "$smaps"))) ]
	done
	# What all have together is what is mapped, up to what rounding loses.
	total=$(awk '{ n += $3 } END { print n }' <<< "$output")
	mapped=$(($(meminfo AnonPages) + $(meminfo Mapped)))
	[ "$total" -le "$mapped" ]
	[ "$total" -gt $((mapped - 20)) ]
}

@test "numastat -p tells on which node a task's pages are" {
	need numastat
	ctl task/fork "name=far cpu=2"
	ctl vm/mmap "far 8M name=there"
	ctl task/run "far 2"
	ctl vm/touch "far $(cat "$mnt/allocations/there/address") 8M access=write"
	far=$(cat "$mnt/tasks/far/pid")
	run kmemfs-run --all "$mnt" -- numastat -p "$far"
	[ "$status" -eq 0 ]
	read -r _ _ node1 total < <(awk '/^Total/' <<< "$output")
	want=$(awk -v kb="$(status_of "$far" VmRSS)" 'BEGIN { printf "%.2f", kb / 1024 }')
	[ "$total" = "$want" ]
	[ "${node1%.*}" -eq 8 ]
}

@test "page-types walks a task's pages as pagemap has them" {
	need gcc
	tests/mount/build-page-types "$bin/page-types" ||
		skip "the kernel's source package is not installed"
	make_child
	run kmemfs-run --all "$mnt" -- "$bin/page-types" -p "$sh" -r
	[ "$status" -eq 0 ]
	pages=$(awk '$2 == "total" { print $3 } $1 == "total" { print $2 }' <<< "$output" | tail -n 1)
	[ $((pages * 4)) -eq "$(status_of "$sh" VmRSS)" ]
	[[ "$output" == *anonymous* ]]
	run kmemfs-run --all "$mnt" -- "$bin/page-types" -p "$sh" -L -N -r
	[ "$status" -eq 0 ]
	# each frame is where pages/ says that the task has it
	read -r at pfn _ < <(grep '^[0-9a-f]' <<< "$output" | tail -n 1)
	grep -q "^$sh 0x${at}000 " "$mnt/pages/$((0x$pfn))/mappings"
}

@test "a task's directory comes and goes with it" {
	make_child
	[ -d "$mnt/proc/$child" ]
	exec 4< "$mnt/proc/$child/stat"
	read -r _ <&4
	ctl task/exit child
	ctl task/wait sh
	[ ! -e "$mnt/proc/$child" ]
	run ls "$mnt/proc"
	[[ "$output" != *"$child
"* ]]
	exec 4<&-
}

@test "what is written to a task's files is an op" {
	echo 500 > "$mnt/proc/$sh/oom_score_adj"
	[ "$(cat "$mnt/proc/$sh/oom_score_adj")" = 500 ]
	fails_with "Invalid argument" bash -c "echo 1001 > '$mnt/proc/$sh/oom_score_adj'"
	echo worker > "$mnt/proc/$sh/comm"
	[ "$(cat "$mnt/proc/$sh/comm")" = worker ]
	echo 1 > "$mnt/proc/$sh/clear_refs"
	[ "$(sums Referenced "$mnt/proc/$sh/smaps")" -eq 0 ]
	fails_with "Invalid argument" bash -c "echo 6 > '$mnt/proc/$sh/clear_refs'"
	grep -q "^task/oom_score_adj" "$mnt/history/journal"
	grep -q "^task/clear_refs" "$mnt/history/journal"
	grep -q "^task/comm" "$mnt/history/journal"
	laws_hold
}

@test "mem and pagemap are read and written at addresses" {
	python3 - "$mnt" "$sh" "$heap" <<- 'EOF'
		import os, struct, sys
		mnt, pid, heap = sys.argv[1], sys.argv[2], int(sys.argv[3], 0)
		fd = os.open(f"{mnt}/proc/{pid}/mem", os.O_RDWR)
		assert os.pwrite(fd, b"jello", heap + 4094) == 5
		assert os.pread(fd, 7, heap + 4093) == b"\0jello\0"
		try:
		    os.pread(fd, 8, 0x1000)
		    sys.exit("nothing is at 0x1000")
		except OSError as e:
		    assert e.errno == 5, e
		maps = os.open(f"{mnt}/proc/{pid}/pagemap", os.O_RDONLY)
		entry, = struct.unpack("<Q", os.pread(maps, 8, heap >> 9))
		assert entry >> 63 and not entry >> 61 & 1
		pfn = entry & (1 << 55) - 1
		data = open(f"{mnt}/pages/{pfn}/data", "rb").read()
		assert data[4094:] == b"je"
		assert os.lseek(maps, 0, os.SEEK_DATA) == 0x400 * 8
	EOF
}

@test "a look at all files of a task changes nothing" {
	make_child
	digest=$(cat "$mnt/history/digest")
	for pid in 1 "$sh" "$child"; do
		for file in stat statm status cmdline comm maps smaps \
			smaps_rollup numa_maps oom_score oom_score_adj; do
			cat "$mnt/proc/$pid/$file" > "$BATS_TEST_TMPDIR/out"
			[ -s "$BATS_TEST_TMPDIR/out" ]
		done
	done
	[ "$(cat "$mnt/history/digest")" = "$digest" ]
}
