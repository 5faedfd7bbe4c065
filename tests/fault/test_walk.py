# SPDX-License-Identifier: Apache-2.0
"""
Each step of an operation of the manager fails, or is its last. After that the manager (the same one, or its successor) must
answer, its list must be true, and when all VMs are deleted everything is as it was before: processes, interfaces, files,
addresses, rows of the database, and the manager's descriptors.

A run takes every UIGNITER_FAULT_PARTS-th fault, 1 for all of them; UIGNITER_FAULT_PART says where it begins.
"""
import http.client
import os
import re
import signal
import socket
import sqlite3
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "api"))

import fault
from harness import TIMEOUT_S, Daemon, main, need, skip

PARTS = int(os.environ.get("UIGNITER_FAULT_PARTS", "12"))
LOST = (http.client.HTTPException, ConnectionError, socket.timeout, BrokenPipeError)


# A manager that can not get back into its own network namespace has no way to go on.
ENDS = {"kill": {("kill", -signal.SIGKILL)}, "setns": {("kill", -signal.SIGKILL), ("error", -signal.SIGABRT)}}


class Walk(unittest.TestCase):
    """operation() is one user's doing from first to last; each test walks it with one kind of fault."""

    def setUp(self):
        self.begin()

    def begin(self):
        self.d = Daemon(pool=2, subnet="10.79.0.0/27")
        self.addCleanup(self.d.clean)
        self.d.put_server()
        self.d.put_shell("short", "echo here; exit 3")
        self.settle()
        self.before = self.there()

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
        self.d.put_image("walked", {"cmd": ["x"], "process": {"program": "/bin/true"}}, b"x" * 70000)
        self.d.call("GET", "/image")
        self.d.call("DELETE", "/image/walked")

    # --- what is there --------------------------------------------------------

    def settle(self):
        self.d.wait_pool()

    def descriptors(self):
        """The manager's; those of connections that just ended are gone after the next exchange."""
        return len(os.listdir(f"/proc/{self.d.process.pid}/fd"))

    def rows(self):
        database = sqlite3.connect(os.path.join(self.d.state_dir, "state.db"))
        try:
            self.assertEqual(database.execute("PRAGMA integrity_check").fetchall(), [("ok",)])
            return {name: database.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]
                    for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type='table' AND name = 'instance'")}
        finally:
            database.close()

    def there(self):
        number = re.compile(r"\d+")
        return {
            "interfaces": [number.sub("N", link) for link in self.d.links()],
            "processes": len(self.d.processes()),
            "files": sorted(number.sub("N", f) for f in self.d.files("run")),
            "state": sorted(f for f in self.d.files("state") if "state.db" not in f and not f.startswith("image/data/")),
            "data": len([f for f in self.d.files("state") if f.startswith("image/data/")]),
            "rows": self.rows(),
            "descriptors": self.descriptors(),
        }

    # --- the walk -------------------------------------------------------------

    def attempt(self, operation):
        """The operation may fail, with a proper answer or, when the manager is gone, none."""
        def tried():
            try:
                operation()
            except (AssertionError, KeyError, TypeError):
                pass  # an answer that says no: call() has held it against the contract
            except LOST:
                pass  # the manager, or the connection, has ended
        return tried

    def clean(self):
        for vm in self.d.call("GET", "/vm").json["items"]:
            self.d.call("DELETE", f"/vm/{vm['id']}?force=true")
        self.d.call("DELETE", "/image/walked")
        self.settle()

    def same_as_before(self):
        """The end of a process or an interface can be a moment behind the answer; the manager is asked in between."""
        deadline = time.monotonic() + TIMEOUT_S
        while (now := self.there()) != self.before:
            if time.monotonic() > deadline:
                self.assertEqual(now, self.before)
            self.d.call("GET", "/healthz")

    def one(self, operation, fault_):
        """Whether the fault was met."""
        met = fault.inject(self.d.process, fault_, self.attempt(operation))
        if self.d.process.poll() is not None:
            self.assertIn((fault_.kind, self.d.process.returncode), ENDS.get(fault_.call, ENDS["kill"]))
            self.d.log_end()
            self.d.start()
        self.assertIsNone(self.d.process.poll(), "the manager has ended")
        self.clean()
        self.same_as_before()
        return met

    def walk(self, operation, kind):
        operation()
        self.clean()
        self.same_as_before()
        count = fault.calls(self.d.process.pid, operation)
        self.clean()
        faults = list(fault.walk(count, kind))
        tried = faults[fault.part() % PARTS::PARTS]
        met, wrong = 0, []
        for fault_ in tried:
            try:
                met += self.one(operation, fault_)
            except Exception as error:  # pylint: disable=broad-except
                wrong.append(f"{fault_}: {error!r}")
                self.d.clean()
                self.begin()
        print(f"{kind}: {len(tried)} of {len(faults)} faults tried, {met} met", file=sys.stderr)
        self.assertEqual(wrong, [], "\n".join(wrong))
        self.assertGreater(met, len(tried) // 2)
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


if __name__ == "__main__":
    need()
    reason = fault.missing()
    if reason:
        skip(reason)
    main()
