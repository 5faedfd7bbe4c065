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


def cpu_ns(pid):
    """Run time of all threads so far."""
    total = 0
    for path in glob.glob(f"/proc/{pid}/task/*/schedstat"):
        with open(path, encoding="ascii") as f:
            total += int(f.read().split()[0])
    return total
