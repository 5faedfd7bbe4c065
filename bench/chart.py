# SPDX-License-Identifier: Apache-2.0
"""SVG charts without a library: the distribution of times of several kinds, one step line each, on a logarithmic axis; a flame chart of one start."""
import html
import math

WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 900, 480, 60, 40, 230, 50
COLOURS = ("#1f5fa8", "#c8502e", "#3c8d40", "#8a4fa0", "#b08a1e", "#2a9494", "#666666", "#d0457e", "#5b7d1f", "#333399")


def ticks(low, high):
    """1, 2 and 5 of each power of ten between the two, one outside on each side."""
    for power in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1):
        yield from (d * 10.0 ** power for d in (1, 2, 5))


def distributions(path, title, rows, unit="ms"):
    """rows: (name, values), values above zero. x: time; y: share of the starts that took no longer."""
    rows = [(name, sorted(values)) for name, values in rows if values]
    low = min(values[0] for _, values in rows)
    high = max(values[-1] for _, values in rows)
    span = math.log10(high / low) or 1
    wide, high_px = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def x(value):
        return LEFT + wide * math.log10(value / low) / span

    def y(share):
        return TOP + high_px * (1 - share)

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">',
           f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>', f'<text x="{LEFT}" y="24" font-size="15">{html.escape(title)}</text>']
    for share in (0, 0.25, 0.5, 0.75, 0.9, 1):
        out.append(f'<line x1="{LEFT}" x2="{LEFT + wide}" y1="{y(share):.1f}" y2="{y(share):.1f}" stroke="#ddd"/>'
                   f'<text x="{LEFT - 8}" y="{y(share) + 4:.1f}" text-anchor="end">{share * 100:.0f} %</text>')
    for value in ticks(low, high):
        if low <= value <= high:
            out.append(f'<line x1="{x(value):.1f}" x2="{x(value):.1f}" y1="{TOP}" y2="{TOP + high_px}" stroke="#ddd"/>'
                       f'<text x="{x(value):.1f}" y="{TOP + high_px + 18}" text-anchor="middle">{value:g}</text>')
    out.append(f'<text x="{LEFT + wide / 2}" y="{HEIGHT - 12}" text-anchor="middle">{unit}, logarithmic; share of starts that took no longer</text>')
    for n, (name, values) in enumerate(rows):
        colour, points, before = COLOURS[n % len(COLOURS)], [], 0.0
        for i, value in enumerate(values):
            share = (i + 1) / len(values)
            points += [f"{x(value):.1f},{y(before):.1f}", f"{x(value):.1f},{y(share):.1f}"]
            before = share
        middle = values[(len(values) - 1) // 2]
        out.append(f'<polyline points="{" ".join(points)}" fill="none" stroke="{colour}" stroke-width="1.8"/>'
                   f'<rect x="{LEFT + wide + 14}" y="{TOP + 20 * n}" width="12" height="12" fill="{colour}"/>'
                   f'<text x="{LEFT + wide + 32}" y="{TOP + 20 * n + 11}">{html.escape(name)} (p50 {middle:.2f})</text>')
    out.append("</svg>\n")
    with open(path, "w", encoding="ascii") as f:
        f.write("\n".join(out))


# Whose call each step is of: a row below its caller's. The client's request spans the start; within it the manager's, the monitor's, the guest's.
DEPTH = {"client": 0, "manager": 1, "monitor": 2, "libos": 3, "program": 4}
ROW_PX = 30
NARROW_PX = 7  # of a letter


def spans(steps, begin_us, end_us):
    """(row, name, from, to) of each: a row is one caller's, each of its steps reaches from the one before it to its own time. What comes behind the answer
    is left out. steps: (whose, name, microseconds)."""
    own = {by: sorted((us, name) for whose, name, us in steps if whose == by and begin_us < us <= end_us) for by in DEPTH}
    told = dict((name, us) for us, name in own["client"])
    yield 0, "from the request to the first answer", begin_us, end_us
    at = begin_us
    for name, what in (("told", "POST /vm/run"), ("connected", "connect"), ("answered", "GET, first line of the answer")):
        to = told.get(name, end_us)
        yield 1, what, at, to
        at = to
    for by, row, first in (("manager", 2, 0.0), ("monitor", 3, None), ("libos", 4, None)):
        before = first if first is not None else max([us for us, name in own["manager"] if name == "sent"] or [0.0])
        if by == "libos":
            before = max([us for us, name in own["monitor"] if name == "vCPU enters"] or [before])
        for us, name in own[by]:
            yield row, f"{by}: {name}", before, us
            before = us
    frame = [us for us, name in own["libos"] if name == "first frame in"]
    begins = max([us for us, name in own["monitor"] if name == "program begins"] + frame + [0.0])
    if begins:
        yield 5, "program, and what the libOS does for it", begins, end_us


def flame_chart(path, title, steps, begin_us, end_us):
    """
    One start as a flame chart: time to the right, a row for each depth of the call, the client's on top; what lies below is done within it. steps: (whose,
    name, microseconds since the manager was asked).
    """
    rows = list(spans(steps, begin_us, end_us))
    depth = 1 + max(row for row, *_ in rows)
    wide, high = WIDTH - LEFT - 20, TOP + ROW_PX * depth + BOTTOM

    def x(us):
        return LEFT + wide * (us - begin_us) / (end_us - begin_us)

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {high}" font-family="sans-serif" font-size="11">',
           f'<rect width="{WIDTH}" height="{high}" fill="white"/>', f'<text x="{LEFT}" y="24" font-size="15">{html.escape(title)}</text>']
    tick = 10.0 ** math.floor(math.log10(end_us / 4))
    tick *= next((d for d in (1, 2, 5) if end_us / (tick * d) <= 12), 10)
    for n in range(int(end_us / tick) + 1):
        out.append(f'<line x1="{x(n * tick):.1f}" x2="{x(n * tick):.1f}" y1="{TOP}" y2="{high - BOTTOM}" stroke="#ddd"/>'
                   f'<text x="{x(n * tick):.1f}" y="{high - BOTTOM + 16}" text-anchor="middle">{n * tick:g}</text>')
    for row, name, begin, end in rows:
        left, width, y = x(begin), max(1.0, x(end) - x(begin)), TOP + ROW_PX * row
        label = f"{name} {end - begin:.0f}"
        shown = label[:max(0, int(width / NARROW_PX))]
        out.append(f'<g><title>{html.escape(f"{name}: {begin:.0f} to {end:.0f} us")}</title>'
                   f'<rect x="{left:.1f}" y="{y}" width="{width:.1f}" height="{ROW_PX - 2}" fill="{COLOURS[row % len(COLOURS)]}" '
                   f'fill-opacity="0.55" stroke="white"/><text x="{left + 3:.1f}" y="{y + 18}">{html.escape(shown)}</text></g>')
    out.append(f'<text x="{LEFT + wide / 2}" y="{high - 12}" text-anchor="middle">us since the manager was asked; of each how long it took; '
               'a row is called by the one above it</text></svg>\n')
    with open(path, "w", encoding="ascii") as f:
        f.write("\n".join(out))
