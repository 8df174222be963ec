"""Promises about where data is."""

from __future__ import annotations

from proofs.finding import Case, Finding, note, proof
from proofs.model import as_list, at, unresolved_in
from proofs.register.questions import facts

STORES = (
    "AWS::RDS::DBCluster",
    "AWS::RDS::DBInstance",
    "AWS::DynamoDB::Table",
    "AWS::DynamoDB::GlobalTable",
    "AWS::S3::Bucket",
    "AWS::EFS::FileSystem",
    "AWS::Backup::BackupVault",
    "AWS::OpenSearchService::Domain",
)


@proof("residency.stores-stay-inside")
def stores_stay_inside(case: Case, finding: Finding) -> None:
    """Every store, copy, replica and backup is in the residency area.

    https://docs.aws.amazon.com/whitepapers/latest/aws-privacy-reference-architecture/data-residency.html
    """
    model = facts(case).model
    held = {node.region for node in model.of(*STORES)}
    area = case.terms.residency or _smallest(held)
    for node in model.of(*STORES):
        if node.region in area:
            finding.evidence.append(note(node, f"in {node.region}"))
        else:
            finding.broken.append(note(node, f"is in {node.region}, outside {', '.join(sorted(area))}"))
    for plan in model.of("AWS::Backup::BackupPlan"):
        for unknown in unresolved_in(plan.properties):
            finding.missing.append(note(plan, f"where it copies to is not known: {unknown.reason}"))
        for rule in as_list(plan.get("BackupPlan", "BackupPlanRule")):
            for copy in as_list(at(rule, "CopyActions")):
                arn = str(at(copy, "DestinationBackupVaultArn"))
                region = arn.split(":")[3] if arn.count(":") > 4 else ""
                vault = model.find(arn, "AWS::Backup::BackupVault")
                if region not in area or vault is None:
                    finding.broken.append(note(plan, f"copies to {arn}, outside the area or the deployment"))
    for table in model.of("AWS::DynamoDB::GlobalTable"):
        for replica in as_list(table.get("Replicas")):
            if at(replica, "Region") not in area:
                finding.broken.append(note(table, f"has a replica in {at(replica, 'Region')}"))


def _smallest(regions: set[str]) -> frozenset[str]:
    """Without a deployment that names its area: regions of the part of the world that holds most stores."""
    parts = sorted(
        {region.split("-")[0] for region in regions}, key=lambda part: -sum(r.startswith(part) for r in regions)
    )
    return frozenset(region for region in regions if parts and region.startswith(parts[0]))
