# The tree as a whole, taken along by programs that copy.

load common

setup() {
	new_mountpoint
	mount_machine -o nostream uma-small
	alloc "GFP_KERNEL name=buf"
	echo "name=sh" > "$mnt/control/task/fork"
	echo "sh 10M name=heap" > "$mnt/control/vm/mmap"
	echo "sh heap write 100K" > "$mnt/control/vm/touch"
	echo hello > "$mnt/allocations/buf/data"
}

@test "cp -a takes everything, with holes where RAM is empty" {
	digest=$(cat "$mnt/history/digest")
	timeout 300 cp -a "$mnt/." "$BATS_TEST_TMPDIR/copy"
	diff -r --no-dereference "$mnt" "$BATS_TEST_TMPDIR/copy"
	[ "$(cat "$mnt/history/digest")" = "$digest" ]
	[ "$(du -k "$BATS_TEST_TMPDIR/copy/ram" | cut -f1)" -lt 16384 ]
}

@test "tar takes every file as long as it said, with what is in it" {
	timeout 300 tar -C "$mnt" --sparse -cf "$BATS_TEST_TMPDIR/all.tar" . 2> "$BATS_TEST_TMPDIR/said"
	[ ! -s "$BATS_TEST_TMPDIR/said" ]
	mkdir "$BATS_TEST_TMPDIR/copy"
	tar -C "$BATS_TEST_TMPDIR/copy" -xf "$BATS_TEST_TMPDIR/all.tar"
	# tar believes the size 0 of what has no end: the journal.
	diff -r --no-dereference -x journal "$mnt" "$BATS_TEST_TMPDIR/copy"
}

@test "SEEK_DATA and SEEK_HOLE tell where RAM was written" {
	python3 - "$mnt" <<- 'EOF'
		import os, sys
		mnt = sys.argv[1]
		pfn = int(open(mnt + "/allocations/buf/pfn").read())
		fd = os.open(mnt + "/ram", os.O_RDONLY)
		data = os.lseek(fd, 0, os.SEEK_DATA)
		assert data <= pfn * 4096
		at, found = 0, False
		size = os.fstat(fd).st_size
		while at < size:
		    try:
		        data = os.lseek(fd, at, os.SEEK_DATA)
		    except OSError:
		        break
		    hole = os.lseek(fd, data, os.SEEK_HOLE)
		    assert hole > data
		    assert not any(os.pread(fd, min(data - at, 65536), at))
		    found = found or data <= pfn * 4096 < hole
		    at = hole
		assert found
		assert os.lseek(fd, 0, os.SEEK_END) == size
	EOF
}
