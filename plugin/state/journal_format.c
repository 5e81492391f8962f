/* SPDX-License-Identifier: Apache-2.0 */
/* journal_format: heads with checks, and the search for the next one that holds. */
#include "state/journal_format.h"

#include <stdint.h>
#include <zlib.h>

enum { VERSION = 1 };

/* Read as a length, as it would be without a header, it is more than any segment. */
static const char magic[8] = {'\xAB', 's', 't', '\xAB', 'j', 'r', 'n', 'l'};

typedef struct head {
    uint32_t length;
    uint32_t check; /* of the entry's bytes */
    uint32_t own_check;
} head;

_Static_assert(sizeof(head) == JOURNAL_HEAD_SIZE, "a head is three numbers");

static uint32_t check_of(text bytes)
{
    return (uint32_t)crc32_z(0, (const unsigned char *)bytes.bytes, bytes.length);
}

static uint32_t own_check_of(const head *h)
{
    return check_of((text){(const char *)h, offsetof(head, own_check)});
}

static void append_number(buffer *out, uint32_t number)
{
    buffer_append(out, (text){(const char *)&number, sizeof(number)});
}

void journal_write_header(buffer *out)
{
    size_t begin = out->length;

    buffer_append(out, (text){magic, sizeof(magic)});
    append_number(out, VERSION);
    if (!buffer_failed(out))
        append_number(out, check_of((text){out->bytes + begin, out->length - begin}));
}

bool journal_write_entry(buffer *out, text entry)
{
    size_t before = out->length;
    head h = {.length = (uint32_t)entry.length, .check = check_of(entry)};

    h.own_check = own_check_of(&h);
    buffer_append(out, (text){(const char *)&h, sizeof(h)});
    buffer_append(out, entry);
    if (!buffer_failed(out))
        return true;
    out->length = before;
    out->failed = false;
    return false;
}

/* --- reading --- */

typedef enum found { WHOLE, CUT, NO_ENTRY } found;

/* What stands at the front? */
static found find_entry(text content, text *entry)
{
    head h;

    if (content.length < sizeof(h))
        return CUT;
    memcpy(&h, content.bytes, sizeof(h));
    if (h.own_check != own_check_of(&h))
        return NO_ENTRY;
    content = text_from(content, sizeof(h));
    if (h.length > content.length)
        return CUT;
    *entry = (text){content.bytes, h.length};
    return check_of(*entry) == h.check ? WHOLE : NO_ENTRY;
}

static void add_damage(journal_damage *damage, size_t from, size_t bytes)
{
    damage->stretches++;
    damage->from = from;
    damage->bytes += bytes;
}

/* Hands out what is whole from there on; between two such entries, each byte may begin the next. */
static bool read_entries(text content, size_t at, journal_sink *sink, void *arg,
                         journal_damage *damage)
{
    size_t bad = at; /* the first byte behind the last whole entry */
    bool is_cut = false;

    while (at < content.length) {
        text entry;
        found here = find_entry(text_from(content, at), &entry);

        if (here != WHOLE) {
            is_cut = at == bad ? here == CUT : is_cut;
            at++;
            continue;
        }
        if (at > bad)
            add_damage(damage, bad, at - bad);
        if (!sink(arg, entry))
            return false;
        bad = at += JOURNAL_HEAD_SIZE + entry.length;
    }
    if (at > bad && !is_cut)
        add_damage(damage, bad, at - bad);
    return true;
}

/* Lengths and entries alone, as they were written before there was a header. */
static bool read_bare_entries(text content, journal_sink *sink, void *arg, journal_damage *damage)
{
    uint32_t length;

    for (size_t at = 0; content.length - at >= sizeof(length); at += length) {
        memcpy(&length, content.bytes + at, sizeof(length));
        at += sizeof(length);
        if (length == 0)
            add_damage(damage, at - sizeof(length), content.length - at + sizeof(length));
        if (length == 0 || length > content.length - at)
            return true;
        if (!sink(arg, (text){content.bytes + at, length}))
            return false;
    }
    return true;
}

/* Does the first length fit, and is there no entry with a check? */
static bool is_bare(text content)
{
    uint32_t length;
    text entry;

    if (content.length < sizeof(length))
        return false;
    memcpy(&length, content.bytes, sizeof(length));
    if (length == 0 || length > content.length - sizeof(length))
        return false;
    for (size_t at = 0; at < content.length; at++)
        if (find_entry(text_from(content, at), &entry) == WHOLE)
            return false;
    return true;
}

static bool is_cut_header(text content)
{
    size_t length = content.length < sizeof(magic) ? content.length : sizeof(magic);

    return content.length < JOURNAL_HEADER_SIZE && memcmp(content.bytes, magic, length) == 0;
}

/* Its version, or 0 when it is none. */
static uint32_t version_of_header(text content)
{
    const size_t checked = sizeof(magic) + sizeof(uint32_t);
    uint32_t version, check;

    if (content.length < JOURNAL_HEADER_SIZE || memcmp(content.bytes, magic, sizeof(magic)) != 0)
        return 0;
    memcpy(&version, content.bytes + sizeof(magic), sizeof(version));
    memcpy(&check, content.bytes + checked, sizeof(check));
    return check == check_of((text){content.bytes, checked}) ? version : 0;
}

journal_reading journal_read_segment(text content, journal_sink *sink, void *arg,
                                     journal_damage *damage)
{
    uint32_t version;
    bool read;

    *damage = (journal_damage){0};
    if (content.length == 0 || is_cut_header(content))
        return SEGMENT_READ;
    version = version_of_header(content);
    if (version > VERSION)
        return SEGMENT_OF_OTHER_VERSION;
    if (version == 0 && is_bare(content))
        read = read_bare_entries(content, sink, arg, damage);
    else
        read = read_entries(content, version == 0 ? 0 : JOURNAL_HEADER_SIZE, sink, arg, damage);
    return read ? SEGMENT_READ : SEGMENT_STOPPED;
}
