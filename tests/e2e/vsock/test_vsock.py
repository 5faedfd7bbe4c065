# SPDX-License-Identifier: Apache-2.0
"""
Sockets between instances and programs of this machine: guest.c, led from here, under a manager of its own. What is sent is compared by
its CRC-32; every wait is for an event.
"""
import os
import shutil
import socket
import sys
import threading
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "security"))
from security import BUILD, DaemonTest, TIMEOUT_S, main, make_image, need, skip  # noqa: E402

GUEST = os.path.join(BUILD, "tests/e2e/vsock/vsock-guest")
CONTROL, ECHO, SINK, SOURCE, CLOSER, HALF = range(1000, 1006)
MANY = 100
MIB = 1 << 20


def read_all(sock):
    data, total = 0, 0
    while True:
        part = sock.recv(MIB)
        if not part:
            return total, data
        data, total = zlib.crc32(part, data), total + len(part)


def read_line(sock):
    line = b""
    while not line.endswith(b"\n"):
        byte = sock.recv(1)
        if not byte:
            return None
        line += byte
    return line.decode().strip()


class Vsock(DaemonTest):
    options = {"monitor": "uvmm", "pool": 1}

    def setUp(self):
        super().setUp()
        self.d.put_image("guest", {"cmd": ["/bin/guest"]}, make_image(guest=GUEST))

    def start(self, vsock=True, **fields):
        vm = self.d.run("guest", vsock=vsock, **fields)
        self.assertEqual(self.d.first_line(vm["id"]), b"ready\n")
        return vm

    def connect(self, vm, port):
        """A connection to a port of the guest; None: nobody listens there."""
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(TIMEOUT_S)
        s.connect(vm["vsock"]["path"])
        s.sendall(b"CONNECT %d\n" % port)
        answer = read_line(s)
        if answer is None:
            s.close()
            return None
        self.assertRegex(answer, r"^OK \d+$")
        return s

    def order(self, vm, line):
        with self.connect(vm, CONTROL) as s:
            s.sendall(line.encode() + b"\n")
            return read_line(s)

    def serve(self, vm, port):
        listener = socket.socket(socket.AF_UNIX)
        listener.settimeout(TIMEOUT_S)
        listener.bind(f"{vm['vsock']['path']}_{port}")
        listener.listen(MANY)
        return listener

    def stop(self, vm):
        self.assertEqual(self.d.call("POST", f"/vm/{vm['id']}/kill").status, 200)
        self.d.wait(vm["id"])
        self.assertIsNone(self.d.call("GET", f"/vm/{vm['id']}").json["vsock"]["path"])
        self.assertFalse(os.path.exists(os.path.dirname(vm["vsock"]["path"])))

    def test_host_to_guest(self):
        vm = self.start()
        data = os.urandom(4 * MIB)
        with self.connect(vm, SINK) as s:
            s.sendall(data)
            s.shutdown(socket.SHUT_WR)
            self.assertEqual(read_line(s), f"{len(data)} {zlib.crc32(data):08x}")
        with self.connect(vm, ECHO) as s:
            writer = threading.Thread(target=lambda: (s.sendall(data), s.shutdown(socket.SHUT_WR)))
            writer.start()
            self.assertEqual(read_all(s), (len(data), zlib.crc32(data)))
            writer.join()
        self.assertIsNone(self.connect(vm, 77))
        several = [self.connect(vm, ECHO) for _ in range(MANY)]
        for i, s in enumerate(several):
            s.sendall(b"number %d\n" % i)
        for i, s in enumerate(several):
            self.assertEqual(read_line(s), f"number {i}")
            s.close()
        self.stop(vm)

    def test_guest_to_host(self):
        vm = self.start()
        size = 3 * MIB
        answer = os.urandom(2 * MIB)
        with self.serve(vm, 52) as listener:
            order = threading.Thread(target=lambda: setattr(self, "said", self.order(vm, f"dial 52 {size}")))
            order.start()
            with listener.accept()[0] as s:
                s.settimeout(TIMEOUT_S)
                total, crc = read_all(s)
                s.sendall(answer)
            order.join()
            self.assertEqual(total, size)
            self.assertEqual(self.said, f"sent 0 {crc:08x} got 0 {len(answer)} {zlib.crc32(answer):08x}")
            order = threading.Thread(target=lambda: setattr(self, "said", self.order(vm, f"many 52 {MANY}")))
            order.start()
            several = [listener.accept()[0] for _ in range(MANY)]
            for s in several:
                s.settimeout(TIMEOUT_S)
                s.sendall(read_line(s).encode() + b"\n")
            order.join()
            for s in several:
                self.assertEqual(s.recv(1), b"")
                s.close()
        self.assertEqual(self.said, f"good {MANY}")
        self.assertEqual(self.order(vm, "dial 53 1"), "refused ECONNRESET")
        self.assertEqual(self.order(vm, "dial 52 1"), "refused ECONNRESET")  # nobody accepts any more
        self.stop(vm)

    def test_ends(self):
        vm = self.start()
        for _ in range(10):
            with self.connect(vm, CLOSER) as s:  # the guest first
                self.assertEqual(s.recv(1), b"")
            self.connect(vm, ECHO).close()  # the host first
            with self.connect(vm, SOURCE) as s:  # in the middle of what comes
                s.sendall(b"%d\n" % (8 * MIB))
                s.recv(1)
            with self.connect(vm, SINK) as s:  # in the middle of what goes
                s.sendall(b"x" * 1000)
        with self.connect(vm, HALF) as s:  # both ends, one after the other
            self.assertEqual(s.recv(3), b"bye")
            self.assertEqual(s.recv(1), b"")
            s.sendall(b"after the end")
        with self.serve(vm, 60) as listener:  # the host closes what the guest has not read
            order = threading.Thread(target=lambda: setattr(self, "said", self.order(vm, f"dial 60 {MIB}")))
            order.start()
            listener.accept()[0].close()
            order.join()
            self.assertRegex(self.said, r"^sent (0|-\d+) ")
        with self.connect(vm, ECHO) as s:
            s.sendall(b"still there\n")
            self.assertEqual(read_line(s), "still there")
        self.stop(vm)

    def test_end_during_traffic(self):
        vm = self.start()
        reader = self.connect(vm, SOURCE)
        reader.sendall(b"1000000000\n")
        self.assertTrue(reader.recv(1000))
        idle = self.connect(vm, ECHO)
        self.stop(vm)
        read_all(reader)  # to its end
        self.assertEqual(idle.recv(1), b"")
        reader.close()
        idle.close()

    def test_cids(self):
        first, second = self.start(name="first"), self.start(name="second")
        self.assertNotEqual(first["vsock"]["cid"], second["vsock"]["cid"])
        third = self.start({"cid": 77})
        self.assertEqual(third["vsock"]["cid"], 77)
        self.assertIn("77", self.d.run("guest", 409, vsock={"cid": 77})["detail"])
        for wrong in ({"cid": 2}, {"cid": 4294967295}, {"cid": "x"}, {"port": 1}, 5, "yes"):
            self.d.run("guest", 400, vsock=wrong)
        self.assertIsNone(self.d.run("guest", vsock=False)["vsock"])
        self.assertIn("uvmm", self.d.run("guest", 400, vsock=True, monitor="qemu")["detail"])
        self.assertIsNotNone(self.connect(second, ECHO))

    def test_another_manager(self):
        vm = self.start()
        with self.connect(vm, ECHO) as s:
            self.d.kill()
            self.d.start()
            self.assertEqual(self.d.call("GET", f"/vm/{vm['id']}").json["vsock"], vm["vsock"])
            s.sendall(b"before\n")
            self.assertEqual(read_line(s), "before")
        with self.connect(vm, ECHO) as s:
            s.sendall(b"after\n")
            self.assertEqual(read_line(s), "after")
        self.stop(vm)

    def test_wall(self):
        """All that the thread can reach is the folder: a link out of it leads nowhere, and it can do nothing else."""
        vm = self.start()
        os.symlink(self.d.socket, vm["vsock"]["path"] + "_90")
        os.symlink("v.sock", vm["vsock"]["path"] + "_91")
        self.assertEqual(self.order(vm, "dial 90 1"), "refused ECONNRESET")
        tasks = {}
        for task in os.listdir(f"/proc/{vm['pid']}/task"):
            with open(f"/proc/{vm['pid']}/task/{task}/status", encoding="ascii") as file:
                status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
            tasks.setdefault(status["Name"], []).append((task, status))
        self.assertEqual(len(tasks["io"]), 1, tasks.keys())
        task, status = tasks["io"][0]
        self.assertEqual((status["CapEff"], status["NoNewPrivs"], status["Seccomp"]), ("0" * 16, "1", "2"))
        self.assertEqual(sorted(os.listdir(f"/proc/{vm['pid']}/task/{task}/root")), ["v.sock", "v.sock_90", "v.sock_91"])
        self.assertNotEqual(os.readlink(f"/proc/{vm['pid']}/task/{task}/ns/net"), os.readlink(f"/proc/{vm['pid']}/ns/net"))
        self.stop(vm)


if __name__ == "__main__":
    need()
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        skip("needs /dev/kvm")
    if not shutil.which("mkfs.erofs"):
        skip("needs mkfs.erofs")
    main()
