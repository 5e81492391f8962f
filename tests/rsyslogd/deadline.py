"""How long a test waits for an event before it calls it missing.

Nothing waits by sleeping: every wait ends with its event, so the deadline
costs time only where a test fails. It is generous for slow machines.
"""

import os

SECONDS = float(os.environ.get("SYNCTAP_DEADLINE", "60"))
