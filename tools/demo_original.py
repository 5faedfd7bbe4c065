# SPDX-License-Identifier: Apache-2.0
"""
`demo --original DIR`: each service of the application is exchanged for the original program, in JavaScript, by its one line of the
application file, and each original among the others for ours. The same pictures go through all of these applications.

The originals know no task ids in answers, and mix up uploads that come together: pictures go one after the other, and the n-th is task n.
"""
import os
import shutil
import time

import demo_pictures
import original
from demo_host import DemoError

# What both kinds of worker give back to the bit: eight bits of red, green and blue, with or without alpha.
PICTURES = ["rgb-gradient", "rgba-gradient", "rgb-plasma"]
TASK_LIMIT_S = 120


def variants():
    """(what it is, services whose original runs)."""
    every = list(original.PROGRAMS)
    found = [(f"the original {s} among ours", [s]) for s in every]
    found += [(f"our {s} among the originals", [o for o in every if o != s]) for s in every]
    return found + [("all originals", every)]


def empty_data(host):
    for name in ("db", "storage"):
        shutil.rmtree(host.data(name))
        os.mkdir(host.data(name), 0o700)


def await_done(app, task):
    end = time.monotonic() + TASK_LIMIT_S
    while not app.is_done(task):
        if time.monotonic() > end:
            raise DemoError(f"task {task} is not done after {TASK_LIMIT_S} s")
        time.sleep(0.05)


def drive(app, host, pictures):
    """Uploads through the page, results by master. Seconds from the first upload to the last result."""
    begin = time.monotonic()
    for task, picture in enumerate(pictures):
        app.upload_to_page(picture)
        await_done(app, task)
        result = host.path("tmp", f"original-{task}.png")
        app.download_by_master(task, result)
        wrong = demo_pictures.check(picture, result, host.path("tmp"), task)
        if wrong:
            raise DemoError(f"{picture.name}: the result {wrong}")
    return time.monotonic() - begin


def demonstrate(app, host, folder, pictures, say):
    """Returns how many applications there were."""
    ours, build_of = app.file, original.unikernel_build(folder)
    app.build_images()
    app.file = original.exchange(ours, host.path("originals.yaml"), list(original.PROGRAMS), build_of)
    app.build_images()
    say(f"built the images of ours and of the originals in {folder}")
    done = variants()
    for what, services in done:
        app.file = original.exchange(ours, host.path("exchanged.yaml"), services, build_of)
        empty_data(host)
        begin = time.monotonic()
        app.start()
        started = time.monotonic()
        taken = drive(app, host, pictures)
        say(f"{what}: up in {started - begin:.1f} s, {len(pictures)} pictures in {taken:.1f} s, each the exact inverse")
        app.end()
        app.forget()
    return len(done)
