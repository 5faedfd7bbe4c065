# SPDX-License-Identifier: Apache-2.0
"""
Users' snapshots with real VMs: of one that runs, with open connections and timers, and goes on; what goes on from it is another instance, any number of
times, also after the manager's end; what can not be made or used is refused with a reason and leaves nothing.
"""
import json
import os
import shutil
import signal
import subprocess
import time
import unittest

from harness import BUILD, CLI, Daemon, DaemonTest, TIMEOUT_S, guest_image, main, need, wait_stopped

PROBE = os.path.join(BUILD, "tests/clone/clone-probe")
PORT = 7777


class Case(DaemonTest):
    options = {"monitor": "uvmm", "pool": 2}
    image = None

    def setUp(self):
        super().setUp()
        Case.image = Case.image or guest_image({"/bin/probe": PROBE})
        self.d.put_image("web", {"cmd": ["/bin/probe"], "ports": [PORT], "memory_mib": 64, "env": {"A": "b"}}, self.image)
        self.d.wait_pool()

    def begin(self, vm, name="one"):
        """The path of the operation."""
        answer = self.d.call("POST", f"/vm/{vm['id']}/snapshot", {"name": name})
        self.assertEqual((answer.status, answer.headers.get("location")), (202, "/operation/" + answer.json["id"]), answer)
        return answer.headers["location"]

    def end_of(self, path):
        return self.d.call("GET", f"{path}?wait={TIMEOUT_S}").json

    def make(self, vm, name="one"):
        operation = self.end_of(self.begin(vm, name))
        self.assertEqual((operation["kind"], operation["subject"], operation["state"], operation["error"]), ("vm.snapshot", name, "done", None), operation)
        snapshot = self.d.call("GET", operation["location"]).json
        self.assertEqual((operation["location"], operation["result"]), (f"/snapshot/{name}", snapshot))
        return snapshot

    def web(self, **more):
        return self.d.run("web", wait="ready", memory_mib=64, **more)

    def run_from(self, snapshot="one", status=201, **more):
        answer = self.d.call("POST", "/vm/run", {"from": snapshot, "wait": "ready", "wait_timeout_ms": TIMEOUT_S * 1000, **more})
        self.assertEqual(answer.status, status, answer)
        return answer.json

    def connect(self, vm):
        return self.d.connect_inside(vm["ip_address"], PORT)

    def ask(self, vm, line, connection=None):
        s = connection or self.connect(vm)
        s.sendall(line.encode() + b"\n")
        with s.makefile() as file:
            answer = file.readline().rstrip("\n")
        if not connection:
            s.close()
        return answer

    def cli(self, *words):
        p = subprocess.run([CLI, "-H", "unix://" + self.d.socket, *words], capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
        self.assertEqual(p.returncode, 0, (words, p.stdout, p.stderr))
        return p.stdout

    def snapshots(self):
        return self.d.call("GET", "/snapshot").json["items"]

    def folder(self, *names):
        return os.path.join(self.d.state_dir, "snapshot", *names)

    def leaves_nothing(self):
        """Neither of the table nor of the disk."""
        self.assertEqual((self.snapshots(), os.listdir(self.folder())), ([], []))

    def wait_event(self, kind, **about):
        while True:
            for event in self.d.call("GET", "/events?since=0").json["items"]:  # an exchange with the manager
                if event["type"] == kind and about.items() <= event["snapshot"].items():
                    return event


class Snapshots(Case):
    def test_by_the_command_line(self):
        self.web(name="first")
        self.assertEqual(self.cli("snapshot", "create", "first", "one"), "one\n")
        self.assertRegex(self.cli("snapshot", "ls"), "\\none +ready +first +web ")
        vm = self.cli("run", "-d", "--name", "second", "--wait=ready", "--from", "one").strip()
        self.assertEqual(self.d.call("GET", "/vm/second").json["id"], vm)
        self.assertEqual(self.ask(self.d.call("GET", "/vm/second").json, "memory"), "whole")
        self.cli("snapshot", "rm", "one")
        self.leaves_nothing()

    def test_of_a_running_one(self):
        """Its connections and what it counts go on in it; in what goes on from it they are reset, and all else is its own."""
        d = self.d
        vm = self.web(name="first")
        with self.connect(vm) as held:
            self.assertEqual(self.ask(vm, "names", held), f"first {vm['ip_address']}")
            before = int(self.ask(vm, "clocks", held).split()[1])
            one = self.make(vm)
            self.assertEqual((one["state"], one["vm"], one["image"], one["command"], one["memory_mib"]),
                             ("ready", {"id": vm["id"], "name": "first"}, "web", "/bin/probe", 64))
            self.assertRegex(one["digest"], "^sha256:[0-9a-f]{64}$")
            self.assertTrue(one["bytes"] > 1 << 20 and one["paused_ms"] > 0 and one["created_at"], one)
            self.assertEqual((d.files("state", "snapshot", "one")), ["memory", "record.json", "state"])
            self.assertEqual(self.ask(vm, "names", held), f"first {vm['ip_address']}")  # the same connection
            self.assertEqual(d.call("GET", f"/vm/{vm['id']}").json["state"], "running")
            streams = self.ask(vm, "random", held).split()
            others = [self.run_from(name=f"other-{n}", ports=[{"guest": PORT}], labels={"a": "b"}) for n in range(3)]
            self.assertTrue({"workset"} >= set(d.files("state", "snapshot", "one")) - {"memory", "record.json", "state"})
            for n, other in enumerate(others):
                self.assertEqual((other["from"], other["image"], other["cmdline"], other["memory_mib"], other["cloned"]), ("one", "web", "/bin/probe", 64, False))
                self.assertEqual(self.ask(other, "names"), f"other-{n} {other['ip_address']}")
                self.assertEqual(self.ask(other, "memory"), "whole")
                streams += self.ask(other, "random").split()
                asked = time.time_ns()
                real, mono, back = map(int, self.ask(other, "clocks").split())
                self.assertTrue(asked <= real <= time.time_ns() and mono > before and back == 0, (asked, real, mono, before, back))
                self.assertEqual([p["guest"] for p in other["ports"]], [PORT])
            self.assertEqual(len(set(streams)), len(streams))
            self.assertEqual(len({x["ip_address"] for x in [vm, *others]} | {x["mac"] for x in [vm, *others]}), 8)
            self.assertEqual(self.ask(vm, "memory", held), "whole")
        kinds = [e["type"] for e in d.call("GET", "/events?since=0").json["items"] if "snapshot" in e]
        self.assertEqual(kinds, ["snapshot.creating", "snapshot.created"])
        metrics = d.call("GET", "/metrics").body.decode()
        for line in ("uigniter_snapshots 1", f"uigniter_snapshot_bytes {one['bytes']}", "uigniter_snapshots_made_total 1", "uigniter_snapshot_runs_total 3"):
            self.assertIn("\n" + line + "\n", metrics)
        # of one that goes on from one, and of one that computes
        self.assertEqual(self.ask(others[0], "spin"), "0")
        self.make(others[0], "two")
        third = self.run_from("two")
        first = int(self.ask(third, "spins"))
        while int(self.ask(third, "spins")) <= first:
            pass
        self.assertEqual([s["name"] for s in self.snapshots()], ["one", "two"])

    def test_outlives_all(self):
        """Its instance, its image's name, the manager; and it is gone when it is removed, but not what goes on from it."""
        d = self.d
        vm = self.web()
        one = self.make(vm)
        self.assertEqual(d.call("DELETE", f"/vm/{vm['id']}?force=true").status, 204)
        self.assertEqual(d.call("DELETE", "/image/web").status, 204)
        d.call("POST", "/image/prune")
        running = self.run_from(name="running", restart={"policy": "always"})
        d.kill()
        d.start()
        self.assertEqual(self.snapshots(), [one])
        self.assertEqual(self.ask(running, "names"), f"running {running['ip_address']}")
        self.assertEqual(d.call("GET", f"/vm/{running['id']}").json["from"], "one")
        again = d.call("POST", f"/vm/{running['id']}/restart?timeout=0").json  # goes on from it again
        d.wait(running["id"], "ready")
        self.assertEqual(self.ask(again, "names"), f"running {again['ip_address']}")
        d.end()
        d.start()
        self.assertEqual(self.snapshots(), [one])
        running = self.run_from(name="last")
        self.assertEqual(d.call("DELETE", "/snapshot/one").status, 204)
        self.leaves_nothing()
        self.assertEqual(self.ask(running, "memory"), "whole")
        d.call("POST", f"/vm/{running['id']}/kill")
        answer = d.call("POST", f"/vm/{running['id']}/start")
        self.assertIn("snapshot one has been removed", self.refused(answer, 503, "start_failed")["detail"])
        self.refused(d.call("POST", "/vm/run", {"from": "one"}), 400, "not_found")

    def test_paused_and_asked_meanwhile(self):
        d = self.d
        vm = self.web()
        d.call("POST", f"/vm/{vm['id']}/pause")
        self.make(vm)
        self.assertEqual(d.call("GET", f"/vm/{vm['id']}").json["state"], "paused")
        wait_stopped(vm["pid"])
        d.call("POST", f"/vm/{vm['id']}/resume")
        self.assertEqual(self.ask(vm, "memory"), "whole")
        self.assertEqual(self.ask(self.run_from(), "memory"), "whole")
        path = self.begin(vm, "two")
        answer = d.call("POST", f"/vm/{vm['id']}/pause")  # now and then it has been copied by now
        if answer.status != 200:
            self.refused(answer, 409, "conflict")
        stopped = d.call("POST", f"/vm/{vm['id']}/stop").json  # heard by the program behind the copy, as at any other time
        self.assertEqual((stopped["state"], stopped["reason"].split(":")[0]), ("stopped", "the program was ended by signal 15"))
        self.assertEqual(self.end_of(path)["state"], "done")
        self.assertEqual(self.ask(self.run_from("two"), "memory"), "whole")

    def test_command_line(self):
        def cli(*words, status=0):
            done = subprocess.run([CLI, "-H", "unix://" + self.d.socket, *words], capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, status, (words, done.stdout, done.stderr))
            return done.stdout if status == 0 else done.stderr

        vm = self.web(name="first")
        self.assertEqual(cli("snapshot", "create", "first", "one"), "one\n")
        self.assertEqual(json.loads(cli("snapshot", "create", "first", "two", "--format", "json"))["vm"], {"id": vm["id"], "name": "first"})
        head, one, two = cli("snapshot", "ls").splitlines()
        self.assertEqual((head.split(), one.split()[:4], two.split()[:3]),
                         (["NAME", "STATE", "INSTANCE", "IMAGE", "DIGEST", "MEMORY", "SIZE", "PAUSED", "AGE"], ["one", "ready", "first", "web"],
                          ["two", "ready", "first"]))
        self.assertEqual(cli("snapshot", "ls", "-q"), "one\ntwo\n")
        self.assertEqual(cli("snapshot", "inspect", "--format", "{name} {memory_mib}", "two", "one").splitlines(), ["two 64", "one 64"])
        other = cli("run", "-d", "--from", "one", "--name", "other", "-p", str(PORT), "--wait=ready").strip()
        self.assertEqual(self.ask(self.d.call("GET", f"/vm/{other}").json, "memory"), "whole")
        self.assertEqual(cli("inspect", "--format", "{from}", "other"), "one\n")
        self.assertIn("one\n", cli("completion", "words", "--", "snapshot", "rm", "o"))
        self.assertIn("one\n", cli("completion", "words", "--", "run", "--from", ""))
        self.assertIn("there already", cli("snapshot", "create", "first", "one", status=4))
        self.assertIn("no such", cli("snapshot", "rm", "/", status=3))
        self.assertIn("snapshot ls", cli("snapshot", "inspect", "/", status=3))
        cli("snapshot", "create", "none", "x", status=3)
        self.assertIn("exclude", cli("run", "web", "--from", "one", status=2))
        self.assertIn('cannot run "none"', cli("run", "--from", "none", "-d", status=3))
        cli("snapshot", "rm", "one", "two")
        self.leaves_nothing()

    def test_refused(self):
        d = self.d
        vm = self.web()
        self.make(vm)
        again = d.call("POST", f"/vm/{vm['id']}/snapshot", {"name": "one"})
        self.refused(again, 409, "name_taken")
        for body in ({}, {"name": 1}, {"name": "../x"}, {"name": ".new-x"}, {"name": "x", "more": 1}, {"name": "x" * 64}, []):
            self.assertEqual(d.call("POST", f"/vm/{vm['id']}/snapshot", body).status, 400, body)
        self.refused(d.call("POST", "/vm/none/snapshot", {"name": "x"}), 404, "not_found")
        for path in ("none", "..%2fstate", ".new-one", "a" * 300):
            self.assertEqual(d.call("DELETE", f"/snapshot/{path}").status, 404)
        for more in ({"image_name": "web"}, {"cmdline": "/bin/probe"}, {"args": ["/bin/probe"]}, {"env": {"A": "c"}}, {"memory_mib": 64}, {"vcpus": 2},
                     {"monitor": "uvmm"}, {"kernel": "next"}, {"vsock": True}, {"trace": True}, {"volumes": [{"source": "/tmp", "target": "/d"}]}):
            self.refused(d.call("POST", "/vm/run", {"from": "one", **more}), 400, "invalid_field")
        self.refused(d.call("POST", "/vm/run", {"from": "no"}), 400, "not_found")
        self.refused(d.call("POST", "/vm/run", {"from": "/no"}), 400, "invalid_field")
        self.refused(d.call("POST", "/template", {"from": "one"}), 400, "bad_request")
        for service in ({"image": "web", "from": "one"}, {"from": "one"}):
            self.assertEqual(d.call("PUT", "/app/a", {"services": {"s": service}}).status, 400)
            self.assertEqual(d.call("PUT", "/fn/a", service).status, 400)
        for more, why in (({"vsock": True}, "vsock"), ({"trace": True}, "trace")):
            other = self.web(**more)
            self.assertIn(why, self.refused(d.call("POST", f"/vm/{other['id']}/snapshot", {"name": "x"}), 409, "conflict")["detail"])
        d.call("POST", f"/vm/{vm['id']}/kill")
        self.assertIn("is stopped", self.refused(d.call("POST", f"/vm/{vm['id']}/snapshot", {"name": "x"}), 409, "conflict")["detail"])
        self.assertEqual(os.listdir(self.folder()), ["one"])


class Broken(Case):
    """Whatever goes wrong, there is a whole snapshot or none, and the instance goes on."""

    def copy(self, name, change=None, record=None):
        """Of "one", under another name, with a file changed, or with this in the place of its record."""
        folder = self.folder(name)
        shutil.copytree(self.folder("one"), folder)
        path = os.path.join(folder, "record.json")
        with open(path, encoding="utf-8") as file:
            root = {**json.load(file), "name": name, "id": name}
        os.remove(path)
        with open(path, "w", encoding="utf-8") as file:
            file.write(record if isinstance(record, str) else json.dumps({**root, **(record or {})}))
        if change:
            os.chmod(os.path.join(folder, change[0]), 0o600)
            with open(os.path.join(folder, change[0]), "r+b") as file:
                change[1](file)

    @staticmethod
    def flip(find):
        def change(file):
            at = find(file.read())
            file.seek(at)
            byte = file.read(1)[0]
            file.seek(at)
            file.write(bytes([byte ^ 0xff]))
        return change

    def test_damaged_and_foreign(self):
        """Refused with the reason, kept, and no shell of the pool is used twice."""
        d = self.d
        self.make(self.web())
        one = d.call("GET", "/snapshot/one").json
        d.end()
        with open(self.folder("one", "record.json"), encoding="utf-8") as file:
            good = json.load(file)
        other = "sha256:" + "0" * 64
        damaged = {"state": (("state", self.flip(lambda data: len(data) // 2)), "damaged"),
                   "memory": (("memory", self.flip(lambda data: next(i for i, byte in enumerate(data) if byte))), "damaged"),
                   "short": (("memory", lambda file: file.truncate(4096)), "memory file"),
                   "empty": (("state", lambda file: file.truncate(0)), "damaged")}
        foreign = {"monitor": ({"host": {**good["host"], "monitor": other}}, "another build of the monitor"),
                   "libos": ({"host": {**good["host"], "libos": other}}, "another build of the libOS"),
                   "processor": ({"host": {**good["host"], "processor": other}}, "a processor of another model"),
                   "ipv6": ({"host": {**good["host"], "ipv6": not good["host"]["ipv6"]}}, "IPv6"),
                   "image": ({"image": {**good["image"], "path": None}}, "its image's file is gone"),
                   "named": ({"name": "two"}, "that of another"), "sized": ({"memory_mib": -1}, "record can not be read"),
                   "words": ({"argv": [1]}, "record can not be read"), "cut": ("{", "record can not be read"),
                   "deep": ("[" * 100000, "record can not be read"), "no-record": ("", "record can not be read")}
        for name, (change, _) in damaged.items():
            self.copy(name, change=change)
        for name, (record, _) in foreign.items():
            self.copy(name, record=record)
        self.copy("moved")
        os.mkdir(self.folder(".new-half"))
        os.mkdir(self.folder("Not-a-name"))
        d.start()
        self.assertEqual(d.call("GET", "/snapshot/one").json, one)
        self.assertEqual({s["name"] for s in self.snapshots()}, {"one", "moved", *damaged, *foreign})
        self.assertEqual(sorted(os.listdir(self.folder())), sorted({"one", "moved", "Not-a-name", *damaged, *foreign}))
        for name, (_, why) in damaged.items():
            answer = d.call("POST", "/vm/run", {"from": name, "wait": "started"})
            self.assertIn(why, self.refused(answer, 503, "start_failed")["detail"], name)
            self.assertEqual(d.call("GET", f"/vm/{answer.json['vm_id']}").json["state"], "failed")
            self.assertEqual(d.call("GET", f"/snapshot/{name}").json["state"], "ready")
        for name, (_, why) in foreign.items():
            s = d.call("GET", f"/snapshot/{name}").json
            self.assertEqual(s["state"], "unusable", s)
            self.assertIn(why, s["reason"])
            self.assertIn(why, self.refused(d.call("POST", "/vm/run", {"from": name}), 409, "conflict")["detail"])
            self.assertEqual(d.call("DELETE", f"/snapshot/{name}").status, 204)
        d.wait_pool()
        for name in ("one", "moved"):
            self.assertEqual(self.ask(self.run_from(name), "memory"), "whole")

    def test_disk_is_full(self):
        d = self.d
        d.end()
        os.makedirs(self.folder(), exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1M", "none", self.folder()], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", self.folder()], check=False)
        d.start()
        vm = self.web()
        operation = self.end_of(self.begin(vm))
        self.assertEqual((operation["state"], operation["error"]["status"], operation["error"]["code"]), ("failed", 507, "disk_full"), operation)
        self.assertIn("No space left", operation["error"]["detail"])
        self.leaves_nothing()
        self.assertEqual(self.ask(vm, "memory"), "whole")
        subprocess.run(["mount", "-o", "remount,size=100M", self.folder()], check=True)
        self.make(vm)
        d.call("DELETE", "/snapshot/one")
        d.end()

    def test_killed_meanwhile(self):
        """The VM, the process that sees to the disk, the manager."""
        d = self.d
        vm = self.web()
        path = self.begin(vm)
        os.kill(vm["pid"], signal.SIGKILL)
        operation = self.end_of(path)  # it may have been copied before
        self.assertIn((operation["state"], (operation["error"] or {}).get("code")), {("failed", "snapshot_failed"), ("done", None)}, operation)
        if operation["state"] == "failed":
            self.leaves_nothing()
        else:
            d.call("DELETE", "/snapshot/one")
        vm = self.web()
        killed = 0
        while killed < 3:
            path = self.begin(vm)
            d.kill()
            d.start()
            operation = self.end_of(path)
            if there := self.snapshots():  # now and then it is whole before the manager can be killed
                self.assertEqual([s["state"] for s in there], ["ready"], there)
                d.call("DELETE", "/snapshot/one")
                continue
            killed += 1
            self.assertEqual((operation["state"], operation["error"]["code"]), ("failed", "manager_ended"), operation)
            self.leaves_nothing()
            self.assertEqual(d.call("GET", f"/vm/{vm['id']}").json["state"], "running")
            self.assertEqual(self.ask(vm, "memory"), "whole")  # it goes on
        self.make(vm)

    def test_ended_meanwhile(self):
        """The manager ends: the snapshot is whole, or not there."""
        vm = self.web()
        self.begin(vm)
        self.d.end()
        left = os.listdir(self.folder()) if os.path.exists(self.folder()) else []
        self.assertIn(left, ([], ["one"]))
        self.d.start()
        self.assertEqual([(s["name"], s["state"]) for s in self.snapshots()], [(n, "ready") for n in left])


class Limits(Case):
    options = {"monitor": "uvmm", "pool": 0, "subnet": "10.77.0.0/29"}  # 5 addresses

    def test_addresses(self):
        d = self.d
        vm = self.web()
        self.make(vm)
        while True:
            answer = d.call("POST", "/vm/run", {"from": "one", "wait": "ready"})
            if answer.status != 201:
                break
        self.refused(answer, 503, "addresses_exhausted")
        self.assertIn("retry-after", answer.headers)
        vms = d.call("GET", "/vm").json["items"]
        self.assertEqual([v["state"] for v in vms], ["running"] * len(vms))
        for v in vms:
            self.assertEqual(self.ask(v, "memory"), "whole")
        d.call("DELETE", f"/vm/{vms[-1]['id']}?force=true")
        while (answer := d.call("POST", "/vm/run", {"from": "one", "wait": "ready"})).status == 503:
            pass  # an exchange with the manager: the address rests until the process is gone
        self.assertEqual(answer.status, 201)


class Quota(Case):
    def setUp(self):
        self.d = Daemon("--snapshot-limit", "80", monitor="uvmm", pool=1)
        self.addCleanup(self.d.clean)
        Case.image = Case.image or guest_image({"/bin/probe": PROBE})
        self.d.put_image("web", {"cmd": ["/bin/probe"], "ports": [PORT], "memory_mib": 64}, self.image)

    def test_limit(self):
        vm = self.web()
        made = 0
        while True:
            answer = self.d.call("POST", f"/vm/{vm['id']}/snapshot", {"name": f"n{made}"})
            if answer.status != 202:
                break
            self.assertEqual(self.end_of(answer.headers["location"])["state"], "done")
            made += 1
        self.assertIn("--snapshot-limit", self.refused(answer, 507, "disk_full")["detail"])
        self.assertGreater(made, 0)
        self.assertLessEqual(sum(s["bytes"] for s in self.snapshots()), 80 << 20)
        self.d.call("DELETE", "/snapshot/n0")
        for n in range(1, made):
            self.d.call("DELETE", f"/snapshot/n{n}")
        self.make(vm)


if __name__ == "__main__":
    need("uvmm")
    main()
