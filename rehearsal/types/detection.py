"""Macie's session, Security Hub's configuration of an organization, analysers of access, and archives of a bus."""

from __future__ import annotations

from rehearsal.emulator.spec import Context, Props, made_up, named, spec, text


def _analyzer(props: Props, context: Context) -> Props:
    asked: Props = {"analyzerName": props.get("AnalyzerName") or context.name()}
    unused = dict(props.get("AnalyzerConfiguration") or {}).get("UnusedAccessConfiguration")
    if unused:
        asked["configuration"] = {"unusedAccess": {"unusedAccessAge": int(unused["UnusedAccessAge"])}}
    return asked


spec(
    "AWS::Events::Archive",
    "events",
    "create_archive",
    named("ArchiveName", 48),
    rename={"SourceArn": "EventSourceArn"},
    extra=lambda p, c: {
        "ArchiveName": p.get("ArchiveName") or c.name(48),
        **({"EventPattern": text(p["EventPattern"])} if p.get("EventPattern") else {}),
    },
    attributes={"Arn": "ArchiveArn", "ArchiveName": named("ArchiveName", 48)},
    delete="delete_archive",
    delete_with=lambda i, _p, _a: {"ArchiveName": i},
)
spec(
    "AWS::Macie::Session",
    "macie2",
    "enable_macie",
    lambda _p, _r, c: c.account,
    attributes={"AwsAccountId": lambda _p, _r, c: c.account},
    update="update_macie_session",
    update_with=lambda _i, _p, _a: {},
    delete="disable_macie",
)
spec(
    "AWS::SecurityHub::DelegatedAdmin",
    "securityhub",
    "enable_organization_admin_account",
    lambda p, _r, c: f"{p['AdminAccountId']}/{c.region}",
    recorded=True,
)
spec(
    "AWS::SecurityHub::FindingAggregator",
    "securityhub",
    "create_finding_aggregator",
    lambda _p, _r, c: c.arn("securityhub", "finding-aggregator/1"),
    recorded=True,
)
spec(
    "AWS::SecurityHub::OrganizationConfiguration",
    "securityhub",
    "update_organization_configuration",
    lambda _p, _r, c: c.account,
    wrap="",
    recorded=True,
    drop=("ConfigurationType",),
    extra=lambda p, _c: {"OrganizationConfiguration": {"ConfigurationType": p["ConfigurationType"]}},
)
spec(
    "AWS::SecurityHub::ConfigurationPolicy",
    "securityhub",
    "create_configuration_policy",
    lambda p, r, c: c.arn("securityhub", "configuration-policy/" + made_up("")(p, r, c)),
    attributes={"Id": made_up("")},
    recorded=True,
)
spec(
    "AWS::SecurityHub::PolicyAssociation",
    "securityhub",
    "start_configuration_policy_association",
    made_up("association-"),
    recorded=True,
    rename={"ConfigurationPolicyId": "ConfigurationPolicyIdentifier"},
    drop=("TargetId", "TargetType"),
    extra=lambda p, _c: {"Target": {"RootId": p["TargetId"]}},
)
spec(
    "AWS::SecurityHub::Standard",
    "securityhub",
    "batch_enable_standards",
    lambda p, _r, _c: str(p["StandardsArn"]),
    recorded=True,
    drop=("StandardsArn",),
    extra=lambda p, _c: {"StandardsSubscriptionRequests": [{"StandardsArn": p["StandardsArn"]}]},
)
spec(
    "AWS::AccessAnalyzer::Analyzer",
    "accessanalyzer",
    "create_analyzer",
    lambda p, r, c: c.arn("access-analyzer", "analyzer/" + made_up("")(p, r, c)),
    drop=("AnalyzerConfiguration",),
    extra=_analyzer,
    recorded=True,
)
spec(
    "AWS::Config::ConformancePack",
    "config",
    "put_conformance_pack",
    lambda p, _r, _c: str(p["ConformancePackName"]),
    attributes={"ConformancePackArn": made_up("arn:aws:config:conformance-pack/")},
    recorded=True,
)
spec(
    "AWS::Config::ConfigurationAggregator",
    "config",
    "put_configuration_aggregator",
    lambda p, _r, _c: str(p["ConfigurationAggregatorName"]),
    attributes={"ConfigurationAggregatorArn": "ConfigurationAggregator.ConfigurationAggregatorArn"},
    update="create",
    delete="delete_configuration_aggregator",
    delete_with=lambda i, _p, _a: {"ConfigurationAggregatorName": i},
)
