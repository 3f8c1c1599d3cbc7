# What a user types into a shell.

load common

setup() {
	new_mountpoint
	mount_machine
}

@test "an allocation written with echo is a directory, rmdir frees it" {
	# An order that the per-cpu lists do not keep: free at once.
	alloc "GFP_KERNEL 5 name=buf"
	[ "$(cat "$mnt/allocations/buf/order")" = 5 ]
	free=$(awk '/MemFree/ { print $2 }' "$mnt/proc/meminfo")
	rmdir "$mnt/allocations/buf"
	[ ! -e "$mnt/allocations/buf" ]
	[ "$(awk '/MemFree/ { print $2 }' "$mnt/proc/meminfo")" -eq $((free + 128)) ]
}

@test "bytes written to an allocation stand in ram at its address" {
	alloc "GFP_KERNEL name=buf"
	echo hello > "$mnt/allocations/buf/data"
	pfn=$(cat "$mnt/allocations/buf/pfn")
	[ "$(dd if="$mnt/ram" bs=4096 skip="$pfn" count=1 status=none | head -c 5)" = hello ]
	printf J | dd of="$mnt/ram" bs=1 seek=$((pfn * 4096)) conv=notrunc status=none
	[ "$(head -c 5 "$mnt/allocations/buf/data")" = Jello ]
}

@test "all ways to write a line do the same" {
	ctl=$mnt/control/page/alloc_pages
	echo "GFP_KERNEL name=a1x" > "$ctl"
	echo "GFP_KERNEL name=a2x" >> "$ctl"
	echo "GFP_KERNEL name=a3x" | tee "$ctl" > /dev/null
	echo "GFP_KERNEL name=a4x" | tee -a "$ctl" > /dev/null
	echo "GFP_KERNEL name=a5x" | dd of="$ctl" status=none
	echo "GFP_KERNEL name=a6x" | dd of="$ctl" conv=notrunc bs=64 seek=3 status=none
	printf 'GFP_KERNEL name=a7x' > "$ctl"
	echo "GFP_KERNEL name=a8x" > "$BATS_TEST_TMPDIR/line"
	cp "$BATS_TEST_TMPDIR/line" "$ctl"
	python3 -c 'import sys; open(sys.argv[1], "w").write("GFP_KERNEL name=a9x\n")' "$ctl"
	for i in 1 2 3 4 5 6 7 8 9; do
		[ -d "$mnt/allocations/a${i}x" ]
	done
}

@test "opening to truncate does nothing" {
	alloc "GFP_KERNEL name=buf"
	before=$(cat "$mnt/history/digest")
	: > "$mnt/control/page/alloc_pages"
	truncate -s 0 "$mnt/control/page/alloc_pages"
	: > "$mnt/allocations/buf/data"
	[ "$(cat "$mnt/history/digest")" = "$before" ]
	[ "$(stat -c %s "$mnt/allocations/buf/data")" = 4096 ]
	fails_with "denied" truncate -s 0 "$mnt/proc/meminfo"
}

@test "a heredoc is one write: a bad line in it stops all of it" {
	fails_with "Invalid argument" bash -c 'cat > "$1" <<- EOF
		GFP_KERNEL name=one
		GFP_NONSENSE name=two
		GFP_KERNEL name=three
	EOF' - "$mnt/control/page/alloc_pages"
	[ -z "$(ls "$mnt/allocations")" ]
}

@test "bash's printf writes each line by itself" {
	run bash -c 'printf "GFP_KERNEL name=one\nGFP_NONSENSE\nGFP_KERNEL name=three\n" > "$1"' \
		- "$mnt/control/page/alloc_pages"
	[ "$status" -ne 0 ]
	[ -d "$mnt/allocations/one" ]
	[ -d "$mnt/allocations/three" ]
}

@test "noclobber leaves a control file alone" {
	run bash -c 'set -o noclobber; echo "GFP_KERNEL name=no" > "$1"' - "$mnt/control/page/alloc_pages"
	[ "$status" -ne 0 ]
	[ ! -e "$mnt/allocations/no" ]
	bash -c 'set -o noclobber; echo "GFP_KERNEL name=yes" >| "$1"' - "$mnt/control/page/alloc_pages"
	[ -d "$mnt/allocations/yes" ]
}

@test "a refused line gives its errno, changes nothing and is explained" {
	before=$(cat "$mnt/history/digest")
	fails_with "Invalid argument" bash -c 'echo "GFP_KERNAL 3" > "$1"' - "$mnt/control/page/alloc_pages"
	[ "$(cat "$mnt/history/digest")" = "$before" ]
	grep -q GFP_KERNAL "$mnt/error_log"
	grep -q '\^' "$mnt/error_log"
}

@test "answers come on a descriptor that reads and writes, in bash" {
	run bash -c '
		exec 3<> "$1"
		echo "GFP_KERNEL 3 name=buf" >&3
		read -u 3 first
		echo "GFP_KERNEL 0 name=other" >&3
		read -u 3 second
		printf "%s|%s\n" "${first%% *}" "${second%% *}"
		if read -u 3 third; then echo more; fi
		echo "GFP_BAD" >&3
		read -u 3 refused
		echo "${refused%% [0-9]*}"' - "$mnt/control/page/alloc_pages"
	[ "${lines[0]}" = "buf|other" ]
	[[ "$output" != *more* ]]
	[ "${lines[-1]}" = "error EINVAL" ]
}

@test "answers come in dash and python, too" {
	run dash -c '
		exec 3<> "$1"
		echo "GFP_KERNEL 3 name=buf" >&3
		read -r answer <&3
		echo "${answer%% *}"' - "$mnt/control/page/alloc_pages"
	[ "$output" = buf ]
	run python3 -c '
import sys
with open(sys.argv[1], "r+b", buffering=0) as f:
    for name in b"x", b"y":
        f.write(b"GFP_KERNEL name=" + name + b"\n")
        print(f.readline().split()[0].decode())
' "$mnt/control/page/alloc_pages"
	[ "$output" = "x
y" ]
}

@test "a descriptor sees its own answers only" {
	run bash -c '
		exec 3<> "$1" 4<> "$1"
		echo "GFP_KERNEL name=three" >&3
		echo "GFP_KERNEL name=four" >&4
		read -u 4 b
		read -u 3 a
		echo "${a%% *} ${b%% *}"' - "$mnt/control/page/alloc_pages"
	[ "$output" = "three four" ]
}

@test "a control file read by itself tells how to use it" {
	run cat "$mnt/control/page/alloc_pages"
	[[ "$output" == *gfp* ]]
	[ "$(stat -c %s "$mnt/control/page/alloc_pages")" -eq "$(wc -c < "$mnt/control/page/alloc_pages")" ]
}

@test "what is read-only refuses writing, to root too" {
	for file in proc/meminfo README history/digest; do
		fails_with "denied" bash -c 'echo x > "$1"' - "$mnt/$file"
	done
}

@test "creating, removing, renaming and changing modes is not permitted" {
	cd "$mnt"
	fails_with "not permitted" touch new
	fails_with "not permitted" bash -c 'echo x > new'
	fails_with "not permitted" rm -f README
	fails_with "not permitted" mv README README2
	fails_with "not permitted" ln -s README link
	fails_with "not permitted" ln README link
	fails_with "not permitted" mkfifo fifo
	fails_with "not permitted" chmod 777 README
	fails_with "not permitted" chown 1 README
	fails_with "not permitted" touch control/batch
	fails_with "not permitted" mkdir proc/new
	fails_with "not permitted" rmdir proc
	fails_with "not permitted" sed -i s/a/b/ proc/sys/vm/min_free_kbytes
}

@test "a file of an object that is gone gives ENODEV" {
	alloc "GFP_KERNEL name=buf"
	alloc "GFP_KERNEL name=other"
	run bash -c '
		exec 3< "$1/allocations/buf/data"
		rmdir "$1/allocations/buf"
		cat <&3' - "$mnt"
	[ "$status" -ne 0 ]
	[[ "$output" == *"No such device"* ]]
	run bash -c '
		exec 3< "$1/allocations/other/data"
		rmdir "$1/allocations/other"
		dd bs=64 count=1 <&3' - "$mnt"
	[ "$status" -ne 0 ]
	[[ "$output" == *"No such device"* ]]
}

@test "every listed size is the length of what is read" {
	alloc "GFP_KERNEL name=buf"
	cd "$mnt"
	# Twice: the size of costly files is that of their last rendering.
	for round in 1 2; do
		find . -type f ! -name ram ! -name vmcore ! -name trace_pipe ! -name 'kpage*' \
			-perm -400 -size -100k -print0 |
			xargs -0 python3 -c '
import os, sys
for path in sys.argv[1:]:
    with open(path, "rb") as f:
        n = len(f.read())
    size = os.stat(path).st_size
    if n != size and size:
        print(path, size, n)
' > "$BATS_TEST_TMPDIR/wrong"
	done
	cat "$BATS_TEST_TMPDIR/wrong"
	[ ! -s "$BATS_TEST_TMPDIR/wrong" ]
}

@test "text can be read at any offset and from the end" {
	file=$mnt/proc/zoneinfo
	cat "$file" > "$BATS_TEST_TMPDIR/whole"
	cmp <(dd if="$file" bs=7 skip=11 status=none) <(tail -c +78 "$BATS_TEST_TMPDIR/whole")
	cmp <(tail -n 3 "$file") <(tail -n 3 "$BATS_TEST_TMPDIR/whole")
	cmp <(tail -c 20 "$file") <(tail -c 20 "$BATS_TEST_TMPDIR/whole")
	python3 - "$file" <<- 'EOF'
		import mmap, sys
		f = open(sys.argv[1], "rb")
		whole = f.read()
		assert mmap.mmap(f.fileno(), 0, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ)[:] == whole
	EOF
}

@test "a descriptor kept open is rendered anew at offset 0" {
	python3 - "$mnt" <<- 'EOF'
		import os, sys
		fd = os.open(sys.argv[1] + "/proc/buddyinfo", os.O_RDONLY)
		before = os.pread(fd, 65536, 0)
		half = os.pread(fd, 40, 0)
		with open(sys.argv[1] + "/control/page/alloc_pages", "w") as f:
		    f.write("GFP_KERNEL 0 name=buf\n")
		# The rest belongs to the text that was begun.
		assert half + os.pread(fd, 65536, 40) == before
		with open(sys.argv[1] + "/control/page/alloc_pages", "w") as f:
		    f.write("GFP_KERNEL 5\n")
		assert os.pread(fd, 65536, 0) != before
	EOF
}

@test "a directory read from any position neither fails nor repeats" {
	alloc "GFP_KERNEL name=one"
	alloc "GFP_KERNEL name=two"
	python3 - "$mnt" <<- 'EOF'
		import os, sys
		for name in "", "/allocations", "/pages", "/proc", "/nodes/0/zones":
		    path = sys.argv[1] + name
		    whole = os.listdir(path)
		    assert len(set(whole)) == len(whole)
		    for at in 1, 2, 3, 1 << 20, 1 << 48, 5 << 48 | 7, (1 << 63) - 1:
		        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
		        try:
		            os.lseek(fd, at, os.SEEK_SET)
		            assert set(os.listdir(fd)) <= set(whole), (path, at)
		        except OSError:
		            pass
		        os.close(fd)
		    assert os.listdir(path) == whole
	EOF
}

@test "a name that is too long is not there, and harms nothing" {
	name=$(printf '%0300d' 0)
	fails_with "too long" ls "$mnt/allocations/$name"
	fails_with "Invalid argument" bash -c 'echo "GFP_KERNEL name=$2" > "$1"' - "$mnt/control/page/alloc_pages" "n$name"
	[ -z "$(ls "$mnt/allocations")" ]
}
