/* SPDX-License-Identifier: Apache-2.0 */
/* detector_feed: the ways in: a message, a part of one, a pending record. */
#include "detector/message_feed.h"
#include "detector/message_rows.h"
#include "detector/worker.h"
#include "record/wide_text.h"

static unwrap_kind take_object(void *arg, json *object)
{
    return message_feed_judge(arg, object);
}

/* What is UTF-16 hides its phrases from the gate. */
static __attribute__((noinline)) bool is_wide_candidate(detector_worker *self, text message)
{
    buffer *narrow = &self->record;

    if (!wide_text_is(message))
        return false;
    buffer_clear(narrow);
    wide_text_narrow(message, narrow);
    return buffer_failed(narrow) || gate_may_hold(self->detector->gate, buffer_text(narrow));
}

/* Apart, so that a message that the gate stops pays for none of its frame. */
static __attribute__((noinline)) detection feed_text(detector_worker *self, text message,
                                                     timestamp now, detector_sink *sink, void *arg)
{
    unwrap_sink takers = {NULL, take_object, message_feed_judge_broken, message_feed_must_stop};
    unwrapped found;
    message_feed f;

    detector_worker_catch_up(self);
    f = message_feed_begin(self, now, now, sink, arg);
    takers.arg = &f;
    detector_begin_parts(self);
    found = unwrap_text(self->unwrap, self->rulebase, message, &takers);
    message_feed_note_unwrapped(&f, &found);
    f.seen.candidate = true;
    return f.seen;
}

static inline bool is_candidate(detector_worker *self, text message)
{
    return gate_may_hold(self->detector->gate, message) ||
           (wide_text_may_be(message) && is_wide_candidate(self, message));
}

bool detector_is_candidate(detector_worker *self, text message)
{
    return is_candidate(self, message);
}

detection detector_feed(detector_worker *self, text message, timestamp now, detector_sink *sink,
                        void *arg)
{
    if (!is_candidate(self, message))
        return (detection){0};
    return feed_text(self, message, now, sink, arg);
}

size_t detector_find_candidate(detector_worker *self, text t, line_run *lines)
{
    return gate_find_in_lines(self->detector->gate, t, lines);
}

detection detector_feed_tree(detector_worker *self, json *tree, timestamp now, detector_sink *sink,
                             void *arg)
{
    unwrap_sink takers = {NULL, take_object, message_feed_judge_broken, message_feed_must_stop};
    unwrapped found;
    message_feed f;

    detector_worker_catch_up(self);
    f = message_feed_begin(self, now, now, sink, arg);
    takers.arg = &f;
    detector_begin_parts(self);
    found = unwrap_tree(self->unwrap, tree, &takers);
    message_feed_note_unwrapped(&f, &found);
    f.seen.candidate = found.records > 0 || found.broken > 0;
    return f.seen;
}

bool detector_keep(detector_worker *self, text message, timestamp received)
{
    stream *s = self->detector->stream;

    return s != NULL && stream_keep_message(s, &self->stream, message, received);
}

void detector_begin_parts(detector_worker *self)
{
    buffer_clear(&self->whole);
}

unwrapped detector_take_apart(detector_worker *self, text message, const unwrap_sink *sink)
{
    detector_worker_catch_up(self);
    return unwrap_text(self->unwrap, self->rulebase, message, sink);
}

unwrap_kind detector_feed_object(detector_worker *self, json *object, timestamp now,
                                 detector_sink *sink, void *arg, detection *seen)
{
    unwrap_kind kind;
    message_feed f;

    detector_worker_catch_up(self);
    f = message_feed_begin(self, now, now, sink, arg);
    f.is_part = true;
    kind = message_feed_judge(&f, object);
    seen->records += kind == UNWRAP_RECORD || kind == UNWRAP_RECORD_WITHOUT_TARGETS;
    message_feed_add_seen(&f, seen);
    return kind;
}

void detector_feed_broken(detector_worker *self, text broken, timestamp now, detector_sink *sink,
                          void *arg, detection *seen)
{
    message_feed f;

    detector_worker_catch_up(self);
    f = message_feed_begin(self, now, now, sink, arg);
    f.judgement.arg = &f;
    message_feed_judge_broken(&f, broken, NULL);
    message_feed_add_seen(&f, seen);
}

judged_again detector_judge_again(detector_worker *self, text record, timestamp received,
                                  const sync_accounts *accounts, timestamp now, detector_sink *sink,
                                  void *arg)
{
    json *object;
    size_t taken;
    message_feed f;

    /* Memory may have been out for a moment: what fails twice cannot be read. */
    if (json_parse(unwrap_parser(self->unwrap), record, &object, &taken) != NULL &&
        json_parse(unwrap_parser(self->unwrap), record, &object, &taken) != NULL)
        return (judged_again){.is_done = true, .is_unreadable = true};
    detector_worker_catch_up(self);
    f = message_feed_begin(self, now, received, sink, arg);
    f.judgement.accounts = accounts;
    f.is_late = true;
    detector_begin_parts(self);
    message_feed_judge(&f, object);
    json_free(object);
    message_rows_hand_on_surplus(&f);
    return (judged_again){
        .is_done = f.unmatched == 0 && !f.refused && !f.judgement.stopped,
        .refused = f.refused,
        .stopped = f.judgement.stopped,
        .out_of_memory = f.out_of_memory || f.judgement.out_of_memory,
    };
}
