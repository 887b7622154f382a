# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fuzzes the readers of replies guided by what they cover, by atheris; see `make fuzz`. No part of `make test`.

An input is the number of a service, that of a call, a status, and the body of a reply. What is found is printed as a
traceback, and the input kept in a file.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import atheris

with atheris.instrument_imports(include=["ansible_collections.redrive.tasks.plugins.module_utils"]):
    from ansible_collections.redrive.tasks.plugins.module_utils._errors import RedriveError
    from ansible_collections.redrive.tasks.plugins.module_utils._task import Answer, State, Task, Window
    from ansible_collections.redrive.tasks.plugins.module_utils._wire import Request, Response
    from fuzz.hostile import PAGES, is_sound_error, is_sound_task
    from fuzz.services import TARGETS, Target
    from unit.fakes import NOW, FakeClock

_WINDOW = Window(int(NOW) - 86_000, int(NOW))
_STATUSES = (200, 202, 400, 401, 403, 404, 429, 500, 503)
_TASKS: dict[str, list[Task]] = {}


def _tasks(target: Target) -> list[Task]:
    if target.name not in _TASKS:
        service = target.make(target.genuine, FakeClock(), lambda text: None)
        _TASKS[target.name] = list(service.list_tasks(_WINDOW, frozenset(State)))
    return _TASKS[target.name]


def one_input(data: bytes) -> None:
    """One call of one service, whose first reply is the input, and every further one genuine."""
    if len(data) < 3:
        return
    target = TARGETS[data[0] % len(TARGETS)]
    replies: list[Response] = []

    def answer(request: Request) -> Response:
        spoilt = Response(_STATUSES[data[2] % len(_STATUSES)], {}, data[3:])
        replies.append(target.genuine(request) if replies else spoilt)
        return replies[-1]

    service = target.make(answer, FakeClock(), lambda text: None)
    try:
        _CALLS[data[1] % len(_CALLS)](service, target, replies)
    except RedriveError as exc:
        is_sound_error(exc)


def _list(service: Any, target: Target, replies: list[Response]) -> None:
    for task in service.list_tasks(_WINDOW, frozenset(State)):
        is_sound_task(task)


def _read_again(service: Any, target: Target, replies: list[Response]) -> None:
    for task in service.read_again(_tasks(target)).values():
        is_sound_task(task)


def _retry(service: Any, target: Target, replies: list[Response]) -> None:
    tasks = _tasks(target)[: service.facts.batch_size]
    verdicts = service.retry(tasks)
    for task in tasks:
        if verdicts[task.key].answer is Answer.ACCEPTED:
            assert target.accepts(replies[-1], task.id, [one.id for one in tasks]), "accepted on a guess"


_CALLS: tuple[Callable[[Any, Target, list[Response]], None], ...] = (_list, _read_again, _retry)


def _seed(folder: Path) -> None:
    """Genuine replies to every call, and pages that are none."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, target in enumerate(TARGETS):
        bodies: list[bytes] = [page for page in PAGES if len(page) < 1000]

        def answer(request: Request, target: Target = target, bodies: list[bytes] = bodies) -> Response:
            response = target.genuine(request)
            bodies.append(response.body)
            return response

        service = target.make(answer, FakeClock(), lambda text: None)
        service.retry(list(service.list_tasks(_WINDOW, frozenset(State)))[: service.facts.batch_size])
        for call in range(len(_CALLS)):
            for index, body in enumerate(bodies):
                (folder / f"{target.name}-{call}-{index}").write_bytes(bytes([number, call, 0]) + body)


def main() -> None:
    """The first argument is the folder of inputs; others are those of libFuzzer."""
    logging.disable()
    _seed(Path(sys.argv[1]))
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
