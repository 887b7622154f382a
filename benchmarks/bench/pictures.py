# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pictures, as SVG made by hand: small, the same for the same figures, with a background of their own."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

from bench.contenders import CONTENDERS
from bench.plan import LATENCIES, SIZES
from bench.results import Results
from bench.targets import RATE

TIME_PICTURE = "benchmark_time.svg"
RATE_PICTURE = "benchmark_rate.svg"

# Colour, dashes, marker; the last two so that nobody has to tell colours apart.
_STYLES = {
    "playbook": ("#0550ae", "", "circle"),
    "module": ("#0550ae", "5 4", "ring"),
    "sdk": ("#953800", "", "square"),
    "polite_sdk": ("#953800", "5 4", "square"),
    "uri": ("#6639ba", "2 3", "diamond"),
}
_INK, _FAINT, _LIMIT = "#1f2328", "#d1d9e0", "#cf222e"
_WIDTH = 960


def draw(results: Results) -> Mapping[str, str]:
    """File names and contents."""
    return {TIME_PICTURE: _times(results), RATE_PICTURE: _rates(results)}


def describe_times(results: Results) -> str:
    """The picture in words, on one line."""
    parts = []
    for latency, tasks in results.cells("sls"):
        named = [(one, results.wall("sls", one, latency, tasks)) for one in ("playbook", "module", "sdk", "uri")]
        shown = ", ".join(f"{CONTENDERS[one].words} {wall:.3g} s" for one, wall in named if wall is not None)
        if tasks == max(size for cell, size in results.cells("sls") if cell == latency):
            parts.append(f"{tasks:,} tasks at {latency} ms: {shown}")
    return f"Seconds against the number of failed tasks, both logarithmic. {'; '.join(parts)}."


def describe_rates(results: Results) -> str:
    """The picture in words, on one line."""
    bars = "; ".join(f"{one.words}, {one.value:.1f} ({one.remark})" for one in _bars(results))
    return f"Retries served in a second by CLS, whose limit is {RATE:g}. {bars}."


# -- time against number of tasks -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Scale:
    """Maps values to places, logarithmically."""

    low: float
    high: float
    begin: float
    end: float

    def __call__(self, value: float) -> float:
        share = (math.log10(value) - math.log10(self.low)) / (math.log10(self.high) - math.log10(self.low))
        return self.begin + share * (self.end - self.begin)


def _times(results: Results) -> str:
    walls = [one.wall for one in results.runs if one.service == "sls"]
    latencies = [latency for latency in LATENCIES if any(cell == latency for cell, _tasks in results.cells("sls"))]
    low = 10 ** math.floor(math.log10(min(walls, default=0.1)))
    high = 10 ** math.ceil(math.log10(max(walls, default=1000.0)))
    down = _Scale(low, high, 330, 60)
    body = [_text(20, 28, "SLS: seconds to retry so many failed tasks", size=17, weight="bold")]
    width = (_WIDTH - 80) / max(1, len(latencies))
    for number, latency in enumerate(latencies):
        left = 60 + number * width
        across = _Scale(SIZES[0] / 1.5, SIZES[-1] * 1.5, left, left + width - 40)
        body += _panel(results, latency, across, down)
    body += _legend(results, 385)
    return _svg(405, "Time by number of tasks", describe_times(results), body)


def _panel(results: Results, latency: int, across: _Scale, down: _Scale) -> list[str]:
    body = [_text((across.begin + across.end) / 2, 52, f"latency {latency} ms", anchor="middle", weight="bold")]
    decade = down.low
    while decade <= down.high * 1.001:
        body.append(_line(across.begin, down(decade), across.end, down(decade), _FAINT))
        body.append(_text(across.begin - 6, down(decade) + 4, f"{decade:g}", anchor="end"))
        decade *= 10
    for tasks in SIZES:
        body.append(_line(across(tasks), down.begin, across(tasks), down.end, _FAINT))
        body.append(_text(across(tasks), down.begin + 20, f"{tasks:,}", anchor="middle"))
    for contender in ("uri", "sdk", "playbook", "module"):
        points = [(across(tasks), results.wall("sls", contender, latency, tasks)) for tasks in SIZES]
        body += _curve(contender, [(x, down(wall)) for x, wall in points if wall is not None])
    return body


def _curve(contender: str, points: list[tuple[float, float]]) -> list[str]:
    colour, dashes, _marker = _STYLES[contender]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    line = f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dashes}"/>'
    return [line, *(_marker_at(contender, x, y) for x, y in points)]


def _marker_at(contender: str, x: float, y: float) -> str:
    colour, _dashes, marker = _STYLES[contender]
    if marker in ("circle", "ring"):
        fill = colour if marker == "circle" else "#ffffff"
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5" fill="{fill}" stroke="{colour}" stroke-width="2"/>'
    turn = f' transform="rotate(45 {x:.1f} {y:.1f})"' if marker == "diamond" else ""
    return f'<rect x="{x - 4:.1f}" y="{y - 4:.1f}" width="8" height="8" fill="{colour}"{turn}/>'


def _legend(results: Results, y: float) -> list[str]:
    body, x = [], 60.0
    for contender in ("playbook", "module", "sdk", "uri"):
        if any(one.contender == contender for one in results.runs if one.service == "sls"):
            colour, dashes, _marker = _STYLES[contender]
            body += [_line(x, y - 4, x + 34, y - 4, colour, dashes), _marker_at(contender, x + 17, y - 4)]
            words = CONTENDERS[contender].words
            body.append(_text(x + 42, y, words))
            x += 58 + 6.4 * len(words)
    return body


# -- requests a second against the limit ------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Bar:
    contender: str
    words: str
    value: float
    remark: str


def _bars(results: Results) -> list[_Bar]:
    """Of the largest number of tasks at each latency."""
    runs = [one for one in results.runs if one.service == "cls"]
    most = max((one.tasks for one in runs), default=0)
    order = list(CONTENDERS)
    shown = [one for one in runs if one.tasks == most]
    shown.sort(key=lambda run: (run.latency_ms, order.index(run.contender)))
    return [
        _Bar(
            run.contender,
            f"{CONTENDERS[run.contender].words}, {run.latency_ms} ms",
            run.rate or 0.0,
            f"{run.refused:,} of {run.calls:,} requests refused" if run.refused else "none refused",
        )
        for run in shown
    ]


def _rates(results: Results) -> str:
    bars = _bars(results)
    left, scale = 320.0, 18.0
    bottom = 70 + 34 * len(bars)
    body = [_text(20, 28, "CLS: retries served in a second", size=17, weight="bold")]
    for value in (0, 5, 10, 15):
        body.append(_line(left + value * scale, 48, left + value * scale, bottom, _FAINT))
        body.append(_text(left + value * scale, bottom + 18, str(value), anchor="middle"))
    for number, one in enumerate(bars):
        colour, y = _STYLES[one.contender][0], 60 + 34 * number
        length = max(1.0, one.value * scale)
        body.append(_text(left - 10, y + 16, one.words, anchor="end"))
        body.append(f'<rect x="{left:.1f}" y="{y:.1f}" width="{length:.1f}" height="22" fill="{colour}"/>')
        body.append(_text(left + max(length, RATE * scale) + 12, y + 16, f"{one.value:.1f}, {one.remark}"))
    body.append(_line(left + RATE * scale, 48, left + RATE * scale, bottom, _LIMIT, "6 3"))
    body.append(_text(left + RATE * scale, bottom + 18, f"limit: {RATE:g}", anchor="middle", colour=_LIMIT))
    return _svg(bottom + 35, "Requests a second against the limit", describe_rates(results), body)


# -- SVG --------------------------------------------------------------------------------------------------------------


def _svg(height: float, title: str, words: str, body: list[str]) -> str:
    size = f'viewBox="0 0 {_WIDTH} {height:.0f}" width="{_WIDTH}" height="{height:.0f}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" font-family="system-ui, sans-serif">'
    # On a background of its own it is as readable on a dark page as on a light one.
    paper = f'<rect width="{_WIDTH}" height="{height:.0f}" rx="8" fill="#ffffff" stroke="{_FAINT}"/>'
    return (
        "\n".join([head, f"<title>{escape(title)}</title>", f"<desc>{escape(words)}</desc>", paper, *body, "</svg>"])
        + "\n"
    )


def _text(
    x: float, y: float, words: str, *, anchor: str = "start", size: int = 13, weight: str = "normal", colour: str = _INK
) -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" font-weight="{weight}" fill="{colour}"'
    return f"<text {place}>{escape(words)}</text>"


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, dashes: str = "") -> str:
    place = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    width = 1 if colour == _FAINT else 2
    return f'<line {place} stroke="{colour}" stroke-width="{width}" stroke-dasharray="{dashes}"/>'
