"""All that a learner needs, in one go and with one bar: what `make lab` calls."""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager, nullcontext

from labsupport.core.folders import cache_folder
from labsupport.provision import progress as display
from labsupport.provision import store
from labsupport.provision.data import fetch_flights, flights_are_there, uplot_files
from labsupport.provision.fetch import Job, download_jobs, missing, run_jobs
from labsupport.provision.lock import locked


def everything_is_there() -> bool:
    """True if nothing has to be fetched; looks at sizes and times, and never at the network."""
    folder = cache_folder()
    return flights_are_there(folder) and not missing(locked().artifacts, folder)


def fetch_all(progress: bool = True, *, remote_repos: dict[str, str] | None = None) -> None:
    """Have both Kafkas, the flights and uPlot in the cache. `progress`: show how far it is, on standard error.

    Raises `ProvisionError`, which names the cause; what had been fetched by then is kept.
    """
    if not everything_is_there():
        folder = cache_folder()
        shown: AbstractContextManager[display.Progress] = display.shown() if progress else nullcontext(display.Silent())
        with store.fetching(folder), shown as bar:
            jobs = download_jobs(missing(locked().artifacts, folder), folder, bar, remote_repos)
            if not flights_are_there(folder):

                def flights(stop: threading.Event) -> None:
                    fetch_flights(folder, bar, stop)

                first: list[Job] = [flights]  # the longest of all
                jobs = first + jobs
            run_jobs(jobs)
    uplot_files()
