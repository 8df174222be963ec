"""Container images of the product, in the deployment account."""

from __future__ import annotations

from palisade.images import ImageRepository, RegistryScanning
from palisade.keys import CustomerKey
from palisade.network import Perimeter

from constructs import Construct
from stacks.base import PalisadeStack
from stacks.settings import Deployment


class Images(PalisadeStack):
    """One repository, under its own key, from which every stage pulls the same image; it stays in the home region."""

    def __init__(self, scope: Construct, *, deployment: Deployment) -> None:
        super().__init__(
            scope,
            deployment=deployment,
            owner="deployment",
            subject="images",
            account=deployment.accounts.deployment,
            stateful=True,
        )
        organization = deployment.organization
        perimeter = Perimeter(
            organization_id=None if organization is None else organization.id, accounts=deployment.account_ids
        )
        key = CustomerKey(
            self,
            "Key",
            alias=self.names.key_alias("images"),
            description="deployment: container images",
            used_through=["ecr"],
        )
        ImageRepository(
            self,
            "Application",
            name=self.names.image_repository,
            key=key.key,
            pulled_by=[stage.account for stage in deployment.stages],
            perimeter=perimeter.principals,
            scanning=RegistryScanning(self, "Scanning"),
        )
