# SPDX-License-Identifier: Apache-2.0
"""
The program overwrites its libOS, the processor's tables, the pages it shares with the monitor; and takes privilege level 0.
What becomes of that VM is its own business, as long as it ends with a reason, by itself or when it is told to.
"""
from security import HostileTest, main, memory_kib, need_vms

SCRIBBLES = ["libos-code", "libos-rubbish", "all-ram", "idt", "gdt", "tables", "root", "wild-pages", "identity", "boot-page",
             "execute-device", "write-image", "read-behind-image"]
HANGING = ["identity-spin", "upcall-nowhere", "upcall-device", "upcall-flood"]
RING0 = ["ring0-halt", "ring0-halt-sti", "ring0-ports", "ring0-ports-string", "ring0-no-paging", "ring0-no-protection",
         "ring0-wild-cr3", "ring0-no-idt", "ring0-hypercalls", "ring0-wild-msrs", "ring0-triple"]
MEMORY_MAX_KIB = 160 * 1024  # of a monitor of a VM of 64 MiB: the guest's all, and room


class Scribbles(HostileTest):
    def each(self, names, seconds):
        for name in names:
            with self.subTest(name):
                vm = self.attack(name, memory_mib=64)
                found = self.ended(vm, seconds)
                self.show(name, found, vm)

    def test_memory(self):
        self.each(SCRIBBLES, 10)

    def test_hanging(self):
        for name in HANGING:
            with self.subTest(name):
                vm = self.attack(name, memory_mib=64)
                self.ask_neighbour()
                try:
                    self.assertLess(memory_kib(vm["pid"]), MEMORY_MAX_KIB)
                except FileNotFoundError:
                    pass  # it has ended
                self.show(name, self.ended(vm, 2), vm)

    def test_privilege(self):
        self.each(RING0, 2)


if __name__ == "__main__":
    need_vms()
    main()
