"""Promises about detection: every account and region is watched, and what is found reaches somebody."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from assembly.event_pattern import PatternError, seen
from assembly.sample_findings import (
    REPORTED_BY_DETECTORS,
    REPORTED_BY_EVERY_ACCOUNT,
    REPORTED_WHERE_GATHERED,
    SAMPLES,
    SEVERE,
)
from proofs.finding import Case, Finding, note, proof
from proofs.model import Model, Node, as_list, at, truthy
from proofs.register.questions import Facts, facts, texts

PLANS = frozenset(
    {
        "S3_DATA_EVENTS",
        "EKS_AUDIT_LOGS",
        "EBS_MALWARE_PROTECTION",
        "RDS_LOGIN_EVENTS",
        "LAMBDA_NETWORK_LOGS",
        "RUNTIME_MONITORING",
    }
)
STANDARDS = ("aws-foundational-security-best-practices", "cis-aws-foundations-benchmark")
_SCANNED: Mapping[str, tuple[str, ...]] = {
    "AWS::EC2::Instance": ("EC2",),
    "AWS::EC2::LaunchTemplate": ("EC2",),
    "AWS::ECR::Repository": ("ECR",),
    "AWS::Lambda::Function": ("LAMBDA", "LAMBDA_CODE"),
}
"""What must be scanned of what may carry a vulnerability."""
_DETECTOR, _COVER, _DELEGATE = "AWS::GuardDuty::Detector", "Custom::CoverAccounts", "Custom::DelegateDetection"
_ANALYSER, _BUS, _RULE = "AWS::AccessAnalyzer::Analyzer", "AWS::Events::EventBus", "AWS::Events::Rule"
Place = tuple[str, str]
"""Account and region."""


def _places(model: Model) -> list[Place]:
    accounts = {stack.account for stack in model.assembly.stacks}
    regions = {stack.region for stack in model.assembly.stacks}
    return [(account, region) for account in sorted(accounts) for region in sorted(regions)]


def _covering(model: Model) -> Iterator[tuple[Node, set[Place]]]:
    """What spreads detectors over accounts, with the accounts and regions that it really may."""
    for cover in model.of(_COVER):
        regions = texts(cover.get("Regions"))
        administered = {
            region
            for delegate in model.of(_DELEGATE)
            if delegate.get("Administrator") == cover.account
            for region in texts(delegate.get("Regions"))
        }
        yield (
            cover,
            {
                (account, region)
                for account in texts(cover.get("Accounts"))
                for region in regions
                if account == cover.account or (cover.get("OfOrganization") == "true" and region in administered)
            },
        )


def _uncovered(places: Iterable[Place], covered: set[Place], model: Model, finding: Finding, what: str) -> None:
    left = [place for place in places if place not in covered]
    guilty = next(model.of(_COVER), None) or next(model.of(_DETECTOR, _ANALYSER), None)
    if left and guilty is not None:
        shown = ", ".join(f"{account} in {region}" for account, region in left[:3])
        finding.broken.append(note(guilty, f"{what} account {shown}" + (" and more" if len(left) > 3 else "")))


@proof("detection.threats-are-watched")
def threats_are_watched(case: Case, finding: Finding) -> None:
    """GuardDuty watches every account in every region with every protection plan.

    https://docs.aws.amazon.com/guardduty/latest/ug/guardduty-features-activation-model.html
    """
    model = case.model
    covered: set[Place] = set()
    for detector in model.of(_DETECTOR):
        on = {str(at(one, "Name")) for one in as_list(detector.get("Features")) if at(one, "Status") == "ENABLED"}
        if not truthy(detector.get("Enable")):
            finding.broken.append(note(detector, "it is off"))
        elif PLANS - on:
            finding.broken.append(note(detector, f"{', '.join(sorted(PLANS - on))} is off"))
        else:
            covered.add((detector.account, detector.region))
            finding.evidence.append(note(detector, "every protection plan is on"))
    for cover, places in _covering(model):
        left_out = PLANS - set(cover.get("Plans", default={}) or {})
        if cover.get("OfOrganization") != "true":
            continue
        if left_out:
            finding.broken.append(note(cover, f"the accounts that it covers lack {', '.join(sorted(left_out))}"))
            continue
        # GuardDuty asks the organization's own account to turn it on itself.
        own = {delegate.account for delegate in model.of(_DELEGATE)}
        covered |= {place for place in places if place[0] not in own and (cover.account, place[1]) in covered}
        finding.evidence.append(
            note(cover, f"every plan for {len(places)} pairs of account and region, and those that join")
        )
    if finding.evidence or finding.broken:
        _uncovered(_places(model), covered, model, finding, "GuardDuty does not watch")


@proof("detection.vulnerabilities-are-scanned")
def vulnerabilities_are_scanned(case: Case, finding: Finding) -> None:
    """Inspector scans machines, images and functions in every account and region.

    https://docs.aws.amazon.com/inspector/latest/user/scanning-resources.html
    """
    model = case.model
    scans: dict[Place, set[str]] = {}
    covers = list(_covering(model))
    for cover, places in covers:
        for place in places:
            scans.setdefault(place, set()).update(texts(cover.get("Scans")))
    if not covers:
        return
    wanted = {scan for kinds in _SCANNED.values() for scan in kinds}
    for place in _places(model):
        missing = wanted - scans.get(place, set())
        if missing:
            where = next((one for one, _ in covers if one.account == place[0]), covers[0][0])
            finding.broken.append(
                note(where, f"{', '.join(sorted(missing))} of account {place[0]} in {place[1]} is not scanned")
            )
    for node in model.of(*_SCANNED):
        if set(_SCANNED[node.type]) <= scans.get((node.account, node.region), set()):
            finding.evidence.append(note(node, f"Inspector scans {' and '.join(_SCANNED[node.type])} here"))


@proof("detection.machines-are-patched")
def machines_are_patched(case: Case, finding: Finding) -> None:
    """Machines get security patches by a baseline, in a window and as they start, and are looked over regularly.

    https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager.html
    """
    model = case.model
    for machine in model.of("AWS::EC2::LaunchTemplate", "AWS::EC2::Instance"):
        here = {"account": machine.account, "region": machine.region}
        baselines = list(model.of("AWS::SSM::PatchBaseline", **here))
        associations = list(model.of("AWS::SSM::Association", **here))
        windows = list(model.of("AWS::SSM::MaintenanceWindowTask", **here))
        if not baselines:
            finding.broken.append(note(machine, "no baseline says which patches it gets"))
        for purpose, candidates, operation in (
            ("in a window", windows, "Install"),
            ("as it starts", [one for one in associations if not one.get("ScheduleExpression")], "Install"),
            ("regularly, to see what is missing", [one for one in associations if one.get("Parameters")], "Scan"),
        ):
            runs = [one for one in candidates if _patches(one, operation)]
            if not runs:
                finding.broken += [
                    note(one, f"nothing applies a baseline to {machine.path} {purpose}")
                    for one in candidates or [machine]
                ]
            else:
                finding.evidence.append(note(machine, f"{runs[0].path} applies a baseline {purpose}"))


def _patches(node: Node, operation: str) -> bool:
    given = node.get("Parameters") or node.get(
        "TaskInvocationParameters", "MaintenanceWindowRunCommandParameters", "Parameters"
    )
    runs = node.get("Name" if node.type == "AWS::SSM::Association" else "TaskArn")
    return runs == "AWS-RunPatchBaseline" and operation in as_list(at(given, "Operation"))


@proof("detection.configuration-is-recorded-and-judged")
def configuration_is_recorded_and_judged(case: Case, finding: Finding) -> None:
    """AWS Config records every resource of every account and region, delivers the history to the archive, and judges it by
    rules.

    https://docs.aws.amazon.com/config/latest/developerguide/how-does-config-work.html
    """
    known = facts(case)
    recorders = list(known.model.of("AWS::Config::ConfigurationRecorder"))
    lost = {
        (arrow.sender.account, arrow.sender.region): refused
        for arrow, refused in known.deliveries("configuration to bucket")
    }
    for place in _places(known.model) if recorders else ():
        here = {"account": place[0], "region": place[1]}
        recorder = next(known.model.of("AWS::Config::ConfigurationRecorder", **here), None)
        pack = next(known.model.of("AWS::Config::ConformancePack", **here), None)
        if recorder is None:
            finding.broken.append(note(pack or recorders[0], f"account {place[0]} is not recorded in {place[1]}"))
        elif not truthy(recorder.get("RecordingGroup", "AllSupported")):
            finding.broken.append(note(recorder, "it does not record every kind of resource"))
        elif place not in lost:
            finding.broken.append(note(recorder, "its history is delivered nowhere"))
        elif (refused := lost[place]) is not None:
            finding.broken.append(note(refused.where, f"the history does not arrive: {refused.text}"))
        elif pack is None or "SourceIdentifier" not in str(pack.get("TemplateBody")):
            finding.broken.append(note(pack or recorder, f"no rule judges what {recorder.path} records"))
        else:
            finding.evidence.append(note(recorder, f"records everything, which {pack.path} judges"))


@proof("detection.accounts-are-held-against-standards")
def accounts_are_held_against_standards(case: Case, finding: Finding) -> None:
    """Security Hub holds every account against AWS's foundational practices and the CIS benchmark, in every region, and
    gathers what it finds in one.

    https://docs.aws.amazon.com/securityhub/latest/userguide/central-configuration-intro.html
    """
    model = case.model
    standing: set[Place] = set()
    for policy in model.of("AWS::SecurityHub::ConfigurationPolicy"):
        hub = policy.get("ConfigurationPolicy", "SecurityHub", default={})
        left_out = [name for name in STANDARDS if name not in str(at(hub, "EnabledStandardIdentifiers"))]
        reached = [
            one
            for one in model.referrers(policy, "AWS::SecurityHub::PolicyAssociation")
            if one.get("TargetType") == "ROOT"
        ]
        if not truthy(at(hub, "ServiceEnabled")) or left_out:
            finding.broken.append(note(policy, f"leaves out {', '.join(left_out) or 'Security Hub itself'}"))
        elif at(hub, "SecurityControlsConfiguration", "DisabledSecurityControlIdentifiers"):
            finding.broken.append(note(policy, "leaves controls out"))
        elif not reached:
            finding.broken.append(note(policy, "does not reach every account under the root"))
        else:
            appointed = {one.region for one in model.of("AWS::SecurityHub::DelegatedAdmin")}
            linked = {
                region
                for one in model.of("AWS::SecurityHub::FindingAggregator", account=policy.account)
                for region in (*texts(one.get("Regions")), one.region)
            }
            standing |= {place for place in _places(model) if place[1] in appointed & linked}
            finding.evidence.append(note(policy, "holds every account under the root against both standards"))
    for standard in model.of("AWS::SecurityHub::Standard"):
        own = [
            one.get("StandardsArn") for one in model.of(standard.type, account=standard.account, region=standard.region)
        ]
        if all(name in str(own) for name in STANDARDS):
            standing.add((standard.account, standard.region))
            finding.evidence.append(note(standard, "its account is held against it"))
    left = [place for place in _places(model) if place not in standing]
    guilty = next(model.of("AWS::SecurityHub::FindingAggregator", "AWS::SecurityHub::Hub"), None)
    if left and guilty is not None:
        shown = ", ".join(f"{account} in {region}" for account, region in left[:3])
        finding.broken.append(note(guilty, f"held against no standard: account {shown}"))


@proof("detection.access-is-analysed")
def access_is_analysed(case: Case, finding: Finding) -> None:
    """Access Analyzer looks in every region for access from outside and, once, for access that nobody uses.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/what-is-access-analyzer.html
    """
    model = case.model
    external: set[Place] = set()
    unused: set[str] = set()
    everybody = {account for account, _ in _places(model)}
    for analyser in model.of(_ANALYSER):
        kind = str(analyser.get("Type"))
        zone = everybody if kind.startswith("ORGANIZATION") else {analyser.account}
        if analyser.get("ArchiveRules") or analyser.get(
            "AnalyzerConfiguration", "UnusedAccessConfiguration", "AnalysisRule"
        ):
            finding.broken.append(note(analyser, "leaves findings or accounts out"))
        elif kind.endswith("_UNUSED_ACCESS"):
            unused |= zone
            finding.evidence.append(note(analyser, f"access that nobody uses, of {len(zone)} accounts"))
        elif kind in {"ORGANIZATION", "ACCOUNT"}:
            external |= {(account, analyser.region) for account in zone}
            finding.evidence.append(
                note(analyser, f"access from outside, in {analyser.region}, of {len(zone)} accounts")
            )
    first = next(model.of(_ANALYSER), None)
    if first is None:
        return
    for account, region in _places(model):
        if (account, region) not in external:
            where = next(model.of(_ANALYSER, region=region), first)
            finding.broken.append(note(where, f"nobody looks who reaches account {account} in {region}"))
    for account in sorted(everybody - unused):
        where = next((one for one in model.of(_ANALYSER) if "UNUSED" in one.path.upper()), first)
        finding.broken.append(note(where, f"nobody looks which access of account {account} is used"))


@proof("detection.findings-arrive")
def findings_arrive(case: Case, finding: Finding) -> None:
    """A sample finding of each kind, in every account and region, is sent to the findings bus, which takes it; a severe one
    reaches the security team.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cross-account.html
    """
    known = facts(case)
    delegating = next(known.model.of(_DELEGATE), None) is not None
    for bus in known.model.of(_BUS):
        sending: dict[Place, list[Node]] = {}
        for arrow, refused in known.deliveries("rule to bus"):
            if arrow.receiver is not bus:
                continue
            if refused is not None:
                finding.broken.append(note(refused.where, f"{arrow} does not arrive: {refused.text}"))
                continue
            sending.setdefault((arrow.sender.account, arrow.sender.region), []).append(arrow.sender)
        for place in _places(known.model):
            gathers = not delegating or place == (bus.account, bus.region)
            detects = not delegating or place[0] == bus.account
            kinds = [
                *REPORTED_BY_EVERY_ACCOUNT,
                *(REPORTED_BY_DETECTORS if detects else ()),
                *(REPORTED_WHERE_GATHERED if gathers else ()),
            ]
            _sent(bus, place, sending.get(place, []), kinds, finding)
        _heard(known, bus, finding)


def _sent(bus: Node, place: Place, rules: list[Node], kinds: Iterable[str], finding: Finding) -> None:
    lost = [kind for kind in kinds if not any(_sees(rule, kind) for rule in rules)]
    if lost:
        deaf = [rule for rule in rules if not any(_sees(rule, kind) for kind in SAMPLES)]
        for where in deaf or [bus]:
            finding.broken.append(note(where, f"{', '.join(lost)} of account {place[0]} in {place[1]} are not sent"))
    else:
        finding.evidence.append(note(rules[0], f"account {place[0]} sends every kind from {place[1]}"))


def _heard(known: Facts, bus: Node, finding: Finding) -> None:
    rules = [
        rule
        for rule in known.model.referrers(bus, _RULE)
        if known.model.find(rule.get("EventBusName"), _BUS, near=rule) is bus
    ]
    told: list[Node] = []
    for arrow, refused in known.deliveries("rule to topic"):
        if arrow.sender in rules:
            if refused is None:
                told.append(arrow.sender)
            else:
                finding.broken.append(note(refused.where, f"{arrow} does not arrive: {refused.text}"))
    for kind in SEVERE:
        if not any(_sees(rule, kind) for rule in told):
            deaf = [rule for rule in rules if not any(_sees(rule, other) for other in SEVERE)]
            for where in deaf or [bus]:
                finding.broken.append(note(where, f"nobody hears of a severe finding of kind {kind}"))


def _sees(rule: Node, kind: str) -> bool:
    pattern: Any = rule.get("EventPattern")
    if rule.get("State", default="ENABLED") == "DISABLED" or not isinstance(pattern, Mapping):
        return False
    try:
        return seen([pattern], SAMPLES[kind])
    except PatternError:
        return False
