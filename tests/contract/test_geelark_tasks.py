# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How GeeLark shows tasks, what becomes of them after a restart, and how their history is paged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from contract.wire import exchange
from contract.wire_geelark import (
    API_KEY,
    APP_ID,
    QUERY,
    TOKEN,
    Envelope,
    history,
    query,
    restart,
)
from local_cloud.services.geelark import GeelarkService, TeamTasks
from local_cloud.tasks import Clock, ScenarioError
from local_cloud.testing import LocalCloud

NOW = 1700000000
EVERY = {"id", "planName", "taskType", "serialName", "envId", "scheduleAt", "status"}


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud(clock=Clock(frozen_at=NOW)) as cloud:
        cloud.world.geelark.add_team(APP_ID, API_KEY, TOKEN)
        yield cloud


@pytest.fixture
def geelark(cloud: LocalCloud) -> GeelarkService:
    return cloud.world.geelark


@pytest.fixture
def tasks(geelark: GeelarkService) -> TeamTasks:
    return geelark.tasks_of(APP_ID)


def statuses(cloud: LocalCloud, ids: list[str], reads: int) -> list[int]:
    """What so many queries show of the first of these tasks."""
    return [query(cloud, *ids).items[0]["status"] for _ignored in range(reads)]


# -- fields -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "number", "queried", "listed"),
    [
        ("waiting", 1, set(), set()),
        ("running", 2, set(), set()),
        ("success", 3, {"cost", "shareLink"}, {"cost"}),
        ("fail", 4, {"cost", "failCode", "failDesc"}, {"cost", "failCode", "failDesc"}),
        ("cancelled", 7, {"failCode", "failDesc"}, {"failCode", "failDesc"}),
    ],
)
def test_task_shows_what_applies_to_it(
    cloud: LocalCloud, tasks: TeamTasks, status: str, number: int, queried: set[str], listed: set[str]
) -> None:
    ids = tasks.add_tasks(status=status)
    (one,), (other,) = query(cloud, *ids).items, history(cloud).items
    assert (one["status"], other["status"]) == (number, number)
    assert (set(one) - EVERY, set(other) - EVERY) == (queried, listed)
    assert one.keys() >= EVERY <= other.keys()


def test_fields_have_the_documented_types(cloud: LocalCloud, tasks: TeamTasks) -> None:
    details = {"plan": "plan {n}", "type": 1, "phone": "pixel-{n}", "cost": 7}
    ids = tasks.add_tasks(count=2, code="20136", message="The account {n} is blocked.", age="2h", details=details)
    shown = query(cloud, *ids).items[1]
    assert shown.pop("envId").isdecimal()
    assert shown == {
        "id": ids[1],
        "planName": "plan 1",
        "taskType": 1,
        "serialName": "pixel-1",
        "scheduleAt": NOW - 7200,
        "status": 4,
        "failCode": 20136,
        "failDesc": "The account 1 is blocked.",
        "cost": 7,
    }


@pytest.mark.parametrize(("status", "code"), [("fail", 20100), ("cancelled", 20005)])
def test_usual_reasons(cloud: LocalCloud, tasks: TeamTasks, status: str, code: int) -> None:
    (shown,) = query(cloud, *tasks.add_tasks(status=status)).items
    assert shown["failCode"] == code
    assert shown["failDesc"]


def test_reason_can_be_missing(cloud: LocalCloud, tasks: TeamTasks) -> None:
    (shown,) = query(cloud, *tasks.add_tasks(code="", message="")).items
    assert not {"failCode", "failDesc"} & set(shown)


def test_link_is_shown_once_the_task_is_completed(cloud: LocalCloud, tasks: TeamTasks) -> None:
    ids = tasks.add_tasks(runs_for={"reads": 0}, details={"share_link": "https://example.com/v"})
    assert "shareLink" not in query(cloud, *ids).items[0]
    restart(cloud, *ids)
    assert query(cloud, *ids).items[0]["shareLink"] == "https://example.com/v"


def test_phone_is_the_same_where_its_name_is(cloud: LocalCloud, tasks: TeamTasks) -> None:
    ids = tasks.add_tasks(count=2, details={"phone": "pixel"}) + tasks.add_tasks(count=2)
    phones = [task["envId"] for task in query(cloud, *ids).items]
    assert phones[0] == phones[1]
    assert len(set(phones)) == 3


def test_ids_are_eighteen_digits_and_the_same_in_every_run() -> None:
    made = []
    for _ignored in range(2):
        with LocalCloud() as cloud:
            geelark = cloud.world.geelark
            for team in ("a", "b"):
                geelark.add_team(team)
            made.append([*geelark.add_tasks("a", count=3), *geelark.add_tasks("b", count=3)])
    assert made[0] == made[1]
    assert len(set(made[0])) == 6
    assert all(len(one) == 18 and one.isdecimal() for one in made[0])


# -- task/query -------------------------------------------------------------------------------------------------------


def test_unknown_ids_are_missing_from_the_answer(cloud: LocalCloud, tasks: TeamTasks) -> None:
    ids = tasks.add_tasks(count=2)
    reply = query(cloud, ids[1], "1", ids[0], ids[1])
    assert (reply.data["total"], reply.ids) == (2, [ids[1], ids[0]])


@pytest.mark.parametrize(("option", "items"), [(False, []), (True, None)])
def test_empty_page(cloud: LocalCloud, geelark: GeelarkService, option: bool, items: object) -> None:
    geelark.configure(null_items=option)
    assert query(cloud, "1").data == history(cloud).data == {"total": 0, "items": items}


def test_task_outside_the_history_can_be_queried(cloud: LocalCloud, tasks: TeamTasks) -> None:
    ids = tasks.add_tasks(age="30d")
    assert (query(cloud, *ids).ids, history(cloud).ids) == (ids, [])


# -- task/historyRecords ----------------------------------------------------------------------------------------------


def pages(cloud: LocalCloud, size: int, most: int = 9, **more: Any) -> list[Envelope]:
    """The history, page by page, to the first empty one."""
    read: list[Envelope] = []
    while len(read) < most and (not read or read[-1].items):
        last = read[-1].ids[-1] if read else ""
        read.append(history(cloud, size=size, lastId=last, **more))
    return read


def test_history_begins_with_the_newest(cloud: LocalCloud, tasks: TeamTasks) -> None:
    ids = tasks.add_tasks(count=5, age={"from": "5h", "to": "1h"})
    assert [page.ids for page in pages(cloud, 2)] == [[ids[4], ids[3]], [ids[2], ids[1]], [ids[0]], []]


def test_history_can_begin_with_the_oldest(cloud: LocalCloud, geelark: GeelarkService, tasks: TeamTasks) -> None:
    geelark.configure(order="oldest")
    ids = tasks.add_tasks(count=3, age={"from": "5h", "to": "1h"})
    assert [page.ids for page in pages(cloud, 2)] == [[ids[0], ids[1]], [ids[2]], []]


def test_history_reaches_back_seven_days(cloud: LocalCloud, tasks: TeamTasks) -> None:
    (inside,) = tasks.add_tasks(age="7d")
    tasks.add_tasks(age="604801s")
    assert history(cloud).ids == [inside]


def test_page_has_ten_tasks_by_default(cloud: LocalCloud, geelark: GeelarkService, tasks: TeamTasks) -> None:
    tasks.add_tasks(count=11)
    assert len(history(cloud).ids) == 10
    geelark.configure(default_size=3)
    assert len(history(cloud).ids) == 3


@pytest.mark.parametrize(("option", "totals"), [("window", [3, 3, 3]), ("page", [2, 1, 0])])
def test_total(cloud: LocalCloud, geelark: GeelarkService, tasks: TeamTasks, option: str, totals: list[int]) -> None:
    geelark.configure(total=option)
    tasks.add_tasks(count=3)
    assert [page.data["total"] for page in pages(cloud, 2)] == totals


def test_history_of_some_ids(cloud: LocalCloud, tasks: TeamTasks) -> None:
    ids = tasks.add_tasks(count=4, age={"from": "5h", "to": "1h"})
    read = pages(cloud, 1, ids=[ids[0], "1", ids[2]])
    assert [page.ids for page in read] == [[ids[2]], [ids[0]], []]
    assert read[0].data["total"] == 2


@pytest.mark.parametrize("last", ["1", "not a number"])
def test_nothing_follows_an_unknown_id(cloud: LocalCloud, tasks: TeamTasks, last: str) -> None:
    tasks.add_tasks(count=3)
    reply = history(cloud, lastId=last)
    assert (reply.code, reply.ids) == (0, [])


def test_nothing_follows_a_task_that_has_gone(cloud: LocalCloud, tasks: TeamTasks) -> None:
    tasks.add_tasks(count=4)
    tasks.add_event(after="task/historyRecords", do="remove", tasks=[1])
    assert [len(page.ids) for page in pages(cloud, 2)] == [2, 0]


def test_cursor_can_be_broken(cloud: LocalCloud, geelark: GeelarkService, tasks: TeamTasks) -> None:
    geelark.configure(repeat_last=True)
    tasks.add_tasks(count=4)
    first, second, *others = (page.ids for page in pages(cloud, 2, most=6))
    assert not set(first) & set(second)
    assert others == [second] * 4


def test_pages_can_be_short(cloud: LocalCloud, geelark: GeelarkService, tasks: TeamTasks) -> None:
    geelark.configure(short_pages=True)
    ids = tasks.add_tasks(count=5)
    read = [page.ids for page in pages(cloud, 4)]
    assert [len(page) for page in read] == [2, 2, 1, 0]
    assert sorted(one for page in read for one in page) == sorted(ids)


def test_new_task_does_not_shift_the_pages(cloud: LocalCloud, tasks: TeamTasks) -> None:
    ids = tasks.add_tasks(count=4, age={"from": "4h", "to": "1h"})
    tasks.add_event(after="task/historyRecords", do="add_tasks", age="1m")
    assert [page.ids for page in pages(cloud, 2)] == [[ids[3], ids[2]], [ids[1], ids[0]], []]
    assert history(cloud).data["total"] == 5


# -- after a restart --------------------------------------------------------------------------------------------------


def test_restarted_task_runs_for_as_many_reads_as_planned(cloud: LocalCloud, tasks: TeamTasks) -> None:
    ids = tasks.add_tasks(runs_for={"reads": 2})
    restart(cloud, *ids)
    assert statuses(cloud, ids, 4) == [2, 2, 3, 3]


def test_restarted_task_can_wait_first(cloud: LocalCloud, tasks: TeamTasks) -> None:
    ids = tasks.add_tasks(queued_reads=2)
    restart(cloud, *ids)
    assert statuses(cloud, ids, 4) == [1, 1, 2, 3]


def test_restart_may_not_show_at_once(cloud: LocalCloud, geelark: GeelarkService, tasks: TeamTasks) -> None:
    geelark.configure(queued="failed")
    ids = tasks.add_tasks(queued_reads=2) + tasks.add_tasks(status="cancelled", queued_reads=1)
    restart(cloud, *ids)
    assert statuses(cloud, ids[:1], 4) == [4, 4, 2, 3]
    assert statuses(cloud, ids[1:], 3) == [7, 2, 3]


def test_restarted_task_runs_for_as_many_seconds_as_planned(cloud: LocalCloud, tasks: TeamTasks) -> None:
    ids = tasks.add_tasks(runs_for={"seconds": "5m"})
    restart(cloud, *ids)
    assert statuses(cloud, ids, 2) == [2, 2]
    cloud.clock.advance(300)
    assert statuses(cloud, ids, 1) == [3]


def test_task_fails_again_for_another_reason(cloud: LocalCloud, tasks: TeamTasks) -> None:
    ids = tasks.add_tasks(then=["fail", "success"], then_code="20136", then_message="blocked", runs_for={"reads": 0})
    restart(cloud, *ids)
    (shown,) = query(cloud, *ids).items
    assert (shown["status"], shown["failCode"], shown["failDesc"]) == (4, 20136, "blocked")
    restart(cloud, *ids)
    assert statuses(cloud, ids, 1) == [3]


def test_cancelled_task_can_fail_after_its_restart(cloud: LocalCloud, tasks: TeamTasks) -> None:
    ids = tasks.add_tasks(status="cancelled", then="fail", runs_for={"reads": 0})
    restart(cloud, *ids)
    (shown,) = query(cloud, *ids).items
    assert (shown["status"], shown["failCode"]) == (4, 20100)


def test_restart_can_come_to_nothing(cloud: LocalCloud, tasks: TeamTasks) -> None:
    ids = tasks.add_tasks(then="ignored")
    assert restart(cloud, *ids).code == 0
    assert statuses(cloud, ids, 2) == [4, 4]
    assert (cloud.retried(), cloud.executed()) == (Counter(ids), Counter())


def test_waiting_task_gets_its_turn_without_a_restart(cloud: LocalCloud, tasks: TeamTasks) -> None:
    ids = tasks.add_tasks(status="waiting", runs_for={"reads": 1})
    assert statuses(cloud, ids, 2) == [1, 3]


def test_task_that_failed_while_it_waited_runs_at_once_when_restarted(cloud: LocalCloud, tasks: TeamTasks) -> None:
    ids = tasks.add_tasks(status="waiting")
    tasks.add_event(after=QUERY, do="fail", code="20002")
    assert statuses(cloud, ids, 2) == [1, 4]
    restart(cloud, *ids)
    assert statuses(cloud, ids, 2) == [2, 3]


def test_failed_task_can_heal_by_itself(cloud: LocalCloud, tasks: TeamTasks) -> None:
    ids = tasks.add_tasks(heals_after_reads=2)
    assert statuses(cloud, ids, 3) == [4, 4, 3]


def test_reads_are_counted_for_the_tasks_that_were_asked_for(cloud: LocalCloud, tasks: TeamTasks) -> None:
    ids = tasks.add_tasks(count=2, runs_for={"reads": 1})
    restart(cloud, *ids)
    assert statuses(cloud, ids[:1], 2) == [2, 3]
    assert statuses(cloud, ids[1:], 1) == [2]
    assert [task["status"] for task in history(cloud, ids=ids[1:]).items] == [3]


def test_following_pages_are_no_reads(cloud: LocalCloud, tasks: TeamTasks) -> None:
    ids = tasks.add_tasks(count=3, runs_for={"reads": 1})
    restart(cloud, *ids)
    assert [task["status"] for page in pages(cloud, 1) for task in page.items] == [2, 2, 2]


# -- phones -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def phones(geelark: GeelarkService) -> None:
    geelark.configure(one_task_per_phone=True)


@pytest.mark.usefixtures("phones")
def test_second_task_of_a_busy_phone_fails_again_at_once(cloud: LocalCloud, tasks: TeamTasks) -> None:
    ids = tasks.add_tasks(count=2, details={"phone": "pixel"}) + tasks.add_tasks(details={"phone": "galaxy"})
    assert restart(cloud, *ids).code == 0
    shown = query(cloud, *ids).items
    assert [(task["status"], task.get("failCode")) for task in shown] == [(2, None), (4, 20002), (2, None)]
    assert cloud.executed() == Counter(ids)


@pytest.mark.usefixtures("phones")
def test_phone_is_free_when_its_task_is_done(cloud: LocalCloud, tasks: TeamTasks) -> None:
    ids = tasks.add_tasks(count=2, runs_for={"reads": 0}, details={"phone": "pixel"})
    for one in ids:
        restart(cloud, one)
        assert statuses(cloud, [one], 1) == [3]


@pytest.mark.usefixtures("phones")
def test_phone_is_kept_by_a_task_that_waits_for_it(cloud: LocalCloud, tasks: TeamTasks) -> None:
    ids = tasks.add_tasks(count=2, queued_reads=1, details={"phone": "pixel"})
    restart(cloud, *ids)
    assert [task["status"] for task in query(cloud, *ids).items] == [1, 4]


@pytest.mark.usefixtures("phones")
@pytest.mark.parametrize("status", ["running", "waiting"])
def test_phone_may_be_busy_with_somebody_elses_task(cloud: LocalCloud, tasks: TeamTasks, status: str) -> None:
    tasks.add_tasks(status=status, details={"phone": "pixel"})
    ids = tasks.add_tasks(details={"phone": "pixel"})
    restart(cloud, *ids)
    assert query(cloud, *ids).items[0]["failCode"] == 20002


def test_phones_bear_any_number_of_tasks_by_default(cloud: LocalCloud, tasks: TeamTasks) -> None:
    ids = tasks.add_tasks(count=3, details={"phone": "pixel"})
    restart(cloud, *ids)
    assert [task["status"] for task in query(cloud, *ids).items] == [2, 2, 2]


# -- worlds that change, scenarios ------------------------------------------------------------------------------------


def test_task_can_leave_the_failed_ones_before_it_is_restarted(cloud: LocalCloud, tasks: TeamTasks) -> None:
    ids = tasks.add_tasks(count=3)
    tasks.add_event(after=QUERY, do="heal", tasks=[ids[0]])
    tasks.add_event(after=QUERY, do="remove", tasks=[ids[1]])
    query(cloud, *ids)
    assert restart(cloud, *ids).failed == {ids[0]: 48001, ids[1]: 48002}


def test_team_can_vanish(cloud: LocalCloud, tasks: TeamTasks) -> None:
    tasks.add_event(after=QUERY, do="vanish")
    assert [query(cloud, "1").code, query(cloud, "1").code] == [0, 40013]


def test_scenario_and_builder_make_the_same_world() -> None:
    group: dict[str, Any] = {"count": 3, "message": "{n}", "age": {"from": "3h", "to": "1h"}, "then": "fail"}
    scenario = {"geelark": {"order": "oldest", "teams": [{"app_id": "a", "token": "t", "tasks": [group]}]}}
    with LocalCloud(scenario, clock=Clock(NOW)) as one, LocalCloud(clock=Clock(NOW)) as other:
        other.world.geelark.configure(order="oldest")
        other.world.geelark.add_tasks(other.world.geelark.add_team("a", token="t"), **group)
        assert one.world.geelark.tasks() == other.world.geelark.tasks()
        assert one.world.geelark.options == other.world.geelark.options
        assert [task["failDesc"] for task in one.world.geelark.tasks()] == ["2", "1", "0"]


def test_annotated_example_loads(cloud: LocalCloud) -> None:
    cloud.load(Path(__file__).parent.parent / "local_cloud" / "scenarios" / "geelark_small.yml")
    shown = exchange(cloud, "GET", "/_cloud/tasks", [("Host", "127.0.0.1")]).json
    assert Counter(task["status"] for task in shown) == {4: 18, 7: 1}
    assert history(cloud, size=100).data["total"] == 19


@pytest.mark.parametrize(
    "content",
    [
        {"orders": "newest"},
        {"order": "random"},
        {"total": "all"},
        {"skew": "5m"},
        {"repeat_last": "yes"},
        {"per_minute": True},
        {"fail_details": "xml"},
        {"teams": [{"api_key": "k"}]},
        {"teams": [{"app_id": "a", "password": "p"}]},
        {"teams": [{"app_id": "a", "tasks": [{"cuont": 1}]}]},
        {"teams": [{"app_id": "a", "tasks": [{"status": "broken"}]}]},
        {"teams": [{"app_id": "a", "tasks": [{"code": "NoNetwork"}]}]},
        {"teams": [{"app_id": "a", "tasks": [{"id": "abc"}]}]},
        {"teams": [{"app_id": "a", "tasks": [{"details": {"colour": "red"}}]}]},
        {"teams": [{"app_id": "a", "events": [{"after": "task/query", "do": "explode"}]}]},
    ],
    ids=str,
)
def test_misspelt_scenario_is_refused(cloud: LocalCloud, content: dict[str, object]) -> None:
    with pytest.raises(ScenarioError):
        cloud.load({"geelark": content})
