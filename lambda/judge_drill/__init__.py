"""Break-glass drills: judges what was tried and who heard of it, keeps the outcome, and reminds of the next one.

Called with ``{"kind": "drill", "id"}`` after somebody wrote what they tried, ``{"kind": "witness", "id"}`` after another wrote
what they were told, ``{"kind": "list"}`` by people, and ``{"kind": "remind"}`` by the clock.
"""
