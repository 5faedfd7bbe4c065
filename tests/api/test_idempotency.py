# SPDX-License-Identifier: Apache-2.0
"""Idempotency-Key: every call that creates something makes it once for each key, whoever asks how often, and when."""
import io
import json
import os
import shutil
import tarfile
import tempfile

import harness
from harness import Daemon, DaemonTest, PYTHON, SERVER, main, missing, need

MANIFEST = "name: test/made\nprogram: /bin/sh\nargs: [-c, 'echo hi']\nmemory_mib: 32\n"


def tar(text):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        entry = tarfile.TarInfo("image.yaml")
        entry.size = len(text)
        archive.addfile(entry, io.BytesIO(text.encode()))
    return out.getvalue()


class KeyTest(DaemonTest):
    def ask(self, path, body, key, kind=None):
        return self.d.call("POST", path, body, {"Idempotency-Key": key, **({"Content-Type": kind} if kind else {})})

    def once(self, path, body, other, status, kind=None):
        """Made once, told twice; another body is refused, and so is another path."""
        key = "key of " + path
        first = self.ask(path, body, key, kind)
        again = self.ask(path, body, key, kind)
        self.assertEqual((first.status, again.status), (status, status), first)
        self.assertEqual(first.body, again.body)
        for header in ("location", "content-type"):
            self.assertEqual(first.headers.get(header), again.headers.get(header))
        self.assertEqual((first.headers.get("idempotency-replayed"), again.headers.get("idempotency-replayed")), (None, "true"))
        self.refused(self.ask(path, other, key, kind), 409, "idempotency_conflict")
        self.refused(self.ask(path + "?a=b", body, key, kind), 409, "idempotency_conflict")
        self.assertEqual(self.ask(path, body, key, kind).body, first.body)  # nor did that change anything
        return first.json

    def marked(self):
        """The operations of the contract that take the header."""
        paths = self.d.contract.document["paths"]
        ref = {"$ref": "#/components/parameters/IdempotencyKey"}
        return {p for p, item in paths.items() if ref in item.get("post", {}).get("parameters", [])}


class Keys(KeyTest):
    def test_all_that_create(self):
        self.d.put_shell("long", "exec sleep 1000")
        for path in ("/vm/run", "/vm/create"):
            self.once(path, {"image_name": "long"}, {"image_name": "long", "name": "x"}, 201)
        self.assertEqual(len(self.d.call("GET", "/vm").json["items"]), 2)
        self.once("/image", {"source": "long", "name": "long:2"}, {"source": "long", "name": "long:3"}, 201)
        made = self.once("/image/build", tar(MANIFEST), tar(MANIFEST + "#\n"), 202, "application/x-tar")
        self.assertEqual(len(self.d.call("GET", "/operation").json["items"]), 1)
        self.d.call("GET", f"/operation/{made['id']}?wait={harness.TIMEOUT_S}")
        self.assertEqual(self.marked(), {"/vm/run", "/vm/create", "/image", "/image/build", "/template", "/vm/{id}/snapshot"})

    def test_bad_keys(self):
        for path in self.marked():
            for key in ("", "k" * 129):
                self.refused(self.ask(path.replace("{id}", "x"), {}, key), 400, "bad_request")

    def test_nothing_made_nothing_kept(self):
        self.refused(self.ask("/vm/run", {"image_name": "later"}, "k"), 400, "not_found")
        self.refused(self.ask("/image", {"source": "later", "name": "x"}, "k"), 404, "not_found")  # another path: the key is free
        self.d.put_shell("later", "exec sleep 1000")
        self.assertEqual(self.ask("/vm/run", {"image_name": "later"}, "k").status, 201)

    def test_removed(self):
        """What removed itself is not made again; what a client removed is."""
        self.d.put_shell("short", "exit 0")
        first = self.ask("/vm/run", {"image_name": "short", "auto_remove": True}, "k")
        while self.d.call("GET", f"/vm/{first.json['id']}").status == 200:
            self.d.call("GET", f"/vm/{first.json['id']}/wait")
        again = self.ask("/vm/run", {"image_name": "short", "auto_remove": True}, "k")
        self.assertEqual((again.body, again.headers["idempotency-replayed"]), (first.body, "true"))
        vm = self.ask("/vm/run", {"image_name": "short"}, "other").json["id"]
        self.assertEqual(self.d.call("DELETE", f"/vm/{vm}?force=true").status, 204)
        self.assertNotEqual(self.ask("/vm/run", {"image_name": "short"}, "other").json["id"], vm)


class Bounds(KeyTest):
    def setUp(self):
        """1,700 images are synced to the disk one after the other: a file system in memory has no disk."""
        self.folder = tempfile.mkdtemp(prefix="uig-test-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None)
        self.addCleanup(shutil.rmtree, self.folder)
        self.d = Daemon(folder=self.folder)
        self.addCleanup(self.d.clean)

    def test_bounded(self):
        """The oldest go first."""
        self.d.put_shell("a", "exit 0")
        connection = self.d.connection()

        def name(key, **config):
            body = json.dumps({"source": "a", "name": "b", **config})
            return self.d.call("POST", "/image", body, {"Idempotency-Key": key, "Content-Type": "application/json"}, check=False,
                               connection=connection).headers.get("idempotency-replayed")

        for n in range(1024):
            self.assertIsNone(name(f"k{n}"))
        self.assertEqual(name("k0"), "true")
        self.assertIsNone(name("one more"))
        self.assertEqual(name("k1"), "true")
        self.assertIsNone(name("k0"))
        large = {"config": {"cmd": ["x" * 7000]}}
        for n in range(700):  # 5 MB of answers, where 4 MiB are kept
            self.assertIsNone(name(f"large{n}", **large))
        self.assertEqual(name("large699", **large), "true")
        self.assertIsNone(name("large0", **large))
        connection.close()


class InFlight(KeyTest):
    """A VM that is ready when the test says so."""
    def setUp(self):
        super().setUp()
        self.gate = os.path.join(self.d.folder, "gate")
        os.mkfifo(self.gate)
        os.chmod(self.gate, 0o644)
        self.d.put_image("gated", {"cmd": ["sh", "-c", f'read x <"{self.gate}"; exec {PYTHON} -c "$0" 8000', SERVER], "ports": [8000],
                                   "process": {"program": "/bin/sh"}})

    def open_gate(self):
        with open(self.gate, "w", encoding="ascii") as file:  # waits for the VM to open it
            file.write("go\n")

    def send(self, **fields):
        connection = self.d.connection()
        body = {"image_name": "gated", "wait": "ready", "wait_timeout_ms": 200000, **fields}
        connection.request("POST", "/vm/run", json.dumps(body), {"Idempotency-Key": "k", "Content-Type": "application/json"})
        return connection

    def one_vm(self):
        vms = []
        while not vms:
            vms = self.d.call("GET", "/vm").json["items"]
        self.assertEqual(len(vms), 1)
        return vms[0]["id"]

    def test_they_wait_for_the_first(self):
        first = self.send()
        vm = self.one_vm()
        others = [self.send() for _ in range(8)]
        self.refused(self.ask("/vm/run", {"image_name": "gated"}, "k"), 409, "idempotency_conflict")
        others.pop().close()
        self.open_gate()
        bodies = set()
        for connection in (first, *others):
            response = connection.getresponse()
            self.assertEqual(response.status, 201)
            bodies.add(response.read())
            connection.close()
        self.assertEqual(len(bodies), 1)
        self.assertEqual((self.one_vm(), json.loads(bodies.pop())["ready"]), (vm, True))

    def test_the_first_goes_away(self):
        first = self.send()
        vm = self.one_vm()
        others = [self.send() for _ in range(3)]
        first.close()
        others.append(self.send())
        self.open_gate()
        for connection in others:
            response = connection.getresponse()
            self.assertEqual((response.status, json.loads(response.read())["id"]), (201, vm))
            connection.close()
        self.one_vm()

    def test_upload_that_is_broken_off(self):
        """Half a context makes nothing, and leaves the key to the next."""
        self.assertTrue(os.access(harness.BUILDER, os.X_OK), f"needs {harness.BUILDER}: what is refused makes no folder to wait for")
        data = tar(MANIFEST)
        connection = self.d.connection()
        connection.putrequest("POST", "/image/build")
        for name, value in (("Idempotency-Key", "u"), ("Content-Type", "application/x-tar"), ("Content-Length", str(len(data)))):
            connection.putheader(name, value)
        connection.endheaders(data[:100])
        while not self.d.files("state", "build"):
            self.d.call("GET", "/healthz")
        connection.close()
        while True:
            answer = self.ask("/image/build", data, "u", "application/x-tar")
            if answer.status != 503:
                break
            self.assertEqual(answer.headers["retry-after"], "1")
        self.assertEqual((answer.status, answer.headers.get("idempotency-replayed")), (202, None))
        self.d.call("GET", answer.headers["location"] + f"?wait={harness.TIMEOUT_S}")


class Frozen(KeyTest):
    """Templates and snapshots are uvmm's."""
    options = {"monitor": "uvmm"}

    def setUp(self):
        if missing("uvmm"):
            self.skipTest(missing("uvmm"))
        super().setUp()

    def done(self, operation):
        ended = self.d.call("GET", f"/operation/{operation['id']}?wait={harness.TIMEOUT_S}").json
        self.assertEqual((ended["state"], ended["error"]), ("done", None), ended)

    def test_template_and_snapshot(self):
        self.d.put_image("server", {"cmd": ["/bin/server", "serve", "8000"], "ports": [8000], "memory_mib": 64}, harness.guest_image())
        vm = self.d.run("server", wait="ready")["id"]
        self.done(self.once(f"/vm/{vm}/snapshot", {"name": "one"}, {"name": "two"}, 202))
        self.assertEqual(len(self.d.call("GET", "/snapshot").json["items"]), 1)
        self.done(self.once("/template", {"image_name": "server"}, {"image_name": "server", "memory_mib": 64}, 202))
        self.assertEqual(len(self.d.call("GET", "/template").json["items"]), 1)


if __name__ == "__main__":
    need()
    main()
