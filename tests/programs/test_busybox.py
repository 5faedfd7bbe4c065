# SPDX-License-Identifier: Apache-2.0
"""busybox: applets that need no second process, against the same on this machine."""
import re
import subprocess

from programs import ProgramTest, main, need_installed

BUSYBOX = "/bin/busybox"
APPLETS = [
    ["sha256sum", BUSYBOX],
    ["md5sum", "/etc/nsswitch.conf-none"],
    ["seq", "-s", ",", "1", "100"],
    ["expr", "6", "*", "7"],
    ["printf", "%s|%05d\n", "two words", "42"],
    ["dd", "if=/dev/zero", "of=/tmp/zero", "bs=64k", "count=16", "status=none"],
    ["awk", "BEGIN { for (i = 0; i < 1000; i++) s += i * i; print s, length(\"abc\"), substr(\"hello\", 2, 3) }"],
    ["sh", "-c", "n=0; for i in 1 2 3; do n=$((n + i)); done; echo $n; f() { return 4; }; f; echo $?; exit 5"],
    ["sh", "-c", "cd /tmp && echo one > a && echo two >> a && read x < a && echo \"$x $PWD\" && test -f a && echo there"],
    ["date", "-u", "-d", "@86400", "+%F %T"],
    ["false"],
]


@need_installed(BUSYBOX)
class Busybox(ProgramTest):
    def test_example(self):
        self.assertRegex(self.output(self.build("busybox")), r"^Linux \S+ .* x86_64 ")

    def test_applets(self):
        image = self.build("busybox")
        for words in APPLETS:
            here = subprocess.run(["unshare", "-m", "sh", "-c", 'mount -t tmpfs tmpfs /tmp && exec "$@"', "sh", BUSYBOX, *words],
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
            with self.subTest(" ".join(words)):
                self.assertEqual(self.output(image, BUSYBOX, *words, status=here.returncode), here.stdout)

    def test_names(self):
        """An image that is built here leaves hosts and name server to its instances: they find themselves and others."""
        image = self.build("busybox")
        other = self.start(image, name="other", args=[BUSYBOX, "sleep", "600"])
        said = self.output(image, BUSYBOX, "nslookup", "other.uigniter", options=("--name", "me"))
        self.assertRegex(said, rf"Address(?: 1)?: {re.escape(other['ip_address'])}\b")
        self.assertRegex(self.output(image, BUSYBOX, "cat", "/etc/hosts", options=("--name", "me")), r"localhost\n[0-9.]+ me\.uigniter me\n")

    def test_no_fork(self):
        """The shell says so and goes on."""
        image = self.build("busybox")
        said = self.output(image, BUSYBOX, "sh", "-c", "(exit 3); echo $?; echo not reached", status=2)
        self.assertIn("fork", said)


if __name__ == "__main__":
    main()
