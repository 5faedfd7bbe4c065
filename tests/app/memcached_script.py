# SPDX-License-Identifier: Apache-2.0
"""What memcached's text protocol defines, as a script: lines that go in, answers that have to come out.

test_memcached.py runs it against kvstore and against Debian's memcached. Cas uniques are named where they are seen first,
since each server counts in its own way.
"""
import re
import socket

DEADLINE_S = 240
END = re.compile(rb'(?:END|STORED|NOT_STORED|EXISTS|NOT_FOUND|DELETED|TOUCHED|OK|ERROR|RESET|\d+'
                 rb'|(?:CLIENT_ERROR|SERVER_ERROR|VERSION) [^\r\n]*)\r\n')


class Client:
    """One connection; say() sends bytes and reads the answers of so many commands."""

    def __init__(self, address):
        self.sock = socket.create_connection(address, timeout=DEADLINE_S)
        self.file = self.sock.makefile('rb')

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.file.close()
        self.sock.close()

    def answer(self):
        """One answer, data blocks included; b'' at the end of the connection."""
        out = b''
        while True:
            line = self.file.readline()
            out += line
            if line.startswith(b'VALUE '):
                size = int(line.split()[3])
                out += self.file.read(size + 2)
            elif line.startswith(b'STAT '):
                continue
            elif not line or END.fullmatch(line):
                return out
            else:
                raise AssertionError(f'no answer of the protocol: {line!r}')

    def say(self, data, answers=1):
        self.sock.sendall(data)
        return b''.join(self.answer() for _ in range(answers))

    def stats(self):
        return dict(line.split(b' ', 2)[1:] for line in self.say(b'stats\r\n').split(b'\r\n') if line.startswith(b'STAT'))


def store(verb, key, value, flags=0, exptime=0, more=b''):
    return b'%s %s %d %d %d%s\r\n%s\r\n' % (verb, key, flags, exptime, len(value), more, value)


K250, K251 = b'k' * 250, b'k' * 251
BIG = b'v' * 1000000
ALL = bytes(range(256)) * 4

# (what is sent, how many answers are awaited, the answer)
STEPS = [
    (b'get a\r\n', 1, b'END\r\n'),
    (store(b'set', b'a', b'1', 7), 1, b'STORED\r\n'),
    (b'get a\r\n', 1, b'VALUE a 7 1\r\n1\r\nEND\r\n'),
    (b'get  a  b a\r\n', 1, b'VALUE a 7 1\r\n1\r\nVALUE a 7 1\r\n1\r\nEND\r\n'),
    (b'get a\n', 1, b'VALUE a 7 1\r\n1\r\nEND\r\n'),
    (store(b'set', b'flags', b'', 4294967295), 1, b'STORED\r\n'),
    (b'get flags\r\n', 1, b'VALUE flags 4294967295 0\r\n\r\nEND\r\n'),
    (b'set f -1 0 1\r\n', 1, b'CLIENT_ERROR bad command line format\r\n'),
    (b'set f 0 x 1\r\n', 1, b'CLIENT_ERROR bad command line format\r\n'),
    (store(b'add', b'a', b'2'), 1, b'NOT_STORED\r\n'),
    (store(b'add', b'b', b'2'), 1, b'STORED\r\n'),
    (store(b'replace', b'c', b'2'), 1, b'NOT_STORED\r\n'),
    (store(b'replace', b'b', b'22', 3), 1, b'STORED\r\n'),
    (store(b'append', b'b', b'33', 9), 1, b'STORED\r\n'),
    (store(b'prepend', b'b', b'11', 9), 1, b'STORED\r\n'),
    (b'get b\r\n', 1, b'VALUE b 3 6\r\n112233\r\nEND\r\n'),
    (store(b'append', b'none', b'x'), 1, b'NOT_STORED\r\n'),
    (store(b'prepend', b'none', b'x'), 1, b'NOT_STORED\r\n'),
    (store(b'set', b'bin', ALL), 1, b'STORED\r\n'),
    (b'get bin\r\n', 1, b'VALUE bin 0 1024\r\n' + ALL + b'\r\nEND\r\n'),
    # cas
    (store(b'set', b'c', b'x'), 1, b'STORED\r\n'),
    (b'gets c\r\n', 1, b'VALUE c 0 1 <c1>\r\nx\r\nEND\r\n'),
    (b'gets c c\r\n', 1, b'VALUE c 0 1 <c1>\r\nx\r\nVALUE c 0 1 <c1>\r\nx\r\nEND\r\n'),
    (store(b'cas', b'c', b'y', more=b' <c1>'), 1, b'STORED\r\n'),
    (store(b'cas', b'c', b'z', more=b' <c1>'), 1, b'EXISTS\r\n'),
    (store(b'cas', b'nobody', b'z', more=b' <c1>'), 1, b'NOT_FOUND\r\n'),
    (b'gets c\r\n', 1, b'VALUE c 0 1 <c2>\r\ny\r\nEND\r\n'),
    (b'touch c 0\r\n', 1, b'TOUCHED\r\n'),
    (b'gets c\r\n', 1, b'VALUE c 0 1 <c2>\r\ny\r\nEND\r\n'),
    (b'cas c 0 0 1\r\n', 1, b'ERROR\r\n'),
    (b'cas c 0 0 1 x\r\n', 1, b'CLIENT_ERROR bad command line format\r\n'),
    # numbers
    (store(b'set', b'n', b'10', 5), 1, b'STORED\r\n'),
    (b'incr n 5\r\n', 1, b'15\r\n'),
    (b'decr n 6\r\n', 1, b'9\r\n'),
    (b'decr n 100\r\n', 1, b'0\r\n'),
    (b'incr n 18446744073709551615\r\n', 1, b'18446744073709551615\r\n'),
    (b'get n\r\n', 1, b'VALUE n 5 20\r\n18446744073709551615\r\nEND\r\n'),
    (b'incr n 2\r\n', 1, b'1\r\n'),
    (b'incr n 18446744073709551616\r\n', 1, b'CLIENT_ERROR invalid numeric delta argument\r\n'),
    (b'incr n x\r\n', 1, b'CLIENT_ERROR invalid numeric delta argument\r\n'),
    (b'incr n -1\r\n', 1, b'CLIENT_ERROR invalid numeric delta argument\r\n'),
    (b'incr bin 1\r\n', 1, b'CLIENT_ERROR cannot increment or decrement non-numeric value\r\n'),
    (b'incr none 1\r\n', 1, b'NOT_FOUND\r\n'),
    (b'decr none 1\r\n', 1, b'NOT_FOUND\r\n'),
    (b'incr n\r\n', 1, b'ERROR\r\n'),
    # delete
    (b'delete a\r\n', 1, b'DELETED\r\n'),
    (b'delete a\r\n', 1, b'NOT_FOUND\r\n'),
    (b'delete b 0\r\n', 1, b'DELETED\r\n'),
    (b'delete b 5\r\n', 1, b'CLIENT_ERROR bad command line format.  Usage: delete <key> [noreply]\r\n'),
    (b'delete\r\n', 1, b'ERROR\r\n'),
    # expiry
    (store(b'set', b'e', b'x', 0, -1), 1, b'STORED\r\n'),
    (b'get e\r\n', 1, b'END\r\n'),
    (store(b'add', b'e', b'x', 0, 2592000), 1, b'STORED\r\n'),
    (b'get e\r\n', 1, b'VALUE e 0 1\r\nx\r\nEND\r\n'),
    (store(b'set', b'e', b'x', 0, 2592001), 1, b'STORED\r\n'),      # a date of 1970
    (b'get e\r\n', 1, b'END\r\n'),
    (store(b'set', b'e', b'x', 0, 2147483647), 1, b'STORED\r\n'),   # a date of 2038
    (b'get e\r\n', 1, b'VALUE e 0 1\r\nx\r\nEND\r\n'),
    (b'touch e 100\r\n', 1, b'TOUCHED\r\n'),
    (b'gat 100 e none\r\n', 1, b'VALUE e 0 1\r\nx\r\nEND\r\n'),
    (b'gats 0 e\r\n', 1, b'VALUE e 0 1 <e1>\r\nx\r\nEND\r\n'),
    (b'gat x e\r\n', 1, b'CLIENT_ERROR invalid exptime argument\r\n'),
    (b'touch e x\r\n', 1, b'CLIENT_ERROR invalid exptime argument\r\n'),
    (b'touch e -1\r\n', 1, b'TOUCHED\r\n'),
    (b'touch e 0\r\n', 1, b'NOT_FOUND\r\n'),
    (b'touch none 0\r\n', 1, b'NOT_FOUND\r\n'),
    (b'gat 0 none\r\n', 1, b'END\r\n'),
    # limits
    (store(b'set', K250, b'long'), 1, b'STORED\r\n'),
    (b'get ' + K250 + b'\r\n', 1, b'VALUE ' + K250 + b' 0 4\r\nlong\r\nEND\r\n'),
    (b'get ' + K251 + b'\r\n', 1, b'CLIENT_ERROR bad command line format\r\n'),
    (b'set ' + K251 + b' 0 0 1\r\n', 1, b'CLIENT_ERROR bad command line format\r\n'),
    (b'delete ' + K251 + b'\r\n', 1, b'CLIENT_ERROR bad command line format\r\n'),
    (store(b'set', b'big', BIG), 1, b'STORED\r\n'),
    (b'get big big\r\n', 1, (b'VALUE big 0 1000000\r\n' + BIG + b'\r\n') * 2 + b'END\r\n'),
    (store(b'set', b'big', b'v' * 1048577), 1, b'SERVER_ERROR object too large for cache\r\n'),
    (b'get big\r\n', 1, b'END\r\n'),                                # the old value would be stale
    (b'set d 0 0 -1\r\n', 1, b'CLIENT_ERROR bad command line format\r\n'),
    (b'set d 0 0 3\r\nabcXX', 1, b'CLIENT_ERROR bad data chunk\r\n'),
    (b'\r\n', 1, b'ERROR\r\n'),
    (b'get d\r\n', 1, b'END\r\n'),
    # noreply and pipelines
    (store(b'set', b'p', b'1', more=b' noreply') + b'incr p 4 noreply\r\n' + store(b'append', b'p', b'0', more=b' noreply')
     + b'get p\r\n', 1, b'VALUE p 0 2\r\n50\r\nEND\r\n'),
    (b'delete p noreply\r\nget p\r\n', 1, b'END\r\n'),
    (b'touch p 0 noreply\r\ndelete p noreply\r\nverbosity 0 noreply\r\nget p\r\n', 1, b'END\r\n'),
    (b''.join(store(b'set', b'p%d' % i, b'%d' % i) for i in range(500)), 500, b'STORED\r\n' * 500),
    (b'get ' + b' '.join(b'p%d' % i for i in range(500)) + b'\r\n', 1,
     b''.join(b'VALUE p%d 0 %d\r\n%d\r\n' % (i, len(str(i)), i) for i in range(500)) + b'END\r\n'),
    # the rest
    (b'flush_all noreply\r\nget p1\r\n', 1, b'END\r\n'),
    (store(b'set', b'p1', b'1') + b'flush_all 1000\r\nget p1\r\n', 3, b'STORED\r\nOK\r\nVALUE p1 0 1\r\n1\r\nEND\r\n'),
    (b'flush_all\r\n', 1, b'OK\r\n'),
    (b'get p1\r\n', 1, b'END\r\n'),
    (b'verbosity 0\r\n', 1, b'OK\r\n'),
    (b'verbosity\r\n', 1, b'ERROR\r\n'),
    (b'verbosity x noreply\r\nverbosity noreply\r\nverbosity x\r\n', 1, b'CLIENT_ERROR bad command line format\r\n'),
    (b'flush_all x\r\n', 1, b'CLIENT_ERROR invalid exptime argument\r\n'),
    (b'stats reset\r\n', 1, b'RESET\r\n'),
    (b'stats nonsense\r\n', 1, b'ERROR\r\n'),
    (b'get\r\n', 1, b'ERROR\r\n'),
    (b'get \r\n', 1, b'ERROR\r\n'),
    (b'gets\r\n', 1, b'ERROR\r\n'),
    (b'set a\r\n', 1, b'ERROR\r\n'),
    (b'nonsense\r\n', 1, b'ERROR\r\n'),
    (b'GET a\r\n', 1, b'ERROR\r\n'),
    (b'quit\r\n', 1, b''),
]


def run(address):
    """Runs the script; raises at the first answer that is not the protocol's."""
    names = {}

    def named(m):
        number = m.group(3)
        name = names.setdefault(number, b'<%s%d>' % (m.group(2), 1 + sum(n.startswith(b'<' + m.group(2)) for n in names.values())))
        return m.group(1) + name + b'\r\n'

    with Client(address) as c:
        for sent, answers, want in STEPS:
            for number, name in names.items():
                sent = sent.replace(name, number)
            got = c.say(sent, answers)
            if sent.startswith((b'gets', b'gats')):
                got = re.sub(rb'(VALUE (\w+) \d+ \d+ )(\d+)\r\n', named, got)
            if got != want:
                raise AssertionError(f'{sent[:100]!r}: got {got[:200]!r}, want {want[:200]!r}')
    return len(STEPS)
