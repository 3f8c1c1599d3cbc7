# SPDX-License-Identifier: MIT
"""mounter - further machines: mounted, loaded, and ended in every way

A client that never touches its mounts itself: its children do.  It is not
killed by the driver; what it started is in a file, should it get stuck.
"""

import os
import signal
import subprocess
import time

from clients import Client, Fault, LOST, Over

MACHINES = ("uma-small", "default", "i386-pae", "numa-4", "big", "embedded")
LOAD = ("walker", "lister", "verifier", "junk", "allocator", "batcher")


def is_mounted(mnt):
    with open("/proc/self/mountinfo") as f:
        return any(line.split()[4] == mnt for line in f)


class Mounter(Client):
    def __init__(self, mnt, seed, until, spawn, work, patience):
        super().__init__(mnt, seed, until)
        self.spawn = spawn
        self.work = work
        self.patience = patience
        self.pids = os.path.join(work, "pids")
        self.number = 0

    def note(self, pid):
        with open(self.pids, "a") as f:
            f.write("%d\n" % pid)

    def wait(self, what, call):
        """call() until it is true, within the patience."""
        end = time.monotonic() + self.patience
        while not call():
            if time.monotonic() > end:
                raise Fault("stuck: %s" % what)
            time.sleep(.01)

    def mount(self, machine, options):
        os.makedirs(self.mnt, exist_ok=True)
        daemon = subprocess.Popen(
            ["kmemfs", "-f"] + options + [machine, self.mnt],
            stdout=subprocess.PIPE, stdin=subprocess.DEVNULL,
            stderr=open(self.work + ".says", "a"))
        self.note(daemon.pid)
        if not daemon.stdout.readline().startswith(b"ready "):
            raise Fault("kmemfs %s does not mount: status %s" %
                        (" ".join(options + [machine]), daemon.wait()))
        return daemon

    def end(self, daemon, how):
        """Take the mount away; true: the daemon has to end with status 0."""
        if how == "kill":
            daemon.kill()
            # Its clients and its notifier may wait for each other.
            subprocess.run(["umount", "-f", "-l", self.mnt], check=True)
            daemon.wait()
            return False
        if how in ("term", "int"):
            daemon.send_signal(signal.SIGTERM if how == "term"
                               else signal.SIGINT)
        elif how == "fusermount3":
            subprocess.run(["fusermount3", "-u", "-z", self.mnt], check=True)
        else:
            subprocess.run(["umount", "-l", self.mnt], check=True)
        return True

    def children_end(self, children, signum):
        for pid in children:
            if signum:
                os.kill(pid, signum)
        left = set(children)

        def reap():
            for pid in list(left):
                done, status = os.waitpid(pid, os.WNOHANG)
                if done:
                    left.remove(pid)
                    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
                        raise Fault("a client of a further machine failed")
            return not left
        self.wait("clients of a further machine", reap)

    def mounter(self):
        while True:
            self.tick()
            self.once()
            self.count("mounts")

    def once(self):
        r = self.rng
        machine = r.choice(MACHINES)
        options = ["--threads=%d" % r.choice((1, 1, 2, 4))]
        if r.random() < .3:
            options.append("--realtime")
        if r.random() < .2:
            options.append("-onostream")
        if r.random() < .3:
            options.append("-opolled")
        how = r.choice(("umount", "lazy", "term", "int", "kill",
                        "fusermount3", "kept"))
        if how == "kept":
            return self.kept(machine, options)
        daemon = self.mount(machine, options)
        end = time.monotonic() + r.random() * 1.5
        children = [self.spawn(kind, Client(
            self.mnt, r.random(), end + 1, may_lose=True))
            for kind in r.sample(LOAD, 3)]
        for pid in children:
            self.note(pid)
        time.sleep(max(0, end - time.monotonic()))
        if how == "umount":
            self.children_end(children, signal.SIGKILL)
            children = []
        clean = self.end(daemon, how)
        if how in ("lazy", "fusermount3"):
            # The daemon goes with the last descriptor.
            self.children_end(children, 0)
            children = []
        self.wait("the daemon of %s after %s" % (machine, how),
                  lambda: daemon.poll() is not None)
        if clean and daemon.returncode:
            raise Fault("the daemon of %s ended with %s after %s" %
                        (machine, daemon.returncode, how))
        self.children_end(children, 0)
        if is_mounted(self.mnt):
            raise Fault("still mounted after %s" % how)

    def kept(self, machine, options):
        """A machine on disk, killed at work, has all that was answered."""
        self.number += 1
        state = os.path.join(self.work, "state%d" % self.number)
        options = options + ["--state=" + state]
        daemon = self.mount(machine, options)
        acknowledged, told = os.pipe()
        until = time.monotonic() + 20

        def allocate():
            client = Client(self.mnt, 0, until, may_lose=True)
            for n in range(100000):
                try:
                    client.write("control/page/alloc_pages", "name=n%d\n" % n)
                except OSError as e:
                    if e.errno not in LOST:
                        # The machine is full; wait to lose it.
                        signal.pause()
                    raise Over() from e
                os.write(told, b".")
        child = self.spawn(allocate, None)
        self.note(child)
        os.close(told)
        time.sleep(self.rng.random())
        self.end(daemon, "kill")
        self.children_end([child], signal.SIGKILL)
        count = 0
        while part := os.read(acknowledged, 65536):
            count += len(part)
        os.close(acknowledged)
        daemon = self.mount(machine, options)

        def look():
            client = Client(self.mnt, 0, until)
            have = set(client.names())
            for n in range(count):
                if "n%d" % n not in have:
                    raise Fault("n%d of %d was answered and is lost" %
                                (n, count))
        child = self.spawn(look, None)
        self.note(child)
        self.children_end([child], 0)
        self.end(daemon, "term")
        self.wait("a daemon with a state", lambda: daemon.poll() is not None)
        if daemon.returncode:
            raise Fault("a daemon with a state: %s" % daemon.returncode)
        self.count("kept")
