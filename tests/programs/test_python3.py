#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Debian's Python 3.11: a threaded server, `python3 -m http.server`, and examples/programs/python3/check.py."""
import unittest

from programs import MONITOR, main, need_installed
from runtimes import RuntimeTest

PYTHON = "/usr/bin/python3.11"


@need_installed(PYTHON, "/usr/lib/python3.11/asyncio", "curl")
class Python(RuntimeTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.image = cls.build(cls(), "python3")

    def test_server(self):
        self.stop(self.drive(self.image, "hello from python 3.11"))

    def test_http_server(self):
        vm = self.serve(self.image, cmdline=f"{PYTHON} -m http.server 8080 --directory /usr/lib/python3.11/json")
        with open("/usr/lib/python3.11/json/decoder.py", encoding="utf-8") as file:
            self.assertEqual(self.curl(vm, "/decoder.py"), file.read())
        self.assertIn('<a href="decoder.py">', self.curl(vm, "/"))

    @unittest.skipIf(MONITOR == "qemu", "one server is enough where nothing is fast")
    def test_check(self):
        self.check(self.image, PYTHON, "/app/check.py", memory_mib=256, last=r"^python ok: (\d+) of \1 checks$")


if __name__ == "__main__":
    main()
