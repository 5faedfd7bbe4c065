# SPDX-License-Identifier: Apache-2.0
"""
The programs and rows of bench/programs. To add a program: a Program (its manifest, how it is started as a process, the port
that says it is up), and a Row for each figure: the client's command line, and what to read from its output.
"""
import os

from common import built


class Row:
    """One figure. client(build, ip, seconds): argv; parse(stdout): (value in unit, operations)."""

    def __init__(self, name, unit, operation, client, parse):
        self.name, self.unit, self.operation, self.client, self.parse = name, unit, operation, client, parse


class Program:
    """image: the manifest's name; manifest: its text, with files found in folder(); argv(build): the same as a process."""

    def __init__(self, image, manifest, argv, port, rows, folder=lambda build: build, env=None, missing=lambda build: None):
        self.image, self.manifest, self.argv, self.port, self.rows = image, manifest, argv, port, rows
        self.folder, self.env, self.missing = folder, env or {}, missing


def netload(build, *words):
    return [built(build, "bench/netload"), *words]


def rate(stdout):
    """netload's "COUNT NANOSECONDS": per second, and the count."""
    count, ns = map(int, stdout.split())
    return count / ns * 1e9, count


def gbit(stdout):
    per_s, count = rate(stdout)
    return per_s * 8 / 1e9, count / 1e6


NETLOAD = Program(
    image="bench/netload",
    manifest="name: bench/netload\nprogram: netload\nargs: [serve]\nmemory_mib: 256\nports: [7001, 7002, 7003]\nreadiness: {tcp: 7003}\n",
    folder=lambda build: os.path.join(build, "bench"),
    argv=lambda build: netload(build, "serve"),
    port=7003,
    rows=[
        Row("bulk_rx", "Gbit/s", "MB", lambda build, ip, s: netload(build, "send", ip, str(s)), gbit),
        Row("bulk_tx", "Gbit/s", "MB", lambda build, ip, s: netload(build, "receive", ip, str(s)), gbit),
        Row("echo_1", "1/s", "request", lambda build, ip, s: netload(build, "echo", ip, str(s), "1"), rate),
        Row("echo_16", "1/s", "request", lambda build, ip, s: netload(build, "echo", ip, str(s), "16"), rate),
    ])

PROGRAMS = [NETLOAD]
