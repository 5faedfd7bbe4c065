# SPDX-License-Identifier: Apache-2.0
"""Programs that fail, and programs that do not end."""
from security import HostileTest, main, need_vms

SIGNALS = {"null": 139, "illegal": 132, "privileged": 139, "port": 139, "divide": 136, "jump": 139, "overflow": 139,
           "no-stack": 139, "abort": 134}


class Crashes(HostileTest):
    def test_signals(self):
        for name, code in SIGNALS.items():
            with self.subTest(name):
                vm = self.attack(name)
                found = self.ended(vm)
                self.assertEqual((found["state"], found["exit_code"]), ("crashed", code), found)
                self.assertIn(f"signal {code - 128}", found["reason"])

    def test_all_at_once(self):
        vms = [(self.attack(name), code) for name, code in SIGNALS.items()]
        for vm, code in vms:
            self.assertEqual(self.ended(vm)["exit_code"], code)

    def test_spin(self):
        for name in ("spin", "spin-deaf", "sleep-deaf"):
            with self.subTest(name):
                vm = self.attack(name)
                self.d.first_line(vm["id"])
                self.ask_neighbour()
                stopped = self.d.call("POST", f"/vm/{vm['id']}/stop?timeout=0.5").json
                self.assertEqual(stopped["state"], "stopped", stopped)
                self.assertIn(stopped["exit_code"], (143, 137) if name == "spin" else (137,), stopped)
                self.ended(vm)
                vm = self.attack(name)
                self.d.first_line(vm["id"])
                self.assertEqual(self.d.call("DELETE", f"/vm/{vm['id']}?force=true").status, 204)
                self.assertEqual(self.d.call("GET", f"/vm/{vm['id']}").status, 404)

    def test_spinning_crowd(self):
        vms = [self.attack("spin-deaf") for _ in range(4)]
        for vm in vms:
            self.d.first_line(vm["id"])
        self.ask_neighbour()
        other = self.d.run("kvstore", wait="ready")
        self.assertTrue(other["ready"])
        for vm in vms:
            self.assertEqual(self.d.call("POST", f"/vm/{vm['id']}/kill").json["state"], "stopped")


if __name__ == "__main__":
    need_vms()
    main()
