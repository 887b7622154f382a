# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where CLS credentials come from, in which order, and what is said when there are none."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.redrive.tasks.plugins.module_utils._credentials import cls
from ansible_collections.redrive.tasks.plugins.module_utils._credentials.cls import (
    Credentials,
    find_credentials,
    find_region,
)
from ansible_collections.redrive.tasks.plugins.module_utils._errors import InputError
from ansible_collections.redrive.tasks.plugins.module_utils._signing.cls import SecretKey

PAIR = {"TENCENTCLOUD_SECRET_ID": "env-id", "TENCENTCLOUD_SECRET_KEY": "env-key"}


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A home of its own, and no file of the whole machine."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(cls, "SYSTEM_FILE", str(tmp_path / "etc" / "credentials"))
    return tmp_path


def find(environ: Mapping[str, str] | None = None, **options: str) -> Credentials:
    given: dict[str, Any] = dict.fromkeys(("secret_id", "secret_key", "token", "profile"))
    return find_credentials(**{**given, **options}, environ=environ or {})


def section(name: str, prefix: str = "sdk") -> str:
    return f"[{name}]\nsecret_id = {prefix}-{name}-id\nsecret_key = {prefix}-{name}-key\n"


def write_ini(home: Path, text: str, folder: str = ".tencentcloud") -> Path:
    path = home / folder / "credentials"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


def write_json(home: Path, name: str, content: Any) -> None:
    path = home / ".tccli" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))


def cli(name: str, **fields: Any) -> dict[str, Any]:
    return {"secretId": f"cli-{name}-id", "secretKey": f"cli-{name}-key", **fields}


class TestOrder:
    def test_options_come_first(self, home: Path) -> None:
        write_ini(home, section("prod"))
        found = find(PAIR, secret_id="opt-id", secret_key="opt-key", token="opt-token", profile="prod")
        assert found == Credentials(SecretKey("opt-id", "opt-key", "opt-token"))

    def test_a_named_profile_comes_before_the_environment(self, home: Path) -> None:
        write_ini(home, section("prod"))
        assert find(PAIR, profile="prod").key == SecretKey("sdk-prod-id", "sdk-prod-key")

    def test_then_variables(self, home: Path) -> None:
        write_ini(home, section("default"))
        assert find({**PAIR, "TCCLI_PROFILE": "other"}).key == SecretKey("env-id", "env-key")

    def test_then_the_default_profile_of_the_sdks(self, home: Path) -> None:
        write_ini(home, section("default") + section("prod"))
        write_json(home, "default.credential", cli("default"))
        assert find().key == SecretKey("sdk-default-id", "sdk-default-key")

    def test_then_that_of_the_whole_machine(self, home: Path) -> None:
        write_ini(home, section("default"), "etc")
        write_json(home, "default.credential", cli("default"))
        assert find().key.id == "sdk-default-id"

    def test_a_file_at_home_hides_that_of_the_whole_machine(self, home: Path) -> None:
        write_ini(home, section("prod"))
        write_ini(home, section("default"), "etc")
        with pytest.raises(InputError, match="No credentials for CLS"):
            find()

    def test_then_the_default_profile_of_the_command_line(self, home: Path) -> None:
        write_json(home, "default.credential", cli("default", token="cli-token", type="sso", expiresAt=1))
        assert find().key == SecretKey("cli-default-id", "cli-default-key", "cli-token")

    def test_a_variable_names_the_file(self, home: Path) -> None:
        write_ini(home, section("default"))
        path = write_ini(home, section("default", "elsewhere"), "elsewhere")
        assert find({"TENCENTCLOUD_CREDENTIALS_FILE": str(path)}).key.id == "elsewhere-default-id"
        assert find({"TENCENTCLOUD_CREDENTIALS_FILE": "~/elsewhere/credentials"}).key.id == "elsewhere-default-id"

    @pytest.mark.parametrize("variable", ["TCCLI_PROFILE", "TENCENTCLOUD_PROFILE"])
    def test_a_variable_names_the_profile(self, home: Path, variable: str) -> None:
        write_ini(home, section("default") + section("prod"))
        assert find({variable: "prod"}).key.id == "sdk-prod-id"

    def test_the_variable_of_the_command_line_names_it_first(self, home: Path) -> None:
        write_ini(home, section("one") + section("two"))
        assert find({"TENCENTCLOUD_PROFILE": "one", "TCCLI_PROFILE": "two"}).key.id == "sdk-two-id"

    @pytest.mark.parametrize("name", ["one", "two"])
    def test_a_profile_that_is_in_one_file_only_is_found_there(self, home: Path, name: str) -> None:
        write_ini(home, section("one"))
        write_json(home, "two.credential", cli("two"))
        assert find(profile=name).key.id == {"one": "sdk-one-id", "two": "cli-two-id"}[name]

    @pytest.mark.parametrize(
        "text", ["", "[default]\n", "[default]\nsecret_id =\nsecret_key =\n", "[DEFAULT]\na = b\n"]
    )
    def test_an_empty_section_counts_as_not_there(self, home: Path, text: str) -> None:
        write_ini(home, text)
        write_json(home, "default.credential", cli("default"))
        assert find().key.id == "cli-default-id"

    def test_no_section_lends_its_values_to_another(self, home: Path) -> None:
        write_ini(home, section("DEFAULT") + "[prod]\n")
        with pytest.raises(InputError, match="no key for profile 'prod'; profiles there: DEFAULT, prod"):
            find(profile="prod")

    def test_a_percent_sign_stays_what_it_is(self, home: Path) -> None:
        write_ini(home, "[default]\nsecret_id = an-id\nsecret_key = a%(b)s%key\n")
        assert find().key.secret == "a%(b)s%key"

    @pytest.mark.parametrize("count", [1, 2, 3])
    def test_tokens_in_the_order_of_their_variables(self, count: int) -> None:
        names = ("TENCENTCLOUD_TOKEN", "TENCENTCLOUD_SECURITY_TOKEN", "TENCENTCLOUD_SESSION_TOKEN")[-count:]
        assert find({**PAIR, **{name: f"of-{name}" for name in names}}).key.token == f"of-{names[0]}"

    def test_a_token_belongs_to_the_pair_of_its_own_source(self, home: Path) -> None:
        token = {"TENCENTCLOUD_TOKEN": "env-token"}
        write_json(home, "default.credential", cli("default", token=None))
        assert find(token).key.token is None
        assert find({**token, **PAIR}, secret_id="opt-id", secret_key="opt-key").key.token is None

    def test_an_empty_value_counts_as_not_given(self, home: Path) -> None:
        write_ini(home, section("default"))
        empty = dict.fromkeys(("secret_id", "secret_key", "token", "profile"), "")
        variables = (*PAIR, "TENCENTCLOUD_TOKEN", "TCCLI_PROFILE", "TENCENTCLOUD_CREDENTIALS_FILE")
        assert find(dict.fromkeys(variables, ""), **empty).key.id == "sdk-default-id"


class TestWhatIsSaid:
    def test_nothing_found_lists_everything_looked_at(self, home: Path) -> None:
        with pytest.raises(InputError) as caught:
            find()
        for place in (
            "secret_id",
            "secret_key",
            "option profile",
            "TENCENTCLOUD_SECRET_ID",
            "TENCENTCLOUD_SECRET_KEY",
            "TCCLI_PROFILE",
            "TENCENTCLOUD_PROFILE",
            str(home / ".tencentcloud" / "credentials"),
            str(home / "etc" / "credentials"),
            str(home / ".tccli" / "default.credential"),
        ):
            assert place in str(caught.value)

    def test_without_a_home_the_files_are_still_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def no_home(path: Path) -> Path:
            raise RuntimeError("Could not determine home directory.")

        monkeypatch.setattr(Path, "expanduser", no_home)
        with pytest.raises(InputError, match=r"~/\.tencentcloud/credentials .*~/\.tccli/default\.credential"):
            find()

    @pytest.mark.parametrize(
        ("options", "words"),
        [
            ({"secret_id": "x-id"}, "secret_id is given without secret_key"),
            ({"secret_key": "x-key"}, "secret_key is given without secret_id"),
            ({"token": "x-token"}, "token is given without"),
        ],
    )
    def test_half_a_pair_of_options_is_refused(self, options: dict[str, str], words: str) -> None:
        with pytest.raises(InputError, match=words):
            find(PAIR, **options)

    @pytest.mark.parametrize(
        ("given", "absent"), [tuple(PAIR), tuple(reversed(PAIR))], ids=["id without key", "key without id"]
    )
    def test_half_a_pair_of_variables_is_refused(self, home: Path, given: str, absent: str) -> None:
        write_ini(home, section("default"))
        with pytest.raises(InputError, match=f"{given} is set without {absent}"):
            find({given: "x"})

    def test_half_a_pair_in_the_sdks_file_is_refused(self, home: Path) -> None:
        path = write_ini(home, "[default]\nsecret_key = a-secret\n")
        write_json(home, "default.credential", cli("default"))
        with pytest.raises(InputError, match=f"'default' in {path} has secret_key without secret_id") as caught:
            find()
        assert "a-secret" not in str(caught.value)

    def test_half_a_pair_in_the_command_lines_file_is_refused(self, home: Path) -> None:
        write_json(home, "default.credential", {"secretId": "an-id", "secretKey": None})
        with pytest.raises(InputError, match=r"default\.credential has secretId without secretKey"):
            find()

    def test_an_unknown_profile_lists_the_files_and_the_known_ones(self, home: Path) -> None:
        write_ini(home, section("prod") + section("test"))
        with pytest.raises(
            InputError, match=r"profile 'nope'.*profiles there: prod, test.*nope\.credential \(not there"
        ):
            find(PAIR, profile="nope")

    @pytest.mark.parametrize("name", ["../x", "a/b", ".hidden", "a\\b", "..", "a\x00b", "a\n", "é", "x" * 129])
    def test_a_profile_that_is_no_name_of_a_file_is_refused(self, name: str) -> None:
        with pytest.raises(InputError, match="cannot be used: a name has"):
            find(profile=name)
        with pytest.raises(InputError, match="cannot be used: a name has"):
            find({"TCCLI_PROFILE": name})

    def test_a_named_file_that_is_not_there_is_refused(self, home: Path) -> None:
        write_json(home, "default.credential", cli("default"))
        with pytest.raises(InputError, match=r"TENCENTCLOUD_CREDENTIALS_FILE names the file /nowhere/at-all, which"):
            find({"TENCENTCLOUD_CREDENTIALS_FILE": "/nowhere/at-all"})

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            ({"type": "oauth"}, "is of type 'oauth' and holds no key"),
            ({"type": "sso"}, "is of type 'sso' and holds no key"),
            ({"type": "cvm-role"}, "is of type 'cvm-role' and holds no key"),
            (cli("stale", type="cvm-role"), "is of type 'cvm-role' and holds no key that can be used"),
            (cli("base", **{"role-arn": "qcs::cam::uin/1:roleName/r"}), "takes the role 'qcs::cam::uin/1:roleName/r'"),
        ],
    )
    def test_a_profile_that_only_the_command_line_can_use_says_so(
        self, home: Path, content: dict[str, Any], words: str
    ) -> None:
        write_json(home, "default.credential", content)
        with pytest.raises(InputError, match=words):
            find()

    def test_a_file_that_was_never_filled_in_holds_no_key(self, home: Path) -> None:
        write_json(home, "default.credential", {})
        with pytest.raises(InputError, match=r"default\.credential \(it holds no key\)"):
            find()

    @pytest.mark.parametrize("quote", ['"', "'"])
    def test_quotation_marks_are_refused_as_the_sdk_would_sign_with_them(self, home: Path, quote: str) -> None:
        write_ini(home, f"[default]\nsecret_id = an-id\nsecret_key = {quote}a-secret{quote}\n")
        with pytest.raises(InputError, match=r"'default' in .* in quotation marks") as caught:
            find()
        assert "a-secret" not in str(caught.value)

    @pytest.mark.parametrize("text", ["a-secret", "[default]\na-secret\n", "[a]\nb = c\n[a]\n", "[a]\nb=c\nb=c\n"])
    def test_a_broken_file_of_the_sdks_is_named_and_not_shown(self, home: Path, text: str) -> None:
        path = write_ini(home, text)
        with pytest.raises(InputError, match=f"The file {path} is not an INI file") as caught:
            find()
        assert "a-secret" not in str(caught.value)
        assert caught.value.__suppress_context__

    def test_a_file_in_another_encoding_is_named(self, home: Path) -> None:
        path = write_ini(home, "")
        path.write_bytes(b"[default]\nsecret_id = \xff\n")
        with pytest.raises(InputError, match=f"The file {path} is not a text in UTF-8"):
            find()

    def test_a_file_that_cannot_be_read_is_named(self, home: Path) -> None:
        (home / ".tencentcloud" / "credentials").mkdir(parents=True)
        with pytest.raises(InputError, match=r"credentials cannot be read: Is a directory"):
            find()

    @pytest.mark.parametrize("content", ["{", "[]", "null", "[" * 100_000, "\x00"])
    @pytest.mark.parametrize("name", ["default.credential", "default.configure"])
    def test_a_broken_file_of_the_command_line_is_named(self, home: Path, name: str, content: str) -> None:
        write_json(home, "default.credential", cli("default"))
        write_json(home, name, content)
        with pytest.raises(InputError, match=name):
            find()

    @pytest.mark.parametrize("bad", ["sec\nret-1", "secret-1 ", "sec ret-1", "sécret-1", "secret\x7f-1"])
    def test_a_secret_that_cannot_travel_is_refused_and_not_shown(self, home: Path, bad: str) -> None:
        write_json(home, "default.credential", cli("default", token=bad))
        sources: tuple[tuple[dict[str, str], dict[str, str], str], ...] = (
            ({}, {"secret_id": "an-id", "secret_key": bad}, "secret_key from the options"),
            ({**PAIR, "TENCENTCLOUD_SECRET_ID": bad}, {}, "secret_id from variables"),
            ({}, {}, "token from profile 'default' in "),
        )
        for environ, options, words in sources:
            with pytest.raises(InputError, match=words) as caught:
                find(environ, **options)
            assert bad not in str(caught.value)


class TestRegion:
    CREDENTIALS = Credentials(SecretKey("i", "s"), "ap-beijing")

    def test_the_option_comes_first_then_the_variable_then_the_profile(self) -> None:
        environ = {"TENCENTCLOUD_REGION": "ap-shanghai"}
        assert find_region("ap-guangzhou", self.CREDENTIALS, environ) == "ap-guangzhou"
        assert find_region("", self.CREDENTIALS, environ) == "ap-shanghai"
        assert find_region(None, self.CREDENTIALS, {"TENCENTCLOUD_REGION": ""}) == "ap-beijing"
        assert find_region(None, Credentials(SecretKey("i", "s")), {}) is None

    @pytest.mark.parametrize("name", ["one", "two"])
    def test_a_profile_has_the_region_that_the_command_line_is_set_to_for_it(self, home: Path, name: str) -> None:
        write_ini(home, section("one"))
        write_json(home, "two.credential", cli("two"))
        for known in ("one", "two"):
            write_json(home, f"{known}.configure", {"_sys_param": {"region": f"ap-{known}"}})
        assert find(profile=name).region == f"ap-{name}"

    @pytest.mark.parametrize("content", [{}, {"_sys_param": None}, {"_sys_param": {}}, {"_sys_param": {"region": ""}}])
    def test_or_none(self, home: Path, content: dict[str, Any]) -> None:
        write_json(home, "default.credential", cli("default"))
        assert find().region is None
        write_json(home, "default.configure", content)
        assert find().region is None

    def test_a_key_from_elsewhere_has_no_region_of_a_profile(self, home: Path) -> None:
        write_json(home, "default.configure", {"_sys_param": {"region": "ap-beijing"}})
        assert find(PAIR).region is None
