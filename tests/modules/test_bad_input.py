# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options that cannot be used: said in words, before anything is sent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from local_cloud.tasks import TaskList
from local_cloud.testing import LocalCloud
from modules.harness import Ansible, Direct, Ran
from modules.sls import ALL, INFO, PROJECT, RETRY, WHERE

NO_NAMES = [
    "../x", "a/b", "a\nb", "a\r\nX-Evil: 1", "%2e", "a%2fb", ".", "..", "a.b", "a b", " a", "-a", "a-", "_a", "a_",
    "a?b", "a#b", "a@b", "a:b", "\u00fcber", "\u0663", "a\x00b", "a" * 129,
]  # fmt: skip


def refused(ran: Ran, *words: str) -> None:
    assert ran.failed
    assert not ran.arrived
    assert [word for word in words if word not in ran.msg] == []


# -- names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("option", "name"),
    [("project", name) for name in NO_NAMES]
    + [(one, name) for one in ("logstore", "shipper") for name in NO_NAMES[:5]],
    ids=ascii,
)
def test_what_is_no_name_is_never_sent(module: Direct, option: str, name: str) -> None:
    refused(module(RETRY, {**ALL, option: name}), f"{option} is not a legal name")


def test_a_path_as_a_name_is_refused_under_ansible(ansible: Ansible) -> None:
    refused(ansible(INFO, {**WHERE, "logstore": "../../evil\n"}), "logstore is not a legal name")


@pytest.mark.parametrize("task_id", ["", "a b", "a\nb", "\u00fc", "x" * 257, "a\x00", " "], ids=ascii)
def test_what_is_no_task_id_is_never_sent(module: Direct, task_id: str) -> None:
    refused(module(RETRY, {**WHERE, "task_ids": ["good", task_id]}), "task_ids")


@pytest.mark.parametrize("task_id", ["../x", "a/b", "%2e", '"', "\\", "[]", "';--", "x" * 256])
def test_a_strange_but_printable_id_is_just_an_id(module: Direct, shipper: TaskList, task_id: str) -> None:
    shipper.add_tasks(id=task_id, code="InternalServerError")
    ran = module(RETRY, {**WHERE, "task_ids": [task_id]})
    assert not ran.failed
    assert [put.ids for put in ran.changes] == [(task_id,)]


def test_a_shipper_needs_its_logstore(module: Direct) -> None:
    refused(module(RETRY, {**PROJECT, "shipper": "to-oss", "all_failed": True}), "shipper", "logstore")


@pytest.mark.parametrize("project", [None, "", "  "])
def test_the_project_is_required(module: Direct, project: str | None) -> None:
    refused(module(RETRY, {**ALL, "project": project}), "project")


@pytest.mark.parametrize(
    "region", ["../x", "cn hangzhou", "cn-hangzhou\n", "a/b", "evil.example/", "@evil", "cn_x", "%2e"]
)
def test_what_is_no_region_is_never_asked(module: Direct, region: str) -> None:
    refused(module(RETRY, {**ALL, "region": region, "endpoint": None}), "region")


# -- endpoint ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://user:pass@127.0.0.1", "user@127.0.0.1", "https://127.0.0.1/path", "127.0.0.1/path", "https://h/?q=1",
        "https://h#f", "ftp://127.0.0.1", "file:///etc/passwd", "https://", "https://h:0", "https://h:99999",
        "https://h:port", "https://a b", "../x", "https://h\r\nX-Evil: 1", "https://[::1", "https://-h", "https://h..i",
        "https://\u0455ls.aliyuncs.com", "https://h%2e", "https://h\\@evil",
    ],
)  # fmt: skip
def test_what_is_no_endpoint_is_refused(module: Direct, endpoint: str) -> None:
    refused(module(RETRY, {**ALL, "endpoint": endpoint}), "endpoint is not usable")


@pytest.mark.parametrize("where", ["127.0.0.1:{port}\n1", "127.0.\n0.1:{port}", "127.0.0.1\t:{port}"])
def test_a_line_feed_in_an_endpoint_is_not_overlooked(module: Direct, cloud: LocalCloud, where: str) -> None:
    endpoint = "http://" + where.format(port=cloud.port)
    refused(module(RETRY, {**ALL, "endpoint": endpoint}, all_arrive=False), "endpoint is not usable")


@pytest.mark.parametrize("host", ["192.0.2.1", "sls.example", "0.0.0.1", "127.1", "2130706433", "localhost.example"])
def test_plain_http_to_another_machine_is_refused(module: Direct, host: str) -> None:
    refused(module(RETRY, {**ALL, "endpoint": f"http://{host}"}), "plain http", "allow_plaintext")


def test_plain_http_is_refused_under_ansible(ansible: Ansible) -> None:
    refused(ansible(INFO, {**WHERE, "endpoint": "http://cn-hangzhou.log.aliyuncs.com"}), "allow_plaintext")


def test_neither_endpoint_nor_region_is_an_error_that_names_both(module: Direct) -> None:
    ran = module(RETRY, {**ALL, "endpoint": None})
    refused(ran, "endpoint", "region", "ALIBABA_CLOUD_REGION_ID", "region_id")


# -- numbers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [0, -1, "nan", "many"], ids=str)
@pytest.mark.parametrize("option", ["timeout", "rate_limit", "wait_interval"])
def test_a_number_that_is_no_use_is_refused(module: Direct, option: str, value: Any) -> None:
    refused(module(RETRY, {**ALL, option: value}, all_arrive=False), option)


@pytest.mark.parametrize("value", ["inf", "1e300", 10**12], ids=str)
def test_a_timeout_beyond_all_bounds_is_no_bug_report(module: Direct, shipper: TaskList, value: Any) -> None:
    ran = module(INFO, {**WHERE, "timeout": value}, all_arrive=False)
    assert not ran.failed or "timeout" in ran.msg


@pytest.mark.parametrize("value", [0, -1, "few", 1.5], ids=str)
@pytest.mark.parametrize("option", ["max_attempts", "concurrency"])
def test_a_count_that_is_no_use_is_refused(module: Direct, option: str, value: Any) -> None:
    refused(module(RETRY, {**ALL, option: value}), option)


@pytest.mark.parametrize("option", ["max_tasks", "wait_timeout"])
def test_a_negative_limit_is_refused(module: Direct, option: str) -> None:
    refused(module(RETRY, {**ALL, option: -1}), option)


# -- rules and the rest -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ([{"class": "fix"}], ["rules[0]", "code", "match"]),
        ([{"code": "", "match": "", "class": "fix"}], ["rules[0]"]),
        ([{"code": "a", "class": "fix"}, {"match": "(", "class": "fix"}], ["rules[1]", "regular expression"]),
        ([{"code": "a", "class": "never"}], ["class"]),
        ([{"code": "a"}], ["class"]),
        ([{"code": "a", "class": "fix", "colour": "red"}], ["colour"]),
    ],
    ids=str,
)
def test_a_bad_rule_is_refused_by_its_place(module: Direct, rules: list[Any], words: list[str]) -> None:
    refused(module(RETRY, {**ALL, "rules": rules}), *words)


def test_a_bad_rule_is_refused_under_ansible_in_check_mode_too(ansible: Ansible) -> None:
    refused(ansible(RETRY, {**ALL, "rules": [{"match": "*", "class": "fix"}]}, check=True), "rules[0].match")


@pytest.mark.parametrize("pattern", ["(", "*", "[", "(?P<", "a{9999999999999999999}", "(?<=a+)b"])
def test_a_bad_message_regex_is_refused(module: Direct, pattern: str) -> None:
    refused(module(RETRY, {**ALL, "message_regex": pattern}), "message_regex")


@pytest.mark.parametrize(
    "options",
    [
        {"retry_classes": ["never"]},
        {"fail_on": ["everything"]},
        {"signature_version": "v2"},
        {"all_failed": "perhaps"},
        {"wait": "perhaps"},
        {"states": ["failed"]},
        {"no_such_option": 1},
        {"ca_path": "/nowhere/ca.pem"},
        {"access_key_secret": "line\nfeed"},
        {"security_token": "b\u00e4d"},
    ],
    ids=str,
)
def test_a_bad_value_is_refused_by_its_name(module: Direct, options: dict[str, Any]) -> None:
    refused(module(RETRY, {**ALL, **options}), *options)


def test_states_of_an_info_module_have_no_missing(module: Direct) -> None:
    refused(module(INFO, {**WHERE, "states": ["missing"]}), "states")


# -- the empty string -------------------------------------------------------------------------------------------------

EMPTY = (
    "logstore", "shipper", "task_ids", "ids", "since", "until", "codes", "message_regex", "retry_classes", "rules",
    "max_tasks", "wait", "wait_timeout", "wait_interval", "timeout", "max_attempts", "rate_limit", "concurrency",
    "validate_certs", "ca_path", "allow_plaintext", "region", "profile", "security_token", "signature_version",
    "fail_on",
)  # fmt: skip


@pytest.mark.parametrize("blank", ["", " "])
def test_an_empty_string_is_an_option_that_is_not_given(
    ansible: Ansible, cloud: LocalCloud, shipper: TaskList, blank: str
) -> None:
    ids = shipper.add_tasks(code="InternalServerError")
    ran = ansible(RETRY, {**PROJECT, "all_failed": True, **dict.fromkeys(EMPTY, blank)})
    assert not ran.failed
    assert cloud.executed() == dict.fromkeys(ids, 1)


def test_empty_credentials_are_looked_for_elsewhere(module: Direct, tmp_path: Path) -> None:
    ran = module(RETRY, {**ALL, "access_key_id": "", "access_key_secret": ""})
    refused(ran, "No credentials", str(tmp_path))


def test_empty_conditions_of_a_rule_are_not_given(module: Direct, shipper: TaskList) -> None:
    shipper.add_tasks(code="Odd", message="m")
    rules = [{"code": "Odd", "match": "", "class": "gone", "remedy": ""}]
    ran = module(INFO, {**WHERE, "rules": rules})
    assert ran["tasks"][0]["failure"]["class"] == "gone"


def test_an_empty_endpoint_follows_from_the_region(module: Direct) -> None:
    ran = module(RETRY, {**ALL, "endpoint": "", "region": ""})
    refused(ran, "Neither endpoint nor region")
