# SPDX-License-Identifier: Apache-2.0
"""SVG charts without a library: the distribution of times of several kinds, one step line each, on a logarithmic axis."""
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
