# SPDX-License-Identifier: Apache-2.0
"""A program takes all that its VM has: the libOS refuses as Linux does. And all that a log takes."""
import statistics
import time

from security import HostileTest, LOG_MAX_BYTES, main, memory_kib, need_vms

REFUSED = ["sockets", "files", "million", "fill", "small-maps"]
# Memory is promised before it is there, as on Linux: the program that touches the last page is ended by SIGKILL.
KILLED = ["touch-all", "malloc-all", "threads", "overcommit"]
SLOWER_AT_MOST = 200  # times: two processors, one of them busy with the flood
FLAT_KIB = 24 * 1024


class Exhaustion(HostileTest):
    def test_refused(self):
        for name in REFUSED:
            with self.subTest(name):
                vm = self.attack(name, memory_mib=64)
                found = self.ended(vm)
                self.show(name, found, vm)
                self.assertEqual((found["state"], found["exit_code"]), ("stopped", 0), (found, self.log(vm)[-2000:]))

    def test_killed(self):
        for name in KILLED:
            with self.subTest(name):
                vm = self.attack(name, memory_mib=64)
                found = self.ended(vm)
                self.show(name, found, vm)
                self.assertIn((found["state"], found["exit_code"]), (("stopped", 0), ("crashed", 137)), self.log(vm)[-2000:])
                if found["exit_code"]:
                    self.assertIn(b"out of memory", self.log(vm))

    def test_threads(self):
        vm = self.attack("threads", memory_mib=512)  # enough for all that the libOS allows
        self.assertEqual(self.ended(vm)["exit_code"], 0, self.log(vm)[-2000:])

    def answer_time(self, times):
        took = []
        for _ in range(times):
            begin = time.monotonic()
            self.d.call("GET", "/vm")
            took.append(time.monotonic() - begin)
        return statistics.median(took)

    def test_console(self):
        calm = self.answer_time(20)
        before = memory_kib(self.d.process.pid)
        vm = self.attack("console")
        self.d.first_line(vm["id"])
        self.assertLess(self.answer_time(20), calm * SLOWER_AT_MOST)
        found = self.ended(vm)
        self.assertEqual((found["state"], found["exit_code"]), ("stopped", 0), found)
        self.assertLess(memory_kib(self.d.process.pid) - before, FLAT_KIB)
        log = self.log(vm)
        self.assertGreater(len(log), 0)
        self.assertLessEqual(len(log), LOG_MAX_BYTES)
        self.assertFalse(b"reached its limit" in log)  # the manager lets go of what is old, not of what comes

    def test_console_rubbish(self):
        vm = self.attack("console-rubbish")
        self.assertEqual(self.ended(vm)["exit_code"], 0)
        self.assertGreater(len(self.log(vm)), 0)


if __name__ == "__main__":
    need_vms()
    main()
