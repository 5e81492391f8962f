/* SPDX-License-Identifier: Apache-2.0 */
/* Alerts of real records in three shapes, against the contract word by word. */
#include "rule/alert.h"

#include "fixtures.h"
#include "suites.h"
#include "test.h"

#define ALERT_KEYS                                                                                 \
    "alert_id,rule_id,rule_name,rule_version,severity,tactics,techniques,sub_techniques,"          \
    "display_name,description,time_generated,operation_name,actor,source_ip,target_upn,"           \
    "target_resources,result,target_id,actor_id,result_reason,method,tap,caller_ip,matched_by,"    \
    "kql,confidence,late,record_id,correlation_id,tenant_id,logged_by_service,detected_at,"        \
    "collector,entities,custom_details,incident,columns,selftest,cut"

#define ROW_KEYS                                                                                   \
    "TimeGenerated,OperationName,Actor,SourceIP,TargetUpn,TargetResources,Result,Id,TargetId,"     \
    "TargetIndex,MatchedBy,Kql"

/* What every alert of the rule says. */
#define RULE_PART                                                                                  \
    "'rule_id':'9b1a0008-1008-4108-9108-aadprov00008',"                                            \
    "'rule_name':'TAP Added to Entra Connector Account (Backdoor)','rule_version':'1.0.0',"        \
    "'severity':'High','tactics':['Persistence','PrivilegeEscalation'],"                           \
    "'techniques':['T1098','T1556'],'sub_techniques':['T1098.001','T1078.004'],"

/* --- records, as Entra writes them --- */

#define UPN_A "Sync_DC1_0123456789ab@contoso.onmicrosoft.com"
#define TARGET_A                                                                                   \
    "{'id':'11111111-2222-4333-8444-555555555555','displayName':'On-Premises Sync','type':'User'," \
    "'userPrincipalName':'" UPN_A "','modifiedProperties':["                                       \
    "{'displayName':'TemporaryAccessPass.Id','oldValue':null,'newValue':'\\'tap-1\\''},"           \
    "{'displayName':'TemporaryAccessPass.StartDateTime','oldValue':null,"                          \
    "'newValue':'\\'2026-06-01T12:00:01.5Z\\''},"                                                  \
    "{'displayName':'TemporaryAccessPass.EndDateTime','oldValue':null,"                            \
    "'newValue':'\\'2026-06-01T13:00:01.5Z\\''},"                                                  \
    "{'displayName':'TemporaryAccessPass.AccessPassUsage','oldValue':null,"                        \
    "'newValue':'\\'Multiple\\''}],'administrativeUnits':[]}"

/* A diagnostic record: an administrator gives the account a pass. */
static const char record_a[] =
    "{'time':'2026-06-01T12:00:00.1234567Z','resourceId':'/tenants/tenant-a/providers/x',"
    "'operationName':'Admin registered security info','operationVersion':'1.0',"
    "'category':'AuditLogs','tenantId':'tenant-a','resultSignature':'None','durationMs':'0',"
    "'callerIpAddress':'198.51.100.9','correlationId':'correlation-a','level':4,"
    "'properties':{'id':'record-a','category':'UserManagement','correlationId':'correlation-a',"
    "'result':'success','resultReason':'Admin registered temporary access pass method for user',"
    "'activityDisplayName':'Admin registered security info',"
    "'activityDateTime':'2026-06-01T12:00:00.1234567+00:00',"
    "'loggedByService':'Authentication Methods','operationType':'Add',"
    "'initiatedBy':{'user':{'id':'actor-a','displayName':null,"
    "'userPrincipalName':'admin@contoso.com','ipAddress':'203.0.113.7','roles':[]},'app':null},"
    "'targetResources':[" TARGET_A "],'additionalDetails':[]}}";

static const char alert_a[] = RULE_PART
    "'display_name':'TAP / security-info change on sync account " UPN_A "',"
    "'description':'Admin registered security info performed by admin@contoso.com against Entra "
    "Connector account " UPN_A ". TAP on sync accounts is the documented stealth backdoor.',"
    "'time_generated':'2026-06-01T12:00:00.1234567Z',"
    "'operation_name':'Admin registered security info','actor':'admin@contoso.com',"
    "'source_ip':'203.0.113.7','target_upn':'" UPN_A "','target_resources':" TARGET_A ","
    "'result':'success','target_id':'11111111-2222-4333-8444-555555555555',"
    "'actor_id':'actor-a',"
    "'result_reason':'Admin registered temporary access pass method for user',"
    "'method':'temporary_access_pass','tap':{'id':'tap-1',"
    "'start':'2026-06-01T12:00:01.5000000Z','end':'2026-06-01T13:00:01.5000000Z',"
    "'usage':'Multiple'},'caller_ip':'198.51.100.9',"
    "'matched_by':['upn_startswith'],'kql':true,'confidence':'exact','late':false,"
    "'record_id':'record-a','correlation_id':'correlation-a','tenant_id':'tenant-a',"
    "'logged_by_service':'Authentication Methods','detected_at':'2026-06-01T12:00:05.0000000Z',"
    "'collector':'collector-1','entities':["
    "{'$id':'1','Type':'account','FullName':'" UPN_A "','Name':'Sync_DC1_0123456789ab',"
    "'UPNSuffix':'contoso.onmicrosoft.com','AadUserId':'11111111-2222-4333-8444-555555555555'},"
    "{'$id':'2','Type':'account','FullName':'admin@contoso.com','Name':'admin',"
    "'UPNSuffix':'contoso.com','AadUserId':'actor-a'},"
    "{'$id':'3','Type':'ip','Address':'203.0.113.7'}],"
    "'custom_details':{'Operation':'Admin registered security info',"
    "'Actor':'admin@contoso.com','Target':'" UPN_A "'},'incident':";

/* A Log Analytics row: an app does it. */
#define TARGET_B                                                                                   \
    "{'id':'target-b','type':'User','userPrincipalName':'svc-dirsync@contoso.com',"                \
    "'modifiedProperties':[]}"

static const char record_b[] =
    "{'TenantId':'workspace','TimeGenerated':'2026-06-01T12:00:00Z',"
    "'OperationName':'User registered security info','Category':'UserManagement',"
    "'ResultDescription':'User registered temporary access pass method',"
    "'CorrelationId':'correlation-b','Level':'4','Id':'record-b','AADTenantId':'tenant-b',"
    "'Result':'success','ResultReason':'User registered temporary access pass method',"
    "'LoggedByService':'Authentication Methods','ActivityDateTime':'2026-06-01T12:00:00Z',"
    "'ActivityDisplayName':'User registered security info',"
    "'InitiatedBy':{'app':{'appId':null,'displayName':'Provisioning Portal',"
    "'servicePrincipalId':'principal-b'}},'TargetResources':[" TARGET_B "],'Type':'AuditLogs'}";

static const char alert_b[] = RULE_PART
    "'display_name':'TAP / security-info change on sync account svc-dirsync@contoso.com',"
    "'description':'User registered security info performed by Provisioning Portal against Entra "
    "Connector account svc-dirsync@contoso.com. TAP on sync accounts is the documented stealth "
    "backdoor.',"
    "'time_generated':'2026-06-01T12:00:00.0000000Z',"
    "'operation_name':'User registered security info','actor':'Provisioning Portal',"
    "'source_ip':'','target_upn':'svc-dirsync@contoso.com','target_resources':" TARGET_B ","
    "'result':'success','target_id':'target-b','actor_id':'principal-b',"
    "'result_reason':'User registered temporary access pass method',"
    "'method':'temporary_access_pass','tap':{'id':'','start':'','end':'','usage':''},"
    "'caller_ip':'','matched_by':['identity_upn','identity_object_id','upn_contains'],"
    "'kql':true,'confidence':'exact','late':false,"
    "'record_id':'record-b','correlation_id':'correlation-b','tenant_id':'tenant-b',"
    "'logged_by_service':'Authentication Methods','detected_at':'2026-06-01T12:00:05.0000000Z',"
    "'collector':'collector-1','entities':["
    "{'$id':'1','Type':'account','FullName':'svc-dirsync@contoso.com','Name':'svc-dirsync',"
    "'UPNSuffix':'contoso.com','AadUserId':'target-b'},"
    "{'$id':'2','Type':'account','FullName':'Provisioning Portal','Name':'Provisioning Portal',"
    "'UPNSuffix':'','AadUserId':'principal-b'}],"
    "'custom_details':{'Operation':'User registered security info',"
    "'Actor':'Provisioning Portal','Target':'svc-dirsync@contoso.com'},'incident':";

/* A Graph directoryAudit, with the newer property names and an offset. */
#define TARGET_C                                                                                   \
    "{'id':'target-c','displayName':null,'type':'User','userPrincipalName':'Sync_c@contoso.com',"  \
    "'groupType':null,'modifiedProperties':["                                                      \
    "{'displayName':'TemporaryAccessPass.TemporaryAccessPass.Id','newValue':'\\'tap-c\\''},"       \
    "{'displayName':'TemporaryAccessPass.TemporaryAccessPass.StartDateTime',"                      \
    "'newValue':'\\'2026-06-01T14:00:00+02:00\\''},"                                               \
    "{'displayName':'TemporaryAccessPass.TemporaryAccessPass.AccessPassUsage',"                    \
    "'newValue':'\\'One-time\\''}]}"

static const char record_c[] =
    "{'id':'record-c','category':'UserManagement','correlationId':'correlation-c',"
    "'result':'failure','resultReason':'','activityDisplayName':'Create temporary access pass',"
    "'activityDateTime':'2026-06-01T14:00:00.25+02:00','loggedByService':'Core Directory',"
    "'initiatedBy':{'app':null,'user':{'id':'actor-c','userPrincipalName':'',"
    "'ipAddress':'2001:db8::7'}},'targetResources':[" TARGET_C "],'additionalDetails':[]}";

static const char alert_c[] = RULE_PART
    "'display_name':'TAP / security-info change on sync account Sync_c@contoso.com',"
    "'description':'Create temporary access pass performed by  against Entra Connector account "
    "Sync_c@contoso.com. TAP on sync accounts is the documented stealth backdoor.',"
    "'time_generated':'2026-06-01T12:00:00.2500000Z',"
    "'operation_name':'Create temporary access pass','actor':'','source_ip':'2001:db8::7',"
    "'target_upn':'Sync_c@contoso.com','target_resources':" TARGET_C ",'result':'failure',"
    "'target_id':'target-c','actor_id':'actor-c','result_reason':'',"
    "'method':'temporary_access_pass','tap':{'id':'tap-c',"
    "'start':'2026-06-01T12:00:00.0000000Z','end':'','usage':'One-time'},'caller_ip':'',"
    "'matched_by':['upn_startswith'],'kql':true,'confidence':'exact','late':false,"
    "'record_id':'record-c','correlation_id':'correlation-c','tenant_id':'',"
    "'logged_by_service':'Core Directory','detected_at':'2026-06-01T12:00:05.0000000Z',"
    "'collector':'collector-1','entities':["
    "{'$id':'1','Type':'account','FullName':'Sync_c@contoso.com','Name':'Sync_c',"
    "'UPNSuffix':'contoso.com','AadUserId':'target-c'},"
    "{'$id':'2','Type':'ip','Address':'2001:db8::7'}],"
    "'custom_details':{'Operation':'Create temporary access pass','Actor':'',"
    "'Target':'Sync_c@contoso.com'},'incident':";

/* --- alerts of them --- */

static alert alert_of(const char *record, size_t index, unsigned matched_by)
{
    const audit_record *r = record_of(json_of(record));
    alert a = {
        .rule = new_rule(SEMANTICS_WIDE),
        .record = r,
        .target = target_of(r, index),
        .matched_by = matched_by,
        .kql = true,
        .time_generated = r->time_generated,
        .detected_at = time_of("2026-06-01T12:00:05Z"),
        .collector = TEXT("collector-1"),
    };

    a.registration = registration_of(r, &a.target);
    REQUIRE(alert_give_id(&a));
    return a;
}

static alert first_alert(const char *record)
{
    return alert_of(record, 0, 1u << CLAUSE_UPN_STARTSWITH);
}

static const char *kept(buffer *out)
{
    const char *copy = test_string("%s", buffer_string(out));

    buffer_free(out);
    return copy;
}

static const char *written(const alert *a)
{
    buffer out = {0};

    alert_write(a, &out);
    return kept(&out);
}

static const char *written_row(const alert *a)
{
    buffer out = {0};

    alert_write_row(a, &out);
    return kept(&out);
}

/* The written alert as a tree again. */
static json *tree_of(const alert *a)
{
    return json_of(written(a));
}

static const char *keys_of(json *object)
{
    buffer out = {0};
    json_members all = json_members_of(object);
    const char *key, *copy;
    json *value;

    while (json_next_member(&all, &key, &value)) {
        if (out.length > 0)
            buffer_append_char(&out, ',');
        buffer_append_string(&out, key);
    }
    copy = test_string("%s", buffer_string(&out));
    buffer_free(&out);
    return copy;
}

/* A path of one key, or of two with a dot between them. */
static json *member_at(json *object, const char *path)
{
    const char *dot = strchr(path, '.');

    if (dot == NULL)
        return json_member(object, path);
    return json_member(json_member(object, test_string("%.*s", (int)(dot - path), path)), dot + 1);
}

static text member_text(json *object, const char *path)
{
    return json_tostring(member_at(object, path), test_arena());
}

/* Compares everything behind the alert_id and in front of the incident's value. */
static void check_alert(alert a, const char *expected)
{
    const char *got = written(&a);
    const char *whole = test_string("{\"alert_id\":\"%s\",%s", a.id, quoted(expected));

    EXPECT_TEXT(((text){got, strlen(whole) < strlen(got) ? strlen(whole) : strlen(got)}),
                text_of(whole));
}

static void test_the_alert_of_a_diagnostic_record(void)
{
    check_alert(alert_of(record_a, 0, 1u << CLAUSE_UPN_STARTSWITH), alert_a);
}

static void test_the_alert_of_a_log_analytics_row(void)
{
    check_alert(alert_of(record_b, 0,
                         1u << CLAUSE_UPN_CONTAINS | 1u << CLAUSE_IDENTITY_OBJECT_ID |
                             1u << CLAUSE_IDENTITY_UPN),
                alert_b);
}

static void test_the_alert_of_a_directory_audit(void)
{
    check_alert(alert_of(record_c, 0, 1u << CLAUSE_UPN_STARTSWITH), alert_c);
}

static void test_the_keys_stand_in_the_contracts_order(void)
{
    alert a = first_alert(record_a), b = first_alert("{'operationName':'x'}");

    EXPECT_STRING(keys_of(tree_of(&a)), ALERT_KEYS);
    EXPECT_STRING(keys_of(tree_of(&b)), ALERT_KEYS);
}

static void test_the_inner_keys_stand_in_the_contracts_order(void)
{
    alert a = first_alert(record_a);
    json *tree = tree_of(&a);

    EXPECT_STRING(keys_of(json_member(tree, "tap")), "id,start,end,usage");
    EXPECT_STRING(keys_of(json_member(tree, "custom_details")), "Operation,Actor,Target");
    EXPECT_STRING(keys_of(json_member(tree, "columns")),
                  "TimeGenerated,OperationName,Actor,SourceIP,TargetUpn,TargetResources,Result");
}

static void test_the_columns_are_the_querys_projection(void)
{
    static const struct {
        const char *column, *member;
    } pairs[] = {
        {"columns.TimeGenerated", "time_generated"},
        {"columns.OperationName", "operation_name"},
        {"columns.Actor", "actor"},
        {"columns.SourceIP", "source_ip"},
        {"columns.TargetUpn", "target_upn"},
        {"columns.TargetResources", "target_resources"},
        {"columns.Result", "result"},
    };
    alert a = first_alert(record_a);
    json *tree = tree_of(&a);

    for (size_t i = 0; i < LENGTH_OF(pairs); i++) {
        test_case("%s", pairs[i].column);
        EXPECT(member_text(tree, pairs[i].column).length > 0);
        EXPECT_TEXT(member_text(tree, pairs[i].column), member_text(tree, pairs[i].member));
    }
}

/* --- what is too long --- */

static const char *repeated(const char *piece, size_t count)
{
    buffer out = {0};

    for (size_t i = 0; i < count; i++)
        buffer_append_string(&out, piece);
    return kept(&out);
}

/* A record whose actor and target's display name are such texts. */
static alert alert_of_long_texts(const char *actor, const char *display_name)
{
    return first_alert(test_string(
        "{'operationName':'x','properties':{'id':'r','initiatedBy':{'user':{'userPrincipalName':"
        "'%s'}},'targetResources':[{'displayName':'%s','userPrincipalName':'Sync_1@x'}]}}",
        actor, display_name));
}

static void expect_cut(const alert *a, bool cut)
{
    buffer out = {0};

    EXPECT_INT(alert_write(a, &out), cut);
    EXPECT_TEXT_IS(member_text(json_of(buffer_string(&out)), "cut"), cut ? "true" : "false");
    buffer_free(&out);
}

static void test_a_text_of_8_kb_is_whole_and_a_longer_one_is_cut(void)
{
    alert whole = alert_of_long_texts(repeated("a", 8192), "x"),
          cut = alert_of_long_texts(repeated("a", 8193), "x");

    expect_cut(&cut, true);
    EXPECT_INT(member_text(tree_of(&cut), "actor").length, 8192);
    EXPECT_INT(member_text(tree_of(&whole), "actor").length, 8192);
    EXPECT_INT(member_text(tree_of(&whole), "custom_details.Actor").length, 8192);
    EXPECT_INT(member_text(tree_of(&whole), "description").length, 8192);
}

static void test_a_text_is_cut_between_characters(void)
{
    alert a = alert_of_long_texts(repeated("\xE2\x82\xAC", 4000), "x");

    EXPECT_TEXT_IS(member_text(tree_of(&a), "actor"), repeated("\xE2\x82\xAC", 8192 / 3));
}

static void test_what_is_cut_has_the_id_of_the_whole(void)
{
    const char *record = "{'operationName':'x','properties':{'id':'%s%s','targetResources':"
                         "[{'userPrincipalName':'Sync_1@x'}]}}",
               *same = repeated("a", 9000);
    alert one = first_alert(test_string(record, same, "1")),
          two = first_alert(test_string(record, same, "2"));

    EXPECT(strcmp(one.id, two.id) != 0);
}

static void test_target_resources_that_are_cut_are_a_string_of_64_kb(void)
{
    alert whole = alert_of_long_texts("a", repeated("b", 65000)),
          cut = alert_of_long_texts("a", repeated("b", 66000));
    json *resources = json_member(tree_of(&cut), "target_resources");

    expect_cut(&whole, false);
    expect_cut(&cut, true);
    EXPECT_INT(json_kind_of(json_member(tree_of(&whole), "target_resources")), JSON_OBJECT);
    EXPECT_INT(json_kind_of(resources), JSON_STRING);
    EXPECT_INT(json_string(resources).length, 65536);
    EXPECT_INT(memcmp(json_string(resources).bytes, "{\"displayName\":\"bbb", 19), 0);
}

static void test_a_row_of_the_query_is_not_cut(void)
{
    alert a = alert_of_long_texts(repeated("a", 100000), repeated("b", 100000));
    json *row = json_of(written_row(&a));

    EXPECT_INT(member_text(row, "Actor").length, 100000);
    EXPECT_INT(member_text(row, "TargetResources.displayName").length, 100000);
}

static void test_an_alert_for_many_rows_says_how_many(void)
{
    alert one = first_alert(record_a), many = one;

    many.more = 2000;
    REQUIRE(alert_give_id(&many));
    EXPECT(strcmp(one.id, many.id) != 0);
    EXPECT_TEXT_IS(member_text(tree_of(&many), "display_name"),
                   "TAP / security-info change on sync accounts: 2000 more rows of one message");
}

static void test_absent_values_are_empty_and_not_missing(void)
{
    static const char *const keys[] = {"actor",     "source_ip",         "target_upn",
                                       "result",    "target_id",         "actor_id",
                                       "method",    "result_reason",     "caller_ip",
                                       "record_id", "tenant_id",         "correlation_id",
                                       "tap.id",    "tap.start",         "tap.end",
                                       "tap.usage", "logged_by_service", "custom_details.Actor"};
    alert a = first_alert("{'operationName':'x'}");
    json *tree = tree_of(&a);

    for (size_t i = 0; i < LENGTH_OF(keys); i++) {
        test_case("%s", keys[i]);
        EXPECT_INT(json_kind_of(member_at(tree, keys[i])), JSON_STRING);
        EXPECT_TEXT_IS(member_text(tree, keys[i]), "");
    }
    EXPECT_INT(json_kind_of(json_member(tree, "target_resources")), JSON_NULL);
    EXPECT_INT(json_array_length(json_member(tree, "entities")), 0);
}

/* --- method --- */

static text method_of(const char *operation, const char *reason, const char *property)
{
    alert a = first_alert(
        test_string("{'operationName':'%s','properties':{'resultReason':'%s','targetResources':"
                    "[{'modifiedProperties':[{'displayName':'%s','newValue':'\\'x\\''}]}]}}",
                    operation, reason, property));

    return member_text(tree_of(&a), "method");
}

static void test_the_method_stands_in_the_reason(void)
{
    static const struct {
        const char *reason, *method;
    } cases[] = {
        {"Admin registered temporary access pass method for user", "temporary_access_pass"},
        {"User registered temporary access pass method", "temporary_access_pass"},
        {"User registered Mobile Phone SMS", "phone"},
        {"User registered Office Phone", "phone"},
        {"Admin registered phone method for user", "phone"},
        {"User registered Email", "email"},
        {"Admin registered email method for user", "email"},
        {"User registered Authenticator App with Notification and Code", "authenticator"},
        {"User registered Microsoft Authenticator Lite", "authenticator"},
        {"User registered OATH software token", "oath"},
        {"User registered Fido", "fido2"},
        {"User registered Passkey", "fido2"},
        {"User registered Fido2 Authentication Method", "fido2"},
        {"User registered Authenticator App with Code", "authenticator"},
        {"User registered Microsoft Authenticator Authentication Method", "authenticator"},
        {"User registered Mobile Phone Call and SMS", "phone"},
        {"User registered Alternate Mobile Phone Call", "phone"},
        {"User registered Software OATH token", "oath"},
        {"User registered App Password", "password"},
        {"User registered FIDO2 security key", "fido2"},
        {"User registered password method", "password"},
        {"User registered security questions", "other"},
    };

    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        test_case("%s", cases[i].reason);
        EXPECT_TEXT_IS(method_of("Admin registered security info", cases[i].reason, "x"),
                       cases[i].method);
    }
}

static void test_the_method_may_stand_in_the_modified_properties(void)
{
    EXPECT_TEXT_IS(method_of("Admin registered security info", "", "TemporaryAccessPass.Id"),
                   "temporary_access_pass");
    EXPECT_TEXT_IS(method_of("Admin registered security info", "", "StrongAuthenticationPhoneApp"),
                   "phone");
}

static void test_a_record_that_says_nothing_has_no_method(void)
{
    EXPECT_TEXT_IS(method_of("Admin registered security info", "", "x"), "");
}

/* --- the pass --- */

static json *pass_of(const char *properties)
{
    alert a = first_alert(test_string("{'operationName':'x','properties':{'targetResources':"
                                      "[{'modifiedProperties':%s}]}}",
                                      properties));

    return json_member(tree_of(&a), "tap");
}

static void test_a_new_value_may_stand_without_inner_quotes(void)
{
    EXPECT_TEXT_IS(member_text(pass_of("[{'displayName':'TemporaryAccessPass.AccessPassUsage',"
                                       "'newValue':'Multiple'}]"),
                               "usage"),
                   "Multiple");
}

static void check_pass(const char *properties, const char *part, const char *expected)
{
    test_case("%s", properties);
    EXPECT_TEXT_IS(member_text(pass_of(properties), part), expected);
}

static void test_a_pass_has_many_spellings(void)
{
    static const char *const prefixes[] = {"TemporaryAccessPass.",
                                           "TemporaryAccessPass.TemporaryAccessPass."};
    static const struct {
        const char *name, *value, *part, *expected;
    } cases[] = {
        {"Id", "'\\'p\\''", "id", "p"},
        {"Id", "'[\\'p\\']'", "id", "p"},
        {"Id", "['p']", "id", "p"},
        {"Id", "'p'", "id", "p"},
        {"Id", "'null'", "id", ""},
        {"StartTime", "'\\'2026-06-01T12:00:00Z\\''", "start", "2026-06-01T12:00:00.0000000Z"},
        {"StartDateTime", "'/Date(1780315200000)/'", "start", "2026-06-01T12:00:00.0000000Z"},
        {"EndTime", "'\\'2026-06-01T13:00:00Z\\''", "end", "2026-06-01T13:00:00.0000000Z"},
        {"EndDateTime", "'soon'", "end", "soon"},
        {"AccessPassUsage", "'\\'Multiple\\''", "usage", "Multiple"},
        {"IsUsableOnce", "'\\'true\\''", "usage", "Once"},
        {"IsUsableOnce", "'false'", "usage", "Multiple"},
    };

    for (size_t i = 0; i < LENGTH_OF(cases); i++)
        for (size_t p = 0; p < LENGTH_OF(prefixes); p++)
            check_pass(test_string("[{'displayName':'%s%s','newValue':%s}]", prefixes[p],
                                   cases[i].name, cases[i].value),
                       cases[i].part, cases[i].expected);
}

static void test_a_lifetime_says_when_the_pass_ends(void)
{
    check_pass("[{'displayName':'TemporaryAccessPass.LifetimeInMinutes','newValue':'60'},"
               "{'displayName':'TemporaryAccessPass.StartDateTime',"
               "'newValue':'2026-06-01T12:00:00Z'}]",
               "end", "2026-06-01T13:00:00.0000000Z");
    check_pass("[{'displayName':'TemporaryAccessPass.LifetimeInMinutes','newValue':'60'}]", "end",
               "");
    check_pass("[{'displayName':'TemporaryAccessPass.LifetimeInMinutes','newValue':'x'},"
               "{'displayName':'TemporaryAccessPass.StartTime',"
               "'newValue':'2026-06-01T12:00:00Z'}]",
               "end", "");
}

static void test_a_pass_without_values_is_empty(void)
{
    EXPECT_TEXT_IS(
        member_text(pass_of("[{'displayName':'TemporaryAccessPass.Id','newValue':null}]"), "id"),
        "");
    EXPECT_TEXT_IS(
        member_text(pass_of("[{'displayName':'TemporaryAccessPass.Id','newValue':'\\'\\''}]"),
                    "id"),
        "");
    EXPECT_TEXT_IS(member_text(pass_of("null"), "id"), "");
    EXPECT_TEXT_IS(member_text(pass_of("'text'"), "id"), "");
    EXPECT_TEXT_IS(member_text(pass_of("[5,null,'text',{}]"), "id"), "");
}

static void test_other_properties_are_not_the_passs(void)
{
    EXPECT_TEXT_IS(
        member_text(pass_of("[{'displayName':'Id','newValue':'\\'a\\''},"
                            "{'displayName':'StrongAuthenticationMethod.Id','newValue':'b'}]"),
                    "id"),
        "");
}

/* --- entities --- */

static json *entities_of(const char *target_upn, const char *actor, const char *address)
{
    alert a = first_alert(test_string(
        "{'operationName':'x','properties':{'initiatedBy':{'user':{'userPrincipalName':'%s',"
        "'ipAddress':'%s'}},'targetResources':[{'userPrincipalName':'%s'}]}}",
        actor, address, target_upn));

    return json_member(tree_of(&a), "entities");
}

static void test_an_empty_value_makes_no_entity(void)
{
    EXPECT_INT(json_array_length(entities_of("a@x", "b@x", "1.2.3.4")), 3);
    EXPECT_INT(json_array_length(entities_of("a@x", "b@x", "")), 2);
    EXPECT_INT(json_array_length(entities_of("a@x", "", "")), 1);
    EXPECT_INT(json_array_length(entities_of("", "", "1.2.3.4")), 1);
    EXPECT_INT(json_array_length(entities_of("", "", "")), 0);
}

static void test_entities_are_numbered_from_one(void)
{
    json *entities = entities_of("", "b@x", "1.2.3.4");

    EXPECT_TEXT_IS(member_text(json_array_item(entities, 0), "$id"), "1");
    EXPECT_TEXT_IS(member_text(json_array_item(entities, 0), "FullName"), "b@x");
    EXPECT_TEXT_IS(member_text(json_array_item(entities, 1), "$id"), "2");
    EXPECT_TEXT_IS(member_text(json_array_item(entities, 1), "Type"), "ip");
}

static void test_a_name_without_a_suffix_is_whole(void)
{
    json *entity = json_array_item(entities_of("Sync_x", "", ""), 0);

    EXPECT_TEXT_IS(member_text(entity, "FullName"), "Sync_x");
    EXPECT_TEXT_IS(member_text(entity, "Name"), "Sync_x");
    EXPECT_TEXT_IS(member_text(entity, "UPNSuffix"), "");
}

/* --- matched_by, kql, confidence --- */

static void test_the_reasons_stand_in_the_contracts_order(void)
{
    alert a = alert_of(record_a, 0, (1u << RULE_CLAUSES) - 1);

    EXPECT_TEXT_IS(member_text(tree_of(&a), "matched_by"),
                   "[\"identity_upn\",\"identity_object_id\",\"upn_startswith\","
                   "\"upn_contains\",\"upn_has\"]");
}

static void test_a_row_that_the_query_misses_is_told(void)
{
    alert a = first_alert(record_a);

    a.kql = false;
    EXPECT_TEXT_IS(member_text(tree_of(&a), "kql"), "false");
}

static void test_a_degraded_alert_is_told(void)
{
    alert a = first_alert(record_a);

    a.degraded = true;
    EXPECT_TEXT_IS(member_text(tree_of(&a), "confidence"), "degraded");
}

static void test_an_alert_is_valid_json_whatever_the_values(void)
{
    alert a = first_alert("{'operationName':'a\\'b\\\\c\\n\377','properties':{'targetResources':"
                          "[{'userPrincipalName':'Sync_\\u0001\303'}]}}");
    json *tree = tree_of(&a);

    EXPECT_STRING(keys_of(tree), ALERT_KEYS);
    EXPECT_TEXT_IS(member_text(tree, "operation_name"), "a\"b\\c\n\357\277\275");
    EXPECT_TEXT_IS(member_text(tree, "target_upn"), "Sync_\001\357\277\275");
}

/* --- ids --- */

static const char *id_of(const char *record, size_t index)
{
    alert a = alert_of(record, index, 1);

    return test_string("%s", a.id);
}

static const char *record_with(const char *tenant, const char *id, const char *target_id,
                               const char *upn)
{
    return test_string("{'tenantId':'%s','operationName':'x','properties':{'id':'%s',"
                       "'targetResources':[{'id':'%s','userPrincipalName':'%s'}]}}",
                       tenant, id, target_id, upn);
}

static bool same_id(const char *record, const char *other)
{
    return strcmp(id_of(record, 0), id_of(other, 0)) == 0;
}

static void test_the_same_row_has_the_same_id(void)
{
    EXPECT(same_id(record_a, record_a));
    EXPECT(same_id(record_with("t", "r", "i", "u"), record_with("t", "r", "i", "u")));
}

static void test_each_part_of_a_row_makes_another_id(void)
{
    const char *row = record_with("t", "r", "i", "u");

    EXPECT_NOT(same_id(row, record_with("T", "r", "i", "u")));
    EXPECT_NOT(same_id(row, record_with("t", "R", "i", "u")));
    EXPECT_NOT(same_id(row, record_with("t", "r", "I", "u")));
    EXPECT_NOT(same_id(row, record_with("t", "r", "i", "U")));
    EXPECT_NOT(same_id(row, record_with("t", "ri", "", "u")));
}

static void test_equal_targets_of_one_record_have_ids_of_their_own(void)
{
    const char *record = "{'operationName':'x','properties':{'id':'r','targetResources':"
                         "[{'userPrincipalName':'Sync_a'},{'userPrincipalName':'Sync_a'}]}}";

    EXPECT(strcmp(id_of(record, 0), id_of(record, 1)) != 0);
}

static void test_an_id_does_not_depend_on_when_and_where(void)
{
    alert here = first_alert(record_a), there = first_alert(record_a);

    there.detected_at += 1;
    there.collector = (text)TEXT("collector-2");
    there.matched_by = 1u << CLAUSE_IDENTITY_UPN;
    there.kql = false;
    EXPECT(alert_give_id(&there));
    EXPECT_STRING(there.id, here.id);
}

static void test_a_record_without_an_id_is_named_by_its_content(void)
{
    const char *record = "{'operationName':'x','correlationId':'%s','properties':"
                         "{'targetResources':[{'userPrincipalName':'Sync_a'}]}}";
    const char *one = test_string(record, "1"), *other = test_string(record, "2");

    EXPECT(same_id(one, one));
    EXPECT_NOT(same_id(one, other));
}

static void test_an_id_is_a_uuid_of_version_5(void)
{
    const char *id = id_of(record_a, 0);

    EXPECT_INT(strlen(id), 36);
    EXPECT_INT(id[14], '5');
}

/* --- the query's row --- */

static void test_the_row_has_the_querys_columns_and_then_ours(void)
{
    alert a = first_alert(record_a);

    EXPECT_STRING(keys_of(json_of(written_row(&a))), ROW_KEYS);
}

static void test_the_row_of_a_diagnostic_record(void)
{
    alert a = first_alert(record_a);

    EXPECT_STRING(written_row(&a),
                  quoted("{'TimeGenerated':'2026-06-01T12:00:00.1234567Z',"
                         "'OperationName':'Admin registered security info',"
                         "'Actor':'admin@contoso.com','SourceIP':'203.0.113.7',"
                         "'TargetUpn':'" UPN_A "','TargetResources':" TARGET_A ","
                         "'Result':'success','Id':'record-a',"
                         "'TargetId':'11111111-2222-4333-8444-555555555555','TargetIndex':0,"
                         "'MatchedBy':['upn_startswith'],'Kql':true}"));
}

static void test_the_row_of_a_later_target_says_which(void)
{
    alert a = alert_of("{'operationName':'x','properties':{'targetResources':"
                       "[{'id':'0'},{'id':'1'},{'id':'2'}]}}",
                       2, 1);
    json *row = json_of(written_row(&a));

    EXPECT_TEXT_IS(member_text(row, "TargetIndex"), "2");
    EXPECT_TEXT_IS(member_text(row, "TargetId"), "2");
    EXPECT_TEXT_IS(member_text(row, "TargetResources"), "{\"id\":\"2\"}");
}

static void test_the_row_of_an_expanded_object_holds_one_property(void)
{
    alert a = alert_of("{'operationName':'x','properties':{'targetResources':"
                       "{'id':'1','userPrincipalName':'Sync_x'}}}",
                       1, 1);
    json *row = json_of(written_row(&a));

    EXPECT_TEXT_IS(member_text(row, "TargetResources"), "{\"userPrincipalName\":\"Sync_x\"}");
    EXPECT_TEXT_IS(member_text(row, "TargetUpn"), "Sync_x");
    EXPECT_TEXT_IS(member_text(row, "TargetId"), "");
}

CU_TestInfo alert_tests[] = {
    TEST(test_the_alert_of_a_diagnostic_record),
    TEST(test_the_alert_of_a_log_analytics_row),
    TEST(test_the_alert_of_a_directory_audit),
    TEST(test_the_keys_stand_in_the_contracts_order),
    TEST(test_the_inner_keys_stand_in_the_contracts_order),
    TEST(test_the_columns_are_the_querys_projection),
    TEST(test_a_text_of_8_kb_is_whole_and_a_longer_one_is_cut),
    TEST(test_a_text_is_cut_between_characters),
    TEST(test_what_is_cut_has_the_id_of_the_whole),
    TEST(test_target_resources_that_are_cut_are_a_string_of_64_kb),
    TEST(test_a_row_of_the_query_is_not_cut),
    TEST(test_an_alert_for_many_rows_says_how_many),
    TEST(test_absent_values_are_empty_and_not_missing),
    TEST(test_the_method_stands_in_the_reason),
    TEST(test_the_method_may_stand_in_the_modified_properties),
    TEST(test_a_record_that_says_nothing_has_no_method),
    TEST(test_a_new_value_may_stand_without_inner_quotes),
    TEST(test_a_pass_has_many_spellings),
    TEST(test_a_lifetime_says_when_the_pass_ends),
    TEST(test_a_pass_without_values_is_empty),
    TEST(test_other_properties_are_not_the_passs),
    TEST(test_an_empty_value_makes_no_entity),
    TEST(test_entities_are_numbered_from_one),
    TEST(test_a_name_without_a_suffix_is_whole),
    TEST(test_the_reasons_stand_in_the_contracts_order),
    TEST(test_a_row_that_the_query_misses_is_told),
    TEST(test_a_degraded_alert_is_told),
    TEST(test_an_alert_is_valid_json_whatever_the_values),
    TEST(test_the_same_row_has_the_same_id),
    TEST(test_each_part_of_a_row_makes_another_id),
    TEST(test_equal_targets_of_one_record_have_ids_of_their_own),
    TEST(test_an_id_does_not_depend_on_when_and_where),
    TEST(test_a_record_without_an_id_is_named_by_its_content),
    TEST(test_an_id_is_a_uuid_of_version_5),
    TEST(test_the_row_has_the_querys_columns_and_then_ours),
    TEST(test_the_row_of_a_diagnostic_record),
    TEST(test_the_row_of_a_later_target_says_which),
    TEST(test_the_row_of_an_expanded_object_holds_one_property),
    TESTS_END,
};
