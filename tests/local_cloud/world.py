# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The world behind the services: accounts, clock, tasks, and what clients did to them."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

from local_cloud.services import Service, new_services
from local_cloud.tasks import Clock, ScenarioError, TaskList, seconds

if TYPE_CHECKING:
    from local_cloud.services.cls import ClsService
    from local_cloud.services.drs import DrsService
    from local_cloud.services.geelark import GeelarkService
    from local_cloud.services.sls import SlsService


@dataclass(frozen=True)
class Account:
    """One pair of keys. With a security token it is a temporary one (STS) and needs that very token."""

    access_key_id: str
    access_key_secret: str
    security_token: str | None = None
    region: str = "cn-hangzhou"
    account_id: str = "1234567890123456"
    deny: tuple[str, ...] = ()  # "RetryShipperTask", or "ListShipper@some-logstore" for one name only
    projects: tuple[str, ...] | None = None  # the projects that belong to it; None: all
    disabled: bool = False
    expires_at: float | None = None

    def denies(self, operation: str, scope: Mapping[str, str]) -> bool:
        for rule in self.deny:
            name, _ignored, where = rule.partition("@")
            if name.rpartition(":")[2] in (operation, "*") and (not where or where in scope.values()):
                return True
        return False


@dataclass(frozen=True)
class Violation:
    """A retry no careful client would have sent; the service let it pass, and did nothing."""

    kind: str  # unknown_id | not_failed | already_accepted | duplicate_id | parent
    task_id: str
    scope: tuple[str, ...]
    request_id: str


class World:
    """All state. Every method may be called from any thread."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock = clock or Clock()
        self.lock = threading.RLock()
        self.accounts: dict[str, Account] = {}
        self.violations: list[Violation] = []
        self.executed: Counter[str] = Counter()
        self.services: dict[str, Service] = {service.name: service for service in new_services(self)}

    @property
    def sls(self) -> SlsService:
        return cast("SlsService", self.services["sls"])

    @property
    def cls(self) -> ClsService:
        return cast("ClsService", self.services["cls"])

    @property
    def drs(self) -> DrsService:
        return cast("DrsService", self.services["drs"])

    @property
    def geelark(self) -> GeelarkService:
        return cast("GeelarkService", self.services["geelark"])

    def add_account(
        self,
        access_key_id: str,
        access_key_secret: str,
        *,
        expires_in: Any = None,
        expired: bool = False,
        **more: Any,
    ) -> Account:
        with self.lock:
            for key in ("deny", "projects"):
                if more.get(key) is not None:
                    more[key] = tuple(more[key])
            if expires_in is not None:
                more["expires_at"] = self.clock.now() + seconds(expires_in)
            if expired:
                more["expires_at"] = self.clock.now() - 1
            account = Account(access_key_id, access_key_secret, **more)
            self.accounts[access_key_id] = account
            return account

    def expire(self, access_key_id: str) -> None:
        """Lets a temporary key expire now."""
        self.change_account(access_key_id, expires_at=self.clock.now() - 1)

    def change_account(self, access_key_id: str, **changes: Any) -> None:
        with self.lock:
            self.accounts[access_key_id] = replace(self.accounts[access_key_id], **changes)

    def add_shipper(self, project: str, logstore: str, shipper: str, **more: Any) -> TaskList:
        """An SLS shipper, with its project and Logstore where they are missing."""
        return self.sls.add_shipper(project, logstore, shipper, **more)

    def add_violation(self, kind: str, task_id: str, scope: tuple[str, ...], request_id: str) -> None:
        with self.lock:
            self.violations.append(Violation(kind, task_id, scope, request_id))

    def load(self, scenario: Mapping[str, Any]) -> None:
        """Adds what the scenario describes. Keys: `accounts`, and one for each service."""
        with self.lock:
            unknown = set(scenario) - {"accounts", "faults", "latency", "rate_limits"} - set(self.services)
            if unknown:
                raise ScenarioError(f"unknown keys in the scenario: {sorted(unknown)}")
            try:
                for account in scenario.get("accounts") or []:
                    self.add_account(**account)
                for name, service in self.services.items():
                    if name in scenario:
                        service.load(scenario[name] or {})
            except (TypeError, KeyError, ValueError) as error:
                raise ScenarioError(f"{type(error).__name__}: {error}") from error
