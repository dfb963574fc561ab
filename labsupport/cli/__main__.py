"""`python -m labsupport.cli` is `kafka-lab`."""

from __future__ import annotations

import sys

from labsupport.cli import main

sys.exit(main())
