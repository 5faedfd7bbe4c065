# SPDX-License-Identifier: Apache-2.0
"""The thirteen faults of the originals (section 3 of the contract), each shown to be absent."""
import json
import os
import re
import signal
import socket
import sys
import time

from app import App, Background, eq, finished, main, multipart, parallel, png, quote, until, upload

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), '..'))
import promtool  # noqa: E402

PNG = png('-size', '16x16', 'gradient:red-blue', 'png:-')


def lease_of(answer):
    return {'X-Lease': answer.headers['X-Lease']}


def ready_task(db):
    task = db('POST', '/task').text
    eq(db('POST', f'/task/{task}/ready').status, 200)
    return task


def test_1_parallel_uploads():
    """8 at a time, each finishes, each with its own picture; a bad upload harms nobody."""
    pictures = [png('-size', '16x16', f'xc:#{i:02x}4080', 'png:-') for i in range(8)]
    with App() as app:
        app.start_all(workers=2)
        answers = parallel(8, lambda i: upload(app.master, pictures[i]))
        eq([a.status for a in answers], [200] * 8)
        ids = [a.headers['X-Task-Id'] for a in answers]
        eq(sorted(map(int, ids)), list(range(8)))
        for i, task in enumerate(ids):
            finished(app, task)
            eq(app.master('GET', f'/task/{task}/download?kind=input').body, pictures[i])
        eq(app.master('POST', '/task').status, 400)
        eq(app.master('GET', '/healthz').status, 200)


def test_2_start_race():
    """master, worker and ui first, the registry last."""
    with App() as app, socket.socket() as place:
        place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        place.bind(('127.0.0.1', 0))  # kept, so that the kernel gives its port to nobody else; who asks for it by name may listen there
        endpoint = f'127.0.0.1:{place.getsockname()[1]}'
        worker = app.start('worker', endpoint, MICRO_WORKER_PORT='0')
        master = app.start('master', endpoint, port=False, MICRO_MASTER_PORT='0', MICRO_MASTER_RETRY_MS='0')
        db = app.start('db', endpoint, port=False, MICRO_DB_PORT='0')
        until('they have seen that it is not there', lambda: 'does not answer' in db.output() or db.port() is None)
        app.kv = app.start('kvstore', MICRO_KEYVALUESTORE_PORT=endpoint.split(':')[1])
        app.master = master.ready()
        eq(app.kv('GET', '/storageendpoint').status, 404)
        app.start('storage', endpoint)
        task = until('uploads work', lambda: upload(master, PNG).headers.get('X-Task-Id'))
        finished(app, task)
        eq(worker('GET', '/healthz').status, 200)


def test_3_lease_tokens():
    with App(memory=True) as app:
        env = {'MICRO_DB_PATH': app.path('db'), 'MICRO_DB_BACKOFF_MS': '1', 'MICRO_DB_BACKOFF_MAX_MS': '1'}
        db = app.start('db', MICRO_DB_LEASE_MS='3600000', **env)
        task, other = ready_task(db), db('POST', '/task').text
        kept = db('GET', '/task/next?worker=w0')
        eq((kept.json()['id'], db('GET', f'/task/{task}').headers['X-Worker']), (int(task), 'w0'))
        eq(db('GET', '/task/next').status, 404)
        eq(db('POST', f'/task/{task}/finish', headers=lease_of(kept)).status, 200)
        eq(db('POST', f'/task/{other}/ready').status, 200)
        # One that is short, of a db that gives no others; what comes after it is the next one's, whose leases no load outlasts.
        eq(db.stop(), 0)
        db = app.start('db', MICRO_DB_LEASE_MS='500', **env)
        task, first = other, db('GET', '/task/next?worker=w1')
        eq((first.status, first.json()['id']), (200, int(task)))
        eq(db.stop(), 0)
        db = app.start('db', MICRO_DB_LEASE_MS='3600000', **env)
        second = until('the lease runs out', lambda: (lambda a: a if a.status == 200 else None)(
            db('GET', '/task/next?wait=5&worker=w2')))
        eq(second.headers['X-Attempt'], '2')
        eq(db('POST', f'/task/{task}/finish', headers=lease_of(first)).status, 409)
        eq(db('POST', f'/task/{task}/renew', headers=lease_of(first)).status, 409)
        eq(db('POST', f'/task/{task}/fail', headers=lease_of(first)).status, 409)
        eq(db('POST', f'/task/{task}/finish', headers={'X-Lease': ''}).status, 409)
        eq(db('POST', f'/task/{task}/finish', headers=lease_of(second)).status, 200)
        eq(db('POST', f'/task/{task}/finish', headers=lease_of(second)).status, 200)  # the answer was lost, asked again
        eq(db('POST', f'/task/{task}/finish', headers=lease_of(first)).status, 409)
        eq(db('POST', f'/task/{task}/finish').status, 409)


def test_3_renewal_keeps_the_lease():
    """Where it was not renewed in time, which a busy machine can do, it has run out and another task shows it."""
    with App(memory=True) as app:
        db = app.start('db', MICRO_DB_PATH=app.path('db'), MICRO_DB_LEASE_MS='1000', MICRO_DB_BACKOFF_MS='3600000', MICRO_DB_BACKOFF_MAX_MS='3600000')

        def kept():
            task, begin = ready_task(db), time.monotonic()
            renewed, lease = begin, lease_of(db('GET', '/task/next'))
            while True:
                asked = time.monotonic()
                over = asked > begin + 3  # three times the lease
                answer = db('POST', f'/task/{task}/{"finish" if over else "renew"}', headers=lease)
                if answer.status == 409 and time.monotonic() - renewed >= 1:
                    return False
                eq(answer.status, 200)
                if over:
                    return True
                before, renewed = renewed, asked
                other = db('GET', '/task/next')
                if other.status == 200 and time.monotonic() - before >= 1:
                    return False
                eq(other.status, 404)

        while not kept():
            pass


def test_4_guards():
    with App() as app:
        db = app.start('db')
        task = db('POST', '/task').text
        for verb in ('finish', 'renew', 'fail'):
            eq(db('POST', f'/task/{task}/{verb}').status, 409)
        eq(db('POST', f'/task/{task}/ready').status, 200)
        eq(db('POST', f'/task/{task}/finish').status, 409)
        eq(db('POST', f'/task/{task}/ready').status, 200)  # the original master repeats it
        eq(db('GET', f'/task/{task}').json()['state'], 0)
        eq(db('GET', '/task/next').status, 200)
        eq(db('POST', f'/task/{task}/ready').status, 200)  # so it does here; the lease stays
        eq(db('GET', f'/task/{task}').json()['state'], 1)
        eq(db('POST', f'/task/{task}/finish').status, 200)
        eq(db('POST', f'/task/{task}/ready').status, 409)
        eq(db('GET', f'/task/{task}').json()['state'], 2)


def test_5_result_apart():
    other = png('-size', '16x16', 'xc:green', 'png:-')
    with App() as app:
        st = app.start('storage', MICRO_STORAGE_DIR=app.path('p'))
        eq(upload(st, PNG, '/upload/0').status, 200)
        eq(st('GET', '/download/0').body, PNG)
        eq(st('GET', '/download/0?kind=result').status, 404)
        eq(upload(st, other, '/upload/0', filename='0.png').status, 200)  # as the original worker does
        eq(st('GET', '/download/0').body, other)
        eq(st('GET', '/download/0?kind=input').body, PNG)
        eq(st('GET', '/download/0?kind=result').body, other)
        eq(upload(st, PNG, '/upload/1?kind=result').status, 200)
        eq(st('GET', '/download/1?kind=input').status, 404)
        eq(st('GET', '/download/1?kind=nonsense').status, 404)
        eq(upload(st, PNG, '/upload/1?kind=nonsense').status, 400)


def test_6_restart_keeps_the_queue():
    with App() as app:
        app.start_all(workers=0)
        ids = [upload(app.master, PNG).headers['X-Task-Id'] for _ in range(3)]
        eq(ids, ['0', '1', '2'])
        leased = app.master('GET', '/task/next')
        app.db.proc.kill()
        app.db.proc.wait()
        app.db = app.start('db', MICRO_DB_PATH=app.path('db'))
        eq(app.db('GET', '/task/1').json()['state'], 0)
        eq(app.db('GET', '/task/0').json()['state'], 1)
        # The new address is found, the old token still counts, ids go on.
        eq(app.master('POST', '/task/0/finish', headers=lease_of(leased)).status, 200)
        eq(upload(app.master, PNG).headers['X-Task-Id'], '3')
        eq(app.storage.stop(), 0)
        app.storage = app.start('storage', MICRO_STORAGE_DIR=app.path('pictures'))
        eq(app.master('GET', '/task/1/download').body, PNG)
        # A registry that lost everything is filled again by the heartbeats.
        port = app.kv.endpoint.split(':')[1]
        app.kv.proc.kill()
        app.kv.proc.wait()
        app.kv = app.start('kvstore', MICRO_KEYVALUESTORE_PORT=port)
        until('all are registered again', lambda: all(
            app.kv('GET', f'/{k}endpoint').status == 200 for k in ('db', 'storage', 'master')))


def test_6_ids_never_repeat():
    """Not even when the highest one was collected as an orphan before the restart."""
    with App() as app:
        env = {'MICRO_DB_PATH': app.path('db'), 'MICRO_DB_ORPHAN_MS': '100'}
        db = app.start('db', **env)
        eq(db('POST', '/task').text, '0')
        until('the orphan is gone', lambda: db('GET', '/task/0').status == 404)
        eq(db.stop(), 0)
        db = app.start('db', **env)
        eq(db('POST', '/task').text, '1')


def test_7_traversal_and_types():
    with App() as app:
        secret = app.path('secret.png')
        with open(secret, 'wb') as f:
            f.write(PNG)
        st = app.start('storage', MICRO_STORAGE_DIR=app.path('p'), MICRO_STORAGE_MAX_BYTES='5000')
        before = sorted(os.listdir(app.dir))
        for bad in ('../secret', '..%2fsecret', '%2e%2e%2fsecret', '1%00', '-1', 'x', '1' * 19, '0x1', ' 1', '1.png', '%F0'):
            assert upload(st, PNG, f'/upload/{quote(bad) if "%" not in bad and "/" not in bad else bad}').status in (400, 404)
            assert st('GET', f'/download/{quote(bad) if "%" not in bad and "/" not in bad else bad}').status in (400, 404)
        for data in (b'GIF89a' + b'x' * 100, b'', PNG[:7], PNG[:20], b'\x89PNG\r\n\x1a\n' + b'\0' * 100, b'<svg/>'):
            eq(upload(st, data, '/upload/1').status, 415)
        eq(upload(st, PNG + b'\0' * 5000, '/upload/1').status, 413)
        eq(st('GET', '/download/1').status, 404)
        eq(upload(st, PNG, '/upload/' + '9' * 18).status, 200)
        eq(os.listdir(app.path('p')), ['9' * 18 + '.in'])  # and nothing temporary
        eq(sorted(os.listdir(app.dir)), before)


def test_7_crash_leftovers():
    with App() as app:
        os.mkdir(app.path('p'))
        with open(app.path('p/.new-1-1'), 'wb') as f:
            f.write(b'half')
        st = app.start('storage', MICRO_STORAGE_DIR=app.path('p'))
        eq(os.listdir(app.path('p')), [])
        eq(st('GET', '/healthz').status, 200)


def test_7_damaged_picture():
    """One flipped bit, a lost tail, bytes behind it: an error that names the task, never the picture; the others are there."""
    with App() as app:
        st = app.start('storage', MICRO_STORAGE_DIR=app.path('p'))
        for task in range(4):
            eq(upload(st, PNG, f'/upload/{task}').status, 200)
        eq(upload(st, PNG, '/upload/0?kind=result').status, 200)

        def change(name, how):
            with open(app.path(f'p/{name}'), 'r+b') as f:
                data = f.read()
                f.seek(0)
                f.truncate()
                f.write(how(data))

        change('0.out', lambda d: d[:40] + bytes([d[40] ^ 1]) + d[41:])
        change('1.in', lambda d: d[:-1])
        change('2.in', lambda d: d + b'x')
        for task in range(3):
            answer = st('GET', f'/download/{task}')
            eq((answer.status, answer.text), (500, 'Image is damaged'))
        assert 'msg="a picture is damaged" task=0 kind=result' in st.output()
        eq(st('GET', '/download/0?kind=input').body, PNG)  # not given out by itself: it is not what was asked for
        eq(st('GET', '/download/3', headers={'Range': 'bytes=1-3'}).body, PNG[1:4])
        eq(st('GET', '/download/3', headers={'Range': f'bytes={len(PNG)}-'}).status, 416)
        eq(st.metric('storage_damaged_total'), 3)
        eq(upload(st, PNG, '/upload/1?kind=input').status, 200)  # stored again, it is whole
        eq(st('GET', '/download/1').body, PNG)


def test_7_jpeg():
    jpeg = png('-size', '16x16', 'gradient:red-blue', 'jpg:-')
    with App() as app:
        st = app.start('storage', MICRO_STORAGE_DIR=app.path('p'))
        eq(upload(st, jpeg, '/upload/5', filename='a.jpg', type='image/jpeg').status, 200)
        answer = st('GET', '/download/5')
        eq((answer.body, answer.headers['Content-Type']), (jpeg, 'image/jpeg'))
        assert '5.jpg' in answer.headers['Content-Disposition']


def test_7_one_owner():
    """A second storage on the same folder ends at once and touches nothing."""
    with App() as app:
        app.start('storage', MICRO_STORAGE_DIR=app.path('p'))
        other = app.start('storage', port=False, MICRO_STORAGE_DIR=app.path('p'), MICRO_STORAGE_PORT='0')
        eq(other.proc.wait(), 1)
        assert 'another storage has the folder' in other.output()


def test_8_no_scan():
    """SQLite counts the rows that it steps over for want of an index: none, with tasks in every state."""
    with App() as app:
        db = app.start('db', MICRO_DB_MAX_ATTEMPTS='1')

        def work(i):
            for _ in range(40):
                task = db('POST', '/task').text
                db('POST', f'/task/{task}/ready')
            for n in range(20):
                answer = db('GET', '/task/next')
                verb = ('finish', 'renew', 'fail')[n % 3]
                eq(db('POST', f'/task/{answer.json()["id"]}/{verb}', headers=lease_of(answer)).status, 200)

        parallel(8, work)
        eq(db.metric('tasks'), 320)
        eq(len(db('GET', '/dead').json()['tasks']), 48)
        eq(db.metric('queue_scan_steps_total'), 0)


def test_9_poison():
    """A picture that always fails does not starve the others, and ends among the dead: listed, retried, purged. What another
    attempt cannot mend is dead after one; what may be mended, after all."""
    broken = PNG[:-30]
    with App() as app:
        app.start_all(workers=1, db={'MICRO_DB_BACKOFF_MS': '10', 'MICRO_DB_BACKOFF_MAX_MS': '20', 'MICRO_DB_MAX_ATTEMPTS': '3'})
        bad = upload(app.master, broken).headers['X-Task-Id']
        good = [upload(app.master, PNG).headers['X-Task-Id'] for _ in range(3)]
        for task in good:
            finished(app, task)
        dead = until('it is dead', lambda: app.db('GET', '/dead').json()['tasks'])
        eq([t['id'] for t in dead], [int(bad)])
        eq(dead[0]['attempts'], 1)
        assert 'picture' in dead[0]['reason'], dead
        eq(app.db('POST', '/dead/99/retry').status, 404)
        eq(app.db('POST', f'/dead/{bad}/retry').json(), {'changed': 1})
        until('it died again', lambda: app.db('GET', '/dead').json()['total'] == 1)
        eq(app.db('DELETE', f'/dead/{bad}').json(), {'changed': 1})
        eq(app.db('GET', '/dead').json(), {'tasks': [], 'total': 0})
        eq(app.db('GET', f'/task/{bad}').status, 404)
    with App() as app:
        db = app.start('db', MICRO_DB_BACKOFF_MS='10', MICRO_DB_BACKOFF_MAX_MS='20', MICRO_DB_MAX_ATTEMPTS='3')
        task = ready_task(db)
        for attempt in range(3):
            answer = db('GET', '/task/next?wait=10')
            eq((answer.status, answer.headers['X-Attempt']), (200, str(attempt + 1)))
            eq(db('POST', f'/task/{task}/fail', b'the disk is full', lease_of(answer)).status, 200)
        eq([(t['id'], t['attempts']) for t in db('GET', '/dead').json()['tasks']], [(int(task), 3)])


def test_9_orphans():
    with App() as app:
        db = app.start('db', MICRO_DB_ORPHAN_MS='1000')
        task, kept = db('POST', '/task').text, ready_task(db)
        until('the orphan is collected', lambda: db('GET', f'/task/{task}').status == 404)
        eq(db('GET', f'/task/{kept}').json()['state'], 0)


def test_9_priorities_and_delays():
    with App() as app:
        db = app.start('db')
        ready = []
        for query in ('', '?priority=9', '?delay=60000', '?priority=3'):
            ready.append(db('POST', f'/task{query}', headers={'X-Task-Params': 'op=blur'}).text)
            eq(db('POST', f'/task/{ready[-1]}/ready').status, 200)
        order = [db('GET', '/task/next') for _ in range(4)]
        eq([a.status for a in order], [200, 200, 200, 404])
        eq([a.json()['id'] for a in order[:3]], [1, 3, 0])
        eq(order[0].headers['X-Task-Params'], 'op=blur')
        eq([t['state'] for t in db('GET', '/tasks?ids=0,1,2,77').json()['tasks']], ['leased', 'leased', 'delayed'])
        for bad in ('?priority=10', '?priority=x', '?delay=-1', '?delay=99999999999999'):
            eq(db('POST', f'/task{bad}').status, 400)
        for bad in ('/tasks', '/tasks?ids=', '/tasks?ids=1,,2', '/tasks?ids=' + ','.join('1' * 101), '/dead?after=x'):
            eq(db('GET', bad).status, 400)
        eq(db('POST', '/task', headers={'X-Task-Params': 'a b'}).status, 400)


def test_9_idempotency_key():
    """The same key is the same task, across restarts and for those who ask at the same time."""
    with App() as app:
        db = app.start('db', MICRO_DB_PATH=app.path('db'))
        key = {'Idempotency-Key': 'order:4711'}
        answers = parallel(8, lambda i: db('POST', '/task', headers=key))
        eq({(a.status, a.text, a.headers['X-Task-State']) for a in answers}, {(200, '0', '-1')})
        eq(db('POST', '/task/0/ready').status, 200)
        eq(db.stop(signal.SIGKILL), -9)
        db = app.start('db', MICRO_DB_PATH=app.path('db'))
        again = db('POST', '/task', headers=key)
        eq((again.text, again.headers['X-Task-State']), ('0', '0'))
        eq(db('POST', '/task', headers={'Idempotency-Key': 'another'}).text, '1')
        for bad in ('', 'a b', 'x' * 65):
            eq(db('POST', '/task', headers={'Idempotency-Key': bad}).status, 400)


def test_10_head_takes_no_lease():
    with App() as app:
        app.start_all(workers=0)
        upload(app.master, PNG)
        for _ in range(3):
            eq(app.db('HEAD', '/task/next').status, 200)
            eq(app.master('HEAD', '/task/next').status, 200)
        eq(app.db('GET', '/task/0').json()['state'], 0)
        answer = app.master('GET', '/task/next')
        eq((answer.status, answer.headers['X-Attempt']), (200, '1'))
        eq(app.db('HEAD', '/task/next').status, 404)


def test_11_long_poll():
    with App() as app:
        app.start_all(workers=0)
        polls = [Background(app.master, 'GET', '/task/next?wait=60&worker=w') for _ in range(3)]
        until('three wait', lambda: app.db.metric('queue_waiters') == 3)
        for _ in range(3):
            upload(app.master, PNG)
        answers = [p.result() for p in polls]
        eq(sorted(a.json()['id'] for a in answers), [0, 1, 2])
        # Those who wait for the end of a task hear of it at once; in vain: its state, after their time. Nobody else's end wakes them.
        ends = []
        watch = [Background(lambda t=t, wait=wait: ends.append(
            (t, app.db('GET', f'/task/{t}?wait={wait}').json()['state']))) for t, wait in ((0, 60), (1, 60), (2, 1))]
        until('three watch', lambda: app.db.metric('queue_watchers') == 3 or ends)
        lease = {a.json()['id']: lease_of(a) for a in answers}
        eq(app.master('POST', '/task/0/finish', headers=lease[0]).status, 200)
        eq(app.master('POST', '/task/1/fail', b'broken', {**lease[1], 'X-Final': '1'}).status, 200)
        for t in watch:
            t.result()
        eq(sorted(ends), [(0, 2), (1, 3), (2, 1)])
        eq(app.db('GET', '/task/0?wait=60').json()['state'], 2)
        eq(app.db('GET', '/task/9?wait=60').status, 404)
        # One who waits in vain is told so in the old words; one who goes away takes nothing along.
        eq(app.master('GET', '/task/next?wait=1').body, b'{"id":-1,"state":0}')
        host, port = app.master.endpoint.split(':')
        sock = socket.create_connection((host, int(port)))
        sock.sendall(b'GET /task/next?wait=60 HTTP/1.1\r\nHost: x\r\n\r\n')
        until('it waits', lambda: app.db.metric('queue_waiters') == 1)
        sock.close()
        until('it has gone', lambda: app.db.metric('queue_waiters') == 0)
        task = upload(app.master, PNG).headers['X-Task-Id']
        eq(app.master('GET', '/task/next').json()['id'], int(task))


def test_11_ready_waits():
    """master and ui tell who asks with ?wait when a task is finished or dead, and after the time that it is not; without, at once as always."""
    with App() as app:
        app.start_all(workers=0)
        ui = app.start('ui')
        for _ in range(3):
            upload(app.master, PNG)
        lease = [lease_of(app.master('GET', '/task/next')) for _ in range(2)]
        ends = {}

        def ask(service, path):
            answer = service('GET', path)
            ends[path] = (answer.status, answer.body, app.db('GET', '/task/' + re.search(r'[0-9]+', path)[0]).json()['state'])

        paths = [(app.master, '/task/0/ready?wait=60'), (ui, '/ready?taskId=0&wait=60'), (app.master, '/task/1/ready?wait=60'),
                 (ui, '/ready?taskId=1&wait=60')]
        asked = [Background(ask, *a) for a in paths]
        until('all wait', lambda: app.db.metric('queue_watchers') == 4 or ends)
        eq(ends, {})
        for service, path in (app.master, '/task/0/ready'), (ui, '/ready?taskId=0'), (app.master, '/task/0/ready?wait=x'):
            eq((service('GET', path).status, service('GET', path).body), (200, b'false'))
        eq(app.master('HEAD', '/task/0/ready?wait=60').status, 200)
        eq(ends, {})
        eq(app.master('POST', '/task/0/finish', headers=lease[0]).status, 200)
        eq(app.master('POST', '/task/1/fail', b'broken', {**lease[1], 'X-Final': '1'}).status, 200)
        for a in asked:
            a.result()
        eq(ends, {path: (200, b'true', 2) if i < 2 else (200, b'false', 3) for i, (_, path) in enumerate(paths)})
        eq(app.master('GET', '/task/0/ready?wait=60').body, b'true')  # there is nothing to wait for
        eq(app.master('GET', '/task/1/ready?wait=60').body, b'false')
        eq(app.master('GET', '/task/2/ready?wait=1').body, b'false')  # in vain
        eq(app.master('GET', '/task/9/ready?wait=60').status, 404)
        # One who goes away takes nothing along.
        host, port = app.master.endpoint.split(':')
        with socket.create_connection((host, int(port))) as sock:
            sock.sendall(b'GET /task/2/ready?wait=60 HTTP/1.1\r\nHost: x\r\n\r\n')
            until('it waits', lambda: app.db.metric('queue_watchers') == 1)
        until('it has gone', lambda: app.db.metric('queue_watchers') == 0)
        # So many wait, and no more: another one is answered at once, and db has connections for others.
        many = [socket.create_connection((host, int(port))) for _ in range(64)]
        for sock in many:
            sock.sendall(b'GET /task/2/ready?wait=60 HTTP/1.1\r\nHost: x\r\n\r\n')
        until('64 wait', lambda: app.db.metric('queue_watchers') == 64)
        eq(app.master('GET', '/task/2/ready?wait=60').body, b'false')
        eq(app.db.metric('queue_watchers'), 64)
        for sock in many:
            sock.close()
        until('all have gone', lambda: app.db.metric('queue_watchers') == 0)
        # Who ends answers those who wait.
        paths = [(app.master, '/task/2/ready?wait=60'), (ui, '/ready?taskId=2&wait=60')]
        asked = [Background(ask, *a) for a in paths]
        until('both wait', lambda: app.db.metric('queue_watchers') == 2)
        for service in ui, app.master:
            eq(service.stop(), 0)
        for a in asked:
            a.result()
        eq([ends[path] for _, path in paths], [(200, b'false', 0)] * 2)


def test_13_metrics():
    with App() as app:
        app.start_all(workers=1, worker_env={'MICRO_WORKER_PORT': '0'})
        app.start('ui')
        finished(app, upload(app.master, PNG).headers['X-Task-Id'])
        for s in app.services:
            text = s('GET', '/metrics')
            eq(text.headers['Content-Type'], 'text/plain; version=0.0.4; charset=utf-8')
            families = set()
            for line in text.text.splitlines():
                m = re.fullmatch(r'# (HELP|TYPE) (micro_\w+) .+', line)
                if m:
                    families.add(m.group(2))
                    continue
                m = re.fullmatch(r'(micro_\w+)(\{.*\})? [0-9.e+]+', line)
                assert m, line
                assert re.sub('_(bucket|sum|count)$', '', m.group(1)) in families or m.group(1) in families, line
            if promtool.find():
                promtool.check(text.body)
            else:
                print('not checked by Prometheus:', promtool.MISSING)
        eq(app.db.metric('tasks_finished_total'), 1)
        eq(app.workers[0].metric('worker_tasks_done_total'), 1)


def test_13_drain():
    """SIGTERM: the poll in flight is answered, a worker finishes its task, all exit 0 and leave the registry."""
    with App() as app:
        app.start_all(workers=1)
        eq(app.workers[0].stop(), 0)
        poll = Background(app.db, 'GET', '/task/next?wait=60')
        until('it waits', lambda: app.db.metric('queue_waiters') == 1)
        eq(app.db.stop(), 0)
        eq(poll.result().status, 404)
        eq(app.kv('GET', '/dbendpoint').status, 404)
        eq(app.master.stop(), 0)
        eq(app.storage.stop(), 0)
        eq(app.kv('GET', '/masterendpoint').status, 404)
        eq(app.kv.stop(signal.SIGINT), 0)


if __name__ == '__main__':
    main([v for k, v in sorted(globals().items()) if k.startswith('test_')])
