# SPDX-License-Identifier: Apache-2.0
"""Clones of a template: who they are, what they share, what goes on and what does not."""
import fcntl
import hashlib
import json
import os
import shutil
import socket
import subprocess
import time
import unittest

from clone import LIBOS, MEM_MIB, PORT, TIMEOUT_S, UVMM, CloneTest, Unix, Vm, enter_namespace, ip, pss_kib

CLOCK_NS = 1_000_000  # how far a clone's CLOCK_REALTIME may be off
COUNT = int(os.environ.get("CLONE_COUNT", "13"))  # of one template, in test_many; CLONE_COUNT=1000 is the long form
TOGETHER = 12


def digest(*paths):
    sha = hashlib.sha256()
    for path in paths:
        with open(path, "rb") as file:
            sha.update(file.read())
    return sha.hexdigest()


def ready_mib(vm):
    return vm.call("GET", "/uigniter/status", status=200)["counts"]["ram_ready_bytes"] / (1 << 20)


class Identity(CloneTest):
    def check_clock(self, vm, after_mono=0):
        before = time.time_ns()
        real, mono, back = map(int, vm.ask("clocks").split())
        self.assertGreater(real, before - CLOCK_NS)
        self.assertLess(real, time.time_ns() + CLOCK_NS)
        self.assertGreater(mono, after_mono)
        self.assertEqual(back, 0)
        return mono

    def test_many(self):
        """Many clones, twelve at a time, made while the template's monitor is gone: all that is drawn differs, all clocks are right, and the template's
        files are what they were. The first one is watched, the others have its working set ready."""
        template = Vm(self, 0)
        template.boot(self.image)
        streams = template.ask("random").split()
        mono = self.check_clock(template)
        template.freeze(self.state, self.memory)
        template.kill()
        was = digest(self.state, self.memory)
        workset = os.path.join(self.dir, "workset")
        streams += self.check_clones([self.clone(1, working_set_path=workset)], mono)
        with open(workset) as file:
            self.assertTrue({"r", "w"} <= {line[0] for line in file}, "pages that the program reads and writes")
        for first in range(2, COUNT + 1, TOGETHER):
            numbers = range(first, min(first + TOGETHER, COUNT + 1))
            streams += self.check_clones([self.clone(n, working_set_path=workset) for n in numbers], mono)
            ip("neigh", "flush", "dev", "br0")
        self.assertEqual(len(streams), (COUNT + 1) * 4)
        self.assertEqual(len(set(streams)), len(streams))
        self.assertEqual(digest(self.state, self.memory), was)

    def check_clones(self, clones, mono):
        """What they draw; then they are ended."""
        streams = []
        for vm in clones:
            self.assertEqual(vm.ask("names"), f"vm{vm.n} {vm.ip}")
            self.assertIn(f"{vm.ip} vm{vm.n}", vm.ask("file /etc/hosts"))
            self.check_clock(vm, mono)
            self.assertEqual(vm.ask("memory"), "whole")
            streams += vm.ask("random").split()
        if len(clones) == TOGETHER:
            self.check_sharing(clones)
        for vm in clones:
            report = vm.end()
            self.assertEqual((report["reason"], report["signal"]), ("signal", 15), report)
        return streams

    def check_sharing(self, clones):
        """The program's 2 MiB pattern is there once, though all have read it."""
        memory = [pss_kib(vm.process.pid) for vm in clones]
        print("a clone of", len(clones), memory[0])
        for m in memory:
            self.assertLess(m["Private_Dirty"], 2048)
            self.assertLess(m["Pss"], m["Rss"] / 2)

    def test_connections(self):
        """Those of the template are reset, answered or not yet taken; the sockets that listen go on."""
        template = Vm(self, 0)
        template.boot(self.image)
        template.ask("names")  # it accepts: both sockets listen
        with template.connect() as open_one, template.connect(PORT + 1):
            open_one.sendall(b"names\nnames")  # a line and a half: its thread waits in read()
            self.assertTrue(open_one.recv(100))
            while template.ask("file /proc/net/tcp").count(",") + 1 != 6:  # one that asked before may be closing still
                pass
            template.freeze(self.state, self.memory)
            template.kill()
            vm = self.clone(1)
            while True:  # what listens, and the connection that asks: its predecessor may be closing still
                lines = vm.ask("file /proc/net/tcp").split(",")[1:]
                if len([line for line in lines if line.split()[3] != "06"]) == 3:
                    break
        with vm.connect(PORT + 1):
            pass

    def test_same_address(self):
        """The template's own address: its client is told that the connection is no more."""
        template = Vm(self, 0)
        template.boot(self.image)
        conn = template.connect()
        self.addCleanup(conn.close)
        conn.sendall(b"names\n")
        self.assertTrue(conn.recv(100))
        template.freeze(self.state, self.memory)
        template.end()
        vm = Vm(self, 0)
        vm.load(self.state, self.memory, self.image, resume_vm=True)
        self.assertEqual(vm.ask("names"), f"vm0 {vm.ip}")
        with self.assertRaises(ConnectionResetError):
            while conn.recv(100):
                pass

    def test_anywhere(self):
        """Frozen while one thread computes without a system call, and another in vector registers."""
        template = Vm(self, 0)
        template.boot(self.image)
        for line in ("spin", "add"):
            self.assertEqual(template.ask(line), "0")
        template.freeze(self.state, self.memory)
        template.kill()
        for n in (1, 2):
            vm = self.clone(n)
            first = int(vm.ask("spins"))
            while int(vm.ask("spins")) <= first:
                pass
            for _ in range(3):
                self.assertEqual(vm.ask("sum"), "right")
            self.assertEqual(vm.ask("names"), f"vm{n} {vm.ip}")
            vm.kill()


class Running(CloneTest):
    """Users' snapshots of instances that go on."""

    def test_original_goes_on(self):
        vm = Vm(self, 0)
        vm.boot(self.image)
        conn = vm.connect()
        self.addCleanup(conn.close)
        vm.freeze(self.state, self.memory, resume=True)
        clone = self.clone(1)
        conn.sendall(b"random\n")
        mine = conn.makefile().readline().split()
        self.assertFalse(set(mine) & set(clone.ask("random").split()))
        clone.call("PATCH", "/vm", {"state": "Paused"})
        onto = {"snapshot_path": self.state, "mem_file_path": self.memory}
        self.assertIn("runs from", clone.call("PUT", "/snapshot/create", onto, 400)["fault_message"])
        self.state, self.memory = self.state + "2", self.memory + "2"  # and a clone of a clone
        clone.freeze(self.state, self.memory, resume=True)
        second = self.clone(2)
        self.assertEqual(second.ask("names"), f"vm2 {second.ip}")
        self.assertFalse(set(second.ask("random").split()) & set(clone.ask("random").split()))
        self.assertEqual(clone.ask("names"), f"vm1 {clone.ip}")
        for _ in range(20):
            clone.call("PATCH", "/vm", {"state": "Paused"})
            clone.call("PATCH", "/vm", {"state": "Resumed"})
            self.assertEqual(clone.ask("memory"), "whole")

    def test_given_back(self):
        """Memory that a clone gives back reads as zeros, not as the template had it."""
        template = Vm(self, 0)
        template.boot(self.image)
        self.assertEqual(template.ask("touch 24"), "zero")
        template.freeze(self.state, self.memory)
        template.kill()
        vm = self.clone(1)
        end = time.monotonic() + 60
        while vm.call("GET", "/uigniter/status", status=200)["counts"]["returned_bytes"] < 16 << 20:
            self.assertLess(time.monotonic(), end)
            vm.ask("names")
        self.assertEqual(vm.ask("touch 24"), "zero")
        self.assertEqual(vm.ask("memory"), "whole")

    def test_grows(self):
        """A monitor that is made for a snapshot tells KVM of what that uses; a clone that uses more gets more, in its sandbox, and so do its clones."""
        template = Vm(self, 0)
        template.boot(self.image)
        self.assertEqual(ready_mib(template), MEM_MIB)
        template.freeze(self.state, self.memory)
        template.kill()
        empty = os.path.join(self.top.name, "empty")
        os.makedirs(empty, mode=0o755, exist_ok=True)
        bare = ("--bare", "--sandbox", f"900000123:900000123:{empty}")
        for n in (1, 2):
            vm = Vm(self, n, *bare)
            vm.load(self.state, self.memory, self.image, verify=True)
            first = ready_mib(vm)
            self.assertLess(first, MEM_MIB / 2 if n == 1 else MEM_MIB)
            vm.go()
            self.assertEqual((vm.ask("names"), ready_mib(vm)), (f"vm{n} {vm.ip}", first))
            self.assertEqual(vm.ask("touch 20"), "zero")
            self.assertEqual(ready_mib(vm) > first, n == 1)
            vm.call("PATCH", "/vm", {"state": "Paused"})
            fds = vm.call("PUT", "/snapshot/create", {}, 200)
            self.state, self.memory = self.state + str(n), self.memory + str(n)
            for fd, path in (("state_fd", self.state), ("mem_fd", self.memory)):
                subprocess.run(["cp", "--sparse=always", f"/proc/{fds['pid']}/fd/{fds[fd]}", path], check=True)
            vm.call("PATCH", "/vm", {"state": "Resumed"})
            self.assertEqual((vm.ask("memory"), vm.ask("touch 42")), ("whole", "zero"))
            self.assertGreater(ready_mib(vm), 42)
            self.assertEqual(vm.end()["reason"], "signal")
        prepared = self.clone(3)  # and into a shell that has all of it
        self.assertEqual((prepared.ask("touch 42"), prepared.ask("memory"), ready_mib(prepared)), ("zero", "whole", MEM_MIB))

    def test_sandboxed(self):
        """Files are named in the start, or not at all."""
        empty = os.path.join(self.top.name, "empty")
        os.makedirs(empty, mode=0o755, exist_ok=True)
        wall = ("--sandbox", f"900000123:900000123:{empty}")
        vm = Vm(self, 0, *wall)
        vm.boot(self.image, snapshot={"snapshot_path": self.state, "mem_file_path": self.memory})
        vm.call("PATCH", "/vm", {"state": "Paused"})
        other = {"snapshot_path": self.state + "2", "mem_file_path": self.memory + "2"}
        self.assertIn("sandbox", vm.call("PUT", "/snapshot/create", other, 400)["fault_message"])
        vm.call("PUT", "/snapshot/create", {"snapshot_path": self.state, "mem_file_path": self.memory})
        vm.kill()
        clone = Vm(self, 1, *wall)
        clone.load(self.state, self.memory, self.image, verify=True)
        clone.go()
        self.assertEqual(clone.ask("names"), f"vm1 {clone.ip}")
        clone.call("PATCH", "/vm", {"state": "Paused"})
        fds = clone.call("PUT", "/snapshot/create", {}, 200)
        for fd, path in (("state_fd", self.state), ("mem_fd", self.memory)):
            subprocess.run(["cp", "--sparse=always", f"/proc/{fds['pid']}/fd/{fds[fd]}", path], check=True)
        self.assertEqual(clone.call("PUT", "/snapshot/create", {}, 200), fds)
        clone.call("PUT", "/snapshot/create", other, 400)
        clone.call("PATCH", "/vm", {"state": "Resumed"})
        second = self.clone(2)
        self.assertEqual((second.ask("names"), clone.ask("memory")), (f"vm2 {second.ip}", "whole"))

    def test_passed_files(self):
        """A monitor in its sandbox gets the files as descriptors while it runs; only those of the text that the request names."""
        empty = os.path.join(self.top.name, "empty")
        os.makedirs(empty, mode=0o755, exist_ok=True)
        vm = Vm(self, 0, "--sandbox", f"900000123:900000123:{empty}", files=True)
        vm.boot(self.image)
        fds = [os.open(path, os.O_RDWR | os.O_CREAT, 0o600) for path in (self.state, self.memory)]
        full = os.open("/dev/full", os.O_RDWR)
        inside = len(os.listdir(f"/proc/{vm.process.pid}/fd"))

        def create(text, status=400, **more):
            answer = vm.call("PUT", "/snapshot/create", {"passed_files": text, **more}, status)
            return answer and answer["fault_message"]

        vm.call("PATCH", "/vm", {"state": "Paused"})
        self.assertIn("none have come", create("never"))
        self.assertIn("exclude", create("a", snapshot_path="a", mem_file_path="b"))
        vm.call("PUT", "/snapshot/create", {"passed_files": "x" * 65}, 400)
        for text, sent in (("", fds), ("before", fds), ("before", fds * 3), ("x" * 500, fds), ("none", ())):
            vm.send_files(text, *sent)
        self.assertIn("two files", create("none"))  # and what came before is closed
        for sent in (fds[:1], [full, full], [fds[0], os.pipe()[0]]):
            vm.send_files("bad", *sent)
            self.assertIn("two files", create("bad"))
        vm.send_files("good", *fds)
        self.assertIn("none have come", create("goo"))
        vm.send_files("good", *fds)
        self.assertIsNone(create("good", 204))
        self.assertEqual(len(os.listdir(f"/proc/{vm.process.pid}/fd")), inside)
        vm.call("PATCH", "/vm", {"state": "Resumed"})
        subprocess.run([UVMM, "--seal-snapshot", f"{self.state}:{self.memory}"], check=True)
        clone = self.clone(1, verify=True)
        self.assertEqual((clone.ask("names"), vm.ask("memory")), (f"vm1 {clone.ip}", "whole"))
        with open(self.state, "r+b") as file:
            file.write(b"X")
        broken = subprocess.run([UVMM, "--seal-snapshot", f"{self.state}:{self.memory}"], capture_output=True, text=True, check=False)
        self.assertEqual((broken.returncode, "not a snapshot" in broken.stderr), (1, True), broken)

    def test_written_behind(self):
        """An instance that goes on while it is written, and writes all of its memory meanwhile: what it was when it stood is in the snapshot."""
        empty = os.path.join(self.top.name, "empty")
        os.makedirs(empty, mode=0o755, exist_ok=True)
        vm = Vm(self, 0, "--sandbox", f"900000123:900000123:{empty}", files=True)
        vm.boot(self.image)
        held = vm.connect()
        self.addCleanup(held.close)
        self.assertEqual(vm.ask("fill 24 a"), "a")
        fds = [os.open(path, os.O_RDWR | os.O_CREAT, 0o600) for path in (self.state, self.memory)]
        vm.call("PATCH", "/vm", {"state": "Paused"})
        vm.send_files("one", *fds)
        second = Unix(vm.sock)  # the answer comes when the files are there
        self.addCleanup(second.close)
        second.request("PUT", "/snapshot/create", json.dumps({"passed_files": "one", "resume_vm": True}), {"Content-Type": "application/json"})
        for c in "bcd":
            held.sendall(f"fill 24 {c}\n".encode())
            self.assertEqual(held.recv(10).decode(), c + "\n")
        answer = second.getresponse()
        self.assertEqual(answer.status, 200)
        self.assertGreater(json.loads(answer.read())["paused_us"], 0)
        self.assertEqual(vm.call("GET", "/", status=200)["state"], "Running")
        self.assertEqual(vm.ask("filled"), "d")
        with open(f"/proc/{vm.process.pid}/task/{vm.process.pid}/children") as file:
            self.assertEqual(file.read(), "")
        subprocess.run([UVMM, "--verify-snapshot", f"{self.state}:{self.memory}"], check=True)
        clone = self.clone(1, verify=True)
        self.assertEqual((clone.ask("filled"), clone.ask("memory"), clone.ask("names")), ("a", "whole", f"vm1 {clone.ip}"))
        # onto a disk that is full: it goes on, and says so
        full = os.memfd_create("full", os.MFD_ALLOW_SEALING)
        fcntl.fcntl(full, fcntl.F_ADD_SEALS, fcntl.F_SEAL_GROW)
        vm.call("PATCH", "/vm", {"state": "Paused"})
        vm.send_files("two", fds[0], full)
        self.assertIn("memory file", vm.call("PUT", "/snapshot/create", {"passed_files": "two", "resume_vm": True}, 400)["fault_message"])
        self.assertEqual((vm.ask("filled"), vm.call("GET", "/", status=200)["state"]), ("d", "Running"))

    def test_curl(self):
        """Firecracker's calls in their order, by curl; what it has and we have not is refused."""
        if not shutil.which("curl"):
            self.skipTest("needs curl")
        names = [Vm(self, n) for n in (1, 2)]  # only their taps are used
        for vm in names:
            vm.end_process()
        sockets = [os.path.join(self.dir, f"fc{n}") for n in (0, 1)]
        monitors = [subprocess.Popen([UVMM, "--api-sock", path, "--log-level", "error"], stdout=subprocess.DEVNULL) for path in sockets]
        for process in monitors:
            self.addCleanup(process.wait, TIMEOUT_S)
            self.addCleanup(process.kill)

        def curl(n, method, path, body=None, status="204"):
            words = ["curl", "-s", "--retry-connrefused", "--retry", "100", "--retry-delay", "0", "--unix-socket", sockets[n], "-X", method,
                     "-w", "\n%{http_code}", "http://localhost" + path]
            words += ["-H", "Content-Type: application/json", "-d", json.dumps(body)] if body is not None else []
            while True:
                done = subprocess.run(words, capture_output=True, text=True, check=False)
                if done.returncode == 0:
                    break
                self.assertIsNone(monitors[n].poll())
            text, _, code = done.stdout.rpartition("\n")
            self.assertEqual(code, status, (method, path, text))
            return json.loads(text) if text else None

        create = {"snapshot_type": "Full", "snapshot_path": self.state, "mem_file_path": self.memory}
        backend = {"backend_type": "File", "backend_path": self.memory}
        load = {"snapshot_path": self.state, "mem_backend": backend, "image_path": self.image, "boot_args": names[1].args(), "guest_mac": names[1].mac,
                "network_overrides": [{"iface_id": "eth0", "host_dev_name": names[1].tap}]}
        curl(0, "PUT", "/machine-config", {"vcpu_count": 1, "mem_size_mib": MEM_MIB})
        curl(0, "PUT", "/boot-source", {"kernel_image_path": LIBOS, "initrd_path": self.image, "boot_args": names[0].args()})
        curl(0, "PUT", "/network-interfaces/eth0", {"iface_id": "eth0", "host_dev_name": names[0].tap, "guest_mac": names[0].mac})
        curl(0, "PUT", "/snapshot/create", create, "400")
        curl(0, "PUT", "/actions", {"action_type": "InstanceStart"})
        self.assertTrue(curl(0, "GET", "/uigniter/wait?for=listen", status="200")["reached"])
        curl(0, "PUT", "/snapshot/create", create, "400")
        with names[0].connect() as held:
            self.assertEqual(names[0].ask("memory"), "whole")
            curl(0, "PATCH", "/vm", {"state": "Paused"})
            self.assertEqual(curl(0, "GET", "/", status="200")["state"], "Paused")
            self.assertIn("Full", curl(0, "PUT", "/snapshot/create", {**create, "snapshot_type": "Diff"}, "400")["fault_message"])
            curl(0, "PUT", "/snapshot/load", load, "400")
            curl(0, "PUT", "/snapshot/create", create)
            curl(0, "PATCH", "/vm", {"state": "Resumed"})
            held.sendall(b"memory\n")
            self.assertEqual(held.recv(100), b"whole\n")
        uffd = {**load, "mem_backend": {"backend_type": "Uffd", "backend_path": "/none"}}
        self.assertIn("File", curl(1, "PUT", "/snapshot/load", uffd, "400")["fault_message"])
        curl(1, "PUT", "/snapshot/load", {**load, "more": 1}, "400")
        curl(1, "PUT", "/snapshot/load", load)
        self.assertEqual(curl(1, "GET", "/", status="200")["state"], "Paused")
        curl(1, "PATCH", "/vm", {"state": "Resumed"})
        self.assertEqual((names[1].ask("names"), names[1].ask("memory")), (f"vm2 {names[1].ip}", "whole"))
        self.assertEqual(names[0].ask("memory"), "whole")

    def test_bare_monitor(self):
        """Firecracker's way: nothing is configured, the snapshot brings it."""
        self.template().kill()
        tap = Vm(self, 1)  # only its tap is used
        vm = Vm(self, 2, libos=False, net=False)
        vm.ip, vm.mac = tap.ip, tap.mac
        tap.end_process()
        vm.load(self.state, self.memory, self.image, resume_vm=True, boot_args=tap.args("bare"),
                network_overrides=[{"iface_id": "net0", "host_dev_name": tap.tap}])
        self.assertEqual(vm.ask("names"), f"bare {vm.ip}")
        self.assertEqual(vm.call("GET", "/", status=200)["state"], "Running")


class Refusals(CloneTest):
    def fails(self, vm, what, image=None, **more):
        """The load is answered with the reason, and the process ends."""
        answer = vm.load(self.state, self.memory, image or self.image, 400, **more)
        self.assertIn(what, answer["fault_message"])
        vm.process.wait(60)
        self.assertEqual(vm.end()["reason"], "error")

    def verify(self, what=None):
        done = subprocess.run([UVMM, "--verify-snapshot", f"{self.state}:{self.memory}"], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 1 if what else 0, done.stderr)
        self.assertIn(what or "", done.stderr)

    def test_foreign(self):
        template = self.template()
        self.assertIn("libOS", template.call("PUT", "/snapshot/load", {"snapshot_path": "x", "mem_backend": {
            "backend_type": "File", "backend_path": "y"}}, 400)["fault_message"] + "libOS")  # wrong phase
        template.kill()
        self.verify()
        vm = Vm(self, 1)
        for wrong in ({"cats": 3}, {"mem_backend": {"backend_type": "Uffd", "backend_path": "x"}}, {"resume_vm": 1}):
            vm.load(self.state, self.memory, self.image, 400, **wrong)  # a body that is none ends nothing
        self.fails(vm, "image_path", image_path=None)
        self.fails(Vm(self, 2), "is not the one", image=LIBOS)
        self.fails(Vm(self, 3, "--mem-mib", str(MEM_MIB * 2)), "MiB of memory")
        with open(self.memory, "r+b") as file:
            file.seek(0x200000)
            byte = file.read(1)[0]
            file.seek(0x200000)
            file.write(bytes([byte ^ 1]))
        self.fails(Vm(self, 4), "memory file is damaged", verify=True)
        self.verify("memory file is damaged")
        os.truncate(self.memory, 1 << 20)
        self.fails(Vm(self, 5), "not a file of")
        with open(self.state, "r+b") as file:
            file.seek(1000)
            file.write(b"x")
        self.fails(Vm(self, 6), "damaged")
        self.verify("damaged")
        os.truncate(self.state, 100)
        self.fails(Vm(self, 7), "bytes")
        os.remove(self.state)
        self.fails(Vm(self, 8), "No such file")

    def test_not_frozen(self):
        disk = os.path.join(self.dir, "disk")
        with open(disk, "wb") as file:
            file.truncate(1 << 20)
        vm = Vm(self, 0, "--drive", disk)
        vm.boot(self.image)
        create = {"snapshot_path": self.state, "mem_file_path": self.memory}
        self.assertIn("not paused", vm.call("PUT", "/snapshot/create", create, 400)["fault_message"])
        vm.call("PATCH", "/vm", {"state": "Paused"})
        self.assertIn("drives", vm.call("PUT", "/snapshot/create", create, 400)["fault_message"])
        self.assertIn("Full", vm.call("PUT", "/snapshot/create", {**create, "snapshot_type": "Diff"}, 400)["fault_message"])
        vm.call("PATCH", "/vm", {"state": "Resumed"})
        self.assertEqual(vm.ask("memory"), "whole")


if __name__ == "__main__":
    enter_namespace()
    unittest.main(verbosity=2)
