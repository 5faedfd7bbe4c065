# SPDX-License-Identifier: Apache-2.0
"""
A daemon of one's own for a test: in a network namespace made for it, on folders made for it, without a route out. Every
answer is held against the contract. stop() ends the daemon and fails when anything is left: interfaces, processes,
sockets, files.
"""
import ctypes
import errno
import http.client
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from contract import Contract

BUILD = os.environ.get("UIGNITER_BUILD") or os.path.join(os.path.dirname(__file__), "..", "..", "build")
DAEMON = os.path.join(BUILD, "daemon", "uigniterd")
CLI = os.path.join(BUILD, "cli", "uigniter")
PYTHON = "/usr/bin/python3"
BUILDER = os.path.join(BUILD, "cli", "uigniter-build")
GUEST = os.path.join(BUILD, "tests/api/api-guest-server")
TIMEOUT_S = 240  # of one request: a bound for what hangs, which no load of the machine may reach
LOG_SHOWN_BYTES = 8192  # of a daemon whose test failed
CONSOLE_SHOWN_BYTES = 1024

# From when it listens it is ready, and may be told to end. A client that breaks off is not its end.
SERVER = """
import socket, sys, os, signal
signal.signal(signal.SIGTERM, lambda *a: (os.write(1, b"told to end\\n"), os._exit(7)))
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("0.0.0.0", int(sys.argv[1])))
s.listen(64)
print("serving", *sys.argv[2:], flush=True)
while True:
    c, _ = s.accept()
    try:
        while data := c.recv(65536):
            c.sendall(data)
    except OSError:
        pass
    c.close()
"""


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(77)


def missing(monitor=None):
    """What a daemon, or one with this monitor, needs and has not; None."""
    if os.geteuid() != 0:
        return "needs root for network namespaces"
    for tool in ("ip",):
        if not shutil.which(tool):
            return f"needs {tool}"
    if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        return "needs /dev/net/tun"
    if not os.path.exists(PYTHON):
        return f"needs {PYTHON}"
    if monitor in ("uvmm", "qemu"):
        parts = {"uvmm": ["vmm/uvmm"], "qemu": []}[monitor] + ["libos/libos.elf", "tests/api/api-guest-server"]
        if monitor == "uvmm" and not os.access("/dev/kvm", os.R_OK | os.W_OK):
            return "needs /dev/kvm"
        if monitor == "qemu" and not os.path.exists("/usr/bin/qemu-system-x86_64"):
            return "needs qemu-system-x86_64"
        for part in parts:
            if not os.path.exists(os.path.join(BUILD, part)):
                return f"needs {part}"
        if not shutil.which("mkfs.erofs"):
            return "needs mkfs.erofs"
    return None


def need(monitor=None):
    reason = missing(monitor)
    if reason:
        skip(reason)


class Result(unittest.TextTestResult):
    """Shows, when a test fails, what its daemons have to say, before they are removed."""

    def addError(self, test, err):
        super().addError(test, err)
        Daemon.show_all()

    def addFailure(self, test, err):
        super().addFailure(test, err)
        Daemon.show_all()

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err:
            Daemon.show_all()


def runner():
    return unittest.TextTestRunner(verbosity=2, resultclass=Result)


def main():
    unittest.main(argv=[sys.argv[0], "-v", *sys.argv[1:]], testRunner=runner())


def guest_image(files=None):
    """An image with the echo server of guest/server.c as /bin/server, and other files: where in the image -> file."""
    with tempfile.TemporaryDirectory() as folder:
        for where, file in {"/bin/server": GUEST, **(files or {})}.items():
            os.makedirs(os.path.dirname(os.path.join(folder, "root" + where)), exist_ok=True)
            shutil.copy(file, os.path.join(folder, "root" + where))
        path = os.path.join(folder, "image.erofs")
        subprocess.run(["mkfs.erofs", path, os.path.join(folder, "root")], check=True, capture_output=True)
        with open(path, "rb") as file:
            return file.read()


def own_loopback():
    """An address of 127.0.0.0/8 for this process alone: ports on it are free."""
    pid = os.getpid()
    return f"127.{64 + (pid >> 16)}.{pid >> 8 & 255}.{pid & 255}"


def cgroup_parent():
    """The folder of this process's own group (cgroup v2), in which it may make others; None."""
    with open("/proc/self/mountinfo", encoding="ascii") as file:
        mounts = [line.split()[4] for line in file if " - cgroup2 " in line]
    with open("/proc/self/cgroup", encoding="ascii") as file:
        own = [line.strip()[len("0::"):] for line in file if line.startswith("0::")]
    if not mounts or not own or "/.." in own[0]:
        return None
    parent = os.path.join(mounts[0], own[0].lstrip("/"))
    try:
        probe = tempfile.mkdtemp(prefix="uig-test-", dir=parent)
    except OSError:
        return None
    os.rmdir(probe)
    return parent


def wait_process(pid):
    """Until a process ends, whoever's child it is."""
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    if not select.select([fd], [], [], TIMEOUT_S)[0]:
        raise TimeoutError(f"process {pid} does not end")
    os.close(fd)


def signal_process(pid, signo):
    """A signal to one that may have ended by itself."""
    try:
        os.kill(pid, signo)
    except ProcessLookupError:
        pass


def wait_stopped(pid):
    """Until a process that was sent SIGSTOP stands still: it does so when it is next about to run."""
    deadline = time.monotonic() + TIMEOUT_S
    while time.monotonic() < deadline:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            if file.read().rpartition(")")[2].split()[0] == "T":
                return
        os.sched_yield()
    raise TimeoutError(f"process {pid} does not stand still")


class Background:
    """A call in a thread of its own, begun at once: result() waits for it, and returns or raises what it does."""

    def __init__(self, call, *words, **more):
        self.value, self.error = None, None
        self.thread = threading.Thread(target=self._run, args=(call, words, more))
        self.thread.start()

    def _run(self, call, words, more):
        try:
            self.value = call(*words, **more)
        except BaseException as error:  # whatever it is, who waits shall see it
            self.error = error

    def result(self):
        self.thread.join()
        if self.error:
            raise self.error
        return self.value


def together(calls):
    """What each of these calls returns, all at once, in their order."""
    return [begun.result() for begun in [Background(call) for call in calls]]


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body
        media = headers.get("content-type", "").split(";")[0]
        self.json = json.loads(body) if media.endswith("json") and body else None

    def __repr__(self):
        return f"{self.status} {self.body[:600]!r}"


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=TIMEOUT_S + 60)  # a request may itself wait for TIMEOUT_S
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)  # waits while the manager's queue is full, as one with a time-out would not
        self.sock.settimeout(self.timeout)


class Daemon:
    count = 0
    there = []  # those whose folder is there

    def __init__(self, *options, subnet="10.77.0.0/24", monitor="process", pool=2, listen="none", folder=None, netns=None,
                 volume_root=None, token=None, cgroup=False):
        Daemon.count += 1
        self.own_netns = netns is None
        self.netns = netns or f"uig-test-{os.getpid()}-{Daemon.count}"
        self.own_folder = folder is None
        self.folder = folder or tempfile.mkdtemp(prefix="uig-test-")
        os.chmod(self.folder, 0o755)
        Daemon.there.append(self)
        if self.own_netns:
            subprocess.run(["ip", "netns", "add", self.netns], check=True)
            subprocess.run(["ip", "-n", self.netns, "link", "set", "lo", "up"], check=True)
        self.run_dir = os.path.join(self.folder, "run")
        self.state_dir = os.path.join(self.folder, "state")
        self.socket = os.path.join(self.run_dir, "uigniterd.sock")
        self.contract = None
        self.arguments = [DAEMON, "--netns", self.netns, "--run-dir", self.run_dir, "--state-dir", self.state_dir,
                          "--listen", listen, "--monitor", monitor, "--pool", str(pool),
                          "--quarantine", "0", *options]
        if subnet:
            self.arguments += ["--subnet", subnet]
        if token:
            path = os.path.join(self.folder, "token")
            with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as file:
                file.write(token + "\n")
            self.arguments += ["--token-file", path]
        if volume_root:
            self.arguments += ["--volume-root", volume_root]
        parent = cgroup_parent() if cgroup else None
        self.cgroup = os.path.join(parent, self.netns) if parent else None
        if self.cgroup:
            self.arguments += ["--cgroup", self.cgroup]
        self.start()

    def start(self):
        self.log = open(os.path.join(self.folder, "log"), "ab+")
        begin = self.log.seek(0, 2)
        reader, writer = os.pipe()
        self.process = subprocess.Popen(self.arguments, stderr=writer, stdin=subprocess.DEVNULL)
        os.close(writer)
        self.stderr = os.fdopen(reader, "rb")
        for line in self.stderr:
            self.log.write(line)
            self.log.flush()
            if b'msg="serving"' in line or b'"msg":"serving"' in line:
                break
        else:
            self.process.wait()
            self.stderr.close()
            with self.log:
                self.log.seek(begin)
                raise RuntimeError("the daemon did not start: " + self.log.read().decode())
        # from here on the kernel's pipe would fill up
        self.drain = subprocess.Popen(["cat"], stdin=self.stderr, stdout=self.log)
        self.stderr.close()
        if not self.contract:
            self.contract = Contract(self.call("GET", "/openapi.json", check=False).json)

    def connection(self):
        return UnixConnection(self.socket)

    def call(self, method, path, body=None, headers=None, check=True, connection=None):
        headers = dict(headers or {})
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
            headers.setdefault("Content-Type", "application/json")
        own = connection is None
        connection = connection or self.connection()
        try:
            connection.request(method, path, body=body, headers=headers)
            response = connection.getresponse()
            answer = Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        finally:
            if own:
                connection.close()
        if check:
            self.contract.check(method, path, answer.status, answer.headers, answer.body, answer.json)
        if answer.status >= 400 and method != "HEAD":
            assert answer.headers["content-type"] == "application/problem+json", answer
            for field in ("type", "title", "status", "detail", "code", "request_id"):
                assert field in answer.json, (field, answer)
            assert answer.json["status"] == answer.status, answer
            assert answer.json["title"] != "Error", answer  # each status has a title of its own
        return answer

    def put_image(self, name, config, data=b""):
        answer = self.call("PUT", f"/image/{name}", data,
                           {"Uigniter-Config": json.dumps(config), "Content-Type": "application/octet-stream"})
        assert answer.status in (200, 201), answer
        return answer

    def put_server(self, name="server", port=8000, **config):
        """An image of an echo server on that port, which exits with 7 when told to end."""
        config = {"cmd": ["python3", "-c", SERVER, str(port)], "ports": [port], "process": {"program": PYTHON}, **config}
        return self.put_image(name, config)

    def put_shell(self, name, script):
        return self.put_image(name, {"cmd": ["sh", "-c", script], "process": {"program": "/bin/sh"}})

    def run(self, image, status=201, **fields):
        if fields.get("wait") == "ready":
            fields.setdefault("wait_timeout_ms", TIMEOUT_S * 1000)
        answer = self.call("POST", "/vm/run", {"image_name": image, **fields})
        assert answer.status == status, answer
        return answer.json

    def wait(self, vm, state="ended"):
        answer = self.call("GET", f"/vm/{vm}/wait?state={state}&timeout={TIMEOUT_S}")
        assert answer.status == 200 and answer.json["reached"], answer
        return answer.json

    def wait_pool(self):
        while self.call("GET", "/readyz").status != 200:
            pass  # each is an exchange with the daemon, whose loop goes on in between

    def socket_inside(self, family, kind, protocol=0):
        """A socket of the daemon's network namespace."""
        libc = ctypes.CDLL(None, use_errno=True)
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        inside = os.open(f"/run/netns/{self.netns}", os.O_RDONLY)
        try:
            if libc.setns(inside, 0) < 0:
                raise OSError(ctypes.get_errno(), "setns")
            s = socket.socket(family, kind, protocol)
        finally:
            libc.setns(home, 0)
            os.close(home)
            os.close(inside)
        s.settimeout(TIMEOUT_S)
        return s

    def connect_inside(self, address, port):
        """A TCP connection from within the daemon's network namespace."""
        s = self.socket_inside(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
        s.connect((address, port))
        return s

    # --- what is there ---
    def links(self):
        out = subprocess.run(["ip", "-n", self.netns, "-j", "link"], check=True, capture_output=True).stdout
        return sorted(link["ifname"] for link in json.loads(out) if link["ifname"] != "lo")

    def processes(self):
        """Processes, but the daemon's own, that name the folder in their command line or live in it."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            if int(pid) in (self.process.pid, os.getpid()):
                continue
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    line = file.read().decode(errors="replace")
                if self.folder in line or os.readlink(f"/proc/{pid}/cwd").startswith(self.folder):
                    found.append(f"{pid} {line}")
            except OSError:
                pass  # it has ended
        return found

    def signal_processes(self, signo, name=""):
        """To those of them whose command line has this in it."""
        for process in self.processes():
            if name in process:
                signal_process(int(process.split()[0]), signo)

    def cgroups(self):
        """Groups of VMs; of a daemon without --cgroup, and of one that has ended, none."""
        if not self.cgroup or not os.path.isdir(self.cgroup):
            return []
        return sorted(e.name for e in os.scandir(self.cgroup) if e.is_dir())

    def files(self, *parts):
        top = os.path.join(self.folder, *parts)
        return sorted(os.path.relpath(os.path.join(d, f), top) for d, _, fs in os.walk(top) for f in fs)

    # --- the end ---
    def kill(self):
        """As a crash: nothing is cleaned up."""
        self.process.kill()
        self.process.wait()
        self.log_end()

    def log_end(self):
        self.drain.wait()
        self.log.close()

    def first_line(self, vm):
        """Waits until the VM has written a line."""
        connection = self.connection()
        connection.request("GET", f"/vm/{vm}/logs?follow=true")
        response = connection.getresponse()
        line = response.readline()
        response.close()
        connection.close()
        return line

    def end(self, sig=signal.SIGTERM):
        self.process.send_signal(sig)
        code = self.process.wait(timeout=TIMEOUT_S)
        self.log_end()
        assert code == 0, f"exit status {code}"
        left = [f"process {p}" for p in self.processes()]
        left += [f"interface {link}" for link in self.links()]
        left += [f"file run/{f}" for f in self.files("run")]
        left += [f"file state/{f}" for f in self.files("state") if not f.startswith(("image/", "state.db", "template/", "snapshot/"))]
        left += [f"folder {d}" for d in (os.path.join(self.run_dir, "vm"), os.path.join(self.state_dir, "vm"))
                 if os.path.exists(d)]
        left += [f"cgroup {self.cgroup}"] if self.cgroup and os.path.exists(self.cgroup) else []
        assert not left, "left behind: " + ", ".join(left)

    @staticmethod
    def show_all():
        for d in Daemon.there:
            d.show()

    def show(self):
        """What it wrote last, and what its VMs did."""
        consoles = [os.path.join("state", f) for f in self.files("state") if f.endswith("console.log")]
        for name, size in [("log", LOG_SHOWN_BYTES)] + [(f, CONSOLE_SHOWN_BYTES) for f in consoles]:
            try:
                with open(os.path.join(self.folder, name), "rb") as file:
                    text = file.read()[-size:].decode(errors="replace")
            except OSError:
                continue
            print(f"--- {self.netns}: {name}\n{text}", file=sys.stderr)

    def clean(self):
        """Removes all, whatever happened before."""
        if self not in Daemon.there:
            return
        Daemon.there.remove(self)
        if self.process.poll() is None:
            self.kill()
        if self.own_folder:  # VMs outlive a manager that was killed
            self.signal_processes(signal.SIGKILL)
        if self.own_netns:
            subprocess.run(["ip", "netns", "del", self.netns], check=False)
        for group in self.cgroups():
            with open(os.path.join(self.cgroup, group, "cgroup.kill"), "w", encoding="ascii") as file:
                file.write("1")
            while True:
                try:
                    os.rmdir(os.path.join(self.cgroup, group))
                    break
                except OSError as error:
                    if error.errno != errno.EBUSY:
                        break
        if self.cgroup and os.path.isdir(self.cgroup):
            os.rmdir(self.cgroup)
        if self.own_folder:
            shutil.rmtree(self.folder, ignore_errors=True)


class DaemonTest(unittest.TestCase):
    """One daemon per test; its leftovers are a failure of the test."""
    options = {}

    def setUp(self):
        self.d = Daemon(**self.options)
        self.addCleanup(self.d.clean)

    def tearDown(self):
        if self.d.process.poll() is None:
            self.d.end()

    def refused(self, answer, status, code):
        self.assertEqual((answer.status, answer.json["code"]), (status, code), answer)
        return answer.json
