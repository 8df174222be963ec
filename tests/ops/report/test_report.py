"""The trust report: it says what the proofs say, all of it, in every form, the same way each time."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from uuid import UUID

import jsonschema_rs
import pytest
from trestle.oscal.assessment_results import AssessmentResults
from trestle.oscal.component import ComponentDefinition

from assembly import Assembly
from ops.report.__main__ import main
from ops.report.markdown import markdown
from ops.report.oscal import control_id, token
from ops.report.page import LARGEST_BYTES, Picture, page
from ops.report.proofs import Proofs, ReportError, read
from ops.report.reachability import Matrix, matrices
from ops.report.wording import FRAMEWORKS
from proofs.model import Model
from proofs.reachability import Reachability

HERE = Path(__file__).parent
SAMPLE = HERE / "sample.json"
ARGUMENTS = ("--proofs", str(SAMPLE), "--assembly", str(HERE / "none"))
AT = datetime(2026, 1, 31, 12, tzinfo=UTC)
HOSTILE = '</script><script>alert(1)</script><img src="https://example.com/x" onerror="alert(2)">'

Change = Callable[[dict[str, Any]], object]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    assert main([*ARGUMENTS, "--out", str(folder), "--at", "2026-01-31T12:00:00Z"]) == 0
    return folder


def changed(tmp_path: Path, change: Change) -> Path:
    data = json.loads(SAMPLE.read_text(encoding="utf-8"))
    change(data)
    file = tmp_path / "proofs.json"
    file.write_text(json.dumps(data), encoding="utf-8")
    return file


# ------------------------------------------------------------------------------------------------------------ the input


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda data: data.pop("claims"), "'claims' has to be a list with something in it"),
        (lambda data: data["claims"].append(deepcopy(data["claims"][0])), "this id is given twice"),
        (
            lambda data: data["claims"][0].update(status="OK"),
            "'status' has to be one of HOLDS, PARTIAL, BROKEN, ATTEST",
        ),
        (lambda data: data["claims"][0].update(kind="magic"), "'kind' has to be one of"),
        (lambda data: data["claims"][0].update(id="two words"), "'id' is an address"),
        (lambda data: data["claims"][0].update(evidence=[]), "HOLDS has to give its evidence"),
        (lambda data: data["claims"][2].update(missing=[]), "PARTIAL has to say what is missing"),
        (lambda data: data["claims"][4].update(counter_examples=[]), "BROKEN has to give a counter-example"),
        (lambda data: data["claims"][0].update(evidence=["shown"]), "evidence[0] has to be an object with a 'text'"),
        (lambda data: data["claims"][0]["evidence"][0].update(assumptions="none"), "'assumptions' has to be a list"),
        (lambda data: data["claims"][0].update(mappings={"PCI": ["1"]}), "'mappings' knows SOC 2"),
        (lambda data: data.update(waivers={}), "'waivers' has to be a list of objects"),
        (lambda data: data.update(stacks="many"), "'stacks' has to be a number or a list"),
    ],
)
def test_refuses_malformed_proofs(tmp_path: Path, change: Change, says: str) -> None:
    with pytest.raises(ReportError, match=re.escape(says)):
        read(changed(tmp_path, change))


def test_lists_every_problem_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def change(data: dict[str, Any]) -> None:
        data["deployment"] = ""
        data["claims"][0]["status"] = "OK"
        data["claims"][3]["kind"] = "magic"

    assert main(["--proofs", str(changed(tmp_path, change)), "--out", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert all(words in said for words in ("'deployment'", "claims[0] (paragon-01)", "claims[3] (paragon-22)"))


def test_absent_proofs_say_how_to_write_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--proofs", str(tmp_path / "none.json"), "--out", str(tmp_path)]) == 1
    assert "python -m proofs prove --json" in capsys.readouterr().err


def test_refuses_a_time_without_zone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--proofs", str(SAMPLE), "--out", str(tmp_path), "--at", "2026-01-31T12:00:00"])
    assert "has no zone" in capsys.readouterr().err


# ------------------------------------------------------------------------------------------------------------- the page


class _Page(HTMLParser):
    """The addresses, ids and headings of a page, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def test_page_says_everything_of_every_promise(proofs: Proofs) -> None:
    text = " ".join(_Page(page(proofs)).text.split())
    for claim in proofs.claims:
        said = [claim.id, claim.claim, *claim.missing, *(evidence.text for evidence in claim.evidence)]
        said += [words for example in claim.counter_examples for words in (example.text, example.path)]
        said += [claim.kept_by, *(words for evidence in claim.evidence for words in evidence.assumptions)]
        said += [
            words
            for evidence in claim.evidence
            for one in evidence.resources
            for words in (one.path, one.type, one.fact)
        ]
        said += [control for controls in claim.mappings.values() for control in controls]
        for words in said:
            assert words in text, (claim.id, words)
    for waiver in proofs.waivers:
        assert all(value in text for value in waiver.values())


def test_page_ids_are_unique_and_its_links_arrive(proofs: Proofs) -> None:
    elements = _Page(page(proofs)).elements
    ids = [attributes["id"] for _, attributes in elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    links = {attributes["href"] for tag, attributes in elements if tag == "a"}
    assert links
    assert {str(link) for link in links} <= {f"#{name}" for name in ids}


def test_page_asks_nobody_for_anything(proofs: Proofs) -> None:
    hostile = Picture(
        title="Drawing", caption="None", svg='<svg viewBox="0 0 1 1"><script href="https://example.com"/></svg>'
    )
    elements = _Page(page(proofs, pictures=[hostile])).elements
    for tag, attributes in elements:
        for name in ("src", "href", "action", "srcset", "data", "poster"):
            assert str(attributes.get(name) or "#").startswith(("#", "data:")), (tag, attributes)
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
    policy = next(str(a["content"]) for tag, a in elements if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy


def test_page_takes_no_word_for_markup(tmp_path: Path) -> None:
    def change(data: dict[str, Any]) -> None:
        data["deployment"] = data["claims"][0]["claim"] = data["claims"][0]["topic"] = HOSTILE
        data["claims"][0]["evidence"][0]["resources"][0]["path"] = HOSTILE
        data["claims"][0]["mappings"]["SOC 2"] = [HOSTILE]
        data["waivers"][0]["reason"] = HOSTILE

    elements = _Page(page(read(changed(tmp_path, change)))).elements
    assert [tag for tag, _ in elements].count("script") == 1
    assert not [tag for tag, _ in elements if tag == "img"]


def test_page_stays_small_enough_to_mail_and_says_what_it_leaves_out(tmp_path: Path) -> None:
    def change(data: dict[str, Any]) -> None:
        many = [
            {
                "stack": "live-data",
                "path": f"live-data/Store{n:05}/Resource",
                "type": "AWS::S3::Bucket",
                "logical_id": f"S{n}",
            }
            for n in range(4000)
        ]
        for claim in data["claims"]:
            claim["evidence"] = [{"text": f"Shown {n}.", "resources": many} for n in range(4)]

    text = page(read(changed(tmp_path, change)))
    assert len(text.encode()) <= LARGEST_BYTES
    assert re.search(r"and [\d,]+ more, listed in trust-report\.json", text)


def test_a_source_that_a_fork_added_is_shown_by_its_name(tmp_path: Path) -> None:
    def change(data: dict[str, Any]) -> None:
        data["claims"][0]["source"] = "ours"

    assert "Ours" in _Page(page(read(changed(tmp_path, change)))).text


def test_reachability_is_what_the_templates_allow_and_nothing_else(assembly: Assembly) -> None:
    model = Model(assembly)
    reach = Reachability(model)
    networks = matrices(model)
    assert [network.network for network in networks] == ["dev-network/Vpc", "prod-network/Vpc"]
    for network in networks:
        stage = network.network.partition("-")[0]
        (database,) = reach.named(f"{stage}-data/Database/Resource/Resource")
        column = f"{stage}-data/Database"
        drawn = {source for source, target in network.cells if target == column}
        assert drawn
        assert drawn == {
            flow.source.name.removesuffix("/Resource").removesuffix("/Resource") for flow in reach.reaching(database)
        }
        assert not [pair for pair in network.cells if pair[0] == "the internet"]
        assert {source for source, _ in network.cells} <= set(network.rows)
        assert {target for _, target in network.cells} <= set(network.columns)


def test_reachability_is_shown_with_its_doubts(proofs: Proofs) -> None:
    network = Matrix(network="A & B", rows=["x/<y>"], columns=["z"], cells={("x/<y>", "z"): "443?"}, doubtful=True)
    text = page(proofs, networks=[network])
    assert '<td class="open">443?</td>' in text
    assert "templates do not tell" in text
    assert "A &amp; B" in text
    assert "Reachability" not in page(proofs)


# ------------------------------------------------------------------------------------------------------ the other forms


def test_writes_every_form(written: Path) -> None:
    assert sorted(path.name for path in written.iterdir()) == [
        "assessment-results.json",
        "component-definition.json",
        "trust-report.html",
        "trust-report.json",
        "trust-report.md",
    ]


def test_same_proofs_give_the_same_bytes(written: Path, tmp_path: Path) -> None:
    assert main([*ARGUMENTS, "--out", str(tmp_path), "--at", "2026-01-31T12:00:00Z"]) == 0
    for path in written.iterdir():
        assert path.read_bytes() == (tmp_path / path.name).read_bytes(), path.name


def test_same_proofs_give_the_same_bytes_wherever_they_were_made(written: Path, tmp_path: Path) -> None:
    file = changed(tmp_path, lambda data: data.update(assembly="/somewhere/else/cdk.out"))
    assert main(["--proofs", str(file), *ARGUMENTS[2:], "--out", str(tmp_path), "--at", "2026-01-31T12:00:00Z"]) == 0
    for path in written.iterdir():
        assert path.read_bytes() == (tmp_path / path.name).read_bytes(), path.name


def test_nothing_is_dated_unless_a_time_is_given(proofs: Proofs, tmp_path: Path) -> None:
    assert main([*ARGUMENTS, "--out", str(tmp_path)]) == 0
    assert "as of" not in page(proofs) + markdown(proofs)
    assert "as of 31 January 2026" in page(proofs, at=AT)
    metadata = json.loads((tmp_path / "assessment-results.json").read_bytes())["assessment-results"]["metadata"]
    assert metadata["last-modified"].startswith("1970-01-01T00:00:00")
    assert metadata["remarks"] == "Undated: no time was passed in."


def test_json_carries_everything_and_its_sums(written: Path, proofs: Proofs) -> None:
    data = json.loads((written / "trust-report.json").read_text(encoding="utf-8"))
    sample = json.loads(SAMPLE.read_text(encoding="utf-8"))
    assert data["claims"] == sample["claims"]
    assert data["waivers"] == sample["waivers"]
    assert data["summary"]["all"] == {"HOLDS": 4, "PARTIAL": 2, "BROKEN": 1, "ATTEST": 1}
    assert data["summary"]["sources"]["parim"] == {"HOLDS": 1, "PARTIAL": 0, "BROKEN": 1, "ATTEST": 0}
    assert data["digest"] == proofs.digest


def test_markdown_says_everything_but_long_lists(proofs: Proofs) -> None:
    text = markdown(proofs, at=AT)
    for claim in proofs.claims:
        assert f"`{claim.id}`" in text
    assert "- [ ] `paragon-22`" in text
    assert "| parim | 1 | 0 | 1 | 0 |" in text
    assert "    - and 4 more" in text
    assert "\\<temporary\\>" in text


# ---------------------------------------------------------------------------------------------------------------- OSCAL


@pytest.mark.parametrize(
    ("name", "schema"),
    [("component-definition", "oscal_component_schema"), ("assessment-results", "oscal_assessment-results_schema")],
)
def test_oscal_is_valid_against_its_published_schema(written: Path, name: str, schema: str) -> None:
    validator = jsonschema_rs.validator_for(json.loads((HERE / "schemas" / f"{schema}.json").read_bytes()))
    document = json.loads((written / f"{name}.json").read_bytes())
    assert [error.message for error in validator.iter_errors(document)] == []
    document[name]["metadata"].pop("title")
    assert not validator.is_valid(document)


def test_oscal_is_valid_where_nothing_is_mapped_shown_or_waived(tmp_path: Path) -> None:
    def change(data: dict[str, Any]) -> None:
        data["waivers"] = []
        data["claims"] = [data["claims"][3] | {"mappings": {}}]

    assert main(["--proofs", str(changed(tmp_path, change)), "--out", str(tmp_path)]) == 0
    for name, schema in (("component-definition", "component"), ("assessment-results", "assessment-results")):
        validator = jsonschema_rs.validator_for(json.loads((HERE / f"schemas/oscal_{schema}_schema.json").read_bytes()))
        assert [e.message for e in validator.iter_errors(json.loads((tmp_path / f"{name}.json").read_bytes()))] == []


def test_oscal_reads_back(written: Path) -> None:
    assert ComponentDefinition.oscal_read(written / "component-definition.json")
    assert AssessmentResults.oscal_read(written / "assessment-results.json")


def test_oscal_ids_are_unique_made_of_names_and_every_reference_arrives(written: Path) -> None:
    for name in ("component-definition", "assessment-results"):
        document = json.loads((written / f"{name}.json").read_bytes())
        ids = list(_values(document, "uuid"))
        assert len(ids) == len(set(ids))
        assert {UUID(value).version for value in ids} == {5}
        assert {*_values(document, "observation-uuid"), *_values(document, "subject-uuid")} <= set(ids)
        if name == "assessment-results":
            assert set(_values(document, "target-id")) <= set(_values(document, "id"))
            assert next(_values(document["assessment-results"]["import-ap"], "href")).lstrip("#") in ids


def test_oscal_findings_say_the_status(written: Path) -> None:
    document = json.loads((written / "assessment-results.json").read_bytes())
    (result,) = document["assessment-results"]["results"]
    states = {finding["title"]: finding["target"]["status"] for finding in result["findings"]}
    assert (states["paragon-01"]["state"], states["paragon-01"]["reason"]) == ("satisfied", "pass")
    assert (states["paragon-13"]["state"], states["paragon-13"]["reason"]) == ("not-satisfied", "fail")
    assert (states["parim-06"]["state"], states["parim-06"]["reason"]) == ("not-satisfied", "fail")
    assert (states["paragon-22"]["state"], states["paragon-22"]["reason"]) == ("not-satisfied", "other")
    assert "paragon-22" not in {observation["title"] for observation in result["observations"]}
    (risk,) = result["risks"]
    assert (risk["status"], risk["deadline"][:10]) == ("deviation-approved", "2027-03-31")


def test_oscal_calls_nothing_implemented_that_does_not_hold(written: Path) -> None:
    document = json.loads((written / "component-definition.json").read_bytes())
    states: dict[str, set[str | None]] = {}
    for component in document["component-definition"]["components"]:
        for implementation in component.get("control-implementations", []):
            for requirement in implementation["implemented-requirements"]:
                props = {prop["name"]: prop["value"] for prop in requirement["props"] if prop["name"] != "promise"}
                promised = {prop["value"] for prop in requirement["props"] if prop["name"] == "promise"}
                for claim in promised:
                    states.setdefault(claim, set()).add(props.get("implementation-status"))
    assert states["paragon-01"] == {"implemented"}
    assert states["paragon-13"] == {"partial"}
    assert states["parim-06"] == states["paragon-22"] == {None}


@pytest.mark.parametrize(
    ("framework", "control", "expected"),
    [
        ("NIST 800-53", "AC-2(3)", "ac-2.3"),
        ("NIST 800-53", "SC-8", "sc-8"),
        ("ISO 27001", "A.8.24", "A.8.24"),
        ("CIS", "2.3.1", "cis-2.3.1"),
        ("GDPR", "Art. 5(1)(e)", "art-5-1-e"),
        ("GDPR", "Article 32", "art-32"),
        ("SOC 2", "CC6.1", "CC6.1"),
    ],
)
def test_control_ids_are_oscal_tokens(framework: str, control: str, expected: str) -> None:
    assert control_id(framework, control) == expected == token(expected)


def test_every_framework_names_where_it_is_published() -> None:
    assert all(framework.source.startswith("https://") for framework in FRAMEWORKS.values())


def _values(node: object, key: str) -> Any:
    if isinstance(node, dict):
        for name, value in node.items():
            if name == key and isinstance(value, str):
                yield value
            yield from _values(value, key)
    elif isinstance(node, list):
        for value in node:
            yield from _values(value, key)
