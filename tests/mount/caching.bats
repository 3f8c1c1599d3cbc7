# What the kernel remembers is never stale for whoever changed it, and telling
# it to forget never ties a knot.
# tsan: yes

load common

setup() {
	new_mountpoint
	mount_machine
}

teardown() {
	unmount_all
}

@test "a name is there after the write that made it, gone after the one that freed it" {
	python3 - "$mnt" <<- 'EOF'
		import os, sys
		mnt = sys.argv[1]
		def write(file, text):
		    with open(mnt + "/control/page/" + file, "w") as f:
		        f.write(text)
		stale = 0
		for i in range(500):
		    stale += os.path.exists(mnt + "/allocations/buf")
		    write("alloc_pages", "GFP_KERNEL name=buf\n")
		    stale += not os.path.isdir(mnt + "/allocations/buf")
		    stale += not os.path.exists(mnt + "/allocations/buf/data")
		    write("free_pages", "buf\n")
		    stale += os.path.exists(mnt + "/allocations/buf/data")
		    stale += os.path.exists(mnt + "/allocations/buf")
		sys.exit("%d stale looks" % stale if stale else 0)
	EOF
}

@test "sizes and times are those after the write" {
	python3 - "$mnt" <<- 'EOF'
		import os, sys
		mnt = sys.argv[1]
		def write(text):
		    with open(mnt + "/control/page/alloc_pages", "w") as f:
		        f.write(text)
		def ask(name):
		    path = mnt + "/" + name
		    st = os.stat(path)
		    with open(path, "rb") as f:
		        assert len(f.read()) == st.st_size, path
		    return st
		for i in range(500):
		    before = [ask("history/position"), ask("answers")]
		    write("GFP_KERNEL\n")
		    after = [ask("history/position"), ask("answers")]
		    assert after[1].st_size > before[1].st_size or i > 50
		    assert after[0].st_mtime_ns > before[0].st_mtime_ns
	EOF
}

@test "a refused line is in the size of the error log at once" {
	python3 - "$mnt" <<- 'EOF'
		import os, sys
		mnt = sys.argv[1]
		for i in range(100):
		    os.stat(mnt + "/error_log")
		    try:
		        with open(mnt + "/control/page/alloc_pages", "w") as f:
		            f.write("GFP_NO%d\n" % i)
		        sys.exit("it was not refused")
		    except OSError:
		        pass
		    with open(mnt + "/error_log", "rb") as f:
		        text = f.read()
		    assert os.stat(mnt + "/error_log").st_size == len(text)
		    assert b"GFP_NO%d" % i in text
	EOF
}

@test "names that a batch makes and frees are seen by who wrote it" {
	python3 - "$mnt" <<- 'EOF'
		import os, sys
		mnt = sys.argv[1]
		names = ["n%d" % i for i in range(300)]
		def batch(lines):
		    with open(mnt + "/control/batch", "w") as f:
		        f.write("".join(line + "\n" for line in lines))
		for round in range(10):
		    for name in names:
		        assert not os.path.exists(mnt + "/allocations/" + name)
		    batch("page/alloc_pages GFP_KERNEL name=" + name for name in names)
		    for name in names:
		        assert os.path.isdir(mnt + "/allocations/" + name)
		    assert len(os.listdir(mnt + "/allocations")) == len(names)
		    batch("page/free_pages " + name for name in names)
		    assert os.listdir(mnt + "/allocations") == []
	EOF
}

# The notification of a name waits for the lock of its directory, that of a
# page for the page: whoever holds them must get an answer meanwhile.
@test "readers, walkers, writers and rmdir in one directory never tie a knot" {
	timeout 120 python3 - "$mnt" <<- 'EOF'
		import multiprocessing, os, sys
		mnt = sys.argv[1]
		stop = multiprocessing.Event()
		def control(file, text):
		    with open(mnt + "/control/page/" + file, "w") as f:
		        f.write(text)
		def read():
		    fd = os.open(mnt + "/proc/buddyinfo", os.O_RDONLY)
		    while not stop.is_set():
		        os.pread(fd, 65536, 0)
		        for name in "proc/meminfo", "history/position", "answers":
		            with open(mnt + "/" + name, "rb") as f:
		                f.read()
		            os.stat(mnt + "/" + name)
		def walk():
		    while not stop.is_set():
		        for name in os.listdir(mnt + "/allocations"):
		            try:
		                os.stat(mnt + "/allocations/" + name)
		                with open(mnt + "/allocations/" + name + "/info") as f:
		                    f.read()
		            except OSError:
		                pass
		        for i in range(20):
		            os.path.exists(mnt + "/allocations/w1_%d" % i)
		def write(who):
		    for i in range(600):
		        name = "w%d_%d" % (who, i % 20)
		        control("alloc_pages", "GFP_KERNEL name=%s\n" % name)
		        assert os.path.isdir(mnt + "/allocations/" + name)
		        if i & 1:
		            control("free_pages", name + "\n")
		        else:
		            os.rmdir(mnt + "/allocations/" + name)
		        assert not os.path.exists(mnt + "/allocations/" + name), name
		others = [multiprocessing.Process(target=t) for t in (read, read, walk, walk)]
		writers = [multiprocessing.Process(target=write, args=(w,)) for w in (1, 2, 3)]
		for p in others + writers:
		    p.start()
		for p in writers:
		    p.join()
		stop.set()
		for p in others:
		    p.join()
		sys.exit(any(p.exitcode for p in others + writers))
	EOF
	[ -z "$(ls "$mnt/allocations")" ]
}

@test "with several threads it is the same" {
	unmount_all
	mount_machine --threads 4
	timeout 120 python3 - "$mnt" <<- 'EOF'
		import os, sys, threading
		mnt = sys.argv[1]
		bad = []
		def work(who):
		    for i in range(300):
		        name = "t%d" % who
		        with open(mnt + "/control/page/alloc_pages", "w") as f:
		            f.write("GFP_KERNEL name=%s\n" % name)
		        if not os.path.isdir(mnt + "/allocations/" + name):
		            bad.append("missing")
		        os.rmdir(mnt + "/allocations/" + name)
		        if os.path.exists(mnt + "/allocations/" + name):
		            bad.append("still there")
		        with open(mnt + "/proc/zoneinfo") as f:
		            f.read()
		threads = [threading.Thread(target=work, args=(w,)) for w in range(6)]
		for t in threads:
		    t.start()
		for t in threads:
		    t.join()
		sys.exit(", ".join(bad) or 0)
	EOF
}

@test "a file that never changes is kept by the page cache, whole" {
	cmp "$mnt/README" "$mnt/README"
	[ "$(wc -c < "$mnt/README")" -eq "$(stat -c %s "$mnt/README")" ]
	python3 - "$mnt/README" <<- 'EOF'
		import mmap, sys
		f = open(sys.argv[1], "rb")
		assert mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ)[:] == f.read()
	EOF
}
