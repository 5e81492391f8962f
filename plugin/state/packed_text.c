/* SPDX-License-Identifier: Apache-2.0 */
/* packed_text: Zstandard with a dictionary, in one call. */
#include "state/packed_text.h"

#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

enum {
    LEVEL = 1,             /* the fastest: a higher one saves a tenth */
    MOST_PACKED = 1 << 30, /* bytes of a text: more than a message of rsyslog's may have */
    MOST_RATIO = 45000,    /* a block of 128 KB takes 3 bytes: what says more is no frame */
    LENGTH_SIZE = 4,       /* of a text that zlib packed */
    MOST_ZLIB_RATIO = 1040,
};

static const text MAGIC = TEXT("\x28\xB5\x2F\xFD"); /* no length that zlib's texts may have */

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
    ZSTD_CCtx *context;
    ZSTD_CDict *dictionary;
};

static bool prepare(text_packer *self)
{
    self->context = ZSTD_createCCtx();
    self->dictionary = ZSTD_createCDict(dictionary, sizeof(dictionary) - 1, LEVEL);
    return self->context != NULL && self->dictionary != NULL &&
           !ZSTD_isError(ZSTD_CCtx_setParameter(self->context, ZSTD_c_checksumFlag, 1)) &&
           !ZSTD_isError(ZSTD_CCtx_refCDict(self->context, self->dictionary));
}

text_packer *text_packer_new(void)
{
    text_packer *self = calloc(1, sizeof(*self));

    if (self == NULL || prepare(self))
        return self;
    text_packer_free(self);
    return NULL;
}

void text_packer_free(text_packer *self)
{
    if (self == NULL)
        return;
    ZSTD_freeCCtx(self->context);
    ZSTD_freeCDict(self->dictionary);
    free(self);
}

bool text_pack(text_packer *self, text t, buffer *out)
{
    size_t room = ZSTD_compressBound(t.length), got;
    char *bytes;

    buffer_clear(out);
    bytes = t.length <= MOST_PACKED ? buffer_room(out, room) : NULL;
    if (bytes == NULL)
        return false;
    got = ZSTD_compress2(self->context, bytes, room, t.bytes, t.length);
    if (ZSTD_isError(got))
        return false;
    out->length = got;
    return true;
}

/* --- unpacking --- */

struct text_unpacker {
    ZSTD_DCtx *context;
    ZSTD_DDict *dictionary;
};

text_unpacker *text_unpacker_new(void)
{
    text_unpacker *self = calloc(1, sizeof(*self));

    if (self == NULL)
        return NULL;
    self->context = ZSTD_createDCtx();
    self->dictionary = ZSTD_createDDict(dictionary, sizeof(dictionary) - 1);
    if (self->context != NULL && self->dictionary != NULL)
        return self;
    text_unpacker_free(self);
    return NULL;
}

void text_unpacker_free(text_unpacker *self)
{
    if (self == NULL)
        return;
    ZSTD_freeDCtx(self->context);
    ZSTD_freeDDict(self->dictionary);
    free(self);
}

/* Room for a text of that length and a byte; NULL when that cannot be, or memory is out. */
static char *room_for(buffer *out, unsigned long long length, text packed, size_t most_ratio)
{
    if (length > MOST_PACKED || length > most_ratio * packed.length)
        return NULL;
    return buffer_room(out, (size_t)length + 1);
}

static bool unpack_frame(text_unpacker *self, text packed, buffer *out)
{
    unsigned long long length = ZSTD_getFrameContentSize(packed.bytes, packed.length);
    char *bytes = room_for(out, length, packed, MOST_RATIO);
    size_t got;

    if (bytes == NULL)
        return false;
    got = ZSTD_decompress_usingDDict(self->context, bytes, (size_t)length, packed.bytes,
                                     packed.length, self->dictionary);
    out->length = got == length ? got : 0;
    return got == length;
}

static bool unpack_zlib(text packed, buffer *out)
{
    size_t length = 0;
    uLongf got;
    char *bytes;
    int result;

    for (size_t i = 0; i < LENGTH_SIZE; i++)
        length |= (size_t)(unsigned char)packed.bytes[i] << 8 * i;
    packed = text_from(packed, LENGTH_SIZE);
    bytes = room_for(out, length, packed, MOST_ZLIB_RATIO);
    if (bytes == NULL)
        return false;
    got = (uLongf)length + 1;
    result = uncompress((Bytef *)bytes, &got, (const Bytef *)packed.bytes, (uLong)packed.length);
    out->failed |= result == Z_MEM_ERROR;
    out->length = result == Z_OK ? got : 0;
    return result == Z_OK && got == length;
}

bool text_unpack(text_unpacker *self, text packed, buffer *out)
{
    buffer_clear(out);
    if (packed.length < LENGTH_SIZE)
        return false;
    return memcmp(packed.bytes, MAGIC.bytes, MAGIC.length) == 0 ? unpack_frame(self, packed, out)
                                                                : unpack_zlib(packed, out);
}
