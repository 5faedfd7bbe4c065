# SPDX-License-Identifier: Apache-2.0
"""
Templates of real programs: Debian's memcached, nginx and Python's http.server, node, and the services of the application, each from its manifest. Two clones
of each answer on their own addresses, and keep what they are told to themselves.
"""
import http.client
import os
import shutil
import socket
import subprocess
import unittest

from clone import BUILD, TIMEOUT_S, CloneTest, Vm, enter_namespace, skip

TREE = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
UIGNITER = os.path.join(BUILD, "cli/uigniter")


class Programs(CloneTest):
    def freeze_program(self, manifest, mem_mib, *words):
        """An image of the manifest, a template that is idle behind listen(), and two clones of it."""
        self.image = os.path.join(self.dir, "image")
        context = ("-C", os.path.join(BUILD, "services")) if "imaging" in manifest else ()
        subprocess.run([UIGNITER, "image", "build", "-q", "-o", self.image, *context, os.path.join(TREE, "examples", manifest)], check=True,
                       stdout=subprocess.DEVNULL, timeout=TIMEOUT_S)
        size = ("--mem-mib", str(mem_mib))
        template = Vm(self, 0, *size)
        template.call("PUT", "/uigniter/start", {"image_path": self.image, "boot_args": template.args(program=words)})
        for what in ("listen", "idle"):
            self.assertTrue(template.call("GET", "/uigniter/wait?for=" + what, status=200)["reached"], template.log())
        template.freeze(self.state, self.memory)
        template.kill()
        clones = []
        for n in (1, 2):
            vm = Vm(self, n, *size)
            vm.load(self.state, self.memory, self.image)
            vm.go()
            clones.append(vm)
        return clones

    def get(self, vm, port, path, method="GET", body=None):
        conn = http.client.HTTPConnection(vm.ip, port, timeout=TIMEOUT_S)
        conn.request(method, path, body)
        answer = conn.getresponse()
        text = answer.read()
        conn.close()
        return answer.status, text

    def memcached(self, vm, line):
        with socket.create_connection((vm.ip, 11211), TIMEOUT_S) as s, s.makefile("rw", newline="") as file:
            file.write(line)
            file.flush()
            return file.readline().strip()

    @unittest.skipUnless(os.path.exists("/usr/bin/memcached"), "not installed: memcached")
    def test_memcached(self):
        one, two = self.freeze_program("programs/memcached.yaml", 128)
        self.assertEqual(self.memcached(one, "set k 0 0 3\r\none\r\n"), "STORED")
        self.assertEqual(self.memcached(two, "get k\r\n"), "END")
        self.assertTrue(self.memcached(one, "get k\r\n").startswith("VALUE k"))

    @unittest.skipUnless(os.path.exists("/usr/sbin/nginx"), "not installed: nginx")
    def test_nginx(self):
        for vm in self.freeze_program("programs/nginx.yaml", 64):
            for _ in range(3):
                status, text = self.get(vm, 80, "/")
                self.assertEqual(status, 200)
                self.assertIn(b"nginx", text)

    @unittest.skipUnless(os.path.exists("/usr/bin/python3.11"), "not installed: python3.11")
    def test_python(self):
        for vm in self.freeze_program("programs/python3.yaml", 128, "/usr/bin/python3.11", "-m", "http.server", "8000"):
            status, text = self.get(vm, 8000, "/")
            self.assertEqual(status, 200, vm.log())
            self.assertIn(b"Directory listing", text)

    @unittest.skipUnless(shutil.which("node"), "not installed: node")
    def test_node(self):
        for vm in self.freeze_program("programs/node.yaml", 512):
            self.assertEqual(self.get(vm, 8080, "/")[0], 200, vm.log())

    def test_services(self):
        for manifest, port in (("kvstore", 9000), ("storage", 9002)):
            for vm in self.freeze_program(f"imaging/{manifest}.yaml", 64):
                self.assertLess(self.get(vm, port, "/")[0], 500, vm.log())
                vm.end()


if __name__ == "__main__":
    enter_namespace()
    if not os.path.exists(UIGNITER):
        skip(f"needs {UIGNITER}")
    unittest.main(verbosity=2)
