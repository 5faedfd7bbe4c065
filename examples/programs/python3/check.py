# SPDX-License-Identifier: Apache-2.0
"""
Assertions over what python takes from the kernel: threads with locks and queues, sockets, asyncio, signals, files and maps, clocks,
databases, and that what an instance has not (other processes) fails as an exception. Runs on Linux as well; UNIKERNEL in the
environment says that there are no processes. Last line: "python ok: N of N checks".
"""
import asyncio
import concurrent.futures
import ctypes
import errno
import hashlib
import mmap
import os
import queue
import random
import selectors
import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import urllib.request
import zlib
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer


def raises(kind, call, number=None):
    try:
        call()
    except kind as error:
        assert number is None or error.errno == number, error
        return
    raise AssertionError(f"no {kind}")


def check_locks():
    count, lock, condition, turn = [0], threading.Lock(), threading.Condition(), [0]
    barrier = threading.Barrier(8)

    def add():
        barrier.wait()
        for _ in range(2000):
            with lock:
                count[0] += 1

    def take_turns(me):
        for _ in range(100):
            with condition:
                condition.wait_for(lambda: turn[0] % 4 == me)
                turn[0] += 1
                condition.notify_all()

    threads = [threading.Thread(target=add) for _ in range(8)]
    threads += [threading.Thread(target=take_turns, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert count == [16000] and turn == [400]
    assert not threading.Semaphore(0).acquire(timeout=0.01)
    assert not threading.Event().wait(0.01)


def check_queues():
    todo, done = queue.Queue(5), queue.SimpleQueue()

    def work():
        while (n := todo.get()) is not None:
            done.put(n * n)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for n in list(range(1000)) + [None] * 4:
        todo.put(n)
    for thread in threads:
        thread.join()
    assert sum(done.get() for _ in range(1000)) == sum(n * n for n in range(1000))
    raises(queue.Empty, lambda: todo.get(timeout=0.01))
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lambda n: zlib.crc32(bytes(n)) & 1, range(300))) == sum(zlib.crc32(bytes(n)) & 1 for n in range(300))


def check_many_threads():
    threads = [threading.Thread(target=time.sleep, args=(0.01,)) for _ in range(300)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def check_sockets():
    data = random.randbytes(300000)
    with socket.create_server(("127.0.0.1", 0)) as server:
        def echo():
            for _ in range(5):
                with server.accept()[0] as peer:
                    received = b"".join(iter(lambda: peer.recv(65536), b""))
                    peer.sendall(received)

        thread = threading.Thread(target=echo)
        thread.start()
        for _ in range(5):
            with socket.create_connection(server.getsockname(), timeout=30) as client:
                client.sendall(data)
                client.shutdown(socket.SHUT_WR)
                assert b"".join(iter(lambda: client.recv(65536), b"")) == data
        thread.join()
        server.settimeout(0.01)
        raises(TimeoutError, server.accept)
        address = server.getsockname()
    raises(ConnectionRefusedError, lambda: socket.create_connection(address))
    one, two = socket.socketpair()
    with one, two, open("/etc/passwd", "rb") as file:
        socket.send_fds(one, [b"x"], [file.fileno()])
        _, (fd,), _, _ = socket.recv_fds(two, 1, 1)
        assert os.fstat(fd).st_ino == os.fstat(file.fileno()).st_ino
        os.close(fd)
    with selectors.DefaultSelector() as selector, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        selector.register(udp, selectors.EVENT_READ)
        assert selector.select(0.01) == []
        udp.sendto(b"self", udp.getsockname())
        assert selector.select(10)[0][0].fileobj is udp and udp.recv(10) == b"self"


def check_http():
    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), lambda *a: Handler(*a, directory=os.path.dirname(__file__))) as server:
        threading.Thread(target=server.serve_forever).start()
        url = f"http://127.0.0.1:{server.server_port}/{os.path.basename(__file__)}"
        with open(__file__, "rb") as file:
            own = file.read()
        with concurrent.futures.ThreadPoolExecutor(10) as pool:
            assert all(pool.map(lambda _: urllib.request.urlopen(url).read() == own, range(50)))
        server.shutdown()


def check_asyncio():
    async def serve(reader, writer):
        async for line in reader:
            writer.write(line[::-1])
            await writer.drain()
        writer.close()

    async def ask(port, n):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"%d\n" % n)
        writer.write_eof()
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
        return answer

    async def main():
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        answers = await asyncio.gather(*(ask(port, n) for n in range(100)))
        assert answers == [(b"%d\n" % n)[::-1] for n in range(100)]
        server.close()
        loop, got = asyncio.get_running_loop(), asyncio.Event()
        loop.add_signal_handler(signal.SIGUSR1, got.set)
        os.kill(os.getpid(), signal.SIGUSR1)
        await asyncio.wait_for(got.wait(), 30)
        assert await asyncio.to_thread(lambda: 6 * 7) == 42
        start = time.monotonic()
        await asyncio.gather(*(asyncio.sleep(0.02) for _ in range(200)))
        assert time.monotonic() - start >= 0.02
        try:
            await asyncio.wait_for(asyncio.sleep(3600), 0.01)
            raise AssertionError("no time-out")
        except asyncio.TimeoutError:
            pass

    asyncio.run(main())


def check_signals():
    got = []
    old = signal.signal(signal.SIGALRM, lambda number, frame: got.append(number))
    signal.setitimer(signal.ITIMER_REAL, 0.005, 0.005)
    while len(got) < 3:
        pass
    time.sleep(0.02)
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, old)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2})
    signal.pthread_kill(threading.get_ident(), signal.SIGUSR2)
    assert signal.sigwait({signal.SIGUSR2}) == signal.SIGUSR2
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGUSR2})


def check_files():
    with tempfile.TemporaryDirectory() as folder:
        name = os.path.join(folder, "a")
        with open(name, "w+b") as file:
            file.truncate(100000)
            with mmap.mmap(file.fileno(), 0) as memory:
                memory[99990:] = b"0123456789"
                memory.flush()
            file.seek(-3, os.SEEK_END)
            assert file.read() == b"789"
        os.link(name, name + "2")
        assert os.stat(name).st_nlink == 2 and os.path.samefile(name, name + "2")
        os.replace(name, name + "3")
        assert sorted(os.listdir(folder)) == ["a2", "a3"]
        raises(FileNotFoundError, lambda: open(name))
        raises(OSError, lambda: os.rmdir(folder), errno.ENOTEMPTY)
        database = sqlite3.connect(os.path.join(folder, "db"))
        database.execute("pragma journal_mode = wal")
        database.execute("create table t (n integer)")
        with database:
            database.executemany("insert into t values (?)", ((n,) for n in range(1000)))
        assert database.execute("select sum(n) from t").fetchone() == (499500,)
        database.close()
    assert len(os.urandom(16)) == 16 and os.cpu_count() >= 1


def check_libraries():
    assert hashlib.sha256(b"abc").hexdigest().startswith("ba7816bf8f01cfea")
    assert ssl.create_default_context().protocol == ssl.PROTOCOL_TLS_CLIENT
    compare = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int))
    numbers = (ctypes.c_int * 5)(5, 1, 4, 2, 3)
    ctypes.CDLL(None).qsort(numbers, 5, 4, compare(lambda a, b: a[0] - b[0]))
    assert list(numbers) == [1, 2, 3, 4, 5]
    def deep(n):
        return deep(n + 1)
    raises(RecursionError, lambda: deep(0))


def check_memory():
    kept = [bytes(n * 1000) for n in range(300)]
    assert sum(map(len, kept)) == 44850000
    if "UNIKERNEL" in os.environ:  # where memory may be overcommitted, this would take it all
        raises(MemoryError, lambda: bytearray(1 << 33))


def check_no_processes():
    if "UNIKERNEL" not in os.environ:
        return
    raises(OSError, lambda: subprocess.run(["/bin/true"]), errno.ENOSYS)
    raises(OSError, os.fork, errno.ENOSYS)
    raises(OSError, lambda: os.posix_spawn("/bin/true", ["true"], {}), errno.ENOSYS)


def main():
    names = [name for name in globals() if name.startswith("check_")]
    done = 0
    for name in names:
        try:
            globals()[name]()
            done += 1
        except BaseException:  # the next check shall run whatever came of this one
            print("failed:", name)
            traceback.print_exc(file=sys.stdout)
    print(f"python {'ok' if done == len(names) else 'failed'}: {done} of {len(names)} checks")
    return done != len(names)


if __name__ == "__main__":
    sys.exit(main())
