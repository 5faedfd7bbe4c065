# SPDX-License-Identifier: Apache-2.0
"""The life of VMs, with the process monitor: run, look, wait, logs, stop, kill, remove."""
import os
import socket

from harness import Background, DaemonTest, main, need


class Run(DaemonTest):
    def test_run_to_the_end(self):
        self.d.put_shell("hello", "echo one; echo two; echo three; exit 3")
        vm = self.d.run("hello", name="first", labels={"tier": "front"}, wait="none")
        self.assertEqual((vm["name"], vm["image"], vm["monitor"]), ("first", "hello", "process"))
        ended = self.d.wait(vm["id"])
        self.assertEqual((ended["state"], ended["exit_code"]), ("stopped", 3))
        self.assertEqual(self.d.call("GET", "/vm/first/logs").body, b"one\ntwo\nthree\n")
        self.assertEqual(self.d.call("GET", "/vm/first/logs?tail=2").body, b"two\nthree\n")
        self.assertEqual(self.d.call("GET", "/vm/first/logs?tail=0").body, b"")
        shown = self.d.call("GET", "/vm/first").json
        self.assertEqual((shown["state"], shown["pid"], shown["ready"]), ("stopped", None, False))
        self.assertIn("status 3", shown["reason"])
        self.assertEqual(self.d.call("DELETE", "/vm/first").status, 204)
        self.refused(self.d.call("GET", "/vm/first"), 404, "not_found")

    def test_the_original_routes(self):
        self.d.put_shell("hello", "exec sleep 1000")
        answer = self.d.call("POST", "/vm/run", {"Image_Name": "hello", "CMDLINE": "", "unheard_of": {"x": 1}, "read_only": True})
        self.assertEqual(answer.status, 201, answer)
        self.assertEqual(list(answer.json)[:2], ["id", "ip_address"])
        self.assertEqual(answer.headers["location"], "/vm/" + answer.json["id"])
        self.assertEqual(self.d.call("POST", "/vm/create", {"image_name": "hello"}).status, 201)
        stopped = self.d.call("POST", f"/vm/{answer.json['id']}/stop?timeout=60")
        self.assertEqual((stopped.status, stopped.json["state"], stopped.json["exit_code"]), (201, "stopped", 143))
        again = self.d.call("POST", f"/vm/{answer.json['id']}/stop")
        self.assertEqual((again.status, again.json["state"]), (201, "stopped"))
        self.refused(self.d.call("POST", "/vm/nothing/stop"), 404, "not_found")

    def test_ids_prefixes_names(self):
        self.d.put_shell("hello", "exec sleep 1000")
        vm = self.d.run("hello", name="it")
        for key in (vm["id"], vm["id"][:4], vm["id"][:13], "it"):
            self.assertEqual(self.d.call("GET", f"/vm/{key}").json["id"], vm["id"])
        self.refused(self.d.call("GET", f"/vm/{vm['id'][:3]}"), 404, "not_found")
        self.refused(self.d.call("POST", "/vm/run", {"image_name": "hello", "name": "it"}), 409, "name_taken")
        self.refused(self.d.call("DELETE", "/vm/it"), 409, "conflict")
        self.assertEqual(self.d.call("DELETE", "/vm/it?force=true").status, 204)
        self.assertEqual(self.d.run("hello", name="it")["name"], "it")

    def test_ready_and_reachable(self):
        self.d.put_server()
        vm = self.d.run("server", wait="ready")
        self.assertTrue(vm["ready"])
        self.assertGreaterEqual(vm["ready_ms"], vm["start_ms"])
        self.assertEqual(self.d.call("GET", f"/vm/{vm['id']}/wait?state=ready").json["reached"], True)
        stats = self.d.call("GET", f"/vm/{vm['id']}/stats").json
        self.assertEqual(stats["pid"], vm["pid"])
        self.assertGreater(stats["rss_bytes"], stats["private_bytes"])
        self.assertGreater(stats["private_bytes"], 0)
        stopped = self.d.call("POST", f"/vm/{vm['id']}/stop?timeout=60").json
        self.assertEqual((stopped["state"], stopped["exit_code"]), ("stopped", 7))
        self.assertIn(b"told to end", self.d.call("GET", f"/vm/{vm['id']}/logs").body)
        self.refused(self.d.call("GET", f"/vm/{vm['id']}/stats"), 409, "conflict")

    def test_not_ready(self):
        self.d.put_image("deaf", {"cmd": ["sleep", "1000"], "ports": [80], "process": {"program": "/bin/sleep"}})
        answer = self.d.call("POST", "/vm/run", {"image_name": "deaf", "name": "d", "wait": "ready", "wait_timeout_ms": 50})
        self.refused(answer, 504, "not_ready")
        while (state := self.d.call("GET", "/vm/d").json["state"]) != "running":  # it goes on, however far it came in that time
            self.assertIn(state, ("created", "starting"))
        self.d.put_image("short", {"cmd": ["true"], "ports": [80], "process": {"program": "/bin/true"}})
        answer = self.d.call("POST", "/vm/run", {"image_name": "short", "wait": "ready"})
        self.assertIn("ended before", self.refused(answer, 503, "start_failed")["detail"])

    def test_environment_arguments_and_folder(self):
        self.d.put_image("show", {"cmd": ["sh", "-c", "exit 1"], "env": {"A": "image", "B": "image"},
                                  "process": {"program": "/bin/sh"}})
        script = 'printf "%s\\n" "$A|$B|$C|$HOSTNAME|$0|$1"; id -u; pwd; touch mine && echo wrote'
        vm = self.d.run("show", name="env", env={"B": "two words", "C": 'q"uo\\te'}, args=["sh", "-c", script, "zero", "a b"])
        self.d.wait(vm["id"])
        lines = self.d.call("GET", "/vm/env/logs").body.decode().splitlines()
        self.assertEqual(lines[0], 'image|two words|q"uo\\te|env|zero|a b')
        self.assertNotEqual(lines[1], "0")
        self.assertTrue(lines[2].endswith(f"/vm/{vm['id']}/work"))
        self.assertEqual(lines[3], "wrote")
        line = self.d.run("show", cmdline='sh -c "echo \\"a  b\\""')
        self.d.wait(line["id"])
        self.assertEqual(self.d.call("GET", f"/vm/{line['id']}/logs").body, b"a  b\n")

    def test_each_has_an_address_of_its_own(self):
        self.d.put_server()
        one, two = self.d.run("server", wait="ready"), self.d.run("server", wait="ready")
        self.assertNotEqual(one["ip_address"], two["ip_address"])
        fixed = self.d.run("server", ip_address="10.77.0.200", wait="ready")
        self.assertEqual((fixed["ip_address"], fixed["from_pool"]), ("10.77.0.200", False))
        answer = self.d.call("POST", "/vm/run", {"image_name": "server", "ip_address": "10.77.0.200"})
        self.refused(answer, 409, "conflict")
        answer = self.d.call("POST", "/vm/run", {"image_name": "server", "ip_address": "10.78.0.200"})
        self.refused(answer, 400, "bad_request")

    def test_kill_and_crash(self):
        self.d.put_shell("stubborn", "trap '' TERM; echo ready; exec sleep 1000")
        vm = self.d.run("stubborn", name="s")
        killed = self.d.call("POST", "/vm/s/kill")
        self.assertEqual((killed.status, killed.json["state"], killed.json["exit_code"]), (200, "stopped", 137))
        vm = self.d.run("stubborn", name="t")
        self.d.first_line("t")
        stopped = self.d.call("POST", "/vm/t/stop?timeout=0.05").json
        self.assertEqual((stopped["state"], stopped["exit_code"]), ("stopped", 137))
        self.assertIn("did not end in the time", stopped["reason"])
        vm = self.d.run("stubborn", name="u")
        os.kill(vm["pid"], 9)
        crashed = self.d.wait(vm["id"])
        self.assertEqual((crashed["state"], crashed["exit_code"]), ("crashed", 137))
        self.assertIn("signal 9", crashed["reason"])

    def test_no_such_program(self):
        self.d.put_image("none", {"process": {"program": "/nonexistent/program"}})
        answer = self.d.call("POST", "/vm/run", {"image_name": "none", "name": "n"})
        self.assertIn("/nonexistent/program", self.refused(answer, 503, "start_failed")["detail"])
        shown = self.d.call("GET", "/vm/n").json
        self.assertEqual((shown["state"], shown["exit_code"]), ("failed", 127))
        self.d.put_image("data", {"process": {"program": "/etc/passwd"}})
        self.refused(self.d.call("POST", "/vm/run", {"image_name": "data", "name": "m"}), 503, "start_failed")
        self.assertEqual(self.d.call("GET", "/vm/m").json["exit_code"], 126)

    def test_auto_remove(self):
        self.d.put_shell("hello", "exit 0")
        self.d.put_shell("long", "exec sleep 1000")
        vm = self.d.run("long", name="gone", auto_remove=True)
        self.assertEqual(self.d.call("POST", "/vm/gone/kill").json["state"], "stopped")
        self.refused(self.d.call("GET", f"/vm/{vm['id']}"), 404, "not_found")
        self.assertEqual(self.d.files("state", "vm"), [])

    def test_list(self):
        self.d.put_shell("a", "exec sleep 1000")
        self.d.put_shell("b", "exec sleep 1000")
        ids = [self.d.run(image, labels={"n": str(n)})["id"] for n, image in enumerate("aab")]
        self.d.call("POST", f"/vm/{ids[0]}/kill")

        def listed(query=""):
            return [vm["id"] for vm in self.d.call("GET", "/vm" + query).json["items"]]
        self.assertEqual(listed(), ids)
        self.assertEqual(listed("?state=running"), ids[1:])
        self.assertEqual(listed("?image=a"), ids[:2])
        self.assertEqual(listed("?image=a:latest"), ids[:2])
        self.assertEqual(listed("?image=a:other"), [])
        self.assertEqual(listed("?label=n%3D2"), ids[2:])
        self.assertEqual(listed("?label=m"), [])
        page = self.d.call("GET", "/vm?limit=2").json
        self.assertEqual([vm["id"] for vm in page["items"]], ids[:2])
        page = self.d.call("GET", "/vm?limit=2&cursor=" + page["next_cursor"]).json
        self.assertEqual(([vm["id"] for vm in page["items"]], page["next_cursor"]), (ids[2:], None))
        # the last one of a page goes in between: nothing comes twice
        cursor = self.d.call("GET", "/vm?limit=1").json["next_cursor"]
        self.assertEqual(self.d.call("DELETE", f"/vm/{ids[0]}").status, 204)
        self.assertEqual(listed("?limit=1&cursor=" + cursor), ids[1:2])
        for bad in ("", "x", ids[1], "0." + ids[1], "12.x", "99999999999999999999." + ids[1] + "x"):
            self.refused(self.d.call("GET", "/vm?cursor=" + bad), 400, "invalid_field")

    def test_wait_ends_without_error(self):
        self.d.put_shell("long", "exec sleep 1000")
        vm = self.d.run("long")
        answer = self.d.call("GET", f"/vm/{vm['id']}/wait?timeout=0.02").json
        self.assertEqual((answer["reached"], answer["state"]), (False, "running"))
        waiting = Background(self.d.wait, vm["id"], "stopped")
        self.d.call("POST", f"/vm/{vm['id']}/kill")
        self.assertEqual(waiting.result()["exit_code"], 137)
        self.assertEqual(self.d.call("GET", f"/vm/{vm['id']}/wait?state=crashed").json["reached"], False)

    def test_follow(self):
        self.d.put_image("talk", {"cmd": ["python3", "-u", "-c", TALK, "8000"], "ports": [8000],
                                  "process": {"program": "/usr/bin/python3"}})
        vm = self.d.run("talk", wait="ready", ports=[{"guest": 8000}])
        connection = self.d.connection()
        connection.request("GET", f"/vm/{vm['id']}/logs?follow=true")
        response = connection.getresponse()
        self.assertEqual(response.getheader("Transfer-Encoding"), "chunked")
        speaker = socket.create_connection(("127.0.0.1", vm["ports"][0]["host"]))
        self.assertEqual(response.readline(), b"begin\n")
        for n in range(3):
            speaker.sendall(b"line %d\n" % n)
            self.assertEqual(response.readline(), b"line %d\n" % n)
        speaker.close()
        self.assertEqual(response.read(), b"end\n")
        self.assertEqual(self.d.call("GET", f"/vm/{vm['id']}/logs?follow=true").body, b"begin\nline 0\nline 1\nline 2\nend\n")

    def test_followers_that_go_away(self):
        self.d.put_server()
        vm = self.d.run("server", wait="ready")
        for path in ("logs?follow=true", "wait?timeout=60"):
            for _ in range(20):
                connection = self.d.connection()
                connection.request("GET", f"/vm/{vm['id']}/{path}")
                if path.startswith("logs"):
                    connection.getresponse()
                connection.close()
        self.assertEqual(self.d.call("POST", f"/vm/{vm['id']}/kill").status, 200)

    def test_console_is_bounded(self):
        self.d.put_image("flood", {"cmd": ["python3", "-c", FLOOD], "process": {"program": "/usr/bin/python3"}})
        vm = self.d.run("flood", wait="none")
        self.d.wait(vm["id"])
        folder = os.path.join(self.d.state_dir, "vm", vm["id"])
        sizes = [os.path.getsize(os.path.join(folder, f)) for f in os.listdir(folder) if f.startswith("console.log")]
        self.assertEqual(len(sizes), 2)
        self.assertLessEqual(max(sizes), 4 << 20)
        self.assertTrue(self.d.call("GET", f"/vm/{vm['id']}/logs?tail=1").body.endswith(b"last\n"))


TALK = """
import socket, sys
print("begin", flush=True)
s = socket.create_server(("0.0.0.0", 8000))
while True:
    lines = s.accept()[0].makefile()
    first = lines.readline()
    if first:
        break
print(first, end="", flush=True)
for line in lines:
    print(line, end="", flush=True)
print("end", flush=True)
"""
FLOOD = """
import sys
for n in range(12 * 1024):
    sys.stdout.write("x" * 1023 + "\\n")
print("last")
"""

class Idempotency(DaemonTest):
    def ask(self, key, **fields):
        return self.d.call("POST", "/vm/run", {"image_name": "long", **fields}, {"Idempotency-Key": key})

    def test_once_for_each_key(self):
        self.d.put_shell("long", "exec sleep 1000")
        first = self.ask("k1", name="x")
        again = self.ask("k1", name="x")
        self.assertEqual((first.status, again.status), (201, 201))
        self.assertEqual(again.json["id"], first.json["id"])
        self.assertEqual((first.headers.get("idempotency-replayed"), again.headers.get("idempotency-replayed")), (None, "true"))
        self.refused(self.ask("k1", name="y"), 409, "idempotency_conflict")
        self.assertNotEqual(self.ask("k2").json["id"], first.json["id"])
        self.d.kill()
        self.d.start()
        self.assertEqual(self.ask("k1", name="x").json["id"], first.json["id"])
        self.d.call("DELETE", "/vm/x?force=true")
        self.assertNotEqual(self.ask("k1", name="x").json["id"], first.json["id"])

    def test_bad_keys(self):
        self.d.put_shell("long", "exec sleep 1000")
        for key in ("", "k" * 129):
            self.refused(self.ask(key), 400, "bad_request")
        self.assertEqual(self.ask("k" * 128).status, 201)


if __name__ == "__main__":
    need()
    main()
