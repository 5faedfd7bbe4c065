# SPDX-License-Identifier: Apache-2.0
"""
What the benchmarks share: a manager in a network namespace of its own, the kvstore image, the machine's name, and the lines
"result NAME VALUE UNIT" that machines read. The namespace, processes and files are gone at the end (tools/demo_host.py), also when a benchmark is
interrupted; what one leaves that is killed, the next one removes.
"""
import contextlib
import os
import signal
import subprocess
import sys

TREE = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(TREE, "tools"))
from demo_host import DemoError, Host, free_port, ip  # noqa: E402, F401
from demo_manager import Manager, built, tail_of_file  # noqa: E402

ENDED_BY = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
IMAGE = "imaging/kvstore"
PORT = 9000
PATH = "/healthz"


def interrupted(signo, _):
    """As an exception, so that each `with` and `finally` on the way out cleans up; once, so that nothing breaks that."""
    for other in ENDED_BY:
        signal.signal(other, signal.SIG_IGN)
    sys.exit(128 + signo)


for each in ENDED_BY:
    signal.signal(each, interrupted)


def result(name, value, unit):
    print(f"result {name} {value:.3f} {unit}" if isinstance(value, float) else f"result {name} {value} {unit}", flush=True)


def percentile(values, p):
    """Nearest rank."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * p // 100) - 1)]


def machine():
    """One line: what the figures were read on."""
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as f:
        model = next((line.split(":")[1].strip() for line in f if line.startswith("model name")), "unknown processor")
    with open("/proc/meminfo", encoding="ascii") as f:
        memory = int(f.readline().split()[1]) // 1024
    kvm = "with /dev/kvm" if os.access("/dev/kvm", os.R_OK | os.W_OK) else "without /dev/kvm"
    load = os.getloadavg()[0]
    return f"machine {os.cpu_count()} x {model}, {memory} MiB, Linux {os.uname().release}, {kvm}, load {load:.2f} at the start"


def service(build, name="kvstore"):
    return built(build, f"services/{name}")


class Bench:
    """A manager with a pool, and the image."""

    def __init__(self, build, monitor, pool, memory_mib=128):
        self.build, self.monitor, self.memory_mib = build, monitor, memory_mib
        self.pool = pool
        self.host = Host(build)
        self.port = free_port()

    def __enter__(self):
        self.host.open()
        try:
            self.host.start_daemon([
                built(self.build, "daemon/uigniterd"), "--netns", self.host.tag, "--state-dir", self.host.path("state"),
                "--run-dir", self.host.volatile(), "--socket", self.socket, "--listen", f"127.0.0.1:{self.port}",
                "--monitor", self.monitor, "--pool", str(self.pool), "--pool-memory", str(self.memory_mib),
                "--subnet", "10.211.0.0/16", "--quarantine", "1", "--log-level", "warn",
                "--uvmm", built(self.build, "vmm/uvmm"), "--libos", built(self.build, "libos/libos.elf"),
                *self.options()])
            self.manager = Manager(self.port)
            self.manager.wait_ready(self.host.daemon, 120)
            self.add_image()
        except BaseException:
            self.host.close()
            raise
        return self

    def __exit__(self, *what):
        if what[0]:
            print(tail_of_file(self.host.log, 20), end="", file=sys.stderr)
        for left in self.host.close():
            print(f"left behind: {left}", file=sys.stderr)

    @property
    def socket(self):
        return self.host.path("uigniterd.sock")

    def options(self):
        """More of the manager's, once the folders are there."""
        return []

    def add_image(self):
        with open(os.path.join(TREE, "examples/imaging/kvstore.yaml"), encoding="ascii") as f:
            self.build_image(f.read(), os.path.dirname(service(self.build)))

    def build_image(self, manifest, folder):
        """An image from the manifest's text; its files are found in folder."""
        path = self.host.path("manifest.yaml")
        with open(path, "w", encoding="ascii") as f:
            f.write(manifest)
        done = subprocess.run([built(self.build, "cli/uigniter"), "image", "build", "-q", "-C", folder, path],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              env={**os.environ, "UIGNITER_HOST": f"unix://{self.socket}"})
        if done.returncode:
            raise DemoError(done.stderr.strip())

    def inside(self, argv):
        """The command line that runs argv in the namespace of the instances."""
        return ["ip", "netns", "exec", self.host.tag, *argv]

    def remove(self, vm):
        self.manager.call("DELETE", f"/vm/{vm}?force=true")

    def warm(self, image, **more):
        """Makes a template; its id."""
        operation = self.manager.call("POST", "/template", {"image_name": image, **more})["id"]
        done = self.manager.call("GET", f"/operation/{operation}?wait=60")
        if done["state"] != "done":
            raise DemoError(f"{image} did not become a template: {done['error'] or done['state']}")
        return done["result"]["id"]

    def wait_pool(self):
        """Until the pool is full again: what a start took from it is not part of the next one."""
        self.manager.wait_ready(self.host.daemon, 60)


@contextlib.contextmanager
def errors_as_sentences(name):
    try:
        yield
    except DemoError as e:
        sys.exit(f"{name}: {e}")
