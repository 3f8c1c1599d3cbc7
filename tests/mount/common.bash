# SPDX-License-Identifier: MIT
# common.bash - a mount for each test, and its end whatever happened
#
# Programs come from $BUILD.  A test mounts at $mnt, a folder of its own;
# teardown unmounts it and ends a daemon that does not go by itself.  bats
# waits for whoever holds its descriptor 3, so daemons do not get it.
# A file says in its setup what it mounts; teardown is that of all files.

BUILD=${BUILD:-build}
case $BUILD in
/*) bin=$BUILD ;;
*) bin=$PWD/$BUILD ;;
esac
export KMEMFS_MACHINES=${KMEMFS_MACHINES:-$PWD/machines}
PATH=$bin:$PATH

new_mountpoint() {
	mnt=$BATS_TEST_TMPDIR/mnt
	mkdir -p "$mnt"
}

# mount_machine [OPTIONS] [MACHINE]: returns when the mount can be used.
mount_machine() {
	timeout 60 kmemfs "$@" "$mnt" 3>&-
}

# The daemon of this test's mount; its path is in the command line.
daemon_pid() {
	pgrep -f "^kmemfs .*$BATS_TEST_TMPDIR/mnt" || true
}

# Wait until the command succeeds, at most some seconds.
soon() {
	local end=$((SECONDS + 20))

	until "$@"; do
		[ "$SECONDS" -lt "$end" ] || return 1
		read -rt 0.02 < <(:) || true
	done
}

no_daemon() {
	[ -z "$(daemon_pid)" ]
}

# Nothing, for a test that has no mountpoint.
unmount_all() {
	local i pid how=-l

	[ -n "${mnt:-}" ] || return 0
	cd /
	# What waits for a daemon that hangs cannot be killed until it is forced.
	[ -n "${BATS_TEST_COMPLETED:-}" ] || how=-fl
	for i in 1 2 3 4; do
		umount $how "$mnt" 2> /dev/null ||
			fusermount3 -u -z "$mnt" 2> /dev/null || break
	done
	if ! soon no_daemon; then
		for pid in $(daemon_pid); do
			kill -KILL "$pid"
		done
		echo "the daemon did not end" >&2
		return 1
	fi
}

teardown() {
	unmount_all
}

# fails_with TEXT COMMAND...: the command fails, and its message holds the text
# of the error; a shell's status is 1 whatever the errno was.
fails_with() {
	local text=$1
	shift
	run "$@"
	[ "$status" -ne 0 ] && [[ "$output" == *"$text"* ]] && return
	echo "status $status, wanted '$text': $output" >&2
	return 1
}

# A plain "! command" does not fail a test.
not() {
	if "$@"; then
		return 1
	fi
}

need() { # PROGRAM
	command -v "$1" > /dev/null || skip "$1 is not installed"
}

ctl() { # OP WORDS
	echo "${*:2}" > "$mnt/control/$1"
}

alloc() { # WORDS
	ctl page/alloc_pages "$@"
}

slab() { # OP WORDS
	ctl "slab/$1" "${@:2}"
}

value() { # KEY FILE: the value of a "key value" line
	awk -v key="$1" '$1 == key { print $2 }' "$2"
}

meminfo() { # KEY
	value "$1:" "$mnt/proc/meminfo"
}

laws_hold() {
	awk 'NR > 1 && NF == 0 { exit }
		NR > 1 && $2 != 0 { print; bad = 1 } END { exit bad }' \
		"$mnt/verify"
}
