/* SPDX-License-Identifier: Apache-2.0 */
/* message_judge: the detector's sink, and the words for what it found. */
#include "rsyslog/message_judge.h"

#include <stdio.h>
#include <stdlib.h>

#include "errmsg.h"
#include "msg.h"

#include "base/span.h"
#include "record/unwrap.h"
#include "rsyslog/cut.h"
#include "state/patience.h"

struct message_judge {
    audit_action *action;
    detector_worker *worker;
    tag_maker *tag;
    bool knows_place; /* whose queue it works for was looked at */
    smsg_t *message;  /* under judgement */
    buffer alerts;    /* the message's alerts, one after the other, with commas */
    size_t count;
    bool is_match; /* one of them is new, and exact */
    bool is_tagged;
    int64_t end; /* of its judgement, in milliseconds; 0: rsyslogd was not seen to stop */
    bool out_of_memory;
};

/* The detector's question. What comes after the stop has a moment all the same: nearly all messages
 * need no more. */
static bool must_stop(void *worker)
{
    enum { MOMENT = 100 }; /* milliseconds */
    message_judge *self = worker;
    int64_t end = stop_deadline(&self->action->stop), now;

    if (end == 0)
        return false;
    now = patience_clock();
    if (self->end == 0)
        self->end = now + MOMENT > end ? now + MOMENT : end;
    return now >= self->end;
}

message_judge *message_judge_new(audit_action *action)
{
    message_judge *self = calloc(1, sizeof(*self));

    if (self == NULL)
        return NULL;
    self->action = action;
    self->worker = detector_worker_new(action->detector);
    self->tag = tag_maker_new(action->settings.formats);
    if (self->worker != NULL && self->tag != NULL) {
        detector_worker_stop_when(self->worker, must_stop, self);
        return self;
    }
    message_judge_free(self);
    return NULL;
}

void message_judge_free(message_judge *self)
{
    if (self == NULL)
        return;
    detector_worker_free(self->worker);
    tag_maker_free(self->tag);
    buffer_free(&self->alerts);
    free(self);
}

static void clear_alerts(message_judge *self)
{
    self->end = 0;
    buffer_clear(&self->alerts);
    self->count = 0;
    self->is_match = false;
    self->out_of_memory = false;
}

/* Alerts go out before the tag is put, so that the copies carry nothing of it. */
static bool send_alert(message_judge *self, text alert, bool is_degraded)
{
    audit_action *action = self->action;
    json *tree = tag_make(self->tag, is_degraded ? "undecodable" : "match", 1, alert);

    switch (alert_queue_put(action->queue, self->message, alert, tree)) {
    case ALERT_PUT_HELD_BACK:
        audit_statistics_count(&action->statistics, COUNTER_HELD_BACK, 1);
        return true;
    case ALERT_PUT:
        return true;
    case ALERT_REFUSED:
    case ALERT_NOT_NOW:
        break;
    }
    /* It is remembered for the next start; if there is none, it stands here, whole. */
    LogError(0, RS_RET_QUEUE_FULL,
             "mmsynctap: action '%s': ruleset '%s' did not take this alert; it comes again after "
             "the next start: %.*s",
             action->settings.label.name, action->settings.ruleset, (int)alert.length, alert.bytes);
    return false;
}

/* The alert's text, behind those of the message's other alerts. */
static text write_alert(message_judge *self, const alert *a)
{
    size_t begin;

    if (self->count > 0)
        buffer_append_char(&self->alerts, ',');
    begin = self->alerts.length;
    if (a->written.length > 0)
        buffer_append(&self->alerts, a->written);
    else
        alert_write(a, &self->alerts);
    return text_from(buffer_text(&self->alerts), begin);
}

/* The detector's sink: sends the alert if it is new, and keeps its text for the message's tag. */
static bool take_alert(void *worker, const alert *a)
{
    message_judge *self = worker;
    text written = write_alert(self, a);

    if (buffer_failed(&self->alerts)) {
        self->out_of_memory = true;
        return false;
    }
    self->count++;
    self->is_match |= !a->duplicate && !a->degraded;
    return a->duplicate || self->action->queue == NULL || send_alert(self, written, a->degraded);
}

static void put_tag(message_judge *self, const char *status)
{
    json *tree = tag_make(self->tag, status, self->count, buffer_text(&self->alerts));

    if (tree == NULL)
        self->out_of_memory = true;
    else
        self->is_tagged = msgAddJSON(self->message, (uchar *)self->action->settings.container + 1,
                                     tree, 1, 0) == RS_RET_OK;
}

/*
 * Whoever writes messages that are parsed as JSON can plant a tag. It goes,
 * unless our own has taken its place. After the judgement, as a record may
 * stand in it; a message without any tree costs a lock and a look.
 */
static void take_planted_tag_off(const message_judge *self, smsg_t *message)
{
    if (!self->is_tagged)
        msgDelJSON(message, (uchar *)self->action->settings.container + 1);
}

static int length_of(smsg_t *message)
{
    uchar *bytes;
    int length;

    getRawMsg(message, &bytes, &length);
    return length;
}

/* A record came in pieces, or as UTF-16: nothing was cut, so that other advice is due. */
static void tell_remedy(message_judge *self, const detection *found)
{
    audit_action *action = self->action;

    audit_statistics_count(&action->statistics, COUNTER_UNDECODABLE, 1);
    audit_statistics_count(&action->statistics, COUNTER_PARTS_OF_RECORDS, found->is_part);
    log_limited(found->is_part ? &action->part_limit : &action->wide_limit, &action->settings.label,
                "a message that holds %s could not be read; it is tagged "
                "%s!status=\"undecodable\"; it came from %s, with %d bytes: %s",
                found->reason, action->settings.container, getHOSTNAME(self->message),
                length_of(self->message), unwrap_remedy(found->reason));
}

static void tell_undecodable(message_judge *self, const char *reason)
{
    audit_action *action = self->action;

    audit_statistics_count(&action->statistics, COUNTER_UNDECODABLE, 1);
    log_limited(&action->undecodable_limit, &action->settings.label,
                "a message that may hold a record of the rule could not be read: %s; it is tagged "
                "%s!status=\"undecodable\"; it came from %s, with %d bytes: if it was cut, raise "
                "maxMessageSize (here %zu) and what bounds messages at its sender",
                reason, action->settings.container, getHOSTNAME(self->message),
                length_of(self->message), action->longest_message);
}

/* What could not be read weighs less than a row that was: the message is a match then. */
static const char *status_of(const message_judge *self, const detection *found)
{
    if (self->is_match)
        return "match";
    return found->undecodable || self->out_of_memory || found->degraded > 0 ? "undecodable"
                                                                            : "duplicate";
}

static void count_rows(audit_statistics *self, const detection *found)
{
    size_t fresh = found->rows - found->duplicates;

    audit_statistics_count(self, COUNTER_MATCHED, fresh > found->degraded);
    audit_statistics_count(self, COUNTER_ALERTS, fresh - found->refused);
    audit_statistics_count(self, COUNTER_DEGRADED_ALERTS, found->degraded);
    audit_statistics_count(self, COUNTER_DUPLICATES, found->duplicates);
}

/* What an alert does not show, or no alert shows, since there is a bound to it. */
static void tell_bounds(audit_action *self, unsigned bounded)
{
    static const struct {
        detection_bound bound;
        const char *words;
    } bounds[] = {
        {BOUND_TEXT, "a text is too long: its alert shows the beginning, and has cut=true"},
        {BOUND_ROWS, "more than 1,000 rows match: one alert says how many more there are"},
        {BOUND_BYTES, "its alerts are over 8 MB: one more alert says how many more rows match"},
    };

    for (size_t i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++) {
        if ((bounded & bounds[i].bound) == 0)
            continue;
        audit_statistics_count(&self->statistics, COUNTER_BOUNDED, 1);
        log_limited(&self->bounded_limit, &self->settings.label, "a message reached a bound: %s",
                    bounds[i].words);
    }
}

/* After an outage they come so, and none of them alerts. */
static void tell_stale(message_judge *self, size_t stale)
{
    audit_action *action = self->action;
    char lookback[SPAN_TEXT_SIZE];

    audit_statistics_count(&action->statistics, COUNTER_STALE, stale);
    if (stale > 0)
        log_limited(&action->stale_limit, &action->settings.label,
                    "a record of the rule's operations came after the lookback of %s, and does "
                    "not alert; it came from %s. Look for what was missed in what you forwarded: "
                    "synctap query --lookback 0 FILE",
                    span_format(rule_get_lookback(action->settings.rule), lookback),
                    getHOSTNAME(self->message));
}

/* A stop came. What its alerts were so far is tagged; the rest is for the next start. */
static void keep_message(message_judge *self, text message, timestamp received, detection *found)
{
    static const char kept[] = "rsyslogd stops: what is left of it is judged after the next start";
    static const char lost[] = "rsyslogd stops: what is left of it is not judged";

    found->undecodable = true;
    found->reason = detector_keep(self->worker, message, received) ? kept : lost;
}

static void handle(message_judge *self, const detection *found)
{
    audit_action *action = self->action;

    audit_statistics_count(&action->statistics, COUNTER_CANDIDATES, found->candidate);
    if (found->candidate)
        activity_note(&action->statistics.candidates);
    tell_stale(self, found->stale);
    audit_statistics_count(&action->statistics, COUNTER_UNREAD_TIMES, found->unread_times);
    count_rows(&action->statistics, found);
    tell_bounds(action, found->bounded);
    if (found->rows > found->duplicates)
        state_watcher_wake(action->watcher);
    if (self->out_of_memory) {
        clear_alerts(self); /* their texts are not whole: the message counts as unread */
        self->out_of_memory = true;
    }
    if (found->undecodable && unwrap_remedy(found->reason) != NULL && !self->out_of_memory)
        tell_remedy(self, found);
    else if (found->undecodable || self->out_of_memory)
        tell_undecodable(self, found->reason ? found->reason : "out of memory");
    if (self->count > 0 || found->undecodable || self->out_of_memory)
        put_tag(self, status_of(self, found));
}

/* True when it was told as undecodable. */
static bool judge_text(message_judge *self, smsg_t *message, text t)
{
    timestamp now;
    detection found;

    activity_note(&self->action->statistics.messages);
    audit_statistics_count(&self->action->statistics, COUNTER_MESSAGES, 1);
    audit_statistics_count(&self->action->statistics, COUNTER_BYTES, t.length);
    if (!detector_is_candidate(self->worker, t))
        return false; /* not ours: not even the clock is asked */
    self->message = message;
    clear_alerts(self);
    now = timestamp_now();
    found = detector_feed(self->worker, t, now, take_alert, self);
    if (found.left)
        keep_message(self, t, now, &found);
    if (found.candidate)
        handle(self, &found);
    return found.undecodable || self->out_of_memory;
}

static void keep_tree(message_judge *self, json *tree, timestamp received, detection *found)
{
    buffer written = {0};

    json_write_value(&written, tree);
    self->out_of_memory |= buffer_failed(&written);
    keep_message(self, buffer_text(&written), received, found);
    buffer_free(&written);
}

static void judge_tree(message_judge *self, smsg_t *message, json *tree)
{
    timestamp now = timestamp_now();
    detection found;

    activity_note(&self->action->statistics.messages);
    audit_statistics_count(&self->action->statistics, COUNTER_MESSAGES, 1);
    self->message = message;
    clear_alerts(self);
    found = detector_feed_tree(self->worker, tree, now, take_alert, self);
    if (found.left)
        keep_tree(self, tree, now, &found);
    handle(self, &found);
}

/* What was cut off may have matched, whatever was found in the rest. */
static void judge_longest(message_judge *self, smsg_t *message, text t)
{
    bool is_told;

    self->message = message;
    clear_alerts(self);
    is_told = judge_text(self, message, t);
    if (!cut_looks_so(t))
        return;
    audit_statistics_count(&self->action->statistics, COUNTER_CUT, 1);
    if (is_told)
        return;
    tell_undecodable(self, "it is as long as maxMessageSize allows, and its JSON does not end");
    if (self->count == 0)
        put_tag(self, "undecodable");
}

static void judge_raw_message(message_judge *self, smsg_t *message)
{
    uchar *bytes;
    int length;
    text t;

    getRawMsg(message, &bytes, &length);
    t = (text){(const char *)bytes, (size_t)length};
    if (t.length >= self->action->longest_message)
        judge_longest(self, message, t);
    else
        judge_text(self, message, t);
}

/* A variable may hold a tree that another module parsed; it is judged as it is. */
static bool judge_variable(message_judge *self, smsg_t *message)
{
    msgPropDescr_t *property = &self->action->settings.property;
    json *tree = NULL;
    bool is_tree;

    if (property->id != PROP_CEE && property->id != PROP_LOCAL_VAR &&
        property->id != PROP_GLOBAL_VAR)
        return false;
    if (msgGetJSONPropJSON(message, property, (struct json_object **)&tree) != RS_RET_OK)
        tree = NULL;
    is_tree = json_kind_of(tree) == JSON_OBJECT || json_kind_of(tree) == JSON_ARRAY;
    if (is_tree)
        judge_tree(self, message, tree);
    json_free(tree);
    return is_tree;
}

static void judge_property(message_judge *self, smsg_t *message)
{
    unsigned short must_free = 0;
    rs_size_t length = 0;
    uchar *value;

    if (judge_variable(self, message))
        return;
    value = MsgGetProp(message, NULL, &self->action->settings.property, &length, &must_free, NULL);
    if (value != NULL)
        judge_text(self, message, (text){(const char *)value, (size_t)length});
    if (must_free)
        free(value);
}

void message_judge_take(message_judge *self, smsg_t *message)
{
    self->is_tagged = false;
    if (!self->knows_place)
        alert_queue_look_at_place(self->action->queue, message);
    self->knows_place = true;
    if (self->action->settings.has_property)
        judge_property(self, message);
    else
        judge_raw_message(self, message);
    take_planted_tag_off(self, message);
}

void message_pass_unjudged(audit_action *action, smsg_t *message)
{
    activity_note(&action->statistics.messages);
    audit_statistics_count(&action->statistics, COUNTER_MESSAGES, 1);
    audit_statistics_count(&action->statistics, COUNTER_UNDECODABLE, 1);
    log_limited(&action->undecodable_limit, &action->settings.label,
                "a message passes unjudged: out of memory; it came from %s", getHOSTNAME(message));
}
