/* SPDX-License-Identifier: Apache-2.0 */
/* carrier: one liblognorm context. */
#include "record/carrier.h"

#include <errno.h>
#include <libestr.h>
#include <libfastjson/json.h> /* before liblognorm: names its json_object */
#include <liblognorm.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct carrier {
    atomic_uint references;
    ln_ctx context;
    char *first_error; /* what liblognorm complained of first while it read the rules */
};

static void keep_first_error(void *cookie, const char *message, size_t length)
{
    carrier *self = cookie;

    if (self != NULL && self->first_error == NULL)
        self->first_error = strndup(message, length);
}

static void ignore_debug(void *cookie, const char *message, size_t length)
{
    (void)cookie;
    (void)message;
    (void)length;
}

/* liblognorm opens the file itself, but says of a missing one only that it failed. */
static bool is_readable(const char *path, char **error)
{
    if (access(path, R_OK) == 0)
        return true;
    if (asprintf(error, "%s", strerror(errno)) < 0)
        *error = NULL;
    return false;
}

/*
 * liblognorm passes over lines that it does not know: so it takes any file for a rulebase. What
 * cannot be read to its end may have rules.
 */
static bool may_have_rules(const char *path)
{
    FILE *file = fopen(path, "r");
    char *line = NULL;
    size_t room = 0;
    bool found = file == NULL;

    while (!found && getline(&line, &room, file) >= 0)
        found = strncmp(line, "rule=", 5) == 0 || strncmp(line, "include=", 8) == 0;
    found = found || !feof(file);
    free(line);
    if (file != NULL)
        fclose(file);
    return found;
}

static bool load(carrier *self, const char *path, char **error)
{
    if (!is_readable(path, error))
        return false;
    if (!may_have_rules(path)) {
        *error = strdup("there is no rule in it: a rulebase has lines that begin with rule=");
        return false;
    }
    self->context = ln_initCtx();
    if (self->context == NULL)
        return false;
    /* liblognorm 2.0.6 hands the debug callback's cookie to the error callback (liblognorm.c). */
    ln_setDebugCB(self->context, ignore_debug, self);
    ln_setErrMsgCB(self->context, keep_first_error, self);
    ln_setCtxOpts(self->context, LN_CTXOPT_ADD_RULE_LOCATION);
    if (ln_loadSamples(self->context, path) == 0 && self->first_error == NULL)
        return true;
    *error = self->first_error ? self->first_error : strdup("liblognorm refuses it");
    self->first_error = NULL;
    return false;
}

carrier *carrier_open(const char *path, char **error)
{
    carrier *self = calloc(1, sizeof(*self));

    *error = NULL;
    if (self == NULL)
        return NULL;
    atomic_init(&self->references, 1);
    if (load(self, path, error))
        return self;
    carrier_unref(self);
    return NULL;
}

carrier *carrier_ref(carrier *self)
{
    atomic_fetch_add(&self->references, 1);
    return self;
}

void carrier_unref(carrier *self)
{
    if (self == NULL || atomic_fetch_sub(&self->references, 1) != 1)
        return;
    if (self->context != NULL)
        ln_exitCtx(self->context);
    free(self->first_error);
    free(self);
}

/* liblognorm is told a length, but reads what no rule fits up to a NUL byte. */
static char *with_nul(text t)
{
    char *copy = malloc(t.length + 1);

    if (copy == NULL)
        return NULL;
    if (t.length > 0)
        memcpy(copy, t.bytes, t.length);
    copy[t.length] = '\0';
    return copy;
}

json *carrier_take_apart(const carrier *self, text message)
{
    char *copy = with_nul(message);
    json *fields = NULL;
    int refused = copy ? ln_normalize(self->context, copy, message.length, &fields) : LN_NOMEM;

    free(copy);
    if (refused == 0 && carrier_record(fields) != NULL)
        return fields;
    json_free(fields);
    errno = refused == LN_NOMEM ? ENOMEM : 0;
    return NULL;
}

bool carrier_is_same_rule(json *fields, json *others)
{
    buffer rule = {0}, other = {0};
    bool is_same, failed;

    json_write_value(&rule, json_member(fields, "metadata"));
    json_write_value(&other, json_member(others, "metadata"));
    failed = buffer_failed(&rule) || buffer_failed(&other);
    is_same = !failed && text_equal(buffer_text(&rule), buffer_text(&other));
    buffer_free(&rule);
    buffer_free(&other);
    errno = failed ? ENOMEM : 0;
    return is_same;
}

json *carrier_record(json *fields)
{
    return json_member(fields, "record");
}
