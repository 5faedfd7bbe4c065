# SPDX-License-Identifier: Apache-2.0
"""Real registries on loopback, each started, killed and looked into in the same way: kvstore, Debian's memcached, etcd."""
import base64
import json
import os
import shutil
import socket
import subprocess
import sys

from app import DEADLINE_S, Service, request, until


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


class Registry:
    """One server at one address, which it keeps when it is started anew, empty."""
    program = package = None

    def __init__(self, app):
        self.app, self.proc, self.port = app, None, free_port()

    @classmethod
    def need(cls):
        if cls.program and not shutil.which(cls.program):
            print(f'SKIP: {cls.program} is not there (apt install {cls.package})')
            sys.exit(77)

    @property
    def url(self):
        return f'{self.scheme}://127.0.0.1:{self.port}'

    def start(self):
        """At another port when somebody took the one that was free a moment ago."""
        for _ in range(20):
            log = open(self.app.path(f'{self.scheme}.log'), 'ab')
            self.proc = subprocess.Popen(self.argv(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.env())
            log.close()
            if until(f'{self.scheme} answers', lambda: self.proc.poll() is not None or self.is_up()) and \
                    self.proc.poll() is None:
                return self
            self.proc.wait()
            self.port = free_port()
        with open(self.app.path(f'{self.scheme}.log'), errors='replace') as f:
            raise AssertionError(f'{self.scheme} does not start: {f.read()[-2000:]}')

    def env(self):
        return None

    def is_up(self):
        try:
            return self.values('nothing') == []
        except (OSError, AssertionError, ValueError):
            return False

    def kill(self):
        self.proc.kill()
        self.proc.wait()

    def close(self):
        if self.proc and self.proc.poll() is None:
            self.kill()


class Kvstore(Registry):
    scheme = 'kvstore'

    def argv(self):
        return [os.path.join(os.environ.get('SERVICES_DIR', 'build/services'), 'kvstore')]

    def env(self):
        return {**os.environ, 'MICRO_LISTEN': '127.0.0.1', 'MICRO_KEYVALUESTORE_PORT': str(self.port), 'MICRO_MEMCACHED_PORT': '-1'}

    def values(self, key):
        answer = request(f'127.0.0.1:{self.port}', 'GET', f'/{key}?all=1')
        return answer.json()['values'] if answer.status == 200 else []


class KvstoreMemcached(Kvstore):
    """kvstore once more, by its other face."""
    scheme = 'memcached'

    def env(self):
        return {**super().env(), 'MICRO_KEYVALUESTORE_PORT': '0', 'MICRO_MEMCACHED_PORT': str(self.port)}

    def values(self, key):
        return memcached_values(self.port, key)


def memcached_values(port, key):
    names = [key] + [f'{key}.{i}' for i in range(1, 32)]
    with socket.create_connection(('127.0.0.1', port), timeout=DEADLINE_S) as s:
        s.sendall(f'get {" ".join(names)}\r\n'.encode())
        data = b''
        while not data.endswith(b'END\r\n'):
            piece = s.recv(65536)
            if not piece:
                raise ConnectionError('memcached hung up')
            data += piece
    lines = data.decode().split('\r\n')
    return [lines[i + 1] for i, line in enumerate(lines) if line.startswith('VALUE ')]


class Memcached(Registry):
    scheme = program = package = 'memcached'

    def argv(self):
        return [shutil.which('memcached'), '-l', '127.0.0.1', '-p', str(self.port), '-U', '0', '-t', '1', '-u', 'nobody']

    def values(self, key):
        return memcached_values(self.port, key)


class Etcd(Registry):
    scheme, program, package = 'etcd', 'etcd', 'etcd-server'

    def argv(self):
        """Empty each time; its peers' port is any."""
        data, client = self.app.path('etcd-data'), f'http://127.0.0.1:{self.port}'
        shutil.rmtree(data, ignore_errors=True)
        peer = f'http://127.0.0.1:{free_port()}'
        return [shutil.which('etcd'), '--data-dir', data, '--listen-client-urls', client, '--advertise-client-urls', client,
                '--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer, '--initial-cluster', f'default={peer}']

    def post(self, path, body):
        answer = request(f'127.0.0.1:{self.port}', 'POST', f'/v3/{path}', json.dumps(body).encode())
        if answer.status != 200:
            raise ValueError(f'etcd answers {answer}')
        return answer.json()

    def values(self, key):
        def text(s):
            return base64.b64encode(s.encode()).decode()
        found = self.post('kv/range', {'key': text(f'uigniter/{key}/'), 'range_end': text(f'uigniter/{key}0')})
        return [base64.b64decode(kv['value']).decode() for kv in found.get('kvs', [])]


KINDS = {'kvstore': Kvstore, 'memcached': Memcached, 'etcd': Etcd, 'kvstore-memcached': KvstoreMemcached}


def start_on(registry, name, *, port=True, **env):
    """A service of the application that has this registry."""
    s = Service(registry.app, name, (registry.url,), {'MICRO_REGISTRY_TTL_S': '3', **env}, port)
    return s
