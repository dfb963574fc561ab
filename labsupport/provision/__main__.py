"""`python -m labsupport.provision`: fetch everything that is missing, or say in a sentence what is wrong."""

from __future__ import annotations

import sys

from labsupport.core.errors import LabError
from labsupport.provision.background import train_in_background
from labsupport.provision.everything import fetch_all
from labsupport.provision.kafka import KAFKA_VERSIONS


def main() -> int:
    """The exit code: 0, 1 for an error that the user can mend, 130 for Ctrl-C.

    Then trains the start-up caches in the background, so that they are ready when the reader is; not with
    `--no-training`.
    """
    try:
        fetch_all(progress=True)
        if "--no-training" not in sys.argv:
            for version in KAFKA_VERSIONS:
                train_in_background(version)
    except LabError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped. What has been fetched is kept; the same command goes on from there.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
