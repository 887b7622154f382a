# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One run of the playbook over targets in every service."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest

from local_cloud import faults
from local_cloud.testing import LocalCloud
from modules.services import PROJECT_ID, SERVICES, Service

_SECRET_OPTIONS = {"access_key_secret", "secret_key", "password", "api_token"}
STOPPABLE = [service for service in SERVICES if service.stop]


@pytest.fixture
def services(cloud: LocalCloud) -> tuple[Service, ...]:
    """Every service, with its one parent."""
    for service in SERVICES:
        service.prepare(cloud)
    return SERVICES


def target(service: Service, cloud: LocalCloud, **more: Any) -> dict[str, Any]:
    """An entry of redrive_targets: the one parent of the service."""
    return {"service": service.name, "name": service.name, **service.defaults(cloud), **service.where, **more}


def test_one_run_heals_what_can_be_healed_in_all_services(
    cloud: LocalCloud, playbook: Any, services: tuple[Service, ...]
) -> None:
    """The demo shows check mode, a run and a second run over all of them."""
    heals: Counter[str] = Counter()
    for service in services:
        heals.update(service.add(cloud, count=4, **service.transient))
        service.add(cloud, count=2, **service.fix)
    played = playbook(*(target(service, cloud) for service in services))
    assert played.code == 0, played.output
    assert cloud.executed() == cloud.retried() == heals
    assert not cloud.violations
    assert "24 failed tasks in 4 targets: 16 will be retried, 8 left for a person." in played.plan
    assert "16 of 24 failed tasks retried: 16 recovered, 0 failed again, 0 not seen to end." in played.summary
    assert played.changed == len(services)
    assert [(one["retry"], one["skip"], one["recovered"]) for one in played.counts] == [(4, 2, 4)] * len(services)
    for service in services:
        told = rf"^    {service.name}: 2 left alone: .+\n +Where: .+\n +To do: .+"
        assert re.search(told, played.summary, re.MULTILINE)


def test_targets_that_fail_do_not_hide_the_others(
    cloud: LocalCloud, playbook: Any, services: tuple[Service, ...]
) -> None:
    wrong = "a-wrong-one-0000000000000000000000000000"
    secrets = [dict.fromkeys(_SECRET_OPTIONS & set(one.credentials), wrong) for one in services]
    broken = [target(one, cloud, name=f"{one.name} broken", **secret) for one, secret in zip(services, secrets)]
    added = services[-1].add(cloud, count=1, **services[-1].transient)
    played = playbook(*broken, target(services[-1], cloud))
    assert played.code == 2
    assert [one.partition(": ")[0] for one in played.failures] == [one["name"] for one in broken]
    assert played.plan.count("NOT WORKED ON") == played.totals["not_worked_on"] == len(broken)
    assert cloud.executed() == Counter(added)
    assert len(re.findall(r"^- \w+ broken: ", played.report.partition("## Not worked on")[2], re.MULTILINE)) == 4


def test_what_a_person_stopped_is_retried_where_a_target_asks_for_it(
    cloud: LocalCloud, playbook: Any, services: tuple[Service, ...]
) -> None:
    drs = cloud.world.drs.project(PROJECT_ID)
    stopped = {
        "drs": drs.add_jobs(status="stopped", phase="incremental"),
        "geelark": cloud.world.geelark.add_tasks("testTeam", status="cancelled"),
    }
    assert set(stopped) == {service.name for service in STOPPABLE}
    assert services
    options = [dict([service.stop]) for service in STOPPABLE if service.stop]
    named = playbook(
        *(target(service, cloud) for service in STOPPABLE),
        *(target(service, cloud, **{service.id_option: stopped[service.name]}) for service in STOPPABLE),
        book="plan",
    )
    assert named.code == 0, named.output
    assert [one["selected"] for one in named.counts] == [0, 0, 1, 1]
    assert "2 failed or stopped tasks in 4 targets: 0 will be retried, 2 left for a person." in named.plan
    assert "include_paused: true" in named.plan
    assert "include_cancelled: true" in named.plan

    taken = playbook(*(target(one, cloud, **dict.fromkeys(option, True)) for one, option in zip(STOPPABLE, options)))
    assert taken.code == 0, taken.output
    assert cloud.executed() == Counter([*stopped["drs"], *stopped["geelark"]])
    assert (taken.totals["failed"], taken.totals["stopped"], taken.totals["recovered"]) == (0, 2, 2)
    assert "2 of 2 failed or stopped tasks retried: 2 recovered" in taken.report


def test_a_task_that_heals_before_its_retry_is_neither_retried_nor_left_for_a_person(
    cloud: LocalCloud, playbook: Any, services: tuple[Service, ...]
) -> None:
    """These services retry by themselves, so each task is looked at again just before its retry."""
    assert services
    for service in STOPPABLE:
        service.add(cloud, count=1, **service.transient)
    # After the last look of the plan and of the retry module itself; then comes the look just before the retry.
    cloud.world.drs.project(PROJECT_ID).jobs().add_event(after="BatchDetail", count=2, do="heal", tasks=[0])
    cloud.world.geelark.tasks_of("testTeam").add_event(after="task/query", count=1, do="heal", tasks=[0])
    played = playbook(*(target(service, cloud) for service in STOPPABLE))
    assert played.code == 0, played.output
    assert cloud.changes() == []
    assert played.totals["healed"] == 2
    assert played.totals["retry"] == played.totals["accepted"] == 0
    assert "0 of 2 failed tasks retried: 0 recovered, 0 failed again, 0 not seen to end." in played.summary
    assert "2 needed no retry any more." in played.summary
    assert "For a person" not in played.summary
    assert "What a person must do" not in played.report


def test_no_secret_of_any_service_is_in_any_output(
    cloud: LocalCloud, playbook: Any, services: tuple[Service, ...]
) -> None:
    echo = "you sent {headers} {authorization} {token} {secret}"
    for service in services:
        service.add(cloud, count=2, then="fail", **service.transient)
        cloud.faults.add(faults.error(service.retry, status=400, code="40005", echo=echo))
    played = playbook(
        *(target(service, cloud) for service in services),
        target(services[0], cloud, name="misspelt", misspelt=1),
        options=("-vvv",),
    )
    assert played.code == 2
    assert "you sent" in played.output
    secrets = {secret for service in services for secret in service.secrets} | set(cloud.world.drs.tokens)
    assert len(secrets) >= len(services)
    for secret in secrets:
        for text in (played.output, played.report, str(played.result)):
            assert secret not in text
