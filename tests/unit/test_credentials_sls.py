# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where SLS credentials come from, in which order, and what is said when there are none."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.redrive.tasks.plugins.module_utils._credentials.sls import (
    Credentials,
    find_credentials,
    find_region,
)
from ansible_collections.redrive.tasks.plugins.module_utils._errors import InputError
from ansible_collections.redrive.tasks.plugins.module_utils._signing.sls import AccessKey

FIRST = {"ALIBABA_CLOUD_ACCESS_KEY_ID": "env-id", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "env-secret"}
SECOND = {"ALICLOUD_ACCESS_KEY": "ali-id", "ALICLOUD_SECRET_KEY": "ali-secret"}


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def find(environ: Mapping[str, str] | None = None, **options: str) -> Credentials:
    given: dict[str, Any] = dict.fromkeys(("access_key_id", "access_key_secret", "security_token", "profile"))
    return find_credentials(**{**given, **options}, environ=environ or {})


def write(home: Path, content: Any) -> None:
    (home / ".aliyun").mkdir()
    text = content if isinstance(content, str) else json.dumps(content)
    (home / ".aliyun" / "config.json").write_text(text)


def profile(name: str, **fields: str) -> dict[str, str]:
    return {"name": name, "mode": "AK", "access_key_id": f"{name}-id", "access_key_secret": f"{name}-secret", **fields}


PROFILES = {
    "current": "prod",
    "profiles": [
        profile("prod", region_id="cn-beijing"),
        profile("sts", mode="StsToken", sts_token="prof-token"),
        profile("role", mode="RamRoleArn"),
        {"name": "empty", "mode": "AK"},
        profile("tokenless", mode="StsToken"),
    ],
}


class TestOrder:
    def test_options_come_first(self, home: Path) -> None:
        write(home, PROFILES)
        found = find(FIRST, access_key_id="opt-id", access_key_secret="opt-secret", profile="prod")
        assert found.key == AccessKey("opt-id", "opt-secret", None)

    def test_a_named_profile_comes_before_the_environment(self, home: Path) -> None:
        write(home, PROFILES)
        assert find(FIRST, profile="prod").key.id == "prod-id"

    def test_then_the_first_family_of_variables(self, home: Path) -> None:
        write(home, PROFILES)
        assert find({**FIRST, **SECOND}).key == AccessKey("env-id", "env-secret", None)

    def test_then_the_second(self, home: Path) -> None:
        write(home, PROFILES)
        assert find(SECOND).key == AccessKey("ali-id", "ali-secret", None)

    def test_then_the_current_profile(self, home: Path) -> None:
        write(home, PROFILES)
        assert find() == Credentials(AccessKey("prod-id", "prod-secret", None), "cn-beijing")

    def test_a_variable_names_another_profile(self, home: Path) -> None:
        write(home, PROFILES)
        found = find({"ALIBABA_CLOUD_PROFILE": "sts"})
        assert found.key == AccessKey("sts-id", "sts-secret", "prof-token")

    def test_a_token_belongs_to_the_pair_of_its_own_source(self) -> None:
        token = {"ALIBABA_CLOUD_SECURITY_TOKEN": "env-token"}
        assert find({**FIRST, **token}).key.security_token == "env-token"
        assert find({**token, **SECOND}).key.security_token is None
        assert find({**token}, access_key_id="a-id", access_key_secret="a-secret").key.security_token is None

    def test_an_empty_variable_counts_as_not_set(self) -> None:
        assert find({**dict.fromkeys(FIRST, ""), **SECOND}).key.id == "ali-id"


class TestWhatIsSaid:
    def test_nothing_found_lists_everything_looked_at(self, home: Path) -> None:
        with pytest.raises(InputError) as caught:
            find()
        for place in (
            "access_key_id",
            "access_key_secret",
            "profile",
            "ALIBABA_CLOUD_ACCESS_KEY_ID",
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
            "ALICLOUD_ACCESS_KEY",
            "ALICLOUD_SECRET_KEY",
            str(home / ".aliyun" / "config.json"),
        ):
            assert place in str(caught.value)

    @pytest.mark.parametrize(
        ("options", "words"),
        [
            ({"access_key_id": "x-id"}, "access_key_id is given without access_key_secret"),
            ({"access_key_secret": "x-secret"}, "access_key_secret is given without access_key_id"),
            ({"security_token": "x-token"}, "security_token is given without"),
        ],
    )
    def test_half_a_pair_is_refused(self, options: dict[str, str], words: str) -> None:
        with pytest.raises(InputError, match=words):
            find(FIRST, **options)

    def test_an_unknown_profile_lists_the_known_ones(self, home: Path) -> None:
        write(home, PROFILES)
        with pytest.raises(InputError, match=r"no profile 'nope'.*empty, prod, role, sts, tokenless"):
            find(profile="nope")

    def test_a_named_profile_without_the_file_is_refused(self) -> None:
        with pytest.raises(InputError, match="Profile 'prod' cannot be used: there is no file"):
            find(FIRST, profile="prod")

    @pytest.mark.parametrize(
        ("name", "words"),
        [
            ("role", "mode 'RamRoleArn'.*AK and StsToken"),
            ("empty", "no access_key_id"),
            ("tokenless", "no sts_token"),
        ],
    )
    def test_an_unusable_profile_says_why(self, home: Path, name: str, words: str) -> None:
        write(home, PROFILES)
        with pytest.raises(InputError, match=words):
            find(profile=name)

    @pytest.mark.parametrize("content", ["{", "[]", '{"profiles": 5}', "[" * 100_000, "\x00"])
    def test_a_broken_file_is_named(self, home: Path, content: str) -> None:
        write(home, content)
        with pytest.raises(InputError, match=r"config\.json"):
            find()

    @pytest.mark.parametrize("bad", ["sec\nret-1", "secret-1 ", "sécret-1", "secret\x7f-1"])
    def test_a_secret_that_cannot_travel_is_refused_and_not_shown(self, bad: str) -> None:
        with pytest.raises(InputError, match="access_key_secret from the options") as caught:
            find(access_key_id="an-id", access_key_secret=bad)
        assert bad not in str(caught.value)


class TestRegion:
    def test_the_option_comes_first_then_variables_then_the_profile(self) -> None:
        credentials = Credentials(AccessKey("i", "s"), "cn-beijing")
        environ = {"ALIBABA_CLOUD_REGION_ID": "cn-shanghai"}
        assert find_region("cn-hangzhou", credentials, environ) == "cn-hangzhou"
        assert find_region(None, credentials, environ) == "cn-shanghai"
        assert find_region(None, credentials, {}) == "cn-beijing"
