# SPDX-License-Identifier: Apache-2.0
"""
The programs and rows of bench/programs. To add a program: a Program (its manifest, how it is started as a process, the port
that says it is up), and a Row for each figure: the client's command line, and what to read from its output.
"""
import json
import os
import re
import shutil
import subprocess

from common import TREE, built


class Row:
    """One figure. client(build, address, seconds): argv; parse(stdout): (value in unit, operations); bound: what bounds it; over: what
    the address is of, "ip" or "stream" (AF_VSOCK, for a process a Unix socket)."""

    def __init__(self, name, unit, operation, client, parse, bound, over="ip"):
        self.name, self.unit, self.operation, self.client, self.parse = name, unit, operation, client, parse
        self.bound, self.over = bound, over


class Program:
    """image: the manifest's name; manifest: its text, with files found in folder(); argv(build): the same as a process."""

    def __init__(self, image, manifest, argv, port, rows, folder=lambda build: build, env=None, missing=lambda build: None,
                 question=None, vsock=False):
        self.image, self.manifest, self.argv, self.port, self.rows = image, manifest, argv, port, rows
        self.folder, self.env, self.missing = folder, env or {}, missing
        self.name = image.rsplit("/", 1)[-1]
        self.vsock = vsock
        self.question = question  # path or line that start_timer sends; None: starts and idling are not measured


STREAM = "stream"  # of a process: the prefix of its Unix sockets, in its working folder


def netload(build, *words):
    return [built(build, "bench/netload"), *words]


def rate(stdout):
    """netload's "COUNT NANOSECONDS": per second, and the count."""
    count, ns = map(int, stdout.split())
    return count / ns * 1e9, count


def gbit(stdout):
    per_s, count = rate(stdout)
    return per_s * 8 / 1e9, count / 1e6


def netload_rows(prefix, over, bounds):
    """The same four loads over TCP and over streams without a network."""
    def row(name, unit, operation, parse, *words):
        def client(build, address, seconds):
            return netload(build, words[0], address, str(seconds), *words[1:])
        return Row(prefix + name, unit, operation, client, parse, bounds[name], over)
    return [row("bulk_rx", "Gbit/s", "MB", gbit, "send"), row("bulk_tx", "Gbit/s", "MB", gbit, "receive"),
            row("echo_1", "1/s", "request", rate, "echo", "1"), row("echo_16", "1/s", "request", rate, "echo", "16")]


TCP_BOUNDS = {
    "bulk_rx": "the vCPU thread: it reads the tap, and the guest copies once more; an exit for each acknowledgement",
    "bulk_tx": "the vCPU thread: the guest's copy, and the host's own receiving inside its writes to the tap",
    "echo_1": "latency: one exit of the guest and one wake-up of the vCPU thread for each request, the client idle meanwhile",
    "echo_16": "CPU of the vCPU thread, more than half of it the host's network stack in reads and writes of the tap",
}
VSOCK_BOUNDS = {
    "bulk_rx": "copies: socket to ring to program, in packets of a ring buffer each, and credit that the guest gives back",
    "bulk_tx": "copies: program to ring to socket, and credit of one receive buffer in the monitor",
    "echo_1": "latency: one exit and one wake-up for each request; against a Unix socket, which has neither",
    "echo_16": "CPU of the vCPU thread: a read, a write and their polling for each connection in the monitor",
}

NETLOAD = Program(
    image="bench/netload",
    manifest="name: bench/netload\nprogram: netload\nargs: [serve]\nmemory_mib: 256\nports: [7001, 7002, 7003]\nreadiness: {tcp: 7003}\n",
    folder=lambda build: os.path.join(build, "bench"),
    argv=lambda build: netload(build, "serve", STREAM),
    port=7003, vsock=True,
    rows=netload_rows("", "ip", TCP_BOUNDS) + netload_rows("vsock_", "stream", VSOCK_BOUNDS))


def installed(*programs):
    """For Program.missing."""
    def missing(_):
        absent = [p for p in programs if not shutil.which(p)]
        return f"not installed: {', '.join(absent)}" if absent else None
    return missing


def example(name):
    with open(os.path.join(TREE, "examples/programs", name + ".yaml"), encoding="ascii") as f:
        return f.read()


def examples_folder(_):
    return os.path.join(TREE, "examples/programs")


def memcached(build, ip, seconds, request, answer_bytes):
    """16 connections, a request at a time on each; the item is there before."""
    item = "set k 0 0 100\r\n" + "v" * 100 + "\r\n"
    return [built(build, "bench/reqload"), ip, "11211", str(seconds), "16", "1", item, "8", request or item, str(answer_bytes)]


MEMCACHED_BOUND = "one vCPU: about as much CPU per request as the process, whose four threads spread it over the cores"

MEMCACHED = Program(
    image="memcached", manifest=example("memcached"), folder=examples_folder, port=11211, question="version",
    argv=lambda build: ["/usr/bin/memcached", "-u", "root", "-m", "64"], missing=installed("memcached"),
    rows=[
        Row("memcached_get", "1/s", "request", lambda b, ip, s: memcached(b, ip, s, "get k\r\n", 122), rate, MEMCACHED_BOUND),
        Row("memcached_set", "1/s", "request", lambda b, ip, s: memcached(b, ip, s, None, 8), rate, MEMCACHED_BOUND),
    ])


def redis_row(name, test, pipeline, per_second):
    """50 connections. The count is fixed: about so many a second."""
    def client(_, ip, seconds):
        client.requests = int(per_second * seconds)
        return ["redis-benchmark", "-h", ip, "--csv", "-P", str(pipeline), "-t", test, "-n", str(client.requests)]

    def parse(stdout):
        row = json.loads("[" + stdout.strip().splitlines()[-1] + "]")
        return float(row[1]), client.requests
    bound = ("the client's own thread, and the host's network stack in the vCPU thread" if pipeline == 1 else
             "CPU of Redis and of the client: 16 requests are one frame")
    return Row(name, "1/s", "request", client, parse, bound)


REDIS = Program(
    image="redis", manifest=example("redis"), folder=examples_folder, port=6379, question="PING",
    argv=lambda build: ["/usr/bin/redis-server", "--bind", "0.0.0.0", "--protected-mode", "no", "--save", "", "--hz", "1", "--dir", "/tmp"],
    missing=installed("redis-server", "redis-benchmark"),
    rows=[redis_row("redis_p1_set", "set", 1, 15000), redis_row("redis_p1_get", "get", 1, 15000),
          redis_row("redis_p16_set", "set", 16, 100000), redis_row("redis_p16_get", "get", 16, 100000)])

NGINX_CONF = """
daemon off; master_process off; user root; pid nginx.pid; error_log stderr;
events { worker_connections 1024; }
http {
	access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000;
	client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
	server { listen 80; root www; }
}
"""


def site(build):
    """The folder that nginx serves from, made when it is asked for: a page of 200 bytes, and one of 200 KB."""
    folder = os.path.join(build, "bench", "site")
    os.makedirs(os.path.join(folder, "www"), exist_ok=True)
    for name, text in (("nginx.conf", NGINX_CONF), ("www/small", "s" * 200), ("www/large", "l" * 204800)):
        with open(os.path.join(folder, name), "w", encoding="ascii") as f:
            f.write(text)
    return folder


def wrk_row(name, path, bound, port=80):
    def client(_, ip, seconds):
        return ["wrk", "-t1", "-c16", f"-d{max(1, round(seconds))}", f"http://{ip}:{port}{path}"]

    def parse(stdout):
        if "Non-2xx" in stdout or "Socket errors" in stdout:
            raise ValueError(stdout)
        return (float(re.search(r"Requests/sec: *([0-9.]+)", stdout)[1]), int(re.search(r"(\d+) requests in", stdout)[1]))
    return Row(name, "1/s", "request", client, parse, bound)


NGINX = Program(
    image="bench/nginx", folder=site, port=80, question="/small",
    manifest="name: bench/nginx\nprogram: /usr/sbin/nginx\nargs: [-p, /srv, -c, nginx.conf]\nports: [80]\nreadiness: {tcp: 80}\n"
             "files: [{from: www, to: /srv/www}, {from: nginx.conf, to: /srv/nginx.conf}]\nmemory_mib: 128\n",
    argv=lambda build: ["/usr/sbin/nginx", "-p", site(build), "-c", "nginx.conf"], missing=installed("nginx", "wrk"),
    rows=[wrk_row("nginx_small", "/small", "the vCPU thread: nginx and libOS, then the host's network stack"),
          wrk_row("nginx_200k", "/large", "copies: file to frames of 64 KiB in the guest, frames to the client's socket on the host")])



def runtime_file(name):
    return os.path.join(examples_folder(None), name)


def java_folder(build):
    return os.path.join(build, "bench", "java")


def compiled(build):
    """The folder in which java.yaml finds its classes, made by the runtime's own compiler."""
    folder = java_folder(build)
    subprocess.run([JAVA, "-m", "jdk.compiler/com.sun.tools.javac.Main", "-d", os.path.join(folder, "java/classes"),
                    runtime_file("java/Server.java")], check=True)
    return folder


PYTHON = Program(
    image="python3", manifest=example("python3"), folder=examples_folder, port=8080, question="/",
    argv=lambda build: ["/usr/bin/python3.11", runtime_file("python3/server.py"), "8080"], missing=installed("/usr/bin/python3.11", "wrk"),
    rows=[wrk_row("python_http", "/", "CPU of the interpreter, whose lock goes from thread to thread, one for each connection", 8080)])

NODE = Program(
    image="node", manifest=example("node"), folder=examples_folder, port=8080, question="/",
    argv=lambda build: ["/usr/bin/node", runtime_file("node/server.js"), "8080"], missing=installed("/usr/bin/node", "wrk"),
    rows=[wrk_row("node_http", "/", "CPU of node itself", 8080)])

JAVA = "/usr/lib/jvm/java-17-openjdk-amd64/bin/java"
JVM = Program(
    image="java", manifest=example("java"), folder=compiled, port=8080, question="/",
    argv=lambda build: [JAVA, "-XX:+UseSerialGC", "-XX:-UsePerfData", "-XX:+UnlockDiagnosticVMOptions",
                        "-XX:AsyncDeflationInterval=5000", "-XX:GuaranteedSafepointInterval=0", "-Xmx64m", "-cp",
                        os.path.join(java_folder(build), "java/classes"), "Server", "8080"], missing=installed(JAVA, "wrk"),
    rows=[wrk_row("java_http", "/", "CPU of the JVM, and hand-overs between its threads", 8080)])

PROGRAMS = [NETLOAD, MEMCACHED, REDIS, NGINX, PYTHON, NODE, JVM]
