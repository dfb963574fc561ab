#!/bin/sh
# A disk by hand, of the right class and as large as the quota has left: half as large as those of the others.
# Refused with: data-broker-3: Bound, 512Mi
set -eu
kubectl delete pvc data-broker-3
kubectl apply -f - <<'YAML'
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data-broker-3}
spec:
  accessModes: [ReadWriteOnce]
  resources: {requests: {storage: 512Mi}}
YAML
kubectl delete pod broker-3
kubectl wait --for=create pod/broker-3 --timeout=60s
kubectl wait --for=condition=Ready pod/broker-3 --timeout=150s
