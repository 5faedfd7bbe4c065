# SPDX-License-Identifier: Apache-2.0
"""
Images being made, walked (walk.py): builds in the manager with the operation behind them; the builder's process (uigniter-build); and `uigniter image
import`, whose process is the client's. Who says that an image is done has made the one that is made without faults, byte by byte.
"""
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "programs"))

import fault
from context import PROGRAM, context
from walk import Walked
from harness import BUILD, CLI, TIMEOUT_S, main, need, skip
from oci import docker_save, files_of, layer

BUILDER = os.path.join(BUILD, "cli", "uigniter-build")


class Made(Walked):
    """digest: of the image that is made without a fault."""

    def setUp(self):
        self.tar = context()
        self.digest = None
        super().setUp()

    def check_image(self):
        """Whether it is there; then it is the right one."""
        image = self.d.call("GET", "/image/walked")
        if image.status != 200:
            return False
        self.digest = self.digest or image.json["digest"]
        if image.json["digest"] != self.digest:
            self.lies.append(f"another image: {image.json}")
        return True

    def begin_build(self):
        begun = self.d.call("POST", "/image/build?name=walked", self.tar, {"Content-Type": "application/x-tar"})
        return begun.headers["location"]

    def build(self):
        """One that is waited for, with its result, and one that its client ends."""
        path = self.begin_build()
        ended = self.d.call("GET", f"{path}?wait={TIMEOUT_S}").json
        if self.check_image() != (ended["state"] == "done"):
            self.lies.append(f"{ended}, and the image is another matter")
        self.said(ended)
        self.d.call("GET", "/operation")
        self.d.call("DELETE", path)
        self.d.call("DELETE", "/image/walked")
        path = self.begin_build()
        self.d.call("DELETE", path)
        self.said(self.d.call("GET", f"{path}?wait={TIMEOUT_S}").json)


class Build(Made):
    def test_build_errors(self):
        self.walk(self.build, "error")

    def test_build_kills(self):
        self.walk(self.build, "kill")


class Builder(Made):
    """Behind the manager: what it starts is a script, which puts the fault in."""

    def begin(self):
        folder = tempfile.mkdtemp(prefix="uig-test-")
        os.chmod(folder, 0o755)
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        self.script = os.path.join(folder, "builder")
        self.write([])
        super().begin()

    def options(self):
        return ["--builder", self.script]

    def write(self, words):
        with open(os.open(self.script + ".new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o755), "w", encoding="ascii") as file:
            file.write(f"#!/bin/sh\nexec {' '.join([*words, BUILDER])} \"$@\"\n")
        os.rename(self.script + ".new", self.script)

    def one_build(self):
        path = self.begin_build()
        ended = self.d.call("GET", f"{path}?wait={TIMEOUT_S}").json
        self.assertIn(ended["state"], ("done", "failed"))
        self.assertEqual(self.check_image(), ended["state"] == "done", ended)
        self.said(ended)
        return ended

    def counted(self, words):
        os.chmod(words[words.index("-o") + 1], 0o666)
        self.write(words)
        self.assertEqual(self.one_build()["state"], "done")

    def walked(self, broken):
        self.write(fault.launch(broken))
        ended = self.one_build()
        self.write([])
        self.restored()
        return ended["state"] == "failed"  # else it was met all the same, and nothing hangs on it

    def walk_builder(self, kind):
        self.first(self.one_build)
        count = fault.calls_of(self.counted)
        self.clean()
        self.walk_each(list(fault.walk(count, kind)), self.walked)
        self.d.end()

    def test_builder_errors(self):
        self.walk_builder("error")

    def test_builder_kills(self):
        self.walk_builder("kill")


class Import(Made):
    def prepare(self):
        self.tmp = tempfile.mkdtemp(dir=self.d.folder)
        self.archive = os.path.join(self.d.folder, "archive")
        program = layer(*files_of(PROGRAM, "/lib64/ld-linux-x86-64.so.2", "/lib/x86_64-linux-gnu/libc.so.6"), ("srv",), ("srv/data", "x" * 5000))
        docker_save(self.archive, [program], Entrypoint=[PROGRAM])

    def import_image(self, words):
        """Its exit status. The process that takes what it leaves is behind it, so its end is waited for by the pipe."""
        return subprocess.run([*words, CLI, "-H", f"unix://{self.d.socket}", "image", "import", "-q", "-t", "walked", self.archive], check=False,
                              stdin=subprocess.DEVNULL, capture_output=True, env={**os.environ, "TMPDIR": self.tmp}).returncode

    def imported(self, words=()):
        status = self.import_image(words)
        there = self.check_image()
        if status == 0 and not there:
            self.lies.append("exit status 0, and no image")
        busy = True
        while left := os.listdir(self.tmp):
            self.assertTrue(busy, f"left behind: {left}")
            busy = self.d.processes()
        return status

    def walked(self, broken):
        status = self.imported(fault.launch(broken))
        self.restored()
        return status != 0

    def walk_import(self, kind):
        self.first(self.imported)
        count = fault.calls_of(self.imported)
        self.clean()
        self.walk_each(list(fault.walk(count, kind)), self.walked)
        self.d.end()

    def test_import_errors(self):
        self.walk_import("error")

    def test_import_kills(self):
        self.walk_import("kill")


if __name__ == "__main__":
    need()
    reason = fault.missing() or (None if shutil.which("mkfs.erofs") else "needs mkfs.erofs")
    if reason:
        skip(reason)
    main()
