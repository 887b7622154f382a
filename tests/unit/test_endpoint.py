# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where requests are sent."""

from __future__ import annotations

import pytest

from ansible_collections.redrive.tasks.plugins.module_utils._endpoint import Endpoint, parse_endpoint
from ansible_collections.redrive.tasks.plugins.module_utils._errors import InputError


@pytest.mark.parametrize(
    ("text", "endpoint"),
    [
        ("cn-hangzhou.log.aliyuncs.com", Endpoint("https", "cn-hangzhou.log.aliyuncs.com")),
        ("https://api.example.com/", Endpoint("https", "api.example.com")),
        ("https://API.example.com:8443", Endpoint("https", "api.example.com", 8443)),
        ("api.example.com:8443", Endpoint("https", "api.example.com", 8443)),
        (" api.example.com ", Endpoint("https", "api.example.com")),
        ("http://127.0.0.1:8080", Endpoint("http", "127.0.0.1", 8080)),
        ("http://localhost", Endpoint("http", "localhost")),
        ("http://[::1]:8080", Endpoint("http", "::1", 8080)),
    ],
)
def test_what_an_endpoint_may_carry(text: str, endpoint: Endpoint) -> None:
    assert parse_endpoint(text, allow_plaintext=False) == endpoint


@pytest.mark.parametrize(
    "text",
    [
        "https://",
        "ftp://example.com",
        "https://user:secret@example.com",
        "https://example.com/path",
        "https://example.com?x=1",
        "https://example.com#x",
        "https://example.com:0",
        "https://example.com:99999",
        "https://exa mple.com",
        "https://exam\nple.com",
        "https://-example.com",
        "https://exa_mple.com",
        "https://example..com",
        "https://[::1",
        "https://%2e%2e",
    ],
)
def test_what_it_may_not_carry(text: str) -> None:
    with pytest.raises(InputError, match="endpoint is not usable"):
        parse_endpoint(text, allow_plaintext=False)


def test_a_password_in_it_is_not_repeated() -> None:
    with pytest.raises(InputError) as caught:
        parse_endpoint("https://user:pass-word@example.com", allow_plaintext=False)
    assert "pass-word" not in str(caught.value)


@pytest.mark.parametrize("host", ["example.com", "10.0.0.1", "169.254.169.254", "localhost.example.com", "[fe80::1]"])
def test_plain_http_to_another_machine_must_be_asked_for(host: str) -> None:
    with pytest.raises(InputError, match="allow_plaintext"):
        parse_endpoint(f"http://{host}", allow_plaintext=False)
    assert parse_endpoint(f"http://{host}", allow_plaintext=True).scheme == "http"


@pytest.mark.parametrize(
    ("endpoint", "url"),
    [
        (Endpoint("https", "example.com"), "https://shop.example.com"),
        (Endpoint("http", "example.com", 81), "http://shop.example.com:81"),
    ],
)
def test_a_prefix_becomes_part_of_the_host(endpoint: Endpoint, url: str) -> None:
    assert endpoint.base_url("shop") == url


def test_an_ipv6_address_is_bracketed() -> None:
    assert Endpoint("http", "::1", 8080).base_url() == "http://[::1]:8080"


@pytest.mark.parametrize(
    ("host", "direct"), [("127.0.0.1", True), ("::1", True), ("localhost", True), ("10.1.2.3", True), ("a.b", False)]
)
def test_nothing_is_prefixed_to_an_address(host: str, direct: bool) -> None:
    assert Endpoint("https", host).is_direct is direct
