# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Nothing secret leaves, however it is spelt."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote, quote_plus

import pytest

from ansible_collections.redrive.tasks.plugins.module_utils._redact import MASK, Masker

SECRET = 's3cr"t/with +chars=='


@pytest.fixture
def masker() -> Masker:
    made = Masker()
    made.add(SECRET)
    return made


@pytest.mark.parametrize(
    "spelling",
    [
        SECRET,
        quote(SECRET, safe=""),
        quote_plus(SECRET),
        json.dumps(SECRET),
        base64.b64encode(SECRET.encode()).decode(),
        SECRET.encode().hex(),
        quote(SECRET, safe="").replace("%2F", "%2f").replace("%3D", "%3d").replace("%2B", "%2b"),
        json.dumps(SECRET).replace("/", "\\/"),
    ],
)
def test_every_spelling_is_blanked(masker: Masker, spelling: str) -> None:
    shown = masker.text(f"before {spelling} after")
    assert MASK in shown
    assert spelling.strip('"') not in shown
    assert shown.startswith("before ")
    assert shown.endswith(" after")


def test_it_goes_through_keys_and_values_of_any_depth(masker: Masker) -> None:
    value = {"a": [{"b": (SECRET, 1, None, True)}], SECRET: "x"}
    assert masker.value(value) == {"a": [{"b": [MASK, 1, None, True]}], MASK: "x"}


def test_a_secret_that_contains_another_goes_whole(masker: Masker) -> None:
    masker.add(SECRET + "-and-more")
    assert masker.text(SECRET + "-and-more") == MASK


@pytest.mark.parametrize("nothing", ["", None, "abc"])
def test_what_is_no_secret_blanks_no_words(nothing: str | None) -> None:
    masker = Masker()
    masker.add(nothing)
    assert masker.text("abc is a word") == "abc is a word"


def test_half_characters_are_replaced_since_no_output_can_carry_them() -> None:
    assert Masker().value({"a": "x\ud800y"}) == {"a": "x?y"}


def test_a_line_for_the_terminal_holds_nothing_that_steers_it() -> None:
    assert Masker().line("a\x1b[31mb\nc\x9b\u202ed é 中") == "a [31mb c  d é 中"


def test_one_value_more_is_known_only_to_the_new_masker(masker: Masker) -> None:
    other = masker.also("one-more-secret")
    assert other.text(f"{SECRET} one-more-secret") == f"{MASK} {MASK}"
    assert masker.text("one-more-secret") == "one-more-secret"
