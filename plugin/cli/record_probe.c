/* SPDX-License-Identifier: Apache-2.0 */
/* record_probe: takes a message apart, and reads its objects until one is a record. */
#include "cli/record_probe.h"

#include <stdlib.h>

#include "base/arena.h"
#include "record/audit_record.h"

struct record_probe {
    detector_worker *worker;
    json_parser *parser;
    arena *memory;
    bool found;
};

record_probe *record_probe_new(detector_worker *worker)
{
    record_probe *self = calloc(1, sizeof(*self));

    if (self == NULL)
        return NULL;
    *self = (record_probe){worker, json_parser_new(JSON_MOST_DEPTH), arena_new(), false};
    if (self->parser != NULL && self->memory != NULL)
        return self;
    record_probe_free(self);
    return NULL;
}

void record_probe_free(record_probe *self)
{
    if (self == NULL)
        return;
    json_parser_free(self->parser);
    arena_free(self->memory);
    free(self);
}

static unwrap_kind look_at(void *arg, json *object)
{
    record_probe *self = arg;
    const audit_reader reader = {self->memory, self->parser};
    audit_record record;
    audit_result result;

    if (self->found)
        return UNWRAP_RECORD;
    result = audit_record_read(object, SEMANTICS_WIDE, &reader, &record);
    self->found = result == AUDIT_RECORD;
    audit_record_release(&record);
    arena_reset(self->memory);
    return result == AUDIT_RECORD       ? UNWRAP_RECORD
           : result == AUDIT_OTHER_KIND ? UNWRAP_OTHER_KIND
                                        : UNWRAP_UNKNOWN;
}

static void pass_over(void *arg, text broken, const char *reason)
{
    (void)arg;
    (void)broken;
    (void)reason;
}

bool record_probe_finds(record_probe *self, text message)
{
    const unwrap_sink sink = {self, look_at, pass_over, NULL};

    self->found = false;
    detector_take_apart(self->worker, message, &sink);
    return self->found;
}
