"""Promises that hang on somebody else's policy: what is sent really arrives."""

from __future__ import annotations

from proofs.finding import Case, Finding, note, proof
from proofs.register.questions import LOG_ARROWS, Facts, facts


@proof("delivery.logs-arrive")
def logs_arrive(case: Case, finding: Finding) -> None:
    """Every log that a service writes is let through by its bucket or group, and by the key behind it.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AWS-logs-infrastructure-S3.html
    """
    _arrive(facts(case), finding, logs=True)


@proof("delivery.messages-arrive")
def messages_arrive(case: Case, finding: Finding) -> None:
    """Every alarm, event and message is let through by its topic, queue, function or vault, and by the key behind it.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html
    """
    _arrive(facts(case), finding, logs=False)


def _arrive(known: Facts, finding: Finding, *, logs: bool) -> None:
    for arrow in known.arrows:
        if (LOG_ARROWS.match(arrow.kind) is not None or " log" in arrow.kind) is not logs:
            continue
        refused = known.undelivered.get(id(arrow))
        if refused is None:
            finding.evidence.append(
                note(arrow.sender, f"{arrow.kind} {arrow.receiver.path if arrow.receiver else arrow.to}")
            )
        elif refused.certain:
            finding.broken.append(note(refused.where, f"{arrow} is refused: {refused.text}"))
        else:
            finding.broken.append(note(refused.where, f"{arrow} cannot be shown to arrive: {refused.text}"))
