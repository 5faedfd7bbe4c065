# SPDX-License-Identifier: Apache-2.0
"""What is asked for with an upload is what is done: every operation through the whole application, compared with ImageMagick;
bad parameters; large and hostile pictures; several at a time."""
import struct
import subprocess
import zlib

from app import SEED, App, eq, finished, magick, main, parallel, png, until, upload

PNG = png('-size', '4x3', 'xc:#204060', 'PNG24:-')
PICTURE = ['-size', '240x160', 'plasma:red-blue', '-depth', '8']
# Operation -> ImageMagick's own, and how far a sample may be from it (255: black against white). Its filters work with 16
# bits and longer tails; grayscale and resize differ by rounding, blur where its kernel is cut off.
SAME = {
    'op=invert': (['-negate'], 0),
    'op=grayscale': (['-grayscale', 'Rec601Luma'], 1),
    'op=resize&width=120': (['-filter', 'Triangle', '-resize', '120x80!'], 2),
    'op=resize&width=50&height=150': (['-filter', 'Triangle', '-resize', '50x150!'], 2),
    'op=resize&height=333': (['-filter', 'Triangle', '-resize', '500x333!'], 2),
    'op=thumbnail&size=60': (['-filter', 'Triangle', '-resize', '60x40!'], 2),
    'op=thumbnail&size=1000': ([], 0),
    'op=blur&radius=4': (['-virtual-pixel', 'edge', '-blur', '0x2'], 3),
    'op=blur&radius=20': (['-virtual-pixel', 'edge', '-blur', '0x10'], 3),
    'op=edges': (['-grayscale', 'Rec601Luma', '-virtual-pixel', 'edge', '-define', 'convolve:scale=1', '-define',
                  'morphology:compose=Plus', '-morphology', 'Convolve', 'Sobel:0;Sobel:90;Sobel:180;Sobel:270'], 8),
}


def jpeg(*args):
    return subprocess.run([magick(), *SEED, *args, 'jpg:-'], check=True, capture_output=True).stdout


def identify(data):
    out = subprocess.run([magick('identify'), '-format', '%m %w %h', '-'], input=data, check=True, capture_output=True).stdout
    kind, w, h = out.decode().split()
    return kind, int(w), int(h)


def furthest(app, name, result, want, metric='PAE'):
    """The largest difference of a sample between the picture result and what ImageMagick's arguments make, 0 to 255; or another metric's."""
    paths = [app.path(f'{name}-{n}') for n in ('result', 'want.png')]
    with open(paths[0], 'wb') as f:
        f.write(result)
    subprocess.run([magick(), *want, 'PNG24:' + paths[1]], check=True)
    out = subprocess.run([magick('compare'), '-metric', metric, *paths, 'null:'], stderr=subprocess.PIPE, text=True).stderr
    return float(out.split('(')[1].rstrip(')')) * 255


def ask(app, data, params, **kw):
    return upload(app.master, data, '/task' + ('?' if params else '') + params, **kw)


def dead(app, task):
    """The reason why a task is dead, when it is."""
    until(f'task {task} is dead', lambda: app.db('GET', f'/tasks?ids={task}').json()['tasks'][0]['state'] == 'dead')
    return app.db('GET', f'/tasks?ids={task}').json()['tasks'][0]['reason']


def test_operations():
    with App() as app:
        app.start_all(workers=1, worker_env={'MICRO_WORKER_SLOTS': '4'})
        data = png(*PICTURE, 'PNG24:-')
        source = app.path('source.png')
        with open(source, 'wb') as f:
            f.write(data)
        tasks = {params: ask(app, data, params).headers['X-Task-Id'] for params in SAME}
        for n, (params, (args, tolerance)) in enumerate(SAME.items()):
            finished(app, tasks[params])
            result = app.master('GET', f'/task/{tasks[params]}/download').body
            eq((params, result[:4]), (params, b'\x89PNG'))
            far = furthest(app, f'op{n}', result, [source, *args])
            assert far <= tolerance + 0.01, (params, far)
        known = {t['id']: t for t in app.master('GET', '/tasks?ids=' + ','.join(tasks.values())).json()['tasks']}
        eq(len(known), len(SAME))
        eq(known[int(tasks['op=blur&radius=20'])]['params'], 'op=blur&radius=20')
        eq(known[int(tasks['op=invert'])]['params'], '')
        text = app.workers[0]('GET', '/metrics').text
        for line in ('micro_worker_tasks_done_total{op="resize"} 3', 'micro_worker_tasks_done_total{op="blur"} 2',
                     f'micro_worker_paint_seconds_count {len(SAME)}'):
            assert line in text, line
        assert f'task={tasks["op=edges"]}' in app.workers[0].output()


def form(fields, data, boundary='b0unda7y'):
    body = b''.join(f'--{boundary}\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n'.encode()
                    for k, v in fields)
    body += (f'--{boundary}\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n'
             'Content-Type: image/png\r\n\r\n').encode() + data + f'\r\n--{boundary}--\r\n'.encode()
    return body, {'Content-Type': f'multipart/form-data; boundary={boundary}'}


def test_parameters():
    """As fields of the form, before or behind the picture, or in the query; wrong ones are refused with a sentence."""
    with App() as app:
        app.start_all(workers=1)

        def post(fields, query=''):
            body, headers = form(fields, PNG)
            return app.master('POST', '/task' + query, body, headers)

        def kept(answer):
            eq(answer.status, 200)
            return app.db('GET', f"/task/{answer.headers['X-Task-Id']}").headers['X-Task-Params']

        eq(kept(post([('op', 'blur'), ('radius', '7')])), 'op=blur&radius=7')
        eq(kept(post([('op', 'blur')], '?radius=9')), 'op=blur&radius=9')
        eq(kept(post([('op', 'invert'), ('note', 'x' * 500)])), None)
        eq(kept(post([], '?colour=red')), None)
        for fields, query, why in [([('op', 'rotate')], '', 'op must be'), ([], '?op=resize', 'width'),
                                   ([('op', 'blur')], '?op=blur', 'twice'), ([('op', 'x' * 5000)], '', 'sensible'),
                                   ([], '?op=blur&radius=1e9', 'radius must be'), ([('width', '5')], '', 'not for invert')]:
            answer = post(fields, query)
            eq((fields, query, answer.status), (fields, query, 400))
            assert why in answer.text, (why, answer.text)
        eq(app.db('GET', '/metrics').text.count('state="created"} 0'), 1)  # none of them left a task behind
        # What comes round the master is checked by the worker: a dead letter with the reason.
        task = app.db('POST', '/task', headers={'X-Task-Params': 'op=rotate'}).text
        upload(app.storage, PNG, f'/upload/{task}?kind=input')
        app.db('POST', f'/task/{task}/ready')
        assert dead(app, task).startswith('the parameters: op must be'), dead(app, task)
        eq(app.db('POST', '/task', headers={'X-Task-Params': 'a b'}).status, 400)


def test_jpeg():
    with App() as app:
        app.start_all(workers=1)
        pictures = {'baseline': jpeg(*PICTURE, '-quality', '95'), 'progressive': jpeg(*PICTURE, '-interlace', 'JPEG'),
                    'gray': jpeg(*PICTURE, '-colorspace', 'gray')}
        for name, data in pictures.items():
            for params, want in (('', ('JPEG', 240, 160)), ('op=edges&format=png', ('PNG', 240, 160)),
                                 ('op=thumbnail&size=48', ('JPEG', 48, 32))):
                task = ask(app, data, params).headers['X-Task-Id']
                finished(app, task)
                answer = app.master('GET', f'/task/{task}/download')
                eq((name, params, identify(answer.body)), (name, params, want))
                eq(answer.headers['Content-Type'], 'image/' + want[0].lower())
        source = app.path('source.jpg')
        with open(source, 'wb') as f:
            f.write(pictures['baseline'])
        task = ask(app, pictures['baseline'], 'format=png').headers['X-Task-Id']
        finished(app, task)
        result = app.master('GET', f'/task/{task}/download').body
        far = furthest(app, 'negative', result, [source, '-negate'])
        assert far <= 3, far  # two decoders
        for name, data, why in (('cut', pictures['baseline'][:-500], 'remature end'),
                                ('head only', pictures['progressive'][:300], ''),
                                ('garbage', b'\xff\xd8\xff' + bytes(range(256)) * 9, ''),
                                ('cmyk', jpeg(*PICTURE, '-colorspace', 'CMYK'), 'CMYK')):
            task = ask(app, data, 'op=blur').headers['X-Task-Id']
            reason = dead(app, task)
            assert reason.startswith('the picture: ') and why in reason, (name, reason)
        eq(ask(app, b'GIF89a' + b'x' * 50, '').status, 415)
        eq(app.workers[0].proc.poll(), None)


def exif(data, turn, order):
    """The JPEG data with an orientation and what else cameras write."""
    ends = '<' if order == b'II' else '>'
    entries = struct.pack(ends + 'HHIHH', 0x0100, 3, 1, 240, 0) + struct.pack(ends + 'HHIHH', 0x0112, 3, 1, turn, 0)
    tiff = order + struct.pack(ends + 'HIH', 42, 8, 2) + entries + struct.pack(ends + 'I', 0) + b'A Camera'
    return data[:2] + b'\xff\xe1' + struct.pack('>H', 8 + len(tiff)) + b'Exif\0\0' + tiff + data[2:]


def test_orientation():
    """As ImageMagick shows it, whatever it is in the file; a JPEG may keep it there, with nothing else of what the camera wrote."""
    with App() as app:
        app.start_all(workers=1)
        plain = jpeg('-size', '240x160', 'plasma:red-blue', '-quality', '95')
        for turn, order, params, want in ((6, b'II', 'op=resize&width=40&format=png', ['-filter', 'Triangle', '-resize', '40x60!']),
                                          (8, b'MM', 'op=resize&width=40', ['-filter', 'Triangle', '-resize', '40x60!']),
                                          (3, b'MM', 'op=invert', ['-negate']), (5, b'II', 'format=png', ['-negate'])):
            data = exif(plain, turn, order)
            task = ask(app, data, params).headers['X-Task-Id']
            finished(app, task)
            result = app.master('GET', f'/task/{task}/download').body
            assert b'A Camera' not in result
            paths = [app.path(n) for n in ('turned.jpg', 'shown.png')]
            for path, content in zip(paths, (data, result)):
                with open(path, 'wb') as f:
                    f.write(content)
            shown = subprocess.run([magick(), paths[1], '-auto-orient', 'PNG24:-'], check=True, capture_output=True).stdout
            # Two decoders, and JPEG once more, of which single samples may be far off: on the whole.
            far = furthest(app, 'turned', shown, [paths[0], '-auto-orient', *want], 'RMSE')
            assert far <= 10, (turn, params, far)


def chunk(kind, data):
    return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))


def black(width, height):
    """A PNG of one bit a pixel; ImageMagick would take a gigabyte for a large one."""
    rows = zlib.compress(bytes((1 + (width + 7) // 8) * height))
    return b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', width, height, 1, 0, 0, 0, 0)) + \
        chunk(b'IDAT', rows) + chunk(b'IEND', b'')


def test_large():
    """50 megapixels are within the limit: inverted row by row within little memory, refused where it does not suffice."""
    with App() as app:
        app.start_all(workers=1, worker_env={'MICRO_WORKER_MEMORY_MIB': '32'})
        tasks = [ask(app, data, params).headers['X-Task-Id']
                 for data, params in ((black(8000, 6250), ''), (black(8000, 6250), 'op=blur'), (black(8000, 6251), ''))]
        finished(app, tasks[0])
        result = app.master('GET', f'/task/{tasks[0]}/download').body
        eq(struct.unpack('>II', result[16:24]), (8000, 6250))
        assert 'needs 50 MiB of memory, there are 32' in dead(app, tasks[1]), dead(app, tasks[1])
        assert 'too many pixels' in dead(app, tasks[2]), dead(app, tasks[2])
        with open(f'/proc/{app.workers[0].proc.pid}/status') as f:
            peak = next(int(line.split()[1]) for line in f if line.startswith('VmHWM'))
        assert peak < 20 * 1024, f'{peak} KiB'


def test_several():
    """One worker does several at a time, each its own way, and drains on SIGTERM: what it holds is finished."""
    with App() as app:
        app.start_all(workers=1, worker_env={'MICRO_WORKER_SLOTS': '8', 'MICRO_WORKER_THREADS': '4'})
        data = png('-size', '400x300', 'plasma:red-blue', 'PNG24:-')
        tasks = [None] * 24

        def work(i):
            tasks[i] = ask(app, data, f'op=resize&width={10 + i}').headers['X-Task-Id']

        parallel(24, work)
        for i, task in enumerate(tasks):
            finished(app, task)
            eq(identify(app.master('GET', f'/task/{task}/download').body)[1], 10 + i)
        tasks = [ask(app, data, 'op=blur&radius=30').headers['X-Task-Id'] for _ in range(8)]
        finished(app, tasks[0])
        app.workers[0].stop()
        eq(app.workers[0].proc.returncode, 0)
        states = [t['state'] for t in app.db('GET', '/tasks?ids=' + ','.join(tasks)).json()['tasks']]
        assert 'leased' not in states and 'finished' in states, states


def test_little_room():
    """A worker whose memory takes one picture beside the one in work: the others wait, also for those that fail, and all are done."""
    with App() as app:
        app.start_all(workers=1, worker_env={'MICRO_WORKER_HOLD_MIB': '0'})
        good, bad = png(*PICTURE, 'PNG24:-'), png(*PICTURE, 'PNG24:-')[:-200]
        pictures = [bad if n % 3 == 1 else good for n in range(12)]
        tasks = [t.headers['X-Task-Id'] for t in parallel(12, lambda n: ask(app, pictures[n], 'op=grayscale'))]
        for n, task in enumerate(tasks):
            (dead if n % 3 == 1 else finished)(app, task)
        until('nothing is held', lambda: 'micro_worker_held_bytes 0\n' in app.workers[0]('GET', '/metrics').text)


if __name__ == '__main__':
    main([test_operations, test_parameters, test_jpeg, test_orientation, test_large, test_several, test_little_room])
