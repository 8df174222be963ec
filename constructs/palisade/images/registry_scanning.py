"""How the registry of an account and region looks for weaknesses in its images."""

from __future__ import annotations

from aws_cdk import aws_ecr as ecr

from constructs import Construct


class RegistryScanning(Construct):
    """Amazon Inspector looks at every image of every repository when it is pushed and whenever a new weakness is known.

    There is one such configuration in each account and region. Control: images.registry.scanning

    https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-scanning-enhanced.html
    """

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        self.resource = ecr.CfnRegistryScanningConfiguration(
            self,
            "Resource",
            scan_type="ENHANCED",
            rules=[
                ecr.CfnRegistryScanningConfiguration.ScanningRuleProperty(
                    repository_filters=[
                        ecr.CfnRegistryScanningConfiguration.RepositoryFilterProperty(
                            filter="*", filter_type="WILDCARD"
                        )
                    ],
                    scan_frequency="CONTINUOUS_SCAN",
                )
            ],
        )
