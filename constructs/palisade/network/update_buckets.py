"""Buckets of AWS from which machines get packages and patches."""

from __future__ import annotations

_PATCH_DOCUMENTS = {
    "ap-northeast-1": "4849fa78f",
    "ap-northeast-3": "67373598a",
    "ap-south-1": "cb7c62ff9",
    "ap-south-2": "32f4b4128",
    "ap-southeast-2": "17283a275",
    "ap-southeast-4": "01e2c40d3",
    "ca-central-1": "3148e69e3",
    "ca-west-1": "9e3a4b2f9",
    "eu-central-1": "9163fdaaf",
    "eu-north-1": "795879e9b",
    "eu-south-1": "c52f3f594",
    "eu-south-2": "a4cf248b1",
    "eu-west-1": "5522fb710",
    "eu-west-2": "902a2bc74",
    "eu-west-3": "29bf85721",
    "us-east-1": "1970c647d",
    "us-east-2": "552881074",
    "us-west-1": "8badb4304",
    "us-west-2": "34d7f99f8",
}
_SNAPSHOTS = {"ap-south-2": "50209442", "ap-southeast-4": "dc6f76ce", "eu-south-2": "df2c9d70"}
"""Suffixes that AWS gave its buckets. Written out, because a wildcard would let in a bucket that somebody else names so."""


def update_buckets(region: str) -> tuple[str, ...]:
    """Names of the buckets in ``region`` that package manager, Systems Manager agent and Patch Manager read.

    Raises:
        ValueError: the region's suffix is not written here.

    https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-operations-s3-buckets.html
    https://docs.aws.amazon.com/systems-manager/latest/userguide/ssm-agent-technical-details.html#ssm-agent-minimum-s3-permissions
    https://docs.aws.amazon.com/linux/al2023/ug/using-amazon-linux-repositories.html
    """
    if region not in _PATCH_DOCUMENTS:
        raise ValueError(
            f"constructs/palisade/network/update_buckets.py knows no bucket of Patch Manager in {region}. Add its suffix "
            "from https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-operations-s3-buckets.html."
        )
    snapshots = f"patch-baseline-snapshot-{region}"
    return (
        f"al2023-repos-{region}-de612dc2",
        f"amazon-ssm-{region}",
        f"aws-patch-manager-{region}-{_PATCH_DOCUMENTS[region]}",
        f"aws-ssm-{region}",
        f"{snapshots}-{_SNAPSHOTS[region]}" if region in _SNAPSHOTS else snapshots,
    )
