"""Access requests: who asks for which level of a stage, and who lets them.

The function is called with one of

- ``{"kind": "request", "id": ID}``: somebody asked. What they ask lies under ``request@ID`` among the deeds, in their own
  name, or, asked by chat, in the record ``asked`` of the subject ID, which only the chat's function can write; either is
  ``{"stage", "level", "reason", "address", "minutes", "tenants": [...], "on_call": false}``, by chat also
  ``"by": <name of the user in the directory>``. ID is today's date and ten hexadecimal digits: ``20260302-0123456789``.
- ``{"kind": "approve" | "deny" | "revoke", "id": ID}``: somebody did that deed (``approve@ID``).
- ``{"kind": "consent" | "withdraw", "id": ID, "tenant": TENANT}``: somebody recorded a customer's word
  (``consent@TENANT.ID``: ``{"until": "2026-03-31", "evidence"}``; ``withdraw@TENANT.ID``).
- ``{"kind": "list"}`` and ``{"kind": "show", "id": ID}``.

It answers ``{"id", "outcome", "problems": [...], ...}``; ``outcome`` is ``waiting``, ``approved``, ``denied``, ``refused``,
``revoked``, ``recorded`` or ``withdrawn``, and ``problems`` says everything that stands against it.
"""
