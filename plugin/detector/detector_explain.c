/* SPDX-License-Identifier: Apache-2.0 */
/* detector_explain: a message read in both semantics, and judged without a word. */
#include "detector/message_feed.h"
#include "detector/worker.h"
#include "dialect/own_alert.h"

typedef struct explain_run {
    message_feed message_feed;
    detector_explainer *sink;
    void *arg;
} explain_run;

static unwrap_kind explain_object(void *arg, json *object)
{
    explain_run *e = arg;
    message_feed *f = &e->message_feed;
    const audit_reader reader = {f->worker->memory, unwrap_parser(f->worker->unwrap)};
    audit_record kql, wide;
    audit_result as_kql, reading;

    if (own_alert_is(object) || alert_is_part(object))
        return UNWRAP_OWN_ALERT;
    as_kql = audit_record_read(object, SEMANTICS_KQL, &reader, &kql);
    reading = audit_record_read(object, SEMANTICS_WIDE, &reader, &wide);
    f->out_of_memory |= as_kql == AUDIT_OUT_OF_MEMORY || reading == AUDIT_OUT_OF_MEMORY;
    f->out_of_memory |= as_kql == AUDIT_RECORD && !audit_record_read_rest(&kql, &reader);
    f->out_of_memory |= reading == AUDIT_RECORD && !audit_record_read_rest(&wide, &reader);
    if (reading == AUDIT_RECORD)
        e->sink(e->arg, &(explanation){
                            .rule = f->worker->detector->rule,
                            .accounts = f->worker->accounts,
                            .lists = f->worker->lists,
                            .now = f->judgement.now,
                            .record = &wide,
                            .kql = as_kql == AUDIT_RECORD ? &kql : NULL,
                            .memory = f->worker->memory,
                            .parser = unwrap_parser(f->worker->unwrap),
                        });
    audit_record_release(&kql);
    audit_record_release(&wide);
    arena_reset(f->worker->memory);
    return message_feed_judge(f, object); /* for what of it cannot be read */
}

static bool count_row(void *arg, const alert *a)
{
    (void)arg;
    (void)a;
    return true;
}

static void explain_broken(void *arg, text broken, const char *reason)
{
    explain_run *e = arg;

    message_feed_judge_broken(&e->message_feed, broken, reason);
}

detector_explained detector_explain(detector_worker *self, text message, timestamp now,
                                    detector_explainer *sink, void *arg)
{
    explain_run e = {.sink = sink, .arg = arg};
    const unwrap_sink takers = {&e, explain_object, explain_broken, NULL};
    unwrapped found;

    detector_worker_catch_up(self);
    e.message_feed = message_feed_begin(self, now, now, count_row, NULL);
    e.message_feed.judgement.arg = &e.message_feed;
    detector_begin_parts(self);
    found = unwrap_text(self->unwrap, self->rulebase, message, &takers);
    message_feed_note_unwrapped(&e.message_feed, &found);
    e.message_feed.seen.candidate = detector_is_candidate(self, message);
    return (detector_explained){
        .detection = e.message_feed.seen,
        .by_rulebase = found.by_rulebase,
        .other_kinds = found.other_kinds,
        .shows_account = e.message_feed.seen.degraded > 0,
    };
}
