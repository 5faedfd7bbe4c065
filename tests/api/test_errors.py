# SPDX-License-Identifier: Apache-2.0
"""What is refused: malformed and oversized bodies, wrong methods, unknown things, foreign callers; and nothing is left of it."""
import http.client
import json
import os
import subprocess

from harness import BUILD, DaemonTest, main, need, own_loopback, TIMEOUT_S

UIGNITER = os.path.join(BUILD, "cli", "uigniter")


class Refusals(DaemonTest):
    def post(self, body, path="/vm/run", **headers):
        return self.d.call("POST", path, body, {"Content-Type": "application/json", **headers})

    def log_text(self):
        with open(os.path.join(self.d.folder, "log"), encoding="utf-8") as log:
            return log.read()

    def test_bodies(self):
        self.d.put_shell("hello", "exit 0")
        for body in ("", "{", "[]", "null", '"x"', '{"image_name":"hello"} x', '{"image_name":"hello","image_name":"hello"}',
                     '{"image_name":"\\u0000"}', "\xff\xfe", "[" * 5000, '{"a":' * 500 + "1" + "}" * 500, "1e999999"):
            answer = self.refused(self.post(body.encode("latin-1")), 400, "invalid_field")
            self.assertIn("errors", answer)
        for path in ("/vm/run", "/vm/create"):
            self.refused(self.post("{}", path), 400, "invalid_field")
            self.refused(self.post('{"image_name":"nothing"}', path), 400, "not_found")
        self.assertEqual(self.d.call("GET", "/vm").json["items"], [])

    def test_fields(self):
        self.d.put_shell("hello", "exit 0")
        wrong = {
            "image_name": [1, None, "", "../x", "/etc/passwd", "a//b", "A", "a/../b", "x" * 300, "a:b:c", ".."],
            "name": ["", "a/b", "../x", "-a", "A", "x" * 64, 1, "a\n"],
            "memory_mib": [0, -1, 1.5, "64", 10**12, 7],
            "vcpus": [0, 33, "1"],
            "monitor": ["kvm", 1],
            "ip_address": ["1.2.3", "1.2.3.4.5", "::1", 1, "10.77.0.1/24", "010.77.0.9"],
            "env": [[], {"A": 1}, {"": "x"}, {"1A": "x"}, {"A=B": "x"}, {"A B": "x"}],
            "labels": [[], {"a": 1}, {"": "x"}],
            "ports": [{}, [1], [{}], [{"guest": 0}], [{"guest": 65536}], [{"guest": 80, "host": -1}],
                      [{"guest": 80, "address": "x"}], [{"guest": 80, "protocol": "sctp"}], [{"guest": 1}] * 65],
            "args": ["x", [1], ["x"] * 257],
            "cmdline": ['"open', ["x"], "x" * 9000],
            "wait": ["later", 1],
            "wait_timeout_ms": [0, -1, 10**9],
            "auto_remove": [1, "true"],
            "read_only": [False, 1],
            "volumes": [[{}], {}, 3, [3], [{"source": "/x"}], [{"target": "/x"}], [{"source": "x", "target": "/x"}],
                        [{"source": "/x", "target": "x"}], [{"source": "/x", "target": "/"}], [{"source": "/x", "target": "/a/../b"}],
                        [{"source": "/x", "target": "/a:b"}], [{"source": "/x", "target": "/a", "size": 1}],
                        [{"source": "/x", "target": "/a", "read_only": 1}], [{"source": "/x", "target": "/a"}] * 2,
                        [{"source": "/x", "target": "/dev/vdb"}], [{"source": "/x", "target": "/dev/vdz"}],
                        [{"source": "/x", "target": "/dev/vda1"}], [{"source": "/x", "target": f"/{n}"} for n in range(9)],
                        [{"source": "/etc", "target": "/a"}]],
            "restart": [{"policy": "always", "more": 1}, "sometimes", [1], {"max_retries": "1"}], "ttl_s": [0, "1"],
            "mac": ["02:00:00:00:00", "02-00-00-00-00-01", "02:00:00:00:00:0g", "02:00:00:00:00:01:", "00:00:00:00:00:00", "03:00:00:00:00:01", "ff:ff:ff:ff:ff:ff", 1],
        }
        for field, values in wrong.items():
            for value in values:
                answer = self.d.call("POST", "/vm/run", {"image_name": "hello", **{field: value}})
                self.assertEqual(answer.status, 400, (field, value, answer))
                if "errors" in answer.json:
                    self.assertTrue(answer.json["errors"][0]["pointer"].startswith("/" + field), answer)
        both = self.d.call("POST", "/vm/run", {"image_name": "hello", "args": ["a"], "cmdline": "a"})
        self.refused(both, 400, "invalid_field")
        self.assertEqual(self.d.call("GET", "/vm").json["items"], [])

    def test_http(self):
        self.refused(self.d.call("GET", "/nothing"), 404, "not_found")
        self.refused(self.d.call("GET", "/vm/x/y/z"), 404, "not_found")
        for method, path, allow in (("PUT", "/vm/run", "POST"), ("DELETE", "/pool", "GET"), ("POST", "/healthz", "GET"),
                                    ("PATCH", "/vm/abcd", "DELETE")):
            answer = self.d.call(method, path, "", check=False)
            self.refused(answer, 405, "method_not_allowed")
            self.assertIn(allow, answer.headers["allow"])
        for kind in ("text/plain", "application/x-www-form-urlencoded", "application/jsonx", ""):
            answer = self.d.call("POST", "/vm/run", '{"image_name":"x"}', {"Content-Type": kind})
            self.refused(answer, 415, "unsupported_media_type")
        self.assertIn("at most 1048576 bytes", self.refused(self.post(b"x" * (1 << 20) + b"x"), 413, "too_large")["detail"])
        while f'caller="uid={os.getuid()} pid={os.getpid()}" method=POST path="/vm/run" status=413' not in self.log_text():
            pass  # it comes by way of another process
        self.assertIn("/openapi.json", self.refused(self.d.call("GET", "/frob", check=False), 404, "not_found")["detail"])
        self.assertEqual(self.d.call("GET", "/healthz").status, 200)

    def test_queries(self):
        self.d.put_shell("long", "exec sleep 1000")
        vm = self.d.run("long", name="v")
        for path in ("/vm?state=bored", "/vm?limit=0", "/vm?limit=x", "/vm/v/wait?state=created", "/vm/v/wait?timeout=-1",
                     "/vm/v/wait?timeout=1e3", "/vm/v/wait?timeout=", "/vm/v/logs?tail=-1", "/vm/v/logs?follow=maybe"):
            self.refused(self.d.call("GET", path), 400, "invalid_field")
        self.refused(self.d.call("POST", "/vm/v/stop?timeout=x"), 400, "invalid_field")
        for path in ("/vm/nothing", "/vm/nothing/logs", "/vm/nothing/stats", "/vm/nothing/wait", "/image/nothing",
                     "/vm/..%2f..%2fetc/logs", "/image/..%2f..%2fetc%2fpasswd", "/image/a/../../x"):
            self.refused(self.d.call("GET", path), 404, "not_found")
        self.assertEqual(self.d.call("GET", "/vm/v").json["id"], vm["id"])

    def test_head(self):
        self.d.put_shell("long", "echo x; exec sleep 1000")
        vm = self.d.run("long", name="v")
        self.d.first_line("v")
        for path in ("/vm", "/vm/v", "/vm/v/logs", "/vm/v/logs?follow=true", "/healthz"):
            answer = self.d.call("HEAD", path, check=False)
            self.assertEqual((answer.status, answer.body), (200, b""), path)
        self.assertEqual(self.d.call("GET", "/vm/v").json["id"], vm["id"])


class Tcp(DaemonTest):
    """Requests over TCP with exactly these headers."""
    host, port = own_loopback(), 6666
    options = {"listen": f"{host}:{port}"}

    def get(self, headers, method="GET", path="/vm", body=None):
        connection = http.client.HTTPConnection(self.host, self.port, timeout=TIMEOUT_S)
        connection.putrequest(method, path, skip_host=True)
        for name, value in headers.items():
            connection.putheader(name, value)
        if body:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        response = connection.getresponse()
        status, text = response.status, response.read()
        connection.close()
        return status, text


class Token(Tcp):
    token = "0123456789-._~+/abcDEF=="
    options = {**Tcp.options, "token": token}

    def test_token(self):
        good = {"Authorization": f"Bearer {self.token}"}
        self.assertEqual(self.get(good)[0], 200)
        self.assertEqual(self.get({**good, "Host": "manager.example:6666"})[0], 200)
        self.assertEqual(self.get({**good, "Origin": "http://evil.example"})[0], 403)
        for wrong in ({}, {"Authorization": ""}, {"Authorization": self.token}, {"Authorization": f"Bearer {self.token}x"},
                      {"Authorization": f"Bearer {self.token[:-1]}"}, {"Authorization": f"Basic {self.token}"}):
            for method, path in (("GET", "/vm"), ("GET", "/healthz"), ("GET", "/openapi.json"), ("POST", "/vm/run"), ("PUT", "/image/x")):
                status, text = self.get({"Host": "localhost", "Content-Type": "application/json", **wrong}, method, path)
                problem = json.loads(text)
                self.assertEqual((status, problem["code"], problem["title"]), (401, "unauthorized", "Unauthorized"), (wrong, method, path))
        self.assertEqual(self.d.call("GET", "/vm").status, 200)  # the Unix socket needs none

    def test_command_line(self):
        def ps(**env):
            return subprocess.run([UIGNITER, "-H", f"tcp://{self.host}:{self.port}", "ps", "-q"], capture_output=True, text=True,
                                  env={**os.environ, **env}, check=False)

        path = os.path.join(self.d.folder, "token")
        self.assertEqual(ps(UIGNITER_TOKEN_FILE=path).returncode, 0)
        self.assertIn("bearer token", ps().stderr)
        os.chmod(path, 0o644)
        self.assertIn("others may read it", ps(UIGNITER_TOKEN_FILE=path).stderr)


class ForeignCallers(Tcp):
    def test_host_and_origin(self):
        for host in (f"127.0.0.1:{self.port}", "127.0.0.1", "localhost", "LocalHost:6666", "[::1]:6666", "127.1.2.3"):
            self.assertEqual(self.get({"Host": host})[0], 200, host)
        for host in ("evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.1", "localhost@evil", "[::2]"):
            status, text = self.get({"Host": host})
            self.assertEqual((status, json.loads(text)["code"]), (403, "forbidden"), host)
        good = {"Host": "localhost"}
        self.assertEqual(self.get({**good, "Origin": "http://localhost:8666"})[0], 200)
        for origin in ("http://evil.example", "https://localhost", "null", "http://localhost.evil.example", "file://"):
            self.assertEqual(self.get({**good, "Origin": origin})[0], 403, origin)
        body = b'{"image_name":"x"}'
        for method, path in (("POST", "/vm/run"), ("PUT", "/image/x"), ("DELETE", "/vm/x"), ("POST", "/vm/x/stop")):
            headers = {**good, "Origin": "http://evil.example", "Content-Type": "application/json"}
            self.assertEqual(self.get(headers, method, path, body)[0], 403, (method, path))


if __name__ == "__main__":
    need()
    main()
