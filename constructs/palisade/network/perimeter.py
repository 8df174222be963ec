"""Whose identities and whose resources belong to us."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Perimeter:
    """The organization, or the accounts of a deployment without one.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_data-perimeters.html
    """

    organization_id: str | None
    accounts: Sequence[str]

    @property
    def principals(self) -> dict[str, object]:
        """Condition: the caller is one of us."""
        if self.organization_id is None:
            return {"aws:PrincipalAccount": list(self.accounts)}
        return {"aws:PrincipalOrgID": self.organization_id}

    @property
    def resources(self) -> dict[str, object]:
        """Condition: what is called is ours."""
        if self.organization_id is None:
            return {"aws:ResourceAccount": list(self.accounts)}
        return {"aws:ResourceOrgID": self.organization_id}
