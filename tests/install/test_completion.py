# SPDX-License-Identifier: Apache-2.0
"""
Completion, as bash, zsh and fish would have it: the scripts are loaded, lines are completed. The names come from a manager that is
only a socket with lists here; one that is not there, or never answers, leaves the rest.
"""
import http.server
import json
import os
import re
import shutil
import socket
import socketserver
import subprocess
import sys
import tempfile
import threading
import unittest

BUILD = os.environ["UIGNITER_BUILD"]
UIGNITER = os.path.join(BUILD, "cli/uigniter")
ATTEMPTS = 20
LISTS = {"/vm": ["web", "worker", "x; rm -rf /", "\x1b[31m"], "/image": ["shop:1", "shop:2"], "/app": ["imaging"], "/pool": ["default"]}

# Prints COMPREPLY, a line each, behind the words as bash takes them apart.
BASH = """
source <("$1" completion bash)
COMP_LINE=$2 COMP_POINT=${#2} COMP_CWORD=$3
shift 3
COMP_WORDS=("$@")
_uigniter || exit 9
for word in "${COMPREPLY[@]}"; do printf '%s\\n' "$word"; done
"""

# What the completion system gives a function, and takes from it.
ZSH = """
compdef() { :; }
compadd() { [[ $1 == -l && $2 == -d && $4 == -a ]] || exit 8; print -rl -- ${(P)5}; }
compset() { PREFIX=${PREFIX#$~2}; }
_files() { print -r -- "files $PREFIX"; }
source <("$1" completion zsh)
shift
words=("$@") CURRENT=$# PREFIX=${@[$#]}
_uigniter
"""


class Lists(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        items = [{"name": name} for name in LISTS[self.path.split("?")[0]]]
        body = json.dumps({"items": items}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


class Manager(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True

    def get_request(self):
        return self.socket.accept()[0], ("local", 0)


def until_names(shell, text, host, wanted):
    """Names are left out when they do not come within a second, which a loaded machine may well need: asks again."""
    for _ in range(ATTEMPTS if wanted else 1):
        found = shell(text, host)
        if found == wanted:
            break
    return found


def bash(text, host):
    """text up to the cursor. Bash's own breaking of it: blanks part words, = and : are words of their own."""
    words = re.findall(r"[=:]+|[^\s=:]+", text)
    if not words or text[-1] in " \t":
        words.append("")
    words[0] = UIGNITER
    line = UIGNITER + text[len("uigniter"):]
    done = subprocess.run(["bash", "--norc", "-c", BASH, "bash", UIGNITER, line, str(len(words) - 1), *words],
                          capture_output=True, text=True, env={**os.environ, "UIGNITER_HOST": host})
    assert done.returncode == 0 and not done.stderr, done
    return done.stdout.splitlines()


def zsh(text, host):
    words = [UIGNITER, *text.split(" ")[1:]]
    done = subprocess.run(["zsh", "-f", "-c", ZSH, "zsh", UIGNITER, *words],
                          capture_output=True, text=True, env={**os.environ, "UIGNITER_HOST": host})
    assert done.returncode == 0 and not done.stderr, done
    return done.stdout.splitlines()


def fish(text, host):
    """What fish itself would offer; it sorts, and shows a description behind a tab."""
    script = 'set -g PATH $argv[2] $PATH; source (uigniter completion fish | psub); complete -C $argv[1]'
    with tempfile.TemporaryDirectory(prefix="uig-fish-") as home:  # which it fills
        done = subprocess.run(["fish", "--no-config", "-c", script, text, os.path.dirname(UIGNITER)], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, env={**os.environ, "UIGNITER_HOST": host, "HOME": home, "TERM": "dumb",
                                                             "XDG_CONFIG_HOME": home, "XDG_DATA_HOME": home, "XDG_CACHE_HOME": home})
    assert done.returncode == 0, done
    return sorted(line.split("\t")[0] for line in done.stdout.splitlines())


class Completion(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="uig-completion-")
        self.addCleanup(self.folder.cleanup)
        path = os.path.join(self.folder.name, "sock")
        self.manager = Manager(path, Lists)
        self.host = "unix://" + path
        self.thread = threading.Thread(target=self.manager.serve_forever)
        self.thread.start()
        self.addCleanup(self.thread.join)
        self.addCleanup(self.manager.server_close)
        self.addCleanup(self.manager.shutdown)

    def test_bash(self):
        for text, wanted in {
                "uigniter resta": ["restart"],
                "uigniter image p": ["pull", "prune"],
                "uigniter run --moni": ["--monitor"],
                "uigniter run --monitor ": ["uvmm", "firecracker", "qemu", "process"],
                "uigniter run --monitor=q": ["qemu"],
                "uigniter run --wait=": ["none", "started", "ready"],
                "uigniter stop ": ["web", "worker"],
                "uigniter stop web wo": ["worker"],
                "uigniter run sh": ["shop:1", "shop:2"],
                "uigniter run shop:": ["1", "2"],
                "uigniter ps --image=shop:2": ["2"],
                "uigniter app inspect i": ["imaging"],
                "uigniter pool set ": ["default"],
                "uigniter run shop:1 -- ": [],
        }.items():
            with self.subTest(text):
                self.assertEqual(until_names(bash, text, self.host, wanted), wanted)

    def test_bash_files(self):
        for name in ("one.yaml", "other file"):
            with open(os.path.join(self.folder.name, name), "w", encoding="ascii"):
                pass
        head = os.path.join(self.folder.name, "o")
        self.assertEqual(sorted(bash(f"uigniter image build {head}", self.host)),
                         [os.path.join(self.folder.name, name) for name in ("one.yaml", "other file")])
        self.assertEqual(bash(f"uigniter image build --context={head}n", self.host),
                         [os.path.join(self.folder.name, "one.yaml")])

    def test_zsh(self):
        if not shutil.which("zsh"):
            self.skipTest("needs zsh")
        for text, wanted in {
                "uigniter image p": ["pull", "prune"],
                "uigniter run --monitor=q": ["--monitor=qemu"],
                "uigniter stop ": ["web", "worker"],
                "uigniter ps --image=shop:": ["--image=shop:1", "--image=shop:2"],
                "uigniter image build --context=o": ["files o"],
                "uigniter app up o": ["files o"],
                "uigniter app down ": ["imaging", "files "],
                "uigniter run shop:1 -- ": [],
        }.items():
            with self.subTest(text):
                self.assertEqual(until_names(zsh, text, self.host, wanted), wanted)

    def test_fish(self):
        if not shutil.which("fish"):
            self.skipTest("needs fish")
        with open(os.path.join(self.folder.name, "one.yaml"), "w", encoding="ascii"):
            pass
        head = os.path.join(self.folder.name, "on")
        for text, wanted in {
                "uigniter image p": ["prune", "pull"],
                "uigniter run --monitor=q": ["--monitor=qemu"],
                "uigniter stop ": ["web", "worker"],
                "uigniter ps --image=shop:": ["--image=shop:1", "--image=shop:2"],
                f"uigniter image build --context={head}": [f"--context={head}e.yaml"],
                f"uigniter app up {head}": [f"{head}e.yaml"],
                "uigniter run shop:1 -- ": [],
        }.items():
            with self.subTest(text):
                self.assertEqual(until_names(fish, text, self.host, wanted), wanted)

    def test_no_manager(self):
        self.assertEqual(bash("uigniter stop ", f"unix://{self.folder.name}/none"), [])
        self.assertEqual(bash("uigniter sto", "nonsense"), ["stop"])
        with socket.socket(socket.AF_UNIX) as silent:
            silent.bind(os.path.join(self.folder.name, "silent"))
            silent.listen(8)
            self.assertEqual(bash("uigniter stop ", f"unix://{self.folder.name}/silent"), [])

    def test_usage(self):
        for words, status in {("bash",): 0, ("zsh",): 0, ("fish",): 0, ("csh",): 2, ("words",): 2, ("words", "--"): 2, (): 2}.items():
            done = subprocess.run([UIGNITER, "completion", *words], capture_output=True)
            self.assertEqual(done.returncode, status, words)
            self.assertEqual(bool(done.stdout), status == 0)


if not shutil.which("bash"):
    print("skipped: needs bash")
    sys.exit(77)
unittest.main(verbosity=2)
