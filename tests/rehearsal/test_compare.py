"""When a service's answer says what a template says."""

import pytest

from rehearsal.compare import compare


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        ({"BucketName": "a"}, {"bucketName": "a"}),
        ({"Enabled": "true"}, {"Enabled": True}),
        ({"Days": 7}, {"Days": "7"}),
        ({"Count": 0}, {"Count": 0}),
        ({"KmsKeyId": "arn:aws:kms:eu-west-1:1:key/abc"}, {"KmsKeyId": "abc"}),
        ({"Zones": ["b", "a"]}, {"Zones": ["a", "b", "c"]}),
        (
            {"Policy": {"Statement": [{"Effect": "Deny"}]}},
            {"Policy": '{"Statement": [{"Effect": "Deny", "Sid": "x"}]}'},
        ),
        ({"Tags": [{"Key": "a", "Value": "b"}]}, {"Tags": [{"Value": "b", "Key": "a"}, {"Key": "c", "Value": "d"}]}),
        ({"Parameters": {"rds.force_ssl": "1"}}, {"Parameters": {"rds.force_ssl": "1"}}),
    ],
)
def test_accepts_what_differs_only_in_form(expected: dict[str, object], actual: dict[str, object]) -> None:
    difference = compare(expected, actual)
    assert not difference.wrong
    assert not difference.absent


@pytest.mark.parametrize(
    ("expected", "actual", "path"),
    [
        ({"Encrypted": True}, {"Encrypted": False}, "Encrypted"),
        ({"Rules": [{"Port": 443}]}, {"Rules": [{"Port": 80}]}, "Rules.Port"),
        ({"Zones": ["a", "b"]}, {"Zones": ["a"]}, "Zones"),
        ({"Retention": {"Days": 30}}, {"Retention": {"Days": 3}}, "Retention.Days"),
    ],
)
def test_names_the_place_of_a_difference(expected: dict[str, object], actual: dict[str, object], path: str) -> None:
    assert path in compare(expected, actual).wrong


def test_keeps_what_is_not_shown_apart_from_what_is_wrong() -> None:
    difference = compare({"Key": "a", "Name": "b", "Off": False}, {"Name": "b", "Key": ""})
    assert difference.absent == {"Key"}
    assert not difference.wrong
