"""Weakenings that no invariant catches, each with the reason. A new one fails the test until it is caught or reasoned here."""

from __future__ import annotations

import re
from dataclasses import dataclass

from gate.weaken.mutations import Weakening


@dataclass(frozen=True, kw_only=True)
class Escape:
    """A family of weakenings by kind, type of resource, place and what stood there (all regular expressions), and why they
    are let go. It must be as narrow as its reason."""

    kind: str
    type: str
    place: str
    was: str
    reason: str

    def covers(self, weakening: Weakening) -> bool:
        """Whether a weakening is of this family."""
        return (
            re.fullmatch(self.kind, weakening.kind) is not None
            and re.fullmatch(self.type, weakening.resource.type) is not None
            and re.fullmatch(self.place, weakening.place) is not None
            and re.search(self.was, weakening.was) is not None
        )


ESCAPES: tuple[Escape, ...] = (
    Escape(
        kind="widen resource",
        type="AWS::IAM::ManagedPolicy",
        place=r"PolicyDocument\.Statement\.\d+\.Resource",
        was=r'^"arn:aws:s3:::[\w-]+-decision-\d{12}"$',
        reason="The right lists names under the workflow's own folders, which the condition beside it says, wherever an archive "
        "admits it; only the archive of this bucket does.",
    ),
    Escape(
        kind="drop condition",
        type="AWS::IAM::ManagedPolicy",
        place=r"PolicyDocument\.Statement\.\d+\.Condition",
        was=r'^\{"StringLike": \{"s3:prefix": "\d{12}/access/\*"\}\}$',
        reason="Reviews list the names of grants. What stands in a record stays behind the folder that the right to read and the "
        "archive's own policy name.",
    ),
    Escape(
        kind="drop property",
        type="AWS::StepFunctions::StateMachine",
        place=r"EncryptionConfiguration\.KmsDataKeyReusePeriodSeconds",
        was="^300$",
        reason="Five minutes are what Step Functions takes by itself.",
    ),
    Escape(
        kind="drop one condition",
        type="AWS::IAM::Role",
        place=r"AssumeRolePolicyDocument\.Statement\.\d+\.Condition\.StringEquals\.(aws:PrincipalOrgID|sts:ExternalId)",
        was="",
        reason="The trust names the one role that may come (identity.role.own-account); its organization and the word that it "
        "brings are second and third locks.",
    ),
    Escape(
        kind="widen resource",
        type="AWS::IAM::ManagedPolicy",
        place=r"PolicyDocument\.Statement\.\d+\.Resource",
        was=r':identitystore/d-|"Ref": "Timer|:network-interface/|autoScalingGroupName/\*|^"arn:aws:kms:[^"]*:key/\*"$'
        r"|^\"arn:aws:sso:::permissionSet/",
        reason="Either the action only lists (people of the one directory, executions), or the condition beside it bounds what "
        "it changes, which containment.role.bounded and identity.gate.assigner demand.",
    ),
    Escape(
        kind="drop refusal|narrow refusal",
        type="AWS::IAM::ManagedPolicy",
        place=r"PolicyDocument\.Statement\.\d+(\.\w+)?",
        was=r'"(NeverOwnRights|KeysOfNothingElse)"|^\["iam:DeleteRolePolicy", "iam:PutRolePolicy"\]|^"kms:DisableKey"$',
        reason="What containment must leave alone is decided by evaluating what its role may do to each key and to itself "
        "(containment.nothing-that-must-stay), and that proof notices either refusal go.",
    ),
    Escape(
        kind="drop condition",
        type="AWS::IAM::ManagedPolicy",
        place=r"PolicyDocument\.Statement\.\d+\.Condition",
        was=r'^\{"StringEquals": \{"events:source": "palisade\.drill"\}\}$',
        reason="A responder could send a finding that is not marked as a drill; responders report incidents by hand anyway.",
    ),
    Escape(
        kind="drop item",
        type="Custom::DelegateDetection",
        place=r"DelegatedServices\.\d+",
        was=r'^"sso\.amazonaws\.com"$',
        reason="Without the delegation nobody is let into anything: levels stay shut, and the sweep's failure alarms.",
    ),
    Escape(
        kind="drop condition",
        type="AWS::IAM::ManagedPolicy",
        place=r"PolicyDocument\.Statement\.\d+\.Condition",
        was=r'^\{"StringEquals": \{"aws:RequestedRegion"',
        reason="The actions only close what EC2 leaves open in a whole region; in one more region they would do no harm.",
    ),
    Escape(
        kind="widen resource|drop condition",
        type="AWS::IAM::ManagedPolicy",
        place=r"PolicyDocument\.Statement\.\d+\.(Resource|Condition)",
        was=r'^"arn:aws:ssm:\*:\d{12}:parameter/\w+/\*"$|^\{"ForAnyValue:StringEquals": \{"aws:CalledVia"',
        reason="Which parameters may be read and through which service are two bounds of one right; either alone keeps it to "
        "what stacks of the deployment are compared by.",
    ),
    Escape(
        kind="drop condition",
        type="AWS::IAM::ManagedPolicy",
        place=r"PolicyDocument\.Statement\.\d+\.Condition",
        was=r'^\{"\w+": \{("kms:(ViaService|EncryptionContext:[^"]*)": ([^{}]*|\{"(Fn::\w+|Ref)": [^{}]*\})(, )?)+\}\}$|'
        r'^\{"Null": \{"kms:EncryptionContext:aws:ssm:SessionId": "false"\}\}$',
        reason="The right names one key, and that key's own policy lets principals of its account use it only through its "
        "services (keys.policy.separation): the condition says so a second time.",
    ),
    Escape(
        kind="drop condition",
        type="AWS::IAM::ManagedPolicy",
        place=r"PolicyDocument\.Statement\.\d+\.Condition",
        was=r'^\{"StringLike": \{"s3:prefix": \["\d{12}/[\w-]+/\*", "\d{12}/[\w-]+-deeds/\*"\]\}\}$',
        reason="The right lists names in the archive's bucket of decisions; what stands in a record stays behind the folder "
        "that the right to read and the archive's own policy name.",
    ),
    Escape(
        kind="drop one condition",
        type="AWS::KMS::Key",
        place=r"KeyPolicy\.Statement\.\d+\.Condition\.\w+\.kms:CallerAccount",
        was="",
        reason="The principal is the account's own root, so the caller's account is said twice; what is left names services.",
    ),
    Escape(
        kind="drop one condition",
        type="AWS::KMS::Key",
        place=r"KeyPolicy\.Statement\.\d+\.Condition\.\w+\.(kms:ViaService|kms:EncryptionContext:[\w:]+|aws:PrincipalArn|aws:SourceArn)",
        was="",
        reason="The statement keeps another bound: the role that may call, the service it must call through, or what is "
        "encrypted. One of them must stay (keys.policy.separation, keys.policy.callers), which of them is a second lock.",
    ),
    Escape(
        kind="drop one condition",
        type="AWS::IAM::ManagedPolicy",
        place=r"PolicyDocument\.Statement\.\d+\.Condition\.[\w:]+\.kms:(ViaService|ResourceAliases|EncryptionContext:[\w:]+)",
        was="",
        reason="The right keeps another bound, and the key's own policy demands the service again (keys.policy.separation).",
    ),
    Escape(
        kind="widen resource",
        type="AWS::IAM::ManagedPolicy",
        place=r"PolicyDocument\.Statement\.\d+\.Resource",
        was=r'^("arn:aws:(rds:[^"]*:cluster:awsbackup-restore-test-|logs:[^"]*:log-group:)\*"'
        r'|\["arn:aws:organizations::(?!.*:root/).*\])$',
        reason="The action only lists (DescribeDBClusters, DescribeLogGroups, ListParents): the wider right shows names, and "
        "AWS itself grants such actions on everything only.",
    ),
    Escape(
        kind="widen resource",
        type="AWS::SSO::PermissionSet",
        place=r"InlinePolicy\.Statement\.\d+\.Resource",
        was=r'^\["arn:aws:backup:[^"]*:backup-vault:\*"',
        reason="What it describes in an emergency tells how things fare; whoever only looks may see as much of everything.",
    ),
    Escape(
        kind="widen resource",
        type="AWS::IAM::ManagedPolicy",
        place=r"PolicyDocument\.Statement\.\d+\.Resource",
        was=r"secret:rds!cluster-\*",
        reason="RDS invents the secret's name; the condition beside it keeps the right to the secret of one cluster.",
    ),
    Escape(
        kind="drop refusal|narrow refusal",
        type="AWS::Organizations::Policy",
        place=r"Content\.Statement\.\d+(\..+)?",
        was="",
        reason="What must be refused above every unit is judged (organization.policy.kept); each of the other refusals keeps a "
        "promise of its own, and the requests of tests/guardrails show that none can go without an answer turning.",
    ),
    Escape(
        kind="drop resource",
        type="AWS::CloudWatch::Alarm",
        place="",
        was="",
        reason="Which symptoms deserve an alarm is design, no rule over templates. Judged is that alarms tell somebody, that "
        "filters and dead letters are watched and that composite alarms are whole; the snapshot shows a lost alarm.",
    ),
    Escape(
        kind="drop resource",
        type="AWS::Events::Rule",
        place="",
        was="",
        reason="A rule that carries work of one component, or says in us-east-1 what another says at home. Judged is that the "
        "deeds CIS lists, backup jobs and AWS's own troubles are heard of where they are reported.",
    ),
    Escape(
        kind="drop item",
        type="AWS::S3::Bucket",
        place=r"LifecycleConfiguration\.Rules\.\d+",
        was=r"^(?!.*(AbortIncomplete|NoncurrentVersion)).*ExpirationInDays",
        reason="How long current objects stay is the owner's choice where no promise hangs on it; versions and unfinished "
        "uploads must end everywhere (storage.bucket.lifecycle), promised deletions are judged (privacy.documents.expire).",
    ),
    Escape(
        kind="drop refusal|narrow refusal",
        type="AWS::S3::BucketPolicy",
        place=r"PolicyDocument\.Statement\.\d+(\.Action)?",
        was=r's3:signatureAge|NotIpAddress|^\["s3:GetObject", "s3:GetObjectVersion"\]$',
        reason="Links to debug exports: that the bucket refuses old ones is decided by debug-export.short-links-on-record; from "
        "which networks they may be used is a second bound, of what holds no names and lives for hours.",
    ),
    Escape(
        kind="drop one condition",
        type="AWS::IAM::ManagedPolicy",
        place=r"PolicyDocument\.Statement\.\d+\.Condition\.[\w:]+\.dynamodb:(Attributes|Select)",
        was="",
        reason="Which fields an export may read is decided by debug-export.one-tenants-listed-fields; the tenant is still said.",
    ),
    Escape(
        kind="widen resource",
        type="AWS::IAM::ManagedPolicy",
        place=r"PolicyDocument\.Statement\.\d+\.Resource",
        was=r'^\{"Fn::GetAtt": \["Exports\w+", "Arn"\]\}$',
        reason="The right lists versions of debug exports, to delete them; elsewhere it would show names alone.",
    ),
)
