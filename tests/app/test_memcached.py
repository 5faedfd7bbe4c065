# SPDX-License-Identifier: Apache-2.0
"""kvstore's other face, memcached's text protocol: the same script for kvstore and for Debian's memcached; limits; one table."""
import json
import os
import shutil
import socket
import subprocess
import sys

from app import App, eq, main, until
from memcached_script import Client, run, store

JSON_TYPE = {'Content-Type': 'application/json'}


def debian():
    """Debian's memcached on a socket of its own: (process, address)."""
    for _ in range(20):
        with socket.socket() as s:
            s.bind(('127.0.0.1', 0))
            port = s.getsockname()[1]
        argv = [shutil.which('memcached'), '-l', '127.0.0.1', '-p', str(port), '-U', '0', '-t', '1', '-u', 'nobody']
        proc = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

        def up():
            if proc.poll() is not None:
                return 'ended'
            try:
                socket.create_connection(('127.0.0.1', port)).close()
                return 'up'
            except OSError:
                return None
        if until('memcached answers', up) == 'up':
            return proc, ('127.0.0.1', port)
    raise AssertionError('memcached does not start')


def test_script():
    with App() as app:
        print(f'{run(app.start("kvstore").memcached)} steps')


def test_script_debian():
    if not shutil.which('memcached'):
        print('skipped: memcached is not installed')
        return
    proc, address = debian()
    try:
        run(address)
    finally:
        proc.kill()
        proc.wait()


def test_memcapable():
    tool = shutil.which('memcapable') or shutil.which('memccapable')
    if not tool:
        print('skipped: memcapable (libmemcached-tools) is not installed')
        return
    with App() as app:
        host, port = app.start('kvstore').memcached
        done = subprocess.run([tool, '-h', host, '-p', str(port), '-a', '-t', '200'], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=240)
        out = done.stdout + done.stderr
        assert done.returncode == 0 and '[FAIL]' not in out and '[pass]' in out, out


def test_one_table():
    with App() as app:
        kv = app.start('kvstore')
        with Client(kv.memcached) as c:
            kv('POST', '/dbendpoint', json.dumps({'value': '10.0.0.2:9001', 'ttl': 60}).encode(), JSON_TYPE)
            eq(c.say(b'get dbendpoint\r\n'), b'VALUE dbendpoint 0 13\r\n10.0.0.2:9001\r\nEND\r\n')
            eq(c.say(store(b'add', b'dbendpoint', b'x')), b'NOT_STORED\r\n')
            for line in (store(b'set', b'dbendpoint', b'x'), b'delete dbendpoint\r\n', b'touch dbendpoint 1\r\n'):
                eq(c.say(line), b'SERVER_ERROR the key is registered by HTTP\r\n')
            eq(c.say(b'flush_all\r\n'), b'OK\r\n')
            eq(kv('GET', '/dbendpoint').text, '10.0.0.2:9001')
            # and the other way: first write wins
            eq(c.say(store(b'set', b'storageendpoint', b'10.0.0.3:9002')), b'STORED\r\n')
            eq(kv('GET', '/storageendpoint').text, '10.0.0.3:9002')
            eq(kv('GET', '/storageendpoint?all=1').json(), {'values': ['10.0.0.3:9002']})
            eq(kv('POST', '/storageendpoint', json.dumps({'value': 'x'}).encode(), JSON_TYPE).status, 200)
            eq(kv('GET', '/storageendpoint').text, '10.0.0.3:9002')
            eq(c.say(b'delete storageendpoint\r\n'), b'DELETED\r\n')
            eq(kv('GET', '/storageendpoint').status, 404)


def test_expires():
    with App() as app:
        kv = app.start('kvstore')
        with Client(kv.memcached) as c:
            eq(c.say(store(b'set', b'short', b'x', 0, 1) + store(b'set', b'long', b'x', 0, 1000), 2), b'STORED\r\n' * 2)
            until('a second is over', lambda: c.say(b'get short\r\n') == b'END\r\n')
            eq(c.say(store(b'set', b'p', b'x') + b'flush_all 1\r\n', 2), b'STORED\r\nOK\r\n')
            until('the flush has come', lambda: c.say(b'get p long\r\n') == b'END\r\n')


def test_memory():
    with App() as app:
        kv = app.start('kvstore', MICRO_MEMCACHED_MEMORY_MIB='2')
        with Client(kv.memcached) as c:
            eq(c.say(store(b'set', b'mine', b'x')), b'STORED\r\n')
            for i in range(2000):
                eq(c.say(store(b'set', b'k%d' % i, b'v' * 5000) + b'get mine\r\n', 2), b'STORED\r\nVALUE mine 0 1\r\nx\r\nEND\r\n')
            stats = c.stats()
            eq(int(stats[b'evictions']), 2001 - int(stats[b'curr_items']))
            assert 300 < int(stats[b'curr_items']) < 420 and int(stats[b'bytes']) <= 2 << 20, stats
            eq(c.say(b'get k0\r\n'), b'END\r\n')
        eq(kv.metric('cache_evictions_total'), int(stats[b'evictions']))


def rss(service):
    with open(f'/proc/{service.proc.pid}/statm') as f:
        return int(f.read().split()[1]) * os.sysconf('SC_PAGE_SIZE')


def test_readers_that_do_not_read():
    """16 clients ask for 4,000 values of 1 MB each and take nothing: memory stays bounded, others are served."""
    with App() as app:
        kv = app.start('kvstore', MICRO_MEMCACHED_BUFFER_MIB='4')
        with Client(kv.memcached) as c:
            eq(c.say(store(b'set', b'k', b'v' * 1000000)), b'STORED\r\n')
            before = rss(kv)
            lazy = [Client(kv.memcached) for _ in range(16)]
            for s in lazy:
                s.sock.sendall(b'get' + b' k' * 4000 + b'\r\n')
            until('all have been answered something', lambda: int(c.stats()[b'get_hits']) >= 16)
            eq(c.say(store(b'set', b'small', b'x') + b'get small\r\n', 2), b'STORED\r\nVALUE small 0 1\r\nx\r\nEND\r\n')
            # 4 MiB and what one answer may pass it by, of all
            assert rss(kv) - before < 16 << 20, (before, rss(kv))
            assert int(c.stats()[b'get_hits']) < 16 * 100, c.stats()
            for s in lazy:
                s.close()
            until('what they held is free', lambda: int(c.stats()[b'buffered_bytes']) < 1 << 20)
            # and who reads late misses nothing
            c.sock.sendall(b'get' + b' k' * 20 + b'\r\n')
            with Client(kv.memcached) as other:
                until('it has been answered something', lambda: int(other.stats()[b'get_hits']) > 0)
            eq(c.answer(), (b'VALUE k 0 1000000\r\n' + b'v' * 1000000 + b'\r\n') * 20 + b'END\r\n')


def test_writers_that_do_not_write():
    """Values that are begun and not sent count; above the limit they are refused, and time frees them."""
    with App() as app:
        kv = app.start('kvstore', MICRO_MEMCACHED_BUFFER_MIB='4', MICRO_MEMCACHED_STALL_S='2')
        with Client(kv.memcached) as c:
            slow = [Client(kv.memcached) for _ in range(8)]
            for s in slow:
                s.sock.sendall(b'set k 0 0 1000000\r\nv')
            refused = [s for s in slow[4:] if s.answer() == b'SERVER_ERROR out of memory storing object\r\n']
            eq(len(refused), 4)
            until('they are closed', lambda: int(c.stats()[b'idle_kicks']) >= 8)
            eq(slow[0].answer(), b'')
            eq(c.say(store(b'set', b'k', b'v' * 1000000)), b'STORED\r\n')
            for s in slow:
                s.close()


def test_connections():
    with App() as app:
        kv = app.start('kvstore', MICRO_MEMCACHED_CONNECTIONS='3')
        clients = [Client(kv.memcached) for _ in range(3)]
        eq([c.say(b'get a\r\n') for c in clients], [b'END\r\n'] * 3)
        with socket.create_connection(kv.memcached) as s:
            eq(s.makefile('rb').read(), b'ERROR Too many open connections\r\n')
        clients[0].close()

        def again():
            with Client(kv.memcached) as c:
                try:
                    return c.say(b'get a\r\n') == b'END\r\n'
                except (AssertionError, OSError):
                    return False
        until('a place is free', again)
        eq(clients[1].stats()[b'max_connections'], b'3')
        for c in clients:
            c.close()


def test_pipeline():
    """More commands than anybody buffers, from a client that reads only at the end, and byte by byte."""
    with App() as app:
        kv = app.start('kvstore')
        with Client(kv.memcached) as c:
            eq(c.say(store(b'set', b'n', b'0')), b'STORED\r\n')
            count = 20000
            eq(c.say(b'incr n 1\r\n' * count, count), b''.join(b'%d\r\n' % (i + 1) for i in range(count)))
            for byte in store(b'set', b'slow', b'a\r\nb') + b'get slow\r':
                c.sock.sendall(bytes([byte]))
            eq(c.say(b'\n', 2), b'STORED\r\nVALUE slow 0 4\r\na\r\nb\r\nEND\r\n')


def test_ports():
    with App() as app:
        kv = app.start('kvstore')
        taken = str(kv.memcached[1])
        app.start('kvstore', MICRO_MEMCACHED_PORT='-1')
        s = app.start('kvstore', port=False, MICRO_KEYVALUESTORE_PORT='0', MICRO_MEMCACHED_PORT=taken)
        eq(until('it ends', lambda: s.proc.poll()), 1)
        assert 'cannot bind' in s.output(), s.output()


if __name__ == '__main__':
    sys.dont_write_bytecode = True
    main([test_script, test_script_debian, test_memcapable, test_one_table, test_expires, test_memory,
          test_readers_that_do_not_read, test_writers_that_do_not_write, test_connections, test_pipeline, test_ports])
