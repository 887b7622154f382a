# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The four services as the model sees them: how their worlds are built, and what their words say.

All of this is about the simulated side. Nothing here asks the plugins what anything means.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.redrive.tasks.plugins.module_utils._fronts.cls import CLS
from ansible_collections.redrive.tasks.plugins.module_utils._fronts.drs import DRS
from ansible_collections.redrive.tasks.plugins.module_utils._fronts.geelark import GEELARK
from ansible_collections.redrive.tasks.plugins.module_utils._fronts.sls import SLS
from ansible_collections.redrive.tasks.plugins.module_utils._module.common import Front
from ansible_collections.redrive.tasks.plugins.module_utils._services import cls as cls_service
from ansible_collections.redrive.tasks.plugins.module_utils._services import drs as drs_service
from ansible_collections.redrive.tasks.plugins.module_utils._services import geelark as geelark_service
from ansible_collections.redrive.tasks.plugins.module_utils._services import sls as sls_service
from local_cloud.server import Cloud
from local_cloud.services import Answer, Operation
from local_cloud.tasks import Status, Task, TaskList
from model.cases import MARK, Life, Limits, Obstacle, Seed, Words

KEY_ID, SECRET = "modelKeyId", "modelKeySecret"
USER, PASSWORD, DOMAIN = "modelUser", "modelPassword", "modelDomain"
PROJECT_ID = "054babbbde80d4602f5cc0043a40ed8c"
API_TOKEN = "modelGeelarkBearerToken0123456789"

Key = tuple[int, str]
"""What identifies a task: the number of its place, and its id."""


@dataclass(eq=False)
class Tracked:
    """One task of the simulated world, wherever it goes from there."""

    seed: Seed
    key: Key
    task: Task
    home: TaskList

    @property
    def truth(self) -> str:
        """What it is: failed, queued (taken for a retry, and still showing why it failed), stopped, running..."""
        self.task.settle(self.home._clock.now())
        here = self.home._tasks.get(self.task.id) is self.task
        if not here or self.home.vanished or self.task.details.get("deleted"):
            return "gone"
        if self.task.queued:
            return "queued"
        return {Status.FAIL: "failed", Status.STOPPED: "stopped", Status.RUNNING: "running"}.get(
            self.task.status, "done"
        )


class Side:
    """One service.

    :ivar by_id_in_window: whether tasks that are named are looked for in the window only
    :ivar horizon: seconds for which a task is shown
    :ivar stop: the option that includes what a person stopped
    :ivar throttle: how the service says that it is asked too fast
    :ivar unread: codes of refusals after which a retry may be sent again, because nothing of the call was carried out
    :ivar denied: HTTP status and code for a caller without rights
    :ivar rejected: HTTP status and code for a request that is refused as such
    :ivar gone: HTTP status and code for a parent that is gone
    :ivar locked: HTTP status and code for an account that is locked
    :ivar failed_words: the service's words for a task that has failed; `stopped_words` alike
    :ivar list_key: what tasks stand under in a reply
    """

    name: str
    front: Front
    service: type
    by_id_in_window: bool
    horizon: int | None
    margin = 60
    stop: str | None = None
    looks_twice = False
    places = 1
    throttle: str
    unread: tuple[str, ...] = ()
    denied: tuple[int, str]
    rejected: tuple[int, str]
    gone: tuple[int, str] | None = None
    locked: tuple[int, str] | None = None
    failed_words: tuple[str, ...]
    stopped_words: tuple[str, ...] = ()
    list_key: str
    has_codes = True
    twins = False

    def prepare(self, cloud: Cloud, dialect: Mapping[str, Any]) -> None:
        """Accounts and places."""
        raise NotImplementedError

    def home(self, cloud: Cloud, place: int) -> TaskList:
        """Where tasks of this place are kept."""
        raise NotImplementedError

    def credentials(self, cloud: Cloud) -> dict[str, Any]:
        """Options that let a run in."""
        raise NotImplementedError

    def where(self, one_place: bool) -> dict[str, Any]:
        """Options that name place 0, or all."""
        raise NotImplementedError

    def words(self, words: Words) -> dict[str, str]:
        """Code and message of a failure."""
        raise NotImplementedError

    def limited(self, limits: Limits) -> list[tuple[Any, str, Any]]:
        """What to replace so that a page holds no more than this: owner, name, value."""
        return []

    def place_of(self, operation: Operation) -> int:
        """Which place a call is for."""
        return 0

    def place_in(self, scope: Mapping[str, str]) -> int:
        """Which place a scope of the result is."""
        return 0

    def place_number(self, place: int) -> int:
        """The number under which a task of this place is known: 0 where ids are unique over all places."""
        return 0

    def add(self, cloud: Cloud, seed: Seed, twin_of: str | None) -> Tracked:
        """A task of the world."""
        home = self.home(cloud, seed.place)
        group: dict[str, Any] = {
            "status": seed.life.value,
            "age": seed.age,
            "then": list(seed.then),
            "queued_reads": seed.queued,
            "runs_for": {"reads": seed.runs},
            "heals_after_reads": seed.heals_after,
        }
        words = self.words(seed.words)
        if seed.life is Life.FAILED:
            group.update(words)
        else:
            group.update({f"then_{name}": value for name, value in words.items()})
        group.update(self.details(seed))
        if twin_of is not None:
            group["id"] = twin_of
        task_id = home.add_tasks(**group)[0]
        task = home.get(task_id)
        assert task is not None
        return Tracked(seed, (self.place_number(seed.place), task_id), task, home)

    def details(self, seed: Seed) -> dict[str, Any]:
        """What makes a service refuse the retry of one task."""
        return {}

    def may_be_sent(self, seed: Seed) -> bool:
        """Whether a retry would be of any use, as far as the service tells beforehand."""
        return True

    def is_worn_out(self, one: Tracked) -> bool:
        """Whether the service refuses a retry because there were so many."""
        return False

    def after_setup(self, cloud: Cloud, tracked: Sequence[Tracked]) -> None:
        """What depends on ids."""

    def shown(self, content: Any) -> Iterator[tuple[str, str]]:
        """The ids in a reply that shows tasks, and the word for the state of each."""
        for item in self.items(content):
            yield str(item["id"]), str(item["status"])

    def items(self, content: Any) -> Iterator[Mapping[str, Any]]:
        """The tasks in a reply, each with an id and a status."""
        raise NotImplementedError

    def accepted(self, ids: Sequence[str], answer: Answer) -> set[str]:
        """Those that a good reply to a retry says to be accepted."""
        return set(ids)

    def named(self, answer: Answer) -> set[str] | None:
        """Those of which a good reply to a retry says anything; None if it answers for all."""
        return None


def _loaded(answer: Answer) -> Any:
    try:
        return json.loads(answer.body)
    except ValueError:
        return None


class Sls(Side):
    name = "sls"
    front = SLS
    service = sls_service.SlsService
    by_id_in_window = True
    horizon = 48 * 3600
    places = 3
    twins = True
    throttle = "MetaOperationQpsLimitExceeded"
    denied = (401, "Unauthorized")
    rejected = (400, "ParameterInvalid")
    gone = (404, "ShipperNotExist")
    failed_words = ("fail",)
    list_key = "tasks"

    _stores = ("access", "access", "errors")
    _shippers = ("to-oss", "to-odps", "to-oss")

    def prepare(self, cloud: Cloud, dialect: Mapping[str, Any]) -> None:
        cloud.world.add_account(KEY_ID, SECRET)
        cloud.world.sls.configure(**dialect)
        for place in range(self.places):
            self.home(cloud, place)

    def home(self, cloud: Cloud, place: int) -> TaskList:
        return cloud.world.sls.add_shipper("shop", self._stores[place], self._shippers[place])

    def credentials(self, cloud: Cloud) -> dict[str, Any]:
        return {"access_key_id": KEY_ID, "access_key_secret": SECRET, "region": "cn-hangzhou"}

    def where(self, one_place: bool) -> dict[str, Any]:
        return {"project": "shop", **({"logstore": "access", "shipper": "to-oss"} if one_place else {})}

    def words(self, words: Words) -> dict[str, str]:
        return {
            Words.PASSING: {"code": "InternalServerError", "message": "Try again."},
            Words.MENDED_BY_A_PERSON: {"code": "InvalidOssBucket", "message": "No bucket."},
            Words.NEVER_HEARD: {"code": "Odd", "message": "The flux capacitor is misaligned."},
            Words.MARKED: {"code": "Odder", "message": f"A {MARK} is in the way."},
        }[words]

    def limited(self, limits: Limits) -> list[tuple[Any, str, Any]]:
        return [(sls_service, "_PAGE", limits.page)] if limits.page else []

    def place_of(self, operation: Operation) -> int:
        return self.place_in(operation.scope)

    def place_in(self, scope: Mapping[str, str]) -> int:
        places = list(zip(self._stores, self._shippers))
        return places.index((scope["logstore"], scope["shipper"])) if "shipper" in scope else 0

    def place_number(self, place: int) -> int:
        return place

    def items(self, content: Any) -> Iterator[Mapping[str, Any]]:
        for item in content.get("tasks") or ():
            yield {"id": item["id"], "status": item["taskStatus"]}


class Cls(Side):
    name = "cls"
    front = CLS
    service = cls_service.ClsService
    by_id_in_window = True
    horizon = 3 * 86400
    margin = 60 + 302  # a window may mean the logs of a task, which here begin as long before it
    places = 2
    twins = True
    throttle = "RequestLimitExceeded"
    denied = (200, "AuthFailure.UnauthorizedOperation")
    rejected = (200, "MissingParameter")
    gone = (200, "ResourceNotFound.ShipperNotExist")
    failed_words = ("failed",)
    list_key = "Tasks"
    has_codes = False

    _shippers = ("57f5808c-4a55-11eb-b378-0242ac130002", "68f5808c-4a55-11eb-b378-0242ac130003")

    def prepare(self, cloud: Cloud, dialect: Mapping[str, Any]) -> None:
        cloud.world.add_account(KEY_ID, SECRET)
        cloud.world.cls.configure(**dialect)
        for shipper in self._shippers:
            cloud.world.cls.add_shipper(shipper)

    def home(self, cloud: Cloud, place: int) -> TaskList:
        return cloud.world.cls.shippers[self._shippers[place]].tasks

    def credentials(self, cloud: Cloud) -> dict[str, Any]:
        return {"secret_id": KEY_ID, "secret_key": SECRET, "region": "ap-guangzhou"}

    def where(self, one_place: bool) -> dict[str, Any]:
        return {"shipper_id": self._shippers[0]} if one_place else {}

    def words(self, words: Words) -> dict[str, str]:
        return {
            Words.PASSING: {"message": "InternalError: try again."},
            Words.MENDED_BY_A_PERSON: {"message": "NoSuchBucket: no bucket."},
            Words.NEVER_HEARD: {"message": "The flux capacitor is misaligned."},
            Words.MARKED: {"message": f"A {MARK} is in the way."},
        }[words]

    def limited(self, limits: Limits) -> list[tuple[Any, str, Any]]:
        return [(cls_service, "_PAGE", limits.page), (cls_service, "_SUSPICIOUS", limits.page)] if limits.page else []

    def details(self, seed: Seed) -> dict[str, Any]:
        return {"details": {"refuses_retry": True}} if seed.obstacle is Obstacle.REFUSED else {}

    def place_of(self, operation: Operation) -> int:
        shipper = operation.scope.get("shipper")
        return self._shippers.index(shipper) if shipper in self._shippers else 0

    def place_in(self, scope: Mapping[str, str]) -> int:
        return self._shippers.index(scope["shipper_id"]) if scope else 0

    def place_number(self, place: int) -> int:
        return place

    def items(self, content: Any) -> Iterator[Mapping[str, Any]]:
        for item in content["Response"].get("Tasks") or ():
            yield {"id": item["TaskId"], "status": item["Status"]}


class Drs(Side):
    name = "drs"
    front = DRS
    service = drs_service.DrsService
    by_id_in_window = False
    horizon = None
    places = 3
    stop = "include_paused"
    looks_twice = True
    throttle = "APIGW.0308"
    unread = ("APIGW.0307", "DRS.M00100", "DRS.M00299", "DRS.M00289", "DRS.M05003", "DRS.M05004")
    denied = (403, "DRS.M00102")
    rejected = (400, "DRS.M00300")
    failed_words = ("FULL_TRANSFER_FAILED", "INCRE_TRANSFER_FAILED")
    stopped_words = ("PAUSING", "PAUSEING", "PAUSED")
    list_key = "results"

    _kinds = ("migration", "sync", "cloudDataGuard")

    def prepare(self, cloud: Cloud, dialect: Mapping[str, Any]) -> None:
        options = dict(dialect)
        self._password = options.pop("password", False)
        cloud.world.drs.configure(**options)
        cloud.world.drs.add_project(PROJECT_ID, domain=DOMAIN)
        cloud.world.drs.add_user(USER, PASSWORD, domain=DOMAIN)
        cloud.world.add_account(KEY_ID, SECRET)

    def home(self, cloud: Cloud, place: int) -> TaskList:
        return cloud.world.drs.project(PROJECT_ID).jobs(self._kinds[place])

    def credentials(self, cloud: Cloud) -> dict[str, Any]:
        address = {"endpoint": "https://drs.eu-de.otc.t-systems.com"}
        if self._password:
            auth = {"auth_url": "https://iam.eu-de.otc.t-systems.com/v3", "user_domain_name": DOMAIN}
            return {**address, **auth, "username": USER, "password": PASSWORD}
        return {**address, "access_key": KEY_ID, "secret_key": SECRET}

    def where(self, one_place: bool) -> dict[str, Any]:
        return {"project_id": PROJECT_ID, **({"db_use_type": ["migration"]} if one_place else {})}

    def words(self, words: Words) -> dict[str, str]:
        return {
            Words.PASSING: {"code": "", "message": "Communications link failure."},
            Words.MENDED_BY_A_PERSON: {"code": "", "message": "Access denied for user root."},
            Words.NEVER_HEARD: {"code": "DRS.K77777", "message": "The flux capacitor is misaligned."},
            Words.MARKED: {"code": "DRS.K77778", "message": f"A {MARK} is in the way."},
        }[words]

    def limited(self, limits: Limits) -> list[tuple[Any, str, Any]]:
        return [(drs_service, "_PAGE", limits.page)] if limits.page else []

    def details(self, seed: Seed) -> dict[str, Any]:
        if seed.obstacle is Obstacle.PARENT:
            return {"multi_write": True, "children": [{"status": "success"}]}
        return {"busy_for": 1} if seed.obstacle is Obstacle.BUSY else {}

    def may_be_sent(self, seed: Seed) -> bool:
        return seed.obstacle is not Obstacle.PARENT

    def after_setup(self, cloud: Cloud, tracked: Sequence[Tracked]) -> None:
        silent = [one.key[1] for one in tracked if one.seed.obstacle is Obstacle.SILENT]
        cloud.world.drs.configure(leave_out=silent)

    def items(self, content: Any) -> Iterator[Mapping[str, Any]]:
        for item in content.get("jobs") or content.get("results") or ():
            if "status" in item:
                yield item
            yield from item.get("children") or ()

    def accepted(self, ids: Sequence[str], answer: Answer) -> set[str]:
        results = (_loaded(answer) or {}).get("results") or ()
        return {one["id"] for one in results if one["status"].lower() == "success"}

    def named(self, answer: Answer) -> set[str] | None:
        return {one["id"] for one in (_loaded(answer) or {}).get("results") or ()}


class Geelark(Side):
    name = "geelark"
    front = GEELARK
    service = geelark_service.GeelarkService
    by_id_in_window = False
    horizon = 7 * 86400
    stop = "include_cancelled"
    looks_twice = True
    throttle = "40007"
    denied = (200, "40015")
    rejected = (200, "40004")
    locked = (200, "40014")
    failed_words = ("4",)
    stopped_words = ("7",)
    list_key = "items"

    def prepare(self, cloud: Cloud, dialect: Mapping[str, Any]) -> None:
        cloud.world.geelark.configure(**dialect)
        cloud.world.geelark.add_team("modelTeam", token=API_TOKEN)

    def home(self, cloud: Cloud, place: int) -> TaskList:
        return cloud.world.geelark.tasks_of("modelTeam")

    def credentials(self, cloud: Cloud) -> dict[str, Any]:
        return {"api_token": API_TOKEN}

    def where(self, one_place: bool) -> dict[str, Any]:
        return {}

    def words(self, words: Words) -> dict[str, str]:
        return {
            Words.PASSING: {"code": "20002", "message": "The phone is busy."},
            Words.MENDED_BY_A_PERSON: {"code": "20101", "message": "The proxy fails."},
            Words.NEVER_HEARD: {"code": "77777", "message": "The flux capacitor is misaligned."},
            Words.MARKED: {"code": "77778", "message": f"A {MARK} is in the way."},
        }[words]

    def limited(self, limits: Limits) -> list[tuple[Any, str, Any]]:
        return (
            [(geelark_service, "_PAGE", limits.page), (geelark_service, "_MOST_IDS", limits.page)]
            if limits.page
            else []
        )

    def details(self, seed: Seed) -> dict[str, Any]:
        details: dict[Obstacle, dict[str, Any]] = {
            Obstacle.REFUSED: {"restarts": 5},
            Obstacle.GONE: {"phone_deleted": True},
        }
        return {"details": details[seed.obstacle]} if seed.obstacle in details else {}

    def is_worn_out(self, one: Tracked) -> bool:
        return one.task.retries >= 5

    def items(self, content: Any) -> Iterator[Mapping[str, Any]]:
        yield from (content.get("data") or {}).get("items") or ()

    def accepted(self, ids: Sequence[str], answer: Answer) -> set[str]:
        content = _loaded(answer)
        if not content or content["code"] not in (0, 40006):
            return set()
        details = (content.get("data") or {}).get("failDetails") or ()
        return set(ids) - {str(one["id"]) for one in details if isinstance(one, dict)}


SIDES: Mapping[str, type[Side]] = {one.name: one for one in (Sls, Cls, Drs, Geelark)}
