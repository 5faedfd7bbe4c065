# SPDX-License-Identifier: Apache-2.0
"""Container images, imported and run: busybox with its links, and a dynamic program with its libraries, of several layers."""
import os
import subprocess

import oci
from programs import ProgramTest, main, need_installed


def libraries(program):
    """The files that a dynamic program of this machine loads, its loader too."""
    said = subprocess.run(["ldd", program], stdout=subprocess.PIPE, text=True, check=True).stdout
    return [word for line in said.splitlines() for word in line.split() if word.startswith("/")]


class Container(ProgramTest):
    def load(self, *layers, name="box", words=(), **config):
        made = oci.Layout(os.path.join(self.d.folder, self.id()))
        made.add(made.manifest(list(layers), **config), name)
        return self.cli("image", "import", *words, made.folder).strip()

    @need_installed("/bin/busybox")
    def test_busybox(self):
        with open("/bin/busybox", "rb") as file:
            first = oci.layer(("usr/bin",), ("bin", "->", "usr/bin"), ("bin/busybox", file.read()), ("etc/motd", "first\n"), ("gone", "x"))
        second = oci.layer(("bin/sh", "->", "busybox"), ("bin/cat", "=>", "bin/busybox"), ("etc/motd", "second\n"), (".wh.gone", ""),
                           ("run.sh", "#!/bin/sh\ntest -e /gone || read x </etc/motd && echo \"$x $PWD $0 $1 $WHO\"\n"))
        image = self.load(first, second, Entrypoint=["/run.sh"], Cmd=["arg"], Env=["WHO=me", "PATH=/bin"], WorkingDir="/srv/work")
        self.assertEqual(self.output(image), "second /srv/work /run.sh arg me\n")
        self.assertEqual(self.output(image, "/bin/cat", "/etc/motd"), "second\n")
        self.cli("image", "tag", image, "box:again")
        self.assertEqual(self.output("box:again", options=("-e", "WHO=you")), "second /srv/work /run.sh arg you\n")

    @need_installed("sqlite3", "ldd")
    def test_dynamic(self):
        program = "/usr/bin/sqlite3"
        image = self.load(oci.layer(*oci.files_of(*libraries(program))), oci.layer(*oci.files_of(program)),
                          name="tools/sqlite:3", Entrypoint=["sqlite3"], Cmd=[":memory:", "select 6 * 7"])
        self.assertEqual(image, "tools/sqlite:3")
        self.assertEqual(self.output(image), "42\n")


if __name__ == "__main__":
    main()
