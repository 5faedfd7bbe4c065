# SPDX-License-Identifier: Apache-2.0
"""kill -9 of any service, or of all, at any moment, under load, for KILL_SECONDS (10) with KILL_SEED: nothing that was accepted is lost or
done wrongly (storm.py). Here the services are processes of the host; tests/app/test_kill_vm.py does the same to unikernels."""
import http.client
import os
import re
import time

from app import App, Service, eq, main, request, until
import storm

SECONDS = float(os.environ.get('KILL_SECONDS', '10'))
SEED = int(os.environ.get('KILL_SEED', str(int(time.time()))))
# A worker that is killed uses an attempt, and many are: here none may run out.
DB = {'MICRO_DB_LEASE_MS': '1000', 'MICRO_DB_BACKOFF_MS': '20', 'MICRO_DB_BACKOFF_MAX_MS': '200', 'MICRO_DB_MAX_ATTEMPTS': '1000'}


class Processes:
    """The application as processes, each with a port that it keeps."""
    BROKEN = http.client.HTTPException
    FIRST = ()
    VICTIMS = ['kvstore', 'db', 'storage', 'master', 'worker-1', 'worker-2', 'all']

    def __init__(self, app, db_program='db', db_env=None):
        self.app, self.running = app, {}
        settings = {'kvstore': ('kvstore', {}),
                    'db': (db_program, {**DB, **(db_env or {'MICRO_DB_PATH': app.path('db')})}),
                    'storage': ('storage', {'MICRO_STORAGE_DIR': app.path('pictures')}),
                    'master': ('master', {}), 'worker-1': ('worker', {}), 'worker-2': ('worker', {})}
        self.settings = settings
        for name, (program, env) in settings.items():
            self.running[name] = app.start(program, *self.args(name), **env)
            if not name.startswith('worker'):
                variable = 'KEYVALUESTORE' if name == 'kvstore' else name.upper()
                env[f'MICRO_{variable}_PORT'] = self.running[name].endpoint.rsplit(':', 1)[1]
            if name == 'kvstore':
                env['MICRO_MEMCACHED_PORT'] = '-1'

    def args(self, name):
        return () if name == 'kvstore' else (self.running['kvstore'].endpoint,)

    def kill(self, victim):
        names = list(self.settings) if victim == 'all' else [victim]
        for name in names:
            self.running[name].proc.kill()
        for name in names:
            self.running[name].proc.wait()
            program, env = self.settings[name]
            old = self.running[name]
            self.running[name] = Service(self.app, program, () if name == 'kvstore' else old.arguments, env, True)

    def recover(self):
        for s in self.running.values():
            s.ready()

    def failed(self):
        pass

    def master(self):
        return f'127.0.0.1:{self.settings["master"][1]["MICRO_MASTER_PORT"]}'

    def ask(self, name, path):
        return request(f'127.0.0.1:{self.settings[name][1][f"MICRO_{name.upper()}_PORT"]}', 'GET', path)

    def state(self, task):
        answer = self.ask('db', f'/task/{task}')
        assert answer.status == 200, f'task {task} is lost: {answer}'
        return answer.json()['state']

    def download(self, task, kind):
        answer = self.ask('storage', f'/download/{task}?kind={kind}')
        assert answer.status == 200, f'the {kind} of task {task} is lost: {answer}'
        return answer.body

    def counts(self):
        text = self.ask('db', '/metrics').text
        return {k: int(v) for k, v in re.findall(r'^micro_tasks{state="(\w+)"} (\d+)$', text, re.M)}


def test_sqlite():
    with App() as app:
        target = Processes(app)
        storm.run(target, SEED, SECONDS)
        left = [n for n in os.listdir(app.path('pictures')) if n.startswith('.new-')]
        # At most those that the last kill interrupted: the next start removes them.
        target.kill('storage')
        target.recover()
        eq([n for n in os.listdir(app.path('pictures')) if n.startswith('.new-')], [])
        until('the registry is whole', lambda: all(target.running['kvstore']('GET', f'/{k}endpoint').status == 200
                                                   for k in ('db', 'storage', 'master')))
        print(f'{len(left)} half files were left by kills and removed')


if __name__ == '__main__':
    main([test_sqlite])
