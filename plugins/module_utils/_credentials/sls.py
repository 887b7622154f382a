# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

"""Credentials for SLS: options, then environment, then the profile file of the vendor's command line.

Each source is taken as a whole. A pair whose halves come from two places is refused, because it would only show
later, as a wrong signature.
"""

from __future__ import annotations

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
    read_json,
    text_of,
)
from ansible_collections.redrive.tasks.plugins.module_utils._signing.sls import AccessKey

PROFILE_FILE = "~/.aliyun/config.json"

# Names in the order in which they are looked at: the vendor's SDKs first, then what its Ansible and Terraform use.
_ENVIRONMENT = (
    {
        "id": ("ALIBABA_CLOUD_ACCESS_KEY_ID",),
        "secret": ("ALIBABA_CLOUD_ACCESS_KEY_SECRET",),
        "token": ("ALIBABA_CLOUD_SECURITY_TOKEN",),
    },
    {
        "id": ("ALICLOUD_ACCESS_KEY_ID", "ALICLOUD_ACCESS_KEY"),
        "secret": ("ALICLOUD_ACCESS_KEY_SECRET", "ALICLOUD_SECRET_ACCESS_KEY", "ALICLOUD_SECRET_KEY"),
        "token": ("ALICLOUD_SECURITY_TOKEN",),
    },
)
PROFILE_VARIABLES = ("ALIBABA_CLOUD_PROFILE", "ALICLOUD_PROFILE")
REGION_VARIABLES = (
    "ALIBABA_CLOUD_REGION_ID",
    "ALIBABA_CLOUD_DEFAULT_REGION",
    "ALICLOUD_REGION",
    "ALICLOUD_REGION_ID",
)
_MODES = ("AK", "StsToken")


@dataclass(frozen=True)
class Credentials:
    """A key and, where the profile names one, a region."""

    key: AccessKey
    region: str | None = None


def find_credentials(
    *,
    access_key_id: str | None,
    access_key_secret: str | None,
    security_token: str | None,
    profile: str | None,
    environ: Mapping[str, str],
) -> Credentials:
    """The first complete credentials.

    A profile that is named as an option comes before the environment, because it was asked for.

    :raises InputError: none were found, half a pair was given, or the profile is not usable
    """
    pair = given_pair(("access_key_id", access_key_id), ("access_key_secret", access_key_secret))
    if pair:
        return Credentials(_key(*pair, security_token, "the options"))
    if security_token:
        raise InputError("security_token is given without access_key_id and access_key_secret: give all three.")
    looked = Looked(environ, ["options access_key_id, access_key_secret and security_token", "option profile"])
    if not profile:
        found = _from_environment(looked)
        if found:
            return found
    return _from_profile(profile, looked)


def find_region(region: str | None, credentials: Credentials, environ: Mapping[str, str]) -> str | None:
    """The region from the option, the environment or the profile."""
    return region or Looked(environ).first(REGION_VARIABLES) or credentials.region


def _from_environment(looked: Looked) -> Credentials | None:
    for names in _ENVIRONMENT:
        pair = looked.pair(names["id"], names["secret"])
        if pair:
            return Credentials(_key(*pair, looked.first(names["token"]), f"variables {names['id'][0]} …"))
    return None


def _from_profile(option: str | None, looked: Looked) -> Credentials:
    path = home_path(PROFILE_FILE)
    content = _read(path)
    name = option or looked.first(PROFILE_VARIABLES)
    if content is None:
        if name:
            raise InputError(f"Profile {name!r} cannot be used: there is no file {path}.")
        raise _nothing_found(looked, f"file {path} (not there)")
    wanted = name or text_of(content, "current") or "default"
    profiles = [entry for entry in content.get("profiles") or [] if isinstance(entry, dict)]
    profile = next((entry for entry in profiles if entry.get("name") == wanted), None)
    if profile is None:
        known = ", ".join(sorted(filter(None, (text_of(entry, "name") for entry in profiles)))) or "none"
        if name:
            raise InputError(f"There is no profile {wanted!r} in {path}. Profiles there: {known}.")
        raise _nothing_found(looked, f"file {path} (it has no profile {wanted!r}; profiles there: {known})")
    if not name and not profile.get("access_key_id") and _mode(profile).lower() == "ak":
        # So the vendor's command line leaves the file before it is configured.
        raise _nothing_found(looked, f"file {path} (its profile {wanted!r} is empty)")
    return _credentials(profile, wanted, path)


def _nothing_found(looked: Looked, last: str) -> InputError:
    looked.places += ["variables " + "/".join(PROFILE_VARIABLES), last]
    return looked.nothing_found("SLS")


def _credentials(profile: Mapping[str, Any], name: str, path: Path) -> Credentials:
    where = f"profile {name!r} in {path}"
    mode = _mode(profile)
    if mode.lower() not in [known.lower() for known in _MODES]:
        raise InputError(
            f"The {where} has mode {mode!r}; modes {' and '.join(_MODES)} can be used here. Get temporary credentials"
            " with the vendor's command line, and give them as options or variables."
        )
    key_id, secret = text_of(profile, "access_key_id"), text_of(profile, "access_key_secret")
    if not (key_id and secret):
        raise InputError(f"The {where} has no access_key_id and access_key_secret.")
    token = text_of(profile, "sts_token") if mode.lower() == "ststoken" else None
    if mode.lower() == "ststoken" and not token:
        raise InputError(f"The {where} has mode StsToken but no sts_token.")
    return Credentials(_key(key_id, secret, token, where), text_of(profile, "region_id"))


def _mode(profile: Mapping[str, Any]) -> str:
    """How the profile gets its key; the vendor's command line leaves out the usual way."""
    return text_of(profile, "mode") or ("a value that is no text" if profile.get("mode") else "AK")


def _read(path: Path) -> dict[str, Any] | None:
    """The profile file's content; None when there is no file."""
    content = read_json(path)
    if content is not None and not isinstance(content.get("profiles") or [], list):
        raise InputError(f"The file {path} does not hold profiles as the vendor's command line writes them.")
    return content


def _key(key_id: str, secret: str, token: str | None, where: str) -> AccessKey:
    """A key whose parts can travel in a header. The message must not show them."""
    parts = {"access_key_id": key_id, "access_key_secret": secret, "security_token": token or ""}
    for name, value in parts.items():
        check_key_part(name, value, where)
    return AccessKey(key_id, secret, token or None)
