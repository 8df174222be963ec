"""What EC2 and AWS's own models may do in every account, declared once and kept by AWS itself."""

from __future__ import annotations

from palisade.organization.guardrail import Content, PolicyType, Statement, deny, guardrail
from palisade.organization.principals import FOUNDER


@guardrail(PolicyType.DECLARATIVE_EC2)
def machines() -> Content:
    """No machine answers metadata requests without a session token, no image or snapshot becomes public, and no machine is
    reached through a serial console.

    Exempt: nobody; accounts cannot change these settings, and their attempts fail with the message below.
    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_declarative_syntax.html
    """
    return {
        "ec2_attributes": {
            "exception_message": _is("The organization declares this setting: docs/guardrails.md, guardrail machines."),
            "image_block_public_access": {"state": _is("block_new_sharing")},
            "instance_metadata_defaults": {
                "http_endpoint": _is("enabled"),
                "http_put_response_hop_limit": _is("1"),
                "http_tokens": _is("required"),
                "http_tokens_enforced": _is("enabled"),
                "instance_metadata_tags": _is("disabled"),
            },
            "serial_console_access": {"status": _is("disabled")},
            "snapshot_block_public_access": {"state": _is("block_all_sharing")},
        }
    }


@guardrail(PolicyType.DECLARATIVE_EC2)
def no_internet() -> Content:
    """No VPC reaches the internet or is reached from it, by whatever gateway: these accounts run nothing that needs it.

    Exempt: nobody. Stages block public access themselves (their network needs exceptions for the subnets of load balancers
    and NAT gateways, which a declared setting would not let them make), and network-defences keeps it so.
    https://docs.aws.amazon.com/vpc/latest/userguide/security-vpc-bpa.html
    """
    return {
        "ec2_attributes": {
            "vpc_block_public_access": {
                "internet_gateway_block": {
                    "exclusions_allowed": _is("disabled"),
                    "mode": _is("block_bidirectional"),
                }
            }
        }
    }


@guardrail(PolicyType.AI_OPT_OUT)
def no_training() -> Content:
    """No AWS service keeps or learns from what is given to it, or stores it in another region for that.

    Exempt: nobody.
    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_ai-opt-out.html
    """
    nobody = {"@@operators_allowed_for_child_policies": ["@@none"]}
    return {"services": {**nobody, "default": {**nobody, "opt_out_policy": {**nobody, **_is("optOut")}}}}


@guardrail(PolicyType.SERVICE_CONTROL)
def suspended() -> list[Statement]:
    """Nothing is done in a suspended account, nor in a new one until the configuration gives it a purpose.

    Exempt: the founding role, to see what is left and to close it.
    https://docs.aws.amazon.com/whitepapers/latest/organizing-your-aws-environment/suspended-ou.html
    """
    return [deny("Suspended", ("*",), unless_arn=(FOUNDER,))]


def _is(value: str) -> Content:
    return {"@@assign": value}
