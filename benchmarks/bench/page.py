# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page of the documentation: page.template with the figures of the results."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median
from string import Template

from bench.contenders import CONTENDERS
from bench.pictures import RATE_PICTURE, TIME_PICTURE, describe_rates, describe_times
from bench.plan import LATENCIES, SIZES
from bench.results import Results, Run
from bench.targets import MB, OURS, RATE, targets

_TEMPLATE = Path(__file__).parents[1] / "page.template"
_SINGLE = {
    "ping": "``ansible.builtin.ping``",
    "uri": "``ansible.builtin.uri``",
    "info": "``redrive.tasks.sls_shipper_task_info``",
    "retry": "``redrive.tasks.sls_shipper_task_retry``",
}

Row = Sequence[str]


def render(results: Results) -> str:
    """The whole page, as reStructuredText."""
    capacity = results.capacity
    return Template(_TEMPLATE.read_text()).substitute(
        command=results.command,
        minutes=f"{results.seconds / 60:.0f}",
        targets=_targets(results),
        time_picture=TIME_PICTURE,
        time_words=describe_times(results),
        sls=_sls(results),
        rate_picture=RATE_PICTURE,
        rate_words=describe_rates(results),
        cls=_cls(results),
        calls=len(results.rounds[0].seconds["ping"]) if results.rounds else 0,
        rounds=len(results.rounds),
        single=_single(results),
        payloads=_payloads(results),
        growth_latency=_growth_latency(results),
        growth=_growth(results),
        machine=_machine(results),
        capacity=f"{capacity.calls_per_second:,.0f}" if capacity else "?",
        capacity_tasks=f"{capacity.tasks:,}" if capacity else "?",
        page=f"{1000 * capacity.page_seconds:.0f}" if capacity else "?",
    )


def summary(results: Results) -> str:
    """Targets and how they were met, for the terminal."""
    lines = [f"{one.verdict.strip('*'):12}  {one.shown:>10}  {one.words} ({one.wanted})" for one in targets(results)]
    return "\n".join(["", *lines, "", f"{results.seconds:.0f} s in all"])


def _targets(results: Results) -> str:
    rows = [(one.words, one.wanted, one.shown, one.verdict) for one in targets(results)]
    return _table(("Target", "Wanted", "Measured", "Verdict"), rows, (52, 18, 16, 14))


def _sls(results: Results) -> str:
    heads = (
        "Tasks",
        "our module, ansible-playbook",
        "uri in a loop, ansible-playbook",
        "ratio",
        "our module, process alone",
        "SDK script, process alone",
        "ratio",
        "SDK script by our ansible-playbook",
    )
    text = ""
    for latency in LATENCIES:
        rows = [_sls_row(results, latency, tasks) for cell, tasks in results.cells("sls") if cell == latency]
        if rows:
            text += f"Latency of {latency} ms:\n\n" + _table(heads, rows, (9, 15, 15, 10, 14, 14, 10, 13)) + "\n"
    return text + _notes(results, "sls")


def _sls_row(results: Results, latency: int, tasks: int) -> Row:
    cell = latency, tasks
    return (
        f"{tasks:,}",
        _seconds(results.of("sls", "playbook", *cell)),
        _seconds(results.of("sls", "uri", *cell)),
        _times(results.ratio("sls", "uri", "playbook", *cell)),
        _seconds(results.of("sls", "module", *cell)),
        _seconds(results.of("sls", "sdk", *cell)),
        _times(results.ratio("sls", "sdk", "module", *cell)),
        _times(results.ratio("sls", "sdk", "playbook", *cell)),
    )


def _seconds(runs: Sequence[Run]) -> str:
    """Of one cell, marked where something is special about it."""
    if not runs:
        return "not run"
    text = _short(median(one.wall for one in runs))
    mark = "" if all(one.whole for one in runs) else " (not each once)"
    mark += "" if all(one.alone for one in runs) else " \\*"
    return (text if len(runs) >= 3 else f"[{text}]") + mark


def _short(seconds: float) -> str:
    """With three digits."""
    return f"{seconds:.0f}" if seconds >= 100 else f"{seconds:.1f}" if seconds >= 10 else f"{seconds:.2f}"


def _times(ratio: float | None) -> str:
    if ratio is None:
        return ""
    return f"**{ratio:.0f}**" if ratio >= 20 else f"**{ratio:.1f}**" if ratio >= 2 else f"**{ratio:.2f}**"


def _cls(results: Results) -> str:
    order = list(CONTENDERS)
    runs = sorted(
        (one for one in results.runs if one.service == "cls"),
        key=lambda run: (run.tasks, run.latency_ms, order.index(run.contender)),
    )
    heads = ("Tasks", "Latency", "Who", "Seconds", "by ours", "Retried", "Refused", "Served a second", "of the limit")
    return _table(heads, [_cls_row(results, run) for run in runs], (9, 10, 26, 9, 9, 9, 9, 10, 9)) + (
        "\n*By ours*: seconds by those of our module under ``ansible-playbook``.\n\n" + _notes(results, "cls")
    )


def _cls_row(results: Results, run: Run) -> Row:
    ours = results.wall("cls", "playbook", run.latency_ms, run.tasks)
    return (
        f"{run.tasks:,}",
        f"{run.latency_ms} ms",
        CONTENDERS[run.contender].words + ("" if run.alone else " \\*"),
        _short(run.wall),
        _times(run.wall / ours if ours else None),
        f"{run.retried:,}",
        f"{run.refused:,}",
        "" if run.rate is None else f"{run.rate:.2f}",
        "" if run.rate is None else f"{100 * run.rate / RATE:.1f} %",
    )


def _notes(results: Results, service: str) -> str:
    """What was not run, and what was run beside others."""
    whys: dict[str, list[str]] = {}
    for one in results.skipped:
        if one.service == service:
            cell = f"{CONTENDERS[one.contender].words}, {one.tasks:,} tasks at {one.latency_ms} ms"
            whys.setdefault(one.why, []).append(cell)
    text = "".join(f"* {'; '.join(cells)}: {why}.\n" for why, cells in whys.items())
    text = f"Not run:\n\n{text}\n" if text else ""
    if any(not one.alone for one in results.runs if one.service == service):
        text += "\\* Measured beside others, which wait for the limit or the latency most of the time.\n\n"
    return text


def _single(results: Results) -> str:
    rows = [
        (
            name,
            f"{1000 * median(one.median(module) for one in results.rounds):.0f}",
            f"{results.call_ratio(module, 'ping') or 0:.2f}",
            f"{results.call_ratio(module, 'uri') or 0:.2f}",
        )
        for module, name in _SINGLE.items()
        if results.rounds
    ]
    return _table(("Call", "Milliseconds", "by ping", "by uri"), rows, (55, 15, 15, 15))


def _payloads(results: Results) -> str:
    rows = [(f"``{module}``", f"{size / 1000:.1f}") for module, size in results.payloads.items()]
    return _table(("Module", "Payload, kB"), rows, (70, 30))


def _growth_latency(results: Results) -> int:
    """The one at which growth is shown: the least, where the machine's own work shows most."""
    return min((latency for latency, _tasks in results.cells("sls")), default=0)


def _growth(results: Results) -> str:
    rows = []
    for tasks in SIZES:
        runs = [results.of("sls", one, _growth_latency(results), tasks) for one in OURS]
        if all(runs):
            rows.append(
                (
                    f"{tasks:,}",
                    *(_short(median(one.wall for one in cell)) for cell in runs),
                    *(f"{max(one.peak for one in cell) / MB:.0f}" for cell in runs),
                    f"{max(one.output for one in runs[OURS.index('module')]) / 1000:,.0f}",
                )
            )
    heads = (
        "Tasks",
        "seconds, ansible-playbook",
        "seconds, process alone",
        "MB, ansible-playbook",
        "MB, process alone",
        "result, kB",
    )
    return _table(heads, rows, (12, 18, 18, 18, 18, 16))


def _machine(results: Results) -> str:
    return _table(("What", "Which"), [*results.machine.items(), ("measured on", results.day)], (30, 70))


def _table(heads: Row, rows: Iterable[Row], widths: Sequence[int]) -> str:
    rows = list(rows)
    if not rows:
        return "Not measured.\n"
    lines = [".. list-table::", "   :header-rows: 1", f"   :widths: {' '.join(map(str, widths))}", ""]
    for row in (heads, *rows):
        lines += [f"   {' ' if number else '*'} - {cell}".rstrip() for number, cell in enumerate(row)]
    return "\n".join(lines) + "\n"
