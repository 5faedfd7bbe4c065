# SPDX-License-Identifier: Apache-2.0
"""Networks that do not reach each other, NAT, and that nothing of their rules is left."""
import json
import shutil
import subprocess

from harness import Daemon, DaemonTest, main, need, PYTHON, skip, TIMEOUT_S

# Serves on port 8000, and tells on port 8001 whom of its questioner's list it reaches.
PEER = """
import socket, threading
def serve(s):
    while True:
        c, _ = s.accept()
        c.close()
def reaches(address, port, timeout):
    s = socket.socket()
    s.settimeout(float(timeout))
    try:
        s.connect((address, int(port)))
        return True
    except OSError:
        return False
    finally:
        s.close()
threading.Thread(target=serve, args=(socket.create_server(("0.0.0.0", 8000)),), daemon=True).start()
s = socket.create_server(("0.0.0.0", 8001))
while True:
    c, _ = s.accept()
    f = c.makefile("rw")
    for line in f:
        f.write("yes\\n" if reaches(*line.split()) else "no\\n")
        f.flush()
    c.close()
"""


def ip(*words, **more):
    return subprocess.run(["ip", *words], check=True, capture_output=True, text=True, **more).stdout


class NetworkTest(DaemonTest):
    def rules(self):
        return subprocess.run(["ip", "netns", "exec", self.d.netns, "nft", "list", "ruleset"], check=True, capture_output=True,
                              text=True).stdout

    def peer(self, name, **fields):
        self.d.put_image("peer", {"cmd": ["python3", "-c", PEER], "ports": [8001], "process": {"program": PYTHON}})
        return self.d.run("peer", name=name, wait="ready", **fields)

    def reaches(self, vm, address, expected=True, port=8000):
        """With time for what is expected: a machine that is busy must not make it fail."""
        with self.d.connect_inside(vm["ip_address"], 8001) as s, s.makefile("rw") as file:
            file.write(f"{address} {port} {TIMEOUT_S if expected else 0.2}\n")
            file.flush()
            return file.readline() == "yes\n"

    def matrix(self, vms, wanted):
        pairs = [(a, b) for a in vms for b in vms if a is not b]
        self.assertEqual({(a["name"], b["name"]) for a, b in pairs
                          if self.reaches(a, b["ip_address"], (a["name"], b["name"]) in wanted)}, wanted)


class Networks(NetworkTest):
    def test_reach_their_own(self):
        vms = [self.peer("a1", network="a"), self.peer("a2", network="a"), self.peer("b1", network="b.c-d"), self.peer("o1"),
               self.peer("o2", network="default")]
        self.assertEqual([vm["network"] for vm in vms], ["a", "a", "b.c-d", "default", "default"])
        self.matrix(vms, {("a1", "a2"), ("a2", "a1"), ("o1", "o2"), ("o2", "o1")})
        # nor through the bridge's address, when the host forwards
        subprocess.run(["ip", "netns", "exec", self.d.netns, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"], check=True)
        with open(f"/proc/{vms[0]['pid']}/ns/net", encoding="ascii") as inside:
            net = f"/proc/self/fd/{inside.fileno()}"
            for vm in (vms[1], vms[2], vms[3]):
                subprocess.run(["nsenter", f"--net={net}", "ip", "route", "add", vm["ip_address"], "via", "10.77.0.1"], check=True,
                               pass_fds=[inside.fileno()])
        self.assertFalse(self.reaches(vms[0], vms[2]["ip_address"], False))
        self.assertFalse(self.reaches(vms[0], vms[3]["ip_address"], False))
        # the next manager finds it as it was
        rules = self.rules()
        self.d.kill()
        self.assertEqual(self.rules(), rules)
        self.d.start()
        self.assertEqual(self.rules(), rules)
        self.assertEqual(self.d.call("GET", "/vm/b1").json["network"], "b.c-d")
        self.assertFalse(self.reaches(vms[3], vms[2]["ip_address"], False))
        # an address that comes back is nobody's
        for vm in vms[:3]:
            self.d.call("DELETE", f"/vm/{vm['id']}?force=true")
        while "table" in self.rules():
            self.d.call("GET", "/vm")  # each is an exchange with the daemon, whose loop goes on in between
        new = self.d.run("peer", name="new", wait="ready", ip_address=vms[0]["ip_address"])
        self.assertTrue(self.reaches(new, vms[3]["ip_address"]))

    def test_only_ours(self):
        others = "add table bridge other; add chain bridge other c; add table ip filter; add table ip nat"
        subprocess.run(["ip", "netns", "exec", self.d.netns, "nft", others], check=True)
        before = self.rules()
        self.peer("a1", network="a")
        self.assertIn("ports-a", self.rules())
        self.d.end()
        self.assertEqual(self.rules(), before)

    def test_bad_names(self):
        for name in ("", "A", "a b", 'a"', "a;b", "-a", "x" * 64, 7):
            answer = self.d.call("POST", "/vm/run", {"image_name": "peer", "network": name})
            self.refused(answer, 400, "invalid_field")


class Leases(NetworkTest):
    options = {"pool": 2}

    def test_lists(self):
        """Networks come and go with those in them; each address is listed once, with who has it."""
        networks = lambda: {n["name"]: n["vms"] for n in self.d.call("GET", "/network").json["items"]}
        leases = lambda name: {item["ip_address"]: item["vm_name"] for item in self.d.call("GET", f"/network/{name}/lease").json["items"]}
        self.d.wait_pool()
        self.assertEqual(networks(), {"default": 0})
        self.assertEqual(list(leases("default").values()), [None, None])
        a, b = self.peer("a"), self.peer("b", network="shop")
        self.d.wait_pool()
        self.assertEqual(networks(), {"default": 1, "shop": 1})
        self.assertEqual(leases("shop"), {b["ip_address"]: "b"})
        of_all = leases("default")
        self.assertEqual((of_all[a["ip_address"]], len(of_all)), ("a", 3))
        item = self.d.call("GET", "/network/shop/lease").json["items"][0]
        self.assertEqual((item["vm_id"], item["mac"]), (b["id"], b["mac"]))
        self.assertIn(item["interface"], self.d.links())
        self.d.call("POST", f"/vm/{b['id']}/kill")
        self.assertEqual(networks(), {"default": 1})
        for name in ("shop", "none", "..%2f..", "A"):
            self.refused(self.d.call("GET", f"/network/{name}/lease"), 404, "not_found")


    def test_mac(self):
        """One that was asked for is the interface's, nobody else gets it, and it stays over a restart of VM and manager."""
        mac = "02:00:5e:10:00:01"
        a = self.peer("a", mac=mac.upper())
        self.assertEqual((a["mac"], a["from_pool"]), (mac, False))
        entries = lambda: json.loads(subprocess.run(["bridge", "-n", self.d.netns, "-j", "fdb"], check=True, capture_output=True).stdout)
        self.assertIn(("uig" + a["ip_address"].split(".")[-1], mac), [(e["ifname"], e["mac"]) for e in entries()])
        self.assertEqual({i["vm_name"]: i["mac"] for i in self.d.call("GET", "/network/default/lease").json["items"]}["a"], mac)
        other = self.peer("b")
        for taken in (mac, other["mac"], "02:75:00:00:00:01", "02:75:69:67:00:01"):
            self.assertIn(taken, self.refused(self.d.call("POST", "/vm/run", {"image_name": "peer", "mac": taken}), 409, "conflict")["detail"])
        self.d.kill()
        self.d.start()
        self.assertEqual(self.d.call("GET", "/vm/a").json["mac"], mac)
        self.refused(self.d.call("POST", "/vm/run", {"image_name": "peer", "mac": mac}), 409, "conflict")
        self.assertEqual(self.d.call("POST", "/vm/a/restart").json["mac"], mac)
        self.assertEqual(self.d.call("DELETE", "/vm/a?force=true").status, 204)
        again = self.peer("again", ip_address=a["ip_address"], mac=mac)
        self.assertEqual((again["ip_address"], again["mac"]), (a["ip_address"], mac))
        # an address's own MAC is no conflict with itself
        self.d.call("DELETE", "/vm/b?force=true")
        self.assertEqual(self.peer("c", ip_address=other["ip_address"], mac=other["mac"])["mac"], other["mac"])


class Subnet(NetworkTest):
    """Chosen by the manager, where nobody gives one."""
    options = {"subnet": None}

    def subnet(self):
        return self.d.call("GET", "/info").json["subnet"]

    def again(self, *routes):
        self.d.end()
        for route in routes:
            ip("-n", self.d.netns, "route", "add", route, "dev", "lo")
        self.d.start()
        return self.subnet()

    def test_choice(self):
        self.assertEqual(self.subnet(), "10.93.0.0/16")
        self.assertEqual(self.again("10.93.7.0/24"), "10.94.0.0/16")
        self.assertEqual(self.again("10.0.0.0/8", "172.23.0.0/16"), "172.24.0.0/16")
        vm = self.peer("a")
        self.assertTrue(vm["ip_address"].startswith("172.24."))
        # the next manager stays where the VMs are, though better ones are free now
        self.d.kill()
        ip("-n", self.d.netns, "route", "del", "10.0.0.0/8", "dev", "lo")
        self.d.start()
        self.assertEqual(self.subnet(), "172.24.0.0/16")
        self.assertEqual(self.d.call("GET", "/vm/a").json["state"], "running")
        self.assertEqual(self.again("default"), "10.94.0.0/16")  # a default route takes nothing

    def test_none_left(self):
        self.d.end()
        for route in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"):
            ip("-n", self.d.netns, "route", "add", route, "dev", "lo")
        with self.assertRaisesRegex(RuntimeError, "--subnet"):
            self.d.start()


class Nat(NetworkTest):
    def setUp(self):
        self.d = Daemon("--nat")
        self.addCleanup(self.d.clean)
        self.out = self.d.netns + "-out"
        ip("netns", "add", self.out)
        self.addCleanup(ip, "netns", "del", self.out)
        ip("link", "add", "uplink", "netns", self.d.netns, "type", "veth", "peer", "name", "uplink", "netns", self.out)
        for netns, address in ((self.d.netns, "192.0.2.1/24"), (self.out, "192.0.2.2/24")):
            ip("-n", netns, "address", "add", address, "dev", "uplink")
            ip("-n", netns, "link", "set", "uplink", "up")
        # outside serves, says whom it saw, and knows no way to the instances but this one
        ip("-n", self.out, "route", "add", "10.77.0.0/24", "via", "192.0.2.1")
        script = ("import socket\ns = socket.create_server(('192.0.2.2', 8000))\nprint('serving', flush=True)\n"
                  "while True:\n c, who = s.accept()\n print(who[0], flush=True)\n c.close()")
        self.server = subprocess.Popen(["ip", "netns", "exec", self.out, PYTHON, "-c", script], stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.end_server)
        self.assertEqual(self.server.stdout.readline(), "serving\n")

    def tearDown(self):
        if self.d.process.poll() is None:
            ip("-n", self.d.netns, "link", "del", "uplink")
        super().tearDown()

    def end_server(self):
        self.server.kill()
        self.server.wait()
        self.server.stdout.close()

    def forwarding(self):
        return ip("netns", "exec", self.d.netns, "cat", "/proc/sys/net/ipv4/ip_forward").strip()

    def outside_reaches(self, vm):
        return subprocess.run(["ip", "netns", "exec", self.out, PYTHON, "-c", "import socket, sys\n"
                               f"s = socket.socket(); s.settimeout(0.2)\nsys.exit(s.connect_ex(('{vm['ip_address']}', 8000)) != 0)"],
                              check=False).returncode == 0

    def test_out_and_not_in(self):
        vm = self.peer("a")
        self.assertEqual(self.forwarding(), "1")
        self.assertTrue(self.reaches(vm, "192.0.2.2"))
        self.assertEqual(self.server.stdout.readline(), "192.0.2.1\n")
        self.assertFalse(self.outside_reaches(vm))
        self.d.kill()
        self.assertIn("masquerade", self.rules())
        self.d.start()
        self.assertTrue(self.reaches(vm, "192.0.2.2"))
        self.assertFalse(self.outside_reaches(vm))
        ip("-n", self.d.netns, "link", "del", "uplink")
        self.d.end()
        self.assertEqual((self.rules(), self.forwarding()), ("", "0"))

    def test_next_manager_without(self):
        self.d.kill()
        self.d.arguments.remove("--nat")
        self.d.start()
        self.assertEqual((self.rules(), self.forwarding()), ("", "0"))


class OwnNamespace(NetworkTest):
    """As on a host: the manager's own namespace is that of the bridge. Here it is one that the test made."""

    def setUp(self):
        self.d = Daemon("--nat")
        self.addCleanup(self.d.clean)
        self.d.end()
        self.d.arguments[self.d.arguments.index("--listen") + 1] = "127.0.0.1:6667"  # of that namespace
        where = self.d.arguments.index("--netns")
        del self.d.arguments[where:where + 2]
        self.d.arguments = ["ip", "netns", "exec", self.d.netns, *self.d.arguments]

    def inside(self, *words):
        return subprocess.run(["ip", "netns", "exec", self.d.netns, *words], check=True, capture_output=True, text=True).stdout

    def state(self):
        """All of the namespace that the manager touches."""
        sockets = [line.split()[1] for kind in ("tcp", "udp") for line in self.inside("cat", f"/proc/net/{kind}").splitlines()[1:]
                   if line.split()[3] in ("0A", "07")]
        return (self.rules(), self.inside("ip", "-o", "link"), self.inside("ip", "route"), self.inside("ip", "rule"),
                self.inside("ip", "-o", "address"), self.inside("cat", "/proc/sys/net/ipv4/ip_forward"), sorted(sockets))

    def test_everything_goes(self):
        before = self.state()
        self.d.start()
        ports = [{"guest": 8000}, {"guest": 8000, "protocol": "udp"}]
        vm = self.peer("a", network="n", ports=ports)
        with self.d.connect_inside("127.0.0.1", vm["ports"][0]["host"]) as s:
            self.assertEqual(s.recv(1), b"")  # the program closes what it takes
        with self.d.connect_inside("127.0.0.1", 6667):
            pass  # the API is there
        gateway = "10.77.0.1"
        self.assertFalse(self.reaches(vm, gateway, False, port=6667))
        self.assertFalse(self.reaches(vm, gateway, False, port=vm["ports"][0]["host"]))
        self.assertTrue(self.reaches(vm, gateway, port=53))
        during = self.state()
        self.assertEqual([a == b for a, b in zip(before, during)], [False, False, False, True, False, False, False])
        self.d.call("DELETE", f"/vm/{vm['id']}?force=true")
        self.d.end()
        self.assertEqual(self.state(), before)

    def test_everything_goes_after_a_kill(self):
        before = self.state()
        self.d.start()
        self.peer("a", network="n", ports=[{"guest": 8000}])
        self.d.kill()
        self.d.start()
        self.d.end()
        self.assertEqual(self.state(), before)


if __name__ == "__main__":
    need()
    if not shutil.which("nft"):
        skip("needs nft")
    main()
