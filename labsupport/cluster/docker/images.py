"""Which image a cluster runs on: the user's, ours, the public one; and how ours is built."""

from __future__ import annotations

import logging
import os
import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from labsupport.cluster.docker.engine import engine, said
from labsupport.core.errors import LabError, ProvisionError
from labsupport.provision.image import AOT_FOLDER, AOT_LABEL, INPUTS_LABEL, inputs_key, labels, local_tag, write_context

if TYPE_CHECKING:
    from docker.models.images import Image

log = logging.getLogger(__name__)

VARIABLE = "KAFKA_LAB_IMAGE"
PUBLIC = "apache/kafka"


@dataclass(frozen=True)
class KafkaImage:
    """An image that the engine has. `caches`: the programs for which it holds a start-up cache."""

    name: str
    caches: frozenset[str] = frozenset()

    def cache_flags(self, program: str) -> list[str]:
        """The JVM flags that use the cache of a program; none where there is none."""
        if program not in self.caches:
            return []
        return [f"-XX:AOTCache=/{AOT_FOLDER}/{program}.aot", "-XX:AOTMode=auto", "-Xlog:aot*=off,cds*=off"]


def choose(version: str) -> KafkaImage:
    """The image for a version of Kafka, which the engine has when this returns.

    `KAFKA_LAB_IMAGE` if set; else our local one if nothing that goes into it has changed; else the public one if it is
    there or can be pulled; else the local one is built. Raises `ProvisionError`.
    """
    wanted = os.environ.get(VARIABLE)
    if wanted:
        return _named(wanted if ":" in wanted.rpartition("/")[2] or "@" in wanted else f"{wanted}:{version}")
    found = find(local_tag(version))
    if found is not None and is_current(found, version):
        return ours(version, found)
    public = f"{PUBLIC}:{version}"
    if find(public) is not None:
        return KafkaImage(public)
    refusal = pull(public)
    if not refusal:
        return KafkaImage(public)
    log.info("%s cannot be pulled (%s): building %s", public, refusal, local_tag(version))
    try:
        return ours(version, build(version))
    except ProvisionError as error:
        raise ProvisionError(
            f"The image {public} cannot be pulled ({refusal}), and none can be built here.", fix=error.what
        ) from error


def _named(name: str) -> KafkaImage:
    found = find(name)
    if found is None:
        refusal = pull(name)
        if refusal:
            raise ProvisionError(
                f"The image {name}, which {VARIABLE} names, cannot be pulled: {refusal}.",
                fix=f"Log in to its registry, correct {VARIABLE}, or unset it.",
            )
        found = find(name)
    return KafkaImage(name, _caches(found))


def ours(version: str, image: Image) -> KafkaImage:
    """Our local image of a version, as it was found or built."""
    return KafkaImage(local_tag(version), _caches(image))


def _caches(image: Image | None) -> frozenset[str]:
    listed = image.labels.get(AOT_LABEL, "") if image is not None else ""
    return frozenset(program for program in listed.split(",") if program)


def find(name: str) -> Image | None:
    """An image that the engine has already."""
    from docker.errors import ImageNotFound

    try:
        return engine().images.get(name)
    except ImageNotFound:
        return None


def pull(name: str) -> str:
    """Pull an image; returns why it was refused, or nothing."""
    from docker.errors import APIError

    repository, _, tag = name.rpartition(":") if "@" not in name else (name, "", "")
    try:
        engine().images.pull(repository, tag=tag or None)
    except APIError as error:
        return said(error)
    return ""


def build(version: str) -> Image:
    """Build our image of a version. Raises `ProvisionError` where it cannot be, with the engine's words."""
    from docker.errors import APIError, BuildError

    tag, before = local_tag(version), find(local_tag(version))
    with tempfile.TemporaryFile() as context:
        write_context(version, context)
        context.seek(0)
        try:
            built, _ = engine().images.build(
                fileobj=context, custom_context=True, tag=tag, labels=labels(version), rm=True, forcerm=True
            )
        except (BuildError, APIError) as error:
            raise ProvisionError(
                f"The engine could not build {tag}: {said(error)}.", fix="`docker system df` shows whether it has room."
            ) from error
    if before is not None and before.id != built.id:
        _forget(before.id)
    return built


def _forget(image_id: str | None) -> None:
    """Remove what had the tag before; a container may still need it, and then it stays."""
    from docker.errors import APIError

    try:
        engine().images.remove(image_id)
    except APIError as error:
        log.debug("an older image stays: %s", said(error))


def local_images() -> list[Image]:
    """Those that were built here, newest first."""
    found = [image for image in engine().images.list(filters={"label": INPUTS_LABEL}) if image.tags]
    return sorted(found, key=lambda image: str(image.attrs.get("Created")), reverse=True)


def is_current(image: Image, version: str) -> bool:
    """Whether an image was built of what is here now."""
    try:
        return bool(image.labels.get(INPUTS_LABEL) == inputs_key(version))
    except LabError:  # of a version that this checkout does not know
        return False
