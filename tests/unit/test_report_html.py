# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report in HTML: what it says, and what no text in it can do. tests/browser looks at it in a browser."""

from __future__ import annotations

import base64
import hashlib
import re
import time
from collections import Counter
from html.parser import HTMLParser
from typing import Any

import jinja2
import pytest

from ansible_collections.redrive.tasks.plugins.plugin_utils import _document, _html
from ansible_collections.redrive.tasks.plugins.plugin_utils._document import Frame, Part, iso
from ansible_collections.redrive.tasks.plugins.plugin_utils._html import FATES, MOST_TASKS, fate_of, fates_of, html
from ansible_collections.redrive.tasks.plugins.plugin_utils._timeline import timeline
from unit import documents
from unit.documents import BUSY, HOUR, STARTED, Document, entry, sent

# Elements without an end.
_VOID = {"meta", "input", "br", "img", "link", "hr"}

HOSTILE = (
    "<script>document.title = 'owned'</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</style></script></title></textarea><h1>owned</h1>",
    "<!-- <![CDATA[ ]]> -->",
    "{{ 7 * 7 }}{% raw %}{# #}",
    "javascript:alert(1)",
    "&lt;b&gt;&amp;&#60;",
    "\u202ereversed\u2066\u200bhidden\ufeff",
    "line\r\nfeed\x00nul\x1b[31mred\x9b",
    "half of a pair \ud800",
    "a" * 20_000,
    "Здравствуй 世界 مرحبا 🎉",
)


class Tree(HTMLParser):
    """The elements of a page with their attributes; complains of what is not well-formed."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self._open: list[str] = []
        self.feed(page)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _value in attrs]
        assert len(names) == len(set(names)), (tag, names)
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in _VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self._open
        assert self._open.pop() == tag, tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] not in ("style", "script"):
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.texts).split())

    @property
    def shape(self) -> list[tuple[str, tuple[str, ...]]]:
        """What no text may change: the elements and the names of their attributes."""
        return [(tag, tuple(attributes)) for tag, attributes in self.elements]

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


def rows(tree: Tree) -> list[dict[str, str]]:
    return [row for row in tree.all("tr") if "data-fate" in row]


@pytest.fixture(params=documents.ALL)
def document(request: pytest.FixtureRequest) -> Document:
    return documents.ALL[request.param]()


class TestEveryPage:
    def test_is_well_formed_and_has_one_name_for_each_part(self, document: Document) -> None:
        tree = Tree(html(document))
        ids = [attributes["id"] for _tag, attributes in tree.elements if "id" in attributes]
        assert len(ids) == len(set(ids))
        for _tag, attributes in tree.elements:
            if "aria-labelledby" in attributes:
                assert attributes["aria-labelledby"] in ids
            if "href" in attributes:
                assert attributes["href"].removeprefix("#") in ids

    def test_has_headings_in_order(self, document: Document) -> None:
        levels = [int(tag[1]) for tag, _attributes in Tree(html(document)).elements if re.fullmatch("h[1-6]", tag)]
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert all(later <= earlier + 1 for earlier, later in zip(levels, levels[1:]))

    def test_loads_nothing(self, document: Document) -> None:
        page = html(document)
        tree = Tree(page)
        assert not {tag for tag, _attributes in tree.elements} & {"link", "img", "iframe", "object", "base", "form"}
        assert not {name for _tag, attributes in tree.elements for name in attributes} & {"src", "srcset", "action"}
        assert "style" not in {name for _tag, attributes in tree.elements for name in attributes}
        assert not re.search(r"@import|url\((?!#)|https?:(?!//www\.gnu\.org)", page)

    def test_admits_its_own_style_and_script_and_nothing_else(self, document: Document) -> None:
        page = html(document)
        policy = next(one["content"] for one in Tree(page).all("meta") if "http-equiv" in one)
        assert policy.startswith("default-src 'none'; ")
        assert "unsafe" not in policy
        for tag in ("style", "script"):
            (content,) = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
            value = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
            assert f"{tag}-src 'sha256-{value}'" in policy

    def test_says_what_it_is(self, document: Document) -> None:
        tree = Tree(html(document))
        assert tree.all("html") == [{"lang": "en"}]
        assert document["digest"] in tree.text
        marks = {"plan": "PLAN. Nothing has been retried yet", "preview": "PREVIEW. Nothing was retried"}
        for kind, mark in marks.items():
            assert (mark in tree.text) is (document["kind"] == kind)

    def test_has_each_task_once(self, document: Document) -> None:
        shown = Counter(int(row["data-target"]) for row in rows(Tree(html(document))))
        assert shown == Counter({n: len(one["tasks"]) for n, one in enumerate(document["targets"]) if one["tasks"]})

    def test_counts_the_tasks_of_a_cause_as_the_document_does(self, document: Document) -> None:
        shown: dict[int, Counter[str]] = {}
        for row in rows(Tree(html(document))):
            if row["data-cause"]:
                shown.setdefault(int(row["data-cause"]), Counter())[row["data-fate"]] += 1
        assert shown == {number: Counter(fates_of(row)) for number, row in enumerate(document["causes"])}
        assert all(sum(fates_of(row).values()) == row["count"] for row in document["causes"])


class TestTexts:
    @pytest.mark.parametrize("kind", ["run", "preview", "plan"])
    @pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
    def test_are_never_markup(self, text: str, kind: str) -> None:
        page = html(documents.hostile(text, kind))
        assert Tree(page).shape == Tree(html(documents.hostile("plain", kind))).shape
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]", page)
        page.encode()

    @pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
    def test_are_in_no_script_and_no_style(self, text: str) -> None:
        def ours(page: str) -> list[str]:
            return re.findall(r"<(?:style|script)>.*?</(?:style|script)>", page, re.DOTALL)

        assert ours(html(documents.hostile(text))) == ours(html(documents.empty()))

    def test_are_shown_as_they_are(self) -> None:
        tree = Tree(html(documents.hostile("<b>bold</b> & \"quoted\" 'text'")))
        assert tree.text.count("<b>bold</b> & \"quoted\" 'text'") > 20

    def test_that_are_long_are_cut(self) -> None:
        assert len(html(documents.hostile("x" * 100_000))) < 200_000


class TestVerdict:
    def heading(self, document: Document) -> str:
        page = html(document)
        return " ".join(re.sub("<[^>]*>", " ", page[page.index("<h1") : page.index("</h1>")]).split())

    def test_names_the_first_moment_that_counts(self) -> None:
        said = "66 tasks of 6 causes need a person, the first by 2026-11-23 04:53 UTC , in 2 h 51 min ."
        assert self.heading(documents.run()) == said

    def test_is_calm_when_nothing_is_left(self) -> None:
        assert self.heading(documents.calm()) == "Nothing is left for a person."
        assert "What a person must do" not in Tree(html(documents.calm())).text

    def test_of_no_target(self) -> None:
        assert "Nothing to do: there is no target." in Tree(html(documents.empty())).text

    def test_says_that_a_target_was_not_worked_on(self) -> None:
        document = _document.document(
            Frame("run", STARTED, STARTED, documents.NOBODY),
            [Part("db", "databases", "drs", {}, error="The login was refused.")],
        )
        assert self.heading(document) == "Not all targets could be worked on."
        assert "databases was not worked on: The login was refused." in Tree(html(document)).text

    def test_says_why_all_was_held(self) -> None:
        text = Tree(html(documents.held())).text
        assert "All was held back. Nothing was retried, because it is outside of the window" in text
        assert "shop front was held back: 251 tasks of all targets would be retried" in text

    def test_says_what_was_not_seen_to_end(self) -> None:
        tasks = [entry("1", BUSY, age=1, **sent(after="running")), entry("2", BUSY, age=1, **sent())]
        part = Part("shop", "shop", "sls", documents.result(tasks))
        document = _document.document(Frame("run", STARTED, STARTED, documents.NOBODY), [part])
        assert self.heading(document).startswith("1 task not seen to end")


class TestContent:
    def test_what_a_person_must_do_comes_most_urgent_first(self) -> None:
        page = html(documents.run())
        cards = page[page.index('<ol class="cards">') : page.index("</section>", page.index('<ol class="cards">'))]
        moments = re.findall(r'data-until="([^"]+)"', cards)
        assert moments == sorted(moments)
        text = Tree(cards).text
        assert "Correct the rule or create the bucket in the project's region, then retry." in text
        assert "Retry just this cause with redrive.tasks.remediate_cause and plan_codes=InvalidOssBucket." in text

    def test_says_what_has_drifted(self) -> None:
        text = Tree(html(documents.applied())).text
        assert "Since the plan was approved" in text
        assert "shop front: 1 healed by itself or under way, 2 no longer shown" in text

    def test_says_what_was_tried_first_and_tells_targets_of_one_name_apart(self) -> None:
        text = Tree(html(documents.canary())).text
        assert "Whythe task of this cause that was tried first (n0) failed again" in text
        assert "Wheredup (a): " in text
        assert "Whythe task" not in Tree(html(documents.run())).text

    def test_says_hours_without_a_fraction_where_there_is_none(self) -> None:
        text = Tree(html(documents.run())).text
        assert "within 6 hours." in text
        assert "within 6 h" in text
        assert "6.0" not in text
        half = Tree(html({**documents.run(), "expiry_warning": 1.5})).text
        assert "within 1.5 hours." in half

    def test_says_who_and_why(self) -> None:
        said = "by ansible on schedule every night from Redrive failed tasks as job 4711. Reason: OSS had an outage"
        assert said in Tree(html(documents.run())).text

    def test_says_why_the_job_fails_and_what_was_warned_of(self) -> None:
        text = Tree(html(documents.run())).text
        assert "Why the job fails" in text
        assert "ledger: Clock of the service and of this machine differ by 40 s." in text
        assert "ledger: The task is being retried by someone else." in text

    def test_urgent_tasks_come_first_in_the_table(self) -> None:
        families = [FATES[row["data-fate"]].family for row in rows(Tree(html(documents.run())))]
        assert set(families[:66]) == {"bad", "person"}
        assert set(families[-215:]) == {"well"}

    @pytest.mark.parametrize(
        ("more", "held", "fate"),
        [
            ({}, False, "planned"),
            ({}, True, "held"),
            ({"outcome": "planned"}, True, "held"),
            (sent(), True, "recovered"),
            (sent(after="failed"), False, "failed_again"),
            (sent(after="running"), False, "unseen"),
            (sent(after="missing"), False, "unseen"),
            (sent("refused"), False, "refused"),
            (sent("unknown"), False, "unknown"),
            (sent("not_attempted"), False, "not_attempted"),
            ({"action": "skip"}, False, "left"),
            ({"action": "skip"}, True, "left"),
            ({"action": "none", "state_after": "running"}, False, "healed"),
        ],
    )
    def test_each_task_has_one_fate(self, more: dict[str, Any], held: bool, fate: str) -> None:
        assert fate_of(entry("1", BUSY, age=1, **more), held=held) == fate


class TestMany:
    def test_are_counted_all_and_shown_in_part(self) -> None:
        many = documents.large()
        page = html(many)
        tree = Tree(page)
        assert len(rows(tree)) == MOST_TASKS
        assert {row["data-fate"] for row in rows(tree)} == {"left"}
        assert "The 2000 most urgent of 20000 tasks. The JSON report has the other 18000 as well." in tree.text
        bars = page[page.index('<ol class="bars">') : page.index('id="expiry"')]
        assert sum(map(int, re.findall(r"</span> <b>(\d+)</b>", bars))) == many["totals"]["failed"] == 20_000
        assert "588 other causes together" in bars
        numbers = page[page.index('<table class="numbers">') : page.index('id="targets"')]
        assert sum(map(int, re.findall(r"<td>(\d+)</td>", numbers))) == 20_000
        assert "And 100 causes more: the JSON report has all." in tree.text

    def test_are_made_into_a_page_within_two_seconds(self) -> None:
        many = documents.large()
        before = time.process_time()
        assert len(html(many)) < 2_500_000
        assert time.process_time() - before < 2

    def test_targets_and_warnings_are_bounded_too(self) -> None:
        target = Part("h", "t", "sls", documents.result([], warned=["w"]))
        document = _document.document(Frame("run", STARTED, STARTED, documents.NOBODY), [target] * 1200)
        tree = Tree(html(document))
        assert "And 700 targets more: the JSON report has all." in tree.text
        assert "And 1100 lines more: the JSON report has all." in tree.text


class TestTimeline:
    @staticmethod
    def at(*hours: float) -> list[tuple[str | None, str]]:
        return [(iso(STARTED + one * HOUR), "person") for one in hours]

    def test_of_nothing_dated_is_none(self) -> None:
        assert timeline(iso(STARTED), 6, [(None, "person")]) is None

    def test_holds_what_expires_at_its_very_end(self) -> None:
        made = timeline(iso(STARTED), 6, self.at(0, 1, 1.5, 12))
        assert made is not None
        assert [one.total for one in made.bars] == [2, 1, *[0] * 9, 1]
        assert made.bars[0].words == "0 h to 1 h"
        assert made.bars[0].until == iso(STARTED + HOUR)

    def test_counts_what_has_expired_already_in_its_first_bar(self) -> None:
        made = timeline(iso(STARTED), 6, self.at(-5, 40))
        assert made is not None
        assert made.bars[0].total == 1
        assert made.soon == 1

    @pytest.mark.parametrize(
        ("last", "bars", "until"),
        [(0, 1, 0.25), (0.1, 1, 0.25), (3, 12, 3), (3.1, 7, 3.5), (48, 12, 48), (72, 12, 72), (288, 12, 288)],
    )
    def test_has_at_most_twelve_bars_that_end_where_the_last_task_does(
        self, last: float, bars: int, until: float
    ) -> None:
        made = timeline(iso(STARTED), 6, self.at(last))
        assert made is not None
        assert len(made.bars) == bars
        assert made.bars[-1].until == iso(STARTED + until * HOUR)
        assert not made.bars[-1].open_end
        assert len(made.marks) <= 5

    def test_puts_what_is_far_away_into_its_last_bar(self) -> None:
        made = timeline(iso(STARTED), 6, [*self.at(3, 300), ("9999-12-31T23:59:59Z", "well")])
        assert made is not None
        assert made.bars[-1].open_end
        assert made.bars[-1].words == "after 11 d"
        assert made.bars[-1].total == 2

    def test_marks_the_limit_of_the_warning_where_that_is_on_it(self) -> None:
        near, far = timeline(iso(STARTED), 6, self.at(12)), timeline(iso(STARTED), 6, self.at(3))
        assert near is not None
        assert far is not None
        assert near.limit == pytest.approx(near.left + near.width / 2)
        assert far.limit is None

    def test_its_blocks_stand_on_each_other_and_fit(self) -> None:
        groups = [("person", 3), ("way", 1), ("well", 900)]
        made = timeline(
            iso(STARTED), 6, [(iso(STARTED + HOUR), name) for name, number in groups for _n in range(number)]
        )
        assert made is not None
        blocks = made.bars[-1].blocks
        assert [block.group for block in blocks] == ["person", "way", "well"]
        assert all(block.height >= 2 for block in blocks)
        assert blocks[1].y + blocks[1].height == pytest.approx(blocks[0].y)
        assert blocks[-1].y > 15


def test_a_template_that_names_what_is_not_there_fails() -> None:
    environment = _html._template().environment
    with pytest.raises(jinja2.UndefinedError):
        environment.from_string("{{ absent }}").render()
