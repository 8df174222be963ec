"""The resource that fails is one that many others come before."""

from rehearsal.faults import last

TEMPLATE = {
    "Key": {"Type": "AWS::KMS::Key", "Properties": {}},
    "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"Key": {"Fn::GetAtt": ["Key", "Arn"]}}},
    "Policy": {"Type": "AWS::S3::BucketPolicy", "Properties": {"Bucket": {"Ref": "Bucket"}}},
    "Done": {"Type": "Custom::Done", "Properties": {}, "DependsOn": ["Policy"]},
    "Alone": {"Type": "AWS::SNS::Topic", "Properties": {"Name": {"Fn::Sub": "topic-${AWS::Region}"}}},
}


def test_chooses_the_end_of_the_longest_chain() -> None:
    assert last(TEMPLATE, {"Key", "Bucket", "Policy", "Alone"}) == "Policy"


def test_leaves_custom_resources_to_their_functions() -> None:
    assert last(TEMPLATE, set(TEMPLATE)) == "Policy"


def test_chooses_among_what_changed() -> None:
    assert last(TEMPLATE, {"Key", "Alone"}) in {"Key", "Alone"}
