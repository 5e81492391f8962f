/* identity_import: unwrap, read, put. */
#include "identity_import.h"

#include <stdlib.h>

#include "unwrap.h"

struct identity_import {
    unwrap *unwrap;
    arena *memory;
};

typedef struct feeding {
    arena *memory;
    role_list *list;
    identity_imported done;
} feeding;

identity_import *identity_import_new(void)
{
    identity_import *self = calloc(1, sizeof(*self));

    if (self == NULL)
        return NULL;
    self->unwrap = unwrap_new();
    self->memory = arena_new();
    if (self->unwrap != NULL && self->memory != NULL)
        return self;
    identity_import_free(self);
    return NULL;
}

void identity_import_free(identity_import *self)
{
    if (self == NULL)
        return;
    unwrap_free(self->unwrap);
    arena_free(self->memory);
    free(self);
}

static unwrap_kind put_object(void *arg, json *object)
{
    feeding *f = arg;
    identity_record row;
    identity_reading reading = identity_record_read(object, f->memory, &row);

    switch (reading) {
    case IDENTITY_RECORD:
        if (role_list_put(f->list, &row))
            f->done.rows++;
        else
            f->done.failed = true;
        break;
    case IDENTITY_WITHOUT_TIME:
        f->done.without_time++;
        break;
    case IDENTITY_OUT_OF_MEMORY:
        f->done.failed = true;
        break;
    case IDENTITY_OTHER_KIND:
        break;
    }
    arena_reset(f->memory);
    return reading == IDENTITY_OTHER_KIND ? UNWRAP_UNKNOWN : UNWRAP_RECORD;
}

identity_imported identity_import_feed(identity_import *self, role_list *list,
                                       const carrier *rulebase, text message)
{
    feeding f = {.memory = self->memory, .list = list};
    const unwrap_sink sink = {&f, put_object, NULL};
    unwrapped found = unwrap_text(self->unwrap, rulebase, message, &sink);

    f.done.broken = found.broken;
    f.done.reason = found.reason;
    return f.done;
}
