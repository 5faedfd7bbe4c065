# SPDX-License-Identifier: Apache-2.0
"""Nothing is left: after a daemon was told to end, was killed with all it had, or could not start."""
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest

from harness import DAEMON, Daemon, DaemonTest, main, need, signal_process, wait_process


def start_ticks(stat):
    """When the process began, in clock ticks since boot (proc(5), stat, field 22)."""
    return int(stat.rpartition(")")[2].split()[19])


def later_process(ticks):
    """A process that did not begin in the given tick: pid and tick together are what tells processes apart."""
    while True:
        process = subprocess.Popen(["sleep", "1000"])
        with open(f"/proc/{process.pid}/stat", encoding="ascii") as file:
            if start_ticks(file.read()) != ticks:
                return process
        process.kill()
        process.wait()


class Ends(DaemonTest):
    options = {"pool": 3}

    def busy(self):
        self.d.put_server()
        self.d.put_shell("stubborn", "trap '' TERM; echo here; exec sleep 1000")
        self.d.put_shell("family", "sleep 1000 & sleep 1000 & echo here; wait")
        for image in ("server", "server"):
            self.d.run(image, wait="ready", ports=[{"guest": 8000}])
        for image in ("stubborn", "family"):
            self.d.first_line(self.d.run(image)["id"])
        self.d.wait_pool()
        self.assertEqual(len(self.d.links()), 1 + 4 + 3)
        self.assertGreaterEqual(len(self.d.processes()), 5)

    def test_told_to_end(self):
        self.busy()
        self.d.end(signal.SIGINT)

    def test_told_twice(self):
        self.busy()
        self.d.process.send_signal(signal.SIGTERM)
        self.d.end()

    def test_ends_with_requests_under_way(self):
        self.busy()
        vm = self.d.call("GET", "/vm?state=running").json["items"][0]
        connections = []
        for path in ("wait?timeout=3600", "logs?follow=true"):
            connection = self.d.connection()
            connection.request("GET", f"/vm/{vm['id']}/{path}")
            connections.append(connection)
        self.d.call("GET", "/healthz")
        self.d.end()
        for connection in connections:
            connection.getresponse().read()
            connection.close()

    def test_killed(self):
        """What ran runs on under the next daemon, what was prepared is gone."""
        self.busy()
        before = self.d.call("GET", "/vm").json["items"]
        pids = {vm["pid"] for vm in before}
        self.d.kill()
        self.assertGreaterEqual(len(self.d.processes()), 5)
        self.assertGreater(len(self.d.links()), 4)
        self.d.start()
        self.assertEqual(self.d.call("GET", "/vm").json["items"], before)
        self.assertEqual({int(p.split()[0]) for p in self.d.processes()} & pids, pids)
        self.d.wait_pool()
        self.assertEqual(len(self.d.links()), 1 + 4 + 3)
        self.d.run("server", wait="ready")
        self.d.call("POST", f"/vm/{before[0]['id']}/kill")
        self.assertEqual(self.d.wait(before[0]["id"])["state"], "stopped")
        self.d.call("DELETE", f"/vm/{before[0]['id']}")
        self.d.kill()
        self.d.start()
        self.assertEqual({vm["id"] for vm in self.d.call("GET", "/vm").json["items"]} & {vm["id"] for vm in before},
                         {vm["id"] for vm in before[1:]})
        self.d.end()

    def test_machine_started_anew(self):
        """Only the state is there: what ran has crashed, for a reason that is true, and what is to run again does."""
        self.d.put_server()
        once, always = self.d.run("server", wait="ready"), self.d.run("server", wait="ready", restart={"policy": "always"})
        self.d.kill()
        for process in self.d.processes():
            pid = int(process.split()[0])
            signal_process(pid, signal.SIGKILL)  # prepared ones end with their manager
            wait_process(pid)
        shutil.rmtree(self.d.run_dir)
        subprocess.run(["ip", "-n", self.d.netns, "link", "del", "uigniter0"], check=True)
        self.d.start()
        now = self.d.call("GET", f"/vm/{once['id']}").json
        self.assertEqual((now["state"], now["exit_code"], now["pid"]), ("crashed", None, None), now)
        self.assertIn("the machine was started anew", now["reason"])
        while not (now := self.d.call("GET", f"/vm/{always['id']}").json)["ready"]:
            self.assertTrue(now["restart_pending"] or now["pid"], now)
        self.assertEqual(now["restarts"], 1)
        self.d.end()

    def test_killed_after_the_end_of_a_vm(self):
        """Records of VMs that ended, with their logs, and what says how they ended."""
        self.d.put_shell("short", "echo here; exit 5")
        vm = self.d.run("short", wait="none")
        self.d.wait(vm["id"])
        ended = self.d.call("GET", f"/vm/{vm['id']}").json
        self.assertEqual((ended["state"], ended["exit_code"]), ("stopped", 5))
        self.d.kill()
        self.d.start()
        self.assertEqual(self.d.call("GET", f"/vm/{vm['id']}").json, ended)
        self.assertEqual(self.d.call("GET", f"/vm/{vm['id']}/logs").body, b"here\n")
        self.d.end()

    def test_killed_while_it_stops_one(self):
        self.d.put_shell("stubborn", "trap '' TERM; echo here; sleep 1000 & wait; wait")
        vm = self.d.run("stubborn")
        self.d.first_line(vm["id"])
        connection = self.d.connection()
        connection.request("POST", f"/vm/{vm['id']}/stop?timeout=1000")
        while self.d.call("GET", f"/vm/{vm['id']}").json["state"] != "stopping":
            pass  # each is an exchange with the daemon
        self.d.kill()
        connection.close()
        self.d.start()
        self.assertEqual(self.d.call("GET", f"/vm/{vm['id']}").json["state"], "stopping")
        self.d.call("POST", f"/vm/{vm['id']}/kill")
        self.assertEqual(self.d.wait(vm["id"])["state"], "stopped")
        self.d.end()

    def test_a_start_that_fails_leaves_them_running(self):
        self.busy()
        before = self.d.call("GET", "/vm").json["items"]
        self.d.kill()
        listen = self.d.arguments.index("--listen") + 1
        taken = socket.socket()
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        self.d.arguments[listen] = f"127.0.0.1:{taken.getsockname()[1]}"
        with self.assertRaises(RuntimeError):
            self.d.start()
        taken.close()
        self.d.arguments[listen] = "none"
        self.d.start()
        self.assertEqual(self.d.call("GET", "/vm").json["items"], before)
        self.d.end()

    def test_another_subnet(self):
        """Where a VM can not be taken over, it ends, and the list says so."""
        self.d.put_shell("long", "exec sleep 1000")
        vm = self.d.run("long")
        self.d.kill()
        self.d.arguments[self.d.arguments.index("--subnet") + 1] = "10.78.0.0/24"
        self.d.start()
        ended = self.d.call("GET", f"/vm/{vm['id']}").json
        self.assertEqual(ended["state"], "crashed")
        self.assertIn("no instance's address", ended["reason"])
        self.assertEqual([p for p in self.d.processes() if p.startswith(f"{vm['pid']} ")], [])
        self.d.end()

    def test_killed_again_and_again(self):
        self.d.put_shell("long", "exec sleep 1000")
        for _ in range(5):
            connection = self.d.connection()
            connection.request("POST", "/vm/run", json.dumps({"image_name": "long"}), {"Content-Type": "application/json"})
            self.d.kill()
            connection.close()
            self.d.start()
        self.d.end()

    def test_another_process_with_the_pid(self):
        """A record whose pid now belongs to another process must not end it."""
        self.d.put_shell("long", "exec sleep 1000")
        self.d.run("long")
        self.d.kill()
        record = [f for f in self.d.files("run", "vm") if f.endswith("process")][0]
        path = os.path.join(self.d.run_dir, "vm", record)
        with open(path, encoding="ascii") as file:
            stat = file.read()
        fields = stat.split(" ")
        victim = int(fields[0])
        innocent = later_process(start_ticks(stat))
        try:
            with open(path, "w", encoding="ascii") as file:
                file.write(" ".join([str(innocent.pid)] + fields[1:]))
            self.d.start()
            self.assertIsNone(innocent.poll())
            os.kill(victim, signal.SIGKILL)
        finally:
            innocent.kill()
            innocent.wait()


class Starts(unittest.TestCase):
    def refuse(self, d, *options):
        result = subprocess.run([DAEMON, "--netns", d.netns, "--run-dir", d.folder + "/run2", "--state-dir", d.folder + "/state2",
                                 "--listen", "none", "--monitor", "process", *options], capture_output=True, text=True, check=False)
        lines = result.stderr.strip().splitlines()
        said = [line for line in lines if line.startswith("uigniterd: ")]
        self.assertEqual(len(said), 1, lines)
        return result.returncode, said[0]

    def test_refusals(self):
        d = Daemon()
        self.addCleanup(d.clean)
        before = d.links()
        for options, code, text in (
                (["--what"], 2, "--what"),
                (["--pool", "x"], 2, "--pool"),
                (["--pool"], 2, "--pool"),
                (["more"], 2, "more"),
                (["--subnet", "10.1.2.3/16"], 2, "host bits"),
                (["--subnet", "10.0.0.0/8"], 2, "/16"),
                (["--listen", "0.0.0.0:6666"], 2, "loopback"),
                (["--listen", "127.0.0.1"], 2, "ADDR:PORT"),
                (["--run-dir", "relative"], 2, "absolute"),
                (["--netns", "uig-test-none"], 1, "ip netns add"),
                (["--netns", "../x"], 1, "no name"),
                (["--monitor", "what"], 1, "auto, uvmm"),
                (["--monitor", "uvmm", "--uvmm", "/nonexistent"], 1, "/nonexistent" if os.path.exists("/dev/kvm") else "/dev/kvm"),
                (["--monitor", "qemu", "--qemu", "/nonexistent"], 1, "/nonexistent"),
                (["--process-user", "nobody-such"], 2, "no such user"),
                (["--run-dir", d.run_dir], 1, "another uigniterd"),
                (["--config", "/nonexistent"], 2, "/nonexistent")):
            status, line = self.refuse(d, *options)
            self.assertEqual(status, code, (options, line))
            self.assertIn(text, line)
        self.assertEqual(d.links(), before)
        d.end()

    def test_subnet_in_use(self):
        d = Daemon()
        self.addCleanup(d.clean)
        d.end()
        for arguments in (["link", "add", "other", "type", "bridge"], ["addr", "add", "10.77.3.1/24", "dev", "other"],
                          ["link", "set", "other", "up"]):
            subprocess.run(["ip", "-n", d.netns, *arguments], check=True)
        status, line = self.refuse(d, "--subnet", "10.77.0.0/16")
        self.assertEqual(status, 1)
        self.assertIn("overlaps", line)
        self.assertEqual(d.links(), ["other"])

    def on_another_bridge(self):
        """A daemon on a bridge that somebody else made; it ends and leaves that one."""
        d = Daemon()
        self.addCleanup(d.clean)
        d.end()
        self.ip(d, "link", "add", "uigniter0", "type", "bridge")
        d.start()
        d.put_server()
        return d

    def ip(self, d, *arguments):
        subprocess.run(["ip", "-n", d.netns, *arguments], check=True)

    def end_on_another_bridge(self, d, left):
        d.process.send_signal(signal.SIGTERM)
        self.assertEqual(d.process.wait(), 0)
        d.log_end()
        self.assertEqual(d.links(), left)

    def test_a_bridge_that_is_not_ours(self):
        d = self.on_another_bridge()
        d.run("server", wait="ready")
        self.end_on_another_bridge(d, ["uigniter0"])

    def test_a_port_with_a_lower_mac(self):
        """A bridge whose MAC nobody chose takes the lowest of its ports: what an instance has learnt must stay true."""
        d = self.on_another_bridge()
        vm = d.run("server", wait="ready")
        with d.connect_inside(vm["ip_address"], 8000) as connection:
            connection.sendall(b"before")
            self.assertEqual(connection.recv(6), b"before")
            self.ip(d, "link", "add", "low", "address", "02:00:00:00:00:01", "type", "veth", "peer", "name", "far")
            self.ip(d, "link", "set", "low", "master", "uigniter0")
            connection.sendall(b"after")
            self.assertEqual(connection.recv(5), b"after")
        self.ip(d, "link", "del", "low")
        self.end_on_another_bridge(d, ["uigniter0"])

    def test_a_bridge_that_lost_its_ports(self):
        """Such a bridge has no MAC at all, and takes the one that uigniterd's own would have."""
        d = self.on_another_bridge()
        self.end_on_another_bridge(d, ["uigniter0"])
        self.ip(d, "link", "del", "uigniter0")
        self.ip(d, "link", "add", "uigniter0", "type", "bridge")
        self.ip(d, "link", "add", "port", "type", "veth", "peer", "name", "far")
        self.ip(d, "link", "set", "port", "master", "uigniter0")
        self.ip(d, "link", "del", "port")
        d.start()
        d.run("server", wait="ready")
        self.end_on_another_bridge(d, ["uigniter0"])

    def test_killed_on_another_bridge(self):
        d = self.on_another_bridge()
        vm = d.run("server", wait="ready")
        d.kill()
        d.start()
        with d.connect_inside(vm["ip_address"], 8000) as connection:
            connection.sendall(b"still")
            self.assertEqual(connection.recv(5), b"still")
        self.end_on_another_bridge(d, ["uigniter0"])

    def test_a_subnet_in_use_leaves_them_running(self):
        """A start that fails at the network takes nothing from the VMs of the daemon before."""
        d = Daemon()
        self.addCleanup(d.clean)
        d.put_server()
        vm = d.run("server", wait="ready")
        d.kill()
        self.ip(d, "link", "add", "other", "type", "bridge")
        self.ip(d, "addr", "add", "10.77.3.1/24", "dev", "other")
        self.ip(d, "link", "set", "other", "up")
        subnet = d.arguments.index("--subnet") + 1
        d.arguments[subnet] = "10.77.0.0/16"
        with self.assertRaisesRegex(RuntimeError, "overlaps"):
            d.start()
        d.arguments[subnet] = "10.77.0.0/24"
        self.ip(d, "link", "del", "other")
        d.start()
        self.assertEqual(d.call("GET", "/vm").json["items"][0]["pid"], vm["pid"])
        with d.connect_inside(vm["ip_address"], 8000) as connection:
            connection.sendall(b"still")
            self.assertEqual(connection.recv(5), b"still")
        d.end()

    def test_config_file(self):
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            file.write("pool: 1\nlog-level: debug\n\"pool-memory\": 96\n")
            file.flush()
            d = Daemon("--config", file.name)
        self.addCleanup(d.clean)
        profile = d.call("GET", "/pool").json["items"][0]
        self.assertEqual((profile["target"], profile["memory_mib"]), (2, 96))  # --pool of the command line has the last word
        d.end()
        for text in ("pool: [1]\n", "what: 1\n", "pool: x\n", "- 1\n", "pool: 1\npool: 2\n", "pool: *x\n", "a: &x 1\n"):
            with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
                file.write(text)
                file.flush()
                self.assertEqual(self.refuse(d, "--config", file.name)[0], 2, text)


if __name__ == "__main__":
    need()
    main()
