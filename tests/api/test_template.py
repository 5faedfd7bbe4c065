# SPDX-License-Identifier: Apache-2.0
"""
Templates with real VMs: a warm image's runs are clones, each with an address, a name and random numbers of its own; templates outlive
the manager, go with their image, and are nothing that a run depends on.
"""
import json
import os
import signal
import unittest

from harness import Daemon, DaemonTest, guest_image, main, need


class Templates(DaemonTest):
    options = {"monitor": "uvmm", "pool": 2}

    def setUp(self):
        super().setUp()
        self.put()
        self.d.wait_pool()

    def put(self, name="web", files=None):
        self.d.put_image(name, {"cmd": ["/bin/server", "serve", "8000"], "ports": [8000], "memory_mib": 64}, guest_image(files))

    def warm(self, status=201, **more):
        answer = self.d.call("POST", "/template", {"image_name": "web", **more})
        self.assertEqual(answer.status, status, answer)
        return answer.json

    def loaded(self, template, n=1):
        while True:
            t = self.d.call("GET", f"/template/{template['id']}").json  # an exchange with the manager, whose loop goes on in between
            self.assertEqual((t["state"], t["failures"]), ("ready", 0), t)
            if t["loaded"] >= n:
                return t

    def talk(self, vm):
        with self.d.connect_inside(vm["ip_address"], 8000) as s:
            s.sendall(b"echo this")
            return s.recv(100)

    def test_clones(self):
        t = self.warm()
        self.assertEqual((t["state"], t["image"], t["memory_mib"], t["command"]), ("ready", "web", 64, "/bin/server serve 8000"))
        while self.d.call("GET", "/vm").json["items"]:
            pass  # an exchange with the manager; what was warmed goes
        self.assertEqual(self.warm()["id"], t["id"])  # there already
        vms = []
        for n in range(4):
            self.loaded(t)
            vms.append(self.d.run("web", wait="ready", name=f"clone-{n}"))
            self.assertTrue(vms[-1]["cloned"], vms[-1])
            self.assertEqual([s["step"] for s in vms[-1]["timing"]], ["made", "shell", "sent", "started", "ready"])
            self.assertEqual(vms[-1]["timing"], sorted(vms[-1]["timing"], key=lambda s: s["us"]))
        for vm in vms:
            self.assertEqual(self.talk(vm), b"echo this")
        self.assertEqual(len({vm["ip_address"] for vm in vms}), 4)
        self.assertEqual(len({vm["mac"] for vm in vms}), 4)
        self.assertEqual(self.d.call("GET", f"/template/{t['id']}").json["hits"], 4)
        self.assertEqual(self.d.call("POST", f"/vm/{vms[0]['id']}/stop").json["state"], "stopped")
        self.assertEqual(self.d.call("GET", f"/vm/{vms[0]['id']}").json["exit_code"], 7)  # the program heard of it

    def test_what_differs_boots(self):
        t = self.warm()
        self.loaded(t)
        for more in ({"env": {"A": "b"}}, {"args": ["/bin/server", "serve", "8000", "x"]}, {"memory_mib": 96}, {"trace": True},
                     {"ip_address": "10.77.0.200"}, {"vsock": True}):
            self.assertFalse(self.d.run("web", wait="ready", **more)["cloned"], more)
        self.assertTrue(self.d.run("web", wait="ready")["cloned"])
        other = self.warm(env={"A": "b"})
        self.assertNotEqual(other["id"], t["id"])
        self.loaded(other)
        self.assertTrue(self.d.run("web", wait="ready", env={"A": "b"})["cloned"])

    def test_outlives_the_manager(self):
        t = self.warm()
        self.loaded(t)
        vm = self.d.run("web", wait="ready")
        self.d.kill()
        self.d.start()
        self.assertEqual(self.talk(vm), b"echo this")  # a clone is taken over as any other
        again = self.d.call("GET", "/template").json["items"]
        self.assertEqual([(x["id"], x["state"]) for x in again], [(t["id"], "ready")])
        self.loaded(t)
        self.assertTrue(self.d.run("web", wait="ready")["cloned"])
        self.d.end()
        self.d.start()
        self.loaded(t)

    def test_damaged_files(self):
        """They cost a warning, and runs boot."""
        t = self.warm()
        self.d.kill()
        folder = os.path.join(self.d.state_dir, "template", t["id"])
        with open(os.path.join(folder, "state"), "r+b") as file:
            file.seek(os.path.getsize(file.name) // 2)
            file.write(b"\xff" * 64)
        os.mkdir(os.path.join(self.d.state_dir, "template", "0123456789abcdef.new"))
        os.mkdir(os.path.join(self.d.state_dir, "template", "0123456789abcdee"))
        self.d.start()
        while True:
            now = self.d.call("GET", f"/template/{t['id']}").json
            self.assertEqual(now["loaded"], 0)
            if now["state"] == "failed":
                break
        self.assertEqual(now["failures"], 3)
        self.assertEqual(self.d.files("state", "template"), [])
        vm = self.d.run("web", wait="ready")
        self.assertFalse(vm["cloned"])
        self.assertEqual(self.warm()["state"], "ready")  # made anew

    def test_other_host(self):
        t = self.warm()
        self.d.end()
        record = os.path.join(self.d.state_dir, "template", t["id"], "record.json")
        with open(record, encoding="utf-8") as file:
            content = json.load(file)
        os.remove(record)
        with open(record, "w", encoding="utf-8") as file:
            json.dump({**content, "host": "sha256:" + "0" * 64}, file)
        self.d.start()
        self.assertEqual(self.d.call("GET", "/template").json["items"], [])
        self.assertEqual(self.d.files("state", "template"), [])

    def test_goes_with_its_image(self):
        t = self.warm()
        self.loaded(t)
        self.assertEqual(self.d.call("DELETE", "/image/web").status, 204)
        while self.d.call("GET", "/template").json["items"]:
            pass  # an exchange with the manager
        self.assertEqual(self.d.files("state", "template"), [])

    def test_removed(self):
        t = self.warm()
        self.loaded(t)
        vm = self.d.run("web", wait="ready")
        self.assertEqual(self.d.call("DELETE", f"/template/{t['id']}").status, 204)
        self.assertEqual(self.talk(vm), b"echo this")
        self.assertFalse(self.d.run("web", wait="ready")["cloned"])

    def test_loaded_shell_dies(self):
        t = self.warm()
        self.loaded(t, 2)
        for line in self.d.processes():
            if "uvmm" in line:
                os.kill(int(line.split()[0]), signal.SIGKILL)
        vm = self.d.run("web", wait="ready")
        self.assertEqual(self.talk(vm), b"echo this")

    def test_can_not_be(self):
        d = self.d
        self.refused(d.call("POST", "/template", {"image_name": "none"}), 404, "not_found")
        self.refused(d.call("POST", "/template", {"image_name": "web", "trace": True}), 400, "bad_request")
        self.refused(d.call("POST", "/template", {"image_name": "web", "env": 1}), 400, "invalid_field")
        d.put_image("portless", {"cmd": ["/bin/server", "stubborn"]}, guest_image())
        self.refused(d.call("POST", "/template", {"image_name": "portless"}), 400, "bad_request")
        d.put_image("broken", {"cmd": ["/bin/server", "show"], "ports": [8000]}, guest_image())
        answer = d.call("POST", "/template", {"image_name": "broken"})
        self.assertIn("ended before it was ready", self.refused(answer, 503, "template_failed")["detail"])
        self.assertEqual([t["state"] for t in d.call("GET", "/template").json["items"]], ["failed"])
        self.assertEqual(d.files("state", "template"), [])

    def test_manager_killed_while_it_warms(self):
        connection = self.d.connection()
        connection.request("POST", "/template", json.dumps({"image_name": "web"}), {"Content-Type": "application/json"})
        while not self.d.call("GET", "/vm").json["items"]:
            pass  # an exchange with the manager
        self.d.kill()
        connection.close()
        self.d.start()
        while self.d.call("GET", "/vm").json["items"]:
            pass
        self.assertEqual([f for f in self.d.files("state", "template") if ".new" in f], [])


class AutoWarm(unittest.TestCase):
    def test_first_start(self):
        d = Daemon("--auto-warm", monitor="uvmm", pool=1)
        self.addCleanup(d.clean)
        d.put_image("web", {"cmd": ["/bin/server", "serve", "8000"], "ports": [8000], "memory_mib": 64}, guest_image())
        self.assertFalse(d.run("web", wait="ready")["cloned"])
        while not any(t["loaded"] for t in d.call("GET", "/template").json["items"]):
            pass  # an exchange with the manager
        self.assertTrue(d.run("web", wait="ready")["cloned"])
        d.end()


if __name__ == "__main__":
    need("uvmm")
    main()
