# SPDX-License-Identifier: MIT
"""clients - what the processes of the load do to a mount

Each client is a process of its own: it works until its time is over, or until
it is killed.  A client ends with a Fault when it meets an error that cannot be
expected, or a text that contradicts itself.
"""

import errno
import os
import random
import select
import stat
import time

import checks

E = errno
GONE = {E.ENOENT, E.ENODEV, E.ENOTDIR, E.ESTALE}
# What a mount answers whose daemon has ended, or that is being ended.
LOST = {E.ENOTCONN, E.ECONNABORTED, E.EIO, E.ENODEV, E.ENOENT, E.EINTR,
        E.ENOTDIR, E.ESTALE, E.ESHUTDOWN, E.EPERM, E.EROFS, E.EACCES}
BLOCK = 1 << 20


class Fault(Exception):
    """Something that must not happen."""


class Over(Exception):
    """The time is over, or the mount was taken away as it may be."""


class Client:
    def __init__(self, mnt, seed, until, slot=0, may_lose=False, data=None):
        self.mnt = mnt
        self.rng = random.Random(seed)
        self.until = until
        self.slot = slot
        self.may_lose = may_lose
        self.data = data or {}
        self.serial = 0
        self.counts = {}

    def count(self, what, n=1):
        self.counts[what] = self.counts.get(what, 0) + n

    def path(self, name):
        return os.path.join(self.mnt, name)

    def tick(self):
        if time.monotonic() >= self.until:
            raise Over()
        if self.may_lose and not os.path.exists(self.path("README")):
            raise Over()

    def unexpected(self, e, what):
        if self.may_lose and e.errno in LOST:
            raise Over() from e
        raise Fault("%s: %s" % (what, e)) from e

    def attempt(self, expected, what, call, *args):
        """call(*args), or None when it fails as expected"""
        try:
            return call(*args)
        except OSError as e:
            if e.errno not in expected:
                self.unexpected(e, what)
            self.count(E.errorcode[e.errno])
            return None

    def read_fd(self, fd, chunk=BLOCK, most=4 << 20):
        parts, at = [], 0
        while at < most:
            part = os.pread(fd, chunk, at)
            if not part:
                break
            parts.append(part)
            at += len(part)
        return b"".join(parts)

    def read(self, name, **how):
        fd = os.open(self.path(name), os.O_RDONLY)
        try:
            return self.read_fd(fd, **how)
        finally:
            os.close(fd)

    def write(self, name, text):
        if isinstance(text, str):
            text = text.encode()
        fd = os.open(self.path(name), os.O_WRONLY)
        try:
            n = os.write(fd, text)
        finally:
            os.close(fd)
        if n != len(text):
            raise Fault("%s: %d of %d bytes written" % (name, n, len(text)))
        return n

    def name(self):
        self.serial += 1
        return "c%d_%d" % (os.getpid(), self.serial)

    def check(self, path, text):
        try:
            return checks.ALONE[path](text.decode())
        except checks.Torn as e:
            raise Fault("%s: %s" % (path, e)) from e

    # --- readers ------------------------------------------------------------

    def walker(self):
        """Walks everything: names, attributes, links, contents."""
        while True:
            self.walk("")
            self.count("walks")

    def walk(self, at):
        self.tick()
        names = self.attempt(GONE, "ls " + at, os.listdir, self.path(at))
        if names is None:
            return
        self.rng.shuffle(names)
        # Of what is there by the thousand, some.
        if at in ("allocations", "pages"):
            names = names[:20]
        elif at.startswith("sys/devices/system/memory") or at == "cpus":
            names = names[:8]
        for name in names:
            self.visit(os.path.join(at, name))

    def visit(self, at):
        self.tick()
        st = self.attempt(GONE, "stat " + at, os.lstat, self.path(at))
        if st is None:
            return
        if stat.S_ISDIR(st.st_mode):
            self.walk(at)
        elif stat.S_ISLNK(st.st_mode):
            to = self.attempt(GONE, "readlink " + at, os.readlink,
                              self.path(at))
            if to == "":
                raise Fault("%s: an empty link" % at)
        elif os.path.basename(at) != "trace_pipe":
            self.attempt(GONE, "read " + at, self.visit_file, at)

    def visit_file(self, at):
        chunk = self.rng.choice((512, 4096, 65536, BLOCK))
        text = self.read(at, chunk=chunk, most=max(chunk * 16, 65536))
        self.count("files")
        if at in checks.ALONE and len(text) < max(chunk * 16, 65536):
            self.check(at, text)

    def poller(self):
        """Keeps files open, reads them at offset 0, compares them."""
        fds = {p: os.open(self.path(p), os.O_RDONLY) for p in checks.ALONE}
        paths = [p for p in fds if p != "history/position"]
        position = fds["history/position"]
        while True:
            self.tick()
            self.rng.shuffle(paths)
            # In pieces too: what is read on is the text that was begun.
            chunk = self.rng.choice((512, BLOCK, BLOCK, BLOCK))
            before = os.pread(position, 64, 0)
            got = {p: self.read_fd(fds[p], chunk) for p in paths}
            after = os.pread(position, 64, 0)
            got = {p: self.check(p, text) for p, text in got.items()}
            self.count("polls", len(paths))
            if before == after:
                self.compare(got, before)

    def compare(self, got, position):
        try:
            checks.across(got)
        except checks.Torn as e:
            raise Fault("at position %s: %s" %
                        (position.decode().strip(), e)) from e
        self.count("comparisons")

    def lister(self):
        """Stats, directories read piecewise, descriptors that outlive."""
        held = []
        while True:
            self.tick()
            where = self.rng.choice(("allocations", "pages", "control/page",
                                     "proc", "nodes/0/zones"))
            n = 0
            try:
                with os.scandir(self.path(where)) as entries:
                    for n, entry in enumerate(entries, 1):
                        self.attempt(GONE, "stat " + entry.path, entry.stat)
                        if n == 40:
                            break
                if where == "allocations" and n:
                    held.append(os.open(os.path.join(entry.path, "info"),
                                        os.O_RDONLY))
            except OSError as e:
                if e.errno not in GONE:
                    self.unexpected(e, where)
            if held and self.rng.random() < .5:
                fd = held.pop(self.rng.randrange(len(held)))
                self.attempt(GONE, "an old descriptor", os.pread, fd, 4096, 0)
                os.close(fd)
            self.count("listings")

    def verifier(self):
        """The laws and the logs, while everything moves."""
        while True:
            for name in ("verify", "error_log", "answers", "dmesg",
                         "history/journal", "history/digest", "trace/trace",
                         "replay/progress", "replay/mismatches"):
                self.tick()
                text = self.read(name)
                if name == "verify":
                    try:
                        checks.verify(text.decode())
                    except checks.Torn as e:
                        raise Fault(str(e)) from e
                if name == "history/digest" and len(text) != 65:
                    raise Fault("digest: %r" % text)
            self.count("verifies")

    def sleeper(self):
        """Waits for events: in read, or in poll."""
        fd = os.open(self.path("trace/trace_pipe"), os.O_RDONLY)
        if self.rng.random() < .5:
            os.set_blocking(fd, False)
            waiting = select.poll()
            waiting.register(fd, select.POLLIN)
            while True:
                self.tick()
                waiting.poll(200)
                self.attempt({E.EAGAIN}, "trace_pipe", os.read, fd, 65536)
        while True:
            self.tick()
            if not os.read(fd, 65536):
                raise Fault("trace_pipe ended")

    # --- writers ------------------------------------------------------------

    def talk(self, fd, line, expected):
        """One op on a descriptor for both; its answer, None when refused."""
        n = self.attempt(expected, line, os.write, fd, (line + "\n").encode())
        answer = os.read(fd, 65536).decode()
        if n is None and not answer.startswith("error "):
            raise Fault("%s failed, but answers %r" % (line, answer))
        if n is not None and (answer.count("\n") != 1 or
                              answer.startswith("error")):
            raise Fault("%s answers %r" % (line, answer))
        return answer if n is not None else None

    def allocator(self):
        """Allocates and frees by many control files, reads what it has."""
        page = "control/page/"
        fds = {c: os.open(self.path(page + c), os.O_RDWR) for c in (
            "alloc_pages", "alloc_page", "__get_free_pages", "get_zeroed_page",
            "alloc_pages_exact", "__free_pages", "free_pages",
            "free_pages_exact", "drain_all_pages", "split_page")}
        self.cpus = len(os.listdir(self.path("cpus")))
        live = []
        try:
            while True:
                self.tick()
                if len(live) < 24 and self.rng.random() < .55:
                    self.allocate(fds, live)
                elif live:
                    self.free(fds, live.pop(self.rng.randrange(len(live))))
                elif self.rng.random() < .1:
                    self.talk(fds["drain_all_pages"], "", set())
        finally:
            for name, _ in live:
                self.attempt(LOST | GONE, "free", self.remove, name)

    def remove(self, name):
        """rmdir, or what alloc_pages_exact wants instead."""
        try:
            os.rmdir(self.path("allocations/" + name))
        except OSError as e:
            if e.errno != E.EINVAL:
                raise
            self.write("control/page/free_pages_exact", name + "\n")

    def allocate(self, fds, live):
        name = self.name()
        how = self.rng.choice(("alloc_pages", "alloc_page", "alloc_pages",
                               "__get_free_pages", "get_zeroed_page",
                               "alloc_pages_exact"))
        order = self.rng.choice((0, 0, 0, 1, 1, 2, 3, 4, 6))
        gfp = self.rng.choice(("GFP_KERNEL", "GFP_ATOMIC", "GFP_KERNEL"
                               "|__GFP_RECLAIMABLE", "GFP_KERNEL|__GFP_ZERO"))
        if how == "alloc_pages" and self.rng.random() < .5:
            gfp = "GFP_HIGHUSER_MOVABLE"
        words = {"alloc_pages": "%s %d" % (gfp, order),
                 "__get_free_pages": "%s %d" % (gfp, order),
                 "alloc_pages_exact": "%d %s" % (
                     self.rng.randrange(1, 100000), gfp)}.get(how, gfp)
        answer = self.talk(fds[how], "%s name=%s cpu=%d" % (
            words, name, self.rng.randrange(self.cpus)), {E.ENOMEM})
        if answer is None:
            return
        self.count("ops")
        if not answer.startswith(name + " "):
            raise Fault("asked for %s, answered %r" % (name, answer))
        live.append((name, how))
        pfn = answer.split("pfn=")[1].split()[0]
        if self.rng.random() < .3:
            shown = self.read("allocations/%s/pfn" % name).decode().strip()
            if shown != pfn:
                raise Fault("%s answered pfn %s, shows %s" %
                            (name, pfn, shown))
            self.read("allocations/%s/why" % name)
            self.read("pages/%s/info" % pfn)

    def free(self, fds, it):
        name, how = it
        if how == "alloc_pages_exact":
            self.talk(fds["free_pages_exact"], name, set())
        elif self.rng.random() < .4:
            self.attempt(set(), "rmdir " + name, os.rmdir,
                         self.path("allocations/" + name))
        else:
            self.talk(fds[self.rng.choice(("__free_pages", "free_pages"))
                          if how != "alloc_pages" else "__free_pages"],
                      name, set())
        if os.path.exists(self.path("allocations/" + name)):
            raise Fault("%s is there after it was freed" % name)
        self.count("ops")

    def scribe(self):
        """Bytes written to an allocation of its own are found everywhere."""
        at = "allocations/kept%d" % self.slot
        pfn = int(self.read(at + "/pfn"))
        data = os.open(self.path(at + "/data"), os.O_RDWR)
        ram = os.open(self.path("ram"), os.O_RDONLY)
        page = os.open(self.path("pages/%d/data" % pfn), os.O_RDWR)
        while True:
            self.tick()
            offset = self.rng.randrange(4096)
            mark = self.rng.randbytes(self.rng.randrange(1, 4097 - offset))
            to = self.rng.choice((data, page))
            if os.pwrite(to, mark, offset) != len(mark):
                raise Fault("%s: a short write" % at)
            for fd, base in ((data, 0), (page, 0), (ram, pfn << 12)):
                if os.pread(fd, len(mark), base + offset) != mark:
                    raise Fault("%s: other bytes than were written" % at)
            self.count("ops")

    def batcher(self):
        """Ops by the thousand, in writes that cut lines anywhere."""
        fd = os.open(self.path("control/batch"), os.O_WRONLY)
        while True:
            self.tick()
            lines, live = [], []
            for _ in range(self.rng.choice((10, 300, 5000))):
                if live and (len(live) > 60 or self.rng.random() < .5):
                    name = live.pop(self.rng.randrange(len(live)))
                    lines.append("page/__free_pages %s" % name)
                else:
                    live.append(self.name())
                    lines.append("page/alloc_pages GFP_KERNEL %d name=%s" %
                                 (self.rng.choice((0, 0, 1, 2)), live[-1]))
            lines += ["page/__free_pages %s" % name for name in live]
            text = ("\n".join(lines) + "\n").encode()
            while text:
                n = self.rng.choice((100, 4096, 65536, 1 << 20))
                # Without memory the rest of the lines do not fit any more.
                if self.attempt({E.ENOMEM}, "batch", os.write, fd,
                                text[:n]) is None:
                    os.close(fd)
                    self.free_mine()
                    fd = os.open(self.path("control/batch"), os.O_WRONLY)
                    break
                text = text[n:]
            self.count("ops", len(lines))

    def free_mine(self):
        mine = "c%d_" % os.getpid()
        for name in os.listdir(self.path("allocations")):
            if name.startswith(mine):
                self.attempt(GONE, "rmdir", os.rmdir,
                             self.path("allocations/" + name))

    def replayer(self):
        """Replays recordings; another may be at it."""
        while True:
            self.tick()
            policy = self.rng.choice(("model", "mirror"))
            self.attempt({E.EBUSY}, "policy", self.write, "replay/policy",
                         policy + "\n")
            fd = self.attempt({E.EBUSY}, "replay/ftrace", os.open,
                              self.path("replay/ftrace"), os.O_WRONLY)
            if fd is None:
                self.read("replay/progress")
                continue
            text = self.data[self.rng.choice(sorted(self.data))]
            # From the start, for some of the way.
            text = text[:self.rng.randrange(1, len(text))]
            at = 0
            try:
                while at < len(text):
                    self.tick()
                    n = self.rng.choice((1000, 65536, 1 << 20))
                    at += os.write(fd, text[at:at + n])
            except OSError as e:
                self.unexpected(e, "replay/ftrace")
            finally:
                os.close(fd)
            self.count("replays")
            if self.rng.random() < .5:
                self.attempt({E.EBUSY}, "release", self.write,
                             "control/replay/release", "\n")

    def knobs(self):
        """Sysctls, tracing, time, memory blocks."""
        blocks = [b for b in os.listdir(
            self.path("sys/devices/system/memory")) if b[-1].isdigit()]
        while True:
            self.tick()
            r = self.rng
            name, value, expected = r.choice((
                ("proc/sys/vm/min_free_kbytes", r.randrange(500, 9000), ()),
                ("proc/sys/vm/watermark_scale_factor", r.randrange(1, 60), ()),
                ("proc/sys/vm/watermark_boost_factor",
                 r.choice((0, 15000)), ()),
                ("proc/sys/vm/percpu_pagelist_high_fraction",
                 r.choice((0, 8, 100)), ()),
                ("proc/sys/vm/lowmem_reserve_ratio",
                 "256 256 %d 0 0" % r.randrange(1, 64), ()),
                ("control/clock/advance", "%dms" % r.randrange(1, 50), ()),
                ("trace/events/enable", r.choice((0, 1, 1)), ()),
                ("trace/tracing_on", r.choice((0, 1, 1)), ()),
                ("trace/buffer_size_kb", r.choice((16, 64, 512)), ()),
                ("trace/trace", "", ()),
                ("sys/devices/system/memory/%s/state" % r.choice(blocks),
                 r.choice(("offline", "online", "online_movable",
                           "online_kernel")), (E.EBUSY, E.EINVAL)),
            ))
            self.attempt(set(expected), name, self.write, name,
                         "%s\n" % value)
            self.count("ops")

    def junk(self):
        """Lines that are refused: an errno, and nothing else."""
        ops = []

        def lost(error):
            raise error

        for top, _, files in os.walk(self.path("control"), onerror=lost):
            ops += [os.path.join(top, f) for f in files if f != "batch"]
        refused = {E.EINVAL, E.ENOENT, E.E2BIG, E.ESRCH, E.ENODEV, E.EFBIG,
                   E.EFAULT, E.EBUSY, E.ENOMEM, E.EEXIST, E.ENAMETOOLONG,
                   E.ERANGE}
        words = ("GFP_NO", "-1", "99999999999999999999", "order=", "=", "\0",
                 "name=a/b", "cpu=77", "\xff\xfe", "'", "nosuch", "0x",
                 "base64:", "x" * 5000)
        while True:
            self.tick()
            fd = os.open(self.rng.choice(ops), os.O_WRONLY)
            line = " ".join(self.rng.choices(words, k=self.rng.randrange(1, 9)))
            if self.attempt(refused, "junk", os.write, fd,
                            ("nonsense " + line + " zz=1\n").encode("latin1")):
                raise Fault("taken: %r" % line)
            os.close(fd)
            self.attempt({E.EPERM, E.EACCES, E.EROFS}, "mkdir", os.mkdir,
                         self.path("proc/new"))
            self.count("refusals")

    # --- between the rounds, alone ------------------------------------------

    def names(self):
        return os.listdir(self.path("allocations"))

    def warm_up(self):
        """Touch every frame once, so that the first round has had it all."""
        fd = os.open(self.path("control/batch"), os.O_WRONLY)
        full = False
        serial = 0
        while not full:
            lines = "".join("page/alloc_pages GFP_HIGHUSER_MOVABLE|"
                            "__GFP_NORETRY name=w%d\n" % n
                            for n in range(serial, serial + 2000))
            serial += 2000
            full = self.attempt({E.ENOMEM}, "warm-up", os.write, fd,
                                lines.encode()) is None
        os.close(fd)
        self.clear(set())
        for n in range(self.slot):
            self.write("control/page/alloc_pages",
                       "GFP_KERNEL 0 name=kept%d\n" % n)

    def clear(self, keep):
        names = [n for n in self.names() if n not in keep]
        for at in range(0, len(names), 1000):
            self.write("control/batch", "".join(
                "page/__free_pages %s\n" % n for n in names[at:at + 1000]))

    def settle(self, held):
        """Free all but what is kept; then everything must agree.  What RAM
        has in it goes into the file @held."""
        for block in os.listdir(self.path("sys/devices/system/memory")):
            if block[-1].isdigit():
                self.attempt({E.EINVAL}, "online", self.write,
                             "sys/devices/system/memory/%s/state" % block,
                             "online\n")
        kept = {"kept%d" % n for n in range(self.slot)}
        for name in self.names():
            if name not in kept:
                self.remove(name)
        if set(self.names()) != kept:
            raise Fault("left over: %s" % (set(self.names()) ^ kept))
        self.write("control/replay/release", "\n")
        self.write("trace/events/enable", "0\n")
        self.write("trace/buffer_size_kb", "64\n")
        got = {p: self.check(p, self.read(p)) for p in checks.ALONE}
        self.compare(got, self.read("history/position"))
        digest = self.read("history/digest")
        try:
            checks.verify(self.read("verify").decode())
        except checks.Torn as e:
            raise Fault(str(e)) from e
        self.attempt({E.EINVAL}, "junk", self.write,
                     "control/page/alloc_pages", "GFP_NO\n")
        if self.read("history/digest") != digest:
            raise Fault("a read or a refused op changed the digest")
        with open(held, "wb") as f:
            f.write(self.read("machine/ram_held"))
        # A moment after a stream the daemon gives back what it has freed.
        self.write("control/batch", "\n" * BLOCK)
        print("position", self.read("history/position").decode().strip(),
              "digest", digest.decode().strip()[:16], flush=True)

    def give_journal(self, journal, digest):
        """The digest into a file, then the journal into a pipe."""
        with open(digest, "wb") as f:
            f.write(self.read("history/digest"))
        fd = os.open(self.path("history/journal"), os.O_RDONLY)
        try:
            with open(journal, "wb") as f:
                while part := os.read(fd, BLOCK):
                    f.write(part)
        except BrokenPipeError:
            pass  # who reads it has stopped, and says why
