# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

"""Credentials for CLS: options, then environment, then the files of the vendor's SDKs and of its command line.

Each source is taken as a whole. A pair whose halves come from two places is refused, because it would only show
later, as a wrong signature.

A profile is looked for in two places, and the first that holds a key for it is taken: the section of its name in the
SDKs' C(credentials) file, then the command line's own file of its name. A section without a value, and a file that was
never filled in, count as not there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.redrive.tasks.plugins.module_utils._errors import InputError
from ansible_collections.redrive.tasks.plugins.module_utils._lookup import (
    Looked,
    check_key_part,
    given_pair,
    home_path,
    read_ini,
    read_json,
    text_of,
)
from ansible_collections.redrive.tasks.plugins.module_utils._signing.cls import SecretKey

# The only ones that the vendor's SDKs read.
KEY_VARIABLES = ("TENCENTCLOUD_SECRET_ID", "TENCENTCLOUD_SECRET_KEY")
# The SDKs read none. The names are, in this order, those of the command line, of Terraform, and of other clients.
TOKEN_VARIABLES = ("TENCENTCLOUD_TOKEN", "TENCENTCLOUD_SECURITY_TOKEN", "TENCENTCLOUD_SESSION_TOKEN")
REGION_VARIABLE = "TENCENTCLOUD_REGION"
PROFILE_VARIABLES = ("TCCLI_PROFILE", "TENCENTCLOUD_PROFILE")
FILE_VARIABLE = "TENCENTCLOUD_CREDENTIALS_FILE"

SDK_FILE = "~/.tencentcloud/credentials"
SYSTEM_FILE = "/etc/tencentcloud/credentials"
COMMAND_LINE_FOLDER = "~/.tccli"

_DEFAULT_PROFILE = "default"
# It becomes part of a file's name.
_PROFILE_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}")
_INSTEAD = "Get temporary credentials with the vendor's command line, and give them as options or variables."


@dataclass(frozen=True)
class Credentials:
    """A key and, where the profile names one, a region."""

    key: SecretKey
    region: str | None = None


def find_credentials(
    *,
    secret_id: str | None,
    secret_key: str | None,
    token: str | None,
    profile: str | None,
    environ: Mapping[str, str],
) -> Credentials:
    """The first complete credentials.

    A profile that is named as an option comes before the environment, because it was asked for. That temporary
    credentials have expired is left to the service to say.

    :raises InputError: none were found, half a pair was given, or the profile is not usable
    """
    pair = given_pair(("secret_id", secret_id), ("secret_key", secret_key))
    if pair:
        return Credentials(_key(*pair, token, "the options"))
    if token:
        raise InputError("token is given without secret_id and secret_key: give all three.")
    looked = Looked(environ, ["options secret_id, secret_key and token", "option profile"])
    if not profile:
        pair = looked.pair(KEY_VARIABLES[:1], KEY_VARIABLES[1:])
        if pair:
            return Credentials(_key(*pair, looked.first(TOKEN_VARIABLES), f"variables {KEY_VARIABLES[0]} …"))
    return _from_profile(profile, looked)


def find_region(region: str | None, credentials: Credentials, environ: Mapping[str, str]) -> str | None:
    """The region from the option, the environment or the profile."""
    return region or environ.get(REGION_VARIABLE) or credentials.region


def _from_profile(option: str | None, looked: Looked) -> Credentials:
    named = option or looked.first(PROFILE_VARIABLES)
    name = named or _DEFAULT_PROFILE
    if not _PROFILE_NAME.fullmatch(name):
        raise InputError(
            f"Profile {name!r} cannot be used: a name has 1 to 128 letters, digits, '.', '_' and '-', and does not"
            " begin with '.'."
        )
    files: list[str] = []
    key = _from_sdk_file(name, looked, files) or _from_command_line(name, files)
    if key:
        return Credentials(key, _region_of(name))
    if named:
        raise InputError(f"There is no key for profile {name!r}. Looked at: {'; '.join(files)}.")
    looked.places += ["variables " + "/".join(PROFILE_VARIABLES), *files]
    raise looked.nothing_found("CLS")


def _from_sdk_file(name: str, looked: Looked, files: list[str]) -> SecretKey | None:
    """The key in the section of this name; what was looked at is noted in `files`.

    The variable is that of the vendor's Go SDK, and the second place that of its Python SDK.
    """
    named = looked.first((FILE_VARIABLE,))
    for path in [home_path(named)] if named else [home_path(SDK_FILE), Path(SYSTEM_FILE)]:
        sections = read_ini(path)
        if sections is not None:
            # As the SDK: the first file that is there is the one.
            return _from_section(name, path, sections, files)
        if named:
            raise InputError(f"The variable {FILE_VARIABLE} names the file {path}, which is not there.")
        files.append(f"file {path} (not there)")
    return None


def _from_section(
    name: str, path: Path, sections: Mapping[str, Mapping[str, str]], files: list[str]
) -> SecretKey | None:
    where = f"profile {name!r} in {path}"
    pair = _whole(sections.get(name, {}), "secret_id", "secret_key", where)
    if pair:
        _refuse_quotes(pair, where)
        return _key(*pair, None, where)
    known = ", ".join(sorted(sections)) or "none"
    files.append(f"file {path} (no key for profile {name!r}; profiles there: {known})")
    return None


def _refuse_quotes(pair: tuple[str, str], where: str) -> None:
    """The vendor's SDK takes quotation marks for a part of the value, so the service would refuse the key."""
    if any(value[0] in "\"'" for value in pair):
        raise InputError(f"The {where} has a value in quotation marks: write it without them.")


def _from_command_line(name: str, files: list[str]) -> SecretKey | None:
    """The key in the command line's file of this name; what was looked at is noted in `files`."""
    path = home_path(f"{COMMAND_LINE_FOLDER}/{name}.credential")
    content = read_json(path)
    if content is None:
        files.append(f"file {path} (not there)")
        return None
    where = f"profile {name!r} in {path}"
    kind, role = text_of(content, "type"), text_of(content, "role-arn")
    pair = _whole(content, "secretId", "secretKey", where)
    # The command line does not use the key that such a file may hold, or only to get another one.
    if kind == "cvm-role" or (kind and not pair):
        raise InputError(f"The {where} is of type {kind!r} and holds no key that can be used here. {_INSTEAD}")
    if role:
        raise InputError(f"The {where} takes the role {role!r}, which is not supported here. {_INSTEAD}")
    if pair:
        return _key(*pair, text_of(content, "token"), where)
    files.append(f"file {path} (it holds no key)")
    return None


def _region_of(name: str) -> str | None:
    """The region that the command line is set to for the profile. The SDKs' file names none."""
    content = read_json(home_path(f"{COMMAND_LINE_FOLDER}/{name}.configure")) or {}
    settings = content.get("_sys_param")
    return text_of(settings, "region") if isinstance(settings, dict) else None


def _whole(content: Mapping[str, Any], id_name: str, secret_name: str, where: str) -> tuple[str, str] | None:
    """Both halves of the pair; None if there is neither.

    :raises InputError: one is there without the other
    """
    key_id, secret = text_of(content, id_name), text_of(content, secret_name)
    if key_id and secret:
        return key_id, secret
    if key_id or secret:
        given, absent = (id_name, secret_name)[:: 1 if key_id else -1]
        raise InputError(f"The {where} has {given} without {absent}.")
    return None


def _key(key_id: str, secret: str, token: str | None, where: str) -> SecretKey:
    """A key whose parts can travel in a header. The message must not show them."""
    for name, value in (("secret_id", key_id), ("secret_key", secret), ("token", token or "")):
        check_key_part(name, value, where)
    return SecretKey(key_id, secret, token or None)
