# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run leaves for the next: a task that was sent just now and looks as before is not sent again too early."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from ansible_collections.redrive.tasks.plugins.module_utils._errors import CallError, Kind
from ansible_collections.redrive.tasks.plugins.module_utils._journal import (
    look_until_shown,
    not_run_line,
    read_notes,
    seconds_left,
    sent_line,
)
from ansible_collections.redrive.tasks.plugins.module_utils._task import State, Task, TaskKey
from unit.fakes import NOW, OTHER, FakeClock, FakeService, failure, task, tasks

SENT = task(code="Busy", message="Try again.", finished=NOW - 100)


def left(seen: Task, lines: Sequence[bytes], now: float = NOW) -> float | None:
    return seconds_left([seen], read_notes(lines, now), now).get(seen.key)


class TestNotes:
    def test_what_was_sent_is_left_alone_for_its_time(self) -> None:
        lines = [sent_line([SENT], NOW, 35)]
        assert left(SENT, lines) == 35
        assert left(SENT, lines, NOW + 30) == 5
        assert left(SENT, lines, NOW + 35) is None

    @pytest.mark.parametrize(
        "change",
        [
            {"state": State.RUNNING},
            {"code": "Other"},
            {"message": "Other."},
            {"finished": NOW},
            {"scope": OTHER},
            {"id": "t2"},
        ],
        ids=str,
    )
    def test_what_moved_since_is_not(self, change: dict[str, Any]) -> None:
        assert left(SENT._replace(**change), [sent_line([SENT], NOW, 35)]) is None

    def test_an_end_that_is_not_told_any_more_is_no_sign_of_a_new_one(self) -> None:
        assert left(SENT._replace(finished=None), [sent_line([SENT], NOW, 35)]) == 35
        assert left(SENT, [sent_line([SENT._replace(finished=None)], NOW, 35)]) is None

    def test_a_refusal_takes_it_back(self) -> None:
        lines = [sent_line(tasks(3), NOW, 35), not_run_line(tasks(2))]
        assert list(seconds_left(tasks(3), read_notes(lines, NOW), NOW)) == [tasks(3)[2].key]

    def test_the_last_word_counts(self) -> None:
        assert left(SENT, [sent_line([SENT], NOW, 35), sent_line([SENT], NOW + 1, 5)], NOW + 2) == 4
        assert left(SENT, [not_run_line([SENT]), sent_line([SENT], NOW, 5)]) == 5

    def test_a_clock_that_was_set_back_makes_nobody_wait_longer(self) -> None:
        assert left(SENT, [sent_line([SENT], NOW + 86_400, 35)]) == 35

    def test_nobody_waits_without_end(self) -> None:
        assert left(SENT, [sent_line([SENT], NOW, 1e9)]) == 3700

    def test_no_id_and_no_message_is_written(self) -> None:
        line = sent_line([SENT], NOW, 5) + not_run_line([SENT])
        for word in (SENT.id, SENT.code, SENT.message, "shop"):
            assert word.encode() not in line

    @pytest.mark.parametrize(
        "line",
        [
            b"",
            b"x",
            b"{}",
            b"1",
            b"[]",
            b'["sent"]',
            b'["sent",1,2]',
            b'["sent","a",5,[]]',
            b'["sent",NaN,5,[["d",1]]]',
            b'["sent",1,NaN,[["d",1]]]',
            b'["sent",Infinity,5,[["d",1]]]',
            b'["sent",1700000000,-5,[["d",1]]]',
            b'["sent",1700000000,5,[["d"]]]',
            b'["sent",1700000000,5,[["d",[]]]]',
            b'["sent",1700000000,5,7]',
            b'["not run"]',
            b'["not run",5]',
            b'["not run",[[]]]',
            b"\xff\xfe",
            b"[" * 100_000,
            b'["sent",1e999,5,[["d",1]]]',
        ],
    )
    def test_any_other_line_says_nothing(self, line: bytes) -> None:
        assert read_notes([line], NOW) == {}
        assert left(SENT, [line, sent_line([SENT], NOW, 5), line]) == 5


class TestLooking:
    def look(self, service: FakeService, spans: Mapping[str, float], clock: FakeClock) -> dict[str, State | None]:
        sent = [one for one in service.known.values() if one.id in spans]
        seen = look_until_shown(sent, {one.key: spans[one.id] for one in sent}, service.read_again, clock)
        return {key[1]: None if now is None else now.state for key, now in seen.items()}

    def moves_at(self, service: FakeService, look: int, key: TaskKey, state: State | None) -> None:
        def move(number: int) -> None:
            if number == look and state is None:
                del service.known[key]
            elif number == look and state is not None:
                service.known[key] = service.known[key]._replace(state=state)

        service.on_look = move

    def test_ends_when_all_have_moved(self) -> None:
        service, clock = FakeService([task()]), FakeClock()
        self.moves_at(service, 2, task().key, State.RUNNING)
        assert self.look(service, {"t1": 35}, clock) == {"t1": State.RUNNING}
        assert clock.slept == [0.5, 1]

    def test_what_did_not_move_is_looked_at_last_when_its_time_is_over(self) -> None:
        service, clock = FakeService([task()]), FakeClock()
        assert self.look(service, {"t1": 12}, clock) == {"t1": State.FAILED}
        assert clock.slept == [0.5, 1, 2, 4, 4.5]
        assert clock.now == NOW + 12

    def test_each_task_has_its_own_time(self) -> None:
        service, clock = FakeService([task("a"), task("b")]), FakeClock()
        assert self.look(service, {"a": 1, "b": 4}, clock) == {"a": State.FAILED, "b": State.FAILED}
        assert clock.now == NOW + 4

    def test_what_is_not_shown_for_a_moment_may_come_back(self) -> None:
        service, clock = FakeService([task()]), FakeClock()
        self.moves_at(service, 1, task().key, None)
        assert self.look(service, {"t1": 3}, clock) == {"t1": None}
        assert clock.now == NOW + 3

    def test_a_service_that_does_not_show_its_tasks_ends_it(self) -> None:
        service = FakeService([task()], reads=[failure(Kind.STOPPED)])
        with pytest.raises(CallError):
            self.look(service, {"t1": 35}, FakeClock())
