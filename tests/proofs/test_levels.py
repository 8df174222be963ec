"""What people may do, evaluated: the matrix of jobs and deeds, and the page that shows it."""

from __future__ import annotations

import pytest

from assembly import Assembly
from ops.identities import FILE, main, page
from proofs.finding import Case, Verdict
from proofs.register.levels import DEEDS, levels_are_apart, matrix
from proofs.terms import Terms
from stacks.settings import Job
from tests.fixture_deployment import FIXTURE

LEAST = {
    Job.ENGINEER: {
        "configuration", "settings", "user data", "messaging", "server logs", "tunnel", "deployment", "bounded roles",
    },
    Job.READ_ONLY: {"configuration"},
    Job.LOG_READER: {"server logs"},
    Job.EVIDENCE: {"evidence"},
    Job.SECURITY: {"configuration", "findings"},
    Job.RESPONDER: set(),
    Job.BILLING: {"billing"},
    Job.OPERATOR: {"configuration", "settings"},
    Job.MESSAGING: {"configuration", "messaging"},
    Job.DATABASE: {"configuration", "tunnel", "user data"},
    Job.KEY_ADMINISTRATOR: {"keys"},
    Job.REVIEWER: set(),
    Job.DRILLER: set(),
    Job.BREAK_GLASS: {
        "configuration", "settings", "user data", "messaging", "server logs", "tunnel", "deployment",
    },
    Job.REQUESTER: {"requests"},
    Job.APPROVER: {"approvals"},
}  # fmt: skip
"""The levels at which each job may do something, written by hand."""


@pytest.fixture(scope="module")
def case(assembly: Assembly) -> Case:
    """The fixture deployment before the judges."""
    return Case(assembly, Terms.of(FIXTURE))


@pytest.mark.parametrize("job", Job, ids=lambda job: job.value)
def test_each_job_may_do_what_it_needs_and_nothing_else(case: Case, job: Job) -> None:
    may = matrix(case)[job]
    assert {deed.level for deed in DEEDS if may[deed.says]} == LEAST[job]


def test_whoever_connects_to_the_database_does_so_as_oneself(case: Case) -> None:
    may = matrix(case)
    assert may[Job.DATABASE]["connect to the database as oneself"]
    assert not may[Job.DATABASE]["connect in an emergency"]
    assert not may[Job.BREAK_GLASS]["connect to the database as oneself"]


def test_levels_are_apart(case: Case) -> None:
    finding = levels_are_apart(case)
    assert finding.verdict is Verdict.HOLDS, str(finding)


def test_the_page_of_identities_is_up_to_date(case: Case) -> None:
    assert FILE.read_text(encoding="utf-8") == page(case), 'docs/identities.md is old: "make synth && make identities"'


def test_says_where_the_assembly_should_be(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--assembly", "/nowhere", "--print"]) == 1
    assert "identities: " in capsys.readouterr().err
