"""A figure: two medians, their ratio, and what it must show."""

import dataclasses
import json
import statistics


@dataclasses.dataclass(frozen=True)
class Bound:
    """What issue and README promise of a ratio."""

    at_least: float = None
    at_most: float = None

    def holds(self, turns):
        """Say whether all keep to it, or all are beyond the same side."""
        sides = []
        if self.at_least is not None:
            sides.append({turn >= self.at_least for turn in turns})
        if self.at_most is not None:
            sides.append({turn <= self.at_most for turn in turns})
        if {False} in sides:
            return False
        return True if set().union(*sides) == {True} else "too noisy to tell"

    def fields(self, turns):
        """Give what a figure says of its bound; its turns must agree."""
        named = {name: value for name, value in
                 dataclasses.asdict(self).items() if value is not None}
        return {**named, "holds": self.holds(turns)} if named else {}


NO_BOUND = Bound()


def figure(name, ours, theirs, unit, bound=NO_BOUND, inverse=False, **more):
    """Make the figure of two rows of measurements, taken turn by turn.

    The two of a turn were measured one after the other, so whatever else the
    machine did met both. The ratio is the median of the turns' own, ours to
    theirs (inverse: theirs to ours).
    """
    above, below = (theirs, ours) if inverse else (ours, theirs)
    turns = [_ratio(a, b) for a, b in zip(above, below)]
    return {"figure": name, "ratio": _rounded(statistics.median(turns)),
            "n": len(turns), "min": _rounded(min(turns)),
            "max": _rounded(max(turns)),
            "ours": _rounded(statistics.median(ours)),
            "theirs": _rounded(statistics.median(theirs)), "unit": unit,
            **bound.fields(turns), **more}


def _ratio(a, b):
    return a / b


def _rounded(number):
    return float(f"{number:.4g}")


def cannot(name, why):
    """Make what stands in a figure's place when it cannot be had here."""
    return {"figure": name, "cannot_run": why}


def show(made):
    """Print a figure as one line."""
    print(json.dumps(made), flush=True)
