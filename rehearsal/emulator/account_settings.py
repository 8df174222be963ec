"""Settings of an account and of EC2 in a region, which neither ministack nor moto has as a whole.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_EnableEbsEncryptionByDefault.html
https://docs.aws.amazon.com/accounts/latest/reference/API_PutAlternateContact.html
"""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

from ministack import app as ministack
from ministack.core.responses import get_account_id, get_region
from ministack.services import ec2

FACTORY = {
    "ebsEncryptionByDefault": "false",
    "kmsKeyId": "alias/aws/ebs",
    "state": "unblocked",
    "imageBlockPublicAccessState": "unblocked",
    "httpTokens": "no-preference",
    "serialConsoleAccessEnabled": "false",
    "internetGatewayBlockMode": "off",
}
"""What a new account has."""
SETTINGS: dict[tuple[str, str], dict[str, str]] = defaultdict(lambda: dict(FACTORY))
CONTACTS: dict[tuple[str, str], dict[str, str]] = {}

WRITES = {
    "EnableEbsEncryptionByDefault": ("ebsEncryptionByDefault", "", "true"),
    "ModifyEbsDefaultKmsKeyId": ("kmsKeyId", "KmsKeyId", ""),
    "EnableSnapshotBlockPublicAccess": ("state", "State", ""),
    "EnableImageBlockPublicAccess": ("imageBlockPublicAccessState", "ImageBlockPublicAccessState", ""),
    "ModifyInstanceMetadataDefaults": ("httpTokens", "HttpTokens", ""),
    "DisableSerialConsoleAccess": ("serialConsoleAccessEnabled", "", "false"),
    "EnableSerialConsoleAccess": ("serialConsoleAccessEnabled", "", "true"),
    "ModifyVpcBlockPublicAccessOptions": ("internetGatewayBlockMode", "InternetGatewayBlockMode", ""),
}
"""Operation to the setting it changes, the parameter that says how, and the value where there is none."""
READS = {
    "GetEbsEncryptionByDefault": ("ebsEncryptionByDefault", ""),
    "GetEbsDefaultKmsKeyId": ("kmsKeyId", ""),
    "GetSnapshotBlockPublicAccessState": ("state", ""),
    "GetImageBlockPublicAccessState": ("imageBlockPublicAccessState", ""),
    "GetInstanceMetadataDefaults": ("httpTokens", "accountLevel"),
    "GetSerialConsoleAccessStatus": ("serialConsoleAccessEnabled", ""),
    "DescribeVpcBlockPublicAccessOptions": ("internetGatewayBlockMode", "vpcBlockPublicAccessOptions"),
}


def install() -> None:
    """Answer the operations above, and the alternate contacts."""
    for name, (setting, parameter, value) in WRITES.items():
        ec2._ACTION_MAP[name] = _write(name, setting, parameter, value)
    for name, (setting, inside) in READS.items():
        ec2._ACTION_MAP[name] = _read(name, setting, inside)
    _contacts()


def _write(name: str, setting: str, parameter: str, value: str) -> Any:
    def act(params: Any) -> Any:
        SETTINGS[get_account_id(), get_region()][setting] = ec2._p(params, parameter) if parameter else value
        return ec2._xml(200, f"{name}Response", _shown(setting))

    return act


def _read(name: str, setting: str, inside: str) -> Any:
    def act(_params: Any) -> Any:
        shown = _shown(setting) + "<managedBy>account</managedBy>"
        return ec2._xml(200, f"{name}Response", f"<{inside}>{shown}</{inside}>" if inside else shown)

    return act


def _shown(setting: str) -> str:
    return f"<{setting}>{SETTINGS[get_account_id(), get_region()][setting]}</{setting}>"


def _contacts() -> None:
    own = ministack.SERVICE_HANDLERS["account"]

    async def handler(method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]) -> Any:
        operation = path.strip("/")
        if operation not in {"putAlternateContact", "getAlternateContact"}:
            return await own(method, path, headers, body, query)
        given = json.loads(body or b"{}")
        place = (get_account_id(), str(given.get("AlternateContactType")))
        if operation.startswith("put"):
            CONTACTS[place] = given
            return 200, {"Content-Type": "application/json"}, b"{}"
        answer: dict[str, Any] = {"AlternateContact": CONTACTS[place]} if place in CONTACTS else {}
        status = 200 if answer else 404
        more = {} if answer else {"x-amzn-errortype": "ResourceNotFoundException"}
        return status, {"Content-Type": "application/json", **more}, json.dumps(answer).encode()

    ministack.SERVICE_HANDLERS["account"] = handler
