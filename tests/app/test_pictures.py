# SPDX-License-Identifier: Apache-2.0
"""Pictures of many types through the whole application, compared pixel by pixel with ImageMagick's -negate."""
import subprocess

from app import App, eq, finished, magick, main, png, until, upload

BASE = ['-size', '67x45', 'plasma:red-blue']
TYPES = {
    'rgb8': BASE + ['-depth', '8', 'PNG24:-'],
    'rgba8': BASE + ['-alpha', 'set', '-channel', 'A', '-evaluate', 'multiply', '0.6', '+channel', 'PNG32:-'],
    'rgb16': BASE + ['-depth', '16', 'PNG48:-'],
    'rgba16': BASE + ['-alpha', 'set', '-channel', 'A', '-evaluate', 'multiply', '0.3', '+channel', 'PNG64:-'],
    'gray8': ['-size', '67x45', 'gradient:', '-colorspace', 'gray', '-depth', '8', '-define', 'png:color-type=0', 'png:-'],
    'gray16': ['-size', '67x45', 'gradient:', '-colorspace', 'gray', '-define', 'png:color-type=0', '-define',
               'png:bit-depth=16', 'png:-'],
    'gray_alpha': ['-size', '67x45', 'gradient:', '-colorspace', 'gray', '-alpha', 'set', '-channel', 'A', '-evaluate',
                   'multiply', '0.5', '+channel', '-depth', '8', '-define', 'png:color-type=4', '-define', 'png:bit-depth=8', 'png:-'],
    'gray_alpha16': ['-size', '67x45', 'gradient:', '-colorspace', 'gray', '-alpha', 'set', '-channel', 'A', '-evaluate',
                     'multiply', '0.5', '+channel', '-define', 'png:color-type=4', '-define', 'png:bit-depth=16', 'png:-'],
    'bilevel': ['-size', '67x45', 'pattern:checkerboard', '-threshold', '50%', '-define', 'png:color-type=0', '-define',
                'png:bit-depth=1', 'png:-'],
    'gray2': ['-size', '67x45', 'gradient:', '-posterize', '4', '-define', 'png:color-type=0', '-define', 'png:bit-depth=2',
              'png:-'],
    'gray4': ['-size', '67x45', 'gradient:', '-posterize', '16', '-define', 'png:color-type=0', '-define',
              'png:bit-depth=4', 'png:-'],
    'palette8': BASE + ['-colors', '200', 'PNG8:-'],
    'palette4': BASE + ['-colors', '12', '-define', 'png:color-type=3', '-define', 'png:bit-depth=4', 'png:-'],
    'palette1': ['-size', '67x45', 'pattern:checkerboard', '-fill', 'red', '-opaque', 'black', '-define',
                 'png:color-type=3', '-define', 'png:bit-depth=1', 'png:-'],
    'palette_transparent': BASE + ['-colors', '30', '-transparent', 'red', 'PNG8:-'],
    'interlaced': BASE + ['-interlace', 'PNG', 'PNG24:-'],
    'interlaced16': BASE + ['-interlace', 'PNG', '-alpha', 'set', 'PNG64:-'],
    'interlaced_palette': BASE + ['-colors', '9', '-interlace', 'PNG', 'PNG8:-'],
    'one_pixel': ['-size', '1x1', 'xc:#123456', 'PNG24:-'],
    'wide': ['-size', '5000x1', 'gradient:red-blue', 'PNG24:-'],
    'large': ['-size', '900x700', 'plasma:fractal', 'PNG24:-'],
}
# These are written at the depth and type that the name says only when ImageMagick did what it was told.
KIND = {'rgb8': (8, 2), 'rgba8': (8, 6), 'rgb16': (16, 2), 'rgba16': (16, 6), 'gray8': (8, 0), 'gray16': (16, 0),
        'gray_alpha': (8, 4), 'gray_alpha16': (16, 4), 'bilevel': (1, 0), 'gray2': (2, 0), 'gray4': (4, 0),
        'palette8': (8, 3), 'palette4': (4, 3)}


def different_pixels(app, name, result, data):
    """Pixels in which result differs from the negative of data; all channels, all bits."""
    paths = [app.path(f'{name}-{n}.png') for n in ('in', 'out', 'want')]
    for path, content in zip(paths, (data, result)):
        with open(path, 'wb') as f:
            f.write(content)
    subprocess.run([magick(), paths[0], '-channel', 'RGB', '-negate', '+channel', 'PNG64:' + paths[2]], check=True)
    out = subprocess.run([magick('compare'), '-metric', 'AE', paths[1], paths[2], 'null:'], stderr=subprocess.PIPE, text=True)
    return out.stderr.split()[0]


def test_types():
    pictures = {name: png(*args) for name, args in TYPES.items()}
    for name, (depth, color) in KIND.items():
        eq((name, pictures[name][24], pictures[name][25]), (name, depth, color))
    with App() as app:
        app.start_all(workers=2)
        tasks = {name: upload(app.master, data).headers['X-Task-Id'] for name, data in pictures.items()}
        for name, task in tasks.items():
            finished(app, task)
            result = app.master('GET', f'/task/{task}/download').body
            eq((name, different_pixels(app, name, result, pictures[name])), (name, '0'))
            eq((name, result[24:26]), (name, pictures[name][24:26]))  # depth and type stay
            assert result != pictures[name]


def test_transparent_colour():
    """tRNS of pictures without alpha channel: the transparent colour moves with its pixels."""
    import struct
    import zlib

    def chunk(kind, data):
        return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))

    def picture(color, depth, trns, row):
        head = struct.pack('>IIBBBBB', 4, 1, depth, color, 0, 0, 0)
        return b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', head) + chunk(b'tRNS', trns) + \
            chunk(b'IDAT', zlib.compress(b'\0' + row)) + chunk(b'IEND', b'')

    pictures = {
        'gray': picture(0, 8, b'\0\x40', b'\x00\x40\x80\xff'),
        'gray2': picture(0, 2, b'\0\x01', b'\x1b'),
        'rgb': picture(2, 8, b'\0\x01\0\x02\0\x03', b'\x01\x02\x03\xff\x00\x80\x01\x02\x03\x09\x08\x07'),
        'gray16': picture(0, 16, b'\x12\x34', b'\x12\x34\x00\x00\xff\xff\x43\x21'),
    }
    with App() as app:
        app.start_all(workers=1)
        for name, data in pictures.items():
            task = upload(app.master, data).headers['X-Task-Id']
            finished(app, task)
            result = app.master('GET', f'/task/{task}/download').body
            eq((name, different_pixels(app, 't-' + name, result, data)), (name, '0'))


def test_hostile():
    """Each fails with a reason; the worker lives and does the next one."""
    import struct
    import zlib

    def chunk(kind, data, crc=None):
        crc = zlib.crc32(kind + data) if crc is None else crc
        return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', crc)

    def head(w, h, depth=8, color=2, interlace=0):
        return b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', w, h, depth, color, 0, 0, interlace))

    end = chunk(b'IEND', b'')
    row = zlib.compress(b'\0' + b'\1\2\3' * 4)
    good = head(4, 1) + chunk(b'IDAT', row) + end
    bad = {
        'cut': png(*BASE, 'PNG24:-')[:-400],
        'no end': good[:-12],
        'no data': head(4, 1) + end,
        'checksum': head(4, 1) + chunk(b'IDAT', row, 1) + end,
        'header checksum': head(4, 1)[:-1] + b'\0' + chunk(b'IDAT', row) + end,
        'huge': head(0x7fffffff, 0x7fffffff) + chunk(b'IDAT', row) + end,
        'bomb': head(30000, 30000, 16, 6) + chunk(b'IDAT', row) + end,
        'interlaced bomb': head(6000, 6000, 16, 6, 1) + chunk(b'IDAT', row) + end,
        'no size': head(0, 0) + chunk(b'IDAT', row) + end,
        'bad depth': head(4, 1, 3) + chunk(b'IDAT', row) + end,
        'bad colour': head(4, 1, 8, 5) + chunk(b'IDAT', row) + end,
        'no palette': head(4, 1, 8, 3) + chunk(b'IDAT', zlib.compress(b'\0' * 5)) + end,
        'short data': head(4, 4) + chunk(b'IDAT', row) + end,
        'garbage data': head(4, 1) + chunk(b'IDAT', b'garbage!') + end,
        'long chunk': head(4, 1) + b'\x7f\xff\xff\xffIDAT' + row + end,
    }
    with App() as app:
        app.start_all(workers=1, db={'MICRO_DB_MAX_ATTEMPTS': '1'})
        names = {}
        for name, data in bad.items():
            answer = upload(app.master, data)
            eq((name, answer.status), (name, 200))
            names[int(answer.headers['X-Task-Id'])] = name
        until('all are dead', lambda: app.db('GET', '/dead').json()['total'] == len(bad))
        for task in app.db('GET', '/dead').json()['tasks']:
            assert task['reason'].startswith('the picture: '), (names[task['id']], task)
        task = upload(app.master, good).headers['X-Task-Id']
        finished(app, task)
        eq(app.workers[0].proc.poll(), None)


if __name__ == '__main__':
    main([test_types, test_transparent_colour, test_hostile])
