# SPDX-License-Identifier: Apache-2.0
"""Images that are none, are broken, or are taken away while they run: a clear state, reason and line in the log."""
import os
import struct
import subprocess
import tempfile

from security import HOSTILE, HostileTest, main, make_image, need_vms

PAGE = 4096


def elf(**changes):
    """A program that runs, with fields of its headers changed."""
    with open(HOSTILE, "rb") as file:
        data = bytearray(file.read())
    places = {"machine": (18, "<H"), "entry": (24, "<Q"), "phoff": (32, "<Q"), "phentsize": (54, "<H"), "phnum": (56, "<H"),
              "offset": (64 + 8, "<Q"), "vaddr": (64 + 16, "<Q"), "filesz": (64 + 32, "<Q"), "memsz": (64 + 40, "<Q")}
    for field, value in changes.items():
        at, form = places[field]
        struct.pack_into(form, data, at, value)
    return bytes(data)


def interp(text, size=None, at=None):
    """A program that asks for a loader: its PT_NOTE (the static program has one) becomes a PT_INTERP."""
    data = bytearray(elf())
    phoff, phnum = struct.unpack_from("<Q", data, 32)[0], struct.unpack_from("<H", data, 56)[0]
    note = next(phoff + 56 * n for n in range(phnum) if struct.unpack_from("<I", data, phoff + 56 * n)[0] == 4)
    struct.pack_into("<I", data, note, 3)
    struct.pack_into("<Q", data, note + 8, len(data) if at is None else at)
    struct.pack_into("<Q", data, note + 32, len(text) if size is None else size)
    return bytes(data) + text


def image_of(data, **links):
    """An image with this as /bin/program, and symbolic links beside it."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "program")
        with open(path, "wb") as file:
            file.write(data)
        for name, to in links.items():
            os.symlink(to, os.path.join(folder, name))
        return make_image(program=path, **{name: os.path.join(folder, name) for name in links})


class Images(HostileTest):
    def fails(self, name, data, args=("/bin/program",)):
        answer = self.d.call("PUT", f"/image/{name}", data,
                             {"Uigniter-Config": "{}", "Content-Type": "application/octet-stream"})
        if answer.status >= 400:  # refused at the door is as clear
            self.assertTrue(answer.json["detail"])
            return None
        answer = self.d.call("POST", "/vm/run", {"image_name": name, "args": list(args), "memory_mib": 64})
        if answer.status >= 400:
            self.assertTrue(answer.json["detail"])
            vm = answer.json.get("vm_id")
            self.assertEqual(self.d.call("DELETE", f"/vm/{vm}?force=true").status if vm else 204, 204)
            return None
        found = self.ended(answer.json)
        self.show(name, found, answer.json)
        self.assertIn(found["state"], ("failed", "crashed"), found)
        return found

    def test_no_image(self):
        good = make_image(program=HOSTILE)
        bad = {"text": b"not an image" * 1000, "zeros": bytes(1 << 20), "page": good[:PAGE], "half": good[:len(good) // 2 // PAGE * PAGE],
               "odd": good[:5000], "byte": b"x", "super": good[:1024] + b"\xff" * 128 + good[1152:],
               "inodes": good[:1152] + b"\xff" * 3000 + good[4152:], "empty": b""}
        for name, data in bad.items():
            with self.subTest(name):
                found = self.fails(name, data)
                if found:  # it was let in: whole at its start, broken further on
                    self.assertEqual(found["state"], "failed", found)
                    self.assertIn(b"libos: ", self.log({"id": found["id"]}))

    def test_no_program(self):
        for name, data, code in (("text-program", b"hello", 126), ("empty-program", b"", 126), ("script", b"#!/bin/sh\n", None)):
            with self.subTest(name):
                found = self.fails(name, image_of(data))
                if code:
                    self.assertEqual((found["state"], found["exit_code"]), ("failed", code), found)
        found = self.fails("missing", make_image(other=HOSTILE))
        self.assertEqual((found["state"], found["exit_code"]), ("failed", 127), found)

    def test_headers(self):
        self.assertEqual(self.fails("elf", image_of(elf()), ("/bin/program", "abort"))["exit_code"], 134)  # so it would run
        top = (1 << 64) - PAGE
        for n, changes in enumerate((
                {"machine": 3}, {"phoff": top}, {"phoff": 1 << 62}, {"phentsize": 1}, {"phnum": 0}, {"phnum": 0xffff},
                {"offset": top}, {"vaddr": top}, {"vaddr": 0xffff880000000000}, {"vaddr": 0xffffffff80200000}, {"filesz": top},
                {"memsz": top}, {"memsz": 1 << 46}, {"filesz": 1 << 40, "memsz": 1 << 40}, {"entry": top}, {"entry": 0},
                {"entry": 0xffffffff80200000})):
            with self.subTest(changes):
                self.fails(f"elf{n}", image_of(elf(**changes)))
        self.fails("elf-short", image_of(elf()[:100]))

    def test_interpreters(self):
        """A loader that is none: the path in PT_INTERP, or what it leads to."""
        top = (1 << 64) - PAGE
        for n, changes in enumerate((
                {"text": b"/none\0"}, {"text": b"/bin\0"}, {"text": b"/bin/program\0"}, {"text": b"/bin/loop\0"}, {"text": b"\0"},
                {"text": b"/bin/program"}, {"text": b"/" + b"a" * 5000 + b"\0"}, {"text": b"", "size": 1 << 62}, {"text": b"x\0", "at": top})):
            with self.subTest(changes):
                self.fails(f"interp{n}", image_of(interp(**changes), loop="loop"))

    def test_loops(self):
        for name, links, start in (("loop", {"loop": "loop"}, "/bin/loop"), ("loops", {"one": "two/x", "two": "one"}, "/bin/one")):
            with self.subTest(name):
                found = self.fails(name, image_of(elf(), **links), (start,))
                self.assertEqual((found["state"], found["exit_code"]), ("failed", 126), found)
                self.assertIn("symbolic links", found["reason"])

    def test_taken_away(self):
        """The file is cut while its VM runs: that VM ends, with a reason that says so; removing it does no harm."""
        self.d.put_image("victim", {}, make_image(program=HOSTILE, more=HOSTILE))
        path = os.path.join(self.d.state_dir, "image", "data")
        data = os.path.join(path, max(os.listdir(path), key=lambda name: os.path.getmtime(os.path.join(path, name))))
        vm = self.d.run("victim", args=["/bin/program", "cold-code"])
        self.d.first_line(vm["id"])
        subprocess.run(["truncate", "-s", "0", data], check=True)
        found = self.ended(vm)
        self.show("cut", found, vm)
        self.assertEqual(found["state"], "crashed", found)
        self.assertRegex(found["reason"], "cut|SIGBUS|image")

    def test_unlinked(self):
        self.d.put_image("victim", {}, make_image(program=HOSTILE))
        path = os.path.join(self.d.state_dir, "image", "data")
        data = os.path.join(path, max(os.listdir(path), key=lambda name: os.path.getmtime(os.path.join(path, name))))
        vm = self.d.run("victim", args=["/bin/program", "sleep-deaf"])
        self.d.first_line(vm["id"])
        os.unlink(data)
        self.assertEqual(self.d.call("POST", "/vm/run", {"image_name": "victim", "args": ["/bin/program"]}).status // 100, 5)
        for item in self.d.call("GET", "/vm").json["items"]:
            if item["id"] not in (vm["id"], self.neighbour["id"]):
                self.assertEqual(item["state"], "failed")
                self.assertTrue(item["reason"])
        self.assertEqual(self.state(vm["id"])[0], "running")
        self.assertEqual(self.d.call("POST", f"/vm/{vm['id']}/kill").json["exit_code"], 137)


if __name__ == "__main__":
    need_vms()
    main()
