# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Strategies that make up cases. What comes first in a list of choices is what a shrunk case ends with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from model.cases import (
    Act,
    At,
    Case,
    Choice,
    Deed,
    Life,
    Limits,
    Obstacle,
    Seed,
    Trouble,
    Ways,
    Weather,
    Which,
    Words,
)
from model.sides import SIDES

HOUR = 3600
_EDGES = (5 * HOUR, 2 * HOUR)  # what since and until may be
_USUAL = 3 * HOUR
_AGES = (_USUAL,) * 2 + (HOUR, *(age + d for age in _EDGES for d in (-1, 0, 1)), 0, 20 * HOUR)

_WORDS = (Words.PASSING, Words.PASSING, Words.NEVER_HEARD, Words.MARKED, Words.MENDED_BY_A_PERSON)
_OBSTACLES: Mapping[str, tuple[Obstacle, ...]] = {
    "sls": (),
    "cls": (Obstacle.REFUSED,),
    "drs": (Obstacle.PARENT, Obstacle.BUSY, Obstacle.SILENT),
    "geelark": (Obstacle.REFUSED, Obstacle.GONE),
}
_DIALECTS: Mapping[str, Mapping[str, tuple[Any, ...]]] = {
    "sls": {"total": ("filtered", "all"), "shipper_paging": ("honoured", "ignored")},
    "cls": {
        "window_by": ("start", "range"),
        "empty": ("null", "list", "absent"),
        "new_id_on_retry": (False, True),
        "new_start_on_retry": (False, True),
        "published_limit": (True,),
    },
    "drs": {
        "dialect": ("otc", "hw"),
        "password": (False, True),
        "retry_status": (200, 202),
        "max_jobs": (None, 1),
        "unknown_reads": ("omit", "failed"),
        "beyond_end": ("empty", "refuse"),
        "result_case": ("lower", "title"),
        "expired_token_code": ("APIGW.0307", "DRS.M00100"),
    },
    "geelark": {
        "order": ("newest", "oldest"),
        "total": ("window", "page"),
        "short_pages": (False, True),
        "repeat_last": (False, True),
        "queued": ("waiting", "failed"),
        "fail_details": ("list",),
        "null_data": (False, True),
        "all_failed": ("details", "no_data", "unknown"),
        "http_status_for_errors": (200, 400),
    },
}
# Of these a good reply is not clear: the service says the like of it, and nobody knows what it means.
UNCLEAR = ("no_data", "unknown")


@st.composite
def seeds(draw: st.DrawFn, service: str, *, steady: bool = False, plain: bool = False) -> Seed:
    """One task; `steady`: it changes by a retry only; `plain`: the service refuses no retry of it alone."""
    side = SIDES[service]
    then = draw(st.sampled_from((("success",), ("fail",), ("stay",), ("fail", "success"), ("ignored",))))
    queued, runs = draw(st.integers(0, 2)), draw(st.integers(0, 2))
    heals_after = None if steady else draw(st.sampled_from((None,) * 7 + (1, 2, 4)))
    if draw(st.sampled_from((True, True, False))):  # what is usual, that is, due
        return Seed(age=_USUAL, then=then, queued=queued, runs=runs, heals_after=heals_after)
    life = draw(st.sampled_from((*(Life.FAILED,) * 5, Life.DONE, Life.RUNNING, *([Life.STOPPED] if side.stop else []))))
    failed = life is Life.FAILED
    horizon = side.horizon or 40 * HOUR
    ages = (*_AGES, horizon - 61, horizon - 60, horizon - 29, horizon - 1, horizon + 1)
    obstacles = (Obstacle.NOTHING,) * (1 if plain or not failed else 5)
    return Seed(
        place=draw(st.sampled_from((0, *range(side.places)))) if side.places > 1 else 0,
        life=life,
        words=draw(st.sampled_from(_WORDS)),
        age=draw(st.sampled_from(ages)),
        twin=side.twins and draw(st.booleans()),
        then=("stay",) if steady and life is Life.RUNNING else then,
        queued=queued if failed else 0,
        runs=runs,
        heals_after=heals_after if failed else None,
        obstacle=draw(st.sampled_from(obstacles + (() if plain or not failed else _OBSTACLES[service]))),
    )


@st.composite
def choices(draw: st.DrawFn, service: str, count: int, *, plain: bool = False) -> Choice:
    """The options of a run over a world of so many tasks; `plain`: nothing narrows the selection."""
    side = SIDES[service]
    more: dict[str, Any] = {"concurrency": draw(st.sampled_from((1, None, 2, 4, 8)))}
    if draw(st.booleans()):
        more["wait"] = True
        more["wait_timeout"] = draw(st.sampled_from((600, 60, 11, 0)))
        more["wait_interval"] = draw(st.sampled_from((None, 1.0, 7.0)))
    more["max_attempts"] = draw(st.sampled_from((5, 5, 3, 1)))
    more["rate_limit"] = draw(st.sampled_from((None, None, None, 10.0, 0.5)))
    one_place = side.places == 1 or draw(st.booleans())
    if plain or draw(st.booleans()):
        return Choice(one_place=one_place and not plain, more=more)
    by_id = draw(st.integers(0, 2)) == 2
    kind = draw(st.integers(0, 9))  # one way of narrowing at a time, mostly none
    return Choice(
        tasks=tuple(draw(st.lists(st.integers(0, count + 1), max_size=count + 3))) if by_id else None,
        since=draw(st.sampled_from((None, None, None, *_EDGES[:1]))),
        until=draw(st.sampled_from((None, None, None, *_EDGES[1:]))),
        marked_only=kind == 5,
        code_of=Words.PASSING if kind == 6 else None,
        classes=("fix", "transient") if kind == 7 else None,
        rule={8: "gone", 9: "transient"}.get(kind),
        stopped_too=side.stop is not None and draw(st.booleans()),
        max_tasks=draw(st.sampled_from((None,) * 5 + (0, 1, 3))),
        one_place=one_place,
        more=more,
    )


# What leaves in doubt whether a retry was carried out, and what has to end a run, is tried more often.
_IN_DOUBT = (Trouble.RESET_AFTER, Trouble.CUT, Trouble.LATE, Trouble.FAILS_AFTER, Trouble.PAGE_AFTER)
_ENDING = (Trouble.DENIED, Trouble.LOCKED, Trouble.UNREACHED)
_TROUBLES = (*Trouble, *_IN_DOUBT * 2, *_ENDING * 2)
_EARLY = (0, 0, 0, 1, 1, 2, 3, 4)


@st.composite
def moments(draw: st.DrawFn) -> At:
    """A moment early in a run, more often that of a change."""
    which = draw(st.sampled_from((Which.CHANGES, Which.CHANGES, Which.CHANGES, Which.ANY, Which.READS)))
    number = draw(st.sampled_from(_EARLY) if which is Which.CHANGES else st.integers(0, 9))
    return At(which, number, draw(st.booleans()))


TROUBLES: SearchStrategy[tuple[At, Trouble]] = st.tuples(moments(), st.sampled_from(_TROUBLES))
ACTS: SearchStrategy[Act] = st.builds(
    Act, at=moments(), deed=st.sampled_from((*Deed, Deed.HEAL, Deed.RETRY)), task=st.integers(0, 9)
)
ORDERS = st.lists(st.integers(0, 7), max_size=40).map(tuple)


@st.composite
def weathers(draw: st.DrawFn, *, others: bool = True, interrupts: bool = True) -> Weather:
    """What happens during a run."""
    late = draw(st.dictionaries(st.integers(1, 12), st.sampled_from((0.01, 0.3, 3.0)), max_size=3))
    return Weather(
        troubles=tuple(draw(st.lists(TROUBLES, max_size=5))),
        acts=tuple(draw(st.lists(ACTS, min_size=1, max_size=4))) if others and draw(st.booleans()) else (),
        ways=Ways(draw(st.sampled_from((0.0, 0.02, 0.2))), late),
        interrupt=draw(st.one_of(st.none(), st.none(), moments())) if interrupts else None,
        order=draw(ORDERS),
        fine=draw(st.booleans()),
        jitter=draw(st.sampled_from((0.5, 0.0, 1.0))),
    )


@st.composite
def calm_weathers(draw: st.DrawFn) -> Weather:
    """Nothing goes wrong; replies take their time, and threads their turns."""
    return Weather(
        ways=Ways(draw(st.sampled_from((0.0, 0.02, 0.2)))), order=draw(ORDERS), fine=draw(st.booleans()), jitter=0.5
    )


def dialects(service: str) -> SearchStrategy[dict[str, Any]]:
    """How the simulated service speaks, where its sources leave that open."""
    options = _DIALECTS[service]
    return st.fixed_dictionaries({name: st.sampled_from(values) for name, values in options.items()})


LIMITS = st.builds(Limits, page=st.sampled_from((None, 2, 3, 5)), batch=st.sampled_from((1, 2, 3, None)))


@st.composite
def cases(draw: st.DrawFn, service: str, *, calm: bool = False, plain: bool = False, most: int = 9) -> Case:
    """A world and a run in it; `calm`: nothing goes wrong and nothing moves by itself."""
    least = draw(st.sampled_from((1, 3, 4, 0)))
    made = tuple(draw(st.lists(seeds(service, steady=calm, plain=plain), min_size=least, max_size=most)))
    limits = draw(LIMITS)
    if service == "cls":
        # What is cut is read in pieces of an hour, over days: one world in four is enough.
        limits = Limits(4 if limits.page == 2 else None, None)
    dialect = draw(dialects(service))
    if plain:
        dialect = {**dialect, "new_id_on_retry": False} if service == "cls" else dialect
    return Case(
        service=service,
        seeds=made,
        choice=draw(choices(service, len(made), plain=plain)),
        weather=draw(calm_weathers() if calm else weathers()),
        limits=limits,
        dialect=dialect,
    )
