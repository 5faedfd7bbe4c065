# SPDX-License-Identifier: Apache-2.0
"""GET /events: pages and streams, going on behind the last one heard, slow readers."""
import json

from harness import DaemonTest, main, need


class Stream:
    def __init__(self, d, since=None, last=None):
        self.connection = d.connection()
        headers = {"Accept": "text/event-stream"}
        if last is not None:
            headers["Last-Event-ID"] = str(last)
        self.connection.request("GET", "/events" + (f"?since={since}" if since is not None else ""), headers=headers)
        self.response = self.connection.getresponse()
        assert self.response.status == 200, self.response.status
        assert self.response.headers["content-type"] == "text/event-stream"
        assert self.response.readline() == b": hello\n" and self.response.readline() == b"\n"

    def next(self):
        """One event as {id, event, data}; None at the end."""
        fields = {}
        while True:
            line = self.response.readline()
            if not line:
                return None
            if line == b"\n":
                fields["data"] = json.loads(fields["data"])
                return fields
            name, _, value = line.decode().rstrip("\n").partition(": ")
            fields[name] = value

    def until(self, kind):
        while True:
            event = self.next()
            if event["data"]["type"] == kind:
                return event

    def close(self):
        self.response.close()
        self.connection.close()


class Events(DaemonTest):
    def page(self, since=0):
        return self.d.call("GET", f"/events?since={since}").json

    def test_a_life(self):
        self.d.put_shell("short", "exit 5")
        stream = Stream(self.d)
        vm = self.d.run("short", name="x", wait="none")
        self.d.wait(vm["id"])
        self.d.call("DELETE", "/vm/x")
        types = []
        while not types or types[-1] != "vm.removed":
            event = stream.next()
            self.assertEqual(int(event["id"]), event["data"]["id"])
            self.assertEqual(event["data"]["vm"]["id"], vm["id"])
            types.append(event["data"]["type"])
            if types[-1] == "vm.stopped":
                self.assertEqual((event["data"]["vm"]["exit_code"], event["data"]["vm"]["state"]), (5, "stopped"))
        self.assertEqual(types, ["vm.created", "vm.starting", "vm.running", "vm.ready", "vm.stopped", "vm.removed"])
        stream.close()
        page = self.page()
        self.assertEqual([e["type"] for e in page["items"]], ["image.stored", *types])
        self.assertEqual([e["id"] for e in page["items"]], list(range(1, 8)))
        self.assertEqual(page["last"], 7)
        self.assertEqual(self.page(7)["items"], [])

    def test_going_on(self):
        self.d.put_shell("a", "exit 0")
        self.d.put_shell("b", "exit 0")
        for stream in (Stream(self.d, since=1), Stream(self.d, last=1), Stream(self.d, since=2, last=1)):
            self.assertEqual(stream.next()["data"]["image"], {"name": "b"})
            stream.close()
        stream = Stream(self.d, since=100)  # nobody was told of such a number: all from the beginning
        self.assertEqual(stream.next(), {"id": "0", "event": "gap", "data": {"lost": None}})
        self.assertEqual(stream.next()["id"], "1")
        stream.close()
        self.assertEqual([self.d.call("GET", f"/events?since={n}").json["lost"] for n in (0, 1, 2, 100)], [0, 0, 0, None])
        self.d.call("DELETE", "/image/a")
        self.assertEqual(self.page(2)["items"][0]["type"], "image.deleted")

    def test_of_an_earlier_manager(self):
        """Whoever goes on behind what an earlier manager told hears, once, that events are lost; numbers rise over all managers."""
        era = 1 << 32
        for name in "abc":
            self.d.put_image(name, {})
        for manager, end in ((1, self.d.end), (2, self.d.kill)):
            end()
            self.d.start()
            for last in (2, (manager - 1) * era + 3):  # before and behind the last one told
                stream = Stream(self.d, last=last)
                gap = stream.next()
                self.assertEqual(gap, {"id": str(manager * era), "event": "gap", "data": {"lost": None}})
                stream.close()
            self.assertEqual(self.page(2), {"items": [], "last": manager * era, "lost": None})
            stream = Stream(self.d, last=gap["id"])  # as a client that was told
            beginning = Stream(self.d, since=0)
            coming = Stream(self.d)
            self.d.put_image("d", {})
            for s in (stream, beginning, coming):
                event = s.next()
                self.assertEqual((event["id"], event["data"]["image"]), (str(manager * era + 1), {"name": "d"}))
                s.close()
            self.assertEqual(self.page(manager * era)["lost"], 0)
            for _ in range(2):
                self.d.put_image("d", {})

    def test_more_than_are_kept(self):
        self.d.put_image("x", {})
        slow = Stream(self.d, since=0)
        for _ in range(1100):
            self.d.put_image("x", {})
        page = self.page()
        self.assertEqual((len(page["items"]), page["last"], page["lost"]), (1024, 1101, 77))
        late = Stream(self.d, since=1)
        gap = late.next()
        self.assertEqual((gap["event"], gap["data"]), ("gap", {"lost": 76}))
        self.assertEqual(late.next()["id"], "78")
        late.close()
        ids = [int(slow.next()["id"]) for _ in range(1101)]  # it had room for all of them
        self.assertEqual(ids, list(range(1, 1102)))
        slow.close()

    def test_bad_queries(self):
        for since in ("-1", "x", "1e3", ""):
            self.refused(self.d.call("GET", f"/events?since={since}"), 400, "invalid_field")

    def test_streams_end_with_the_daemon(self):
        stream = Stream(self.d)
        self.d.end()
        while stream.next():
            pass
        stream.close()


class Stats(DaemonTest):
    def test_stream(self):
        """Figures come until the VM ends."""
        self.d.put_server()
        vm = self.d.run("server", wait="ready")["id"]
        self.refused(self.d.call("GET", f"/vm/{vm}/stats?interval_ms=1"), 400, "invalid_field")
        connection = self.d.connection()
        connection.request("GET", f"/vm/{vm}/stats?interval_ms=100", headers={"Accept": "text/event-stream"})
        response = connection.getresponse()
        self.assertEqual(response.getheader("Content-Type"), "text/event-stream")
        lines = [response.readline() for _ in range(6)]
        self.assertEqual([lines[0], lines[3]], [b"id: 1\n", b"id: 2\n"])
        for line in (lines[1], lines[4]):
            stats = json.loads(line.removeprefix(b"data: "))
            self.assertEqual(stats["id"], vm)
            self.d.contract.validate({"$ref": "#/components/schemas/Stats"}, stats, "stats")
        again = self.d.connection()
        again.request("GET", f"/vm/{vm}/stats", headers={"Accept": "text/event-stream", "Last-Event-ID": "41"})
        self.assertEqual(again.getresponse().readline(), b"id: 42\n")
        again.close()
        self.d.call("POST", f"/vm/{vm}/kill")
        response.read()  # to its end
        connection.close()


if __name__ == "__main__":
    need()
    main()
