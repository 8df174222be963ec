"""What the findings bus carries: each kind of event, by the pattern that chooses it.

https://docs.aws.amazon.com/eventbridge/latest/ref/events.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_BREAK_GLASS = [{"wildcard": "*break-glass*"}, {"wildcard": "*BreakGlass*"}]
_HEARD_DIRECTLY = ["Config", "GuardDuty", "IAM Access Analyzer", "Inspector", "Macie"]

GUARDDUTY: Mapping[str, Any] = {"source": ["aws.guardduty"], "detail-type": ["GuardDuty Finding"]}
"""https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_findings_eventbridge.html"""

INSPECTOR: Mapping[str, Any] = {
    "source": ["aws.inspector2"],
    "detail-type": ["Inspector2 Finding"],
    "detail": {"severity": ["CRITICAL", "HIGH"], "status": ["ACTIVE"]},
}
"""https://docs.aws.amazon.com/inspector/latest/user/eventbridge-integration.html"""

MACIE: Mapping[str, Any] = {"source": ["aws.macie"], "detail-type": ["Macie Finding"]}
"""https://docs.aws.amazon.com/macie/latest/user/findings-publish-event-schemas.html"""

ACCESS_ANALYZER: Mapping[str, Any] = {
    "source": ["aws.access-analyzer"],
    "detail-type": ["Access Analyzer Finding", "Unused Access Finding for IAM entities"],
    "detail": {"status": ["ACTIVE"]},
}
"""https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-eventbridge.html"""

SECURITY_HUB: Mapping[str, Any] = {
    "source": ["aws.securityhub"],
    "detail-type": ["Security Hub Findings - Imported"],
    "detail": {
        "findings": {
            "ProductName": [{"anything-but": _HEARD_DIRECTLY}],
            "RecordState": ["ACTIVE"],
            "Severity": {"Label": ["CRITICAL", "HIGH", "MEDIUM"]},
            "Workflow": {"Status": ["NEW"]},
        }
    },
}
"""Only where findings of all regions are gathered, and without what its own service tells.
https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-cwe-event-formats.html"""

CONFIG: Mapping[str, Any] = {
    "source": ["aws.config"],
    "detail-type": ["Config Rules Compliance Change"],
    "detail": {
        "messageType": ["ComplianceChangeNotification"],
        "newEvaluationResult": {"complianceType": ["NON_COMPLIANT"]},
    },
}
"""https://docs.aws.amazon.com/config/latest/developerguide/monitor-config-with-cloudwatchevents.html"""

ALARM: Mapping[str, Any] = {
    "source": ["aws.cloudwatch"],
    "detail-type": ["CloudWatch Alarm State Change"],
    "detail": {"state": {"value": ["ALARM"]}},
}
"""https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html"""

ROOT: Mapping[str, Any] = {
    "detail-type": ["AWS API Call via CloudTrail", "AWS Console Sign In via CloudTrail"],
    "detail": {"userIdentity": {"type": ["Root"], "invokedBy": [{"exists": False}]}},
}
"""https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html"""

BREAK_GLASS: Mapping[str, Any] = {
    "detail-type": ["AWS API Call via CloudTrail", "AWS Console Sign In via CloudTrail"],
    "detail": {"userIdentity": {"sessionContext": {"sessionIssuer": {"userName": _BREAK_GLASS}}}},
}
"""Every use of an emergency role. https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html"""

OF_EVERY_ACCOUNT: Mapping[str, Mapping[str, Any]] = {
    "Config": CONFIG,
    "Alarm": ALARM,
    "Root": ROOT,
    "BreakGlass": BREAK_GLASS,
}
"""What each account reports itself, in each region."""

OF_DETECTORS: Mapping[str, Mapping[str, Any]] = {
    "GuardDuty": GUARDDUTY,
    "Inspector": INSPECTOR,
    "Macie": MACIE,
    "AccessAnalyzer": ACCESS_ANALYZER,
}
"""What the administrator of the detectors hears of every member, in each region."""

OF_HOME: Mapping[str, Mapping[str, Any]] = {"SecurityHub": SECURITY_HUB}
"""What is gathered from every region in one."""

KINDS = tuple(
    dict.fromkeys(
        kind
        for pattern in (*OF_EVERY_ACCOUNT.values(), *OF_DETECTORS.values(), *OF_HOME.values())
        for kind in pattern["detail-type"]
    )
)
"""Every detail-type that the bus takes."""

SEVERE: Mapping[str, Mapping[str, Any]] = {
    "GuardDuty": {**GUARDDUTY, "detail": {"severity": [{"numeric": [">=", 7]}]}},
    "SecurityHub": {
        **SECURITY_HUB,
        "detail": {"findings": {"Severity": {"Label": ["CRITICAL", "HIGH"]}}},
    },
    "Inspector": {**INSPECTOR, "detail": {"severity": ["CRITICAL"]}},
    "Macie": {**MACIE, "detail": {"severity": {"description": ["High"]}}},
    "ExternalAccess": {**ACCESS_ANALYZER, "detail-type": ["Access Analyzer Finding"]},
    "Root": ROOT,
    "BreakGlass": BREAK_GLASS,
}
"""What somebody must hear of today. GuardDuty counts 7 to 8.9 as high and from 9 on as critical.
https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_findings-severity.html"""
