# SPDX-License-Identifier: Apache-2.0
"""What tests in a browser need: node, npm, chromium, and playwright-core as package-lock.json has it."""
import fcntl
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
INSTALL_S = 120
BROWSER_S = 1000  # what hangs; not what is slow


def skip(reason):
    print(f'skipped: {reason}')
    sys.exit(77)


def install(folder):
    """Below folder; kept between runs."""
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


def prepare(build):
    """The folder with node_modules; several tests may want it at once."""
    for program in ('node', 'npm', 'chromium'):
        if not shutil.which(program):
            skip(f'{program} is missing')
    folder = os.path.join(build, 'ui-test')
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, 'lock'), 'w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        install(folder)
    return folder
