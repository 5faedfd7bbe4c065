# SPDX-License-Identifier: Apache-2.0
"""Applications: what is wanted comes to be, stays so, changes where it must, and goes."""
import os
import signal

from harness import PYTHON, TIMEOUT_S, Daemon, DaemonTest, main, need, wait_process


def service(image="server", **more):
    return {"image": image, **more}


class Application(DaemonTest):
    def setUp(self):
        super().setUp()
        self.d.put_server()
        self.d.wait_pool()

    def put(self, name="shop", status=None, **services):
        answer = self.d.call("PUT", f"/app/{name}", {"services": services})
        self.assertIn(answer.status, [status] if status else (200, 201), answer)
        return answer.json

    def wait(self, name="shop", state="ready", reached=True):
        answer = self.d.call("GET", f"/app/{name}/wait?state={state}&timeout={TIMEOUT_S}")
        self.assertEqual((answer.status, answer.json["reached"]), (200, reached), answer)
        return answer.json["app"]

    def up(self, name="shop", **services):
        self.put(name, **services)
        return self.wait(name)

    @staticmethod
    def of(app, name):
        return next(s for s in app["services"] if s["name"] == name)

    def live(self, app, name):
        return [i for i in self.of(app, name)["instances"] if i["state"] == "running"]

    def ids(self, app):
        return {i["id"] for s in app["services"] for i in s["instances"] if i["state"] == "running"}

    def kill_process(self, instance):
        """As a crash: nobody has asked the manager."""
        pid = self.d.call("GET", f"/vm/{instance['id']}").json["pid"]
        os.kill(pid, signal.SIGKILL)
        self.d.wait(instance["id"])

    def remove(self, name="shop"):
        self.assertEqual(self.d.call("DELETE", f"/app/{name}").status, 204)
        self.assertEqual(self.d.call("GET", "/vm").json["items"], [])
        self.assertEqual(self.d.call("GET", f"/app/{name}").status, 404)

    def types(self, kind):
        return [e["type"] for e in self.d.call("GET", "/events").json["items"] if e["type"].startswith(kind)]


class UpAndDown(Application):
    def test_in_order_and_twice_the_same(self):
        services = dict(web=service(depends_on=["db"], replicas=2), db=service(restart="on-failure"))
        app = self.up(**services)
        self.assertEqual(app["state"], "ready")
        web, db = self.live(app, "web"), self.live(app, "db")
        self.assertEqual([i["name"] for i in web], ["shop-web-1", "shop-web-2"])
        self.assertEqual([i["name"] for i in db], ["shop-db-1"])
        vm = self.d.call("GET", f"/vm/{web[0]['id']}").json
        self.assertEqual(vm["labels"], {"uigniter.app": "shop", "uigniter.service": "web"})
        told = [(e["type"], e["vm"]["name"]) for e in self.d.call("GET", "/events").json["items"] if "vm" in e]
        self.assertLess(told.index(("vm.ready", "shop-db-1")), told.index(("vm.created", "shop-web-1")))

        self.assertEqual(self.put(status=200, **services)["state"], "ready")
        self.assertEqual(self.ids(self.wait()), self.ids(app))
        self.assertEqual([a["name"] for a in self.d.call("GET", "/app").json["items"]], ["shop"])

        self.remove()
        told = [(e["type"], e["vm"]["name"]) for e in self.d.call("GET", "/events").json["items"] if "vm" in e]
        self.assertLess(told.index(("vm.stopped", "shop-web-2")), told.index(("vm.stopping", "shop-db-1")))
        self.assertEqual(self.types("app."), ["app.created", "app.ready", "app.updated", "app.removing", "app.removed"])

    def test_only_what_changed_is_replaced(self):
        before = self.up(web=service(depends_on=["db"]), db=service(), old=service())
        after = self.up(web=service(depends_on=["db"], env={"A": "1"}), db=service(), new=service())
        self.assertEqual(self.live(after, "db"), self.live(before, "db"))
        self.assertEqual([i["name"] for i in self.live(after, "web")], ["shop-web-2"])
        self.assertEqual([s["name"] for s in after["services"]], ["web", "db", "new"])
        self.assertEqual(self.d.call("GET", "/vm/shop-old-1").status, 404)
        self.assertEqual(self.d.call("GET", "/vm/shop-web-1").status, 404)
        self.remove()

    def test_a_new_version_of_the_image(self):
        before = self.up(web=service())
        self.d.put_server(env={"B": "2"})
        self.assertEqual(self.ids(self.wait()), self.ids(before))  # nobody has asked for it
        self.assertEqual(self.d.call("POST", "/image/prune?all=true").json["removed"], [])
        after = self.up(web=service())
        self.assertNotEqual(self.ids(after), self.ids(before))
        self.d.put_server(env={"B": "2"})  # the same once more
        self.assertEqual(self.ids(self.up(web=service())), self.ids(after))
        self.remove()

    def test_one_by_one(self):
        """While two are replaced, one of them is ready."""
        self.up(web=service(replicas=2))
        app = self.up(web=service(replicas=2, env={"A": "1"}))
        self.assertEqual([i["name"] for i in self.live(app, "web")], ["shop-web-3", "shop-web-4"])
        ready = 0
        for e in self.d.call("GET", "/events").json["items"]:
            ready += {"vm.ready": 1, "vm.stopping": -1}.get(e["type"], 0)
            if e["type"] == "vm.stopping":
                self.assertGreaterEqual(ready, 1, e)
        self.assertEqual(ready, 2)
        self.remove()

    def test_scale(self):
        self.up(web=service(), db=service())
        answer = self.d.call("POST", "/app/shop/scale", {"web": 3})
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual(len(self.live(self.wait(), "web")), 3)
        self.d.call("POST", "/app/shop/scale", {"web": 1})
        self.assertEqual([i["name"] for i in self.live(self.wait(), "web")], ["shop-web-1"])
        self.d.call("POST", "/app/shop/scale", {"web": 0, "db": 0})
        self.assertEqual(self.ids(self.wait()), set())
        for body in ({"other": 1}, {"web": -1}, {"web": "2"}, {"web": None}, {"web": 1000}):
            self.refused(self.d.call("POST", "/app/shop/scale", body), 400, "invalid_field")
        self.remove()

    def test_references(self):
        self.d.put_image("show", {"cmd": ["sh", "-c", 'echo "$AT $$ $ME"; echo "$0"; exec cat /dev/zero > /dev/null'],
                                  "process": {"program": "/bin/sh"}})
        env = {"AT": "${service.db.address}:8000", "ME": "${name} ${replica} ${app} $$ $"}
        app = self.up(web=service("show", env=env), db=service())
        address = self.live(app, "db")[0]["ip_address"]
        line = self.d.first_line("shop-web-1").decode()
        self.assertTrue(line.startswith(f"{address}:8000 "), line)
        self.assertTrue(line.endswith(" shop-web-1 1 shop $ $\n"), line)
        self.remove()


class Failures(Application):
    def test_one_that_ends_is_replaced(self):
        app = self.up(web=service(replicas=2))
        first = self.live(app, "web")[0]
        self.kill_process(first)
        app = self.wait()
        self.assertEqual([i["name"] for i in self.live(app, "web")], ["shop-web-2", "shop-web-3"])
        # Whoever still has a connection to the first is told by the third that it is none.
        self.assertEqual(self.live(app, "web")[1]["ip_address"], first["ip_address"])
        ended = [i for i in self.of(app, "web")["instances"] if i["state"] == "crashed"]
        self.assertEqual([i["id"] for i in ended], [first["id"]])  # with its console
        self.assertIn("shop-web-1", self.of(app, "web")["reason"])
        self.d.call("POST", f"/vm/{self.live(app, 'web')[0]['id']}/stop")
        self.assertEqual([i["name"] for i in self.live(self.wait(), "web")], ["shop-web-3", "shop-web-4"])
        self.assertEqual(self.d.call("DELETE", "/vm/shop-web-3?force=true").status, 204)
        self.assertEqual([i["name"] for i in self.live(self.wait(), "web")], ["shop-web-4", "shop-web-5"])
        self.remove()

    def test_one_that_others_name_keeps_its_address(self):
        services = dict(web=service(env={"DB": "${service.db.address}"}), db=service())
        app = self.up(**services)
        db, web = self.live(app, "db")[0], self.live(app, "web")[0]
        self.kill_process(db)
        app = self.wait()
        self.assertEqual(self.live(app, "db")[0]["ip_address"], db["ip_address"])
        self.assertNotEqual(self.live(app, "db")[0]["id"], db["id"])
        self.assertEqual(self.live(app, "web")[0]["id"], web["id"])
        self.remove()

    def test_one_service_fails_the_rest_goes_on(self):
        self.d.put_image("never", {"cmd": ["sh", "-c", "exit 4"], "ports": [99], "process": {"program": "/bin/sh"}})
        self.put(web=service(), bad=service("never"), behind=service(depends_on=["bad"]))
        app = self.wait(reached=False)
        self.assertEqual(app["state"], "failing")
        bad, behind = self.of(app, "bad"), self.of(app, "behind")
        self.assertEqual(bad["state"], "failing")
        self.assertIn("status 4", bad["reason"])
        self.assertEqual((behind["state"], behind["waits_for"], behind["instances"]), ("waiting", ["bad"], []))
        self.d.wait("shop-web-1", "ready")
        app = self.up(web=service(), bad=service(), behind=service(depends_on=["bad"]))
        self.assertEqual(len(self.ids(app)), 3)
        self.remove()

    def test_jobs(self):
        """They are ready only when they have ended well."""
        for name, status in (("job", 0), ("bad", 1)):
            self.d.put_image(name, {"cmd": ["sh", "-c", f"exit {status}"], "ports": [99], "process": {"program": "/bin/sh"}})
        app = self.up(job=service("job", restart="on-failure"), web=service(depends_on=["job"]))
        self.assertEqual((self.of(app, "job")["done"], self.of(app, "job")["state"]), (1, "ready"))
        self.put(job=service("bad", restart={"policy": "on-failure", "max_retries": 1}), once=service("bad", restart="no"))
        app = self.wait(reached=False)
        while self.of(app, "job")["state"] != "failing" or self.of(app, "once")["state"] != "failing":
            app = self.d.call("GET", "/app/shop").json  # each is a turn of the loop that does the work
        self.assertEqual(len(self.of(app, "once")["instances"]), 1)
        self.remove()

    def test_until_a_job_is_done(self):
        self.d.put_shell("job", f"read line < {self.d.folder}/gate; exit 0")
        os.mkfifo(f"{self.d.folder}/gate")
        os.chmod(f"{self.d.folder}/gate", 0o666)
        self.put(job=service("job", restart="no"), web=service(depends_on={"job": "done"}))
        app = self.d.call("GET", "/app/shop").json
        while self.of(app, "job")["ready"] == 0:
            app = self.d.call("GET", "/app/shop").json
        self.assertEqual((self.of(app, "web")["instances"], self.of(app, "web")["waits_for"]), ([], ["job"]))
        with open(f"{self.d.folder}/gate", "w", encoding="ascii") as gate:
            gate.write("go\n")
        app = self.wait()
        self.assertEqual((self.of(app, "job")["done"], self.of(app, "web")["ready"]), (1, 1))
        self.remove()

    def test_refused(self):
        for services, pointer in (
                ({"web": {"image": "none"}}, "/services/web/image"),
                ({"web": {}}, "/services/web/image"),
                ({"web": service(replicas=2, ports=[{"host": 80, "guest": 80}])}, "/services/web/ports"),
                ({"web": service(depends_on=["db"])}, "/services/web/depends_on/0"),
                ({"web": service(depends_on=["web"])}, "/services/web/depends_on"),
                ({"web": service(env={"A": "${service.db.address}"})}, "/services/web/env/A"),
                ({"web": service(env={"A": "${x}"})}, "/services/web/env/A"),
                ({"web": service(name="x")}, "/services/web/name"),
                ({"web": service(restart="often")}, "/services/web/restart"),
                ({"Web": service()}, "/services/Web"),
                ([], "/services")):
            answer = self.d.call("PUT", "/app/shop", {"services": services})
            problem = self.refused(answer, 400, "invalid_field")
            self.assertEqual(problem["errors"][0]["pointer"], pointer)
        self.refused(self.d.call("PUT", "/app/shop", {"services": {}, "name": "x"}), 400, "invalid_field")
        self.refused(self.d.call("PUT", "/app/a.b", {"services": {}}), 400, "bad_request")
        self.refused(self.d.call("PUT", "/app/shop", "[]", {"Content-Type": "application/json"}), 400, "invalid_field")
        self.refused(self.d.call("GET", "/app/shop"), 404, "not_found")
        self.assertEqual(self.d.call("GET", "/vm").json["items"], [])


# Answers GET with a page of metrics; POST sets what it says.
METER = """
import http.server, os, signal
signal.signal(signal.SIGTERM, lambda *a: os._exit(0))
class Handler(http.server.BaseHTTPRequestHandler):
    value = b"0"
    def do_GET(self):
        self.send_response(200 if self.path == "/m" else 404)
        self.end_headers()
        self.wfile.write(b"# TYPE load gauge\\nload " + Handler.value + b"\\n")
    def do_POST(self):
        Handler.value = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
http.server.ThreadingHTTPServer(("0.0.0.0", 8000), Handler).serve_forever()
"""


class Scaling(Application):
    """The number of replicas follows a metric of another service."""

    def setUp(self):
        super().setUp()
        self.d.put_image("meter", {"cmd": ["python3", "-c", METER], "ports": [8000], "process": {"program": PYTHON},
                                   "readiness": {"port": 8000}})

    def services(self, **rule):
        scale = {"min": 1, "max": 4, "target": 10, "interval_ms": 100, "down_after_s": 1,
                 "metric": {"service": "meter", "port": 8000, "path": "/m", "name": "load"}, **rule}
        return dict(meter=service("meter"), work=service(scale=scale))

    def set(self, app, value):
        address = self.live(app, "meter")[0]["ip_address"]
        with self.d.connect_inside(address, 8000) as s:
            s.sendall(f"POST /m HTTP/1.0\r\nContent-Length: {len(value)}\r\n\r\n{value}".encode())
            self.assertIn(b" 200 ", s.recv(200))

    def await_count(self, n):
        """Until so many are wanted, and all of them and no others are there."""
        while True:
            app = self.d.call("GET", f"/app/shop/wait?state=ready&timeout={TIMEOUT_S}").json["app"]
            work = self.of(app, "work")
            if (work["replicas"], work["ready"], len(self.live(app, "work"))) == (n, n, n):
                return app

    def log_text(self):
        with open(f"{self.d.folder}/log", encoding="utf-8") as f:
            return f.read()

    def test_up_and_down(self):
        app = self.up(**self.services())
        self.set(app, "15")
        app = self.await_count(4)
        self.set(app, "8")  # between half of it and all: well as it is
        self.put(**self.services())  # the same file again does not begin anew
        self.assertEqual(self.of(self.wait(), "work")["replicas"], 4)
        self.set(app, "0")
        self.await_count(1)
        self.put(**self.services(min=2))
        self.await_count(2)
        self.remove()

    def test_what_cannot_be_asked_changes_nothing(self):
        app = self.up(**self.services())
        self.set(app, "100")
        app = self.await_count(4)
        self.set(app, "much")
        while "the metric is not there" not in self.log_text():
            self.d.call("GET", "/app/shop")
        self.assertEqual(self.of(self.wait(), "work")["replicas"], 4)
        self.remove()

    def test_refused(self):
        for rule, place in (({"min": 5}, "/services/work/scale"), ({"metric": {"service": "none", "port": 1, "name": "m"}},
                                                                   "/services/work/scale/metric")):
            answer = self.d.call("PUT", "/app/shop", {"services": self.services(**rule)})
            problem = self.refused(answer, 400, "invalid_field")
            self.assertEqual(problem["errors"][0]["pointer"], place)


class NextManager(Application):
    def next(self, daemon, sig=None):
        if sig:
            daemon.process.send_signal(sig)
            daemon.process.wait()
            daemon.log_end()
        else:
            daemon.kill()
        self.d = Daemon(folder=daemon.folder, netns=daemon.netns)
        self.addCleanup(self.d.clean)
        return self.d

    def test_killed(self):
        """What has ended meanwhile is replaced, the rest goes on, changes are taken."""
        first = self.d
        app = self.up(web=service(replicas=2, env={"DB": "${service.db.address}"}), db=service())
        dead, lives = self.live(app, "web")
        pid = self.d.call("GET", f"/vm/{dead['id']}").json["pid"]
        first.kill()
        os.kill(pid, signal.SIGKILL)
        wait_process(pid)
        self.d = Daemon(folder=first.folder, netns=first.netns)
        self.addCleanup(self.d.clean)
        app = self.wait()
        names = [i["name"] for i in self.live(app, "web")]
        self.assertIn(lives["name"], names)
        self.assertEqual(sorted(names), ["shop-web-2", "shop-web-3"])
        self.remove()

    def test_ended(self):
        """One that was told to end takes its instances with it; the next starts them anew."""
        self.up(web=service())
        self.next(self.d, signal.SIGTERM)
        self.assertEqual(len(self.ids(self.wait())), 1)
        self.remove()

    def test_in_the_middle_of_the_end(self):
        self.d.put_image("deaf", {"cmd": ["sh", "-c", "trap '' TERM; echo deaf; while :; do sleep 1; done"], "process": {"program": "/bin/sh"}})
        self.up(web=service("deaf", stop_timeout_s=60))
        self.d.first_line("shop-web-1")  # from here on it is
        self.assertEqual(self.d.call("DELETE", "/app/shop?timeout=0").status, 202)
        self.refused(self.d.call("PUT", "/app/shop", {"services": {}}), 409, "conflict")
        self.next(self.d)
        self.assertEqual(self.d.call("GET", "/app/shop").json["state"], "removing")
        self.d.call("POST", "/vm/shop-web-1/kill")
        answer = self.d.call("GET", f"/app/shop/wait?state=removed&timeout={TIMEOUT_S}")
        self.assertTrue(answer.status == 404 or answer.json["reached"], answer)  # it may be gone by now
        self.assertEqual(self.d.call("GET", "/vm").json["items"], [])


if __name__ == "__main__":
    need()
    main()
