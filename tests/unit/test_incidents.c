/* Which alerts share an incident, their places in it, and what leaving and closing make of that. */
#include "state/incidents.h"

#include <stdio.h>
#include <stdlib.h>

#include "fixtures.h"
#include "suites.h"
#include "test.h"

#define HOUR (3600 * TICKS_PER_SECOND)

static void free_incidents(void *self)
{
    incidents_free(self);
}

static incidents *new_incidents(incident_options options)
{
    incidents *self = incidents_new(&options);

    REQUIRE(self != NULL);
    test_at_end(free_incidents, self);
    return self;
}

static void free_buffer(void *b)
{
    buffer_free(b);
}

/* The n-th alert, of this tenant; its record is the test's. */
static alert alert_of(unsigned n, const char *tenant, timestamp now)
{
    audit_record *record = calloc(1, sizeof(*record));
    alert a = {.rule = new_rule(SEMANTICS_WIDE), .record = record, .detected_at = now};

    REQUIRE(record != NULL);
    test_at_end(free, record);
    record->tenant_id = text_of(tenant);
    snprintf(a.id, sizeof(a.id), "00000000-0000-4000-8000-%012u", n);
    return a;
}

static alert joined(incidents *self, unsigned n, timestamp now)
{
    static buffer key;
    alert a = alert_of(n, "tenant", now);

    test_at_end(free_buffer, &key);
    incidents_join(self, &a, &key);
    return a;
}

static void test_a_place_is_no_other_alerts_after_one_left(void)
{
    incidents *self = new_incidents(INCIDENTS_AS_IN_SENTINEL);
    alert first = joined(self, 1, 1), late = joined(self, 2, 2), workers = joined(self, 3, 3), next;

    EXPECT_INT(first.incident.place, 1);
    EXPECT_INT(workers.incident.place, 3);
    incidents_leave(self, &late);
    next = joined(self, 4, 4);
    EXPECT_INT(next.incident.place, 4);
    EXPECT_INT(next.incident.alert_count, 3);
}

static void test_the_last_place_is_free_again_when_its_alert_left(void)
{
    incidents *self = new_incidents(INCIDENTS_AS_IN_SENTINEL);
    alert a;

    joined(self, 1, 1);
    a = joined(self, 2, 2);
    incidents_leave(self, &a);
    a = joined(self, 3, 3);
    EXPECT_INT(a.incident.place, 2);
    EXPECT_INT(a.incident.alert_count, 2);
}

static void test_when_the_new_one_left_the_next_tells_that_it_is_new(void)
{
    incidents *self = new_incidents(INCIDENTS_AS_IN_SENTINEL);
    alert first = joined(self, 1, 1), other = joined(self, 2, 2);

    EXPECT(first.incident.is_new);
    EXPECT_NOT(other.incident.is_new);
    incidents_leave(self, &first);
    EXPECT(joined(self, 3, 3).incident.is_new);
    EXPECT_NOT(joined(self, 4, 4).incident.is_new);
}

static void test_an_incident_that_all_alerts_left_is_none(void)
{
    incidents *self = new_incidents(INCIDENTS_AS_IN_SENTINEL);
    alert a = joined(self, 1, 1), next;

    incidents_leave(self, &a);
    EXPECT_INT(incidents_count_open(self, 1), 0);
    next = joined(self, 2, 2);
    EXPECT(next.incident.is_new);
    EXPECT_STRING(next.incident.first_alert, next.id);
}

static void test_what_is_known_from_elsewhere_goes_on_behind_its_last_place(void)
{
    incidents *self = new_incidents(INCIDENTS_AS_IN_SENTINEL);
    const incident_facts facts = {
        .id = "00000000-0000-4000-8000-0000000000aa",
        .key = TEXT("[\"tenant\"]"),
        .opened = 1,
        .alert_count = 2,
        .last_place = 5,
        .first_alert = "00000000-0000-4000-8000-0000000000bb",
    };
    alert a;

    REQUIRE(incidents_put(self, &facts));
    a = joined(self, 1, 2);
    EXPECT_STRING(a.incident.id, facts.id);
    EXPECT_INT(a.incident.place, 6);
    EXPECT_INT(a.incident.alert_count, 3);
    EXPECT_NOT(a.incident.is_new);
}

/* --- random steps beside a model --- */

enum { TENANTS = 3, MOST_ALERTS = 5, MOST_JOINED = 400 };

/* An incident as the manual tells of it. */
typedef struct model_incident {
    char id[UUID_TEXT_SIZE];
    timestamp opened;
    unsigned count;
    bool is_closed;
    bool has_place[MOST_JOINED]; /* that an alert has which did not leave */
} model_incident;

typedef struct model {
    incidents *incidents;
    model_incident of[TENANTS];
    alert in_flight[16]; /* joined, and neither kept nor left */
    int tenant_of[16];
    size_t flying;
    timestamp now;
    unsigned joined;
    buffer key;
} model;

static const char *tenant_name(int tenant)
{
    static const char *const names[TENANTS] = {"one", "two", "three"};

    return names[tenant];
}

static bool takes(const model *m, const model_incident *i)
{
    return i->count > 0 && !i->is_closed && i->count < MOST_ALERTS && m->now - i->opened < HOUR;
}

static void model_join(model *m, int tenant)
{
    model_incident *i = &m->of[tenant];
    alert a = alert_of(++m->joined, tenant_name(tenant), m->now);
    bool opens = !takes(m, i);

    incidents_join(m->incidents, &a, &m->key);
    if (opens) {
        *i = (model_incident){.opened = m->now};
        memcpy(i->id, a.incident.id, sizeof(i->id));
        EXPECT(a.incident.is_new);
        EXPECT_STRING(a.incident.first_alert, a.id);
    }
    EXPECT_STRING(a.incident.id, i->id);
    EXPECT_INT(a.incident.alert_count, ++i->count);
    REQUIRE(a.incident.place < MOST_JOINED);
    EXPECT_NOT(i->has_place[a.incident.place]);
    i->has_place[a.incident.place] = true;
    m->tenant_of[m->flying] = tenant;
    m->in_flight[m->flying++] = a;
}

/* One of those that joined was handed on, or it leaves. */
static void model_settle(model *m, size_t which, bool leaves)
{
    const alert *a = &m->in_flight[which];
    model_incident *i = &m->of[m->tenant_of[which]];

    if (leaves) {
        incidents_leave(m->incidents, a);
        if (strcmp(i->id, a->incident.id) == 0) {
            i->count--;
            i->has_place[a->incident.place] = false;
        }
    }
    m->in_flight[which] = m->in_flight[--m->flying];
    m->tenant_of[which] = m->tenant_of[m->flying];
}

static void model_close(model *m, int tenant)
{
    model_incident *i = &m->of[tenant];
    const char *key = test_string("[\"%s\"]", tenant_name(tenant));

    if (i->count == 0)
        return;
    REQUIRE(incidents_put(m->incidents, &(incident_facts){
                                            .id = i->id,
                                            .key = text_of(key),
                                            .opened = i->opened,
                                            .alert_count = i->count,
                                            .first_alert = i->id,
                                            .is_closed = true,
                                        }));
    i->is_closed = true;
}

static void model_step(model *m, random_source *random)
{
    switch (random_below(random, 6)) {
    case 0:
        m->now += (timespan)random_below(random, 20) * HOUR / 60;
        incidents_expire(m->incidents, m->now);
        break;
    case 1:
        model_close(m, (int)random_below(random, TENANTS));
        break;
    case 2:
    case 3:
        if (m->flying > 0)
            model_settle(m, random_below(random, m->flying), random_below(random, 2) == 0);
        break;
    default:
        if (m->flying < LENGTH_OF(m->in_flight))
            model_join(m, (int)random_below(random, TENANTS));
    }
}

static size_t model_open(const model *m)
{
    size_t open = 0;

    for (int t = 0; t < TENANTS; t++)
        open += m->of[t].count > 0 && !m->of[t].is_closed && m->now - m->of[t].opened < HOUR;
    return open;
}

static void run_model(uint64_t seed)
{
    model *m = calloc(1, sizeof(*m));
    random_source random = random_new(seed);

    REQUIRE(m != NULL);
    m->incidents = new_incidents((incident_options){HOUR, MATCHING_ANY_ALERT, MOST_ALERTS});
    m->now = time_of("2026-06-01T12:00:00Z");
    for (int step = 0; step < 600; step++) {
        test_case("seed %d, step %d", (int)seed, step);
        model_step(m, &random);
        EXPECT_INT(incidents_count_open(m->incidents, m->now), model_open(m));
    }
    buffer_free(&m->key);
    free(m);
}

static void test_random_steps_do_what_the_model_says(void)
{
    for (uint64_t seed = 1; seed <= 40; seed++)
        run_model(seed);
    test_case("%s", "");
}

CU_TestInfo incidents_tests[] = {
    TEST(test_a_place_is_no_other_alerts_after_one_left),
    TEST(test_the_last_place_is_free_again_when_its_alert_left),
    TEST(test_when_the_new_one_left_the_next_tells_that_it_is_new),
    TEST(test_an_incident_that_all_alerts_left_is_none),
    TEST(test_what_is_known_from_elsewhere_goes_on_behind_its_last_place),
    TEST(test_random_steps_do_what_the_model_says),
    TESTS_END,
};
