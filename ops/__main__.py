"""The day-to-day commands behind one name: ``./palisade COMMAND ...``."""

from __future__ import annotations

import importlib
import sys

COMMANDS = {
    "access": "ask for a level of a live stage for a while, and decide about what others ask",
    "break-glass": "drill the way into a stage when nobody can sign in as usual",
    "contain": "quarantine, revoke, disable, block or isolate in an incident, and undo it",
    "credentials": "get temporary credentials: by MFA code, or by Identity Center",
    "debug-export": "export pseudonymised data of a tenant for some hours, once another person approves",
    "drill": "try the handling of incidents end to end, and time it against the promises",
    "incident": "list and show incidents, acknowledge, assign, note, resolve, close and report them",
    "kubeconfig": "let kubectl sign in to a cluster with temporary credentials",
    "ledger": "verify and read the record of changes, and approve one",
    "oncall": "show who is on call, and who follows",
    "review": "read access reviews and sign them",
    "tenant": "end a tenant's contract, hold or delete its data, print the certificate",
    "vault": "keep, rotate and seal anew credentials of third parties",
}
"""Each is a module ``ops.<name>`` with ``main(arguments) -> exit status``."""


def main(arguments: list[str]) -> int:
    """Run one command and return its exit status; without one, list them."""
    if not arguments or arguments[0] in {"-h", "--help"}:
        print("usage: ./palisade COMMAND ...\n")
        for name, summary in COMMANDS.items():
            print(f"  {name:<12} {summary}")
        print('\n"./palisade COMMAND --help" says more. Building, checking and deploying: "make help".')
        return 0
    name, *rest = arguments
    if name not in COMMANDS:
        print(f"palisade: there is no command {name!r}. Choose one of {', '.join(COMMANDS)}.", file=sys.stderr)
        return 2
    status: int = importlib.import_module(f"ops.{name.replace('-', '_')}").main(rest)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
