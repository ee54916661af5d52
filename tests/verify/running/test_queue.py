from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import chain

from verify.running.evaluation import stamp
from verify.running.queue import CHUNK_SECONDS, GROUP_SECONDS, Gate, Queue
from verify.running.records import CellName

CellOf = Callable[..., CellName]
AUDIT = "constants of fakes"


def test_the_longest_cell_comes_first_once_times_are_known(cell_of: CellOf) -> None:
    queue = Queue()
    queue.add(cell_of(claim, N) for N in (1, 20, 5) for claim in ("short", "long"))
    first = [queue.take() for _ in range(2)]
    assert sorted((cell.claim, cell.N) for (cell,) in first) == [("long", 20), ("short", 20)]  # nothing is known yet
    queue.learn(cell_of("short", 20), 0.5 * CHUNK_SECONDS)
    queue.learn(cell_of("long", 20), 40 * CHUNK_SECONDS)
    assert [[(cell.claim, cell.N) for cell in queue.take()] for _ in range(3)] == [
        [("long", 5)],
        [("long", 1)],
        [("short", 5), ("short", 1)],
    ]
    assert not queue


def test_chunks_are_no_longer_than_they_should_be(cell_of: CellOf) -> None:
    queue = Queue()
    queue.learn(cell_of("short"), CHUNK_SECONDS / 4)
    queue.add(replace(cell_of("short"), problem_spec=f"problem {n}") for n in range(10))
    sizes = []
    while queue:
        sizes.append(len(queue.take()))
    assert sizes == [4, 4, 2]


def test_what_shares_its_work_is_taken_together_unless_it_is_long() -> None:
    """Claims of one statement at one problem, N and rule share what they draw, within a process only."""
    per_task, over_tasks, other = "bias per task", "bias", "path"
    cells = [
        CellName(claim=claim, problem=problem, problem_spec=problem, N=1, rule=rule, profile="quick", seed=0)
        for claim in (per_task, other, over_tasks)
        for problem in ("quadratic", "softmax-bandit")
        for rule in ("near cap", "fixed")
        if (claim, rule) != (over_tasks, "fixed")
    ]
    for seconds, together in ((CHUNK_SECONDS, True), (GROUP_SECONDS, False)):
        queue = Queue()
        for claim in (per_task, over_tasks, other):
            queue.learn(replace(cells[0], claim=claim), seconds)
        queue.add(cells)
        taken = []
        while queue:
            taken.append(queue.take())
        assert sorted(chain.from_iterable(taken), key=str) == sorted(cells, key=str)
        pairs = [chunk for chunk in taken if len(chunk) > 1]
        assert len(pairs) == (2 if together else 0)
        for one, two in pairs:
            assert (one.problem, one.rule, two.rule) == (two.problem, "near cap", "near cap")
            assert {one.claim, two.claim} == {per_task, over_tasks}


def test_cells_wait_for_all_audits_of_their_problem_and_for_no_other(cell_of: CellOf) -> None:
    audits = [cell_of(AUDIT, 1), cell_of(AUDIT, 2)]
    waiting, free = cell_of("fake draws"), replace(cell_of("fake draws"), problem="other")
    gate = Gate([*audits, waiting, free], done=())
    assert gate.admit([*audits, waiting, free]) == ([*audits, free], [])
    good = stamp(audits[0], [{"verdict": "holds", "label": "L"}])
    assert gate.learn(audits[0], good) == []
    assert gate.learn(free, []) == []
    assert gate.learn(audits[1], good) == [waiting]
    assert gate.admit([waiting]) == ([waiting], [])


def test_a_refuted_constant_closes_the_gate(cell_of: CellOf) -> None:
    audit, waiting = cell_of(AUDIT), cell_of("fake draws")
    wrong = stamp(audit, [{"verdict": "violated", "label": name} for name in ("L", "rho", "L")])
    gate = Gate([audit, waiting], done=())
    gate.admit([audit, waiting])
    later = Gate([waiting], done=wrong)
    for ready, blocked in (gate.admit(gate.learn(audit, wrong)), later.admit([waiting])):
        assert ready == []
        ((record,),) = blocked
        assert (record.cell, record.verdict) == (waiting, "inapplicable")
        assert record.note == "the audit refuted the constant L, rho"


def test_an_estimate_that_is_too_small_closes_it_too_but_was_refuted_by_nobody(cell_of: CellOf) -> None:
    audit, waiting = cell_of(AUDIT), cell_of("fake draws")
    found = [{"verdict": "violated", "label": "L"}, {"verdict": "inconclusive", "label": "sigma_g"}]
    short = stamp(audit, found, estimated=("L",))
    assert (short[0].verdict, short[1].verdict) == ("inconclusive", "inconclusive")
    assert short[0].note == "the estimate of L is too small: more was met; give L in constants, or another region"
    ((record,),) = Gate([waiting], done=short).admit([waiting])[1]
    assert (record.verdict, record.note) == ("inapplicable", "the estimate of L is too small")
    assert Gate([waiting], done=short[1:]).admit([waiting]) == ([waiting], [])


def test_a_wrong_constant_that_a_mutant_declares_closes_no_gate(cell_of: CellOf) -> None:
    mutant, waiting = cell_of(AUDIT, mutant="rho 1 % off"), cell_of("fake draws")
    refuted = stamp(mutant, [{"verdict": "violated", "label": "rho"}])
    gate = Gate([mutant, waiting], done=())
    assert gate.admit([mutant, waiting]) == ([mutant], [])
    assert gate.learn(mutant, refuted) == [waiting]
    for opened in (gate, Gate([waiting], done=refuted)):
        assert opened.admit([waiting]) == ([waiting], [])
