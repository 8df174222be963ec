"""Grants on KMS keys: permissions for one principal, perhaps only with a certain encryption context.

Source: https://docs.aws.amazon.com/kms/latest/developerguide/grants.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from proofs.policy.context import Context, Unknown
from proofs.policy.errors import PolicyError
from proofs.policy.principals import Grant, PrincipalElement, parse_element
from proofs.policy.truth import MAYBE, NO, YES, Truth, truth

_CONTEXT_KEY: Final = "kms:encryptioncontext:"
_CONTEXT_KEYS: Final = "kms:encryptioncontextkeys"
OPERATIONS: Final = frozenset(
    {
        "CreateGrant",
        "Decrypt",
        "DeriveSharedSecret",
        "DescribeKey",
        "Encrypt",
        "GenerateDataKey",
        "GenerateDataKeyPair",
        "GenerateDataKeyPairWithoutPlaintext",
        "GenerateDataKeyWithoutPlaintext",
        "GenerateMac",
        "GetPublicKey",
        "ReEncryptFrom",
        "ReEncryptTo",
        "RetireGrant",
        "Sign",
        "Verify",
        "VerifyMac",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyGrant:
    """One grant on the key that is asked for."""

    grantee: PrincipalElement
    actions: frozenset[str]
    subset: tuple[tuple[str, str], ...] = ()
    """Pairs that the encryption context must hold."""
    equal: tuple[tuple[str, str], ...] | None = None
    """The encryption context must be exactly this."""

    @classmethod
    def of(cls, grant: Any, place: str = "grant") -> KeyGrant:
        """Read a grant in the form of the KMS API: GranteePrincipal, Operations, Constraints.

        Raises :class:`PolicyError` with every problem.
        """
        problems: list[str] = []
        if not isinstance(grant, Mapping):
            raise PolicyError([f"{place}: must be an object with GranteePrincipal and Operations, not {grant!r}"])
        grantee = grant.get("GranteePrincipal")
        type_ = "AWS" if isinstance(grantee, str) and grantee.startswith("arn:") else "Service"
        element = parse_element({type_: grantee}, f"{place}.GranteePrincipal", problems)
        operations = grant.get("Operations")
        if not isinstance(operations, list) or not operations or not set(map(str, operations)) <= OPERATIONS:
            problems.append(
                f"{place}.Operations: must be a list of {', '.join(sorted(OPERATIONS))}, not {operations!r}"
            )
            operations = []
        constraints = grant.get("Constraints") or {}
        pairs: dict[str, tuple[tuple[str, str], ...]] = {}
        if not isinstance(constraints, Mapping):
            problems.append(f"{place}.Constraints: must be an object, not {constraints!r}")
            constraints = {}
        for name, wanted in constraints.items():
            if name not in ("EncryptionContextSubset", "EncryptionContextEquals") or not isinstance(wanted, Mapping):
                problems.append(f"{place}.Constraints.{name}: use EncryptionContextSubset or EncryptionContextEquals")
            else:
                pairs[name] = tuple(sorted((str(key), str(value)) for key, value in wanted.items()))
        if problems:
            raise PolicyError(problems)
        return cls(
            grantee=element,
            actions=frozenset(f"kms:{operation}".lower() for operation in operations),
            subset=pairs.get("EncryptionContextSubset", ()),
            equal=pairs.get("EncryptionContextEquals"),
        )

    def match(self, context: Context) -> tuple[Grant, Truth]:
        """How closely the grant names the requester, and whether it covers the request."""
        if context.action not in self.actions:
            return Grant.NONE, NO
        grant = self.grantee.grant(context.requester, context.values)
        if grant is Grant.NONE:
            return grant, NO
        found = min(
            (self._pair(key, value, context) for key, value in (*self.subset, *(self.equal or ()))), default=YES
        )
        if self.equal is not None and found != NO:
            found = min(found, self._no_other(context))
        return grant, found

    def _pair(self, key: str, value: str, context: Context) -> Truth:
        given = context.values.get(f"{_CONTEXT_KEY}{key}".lower())
        if isinstance(given, Unknown):
            context.doubts.append(f"{_CONTEXT_KEY}{key}".lower())
            return MAYBE
        return truth(given == (value,))

    def _no_other(self, context: Context) -> Truth:
        wanted = {f"{_CONTEXT_KEY}{key}".lower() for key, _ in self.equal or ()}
        given = {key for key in context.values if key.startswith(_CONTEXT_KEY)}
        keys = context.values.get(_CONTEXT_KEYS)
        if isinstance(keys, Unknown):
            context.doubts.append(_CONTEXT_KEYS)
            return MAYBE
        given |= {f"{_CONTEXT_KEY}{key}".lower() for key in keys or ()}
        return truth(given <= wanted)
