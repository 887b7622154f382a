# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What comes from options, the environment and files: usable, or an InputError that shows no value of a secret."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.redrive.tasks.plugins.module_utils._classify import compile_pattern, user_rules
from ansible_collections.redrive.tasks.plugins.module_utils._credentials import cls as cls_credentials
from ansible_collections.redrive.tasks.plugins.module_utils._credentials import drs as drs_credentials
from ansible_collections.redrive.tasks.plugins.module_utils._credentials import sls as sls_credentials
from ansible_collections.redrive.tasks.plugins.module_utils._drs.login import is_project_id
from ansible_collections.redrive.tasks.plugins.module_utils._endpoint import parse_endpoint
from ansible_collections.redrive.tasks.plugins.module_utils._errors import InputError
from ansible_collections.redrive.tasks.plugins.module_utils._fronts.drs import _load_yaml
from ansible_collections.redrive.tasks.plugins.module_utils._redact import Masker
from ansible_collections.redrive.tasks.plugins.module_utils._services import cls, drs, geelark, sls
from ansible_collections.redrive.tasks.plugins.module_utils._window import parse_moment, resolve_window
from fuzz.hostile import LONGEST_ERROR, spoilt_values
from unit.fakes import NOW

SECRET = "S3cr3tS3cr3tS3cr3t"
per_case = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def is_sound(exc: InputError) -> None:
    text = Masker().line(str(exc))
    assert text.isprintable()
    assert SECRET not in text
    assert len(text) <= LONGEST_ERROR


# -- names and ids that become paths, hosts and headers ---------------------------------------------------------------

HOSTILE_NAMES = [
    "",
    ".",
    "..",
    "../x",
    "a/b",
    "a\\b",
    "%2e%2e",
    "a%2fb",
    "a\r\nX-Y: z",
    "a\n",
    "\na",
    "a\x00",
    "a b",
    "a?b",
    "a#b",
    "a@b",
    "a:b",
    "é",
    "\uff41",
    "a\u202eb",
    "\ud800",
    "a" * 100_000,
    "٣",
    "K",
    "a;b",
]
_PATH = re.compile(r"[A-Za-z0-9_-]+")
_HEADER = re.compile(r"[\x21-\x7e]+")
_any_text = st.one_of(
    st.sampled_from(HOSTILE_NAMES), st.text(st.characters(), max_size=30), st.from_regex(r"[a-z/.%\s-]+")
)

CHECKS: dict[str, tuple[Callable[[str], str], re.Pattern[str]]] = {
    "name of SLS": (lambda text: sls.check_name("project", text), _PATH),
    "id of SLS": (sls.check_task_id, _HEADER),
    "id of CLS": (lambda text: cls.check_id("task_ids", text), _HEADER),
    "region of CLS": (cls.check_region, _PATH),
    "id of DRS": (drs.check_job_id, _PATH),
    "id of GeeLark": (geelark.check_task_id, _HEADER),
}


@pytest.mark.parametrize("what", CHECKS)
@given(text=_any_text)
def test_nothing_else_than_plain_characters_gets_into_a_path_or_a_header(what: str, text: str) -> None:
    check, allowed = CHECKS[what]
    try:
        assert allowed.fullmatch(check(text))
    except InputError as exc:
        is_sound(exc)
    assert not is_project_id(text) or _PATH.fullmatch(text)


_endpoints = st.one_of(
    _any_text,
    st.builds(
        lambda scheme, user, host, rest: f"{scheme}{user}{host}{rest}",
        st.sampled_from(["", "http://", "https://", "HTTPS://", "ftp://", "//", "https:/", "https:///"]),
        st.sampled_from(["", f"user:{SECRET}@", "@", "a@b@"]),
        st.one_of(
            st.sampled_from(
                ["localhost", "127.0.0.1", "[::1]", "[::1%25eth0]", "[", "a..b", "-a", "a.", "[fe80::1%x y]"]
            ),
            _any_text,
        ),
        st.sampled_from(["", ":", ":0", ":80", ":99999", ":٣", ":-1", "/", "/..", "?x", "#x", "\r\n", "\x00"]),
    ),
)


@given(text=_endpoints, plain=st.booleans())
def test_an_endpoint_is_a_host_or_nothing(text: str, plain: bool) -> None:
    finders: list[Callable[[], Any]] = [
        lambda: parse_endpoint(text, allow_plaintext=plain),
        lambda: sls.find_endpoint(text, None, project="shop", allow_plaintext=plain),
        lambda: cls.find_endpoint(text, allow_plaintext=plain),
        lambda: drs.find_endpoint(None, text, None, allow_plaintext=plain),
        lambda: geelark.find_endpoint(text, allow_plaintext=plain),
    ]
    for find in finders:
        try:
            found = find()
        except InputError as exc:
            is_sound(exc)
            continue
        url = found.base_url()
        assert re.fullmatch(
            r"https?://(?:[A-Za-z0-9.-]+|\[[0-9a-fA-F:.]+(?:%[A-Za-z0-9._~-]+)?\])(?::[0-9]{1,5})?", url
        )
        assert found.scheme == "https" or plain or found.is_loopback


# -- times ------------------------------------------------------------------------------------------------------------

_times = st.one_of(
    _any_text,
    st.from_regex(r"\A-?[0-9]{0,25}(\.[0-9]{0,25})?[smhdw]?\Z"),
    st.from_regex(
        r"\A[0-9]{4}-?[0-9]{2}-?[0-9]{2}([Tt ][0-9]{2}:?[0-9]{2}(:?[0-9]{2})?([+-][0-9]{2}:?[0-9]{2}|Z)?)?\Z"
    ),
    st.sampled_from(
        ["0001-01-01", "9999-12-31T23:59:59-23:59", "0000-00-00", "2026-02-30", "1e9", "inf", "nan", "\uff19" * 4]
    ),
)


@given(text=_times, other=st.none() | _times)
def test_a_time_is_a_whole_number_or_an_error(text: str, other: str | None) -> None:
    with suppress(InputError):
        assert isinstance(parse_moment("since", text, NOW), int)
    try:
        window = resolve_window(text, other, now=NOW, horizon=3600, margin=60, warn=lambda text: None)
        assert NOW - 3600 <= window.since < window.until <= NOW
    except InputError as exc:
        is_sound(exc)


# -- patterns ---------------------------------------------------------------------------------------------------------


@given(text=st.one_of(st.text(max_size=30), st.from_regex(r"[(\[{|*+?\\<>=!P:\d]{1,20}"), st.just("(" * 5000)))
@pytest.mark.filterwarnings("ignore::FutureWarning")  # of what Python may take for something else some day
def test_a_pattern_is_usable_or_an_error(text: str) -> None:
    for use in (
        lambda: compile_pattern("message_regex", text).search("words"),
        lambda: user_rules([{"match": text, "class": "fix"}], "DRS."),
    ):
        try:
            use()
        except InputError as exc:
            is_sound(exc)


# -- files ------------------------------------------------------------------------------------------------------------

_SPOILT_TEXTS = st.one_of(
    st.binary(max_size=60),
    st.sampled_from(
        [
            b"\xff\xfe\x00",
            b"\xef\xbb\xbf",
            b"[" * 100_000,
            b'{"a":' * 50_000,
            b"[default]\n[default]\n",
            b"[default\nsecret_id=" + SECRET.encode(),
            b"secret_id=" + SECRET.encode(),
            b"[]\n=\n",
            b"[default]\nsecret_key = " + SECRET.encode() + b"\x00\n",
            b"[default]\n %(x)s\n  continued\n",
            b"9" * 10_000,
            b"- " * 10_000,
            b"a: " * 2_000,
            b"? " * 2_000,
            b"- " * 100_000,
            b"a: {" * 100_000,
            b"!!python/object/apply:os.system ['id']",
            b"clouds: &a\n  x: *a\n",
            b"clouds: {one: &a {auth: *a}}",
            b"{{[[",
            b"&a *a",
            b"%YAML 9.9\n---\n",
            b"clouds:\n  ? [a, b]\n  : c\n",
            b"clouds: {1: 2, null: 3, true: 4, 2026-01-01: 5}",
        ]
    ),
)

_PROFILES = {
    "current": "default",
    "profiles": [
        {
            "name": "default",
            "mode": "AK",
            "access_key_id": "LTAI",
            "access_key_secret": SECRET,
            "region_id": "cn-hangzhou",
        },
        {"name": "sts", "mode": "StsToken", "access_key_id": "L", "access_key_secret": SECRET, "sts_token": SECRET},
    ],
}
_COMMAND_LINE = {"secretId": "AKID", "secretKey": SECRET, "token": SECRET, "type": "", "role-arn": ""}
_CLOUDS = {
    "clouds": {
        "one": {
            "profile": "otc",
            "auth": {
                "auth_url": "https://iam.eu-de.otc.t-systems.com/v3",
                "username": "user",
                "password": SECRET,
                "user_domain_name": "OTC",
                "project_id": "054babbbde80d4602f5cc0043a40ed8c",
            },
            "region_name": "eu-de",
        }
    }
}


def of_sls(home: Path, environ: Mapping[str, str]) -> None:
    sls_credentials.find_credentials(
        access_key_id=None, access_key_secret=None, security_token=None, profile=None, environ=environ
    )


def of_cls(home: Path, environ: Mapping[str, str]) -> None:
    cls_credentials.find_credentials(secret_id=None, secret_key=None, token=None, profile=None, environ=environ)


def of_drs(home: Path, environ: Mapping[str, str]) -> None:
    drs_credentials.find_identity({}, environ={**environ, "XDG_CONFIG_HOME": str(home)}, load_yaml=_load_yaml)


FILES: dict[str, tuple[str, Any, Callable[[Path, Mapping[str, str]], None]]] = {
    "profiles of SLS": (".aliyun/config.json", _PROFILES, of_sls),
    "command line of CLS": (".tccli/default.credential", _COMMAND_LINE, of_cls),
    "settings of CLS": (".tccli/default.configure", {"_sys_param": {"region": "ap-guangzhou"}}, of_cls),
    "sections of CLS": (".tencentcloud/credentials", None, of_cls),
    "sections of DRS": (".huaweicloud/credentials", None, of_drs),
    "clouds of DRS": ("openstack/clouds.yaml", _CLOUDS, of_drs),
}
_INI = f"[default]\nsecret_id = AKID\nsecret_key = {SECRET}\n[basic]\nak = AK\nsk = {SECRET}\nproject_id = p\n".encode()


@pytest.mark.parametrize("what", FILES)
@given(data=st.data())
@per_case
def test_a_file_is_usable_or_an_error_that_tells_no_secret(
    what: str, data: st.DataObject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, content, find = FILES[what]
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    if content is None or data.draw(st.integers(0, 2)) == 0:
        end = data.draw(st.integers(0, len(_INI)))
        text = data.draw(
            st.one_of(_SPOILT_TEXTS, st.just(_INI[:end]), _SPOILT_TEXTS.map(lambda tail: _INI[:end] + tail))
        )
    else:
        # JSON is YAML as well, but for what Python writes of halves and of numbers that JSON does not have.
        text = json.dumps(data.draw(spoilt_values(content, moving=False))).encode()
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text)
    try:
        find(tmp_path, {})
    except InputError as exc:
        is_sound(exc)


@pytest.mark.parametrize("depth", range(900, 1000, 4))
@pytest.mark.parametrize("place", ["current", "mode", "name"])
def test_what_is_nested_where_a_name_belongs_is_an_error(
    place: str, depth: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    content: dict[str, Any] = {"current": "default", "profiles": [{"name": "default", "access_key_id": "x"}]}
    (content if place == "current" else content["profiles"][0])[place] = "DEEP"
    text = json.dumps(content).replace('"DEEP"', "[" * depth + "]" * depth)
    (tmp_path / ".aliyun").mkdir()
    (tmp_path / ".aliyun/config.json").write_text(text)
    with pytest.raises(InputError):
        of_sls(tmp_path, {})


LAUGHS = "a: &a [x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefghijklm", "bcdefghijklmn")
)


@pytest.mark.parametrize("key", ["profile", "cloud", "auth", "region_name", "password"])
def test_a_file_that_refers_to_itself_a_billion_times_is_not_spelt_out(
    key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "clouds.yaml").write_text(f"{LAUGHS}clouds: {{one: {{{key}: *n, username: u}}}}\n")
    with pytest.raises(InputError):
        of_drs(tmp_path, {})


def test_two_files_that_contain_themselves_are_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    for name in ("clouds.yaml", "secure.yaml"):
        (tmp_path / name).write_text("clouds: {one: &a {auth: *a}}\n")
    with pytest.raises(InputError):
        of_drs(tmp_path, {})


@pytest.mark.parametrize(
    "text", ["[" * 100_000, "- " * 100_000, "clouds: {a: " + "{a: " * 100_000], ids=["flow", "block", "named"]
)
def test_a_file_that_is_nested_without_end_is_refused(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "clouds.yaml").write_text(text)
    with pytest.raises(InputError, match="nested deeper"):
        of_drs(tmp_path, {})
