# SPDX-License-Identifier: Apache-2.0
"""Load on the picture application while its parts are killed, and the account at the end: of each picture that was accepted (200 to its
upload) the input is there byte for byte, its task is finished, and the result is its exact inverse, pixel for pixel; each was accepted once.

A client repeats an upload that had no answer with the same Idempotency-Key, as a real one would. Kills are spread by progress (so many
pictures accepted since the last one), not by time alone, so that a slow machine is killed as often per picture as a fast one.
"""
import random
import struct
import threading
import time
import zlib

from app import eq, multipart, request, until

WIDTH, HEIGHT = 24, 16
CLIENTS = 4
STEP_PICTURES = 12  # at most so many are accepted between two kills ...
STEP_S = 2  # ... or as long
TIMEOUT_S = 15
PNG_HEAD = b'\x89PNG\r\n\x1a\n'


def chunk(kind, data):
    return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))


def pixels_of(number):
    return random.Random(number).randbytes(WIDTH * HEIGHT * 3)


def picture(number):
    """A PNG (RGB, 8 bits) like no other number's."""
    raw, row = pixels_of(number), WIDTH * 3
    rows = b''.join(b'\0' + raw[i * row:(i + 1) * row] for i in range(HEIGHT))
    return (PNG_HEAD + chunk(b'IHDR', struct.pack('>IIBBBBB', WIDTH, HEIGHT, 8, 2, 0, 0, 0)) +
            chunk(b'IDAT', zlib.compress(rows)) + chunk(b'IEND', b''))


def paeth(a, b, c):
    p = a + b - c
    pa, pb, pc = abs(p - a), abs(p - b), abs(p - c)
    return a if pa <= pb and pa <= pc else b if pb <= pc else c


def decode(png):
    """Pixels of such a PNG, whatever its filters and chunks; any other is an error."""
    eq(png[:8], PNG_HEAD)
    at, data, row = 8, b'', WIDTH * 3
    while at < len(png):
        size, kind = struct.unpack('>I4s', png[at:at + 8])
        body = png[at + 8:at + 8 + size]
        eq(struct.unpack('>I', png[at + 8 + size:at + 12 + size])[0], zlib.crc32(kind + body))
        if kind == b'IHDR':
            eq(struct.unpack('>IIBBBBB', body), (WIDTH, HEIGHT, 8, 2, 0, 0, 0))
        elif kind == b'IDAT':
            data += body
        at += 12 + size
    raw, out, above = zlib.decompress(data), bytearray(), bytes(row)
    eq(len(raw), HEIGHT * (row + 1))
    for y in range(HEIGHT):
        how, line = raw[y * (row + 1)], bytearray(raw[y * (row + 1) + 1:(y + 1) * (row + 1)])
        for x in range(row):
            left, upper = line[x - 3] if x >= 3 else 0, above[x]
            corner = above[x - 3] if x >= 3 else 0
            add = (0, left, upper, (left + upper) // 2, paeth(left, upper, corner))[how]
            line[x] = (line[x] + add) & 255
        out += line
        above = bytes(line)
    return bytes(out)


class Load:
    """Clients that upload one picture after the other; accepted[number] is its task."""

    def __init__(self, target, seed):
        self.target, self.seed = target, seed
        self.accepted, self.repeated, self.errors = {}, 0, []
        self.lock, self.stopping, self.next = threading.Lock(), False, 0
        self.threads = [threading.Thread(target=self.client) for _ in range(CLIENTS)]
        for t in self.threads:
            t.start()

    def client(self):
        try:
            while True:
                with self.lock:
                    if self.stopping:
                        return
                    number, self.next = self.next, self.next + 1
                self.upload(number)
        except BaseException as e:  # noqa: B902
            self.errors.append(e)

    def upload(self, number):
        body, headers = multipart('image', picture(number))
        headers['Idempotency-Key'] = f's{self.seed}:{number}'
        end = time.monotonic() + 240
        while True:
            try:
                answer = request(self.target.master(), 'POST', '/task', body, headers, timeout=TIMEOUT_S)
            except (OSError, ValueError, self.target.BROKEN):
                answer = None
            if answer is not None and answer.status == 200:
                with self.lock:
                    self.accepted[number] = int(answer.headers['X-Task-Id'])
                return
            if answer is not None and answer.status not in (500, 502, 503):
                raise AssertionError(f'picture {number}: {answer}')
            if time.monotonic() > end:
                raise AssertionError(f'picture {number} is not accepted: {answer}')
            with self.lock:
                self.repeated += 1
            self.target.failed()
            time.sleep(0.02)  # a client that insists, but does not flood

    def stop(self):
        """No new pictures; those on their way are insisted on."""
        self.stopping = True
        for t in self.threads:
            t.join()
        if self.errors:
            raise self.errors[0]


def kill_under(load, target, rng, seconds):
    """Kills until the time is over, and in any case those that come first. How often each was killed."""
    kills, first, end = {}, list(target.FIRST), time.monotonic() + seconds
    while first or time.monotonic() < end:
        goal, patience = len(load.accepted) + rng.randint(1, STEP_PICTURES), time.monotonic() + STEP_S
        patience = patience if first else min(patience, end)
        while len(load.accepted) < goal and time.monotonic() < patience and not load.errors:
            time.sleep(0.005)
        if load.errors:
            raise load.errors[0]
        victim = first.pop(0) if first else rng.choice(target.VICTIMS)
        target.kill(victim)
        kills[victim] = kills.get(victim, 0) + 1
    return kills


def account(load, target):
    """Every accepted picture, one by one. Raises what is wrong."""
    tasks = load.accepted
    eq(len(set(tasks.values())), len(tasks))
    left = set(tasks.values())

    def all_done():
        for task in sorted(left):
            if target.state(task) != 2:
                return False
            left.discard(task)
        return True

    until('every accepted task is finished', all_done)
    wrong = []
    for number, task in sorted(tasks.items()):
        sent = target.download(task, 'input')
        result = target.download(task, 'result')
        if sent != picture(number):
            wrong.append(f'task {task}: the input is not picture {number}')
        elif decode(result) != bytes(255 - b for b in pixels_of(number)):
            wrong.append(f'task {task}: the result is not the inverse of picture {number}')
    if wrong:
        raise AssertionError('; '.join(wrong))


def run(target, seed, seconds):
    rng = random.Random(seed)
    print(f'seed {seed}, {seconds:g} s', flush=True)
    load = Load(target, seed)
    try:
        kills = kill_under(load, target, rng, seconds)
    finally:
        load.stop()
    target.recover()
    account(load, target)
    # Each picture is one task, however often its client had to ask, and none died.
    eq({k: v for k, v in target.counts().items() if v}, {'finished': len(load.accepted)})
    assert len(load.accepted) > 0 and kills, (len(load.accepted), kills)
    print(f'{len(load.accepted)} pictures accepted, none lost, none wrong; {sum(kills.values())} kills '
          f'({", ".join(f"{k} {n}" for k, n in sorted(kills.items()))}); {load.repeated} uploads repeated', flush=True)
