# SPDX-License-Identifier: Apache-2.0
"""Prometheus' own checker of metrics: Debian's, unpacked by tools/unpack-test-programs, or one that is installed."""
import os
import shutil
import subprocess

UNPACKED = os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", ".deps", "bin", "promtool")
MISSING = "promtool is not there (tools/unpack-test-programs .deps)"


def find():
    return UNPACKED if os.access(UNPACKED, os.X_OK) else shutil.which("promtool")


def check(text):
    """What it has to say of this exposition (bytes): nothing."""
    done = subprocess.run([find(), "check", "metrics"], input=text, capture_output=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, b""), (done.returncode, done.stdout + done.stderr)
