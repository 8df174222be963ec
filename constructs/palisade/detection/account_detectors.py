"""The detectors of one account in one region."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_accessanalyzer as accessanalyzer
from aws_cdk import aws_guardduty as guardduty
from aws_cdk import aws_macie as macie
from aws_cdk import aws_securityhub as securityhub

from constructs import Construct
from palisade.detection.plans import GUARDDUTY_PLANS, WITHOUT_MACIE, standards


class AccountDetectors(Construct):
    """Turns GuardDuty with every protection plan, Security Hub and, where AWS offers it, Macie on in this account and region.

    They stay on when the stack goes. GuardDuty tells of updated findings every quarter of an hour, Macie too. With
    ``alone`` the account belongs to no organization that would bring standards and analysers: it has its own.

    Control: detection.account.detectors
    https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_settingup.html
    https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-settingup.html
    https://docs.aws.amazon.com/macie/latest/user/getting-started.html
    """

    def __init__(self, scope: Construct, construct_id: str, *, alone: bool) -> None:
        super().__init__(scope, construct_id)
        self.detector = guardduty.CfnDetector(
            self,
            "GuardDuty",
            enable=True,
            finding_publishing_frequency="FIFTEEN_MINUTES",
            features=[
                guardduty.CfnDetector.CFNFeatureConfigurationProperty(
                    name=plan,
                    status="ENABLED",
                    additional_configuration=[
                        guardduty.CfnDetector.CFNFeatureAdditionalConfigurationProperty(name=agent, status="ENABLED")
                        for agent in agents
                    ]
                    or None,
                )
                for plan, agents in GUARDDUTY_PLANS.items()
            ],
        )
        self.hub = securityhub.CfnHub(
            self,
            "SecurityHub",
            enable_default_standards=False,
            control_finding_generator="SECURITY_CONTROL",
            auto_enable_controls=True,
        )
        on: list[cdk.CfnResource] = [self.detector, self.hub]
        if cdk.Stack.of(self).region not in WITHOUT_MACIE:
            on.append(macie.CfnSession(self, "Macie", status="ENABLED", finding_publishing_frequency="FIFTEEN_MINUTES"))
        for resource in on:
            resource.apply_removal_policy(cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE)
        if alone:
            self._add_own_judgement()

    def _add_own_judgement(self) -> None:
        for name, arn in zip(("Foundational", "Cis"), standards(cdk.Stack.of(self).region), strict=True):
            standard = securityhub.CfnStandard(self, name, standards_arn=arn)
            standard.add_resource_dependency(self.hub)
        for name, kind in (("ExternalAccess", "ACCOUNT"), ("UnusedAccess", "ACCOUNT_UNUSED_ACCESS")):
            accessanalyzer.CfnAnalyzer(self, name, type=kind)
