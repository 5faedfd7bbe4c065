# SPDX-License-Identifier: Apache-2.0
"""
What the language runtimes have in common: each example is an HTTP server with the paths /, /primes?N (counted on four threads of its
own) and /echo, and a program of assertions about what the runtime takes from the kernel (check.*).
"""
import concurrent.futures
import hashlib
import os

from programs import MONITOR, ProgramTest

PRIMES = {10: 4, 1000: 168, 20000: 2262}  # how many primes there are below


class RuntimeTest(ProgramTest):
    def curl(self, vm, path, *options, **more):
        return self.inside("curl", "-sS", "--fail", "--max-time", "100", *options, f"http://{vm['ip_address']}:8080{path}", **more)

    def serve(self, image, **fields):
        """QEMU has no window for the image: it lies in the instance's memory."""
        return self.start(image, **({} if MONITOR == "uvmm" else {"memory_mib": 512}), **fields)

    def drive(self, image, hello, **fields):
        """Serves: a first answer, the same work asked for many times at once, bodies there and back; and ends when told to."""
        vm = self.serve(image, **fields)
        self.assertIn(hello, self.curl(vm, "/"))
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            asked = [below for below in PRIMES for _ in range(10 if MONITOR == "uvmm" else 2)]
            answers = list(pool.map(lambda below: self.curl(vm, f"/primes?{below}"), asked))
            self.assertEqual([int(a) for a in answers], [PRIMES[below] for below in asked])
            bodies = [os.urandom(n * 50000 + 1) for n in range(8)]
            digests = pool.map(lambda body: hashlib.sha256(self.curl(vm, "/echo", "--data-binary", "@-", text=False, input=body)), bodies)
            self.assertEqual([d.hexdigest() for d in digests], [hashlib.sha256(b).hexdigest() for b in bodies])
        return vm

    def check(self, image, *words, memory_mib, last):
        """The program of assertions: its last line. The libOS says once that no process was made, and of nothing that it lacks."""
        said = []
        out = self.output(image, *words, options=("-e", "UNIKERNEL=1", "--memory", f"{memory_mib}M"), libos=said)
        self.assertRegex(out.splitlines()[-1], last, out)
        self.assertEqual(len(said), 1, said)
        self.assertIn("it cannot make another process: -ENOSYS", said[0])
