# SPDX-License-Identifier: Apache-2.0
"""A program takes all that its VM has: the libOS refuses as Linux does. And all that a log takes."""
import os
import signal

from security import HostileTest, LOG_MAX_BYTES, main, memory_kib, need_vms, wait_stopped

REFUSED = ["sockets", "files", "million", "fill", "small-maps"]
# Memory is promised before it is there, as on Linux: the program that touches the last page is ended by SIGKILL.
KILLED = ["touch-all", "malloc-all", "threads", "overcommit"]
PIECE_BYTES = 64 << 10  # of a console that the manager takes in one turn of its loop (daemon/console.c)
FILE_BYTES = LOG_MAX_BYTES // 2
TURNS = 16  # the most that an answer may take of them
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

    def taken_before_an_answer(self, vm):
        """Bytes of the console that the manager takes from when a request is there to when it is answered, whatever time that takes."""
        connection = self.d.connection()
        connection.connect()
        self.d.process.send_signal(signal.SIGSTOP)  # it finds the console and the request together
        try:
            wait_stopped(self.d.process.pid)
            before = self.console_bytes(vm)
            connection.request("GET", f"/vm/{vm['id']}/logs?since={1 << 40}")  # behind the end: what is told is where that is
        finally:
            self.d.process.send_signal(signal.SIGCONT)
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return int(answer.headers["uigniter-offset"]) - before

    def console_bytes(self, vm):
        """All that came: files that are full are counted by their names, also those that are gone (daemon/console_file.h)."""
        folder = os.path.join(self.d.state_dir, "vm", vm["id"])
        full = [int(name.removeprefix("console.log.")) for name in os.listdir(folder) if name.startswith("console.log.")]
        last = os.path.join(folder, "console.log")
        return max(full, default=0) * FILE_BYTES + (os.path.getsize(last) if os.path.exists(last) else 0)

    def test_console(self):
        """Others are answered during the flood: of what comes the manager takes a piece, and then looks for them."""
        before = memory_kib(self.d.process.pid)
        vm = self.attack("console")
        self.d.first_line(vm["id"])
        taken = [self.taken_before_an_answer(vm) for _ in range(20)]
        print(f"taken before each of {len(taken)} answers: {taken}", flush=True)
        self.assertLessEqual(max(taken), TURNS * PIECE_BYTES)
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
