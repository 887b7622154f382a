# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

"""Who calls DRS, and where: options, then environment, then files. Nothing is sent from here.

Credentials come from the first of these sources that holds any, each taken as a whole:

1. the options, of one kind;
2. the entry of C(clouds.yaml) that the option C(cloud) names;
3. the variables C(OS_*);
4. the entry that C(OS_CLOUD) names. So does the vendor's command line, which lets variables override the entry;
   openstacksdk by itself looks at the entry first;
5. the variables C(HUAWEICLOUD_SDK_*), then the file of the vendor's SDK;
6. the entry of a C(clouds.yaml) that has just one.

What the options leave open (project, region, identity service) comes from the same source. Where the options are that
source, it comes from the entry that C(cloud) names, or else from the environment.

Where DRS itself is, which is where every request goes, comes from the options or from the source of the credentials and
nowhere else: a variable that somebody set for other credentials must not lead these elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Union

from ansible_collections.redrive.tasks.plugins.module_utils._errors import InputError
from ansible_collections.redrive.tasks.plugins.module_utils._lookup import (
    Looked,
    check_key_part,
    home_path,
    read_ini,
    read_text,
)
from ansible_collections.redrive.tasks.plugins.module_utils._signing.drs import AccessKey

LoadYaml = Callable[[str], Any]
_Names = Mapping[str, tuple[str, ...]]

# What is looked for, and its names in each source. An entry of clouds.yaml has the first names, as keystone calls
# them, and older ones; the variables OS_* are the same names in upper case.
_CLOUD: _Names = {
    **{name: (name,) for name in ("auth_url", "auth_type", "username", "user_id", "password", "region_name")},
    "token": ("token", "auth_token"),
    "user_domain_name": ("user_domain_name", "domain_name"),
    "user_domain_id": ("user_domain_id", "domain_id"),
    "project_id": ("project_id", "tenant_id"),
    "project_name": ("project_name", "tenant_name"),
    "project_domain_name": ("project_domain_name", "domain_name"),
    "project_domain_id": ("project_domain_id", "domain_id"),
    "access_key": ("access_key", "ak"),
    "secret_key": ("secret_key", "sk"),
    "security_token": ("security_token",),
    "interface": ("interface", "endpoint_type"),
    "endpoint": ("drs_endpoint_override",),
}
_OS: _Names = {name: tuple(f"OS_{key.upper()}" for key in keys) for name, keys in _CLOUD.items()}
_SDK_FILE: _Names = {
    "access_key": ("ak",),
    "secret_key": ("sk",),
    "security_token": ("security_token",),
    "project_id": ("project_id",),
    "auth_url": ("iam_endpoint",),
}
_SDK: _Names = {name: tuple(f"HUAWEICLOUD_SDK_{key.upper()}" for key in keys) for name, keys in _SDK_FILE.items()}
_OPTIONS: _Names = {
    **{
        name: (name,) for name in ("auth_url", "username", "password", "user_domain_name", "project_id", "project_name")
    },
    **{name: (name,) for name in ("access_key", "secret_key", "security_token", "endpoint")},
    "token": ("auth_token",),
    "region_name": ("region",),
}

# What makes a kind of credentials complete: one of each group. The first kind that is complete is used, unless the
# type of authentication names another.
_KINDS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "token": (("token",),),
    "password": (("username", "user_id"), ("password",)),
    "key": (("access_key",), ("secret_key",)),
}
_AUTH_TYPES = {"password": "password", "v3password": "password", "token": "token", "v3token": "token"}

# As in openstacksdk, of which region each is unless another is named.
_PROFILES = {
    "otc": {"auth_url": "https://iam.{region_name}.otc.t-systems.com", "region_name": "eu-de"},
    "otc-swiss": {"auth_url": "https://iam-pub.{region_name}.sc.otc.t-systems.com", "region_name": "eu-ch2"},
}
# By region, where the vendors establish it. Huawei Cloud has other domains in Europe.
_IDENTITY_SERVICES = (
    (re.compile(r"eu-(?:de|nl)"), "https://iam.{region_name}.otc.t-systems.com"),
    (re.compile(r"eu-ch2"), "https://iam-pub.{region_name}.sc.otc.t-systems.com"),
    (re.compile(r"(?!eu-)[a-z]{2}-[a-z]+-[0-9]+"), "https://iam.{region_name}.myhuaweicloud.com"),
)
_REGION_OF_URL = re.compile(r"https://iam(?:-pub)?\.([a-z0-9-]+)\.(?:(?:sc\.)?otc\.t-systems|myhuaweicloud)\.com")
# Both become part of a path or of a host.
_SHAPES = {"project_id": re.compile(r"[A-Za-z0-9_-]+"), "region_name": re.compile(r"[a-z0-9-]+")}
# It is tried where a run of slashes begins only: at each slash of one, it would take a square of its length.
_VERSION = re.compile(r"(?<!/)/+(?:v3(?:/[^/]*)?/*)?$")
_LONGEST_URL = 2048
# A cloud holds sections, of which nothing is read below their names and values.
_DEEPEST_SECTION = 2

_SYSTEM_FOLDER = "/etc/openstack"
_SUFFIXES = (".yaml", ".yml")
_SDK_FILE_VARIABLE, _SDK_FILE_PATH = "HUAWEICLOUD_SDK_CREDENTIALS_FILE", "~/.huaweicloud/credentials"


@dataclass(frozen=True)
class PasswordLogin:
    """A user who logs in for a token.

    :ivar auth_url: the identity service, without C(/v3) and trailing slash
    :ivar username: None if `user_id` is given, which needs no domain
    :ivar user_domain_id: comes before `user_domain_name`
    """

    auth_url: str
    username: str | None
    user_id: str | None
    password: str = field(repr=False)
    user_domain_name: str | None = None
    user_domain_id: str | None = None


@dataclass(frozen=True)
class ExistingToken:
    """A token that the user got elsewhere."""

    token: str = field(repr=False)


Credential = Union[PasswordLogin, ExistingToken, AccessKey]


@dataclass(frozen=True)
class Identity:
    """Who calls, and what its source tells about where.

    :ivar project_id: None only if `project_name` and `auth_url` are known, so that it can be looked up
    :ivar project_domain_name: None if the source does not tell, like `project_domain_id`; ids come before names
    :ivar auth_url: the identity service, without C(/v3) and trailing slash; None if it is not needed and not known
    :ivar region: None if it is not known
    :ivar endpoint: of DRS, without version and project; not checked otherwise
    :ivar interface: which URLs of the service catalog are meant
    """

    credential: Credential
    project_id: str | None
    project_name: str | None
    project_domain_name: str | None
    project_domain_id: str | None
    auth_url: str | None
    region: str | None
    endpoint: str | None
    interface: str = "public"

    @property
    def secrets(self) -> tuple[str | None, ...]:
        """What must be masked wherever it stands."""
        credential = self.credential
        if isinstance(credential, AccessKey):
            return credential.secret, credential.security_token
        return (credential.password if isinstance(credential, PasswordLogin) else credential.token,)


@dataclass(frozen=True)
class _Source:
    """Something that may hold credentials.

    :ivar place: what it is, for messages
    :ivar names: how it calls what is looked for
    :ivar named: whether it was asked for by name, so that it must hold credentials
    """

    place: str
    names: _Names
    content: Mapping[str, Any] = field(repr=False)
    named: bool = False

    def get(self, name: str) -> str | None:
        """The value under the first of its names that is not empty.

        :raises InputError: it is no printable text; the message does not show it
        """
        for key in self.names.get(name, ()):
            value = self.content.get(key)
            if value in (None, ""):
                continue
            if not isinstance(value, str):
                raise InputError(f"{key} in {self.place} is not a text: put it in quotes.")
            if not value.isprintable():  # nobody types such a thing: it was read from a file with all its lines
                raise InputError(f"{key} in {self.place} holds a line feed or another control character.")
            return value
        return None

    def call(self, *names: str) -> str:
        """How these are called here."""
        return "/".join(key for name in names for key in self.names.get(name, ()))

    def has(self, *names: str) -> bool:
        """Whether it holds any of these."""
        return any(self.get(name) for name in names)


def find_identity(params: Mapping[str, Any], *, environ: Mapping[str, str], load_yaml: LoadYaml) -> Identity:
    """The first complete credentials, with what is known about where they are used.

    :param params: the options auth_url, username, password, user_domain_name, project_id, project_name, auth_token,
        access_key, secret_key, security_token, cloud, region and endpoint; texts or None. Others are not looked at.
    :param load_yaml: makes data of the text of a YAML file; may raise anything
    :raises InputError: none were found, half a pair or two kinds were given, something that is needed with them is not
        known, or a file is not usable
    """
    looked = Looked(environ)
    options = _Source("the options", _OPTIONS, params)
    cloud = _cloud(params["cloud"], looked, load_yaml) if params.get("cloud") else None
    kind = _kind_of_options(options)
    if kind:
        near = [options, cloud] if cloud else [options]
        return _identity(options, kind, near, near if cloud else [*near, *_environment(looked)], environ)
    looked.places.append(f"option cloud; options {_wanted(options)}")
    for source in [cloud] if cloud else _sources(looked, load_yaml):
        kind = _kind(source)
        if kind:
            return _identity(source, kind, [options, source], [options, source], environ)
        if source.named:
            raise InputError(f"There are no credentials in {source.place}. It needs {_wanted(source)}.")
        looked.places.append(f"{_wanted(source)} in {source.place}")
    raise looked.nothing_found("DRS")


def _kind_of_options(options: _Source) -> str | None:
    """The kind that the options hold; they are written by one hand, so that a second kind is a mistake."""
    given = [kind for kind, groups in _KINDS.items() if any(options.has(*group) for group in groups)]
    if len(given) > 1:
        two = " and ".join("/".join(options.call(*group) for group in _KINDS[kind]) for kind in given)
        raise InputError(f"{two} are given at once: give the options of one kind of credentials.")
    if options.has("security_token") and given != ["key"]:
        raise InputError("security_token is given without access_key and secret_key: give all three.")
    return _kind(options)


def _kind(source: _Source) -> str | None:
    """The kind of credentials that the source holds; None if it holds nothing of any.

    :raises InputError: only half of them, or a type of authentication that cannot be used here
    """
    kinds, auth_type = list(_KINDS), source.get("auth_type")
    if auth_type and auth_type not in _AUTH_TYPES:
        raise InputError(
            f"{source.call('auth_type')} in {source.place} is {auth_type!r}; {', '.join(_AUTH_TYPES)} can be used here."
            " Get a token in your way, and give it as auth_token."
        )
    if auth_type:
        kinds.sort(key=lambda kind: kind != _AUTH_TYPES[auth_type])
    halves = []
    for kind in kinds:
        absent = [group for group in _KINDS[kind] if not source.has(*group)]
        if not absent:
            return kind
        halves += [(group, absent[0]) for group in _KINDS[kind] if group not in absent]
    if not halves:
        return None
    given, missing = (source.call(*group) for group in halves[0])
    raise InputError(f"{given} is given without {missing} in {source.place}: give both, or neither.")


def _identity(
    source: _Source, kind: str, near: Sequence[_Source], layers: Sequence[_Source], environ: Mapping[str, str]
) -> Identity:
    """The identity that the source holds; what it leaves open comes from the first of the layers that tells.

    :param near: those of the layers that may say where DRS is
    """
    project_id, project_name, domain_name, domain_id = _together(
        layers, ("project_id", "project_name"), ("project_domain_name", "project_domain_id")
    )
    if not (project_id or project_name):
        raise _unknown("The project", layers, "project_id", "project_name")
    region = _first(layers, "region_name")
    auth_url = _auth_url(layers, region)
    if not auth_url and (kind == "password" or not project_id):
        raise _unknown("The identity service", layers, "auth_url", "region_name")
    found = _REGION_OF_URL.match(auth_url or "")
    region = region or (found and found[1])
    for name, value in (("project_id", project_id), ("region_name", region)):
        if value and not _SHAPES[name].fullmatch(value):
            raise InputError(f"{value!r} cannot be the {layers[0].call(name)}: it holds a character that none has.")
    endpoint = _first(near, "endpoint")
    if not endpoint and source.names in (_SDK, _SDK_FILE):
        endpoint = _endpoint_of_sdk(region, environ)
    return Identity(
        _credential(source, kind, layers, auth_url or ""),
        project_id,
        project_name,
        domain_name,
        domain_id,
        auth_url=auth_url,
        region=region,
        endpoint=endpoint and _without_version("endpoint", endpoint),
        interface=(_first(near, "interface") or "public").removesuffix("URL"),
    )


def _credential(source: _Source, kind: str, layers: Sequence[_Source], auth_url: str) -> Credential:
    def part(name: str) -> str:
        return check_key_part(source.call(name), source.get(name) or "", source.place)

    if kind == "token":
        return ExistingToken(part("token"))
    if kind == "key":
        return AccessKey(part("access_key"), part("secret_key"), part("security_token") or None)
    domain = _together(layers, ("user_domain_name", "user_domain_id"))
    user_id = source.get("user_id")
    if not (user_id or any(domain)):
        raise _unknown("The domain of the user", layers, "user_domain_name", "user_domain_id")
    return PasswordLogin(
        auth_url, None if user_id else source.get("username"), user_id, source.get("password") or "", *domain
    )


def _first(layers: Sequence[_Source], name: str) -> str | None:
    return _together(layers, (name,))[0]


def _together(layers: Sequence[_Source], names: tuple[str, ...], more: tuple[str, ...] = ()) -> list[str | None]:
    """All of these from the first source that has any of `names`: mixed from two, they would contradict."""
    for layer in layers:
        if layer.has(*names):
            return [layer.get(name) for name in (*names, *more)]
    return [None] * (len(names) + len(more))


def _unknown(what: str, layers: Sequence[_Source], *names: str) -> InputError:
    places = "; ".join(f"{layer.call(*names)} in {layer.place}" for layer in layers if layer.call(*names))
    return InputError(f"{what} is not known. Looked at: {places}. Set the option {layers[0].call(names[0])}.")


def _auth_url(layers: Sequence[_Source], region: str | None) -> str | None:
    """The identity service, without its version; from the region where nothing else tells."""
    given = _first(layers, "auth_url")
    if not given and region:
        given = next((url for pattern, url in _IDENTITY_SERVICES if pattern.fullmatch(region)), None)
    return given and _without_version("auth_url", given.replace("{region_name}", region or ""))


def _without_version(name: str, url: str) -> str:
    if len(url) > _LONGEST_URL:
        raise InputError(f"{name} is longer than {_LONGEST_URL} characters.")
    return _VERSION.sub("", url)


def _endpoint_of_sdk(region: str | None, environ: Mapping[str, str]) -> str | None:
    """The first endpoint that the vendor's SDK would use in this region by its own variable."""
    listed = environ.get(f"HUAWEICLOUD_SDK_REGION_DRS_{(region or '').upper().replace('-', '_')}", "")
    return listed.split(",")[0].strip() or None


def _wanted(source: _Source) -> str:
    """What the source may hold, for messages."""
    kinds = [" and ".join(filter(None, (source.call(*group) for group in groups))) for groups in _KINDS.values()]
    return ", or ".join(filter(None, kinds))


def _environment(looked: Looked) -> tuple[_Source, _Source]:
    return _Source("the environment", _OS, looked.environ), _Source("the environment", _SDK, looked.environ)


def _sources(looked: Looked, load_yaml: LoadYaml) -> Iterator[_Source]:
    """Where credentials are looked for when no option tells, in this order; files only when it comes to them."""
    openstack, sdk = _environment(looked)
    yield openstack
    name = looked.first(("OS_CLOUD",))
    if name:
        yield _cloud(name, looked, load_yaml)
    looked.places.append("variable OS_CLOUD")
    yield sdk
    yield _sdk_file(looked)
    path, clouds = _clouds(looked, load_yaml)
    if len(clouds) == 1:
        (only,) = clouds
        yield _cloud(only, looked, load_yaml)
    looked.places.append(f"{path} (it holds {_list(clouds)}: name one with the option cloud)" if clouds else path)


def _sdk_file(looked: Looked) -> _Source:
    named = looked.first((_SDK_FILE_VARIABLE,))
    path = home_path(named or _SDK_FILE_PATH)
    content = read_ini(path)
    if named and content is None:
        raise InputError(f"The file {path}, which {_SDK_FILE_VARIABLE} names, is not there.")
    return _Source(f"the section basic of the file {path}", _SDK_FILE, (content or {}).get("basic", {}))


def _cloud(name: str, looked: Looked, load_yaml: LoadYaml) -> _Source:
    """An entry of clouds.yaml, with what its vendor's profile adds.

    :raises InputError: there is no such entry
    """
    path, clouds = _clouds(looked, load_yaml)
    if name not in clouds:
        raise InputError(f"There is no cloud {name!r} in {path}. Clouds there: {_list(clouds)}.")
    place = f"cloud {name!r} of the file {path}"
    entry = _plain(clouds[name], place)
    named = entry.get("profile") or entry.get("cloud")
    # Nothing but a text is made one: what refers to itself again and again would fill the memory.
    profile = _PROFILES.get(named, {}) if isinstance(named, str) else {}
    # As in openstacksdk, what stands beside the section auth comes before what stands in it.
    content = {**profile, **_plain(entry.get("auth") or {}, f"auth of {place}"), **entry}
    return _Source(place, _CLOUD, content, named=True)


def _clouds(looked: Looked, load_yaml: LoadYaml) -> tuple[str, dict[str, Any]]:
    """The file, or all places where it could be, and its clouds by name, with the secrets of the file beside it."""
    named, secret = looked.first(("OS_CLIENT_CONFIG_FILE",)), looked.first(("OS_CLIENT_SECURE_FILE",))
    own = f"{looked.first(('XDG_CONFIG_HOME',)) or '~/.config'}/openstack"
    where = named or f"clouds.yaml in the current folder, {own} or {_SYSTEM_FOLDER}"
    files = [home_path(folder) / f"clouds{suffix}" for folder in (".", own, _SYSTEM_FOLDER) for suffix in _SUFFIXES]
    for path in [home_path(named)] if named else files:
        clouds = _read_clouds(path, load_yaml)
        if clouds is not None:
            beside = [home_path(secret)] if secret else [path.with_name(f"secure{suffix}") for suffix in _SUFFIXES]
            for other in beside:
                clouds = _merged(clouds, _read_clouds(other, load_yaml) or {})
            return str(path), clouds
    return f"{where} (not there)", {}


def _read_clouds(path: Path, load_yaml: LoadYaml) -> dict[str, Any] | None:
    """The clouds in the file, by name; None when there is no file."""
    text = read_text(path)
    if text is None:
        return None
    try:
        content = load_yaml(text)
    except InputError:
        raise
    except Exception:  # noqa: BLE001 - whatever the parser raises
        # Without its cause, which quotes lines of the file.
        raise InputError(f"The file {path} is not YAML.") from None
    clouds = content.get("clouds") or {} if isinstance(content, dict) else None
    if not isinstance(clouds, dict):
        raise InputError(f"The file {path} does not hold clouds by name under the key clouds.")
    return {str(name): entry for name, entry in clouds.items()}


def _plain(section: Any, place: str) -> dict[str, Any]:
    """What a section of the file holds; in names a hyphen is as good as an underscore."""
    if not isinstance(section, dict):
        raise InputError(f"There are no names and values in {place}.")
    return {str(name).replace("-", "_"): value for name, value in section.items() if value is not None}


def _merged(one: dict[str, Any], other: dict[str, Any], depth: int = 0) -> dict[str, Any]:
    """Both, section by section; what both hold is taken from the second. A section can contain itself."""
    merged = {**one, **other}
    for name in one.keys() & other.keys() if depth < _DEEPEST_SECTION else ():
        if isinstance(one[name], dict) and isinstance(other[name], dict):
            merged[name] = _merged(one[name], other[name], depth + 1)
    return merged


def _list(clouds: Mapping[str, Any]) -> str:
    return ", ".join(sorted(clouds)) or "none"
