# SPDX-License-Identifier: Apache-2.0
"""
What the demonstration does to the machine, and the proof that it undoes it: a network namespace without a route out, the
manager as a child, and the count of what is left at the end. Every process that the manager leaves behind
becomes our child (child subreaper), so that none can hide.
"""
import ctypes
import os
import re
import shutil
import signal
import socket
import subprocess
import time

PREFIX = "uig-demo-"
PROCESS_USER = "nobody"  # the manager's default
MEMORY = "/dev/shm"
ASIDE = "-aside-"
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
LIBC = ctypes.CDLL(None, use_errno=True)
# Where a program that does not clean up leaves its files; names that are ours begin or contain these words.
SHARED_FOLDERS = ["/tmp", "/var/tmp", "/dev/shm", "/run", "/run/netns", "/var/lib", "/run/uigniter"]
CGROUPS = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"]
OTHERS_BUILDS = "/tmp/uigniter-image-"  # of images: ours are elsewhere, see Host.open()


class DemoError(Exception):
    """A sentence for the person who runs the demonstration."""


def ip(*words):
    done = subprocess.run(["ip", *words], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        raise DemoError(f"ip {' '.join(words)}: {done.stderr.strip()}")
    return done.stdout


def is_memory(folder):
    """Whether it is a file system of its own in memory."""
    try:
        with open("/proc/self/mounts", encoding="utf-8") as f:
            return any(line.split()[1:3] == [folder, "tmpfs"] for line in f)
    except OSError:
        return False


def namespaces():
    try:
        return os.listdir("/run/netns")
    except FileNotFoundError:
        return []


def is_stale(name):
    """Of a demonstration that was killed: its process id is in the name."""
    pid = name.removeprefix(PREFIX).split("-")[0]
    return pid.isdigit() and not os.path.exists(f"/proc/{pid}")


def names_in(folder, prefix=PREFIX):
    try:
        return [name for name in os.listdir(folder) if name.startswith(prefix)]
    except OSError:
        return []


def remove_stale(folders):
    """What is left of demonstrations and benchmarks that were killed: namespaces, folders, empty control groups of containers."""
    for name in filter(is_stale, names_in("/run/netns")):
        subprocess.run(["ip", "netns", "del", name], stderr=subprocess.DEVNULL)
    for name in filter(is_stale, names_in(folders, "")):
        shutil.rmtree(os.path.join(folders, name), ignore_errors=True)
    for name in filter(is_stale, names_in("/tmp")):
        shutil.rmtree(os.path.join("/tmp", name), ignore_errors=True)
    for top in CGROUPS:
        for name in filter(is_stale, names_in(top)):
            try:
                os.rmdir(os.path.join(top, name))
            except OSError:
                pass  # something is in it


def port_is_free(port):
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def choose_port(port, fixed, what):
    """The port where it has to be this one, else one that is free now: another demonstration may take the usual one at the same time."""
    if not fixed:
        return free_port()
    if not port_is_free(port):
        raise DemoError(f"port {port} of 127.0.0.1, where {what} should be, is taken (ss -ltnp 'sport = {port}' names "
                        "the program): end it and try again")
    return port


def children():
    """Process ids of our children, adopted ones included."""
    me, found = str(os.getpid()), []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat") as f:
                if f.read().rsplit(")", 1)[1].split()[1] == me:
                    found.append(int(pid))
        except (OSError, IndexError):
            continue
    return found


def describe(pid):
    try:
        with open(f"/proc/{pid}/cmdline") as f:
            return f.read().replace("\0", " ").strip()[:120] or "?"
    except OSError:
        return "?"


class Host:
    """Everything on the machine that has to be undone, in the order it was made."""

    def __init__(self, build):
        self.tag = f"{PREFIX}{os.getpid()}"
        self.folder = os.path.join(build, "demo", str(os.getpid()))
        self.daemon = None
        self.log = os.path.join(self.folder, "uigniterd.log")
        self.has_netns = False
        self.memory = MEMORY if is_memory(MEMORY) else None
        self.shared_before = self.shared_names()
        self.interfaces_before = set(os.listdir("/sys/class/net"))

    @staticmethod
    def shared_names():
        found = set()
        for folder in SHARED_FOLDERS:
            try:
                found |= {os.path.join(folder, n) for n in os.listdir(folder)}
            except OSError:
                continue
        return found

    def open(self):
        os.makedirs(self.path("tmp"), exist_ok=True)
        os.environ["TMPDIR"] = self.path("tmp")
        LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        remove_stale(os.path.dirname(self.folder))
        self.has_netns = True
        ip("netns", "add", self.tag)
        ip("-n", self.tag, "link", "set", "lo", "up")

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def volatile(self, *parts):
        """What the manager forgets: where it would have it, /run, is a file system in memory on most machines; so it is here where there is one."""
        return os.path.join(self.memory, f"{self.tag}-run", *parts) if self.memory else self.path("run", *parts)

    def data(self, *parts):
        """What the application keeps: in a place that its user may reach, wherever the tree is."""
        return os.path.join("/tmp", f"{self.tag}-data", *parts)

    def put_data_aside(self, name):
        """Moves it to where close() leaves it, and says where: to be removed by the caller; if that is killed, by the next one."""
        there = f"{self.data()}{ASIDE}{name}"
        if os.path.exists(self.data()):
            os.rename(self.data(), there)
        return there

    def make_data(self, app_file, monitor):
        """
        The two folders of the picture application: (its file, what is to be in the environment for it). Programs without a VM have no
        volumes: they get the same folders by their own paths, from a file without those lines.
        """
        os.mkdir(self.data(), 0o755)
        for name in ("db", "storage"):
            os.mkdir(self.data(name), 0o700)
            shutil.chown(self.data(name), PROCESS_USER if monitor == "process" else "root")
        env = {"IMAGING_DATA": self.data()}
        if monitor != "process":
            return app_file, env
        with open(app_file) as f, open(self.path("app.yaml"), "w") as out:
            for line in f:
                if not line.strip().startswith("volumes:"):
                    out.write(re.sub(r"(build: \"?)([\w$])", rf"\1{os.path.dirname(app_file)}/\2", line))
        return self.path("app.yaml"), {**env, "IMAGING_DB": self.data("db"), "IMAGING_STORAGE": self.data("storage")}

    def start_daemon(self, argv):
        parent = os.getpid()

        def at_child():
            os.setsid()  # Ctrl-C is ours to handle
            LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
            if os.getppid() != parent:
                os._exit(1)

        with open(self.log, "wb") as log:
            self.daemon = subprocess.Popen(argv, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                           preexec_fn=at_child)

    def stop_daemon(self, limit_s=120):
        """Asks it to end; None, or what went wrong."""
        if not self.daemon or self.daemon.returncode is not None:
            return None
        ended = self.daemon.poll()
        if ended is not None:
            return f"the manager had ended by itself with status {ended}"
        self.daemon.send_signal(signal.SIGTERM)
        try:
            status = self.daemon.wait(limit_s)
        except subprocess.TimeoutExpired:
            self.daemon.kill()
            self.daemon.wait()
            return f"the manager did not end within {limit_s} s after SIGTERM"
        return f"the manager ended with status {status}" if status else None

    def left_in_netns(self):
        if not self.has_netns:
            return []
        names = [line.split(": ")[1].split("@")[0] for line in ip("-n", self.tag, "-o", "link").splitlines()]
        return [f"interface {n} in {self.tag}" for n in names if n != "lo"]

    def end_children(self):
        """Ends what is left of our children; says what it was."""
        left = []
        for _ in range(64):
            pids = children()
            if not pids:
                break
            for pid in pids:
                try:
                    with open(f"/proc/{pid}/stat") as f:
                        zombie = f.read().rsplit(")", 1)[1].split()[0] == "Z"
                    if not zombie:
                        left.append(f"process {pid} ({describe(pid)})")
                        os.kill(pid, signal.SIGKILL)
                    os.waitpid(pid, 0)
                except (OSError, IndexError):
                    continue
        return left

    def left_on_host(self):
        left = [f"interface {n}" for n in set(os.listdir("/sys/class/net")) - self.interfaces_before
                if n.startswith(("uig", "tap", "veth"))]
        left += [f"namespace {n}" for n in namespaces() if n == self.tag]
        with open("/proc/net/unix") as f:
            left += [f"socket {line.split()[-1]}" for line in f if self.folder + "/" in line or self.volatile() + "/" in line]
        left += [f"file {n}" for n in self.shared_names() - self.shared_before
                 if (self.tag in n and ASIDE not in n) or ("uigniter" in os.path.basename(n) and not n.startswith(OTHERS_BUILDS))]
        return left

    def left_of_builds(self):
        """Our builds of images work in the folder that open() made for them."""
        try:
            return [f"file {n}" for n in os.listdir(self.path("tmp")) if "uigniter" in n]
        except FileNotFoundError:
            return []

    def close(self):
        """Undoes everything. Returns what was wrong or left behind: an empty list is a clean end."""
        wrong = self.stop_daemon()
        left = [wrong] if wrong else []
        try:
            left += self.left_in_netns()
        except DemoError as e:
            left.append(str(e))
        left += self.end_children()
        if self.has_netns:
            subprocess.run(["ip", "netns", "del", self.tag], stderr=subprocess.DEVNULL)
            self.has_netns = False
        left += self.left_of_builds()
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.rmtree(self.data(), ignore_errors=True)
        shutil.rmtree(self.volatile(), ignore_errors=True)
        if os.path.exists(self.folder):
            left.append(f"folder {self.folder}")
        deadline = time.monotonic() + 5  # others on the machine make and remove files of such names too
        on_host = self.left_on_host()
        while on_host and time.monotonic() < deadline:
            time.sleep(0.1)
            on_host = self.left_on_host()
        return left + on_host
