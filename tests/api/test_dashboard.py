# SPDX-License-Identifier: Apache-2.0
"""The dashboard's port: a page and lists, for pages of that address only, and nothing that changes anything. The page itself: tests/ui."""
import http.client
import socket
import subprocess
import unittest

from harness import DAEMON, Daemon, TIMEOUT_S, main, need, own_loopback

HOST, PORT = own_loopback(), 8666


class Dashboard(unittest.TestCase):
    def setUp(self):
        self.d = Daemon("--dashboard", f"{HOST}:{PORT}")
        self.addCleanup(self.d.clean)

    def get(self, path, method="GET", **headers):
        connection = http.client.HTTPConnection(HOST, PORT, timeout=TIMEOUT_S)
        self.addCleanup(connection.close)
        connection.request(method, path, headers={k.replace("_", "-"): v for k, v in headers.items()})
        return connection.getresponse()

    def test_what_is_served(self):
        page = self.get("/")
        text = page.read().decode()
        self.assertEqual((page.status, page.headers["content-type"]), (200, "text/html; charset=utf-8"))
        self.assertIn("default-src 'none'", page.headers["content-security-policy"])
        self.assertEqual(page.headers["x-content-type-options"], "nosniff")
        self.assertIn('src="/app.js"', text)
        for path, kind in (("/app.js", "text/javascript"), ("/app.css", "text/css")):
            self.assertTrue(self.get(path).headers["content-type"].startswith(kind), path)
        for path in ("/vm", "/pool", "/image", "/operation", "/info", "/events"):
            self.assertEqual(self.get(path).status, 200, path)
        stream = self.get("/events", Accept="text/event-stream")
        self.assertEqual(stream.readline(), b": hello\n")
        self.d.end()  # the stream ends with the manager
        self.assertEqual(stream.read(), b"\n")

    def test_what_is_refused(self):
        for method, path in (("POST", "/vm/run"), ("DELETE", "/vm/x"), ("PUT", "/image/x"), ("GET", "/metrics"), ("GET", "/vm/x/logs"), ("POST", "/vm")):
            self.assertIn(self.get(path, method).status, (404, 405), (method, path))
        for headers in ({"Host": "evil.example"}, {"Host": f"evil.example:{PORT}"}, {"Origin": "http://evil.example"},
                        {"Sec_Fetch_Site": "cross-site"}, {"Sec_Fetch_Site": "same-site"}, {"Host": "10.0.0.1"}):
            for path in ("/", "/vm", "/events"):
                self.assertEqual(self.get(path, **headers).status, 403, headers)
        for headers in ({"Sec_Fetch_Site": "same-origin"}, {"Sec_Fetch_Site": "none"}, {"Host": f"localhost:{PORT}"}):
            self.assertEqual(self.get("/vm", **headers).status, 200, headers)
        self.d.end()

    def test_options(self):
        self.d.end()
        for words in (["0.0.0.0:8666"], ["8666"], ["127.0.0.1:0"], ["127.0.0.1:8666", "--token-file", "/nonexistent"]):
            done = subprocess.run([DAEMON, "--dashboard", *words], capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
            self.assertEqual((done.returncode, "--dashboard" in done.stderr), (2, True), (words, done))
        with socket.create_server((HOST, PORT)):
            with self.assertRaises(RuntimeError):
                self.d.start()


if __name__ == "__main__":
    need()
    main()
