# SPDX-License-Identifier: Apache-2.0
"""SVG charts without a library: the distribution of times of several kinds, one step line each, on a logarithmic axis; the steps of one start."""
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


LANES = ("manager", "monitor", "libos", "answer")
ROW_PX = 18


def boxes(steps, end_us):
    """Each step as (lane, name, from, to): from the one before of its lane, the first of a lane from the one before of any."""
    ordered = sorted(steps, key=lambda s: s[2])
    last, before = {}, 0.0
    for by, name, us in ordered:
        if us <= end_us:
            yield by, name, last.get(by, before), us
            last[by] = before = us
    yield "answer", "first answer at the client", before, end_us


def steps_chart(path, title, steps, end_us):
    """steps: (whose, name, microseconds since the request), up to the first answer at end_us; a lane each, time to the right."""
    rows = sorted(boxes(steps, end_us), key=lambda b: (LANES.index(b[0]) if b[0] in LANES else len(LANES), b[3]))
    wide, high = WIDTH - LEFT - 20, TOP + ROW_PX * len(rows) + BOTTOM

    def x(us):
        return LEFT + wide * us / end_us

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {high}" font-family="sans-serif" font-size="11">',
           f'<rect width="{WIDTH}" height="{high}" fill="white"/>', f'<text x="{LEFT}" y="24" font-size="15">{html.escape(title)}</text>']
    tick = 10.0 ** math.floor(math.log10(end_us / 4))
    tick *= next((d for d in (1, 2, 5) if end_us / (tick * d) <= 12), 10)
    for n in range(int(end_us / tick) + 1):
        out.append(f'<line x1="{x(n * tick):.1f}" x2="{x(n * tick):.1f}" y1="{TOP}" y2="{high - BOTTOM}" stroke="#ddd"/>'
                   f'<text x="{x(n * tick):.1f}" y="{high - BOTTOM + 16}" text-anchor="middle">{n * tick:g}</text>')
    for n, (by, name, begin, end) in enumerate(rows):
        y, left = TOP + ROW_PX * n, x(end) > LEFT + wide * 0.7
        colour = COLOURS[LANES.index(by) if by in LANES else len(LANES)]
        out.append(f'<rect x="{x(begin):.1f}" y="{y}" width="{max(1.0, x(end) - x(begin)):.1f}" height="{ROW_PX - 3}" fill="{colour}"/>'
                   f'<text x="{x(begin) - 4 if left else x(end) + 4:.1f}" y="{y + 12}" text-anchor="{"end" if left else "start"}">'
                   f'{html.escape(by)}: {html.escape(name)} {end - begin:.0f}</text>')
    out.append(f'<text x="{LEFT + wide / 2}" y="{high - 12}" text-anchor="middle">us since the request; of each step how long it took</text></svg>\n')
    with open(path, "w", encoding="ascii") as f:
        f.write("\n".join(out))
