"""Whether a broker answers at an address that somebody was told, and if not, what goes wrong on the way there.

A client that was told an address which leads nowhere tries it again and again, and says nothing for a long time.
"""

from __future__ import annotations

import socket
from typing import Literal

from labsupport.clients import one_broker
from labsupport.core.errors import BadInput

Answer = Literal["answers", "no such name", "refused", "no answer"]


def how_it_answers(address: str, *, timeout_s: float = 5) -> Answer:
    """What becomes of a request to "host:port" (no TLS, no SASL) from this machine, within `timeout_s` seconds.

    "no such name": DNS does not know the host. "refused": nobody listens there. "no answer": silence, or something
    that is no broker. Raises `BadInput` for what is no address.
    """
    host, _, port = address.rpartition(":") if isinstance(address, str) else ("", "", "")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise BadInput(f"{address!r} is no address.", fix="Use host:port, as brokers advertise it.")
    try:
        one_broker.ask(address, timeout_s)
    except (socket.gaierror, UnicodeError):  # a label that is too long is refused before anybody is asked
        return "no such name"
    except ConnectionRefusedError:
        return "refused"
    except (OSError, ValueError):
        return "no answer"
    return "answers"
