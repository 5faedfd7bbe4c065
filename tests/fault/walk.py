# SPDX-License-Identifier: Apache-2.0
"""
A walk: each step of an operation of the manager fails, or is its last. After that the manager (the same one, or its successor) must
answer, what it said must be true, and when all is deleted everything is as it was before: processes, interfaces, files, rows of
the database, and the manager's descriptors.

A run takes every UIGNITER_FAULT_PARTS-th fault, 1 for all of them; UIGNITER_FAULT_PART says where it begins.
"""
import http.client
import os
import signal
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "api"))

import fault
import traces
from contract import ContractError
from harness import TIMEOUT_S, Daemon

PARTS = int(os.environ.get("UIGNITER_FAULT_PARTS", "100"))
FEWEST = int(os.environ.get("UIGNITER_FAULT_FEWEST", "6"))  # faults of a test
MONITOR = os.environ.get("UIGNITER_MONITOR", "process")
FAULTY_S = 20  # the most that an operation waits for what a fault may have made impossible; without one, nothing is waited for in vain
SOME_DESCRIPTORS = 64  # of a manager that has not carried out the operation yet
NAMED = {"app": "name", "template": "id", "fn": "name"}  # what an object of a kind is removed by
LOST = (http.client.HTTPException, ConnectionError, TimeoutError)

# How a manager ends that met a fault. It gives up by itself where it can not get back into its own network namespace.
KILLED = {("kill", -signal.SIGKILL)}
ENDS = {"setns": KILLED | {("error", -signal.SIGABRT)}}


class Walked(unittest.TestCase):
    """An operation is one user's doing from first to last; each test walks one with one kind of fault."""

    def setUp(self):
        self.begin()

    def begin(self):
        self.d = Daemon(*self.options(), pool=2, subnet="10.79.0.0/27", monitor=MONITOR, cgroup=True)
        self.addCleanup(self.d.clean)
        self.lies, self.limit_s = [], TIMEOUT_S
        self.prepare()
        self.settle()
        self.before = traces.there(self.d)
        self.most = SOME_DESCRIPTORS

    def options(self):
        """Of the manager, beside its own."""
        return []

    def prepare(self):
        """What operations find there."""

    # --- what is said -----------------------------------------------------------

    def said(self, operation):
        """An operation's own word, when it has ended: it is done if and only if there is what it has made."""
        if operation["state"] == "done" and operation["location"]:
            there = self.d.call("GET", operation["location"])
            if there.status == 404 or there.status == 200 and there.json != operation["result"]:
                self.lies.append(f"{operation} is done, but {there}")

    def answers(self, name):
        """Whatever became of its snapshot, what is said to run does."""
        vm = self.d.call("GET", f"/vm/{name}")
        if vm.status == 200 and vm.json["state"] == "running" and vm.json["ready"]:
            with self.d.connect_inside(vm.json["ip_address"], 8000) as s:
                s.sendall(b"GET / HTTP/1.0\r\n\r\n")
                self.assertTrue(s.recv(100))

    def listed(self):
        """What is said to run has a process."""
        for vm in self.d.call("GET", "/vm").json["items"]:
            while vm.get("state") in ("running", "paused") and not os.path.exists(f"/proc/{vm['pid']}"):
                vm = self.d.call("GET", f"/vm/{vm['id']}").json  # the manager hears of its end

    # --- what is there --------------------------------------------------------

    def settle(self):
        traces.settle(self.d)

    def same_as_before(self):
        self.assertIsNone(traces.same(self.d, self.before, self.most))

    def forget(self):
        """Operations: what still goes on behind an answer comes to its end, or the test does not."""
        for one in self.d.call("GET", "/operation").json["items"]:
            path = f"/operation/{one['id']}"
            if one["cancellable"]:
                self.d.call("DELETE", path)
            ended = self.d.call("GET", f"{path}?wait={TIMEOUT_S}")
            if ended.status != 404:  # to end one that has just ended is to forget it
                self.assertNotEqual(ended.json["state"], "running", ended)
                self.d.call("DELETE", path)

    def clean(self):
        self.listed()
        for kind, field in NAMED.items():
            for one in self.d.call("GET", f"/{kind}").json["items"]:
                self.d.call("DELETE", f"/{kind}/{one[field]}")
        if MONITOR != "process":
            self.answers("walked")
        for vm in self.d.call("GET", "/vm").json["items"]:
            self.d.call("DELETE", f"/vm/{vm['id']}?force=true")
        self.forget()
        while left := self.d.call("GET", "/snapshot").json["items"]:  # one that is being made can not be removed
            self.d.call("DELETE", f"/snapshot/{left[0]['name']}")
        for name in ("/image/walked", "/image/walked:other", "/kernel/walked"):
            self.d.call("DELETE", name)
        self.settle()

    # --- the walk -------------------------------------------------------------

    def attempt(self, operation):
        """The operation may fail, with a proper answer or, when the manager is gone, none."""
        def tried():
            try:
                operation()
            except ContractError as error:
                self.lies.append(str(error))
            except (AssertionError, KeyError, TypeError):
                pass  # an answer that says no
            except LOST:
                pass  # the manager, or the connection, has ended
        return tried

    def restored(self):
        """After a fault: a manager is there, nothing that was said is untrue, and nothing is left."""
        if self.d.process.poll() is not None:
            self.d.log_end()
            self.d.start()
        self.clean()
        self.same_as_before()
        self.assertEqual(self.lies, [])

    def one(self, operation, broken):
        """Whether the fault was met."""
        met = fault.inject(self.d.process, broken, self.attempt(operation))
        if met == fault.UNREAL:
            self.d.clean()
            self.begin()
            return False
        if self.d.process.poll() is not None:
            self.assertIn((broken.kind, self.d.process.returncode), ENDS.get(broken.call, KILLED))
        self.restored()
        return met == fault.MET

    def walk_each(self, faults, one):
        parts = max(1, min(PARTS, len(faults) // FEWEST))
        tried = faults[fault.part() % parts::parts]
        met, wrong = 0, []
        for broken in tried:
            self.limit_s = FAULTY_S
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
        self.first(operation)
        count = fault.calls(self.d.process.pid, operation)
        self.clean()
        self.walk_each(list(fault.walk(count, kind)), lambda broken: self.one(operation, broken))
        self.d.end()

    def first(self, operation):
        """
        What is only opened when it is first wanted is open after this; a connection or two are between their end and its being
        seen.
        """
        operation()
        self.clean()
        self.most = traces.descriptors(self.d) + 4
        self.same_as_before()
        self.assertEqual(self.lies, [])
