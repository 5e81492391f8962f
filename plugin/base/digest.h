/* SPDX-License-Identifier: Apache-2.0 */
/*
 * digest: names for things, derived from what they are.
 *
 * Pure functions; any thread may call them.
 */
#ifndef SYNCTAP_DIGEST_H
#define SYNCTAP_DIGEST_H

#include "base/text.h"

enum {
    UUID_TEXT_SIZE = sizeof("9b1a0008-1008-4108-9108-000000000000"),
    SHA256_TEXT_SIZE = 64 + 1,
};

/*
 * The name-based UUID (RFC 9562, version 5) of these parts in synctap's own
 * namespace. Each part goes in with its length, so parts cannot run together.
 */
void digest_uuid(const text *parts, size_t count, char result[static UUID_TEXT_SIZE]);

/* SHA-256 in lower-case hex. */
void digest_sha256(text t, char result[static SHA256_TEXT_SIZE]);

#endif
