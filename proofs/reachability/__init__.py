"""Who can reach whom, as exact sets of addresses and ports.

reach = Reachability(Model(load("cdk.out")))
(database,) = reach.named("sandbox-data/Database/Resource/Resource")
for flow in reach.reaching(database):
    print(flow)
"""

from proofs.reachability.network import ICMP, PROTOCOLS, TCP, UDP, Network
from proofs.reachability.places import THE_INTERNET, Place
from proofs.reachability.reach import Flow, Reachability
from proofs.reachability.sets import ANYWHERE, INTERNET, NOTHING, PORTS, Boxes, Ranges, address, block, ports

__all__ = [
    "ANYWHERE",
    "ICMP",
    "INTERNET",
    "NOTHING",
    "PORTS",
    "PROTOCOLS",
    "TCP",
    "THE_INTERNET",
    "UDP",
    "Boxes",
    "Flow",
    "Network",
    "Place",
    "Ranges",
    "Reachability",
    "address",
    "block",
    "ports",
]
