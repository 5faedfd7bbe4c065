# SPDX-License-Identifier: Apache-2.0
"""
What every registry has to be for the application, the same for each: test_registry.py kvstore|memcached|etcd|kvstore-memcached [TEST].
The programs are the real ones, and so is the server.
"""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from app import App, eq, finished, main, parallel, png, until, upload  # noqa: E402
from registries import KINDS, start_on  # noqa: E402

KIND = KINDS[sys.argv.pop(1)]
KIND.need()
PNG = png('-size', '64x64', 'plasma:red-blue', 'PNG24:-')


class Case(App):
    """The application with the registry under test."""

    def __enter__(self):
        self.registry = KIND(self)
        return super().__enter__()

    def clean(self, failed):
        try:
            super().clean(failed)
        finally:
            self.registry.close()

    def run(self, name, **env):
        return start_on(self.registry, name, **env).ready()

    def run_all(self, storages=1, masters=1, **env):
        self.db = self.run('db', MICRO_DB_PATH=self.path('db'))
        self.storages = [self.run('storage', MICRO_STORAGE_DIR=self.path(f'pictures{i}')) for i in range(storages)]
        self.masters = [self.run('master', **env) for _ in range(masters)]
        self.master = self.masters[0]
        self.worker = self.run('worker', MICRO_WORKER_PORT='0')

    def await_values(self, key, services):
        want = sorted(s.endpoint for s in services)
        until(f'{key} is {want}', lambda: sorted(self.registry.values(key)) == want)


def test_pictures():
    """The whole application: several of a kind are found, all results are there."""
    with Case() as app:
        app.registry.start()
        app.run_all(storages=2, masters=2)
        app.await_values('storageendpoint', app.storages)
        app.await_values('masterendpoint', app.masters)
        ui = app.run('ui')
        answers = parallel(12, lambda i: upload(ui, PNG, '/upload'))
        eq([a.status for a in answers], [200] * 12)
        for a in answers:
            finished(app, a.headers['X-Task-Id'])
        for m in app.masters:
            assert m.metric('master_uploads_total') > 0
        # Which one a picture goes to is as good as drawn, from the ports as well: a few may all go to one.
        while len(answers) < 100 and not all(os.listdir(app.path(f'pictures{i}')) for i in range(2)):
            answers.append(upload(ui, PNG, '/upload'))
            finished(app, answers[-1].headers['X-Task-Id'])
        for i in range(2):
            assert os.listdir(app.path(f'pictures{i}'))
        for task in [a.headers['X-Task-Id'] for a in answers]:
            eq(app.master('GET', f'/task/{task}/download').headers['X-Kind'], 'result')


def test_registration():
    """One that leaves takes back what is its own; one that is killed runs out; one that comes again is there once."""
    with Case() as app:
        app.registry.start()
        masters = [app.run('master') for _ in range(4)]
        app.await_values('masterendpoint', masters)
        port = masters[1].endpoint.rsplit(':', 1)[1]
        eq(masters[1].stop(), 0)
        app.await_values('masterendpoint', [masters[0], masters[2], masters[3]])
        masters[0].proc.kill()
        masters[0].proc.wait()
        app.await_values('masterendpoint', masters[2:])
        again = app.run('master', MICRO_MASTER_PORT=port)
        app.await_values('masterendpoint', [*masters[2:], again])


def test_registered_again_soon():
    """Killed and started anew at the same address before its registration has run out: it stays, once."""
    with Case() as app:
        app.registry.start()
        storage = app.run('storage', MICRO_STORAGE_DIR=app.path('pictures'))
        port = storage.endpoint.rsplit(':', 1)[1]
        storage.proc.kill()
        storage.proc.wait()
        again = app.run('storage', MICRO_STORAGE_DIR=app.path('pictures'), MICRO_STORAGE_PORT=port)
        other = app.run('storage', MICRO_STORAGE_DIR=app.path('pictures2'))
        for _ in range(2):  # also after the old one's time
            app.await_values('storageendpoint', [again, other])
            master = app.run('master')
            eq(master.stop(), 0)


def test_many_at_once():
    """All want a place at the same moment, and each gets one of its own."""
    with Case() as app:
        app.registry.start()
        services = [start_on(app.registry, 'master') for _ in range(12)]
        app.await_values('masterendpoint', [s.ready() for s in services])


def test_registry_later():
    """Who is started before the registry waits for it."""
    with Case() as app:
        app.registry.start()
        app.registry.kill()
        master = start_on(app.registry, 'master')
        until('it has tried', lambda: 'registry does not answer' in master.output())
        port = app.registry.port
        app.registry.start()
        eq(app.registry.port, port)
        app.await_values('masterendpoint', [master.ready()])


def test_registry_begins_anew():
    """It is killed and comes back empty: work goes on meanwhile, and all are registered again."""
    with Case() as app:
        app.registry.start()
        app.run_all()
        finished(app, upload(app.master, PNG).headers['X-Task-Id'])
        app.registry.kill()
        finished(app, upload(app.master, PNG).headers['X-Task-Id'])
        app.registry.start()
        app.await_values('masterendpoint', [app.master])
        app.await_values('dbendpoint', [app.db])
        app.await_values('storageendpoint', app.storages)
        finished(app, upload(app.master, PNG).headers['X-Task-Id'])


def test_registry_is_told_at_once():
    """It comes back empty: all tell it again by themselves, long before their registration would run out."""
    with Case() as app:
        app.registry.start()
        masters = [app.run('master', MICRO_REGISTRY_TTL_S='3600') for _ in range(2)]
        app.registry.kill()
        app.registry.start()
        app.await_values('masterendpoint', masters)


def test_weights():
    """A weight travels with the registration: three of four uploads go there."""
    with Case() as app:
        app.registry.start()
        lasting = {'MICRO_REGISTRY_TTL_S': '3600'}  # on a busy machine, too: a master that is not there gets nothing
        app.run_all(**lasting)
        heavy = app.run('master', MICRO_WEIGHT='3', **lasting)
        until('two masters', lambda: len(app.registry.values('masterendpoint')) == 2)
        assert f'{heavy.endpoint};weight=3' in app.registry.values('masterendpoint')
        ui = app.run('ui', MICRO_BALANCE='weighted')
        for _ in range(16):
            eq(upload(ui, PNG, '/upload').status, 200)
        eq(heavy.metric('master_uploads_total'), 12)


def test_strangers():
    """What others keep in the same server does no harm, and nothing of theirs is touched."""
    with Case() as app:
        app.registry.start()
        if KIND.scheme != 'memcached':
            return
        import socket
        with socket.create_connection(('127.0.0.1', app.registry.port)) as s:
            for key, value in (('masterendpoint', 'no address'), ('masterendpoint.1', 'x' * 3000), ('other', '1.2.3.4:5')):
                s.sendall(f'set {key} 7 0 {len(value)}\r\n{value}\r\n'.encode())
                eq(s.recv(64), b'STORED\r\n')
        master = app.run('master')
        until('the third place', lambda: app.registry.values('masterendpoint') == ['no address', 'x' * 3000, master.endpoint])
        eq(master.stop(), 0)
        eq(app.registry.values('masterendpoint'), ['no address', 'x' * 3000])


if __name__ == '__main__':
    main([v for k, v in sorted(globals().items()) if k.startswith('test_')])
