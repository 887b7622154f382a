# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What of a job's details is a secret, in which spellings it is known again, and how long that takes."""

from __future__ import annotations

import base64
import json
from time import process_time
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from ansible_collections.redrive.tasks.plugins.module_utils._drs.hiding import Hider

SECRET = 'pä"ss/w\\ord 1+'
MASK = "********"


def hider(*secrets: str) -> Hider:
    return knowing({"source_endpoint": {f"db_password{number}": secret for number, secret in enumerate(secrets)}})


def knowing(content: Any) -> Hider:
    made = Hider()
    made.learn(content)
    return made


class TestWhatIsASecret:
    @pytest.mark.parametrize(
        "name",
        [
            *("db_password", "password", "passwd", "pwd", "Password", "ssl_cert_key", "ssl_cert_password"),
            *("ssl_cert_check_sum", "ssl_cert_name", "trust_store_password", "key_store_key", "secret_key"),
            *("private_key", "privateKey", "sk", "db_sk", "security_token", "client_secret"),
        ],
    )
    def test_what_stands_under_such_a_name(self, name: str) -> None:
        assert knowing({"results": [{"target_endpoint": {name: "hunter2"}}]}).text("a hunter2 b") == f"a {MASK} b"

    @pytest.mark.parametrize("name", ["db_user", "ip", "key", "region", "db_name", "task_mode"])
    def test_and_nothing_else(self, name: str) -> None:
        assert knowing({"source_endpoint": {name: "hunter2"}}).text("hunter2") == "hunter2"

    @pytest.mark.parametrize(
        "content",
        [
            {"db_password": {"value": "hunter2"}},
            {"passwords": [["hunter2"]]},
            {"kafka_security_config": {"deep": {"er": {"and": {"deeper": [{"key_password": "hunter2"}]}}}}},
            {"source_endpoint": json.dumps({"db_password": "hunter2"})},
            [{"db_password": "hunter2"}],
        ],
    )
    def test_at_any_depth_and_in_json_that_stands_as_text(self, content: Any) -> None:
        assert knowing(content).text("hunter2") == MASK

    def test_a_number_too(self) -> None:
        assert knowing({"db_password": 123456, "pwd_set": True, "pwd": None}).text("123456 true null") == (
            f"{MASK} true null"
        )

    @pytest.mark.parametrize(("secret", "text"), [("abcd", MASK), ("abc", "abc"), ("", "")])
    def test_from_four_characters_on(self, secret: str, text: str) -> None:
        assert hider(secret).text(secret) == text

    @pytest.mark.parametrize("content", ["x", 5, None, [], {}, {"db_password": "{"}, {"db_password": "\ud800abcd"}])
    def test_anything_may_come(self, content: Any) -> None:
        assert knowing(content).text("words") == "words"


class TestSpellings:
    @pytest.mark.parametrize(
        "spelling",
        [
            SECRET,
            json.dumps(SECRET)[1:-1],
            json.dumps(SECRET, ensure_ascii=False)[1:-1],
            json.dumps(SECRET)[1:-1].replace("/", "\\/"),
            json.dumps(json.dumps(SECRET)[1:-1])[1:-1],
            quote(SECRET, safe=""),
            quote(SECRET, safe="").lower().replace("+", "%2b"),
            quote_plus(SECRET),
            base64.b64encode(SECRET.encode()).decode(),
        ],
    )
    def test_it_is_known_again(self, spelling: str) -> None:
        assert hider(SECRET).text(f"login root/{spelling}@10.0.0.1") == f"login root/{MASK}@10.0.0.1"

    def test_also_in_one_line(self) -> None:
        key = "-----BEGIN KEY-----\nabc\n def\n"
        assert hider(key).text("bad -----BEGIN KEY----- abc def.") == f"bad {MASK}."


class TestTexts:
    def test_the_longest_goes_first(self) -> None:
        assert hider("abcd", "abcdefgh", "defg").text("abcdefgh") == MASK

    def test_what_two_cover_together_goes_as_a_whole(self) -> None:
        assert hider("abcdef", "defghi").text("x abcdefghi y abcdef") == f"x {MASK} y {MASK}"

    @pytest.mark.parametrize("word", ["DRS.M00004", "M00004", "DRS.KE0002", "START_JOB_FAILED", "broken_reply"])
    def test_a_word_of_the_service_stays_whole(self, word: str) -> None:
        assert hider("0000", "JOB_", "0004", "broken").word(word) == word

    def test_unless_it_is_the_secret(self) -> None:
        made = hider("M00004", "hunter2")
        assert (made.word("M00004"), made.word("as hunter2")) == (MASK, f"as {MASK}")

    def test_a_part_of_a_reply_is_shown_without_what_is_named_as_a_secret(self) -> None:
        text = 'x {"db_password": "hunter2", "a": {\\"ssl_cert_key\\": \\"hunter3'
        shown = Hider().excerpt(text)
        assert "hunter" not in shown
        assert "db_password" in shown


class TestTime:
    @pytest.mark.parametrize("secret", ["{n}-password-{n}", "-----BEGIN CERTIFICATE-----{n}", "----{n}"])
    def test_thousands_of_jobs_take_no_longer_each(self, secret: str) -> None:
        started = process_time()
        made = hider(*(secret.replace("{n}", str(number)) for number in range(10_000)))
        for number in range(2000):
            text = f"job {number} failed: {secret.replace('{n}', str(number))}; the network of the source is down"
            assert str(number) not in made.text(text).partition("failed")[2]
        assert process_time() - started < 8

    def test_nor_does_a_long_text(self) -> None:
        made = hider(*(f"----{number}" for number in range(1000)))
        started = process_time()
        made.text("-" * 64_000)
        assert process_time() - started < 2
