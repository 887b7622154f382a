# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a single call costs, how large a module is, and what the local cloud itself is able to."""

from __future__ import annotations

import http.client
import json
import time
from concurrent.futures import ThreadPoolExecutor
from statistics import median

from bench import presigned
from bench.cloud import Cloud
from bench.contenders import HERE, Stage, options, payloads, play
from bench.presigned import Request
from bench.results import Calls, Capacity

_SENDERS = 8
_PAGES = 15


def measure_round(stage: Stage, calls: int) -> Calls:
    """So many calls of ping, uri and our two modules of SLS, which find nothing."""
    stage.cloud.fill("sls", 0, 0)
    # The page that uri reads is one that the cloud has at hand: nothing is signed, looked up or rendered for it.
    variables = {
        "calls": calls,
        "page": f"{stage.cloud.url}/_cloud/trap/",
        "module_options": options("sls", stage.cloud),
    }
    plugins = str(HERE / "callback_plugins")
    play(stage, "overhead.yml", variables, ANSIBLE_CALLBACK_PLUGINS=plugins, ANSIBLE_STDOUT_CALLBACK="stamps")
    lines = [json.loads(line) for line in stage.launcher.printed().splitlines() if line.startswith("{")]
    return Calls({line["task"].lower(): line["seconds"] for line in lines})


def payload_sizes(stage: Stage, names: list[str]) -> dict[str, int]:
    """Bytes of the file that Ansible makes of each module, without arguments."""
    made = payloads(stage, {name: {} for name in names})
    return {name: file.stat().st_size for name, file in made.items()}


def measure_capacity(cloud: Cloud, tasks: int) -> Capacity:
    """How fast the local cloud answers those who do nothing but send: signed retries, and pages of a long list."""
    cloud.fill("sls", tasks, 0)
    requests = presigned.retries("sls", cloud.url, cloud.task_ids())
    shares = [requests[number::_SENDERS] for number in range(_SENDERS)]
    started = time.perf_counter()
    with ThreadPoolExecutor(_SENDERS) as pool:
        sent = sum(pool.map(lambda share: _send(cloud, share), shares))
    return Capacity(tasks, sent / (time.perf_counter() - started), _seconds_of_a_page(cloud, tasks))


def _send(cloud: Cloud, requests: list[Request]) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", cloud.port, timeout=60)
    for one in requests:
        path = one["url"].removeprefix(cloud.url)
        connection.request(one["method"], path, json.dumps(one["body"]), one["headers"])
        reply = connection.getresponse()
        if reply.read() or reply.status != 200:
            raise RuntimeError(f"the local cloud answered {reply.status}")
    connection.close()
    return len(requests)


def _seconds_of_a_page(cloud: Cloud, tasks: int) -> float:
    cloud.fill("sls", tasks, 0)
    connection = http.client.HTTPConnection("127.0.0.1", cloud.port, timeout=60)
    took = []
    for number in range(_PAGES):
        one = presigned.page(cloud.url, offset=500 * (1 + number % max(1, tasks // 500 - 1)))
        started = time.perf_counter()
        connection.request(one["method"], one["url"].removeprefix(cloud.url), headers=one["headers"])
        reply = connection.getresponse()
        if reply.status != 200 or not reply.read():
            raise RuntimeError(f"the local cloud answered {reply.status}")
        took.append(time.perf_counter() - started)
    connection.close()
    return median(took)


MODULE_NAMES = ["ansible.builtin.ping", "ansible.builtin.uri"] + [
    f"redrive.tasks.{path.stem}" for path in sorted((HERE.parent / "plugins" / "modules").glob("*.py"))
]
