#!/bin/bash
# Stands in for kindnetd, whose source no registry serves, under its name and in kind's own manifest: the same plugins
# (ptp, host-local, portmap), a route to every other node's pods, and NAT for what leaves the pods' network.
# It enforces no NetworkPolicy: manifests/netpol.yaml brings what does.
set -uo pipefail

ACCOUNT=/var/run/secrets/kubernetes.io/serviceaccount
CONFIG=/etc/cni/net.d/10-kindnet.conflist
EACH='{range .items[*]}{.status.addresses[?(@.type=="InternalIP")].address}{" "}{.spec.podCIDR}{"\n"}{end}'

nodes() { # a line each: address, network of its pods
    kubectl --server="https://$CONTROL_PLANE_ENDPOINT" --token="$(cat $ACCOUNT/token)" \
        --certificate-authority=$ACCOUNT/ca.crt get nodes --output=jsonpath="$EACH"
}

configure() { # network of this node's pods
    [ -f $CONFIG ] && grep -q "\"$1\"" $CONFIG && return
    cat >$CONFIG.unfinished <<JSON
{"cniVersion": "0.3.1", "name": "kindnet", "plugins": [
  {"type": "ptp", "ipMasq": false, "mtu": 1500, "ipam": {"type": "host-local", "dataDir": "/run/cni-ipam-state",
    "routes": [{"dst": "0.0.0.0/0"}], "ranges": [[{"subnet": "$1"}]]}},
  {"type": "portmap", "capabilities": {"portMappings": true}}]}
JSON
    mv $CONFIG.unfinished $CONFIG
}

masquerade() {
    local rule=(POSTROUTING -s "$POD_SUBNET" ! -d "$POD_SUBNET" -m addrtype ! --dst-type LOCAL -j MASQUERADE)
    iptables -w -t nat -C "${rule[@]}" 2>/dev/null || iptables -w -t nat -A "${rule[@]}"
}

cd /tmp || exit 1
while :; do
    nodes | while read -r address network; do
        [ -n "$network" ] || continue
        if [ "$address" = "$HOST_IP" ]; then
            configure "$network"
        else
            ip route replace "$network" via "$address"
        fi
    done
    masquerade
    sleep 10
done
