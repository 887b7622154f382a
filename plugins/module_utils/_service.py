# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

"""What a service is to the engine: facts and four calls. No policy here and none in a service.

And what is told of the calls that change something.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

from ansible_collections.redrive.tasks.plugins.module_utils._classify import Rule
from ansible_collections.redrive.tasks.plugins.module_utils._limits import USUAL_BACKOFF, Backoff, Rate
from ansible_collections.redrive.tasks.plugins.module_utils._task import State, Task, TaskKey, Verdict, Window


class ServiceFacts(NamedTuple):
    """What differs between services as far as code above the service has to know.

    :ivar name: for messages
    :ivar id_option: the option that names tasks
    :ivar absent: why a task that was asked for may not be found, in words
    :ivar batch_size: tasks in one retry call
    :ivar wait_interval: seconds between two looks at the tasks, unless the user says otherwise
    :ivar retried_state: the state of a task just after its retry was accepted
    :ivar rules: built-in rules
    :ivar code_prefix: what the service writes before some failure codes, and leaves out before others
    :ivar horizon: seconds for which the service shows a task; None means without end
    :ivar horizon_margin: seconds by which a window keeps clear of the horizon's edge
    :ivar rate: published limit of each API; None means that none is published
    :ivar clock_codes: of refusals that a wrong clock here can cause, before anything is carried out; in lower case
    :ivar throttled: pauses after the service refused a call for coming too fast
    :ivar concurrency: requests under way at once, unless the user says otherwise
    :ivar heals_itself: the service also retries by itself, so that each task is looked at again just before its retry
    :ivar stale_seconds: for so long after an accepted retry the service may still show the old failure
    :ivar stoppable: the option that includes tasks which a person stopped, and their state
    """

    name: str
    id_option: str
    absent: str
    batch_size: int
    wait_interval: float
    retried_state: State
    rules: tuple[Rule, ...]
    code_prefix: str = ""
    horizon: int | None = None
    horizon_margin: int = 60
    rate: Rate | None = None
    clock_codes: frozenset[str] = frozenset()
    throttled: Backoff = USUAL_BACKOFF
    concurrency: int = 1
    heals_itself: bool = False
    stale_seconds: float = 5.0
    stoppable: tuple[str, State] | None = None


class Service(Protocol):
    """One service, for one scope that the user named. Every call may raise CallError."""

    @property
    def facts(self) -> ServiceFacts:
        """The service's facts."""

    def list_tasks(self, window: Window, states: frozenset[State]) -> Iterable[Task]:
        """Every task in the window whose state is among `states`, each once, from the first page to the last."""

    def find_tasks(self, ids: Sequence[str], window: Window) -> Iterable[Task]:
        """The tasks with these ids, as far as the service shows them; others may come along.

        Where the service reads by id, the window does not matter.
        """

    def read_again(self, tasks: Sequence[Task]) -> Mapping[TaskKey, Task]:
        """The same tasks as they are now; one that the service no longer shows is absent."""

    def retry(self, tasks: Sequence[Task]) -> Mapping[TaskKey, Verdict]:
        """Retry tasks of one scope, at most a batch, in one call; a verdict for each.

        A CallError whose kind says C(may_have_run) means that any of them may have been accepted. One of kind C(gone)
        means that their parent is, and that no further call for it can succeed.
        """


class Diary:
    """Is told of each retry call, so that a later run can know of it. This one forgets."""

    def sending(self, tasks: Sequence[Task]) -> None:
        """A call for these begins, on this thread."""

    def accepted(self, tasks: Sequence[Task]) -> None:
        """The service has taken them."""

    def not_run(self, tasks: Sequence[Task]) -> None:
        """They were surely not retried, whether or not the call was sent."""
