# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Retry every failed shipping task of one CLS shipper, as the documentation of tencentcloud-sdk-python shows its calls.

One call retries one task, and the service takes 20 of them a second. What it refuses for coming too fast is let go. The
third argument is how long to sleep after each retry, in seconds.
"""

from __future__ import annotations

import json
import os
import sys
import time

from tencentcloud.cls.v20201016 import cls_client, models
from tencentcloud.common import credential
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile


def main(endpoint: str, shipper: str, pause: str) -> None:
    keys = credential.Credential(os.environ["TENCENTCLOUD_SECRET_ID"], os.environ["TENCENTCLOUD_SECRET_KEY"])
    profile = ClientProfile(httpProfile=HttpProfile(protocol="http", endpoint=endpoint))
    client = cls_client.ClsClient(keys, "ap-guangzhou", profile)
    now = int(time.time() * 1000)
    listing = models.DescribeShipperTasksRequest()
    listing.from_json_string(json.dumps({"ShipperId": shipper, "StartTime": now - 71 * 3600_000, "EndTime": now}))
    for task in client.DescribeShipperTasks(listing).Tasks or []:
        if task.Status != "failed":
            continue
        request = models.RetryShipperTaskRequest()
        request.from_json_string(json.dumps({"ShipperId": shipper, "TaskId": task.TaskId}))
        try:
            client.RetryShipperTask(request)
        except TencentCloudSDKException as error:
            if error.code != "RequestLimitExceeded":
                raise
        time.sleep(float(pause))


main(*sys.argv[1:])
