/*
 * The body of POST /attempt, checked (at_attempt.h).
 *
 * What stands in "request" is written down as an object of its own while it
 * is read, and goes through at_generate_parse(), so there is one judge of
 * requests.  Strings are kept in a->store, which is given its whole room
 * before anything points into it.
 */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "at_attempt.h"
#include "at_json.h"


typedef struct {
    at_attempt_t         *a;
    at_generate_error_t  *err;      /* code is NULL while all is well */
    at_buf_t              request;  /* the object inside, as JSON */
    unsigned              id:1;     /* seen */
    unsigned              fence:1;
    unsigned              traced:1;
    unsigned              inside:1;
    unsigned              object:1;
    unsigned              lost:1;   /* no memory */
} at_attempt_reader_t;


static int at_attempt_read(at_attempt_reader_t *r, at_str_t body);
static int at_attempt_json(at_attempt_reader_t *r, at_str_t body);
static int at_attempt_open(void *ctx, const char *path, at_json_type_e type);
static int at_attempt_value(void *ctx, const char *path, at_json_type_e type,
    at_str_t text);
static void at_attempt_inside(at_attempt_reader_t *r, const char *name,
    at_json_type_e type, at_str_t text);
static void at_attempt_id(at_attempt_reader_t *r, at_json_type_e type,
    at_str_t text);
static void at_attempt_fence(at_attempt_reader_t *r, at_json_type_e type,
    at_str_t text);
static void at_attempt_trace(at_attempt_reader_t *r, at_json_type_e type,
    at_str_t text);
static void at_attempt_job(at_attempt_reader_t *r, at_str_t *member,
    size_t max, at_json_type_e type, at_str_t text);
static int at_attempt_plain(at_str_t s, size_t max);
static at_str_t at_attempt_keep(at_attempt_reader_t *r, at_str_t s);
static int at_attempt_jobs_whole(at_attempt_reader_t *r);
static int at_attempt_fail(at_attempt_reader_t *r, const char *code,
    const char *field, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));


int
at_attempt_parse(at_str_t body, at_attempt_t *a, at_generate_error_t *err)
{
    int                  rc;
    at_attempt_reader_t  r;

    memset(a, 0, sizeof(at_attempt_t));
    memset(err, 0, sizeof(at_generate_error_t));
    memset(&r, 0, sizeof(at_attempt_reader_t));

    r.a = a;
    r.err = err;

    rc = at_attempt_read(&r, body);

    at_buf_free(&r.request);

    if (rc != AT_OK) {
        at_attempt_free(a);
        memset(a, 0, sizeof(at_attempt_t));
    }

    return rc;
}


void
at_attempt_free(at_attempt_t *a)
{
    at_generate_free(&a->request);
    at_buf_free(&a->store);
}


static int
at_attempt_read(at_attempt_reader_t *r, at_str_t body)
{
    if (body.len > AT_GENERATE_BODY_MAX) {
        return at_attempt_fail(r, "too_long", NULL,
                               "the body has %zu bytes; it may have %d at "
                               "most", body.len, AT_GENERATE_BODY_MAX);
    }

    /* decoding never makes a string longer, so the store never moves */

    if (at_buf_reserve(&r->a->store, body.len + 1) != AT_OK
        || at_buf_append_str(&r->request, AT_STR("{")) != AT_OK)
    {
        return at_attempt_fail(r, "no_memory", NULL, "there is no memory");
    }

    if (at_attempt_json(r, body) != AT_OK) {
        return AT_ERROR;
    }

    if (!r->object) {
        return at_attempt_fail(r, "not_an_object", NULL,
                               "the body is JSON but no object");
    }

    if (at_buf_append_str(&r->request, AT_STR("}")) != AT_OK || r->lost) {
        return at_attempt_fail(r, "no_memory", NULL, "there is no memory");
    }

    if (r->err->code != NULL) {
        return AT_ERROR;
    }

    if (!r->id || !r->fence) {
        return at_attempt_fail(r, "missing_field", r->id ? "fence" : "id",
                               "%s is missing", r->id ? "fence" : "id");
    }

    if (at_attempt_jobs_whole(r) != AT_OK) {
        return AT_ERROR;
    }

    return at_generate_parse(at_buf_str(&r->request), &r->a->request,
                             r->err);
}


static int
at_attempt_json(at_attempt_reader_t *r, at_str_t body)
{
    int                rc;
    const char        *why;
    at_json_limits_t   limits;
    at_json_handler_t  handler;

    memset(&limits, 0, sizeof(at_json_limits_t));
    limits.string = AT_GENERATE_BODY_MAX;

    memset(&handler, 0, sizeof(at_json_handler_t));
    handler.value = at_attempt_value;
    handler.open = at_attempt_open;

    rc = at_json_read(body, &handler, r, &limits, &why);

    if (rc != AT_OK) {
        return at_attempt_fail(r, rc == AT_NO_MEMORY ? "no_memory"
                                                     : "invalid_json",
                               NULL, "the body cannot be read: %s", why);
    }

    return AT_OK;
}


static int
at_attempt_open(void *ctx, const char *path, at_json_type_e type)
{
    at_attempt_t         *a;
    at_attempt_reader_t  *r;

    r = ctx;
    a = r->a;

    if (path[0] == '\0') {
        r->object = (type == AT_JSON_OBJECT);
        return AT_OK;
    }

    if (r->err->code != NULL) {
        return AT_OK;
    }

    if (strncmp(path, "request.", 8) == 0 && strpbrk(path + 8, ".[?") == NULL)
    {
        /* no member that counts is an object or an array: let it be judged */

        at_attempt_inside(r, path + 8, AT_JSON_BOOL, AT_STR("true"));

    } else if (strcmp(path, "jobs[]") == 0 && type == AT_JSON_OBJECT) {

        if (a->njobs == AT_ATTEMPT_JOBS_MAX) {
            (void) at_attempt_fail(r, "too_long", "jobs",
                                   "jobs has more than %d elements",
                                   AT_ATTEMPT_JOBS_MAX);
        } else {
            a->njobs++;
        }

    } else if (strcmp(path, "id") == 0 || strcmp(path, "fence") == 0) {
        (void) at_attempt_fail(r, "wrong_type", NULL, "%s is %s", path,
                               type == AT_JSON_OBJECT ? "an object"
                                                      : "an array");
    }

    return AT_OK;
}


static int
at_attempt_value(void *ctx, const char *path, at_json_type_e type,
    at_str_t text)
{
    at_attempt_t         *a;
    at_attempt_job_t     *job;
    at_attempt_reader_t  *r;

    r = ctx;
    a = r->a;

    if (r->err->code != NULL || type == AT_JSON_NULL) {
        return AT_OK;
    }

    job = a->njobs > 0 ? &a->jobs[a->njobs - 1] : NULL;

    if (strncmp(path, "request.", 8) == 0) {

        if (strpbrk(path + 8, ".[?") == NULL) {
            at_attempt_inside(r, path + 8, type, text);
        }

    } else if (strcmp(path, "id") == 0) {
        at_attempt_id(r, type, text);

    } else if (strcmp(path, "fence") == 0) {
        at_attempt_fence(r, type, text);

    } else if (strcmp(path, "requestId") == 0) {
        at_attempt_trace(r, type, text);

    } else if (job != NULL && strcmp(path, "jobs[].provider") == 0) {
        at_attempt_job(r, &job->provider, AT_ATTEMPT_NAME_MAX, type, text);

    } else if (job != NULL && strcmp(path, "jobs[].job") == 0) {
        at_attempt_job(r, &job->job, AT_ATTEMPT_JOB_MAX, type, text);
    }

    return AT_OK;
}


/* A member of the request; twice in the body is twice here. */
static void
at_attempt_inside(at_attempt_reader_t *r, const char *name,
    at_json_type_e type, at_str_t text)
{
    int       rc;
    at_str_t  s;

    s.data = name;
    s.len = strlen(name);

    rc = AT_OK;

    if (r->inside) {
        rc |= at_buf_append_str(&r->request, AT_STR(","));
    }

    r->inside = 1;

    rc |= at_json_write_string(&r->request, s);
    rc |= at_buf_append_str(&r->request, AT_STR(":"));
    rc |= type == AT_JSON_STRING ? at_json_write_string(&r->request, text)
                                 : at_buf_append_str(&r->request, text);

    r->lost |= (rc != AT_OK);
}


static void
at_attempt_id(at_attempt_reader_t *r, at_json_type_e type, at_str_t text)
{
    size_t  i;

    for (i = 0; i < text.len; i++) {
        if (!((text.data[i] >= '0' && text.data[i] <= '9')
              || (text.data[i] >= 'a' && text.data[i] <= 'f')))
        {
            break;
        }
    }

    if (type != AT_JSON_STRING || text.len != AT_ATTEMPT_ID || i < text.len
        || r->id)
    {
        (void) at_attempt_fail(r, r->id ? "duplicate_field" : "wrong_type",
                               "id", "id must be %d hexadecimal digits, once",
                               AT_ATTEMPT_ID);
        return;
    }

    r->id = 1;
    r->a->id = at_attempt_keep(r, text);
}


static void
at_attempt_fence(at_attempt_reader_t *r, at_json_type_e type, at_str_t text)
{
    size_t    i;
    uint64_t  n;

    n = 0;

    for (i = 0; i < text.len && text.len <= 18; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            break;
        }

        n = n * 10 + (uint64_t) (text.data[i] - '0');
    }

    if (type != AT_JSON_NUMBER || i < text.len || r->fence) {
        (void) at_attempt_fail(r, r->fence ? "duplicate_field" : "wrong_type",
                               "fence", "fence must be an integer, once");
        return;
    }

    r->fence = 1;
    r->a->fence = n;
}


static void
at_attempt_trace(at_attempt_reader_t *r, at_json_type_e type, at_str_t text)
{
    /* one that could not be logged is none */

    if (type == AT_JSON_STRING && !r->traced
        && at_attempt_plain(text, AT_ATTEMPT_TRACE_MAX))
    {
        r->traced = 1;
        r->a->request_id = at_attempt_keep(r, text);
    }
}


static void
at_attempt_job(at_attempt_reader_t *r, at_str_t *member, size_t max,
    at_json_type_e type, at_str_t text)
{
    if (type != AT_JSON_STRING || member->len > 0
        || !at_attempt_plain(text, max))
    {
        (void) at_attempt_fail(r, "wrong_type", "jobs",
                               "a job has provider and job, each once, of "
                               "letters, digits, \".\", \"_\" and \"-\"");
        return;
    }

    *member = at_attempt_keep(r, text);
}


static int
at_attempt_plain(at_str_t s, size_t max)
{
    char    c;
    size_t  i;

    if (s.len == 0 || s.len > max) {
        return 0;
    }

    for (i = 0; i < s.len; i++) {
        c = s.data[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
              || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-'))
        {
            return 0;
        }
    }

    return 1;
}


static at_str_t
at_attempt_keep(at_attempt_reader_t *r, at_str_t s)
{
    at_str_t   kept;
    at_buf_t  *store;

    store = &r->a->store;

    kept.data = (const char *) store->data + store->len;
    kept.len = s.len;

    r->lost |= (at_buf_append_str(store, s) != AT_OK);

    return kept;
}


static int
at_attempt_jobs_whole(at_attempt_reader_t *r)
{
    size_t  i;

    for (i = 0; i < r->a->njobs; i++) {
        if (r->a->jobs[i].provider.len == 0 || r->a->jobs[i].job.len == 0) {
            return at_attempt_fail(r, "missing_field", "jobs",
                                   "a job has provider and job");
        }
    }

    return AT_OK;
}


/* Returns AT_ERROR. */
static int
at_attempt_fail(at_attempt_reader_t *r, const char *code, const char *field,
    const char *fmt, ...)
{
    va_list  args;

    r->err->code = code;
    r->err->field = field;

    va_start(args, fmt);
    (void) vsnprintf(r->err->detail, sizeof(r->err->detail), fmt, args);
    va_end(args);

    return AT_ERROR;
}
