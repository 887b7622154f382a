# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How far a run has come: what the engine tells, and what stands in the file that an action plugin made."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ansible_collections.redrive.tasks.plugins.module_utils._engine import Engine, Wait
from ansible_collections.redrive.tasks.plugins.module_utils._errors import Kind
from ansible_collections.redrive.tasks.plugins.module_utils._plan import Policy, Selection, build_plan
from ansible_collections.redrive.tasks.plugins.module_utils._progress import LENGTH, Board, Sending, Step, Waiting
from ansible_collections.redrive.tasks.plugins.module_utils._task import (
    Answer,
    FailureClass,
    ItemError,
    State,
    Verdict,
)
from unit.fakes import FakeClock, FakeService, failure, tasks

REFUSED = Verdict(Answer.REFUSED, ItemError("No", "not this one"))


def told(service: FakeService, *, wait: Wait | None = None, concurrency: int = 1) -> list[Step]:
    """The steps of a run."""
    steps: list[Step] = []
    engine = Engine(service, clock=FakeClock(), concurrency=concurrency, tell=steps.append)
    policy = Policy((), frozenset({FailureClass.UNCLASSIFIED}))
    engine.send(build_plan(list(service.known.values()), Selection(), policy, absent=""))
    if wait:
        engine.wait(wait)
    return steps


class TestWhatTheEngineTells:
    @pytest.mark.parametrize("concurrency", [1, 8])
    def test_each_call_counts_what_was_sent_and_refused(self, concurrency: int) -> None:
        service = FakeService(tasks(25), script=[None, {"t010": REFUSED, "t011": REFUSED}, None])
        assert told(service, concurrency=concurrency) == [Sending(10, 25, 0), Sending(20, 25, 2), Sending(25, 25, 2)]

    def test_what_is_not_sent_any_more_is_not_counted(self) -> None:
        service = FakeService(tasks(25), script=[None, failure(Kind.DENIED), None])
        assert told(service) == [Sending(10, 25, 0), Sending(20, 25, 10), Sending(20, 25, 10)]

    def test_each_look_counts_what_has_settled(self) -> None:
        service = FakeService(tasks(3))
        assert told(service, wait=Wait(60, 5)) == [
            Sending(3, 3, 0),
            Waiting(3, 0, 0, 3, 60),
            Waiting(3, 0, 0, 3, 55),
            Waiting(3, 3, 0, 0, 50),
        ]

    def test_a_task_that_fails_again_is_told_apart(self) -> None:
        service = FakeService(tasks(2), life=(State.RUNNING, State.FAILED))
        assert told(service, wait=Wait(60, 5))[-1] == Waiting(2, 0, 2, 0, 50)

    def test_what_never_settles_still_runs_when_the_time_is_over(self) -> None:
        service = FakeService(tasks(2), life=(State.RUNNING,))
        assert told(service, wait=Wait(12, 5))[-1] == Waiting(2, 0, 0, 2, 0)


class TestTheFile:
    def test_it_holds_the_last_step_and_never_grows(self, tmp_path: Path) -> None:
        path = tmp_path / "step"
        path.touch()
        board = Board(str(path))
        for number in range(1000):
            board.show(Waiting(20_000, 20_000 - number, number, number, 31 * 86_400))
        board.show(Sending(1, 2, 0))
        assert path.read_text() == "Sending 1 2 0".ljust(LENGTH - 1) + "\n"

    def test_without_a_path_there_is_nothing_to_show_it_in(self) -> None:
        Board("").show(Sending(1, 2, 0))

    @pytest.mark.parametrize("kind", ["absent", "folder", "link", "pipe", "written"])
    def test_what_an_action_plugin_did_not_make_is_left_alone(self, tmp_path: Path, kind: str) -> None:
        path, other = tmp_path / "step", tmp_path / "other"
        other.touch()
        if kind == "folder":
            path.mkdir()
        elif kind == "link":
            path.symlink_to(other)
        elif kind == "pipe":
            os.mkfifo(path)
        elif kind == "written":
            path.write_text("somebody's")
        before = sorted(path.parent.iterdir())
        Board(str(path)).show(Sending(1, 2, 0))
        assert sorted(path.parent.iterdir()) == before
        assert not other.read_bytes()
        if kind == "written":
            assert path.read_text() == "somebody's"

    def test_a_full_disk_ends_it_silently(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = tmp_path / "step"
        path.touch()
        board = Board(str(path))
        calls = []

        def full(*arguments: object) -> int:
            calls.append(arguments)
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "pwrite", full)
        for _ignored in range(3):
            board.show(Sending(1, 2, 0))
        assert len(calls) == 1
