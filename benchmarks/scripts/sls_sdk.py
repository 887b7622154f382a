# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Retry every failed shipping task of one SLS shipper, as the documentation of aliyun-log-python-sdk shows its calls.

List the failed tasks page by page, then retry them ten at a time, which is the most that one call takes.
"""

from __future__ import annotations

import os
import sys
import time

from aliyun.log import LogClient

PAGE, BATCH = 500, 10


def main(endpoint: str, project: str, logstore: str, shipper: str) -> None:
    client = LogClient(
        endpoint,
        os.environ["ALIBABA_CLOUD_ACCESS_KEY_ID"],
        os.environ["ALIBABA_CLOUD_ACCESS_KEY_SECRET"],
    )
    now = int(time.time())
    ids: list[str] = []
    while True:
        page = client.get_shipper_tasks(
            project, logstore, shipper, now - 47 * 3600, now, status_type="fail", offset=len(ids), size=PAGE
        )
        ids += [task.task_id for task in page.get_tasks()]
        if not page.get_count() or len(ids) >= page.get_total():
            break
    for first in range(0, len(ids), BATCH):
        client.retry_shipper_tasks(project, logstore, shipper, ids[first : first + BATCH])


main(*sys.argv[1:])
