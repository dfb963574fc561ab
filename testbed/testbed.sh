#!/bin/sh
# Finds a Python and hands over: `testbed.sh up`, `testbed.sh down [--purge]`. On an empty Debian as root it installs one.
cd "${0%/*}/.." || exit 1
if ! command -v python3 >/dev/null; then
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
        echo "testbed: Python 3.11 or later is needed. Install it (Debian: \`sudo apt-get install python3\`)." >&2
        exit 1
    fi
    apt-get update -q >/dev/null && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends python3 >/dev/null || exit 1
fi
exec python3 -m testbed "$@"
