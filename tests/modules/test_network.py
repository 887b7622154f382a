# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The way to the service: endpoints, TLS, proxies, and what a machine has lying around."""

from __future__ import annotations

import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local_cloud import faults
from local_cloud.tasks import TaskList
from local_cloud.testing import LocalCloud
from modules.harness import Ansible, Direct
from modules.services import KEY_ID, SECRET
from modules.sls import ALL, INFO, RETRY, WHERE

BUSY: dict[str, Any] = {"code": "InternalServerError", "message": "Try again."}
VENDOR = "cn-hangzhou.log.aliyuncs.com"


@pytest.mark.parametrize(
    "form",
    ["http://127.0.0.1:{port}/", "HTTP://127.0.0.1:{port}", " http://127.0.0.1:{port} ", "http://localhost:{port}"],
)
def test_a_loopback_endpoint_is_connected_to_as_it_is(
    module: Direct, cloud: LocalCloud, shipper: TaskList, form: str
) -> None:
    ran = module(INFO, {**WHERE, "endpoint": form.format(port=cloud.port)})
    assert not ran.failed
    assert str(ran.arrived[0].header("host")).startswith("shop.")


def test_a_project_called_as_the_address_begins_is_a_project(module: Direct, cloud: LocalCloud) -> None:
    cloud.world.add_shipper("127", "access", "to-oss")
    assert not module(INFO, {**WHERE, "project": "127"}).failed


@pytest.mark.parametrize(
    "endpoint",
    [
        f"http://{VENDOR}",
        f"http://{VENDOR}/",
        f"http://shop.{VENDOR}",
        f"http://SHOP.{VENDOR.upper()}",
        f"http://{VENDOR}:80",
    ],
)
def test_the_project_is_put_before_the_vendors_host_once(
    module: Direct, cloud: LocalCloud, shipper: TaskList, endpoint: str
) -> None:
    ran = module(INFO, {**WHERE, "endpoint": endpoint, "allow_plaintext": True}, environ={"http_proxy": cloud.url})
    assert not ran.failed
    assert ran.arrived[0].header("host") == f"shop.{VENDOR}"


def test_a_project_called_like_the_region_is_put_in_front_all_the_same(module: Direct, cloud: LocalCloud) -> None:
    cloud.world.add_shipper("cn-hangzhou", "access", "to-oss")
    options = {**WHERE, "project": "cn-hangzhou", "endpoint": f"http://{VENDOR}", "allow_plaintext": True}
    ran = module(INFO, options, environ={"http_proxy": cloud.url})
    assert ran.arrived[0].header("host") == f"cn-hangzhou.{VENDOR}"


def test_an_ipv6_loopback_endpoint_is_plain_http_all_right(module: Direct) -> None:
    ran = module(INFO, {**WHERE, "endpoint": "http://[::1]:9", "max_attempts": 1}, all_arrive=False)
    assert ran.failed
    assert "could not be reached" in ran.msg


@pytest.mark.parametrize(
    "names", [("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), ("http_proxy", "https_proxy", "all_proxy")]
)
def test_a_proxy_is_not_asked_for_what_is_on_this_machine(
    ansible: Ansible, shipper: TaskList, names: tuple[str, ...]
) -> None:
    shipper.add_tasks(**BUSY)
    ran = ansible(RETRY, ALL, environ=dict.fromkeys(names, "http://127.0.0.1:9"))
    assert not ran.failed
    assert ran.counts("accepted") == (1,)


def test_a_proxy_that_is_not_there_is_named_as_unreachable(module: Direct) -> None:
    options = {**ALL, "endpoint": VENDOR, "max_attempts": 2}
    ran = module(RETRY, options, environ={"HTTPS_PROXY": "http://127.0.0.1:9"}, all_arrive=False)
    assert ran.failed
    assert "could not be reached" in ran.msg
    assert "proxy" in ran.msg
    assert ran["requests"]["sent"] == 2


@pytest.mark.parametrize("machine", ["127.0.0.1", "localhost", "shop.127.0.0.1", "default"])
def test_a_netrc_does_not_replace_the_signature(
    module: Direct, cloud: LocalCloud, shipper: TaskList, tmp_path: Path, machine: str
) -> None:
    line = "default" if machine == "default" else f"machine {machine}"
    (tmp_path / ".netrc").write_text(f"{line} login evil password evil\n")
    (tmp_path / ".netrc").chmod(0o600)
    shipper.add_tasks(**BUSY)
    ran = module(RETRY, {**ALL, "endpoint": f"http://localhost:{cloud.port}" if machine == "localhost" else cloud.url})
    assert ran.counts("accepted") == (1,)
    assert {str(request.header("authorization"))[:4] for request in ran.arrived} == {"LOG "}


def test_a_netrc_does_not_replace_the_signature_on_the_way_to_the_vendor(
    ansible: Ansible, cloud: LocalCloud, shipper: TaskList, tmp_path: Path
) -> None:
    (tmp_path / ".netrc").write_text(f"machine shop.{VENDOR} login evil password evil\n")
    (tmp_path / ".netrc").chmod(0o600)
    options = {**WHERE, "endpoint": f"http://{VENDOR}", "allow_plaintext": True}
    ran = ansible(INFO, options, environ={"http_proxy": cloud.url})
    assert not ran.failed
    assert str(ran.arrived[0].header("authorization")).startswith("LOG ")


def test_no_cookie_is_sent_back(module: Direct, cloud: LocalCloud, shipper: TaskList) -> None:
    shipper.add_tasks(**BUSY)
    cloud.faults.add(faults.raw("GetShipperStatus", status=500, headers={"Set-Cookie": "a=b; Path=/"}))
    ran = module(RETRY, ALL)
    assert not ran.failed
    assert [request.header("cookie") for request in ran.arrived] == [None, None, None]


# -- TLS --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def secure() -> Iterator[LocalCloud]:
    with LocalCloud(tls=True) as running:
        running.world.add_account(KEY_ID, SECRET)
        yield running


@pytest.fixture
def secure_module(secure: LocalCloud, tmp_path: Path, stand: subprocess.Popen[str]) -> Direct:
    return Direct(secure, tmp_path, stand)


@pytest.mark.parametrize("how", ["file", "without scheme", "off"])
def test_tls_is_verified_by_the_authority_that_is_given(secure: LocalCloud, tmp_path: Path, how: str) -> None:
    ids = secure.world.add_shipper("shop", "access", "to-oss").add_tasks(count=12, **BUSY)
    options: dict[str, dict[str, Any]] = {
        "file": {"ca_path": secure.ca_file},
        "without scheme": {"ca_path": secure.ca_file, "endpoint": f"127.0.0.1:{secure.port}"},
        "off": {"validate_certs": False},
    }
    ran = Ansible(secure, tmp_path)(RETRY, {**ALL, **options[how]})
    assert not ran.failed
    assert secure.executed() == Counter(ids)


@pytest.mark.parametrize("options", [{}, {"ca_path": "system"}], ids=str)
def test_a_certificate_that_is_not_trusted_is_refused_once(
    secure: LocalCloud, secure_module: Direct, tmp_path: Path, options: dict[str, str]
) -> None:
    if options:
        with LocalCloud(tls=True) as other:
            (tmp_path / "ca.pem").write_text(Path(str(other.ca_file)).read_text())
        options = {"ca_path": str(tmp_path / "ca.pem")}
    ran = secure_module(RETRY, {**ALL, **options}, all_arrive=False)
    assert ran.failed
    assert "not trusted" in ran.msg
    assert "ca_path" in ran.msg
    assert ran["requests"]["sent"] == 1
    assert not secure.requests


def test_a_bundle_of_the_environment_does_not_replace_ca_path(secure: LocalCloud, secure_module: Direct) -> None:
    secure.world.add_shipper("shop", "access", "to-oss")
    environ = {"REQUESTS_CA_BUNDLE": "/nowhere", "CURL_CA_BUNDLE": "/nowhere"}
    assert not secure_module(INFO, {**WHERE, "ca_path": secure.ca_file}, environ=environ).failed


@pytest.mark.parametrize("content", ["", "no certificate"])
def test_a_ca_path_that_holds_no_certificate_is_said(secure_module: Direct, tmp_path: Path, content: str) -> None:
    (tmp_path / "ca.pem").write_text(content)
    options = {**ALL, "ca_path": str(tmp_path / "ca.pem"), "max_attempts": 2}
    ran = secure_module(RETRY, options, all_arrive=False)
    assert ran.failed
    assert "ca_path" in ran.msg


def test_lost_replies_are_settled_over_tls_too(secure: LocalCloud, secure_module: Direct) -> None:
    ids = secure.world.add_shipper("shop", "access", "to-oss").add_tasks(count=12, **BUSY)
    secure.faults.add(faults.reset("RetryShipperTask", effect="after"))
    ran = secure_module(RETRY, {**ALL, "ca_path": secure.ca_file})
    assert ran.outcomes() == {"accepted": 12}
    assert secure.retried() == Counter(ids)
