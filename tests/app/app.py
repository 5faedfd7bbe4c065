# SPDX-License-Identifier: Apache-2.0
"""The application under test: starts the real programs on 127.0.0.1, ports chosen by the kernel, and talks to them.

Nothing here sleeps to synchronise: start-up is awaited by the port in the log and by GET /healthz, all else by polling a
condition with a deadline (until()).
"""
import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import urllib.parse

DIR = os.environ.get('SERVICES_DIR', 'build/services')
DEADLINE_S = 240  # a bound for what hangs
SEED = ('-seed', '7')  # of ImageMagick's random pictures; it counts for those that come behind it
HTML = 'text/html; charset=utf-8'
JSON = 'application/json; charset=utf-8'


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def text(self):
        return self.body.decode()

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f'<{self.status} {dict(self.headers)} {self.body[:200]!r}>'


def until(what, condition, deadline=DEADLINE_S):
    end = time.monotonic() + deadline
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f'waited in vain: {what}')
        time.sleep(0.01)


def request(endpoint, method, path, body=None, headers=None, timeout=DEADLINE_S):
    host, port = endpoint.rsplit(':', 1)
    conn = http.client.HTTPConnection(host, int(port), timeout=timeout)
    try:
        conn.putrequest(method, path, skip_accept_encoding=True)
        for k, v in (headers or {}).items():
            conn.putheader(k, v)
        if body is not None or method in ('POST', 'PUT'):
            conn.putheader('Content-Length', str(len(body or b'')))
        conn.endheaders()
        if body:
            conn.send(body)
        r = conn.getresponse()
        return Answer(r.status, r.headers, r.read())
    finally:
        conn.close()


def multipart(name, data, filename='a.png', type='image/png', boundary='x7f3a91bc'):
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"'
    if filename is not None:
        head += f'; filename="{filename}"'
    if type is not None:
        head += f'\r\nContent-Type: {type}'
    body = head.encode() + b'\r\n\r\n' + data + f'\r\n--{boundary}--\r\n'.encode()
    return body, {'Content-Type': f'multipart/form-data; boundary={boundary}'}


class Service:
    """One running program."""

    def __init__(self, app, name, args=(), env=None, port=True):
        self.app, self.name, self.arguments = app, name, args
        self.log_path = os.path.join(app.dir, f'{name}-{len(app.services)}.log')
        full = {k: v for k, v in os.environ.items() if not k.startswith('MICRO_') and k != 'PORT'}
        prefix = 'KEYVALUESTORE' if name == 'kvstore' else name.partition('-')[0].upper()
        full.update({'MICRO_LISTEN': '127.0.0.1', 'MICRO_DRAIN_MS': '20000'})
        if port:
            full[f'MICRO_{prefix}_PORT'] = '0'
        if name == 'kvstore':
            full['MICRO_MEMCACHED_PORT'] = '0'
        full.update(env or {})
        self.log = open(self.log_path, 'wb')
        self.proc = subprocess.Popen([os.path.join(DIR, name), *args], env=full, stderr=self.log, stdout=self.log,
                                     stdin=subprocess.DEVNULL)
        app.services.append(self)

    def output(self):
        with open(self.log_path, errors='replace') as f:
            return f.read()

    def port(self):
        if self.proc.poll() is not None:
            raise AssertionError(f'{self.name} ended with {self.proc.returncode}: {self.output()}')
        m = re.search(r'msg="listening" port=(\d+)', self.output())
        return int(m.group(1)) if m else None

    @property
    def memcached(self):
        """(host, port) of kvstore's other face."""
        return '127.0.0.1', int(re.search(r'memcached_port=(\d+)', self.output()).group(1))

    @property
    def endpoint(self):
        return f'127.0.0.1:{until(f"{self.name} listens", self.port)}'

    def ready(self):
        endpoint = self.endpoint
        until(f'{self.name} is healthy', lambda: request(endpoint, 'GET', '/healthz').status == 200)
        return self

    def working(self):
        """A worker without a port: from here on it ends by itself when it is told to."""
        until(f'{self.name} works', lambda: 'msg="working"' in self.output())
        return self

    def __call__(self, method, path, body=None, headers=None, **kw):
        return request(self.endpoint, method, path, body, headers, **kw)

    def metric(self, name):
        text = self('GET', '/metrics').text
        values = [float(v) for v in re.findall(rf'^micro_{name}(?:{{[^}}]*}})? ([0-9.e+]+)$', text, re.M)]
        return sum(values)

    def stop(self, sig=signal.SIGTERM):
        if self.proc.poll() is None:
            self.proc.send_signal(sig)
        try:
            return self.proc.wait(DEADLINE_S)
        finally:
            self.log.close()


def shared_memory():
    """/dev/shm where that has room for a test, or None."""
    try:
        there = os.statvfs('/dev/shm')
    except OSError:
        return None
    return '/dev/shm' if there.f_bavail * there.f_frsize > 1 << 30 else None


class App:
    """A set of services in a folder of their own; everything ends with it."""

    def __init__(self, memory=False):
        """memory: the folder is in memory where there is room, so that no slow disk makes a short lease run out."""
        self.dir = tempfile.mkdtemp(prefix='uig-app-', dir=shared_memory() if memory else None)
        self.services = []
        self.kv = None

    def __enter__(self):
        return self

    def __exit__(self, kind, value, tb):
        try:
            if not kind:
                self.end()
        except AssertionError as e:
            kind = e
            raise
        finally:
            self.clean(kind)

    def end(self):
        """Every service that still runs must end by SIGTERM, with status 0 and without a sanitizer's complaint."""
        for s in reversed(self.services):
            if s.proc.poll() is None:
                eq((s.name, s.stop()), (s.name, 0))
        for s in self.services:
            m = re.search(r'runtime error: .*|ERROR: \w+Sanitizer.*', s.output())
            assert not m, f'{s.name}: {m.group(0)}'

    def clean(self, failed):
        if failed:
            for s in self.services:
                print(f'--- {s.name}\n{s.output()[-3000:]}')
        for s in reversed(self.services):
            if s.proc.poll() is None:
                s.proc.kill()
            s.proc.wait()
            s.log.close()
        shutil.rmtree(self.dir)

    def path(self, name):
        return os.path.join(self.dir, name)

    def start(self, name, *args, port=True, **env):
        if name != 'kvstore' and self.kv and not args:
            args = (self.kv.endpoint,)
        s = Service(self, name, args, env, port)
        return s.ready() if port else s

    def start_all(self, workers=1, worker_env=None, db_program='db', **env):
        """Registry, db, storage, master, and workers; env by service name: {'db': {...}}."""
        self.kv = self.start('kvstore', **env.get('kvstore', {}))
        self.db = self.start(db_program, **{'MICRO_DB_PATH': self.path('db'), **env.get('db', {})})
        self.storage = self.start('storage', **{'MICRO_STORAGE_DIR': self.path('pictures'), **env.get('storage', {})})
        self.master = self.start('master', **env.get('master', {}))
        self.workers = [self.start('worker', **(worker_env or {})) for _ in range(workers)]
        return self


def upload(service, data, path='/task', **kw):
    body, headers = multipart('image', data, **kw)
    return service('POST', path, body, headers)


def finished(app, task, deadline=DEADLINE_S):
    until(f'task {task} is finished',
          lambda: app.master('GET', f'/task/{task}/ready').body == b'true', deadline)


def parallel(n, fn):
    """Runs fn(0..n-1) at a time; the results in order, the first exception raised."""
    results, errors = [None] * n, []

    def run(i):
        try:
            results[i] = fn(i)
        except BaseException as e:  # noqa: B902
            errors.append(e)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(n)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    if errors:
        raise errors[0]
    return results


class Background:
    """A call in a thread of its own, begun at once: result() waits for it, and returns or raises what it does."""

    def __init__(self, call, *words, **more):
        self.value, self.error = None, None
        self.thread = threading.Thread(target=self._run, args=(call, words, more))
        self.thread.start()

    def _run(self, call, words, more):
        try:
            self.value = call(*words, **more)
        except BaseException as e:  # noqa: B902
            self.error = e

    def result(self):
        self.thread.join()
        if self.error:
            raise self.error
        return self.value


def png(*args):
    """A picture by ImageMagick: png('-size', '8x8', 'gradient:red-blue', 'png:-'). What it draws by chance is the same each time."""
    return subprocess.run([magick(), *SEED, *args], check=True, stdout=subprocess.PIPE).stdout


def magick(name='convert'):
    tool = shutil.which(f'{name}-im6.q16') or shutil.which(name)
    if not tool:
        print(f'SKIP: ImageMagick ({name}) is not there')
        sys.exit(77)
    return tool


def eq(got, want):
    if got != want:
        raise AssertionError(f'got {got!r}, want {want!r}')


def main(tests):
    """Runs the functions in order; exit status 0 or 1."""
    names = sys.argv[1:]
    failed = 0
    for fn in tests:
        if names and fn.__name__ not in names:
            continue
        start = time.monotonic()
        try:
            fn()
            print(f'ok   {fn.__name__} ({time.monotonic() - start:.2f} s)', flush=True)
        except Exception:
            failed += 1
            traceback.print_exc(file=sys.stdout)
            print(f'FAIL {fn.__name__}', flush=True)
    sys.exit(1 if failed else 0)


def quote(s):
    return urllib.parse.quote(s, safe='')
