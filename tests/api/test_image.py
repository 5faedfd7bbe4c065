# SPDX-License-Identifier: Apache-2.0
"""Images: upload, replace, configure, delete, restart of the daemon; what is no image; uploads that break off."""
import hashlib
import json
import os
import struct

from harness import DaemonTest, main, need


def erofs(size=8192, fill=b"\0"):
    """Something that begins as an EROFS image does: that is all the manager looks at."""
    data = bytearray(fill * size)
    data[1024:1028] = struct.pack("<I", 0xE0F5E1E2)
    return bytes(data)


class Images(DaemonTest):
    def data_files(self):
        return [f for f in self.d.files("state", "image") if f.startswith("data/")]

    def test_put_get_delete(self):
        self.assertEqual(self.d.call("GET", "/image").json["items"], [])
        config = {"cmd": ["/bin/x", "y"], "env": {"A": "ä"}, "memory_mib": 32, "ports": [80, 81], "readiness": {"port": 81}, "warm": {"path": "/x", "requests": 2},
                  "labels": {"a": "b"}}
        answer = self.d.put_image("web/server:1.0", config, erofs())
        self.assertEqual((answer.status, answer.json["bytes"], answer.json["config"]), (201, 8192, config))
        self.assertEqual(self.d.call("GET", "/image/web/server:1.0").json, answer.json)
        self.assertEqual(len(self.data_files()), 1)
        answer = self.d.put_image("web/server:1.0", {}, erofs(5000))
        self.assertEqual((answer.status, answer.json["bytes"], answer.json["config"]), (200, 5000, {}))
        self.assertEqual(len(self.data_files()), 1)
        self.d.put_image("a", {})
        self.assertEqual([i["name"] for i in self.d.call("GET", "/image").json["items"]], ["a", "web/server:1.0"])
        self.assertEqual(self.d.call("DELETE", "/image/web/server:1.0").status, 204)
        self.refused(self.d.call("DELETE", "/image/web/server:1.0"), 404, "not_found")
        self.assertEqual((self.data_files(), self.d.files("state", "image")), ([], ["a.json"]))

    def names(self):
        return [i["name"] for i in self.d.call("GET", "/image").json["items"]]

    def tag(self, source, name, **more):
        return self.d.call("POST", "/image", {"source": source, "name": name, **more})

    def test_same_content_is_stored_once(self):
        data = erofs(fill=b"x")
        digest = "sha256:" + hashlib.sha256(data).hexdigest()
        first = self.d.put_image("a", {"cmd": ["one"]}, data).json
        self.assertEqual((first["digest"], first["names"], first["vms"]), (digest, ["a"], 0))
        self.assertEqual(self.d.put_image("b:2", {"cmd": ["two"]}, data).json["names"], ["a", "b:2"])
        self.assertEqual(self.data_files(), [f"data/{digest[7:]}.erofs"])
        self.assertEqual(self.d.call("DELETE", "/image/a").status, 204)
        self.assertEqual(self.d.call("GET", "/image/b:2").json["names"], ["b:2"])
        self.assertEqual(len(self.data_files()), 1)
        self.assertEqual(self.d.call("DELETE", f"/image/{digest[:20]}").status, 204)
        self.assertEqual(self.d.files("state", "image"), [])

    def test_tags(self):
        digest = self.d.put_image("a", {"cmd": ["one"]}, erofs(fill=b"x")).json["digest"]
        self.d.put_image("other", {}, erofs(fill=b"y"))
        self.assertEqual(self.tag("a", "a:1.0").status, 201)
        self.assertEqual(self.tag(digest, "a:stable").json["names"], ["a", "a:1.0", "a:stable"])
        self.assertEqual(self.tag("other", "a:stable").status, 200)
        self.assertEqual(self.tag("a:latest", "b:latest", config={"cmd": ["two"]}).json["name"], "b")
        self.assertEqual(self.d.call("GET", "/image/b:latest").json["config"], {"cmd": ["two"]})
        self.assertEqual(self.d.call("GET", "/image/a:latest").json["config"], {"cmd": ["one"]})
        self.assertEqual(self.names(), ["a", "a:1.0", "a:stable", "b", "other"])
        self.assertEqual(len(self.data_files()), 2)
        self.refused(self.d.call("GET", f"/image/{digest}"), 409, "ambiguous_id")
        self.assertEqual(self.d.call("DELETE", "/image/b").status, 204)
        self.assertEqual(self.d.call("GET", f"/image/{digest[:15]}").json["name"], "a")
        self.refused(self.d.call("DELETE", f"/image/{digest}"), 409, "ambiguous_id")
        self.refused(self.tag("nobody", "b"), 404, "not_found")
        self.refused(self.tag("sha256:" + "0" * 64, "b"), 404, "not_found")
        for body in ({}, {"source": "a"}, {"name": "b"}, {"source": "a", "name": "../b"}, {"source": "a", "name": digest},
                     {"source": 1, "name": "b"}, {"source": "a", "name": "b", "what": 1}, {"source": "a", "name": "b", "config": {"x": 1}}):
            self.refused(self.d.call("POST", "/image", body), 400, "invalid_field")
        self.assertEqual(self.names(), ["a", "a:1.0", "a:stable", "other"])

    def test_digest_of_an_upload(self):
        octets = {"Content-Type": "application/octet-stream"}
        digest = "sha256:" + hashlib.sha256(erofs()).hexdigest()
        self.refused(self.d.call("PUT", "/image/a", erofs(9000), {**octets, "Uigniter-Digest": digest}), 400, "bad_request")
        self.assertEqual(self.d.files("state", "image"), [])
        self.assertEqual(self.d.call("PUT", "/image/a", erofs(), {**octets, "Uigniter-Digest": digest}).status, 201)
        self.assertEqual(self.d.call("PUT", "/image/" + digest, erofs(), octets, check=False).status, 400)

    def test_prune(self):
        server = {"cmd": ["sleep", "1000"], "process": {"program": "/bin/sleep"}}
        digest = self.d.put_image("used", server, erofs(fill=b"u")).json["digest"]
        self.d.put_image("idle", {}, erofs(9000))
        self.tag("idle", "idle:2")
        vm = self.d.run(digest)
        self.assertEqual((vm["image"], self.d.call("GET", "/image/used").json["vms"]), ("used", 1))
        with open(os.path.join(self.d.state_dir, "image", "data", "stray.erofs"), "wb") as file:
            file.write(b"x" * 100)
        self.assertEqual(self.d.call("POST", "/image/prune").json, {"removed": [], "files": 1, "bytes": 100})
        self.assertEqual(self.d.call("POST", "/image/prune?all=true").json,
                         {"removed": ["idle", "idle:2"], "files": 1, "bytes": 9000})
        self.assertEqual((self.names(), self.data_files()), (["used"], [f"data/{digest[7:]}.erofs"]))
        self.assertEqual(self.d.call("DELETE", f"/vm/{vm['id']}?force=true").status, 204)
        self.d.call("GET", "/vm")
        self.assertEqual(self.d.call("POST", "/image/prune?all=true").json["removed"], ["used"])
        self.assertEqual(self.d.files("state", "image"), [])
        self.refused(self.d.call("POST", "/image/prune?all=what"), 400, "invalid_field")

    def test_prune_leaves_uploads(self):
        connection = self.d.connection()
        connection.putrequest("PUT", "/image/a")
        connection.putheader("Content-Length", "8192")
        connection.putheader("Content-Type", "application/octet-stream")
        connection.endheaders()
        connection.send(erofs()[:5000])
        while len(self.data_files()) != 1:
            self.d.call("GET", "/healthz")
        self.assertEqual(self.d.call("POST", "/image/prune?all=true").json["files"], 0)
        connection.send(erofs()[5000:])
        self.assertEqual(connection.getresponse().status, 201)
        connection.close()

    def test_an_ended_vm_keeps_its_version(self):
        self.d.put_image("a", {"cmd": ["sh", "-c", "exit 0"], "process": {"program": "/bin/sh"}}, erofs(fill=b"1"))
        vm = self.d.run("a", wait="none")["id"]
        self.d.wait(vm)
        self.d.put_image("a", {}, erofs(fill=b"2"))
        self.d.kill()
        self.d.start()
        self.assertEqual(len(self.data_files()), 2)
        self.d.wait_pool()
        self.assertEqual(self.d.call("POST", f"/vm/{vm}/start").status, 200)
        self.d.wait(vm)
        self.assertEqual(self.d.call("DELETE", f"/vm/{vm}").status, 204)
        self.d.call("GET", "/vm")
        self.assertEqual(len(self.data_files()), 1)

    def test_without_header(self):
        answer = self.d.call("PUT", "/image/plain", erofs(), {"Content-Type": "application/octet-stream"})
        self.assertEqual((answer.status, answer.json["config"]), (201, {}))
        chunks = iter([erofs()[:3000], erofs()[3000:]])
        answer = self.d.call("PUT", "/image/chunked", chunks)
        self.assertEqual((answer.status, answer.json["bytes"]), (201, 8192))

    def test_patch(self):
        self.d.put_image("a", {"cmd": ["x"], "ports": [80]})
        answer = self.d.call("PATCH", "/image/a", {"memory_mib": 16, "ports": None})
        self.assertEqual((answer.status, answer.json["config"]), (200, {"cmd": ["x"], "memory_mib": 16}))
        self.refused(self.d.call("PATCH", "/image/a", {"cmd": []}), 400, "invalid_field")
        self.refused(self.d.call("PATCH", "/image/a", {"what": 1}), 400, "invalid_field")
        self.refused(self.d.call("PATCH", "/image/b", {}), 404, "not_found")
        self.assertEqual(self.d.call("GET", "/image/a").json["config"], {"cmd": ["x"], "memory_mib": 16})

    def test_what_is_no_image(self):
        octets = {"Content-Type": "application/octet-stream"}
        for name in ("A", "..", "a..%2f", "-a", "a//b", "a:", "a:b:c", "%2e%2e%2fx", "x" * 300):
            answer = self.d.call("PUT", f"/image/{name}", erofs(), octets, check=False)
            self.assertIn(answer.status, (400, 404), (name, answer))
        self.refused(self.d.call("PUT", "/image/a", b"no image at all", octets), 400, "bad_request")
        self.refused(self.d.call("PUT", "/image/a", b"\0" * 8192, octets), 400, "bad_request")
        self.refused(self.d.call("PUT", "/image/a", erofs(), {"Content-Type": "text/plain"}), 415, "unsupported_media_type")
        for config in ("{", "[]", '{"what":1}', '{"cmd":"x"}', '{"cmd":[""]}', '{"cmd":[1]}', '{"env":{"A B":"x"}}', '{"ports":[0]}',
                       '{"ports":["80"]}', '{"readiness":{}}', '{"readiness":{"port":0}}', '{"warm":{}}', '{"warm":{"path":"x"}}',
                       '{"warm":{"path":"/ x"}}', '{"warm":{"path":"/","requests":0}}', '{"warm":{"path":"/","more":1}}', '{"process":{}}', '{"memory_mib":1}',
                       '{"process":{"program":"relative"}}', '{"process":{"program":"/x","y":1}}', '{"cmd":null}',
                       json.dumps({"cmd": ["x" * 8200]})):
            answer = self.d.call("PUT", "/image/a", erofs(), {**octets, "Uigniter-Config": config})
            self.refused(answer, 400, "invalid_field")
        self.assertEqual(self.d.files("state", "image"), [])
        connection = self.d.connection()
        connection.putrequest("PUT", "/image/a")
        connection.putheader("Content-Length", str(1 << 40))
        connection.endheaders()
        self.assertEqual(connection.getresponse().status, 413)
        connection.close()

    def test_broken_off(self):
        self.d.put_image("a", {"cmd": ["old"]}, erofs())
        connection = self.d.connection()
        connection.putrequest("PUT", "/image/a")
        connection.putheader("Content-Length", "1000000")
        connection.endheaders()
        connection.send(erofs(500000))
        while len(self.data_files()) != 2:
            self.d.call("GET", "/healthz")
        connection.close()
        while len(self.data_files()) != 1:
            self.d.call("GET", "/healthz")
        self.assertEqual(self.d.call("GET", "/image/a").json["config"], {"cmd": ["old"]})

    def test_only_for_the_process_monitor(self):
        self.d.put_image("record", {"cmd": ["x"]})
        answer = self.d.call("POST", "/vm/run", {"image_name": "record", "monitor": "uvmm"})
        self.assertEqual(answer.status, 400)
        self.refused(self.d.call("POST", "/vm/run", {"image_name": "record"}), 503, "start_failed")

    def test_old_version_goes_with_its_last_vm(self):
        self.d.put_image("a", {"cmd": ["sleep", "1000"], "process": {"program": "/bin/sleep"}}, erofs())
        vm = self.d.run("a")
        self.d.put_image("a", {}, erofs(9000))
        self.assertEqual(len(self.data_files()), 2)
        self.assertEqual(self.d.call("DELETE", f"/vm/{vm['id']}?force=true").status, 204)
        self.d.call("GET", "/vm")
        self.assertEqual(len(self.data_files()), 1)

    def test_survives_a_restart(self):
        self.d.put_image("a/b", {"cmd": ["x"]}, erofs())
        self.d.put_image("c", {})
        before = self.d.call("GET", "/image").json
        for stray in ("data/stray.erofs", ".c.json"):
            with open(os.path.join(self.d.state_dir, "image", stray), "w", encoding="ascii") as file:
                file.write("half written")
        self.d.end()
        self.d.start()
        self.assertEqual(self.d.call("GET", "/image").json, before)
        self.assertEqual(len(self.data_files()), 1)
        self.assertFalse(os.path.exists(os.path.join(self.d.state_dir, "image", ".c.json")))

    def test_a_record_that_can_not_be_read(self):
        self.d.put_image("a", {"cmd": ["x"]}, erofs())
        self.d.put_image("b", {})
        self.d.end()
        with open(os.path.join(self.d.state_dir, "image", "a.json"), "r+", encoding="ascii") as file:
            text = file.read()
            file.truncate(10)
        self.d.start()
        self.assertEqual([i["name"] for i in self.d.call("GET", "/image").json["items"]], ["b"])
        self.d.end()
        with open(os.path.join(self.d.state_dir, "image", "a.json"), "w", encoding="ascii") as file:
            file.write(text)
        self.d.start()
        self.assertEqual(self.d.call("GET", "/image/a").json["bytes"], 8192)


if __name__ == "__main__":
    need()
    main()
