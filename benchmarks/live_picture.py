"""What a live picture costs: our chart beside a plotly `FigureWidget`, both with 3,600 points.

In the kernel: bytes that a tick sends, and its CPU time. In headless Chromium, in the same JupyterLab: frames drawn
while points come 20 times a second, and script time an update. And how far the cluster map is behind the metadata, in
polling periods.

    python -m benchmarks.live_picture [--rounds N] [--seconds S] [--ticks N]
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.common import Row, interleaved, print_table
from labsupport.observe.watcher import METADATA_EVERY_S
from tests.browser.views_lab import CHROMIUM, Lab, Seat, lab

POINTS = 3600
UPDATES_PER_S = 20


@dataclass(frozen=True)
class Tick:
    """Of one tick in the kernel."""

    size_bytes: float
    cpu_ms: float


class Comm:
    """Counts what a widget would send to its page: JSON and buffers."""

    comm_id, kernel = "bench", object()

    def __init__(self) -> None:
        self.size_bytes = 0

    def open(self, **_: Any) -> None: ...
    def close(self, **_: Any) -> None: ...
    def on_msg(self, _: Any) -> None: ...
    def on_close(self, _: Any) -> None: ...

    def send(self, data: Any = None, metadata: Any = None, buffers: Any = None, **_: Any) -> None:
        self.size_bytes += len(json.dumps(data, separators=(",", ":"), default=str))
        self.size_bytes += sum(memoryview(buffer).nbytes for buffer in buffers or ())


def ticks(prepare: Callable[[], None], tick: Callable[[], None], comm: Comm, many: int) -> Tick:
    """The mean of `many` ticks; what `prepare` does, a producer would do anyway."""
    cpu_s, comm.size_bytes = 0.0, 0
    for _ in range(many):
        prepare()
        began_s = time.process_time()
        tick()
        cpu_s += time.process_time() - began_s
    return Tick(comm.size_bytes / many, cpu_s / many * 1000)


@contextmanager
def our_chart(folder: Path) -> Iterator[tuple[Callable[[], None], Callable[[], None], Comm]]:
    """A chart of a Recording, whose own thread rests, so that each tick is ours."""
    from labsupport.core import notebook
    from labsupport.observe import Recording
    from labsupport.views import show

    recording = Recording.create(name="bench", coordination="kraft", version="4.3.1", brokers=[1], folder=folder)
    for n in range(POINTS):
        recording.sample("records_per_s", 1000 + n % 37, t_s=recording.began_s + n / 2, topic="flights")
    recording.flush()
    notebook.in_kernel = lambda: True
    shown: Any = show.chart(recording, "records_per_s")
    shown._repr_mimebundle_()
    shown._ticker._stop.set()
    shown._ticker.thread.join()
    comm = Comm()
    shown._widget.comm = comm
    count = iter(range(POINTS, 10**9))

    def prepare() -> None:
        n = next(count)
        recording.sample("records_per_s", 1000 + n % 37, t_s=recording.began_s + n / 2, topic="flights")
        recording.flush()

    yield prepare, shown.tick, comm
    recording.close()


@contextmanager
def their_chart() -> Iterator[tuple[Callable[[], None], Callable[[], None], Comm]]:
    """A FigureWidget, fed as its documentation says: new arrays in one batch."""
    import plotly.graph_objects as go

    xs, ys = [n / 2 for n in range(POINTS)], [1000.0 + n % 37 for n in range(POINTS)]
    figure = go.FigureWidget(go.Scatter(x=xs, y=ys))
    comm = Comm()
    figure.comm = comm

    def prepare() -> None:
        xs.append(xs[-1] + 0.5)
        ys.append(1000.0 + len(ys) % 37)
        del xs[0], ys[0]

    def tick() -> None:
        with figure.batch_update():
            figure.data[0].x, figure.data[0].y = list(xs), list(ys)

    yield prepare, tick, comm


def kernel_rows(rounds: int, many: int) -> list[Row]:
    """Bytes and CPU a tick."""
    with tempfile.TemporaryDirectory() as folder, our_chart(Path(folder)) as ours, their_chart() as plain:
        sides = {"ours": lambda: ticks(*ours, many), "plain": lambda: ticks(*plain, many)}
        read = interleaved(sides, rounds)
    size, cpu = (
        {side: [getattr(tick, what) for tick in read[side]] for side in sides} for what in ("size_bytes", "cpu_ms")
    )
    return [
        Row(f"bytes a tick, {POINTS:,} points", size["ours"], size["plain"], "<= 0.01"),
        Row("kernel CPU a tick, ms", cpu["ours"], cpu["plain"], "<= 0.05"),
    ]


OURS = f"""from pathlib import Path
import time
from labsupport.views import show
from tests.unit.views.recordings import Made
made = Made(Path.cwd(), name="bench")
value = lambda n: made.sample(n / 2, "records_per_s", 1000 + n % 37, topic="flights")
for n in range({POINTS}):
    value(n)
made.recording.flush()
def update(n):
    value({POINTS} + n)
    made.recording.flush()
    shown.tick()
shown = show.chart(made.recording, "records_per_s")"""
PLAIN = f"""import time
import plotly.graph_objects as go
xs, ys = [n / 2 for n in range({POINTS})], [1000.0 + n % 37 for n in range({POINTS})]
def update(n):
    xs.append(xs[-1] + 0.5); ys.append(1000.0 + n % 37); del xs[0], ys[0]
    with shown.batch_update():
        shown.data[0].x, shown.data[0].y = list(xs), list(ys)
shown = go.FigureWidget(go.Scatter(x=xs, y=ys), layout=dict(width=700, height=220))"""
LOOP = """began_s = time.monotonic()
for n in range(1, 1 + round({seconds} * {rate})):
    update(n)
    time.sleep(max(0, began_s + n / {rate} - time.monotonic()))"""
LAST_DRAWN = {  # whether the page has drawn so many updates
    "ours": f"many => Number(document.querySelector('[data-testid=chart]').dataset.points) === {POINTS} + many",
    "plain": f"many => document.querySelector('.js-plotly-plot').data[0].x.at(-1) === ({POINTS} - 1 + many) / 2",
}
COUNT_FRAMES = """() => { window.frames_drawn = 0;
  const count = () => { window.frames_drawn += 1; requestAnimationFrame(count); }; requestAnimationFrame(count); }"""


@dataclass(frozen=True)
class Watched:
    """Of one run in the browser."""

    frames: float
    script_ms_an_update: float


def watched(running: Lab, side: str, seconds: float) -> Watched:
    """Open a notebook of one side, let its points come, and count what the page did meanwhile."""
    name = f"{side}-{time.monotonic_ns()}"
    running.write(name, [OURS if side == "ours" else PLAIN, "shown", LOOP.format(seconds=seconds, rate=UPDATES_PER_S)])
    page = running.page()
    seat = running.open(page, name)
    seat.run(0)
    seat.run(1)
    seat.panel.locator("canvas" if side == "ours" else ".js-plotly-plot .main-svg").first.wait_for()
    session = page.context.new_cdp_session(page)
    page.evaluate(COUNT_FRAMES)
    session.send("Profiler.enable")
    session.send("Profiler.setSamplingInterval", {"interval": 200})
    session.send("Profiler.start")
    seat.begin(2)
    time.sleep(seconds)  # nobody asks the page anything meanwhile: that would be script, too
    script_ms = scripts_ms(session.send("Profiler.stop")["profile"])
    frames = page.evaluate("window.frames_drawn")
    seat.page.wait_for_function(LAST_DRAWN[side], arg=round(seconds * UPDATES_PER_S))
    page.context.close()
    return Watched(frames, script_ms / (seconds * UPDATES_PER_S))


def scripts_ms(profile: Any) -> float:
    """Milliseconds in JavaScript and in what it calls, by the samples of V8's profiler."""
    names = {node["id"]: node["callFrame"]["functionName"] for node in profile["nodes"]}
    spent = zip(profile["samples"], profile["timeDeltas"], strict=True)
    return (
        sum(us for node, us in spent if names[node] not in {"(idle)", "(program)", "(garbage collector)", "(root)"})
        / 1000
    )


def browser_rows(running: Lab, rounds: int, seconds: float) -> list[Row]:
    """Frames and script time, both sides in turn."""
    sides = {side: partial(watched, running, side, seconds) for side in ("ours", "plain")}
    read = interleaved(sides, rounds)
    frames = {side: [one.frames for one in read[side]] for side in sides}
    script = {side: [one.script_ms_an_update for one in read[side]] for side in sides}
    return [
        Row(
            f"frames drawn in {seconds:g} s, {UPDATES_PER_S} updates a second",
            frames["ours"],
            frames["plain"],
            ">= 1.5",
        ),
        Row("browser script an update, ms", script["ours"], script["plain"], "<= 0.1"),
    ]


MAP = """from pathlib import Path
import random, time
from labsupport.views import show
from tests.unit.views.fakes import FakeCluster
cluster = FakeCluster(Path.cwd(), name="behind")
show.cluster_map(cluster)"""
MOVE = """for n in range({moves}):
    time.sleep(0.5 + random.random() / 5)
    cluster.lead("flights", 0, leader=2 + n % 2, isr=[1, 2, 3])
time.sleep(2)
events = list(cluster.recording.entries(kinds={{"event"}}))
led = [e["t"] for e in events if e["what"] == "leader" and e["partition"] == 0][1:]
drawn = [e["t"] for e in events if e["what"] == "picture" and e["seen"] == "drawn"]
[round(picture - leader, 4) for leader, picture in zip(led, drawn)]"""


def behind_s(running: Lab, moves: int) -> list[float]:
    """Seconds from a leader in the metadata to the page that has drawn it, by the page's own word."""
    running.write("behind", [MAP, MOVE.format(moves=moves)])
    seat: Seat = running.open(running.page(), "behind")
    seat.run(0)
    seat.panel.locator('[data-testid="cluster-map"][data-connected="true"]').wait_for()
    seat.run(1)
    told: list[float] = ast.literal_eval(seat.cell(1).locator(".jp-OutputArea-output").inner_text())
    if len(told) != moves:
        raise SystemExit(f"{moves} moves, and the page said of {len(told)} that it had drawn them")
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=10, help="for which a page is watched")
    parser.add_argument("--ticks", type=int, default=50, help="in the kernel, a round")
    chosen = parser.parse_args()
    rows = kernel_rows(chosen.rounds, chosen.ticks)
    if not CHROMIUM:
        print("no Chromium on this machine: its part is left out", file=sys.stderr)
        print_table(rows)
        return
    os.environ["PYTHONPATH"] = str(Path(__file__).parents[1])
    with tempfile.TemporaryDirectory() as folder, lab(Path(folder)) as running:
        rows += browser_rows(running, chosen.rounds, chosen.seconds)
        behind = behind_s(running, moves=10 * chosen.rounds)
    print_table(rows)
    periods = [seconds / METADATA_EVERY_S for seconds in behind]
    print(
        f"\nThe picture is behind the metadata by {statistics.median(periods):.1f} polling periods of "
        f"{METADATA_EVERY_S * 1000:.0f} ms in the median of {len(periods)} moves ({min(periods):.1f} to "
        f"{max(periods):.1f}); goal: 2 at most."
    )


if __name__ == "__main__":
    main()
