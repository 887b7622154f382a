# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The benchmarks: our modules, the vendors' SDKs, and ansible.builtin.uri in a loop, against the same local cloud.

Run by `make benchmark`, which writes docs/docsite/rst/benchmarks.rst, its pictures, and benchmarks/results/latest.json.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "benchmarks")]

from bench import machine, overhead, page, pictures, plan, results  # noqa: E402
from bench.cloud import Cloud  # noqa: E402
from bench.contenders import URI, Contender, Stage  # noqa: E402
from bench.launching import FailedError, Launcher  # noqa: E402
from bench.plan import Cell, Plan  # noqa: E402
from bench.results import Results, Run, Skipped  # noqa: E402

FAILED = "it failed"
RESULTS = ROOT / "benchmarks" / "results" / "latest.json"
DOCS = ROOT / "docs" / "docsite" / "rst"


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    if options.render:
        measured = results.load(options.render)
    else:
        command = "make benchmark" + " QUICK=1" * options.quick + " LONG_LOOP=no" * options.no_long_loop
        measured = _measure(_plan(options), command)
        kept = options.output / "results.json" if options.output else RESULTS
        measured.save(kept)
        measured = results.load(kept)  # the page shows what is kept, which is rounded
    write(measured, options.output or DOCS)
    say(page.summary(measured))
    return int(any(one.why == FAILED for one in measured.skipped))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer sizes and latencies, a few minutes")
    parser.add_argument("--no-long-loop", action="store_true", help="without the loop of uri over 20,000 tasks")
    parser.add_argument("--tiny", choices=["sls", "cls"], help="each contender of one service once")
    parser.add_argument("--tasks", type=int, default=20, help="for --tiny")
    parser.add_argument("--output", type=Path, metavar="FOLDER", help="where to write instead of the documentation")
    parser.add_argument("--render", type=Path, metavar="RESULTS.json", help="measure nothing, write these results")
    return parser


def _plan(options: argparse.Namespace) -> Plan:
    if options.tiny:
        return plan.tiny(options.tiny, options.tasks)
    return plan.quick() if options.quick else plan.full(long_loop=not options.no_long_loop)


def write(measured: Results, folder: Path) -> None:
    """The page and its pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "images").mkdir(exist_ok=True)
    for name, picture in pictures.draw(measured).items():
        (folder / "images" / name).write_text(picture)
    (folder / "benchmarks.rst").write_text(page.render(measured))


def _measure(what: Plan, command: str) -> Results:
    started = time.monotonic()
    measured = Results(machine.describe(), command, time.strftime("%Y-%m-%d", time.gmtime()))
    measured.skipped += what.skipped
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder, ExitStack() as stack:
        stages = [
            Stage(stack.enter_context(Cloud()), stack.enter_context(Launcher(Path(folder) / str(number))))
            for number in range(max(1, len(what.lanes)))
        ]
        stage = stages[0]
        measured.capacity = overhead.measure_capacity(stage.cloud, what.capacity_tasks)
        say(f"local cloud: {measured.capacity.calls_per_second:.0f} retry calls a second")
        measured.payloads = overhead.payload_sizes(stage, overhead.MODULE_NAMES)
        for number in range(what.rounds):
            measured.rounds.append(overhead.measure_round(stage, what.calls))
            say(f"single calls, round {number + 1} of {what.rounds}")
        _run_lane(measured, stage, what.cells, alone=True)
        with ThreadPoolExecutor(len(stages)) as pool:
            for _ended in pool.map(lambda *lane: _run_lane(measured, *lane, alone=False), stages, what.lanes):
                pass
    measured.seconds = time.monotonic() - started
    return measured


def _run_lane(measured: Results, stage: Stage, cells: Sequence[Cell], *, alone: bool) -> None:
    """One cell after the other. One that fails is told and left out; what was measured before it is not lost."""
    for cell in cells:
        for contender in _turns(cell):
            try:
                measured.runs.append(_run(stage, cell, contender, alone=alone))
            except FailedError as error:
                say(str(error))
                failed = Skipped(cell.service, contender.name, cell.latency_ms, cell.tasks, FAILED)
                measured.skipped.append(failed)


def _turns(cell: Cell) -> list[Contender]:
    """The contenders one after the other, again and again: what slows the machine down slows all of them down."""
    # A loop of uri takes so long that what passes meanwhile evens out.
    return [one for repeat in range(cell.repeats) for one in cell.contenders if not repeat or one is not URI]


def _run(stage: Stage, cell: Cell, contender: Contender, *, alone: bool) -> Run:
    cloud = stage.cloud
    cloud.fill(cell.service, cell.tasks, 0)
    perform = contender.prepare(stage, cell.service)
    cloud.fill(cell.service, cell.tasks, cell.latency_ms)
    took = perform(stage)
    seen = cloud.seen(cell.service)
    say(
        f"{cell.service} {cell.latency_ms} ms {cell.tasks} tasks, {contender.words}: {took.wall:.2f} s,"
        f" {seen.retried} retried, {seen.refused} refused"
    )
    return Run(
        service=cell.service,
        contender=contender.name,
        latency_ms=cell.latency_ms,
        tasks=cell.tasks,
        wall=took.wall,
        cpu=took.cpu,
        peak=took.peak,
        output=took.output,
        requests=seen.requests,
        calls=seen.calls,
        refused=seen.refused,
        retried=seen.retried,
        twice=seen.twice,
        strange=seen.strange,
        rate=seen.rate,
        alone=alone,
    )


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
