# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where DRS credentials come from, in which order, what belongs to them, and what is said when there are none."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from time import process_time
from typing import Any

import pytest
import yaml

from ansible_collections.redrive.tasks.plugins.module_utils._credentials import drs
from ansible_collections.redrive.tasks.plugins.module_utils._credentials.drs import (
    ExistingToken,
    Identity,
    PasswordLogin,
    find_identity,
)
from ansible_collections.redrive.tasks.plugins.module_utils._errors import InputError
from ansible_collections.redrive.tasks.plugins.module_utils._signing.drs import AccessKey

OTC = "https://iam.eu-de.otc.t-systems.com"
PASSWORD = {
    "OS_AUTH_URL": f"{OTC}/v3",
    "OS_USERNAME": "env-user",
    "OS_PASSWORD": "env-password",
    "OS_USER_DOMAIN_NAME": "env-domain",
    "OS_PROJECT_NAME": "eu-de_env",
}
KEYS = {"OS_ACCESS_KEY": "os-ak", "OS_SECRET_KEY": "os-sk", "OS_PROJECT_ID": "os-project"}
SDK = {
    "HUAWEICLOUD_SDK_AK": "hw-ak",
    "HUAWEICLOUD_SDK_SK": "hw-sk",
    "HUAWEICLOUD_SDK_PROJECT_ID": "hw-project",
}
PAIR = {"access_key": "opt-ak", "secret_key": "opt-sk"}
LOGIN = {"username": "opt-user", "password": "opt-password", "user_domain_name": "opt-domain", "auth_url": OTC}


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setattr(drs, "_SYSTEM_FOLDER", str(tmp_path / "etc"))
    return tmp_path


def find(environ: Mapping[str, str] | None = None, /, **options: str) -> Identity:
    return find_identity(options, environ=environ or {}, load_yaml=yaml.safe_load)


def write(path: Path, clouds: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(clouds if isinstance(clouds, str) else yaml.safe_dump({"clouds": clouds}))


def cloud(name: str, **more: Any) -> dict[str, Any]:
    """An entry that is complete with a secret in it."""
    auth = {
        "auth_url": f"{OTC}/v3/",
        "username": f"{name}-user",
        "password": f"{name}-password",
        "user_domain_name": f"{name}-domain",
        "project_name": f"eu-de_{name}",
    }
    return {"region_name": "eu-de", "auth": auth, **more}


def login(identity: Identity) -> PasswordLogin:
    assert isinstance(identity.credential, PasswordLogin)
    return identity.credential


class TestOrder:
    def test_options_come_first(self, home: Path) -> None:
        write(home / "work" / "clouds.yaml", {"one": cloud("one")})
        found = find({**PASSWORD, **SDK}, **PAIR, project_id="opt-project")
        assert found.credential == AccessKey("opt-ak", "opt-sk")

    def test_a_cloud_that_an_option_names_comes_before_the_environment(self, home: Path) -> None:
        write(home / "work" / "clouds.yaml", {"one": cloud("one"), "two": cloud("two")})
        assert login(find({**PASSWORD, "OS_CLOUD": "one"}, cloud="two")).username == "two-user"

    def test_then_the_openstack_variables(self, home: Path) -> None:
        write(home / "work" / "clouds.yaml", {"one": cloud("one")})
        assert login(find({**PASSWORD, **SDK, "OS_CLOUD": "one"})).username == "env-user"

    def test_then_the_cloud_that_a_variable_names(self, home: Path) -> None:
        write(home / "work" / "clouds.yaml", {"one": cloud("one"), "two": cloud("two")})
        assert login(find({**SDK, "OS_CLOUD": "two"})).username == "two-user"

    def test_then_the_variables_of_the_sdk(self, home: Path) -> None:
        write(home / "work" / "clouds.yaml", {"one": cloud("one")})
        assert find(SDK).credential == AccessKey("hw-ak", "hw-sk")

    def test_then_the_file_of_the_sdk(self, home: Path) -> None:
        write(home / "work" / "clouds.yaml", {"one": cloud("one")})
        write(home / ".huaweicloud" / "credentials", "[basic]\nak = f-ak\nsk = f%sk\nproject_id = f-project\n")
        found = find()
        assert (found.credential, found.project_id) == (AccessKey("f-ak", "f%sk"), "f-project")

    def test_then_the_only_cloud(self, home: Path) -> None:
        write(home / "work" / "clouds.yaml", {"one": cloud("one")})
        assert login(find()).username == "one-user"

    def test_empty_values_count_as_not_given(self) -> None:
        found = find({**dict.fromkeys(PASSWORD, ""), **SDK}, username="", auth_token="", project_id="", cloud="")
        assert (found.credential, found.project_id) == (AccessKey("hw-ak", "hw-sk"), "hw-project")


class TestKinds:
    def test_a_password_with_all_that_belongs_to_it(self) -> None:
        assert find({**PASSWORD, "OS_PROJECT_DOMAIN_NAME": "project-domain", "OS_REGION_NAME": "eu-nl"}) == Identity(
            credential=PasswordLogin(OTC, "env-user", None, "env-password", "env-domain", None),
            project_id=None,
            project_name="eu-de_env",
            project_domain_name="project-domain",
            project_domain_id=None,
            auth_url=OTC,
            region="eu-nl",
            endpoint=None,
            interface="public",
        )

    def test_a_user_id_needs_no_domain(self) -> None:
        environ = {**PASSWORD, "OS_USER_ID": "u-1", "OS_USER_DOMAIN_NAME": ""}
        assert login(find({**environ, "OS_USERNAME": ""})) == PasswordLogin(OTC, None, "u-1", "env-password")
        assert login(find(environ)) == PasswordLogin(OTC, None, "u-1", "env-password")

    def test_a_token(self) -> None:
        found = find({"OS_TOKEN": "a-token", "OS_PROJECT_ID": "p-1"})
        assert (found.credential, found.auth_url) == (ExistingToken("a-token"), None)

    def test_keys_with_their_token(self) -> None:
        assert find({**KEYS, "OS_SECURITY_TOKEN": "sts"}).credential == AccessKey("os-ak", "os-sk", "sts")
        assert find({**SDK, "HUAWEICLOUD_SDK_SECURITY_TOKEN": "sts"}).credential == AccessKey("hw-ak", "hw-sk", "sts")

    def test_a_security_token_belongs_to_the_pair_of_its_own_source(self) -> None:
        assert find({"OS_SECURITY_TOKEN": "sts", **SDK}).credential == AccessKey("hw-ak", "hw-sk")

    @pytest.mark.parametrize(
        ("auth_type", "kind"),
        [("", ExistingToken), ("v3password", PasswordLogin), ("password", PasswordLogin), ("v3token", ExistingToken)],
    )
    def test_the_type_of_authentication_chooses(self, auth_type: str, kind: type) -> None:
        found = find({**PASSWORD, **KEYS, "OS_TOKEN": "a-token", "OS_AUTH_TYPE": auth_type})
        assert isinstance(found.credential, kind)

    def test_what_is_complete_comes_before_what_is_half(self) -> None:
        assert find({**KEYS, "OS_USERNAME": "env-user"}).credential == AccessKey("os-ak", "os-sk")

    def test_older_names_of_the_project(self) -> None:
        environ = {name: value for name, value in PASSWORD.items() if name != "OS_PROJECT_NAME"}
        assert find({**environ, "OS_TENANT_NAME": "old"}).project_name == "old"
        assert find({**environ, "OS_TENANT_ID": "old-id"}).project_id == "old-id"

    def test_one_domain_for_user_and_project(self) -> None:
        found = find({**PASSWORD, "OS_USER_DOMAIN_NAME": "", "OS_DOMAIN_NAME": "both"})
        assert (login(found).user_domain_name, found.project_domain_name) == ("both", "both")


class TestWhatBelongsToTheOptions:
    def test_the_environment_fills_in_what_they_leave_open(self) -> None:
        found = find({**PASSWORD, "OS_REGION_NAME": "eu-de"}, auth_token="a-token")
        assert (found.project_name, found.auth_url, found.region) == ("eu-de_env", OTC, "eu-de")

    def test_the_named_cloud_does_so_in_its_place(self, home: Path) -> None:
        write(home / "work" / "clouds.yaml", {"one": cloud("one")})
        found = find(PASSWORD, auth_token="a-token", cloud="one")
        assert (found.credential, found.project_name) == (ExistingToken("a-token"), "eu-de_one")

    def test_an_option_comes_before_what_the_source_tells(self) -> None:
        found = find(PASSWORD, project_id="p-1", auth_url="https://iam.example.com:8443/v3", region="eu-nl")
        assert (found.project_id, found.project_name, found.region) == ("p-1", None, "eu-nl")
        assert login(found).auth_url == found.auth_url == "https://iam.example.com:8443"

    def test_other_sources_tell_nothing(self) -> None:
        found = find({"OS_AUTH_URL": OTC, "OS_PROJECT_DOMAIN_NAME": "other", **SDK})
        assert (found.auth_url, found.project_domain_name) == (None, None)

    def test_a_project_is_not_mixed_from_two_places(self) -> None:
        found = find({**PASSWORD, "OS_PROJECT_DOMAIN_NAME": "env-domain"}, **LOGIN, project_name="eu-de_opt")
        assert (found.project_name, found.project_domain_name) == ("eu-de_opt", None)


class TestIdentityService:
    @pytest.mark.parametrize("text", ["", "/", "/v3", "/v3/", "//v3//"])
    def test_version_and_slash_are_taken_off(self, text: str) -> None:
        assert find({**PASSWORD, "OS_AUTH_URL": OTC + text}).auth_url == OTC

    def test_a_path_before_the_version_stays(self) -> None:
        environ = {**PASSWORD, "OS_AUTH_URL": "https://example.com/identity/v3"}
        assert find(environ).auth_url == "https://example.com/identity"

    @pytest.mark.parametrize(
        ("region", "url"),
        [
            ("eu-de", OTC),
            ("eu-nl", "https://iam.eu-nl.otc.t-systems.com"),
            ("eu-ch2", "https://iam-pub.eu-ch2.sc.otc.t-systems.com"),
            ("cn-north-4", "https://iam.cn-north-4.myhuaweicloud.com"),
            ("my-kualalumpur-1", "https://iam.my-kualalumpur-1.myhuaweicloud.com"),
        ],
    )
    def test_the_region_tells_it_and_it_tells_the_region(self, region: str, url: str) -> None:
        assert find(**PAIR, project_name="p", region=region).auth_url == url
        assert find(**PAIR, project_name="p", auth_url=f"{url}/v3").region == region

    @pytest.mark.parametrize("region", ["eu-west-101", "eu-de.example.com", "moon", ""])
    def test_it_is_asked_for_where_no_source_establishes_it(self, region: str) -> None:
        with pytest.raises(InputError, match=r"identity service is not known.*auth_url.*OS_AUTH_URL"):
            find(**PAIR, project_name="p", region=region)
        with pytest.raises(InputError, match="identity service is not known"):
            find({**PASSWORD, "OS_AUTH_URL": "", "OS_PROJECT_ID": "p-1"}, region=region)

    def test_it_is_not_needed_for_keys_with_the_id_of_the_project(self) -> None:
        assert find(SDK).auth_url is None

    def test_a_variable_of_the_sdk(self) -> None:
        found = find({**SDK, "HUAWEICLOUD_SDK_IAM_ENDPOINT": "https://iam.cn-north-1.myhuaweicloud.com"})
        assert (found.auth_url, found.region) == ("https://iam.cn-north-1.myhuaweicloud.com", "cn-north-1")


class TestEndpoint:
    def test_a_variable_of_the_sdk_for_the_region(self) -> None:
        environ = {**SDK, "HUAWEICLOUD_SDK_REGION_DRS_CN_NORTH_4": "https://a.example.com,https://b.example.com"}
        assert find(environ, region="cn-north-4").endpoint == "https://a.example.com"
        assert find(environ, region="cn-north-1").endpoint is None

    def test_a_variable_of_openstack(self) -> None:
        environ = {**PASSWORD, "OS_DRS_ENDPOINT_OVERRIDE": "https://d.example.com/v3", "OS_INTERFACE": "internal"}
        assert (find(environ).endpoint, find(environ).interface) == ("https://d.example.com", "internal")
        assert find(environ, endpoint="https://e.example.com").endpoint == "https://e.example.com"

    @pytest.mark.parametrize("options", [PAIR, {"auth_token": "a-token"}, LOGIN])
    def test_no_variable_leads_credentials_of_the_options_elsewhere(self, options: dict[str, str]) -> None:
        environ = {
            "OS_DRS_ENDPOINT_OVERRIDE": "https://d.example.com",
            "OS_INTERFACE": "internal",
            "HUAWEICLOUD_SDK_REGION_DRS_EU_DE": "https://e.example.com",
        }
        found = find(environ, **options, region="eu-de", project_id="p-1")
        assert (found.endpoint, found.interface) == (None, "public")

    def test_nor_those_of_another_source(self, home: Path) -> None:
        sdk = {"HUAWEICLOUD_SDK_REGION_DRS_EU_DE": "https://e.example.com"}
        assert find({**PASSWORD, **sdk, "OS_REGION_NAME": "eu-de"}).endpoint is None
        assert find({**SDK, "OS_DRS_ENDPOINT_OVERRIDE": "https://d.example.com"}).endpoint is None
        write(home / "work" / "clouds.yaml", {"one": cloud("one")})
        assert find({**sdk, "OS_DRS_ENDPOINT_OVERRIDE": "https://d.example.com"}, cloud="one").endpoint is None

    def test_the_cloud_that_an_option_names_leads_credentials_of_the_options(self, home: Path) -> None:
        write(home / "work" / "clouds.yaml", {"one": cloud("one", drs_endpoint_override="https://d.example.com")})
        assert find(**PAIR, cloud="one").endpoint == "https://d.example.com"

    @pytest.mark.parametrize("name", ["endpoint", "auth_url"])
    def test_an_address_has_its_bounds(self, name: str) -> None:
        with pytest.raises(InputError, match=f"{name} is longer than 2048 characters"):
            find(PASSWORD, **{name: "https://drs.example.com" + "/" * 20_000})

    @pytest.mark.parametrize("tail", ["/" * 2000 + "!", "/v3/a" * 400 + "!", "/v3" + "/" * 1900 + "!"])
    def test_a_long_address_takes_no_time(self, tail: str) -> None:
        started = process_time()
        for _number in range(20):
            find(PASSWORD, endpoint=f"https://drs.example.com{tail}")
        assert process_time() - started < 0.5

    @pytest.mark.parametrize("tail", ["", "/", "/v3", "/v3/p-1", "/v3/p-1/"])
    def test_a_cloud_overrides_it_with_or_without_version_and_project(self, home: Path, tail: str) -> None:
        write(
            home / "work" / "clouds.yaml", {"one": cloud("one", drs_endpoint_override=f"https://d.example.com{tail}")}
        )
        assert find().endpoint == "https://d.example.com"
        assert find(endpoint="https://e.example.com").endpoint == "https://e.example.com"

    def test_the_interface_by_its_older_name(self, home: Path) -> None:
        write(home / "work" / "clouds.yaml", {"one": cloud("one", endpoint_type="internalURL")})
        assert find().interface == "internal"


class TestCloudsFile:
    @pytest.mark.parametrize(
        "place",
        ["work/clouds.yaml", "work/clouds.yml", ".config/openstack/clouds.yaml", "etc/clouds.yml"],
    )
    def test_it_is_found(self, home: Path, place: str) -> None:
        write(home / place, {"one": cloud("one")})
        assert login(find(cloud="one")).username == "one-user"

    def test_the_current_folder_comes_first(self, home: Path) -> None:
        write(home / ".config" / "openstack" / "clouds.yaml", {"one": cloud("own")})
        write(home / "etc" / "clouds.yaml", {"one": cloud("system")})
        assert login(find()).username == "own-user"
        write(home / "work" / "clouds.yaml", {"one": cloud("here")})
        assert login(find()).username == "here-user"

    def test_the_folder_for_settings_can_be_elsewhere(self, home: Path) -> None:
        write(home / "xdg" / "openstack" / "clouds.yaml", {"one": cloud("one")})
        assert login(find({"XDG_CONFIG_HOME": str(home / "xdg")})).username == "one-user"

    def test_a_variable_names_another_file(self, home: Path) -> None:
        write(home / "work" / "clouds.yaml", {"one": cloud("here")})
        write(home / "else.yaml", {"one": cloud("else")})
        assert login(find({"OS_CLIENT_CONFIG_FILE": "~/else.yaml"})).username == "else-user"

    def test_a_named_file_that_is_not_there_is_not_replaced(self, home: Path) -> None:
        write(home / "work" / "clouds.yaml", {"one": cloud("here")})
        with pytest.raises(InputError, match=r"nope\.yaml \(not there\)"):
            find({"OS_CLIENT_CONFIG_FILE": "nope.yaml"})

    @pytest.mark.parametrize("secure", ["secure.yaml", "secure.yml"])
    def test_secrets_come_from_the_file_beside_it(self, home: Path, secure: str) -> None:
        entry = cloud("one")
        del entry["auth"]["password"]
        write(home / "work" / "clouds.yaml", {"one": entry})
        write(home / "work" / secure, {"one": {"auth": {"password": "kept-apart"}}})
        assert login(find()) == PasswordLogin(OTC, "one-user", None, "kept-apart", "one-domain")

    def test_a_variable_names_the_file_with_the_secrets(self, home: Path) -> None:
        write(home / "work" / "clouds.yaml", {"one": cloud("one")})
        write(home / "vault.yaml", {"one": {"auth": {"password": "kept-apart"}}})
        assert login(find({"OS_CLIENT_SECURE_FILE": str(home / "vault.yaml")})).password == "kept-apart"

    @pytest.mark.parametrize(
        ("profile", "region", "url"),
        [
            ({"profile": "otc"}, "eu-de", OTC),
            ({"cloud": "otc"}, "eu-de", OTC),
            ({"profile": "otc", "region_name": "eu-nl"}, "eu-nl", "https://iam.eu-nl.otc.t-systems.com"),
            ({"profile": "otc-swiss"}, "eu-ch2", "https://iam-pub.eu-ch2.sc.otc.t-systems.com"),
            ({"region_name": "eu-nl"}, "eu-nl", "https://iam.eu-nl.otc.t-systems.com"),
        ],
    )
    def test_a_profile_tells_the_identity_service(
        self, home: Path, profile: dict[str, str], region: str, url: str
    ) -> None:
        entry = cloud("one")
        del entry["auth"]["auth_url"], entry["region_name"]
        write(home / "work" / "clouds.yaml", {"one": {**entry, **profile}})
        found = find()
        assert (found.region, found.auth_url) == (region, url)

    def test_an_option_moves_a_profile_to_another_region(self, home: Path) -> None:
        entry = cloud("one", profile="otc")
        del entry["auth"]["auth_url"], entry["region_name"]
        write(home / "work" / "clouds.yaml", {"one": entry})
        assert find(region="eu-nl").auth_url == "https://iam.eu-nl.otc.t-systems.com"

    def test_keys_and_hyphens(self, home: Path) -> None:
        entry = {"auth": {"project-id": "p-1"}, "region-name": "eu-de", "ak": "c-ak", "sk": "c-sk"}
        write(home / "work" / "clouds.yaml", {"one": entry})
        found = find()
        assert (found.credential, found.project_id, found.region) == (AccessKey("c-ak", "c-sk"), "p-1", "eu-de")

    def test_a_name_without_a_value_hides_nothing(self, home: Path) -> None:
        entry = cloud("one", profile="otc", region_name=None, username=None)
        write(home / "work" / "clouds.yaml", {"one": entry})
        found = find()
        assert (login(found).username, found.region) == ("one-user", "eu-de")

    def test_files_are_not_touched_when_the_environment_has_it_all(self, home: Path) -> None:
        write(home / "work" / "clouds.yaml", "{")
        assert login(find(PASSWORD)).username == "env-user"


GUIDE = Path(__file__).parents[2] / "docs" / "docsite" / "rst" / "guide_drs.rst"


class TestWhatIsDocumented:
    def test_the_guide_names_every_variable(self) -> None:
        guide = GUIDE.read_text()
        variables = [one for names in (drs._OS, drs._SDK) for some in names.values() for one in some]
        more = ["OS_CLOUD", "OS_CLIENT_CONFIG_FILE", "OS_CLIENT_SECURE_FILE", "XDG_CONFIG_HOME"]
        more += ["HUAWEICLOUD_SDK_CREDENTIALS_FILE", "HUAWEICLOUD_SDK_REGION_DRS_<REGION>"]
        assert [one for one in (*variables, *more) if f"``{one}``" not in guide] == []


class TestWhatIsSaid:
    def test_nothing_found_lists_everything_looked_at(self, home: Path) -> None:
        with pytest.raises(InputError) as caught:
            find()
        for place in (
            *("auth_token", "username and password", "access_key and secret_key", "cloud"),
            *("OS_TOKEN", "OS_USERNAME/OS_USER_ID and OS_PASSWORD", "OS_ACCESS_KEY", "OS_SECRET_KEY", "OS_CLOUD"),
            *("HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK", str(home / ".huaweicloud" / "credentials")),
            *("clouds.yaml", "~/.config/openstack", str(home / "etc")),
        ):
            assert place in str(caught.value)

    def test_several_clouds_are_listed(self, home: Path) -> None:
        write(home / "work" / "clouds.yaml", {"one": cloud("one"), "two": cloud("two")})
        with pytest.raises(InputError, match=r"clouds\.yaml \(it holds one, two: name one with the option cloud\)"):
            find()

    @pytest.mark.parametrize("given", [{"cloud": "nope"}, {"auth_token": "a-token", "cloud": "nope"}])
    def test_an_unknown_cloud_lists_the_known_ones(self, home: Path, given: dict[str, str]) -> None:
        write(home / "work" / "clouds.yaml", {"one": cloud("one"), "two": cloud("two")})
        with pytest.raises(InputError, match=r"no cloud 'nope' in .*clouds\.yaml. Clouds there: one, two"):
            find(PASSWORD, **given)

    def test_an_unknown_cloud_of_a_variable_is_refused(self) -> None:
        with pytest.raises(
            InputError, match=r"no cloud 'nope' in clouds\.yaml in the current folder.*Clouds there: none"
        ):
            find({"OS_CLOUD": "nope", **SDK})

    def test_a_named_cloud_without_credentials_is_refused(self, home: Path) -> None:
        write(home / "work" / "clouds.yaml", {"one": {"auth": {"project_id": "p-1"}}})
        with pytest.raises(InputError, match=r"no credentials in cloud 'one'.*username/user_id and password"):
            find(SDK, cloud="one")

    @pytest.mark.parametrize(
        ("options", "words"),
        [
            ({"access_key": "x-ak"}, "access_key is given without secret_key in the options"),
            ({"secret_key": "x-sk"}, "secret_key is given without access_key"),
            ({"username": "x-user"}, "username is given without password"),
            ({"password": "x-password"}, "password is given without username"),
            ({"security_token": "x-sts"}, "security_token is given without access_key and secret_key"),
            ({"auth_token": "x-token", "security_token": "x-sts"}, "security_token is given without"),
        ],
    )
    def test_half_a_pair_is_refused(self, options: dict[str, str], words: str) -> None:
        with pytest.raises(InputError, match=words) as caught:
            find(PASSWORD, **options)
        assert not any(value in str(caught.value) for value in options.values())

    @pytest.mark.parametrize(
        ("environ", "words"),
        [
            ({"OS_PASSWORD": "x"}, "OS_PASSWORD is given without OS_USERNAME/OS_USER_ID in the environment"),
            ({"HUAWEICLOUD_SDK_AK": "x"}, "HUAWEICLOUD_SDK_AK is given without HUAWEICLOUD_SDK_SK"),
        ],
    )
    def test_half_a_pair_of_variables_is_refused(self, environ: dict[str, str], words: str) -> None:
        with pytest.raises(InputError, match=words):
            find(environ)

    @pytest.mark.parametrize(
        ("options", "words"),
        [
            ({**PAIR, "auth_token": "x-token"}, "auth_token and access_key/secret_key are given at once"),
            ({**PAIR, **LOGIN}, "username/password and access_key/secret_key are given at once"),
            ({"auth_token": "x-token", "password": "x-password"}, "auth_token and username/password"),
        ],
    )
    def test_two_kinds_at_once_are_refused(self, options: dict[str, str], words: str) -> None:
        with pytest.raises(InputError, match=words):
            find(**options, project_id="p-1")

    def test_a_type_of_authentication_that_cannot_be_used(self) -> None:
        with pytest.raises(
            InputError, match=r"OS_AUTH_TYPE in the environment is 'v3oidcpassword'; password.*auth_token"
        ):
            find({**PASSWORD, "OS_AUTH_TYPE": "v3oidcpassword"})

    def test_a_project_is_needed(self, home: Path) -> None:
        with pytest.raises(
            InputError, match=r"project is not known.*project_id/project_name in the options.*OS_PROJECT_ID"
        ):
            find({**PASSWORD, "OS_PROJECT_NAME": ""})
        entry = cloud("one")
        del entry["auth"]["project_name"]
        write(home / "work" / "clouds.yaml", {"one": entry})
        with pytest.raises(
            InputError, match=r"project is not known.*project_id/tenant_id.* in cloud 'one' of the file"
        ):
            find(cloud="one")

    def test_a_user_needs_a_domain(self) -> None:
        with pytest.raises(InputError, match=r"domain of the user is not known.*user_domain_name.*OS_USER_DOMAIN_NAME"):
            find({**PASSWORD, "OS_USER_DOMAIN_NAME": ""})

    def test_only_places_that_could_tell_are_listed(self) -> None:
        with pytest.raises(InputError, match=r"OS_DOMAIN_ID in the environment\. Set the option user_domain_name\.$"):
            find(**{**LOGIN, "user_domain_name": ""}, project_id="p-1")

    @pytest.mark.parametrize("name", ["clouds.yaml", "secure.yaml"])
    @pytest.mark.parametrize("content", ["{ secret", "[]", '{"clouds": 5}', "[" * 100_000, '{"clouds": {"one": 5}}'])
    def test_a_broken_file_is_named_and_not_quoted(self, home: Path, name: str, content: str) -> None:
        write(home / "work" / "clouds.yaml", {"one": cloud("one")})
        write(home / "work" / name, content)
        with pytest.raises(InputError, match=name if "one" not in content else "cloud 'one'") as caught:
            find()
        assert "secret" not in str(caught.value)
        assert caught.value.__cause__ is None

    def test_what_the_parser_says_by_itself_is_kept(self, home: Path) -> None:
        """So it can say that it is not installed."""

        def load_yaml(text: str) -> Any:
            raise InputError("PyYAML is missing")

        write(home / "work" / "clouds.yaml", {"one": cloud("one")})
        with pytest.raises(InputError, match="PyYAML is missing"):
            find_identity({"cloud": "one"}, environ={}, load_yaml=load_yaml)

    def test_an_unreadable_file_is_named(self, home: Path) -> None:
        (home / "work" / "clouds.yaml").mkdir()
        with pytest.raises(InputError, match=r"clouds\.yaml cannot be read"):
            find()

    def test_a_file_of_the_sdk_that_is_named_must_be_there(self) -> None:
        with pytest.raises(InputError, match=r"/nope, which HUAWEICLOUD_SDK_CREDENTIALS_FILE names, is not there"):
            find({"HUAWEICLOUD_SDK_CREDENTIALS_FILE": "/nope"})

    @pytest.mark.parametrize("value", [12345, 1.5, True, ["x"], {"x": 1}])
    def test_a_value_that_yaml_takes_for_something_else_is_named_and_not_shown(self, home: Path, value: Any) -> None:
        entry = cloud("one")
        entry["auth"]["password"] = value
        write(home / "work" / "clouds.yaml", {"one": entry})
        with pytest.raises(InputError, match=r"password in cloud 'one' .* is not a text: put it in quotes"):
            find()

    @pytest.mark.parametrize("bad", ["tok\nen-1", "token-1 ", "to ken-1", "tokén-1", "token\x7f-1"])
    @pytest.mark.parametrize("name", ["auth_token", "secret_key", "access_key", "security_token"])
    def test_what_cannot_travel_in_a_header_is_refused_and_not_shown(self, name: str, bad: str) -> None:
        options = {"auth_token": bad} if name == "auth_token" else {**PAIR, name: bad}
        with pytest.raises(InputError, match=f"{name} (in|from) the options") as caught:
            find(**options, project_id="p-1")
        assert bad not in str(caught.value)

    def test_a_password_may_hold_any_printable_text(self) -> None:
        assert login(find(PASSWORD | {"OS_PASSWORD": " pässwörd ✓ "})).password == " pässwörd ✓ "

    def test_a_password_with_a_line_feed_is_refused_and_not_shown(self) -> None:
        with pytest.raises(InputError, match="OS_PASSWORD in the environment holds a line feed") as caught:
            find(PASSWORD | {"OS_PASSWORD": "from-a-file\n"})
        assert "from-a-file" not in str(caught.value)

    @pytest.mark.parametrize(("name", "value"), [("project_id", "a/../b"), ("region", "eu-de.example.com/")])
    def test_what_would_leave_its_place_in_a_path_or_host_is_refused(self, name: str, value: str) -> None:
        with pytest.raises(InputError, match=f"cannot be the {name}"):
            find(PASSWORD, **{name: value})


@pytest.mark.parametrize(
    ("environ", "secrets"),
    [
        (PASSWORD, {"env-password"}),
        ({**KEYS, "OS_SECURITY_TOKEN": "sts"}, {"os-sk", "sts"}),
        ({"OS_TOKEN": "a-token", "OS_PROJECT_ID": "p-1"}, {"a-token"}),
    ],
)
def test_an_identity_tells_what_must_be_masked(environ: dict[str, str], secrets: set[str]) -> None:
    assert set(find(environ).secrets) == secrets


def test_nothing_shows_its_secrets() -> None:
    shown = repr(
        [PasswordLogin(OTC, "user", None, "the-secret"), ExistingToken("the-secret"), find(PASSWORD), find(KEYS)]
    )
    assert not any(secret in shown for secret in ("the-secret", "env-password", "os-sk"))
