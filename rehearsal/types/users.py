"""Cognito: providers that the user pool's service keeps, and what no service behind the embedded AWS knows."""

from __future__ import annotations

from rehearsal.emulator.spec import made_up, spec

spec(
    "AWS::Cognito::UserPoolIdentityProvider",
    "cognito-idp",
    "create_identity_provider",
    "IdentityProvider.ProviderName",
    update="update_identity_provider",
    update_with=lambda i, p, _a: {"UserPoolId": p["UserPoolId"], "ProviderName": i},
    delete="delete_identity_provider",
    delete_with=lambda i, p, _a: {"UserPoolId": p["UserPoolId"], "ProviderName": i},
)
spec(
    "AWS::Cognito::UserPoolRiskConfigurationAttachment",
    "cognito-idp",
    "set_risk_configuration",
    made_up("risk-"),
    recorded=True,
    update="create",
)
spec(
    "AWS::Cognito::ManagedLoginBranding",
    "cognito-idp",
    "create_managed_login_branding",
    made_up("pages-"),
    recorded=True,
)
spec(
    "AWS::Cognito::LogDeliveryConfiguration",
    "cognito-idp",
    "set_log_delivery_configuration",
    made_up("log-"),
    recorded=True,
    update="create",
)
