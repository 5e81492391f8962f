/* SPDX-License-Identifier: Apache-2.0 */
/* mitre: tactics as Sentinel writes them, and what MITRE ATT&CK calls them. */
#ifndef SYNCTAP_MITRE_H
#define SYNCTAP_MITRE_H

#include "base/text.h"

typedef struct mitre_tactic {
    const char *word; /* Sentinel's: PrivilegeEscalation */
    const char *name; /* Privilege Escalation */
    const char *id;   /* TA0004 */
} mitre_tactic;

/* NULL when the word is none of Sentinel's. Any thread. */
const mitre_tactic *mitre_find_tactic(text word);

/* T1098 of T1098.001; the technique itself if it is none of another's. */
text mitre_parent(text technique);

#endif
