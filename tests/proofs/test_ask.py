"""Questions in plain words get exact answers; what is not understood is said with what would be."""

from __future__ import annotations

import pytest

from assembly import Assembly
from proofs.ask import QuestionError, answer, run
from proofs.finding import Case


@pytest.fixture(scope="module")
def case(assembly: Assembly) -> Case:
    return Case(assembly)


def asked(case: Case, question: str) -> str:
    return "\n".join(answer(case, question))


def test_internet_does_not_reach_the_data_subnets(case: Case) -> None:
    text = asked(case, "can internet reach subnet data on 6432")
    assert text.startswith("No. the internet cannot reach")
    assert "dev-network/Vpc/DataSubnet1: no route leads to an internet gateway" in text
    assert "VPC block public access lets nobody in" in text
    assert "its network ACL lets no public address in" in text


def test_only_the_edge_reaches_the_balancer(case: Case) -> None:
    text = asked(case, "can the internet reach prod load balancer on 443?")
    assert text.startswith("No.")
    assert "reached by 1 only: prefix list com.amazonaws.global.cloudfront.origin-facing" in text


def test_what_reaches_the_database_is_listed_by_name_with_addresses_and_port(case: Case) -> None:
    text = asked(case, "what can reach the prod database")
    assert "15 can reach it" in text
    assert "prod-documents/Service/Resource/Resource (10.128.0.0/18, 10.128.64.0/19) -> prod-data/Database/" in text
    assert "dev-" not in text


def test_ways_out_name_the_subnets_they_pass(case: Case) -> None:
    text = asked(case, "can prod-documents/Service/Resource/Resource reach the internet on 443")
    assert text.startswith("Yes.")
    assert "prod-network/Vpc/FirewallSubnet" in text
    assert "prod-network/Vpc/EgressSubnet" in text


def test_stages_do_not_reach_each_other(case: Case) -> None:
    assert asked(case, "can dev bastion reach prod database").startswith("No.")


def test_tells_who_refers_to_a_resource(case: Case) -> None:
    assert "prod-documents/Items/Resource/Resource" in asked(case, "who refers to prod-keys/Data/Resource/Resource")


@pytest.mark.parametrize(
    ("question", "can"),
    [
        (
            "who can read prod-documents/Objects/Resource/Resource",
            {"prod-backup/Backups", "prod-break-glass/BreakGlass", "prod-documents/Tenant"},
        ),
        (
            "who can assume prod-documents/Tenant/Role/Resource/Resource",
            {"prod-documents/Service", "prod-documents/Analysis"},
        ),
        ("who can read log-archive-prod/Session/Resource/Resource", {"people"}),
        ("who can delete prod-backup/Vault/Resource", set()),
    ],
)
def test_tells_which_roles_policies_let_in(case: Case, question: str, can: set[str]) -> None:
    lines = answer(case, question)[1:]
    assert {"/".join(line.split()[0].split("/")[:2]) for line in lines if "policy also lets" not in line} == can


def test_tells_apart_what_depends_on_conditions(case: Case) -> None:
    text = asked(case, "who can decrypt prod-keys/Data/Resource/Resource")
    assert "0 roles can" in text
    assert "depending on" in text
    assert "kms:viaservice" in text
    assert "dev-" not in text


def test_names_the_services_that_a_resources_own_policy_lets_in(case: Case) -> None:
    assert "cloudwatch.amazonaws.com" in asked(case, "who can write prod-alarms/Operations/Resource/Resource")


@pytest.mark.parametrize(
    ("question", "says"),
    [
        ("how is the weather", "is not understood"),
        ("can nobody-known reach the database", "no place is called"),
        ("can internet reach subnet nowhere", "no subnet is called"),
        ("who refers to nothing-at-all", "no resource is called"),
    ],
)
def test_says_what_would_be_understood(case: Case, question: str, says: str) -> None:
    with pytest.raises(QuestionError, match=says):
        answer(case, question)


def test_command_answers_and_refuses_without_a_traceback(
    assembly: Assembly, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ["--assembly", str(assembly.directory)]
    assert run([*where, "what", "can", "dev", "bastion", "reach"]) == 0
    assert "dev-data/Database" in capsys.readouterr().out
    assert run([*where, "nonsense"]) == 2
    assert "is not understood" in capsys.readouterr().err
    assert run(["--assembly", "/nowhere", "what can reach the database"]) == 2
    assert "no such file" in capsys.readouterr().err
