"""Sets what belongs to a whole account, and to EC2 in each of its regions, where CloudFormation has no type that would do.

Idempotent; deletion of the custom resource leaves every setting in place. EC2's settings may belong to a declarative policy
of the organization instead: then they are only compared, because the account can no longer change them.

Source: https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_declarative.html
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import boto3
from palisade_runtime.custom_resource import Context, Outcome, RefusedRequestError, Request, respond

BLOCKED = {
    "BlockPublicAcls": True,
    "BlockPublicPolicy": True,
    "IgnorePublicAcls": True,
    "RestrictPublicBuckets": True,
}
CONTACTS = ("SECURITY", "OPERATIONS", "BILLING")
PASSWORD_NUMBERS = ("MaxPasswordAge", "MinimumPasswordLength", "PasswordReusePrevention")
PASSWORD_FLAGS = (
    "AllowUsersToChangePassword",
    "RequireLowercaseCharacters",
    "RequireNumbers",
    "RequireSymbols",
    "RequireUppercaseCharacters",
)

Clients = Callable[..., Any]


@dataclass(frozen=True, kw_only=True)
class Default:
    """One setting of EC2 in a region: what it is and whose, what it may be, and the call that makes it so."""

    name: str
    read: Callable[[Any], tuple[Any, str | None]]
    wanted: tuple[Any, ...]
    write: Callable[[Any], object]


def _member(operation: str, name: str, *, inside: str | None = None) -> Callable[[Any], tuple[Any, str | None]]:
    def read(ec2: Any) -> tuple[Any, str | None]:
        answer = getattr(ec2, operation)()
        answer = answer.get(inside, {}) if inside else answer
        return answer.get(name), answer.get("ManagedBy")

    return read


DEFAULTS = (
    Default(
        name="public sharing of snapshots",
        read=_member("get_snapshot_block_public_access_state", "State"),
        wanted=("block-all-sharing",),
        write=lambda ec2: ec2.enable_snapshot_block_public_access(State="block-all-sharing"),
    ),
    Default(
        name="public sharing of images",
        read=_member("get_image_block_public_access_state", "ImageBlockPublicAccessState"),
        wanted=("block-new-sharing",),
        write=lambda ec2: ec2.enable_image_block_public_access(ImageBlockPublicAccessState="block-new-sharing"),
    ),
    Default(
        name="metadata tokens of new instances",
        read=_member("get_instance_metadata_defaults", "HttpTokens", inside="AccountLevel"),
        wanted=("required",),
        write=lambda ec2: ec2.modify_instance_metadata_defaults(HttpTokens="required", HttpPutResponseHopLimit=1),
    ),
    Default(
        name="serial console",
        read=_member("get_serial_console_access_status", "SerialConsoleAccessEnabled"),
        wanted=(False,),
        write=lambda ec2: ec2.disable_serial_console_access(),
    ),
)
NO_INTERNET = Default(
    name="internet access of networks",
    read=_member(
        "describe_vpc_block_public_access_options", "InternetGatewayBlockMode", inside="VpcBlockPublicAccessOptions"
    ),
    wanted=("block-bidirectional",),
    write=lambda ec2: ec2.modify_vpc_block_public_access_options(InternetGatewayBlockMode="block-bidirectional"),
)
"""Where no network of ours is: it would cut off one that has ways out."""


def handle(event: Mapping[str, Any], context: Context) -> None:
    """Called by CloudFormation with ``AccountId``, ``PasswordPolicy``, ``Contacts`` and ``Regions``."""
    respond(event, context, service="apply_account_settings", act=lambda request: apply(request, boto3.client))


def apply(request: Request, clients: Clients) -> Outcome:
    """Set everything that is asked for, unless the resource is being deleted.

    Raises:
        RefusedRequestError: a property is missing or malformed, or an organization policy sets something weaker.
    """
    account = request.text("AccountId")
    policy, contacts, regions = _password_policy(request), _contacts(request), _regions(request)
    if request.kind != "Delete":
        clients("iam").update_account_password_policy(**policy)
        for contact in contacts:
            clients("account").put_alternate_contact(**contact)
        clients("s3control").put_public_access_block(AccountId=account, PublicAccessBlockConfiguration=BLOCKED)
        for region in regions:
            _apply_region(region, clients("ec2", region_name=region["Region"]))
    return Outcome(physical_id=f"account-settings-{account}")


def _apply_region(region: Mapping[str, str], ec2: Any) -> None:
    if not ec2.get_ebs_encryption_by_default()["EbsEncryptionByDefault"]:
        ec2.enable_ebs_encryption_by_default()
    ec2.modify_ebs_default_kms_key_id(KmsKeyId=region["VolumeKey"])
    for default in (*DEFAULTS, *([NO_INTERNET] if region["BlockInternet"] == "true" else [])):
        now, owner = default.read(ec2)
        if now in default.wanted:
            continue
        if owner == "declarative-policy":
            raise RefusedRequestError(
                f"{region['Region']}: a declarative policy of the organization sets {default.name} to {now}; "
                f"it must be {default.wanted[0]}. Change the policy"
            )
        default.write(ec2)


def _password_policy(request: Request) -> dict[str, int | bool]:
    given = _mapping(request, "PasswordPolicy")
    numbers = {name: given.get(name, "") for name in PASSWORD_NUMBERS}
    flags = {name: given.get(name, "") for name in PASSWORD_FLAGS}
    wrong = [name for name, value in numbers.items() if not value.isdecimal()]
    wrong += [name for name, value in flags.items() if value not in {"true", "false"}]
    if wrong:
        raise RefusedRequestError(f"property PasswordPolicy lacks a usable {', '.join(wrong)}")
    return {
        **{name: int(value) for name, value in numbers.items()},
        **{name: value == "true" for name, value in flags.items()},
    }


def _contacts(request: Request) -> list[dict[str, str]]:
    given = _mapping(request, "Contacts")
    wrong = [name for name in (*CONTACTS, "PHONE") if not given.get(name, "").strip()]
    if wrong:
        raise RefusedRequestError(f"property Contacts lacks {', '.join(wrong)}")
    return [
        {
            "AlternateContactType": kind,
            "EmailAddress": given[kind],
            "Name": f"{kind.capitalize()} mailbox",
            "PhoneNumber": given["PHONE"],
            "Title": f"{kind.capitalize()} contact",
        }
        for kind in CONTACTS
    ]


def _regions(request: Request) -> list[dict[str, str]]:
    value = request.properties.get("Regions")
    names = ("Region", "VolumeKey", "BlockInternet")
    if not isinstance(value, list) or not value:
        raise RefusedRequestError("property Regions must be a list that is not empty")
    if not all(isinstance(item, Mapping) and all(item.get(name) for name in names) for item in value):
        raise RefusedRequestError(f"each of property Regions must have {', '.join(names)}")
    return [{name: str(item[name]) for name in names} for item in value]


def _mapping(request: Request, name: str) -> dict[str, str]:
    value = request.properties.get(name)
    if not isinstance(value, Mapping):
        raise RefusedRequestError(f"property {name} is missing")
    return {key: str(item).lower() if isinstance(item, bool) else str(item) for key, item in value.items()}
