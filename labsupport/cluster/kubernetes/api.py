"""Kubernetes' API: objects are dicts, as they are written in manifests.

The `kubernetes` client does what is hard: kubeconfigs, log-in helpers, certificates, web sockets. Its 800 classes for
objects are not used; a manifest is a dict already.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any
from urllib.parse import urlencode

from labsupport.cluster.kubernetes.access import Access
from labsupport.cluster.kubernetes.names import MANAGER
from labsupport.core.clock import now_s
from labsupport.core.errors import LabError
from labsupport.core.escape import printable

Object = dict[str, Any]

APPLY, MERGE, STRATEGIC = (
    "application/apply-patch+yaml",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
)
# kind: (where its group is, its plural, whether it belongs to a namespace)
KINDS: Mapping[str, tuple[str, str, bool]] = {
    "Namespace": ("/api/v1", "namespaces", False),
    "Node": ("/api/v1", "nodes", False),
    "Pod": ("/api/v1", "pods", True),
    "Service": ("/api/v1", "services", True),
    "ConfigMap": ("/api/v1", "configmaps", True),
    "Secret": ("/api/v1", "secrets", True),
    "Event": ("/api/v1", "events", True),
    "ResourceQuota": ("/api/v1", "resourcequotas", True),
    "LimitRange": ("/api/v1", "limitranges", True),
    "PersistentVolumeClaim": ("/api/v1", "persistentvolumeclaims", True),
    "PersistentVolume": ("/api/v1", "persistentvolumes", False),
    "StatefulSet": ("/apis/apps/v1", "statefulsets", True),
    "PodDisruptionBudget": ("/apis/policy/v1", "poddisruptionbudgets", True),
    "NetworkPolicy": ("/apis/networking.k8s.io/v1", "networkpolicies", True),
    "StorageClass": ("/apis/storage.k8s.io/v1", "storageclasses", False),
    "SelfSubjectAccessReview": ("/apis/authorization.k8s.io/v1", "selfsubjectaccessreviews", False),
}
REQUEST_S = 15.0


class ApiError(LabError):
    """What Kubernetes refused. `status`: HTTP's, 0 when nobody answered; `reason`: "NotFound", "Forbidden", …"""

    def __init__(self, what: str, *, status: int, reason: str = "", message: str = "", fix: str = "") -> None:
        super().__init__(what, fix=fix)
        self.status, self.reason, self.message = status, reason, message


class ExecError(LabError):
    """A program in a pod could not be run to its end."""


def path_of(kind: str, namespace: str = "", name: str = "", sub: str = "") -> str:
    """Where objects of a kind, or one of them, or a part of it, are found."""
    group, plural, namespaced = KINDS[kind]
    parts = [group]
    if namespaced and namespace:
        parts.append(f"namespaces/{namespace}")
    parts += [part for part in (plural, name, sub) if part]
    return "/".join(parts)


class Api:
    """One connection pool to one cluster; may be used from several threads."""

    def __init__(self, access: Access) -> None:
        from kubernetes import config

        self.access = access
        new_client: Callable[..., Any] = config.new_client_from_config
        try:
            self._client = new_client(config_file=access.kubeconfig, context=access.context, persist_config=False)
        except (config.ConfigException, OSError) as error:
            raise LabError(
                f"The context {access.context} of the kubeconfig cannot be used ({printable(error).rstrip('.')}).",
                fix="`kubectl get nodes` should say the same; correct the file, or choose another context.",
            ) from error
        if (
            not self._client.configuration.verify_ssl
        ):  # as the kubeconfig wants it; one word of it a request is too many
            import urllib3

            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)

    # -- requests

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, object] | None = None,
        body: object = None,
        content_type: str = "application/json",
        timeout_s: float = REQUEST_S,
    ) -> Object:
        """One request; its answer as JSON, {"text": …} when it is none. Raises `ApiError`."""
        response = self._open(method, path, query=query, body=body, content_type=content_type, timeout_s=timeout_s)
        with closing(response):
            data: bytes = response.data
        try:
            answer = json.loads(data)
        except ValueError:
            answer = {"text": data.decode(errors="replace")}
        if response.status >= 400:
            raise _refusal(method, path, response.status, answer)
        return answer if isinstance(answer, dict) else {"text": str(answer)}

    def _open(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, object] | None = None,
        body: object = None,
        content_type: str = "application/json",
        timeout_s: float,
    ) -> Any:
        import urllib3

        headers = {"Accept": "application/json"} | ({"Content-Type": content_type} if body is not None else {})
        url = self._client.configuration.host + path + (f"?{urlencode(query)}" if query else "")
        self._sign(headers)
        try:
            return self._client.rest_client.pool_manager.request(
                method,
                url,
                body=None if body is None else json.dumps(body),
                headers=headers,
                timeout=urllib3.Timeout(connect=5, read=timeout_s),
                retries=urllib3.Retry(total=2, redirect=0),
                preload_content=False,
            )
        except urllib3.exceptions.HTTPError as error:
            raise ApiError(
                f"Kubernetes ({self.access.context}) does not answer: {_short(error)}.",
                status=0,
                fix="Is it running? `kubectl get nodes` asks the same; `kafka-lab kubernetes create` makes one here.",
            ) from error

    def _sign(self, headers: dict[str, str]) -> None:
        self._client.update_params_for_auth(headers, [], ["BearerToken"], "", "", None)

    # -- objects

    def get(self, kind: str, name: str, namespace: str = "") -> Object:
        return self.request("GET", path_of(kind, namespace, name))

    def find(self, kind: str, name: str, namespace: str = "") -> Object | None:
        """The object, or None when there is none."""
        try:
            return self.get(kind, name, namespace)
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    def list(self, kind: str, namespace: str = "", **query: object) -> list[Object]:
        items: list[Object] = self.request("GET", path_of(kind, namespace), query=query)["items"]
        return items

    def create(self, item: Object) -> Object:
        return self.request("POST", path_of(item["kind"], item["metadata"].get("namespace", "")), body=item)

    def apply(self, item: Object) -> Object:
        """Server-side apply: whatever we say about an object is so, and what others say of it stays."""
        meta = item["metadata"]
        path = path_of(item["kind"], meta.get("namespace", ""), meta["name"])
        query = {"fieldManager": MANAGER, "force": "true"}
        return self.request("PATCH", path, query=query, body=item, content_type=APPLY)

    def patch(
        self, kind: str, name: str, namespace: str, body: Object, *, sub: str = "", how: str = STRATEGIC
    ) -> Object:
        return self.request("PATCH", path_of(kind, namespace, name, sub), body=body, content_type=how)

    def delete(self, kind: str, name: str, namespace: str = "", **options: object) -> None:
        """No error when it is gone already."""
        try:
            self.request("DELETE", path_of(kind, namespace, name), body=options or None)
        except ApiError as error:
            if error.status != 404:
                raise

    def watch(self, kind: str, namespace: str, since: str, *, timeout_s: int) -> Iterator[tuple[str, Object]]:
        """("ADDED" | "MODIFIED" | "DELETED", object) as it happens, for `timeout_s` seconds. Raises `ApiError`."""
        query = {"watch": 1, "resourceVersion": since, "timeoutSeconds": timeout_s}
        response = self._open("GET", path_of(kind, namespace), query=query, timeout_s=timeout_s + 10)
        with closing(response):
            if response.status >= 400:
                raise _refusal("GET", path_of(kind, namespace), response.status, {})
            for line in _lines(response):
                event = json.loads(line)
                if event["type"] == "ERROR":
                    raise _refusal(
                        "GET", path_of(kind, namespace), int(event["object"].get("code", 500)), event["object"]
                    )
                yield event["type"], event["object"]

    # -- pods

    def evict(self, pod: str, namespace: str, *, dry_run: bool = False) -> None:
        """Have a pod go, as `kubectl drain` does; or only ask whether it might. `ApiError` 429: a budget forbids it."""
        meta = {"name": pod, "namespace": namespace}
        body: Object = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": meta}
        if dry_run:
            body["deleteOptions"] = {"dryRun": ["All"]}
        self.request("POST", path_of("Pod", namespace, pod, "eviction"), body=body)

    def log(self, pod: str, namespace: str, container: str, *, tail: int, previous: bool = False) -> str:
        """The last lines that a container, or the one before it, has written; "" when there was none."""
        query = {"container": container, "tailLines": tail, **({"previous": "true"} if previous else {})}
        response = self._open("GET", path_of("Pod", namespace, pod, "log"), query=query, timeout_s=REQUEST_S)
        with closing(response):
            text: bytes = response.data
        return text.decode(errors="replace") if response.status == 200 else ""

    def run(
        self, pod: str, namespace: str, container: str, argv: Sequence[str], *, timeout_s: float = 20
    ) -> tuple[int, bytes]:
        """Run a program in a container; its exit code and standard output. Raises `ExecError` when it cannot be."""
        import websocket
        from kubernetes.client import ApiException
        from kubernetes.stream import ws_client as untyped

        ws_client: Any = untyped
        query = [("container", container), ("stdout", "true"), ("stderr", "true")]
        query += [("command", word) for word in argv]
        url = self._client.configuration.host + path_of("Pod", namespace, pod, "exec")
        headers: dict[str, str] = {}
        self._sign(headers)
        websocket.setdefaulttimeout(REQUEST_S)
        until_s, output, errors = now_s() + timeout_s, b"", b""
        try:
            client = ws_client.WSClient(
                self._client.configuration,
                ws_client.get_websocket_url(url, query),
                headers,
                capture_all=False,
                binary=True,
            )
            try:
                while client.is_open():
                    if now_s() > until_s:
                        raise ExecError(f"{argv[0]} did not end in {pod} within {timeout_s:g} s.")
                    client.update(timeout=min(1.0, timeout_s))
                    output += client.read_channel(ws_client.STDOUT_CHANNEL)
                    errors += client.read_channel(ws_client.STDERR_CHANNEL)
                output += client.read_channel(ws_client.STDOUT_CHANNEL)
                code = _exit_code(client.read_channel(ws_client.ERROR_CHANNEL))
            finally:
                client.close()
        except (websocket.WebSocketException, ApiException, OSError) as error:
            raise ExecError(f"No program can be run in {pod} at the moment ({_short(error)}).") from error
        return code, output


def _lines(response: Any) -> Iterator[bytes]:
    import urllib3

    rest = b""
    try:
        for chunk in response.stream():
            *lines, rest = (rest + chunk).split(b"\n")
            yield from (line for line in lines if line)
    except urllib3.exceptions.HTTPError as error:
        raise ApiError(f"The watch broke off: {_short(error)}.", status=0) from error


def _exit_code(words: bytes) -> int:
    """From the last word of an exec, a Status object; -1 when the container ended before it could be said."""
    try:
        status = json.loads(words)
    except ValueError:
        return -1
    if status.get("status") == "Success":
        return 0
    causes = status.get("details", {}).get("causes", [])
    codes = [cause["message"] for cause in causes if cause.get("reason") == "ExitCode"]
    return int(codes[0]) if codes and codes[0].isdecimal() else -1


def _refusal(method: str, path: str, status: int, answer: Object) -> ApiError:
    message = printable(answer.get("message") or answer.get("text") or f"status {status}", limit=400)
    fix = "Ask whoever runs the cluster for that right, or choose another context (KAFKA_LAB_CONTEXT)."
    return ApiError(
        f"Kubernetes refused {method} {path.rpartition('/')[2]}: {message.rstrip('.')}.",
        status=status,
        reason=str(answer.get("reason", "")),
        message=message,
        fix=fix if status == 403 else "",
    )


def _short(error: BaseException) -> str:
    """The innermost words of an error of a library."""
    while isinstance(inner := getattr(error, "reason", None), BaseException):
        error = inner
    return printable(str(error).rpartition(": ")[2] or type(error).__name__, limit=160).rstrip(".")
