# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The local cloud as a process, over TLS, and its control API."""

from __future__ import annotations

import http.client
import json
import os
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from contract.wire import Reply, exchange, listing, retry_of, send, signed
from local_cloud.testing import LocalCloud

pytestmark = pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")
TESTS = Path(__file__).parent.parent
COMMAND = [sys.executable, "-m", "local_cloud"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(TESTS)}


def control(cloud: LocalCloud, method: str, name: str, content: Any = None, host: str = "127.0.0.1") -> Reply:
    body = b"" if content is None else json.dumps(content).encode()
    headers = [("Host", host), ("Content-Length", str(len(body)))]
    return exchange(cloud, method, f"/_cloud/{name}", headers, body)


@pytest.fixture
def ids(cloud: LocalCloud) -> list[str]:
    return cloud.world.add_shipper("p", "l", "s").add_tasks(count=2)


# -- control API ------------------------------------------------------------------------------------------------------


def test_requests_are_shown_without_their_secrets(cloud: LocalCloud, ids: list[str]) -> None:
    request = signed(
        "PUT", "/logstores/l/shipper/s/tasks", body=json.dumps(ids).encode(), token="secretTokenOfSomeLength"
    )
    send(cloud, request)
    text = control(cloud, "GET", "requests").body.decode()
    (shown,) = json.loads(text)
    assert (shown["operation"], shown["status"], shown["ids"]) == ("RetryShipperTask", 401, ids)
    assert shown["scope"] == {"project": "p", "logstore": "l", "shipper": "s"}
    assert "secretTokenOfSomeLength" not in text
    assert request.headers["Authorization"] not in text


def test_tasks_are_shown(cloud: LocalCloud, ids: list[str]) -> None:
    send(cloud, retry_of(ids[0]))
    shown = {
        task["id"]: (task["shipper"], task["taskStatus"], task["retries"])
        for task in control(cloud, "GET", "tasks").json
    }
    assert shown == {ids[0]: ("s", "running", 1), ids[1]: ("s", "fail", 0)}


def test_summary_counts(cloud: LocalCloud, ids: list[str]) -> None:
    send(cloud, retry_of(*ids))
    send(cloud, retry_of(ids[0], "unknown"))
    summary = control(cloud, "GET", "summary").json
    assert summary["requests"] == {"RetryShipperTask": 2}
    assert (summary["tasks_sent_once"], summary["tasks_sent_more"]) == (2, {ids[0]: 2})
    assert (summary["retries_executed"], summary["tasks_executed_more"]) == (2, {})
    assert [one["kind"] for one in summary["violations"]] == ["not_failed", "unknown_id"]
    assert summary == json.loads(json.dumps(cloud.summary()))


def test_faults_are_posted_and_taken_back(cloud: LocalCloud, ids: list[str]) -> None:
    posted = control(cloud, "POST", "faults", [{"fault": "error", "times": "forever"}, {"rate_limit": {"rate": 1}}])
    assert posted.status == 200
    assert send(cloud, listing()).status == 500
    control(cloud, "DELETE", "faults")
    assert [send(cloud, listing()).status for _ignored in range(3)] == [200] * 3


def test_scenario_is_posted_and_reset(cloud: LocalCloud) -> None:
    shippers = {"s": {"tasks": [{"count": 2, "then": "stay"}]}}
    scenario = {
        "accounts": [{"access_key_id": "testAccessKeyId", "access_key_secret": "testAccessKeySecret"}],
        "sls": {"projects": {"p": {"logstores": {"l": {"shippers": shippers}}}}},
    }
    assert control(cloud, "POST", "scenario", scenario).status == 200
    (first, _ignored) = (task["id"] for task in send(cloud, listing()).json["tasks"])
    send(cloud, retry_of(first))
    control(cloud, "POST", "reset")
    assert (cloud.requests, cloud.violations) == ([], [])
    assert send(cloud, listing(status="fail")).json["total"] == 2


def test_clock_is_advanced(cloud: LocalCloud, ids: list[str]) -> None:
    control(cloud, "POST", "clock", {"advance": 1000})
    assert send(cloud, listing()).code == "RequestTimeExpired"


@pytest.mark.parametrize(
    ("method", "name", "content"),
    [
        ("POST", "faults", {"fault": "meteor"}),
        ("POST", "faults", {"rate_limit": {"speed": 1}}),
        ("POST", "faults", 7),
        ("POST", "scenario", {"aws": {}}),
        ("POST", "clock", {}),
    ],
)
def test_wrong_control_call_is_explained(cloud: LocalCloud, method: str, name: str, content: Any) -> None:
    reply = control(cloud, method, name, content)
    assert reply.status == 400
    assert reply.json["error"]


def test_unknown_control_call(cloud: LocalCloud) -> None:
    assert control(cloud, "GET", "nothing").status == 404


def test_control_api_is_for_loopback_hosts_only(cloud: LocalCloud) -> None:
    assert control(cloud, "GET", "requests", host="p.cn-hangzhou.log.aliyuncs.com").status == 403


# -- latency ----------------------------------------------------------------------------------------------------------


def unsigned_calls(cloud: LocalCloud, number: int) -> list[float]:
    """So many refused calls over one new connection: how long each took, in seconds."""
    connection = http.client.HTTPConnection("127.0.0.1", cloud.port, timeout=20)
    took = []
    for _ignored in range(number):
        begun = time.monotonic()
        connection.request("GET", "/")
        connection.getresponse().read()
        took.append(time.monotonic() - begun)
    connection.close()
    return took


def test_a_round_trip_takes_the_latency_and_so_does_making_a_connection(cloud: LocalCloud) -> None:
    cloud.load({"latency": 0.05})
    first, second, third = unsigned_calls(cloud, 3)
    assert first >= 0.1
    assert min(second, third) >= 0.05


def test_calls_that_wait_do_not_hold_others_up(cloud: LocalCloud) -> None:
    cloud.load({"latency": 0.2})
    begun = time.monotonic()
    with ThreadPoolExecutor(20) as pool:
        took = [one for calls in pool.map(lambda _: unsigned_calls(cloud, 1), range(20)) for one in calls]
    assert min(took) >= 0.4
    assert time.monotonic() - begun < 20 * 0.4 / 2


# -- TLS --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["127.0.0.1", "localhost", "p.localhost", "p.127.0.0.1", "p.cn-hangzhou.log.aliyuncs.com"]
)
@pytest.mark.usefixtures("loopback_names")
def test_certificate_is_good_for_every_name_asked_for(name: str) -> None:
    with LocalCloud(tls=True) as cloud:
        context = ssl.create_default_context(cafile=cloud.ca_file)
        connection = http.client.HTTPSConnection(name, cloud.port, timeout=20, context=context)
        connection.request("GET", "/")
        assert connection.getresponse().status == 400
        connection.close()
        assert cloud.url.startswith("https://127.0.0.1:")


# -- the process ------------------------------------------------------------------------------------------------------


@pytest.fixture
def process(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    scenario = TESTS / "local_cloud" / "scenarios" / "sls_small.yml"
    command = [*COMMAND, "--tls", "--scenario", str(scenario), "--ready-file", str(tmp_path / "ready")]
    with subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def test_ready_line_and_file_say_the_same(process: subprocess.Popen[str], tmp_path: Path) -> None:
    assert process.stdout is not None
    ready = json.loads(process.stdout.readline())
    assert ready == json.loads((tmp_path / "ready").read_text())
    assert ready["pid"] == process.pid
    context = ssl.create_default_context(cafile=ready["ca_file"])
    connection = http.client.HTTPSConnection("127.0.0.1", ready["port"], timeout=20, context=context)
    connection.request("GET", "/_cloud/summary")
    assert json.loads(connection.getresponse().read())["requests"] == {}
    connection.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_it_cleanly(process: subprocess.Popen[str], number: signal.Signals) -> None:
    assert process.stdout is not None
    ready = json.loads(process.stdout.readline())
    process.send_signal(number)
    assert process.wait(20) == 0
    assert not Path(ready["ca_file"]).parent.exists()


def test_it_ends_by_itself_after_its_time() -> None:
    done = subprocess.run(
        [*COMMAND, "--max-seconds", "0.1"], env=ENVIRONMENT, capture_output=True, timeout=20, check=True
    )
    assert json.loads(done.stdout)["url"].startswith("http://127.0.0.1:")


STARTER = "import subprocess, sys; subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE).stdout.readline()"


def test_it_ends_with_the_process_that_started_it() -> None:
    # The end of the output that both write errors to comes only when the server, too, has let go of it.
    command = [sys.executable, "-W", "ignore", "-c", STARTER, *COMMAND]
    assert subprocess.run(command, env=ENVIRONMENT, stderr=subprocess.PIPE, timeout=20, check=True).stderr == b""


def test_it_outlives_its_starter_if_told_so(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    command = [sys.executable, "-W", "ignore", "-c", STARTER, *COMMAND, "--parent", "0", "--ready-file", str(ready)]
    subprocess.run([*command, "--max-seconds", "60"], env=ENVIRONMENT, timeout=20, check=True)
    content = json.loads(ready.read_text())
    connection = http.client.HTTPConnection("127.0.0.1", content["port"], timeout=20)
    connection.request("GET", "/_cloud/summary")
    assert connection.getresponse().status == 200
    connection.close()
    os.kill(content["pid"], signal.SIGTERM)


def test_other_interfaces_are_refused() -> None:
    done = subprocess.run(
        [*COMMAND, "--host", "192.0.2.1"], env=ENVIRONMENT, capture_output=True, timeout=20, check=False
    )
    assert done.returncode == 2
