# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finding tasks place by place: what is left out, what ends the search, what is an error."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from ansible_collections.redrive.tasks.plugins.module_utils._discovery import (
    in_states,
    is_last_page,
    read_places_again,
    until_found,
    usable,
)
from ansible_collections.redrive.tasks.plugins.module_utils._errors import CallError, Kind
from ansible_collections.redrive.tasks.plugins.module_utils._task import Scope, State, Task, TaskKey
from unit.fakes import OTHER, SCOPE, task, tasks

RIGHTS = frozenset({"noright"})


class TestUsable:
    def run(self, places: dict[str, CallError | None], *, named: bool = False) -> tuple[list[str], list[str]]:
        warnings: list[str] = []

        def read(place: str) -> str:
            error = places[place]
            if error:
                raise error
            return place.upper()

        return list(usable(places, read, named=named, rights=RIGHTS, warn=warnings.append)), warnings

    @pytest.mark.parametrize(
        "error",
        [
            CallError(Kind.GONE, "gone", code="NotThere"),
            CallError(Kind.REJECTED, "no", code="Invalid"),
            CallError(Kind.DENIED, "no right", code="NoRight"),
        ],
        ids=lambda error: error.code,
    )
    def test_a_discovered_place_that_refuses_is_left_out_with_a_warning(self, error: CallError) -> None:
        content, warnings = self.run({"a": None, "b": error, "c": None})
        assert content == ["A", "C"]
        assert warnings == [f"Left out: {error}"]

    @pytest.mark.parametrize("kind", [Kind.DENIED, Kind.TRANSIENT, Kind.UNREACHED, Kind.THROTTLED, Kind.LOCKED])
    def test_trouble_that_concerns_every_place_is_an_error(self, kind: Kind) -> None:
        with pytest.raises(CallError):
            self.run({"a": None, "b": CallError(kind, "trouble", code="Trouble")})

    @pytest.mark.parametrize("kind", [Kind.GONE, Kind.REJECTED, Kind.DENIED])
    def test_a_named_place_must_answer(self, kind: Kind) -> None:
        with pytest.raises(CallError):
            self.run({"a": CallError(kind, "no", code="NoRight")}, named=True)

    def test_places_that_all_refuse_are_an_error(self) -> None:
        with pytest.raises(CallError, match="the last"):
            self.run({"a": CallError(Kind.REJECTED, "the first"), "b": CallError(Kind.REJECTED, "the last")})

    def test_places_that_are_all_gone_are_nothing_to_do(self) -> None:
        content, warnings = self.run({"a": CallError(Kind.GONE, "gone"), "b": CallError(Kind.GONE, "gone")})
        assert (content, len(warnings)) == ([], 2)


class TestInStates:
    def test_other_states_are_sorted_out_and_strange_ones_are_counted_by_their_word(self) -> None:
        warnings: list[str] = []
        odd = [task(f"o{number}", State.UNKNOWN, status="odd") for number in range(2)]
        places = [[task("a"), odd[0], task("b", State.SUCCEEDED)], [odd[1], task("c")]]
        kept = in_states(places, frozenset({State.FAILED}), warnings.append)
        assert [one.id for one in kept] == ["a", "c"]
        assert warnings == ["2 tasks were left out, because their status 'odd' is not known here."]

    def test_strange_ones_that_are_asked_for_are_no_surprise(self) -> None:
        warnings: list[str] = []
        odd = task("o", State.UNKNOWN, status="odd")
        assert list(in_states([[odd]], frozenset({State.UNKNOWN}), warnings.append)) == [odd]
        assert warnings == []


def test_the_search_ends_at_the_place_that_holds_the_last_id() -> None:
    looked_at: list[int] = []

    def places() -> Iterator[list[Task]]:
        for number, one in enumerate([[task("a"), task("x")], [task("b")], [task("c")]]):
            looked_at.append(number)
            yield one

    assert [one.id for one in until_found(places(), ["b", "a"])] == ["a", "x", "b"]
    assert looked_at == [0, 1]


class TestReadPlacesAgain:
    def test_each_place_is_read_once(self) -> None:
        seen: list[tuple[Scope, int]] = []

        def read(scope: Scope, of_scope: Sequence[Task]) -> dict[TaskKey, Task]:
            seen.append((scope, len(of_scope)))
            return {one.key: one for one in of_scope}

        mixed = [task("a"), task("b", scope=OTHER), task("c")]
        assert read_places_again(mixed, read).keys() == {one.key for one in mixed}
        assert seen == [(SCOPE, 2), (OTHER, 1)]

    def test_a_place_that_is_gone_has_none(self) -> None:
        def read(scope: Scope, of_scope: Sequence[Task]) -> dict[TaskKey, Task]:
            if scope == OTHER:
                raise CallError(Kind.GONE, "gone")
            return {one.key: one for one in of_scope}

        assert read_places_again([task("a"), task("b", scope=OTHER)], read).keys() == {task("a").key}

    def test_other_trouble_is_told(self) -> None:
        def read(scope: Scope, of_scope: Sequence[Task]) -> dict[TaskKey, Task]:
            raise CallError(Kind.REJECTED, "no")

        with pytest.raises(CallError):
            read_places_again(tasks(1), read)


@pytest.mark.parametrize(
    ("length", "end", "total", "last"),
    [
        (10, 10, 10, False),  # the total may be that of the page
        (10, 20, 20, True),
        (5, 5, 5, True),
        (5, 5, 20, False),  # a page may be shorter than asked for
        (0, 20, None, True),
        (5, 25, None, False),
        (0, 0, 0, True),
    ],
)
def test_the_last_page(length: int, end: int, total: int | None, last: bool) -> None:
    assert is_last_page(length, end, total, size=10) is last
