# What the kernel remembers is never stale for whoever changed it, and telling
# it to forget never ties a knot.
# tsan: yes

load common

setup() {
	new_mountpoint
	mount_machine
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

# Of what follows the kernel keeps the lists and the pages; it drops them when
# the file's or directory's time is another.
@test "a list that the kernel keeps has the names that are there" {
	python3 - "$mnt" <<- 'EOF'
		import os, sys
		mnt = sys.argv[1]
		def write(file, text):
		    with open(mnt + "/control/page/" + file, "w") as f:
		        f.write(text)
		def ls(path):
		    return sorted(os.listdir(mnt + "/" + path))
		pages = ls("pages")
		names = []
		for i in range(300):
		    write("alloc_pages", "GFP_KERNEL name=n%d\n" % i)
		    names = sorted(names + ["n%d" % i])
		    assert ls("allocations") == names, i
		    if i % 3 == 0:
		        os.rmdir(mnt + "/allocations/" + names.pop(i // 3 % len(names)))
		        assert ls("allocations") == names, i
		    if i % 10 == 0 and names:
		        pfn = open(mnt + "/allocations/" + names[0] + "/pfn").read().strip()
		        assert pfn in ls("pages")
		for name in names:
		    os.rmdir(mnt + "/allocations/" + name)
		assert ls("allocations") == [] and ls("pages") == pages
	EOF
}

@test "a directory that is read while names come and go lists those that stay" {
	python3 - "$mnt" <<- 'EOF'
		import multiprocessing, os, sys
		mnt = sys.argv[1]
		def write(file, text):
		    with open(mnt + "/control/page/" + file, "w") as f:
		        f.write(text)
		stay = ["stay%d" % i for i in range(500)]
		for name in stay:
		    write("alloc_pages", "GFP_KERNEL name=%s\n" % name)
		stop = multiprocessing.Event()
		def churn(who):
		    i = 0
		    while not stop.is_set():
		        name = "c%d_%d" % (who, i)
		        write("alloc_pages", "GFP_KERNEL name=%s\n" % name)
		        assert name in os.listdir(mnt + "/allocations")
		        write("free_pages", name + "\n")
		        assert name not in os.listdir(mnt + "/allocations")
		        i += 1
		others = [multiprocessing.Process(target=churn, args=(w,)) for w in range(2)]
		for p in others:
		    p.start()
		for i in range(300):
		    names = os.listdir(mnt + "/allocations")
		    assert len(names) == len(set(names)) and set(stay) <= set(names)
		stop.set()
		for p in others:
		    p.join()
		sys.exit(any(p.exitcode for p in others))
	EOF
}

@test "a polled file that the kernel keeps shows each change to who made it" {
	unmount_all
	mount_machine -o polled
	python3 - "$mnt" <<- 'EOF'
		import os, sys
		mnt = sys.argv[1]
		def free(text):
		    return sum(int(n) << order for line in text.splitlines()
		               for order, n in enumerate(line.split()[4:]))
		fd = {name: os.open(mnt + "/" + name, os.O_RDONLY)
		      for name in ("proc/buddyinfo", "proc/meminfo", "history/digest")}
		seen = set()
		for i in range(1000):
		    for name in fd:
		        os.pread(fd[name], 4096, 0)
		    with open(mnt + "/control/page/alloc_pages", "w") as f:
		        f.write("GFP_KERNEL 3 name=n%d\n" % i)
		    text = os.pread(fd["proc/buddyinfo"], 4096, 0).decode()
		    with open(mnt + "/proc/zoneinfo") as f:
		        words = f.read().split()
		    zones = [int(words[n + 2]) for n in range(len(words) - 2)
		             if words[n] == "pages" and words[n + 1] == "free"]
		    assert free(text) == sum(zones), i
		    memory = os.pread(fd["proc/meminfo"], 4096, 0)
		    assert memory == open(mnt + "/proc/meminfo", "rb").read()
		    assert os.fstat(fd["proc/meminfo"]).st_size == len(memory)
		    seen.add(os.pread(fd["history/digest"], 4096, 0))
		assert len(seen) == 1000
	EOF
}

@test "readers of kept files and writers never tie a knot, and see whole texts" {
	unmount_all
	mount_machine -o polled
	timeout 120 python3 - "$mnt" <<- 'EOF'
		import multiprocessing, os, sys
		mnt = sys.argv[1]
		stop = multiprocessing.Event()
		def read():
		    fd = os.open(mnt + "/history/digest", os.O_RDONLY)
		    info = os.open(mnt + "/proc/buddyinfo", os.O_RDONLY)
		    lines = os.pread(info, 4096, 0).count(b"\n")
		    while not stop.is_set():
		        text = os.pread(fd, 4096, 0)
		        assert len(text) == 65 and text.endswith(b"\n")
		        text = os.pread(info, 4096, 0)
		        assert text.count(b"\n") == lines and text.endswith(b"\n")
		        os.listdir(mnt + "/allocations")
		def write(who):
		    fd = os.open(mnt + "/history/digest", os.O_RDONLY)
		    for i in range(400):
		        before = os.pread(fd, 4096, 0)
		        with open(mnt + "/control/page/alloc_pages", "w") as f:
		            f.write("GFP_KERNEL name=w%d\n" % who)
		        assert os.pread(fd, 4096, 0) != before
		        os.rmdir(mnt + "/allocations/w%d" % who)
		others = [multiprocessing.Process(target=read) for i in range(3)]
		writers = [multiprocessing.Process(target=write, args=(w,)) for w in range(3)]
		for p in others + writers:
		    p.start()
		for p in writers:
		    p.join()
		stop.set()
		for p in others:
		    p.join()
		sys.exit(any(p.exitcode for p in others + writers))
	EOF
}

@test "a kept file can be mapped" {
	unmount_all
	mount_machine -o polled
	python3 - "$mnt" <<- 'EOF'
		import mmap, os, sys
		mnt = sys.argv[1]
		with open(mnt + "/proc/buddyinfo", "rb") as f:
		    m = mmap.mmap(f.fileno(), 0, mmap.MAP_SHARED, mmap.PROT_READ)
		    assert m[:] == f.read()
	EOF
}
