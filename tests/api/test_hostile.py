# SPDX-License-Identifier: Apache-2.0
"""
Clients that mean harm: a thousand connections, requests that never end, readers that do not read, names that lead elsewhere. Each is refused
or waits; the manager's memory stays bounded, others are served, and nothing is made outside its folders. (Foreign hosts and pages:
test_errors.py; logs: test_logs.py; with real VMs: tests/security/test_manager.py.)
"""
import json
import os
import resource
import socket

from harness import Daemon, DaemonTest, main, need, own_loopback, TIMEOUT_S

MANY = 1000
MOST_OF_A_LISTENER = 1024  # daemon/api/api.c
CONNECTION_KIB = 64  # the most that one may cost that has not asked for anything
READERS, READER_KIB = 100, 512  # of events: daemon/api/events.c
HALF = [b"", b"GET /v", b"GET /vm HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 8000,
        b"POST /vm/run HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n" + b"[" * 4000,
        b"PUT /image/half HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000\r\n\r\n" + b"x" * 4000]
ELSEWHERE = ["../x", "..", ".", "/etc/passwd", "a/../../x", "a/..", "./a", "a//b", "/a", "a/", "..%2fx", "%2e%2e", "a\\b", "a\nb", "a\x00b", " ", "",
             "\u202e", "a" * 300, "-rf", "$(id)", "a;b", "a b", "\u00e4"]


def allow_descriptors(count):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < count:
        return False
    if soft != resource.RLIM_INFINITY and soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))
    return True


class Hostile(DaemonTest):
    def memory(self):
        with open(f"/proc/{self.d.process.pid}/smaps_rollup", encoding="ascii") as file:
            return sum(int(line.split()[1]) for line in file if line.startswith("Private_"))

    def connect(self, data):
        s = socket.socket(socket.AF_UNIX)
        self.addCleanup(s.close)
        s.connect(self.d.socket)  # waits while the manager's queue is full, as one with a time-out would not
        s.settimeout(TIMEOUT_S)
        s.sendall(data)
        return s


class Connections(Hostile):
    host, port = own_loopback(), 6666

    def setUp(self):
        if not allow_descriptors(4 * MANY):
            self.skipTest("may not open so many files")
        self.d = Daemon(listen=f"{self.host}:{self.port}")
        self.addCleanup(self.d.clean)

    def test_a_thousand(self):
        """Over one socket, none of which ever asks for all it began to; others are answered on the same one."""
        self.d.put_shell("long", "exec sleep 1000")
        before = self.memory()
        for n in range(MANY):
            self.connect(HALF[n % len(HALF)])
        other = self.connect(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        self.assertEqual(other.recv(15), b"HTTP/1.1 200 OK")
        vm = self.d.run("long", wait="started")
        self.assertEqual(self.d.call("DELETE", f"/vm/{vm['id']}?force=true").status, 204)
        self.assertLess(self.memory() - before, MANY * CONNECTION_KIB)
        self.assertEqual(self.d.call("GET", "/image/half").status, 404)
        self.assertEqual([i["name"] for i in self.d.call("GET", "/image").json["items"]], ["long"])

    def test_more_than_a_listener_takes(self):
        """Those of TCP do not lock out the Unix socket's."""
        for _ in range(MOST_OF_A_LISTENER + 100):
            s = socket.socket()
            self.addCleanup(s.close)
            s.connect((self.host, self.port))
            s.sendall(b"GET /vm HTTP/1.1\r\n")
        for _ in range(10):
            self.assertEqual(self.d.call("GET", "/vm").status, 200)


class Readers(Hostile):
    def test_events(self):
        name = "x" * 60 + "/" + "y" * 60 + "/" + "z" * 60
        self.d.put_image(name, {})
        before = self.memory()
        slow = [self.connect(b"GET /events?since=0 HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n") for _ in range(READERS)]
        for s in slow:
            self.assertEqual(s.recv(15), b"HTTP/1.1 200 OK")
        for _ in range(800):  # more than the manager holds for a reader
            self.d.put_image(name, {})
        self.assertLess(self.memory() - before, READERS * READER_KIB)
        self.assertEqual(self.d.call("GET", "/events?since=0").status, 200)


class Names(Hostile):
    def everything(self):
        return sorted(os.path.join(d, f) for d, _, fs in os.walk(self.d.folder) for f in fs
                      if "/run/vm/" not in d and not f.startswith("state.db") and f != "log")

    def refused_all(self, ask):
        for name in ELSEWHERE:
            answer = ask(name)
            self.assertTrue(400 <= answer.status < 500, (name, answer))

    def status(self, method, path, body, headers):
        """Also of what the HTTP library refuses by itself."""
        connection = self.d.connection()
        connection.request(method, path, body, headers)
        status = connection.getresponse().status
        connection.close()
        return status

    def test_fields(self):
        self.d.put_shell("long", "exec sleep 1000")
        self.d.wait_pool()
        before = self.everything()
        fields = {
            "image_name": lambda n: {"image_name": n}, "name": lambda n: {"name": n}, "network": lambda n: {"network": n},
            "volume source": lambda n: {"volumes": [{"source": n, "target": "/data"}]},
            "volume target": lambda n: {"volumes": [{"source": self.d.folder, "target": n}]},
        }
        for what, make in fields.items():
            with self.subTest(what):
                self.refused_all(lambda n, make=make: self.d.call("POST", "/vm/run", {"image_name": "long", **make(n)}))
        with self.subTest("name of an image"):
            self.refused_all(lambda n: self.d.call("POST", "/image", {"source": "long", "name": n}))
            self.refused_all(lambda n: self.d.call("POST", "/image", {"source": "long", "name": "long:" + n}))
            self.refused_all(lambda n: self.d.call("POST", "/image", {"source": n, "name": "other"}))
        for what, make in {
            "service": lambda n: {n: {"image": "long"}}, "image of a service": lambda n: {"a": {"image": n}},
            "dependency": lambda n: {"a": {"image": "long", "depends_on": [n]}}, "network of a service": lambda n: {"a": {"image": "long", "network": n}},
        }.items():
            with self.subTest(what):
                self.refused_all(lambda n, make=make: self.d.call("PUT", "/app/a", {"services": make(n)}))
        self.assertEqual(self.d.call("GET", "/vm").json["items"], [])
        self.assertEqual(self.everything(), before)

    def test_paths(self):
        self.d.put_shell("long", "exec sleep 1000")
        self.d.wait_pool()
        before = self.everything()
        config = {"Uigniter-Config": json.dumps({"cmd": ["x"]}), "Content-Type": "application/octet-stream"}
        for name in ("..%2fx", "%2e%2e%2fx", "%2fetc%2fpasswd", "a%2f..%2f..%2fx", "%00", "a%00", "%0a", "..", "%2e%2e", "a:..", "a:..%2fx", "%ff", "%"):
            for method, path, body, headers in (("PUT", "/image/", b"x", config), ("GET", "/image/", None, {}), ("DELETE", "/image/", None, {}),
                                                ("PUT", "/app/", b'{"services":{"a":{"image":"long"}}}', {"Content-Type": "application/json"}),
                                                ("GET", "/app/", None, {}), ("DELETE", "/app/", None, {}), ("GET", "/vm/", None, {}),
                                                ("DELETE", "/vm/", None, {}), ("GET", "/pool/", None, {})):
                status = self.status(method, path + name, body, headers)
                self.assertTrue(400 <= status < 500, (method, path + name, status))
        self.assertEqual(self.everything(), before)


if __name__ == "__main__":
    need()
    main()
