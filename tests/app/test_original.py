# SPDX-License-Identifier: Apache-2.0
"""Each of our services replaced by its original in JavaScript, and each original by ours: a picture goes through, with the same result.

UIGNITER_ORIGINAL=DIR says where the original application is (tools/original.py: a checkout with its node_modules); without it the
test is skipped, and test_wire.py has what the originals send. Everything runs in a network namespace of its own, where the
originals, which register the machine's first address, find none but 127.0.0.1, and their ports are free."""
import base64
import ctypes
import json
import os
import re
import subprocess
import sys

from app import App, Service, eq, main, multipart, png, request, until

TREE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
sys.path.insert(0, os.path.join(TREE, 'tools'))
import original  # noqa: E402

FOLDER = os.environ.get('UIGNITER_ORIGINAL')
PORTS = {'registry': 9000, 'db': 9001, 'storage': 9002, 'master': 9003, 'ui': 8080}
SERVICES = list(original.PROGRAMS)
OURS = {'registry': 'kvstore'}
# What both of them read.
ENV = {'registry': 'MICRO_KEYVALUESTORE_PORT', 'db': 'MICRO_DB_PORT', 'storage': 'MICRO_STORAGE_PORT', 'master': 'MICRO_MASTER_PORT',
       'ui': 'MICRO_UI_PORT'}
CLONE_NEWNET = 0x40000000
PICTURES = [('rgb', ['-size', '64x48', 'plasma:red-blue', 'PNG24:-']),
            ('rgba', ['-size', '40x30', 'gradient:rgba(255,0,0,1.0)-rgba(0,40,255,0.2)', 'PNG32:-']),
            ('large', ['-size', '640x480', 'plasma:fractal', 'PNG24:-'])]


def skip(why):
    print(f'SKIP: {why}')
    sys.exit(77)


def own_network():
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET):
        skip('needs root (a network namespace)')
    subprocess.run(['ip', 'link', 'set', 'lo', 'up'], check=True)


class Original:
    """One running program of the original application."""

    def __init__(self, app, service):
        folder = original.lay_out(FOLDER, app.path(f'original-{service}'))
        self.app, self.service, self.log_path = app, service, os.path.join(app.dir, f'{service}.log')
        env = {k: v for k, v in os.environ.items() if not k.startswith('MICRO_') and k != 'PORT'}
        env.update(settings(app, service), NODE_OPTIONS=original.without_pauses(folder))
        with open(self.log_path, 'wb') as log:
            self.proc = subprocess.Popen(['node', original.PROGRAMS[service]], cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=log,
                                         stderr=log)

    def output(self):
        with open(self.log_path, errors='replace') as f:
            return f.read()

    def ready(self):
        until(f'the original {self.service} listens', self.listens)
        return self

    def listens(self):
        assert self.proc.poll() is None, f'the original {self.service} ended: {self.output()}'
        return self.service == 'worker' or 'listening' in self.output()

    def stop(self):
        self.proc.kill()
        self.proc.wait()


def settings(app, service):
    env = {'MICRO_KEYVALUESTORE_ENDPOINT': '127.0.0.1:9000'}
    if service in ENV:
        env[ENV[service]] = str(PORTS[service])
    if service == 'db':
        env['MICRO_DB_PATH'] = app.path('queue')
    if service == 'storage':
        env['MICRO_STORAGE_DIR'] = app.path('pictures')
    if service == 'ui':
        env['MICRO_MASTER_ENDPOINT'] = 'http://127.0.0.1:9003'
    return env


def start(app, service, is_original):
    if is_original:
        return Original(app, service)
    return Service(app, OURS.get(service, service), (), settings(app, service))


def ask(service, method, path, body=None, headers=None):
    return request(f'127.0.0.1:{PORTS[service]}', method, path, body, headers)


def inverse_of(picture, result):
    """Sixteen bits of each sample."""
    def pixels(data, *change):
        return subprocess.run(['convert', 'png:-', *change, '-depth', '16', 'RGBA:-'], input=data, stdout=subprocess.PIPE, check=True).stdout
    return pixels(picture, '-channel', 'RGB', '-negate') == pixels(result)


def drive(pictures):
    """Through the page, one after the other (the original master mixes up those that come together), and what became of them."""
    for task, (name, data) in enumerate(pictures):
        body, headers = multipart('image', data)
        answer = ask('ui', 'POST', '/upload', body, headers)
        eq((name, answer.status), (name, 200))
        until(f'task {task} ({name}) is done', lambda: ask('master', 'GET', f'/task/{task}/ready').body == b'true', 60)
        result = ask('master', 'GET', f'/task/{task}/download')
        eq((result.status, result.headers['Content-Type']), (200, 'image/png'))
        assert inverse_of(data, result.body), f'{name}: the result is not the inverse'
        page = ask('ui', 'GET', f'/?taskId={task}').text
        shown = re.search(r'src="data:image/png;base64,([^"]+)"', page)
        assert shown and base64.b64decode(shown.group(1)) == result.body, page[:300]
        eq(json.loads(ask('db', 'GET', f'/task/{task}').body), {'id': task, 'state': 2})


def run(originals):
    """originals: the services whose original runs; the others are ours."""
    with App() as app:
        running = []
        try:
            for service in SERVICES:
                running.append(start(app, service, service in originals))
                # The original master asks for the other two at its start alone.
                if service != 'worker':
                    running[-1].ready()
            drive([(name, png(*how)) for name, how in PICTURES])
        except BaseException:
            for s in running:
                print(f'--- {getattr(s, "service", None) or s.name}\n{s.output()[-1500:]}')
            raise
        finally:
            for s in running:
                if isinstance(s, Original):
                    s.stop()


def replaced(service):
    def test():
        run({service})
    test.__name__ = f'test_original_{service}_among_ours'
    return test


def replacing(service):
    def test():
        run(set(SERVICES) - {service})
    test.__name__ = f'test_our_{service}_among_originals'
    return test


def test_all_originals():
    run(set(SERVICES))


if __name__ == '__main__':
    if not FOLDER:
        skip('UIGNITER_ORIGINAL does not say where the original application is')
    why = original.why_not(FOLDER)
    if why:
        skip(why)
    own_network()
    main([test_all_originals] + [make(s) for s in SERVICES for make in (replaced, replacing)])
