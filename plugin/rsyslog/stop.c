/* SPDX-License-Identifier: Apache-2.0 */
/* stop: rsyslog's flag for its inputs, which it sets first of all, and when it was seen. */
#include "rsyslog/stop.h"

#include <stdatomic.h>

#include "glbl.h"
#include "obj.h"
#include "state/patience.h"

enum {
    GRACE = 500, /* milliseconds */
    LAST_WAIT = 500,
};

/* rsyslog's macros are statements without semicolons. */
/* clang-format off */
DEFobjCurrIf(obj)
DEFobjCurrIf(glbl);
/* clang-format on */

rsRetVal stop_use(void)
{
    DEFiRet;

    CHKiRet(objGetObjInterface(&obj));
    CHKiRet(objUse(glbl, CORE_COMPONENT));
finalize_it:
    RETiRet;
}

bool stop_is_asked(void)
{
    return glbl.GetGlobalInputTermState() != 0;
}

int64_t stop_deadline(stop *self)
{
    int64_t end = 0, mine;

    if (!stop_is_asked())
        return 0;
    mine = patience_clock() + GRACE;
    return atomic_compare_exchange_strong(&self->end, &end, mine) ? mine : end;
}

int64_t stop_last_wait(stop *self)
{
    int64_t end = stop_deadline(self);

    return end == 0 ? 0 : end + LAST_WAIT;
}
