# SPDX-License-Identifier: Apache-2.0
"""As test_kill.py, with a unikernel per service: the application file of examples/imaging, its volumes on the host, a manager in a network namespace of
its own. What is killed (SIGKILL) is the monitor of an instance, or those of all; the manager makes the next ones by itself. Before that each is
killed alone: how the rest goes on.
test_kill_vm.py postgres: two db's, their queue in a PostgreSQL server of the host at the bridge's address, which is killed as well."""
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time

from app import eq, main, until
from postgres import Postgres, tools
import storm

BUILD, TREE = os.environ['BUILD_DIR'], os.environ['SOURCE_DIR']
sys.path.insert(0, os.path.join(TREE, 'tools'))
from demo_host import Host, free_port  # noqa: E402
from demo_manager import Manager, Refused  # noqa: E402

SECONDS = float(os.environ.get('KILL_SECONDS', '10'))
SEED = int(os.environ.get('KILL_SEED', str(int(time.time()))))
SERVICES = ['registry', 'db', 'storage', 'master', 'worker', 'ui']
GUEST_PORT = {'db': 9001, 'storage': 9002, 'master': 9003}
APP = 'imaging'
SUBNET = '10.212.0'


def skip_without():
    if os.geteuid():
        print('SKIP: needs root (a network namespace)')
        sys.exit(77)
    if not os.access('/dev/kvm', os.R_OK | os.W_OK):
        print('SKIP: no /dev/kvm')
        sys.exit(77)


def application_file(host, replicas):
    """The file of the example with the attempts that this test needs: each killed worker uses one."""
    folder = os.path.join(TREE, 'examples', 'imaging')
    path = host.path('app.yaml')
    with open(os.path.join(folder, 'app.yaml')) as f:
        text = re.sub(r'(build: "?)([\w$])', rf'\1{folder}/\2', f.read())
    changed = text.replace('MICRO_DB_LEASE_MS:', 'MICRO_DB_MAX_ATTEMPTS: "1000", MICRO_DB_BACKOFF_MAX_MS: "500", MICRO_DB_LEASE_MS:')
    assert changed != text
    if replicas > 1:
        text, changed = changed, changed.replace('\n  db:\n', f'\n  db:\n    replicas: {replicas}\n')
        assert changed != text
    with open(path, 'w') as f:
        f.write(changed)
    return path


class Unikernels:
    BROKEN = http.client.HTTPException
    FIRST = ()

    def __init__(self, host, with_postgres):
        self.host, self.lock, self.ports, self.before, self.postgres = host, threading.Lock(), {}, {}, None
        port = free_port()
        host.make_data('', 'uvmm')
        host.start_daemon([f'{BUILD}/daemon/uigniterd', '--netns', host.tag, '--state-dir', host.path('state'), '--run-dir', host.path('run'),
                           '--socket', host.path('uigniterd.sock'), '--listen', f'127.0.0.1:{port}', '--monitor', 'uvmm',
                           '--uvmm', f'{BUILD}/vmm/uvmm', '--libos', f'{BUILD}/libos/libos.elf', '--pool', '4', '--pool-memory', '128',
                           '--subnet', f'{SUBNET}.0/24', '--volume-root', host.data()])
        self.manager = Manager(port)
        self.manager.wait_ready(host.daemon, 120)
        env = {**os.environ, 'IMAGING_DATA': host.data(), 'IMAGING_LEASE_MS': '1500', 'IMAGING_PORT': str(free_port())}
        if with_postgres:
            self.postgres = Postgres(host.tag, f'{SUBNET}.1').start()
            env.update(IMAGING_DB_PROGRAM='db-postgres', IMAGING_QUEUE=self.postgres.url)
        self.file = application_file(host, 2 if with_postgres else 1)
        for words in (['build', '-C', f'{BUILD}/services', self.file], ['up', '-q', '--no-build', '-t', '120', self.file]):
            done = subprocess.run([f'{BUILD}/cli/uigniter', '-H', f'tcp://127.0.0.1:{port}', 'app', *words], env=env,
                                  stdin=subprocess.DEVNULL, capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
        self.VICTIMS = [s['name'] for s in self.services() if s['name'] != 'ui'] + ['all']
        if with_postgres:
            self.VICTIMS += ['postgres']
            self.FIRST = ['db', 'postgres']

    def services(self):
        return self.manager.call('GET', f'/app/{APP}')['services']

    def running(self, service=None):
        return [self.manager.call('GET', f"/vm/{i['id']}") for s in self.services() if service in (None, s['name'])
                for i in s['instances'] if i['state'] == 'running']

    def kill(self, victim):
        if victim == 'postgres':
            self.postgres.kill()
            self.postgres.start()
            return
        try:
            for vm in self.running(None if victim == 'all' else victim)[:None if victim == 'all' else 1]:
                os.kill(vm['pid'], signal.SIGKILL)
        except (Refused, ProcessLookupError, TypeError):
            pass  # it has just ended by the kill before

    def recover(self):
        until('all services are ready', lambda: self.manager.call('GET', f'/app/{APP}')['state'] == 'ready')
        self.failed()

    def failed(self):
        """An address may be that of an instance which is gone."""
        with self.lock:
            self.ports.clear()

    def endpoint(self, service):
        with self.lock:
            port = self.ports.get(service)
        if port:
            return f'127.0.0.1:{port}'
        try:
            vms = [vm for vm in self.running(service) if vm['ready']]
        except Refused:
            vms = []
        if not vms:
            raise ConnectionRefusedError(f'no {service} just now')
        port = next(p['host'] for p in vms[0]['ports'] if p['guest'] == GUEST_PORT[service])
        with self.lock:
            self.ports[service] = port
        return f'127.0.0.1:{port}'

    def master(self):
        return self.endpoint('master')

    def ask(self, service, path):
        return storm.request(self.endpoint(service), 'GET', path)

    def state(self, task):
        answer = self.ask('db', f'/task/{task}')
        assert answer.status == 200, f'task {task} is lost: {answer}'
        return json.loads(answer.body)['state']

    def download(self, task, kind):
        answer = self.ask('storage', f'/download/{task}?kind={kind}')
        assert answer.status == 200, f'the {kind} of task {task} is lost: {answer}'
        return answer.body

    def counts(self):
        text = self.ask('db', '/metrics').text
        return {k: int(v) - self.before.get(k, 0) for k, v in re.findall(r'^micro_tasks{state="(\w+)"} (\d+)$', text, re.M)}

    def consoles(self):
        for name in self.manager.names():
            print(f'--- {name}\n{self.manager.logs_tail(name, 12)}')


def one_picture(target, number):
    """Uploaded, whatever it takes, and done."""
    body, headers = storm.multipart('image', storm.picture(number))
    headers['Idempotency-Key'] = f'recover:{number}'

    def ask(*words):
        try:
            return storm.request(target.master(), *words)
        except (OSError, ValueError, http.client.HTTPException):
            target.failed()

    def accepted():
        answer = ask('POST', '/task', body, headers)
        return answer is not None and answer.status == 200 and answer

    task = until('the picture is accepted', accepted).headers['X-Task-Id']
    until('the picture is done', lambda: getattr(ask('GET', f'/task/{task}/ready'), 'body', b'') == b'true')


def recovery(target):
    """One that was killed is back in use as soon as its replacement is there: of all who had connections to it, also of those that only
    wait on one, nobody learns of its end by the time limit of a request."""
    for number, victim in enumerate(v for v in target.VICTIMS if v != 'all'):
        old = target.running(victim)[0]
        target.kill(victim)
        target.failed()
        one_picture(target, number)
        target.recover()
        if victim != 'worker':
            eq([vm['ip_address'] for vm in target.running(victim)], [old['ip_address']])
        for vm in target.running():
            late = [x for x in target.manager.logs_tail(vm['name'], 400).splitlines() if 'no answer in time' in x]
            assert not late, f'{victim} was killed, and {vm["name"]} waited: {late}'
    print('each was in use again without a time limit running out', flush=True)


def run(with_postgres):
    host, target = Host(BUILD), None
    try:
        host.open()
        target = Unikernels(host, with_postgres)
        if not with_postgres:
            recovery(target)
            target.before = target.counts()
        storm.run(target, SEED, SECONDS)
    except BaseException:
        if target:
            target.consoles()
        with open(host.log, errors='replace') as f:
            print('--- manager\n' + f.read()[-6000:])
        raise
    finally:
        if target and target.postgres:
            target.postgres.__exit__()
        left = host.close()
    assert not left, left


def test_unikernels():
    run(False)


def test_postgres():
    run(True)


if __name__ == '__main__':
    skip_without()
    if sys.argv[1:] == ['postgres']:
        tools()
        sys.argv.pop()
        main([test_postgres])
    main([test_unikernels])
