"""Accounts: what holds in every account and region, whatever runs there."""

from __future__ import annotations

from collections.abc import Iterator

from assembly import Resource
from gate.control import control
from gate.world import World, as_list, at, truthy

SETTINGS = "Custom::ApplyAccountSettings"
DRIFT = "Palisade/Drift"
"""Where drift is counted."""
_KINDS = ("RequireLowercaseCharacters", "RequireNumbers", "RequireSymbols", "RequireUppercaseCharacters")


@control("account.passwords.strong", SETTINGS, "AWS::IAM::AccountPasswordPolicy")
def passwords(settings: Resource, _world: World) -> Iterator[str]:
    """Passwords, should anybody make a user, are long, of every kind of character, and never reused.

    Fix: require at least 14 characters and all four kinds, remember 24, and let none live longer than 90 days.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_passwords_account-policy.html
    """
    policy = at(settings.properties, "PasswordPolicy", default=settings.properties)
    if int(at(policy, "MinimumPasswordLength", default=0)) < 14:
        yield "short passwords pass"
    if int(at(policy, "PasswordReusePrevention", default=0)) < 24:
        yield "old passwords pass again"
    if not 0 < int(at(policy, "MaxPasswordAge", default=0)) <= 90:
        yield "passwords live longer than 90 days"
    for kind in _KINDS:
        if not truthy(at(policy, kind)):
            yield f"{kind} is not true"


@control("account.contacts.present", SETTINGS)
def contacts(settings: Resource, _world: World) -> Iterator[str]:
    """AWS can reach somebody about security, operations and bills of every account.

    Fix: fill in the contacts of the deployment.
    https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-update-contact-alternate.html
    """
    for kind in ("SECURITY", "OPERATIONS", "BILLING"):
        if "@" not in str(at(settings.properties, "Contacts", kind, default="")):
            yield f"there is no mailbox for {kind}"
    if not at(settings.properties, "Contacts", "PHONE"):
        yield "there is no telephone number, and AWS takes no contact without one"


@control("account.volumes.encrypted", SETTINGS)
def volumes(settings: Resource, world: World) -> Iterator[str]:
    """In every region, volumes for which nobody names a key are encrypted with one of this account.

    Fix: give each region in Regions the alias of a customer-managed key that is made there.
    https://docs.aws.amazon.com/ebs/latest/userguide/encryption-by-default.html
    """
    account = world.stack(settings).account
    regions = {str(at(item, "Region")): item for item in as_list(settings.properties.get("Regions"))}
    for region in sorted(_regions(world) - set(regions)):
        yield f"nothing is set in {region}"
    for region, item in regions.items():
        key = world.target(at(item, "VolumeKey"), settings)
        if key is None or key.type != "AWS::KMS::Key":
            yield f"{region}: {world.text(at(item, 'VolumeKey', default='nothing'), settings)} is no key of this deployment"
        elif (world.stack(key).account, world.stack(key).region) != (account, region):
            yield f"{region}: its key {key.path} is elsewhere"


@control("account.network.cut-off", SETTINGS)
def no_internet(settings: Resource, world: World) -> Iterator[str]:
    """No VPC reaches or is reached from the internet in a region without a network of this deployment.

    Fix: set BlockInternet of the region, or add the network's own block.
    https://docs.aws.amazon.com/vpc/latest/userguide/security-vpc-bpa.html
    """
    own = {world.stack(one).region for one in world.of_type("AWS::EC2::VPCBlockPublicAccessOptions", near=settings)}
    for item in as_list(settings.properties.get("Regions")):
        if not truthy(at(item, "BlockInternet")) and at(item, "Region") not in own:
            yield f"{at(item, 'Region')}: networks that somebody makes there are open to the internet"


@control("account.documents.private", "AWS::SSM::ServiceSetting")
def documents(setting: Resource, world: World) -> Iterator[str]:
    """Documents of Systems Manager cannot be published, and its account is set up and recorded like every other.

    Fix: set public-sharing-permission to Disable; add the account's settings and a recorder in each region.
    https://docs.aws.amazon.com/systems-manager/latest/userguide/documents-ssm-sharing.html
    """
    properties = setting.properties
    if "public-sharing" in str(properties.get("SettingId")) and properties.get("SettingValue") != "Disable":
        yield "documents can be shared with everybody"
    if not any(True for _ in world.of_type(SETTINGS, near=setting)):
        yield "nothing sets what belongs to its whole account"
    if not any(True for _ in world.of_type("AWS::Config::ConfigurationRecorder", near=setting, same_region=True)):
        yield "nothing records the configuration of its account and region"


@control("account.settings.everywhere", SETTINGS)
def everywhere(settings: Resource, world: World) -> Iterator[str]:
    """Each region of a deployment keeps documents private and records configuration, in every account that is set up.

    Fix: make the stacks of an account for every region of the deployment.
    https://docs.aws.amazon.com/config/latest/developerguide/gs-cfn.html
    """
    for wanted in ("AWS::SSM::ServiceSetting", "AWS::Config::ConfigurationRecorder", "AWS::Config::DeliveryChannel"):
        found = {world.stack(one).region for one in world.of_type(wanted, near=settings)}
        for region in sorted(_regions(world) - found):
            yield f"its account has no {wanted} in {region}"


@control("account.drift.noticed", SETTINGS)
def drift(settings: Resource, world: World) -> Iterator[str]:
    """In every account a function compares the stacks of each region with their templates on a schedule, and somebody is
    told of a difference, and of silence.

    Fix: give the account's stack a DriftDetection, enabled, whose alarm takes missing data as breaching.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-drift.html
    """
    alarms = [one for one in world.of_type("AWS::CloudWatch::Alarm", near=settings) if DRIFT in str(one.properties)]
    if not any(one.properties.get("AlarmActions") for one in alarms):
        yield "nobody is told of drift"
    if any(one.properties.get("TreatMissingData") != "breaching" for one in alarms):
        yield "that nothing compares stacks any more would go unnoticed"
    functions = [
        one
        for one in world.of_type("AWS::Lambda::Function", near=settings)
        if at(one.properties, "Environment", "Variables", "NAMESPACE") == DRIFT
    ]
    seen = {
        region
        for one in functions
        for region in str(at(one.properties, "Environment", "Variables", "REGIONS")).split(",")
        if any(
            rule.properties.get("ScheduleExpression") and str(rule.properties.get("State", "ENABLED")) != "DISABLED"
            for rule in world.of_type("AWS::Events::Rule", near=settings)
            if any(world.target(at(item, "Arn"), rule) == one for item in as_list(rule.properties.get("Targets")))
        )
    }
    for region in sorted(_regions(world) - seen):
        yield f"nothing compares the stacks in {region} with their templates"


def _regions(world: World) -> set[str]:
    """Regions that some account's settings reach."""
    return {
        str(at(item, "Region"))
        for settings in world.of_type(SETTINGS)
        for item in as_list(settings.properties.get("Regions"))
    }
