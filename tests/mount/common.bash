# SPDX-License-Identifier: MIT
# common.bash - a mount for each test, and its end whatever happened
#
# Programs come from $BUILD.  A test mounts at $mnt, a folder of its own;
# teardown unmounts it and ends a daemon that does not go by itself.  bats
# waits for whoever holds its descriptor 3, so daemons do not get it.

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

unmount_all() {
	local i pid

	cd /
	for i in 1 2 3 4; do
		umount -l "$mnt" 2> /dev/null ||
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

alloc() { # WORDS
	echo "$*" > "$mnt/control/page/alloc_pages"
}
