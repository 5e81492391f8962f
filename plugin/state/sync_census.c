/* SPDX-License-Identifier: Apache-2.0 */
/* sync_census: UPNs in one buffer, in the order in which the list hands them out: by their bytes.
 */
#include "state/sync_census.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/room.h"
#include "base/shown.h"

enum { MOST_NAMED = 20, LONGEST_NAME = 200 /* bytes */ };

struct sync_census {
    const rule *rule;
    timestamp since;
    buffer bytes; /* of the UPNs */
    size_t *ends;
    size_t count;
    size_t room;
    bool failed;
};

static void note(void *arg, const identity_record *row)
{
    sync_census *self = arg;

    if (row->time_generated <= self->since ||
        !rule_is_sync_account(self->rule, row, rule_get_semantics(self->rule)))
        return;
    buffer_append(&self->bytes, row->account_upn);
    self->failed |= buffer_failed(&self->bytes) ||
                    !room_for_one_more(&self->ends, sizeof(*self->ends), self->count, &self->room);
    if (!self->failed)
        self->ends[self->count++] = self->bytes.length;
}

sync_census *sync_census_take(role_list *list, const rule *r, timestamp now)
{
    sync_census *self = calloc(1, sizeof(*self));

    if (self == NULL)
        return NULL;
    self->rule = r;
    self->since = rule_identities_since(r, now);
    if (role_list_each(list, note, self) && !self->failed)
        return self;
    sync_census_free(self);
    return NULL;
}

size_t sync_census_count(const sync_census *self)
{
    return self->count;
}

void sync_census_free(sync_census *self)
{
    if (self == NULL)
        return;
    buffer_free(&self->bytes);
    free(self->ends);
    free(self);
}

static text upn_of(const sync_census *self, size_t n)
{
    size_t begin = n > 0 ? self->ends[n - 1] : 0;
    const char *bytes = self->bytes.bytes ? self->bytes.bytes : "";

    return (text){bytes + begin, self->ends[n] - begin};
}

static void append_name(buffer *out, text name)
{
    shown_append(out, (text){name.bytes, name.length < LONGEST_NAME ? name.length : LONGEST_NAME});
    if (name.length == 0)
        buffer_append_string(out, "(without a name)");
}

void sync_loss_add(sync_loss *self, text upn)
{
    if (self->count < MOST_NAMED) {
        buffer_append_string(&self->names, self->count > 0 ? ", " : "");
        append_name(&self->names, upn);
    }
    self->count++;
}

bool sync_loss_write(sync_loss *self, size_t before, size_t after, buffer *out)
{
    char number[128];
    bool failed;

    if (self->count > 0) {
        snprintf(number, sizeof(number), "%zu %s: ", self->count,
                 self->count == 1 ? "account is no longer a sync account"
                                  : "accounts are no longer sync accounts");
        buffer_append_string(out, number);
        buffer_append(out, buffer_text(&self->names));
        snprintf(number, sizeof(number), "%s; %zu -> %zu",
                 self->count > MOST_NAMED ? " and others" : "", before, after);
        buffer_append_string(out, number);
    }
    failed = buffer_failed(&self->names) || buffer_failed(out);
    buffer_free(&self->names);
    self->count = 0;
    return !failed;
}

static void find_lost(const sync_census *before, const sync_census *after, sync_loss *loss)
{
    size_t a = 0;

    for (size_t b = 0; b < before->count; b++) {
        while (a < after->count && text_compare(upn_of(after, a), upn_of(before, b)) < 0)
            a++;
        if (a == after->count || !text_equal(upn_of(after, a), upn_of(before, b)))
            sync_loss_add(loss, upn_of(before, b));
    }
}

bool sync_census_write_loss(const sync_census *before, const sync_census *after, buffer *out)
{
    sync_loss loss = {0};

    find_lost(before, after, &loss);
    return sync_loss_write(&loss, before->count, after->count, out);
}

bool sync_census_is_suspicious(const sync_census *before, const sync_census *after)
{
    sync_loss loss = {0};
    size_t lost;

    find_lost(before, after, &loss);
    lost = loss.count;
    buffer_free(&loss.names);
    return lost > 0 && (after->count == 0 || (before->count >= 3 && 2 * lost > before->count));
}
