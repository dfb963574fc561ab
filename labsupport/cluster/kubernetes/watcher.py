"""Started by the supervisor and kept alive by it: tells it how the pods of its cluster are, and what happens to them.

    python -m labsupport.cluster.kubernetes.watcher --name NAME --folder FOLDER --namespace NAMESPACE --nodes NAME …

It is the only one that does. Each kind of object is listed and then watched, and listed anew every half minute and
after whatever breaks a watch, so an event that was missed is made up for. It has the port-forward to a node started
when its pod runs, and started again when another pod has taken its place, or when it has lost its connection.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from labsupport.cluster.kubernetes.access import find_access
from labsupport.cluster.kubernetes.api import Api, ApiError, ExecError, Object, path_of
from labsupport.cluster.kubernetes.forwards import Forwards
from labsupport.cluster.kubernetes.names import CONTAINER, MOUNT, NEWS, forward_of
from labsupport.cluster.kubernetes.news import Memory, News, of_event
from labsupport.cluster.kubernetes.pods import Seen, has_ended, is_frozen, seen, status_of
from labsupport.cluster.supervised import Supervised
from labsupport.core.errors import LabError, NotRunning

RELIST_S = 30
BROKEN_S = 1.0
UNSURE_S, MEND_S = 0.5, 1.0
MOST_EVENTS_KNOWN = 5_000


class Watcher:
    """Reports one cluster."""

    def __init__(self, supervised: Supervised, api: Api, namespace: str, nodes: Sequence[str]) -> None:
        self._supervised, self._api, self._namespace, self._nodes = supervised, api, namespace, tuple(nodes)
        self._lock = threading.Lock()
        self._memory = Memory()
        self._reported: dict[str, Seen] = {}
        self._uids: dict[str, str] = {}
        self._events: dict[str, None] = {}
        self._confirmed: dict[str, str] = {}  # by node, the life of which a process was seen
        self._ended: dict[str, str] = {}  # by node, the last of those lives that is over
        self._unsure: set[str] = set()
        self._over = threading.Event()

    def run(self) -> None:
        """Until the supervisor is gone."""
        for kind, namespace, take in (
            ("Pod", self._namespace, self._take_pod),
            ("Event", self._namespace, self._take_event),
            ("PersistentVolumeClaim", self._namespace, self._take_claim),
            ("Node", "", self._take_node),
        ):
            threading.Thread(target=self._follow, args=(kind, namespace, take), daemon=True).start()
        threading.Thread(target=self._look_again, daemon=True).start()
        threading.Thread(target=self._mend_forwards, daemon=True).start()
        self._over.wait()

    # -- following

    def _follow(self, kind: str, namespace: str, take: Callable[[str, Object | None], None]) -> None:
        known: set[str] = set()
        while not self._over.is_set():
            try:
                listed = self._api.request("GET", path_of(kind, namespace))
                names = {item["metadata"]["name"] for item in listed["items"]}
                for name in known - names:
                    self._quietly(take, name, None)
                known = names
                for item in listed["items"]:
                    self._quietly(take, item["metadata"]["name"], item)
                since = listed["metadata"]["resourceVersion"]
                for what, item in self._api.watch(kind, namespace, since, timeout_s=RELIST_S):
                    name = item["metadata"]["name"]
                    (known.discard if what == "DELETED" else known.add)(name)
                    self._quietly(take, name, None if what == "DELETED" else item)
            except ApiError as error:
                print(f"{kind}: {error}", file=sys.stderr, flush=True)
                if error.status == 403:  # such as nodes, for who may only use a namespace
                    return
                self._over.wait(BROKEN_S)

    def _quietly(self, take: Callable[[str, Object | None], None], name: str, item: Object | None) -> None:
        try:
            with self._lock:
                take(name, item)
        except NotRunning:
            self._over.set()
        except LabError as error:
            print(f"{name}: {error}", file=sys.stderr, flush=True)

    # -- pods

    def _take_pod(self, name: str, pod: Object | None) -> None:
        if name not in self._nodes:
            return
        if pod is not None:
            self._tell(*self._memory.restarts(pod))
        self._report(name, pod)
        self._forward(name, pod)

    def _look_again(self) -> None:
        while not self._over.wait(UNSURE_S):
            for name in tuple(self._unsure):
                with suppress(ApiError):
                    self._quietly(self._take_pod_now, name, None)

    def _take_pod_now(self, name: str, _: Object | None) -> None:
        self._take_pod(name, self._api.find("Pod", name, self._namespace))

    def _report(self, name: str, pod: Object | None) -> None:
        found = self._sure(name, seen(pod), pod)
        status = status_of(pod or {})
        if self._reported.get(name) == found and found.state == "stopped":
            return
        # A container that is held back is no life of the node: the supervisor would take it for one that it missed.
        life = self._confirmed.get(name, "") if found.state == "stopped" else found.life
        answer = self._supervised.ask("seen", name=name, state=found.state, life=life, detail=found.detail)
        self._reported[name] = found
        if found.state == "running" and status.get("ready") and answer.get("state") == "starting":
            self._supervised.ask("note", name=name, what="ready")  # Kubernetes started it: nobody of ours is waiting

    def _sure(self, name: str, found: Seen, pod: Object | None) -> Seen:
        """A kubelet takes a new container for started until its startup probe is set up: look for the process.

        Once that was seen, it is there until its container has ended, whatever else is told of it meanwhile; and what
        has ended does not come back, it is a status from before.
        """
        self._unsure.discard(name)
        confirmed, over = self._confirmed.get(name, ""), self._ended.get(name, "")
        known = bool(found.life) and confirmed == found.life
        if found.life and found.life == over != confirmed and name in self._reported:
            return self._reported[name]  # of the container before the one that runs now
        if known and over == found.life:
            return Seen(state="stopped", life=found.life, detail=found.detail)
        if known and found.state == "stopped" and not has_ended(pod, found.life):
            return Seen(state="paused" if is_frozen(pod, found.life) else "running", life=found.life)
        if found.state == "stopped" or known:
            if found.state == "stopped":
                self._ended[name] = confirmed
            return found
        try:
            there = self._api.run(name, self._namespace, CONTAINER, ["sh", f"{MOUNT}/runs.sh"])[0] == 0
        except ExecError:
            there = False
        if there:
            self._confirmed[name] = found.life
            return found
        self._unsure.add(name)
        return Seen(state="stopped", life=found.life)

    def _forward(self, name: str, pod: Object | None) -> None:
        if pod is None or self._reported[name].state == "stopped":
            return
        uid, known = pod["metadata"]["uid"], self._uids.get(name)
        if uid == known:
            return
        forward = forward_of(name)
        with suppress(LabError):  # not every node has one
            if known is None:
                self._supervised.ask("start", name=forward)
            else:
                self._supervised.ask("signal", name=forward, signal_name="TERM")
        self._uids[name] = uid

    def _mend_forwards(self) -> None:
        """One that is ended is started again by the supervisor."""
        forwards = Forwards(self._supervised.folder, self._nodes)
        while not self._over.wait(MEND_S):
            for forward in forwards.lost():
                with suppress(LabError):
                    self._supervised.ask("signal", name=forward, signal_name="TERM")

    # -- news

    def _take_event(self, _name: str, event: Object | None) -> None:
        if event is None or event["metadata"]["uid"] in self._events:
            return
        if len(self._events) >= MOST_EVENTS_KNOWN:
            self._events.pop(next(iter(self._events)))
        self._events[event["metadata"]["uid"]] = None
        found = of_event(event)
        if found is not None:
            self._tell(found)

    def _take_claim(self, name: str, claim: Object | None) -> None:
        self._tell(*self._memory.claim(claim, name))

    def _take_node(self, name: str, node: Object | None) -> None:
        self._tell(*self._memory.node(node, name))

    def _tell(self, *found: News) -> None:
        for one in found:
            self._supervised.ask("note", name=NEWS, what=NEWS, detail=json.dumps(one))


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--name", required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--namespace", required=True)
    parser.add_argument("--nodes", nargs="+", required=True)
    arguments = parser.parse_args()
    supervised = Supervised(arguments.name, arguments.folder)
    Watcher(supervised, Api(find_access()), arguments.namespace, arguments.nodes).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
