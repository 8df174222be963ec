"""Which policies count for whom, and what they come to together: one named case per row."""

from __future__ import annotations

# ruff: noqa: E501 - a row of a table reads best on one line
from dataclasses import dataclass, field
from typing import Any, Final

import pytest

from proofs.policy import Decision, lines

ALLOWED, IMPLICIT, EXPLICIT = "Allowed", "ImplicitlyDenied", "ExplicitlyDenied"
A, B, M = "111122223333", "444455556666", "999900001111"
ROOT: Final = f"arn:aws:iam::{A}:root"
ANA: Final = f"arn:aws:iam::{A}:user/ana"
APP: Final = f"arn:aws:iam::{A}:role/app"
SESSION: Final = f"arn:aws:sts::{A}:assumed-role/app/one"
OTHER_SESSION: Final = f"arn:aws:sts::{A}:assumed-role/app/two"
FEDERATED: Final = f"arn:aws:sts::{A}:federated-user/ana"
LINKED: Final = f"arn:aws:sts::{A}:assumed-role/AWSServiceRoleForConfig/x"
STRANGER: Final = f"arn:aws:sts::{B}:assumed-role/app/one"
TRAIL: Final = "cloudtrail.amazonaws.com"
GET, OBJECT, BUCKET = "s3:GetObject", "arn:aws:s3:::data/x", "arn:aws:s3:::data"
KEY: Final = f"arn:aws:kms:eu-west-2:{A}:key/1"
DECRYPT: Final = "kms:Decrypt"


def doc(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(action: Any = "*", resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: Any = "*", resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {**allow(action, resource, **more), "Effect": "Deny"}


def to(*names: str, **more: Any) -> dict[str, Any]:
    """A statement of a resource policy that allows everything to AWS principals."""
    return allow(Principal={"AWS": list(names)}, **more)


FULL: Final[dict[str, Any]] = doc(allow())
ALL: Final[dict[str, Any]] = {"Principal": "*"}


@dataclass(frozen=True)
class Case:
    name: str
    expected: str
    principal: Any = APP
    action: str = GET
    resource: str = OBJECT
    owner: str | None = A
    context: dict[str, Any] = field(default_factory=dict)
    identity: Any = ()
    resource_policy: Any = None
    boundary: Any = ()
    session: Any = None
    scps: Any = ()
    rcps: Any = ()
    endpoint: Any = ()
    grants: Any = ()
    manager: str | None = None
    issuer: str | None = None
    canonical: str | None = None

    def decision(self) -> Decision:
        request = {
            "principal": self.principal,
            "action": self.action,
            "resource": self.resource,
            "context": self.context,
        }
        request |= {"resource_account": self.owner, "session_issuer": self.issuer, "canonical_user": self.canonical}
        entry = {
            "request": request,
            "identity_policies": list(self.identity),
            "resource_policy": self.resource_policy,
            "permission_boundaries": list(self.boundary),
            "session_policy": self.session,
            "service_control_policies": [list(level) for level in self.scps],
            "resource_control_policies": [list(level) for level in self.rcps],
            "endpoint_policies": list(self.endpoint),
            "grants": list(self.grants),
            "management_account": self.manager,
        }
        return lines.decide({name: value for name, value in entry.items() if value not in (None, [])})


READ: Final[dict[str, Any]] = doc(allow("s3:Get*", "arn:aws:s3:::data/*"))
WRITE: Final[dict[str, Any]] = doc(allow("s3:Put*"))
NO_GET: Final[dict[str, Any]] = doc(deny("s3:Get*"))

# fmt: off
IDENTITY: Final = [
    Case("nothing allows", IMPLICIT),
    Case("an identity policy allows", ALLOWED, identity=[READ]),
    Case("one of several identity policies allows", ALLOWED, identity=[WRITE, READ]),
    Case("none of several allows", IMPLICIT, identity=[WRITE, WRITE]),
    Case("a denial in another policy wins", EXPLICIT, identity=[READ, NO_GET]),
    Case("a denial before the allowance wins", EXPLICIT, identity=[NO_GET, READ]),
    Case("a denial without any allowance is explicit", EXPLICIT, identity=[NO_GET]),
    Case("a denial of another action is none", ALLOWED, identity=[FULL, doc(deny("s3:Put*"))]),
    Case("a denial of another resource is none", ALLOWED, identity=[FULL, doc(deny(resource="arn:aws:s3:::other/*"))]),
    Case("a denial whose condition fails is none", ALLOWED, identity=[FULL, doc(deny(Condition={"Bool": {"aws:SecureTransport": "false"}}))], context={"aws:SecureTransport": "true"}),
    Case("a denial whose condition holds", EXPLICIT, identity=[FULL, doc(deny(Condition={"Bool": {"aws:SecureTransport": "false"}}))], context={"aws:SecureTransport": "false"}),
    Case("a single statement needs no list", ALLOWED, identity=[{"Version": "2012-10-17", "Statement": allow()}]),
    Case("no statements allow nothing", IMPLICIT, identity=[doc()]),
    Case("a policy given as text", ALLOWED, identity=['{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}']),
    Case("actions ignore case", ALLOWED, identity=[doc(allow("S3:getOBJECT"))]),
    Case("asked actions ignore case", ALLOWED, identity=[READ], action="S3:GETOBJECT"),
    Case("a question mark in an action is one character", ALLOWED, identity=[doc(allow("s3:?etObject"))]),
    Case("a question mark is not none", IMPLICIT, identity=[doc(allow("s3:GetObject?"))]),
    Case("a wildcard within an action", ALLOWED, identity=[doc(allow("s3:*Object"))]),
    Case("a wildcard of another service", IMPLICIT, identity=[doc(allow("ec2:*"))]),
    Case("an action is not matched by its beginning", IMPLICIT, identity=[doc(allow("s3:Get"))]),
    Case("an action list", ALLOWED, identity=[doc(allow(["ec2:*", "s3:GetObject"]))]),
    Case("notaction covers what is not listed", ALLOWED, identity=[doc({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"})]),
    Case("notaction leaves out what is listed", IMPLICIT, identity=[doc({"Effect": "Allow", "NotAction": ["iam:*", "s3:Get*"], "Resource": "*"})]),
    Case("notaction in a denial", EXPLICIT, identity=[FULL, doc({"Effect": "Deny", "NotAction": "iam:*", "Resource": "*"})]),
    Case("notaction in a denial spares what is listed", ALLOWED, identity=[FULL, doc({"Effect": "Deny", "NotAction": "s3:*", "Resource": "*"})]),
    Case("resources mind case", IMPLICIT, identity=[doc(allow(resource="arn:aws:s3:::Data/*"))]),
    Case("a resource without wildcard is itself only", IMPLICIT, identity=[doc(allow(resource=BUCKET))]),
    Case("a resource list", ALLOWED, identity=[doc(allow(resource=[BUCKET, f"{BUCKET}/*"]))]),
    Case("a star crosses slashes", ALLOWED, identity=[doc(allow(resource="arn:aws:s3:::data/*"))], resource="arn:aws:s3:::data/a/b/c"),
    Case("a star crosses colons", ALLOWED, identity=[doc(allow(resource="arn:aws:logs:*:log-group:x"))], action="logs:PutLogEvents", resource=f"arn:aws:logs:eu-west-2:{A}:log-group:x"),
    Case("a question mark in a resource", ALLOWED, identity=[doc(allow(resource="arn:aws:s3:::dat?/x"))]),
    Case("a bucket's pattern is not its objects'", IMPLICIT, identity=[doc(allow(resource="arn:aws:s3:::data"))]),
    Case("an action without resource needs a star", IMPLICIT, identity=[doc(allow("s3:*", f"{BUCKET}*"))], action="s3:ListAllMyBuckets", resource="*"),
    Case("an action without resource and a star", ALLOWED, identity=[doc(allow("s3:*"))], action="s3:ListAllMyBuckets", resource="*"),
    Case("notresource covers what is not listed", ALLOWED, identity=[doc({"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:s3:::secret/*"})]),
    Case("notresource leaves out what is listed", IMPLICIT, identity=[doc({"Effect": "Allow", "Action": "*", "NotResource": ["arn:aws:s3:::secret/*", f"{BUCKET}/*"]})]),
    Case("notresource in a denial", EXPLICIT, identity=[FULL, doc({"Effect": "Deny", "Action": "*", "NotResource": "arn:aws:s3:::secret/*"})]),
    Case("a user by its own policy", ALLOWED, principal=ANA, identity=[READ]),
    Case("a role session by its role's policy", ALLOWED, principal=SESSION, identity=[READ]),
    Case("nobody known has no policies of its own", IMPLICIT, principal="*", identity=[FULL]),
    Case("a service has no policies of its own", IMPLICIT, principal=TRAIL, identity=[FULL]),
    Case("the owner is read from the ARN", IMPLICIT, owner=None, identity=[FULL], action="sqs:SendMessage", resource=f"arn:aws:sqs:eu-west-2:{B}:q"),
    Case("a bucket without known owner is one's own", ALLOWED, owner=None, identity=[READ]),
    Case("the principal's ARN is a key", ALLOWED, principal=SESSION, identity=[doc(allow(Condition={"ArnEquals": {"aws:PrincipalArn": APP}}))]),
    Case("the principal's account is a key", ALLOWED, identity=[doc(allow(Condition={"StringEquals": {"aws:PrincipalAccount": A}}))]),
    Case("the resource's account is a key", ALLOWED, identity=[doc(allow(Condition={"StringEquals": {"aws:ResourceAccount": A}}))]),
    Case("the user's name is a key", ALLOWED, principal=ANA, identity=[doc(allow(Condition={"StringEquals": {"aws:username": "ana"}}))]),
    Case("a role has no user name", IMPLICIT, identity=[doc(allow(Condition={"StringLike": {"aws:username": "*"}}))]),
    Case("the principal's type is a key", ALLOWED, principal=ANA, identity=[doc(allow(Condition={"StringEquals": {"aws:PrincipalType": "User"}}))]),
    Case("a role session's type", ALLOWED, principal=SESSION, identity=[doc(allow(Condition={"StringEquals": {"aws:PrincipalType": "AssumedRole"}}))]),
    Case("a direct call is not via a service", ALLOWED, identity=[doc(allow(Condition={"Bool": {"aws:ViaAWSService": "false"}}))]),
    Case("a forwarded call is via a service", ALLOWED, identity=[doc(allow(Condition={"Bool": {"aws:ViaAWSService": "true"}}))], context={"aws:CalledVia": ["athena.amazonaws.com"]}),
    Case("a key said to be absent is absent", ALLOWED, context={"aws:PrincipalArn": None}, identity=[doc(allow(Condition={"Null": {"aws:PrincipalArn": "true"}}))]),
    Case("a given key beats one that follows", IMPLICIT, identity=[doc(allow(Condition={"Bool": {"aws:ViaAWSService": "true"}}))], context={"aws:CalledVia": ["athena.amazonaws.com"], "aws:viaawsservice": "false"}),
    Case("the first of the services on the way", ALLOWED, identity=[doc(allow(Condition={"StringEquals": {"aws:CalledViaFirst": "a.amazonaws.com"}}))], context={"aws:CalledVia": ["a.amazonaws.com", "b.amazonaws.com"]}),
    Case("the last of the services on the way", ALLOWED, identity=[doc(allow(Condition={"StringEquals": {"aws:CalledViaLast": "b.amazonaws.com"}}))], context={"aws:CalledVia": ["a.amazonaws.com", "b.amazonaws.com"]}),
    Case("the first is not the last", IMPLICIT, identity=[doc(allow(Condition={"StringEquals": {"aws:CalledViaFirst": "b.amazonaws.com"}}))], context={"aws:CalledVia": ["a.amazonaws.com", "b.amazonaws.com"]}),
    Case("the last is not the first", IMPLICIT, identity=[doc(allow(Condition={"StringEquals": {"aws:CalledViaLast": "a.amazonaws.com"}}))], context={"aws:CalledVia": ["a.amazonaws.com", "b.amazonaws.com"]}),
    Case("any of the services on the way", ALLOWED, identity=[doc(allow(Condition={"ForAnyValue:StringEquals": {"aws:CalledVia": "b.amazonaws.com"}}))], context={"aws:CalledVia": ["a.amazonaws.com", "b.amazonaws.com"]}),
    Case("a given key beats a filled-in one", ALLOWED, identity=[doc(allow(Condition={"Bool": {"aws:ViaAWSService": "true"}}))], context={"aws:viaawsservice": True}),
    Case("the root user needs no policy", ALLOWED, principal=ROOT),
    Case("an account id as principal is its root user", ALLOWED, principal=A),
    Case("the root user is bound by a bucket policy's denial", EXPLICIT, principal=ROOT, resource_policy=doc(deny(**ALL))),
]
# fmt: on

# fmt: off
RESOURCE: Final = [
    Case("everyone, so nothing else is needed", ALLOWED, resource_policy=doc(allow(**ALL))),
    Case("everyone in the AWS form", ALLOWED, resource_policy=doc(to("*"))),
    Case("nobody known, allowed as everyone", ALLOWED, principal="*", resource_policy=doc(allow(**ALL))),
    Case("nobody known, allowed in the AWS form", ALLOWED, principal="*", resource_policy=doc(to("*"))),
    Case("nobody known is in no account", IMPLICIT, principal="*", resource_policy=doc(to(A))),
    Case("the user itself", ALLOWED, principal=ANA, resource_policy=doc(to(ANA))),
    Case("another user", IMPLICIT, principal=ANA, resource_policy=doc(to(f"{ANA}bel"))),
    Case("names of users mind case", IMPLICIT, principal=ANA, resource_policy=doc(to(f"arn:aws:iam::{A}:user/Ana"))),
    Case("the role of the session", ALLOWED, principal=SESSION, resource_policy=doc(to(APP))),
    Case("the role with its path", ALLOWED, principal=SESSION, resource_policy=doc(to(f"arn:aws:iam::{A}:role/teams/x/app"))),
    Case("the role with another path than the known one", IMPLICIT, principal=SESSION, issuer=f"arn:aws:iam::{A}:role/teams/y/app", resource_policy=doc(to(f"arn:aws:iam::{A}:role/teams/x/app"))),
    Case("the role with its known path", ALLOWED, principal=SESSION, issuer=f"arn:aws:iam::{A}:role/teams/x/app", resource_policy=doc(to(f"arn:aws:iam::{A}:role/teams/x/app"))),
    Case("a role asked by its ARN has no other path", IMPLICIT, principal=APP, resource_policy=doc(to(f"arn:aws:iam::{A}:role/teams/x/app"))),
    Case("the root user's id is its account", ALLOWED, principal=ROOT, resource_policy=doc(deny(**ALL, Condition={"StringNotEquals": {"aws:userid": A}}))),
    Case("a service has no account and no ARN", ALLOWED, principal=TRAIL, resource_policy=doc(allow(Principal={"Service": TRAIL}, Condition={"Null": {"aws:PrincipalAccount": "true", "aws:PrincipalArn": "true", "aws:PrincipalType": "true"}}))),
    Case("a provider has no account and no type", ALLOWED, principal={"Federated": "accounts.google.com"}, resource_policy=doc(allow(Principal={"Federated": "accounts.google.com"}, Condition={"Null": {"aws:PrincipalAccount": "true", "aws:PrincipalType": "true"}}))),
    Case("nobody known has a type", ALLOWED, principal="*", resource_policy=doc(allow(**ALL, Condition={"StringEquals": {"aws:PrincipalType": "Anonymous"}}))),
    Case("a role of the same name elsewhere", IMPLICIT, principal=SESSION, resource_policy=doc(to(f"arn:aws:iam::{B}:role/app"))),
    Case("the session itself", ALLOWED, principal=SESSION, resource_policy=doc(to(SESSION))),
    Case("another session of the role", IMPLICIT, principal=OTHER_SESSION, resource_policy=doc(to(SESSION))),
    Case("a role asked without session is no session", IMPLICIT, principal=APP, resource_policy=doc(to(SESSION))),
    Case("the account alone passes nothing on by itself", IMPLICIT, resource_policy=doc(to(ROOT))),
    Case("the account and an identity policy", ALLOWED, resource_policy=doc(to(ROOT)), identity=[READ]),
    Case("the account's id alone", IMPLICIT, resource_policy=doc(to(A))),
    Case("the account's root user by the account", ALLOWED, principal=ROOT, resource_policy=doc(to(A))),
    Case("an identity policy without the resource's", ALLOWED, resource_policy=doc(to(B)), identity=[READ]),
    Case("the resource's denial of the account", EXPLICIT, identity=[FULL], resource_policy=doc(deny(Principal={"AWS": A}))),
    Case("the resource's denial of the role", EXPLICIT, principal=SESSION, identity=[FULL], resource_policy=doc(deny(Principal={"AWS": APP}))),
    Case("the resource's denial of another session", ALLOWED, principal=SESSION, identity=[FULL], resource_policy=doc(deny(Principal={"AWS": OTHER_SESSION}))),
    Case("the resource's denial of another account", ALLOWED, identity=[FULL], resource_policy=doc(deny(Principal={"AWS": B}))),
    Case("the resource's denial of everyone", EXPLICIT, identity=[FULL], resource_policy=doc(deny(**ALL))),
    Case("the resource's denial hits the session that it allows", EXPLICIT, principal=SESSION, resource_policy=doc(to(SESSION), deny(**ALL))),
    Case("a service", ALLOWED, principal=TRAIL, resource_policy=doc(allow(Principal={"Service": TRAIL}))),
    Case("a service is not held by identity policies", ALLOWED, principal=TRAIL, identity=[NO_GET], boundary=[NO_GET], session=NO_GET, resource_policy=doc(allow(Principal={"Service": TRAIL}))),
    Case("a service's bucket without owner has no account", ALLOWED, principal=TRAIL, owner=None, resource_policy=doc(allow(Principal={"Service": TRAIL}, Condition={"Null": {"aws:ResourceAccount": "true"}}))),
    Case("a service in a list", ALLOWED, principal=TRAIL, resource_policy=doc(allow(Principal={"Service": ["config.amazonaws.com", TRAIL]}))),
    Case("another service", IMPLICIT, principal=TRAIL, resource_policy=doc(allow(Principal={"Service": "config.amazonaws.com"}))),
    Case("a service is no account", IMPLICIT, principal=TRAIL, resource_policy=doc(to(A))),
    Case("a service by another of its names", ALLOWED, principal="logs.eu-west-2.amazonaws.com", resource_policy=doc(allow(Principal={"Service": "logs.amazonaws.com"})), context={"aws:PrincipalServiceNamesList": ["logs.amazonaws.com", "logs.eu-west-2.amazonaws.com"]}),
    Case("a regional name alone is another name", IMPLICIT, principal="logs.eu-west-2.amazonaws.com", resource_policy=doc(allow(Principal={"Service": "logs.amazonaws.com"}))),
    Case("a service given as an object", ALLOWED, principal={"Service": TRAIL}, resource_policy=doc(allow(Principal={"Service": TRAIL}))),
    Case("a service for the right account", ALLOWED, principal=TRAIL, context={"aws:SourceAccount": A}, resource_policy=doc(allow(Principal={"Service": TRAIL}, Condition={"StringEquals": {"aws:SourceAccount": A}}))),
    Case("a service for another account", IMPLICIT, principal=TRAIL, context={"aws:SourceAccount": B}, resource_policy=doc(allow(Principal={"Service": TRAIL}, Condition={"StringEquals": {"aws:SourceAccount": A}}))),
    Case("a service that names no account", IMPLICIT, principal=TRAIL, resource_policy=doc(allow(Principal={"Service": TRAIL}, Condition={"StringEquals": {"aws:SourceAccount": A}}))),
    Case("a service for the right trail", ALLOWED, principal=TRAIL, context={"aws:SourceArn": f"arn:aws:cloudtrail:eu-west-2:{A}:trail/t"}, resource_policy=doc(allow(Principal={"Service": TRAIL}, Condition={"ArnLike": {"aws:SourceArn": f"arn:aws:cloudtrail:*:{A}:trail/*"}}))),
    Case("services are told by a key", EXPLICIT, principal=ANA, identity=[FULL], resource_policy=doc(deny(**ALL, Condition={"Bool": {"aws:PrincipalIsAWSService": "false"}}))),
    Case("services are spared by a key", ALLOWED, principal=TRAIL, resource_policy=doc(allow(Principal={"Service": TRAIL}), deny(**ALL, Condition={"Bool": {"aws:PrincipalIsAWSService": "false"}}))),
    Case("a denial of everyone hits services", EXPLICIT, principal=TRAIL, resource_policy=doc(allow(Principal={"Service": TRAIL}), deny(**ALL))),
    Case("a service's name is a key", ALLOWED, principal=TRAIL, resource_policy=doc(allow(**ALL, Condition={"StringEquals": {"aws:PrincipalServiceName": TRAIL}}))),
    Case("a canonical user is its account", ALLOWED, canonical="79a5", identity=[READ], owner=B, resource_policy=doc(allow(Principal={"CanonicalUser": "79a5"}))),
    Case("another canonical user", IMPLICIT, canonical="79a6", identity=[READ], owner=B, resource_policy=doc(allow(Principal={"CanonicalUser": "79a5"}))),
    Case("a unique id is the user while it exists", ALLOWED, principal=ANA, context={"aws:userid": "AIDAJQABLZS4A3QDU576Q"}, resource_policy=doc(to("AIDAJQABLZS4A3QDU576Q"))),
    Case("a unique id is the role of a session", ALLOWED, principal=SESSION, context={"aws:userid": "AROAJQABLZS4A3QDU576Q:one"}, resource_policy=doc(to("AROAJQABLZS4A3QDU576Q"))),
    Case("a unique id of somebody deleted", IMPLICIT, principal=ANA, resource_policy=doc(to("AIDAJQABLZS4A3QDU576Q"))),
    Case("the policy's own resource must fit", IMPLICIT, principal=ANA, resource_policy=doc(to(ANA, resource=BUCKET))),
    Case("a federated session itself", ALLOWED, principal=FEDERATED, resource_policy=doc(to(FEDERATED))),
    Case("a federated session has only what its session policy leaves", IMPLICIT, principal=FEDERATED, identity=[FULL]),
    Case("a federated session with a session policy", ALLOWED, principal=FEDERATED, identity=[FULL], session=FULL),
    Case("the user of a federated session, without session policy", IMPLICIT, principal=FEDERATED, issuer=ANA, resource_policy=doc(to(ANA))),
    Case("the user of a federated session, with session policy", ALLOWED, principal=FEDERATED, issuer=ANA, session=FULL, resource_policy=doc(to(ANA))),
    Case("a queue's policy without resource", ALLOWED, principal=ANA, resource_policy=doc({"Effect": "Allow", "Principal": {"AWS": ANA}, "Action": "*"})),
    Case("an API's short resource", ALLOWED, principal="*", action="execute-api:Invoke", resource=f"arn:aws:execute-api:eu-west-2:{A}:abc/prod/GET/x", resource_policy=doc(allow("execute-api:Invoke", "execute-api:/prod/GET/*", **ALL))),
    Case("an API's short resource of another method", IMPLICIT, principal="*", action="execute-api:Invoke", resource=f"arn:aws:execute-api:eu-west-2:{A}:abc/prod/POST/x", resource_policy=doc(allow("execute-api:Invoke", "execute-api:/prod/GET/*", **ALL))),
]
# fmt: on


def but(*names: str) -> dict[str, Any]:
    """A resource policy that denies everyone else."""
    return doc({"Effect": "Deny", "NotPrincipal": {"AWS": list(names)}, "Action": "*", "Resource": "*"})


# fmt: off
NOT_PRINCIPAL: Final = [
    Case("the user listed with its account is spared", ALLOWED, principal=ANA, identity=[FULL], resource_policy=but(ANA, ROOT)),
    Case("another user of that account is not", EXPLICIT, principal=f"{ANA}bel", identity=[FULL], resource_policy=but(ANA, ROOT)),
    Case("an account listed alone is spared whole", ALLOWED, principal=ANA, identity=[FULL], resource_policy=but(ROOT)),
    Case("another account listed", EXPLICIT, principal=ANA, identity=[FULL], resource_policy=but(B)),
    Case("the role listed spares its sessions", ALLOWED, principal=SESSION, identity=[FULL], resource_policy=but(APP, ROOT)),
    Case("a session listed with its role is spared", ALLOWED, principal=SESSION, identity=[FULL], resource_policy=but(SESSION, APP, ROOT)),
    Case("another session is not", EXPLICIT, principal=OTHER_SESSION, identity=[FULL], resource_policy=but(SESSION, APP, ROOT)),
    Case("a listed principal with a boundary is denied all the same", EXPLICIT, principal=ANA, identity=[FULL], boundary=[FULL], resource_policy=but(ANA, ROOT)),
    Case("the root user has no boundary: listed, it is spared", ALLOWED, principal=ROOT, boundary=[FULL], resource_policy=but(ROOT)),
    Case("a service listed", ALLOWED, principal=TRAIL, resource_policy=doc(allow(Principal={"Service": TRAIL}), {"Effect": "Deny", "NotPrincipal": {"Service": TRAIL}, "Action": "*", "Resource": "*"})),
    Case("a service not listed", EXPLICIT, principal=TRAIL, resource_policy=doc(allow(Principal={"Service": TRAIL}), but(ANA)["Statement"][0])),
    Case("nobody known", EXPLICIT, principal="*", resource_policy=doc(allow(**ALL), but(ANA)["Statement"][0])),
    Case("allowing everyone but one allows the others", ALLOWED, principal=ANA, resource_policy=doc({"Effect": "Allow", "NotPrincipal": {"AWS": APP}, "Action": "*", "Resource": "*"})),
    Case("allowing everyone but one does not allow that one", IMPLICIT, principal=APP, resource_policy=doc({"Effect": "Allow", "NotPrincipal": {"AWS": APP}, "Action": "*", "Resource": "*"})),
]
# fmt: on

GETTING: Final[dict[str, Any]] = doc(allow("s3:Get*"))
PUTTING: Final[dict[str, Any]] = doc(allow("s3:Put*"))

# fmt: off
LIMITS: Final = [
    Case("a boundary that allows too", ALLOWED, identity=[FULL], boundary=[GETTING]),
    Case("a boundary that does not", IMPLICIT, identity=[FULL], boundary=[PUTTING]),
    Case("a boundary grants nothing", IMPLICIT, boundary=[FULL]),
    Case("a boundary that denies", EXPLICIT, identity=[FULL], boundary=[doc(allow(), deny("s3:Get*"))]),
    Case("every boundary given must allow", IMPLICIT, identity=[FULL], boundary=[GETTING, PUTTING]),
    Case("a user named by the resource passes its boundary", ALLOWED, principal=ANA, boundary=[PUTTING], resource_policy=doc(to(ANA))),
    Case("a role named by the resource stays within its boundary", IMPLICIT, principal=SESSION, boundary=[PUTTING], resource_policy=doc(to(APP))),
    Case("a role named by the resource within its boundary", ALLOWED, principal=SESSION, boundary=[GETTING], resource_policy=doc(to(APP))),
    Case("a session named by the resource passes the boundary", ALLOWED, principal=SESSION, boundary=[PUTTING], resource_policy=doc(to(SESSION))),
    Case("everyone named by the resource passes the boundary", ALLOWED, principal=SESSION, boundary=[PUTTING], resource_policy=doc(allow(**ALL))),
    Case("everyone with a key for the role passes the boundary", ALLOWED, principal=SESSION, boundary=[PUTTING], resource_policy=doc(allow(**ALL, Condition={"ArnEquals": {"aws:PrincipalArn": APP}}))),
    Case("a boundary's denial holds for whoever is named", EXPLICIT, principal=ANA, boundary=[doc(deny())], resource_policy=doc(to(ANA))),
    Case("the account named stays within the boundary", IMPLICIT, principal=ANA, identity=[FULL], boundary=[PUTTING], resource_policy=doc(to(A))),
    Case("a user named from another account stays within its boundary", IMPLICIT, principal=ANA, owner=B, identity=[FULL], boundary=[PUTTING], resource_policy=doc(to(ANA))),
    Case("a session policy that allows too", ALLOWED, principal=SESSION, identity=[FULL], session=GETTING),
    Case("a session policy that does not", IMPLICIT, principal=SESSION, identity=[FULL], session=PUTTING),
    Case("a session policy grants nothing", IMPLICIT, principal=SESSION, session=FULL),
    Case("a session policy that denies", EXPLICIT, principal=SESSION, identity=[FULL], session=NO_GET),
    Case("one of several session policies is enough", ALLOWED, principal=SESSION, identity=[FULL], session=[PUTTING, GETTING]),
    Case("a role named by the resource stays within its session policy", IMPLICIT, principal=SESSION, session=PUTTING, resource_policy=doc(to(APP))),
    Case("a role named by the resource within its session policy", ALLOWED, principal=SESSION, session=GETTING, resource_policy=doc(to(APP))),
    Case("a session named by the resource passes its session policy", ALLOWED, principal=SESSION, session=PUTTING, resource_policy=doc(to(SESSION))),
    Case("a session policy's denial holds for the session named", EXPLICIT, principal=SESSION, session=NO_GET, resource_policy=doc(to(SESSION))),
    Case("a federated session named passes its limits", ALLOWED, principal=FEDERATED, session=PUTTING, boundary=[PUTTING], resource_policy=doc(to(FEDERATED))),
    Case("identity, boundary and session policy together", ALLOWED, principal=SESSION, identity=[FULL], boundary=[GETTING], session=GETTING),
    Case("boundary allows, session does not", IMPLICIT, principal=SESSION, identity=[FULL], boundary=[GETTING], session=PUTTING),
    Case("a boundary does not hold the root user", ALLOWED, principal=ROOT, boundary=[PUTTING]),
]
# fmt: on

# fmt: off
CROSS: Final = [
    Case("both sides allow", ALLOWED, owner=B, identity=[READ], resource_policy=doc(to(APP))),
    Case("only the principal's side", IMPLICIT, owner=B, identity=[READ]),
    Case("only the principal's side, with a policy for others", IMPLICIT, owner=B, identity=[READ], resource_policy=doc(to(ANA))),
    Case("only the resource's side", IMPLICIT, owner=B, resource_policy=doc(to(APP))),
    Case("everyone is not enough either", IMPLICIT, owner=B, resource_policy=doc(allow(**ALL))),
    Case("everyone, and the principal's side", ALLOWED, owner=B, identity=[READ], resource_policy=doc(allow(**ALL))),
    Case("the account, and the principal's side", ALLOWED, owner=B, identity=[READ], resource_policy=doc(to(A))),
    Case("the account alone", IMPLICIT, owner=B, resource_policy=doc(to(ROOT))),
    Case("the session named, without identity policy", IMPLICIT, principal=SESSION, owner=B, resource_policy=doc(to(SESSION))),
    Case("the session named, and its role's policy", ALLOWED, principal=SESSION, owner=B, identity=[READ], resource_policy=doc(to(SESSION))),
    Case("the session named stays within its session policy", IMPLICIT, principal=SESSION, owner=B, identity=[READ], session=PUTTING, resource_policy=doc(to(SESSION))),
    Case("the principal's side denies", EXPLICIT, owner=B, identity=[FULL, NO_GET], resource_policy=doc(to(APP))),
    Case("the resource's side denies", EXPLICIT, owner=B, identity=[FULL], resource_policy=doc(to(APP), deny("s3:GetObject", **ALL))),
    Case("a stranger's role of the same name", IMPLICIT, principal=STRANGER, identity=[FULL], resource_policy=doc(to(APP))),
    Case("the owner's root user has no say elsewhere", IMPLICIT, principal=ROOT, owner=B),
    Case("a root user whose account is named", ALLOWED, principal=ROOT, owner=B, resource_policy=doc(to(A))),
    Case("a service needs no other side", ALLOWED, principal=TRAIL, owner=B, resource_policy=doc(allow(Principal={"Service": TRAIL}))),
    Case("of one's organization", ALLOWED, owner=B, identity=[READ], context={"aws:PrincipalOrgID": "o-1"}, resource_policy=doc(allow(**ALL, Condition={"StringEquals": {"aws:PrincipalOrgID": "o-1"}}))),
    Case("of another organization", IMPLICIT, owner=B, identity=[READ], context={"aws:PrincipalOrgID": "o-2"}, resource_policy=doc(allow(**ALL, Condition={"StringEquals": {"aws:PrincipalOrgID": "o-1"}}))),
    Case("of no organization", IMPLICIT, owner=B, identity=[READ], resource_policy=doc(allow(**ALL, Condition={"StringEquals": {"aws:PrincipalOrgID": "o-1"}}))),
    Case("an SCP of the principal's account", IMPLICIT, owner=B, identity=[READ], resource_policy=doc(to(APP)), scps=[[PUTTING]]),
    Case("an RCP of the resource's account", EXPLICIT, owner=B, identity=[READ], resource_policy=doc(to(APP)), rcps=[[doc(deny(**ALL))]]),
]
# fmt: on

BOTH: Final[dict[str, Any]] = {"identity": [FULL]}
NO_EXIT: Final[dict[str, Any]] = doc(deny("organizations:LeaveOrganization"))
RCP_FULL: Final[dict[str, Any]] = doc(allow(**ALL))
PERIMETER: Final[dict[str, Any]] = doc(
    deny(
        **ALL,
        Condition={
            "StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-1"},
            "BoolIfExists": {"aws:PrincipalIsAWSService": "false"},
        },
    )
)

# fmt: off
ORGANIZATION: Final = [
    Case("every level allows", ALLOWED, **BOTH, scps=[[FULL], [FULL], [FULL]]),
    Case("one level does not allow", IMPLICIT, **BOTH, scps=[[FULL], [PUTTING], [FULL]]),
    Case("the root does not allow", IMPLICIT, **BOTH, scps=[[PUTTING], [FULL]]),
    Case("the account does not allow", IMPLICIT, **BOTH, scps=[[FULL], [PUTTING]]),
    Case("a level without policies allows nothing", IMPLICIT, **BOTH, scps=[[FULL], []]),
    Case("one policy of a level is enough", ALLOWED, **BOTH, scps=[[PUTTING, GETTING]]),
    Case("levels allow different things", IMPLICIT, **BOTH, scps=[[PUTTING], [GETTING]]),
    Case("a denial on any level", EXPLICIT, **BOTH, scps=[[FULL], [FULL, NO_GET], [FULL]]),
    Case("a denial beside no allowance", EXPLICIT, **BOTH, scps=[[NO_GET]]),
    Case("a denial of something else", ALLOWED, **BOTH, scps=[[FULL, NO_EXIT]]),
    Case("SCPs grant nothing", IMPLICIT, scps=[[FULL]]),
    Case("SCPs hold the root user of a member", EXPLICIT, principal=ROOT, scps=[[FULL, NO_GET]]),
    Case("SCPs hold the root user by silence too", IMPLICIT, principal=ROOT, scps=[[PUTTING]]),
    Case("SCPs hold whom the resource names", IMPLICIT, principal=ANA, resource_policy=doc(to(ANA)), scps=[[PUTTING]]),
    Case("SCPs do not hold service-linked roles", ALLOWED, principal=LINKED, **BOTH, scps=[[NO_GET]]),
    Case("SCPs do not hold service-linked roles named in full", ALLOWED, principal=f"arn:aws:iam::{A}:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig", **BOTH, scps=[[NO_GET]]),
    Case("a role called like a service is held", EXPLICIT, principal=f"arn:aws:sts::{A}:assumed-role/aws-service/x", **BOTH, scps=[[NO_GET]]),
    Case("SCPs do not hold services", ALLOWED, principal=TRAIL, resource_policy=doc(allow(Principal={"Service": TRAIL})), scps=[[NO_GET]]),
    Case("SCPs do not hold nobody", ALLOWED, principal="*", resource_policy=doc(allow(**ALL)), scps=[[NO_GET]]),
    Case("SCPs do not hold the management account", ALLOWED, **BOTH, scps=[[NO_GET]], manager=A),
    Case("SCPs hold members beside the management account", EXPLICIT, **BOTH, scps=[[NO_GET]], manager=M),
    Case("an SCP with a condition on the region", EXPLICIT, **BOTH, context={"aws:RequestedRegion": "us-east-1"}, scps=[[FULL, doc(deny(Condition={"StringNotEquals": {"aws:RequestedRegion": ["eu-west-2"]}}))]]),
    Case("an SCP with an exception for a role", ALLOWED, principal=SESSION, **BOTH, context={"aws:RequestedRegion": "us-east-1"}, scps=[[FULL, doc(deny(Condition={"StringNotEquals": {"aws:RequestedRegion": "eu-west-2"}, "ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/app"}}))]]),
    Case("an SCP by NotAction", EXPLICIT, **BOTH, scps=[[FULL, doc({"Effect": "Deny", "NotAction": ["iam:*", "sts:*"], "Resource": "*"})]]),
    Case("RCPs that only deny are silent otherwise", ALLOWED, **BOTH, rcps=[[doc(deny("s3:Put*", **ALL))]]),
    Case("RCPs without any policy", ALLOWED, **BOTH, rcps=[[], []]),
    Case("RCPs as AWS attaches them", ALLOWED, **BOTH, rcps=[[RCP_FULL], [RCP_FULL, doc(deny("s3:Put*", **ALL))]]),
    Case("RCPs that allow something else only", IMPLICIT, **BOTH, rcps=[[doc(allow("s3:Put*", **ALL))]]),
    Case("an RCP's denial", EXPLICIT, **BOTH, rcps=[[RCP_FULL], [RCP_FULL, doc(deny("s3:Get*", **ALL))]]),
    Case("an RCP keeps strangers out", EXPLICIT, principal=STRANGER, **BOTH, resource_policy=doc(allow(**ALL)), context={"aws:PrincipalOrgID": "o-2"}, rcps=[[PERIMETER]]),
    Case("an RCP lets members in", ALLOWED, **BOTH, context={"aws:PrincipalOrgID": "o-1"}, rcps=[[PERIMETER]]),
    Case("an RCP lets services in", ALLOWED, principal=TRAIL, resource_policy=doc(allow(Principal={"Service": TRAIL})), rcps=[[doc(deny(**ALL, Condition={"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}, "Bool": {"aws:PrincipalIsAWSService": "false"}}))]]),
    Case("an RCP stops services for strangers", EXPLICIT, principal=TRAIL, context={"aws:SourceOrgID": "o-2", "aws:SourceAccount": B}, resource_policy=doc(allow(Principal={"Service": TRAIL})), rcps=[[doc(deny(**ALL, Condition={"StringNotEqualsIfExists": {"aws:SourceOrgID": "o-1"}, "Null": {"aws:SourceAccount": "false"}, "Bool": {"aws:PrincipalIsAWSService": "true"}}))]]),
    Case("an RCP stops nobody known", EXPLICIT, principal="*", resource_policy=doc(allow(**ALL)), rcps=[[PERIMETER]]),
    Case("RCPs do not hold service-linked roles", ALLOWED, principal=LINKED, **BOTH, rcps=[[doc(deny(**ALL))]]),
    Case("RCPs do not cover the management account's resources", ALLOWED, **BOTH, rcps=[[doc(deny(**ALL))]], manager=A),
    Case("RCPs cover members asked by the management account", EXPLICIT, **BOTH, owner=B, resource_policy=doc(to(A)), rcps=[[doc(deny(**ALL))]], manager=A),
    Case("RCPs do not cover retiring a grant", ALLOWED, **BOTH, action="kms:RetireGrant", resource=KEY, resource_policy=doc(to(A)), rcps=[[doc(deny("*", **ALL))]]),
    Case("RCPs cover other KMS actions", EXPLICIT, **BOTH, action="kms:CreateGrant", resource=KEY, resource_policy=doc(to(A)), rcps=[[doc(deny("*", **ALL))]]),
]
# fmt: on

# fmt: off
ENDPOINT: Final = [
    Case("an endpoint that lets everything through", ALLOWED, **BOTH, endpoint=[doc(allow(**ALL))]),
    Case("an endpoint for another bucket", IMPLICIT, **BOTH, endpoint=[doc(allow(resource="arn:aws:s3:::other/*", **ALL))]),
    Case("an endpoint that denies", EXPLICIT, **BOTH, endpoint=[doc(allow(**ALL), deny("s3:Get*", **ALL))]),
    Case("an endpoint for one's own organization", ALLOWED, **BOTH, context={"aws:PrincipalOrgID": "o-1"}, endpoint=[doc(allow(**ALL, Condition={"StringEquals": {"aws:PrincipalOrgID": "o-1"}}))]),
    Case("an endpoint for another organization", IMPLICIT, **BOTH, context={"aws:PrincipalOrgID": "o-2"}, endpoint=[doc(allow(**ALL, Condition={"StringEquals": {"aws:PrincipalOrgID": "o-1"}}))]),
    Case("an endpoint for one's account", ALLOWED, **BOTH, endpoint=[doc(to(A))]),
    Case("an endpoint for another account", IMPLICIT, **BOTH, endpoint=[doc(to(B))]),
    Case("an endpoint grants nothing", IMPLICIT, endpoint=[doc(allow(**ALL))]),
    Case("an endpoint stops whom the resource names", IMPLICIT, principal=ANA, resource_policy=doc(to(ANA)), endpoint=[doc(to(APP))]),
    Case("every endpoint on the way must let it through", IMPLICIT, **BOTH, endpoint=[doc(allow(**ALL)), doc(allow("s3:Put*", **ALL))]),
]
# fmt: on

KEY_ROOT: Final[dict[str, Any]] = doc(to(ROOT, action="kms:*"))
KMS: Final[dict[str, Any]] = {"action": DECRYPT, "resource": KEY}
MAY_DECRYPT: Final[dict[str, Any]] = doc(allow("kms:Decrypt", KEY))
TENANT: Final[dict[str, Any]] = {"kms:EncryptionContext:tenant": "acme"}
GRANT: Final[dict[str, Any]] = {"GranteePrincipal": APP, "Operations": ["Decrypt", "GenerateDataKey"]}

# fmt: off
KEYS: Final = [
    Case("an identity policy without the key's", IMPLICIT, **KMS, identity=[FULL]),
    Case("a key policy that names somebody else", IMPLICIT, **KMS, identity=[FULL], resource_policy=doc(to(ANA))),
    Case("the account named, and an identity policy", ALLOWED, **KMS, identity=[MAY_DECRYPT], resource_policy=KEY_ROOT),
    Case("the account named alone", IMPLICIT, **KMS, resource_policy=KEY_ROOT),
    Case("the account named by its id", ALLOWED, **KMS, identity=[MAY_DECRYPT], resource_policy=doc(to(A))),
    Case("the role named", ALLOWED, **KMS, principal=SESSION, resource_policy=doc(to(APP))),
    Case("the role named stays within its boundary", IMPLICIT, **KMS, principal=SESSION, boundary=[GETTING], resource_policy=doc(to(APP))),
    Case("the root user must be named too", IMPLICIT, **KMS, principal=ROOT, resource_policy=doc(to(ANA))),
    Case("the root user by its account", ALLOWED, **KMS, principal=ROOT, resource_policy=KEY_ROOT),
    Case("the account named for another action", IMPLICIT, **KMS, identity=[FULL], resource_policy=doc(to(ROOT, action="kms:Encrypt"))),
    Case("an identity policy may deny all the same", EXPLICIT, **KMS, identity=[doc(deny("kms:*"))], resource_policy=doc(to(APP))),
    Case("an action that concerns no key", ALLOWED, action="kms:ListKeys", resource="*", identity=[FULL]),
    Case("an alias is no key", ALLOWED, action="kms:CreateAlias", resource=f"arn:aws:kms:eu-west-2:{A}:alias/x", identity=[FULL]),
    Case("through the right service", ALLOWED, **KMS, identity=[FULL], context={"kms:ViaService": "s3.eu-west-2.amazonaws.com"}, resource_policy=doc(to(ROOT, Condition={"StringEquals": {"kms:ViaService": "s3.eu-west-2.amazonaws.com"}}))),
    Case("directly where only a service may", IMPLICIT, **KMS, identity=[FULL], resource_policy=doc(to(ROOT, Condition={"StringEquals": {"kms:ViaService": "s3.eu-west-2.amazonaws.com"}}))),
    Case("the right encryption context", ALLOWED, **KMS, context=TENANT, resource_policy=doc(to(APP, Condition={"StringEquals": {"kms:EncryptionContext:tenant": "acme"}}))),
    Case("another encryption context", IMPLICIT, **KMS, context=TENANT, resource_policy=doc(to(APP, Condition={"StringEquals": {"kms:EncryptionContext:tenant": "beta"}}))),
    Case("no encryption context", IMPLICIT, **KMS, resource_policy=doc(to(APP, Condition={"StringEquals": {"kms:EncryptionContext:tenant": "acme"}}))),
    Case("encryption context by its keys", ALLOWED, **KMS, context={"kms:EncryptionContextKeys": ["tenant"]}, resource_policy=doc(to(APP, Condition={"ForAllValues:StringEquals": {"kms:EncryptionContextKeys": ["tenant", "app"]}}))),
    Case("across accounts both sides", ALLOWED, **KMS, principal=STRANGER, identity=[MAY_DECRYPT], resource_policy=doc(to(B))),
    Case("across accounts the key alone", IMPLICIT, **KMS, principal=STRANGER, resource_policy=doc(to(f"arn:aws:iam::{B}:role/app"))),
    Case("across accounts the caller alone", IMPLICIT, **KMS, principal=STRANGER, identity=[MAY_DECRYPT], resource_policy=KEY_ROOT),
    Case("a service", ALLOWED, **KMS, principal=TRAIL, resource_policy=doc(allow("kms:*", Principal={"Service": TRAIL}))),
    Case("a grant", ALLOWED, **KMS, resource_policy=KEY_ROOT, grants=[GRANT]),
    Case("a grant to the role of the session", ALLOWED, **KMS, principal=SESSION, grants=[GRANT]),
    Case("a grant to somebody else", IMPLICIT, **KMS, principal=ANA, resource_policy=KEY_ROOT, grants=[GRANT]),
    Case("a grant for something else", IMPLICIT, action="kms:Encrypt", resource=KEY, resource_policy=KEY_ROOT, grants=[GRANT]),
    Case("a grant is bound by denials", EXPLICIT, **KMS, resource_policy=doc(deny("kms:Decrypt", **ALL)), grants=[GRANT]),
    Case("a grant is bound by SCPs", IMPLICIT, **KMS, scps=[[GETTING]], grants=[GRANT]),
    Case("a grant across accounts needs the caller's side", IMPLICIT, **KMS, principal=STRANGER, grants=[{**GRANT, "GranteePrincipal": STRANGER}]),
    Case("a grant across accounts with the caller's side", ALLOWED, **KMS, principal=STRANGER, identity=[MAY_DECRYPT], grants=[{**GRANT, "GranteePrincipal": STRANGER}]),
    Case("a grant to a service", ALLOWED, **KMS, principal="dynamodb.amazonaws.com", grants=[{**GRANT, "GranteePrincipal": "dynamodb.amazonaws.com"}]),
    Case("a grant for a context that holds", ALLOWED, **KMS, context={**TENANT, "kms:EncryptionContext:app": "x"}, grants=[{**GRANT, "Constraints": {"EncryptionContextSubset": {"tenant": "acme"}}}]),
    Case("a grant for a context that does not hold", IMPLICIT, **KMS, context=TENANT, grants=[{**GRANT, "Constraints": {"EncryptionContextSubset": {"tenant": "beta"}}}]),
    Case("a grant for a context of which half holds", IMPLICIT, **KMS, context=TENANT, grants=[{**GRANT, "Constraints": {"EncryptionContextSubset": {"app": "x", "tenant": "acme"}}}]),
    Case("a grant for a context that is missing", IMPLICIT, **KMS, grants=[{**GRANT, "Constraints": {"EncryptionContextSubset": {"tenant": "acme"}}}]),
    Case("a grant for exactly this context", ALLOWED, **KMS, context=TENANT, grants=[{**GRANT, "Constraints": {"EncryptionContextEquals": {"tenant": "acme"}}}]),
    Case("a grant for exactly less context", IMPLICIT, **KMS, context={**TENANT, "kms:EncryptionContext:app": "x"}, grants=[{**GRANT, "Constraints": {"EncryptionContextEquals": {"tenant": "acme"}}}]),
    Case("a grant for exactly less context, told by its keys", IMPLICIT, **KMS, context={**TENANT, "kms:EncryptionContextKeys": ["tenant", "app"]}, grants=[{**GRANT, "Constraints": {"EncryptionContextEquals": {"tenant": "acme"}}}]),
]
# fmt: on

ROLE: Final = f"arn:aws:iam::{A}:role/target"
ASSUME: Final[dict[str, Any]] = {"action": "sts:AssumeRole", "resource": ROLE}


def trust(**principal: Any) -> dict[str, Any]:
    return doc(
        {
            "Effect": "Allow",
            "Principal": principal,
            "Action": ["sts:AssumeRole", "sts:AssumeRoleWithWebIdentity", "sts:AssumeRoleWithSAML"],
        }
    )


GITHUB: Final = f"arn:aws:iam::{A}:oidc-provider/token.actions.githubusercontent.com"
SAML: Final = f"arn:aws:iam::{A}:saml-provider/corp"
# fmt: off
TRUST: Final = [
    Case("an identity policy without trust", IMPLICIT, **ASSUME, identity=[FULL]),
    Case("trust in the role needs no identity policy", ALLOWED, **ASSUME, resource_policy=trust(AWS=APP)),
    Case("trust in the account alone", IMPLICIT, **ASSUME, resource_policy=trust(AWS=A)),
    Case("trust in the account, and an identity policy", ALLOWED, **ASSUME, identity=[doc(allow("sts:AssumeRole", ROLE))], resource_policy=trust(AWS=A)),
    Case("trust in the account, and permission for another role", IMPLICIT, **ASSUME, identity=[doc(allow("sts:AssumeRole", APP))], resource_policy=trust(AWS=A)),
    Case("trust from another account needs both sides", IMPLICIT, **ASSUME, principal=STRANGER, resource_policy=trust(AWS=B)),
    Case("trust from another account with both sides", ALLOWED, **ASSUME, principal=STRANGER, identity=[FULL], resource_policy=trust(AWS=B)),
    Case("the root user needs trust too", IMPLICIT, **ASSUME, principal=ROOT),
    Case("trust in a service", ALLOWED, **ASSUME, principal="lambda.amazonaws.com", resource_policy=trust(Service="lambda.amazonaws.com")),
    Case("trust in another service", IMPLICIT, **ASSUME, principal="ec2.amazonaws.com", resource_policy=trust(Service="lambda.amazonaws.com")),
    Case("tags need a permission of their own", IMPLICIT, action="sts:TagSession", resource=ROLE, resource_policy=trust(AWS=APP), identity=[FULL]),
    Case("tags with a permission of their own", ALLOWED, action="sts:TagSession", resource=ROLE, resource_policy=doc({"Effect": "Allow", "Principal": {"AWS": APP}, "Action": ["sts:AssumeRole", "sts:TagSession"]})),
    Case("a source identity needs trust", IMPLICIT, action="sts:SetSourceIdentity", resource=ROLE, resource_policy=trust(AWS=APP), identity=[FULL]),
    Case("the right external id", ALLOWED, **ASSUME, principal=STRANGER, identity=[FULL], context={"sts:ExternalId": "42"}, resource_policy=doc({"Effect": "Allow", "Principal": {"AWS": B}, "Action": "sts:AssumeRole", "Condition": {"StringEquals": {"sts:ExternalId": "42"}}})),
    Case("no external id", IMPLICIT, **ASSUME, principal=STRANGER, identity=[FULL], resource_policy=doc({"Effect": "Allow", "Principal": {"AWS": B}, "Action": "sts:AssumeRole", "Condition": {"StringEquals": {"sts:ExternalId": "42"}}})),
    Case("with a second factor", ALLOWED, **ASSUME, principal=ANA, identity=[FULL], context={"aws:MultiFactorAuthPresent": "true"}, resource_policy=doc({"Effect": "Allow", "Principal": {"AWS": A}, "Action": "sts:AssumeRole", "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}})),
    Case("without a second factor", IMPLICIT, **ASSUME, principal=ANA, identity=[FULL], resource_policy=doc({"Effect": "Allow", "Principal": {"AWS": A}, "Action": "sts:AssumeRole", "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}})),
    Case("a web identity of the right repository", ALLOWED, action="sts:AssumeRoleWithWebIdentity", resource=ROLE, principal={"Federated": GITHUB}, context={"token.actions.githubusercontent.com:sub": "repo:acme/x:ref:refs/heads/main"}, resource_policy=doc({"Effect": "Allow", "Principal": {"Federated": GITHUB}, "Action": "sts:AssumeRoleWithWebIdentity", "Condition": {"StringLike": {"token.actions.githubusercontent.com:sub": "repo:acme/x:*"}}})),
    Case("a web identity of another repository", IMPLICIT, action="sts:AssumeRoleWithWebIdentity", resource=ROLE, principal={"Federated": GITHUB}, context={"token.actions.githubusercontent.com:sub": "repo:evil/x:ref:refs/heads/main"}, resource_policy=doc({"Effect": "Allow", "Principal": {"Federated": GITHUB}, "Action": "sts:AssumeRoleWithWebIdentity", "Condition": {"StringLike": {"token.actions.githubusercontent.com:sub": "repo:acme/x:*"}}})),
    Case("a provider named by its ARN", ALLOWED, action="sts:AssumeRoleWithSAML", resource=ROLE, principal=SAML, resource_policy=trust(Federated=SAML)),
    Case("another provider", IMPLICIT, action="sts:AssumeRoleWithSAML", resource=ROLE, principal=SAML, resource_policy=trust(Federated=GITHUB)),
    Case("a provider on the web", ALLOWED, action="sts:AssumeRoleWithWebIdentity", resource=ROLE, principal="accounts.google.com", resource_policy=trust(Federated="accounts.google.com")),
    Case("a provider that looks like a service", ALLOWED, action="sts:AssumeRoleWithWebIdentity", resource=ROLE, principal="cognito-identity.amazonaws.com", resource_policy=trust(Federated="cognito-identity.amazonaws.com")),
    Case("a provider is no service", IMPLICIT, action="sts:AssumeRoleWithWebIdentity", resource=ROLE, principal="cognito-identity.amazonaws.com", resource_policy=trust(Service="cognito-identity.amazonaws.com")),
    Case("an RCP on roles", EXPLICIT, **ASSUME, principal=STRANGER, identity=[FULL], resource_policy=trust(AWS=B), context={"aws:PrincipalOrgID": "o-2"}, rcps=[[PERIMETER]]),
    Case("an SCP against assuming", EXPLICIT, **ASSUME, resource_policy=trust(AWS=APP), scps=[[FULL, doc(deny("sts:AssumeRole"))]]),
    Case("other actions on a role need no trust", ALLOWED, action="iam:PassRole", resource=ROLE, identity=[FULL]),
    Case("other actions on a key policy's account need a key policy", IMPLICIT, action="kms:DescribeKey", resource=KEY, identity=[FULL]),
    Case("an STS action that concerns no role", ALLOWED, action="sts:GetSessionToken", resource="*", principal=ANA, identity=[FULL]),
]
# fmt: on

CASES: Final = [
    *IDENTITY, *RESOURCE, *NOT_PRINCIPAL, *LIMITS, *CROSS, *ORGANIZATION, *ENDPOINT, *KEYS, *TRUST
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "-"))
def test_decision(case: Case) -> None:
    decision = case.decision()
    assert decision.decision == case.expected, decision
    assert decision.decided_by


def test_case_names_are_unique() -> None:
    groups = [IDENTITY, RESOURCE, NOT_PRINCIPAL, LIMITS, CROSS, ORGANIZATION, ENDPOINT, KEYS, TRUST]
    assert all(len({case.name for case in group}) == len(group) for group in groups)
