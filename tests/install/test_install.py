# SPDX-License-Identifier: Apache-2.0
"""
`meson install` into a folder: all that belongs there is there and nothing else; systemd finds nothing wrong with the unit; the
manager started from there, with no more rights than the unit gives it, finds its monitor and its libOS and runs a VM.
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "api"))
import harness

BUILD = os.environ["UIGNITER_BUILD"]
WANTED = {  # below the prefix, executable
    "bin/uigniter": True,
    "bin/uigniterd": True,
    "libexec/uigniter/uvmm": True,
    "libexec/uigniter/uigniter-build": True,
    "libexec/uigniter/libos.elf": False,
    "share/man/man1/uigniter.1": False,
    "share/man/man1/uvmm.1": False,
    "share/man/man5/uigniterd.conf.5": False,
    "share/man/man8/uigniterd.8": False,
    "share/bash-completion/completions/uigniter": False,
    "share/zsh/site-functions/_uigniter": False,
    "share/fish/vendor_completions.d/uigniter.fish": False,
    "lib/systemd/system/uigniterd.service": False,
}
CONF = "etc/uigniter/uigniterd.conf"


class Install(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        options = json.loads(subprocess.run(["meson", "introspect", "--buildoptions", BUILD], check=True, capture_output=True).stdout)
        cls.option = {o["name"]: o["value"] for o in options}
        cls.temp = tempfile.TemporaryDirectory(prefix="uig-install-")
        cls.addClassCleanup(cls.temp.cleanup)
        cls.top = os.path.join(cls.temp.name, "root")
        os.chmod(cls.temp.name, 0o755)
        subprocess.run(["meson", "install", "-C", BUILD, "--no-rebuild", "--destdir", cls.top], check=True, capture_output=True)
        cls.prefix = cls.top + cls.option["prefix"]

    def unit(self):
        with open(os.path.join(self.prefix, "lib/systemd/system/uigniterd.service"), encoding="utf-8") as file:
            return file.read()

    def test_files(self):
        there = {os.path.join(d, f) for d, _, names in os.walk(self.top) for f in names}
        wanted = {os.path.join(self.prefix, name): executable for name, executable in WANTED.items()}
        wanted[os.path.join(self.prefix, CONF)] = False
        self.assertEqual(there, set(wanted))
        for path, executable in wanted.items():
            self.assertEqual(bool(os.stat(path).st_mode & 0o111), executable, path)
            self.assertGreater(os.path.getsize(path), 0, path)

    def test_unit(self):
        command = re.search(r"^ExecStart=(\S+) --config (\S+)$", self.unit(), re.M)
        for path in command.groups():
            self.assertTrue(os.path.exists(self.top + path), path)
        if not shutil.which("systemd-analyze"):
            self.skipTest("needs systemd-analyze")
        path = os.path.join(self.temp.name, "uigniterd.service")
        with open(path, "w", encoding="utf-8") as file:
            file.write(self.unit().replace("ExecStart=", "ExecStart=" + self.top))
        done = subprocess.run(["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", path], capture_output=True, text=True)
        about = [line for line in (done.stdout + done.stderr).splitlines() if "uigniterd" in line]
        self.assertEqual((done.returncode, about), (0, []), done)
        # its sum of what is left open, 0 to 100: capabilities, devices and network that a manager of VMs needs
        done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--threshold=55", "--no-pager", path], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_completion(self):
        """What is installed is what the command prints."""
        for shell, path in {"bash": "share/bash-completion/completions/uigniter", "zsh": "share/zsh/site-functions/_uigniter",
                            "fish": "share/fish/vendor_completions.d/uigniter.fish"}.items():
            printed = subprocess.run([os.path.join(self.prefix, "bin/uigniter"), "completion", shell], check=True, capture_output=True)
            with open(os.path.join(self.prefix, path), "rb") as file:
                self.assertEqual(file.read(), printed.stdout)

    def rights(self):
        """The command that gives a program the unit's capabilities and no others."""
        names = " ".join(re.findall(r"^CapabilityBoundingSet=(.*)$", self.unit(), re.M)).split()
        self.assertGreater(len(names), 5)
        return ["setpriv", "--no-new-privs", "--bounding-set", ",".join(["-all"] + ["+" + n[4:].lower() for n in names])]

    def test_runs(self):
        if harness.missing("uvmm"):
            self.skipTest(harness.missing("uvmm"))
        if not shutil.which("setpriv"):
            self.skipTest("needs setpriv")
        rights = self.rights()

        class Installed(harness.Daemon):
            def start(self):
                self.arguments = rights + self.arguments
                super().start()

        harness.DAEMON = os.path.join(self.prefix, "bin/uigniterd")
        volumes = tempfile.TemporaryDirectory(prefix="uig-volume-")
        self.addCleanup(volumes.cleanup)
        d = Installed("--config", os.path.join(self.prefix, CONF), "--nat", "--log-format", "json", monitor="uvmm", volume_root=volumes.name)
        self.addCleanup(d.clean)
        with open(f"/proc/{d.process.pid}/status", encoding="ascii") as file:
            effective = int(re.search(r"^CapEff:\s*(\w+)", file.read(), re.M).group(1), 16)
        self.assertLessEqual(bin(effective).count("1"), rights[-1].count("+"))
        d.put_image("server", {"cmd": ["/bin/server", "serve", "8000"], "ports": [8000]}, harness.guest_image())
        vm = d.run("server", wait="ready", volumes=[{"source": volumes.name, "target": "/data"}])
        programs = {os.path.realpath(f"/proc/{p.split()[0]}/exe") for p in d.processes()}
        self.assertIn(os.path.join(self.prefix, "libexec/uigniter/uvmm"), programs)
        with d.connect_inside(vm["ip_address"], 8000) as s:
            s.sendall(b"hello")
            self.assertEqual(s.recv(5), b"hello")
        self.assertGreater(d.call("GET", f"/vm/{vm['id']}/stats").json["pss_bytes"], 0)
        with open(os.path.join(d.folder, "log"), encoding="utf-8") as log:
            d.end()
            said = [json.loads(line)["msg"] for line in log]
        self.assertEqual((said.count("serving"), said[-1]), (1, "ended"))

    def test_cannot_start(self):
        """Why is told in the form that was asked for."""
        for form in ("text", "json"):
            done = subprocess.run([os.path.join(self.prefix, "bin/uigniterd"), "--log-format", form, "--monitor", "uvmm", "--uvmm", "/none",
                                   "--run-dir", os.path.join(self.temp.name, "run")], capture_output=True, text=True)
            self.assertEqual(done.returncode, 1)
            line = json.loads(done.stderr)["msg"] if form == "json" else done.stderr
            self.assertIn("cannot start", line)


unittest.main(verbosity=2)
