# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is promised, and whether it was kept: ratios of figures of one and the same run."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bench.plan import MAIN_LATENCY
from bench.results import Results

OURS = ("playbook", "module")
RATE = 20.0  # requests a second that CLS allows
MB = 1e6


@dataclass(frozen=True)
class Target:
    """One promise.

    :ivar measured: the figure, None if what it needs was not run
    :ivar shown: the figure in words
    """

    words: str
    wanted: str
    measured: float | None
    shown: str
    met: bool

    @property
    def verdict(self) -> str:
        return "not measured" if self.measured is None else "met" if self.met else "**not met**"


def targets(results: Results) -> list[Target]:
    """All of them, in the order in which they are told."""
    script = f"SLS, {MAIN_LATENCY} ms, 2,000 tasks: time of the SDK script by that of our module"
    return [
        _least(f"{script}, the process alone", 4.0, results.ratio("sls", "sdk", "module", MAIN_LATENCY, 2000)),
        _least(
            f"{script}, the whole of ansible-playbook", 4.0, results.ratio("sls", "sdk", "playbook", MAIN_LATENCY, 2000)
        ),
        _rate(results),
        _none_refused(results),
        _most(
            "SLS: time for 20,000 tasks by that for 2,000, at the worst latency", 11.0, _growth(results), "{:.1f} times"
        ),
        _most("SLS, 20,000 tasks: memory of the largest process", 300.0, _memory(results), "{:.0f} MB", below=True),
        _exactly_once(results),
        _call("retry", "retry module", results),
        _call("info", "info module", results),
        _most("largest payload of a module, kB", 260.0, _payload(results), "{:.1f} kB"),
    ]


def _least(words: str, least: float, figure: float | None) -> Target:
    met = figure is not None and figure >= least
    return Target(words, f"at least {least:g} times", figure, _shown(figure, "{:.1f} times"), met)


def _most(words: str, most: float, figure: float | None, form: str, *, below: bool = False) -> Target:
    met = figure is not None and (figure < most if below else figure <= most)
    return Target(words, f"{'below' if below else 'at most'} {form.format(most)}", figure, _shown(figure, form), met)


def _shown(figure: float | None, form: str) -> str:
    return "" if figure is None else form.format(figure)


def _call(module: str, words: str, results: Results) -> Target:
    figure = results.call_ratio(module, "uri")
    return _most(f"one call of the {words} that finds nothing, by one call of uri", 1.0, figure, "{:.2f} times")


def _exactly_once(results: Results) -> Target:
    runs = [one for one in results.runs if one.contender in OURS]
    figure = float(sum(not one.whole for one in runs)) if runs else None
    words = f"runs of our modules, of {len(runs)}, in which a task was not retried exactly once"
    return _most(words, 0.0, figure, "{:.0f}")


def _rate(results: Results) -> Target:
    rates = _each_of_cls(results, lambda run: run.rate or 0.0)
    share = min(rates) / RATE if rates else None
    met = share is not None and share >= 0.97
    words = "CLS, 2,000 tasks: requests a second of our module, at the worst latency, by the limit of 20"
    return Target(words, "at least 97 %", share, "" if share is None else f"{share:.1%}".replace("%", " %"), met)


def _none_refused(results: Results) -> Target:
    refused = _each_of_cls(results, lambda run: float(run.refused))
    figure = max(refused) if refused else None
    return _most("CLS, 2,000 tasks: requests of our module refused for coming too fast", 0.0, figure, "{:.0f}")


def _each_of_cls(results: Results, figure: Callable[..., float]) -> list[float]:
    runs = [one for one in results.runs if (one.service, one.tasks) == ("cls", 2000) and one.contender in OURS]
    return [figure(one) for one in runs]


def _growth(results: Results) -> float | None:
    ratios = []
    for contender in OURS:
        for latency, tasks in results.cells("sls"):
            many, few = (results.wall("sls", contender, latency, number) for number in (20000, 2000))
            if tasks == 20000 and many is not None and few is not None:
                ratios.append(many / few)
    return _largest(ratios)


def _memory(results: Results) -> float | None:
    runs = [one for one in results.runs if (one.service, one.tasks) == ("sls", 20000) and one.contender in OURS]
    return _largest(one.peak / MB for one in runs)


def _payload(results: Results) -> float | None:
    return _largest(size / 1000 for name, size in results.payloads.items() if name.startswith("redrive."))


def _largest(figures: Iterable[float]) -> float | None:
    return max(figures, default=None)
