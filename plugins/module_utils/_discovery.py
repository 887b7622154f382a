# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

"""Finding tasks place by place, where a service lists those of one place at a time. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Callable, TypeVar

from ansible_collections.redrive.tasks.plugins.module_utils._errors import CallError, Kind
from ansible_collections.redrive.tasks.plugins.module_utils._task import Scope, State, Task, TaskKey

T = TypeVar("T")
U = TypeVar("U")

# A listing with more pages than this is no listing.
_MOST_PAGES = 1000
_MOST_PASSES = 3
# Warnings of one kind: a service that shows tasks in more states that nobody knows is not the service.
_MOST_WARNINGS = 10


def usable(
    places: Iterable[T],
    read: Callable[[T], U],
    *,
    named: bool,
    rights: frozenset[str],
    warn: Callable[[str], None],
) -> Iterator[U]:
    """What each place holds, less those that were discovered and refuse to be read.

    Rights may leave out a place, and it can be deleted meanwhile (assumed, no source). What the user named must answer,
    and so must one place of those that were discovered.

    :param named: whether the user named the place
    :param rights: codes, in lower case, of a right that is missing for one place and may be there for another
    :raises CallError: from `read`
    """
    refused: CallError | None = None
    answered = 0
    for place in places:
        try:
            content = read(place)
        except CallError as exc:
            left_out = exc.kind in (Kind.GONE, Kind.REJECTED) or exc.code.lower() in rights
            if named or not left_out:
                raise
            refused = exc
            warn(f"Left out: {exc}")
            continue
        answered += 1
        yield content
    if refused and not answered and refused.kind is not Kind.GONE:
        raise refused


def in_states(
    places: Iterable[Sequence[Task]], states: frozenset[State], warn: Callable[[str], None]
) -> Iterator[Task]:
    """The tasks in one of these states; a warning counts those in a state that is not known here, unless asked for."""
    strange: Counter[str] = Counter()
    for tasks in places:
        yield from (task for task in tasks if task.state in states)
        strange.update(task.status for task in tasks if task.state is State.UNKNOWN and task.state not in states)
    for word, number in strange.most_common(_MOST_WARNINGS):
        warn(f"{number} tasks were left out, because their status {word!r} is not known here.")
    if len(strange) > _MOST_WARNINGS:
        warn(f"More tasks were left out, in {len(strange) - _MOST_WARNINGS} further states that are not known here.")


def until_found(places: Iterable[Sequence[Task]], ids: Iterable[str]) -> Iterator[Task]:
    """The tasks of one place after another, until all ids are found."""
    wanted = set(ids)
    for tasks in places:
        yield from tasks
        wanted.difference_update(task.id for task in tasks)
        if not wanted:
            return


def read_places_again(
    tasks: Iterable[Task], read: Callable[[Scope, Sequence[Task]], Mapping[TaskKey, Task]]
) -> dict[TaskKey, Task]:
    """The tasks as they are now, read place by place. None of a place that is gone.

    :raises CallError: from `read`
    """
    places: dict[Scope, list[Task]] = {}
    for task in tasks:
        places.setdefault(task.scope, []).append(task)
    found: dict[TaskKey, Task] = {}
    for scope, of_scope in places.items():
        try:
            found.update(read(scope, of_scope))
        except CallError as exc:
            if exc.kind is not Kind.GONE:
                raise
    return found


def is_last_page(length: int, end: int, total: int | None, *, size: int) -> bool:
    """Whether a page of this length, ending at this offset of its list, is the last.

    Not because it is short: the service may cap the page size. And a total that is no more than one full page may
    mean just that page.

    :param total: as the service tells it; None if it does not
    :param size: the length that was asked for
    """
    if total is None:
        return length == 0
    return end >= total and not length == end == size


def read_steadily(
    read_page: Callable[[int, int], tuple[Sequence[T], int | None]],
    *,
    key: Callable[[T], str],
    size: int,
    what: str,
    warn: Callable[[str], None],
) -> list[T]:
    """Everything in a paged list, each once.

    What enters or leaves the list between two pages shifts the rest of it, so that some is shown twice and some never;
    and a list may end before its total is reached. A pass in which that can have happened is followed by another one.
    Of those the first steady one counts; where there is none, a warning tells, and all that any of them showed counts.

    :param read_page: a page and the total as the service tells it, None if it does not; by the number of the page,
        from 0, and by the number of entries before it
    :param key: tells entries apart
    :param size: entries of a page that were asked for
    :param what: the entries, in words
    :raises CallError: from `read_page`, or the list has no end
    """
    seen: dict[str, T] = {}
    for _pass in range(_MOST_PASSES):
        entries, steady = _read_pages(read_page, key=key, size=size, what=what)
        if steady:
            return list(entries.values())
        seen.update(entries)
    warn(
        f"The list of {what} kept changing while it was read, or ended early: some may have been missed. Run again to"
        " catch them."
    )
    return list(seen.values())


def _read_pages(
    read_page: Callable[[int, int], tuple[Sequence[T], int | None]],
    *,
    key: Callable[[T], str],
    size: int,
    what: str,
) -> tuple[dict[str, T], bool]:
    """One pass, and whether it surely shows all.

    The service may ignore paging, so a page without news is the last. And its total may be that of each page.
    """
    entries: dict[str, T] = {}
    totals: set[int] = set()
    offset = repeated = 0
    of_pages = True
    for number in range(_MOST_PAGES):
        page, total = read_page(number, offset)
        known = len(entries)
        entries.update((key(entry), entry) for entry in page)
        offset += len(page)
        # An empty page may lie beyond the end, where no total is told.
        if total is not None and (page or total):
            totals.add(total)
            of_pages = of_pages and total == len(page)
        if total is not None and total < offset:  # then it is not that of the list
            total = None
        news = len(entries) - known
        if not news or is_last_page(len(page), offset, total, size=size):
            settled = of_pages or (len(totals) == 1 and len(entries) >= max(totals))
            return entries, settled and not repeated
        repeated += len(page) - news
    raise CallError(Kind.BROKEN, f"the list of {what} did not end within {_MOST_PAGES} pages", code="endless_list")
