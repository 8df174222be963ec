"""Drills the break-glass path of a stage, and shows the drills there were.

usage: ./palisade break-glass drill --stage STAGE --as PROFILE --as PROFILE --look-with PROFILE
       ./palisade break-glass witness ID --saw USER [--saw USER]
       ./palisade break-glass list

"drill" takes the stage's emergency role as each emergency user (one AWS profile each, from "aws login"), tries what must be
refused, and reads the deployed trust with "--look-with", a profile of the stage that may read roles (job security). What came of
it is recorded under your own name. Another person who got the messages then says so with "witness", within the minutes that
config/ allows; only then has the drill passed. Sign in to the security account as a driller. --json prints JSON.
"""

from __future__ import annotations

import argparse
import json
import secrets
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ops.access import Desk, desk
from ops.configured import deployment_of
from ops.places import OpsError
from stacks.names import Names, Workflow
from stacks.settings import EDGE_REGION, Deployment

_SESSION_SECONDS = 3600
_MFA_SECONDS = 900


@dataclass(frozen=True, kw_only=True)
class Hands:
    """One emergency user's own credentials: ``sts`` makes a client of a region."""

    identity: str
    sts: Callable[[str], Any]


@dataclass(frozen=True, kw_only=True)
class Drill:
    """A role to take, from where it may be taken and from where not, and who is trusted, as the role says itself."""

    role: str
    home: str
    elsewhere: str
    trust: Mapping[str, Any]
    clock: Callable[[], datetime]

    def steps(self, hands: Hands) -> Iterator[dict[str, object]]:
        """What came of each step for one identity, as lambda/judge_drill reads it."""
        for step, attempt in (
            ("role-taken", self._taken),
            ("ends-in-an-hour", self._ends),
            ("refused-elsewhere", self._elsewhere),
            ("only-with-mfa", self._only_with_mfa),
        ):
            at = self.clock()
            problem = attempt(hands)
            yield {
                "identity": hands.identity,
                "step": step,
                "ok": not problem,
                "said": problem,
                "at": at.isoformat(timespec="seconds"),
            }

    def _taken(self, hands: Hands) -> str:
        return self._take(hands, self.home, _SESSION_SECONDS)[1]

    def _ends(self, hands: Hands) -> str:
        ends, problem = self._take(hands, self.home, _SESSION_SECONDS)
        if ends is None:
            return problem
        if (ends - self.clock()).total_seconds() > _SESSION_SECONDS + 60:
            return f"the session lasts until {ends.isoformat()}"
        _, refused = self._take(hands, self.home, 2 * _SESSION_SECONDS)
        return "" if refused else "it was given two hours"

    def _elsewhere(self, hands: Hands) -> str:
        _, refused = self._take(hands, self.elsewhere, _SESSION_SECONDS)
        if not refused:
            return f"it was let in from {self.elsewhere}"
        return "" if "AccessDenied" in refused else f"{self.elsewhere} answered {refused}"

    def _only_with_mfa(self, hands: Hands) -> str:
        with_mfa = {"aws:MultiFactorAuthPresent": "true", "aws:MultiFactorAuthAge": "60"}
        if not self._trusted(hands.identity, with_mfa):
            return "the deployed trust does not let it in even with MFA"
        for title, context in (
            ("without MFA", {"aws:MultiFactorAuthPresent": None, "aws:MultiFactorAuthAge": None}),
            ("with MFA said to be absent", {"aws:MultiFactorAuthPresent": "false", "aws:MultiFactorAuthAge": None}),
            ("with MFA that is too old", {**with_mfa, "aws:MultiFactorAuthAge": str(_MFA_SECONDS + 1)}),
        ):
            if self._trusted(hands.identity, context, perhaps=True):
                return f"the deployed trust lets it in {title}"
        return ""

    def _trusted(self, identity: str, context: Mapping[str, Any], *, perhaps: bool = False) -> bool:
        from proofs.policy import PolicySet, Request, evaluate  # noqa: PLC0415 - a while to load, and --help needs none

        own = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}]}
        request = Request(
            principal=identity,
            action="sts:AssumeRole",
            resource=self.role,
            context={"aws:RequestedRegion": self.home, **context},
        )
        decision = evaluate(request, PolicySet.of(identity_policies=[own], resource_policy=dict(self.trust)))
        return decision.possibly_allowed if perhaps else decision.certainly_allowed

    def _take(self, hands: Hands, region: str, seconds: int) -> tuple[datetime | None, str]:
        """When a session ends that was given, or why none was."""
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

        try:
            answer = hands.sts(region).assume_role(
                RoleArn=self.role, RoleSessionName="break-glass-drill", DurationSeconds=seconds
            )
        except (BotoCoreError, ClientError) as error:
            return None, str(error)
        ends: datetime = answer["Credentials"]["Expiration"]
        return ends, ""


def main(arguments: list[str] | None = None) -> int:
    """Do what is asked and return the exit status."""
    options = _parser().parse_args(arguments)
    try:
        deployment = deployment_of(options.deployment)
        place = desk(deployment, Workflow.DRILLS, Names(deployment).drills)
        answer = run(options, deployment, place)
    except OpsError as error:
        print(f"break-glass: {error}", file=sys.stderr)
        return 2
    print(json.dumps(answer, indent=2, sort_keys=True) if options.json else said(answer, deployment))
    return 1 if answer["outcome"] in {"refused", "failed"} else 0


def run(options: argparse.Namespace, deployment: Deployment, place: Desk) -> dict[str, Any]:
    """The function's answer to what the command line says.

    Raises:
        OpsError: an emergency user is missing, or AWS refuses the record.
    """
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    try:
        if options.what == "list":
            return place.ask({"kind": "list"})
        if options.what == "witness":
            saw = _seen(deployment, options.saw)
            return place.do("witness", options.id, {"saw": saw}, {"id": options.id})
        now = datetime.now(UTC)
        identity = f"{options.stage}.{now:%Y%m%d}-{secrets.token_hex(5)}"
        hands = all_hands(deployment, [_hands(one, deployment) for one in options.hands])
        drill = _drill(deployment, options)
        steps = [step for one in hands for step in drill.steps(one)]
        return {
            **place.do("drill", identity, {"stage": options.stage, "steps": steps}, {"id": identity}),
            "steps": steps,
        }
    except ValueError as error:
        raise OpsError(f"{error}. Correct it.") from None
    except (BotoCoreError, ClientError) as error:
        raise OpsError(
            f"AWS says: {error}. Sign in to the security account {deployment.accounts.security} as driller; "
            "./palisade credentials does."
        ) from None


def all_hands(deployment: Deployment, given: Sequence[Hands]) -> list[Hands]:
    """``given`` in the order of the configuration.

    Raises:
        OpsError: one of the emergency identities is not there, or somebody is there who is none.
    """
    by_identity = {one.identity: one for one in given}
    missing = [one for one in deployment.emergency_identities if one not in by_identity]
    strangers = sorted(set(by_identity) - set(deployment.emergency_identities))
    if missing or strangers:
        raise OpsError(
            "; ".join(
                [
                    *(f"no profile is of {one}: a drill is of every emergency user" for one in missing),
                    *(f"{one} is no emergency user" for one in strangers),
                ]
            )
            + '. Name a profile of each with --as; "aws login" makes one.'
        )
    return [by_identity[one] for one in deployment.emergency_identities]


def said(answer: Mapping[str, Any], deployment: Deployment) -> str:
    """An answer in words."""
    if answer["outcome"] == "listed":
        rows = [f"{one['id']}  {one['outcome']}  {one.get('by', '')}".rstrip() for one in answer["drills"]]
        return "\n".join(rows) or "no drill is recorded yet"
    lines = [f"{answer['outcome']}: {answer.get('id') or '-'}"]
    lines += [
        f"  {'ok    ' if one['ok'] else 'FAILED'} {one['identity'].rpartition('/')[2]:<20} {one['step']}"
        for one in answer.get("steps", ())
    ]
    lines += [f"  {problem}" for problem in answer.get("problems", ())]
    if answer["outcome"] == "open":
        lines.append(
            f"  within {deployment.drills.heard_minutes} minutes, another person who got the messages: "
            f"./palisade break-glass witness {answer['id']} --saw USER --saw USER"
        )
    return "\n".join(lines)


def _seen(deployment: Deployment, users: Sequence[str]) -> list[str]:
    known = {one.rpartition("/")[2]: one for one in deployment.emergency_identities}
    unknown = sorted(set(users) - set(known))
    if unknown:
        raise OpsError(f"--saw {', '.join(unknown)}: choose of {', '.join(sorted(known))}.")
    return [known[user] for user in users]


def _hands(profile: str, deployment: Deployment) -> Hands:
    session = _session(profile)
    identity = session.client("sts", region_name=deployment.home.name).get_caller_identity()["Arn"]
    return Hands(identity=identity, sts=lambda region: session.client("sts", region_name=region))


def _drill(deployment: Deployment, options: argparse.Namespace) -> Drill:
    stages = {stage.name: stage.account for stage in deployment.stages}
    if options.stage not in stages:
        raise OpsError(f"--stage {options.stage}: choose one of {', '.join(sorted(stages))}.")
    name, account, home = Names(deployment).break_glass, stages[options.stage], deployment.home.name
    session = _session(options.look_with)
    found = session.client("sts", region_name=home).get_caller_identity()["Account"]
    if found != account:
        raise OpsError(f"--look-with {options.look_with} is of account {found}, not {account}. Name one of the stage.")
    role = session.client("iam", region_name=home).get_role(RoleName=name)["Role"]
    heard = {home, EDGE_REGION}
    elsewhere = next(one for one in (deployment.recovery.name, "eu-west-3", "us-west-2") if one not in heard)
    return Drill(
        role=role["Arn"],
        home=home,
        elsewhere=elsewhere,
        trust=role["AssumeRolePolicyDocument"],
        clock=lambda: datetime.now(UTC),
    )


def _session(profile: str) -> Any:
    import boto3  # noqa: PLC0415 - half a second that --help should not wait for

    return boto3.Session(profile_name=profile)


def _parser() -> argparse.ArgumentParser:
    assert __doc__
    head, usage, text = __doc__.split("\n\n")
    parser = argparse.ArgumentParser(
        prog="palisade break-glass",
        description=head,
        usage=usage.removeprefix("usage: "),
        epilog=text,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="what", required=True, metavar="drill | witness | list")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--deployment", default="reference", help="config/<name>.py (default: reference)")
    common.add_argument("--json", action="store_true", help="print JSON")

    def command(name: str, meaning: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=meaning, description=meaning, parents=[common])

    drill = command("drill", "take the emergency role as every emergency user, and try what must be refused")
    drill.add_argument("--stage", required=True, help="the stage to drill")
    drill.add_argument(
        "--as", dest="hands", action="append", default=[], metavar="PROFILE", help="of an emergency user"
    )
    drill.add_argument("--look-with", required=True, metavar="PROFILE", help="of the stage, to read the role with")
    witness = command("witness", "say that the messages about a drill reached you")
    witness.add_argument("id", help="the drill's id")
    witness.add_argument("--saw", action="append", required=True, metavar="USER", help="the user that a message named")
    command("list", "show the drills that are recorded")
    return parser
