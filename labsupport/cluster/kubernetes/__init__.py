"""The Kubernetes backend: each node a pod of a StatefulSet, in a namespace of the cluster's own.

It takes the plain manifests of `deploy/manifests/`, changes what a spec asks for, and applies them; it never writes a
manifest of its own. The `kubernetes` client is imported in this room alone, and only when it is used. Start with
`backend.py`; `deploy/manifests/README.md` shows the same by hand.
"""
