/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_selftest: makes a record, sends it, and waits for its alert. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "cli/alert_wait.h"
#include "cli/commands.h"
#include "cli/options.h"
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
} test_record;

/* --- the record --- */

static bool take_alert(void *arg, const alert *a)
{
    test_record *r = arg;

    memcpy(r->alert_id, a->id, sizeof(r->alert_id));
    return true;
}

/* What the collector's module will make of it, by the same code. */
static bool judge(const options *o, test_record *r)
{
    detector *d = detector_new(o->rule);
    detector_worker *worker = d != NULL ? detector_worker_new(d) : NULL;

    if (worker != NULL)
        detector_feed(worker, buffer_text(&r->json), o->now, take_alert, r);
    detector_worker_free(worker);
    detector_free(d);
    return worker != NULL;
}

static bool make_record(const options *o, test_record *r)
{
    uint64_t chance = 0;

    if (getrandom(&chance, sizeof(chance), 0) != sizeof(chance))
        chance = (uint64_t)getpid();
    gethostname(r->host, sizeof(r->host) - 1);
    selftest_make_id(o->now, chance, r->id);
    selftest_write(o->rule, r->id, r->host, o->now, &r->json);
    if (buffer_failed(&r->json) || !judge(o, r)) {
        words_say("selftest: out of memory");
        return false;
    }
    if (r->alert_id[0] == '\0')
        words_say("selftest: with these lists no record matches by a name: give one of "
                  "--upn-startswith, --upn-contains or --upn-has, and --operations");
    return r->alert_id[0] != '\0';
}

/* --- sending --- */

static bool send_record(const options *o, const test_record *r)
{
    char *said;

    if (o->send == NULL) {
        fwrite(r->json.bytes, 1, r->json.length, stdout);
        putchar('\n');
        return fflush(stdout) == 0;
    }
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
              "whether the input that it was sent to leads to mmsynctap; whether its lists are "
              "the rule's own",
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
    return options_run(argc, argv, GROUP_RULE | GROUP_SELFTEST, USAGE, run);
}
