/*
 * Fields of small requests, and globs: what is taken is text of the promised
 * length, inside the room; a refusal says what and why; a well-formed glob
 * with nothing special in it matches itself alone.
 *
 * The input is a line of arguments, a line of JSON, and a text to match with
 * the pattern that they make.
 */

#include "fuzz.h"
#include "at_fields.h"
#include "at_glob.h"
#include "at_text.h"


#define FUZZ_MAX  64


static void
fuzz_check_field(const at_field_t *field)
{
    size_t    i;
    at_str_t  s = field->value;

    FUZZ_CHECK(s.len <= field->max && at_utf8_valid(s));
    FUZZ_CHECK(s.len == 0 || (s.data[0] != ' ' && s.data[s.len - 1] != ' '));

    for (i = 0; i < s.len; i++) {
        FUZZ_CHECK((uint8_t) s.data[i] >= ' ' && s.data[i] != 0x7f);
    }
}


static void
fuzz_check_glob(at_str_t pattern, at_str_t text)
{
    size_t       i;
    const char  *fault;

    fault = at_glob_fault(pattern);

    FUZZ_CHECK(fault == NULL || fault[0]);
    FUZZ_CHECK(at_glob_match(AT_STR("*"), text));

    for (i = 0; i < pattern.len; i++) {
        if (strchr("*?[\\", pattern.data[i])) {
            (void) at_glob_match(pattern, text);
            return;
        }
    }

    FUZZ_CHECK(fault == NULL);
    FUZZ_CHECK(at_glob_match(pattern, pattern));
    FUZZ_CHECK(at_glob_match(pattern, text) == at_str_eq(pattern, text));
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int               rc;
    char             *one, *two;
    at_str_t          args, json;
    fuzz_in_t         in = { data, data + size };
    at_field_t        fields[2] = { { "pattern", FUZZ_MAX, 1, 0, AT_STR_NULL },
                                    { "kind", 8, 0, 0, AT_STR_NULL } };
    at_field_error_t  error;

    args = fuzz_line(&in);
    json = fuzz_line(&in);

    one = malloc(args.len + 1);
    two = malloc(json.len + 1);
    FUZZ_CHECK(one && two);

    rc = at_fields_args(args, fields, 2, one, &error);

    if (rc == AT_OK && json.len) {
        rc = at_fields_json(json, fields, 2, two, &error);
    }

    if (rc == AT_OK) {
        rc = at_fields_done(fields, 2, &error);
    }

    if (rc == AT_OK) {
        fuzz_check_field(&fields[0]);
        fuzz_check_field(&fields[1]);
        fuzz_check_glob(fields[0].value, fuzz_rest(&in));

    } else if (rc == AT_ERROR) {
        FUZZ_CHECK(error.code[0] && error.detail[0]);
        FUZZ_CHECK(error.field == NULL || strstr(error.detail, error.field));
    }

    free(one);
    free(two);

    return 0;
}
