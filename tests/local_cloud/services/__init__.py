# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a service is to the server, and the list of services.

A further service is one file here with a class that fits `Service`, and one line in `new_services`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from local_cloud.world import World

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Call:
    """A request as it came over the wire: nothing decoded, nothing normalised."""

    method: str
    target: str  # path and query, as on the request line
    headers: Headers
    body: bytes
    request_id: str
    secure: bool = False  # it came over TLS

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        return self.target.partition("?")[2]

    def header(self, name: str) -> str | None:
        for key, value in self.headers:
            if key.lower() == name:
                return value
        return None


@dataclass(frozen=True)
class Operation:
    """What a call asks for. Without a known operation the name is `Unknown`.

    `changes`: it may change something; `ids` are then the tasks that it names, and otherwise empty.
    """

    name: str
    scope: Mapping[str, str] = field(default_factory=dict)
    changes: bool = False
    ids: Sequence[str] = ()


UNKNOWN = "Unknown"


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes = b""
    headers: Headers = ()


class Refusal(Exception):  # noqa: N818 - the error is the client's; this is the service's answer to it
    """The service says no. Without a message the service puts in its own text for the code."""

    def __init__(self, status: int, code: str, message: str | None = None, headers: Headers = ()) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers


class Service(Protocol):
    """One cloud service. Calls come one at a time, under the world's lock."""

    name: str

    def claims(self, call: Call) -> bool:
        """Whether this service is the one addressed."""

    def operation(self, call: Call) -> Operation:
        """What the call asks for; never fails."""

    def authenticate(self, call: Call, operation: Operation, now: float) -> None:
        """Refuses a call that is not genuine, fresh and allowed."""

    def execute(self, call: Call, operation: Operation, now: float) -> Answer:
        """Does what a genuine call asks for, or refuses it."""

    def refused(self, refusal: Refusal) -> Answer:
        """The refusal in the service's own envelope."""

    def throttled(self) -> Refusal:
        """What too many calls get."""

    def broken(self) -> Refusal:
        """What a call gets when the service fails by its own fault."""

    def secrets(self, call: Call) -> Mapping[str, str]:
        """What of the caller's keys a hostile answer could echo; see `faults._echo`."""

    def reply_headers(self, call: Call, now: float) -> Headers:
        """The headers on every reply."""

    def load(self, scenario: Mapping[str, Any]) -> None:
        """Adds this service's part of a scenario."""

    def tasks(self) -> list[dict[str, Any]]:
        """All tasks, for the control API."""


def new_services(world: World) -> list[Service]:
    """The services of a new world, in the order in which they are asked whether a call is theirs."""
    from local_cloud.services.cls import ClsService
    from local_cloud.services.drs import DrsService
    from local_cloud.services.geelark import GeelarkService
    from local_cloud.services.sls import SlsService

    return [ClsService(world), DrsService(world), GeelarkService(world), SlsService(world)]
