"""Random stories of roles that come and go, against a model in a few lines.

Two accounts get and lose a sync role, passes are registered on them, the role
list tells of them now and then; some records come late. What `replay --learn
roles` alerts, when and why, is what the model says: it looks at every record
that has not alerted again after each event.

SYNCTAP_LEARNED_STORIES sets how many, SYNCTAP_LEARNED_SEED which.
"""

import json
import os
import random
import unittest

import rule_files
from command import objects, synctap
from test_learned_roles import SYNC, gain, loss, principal, prop, record

MANY = int(os.environ.get("SYNCTAP_LEARNED_STORIES", "60"))
SEED = int(os.environ.get("SYNCTAP_LEARNED_SEED", "1"))
DAY = 24 * 60
ACCOUNTS = {"a@nordwind.example": "id-a", "b@nordwind.example": "id-b"}


def stamp(minutes):
    """Write an instant, in minutes since the story's first midnight."""
    day, minute = divmod(minutes, DAY)
    return f"2026-06-{day + 1:02}T{minute // 60:02}:{minute % 60:02}:00Z"


class Event:
    """One line of a story."""

    def __init__(self, source, number, now):
        """Draw it; some records are told of late."""
        self.kind = source.choice(("gain", "loss", "row", "register",
                                   "register"))
        self.upn = source.choice(sorted(ACCOUNTS))
        self.number = number
        late = source.choice((0, 0, 0, source.randrange(200)))
        self.time = max(now - (late if self.kind != "row" else 0), 0)
        self.has_role = source.random() < 0.4

    def line(self):
        """Write it as the stream carries it."""
        if self.kind == "row":
            return {"TimeGenerated": stamp(self.time), "AccountUPN": self.upn,
                    "AccountObjectId": ACCOUNTS[self.upn],
                    "AccountDisplayName": "Connect", "Type": "IdentityInfo",
                    "AssignedRoles": [SYNC] if self.has_role else ["Reader"]}
        made = {"gain": gain, "loss": loss}.get(self.kind, self._register)("x")
        made["time"] = stamp(self.time)
        made["properties"]["id"] = str(self.number)
        made["properties"]["targetResources"][0].update(
            id=ACCOUNTS[self.upn], userPrincipalName=self.upn)
        return made

    @staticmethod
    def _register(_):
        return record("00:00", "Admin registered security info",
                      principal(prop("Other", new="x")),
                      service="Authentication Methods")


class Model:
    """What is known, and what waits."""

    NEVER = -10 ** 9

    def __init__(self):
        """Nothing happened yet."""
        self.now = self.NEVER
        self.gained, self.lost, self.rows, self.waiting = {}, {}, {}, []
        self.alerts = []

    def take(self, event):
        """Let it happen; what can be true now alerts."""
        self.now = max(self.now, event.time)
        known = {"gain": self.gained, "loss": self.lost}.get(event.kind)
        if known is not None:
            known[event.upn] = max(known.get(event.upn, self.NEVER),
                                   event.time)
        elif event.kind == "row":
            if event.time > self.rows.get(event.upn, (self.NEVER,))[0]:
                self.rows[event.upn] = event.time, event.has_role
        elif event.time > self.now - DAY:
            self.waiting.append(event)
        self._look(event)

    def _look(self, last):
        for event in list(self.waiting):
            why = self._why(event.upn)
            if event.time + DAY <= self.now:
                self.waiting.remove(event)
            elif why is not None:
                self.waiting.remove(event)
                self.alerts.append((str(event.number), why, why == [],
                                    event is not last))

    def _why(self, upn):
        told, has_role = self.rows.get(upn, (self.NEVER, False))
        gained = self.gained.get(upn, self.NEVER)
        lost = self.lost.get(upn, self.NEVER)
        if has_role:
            return []
        if gained > lost and not told > gained + 120:
            return ["role_learned"]
        if lost > self.now - DAY:
            return ["role_recent"]
        return None


def story(seed):
    """Draw a story of up to forty events, in the order in which they come."""
    source = random.Random(seed)
    now = source.randrange(DAY)
    for number in range(source.randrange(3, 40)):
        now += source.choice((0, 1, 5, 30, 90, 119, 120, 121, 400, DAY))
        yield Event(source, number, now)


class LearnedStories(unittest.TestCase):
    """Many of them."""

    maxDiff = None

    def test_random_stories(self):
        folder = rule_files.Folder(self)
        for seed in range(SEED, SEED + MANY):
            with self.subTest(seed=seed):
                self._check(folder, seed)

    def _check(self, folder, seed):
        events, model = list(story(seed)), Model()
        for event in events:
            model.take(event)
        path = folder.put("".join(json.dumps(event.line()) + "\n"
                                  for event in events), "story.jsonl")
        done = synctap("replay", "--learn", "roles", "--now", stamp(0),
                       "--format", "jsonl", path)
        self.assertEqual(done.status, 0, done.words)
        both = ["identity_upn", "identity_object_id"]
        self.assertEqual(
            [(one["record_id"], one["matched_by"], one["kql"], one["late"])
             for one in objects(done.output)],
            [(number, both + why, kql, late)
             for number, why, kql, late in model.alerts],
            "\n".join(f"{event.number} {event.kind} {event.upn[0]} "
                      f"{stamp(event.time)} {event.has_role}"
                      for event in events))


if __name__ == "__main__":
    unittest.main()
