# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

"""Tasks against the moment from which their service no longer shows them: the bars of a chart. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from ansible_collections.redrive.tasks.plugins.plugin_utils._document import iso

GROUPS = ("person", "way", "well")
"""From the bottom to the top of a bar: what a person must do, what is under way or to be retried, what is well."""

# How many hours a bar may stand for, and how many bars there may be: their numbers are readable on a phone.
_STEPS = (0.25, 0.5, 1, 2, 3, 4, 6, 12, 24)
_MOST_BARS = 12
# The plot, from the left edge in percent, from the upper edge in pixels.
_LEFT, _WIDTH = 2.0, 96.0
_TOP, _HEIGHT = 30, 130


class Block(NamedTuple):
    """A part of a bar."""

    group: str
    y: float
    height: float


class Bar(NamedTuple):
    """The tasks that expire from the end of the bar before until `until`.

    :ivar open_end: whether it holds all later ones as well
    :ivar numbers: by group
    """

    words: str
    until: str
    open_end: bool
    numbers: Mapping[str, int]
    x: float
    width: float
    blocks: tuple[Block, ...]

    @property
    def total(self) -> int:
        """Of all groups."""
        return sum(self.numbers.values())

    @property
    def middle(self) -> float:
        """Where its number stands."""
        return round(self.x + self.width / 2, 2)

    @property
    def top(self) -> float:
        """Of its uppermost block."""
        return min((block.y for block in self.blocks), default=_TOP + _HEIGHT)


class Mark(NamedTuple):
    """Words below the axis. `anchor` is start, middle or end."""

    x: float
    words: str
    anchor: str


class Timeline(NamedTuple):
    """The chart.

    :ivar limit: where the limit of the warning is; None where it is beyond the chart
    :ivar soon: open tasks that expire before that
    :ivar undated: open tasks of which nobody knows when they expire
    """

    bars: tuple[Bar, ...]
    marks: tuple[Mark, ...]
    limit: float | None
    totals: Mapping[str, int]
    soon: int
    undated: int
    left: float = _LEFT
    width: float = _WIDTH
    top: int = _TOP
    bottom: int = _TOP + _HEIGHT


def timeline(started: str, warning: float, tasks: Iterable[tuple[str | None, str]]) -> Timeline | None:
    """The chart, or None where no task has a known expiry.

    :param started: of the run, ISO 8601; the chart begins there, and what has expired before is in its first bar
    :param warning: hours
    :param tasks: the expiry of each, ISO 8601 or None, and its group
    """
    begin = _seconds(started)
    known = list(tasks)
    dated = [(max(0.0, (_seconds(moment) - begin) / 3600), group) for moment, group in known if moment]
    if not dated:
        return None
    last = max(hours for hours, _group in dated)
    step = next((one for one in _STEPS if last <= one * _MOST_BARS), _STEPS[-1])
    bars = max(1, min(math.ceil(last / step), _MOST_BARS))
    numbers = [dict.fromkeys(GROUPS, 0) for _bar in range(bars)]
    for hours, group in dated:
        # A bar holds what expires at its very end, as the warning does.
        numbers[min(max(math.ceil(hours / step) - 1, 0), bars - 1)][group] += 1
    highest = max(sum(one.values()) for one in numbers)
    beyond = last > step * bars
    return Timeline(
        bars=tuple(
            _bar(index, bars, step, one, highest, begin, beyond and index == bars - 1)
            for index, one in enumerate(numbers)
        ),
        marks=tuple(_marks(bars, step)),
        limit=round(_LEFT + _WIDTH * warning / (step * bars), 2) if warning <= step * bars else None,
        totals={group: sum(one[group] for one in numbers) for group in GROUPS},
        soon=sum(hours <= warning and group != "well" for hours, group in dated),
        undated=sum(not moment and group != "well" for moment, group in known),
    )


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment.replace("Z", "+00:00")).timestamp()


def _bar(
    index: int, bars: int, step: float, numbers: Mapping[str, int], highest: int, begin: float, open_end: bool
) -> Bar:
    blocks, foot = [], float(_TOP + _HEIGHT)
    for group in GROUPS:
        if numbers[group]:
            height = max(2.0, numbers[group] / highest * _HEIGHT)
            foot -= height
            blocks.append(Block(group, round(foot, 1), round(height, 1)))
    width = _WIDTH / bars
    until = iso(begin + (index + 1) * step * 3600)
    words = f"after {_hours(index * step)}" if open_end else f"{_hours(index * step)} to {_hours((index + 1) * step)}"
    return Bar(
        words=words,
        until=until,
        open_end=open_end,
        numbers=numbers,
        x=round(_LEFT + index * width, 2),
        width=round(width, 2),
        blocks=tuple(blocks),
    )


def _marks(bars: int, step: float) -> Iterable[Mark]:
    """At most five, with the first and as late a last one as fits."""
    every = math.ceil(bars / 4)
    for index in range(0, bars + 1, every):
        anchor = "start" if index == 0 else "end" if index == bars else "middle"
        yield Mark(round(_LEFT + _WIDTH * index / bars, 2), _hours(index * step) if index else "start", anchor)


def _hours(hours: float) -> str:
    if hours and hours < 1:
        return f"{hours * 60:g} min"
    return f"{hours / 24:g} d" if hours > 72 and hours % 24 == 0 else f"{hours:g} h"
