# SPDX-License-Identifier: Apache-2.0
"""
Debian's programs as unikernels: each test builds the image of a manifest of examples/programs by `uigniter image build`, as a
user does, runs it under a manager of its own (tests/api/harness.py) and drives it with the program's standard client, in
the namespace of the instances. UIGNITER_MONITOR names the monitor (uvmm by default, or qemu). A test whose program or client is
not installed is skipped.
"""
import json
import os
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "api"))
from harness import BUILD, TIMEOUT_S, Daemon, need, runner, skip  # noqa: E402

TREE = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
MANIFESTS = os.path.join(TREE, "examples", "programs")
MONITOR = os.environ.get("UIGNITER_MONITOR", "uvmm")
UIGNITER = os.path.join(BUILD, "cli", "uigniter")
LIMIT_S = TIMEOUT_S  # of one client: a bound, nothing is measured with it


def need_vms():
    need()
    if MONITOR == "uvmm" and not os.access("/dev/kvm", os.R_OK | os.W_OK):
        skip("needs /dev/kvm")
    if MONITOR == "qemu" and not shutil.which("qemu-system-x86_64"):
        skip("needs qemu-system-x86_64")
    if not shutil.which("mkfs.erofs"):
        skip("needs mkfs.erofs")
    for part in (os.path.join(BUILD, "libos/libos.elf"), UIGNITER):
        if not os.path.exists(part):
            skip(f"needs {part}")


def need_installed(*paths):
    """Decorator of a test: programs by name, files by path."""
    missing = [p for p in paths if not (os.path.exists(p) if p.startswith("/") else shutil.which(p))]
    return unittest.skipIf(missing, f"not installed: {', '.join(missing)}")


def main():
    """Runs the tests of the file; 77 when not one of them could run."""
    need_vms()
    program = unittest.main(argv=[sys.argv[0], "-v", *sys.argv[1:]], testRunner=runner(), exit=False)
    result = program.result
    if result.wasSuccessful() and result.testsRun == len(result.skipped):
        skip("; ".join(sorted({reason for _, reason in result.skipped})))
    sys.exit(not result.wasSuccessful())


class ProgramTest(unittest.TestCase):
    """One manager for all tests of a class; each test's instances are removed at its end."""

    @classmethod
    def setUpClass(cls):
        cls.d = Daemon(monitor=MONITOR, pool=1)
        cls.addClassCleanup(cls.d.clean)

    @classmethod
    def tearDownClass(cls):
        cls.d.end()

    def setUp(self):
        self.addCleanup(self.remove_instances)

    def remove_instances(self):
        for vm in self.d.call("GET", "/vm").json["items"]:
            if vm["state"] in ("crashed", "failed") or not vm["state"]:
                print(vm, self.log(vm), sep="\n")
            self.d.call("DELETE", f"/vm/{vm['id']}?force=true")

    def cli(self, *words, status=0):
        """What `uigniter` prints; its exit status must be this."""
        done = subprocess.run([UIGNITER, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT_S,
                              env={**os.environ, "UIGNITER_HOST": f"unix://{self.d.socket}"})
        self.assertEqual(done.returncode, status, (words, done.stdout, done.stderr))
        return done.stdout

    def build(self, manifest, *options):
        """The name of the image of a manifest: of this folder's examples, or by its path."""
        if not manifest.startswith("/"):
            manifest = os.path.join(MANIFESTS, manifest + ".yaml")
        return self.cli("image", "build", *options, manifest).strip()

    def folder(self, label="context", /, **files):
        """A context: a new folder with these files (text or bytes by name)."""
        folder = os.path.join(self.d.folder, f"{label}-{self.id()}")
        os.makedirs(folder)
        for name, content in files.items():
            with open(os.path.join(folder, name), "wb") as f:
                f.write(content if isinstance(content, bytes) else content.encode())
        return folder

    def start(self, image, **fields):
        """A service: returns when it is ready."""
        answer = self.d.call("POST", "/vm/run", {"image_name": image, "wait": "ready", "wait_timeout_ms": LIMIT_S * 1000, **fields})
        self.assertEqual(answer.status, 201, (answer, answer.status == 503 and self.log({"id": answer.json["vm_id"]})))
        return answer.json

    def output(self, image, *words, status=0, options=(), libos=None):
        """What a program that ends by itself writes, run in the foreground as a user does. What the libOS says goes to the list libos."""
        said = self.cli("run", "--rm", *options, image, *(["--", *words] if words else []), status=status)
        if MONITOR == "qemu":
            said = said.partition("uigniter-exit ")[0]  # a standard machine's way to say its status
        lines = said.splitlines(True)
        if libos is not None:
            libos += [line for line in lines if line.startswith("libos: ")]
        return "".join(line for line in lines if not line.startswith("libos: "))

    def inside(self, *argv, status=0, text=True, **more):
        """Output of a client in the namespace of the instances."""
        done = subprocess.run(["ip", "netns", "exec", self.d.netns, *argv], capture_output=True, text=text, timeout=LIMIT_S,
                              stdin=None if "input" in more else subprocess.DEVNULL, **more)
        self.assertEqual(done.returncode, status, (argv, done.stdout, done.stderr))
        return done.stdout

    def log(self, vm):
        return self.d.call("GET", f"/vm/{vm['id']}/logs").body.decode(errors="replace")

    def stop(self, vm, code=0):
        """Told to end by SIGTERM, it ends by itself with this status."""
        stopped = self.d.call("POST", f"/vm/{vm['id']}/stop?timeout=60").json
        self.assertEqual((stopped["state"], stopped["exit_code"]), ("stopped", code), (json.dumps(stopped), self.log(vm)))
