# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A playbook ends in the middle of its retries with all that belongs to it; the next one finishes the rest."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

import running
from local_cloud.gates import Moment
from local_cloud.testing import LocalCloud
from modules.services import KEY_ID, SECRET

OSS: dict[str, Any] = {"code": "InternalServerError", "message": "OSS answered with an internal error."}
LONG = 60  # seconds until something surely has happened on a busy machine


def pull_the_plug(process: subprocess.Popen[str]) -> None:
    """Kill it and all that it has started, the youngest last, so that none of them sees another one go."""
    parent = psutil.Process(process.pid)
    for member in (parent, *parent.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            member.kill()
    process.communicate(timeout=LONG)


@pytest.mark.parametrize("moment", [Moment.ARRIVED, Moment.EXECUTED], ids=str)
def test_the_next_run_finishes_the_rest_and_retries_nothing_twice(moment: Moment, tmp_path: Path) -> None:
    with LocalCloud() as cloud:
        cloud.world.add_account(KEY_ID, SECRET)
        ids = cloud.world.add_shipper("shop", "orders", "to-oss").add_tasks(count=55, **OSS)
        other = cloud.world.add_shipper("other", "orders", "to-oss").add_tasks(count=5, **OSS)
        account = {"service": "sls", "endpoint": cloud.url, "access_key_id": KEY_ID, "access_key_secret": SECRET}
        targets = [{**account, "project": "shop"}, {**account, "project": "other"}]
        variables = {"redrive_targets": targets, "remediate_wait_interval": 0.2}
        command = ["ansible-playbook", "redrive.tasks.remediate", "-e", json.dumps(variables)]
        gate = cloud.hold(moment, operation="RetryShipperTask", number=4)
        with subprocess.Popen(
            command, env=running.environ(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process:
            assert gate.reached.wait(LONG)
            pull_the_plug(process)
        gate.lose()
        sent = cloud.executed()
        assert 0 < sent.total() < 60

        again = running.run(command, tmp_path)
        assert again.returncode == 0, again.stdout
        assert cloud.executed() == Counter([*ids, *other])
        assert "recovered, 0 failed again, 0 not seen to end." in again.stdout

        third = running.run(command, tmp_path)
        assert "0 failed tasks in 2 targets: 0 will be retried" in third.stdout
        assert cloud.executed() == Counter([*ids, *other])
