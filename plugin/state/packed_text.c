/* SPDX-License-Identifier: Apache-2.0 */
/* packed_text: zlib in one call. */
#include "state/packed_text.h"

#include <stdint.h>
#include <zlib.h>

enum {
    LENGTH_SIZE = 4,
    MOST_PACKED = 1 << 30, /* bytes of a text: more than a message of rsyslog's may have */
    MOST_RATIO = 1040,     /* no stream of zlib's grows by more: what says so is none */
};

bool text_pack(text t, buffer *out)
{
    uLongf room = compressBound((uLong)t.length);
    char *packed;

    buffer_clear(out);
    if (t.length > MOST_PACKED)
        return false;
    for (size_t i = 0; i < LENGTH_SIZE; i++)
        buffer_append_char(out, (char)(t.length >> 8 * i));
    packed = buffer_room(out, room);
    if (packed == NULL || compress2((Bytef *)packed, &room, (const Bytef *)t.bytes, (uLong)t.length,
                                    Z_DEFAULT_COMPRESSION) != Z_OK)
        return false;
    out->length += room;
    return true;
}

bool text_unpack(text packed, buffer *out)
{
    size_t length = 0;
    char *bytes;
    uLongf got;
    int result;

    buffer_clear(out);
    if (packed.length < LENGTH_SIZE)
        return false;
    for (size_t i = 0; i < LENGTH_SIZE; i++)
        length |= (size_t)(unsigned char)packed.bytes[i] << 8 * i;
    packed = text_from(packed, LENGTH_SIZE);
    if (length > MOST_PACKED || length > MOST_RATIO * packed.length)
        return false;
    bytes = buffer_room(out, length + 1);
    got = (uLongf)length + 1;
    if (bytes == NULL)
        return false;
    result = uncompress((Bytef *)bytes, &got, (const Bytef *)packed.bytes, (uLong)packed.length);
    out->failed |= result == Z_MEM_ERROR;
    if (result != Z_OK)
        return false;
    out->length = got;
    return got == length;
}
