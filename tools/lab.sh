#!/bin/sh
# Finds a Python and hands over to setup_lab.py. Needs nothing but a POSIX shell: this runs on an empty machine.
cd "${0%/*}/.." || exit 1

if [ "${OS-}" = Windows_NT ]; then
    echo "kafka-lab: A Kafka broker cannot run on native Windows. Install WSL2 (\`wsl --install\`) and run this inside it." >&2
    exit 1
fi

if [ -z "${PYTHON-}" ]; then
    # The quick way: what an earlier start has set up. -E: the user's PYTHONPATH and PYTHONHOME do not matter.
    [ -x .venv/bin/python ] && exec .venv/bin/python -E tools/setup_lab.py "$@"
    candidates="python3 python3.14 python3.13 python3.12 python3.11 /usr/bin/python3"
    seen=
    for candidate in $candidates; do
        answer=$("$candidate" -E -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || continue
        case $answer in
            3.11 | 3.12 | 3.13 | 3.14) exec "$candidate" -E tools/setup_lab.py "$@" ;;
            *) seen="$seen${seen:+, }$answer ($candidate)" ;;
        esac
    done
    found=${seen:+only Python $seen}
    echo "kafka-lab: Python 3.11, 3.12, 3.13 or 3.14 is needed, and ${found:-no Python} was found." \
        "Install one (Debian, Ubuntu: \`sudo apt-get install python3 python3-venv\`; macOS: \`brew install python@3.13\`)," \
        "or name one: \`make lab PYTHON=/path/to/python3\`." >&2
    exit 1
fi

answer=$("$PYTHON" -E -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)
case $answer in
    3.11 | 3.12 | 3.13 | 3.14) exec "$PYTHON" -E tools/setup_lab.py "$@" ;;
esac
problem=${answer:+is Python $answer}
echo "kafka-lab: PYTHON=$PYTHON ${problem:-does not run}. Name a Python 3.11, 3.12, 3.13 or 3.14." >&2
exit 1
