# Sourced by bash: in JupyterLab's terminals by `bashrc` beside this file, in %%bash cells through BASH_ENV.
# Kafka's tools are on PATH, and $BOOTSTRAP is the address of the cluster if exactly one is running; $KUBECONFIG has
# kubectl work in its namespace if it is one of pods, and is the user's own otherwise.
# No process is started here: it runs at each prompt. Bash 3.2 (macOS) understands it.

if [ -n "${KAFKA_LAB_USER_BASH_ENV-}" ] && [ -r "$KAFKA_LAB_USER_BASH_ENV" ]; then
    . "$KAFKA_LAB_USER_BASH_ENV"
fi

# A login shell or ~/.bashrc may have made PATH anew.
case ":$PATH:" in
    ":$KAFKA_LAB_PATH:"*) ;;
    *) PATH=$KAFKA_LAB_PATH:$PATH ;;
esac

_kafka_lab_bootstrap() {
    # What the user has set to something else stays.
    [ "${BOOTSTRAP-}" = "${_KAFKA_LAB_BOOTSTRAP-}" ] || return 0
    local file only=
    for file in "$KAFKA_LAB_CLUSTERS"/*.env; do
        [ -r "$file" ] || continue
        if [ -n "$only" ]; then
            only=
            break
        fi
        only=$file
    done
    unset BOOTSTRAP
    if [ -n "${_KAFKA_LAB_KUBECONFIG-}" ] && [ "${KUBECONFIG-}" = "$_KAFKA_LAB_KUBECONFIG" ]; then
        KUBECONFIG=$_KAFKA_LAB_USER_KUBECONFIG
        [ -n "$KUBECONFIG" ] || unset KUBECONFIG
    fi
    _KAFKA_LAB_USER_KUBECONFIG=${KUBECONFIG-}
    [ -z "$only" ] || . "$only"
    _KAFKA_LAB_BOOTSTRAP=${BOOTSTRAP-} _KAFKA_LAB_KUBECONFIG=
    [ "${KUBECONFIG-}" = "$_KAFKA_LAB_USER_KUBECONFIG" ] || _KAFKA_LAB_KUBECONFIG=$KUBECONFIG
    export _KAFKA_LAB_BOOTSTRAP _KAFKA_LAB_KUBECONFIG _KAFKA_LAB_USER_KUBECONFIG
}
_kafka_lab_bootstrap
