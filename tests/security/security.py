# SPDX-License-Identifier: Apache-2.0
"""
A hostile instance beside a well-behaved one, under a manager of its own (tests/api/harness.py). After each attack: the neighbour
answers, the manager's list is true, the monitor did not fail, the log is bounded; at the end of the test nothing is left
(the harness counts).
"""
import http.client
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "api"))
from harness import BUILD, Daemon, DaemonTest, TIMEOUT_S, main, need, skip, wait_stopped  # noqa: E402,F401

HOSTILE = os.path.join(BUILD, "tests/security/security-hostile")
KVSTORE = os.path.join(BUILD, "services/kvstore")
LOG_MAX_BYTES = 8 << 20  # both files of a console (daemon/console.h)
PORT = 9000


def need_vms():
    need()
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        skip("needs /dev/kvm")
    if not shutil.which("mkfs.erofs"):
        skip("needs mkfs.erofs")
    for part in (HOSTILE, KVSTORE, os.path.join(BUILD, "vmm/uvmm"), os.path.join(BUILD, "libos/libos.elf")):
        if not os.path.exists(part):
            skip(f"needs {part}")


def make_image(**programs):
    """An image of these files: the path inside by name, from the path outside."""
    with tempfile.TemporaryDirectory() as folder:
        for name, source in programs.items():
            path = os.path.join(folder, "root", "bin", name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            shutil.copy(source, path, follow_symlinks=False)
            if not os.path.islink(path):
                os.chmod(path, 0o755)
        image = os.path.join(folder, "image.erofs")
        subprocess.run(["mkfs.erofs", image, os.path.join(folder, "root")], check=True, capture_output=True)
        with open(image, "rb") as file:
            return file.read()


def memory_kib(pid, field="VmRSS"):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        for line in file:
            if line.startswith(field + ":"):
                return int(line.split()[1])
    return 0


class HostileTest(DaemonTest):
    options = {"monitor": "uvmm", "pool": 2}

    def setUp(self):
        super().setUp()
        d = self.d
        d.put_image("kvstore", {"cmd": ["/bin/kvstore"], "ports": [PORT]}, make_image(kvstore=KVSTORE))
        d.put_image("hostile", {}, make_image(hostile=HOSTILE))
        d.wait_pool()
        self.neighbour = d.run("kvstore", name="neighbour", wait="ready", ports=[{"guest": PORT}])
        self.neighbour_port = self.neighbour["ports"][0]["host"]
        self.ask_neighbour()

    def tearDown(self):
        # what happened must not have cost the neighbour, nor the manager's own order
        if self.d.process.poll() is None:
            self.ask_neighbour()
            self.assertEqual(self.state("neighbour"), ("running", None))
            for vm in self.d.call("GET", "/vm").json["items"]:
                self.assertEqual(self.d.call("DELETE", f"/vm/{vm['id']}?force=true").status, 204)
            self.assertEqual(self.d.call("GET", "/vm").json["items"], [])
        super().tearDown()

    def ask_neighbour(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.neighbour_port, timeout=TIMEOUT_S)
        connection.request("GET", "/nothing")
        answer = connection.getresponse()
        answer.read()
        connection.close()
        self.assertIn(answer.status, (200, 404))

    def state(self, vm):
        found = self.d.call("GET", f"/vm/{vm}").json
        return found["state"], found["exit_code"]

    def attack(self, name, **fields):
        """Starts one; returns what the manager says of it."""
        env = {"VICTIM_IP": self.neighbour["ip_address"], "VICTIM_IP6": self.neighbour["ipv6_address"] or "", "VICTIM_MAC": self.neighbour["mac"], "GATEWAY": "10.77.0.1"}
        return self.d.run("hostile", args=["/bin/hostile", name], env=env, **fields)

    def ended(self, vm, seconds=TIMEOUT_S):
        """Its end, or its end by force when it does not end by itself in that time; checked."""
        answer = self.d.call("GET", f"/vm/{vm['id']}/wait?state=ended&timeout={seconds}")
        if not answer.json["reached"]:
            answer = self.d.call("POST", f"/vm/{vm['id']}/stop?timeout=1")
            self.assertEqual(answer.status, 201, answer)
        found = self.d.call("GET", f"/vm/{vm['id']}").json
        self.assertIn(found["state"], ("stopped", "crashed", "failed"), found)
        self.assertTrue(found["reason"], found)
        for wrong in ("the monitor was ended", "the monitor ended", "signal 11", "signal 6:", "SIGBUS"):
            self.assertFalse(wrong in found["reason"] and "program" not in found["reason"], found)
        self.assertIn(found["state"], [item["state"] for item in self.d.call("GET", "/vm").json["items"] if item["id"] == vm["id"]])
        self.assertNotIn(f"{vm['pid']} ", [process[:len(str(vm["pid"])) + 1] for process in self.d.processes()])
        self.assertLessEqual(self.log_bytes(vm), LOG_MAX_BYTES)
        self.ask_neighbour()
        return found

    def log(self, vm):
        return self.d.call("GET", f"/vm/{vm['id']}/logs").body

    def log_bytes(self, vm):
        folder = os.path.join(self.d.state_dir, "vm", vm["id"])
        return sum(os.path.getsize(os.path.join(folder, name)) for name in os.listdir(folder))

    def show(self, name, found, vm):
        last = self.log(vm)[-300:].decode(errors="replace").strip().splitlines()
        print(f"{name}: {found['state']} {found['exit_code']} \"{found['reason']}\" | {last[-1] if last else ''}", flush=True)
