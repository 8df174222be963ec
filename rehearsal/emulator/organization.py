"""An organization that was there before: its root under the id that the configuration names, its accounts as members."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any


def found(account: str, root: str, members: Sequence[str]) -> None:
    """Make ``account`` the management account of an organization with ``root`` (or a unit of that id) and ``members``."""
    _more_policy_types()
    from moto.organizations.models import FakeAccount, organizations_backends

    backends: Any = organizations_backends
    backend = backends[account]["aws"]
    if backend.org is None:
        backend.create_organization("us-east-1")
        _name_root(backend, root)
    known = {one.id for one in backend.accounts}
    for member in sorted(set(members) - known):
        one = FakeAccount(backend.org, AccountName=member, Email=f"{member}@example.com")
        one.id = member
        one.parent_id = backend.ou[0].id
        backend.accounts.append(one)


def _name_root(backend: Any, root: str) -> None:
    from moto.organizations.models import FakeOrganizationalUnit

    (made,) = backend.ou
    if root.startswith("r-"):
        backend.org.root_id = made.id = root
    else:
        unit = FakeOrganizationalUnit(backend.org, Name="deployment", ParentId=made.id)
        unit.id = root
        backend.ou.append(unit)


@functools.cache
def _more_policy_types() -> None:
    """moto does not know declarative policies, and takes a type that is unknown to it for a mistake."""
    from moto.organizations import models, utils

    declarative = "DECLARATIVE_POLICY_EC2"
    models.FakeRoot.SUPPORTED_POLICY_TYPES.append(declarative)
    make = models.FakePolicy.__init__

    def init(self: Any, organization: Any, **given: Any) -> None:
        if given.get("Type") != declarative:
            make(self, organization, **given)
            return
        make(self, organization, **{**given, "Type": "TAG_POLICY"})
        self.type = declarative
        self._arn_format = utils.TAG_POLICY_ARN_FORMAT.replace("tag_policy", "declarative_policy_ec2")

    setattr(models.FakePolicy, "__init__", init)  # noqa: B010 - mypy knows the method
    models.FakePolicy.SUPPORTED_POLICY_TYPES.append(declarative)
