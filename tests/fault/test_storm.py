# SPDX-License-Identifier: Apache-2.0
"""
Four clients do everything at random to one manager (storm.py), monitors are killed under it all the time, and in the second test the manager too; when
all is deleted, there is what was there before: processes, interfaces, files, rows, descriptors. UIGNITER_SEED chooses another run,
UIGNITER_STORM_STEPS a longer one.
"""
import os
import random
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "api"))

import storm
import traces
from harness import PYTHON, SERVER, Daemon, guest_image, main, need

MONITOR = os.environ.get("UIGNITER_MONITOR", "process")
SEED = int(os.environ.get("UIGNITER_SEED", "1"))
STEPS = int(os.environ.get("UIGNITER_STORM_STEPS", "150"))
CLIENTS, FIRST_STEPS = 4, 20
CRASHED_STEPS, STEPS_TO_CRASH = STEPS // 3, 25  # of each client; of all, on average
KEPT_CONNECTIONS = 32  # to monitors (lib/httpc.c)


class Random(unittest.TestCase):
    def test_storm(self):
        d = Daemon(pool=2, subnet="10.79.0.0/24", monitor=MONITOR, cgroup=True)
        self.addCleanup(d.clean)
        print(f"seed {SEED}", file=sys.stderr)
        blown = storm.Storm(d, SEED, storm.programs(MONITOR, IMAGE, SERVER, PYTHON))
        traces.settle(d)
        empty = traces.there(d)
        # what is only opened when it is first wanted is open after this
        blown.blow(CLIENTS, lambda steps: steps < FIRST_STEPS)
        traces.settle(d)
        self.assertIsNone(traces.same(d, empty, traces.no_sockets(d), traces.no_sockets))
        descriptors, sockets = traces.no_sockets(d), traces.count_sockets(d)
        blown.blow(CLIENTS, lambda steps: steps < STEPS, first=CLIENTS)
        traces.settle(d)
        self.assertIsNone(traces.same(d, empty, descriptors, traces.no_sockets))
        self.assertIsNone(traces.same(d, empty, sockets + KEPT_CONNECTIONS, traces.count_sockets))
        print(dict(blown.count), file=sys.stderr)
        self.assertGreater(blown.count["killed"], 0)
        d.end()

    def test_manager_killed(self):
        d = Daemon(pool=2, subnet="10.79.0.0/24", monitor=MONITOR, cgroup=True)
        self.addCleanup(d.clean)
        steps = CLIENTS * CRASHED_STEPS
        crashes = random.Random(SEED).sample(range(1, steps + 1), steps // STEPS_TO_CRASH)
        blown = storm.Storm(d, SEED, storm.programs(MONITOR, IMAGE, SERVER, PYTHON), crashes)
        traces.settle(d)
        empty = traces.there(d)
        blown.blow(CLIENTS, lambda steps: steps < CRASHED_STEPS)
        traces.settle(d)
        print(dict(blown.count), file=sys.stderr)
        self.assertIsNone(traces.same(d, empty, traces.no_sockets(d), traces.no_sockets))
        self.assertEqual(blown.count["crashed"], len(crashes))
        d.end()


if __name__ == "__main__":
    need(None if MONITOR == "process" else MONITOR)
    IMAGE = guest_image() if MONITOR != "process" else b""
    main()
