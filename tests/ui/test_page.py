# SPDX-License-Identifier: Apache-2.0
"""The page in headless Chromium, in front of the real services. Skipped, with the reason, where node, npm, chromium or the
package playwright-core are not to be had. `python3 test_page.py FOLDER` leaves screenshots there."""
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, '..', 'app'), HERE]
from app import App, png  # noqa: E402
from browser import BROWSER_S, prepare  # noqa: E402


def pictures(folder):
    made = {'a.png': png('-size', '320x240', 'plasma:red-blue', 'PNG24:-'),
            'b.jpg': png('-size', '640x360', 'plasma:tomato-steelblue', 'jpg:-'),
            'note.txt': b'no picture\n'}
    made['broken.png'] = made['a.png'][:-500]
    for name, data in made.items():
        with open(os.path.join(folder, name), 'wb') as f:
            f.write(data)


def main():
    folder = prepare(os.environ.get('UI_TEST_DIR') or os.path.join(os.environ['SERVICES_DIR'], '..'))
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
