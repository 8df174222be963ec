"""ECR: what looks at images."""

from __future__ import annotations

from rehearsal.emulator.spec import spec

spec(
    "AWS::ECR::RegistryScanningConfiguration",
    "ecr",
    "put_registry_scanning_configuration",
    lambda _p, _r, c: c.account,
    recorded=True,
    update="create",
)
