# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The benchmarks can be run, and their page shows what was measured. Nothing here depends on how long it takes."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from docutils.core import publish_doctree  # type: ignore[import-untyped]

from bench import page, pictures, plan, results
from bench.results import Results
from bench.targets import targets

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs" / "docsite" / "rst"
TASKS = 20


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with what one command wrote: every contender of SLS, with a few tasks."""
    folder = tmp_path_factory.mktemp("benchmark")
    command = [sys.executable, str(ROOT / "benchmarks" / "run.py"), "--tiny", "sls", "--tasks", str(TASKS)]
    done = subprocess.run(
        [*command, "--output", str(folder)], capture_output=True, text=True, timeout=300, check=False, cwd=folder
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture
def tiny(measured: Path) -> Results:
    return results.load(measured / "results.json")


def test_every_contender_retries_every_task_exactly_once(tiny: Results) -> None:
    assert Counter(run.contender for run in tiny.runs) == Counter(["playbook", "module", "sdk", "uri"])
    for run in tiny.runs:
        assert run.whole, run
        assert run.calls == TASKS / 10
        assert min(run.wall, run.cpu, run.peak) > 0


def test_single_calls_and_payloads_are_measured(tiny: Results) -> None:
    assert [set(one.seconds) for one in tiny.rounds] == [{"ping", "uri", "info", "retry"}]
    modules = sorted(f"redrive.tasks.{path.stem}" for path in (ROOT / "plugins" / "modules").glob("*.py"))
    assert list(tiny.payloads) == ["ansible.builtin.ping", "ansible.builtin.uri", *modules]


def test_the_page_of_the_tiny_run_renders(measured: Path, tiny: Results) -> None:
    text = (measured / "benchmarks.rst").read_text()
    assert text == page.render(tiny)
    _parses(text)
    assert {picture.name for picture in (measured / "images").iterdir()} == set(pictures.draw(tiny))


def test_the_page_and_the_pictures_of_the_documentation_show_the_results_that_are_kept() -> None:
    kept = results.load(ROOT / "benchmarks" / "results" / "latest.json")
    text = (DOCS / "benchmarks.rst").read_text()
    assert text == page.render(kept)
    _parses(text)
    for name, picture in pictures.draw(kept).items():
        assert (DOCS / "images" / name).read_text() == picture
    for one in targets(kept):
        assert one.words in text


def test_nothing_is_known_of_the_machine_but_what_it_is_like() -> None:
    kept = (ROOT / "benchmarks" / "results" / "latest.json").read_text()
    assert not re.search(r"/(home|root|tmp|usr|work)/", kept)


@pytest.mark.parametrize("what", [plan.full(long_loop=True), plan.full(long_loop=False), plan.quick()])
def test_no_cell_is_measured_twice_nor_both_measured_and_left_out(what: plan.Plan) -> None:
    cells = [*what.cells, *(cell for lane in what.lanes for cell in lane)]
    run = Counter((cell.service, one.name, cell.latency_ms, cell.tasks) for cell in cells for one in cell.contenders)
    left_out = {(one.service, one.contender, one.latency_ms, one.tasks) for one in what.skipped}
    assert max(run.values()) == 1
    assert not left_out & set(run)


def _parses(text: str) -> None:
    """Without a warning."""
    publish_doctree(text, settings_overrides={"report_level": 2, "halt_level": 2})
