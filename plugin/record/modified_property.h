/* SPDX-License-Identifier: Apache-2.0 */
/* modified_property: what a record says was changed on a target; a name, an old and a new value. */
#ifndef SYNCTAP_MODIFIED_PROPERTY_H
#define SYNCTAP_MODIFIED_PROPERTY_H

#include "record/audit_record.h"

/* Those of a target; none when there are none, or they cannot be read, which the view notes. */
json_list modified_properties_of(json_view *r, const audit_record *record,
                                 const audit_target *target);

/* Of one of them. The values are without the quotes that Entra writes around them; "" for null. */
text modified_property_name(json_view *r, json *property);
text modified_property_old(json_view *r, json *property);
text modified_property_new(json_view *r, json *property);

#endif
