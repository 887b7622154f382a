# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where GeeLark credentials come from, in which order, and what is said when there are none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from ansible_collections.redrive.tasks.plugins.module_utils._credentials.geelark import find_credentials
from ansible_collections.redrive.tasks.plugins.module_utils._errors import InputError
from ansible_collections.redrive.tasks.plugins.module_utils._signing.geelark import AppKey, Credential, Token

PAIR = {"GEELARK_APP_ID": "env-app", "GEELARK_API_KEY": "env-key"}
EVERYTHING = {"GEELARK_BEARER_TOKEN": "env-bearer", "GEELARK_TOKEN": "env-token", **PAIR}


def find(environ: Mapping[str, str] | None = None, **options: str) -> Credential:
    given: dict[str, Any] = dict.fromkeys(("api_token", "app_id", "api_key"))
    return find_credentials(**{**given, **options}, environ=environ or {})


class TestOrder:
    def test_a_token_as_an_option_comes_before_all_variables(self) -> None:
        assert find(EVERYTHING, api_token="opt-token") == Token("opt-token")

    def test_a_key_as_options_too(self) -> None:
        assert find(EVERYTHING, app_id="opt-app", api_key="opt-key") == AppKey("opt-app", "opt-key")

    def test_then_the_variables_in_their_order(self) -> None:
        environ = dict(EVERYTHING)
        assert find(environ) == Token("env-bearer")
        del environ["GEELARK_BEARER_TOKEN"]
        assert find(environ) == Token("env-token")
        del environ["GEELARK_TOKEN"]
        assert find(environ) == AppKey("env-app", "env-key")

    def test_an_empty_value_counts_as_not_given(self) -> None:
        empty = dict.fromkeys(("api_token", "app_id", "api_key"), "")
        assert find({**EVERYTHING, "GEELARK_BEARER_TOKEN": ""}, **empty) == Token("env-token")
        assert find(PAIR, api_token="opt-token", app_id="", api_key="") == Token("opt-token")


class TestWhatIsSaid:
    def test_nothing_found_lists_everything_looked_at(self) -> None:
        with pytest.raises(InputError, match="No credentials for GeeLark") as caught:
            find()
        for place in ("api_token", "app_id", "api_key", *EVERYTHING):
            assert place in str(caught.value)

    def test_both_ways_as_options_are_refused(self) -> None:
        with pytest.raises(InputError, match="api_token is given, and app_id with api_key too"):
            find(api_token="opt-token", app_id="opt-app", api_key="opt-key")

    @pytest.mark.parametrize(("given", "absent"), [("app_id", "api_key"), ("api_key", "app_id")])
    @pytest.mark.parametrize("more", [{}, {"api_token": "opt-token"}], ids=["alone", "with a token"])
    def test_half_a_pair_of_options_is_refused(self, given: str, absent: str, more: dict[str, str]) -> None:
        with pytest.raises(InputError, match=f"{given} is given without {absent}"):
            find(EVERYTHING, **{given: "x-value"}, **more)

    @pytest.mark.parametrize(
        ("given", "absent"), [tuple(PAIR), tuple(reversed(PAIR))], ids=["id without key", "key without id"]
    )
    def test_half_a_pair_of_variables_is_refused(self, given: str, absent: str) -> None:
        with pytest.raises(InputError, match=f"{given} is set without {absent}"):
            find({given: "x-value"})

    @pytest.mark.parametrize("bad", ["sec\nret-1", "secret-1 ", "Bearer secret-1", "sécret-1", "secret\x7f-1"])
    def test_a_secret_that_cannot_travel_is_refused_and_not_shown(self, bad: str) -> None:
        for environ, options, words in (
            ({}, {"api_token": bad}, "api_token from the options"),
            ({}, {"app_id": "an-app", "api_key": bad}, "api_key from the options"),
            ({"GEELARK_TOKEN": bad}, {}, "The token from variable GEELARK_BEARER_TOKEN/GEELARK_TOKEN"),
            ({**PAIR, "GEELARK_APP_ID": bad}, {}, "app_id from variables GEELARK_APP_ID"),
        ):
            with pytest.raises(InputError, match=words) as caught:
                find(environ, **options)
            assert bad not in str(caught.value)
