"""A REST API that serves nobody its authorizer does not know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import aws_cdk as cdk
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_lambda as lambda_

from constructs import Construct
from palisade.acknowledge import acknowledge, in_packs
from palisade.edge.hardened_api import ApiFront, HardenedApi


class RestApi(HardenedApi):
    """Serves ``https://<host>/<base_path>/...``, each route behind the authorizer, the web ACL and the rate limit.

    Add what it serves with :meth:`route` and callers that must also present an API key with :meth:`add_client`.
    Answers are never cached, nor is what the authorizer said: a revoked token is refused at once. Refusals name no
    internal detail. Requests are validated before a function sees them. The generated ``execute-api`` address is off.

    The authorizer is asked with an event of type REQUEST; it returns ``principalId`` and a context with ``tenant``,
    both of which the access log carries. In a function's event ``resource`` is the route; ``path`` begins with the base
    path.

    Controls: ``edge.api.tls``, ``edge.api.authorizer``, ``edge.api.throttle``, ``edge.api.access-log``, ``edge.api.web-acl``.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-security-policies.html
    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html
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
        authorizer: lambda_.IFunction,
    ) -> None:
        super().__init__(scope, construct_id, name=name, description=description, base_path=base_path, front=front)
        self.authorizer = apigateway.RequestAuthorizer(
            self,
            "Authorizer",
            handler=authorizer,
            identity_sources=[apigateway.IdentitySource.header("Authorization")],
            results_cache_ttl=cdk.Duration.seconds(0),
        )
        self.usage_plan = self.api.add_usage_plan(
            "Clients",
            name=f"{name}-clients",
            description=f"Callers of {name} that present an API key besides their token",
            throttle=apigateway.ThrottleSettings(rate_limit=front.rate_per_second, burst_limit=front.burst),
            api_stages=[apigateway.UsagePlanPerApiStage(api=self.api, stage=self.api.deployment_stage)],
        )
        acknowledge(
            self.api.deployment_stage,
            f"{name}: answers hold one tenant's data and must not be cached; its integrations are Lambda calls that IAM "
            "signs, so no back end could check a client certificate.",
            *in_packs("APIGWCacheEnabledAndEncrypted"),
            *in_packs("APIGWSSLEnabled"),
        )

    def route(
        self,
        method: str,
        path: str,
        function: lambda_.IFunction,
        *,
        body: apigateway.JsonSchema | None = None,
        parameters: Sequence[str] = (),
        api_key: bool = False,
    ) -> apigateway.Method:
        """Let ``function`` answer ``method`` on ``path`` (``/documents/{document}``) for callers the authorizer allows.

        ``body`` is the schema that a JSON request must satisfy; ``parameters`` are query string names that must be there.
        ``api_key`` asks for a client's key besides the token.
        """
        models: Mapping[str, apigateway.IModel] | None = None
        label = "".join(part.strip("{}").capitalize() for part in path.split("/")) or "Root"
        if body is not None:
            model = self.api.add_model(
                f"{method.capitalize()}{label}Body", schema=body, content_type="application/json"
            )
            # "$default" also holds where the caller names another content type, which would otherwise skip the check.
            models = {"application/json": model, "$default": model}
        added = self.api.root.resource_for_path(path).add_method(
            method,
            apigateway.LambdaIntegration(function, allow_test_invoke=False),
            authorizer=self.authorizer,
            authorization_type=apigateway.AuthorizationType.CUSTOM,
            api_key_required=api_key,
            request_validator=self.validator,
            request_models=models,
            request_parameters={f"method.request.querystring.{name}": True for name in parameters} or None,
        )
        acknowledge(
            added,
            f"{method} {path}: the authorizer verifies tokens of any OpenID Connect issuer, Cognito being one of them.",
            "AwsSolutions-COG4",
        )
        return added

    def add_client(self, construct_id: str, *, description: str) -> apigateway.IApiKey:
        """A client of the usage plan. API Gateway invents the key's value, which no template or output ever holds."""
        key = apigateway.ApiKey(self, construct_id, description=description)
        self.usage_plan.add_api_key(key)
        return key
