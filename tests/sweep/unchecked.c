/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unchecked: calls into libraries that do not look whether memory is there.
 *
 * The linker leads the rooms' calls here (--wrap). Nothing fails inside of
 * them: a program can neither prevent nor see what they would do then.
 */
#include <libestr.h>
#include <libfastjson/json.h> /* before liblognorm: names its json_object */
#include <liblognorm.h>
#include <yaml.h>

#include "failing_malloc.h"

/* The real one, and what the linker puts in its place. */
#define UNCHECKED(result, name, parameters, arguments)                                             \
    result __real_##name parameters;                                                               \
    __attribute__((visibility("default"))) result __wrap_##name parameters;                        \
    result __wrap_##name parameters                                                                \
    {                                                                                              \
        result got;                                                                                \
                                                                                                   \
        failing_malloc_pause();                                                                    \
        got = __real_##name arguments;                                                             \
        failing_malloc_resume();                                                                   \
        return got;                                                                                \
    }

/* The same for what gives nothing back. */
#define UNCHECKED_STEP(name, parameters, arguments)                                                \
    void __real_##name parameters;                                                                 \
    __attribute__((visibility("default"))) void __wrap_##name parameters;                          \
    void __wrap_##name parameters                                                                  \
    {                                                                                              \
        failing_malloc_pause();                                                                    \
        __real_##name arguments;                                                                   \
        failing_malloc_resume();                                                                   \
    }

/*
 * libfastjson 1.2304.0, json_object.c: an array's list and a key's copy are
 * taken unlooked at.
 */
UNCHECKED(struct fjson_object *, fjson_object_new_array, (void), ())
UNCHECKED_STEP(fjson_object_object_add_ex,
               (struct fjson_object * object, const char *key, struct fjson_object *value,
                unsigned options),
               (object, key, value, options))

/*
 * liblognorm 2.0.6: the objects that ln_normalize makes (pdag.c,
 * addUnparsedField; parser.c, ln_v2_parseCEF) are used unlooked at, and so are
 * the strings that ln_loadSamples copies (samp.c).
 */
UNCHECKED(int, ln_normalize,
          (ln_ctx context, const char *message, size_t length, struct fjson_object **fields),
          (context, message, length, fields))
UNCHECKED(int, ln_loadSamples, (ln_ctx context, const char *path), (context, path))

/* libyaml 0.2.5: yaml_parser_load does not give back its stack when it fails (loader.c). */
UNCHECKED(int, yaml_parser_load, (yaml_parser_t * parser, yaml_document_t *document),
          (parser, document))
