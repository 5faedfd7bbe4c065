# SPDX-License-Identifier: Apache-2.0
"""Health checks: what is well, what is not, and what becomes of it."""
import json
import os

from harness import TIMEOUT_S, Daemon, DaemonTest, main, need

# Answers with the status in the file; "deaf" takes connections and says nothing.
SERVER = """
import os, socket, sys
folder, port = sys.argv[1], int(sys.argv[2])
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("0.0.0.0", port))
s.listen(64)
kept = []
while True:
    c, _ = s.accept()
    request = b""
    while b"\\r\\n\\r\\n" not in request and (piece := c.recv(4096)):
        request += piece  # whole: what is unread at close() is answered by a reset
    line = request.split(b"\\r\\n")[0]
    with open(folder) as f:
        status = f.read()
    if status == "deaf":
        kept.append(c)
        continue
    if line:
        c.sendall(b"HTTP/1.1 " + status.encode() + b" x\\r\\nContent-Length: 0\\r\\n\\r\\n")
    c.close()
"""


class Health(DaemonTest):
    def setUp(self):
        super().setUp()
        self.d.put_image("web", {"cmd": ["python3", "-c", SERVER, f"{self.d.folder}/status", "8000"], "ports": [8000],
                                 "process": {"program": "/usr/bin/python3"}})
        self.say("200")
        self.d.wait_pool()

    def say(self, status):
        with open(f"{self.d.folder}/status.new", "w", encoding="ascii") as f:
            f.write(status)
        os.rename(f.name, f"{self.d.folder}/status")  # which is never read half written

    def http(self, **more):
        """It may take as long to begin as it likes."""
        return {"http": {"port": 8000, "path": "/healthz"}, "interval_ms": 100, "timeout_ms": 60000, "retries": 2,
                "start_period_ms": 3600000, **more}

    def until(self, kind, since=0):
        """Hears events until one of that type comes; the number of it."""
        connection = self.d.connection()
        connection.request("GET", f"/events?since={since}", headers={"Accept": "text/event-stream"})
        response = connection.getresponse()
        try:
            for line in response:
                if line.startswith(b"data: "):
                    event = json.loads(line[6:])
                    if event.get("type") == kind:
                        return event["id"]
        finally:
            connection.close()
        self.fail(f"no {kind}")

    def state(self, vm):
        return self.d.call("GET", f"/vm/{vm}").json["health"]

    def test_told_only(self):
        vm = self.d.run("web", wait="ready", health=self.http())["id"]
        at = self.until("vm.healthy")
        self.assertEqual(self.state(vm)["state"], "healthy")
        self.say("500")
        at = self.until("vm.unhealthy", at)
        health = self.state(vm)
        self.assertEqual((health["state"], health["failure"]), ("unhealthy", "GET /healthz: status 500"))
        self.assertEqual(health["check"]["http"], {"port": 8000, "path": "/healthz"})
        self.say("302")
        self.until("vm.healthy", at)
        self.assertEqual(self.d.call("GET", f"/vm/{vm}").json["state"], "running")

    def test_tcp(self):
        vm = self.d.run("web", health={"tcp": 8000, "interval_ms": 100, "start_period_ms": 3600000})["id"]
        self.until("vm.healthy")
        other = self.d.run("web", health={"tcp": 9, "interval_ms": 100, "retries": 1})["id"]
        self.until("vm.unhealthy")
        self.assertEqual([self.state(i)["state"] for i in (vm, other)], ["healthy", "unhealthy"])
        self.assertIn("port 9: cannot connect", self.state(other)["failure"])

    def test_restarted_by_its_policy(self):
        vm = self.d.run("web", wait="ready", health=self.http(), restart={"policy": "on-failure"})["id"]
        at = self.until("vm.healthy")
        self.say("503")
        at = self.until("vm.crashed", at)
        self.say("200")
        self.until("vm.healthy", at)
        event = next(e for e in self.d.call("GET", "/events").json["items"] if e["id"] == at)
        self.assertEqual(event["vm"]["reason"], "unhealthy: GET /healthz: status 503")
        self.assertGreaterEqual(self.d.call("GET", f"/vm/{vm}").json["restarts"], 1)

    def test_silence_is_a_failure(self):
        self.say("deaf")
        self.d.run("web", health=self.http(timeout_ms=10, retries=1, start_period_ms=0))
        self.until("vm.unhealthy")

    def test_paused(self):
        """What is held can not answer, and need not: what was said last stands."""
        vm = self.d.run("web", wait="ready", health=self.http(), restart="always")["id"]
        at = self.until("vm.healthy")
        self.d.call("POST", f"/vm/{vm}/pause")
        self.assertEqual(self.state(vm)["state"], "healthy")
        self.d.call("POST", f"/vm/{vm}/resume")
        self.until("vm.healthy", at)

    def test_paused_unhealthy(self):
        vm = self.d.run("web", wait="ready", health=self.http())["id"]
        at = self.until("vm.healthy")
        self.say("500")
        at = self.until("vm.unhealthy", at)
        said = self.state(vm)
        self.d.call("POST", f"/vm/{vm}/pause")
        self.assertEqual(self.state(vm), said)
        self.say("200")
        self.d.call("POST", f"/vm/{vm}/resume")
        self.until("vm.healthy", at)

    def test_the_next_manager_goes_on(self):
        vm = self.d.run("web", wait="ready", health=self.http(), restart="always")["id"]
        self.until("vm.healthy")
        first = self.d
        first.kill()
        self.d = Daemon(folder=first.folder, netns=first.netns)
        self.addCleanup(self.d.clean)
        at = self.until("vm.healthy")
        self.say("500")
        self.until("vm.crashed", at)
        self.say("200")
        self.assertEqual(self.d.call("GET", f"/vm/{vm}").json["health"]["check"]["retries"], 2)

    def test_of_a_service(self):
        service = {"image": "web", "health": self.http()}
        self.assertEqual(self.d.call("PUT", "/app/shop", {"services": {"web": service}}).status, 201)
        at = self.until("vm.healthy")
        self.say("500")
        at = self.until("vm.crashed", at)
        self.say("200")
        self.until("vm.healthy", at)
        app = self.d.call("GET", f"/app/shop/wait?timeout={TIMEOUT_S}").json["app"]
        self.assertEqual(app["state"], "ready")
        self.assertIn("unhealthy: GET /healthz: status 500", app["services"][0]["reason"])
        self.assertEqual(self.d.call("DELETE", "/app/shop").status, 204)

    def test_refused(self):
        for health in ({}, {"tcp": 0}, {"http": {"port": 1, "path": "x"}}, {"tcp": 1, "retries": 0}, 7):
            answer = self.d.call("POST", "/vm/run", {"image_name": "web", "health": health})
            self.refused(answer, 400, "invalid_field")


if __name__ == "__main__":
    need()
    main()
