# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

"""Credentials for GeeLark: options, then environment; a token, or the id and key of an application.

Each source is taken as a whole. The vendor has no file and no variables of its own; the names are those of its MCP
server and of public clients.
"""

from __future__ import annotations

from collections.abc import Mapping

from ansible_collections.redrive.tasks.plugins.module_utils._errors import InputError
from ansible_collections.redrive.tasks.plugins.module_utils._lookup import Looked, check_key_part, given_pair
from ansible_collections.redrive.tasks.plugins.module_utils._signing.geelark import AppKey, Credential, Token

TOKEN_VARIABLES = ("GEELARK_BEARER_TOKEN", "GEELARK_TOKEN")
APP_ID_VARIABLE = "GEELARK_APP_ID"
API_KEY_VARIABLE = "GEELARK_API_KEY"


def find_credentials(
    *,
    api_token: str | None,
    app_id: str | None,
    api_key: str | None,
    environ: Mapping[str, str],
) -> Credential:
    """The first complete credentials. In the environment a token comes before an application.

    :raises InputError: none were found, half a pair was given, or both ways are given as options
    """
    pair = given_pair(("app_id", app_id), ("api_key", api_key))
    if api_token and pair:
        raise InputError("api_token is given, and app_id with api_key too: give the one or the other.")
    if api_token:
        return _token("api_token", api_token, "the options")
    if pair:
        return _app_key(*pair, "the options")
    return _from_environment(Looked(environ, ["option api_token", "options app_id and api_key"]))


def _from_environment(looked: Looked) -> Credential:
    token = looked.first(TOKEN_VARIABLES)
    if token:
        return _token("The token", token, f"variable {'/'.join(TOKEN_VARIABLES)}")
    looked.places.append(f"variables {'/'.join(TOKEN_VARIABLES)}")
    pair = looked.pair((APP_ID_VARIABLE,), (API_KEY_VARIABLE,))
    if pair:
        return _app_key(*pair, f"variables {APP_ID_VARIABLE} …")
    raise looked.nothing_found("GeeLark")


def _token(name: str, value: str, where: str) -> Token:
    return Token(check_key_part(name, value, where))


def _app_key(app_id: str, api_key: str, where: str) -> AppKey:
    return AppKey(check_key_part("app_id", app_id, where), check_key_part("api_key", api_key, where))
