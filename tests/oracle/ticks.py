"""Times as the query counts them: whole numbers of 100 ns since 1970, UTC.

Python's datetime stops at microseconds, one digit short of the query's clock,
so only whole seconds go through it.
"""

import calendar
import re
import time
from datetime import datetime, timedelta

SECOND = 10_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_ISO = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,7}))?"
                  r"(?:Z|([+-])(\d\d):(\d\d))?")


def now():
    """Read the machine's clock."""
    return time.time_ns() // 100


def parse(text):
    """Read an ISO 8601 time, UTC if it names no zone; else ValueError."""
    match = _ISO.fullmatch(text)
    if not match:
        raise ValueError(f"not an ISO 8601 time: {text!r}")
    whole, fraction, sign, hours, minutes = match.groups()
    seconds = calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S"))
    if sign:
        shift = int(hours) * 3600 + int(minutes) * 60
        seconds -= shift if sign == "+" else -shift
    return seconds * SECOND + int((fraction or "").ljust(7, "0"))


def render(ticks, digits=7, offset=0, zone="Z"):
    """Write ticks with that many digits, offset minutes from UTC.

    The zone's text is the caller's, since one offset has several spellings.
    """
    seconds, fraction = divmod(ticks, SECOND)
    whole = datetime(1970, 1, 1) + timedelta(seconds=seconds + offset * 60)
    text = whole.strftime("%Y-%m-%dT%H:%M:%S")
    if digits:
        text += "." + f"{fraction:07d}"[:digits]
    return text + zone
