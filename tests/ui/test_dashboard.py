# SPDX-License-Identifier: Apache-2.0
"""The manager's dashboard in headless Chromium. Skipped, with the reason, where test_page.py is; `python3 test_dashboard.py FOLDER` leaves
screenshots there."""
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, '..', 'api'), HERE]
from harness import BUILD, Daemon, need, own_loopback  # noqa: E402
from browser import BROWSER_S, prepare  # noqa: E402


def main():
    need()
    folder = prepare(os.environ.get('UI_TEST_DIR') or BUILD)
    address = own_loopback() + ':8666'
    d = Daemon('--dashboard', address)
    try:
        d.put_server()
        d.put_shell('fails', 'exit 3')
        env = dict(os.environ, CHROMIUM=shutil.which('chromium'), HOME=d.folder)
        done = subprocess.run(['node', os.path.join(HERE, 'dashboard.mjs'), f'http://{address}/', d.socket, folder, *sys.argv[1:2]],
                              env=env, timeout=BROWSER_S, check=False)
        if done.returncode:
            d.show()
            raise AssertionError(f'dashboard.mjs ended with {done.returncode}')
        d.end()
    finally:
        d.clean()


if __name__ == '__main__':
    main()
