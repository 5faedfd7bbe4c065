#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
Clients of the picture application, for bench/app and bench/scale; what they saw is one JSON object on stdout.

  app_load.py latency MASTER PICTURE N               one task after the other: {"ms": [...]}
  app_load.py rate MASTER PICTURE CLIENTS SECONDS    each client sends the next when its last is done: {"done", "seconds"}
  app_load.py arrive MASTER PICTURE RATE:SECONDS...  sends at these rates, whatever becomes of them: {"tasks": [[sent_s, ready_s], ...]}

MASTER is host:port. A task is done when master says that it is ready: latency and rate wait for that by long poll, where the master knows it.
--first N before all: for a master whose answers do not name the task, as the original one's: uploads go one at a time, and are tasks
N, N+1, ... The object then has how many there were: "sent".
"""
import http.client
import json
import queue
import sys
import threading
import time

POLL_S = 0.002
WAIT_S = 20  # of a long poll
GIVE_UP_S = 120
BOUNDARY = "uig7f3a91bc"


def body_of(path):
    with open(path, "rb") as f:
        data = f.read()
    head = (f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n'
            "Content-Type: image/png\r\n\r\n").encode()
    return head + data + f"\r\n--{BOUNDARY}--\r\n".encode()


class Counted:
    """Ids of tasks that nobody tells: uploads in a row, from first on; None: they are told."""
    first, sent, lock = None, 0, threading.Lock()


class Client:
    def __init__(self, master, body):
        host, port = master.rsplit(":", 1)
        self.connection = http.client.HTTPConnection(host, int(port), timeout=60)
        self.body = body

    def ask(self, method, path, body=None, headers=None):
        self.connection.request(method, path, body, headers or {})
        answer = self.connection.getresponse()
        return answer.status, answer.getheader("X-Task-Id"), answer.read()

    def send(self):
        if Counted.first is None:
            return self.upload()
        with Counted.lock:
            self.upload()
            Counted.sent += 1
            return Counted.first + Counted.sent - 1

    def upload(self):
        status, task, text = self.ask("POST", "/task", self.body, {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"})
        if status != 200 or (not task and Counted.first is None):
            raise RuntimeError(f"upload: {status} {text[:200]!r}")
        return task

    def is_ready(self, task, wait_s=0):
        """A master without long poll answers at once, whatever wait_s is."""
        return self.ask("GET", f"/task/{task}/ready" + (f"?wait={wait_s}" if wait_s else ""))[2] == b"true"

    def one(self, poll_s=POLL_S):
        task, end = self.send(), time.monotonic() + GIVE_UP_S
        while not self.is_ready(task, WAIT_S):
            if time.monotonic() > end:
                raise RuntimeError(f"task {task} is not done after {GIVE_UP_S} s")
            time.sleep(poll_s)


def latency(master, body, n):
    client, ms = Client(master, body), []
    for _ in range(n):
        start = time.monotonic()
        client.one(0.001)
        ms.append((time.monotonic() - start) * 1000)
    return {"ms": ms}


def rate(master, body, clients, seconds):
    """The first quarter is not counted: connections, caches, and a full pipeline."""
    times, lock, errors = [], threading.Lock(), []
    end = time.monotonic() + seconds * 1.25

    def run():
        try:
            client = Client(master, body)
            while time.monotonic() < end:
                client.one(0.005)
                with lock:
                    times.append(time.monotonic())
        except Exception as e:
            errors.append(str(e))

    threads = [threading.Thread(target=run) for _ in range(clients)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    if errors:
        raise RuntimeError(errors[0])
    return {"done": sum(end - seconds <= t <= end for t in times), "seconds": seconds}


def arrive(master, body, phases, senders=16):
    """Open load: each task has its moment, and its time counts from that moment."""
    work, tasks, lock, errors = queue.Queue(), [], threading.Lock(), []
    pending, sent_all = {}, threading.Event()
    begin = time.monotonic()

    def send():
        try:
            client = Client(master, body)
            while (at := work.get()) is not None:
                task = client.send()
                with lock:
                    pending[task] = at
        except Exception as e:
            errors.append(str(e))

    def watch():
        try:
            client, end = Client(master, body), None
            while not sent_all.is_set() or pending:
                with lock:
                    oldest = list(pending.items())[:64]
                for task, at in oldest:
                    if client.is_ready(task):
                        with lock:
                            del pending[task]
                            tasks.append((round(at, 4), round(time.monotonic() - begin, 4)))
                if sent_all.is_set():
                    end = end or time.monotonic() + GIVE_UP_S
                    if time.monotonic() > end:
                        raise RuntimeError(f"{len(pending)} tasks are not done")
                time.sleep(0.01)
        except Exception as e:
            errors.append(str(e))

    threads = [threading.Thread(target=send) for _ in range(senders)]
    watcher = threading.Thread(target=watch)
    for t in [*threads, watcher]:
        t.start()
    at = 0.0
    for per_s, seconds in phases:
        until = at + seconds
        while per_s and at < until:
            time.sleep(max(0.0, begin + at - time.monotonic()))
            work.put(at)
            at += 1 / per_s
        at = until
    time.sleep(max(0.0, begin + at - time.monotonic()))
    for _ in threads:
        work.put(None)
    for t in threads:
        t.join()
    sent_all.set()
    watcher.join()
    if errors:
        raise RuntimeError(errors[0])
    return {"begin": begin, "tasks": sorted(tasks)}


def main():
    words = sys.argv[1:]
    if words[0] == "--first":
        Counted.first, words = int(words[1]), words[2:]
    what, master, picture, *rest = words
    body = body_of(picture)
    if what == "latency":
        found = latency(master, body, int(rest[0]))
    elif what == "rate":
        found = rate(master, body, int(rest[0]), float(rest[1]))
    else:
        found = arrive(master, body, [tuple(map(float, p.split(":"))) for p in rest])
    json.dump({**found, "sent": Counted.sent}, sys.stdout)


main()
