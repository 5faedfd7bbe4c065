# SPDX-License-Identifier: Apache-2.0
"""
Limits by cgroup v2: a group for each VM, gone with it, taken over by the next manager; what is set in it where the host passes its
controllers on, and what is answered where it does not.
"""
import os
import unittest

from harness import Daemon, DaemonTest, cgroup_parent, main, need

ALL = {"cpu_percent": 150, "cpu_weight": 20, "pids": 64}


def group_of(pid):
    with open(f"/proc/{pid}/cgroup", encoding="ascii") as file:
        return [line.strip().rpartition("/")[2] for line in file if line.startswith("0::")][0]


class None_(DaemonTest):
    def test_refused(self):
        self.d.put_server()
        self.assertIsNone(self.d.call("GET", "/info").json["cgroup"])
        answer = self.d.call("POST", "/vm/run", {"image_name": "server", "limits": ALL})
        self.assertIn("--cgroup", self.refused(answer, 400, "bad_request")["detail"])
        self.assertIsNone(self.d.run("server", limits={})["limits"])
        for limits in ([], 1, {"cpu": 1}, {"pids": 0}, {"cpu_percent": "50"}, {"cpu_weight": 10001}):
            answer = self.d.call("POST", "/vm/run", {"image_name": "server", "limits": limits})
            self.assertTrue(self.refused(answer, 400, "invalid_field")["errors"][0]["pointer"].startswith("/limits"))


class WrongFolder(unittest.TestCase):
    def test_no_cgroup_file_system(self):
        with self.assertRaisesRegex(RuntimeError, "not on a file system of cgroup v2"):
            Daemon("--cgroup", f"/tmp/uig-test-cgroup-{os.getpid()}")
        d = Daemon.there[-1]
        d.clean()
        self.assertFalse(os.path.exists(f"/tmp/uig-test-cgroup-{os.getpid()}"))


@unittest.skipUnless(cgroup_parent(), "needs a cgroup v2 file system that can be written to")
class Groups(DaemonTest):
    options = {"pool": 2, "cgroup": True}

    def limit(self, group, file):
        with open(os.path.join(self.d.cgroup, group, file), encoding="ascii") as opened:
            return opened.read().strip()

    def test_comes_and_goes(self):
        self.d.put_shell("family", "sleep 1000 & sleep 1000 & echo here; wait")
        self.d.wait_pool()
        self.assertEqual(len(self.d.cgroups()), 2)
        vm = self.d.run("family")
        self.d.first_line(vm["id"])
        self.d.wait_pool()
        group = group_of(vm["pid"])
        self.assertIn(group, self.d.cgroups())
        self.assertEqual(len(self.d.cgroups()), 3)
        self.assertEqual(len(self.limit(group, "cgroup.procs").split()), 3)
        self.assertEqual(self.d.call("GET", "/info").json["cgroup"]["path"], self.d.cgroup)
        self.d.call("DELETE", f"/vm/{vm['id']}?force=true")
        while group in self.d.cgroups():
            self.d.call("GET", "/healthz")  # its last process may still be ending
        self.d.end()
        self.assertFalse(os.path.exists(self.d.cgroup))

    def test_taken_over(self):
        self.d.put_server()
        self.d.wait_pool()
        vm = self.d.run("server", wait="ready")
        group = group_of(vm["pid"])
        self.d.wait_pool()
        self.d.kill()
        self.assertEqual(len(self.d.cgroups()), 3)
        self.d.start()
        self.d.wait_pool()
        self.assertEqual(group_of(vm["pid"]), group)
        while len(self.d.cgroups()) != 3:
            self.d.call("GET", "/healthz")
        self.d.call("POST", f"/vm/{vm['id']}/kill")
        self.d.wait(vm["id"])
        while group in self.d.cgroups():
            self.d.call("GET", "/healthz")

    def test_limits(self):
        """What can be limited is; what can not is refused and says which controller is missing."""
        self.d.put_server()
        controllers = self.d.call("GET", "/info").json["cgroup"]["controllers"]
        for controller, limits, file, value in (("cpu", {"cpu_percent": 150}, "cpu.max", "150000 100000"),
                                                ("cpu", {"cpu_weight": 20}, "cpu.weight", "20"), ("pids", {"pids": 64}, "pids.max", "64")):
            answer = self.d.call("POST", "/vm/run", {"image_name": "server", "limits": limits})
            if controller not in controllers:
                self.assertIn(f"controller {controller}", self.refused(answer, 400, "bad_request")["detail"])
                continue
            self.assertEqual({k: v for k, v in answer.json["limits"].items() if v}, limits)
            self.assertEqual(self.limit(group_of(answer.json["pid"]), file), value)
        if "memory" in controllers:
            group = group_of(self.d.run("server", memory_mib=96)["pid"])
            self.assertEqual(self.limit(group, "memory.max"), str(96 << 20))
        print(f"controllers here: {controllers}")

    def test_one_manager(self):
        with self.assertRaisesRegex(RuntimeError, "another uigniterd uses"):
            Daemon("--cgroup", self.d.cgroup)
        Daemon.there[-1].clean()


if __name__ == "__main__":
    need()
    main()
