"""A hundred inputs that cannot be meant: each is answered in one clear message, and leaves nothing behind.

Every row is data: what was typed or called, and words that the answer must hold.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from labsupport.cli import main
from labsupport.core.errors import LabError

# -- the command line: (what is typed, exit code, words of the answer)

LONG_NAME = "a" * 31
CLI = [
    (["stauts"], 2, "`kafka-lab status`"),
    (["zzz"], 2, "there are up, status, env, tool, down, "),
    ([""], 2, "no command ''"),
    (["--nope"], 2, "no option --nope"),
    (["-x"], 2, "no option -x"),
    (["--version=3"], 2, "does not take a value"),
    (["up\nstatus"], 2, "up\\nstatus"),
    (["\x1b[31mup"], 2, "\\x1b[31mup"),
    (["up", "a", "b"], 2, "(b)"),
    (["up", ""], 2, "'' is no name"),
    (["up", "Demo"], 2, "'Demo' is no name"),
    (["up", "a_b"], 2, "'a_b' is no name"),
    (["up", "a b"], 2, "'a b' is no name"),
    (["up", "../../etc"], 2, "is no name"),
    (["up", "a/b"], 2, "is no name"),
    (["up", "."], 2, "is no name"),
    (["up", "a;reboot"], 2, "is no name"),
    (["up", "$(reboot)"], 2, "is no name"),
    (["up", "démo"], 2, "is no name"),
    (["up", "1\x00"], 2, "is no name"),
    (["up", LONG_NAME], 2, "up to 30"),
    (["up", "a" * 10_000], 2, "up to 30"),
    (["up", "--brokers"], 2, "requires an argument"),
    (["up", "--brokers", "x"], 2, "whole number from 1 to 9"),
    (["up", "--brokers", "0"], 2, "whole number from 1 to 9"),
    (["up", "--brokers", "-3"], 2, "whole number from 1 to 9"),
    (["up", "--brokers", "3.5"], 2, "whole number from 1 to 9"),
    (["up", "--brokers", "1e3"], 2, "whole number from 1 to 9"),
    (["up", "--brokers", "٣"], 2, "whole number from 1 to 9"),
    (["up", "--brokers", "99999999999999999999"], 2, "whole number from 1 to 9"),
    (["up", "--borkers", "3"], 2, "--brokers"),
    (["up", "--coordination", "etcd"], 2, "'kraft', 'zookeeper'"),
    (["up", "--coordination", ""], 2, "'kraft', 'zookeeper'"),
    (["up", "--version", "4.4.0"], 1, "4.3.1"),
    (["up", "--version", "latest"], 1, "'3.9.2' or '4.3.1'"),
    (["up", "--version", "../4.3.1"], 1, "'3.9.2' or '4.3.1'"),
    (["up", "--coordination", "zookeeper", "--version", "4.3.1"], 1, "no ZooKeeper mode"),
    (["up", "--coordination", "zookeeper", "--controllers", "2"], 1, "1 or 3"),
    (["up", "--controllers", "2"], 1, "odd number of voters"),
    (["up", "--controllers", "7"], 2, "whole number from 0 to 5"),
    (["up", "--racks", "a,b"], 1, "2 racks for 3 brokers"),
    (["up", "--racks", "a,,c"], 1, "racks is"),
    (["up", "--racks", "a,b,c d"], 1, "racks is"),
    (["up", "--config", "log.retention.ms"], 2, "has no '='"),
    (["up", "--config", "=5"], 2, "no name of a setting"),
    (["up", "--config", "a b=5"], 2, "no name of a setting"),
    (["up", "--config", "a=1\nlisteners=X"], 2, "line break"),
    (["up", "--config", "listeners=PLAINTEXT://:1"], 1, "chosen by the lab"),
    (["up", "--config", "log.dirs=/"], 1, "chosen by the lab"),
    (["up", "--config", "a=1", "--config", "a=2"], 1, "gives a twice"),
    (["up", "--profile", "slow"], 2, "'quick', 'throughput'"),
    (["up", "--log-dirs", "0"], 2, "whole number from 1 to 8"),
    (["up", "--timeout", "never"], 2, "whole number from 1 to 3600"),
    (["up", "--json=yes"], 2, "does not take a value"),
    (["status", "nobody"], 1, "nobody"),
    (["status", "No Body"], 2, "is no name"),
    (["status", "--nope"], 2, "no option --nope"),
    (["env"], 1, "kafka-lab up"),
    (["env", "nobody"], 1, "nobody"),
    (["env", "a", "b"], 2, "(b)"),
    (["down"], 1, "kafka-lab up"),
    (["down", "nobody"], 1, "nobody"),
    (["down", "a", "--all"], 2, "exclude each other"),
    (["down", "--everything"], 2, "no option --everything"),
    (["tool"], 2, "needs"),
    (["tool", "--cluster"], 2, "requires an argument"),
    (["tool", "--cluster", "A B", "topics", "--list"], 2, "is no name"),
    (["tool", "--cluster", "nobody", "topics", "--list"], 1, "nobody"),
    (["tool", "topics", "--list"], 1, "kafka-lab up"),
    (["tool", "tpoics", "--list"], 1, "topics"),
    (["tool", "rm", "-rf"], 1, "rm"),
    (["tool", "--as-script", "nothing.sh"], 1, "nothing"),
    (["tool", "../../bin/sh"], 1, "bin/sh"),
    (["doctor", "now"], 2, "(now)"),
    (["doctor", "--fix"], 2, "no option --fix"),
    (["reset", "--sure"], 2, "no option --sure"),
    (["restore"], 2, "needs NAME"),
    (["restore", "99-no-such-page"], 1, "99-no-such-page"),
    (["restore", "../../secret"], 1, "secret"),
    (["restore", ""], 1, ""),
]


def _start(**wishes: object) -> Callable[[], object]:
    def call() -> object:
        from labsupport import Cluster

        return Cluster.start(**wishes)  # type: ignore[arg-type]

    return call


def _attach(name: object) -> Callable[[], object]:
    def call() -> object:
        from labsupport import Cluster

        return Cluster.attach(name)  # type: ignore[arg-type]

    return call


def _create_topic(name: object = "t", **wishes: object) -> Callable[[], None]:
    """What `Cluster.create_topic` does on three brokers that know no topic yet; none of them is called."""

    def call() -> None:
        from labsupport.clients.connection import Connection
        from labsupport.cluster.topics import create_topic

        defaults = {"partitions": 1, "replication_factor": 3, "replica_assignment": None, "config": None}
        create_topic(
            Connection(bootstrap_servers="127.0.0.1:9"),
            name,  # type: ignore[arg-type]
            **(defaults | wishes),  # type: ignore[arg-type]
            broker_ids=[1, 2, 3],
            views=list,
            timeout_s=0.1,
        )

    return call


def _judge(claim_id: object, evidence: dict[str, object]) -> Callable[[], object]:
    def call() -> object:
        from labsupport import claims

        return claims.judge(claim_id, evidence)  # type: ignore[arg-type]

    return call


def _predict(question: object, **answer: object) -> Callable[[], object]:
    def call() -> object:
        from labsupport import predict

        return predict(question, **answer)  # type: ignore[arg-type]

    return call


def _kafka_home(version: object) -> Callable[[], object]:
    def call() -> object:
        from labsupport.provision import kafka_home

        return kafka_home(version)  # type: ignore[arg-type]

    return call


def _flights(**wishes: object) -> Callable[[], object]:
    def call() -> object:
        from labsupport import flights

        return next(iter(flights.stream(**wishes)))  # type: ignore[arg-type]

    return call


def _load(topic: object = "t", **wishes: object) -> Callable[[], object]:
    """A load is refused before anything is sent; at this address nobody would answer."""

    def call() -> object:
        from labsupport.clients.connection import Connection
        from labsupport.clients.load import Load

        connection = Connection(bootstrap_servers="127.0.0.1:9")
        with Load(connection, topic, **wishes) as load:  # type: ignore[arg-type]
            return load

    return call


def _recording(content: bytes | None) -> Callable[[], object]:
    """A file with this content, or no file at all."""

    def call() -> object:
        from labsupport import Recording

        path = Path(os.environ["KAFKA_LAB_STATE"]) / "some.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        if content is not None:
            path.write_bytes(content)
        recording = Recording.load(path)
        follower = recording.follow()
        return [follower.poll(), follower.poll()]

    return call


def _faults(name: str, *targets: object) -> Callable[[], object]:
    def call() -> object:
        from labsupport import faults

        with getattr(faults, name)(*targets) as fault:
            return fault

    return call


# -- the library: (what is called, words of the answer)

HEADER = (
    b'{"format":"kafka-lab-recording","version":%d,"clock":"monotonic","began_wall":"2026-01-01T00:00:00Z",'
    b'"began_s":1.5,"cluster":{"name":"c","coordination":"kraft","version":"4.3.1","brokers":[1],"coordinators":[]}}\n'
)
API = {
    "no brokers": (_start(brokers=0), "brokers is 0"),
    "minus one broker": (_start(brokers=-1), "from 1 to 9"),
    "too many brokers": (_start(brokers=10), "from 1 to 9"),
    "half a broker": (_start(brokers=2.5), "whole number"),
    "brokers as text": (_start(brokers="3"), "whole number"),
    "brokers as a truth": (_start(brokers=True), "whole number"),
    "brokers unknown": (_start(brokers=None), "whole number"),
    "coordination by etcd": (_start(coordination="etcd"), "'kraft' or 'zookeeper'"),
    "coordination by nobody": (_start(coordination=None), "'kraft' or 'zookeeper'"),
    "coordination in capitals": (_start(coordination="KRaft"), "'kraft' or 'zookeeper'"),
    "a version that cannot be had": (_start(version="4.4.0"), "'3.9.2' or '4.3.1'"),
    "a version as a number": (_start(version=4.3), "'3.9.2' or '4.3.1'"),
    "ZooKeeper with a version that has none": (_start(coordination="zookeeper", version="4.3.1"), "KIP-500"),
    "an even quorum": (_start(controllers=2), "odd number"),
    "a quorum as text": (_start(controllers="3"), "odd number"),
    "an even ensemble": (_start(coordination="zookeeper", controllers=2), "1 or 3"),
    "an ensemble as a truth": (_start(coordination="zookeeper", controllers=True), "1 or 3"),
    "a rack too few": (_start(racks=["a", "b"]), "2 racks for 3 brokers"),
    "racks as one word": (_start(racks="abc"), "racks is 'abc'"),
    "a rack with a line break": (_start(racks=["a", "b", "c\nx=1"]), "racks is"),
    "settings as a list": (_start(config=["a=1"]), "mapping"),
    "a setting that is a number": (_start(config={1: "x"}), "no setting"),
    "a setting with a blank": (_start(config={"a b": "x"}), "no setting"),
    "a setting that the lab must choose": (_start(config={"log.dirs": "/"}), "chosen by the lab"),
    "a setting that smuggles in another": (_start(config={"a": "1\nlisteners=X"}), "one line"),
    "a setting without a value": (_start(config={"a": None}), "one line"),
    "a profile unheard of": (_start(profile="turbo"), "'quick' or 'throughput'"),
    "an empty name": (_start(name=""), "no name for a cluster"),
    "a name that is a path": (_start(name="../x"), "no name for a cluster"),
    "a name in capitals": (_start(name="Demo"), "no name for a cluster"),
    "a name that is a number": (_start(name=7), "no name for a cluster"),
    "a name too long": (_start(name="a" * 31), "up to 30"),
    "no log folder": (_start(log_dirs=0), "from 1 to 8"),
    "JMX as text": (_start(jmx="yes"), "True or False"),
    "no time to start": (_start(timeout_s=0), "timeout_s"),
    "a time that is a word": (_start(timeout_s="soon"), "timeout_s"),
    "attach to nobody": (_attach("nobody"), "nobody"),
    "attach when nothing runs": (_attach(None), "No cluster is running"),
    "attach to a path": (_attach("../../etc/passwd"), "passwd"),
    "a topic without a name": (_create_topic(""), "no topic name"),
    "a topic named with a blank": (_create_topic("a b"), "no topic name"),
    "a topic named .": (_create_topic("."), "no topic name"),
    "a topic named by a number": (_create_topic(3), "no topic name"),
    "a topic's name too long": (_create_topic("a" * 250), "249"),
    "a topic's name that commands a terminal": (_create_topic("\x1b[2J"), "no topic name"),
    "no partition": (_create_topic(partitions=0), "from 1 to 1000"),
    "partitions as text": (_create_topic(partitions="2"), "from 1 to 1000"),
    "more replicas than brokers": (_create_topic(replication_factor=4), "do not fit on 3 brokers"),
    "no replica": (_create_topic(replication_factor=0), "from 1 to 9"),
    "partitions numbered from 1": (_create_topic(replica_assignment={1: [1]}), "from 0"),
    "no assignment": (_create_topic(replica_assignment={}), "from 0"),
    "an assignment as a list": (_create_topic(replica_assignment=[[1, 2]]), "from 0"),
    "a partition without replicas": (_create_topic(replica_assignment={0: []}), "Partition 0"),
    "the same broker twice": (_create_topic(replica_assignment={0: [1, 1]}), "different brokers"),
    "a broker that is not there": (_create_topic(replica_assignment={0: [1, 9]}), "[1, 2, 3]"),
    "replicas as text": (_create_topic(replica_assignment={0: "12"}), "Partition 0"),
    "replicas named in pairs": (_create_topic(replica_assignment={"0": [1]}), "from 0"),
    "settings of a topic as text": (_create_topic(config="min.insync.replicas=2"), "config"),
    "a claim that nobody makes": (_judge("9.9-nothing", {}), "9.9-nothing"),
    "a claim nearly right": (_judge("5.3-failovr", {}), "5.3-failover"),
    "a claim by number": (_judge(53, {}), "53"),
    "no evidence": (_judge("5.3-failover", {}), "lacks"),
    "evidence that nobody reads": (_judge("5.3-failover", {"weather": "fine"}), "weather"),
    "a question that nobody asks": (_predict("nothing"), "nothing"),
    "an answer that is none": (_predict("leader-dies", answer="z"), "answer"),
    "an answer that is a number": (_predict("leader-dies", answer=7), "answer"),
    "a Kafka that cannot be had": (_kafka_home("1.0.0"), "3.9.2, 4.3.1"),
    "a Kafka without version": (_kafka_home(None), "3.9.2, 4.3.1"),
    "a Kafka that is a path": (_kafka_home("../4.3.1"), "3.9.2, 4.3.1"),
    "flights of no speed": (_flights(speed_up=0), "speed_up"),
    "flights backwards": (_flights(speed_up=-1), "speed_up"),
    "minus one flight": (_flights(limit=-1), "limit"),
    "flights of yesterday": (_flights(start="yesterday"), "yesterday"),
    "flights of another year": (_flights(start="2020-01-01T00:00"), "2013"),
    "a load on no topic": (_load(""), "topic"),
    "a load of no rate": (_load(records_per_s=0), "records_per_s"),
    "a load of a rate as text": (_load(records_per_s="fast"), "records_per_s"),
    "records smaller than nothing": (_load(size_bytes=-1), "size_bytes"),
    "acks by some": (_load(acks="some"), "acks"),
    "a client setting unheard of": (_load(config={"no.such.setting": "1"}), "no.such.setting"),
    "settings of a load as text": (_load(config="linger.ms=5"), "config"),
    "no time to deliver": (_load(delivery_timeout_ms=-5), "delivery_timeout_ms"),
    "a recording that is not there": (_recording(None), "some.jsonl"),
    "an empty recording": (_recording(b""), "some.jsonl"),
    "a picture as a recording": (_recording(b"\x89PNG\r\n\x1a\n\x00\xff"), "some.jsonl"),
    "other JSON as a recording": (_recording(b"[1, 2]\n"), "some.jsonl"),
    "a recording of tomorrow": (_recording(HEADER % 3), "version 3"),
    "a recording with half a header": (_recording((HEADER % 1)[:80] + b"\n"), "some.jsonl"),
    "a recording damaged in the middle": (_recording(HEADER % 1 + b'{"t":1\n{"t":2,"k":"event"}\n'), "damaged"),
    "a fault on nobody": (_faults("killed"), "fault"),
    "a fault on a name": (_faults("killed", "broker-1"), "broker-1"),
    "a fault on a number": (_faults("paused", 1), "1"),
    "a fault on nothing": (_faults("stopped", None), "None"),
}


# -- what each answer must be


@pytest.fixture(autouse=True)
def own_world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Folders of its own, and afterwards the look at what was left in them and among the processes."""
    with tempfile.TemporaryDirectory(prefix="kl-") as world:
        for name in ("RUNTIME", "CACHE", "STATE"):
            monkeypatch.setenv(f"KAFKA_LAB_{name}", f"{world}/{name.lower()}")
        temp = Path(world) / "temp"
        temp.mkdir()
        monkeypatch.setenv("TMPDIR", str(temp))
        monkeypatch.setattr(tempfile, "tempdir", None)
        monkeypatch.delenv("KAFKA_LAB_CLUSTER", raising=False)
        for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
            monkeypatch.setenv(name, "http://127.0.0.1:9")  # whatever slips through must not fetch Kafka for it
        monkeypatch.chdir(tmp_path)
        yield Path(world)
        left = [path.name for path in temp.iterdir()]
        left += [path.name for path in Path(world, "runtime").glob("*") if path.suffix in (".json", ".sock", ".env")]
        assert left == [] and _processes_of(world) == []
    monkeypatch.setattr(tempfile, "tempdir", None)


def _processes_of(world: str) -> list[str]:
    """Processes whose environment names this world: whatever a bad input might have started."""
    found = []
    for environment in Path("/proc").glob("[0-9]*/environ"):
        try:
            content = environment.read_bytes()
        except OSError:  # ended, or not ours to read
            continue
        if world.encode() in content and environment.parent.name != str(os.getpid()):
            found.append(environment.parent.name)
    return found


def _assert_clear(message: str, words: str) -> None:
    """One line, one to three sentences, that hold these words and no traceback."""
    assert words in message
    assert "Traceback" not in message and "\n" not in message.strip("\n") and "\x1b" not in message
    assert message.rstrip().endswith((".", "?"))
    outside_names = re.sub(r"`[^`]*`|'[^']*'|\"[^\"]*\"", "X", message)
    assert 1 <= len(re.findall(r"[.?](?=\s|$)", outside_names)) <= 3
    assert len(message) <= 600


def _named(row: tuple[list[str], int, str]) -> str:
    return ascii(" ".join(row[0]))[1:-1][:50]


@pytest.mark.parametrize("row", CLI, ids=_named)
def test_the_command_line_refuses_in_one_message(
    row: tuple[list[str], int, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2 for a line that cannot be meant, 1 for what cannot be done; nothing on stdout."""
    typed, code, words = row
    assert main(typed) == code
    out, err = capsys.readouterr()
    assert out == ""
    _assert_clear(err, words)


@pytest.mark.parametrize("typed", [["stauts"], ["up", "A"], ["up", "--version", "1"], ["down"], ["restore", "x"]])
def test_so_it_is_in_a_process_of_its_own(typed: list[str]) -> None:
    """What the table says of `main` holds for the program."""
    ended = subprocess.run(
        [sys.executable, "-m", "labsupport.cli", *typed],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert ended.returncode in (1, 2) and ended.stdout == ""
    _assert_clear(ended.stderr, "")


@pytest.mark.parametrize("row", API.values(), ids=list(API))
def test_the_library_refuses_in_one_message(row: tuple[Callable[[], object], str]) -> None:
    """`LabError`, whose text a notebook shows without a traceback."""
    call, words = row
    with pytest.raises(LabError) as caught:
        call()
    _assert_clear(str(caught.value), words)


def test_there_are_a_hundred_of_them() -> None:
    """Of the command line and of the library together, and none is there twice."""
    typed = {tuple(row[0]) for row in CLI}
    assert len(typed) == len(CLI)
    assert len(CLI) + len(API) >= 100
