# SPDX-License-Identifier: Apache-2.0
"""A pretty-printed record on its way, line breaks and all.

A transport may write its line breaks as escapes: the record is read. It may
take lines for messages: whichever carries the phrase is told as undecodable,
never passed. SYNCTAP_PIECES raises the number of records.
"""

import json
import os
import pathlib
import random
import tempfile
import unittest

import plain
import rendering
from command import objects, synctap

NOW = "2026-06-01T12:00:00Z"
RECORDS = int(os.environ.get("SYNCTAP_PIECES", "20"))
FIRST_SEED = int(os.environ.get("SYNCTAP_SEED", "0"))
HEADERS = ("", "<134>Jun  1 12:00:00 edge7 imfile: ",
           "<134>1 2026-06-01T12:00:00Z edge7 imfile - - - ", "<13>")

# How transports write a control character between JSON's tokens.
ESCAPES = (
    lambda char: f"#{ord(char):03o}", lambda char: f"#x{ord(char):02x}",
    lambda char: f"#x{ord(char):02X}", lambda char: f"\\{ord(char):03o}",
    lambda char: f"\\x{ord(char):02x}",
    lambda char: {"\n": "\\n", "\r": "\\r", "\t": "\\t"}[char])

REMEDY = "send one record as one message"


class PiecesTest(unittest.TestCase):
    """Makes records, and asks what becomes of messages."""

    def setUp(self):
        made = tempfile.TemporaryDirectory(prefix="synctap-pieces-")
        self.addCleanup(made.cleanup)
        self.path = pathlib.Path(made.name) / "messages"

    def printed(self, rng):
        """Make a matching record of any shape, printed with breaks."""
        shape = rng.choice(rendering.SHAPES)
        record = shape(plain.row(), rng)
        indent = rng.choice((1, 2, 4, "\t"))
        end = rng.choice(("\n", "\r\n"))
        return json.dumps(record, indent=indent).replace("\n", end)

    def explained(self, messages):
        """Give what is said of each message; none goes on in the next."""
        paths = [self.path.with_name(str(n)) for n in range(len(messages))]
        for path, message in zip(paths, messages):
            path.write_text(message)
        done = synctap("explain", "--format", "jsonl", "--now", NOW,
                       "--identity", "/dev/null", *paths)
        told = {str(path): [] for path in paths}
        for one in objects(done.output):
            told[one["file"]].append(one)
        return list(told.values())

    def each(self):
        """Give a random number generator for each record."""
        return [random.Random(f"pieces {seed}")
                for seed in range(FIRST_SEED, FIRST_SEED + RECORDS)]


class Escapes(PiecesTest):
    """Line breaks and tabs as characters that one can see."""

    def test_any_escape_of_any_record_is_undone(self):
        for rng in self.each():
            text = self.printed(rng)
            messages = [header + self._escaped(text, escape)
                        for header in HEADERS for escape in ESCAPES]
            messages.append(self._escaped(text, None, rng))
            for message, told in zip(messages, self.explained(messages)):
                self.assertEqual(["match"], [one["verdict"] for one in told],
                                 message)

    @staticmethod
    def _escaped(text, escape, rng=None):
        return "".join(
            (escape or rng.choice(ESCAPES))(char) if char in "\n\r\t" else char
            for char in text)

    def test_the_records_own_escapes_are_left_alone(self):
        record = rendering.directory_audit(plain.row(), plain.chance())
        record["id"] = "a#012b\nc\\012"
        self.path.write_text("<13>" + json.dumps(record, indent=1).replace(
            "\n", "#012"))
        row, = objects(synctap("query", "--format", "jsonl", "--now", NOW,
                               "--identity", "/dev/null", self.path).output)
        self.assertEqual("a#012b\nc\\012", row["Id"])


class Lines(PiecesTest):
    """Lines of a record that came as messages of their own."""

    def test_whichever_carries_the_phrase_is_told(self):
        for rng in self.each():
            lines = self.printed(rng).splitlines()
            pieces = list(lines)
            for _ in range(20):
                cuts = sorted(rng.sample(range(1, len(lines)),
                                         rng.randint(1, 4)))
                pieces += [rng.choice(("\\n", "#012", " ")).join(
                    lines[begin:end])
                    for begin, end in zip([0, *cuts], [*cuts, None])]
            self._check([piece for piece in pieces
                         if plain.OPERATION in piece])

    def _check(self, pieces):
        self.assertTrue(pieces)
        for piece, told in zip(pieces, self.explained(pieces)):
            last = told[-1] if told else {"verdict": "nothing"}
            self.assertIn("undecodable", last["verdict"], piece)
            if "{" not in piece[:1]:
                self.assertEqual("part of a record", last["reason"], piece)
                self.assertIn(REMEDY, last["remedy"])

    def test_a_split_at_any_byte_is_told(self):
        for rng in self.each()[::5]:
            text = self._text(rng)
            pieces = [piece for at in range(1, len(text))
                      for piece in (text[:at], text[at:])]
            self._check_told(self._with_phrase(pieces, rng))

    def test_two_splits_around_the_phrase_are_told(self):
        """Only the bare phrase, of which a quote is gone, is but words."""
        for rng in self.each()[::5]:
            text = self._text(rng)
            begin = text.index(plain.OPERATION)
            end = begin + len(plain.OPERATION)
            pieces = [text[max(begin - before, 0):end + behind]
                      for before in range(30) for behind in range(30)
                      if before > 0 or behind > 1]
            self._check_told(self._with_phrase(pieces, rng))

    def _text(self, rng):
        """Print a record anyhow, perhaps in a string of another."""
        text = self.printed(rng)
        way = rng.random()
        if way < 0.2:
            return json.dumps(json.loads(text))
        if way < 0.4:
            return json.dumps({"message": text, "host": "edge7"}, indent=2)
        return text

    @staticmethod
    def _with_phrase(pieces, rng):
        header = rng.choice(HEADERS)
        # One that is whole from its first byte on is a message of its own.
        return [header + rng.choice((piece, piece.replace("\n", "#012")))
                for piece in pieces if plain.OPERATION in piece]

    def _check_told(self, pieces):
        silent = []
        for begin in range(0, len(pieces), 500):
            some = pieces[begin:begin + 500]
            silent += [piece for piece, told in zip(some, self.explained(some))
                       if not any(map(self._is_told, told))]
        self.assertEqual([], silent[:3], f"{len(silent)} of {len(pieces)}")

    @staticmethod
    def _is_told(one):
        """Whole properties alone are a record, perhaps an old one."""
        return "undecodable" in one["verdict"] or one["verdict"] == "match" \
            or one.get("because") == "it was generated before the lookback"

    def test_one_that_shows_the_account_is_a_degraded_alert(self):
        record = rendering.directory_audit(plain.row(), plain.chance())
        lines = json.dumps(record, indent=1).splitlines()[1:]
        self.path.write_text("\\n".join(lines))
        done = synctap("replay", "--format", "jsonl", "--now", NOW,
                       "--identity", "/dev/null", self.path)
        alert, = objects(done.output)
        self.assertEqual((1, "degraded", plain.SYNC_UPN), (
            done.status, alert["confidence"], alert["target_upn"]))

    def test_pieces_of_two_records_of_one_account_are_two_alerts(self):
        """A target's id is not the record's, wherever the piece begins."""
        record = rendering.directory_audit(plain.row(), plain.chance())
        del record["targetResources"]
        target = {"id": "11111111-2222-4333-8444-555555555555",
                  "displayName": None, "userPrincipalName": plain.SYNC_UPN}
        for order in (list(target), list(reversed(target))):
            tails = []
            for number in range(2):
                text = json.dumps({
                    "targetResources": [{key: target[key] for key in order}],
                    **record, "id": f"r{number}"})
                tails.append(text[text.index(f'"{order[0]}"'):])
            self.path.write_text("\n".join(tails))
            done = synctap("replay", "--format", "jsonl", "--now", NOW,
                           "--identity", "/dev/null", self.path)
            self.assertEqual([(target["id"], plain.SYNC_UPN)] * 2, [
                (alert["target_id"], alert["target_upn"])
                for alert in objects(done.output)], tails)

    def test_words_that_are_no_piece_of_a_record_are_nobodys(self):
        messages = [f"<13>app: anna searched for {plain.OPERATION}",
                    f'<13>app: x="{plain.OPERATION}" y={plain.SYNC_UPN}',
                    f'{{"search": "{plain.OPERATION} {plain.SYNC_UPN}"}}']
        for message, told in zip(messages, self.explained(messages)):
            self.assertEqual(["no record"],
                             [one["verdict"] for one in told], message)


class Wide(PiecesTest):
    """UTF-16 and UTF-32 behind a header, as inputs of a syslog hand them on.

    A file all of which is UTF-16 is read: test_compressed_files.
    """

    CODINGS = ("utf-16", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")
    NULS = (b"\0", b"#000", b"\\000", b"\\0", b"#x00", b"\\x00", b"\\u0000")

    def _line(self, rng):
        return " ".join(self.printed(rng).splitlines())

    def _wide(self, text, rng):
        coding, nul = rng.choice(self.CODINGS), rng.choice(self.NULS)
        wide = text.encode(coding).replace(b"\0", nul)
        if rng.random() < 0.3:
            return coding, json.dumps(
                {"host": "edge7", "message": wide.decode("latin-1"),
                 "offset": rng.randrange(10 ** 6)}).encode()
        return coding, rng.choice(HEADERS[1:]).encode() + wide

    def _check(self, command, text, rng):
        coding, message = self._wide(text, rng)
        self.path.write_bytes(message)
        done = synctap(command, "--format", "jsonl", "--now", NOW,
                       "--identity", "/dev/null", self.path)
        self.assertEqual(1, done.status, message)
        self.assertIn("UTF-16 or UTF-32 instead of UTF-8", done.words, message)
        return coding, objects(done.output)

    def test_each_is_told_and_how_to_send_it(self):
        for rng in self.each():
            told = self._check("explain", self._line(rng), rng)[1][-1]
            self.assertIn("undecodable", told["verdict"])
            self.assertIn("iconv -f UTF-16 -t UTF-8", told["remedy"])

    def test_what_shows_the_account_is_a_degraded_alert(self):
        for rng in self.each():
            for command in ("query", "replay"):
                coding, rows = self._check(command, self._line(rng), rng)
                if command == "replay" and coding != "utf-16":
                    self.assertEqual(
                        [("degraded", plain.SYNC_UPN)],
                        [(row["confidence"], row["target_upn"])
                         for row in rows])

    def test_a_piece_of_one_is_told(self):
        for rng in self.each():
            for line in self.printed(rng).splitlines():
                if plain.OPERATION in line:
                    self._check("explain", line, rng)

    def test_one_of_another_operation_is_nobodys(self):
        record = rendering.directory_audit(
            plain.row(OperationName="Update user"), plain.chance())
        for rng in self.each():
            self.path.write_bytes(self._wide(json.dumps(record), rng)[1])
            done = synctap("query", "--format", "jsonl", "--now", NOW,
                           "--identity", "/dev/null", self.path)
            self.assertIn("no audit record in it", done.words)


class Flat(PiecesTest):
    """Records whose paths became keys."""

    def _flat(self, value, separator, path=""):
        if isinstance(value, dict):
            items = value.items()
        elif isinstance(value, list):
            items = enumerate(value)
        else:
            return {path: value}
        flat = {}
        for key, item in items:
            flat.update(self._flat(
                item, separator, f"{path}{separator}{key}" if path else key))
        return flat

    def _replay(self, record):
        self.path.write_text(json.dumps(record))
        return synctap("replay", "--format", "jsonl", "--now", NOW,
                       "--identity", "/dev/null", self.path)

    def test_one_that_shows_phrase_and_account_is_a_degraded_alert(self):
        for rng in self.each():
            shape = rng.choice(rendering.SHAPES)
            separator = rng.choice((".", "_", "-", "/", "__"))
            record = shape(plain.row(), rng)
            if rng.random() < 0.5:
                record = {"Vendor": record}
            flat = self._flat(record, separator)
            done = self._replay(flat)
            alerts = [(one["confidence"], one["target_upn"])
                      for one in objects(done.output)]
            self.assertEqual([("degraded", plain.SYNC_UPN)], alerts, flat)
            self.assertEqual(1, done.status)
            self.assertIn("no audit record in it", done.words)

    def _beside(self, rng, other=None):
        """Make a message of a whole record and a flat one, anyhow."""
        record = rng.choice(rendering.SHAPES)(plain.row(), rng)
        flat = self._flat({"Vendor": other or record}, rng.choice("._-/"))
        if rng.random() < 0.3:
            flat = self._flat(other or record, ".")
        inner = rng.choice((record, json.dumps(record)))
        return rng.choice((
            dict(flat, raw=inner), {"raw": inner, **flat}, [flat, record],
            [record, flat], {"records": [flat, record, flat]}))

    def test_one_beside_the_whole_record_is_the_same_row(self):
        for rng in self.each():
            message = self._beside(rng)
            done = self._replay(message)
            self.assertEqual(
                (0, "", [("exact", plain.SYNC_UPN)]),
                (done.status, done.words,
                 [(one["confidence"], one["target_upn"])
                  for one in objects(done.output)]), message)

    def test_one_of_another_record_is_a_row_of_its_own(self):
        for upn, name in (("Sync_2@x", "r2"), (plain.SYNC_UPN, "r2")):
            other = rendering.directory_audit(plain.row(
                plain.target(upn), Id=name), plain.chance())
            for rng in self.each():
                message = self._beside(rng, other)
                self.assertEqual(
                    {("exact", plain.SYNC_UPN), ("degraded", upn)},
                    {(one["confidence"], one["target_upn"]) for one in
                     objects(self._replay(message).output)}, message)

    def test_one_of_another_account_is_no_alert(self):
        record = rendering.directory_audit(plain.row(
            plain.target(plain.PERSON_UPN)), plain.chance())
        done = self._replay(self._flat({"Vendor": record}, "."))
        self.assertEqual("", done.output)

    def test_an_initiator_is_no_target(self):
        """A whole record without targets says so: it is not flat."""
        record = rendering.directory_audit(plain.row(), plain.chance())
        record["targetResources"] = []
        record["initiatedBy"] = {"user": {"userPrincipalName":
                                          plain.SYNC_UPN}}
        done = self._replay(record)
        self.assertEqual((0, ""), (done.status, done.output))


class Normalized(PiecesTest):
    """Records whose operation stands under another product's key."""

    TIME = "2026-06-01T11:00:00Z"

    def _replay(self, record):
        self.path.write_text(json.dumps(record))
        return synctap("replay", "--format", "jsonl", "--now", NOW,
                       "--identity", "/dev/null", self.path)

    def _records(self, operation, upn):
        """Write one as each normalizer does."""
        asim = {"TimeGenerated": self.TIME, "EventProduct": "Entra ID",
                "Object": upn, "ActorUsername": plain.PERSON_UPN}
        attributes = [{"key": key, "value": {"stringValue": value}}
                      for key, value in (("operationName", operation),
                                         ("target", upn))]
        return (
            {"CreationTime": self.TIME, "Workload": "AzureActiveDirectory",
             "Operation": operation, "UserId": plain.PERSON_UPN,
             "ObjectId": upn, "Target": [{"ID": upn, "Type": 5}]},
            {**asim, "Operation": operation}, {**asim, "EventType": operation},
            {**asim, "EventOriginalType": operation, "EventType": "Set"},
            {"class_uid": 3001, "activity_name": operation,
             "user": {"name": upn}},
            {"class_uid": 6003, "api": {"operation": operation},
             "resources": [{"name": upn}]},
            {"event.action": operation, "user.target.name": upn},
            {"event": {"action": operation}, "user": {"name": upn}},
            {"timeUnixNano": "1", "attributes": attributes})

    def test_one_that_shows_phrase_and_account_is_a_degraded_alert(self):
        for record in self._records(plain.OPERATION, plain.SYNC_UPN):
            done = self._replay(record)
            self.assertEqual(
                (1, [("degraded", plain.OPERATION, plain.SYNC_UPN)]),
                (done.status, [
                    (one["confidence"], one["operation_name"],
                     one["target_upn"]) for one in objects(done.output)]),
                record)

    def test_one_of_another_account_or_operation_is_no_alert(self):
        for record in (*self._records(plain.OPERATION, plain.PERSON_UPN),
                       *self._records("Update user", plain.SYNC_UPN)):
            self.assertEqual("", self._replay(record).output, record)

    def test_one_beside_the_whole_record_is_the_same_row(self):
        whole = rendering.directory_audit(plain.row(), plain.chance())
        for record in self._records(plain.OPERATION, plain.SYNC_UPN):
            for raw in (whole, json.dumps(whole)):
                done = self._replay({**record, "raw": raw})
                self.assertEqual(["exact"], [
                    one["confidence"] for one in objects(done.output)],
                    record)

    def test_the_whole_record_in_one_is_what_counts(self):
        whole = rendering.directory_audit(plain.row(
            plain.target(plain.PERSON_UPN)), plain.chance())
        for record in self._records(plain.OPERATION, plain.SYNC_UPN):
            self.assertEqual("", self._replay(
                {**record, "raw": json.dumps(whole)}).output, record)

    def test_a_text_that_talks_of_one_is_none(self):
        for record in (
                {"text": plain.OPERATION, "user": plain.SYNC_UPN},
                {"title": plain.OPERATION, "entity": plain.SYNC_UPN},
                {"message": f"{plain.OPERATION}: {plain.SYNC_UPN}"},
                {"alert": {"customDetails": {
                    "Operation": plain.OPERATION, "Actor": "a@x",
                    "Target": plain.SYNC_UPN}}}):
            self.assertEqual("", self._replay(record).output, record)


class Bare(PiecesTest):
    """Records whose targets do not stand where they are known to."""

    KEYS = {"targetResources", "TargetResources", "userPrincipalName"}

    def _replay(self, record):
        self.path.write_text(json.dumps(record))
        return synctap("replay", "--format", "jsonl", "--now", NOW,
                       "--identity", "/dev/null", self.path)

    def _record(self, rng, upn=plain.SYNC_UPN):
        record = rng.choice(rendering.SHAPES)(
            plain.row(plain.target(upn)), rng)
        return record, record.get("properties", record)

    def _misspelled(self, rng, upn=plain.SYNC_UPN):
        """Change a letter of a key that leads to the name, anyhow."""
        record, holder = self._record(rng, upn)
        for part in (holder, *holder.get("targetResources", ()),
                     *holder.get("TargetResources", ())):
            for key in self.KEYS & set(part):
                at = rng.randrange(len(key))
                name = key[:at] + rng.choice("\t\1 x.\u200b") \
                    + key[at + rng.randrange(2):]
                part[name] = part.pop(key)
                if rng.random() < 0.5:
                    return record
        return record

    def _elsewhere(self, rng, upn=plain.SYNC_UPN):
        """Put the targets, or the name, somewhere else."""
        record, holder = self._record(rng, upn)
        key = next(iter(self.KEYS & set(holder)))
        targets = holder.pop(key)
        holder.update(rng.choice((
            {"data": {key: targets}}, {f"{key}_s": json.dumps(targets)},
            {key: {"item": targets}}, {"TargetUserUpn": upn},
            {key: None, "affected": [upn]},
            {key: [{"Key": "userPrincipalName", "Value": upn}]},
            {key: [{"type": "User", "userPrincipalName": [upn]}]},
            {key: [{"type": "User", "userPrincipalName": {"value": upn}}]})))
        return record

    def _check(self, record):
        done = self._replay(record)
        self.assertEqual((1, [("degraded", plain.SYNC_UPN)]), (
            done.status, [(one["confidence"], one["target_upn"])
                          for one in objects(done.output)]), record)
        self.assertIn("shows an operation and a sync account", done.words)

    def test_a_key_that_is_misspelled_hides_no_account(self):
        for rng in self.each():
            self._check(self._misspelled(rng))

    def test_targets_elsewhere_are_a_degraded_alert(self):
        for rng in self.each():
            self._check(self._elsewhere(rng))

    def test_another_account_elsewhere_is_nobodys(self):
        for rng in self.each():
            make = rng.choice((self._misspelled, self._elsewhere))
            done = self._replay(make(rng, plain.PERSON_UPN))
            self.assertEqual((0, ""), (done.status, done.output))

    def test_what_a_group_is_called_is_no_account(self):
        for rng in self.each():
            record, holder = self._record(rng)
            key = next(iter(self.KEYS & set(holder)))
            holder[key] = [{"id": plain.OTHER_ID, "type": "Group",
                            "displayName": plain.SYNC_UPN}]
            done = self._replay(record)
            self.assertEqual((0, ""), (done.status, done.output))


if __name__ == "__main__":
    unittest.main()
