"""The docker backend: one container a node on a network of the cluster's own, reached through ports of 127.0.0.1.

The cluster's supervisor keeps the book as for local clusters; `watcher` tells it how the containers are, `reaper`
removes them at its end. Docker's client libraries are imported here and nowhere else, and only when they are needed.
"""
