# SPDX-License-Identifier: Apache-2.0
"""
Clients that do everything at random to one manager: starts, stops, restarts, applications, functions, images and builds of them, kernels,
networks, templates, snapshots, operations; monitors killed by SIGKILL, prepared ones too; bad requests, half-sent ones, readers that do not
read, clients that are gone before their answer. What a client does comes from the seed and its number; how the clients meet is the
machine's. At some steps the manager itself is killed and started again: what was asked of it then may be lost, what comes next may not.

Every answer has to keep to the contract, and none may be the manager's own failure (500).
"""
import collections
import http.client
import json
import os
import random
import signal
import socket
import threading

from context import context
from harness import BUILD, TIMEOUT_S

MOST_VMS = 8
MOST_HELD = 12  # connections that a client leaves open
READY_MS = 2000  # a client that waits for one that another has paused does not wait for long
CHATTER_BYTES = 400000
LATER = {503, 504}  # not now, for a reason that the answer gives
NO_ANSWER = {502}  # of a function whose program is no HTTP server, or has just been killed
SOME_OPERATIONS = 8
LOST = (http.client.HTTPException, OSError)

BAD = [
    ("POST", "/vm/run", "{", {}), ("POST", "/vm/run", "[" * 5000, {}), ("POST", "/vm/run", '{"image_name":"../../etc"}', {}),
    ("POST", "/vm/run", '{"image_name":"server","memory_mib":-1}', {}), ("POST", "/vm/run", '{"image_name":"nothing"}', {}),
    ("POST", "/vm/run", "{}", {"Content-Type": "text/plain"}), ("POST", "/vm/run", "x" * (2 << 20), {}),
    ("PUT", "/image/bad", "x", {"Uigniter-Config": "{"}), ("PUT", "/app/bad", "[]", {}), ("GET", "/vm/nothing", None, {}),
    ("PUT", "/app/bad", '{"services":{"a":{"image":"server","depends_on":["a"]}}}', {}), ("GET", "/vm?limit=x", None, {}),
    ("GET", "/vm/..%2f..%2fetc/logs", None, {}), ("DELETE", "/image/nothing", None, {}), ("GET", "/events?since=-1", None, {}),
]
HALF = [
    b"GET /vm HTTP/1.1\r\nHost: loc", b"GE", b"\x16\x03\x01\x02\x00",
    b"POST /vm/run HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"image_name\"",
    b"PUT /image/half HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000\r\n\r\n" + b"x" * 100000,
    b"PUT /image/half HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nfffff\r\nx",
]


def kill(pid, folder):
    """SIGKILL to a process of the manager in that folder, and to no other that may have got its number."""
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return False
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            ours = folder.encode() in file.read() or os.readlink(f"/proc/{pid}/cwd").startswith(folder)
        if ours:
            signal.pidfd_send_signal(fd, signal.SIGKILL)
        return ours
    except OSError:
        return False  # it has ended
    finally:
        os.close(fd)


class Client:
    """One of them: carry out next() as often as wanted, then close()."""

    def __init__(self, storm, number):
        self.storm, self.d = storm, storm.d
        self.random = random.Random(f"{storm.seed}/{number}")
        self.held = []

    def ask(self, method, path, body=None, headers=None, also=frozenset()):
        answer = self.d.call(method, path, body, headers)
        assert answer.status < 500 or answer.status in LATER | also, (method, path, answer)
        return answer

    def some_vm(self):
        items = self.ask("GET", "/vm").json["items"]
        return f"/vm/{self.random.choice(items)['id']}" if items else "/vm/nothing"

    def hold(self, data):
        s = socket.socket(socket.AF_UNIX)
        s.connect(self.d.socket)
        s.settimeout(TIMEOUT_S)
        try:
            s.sendall(data)
        except OSError:
            pass  # refused before all was read
        self.held.append(s)
        if len(self.held) > MOST_HELD:
            self.held.pop(self.random.randrange(len(self.held))).close()

    # --- what they do ---------------------------------------------------------

    def fields(self):
        more = {"kernel": "storm"} if self.storm.kernel and self.random.random() < 0.1 else {}
        if self.random.random() < 0.2:
            more["network"] = self.random.choice(["red", "blue"])
        return {"image_name": self.random.choice(["server", "server", "chatter", "short", "spare", "http", "built"]), **more,
                "wait": self.random.choice(["none", "started", "ready"]), "wait_timeout_ms": READY_MS,
                "auto_remove": self.random.random() < 0.3, "ports": [{"guest": 8000}] if self.random.random() < 0.5 else []}

    def run(self):
        items = self.ask("GET", "/vm").json["items"]
        if len(items) >= MOST_VMS:
            self.ask("DELETE", f"/vm/{self.random.choice(items)['id']}?force=true")
        self.ask("POST", "/vm/run", self.fields())

    def gone(self):
        body = json.dumps({**self.fields(), "auto_remove": True}).encode()
        self.hold(b"POST /vm/run HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
                  % len(body) + body)
        self.held.pop().close()

    def act(self):
        self.ask("POST", self.some_vm() + self.random.choice(["/stop?timeout=1", "/kill", "/restart", "/start", "/pause", "/resume"]))

    def remove(self):
        self.ask("DELETE", self.some_vm() + self.random.choice(["", "?force=true"]))

    def look(self):
        self.ask("GET", self.random.choice(["/vm", "/image", "/pool", "/app", "/events?since=0", "/metrics", self.some_vm()]))

    def kill(self):
        """Of a VM or of the pool, running or still being made."""
        with self.storm.up:  # a manager that is just starting is not taken for one
            processes = self.d.processes()
            if processes and kill(int(self.random.choice(processes).split()[0]), self.d.folder):
                self.storm.count["killed"] += 1

    def image(self):
        if self.random.random() < 0.5:
            self.ask("DELETE", "/image/spare")
        else:
            self.storm.put("spare", "short")

    def application(self):
        if self.random.random() < 0.3:
            self.ask("DELETE", "/app/storm")
        else:
            self.ask("PUT", "/app/storm", {"services": {"a": {"image": "server", "replicas": self.random.randint(1, 2)},
                                                        "b": {"image": "chatter", "depends_on": ["a"]}}})

    def snapshot(self):
        name = self.random.choice(["one", "two"])
        what = self.random.random()
        if what < 0.5:
            self.ask("POST", self.some_vm() + "/snapshot", {"name": name})
        elif what < 0.7:
            self.ask("DELETE", f"/snapshot/{name}")
        elif len(self.ask("GET", "/vm").json["items"]) < MOST_VMS:
            self.ask("POST", "/vm/run", {"from": name, "wait": "started", "auto_remove": True})

    def function(self):
        what = self.random.random()
        if what < 0.3:
            self.ask("PUT", "/fn/storm", {"image": self.random.choice(["http", "server"]), "start_timeout_ms": READY_MS, "timeout_ms": READY_MS,
                                          "idle_s": self.random.choice([0, 60])})
        elif what < 0.4:
            self.ask("DELETE", "/fn/storm")
        else:
            self.ask("GET", "/fn/storm/invoke/", also=NO_ANSWER)

    def build(self):
        begun = self.ask("POST", "/image/build?name=built", self.storm.context, {"Content-Type": "application/x-tar"})
        if begun.status == 202 and self.random.random() < 0.5:
            self.ask("GET", begun.headers["location"] + "?wait=2")

    def operation(self):
        items = self.ask("GET", "/operation").json["items"]
        for one in items[SOME_OPERATIONS:] or items[-1:]:
            self.ask("DELETE", f"/operation/{one['id']}")

    def kernel(self):
        if not self.storm.kernel or self.random.random() < 0.5:
            self.ask("DELETE", "/kernel/storm")
        else:
            self.ask("PUT", "/kernel/storm", self.storm.kernel, {"Content-Type": "application/octet-stream"})

    def template(self):
        items = self.ask("GET", "/template").json["items"]
        if items and self.random.random() < 0.5:
            self.ask("DELETE", f"/template/{self.random.choice(items)['id']}")
        else:
            self.ask("POST", "/template", {"image_name": "http"})

    def scale(self):
        self.ask("POST", "/app/storm/scale", {"services": {"a": self.random.randint(0, 3)}})

    def bad(self):
        method, path, body, headers = self.random.choice(BAD)
        try:
            answer = self.d.call(method, path, body, {"Content-Type": "application/json", **headers})
        except (BrokenPipeError, ConnectionResetError):
            return  # of one that sends too much
        assert 400 <= answer.status < 500, (method, path, answer)
        self.storm.count["refused"] += 1

    def half(self):
        self.hold(self.random.choice(HALF))

    def slow(self):
        path, more = self.random.choice([(self.some_vm() + "/logs?follow=true", ""), ("/events", "Accept: text/event-stream\r\n")])
        self.hold(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{more}\r\n".encode())

    OFTEN = [(run, 6), (act, 5), (kill, 4), (remove, 2), (look, 2), (gone, 1), (image, 1), (application, 1), (snapshot, 2), (function, 3), (build, 1),
             (operation, 1), (kernel, 1), (template, 1), (scale, 1), (bad, 3), (half, 2), (slow, 2)]

    def next(self):
        what = self.random.choices([w for w, _ in self.OFTEN], [n for _, n in self.OFTEN])[0]
        self.storm.doing[threading.get_ident()] = what.__name__
        generation = self.storm.generation
        try:
            what(self)
        except LOST:
            if not self.storm.lost(generation):
                raise
            self.storm.count["lost"] += 1
        self.storm.count[what.__name__] += 1
        self.storm.count["done"] += 1
        self.storm.step()

    def close(self):
        for s in self.held:
            s.close()


class Storm:
    """
    programs: name -> (configuration, data) of the images server, http, chatter and short. crashes: at which steps, of all clients together, the
    manager is killed.
    """

    def __init__(self, d, seed, programs, crashes=()):
        self.d, self.seed, self.programs = d, seed, programs
        self.count = collections.Counter()
        self.doing, self.wrong = {}, []
        self.up = threading.Condition(threading.RLock())
        self.crashes, self.steps, self.generation = set(crashes), 0, 0
        self.context = context()
        self.kernel = None
        if programs["server"][1]:  # VMs, which boot one
            with open(os.path.join(BUILD, "libos/libos.elf"), "rb") as file:
                self.kernel = file.read()
        for name in programs:
            self.put(name, name)

    def put(self, name, program):
        config, data = self.programs[program]
        answer = self.d.call("PUT", f"/image/{name}", data,
                             {"Uigniter-Config": json.dumps(config), "Content-Type": "application/octet-stream"})
        assert answer.status in (200, 201), answer

    def step(self):
        with self.up:
            self.steps += 1
            if self.steps not in self.crashes:
                return
            self.d.kill()
            self.d.start()
            self.generation += 1
            self.count["crashed"] += 1

    def lost(self, generation):
        """Whether the manager has been killed since it was this one; the next is there then."""
        with self.up:
            return self.generation != generation

    def client(self, number, goes_on):
        client = Client(self, number)
        try:
            steps = 0
            while not self.wrong and goes_on(steps):
                client.next()
                steps += 1
        except (AssertionError, *LOST) as error:
            self.wrong.append(f"client {number}, {self.doing[threading.get_ident()]}: {error!r}")
        finally:
            client.close()

    def blow(self, clients, goes_on, first=0):
        """Until goes_on(steps that a client has made) says no; then all is deleted."""
        threads = [threading.Thread(target=self.client, args=(first + n, goes_on)) for n in range(clients)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        assert not self.wrong, self.wrong
        self.clean()

    def clean(self):
        for path in ["/app/storm", "/fn/storm", *(f"/vm/{vm['id']}?force=true" for vm in self.d.call("GET", "/vm").json["items"])]:
            self.d.call("DELETE", path)
        while items := self.d.call("GET", "/operation").json["items"]:
            for one in items:
                self.d.call("DELETE", f"/operation/{one['id']}")  # ends one that runs, forgets one that has ended
        for one in self.d.call("GET", "/template").json["items"]:
            self.d.call("DELETE", f"/template/{one['id']}")
        # what a client asked for that was gone before its answer may have come to be since
        while items := self.d.call("GET", "/vm").json["items"]:
            for vm in items:
                self.d.call("DELETE", f"/vm/{vm['id']}?force=true")
        while left := self.d.call("GET", "/snapshot").json["items"]:
            self.d.call("DELETE", f"/snapshot/{left[0]['name']}")
        for path in ("/image/spare", "/image/built", "/kernel/storm"):
            self.d.call("DELETE", path)


def programs(monitor, guest_image, server, python):
    """What a storm runs: guest_image of tests/api/guest under VMs, host programs under the process monitor."""
    if monitor == "process":
        def shell(script):
            return {"cmd": ["sh", "-c", script], "process": {"program": "/bin/sh"}}, b""

        echo = ({"cmd": ["python3", "-c", server, "8000"], "ports": [8000], "process": {"program": python}}, b"")
        return {"server": echo, "http": echo,
                "chatter": shell(f"head -c {CHATTER_BYTES} /dev/zero | tr '\\0' 'x'; exec sleep 1000"), "short": shell("echo here; exit 3")}
    return {"server": ({"cmd": ["/bin/server", "serve", "8000"], "ports": [8000]}, guest_image),
            "http": ({"cmd": ["/bin/server", "http", "8000"], "ports": [8000], "memory_mib": 64}, guest_image),
            "chatter": ({"cmd": ["/bin/server", "chatter", str(CHATTER_BYTES)]}, guest_image),
            "short": ({"cmd": ["/bin/server", "show"]}, guest_image)}
