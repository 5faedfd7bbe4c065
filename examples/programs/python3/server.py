# SPDX-License-Identifier: Apache-2.0
"""
An HTTP server with the means of python: GET / says hello, GET /primes?N counts the primes below N on four threads that take their
work from a queue, POST /echo sends the body back. A thread for each connection. SIGTERM ends it in order.
"""
import queue
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PARTS = 4
work = queue.Queue()


def worker():
    while True:
        numbers, answers = work.get()
        answers.put(sum(n > 1 and all(n % d for d in range(2, int(n**0.5) + 1)) for n in numbers))


def primes(below):
    answers = queue.Queue()
    for part in range(PARTS):
        work.put((range(part, below, PARTS), answers))
    return sum(answers.get() for _ in range(PARTS))


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        path, _, query = self.path.partition("?")
        self.answer(b"%d\n" % primes(int(query)) if path == "/primes" else b"hello from python %d.%d\n" % sys.version_info[:2])

    def do_POST(self):
        self.answer(self.rfile.read(int(self.headers["Content-Length"])))

    def log_message(self, format, *args):
        pass


def main():
    for _ in range(PARTS):
        threading.Thread(target=worker, daemon=True).start()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    server = ThreadingHTTPServer(("", int(sys.argv[1])), Handler)
    server.daemon_threads = True
    print("listening", flush=True)
    server.serve_forever(poll_interval=3600)  # nobody calls shutdown(), which is what it would look for twice a second


main()
