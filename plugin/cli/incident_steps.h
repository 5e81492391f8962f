/* SPDX-License-Identifier: Apache-2.0 */
/*
 * incident_steps: what to do about an incident, as words and as text to copy:
 * Graph's PowerShell, KQL, our own command. Names go into that text as string
 * literals of their language, so that none of them can end one.
 */
#ifndef SYNCTAP_INCIDENT_STEPS_H
#define SYNCTAP_INCIDENT_STEPS_H

#include "cli/incident_view.h"

typedef struct incident_step {
    const char *title;
    const char *words;
    const char *language; /* of the code: "powershell", "kql" or "sh" */
    text code;            /* lines; alive until the sink returns */
} incident_step;

typedef void incident_step_sink(void *arg, const incident_step *step);

/* Hands out the steps in their order. False: memory ran out. */
bool incident_steps_each(const incident_view *v, incident_step_sink *sink, void *arg);

#endif
