# SPDX-License-Identifier: Apache-2.0
"""Every route of the contract's section 2, status, body and content type; the habits of section 1."""
import re
import subprocess
import time

from app import HTML, JSON, App, eq, finished, main, multipart, png, request, until, upload

PNG = png('-size', '8x8', 'gradient:red-blue', 'png:-')


def post_json(service, path, text):
    return service('POST', path, text.encode(), {'Content-Type': 'application/json'})


def check(answer, status, body=None, type=None):
    if answer.status != status or (body is not None and answer.body != body) or \
            (type is not None and answer.headers.get('Content-Type') != type):
        raise AssertionError(f'{answer!r}: want {status} {body!r} {type!r}')
    return answer


def empty(answer, status):
    check(answer, status, b'')
    eq(answer.headers.get('Content-Length'), '0')
    return answer


def test_kvstore():
    with App() as app:
        kv = app.start('kvstore', MICRO_DB_ENDPOINT='10.0.0.9:9001')
        check(kv('GET', '/dbendpoint'), 200, b'10.0.0.9:9001', HTML)
        check(kv('GET', '/a'), 404, b'Key not found', HTML)
        empty(post_json(kv, '/a', '{"value":"1.2.3.4:9001"}'), 200)
        check(kv('GET', '/a'), 200, b'1.2.3.4:9001', HTML)
        empty(post_json(kv, '/a', '{"value":"other"}'), 200)
        check(kv('GET', '/a'), 200, b'1.2.3.4:9001')  # the first write wins
        empty(kv('POST', '/b', b'value=x%20y', {'Content-Type': 'application/x-www-form-urlencoded'}), 200)
        check(kv('GET', '/b'), 200, b'x y')
        check(kv('GET', '/b/'), 200, b'x y')  # trailing slash
        check(kv('GET', '/A'), 404)  # the case of a value's name does matter
        check(post_json(kv, '/c', '{bad'), 400)
        check(post_json(kv, '/c', '"text"'), 400)
        empty(post_json(kv, '/c', '{}'), 200)
        check(kv('GET', '/c'), 404)
        empty(kv('POST', '/c', b'value=x', {'Content-Type': 'text/plain'}), 200)
        check(kv('GET', '/c'), 404)
        check(post_json(kv, '/c', '{"value":"' + 'x' * 110000 + '"}'), 413)
        head = check(kv('HEAD', '/a'), 200, b'')
        eq(head.headers.get('Content-Length'), '12')
        unknown = check(kv('GET', '/a/b'), 404, type=HTML)
        assert b'Cannot GET /a/b' in unknown.body
        assert b'Cannot PUT /a' in kv('PUT', '/a', b'').body
        check(kv('GET', '/%zz'), 400)


def test_kvstore_ttl():
    with App() as app:
        kv = app.start('kvstore')
        post_json(kv, '/k', '{"value":"10.0.0.1:1","ttl":1}')
        post_json(kv, '/k', '{"value":"10.0.0.2:2","ttl":60}')
        check(kv('GET', '/k'), 200, b'10.0.0.1:1')
        eq(kv('GET', '/k?all=1').json(), {'values': ['10.0.0.1:1', '10.0.0.2:2']})
        # The dead holder's key goes to the living one.
        until('the first one has run out', lambda: kv('GET', '/k').body == b'10.0.0.2:2')
        check(kv('DELETE', '/k', b'{"value":"10.0.0.2:2"}', {'Content-Type': 'application/json'}), 200)
        check(kv('GET', '/k'), 404)
        check(post_json(kv, '/k', '{"value":"x","ttl":-1}'), 400)
        check(post_json(kv, '/k', '{"value":"x","ttl":"1"}'), 400)
        # A value for ever is not joined by others.
        post_json(kv, '/f', '{"value":"10.0.0.1:1"}')
        post_json(kv, '/f', '{"value":"10.0.0.2:2","ttl":60}')
        eq(kv('GET', '/f?all=1').json(), {'values': ['10.0.0.1:1']})


def test_db():
    with App() as app:
        db = app.start('db')
        check(db('GET', '/task/next'), 404, b'{"id":-1,"state":0}', JSON)
        check(db('POST', '/task'), 200, b'0', HTML)
        check(db('POST', '/task'), 200, b'1', HTML)
        check(db('GET', '/task/0'), 200, b'{"id":0,"state":-1}', JSON)
        check(db('GET', '/task/7'), 404, b'Task not found', HTML)
        check(db('GET', '/task/x'), 404, b'Task not found')
        empty(db('POST', '/task/1/ready'), 200)
        empty(db('POST', '/task/0/ready'), 200)
        check(db('POST', '/task/9/ready'), 404, b'Task not found', HTML)
        check(db('POST', '/task/9/finish'), 404, b'Task not found', HTML)
        asked = time.time() * 1000
        lease = check(db('GET', '/task/next'), 200, b'{"id":0,"state":1}', JSON)
        answered = time.time() * 1000
        assert re.fullmatch('[0-9a-f]{32}', lease.headers['X-Lease'])
        eq(lease.headers['X-Attempt'], '1')
        ends = int(lease.headers['X-Lease-Expires'])
        assert asked - 1 <= ends - 20000 <= answered + 1, (asked, ends, answered)  # whole milliseconds
        check(db('GET', '/Task/Next/'), 200, b'{"id":1,"state":1}')
        check(db('GET', '/task/0'), 200, b'{"id":0,"state":1}')
        empty(db('POST', '/task/0/finish'), 200)  # without a token, while the lease is valid
        check(db('GET', '/task/0'), 200, b'{"id":0,"state":2}')
        check(db('GET', '/nothing'), 404, type=HTML)


def test_storage():
    with App() as app:
        st = app.start('storage', MICRO_STORAGE_DIR=app.path('p'))
        check(st('GET', '/download/0'), 404)
        empty(upload(st, PNG, '/upload/0'), 200)
        got = check(st('GET', '/download/0'), 200, PNG, 'image/png')
        eq(got.headers['Content-Disposition'], 'attachment; filename="0.png"')
        eq(got.headers['Accept-Ranges'], 'bytes')
        assert got.headers['ETag'] and got.headers['Last-Modified']
        check(st('GET', '/download/0', headers={'If-None-Match': got.headers['ETag']}), 304, b'')
        part = check(st('GET', '/download/0', headers={'Range': 'bytes=1-3'}), 206, b'PNG')
        eq(part.headers['Content-Range'], f'bytes 1-3/{len(PNG)}')
        head = check(st('HEAD', '/download/0'), 200, b'')
        eq(head.headers['Content-Length'], str(len(PNG)))
        empty(upload(st, PNG, '/upload/1', filename=None), 200)  # a file by its type alone
        missing = b'Image not found'
        check(upload(st, PNG, '/upload/2', filename=None, type=None), 400, missing)  # a text field
        check(upload(st, PNG, '/upload/2', filename=None, type='text/plain'), 400, missing)
        body, headers = multipart('other', PNG)
        check(st('POST', '/upload/2', body, headers), 400, missing)
        check(st('POST', '/upload/2', b'{}', {'Content-Type': 'application/json'}), 400, missing)
        check(st('POST', '/upload/2', PNG, {'Content-Type': 'image/png'}), 400, missing)
        check(st('POST', '/upload/2', b'x', {'Content-Type': 'multipart/form-data'}), 400, missing)
        check(st('POST', '/upload/2'), 400, missing)
        body, headers = multipart('image', PNG)
        check(st('POST', '/upload/2', body[:-30], headers), 400, missing)  # cut off
        check(st('GET', '/download/2'), 404)


def test_master():
    with App() as app:
        app.start_all(workers=0)
        master = app.master
        check(master('GET', '/task/next'), 404, b'{"id":-1,"state":0}', JSON)
        check(master('GET', '/task/0/ready'), 404, b'')
        done = empty(upload(master, PNG), 200)
        eq(done.headers['Location'], '/task/0')
        eq(done.headers['X-Task-Id'], '0')
        check(master('GET', '/task/0/ready'), 200, b'false')
        check(master('GET', '/task/0/download'), 200, PNG, 'image/png')
        check(master('GET', '/task/77/download'), 404)
        check(master('POST', '/task'), 400)
        body, headers = multipart('other', PNG)
        check(master('POST', '/task', body, headers), 400)
        lease = check(master('GET', '/task/next'), 200, b'{"id":0,"state":1}', JSON)
        assert lease.headers['X-Lease']
        check(master('POST', '/task/0/finish', headers={'X-Lease': 'f' * 32}), 409)
        empty(master('POST', '/task/0/finish', headers={'X-Lease': lease.headers['X-Lease']}), 200)
        check(master('GET', '/task/0/ready'), 200, b'true')
        check(master('POST', '/task/77/finish'), 404, b'Task not found', HTML)
        assert b'Cannot GET /x' in check(master('GET', '/x'), 404, type=HTML).body


def test_master_errors():
    """db away: 500 "Error creating task: ..."; storage away: 500 "Error uploading image: ..."."""
    with App() as app:
        app.kv = app.start('kvstore')
        master = app.start('master', MICRO_MASTER_RETRY_MS='0')
        assert check(upload(master, PNG), 500, type=HTML).text.startswith('Error creating task: ')
        app.start('db')
        failed = until('db is found', lambda: (lambda a: a if a.text.startswith('Error uploading image: ') else None)(
            upload(master, PNG)))
        eq(failed.status, 500)
        app.start('storage', MICRO_STORAGE_DIR=app.path('p'))
        until('storage is found', lambda: upload(master, PNG).status == 200)


def test_ui():
    with App() as app:
        app.start_all(workers=1)
        ui = app.start('ui')
        form = check(ui('GET', '/upload'), 200, type=HTML)
        assert b'name="image"' in form.body and b'multipart/form-data' in form.body
        assert b'NO RESULT FOUND!' in check(ui('GET', '/?taskId=0'), 200, type=HTML).body
        assert b'NO RESULT FOUND!' in check(ui('GET', '/?taskId=%3Cscript%3E'), 200).body
        assert b'<script>alert' not in ui('GET', '/?taskId=%3Cscript%3Ealert(1)').body
        sent = empty(upload(ui, PNG, '/upload'), 200)
        task = sent.headers['X-Task-Id']
        finished(app, task)
        page = check(ui('GET', f'/?taskId={task}'), 200, type=HTML).text
        import base64
        picture = re.search(r'src="data:image/png;base64,([^"]+)"', page).group(1)
        eq(base64.b64decode(picture, validate=True), app.master('GET', f'/task/{task}/download').body)
        check(ui('POST', '/upload'), 400)
        static = app.start('ui', app.kv.endpoint, MICRO_MASTER_ENDPOINT=f'http://{app.master.endpoint}')
        assert b'data:image/png' in static('GET', f'/?taskId={task}').body


def test_arguments():
    with App() as app:
        app.kv = app.start('kvstore')
        for name in ('kvstore', 'db', 'storage', 'master', 'worker', 'ui'):
            from app import DIR
            out = subprocess.run([f'{DIR}/{name}', '--help'], capture_output=True, text=True)
            eq(out.returncode, 0)
            assert 'usage:' in out.stdout and 'PORT' in out.stdout, out.stdout
            out = subprocess.run([f'{DIR}/{name}', '--version'], capture_output=True, text=True)
            assert re.fullmatch(rf'{name} \d+\.\d+\.\d+\n', out.stdout), out.stdout
            for bad in (['--nonsense'], ['a', 'b', 'c'], ['not-an-address']):
                out = subprocess.run([f'{DIR}/{name}', *bad], capture_output=True, text=True)
                eq(out.returncode, 2)
        # PORT is the second choice, the registry's variable stands for the argument.
        s = app.start('db', '127.0.0.1:1', MICRO_DB_PORT='0', PORT='1', port=False)
        s.stop()
        s = app.start('storage', app.kv.endpoint)
        until('registered', lambda: app.kv('GET', '/storageendpoint').text == s.endpoint)
        # MICRO_REGISTRY comes before the variable that the originals read, and the argument before both.
        kv, app.kv = app.kv, None
        s = app.start('db', MICRO_REGISTRY=f'kvstore://{kv.endpoint}', MICRO_KEYVALUESTORE_ENDPOINT='127.0.0.1:1')
        until('registered', lambda: kv('GET', '/dbendpoint').text == s.endpoint)
        s = app.start('master', kv.endpoint, MICRO_REGISTRY='kvstore://127.0.0.1:1')
        until('registered', lambda: kv('GET', '/masterendpoint').text == s.endpoint)


def test_keep_alive():
    import http.client
    with App() as app:
        kv = app.start('kvstore')
        host, port = kv.endpoint.split(':')
        conn = http.client.HTTPConnection(host, int(port))
        for _ in range(20):
            conn.request('POST', '/a', b'{"value":"v"}', {'Content-Type': 'application/json'})
            eq(conn.getresponse().read(), b'')
            conn.request('GET', '/missing')
            eq(conn.getresponse().read(), b'Key not found')
        sock = conn.sock
        conn.request('POST', '/a', b'x' * 200000, {'Content-Type': 'application/json'})
        eq(conn.getresponse().read() and conn.sock, sock)  # refused, and still the same connection
        conn.request('GET', '/a')
        eq(conn.getresponse().read(), b'v')
        conn.close()
        eq(request(kv.endpoint, 'GET', '/metrics').status, 200)


if __name__ == '__main__':
    main([test_kvstore, test_kvstore_ttl, test_db, test_storage, test_master, test_master_errors, test_ui, test_arguments,
          test_keep_alive])
