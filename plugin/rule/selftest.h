/* SPDX-License-Identifier: Apache-2.0 */
/*
 * selftest: a record that synctap made itself, to see whether its alert comes.
 *
 * It says so by a tenant, an id and a target's domain that no tenant of
 * Entra's has. Its alert goes the way of all others; the mark keeps it out
 * of incidents, no more: who forges one gets an alert all the same.
 */
#ifndef SYNCTAP_SELFTEST_H
#define SYNCTAP_SELFTEST_H

#include "record/audit_record.h"
#include "rule/rule.h"

/* Its tenant, and what the names of its targets end in: RFC 2606 gives that domain to nobody. */
extern const text SELFTEST_TENANT;
extern const text SELFTEST_DOMAIN;
extern const text SELFTEST_TARGET_ID;

/* Room for a record's id. */
enum { SELFTEST_ID_SIZE = 64 };

/* An id that no other self-test has, made of `now` and so many bytes of chance. */
void selftest_make_id(timestamp now, uint64_t chance, char id[static SELFTEST_ID_SIZE]);

/*
 * Writes a record of an Event Hub's shape that matches by the name of its target, if the rule has a
 * list of names at all. `host` is shown as who did it.
 */
void selftest_write(const rule *r, const char *id, const char *host, timestamp now, buffer *out);

/* Is this target of this record one of those? */
bool selftest_is(const audit_record *record, const audit_target *target);

#endif
