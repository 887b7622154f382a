# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who asks: where credentials are found, what is said when they are not, and both signatures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from local_cloud.tasks import TaskList
from local_cloud.testing import LocalCloud
from modules.harness import Ansible, Direct, Ran
from modules.services import KEY_ID, SECRET
from modules.sls import ALL, INFO, RETRY, TOKEN, TOKEN_ID, TOKEN_SECRET, WHERE

NONE: dict[str, Any] = {"access_key_id": None, "access_key_secret": None}
PLAIN = {"access_key_id": KEY_ID, "access_key_secret": SECRET}
STS = {"access_key_id": TOKEN_ID, "access_key_secret": TOKEN_SECRET}
ALIBABA = {"ALIBABA_CLOUD_ACCESS_KEY_ID": KEY_ID, "ALIBABA_CLOUD_ACCESS_KEY_SECRET": SECRET}
ALIBABA_STS = {
    "ALIBABA_CLOUD_ACCESS_KEY_ID": TOKEN_ID,
    "ALIBABA_CLOUD_ACCESS_KEY_SECRET": TOKEN_SECRET,
    "ALIBABA_CLOUD_SECURITY_TOKEN": TOKEN,
}
ALICLOUD = {"ALICLOUD_ACCESS_KEY_ID": KEY_ID, "ALICLOUD_ACCESS_KEY_SECRET": SECRET}
ALICLOUD_STS = {
    "ALICLOUD_ACCESS_KEY": TOKEN_ID,
    "ALICLOUD_SECRET_KEY": TOKEN_SECRET,
    "ALICLOUD_SECURITY_TOKEN": TOKEN,
}
WRONG = {"ALIBABA_CLOUD_ACCESS_KEY_ID": "wrong", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "wrongwrong"}


def profiles(home: Path, *entries: dict[str, Any], **more: Any) -> None:
    text(home, json.dumps({**more, "profiles": list(entries)}))


def text(home: Path, content: str) -> None:
    (home / ".aliyun").mkdir()
    (home / ".aliyun" / "config.json").write_text(content)


def key_of(ran: Ran) -> str:
    """Whose key signed the only request."""
    assert not ran.failed, ran.msg
    (request,) = ran.arrived
    # The local cloud keeps the beginning of the header only: enough to tell the two keys apart.
    return KEY_ID if str(request.header("authorization")).startswith("LOG testAcc") else TOKEN_ID


# -- where they come from ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["v1", "v4"])
@pytest.mark.parametrize("credentials", [PLAIN, {**STS, "security_token": TOKEN}], ids=["plain", "sts"])
def test_options_sign_reads_and_retries(
    module: Direct, shipper: TaskList, credentials: dict[str, str], version: str
) -> None:
    shipper.add_tasks(count=11, code="InternalServerError")
    ran = module(RETRY, {**ALL, **credentials, "signature_version": version, "region": "cn-hangzhou"})
    assert ran.counts("accepted") == (11,)
    assert len(ran.arrived) == 3


@pytest.mark.parametrize(
    ("environ", "key"),
    [
        (ALIBABA, KEY_ID),
        (ALIBABA_STS, TOKEN_ID),
        (ALICLOUD, KEY_ID),
        (ALICLOUD_STS, TOKEN_ID),
        ({**ALIBABA, **ALICLOUD_STS}, KEY_ID),
        ({**ALIBABA, "ALIBABA_CLOUD_SECURITY_TOKEN": ""}, KEY_ID),
        ({**ALICLOUD_STS, "ALIBABA_CLOUD_ACCESS_KEY_ID": "", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": ""}, TOKEN_ID),
        ({"ALICLOUD_ACCESS_KEY": KEY_ID, "ALICLOUD_SECRET_ACCESS_KEY": SECRET}, KEY_ID),
    ],
)
def test_the_environment_is_asked_in_its_order(
    module: Direct, shipper: TaskList, environ: dict[str, str], key: str
) -> None:
    assert key_of(module(INFO, {**WHERE, **NONE}, environ=environ)) == key


def test_the_environment_is_found_under_ansible(ansible: Ansible, shipper: TaskList) -> None:
    assert key_of(ansible(INFO, {**WHERE, **NONE}, environ=ALIBABA_STS)) == TOKEN_ID


def test_options_come_before_the_environment_and_take_no_token_from_it(module: Direct, shipper: TaskList) -> None:
    environ = {**WRONG, "ALIBABA_CLOUD_SECURITY_TOKEN": "of-another-key"}
    assert key_of(module(INFO, WHERE, environ=environ)) == KEY_ID


AK = {"name": "plain", "mode": "AK", "access_key_id": KEY_ID, "access_key_secret": SECRET, "sts_token": "stale"}
STS_PROFILE = {
    "name": "temp",
    "mode": "StsToken",
    "access_key_id": TOKEN_ID,
    "access_key_secret": TOKEN_SECRET,
    "sts_token": TOKEN,
}


@pytest.mark.parametrize(
    ("current", "options", "environ", "key"),
    [
        ("plain", {}, {}, KEY_ID),
        ("temp", {}, {}, TOKEN_ID),
        ("plain", {"profile": "temp"}, {}, TOKEN_ID),
        ("plain", {}, {"ALIBABA_CLOUD_PROFILE": "temp"}, TOKEN_ID),
        ("plain", {}, {"ALICLOUD_PROFILE": "temp"}, TOKEN_ID),
        ("nowhere", {"profile": "plain"}, {"ALIBABA_CLOUD_PROFILE": "temp"}, KEY_ID),
        ("plain", {"profile": "temp"}, WRONG, TOKEN_ID),
        ("nowhere", {}, {**ALIBABA, "ALIBABA_CLOUD_PROFILE": "nowhere"}, KEY_ID),
    ],
    ids=str,
)
def test_a_profile_is_chosen(
    module: Direct,
    shipper: TaskList,
    tmp_path: Path,
    current: str,
    options: dict[str, str],
    environ: dict[str, str],
    key: str,
) -> None:
    profiles(tmp_path, AK, STS_PROFILE, current=current)
    assert key_of(module(INFO, {**WHERE, **NONE, **options}, environ=environ)) == key


def test_a_profile_is_found_under_ansible(ansible: Ansible, shipper: TaskList, tmp_path: Path) -> None:
    profiles(tmp_path, AK, current="plain")
    assert key_of(ansible(INFO, {**WHERE, **NONE})) == KEY_ID


def test_the_profile_called_default_is_the_one_without_a_current_one(
    module: Direct, shipper: TaskList, tmp_path: Path
) -> None:
    profiles(tmp_path, STS_PROFILE, {**AK, "name": "default", "mode": ""})
    assert key_of(module(INFO, {**WHERE, **NONE})) == KEY_ID


# -- what cannot be used ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({**AK, "name": "other"}, ["no profile 'x'", "other"]),
        ({**AK, "name": "x", "mode": "RamRoleArn"}, ["RamRoleArn", "AK", "StsToken"]),
        ({**AK, "name": "x", "mode": "EcsRamRole"}, ["EcsRamRole"]),
        ({**AK, "name": "x", "access_key_secret": ""}, ["access_key_secret"]),
        ({**AK, "name": "x", "access_key_id": 1}, ["access_key_id"]),
        ({**STS_PROFILE, "name": "x", "sts_token": ""}, ["sts_token"]),
        ({**STS_PROFILE, "name": "x", "sts_token": 12345}, ["sts_token"]),
        ({**AK, "name": "x", "access_key_secret": "line\nfeed"}, ["access_key_secret"]),
    ],
    ids=str,
)
def test_a_profile_that_cannot_be_used_is_named(
    module: Direct, tmp_path: Path, entry: dict[str, Any], words: list[str]
) -> None:
    profiles(tmp_path, entry)
    ran = module(RETRY, {**ALL, **NONE, "profile": "x"})
    assert ran.failed
    assert not ran.arrived
    assert [word for word in [*words, "config.json"] if word not in ran.msg] == []


@pytest.mark.parametrize("content", ["", "{", "[]", "1", '{"profiles": 1}', '{"profiles": {"x": 1}}', "[" * 100000])
def test_a_broken_profile_file_is_named(module: Direct, tmp_path: Path, content: str) -> None:
    text(tmp_path, content)
    ran = module(RETRY, {**ALL, **NONE})
    assert ran.failed
    assert not ran.arrived
    assert "config.json" in ran.msg


def test_a_profile_without_its_file_is_an_error(module: Direct) -> None:
    ran = module(RETRY, {**ALL, **NONE, "profile": "x"}, environ=ALIBABA)
    assert "'x'" in ran.msg
    assert "config.json" in ran.msg


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"access_key_id": KEY_ID}, "access_key_secret"),
        ({"access_key_secret": SECRET}, "access_key_id"),
        ({"security_token": TOKEN}, "access_key_id"),
    ],
    ids=str,
)
def test_half_a_pair_is_refused_whatever_the_environment_holds(
    module: Direct, given: dict[str, str], word: str
) -> None:
    ran = module(RETRY, {**ALL, **NONE, **given}, environ=ALIBABA)
    assert ran.failed
    assert word in ran.msg
    assert not ran.arrived


PLACES = (
    "access_key_id", "access_key_secret", "profile", "ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
    "ALICLOUD_ACCESS_KEY", "ALICLOUD_SECRET_KEY", ".aliyun/config.json",
)  # fmt: skip


def names_every_place(ran: Ran) -> None:
    assert ran.failed
    assert not ran.arrived
    assert [place for place in PLACES if place not in ran.msg] == []


def test_missing_credentials_name_options_variables_and_files(ansible: Ansible) -> None:
    names_every_place(ansible(RETRY, {**ALL, **NONE}))


@pytest.mark.parametrize("variable", [*ALIBABA, *ALICLOUD])
def test_half_a_pair_in_the_environment_is_refused_rather_than_passed_over(module: Direct, variable: str) -> None:
    """Otherwise the keys of another account would be taken from further down."""
    ran = module(RETRY, {**ALL, **NONE}, environ={variable: "half-a-pair"})
    assert ran.failed
    assert not ran.arrived
    assert f"{variable}" in ran.msg
    assert "set both, or neither" in ran.msg
    assert "half-a-pair" not in ran.msg


@pytest.mark.parametrize(
    "entries",
    [[], [{"name": "default", "mode": "AK", "access_key_id": "", "access_key_secret": ""}]],
    ids=["no profiles", "as the command line makes it"],
)
def test_missing_credentials_name_every_place_when_the_file_is_there_but_empty(
    module: Direct, tmp_path: Path, entries: list[dict[str, str]]
) -> None:
    profiles(tmp_path, *entries, current="default")
    names_every_place(module(RETRY, {**ALL, **NONE}))


# -- what the service refuses -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["v1", "v4"])
@pytest.mark.parametrize(
    ("credentials", "words"),
    [
        ({**PLAIN, "access_key_secret": "wrong-secret"}, ["SignatureNotMatch", "access_key_secret"]),
        ({**PLAIN, "access_key_id": "nobody"}, ["Unauthorized", "AccessKeyId not found"]),
        ({**STS, "security_token": "stale-token"}, ["security token", "invalid"]),
        (STS, ["security token", "invalid"]),
    ],
    ids=["secret", "key", "token", "no token"],
)
def test_refused_credentials_cost_one_request(
    module: Direct,
    shipper: TaskList,
    credentials: dict[str, str],
    words: list[str],
    version: str,
) -> None:
    more = {"signature_version": version, "region": "cn-hangzhou", "all_failed": True}
    ran = module(RETRY, {"project": "shop", **credentials, **more})
    assert ran.failed
    assert len(ran.arrived) == 1
    assert [word for word in words if word not in ran.msg] == []


def test_a_wrong_secret_costs_one_request_under_ansible(ansible: Ansible, shipper: TaskList) -> None:
    ran = ansible(RETRY, {**ALL, "access_key_secret": "wrong-secret"})
    assert ran.failed
    assert len(ran.arrived) == 1


@pytest.mark.parametrize("code", ["Unauthorized", "SecurityTokenExpired", "SecurityToken.Expired"])
def test_an_expired_token_costs_one_request(module: Direct, cloud: LocalCloud, shipper: TaskList, code: str) -> None:
    cloud.world.sls.configure(expired_token_code=code)
    cloud.world.expire(TOKEN_ID)
    ran = module(RETRY, {**ALL, **STS, "security_token": TOKEN})
    assert ran.failed
    assert "expired" in ran.msg
    assert len(ran.arrived) == 1


# -- region and v4 ----------------------------------------------------------------------------------------------------

V4 = {"signature_version": "v4"}
AS_PROXY = {"endpoint": "http://cn-hangzhou.log.aliyuncs.com", "allow_plaintext": True}


def test_v4_without_a_region_is_refused(module: Direct) -> None:
    ran = module(RETRY, {**ALL, **V4})
    assert ran.failed
    assert "region" in ran.msg
    assert not ran.arrived


@pytest.mark.parametrize(
    "name", ["ALIBABA_CLOUD_REGION_ID", "ALIBABA_CLOUD_DEFAULT_REGION", "ALICLOUD_REGION", "ALICLOUD_REGION_ID"]
)
def test_v4_takes_the_region_from_the_environment(module: Direct, shipper: TaskList, name: str) -> None:
    assert not module(INFO, {**WHERE, **V4}, environ={name: "cn-hangzhou"}).failed


def test_v4_takes_the_region_from_the_profile(module: Direct, shipper: TaskList, tmp_path: Path) -> None:
    profiles(tmp_path, {**AK, "region_id": "cn-hangzhou"}, current="plain")
    assert not module(INFO, {**WHERE, **V4, **NONE}).failed


def test_the_option_region_comes_before_the_environment(module: Direct, shipper: TaskList) -> None:
    environ = {"ALIBABA_CLOUD_REGION_ID": "cn-beijing"}
    assert not module(INFO, {**WHERE, **V4, "region": "cn-hangzhou"}, environ=environ).failed


def test_v4_with_the_wrong_region_costs_one_request(module: Direct, shipper: TaskList) -> None:
    ran = module(INFO, {**WHERE, **V4, "region": "cn-beijing"})
    assert ran.failed
    assert len(ran.arrived) == 1


def test_v4_takes_the_region_from_the_endpoint(module: Direct, cloud: LocalCloud, shipper: TaskList) -> None:
    assert not module(INFO, {**WHERE, **V4, **AS_PROXY}, environ={"HTTP_PROXY": cloud.url}).failed


def test_the_region_in_a_given_endpoint_comes_before_the_one_of_the_environment(
    module: Direct, cloud: LocalCloud, shipper: TaskList
) -> None:
    environ = {"HTTP_PROXY": cloud.url, "ALIBABA_CLOUD_REGION_ID": "cn-beijing"}
    assert not module(INFO, {**WHERE, **V4, **AS_PROXY}, environ=environ).failed
