"""The model resolves what CloudFormation would, says what it cannot, and knows who refers to whom."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assembly import Assembly, AssemblyError, load, of_templates
from assembly.resolve import Resolver, Unresolved
from proofs.model import Model, changed, put, unresolved_in, without

ACCOUNT, REGION = "123456789012", "eu-west-1"
TEMPLATE: dict[str, Any] = {
    "Parameters": {
        "Stage": {"Type": "String", "Default": "live"},
        "Zones": {"Type": "CommaDelimitedList", "Default": "eu-west-1a, eu-west-1b"},
        "Open": {"Type": "String"},
        "Image": {"Type": "AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>", "Default": "/images/latest"},
        "Address": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/shop/address"},
    },
    "Mappings": {"Sizes": {"live": {"nodes": 3}, "test": {"nodes": 1}}},
    "Conditions": {
        "IsLive": {"Fn::Equals": [{"Ref": "Stage"}, "live"]},
        "IsTest": {"Fn::Not": [{"Condition": "IsLive"}]},
        "IsOpen": {"Fn::Equals": [{"Ref": "Open"}, "yes"]},
        "Either": {"Fn::Or": [{"Condition": "IsLive"}, {"Condition": "IsOpen"}]},
        "Both": {"Fn::And": [{"Condition": "IsTest"}, {"Condition": "IsOpen"}]},
        "Circle": {"Condition": "Circle"},
    },
    "Resources": {
        "Key": {"Type": "AWS::KMS::Key", "Properties": {}},
        "Alias": {"Type": "AWS::KMS::Alias", "Properties": {"AliasName": "alias/shop", "TargetKeyId": {"Ref": "Key"}}},
        "Named": {
            "Type": "AWS::S3::Bucket",
            "Properties": {"BucketName": {"Fn::Sub": "shop-${Stage}-${AWS::AccountId}"}},
        },
        "Unnamed": {"Type": "AWS::S3::Bucket", "Properties": {}},
        "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "orders"}},
        "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "news"}},
        "Role": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "reader", "Path": "/shop/"}},
        "Group": {"Type": "AWS::EC2::SecurityGroup", "Properties": {}},
        "Logs": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "/shop"}},
        "Address": {"Type": "AWS::SSM::Parameter", "Properties": {"Name": "/shop/address", "Value": "192.0.2.1"}},
        "OnlyTest": {"Type": "AWS::SNS::Topic", "Condition": "IsTest", "Properties": {}},
        "Perhaps": {"Type": "AWS::SNS::Topic", "Condition": "IsOpen", "Properties": {}},
        "Foreign": {
            "Type": "AWS::SNS::Topic",
            "Properties": {"KmsMasterKeyId": "alias/shop", "Bucket": "shop-live-123456789012"},
        },
    },
    "Outputs": {
        "Bucket": {"Value": {"Ref": "Named"}, "Export": {"Name": {"Fn::Sub": "${AWS::StackName}:bucket"}}},
        "Loop": {"Value": {"Fn::ImportValue": "shop:loop"}, "Export": {"Name": "shop:loop"}},
    },
}
OTHER: dict[str, Any] = {
    "Resources": {
        "Reader": {"Type": "AWS::SNS::Topic", "Properties": {"From": {"Fn::ImportValue": "shop:bucket"}}},
    }
}
SHOP = of_templates({"shop": TEMPLATE, "other": OTHER}, account=ACCOUNT, region=REGION)


def value(expression: Any) -> Any:
    return Resolver(SHOP).value(expression, SHOP["shop"])


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ({"Ref": "Stage"}, "live"),
        ({"Ref": "Zones"}, ["eu-west-1a", "eu-west-1b"]),
        ({"Ref": "AWS::Region"}, REGION),
        ({"Ref": "Named"}, f"shop-live-{ACCOUNT}"),
        ({"Fn::GetAtt": ["Named", "Arn"]}, f"arn:aws:s3:::shop-live-{ACCOUNT}"),
        ({"Fn::GetAtt": "Named.RegionalDomainName"}, f"shop-live-{ACCOUNT}.s3.eu-west-1.amazonaws.com"),
        ({"Ref": "Unnamed"}, "<shop/Unnamed>"),
        ({"Fn::GetAtt": ["Key", "Arn"]}, f"arn:aws:kms:{REGION}:{ACCOUNT}:key/<shop/Key>"),
        ({"Fn::GetAtt": ["Key", "KeyId"]}, "<shop/Key>"),
        ({"Fn::GetAtt": ["Group", "GroupId"]}, "<shop/Group>"),
        ({"Ref": "Queue"}, f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/orders"),
        ({"Ref": "Topic"}, f"arn:aws:sns:{REGION}:{ACCOUNT}:news"),
        ({"Ref": "Role"}, "reader"),
        ({"Fn::GetAtt": ["Role", "Arn"]}, f"arn:aws:iam::{ACCOUNT}:role/shop/reader"),
        ({"Fn::GetAtt": ["Logs", "Arn"]}, f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/shop:*"),
        ({"Fn::Join": ["-", ["a", {"Ref": "Stage"}, {"Ref": "AWS::NoValue"}]]}, "a-live"),
        ({"Fn::Sub": ["${x}/${!literal}/${Key}", {"x": {"Ref": "Stage"}}]}, "live/${literal}/<shop/Key>"),
        ({"Fn::Select": [1, {"Fn::Split": [",", "a,b,c"]}]}, "b"),
        ({"Fn::Select": ["5", {"Fn::Split": [":", {"Fn::GetAtt": ["Key", "Arn"]}]}]}, "key/<shop/Key>"),
        ({"Fn::FindInMap": ["Sizes", {"Ref": "Stage"}, "nodes"]}, 3),
        ({"Fn::FindInMap": ["Sizes", "none", "nodes", {"DefaultValue": 7}]}, 7),
        ({"Fn::If": ["IsLive", "yes", "no"]}, "yes"),
        ({"Fn::If": ["Either", 1, 2]}, 1),
        ({"Fn::If": ["Both", 1, 2]}, 2),
        ({"Fn::ImportValue": "shop:bucket"}, f"shop-live-{ACCOUNT}"),
        ({"Fn::Cidr": ["10.0.0.0/16", 2, 8]}, ["10.0.0.0/24", "10.0.1.0/24"]),
        ({"Fn::Base64": "hello"}, "aGVsbG8="),
        ({"Fn::Length": [1, 2]}, 2),
        ({"Fn::ToJsonString": {"a": {"Ref": "Stage"}}}, '{"a":"live"}'),
        ({"a": {"Ref": "AWS::NoValue"}, "b": [{"Ref": "AWS::NoValue"}, 1]}, {"b": [1]}),
        ({"Condition": {"StringEquals": {"a": "b"}}}, {"Condition": {"StringEquals": {"a": "b"}}}),
    ],
)
def test_resolves_as_cloudformation_does(expression: Any, expected: Any) -> None:
    assert value(expression) == expected


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ({"Ref": "Open"}, "parameter Open of shop has no default"),
        ({"Ref": "Image"}, "Systems Manager parameter /images/latest is read at deployment"),
        ({"Ref": "Nobody"}, "neither a resource nor a parameter"),
        ({"Fn::GetAtt": ["Nobody", "Arn"]}, "has no resource Nobody"),
        ({"Fn::ImportValue": "nobody:exports"}, "exports nobody:exports"),
        ({"Fn::ImportValue": "shop:loop"}, "refers to itself"),
        ({"Fn::FindInMap": ["Sizes", "none", "nodes"]}, "no entry none"),
        ({"Fn::If": ["IsOpen", 1, 2]}, "parameter Open"),
        ({"Fn::If": ["Circle", 1, 2]}, "refers to itself"),
        ({"Fn::Select": [3, ["a"]]}, "Fn::Select 3 of 1"),
        ({"Fn::Split": [":", {"Fn::GetAtt": ["Group", "SomeText"]}]}, "whose text only AWS knows"),
        ({"Fn::Transform": {"Name": "AWS::Include"}}, "only known to AWS"),
        ({"Fn::Join": ["", ["bucket-", {"Ref": "Open"}]]}, "no default"),
    ],
)
def test_says_why_it_cannot_resolve(expression: Any, reason: str) -> None:
    found = value(expression)
    assert isinstance(found, Unresolved)
    assert reason in found.reason


def test_keeps_what_is_known_of_an_unresolved_text() -> None:
    found = value({"Fn::Sub": "arn:aws:s3:::logs-${Open}/*"})
    assert isinstance(found, Unresolved)
    assert found.shape == "arn:aws:s3:::logs-<?>/*"


def test_given_parameters_stand_before_defaults() -> None:
    resolver = Resolver(SHOP, parameters={"shop": {"Open": "yes", "Stage": "test"}})
    assert resolver.value({"Fn::If": ["Both", {"Ref": "Stage"}, "no"]}, SHOP["shop"]) == "test"


def test_resources_of_conditions_that_do_not_hold_are_not_there_and_doubtful_ones_are() -> None:
    model = Model(SHOP)
    assert model.node("shop", "OnlyTest") is None
    perhaps = model.node("shop", "Perhaps")
    assert perhaps is not None
    assert "Open" in model.doubtful[perhaps].reason


def test_finds_resources_by_id_name_alias_arn_and_part_of_an_arn() -> None:
    model = Model(SHOP)
    key, bucket = model.node("shop", "Key"), model.node("shop", "Named")
    foreign = model.node("shop", "Foreign")
    assert key is not None
    assert bucket is not None
    for text in ("<shop/Key>", "alias/shop", f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/shop", key.arn):
        assert model.find(text, near=foreign) is key
    for text in (bucket.name, bucket.arn, f"{bucket.arn}/*", f"{bucket.arn}/folder/object"):
        assert model.find(text) is bucket
    assert model.find("arn:aws:s3:::somebody-elses") is None
    assert model.find("arn:aws:s3:::shop-live-1234567890129") is None


def test_knows_who_refers_to_whom_across_stacks_and_by_name() -> None:
    model = Model(SHOP)
    bucket, key = model.node("shop", "Named"), model.node("shop", "Key")
    assert bucket is not None
    assert key is not None
    assert {node.path for node in model.referrers(bucket)} == {"shop/Foreign", "other/Reader"}
    assert {node.path for node in model.referrers(key)} == {"shop/Alias", "shop/Foreign"}


def test_reference_assembly_resolves_wholly(assembly: Assembly) -> None:
    model = Model(assembly)
    assert len(model) == sum(1 for _ in assembly.resources())
    assert {str(item) for node in model for item in unresolved_in(node.properties)} == set()
    assert not model.doubtful


def test_changes_leave_the_original_alone(assembly: Assembly) -> None:
    stack, bucket = next(assembly.resources("AWS::S3::Bucket"))
    weaker = changed(assembly, bucket, "BucketEncryption")
    assert "BucketEncryption" in stack.resources[bucket.logical_id].properties
    assert "BucketEncryption" not in weaker[stack.name].resources[bucket.logical_id].properties
    assert bucket.logical_id not in without(assembly, bucket)[stack.name].resources


@given(st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=4), st.integers())
def test_put_then_read_gives_what_was_put(path: list[str], new: int) -> None:
    found: Any = put({}, tuple(path), new)
    for part in path:
        found = found[part]
    assert found == new


def test_reads_assemblies_that_leave_account_and_region_open(tmp_path: Path) -> None:
    manifest = {
        "artifacts": {
            "Nested": {"type": "cdk:cloud-assembly", "properties": {"directoryName": "nested"}},
            "shop": {
                "type": "aws:cloudformation:stack",
                "environment": "aws://unknown-account/unknown-region",
                "properties": {"templateFile": "shop.json"},
            },
        }
    }
    nested = {"artifacts": {"inner": {**manifest["artifacts"]["shop"], "environment": f"aws://{ACCOUNT}/us-east-1"}}}
    for folder, content in ((tmp_path, manifest), (tmp_path / "nested", nested)):
        folder.mkdir(exist_ok=True)
        (folder / "manifest.json").write_text(json.dumps(content))
        (folder / "shop.json").write_text(json.dumps(TEMPLATE))
    with pytest.raises(AssemblyError, match="fixed account and region"):
        load(tmp_path)
    found = load(tmp_path, elsewhere=("000000000000", "eu-north-1"))
    assert {(stack.name, stack.account, stack.region) for stack in found.stacks} == {
        ("shop", "000000000000", "eu-north-1"),
        ("inner", ACCOUNT, "us-east-1"),
    }
