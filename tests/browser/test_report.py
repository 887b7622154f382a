# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The HTML report in a real browser: on a phone, in the dark, on paper, by keyboard, without scripts, among enemies."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from itertools import pairwise
from typing import Any

import pytest

from browser.chromium import DESKTOP, PHONE, Page
from browser.conftest import Report
from unit import documents

NAMES = [*documents.ALL, "hostile", "endless"]
SMALL = (320, 640)
TAB_STOPS = 80

SHOWN = "[...document.querySelectorAll('#task-table tbody tr')].filter((row) => row.getClientRects().length).length"
COUNT = "document.getElementById('filter-count').textContent"
FOCUS = "document.activeElement.id"


def axe(page: Page) -> list[str]:
    """What axe-core finds wrong, as rule and elements. Of the tasks it sees ten: the others are like them."""
    page.run("[...document.querySelectorAll('#task-table tbody tr')].slice(10).forEach((row) => row.remove())")
    if page.run("typeof axe") == "undefined":
        page.run(files("axe_core_python").joinpath("axe.min.js").read_text(encoding="utf-8"))
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]
    options = json.dumps({"runOnly": tags, "resultTypes": ["violations"]})
    found: list[dict[str, Any]] = page.run(f"axe.run({options}).then((result) => result.violations)")
    return [f"{one['id']}: {[node['html'][:200] for node in one['nodes'][:3]]}" for one in found]


def tab_to(page: Page, name: str) -> None:
    """Go on by keyboard until the element with this id has the focus."""
    for _stop in range(TAB_STOPS):
        page.tab()
        if page.run(FOCUS) == name:
            return
    pytest.fail(f"{name} is not reached by {TAB_STOPS} presses of Tab")


class TestAccessibility:
    @pytest.mark.parametrize("scheme", ["light", "dark"])
    @pytest.mark.parametrize(("name", "size"), [("applied", PHONE), ("held", DESKTOP), ("preview", PHONE)])
    def test_axe_finds_nothing(self, page: Page, report: Report, name: str, size: tuple[int, int], scheme: str) -> None:
        page.look(size=size, scheme=scheme)
        page.open(report(name))
        assert axe(page) == []

    @pytest.mark.parametrize("name", ["run", "plan", "calm", "empty", "hostile"])
    def test_axe_finds_nothing_in_other_reports(self, page: Page, report: Report, name: str) -> None:
        page.open(report(name))
        page.run("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        assert axe(page) == []

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_signs_and_bars_stand_out(self, page: Page, report: Report, scheme: str) -> None:
        """3 to 1 for what is drawn, 4.5 to 1 for words: WCAG 2.1, AA."""
        page.look(scheme=scheme)
        page.open(report("run"))
        least = {"text": 4.5, "soft": 4.5, "accent": 4.5, "bad": 4.5, "person": 3, "well": 3, "way": 3, "none": 3}
        style = "getComputedStyle(document.documentElement)"
        colours = {name: page.run(f"{style}.getPropertyValue('--{name}')") for name in [*least, "surface", "page"]}
        for name, number in least.items():
            for behind in ("surface", "page"):
                assert contrast(colours[name], colours[behind]) >= number, (name, behind)

    @pytest.mark.parametrize("size", [PHONE, DESKTOP])
    def test_a_screen_reader_is_given_a_table_at_any_size(
        self, page: Page, report: Report, size: tuple[int, int]
    ) -> None:
        page.look(size=size)
        page.open(report("applied"))
        nodes = page.call("Accessibility.getFullAXTree")["nodes"]
        roles = [node["role"]["value"] for node in nodes if not node["ignored"] and "role" in node]
        assert roles.count("columnheader") >= 5
        assert roles.count("rowheader") >= 15
        assert roles.count("cell") >= 4 * 15
        for landmark in ("banner", "main", "navigation", "contentinfo", "search"):
            assert roles.count(landmark) == 1, landmark
        assert "status" in roles


def contrast(one: str, other: str) -> float:
    """Of two colours like #aabbcc, as WCAG reckons it."""

    def light(colour: str) -> float:
        parts = [int(colour.strip()[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    darker, lighter = sorted((light(one), light(other)))
    return (lighter + 0.05) / (darker + 0.05)


class TestSize:
    @pytest.mark.parametrize("name", NAMES)
    def test_nothing_is_wider_than_the_screen(self, page: Page, report: Report, name: str) -> None:
        for size in (SMALL, (360, 740), (800, 600), DESKTOP):
            page.look(size=size)
            page.open(report(name))
            page.run("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
            assert page.run("innerWidth") == size[0]
            assert page.run("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
            cut = "[...document.querySelectorAll('h1, h2, h3, p, dd, td, th, li, button, select')]"
            cut += ".filter((one) => one.getClientRects().length && !one.closest('.unseen, thead'))"
            cut += ".filter((one) => one.getBoundingClientRect().right > innerWidth + 1).map((one) => one.outerHTML)"
            assert page.run(cut) == []

    def test_what_is_pressed_is_large_enough_on_a_phone(self, page: Page, report: Report) -> None:
        page.look(size=PHONE)
        page.open(report("run"))
        small = "[...document.querySelectorAll('nav a, button, input, select, summary')]"
        small += ".filter((one) => one.getClientRects().length && one.getBoundingClientRect().height < 24)"
        assert page.run(f"{small}.map((one) => one.outerHTML)") == []


class TestKeyboard:
    def test_the_first_stop_leads_to_the_report(self, page: Page, report: Report) -> None:
        page.open(report("run"))
        page.tab()
        assert page.run("document.activeElement.textContent") == "Skip to the report"
        assert page.run("document.activeElement.getBoundingClientRect().top") >= 0
        page.enter()
        assert page.run("location.hash") == "#main"

    def test_every_stop_is_seen(self, page: Page, report: Report) -> None:
        page.open(report("run"))
        seen = []
        for _stop in range(TAB_STOPS):
            page.tab()
            if page.run("document.activeElement === document.body"):
                break
            assert page.run("getComputedStyle(document.activeElement).outlineStyle") == "solid"
            seen.append(page.run("document.activeElement.getBoundingClientRect().top + scrollY"))
        assert len(seen) > 20
        # From the top to the bottom; what stands in one line, or in two columns, may be of different height.
        assert all(later > earlier - 700 for earlier, later in pairwise(seen))

    def test_the_filter_works_and_says_how_much_it_shows(self, page: Page, report: Report) -> None:
        page.open(report("run"))
        assert page.run(COUNT) == "Showing 100 of 286 tasks."
        tab_to(page, "filter-text")
        page.type("a7d0 bucket")
        assert page.run(COUNT) == "Showing 40 of 40 that fit, of 286 tasks."
        assert page.run(SHOWN) == 40
        page.type("zzz")
        assert page.run(COUNT) == "No task fits, of 286 tasks."
        tab_to(page, "filter-reset")
        page.enter()
        assert page.run(COUNT) == "Showing 100 of 286 tasks."
        assert page.run(FOCUS) == "filter-text"
        tab_to(page, "filter-fate")
        page.type("f")  # the first letter of the choice
        assert page.run("document.activeElement.selectedOptions[0].textContent") == "failed again"
        assert page.run(COUNT) == "Showing 6 of 6 that fit, of 286 tasks."
        assert page.complaints == []

    def test_more_tasks_are_shown_and_read_on_from(self, page: Page, report: Report) -> None:
        page.open(report("run"))
        tab_to(page, "more")
        page.enter()
        assert page.run(COUNT) == "Showing 200 of 286 tasks."
        assert page.run("document.activeElement.sectionRowIndex") == 100
        tab_to(page, "more")
        page.enter()
        assert page.run(SHOWN) == 286
        assert page.run("document.getElementById('more').hidden")

    def test_the_tasks_of_a_cause_are_one_press_away(self, page: Page, report: Report) -> None:
        page.open(report("run"))
        page.run("document.querySelector('button[data-cause]').focus()")
        page.enter()
        assert page.run(FOCUS) == "filter-cause"
        assert page.run(COUNT) == "Showing 40 of 40 that fit, of 286 tasks."
        assert page.run("document.getElementById('tasks').getBoundingClientRect().top") < DESKTOP[1]


class TestEnemies:
    @pytest.mark.parametrize("name", NAMES)
    def test_nothing_of_ours_is_blocked_and_no_error_is_shown(self, page: Page, report: Report, name: str) -> None:
        page.open(report(name))
        page.run("new Promise(requestAnimationFrame)")
        assert page.complaints == []
        assert page.run("document.styleSheets.length") == 1

    def test_no_text_runs(self, page: Page, report: Report) -> None:
        page.open(report("hostile"))
        tab_to(page, "filter-text")
        page.type("img")
        assert page.run("typeof owned") == "undefined"
        assert page.run("document.querySelectorAll('img, iframe, svg[onload]').length") == 0
        assert page.run("document.scripts.length") == 1
        assert page.run("document.body.textContent.split('<img src=x onerror=').length") > 20

    @pytest.mark.parametrize(
        "attack",
        [
            "document.body.append(Object.assign(document.createElement('script'), { textContent: 'owned = 1' }))",
            "document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.owned = 1\">')",
            "document.body.setAttribute('onclick', 'window.owned = 1'); document.body.click()",
            "location.href = 'javascript:window.owned = 1'",
        ],
    )
    def test_even_markup_would_be_stopped_by_the_policy(self, page: Page, report: Report, attack: str) -> None:
        page.open(report("calm"))
        page.run(f"{attack}; new Promise((done) => setTimeout(done, 50))")
        assert page.run("typeof owned") == "undefined"
        assert page.complaints != []


class TestPaper:
    def test_all_rows_are_printed_whatever_the_filter_hides(self, page: Page, report: Report) -> None:
        page.open(report("run"))
        whole = sheets(page.pdf())
        tab_to(page, "filter-text")
        page.type("zzz")
        assert page.run("document.getElementById('task-table').hidden")
        page.look(scheme="dark", media="print")
        assert page.run(SHOWN) == 286
        assert page.run("document.querySelector('.filter').getClientRects().length") == 0
        page.look(scheme="dark")
        assert sheets(page.pdf()) == whole > 10

    def test_paper_is_white(self, page: Page, report: Report) -> None:
        page.look(scheme="dark", media="print")
        page.open(report("run"))
        white, black = "rgb(255, 255, 255)", "rgb(0, 0, 0)"
        for place in ("body", "main > section", ".stop"):
            assert page.run(f"getComputedStyle(document.querySelector('{place}')).backgroundColor") == white, place
        assert page.run("getComputedStyle(document.body).color") == black


def sheets(pdf: bytes) -> int:
    assert pdf.startswith(b"%PDF-")
    return max(int(number) for number in re.findall(rb"/Count (\d+)", pdf))


class TestWithoutScripts:
    def test_the_table_is_plain_and_whole(self, page: Page, report: Report) -> None:
        page.scripts(on=False)
        page.open(report("run"))
        assert page.run(SHOWN) == 286
        hidden = "[...document.querySelectorAll('.filter, button, #filter-count')]"
        assert page.run(f"{hidden}.every((one) => !one.getClientRects().length)")
        assert page.complaints == []


class TestLooks:
    def test_it_follows_the_colours_of_the_reader(self, page: Page, report: Report) -> None:
        page.open(report("run"))
        background = "getComputedStyle(document.body).backgroundColor"
        light = page.run(background)
        page.look(scheme="dark")
        assert page.run(background) != light

    def test_a_bar_is_as_long_as_its_numbers_say(self, page: Page, report: Report) -> None:
        page.open(report("run"))
        bars = "[...document.querySelectorAll('.bars > li')].map((bar) => [+bar.querySelector('b').textContent,"
        bars += " [...bar.querySelectorAll('rect:not(.over)')].reduce((sum, one) => sum + one.getBBox().width, 0)])"
        numbers = page.run(bars)
        scale = numbers[0][1] / numbers[0][0]
        assert all(width == pytest.approx(number * scale, abs=0.5) for number, width in numbers)

    def test_what_is_left_is_told_by_the_clock_of_the_reader(self, page: Page, report: Report) -> None:
        page.call("Emulation.setTimezoneOverride", timezoneId="Asia/Kolkata")
        page.call("Emulation.setLocaleOverride", locale="en-US")
        page.open(report("run"))
        said = page.run("document.querySelector('.live').textContent")
        assert re.match(r"On your clock Mon,? 10:23 AM, ", said)

    def test_ten_thousands_of_tasks_are_shown_at_once(self, page: Page, report: Report) -> None:
        page.look(size=PHONE)
        page.open(report("large"))
        assert page.run(COUNT) == "Showing 100 of 2000 tasks."
        assert page.run("performance.timing.domComplete - performance.timing.responseStart") < 10_000
        assert page.complaints == []
