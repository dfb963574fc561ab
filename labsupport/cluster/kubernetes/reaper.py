"""Removes the namespace of a cluster, and with it all that it has in Kubernetes; returns when it is gone.

    python -m labsupport.cluster.kubernetes.reaper NAMESPACE OWNER

The supervisor runs it at its end, the janitor when the supervisor was killed, the next start's sweep when both were.
A namespace of another owner is left alone: it only has the same name.
"""

from __future__ import annotations

import sys
import time

from labsupport.cluster.kubernetes.access import find_access
from labsupport.cluster.kubernetes.api import Api, ApiError, path_of
from labsupport.cluster.kubernetes.names import OWNER
from labsupport.core.errors import LabError

GONE_WITHIN_S = 240
NOBODY_ANSWERS_S = 60
PAUSE_S = 0.5
GRACE_S = 1


def remove(api: Api, namespace: str, owner: str) -> bool:
    """Delete a namespace if it is this owner's; True when it is gone, or is somebody else's."""
    began_s = time.monotonic()
    last_s = began_s
    while time.monotonic() - began_s < GONE_WITHIN_S and time.monotonic() - last_s < NOBODY_ANSWERS_S:
        try:
            found = api.find("Namespace", namespace)
            if found is None or found["metadata"].get("annotations", {}).get(OWNER) != owner:
                return True
            if "deletionTimestamp" not in found["metadata"]:
                api.delete("Namespace", namespace)
            hurry(api, namespace)
            last_s = time.monotonic()
        except ApiError as error:
            print(error, file=sys.stderr, flush=True)
            if error.status == 403:
                return False
        time.sleep(PAUSE_S)
    return False


def hurry(api: Api, namespace: str) -> None:
    """The data go, too, so nobody needs time for a controlled shutdown; and all at once would wait for each other."""
    api.request(
        "DELETE", path_of("Pod", namespace), query={"gracePeriodSeconds": GRACE_S}, body={"gracePeriodSeconds": GRACE_S}
    )


def main(arguments: list[str]) -> int:
    namespace, owner = arguments
    try:
        return 0 if remove(Api(find_access()), namespace, owner) else 1
    except LabError as error:
        print(error, file=sys.stderr, flush=True)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
