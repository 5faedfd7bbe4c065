# SPDX-License-Identifier: Apache-2.0
"""What is done with instances, walked (walk.py): also by applications, functions, templates, snapshots; and the manager's own start and end."""
import os
import shutil
import signal
import unittest

import fault
from walk import MONITOR, Walked  # finds what comes next
from harness import BUILD, GUEST, TIMEOUT_S, guest_image, main, need, skip

needs_uvmm = unittest.skipIf(MONITOR == "process", "host processes have neither kernels nor templates")


class Walk(Walked):
    def prepare(self):
        if MONITOR == "process":
            self.d.put_server()
            self.d.put_shell("short", "echo here; exit 3")
        else:
            self.d.put_image("server", {"cmd": ["/bin/server", "serve", "8000"], "ports": [8000]}, IMAGE)
            self.d.put_image("short", {"cmd": ["/bin/server"]}, IMAGE)
            self.d.put_image("http", {"cmd": ["/bin/server", "http", "8000"], "ports": [8000], "memory_mib": 64}, IMAGE)

    # --- operations -----------------------------------------------------------

    def run_stop_delete(self):
        vm = self.d.run("server", wait="ready", ports=[{"guest": 8000}], name="walked")
        self.d.call("POST", f"/vm/{vm['id']}/stop?timeout={self.limit_s}")
        self.d.call("DELETE", f"/vm/{vm['id']}")

    def start_again(self):
        vm = self.d.run("server", wait="started", name="again")
        self.d.call("POST", f"/vm/{vm['id']}/pause")
        self.d.call("POST", f"/vm/{vm['id']}/resume")
        self.d.call("POST", f"/vm/{vm['id']}/kill")
        self.d.wait(vm["id"])
        self.d.call("POST", f"/vm/{vm['id']}/start")
        self.d.call("DELETE", f"/vm/{vm['id']}?force=true")

    def ends_by_itself(self):
        vm = self.d.run("short", wait="none", auto_remove=True)
        self.d.call("GET", f"/vm/{vm['id']}/wait?state=ended&timeout={self.limit_s}")

    def image(self):
        self.d.put_image("walked", {"cmd": ["x"], "process": {"program": "/bin/true"}}, IMAGE)
        self.d.call("GET", "/image")
        self.d.call("DELETE", "/image/walked")

    def application(self):
        services = {"web": {"image": "server", "depends_on": ["db"], "replicas": 2}, "db": {"image": "server"}}
        self.d.call("PUT", "/app/walked", {"services": services})
        self.d.call("GET", f"/app/walked/wait?state=ready&timeout={self.limit_s}")
        self.d.call("DELETE", "/app/walked")

    def function(self):
        """Of a program that answers (uvmm), and of one that is no HTTP server (process): both start, get the request and go."""
        image = "server" if MONITOR == "process" else "http"
        self.d.call("PUT", "/fn/walked", {"image": image, "start_timeout_ms": self.limit_s * 1000, "timeout_ms": self.limit_s * 1000})
        self.d.call("GET", "/fn/walked/invoke/")
        self.d.call("DELETE", "/fn/walked")

    def kernel(self):
        with open(os.path.join(BUILD, "libos/libos.elf"), "rb") as file:
            self.d.call("PUT", "/kernel/walked", file.read(), {"Content-Type": "application/octet-stream"})
        self.d.run("server", wait="ready", kernel="walked", name="walked", wait_timeout_ms=self.limit_s * 1000)
        self.d.call("DELETE", "/vm/walked?force=true")
        self.d.call("DELETE", "/kernel/walked")

    def template(self):
        begun = self.d.call("POST", "/template", {"image_name": "http"})
        made = self.d.call("GET", f"{begun.headers['location']}?wait={self.limit_s}").json["result"]
        while self.d.call("GET", f"/template/{made['id']}").json["loaded"] < 1:
            self.assertEqual(self.d.call("GET", f"/template/{made['id']}").json["state"], "ready")
        self.d.run("http", wait="ready", name="walked", wait_timeout_ms=self.limit_s * 1000)
        self.d.call("DELETE", "/vm/walked?force=true")
        self.d.call("DELETE", f"/template/{made['id']}")

    def snapshot(self):
        vm = self.d.run("http", wait="ready", name="walked", memory_mib=64, wait_timeout_ms=self.limit_s * 1000)
        begun = self.d.call("POST", f"/vm/{vm['id']}/snapshot", {"name": "walked"})
        self.d.call("GET", f"{begun.headers['location']}?wait={self.limit_s}")
        self.d.call("POST", "/vm/run", {"from": "walked", "wait": "ready", "wait_timeout_ms": self.limit_s * 1000})
        self.d.call("DELETE", "/snapshot/walked")
        self.answers("walked")

    # --- each with both kinds of faults -----------------------------------------

    def test_run_errors(self):
        self.walk(self.run_stop_delete, "error")

    def test_run_kills(self):
        self.walk(self.run_stop_delete, "kill")

    def test_again_errors(self):
        self.walk(self.start_again, "error")

    def test_again_kills(self):
        self.walk(self.start_again, "kill")

    def test_end_errors(self):
        self.walk(self.ends_by_itself, "error")

    def test_end_kills(self):
        self.walk(self.ends_by_itself, "kill")

    def test_image_errors(self):
        self.walk(self.image, "error")

    def test_image_kills(self):
        self.walk(self.image, "kill")

    def test_application_errors(self):
        self.walk(self.application, "error")

    def test_application_kills(self):
        self.walk(self.application, "kill")

    def test_function_errors(self):
        self.walk(self.function, "error")

    def test_function_kills(self):
        self.walk(self.function, "kill")

    @needs_uvmm
    def test_kernel_errors(self):
        self.walk(self.kernel, "error")

    @needs_uvmm
    def test_kernel_kills(self):
        self.walk(self.kernel, "kill")

    @needs_uvmm
    def test_template_errors(self):
        self.walk(self.template, "error")

    @needs_uvmm
    def test_template_kills(self):
        self.walk(self.template, "kill")

    @needs_uvmm
    def test_snapshot_errors(self):
        self.walk(self.snapshot, "error")

    @needs_uvmm
    def test_snapshot_kills(self):
        self.walk(self.snapshot, "kill")

    # --- the manager's own start and end --------------------------------------

    def start_with(self, broken):
        """It may start, or say why not, or be killed meanwhile; it is not there behind this."""
        plain = self.d.arguments
        self.d.arguments = fault.launch(broken) + plain
        try:
            self.d.start()
            self.attempt(self.settle)()
        except RuntimeError:
            return  # it did not come to serve
        finally:
            self.d.arguments = plain
        self.tell_to_end()
        self.d.log_end()

    def tell_to_end(self):
        self.d.process.send_signal(signal.SIGTERM)
        self.d.process.wait(TIMEOUT_S)

    def started_with(self, broken):
        """The next start is as always."""
        self.d.end()
        self.start_with(broken)
        self.d.start()
        self.restored()
        return True

    def adopted_with(self, broken):
        """One that finds another's instances may be killed as well: the next has them, and nothing in them has noticed."""
        vm = self.d.run("server", wait="ready", ports=[{"guest": 8000}], name="walked")
        with self.d.connect_inside(vm["ip_address"], 8000) as kept:
            self.d.kill()
            plain, self.d.arguments = self.d.arguments, fault.launch(broken) + self.d.arguments
            try:
                self.d.start()
                self.attempt(self.settle)()
                self.d.kill()
            except RuntimeError:
                pass
            self.d.arguments = plain
            self.d.start()
            now = self.d.call("GET", "/vm/walked").json
            self.assertEqual([now.get(k) for k in ("state", "ready", "pid", "id")], ["running", True, vm["pid"], vm["id"]], now)
            kept.sendall(b"x")
            self.assertEqual(kept.recv(1), b"x")
        self.restored()
        return True

    def taken_over_with(self, broken):
        """
        One that finds another's instances may fail to start, or to take them over: the next one says what became of them, and what it calls
        running answers.
        """
        vm = self.d.run("server", wait="ready", ports=[{"guest": 8000}], name="walked")
        self.d.kill()
        plain, self.d.arguments = self.d.arguments, fault.launch(broken) + self.d.arguments
        try:
            self.d.start()
            self.attempt(self.settle)()
            self.d.kill()
        except RuntimeError:
            pass
        self.d.arguments = plain
        self.d.start()
        now = self.d.call("GET", "/vm/walked").json
        self.assertIn(now.get("state"), ("running", "crashed"), now)
        if now["state"] == "running":
            self.assertEqual([now["pid"], now["id"]], [vm["pid"], vm["id"]], now)
            with self.d.connect_inside(now["ip_address"], 8000) as s:
                s.sendall(b"x")
                self.assertTrue(s.recv(1))
        self.restored()
        return True

    def ended_with(self, broken):
        met = fault.inject(self.d.process, broken, self.tell_to_end)
        self.restored()
        return met == fault.MET

    def walk_start(self, kind):
        plain = self.d.arguments
        self.d.end()
        count = fault.calls_of(lambda options: self.launched(options + plain))
        self.d.arguments = plain
        self.d.start()
        if kind == "error":
            del count["write"]  # of the line that says it serves, which start() waits for
        self.walk_each(list(fault.walk(count, kind)), self.started_with)
        self.d.end()

    def launched(self, arguments):
        self.d.arguments = arguments
        self.d.start()
        self.settle()
        self.d.end()

    def test_start_errors(self):
        self.walk_start("error")

    def test_start_kills(self):
        self.walk_start("kill")

    def walk_adopt(self, kind, one):
        def adopted(options):
            self.d.run("server", wait="ready", ports=[{"guest": 8000}], name="walked")
            self.d.kill()
            self.launched(options + plain)

        plain = self.d.arguments
        count = fault.calls_of(adopted)
        self.d.arguments = plain
        self.d.start()
        self.clean()
        if kind == "error":
            del count["write"]  # as in walk_start()
        self.walk_each(list(fault.walk(count, kind)), one)
        self.d.end()

    def test_adopt_errors(self):
        self.walk_adopt("error", self.taken_over_with)

    def test_adopt_kills(self):
        self.walk_adopt("kill", self.adopted_with)

    def walk_stop(self, kind):
        count = fault.calls(self.d.process.pid, self.tell_to_end)
        self.restored()
        self.walk_each(list(fault.walk(count, kind)), self.ended_with)
        self.d.end()

    def test_stop_errors(self):
        self.walk_stop("error")

    def test_stop_kills(self):
        self.walk_stop("kill")


if __name__ == "__main__":
    need(MONITOR)
    reason = fault.missing()
    if reason:
        skip(reason)
    IMAGE = guest_image() if os.path.exists(GUEST) and shutil.which("mkfs.erofs") else b""
    main()
