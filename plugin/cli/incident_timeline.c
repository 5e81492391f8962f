/* SPDX-License-Identifier: Apache-2.0 */
/* incident_timeline: a scale, its ticks, the lanes, the marks in them. */
#include "cli/incident_timeline.h"

#include <stdio.h>

#include "cli/html.h"
#include "cli/incident_words.h"

/* In units of the drawing, which is as wide as the page. */
enum {
    WIDTH = 1000,
    LEFT = 276, /* names of the targets stand there */
    RIGHT = WIDTH - 44,
    TOP = 34,
    LANE = 34,
    FOOT = 26,
    MOST_LANES = 12,
    MOST_NAME = 32, /* characters of a target's name */
    MOST_TICKS = 6,
};

typedef struct scale {
    timestamp from, to;
    timespan step; /* between two ticks */
    size_t lanes;
    int height;
} scale;

/* --- the scale --- */

static const timespan STEPS[] = {
    1,         2,     5,         10,        15,         30,         60,         120,
    300,       600,   900,       1800,      3600,       2 * 3600,   3 * 3600,   6 * 3600,
    12 * 3600, 86400, 2 * 86400, 7 * 86400, 14 * 86400, 30 * 86400, 90 * 86400, 365 * 86400,
};

enum { STEP_COUNT = sizeof(STEPS) / sizeof(STEPS[0]) };

static timespan step_for(timespan span)
{
    size_t i = 0;

    while (i + 1 < STEP_COUNT && span / (STEPS[i] * TICKS_PER_SECOND) > MOST_TICKS)
        i++;
    return STEPS[i] * TICKS_PER_SECOND;
}

static void widen(scale *s, timestamp t)
{
    if (t < s->from)
        s->from = t;
    if (t > s->to)
        s->to = t;
}

static scale scale_of(const incident_view *v)
{
    scale s = {.from = v->alerts[0].event, .to = v->alerts[0].event};
    timespan margin;

    for (size_t i = 0; i < v->count; i++) {
        widen(&s, v->alerts[i].event);
        if (v->alerts[i].detected != 0)
            widen(&s, v->alerts[i].detected);
    }
    margin = (s.to - s.from) / 40 + 2 * TICKS_PER_SECOND;
    s.from -= margin;
    s.to += margin;
    s.step = step_for(s.to - s.from);
    s.lanes = v->targets.count < MOST_LANES ? v->targets.count : MOST_LANES;
    s.height = TOP + (int)s.lanes * LANE + FOOT;
    return s;
}

static double place(const scale *s, timestamp t)
{
    return LEFT + (double)(t - s->from) / (double)(s->to - s->from) * (RIGHT - LEFT);
}

/* The targets beyond the last lane share it. */
static size_t lane_of(const scale *s, const view_alert *a)
{
    return a->target_at < s->lanes ? a->target_at : s->lanes - 1;
}

static double height_of(size_t lane)
{
    return TOP + (double)lane * LANE + LANE / 2.0;
}

/* --- ticks --- */

static void append_tick_label(buffer *out, const scale *s, timestamp t, bool with_date)
{
    char written[TIMESTAMP_TEXT_SIZE];

    timestamp_format(t, written);
    if (with_date)
        html_append_markup(out, "<tspan class=\"date\">%.10s</tspan> ", written);
    if (s->step < TICKS_PER_DAY)
        html_append_markup(out, "%.*s", s->step < 60 * TICKS_PER_SECOND ? 8 : 5, written + 11);
}

static bool is_on_another_day(timestamp a, timestamp b)
{
    return a / TICKS_PER_DAY != b / TICKS_PER_DAY;
}

static void append_ticks(buffer *out, const scale *s)
{
    timestamp first = (s->from / s->step + 1) * s->step, before = 0;

    for (timestamp t = first; t <= s->to; before = t, t += s->step) {
        double x = place(s, t);

        html_append_markup(out,
                           "<line class=\"grid\" x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\"/>"
                           "<text class=\"tick\" x=\"%.1f\" y=\"%d\">",
                           x, TOP - 6, x, s->height - FOOT + 4, x, TOP - 14);
        append_tick_label(out, s, t, t == first || is_on_another_day(t, before));
        buffer_append_string(out, "</text>\n");
    }
}

/* --- lanes --- */

static void append_lanes(buffer *out, const incident_view *v, const scale *s)
{
    for (size_t i = 0; i < s->lanes; i++) {
        html_append_markup(out,
                           "<line class=\"lane\" x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\"/>"
                           "<text class=\"name\" x=\"%d\" y=\"%.1f\">",
                           LEFT, height_of(i), RIGHT, height_of(i), LEFT - 14, height_of(i) + 4);
        if (i + 1 == s->lanes && v->targets.count > s->lanes)
            html_append_markup(out, "and %zu more accounts", v->targets.count - s->lanes + 1);
        else
            html_append_short(out, v->targets.names[i].name, MOST_NAME);
        buffer_append_string(out, "</text>\n");
    }
}

/* --- marks --- */

static void append_title(buffer *out, const view_alert *a)
{
    buffer words = {0};

    words_append_time(&words, a->event);
    buffer_append_string(&words, ": ");
    buffer_append(&words, a->operation);
    buffer_append_string(&words, " by ");
    buffer_append(&words, view_name_or_id(a->actor, a->actor_id));
    buffer_append_string(&words, ", detected after ");
    words_append_delay(&words, a);
    if (a->is_late || a->is_degraded || a->repeats > 0 || a->is_cut) {
        buffer_append_string(&words, "; ");
        words_append_marks(&words, a);
    }
    buffer_append_string(out, "<title>");
    html_append_text(out, buffer_text(&words));
    buffer_append_string(out, "</title>");
    out->failed |= buffer_failed(&words);
    buffer_free(&words);
}

/* A line from the event to its detection, which ends in a bar. */
static void append_detection(buffer *out, const scale *s, const view_alert *a, double y)
{
    double from = place(s, a->event), to = place(s, a->detected);

    if (a->detected == 0)
        return;
    html_append_markup(out,
                       "<line class=\"wait\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>"
                       "<line class=\"seen\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>",
                       from, y, to, y, to, y - 9, to, y + 9);
}

static void append_event(buffer *out, const view_alert *a, double x, double y)
{
    if (a->repeats > 0)
        html_append_markup(out, "<circle class=\"again\" cx=\"%.1f\" cy=\"%.1f\" r=\"10\"/>", x, y);
    if (a->is_degraded)
        html_append_markup(out, "<path class=\"event\" d=\"M%.1f %.1fl7 7l-7 7l-7 -7z\"/>", x,
                           y - 7);
    else
        html_append_markup(out, "<circle class=\"event\" cx=\"%.1f\" cy=\"%.1f\" r=\"5.5\"/>", x,
                           y);
}

static void append_mark(buffer *out, const scale *s, const view_alert *a)
{
    double y = height_of(lane_of(s, a));

    html_append_markup(out, "<g class=\"mark%s%s%s\">", a->is_late ? " late" : "",
                       a->is_degraded ? " degraded" : "", a->repeats > 0 ? " repeated" : "");
    append_title(out, a);
    append_detection(out, s, a, y);
    append_event(out, a, place(s, a->event), y);
    buffer_append_string(out, "</g>\n");
}

/* What is seldom goes over what is not. */
static void append_marks(buffer *out, const incident_view *v, const scale *s)
{
    for (int special = 0; special < 2; special++)
        for (size_t i = 0; i < v->count; i++) {
            const view_alert *a = &v->alerts[i];

            if ((a->is_late || a->is_degraded || a->repeats > 0) == (special == 1))
                append_mark(out, s, a);
        }
}

/* --- the legend --- */

static void append_legend(buffer *out, const incident_view *v)
{
    static const char head[] = "<svg class=\"key\" width=\"26\" height=\"22\" viewBox=\"0 0 26 22\""
                               " aria-hidden=\"true\">";

    html_append_markup(out,
                       "<p class=\"legend\"><span>%s<g class=\"mark\"><circle class=\"event\" "
                       "cx=\"13\" cy=\"11\" r=\"5.5\"/></g></svg>event</span><span>%s<g "
                       "class=\"mark\"><line class=\"seen\" x1=\"13\" y1=\"2\" x2=\"13\" "
                       "y2=\"20\"/></g></svg>detected</span>",
                       head, head);
    if (v->late > 0)
        html_append_markup(out,
                           "<span>%s<g class=\"mark late\"><line class=\"wait\" x1=\"6\" y1=\"11\" "
                           "x2=\"22\" y2=\"11\"/><circle class=\"event\" cx=\"6\" cy=\"11\" "
                           "r=\"5.5\"/><line class=\"seen\" x1=\"22\" y1=\"2\" x2=\"22\" "
                           "y2=\"20\"/></g></svg>late: the role list told of it afterwards</span>",
                           head);
    if (v->degraded > 0)
        html_append_markup(out,
                           "<span>%s<g class=\"mark degraded\"><path class=\"event\" d=\"M13 4l7 "
                           "7l-7 7l-7 -7z\"/></g></svg>degraded: from a broken record</span>",
                           head);
    if (v->repeats > 0)
        html_append_markup(out,
                           "<span>%s<g class=\"mark repeated\"><circle class=\"again\" cx=\"13\" "
                           "cy=\"11\" r=\"10\"/><circle class=\"event\" cx=\"13\" cy=\"11\" "
                           "r=\"5.5\"/></g></svg>came more than once</span>",
                           head);
    buffer_append_string(out, "</p>\n");
}

void incident_timeline_append(buffer *out, const incident_view *v)
{
    scale s;

    if (v->count == 0)
        return;
    s = scale_of(v);
    html_append_markup(out,
                       "<svg class=\"timeline\" viewBox=\"0 0 %d %d\" role=\"img\" "
                       "aria-label=\"Timeline: %zu alerts on %zu accounts, times in UTC\">\n",
                       WIDTH, s.height, v->count, v->targets.count);
    append_ticks(out, &s);
    append_lanes(out, v, &s);
    append_marks(out, v, &s);
    html_append_markup(out, "<text class=\"foot\" x=\"%d\" y=\"%d\">UTC</text></svg>\n", RIGHT,
                       s.height - 6);
    append_legend(out, v);
}
