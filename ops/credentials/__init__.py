"""Gets credentials that end by themselves: 24 hours for an IAM user's MFA code, or a role by IAM Identity Center.

usage: ./palisade credentials mfa [--profile NAME] [--device SERIAL] [--hours 1..36] [--code-stdin] [OUTPUT]
       ./palisade credentials sign-in --account OWNER|ID --role NAME [--start-url URL] [--no-browser] [OUTPUT]

OUTPUT is --process (JSON for "credential_process" in ~/.aws/config; the default unless standard output is a terminal),
--export SHELL (bash, fish or powershell, to be evaluated) or --write-profile NAME (into the credentials file, in clear, for
tools that read nothing else). Nothing is kept: without an operating system's keyring there is no place for a secret that is
not in clear, so each call of "mfa" asks for a new code. "sign-in" uses the sign-in that "aws sso login" left, if it still holds.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from ops.credentials.mfa import LONGEST_HOURS, USUAL_HOURS, by_mfa
from ops.credentials.sign_in import by_sign_in
from ops.credentials.ways_out import SHELLS, Credentials, exported, processed, write_profile
from ops.places import OpsError


def main(arguments: list[str] | None = None) -> int:
    """Print or write what was asked for and return the exit status; an error says what to do and prints no secret."""
    options = _parser().parse_args(arguments)
    try:
        if not (options.process or options.export or options.write_profile) and sys.stdout.isatty():
            raise OpsError(
                "standard output is a terminal, where the secret would stay readable. Evaluate it, "
                'eval "$(./palisade credentials ... --export bash)", or name an output; --help lists them.'
            )
        _give(by_mfa(options) if options.what == "mfa" else by_sign_in(options), options)
    except OpsError as error:
        print(f"credentials: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ncredentials: stopped; nothing was written", file=sys.stderr)
        return 130
    return 0


def _give(credentials: Credentials, options: argparse.Namespace) -> None:
    if options.write_profile:
        path = Path(os.environ.get("AWS_SHARED_CREDENTIALS_FILE") or "~/.aws/credentials").expanduser()
        write_profile(path, options.write_profile, credentials)
        print(
            f"credentials: profile {options.write_profile} is in {path}, readable until {credentials.until}",
            file=sys.stderr,
        )
    elif options.export:
        print(exported(credentials, options.export))
    else:
        print(processed(credentials))


def _parser() -> argparse.ArgumentParser:
    assert __doc__
    head, _, tail = __doc__.split("\n\n")
    parser = argparse.ArgumentParser(prog="palisade credentials", description=head, epilog=tail)
    commands = parser.add_subparsers(dest="what", required=True, metavar="mfa | sign-in")

    mfa = commands.add_parser("mfa", help="a session of an IAM user by MFA code", description="A session by MFA code.")
    mfa.add_argument("--profile", help="the profile with the user's access key (default: as the AWS CLI finds it)")
    mfa.add_argument(
        "--device", default="", help="serial number or ARN of the MFA device (default: the user's only one)"
    )
    mfa.add_argument("--hours", type=int, default=USUAL_HOURS, help=f"1 to {LONGEST_HOURS} (default: {USUAL_HOURS})")
    mfa.add_argument("--code-stdin", action="store_true", help="read the code from standard input instead of asking")

    sign_in = commands.add_parser("sign-in", help="a role by Identity Center", description="A role by Identity Center.")
    sign_in.add_argument("--account", required=True, help="a stage, an account role, or an account id")
    sign_in.add_argument("--role", required=True, help="the permission set, or its job (read-only)")
    sign_in.add_argument("--start-url", default="", help="the access portal (default: that of config/)")
    sign_in.add_argument("--deployment", default="reference", help="config/<name>.py (default: reference)")
    sign_in.add_argument("--no-browser", action="store_true", help="print the address instead of opening it")

    for command in (mfa, sign_in):
        output = command.add_mutually_exclusive_group()
        output.add_argument("--process", action="store_true", help="print JSON for credential_process")
        output.add_argument("--export", choices=SHELLS, nargs="?", const="bash", help="print commands (default: bash)")
        output.add_argument(
            "--write-profile", metavar="NAME", default="", help="write it in clear into the credentials file"
        )
    return parser
