# SPDX-License-Identifier: Apache-2.0
"""Names of instances by the manager's DNS server, asked from within the network as an instance would."""
import ctypes
import os
import signal
import socket
import struct
import subprocess

from harness import DaemonTest, main, need, TIMEOUT_S

A, PTR, AAAA = 1, 12, 28
NOERROR, NXDOMAIN, REFUSED = 0, 3, 5


def question(name, kind):
    wire = b"".join(bytes([len(p)]) + p.encode() for p in name.split(".") if p) + b"\0"
    return b"\x12\x34\x01\0\0\1\0\0\0\0\0\0" + wire + struct.pack("!HH", kind, 1)


class Names(DaemonTest):
    def setUp(self):
        super().setUp()
        self.d.put_shell("sleep", "exec sleep 1000")
        self.gateway = "10.77.0.1"

    def inside(self, kind, vm=None):
        """A socket in the namespace of the bridge, or in an instance's own."""
        libc = ctypes.CDLL(None, use_errno=True)
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        there = os.open(f"/proc/{vm['pid']}/ns/net" if vm else f"/run/netns/{self.d.netns}", os.O_RDONLY)
        try:
            if libc.setns(there, 0) < 0:
                raise OSError(ctypes.get_errno(), "setns")
            s = socket.socket(socket.AF_INET, kind)
        finally:
            libc.setns(home, 0)
            os.close(home)
            os.close(there)
        self.addCleanup(s.close)
        s.settimeout(TIMEOUT_S)
        s.connect((self.gateway, 53))
        return s

    def ask(self, name, kind=A, tcp=False, vm=None):
        """rcode, and the data of the records."""
        message = question(name, kind)
        if tcp:
            s = self.inside(socket.SOCK_STREAM, vm)
            s.sendall(struct.pack("!H", len(message)) + message)
            file = s.makefile("rb")
            answer = file.read(struct.unpack("!H", file.read(2))[0])
            file.close()
        else:
            s = self.inside(socket.SOCK_DGRAM, vm)
            s.send(message)
            answer = s.recv(4096)
        self.assertEqual(answer[:2], message[:2])
        self.assertEqual(answer[12:len(message)], message[12:])
        at, records = len(message), []
        for _ in range(struct.unpack("!H", answer[6:8])[0]):
            _, _, _, ttl, length = struct.unpack("!HHHIH", answer[at:at + 12])
            self.assertEqual(ttl, 0)
            data = answer[at + 12:at + 12 + length]
            records.append(socket.inet_ntoa(data) if kind == A else data)
            at += 12 + length
        return answer[3] & 15, records

    def test_follows_start_and_end(self):
        self.assertEqual(self.ask("one.uigniter"), (NXDOMAIN, []))
        vm = self.d.run("sleep", name="one")
        for name in ("one.uigniter", "one", "ONE.Uigniter"):
            for tcp in (False, True):
                self.assertEqual(self.ask(name, tcp=tcp), (NOERROR, [vm["ip_address"]]))
        self.assertEqual(self.ask("one.uigniter", AAAA), (NOERROR, []))
        reverse = ".".join(reversed(vm["ip_address"].split("."))) + ".in-addr.arpa"
        self.assertEqual(self.ask(reverse, PTR), (NOERROR, [b"\3one\10uigniter\0"]))
        self.assertEqual(self.ask("example.com"), (REFUSED, []))
        self.d.call("POST", f"/vm/{vm['id']}/kill")
        self.d.wait(vm["id"])
        self.assertEqual(self.ask("one.uigniter"), (NXDOMAIN, []))
        self.assertEqual(self.ask(reverse, PTR), (NXDOMAIN, []))
        again = self.d.call("POST", f"/vm/{vm['id']}/start").json
        self.assertEqual(self.ask("one"), (NOERROR, [again["ip_address"]]))

    def test_replicas(self):
        labels = {"uigniter.app": "shop", "uigniter.service": "web"}
        vms = [self.d.run("sleep", labels=labels) for _ in range(3)]
        addresses = sorted(vm["ip_address"] for vm in vms)
        first = set()
        for _ in range(3):
            rcode, records = self.ask("web.shop.uigniter")
            self.assertEqual((rcode, sorted(records)), (NOERROR, addresses))
            first.add(records[0])
        self.assertEqual(len(first), 3, "each is first in its turn")
        db = self.d.run("sleep", labels={"uigniter.app": "shop", "uigniter.service": "db"})
        self.assertEqual(sorted(self.ask("Shop.uigniter")[1]), sorted([*addresses, db["ip_address"]]))  # the application: all of it
        self.assertEqual(self.ask("sho.uigniter"), (NXDOMAIN, []))
        named = self.d.run("sleep", name="shop")  # the name of an instance goes before
        self.assertEqual(self.ask("shop.uigniter"), (NOERROR, [named["ip_address"]]))
        self.d.call("DELETE", f"/vm/{vms[0]['id']}?force=true")
        self.assertEqual(sorted(self.ask("web.shop.uigniter")[1]), sorted(vm["ip_address"] for vm in vms[1:]))
        self.assertEqual(self.ask("web.other.uigniter"), (NXDOMAIN, []))

    def test_networks(self):
        """Names are found where their addresses are reached."""
        vms = {name: self.d.run("sleep", name=name, **fields)
               for name, fields in (("a1", {"network": "a"}), ("a2", {"network": "a"}), ("b1", {"network": "b"}), ("o1", {}), ("o2", {}))}
        for by in vms:
            for name, vm in vms.items():
                expected = (NOERROR, [vm["ip_address"]]) if by[0] == name[0] else (NXDOMAIN, [])
                self.assertEqual(self.ask(name, vm=vms[by]), expected, (by, name))
        self.assertEqual(self.ask("b1.uigniter", tcp=True, vm=vms["a1"]), (NXDOMAIN, []))
        self.assertEqual(self.ask("b1"), (NOERROR, [vms["b1"]["ip_address"]]))  # the machine itself

    def test_next_manager(self):
        vm = self.d.run("sleep", name="kept")
        self.d.kill()
        self.d.start()
        self.assertEqual(self.ask("kept"), (NOERROR, [vm["ip_address"]]))
        self.d.end(signal.SIGTERM)

    def test_counted(self):
        self.ask("nobody")
        self.inside(socket.SOCK_DGRAM).send(b"nonsense")
        self.ask("example.com", tcp=True)
        text = self.d.call("GET", "/metrics").body.decode()
        for line in ("queries_total 2", "nxdomain_total 1", "refused_total 1", "tcp_queries_total 1", "dropped_total 1"):
            self.assertIn(f"uigniter_dns_{line}\n", text)

    def test_nothing_else_listens(self):
        """Instances reach the names at the bridge's address, and neither the API nor published ports."""
        self.d.put_server()
        self.d.run("server", wait="ready", ports=[{"guest": 8000}])
        listening = set()
        inside = subprocess.run(["ip", "netns", "exec", self.d.netns, "cat", "/proc/net/tcp", "/proc/net/udp"], check=True,
                                capture_output=True, text=True)
        for line in inside.stdout.splitlines():
            fields = line.split()
            if fields[0] != "sl" and fields[2].endswith(":0000") and fields[3] in ("0A", "07"):
                listening.add(fields[1])
        self.assertEqual(listening, {"01004D0A:0035"})


if __name__ == "__main__":
    need()
    main()
