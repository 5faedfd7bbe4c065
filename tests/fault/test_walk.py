# SPDX-License-Identifier: Apache-2.0
"""
Each step of an operation of the manager fails, or is its last. After that the manager (the same one, or its successor) must
answer, its list must be true, and when all is deleted everything is as it was before: processes, interfaces, files, rows of
the database, and the manager's descriptors.

A run takes every UIGNITER_FAULT_PARTS-th fault, 1 for all of them; UIGNITER_FAULT_PART says where it begins.
"""
import http.client
import os
import shutil
import signal
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "api"))

import fault
import traces
from harness import BUILD, GUEST, TIMEOUT_S, Daemon, guest_image, main, need, skip

PARTS = int(os.environ.get("UIGNITER_FAULT_PARTS", "100"))
FEWEST = int(os.environ.get("UIGNITER_FAULT_FEWEST", "6"))  # faults of a test
MONITOR = os.environ.get("UIGNITER_MONITOR", "process")
SOME_DESCRIPTORS = 64  # of a manager that has not carried out the operation yet
NAMED = {"template": "id", "fn": "name"}  # what an object of a kind is removed by
LOST = (http.client.HTTPException, ConnectionError, TimeoutError)

# How a manager ends that met a fault. It gives up by itself where it can not get back into its own network namespace.
KILLED = {("kill", -signal.SIGKILL)}
ENDS = {"setns": KILLED | {("error", -signal.SIGABRT)}}


needs_uvmm = unittest.skipIf(MONITOR == "process", "host processes have neither kernels nor templates")


class Walk(unittest.TestCase):
    """An operation is one user's doing from first to last; each test walks one with one kind of fault."""

    def setUp(self):
        self.begin()

    def begin(self):
        self.d = Daemon(pool=2, subnet="10.79.0.0/27", monitor=MONITOR, cgroup=True)
        self.addCleanup(self.d.clean)
        if MONITOR == "process":
            self.d.put_server()
            self.d.put_shell("short", "echo here; exit 3")
        else:
            self.d.put_image("server", {"cmd": ["/bin/server", "serve", "8000"], "ports": [8000]}, IMAGE)
            self.d.put_image("short", {"cmd": ["/bin/server"]}, IMAGE)
            self.d.put_image("http", {"cmd": ["/bin/server", "http", "8000"], "ports": [8000], "memory_mib": 64}, IMAGE)
        self.settle()
        self.before = traces.there(self.d)
        self.most = SOME_DESCRIPTORS

    # --- operations -----------------------------------------------------------

    def run_stop_delete(self):
        vm = self.d.run("server", wait="ready", ports=[{"guest": 8000}], name="walked")
        self.d.call("POST", f"/vm/{vm['id']}/stop?timeout=20")
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
        self.d.call("GET", f"/vm/{vm['id']}/wait?state=ended&timeout=20")

    def image(self):
        self.d.put_image("walked", {"cmd": ["x"], "process": {"program": "/bin/true"}}, IMAGE)
        self.d.call("GET", "/image")
        self.d.call("DELETE", "/image/walked")

    def application(self):
        services = {"web": {"image": "server", "depends_on": ["db"], "replicas": 2}, "db": {"image": "server"}}
        self.d.call("PUT", "/app/walked", {"services": services})
        self.d.call("GET", "/app/walked/wait?state=ready&timeout=20")
        self.d.call("DELETE", "/app/walked")

    def function(self):
        """Of a program that answers (uvmm), and of one that is no HTTP server (process): both start, get the request and go."""
        image = "server" if MONITOR == "process" else "http"
        self.d.call("PUT", "/fn/walked", {"image": image, "start_timeout_ms": 20000, "timeout_ms": 20000})
        self.d.call("GET", "/fn/walked/invoke/")
        self.d.call("DELETE", "/fn/walked")

    def kernel(self):
        with open(os.path.join(BUILD, "libos/libos.elf"), "rb") as file:
            self.d.call("PUT", "/kernel/walked", file.read(), {"Content-Type": "application/octet-stream"})
        self.d.run("server", wait="ready", kernel="walked", name="walked", wait_timeout_ms=20000)
        self.d.call("DELETE", "/vm/walked?force=true")
        self.d.call("DELETE", "/kernel/walked")

    def template(self):
        begun = self.d.call("POST", "/template", {"image_name": "http"})
        made = self.d.call("GET", f"{begun.headers['location']}?wait=20").json["result"]
        while self.d.call("GET", f"/template/{made['id']}").json["loaded"] < 1:
            self.assertEqual(self.d.call("GET", f"/template/{made['id']}").json["state"], "ready")
        self.d.run("http", wait="ready", name="walked", wait_timeout_ms=20000)
        self.d.call("DELETE", "/vm/walked?force=true")
        self.d.call("DELETE", f"/template/{made['id']}")

    def snapshot(self):
        vm = self.d.run("http", wait="ready", name="walked", memory_mib=64, wait_timeout_ms=20000)
        begun = self.d.call("POST", f"/vm/{vm['id']}/snapshot", {"name": "walked"})
        self.d.call("GET", f"{begun.headers['location']}?wait=20")
        self.d.call("POST", "/vm/run", {"from": "walked", "wait": "ready", "wait_timeout_ms": 20000})
        self.d.call("DELETE", "/snapshot/walked")
        self.answers("walked")

    def answers(self, name):
        """Whatever became of its snapshot, what is said to run does."""
        vm = self.d.call("GET", f"/vm/{name}")
        if vm.status == 200 and vm.json["state"] == "running" and vm.json["ready"]:
            with self.d.connect_inside(vm.json["ip_address"], 8000) as s:
                s.sendall(b"GET / HTTP/1.0\r\n\r\n")
                self.assertTrue(s.recv(100))

    # --- what is there --------------------------------------------------------

    def settle(self):
        traces.settle(self.d)

    def same_as_before(self):
        self.assertIsNone(traces.same(self.d, self.before, self.most))

    def clean(self):
        self.d.call("DELETE", "/app/walked")
        for kind in ("template", "fn"):
            for one in self.d.call("GET", f"/{kind}").json["items"]:
                self.d.call("DELETE", f"/{kind}/{one[NAMED[kind]]}")
        if MONITOR != "process":
            self.answers("walked")
        for vm in self.d.call("GET", "/vm").json["items"]:
            self.d.call("DELETE", f"/vm/{vm['id']}?force=true")
        while left := self.d.call("GET", "/snapshot").json["items"]:  # one that is being made can not be removed
            self.d.call("DELETE", f"/snapshot/{left[0]['name']}")
        for name in ("/image/walked", "/kernel/walked"):
            self.d.call("DELETE", name)
        self.settle()

    # --- the walk -------------------------------------------------------------

    @staticmethod
    def attempt(operation):
        """The operation may fail, with a proper answer or, when the manager is gone, none."""
        def tried():
            try:
                operation()
            except (AssertionError, KeyError, TypeError):
                pass  # an answer that says no: call() has held it against the contract
            except LOST:
                pass  # the manager, or the connection, has ended
        return tried

    def one(self, operation, broken):
        """Whether the fault was met."""
        met = fault.inject(self.d.process, broken, self.attempt(operation))
        if met == fault.UNREAL:
            self.d.clean()
            self.begin()
            return False
        if self.d.process.poll() is not None:
            self.assertIn((broken.kind, self.d.process.returncode), ENDS.get(broken.call, KILLED))
            self.d.log_end()
            self.d.start()
        self.clean()
        self.same_as_before()
        return met == fault.MET

    def walk_each(self, faults, one):
        parts = max(1, min(PARTS, len(faults) // FEWEST))
        tried = faults[fault.part() % parts::parts]
        met, wrong = 0, []
        for broken in tried:
            try:
                met += one(broken)
            except Exception as error:  # whatever it is, the walk goes on and tells all in the end
                wrong.append(f"{broken}: {error!r}")
                print(wrong[-1], file=sys.stderr, flush=True)
                self.d.clean()
                self.begin()
        print(f"{len(tried)} of {len(faults)} faults tried, {met} met", file=sys.stderr)
        self.assertEqual(wrong, [], "\n".join(wrong))
        self.assertGreater(met, len(tried) // 4)  # a call may come fewer times when the operation is done again

    def walk(self, operation, kind):
        operation()
        self.clean()
        # What is only opened when it is first wanted is open now; a connection or two are between their end and its being seen.
        self.most = traces.descriptors(self.d) + 4
        self.same_as_before()
        count = fault.calls(self.d.process.pid, operation)
        self.clean()
        self.walk_each(list(fault.walk(count, kind)), lambda broken: self.one(operation, broken))
        self.d.end()

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

    def started_with(self, broken):
        """It may start or say why not; the next start is as always."""
        plain = self.d.arguments
        self.d.end()
        self.d.arguments = fault.launch(broken) + plain
        try:
            self.d.start()
            self.attempt(self.settle)()
            if self.d.process.poll() is None:
                self.d.process.send_signal(signal.SIGTERM)
            self.d.process.wait(TIMEOUT_S)
            self.d.log_end()
        except RuntimeError:
            pass
        self.d.arguments = plain
        self.d.start()
        self.clean()
        self.same_as_before()
        return True

    def ended_with(self, broken):
        def end():
            self.d.process.send_signal(signal.SIGTERM)
            self.d.process.wait(TIMEOUT_S)

        met = fault.inject(self.d.process, broken, end)
        self.d.log_end()
        self.d.start()
        self.clean()
        self.same_as_before()
        return met == fault.MET

    def test_start_kills(self):
        plain = self.d.arguments
        self.d.end()
        count = fault.calls_of(lambda options: self.launched(options + plain))
        self.d.arguments = plain
        self.d.start()
        self.walk_each(list(fault.walk(count, "kill")), self.started_with)
        self.d.end()

    def launched(self, arguments):
        self.d.arguments = arguments
        self.d.start()
        self.settle()
        self.d.end()

    def test_stop_kills(self):
        def end():
            self.d.process.send_signal(signal.SIGTERM)
            self.d.process.wait(TIMEOUT_S)

        count = fault.calls(self.d.process.pid, end)
        self.d.log_end()
        self.d.start()
        self.walk_each(list(fault.walk(count, "kill")), self.ended_with)
        self.d.end()


if __name__ == "__main__":
    need(MONITOR)
    reason = fault.missing()
    if reason:
        skip(reason)
    IMAGE = guest_image() if os.path.exists(GUEST) and shutil.which("mkfs.erofs") else b""
    main()
