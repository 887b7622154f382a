# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""DRS of Open Telekom Cloud and Huawei Cloud, as far as retrying tasks goes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from local_cloud.services import UNKNOWN, Answer, Call, Headers, Operation, Refusal

if TYPE_CHECKING:
    from local_cloud.world import World


class DrsService:
    name = "drs"

    def __init__(self, world: World) -> None:
        self._world = world

    def claims(self, call: Call) -> bool:
        return False

    def operation(self, call: Call) -> Operation:
        return Operation(UNKNOWN)

    def authenticate(self, call: Call, operation: Operation, now: float) -> None:
        raise NotImplementedError

    def execute(self, call: Call, operation: Operation, now: float) -> Answer:
        raise NotImplementedError

    def refused(self, refusal: Refusal) -> Answer:
        raise NotImplementedError

    def throttled(self) -> Refusal:
        raise NotImplementedError

    def broken(self) -> Refusal:
        raise NotImplementedError

    def secrets(self, call: Call) -> Mapping[str, str]:
        return {}

    def reply_headers(self, call: Call, now: float) -> Headers:
        return ()

    def load(self, scenario: Mapping[str, Any]) -> None:
        raise NotImplementedError

    def tasks(self) -> list[dict[str, Any]]:
        return []
