# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A certificate authority of our own, which certifies whatever name a client asks for."""

from __future__ import annotations

import ssl
from functools import lru_cache
from pathlib import Path

import trustme


def server_context(ca_file: Path) -> ssl.SSLContext:
    """Writes the authority's certificate to `ca_file`; the context finds a certificate for every name.

    A wildcard would not do: OpenSSL takes none for `*.localhost`, and the vendor's names have several levels.
    """
    authority = trustme.CA()

    @lru_cache(maxsize=256)
    def context_for(name: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1", "::1", name).configure_cert(context)
        return context

    def choose(connection: ssl.SSLObject, name: str | None, _ignored: ssl.SSLContext) -> None:
        if name:
            connection.context = context_for(name)

    context = context_for("localhost")
    context.sni_callback = choose
    authority.cert_pem.write_to_path(str(ca_file))
    return context
