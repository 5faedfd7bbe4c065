# SPDX-License-Identifier: Apache-2.0
"""
The same under real VMs: MONITOR (uvmm by default, or qemu) with libos.elf and an image made by mkfs.erofs of a static
server. Skips without what it needs.
"""
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile

from harness import BUILD, DaemonTest, guest_image, main, need, TIMEOUT_S, wait_process

MONITOR = os.environ.get("UIGNITER_MONITOR", "uvmm")


VOLUMES = tempfile.mkdtemp(prefix="uig-volumes-")


GLIBC = ("/lib64/ld-linux-x86-64.so.2", "/lib/x86_64-linux-gnu/libc.so.6")


def resolvers():
    """Programs that resolve names, by what stands behind the dash: dynamic ones of glibc, static ones of musl."""
    found = {"glibc": "api-guest-resolve", "musl": "api-guest-resolve-musl"}
    return {kind: path for kind, name in found.items() if os.path.exists(path := os.path.join(BUILD, "tests/api", name))}


def image_files():
    return {file: file for file in GLIBC} | {f"/bin/resolve-{kind}": file for kind, file in resolvers().items()}


class Vms(DaemonTest):
    options = {"monitor": MONITOR, "pool": 2, "volume_root": VOLUMES}

    def setUp(self):
        super().setUp()
        self.d.put_image("server", {"cmd": ["/bin/server", "serve", "8000"], "ports": [8000], "env": {"A": "image"}}, IMAGE)
        self.d.put_image("plain", {}, IMAGE)

    def connect(self, vm):
        s = socket.create_connection(("127.0.0.1", vm["ports"][0]["host"]), timeout=TIMEOUT_S)
        self.addCleanup(s.close)
        return s

    def test_ready_reachable_and_told_to_end(self):
        self.d.wait_pool()
        vm = self.d.run("server", wait="ready", ports=[{"guest": 8000}])
        self.assertEqual((vm["monitor"], vm["from_pool"], vm["ready"]), (MONITOR, True, True))
        s = self.connect(vm)
        for size in (1, 1000, 200000):
            s.sendall(b"x" * size)
            left = size
            while left:
                left -= len(s.recv(left))
        stats = self.d.call("GET", f"/vm/{vm['id']}/stats").json
        self.assertGreater(stats["private_bytes"], 0)
        stopped = self.d.call("POST", f"/vm/{vm['id']}/stop?timeout=60").json
        self.assertEqual((stopped["state"], stopped["exit_code"]), ("stopped", 7), stopped)
        logs = self.d.call("GET", f"/vm/{vm['id']}/logs").body
        self.assertIn(b"serving", logs)
        self.assertIn(b"told to end", logs)

    def put_kernel(self, name, path):
        with open(path, "rb") as file:
            return self.d.call("PUT", f"/kernel/{name}", file.read(), {"Content-Type": "application/octet-stream"})

    def test_kernels(self):
        """One that is uploaded boots what names it, and nothing else; one that is none fails, and leaves nothing."""
        self.assertEqual(self.put_kernel("next", os.path.join(BUILD, "libos/libos.elf")).status, 201)
        self.d.wait_pool()
        vm = self.d.run("server", wait="ready", kernel="next")
        self.assertEqual((vm["kernel"], vm["from_pool"]), ("next", False))
        self.assertEqual(self.d.run("server")["kernel"], "default")
        if MONITOR == "uvmm":
            self.put_kernel("broken", "/bin/true")
            self.refused(self.d.call("POST", "/vm/run", {"image_name": "server", "kernel": "broken"}), 503, "start_failed")
        self.refused(self.d.call("POST", "/vm/run", {"image_name": "server", "kernel": "none"}), 400, "bad_request")
        self.d.call("PUT", "/pool/default", {"kernel": "next"})
        self.assertEqual(self.put_kernel("next", os.path.join(BUILD, "libos/libos.elf")).status, 200)
        self.d.wait_pool()
        self.assertEqual([self.d.run("server", kernel=k)["from_pool"] for k in ("next", "default")], [True, False])
        self.refused(self.d.call("DELETE", "/kernel/next"), 409, "conflict")
        self.d.call("PUT", "/pool/default", {"kernel": "default"})
        self.assertEqual(self.d.call("DELETE", "/kernel/next").status, 204)
        self.d.kill()
        self.d.start()
        self.assertEqual(self.d.call("GET", f"/vm/{vm['id']}").json["kernel"], "next")
        self.d.call("DELETE", "/kernel/broken")
        for vm in self.d.call("GET", "/vm").json["items"]:
            self.d.call("DELETE", f"/vm/{vm['id']}?force=true")

    def test_instances_are_not_asked_for_others(self):
        """The bridge answers for all it knows; a question for nobody wakes no instance."""
        vm = self.d.run("server", wait="ready")
        out = subprocess.run(["ip", "-n", self.d.netns, "-d", "-j", "link"], check=True, capture_output=True).stdout
        ports = [link for link in json.loads(out) if link.get("linkinfo", {}).get("info_slave_kind") == "bridge"]
        self.assertGreaterEqual(len(ports), 1)
        self.assertEqual({port["linkinfo"]["info_slave_data"]["proxy_arp"] for port in ports}, {True})
        everything = 3  # ETH_P_ALL
        with self.d.socket_inside(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(everything)) as tap, \
                self.d.socket_inside(socket.AF_INET, socket.SOCK_DGRAM) as nobody:
            tap.bind((f"uig{vm['ip_address'].split('.')[-1]}", everything))
            nobody.sendto(b"x", ("10.77.0.250", 9))
            # The question for nobody went out before this connection's first packet, which must come.
            self.d.connect_inside(vm["ip_address"], 8000).close()
            asked, is_syn = bytes([10, 77, 0, 250]), False
            while not is_syn:
                frame = tap.recv(65536)
                self.assertFalse(frame[12:14] == b"\x08\x06" and frame[38:42] == asked, "asked for somebody else's address")
                is_syn = frame[12:14] == b"\x08\x00" and frame[23] == 6 and frame[36:38] == (8000).to_bytes(2, "big")

    def test_mac(self):
        vm = self.d.run("server", args=["/bin/server", "serve6", "8000"], wait="ready", mac="02:00:5e:10:00:01")
        self.assertEqual(vm["mac"], "02:00:5e:10:00:01")
        for address in (vm["ip_address"], vm["ipv6_address"]):
            if address:
                with self.d.connect_inside(address, 8000) as s:
                    s.sendall(b"hello")
                    self.assertEqual(s.recv(100), b"hello")
        self.assertEqual(self.d.call("DELETE", f"/vm/{vm['id']}?force=true").status, 204)

    def test_ipv6(self):
        """A listener on [::] serves IPv4 and IPv6, from the host and from other instances; who is asked for is found."""
        if not os.path.exists("/proc/net/if_inet6"):
            self.skipTest("this kernel has no IPv6")
        vm = self.d.run("server", args=["/bin/server", "serve6", "8000"], ports=[{"guest": 8000}], wait="ready")
        prefix = self.d.call("GET", "/info").json["subnet6"].removesuffix("/64")
        self.assertTrue(vm["ipv6_address"].startswith(prefix.removesuffix(":")), vm)
        for address in (vm["ipv6_address"], vm["ip_address"]):
            with self.d.connect_inside(address, 8000) as s:
                for size in (1, 1000, 200000):
                    s.sendall(b"x" * size)
                    left = size
                    while left:
                        left -= len(s.recv(left))
        inside = ["ip", "netns", "exec", self.d.netns]
        subprocess.run([*inside, "ping", "-6", "-n", "-c", "1", "-w", str(TIMEOUT_S), vm["ipv6_address"]], check=True, capture_output=True)
        talk = self.d.run("plain", args=["/bin/server", "talk6", vm["ipv6_address"], "8000", "3000000"], wait="none")
        self.assertEqual(self.d.wait(talk["id"])["exit_code"], 0, self.console(talk))
        self.assertIn(f"talked from {talk['ipv6_address']}", self.console(talk))
        host = self.d.run("plain", args=["/bin/server", "talk6", prefix + "1", "9", "1"], wait="none")
        self.assertEqual(self.d.wait(host["id"])["exit_code"], 1)
        self.assertIn("connect: Connection refused", self.console(host))
        expected, clients = {prefix + "1", "::ffff:10.77.0.1", talk["ipv6_address"]}, set()
        while not clients >= expected:  # each look is an exchange with the manager, which reads the console in between
            clients = {line.removeprefix("client ") for line in self.console(vm) if line.startswith("client ")}
        self.assertEqual(clients, expected)

    def console(self, vm):
        return self.d.call("GET", f"/vm/{vm['id']}/logs").body.decode().replace("\r", "").splitlines()

    def test_arguments_and_environment(self):
        words = ["/bin/server", "show", "two words", 'q"uo\\te', ""]
        vm = self.d.run("server", name="env", args=words, env={"B": 'x "y" \\z', "C": ""}, wait="none")
        self.assertEqual(self.d.wait(vm["id"])["exit_code"], 3)
        lines = self.d.call("GET", "/vm/env/logs").body.decode().replace("\r", "").split("\n")
        for line in ("arg=two words", 'arg=q"uo\\te', "arg=", "env=A=image", 'env=B=x "y" \\z', "env=C="):
            self.assertIn(line, lines)

    def test_names(self):
        """What the C library of an unmodified program makes of names of other instances."""
        labels = {"uigniter.app": "shop", "uigniter.service": "web"}
        vms = [self.d.run("server", wait="ready", labels=labels) for _ in range(2)]
        both = ",".join(sorted(vm["ip_address"] for vm in vms))
        other = self.d.run("server", wait="ready", name="a.b-c")
        kinds = resolvers()
        self.assertIn("glibc", kinds)
        for kind in kinds:
            names = ["localhost", "me", "a.b-c.uigniter", "WEB", "web.shop.uigniter", vms[0]["name"],
                     other["ip_address"], "nobody", "x.uigniter", "10.77.0.254"]
            if kind == "glibc":  # musl searches no names with a dot
                names += ["a.b-c", "web.shop"]
            me = self.d.run("plain", name="me", labels={**labels, "uigniter.service": "client"}, args=[f"/bin/resolve-{kind}", *names], wait="none")
            self.assertEqual(self.d.wait(me["id"])["exit_code"], 0)
            lines = self.d.call("GET", f"/vm/{me['id']}/logs").body.decode().replace("\r", "").splitlines()
            wanted = ["localhost=127.0.0.1", f"me={me['ip_address']}", f"a.b-c.uigniter={other['ip_address']}",
                      f"WEB={both}", f"web.shop.uigniter={both}", f"{vms[0]['name']}={vms[0]['ip_address']}",
                      f"{other['ip_address']}=a.b-c.uigniter"]
            if kind == "glibc":
                wanted += [f"a.b-c={other['ip_address']}", f"web.shop={both}"]
            got = [line for line in lines if "=" in line and "uigniter-exit" not in line]
            self.assertEqual(got, wanted, (kind, lines))
            failed = [line.split(":")[0] for line in lines if ": " in line]
            self.assertEqual(failed[-3:], ["nobody", "x.uigniter", "10.77.0.254"], (kind, lines))
            self.d.call("DELETE", f"/vm/{me['id']}?force=true")

    def test_several_at_once(self):
        vms = [self.d.run("server", wait="ready", ports=[{"guest": 8000}]) for _ in range(5)]
        self.assertEqual(len({vm["ip_address"] for vm in vms}), 5)
        for n, s in [(n, self.connect(vm)) for n, vm in enumerate(vms)]:
            s.sendall(b"%d" % n)
            self.assertEqual(s.recv(10), b"%d" % n)

    def volume(self, name, text):
        path = os.path.join(VOLUMES, name)
        with open(path, "wb") as file:
            file.write(text.ljust(65536, b"\0"))
        return path

    def test_disks(self):
        """In the order of their names, whatever that of the request; what the VM wrote is in the file; read-only holds."""
        paths = [self.volume(f"disk{n}", b"old%d" % n) for n in range(3)]
        volumes = [{"source": path, "target": f"/dev/vd{'abc'[n]}", "read_only": n == 2} for n, path in enumerate(paths)]
        words = ["/bin/server", "disk", "/dev/vda", "new0", "/dev/vdb", "new1", "/dev/vdc", "new2"]
        vm = self.d.run("plain", args=words, volumes=volumes[::-1], wait="none")
        self.assertEqual(vm["volumes"], volumes)
        ended = self.d.wait(vm["id"])
        logs = self.d.call("GET", f"/vm/{vm['id']}/logs").body.decode().replace("\r", "")
        self.assertEqual(ended["exit_code"], 0, (ended, logs))
        for line in ("/dev/vda=old0\n", "/dev/vdb=old1\n", "/dev/vdc=old2 (read-only)\n"):
            self.assertIn(line, logs)
        for n, path in enumerate(paths):
            with open(path, "rb") as file:
                self.assertEqual(file.read(5), b"old2\0" if n == 2 else b"new%d\0" % n)
        # again, by its record
        self.assertEqual(self.d.call("POST", f"/vm/{vm['id']}/start").status, 200)
        self.assertEqual(self.d.wait(vm["id"])["exit_code"], 0)
        self.assertIn(b"/dev/vda=new0", self.d.call("GET", f"/vm/{vm['id']}/logs").body)

    def shared_folder(self, name):
        """With a file, and links that lead out."""
        path = os.path.join(VOLUMES, name)
        os.mkdir(path)
        self.addCleanup(shutil.rmtree, path)
        for file, target in (("absolute", "/etc/passwd"), ("relative", "../../../../etc/passwd"), ("up", "../../../../etc")):
            os.symlink(target, os.path.join(path, file))
        with open(os.path.join(path, "greeting"), "w", encoding="utf-8") as file:
            file.write("hello from " + name)
        return path

    def lines(self, vm, last):
        """What the VM says, up to this line."""
        connection = self.d.connection()
        connection.request("GET", f"/vm/{vm}/logs?follow=true")
        response = connection.getresponse()
        got = []
        while last not in got:
            line = response.readline()
            self.assertTrue(line, got)
            got.append(line.decode().strip())
        connection.close()
        return got

    def test_folders(self):
        """Shared folders: what was synced is there when the monitor is killed; nothing leads out; read-only holds."""
        rw, ro = self.shared_folder("rw"), self.shared_folder("ro")
        volumes = [{"source": rw, "target": "/data", "read_only": False}, {"source": ro, "target": "/srv/ro", "read_only": True}]
        self.d.wait_pool()
        vm = self.d.run("plain", args=["/bin/server", "folder", "/data", "/srv/ro"], volumes=volumes, wait="none")
        self.assertEqual((vm["volumes"], vm["from_pool"]), (volumes, True))
        lines = self.lines(vm["id"], "stored")
        os.kill(vm["pid"], signal.SIGKILL)
        self.assertEqual(self.d.wait(vm["id"])["state"], "crashed")
        with open(os.path.join(rw, "new"), encoding="utf-8") as file:
            self.assertEqual(file.read(), "durable")
        self.assertEqual(sorted(os.listdir(ro)), ["absolute", "greeting", "relative", "up"])
        wanted = ["greeting: hello from rw", "create: ok", "write: ok", "sync: ok", "rename: ok", "sync folder: ok",
                  *(f"{what}: No such file or directory" for what in ("absolute link", "relative link", "link as folder", "above")),
                  "device: Operation not permitted", "read-only: read: ok",
                  *(f"read-only: {what}: Read-only file system" for what in ("write", "create", "unlink", "mkdir"))]
        for line in wanted:
            self.assertIn(line, lines)
        if MONITOR == "uvmm":
            stat = os.stat(os.path.join(rw, "new"))
            self.assertEqual((stat.st_mode & 0o7777, stat.st_uid), (0o755, os.stat(rw).st_uid))
            self.assertIn("owner: Operation not permitted", lines)

    def test_volumes_refused(self):
        """What lies outside of --volume-root, also behind a link; what is not there or of the wrong kind."""
        link = os.path.join(VOLUMES, "link")
        if not os.path.islink(link):
            os.symlink("/etc/passwd", link)
        there = self.volume("there", b"")
        for source, target, said in (("/etc/passwd", "/dev/vda", "--volume-root"), (link, "/dev/vda", "--volume-root"),
                                     (VOLUMES + "/../" + os.path.basename(VOLUMES) + "x", "/dev/vda", "No such"),
                                     (os.path.join(VOLUMES, "none"), "/dev/vda", "No such"), (VOLUMES, "/dev/vda", "neither"),
                                     (there, "/data", "no folder"), ("/dev/null", "/dev/vda", "--volume-root")):
            answer = self.d.call("POST", "/vm/run", {"image_name": "plain", "args": ["/bin/server", "show"],
                                                     "volumes": [{"source": source, "target": target}]})
            self.assertEqual(answer.status, 400, answer)
            self.assertIn(said, answer.json["detail"])
        self.assertEqual(self.d.call("GET", "/vm").json["items"], [])

    def test_one_writer(self):
        disk = self.volume("shared", b"")
        if MONITOR != "uvmm":
            self.skipTest("QEMU has words of its own for it")
        volumes = [{"source": disk, "target": "/dev/vda"}]
        first = self.d.run("server", wait="ready", volumes=volumes)
        second = self.d.run("server", wait="none", volumes=volumes)
        ended = self.d.wait(second["id"])
        self.assertEqual(ended["state"], "failed", ended)
        self.assertIn("in use by another VM", ended["reason"])
        self.d.call("POST", f"/vm/{first['id']}/kill")
        self.d.wait(first["id"])
        self.d.run("server", wait="ready", volumes=volumes)

    def test_missing_calls(self):
        """Named while the program runs, by the next manager too, and behind its end. QEMU has no report to tell them."""
        vm = self.d.run("server", args=["/bin/server", "lacks"])["id"]
        self.assertEqual(self.d.first_line(vm), b"libos: system call bpf (321) is not there: -ENOSYS\n")
        named = []
        while MONITOR == "uvmm" and named != ["bpf"]:
            now = self.d.call("GET", f"/vm/{vm}").json  # an exchange with the manager; the monitor writes its report meanwhile
            self.assertEqual(now["state"], "running", now)
            named = now["missing_calls"]
        self.d.kill()
        self.d.start()
        self.assertEqual(self.d.call("GET", f"/vm/{vm}").json["missing_calls"], named)
        self.d.call("POST", f"/vm/{vm}/kill")
        self.assertEqual(self.d.call("GET", f"/vm/{vm}").json["missing_calls"], named)

    def test_console_has_no_end(self):
        """Old output goes (daemon/console_file.h), what comes is kept, however much there was."""
        if MONITOR != "uvmm":
            self.skipTest("the limit was uvmm's")
        vm = self.d.run("server", args=["/bin/server", "flood", "8000"], wait="ready")
        self.d.call("POST", f"/vm/{vm['id']}/stop")
        self.assertEqual(self.d.wait(vm["id"])["exit_code"], 7)
        self.assertEqual(self.d.call("GET", f"/vm/{vm['id']}/logs?tail=1").body, b"told to end\n")

    def test_kill(self):
        vm = self.d.run("plain", args=["/bin/server", "stubborn"])
        self.d.first_line(vm["id"])
        killed = self.d.call("POST", f"/vm/{vm['id']}/stop?timeout=0.2").json
        self.assertEqual((killed["state"], killed["exit_code"]), ("stopped", 137))

    def test_monitor_killed(self):
        vm = self.d.run("server", wait="ready", ports=[{"guest": 8000}], ip_address="10.77.0.99")
        s = self.connect(vm)
        os.kill(vm["pid"], 9)
        crashed = self.d.wait(vm["id"])
        self.assertEqual((crashed["state"], crashed["exit_code"]), ("crashed", None))
        self.assertIn("signal 9", crashed["reason"])
        try:
            self.assertEqual(s.recv(1), b"")
        except ConnectionResetError:
            pass
        again = self.d.run("server", wait="ready", ip_address="10.77.0.99")  # address and tap are free
        self.assertEqual(again["ip_address"], "10.77.0.99")

    def test_a_shell_killed_in_the_pool(self):
        self.d.wait_pool()
        shells = [p.split()[0] for p in self.d.processes()]
        self.assertEqual(len(shells), 2 if MONITOR == "uvmm" else 0)
        for pid in shells:
            os.kill(int(pid), 9)
        while shells and self.d.call("GET", "/pool").json["items"][0]["deaths"] < 2:
            pass
        self.d.wait_pool()
        self.assertTrue(self.d.run("server", wait="ready")["from_pool"])

    def test_program_fails(self):
        vm = self.d.run("plain", args=["/bin/server", "abort"], wait="none")
        ended = self.d.wait(vm["id"])
        self.assertEqual((ended["state"], ended["exit_code"]), ("crashed", 134), ended)
        vm = self.d.run("plain", args=["/bin/nothing"], wait="none")
        ended = self.d.wait(vm["id"])
        self.assertEqual((ended["state"], ended["exit_code"]), ("failed", 127), ended)

    def test_daemon_killed(self):
        """The next daemon goes on with the VMs of the one that was killed; their connections never break."""
        vms = [self.d.run("server", wait="ready", name=f"s{n}", ports=[{"guest": 8000}]) for n in range(2)]
        self.d.wait_pool()
        direct = self.d.connect_inside(vms[0]["ip_address"], 8000)
        self.addCleanup(direct.close)
        direct.sendall(b"before")
        self.assertEqual(direct.recv(100), b"before")
        self.d.kill()
        direct.sendall(b"between")
        self.assertEqual(direct.recv(100), b"between")
        self.d.start()
        direct.sendall(b"after")
        self.assertEqual(direct.recv(100), b"after")
        listed = self.d.call("GET", "/vm").json["items"]
        self.assertEqual(sorted(listed, key=lambda vm: vm["name"]), vms)
        published = self.connect(vms[1])
        published.sendall(b"published")
        self.assertEqual(published.recv(100), b"published")
        stopped = self.d.call("POST", "/vm/s0/stop?timeout=60").json
        self.assertEqual((stopped["state"], stopped["exit_code"]), ("stopped", 7), stopped)
        logs = self.d.call("GET", "/vm/s0/logs").body
        self.assertEqual((logs.count(b"serving"), logs.count(b"told to end")), (1, 1))
        self.d.wait_pool()
        others = self.d.run("server", wait="ready")
        self.assertNotEqual(others["ip_address"], vms[1]["ip_address"])
        self.d.end()

    def test_vms_that_end_while_there_is_no_daemon(self):
        vms = [self.d.run("server", wait="ready", name=f"s{n}", ports=[{"guest": 8000}]) for n in range(3)]
        self.d.kill()
        os.kill(vms[0]["pid"], signal.SIGKILL)
        if MONITOR == "uvmm":
            os.kill(vms[1]["pid"], signal.SIGTERM)
        for vm in vms[:2 if MONITOR == "uvmm" else 1]:
            wait_process(vm["pid"])
        self.d.start()
        self.assertEqual(self.d.wait("s0")["state"], "crashed")
        if MONITOR == "uvmm":  # which leaves a report
            ended = self.d.wait("s1")
            self.assertEqual((ended["state"], ended["exit_code"]), ("stopped", 7), ended)
        self.assertEqual(self.d.call("GET", "/vm/s2").json, vms[2])
        again = self.d.run("server", wait="ready", ip_address=vms[0]["ip_address"])
        self.assertEqual(again["ip_address"], vms[0]["ip_address"])
        self.d.end()


if __name__ == "__main__":
    need(MONITOR)
    IMAGE = guest_image(image_files())
    try:
        main()
    finally:
        shutil.rmtree(VOLUMES)
