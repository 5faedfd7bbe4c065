# SPDX-License-Identifier: Apache-2.0
"""Floods and forged frames on the bridge: neighbour and manager still answer, and nobody takes the neighbour's place."""
import json
import subprocess

from security import HostileTest, main, need_vms


class Wire(HostileTest):
    def flood(self, name):
        vm = self.attack(name)
        self.d.first_line(vm["id"])
        for _ in range(5):
            self.ask_neighbour()
            self.assertEqual(self.d.call("GET", "/healthz").status, 200)
        other = self.d.run("kvstore", wait="ready")
        self.assertTrue(other["ready"])
        self.assertEqual(self.state(vm["id"])[0], "running")  # so it was during the flood
        self.assertEqual(self.d.call("POST", f"/vm/{vm['id']}/kill").json["state"], "stopped")
        self.ended(vm)

    def test_broadcast(self):
        self.flood("broadcast")

    def test_stolen_mac(self):
        self.flood("stolen-mac")

    def test_stolen_ip(self):
        self.flood("stolen-ip")

    def test_stolen_ip6(self):
        if not self.neighbour["ipv6_address"]:
            self.skipTest("this kernel has no IPv6")
        vm = self.attack("stolen-ip6")
        self.d.first_line(vm["id"])
        port = f"uig{vm['ip_address'].split('.')[-1]}"
        out = subprocess.run(["ip", "-n", self.d.netns, "-s", "-j", "link", "show", port], check=True, capture_output=True).stdout
        self.assertLess(json.loads(out)[0]["stats64"]["rx"]["packets"], 100)  # of thousands that were sent
        self.ask_neighbour()

    def test_rubbish_frames(self):
        self.flood("rubbish-frames")

    def test_datagrams(self):
        self.flood("datagrams")


if __name__ == "__main__":
    need_vms()
    main()
