#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Node.js: a server with worker threads, and examples/programs/node/check.js."""
import unittest

from programs import MONITOR, main, need_installed
from runtimes import RuntimeTest


@need_installed("/usr/bin/node", "curl")
class Node(RuntimeTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.image = cls.build(cls(), "node")

    def test_server(self):
        vm = self.drive(self.image, "hello from node v")
        self.assertEqual(self.curl(vm, "/hash"), "ceba7e0620235301d7f3e526f80e6875aa5c3ea0\n")
        self.stop(vm)

    @unittest.skipIf(MONITOR == "qemu", "one server is enough where nothing is fast")
    def test_check(self):
        self.check(self.image, "/usr/bin/node", "/app/check.js", memory_mib=512, last=r"^node ok: (\d+) of \1 checks$")


if __name__ == "__main__":
    main()
