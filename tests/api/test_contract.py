# SPDX-License-Identifier: Apache-2.0
"""Calls every operation of api/openapi.yaml once; harness.py holds each answer against its schema."""
import os
import re
import sys

from harness import DaemonTest, main, need

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), ".."))
import promtool  # noqa: E402


class EveryOperation(DaemonTest):
    def test_all(self):
        d = self.d
        d.put_server()
        d.wait_pool()
        vm = d.run("server", wait="ready", ports=[{"guest": 8000}], labels={"a": "b"})["id"]
        for path in ("/vm", f"/vm/{vm}", f"/vm/{vm}/wait?state=ready", f"/vm/{vm}/logs", f"/vm/{vm}/stats", "/image", "/image/server",
                     "/pool", "/network", "/network/default/lease", "/healthz", "/readyz", "/version", "/info", "/events", "/metrics", "/openapi.json"):
            self.assertEqual(d.call("GET", path).status, 200, path)
        other = d.call("POST", "/vm/create", {"image_name": "server"}).json["id"]
        for action in ("pause", "resume", "restart"):
            self.assertEqual(d.call("POST", f"/vm/{other}/{action}").status, 200, action)
        self.assertEqual(d.call("POST", f"/vm/{other}/start").status, 409)
        self.assertEqual(d.call("POST", f"/vm/{other}/stop").status, 201)
        self.assertEqual(d.call("POST", f"/vm/{vm}/kill").status, 200)
        self.assertEqual(d.call("DELETE", f"/vm/{vm}").status, 204)
        self.assertEqual(d.call("PUT", "/app/shop", {"services": {"web": {"image": "server"}}}).status, 201)
        for path in ("/app", "/app/shop", "/app/shop/wait"):
            self.assertEqual(d.call("GET", path).status, 200, path)
        self.assertEqual(d.call("POST", "/app/shop/scale", {"web": 2}).status, 200)
        self.assertEqual(d.call("DELETE", "/app/shop").status, 204)
        self.assertEqual(d.call("GET", "/template").status, 200)
        self.assertEqual(d.call("POST", "/template", {"image_name": "server"}).status, 400)  # the monitor makes none
        for method in ("GET", "DELETE"):
            self.assertEqual(d.call(method, "/template/0123456789abcdef").status, 404, method)
        self.assertEqual(d.call("GET", "/snapshot").status, 200)
        self.assertEqual(d.call("POST", f"/vm/{other}/snapshot", {"name": "one"}).status, 409)  # the monitor makes none
        for method in ("GET", "DELETE"):
            self.assertEqual(d.call(method, "/snapshot/one").status, 404, method)
        self.assertEqual(d.call("GET", "/operation").status, 200)
        self.assertEqual(d.call("POST", "/image/build", b"x").status, 415)
        for method in ("GET", "DELETE"):
            self.assertEqual(d.call(method, "/operation/0123abcd").status, 404, method)
        self.assertEqual(d.call("PUT", "/fn/f", {"image": "server"}).status, 201)
        for path in ("/fn", "/fn/f"):
            self.assertEqual(d.call("GET", path).status, 200, path)
        self.assertEqual(d.call("DELETE", "/fn/f").status, 202)
        for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
            self.assertEqual(d.call(method, "/fn/none/invoke/a/b").status, 404, method)
        self.assertEqual(d.call("PATCH", "/image/server", {"memory_mib": 32}).status, 200)
        self.assertEqual(d.call("POST", "/image", {"source": "server", "name": "server:2"}).status, 201)
        self.assertEqual(d.call("POST", "/image/prune").status, 200)
        self.assertEqual(d.call("DELETE", "/image/server").status, 204)
        with open("/bin/true", "rb") as kernel:
            self.assertEqual(d.call("PUT", "/kernel/next", kernel.read(), {"Content-Type": "application/octet-stream"}).status, 201)
        self.assertEqual(d.call("GET", "/kernel").status, 200)
        self.assertEqual(d.call("DELETE", "/kernel/next").status, 204)
        self.assertEqual(d.call("PUT", "/pool/more", {"target": 0}).status, 200)
        self.assertEqual(d.call("DELETE", "/pool/more").status, 204)
        self.assertEqual(d.contract.operation_ids() - d.contract.called, set())

    def test_metrics_by_promtool(self):
        """Prometheus' own checker takes them, without a remark."""
        if not promtool.find():
            self.skipTest(promtool.MISSING)
        promtool.check(self.d.call("GET", "/metrics").body)
        self.d.put_shell("hello", "exit 0")
        self.d.wait(self.d.run("hello", wait="none")["id"])
        self.d.put_server()
        self.d.call("PUT", "/fn/f", {"image": "server"})
        self.d.call("PUT", "/app/shop", {"services": {"web": {"image": "server"}}})
        self.d.call("GET", "/app/shop/wait")
        promtool.check(self.d.call("GET", "/metrics").body)
        self.assertRaises(AssertionError, promtool.check, b"# TYPE a counter\na{ 1\n")
        self.d.call("DELETE", "/app/shop")

    def test_metrics_format(self):
        self.d.put_shell("hello", "exit 0")
        self.d.wait(self.d.run("hello", wait="none")["id"])
        types = {}
        for line in self.d.call("GET", "/metrics").body.decode().splitlines():
            if line.startswith("# TYPE "):
                _, _, name, kind = line.split(" ")
                types[name] = kind
            elif not line.startswith("# HELP "):
                sample = re.fullmatch(r'(uigniter_[a-z0-9_]+)(\{[a-z]+="[^"]*"\})? [0-9.]+', line)
                self.assertTrue(sample, line)
                self.assertTrue(any(sample[1] == t or (sample[1].startswith(t) and k == "histogram") for t, k in types.items()), line)
        values = dict(line.rsplit(" ", 1) for line in self.d.call("GET", "/metrics").body.decode().splitlines() if line[0] != "#")
        self.assertEqual((values["uigniter_vm_runs_total"], values['uigniter_vms{state="stopped"}']), ("1", "1"))


if __name__ == "__main__":
    need()
    main()
