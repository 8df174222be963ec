"""Turns a line of ``requests.md`` into a request, with every policy of the synthesized assembly that would judge it."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from assembly import Assembly, Resource, Stack
from ops.bootstrap.boundary import boundary
from ops.bootstrap.execution import execution_policies
from proofs.delivery import Judge
from proofs.delivery.judge import plain, plain_values
from proofs.model import Model, Node
from proofs.model.organization import PLACEMENT, Organization
from proofs.model.people import granted
from proofs.model.policies import documents_of
from proofs.policy import Decision, Policy, PolicyKind, PolicySet, Request, compile_policy
from stacks.names import Names
from stacks.settings import Deployment

TABLE = Path(__file__).with_name("requests.md")
STRANGERS = "999999999999"
"""An account of somebody else."""
SUSPENDED = "300000000000"
"""An account that somebody has moved into the unit of suspended ones."""
_ANYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
OPEN = compile_policy(
    {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]},
    PolicyKind.RESOURCE,
    "a policy that lets everybody in",
)
_COLUMNS = 7


@dataclass(frozen=True, kw_only=True)
class Line:
    """One request of the table, as written."""

    section: str
    number: int
    who: str
    place: str
    details: str
    action: str
    target: str
    answer: str
    deciders: frozenset[str]

    def __str__(self) -> str:
        return f"{TABLE.name}:{self.number} {self.who} from {self.place or '-'}: {self.action} on {self.target}"


def lines() -> list[Line]:
    """Every request of the table; an empty cell in the first three columns repeats the one above it."""
    found: list[Line] = []
    section = ""
    above = ["", "", ""]
    for number, text in enumerate(TABLE.read_text(encoding="utf-8").splitlines(), start=1):
        if text.startswith("## "):
            section, above = text[3:], ["", "", ""]
        cells = [cell.strip() for cell in text.strip().strip("|").split("|")]
        if not text.startswith("|") or cells[0] in {"who", "---"} or set(text) <= set("|- "):
            continue
        if len(cells) != _COLUMNS:
            raise ValueError(f"{TABLE.name}:{number}: {len(cells)} cells, not {_COLUMNS}")
        if cells[0]:
            above = ["", "", ""]
        above = [cell or before for cell, before in zip(cells[:3], above, strict=True)]
        who, place, details = ("" if cell == "-" else cell for cell in above)
        found.append(
            Line(
                section=section,
                number=number,
                who=who,
                place=place,
                details=details,
                action=cells[3],
                target=cells[4],
                answer=cells[5],
                deciders=frozenset(re.findall(r"\w+", cells[6])),
            )
        )
    return found


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Who asks, and what the account, the bootstrap and Identity Center let him do."""

    principal: str
    issuer: str | None = None
    identity: tuple[Policy, ...] = ()
    boundaries: tuple[Policy, ...] = ()
    context: Mapping[str, Any] = field(default_factory=dict)


class World:
    """The assembly as the requests find it."""

    def __init__(self, assembly: Assembly, deployment: Deployment) -> None:
        assembly = with_a_suspended_account(assembly)
        self.assembly = assembly
        self.deployment = deployment
        self.names = Names(deployment)
        self.model = Model(assembly)
        self.judge = Judge(self.model)
        self._callers: dict[str, Caller] = {}
        self._anything = (compile_policy(_ANYTHING, PolicyKind.IDENTITY, "a policy that allows everything"),)

    # ------------------------------------------------------------------------------------------------------ decisions

    def decide(self, line: Line, organization: Organization | None = None) -> Decision:
        """What AWS would answer, under the organization's policies of the assembly or under others."""
        request, policies = self.asked(line)
        return (organization or self.model.organization).evaluate(request, policies)

    def asked(self, line: Line) -> tuple[Request, PolicySet]:
        """The request and every policy but the organization's."""
        caller = self.caller(line.who)
        resource, node = self.target(line.target)
        context: dict[str, Any] = {
            "aws:SecureTransport": True,
            "s3:TlsVersion": "1.3",
            "aws:RequestedRegion": self.deployment.home.name,
            **caller.context,
            **self._place(line.place),
        }
        owner: str | None = None if node is None else node.account
        resource_policy = None if node is None else self.judge.document(node)
        for name, value in re.findall(r"([\w:./-]+)=([^,]+)", line.details):
            if name == "owner":
                owner, resource_policy = self._account(value.strip()), OPEN
            else:
                words = [self.filled(word) for word in value.strip().split("+")]
                context[_SHORT.get(name, name)] = words if len(words) > 1 else words[0]
        return (
            Request(
                principal=caller.principal,
                session_issuer=caller.issuer,
                action=line.action,
                resource=resource,
                resource_account=owner,
                context=context,
            ),
            PolicySet(
                identity_policies=caller.identity,
                permission_boundaries=caller.boundaries,
                resource_policy=resource_policy,
            ),
        )

    # --------------------------------------------------------------------------------------------------------- places

    def _place(self, place: str) -> dict[str, Any]:
        if not place:
            return {}
        if place == "office":
            return {"aws:SourceIp": str(self.deployment.allowed_networks[0][1])}
        if place == "elsewhere":
            return {"aws:SourceIp": "203.0.113.99"}
        if place == "other office":
            return {"aws:SourceIp": str(self.deployment.allowed_networks[1][0])}
        if place.startswith("vpc of "):
            account = self._account(place.removeprefix("vpc of "))
            home = self.deployment.home.name
            name = f"vpc-of-{account}"
            return {
                "aws:SourceVpc": name,
                "aws:SourceVpcArn": f"arn:aws:ec2:{home}:{account}:vpc/{name}",
                "aws:SourceVpce": f"vpce-of-{account}",
                "aws:VpcSourceIp": "10.0.0.9",
                "aws:VpceAccount": account,
                **({} if account == STRANGERS else {"aws:VpceOrgID": self.model.organization.id}),
            }
        if place.startswith("through "):
            services = [f"{name}.amazonaws.com" for name in place.removeprefix("through ").split("+")]
            return {"aws:CalledVia": services, "aws:ViaAWSService": True, "aws:SourceIp": services[-1]}
        raise ValueError(f"unknown place {place!r}")

    # -------------------------------------------------------------------------------------------------------- callers

    def caller(self, who: str) -> Caller:
        """Whom the first column means."""
        if who not in self._callers:
            self._callers[who] = self._caller(who)
        return self._callers[who]

    def _caller(self, who: str) -> Caller:
        if who == "anybody":
            return Caller(principal="*")
        if who.endswith((".amazonaws.com", ".amazon.com")):
            return Caller(principal=who)
        if who.startswith("role "):
            return self._component(who.removeprefix("role "))
        name, found, where = who.partition(" in ")
        if not found:
            raise ValueError(f"unknown caller {who!r}")
        account = self._account(where)
        for permission_set in self.model.of("AWS::SSO::PermissionSet"):
            if permission_set.get("Name") == f"{self.names.prefix}-{name}":
                person = granted(self.model, permission_set, account)
                return Caller(
                    principal=person.session,
                    issuer=person.role,
                    identity=tuple(
                        compile_policy(plain_values(document), PolicyKind.IDENTITY, str(person))
                        for document in person.documents
                    ),
                    boundaries=() if person.boundary is None else (self._bound(account),),
                    context={"aws:PrincipalTag/username": "ada", "aws:userid": "AROAEXAMPLEROLE00001:ada"},
                )
        return self._anybody_in(account, name)

    def _anybody_in(self, account: str, name: str) -> Caller:
        arn = f"arn:aws:iam::{account}:"
        region = self.deployment.home.name
        roles = {
            "administrator": "role/attacker",
            "founder": "role/OrganizationAccountAccessRole",
            "pipeline": f"role/cdk-hnb659fds-deploy-role-{account}-{region}",
            "asset publisher": f"role/cdk-hnb659fds-file-publishing-role-{account}-{region}",
            "impostor of cloudformation": "role/cdk-impostor",
            "linked role": "role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig",
            "break-glass role": f"role/{self.names.prefix}-break-glass",
            "user": "user/leftover",
            "root": "root",
            "signed-in administrator": "role/aws-reserved/sso.amazonaws.com/eu-central-1/AWSReservedSSO_x_0123456789abcdef",
            "cloudformation exempt": f"role/cdk-hnb659fds-cfn-exec-role-{account}-{region}",
            "template function": f"role/{self.names.prefix}-function",
        }
        if name == "cloudformation":
            return Caller(
                principal=f"{arn}role/cdk-hnb659fds-cfn-exec-role-{account}-{region}", identity=self._execution(account)
            )
        if name == "federated user":
            return Caller(principal=f"arn:aws:sts::{account}:federated-user/leftover", identity=self._anything)
        if name not in roles:
            raise ValueError(f"unknown caller {name!r}")
        outside = {"aws:PrincipalOrgID": "o-somebodyelse"} if account == STRANGERS else {}
        marked = {"aws:PrincipalTag/palisade:deployment": self.deployment.name} if name == "template function" else {}
        return Caller(principal=f"{arn}{roles[name]}", identity=self._anything, context={**outside, **marked})

    def _component(self, path: str) -> Caller:
        role = self.node(path)
        documents = documents_of(self.model, role)
        return Caller(
            principal=plain(role.arn),
            identity=tuple(
                compile_policy(plain_values(document), PolicyKind.IDENTITY, role.path) for document in documents
            ),
            boundaries=(self._bound(role.account),),
            context={f"aws:PrincipalTag/{name}": value for name, value in role.tags.items()},
        )

    @cached_property
    def _by_account(self) -> dict[str, list[Stack]]:
        found: dict[str, list[Stack]] = {}
        for stack in self.assembly.stacks:
            found.setdefault(stack.account, []).append(stack)
        return found

    def _bound(self, account: str) -> Policy:
        return compile_policy(boundary(self._by_account[account]), PolicyKind.BOUNDARY, f"boundary of {account}")

    def _execution(self, account: str) -> tuple[Policy, ...]:
        documents = execution_policies(self._by_account[account], boundary=self.names.boundary)
        return tuple(compile_policy(each, PolicyKind.IDENTITY, f"execution policy of {account}") for each in documents)

    def _account(self, where: str) -> str:
        return {"strangers": STRANGERS, "suspended": SUSPENDED}.get(where) or self.deployment.owners[where]

    # -------------------------------------------------------------------------------------------------------- targets

    def target(self, target: str) -> tuple[str, Node | None]:
        """The ARN that the fifth column means, and the resource if the assembly holds it: ``path`` or ``path#object``."""
        if target == "*" or target.startswith("arn:"):
            return self.filled(target), None
        path, _, inside = target.partition("#")
        node = self.node(path)
        arn = plain(node.arn).removesuffix(":*")
        return (f"{arn}/{inside}" if inside else arn), node

    def filled(self, text: str) -> str:
        """The text with account ids, region and prefix of the deployment in place of their names in brackets."""
        owners = {**self.deployment.owners, "strangers": STRANGERS, "suspended": SUSPENDED}
        known = {
            **{owner: str(account) for owner, account in owners.items()},
            "home": self.deployment.home.name,
            "recovery": self.deployment.recovery.name,
            "prefix": self.names.prefix,
            "organization": self.model.organization.id or "",
        }
        return re.sub(r"\{([\w-]+)\}", lambda match: known[match[1]], text)

    def node(self, path: str) -> Node:
        """The resource of that construct path, or the first below it that has a policy or a name of its own."""
        found = self.model.at_path(path)
        below = [] if found else [node for node in self.model if node.path.startswith(f"{path}/")]
        if found is None and not below:
            raise ValueError(f"{TABLE.name} names {path}, which the assembly does not hold")
        return found or min(below, key=lambda node: (not node.type.endswith(_NAMED), len(node.path)))

    # ------------------------------------------------------------------------------------------------------ what if

    def without_all_but_the_organization(self) -> Assembly:
        """The assembly with empty stacks wherever nothing makes the organization: small enough to change many times."""
        makes = ("AWS::Organizations::",)
        return Assembly(
            directory=self.assembly.directory,
            stacks=tuple(
                stack
                if any(resource.type.startswith(makes) for resource in stack.resources.values())
                else dataclasses.replace(stack, template={"Resources": {}})
                for stack in self.assembly.stacks
            ),
        )


_NAMED = ("::Bucket", "::Key", "::Queue", "::Topic", "::Table", "::Role", "::Function", "::Secret", "::Trail", "Vault")
_SHORT = {"region": "aws:RequestedRegion", "mfa": "aws:MultiFactorAuthPresent"}


def with_a_suspended_account(assembly: Assembly) -> Assembly:
    """The assembly with one account more, in the unit of suspended accounts."""
    stack, placement = next(assembly.resources(PLACEMENT))
    suspended = next(
        resource.logical_id
        for resource in stack.resources.values()
        if resource.type == "AWS::Organizations::OrganizationalUnit" and resource.properties["Name"] == "suspended"
    )
    properties = {"AccountId": SUSPENDED, "ParentId": {"Fn::GetAtt": [suspended, "Id"]}}
    more = {**stack.template["Resources"], "Suspended": {**placement.definition, "Properties": properties}}
    with_one_more = dataclasses.replace(stack, template={**stack.template, "Resources": more})
    stacks = tuple(with_one_more if one is stack else one for one in assembly.stacks)
    return Assembly(directory=assembly.directory, stacks=stacks)


def guardrail_resources(assembly: Assembly) -> Iterator[Resource]:
    """The organization's control policies."""
    for _, resource in assembly.resources("AWS::Organizations::Policy"):
        if str(resource.properties.get("Type")).endswith("_CONTROL_POLICY"):
            yield resource
