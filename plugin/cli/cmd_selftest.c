/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_selftest: makes a record, sends it, and waits for its alert. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "cli/alert_wait.h"
#include "cli/audit_session.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/selftest_example.h"
#include "cli/sender.h"
#include "cli/words.h"
#include "detector/detector.h"
#include "rule/selftest.h"

static const char USAGE[] =
    "usage: synctap selftest [--send TARGET] [--wait FILE|DATABASE] [--timeout SPAN]\n"
    "Makes an audit record that must alert, sends it as a sender of records would, and waits for\n"
    "the alert. The record is marked: its alert says \"selftest\": true and opens no incident.\n"
    "\n"
    "  --send TARGET         HOST:PORT (TCP, one line, RFC 5424), a socket such as /dev/log, or a\n"
    "                        file, to whose end it goes bare (default: standard output, bare)\n"
    "  --wait FILE|DATABASE  where its alert will be: the file that alerts are written to, or the\n"
    "                        state database\n"
    "  --timeout SPAN        how long to wait (default: 30s)\n"
    "  --operations, --upn-startswith, --upn-contains, --upn-has\n"
    "                        the rule's lists, where the collector has others than the rule's own\n"
    "  --rule FILE           the rule file that the collector's action runs: the record is made "
    "of\n"
    "                        the texts that its query asks for\n"
    "  --watchlist NAME=FILE, --watchlist-key NAME=COLUMN\n"
    "                        the watchlists that it asks, as in the action\n"
    "\n"
    "Exit status 0 when the alert came; how long it took is on standard output. 2 when it did not\n"
    "come, 1 when the record could not be sent.\n";

enum { PAUSE = 10000000 }; /* nanoseconds between two looks */

/* The record, and the alert that it must become. */
typedef struct test_record {
    char id[SELFTEST_ID_SIZE];
    char host[256];
    buffer json;
    char alert_id[UUID_TEXT_SIZE]; /* "": the rule does not match it */
    bool is_told;                  /* the query returns it, and it is known for a self-test's */
} test_record;

/* --- the record --- */

static bool take_alert(void *arg, const alert *a)
{
    test_record *r = arg;

    memcpy(r->alert_id, a->id, sizeof(r->alert_id));
    r->is_told = a->kql && selftest_is(a->record, &a->target); /* whatever its semantics are */
    return true;
}

/* One of the rule's own lists makes the names. */
static bool make_by_lists(const options *o, detector_worker *w, test_record *r)
{
    selftest_write(o->rule, r->id, r->host, o->now, &r->json);
    detector_feed(w, buffer_text(&r->json), o->now, take_alert, r);
    if (r->alert_id[0] == '\0')
        words_say("selftest: with these lists no record matches by a name: give one of "
                  "--upn-startswith, --upn-contains or --upn-has, and --operations");
    return r->alert_id[0] != '\0';
}

static void tell_no_example(const options *o, bool fires)
{
    const rule_plan *plan = rule_get_plan(o->rule);

    words_say("selftest: %.*s: %s", (int)rule_get_facts(o->rule)->name.length,
              rule_get_facts(o->rule)->name.bytes,
              fires ? "what it finds names its account in full, so that an alert of a self-test "
                      "could not be told from a real one"
              : plan_asks_role_list(plan) || plan_watchlist(plan, 0).bytes != NULL
                  ? "no record of its own texts makes it fire: it asks for an account of the role "
                    "list or of a watchlist. Put selftest@selftest.invalid on the watchlist, if "
                    "there is one"
                  : "no record of its own texts makes it fire: it asks for more than texts");
}

/* The first example that the rule finds, and whose alert is told by the mark. */
static bool find_example(const options *o, detector_worker *w, const example *e, arena *memory,
                         test_record *r)
{
    bool fires = false;

    for (size_t n = 0; n < example_count(e); n++) {
        buffer_clear(&r->json);
        r->alert_id[0] = '\0';
        r->is_told = false;
        selftest_write_example(e, n, r->id, r->host, o->now, memory, &r->json);
        if (buffer_failed(&r->json))
            return true; /* that is said */
        detector_feed(w, buffer_text(&r->json), o->now, take_alert, r);
        if (r->is_told)
            return true;
        fires |= r->alert_id[0] != '\0';
    }
    tell_no_example(o, fires);
    return false;
}

static bool make_by_example(const options *o, detector_worker *w, test_record *r)
{
    example *e = selftest_examples(rule_get_plan(o->rule));
    arena *memory = arena_new();
    bool made = true;

    if (e != NULL && memory != NULL)
        made = find_example(o, w, e, memory, r);
    else
        r->json.failed = true;
    arena_free(memory);
    example_free(e);
    return made;
}

/* What the collector's module will make of it, the same code says. */
static bool make_json(const options *o, detector *d, test_record *r)
{
    detector_worker *w;
    bool made = false;

    if (!audit_session_open_watchlists(d, o))
        return false;
    w = detector_worker_new(d);
    if (w != NULL)
        made = rule_is_built_in(o->rule) ? make_by_lists(o, w, r) : make_by_example(o, w, r);
    if (w == NULL || buffer_failed(&r->json)) {
        words_say("selftest: out of memory");
        made = false;
    }
    detector_worker_free(w);
    return made;
}

static bool make_record(const options *o, test_record *r)
{
    uint64_t chance = 0;
    detector *d = detector_new(o->rule);
    bool made;

    if (getrandom(&chance, sizeof(chance), 0) != sizeof(chance))
        chance = (uint64_t)getpid();
    gethostname(r->host, sizeof(r->host) - 1);
    selftest_make_id(o->now, chance, r->id);
    if (d == NULL)
        words_say("selftest: out of memory");
    made = d != NULL && make_json(o, d, r);
    detector_free(d);
    return made;
}

/* --- sending --- */

/* Then the output ends, before the waiting: a sender behind a pipe may wait for that. */
static bool print_record(const test_record *r)
{
    fwrite(r->json.bytes, 1, r->json.length, stdout);
    putchar('\n');
    return fflush(stdout) == 0 && freopen("/dev/null", "w", stdout) != NULL;
}

static bool send_record(const options *o, const test_record *r)
{
    char *said;

    if (o->send == NULL)
        return print_record(r);
    said = sender_send(o->send, buffer_text(&r->json), r->host, o->now);
    if (said == NULL)
        return true;
    words_say("selftest: cannot send to %s", said);
    free(said);
    return false;
}

/* --- waiting --- */

static timespan clock_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * TICKS_PER_SECOND + now.tv_nsec / 100;
}

static int tell_trouble(const options *o, char *error)
{
    words_say("selftest: %s: %s", o->wait, error != NULL ? error : "out of memory");
    free(error);
    return EXIT_UNREADABLE;
}

static int tell_absent(const options *o, const test_record *r)
{
    words_say("selftest: the alert %s of record %s did not come to %s. Look at: synctap status; "
              "whether the input that it was sent to leads to mmsynctap; whether its rule "
              "and its lists are these",
              r->alert_id, r->id, o->wait);
    return EXIT_NOT_COME;
}

static int tell_time(const options *o, timespan took)
{
    fprintf(o->send != NULL ? stdout : stderr, "%lld ms\n",
            (long long)(took / (TICKS_PER_SECOND / 1000)));
    return EXIT_DONE;
}

static int wait_for_alert(const options *o, const test_record *r, alert_wait *w, timespan sent)
{
    const struct timespec pause = {.tv_nsec = PAUSE};
    char *error = NULL;

    while (!alert_wait_has(w, r->alert_id, &error)) {
        if (error != NULL)
            return tell_trouble(o, error);
        if (clock_now() - sent >= o->timeout)
            return tell_absent(o, r);
        nanosleep(&pause, NULL);
    }
    return tell_time(o, clock_now() - sent);
}

/* What is waited for is looked at before the record is sent: it may be quick. */
static int send_and_wait(const options *o, const test_record *r)
{
    alert_wait *w = NULL;
    char *error = NULL;
    timespan sent;
    int status = EXIT_DONE;

    if (o->wait != NULL && (w = alert_wait_begin(o->wait, &error)) == NULL)
        return tell_trouble(o, error);
    sent = clock_now();
    if (!send_record(o, r))
        status = EXIT_UNREADABLE;
    else if (w != NULL)
        status = wait_for_alert(o, r, w, sent);
    alert_wait_end(w);
    return status;
}

static int run(const options *o)
{
    test_record r = {.host = ""};
    int status = EXIT_UNREADABLE;

    if (o->argument_count > 0) {
        fprintf(stderr, "synctap selftest: it takes no argument\n"
                        "try: synctap selftest --help\n");
        return EXIT_USAGE;
    }
    if (make_record(o, &r))
        status = send_and_wait(o, &r);
    buffer_free(&r.json);
    return status;
}

int cmd_selftest(int argc, char **argv)
{
    return options_run(argc, argv, GROUP_RULE | GROUP_RULE_FILE | GROUP_SELFTEST, USAGE, run);
}
