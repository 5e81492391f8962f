/* SPDX-License-Identifier: Apache-2.0 */
/* aging: the ends of role-list rows, each judged as of its own instant. */
#include "detector/aging.h"

#include <stdlib.h>

#include "base/room.h"

struct aging {
    const rule *rule;
    timespan windows[KQL_MOST_SETS];
    size_t window_count; /* 0: no row's end matters */
    sync_accounts *accounts;
    timestamp since; /* up to then all ends have been looked at */
    timestamp next;
};

/* A row that got too old at an instant. */
typedef struct end {
    timestamp at;
    text upn, object_id; /* of the accounts */
} end;

typedef struct end_list {
    timespan window;
    end *all;
    size_t count, room;
    bool failed;
} end_list;

aging *aging_new(const rule *r)
{
    aging *self = calloc(1, sizeof(*self));

    if (self == NULL)
        return NULL;
    self->rule = r;
    self->window_count = rule_windows_of_absence(r, self->windows);
    self->next = self->window_count > 0 ? INT64_MIN : INT64_MAX;
    return self;
}

void aging_free(aging *self)
{
    if (self != NULL)
        sync_accounts_unref(self->accounts);
    free(self);
}

timestamp aging_next(const aging *self)
{
    return self->next;
}

static void find_next(aging *self)
{
    self->next = INT64_MAX;
    for (size_t i = 0; i < self->window_count; i++) {
        timespan window = self->windows[i];
        timestamp made = sync_accounts_next_made(self->accounts, self->since - window);

        if (made < INT64_MAX - window && made + window < self->next)
            self->next = made + window;
    }
}

/* A record that waits still, or did until the last time, is no older than that. */
static timestamp first_since(const aging *self, timestamp now)
{
    timespan lookback = rule_get_lookback(self->rule);

    return lookback > 0 ? now - 2 * lookback : INT64_MIN / 2;
}

void aging_take(aging *self, sync_accounts *accounts, timestamp now)
{
    if (self->window_count == 0 || accounts == self->accounts)
        return;
    if (self->accounts == NULL)
        self->since = first_since(self, now);
    else if (self->since < now)
        return; /* they are asked for with the next update */
    sync_accounts_unref(self->accounts);
    self->accounts = sync_accounts_ref(accounts);
    find_next(self);
}

static void add_end(void *arg, timestamp made, text upn, text object_id)
{
    end_list *list = arg;

    if (room_for_one_more(&list->all, sizeof(end), list->count, &list->room))
        list->all[list->count++] = (end){made + list->window, upn, object_id};
    else
        list->failed = true;
}

static int compare_ends(const void *a, const void *b)
{
    const end *x = a, *y = b;

    return (x->at > y->at) - (x->at < y->at);
}

static end_list ends_until(const aging *self, timestamp now)
{
    end_list list = {0};

    for (size_t i = 0; i < self->window_count; i++) {
        list.window = self->windows[i];
        sync_accounts_each_made(self->accounts, self->since - list.window, now - list.window,
                                add_end, &list);
    }
    if (list.count > 0)
        qsort(list.all, list.count, sizeof(end), compare_ends);
    return list;
}

static void judge_end(rejudging *j, const end *e)
{
    j->now = e->at;
    rejudging_find_account(j, e->upn, e->object_id);
    rejudging_judge_found(j, j->parts.accounts, e->at);
}

static bool judge_ends(rejudging *j, const end_list *list)
{
    j->failed = list->failed;
    for (size_t i = 0; i < list->count && !rejudging_must_end(j); i++) {
        judge_end(j, &list->all[i]);
        j->stopped = j->stopped || stream_must_stop(j->parts.stream);
    }
    return rejudging_remove_done(j) && !j->failed;
}

static bool run_ends(aging *self, rejudging *j, timestamp now)
{
    end_list list = {0};
    bool judged;

    if (pending_count(j->pending) > 0 && stream_joins_late(j->parts.stream))
        list = ends_until(self, now);
    judged = judge_ends(j, &list);
    free(list.all);
    if (judged && !rejudging_must_end(j)) {
        self->since = now;
        find_next(self);
    }
    return judged;
}

bool aging_run(aging *self, const late_join_parts *parts, timestamp now, detector_sink *sink,
               void *arg)
{
    rejudging j;
    bool joined;

    if (self->window_count == 0 || self->accounts == NULL || now <= self->since)
        return true;
    if (now < self->next) {
        self->since = now;
        return true;
    }
    j = rejudging_begin(parts, now, sink, arg);
    j.parts.accounts = self->accounts;
    joined = run_ends(self, &j, now);
    rejudging_end(&j);
    return joined;
}
