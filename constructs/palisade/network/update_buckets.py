"""Where machines get their updates from."""

from __future__ import annotations


def update_buckets(region: str) -> tuple[str, ...]:
    """Buckets of AWS that Systems Manager's agent and the package manager read.

    https://docs.aws.amazon.com/systems-manager/latest/userguide/ssm-agent-technical-details.html#ssm-agent-minimum-s3-permissions
    https://docs.aws.amazon.com/linux/al2023/ug/managing-repos-os-updates.html
    """
    return (
        f"al2023-repos-{region}-de612dc2",
        f"amazon-ssm-{region}",
        f"aws-patch-manager-{region}-*",
        f"aws-ssm-{region}",
        f"patch-baseline-snapshot-{region}",
    )
