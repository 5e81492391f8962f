/* identity_record: the columns of a Log Analytics row. */
#include "identity_record.h"

static const char *const columns[] = {"AccountUPN", "AccountObjectId", "AccountDisplayName",
                                      "AssignedRoles"};

enum { COLUMNS = sizeof(columns) / sizeof(columns[0]) };

static bool is_identity_row(json *object)
{
    for (size_t i = 0; i < COLUMNS; i++)
        if (json_has_member(object, columns[i]))
            return true;
    return false;
}

static bool read_column(json *object, const char *name, arena *memory, text *result)
{
    *result = json_tostring(json_member(object, name), memory);
    return result->bytes != NULL;
}

identity_reading identity_record_read(json *object, arena *memory, identity_record *record)
{
    text *const texts[COLUMNS] = {&record->account_upn, &record->account_object_id,
                                  &record->account_display_name, &record->assigned_roles};
    text time;

    if (!is_identity_row(object))
        return IDENTITY_OTHER_KIND;
    for (size_t i = 0; i < COLUMNS; i++)
        if (!read_column(object, columns[i], memory, texts[i]))
            return IDENTITY_OUT_OF_MEMORY;
    if (!read_column(object, "TimeGenerated", memory, &time))
        return IDENTITY_OUT_OF_MEMORY;
    if (!timestamp_parse(time, &record->time_generated))
        return IDENTITY_WITHOUT_TIME;
    return IDENTITY_RECORD;
}
