# SPDX-License-Identifier: Apache-2.0
"""The chart of bench/scale as SVG: three plots above each other with one axis of time."""

WIDTH, PLOT, LEFT, RIGHT, TOP, GAP = 900, 150, 70, 20, 60, 42
INK, GRID, FIRST, SECOND = "#222", "#ddd", "#1f5fa8", "#c8501e"


def nice(top):
    """The next round number: what an axis ends at."""
    step = 1
    while True:
        for factor in (1, 2, 5):
            if factor * step >= top:
                return factor * step
        step *= 10


def text(x, y, s, anchor="start", size=12, color=INK):
    s = str(s).replace("&", "&amp;").replace("<", "&lt;")
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" fill="{color}">{s}</text>'


class Plot:
    def __init__(self, index, title, top, seconds):
        self.y0, self.top, self.seconds = TOP + index * (PLOT + GAP) + PLOT, nice(top), seconds
        self.parts = [text(LEFT, self.y0 - PLOT - 8, title, size=13)]
        for i in range(5 if self.top % 4 == 0 or self.top >= 20 else int(self.top) + 1):
            value = self.top * i / (4 if self.top % 4 == 0 or self.top >= 20 else self.top)
            y = self.y(value)
            self.parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="{GRID}"/>')
            self.parts.append(text(LEFT - 8, y + 4, f"{value:g}", "end", 11))

    def x(self, t):
        return LEFT + (WIDTH - LEFT - RIGHT) * min(max(t, 0), self.seconds) / self.seconds

    def y(self, value):
        return self.y0 - PLOT * min(value, self.top) / self.top

    def line(self, points, color, steps=False):
        path, last = [], None
        for t, value in points:
            if steps and last is not None:
                path.append(f"{self.x(t):.1f},{self.y(last):.1f}")
            path.append(f"{self.x(t):.1f},{self.y(value):.1f}")
            last = value
        self.parts.append(f'<polyline points="{" ".join(path)}" fill="none" stroke="{color}" stroke-width="1.8"/>')

    def dots(self, points, color):
        self.parts += [f'<circle cx="{self.x(t):.1f}" cy="{self.y(v):.1f}" r="1.8" fill="{color}" fill-opacity="0.6"/>'
                       for t, v in points]

    def legend(self, entries):
        x = WIDTH - RIGHT
        for label, color in reversed(entries):
            self.parts.append(text(x, self.y0 - PLOT - 8, label, "end", 12, color))
            x -= 7 * len(label) + 20


def draw(rows, tasks, phases, where, target_ms):
    """rows: (second, depth, oldest ms, wanted, running); tasks: (sent, ready) in seconds."""
    seconds = max([r[0] for r in rows] + [t[1] for t in tasks])
    depth = Plot(0, "tasks waiting or under way, and arriving per second", max([r[1] for r in rows] + [p[0] for p in phases]), seconds)
    depth.line([(r[0], r[1]) for r in rows], FIRST)
    at, arrivals = 0.0, []
    for rate, length in phases:
        arrivals += [(at, rate), (at + length, rate)]
        at += length
    depth.line([*arrivals, (at, 0), (seconds, 0)], SECOND)
    depth.legend([("in the queue", FIRST), ("arriving 1/s", SECOND)])
    workers = Plot(1, "workers", max(max(r[3], r[4]) for r in rows), seconds)
    workers.line([(r[0], r[3]) for r in rows], SECOND, steps=True)
    workers.line([(r[0], r[4]) for r in rows], FIRST, steps=True)
    workers.legend([("running", FIRST), ("wanted", SECOND)])
    ms = [(sent, (done - sent) * 1000) for sent, done in tasks]
    latency = Plot(2, "ms from arrival to result, of each picture at its arrival; age of the oldest task that waits",
                   max([m for _, m in ms] + [r[2] for r in rows]), seconds)
    latency.dots(ms, FIRST)
    latency.line([(r[0], r[2]) for r in rows], SECOND)
    latency.parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{latency.y(target_ms):.1f}" y2="{latency.y(target_ms):.1f}" '
                         f'stroke="{SECOND}" stroke-dasharray="4 4"/>')
    latency.legend([("pictures", FIRST), (f"oldest (target {target_ms} ms)", SECOND)])
    height = latency.y0 + 50
    ticks = [text(latency.x(t), latency.y0 + 18, f"{t} s", "middle", 11) for t in range(0, int(seconds) + 1, max(1, nice(seconds / 12)))]
    body = "\n".join([*depth.parts, *workers.parts, *latency.parts, *ticks])
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height:.0f}" viewBox="0 0 {WIDTH} {height:.0f}" '
            f'font-family="sans-serif">\n<rect width="100%" height="100%" fill="white"/>\n'
            f'{text(LEFT, 26, "Workers that follow the queue", size=16)}\n{text(WIDTH - RIGHT, height - 8, where, "end", 10)}\n{body}\n</svg>\n')
