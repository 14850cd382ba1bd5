"""Writes the table and the pictures of `docs/performance.md`: `python -m bench.report AFTER.json [BEFORE.json]`.

Both files are of `python -m bench --json`. With `BEFORE.json` the pictures show both states.
"""

import json
import sys
from math import log10
from pathlib import Path
from typing import Any

from bench.figures import Figure, table

DOCS = Path(__file__).parents[1] / "docs"
PAGE, PICTURES = DOCS / "performance.md", DOCS / "pictures"
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"

WIDTH, ROW, LEFT, RIGHT, TOP = 720, 26, 200, 90, 34
BEFORE_COLOUR, AFTER_COLOUR, FLOOR_COLOUR = "#b8b8b8", "#1f6f8b", "#d98e04"

Bars = list[tuple[str, list[tuple[str, float | None]]]]
"""For each line its name and, for each series, the colour and the value."""


def read(file: Path) -> dict[str, Figure]:
    """The figures of a run, by name."""
    lines: list[dict[str, Any]] = json.loads(file.read_text())
    found = (Figure(line["name"], line["unit"], line["product"], line["floor"], line.get("details", {})) for line in lines)
    return {figure.name: figure for figure in found}


def bars(title: str, unit: str, legend: list[tuple[str, str]], lines: Bars, *, logarithmic: bool = False) -> str:
    """A picture of horizontal bars, as SVG. `legend`: the name and the colour of each series."""
    values = [value for _, series in lines for _, value in series if value]
    least = min(values) / 2 if logarithmic else 0.0
    most = max(values)

    def length(value: float) -> float:
        share = log10(value / least) / log10(most / least) if logarithmic else value / most
        return max(share, 0.005) * (WIDTH - LEFT - RIGHT)

    parts, y = [], TOP + 24
    x = LEFT
    for name, colour in legend:
        parts.append(f'<rect x="{x}" y="{TOP - 8}" width="12" height="12" fill="{colour}"/>')
        parts.append(f'<text x="{x + 18}" y="{TOP + 2}">{name}</text>')
        x += 30 + 8 * len(name)
    for name, series in lines:
        shown = [(colour, value) for colour, value in series if value]
        parts.append(f'<text x="{LEFT - 8}" y="{y + 7 * len(shown) + 4}" text-anchor="end">{name}</text>')
        for colour, value in shown:
            parts.append(f'<rect x="{LEFT}" y="{y}" width="{length(value):.1f}" height="12" fill="{colour}"/>')
            parts.append(f'<text x="{LEFT + length(value) + 6:.1f}" y="{y + 10}">{value:,.4g}</text>')
            y += 14
        y += ROW - 14
    scale = ", logarithmic scale" if logarithmic else ""
    heading = f'<text x="8" y="16" font-weight="bold">{title} ({unit}{scale})</text>'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{y}" font-family="sans-serif" font-size="12">'
    background = f'<rect width="{WIDTH}" height="{y}" fill="white"/>'
    return "\n".join([head, background, heading, *parts, "</svg>", ""])


def ratios(after: dict[str, Figure], before: dict[str, Figure]) -> str:
    """How many times the product is slower or dearer than its floor, before and after."""

    def times(figure: Figure | None) -> float | None:
        if figure is None or figure.ratio is None:
            return None
        is_rate = figure.unit.endswith("/s") and not figure.unit.startswith("ms")
        return 1 / figure.ratio if is_rate else figure.ratio

    names = [name for name, figure in after.items() if figure.ratio]
    lines: Bars = [(name, [(BEFORE_COLOUR, times(before.get(name))), (AFTER_COLOUR, times(after[name]))]) for name in names]
    legend = [("before", BEFORE_COLOUR), ("now", AFTER_COLOUR)]
    return bars("How many times its floor", "1 is as fast as the floor", legend, lines, logarithmic=True)


def life(after: dict[str, Figure], before: dict[str, Figure]) -> str:
    """The processor time of a life in each process."""

    def of(figures: dict[str, Figure], side: str) -> dict[str, float]:
        return figures["lives"].details.get(side, {}).get("cpu_ms_by_process", {}) if "lives" in figures else {}

    now, then, floor = of(after, "product"), of(before, "product"), of(after, "floor")
    lines: Bars = [
        (name, [(BEFORE_COLOUR, then.get(name)), (AFTER_COLOUR, cost), (FLOOR_COLOUR, floor.get(name))])
        for name, cost in now.items()
        if cost >= 1
    ]
    legend = [("before", BEFORE_COLOUR), ("now", AFTER_COLOUR), ("floor", FLOOR_COLOUR)]
    return bars("Processor time of one life", "ms", legend, lines)


def main() -> None:
    """Reads the files and writes the page and the pictures."""
    after = read(Path(sys.argv[1]))
    before = read(Path(sys.argv[2])) if len(sys.argv) > 2 else {}
    PICTURES.mkdir(exist_ok=True)
    (PICTURES / "bench-ratios.svg").write_text(ratios(after, before))
    if "lives" in after:
        (PICTURES / "bench-life.svg").write_text(life(after, before))
    page = PAGE.read_text()
    head, rest = page.split(BEGIN)
    PAGE.write_text(f"{head}{BEGIN}\n{table(after.values())}\n{END}{rest.split(END)[1]}")


if __name__ == "__main__":
    main()
