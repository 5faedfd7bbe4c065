# SPDX-License-Identifier: Apache-2.0
"""
What a manager holds at a moment: interfaces, groups, processes, files, rows of its database, descriptors. Taken before an operation and held
against what is there after it.
"""
import os
import re
import sqlite3
import time

from harness import TIMEOUT_S

NUMBER = re.compile(r"\d+")
RULES = "nft"  # the first network makes it, and the manager's end takes it away


def rows(d):
    """Of a database that has to be whole: how many instances, applications, functions and operations are in it."""
    database = sqlite3.connect(os.path.join(d.state_dir, "state.db"))
    try:
        check = database.execute("PRAGMA integrity_check").fetchall()
        assert check == [("ok",)], check
        return [database.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in ("instance", "app", "fn", "operation")]
    finally:
        database.close()


def descriptors(d):
    """The manager's, but those of files that all VMs share, which it makes when it first can and keeps."""
    count = 0
    for fd in os.listdir(f"/proc/{d.process.pid}/fd"):
        try:
            count += "/shared-" not in os.readlink(f"/proc/{d.process.pid}/fd/{fd}")
        except FileNotFoundError:
            pass
    return count


def count_sockets(d):
    """Of the descriptors those that are sockets: the connections that are kept to monitors (lib/httpc.c) come and go among them."""
    count = 0
    for fd in os.listdir(f"/proc/{d.process.pid}/fd"):
        try:
            count += os.readlink(f"/proc/{d.process.pid}/fd/{fd}").startswith("socket:")
        except FileNotFoundError:
            pass
    return count


def no_sockets(d):
    return descriptors(d) - count_sockets(d)


def there(d):
    return {
        "interfaces": [NUMBER.sub("N", link) for link in d.links()],
        "cgroups": [NUMBER.sub("N", group) for group in d.cgroups()],
        "processes": len(d.processes()),
        "files": sorted(NUMBER.sub("N", f) for f in d.files("run") if not f.startswith("shared-") and f != RULES),
        "state": sorted(f for f in d.files("state") if not f.startswith("state.db")),
        "rows": rows(d),
    }


def settle(d):
    """Until the pool is full again; after a failure the manager waits before it tries again."""
    deadline = time.monotonic() + TIMEOUT_S
    while (answer := d.call("GET", "/readyz")).status != 200:
        assert time.monotonic() < deadline, answer


def same(d, before, most_descriptors, descriptors=descriptors):
    """What is wrong, or None. The end of a process or an interface can be a moment behind the answer; the manager is asked in between."""
    deadline = time.monotonic() + TIMEOUT_S
    while (now := there(d)) != before or descriptors(d) > most_descriptors:
        if time.monotonic() > deadline:
            return f"{now} with {descriptors(d)} descriptors; before: {before} with {most_descriptors}"
        d.call("GET", "/healthz")
    return None
