# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every service must do alike. A further service joins by an entry in `services.SERVICES`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest

from local_cloud import faults
from local_cloud.faults import FOREVER, Fault
from local_cloud.testing import LocalCloud
from modules.harness import Ansible, Direct, Ran
from modules.services import SERVICES, Service

FAST: dict[str, Any] = {"wait": True, "wait_interval": 0.1, "wait_timeout": 60}


@pytest.fixture(params=SERVICES, ids=str)
def service(request: pytest.FixtureRequest, cloud: LocalCloud) -> Service:
    chosen: Service = request.param
    chosen.prepare(cloud)
    return chosen


class World:
    """One service's tasks in the local cloud, and runs of its modules."""

    def __init__(self, cloud: LocalCloud, service: Service, module: Direct) -> None:
        self.cloud = cloud
        self.service = service
        self._module = module

    def add(self, **tasks: Any) -> list[str]:
        """Failed tasks that a retry heals, oldest first, unless said otherwise."""
        return self.service.add(self.cloud, **{**self.service.transient, "age": {"from": "9h", "to": "1h"}, **tasks})

    def info(self, **options: Any) -> Ran:
        return self._module(self.service.info, {**self.service.where, **options})

    def act(
        self, options: Mapping[str, Any] | None = None, /, *, check: bool = False, all_arrive: bool = True, **more: Any
    ) -> Ran:
        """All failed tasks, unless they are named."""
        given = {**(options or {}), **more}
        selection = {} if self.service.id_option in given or "ids" in given else {"all_failed": True}
        arguments = {**self.service.where, **selection, **given}
        return self._module(self.service.act, arguments, check=check, diff=check, all_arrive=all_arrive)

    def act_on(self, ids: list[str], **options: Any) -> Ran:
        return self.act({self.service.id_option: ids, **options})

    def an_hour_later(self) -> None:
        self._module.an_hour_later()

    def calls(self) -> int:
        return len(self.cloud.calls(self.service.retry))


@pytest.fixture
def world(cloud: LocalCloud, service: Service, module: Direct) -> World:
    return World(cloud, service, module)


# -- which tasks ------------------------------------------------------------------------------------------------------


def test_a_list_is_read_to_its_end(world: World) -> None:
    ids = world.add(count=520)
    ran = world.info()
    assert not ran.failed
    assert Counter(ran.ids) == Counter(ids)


def test_many_that_are_named_are_all_found(world: World) -> None:
    ids = world.add(count=250)
    ran = world.info(**{world.service.id_option: ids[::-1]})
    assert ran.ids == ids[::-1]
    assert ran.counts("selected", "missing") == (250, 0)


def test_an_empty_world_is_nothing_to_do(world: World) -> None:
    ran = world.act()
    assert not ran.failed
    assert (ran["changed"], ran["tasks"]) == (False, [])
    assert not ran.changes


@pytest.mark.parametrize("name", ["own", "ids"])
def test_no_ids_are_nothing_to_do_and_send_nothing(world: World, name: str) -> None:
    world.add(count=2)
    ran = world.act({world.service.id_option if name == "own" else name: []})
    assert not ran.failed
    assert (ran["changed"], ran.arrived) == (False, [])


def test_no_selection_never_means_everything(world: World) -> None:
    world.add(count=2)
    ran = world.act(all_failed=False)
    assert ran.failed
    assert world.service.id_option in ran.msg
    assert not ran.arrived


def test_two_selections_are_refused(world: World) -> None:
    ran = world.act(all_failed=True, ids=["1"])
    assert ran.failed
    assert not ran.arrived


def test_repeated_ids_count_once_and_keep_their_order(world: World) -> None:
    first, second = world.add(count=2)
    ran = world.act_on([second, first, second])
    assert ran.ids == [second, first]
    assert world.cloud.executed() == Counter([first, second])


def test_what_is_not_there_is_missing_and_stops_nothing(world: World) -> None:
    ids = world.add(count=2)
    absent = ids[0][:-2] + ("11" if ids[0].endswith("22") else "22")
    ran = world.act_on([ids[0], absent, ids[1]])
    assert ran.failed
    assert ran.by_id()[absent]["state"] == "missing"
    assert world.cloud.executed() == Counter(ids)
    assert not world.act_on([absent], fail_on=[]).failed


def test_what_has_not_failed_is_left_alone(world: World) -> None:
    ids = [*world.add(status="success", code="", message=""), *world.add(status="running", code="", message="")]
    ran = world.act_on(ids)
    assert not ran.failed
    assert ran.counts("none", "retry") == (2, 0)
    assert not ran.changes


def test_a_window_keeps_older_tasks_out(world: World) -> None:
    world.add(count=3, age="5h")
    young = world.add(count=2, age="30m")
    assert Counter(world.info(since="1h").ids) == Counter(young)
    assert world.info(since="4h", until="2h").ids == []


def test_filters_keep_what_they_name(world: World) -> None:
    world.add(count=3)
    named = world.add(count=2, message="another thing 77 happened")
    assert Counter(world.info(message_regex="THING [0-9]+").ids) == Counter(named)
    assert world.info(codes=["no-such-code"]).ids == []


def test_what_a_person_stopped_is_retried_only_when_asked(world: World) -> None:
    if world.service.stop is None:
        assert not {"cancelled", "paused"} & {task["state"] for task in world.info()["tasks"]}
        return
    option, state = world.service.stop
    failed, stopped = world.add(count=2), world.add(count=2, status="stopped", code="", message="")
    assert Counter(world.act(check=True).ids) == Counter(failed)
    ran = world.act_on(stopped)
    assert ran.counts("skip", "retry") == (2, 0)
    ran = world.act({option: True})
    assert not ran.failed
    assert Counter(task["state"] for task in ran["tasks"]) == {"failed": 2, state: 2}
    assert world.cloud.executed() == Counter([*failed, *stopped])


# -- what is decided --------------------------------------------------------------------------------------------------


def test_what_needs_a_person_is_left_alone_until_asked(world: World) -> None:
    ids = world.add(count=2, **world.service.fix)
    ran = world.act()
    assert not ran.failed
    assert ran.counts("retry", "skip") == (0, 2)
    assert {task["failure"]["class"] for task in ran["tasks"]} == {"fix"}
    assert world.act(retry_classes=["fix"])["changed"] is True
    assert world.cloud.executed() == Counter(ids)


def test_words_that_no_rule_knows_are_unclassified(world: World) -> None:
    world.add(code="77777", message="The flux capacitor is misaligned.")
    failure = world.info()["tasks"][0]["failure"]
    assert (failure["class"], failure["rule"]) == ("unclassified", "")
    assert "flux capacitor" in failure["message"]


def test_rules_of_the_user_come_first(world: World) -> None:
    world.add(count=2)
    rules = [{"match": "[0-9]+", "class": "gone", "remedy": "Let it go."}]
    ran = world.act(rules=rules)
    assert ran.counts("retry", "skip") == (0, 2)
    assert {task["failure"]["rule"] for task in ran["tasks"]} == {"rules[0]"}


def test_more_than_max_tasks_is_refused_with_both_numbers(world: World) -> None:
    world.add(count=7)
    for check in (False, True):
        ran = world.act(max_tasks=5, check=check)
        assert ran.failed
        assert "7" in ran.msg
        assert "5" in ran.msg
        assert not ran.changes


def test_alike_failures_are_one_cause(world: World) -> None:
    world.add(count=5)
    world.add(count=2, **world.service.fix)
    assert [cause["count"] for cause in world.info()["causes"]] == [5, 2]


def test_check_mode_decides_as_the_real_run(world: World) -> None:
    world.add(count=12)
    world.add(count=2, **world.service.fix)
    preview = world.act(check=True)
    real = world.act()
    assert {task["id"]: task["action"] for task in preview["tasks"]} == {
        task["id"]: task["action"] for task in real["tasks"]
    }
    assert preview["changed"] is real["changed"] is True
    assert preview.outcomes() == {"planned": 12, "none": 2}
    reads = [request.operation for request in real.arrived if not request.changes]
    assert Counter(request.operation for request in preview.arrived) == Counter(reads)


# -- retrying ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("more", [0, 1])
def test_a_call_holds_as_many_tasks_as_the_service_takes(world: World, more: int) -> None:
    ids = world.add(count=world.service.batch + more)
    ran = world.act()
    assert not ran.failed
    assert len(ran.changes) == 1 + more
    assert world.cloud.executed() == Counter(ids)


def test_healed_tasks_are_verified_and_a_second_run_changes_nothing(world: World) -> None:
    ids = world.add(count=12)
    ran = world.act(FAST)
    assert not ran.failed
    assert ran.counts("accepted", "recovered", "failed_again") == (12, 12, 0)
    second = world.act(FAST)
    assert (second.failed, second["changed"]) == (False, False)
    assert not second.changes
    assert world.cloud.executed() == Counter(ids)


def test_what_fails_again_is_said_so(world: World) -> None:
    world.add(count=2)
    again = world.add(count=1, then="fail")
    ran = world.act(FAST)
    assert ran.failed
    assert ran.counts("recovered", "failed_again") == (2, 1)
    assert ran.by_id()[again[0]]["state_after"] == "failed"
    assert world.cloud.executed()[again[0]] == 1


def test_what_does_not_settle_in_time_is_said_so(world: World) -> None:
    world.add(count=1, then="stay", runs_for={"seconds": 3600}, status="fail", queued_reads=1000)
    ran = world.act(wait=True, wait_interval=0.1, wait_timeout=1)
    assert ran.failed
    assert ran["problems"]["timed_out"] == 1
    assert ran.counts("still_running") == (1,)


def test_calls_at_the_same_time_send_each_task_once(world: World) -> None:
    ids = world.add(count=world.service.batch * 3 + 1)
    ran = world.act(concurrency=4)
    assert not ran.failed
    assert world.cloud.executed() == Counter(ids)


def test_the_same_under_ansible(ansible: Ansible, cloud: LocalCloud, service: Service) -> None:
    ids = service.add(cloud, count=3, **service.transient)
    ran = ansible(service.act, service.all_failed(**FAST), diff=True)
    assert not ran.failed
    assert cloud.executed() == Counter(ids)
    assert not ansible(service.act, service.all_failed(**FAST), check=True)["changed"]


# -- bad days ---------------------------------------------------------------------------------------------------------


def test_a_throttled_retry_is_repeated(world: World) -> None:
    ids = world.add(count=2)
    world.cloud.faults.add(faults.throttle(world.service.retry))
    ran = world.act()
    assert not ran.failed
    assert world.cloud.executed() == Counter(ids)
    assert ran["requests"]["throttled"] == ran["requests"]["repeated"] == 1


LOST = ["reset", "close", "cut", "late", "html", "error", "broken_json"]


def lost(kind: str, operation: str, effect: str) -> Fault:
    """A reply that never comes, or cannot be read."""
    if kind in ("cut", "broken_json"):
        return getattr(faults, kind)(operation)  # type: ignore[no-any-return]
    if kind == "late":
        return faults.late(operation, delay=1.5)
    return getattr(faults, kind)(operation, effect=effect)  # type: ignore[no-any-return]


@pytest.mark.parametrize("kind", LOST)
def test_a_lost_reply_is_no_lost_task(world: World, kind: str) -> None:
    ids = world.add(count=1, runs_for={"reads": 50})
    world.cloud.faults.add(lost(kind, world.service.retry, "after"))
    ran = world.act(timeout=0.7)
    assert not ran.failed, ran.msg
    assert ran.outcomes() == {"accepted": 1}
    assert world.cloud.executed() == Counter(ids)
    assert world.calls() == 1


@pytest.mark.parametrize("kind", ["reset", "error", "html"])
def test_a_retry_that_may_have_arrived_is_not_sent_again(world: World, kind: str) -> None:
    ids = world.add(count=1)
    world.cloud.faults.add(lost(kind, world.service.retry, "before"))
    ran = world.act()
    assert ran.failed
    assert ran.outcomes() == {"unknown": 1}
    assert world.calls() == 1
    world.an_hour_later()
    assert not world.act().failed
    assert world.cloud.executed() == Counter(ids)


@pytest.mark.parametrize("kind", LOST)
def test_a_read_that_fails_is_repeated(world: World, kind: str) -> None:
    ids = world.add(count=1)
    world.cloud.faults.add(lost(kind, world.service.lists[-1], "before"))
    ran = world.act(timeout=0.7)
    assert not ran.failed, ran.msg
    assert world.cloud.executed() == Counter(ids)


@pytest.mark.parametrize(
    "body", ["", "null", "[]", '"text"', "{}", "[" * 100_000, '{"Response": 1}', '{"code": "x"}', "{", "\xff"]
)
def test_a_list_that_is_nonsense_is_a_clear_error(world: World, body: str) -> None:
    world.add(count=1)
    world.cloud.faults.add(faults.raw(world.service.lists[-1], body=body, times=FOREVER))
    ran = world.act(max_attempts=1)
    if ran.failed:
        assert "failed: " in ran.msg
    else:  # an object without tasks may be an empty list
        assert (body[0], ran["tasks"]) == ("{", [])
    assert not ran.changes


def test_a_reply_without_end_is_cut_off(world: World) -> None:
    world.cloud.faults.add(faults.huge(world.service.lists[-1], mib=9, times=FOREVER))
    world.add(count=1)
    ran = world.act(max_attempts=1)
    assert ran.failed
    assert "larger than" in ran.msg
    assert not ran.changes


def test_a_right_that_is_missing_stops_the_run(world: World) -> None:
    ids = world.add(count=world.service.batch * 2 + 1)
    status, code = world.service.denied
    denial = faults.error(world.service.retry, status=status, code=code, message="not you", times=FOREVER)
    world.cloud.faults.add(denial)
    ran = world.act(concurrency=1)
    assert ran.failed
    assert (ran["changed"], len(ran.changes)) == (False, 1)
    assert ran.counts("refused", "not_attempted") == (world.service.batch, world.service.batch + 1)
    error = ran.by_id()[ids[0]]["error"]
    assert error["code"] == code
    assert "not you" in error["message"]
    assert error["request_id"]


def test_a_redirect_is_never_followed(world: World) -> None:
    world.add(count=2)
    for operation in (world.service.retry, world.service.lists[-1]):
        world.cloud.faults.add(faults.redirect(operation, status=307, location=world.cloud.trap_url))
        ran = world.act()
        assert ran.failed
        assert "redirect" in ran.msg
        world.cloud.faults.clear()
    assert not world.cloud.trapped


def test_a_service_that_is_not_there_is_named(world: World) -> None:
    more = {"auth_url": "http://127.0.0.1:9"} if "auth_url" in world.service.defaults(world.cloud) else {}
    ran = world.act({"endpoint": "http://127.0.0.1:9", "max_attempts": 1, **more}, all_arrive=False)
    assert ran.failed
    assert "could not be reached" in ran.msg


def test_plain_http_to_another_machine_is_refused(world: World) -> None:
    ran = world.act(endpoint="http://192.0.2.1")
    assert ran.failed
    assert "allow_plaintext" in ran.msg
    assert not ran.changes


# -- who --------------------------------------------------------------------------------------------------------------


def wrong(service: Service) -> dict[str, Any]:
    """The credentials with another secret."""
    return {
        name: "aWrongSecret0123456789" if value in service.secrets else value
        for name, value in service.credentials.items()
    }


def test_a_wrong_secret_is_tried_once_and_not_shown(world: World) -> None:
    world.add(count=1)
    ran = world.act(wrong(world.service))
    assert ran.failed
    assert len(ran.arrived) == 1
    assert "aWrongSecret" not in ran.output


def test_no_credentials_name_the_places(world: World) -> None:
    ran = world.act(dict.fromkeys(world.service.credentials))
    assert ran.failed
    assert not ran.arrived
    for name, value in world.service.credentials.items():
        if value in world.service.secrets:
            assert name in ran.msg


@pytest.mark.parametrize("where", ["list", "retry"])
def test_a_secret_that_the_service_echoes_is_not_shown(world: World, where: str) -> None:
    world.add(count=1)
    operation = world.service.retry if where == "retry" else world.service.lists[-1]
    echo = "{secret} {token} {authorization} {headers} {body}"
    status, code = world.service.denied
    world.cloud.faults.add(faults.error(operation, status=status, code=code, echo=echo))
    ran = world.act()
    assert ran.failed
    assert [secret for secret in world.service.secrets if secret in ran.output] == []


def test_empty_options_are_not_given(world: World) -> None:
    ids = world.add(count=1)
    ran = world.act(since="", until="", message_regex="", wait_interval="", rate_limit="", max_tasks="")
    assert not ran.failed
    assert world.cloud.executed() == Counter(ids)
