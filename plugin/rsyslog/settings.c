/* SPDX-License-Identifier: Apache-2.0 */
/* settings: one table of parameters, and beside it what takes each. */
#include "rsyslog/settings.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "conf.h"
#include "errmsg.h"
#include "rainerscript.h"
#include "srUtils.h"

/* Takes a parameter's value; NULL, or what would be right. */
typedef const char *setter(settings *self, const struct svar *value, size_t which);

static const char OUT_OF_MEMORY[] = "there is no memory for it";

static const char *set_string(settings *self, const struct svar *value, size_t offset)
{
    char **string = (char **)((char *)self + offset);

    *string = parameter_string(value);
    if (*string == NULL)
        return OUT_OF_MEMORY;
    return **string == '\0' ? "give a value" : NULL;
}

/* "$!a!b", or "$.a": rsyslog takes "" for a name, too, but nobody could write such a variable. */
static bool is_variable(const char *written)
{
    size_t length = strlen(written);

    return length > 2 && written[0] == '$' && (written[1] == '!' || written[1] == '.') &&
           strstr(written + 1, "!!") == NULL && written[2] != '!' && written[length - 1] != '!';
}

static const char *set_container(settings *self, const struct svar *value, size_t offset)
{
    const char *wrong = set_string(self, value, offset);

    if (wrong != NULL)
        return wrong;
    return is_variable(self->container) ? NULL : "give a message variable such as $!synctap";
}

/* It becomes a word in front of the text, as a syslog tag is. */
static const char *set_tag(settings *self, const struct svar *value, size_t offset)
{
    const char *wrong = set_string(self, value, offset);

    if (wrong != NULL)
        return wrong;
    for (const char *at = self->tag; *at != '\0'; at++)
        if (!isgraph((unsigned char)*at))
            return "give one word without blanks, such as synctap";
    return NULL;
}

static const char *set_semantics(settings *self, const struct svar *value, size_t which)
{
    char *word = parameter_string(value);
    const char *wrong = NULL;

    (void)which;
    if (word != NULL && strcmp(word, "kql") == 0)
        rule_set_semantics(self->rule, SEMANTICS_KQL);
    else if (word != NULL && strcmp(word, "wide") == 0)
        rule_set_semantics(self->rule, SEMANTICS_WIDE);
    else
        wrong = "give kql or wide";
    free(word);
    return wrong;
}

/* A file whose own words say why it is refused: file, line, column, word. */
static const char *set_rule(settings *self, const struct svar *value, size_t which)
{
    char *path = parameter_string(value), *error = NULL;
    bool is_whole = path != NULL && path[0] == '/';
    rule_file *file = is_whole ? rule_file_open(path, &error) : NULL;
    bool used = file != NULL && rule_use_file(self->rule, file, &error);

    (void)which;
    if (path != NULL && !is_whole)
        error = strdup("give the whole path, from / on: rsyslogd changes its directory");
    free(path);
    self->rule_trouble = error;
    if (used)
        incidents_configure(&self->incidents, rule_get_facts(self->rule));
    return used ? NULL : error != NULL ? error : OUT_OF_MEMORY;
}

static const char *set_span(settings *self, const struct svar *value, size_t which)
{
    char *word = parameter_string(value);
    timespan span;
    bool read = word != NULL && timespan_parse(text_of(word), &span);

    free(word);
    if (!read)
        return "give a timespan such as 90s, 5m, 1h or 1d";
    if (which == 0)
        rule_set_lookback(self->rule, span);
    else
        rule_set_identity_window(self->rule, span);
    return NULL;
}

static const char *set_learn(settings *self, const struct svar *value, size_t which)
{
    char *word = parameter_string(value);
    bool roles = word != NULL && strcmp(word, "roles") == 0;
    bool off = word != NULL && strcmp(word, "off") == 0;

    (void)which;
    free(word);
    rule_set_learns(self->rule, roles);
    return roles || off ? NULL : "give roles or off";
}

static const char *set_latejoin(settings *self, const struct svar *value, size_t which)
{
    char *word = parameter_string(value);
    bool on = word != NULL && strcasecmp(word, "on") == 0;
    bool off = word != NULL && strcasecmp(word, "off") == 0;

    (void)which;
    free(word);
    self->latejoin = on;
    return on || off ? NULL : "give on or off";
}

static const char *set_incident_window(settings *self, const struct svar *value, size_t which)
{
    char *word = parameter_string(value);
    bool read = word != NULL && timespan_parse(text_of(word), &self->incidents.window) &&
                self->incidents.window >= 0;

    (void)which;
    free(word);
    return read ? NULL : "give a timespan such as 24h, or 0 for no incidents";
}

static const char *set_incident_matching(settings *self, const struct svar *value, size_t which)
{
    char *word = parameter_string(value);
    bool read = word != NULL && incident_matching_read(text_of(word), &self->incidents.matching);

    (void)which;
    free(word);
    return read ? NULL : "give AnyAlert, AllEntities or Selected";
}

static const char *set_incident_maxalerts(settings *self, const struct svar *value, size_t which)
{
    char *word = parameter_string(value);
    char *end = word;
    long long number = word != NULL ? strtoll(word, &end, 10) : 0;
    bool read = word != NULL && isdigit((unsigned char)word[0]) && *end == '\0' && number >= 1 &&
                number <= INT32_MAX;

    (void)which;
    free(word);
    if (read)
        self->incidents.most_alerts = (unsigned)number;
    return read ? NULL : "give a number of alerts, 1 or more";
}

static const char *set_list(settings *self, const struct svar *value, size_t list)
{
    const struct cnfarray *array = value->d.ar;
    text *strings = calloc((size_t)array->nmemb + 1, sizeof(text));
    const char *wrong;

    if (!rule_is_built_in(self->rule)) {
        free(strings);
        return "it belongs to the built-in rule: beside rule=, leave it out and edit the file";
    }
    if (strings == NULL)
        return OUT_OF_MEMORY;
    for (int i = 0; i < array->nmemb; i++)
        strings[i] = (text){(const char *)es_getBufAddr(array->arr[i]), es_strlen(array->arr[i])};
    wrong = rule_take_list(self->rule, (rule_list)list, strings, (size_t)array->nmemb);
    free(strings);
    return wrong;
}

/* Named twice it is put once. */
static void put_format(settings *self, const dialect *d)
{
    size_t i = 0;

    while (self->formats[i] != NULL && self->formats[i] != d)
        i++;
    self->formats[i] = d;
}

static const char *set_formats(settings *self, const struct svar *value, size_t which)
{
    const struct cnfarray *array = value->d.ar;

    (void)which;
    for (int i = 0; i < array->nmemb; i++) {
        const dialect *d = dialect_find(
            (text){(const char *)es_getBufAddr(array->arr[i]), es_strlen(array->arr[i])});

        if (d == NULL)
            return "give some of " DIALECT_NAMES;
        put_format(self, d);
    }
    return NULL;
}

/*
 * A number as it stands, or a name from rsyslog's own table, whose value is shifted; -1 for none.
 * rsyslog would take the 1 of "1x".
 */
static int decode(const struct svar *value, syslogName_t *names, int shift)
{
    char *word = parameter_string(value);
    int number = word != NULL ? decodeSyslogName((uchar *)word, names) : -1;

    if (number >= 0 && !isdigit((unsigned char)word[0]))
        number >>= shift;
    else if (number >= 0 && word[strspn(word, "0123456789")] != '\0')
        number = -1;
    free(word);
    return number;
}

static const char *set_facility(settings *self, const struct svar *value, size_t which)
{
    (void)which;
    self->facility = decode(value, syslogFacNames, 3);
    if (self->facility >= 0 && self->facility < LOG_NFACILITIES)
        return NULL;
    return "give a facility such as authpriv or local0";
}

static const char *set_severity(settings *self, const struct svar *value, size_t which)
{
    (void)which;
    self->severity = decode(value, syslogPriNames, 0);
    if (self->severity >= 0 && self->severity <= LOG_DEBUG)
        return NULL;
    return "give a severity such as alert or warning";
}

/* rsyslog's table of parameters, and beside it what takes each; the same order. */
static struct cnfparamdescr actpdescr[] = {
    {"name", eCmdHdlrGetWord, 0},
    {"rule", eCmdHdlrString, 0},
    {"database", eCmdHdlrString, 0},
    {"property", eCmdHdlrString, 0},
    {"rulebase", eCmdHdlrString, 0},
    {"container", eCmdHdlrString, 0},
    {"ruleset", eCmdHdlrString, 0},
    {"formats", eCmdHdlrArray, 0},
    {"semantics", eCmdHdlrString, 0},
    {"lookback", eCmdHdlrString, 0},
    {"identity.window", eCmdHdlrString, 0},
    {"learn", eCmdHdlrString, 0},
    {"latejoin", eCmdHdlrString, 0},
    {"incident.window", eCmdHdlrString, 0},
    {"incident.matching", eCmdHdlrString, 0},
    {"incident.maxalerts", eCmdHdlrString, 0},
    {"operations", eCmdHdlrArray, 0},
    {"roles", eCmdHdlrArray, 0},
    {"upn.startswith", eCmdHdlrArray, 0},
    {"upn.contains", eCmdHdlrArray, 0},
    {"upn.has", eCmdHdlrArray, 0},
    {"displayname.has", eCmdHdlrArray, 0},
    {"syslog.tag", eCmdHdlrString, 0},
    {"syslog.facility", eCmdHdlrString, 0},
    {"syslog.severity", eCmdHdlrString, 0},
};

enum { PARAMETERS = sizeof(actpdescr) / sizeof(actpdescr[0]) };

static const struct {
    setter *set;
    size_t which;
} setters[PARAMETERS] = {
    {NULL, 0},     /* the name is taken first, for messages about the others */
    {set_rule, 0}, /* what the file says, the others may say otherwise */
    {set_string, offsetof(settings, database)},
    {set_string, offsetof(settings, property_name)},
    {set_string, offsetof(settings, rulebase)},
    {set_container, offsetof(settings, container)},
    {set_string, offsetof(settings, ruleset)},
    {set_formats, 0},
    {set_semantics, 0},
    {set_span, 0},
    {set_span, 1},
    {set_learn, 0},
    {set_latejoin, 0},
    {set_incident_window, 0},
    {set_incident_matching, 0},
    {set_incident_maxalerts, 0},
    {set_list, RULE_OPERATIONS},
    {set_list, RULE_ROLES},
    {set_list, RULE_UPN_STARTSWITH},
    {set_list, RULE_UPN_CONTAINS},
    {set_list, RULE_UPN_HAS},
    {set_list, RULE_DISPLAYNAME_HAS},
    {set_tag, offsetof(settings, tag)},
    {set_facility, 0},
    {set_severity, 0},
};

static struct cnfparamblk actpblk = {CNFPARAMBLK_VERSION, PARAMETERS, actpdescr};

/* A word, or the words of an array; the caller's, NULL without memory. */
static char *words_of(const struct svar *value)
{
    buffer words = {0};
    char *result;

    if (value->datatype == 'S')
        return parameter_string(value);
    for (int i = 0; value->datatype == 'A' && i < value->d.ar->nmemb; i++) {
        es_str_t *word = value->d.ar->arr[i];

        if (i > 0)
            buffer_append_string(&words, ", ");
        buffer_append(&words, (text){(const char *)es_getBufAddr(word), es_strlen(word)});
    }
    result = buffer_failed(&words) ? NULL : strndup(words.length ? words.bytes : "", words.length);
    buffer_free(&words);
    return result;
}

static void reject_value(const settings *self, int parameter, const struct svar *value,
                         const char *right)
{
    char *word = words_of(value);

    action_reject(&self->label, actpdescr[parameter].name, word ? word : "", right);
    free(word);
}

static bool take_all(settings *self, const struct cnfparamvals *values, unsigned number)
{
    char *name = values[0].bUsed ? parameter_string(&values[0].val) : NULL;
    bool right = action_label_set(&self->label, "mmsynctap", name, number);

    free(name);
    if (!right)
        return false;
    for (int i = 1; i < PARAMETERS; i++) {
        const char *wrong =
            values[i].bUsed ? setters[i].set(self, &values[i].val, setters[i].which) : NULL;

        if (wrong != NULL) {
            reject_value(self, i, &values[i].val, wrong);
            right = false;
        }
    }
    return right;
}

static bool default_string(char **setting, const char *value)
{
    if (*setting == NULL)
        *setting = strdup(value);
    return *setting != NULL;
}

static bool set_defaults(settings *self)
{
    return default_string(&self->container, "$!synctap") && default_string(&self->tag, "synctap");
}

/* A property other than the default is looked up once; rawmsg needs no copy and has its own way. */
static bool find_property(settings *self)
{
    const char *name = self->property_name;

    if (name == NULL || strcmp(name, "rawmsg") == 0)
        return true;
    if (msgPropDescrFill(&self->property, (uchar *)name, (int)strlen(name)) != RS_RET_OK) {
        action_reject(&self->label, "property", name,
                      "give a message property such as rawmsg or msg, or a variable such as $!x");
        return false;
    }
    self->has_property = true;
    return true;
}

/* What is learned is nothing that the query knows. */
static bool check_learning(const settings *self)
{
    if (!rule_learns(self->rule) || rule_get_semantics(self->rule) == SEMANTICS_WIDE)
        return true;
    action_reject(&self->label, "learn", "roles",
                  "it counts in wide semantics alone: leave it out, or give semantics=\"wide\"");
    return false;
}

/* A rule without its watchlists would be another rule. */
static bool read_watchlists(settings *self)
{
    char *error;

    if (self->watchlists.count == 0)
        return true;
    self->lists = watchlist_files_read(&self->watchlists, self->rule, &error);
    if (self->lists == NULL)
        LogError(0, RS_RET_PARAM_ERROR, "mmsynctap: action '%s': %s", self->label.name,
                 error != NULL ? error : OUT_OF_MEMORY);
    free(error);
    return self->lists != NULL;
}

bool settings_take(settings *self, struct nvlst *list, unsigned number)
{
    struct cnfparamvals *values = nvlstGetParams(list, &actpblk, NULL);
    bool taken;

    if (values == NULL) /* rsyslog has said why */
        return false;
    self->facility = LOG_AUTHPRIV >> 3;
    self->severity = LOG_ALERT;
    self->latejoin = true;
    self->incidents = INCIDENTS_AS_IN_SENTINEL;
    self->rule = rule_new();
    taken = self->rule != NULL && take_all(self, values, number) && set_defaults(self) &&
            find_property(self) && check_learning(self) &&
            watchlist_files_take(&self->watchlists, &self->label, self->rule, list) &&
            read_watchlists(self);
    cnfparamvalsDestruct(values, &actpblk);
    return taken;
}

void settings_free(settings *self)
{
    if (self->has_property)
        msgPropDescrDestruct(&self->property);
    watchlists_unref(self->lists);
    watchlist_files_free(&self->watchlists);
    rule_free(self->rule);
    free(self->rule_trouble);
    free(self->label.name);
    free(self->database);
    free(self->property_name);
    free(self->rulebase);
    free(self->container);
    free(self->ruleset);
    free(self->tag);
}
