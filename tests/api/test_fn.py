# SPDX-License-Identifier: Apache-2.0
"""
Functions: instances start from zero on a request and go when nobody asks; nothing is dropped on the way, in a burst, when a manager
is killed, by hostile clients and hostile programs.
"""
import contextlib
import http.client
import json
import os
import signal
import socket

from harness import Background, Daemon, DaemonTest, PYTHON, TIMEOUT_S, main, need

# A program for functions: what it does is in the path. Each connection has a thread, so that requests can be in it at once.
PROGRAM = r"""
import http.server, os, signal, socket, sys, threading, time
LOCK, SEEN, MOST, IN = threading.Lock(), [0], [0], []  # of those that are in it: their paths
GATE = threading.Event()

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *a):
        pass

    def body(self):
        if self.headers.get("Transfer-Encoding") == "chunked":
            out = b""
            while True:
                n = int(self.rfile.readline(), 16)
                out += self.rfile.read(n)
                self.rfile.readline()
                if not n:
                    return out
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def say(self, data, status=200, **headers):
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        for k, v in headers.items():
            self.send_header(k.replace("_", "-"), v)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def any(self):
        with LOCK:
            SEEN[0] += 1
            IN.append(self.path)
            MOST[0] = max(MOST[0], len(IN))
        try:
            self.act(self.path.split("?")[0])
        finally:
            with LOCK:
                IN.remove(self.path)

    def act(self, path):
        if path == "/echo":
            data = self.body()
            self.say(data, Content_Type=self.headers.get("Content-Type", "text/x-none"))
        elif path == "/sum":
            self.say(str(len(self.body())).encode())
        elif path == "/headers":
            self.say(("\n".join("%s: %s" % h for h in self.headers.items())).encode())
        elif path == "/seen":
            self.say(b"%d %d" % (SEEN[0], MOST[0]))
        elif path == "/inside":
            self.say(" ".join(IN).encode())
        elif path == "/wait":
            GATE.wait()
            self.say(b"waited")
        elif path == "/open":
            GATE.set()
            self.say(b"opened")
        elif path == "/chunks":
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.send_header("Connection", "X-Hop, close")
            self.send_header("X-Hop", "1")
            self.send_header("X-End", "2")
            self.send_header("X-Uigniter-Start", "forged")
            self.end_headers()
            for i in range(200):
                self.wfile.write(b"%x\r\n" % 5000 + bytes([65 + i % 26]) * 5000 + b"\r\n")
            self.wfile.write(b"0\r\n\r\n")
            self.close_connection = True
        elif path == "/large":
            n = int(self.path.split("?")[1])
            self.send_response(200)
            self.send_header("Content-Length", str(n))
            self.end_headers()
            while n:
                k = min(n, 65536)
                self.wfile.write(b"x" * k)
                n -= k
        elif path == "/short":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"only this")
            self.close_connection = True
        elif path == "/short-early":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Le")
            self.close_connection = True
        elif path == "/garbage":
            self.wfile.write(b"\x00\x01\x02 nothing of HTTP\r\n\r\n")
            self.close_connection = True
        elif path == "/endless-head":
            self.wfile.write(b"HTTP/1.1 200 OK\r\n")
            try:
                while True:
                    self.wfile.write(b"X-More: " + b"y" * 4000 + b"\r\n")
            except OSError:
                self.close_connection = True
        elif path == "/empty":
            self.send_response(204)
            self.end_headers()
        elif path == "/teapot":
            self.say(b"short and stout", status=418)
        elif path == "/deaf":
            self.server.socket.close()
            self.server.shutdown()
            self.say(b"%d" % os.getpid())
        elif path == "/die":
            os._exit(9)
        elif path == "/leave":
            os._exit(0)
        else:
            self.say(("%s %s %d" % (self.command, self.path, os.getpid())).encode())
    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = do_HEAD = do_PROPFIND = any

class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 256
    daemon_threads = True

if len(sys.argv) > 2 and sys.argv[2] == "broken":
    sys.exit(3)
if len(sys.argv) > 2 and sys.argv[2] == "busy":  # one connection may wait; none is taken behind /rest, until SIGUSR1
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    listener = socket.socket()
    listener.bind(("0.0.0.0", int(sys.argv[1])))
    listener.listen(0)
    while True:
        s = listener.accept()[0]
        request = s.makefile("rb")
        line, length = request.readline(), 0
        while (header := request.readline().strip()):
            if header.lower().startswith(b"content-length:"):
                length = int(header.split(b":")[1])
        request.read(length)  # whole: what is unread at close() is answered by a reset, which breaks off the answer
        s.sendall(b"HTTP/1.0 200 OK\r\n\r\n%d" % os.getpid())
        request.close()
        s.close()
        if b"/rest" in line:
            signal.sigwait([signal.SIGUSR1])
server = Server(("0.0.0.0", int(sys.argv[1])), Handler)
server.serve_forever()
threading.Event().wait()
"""


class Functions(DaemonTest):
    def setUp(self):
        super().setUp()
        self.image("web")
        self.d.wait_pool()

    def image(self, name, *args, **config):
        self.d.put_image(name, {"cmd": ["python3", "-c", PROGRAM, "8000", *args], "ports": [8000],
                                "process": {"program": "/usr/bin/python3"}, **config})

    def deploy(self, name="f", status=201, **spec):
        spec = {"image": "web", "start_timeout_ms": TIMEOUT_S * 1000, "timeout_ms": TIMEOUT_S * 1000, **spec}
        answer = self.d.call("PUT", f"/fn/{name}", spec)
        self.assertEqual(answer.status, status, answer)
        return answer.json

    def fn(self, name="f"):
        return self.d.call("GET", f"/fn/{name}").json

    def raw(self, method, path, body=None, headers=None, name="f"):
        """Status, headers and body, of the instance or of the manager."""
        connection = self.d.connection()
        connection.request(method, f"/fn/{name}/invoke{path}", body=body, headers=headers or {})
        response = connection.getresponse()
        answer = response.status, {k.lower(): v for k, v in response.getheaders()}, response.read()
        connection.close()
        return answer

    def get(self, path, name="f", status=200):
        answer = self.raw("GET", path, name=name)
        self.assertEqual(answer[0], status, answer)
        return answer

    def problem(self, answer, status, code):
        self.assertEqual((answer[0], answer[1].get("content-type")), (status, "application/problem+json"), answer)
        self.assertEqual(json.loads(answer[2])["code"], code, answer)
        self.assertNotIn("x-uigniter-start", answer[1])
        return json.loads(answer[2])["detail"]

    def until(self, what, name="f"):
        """Each look is an exchange with the manager: that requests come and go is no event."""
        while not what(fn := self.fn(name)):
            pass
        return fn

    def past_the_manager(self, instance, path):
        """The answer of this instance's program to one who asks it himself."""
        with self.d.connect_inside(self.d.call("GET", f"/vm/{instance}").json["ip_address"], 8000) as s:
            s.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
            with s.makefile("rb") as file:
                return file.read().partition(b"\r\n\r\n")[2].decode()

    def until_inside(self, path):
        """A request in flight may not have reached the program yet; this one has. The id of the instance that it is in."""
        while True:
            for i in self.fn()["instances"]:
                with contextlib.suppress(OSError):  # it has just ended
                    if i["ready"] and i["in_flight"] and path in self.past_the_manager(i["id"], "/inside").split():
                        return i["id"]

    def test_from_zero_and_back(self):
        fn = self.deploy(idle_s=86400)
        self.assertEqual((fn["state"], fn["instances"], fn["url"]), ("idle", [], "/fn/f/invoke/"))
        status, headers, body = self.get("/a%2Fb/c/?x=1&y=%20")
        self.assertTrue(body.startswith(b"GET /a%2Fb/c/?x=1&y=%20 "), body)
        self.assertEqual(headers["x-uigniter-start"], "cold")
        fn = self.fn()
        self.assertEqual((fn["state"], [i["id"] for i in fn["instances"]]), ("ready", [headers["x-uigniter-instance"]]))
        status, again, body = self.get("")
        self.assertEqual((again["x-uigniter-start"], again["x-uigniter-instance"]), ("warm", headers["x-uigniter-instance"]))
        self.assertTrue(body.startswith(b"GET / "), body)
        self.deploy(status=200, idle_s=1)
        self.assertEqual(self.get("/")[1]["x-uigniter-instance"], headers["x-uigniter-instance"])  # from the end of this one on
        fn = self.until(lambda fn: fn["state"] == "idle" and not fn["instances"])
        self.assertEqual((fn["counters"]["requests"], fn["counters"]["cold"], fn["counters"]["starts"]), (3, 1, 1))
        self.deploy(status=200, idle_s=86400)
        self.assertEqual(self.get("/")[1]["x-uigniter-start"], "cold")
        self.assertEqual(self.d.call("GET", "/vm?state=running").json["items"][0]["image"], "web")

    def test_burst_from_zero(self):
        """100 at once at no instance: one start, all answered."""
        self.deploy(concurrency=101)
        answers = self.together(100, "/wait", before_end=lambda: self.until(lambda fn: fn["in_flight"] == 100))
        self.assertEqual({a[0] for a in answers}, {200})
        self.assertEqual(len({a[1]["x-uigniter-instance"] for a in answers}), 1)
        counters = self.fn()["counters"]
        self.assertEqual((counters["starts"], counters["failed"], counters["rejected"]), (1, 0, 0))

    def together(self, n, path, before_end=None):
        begun = [Background(self.raw, "GET", path) for _ in range(n)]
        if before_end:
            before_end()
            self.get("/open")
        return [b.result() for b in begun]

    def test_burst_with_little_room(self):
        """100 at once, two at a time in at most three instances."""
        self.deploy(concurrency=2, max=3)
        answers = self.together(100, "/seen")
        self.assertEqual({a[0] for a in answers}, {200})
        fn = self.fn()
        self.assertTrue(1 <= fn["counters"]["starts"] <= 3, fn)
        self.assertEqual(fn["counters"]["failed"] + fn["counters"]["rejected"] + fn["queued"] + fn["in_flight"], 0, fn)

    def test_queue_is_bounded(self):
        self.deploy(concurrency=1, max=1, queue=1)
        first = Background(self.raw, "POST", "/wait")
        vm = self.until_inside("/wait")
        second = Background(self.raw, "POST", "/teapot")
        while self.fn()["queued"] != 1:
            pass  # an exchange with the manager
        answer = self.raw("GET", "/")
        self.problem(answer, 429, "fn_busy")
        self.assertEqual(answer[1]["retry-after"], "1")
        self.assertEqual(self.d.call("POST", f"/vm/{vm}/kill").status, 200)
        self.assertEqual((first.result()[0], second.result()[0]), (502, 418))  # the second by another instance

    def test_min_max(self):
        self.deploy(min=2, max=3, idle_s=0)
        fn = self.until(lambda fn: sum(i["ready"] for i in fn["instances"]) == 2)
        self.assertEqual(self.get("/")[1]["x-uigniter-start"], "warm")
        victim = fn["instances"][0]["id"]
        self.d.call("DELETE", f"/vm/{victim}?force=true")
        fn = self.until(lambda fn: sum(i["ready"] for i in fn["instances"]) == 2 and victim not in [i["id"] for i in fn["instances"]])
        self.deploy(status=200, min=0, max=3, idle_s=0)
        self.get("/")

    def test_methods_and_bodies(self):
        self.deploy()
        for method in ("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND"):
            self.assertEqual(self.raw(method, "/m")[2].split()[:2], [method.encode(), b"/m"])
        status, headers, body = self.raw("HEAD", "/large?12345")
        self.assertEqual((status, headers["content-length"], body), (200, "12345", b""))
        status, headers, body = self.raw("POST", "/echo", b"some bytes", {"Content-Type": "text/x-some"})
        self.assertEqual((status, headers["content-type"], headers["content-length"], body), (200, "text/x-some", "10", b"some bytes"))
        data = os.urandom(3 << 20)
        self.assertEqual(self.raw("PUT", "/echo", data)[2], data)
        self.assertEqual(self.raw("POST", "/echo", iter([data[:100000], data[100000:]]))[2], data)  # in chunks
        self.assertEqual(self.raw("POST", "/sum", b"y" * (20 << 20))[2], b"%d" % (20 << 20))
        self.assertEqual(len(self.get(f"/large?{20 << 20}")[2]), 20 << 20)
        status, headers, body = self.get("/chunks")
        self.assertEqual(len(body), 1000000)
        self.assertEqual(self.get("/empty", status=204)[2], b"")
        self.assertEqual(self.get("/teapot", status=418)[2], b"short and stout")

    def test_headers(self):
        self.deploy()
        sent = {"X-Mine": "yes", "Connection": "keep-alive, X-Hop", "X-Hop": "no", "Keep-Alive": "3", "TE": "trailers", "Upgrade": "h2c",
                "Proxy-Authorization": "Basic x", "X-Forwarded-For": "6.6.6.6", "Authorization": "Basic me", "Cookie": "a=b"}
        got = dict(line.split(": ", 1) for line in self.raw("GET", "/headers", headers=sent)[2].decode().split("\n"))
        for name in ("X-Hop", "Keep-Alive", "TE", "Upgrade", "Proxy-Authorization", "X-Forwarded-For", "Expect"):
            self.assertNotIn(name, got)
        self.assertEqual((got["X-Mine"], got["Cookie"], got["Authorization"], got["Via"], got["X-Forwarded-Prefix"], got["Host"]),
                         ("yes", "a=b", "Basic me", "1.1 uigniter", "/fn/f/invoke", "localhost"))
        headers = self.get("/chunks")[1]
        self.assertEqual((headers.get("x-hop"), headers["x-end"], headers["x-uigniter-start"]), (None, "2", "warm"))

    def test_bad_answers(self):
        self.deploy(timeout_ms=TIMEOUT_S * 1000)
        for path in ("/garbage", "/short-early", "/endless-head"):
            self.problem(self.raw("GET", path), 502, "fn_bad_answer")
        with self.assertRaises(http.client.IncompleteRead):
            self.raw("GET", "/short")
        self.assertEqual(self.get("/teapot", status=418)[1]["x-uigniter-start"], "warm")
        self.assertEqual(self.fn()["counters"]["failed"], 4)

    def test_slow_answer(self):
        self.deploy(timeout_ms=300)
        self.problem(self.raw("GET", "/wait"), 504, "fn_timeout")
        self.assertEqual(self.fn()["in_flight"], 0)

    def test_slow_start(self):
        """Nobody listens at the port that is named; the request is answered all the same."""
        self.d.put_image("deaf", {"cmd": ["sh", "-c", "sleep 1000"], "ports": [8000], "process": {"program": "/bin/sh"}})
        self.deploy(image="deaf", start_timeout_ms=200)
        detail = self.problem(self.raw("GET", "/"), 504, "fn_timeout")
        self.assertIn("200 ms", detail)

    def test_death(self):
        self.deploy()
        first = self.get("/")[1]["x-uigniter-instance"]
        lost = Background(self.raw, "POST", "/wait")
        self.until_inside("/wait")
        self.assertEqual(self.raw("POST", "/die")[0], 502)
        self.assertEqual(lost.result()[0], 502)
        self.until(lambda fn: first not in [i["id"] for i in fn["instances"]])
        status, headers, _ = self.get("/")
        self.assertNotEqual(headers["x-uigniter-instance"], first)
        left = self.d.call("GET", f"/vm/{first}").json  # kept for its console
        self.assertEqual((left["state"], left["exit_code"]), ("stopped", 9))
        second = headers["x-uigniter-instance"]
        self.raw("GET", "/leave")
        self.until(lambda fn: second not in [i["id"] for i in fn["instances"]])
        self.assertEqual(self.get("/")[0], 200)

    def test_no_room_to_listen(self):
        """A program that takes no connections for longer than one is given to be made, and lets but one wait: nobody is turned away."""
        self.image("busy", "busy")
        self.deploy(image="busy")
        pid = int(self.get("/rest")[2])
        clients = [Background(self.raw, "POST", "/", b"x") for _ in range(6)]
        while self.fn()["counters"]["retries"] < 6:
            pass  # an exchange with the manager
        os.kill(pid, signal.SIGUSR1)
        self.assertEqual([(a[0], int(a[2])) for a in (client.result() for client in clients)], [(200, pid)] * 6)

    def test_what_it_never_got_is_another_ones(self):
        """Nothing of the request has reached the instance when that ends: also what is not to be done twice goes to the next."""
        self.deploy()
        status, headers, pid = self.get("/deaf")
        answer = Background(self.raw, "POST", "/echo", b"a body")
        while not self.fn()["counters"]["retries"]:
            pass  # an exchange with the manager
        os.kill(int(pid), signal.SIGKILL)
        status, second, body = answer.result()
        self.assertEqual((status, body), (200, b"a body"))
        self.assertNotEqual(second["x-uigniter-instance"], headers["x-uigniter-instance"])

    def test_what_may_come_twice_does(self):
        """A GET whose instance ends before it answers is sent to another one, and not to a third."""
        self.deploy(concurrency=1, max=1)
        answer = Background(self.raw, "GET", "/wait")
        first = self.until_inside("/wait")
        self.d.call("POST", f"/vm/{first}/kill")
        second = self.until_inside("/wait")
        self.assertNotEqual(second, first)
        self.d.call("POST", f"/vm/{second}/kill")
        self.assertEqual(answer.result()[0], 502)
        counters = self.fn()["counters"]
        self.assertEqual((counters["starts"], counters["failed"], counters["cold"]), (2, 1, 1))

    def test_from_zero_with_a_body(self):
        """The body waits at the manager until there is an instance."""
        self.deploy()
        status, headers, body = self.raw("POST", "/echo", b"a body")
        self.assertEqual((status, headers["x-uigniter-start"], body), (200, "cold", b"a body"))
        self.deploy("g")
        data = os.urandom(300000)
        self.assertEqual(self.raw("PUT", "/echo", iter([data[:1], data[1:]]), name="g")[2], data)

    def test_fewer_than_there_are(self):
        """max is held for what runs as well: idle instances end at once, one with a request when that is over."""
        self.deploy(min=3, max=3, concurrency=1, idle_s=86400)
        self.until(lambda fn: sum(i["ready"] for i in fn["instances"]) == 3)
        first = Background(self.raw, "GET", "/wait")
        busy = [self.until_inside("/wait")]
        self.deploy(status=200, min=0, max=1, concurrency=1, idle_s=86400)
        self.assertEqual([i["id"] for i in self.until(lambda fn: len(fn["instances"]) == 1)["instances"]], busy)
        ip = self.fn()["instances"][0]["ip_address"]
        with self.d.connect_inside(ip, 8000) as gate:
            gate.sendall(b"GET /open HTTP/1.1\r\nHost: x\r\n\r\n")
            self.assertEqual(first.result()[2], b"waited")
        self.assertEqual(self.get("/")[1]["x-uigniter-instance"], busy[0])

    def test_failing(self):
        self.image("broken", "broken")
        self.deploy("b", image="broken")
        detail = self.problem(self.raw("GET", "/", name="b"), 502, "fn_failing")
        self.assertIn("status 3", detail)
        fn = self.fn("b")
        self.assertGreaterEqual(fn["counters"]["start_failures"], 3)
        if fn["state"] == "failing":  # unless the pause is over already
            answer = self.raw("GET", "/", name="b")
            self.assertIn(answer[0], (502, 503), answer)
        self.assertIn("status 3", fn["reason"])
        self.deploy("b", status=200)  # another image
        self.assertEqual(self.get("/", name="b")[0], 200)

    def test_remove_between_starts(self):
        """With requests that wait for the next try, and nothing else: all are answered, and the function ends once."""
        self.image("broken", "broken")
        for n in range(5):
            name = f"b{n}"
            self.deploy(name, image="broken")
            begun = [Background(self.raw, "GET", "/", name=name) for _ in range(3)]
            while not (fn := self.fn(name))["counters"]["start_failures"] or (fn["instances"] and fn["queued"]):
                pass  # an exchange with the manager
            self.d.call("DELETE", f"/fn/{name}")
            answers = [b.result() for b in begun]
            self.assertTrue({a[0] for a in answers} <= {404, 502, 503}, answers)
        while self.d.call("GET", "/fn").json["items"]:
            pass

    def test_redeploy(self):
        """What runs is answered by the old version, what comes by the new one."""
        self.deploy()
        first = self.get("/")[1]["x-uigniter-instance"]
        old = Background(self.raw, "GET", "/wait")
        self.until(lambda fn: fn["in_flight"] == 1)
        self.deploy(status=200, env={"A": "b"})
        new = self.get("/")[1]
        self.assertNotEqual(new["x-uigniter-instance"], first)
        ip = self.d.call("GET", f"/vm/{first}").json["ip_address"]
        gate = self.d.connect_inside(ip, 8000)
        gate.sendall(b"GET /open HTTP/1.1\r\nHost: x\r\n\r\n")
        status, headers, _ = old.result()
        gate.close()
        self.assertEqual((status, headers["x-uigniter-instance"]), (200, first))
        self.until(lambda fn: [i["id"] for i in fn["instances"]] == [new["x-uigniter-instance"]])

    def test_remove(self):
        self.deploy()
        self.get("/")
        waits = Background(self.raw, "GET", "/wait")
        self.until(lambda fn: fn["in_flight"] == 1)
        self.assertEqual(self.d.call("DELETE", "/fn/f").json["state"], "removing")
        self.problem(self.raw("GET", "/"), 404, "not_found")  # it is there still: one request is in it
        self.refused(self.d.call("PUT", "/fn/f", {"image": "web"}), 409, "conflict")
        self.d.call("POST", f"/vm/{self.fn()['instances'][0]['id']}/kill")
        waits.result()
        connection = self.d.connection()
        connection.request("GET", "/events?since=0", headers={"Accept": "text/event-stream"})
        response = connection.getresponse()
        while b'"fn.removed"' not in response.readline():
            pass
        connection.close()
        self.assertEqual(self.d.call("GET", "/fn").json["items"], [])
        self.assertEqual(self.d.call("GET", "/vm").json["items"], [])

    def test_manager_killed(self):
        """The next one goes on with function and instance."""
        self.deploy(min=0)
        first = self.get("/")[1]["x-uigniter-instance"]
        self.d.kill()
        self.d.start()
        status, headers, _ = self.get("/")
        self.assertEqual((headers["x-uigniter-start"], headers["x-uigniter-instance"]), ("warm", first))
        self.d.kill()
        self.d.start()
        self.assertEqual(self.d.call("DELETE", "/fn/f").status, 202)
        self.d.kill()
        self.d.start()
        while self.d.call("GET", "/fn").json["items"]:
            pass  # an exchange with the manager

    def test_manager_killed_while_an_instance_starts(self):
        """What the next one did not start is not cold, also when it is ready later than its request came."""
        gate = os.path.join(self.d.folder, "gate")
        os.mkfifo(gate)
        os.chmod(gate, 0o644)
        self.d.put_image("gated", {"cmd": ["sh", "-c", f'read x <"{gate}"; exec {PYTHON} -c "$0" 8000', PROGRAM], "ports": [8000],
                                   "process": {"program": "/bin/sh"}})
        self.deploy(image="gated", min=0)
        lost = self.d.connection()
        lost.request("GET", "/fn/f/invoke/")
        first = self.until(lambda fn: fn["instances"])["instances"][0]["id"]
        while self.d.call("GET", f"/vm/{first}").json["state"] != "running":
            pass  # an exchange with the manager
        self.d.kill()
        lost.close()
        self.d.start()
        connection = self.d.connection()
        connection.request("GET", "/fn/f/invoke/")
        while self.fn()["queued"] != 1:
            pass  # an exchange with the manager
        with open(gate, "w", encoding="ascii") as file:  # waits for the program to open it
            file.write("go\n")
        response = connection.getresponse()
        self.assertEqual((response.status, response.headers["x-uigniter-start"], response.headers["x-uigniter-instance"]), (200, "warm", first))
        connection.close()
        self.assertEqual((self.fn()["counters"]["cold"], self.fn()["counters"]["starts"]), (0, 0))

    def test_manager_restarted(self):
        self.deploy(min=1)
        self.until(lambda fn: any(i["ready"] for i in fn["instances"]))
        self.d.end()
        self.d.start()
        self.until(lambda fn: any(i["ready"] for i in fn["instances"]))
        self.assertEqual(self.get("/")[1]["x-uigniter-start"], "warm")

    def test_manager_ends_while_requests_wait(self):
        self.deploy(concurrency=1, max=1)
        begun = [Background(self.raw, "GET", "/wait") for _ in range(3)]
        self.until(lambda fn: fn["in_flight"] == 1 and fn["queued"] == 2)
        self.d.process.send_signal(signal.SIGTERM)
        self.assertEqual(sorted(b.result()[0] for b in begun), [502, 503, 503])
        self.d.process.wait(TIMEOUT_S)
        self.d.log_end()

    def test_refused(self):
        d = self.d
        for spec, pointer in (({}, "/image"), ({"image": "web", "max": 0}, "/max"), ({"image": "web", "min": 5}, "/min"),
                              ({"image": "web", "maximum": 5}, "/maximum"), ({"image": "web", "concurrency": "1"}, "/concurrency"),
                              ({"image": "none"}, "/image"), ({"image": "web", "env": []}, "/env"), ({"image": "web", "name": "x"}, "/name"),
                              ({"image": "web", "port": 70000}, "/port"), ({"image": "web", "restart": "always"}, "/restart")):
            problem = self.refused(d.call("PUT", "/fn/f", spec), 400, "invalid_field")
            self.assertEqual(problem["errors"][0]["pointer"], pointer)
        d.put_shell("portless", "exit 0")
        self.assertIn("port", self.refused(d.call("PUT", "/fn/f", {"image": "portless"}), 400, "invalid_field")["detail"])
        self.refused(d.call("PUT", "/fn/No_Name", {"image": "web"}), 400, "bad_request")
        self.refused(d.call("PUT", "/fn/f", "{}"), 415, "unsupported_media_type")
        self.refused(d.call("GET", "/fn/none"), 404, "not_found")
        self.refused(d.call("DELETE", "/fn/none"), 404, "not_found")
        self.problem(self.raw("POST", "/", b"x" * 100, name="none"), 404, "not_found")
        self.deploy()
        self.problem(self.raw("TRACE", "/"), 400, "bad_request")
        self.problem(self.raw("GET", "/" + "x" * 9000), 400, "bad_request")
        self.refused(d.call("GET", "/fn/f/invoke/", headers={"Origin": "http://evil.example"}, check=False), 403, "forbidden")

    def socket(self):
        s = socket.socket(socket.AF_UNIX)
        s.connect(self.d.socket)
        s.settimeout(TIMEOUT_S)
        return s

    def test_clients_that_go(self):
        """While it waits for a start, while its body comes, while the answer goes: nothing stays behind."""
        self.deploy(concurrency=4)
        self.get("/")
        for part in (b"GET /fn/f/invoke/wait HTTP/1.1\r\nHost: localhost\r\n\r\n",
                     b"POST /fn/f/invoke/sum HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 1000,
                     b"GET /fn/f/invoke/large?90000000 HTTP/1.1\r\nHost: localhost\r\n\r\n"):
            for _ in range(8):
                s = self.socket()
                s.sendall(part)
                if b"large" in part:
                    self.assertTrue(s.recv(1000))
                else:
                    self.until(lambda fn: fn["in_flight"] == 1)
                s.close()
                while self.fn()["in_flight"]:
                    pass  # an exchange with the manager
        fn = self.fn()
        self.assertEqual((fn["counters"]["gone"], fn["queued"]), (24, 0), fn)
        self.d.call("PUT", "/fn/f", {"image": "web", "max": 1, "concurrency": 1, "env": {"B": "1"}})
        s = self.socket()
        s.sendall(b"GET /fn/f/invoke/wait HTTP/1.1\r\nHost: localhost\r\n\r\n")
        waiting = self.socket()
        waiting.sendall(b"POST /fn/f/invoke/echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nab")
        while self.fn()["queued"] + self.fn()["in_flight"] != 2:
            pass
        waiting.close()
        s.close()
        while self.fn()["queued"] + self.fn()["in_flight"]:
            pass
        self.assertEqual(self.get("/")[0], 200)

    def test_hostile_clients(self):
        self.deploy()
        self.get("/")
        for data in (b"POST /fn/f/invoke/sum HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
                     b"POST /fn/f/invoke/sum HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n",
                     b"POST /fn/f/invoke/sum HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n",
                     b"POST /fn/f/invoke/sum HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                     b"GET /fn/f/invoke/\x01\x7f HTTP/1.1\r\nHost: localhost\r\n\r\n",
                     b"GET /fn/f/invoke/%zz HTTP/1.1\r\nHost: localhost\r\n\r\n",
                     b"GET /fn/f/invoke/../../../vm HTTP/1.1\r\nHost: localhost\r\n\r\n",
                     b"GET http://elsewhere/fn/f/invoke/seen HTTP/1.1\r\nHost: localhost\r\nX: " + b"y" * 30000 + b"\r\n\r\n",
                     b"BREW /fn/f/invoke/ HTTP/1.1\r\nHost: localhost\r\n\r\n"):
            s = self.socket()
            s.sendall(data)
            s.shutdown(socket.SHUT_WR)
            with contextlib.suppress(ConnectionResetError):  # closed before all was read: who sends rubbish may be told so
                while s.recv(65536):
                    pass
            s.close()
        self.assertEqual(self.get("/teapot", status=418)[2], b"short and stout")
        self.assertEqual(self.fn()["in_flight"], 0)

    def test_metrics(self):
        self.deploy()
        self.get("/")
        text = self.d.call("GET", "/metrics").body.decode()
        for line in ('uigniter_fn_requests_total{fn="f"} 1', 'uigniter_fn_cold_total{fn="f"} 1', 'uigniter_fn_in_flight{fn="f"} 0',
                     'uigniter_fn_instances{fn="f"} 1', 'uigniter_fn_failed_total{fn="f"} 0'):
            self.assertIn(line + "\n", text)


class WithToken(DaemonTest):
    options = {"token": "geheim-und-lang-genug-0123456789"}

    def test_token_stays_here(self):
        Functions.image(self, "web")
        self.d.call("PUT", "/fn/f", {"image": "web"})
        got = Functions.raw(self, "GET", "/headers", headers={"Authorization": "Bearer geheim-und-lang-genug-0123456789"})
        self.assertEqual(got[0], 200, got)
        self.assertNotIn(b"geheim", got[2])


if __name__ == "__main__":
    need()
    main()
