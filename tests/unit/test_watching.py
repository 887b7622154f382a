# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a person who waits is told, and when; and that nothing of it can do harm."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible import constants
from ansible.utils.display import Display
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.redrive.tasks.plugins.module_utils._progress import (
    LENGTH,
    VARIABLE,
    Board,
    Sending,
    Step,
    Waiting,
)
from ansible_collections.redrive.tasks.plugins.plugin_utils import _watching
from ansible_collections.redrive.tasks.plugins.plugin_utils._screen import say
from ansible_collections.redrive.tasks.plugins.plugin_utils._watching import (
    Pace,
    Teller,
    read_step,
    run_watched,
    watched,
    words_of,
)

AT_ONCE = Pace(first=0, changing=0, still=3600, look=0.01)
SOME = Waiting(120, 45, 2, 73, 540)


class TestWords:
    @pytest.mark.parametrize(
        ("step", "words"),
        [
            (Sending(0, 0, 0), "nothing sent yet"),
            (Sending(1200, 20_000, 0), "1,200 of 20,000 sent, none refused"),
            (Sending(20, 20, 3), "20 of 20 sent, 3 refused"),
            (SOME, "45 of 120 recovered, 2 failed again, 73 running; at most 9 min left"),
            (Waiting(3, 3, 0, 0, 12), "3 of 3 recovered, none failed again, none running"),
            (Waiting(3, 0, 0, 3, 12), "0 of 3 recovered, none failed again, 3 running; at most 12 s left"),
            (Waiting(3, 0, 0, 3, 99), "0 of 3 recovered, none failed again, 3 running; at most 99 s left"),
            (Waiting(3, 0, 0, 3, 100), "0 of 3 recovered, none failed again, 3 running; at most 2 min left"),
            (Waiting(3, 0, 0, 3, 7200), "0 of 3 recovered, none failed again, 3 running; at most 2 h left"),
            (Waiting(3, 0, 0, 3, 31 * 86_400), "0 of 3 recovered, none failed again, 3 running; at most 31 days left"),
            (Waiting(3, 0, 0, 3, 0), "0 of 3 recovered, none failed again, 3 running; the time is over"),
        ],
    )
    def test_a_step_in_words(self, step: Step, words: str) -> None:
        assert words_of(step) == words

    def test_the_time_that_has_passed_since_is_taken_off(self) -> None:
        assert words_of(SOME, 500).endswith("at most 40 s left")
        assert words_of(SOME, 1e9).endswith("the time is over")


class TestWhen:
    def said(self, *steps: tuple[float, Step | None]) -> list[float]:
        """The moments at which a line is said, of those at which it was looked."""
        teller = Teller("shop-front", Pace(), 1000.0)
        return [moment for moment, step in steps if teller.line(step, 1000.0 + moment)]

    def test_a_short_run_stays_quiet(self) -> None:
        assert self.said(*((moment / 10, SOME) for moment in range(50))) == []

    def test_while_something_changes_it_is_every_ten_seconds(self) -> None:
        changing = ((float(moment), SOME._replace(recovered=moment)) for moment in range(60))
        assert self.said(*changing) == [5, 15, 25, 35, 45, 55]

    def test_while_nothing_changes_but_the_time_left_it_is_every_minute(self) -> None:
        still = ((float(moment), SOME._replace(seconds_left=540 - moment)) for moment in range(180))
        assert self.said(*still) == [5, 65, 125]

    def test_a_change_after_a_long_calm_is_said_at_once(self) -> None:
        calm = [(float(moment), SOME) for moment in range(40)]
        assert self.said(*calm, (40.0, SOME._replace(recovered=46))) == [5, 40]

    def test_a_module_that_shows_nothing_is_not_spoken_of(self) -> None:
        assert self.said(*((float(moment), None) for moment in range(200))) == []

    def test_the_time_left_runs_on_between_two_looks_of_the_module(self) -> None:
        teller = Teller("shop-front", Pace(), 0.0)
        teller.line(SOME, 10.0)
        assert teller.line(SOME, 70.0) == f"shop-front: {words_of(SOME, 60)}"

    def test_a_label_is_one_short_line(self) -> None:
        line = Teller("a\r\n\x1b[31mb" + "c" * 500, AT_ONCE, 0.0).line(SOME, 0.0)
        assert line.isprintable()
        assert line.startswith("a   [31mbc")
        assert len(line) < 200
        assert Teller("", AT_ONCE, 0.0).line(SOME, 0.0) == words_of(SOME)


class TestReading:
    @pytest.mark.parametrize("step", [Sending(0, 0, 0), Sending(1, 20_000, 3), SOME, Waiting(*[31 * 86_400] * 5)])
    def test_what_a_module_shows_is_read(self, tmp_path: Path, step: Step) -> None:
        path = tmp_path / "step"
        path.touch()
        board = Board(str(path))
        board.show(Waiting(*[10**11] * 5))
        board.show(step)
        assert read_step(path.read_bytes()) == step

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"\n",
            b"Sending",
            b"Sending 1 2",
            b"Sending 1 2 3 4",
            b"Waiting 1 2 3",
            b"Failing 1 2 3",
            b"Sending 1 2 -3",
            b"Sending 1 2 3.0",
            b"Sending 1 2 0x3",
            b"Sending 1 2 1_0",
            b"Sending 1 2 " + b"9" * 13,
            "Sending 1 2 \u0663".encode(),
            b"\xff\xfe\x00",
            b"Sending 1 2 \x1b[31m",
            b"Sending" + b" " * LENGTH + b"1 2 3",
        ],
    )
    def test_anything_else_is_nothing(self, content: bytes) -> None:
        assert read_step(content) is None

    @given(st.binary(max_size=2 * LENGTH))
    def test_no_content_does_harm(self, content: bytes) -> None:
        step = read_step(content)
        assert step is None or words_of(step).isprintable()


class Stand:
    """An action as far as watching it goes, and everything that was said."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path, **task: Any) -> None:
        plain = {"check_mode": False, "no_log": False, "async_val": 0, "environment": [{"A": "1"}]}
        self._task = SimpleNamespace(**{**plain, **task})
        self._connection = SimpleNamespace(transport="local")
        self.lines: list[str] = []
        self.spoke = threading.Event()
        self.during: list[dict[str, str]] = []
        self.before = list(self._task.environment)
        self.folder = folder
        monkeypatch.setattr(constants, "DEFAULT_LOCAL_TMP", str(folder))
        monkeypatch.setattr(_watching, "say", self.show)

    def show(self, lines: Iterable[str]) -> None:
        self.lines += lines
        self.spoke.set()

    def _execute_module(self, *, module_name: str, module_args: dict[str, Any], task_vars: dict[str, Any]) -> Any:
        """As long as it takes until something is said, if anything is going to be."""
        self.during = list(self._task.environment)
        path = self.named()
        if path:
            Board(path).show(SOME)
            assert self.spoke.wait(60)
        return {"changed": True, "of": [module_name, module_args, task_vars]}

    def named(self) -> str:
        """The file that the module would find in its environment."""
        return {name: value for one in self.during for name, value in one.items()}.get(VARIABLE, "")

    def clean(self) -> bool:
        """Whether nothing is left of it."""
        return self._task.environment == self.before and not list(self.folder.iterdir())


class TestWatched:
    def test_a_line_is_said_while_the_module_works(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        stand = Stand(monkeypatch, tmp_path)
        result = run_watched(stand, "a.b.c", {"project": "shop"}, {"host": 1}, "shop-front", AT_ONCE)
        assert result == {"changed": True, "of": ["a.b.c", {"project": "shop"}, {"host": 1}]}
        assert stand.lines == [f"shop-front: {words_of(SOME)}"]
        assert stand.during[0] == {"A": "1"}
        assert stand.clean()

    def test_the_file_is_for_this_user_alone(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        stand = Stand(monkeypatch, tmp_path)
        with watched(stand, pace=AT_ONCE):
            [file] = tmp_path.iterdir()
            assert file.stat().st_mode & 0o777 == 0o600
        assert stand.clean()

    @pytest.mark.parametrize("task", [{"check_mode": True}, {"no_log": True}, {"async_val": 60}])
    def test_some_tasks_are_not_spoken_of(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, task: dict[str, Any]
    ) -> None:
        stand = Stand(monkeypatch, tmp_path, **task)
        assert run_watched(stand, "a.b.c", {}, {}, pace=AT_ONCE)["changed"]
        assert stand.during == stand.before
        assert not stand.lines

    def test_on_another_machine_there_is_no_file_to_read(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        stand = Stand(monkeypatch, tmp_path)
        stand._connection.transport = "ssh"
        assert run_watched(stand, "a.b.c", {}, {}, pace=AT_ONCE)["changed"]
        assert stand.during == stand.before

    def test_without_room_for_a_file_the_module_runs_all_the_same(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        stand = Stand(monkeypatch, tmp_path / "absent")
        assert run_watched(stand, "a.b.c", {}, {}, pace=AT_ONCE)["changed"]
        assert stand.during == stand.before

    def test_without_a_thread_the_module_runs_all_the_same(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        def none_left(self: threading.Thread) -> None:
            raise RuntimeError("can't start new thread")

        stand = Stand(monkeypatch, tmp_path)
        before = _open_files()
        with monkeypatch.context() as few:
            few.setattr(threading.Thread, "start", none_left)
            with watched(stand, pace=AT_ONCE):
                pass
        assert stand.clean()
        assert _open_files() == before

    def test_a_screen_that_fails_does_not_end_the_run(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        stand = Stand(monkeypatch, tmp_path)
        shown: list[list[str]] = []

        def broken(lines: Iterable[str]) -> None:
            shown.append(list(lines))
            stand.spoke.set()
            raise BrokenPipeError

        monkeypatch.setattr(_watching, "say", broken)
        assert run_watched(stand, "a.b.c", {}, {}, pace=AT_ONCE)["changed"]
        assert len(shown) == 1
        assert stand.clean()

    def test_the_thread_ends_and_the_file_goes_when_the_module_crashes(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        stand = Stand(monkeypatch, tmp_path)
        before, files = threading.active_count(), _open_files()
        with pytest.raises(KeyboardInterrupt), watched(stand, pace=AT_ONCE):
            raise KeyboardInterrupt
        assert threading.active_count() == before
        assert _open_files() == files
        assert stand.clean()

    def test_a_file_that_is_gone_already_is_no_trouble(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        stand = Stand(monkeypatch, tmp_path)
        with watched(stand, pace=AT_ONCE):
            for file in tmp_path.iterdir():
                file.unlink()
        assert stand.clean()


def _open_files() -> set[str]:
    return {one.name for one in Path("/dev/fd").iterdir()}


class TestScreen:
    @pytest.mark.parametrize(
        ("callback", "stderr"), [("default", False), ("ansible.posix.json", True), ("ansible.posix.jsonl", True)]
    )
    def test_where_standard_output_is_json_lines_go_to_standard_error(
        self, monkeypatch: pytest.MonkeyPatch, callback: str, stderr: bool
    ) -> None:
        shown: list[tuple[str, bool]] = []
        monkeypatch.setattr(constants.config, "get_config_value", lambda name: callback)
        monkeypatch.setattr(Display, "display", lambda self, line, stderr: shown.append((line, stderr)))
        say(["one", "two"])
        assert shown == [("one", stderr), ("two", stderr)]
