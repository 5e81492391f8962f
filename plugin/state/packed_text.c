/* SPDX-License-Identifier: Apache-2.0 */
/* packed_text: zlib with a dictionary, in one call. */
#define ZLIB_CONST /* zlib does not write where it reads */
#include "state/packed_text.h"

#include <stdint.h>
#include <stdlib.h>
#include <zlib.h>

enum {
    LENGTH_SIZE = 4,
    MOST_PACKED = 1 << 30, /* bytes of a text: more than a message of rsyslog's may have */
    MOST_RATIO = 1040,     /* no stream of zlib's grows by more: what says so is none */
};

/*
 * An alert and records in two shapes; the likeliest stand last. It is part of the format: what was
 * packed with it is not read with another.
 */
static const char dictionary[] =
    "{\"alert_id\":\"\",\"rule_id\":\"9b1a0008-1008-4108-9108-aadprov00008\",\"rule_name\":\"TA"
    "P Added to Entra Connector Account (Backdoor)\",\"rule_version\":\"1.0.0\",\"severity\":\""
    "High\",\"tactics\":[\"Persistence\",\"PrivilegeEscalation\"],\"techniques\":[\"T1098\",\"T"
    "1556\"],\"sub_techniques\":[\"T1098.001\",\"T1078.004\"],\"display_name\":\"TAP / security"
    "-info change on sync account \",\"description\":\" performed by  against Entra Connector a"
    "ccount . TAP on sync accounts is the documented stealth backdoor.\",\"time_generated\":\""
    "\",\"operation_name\":\"\",\"actor\":\"\",\"source_ip\":\"\",\"target_upn\":\"\",\"target_"
    "resources\":{},\"result\":\"success\",\"target_id\":\"\",\"actor_id\":\"\",\"result_reason"
    "\":\"\",\"method\":\"temporary_access_pass\",\"tap\":{\"id\":\"\",\"start\":\"\",\"end\":"
    "\"\",\"usage\":\"\"},\"caller_ip\":\"\",\"matched_by\":[\"identity_upn\",\"identity_object"
    "_id\",\"upn_startswith\",\"upn_contains\",\"displayname_has\"],\"kql\":true,\"confidence\""
    ":\"exact\",\"late\":false,\"record_id\":\"\",\"correlation_id\":\"\",\"tenant_id\":\"\",\""
    "logged_by_service\":\"Authentication Methods\",\"detected_at\":\"\",\"collector\":\"\",\"e"
    "ntities\":[{\"$id\":\"1\",\"Type\":\"account\",\"FullName\":\"\",\"Name\":\"\",\"UPNSuffix"
    "\":\".onmicrosoft.com\",\"AadUserId\":\"\"},{\"$id\":\"3\",\"Type\":\"ip\",\"Address\":\""
    "\"}],\"custom_details\":{\"Operation\":\"\",\"Actor\":\"\",\"Target\":\"\"},\"incident\":{"
    "\"id\":\"\",\"new\":true,\"alert_count\":1,\"first_alert\":\"\"},\"columns\":{},\"selftest"
    "\":false,\"cut\":false}{\"TimeGenerated\":\"\",\"Resource\":\"Microsoft.aadiam\",\"Resourc"
    "eGroup\":\"Microsoft.aadiam\",\"AADOperationType\":\"Update\",\"AADTenantId\":\"\",\"Activ"
    "ityDateTime\":\"\",\"ActivityDisplayName\":\"\",\"AdditionalDetails\":\"[]\",\"Correlation"
    "Id\":\"\",\"DurationMs\":0,\"Id\":\"\",\"Identity\":\"\",\"InitiatedBy\":\"{\\\"user\\\":{"
    "\\\"id\\\":\\\"\\\",\\\"displayName\\\":\\\"\\\",\\\"userPrincipalName\\\":\\\"\\\",\\\"ip"
    "Address\\\":\\\"\\\",\\\"roles\\\":[]}}\",\"LoggedByService\":\"Authentication Methods\","
    "\"Result\":\"success\",\"ResultDescription\":\"\",\"ResultReason\":\"User registered tempo"
    "rary access pass method\",\"ResultSignature\":\"None\",\"SourceSystem\":\"Azure AD\",\"Tar"
    "getResources\":\"[{\\\"id\\\":\\\"\\\",\\\"displayName\\\":null,\\\"type\\\":\\\"User\\\","
    "\\\"userPrincipalName\\\":\\\"\\\",\\\"modifiedProperties\\\":[],\\\"administrativeUnits\\"
    "\":[]}]\",\"Type\":\"AuditLogs\"}{\"time\":\"2026-\",\"resourceId\":\"/tenants//providers/"
    "Microsoft.aadiam\",\"operationName\":\"Admin registered security info\",\"operationVersion"
    "\":\"1.0\",\"category\":\"AuditLogs\",\"tenantId\":\"\",\"resultSignature\":\"None\",\"dur"
    "ationMs\":0,\"callerIpAddress\":\"\",\"correlationId\":\"\",\"identity\":\"\",\"Level\":4,"
    "\"properties\":{\"id\":\"Directory_\",\"category\":\"UserManagement\",\"correlationId\":\""
    "\",\"result\":\"success\",\"resultReason\":\"Admin registered temporary access pass method"
    " for user\",\"activityDisplayName\":\"Admin registered security info\",\"activityDateTime"
    "\":\"2026-\",\"loggedByService\":\"Authentication Methods\",\"operationType\":\"Update\","
    "\"userAgent\":null,\"initiatedBy\":{\"app\":{\"appId\":null,\"displayName\":\"\",\"service"
    "PrincipalId\":null,\"servicePrincipalName\":null},\"user\":{\"id\":\"\",\"displayName\":nu"
    "ll,\"userPrincipalName\":\"\",\"ipAddress\":\"\",\"roles\":[]}},\"targetResources\":[{\"id"
    "\":\"\",\"displayName\":\"\",\"type\":\"User\",\"userPrincipalName\":\"\",\"groupType\":nu"
    "ll,\"modifiedProperties\":[{\"displayName\":\"AccountEnabled\",\"oldValue\":\"[\\\"\\\"]\""
    ",\"newValue\":\"[\\\"\\\"]\"},{\"displayName\":\"StrongAuthenticationMethod\",\"oldValue\""
    ":\"[]\",\"newValue\":\"[]\"},{\"displayName\":\"LastDirSyncTime\",\"oldValue\":null,\"newV"
    "alue\":\"\\\"\\\"\"},{\"displayName\":\"Included Updated Properties\",\"oldValue\":null,\""
    "newValue\":\"\\\"\\\"\"},{\"displayName\":\"TargetId.UserType\",\"oldValue\":null,\"newVal"
    "ue\":\"\\\"Member\\\"\"}],\"administrativeUnits\":[]}],\"additionalDetails\":[{\"key\":\"U"
    "ser-Agent\",\"value\":\"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTM"
    "L, like Gecko) Chrome/120.0.0.0 Safari/537.36\"}]}}";

struct text_packer {
    z_stream stream;
};

text_packer *text_packer_new(void)
{
    text_packer *self = calloc(1, sizeof(*self));

    if (self != NULL && deflateInit(&self->stream, Z_BEST_SPEED) == Z_OK)
        return self;
    free(self);
    return NULL;
}

void text_packer_free(text_packer *self)
{
    if (self == NULL)
        return;
    deflateEnd(&self->stream);
    free(self);
}

/* --- packing --- */

static bool begin_packing(z_stream *z)
{
    return deflateReset(z) == Z_OK &&
           deflateSetDictionary(z, (const Bytef *)dictionary, sizeof(dictionary) - 1) == Z_OK;
}

static bool append_packed(z_stream *z, text t, buffer *out)
{
    size_t room = deflateBound(z, (uLong)t.length);

    z->next_in = (const Bytef *)t.bytes;
    z->avail_in = (uInt)t.length;
    z->next_out = (Bytef *)buffer_room(out, room);
    z->avail_out = (uInt)room;
    if (z->next_out == NULL || deflate(z, Z_FINISH) != Z_STREAM_END)
        return false;
    out->length += room - z->avail_out;
    return true;
}

bool text_pack(text_packer *self, text t, buffer *out)
{
    buffer_clear(out);
    if (t.length > MOST_PACKED || !begin_packing(&self->stream))
        return false;
    for (size_t i = 0; i < LENGTH_SIZE; i++)
        buffer_append_char(out, (char)(t.length >> 8 * i));
    return append_packed(&self->stream, t, out);
}

/* --- unpacking --- */

/* Z_STREAM_END when the stream ends just where it should. */
static int inflate_all(z_stream *z)
{
    int result = inflate(z, Z_FINISH);

    if (result == Z_NEED_DICT &&
        inflateSetDictionary(z, (const Bytef *)dictionary, sizeof(dictionary) - 1) == Z_OK)
        result = inflate(z, Z_FINISH);
    return result;
}

static int unpack(text stream, char *bytes, size_t *length)
{
    z_stream z = {.next_in = (const Bytef *)stream.bytes, .avail_in = (uInt)stream.length};
    int result = inflateInit(&z);

    if (result != Z_OK)
        return result;
    z.next_out = (Bytef *)bytes;
    z.avail_out = (uInt)*length;
    result = inflate_all(&z);
    *length -= z.avail_out;
    inflateEnd(&z);
    return result;
}

bool text_unpack(text packed, buffer *out)
{
    size_t length = 0, got;
    char *bytes;
    int result;

    buffer_clear(out);
    if (packed.length < LENGTH_SIZE || packed.length > UINT32_MAX)
        return false;
    for (size_t i = 0; i < LENGTH_SIZE; i++)
        length |= (size_t)(unsigned char)packed.bytes[i] << 8 * i;
    packed = text_from(packed, LENGTH_SIZE);
    if (length > MOST_PACKED || length > MOST_RATIO * packed.length)
        return false;
    got = length + 1;
    bytes = buffer_room(out, got);
    if (bytes == NULL)
        return false;
    result = unpack(packed, bytes, &got);
    out->failed |= result == Z_MEM_ERROR;
    out->length = result == Z_STREAM_END ? got : 0;
    return result == Z_STREAM_END && got == length;
}
