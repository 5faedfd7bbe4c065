# SPDX-License-Identifier: Apache-2.0
"""Published ports: bytes in both directions, back-pressure, half-close, many connections, ends on either side."""
import hashlib
import os
import resource
import socket
import subprocess
import time

from harness import BUILD, DaemonTest, PYTHON, SERVER, main, need, own_loopback, TIMEOUT_S, together

CLI = os.path.join(BUILD, "cli", "uigniter")
HERE = own_loopback()  # where nobody else on this machine takes ports that are given back for a moment

# Takes all, then answers with the length and the sum: a client that half-closes gets its answer still.
COUNTER = """
import hashlib, socket
s = socket.create_server(("0.0.0.0", 8000))
while True:
    c, _ = s.accept()
    total, h = 0, hashlib.sha256()
    while True:
        data = c.recv(65536)
        if not data:
            break
        total += len(data)
        h.update(data)
    try:
        c.sendall(b"%d %s" % (total, h.hexdigest().encode()))
    except OSError:
        pass
    c.close()
"""


# Answers with the address of who asked, as it sees it, and the data; "twice": two datagrams.
UDP_ECHO = """
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("0.0.0.0", 8000))
print("serving", flush=True)
while True:
    data, who = s.recvfrom(65536)
    s.sendto(str(who[1]).encode() + b" " + data, who)
    if data == b"twice":
        s.sendto(b"again", who)
"""


class Udp(DaemonTest):
    def publish(self, **port):
        self.d.put_image("udp", {"cmd": ["python3", "-c", UDP_ECHO], "process": {"program": PYTHON}})
        vm = self.d.run("udp", ports=[{"guest": 8000, "protocol": "udp", **port}])
        self.assertEqual(self.d.first_line(vm["id"]), b"serving\n")
        return vm

    def client(self, vm, address="127.0.0.1"):
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(s.close)
        s.settimeout(TIMEOUT_S)
        s.connect((address, vm["ports"][0]["host"]))  # answers from another address are not seen
        return s

    def ask(self, s, data):
        s.send(data)
        seen, _, echo = s.recv(65536).partition(b" ")
        self.assertEqual(echo, data)
        return seen

    def test_echo(self):
        vm = self.publish()
        self.assertEqual(vm["ports"][0]["protocol"], "udp")
        clients = [self.client(vm) for _ in range(3)]
        seen = [self.ask(s, b"x" * size) for size, s in zip((0, 1, 60000), clients)]
        self.assertEqual(len(set(seen)), 3, "the program can tell clients apart")
        self.assertEqual([self.ask(s, b"more") for s in clients], seen, "and knows them again")
        self.ask(clients[0], b"twice")
        self.assertEqual(clients[0].recv(100), b"again")

    def test_any_address(self):
        """The answer comes from the address that was asked."""
        vm = self.publish(address="0.0.0.0")
        for address in ("127.0.0.1", "127.0.0.3"):
            self.ask(self.client(vm, address), b"x")

    def test_more_clients_than_flows(self):
        vm = self.publish()
        first = self.client(vm)
        self.ask(first, b"first")
        for n in range(300):
            s = self.client(vm)
            self.ask(s, b"%d" % n)
            s.close()
        self.ask(first, b"still served")

    def test_conflicts_and_end(self):
        vm = self.publish(address=HERE)
        port = vm["ports"][0]["host"]
        again = {"image_name": "udp", "ports": [{"host": port, "guest": 1, "protocol": "udp", "address": HERE}]}
        self.refused(self.d.call("POST", "/vm/run", again), 409, "conflict")
        tcp = self.d.run("udp", ports=[{"host": port, "guest": 1, "address": HERE}])  # another protocol, another port
        self.assertEqual(tcp["ports"][0], {"host": port, "guest": 1, "address": HERE, "protocol": "tcp"})
        s = self.client(vm, HERE)
        self.ask(s, b"x")
        self.d.kill()
        self.d.start()
        self.ask(s, b"of the next manager")
        self.d.call("POST", f"/vm/{vm['id']}/kill")
        self.d.wait(vm["id"])
        s.send(b"x")
        with self.assertRaises(ConnectionRefusedError):
            s.recv(1)
        self.publish(host=port, address=HERE)


class Ports(DaemonTest):
    def publish(self, program=SERVER, **fields):
        self.d.put_image("server", {"cmd": ["python3", "-c", program, "8000"], "ports": [8000], "process": {"program": PYTHON}})
        return self.d.run("server", wait="ready", **{"ports": [{"guest": 8000}], **fields})

    def connect(self, vm):
        s = socket.create_connection(("127.0.0.1", vm["ports"][0]["host"]), timeout=TIMEOUT_S)
        self.addCleanup(s.close)
        return s

    def receive(self, s, size):
        data = b""
        while len(data) < size:
            piece = s.recv(size - len(data))
            self.assertTrue(piece, "the stream ended early")
            data += piece
        return data

    def test_echo_and_end(self):
        vm = self.publish()
        s = self.connect(vm)
        for size in (1, 100, 70000):
            s.sendall(b"x" * size)
            self.assertEqual(self.receive(s, size), b"x" * size)
        s.shutdown(socket.SHUT_WR)
        self.assertEqual(s.recv(1), b"")

    def cpu_s(self):
        with open(f"/proc/{self.d.process.pid}/stat", encoding="ascii") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def test_no_descriptor_left(self):
        """A client waits until there is one; the manager does not turn in circles meanwhile."""
        vm = self.publish()
        self.d.wait_pool()  # which costs the manager time of its own
        pid = self.d.process.pid
        limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, limits[1]))  # what is open stays so
        s = self.connect(vm)
        s.sendall(b"x")
        cpu, own = self.cpu_s(), time.process_time()
        while time.process_time() - own < 0.4:
            pass
        self.assertLess(self.cpu_s() - cpu, 0.1, "a fourth of what one that turns in circles gets")
        resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)
        self.assertEqual(self.receive(s, 1), b"x")

    def test_half_close(self):
        vm = self.publish(COUNTER)
        data = bytes(range(256)) * 40000
        s = self.connect(vm)
        s.sendall(data)
        s.shutdown(socket.SHUT_WR)
        self.assertEqual(s.makefile("rb").read(), b"%d %s" % (len(data), hashlib.sha256(data).hexdigest().encode()))

    def test_back_pressure(self):
        vm = self.publish()
        s = self.connect(vm)
        s.setblocking(False)
        sent = 0
        try:  # nobody reads the echo: somewhere it has to stop
            while sent < 256 << 20:
                sent += s.send(b"y" * 65536)
        except BlockingIOError:
            pass
        self.assertLess(sent, 256 << 20)
        s.setblocking(True)
        s.settimeout(TIMEOUT_S)
        other = self.connect(self.d.run("server", wait="ready", ports=[{"guest": 8000}]))
        other.sendall(b"others go on")
        self.assertEqual(self.receive(other, 12), b"others go on")
        self.assertEqual(self.receive(s, sent), b"y" * sent)

    def test_many(self):
        vm = self.publish(COUNTER)
        def one(n):
            with socket.create_connection(("127.0.0.1", vm["ports"][0]["host"]), timeout=TIMEOUT_S) as s:
                data = b"%d" % n * 1000
                s.sendall(data)
                s.shutdown(socket.SHUT_WR)
                return s.makefile("rb").read() == b"%d %s" % (len(data), hashlib.sha256(data).hexdigest().encode())
        self.assertEqual(together([lambda n=n: one(n) for n in range(64)]), [True] * 64)

    def test_end_of_the_vm(self):
        vm = self.publish()
        s = self.connect(vm)
        s.sendall(b"x")
        self.receive(s, 1)
        self.d.call("POST", f"/vm/{vm['id']}/kill")
        try:
            self.assertEqual(s.recv(1), b"")
        except ConnectionResetError:
            pass
        with self.assertRaises(ConnectionRefusedError):
            self.connect(vm)

    def test_nobody_listens(self):
        self.d.put_shell("deaf", "exec sleep 1000")
        vm = self.d.run("deaf", ports=[{"guest": 9}])
        with self.assertRaises(ConnectionResetError):
            s = self.connect(vm)  # which may hear of it already
            s.sendall(b"x")
            s.recv(1)
            s.recv(1)

    def test_conflicts(self):
        vm = self.publish(ports=[{"guest": 8000, "address": HERE}])
        port = vm["ports"][0]["host"]
        again = {"image_name": "server", "ports": [{"host": port, "guest": 1, "address": HERE}]}
        self.refused(self.d.call("POST", "/vm/run", again), 409, "conflict")
        other = self.d.run("server", ports=[{"host": port, "guest": 8000, "address": "127.0.0.2"}], wait="ready")
        self.assertEqual(other["ports"], [{"host": port, "guest": 8000, "address": "127.0.0.2", "protocol": "tcp"}])
        self.assertEqual(self.d.call("DELETE", f"/vm/{vm['id']}?force=true").status, 204)
        self.assertEqual(self.d.run("server", ports=[{"host": port, "guest": 8000, "address": HERE}])["ports"][0]["host"], port)
        answer = self.d.call("POST", "/vm/run", {"image_name": "server", "ports": [{"guest": 1, "address": "203.0.113.1"}]})
        self.refused(answer, 400, "bad_request")
        self.assertEqual(len(self.d.call("GET", "/vm").json["items"]), 2)

    def test_who_has_it(self):
        """A refusal says who has the port: a VM, or somebody else."""
        vm = self.publish()
        port = vm["ports"][0]["host"]
        for address in ("127.0.0.1", "0.0.0.0"):
            answer = self.d.call("POST", "/vm/run", {"image_name": "server", "ports": [{"host": port, "guest": 1, "address": address}]})
            self.refused(answer, 409, "conflict")
            self.assertIn(f"cannot publish on {address}:{port}: the VM {vm['name']} has it", answer.json["detail"])
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            answer = self.d.call("POST", "/vm/run", {"image_name": "server", "ports": [{"host": port, "guest": 1}]})
            self.refused(answer, 409, "conflict")
            self.assertIn(f"sport = {port}", answer.json["detail"])

    def cli(self, *words):
        return subprocess.check_output([CLI, "-H", "unix://" + self.d.socket, *words], text=True, timeout=TIMEOUT_S)

    def test_lost_and_found(self):
        """What another program takes while there is no manager is shown as lost, and published again when it is free; the rest is as before."""
        vm = self.publish(ports=[{"guest": 8000, "address": HERE, "protocol": protocol} for protocol in ("tcp", "tcp", "udp")])
        lost, kept, udp = (p["host"] for p in vm["ports"])
        self.d.kill()
        other = socket.create_server((HERE, lost))
        self.d.start()
        self.assertEqual([p.get("lost") for p in self.d.call("GET", f"/vm/{vm['id']}").json["ports"]], [True, None, None])
        self.assertIn(f"{HERE}:{lost}->8000(lost),{HERE}:{kept}->8000", self.cli("ps"))
        self.assertEqual(self.cli("port", vm["name"], "8000").split("\n")[0], f"{HERE}:{lost} (lost)")
        with socket.create_connection((HERE, kept)) as s, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as u:
            s.sendall(b"x")
            self.assertEqual(s.recv(1), b"x")
            with self.assertRaises(OSError):
                u.bind((HERE, udp))
        other.close()
        while "lost" in self.d.call("GET", f"/vm/{vm['id']}").json["ports"][0]:
            pass  # an exchange with the manager
        with socket.create_connection((HERE, lost)) as s:
            s.sendall(b"y")
            self.assertEqual(s.recv(1), b"y")


if __name__ == "__main__":
    need()
    main()
