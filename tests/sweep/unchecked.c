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

/*
 * libfastjson 1.2304.0, json_tokener.c, fjson_tokener_parse_ex: the objects
 * and strings that it makes are put into the tree unlooked at (a string
 * becomes null), as are a key's copy and the growth of printbuf, of which
 * the rest of a string is lost.
 */
UNCHECKED(struct fjson_object *, fjson_tokener_parse_ex,
          (struct fjson_tokener * tokener, const char *bytes, int length), (tokener, bytes, length))

/*
 * liblognorm 2.0.6: the same of the objects that ln_normalize makes (pdag.c,
 * addUnparsedField; parser.c, ln_v2_parseCEF), and of the strings that
 * ln_loadSamples copies (samp.c).
 */
UNCHECKED(int, ln_normalize,
          (ln_ctx context, const char *message, size_t length, struct fjson_object **fields),
          (context, message, length, fields))
UNCHECKED(int, ln_loadSamples, (ln_ctx context, const char *path), (context, path))
