# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finding tasks place by place: what is left out, what ends the search, what is an error."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pytest

from ansible_collections.redrive.tasks.plugins.module_utils._discovery import (
    in_states,
    is_last_page,
    read_places_again,
    read_steadily,
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


class TestReadSteadily:
    """A list in pages of at most ten, which is another list after each call if so wanted."""

    warnings: list[str]
    calls: int

    def read(self, *lists: Sequence[int], total: Callable[[int], int | None] = int, cap: int = 10) -> list[int]:
        self.warnings, self.calls = [], 0

        def read_page(number: int, offset: int) -> tuple[Sequence[int], int | None]:
            shown = lists[min(self.calls, len(lists) - 1)]
            self.calls += 1
            assert (offset == 0) is (number == 0)
            return shown[offset : offset + cap], total(len(shown))

        return read_steadily(read_page, key=str, size=10, what="things", warn=self.warnings.append)

    @pytest.mark.parametrize(
        "total", [int, lambda length: None, lambda length: min(length, 10)], ids=["all", "no", "page"]
    )
    @pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 20, 25])
    def test_everything_is_read_in_one_pass(self, count: int, total: Callable[[int], int | None]) -> None:
        assert self.read(range(count), total=total) == list(range(count))
        assert self.warnings == []
        assert self.calls <= count // 10 + 2

    def test_a_total_of_each_page_is_no_change(self) -> None:
        warnings: list[str] = []

        def read_page(_number: int, offset: int) -> tuple[Sequence[int], int | None]:
            page = range(25)[offset : offset + 10]
            return page, len(page)

        shown = read_steadily(read_page, key=str, size=10, what="things", warn=warnings.append)
        assert (shown, warnings) == (list(range(25)), [])

    def test_short_pages_are_pages(self) -> None:
        assert self.read(range(25), cap=4) == list(range(25))
        assert (self.warnings, self.calls) == ([], 7)

    def test_what_a_deletion_between_two_pages_hid_is_found_by_another_pass(self) -> None:
        whole = list(range(25))
        after = [one for one in whole if one != 3]
        assert self.read(whole, after) == after
        assert (self.warnings, self.calls) == ([], 3 + 3)

    def test_a_deletion_that_a_newcomer_makes_up_for_shows_by_what_comes_twice(self) -> None:
        whole = list(range(25))
        after = [99, *whole[:12], *whole[13:]]
        assert self.read(whole, after) == after
        assert self.warnings == []

    def test_a_list_that_ends_before_its_total_is_read_again(self) -> None:
        whole = list(range(25))
        assert self.read(whole, whole[:10], whole, total=lambda length: 25) == whole
        assert self.warnings == []

    def test_a_list_that_never_shows_its_total_is_told(self) -> None:
        assert self.read(range(10), total=lambda length: 25) == list(range(10))
        assert self.calls == 2 * 3
        (warning,) = self.warnings
        assert warning.startswith("The list of things kept changing while it was read, or ended early")

    def test_of_a_list_that_never_stays_the_same_everything_counts_that_was_shown(self) -> None:
        lists = [[*range(15), *range(100, 100 + call)] for call in range(20)]
        assert set(self.read(*lists)) >= set(range(15))
        assert len(self.warnings) == 1

    @pytest.mark.parametrize("count", [3, 10])
    def test_a_service_that_ignores_paging_shows_everything_at_once(self, count: int) -> None:
        warnings: list[str] = []
        page = list(range(count))
        assert read_steadily(lambda *_at: (page, count), key=str, size=10, what="things", warn=warnings.append) == page
        assert warnings == []

    def test_a_list_without_end_ends_in_words(self) -> None:
        with pytest.raises(CallError, match="the list of things did not end within 1000 pages"):
            read_steadily(lambda number, _offset: ([number], None), key=str, size=1, what="things", warn=print)
