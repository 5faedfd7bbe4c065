# SPDX-License-Identifier: Apache-2.0
"""Starting again: by request, by policy; time to live; pause and resume; and all of it under the next daemon."""
import json
import os
import select
import socket

from harness import DaemonTest, main, need, PYTHON, SERVER, TIMEOUT_S, wait_stopped


class Again(DaemonTest):
    def get(self, vm):
        return self.d.call("GET", f"/vm/{vm}").json

    def post(self, vm, action):
        return self.d.call("POST", f"/vm/{vm}/{action}")

    def count(self, vm, text):
        return self.d.call("GET", f"/vm/{vm}/logs").body.count(text)

    def until(self, vm, what):
        """Each look is an exchange with the daemon."""
        while True:
            now = self.get(vm)
            if what(now):
                return now

    def test_removed_while_it_is_restarted(self):
        self.d.put_shell("stubborn", "trap '' TERM; echo here; exec sleep 1000")
        vm = self.d.run("stubborn", wait="started")["id"]
        self.until(vm, lambda _: self.count(vm, b"here") == 1)
        restart = self.d.connection()
        restart.request("POST", f"/vm/{vm}/restart?timeout=600", headers={"Content-Type": "application/json"})
        self.until(vm, lambda now: now["state"] == "stopping")
        self.assertEqual(self.d.call("DELETE", f"/vm/{vm}?force=true").status, 204)
        answer = restart.getresponse()
        self.assertIn((answer.status, json.loads(answer.read())["code"]), [(409, "conflict"), (404, "not_found")])
        restart.close()
        self.assertEqual(self.d.call("GET", f"/vm/{vm}").status, 404)

    def test_several_wait_for_its_end(self):
        """Each hears of it, though the first who does starts it again."""
        self.d.put_shell("stubborn", "trap '' TERM; echo here; exec sleep 1000")
        vm = self.d.run("stubborn", name="x", wait="started")
        self.until("x", lambda _: self.count("x", b"here") == 1)
        asked = []
        for method, path in (("POST", "stop?timeout=600"), ("POST", "restart?timeout=600"), ("GET", f"wait?state=ended&timeout={TIMEOUT_S}"),
                             ("POST", "restart?timeout=600"), ("POST", "restart?timeout=600")):
            asked.append(self.d.connection())
            asked[-1].request(method, f"/vm/x/{path}", headers={"Content-Type": "application/json"})
            self.d.call("GET", "/healthz")  # an exchange with the manager, which has read it
        os.kill(vm["pid"], 9)
        answers = [connection.getresponse() for connection in asked]
        bodies = [json.loads(answer.read()) for answer in answers]
        for connection in asked:
            connection.close()
        self.assertEqual([answer.status for answer in answers], [201, 200, 200, 200, 200], bodies)
        self.assertEqual((bodies[2]["reached"], {bodies[n]["state"] for n in (1, 3, 4)}), (True, {"running"}), bodies)
        self.assertEqual(self.get("x")["state"], "running")
        self.until("x", lambda _: self.count("x", b"here") == 2)

    def test_start_again(self):
        self.d.put_shell("once", "echo run $WHAT; exit 3")
        self.d.run("once", name="x", wait="none", env={"WHAT": "with its environment"})
        self.d.wait("x")
        answer = self.post("x", "start")
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual(self.d.wait("x")["exit_code"], 3)
        self.until("x", lambda vm: self.count("x", b"run with its environment\n") == 2)
        self.assertEqual(self.get("x")["restarts"], 0)

    def test_start_of_one_that_runs(self):
        self.d.put_shell("long", "exec sleep 1000")
        self.d.run("long", name="x")
        self.refused(self.post("x", "start"), 409, "conflict")

    def test_restart(self):
        self.d.put_server()
        before = self.d.run("server", name="x", wait="ready", ports=[{"guest": 8000}])
        answer = self.post("x", "restart")
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual(self.d.call("GET", f"/vm/x/wait?state=ready&timeout={TIMEOUT_S}").json["reached"], True)
        after = self.get("x")
        self.assertNotEqual(after["pid"], before["pid"])
        self.assertEqual((after["id"], after["ports"]), (before["id"], before["ports"]))
        with socket.create_connection(("127.0.0.1", after["ports"][0]["host"]), timeout=TIMEOUT_S) as s:
            s.sendall(b"x")
            self.assertEqual(s.recv(1), b"x")
        self.assertEqual(self.count("x", b"told to end"), 1)

    def test_policy_on_failure(self):
        self.d.put_shell("fails", "exit 3")
        self.d.put_shell("works", "exit 0")
        self.d.run("fails", name="x", wait="none", restart={"policy": "on-failure", "max_retries": 2})
        self.d.run("works", name="y", wait="none", restart="on-failure")
        self.until("x", lambda vm: vm["restarts"] == 2 and vm["state"] == "stopped")
        self.assertEqual((self.get("x")["restart_pending"], self.get("x")["exit_code"]), (False, 3))
        self.assertEqual((self.get("y")["restarts"], self.get("y")["restart_pending"]), (0, False))

    def test_policy_always_until_it_is_stopped(self):
        self.d.put_shell("short", "exit 0")
        self.d.run("short", name="x", wait="none", restart="always")
        self.until("x", lambda vm: vm["restarts"] >= 1)
        self.assertEqual(self.post("x", "stop").status, 201)
        stopped = self.get("x")
        self.assertEqual((stopped["state"], stopped["restart_pending"]), ("stopped", False))

    def test_a_killed_process_is_started_again(self):
        self.d.put_server()
        before = self.d.run("server", name="x", wait="ready", restart="on-failure")
        os.kill(before["pid"], 9)
        self.until("x", lambda vm: vm["restarts"] == 1 and vm["ready"])
        self.assertEqual(self.post("x", "kill").status, 200)
        self.assertEqual((self.get("x")["state"], self.get("x")["restart_pending"]), ("stopped", False))

    def ask_to_wait(self, vm, state):
        connection = self.d.connection()
        connection.request("GET", f"/vm/{vm}/wait?state={state}&timeout={TIMEOUT_S}")
        return connection

    def waited(self, connection):
        answer = json.loads(connection.getresponse().read())
        connection.close()
        return answer["reached"], answer["state"]

    def test_wait_over_restarts(self):
        gate = os.path.join(self.d.folder, "gate")
        self.d.put_image("gated", {"cmd": ["sh", "-c", f'test -e "{gate}" || exit 3; exec {PYTHON} -c "$0" 8000', SERVER], "ports": [8000],
                                   "process": {"program": "/bin/sh"}})
        self.d.run("gated", name="x", wait="none", restart="on-failure")
        seen = self.until("x", lambda vm: vm["restart_pending"])["restarts"]
        ready = self.ask_to_wait("x", "ready")
        self.until("x", lambda vm: vm["restarts"] >= seen + 2)  # it has ended meanwhile
        with open(gate, "w", encoding="ascii"):
            self.assertEqual(self.waited(ready), (True, "running"))

    def test_wait_until_nobody_starts_it(self):
        self.d.put_image("fails", {"cmd": ["sh", "-c", "exit 3"], "ports": [8000], "process": {"program": "/bin/sh"}})  # is never ready
        for method, path in (("POST", "/vm/x/kill"), ("POST", "/vm/x/stop"), ("DELETE", "/vm/x")):
            self.d.run("fails", name="x", wait="none", restart="always")
            waits = [self.ask_to_wait("x", "ready") for _ in range(2)]
            while True:  # it may have begun again just now
                self.until("x", lambda vm: vm["restart_pending"])
                answer = self.d.call(method, path)
                if answer.status != 409:
                    break
            self.assertIn(answer.status, (200, 201, 204), answer)
            self.assertEqual([self.waited(w) for w in waits], [(False, "stopped")] * 2)
            self.d.call("DELETE", "/vm/x")

    def test_a_first_start_that_fails_stays_failed(self):
        self.d.put_image("none", {"cmd": ["x"], "process": {"program": "/nonexistent"}})
        answer = self.d.call("POST", "/vm/run", {"image_name": "none", "restart": "always"})
        self.assertEqual(answer.status, 503)
        vm = self.get(answer.json["vm_id"])
        self.assertEqual((vm["state"], vm["restart_pending"]), ("failed", False))

    def test_refusals(self):
        self.d.put_shell("long", "exec sleep 1000")
        for fields in ({"restart": "sometimes"}, {"restart": {"policy": 1}}, {"restart": {"policy": "always", "more": 1}},
                       {"restart": {"policy": "always", "max_retries": -1}}, {"restart": "always", "auto_remove": True},
                       {"ttl_s": 0}, {"ttl_s": "1"}, {"ttl_s": 1e9}):
            answer = self.d.call("POST", "/vm/run", {"image_name": "long", **fields})
            self.refused(answer, 400, "invalid_field")
        for action in ("start", "restart", "pause", "resume"):
            self.refused(self.post("nobody", action), 404, "not_found")

    def test_time_to_live(self):
        self.d.put_shell("long", "exec sleep 1000")
        vm = self.d.run("long", ttl_s=1)["id"]
        self.d.wait(vm)
        ended = self.get(vm)
        self.assertEqual((ended["state"], ended["reason"]), ("stopped", "its time to live of 1 s is over"))

    def test_pause_and_resume(self):
        self.d.put_server()
        vm = self.d.run("server", name="x", wait="ready", ports=[{"guest": 8000}])
        with socket.create_connection(("127.0.0.1", vm["ports"][0]["host"]), timeout=TIMEOUT_S) as s:
            for _ in range(2):  # nothing happens the second time
                self.assertEqual(self.post("x", "pause").json["state"], "paused")
            wait_stopped(vm["pid"])
            s.sendall(b"x")
            self.assertEqual(select.select([s], [], [], 0)[0], [])
            self.refused(self.post("x", "start"), 409, "conflict")
            for _ in range(2):
                self.assertEqual(self.post("x", "resume").json["state"], "running")
            self.assertEqual(s.recv(1), b"x")
        self.post("x", "pause")
        stopped = self.post("x", "stop").json
        self.assertEqual((stopped["state"], stopped["exit_code"]), ("stopped", 7))
        self.refused(self.post("x", "pause"), 409, "conflict")
        self.refused(self.post("x", "resume"), 409, "conflict")

    def test_under_the_next_daemon(self):
        self.d.put_server()
        self.d.put_shell("fails", "exit 3")
        paused = self.d.run("server", name="paused", wait="ready")
        self.d.run("fails", name="fails", wait="none", restart="always")
        mortal = self.d.run("server", name="mortal", wait="none", ttl_s=2)  # which may be over before it is ready
        killed = self.d.run("server", name="killed", wait="ready", restart="on-failure", env={"A": "b"})
        self.post("paused", "pause")
        self.until("fails", lambda vm: vm["restarts"] >= 1)
        self.d.kill()
        os.kill(killed["pid"], 9)
        self.d.start()
        self.assertEqual((self.get("paused")["state"], self.get("paused")["pid"]), ("paused", paused["pid"]))
        self.assertEqual(self.post("paused", "resume").json["state"], "running")
        before = self.get("fails")["restarts"]
        self.until("fails", lambda vm: vm["restarts"] > before)
        self.until("killed", lambda vm: vm["ready"] and vm["restarts"] == 1)
        self.d.wait("mortal")
        self.assertIn("time to live", self.get("mortal")["reason"])
        self.assertEqual(self.get("mortal")["id"], mortal["id"])
        self.d.end()


if __name__ == "__main__":
    need()
    main()
