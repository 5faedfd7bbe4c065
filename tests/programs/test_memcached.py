# SPDX-License-Identifier: Apache-2.0
"""memcached: its protocol by hand, libmemcached's conformance test, many connections and large values."""
import socket

from programs import ProgramTest, main, need_installed

PORT = 11211


class Memcached(ProgramTest):
    def setUp(self):
        super().setUp()
        self.vm = self.start(self.build("memcached"), ports=[{"guest": PORT}])
        self.server = f"{self.vm['ip_address']}:{PORT}"

    def connect(self):
        s = socket.create_connection(("127.0.0.1", self.vm["ports"][0]["host"]), timeout=60)
        self.addCleanup(s.close)
        return s, s.makefile("rb")

    def ask(self, connection, request, lines=1):
        s, answers = connection
        s.sendall(request)
        return [answers.readline() for _ in range(lines)]

    @need_installed("/usr/bin/memcached")
    def test_text_protocol(self):
        c = self.connect()
        self.assertTrue(self.ask(c, b"version\r\n")[0].startswith(b"VERSION 1."))
        self.assertEqual(self.ask(c, b"set a 7 0 5\r\nhello\r\n"), [b"STORED\r\n"])
        self.assertEqual(self.ask(c, b"get a b\r\n", 3), [b"VALUE a 7 5\r\n", b"hello\r\n", b"END\r\n"])
        self.assertEqual(self.ask(c, b"add a 0 0 1\r\nx\r\n"), [b"NOT_STORED\r\n"])
        self.assertEqual(self.ask(c, b"set n 0 0 2\r\n41\r\nincr n 1\r\n", 2), [b"STORED\r\n", b"42\r\n"])
        self.assertEqual(self.ask(c, b"delete n\r\nget n\r\n", 2), [b"DELETED\r\n", b"END\r\n"])
        self.assertEqual(self.ask(c, b"frob\r\n"), [b"ERROR\r\n"])
        # in one byte at a time, and in one piece
        request = b"set b 0 0 3\r\nxyz\r\n"
        for n in range(len(request)):
            c[0].sendall(request[n:n + 1])
        self.assertEqual(c[1].readline(), b"STORED\r\n")
        self.assertEqual(self.ask(c, request * 500, 500), [b"STORED\r\n"] * 500)
        self.stop(self.vm)

    @need_installed("/usr/bin/memcached")
    def test_large_values_and_connections(self):
        value = bytes(range(256)) * 3072  # 768 KiB of memcached's 1 MiB
        all_connections = [self.connect() for _ in range(100)]
        for n, c in enumerate(all_connections):
            self.assertEqual(self.ask(c, b"set k%d 0 0 %d\r\n%s\r\n" % (n, n, b"v" * n)), [b"STORED\r\n"])
        c = all_connections[50]
        self.assertEqual(self.ask(c, b"set big 0 0 %d\r\n%s\r\n" % (len(value), value)), [b"STORED\r\n"])
        self.assertEqual(self.ask(c, b"get big\r\n"), [b"VALUE big 0 %d\r\n" % len(value)])
        self.assertEqual(c[1].read(len(value)), value)
        self.assertEqual(c[1].read(7), b"\r\nEND\r\n")
        for n, c in enumerate(reversed(all_connections)):
            self.assertEqual(self.ask(c, b"get k%d\r\n" % n, 3), [b"VALUE k%d 0 %d\r\n" % (n, n), b"v" * n + b"\r\n", b"END\r\n"])

    @need_installed("/usr/bin/memcached")
    def test_full_memory(self):
        """More than it may keep: the oldest go, the newest stay."""
        c = self.connect()
        value = b"v" * 100000
        for n in range(1000):
            self.assertEqual(self.ask(c, b"set k%d 0 0 %d\r\n%s\r\n" % (n, len(value), value)), [b"STORED\r\n"])
        self.assertEqual(self.ask(c, b"get k0\r\n"), [b"END\r\n"])
        self.assertEqual(self.ask(c, b"get k999\r\n", 3)[1], value + b"\r\n")

    @need_installed("/usr/bin/memcached", "memccapable", "memcslap", "memcstat")
    def test_standard_clients(self):
        said = self.inside("memccapable", "-h", self.vm["ip_address"])
        self.assertIn("All tests passed", said)
        self.assertNotIn("[FAIL]", said)
        self.inside("memcslap", f"--servers={self.server}", "--concurrency=4", "--execute-number=500", "--test=set")
        self.inside("memcslap", f"--servers={self.server}", "--concurrency=4", "--execute-number=500", "--test=get")
        self.assertRegex(self.inside("memcstat", f"--servers={self.server}"), r"pid: 1\n")


if __name__ == "__main__":
    main()
