# SPDX-License-Identifier: Apache-2.0
"""Limits: bodies, slow clients, many connections, memory of idle services."""
import re
import socket

from app import App, DEADLINE_S, eq, finished, main, multipart, parallel, png, until, upload

PNG = png('-size', '32x32', 'gradient:red-blue', 'png:-')


def connect(service):
    host, port = service.endpoint.split(':')
    return socket.create_connection((host, int(port)))


def test_too_large():
    with App() as app:
        app.start_all(workers=0, master={'MICRO_MASTER_MAX_BYTES': '20000'}, storage={'MICRO_STORAGE_MAX_BYTES': '10000'})
        eq(upload(app.master, PNG + b'\0' * 200000).status, 413)      # by its length
        eq(upload(app.master, PNG + b'\0' * 30000).status, 413)       # by what came
        eq(upload(app.master, PNG + b'\0' * 15000).status, 413)       # by the storage
        eq(upload(app.master, b'GIF89a' * 20).status, 415)
        eq(upload(app.master, PNG).status, 200)
        eq(upload(app.storage, PNG + b'\0' * 90000000, '/upload/7').status, 413)
        eq(app.storage('GET', '/download/7').status, 404)


def test_queue_full():
    with App() as app:
        db = app.start('db', MICRO_DB_MAX_TASKS='3')
        for _ in range(3):
            eq(db('POST', '/task').status, 200)
        answer = db('POST', '/task')
        eq((answer.status, answer.headers['Retry-After']), (503, '5'))


def test_quota():
    with App() as app:
        st = app.start('storage', MICRO_STORAGE_DIR=app.path('p'), MICRO_STORAGE_QUOTA_BYTES=str(len(PNG) * 2))
        eq(upload(st, PNG, '/upload/1').status, 200)
        eq(upload(st, PNG, '/upload/2').status, 200)
        eq(upload(st, PNG, '/upload/3').status, 507)
        eq(st('DELETE', '/download/1').status, 204)
        eq(st('DELETE', '/download/1').status, 404)
        eq(upload(st, PNG, '/upload/3').status, 200)


def test_nothing_left():
    """Temporary folders go with their services."""
    import os
    import re
    with App() as app:
        st, db = app.start('storage'), app.start('db')
        eq(upload(st, PNG, '/upload/1').status, 200)
        paths = [re.search(r'path="?(/tmp/micro-[^ "/]+)', s.output()).group(1) for s in (st, db)]
        assert all(os.path.isdir(p) for p in paths), paths
        eq([s.stop() for s in (st, db)], [0, 0])
        assert not any(os.path.exists(p) for p in paths), paths


def test_malformed():
    with App() as app:
        kv = app.start('kvstore')
        for raw, want in (
                (b'\0\1\2\3\r\n\r\n', None), (b'GET\r\n\r\n', None), (b'GET / HT', None),
                (b'POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc', None),
                (b'GET /' + b'a' * 40000 + b' HTTP/1.1\r\n\r\n', b'414'),
                (b'GET / HTTP/9.9\r\n\r\n', b'505'),
                (b'GET / HTTP/1.1\r\nHost: x\r\nX: ' + b'y' * 40000 + b'\r\n\r\n', b'431'),
                (b'POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n', b'400'),
                (b'POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n', b'413'),
                (b'POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n', b'400')):
            sock = connect(kv)
            sock.settimeout(DEADLINE_S)
            answer = b''
            try:
                sock.sendall(raw)
                while want and not re.match(rb'HTTP/1.1 \d{3} ', answer):
                    chunk = sock.recv(4096)
                    assert chunk, raw[:60]
                    answer += chunk
            except ConnectionError:
                answer = answer or b'HTTP/1.1 ' + (want or b'')  # cut off in the middle of its own sending: fair enough
            sock.close()
            eq((raw[:60], answer.split()[1] if answer else None), (raw[:60], want))
        eq(kv('GET', '/healthz').status, 200)


def test_many_connections():
    """More than the service takes at a time: the others wait, none is lost."""
    with App() as app:
        st = app.start('storage', MICRO_STORAGE_DIR=app.path('p'))
        idle = [connect(st) for _ in range(300)]
        until('it is full', lambda: True)
        for sock in idle[:200]:
            sock.close()
        answers = parallel(40, lambda i: upload(st, PNG, f'/upload/{i}'))
        eq([a.status for a in answers], [200] * 40)
        for sock in idle[200:]:
            sock.close()


def status(service, field):
    with open(f'/proc/{service.proc.pid}/status') as f:
        for line in f:
            if line.startswith(field + ':'):
                return int(line.split()[1])
    raise AssertionError(field)


def cpu_ticks(service):
    with open(f'/proc/{service.proc.pid}/stat') as f:
        fields = f.read().rsplit(')', 1)[1].split()
    return int(fields[11]) + int(fields[12])


def test_idle_memory():
    """Below 4 MiB each, also after work; and no time is used while nothing happens."""
    import os
    import time
    with App() as app:
        app.start_all(workers=1)
        app.start('ui')
        for _ in range(20):
            finished(app, upload(app.master, PNG).headers['X-Task-Id'])
        sanitized = 'asan' in os.environ.get('SERVICES_DIR', '') or status(app.kv, 'VmSize') > 1 << 30
        for s in app.services:
            print(f'     {s.name}: {status(s, "VmRSS")} KiB')
            assert sanitized or status(s, 'VmRSS') < 4096, (s.name, status(s, 'VmRSS'))
        begin, before = time.monotonic(), {s: (cpu_ticks(s), switches(s)) for s in app.services}
        time.sleep(2)  # the thing measured is that nothing happens
        for s in app.services:
            ticks, turns = cpu_ticks(s) - before[s][0], switches(s) - before[s][1]
            times = (time.monotonic() - begin) / 2  # on a busy machine it was longer
            assert ticks <= 2 * times, (s.name, ticks, times)
            assert turns <= 20 * times, (s.name, turns, times)


def switches(service):
    return status(service, 'voluntary_ctxt_switches')


if __name__ == '__main__':
    main([v for k, v in sorted(globals().items()) if k.startswith('test_')])
