# SPDX-License-Identifier: Apache-2.0
"""
The original application (tools/original.py) as processes under the same manager, from the same file with its `build` lines exchanged: for
bench/app --original DIR. Its answers name no task, and it mixes up uploads that come together: clients upload one at a time, and count.
"""
import os
import re
import shutil

import original
from app_common import App
from demo_host import PROCESS_USER

PORTS = {"registry": 9000, "db": 9001, "storage": 9002, "master": 9003, "ui": 80}
REGISTRY = 'MICRO_KEYVALUESTORE_ENDPOINT: "${service.registry.address}:9000"'
MASTER = 'MICRO_MASTER_ENDPOINT: "http://${service.master.address}:9003"'


class OriginalApp(App):
    def __init__(self, build, folder, pauses):
        super().__init__(build, "process")
        self.folder, self.pauses, self.tasks = folder, pauses, 0

    def options(self):
        options = super().options()
        self.file = original.exchange(self.file, self.host.path("original.yaml"), list(original.PROGRAMS), self.manifest)
        with open(self.file) as f:
            text = f.read()
        text = re.sub(r"(?m)(^  ui:\n    build: .*\n    env: \{)", lambda m: f"{m[1]}{MASTER}, ", text)
        with open(self.file, "w") as f:
            f.write(text.replace("env: {MICRO_REGISTRY:", f"env: {{{REGISTRY}, MICRO_REGISTRY:"))
        return options

    def manifest(self, service):
        """Of one program in a folder of its own."""
        where = original.lay_out(self.folder, self.host.data(f"original-{service}"))
        for folder, _, _ in os.walk(where):
            shutil.chown(folder, PROCESS_USER)
        loaded = [original.from_its_folder(where)] + ([] if self.pauses else [original.without_pauses(where)])
        path, port = self.host.path(f"original-{service}.yaml"), PORTS.get(service)
        with open(path, "w") as f:
            f.write(f"name: imaging/original-{service}\nprogram: {shutil.which('node')}\nargs: [{where}/{original.PROGRAMS[service]}]\n"
                    f"env: {{NODE_OPTIONS: \"{' '.join(loaded)}\"}}\n")
            if port:
                f.write(f"ports: [{port}]\nreadiness: {{tcp: {port}}}\n")
        return f'"{path}"'

    def up(self):
        super().up()
        self.tasks = 0

    def load_result(self, *words):
        found = super().load_result("--first", self.tasks, *words)
        self.tasks += found["sent"]
        return found
