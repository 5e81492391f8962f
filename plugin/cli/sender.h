/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sender: one record on its way to a collector, as a sender of records puts it there.
 */
#ifndef SYNCTAP_SENDER_H
#define SYNCTAP_SENDER_H

#include "base/text.h"
#include "base/timestamp.h"

/*
 * Sends a record, which is one line, to
 *
 *   HOST:PORT, [ADDRESS]:PORT   by TCP, with a header of RFC 5424 and a line's end: what imtcp
 *                               takes as it is, whether it expects octet counts or not
 *   a socket's path             as a datagram (else a stream) with the header of /dev/log
 *   any other path              to the file's end, bare; it is made with mode 0640 if it is absent
 *
 * A path has a `/` in it. NULL when it went out; else why it did not, the caller's to free.
 */
char *sender_send(const char *target, text record, const char *host, timestamp now);

#endif
