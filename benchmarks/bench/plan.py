# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which contender retries how many tasks at which latency, and how often."""

from __future__ import annotations

from dataclasses import dataclass

from bench.contenders import MODULE, PLAYBOOK, POLITE_SDK, SDK, URI, Contender
from bench.results import Skipped

LATENCIES = (0, 30, 100)
SIZES = (100, 2000, 20000)
# In milliseconds: what targets and the figures of uri in a loop are measured at.
MAIN_LATENCY = 30


@dataclass(frozen=True)
class Cell:
    """Contenders that do the same, in turns, so many times."""

    service: str
    latency_ms: int
    tasks: int
    repeats: int
    contenders: tuple[Contender, ...]


@dataclass(frozen=True)
class Plan:
    """All that is measured.

    :ivar cells: one after the other, with nothing beside them
    :ivar lanes: side by side, each in a cloud of its own: what spends its time waiting for a limit, not for the machine
    :ivar rounds, calls: of the measurement of single calls
    """

    cells: tuple[Cell, ...]
    lanes: tuple[tuple[Cell, ...], ...]
    skipped: tuple[Skipped, ...]
    rounds: int
    calls: int
    capacity_tasks: int = 20000


_LONG_LOOP = "it takes a quarter of an hour and more"
_LIMITED = "with 20 tasks a second it takes 17 minutes, whoever does it"
_LOOP_OF_CLS = "one task in a request: 2,000 items take as long as for SLS, where they are measured"
_SLOW = "the script sends one request after the other: latency alone takes minutes"


def full(*, long_loop: bool) -> Plan:
    """Everything.

    :param long_loop: the loop of uri over 20,000 tasks as well, at one latency; it takes ten minutes longer
    """
    cells = tuple(_sls(latency, tasks) for tasks in SIZES for latency in LATENCIES)
    loop_at = MAIN_LATENCY if long_loop else None
    cls = tuple(Cell("cls", latency, 100, 1, (PLAYBOOK, MODULE, SDK, POLITE_SDK)) for latency in LATENCIES)
    lanes: tuple[tuple[Cell, ...], ...] = (
        (Cell("cls", 0, 2000, 1, (PLAYBOOK,)), Cell("cls", 0, 2000, 1, (POLITE_SDK,))),
        (Cell("cls", 30, 2000, 1, (PLAYBOOK,)), Cell("cls", 30, 2000, 1, (SDK,))),
        (Cell("cls", 100, 2000, 1, (PLAYBOOK,)), Cell("cls", 0, 2000, 1, (SDK,))),
        (Cell("cls", 30, 2000, 1, (POLITE_SDK,)),),
    )
    if long_loop:
        lanes += ((Cell("sls", MAIN_LATENCY, 20000, 1, (URI,)),),)
    skipped = (
        *(Skipped("sls", URI.name, latency, 20000, _LONG_LOOP) for latency in LATENCIES if latency != loop_at),
        *(Skipped("cls", PLAYBOOK.name, latency, 20000, _LIMITED) for latency in LATENCIES),
        Skipped("cls", URI.name, MAIN_LATENCY, 2000, _LOOP_OF_CLS),
        *(Skipped("cls", one.name, 100, 2000, _SLOW) for one in (SDK, POLITE_SDK)),
        Skipped("sls", SDK.name, 100, 20000, _SLOW),
    )
    return Plan(cells + cls + (Cell("cls", MAIN_LATENCY, 100, 1, (URI,)),), lanes, skipped, rounds=3, calls=20)


def quick() -> Plan:
    """What shows in a few minutes whether anything has become slower."""
    cells = (
        Cell("sls", MAIN_LATENCY, 100, 1, (PLAYBOOK, MODULE, SDK, URI)),
        Cell("sls", MAIN_LATENCY, 2000, 1, (PLAYBOOK, MODULE, SDK)),
        Cell("sls", 0, 2000, 1, (PLAYBOOK, MODULE, SDK)),
        Cell("sls", 0, 20000, 1, (PLAYBOOK, MODULE)),
        Cell("cls", MAIN_LATENCY, 200, 1, (PLAYBOOK, SDK, POLITE_SDK)),
    )
    return Plan(cells, (), (), rounds=2, calls=10)


def tiny(service: str, tasks: int) -> Plan:
    """Every contender of one service once, without latency: whether all of this works."""
    contenders = (PLAYBOOK, MODULE, SDK, URI) if service == "sls" else (PLAYBOOK, MODULE, POLITE_SDK, URI)
    return Plan((Cell(service, 0, tasks, 1, contenders),), (), (), rounds=1, calls=1, capacity_tasks=1000)


def _sls(latency: int, tasks: int) -> Cell:
    contenders: tuple[Contender, ...] = (PLAYBOOK, MODULE)
    if (latency, tasks) != (100, 20000):
        contenders += (SDK,)
    if tasks < 20000:
        contenders += (URI,)
    return Cell("sls", latency, tasks, 1 if tasks == 20000 else 3, contenders)
