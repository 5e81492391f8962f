/* SPDX-License-Identifier: Apache-2.0 */
/* dialects: what each dialect's file gives to the table of them. For this room alone. */
#ifndef SYNCTAP_DIALECTS_H
#define SYNCTAP_DIALECTS_H

#include "dialect/alert_fields.h"

void securityalert_write(const alert_fields *alert, buffer *out);
void cef_write(const alert_fields *alert, buffer *out);
void leef_write(const alert_fields *alert, buffer *out);
void ecs_write(const alert_fields *alert, buffer *out);
void ocsf_write(const alert_fields *alert, buffer *out);
void hec_write(const alert_fields *alert, buffer *out);

/* Is it what the dialect writes, whole? */
bool securityalert_is(json *object);
bool ecs_is(json *object);
bool ocsf_is(json *object);
bool hec_is(json *object);

/* Is the line what the dialect writes, whole or cut behind the alert's id? */
bool cef_is(text line);
bool leef_is(text line);

#endif
