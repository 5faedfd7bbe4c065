# SPDX-License-Identifier: Apache-2.0
"""The picture application of examples/imaging/app.yaml under a manager of its own, and clients of it in the instances' namespace."""
import json
import os
import shutil
import subprocess

from common import TREE, Bench, DemoError, built
from demo_manager import Instance

APP = "imaging"
APP_FILE = os.path.join(TREE, "examples/imaging/app.yaml")
LOAD = os.path.join(TREE, "bench/app_load.py")
# name: size, bytes wanted.
PICTURES = {"100k": ("1024x768", 100_000), "2m": ("1024x768", 2_000_000)}


class App(Bench):
    """monitor: "process" runs the services as processes of the host, each behind a veth pair on the same bridge as unikernels are."""

    def __init__(self, build, monitor, pool=8, file=APP_FILE):
        self.file = file
        super().__init__(build, monitor, pool)

    def options(self):
        self.file, self.data = self.host.make_data(self.file, self.monitor)
        return ["--volume-root", self.host.data()]

    def add_image(self):
        self.cli("app", "build", "-C", os.path.join(self.build, "services"), self.file)

    def cli(self, *words):
        env = {**os.environ, "UIGNITER_HOST": f"unix://{self.socket}", "IMAGING_PORT": "0", "IMAGING_LEASE_MS": "20000",
               **self.data}
        done = subprocess.run([built(self.build, "cli/uigniter"), *words], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, env=env)
        if done.returncode:
            raise DemoError(done.stderr.strip())
        return done.stdout

    def up(self):
        self.cli("app", "up", "-q", "--no-build", "-t", "300", self.file)

    def change(self, fn):
        """fn changes the services that are wanted; waits until it is so."""
        spec = self.manager.call("GET", f"/app/{APP}")["spec"]
        fn(spec["services"])
        self.manager.call("PUT", f"/app/{APP}", spec)
        self.await_ready()

    def await_ready(self):
        answer = self.manager.call("GET", f"/app/{APP}/wait?state=ready&timeout=110")
        if not answer["reached"]:
            raise DemoError(f"the application is not ready: {answer['app']}")

    def down(self):
        self.cli("app", "down", APP)

    def scale(self, **counts):
        """And waits until it is so."""
        self.manager.call("POST", f"/app/{APP}/scale", counts)
        self.await_ready()

    def instances(self):
        """Those that run, by service."""
        found = {}
        for service in self.manager.call("GET", f"/app/{APP}")["services"]:
            found[service["name"]] = [Instance(service["name"], self.manager.call("GET", f"/vm/{i['id']}"))
                                      for i in service["instances"] if i["state"] == "running"]
        return found

    def load(self, *words):
        """A client in the namespace, started; load_result() waits for what it says."""
        return subprocess.Popen(self.inside(["python3", LOAD, *map(str, words)]), stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, text=True)

    def load_result(self, *words):
        return load_result(self.load(*words))


def load_result(process):
    text, _ = process.communicate()
    if process.returncode:
        raise DemoError(f"the client failed with status {process.returncode}: {text[-300:]}")
    return json.loads(text)


def make_picture(folder, name):
    """A PNG of about that many bytes."""
    size, want = PICTURES[name]
    width = int(size.split("x")[0])
    path = os.path.join(folder, f"{name}.png")
    tool = shutil.which("convert")
    if not tool:
        raise DemoError("convert is missing: apt install imagemagick")
    # Rows of noise do not compress, three bytes a pixel; what is around them takes little.
    noise = f"{width}x{round(want / width / 3)}"
    subprocess.run([tool, "-seed", "1", "-size", size, "gradient:red-blue", "(", "-size", noise, "xc:gray50", "-channel", "RGB",
                    "+noise", "Random", ")", "-composite", "PNG24:" + path], check=True, stdin=subprocess.DEVNULL)
    if not want * 0.8 < os.path.getsize(path) < want * 1.2:
        raise DemoError(f"{path} has {os.path.getsize(path)} bytes instead of about {want}")
    return path
