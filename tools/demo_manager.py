# SPDX-License-Identifier: Apache-2.0
"""The manager's REST API as the demonstration uses it, over TCP on 127.0.0.1, and its instances of an application."""
import http.client
import json
import os
import time

from demo_host import DemoError

LIMIT_S = 120


class Refused(DemoError):
    def __init__(self, method, path, status, problem):
        super().__init__(f"{method} {path}: {status} {problem.get('detail') or problem.get('title') or ''}")
        self.status = status


class Instance:
    """One service of the application: what POST /vm/run answered."""

    def __init__(self, service, vm):
        self.service, self.vm = service, vm
        self.name, self.id, self.ip = vm["name"], vm["id"], vm["ip_address"]
        self.memory_bytes = None

    @property
    def pid(self):
        return self.vm["pid"]

    @property
    def start_ms(self):
        """From the request until it serves; of one that serves nothing, until it runs."""
        return self.vm["ready_ms"] if self.vm.get("ready_ms") is not None else self.vm["start_ms"]

    def host_port(self, guest):
        return next(p["host"] for p in self.vm["ports"] if p["guest"] == guest)


class Manager:
    def __init__(self, port):
        self.port = port
        self.instances = []

    def call(self, method, path, body=None, raw=False, limit_s=LIMIT_S):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=limit_s)
        try:
            data = json.dumps(body) if body is not None else None
            connection.request(method, path, data, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        if answer.status >= 400:
            try:
                problem = json.loads(text)
            except ValueError:
                problem = {"detail": text.decode(errors="replace")[:200]}
            raise Refused(method, path, answer.status, problem)
        return text if raw else json.loads(text) if text else None

    def wait_ready(self, daemon, limit_s):
        """Until the pool is filled. The manager's own sentence is the error when it is not in time."""
        deadline, why = time.monotonic() + limit_s, "no answer"
        while time.monotonic() < deadline:
            if daemon.poll() is not None:
                raise DemoError(f"the manager ended with status {daemon.returncode}")
            try:
                self.call("GET", "/readyz", limit_s=5)
                return
            except (OSError, http.client.HTTPException, Refused) as e:
                why = str(e)
            time.sleep(0.1)
        raise DemoError(f"the manager is not ready after {limit_s} s: {why}")

    def of(self, service):
        return [i for i in self.instances if i.service == service]

    def find_instances(self, app):
        """Those of the application that run and were not known before."""
        known, new = {i.id for i in self.instances}, []
        for service in self.call("GET", f"/app/{app}")["services"]:
            new += [Instance(service["name"], self.call("GET", f"/vm/{i['id']}")) for i in service["instances"]
                    if i["id"] not in known and i["state"] == "running"]
        self.instances += new
        return new

    def measure(self, instance):
        """Private memory of the instance's process on the host, while it lives."""
        try:
            stats = self.call("GET", f"/vm/{instance.id}/stats")
            instance.memory_bytes = stats["private_bytes"]
        except Refused:
            pass

    def names(self):
        """Of all instances that the manager knows, those that failed included."""
        try:
            return [vm["name"] for vm in self.call("GET", "/vm", limit_s=5)["items"]]
        except (OSError, http.client.HTTPException, Refused):
            return []

    def logs_tail(self, name, lines):
        try:
            return self.call("GET", f"/vm/{name}/logs?tail={lines}", raw=True, limit_s=5).decode(errors="replace")
        except (OSError, http.client.HTTPException, Refused) as e:
            return f"(no log: {e})\n"


def tail_of_file(path, lines):
    try:
        with open(path, errors="replace") as f:
            return "".join(f.readlines()[-lines:])
    except OSError as e:
        return f"(no log: {e})\n"


def built(build, *candidates):
    """The first of some build results that is there."""
    for c in candidates:
        path = os.path.join(build, c)
        if os.path.exists(path):
            return path
    raise DemoError(f"{os.path.join(build, candidates[0])} is missing: build the tree first (./run build)")
