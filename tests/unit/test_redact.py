# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Nothing secret leaves, however it is spelt."""

from __future__ import annotations

import base64
import html
import json
import re
import time
from urllib.parse import quote, quote_plus

import pytest

from ansible_collections.redrive.tasks.plugins.module_utils._redact import (
    MASK,
    Masker,
    secrets_in_address,
    without_signatures,
)

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
        json.dumps(json.dumps(SECRET)),
        quote(quote(SECRET)),
        html.escape(html.escape(SECRET)),
        SECRET.upper(),
        SECRET.encode().hex().upper(),
        base64.urlsafe_b64encode(SECRET.encode()).decode().rstrip("="),
        *(base64.b64encode(f"{user}:{SECRET}:more".encode()).decode() for user in ("a", "ab", "abc")),
        "\r\n\t".join(SECRET),
        "\u200b".join(SECRET),
        f"{SECRET[:3]}\x1b[31m{SECRET[3:9]}\x1b[0m{SECRET[9:]}",
        repr(f"{SECRET[:13]}\x1b[31m{SECRET[13:]}"),
        json.dumps("\u200b".join(SECRET)),
        quote("\r\n".join(SECRET)),
        quote(json.dumps(SECRET)),
        quote(html.escape(SECRET)),
        repr({"a": repr(SECRET)}),
    ],
)
def test_every_spelling_is_blanked(masker: Masker, spelling: str) -> None:
    shown = masker.text(f"before {spelling} after")
    assert MASK in shown
    assert spelling.strip('"') not in shown
    assert not re.search("s3cr|chars", shown)
    assert shown.startswith("before ")
    assert shown.endswith(" after")


@pytest.mark.parametrize("end", ["", "...", "…", "****", '"', " and more"])
def test_a_secret_that_is_cut_off_is_blanked(masker: Masker, end: str) -> None:
    assert masker.text(f"before {SECRET[:13]}{end}") == f"before {MASK}{end}"


@pytest.mark.parametrize("text", [SECRET[:9], f"{SECRET[:13]}x", "S3CR", "with chars"])
def test_what_only_begins_like_a_secret_is_left(masker: Masker, text: str) -> None:
    assert masker.text(text) == text


@pytest.mark.parametrize("secret", ["a-b-c-d!", "Abc1", "1234567"])
def test_a_secret_that_could_be_ordinary_words_is_blanked_as_it_is_only(secret: str) -> None:
    masker = Masker()
    masker.add(secret)
    assert masker.text(f"x {secret} {secret.lower()[:-1]} {quote(secret)}") == f"x {MASK} {secret.lower()[:-1]} {MASK}"


def test_a_secret_with_half_a_character_can_be_kept() -> None:
    masker = Masker()
    for secret in ("a\ud800bcdefgh-12345", "a\ud800bc"):
        masker.add(secret)
        assert masker.text(f"x {secret} y") == f"x {MASK} y"


def test_what_two_secrets_cover_together_goes_as_a_whole(masker: Masker) -> None:
    masker.add("chars==and-more")
    assert masker.text(f"x{SECRET}and-morex") == f"x{MASK}x"


@pytest.mark.parametrize("part", ["\\", "%25", "&amp;", "s3cr\\", 's3cr"t/', " ", "\x1b[", "://", "://a:", "://a@"])
def test_a_hostile_text_takes_no_time_to_search_for_secrets(masker: Masker, part: str) -> None:
    text = part * (200_000 // len(part)) + SECRET
    started = time.process_time()
    assert masker.text(text).endswith(MASK)
    assert time.process_time() - started < 2


@pytest.mark.parametrize(
    ("address", "secrets"),
    [
        ("https://user:p%40ss:word@host:1/x", {"p%40ss:word", "p@ss:word", "user:p%40ss:word", "user:p@ss:word"}),
        ("user:pa@ss@host", {"pa@ss", "user:pa@ss"}),
        ("http://token@host", {"token"}),
        ("https://host:1", {""}),
        (None, {""}),
    ],
)
def test_what_stands_before_the_host_is_known_as_a_secret(address: str | None, secrets: set[str]) -> None:
    assert set(secrets_in_address(address)) == secrets


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


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "GET https://b.cos.ap-x.myqcloud.com/o?q-sign-algorithm=sha1&q-ak=AKIDxyz&q-sign-time=1;2&q-signature=0af9",
            f"GET https://b.cos.ap-x.myqcloud.com/o?q-sign-algorithm=sha1&q-ak={MASK}&q-sign-time=1;2&q-signature={MASK}",
        ),
        ("x?Signature=aB%2F+/9%3D&Expires=1 failed", f"x?Signature={MASK}&Expires=1 failed"),
        (
            "?OSSAccessKeyId=LTAI5t&Expires=17&Signature=ab%2Bc=",
            f"?OSSAccessKeyId={MASK}&Expires=17&Signature={MASK}",
        ),
        (
            "?X-Amz-Credential=AKIA%2F2026%2Fx&X-Amz-Date=2&X-Amz-Security-Token=Fwo//&X-Amz-Signature=00ff",
            f"?X-Amz-Credential={MASK}&X-Amz-Date=2&X-Amz-Security-Token={MASK}&X-Amz-Signature={MASK}",
        ),
        ("?x-cos-security-token=a.b-c_d~e&y=1", f"?x-cos-security-token={MASK}&y=1"),
        (
            "?AccessKeyId=a&access_key_id=b&AWSAccessKeyId=c",
            f"?AccessKeyId={MASK}&access_key_id={MASK}&AWSAccessKeyId={MASK}",
        ),
        ("?token_v2=abc&TOKEN=x", f"?token_v2={MASK}&TOKEN={MASK}"),
        ('{"url": "https://x?a=1&signature=abc", "b": 2}', f'{{"url": "https://x?a=1&signature={MASK}", "b": 2}}'),
        ("https://x?a=1\\u0026signature=abc\\u0026b=2", f"https://x?a=1\\u0026signature={MASK}\\u0026b=2"),
        ("<a>https://x?a=1&amp;Signature=abc</a>", f"<a>https://x?a=1&amp;Signature={MASK}</a>"),
        (
            "?to=https%3A%2F%2Fx%3Fa%3D1%26Signature%3Dab%252F%26b%3D2&c=3",
            f"?to=https%3A%2F%2Fx%3Fa%3D1%26Signature%3D{MASK}%26b%3D2&c=3",
        ),
        ("AWS4 Credential=AKIA/x, Signature=00ff", f"AWS4 Credential={MASK}, Signature={MASK}"),
        (f"Signature={MASK}", f"Signature={MASK}"),
        ("jdbc:mysql://db:3306/x?user=root&password=a-b&c=d", f"jdbc:mysql://db:3306/x?user=root&password={MASK}&c=d"),
        ("no way to mysql://root:s3:c@db:3306/x", f"no way to mysql://root:{MASK}@db:3306/x"),
        ("ask me@here: http://host:80 or http://me@host", "ask me@here: http://host:80 or http://me@host"),
    ],
)
def test_what_makes_an_address_usable_is_blanked(text: str, shown: str) -> None:
    assert without_signatures(text) == shown
    assert Masker().value({"causes": [{"message": text}]}) == {"causes": [{"message": shown}]}
    assert Masker().line(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "SignatureDoesNotMatch: the signature we calculated = another",
        "The token has expired.",
        "Is the secret right?",
        "?signature=&token=",
        "?q-sign-algorithm=sha1&design=a&SignatureVersion",
        "a=b?c",
        "",
    ],
)
def test_words_about_signatures_are_left_as_they_are(text: str) -> None:
    assert without_signatures(text) == text


@pytest.mark.parametrize("part", ["token", "token=", "token%3D", "signature" + "a" * 64, "token=%", "?%26token%3D%26"])
def test_a_hostile_text_takes_no_time_to_blank(part: str) -> None:
    text = "=" + part * (1_000_000 // len(part))
    started = time.process_time()
    without_signatures(text)
    assert time.process_time() - started < 2
