/* SPDX-License-Identifier: Apache-2.0 */
/* digest: RFC 9562 section 5.5 over nettle's SHA-1, and nettle's SHA-256. */
#include "base/digest.h"

#include <nettle/base16.h>
#include <nettle/sha1.h>
#include <nettle/sha2.h>
#include <stdint.h>
#include <stdio.h>

/* Drawn at random once, for all synctaps: changing it changes every alert_id. */
static const uint8_t NAMESPACE[16] = {0x6f, 0x1d, 0x5c, 0x0e, 0x93, 0x4b, 0x4d, 0x27,
                                      0xa8, 0x52, 0x3e, 0x77, 0xc0, 0x19, 0xb6, 0x84};

static void set_version_and_variant(uint8_t *id)
{
    id[6] = (uint8_t)((id[6] & 0x0F) | 0x50);
    id[8] = (uint8_t)((id[8] & 0x3F) | 0x80);
}

static void write_uuid(const uint8_t *id, char result[static UUID_TEXT_SIZE])
{
    char *at = result;

    for (size_t i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *at++ = '-';
        at += snprintf(at, 3, "%02x", id[i]);
    }
}

void digest_uuid(const text *parts, size_t count, char result[static UUID_TEXT_SIZE])
{
    uint8_t id[SHA1_DIGEST_SIZE];
    struct sha1_ctx context;

    sha1_init(&context);
    sha1_update(&context, sizeof(NAMESPACE), NAMESPACE);
    for (size_t i = 0; i < count; i++) {
        char length[24];
        int digits = snprintf(length, sizeof(length), "%zu:", parts[i].length);

        sha1_update(&context, (size_t)digits, (const uint8_t *)length);
        if (parts[i].length > 0)
            sha1_update(&context, parts[i].length, (const uint8_t *)parts[i].bytes);
    }
    sha1_digest(&context, sizeof(id), id);
    set_version_and_variant(id);
    write_uuid(id, result);
}

void digest_sha256(text t, char result[static SHA256_TEXT_SIZE])
{
    struct sha256_ctx context;
    uint8_t digest[SHA256_DIGEST_SIZE];

    sha256_init(&context);
    if (t.length > 0)
        sha256_update(&context, t.length, (const uint8_t *)t.bytes);
    sha256_digest(&context, sizeof(digest), digest);
    base16_encode_update(result, sizeof(digest), digest);
    result[2 * sizeof(digest)] = '\0';
}
