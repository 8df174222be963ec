"""What faces the internet: certificates, web ACLs, load balancer, API and distribution."""

from palisade.edge.rest_api import ApiFront, RestApi

__all__ = ["ApiFront", "RestApi"]
