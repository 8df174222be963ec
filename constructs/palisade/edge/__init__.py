"""What faces the internet: certificates, web ACLs, load balancer, API and distribution."""

from palisade.edge.api_domain import ApiDomain
from palisade.edge.api_logging import ApiLogging
from palisade.edge.entry_balancer import EntryBalancer
from palisade.edge.hardened_api import ApiFront, HardenedApi
from palisade.edge.origin_secret import ORIGIN_HEADER, OriginSecret, origin_secret_elsewhere
from palisade.edge.rest_api import RestApi
from palisade.edge.served_host import ServedHost
from palisade.edge.shield_protection import ShieldProtection
from palisade.edge.shield_response import ShieldResponse
from palisade.edge.signed_webhook import SignedWebhook
from palisade.edge.signing_secret import SigningSecret
from palisade.edge.site_distribution import Origins, SiteDistribution
from palisade.edge.web_acl import AclScope, WebAcl
from palisade.edge.well_known import WellKnown

__all__ = [
    "ORIGIN_HEADER",
    "AclScope",
    "ApiDomain",
    "ApiFront",
    "ApiLogging",
    "EntryBalancer",
    "HardenedApi",
    "OriginSecret",
    "Origins",
    "RestApi",
    "ServedHost",
    "ShieldProtection",
    "ShieldResponse",
    "SignedWebhook",
    "SigningSecret",
    "SiteDistribution",
    "WebAcl",
    "WellKnown",
    "origin_secret_elsewhere",
]
