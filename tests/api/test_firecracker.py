# SPDX-License-Identifier: Apache-2.0
"""
The monitor firecracker. Our own uvmm speaks Firecracker's API and boots any PVH kernel, so it stands for Firecracker where that is not
installed; UIGNITER_FIRECRACKER=PATH says where it is.
"""
import os
import signal
import tempfile
import unittest

from harness import BUILD, Daemon, DaemonTest, guest_image, main, need, wait_process

REAL = os.environ.get("UIGNITER_FIRECRACKER")


class Firecracker(DaemonTest):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="uig-fc-")
        self.addCleanup(self.folder.cleanup)
        self.program = REAL or self.script("firecracker", f'exec {BUILD}/vmm/uvmm --boot pvh "$@"')
        self.d = Daemon("--firecracker-path", self.program, monitor="firecracker", pool=1, volume_root=self.folder.name)
        self.addCleanup(self.d.clean)
        self.d.put_image("server", {"cmd": ["/bin/server", "serve", "8000"], "ports": [8000], "memory_mib": 64}, IMAGE)

    def script(self, name, text):
        path = os.path.join(self.folder.name, name)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o755), "w", encoding="ascii") as file:
            file.write(f"#!/bin/sh\n{text}\n")
        return path

    def echo(self, vm, text=b"hello"):
        with self.d.connect_inside(vm["ip_address"], 8000) as s:
            s.sendall(text)
            self.assertEqual(s.recv(100), text)

    def test_runs(self):
        self.d.wait_pool()
        vm = self.d.run("server", wait="ready")
        self.assertEqual((vm["monitor"], vm["from_pool"]), ("firecracker", True))
        self.echo(vm)
        mac = self.d.run("server", wait="ready", mac="02:00:5e:10:00:01")
        self.echo(mac)
        path = os.path.join(self.folder.name, "disk")
        with open(path, "wb") as file:
            file.write(b"old\0".ljust(4096, b"\0"))
        disk = self.d.run("server", args=["/bin/server", "disk", "/dev/vda", "new"], volumes=[{"source": path, "target": "/dev/vda"}], wait="none")
        self.assertEqual(self.d.wait(disk["id"])["exit_code"], 0)
        with open(path, "rb") as file:
            self.assertEqual(file.read(4), b"new\0")
        crash = self.d.run("server", args=["/bin/server", "abort"], wait="none")
        self.assertEqual(self.d.wait(crash["id"])["exit_code"], 134)
        if not REAL:  # Firecracker's keyboard is none that the libOS hears
            self.assertEqual(self.d.call("POST", f"/vm/{vm['id']}/stop?timeout=60").json["exit_code"], 7)
        self.assertEqual(self.d.call("POST", f"/vm/{mac['id']}/kill").status, 200)

    def test_goes_on(self):
        """With the next manager; one that has ended meanwhile leaves no tap."""
        a, b = (self.d.run("server", wait="ready", name=name) for name in "ab")
        self.d.kill()
        os.kill(b["pid"], signal.SIGKILL)
        wait_process(b["pid"])
        self.d.start()
        self.assertEqual(self.d.wait("b")["state"], "crashed")
        self.echo(a)
        again = self.d.run("server", wait="ready", ip_address=b["ip_address"])  # its address and tap are free
        self.echo(again)
        self.d.end()

    def test_refused(self):
        d = self.d
        folder = {"source": self.folder.name, "target": "/data"}
        self.assertIn("folders", self.refused(d.call("POST", "/vm/run", {"image_name": "server", "volumes": [folder]}), 400, "bad_request")["detail"])
        self.refused(d.call("POST", "/vm/run", {"image_name": "server", "vcpus": 2}), 400, "bad_request")
        answer = d.call("POST", "/vm/run", {"image_name": "server", "env": {"A": "x" * 2000}})
        self.assertIn("use uvmm", self.refused(answer, 503, "start_failed")["detail"])

    def test_what_it_says(self):
        """A refusal of the monitor is the sentence; one that ends, or never answers, costs the run and nothing else."""
        if REAL:
            self.skipTest("needs programs that are not Firecracker")
        d = self.d
        with open("/bin/true", "rb") as no_kernel:
            self.assertEqual(d.call("PUT", "/kernel/bad", no_kernel.read(), {"Content-Type": "application/octet-stream"}).status, 201)
        answer = d.call("POST", "/vm/run", {"image_name": "server", "kernel": "bad"})
        self.assertIn("the monitor says", self.refused(answer, 503, "start_failed")["detail"])
        self.assertEqual(d.call("DELETE", "/kernel/bad").status, 204)
        d.end()
        d.arguments += ["--prepare-timeout", "1", "--pool", "0"]
        for text in ("exit 3", "exec sleep 1000"):
            self.script("firecracker", text)
            d.start()
            self.assertEqual(d.call("POST", "/vm/run", {"image_name": "server"}).status, 503, text)
            d.end()


class Without(unittest.TestCase):
    def test_no_binary(self):
        d = Daemon("--firecracker-path", "/nonexistent", pool=0)
        self.addCleanup(d.clean)
        d.put_shell("hello", "exit 0")
        answer = d.call("POST", "/vm/run", {"image_name": "hello", "monitor": "firecracker"})
        self.assertEqual(answer.status, 400)
        self.assertIn("--firecracker-path", answer.json["detail"])
        info = {m["name"]: m for m in d.call("GET", "/info").json["monitors"]}
        self.assertFalse(info["firecracker"]["usable"])
        self.assertIn("install Firecracker", info["firecracker"]["detail"])
        d.end()


if __name__ == "__main__":
    need("uvmm")
    IMAGE = guest_image()
    main()
