# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A certificate authority of our own, for loopback names only."""

from __future__ import annotations

import ssl
from pathlib import Path

import trustme

NAMES = ("127.0.0.1", "::1", "localhost", "*.localhost", "*.127.0.0.1")


def server_context(ca_file: Path) -> ssl.SSLContext:
    """Writes the authority's certificate to `ca_file`; the context has one for every loopback name."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*NAMES).configure_cert(context)
    authority.cert_pem.write_to_path(str(ca_file))
    return context
