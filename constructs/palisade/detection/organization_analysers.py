"""Who outside the organization reaches in, and what inside it nobody uses."""

from __future__ import annotations

from aws_cdk import aws_accessanalyzer as accessanalyzer

from constructs import Construct

UNUSED_DAYS = 90


class OrganizationAnalysers(Construct):
    """Finds every resource of this region that somebody outside the organization may reach.

    With ``unused`` it also finds roles, permissions, keys and passwords that nobody used for 90 days: once for the whole
    organization, because identities belong to no region and each analyser is billed for each of them.

    Control: detection.organization.analysers
    https://docs.aws.amazon.com/IAM/latest/UserGuide/what-is-access-analyzer.html
    """

    def __init__(self, scope: Construct, construct_id: str, *, unused: bool) -> None:
        super().__init__(scope, construct_id)
        accessanalyzer.CfnAnalyzer(self, "ExternalAccess", type="ORGANIZATION")
        if unused:
            accessanalyzer.CfnAnalyzer(
                self,
                "UnusedAccess",
                type="ORGANIZATION_UNUSED_ACCESS",
                analyzer_configuration=accessanalyzer.CfnAnalyzer.AnalyzerConfigurationProperty(
                    unused_access_configuration=accessanalyzer.CfnAnalyzer.UnusedAccessConfigurationProperty(
                        unused_access_age=UNUSED_DAYS
                    )
                ),
            )
