# SPDX-License-Identifier: Apache-2.0
"""
Images built by the manager, of contexts that people upload: what comes out is the image; contexts of hostile people give nothing of the machine
away, end, and leave nothing behind.
"""
import gzip
import io
import os
import shutil
import signal
import subprocess
import tarfile
import tempfile

from harness import BUILD, DaemonTest, TIMEOUT_S, main, need, skip, together, wait_process

MANIFEST = "name: test/hello\nprogram: {program}\nargs: [-c, 'echo hi']\nmemory_mib: 32\n"


def context(files, kind=None):
    """A tar archive: names to texts, or to changes of the entry's head (a link)."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, what in files.items():
            entry = tarfile.TarInfo(name)
            if isinstance(what, dict):
                for key, value in what.items():
                    setattr(entry, key, value)
                tar.addfile(entry)
            else:
                data = what if isinstance(what, bytes) else what.encode()
                entry.size = len(data)
                tar.addfile(entry, io.BytesIO(data))
    return gzip.compress(out.getvalue()) if kind == "gzip" else out.getvalue()


def symlink(target):
    return {"type": tarfile.SYMTYPE, "linkname": target}


class Build(DaemonTest):
    def begin(self, data, query="", kind="application/x-tar"):
        answer = self.d.call("POST", "/image/build" + query, data, {"Content-Type": kind})
        self.assertEqual((answer.status, answer.json["kind"]), (202, "image.build"), answer)
        return answer.headers["location"]

    def build(self, *args, **more):
        return self.d.call("GET", self.begin(*args, **more) + f"?wait={TIMEOUT_S}").json

    def built(self, *args, **more):
        operation = self.build(*args, **more)
        self.assertEqual((operation["state"], operation["error"]), ("done", None), operation)
        image = self.d.call("GET", operation["location"])
        self.assertEqual((image.status, image.json), (200, operation["result"]), operation)
        self.assertEqual(self.d.files("state", "build"), [])
        return image.json

    def failed(self, *args, status=400, code="build_failed", **more):
        operation = self.build(*args, **more)
        self.assertEqual((operation["state"], operation["location"]), ("failed", None), operation)
        self.assertEqual((operation["error"]["status"], operation["error"]["code"]), (status, code), operation)
        self.assertNotIn(self.d.folder, operation["error"]["detail"])
        self.assertEqual(self.d.files("state", "build"), [])
        return operation["error"]["detail"]

    def content(self, image):
        """Its files, by fsck.erofs."""
        top = tempfile.mkdtemp(dir=self.d.folder)
        data = os.path.join(self.d.state_dir, "image", "data", image["digest"].removeprefix("sha256:") + ".erofs")
        subprocess.run(["fsck.erofs", f"--extract={top}/x", data], check=True, capture_output=True)
        return {os.path.relpath(os.path.join(d, f), top + "/x") for d, _, fs in os.walk(top + "/x") for f in fs}

    def test_of_a_context(self):
        with open("/bin/true", "rb") as file:
            program = file.read()
        files = {"image.yaml": MANIFEST.format(program="bin/true") + "files: [{from: sys, to: /srv}]\n", "bin/true": program,
                 "sys/a": "a", "sys/.wh.b": "b"}
        image = self.built(context(files))
        self.assertEqual((image["name"], image["config"]["memory_mib"], image["config"].get("process")), ("test/hello", 32, None))
        self.assertLessEqual({"bin/true", "srv/a", "srv/.wh.b", "lib64/ld-linux-x86-64.so.2"}, self.content(image))
        again = self.built(context(files, "gzip"), "?name=other:2", kind="application/gzip")
        self.assertEqual((again["name"], again["digest"]), ("other:2", image["digest"]))  # the same files, the same image
        elsewhere = self.built(context({"a/" + k: v for k, v in files.items()} | {"bin/true": program, "sys/a": "c"}), "?manifest=a/image.yaml")
        self.assertNotEqual(elsewhere["digest"], image["digest"])
        self.assertEqual(self.d.call("GET", "/image/test/hello").json["digest"], elsewhere["digest"])

    def test_of_a_manifest(self):
        """Of a program that the machine has; host mode runs it."""
        image = self.built(MANIFEST.format(program="/bin/sh"), kind="application/yaml")
        self.assertIn("bin/sh", self.content(image))
        vm = self.d.run("test/hello")
        self.assertEqual(self.d.wait(vm["id"])["exit_code"], 0)
        self.assertEqual(self.d.call("GET", f"/vm/{vm['id']}/logs").body, b"hi\n")

    def test_of_others(self):
        """OSv's manifest, with what it runs, and Capstan's package."""
        osv = {"usr.manifest": "[manifest]\n/tools/sh: /bin/sh\n"}
        image = self.built(context(osv), "?name=osv&manifest=usr.manifest&cmdline=/tools/sh%20-c%20%22echo%20a%20%20b%22")
        self.assertEqual(image["config"]["cmd"], ["/tools/sh", "-c", "echo a  b"])
        self.assertIn("tools/sh", self.content(image))
        self.assertIn("say what the image runs", self.failed(context(osv), "?name=osv&manifest=usr.manifest"))
        self.assertIn("says it itself", self.failed(context({"image.yaml": MANIFEST.format(program="/bin/sh")}), "?cmdline=/bin/sh"))
        with open("/bin/true", "rb") as file:
            capstan = {"p/meta/package.yaml": "name: cap/true\ntitle: t\nauthor: a\n", "p/bin/true": file.read(),
                       "p/meta/run.yaml": "runtime: native\nconfig_set:\n  default:\n    bootcmd: /bin/true x\nconfig_set_default: default\n"}
        image = self.built(context(capstan), "?manifest=p")
        self.assertEqual((image["name"], image["config"]["cmd"]), ("cap/true", ["/bin/true", "x"]))

    def test_wrong(self):
        self.assertIn("image.yaml in the context", self.failed(context({"x": ""})))
        self.assertIn("image.yaml:2", self.failed(context({"image.yaml": "name: [x"})))
        self.assertIn("nothing", self.failed(context({"image.yaml": MANIFEST.format(program="nothing")})))
        self.failed(b"no archive at all" * 100)
        self.failed(b"")
        self.failed(context({"x": ""})[:700])
        self.failed(MANIFEST.format(program="x") + "#" * 2**21, kind="application/yaml")
        refused = lambda query, status, kind="application/x-tar": self.assertEqual(
            self.d.call("POST", "/image/build" + query, b"", {"Content-Type": kind}).status, status, query)
        for query in ("?name=A", "?name=../x", "?manifest=/etc/passwd", "?manifest=../x", "?manifest=a/../../x", "?manifest=-", "?manifest=", "?cmdline=%22", "?cmdline=" + "a%20" * 300):
            refused(query, 400)
        refused("", 415, "application/json")
        self.assertEqual(self.d.call("GET", "/image").json["items"], [])
        self.assertEqual(self.d.files("state", "build"), [])

    def test_hostile(self):
        """Nothing of the machine that is not a program's gets into an image, and nothing is written outside."""
        program = {"image.yaml": MANIFEST.format(program="/bin/sh")}
        for more in ("/etc/passwd", "/etc/ssl", "/root", "/proc/self/environ", "/usr/../etc/passwd", "/var/lib/dpkg/status"):
            self.failed(context({"image.yaml": program["image.yaml"] + f"files: [{{from: {more}, to: /x}}]\n"}))
        for target in ("/etc/passwd", "../../../../../../../../../etc/passwd", "/proc/1/environ"):
            self.failed(context({"image.yaml": symlink(target)}))
            self.failed(context({"image.yaml": MANIFEST.format(program="x"), "x": symlink(target)}))
            self.failed(context({"image.yaml": program["image.yaml"] + "files: [{from: x, to: /x}]\n", "x": symlink(target)}))
        for name in ("../x", "/../x", "a/../../x"):
            self.failed(context({**program, name: "x"}))
        absolute = self.built(context({**program, os.path.join(self.d.folder, "state/x"): "x"}))  # it is one below the context
        self.assertEqual(self.d.files("state", "x"), [])
        self.failed(context({**program, "out": symlink(self.d.folder), "out/y": "x"}))
        self.assertFalse(os.path.exists(os.path.join(self.d.folder, "y")))
        devices = self.built(context({**program, "null": {"type": tarfile.CHRTYPE, "devmajor": 1, "devminor": 3}, "pipe": {"type": tarfile.FIFOTYPE}}))
        self.assertEqual(devices["digest"], absolute["digest"])
        # a loader that is none, of a program of the client's own
        with open("/bin/true", "rb") as file:
            patched = file.read().replace(b"/lib64/ld-linux-x86-64.so.2", b"/etc/passwd\0".ljust(27, b"\0"))
        self.assertIn("its loader /etc/passwd", self.failed(context({"image.yaml": MANIFEST.format(program="x"), "x": patched})))

    def gated(self):
        """The manager with a builder that stops itself before it begins; SIGCONT lets it go on."""
        script = os.path.join(self.d.folder, "builder")
        with open(os.open(script, os.O_WRONLY | os.O_CREAT, 0o755), "w", encoding="ascii") as file:
            file.write(f"#!/bin/sh\nkill -STOP $$\nexec {BUILD}/cli/uigniter-build \"$@\"\n")
        self.d.end()
        self.d.arguments += ["--builder", script]
        self.d.start()

    def builders(self):
        children = subprocess.run(["pgrep", "-P", str(self.d.process.pid)], check=False, capture_output=True).stdout
        return sorted(map(int, children.split()))

    def test_ended(self):
        """By its client, with the manager, by one that goes on after a manager that was killed."""
        self.gated()
        data = context({"image.yaml": MANIFEST.format(program="/bin/sh")})
        paths = [self.begin(data, f"?name=n:{n}") for n in range(4)]
        operations = [self.d.call("GET", p).json for p in paths]
        self.assertEqual([(o["state"], o["cancellable"]) for o in operations], [("running", True)] * 4)
        self.assertEqual(operations[3]["progress"]["step"], "waiting for its turn")
        first, second = self.builders()
        with open(f"/proc/{first}/status", encoding="ascii") as file:
            status = {k: v.split() for k, v in (line.split(":", 1) for line in file)}
        self.assertEqual((int(status["CapEff"][0], 16), int(status["CapPrm"][0], 16), status["NoNewPrivs"]), (0, 0, ["1"]))
        self.assertNotIn("0", status["Uid"] + status["Gid"])
        links = subprocess.run(["nsenter", f"--net=/proc/{first}/ns/net", "ip", "-o", "link"], check=True, capture_output=True, text=True).stdout
        self.assertRegex(links, r"^1: lo: .*\n$")
        for path in (paths[2], paths[1]):  # one that waits, one that runs
            self.assertEqual(self.d.call("DELETE", path).status, 202)
            self.assertEqual(self.d.call("GET", path + f"?wait={TIMEOUT_S}").json["error"]["code"], "cancelled")
        wait_process(second)
        last = [pid for pid in self.builders() if pid != first]
        self.assertEqual(len(last), 1)  # its place was free for the last
        builder = os.pidfd_open(last[0])
        while self.d.call("GET", paths[3] + "?wait=0.05").json["state"] == "running":
            try:
                signal.pidfd_send_signal(builder, signal.SIGCONT)  # it may not have stopped yet
            except ProcessLookupError:
                pass  # it has ended, and its image is being stored
        os.close(builder)
        self.assertEqual(self.d.call("GET", paths[3]).json["state"], "done")
        self.d.kill()
        wait_process(first)
        self.d.start()
        self.assertEqual(self.d.call("GET", paths[0]).json["error"]["code"], "manager_ended")
        self.assertEqual(self.d.files("state", "build"), [])
        path = self.begin(data)
        self.d.end()
        self.d.start()
        self.assertEqual(self.d.call("GET", path).json["error"]["code"], "manager_ended")

    def test_many(self):
        """Those that are too many are told to come again; a client that goes away leaves nothing."""
        half = []
        for _ in range(16):
            connection = self.d.connection()
            connection.putrequest("POST", "/image/build")
            connection.putheader("Content-Type", "application/x-tar")
            connection.putheader("Content-Length", "100000")
            connection.endheaders(b"x" * 512)
            half.append(connection)
        while len(self.d.files("state", "build")) < 16:
            self.d.call("GET", "/healthz")  # an exchange with the manager
        answer = self.d.call("POST", "/image/build", b"x", {"Content-Type": "application/x-tar"})
        self.refused(answer, 503, "unavailable")
        self.assertIn("retry-after", answer.headers)
        for connection in half:
            connection.close()
        while self.d.files("state", "build"):
            self.d.call("GET", "/healthz")
        data = context({"image.yaml": MANIFEST.format(program="/bin/sh")})
        self.assertEqual(together([lambda n=n: self.build(data, f"?name=many:{n}")["state"] for n in range(6)]), ["done"] * 6)
        self.assertEqual(len(self.d.call("GET", "/image").json["items"]), 6)

    def test_no_builder(self):
        self.d.end()
        self.d.arguments += ["--builder", "/nonexistent"]
        self.d.start()
        answer = self.d.call("POST", "/image/build", b"x", {"Content-Type": "application/x-tar"})
        self.assertIn("--builder", self.refused(answer, 503, "unavailable")["detail"])


if __name__ == "__main__":
    need()
    if not shutil.which("mkfs.erofs"):
        skip("mkfs.erofs is missing (Debian's package erofs-utils)")
    main()
