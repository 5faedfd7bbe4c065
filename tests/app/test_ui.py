# SPDX-License-Identifier: Apache-2.0
"""What ui gives to the page's scripts (tests/ui drives the page itself): files, streams of events, dead letters, limits."""
import http.client
import json
import re

from app import App, DEADLINE_S, eq, finished, main, png, until, upload

PNG = png('-size', '16x12', 'gradient:red-blue', 'PNG24:-')


class Events:
    """An open stream."""

    def __init__(self, ui, ids):
        host, port = ui.endpoint.split(':')
        self.conn = http.client.HTTPConnection(host, int(port), timeout=DEADLINE_S)
        self.conn.request('GET', f'/events?ids={ids}')
        self.answer = self.conn.getresponse()

    def next(self):
        """(kind, data) of the next event, or None at the end."""
        kind, data = 'message', None
        while line := self.answer.readline():
            line = line.decode().rstrip('\n')
            if not line and data is not None:
                return kind, json.loads(data) if data else None
            if line.startswith('event: '):
                kind = line[7:]
            elif line.startswith('data: '):
                data = line[6:]
        return None


def states(event):
    return {t['id']: t['state'] for t in event[1]['tasks']}


def test_files():
    with App() as app:
        app.kv = app.start('kvstore')
        ui = app.start('ui')
        page = ui('GET', '/')
        policy = page.headers['Content-Security-Policy']
        assert "default-src 'none'" in policy and 'unsafe' not in policy, policy
        names = set(re.findall(r'(?:href|src)="(/[^"]+)"', page.text))
        for name in list(names):
            names |= set(re.findall(r"from '(/[^']+)'", ui('GET', name).text))
        eq(names, {'/app.css', '/app.js', '/tasks.js', '/compare.js'})
        for name in names:
            answer = ui('GET', name)
            eq(answer.status, 200)
            eq(answer.headers['Content-Type'].split(';')[0], 'text/css' if name.endswith('css') else 'text/javascript')
            eq(ui('GET', name, headers={'If-None-Match': answer.headers['ETag']}).status, 304)
        for text in [page.text] + [ui('GET', name).text for name in names]:
            assert not re.search(r'https?://(?!127)', text), 'something from elsewhere'
            assert ' style="' not in text and ' onclick' not in text
        eq(ui('GET', '/page.html').status, 404)


def test_events():
    with App() as app:
        app.start_all(workers=0)
        ui = app.start('ui')
        tasks = [int(upload(ui, PNG, '/upload?op=blur').headers['X-Task-Id']) for _ in range(2)]
        stream = Events(ui, '0,1')
        eq(stream.answer.status, 200)
        eq(states(stream.next()), {0: 'ready', 1: 'ready'})
        app.start('worker', app.kv.endpoint, port=False)
        seen = []
        while (event := stream.next())[0] == 'message':
            seen.append(states(event))
        eq(seen[-1], {task: 'finished' for task in tasks})
        eq(event[0], 'end')
        eq(stream.next(), None)
        eq(Events(ui, '77').next()[1], {'tasks': []})
        for ids in ('', 'a', '1,', ',1', '1' * 19, ','.join(map(str, range(101))), '-1'):
            eq((ids, ui('GET', f'/events?ids={ids}').status), (ids, 400))
        eq(ui('GET', '/tasks?ids=0').json()['tasks'][0]['params'], 'op=blur')
        eq(ui('GET', '/picture?taskId=0&kind=input').body, PNG)
        result = ui('GET', '/picture?taskId=0')
        eq((result.status, result.headers['Content-Type']), (200, 'image/png'))
        eq(ui('GET', '/picture?taskId=0&kind=other').status, 400)
        eq(ui('GET', '/picture?taskId=x').status, 400)
        eq(ui('GET', '/picture?taskId=99').status, 404)


def test_dead():
    with App() as app:
        app.start_all(workers=1)
        ui = app.start('ui')
        task = upload(ui, PNG[:-40], '/upload').headers['X-Task-Id']
        until('it is dead', lambda: ui('GET', '/dead').json()['total'] == 1)
        for path in (f'/dead/{task}/retry', '/dead/retry', '/upload'):
            eq((path, ui('POST', path, headers={'Sec-Fetch-Site': 'cross-site'}).status), (path, 403))
        eq(ui('DELETE', f'/dead/{task}', headers={'Sec-Fetch-Site': 'cross-site'}).status, 403)
        eq(ui('POST', f'/dead/{task}/retry', headers={'Sec-Fetch-Site': 'same-origin'}).json(), {'changed': 1})
        until('it died again', lambda: ui('GET', '/dead').json()['total'] == 1)
        eq(ui('POST', '/dead/..%2f..%2ftask/retry').status, 400)
        eq(ui('DELETE', f'/dead/{task}').json(), {'changed': 1})
        eq(ui('GET', '/dead').json()['total'], 0)
        eq(ui('POST', f'/dead/{task}/retry').status, 404)
        assert 'radius must be' in upload(ui, PNG, '/upload?op=blur&radius=99').text


def test_limits_and_drain():
    """At most 64 streams; SIGTERM ends them, and ui leaves at once."""
    with App() as app:
        app.start_all(workers=0)
        ui = app.start('ui')
        upload(ui, PNG, '/upload')
        streams = [Events(ui, '0') for _ in range(64)]
        eq([s.answer.status for s in streams], [200] * 64)
        eq(Events(ui, '0').answer.status, 503)
        eq(ui.metric('ui_streams'), 64)
        streams.pop().conn.close()
        for s in streams:
            eq(states(s.next()), {0: 'ready'})
        eq(ui('GET', '/healthz').text, 'ok\n')
        eq(ui.stop(), 0)
        for s in streams:
            eq(s.next(), ('end', None))


if __name__ == '__main__':
    main([test_files, test_events, test_dead, test_limits_and_drain])
