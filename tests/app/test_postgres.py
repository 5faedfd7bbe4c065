# SPDX-License-Identifier: Apache-2.0
"""The queue in PostgreSQL: what every queue must do, several db's on one database, a server that is killed."""
import os
import re
import subprocess

from app import App, Background, eq, finished, main, parallel, png, until, upload
from postgres import Postgres, tools

PNG = png('-size', '16x16', 'gradient:red-blue', 'png:-')
tools()


def clear(pg):
    subprocess.run([f'{pg.bin}/psql', '-q', '-h', pg.dir, '-U', 'micro', 'postgres', '-c',
                    'DROP TABLE IF EXISTS micro_task, micro_count; DROP SEQUENCE IF EXISTS micro_task_id'],
                   check=True, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def ready_task(db, query='', headers=None):
    task = db('POST', f'/task{query}', headers=headers).text
    eq(db('POST', f'/task/{task}/ready').status, 200)
    return task


def test_conformance(pg):
    """The same cases that the queue in SQLite passes (tests/unit/services/test_queue.c)."""
    done = subprocess.run([os.environ['QUEUE_TEST']], env={**os.environ, 'QUEUE_URL': pg.url}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert 'SKIPPED' not in done.stderr, done.stderr


def test_whole_application(pg):
    with App() as app:
        app.start_all(workers=2, db_program='db-postgres', db={'MICRO_DB_QUEUE': pg.url})
        tasks = [a.headers['X-Task-Id'] for a in parallel(10, lambda i: upload(app.master, PNG))]
        eq(sorted(map(int, tasks)), list(range(10)))
        for task in tasks:
            finished(app, task)
        eq(app.db.metric('tasks'), 10)


def test_two_share_one_database(pg):
    with App() as app:
        env = {'MICRO_DB_QUEUE': pg.url, 'MICRO_DB_BACKOFF_MS': '1'}
        a, b = (app.start('db-postgres', MICRO_DB_LEASE_MS='3600000', **env) for _ in range(2))
        # Who waits at one hears of what got ready at the other.
        waiting = Background(a, 'GET', '/task/next?wait=60&worker=w')
        until('it waits', lambda: a.metric('queue_waiters') == 1)
        task = ready_task(b)
        answer = waiting.result()
        eq(answer.json(), {'id': int(task), 'state': 1})
        # One's lease counts at the other.
        lease = {'X-Lease': answer.headers['X-Lease']}
        eq(b('POST', f'/task/{task}/finish', headers={'X-Lease': 'x'}).status, 409)
        eq(b('POST', f'/task/{task}/finish', headers=lease).status, 200)
        # Each of many goes to one of many, whichever they ask.
        tasks = [ready_task((a, b)[i % 2]) for i in range(20)]
        got = parallel(20, lambda i: (a, b)[i % 2]('GET', '/task/next?wait=60'))
        eq(sorted(answer.json()['id'] for answer in got), sorted(map(int, tasks)))
        for i, answer in enumerate(got):
            eq((b, a)[i % 2]('POST', f'/task/{answer.json()["id"]}/finish', headers={'X-Lease': answer.headers['X-Lease']}).status, 200)
        # Leases given by one that is gone run out at the other.
        a.proc.kill()
        a.proc.wait()
        while b.metric('leases_expired_total') == 0:  # again where it ran out before it was gone
            gone = app.start('db-postgres', MICRO_DB_LEASE_MS='600', **env)
            task = ready_task(gone)
            eq(gone('GET', '/task/next?wait=60').json()['id'], int(task))
            gone.proc.kill()
            gone.proc.wait()
            answer = until('it is leased again', lambda: (lambda a: a if a.status == 200 else None)(b('GET', '/task/next?wait=5')))
            eq(answer.json()['id'], int(task))
            eq(b('POST', f'/task/{task}/finish', headers={'X-Lease': answer.headers['X-Lease']}).status, 200)
        key = {'Idempotency-Key': 'k1'}
        eq(ready_task(b, headers=key), b('POST', '/task', headers=key).text)
        eq(b('POST', '/task', headers=key).headers['X-Task-State'], '0')


def test_killed_server(pg):
    """While it is away the answer is 503, which master waits out; what was answered before is there afterwards."""
    with App() as app:
        app.start_all(workers=1, db_program='db-postgres', db={'MICRO_DB_QUEUE': pg.url}, master={'MICRO_MASTER_RETRY_MS': '60000'})
        first = upload(app.master, PNG).headers['X-Task-Id']
        finished(app, first)
        pg.kill()
        away = app.db('POST', '/task')
        eq((away.status, away.headers['Retry-After']), (503, '1'))
        eq(app.db('GET', '/healthz').status, 200)
        eq(app.db.metric('queue_backend_up'), 0)
        waiting = Background(upload, app.master, PNG)
        refused = re.compile(r'http_requests_total{method="POST",route="/task",status="5xx"} (\d+)')
        until('the master is refused', lambda: int(refused.search(app.db('GET', '/metrics').text).group(1)) >= 2)
        pg.start()
        answer = waiting.result()
        eq(answer.status, 200)
        finished(app, answer.headers['X-Task-Id'])
        eq(app.db('GET', f'/task/{first}').json()['state'], 2)


if __name__ == '__main__':
    with Postgres() as server:
        def with_server(fn):
            def run():
                clear(server)
                fn(server)
            run.__name__ = fn.__name__
            return run
        main([with_server(v) for k, v in sorted(globals().items()) if k.startswith('test_')])
