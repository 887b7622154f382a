# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was measured: one JSON file, with every single figure in it. Everything else is worked out from that."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any


@dataclass(frozen=True)
class Run:
    """One contender once.

    :ivar wall: seconds, as `cpu`
    :ivar peak: memory of the largest process, bytes; `output` is what was printed, bytes
    :ivar requests, calls, refused, retried, twice, strange, rate: as `cloud.Seen` has them
    :ivar alone: nothing else was measured at the same time
    """

    service: str
    contender: str
    latency_ms: int
    tasks: int
    wall: float
    cpu: float
    peak: int
    output: int
    requests: int
    calls: int
    refused: int
    retried: int
    twice: int
    strange: int
    rate: float | None
    alone: bool = True

    @property
    def whole(self) -> bool:
        """Every task was retried exactly once, and nothing was refused."""
        return self.retried == self.tasks and not (self.twice or self.strange or self.refused)


@dataclass(frozen=True)
class Skipped:
    """What was not run, and why."""

    service: str
    contender: str
    latency_ms: int
    tasks: int
    why: str


@dataclass(frozen=True)
class Calls:
    """One round of calls: the seconds of each, by module."""

    seconds: dict[str, list[float]]

    def median(self, module: str) -> float:
        return median(self.seconds[module])

    def ratio(self, module: str, to: str) -> float:
        return self.median(module) / self.median(to)


@dataclass(frozen=True)
class Capacity:
    """What the local cloud itself is able to: retry calls a second, and seconds for a page of 500 of so many tasks."""

    tasks: int
    calls_per_second: float
    page_seconds: float


@dataclass
class Results:
    """Everything of one run of the benchmarks.

    :ivar machine: what it was and what ran on it, in words
    :ivar payloads: bytes of the file that Ansible makes of each module
    """

    machine: dict[str, str]
    command: str
    day: str
    seconds: float = 0.0
    capacity: Capacity | None = None
    runs: list[Run] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    rounds: list[Calls] = field(default_factory=list)
    payloads: dict[str, int] = field(default_factory=dict)

    def of(self, service: str, contender: str, latency_ms: int, tasks: int) -> list[Run]:
        """The runs of one cell."""
        wanted = (service, contender, latency_ms, tasks)
        return [one for one in self.runs if (one.service, one.contender, one.latency_ms, one.tasks) == wanted]

    def wall(self, service: str, contender: str, latency_ms: int, tasks: int) -> float | None:
        """The median of a cell, seconds; None if it was not run."""
        runs = self.of(service, contender, latency_ms, tasks)
        return median(one.wall for one in runs) if runs else None

    def ratio(self, service: str, slow: str, quick: str, latency_ms: int, tasks: int) -> float | None:
        """How many times as long the one took as the other."""
        longer, shorter = (self.wall(service, one, latency_ms, tasks) for one in (slow, quick))
        return longer / shorter if longer is not None and shorter is not None else None

    def call_ratio(self, module: str, to: str) -> float | None:
        """How long a call of one module takes, in calls of the other: median of the rounds."""
        return median(one.ratio(module, to) for one in self.rounds) if self.rounds else None

    def cells(self, service: str) -> Iterator[tuple[int, int]]:
        """Latency and number of tasks of everything that was run."""
        yield from sorted({(one.latency_ms, one.tasks) for one in self.runs if one.service == service})

    def save(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(_rounded(asdict(self)), indent=1) + "\n")


def load(path: Path) -> Results:
    """What `save` has saved."""
    content = json.loads(path.read_text())
    made: dict[str, Any] = {
        "runs": [Run(**one) for one in content.pop("runs")],
        "skipped": [Skipped(**one) for one in content.pop("skipped")],
        "rounds": [Calls(**one) for one in content.pop("rounds")],
    }
    capacity = content.pop("capacity")
    return Results(**content, **made, capacity=Capacity(**capacity) if capacity else None)


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, dict):
        return {name: _rounded(one) for name, one in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_rounded(one) for one in value]
    return value
