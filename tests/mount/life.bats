# From mounting to unmounting, and what can go wrong between.

load common

setup() {
	new_mountpoint
}

@test "the mount can be used as soon as the command returns" {
	mount_machine
	[ -s "$mnt/proc/meminfo" ]
	[ "$(findmnt -no FSTYPE "$mnt")" = fuse.kmemfs ]
	[ "$(findmnt -no SOURCE "$mnt")" = default ]
	findmnt -no OPTIONS "$mnt" | grep -q default_permissions
}

@test "help and version go to standard output" {
	run kmemfs --version
	[ "$status" -eq 0 ]
	[[ "$output" == kmemfs\ [0-9]* ]]
	run kmemfs --help
	[ "$status" -eq 0 ]
	[[ "$output" == *--realtime* ]]
}

@test "a wrong command line is refused with status 1 and a reason" {
	fails_with "no mount point" kmemfs
	[ "$status" -eq 1 ]
	fails_with "too many" kmemfs a b c
	fails_with "nknown option" kmemfs --nonsense "$mnt"
	fails_with "unknown option" kmemfs -o nonsense "$mnt"
	fails_with "threads" kmemfs --threads 0 "$mnt"
	fails_with "size" kmemfs --ram-limit lots "$mnt"
	fails_with "No such file" kmemfs "$mnt/absent"
	touch "$BATS_TEST_TMPDIR/plain"
	fails_with "Not a directory" kmemfs "$BATS_TEST_TMPDIR/plain"
	not mountpoint -q "$mnt"
}

@test "an unknown or wrong machine is refused before anything is mounted" {
	fails_with "nosuch" mount_machine nosuch
	[ "$status" -eq 1 ]
	printf '[machine]\nwheels = 4\n' > "$BATS_TEST_TMPDIR/bad.ini"
	fails_with "bad.ini:2" mount_machine "$BATS_TEST_TMPDIR/bad.ini"
	not mountpoint -q "$mnt"
}

@test "a machine comes from standard input" {
	mount_machine uma-small
	cat "$mnt/machine/config" > "$BATS_TEST_TMPDIR/small.ini"
	size=$(stat -c %s "$mnt/ram")
	unmount_all
	mount_machine - < "$BATS_TEST_TMPDIR/small.ini"
	cmp "$mnt/machine/config" "$BATS_TEST_TMPDIR/small.ini"
	[ "$(stat -c %s "$mnt/ram")" -eq "$size" ]
}

need_no_sanitizer() {
	not grep -q "__[at]san_init" "$bin/kmemfs" || skip "built with a sanitizer"
}

@test "SIGTERM and SIGINT unmount, with status 0 in the foreground" {
	for signal in TERM INT; do
		env --default-signal=TERM,INT kmemfs -f "$mnt" \
			> "$BATS_TEST_TMPDIR/$signal" 3>&- &
		daemon=$!
		soon grep -q "ready $mnt" "$BATS_TEST_TMPDIR/$signal"
		[ -s "$mnt/proc/meminfo" ]
		kill -$signal "$daemon"
		wait "$daemon"
		not mountpoint -q "$mnt"
	done
}

@test "a signal that comes just before a request is waited for ends the daemon" {
	need cc
	# A sanitizer wants to be the first that is loaded.
	need_no_sanitizer
	early=$BATS_TEST_TMPDIR/early.so
	cc -shared -fPIC -o "$early" "$BATS_TEST_DIRNAME/signal-before-read.c"
	# It does not come back by itself, if it waits: nobody asks anything.
	env --default-signal=TERM LD_PRELOAD="$early" \
		kmemfs -f uma-small "$mnt" > /dev/null 3>&- &
	daemon=$!
	ended() {
		not kill -0 "$daemon"
	}
	soon ended
	wait "$daemon"
	not mountpoint -q "$mnt"
}

@test "many signals end the daemon as one does, with status 0" {
	for signal in TERM INT HUP; do
		env --default-signal=$signal kmemfs -f "$mnt" \
			> "$BATS_TEST_TMPDIR/$signal" 3>&- &
		daemon=$!
		soon grep -q "ready $mnt" "$BATS_TEST_TMPDIR/$signal"
		while kill -$signal "$daemon" 2> /dev/null; do
			:
		done
		wait "$daemon"
		not mountpoint -q "$mnt"
	done
}

@test "SIGTERM ends a daemon that has sleepers and open files" {
	mount_machine
	cat "$mnt/trace/trace_pipe" 3>&- &
	reader=$!
	exec 9< "$mnt/proc/meminfo"
	kill -TERM "$(daemon_pid)"
	soon no_daemon
	wait "$reader" || true
	exec 9<&-
	not mountpoint -q "$mnt"
}

@test "SIGTERM ends a daemon that is busy" {
	for round in 1 2 3 4 5; do
		mount_machine
		for who in 1 2 3; do
			(
				while echo "GFP_KERNEL name=w$who" > "$mnt/control/page/alloc_pages" &&
					rmdir "$mnt/allocations/w$who"; do
					[ ! -e "$mnt/allocations/w$who" ] || exit
				done
			) 2> /dev/null 3>&- &
		done
		for i in $(seq 100000); do
			echo "page/alloc_pages GFP_KERNEL name=b"
			echo "page/free_pages b"
		done | cat > "$mnt/control/batch" 2> /dev/null 3>&- &
		cat "$mnt/trace/trace_pipe" > /dev/null 2>&1 3>&- &
		busy() {
			[ "$(cat "$mnt/history/position")" -gt 2000 ]
		}
		soon busy
		kill -TERM "$(daemon_pid)"
		soon no_daemon
		not mountpoint -q "$mnt"
		wait || true
	done
}

@test "SIGTERM ends a busy daemon of several threads" {
	busy() {
		[ "$(cat "$mnt/history/position")" -gt 20000 ]
	}
	for round in $(seq 12); do
		mount_machine --threads=4
		for kind in 0 1 2 3; do
			"$BATS_TEST_DIRNAME/busy-names" "$mnt" $kind 3>&- &
		done
		soon busy
		kill -TERM "$(daemon_pid)"
		soon no_daemon
		not mountpoint -q "$mnt"
		wait || true
	done
}

@test "a daemon whose mount is taken away under load ends with status 0" {
	local out=$BATS_TEST_TMPDIR/out
	busy() {
		[ "$(cat "$mnt/history/position")" -gt 20000 ]
	}
	for round in $(seq 40); do
		# Before the daemon's shell does: the round before said ready, too.
		: > "$out"
		kmemfs -f --threads=$((round % 2 + 1)) "$mnt" > "$out" 3>&- &
		daemon=$!
		soon grep -q "ready $mnt" "$out"
		for kind in 0 1 2; do
			"$BATS_TEST_DIRNAME/busy-names" "$mnt" $kind 3>&- &
			clients[kind]=$!
		done
		soon busy
		umount -l "$mnt"
		kill -KILL "${clients[@]}"
		wait "$daemon"
		wait || true
	done
}

@test "unmounting ends the daemon" {
	mount_machine
	umount "$mnt"
	soon no_daemon
}

@test "what a killed daemon left is cleaned up by the next mount" {
	mount_machine
	kill -KILL "$(daemon_pid)"
	soon no_daemon
	fails_with "not connected" ls "$mnt"
	mount_machine
	[ -s "$mnt/proc/meminfo" ]
	umount "$mnt"
	# Nothing is left below it.
	not mountpoint -q "$mnt"
}

@test "auto_unmount cleans up after a killed daemon" {
	mount_machine -o auto_unmount
	kill -KILL "$(daemon_pid)"
	unmounted() {
		not mountpoint -q "$mnt" && ls "$mnt"
	}
	soon unmounted
}

@test "mount(8) mounts it, with the options of an fstab line" {
	[ -x /sbin/mount.fuse ] || skip "no mount.fuse"
	unshare -m true 2> /dev/null || skip "no mount namespaces"
	# mount(8) looks for the program where programs are installed.
	cat > "$BATS_TEST_TMPDIR/try" <<- 'EOF'
		set -e
		mount -t tmpfs none /usr/local/bin
		ln -s "$(command -v kmemfs)" /usr/local/bin/kmemfs
		mount -t fuse.kmemfs uma-small "$1" -o noauto,user,exec,x-test.it=1,allow_other,nostream
		findmnt -no SOURCE "$1"
		findmnt -no OPTIONS "$1" | grep -o allow_other
		head -n 1 "$1/proc/meminfo" | cut -d: -f1
		[ ! -e "$1/trace/trace_pipe" ]
		umount "$1"
	EOF
	run timeout 60 unshare -m bash "$BATS_TEST_TMPDIR/try" "$mnt" 3>&-
	[ "$status" -eq 0 ]
	[ "$output" = "uma-small
allow_other
MemTotal" ]
}

@test "a read-only mount takes no writes" {
	mount_machine -o ro
	fails_with "Read-only" bash -c 'echo GFP_KERNEL > "$1"' - "$mnt/control/page/alloc_pages"
	[ -s "$mnt/proc/meminfo" ]
}

@test "in a user namespace no privilege is needed" {
	unshare -Urm true 2> /dev/null || skip "no user namespaces"
	[ -w /dev/fuse ] || skip "/dev/fuse is not for us"
	run timeout 60 unshare -Urm bash -c '
		kmemfs "$1" || exit
		echo "GFP_KERNEL name=buf" > "$1/control/page/alloc_pages"
		ls "$1/allocations"
		umount "$1"' - "$mnt" 3>&-
	[ "$status" -eq 0 ]
	[ "$output" = buf ]
}

@test "an ordinary user mounts with fusermount3" {
	[ "$(id -u)" = 0 ] || skip "only root can become another"
	user() {
		setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
	}
	user test -w /dev/fuse || skip "/dev/fuse is for root only"
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR"/* "$BATS_TEST_TMPDIR"
	chown 65534 "$mnt"
	user env PATH="$PATH" timeout 60 "$(command -v kmemfs)" "$mnt" 3>&-
	user sh -c 'echo "GFP_KERNEL name=buf" > "$1/control/page/alloc_pages"' - "$mnt"
	[ "$(user ls "$mnt/allocations")" = buf ]
	user fusermount3 -u "$mnt"
}

@test "a daemon that can start no more threads does with those it has" {
	need prlimit
	# A sanitizer maps what it likes.
	need_no_sanitizer
	# A thread's stack takes more room than the work it is for.
	(ulimit -s 65536 && mount_machine)
	daemon=$(daemon_pid)
	room=$(awk '/^VmSize/ { print ($2 + 16384) * 1024 }' "/proc/$daemon/status")
	prlimit --pid "$daemon" --as="$room"
	yes "page/alloc_pages GFP_KERNEL" | head -n 3000 > "$BATS_TEST_TMPDIR/batch"
	yes "GFP_KERNEL" | head -n 3000 > "$BATS_TEST_TMPDIR/pages"
	dd if="$BATS_TEST_TMPDIR/batch" of="$mnt/control/batch" bs=1M status=none 3>&- &
	dd if="$BATS_TEST_TMPDIR/pages" of="$mnt/control/page/alloc_pages" bs=1M status=none
	wait $!
	[ "$(cat "$mnt/history/position")" = 6000 ]
}

@test "with allow_other the modes hold for others" {
	[ "$(id -u)" = 0 ] || skip "only root can become another"
	mount_machine -o allow_other
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR"/* "$BATS_TEST_TMPDIR"
	other() {
		setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
	}
	other cat "$mnt/proc/meminfo" > /dev/null
	fails_with "denied" other sh -c 'echo GFP_KERNEL > "$1"' - "$mnt/control/page/alloc_pages"
	fails_with "denied" other cat "$mnt/proc/kpageflags"
}

@test "a state directory keeps the machine over an unmount" {
	mount_machine --state "$BATS_TEST_TMPDIR/state"
	alloc "GFP_KERNEL name=kept"
	echo precious > "$mnt/allocations/kept/data"
	digest=$(cat "$mnt/history/digest")
	unmount_all
	mount_machine --state "$BATS_TEST_TMPDIR/state"
	[ "$(cat "$mnt/history/digest")" = "$digest" ]
	[ "$(head -c 8 "$mnt/allocations/kept/data")" = precious ]
}

@test "a killed daemon loses no acknowledged op with a state directory" {
	mount_machine --state "$BATS_TEST_TMPDIR/state"
	for i in $(seq 50); do
		alloc "GFP_KERNEL name=n$i"
	done
	digest=$(cat "$mnt/history/digest")
	kill -KILL "$(daemon_pid)"
	soon no_daemon
	mount_machine -o "state=$BATS_TEST_TMPDIR/state"
	[ "$(cat "$mnt/history/digest")" = "$digest" ]
	[ "$(ls "$mnt/allocations" | wc -l)" -eq 50 ]
}

@test "a state directory can be used again as soon as its mount is gone" {
	for i in 1 2 3 4 5 6 7 8; do
		mount_machine --state "$BATS_TEST_TMPDIR/state" uma-small
		alloc "GFP_KERNEL name=n$i"
		fusermount3 -u "$mnt"
	done
	[ "$(kmem --state "$BATS_TEST_TMPDIR/state" ls allocations | wc -l)" -eq 8 ]
}

@test "a daemon that may write no longer files says so and goes on" {
	(ulimit -f 4 && mount_machine --state "$BATS_TEST_TMPDIR/state" uma-small)
	for i in $(seq 400); do
		alloc "GFP_KERNEL name=n$i" 2> /dev/null || break
	done
	[ "$i" -lt 400 ]
	grep -q "File too large: the journal cannot be stored" "$mnt/error_log"
	[ "$(ls "$mnt/allocations" | wc -l)" -eq "$i" ]
}

@test "a state directory in use is refused, with the daemon's pid" {
	mount_machine --state "$BATS_TEST_TMPDIR/state"
	mkdir "$BATS_TEST_TMPDIR/second"
	fails_with "$(daemon_pid)" timeout 60 kmemfs --state "$BATS_TEST_TMPDIR/state" "$BATS_TEST_TMPDIR/second"
	not mountpoint -q "$BATS_TEST_TMPDIR/second"
}

@test "modelled time goes with the host's when asked to, else it stands" {
	mount_machine
	before=$(cat "$mnt/proc/uptime")
	[ "$(cat "$mnt/proc/uptime")" = "$before" ]
	unmount_all
	mount_machine --realtime
	began=$(cut -d. -f1 < "$mnt/proc/uptime")
	moved() {
		[ "$(cut -d. -f1 < "$mnt/proc/uptime")" -gt "$began" ]
	}
	soon moved
}

@test "df shows the modelled memory" {
	mount_machine
	total=$(awk '/^MemTotal/ { print $2 }' "$mnt/proc/meminfo")
	[ "$(df --output=size -k "$mnt" | tail -n 1)" -eq "$total" ]
}

@test "a machine that is mounted is not hidden under another" {
	mount_machine uma-small
	echo "name=mine" > "$mnt/control/page/alloc_page"
	run ! kmemfs uma-small "$mnt"
	[[ $output == *"mounted there already"* ]]
	[ -d "$mnt/allocations/mine" ]
}
