# SPDX-License-Identifier: Apache-2.0
"""Device registers and rings, used as nobody should: the monitor goes on, or ends the VM with a reason, and stays small."""
from security import HostileTest, TIMEOUT_S, main, memory_kib, need_vms

EXITS = {"exit-kinds": ("crashed", None), "exit-noexec": ("failed", 126), "exit-signal": ("crashed", 255), "exit-code": ("stopped", 42),
         "exit-panic": ("crashed", None)}
REGISTERS = ["milestones", "debug", "kicks", "renegotiate"]
FREE = ["device-window", "everywhere"]  # may meet the EXIT register or a WAIT without end
RINGS = ["descriptors", "overlaps", "places", "live-rings", "console-of-ram", "restless"]
MEMORY_MAX_KIB = 160 * 1024  # of a monitor of a VM of 64 MiB: the guest's all, and room


class Devices(HostileTest):
    def watch(self, name, seconds=TIMEOUT_S):
        vm = self.attack(name, memory_mib=64)
        most = 0
        while not self.d.call("GET", f"/vm/{vm['id']}/wait?state=ended&timeout=0.2").json["reached"]:
            try:
                most = max(most, memory_kib(vm["pid"], "VmHWM"))
            except FileNotFoundError:
                break
            seconds -= 0.2
            if seconds < 0:
                break
        self.assertLess(most, MEMORY_MAX_KIB)
        found = self.ended(vm, 1)
        self.show(name, found, vm)
        return found

    def test_exits(self):
        for name, (state, code) in EXITS.items():
            with self.subTest(name):
                found = self.watch(name)
                self.assertEqual((found["state"], found["exit_code"]), (state, code), found)

    def test_registers(self):
        for name in REGISTERS:
            with self.subTest(name):
                found = self.watch(name)
                self.assertEqual((found["state"], found["exit_code"]), ("stopped", 42), found)

    def test_anywhere(self):
        for name in FREE:
            with self.subTest(name):
                self.watch(name, 5)

    def test_waits(self):
        for name in ("waits", "wait-forever"):
            with self.subTest(name):
                vm = self.attack(name)
                self.d.first_line(vm["id"])
                stopped = self.d.call("POST", f"/vm/{vm['id']}/stop?timeout=0.5").json
                # by the signal when the libOS had its turn between two waits
                self.assertIn((stopped["state"], stopped["exit_code"]), (("stopped", 137), ("stopped", 143)), stopped)

    def test_rings(self):
        for name in RINGS:
            with self.subTest(name):
                found = self.watch(name)
                self.assertEqual((found["state"], found["exit_code"]), ("stopped", 42), found)


if __name__ == "__main__":
    need_vms()
    main()
