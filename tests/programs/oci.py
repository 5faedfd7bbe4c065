# SPDX-License-Identifier: Apache-2.0
"""Container images as tests want them: layers of given entries, as an OCI image layout, a tar archive of it, or what docker save writes."""
import gzip
import hashlib
import io
import json
import os
import tarfile

LAYER = "application/vnd.oci.image.layer.v1.tar"
REF = "org.opencontainers.image.ref.name"


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def layer(*entries, form=tarfile.PAX_FORMAT):
    """
    Bytes of a tar archive. An entry is (name, content) for a file, (name,) for a folder, (name, "->", target) for a symbolic
    and (name, "=>", target) for a hard link, or a TarInfo.
    """
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as tar:
        for entry in entries:
            if isinstance(entry, tarfile.TarInfo):
                tar.addfile(entry)
                continue
            info, data = tarfile.TarInfo(entry[0]), b""
            info.mode, info.mtime = 0o755, 1000000000
            if len(entry) == 1:
                info.type = tarfile.DIRTYPE
            elif len(entry) == 3:
                info.type = tarfile.SYMTYPE if entry[1] == "->" else tarfile.LNKTYPE
                info.linkname = entry[2]
            else:
                data = entry[1] if isinstance(entry[1], bytes) else entry[1].encode()
                info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def files_of(*paths):
    """Entries for files of this machine, links resolved, at their own places."""
    entries = []
    for path in paths:
        with open(path, "rb") as file:
            entries.append((path.lstrip("/"), file.read()))
    return entries


def config(layers, **more):
    return {"architecture": "amd64", "os": "linux", "config": more,
            "rootfs": {"type": "layers", "diff_ids": [digest(data) for data in layers]}}


class Layout:
    """An OCI image layout in a folder."""

    def __init__(self, folder):
        self.folder = folder
        self.manifests = []
        os.makedirs(os.path.join(folder, "blobs", "sha256"))
        with open(os.path.join(folder, "oci-layout"), "w", encoding="ascii") as file:
            file.write('{"imageLayoutVersion":"1.0.0"}')

    def path(self, of):
        return os.path.join(self.folder, "blobs", "sha256", of.removeprefix("sha256:"))

    def blob(self, data):
        data = data if isinstance(data, bytes) else json.dumps(data).encode()
        with open(self.path(digest(data)), "wb") as file:
            file.write(data)
        return {"digest": digest(data), "size": len(data)}

    def manifest(self, layers, document=None, pack=gzip.compress, media=LAYER + "+gzip", **more):
        document = config(layers, **more) if document is None else document
        return self.blob({"schemaVersion": 2, "config": {"mediaType": "application/vnd.oci.image.config.v1+json", **self.blob(document)},
                          "layers": [{"mediaType": media, **self.blob(pack(data))} for data in layers]})

    def add(self, descriptor, name=None, **fields):
        entry = {"mediaType": "application/vnd.oci.image.manifest.v1+json", **descriptor, **fields}
        if name:
            entry["annotations"] = {REF: name}
        self.manifests.append(entry)
        return self.write({"schemaVersion": 2, "manifests": self.manifests})

    def write(self, index):
        with open(os.path.join(self.folder, "index.json"), "w", encoding="utf-8") as file:
            json.dump(index, file)
        return self

    def archive(self, path, mode="w"):
        with tarfile.open(path, mode) as tar:
            tar.add(self.folder, arcname=".")
        return path


def docker_save(path, layers, names=("box:1",), links=False, **more):
    """As docker save up to version 24 wrote it; with links a layer that is another's is a symbolic link."""
    document = json.dumps(config(layers, **more)).encode()
    name = digest(document).removeprefix("sha256:") + ".json"
    places = [f"{i:064x}/layer.tar" for i in range(len(layers))]
    entries = [(name, document)]
    for i, data in enumerate(layers):
        first = layers.index(data)
        entries.append((places[i], "->", "../" + places[first]) if links and first != i else (places[i], data))
    entries.append(("manifest.json", json.dumps([{"Config": name, "RepoTags": list(names), "Layers": places}])))
    with open(path, "wb") as file:
        file.write(layer(*entries))
    return path
