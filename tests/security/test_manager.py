# SPDX-License-Identifier: Apache-2.0
"""The API of a manager with real VMs under clients that are many, slow, half there or gone; after each a start works."""
import json
import socket
import threading

from security import HostileTest, TIMEOUT_S, main, memory_kib, need_vms

MANY = 200
GROWTH_KIB = 64 * 1024


class Manager(HostileTest):
    def raw(self, data):
        s = socket.socket(socket.AF_UNIX)
        self.addCleanup(s.close)
        s.connect(self.d.socket)  # waits while the manager's queue is full, as one with a time-out would not
        s.settimeout(TIMEOUT_S)
        s.sendall(data)
        return s

    def still_starts(self):
        vm = self.d.run("kvstore", wait="ready")
        self.assertEqual(self.d.call("DELETE", f"/vm/{vm['id']}?force=true").status, 204)
        self.ask_neighbour()

    def test_many_connections(self):
        before = memory_kib(self.d.process.pid)
        idle = []
        for _ in range(MANY):
            try:
                idle.append(self.raw(b"GET /vm HTTP/1.1\r\nHost: localhost\r\n"))  # never ended
            except OSError:
                break  # refused: a limit is an answer too
        self.assertGreater(len(idle), 10)
        for s in idle:
            s.close()
        self.still_starts()
        answers = []

        def ask():
            answers.append(self.d.call("GET", "/vm", check=False).status)

        threads = [threading.Thread(target=ask) for _ in range(MANY)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual(set(answers) - {200, 503}, set())
        self.assertIn(200, answers)
        self.assertLess(memory_kib(self.d.process.pid) - before, GROWTH_KIB)
        self.still_starts()

    def test_half_bodies(self):
        body = json.dumps({"image_name": "kvstore"}).encode()
        half = [self.raw(b"POST /vm/run HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
                         % len(body) + body[:5]) for _ in range(20)]
        half += [self.raw(b"PUT /image/half HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000\r\n\r\nxxxx") for _ in range(20)]
        half += [self.raw(b"PUT /image/half HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nx")]
        # these announce a body in an odd way, and do not send it
        half += [self.raw(b"POST /vm/run HTTP/1.1\r\nHost: localhost\r\n" + odd + b"\r\n\r\n")
                 for odd in (b"Content-Length: 1\r\nContent-Length: 2", b"Transfer-Encoding: what")]
        self.still_starts()
        for s in half:
            s.close()
        self.still_starts()
        self.assertEqual(self.d.call("GET", "/image/half").status, 404)
        self.assertEqual([item["name"] for item in self.d.call("GET", "/vm").json["items"]], ["neighbour"])

    def test_headers(self):
        for head in (b"X: " + b"x" * (1 << 20), b"\r\n".join(b"X%d: y" % n for n in range(20000)), b"X\0: y", b": y",
                     b"Content-Length: -1", b"Content-Length: 99999999999999999999999"):
            try:
                s = self.raw(b"GET /vm HTTP/1.1\r\nHost: localhost\r\n" + head + b"\r\n\r\n")
                answer = s.recv(100)
            except (BrokenPipeError, ConnectionResetError):
                continue  # closed before all was read
            except TimeoutError:
                self.fail(f"no answer to {head[:40]!r}")
            # a field that nobody knows is no fault; all else is refused or closed
            self.assertTrue(answer == b"" or answer[9:10] in (b"4", b"2"), (head[:40], answer))
        self.raw(b"\x16\x03\x01" + bytes(500)).close()
        self.still_starts()

    def test_slow_reader(self):
        before = memory_kib(self.d.process.pid)
        vm = self.attack("console", memory_mib=64)
        slow = [self.raw(f"GET /vm/{vm['id']}/logs?follow=true HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()) for _ in range(3)]
        self.assertEqual(self.ended(vm)["exit_code"], 0)
        self.assertLess(memory_kib(self.d.process.pid) - before, len(slow) * GROWTH_KIB)
        self.still_starts()
        size, last = 0, b""
        while last != b"0\r\n\r\n" and (data := slow[0].recv(1 << 16)):
            size, last = size + len(data), (last + data)[-5:]
        self.assertGreater(size, 0)

    def test_gone(self):
        """Clients that go away before their answer: what they asked for is done or not, and listed either way."""
        body = json.dumps({"image_name": "kvstore", "wait": "ready"}).encode()
        for _ in range(10):
            self.raw(b"POST /vm/run HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
                     % len(body) + body).close()
        self.still_starts()
        for item in self.d.call("GET", "/vm").json["items"]:
            if item["name"] != "neighbour":
                self.d.call("DELETE", f"/vm/{item['id']}?force=true")


if __name__ == "__main__":
    need_vms()
    main()
