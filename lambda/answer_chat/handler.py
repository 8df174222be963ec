"""The function behind the queue of commands. Delivered twice, it does nothing twice."""

import functools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import boto3
from palisade_runtime.environment import read_environment
from palisade_runtime.logs import Logger
from palisade_runtime.records import Records

from answer_chat.approvers import Approvers
from answer_chat.commands import DEEDS, Command, UnclearError, parse
from answer_chat.replies import Replies

Answer = Mapping[str, Any]


class RefusedError(Exception):
    """It is not to be done by chat; the message says why, to whoever asked."""


@dataclass(frozen=True, kw_only=True)
class Services:
    """What the function reaches. ``people`` are names in the directory by their id in the chat; ``levels`` may be approved by
    chat; ``decide`` calls the function that decides about requests."""

    records: Records
    decide: Callable[[Mapping[str, object]], Answer]
    approvers: Approvers
    replies: Replies
    people: Mapping[str, str]
    levels: frozenset[str]
    logger: Logger


def handle(event: Mapping[str, Any], context: Any) -> dict[str, object]:
    """Lambda's entry point."""
    return process(event, _services(context.invoked_function_arn.split(":")[4]))


def process(event: Mapping[str, Any], services: Services) -> dict[str, object]:
    """Work on a batch of messages; the answer names those that failed, and only they are delivered again.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
    """
    failures = []
    for record in event["Records"]:
        logger = services.logger.bind(request_id=str(record["messageId"]))
        try:
            message = json.loads(record["body"])
            if not services.replies.post(message["answer"], answer(message, services)):
                logger.warning("chat.unanswerable", request=message["id"])
        except Exception as error:
            logger.failure("chat.failed", error)
            failures.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failures}


def answer(message: Mapping[str, str], services: Services) -> str:
    """Do what ``message`` asks for and say what came of it.

    Raises:
        ClientError: AWS did not answer; the same message again goes on from there.
    """
    try:
        person = services.people.get(message["user"])
        if person is None:
            raise RefusedError(
                "I do not know who you are in the directory. Ask the security team to add you to the chat's people."
            )
        command = parse(message["text"])
        if command.verb == "request":
            outcome = _request(message["id"], person, command, services)
        elif command.verb in DEEDS:
            outcome = _deed(person, command, services)
        else:
            asked = {"kind": command.verb, **({"id": command.request} if command.request else {})}
            outcome = services.decide(asked)
    except (RefusedError, UnclearError) as refusal:
        services.logger.warning("chat.not-done", request=message["id"], reason=type(refusal).__name__)
        return str(refusal)
    services.logger.info("chat.done", request=message["id"], verb=command.verb, outcome=str(outcome.get("outcome")))
    return _told(command, outcome)


def _request(identity: str, person: str, command: Command, services: Services) -> Answer:
    services.records.keep(identity, "asked", {**command.wish, "by": person, "through": "chat"})
    return services.decide({"kind": "request", "id": identity})


def _deed(person: str, command: Command, services: Services) -> Answer:
    """Do a deed in the person's name, marked as the chat's.

    Raises:
        RefusedError: by chat, this person may not do that to this request.
    """
    shown = services.decide({"kind": "show", "id": command.request})
    asker, level = str(shown.get("by", "")).casefold(), str(shown.get("level", ""))
    if shown.get("outcome") != "shown" or not asker:
        raise RefusedError(f"There is no request {command.request}.")
    if command.verb == "approve" and level not in services.levels:
        raise RefusedError(
            f"Level {level} is not approved by chat. Under your own session: ./palisade access approve {command.request}"
        )
    own = asker == person.casefold()
    if own and command.verb != "revoke":
        raise RefusedError("Nobody decides about their own request. Ask another person.")
    if not own and not services.approvers.has(person):
        raise RefusedError("You are not of the group that approves requests.")
    try:
        services.records.say(command.verb, command.request, f"chat:{person}", {"through": "chat"})
    except ValueError:
        raise RefusedError(
            "Your name in the directory cannot be written into a record. Use the command line."
        ) from None
    return services.decide({"kind": command.verb, "id": command.request})


def _told(command: Command, outcome: Answer) -> str:
    """What came of it, without any word that somebody else wrote freely: the chat would show it as the team's own."""
    if command.verb == "list":
        rows = [
            f"{one.get('id')}  {one.get('state')}  {one.get('stage', '')} {one.get('level', '')}"
            for one in outcome.get("requests", ())
        ]
        return "\n".join(rows[-20:]) or "Nobody asked for anything lately."
    lines = [f"{outcome.get('id') or command.request}: {outcome.get('state') or outcome.get('outcome')}"]
    lines += [f"- {problem}" for problem in outcome.get("problems", ())]
    if outcome.get("outcome") == "waiting":
        lines.append(
            f"Another person approves it: `approve {outcome.get('id')}`, or ./palisade access approve {outcome.get('id')}"
        )
    return "\n".join(lines)


class DecisionError(Exception):
    """The function that decides failed."""


@functools.cache
def _services(account: str) -> Services:
    names = (
        "RECORD_BUCKET",
        "RECORD_WORKFLOW",
        "DECIDER",
        "PEOPLE",
        "LEVELS",
        "HOSTS",
        "STORE_ID",
        "CENTER_REGION",
        "APPROVERS",
    )
    settings = read_environment(text=names)
    functions = boto3.client("lambda")

    def decide(event: Mapping[str, object]) -> Answer:
        said = functions.invoke(FunctionName=settings["DECIDER"], Payload=json.dumps(event).encode())
        payload = json.loads(said["Payload"].read())
        if "FunctionError" in said or not isinstance(payload, dict):
            raise DecisionError(settings["DECIDER"])
        return payload

    return Services(
        records=Records(
            s3=boto3.client("s3"),
            bucket=settings["RECORD_BUCKET"],
            account=account,
            workflow=settings["RECORD_WORKFLOW"],
        ),
        decide=decide,
        approvers=Approvers(
            store=boto3.client("identitystore", region_name=settings["CENTER_REGION"]),
            store_id=settings["STORE_ID"],
            group=settings["APPROVERS"],
        ),
        replies=Replies(hosts=frozenset(settings["HOSTS"].split())),
        people=json.loads(settings["PEOPLE"]),
        levels=frozenset(settings["LEVELS"].replace("-none-", "").split()),
        logger=Logger(service="answer_chat"),
    )
