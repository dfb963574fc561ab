"""Which image the pods run, and how it comes onto the nodes of a kind cluster."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass

from labsupport.cluster.kubernetes.api import Api, ApiError, Object
from labsupport.core.errors import LabError
from labsupport.core.escape import printable

VARIABLE = "KAFKA_LAB_IMAGE"
PUBLIC = "apache/kafka"
LOAD_S = 300


@dataclass(frozen=True)
class PodImage:
    """`flags`: JVM flags by component, for the start-up caches in the image."""

    name: str
    flags: tuple[tuple[str, str], ...] = ()


def choose(version: str, api: Api) -> PodImage:
    """The user's ($KAFKA_LAB_IMAGE), else ours when kind can be given it, else the public one, which the nodes pull."""
    wanted = os.environ.get(VARIABLE)
    if wanted:
        name = wanted if ":" in wanted.rpartition("/")[2] or "@" in wanted else f"{wanted}:{version}"
        if api.access.is_kind and _in_engine(name):
            load(name, api)
        return PodImage(name)
    ours = _ours(version) if api.access.is_kind else None
    if ours is None:
        return PodImage(f"{PUBLIC}:{version}")
    load(ours.name, api)
    return ours


def load_ours(versions: Iterable[str], api: Api) -> list[str]:
    """Bring our local images of these versions onto the nodes of a kind cluster; returns those that there were."""
    found = [image.name for image in map(_ours, versions) if image is not None]
    for name in found:
        load(name, api)
    return found


def _ours(version: str) -> PodImage | None:
    """Our local image, if the engine has one: who built one once has no other, so it is built again when outdated.

    On the nodes it bears the key of its inputs in its tag, so that one of the same name that is older is not taken.
    """
    from labsupport.cluster.docker import images
    from labsupport.cluster.docker.engine import engine
    from labsupport.provision.image import inputs_key, local_tag
    from labsupport.provision.java import MODULES

    try:
        found = images.find(local_tag(version))
    except LabError:  # no engine here
        return None
    if found is None:
        return None
    image = images.ours(version, found if images.is_current(found, version) else images.build(version))
    name = f"{image.name}-{inputs_key(version)}"
    if images.find(name) is None:
        engine().api.tag(image.name, *name.rsplit(":", 1))
    mode = "zookeeper" if version.startswith("3.") else "kraft"
    programs = {"broker": f"broker-{mode}", "controller": f"broker-{mode}", "zookeeper": "zookeeper"}
    flags = {component: " ".join([MODULES, *image.cache_flags(program)]) for component, program in programs.items()}
    return PodImage(name, tuple((component, words) for component, words in flags.items() if words))


def _in_engine(name: str) -> bool:
    from labsupport.cluster.docker.images import find

    try:
        return find(name) is not None
    except LabError:
        return False


def load(name: str, api: Api) -> None:
    """Bring an image of this machine's engine onto the nodes of a kind cluster that do not have it."""
    try:
        nodes = api.list("Node")
    except ApiError:
        nodes = []
    lacking = [node["metadata"]["name"] for node in nodes if not has_image(node, name) and not _control_plane(node)]
    if nodes and not lacking:
        return
    kind = shutil.which("kind")
    if kind is None:
        raise LabError(
            f"The image {name} has to be loaded onto the nodes, and `kind` is not installed.",
            fix="Install it, or unset KAFKA_LAB_IMAGE and let the nodes pull the public image.",
        )
    argv = [kind, "load", "docker-image", name, "--name", api.access.kind_name]
    if lacking:
        argv += ["--nodes", ",".join(lacking)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=LOAD_S, check=False)
    if done.returncode != 0:
        words = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise LabError(f"The image {name} could not be loaded onto the nodes: {printable(words)}.")


def has_image(node: Object, name: str) -> bool:
    """Whether a node tells that it has an image; it tells of the largest 50."""
    known = {known for image in node["status"].get("images", []) for known in image.get("names") or []}
    return bool(known & {name, f"docker.io/{name}", f"docker.io/library/{name}", f"localhost/{name}"})


def _control_plane(node: Object) -> bool:
    """Whether it takes no pods of ours."""
    return any(taint["effect"] == "NoSchedule" for taint in node["spec"].get("taints", []))
