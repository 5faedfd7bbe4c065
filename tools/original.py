# SPDX-License-Identifier: Apache-2.0
"""
The original picture application, in JavaScript, beside ours: not part of this tree, but of a folder that somebody has.

  git clone ... osv-microservice-demo && cd osv-microservice-demo
  npm install          with "overrides": {"busboy": "0.2.14"} in package.json, else its uploads fail with a node of today

Its programs write beside themselves, so each instance gets a folder of its own with links to what is read.
"""
import os
import re
import shutil

TREE = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
NO_PAUSES = os.path.join(TREE, "tools", "original_no_pauses.js")
# Service of ours (as in examples/imaging/app.yaml) -> program.
PROGRAMS = {"registry": "keyvaluestore.js", "db": "db.js", "storage": "storage.js", "master": "master.js", "worker": "worker.js", "ui": "ui.js"}


def why_not(folder):
    """None when the folder is a checkout that can run, else a sentence."""
    for name in ["common.js", *PROGRAMS.values()]:
        if not os.path.isfile(os.path.join(folder, name)):
            return f"{folder} is no checkout of the original application: {name} is missing"
    if not os.path.isdir(os.path.join(folder, "node_modules", "express")):
        return f"{folder} has no node_modules: npm install there, with busboy 0.2.14 as an override"
    if not shutil.which("node"):
        return "node is missing: apt install nodejs"
    return None


def lay_out(original, folder):
    """A folder to run from: the programs and their views as copies (they find files beside themselves), the modules as a link."""
    os.makedirs(folder)
    for name in os.listdir(original):
        if name.endswith(".js"):
            shutil.copy(os.path.join(original, name), folder)
    shutil.copytree(os.path.join(original, "views"), os.path.join(folder, "views"))
    os.symlink(os.path.realpath(os.path.join(original, "node_modules")), os.path.join(folder, "node_modules"))
    shutil.copy(NO_PAUSES, folder)
    for name in ("storage", "worker"):
        os.makedirs(os.path.join(folder, "data", name))
    return folder


def without_pauses(folder):
    """The word of NODE_OPTIONS that makes a program which is laid out there run without its pauses."""
    return f"--require={os.path.join(folder, os.path.basename(NO_PAUSES))}"


def from_its_folder(folder):
    """The word of NODE_OPTIONS that makes it run in its folder, wherever it is started: the page's views are looked for there."""
    path = os.path.join(folder, "here.js")
    with open(path, "w") as f:
        f.write("process.chdir(__dirname);\n")
    return f"--require={path}"


def exchange(app_file, out, originals, build_of):
    """
    Writes the application file once more, with the `build` lines of these services replaced by build_of(service): the one line that makes a
    service another program. Paths become absolute, so that the file can lie anywhere.
    """
    with open(app_file) as f:
        text = re.sub(r"(build: \"?)([\w$])", rf"\1{os.path.dirname(app_file)}/\2", f.read())
    for service in originals:
        text, n = re.subn(rf"(?m)(^  {service}:\n    )build: .*$", lambda m: f"{m[1]}build: {build_of(service)}", text)
        if n != 1:
            raise ValueError(f"{app_file} has no build line of service {service}")
    with open(out, "w") as f:
        f.write(text)
    return out


def unikernel_build(original):
    """Of examples/imaging/original, as build_of of exchange()."""
    def of(service):
        name = {"registry": "kvstore"}.get(service, service)
        return f'{{manifest: {TREE}/examples/imaging/original/{name}.yaml, context: "{os.path.realpath(original)}"}}'
    return of
