"""The ledger: what the guide states, what we found, and how a run settles it.

Rows are data (`section-N.toml`, one file a chapter of the guide); each row names the predicate in `predicates` that
reads the evidence, and `audit` holds rows, predicates and pages against each other. It never talks to a cluster: a page
measures and hands the evidence over. Start with `judge`.
"""

from labsupport.claims.evidence import Undecided
from labsupport.claims.judging import Judgement, judge
from labsupport.claims.rows import Claim, Verdict, claim, ledger

__all__ = ["Claim", "Judgement", "Undecided", "Verdict", "claim", "judge", "ledger"]
