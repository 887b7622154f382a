# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a test makes up: a world, the options of a run, and everything that happens meanwhile. Plain data, no behaviour.

Nothing is drawn while a run goes on, so that a case can be shrunk, printed and run again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any


class Life(str, Enum):
    """What a task is when the world begins."""

    FAILED = "fail"
    RUNNING = "running"
    DONE = "success"
    STOPPED = "stopped"


class Words(str, Enum):
    """Of what a task has failed: words of which the class of the failure is known, or none."""

    PASSING = "transient"
    MENDED_BY_A_PERSON = "fix"
    NEVER_HEARD = "unclassified"
    MARKED = "marked"
    """Never heard either, and with a word in it that filters and rules can name."""


MARK = "zebra"


class Obstacle(str, Enum):
    """Why a service refuses the retry of one task, or keeps silent about it, although it has failed."""

    NOTHING = ""
    REFUSED = "refused"
    GONE = "gone"
    PARENT = "parent"
    BUSY = "busy"
    SILENT = "silent"


@dataclass(frozen=True)
class Seed:
    """One task.

    :ivar place: number of what it belongs to
    :ivar age: seconds before the world's beginning at which it was created
    :ivar twin: whether it has the id of the first task of the place before
    :ivar then: what becomes of it after each accepted retry: success, fail, stay (runs for ever), ignored
    :ivar queued: looks for which it still shows its old state after an accepted retry
    :ivar runs: looks for which it then runs
    :ivar heals_after: looks after which it heals by itself
    """

    place: int = 0
    life: Life = Life.FAILED
    words: Words = Words.PASSING
    age: int = 3600
    twin: bool = False
    then: tuple[str, ...] = ("success",)
    queued: int = 0
    runs: int = 1
    heals_after: int | None = None
    obstacle: Obstacle = Obstacle.NOTHING


class Trouble(str, Enum):
    """What goes wrong with one request."""

    UNREACHED = "unreached"
    RESET_BEFORE = "reset before"
    RESET_AFTER = "reset after"
    CLOSE_BEFORE = "close before"
    CLOSE_AFTER = "close after"
    CUT = "cut"
    LATE = "late"
    ENDLESS = "endless"
    TOO_FAST = "too fast"
    TOO_FAST_A_MINUTE = "too fast, with Retry-After"
    FAILS_BEFORE = "fails before"
    FAILS_AFTER = "fails after"
    PAGE_BEFORE = "page before"
    PAGE_AFTER = "page after"
    HALF = "half of the body"
    OTHER_SHAPE = "another shape"
    DENIED = "denied"
    REJECTED = "rejected"
    PARENT_GONE = "parent gone"
    LOCKED = "locked"


class Deed(str, Enum):
    """What somebody else does to a task, or to the account."""

    RETRY = "retry"
    HEAL = "heal"
    FAIL_ANEW = "fail anew"
    STOP = "stop"
    REMOVE = "remove"
    EXPIRE = "expire"
    REMOVE_PLACE = "remove place"


class Which(str, Enum):
    """Which requests are counted."""

    ANY = "any"
    CHANGES = "changes"
    READS = "reads"


@dataclass(frozen=True)
class At:
    """The moment of a request: the n-th of these from 0, and whether before or after the cloud has it."""

    which: Which = Which.ANY
    number: int = 0
    after: bool = False


@dataclass(frozen=True)
class Act:
    """Somebody else does something; `task` counts all tasks of the world, round and round."""

    at: At
    deed: Deed
    task: int = 0


@dataclass(frozen=True)
class Ways:
    """How long requests are on their way, seconds.

    :ivar usual: there and back, together
    :ivar late: further seconds on the way there, by the number of the request
    """

    usual: float = 0.0
    late: Mapping[int, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Weather:
    """Everything that happens while runs go on. Requests are counted over all runs of one play.

    :ivar troubles: at most one for each request; the first that fits counts
    :ivar interrupt: when somebody wants the first run to end
    :ivar order: whose turn it is, see `interleaving`
    :ivar fine: whether threads also give way between two requests
    """

    troubles: tuple[tuple[At, Trouble], ...] = ()
    acts: tuple[Act, ...] = ()
    ways: Ways = Ways()
    interrupt: At | None = None
    order: tuple[int, ...] = ()
    fine: bool = False
    jitter: float = 0.5

    @property
    def calm(self) -> bool:
        """Whether nothing at all goes wrong, and nobody else does anything."""
        return not (self.troubles or self.acts or self.interrupt)


@dataclass(frozen=True)
class Limits:
    """How much goes into one request, so that a small world has many pages and batches. None: as it is."""

    page: int | None = None
    batch: int | None = None


@dataclass(frozen=True)
class Choice:
    """The options of one run, as far as they are the same for all services.

    :ivar tasks: which tasks are asked for by id, as numbers of all tasks; an unknown id for one too large; None means
        `all_failed`
    :ivar since: seconds before the world's beginning, or None; `until` alike
    :ivar more: further options by name
    """

    tasks: tuple[int, ...] | None = None
    since: int | None = None
    until: int | None = None
    marked_only: bool = False
    code_of: Words | None = None
    classes: tuple[str, ...] | None = None
    rule: str | None = None
    """The class that a rule of the user gives to what is marked."""
    stopped_too: bool = False
    max_tasks: int | None = None
    one_place: bool = True
    more: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """One world, one run, and what happens meanwhile.

    :ivar dialect: options of the simulated service
    """

    service: str
    seeds: tuple[Seed, ...] = ()
    choice: Choice = Choice()
    weather: Weather = Weather()
    limits: Limits = Limits()
    dialect: Mapping[str, Any] = field(default_factory=dict)
