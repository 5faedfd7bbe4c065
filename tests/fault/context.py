# SPDX-License-Identifier: Apache-2.0
"""What an image is built of (POST /image/build)."""
import io
import tarfile

MANIFEST = b"name: walked\nprogram: bin/program\nfiles: [{from: data, to: /srv/data}]\n"
PROGRAM = "/bin/true"


def context():
    """A tar archive of a manifest, a program with libraries of the host, and a file."""
    out = io.BytesIO()
    with open(PROGRAM, "rb") as file:
        program = file.read()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, data in (("image.yaml", MANIFEST), ("bin/program", program), ("data", b"x" * 5000)):
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return out.getvalue()
