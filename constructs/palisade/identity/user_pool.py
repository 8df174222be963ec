"""A directory of the product's users: invited or federated, with a second factor, watched by threat protection."""

from __future__ import annotations

from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_wafv2 as waf

from constructs import Construct

ROLES = {"administrator": 10, "editor": 20, "reader": 30}
"""The groups of the pool, which are the roles of its users, each with its precedence: the lowest number wins."""

TENANT_ATTRIBUTE = "custom:tenant"
"""Whose user somebody is. No app client may write it."""

ACCESS_MINUTES = 5
REFRESH_HOURS = 8
"""How long a token is good at all, and after how long a session ends whatever its user does."""

_UNITS = {"access_token": "minutes", "id_token": "minutes", "refresh_token": "hours"}
_EMAIL_CLAIM = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress"
_RISKS = {"low_action": "MFA_REQUIRED", "medium_action": "MFA_REQUIRED", "high_action": "BLOCK"}


@dataclass(frozen=True, kw_only=True)
class Saml:
    """A SAML provider by name, and where it publishes its metadata."""

    name: str
    metadata_url: str


@dataclass(frozen=True, kw_only=True)
class Federation:
    """Other ways in than a password: SAML providers, and Google by its OAuth client and the name of its secret."""

    saml: tuple[Saml, ...]
    google_client_id: str | None
    google_secret: str


@dataclass(frozen=True, kw_only=True)
class SignInPages:
    """``domain_prefix`` begins the host of the sign-in pages; ``app_url`` is where users come back to from there."""

    domain_prefix: str
    app_url: str


class UserPool(Construct):
    """Users by e-mail address, with authenticator codes and strong passwords; nobody signs up uninvited.

    Tokens are signed with RS256, live five minutes and are shaped by ``token_shaper``; refresh tokens rotate, can be
    revoked and end after eight hours. Threat protection enforces: a leaked password and a sign-in of high risk are
    blocked. The one app client is public and uses the authorization code grant, with which its library sends PKCE; no
    implicit grant, no password in an API call. Users come back to ``/signed-in`` and ``/signed-out`` of the application. The
    stack never deletes the pool.

    Controls: ``users.pool.sign-in``, ``users.pool.threats``, ``users.client.flow``, ``users.client.sessions``.

    https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-security-best-practices.html
    https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pool-settings-threat-protection.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        pages: SignInPages,
        key: kms.IKey,
        token_shaper: lambda_.IFunction,
        federation: Federation,
    ) -> None:
        super().__init__(scope, construct_id)
        self.resource = cognito.CfnUserPool(
            self,
            "Resource",
            user_pool_name=name,
            user_pool_tier="PLUS",
            deletion_protection="ACTIVE",
            key_configuration=cognito.CfnUserPool.KeyConfigurationProperty(
                key_type="CUSTOMER_MANAGED_KEY", kms_key_arn=key.key_arn
            ),
            username_attributes=["email"],
            username_configuration=cognito.CfnUserPool.UsernameConfigurationProperty(case_sensitive=False),
            auto_verified_attributes=["email"],
            user_attribute_update_settings=cognito.CfnUserPool.UserAttributeUpdateSettingsProperty(
                attributes_require_verification_before_update=["email"]
            ),
            account_recovery_setting=cognito.CfnUserPool.AccountRecoverySettingProperty(
                recovery_mechanisms=[cognito.CfnUserPool.RecoveryOptionProperty(name="verified_email", priority=1)]
            ),
            schema=[
                cognito.CfnUserPool.SchemaAttributeProperty(
                    name="email", attribute_data_type="String", required=True, mutable=True
                ),
                cognito.CfnUserPool.SchemaAttributeProperty(
                    name=TENANT_ATTRIBUTE.removeprefix("custom:"),
                    attribute_data_type="String",
                    mutable=True,
                    string_attribute_constraints=cognito.CfnUserPool.StringAttributeConstraintsProperty(
                        min_length="1", max_length="63"
                    ),
                ),
            ],
            admin_create_user_config=cognito.CfnUserPool.AdminCreateUserConfigProperty(
                allow_admin_create_user_only=True
            ),
            mfa_configuration="ON",
            enabled_mfas=["SOFTWARE_TOKEN_MFA"],
            policies=cognito.CfnUserPool.PoliciesProperty(
                password_policy=cognito.CfnUserPool.PasswordPolicyProperty(
                    minimum_length=14,
                    require_lowercase=True,
                    require_uppercase=True,
                    require_numbers=True,
                    require_symbols=True,
                    password_history_size=24,
                    temporary_password_validity_days=1,
                )
            ),
            user_pool_add_ons=cognito.CfnUserPool.UserPoolAddOnsProperty(
                advanced_security_mode="ENFORCED",
                advanced_security_additional_flows=cognito.CfnUserPool.AdvancedSecurityAdditionalFlowsProperty(
                    custom_auth_mode="ENFORCED"
                ),
            ),
            lambda_config=cognito.CfnUserPool.LambdaConfigProperty(
                pre_token_generation_config=cognito.CfnUserPool.PreTokenGenerationConfigProperty(
                    lambda_arn=token_shaper.function_arn, lambda_version="V2_0"
                )
            ),
        )
        self.resource.apply_removal_policy(cdk.RemovalPolicy.RETAIN)
        self.id = self.resource.ref
        self.arn = self.resource.attr_arn
        self.issuer_url = f"https://cognito-idp.{cdk.Stack.of(self).region}.amazonaws.com/{self.id}"
        lambda_.CfnPermission(
            self,
            "ShapesTokens",
            action="lambda:InvokeFunction",
            function_name=token_shaper.function_arn,
            principal="cognito-idp.amazonaws.com",
            source_arn=self.arn,
            source_account=cdk.Stack.of(self).account,
        )
        for role, precedence in ROLES.items():
            cognito.CfnUserPoolGroup(
                self, role.capitalize(), user_pool_id=self.id, group_name=role, precedence=precedence
            )
        self.client = self._client(pages.app_url, self._providers(federation))
        self._block_risks()
        self._serve(pages.domain_prefix)

    @property
    def client_id(self) -> str:
        """The app client's id, which access tokens carry in ``client_id``."""
        return self.client.ref

    def stand_behind(self, web_acl_arn: str) -> None:
        """Let a regional web ACL look at requests to the sign-in pages and to the API that needs no credentials.

        https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-waf.html
        """
        waf.CfnWebACLAssociation(self, "Guard", resource_arn=self.arn, web_acl_arn=web_acl_arn)

    def _providers(self, federation: Federation) -> list[cognito.CfnUserPoolIdentityProvider]:
        providers = [
            cognito.CfnUserPoolIdentityProvider(
                self,
                f"Saml{number}",
                user_pool_id=self.id,
                provider_name=saml.name,
                provider_type="SAML",
                provider_details={
                    "MetadataURL": saml.metadata_url,
                    "IDPSignout": "true",
                    "RequestSigningAlgorithm": "rsa-sha256",
                },
                attribute_mapping={"email": _EMAIL_CLAIM},
            )
            for number, saml in enumerate(federation.saml, start=1)
        ]
        if federation.google_client_id is not None:
            providers.append(
                cognito.CfnUserPoolIdentityProvider(
                    self,
                    "Google",
                    user_pool_id=self.id,
                    provider_name="Google",
                    provider_type="Google",
                    provider_details={
                        "client_id": federation.google_client_id,
                        # CloudFormation resolves the reference while it deploys; no template holds the secret.
                        "client_secret": cdk.SecretValue.secrets_manager(federation.google_secret).unsafe_unwrap(),
                        "authorize_scopes": "openid email",
                    },
                    attribute_mapping={"email": "email", "username": "sub"},
                )
            )
        return providers

    def _client(self, app_url: str, providers: list[cognito.CfnUserPoolIdentityProvider]) -> cognito.CfnUserPoolClient:
        client = cognito.CfnUserPoolClient(
            self,
            "App",
            user_pool_id=self.id,
            client_name="app",
            generate_secret=False,
            supported_identity_providers=["COGNITO", *(provider.provider_name for provider in providers)],
            allowed_o_auth_flows_user_pool_client=True,
            allowed_o_auth_flows=["code"],
            allowed_o_auth_scopes=["openid", "email"],
            callback_ur_ls=[f"{app_url}/signed-in"],
            logout_ur_ls=[f"{app_url}/signed-out"],
            explicit_auth_flows=["ALLOW_USER_SRP_AUTH"],
            prevent_user_existence_errors="ENABLED",
            enable_token_revocation=True,
            token_validity_units=cognito.CfnUserPoolClient.TokenValidityUnitsProperty(**_UNITS),
            access_token_validity=ACCESS_MINUTES,
            id_token_validity=ACCESS_MINUTES,
            refresh_token_validity=REFRESH_HOURS,
            refresh_token_rotation=cognito.CfnUserPoolClient.RefreshTokenRotationProperty(
                # A browser that lost the answer may ask once more; later, the old token is worth nothing.
                feature="ENABLED",
                retry_grace_period_seconds=10,
            ),
            auth_session_validity=3,
            read_attributes=["email", "email_verified"],
            # Federation writes what it maps in the app's name; the tenant is none of it.
            write_attributes=["email"],
        )
        for provider in providers:
            client.add_resource_dependency(provider)
        return client

    def _block_risks(self) -> None:
        def action(event: str) -> cognito.CfnUserPoolRiskConfigurationAttachment.AccountTakeoverActionTypeProperty:
            return cognito.CfnUserPoolRiskConfigurationAttachment.AccountTakeoverActionTypeProperty(
                event_action=event, notify=False
            )

        cognito.CfnUserPoolRiskConfigurationAttachment(
            self,
            "Risks",
            user_pool_id=self.id,
            client_id="ALL",
            compromised_credentials_risk_configuration=cognito.CfnUserPoolRiskConfigurationAttachment.CompromisedCredentialsRiskConfigurationTypeProperty(
                actions=cognito.CfnUserPoolRiskConfigurationAttachment.CompromisedCredentialsActionsTypeProperty(
                    event_action="BLOCK"
                ),
                event_filter=["SIGN_IN", "PASSWORD_CHANGE", "SIGN_UP"],
            ),
            account_takeover_risk_configuration=cognito.CfnUserPoolRiskConfigurationAttachment.AccountTakeoverRiskConfigurationTypeProperty(
                actions=cognito.CfnUserPoolRiskConfigurationAttachment.AccountTakeoverActionsTypeProperty(
                    **{name: action(event) for name, event in _RISKS.items()}
                )
            ),
        )

    def _serve(self, prefix: str) -> None:
        domain = cognito.CfnUserPoolDomain(self, "Domain", user_pool_id=self.id, domain=prefix, managed_login_version=2)
        pages = cognito.CfnManagedLoginBranding(
            self, "Pages", user_pool_id=self.id, client_id=self.client_id, use_cognito_provided_values=True
        )
        pages.add_resource_dependency(domain)
