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
    for word, number in strange.items():
        warn(f"{number} tasks were left out, because their status {word!r} is not known here.")


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
