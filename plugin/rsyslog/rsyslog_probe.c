/* SPDX-License-Identifier: Apache-2.0 */
/* rsyslog_probe: lets the daemon write where it does no harm, and looks at what it wrote. */
#include "rsyslog/rsyslog_probe.h"

#include <stdio.h>
#include <string.h>

#include "errmsg.h"
#include "glbl.h"
#include "msg.h"
#include "obj.h"
#include "ruleset.h"
#include "statsobj.h"

/*
 * Room for a table of functions. The largest, glbl_if_t, had 512 bytes in 8.2608. The head is what
 * every table begins with (obj-types.h, ifBEGIN).
 */
typedef union table_room {
    interface_t head;
    unsigned char bytes[8192];
} table_room;

/* A table that the modules use, as the headers have it. */
typedef struct table_kind {
    const char *name;
    int version;
    size_t size;     /* bytes */
    size_t unfilled; /* bytes at its end that a daemon of the same version may leave alone */
} table_kind;

/* No pointer into a program has such bytes all over; two of them tell apart what one may hit. */
static const unsigned char PATTERNS[] = {0xA5, 0x5A};

static const table_kind OBJ = {"obj", objCURR_IF_VERSION, sizeof(obj_if_t), 0};

static const table_kind CORE_TABLES[] = {
    /* its last entry is SetOptionDisallowWarning, which no version fills; it grows by pairs */
    {"glbl", glblCURR_IF_VERSION, sizeof(glbl_if_t), sizeof(void *)},
    {"ruleset", rulesetCURR_IF_VERSION, sizeof(ruleset_if_t), 0},
    {"statsobj", statsobjCURR_IF_VERSION, sizeof(statsobj_if_t), 0},
};

static void put_pattern(table_room *room, unsigned char pattern, int version)
{
    memset(room, pattern, sizeof(*room));
    room->head.ifVersion = version;
    room->head.ifIsLoaded = 0;
}

/* The offset behind the last byte that is not the pattern's. */
static size_t end_of_writing(const table_room *room, unsigned char pattern)
{
    size_t end = sizeof(room->bytes);

    while (end > 0 && room->bytes[end - 1] == pattern)
        end--;
    return end;
}

/* Has the daemon fill a table. The obj table is the one that gives the others. */
static rsRetVal fill_table(const table_kind *kind, table_room *room)
{
    obj_if_t obj = {.ifVersion = objCURR_IF_VERSION};
    DEFiRet;

    if (kind == &OBJ)
        return objGetObjInterface((obj_if_t *)room);
    CHKiRet(objGetObjInterface(&obj));
    CHKiRet(obj.UseObj(__FILE__, (uchar *)kind->name, CORE_COMPONENT, &room->head));
finalize_it:
    RETiRet;
}

static bool refuse(const char *module, const char *what)
{
    LogError(0, RS_RET_MODULE_LOAD_ERR_DLOPEN,
             "%s: built for rsyslog " VERSION ", but this rsyslogd is another version: %s differs. "
             "The module is not loaded, and nothing is detected. Install the package for this "
             "version of rsyslog, or build %s again with the headers of this version "
             "(rsyslogd -v names it)",
             module, what, module);
    return false;
}

/* Does the daemon know as many functions as the headers? It fills a table from its begin to its
 * end. */
static bool table_fits(const table_kind *kind)
{
    table_room room;
    size_t end = 0;

    for (size_t i = 0; i < sizeof(PATTERNS); i++) {
        size_t found;

        put_pattern(&room, PATTERNS[i], kind->version);
        if (fill_table(kind, &room) != RS_RET_OK)
            return false;
        found = end_of_writing(&room, PATTERNS[i]);
        end = found > end ? found : end;
    }
    return end <= kind->size && end >= kind->size - kind->unfilled;
}

/* Fields from both ends of the struct, scalars only: following a wrong pointer would crash. */
static bool fields_lie_where_headers_say(smsg_t *m)
{
    static char somewhere;
    ruleset_t *const marker = (ruleset_t *)&somewhere;
    bool fits;

    MsgSetRawMsg(m, "synctap", 7);
    MsgSetMSGoffs(m, 2);
    msgSetPRI(m, (syslog_pri_t)(10 << 3 | 1));
    setProtocolVersion(m, 1);
    MsgSetRuleset(m, marker);
    fits = m->iLenRawMsg == 7 && m->offMSG == 2 && m->iLenMSG == 5 && m->iFacility == 10 &&
           m->iSeverity == 1 && m->iProtocolVersion == 1 && m->pRuleset == marker;
    MsgSetRuleset(m, NULL);
    return fits;
}

static bool message_fits(void)
{
    smsg_t *m;
    bool fits;

    if (msgConstruct(&m) != RS_RET_OK)
        return false;
    fits = fields_lie_where_headers_say(m);
    msgDestruct(&m);
    return fits;
}

/* The obj table first: the daemon copies it over whoever asks for another. */
bool rsyslog_fits(const char *module)
{
    if (!table_fits(&OBJ))
        return refuse(module, "its table of functions \"obj\"");
    for (size_t i = 0; i < sizeof(CORE_TABLES) / sizeof(CORE_TABLES[0]); i++) {
        if (!table_fits(&CORE_TABLES[i])) {
            char what[64];

            snprintf(what, sizeof(what), "its table of functions \"%s\"", CORE_TABLES[i].name);
            return refuse(module, what);
        }
    }
    return message_fits() || refuse(module, "the layout of its messages");
}
