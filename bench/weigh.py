# SPDX-License-Identifier: Apache-2.0
"""What a process costs while it does nothing: the memory that it has, the time that its threads ran."""
import glob


def memory_kib(pid):
    """Private, PSS and RSS."""
    values = {}
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
        for line in f:
            words = line.split()
            if len(words) == 3 and words[2] == "kB":
                values[words[0].rstrip(":")] = int(words[1])
    return values["Private_Clean"] + values["Private_Dirty"], values["Pss"], values["Rss"]


def ran(pid):
    """Of all threads so far: run time in ns, and how many times one was given a processor."""
    total, times = 0, 0
    for path in glob.glob(f"/proc/{pid}/task/*/schedstat"):
        with open(path, encoding="ascii") as f:
            words = f.read().split()
        total, times = total + int(words[0]), times + int(words[2])
    return total, times


def cpu_ns(pid):
    """Run time of all threads so far."""
    return ran(pid)[0]
