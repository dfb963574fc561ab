"""Every test runs in folders of its own; only the cache of downloads is the user's."""

from __future__ import annotations

import atexit
import os
import secrets
import shutil
import signal
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.backends import BACKENDS, lack_of, reasons

# A deadline, or a complaint that examples are made slowly, would be a timed assertion.
settings.register_profile("lab", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("lab")

# Set when this file is imported, since some modules look at their folder early. Short: socket paths are.
_ROOT = Path(tempfile.mkdtemp(prefix="klt-"))
_OWNER = os.getpid()
for _variable, _name in (("KAFKA_LAB_RUNTIME", "run"), ("KAFKA_LAB_STATE", "state")):
    os.environ[_variable] = str(_ROOT / _name)


@atexit.register
def _remove_folders() -> None:
    """Not a fixture: a run that only collects has folders too. A forked child must leave its parent's alone."""
    if os.getpid() == _OWNER:
        shutil.rmtree(_ROOT, ignore_errors=True)


# A shell that starts us in the background has SIGINT ignored, and every process that we start would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--seed", type=int, default=None, help="the seed of random schedules; printed when left out")
    parser.addoption("--soak", action="store_true", help="200 rounds of everything that is random, in place of 20")
    parser.addoption(
        "--backend",
        choices=BACKENDS,
        default="local",
        help="where the clusters of the tests run; those that cannot run there are skipped and say why",
    )
    parser.addoption("--rounds", type=int, default=None, help="so many rounds of everything that is random")


def pytest_configure(config: pytest.Config) -> None:
    os.environ["KAFKA_LAB_BACKEND"] = config.getoption("--backend")
    for marker in (
        "contract: part of what every backend promises, and run on each of them in CI",
        "local_only(why): looks at what only the local backend has",
        "only_on(backend): looks at what only this one has",
        "needs(*capabilities): names the capabilities of `cluster.broker.Capability` without which it makes no sense",
    ):
        config.addinivalue_line("markers", marker)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        for why in reasons(item.iter_markers(), config.getoption("--backend")):
            item.add_marker(pytest.mark.skip(reason=why))


@pytest.fixture(scope="session", autouse=True)
def _the_backend_is_there(request: pytest.FixtureRequest) -> None:
    """Without it there is nothing to test: said once for each test, and in CI a failure."""
    lack = lack_of(request.config.getoption("--backend"))
    if lack and os.environ.get("CI") == "true":
        pytest.fail(f"CI must have it: {lack}")
    if lack:
        pytest.skip(lack)


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """The seed of a random schedule. It is printed when a test fails, and replays the test with `--seed`."""
    given = request.config.getoption("--seed")
    chosen = secrets.randbelow(2**32) if given is None else int(given)
    print(f"seed {chosen}")
    return chosen


@pytest.fixture
def rounds(request: pytest.FixtureRequest) -> int:
    """How many rounds a random test has: 20, or 200 with `--soak`, or as many as `--rounds` says."""
    return request.config.getoption("--rounds") or (200 if request.config.getoption("--soak") else 20)
