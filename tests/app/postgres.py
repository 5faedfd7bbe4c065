# SPDX-License-Identifier: Apache-2.0
"""A PostgreSQL server for a test: a folder of its own, a Unix socket in it, an unprivileged user (it refuses to run as root). No TCP, but for
one that is to be reached at an address of a network namespace: by all of that address's /24."""
import glob
import os
import shutil
import signal
import subprocess
import sys
import tempfile

from app import until

NOBODY = 65534


def tools():
    """The folder of the newest server's programs; ends the test (77) when there is none."""
    found = sorted(glob.glob('/usr/lib/postgresql/*/bin/initdb'))
    if not found:
        print("SKIP: PostgreSQL's server is not there (package postgresql-15)")
        sys.exit(77)
    return os.path.dirname(found[-1])


class Postgres:
    def __init__(self, netns=None, address=None):
        self.netns, self.address = netns, address
        self.bin = tools()
        self.dir = tempfile.mkdtemp(prefix='uig-pg-')
        self.user = {'user': NOBODY, 'group': NOBODY, 'extra_groups': []} if os.geteuid() == 0 else {}
        if self.user:
            os.chown(self.dir, NOBODY, NOBODY)
        self.url = f'postgresql://micro@/postgres?host={self.dir}'
        self.proc = None
        self.log = os.path.join(self.dir, 'log')
        made = subprocess.run([f'{self.bin}/initdb', '-D', f'{self.dir}/data', '-U', 'micro', '-A', 'trust', '--no-sync',
                               '--no-locale', '-E', 'UTF8'], cwd=self.dir, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              env={'PATH': os.environ['PATH'], 'HOME': self.dir}, **self.user)
        if made.returncode:
            shutil.rmtree(self.dir)
            raise AssertionError(f'initdb: {made.stderr}')
        if address:
            self.url = f'postgresql://micro@{address}/postgres'
            with open(f'{self.dir}/data/pg_hba.conf', 'a') as f:
                f.write(f'host all all {address}/24 trust\n')

    def command(self):
        """Who enters a namespace has to be root, and becomes another there."""
        into = ['ip', 'netns', 'exec', self.netns, 'setpriv', f'--reuid={NOBODY}', f'--regid={NOBODY}', '--clear-groups'] if self.netns else []
        return [*into, f'{self.bin}/postgres', '-D', f'{self.dir}/data', '-k', self.dir, '-c', f'listen_addresses={self.address or ""}',
                '-c', 'fsync=off', '-c', 'max_connections=20']

    def start(self):
        """fsync is off: what is tested is our side of a commit, and a server that is killed loses nothing by it."""
        with open(self.log, 'ab') as log:
            self.proc = subprocess.Popen(self.command(), cwd=self.dir, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                         **({} if self.netns else self.user))
        until('PostgreSQL takes connections', self.is_ready)
        return self

    def is_ready(self):
        if self.proc.poll() is not None:
            with open(self.log, errors='replace') as f:
                raise AssertionError(f'PostgreSQL ended: {f.read()[-2000:]}')
        return subprocess.run([f'{self.bin}/pg_isready', '-q', '-h', self.dir]).returncode == 0

    def kill(self):
        """The whole server at once: it notices that its first process has gone and recovers at the next start."""
        self.proc.send_signal(signal.SIGKILL)
        self.proc.wait()
        until('its other processes are gone', lambda: not self.processes())

    def processes(self):
        found = []
        for pid in filter(str.isdigit, os.listdir('/proc')):
            try:
                if os.readlink(f'/proc/{pid}/cwd') == f'{self.dir}/data':
                    found.append(int(pid))
            except OSError:
                continue
        return found

    def __enter__(self):
        return self.start()

    def __exit__(self, *failure):
        if self.proc.poll() is None:
            self.proc.send_signal(signal.SIGINT)  # fast shutdown
            self.proc.wait()
        shutil.rmtree(self.dir)
