#!/bin/sh
# What an operator would type, and why.
set -eu

# What does the pod wait for? For its claim. And the claim? For a class that does not exist.
kubectl describe pod broker-3 | tail -n 4
kubectl describe pvc data-broker-3 | tail -n 4
kubectl get storageclass

# That claim was never bound, so it holds nothing. Without it the StatefulSet makes one from its template.
kubectl delete pvc data-broker-3
kubectl delete pod broker-3

# Which is refused: the quota is used up, by a claim that no pod uses. It was never bound either.
kubectl wait --for=create pod/broker-3 --timeout=5s || kubectl describe statefulset broker | tail -n 4
kubectl describe resourcequota quota
kubectl get pvc
kubectl delete pvc broker-3-disk

# A StatefulSet that was refused tries ever less often; any change to it has it look at once.
until kubectl annotate --overwrite statefulset broker disks="$(date +%s)" &&
    kubectl wait --for=create pod/broker-3 --timeout=5s; do :; done
kubectl wait --for=condition=Ready pod/broker-3 --timeout=150s
