# SPDX-License-Identifier: Apache-2.0
"""
Templates with real VMs: a warm image's runs are clones, each with an address, a name and random numbers of its own; templates outlive
the manager, go with their image, and are nothing that a run depends on.
"""
import contextlib
import http.client
import ipaddress
import json
import os
import signal
import sqlite3
import subprocess
import unittest

from harness import CLI, TIMEOUT_S, Daemon, DaemonTest, guest_image, main, need


class Templates(DaemonTest):
    options = {"monitor": "uvmm", "pool": 2}

    def setUp(self):
        super().setUp()
        self.put()
        self.d.wait_pool()

    def put(self, name="web", files=None):
        self.d.put_image(name, {"cmd": ["/bin/server", "serve", "8000"], "ports": [8000], "memory_mib": 64}, guest_image(files))

    def begin(self, **more):
        """The path of the operation."""
        answer = self.d.call("POST", "/template", {"image_name": "web", **more})
        self.assertEqual((answer.status, answer.headers["location"]), (202, "/operation/" + answer.json["id"]), answer)
        return answer.headers["location"]

    def end_of(self, path):
        return self.d.call("GET", f"{path}?wait={TIMEOUT_S}").json

    def warm(self, **more):
        operation = self.end_of(self.begin(**more))
        self.assertEqual((operation["kind"], operation["subject"], operation["state"], operation["error"]), ("image.warm", "web", "done", None), operation)
        template = self.d.call("GET", operation["location"])
        self.assertEqual((template.status, operation["result"]["id"]), (200, template.json["id"]), operation)
        return template.json

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

    def timed(self, vm, monitor, libos):
        """Where the time of its start went: steps of all three, in the order of the time, and these of monitor and libOS."""
        steps = vm["timing"]
        self.assertEqual(steps, sorted(steps, key=lambda s: s["us"]))
        self.assertEqual([s["step"] for s in steps if s["by"] == "manager"], ["made", "shell", "sent", "started", "ready"])
        self.assertEqual([s["step"] for s in steps if s["by"] == "monitor" and s["step"] in monitor], monitor, steps)
        self.assertEqual([s["step"] for s in steps if s["by"] == "libos" and s["step"] in libos], libos, steps)
        sent = next(s["us"] for s in steps if s["step"] == "sent")
        self.assertTrue(all(s["us"] >= sent for s in steps if s["by"] != "manager"), steps)
        self.assertEqual([s["step"] for s in steps if s.get("exits", 0) > 0][-1:], ["listen told"], steps)

    def test_clones(self):
        boot = self.d.run("web", wait="ready")
        self.timed(boot, ["parsed", "image mapped", "identity", "sandbox", "released", "vCPU enters", "program begins", "listen told"],
                   ["entered", "memory", "console", "file system", "arguments", "network", "files", "program loaded", "listen"])
        self.d.call("DELETE", f"/vm/{boot['id']}?force=true")
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
            self.timed(vms[-1], ["parsed", "identity", "released", "vCPU enters", "listen told"], ["entropy, clocks", "names", "addresses"])
        for vm in vms:
            self.assertEqual(self.talk(vm), b"echo this")
        self.assertEqual(len({vm["ip_address"] for vm in vms}), 4)
        self.assertEqual(len({vm["mac"] for vm in vms}), 4)
        self.assertEqual(self.d.call("GET", f"/template/{t['id']}").json["hits"], 4)
        self.assertEqual(self.d.call("POST", f"/vm/{vms[0]['id']}/stop").json["state"], "stopped")
        self.assertEqual(self.d.call("GET", f"/vm/{vms[0]['id']}").json["exit_code"], 7)  # the program heard of it

    def test_working_set(self):
        """It is there with the template: one clone was tried, which asked for nothing else and nobody sees; requests that the image wants come before."""
        self.d.put_image("asked", {"cmd": ["/bin/server", "http", "8000"], "ports": [8000], "memory_mib": 64,
                                   "warm": {"path": "/a", "requests": 3}}, guest_image())
        for image in ("web", "asked"):
            t = self.d.call("GET", self.end_of(self.begin(image_name=image))["location"]).json
            with open(os.path.join(self.d.state_dir, "template", t["id"], "workset"), encoding="ascii") as file:
                lines = file.read().splitlines()
            self.assertEqual(lines[0], "uigniter-workset 1")
            for kind in "rw":  # the program reads and writes its own pages to answer
                self.assertTrue([line for line in lines if line.startswith(kind + " ")], lines)
            self.assertEqual((t["hits"], t["misses"], t["failures"]), (0, 0, 0))
            self.loaded(t)
            self.assertTrue(self.d.run(image, wait="ready")["cloned"])

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
        self.d.signal_processes(signal.SIGKILL, "uvmm")
        vm = self.d.run("web", wait="ready")
        self.assertEqual(self.talk(vm), b"echo this")

    def row_ahead(self):
        """The row of an instance of which it says ahead that it runs, or None: others may be there (a template's own)."""
        with contextlib.closing(sqlite3.connect(f"file:{self.d.state_dir}/state.db?mode=ro", uri=True, timeout=TIMEOUT_S)) as db:
            rows = [json.loads(record) for record, in db.execute("SELECT record FROM instance")]
        return next((r for r in rows if r["ahead"] and r["state"] == "running"), None)

    def test_manager_dies_while_one_starts(self):
        """A clone's row says ahead that it runs: the next manager goes on with it where its monitor has started it, and ends it where not."""
        t = self.warm()
        for then in ("started", "not", "dead"):
            self.loaded(t)
            self.d.signal_processes(signal.SIGSTOP, "uvmm")
            connection = self.d.connection()
            connection.request("POST", "/vm/run", json.dumps({"image_name": "web"}), {"Content-Type": "application/json"})
            while not (row := self.row_ahead()):
                pass  # each opens the database
            self.d.process.send_signal(signal.SIGSTOP)
            if then == "started":
                self.d.signal_processes(signal.SIGCONT, "uvmm")
                self.answers_at(str(ipaddress.IPv4Address(row["shell"]["ip"])))
            self.d.kill()
            connection.close()
            self.d.signal_processes(signal.SIGKILL if then == "dead" else signal.SIGCONT, "uvmm")
            self.d.start()
            vm = self.d.call("GET", f"/vm/{row['id']}").json
            if then == "started":
                self.assertTrue(self.d.call("GET", f"/vm/{vm['id']}/wait?state=ready&timeout={TIMEOUT_S}").json["reached"])
                self.assertEqual(self.talk(vm), b"echo this")
            else:
                self.assertEqual(self.d.wait(vm["id"])["state"], "crashed")
            self.d.call("DELETE", f"/vm/{vm['id']}?force=true")

    def answers_at(self, address):
        """Until the instance answers that the manager can not tell of."""
        while True:
            with contextlib.suppress(OSError):
                self.assertEqual(self.talk({"ip_address": address}), b"echo this")
                return

    def test_can_not_be(self):
        d = self.d
        self.refused(d.call("POST", "/template", {"image_name": "none"}), 404, "not_found")
        self.refused(d.call("POST", "/template", {"image_name": "web", "trace": True}), 400, "bad_request")
        self.refused(d.call("POST", "/template", {"image_name": "web", "env": 1}), 400, "invalid_field")
        d.put_image("portless", {"cmd": ["/bin/server", "stubborn"]}, guest_image())
        self.refused(d.call("POST", "/template", {"image_name": "portless"}), 400, "bad_request")
        d.put_image("broken", {"cmd": ["/bin/server", "show"], "ports": [8000]}, guest_image())
        operation = self.end_of(d.call("POST", "/template", {"image_name": "broken"}).headers["location"])
        self.assertEqual((operation["state"], operation["result"], operation["location"]), ("failed", None, None))
        self.assertEqual((operation["error"]["status"], operation["error"]["code"]), (503, "template_failed"))
        self.assertIn("ended before it was ready", operation["error"]["detail"])
        self.assertEqual([t["state"] for t in d.call("GET", "/template").json["items"]], ["failed"])
        self.assertEqual(d.files("state", "template"), [])

    def slow(self):
        """The operation of a template whose instance is never ready."""
        self.d.put_image("slow", {"cmd": ["/bin/server", "serve", "8000"], "ports": [9999], "memory_mib": 64}, guest_image())
        answer = self.d.call("POST", "/template", {"image_name": "slow"})
        self.assertEqual((answer.status, answer.json["state"], answer.json["cancellable"]), (202, "running", False), answer)
        return answer.headers["location"]

    def failed_with_the_manager(self, path):
        operation = self.d.call("GET", f"{path}?wait={TIMEOUT_S}").json
        self.assertEqual((operation["state"], operation["error"]["code"]), ("failed", "manager_ended"), operation)
        self.assertTrue(operation["ended_at"])

    def test_manager_ends_while_it_warms(self):
        first = self.slow()
        self.d.kill()
        self.d.start()
        self.failed_with_the_manager(first)
        while self.d.call("GET", "/vm").json["items"]:
            pass  # an exchange with the manager
        self.assertEqual([f for f in self.d.files("state", "template") if ".new" in f], [])
        paths = [first]
        while not self.waits_for_the_end(paths):
            self.d.start()
        self.d.start()
        self.failed_with_the_manager(paths[0])
        self.assertEqual([o["id"] for o in self.d.call("GET", "/operation").json["items"]], [p.split("/")[2] for p in paths])

    def waits_for_the_end(self, paths):
        """Both who follow an operation and who wait for it hear of the manager's end; False when it came before the long poll was read."""
        paths.insert(0, self.slow())
        waiting, stream = self.d.connection(), self.d.connection()
        stream.request("GET", paths[0], headers={"Accept": "text/event-stream"})
        followed = stream.getresponse()
        self.assertEqual(followed.readline().split()[0], b"id:")  # it follows
        waiting.request("GET", f"{paths[0]}?wait={TIMEOUT_S}")
        self.d.call("GET", "/healthz")  # an exchange with the manager, which most often reads what came before it as well
        self.d.end()
        self.assertEqual(self.events(followed.read())[-1]["error"]["code"], "manager_ended")
        stream.close()
        try:
            answer = waiting.getresponse().read()
        except (http.client.RemoteDisconnected, ConnectionResetError):
            return False
        finally:
            waiting.close()
        self.assertEqual(json.loads(answer)["error"]["code"], "manager_ended")
        return True

    @staticmethod
    def events(text):
        return [json.loads(line[len("data: "):]) for line in text.decode().splitlines() if line.startswith("data: ")]

    def test_operation(self):
        d = self.d
        path = self.slow()
        self.refused(d.call("DELETE", path), 409, "conflict")
        self.assertEqual(d.call("GET", path + "?wait=0.01").json["state"], "running")  # a long poll's time is over: no error
        self.refused(d.call("GET", path + "?wait=x"), 400, "invalid_field")
        self.assertEqual([o["subject"] for o in d.call("GET", "/operation?state=running&kind=image.warm").json["items"]], ["slow"])
        self.assertEqual(d.call("GET", "/operation?kind=image.build").json["items"], [])
        self.refused(d.call("GET", "/operation?state=x"), 400, "invalid_field")
        self.assertEqual(d.call("DELETE", "/template/" + d.call("GET", "/template").json["items"][0]["id"]).status, 204)
        self.assertEqual(d.call("GET", path + f"?wait={TIMEOUT_S}").json["error"]["code"], "conflict")  # what was made is gone
        done = self.begin()
        events = self.events(d.call("GET", done, headers={"Accept": "text/event-stream"}).body)
        self.assertEqual((events[-1]["state"], events[-1]["result"]["image"]), ("done", "web"))
        again = self.events(d.call("GET", done, headers={"Accept": "text/event-stream", "Last-Event-ID": "1"}).body)
        self.assertEqual(again, events[-1:])
        self.assertEqual(d.call("GET", done[:-24]).json, events[-1])  # by a prefix
        for kind in ("operation.begun", "operation.done", "operation.failed"):
            self.assertIn(kind, [e["type"] for e in d.call("GET", "/events").json["items"]])
        d.kill()
        d.start()
        self.assertEqual(d.call("GET", done).json["result"]["image"], "web")  # what was done stays known
        self.assertEqual(d.call("DELETE", done).status, 204)
        self.refused(d.call("GET", done), 404, "not_found")

    def test_tasks_of_the_command_line(self):
        def cli(*words, status=0):
            p = subprocess.run([CLI, "-H", "unix://" + self.d.socket, *words], capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
            self.assertEqual(p.returncode, status, (words, p.stdout, p.stderr))
            return p
        done = cli("image", "warm", "--progress", "json", "web")
        template = done.stdout.strip()
        self.assertEqual(self.d.call("GET", f"/template/{template}").json["image"], "web")
        self.assertIn("frozen", json.loads(done.stderr.splitlines()[0])["step"])
        task = cli("task", "ls", "-q").stdout.strip()
        self.assertRegex(cli("task", "ls").stdout, f"{task[:12]}  image.warm  web +done ")
        self.assertEqual(json.loads(cli("task", "inspect", task[:8]).stdout)[0]["result"]["id"], template)
        cli("task", "wait", task)
        cli("task", "rm", task)
        self.assertIn("uigniter task ls", cli("task", "wait", task, status=3).stderr)
        cli("task", "inspect", "../vm", status=3)
        self.slow()
        task = cli("task", "ls", "-q").stdout.strip()
        cli("task", "rm", task, status=4)
        with subprocess.Popen([CLI, "-H", "unix://" + self.d.socket, "task", "wait", "--progress", "plain", task], stderr=subprocess.PIPE, text=True) as p:
            self.assertIn("an instance of slow boots", p.stderr.readline())
            self.d.call("DELETE", "/template/" + self.d.call("GET", "/template").json["items"][-1]["id"])
            self.assertIn("has been removed", p.stderr.read())
        self.assertEqual(p.returncode, 4)


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
