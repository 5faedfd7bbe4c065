# SPDX-License-Identifier: Apache-2.0
"""GET /vm/{id}/logs as server-sent events: lines, going on by Last-Event-ID, gaps, ends; readers that do not read."""
import json
import socket

from harness import DaemonTest, main, need, TIMEOUT_S

EVENTS = {"Accept": "text/event-stream"}
FILE_BYTES = 4 << 20  # daemon/console_file.h
READERS = 200
READER_KIB = 256  # the most that one may cost the manager
# Writes what it is sent, so that a test says when.
TALK = """
import os, socket
s = socket.create_server(("0.0.0.0", 8000))
while True:
    c = s.accept()[0]
    while data := c.recv(65536):
        while data:
            data = data[os.write(1, data):]
        c.sendall(b".")
    c.close()
"""


class Stream:
    """One event after the other: {"id", "event", "data"}; several data fields are joined as a browser does it."""

    def __init__(self, d, vm, query="", last=None):
        self.connection = d.connection()
        headers = {**EVENTS, **({} if last is None else {"Last-Event-ID": str(last)})}
        self.connection.request("GET", f"/vm/{vm}/logs{query}", headers=headers)
        self.response = self.connection.getresponse()
        assert (self.response.status, self.response.getheader("Content-Type")) == (200, "text/event-stream")
        assert self.response.readline() == b": hello\n" and self.response.readline() == b"\n"

    def next(self):
        event, data = {}, []
        while (line := self.response.readline()) not in (b"\n", b""):
            name, _, value = line[:-1].partition(b": ")
            if name == b"data":
                data.append(value)
            else:
                event[name.decode()] = value.decode()
        return {**event, "data": b"\n".join(data)} if data else None

    def line(self):
        event = self.next()
        assert "event" not in event, event
        return int(event["id"]), event["data"]

    def rest(self):
        events = []
        while event := self.next():
            events.append(event)
        self.connection.close()
        return events


class Logs(DaemonTest):
    def setUp(self):
        super().setUp()
        self.d.put_image("talk", {"cmd": ["python3", "-c", TALK], "ports": [8000], "process": {"program": "/usr/bin/python3"}})
        vm = self.d.run("talk", wait="ready", ports=[{"guest": 8000}])
        self.said = 0
        self.vm, self.port = vm["id"], vm["ports"][0]["host"]

    def say(self, data):
        """When it is back, the manager has what the VM has written."""
        with socket.create_connection(("127.0.0.1", self.port), TIMEOUT_S) as speaker:
            for at in range(0, len(data), 65536):
                speaker.sendall(data[at:at + 65536])
            speaker.shutdown(socket.SHUT_WR)
            while speaker.recv(65536):
                pass
        self.said += len(data)
        while self.written() < self.said:
            pass  # each is an exchange with the manager, which reads in between

    def written(self):
        events = Stream(self.d, self.vm, "?tail=1&follow=false").rest()
        return int(events[0]["id"]) if "id" in events[0] else 0

    def kill(self):
        self.d.call("POST", f"/vm/{self.vm}/kill")
        self.d.wait(self.vm)

    def test_lines(self):
        stream = Stream(self.d, self.vm)
        for data, expected in ((b"one\n", (4, b"one")), (b"\n", (5, b"")), (b"two\r\n", (10, b"two")), (b"a\rb\n", (14, b"a\nb"))):
            self.say(data)
            self.assertEqual(stream.line(), expected)
        self.say(b"half")
        self.kill()
        self.assertEqual(stream.rest(), [{"id": "18", "data": b"half"}, {"event": "end", "data": b"{}"}])
        again = Stream(self.d, self.vm, last=10)  # of one that has ended, too
        self.assertEqual([again.line(), again.line()], [(14, b"a\nb"), (18, b"half")])
        self.assertEqual(again.rest(), [{"event": "end", "data": b"{}"}])

    def test_where_it_begins(self):
        self.say(b"one\ntwo\nthree\n")
        whole = [(4, b"one"), (8, b"two"), (14, b"three")]
        for query, last, expected in (("", None, whole), ("?tail=1", None, whole[2:]), ("?tail=0", None, []), ("", 4, whole[1:]),
                                      ("?tail=1", 0, whole), ("", 14, []), ("", 15, whole), ("", "x", whole), ("", -1, whole), ("", 6, [(8, b"o"), whole[2]]), ("?since=4", None, whole[1:]),
                                      ("?since=0&tail=1", None, whole), ("?since=99", None, []), ("?since=4", 8, whole[2:])):
            stream = Stream(self.d, self.vm, f"{query or '?'}&follow=false", last)
            self.assertEqual([stream.line() for _ in expected], expected, (query, last))
            self.assertEqual(stream.rest(), [{"event": "end", "data": b"{}"}])

    def test_since(self):
        """As text: what is behind an offset, which the header says again."""
        self.say(b"one\ntwo\nthree\n")
        for query, offset, text in (("", 0, b"one\ntwo\nthree\n"), ("?since=4", 4, b"two\nthree\n"), ("?since=14", 14, b""), ("?since=99", 14, b"")):
            answer = self.d.call("GET", f"/vm/{self.vm}/logs{query}")
            self.assertEqual((int(answer.headers["uigniter-offset"]), answer.body), (offset, text), query)
        self.refused(self.d.call("GET", f"/vm/{self.vm}/logs?since=-1"), 400, "invalid_field")

    def test_gap(self):
        """What was written before the last two files is gone; the next manager counts on."""
        self.say(b"first\n" + (b"x" * 1023 + b"\n") * (3 * FILE_BYTES // 1024))
        lost = 2 * FILE_BYTES - 6
        stream = Stream(self.d, self.vm, "?follow=false", last=6)
        self.assertEqual(stream.next(), {"event": "gap", "data": json.dumps({"lost": lost}, separators=(",", ":")).encode()})
        ids = [int(event["id"]) for event in stream.rest()[:-1]]
        self.assertEqual((ids[0], ids[-1]), (2 * FILE_BYTES + 6, 3 * FILE_BYTES + 6))
        self.d.kill()
        self.d.start()
        self.say(b"last\n")
        stream = Stream(self.d, self.vm, last=ids[-1])
        self.assertEqual(stream.line(), (ids[-1] + 5, b"last"))
        self.d.call("DELETE", f"/vm/{self.vm}?force=true")
        self.assertEqual(stream.rest(), [{"event": "end", "data": b"{}"}])

    def test_removed_while_it_is_read(self):
        """What a reader was given to read it gets, also when the VM goes."""
        data = b"".join(b"%09d\n" % n for n in range((FILE_BYTES + (1 << 20)) // 10))
        self.say(data)
        readers = []
        for _ in range(2):
            connection = self.d.connection()
            connection.request("GET", f"/vm/{self.vm}/logs?follow=true")
            readers.append(connection.getresponse())
        self.d.call("DELETE", f"/vm/{self.vm}?force=true")
        for reader in readers:
            self.assertEqual(reader.read(), data)
            reader.close()

    def test_readers_that_do_not_read(self):
        """They cost a bounded amount of the manager's memory, whatever was written."""
        self.say((b"x" * 1023 + b"\n") * (2 * FILE_BYTES // 1024))
        before = self.memory()
        slow = []
        for n in range(READERS):
            s = socket.socket(socket.AF_UNIX)
            self.addCleanup(s.close)
            s.connect(self.d.socket)
            s.sendall(f"GET /vm/{self.vm}/logs?follow={n % 2} HTTP/1.1\r\nHost: x\r\n".encode().replace(b"=0", b"=false").replace(b"=1", b"=true")
                      + (b"Accept: text/event-stream\r\n\r\n" if n % 4 < 2 else b"\r\n"))
            slow.append(s)
        for s in slow:
            self.assertEqual(s.recv(15), b"HTTP/1.1 200 OK")
        self.assertLess(self.memory() - before, READERS * READER_KIB)
        self.assertEqual(self.d.call("GET", "/vm").status, 200)
        for s in slow:
            s.close()

    def memory(self):
        with open(f"/proc/{self.d.process.pid}/smaps_rollup", encoding="ascii") as file:
            return sum(int(line.split()[1]) for line in file if line.startswith("Private_"))


if __name__ == "__main__":
    need()
    main()
