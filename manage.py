#!/usr/bin/env python3
"""Portreeve's command line."""

import os
import sys


def main() -> None:
    """Run one management command; a bad environment is one sentence, not a traceback."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    from django.core.management import execute_from_command_line

    from portal import env

    try:
        if "setup" in sys.argv[1:2]:
            env.write_first_secrets()
        execute_from_command_line(sys.argv)
    except env.BadEnvironmentError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
