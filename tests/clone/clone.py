# SPDX-License-Identifier: Apache-2.0
"""
Monitors driven directly, without a manager, in a network namespace of the test's own (no route out) that has one bridge with a tap for each VM. A
template is a VM that runs probe (probe.c) and is frozen when that listens; clones are shells that its two files are loaded into.
"""
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import unittest

BUILD = os.environ.get("UIGNITER_BUILD", "build")
UVMM = os.path.join(BUILD, "vmm/uvmm")
LIBOS = os.path.join(BUILD, "libos/libos.elf")
PROBE = os.path.join(BUILD, "tests/clone/clone-probe")
HOST, PORT, TIMEOUT_S = "10.77.0.1", 7777, 240
MEM_MIB = 64


def skip(reason):
    print(f"skip: {reason}")
    sys.exit(77)


def enter_namespace():
    """Goes on in a namespace of its own; skips where that, KVM or a tool is missing."""
    if os.environ.get("CLONE_NAMESPACE"):
        return
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        skip("needs /dev/kvm")
    for tool in ("unshare", "ip", "mkfs.erofs"):
        if not shutil.which(tool):
            skip(f"needs {tool}")
    if not os.access("/dev/net/tun", os.R_OK | os.W_OK) or subprocess.run(["unshare", "-n", "true"], check=False).returncode:
        skip("no tap, or no right to make a namespace")
    os.environ["CLONE_NAMESPACE"] = "1"
    os.execvp("unshare", ["unshare", "-n", sys.executable, *sys.argv])


def ip(*words):
    subprocess.run(["ip", *words], check=True)


class Unix(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=TIMEOUT_S)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(TIMEOUT_S)
        self.sock.connect(self.path)


class Vm:
    """One uvmm process with a tap; `n` numbers it: address 10.77.0.N, MAC 02:00:00:00:77:N."""

    def __init__(self, test, n, *options, libos=True, net=True, files=False):
        self.test, self.n = test, n
        self.tap, self.ip = f"tap{n}", f"10.77.{n // 250}.{n % 250 + 2}"
        self.mac = f"02:00:00:77:{n // 256:02x}:{n % 256:02x}"
        self.sock, self.report = os.path.join(test.dir, f"sock{n}"), os.path.join(test.dir, f"report{n}")
        self.console = os.path.join(test.dir, f"console{n}")
        if os.path.exists(self.sock):
            os.remove(self.sock)
        listen = socket.socket(socket.AF_UNIX)
        listen.bind(self.sock)
        listen.listen(8)
        words = [UVMM, "--api-fd", str(listen.fileno()), "--id", f"vm{n}", "--mem-mib", str(MEM_MIB), "--report", self.report,
                 "--console", self.console, "--log-level", "error"]
        self.has_tap = net
        if net:
            ip("tuntap", "add", "name", self.tap, "mode", "tap", "vnet_hdr")
            ip("link", "set", self.tap, "master", "br0", "up")
            words += ["--tap", self.tap, "--mac", self.mac]
        if libos:
            words += ["--libos", LIBOS]
        given = [listen]
        if files:
            self.files = os.path.join(test.dir, f"files{n}")
            given.append(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
            given[1].bind(self.files)
            words += ["--files-fd", str(given[1].fileno())]
        self.process = subprocess.Popen([*words, *options], pass_fds=[s.fileno() for s in given])
        for s in given:
            s.close()
        self.http = Unix(self.sock)
        test.addCleanup(self.end)

    def call(self, method, path, body=None, status=204):
        self.http.request(method, path, None if body is None else json.dumps(body), {"Content-Type": "application/json"})
        answer = self.http.getresponse()
        text = answer.read()
        self.test.assertEqual(answer.status, status, (method, path, text, self.log()))
        return json.loads(text) if text else None

    def args(self, name=None, program=()):
        words = f"ip={self.ip}/16 gw={HOST} hostname={name or f'vm{self.n}'}"
        return words + (" -- " + " ".join(program) if program else "")

    def boot(self, image, **more):
        self.call("PUT", "/uigniter/start", {"image_path": image, "boot_args": self.args(), "guest_mac": self.mac, **more})
        self.test.assertTrue(self.call("GET", "/uigniter/wait?for=listen", status=200)["reached"], self.log())

    def freeze(self, state, memory, resume=False):
        self.call("PATCH", "/vm", {"state": "Paused"})
        self.call("PUT", "/snapshot/create", {"snapshot_path": state, "mem_file_path": memory})
        if resume:
            self.call("PATCH", "/vm", {"state": "Resumed"})

    def send_files(self, text, *fds):
        """Over the socket of --files-fd."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
            s.connect(self.files)
            socket.send_fds(s, [text.encode()], fds)

    def load(self, state, memory, image, status=204, **more):
        body = {"snapshot_path": state, "mem_backend": {"backend_type": "File", "backend_path": memory}, "image_path": image,
                "guest_mac": self.mac, **more}
        return self.call("PUT", "/snapshot/load", {k: v for k, v in body.items() if v is not None}, status)

    def go(self, **more):
        self.call("PUT", "/uigniter/start", {"boot_args": self.args(), **more})

    def connect(self, port=PORT):
        return socket.create_connection((self.ip, port), TIMEOUT_S)

    def ask(self, line, conn=None):
        with conn or self.connect() as s:
            s.sendall(line.encode() + b"\n")
            with s.makefile() as file:
                return file.readline().rstrip("\n")

    def log(self):
        with open(self.console, errors="replace") as file:
            return file.read()[-2000:]

    def end_process(self):
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(TIMEOUT_S)

    def end(self):
        """Its exit report, when it has come to write one."""
        self.end_process()
        self.http.close()
        self.drop_tap()
        if not os.path.exists(self.report):
            return None
        with open(self.report) as file:
            return json.loads(file.read() or "null")

    def drop_tap(self):
        if self.has_tap:
            ip("link", "del", self.tap)
            self.has_tap = False

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(TIMEOUT_S)
        self.drop_tap()


def pss_kib(pid):
    with open(f"/proc/{pid}/smaps_rollup") as file:
        fields = dict(line.split(":", 1) for line in file if ":" in line)
    return {name: int(fields[name].split()[0]) for name in ("Rss", "Pss", "Private_Dirty", "Private_Clean")}


class CloneTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.top = tempfile.TemporaryDirectory(prefix="uig-clone-")
        cls.addClassCleanup(cls.top.cleanup)
        ip("link", "set", "lo", "up")
        ip("link", "add", "br0", "address", "02:00:00:77:ff:ff", "type", "bridge")
        cls.addClassCleanup(ip, "link", "del", "br0")
        ip("addr", "add", HOST + "/16", "dev", "br0")
        ip("link", "set", "br0", "up")
        cls.image = cls.make_image(PROBE)

    @classmethod
    def make_image(cls, program, name="probe"):
        tree, image = os.path.join(cls.top.name, name), os.path.join(cls.top.name, name + ".erofs")
        os.makedirs(os.path.join(tree, "etc/uigniter"))
        os.makedirs(os.path.join(tree, "tmp"))
        shutil.copy(program, os.path.join(tree, "program"))
        with open(os.path.join(tree, "etc/uigniter/cmdline"), "w") as file:
            file.write("-- /program\n")
        subprocess.run(["mkfs.erofs", "--quiet", image, tree], check=True, stdout=subprocess.DEVNULL)
        return image

    def setUp(self):
        own = tempfile.TemporaryDirectory(prefix="t-", dir=self.top.name)
        self.addCleanup(own.cleanup)
        self.dir = own.name
        self.state, self.memory = os.path.join(self.dir, "state"), os.path.join(self.dir, "memory")

    def template(self, n=0, **more):
        vm = Vm(self, n)
        vm.boot(self.image, **more)
        vm.freeze(self.state, self.memory)
        return vm

    def clone(self, n, **more):
        vm = Vm(self, n)
        vm.load(self.state, self.memory, self.image, **more)
        vm.go()
        return vm
