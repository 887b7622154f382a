# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every way to hand credentials to a module, with a canary for each secret in it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from canaries.values import canary
from local_cloud.testing import LocalCloud
from modules.services import DOMAIN, PROJECT_ID, SERVICES, Service

_BY_NAME = {service.name: service for service in SERVICES}


@dataclass(frozen=True)
class Form:
    """One way.

    :ivar secrets: by name: the canaries that stand in options, variables or files
    :ivar files: content by path below HOME
    :ivar admit: makes the service take the credentials
    """

    service: Service
    name: str
    secrets: Mapping[str, str]
    admit: Callable[[LocalCloud, Mapping[str, str]], object]
    options: Mapping[str, Any] = field(default_factory=dict)
    environ: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.service.name}, {self.name}"

    def prepare(self, cloud: LocalCloud, home: Path) -> list[Path]:
        """Make the parent of all tasks and the caller known to the cloud; the files that were written."""
        self.service.prepare(cloud)
        self.admit(cloud, self.secrets)
        written = []
        for name, content in self.files.items():
            path = home / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
            written.append(path)
        return written

    def arguments(self, cloud: LocalCloud) -> dict[str, Any]:
        """The options of a run, but for its selection."""
        url = {"auth_url": f"{cloud.url}/v3"} if self.service.name == "drs" else {}
        return {"endpoint": cloud.url, **url, "max_attempts": 1, **self.service.where, **self.options}


def _key_id(secret: str) -> str:
    """An id for the key, which is no secret."""
    return f"canary{hashlib.sha256(secret.encode()).hexdigest()[:12]}"


def _account(cloud: LocalCloud, secrets: Mapping[str, str]) -> None:
    cloud.world.add_account(_key_id(secrets["secret"]), secrets["secret"], security_token=secrets.get("token"))


def _user(cloud: LocalCloud, secrets: Mapping[str, str]) -> None:
    cloud.world.drs.add_user("canaryUser", secrets["password"], domain=DOMAIN)


def _token(cloud: LocalCloud, secrets: Mapping[str, str]) -> None:
    user = cloud.world.drs.add_user("canaryTokenUser", "not-used-here", domain=DOMAIN)
    cloud.world.drs.add_token(user, PROJECT_ID, id=secrets["token"])


def _team(cloud: LocalCloud, secrets: Mapping[str, str]) -> None:
    changes = {name: secrets[kind] for name, kind in (("api_key", "key"), ("token", "token")) if kind in secrets}
    cloud.world.geelark.change_team("testTeam", **changes)


def _secrets(form: str, *names: str) -> dict[str, str]:
    return {name: canary(f"{form}: {name}") for name in names}


def _pairs(
    service: str, name: str, make: Callable[[Mapping[str, str]], Mapping[str, Any]], *secrets: str, **more: Any
) -> Form:
    """A form with a key or a key and a token; `make` returns fields of Form."""
    made = _secrets(f"{service} {name}", *secrets)
    return Form(_BY_NAME[service], name, made, _account, **{**make(made), **more})


def _with(names: str, *more: str) -> Callable[[Mapping[str, str]], dict[str, Any]]:
    """Variables of the environment: the id's, the secret's, and the token's name."""

    def make(secrets: Mapping[str, str]) -> dict[str, Any]:
        values = [_key_id(secrets["secret"]), *secrets.values()]
        return {"environ": dict(zip((names, *more), values, strict=True))}

    return make


def _options(*names: str, **more: Any) -> Callable[[Mapping[str, str]], dict[str, Any]]:
    def make(secrets: Mapping[str, str]) -> dict[str, Any]:
        return {"options": {**dict(zip(names, [_key_id(secrets["secret"]), *secrets.values()], strict=True)), **more}}

    return make


def _aliyun(mode: str) -> Callable[[Mapping[str, str]], dict[str, Any]]:
    def make(secrets: Mapping[str, str]) -> dict[str, Any]:
        profile = {"name": "p", "mode": mode, "access_key_secret": secrets["secret"]}
        profile["access_key_id"] = _key_id(secrets["secret"])
        profile["sts_token"] = secrets.get("token", "")
        content = json.dumps({"current": "p", "profiles": [profile]})
        return {"files": {".aliyun/config.json": content}}

    return make


_SLS_OPTIONS = ("access_key_id", "access_key_secret", "security_token")
_ALIBABA = ("ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET", "ALIBABA_CLOUD_SECURITY_TOKEN")
_ALICLOUD = ("ALICLOUD_ACCESS_KEY_ID", "ALICLOUD_ACCESS_KEY_SECRET", "ALICLOUD_SECURITY_TOKEN")
SLS = (
    _pairs("sls", "token", _options(*_SLS_OPTIONS), "secret", "token"),
    _pairs("sls", "key", _options(*_SLS_OPTIONS[:2]), "secret"),
    _pairs("sls", "v4", _options(*_SLS_OPTIONS, signature_version="v4", region="cn-hangzhou"), "secret", "token"),
    _pairs("sls", "ALIBABA_CLOUD", _with(*_ALIBABA), "secret", "token"),
    _pairs("sls", "ALICLOUD", _with(*_ALICLOUD), "secret", "token"),
    _pairs("sls", "ALICLOUD_SECRET_ACCESS_KEY", _with("ALICLOUD_ACCESS_KEY", "ALICLOUD_SECRET_ACCESS_KEY"), "secret"),
    _pairs("sls", "ALICLOUD_SECRET_KEY", _with("ALICLOUD_ACCESS_KEY", "ALICLOUD_SECRET_KEY"), "secret"),
    _pairs("sls", "profile", _aliyun("AK"), "secret"),
    _pairs("sls", "profile with token", _aliyun("StsToken"), "secret", "token"),
)


def _ini(secrets: Mapping[str, str]) -> dict[str, Any]:
    content = f"[default]\nsecret_id = {_key_id(secrets['secret'])}\nsecret_key = {secrets['secret']}\n"
    return {"files": {".tencentcloud/credentials": content}}


def _named_ini(secrets: Mapping[str, str]) -> dict[str, Any]:
    content = f"[mine]\nsecret_id = {_key_id(secrets['secret'])}\nsecret_key = {secrets['secret']}\n"
    environ = {"TENCENTCLOUD_CREDENTIALS_FILE": "~/keys.ini", "TENCENTCLOUD_PROFILE": "mine"}
    return {"files": {"keys.ini": content}, "environ": environ}


def _tccli(secrets: Mapping[str, str]) -> dict[str, Any]:
    content = {"secretId": _key_id(secrets["secret"]), "secretKey": secrets["secret"], "token": secrets["token"]}
    return {"files": {".tccli/default.credential": json.dumps(content)}}


_TENCENT = ("TENCENTCLOUD_SECRET_ID", "TENCENTCLOUD_SECRET_KEY")
_REGION = {"region": "ap-guangzhou"}
CLS = (
    _pairs("cls", "token", _options("secret_id", "secret_key", "token", **_REGION), "secret", "token"),
    _pairs("cls", "key", _options("secret_id", "secret_key", **_REGION), "secret"),
    *(
        _pairs("cls", name, _with(*_TENCENT, name), "secret", "token", options=_REGION)
        for name in ("TENCENTCLOUD_TOKEN", "TENCENTCLOUD_SECURITY_TOKEN", "TENCENTCLOUD_SESSION_TOKEN")
    ),
    _pairs("cls", "file", _ini, "secret", options=_REGION),
    _pairs("cls", "named file", _named_ini, "secret", options=_REGION),
    _pairs("cls", "tccli", _tccli, "secret", "token", options=_REGION),
)


def _drs(name: str, admit: Callable[[LocalCloud, Mapping[str, str]], object], *names: str, **fields: Any) -> Form:
    return Form(_BY_NAME["drs"], name, _secrets(f"drs {name}", *names), admit, **fields)


def _ini_of(secret: str) -> str:
    return f"[basic]\nak = {_key_id(secret)}\nsk = {secret}\n"


def _cloud_file(**auth: Any) -> str:
    return json.dumps({"clouds": {"mine": {"auth": auth}}})


def _drs_forms() -> tuple[Form, ...]:
    def secret(name: str, kind: str) -> str:
        return canary(f"drs {name}: {kind}")

    who = {"username": "canaryUser", "user_domain_name": DOMAIN}
    os_who = {"OS_USERNAME": "canaryUser", "OS_USER_DOMAIN_NAME": DOMAIN}
    file = ".config/openstack/clouds.yaml"
    return (
        _drs("password", _user, "password", options={**who, "password": secret("password", "password")}),
        _drs("token", _token, "token", options={"auth_token": secret("token", "token")}),
        _drs(
            "key",
            _account,
            "secret",
            "token",
            options={
                "access_key": _key_id(secret("key", "secret")),
                "secret_key": secret("key", "secret"),
                "security_token": secret("key", "token"),
            },
        ),
        _drs("OS_PASSWORD", _user, "password", environ={**os_who, "OS_PASSWORD": secret("OS_PASSWORD", "password")}),
        _drs("OS_TOKEN", _token, "token", environ={"OS_TOKEN": secret("OS_TOKEN", "token")}),
        _drs("OS_AUTH_TOKEN", _token, "token", environ={"OS_AUTH_TOKEN": secret("OS_AUTH_TOKEN", "token")}),
        *(
            _drs(
                secret_name,
                _account,
                "secret",
                "token",
                environ={
                    id_name: _key_id(secret(secret_name, "secret")),
                    secret_name: secret(secret_name, "secret"),
                    token_name: secret(secret_name, "token"),
                },
            )
            for id_name, secret_name, token_name in (
                ("OS_ACCESS_KEY", "OS_SECRET_KEY", "OS_SECURITY_TOKEN"),
                ("OS_AK", "OS_SK", "OS_SECURITY_TOKEN"),
                ("HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK", "HUAWEICLOUD_SDK_SECURITY_TOKEN"),
            )
        ),
        _drs(
            "file of the SDK",
            _account,
            "secret",
            files={".huaweicloud/credentials": _ini_of(secret("file of the SDK", "secret"))},
        ),
        _drs(
            "clouds.yaml",
            _user,
            "password",
            files={file: _cloud_file(**who, password=secret("clouds.yaml", "password"))},
        ),
        _drs(
            "secure.yaml",
            _user,
            "password",
            options={"cloud": "mine"},
            files={
                file: _cloud_file(**who),
                file.replace("clouds", "secure"): _cloud_file(password=secret("secure.yaml", "password")),
            },
        ),
        _drs(
            "clouds.yaml with a token",
            _token,
            "token",
            options={"cloud": "mine"},
            files={file: _cloud_file(token=secret("clouds.yaml with a token", "token"))},
        ),
    )


DRS = _drs_forms()


def _geelark(name: str, kind: str, make: Callable[[str], Mapping[str, Any]]) -> Form:
    made = _secrets(f"geelark {name}", kind)
    return Form(_BY_NAME["geelark"], name, made, _team, **make(made[kind]))


GEELARK = (
    _geelark("token", "token", lambda secret: {"options": {"api_token": secret}}),
    _geelark("key", "key", lambda secret: {"options": {"app_id": "testTeam", "api_key": secret}}),
    _geelark("GEELARK_BEARER_TOKEN", "token", lambda secret: {"environ": {"GEELARK_BEARER_TOKEN": secret}}),
    _geelark("GEELARK_TOKEN", "token", lambda secret: {"environ": {"GEELARK_TOKEN": secret}}),
    _geelark(
        "GEELARK_API_KEY",
        "key",
        lambda secret: {"environ": {"GEELARK_APP_ID": "testTeam", "GEELARK_API_KEY": secret}},
    ),
)

FORMS = (*SLS, *CLS, *DRS, *GEELARK)
# One for each way to prove who asks: that is where runs differ once the credentials are found.
KINDS = (SLS[0], SLS[2], CLS[0], DRS[0], DRS[1], DRS[2], GEELARK[0], GEELARK[1])
