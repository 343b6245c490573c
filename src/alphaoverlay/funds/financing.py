"""What leveraged funds pay above the financing rate."""

from __future__ import annotations

import datetime

# One spread for every leveraged and inverse fund, until spreads by index and side are calibrated. It is a round figure
# chosen on the funds' real history to 2021 (docs/method.md, M1), not a fact read in a document.
PROVISIONAL_SPREAD = 0.0040
SPREAD_AS_OF = datetime.date(2021, 12, 31)
