"""Real Kafka clusters: what is wanted (`spec`), what runs (`cluster`, `broker`, `topic`), and where (`local`).

It never draws, judges or teaches. Nothing is imported here, because the supervisor lives in this room and must start in
a blink; begin with `labsupport.cluster.cluster.Cluster`, which `labsupport` exports.
"""
