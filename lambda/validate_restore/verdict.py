"""Whether a restored store is fit for use, from what was seen of it."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Sight:
    """What was seen of the restored store. `holds_data` is None where it cannot be seen without opening the store."""

    exists: bool
    ready: bool = False
    encrypted: bool = False
    holds_data: bool | None = None


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The result for AWS Backup: its status and one sentence of at most a thousand characters."""

    fit: bool
    message: str

    @property
    def status(self) -> str:
        """The word that PutRestoreValidationResult knows."""
        return "SUCCESSFUL" if self.fit else "FAILED"


def judge(sight: Sight, *, backup_bytes: int) -> Verdict:
    """The verdict on a store restored from a backup of `backup_bytes` bytes."""
    if not sight.exists:
        return Verdict(fit=False, message="The restore completed, but what it restored is not there.")
    problems = []
    if not sight.ready:
        problems.append("it is not ready for use")
    if not sight.encrypted:
        problems.append("it is not encrypted with a customer key")
    if backup_bytes > 0 and sight.holds_data is False:
        problems.append(f"it is empty although the backup holds {backup_bytes} bytes")
    if problems:
        return Verdict(fit=False, message=f"Restored, but {', and '.join(problems)}.")
    return Verdict(fit=True, message="Restored, ready, encrypted" + (", and not empty." if sight.holds_data else "."))
