# SPDX-License-Identifier: Apache-2.0
"""The wall around each monitor of a running VM, as the kernel tells it; tests/unit/vmm/test_sandbox.c tries it from inside."""
import os

from security import HostileTest, main, need_vms


def status(pid, task):
    with open(f"/proc/{pid}/task/{task}/status", encoding="ascii") as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)


class Sandbox(HostileTest):
    def test_every_thread(self):
        users = set()
        for name in ("one", "two"):
            vm = self.d.run("kvstore", name=name, wait="ready")
            pid = vm["pid"]
            tasks = [t for t in os.listdir(f"/proc/{pid}/task") if status(pid, t)["Kthread"] != "1"] \
                if "Kthread" in status(pid, pid) else os.listdir(f"/proc/{pid}/task")
            names = set()
            for task in tasks:
                s = status(pid, task)
                names.add(s["Name"])
                if s["Name"].startswith("kvm"):
                    continue  # the kernel's own, which runs nothing of the program
                ids = {int(i) for i in s["Uid"].split() + s["Gid"].split()}
                self.assertEqual(len(ids), 1, s)
                self.assertGreaterEqual(min(ids), 900000000)
                self.assertEqual(s["Groups"].strip(), "", s["Name"])
                for field in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
                    self.assertEqual(int(s[field], 16), 0, (s["Name"], field))
                self.assertEqual((s["NoNewPrivs"], s["Seccomp"]), ("1", "2"), s["Name"])
                self.assertEqual(os.listdir(f"/proc/{pid}/task/{task}/root"), [], s["Name"])
                users |= ids
            self.assertIn("vcpu0", names)
        self.assertEqual(len(users), 2)  # each VM is a user of its own


if __name__ == "__main__":
    need_vms()
    main()
