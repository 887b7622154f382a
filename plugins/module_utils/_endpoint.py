# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

"""The option C(endpoint), read and checked before anything is sent there. Pure."""

from __future__ import annotations

import ipaddress
import re
from typing import NamedTuple
from urllib.parse import urlsplit

from ansible_collections.redrive.tasks.plugins.module_utils._errors import InputError

_HOST = re.compile(r"(?=.{1,253}$)[A-Za-z0-9](?:[A-Za-z0-9-]{0,62})(?:\.[A-Za-z0-9][A-Za-z0-9-]{0,62})*\Z")
# What may follow an IPv6 address, where the standard library takes whatever it is.
_ZONE = re.compile(r"[^%]*(?:%[A-Za-z0-9._~-]{1,64})?")


class Endpoint(NamedTuple):
    """Where requests are sent.

    :ivar host: a name, or an IP address without brackets
    :ivar port: None means the scheme's own
    """

    scheme: str
    host: str
    port: int | None = None

    @property
    def is_loopback(self) -> bool:
        """Whether it never leaves this machine."""
        address = self._address
        return self.host == "localhost" if address is None else address.is_loopback

    @property
    def is_direct(self) -> bool:
        """Whether it is connected to as it is, because nothing can be prefixed to an address or to localhost."""
        return self.host == "localhost" or self._address is not None

    @property
    def _address(self) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
        try:
            return ipaddress.ip_address(self.host)
        except ValueError:
            return None

    @property
    def bracketed_host(self) -> str:
        """The host as it stands in a URL."""
        return f"[{self.host}]" if ":" in self.host else self.host

    @property
    def address(self) -> str:
        """Host and port, spelled in one way."""
        return f"{self.bracketed_host.lower()}:{self.port or {'https': 443}.get(self.scheme, 80)}"

    def base_url(self, prefix: str = "") -> str:
        """Scheme, host and port; the prefix becomes the first label of the host."""
        host = f"{prefix}.{self.host}" if prefix else self.bracketed_host
        return f"{self.scheme}://{host}" + (f":{self.port}" if self.port else "")


def parse_endpoint(
    text: str, *, allow_plaintext: bool, prefix: str = "", whole: tuple[str, ...] = (), option: str = "endpoint"
) -> Endpoint:
    """An endpoint with or without scheme and port; https where none is given.

    :param prefix: taken off the host if it stands there already
    :param whole: hosts of which nothing may be left but this, so that the prefix was no prefix
    :param option: what it is called in messages
    :raises InputError: it is no endpoint, or plain http to another machine and not allowed
    """
    value = text.strip()
    # What stands before an @ may be a password, so it is not repeated.
    problem = InputError(
        f"{option} is not usable: {value.rpartition('@')[2]!r}. Give a host name, optionally with https:// before and"
        " :port behind it, and nothing else."
    )
    if not value.isprintable():  # urlsplit drops line feeds in silence
        raise problem
    try:
        parts = urlsplit(value if "://" in value else f"https://{value}")
        host, port = parts.hostname or "", parts.port
    except ValueError as exc:
        raise problem from exc
    extra = parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc
    if parts.scheme not in ("http", "https") or extra or port == 0:
        raise problem
    endpoint = Endpoint(parts.scheme, host, port)
    rest = Endpoint(parts.scheme, host[len(prefix) :], port)
    if prefix and host.startswith(prefix) and not endpoint.is_direct and rest.host not in whole:
        endpoint = rest
    if not (_HOST.match(host) or (endpoint.is_direct and _ZONE.fullmatch(host))):
        raise problem
    if endpoint.scheme == "http" and not (endpoint.is_loopback or allow_plaintext):
        raise InputError(
            f"{option} {text!r} is plain http, which shows requests and tokens to the network."
            " Use https, or set allow_plaintext: true if that is really meant."
        )
    return endpoint
