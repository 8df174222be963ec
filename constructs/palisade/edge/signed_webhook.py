"""A door for one outside service that signs what it sends."""

from __future__ import annotations

from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_lambda as lambda_

from constructs import Construct
from palisade.acknowledge import acknowledge, in_packs
from palisade.edge.hardened_api import ApiFront, HardenedApi


class SignedWebhook(HardenedApi):
    """Hands ``POST https://<host>/<base_path>/<path>`` to ``function`` if it carries ``headers``, and nothing else to anybody.

    Who calls is proved by a signature over the body, which API Gateway shows to no authorizer: ``function`` checks it
    before it does anything, and its answer goes to whoever called.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-input.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        description: str,
        base_path: str,
        front: ApiFront,
    ) -> None:
        super().__init__(scope, construct_id, name=name, description=description, base_path=base_path, front=front)
        acknowledge(
            self.api.deployment_stage,
            f"{name}: nothing that is sent to it is ever read from it again, so a cache could hold nothing; its only "
            "integration is a call that IAM signs.",
            *in_packs("APIGWCacheEnabledAndEncrypted"),
            *in_packs("APIGWSSLEnabled"),
        )

    def receive(self, path: str, function: lambda_.IFunction, *, headers: tuple[str, ...]) -> apigateway.Method:
        """Let ``function`` judge and answer what is posted to ``path``; without ``headers`` it is not even asked."""
        method = self.api.root.add_resource(path).add_method(
            "POST",
            apigateway.LambdaIntegration(function, allow_test_invoke=False),
            authorization_type=apigateway.AuthorizationType.NONE,
            request_validator=self.validator,
            request_parameters={f"method.request.header.{header}": True for header in headers},
        )
        acknowledge(
            method,
            f"{path}: the sender signs the body, which no authorizer is shown; the function behind it checks the signature.",
            "AwsSolutions-APIG4",
            "AwsSolutions-COG4",
        )
        return method
