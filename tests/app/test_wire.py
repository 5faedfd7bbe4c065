# SPDX-License-Identifier: Apache-2.0
"""What the JavaScript originals were seen to send and to answer, byte for byte where it may matter, against ours: for exchanging a service
without the originals at hand (test_original.py has them). First they are the clients: requests in their order, on connections that they
keep. Then they are the servers: a stand-in for registry, queue, storage and broker in their manner, with our programs around it."""
import json
import re
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from app import App, DEADLINE_S, eq, main, multipart, png, request, until

PNG = png('-size', '16x12', 'gradient:red-blue', 'PNG24:-')
BOUNDARY = '--------------------------665220041269696312152795'


class Kept:
    """A connection of theirs: names of headers in lower case, no agent, no type where there is no body, kept for the next request."""

    def __init__(self, endpoint):
        self.endpoint = endpoint
        host, port = endpoint.split(':')
        self.sock = socket.create_connection((host, int(port)), DEADLINE_S)
        self.file = self.sock.makefile('rb')

    def __call__(self, method, path, body=None, type=None):
        head = f'{method} {path} HTTP/1.1\r\nhost: {self.endpoint}\r\n'
        if type == 'application/json':
            head += 'accept: application/json\r\n'
        if type:
            head += f'content-type: {type}\r\n'
        if method == 'POST':
            head += f'content-length: {len(body or b"")}\r\n'
        self.sock.sendall(head.encode() + b'Connection: keep-alive\r\n\r\n' + (body or b''))
        return self.answer()

    def answer(self):
        status, headers = int(self.file.readline().split()[1]), {}
        while (line := self.file.readline().decode().strip()):
            name, _, value = line.partition(': ')
            headers[name.lower()] = value
        eq(headers.get('connection', 'keep-alive'), 'keep-alive')
        return status, self.file.read(int(headers['content-length'])), headers.get('content-type')


def form(data, filename):
    """Their master sends no name of a file, their worker one and a type."""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="image"'
    head += f'; filename="{filename}"\r\nContent-Type: image/png' if filename else '\r\nContent-Type: application/octet-stream'
    return f'{head}\r\n\r\n'.encode() + data + f'\r\n--{BOUNDARY}--\r\n'.encode(), f'multipart/form-data; boundary={BOUNDARY}'


def register(kv, key, value):
    eq(kv('POST', f'/{key}', json.dumps({'value': value}, separators=(',', ':')).encode(), 'application/json')[:2], (200, b''))


def test_services_that_register():
    with App() as app:
        app.kv = app.start('kvstore')
        kv = Kept(app.kv.endpoint)
        for key, port in (('dbendpoint', 9001), ('storageendpoint', 9002), ('masterendpoint', 9003)):
            register(kv, key, f'127.0.0.1:{port}')
            # Asked twice in a row on two connections while the first answer is still coming: so does their master.
            for connection in (kv, Kept(app.kv.endpoint)):
                eq(connection('GET', f'/{key}'), (200, f'127.0.0.1:{port}'.encode(), 'text/html; charset=utf-8'))


def test_their_master():
    """An upload at their master: three requests to our db and storage; then what it relays for their worker."""
    with App() as app:
        app.kv = app.start('kvstore')
        db = Kept(app.start('db').endpoint)
        storage = Kept(app.start('storage', MICRO_STORAGE_DIR=app.path('p')).endpoint)
        eq(db('GET', '/task/next')[:2], (404, b'{"id":-1,"state":0}'))
        eq(db('POST', '/task')[:2], (200, b'0'))
        eq(storage('POST', '/upload/0', *form(PNG, None))[:2], (200, b''))
        eq(db('POST', '/task/0/ready')[:2], (200, b''))
        eq(db('GET', '/task/next'), (200, b'{"id":0,"state":1}', 'application/json; charset=utf-8'))
        eq(storage('GET', '/download/0'), (200, PNG, 'image/png'))
        eq(json.loads(db('GET', '/task/0')[1])['state'], 1)
        # The result comes from their worker, not through master, and is what everybody gets from then on.
        result = png('-size', '16x12', 'gradient:blue-red', 'PNG32:-')
        eq(Kept(storage.endpoint)('POST', '/upload/0', *form(result, '0.png'))[:2], (200, b''))
        eq(db('POST', '/task/0/finish')[:2], (200, b''))
        eq(db('GET', '/task/0')[1], b'{"id":0,"state":2}')
        eq(storage('GET', '/download/0')[1], result)


def test_their_worker_and_page():
    with App() as app:
        app.start_all(workers=0)
        page, worker = Kept(app.master.endpoint), Kept(app.master.endpoint)
        eq(worker('GET', '/task/next')[:2], (404, b'{"id":-1,"state":0}'))
        eq(page('POST', '/task', *form(PNG, None))[:2], (200, b''))
        eq(page('GET', '/task/0/ready')[:2], (200, b'false'))
        eq(worker('GET', '/task/next')[:2], (200, b'{"id":0,"state":1}'))
        eq(worker('GET', '/task/0/download'), (200, PNG, 'image/png'))
        eq(Kept(app.storage.endpoint)('POST', '/upload/0', *form(PNG, '0.png'))[:2], (200, b''))
        eq(worker('POST', '/task/0/finish')[:2], (200, b''))
        eq(page('GET', '/task/0/ready')[:2], (200, b'true'))
        eq(page('GET', '/task/0/download')[0], 200)


class Theirs(BaseHTTPRequestHandler):
    """Their registry, queue, storage and broker behind one port, as far as a wire shows: no tokens, no long poll, no states that are refused,
    the result in the place of the input, arguments that they do not know left aside, an id nowhere but in db's answer."""
    protocol_version = 'HTTP/1.1'
    keys, tasks, pictures, lock = {}, {}, {}, threading.Lock()

    def log_message(self, *words):
        pass

    def reply(self, status, body=b'', type='text/html; charset=utf-8', **more):
        self.send_response(status)
        for name, value in {'X-Powered-By': 'Express', 'Content-Length': len(body), 'Connection': 'keep-alive', 'Keep-Alive': 'timeout=5',
                            **({'Content-Type': type, 'ETag': 'W/"1-x"'} if body else {}), **more}.items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(body)

    def answer(self):
        body = self.rfile.read(int(self.headers.get('Content-Length', 0)))
        words = self.path.partition('?')[0].strip('/').split('/')
        with self.lock:
            getattr(self, f'{self.command.lower()}_{words[0] if len(words) > 1 or words[0] == "task" else "key"}')(words, body)

    do_GET = do_POST = do_DELETE = answer

    def get_key(self, words, body):
        self.reply(200, self.keys[words[0]].encode()) if words[0] in self.keys else self.reply(404, b'Key not found')

    def post_key(self, words, body):
        self.keys.setdefault(words[0], json.loads(body)['value'])
        self.reply(200)

    def delete_key(self, words, body):
        self.reply(404, b'<pre>Cannot DELETE</pre>')

    def task_json(self, task, status=200):
        self.reply(status, json.dumps({'id': task, 'state': self.tasks.get(task, 0)}, separators=(',', ':')).encode(), 'application/json; charset=utf-8')

    def get_task(self, words, body):
        if words[1] == 'next':
            task = next((t for t, state in self.tasks.items() if state == 0), None)
            if task is None:
                return self.task_json(-1, 404)
            self.tasks[task] = 1
            return self.task_json(task)
        task = int(words[1])
        if task not in self.tasks:
            return self.reply(404, b'Task not found')
        if words[2:] == ['download']:
            return self.get_download(['download', words[1]], body)
        if words[2:] == ['ready']:
            return self.reply(200, b'true' if self.tasks[task] == 2 else b'false', 'application/json; charset=utf-8')
        return self.task_json(task)

    def post_task(self, words, body):
        if len(words) == 1:
            self.tasks[len(self.tasks)] = -1
            return self.reply(200, str(len(self.tasks) - 1).encode())
        if words[2] not in ('ready', 'finish'):
            return self.reply(404, b'<pre>Cannot POST</pre>')
        self.tasks[int(words[1])] = {'ready': 0, 'finish': 2}[words[2]]
        self.reply(200)

    def post_upload(self, words, body):
        mark = b'--' + re.search(r'boundary=(.*)', self.headers['Content-Type'])[1].strip('"').encode()
        head, _, rest = body.partition(mark)[2].partition(b'\r\n\r\n')
        if b'name="image"' not in head:
            return self.reply(400, b'Image not found')
        self.pictures[words[1]] = rest.partition(b'\r\n' + mark)[0]
        self.reply(200)

    def get_download(self, words, body):
        if words[1] not in self.pictures:
            return self.reply(404, b'Not Found')
        self.reply(200, self.pictures[words[1]], 'image/png',
                   **{'Content-Disposition': f'attachment; filename="{words[1]}.png"', 'Accept-Ranges': 'bytes'})


class Stand:
    def __enter__(self):
        kind = type('Stand', (Theirs,), {'keys': {}, 'tasks': {}, 'pictures': {}, 'lock': threading.Lock()})
        self.server, self.state = ThreadingHTTPServer(('127.0.0.1', 0), kind), kind
        self.server.daemon_threads = True
        self.endpoint = f'127.0.0.1:{self.server.server_address[1]}'
        threading.Thread(target=self.server.serve_forever).start()
        return self

    def __exit__(self, *failure):
        self.server.shutdown()
        self.server.server_close()


def test_our_programs_around_theirs():
    """Our master, worker and page with their registry, db and storage; then our worker alone with all that is theirs."""
    with Stand() as theirs, App() as app:
        theirs.state.keys.update({'dbendpoint': theirs.endpoint, 'storageendpoint': theirs.endpoint})
        master = app.start('master', theirs.endpoint)
        eq(theirs.state.keys['masterendpoint'], master.endpoint)
        app.start('worker', theirs.endpoint)
        page = app.start('ui', theirs.endpoint)
        body, headers = multipart('image', PNG)
        for task in range(3):
            eq(request(page.endpoint, 'POST', '/upload', body, headers).status, 200)
            until(f'task {task} is done', lambda: master('GET', f'/task/{task}/ready').body == b'true')
            result = master('GET', f'/task/{task}/download').body
            eq(result, theirs.state.pictures[str(task)])
            assert result[:4] == b'\x89PNG' and result != PNG
            assert b'data:image/png;base64,' in page('GET', f'/?taskId={task}').body
        eq(theirs.state.tasks, {0: 2, 1: 2, 2: 2})


def test_our_worker_and_page_with_all_of_theirs():
    with Stand() as theirs, App() as app:
        theirs.state.keys.update({k: theirs.endpoint for k in ('dbendpoint', 'storageendpoint', 'masterendpoint')})
        app.start('worker', theirs.endpoint)
        page = app.start('ui', theirs.endpoint)
        with theirs.state.lock:
            theirs.state.pictures['0'], theirs.state.tasks[0] = PNG, 0
        until('the worker did it', lambda: theirs.state.tasks[0] == 2)
        assert theirs.state.pictures['0'] != PNG
        assert b'data:image/png;base64,' in page('GET', '/?taskId=0').body


if __name__ == '__main__':
    main([test_services_that_register, test_their_master, test_their_worker_and_page, test_our_programs_around_theirs,
          test_our_worker_and_page_with_all_of_theirs])
