# SPDX-License-Identifier: Apache-2.0
"""The page in headless Chromium, in front of the real services. Skipped, with the reason, where node, npm, chromium or the
package playwright-core are not to be had. `python3 test_page.py FOLDER` leaves screenshots there."""
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'app'))
from app import App, png  # noqa: E402

INSTALL_S = 120
BROWSER_S = 1000  # what hangs; not what is slow


def skip(reason):
    print(f'skipped: {reason}')
    sys.exit(77)


def install(folder):
    """playwright-core as package-lock.json has it, below folder; kept between runs."""
    for name in ('package.json', 'package-lock.json'):
        shutil.copy(os.path.join(HERE, name), folder)
    with open(os.path.join(HERE, 'package-lock.json')) as f:
        lock = f.read()
    mark = os.path.join(folder, 'installed')
    if os.path.exists(mark) and open(mark).read() == lock:
        return
    try:
        done = subprocess.run(['npm', 'ci', '--no-audit', '--no-fund', '--ignore-scripts', '--fetch-retries=1'], cwd=folder,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=INSTALL_S)
    except subprocess.TimeoutExpired:
        skip(f'npm did not install playwright-core within {INSTALL_S} s')
    if done.returncode:
        skip('npm cannot install playwright-core: ' + ' '.join(done.stdout.split())[-300:])
    with open(mark, 'w') as f:
        f.write(lock)


def pictures(folder):
    made = {'a.png': png('-size', '320x240', 'plasma:red-blue', '-seed', '7', 'PNG24:-'),
            'b.jpg': png('-size', '640x360', 'plasma:tomato-steelblue', '-seed', '3', 'jpg:-'),
            'note.txt': b'no picture\n'}
    made['broken.png'] = made['a.png'][:-500]
    for name, data in made.items():
        with open(os.path.join(folder, name), 'wb') as f:
            f.write(data)


def main():
    for program in ('node', 'npm', 'chromium'):
        if not shutil.which(program):
            skip(f'{program} is missing')
    folder = os.path.join(os.environ.get('UI_TEST_DIR') or os.path.join(os.environ['SERVICES_DIR'], '..'), 'ui-test')
    os.makedirs(folder, exist_ok=True)
    install(folder)
    with App() as app:
        pictures(folder)
        app.start_all(workers=1, worker_env={'MICRO_WORKER_SLOTS': '2'})
        ui = app.start('ui').ready()
        env = dict(os.environ, CHROMIUM=shutil.which('chromium'), HOME=app.path('.'))
        done = subprocess.run(['node', os.path.join(HERE, 'page.mjs'), f'http://{ui.endpoint}/', folder, *sys.argv[1:2]],
                              env=env, timeout=BROWSER_S)
        if done.returncode:
            raise AssertionError(f'page.mjs ended with {done.returncode}')


if __name__ == '__main__':
    main()
