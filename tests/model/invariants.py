# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is true of every run, whatever the world was and whatever happened meanwhile.

Each invariant is a function of a run that has ended; it compares what the run says with the ledger of the simulated
cloud. `hold` checks all. What an invariant excuses is said in its words, and why nobody could do better.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby, takewhile
from typing import Any

from model.bridge import Entry, Reply
from model.cases import Obstacle, Trouble
from model.interleaving import Strand
from model.oracle import Due, asked_ids, dues, is_unsteady, may_end_early
from model.playing import Running
from model.sides import Key

_OUTCOMES = ("accepted", "refused", "unknown", "not_attempted")
_FAILED_AFTER = ("failed", "cancelled", "paused")
_EPSILON = 1e-6


class BrokenError(AssertionError):
    """An invariant does not hold; `name` says which."""

    def __init__(self, name: str, words: str, run: Running) -> None:
        super().__init__(f"{name}: {words}\n{describe(run)}")
        self.name = name


def describe(run: Running) -> str:
    """The run, for whoever has to understand what went wrong."""
    lines = [f"  {one}" for one in run.entries]
    tasks = [
        f"  {task['id'][:8]} {task['state']}: {task['action']}, {task['outcome']}, after {task.get('state_after')}"
        for task in run.result.get("tasks", ())
    ]
    return "\n".join([str(run.result.get("msg")), *tasks, "requests:", *lines, *run.warnings])


Invariant = Callable[[Running], None]
INVARIANTS: dict[str, Invariant] = {}


def invariant(check: Invariant) -> Invariant:
    """Registers it."""
    INVARIANTS[check.__name__] = check
    return check


def hold(run: Running) -> None:
    """All of them hold.

    :raises BrokenError: one does not
    """
    for name, check in INVARIANTS.items():
        try:
            check(run)
        except AssertionError as error:
            raise BrokenError(name, str(error), run) from error


# -- what an invariant asks --------------------------------------------------------------------------------------------


def told(run: Running) -> dict[Key, Mapping[str, Any]]:
    """What the run says of each task, without those that it did not find.

    A task whose id changed while it was listed is told twice, by either id; what counts is the one that was retried.
    """
    side, found = run.side, [task for task in run.result.get("tasks", ()) if task["state"] != "missing"]
    keys = [run.bridge.canonical((side.place_number(side.place_in(task["scope"])), task["id"])) for task in found]
    tasks = dict(zip(keys, found))
    for outcomes in (("refused",), ("accepted", "unknown")):
        tasks.update((key, task) for key, task in zip(keys, found) if task["outcome"] in outcomes)
    return tasks


def changes(run: Running) -> list[Entry]:
    """Requests that may have changed something."""
    return [one for one in run.entries if one.changes]


def sent(run: Running) -> dict[Key, list[Entry]]:
    """The requests that named each task for a retry."""
    found: dict[Key, list[Entry]] = {}
    for entry in changes(run):
        for key in entry.keys:
            found.setdefault(key, []).append(entry)
    return found


def executed(run: Running) -> set[Key]:
    """The tasks of which a retry by this run took effect."""
    return {key for entry in run.entries for key in entry.executed}


def surely_undone(entry: Entry, run: Running) -> bool:
    """Whether a careful client knows that nothing of this call was carried out, and that it may be sent again."""
    if entry.reply is Reply.UNREACHED:
        return True
    again = entry.code == run.side.throttle or entry.code in run.side.unread
    return entry.reply is Reply.REFUSED and again and (entry.status or 0) < 500


def is_unclear(entry: Entry, key: Key) -> bool:
    """Whether the reply leaves open what became of the task."""
    if entry.reply is Reply.UNREACHED:
        return False
    return not (entry.reply is Reply.GOOD and entry.whole) or key in entry.silent


def is_taken(entry: Entry, key: Key, run: Running) -> bool:
    """Whether the service took the retry of this task, of which it makes nothing then."""
    known = run.bridge.by_key().get(key)
    return known is not None and "ignored" in known.seed.then and entry.carried_out


def others_were_at_it(run: Running, key: Key) -> bool:
    """Whether somebody else than this run may have moved the task, or it moves by itself."""
    tracked = run.bridge.by_key().get(key)
    return tracked is None or is_unsteady(tracked, run)


def acting(run: Running) -> bool:
    """Whether the run retries, and came so far."""
    return not (run.check or run.informs) and "tasks" in run.result


def looks(run: Running, key: Key) -> Iterator[Entry]:
    """The reads that showed the task to the run."""
    return (one for one in run.entries if not one.changes and key in one.shown)


# -- what is sent ------------------------------------------------------------------------------------------------------


@invariant
def only_a_real_run_sends(run: Running) -> None:
    """Check mode, an info module, and a run that ended before its plan, never send anything that changes something."""
    if not acting(run):
        assert not changes(run), "a change was sent"


@invariant
def nothing_is_sent_twice(run: Running) -> None:
    """A task is sent once in one run, unless every earlier call is known not to have been carried out.

    The simulated cloud is asked too: of a task that was sent again, no earlier retry may have taken effect. A task that
    got another id, because somebody else retried it while it was listed, may be shown and sent as two.
    """
    for key, entries in sent(run).items():
        for place, earlier in enumerate(entries[:-1]):
            if not any(earlier.id_of(key) == later.id_of(key) for later in entries[place + 1 :]):
                continue
            assert surely_undone(earlier, run), f"{key} was sent again after {earlier}"
            assert not earlier.executed, f"{key} was sent again although {earlier} took effect"
        assert sum(key in one.executed for one in entries) <= 1, f"{key} was retried more than once"


@invariant
def no_call_names_a_task_twice_or_too_many(run: Running) -> None:
    """Every retry call names tasks of one place, each once, and no more than a batch."""
    most = min(filter(None, (run.batch, run.side.front.facts.batch_size)))
    for entry in changes(run):
        assert 1 <= len(entry.keys) <= most, f"{entry} names {len(entry.keys)} tasks"
        assert len(set(entry.keys)) == len(entry.keys), f"{entry} names a task twice"


@invariant
def only_what_was_seen_failed_is_sent(run: Running) -> None:
    """What a run sends was failed (or stopped by a person, where asked for) when the run last looked at it.

    The last reply that showed the task and had arrived when the retry left. Between the two the world may change, which
    nobody can exclude. Where a run does not look again before it sends, because the service does not retry by itself,
    it is enough that one look found the task failed: a look at others may show it in passing, and nobody takes note.
    """
    fit = run.side.failed_words + (run.side.stopped_words if run.choice.stopped_too else ())
    for key, entries in sent(run).items():
        for entry in entries:
            words = [one.shown[key] for one in looks(run, key) if one.replied_before(entry)]
            assert words, f"{key} was sent without a look"
            found = words[-1:] if run.side.looks_twice else words
            assert set(found) & set(fit), f"{key} was sent when last seen as {words[-1]}"


def _is_of(operation: str, entry: Entry) -> bool:
    return entry.operation == operation


@invariant
def what_may_heal_by_itself_is_looked_at_last(run: Running) -> None:
    """Where the service retries by itself too, the last thing before a retry is a look at the tasks that it names."""
    if not run.side.looks_twice:
        return
    for key, entries in sent(run).items():
        before = [one for one in run.entries if one.strand is entries[0].strand and one.number < entries[0].number]
        reads = [one for one in before if one.operation != "CreateToken"]
        kind = reads[-1].operation if reads else ""
        last = list(takewhile(partial(_is_of, kind), reversed(reads)))
        assert any(key in one.shown for one in last), f"{key} was sent without a last look"


@invariant
def only_what_is_failed_is_sent(run: Running) -> None:
    """By the cloud's own truth, what arrives for a retry is failed, or stopped where that is asked for.

    Unless somebody else, or the task by itself, may have changed it since the run looked.
    """
    fit = ("failed", "stopped") if run.choice.stopped_too else ("failed",)
    for key, entries in sent(run).items():
        if not others_were_at_it(run, key):
            for entry in entries:
                truth = entry.truths.get(key, "failed")  # nothing is known of what never arrived
                assert truth in fit, f"{key} was {truth} when {entry} arrived"


@invariant
def only_what_is_due_is_sent(run: Running) -> None:
    """No task is sent that the options leave out: by id, place, window, filter, rule, class or state."""
    due = dues(run)
    for key in sent(run):
        assert key in due, f"{key} was sent, which nobody knows"
        assert due[key] is not Due.NO, f"{key} was sent, which is not due"


@invariant
def max_tasks_holds(run: Running) -> None:
    """Never are more tasks sent than max_tasks allows; and if more are to be retried, none is, and the run fails."""
    most = run.choice.max_tasks
    if most is not None and "tasks" in run.result:
        assert len(sent(run)) <= most, "too many were sent"
        if sum(task["action"] == "retry" for task in run.result["tasks"]) > most:
            assert not sent(run), "some were sent although too many are due"
            assert run.failed or run.informs, "nobody was told"


@invariant
def attempts_are_bounded(run: Running) -> None:
    """One and the same call is sent no more often than max_attempts says; once more after a renewed login."""
    most = run.options["max_attempts"]
    for strand in {one.strand for one in changes(run)}:
        calls = [one for one in run.entries if one.strand is strand]
        for _call, repeated in groupby(calls, key=lambda one: (one.operation, one.keys)):
            group = list(repeated)
            if group[0].changes:
                assert len(group) <= most + 1, f"{group[0]} was sent {len(group)} times"


# -- when it is sent ---------------------------------------------------------------------------------------------------


@invariant
def nothing_is_sent_after_an_interrupt(run: Running) -> None:
    """No request begins once somebody wants the run to end.

    Excused is one request of each thread that had looked at the brake already, and had not got to send.
    """
    late = [one for one in run.entries if one.begun_after_interrupt and not one.excused]
    assert not late, f"{late[0]} began after the interrupt"


@invariant
def the_brake_holds(run: Running) -> None:
    """After a retry that every further one would fail like, none begins.

    That is one refused for lack of rights, and one that could not reach the service by all its attempts. Where threads
    give way at fine points, excused is one call of each other thread, which had looked at the brake already.
    """
    for cause in changes(run):
        if not _stops(cause, run):
            continue
        after = [one for one in changes(run) if cause.replied_before(one)]
        if run.fine:
            after = [one for number, one in enumerate(after) if one.strand in _strands(after[:number], cause)]
        assert not after, f"{after[0]} began after {cause}"


def _stops(entry: Entry, run: Running) -> bool:
    if entry.trouble is Trouble.DENIED and entry.reply is Reply.REFUSED:
        return True
    if entry.reply is not Reply.UNREACHED:
        return False
    calls = [one for one in changes(run) if one.strand is entry.strand and one.keys == entry.keys]
    return len(calls) == run.options["max_attempts"] and all(one.reply is Reply.UNREACHED for one in calls)


def _strands(entries: Sequence[Entry], cause: Entry) -> set[Strand]:
    return {cause.strand, *(one.strand for one in entries)}


@invariant
def a_locked_account_is_left_alone(run: Running) -> None:
    """After the service said that the account is locked, nothing at all is sent, not even to look.

    Excused is what other threads had begun. A lock that a read met ends the run only where that ends the reading.
    """
    for cause in changes(run):
        if cause.trouble is Trouble.LOCKED and cause.reply is Reply.REFUSED:
            after = [one for one in run.entries if cause.replied_before(one) and one.strand is cause.strand]
            assert not after, f"{after[0]} began after {cause}"


@invariant
def three_calls_in_the_dark_are_enough(run: Running) -> None:
    """After three retry calls in a row of which reading could not tell the outcome, nothing more is sent."""
    if run.options.get("concurrency") not in (None, 1) or run.side.front.facts.concurrency != 1 or not acting(run):
        return
    if run.options["wait"]:  # which may tell later what reading could not tell then
        return
    outcomes = {key: task["outcome"] for key, task in told(run).items()}
    dark = 0
    for entry in changes(run):
        assert dark < 3, f"{entry} began after three calls in the dark"
        unknown = all(outcomes.get(key) == "unknown" for key in entry.keys)
        dark = dark + 1 if unknown and not surely_undone(entry, run) else 0


@invariant
def the_rate_is_kept(run: Running) -> None:
    """With rate_limit, two requests of one API are never nearer to each other than it says."""
    rate = run.options["rate_limit"]
    if rate:
        apis: dict[tuple[str, int], float] = {}
        for entry in run.entries:
            api = (entry.operation, entry.place)
            if entry.operation == "ListShipper":
                continue  # two paths of one operation and no place: two APIs
            last = apis.get(api)
            assert last is None or entry.started >= last + 1 / rate - _EPSILON, f"{entry} came too early"
            apis[api] = entry.started


@invariant
def requests_are_counted(run: Running) -> None:
    """The result tells how many requests were sent, and how many of them the service refused as too many."""
    requests = run.result.get("requests")
    assert requests is not None or not run.entries, "requests are not told"
    if requests is not None:
        assert requests["sent"] == len(run.entries), f"{requests['sent']} requests are told"
        throttled = [one for one in run.entries if one.reply is Reply.REFUSED and one.code == run.side.throttle]
        assert requests["throttled"] == len(throttled), f"{requests['throttled']} are told to be throttled"
        assert 0 <= requests["repeated"] <= max(0, len(run.entries) - 1)


# -- what is told ------------------------------------------------------------------------------------------------------


@invariant
def no_error_is_a_bug(run: Running) -> None:
    """Nothing that a service does makes the module break down; it says why it ended."""
    assert run.result.get("msg"), "nothing is told"
    assert "This is a bug" not in run.result["msg"], run.result.get("traceback", run.result["msg"])
    assert "tasks" in run.result or run.failed, "it ended well without a result"


@invariant
def every_task_ends_in_one_outcome(run: Running) -> None:
    """Each selected task is told once, with one decision, and the one outcome that goes with it."""
    listed = [(tuple(sorted(task["scope"].items())), task["id"]) for task in run.result.get("tasks", ())]
    twice = [one for one, times in Counter(listed).items() if times > 1]
    assert not twice, f"{twice} are told twice"
    for task in run.result.get("tasks", ()):
        action, outcome = task["action"], task["outcome"]
        assert action in ("retry", "none", "skip"), f"{action} is no action"
        if run.informs or action != "retry":
            assert outcome == "none", f"{task['id']}: {action}, {outcome}"
        elif run.check:
            assert outcome in ("planned", "not_attempted"), f"{task['id']}: {action}, {outcome}"
        else:
            assert outcome in _OUTCOMES, f"{task['id']}: {action}, {outcome}"
        assert task["reason"], f"{task['id']} has no reason"


@invariant
def everything_asked_for_is_told(run: Running) -> None:
    """Of every id that was asked for the run tells at least once, in the order of the question; of no other."""
    asked = asked_ids(run)
    if asked is not None and "tasks" in run.result:
        assert list(dict.fromkeys(task["id"] for task in run.result["tasks"])) == asked


@invariant
def the_order_is_stable(run: Running) -> None:
    """Results come oldest first, then by scope and id, whatever the service and the threads did."""
    if asked_ids(run) is None:
        keys = [
            (task["created"] or "", tuple(task["scope"].items()), task["id"]) for task in run.result.get("tasks", ())
        ]
        assert keys == sorted(keys), "the order is another"


@invariant
def nothing_is_lost(run: Running) -> None:
    """Every task that is due and stays as it is, is in the result, to be retried.

    Unless the run says in a warning that it may have missed or left out some; or the service ends its list early and
    hides it, see `may_end_early`.
    """
    warned = any("missed" in one or "Left out" in one for one in run.warnings)
    if "tasks" not in run.result or (warned and not run.weather_was_calm) or may_end_early(run):
        return
    assert not warned, f"a warning in calm weather: {run.warnings}"
    tasks = told(run)
    for key, due in dues(run).items():
        if due is Due.YES and key not in run.bridge.touched:
            assert key in tasks, f"{key} is due and not told"
            assert tasks[key]["action"] == "retry", f"{key} is due, and {tasks[key]['action']}: {tasks[key]['reason']}"


@invariant
def in_calm_weather_all_that_is_due_is_retried(run: Running) -> None:
    """When nothing goes wrong, each due task is sent once and accepted, unless the service refuses just that one."""
    if not (acting(run) and run.weather_was_calm) or run.choice.max_tasks is not None or may_end_early(run):
        return
    tasks, known = told(run), run.bridge.by_key()
    for key, due in dues(run).items():
        if due is Due.YES and known[key].seed.obstacle is Obstacle.NOTHING and not run.side.is_worn_out(known[key]):
            if any(one.seed.obstacle is Obstacle.SILENT for one in run.bridge.tracked):
                continue  # three silences in a row end the run
            assert key in sent(run), f"{key} is due and was not sent"
            assert tasks[key]["outcome"] == "accepted", f"{key} is due and {tasks[key]['outcome']}"


@invariant
def accepted_was_executed(run: Running) -> None:
    """What is told as accepted was carried out, or the service said in so many words that it accepts it.

    Excused is a task that somebody else moved while a reply of ours was lost: from the state alone nobody can tell.
    """
    for key, task in told(run).items():
        if task["outcome"] != "accepted":
            continue
        entries = sent(run).get(key, [])
        assert entries, f"{key} is told as accepted and was never sent"
        ours = any(key in one.executed or key in one.accepted or is_taken(one, key, run) for one in entries)
        lost = any(is_unclear(one, key) for one in entries) and others_were_at_it(run, key)
        assert ours or lost, f"{key} is told as accepted, and the cloud did nothing"


@invariant
def what_was_executed_is_never_denied(run: Running) -> None:
    """A retry that took effect is told as accepted or unknown; never as refused, not attempted or nothing to do."""
    tasks = told(run)
    for key in executed(run):
        assert "tasks" in run.result, "a retry took effect and no result was told"
        assert key in tasks, f"{key} was retried and is not told"
        assert tasks[key]["outcome"] in ("accepted", "unknown"), f"{key} was retried: {tasks[key]['outcome']}"


@invariant
def refused_was_refused(run: Running) -> None:
    """What is told as refused was sent, and the service said no."""
    for key, task in told(run).items():
        if task["outcome"] == "refused":
            last = sent(run).get(key, [None])[-1]
            assert last is not None, f"{key} is told as refused and was never sent"
            # A spoilt reply can be legible; that nothing was carried out is seen to above.
            answered = last.reply in (Reply.REFUSED, Reply.GOOD, Reply.SPOILT)
            assert answered, f"{key} is told as refused after {last}"
            assert key not in last.accepted, f"{key} is told as refused, and was accepted"
            assert task["error"]["message"], f"{key} is told as refused without a reason"


@invariant
def not_attempted_was_not_taken(run: Running) -> None:
    """What is told as not attempted never left, or the service did not take it in; and the run says why it stopped."""
    for key, task in told(run).items():
        if task["outcome"] == "not_attempted" and acting(run):
            for entry in sent(run).get(key, ()):
                undone = surely_undone(entry, run) or entry.trouble is Trouble.LOCKED
                assert undone, f"{key} is told as not attempted after {entry}"


@invariant
def a_clear_answer_is_understood(run: Running) -> None:
    """What is told as unknown had no clear answer."""
    for key, task in told(run).items():
        if task["outcome"] == "unknown":
            entries = sent(run).get(key, [])
            assert entries, f"{key} is told as unknown and was never sent"
            silent = run.bridge.speaks_unclearly
            assert silent or any(is_unclear(one, key) for one in entries), f"{key} is told as unknown after {entries}"
            assert silent or not any(one.whole and key in one.accepted for one in entries), f"{key} was accepted"


@invariant
def counts_add_up(run: Running) -> None:
    """All numbers follow from the list of tasks, and add up as documented."""
    if "tasks" not in run.result:
        return
    tasks, counts = run.result["tasks"], run.result["counts"]
    missing = sum(task["state"] == "missing" for task in tasks)
    actions, outcomes = Counter(task["action"] for task in tasks), Counter(task["outcome"] for task in tasks)
    assert counts["selected"] == len(tasks) == sum(counts[name] for name in ("retry", "none", "skip", "missing"))
    assert counts["missing"] == missing
    assert (counts["retry"], counts["skip"]) == (actions["retry"], actions["skip"])
    assert counts["none"] == actions["none"] - missing
    for name in _OUTCOMES:
        assert counts[name] == outcomes[name], f"{counts[name]} are counted as {name}, {outcomes[name]} are listed"
    if acting(run):
        assert counts["retry"] == sum(counts[name] for name in _OUTCOMES)
    after = Counter(task.get("state_after") for task in tasks if task["outcome"] == "accepted")
    assert counts["failed_again"] == after["failed"]
    assert after["succeeded"] <= counts["recovered"] <= after["succeeded"] + after["running"]
    assert counts["still_running"] == after["running"] + after["waiting"] + after["succeeded"] - counts["recovered"]


@invariant
def changed_is_true(run: Running) -> None:
    """`changed` is told if, and only if, a retry was accepted or would be sent; the diff names just these tasks."""
    changing = [task["id"] for task in run.result.get("tasks", ()) if task["outcome"] in ("accepted", "planned")]
    assert run.result.get("changed", False) == bool(changing)
    if "diff" in run.result:
        assert set(run.result["diff"]["before"]) == set(changing) == set(run.result["diff"]["after"])


@invariant
def problems_make_it_fail(run: Running) -> None:
    """The module fails if, and only if, something of fail_on is told, or the run was interrupted or could not begin."""
    problems = run.result.get("problems")
    if problems is None:
        return
    too_many = run.choice.max_tasks is not None and run.result["counts"]["retry"] > run.choice.max_tasks
    because = any(problems.values()) or run.brake.interrupted.is_set() or too_many
    if acting(run):
        assert run.failed == because, f"failed is {run.failed}: {problems}"
    for name in ("refused", "unknown", "not_attempted", "failed_again"):
        assert problems[name] == run.result["counts"][name]


@invariant
def recovered_has_recovered(run: Running) -> None:
    """A state told after the retry is what the cloud's truth was when the run looked.

    With `wait`, when it looked last, unless the task moves on by itself, as it is not looked at any more once it has
    settled; or unless looks at others show this one in passing, and nobody takes note. A task told as failed again had
    failed again, or had never begun to run; an old failure that is still shown while its retry waits to begin counts
    as waiting.
    """
    for key, task in told(run).items():
        after = task.get("state_after")
        if task["outcome"] != "accepted" or after in (None, "missing"):
            continue
        seen = [one.seen[key] for one in looks(run, key) if one.number > sent(run)[key][-1].number]
        if not seen:  # known again by another id
            continue
        waited = run.options["wait"] and not run.brake.interrupted.is_set() and run.side.looks_twice
        truths = seen[-1:] if waited and not others_were_at_it(run, key) else seen
        fit = {
            "succeeded": ("done",),
            "failed": ("failed",),
            "running": ("running", "done") if run.side.name == "drs" else ("running",),
            "waiting": ("queued", "running", "failed", "stopped"),
            "cancelled": ("stopped", "queued"),
            "paused": ("stopped", "queued"),
        }[after]
        after_it = [one for one in run.entries if not one.changes and one.number > sent(run)[key][-1].number]
        if others_were_at_it(run, key) or any(one.reply is not Reply.GOOD for one in after_it):
            # Retried by another, and shown with a failure that is new to this run; or a look that failed counted.
            fit = (*fit, "queued")
        assert set(fit) & set(truths), f"{key} is told to be {after} afterwards, and was {truths}"


@invariant
def waiting_ends(run: Running) -> None:
    """In calm weather a run with `wait` ends when the time is over, give or take one look, or before."""
    if not (acting(run) and run.options["wait"] and run.weather_was_calm) or not changes(run):
        return
    last = max(one.ended or 0.0 for one in changes(run))
    spare = 10.0 + 2 * len(run.entries) * max(run.bridge.usual_way, 1 / (run.options["rate_limit"] or 1e9), 0.06)
    assert run.ended <= last + run.options["wait_timeout"] + spare, (
        f"it ended {run.ended - last} s after its last retry"
    )
