/* SPDX-License-Identifier: Apache-2.0 */
/* stream_entry: a kind, numbers of 8 bytes, texts behind their lengths. */
#include "state/stream_entry.h"

static void write_number(buffer *out, int64_t number)
{
    buffer_append(out, (text){(const char *)&number, sizeof(number)});
}

static void write_text(buffer *out, text t)
{
    write_number(out, (int64_t)t.length);
    buffer_append(out, t);
}

void stream_entry_write_pending(buffer *out, const pending_record *record)
{
    buffer_clear(out);
    buffer_append_char(out, ENTRY_PENDING);
    write_number(out, record->received);
    write_number(out, record->expires);
    write_number(out, record->judged);
    write_text(out, record->row_id);
    write_text(out, record->keys);
    write_text(out, record->record);
}

void stream_entry_write_sent(buffer *out, const sent_alert *sent)
{
    buffer_clear(out);
    buffer_append_char(out, ENTRY_SENT);
    write_number(out, sent->expires);
    write_number(out, sent->detected_at);
    write_number(out, sent->window);
    write_number(out, sent->incident.opened);
    write_number(out, sent->incident.alert_count);
    write_number(out, sent->incident.place);
    write_text(out, text_of(sent->id));
    write_text(out, text_of(sent->incident.id));
    write_text(out, text_of(sent->incident.first_alert));
    write_text(out, sent->key);
    write_text(out, sent->alert);
}

void stream_entry_write_role(buffer *out, const role_change *change)
{
    buffer_clear(out);
    buffer_append_char(out, ENTRY_ROLE);
    write_number(out, change->time);
    write_number(out, change->is_gained);
    write_text(out, change->object_id);
    write_text(out, change->upn);
    write_text(out, change->role);
}

/* Bytes under reading; a step beyond their end fails, and all steps after it. */
typedef struct reader {
    text left;
    bool failed;
} reader;

static text read_bytes(reader *r, size_t count)
{
    text taken = {r->left.bytes, count};

    r->failed |= count > r->left.length;
    if (r->failed)
        return (text){"", 0};
    r->left = text_from(r->left, count);
    return taken;
}

static int64_t read_number(reader *r)
{
    text bytes = read_bytes(r, sizeof(int64_t));
    int64_t number = 0;

    if (!r->failed)
        memcpy(&number, bytes.bytes, sizeof(number));
    return number;
}

static text read_text(reader *r)
{
    return read_bytes(r, (size_t)read_number(r));
}

/* "" or an id. */
static void read_id(reader *r, char id[static UUID_TEXT_SIZE])
{
    text t = read_text(r);

    r->failed |= t.length != 0 && t.length != UUID_TEXT_SIZE - 1;
    if (r->failed)
        return;
    memcpy(id, t.bytes, t.length);
    id[t.length] = '\0';
}

static void read_pending(reader *r, pending_record *record)
{
    record->received = read_number(r);
    record->expires = read_number(r);
    record->judged = read_number(r);
    record->row_id = read_text(r);
    record->keys = read_text(r);
    record->record = read_text(r);
}

static void read_sent(reader *r, stream_entry_kind kind, sent_alert *sent)
{
    sent->expires = read_number(r);
    sent->detected_at = read_number(r);
    sent->window = read_number(r);
    sent->incident.opened = read_number(r);
    sent->incident.alert_count = (unsigned)read_number(r);
    sent->incident.place =
        kind == ENTRY_SENT ? (unsigned)read_number(r) : sent->incident.alert_count;
    read_id(r, sent->id);
    read_id(r, sent->incident.id);
    read_id(r, sent->incident.first_alert);
    sent->key = read_text(r);
    sent->alert = read_text(r);
}

static void read_role(reader *r, role_change *change)
{
    change->time = read_number(r);
    change->is_gained = read_number(r) != 0;
    change->object_id = read_text(r);
    change->upn = read_text(r);
    change->role = read_text(r);
}

stream_entry stream_entry_read(text bytes)
{
    reader r = {bytes, false};
    text kind = read_bytes(&r, 1);
    stream_entry entry = {.kind = r.failed ? ENTRY_UNKNOWN : (stream_entry_kind)kind.bytes[0]};

    if (entry.kind == ENTRY_PENDING)
        read_pending(&r, &entry.pending);
    else if (entry.kind == ENTRY_SENT || entry.kind == ENTRY_SENT_BEFORE)
        read_sent(&r, entry.kind, &entry.sent);
    else if (entry.kind == ENTRY_ROLE)
        read_role(&r, &entry.role);
    else
        r.failed = true;
    if (entry.kind == ENTRY_SENT_BEFORE)
        entry.kind = ENTRY_SENT;
    if (r.failed)
        entry.kind = ENTRY_UNKNOWN;
    return entry;
}
