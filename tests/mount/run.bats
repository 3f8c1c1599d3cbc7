# kmemfs-do and kmemfs-run.

load common

setup() {
	new_mountpoint
}

need_mount_namespaces() {
	unshare -m true 2> /dev/null || skip "no mount namespaces"
}

@test "kmemfs-do prints the answer" {
	mount_machine
	run kmemfs-do "$mnt" page/alloc_pages GFP_KERNEL 3 name=buf
	[ "$status" -eq 0 ]
	[[ "$output" == "buf pfn="*" order=3 "* ]]
	[ -d "$mnt/allocations/buf" ]
}

@test "kmemfs-do exits with the errno, its answer on standard error" {
	mount_machine
	run kmemfs-do "$mnt" page/alloc_pages GFP_KERNAL
	[ "$status" -eq 22 ]
	[[ "$output" == "error EINVAL "* ]]
	run kmemfs-do "$mnt" page/free_pages nosuch
	[ "$status" -ne 0 ]
	[ "$status" -eq "$(python3 -c 'import errno, sys; print(getattr(errno, sys.argv[1]))' "$(echo "$output" | cut -d' ' -f2)")" ]
	run bash -c 'kmemfs-do "$1" page/alloc_pages GFP_KERNAL 2> /dev/null' - "$mnt"
	[ -z "$output" ]
	run kmemfs-do "$mnt" no/such_op
	[ "$status" -eq 2 ]
	run kmemfs-do "$BATS_TEST_TMPDIR" page/alloc_pages
	[ "$status" -eq 2 ]
	run kmemfs-do "$mnt"
	[ "$status" -eq 125 ]
}

@test "kmemfs-do takes a long line as one op" {
	mount_machine
	kmemfs-do "$mnt" page/alloc_pages GFP_KERNEL 3 name=buf
	head -c 30000 /dev/zero | tr '\0' x > "$BATS_TEST_TMPDIR/bytes"
	kmemfs-do "$mnt" bytes/write allocations/buf 0 "base64:$(base64 -w 0 "$BATS_TEST_TMPDIR/bytes")"
	cmp -n 30000 "$mnt/allocations/buf/data" "$BATS_TEST_TMPDIR/bytes"
}

@test "kmemfs-run puts the model's files over the host's, for the command only" {
	need_mount_namespaces
	mount_machine
	run kmemfs-run "$mnt" -- cat /proc/buddyinfo
	[ "$status" -eq 0 ]
	[ "$output" = "$(cat "$mnt/proc/buddyinfo")" ]
	run kmemfs-run "$mnt" cat /sys/devices/system/node/online
	[ "$output" = "$(cat "$mnt/sys/devices/system/node/online")" ]
	not cmp -s /proc/buddyinfo "$mnt/proc/buddyinfo"
	not findmnt -n /proc/buddyinfo
}

@test "what the model's kernel has no folder or file for is not the host's in kmemfs-run" {
	need_mount_namespaces
	mount_machine embedded
	run kmemfs-run "$mnt" -- find /sys/devices/system/node \
		/sys/devices/system/memory /sys/kernel/slab -mindepth 1
	[ -z "$(grep "^/" <<< "$output")" ]
	run kmemfs-run "$mnt" -- cat /proc/slabinfo
	[[ "$output" != *kmalloc* ]]
}

@test "kmemfs-run gives the command's words, and its status back" {
	need_mount_namespaces
	mount_machine
	run kmemfs-run "$mnt" -- sh -c 'exit 7'
	[ "$status" -eq 7 ]
	run kmemfs-run "$mnt" -- printf '<%s>' "a b" '$c' --all
	[ "$output" = '<a b><$c><--all>' ]
	run kmemfs-run "$mnt"
	[ "$status" -eq 125 ]
	run kmemfs-run "$BATS_TEST_TMPDIR" -- true
	[ "$status" -eq 125 ]
}

@test "writes through kmemfs-run reach the model" {
	need_mount_namespaces
	mount_machine
	host=$(cat /proc/sys/vm/min_free_kbytes)
	kmemfs-run "$mnt" -- sh -c 'echo 12345 > /proc/sys/vm/min_free_kbytes'
	[ "$(cat "$mnt/proc/sys/vm/min_free_kbytes")" = 12345 ]
	[ "$(cat /proc/sys/vm/min_free_kbytes)" = "$host" ]
}

@test "kmemfs-run --all replaces proc and sys as a whole" {
	need_mount_namespaces
	mount_machine
	run kmemfs-run --all "$mnt" -- sh -c 'echo $$; cat /proc/meminfo'
	[ "$status" -eq 0 ]
	[ "${lines[0]}" = 1 ]
	[ "${lines[1]}" = "$(head -n 1 "$mnt/proc/meminfo")" ]
	run kmemfs-run --all "$mnt" -- ls /proc
	[ "$output" = "$(ls "$mnt/proc")" ]
	run kmemfs-run --all "$mnt" -- sh -c 'exit 9'
	[ "$status" -eq 9 ]
}

@test "kmemfs-run works for an ordinary user" {
	[ "$(id -u)" = 0 ] || skip "only root can become another"
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR"/* "$BATS_TEST_TMPDIR"
	other() {
		setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
	}
	other unshare -rm true 2> /dev/null || skip "no user namespaces for ordinary users"
	mount_machine -o allow_other
	install -m 755 "$(command -v kmemfs-run)" "$BATS_TEST_TMPDIR/kmemfs-run"
	run other "$BATS_TEST_TMPDIR/kmemfs-run" "$mnt" -- cat /proc/buddyinfo
	[ "$status" -eq 0 ]
	[ "$output" = "$(cat "$mnt/proc/buddyinfo")" ]
}
