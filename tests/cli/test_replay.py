"""`synctap replay`: the stream's behaviour over files, one rule a test."""

import gzip
import json
import platform

import plain
import rendering
import ticks
from command import objects, replay, synctap
from replayed import (OBJECT_ID, PERSON, UPN, ReplayTest, audit, given_role,
                      late_story, role, time, told, waiting)
from ticks import DAY, HOUR, MINUTE, SECOND


def json_of(record):
    """Write a record as a line's text."""
    return json.dumps(record)


class Clock(ReplayTest):
    """The clock of a replay is each record's arrival."""

    def test_a_row_that_says_when_it_was_received_came_then(self):
        self.assertEqual([(1, False, 5)], self.fired(
            audit(1, received=5 * MINUTE)))

    def test_a_header_of_rfc_5424_says_when_a_line_came(self):
        for stamp in ("2026-06-01T12:05:00Z", "2026-06-01T12:05:00.000000Z",
                      "2026-06-01T14:05:00+02:00",
                      "2026-06-01T04:35:00.0-07:30"):
            with self.subTest(stamp=stamp):
                self.assertEqual([(1, False, 5)], self.fired(
                    f"<134>1 {stamp} edge7 azurefunction 4711 AUDIT - "
                    + json_of(audit(1))))

    def test_its_fraction_counts(self):
        one, = self.alerts("<134>1 2026-06-01T12:05:00.123456Z edge7 a - - - "
                           + json_of(audit(1)))
        self.assertEqual("2026-06-01T12:05:00.1234560Z", one["detected_at"])

    def test_a_line_without_a_stamp_comes_at_the_latest_time_so_far(self):
        self.assertEqual([(1, False, 0), (2, False, 20), (3, False, 20)],
                         self.fired(audit(1), audit(2, at=20 * MINUTE),
                                    audit(3, at=10 * MINUTE)))

    def test_a_nil_stamp_says_nothing(self):
        self.assertEqual([(1, False, 3)], self.fired(
            "<134>1 - edge7 azurefunction 4711 AUDIT - "
            + json_of(audit(1, at=3 * MINUTE))))

    def test_the_time_of_a_role_row_moves_the_clock(self):
        self.assertEqual([(1, False, 60)], self.fired(
            role(at=HOUR), audit(1)))

    def test_the_time_of_a_record_of_no_interest_moves_the_clock(self):
        other = audit(1, at=HOUR, OperationName="Update user",
                      ActivityName="Update user")
        self.assertEqual([(2, False, 60)], self.fired(other, audit(2)))

    def test_a_rows_own_arrival_goes_before_the_headers(self):
        self.assertEqual([(1, False, 7)], self.fired(
            "<134>1 2026-06-01T12:05:00Z edge7 azurefunction 4711 AUDIT - "
            + json_of(audit(1, received=7 * MINUTE))))

    def test_an_arrival_may_set_the_clock_back(self):
        self.assertEqual([(1, False, 60), (2, False, 5)], self.fired(
            audit(1, received=HOUR), audit(2, received=5 * MINUTE)))

    def test_what_is_no_arrival_says_nothing(self):
        for value in (None, "", "soon", {}, []):
            with self.subTest(value=value):
                self.assertEqual([(1, False, 4)], self.fired(
                    dict(audit(1, at=4 * MINUTE), _TimeReceived=value)))

    def test_a_record_without_a_time_was_generated_when_it_came(self):
        one, = self.alerts(dict(audit(1, received=HOUR),
                                TimeGenerated=""))
        self.assertEqual("2026-06-01T13:00:00.0000000Z",
                         one["time_generated"])

    def test_the_clock_goes_on_from_file_to_file(self):
        first, second = self.file(audit(1, at=HOUR)), self.file(audit(2))
        self.assertEqual([(1, False, 60), (2, False, 60)],
                         told(replay(first, second)))

    def test_an_old_record_at_a_late_clock_is_stale(self):
        self.assertEqual([(2, False, 24 * 60)], self.fired(
            audit(1, at=0, received=DAY), audit(2, at=1, received=DAY)))


    def test_what_does_not_say_when_it_came_did_not_come_before_now(self):
        later = ("--now", "2026-06-01T13:00:00Z")
        self.assertEqual([(1, False, 60)], self.fired(
            audit(1), options=later))
        self.assertEqual([(1, False, 5)], self.fired(
            audit(1, received=5 * MINUTE), options=later))
        done = synctap("replay", "--format", "jsonl", "--now",
                       "2026-06-03T12:00:00Z", self.file(audit(1)))
        self.assertEqual((0, ""), (done.status, done.output))
        self.assertIn("1 record of the rule's operations came after the "
                      "lookback", done.words)

    def test_times_of_the_future_do_not_move_the_clock(self):
        """A time like 9999-12-31 says nothing of when a record came."""
        ages = 7900 * 365 * DAY
        other = audit(3, at=ages, OperationName="Update user",
                      ActivityName="Update user")
        self.assertEqual([(1, False, 0), (2, False, 1)], self.fired(
            audit(1), other, role(at=ages), audit(2, at=MINUTE)))
        self.assertEqual([(1, False, 0), (2, False, 1)], self.fired(
            audit(1), audit(2, at=MINUTE), other, role(at=ages),
            options=("--order", "time")))


class LegacyStamps(ReplayTest):
    """RFC 3164 has no year and no zone: UTC, and the year that brings it
    nearest to the clock, which begins at --now."""

    def _fired(self, header, now="2026-06-02T00:00:00Z", at=0):
        return self.fired(header + json_of(audit(1, at=at)),
                          options=("--now", now))

    def test_it_says_when_a_line_came(self):
        for header in ("<134>Jun  1 12:05:00 edge7 azurefunction: ",
                       "<134>Jun  1 12:05:00 azurefunction ",
                       "<134>Jun 01 12:05:00 edge7 azurefunction[4711]: "):
            with self.subTest(header=header):
                self.assertEqual([(1, False, 5)], self._fired(header))

    def test_a_file_of_syslog_lines_has_no_priority(self):
        for header in ("Jun  1 12:05:00 edge7 azurefunction: ",
                       "2026-06-01T12:05:00.000000+00:00 edge7 a: ",
                       "2026-06-01T14:05:00+02:00 edge7 a[12]: "):
            with self.subTest(header=header):
                self.assertEqual([(1, False, 5)], self._fired(header))

    def test_the_year_is_the_nearest_to_now(self):
        header = "<134>Dec 31 23:00:00 edge7 azurefunction: "
        for now, year in (("2026-01-01T00:00:00Z", 2025),
                          ("2026-12-30T00:00:00Z", 2026)):
            with self.subTest(now=now):
                one, = self.alerts(
                    header + json_of(dict(audit(1), TimeGenerated="")),
                    options=("--now", now))
                self.assertEqual(f"{year}-12-31T23:00:00.0000000Z",
                                 one["detected_at"])

    def test_the_year_goes_on_with_the_clock(self):
        """A file over New Year's Eve, read in the summer after it."""
        lines = [f"<134>{stamp} edge7 a: " + json_of(dict(
            audit(number), TimeGenerated="")) for number, stamp in enumerate((
                "Nov 30 12:00:00", "Dec 31 23:59:59", "Jan  1 00:00:00",
                "Mar  1 00:00:00", "Jul 31 00:00:00"))]
        self.assertEqual(
            ["2025-11", "2025-12", "2026-01", "2026-03", "2026-07"],
            [alert["detected_at"][:7] for alert in self.alerts(
                *lines, options=("--now", "2026-05-01T00:00:00Z"))])


class Order(ReplayTest):
    """--order time puts records in the order of their arrival."""

    def test_records_are_sorted_by_arrival(self):
        self.assertEqual([(1, True, 30)], self.fired(
            *reversed(late_story()), options=("--order", "time")))

    def test_file_order_is_the_default(self):
        self.assertEqual([(1, False, 0)], self.fired(*reversed(late_story())))

    def test_records_without_an_arrival_are_sorted_by_their_own_time(self):
        story = (waiting(1, at=0), given_role(at=30 * MINUTE),
                 audit(2, at=40 * MINUTE))
        self.assertEqual([(1, True, 30), (2, False, 40)], self.fired(
            *reversed(story), options=("--order", "time")))

    def test_records_of_one_instant_stay_in_their_order(self):
        self.assertEqual(
            list(range(20)),
            [number for number, _, _ in self.fired(
                *(audit(number, received=HOUR) for number in range(20)),
                options=("--order", "time"))])

    def test_the_order_spans_all_files(self):
        record, given = late_story()
        files = [self.file(given), self.file(record)]
        self.assertEqual([(1, True, 30)],
                         told(replay("--order", "time", *files)))

    def test_the_records_of_a_document_are_sorted_too(self):
        path = self.raw(json_of({"records": list(
            reversed(late_story()))}).encode())
        self.assertEqual([(1, True, 30)],
                         told(replay("--order", "time", path)))


class LateJoin(ReplayTest):
    """A record waits for its lookback, and alerts once."""

    def test_a_role_that_comes_later_makes_a_late_alert(self):
        self.assertEqual([(1, True, 30)], self.fired(*late_story()))

    def test_a_late_alert_says_what_the_role_list_says(self):
        one, = self.alerts(*late_story(), semantics="wide")
        self.assertEqual(
            (["identity_upn"], True, "exact", platform.node()),
            (one["matched_by"], one["kql"], one["confidence"],
             one["collector"]))

    def test_a_late_alert_is_complete(self):
        """It says all that the same record says when it alerts at once."""
        record, given = late_story()
        late, = self.alerts(record, given)
        at_once, = self.alerts(given, record)
        for alert in (late, at_once):
            alert.update(late=None, detected_at=None)
        self.assertEqual(at_once, late)
        self.assertEqual(list(at_once), list(late))

    def test_an_object_id_makes_one_too(self):
        record = audit(1, plain.target("new@x.example", OBJECT_ID))
        self.assertEqual([(1, True, 30)], self.fired(
            record, given_role(at=30 * MINUTE)))

    def test_a_new_object_id_of_a_known_account_makes_one(self):
        record = audit(1, plain.target("new@x.example", "another id"))
        self.assertEqual([(1, True, 30)], self.fired(
            given_role(at=-HOUR), record,
            given_role(at=30 * MINUTE, object_id="another id")))

    def test_an_empty_key_of_the_role_list_makes_one_of_the_nameless(self):
        group = {"id": "a group", "displayName": "Group", "type": "Group"}
        self.assertEqual([(1, True, 30)], self.fired(
            audit(1, group), given_role(at=30 * MINUTE, upn=""),
            semantics="kql"))

    def test_each_target_waits_for_its_own_account(self):
        record = audit(1, plain.target(UPN), plain.target(),
                       plain.target("b@x.example"))
        self.assertEqual(
            [(1, False, 0), (1, True, 30), (1, True, 40)], self.fired(
                record, given_role(at=40 * MINUTE, received=30 * MINUTE),
                given_role(at=40 * MINUTE, upn="b@x.example")))

    def test_many_fire_in_the_order_in_which_they_came(self):
        records = [waiting(number, at=MINUTE - number)
                   for number in range(20)]
        self.assertEqual([(number, True, 30) for number in range(20)],
                         self.fired(*records, given_role(at=30 * MINUTE)))

    def test_a_record_waits_no_longer_than_its_lookback(self):
        for after, expected in ((DAY, []), (DAY - 1, [1])):
            with self.subTest(after=after):
                self.assertEqual(expected, [number for number, _, _ in
                                            self.fired(waiting(), given_role(
                                                at=after))])

    def test_the_lookback_can_be_set(self):
        self.assertEqual([], self.fired(
            *late_story(), options=("--lookback", "30m")))
        self.assertEqual([(1, True, 30)], self.fired(
            *late_story(), options=("--lookback", "31m")))

    def test_a_role_row_older_than_the_newest_gives_nothing(self):
        self.assertEqual([], self.fired(
            role(at=10 * MINUTE), waiting(at=20 * MINUTE),
            given_role(at=5 * MINUTE)))

    def test_a_role_row_that_was_under_way_for_hours_counts(self):
        self.assertEqual([(1, True, 600)], self.fired(
            waiting(received=0), given_role(at=-DAY, received=10 * HOUR)))

    def test_a_role_row_of_fourteen_days_gives_nothing(self):
        for at, expected in ((-14 * DAY, []), (1 - 14 * DAY, [(1, True, 0)])):
            with self.subTest(at=at):
                self.assertEqual(expected, self.fired(
                    waiting(received=0), given_role(at=at, received=0)))

    def test_it_can_be_off(self):
        self.assertEqual([], self.fired(*late_story(),
                                        options=("--latejoin", "off")))

    def test_a_role_that_comes_back_gives_no_second_alert(self):
        self.assertEqual([(1, True, 10)], self.fired(
            waiting(), given_role(at=10 * MINUTE), role(at=20 * MINUTE),
            given_role(at=30 * MINUTE)))

    def test_records_of_no_operation_do_not_wait(self):
        other = audit(1, plain.target(UPN), OperationName="Update user",
                      ActivityName="Update user")
        self.assertEqual([], self.fired(other, given_role(at=MINUTE)))

    def test_a_record_in_any_shape_waits(self):
        for shape in (*rendering.SHAPES, rendering.elastic_document):
            with self.subTest(shape=shape.__name__):
                row, = rendering.fit_for(shape, [plain.row(
                    plain.target(UPN), Id="record 1")])
                self.assertEqual([(1, True, 30)], self.fired(
                    shape(row, plain.chance()), given_role(at=30 * MINUTE),
                    semantics="wide"))


class Once(ReplayTest):
    """A row never alerts twice while it is inside the lookback."""

    def test_a_repeat_fires_once(self):
        self.assertEqual([(1, False, 0)], self.fired(*[audit(1)] * 3))

    def test_a_repeat_in_another_shape_fires_once(self):
        self.assertEqual([(1, False, 0)], self.fired(
            audit(1), audit(1, shape=rendering.diagnostic_record)))

    def test_a_repeat_in_another_file_fires_once(self):
        path = self.file(audit(1))
        self.assertEqual([(1, False, 0)], told(replay(path, path)))

    def test_a_repeat_of_what_was_late_fires_no_more(self):
        self.assertEqual([(1, True, 30)], self.fired(
            *late_story(), waiting(received=HOUR)))

    def test_two_deliveries_that_wait_fire_once(self):
        record, given = late_story()
        self.assertEqual([(1, True, 30)], self.fired(record, record, given))

    def test_a_repeat_a_tick_before_the_lookbacks_end_fires_no_more(self):
        self.assertEqual([(1, False, 0)], self.fired(
            audit(1, received=0), audit(1, received=DAY - 1)))

    def test_a_record_without_a_time_counts_from_its_last_delivery(self):
        """It is generated anew with each, and so it is known for longer."""
        first, again = (dict(waiting(received=at), TimeGenerated="")
                        for at in (0, 10 * HOUR))
        self.assertEqual([(1, True, 60)], self.fired(
            first, given_role(at=HOUR, received=HOUR), again,
            role(at=25 * HOUR, received=25 * HOUR),
            given_role(at=26 * HOUR, received=26 * HOUR),
            dict(again, _TimeReceived=time(27 * HOUR))))

    def test_the_last_delivery_without_a_time_waits_the_longest(self):
        first, again = (dict(waiting(received=at), TimeGenerated="")
                        for at in (0, 10 * HOUR))
        self.assertEqual([(1, True, 60 * 30)], self.fired(
            first, again, given_role(at=30 * HOUR, received=30 * HOUR)))

    def test_a_delivery_with_a_later_time_waits_longer(self):
        self.assertEqual([(1, True, 60 * 30)], self.fired(
            waiting(received=HOUR), waiting(at=10 * HOUR,
                                            received=11 * HOUR),
            given_role(at=30 * HOUR, received=30 * HOUR)))

    def test_two_deliveries_without_a_time_wait_as_one(self):
        """Another of their targets goes on waiting, and they with it."""
        targets = plain.target(UPN), plain.target("b@x.example")
        first, again = (dict(audit(1, *targets, received=at),
                             TimeGenerated="") for at in (0, 10 * HOUR))
        self.assertEqual([(1, True, 60 * 11)], self.fired(
            first, again, given_role(at=11 * HOUR, received=11 * HOUR),
            role(at=25 * HOUR, received=25 * HOUR),
            given_role(at=26 * HOUR, received=26 * HOUR)))

    def test_a_record_without_an_id_is_known_by_its_content(self):
        first = audit(1)
        del first["Id"]
        other = dict(first, CorrelationId="another")
        found = self.alerts(first, first, other)
        self.assertEqual(2, len(found))
        self.assertEqual(2, len({one["alert_id"] for one in found}))

    def test_an_alert_id_is_the_same_everywhere(self):
        one, = self.alerts(rendering.log_analytics_row(
            plain.row(), plain.chance()) | {"AADTenantId": "a tenant"})
        self.assertEqual("6facb2d1-4bef-5a11-9099-8eded519efa1",
                         one["alert_id"])


class Incidents(ReplayTest):
    """Alerts are grouped as Sentinel groups them."""

    def _grouped(self, *records, options=()):
        """Give (number of the incident, new, its count) of each alert."""
        known, found = {}, []
        for alert in self.alerts(*records, options=options):
            one = alert["incident"]
            if one["new"]:
                self.assertEqual(alert["alert_id"], one["first_alert"])
            number = known.setdefault((one["id"], one["first_alert"]),
                                      len(known))
            found.append((number, one["new"], one["alert_count"]))
        return found

    def test_all_alerts_of_a_day_are_one_incident(self):
        self.assertEqual([(0, True, 1), (0, False, 2), (0, False, 3)],
                         self._grouped(audit(1), audit(2), audit(3)))

    def test_the_window_ends_a_day_after_the_first_alert(self):
        self.assertEqual(
            [(0, True, 1), (0, False, 2), (1, True, 1), (1, False, 2)],
            self._grouped(audit(1), audit(2, at=DAY - 1), audit(3, at=DAY),
                          audit(4, at=2 * DAY - 1)))

    def test_an_alert_does_not_move_the_window(self):
        self.assertEqual(
            [True, False, False, True, False], [
                new for _, new, _ in self._grouped(*(
                    audit(number, at=number * 9 * HOUR)
                    for number in range(5)))])

    def test_the_instant_of_detection_counts(self):
        """Two records of one time, the second of which is a day late."""
        self.assertEqual([(0, True, 1), (1, True, 1)], self._grouped(
            audit(1, at=1, received=0), audit(2, at=1, received=DAY)))

    def test_the_window_can_be_set(self):
        self.assertEqual([(0, True, 1), (1, True, 1)], self._grouped(
            audit(1), audit(2, at=HOUR),
            options=("--incident-window", "1h")))

    def test_a_window_of_nothing_makes_none(self):
        one, = self.alerts(audit(1), options=("--incident-window", "0"))
        self.assertIsNone(one["incident"])

    def test_a_tenant_has_incidents_of_its_own(self):
        other = dict(audit(2), AADTenantId="other")
        self.assertEqual([(0, True, 1), (1, True, 1), (0, False, 2)],
                         self._grouped(audit(1), other, audit(3)))

    def test_selected_makes_one_of_each_target_account(self):
        self.assertEqual(
            [(0, True, 1), (1, True, 1), (0, False, 2)], self._grouped(
                audit(1, plain.target("Sync_a")),
                audit(2, plain.target("Sync_b")),
                audit(3, plain.target("SYNC_A", "another id")),
                options=("--incident-matching", "Selected")))

    def test_selected_knows_a_nameless_target_by_its_id(self):
        things = [{"id": one, "displayName": None, "type": "User"}
                  for one in ("a", "b", "a")]
        given = [given_role(at=-HOUR, upn=f"{one}@x.example", object_id=one)
                 for one in "ab"]
        self.assertEqual(
            [(0, True, 1), (1, True, 1), (0, False, 2)], self._grouped(
                *given, *(audit(number, thing)
                          for number, thing in enumerate(things)),
                options=("--incident-matching", "Selected")))

    def test_all_entities_tells_actors_and_addresses_apart(self):
        def by(number, upn=plain.ACTOR, address=plain.SOURCE_IP):
            user = dict(plain.initiator()["user"], userPrincipalName=upn,
                        ipAddress=address)
            return audit(number, InitiatedBy={"user": user})

        self.assertEqual(
            [(0, True, 1), (1, True, 1), (2, True, 1), (0, False, 2)],
            self._grouped(
                by(1), by(2, upn="other@x.example"),
                by(3, address="192.0.2.1"), by(4, upn=plain.ACTOR.upper()),
                options=("--incident-matching", "AllEntities")))

    def test_after_150_alerts_there_is_a_new_one(self):
        found = self._grouped(*(audit(number) for number in range(151)))
        self.assertEqual([(0, False, 150), (1, True, 1)], found[-2:])
        self.assertEqual([(0, False, number) for number in range(2, 151)],
                         found[1:150])

    def test_the_number_can_be_set(self):
        self.assertEqual(
            [(0, True, 1), (0, False, 2), (1, True, 1)],
            self._grouped(audit(1), audit(2), audit(3),
                          options=("--incident-maxalerts", "2")))

    def test_of_two_of_one_instant_the_second_goes_on(self):
        """Also when the incidents were read again: a role row makes for it."""
        self.assertEqual(
            [(0, True, 1), (0, False, 2), (1, True, 1), (1, False, 2),
             (2, True, 1)], self._grouped(
                audit(1), audit(2), audit(3), given_role(), audit(4),
                given_role(at=1), audit(5),
                options=("--incident-maxalerts", "2")))

    def test_a_repeat_is_not_counted(self):
        self.assertEqual([(0, True, 1), (0, False, 2)], self._grouped(
            audit(1), audit(1), audit(2)))

    def test_a_late_alert_belongs_to_one_too(self):
        self.assertEqual([(0, True, 1), (0, False, 2)], self._grouped(
            audit(2, received=0), *late_story()))

    def test_its_id_comes_from_its_first_alert(self):
        path = self.file(audit(1), audit(2))
        first, second = replay(path), replay(path)
        self.assertEqual(first, second)
        other, = replay(self.file(audit(3)))
        self.assertNotEqual(first[0]["incident"]["id"],
                            other["incident"]["id"])


class RoleList(ReplayTest):
    """Where the role list comes from."""

    def _import(self):
        database = self.directory / "state.db"
        done = synctap("identity", "import", "--database", database,
                       self.file(given_role()))
        self.assertEqual(0, done.status, done.words)
        return database

    def test_a_file_gives_the_one_at_the_beginning(self):
        self.assertEqual([(1, False, 0)], self.fired(
            waiting(), options=("--identity", self.file(given_role()))))

    def test_the_database_gives_it_too(self):
        self.assertEqual([(1, False, 0)], self.fired(
            waiting(), options=("--database", self._import())))

    def test_rows_of_the_files_come_on_top(self):
        self.assertEqual([(1, False, 0)], self.fired(
            waiting(), role(at=MINUTE), waiting(2),
            options=("--database", self._import())))

    def test_a_row_of_the_future_counts_as_of_its_reception(self):
        """A later word on the account wins over it."""
        self.assertEqual([(1, True, 10)], self.fired(
            waiting(1), given_role(at=7900 * 365 * DAY, received=10 * MINUTE),
            role(at=20 * MINUTE, received=20 * MINUTE),
            waiting(2, at=20 * MINUTE)))

    def test_nothing_is_written_to_the_database(self):
        database = self._import()
        before = self._files()
        self.fired(*late_story(), audit(2),
                   options=("--database", database))
        after = self._files()
        after = {path: data for path, data in after.items()
                 if path in before or not path.name.startswith("file")}
        self.assertEqual(before, after)

    def _files(self):
        return {path: path.read_bytes() for path in self.directory.iterdir()}

    def test_a_database_that_is_not_there_is_an_error_and_not_made(self):
        done = synctap("replay", "--database", self.directory / "none.db",
                       self.file(audit(1)))
        self.assertEqual(1, done.status)
        self.assertIn("none.db", done.words)
        self.assertFalse((self.directory / "none.db").exists())

    def test_without_one_it_is_empty(self):
        self.assertEqual([(2, False, 0)], self.fired(waiting(), audit(2)))


class Input(ReplayTest):
    """Files of every make, and what cannot be read."""

    def test_audit_and_role_records_may_stand_in_one_document(self):
        for name in ("records", "value"):
            with self.subTest(name=name):
                path = self.raw(json_of({name: list(late_story())}).encode())
                self.assertEqual([(1, True, 30)], told(replay(path)))

    def test_they_are_judged_one_by_one(self):
        path = self.raw(json_of([
            waiting(1), given_role(at=MINUTE), role(at=2 * MINUTE),
            waiting(2, at=3 * MINUTE)]).encode())
        self.assertEqual([(1, True, 1)], told(replay(path)))

    def test_a_line_may_hold_several(self):
        self.assertEqual([(1, True, 30)], self.fired(
            "<134>Jun  1 12:00:00 edge7 azurefunction: "
            + json_of(list(late_story()))))

    def test_standard_input_is_read_where_no_file_is_named(self):
        text = "\n".join(map(json_of, late_story())).encode()
        self.assertEqual([(1, True, 30)], told(replay(given=text)))

    def test_a_compressed_file_is_read(self):
        path = self.file(*late_story())
        path = self.raw(gzip.compress(path.read_bytes()))
        self.assertEqual([(1, True, 30)], told(replay(path)))

    def test_what_cannot_be_read_is_named_and_the_rest_is_done(self):
        """What can be seen of it makes a degraded alert, as in the stream."""
        path = self.file(audit(1), json_of(audit(2))[:-20], audit(3))
        done = synctap("replay", "--format", "jsonl", path)
        self.assertEqual(1, done.status)
        self.assertIn(f"{path}:2", done.words)
        self.assertEqual(
            [("record 1", "exact"), ("record 2", "degraded"),
             ("record 3", "exact")],
            [(alert["record_id"], alert["confidence"])
             for alert in objects(done.output)])

    def test_what_cannot_be_read_and_shows_no_account_is_only_named(self):
        path = self.file(json_of(waiting())[:-20], given_role())
        done = synctap("replay", "--format", "jsonl", path)
        self.assertEqual((1, ""), (done.status, done.output))
        self.assertIn(f"{path}:1", done.words)

    def test_a_file_that_is_not_there_is_named_and_the_rest_is_done(self):
        done = synctap("replay", "--format", "jsonl",
                       self.directory / "none", self.file(audit(1)))
        self.assertEqual(1, done.status)
        self.assertIn("none", done.words)
        self.assertEqual(1, len(objects(done.output)))

    def test_a_row_of_the_role_list_without_a_time_counts_for_nothing(self):
        done = synctap("replay", "--format", "jsonl", self.file(
            waiting(), dict(given_role(), TimeGenerated="")))
        self.assertEqual("", done.output)

    def test_what_matches_nothing_gives_nothing(self):
        self.assertEqual([], self.fired(audit(1, PERSON)))

    def test_jsonl_is_the_default_of_a_pipe(self):
        done = synctap("replay", self.file(audit(1)))
        self.assertEqual(1, len(objects(done.output)))

    def test_a_table_has_a_line_for_each_alert(self):
        done = synctap("replay", "--format", "table", self.file(
            audit(1), audit(2, at=SECOND)))
        self.assertEqual((0, ""), (done.status, done.words))
        self.assertEqual(2, done.output.count(plain.SYNC_UPN))


class Usage(ReplayTest):
    """Wrong usage is told, with exit status 2, and nothing is done."""

    def test_wrong_options(self):
        for options in (("--order", "size"), ("--order",),
                        ("--latejoin", "maybe"), ("--incident-window", "day"),
                        ("--incident-window", "-1h"),
                        ("--incident-matching", "Some"),
                        ("--incident-maxalerts", "0"),
                        ("--incident-maxalerts", "many"),
                        ("--semantics", "none"), ("--lookback", "x"),
                        ("--now", "soon"), ("--format", "xml"),
                        ("--unknown",)):
            with self.subTest(options=options):
                done = synctap("replay", self.file(audit(1)), *options)
                self.assertEqual((2, ""), (done.status, done.output))
                self.assertIn(options[0], done.words)

    def test_what_is_right_is_said(self):
        for options, words in (
                (("--incident-matching", "Some"), ("AnyAlert", "AllEntities",
                                                   "Selected")),
                (("--order", "size"), ("file", "time")),
                (("--latejoin", "maybe"), ("on", "off"))):
            with self.subTest(options=options):
                done = synctap("replay", *options, self.file(audit(1)))
                for word in words:
                    self.assertIn(word, done.words)

    def test_help(self):
        done = synctap("replay", "--help")
        self.assertEqual((0, ""), (done.status, done.words))
        for word in ("--order", "--latejoin", "--incident-window",
                     "--incident-matching", "--incident-maxalerts"):
            self.assertIn(word, done.output)
