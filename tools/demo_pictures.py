# SPDX-License-Identifier: Apache-2.0
"""
The demonstration's pictures: real PNG files of many kinds made by ImageMagick, and the check of a result. The judge is
ImageMagick, not our worker: a result must be what `convert in -channel RGB -negate` gives, to the last bit of every pixel.
"""
import os
import subprocess

# name, options of convert, output prefix (the PNG kind). Noise does not compress: those are the big ones.
KINDS = [
    ("rgb-gradient", ["-size", "64x64", "gradient:red-blue"], "PNG24:"),
    ("rgb-plasma", ["-size", "640x480", "plasma:fractal"], "PNG24:"),
    ("rgba-gradient", ["-size", "320x200", "gradient:rgba(255,0,0,1.0)-rgba(0,40,255,0.2)"], "PNG32:"),
    ("rgba-noise", ["-size", "200x150", "xc:rgba(10,200,90,0.6)", "+noise", "Random"], "PNG32:"),
    ("gray", ["-size", "256x256", "gradient:", "-colorspace", "Gray", "-define", "png:color-type=0"], "PNG:"),
    ("gray-alpha", ["-size", "120x90", "gradient:rgba(255,255,255,0.9)-rgba(0,0,0,0.3)", "-define",
                    "png:color-type=4"], "PNG:"),
    ("gray-16", ["-size", "300x100", "gradient:", "-depth", "16", "-define", "png:color-type=0", "-define",
                 "png:bit-depth=16"], "PNG:"),
    ("one-bit", ["-size", "100x77", "pattern:checkerboard", "-monochrome", "-define", "png:color-type=0", "-define",
                 "png:bit-depth=1"], "PNG:"),
    ("palette", ["-size", "128x128", "plasma:tomato-steelblue", "-colors", "200"], "PNG8:"),
    ("palette-4", ["-size", "65x33", "gradient:navy-gold", "-colors", "4"], "PNG8:"),
    ("rgb-16", ["-size", "200x200", "plasma:red-yellow", "-depth", "16"], "PNG48:"),
    ("rgba-16", ["-size", "150x60", "gradient:rgba(255,10,0,0.8)-rgba(0,99,255,0.4)", "-depth", "16"], "PNG64:"),
    ("interlaced", ["-size", "200x333", "plasma:green-black", "-interlace", "PNG"], "PNG24:"),
    ("one-pixel", ["-size", "1x1", "xc:#204060"], "PNG24:"),
    ("wide", ["-size", "3000x2", "gradient:white-purple"], "PNG24:"),
    ("tall", ["-size", "2x3000", "gradient:black-orange"], "PNG24:"),
    ("photo-like", ["-size", "1600x1200", "plasma:lightblue-brown", "-blur", "0x2"], "PNG24:"),
    ("noise-1", ["-size", "900x900", "xc:gray50", "-channel", "RGB", "+noise", "Random"], "PNG24:"),
    ("noise-2", ["-size", "1000x850", "xc:gray50", "-channel", "RGB", "+noise", "Random"], "PNG24:"),
    ("noise-3", ["-size", "820x1000", "xc:gray50", "-channel", "RGB", "+noise", "Random"], "PNG24:"),
]
BIG_BYTES = 2_000_000


class Picture:
    def __init__(self, name, path):
        self.name, self.path = name, path
        self.bytes = os.path.getsize(path)
        self.task = None  # id that the master gave it

    @property
    def big(self):
        return self.bytes >= BIG_BYTES


def run(argv):
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
    if done.returncode:
        raise RuntimeError(f"{argv[0]} failed: {done.stderr.strip() or done.stdout.strip()}")
    return done


def make(folder, seed):
    """All kinds as files in a folder, small ones first. The seed makes a run repeatable."""
    pictures = []
    for index, (name, options, kind) in enumerate(KINDS):
        path = os.path.join(folder, f"{name}.png")
        run(["convert", "-seed", str(seed + index), *options, kind + path])
        pictures.append(Picture(name, path))
    if not any(p.big for p in pictures):
        raise RuntimeError(f"no picture has {BIG_BYTES} bytes")
    return pictures


def pixels(path):
    """Every pixel with 16 bits per channel, alpha included."""
    return subprocess.run(["convert", path, "-depth", "16", "RGBA:-"], stdin=subprocess.DEVNULL, check=True,
                          capture_output=True, timeout=120).stdout


def check(picture, result, folder, tag=""):
    """None when the result is the exact inverse of the picture, else what is wrong."""
    with open(result, "rb") as f:
        if f.read(8) != b"\x89PNG\r\n\x1a\n":
            return "is no PNG file"
    wanted = os.path.join(folder, f"{picture.name}-{tag}-wanted.png")
    run(["convert", picture.path, "-channel", "RGB", "-negate", wanted])
    compared = subprocess.run(["compare", "-metric", "AE", wanted, result, "null:"], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=120)
    differing = compared.stderr.strip()
    if compared.returncode or differing != "0":
        return f"differs from the exact inverse in {differing} pixels"
    if pixels(wanted) != pixels(result):
        return "has other samples than the exact inverse"
    return None
