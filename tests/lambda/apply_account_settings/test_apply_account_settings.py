"""Settings of a whole account: complete, repeatable, never undone, and deferring to the organization's own policies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import boto3
import botocore.validate
import pytest
from apply_account_settings.handler import BLOCKED, apply
from palisade_runtime.custom_resource import RefusedRequestError, Request

ACCOUNT = "123456789012"
KEY = "arn:aws:kms:eu-west-1:123456789012:alias/palisade/volumes"
PROPERTIES: Mapping[str, Any] = {
    "AccountId": ACCOUNT,
    "PasswordPolicy": {
        "MinimumPasswordLength": "16",
        "MaxPasswordAge": "90",
        "PasswordReusePrevention": "24",
        "RequireLowercaseCharacters": "true",
        "RequireUppercaseCharacters": "true",
        "RequireNumbers": "true",
        "RequireSymbols": "true",
        "AllowUsersToChangePassword": "true",
    },
    "Contacts": {
        "SECURITY": "s@acme.example",
        "OPERATIONS": "o@acme.example",
        "BILLING": "b@acme.example",
        "PHONE": "+1",
    },
    "Regions": [
        {"Region": "eu-west-1", "VolumeKey": KEY, "BlockInternet": "false"},
        {"Region": "us-east-1", "VolumeKey": KEY.replace("eu-west-1", "us-east-1"), "BlockInternet": "true"},
    ],
}
NEW: Mapping[str, Mapping[str, Any]] = {
    "get_ebs_encryption_by_default": {"EbsEncryptionByDefault": False},
    "get_snapshot_block_public_access_state": {"State": "unblocked", "ManagedBy": "account"},
    "get_image_block_public_access_state": {"ImageBlockPublicAccessState": "unblocked", "ManagedBy": "account"},
    "get_instance_metadata_defaults": {"AccountLevel": {}},
    "get_serial_console_access_status": {"SerialConsoleAccessEnabled": True, "ManagedBy": "account"},
    "describe_vpc_block_public_access_options": {"VpcBlockPublicAccessOptions": {"InternetGatewayBlockMode": "off"}},
}
SET: Mapping[str, Mapping[str, Any]] = {
    "get_ebs_encryption_by_default": {"EbsEncryptionByDefault": True},
    "get_snapshot_block_public_access_state": {"State": "block-all-sharing"},
    "get_image_block_public_access_state": {"ImageBlockPublicAccessState": "block-new-sharing"},
    "get_instance_metadata_defaults": {"AccountLevel": {"HttpTokens": "required"}},
    "get_serial_console_access_status": {"SerialConsoleAccessEnabled": False},
    "describe_vpc_block_public_access_options": {
        "VpcBlockPublicAccessOptions": {"InternetGatewayBlockMode": "block-bidirectional"}
    },
}


class Aws:
    """Every service: takes only what botocore's models allow, answers ``answers``, and remembers what was changed."""

    def __init__(self, answers: Mapping[str, Mapping[str, Any]]) -> None:
        self.answers = answers
        self.changes: list[tuple[str, str, dict[str, Any]]] = []

    def client(self, service: str, region_name: str = "") -> Any:
        return _Client(self, service, region_name)


class _Client:
    def __init__(self, aws: Aws, service: str, region: str) -> None:
        self._aws, self._service, self._region = aws, service, region
        self._model = boto3.client(service, region_name="eu-west-1").meta

    def __getattr__(self, name: str) -> Any:
        operation = self._model.service_model.operation_model(self._model.method_to_api_mapping[name])

        def call(**parameters: Any) -> Mapping[str, Any]:
            if operation.input_shape is not None:
                report = botocore.validate.ParamValidator().validate(parameters, operation.input_shape)
                assert not report.has_errors(), report.generate_report()
            if name in self._aws.answers:
                return self._aws.answers[name]
            self._aws.changes.append((self._region, name, parameters))
            return {}

        return call


def _request(kind: str = "Create", **changed: Any) -> Request:
    return Request(kind=kind, properties={**PROPERTIES, **changed}, physical_id=None)


def test_sets_up_a_new_account_and_each_of_its_regions() -> None:
    aws = Aws(NEW)
    apply(_request(), aws.client)
    everywhere = [change for change in aws.changes if not change[0]]
    assert [name for _, name, _ in everywhere] == [
        "update_account_password_policy",
        *["put_alternate_contact"] * 3,
        "put_public_access_block",
    ]
    assert everywhere[0][2]["MinimumPasswordLength"] == 16
    assert {change[2]["EmailAddress"] for change in everywhere[1:4]} == {
        "s@acme.example",
        "o@acme.example",
        "b@acme.example",
    }
    assert everywhere[4][2]["PublicAccessBlockConfiguration"] == BLOCKED
    assert set(BLOCKED.values()) == {True}
    for region in PROPERTIES["Regions"]:
        names = {name: given for place, name, given in aws.changes if place == region["Region"]}
        assert names["modify_ebs_default_kms_key_id"] == {"KmsKeyId": region["VolumeKey"]}
        assert names["modify_instance_metadata_defaults"]["HttpTokens"] == "required"
        assert {"enable_ebs_encryption_by_default", "disable_serial_console_access"} <= set(names)
        assert names["enable_snapshot_block_public_access"] == {"State": "block-all-sharing"}
        assert "enable_image_block_public_access" in names


def test_cuts_off_only_regions_without_a_network_of_ours() -> None:
    aws = Aws(NEW)
    apply(_request(), aws.client)
    cut_off = [region for region, name, _ in aws.changes if name == "modify_vpc_block_public_access_options"]
    assert cut_off == ["us-east-1"]


def test_leaves_alone_what_is_as_it_should_be() -> None:
    aws = Aws(SET)
    assert apply(_request("Update"), aws.client) == apply(_request("Update"), aws.client)
    assert {name for region, name, _ in aws.changes if region} == {"modify_ebs_default_kms_key_id"}


def test_leaves_to_the_organization_what_its_policy_sets_as_strictly() -> None:
    serial = {"SerialConsoleAccessEnabled": False, "ManagedBy": "declarative-policy"}
    aws = Aws({**NEW, "get_serial_console_access_status": serial})
    apply(_request(), aws.client)
    assert "disable_serial_console_access" not in {name for _, name, _ in aws.changes}


def test_refuses_what_an_organization_policy_sets_weaker() -> None:
    weak = {"State": "unblocked", "ManagedBy": "declarative-policy"}
    with pytest.raises(RefusedRequestError, match=r"eu-west-1: a declarative policy .* snapshots to unblocked"):
        apply(_request(), Aws({**NEW, "get_snapshot_block_public_access_state": weak}).client)


def test_deletion_changes_nothing() -> None:
    aws = Aws(NEW)
    assert apply(_request("Delete"), aws.client).physical_id == f"account-settings-{ACCOUNT}"
    assert aws.changes == []


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"AccountId": " "}, "AccountId"),
        ({"PasswordPolicy": None}, "PasswordPolicy is missing"),
        ({"PasswordPolicy": {"MinimumPasswordLength": "long"}}, "MinimumPasswordLength.*RequireSymbols"),
        ({"Contacts": {"SECURITY": "s@acme.example"}}, "OPERATIONS, BILLING, PHONE"),
        ({"Regions": []}, "Regions"),
        ({"Regions": [{"Region": "eu-west-1"}]}, "VolumeKey"),
    ],
)
def test_refuses_what_is_incomplete(changed: dict[str, Any], says: str) -> None:
    aws = Aws(NEW)
    with pytest.raises(RefusedRequestError, match=says):
        apply(_request(**changed), aws.client)
    assert aws.changes == []
