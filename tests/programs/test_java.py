#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Debian's Java 17: com.sun.net.httpserver, and examples/programs/java/Check.java, compiled here by the runtime's own compiler."""
import os
import shutil
import subprocess
import unittest

from programs import MANIFESTS, MONITOR, main, need_installed
from runtimes import RuntimeTest

JAVA = "/usr/lib/jvm/java-17-openjdk-amd64/bin/java"


@need_installed(JAVA, "curl")
class Java(RuntimeTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        context = os.path.join(cls.d.folder, "context-java")
        sources = [os.path.join(MANIFESTS, "java", name) for name in ("Server.java", "Check.java")]
        subprocess.run([JAVA, "-m", "jdk.compiler/com.sun.tools.javac.Main", "-d", os.path.join(context, "java/classes"), *sources],
                       check=True)
        shutil.copy(os.path.join(MANIFESTS, "java.yaml"), context)
        cls.image = cls.build(cls(), os.path.join(context, "java.yaml"))

    def test_server(self):
        self.stop(self.drive(self.image, "hello from java 17"), code=143)

    @unittest.skipIf(MONITOR == "qemu", "one server is enough where nothing is fast")
    def test_check(self):
        for collector in ("-XX:+UseSerialGC", "-XX:+UseG1GC"):
            self.check(self.image, JAVA, collector, "-cp", "/app", "Check", memory_mib=512, last=r"^java ok: (\d+) of \1 checks$")


if __name__ == "__main__":
    main()
