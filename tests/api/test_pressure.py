# SPDX-License-Identifier: Apache-2.0
"""
Clones where there is no more: of addresses, of memory. What is asked for is refused with a reason or boots, what runs goes on, nothing is left, and the
template is as good as before when there is something again.
"""
import os
import resource
import tempfile

from harness import BUILD, DaemonTest, TIMEOUT_S, guest_image, main, need

PROBE = os.path.join(BUILD, "tests/clone/clone-probe")
PORT = 7777


class Case(DaemonTest):
    options = {"monitor": "uvmm", "pool": 1}
    image = None

    def setUp(self):
        super().setUp()
        Case.image = Case.image or guest_image({"/bin/probe": PROBE})
        self.d.put_image("web", {"cmd": ["/bin/probe"], "ports": [PORT], "memory_mib": 64}, self.image)
        self.d.wait_pool()
        operation = self.d.call("POST", "/template", {"image_name": "web"}).headers["location"]
        self.template = self.d.call("GET", f"{operation}?wait={TIMEOUT_S}").json["result"]["id"]
        self.loaded()

    def of_template(self):
        return self.d.call("GET", f"/template/{self.template}").json

    def loaded(self):
        while (t := self.of_template())["loaded"] == 0:  # an exchange with the manager, whose loop goes on in between
            self.assertEqual(t["state"], "ready", t)

    def try_run(self):
        return self.d.call("POST", "/vm/run", {"image_name": "web", "memory_mib": 64, "wait": "ready", "wait_timeout_ms": TIMEOUT_S * 1000})

    def ask(self, vm, line):
        with self.d.connect_inside(vm["ip_address"], PORT) as s:
            s.sendall(line.encode() + b"\n")
            with s.makefile() as file:
                return file.readline().rstrip("\n")

    def all_answer(self, vms):
        for vm in vms:
            self.assertEqual(self.ask(vm, "names"), f"{vm['name']} {vm['ip_address']}")
            self.assertEqual(self.ask(vm, "memory"), "whole")

    def good_again(self):
        """A clone can be had, of the template that there was."""
        while True:
            self.loaded()
            answer = self.try_run()
            if answer.status == 201 and answer.json["cloned"]:
                break
            self.assertIn(answer.status, (201, 503), answer)
            if answer.status == 201:
                self.d.call("DELETE", f"/vm/{answer.json['id']}?force=true")
        self.all_answer([answer.json])
        self.assertEqual(self.of_template()["state"], "ready")


class Addresses(Case):
    options = {"monitor": "uvmm", "pool": 1, "subnet": "10.77.0.0/28"}

    def test_all_given(self):
        vms, refused = [], 0
        while refused < 5 or len(vms) < 12:  # one of the 13 may be a prepared one's; refused more often than a template survives damaged files
            answer = self.try_run()
            if answer.status == 201:
                vms.append(answer.json)
                continue
            self.refused(answer, 503, "addresses_exhausted")
            self.assertGreater(int(answer.headers["retry-after"]), 0)
            refused += 1
        self.assertEqual(len({vm["ip_address"] for vm in vms} | {vm["mac"] for vm in vms}), 2 * len(vms))
        self.assertTrue(any(vm["cloned"] for vm in vms))
        self.all_answer(vms)
        for vm in vms[:3]:
            self.d.call("DELETE", f"/vm/{vm['id']}?force=true")
        self.good_again()
        self.all_answer(vms[3:])


class Memory(Case):
    def limit(self, soft):
        resource.prlimit(self.d.process.pid, resource.RLIMIT_AS, (soft, self.hard))

    def test_none_for_monitors(self):
        """No address space for a guest's memory: what was prepared serves, what was not is refused, as often as it is tried."""
        soft, self.hard = resource.prlimit(self.d.process.pid, resource.RLIMIT_AS)
        self.limit(2 << 30)  # a monitor reserves 4 GiB for the image alone
        vms, refused = [], []
        while len(refused) < 5:
            answer = self.try_run()
            if answer.status == 201:
                vms.append(answer.json)
            else:
                refused.append(answer)
            self.assertLess(len(vms), 5)
        for answer in refused:
            self.assertGreaterEqual(answer.status, 500, answer)
            self.assertRegex(answer.json["detail"].lower(), "memory", answer)
        self.assertTrue(vms[0]["cloned"], vms)
        self.all_answer(vms)
        self.limit(soft)
        self.good_again()
        self.all_answer(vms)


def score(pid):
    with open(f"/proc/{pid}/oom_score_adj", encoding="ascii") as file:
        return int(file.read())


def memory_controller():
    """The folder of this process's own group of the memory controller of cgroup v1; None."""
    with open("/proc/self/mountinfo", encoding="ascii") as file:
        mounts = [line.split()[4] for line in file if " - cgroup " in line and "memory" in line.split()[-1].split(",")]
    with open("/proc/self/cgroup", encoding="ascii") as file:
        own = [line.rstrip("\n").split(":", 2)[2] for line in file if "memory" in line.split(":")[1].split(",")]
    return os.path.join(mounts[0], own[0].lstrip("/")) if mounts and own and "/.." not in own[0] else None


class UsedUp(Case):
    """Memory that is used up by what clones write, when the kernel has to end somebody."""

    def scores(self):
        """By process, of clones and of shells; some come and go meanwhile."""
        found = {}
        for name in os.listdir(os.path.join(self.d.run_dir, "vm")):
            try:
                with open(os.path.join(self.d.run_dir, "vm", name, "process"), encoding="ascii") as file:
                    pid = int((file.read() or "0").split()[0])
                if pid:
                    found[pid] = score(pid)
            except (FileNotFoundError, ProcessLookupError):
                pass
        return found

    def check_scores(self, vm):
        own = score(self.d.process.pid)
        self.assertEqual(own, score(os.getpid()))
        scores = self.scores()
        self.assertIn(vm["pid"], scores)
        self.assertEqual(set(scores.values()), {min(1000, max(0, own) + 500)}, scores)

    def test_manager_goes_last(self):
        vm = self.try_run().json
        self.check_scores(vm)
        self.d.kill()
        self.d.start()
        self.d.wait_pool()
        self.check_scores(vm)
        self.all_answer([vm])

    def group(self, limit):
        parent = memory_controller()
        try:
            group = tempfile.mkdtemp(prefix="uig-test-", dir=parent) if parent else None
        except OSError:
            group = None
        if not group:
            self.skipTest("no group of the memory controller (cgroup v1) can be made here")
        self.addCleanup(os.rmdir, group)
        self.put(group, "memory.limit_in_bytes", limit)
        return group

    @staticmethod
    def put(group, file, value):
        with open(os.path.join(group, file), "w", encoding="ascii") as file:
            file.write(str(value))

    def test_clone_killed(self):
        """It has crashed, and the reason says why; its siblings and the template are as they were."""
        vms = [self.try_run().json for _ in range(2)]
        group = self.group(16 << 20)
        self.put(group, "cgroup.procs", vms[0]["pid"])
        with self.d.connect_inside(vms[0]["ip_address"], PORT) as s:
            s.sendall(b"fill 40 x\n")
            ended = self.d.wait(vms[0]["id"])
        self.assertEqual(ended["state"], "crashed", ended)
        self.assertRegex(ended["reason"], "signal 9.*lack of memory")
        self.all_answer(vms[1:])
        self.good_again()
        self.all_answer(vms[1:])


if __name__ == "__main__":
    need("uvmm")
    main()
