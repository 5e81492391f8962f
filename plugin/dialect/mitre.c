/* SPDX-License-Identifier: Apache-2.0 */
/* mitre: the enterprise and ICS tactics that an analytics rule of Sentinel may name. */
#include "dialect/mitre.h"

static const mitre_tactic tactics[] = {
    {"Reconnaissance", "Reconnaissance", "TA0043"},
    {"ResourceDevelopment", "Resource Development", "TA0042"},
    {"InitialAccess", "Initial Access", "TA0001"},
    {"Execution", "Execution", "TA0002"},
    {"Persistence", "Persistence", "TA0003"},
    {"PrivilegeEscalation", "Privilege Escalation", "TA0004"},
    {"DefenseEvasion", "Defense Evasion", "TA0005"},
    {"CredentialAccess", "Credential Access", "TA0006"},
    {"Discovery", "Discovery", "TA0007"},
    {"LateralMovement", "Lateral Movement", "TA0008"},
    {"Collection", "Collection", "TA0009"},
    {"Exfiltration", "Exfiltration", "TA0010"},
    {"CommandAndControl", "Command and Control", "TA0011"},
    {"Impact", "Impact", "TA0040"},
    {"ImpairProcessControl", "Impair Process Control", "TA0106"},
    {"InhibitResponseFunction", "Inhibit Response Function", "TA0107"},
};

const mitre_tactic *mitre_find_tactic(text word)
{
    for (size_t i = 0; i < sizeof(tactics) / sizeof(tactics[0]); i++)
        if (text_equal(word, text_of(tactics[i].word)))
            return &tactics[i];
    return NULL;
}

text mitre_parent(text technique)
{
    const char *dot = technique.length ? memchr(technique.bytes, '.', technique.length) : NULL;

    return dot ? text_between(technique.bytes, dot) : technique;
}
