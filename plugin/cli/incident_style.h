/* SPDX-License-Identifier: Apache-2.0 */
/* incident_style: how the page of an incident looks. */
#ifndef SYNCTAP_INCIDENT_STYLE_H
#define SYNCTAP_INCIDENT_STYLE_H

/* The element <style>, for the page's head. */
extern const char INCIDENT_STYLE[];

#endif
