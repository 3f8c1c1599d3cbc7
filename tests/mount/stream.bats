# Files that take or give without end.
# tsan: yes

load common

setup() {
	new_mountpoint
	mount_machine
}

# The signal number of a process that waits in read(2): the daemon has its
# request, or soon will.
reading() {
	[ "$(cut -d' ' -f1 "/proc/$1/syscall" 2> /dev/null)" = 0 ]
}

@test "trace_pipe gives an event that comes while it is waited for" {
	echo 1 > "$mnt/trace/events/enable"
	timeout 60 head -n 1 "$mnt/trace/trace_pipe" > "$BATS_TEST_TMPDIR/got" 3>&- &
	reader=$!
	alloc "GFP_KERNEL"
	wait "$reader"
	grep -q mm_page_alloc "$BATS_TEST_TMPDIR/got"
}

@test "a waiting reader is ended by a signal at once, and others go on" {
	cat "$mnt/trace/trace_pipe" 3>&- &
	reader=$!
	soon reading "$reader"
	cat "$mnt/proc/meminfo" > /dev/null
	kill -TERM "$reader"
	wait "$reader" || true
	not kill -0 "$reader"
	cat "$mnt/trace/trace_pipe" 3>&- &
	reader=$!
	soon reading "$reader"
	kill -KILL "$reader"
	wait "$reader" || true
	cat "$mnt/proc/meminfo" > /dev/null
}

@test "a read that may not wait says so" {
	fails_with "temporarily unavailable" timeout 30 dd if="$mnt/trace/trace_pipe" iflag=nonblock count=1 status=none
}

@test "poll waits for an event and tells of it" {
	echo 1 > "$mnt/trace/events/enable"
	timeout 60 python3 - "$mnt" <<- 'EOF'
		import os, select, sys, threading
		mnt = sys.argv[1]
		fd = os.open(mnt + "/trace/trace_pipe", os.O_RDONLY | os.O_NONBLOCK)
		p = select.poll()
		p.register(fd, select.POLLIN)
		assert p.poll(50) == []
		def act():
		    with open(mnt + "/control/page/alloc_pages", "w") as f:
		        f.write("GFP_KERNEL\n")
		for i in range(20):
		    t = threading.Thread(target=act)
		    t.start()
		    assert p.poll(30000) == [(fd, select.POLLIN)]
		    t.join()
		    assert b"mm_page_alloc" in os.read(fd, 65536)
		    while p.poll(0):
		        os.read(fd, 65536)
		g = select.poll()
		plain = open(mnt + "/proc/meminfo")
		g.register(plain, select.POLLIN)
		assert g.poll(0)
	EOF
}

@test "many waiting readers get each event once" {
	echo 1 > "$mnt/trace/events/enable"
	for i in 1 2 3; do
		cat "$mnt/trace/trace_pipe" > "$BATS_TEST_TMPDIR/got$i" 3>&- &
	done
	for i in $(seq 40); do
		alloc "GFP_KERNEL"
	done
	all_there() {
		[ "$(cat "$BATS_TEST_TMPDIR"/got* | grep -c 'mm_page_alloc:')" -eq 40 ]
	}
	soon all_there
	kill $(jobs -p)
	wait || true
}

@test "a batch is cut anywhere by its writes and runs whole" {
	for i in $(seq 3000); do
		echo "page/alloc_pages GFP_KERNEL name=n$i"
		echo "page/free_pages n$i"
	done > "$BATS_TEST_TMPDIR/batch"
	printf 'page/alloc_pages GFP_KERNEL name=last' >> "$BATS_TEST_TMPDIR/batch"
	dd if="$BATS_TEST_TMPDIR/batch" of="$mnt/control/batch" bs=4111 status=none
	[ "$(ls "$mnt/allocations")" = last ]
	[ "$(grep -c page/alloc_pages "$mnt/history/journal")" -eq 3001 ]
}

@test "readers go on while a long batch runs" {
	timeout 300 python3 - "$mnt" <<- 'EOF'
		import os, sys, threading, time
		mnt = sys.argv[1]
		lines = "".join("page/alloc_pages GFP_KERNEL 1 name=n\npage/free_pages n\n" for i in range(600000))
		done = threading.Event()
		def run():
		    fd = os.open(mnt + "/control/batch", os.O_WRONLY)
		    data = lines.encode()
		    at = 0
		    while at < len(data):
		        at += os.write(fd, data[at:at + (1 << 20)])
		    os.close(fd)
		    done.set()
		t = threading.Thread(target=run)
		t.start()
		looks, worst = 0, 0
		while not done.is_set():
		    began = time.monotonic()
		    with open(mnt + "/proc/zoneinfo", "rb") as f:
		        assert f.read().startswith(b"Node 0, zone")
		    os.stat(mnt + "/history/journal")
		    os.path.exists(mnt + "/allocations/n")
		    worst = max(worst, time.monotonic() - began)
		    looks += 1
		t.join()
		print("%d looks, the longest took %.1f ms" % (looks, worst * 1000))
		assert looks > 20
		assert worst < 1
	EOF
	[ "$(grep -c 'page/alloc_pages' "$mnt/history/journal")" -eq 600000 ]
	[ -z "$(ls "$mnt/allocations")" ]
}

# Both wait when the daemon looks for requests again: it finds the second
# while the worker that it woke for the first has hardly moved.
@test "a long write to another file does not wait for the end of a batch" {
	timeout 120 python3 - "$mnt" "$(daemon_pid)" <<- 'EOF'
		import os, signal, sys, threading
		mnt, daemon = sys.argv[1], int(sys.argv[2])
		def writer(file, line, size):
		    fd = os.open(mnt + "/control/" + file, os.O_WRONLY)
		    text = (line * (size // len(line))).encode()
		    def run():
		        assert os.write(fd, text) == len(text)
		        os.close(fd)
		    return threading.Thread(target=run)
		def batch(size):
		    return writer("batch", "page/alloc_pages GFP_KERNEL\n", size)
		def waits(thread):
		    path = "/proc/self/task/%d/syscall" % thread.native_id
		    return open(path).read().split()[0] == "1"
		for round in range(8):
		    first = batch(100000)
		    first.start()
		    first.join()
		    both = batch(1000000), writer("page/alloc_pages", "GFP_NOWAIT\n", 10000)
		    os.kill(daemon, signal.SIGSTOP)
		    for t in both:
		        t.start()
		        while not waits(t):
		            pass
		    os.kill(daemon, signal.SIGCONT)
		    for t in both:
		        t.join()
		    with open(mnt + "/history/journal", "rb") as f:
		        f.seek(-100, os.SEEK_END)
		        last = f.read().splitlines()[-1]
		    assert b"gfp=GFP_KERNEL" in last, "the batch ended first"
	EOF
}

@test "writes of several processes are each done whole" {
	for who in 1 2 3 4; do
		(
			for i in $(seq 50); do
				echo "GFP_KERNEL name=p${who}_$i" > "$mnt/control/page/alloc_pages"
			done
		) 3>&- &
	done
	wait
	[ "$(ls "$mnt/allocations" | wc -l)" -eq 200 ]
}
