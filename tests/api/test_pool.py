# SPDX-License-Identifier: Apache-2.0
"""The pool: hits and misses, refill, profiles, exhaustion; and the end of the addresses."""
import json
import os
import shutil
import signal
import tempfile
import unittest

from harness import BUILD, Daemon, DaemonTest, main, need


EMPTY_EROFS = bytes(1024) + bytes.fromhex("e2e1f5e0") + bytes(3068)


class Pool(DaemonTest):
    options = {"pool": 3}

    def profile(self, name="default"):
        return {p["profile"]: p for p in self.d.call("GET", "/pool").json["items"]}[name]

    def test_hit_and_refill(self):
        self.d.put_shell("long", "exec sleep 1000")
        self.d.wait_pool()
        self.assertTrue(all(self.d.run("long")["from_pool"] for _ in range(3)))
        self.d.wait_pool()
        p = self.profile()
        self.assertEqual((p["ready"], p["hits"], p["misses"], p["deaths"]), (3, 3, 0, 0))

    def test_refill_beside_one_that_is_not_ready(self):
        """Starts go first, but not for ever."""
        self.d.put_image("never", {"cmd": ["sleep", "1000"], "process": {"program": "/bin/sleep"}, "ports": [9], "readiness": {"port": 9}})
        self.d.wait_pool()
        vms = [self.d.run("never") for _ in range(3)]
        self.assertTrue(all(vm["from_pool"] for vm in vms))
        self.d.wait_pool()
        self.assertEqual((self.profile()["ready"], [self.d.call("GET", f"/vm/{vm['id']}").json["ready"] for vm in vms]), (3, [False] * 3))

    def test_what_does_not_fit(self):
        self.d.put_shell("long", "exec sleep 1000")
        self.d.wait_pool()
        self.assertFalse(self.d.run("long", memory_mib=96)["from_pool"])
        self.assertFalse(self.d.run("long", vcpus=2)["from_pool"])
        self.assertEqual(self.profile()["misses"], 0)

    def test_what_the_image_asks_for(self):
        """Without a word of the request, a prepared VM with more memory than the image asks for will do."""
        for memory, hit in ((64, True), (128, True), (129, False)):
            self.d.put_image("sized", {"memory_mib": memory, "cmd": ["sleep", "1000"], "process": {"program": "/bin/sleep"}})
            self.d.wait_pool()
            vm = self.d.run("sized")
            self.assertEqual((vm["from_pool"], vm["memory_mib"]), (hit, 128 if hit else memory))
        self.d.call("PUT", "/pool/small", {"target": 1, "memory_mib": 64})
        self.d.put_image("sized", {"memory_mib": 32, "cmd": ["sleep", "1000"], "process": {"program": "/bin/sleep"}})
        self.d.wait_pool()
        self.assertEqual(self.d.run("sized")["memory_mib"], 64)

    def test_profiles(self):
        self.d.put_shell("long", "exec sleep 1000")
        answer = self.d.call("PUT", "/pool/big", {"target": 1, "memory_mib": 256})
        self.assertEqual((answer.status, answer.json["target"], answer.json["memory_mib"]), (200, 1, 256))
        self.d.wait_pool()
        self.assertTrue(self.d.run("long", memory_mib=256)["from_pool"])
        self.assertEqual(self.profile("big")["hits"], 1)
        self.assertEqual(self.d.call("DELETE", "/pool/big").status, 204)
        self.refused(self.d.call("DELETE", "/pool/big"), 404, "not_found")
        self.refused(self.d.call("DELETE", "/pool/default"), 409, "conflict")
        for body in ({"target": -1}, {"target": 10**6}, {"target": "1"}, {"what": 1}, {"memory_mib": 1}, {"on_exhausted": "later"}, []):
            self.refused(self.d.call("PUT", "/pool/default", body), 400, "invalid_field")
        self.refused(self.d.call("PUT", "/pool/Upper", {}), 400, "bad_request")
        self.assertEqual(self.profile()["target"], 3)

    def test_grow_shrink_change(self):
        self.d.call("PUT", "/pool/default", {"target": 6})
        self.d.wait_pool()
        self.assertEqual(self.profile()["ready"], 6)
        self.d.call("PUT", "/pool/default", {"target": 1})
        self.assertEqual(self.profile()["ready"], 1)
        answer = self.d.call("PUT", "/pool/default", {"memory_mib": 96, "target": 2}).json
        self.assertEqual(answer["ready"], 0)
        self.d.wait_pool()
        self.d.put_shell("long", "exec sleep 1000")
        vm = self.d.run("long")
        self.assertEqual((vm["from_pool"], vm["memory_mib"]), (True, 96))

    def test_exhausted(self):
        self.d.put_shell("long", "exec sleep 1000")
        self.d.call("PUT", "/pool/default", {"target": 1, "on_exhausted": "reject"})
        self.d.wait_pool()
        connections = [self.d.connection() for _ in range(40)]
        for connection in connections:
            connection.request("GET", "/healthz")
            connection.getresponse().read()
        self.d.process.send_signal(signal.SIGSTOP)  # it finds all at once, whoever has the processor: one shell is there
        try:
            for connection in connections:
                connection.request("POST", "/vm/run", '{"image_name":"long"}', {"Content-Type": "application/json"})
        finally:
            self.d.process.send_signal(signal.SIGCONT)
        answers = [connection.getresponse() for connection in connections]
        refused = [a for a in answers if a.status != 201]
        self.assertTrue(refused, "no run was quicker than the refill")
        for answer in refused:
            self.assertEqual((answer.status, json.loads(answer.read())["code"]), (503, "pool_exhausted"))
            self.assertGreater(int(answer.headers["retry-after"]), 0)
        for connection in connections:
            connection.close()
        self.assertEqual(self.profile()["misses"], len(refused))


class Waits(DaemonTest):
    options = {"pool": 1}

    def runs(self, count, **fields):
        connections = [self.d.connection() for _ in range(count)]
        for connection in connections:
            connection.request("POST", "/vm/run", json.dumps({"image_name": "long", **fields}), {"Content-Type": "application/json"})
        return connections

    def test_all_are_served_from_the_pool(self):
        self.d.put_shell("long", "exec sleep 1000")
        self.d.call("PUT", "/pool/default", {"on_exhausted": "wait"})
        self.d.wait_pool()
        connections = self.runs(30)
        answers = [connection.getresponse() for connection in connections]
        vms = [json.loads(answer.read()) for answer in answers]
        for connection in connections:
            connection.close()
        self.assertEqual({(a.status, vm["from_pool"], vm["state"]) for a, vm in zip(answers, vms)}, {(201, True, "running")})
        self.assertEqual(len({vm["ip_address"] for vm in vms}), 30)
        profile = self.d.call("GET", "/pool").json["items"][0]
        self.assertEqual((profile["waiting"], profile["hits"]), (0, 30))

    def test_stopped_while_it_waits(self):
        self.d.put_shell("long", "exec sleep 1000")
        self.d.put_image("broken", {"cmd": ["x"], "process": {"program": "/nonexistent"}})
        self.d.call("PUT", "/pool/default", {"on_exhausted": "wait"})
        self.d.wait_pool()
        for connection in self.runs(20, wait="none"):
            connection.getresponse().read()
            connection.close()
        for vm in self.d.call("GET", "/vm").json["items"]:
            self.assertIn(self.d.call("POST", f"/vm/{vm['id']}/kill").json["state"], ("stopped",))
        self.assertEqual(self.d.call("GET", "/pool").json["items"][0]["waiting"], 0)

    def test_the_profile_goes_away(self):
        self.d.put_shell("long", "exec sleep 1000")
        self.d.call("PUT", "/pool/big", {"target": 1, "memory_mib": 512, "on_exhausted": "wait"})
        self.d.wait_pool()
        connections = self.runs(20, memory_mib=512, wait="none")
        connections[-1].getresponse().read()  # all have come
        self.d.call("DELETE", "/pool/big")
        for vm in self.d.call("GET", "/vm").json["items"]:
            self.assertIn(vm["state"], ("running", "starting", "failed"))
        for connection in connections:
            connection.close()


@unittest.skipUnless(os.access("/dev/kvm", os.R_OK | os.W_OK) and os.path.exists(os.path.join(BUILD, "libos/libos.elf")),
                     "needs /dev/kvm and libos.elf")
class Late(DaemonTest):
    """Monitors that never get ready."""

    def setUp(self):
        folder = tempfile.mkdtemp(prefix="uig-test-")
        self.addCleanup(shutil.rmtree, folder)
        monitor = os.path.join(folder, "uvmm")
        with open(os.open(monitor, os.O_WRONLY | os.O_CREAT, 0o755), "w", encoding="ascii") as file:
            file.write("#!/bin/sh\necho here I am\nexec sleep 1000\n")
        os.chmod(folder, 0o755)
        self.d = Daemon("--uvmm", monitor, "--prepare-timeout", "1", monitor="uvmm", pool=2)
        self.addCleanup(self.d.clean)

    def test_they_are_let_go(self):
        said = "did not get ready within 1 s; it wrote: here I am"  # unless it did not come to write in its second
        while (profile := self.d.call("GET", "/pool").json["items"][0])["deaths"] < 3 or said not in profile["last_error"]:
            self.assertEqual(profile["ready"], 0)

    def test_one_that_waited_is_known_to_the_next_manager(self):
        self.d.put_image("any", {"cmd": ["x"]}, EMPTY_EROFS)
        self.d.call("PUT", "/pool/default", {"on_exhausted": "wait"})
        vm = self.d.run("any", wait="none")
        self.assertEqual(vm["state"], "created")
        self.d.kill()
        self.d.start()
        vm = self.d.call("GET", f"/vm/{vm['id']}").json
        self.assertEqual((vm["state"], vm["reason"]), ("failed", "the manager ended before it was started"))


class Addresses(DaemonTest):
    options = {"subnet": "10.77.0.0/29", "pool": 0}

    def test_exhausted(self):
        self.d.put_shell("long", "exec sleep 1000")
        vms = [self.d.run("long") for _ in range(5)]
        self.assertEqual(sorted(vm["ip_address"] for vm in vms), [f"10.77.0.{n}" for n in range(2, 7)])
        for _ in range(3):
            answer = self.d.call("POST", "/vm/run", {"image_name": "long"})
            self.refused(answer, 503, "addresses_exhausted")
            self.assertGreater(int(answer.headers["retry-after"]), 0)
        self.assertEqual(len(self.d.call("GET", "/vm").json["items"]), 5)
        self.assertEqual(self.d.call("GET", "/info").json["addresses_free"], 0)
        self.d.call("DELETE", f"/vm/{vms[3]['id']}?force=true")
        self.assertEqual(self.d.run("long")["ip_address"], vms[3]["ip_address"])


class Quarantine(DaemonTest):
    def setUp(self):
        self.d = Daemon("--quarantine", "3600", subnet="10.77.0.0/30", pool=0)
        self.addCleanup(self.d.clean)

    def test_an_address_rests(self):
        self.d.put_shell("short", "exit 0")
        vm = self.d.run("short", wait="none")
        self.d.wait(vm["id"])
        answer = self.d.call("POST", "/vm/run", {"image_name": "short"})
        self.refused(answer, 503, "addresses_exhausted")
        self.assertGreater(int(answer.headers["retry-after"]), 60)
        self.assertEqual(self.d.run("short", ip_address=vm["ip_address"])["ip_address"], vm["ip_address"])


if __name__ == "__main__":
    need()
    main()
