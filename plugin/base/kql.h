/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kql: the string operators of the Kusto Query Language that the rule uses.
 *
 * What each does is set down in Microsoft's operator pages (kusto/query:
 * has-operator, has-any-operator, startswith-operator, contains-operator,
 * in-cs-operator, in-operator) and, where these are silent, in recorded
 * results of the engine. All functions are pure: any thread may call them,
 * nothing is allocated (but in the buffer that kql_fold fills). Bytes that are not UTF-8 count as
 * U+FFFD, one each.
 */
#ifndef SYNCTAP_KQL_H
#define SYNCTAP_KQL_H

#include "base/buffer.h"
#include "base/text.h"

/*
 * How the operators fold case and see words.
 * KQL: as the engine does. WIDE: also folds U+017F to s and U+212A to k, and
 * takes a non-ASCII letter beside a phrase for a boundary, so it finds all
 * that KQL finds and some more.
 */
typedef enum semantics { SEMANTICS_KQL, SEMANTICS_WIDE } semantics;

/* left has right: right occurs with both its edges free. An empty right is always there. */
bool kql_has(text left, text right, semantics s);

/* The same with case as it stands, byte by byte. */
bool kql_has_cs(text left, text right, semantics s);

/* left endswith right, case folded; an empty right is true. */
bool kql_endswith(text left, text right, semantics s);

/* left startswith right, case folded; an empty right is true. */
bool kql_startswith(text left, text right, semantics s);

/* left contains right, case folded; an empty right is true. */
bool kql_contains(text left, text right, semantics s);

/* left =~ right: equal when case folded; the equality of in~. */
bool kql_equals(text left, text right, semantics s);

/*
 * An order in which texts that are kql_equals come together: -1, 0 or 1, and
 * 0 exactly when kql_equals. For sorted tables that in~ looks up.
 */
int kql_compare(text left, text right, semantics s);

/*
 * Appends the text, case folded: two texts are kql_equals exactly when this
 * gives the same bytes. For indexes.
 */
void kql_fold(text t, semantics s, buffer *out);

#endif
