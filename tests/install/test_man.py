# SPDX-License-Identifier: Apache-2.0
"""The manual pages: mandoc finds nothing to warn of, and each option and command that --help names stands in its page."""
import os
import re
import shutil
import subprocess
import sys
import unittest

BUILD = os.environ["UIGNITER_BUILD"]
PAGES = {"uigniter.1": "cli/uigniter", "uvmm.1": "vmm/uvmm", "uigniterd.8": "daemon/uigniterd", "uigniterd.conf.5": None}


def page_path(page):
    return os.path.join(BUILD, "dist/man", page)


def page_text(page):
    done = subprocess.run(["mandoc", "-Tascii", page_path(page)], check=True, capture_output=True, text=True)
    return re.sub(r"\s+", " ", re.sub(".\b", "", done.stdout))


def help_of(*words):
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


class Man(unittest.TestCase):
    def test_lint(self):
        for page in PAGES:
            done = subprocess.run(["mandoc", "-Tlint", "-W", "warning", page_path(page)], capture_output=True, text=True)
            self.assertEqual((done.returncode, done.stdout), (0, ""), page)

    def test_options(self):
        for page, program in PAGES.items():
            text = page_text(page)
            options = re.findall(r"^ +--([a-z0-9-]+)", help_of(os.path.join(BUILD, program), "--help"), re.M) if program else []
            for option in options:
                self.assertIn("--" + option, text, page)
            self.assertTrue(options or program != "daemon/uigniterd")

    def test_keys(self):
        text = page_text("uigniterd.conf.5")
        for option in re.findall(r"^ +--([a-z0-9-]+)", help_of(os.path.join(BUILD, "daemon/uigniterd"), "--help"), re.M):
            if option not in ("config", "version", "help"):
                self.assertIn(f" {option}: ", text)

    def test_commands(self):
        text = page_text("uigniter.1")
        uigniter = os.path.join(BUILD, "cli/uigniter")
        commands = re.findall(r"^  ([a-z]+(?: [a-z]+)?) ", help_of(uigniter, "--help"), re.M)
        self.assertGreater(len(commands), 30)
        for command in commands:
            shown = help_of(uigniter, *command.split(), "--help")
            usage, example = re.search(r"^usage: (.*)", shown).group(1), re.search(r"^example: (.*)", shown, re.M).group(1)
            # a command without options of its own has only the common ones, described once
            self.assertTrue(usage in text or usage.replace(" [OPTION...]", "") in text, usage)
            self.assertIn(example, text)
            for option in re.findall(r"^ +(?:-., )?(--[a-z0-9-]+(?:\[?[= ][^ ]+)?)", shown, re.M):
                self.assertIn(option, text, command)


if not shutil.which("mandoc"):
    print("skipped: needs mandoc")
    sys.exit(77)
unittest.main(verbosity=2)
