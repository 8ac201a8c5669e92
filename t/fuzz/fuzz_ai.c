/*
 * A lane of every format in the table, driven with the answers of a hostile
 * provider: they are fed whole and in pieces and have to come to the same
 * verdict, and whatever is asked next has to be fit to be sent.
 *
 * The input is text, so that seeds can be read:
 *
 *     replicate nsz                    a format, letters (see fuzz_letters())
 *     job: gm3qorzdhgbf                an id to adopt, a model; optional
 *     model: maker/name
 *     @@200                            an answer: its status, "!" if it broke
 *     Content-Type: application/json   its headers
 *                                      an empty line
 *     {"data":[...]}                   its body, up to the next "\n@@"
 *
 * A first word that is no format's name chooses one by its letters, so a new
 * row of the table is fuzzed at once.
 */

#include "fuzz.h"
#include "ai/at_ai.h"
#include "at_text.h"


#define FUZZ_NOW          1790000000
#define FUZZ_DAY_MS       (24 * 60 * 60 * 1000LL)
#define FUZZ_FORMATS_MAX  32
#define FUZZ_ANSWERS_MAX  AT_AI_CALLS_MAX


typedef struct {
    unsigned    status;
    unsigned    broken:1;
    at_str_t    headers;        /* lines */
    at_str_t    body;
} fuzz_answer_t;


typedef struct {
    at_ai_provider_t  provider;
    at_generate_t     request;
    fuzz_answer_t     answers[FUZZ_ANSWERS_MAX];
    size_t            nanswers;
    at_str_t          job;
    unsigned          leave:1;  /* free the lane in the middle of an answer */
} fuzz_case_t;


/* The letters behind the name of the format. */

typedef enum {
    FUZZ_LEAVE = 'a',
    FUZZ_MODEL = 'm',
    FUZZ_NEGATIVE = 'n',
    FUZZ_SHORT_PROMPT = 'p',
    FUZZ_SEED = 's',
    FUZZ_TIMEOUT = 't',
    FUZZ_WORDS = 'w',
    FUZZ_SIZE = 'z'
} fuzz_letter_e;


static const at_ai_format_t  *fuzz_formats[FUZZ_FORMATS_MAX];
static size_t                 fuzz_nformats;

static const at_str_t  fuzz_hosts[] = {
    { 23, "https://cdn.example.com" },
    { 21, "http://127.0.0.1:8081" },
    { 21, "https://*.example.org" }
};

#define FUZZ_NHOSTS  (sizeof(fuzz_hosts) / sizeof(at_str_t))


static void
fuzz_list_formats(void)
{
    at_str_t     name;
    const char  *p;

    for (p = at_ai_format_names(); *p; p += strspn(p, ", ")) {
        name.data = p;
        name.len = strcspn(p, ",");
        p += name.len;

        FUZZ_CHECK(fuzz_nformats < FUZZ_FORMATS_MAX);
        fuzz_formats[fuzz_nformats] = at_ai_format_find(name);
        FUZZ_CHECK(fuzz_formats[fuzz_nformats] != NULL);
        fuzz_nformats++;
    }

    FUZZ_CHECK(fuzz_nformats > 0);
}


static const at_ai_format_t *
fuzz_choose_format(at_str_t word)
{
    size_t                 i, sum;
    const at_ai_format_t  *format;

    format = at_ai_format_find(word);
    if (format) {
        return format;
    }

    sum = 0;

    for (i = 0; i < word.len; i++) {
        sum += (uint8_t) word.data[i];
    }

    return fuzz_formats[sum % fuzz_nformats];
}


static void
fuzz_letters(fuzz_case_t *c, at_str_t letters)
{
    size_t  i;

    for (i = 0; i < letters.len; i++) {
        switch (letters.data[i]) {

        case FUZZ_LEAVE:
            c->leave = 1;
            break;

        case FUZZ_MODEL:
            c->provider.model = AT_STR("maker/model");
            break;

        case FUZZ_NEGATIVE:
            c->request.negative = AT_STR("people, \"text\"");
            break;

        case FUZZ_SHORT_PROMPT:
            c->provider.prompt_max = 20;
            break;

        case FUZZ_SEED:
            c->request.seed = AT_GENERATE_SEED_MAX;
            c->request.has_seed = 1;
            break;

        case FUZZ_TIMEOUT:
            c->provider.timeout_ms = 15000;
            break;

        case FUZZ_WORDS:
            c->request.style = AT_STR("japandi");
            c->request.room_type = AT_STR("living room");
            break;

        case FUZZ_SIZE:
            c->request.width = 1344;
            c->request.height = 768;
            break;
        }
    }
}


/* AT_OK, and the rest of the line, if it begins with name. */

static int
fuzz_named(at_str_t line, at_str_t name, at_str_t *value)
{
    if (line.len < name.len || memcmp(line.data, name.data, name.len) != 0) {
        return AT_ERROR;
    }

    value->data = line.data + name.len;
    value->len = line.len - name.len;

    return AT_OK;
}


static void
fuzz_setup(fuzz_case_t *c, at_str_t head)
{
    size_t     n;
    at_str_t   line;
    fuzz_in_t  in;

    in.p = (const uint8_t *) head.data;
    in.end = in.p + head.len;
    line = fuzz_line(&in);

    for (n = 0; n < line.len && line.data[n] != ' '; n++) { /* void */ }

    c->provider.name = AT_STR("fuzz");
    c->provider.format = fuzz_choose_format((at_str_t) { n, line.data });
    c->provider.result_hosts = fuzz_hosts;
    c->provider.nresult_hosts = FUZZ_NHOSTS;
    c->request.prompt = AT_STR("a room with a walnut \xc3\xa9tag\xc3\xa8re");

    if (c->provider.format->needs_model) {
        c->provider.model = AT_STR("maker/model");
    }

    fuzz_letters(c, (at_str_t) { line.len - n, line.data + n });

    while (in.p < in.end) {
        line = fuzz_line(&in);

        if (fuzz_named(line, AT_STR("job: "), &c->job) != AT_OK) {
            (void) fuzz_named(line, AT_STR("model: "), &c->provider.model);
        }
    }
}


/* Up to the next "\n@@" or the end; the mark is skipped. */

static at_str_t
fuzz_section(fuzz_in_t *in)
{
    at_str_t        s;
    const uint8_t  *mark;

    s = fuzz_rest(in);
    mark = s.len ? memmem(in->p, s.len, "\n@@", 3) : NULL;

    if (mark == NULL) {
        in->p = in->end;
        return s;
    }

    s.len = (size_t) (mark - in->p);
    in->p = mark + 3;

    return s;
}


static fuzz_answer_t
fuzz_answer(at_str_t section)
{
    size_t         i;
    at_str_t       line;
    fuzz_in_t      in;
    fuzz_answer_t  a;

    memset(&a, 0, sizeof(fuzz_answer_t));
    in.p = (const uint8_t *) section.data;
    in.end = in.p + section.len;

    line = fuzz_line(&in);

    for (i = 0; i < line.len && i < 3; i++) {
        a.status = a.status * 10 + ((uint8_t) line.data[i] - '0') % 10;
    }

    a.broken = i < line.len && line.data[i] == '!';
    a.headers.data = (const char *) in.p;

    do {
        a.headers.len = (size_t) ((const char *) in.p - a.headers.data);
        line = fuzz_line(&in);
    } while (line.len);

    a.body = fuzz_rest(&in);

    return a;
}


static void
fuzz_headers(at_ai_lane_t *lane, at_str_t lines)
{
    at_str_t     line, value;
    fuzz_in_t    in;
    const char  *colon;

    in.p = (const uint8_t *) lines.data;
    in.end = in.p + lines.len;

    while (in.p < in.end) {
        line = fuzz_line(&in);
        colon = memchr(line.data, ':', line.len);

        if (colon == NULL || colon == line.data) {
            continue;
        }

        value.data = colon + 1;
        value.len = line.len - (size_t) (value.data - line.data);

        if (value.len && value.data[0] == ' ') {
            value.data++;
            value.len--;
        }

        line.len = (size_t) (colon - line.data);
        at_ai_lane_header(lane, line, value);
    }
}


/* What goes into a request line or a header. */

static void
fuzz_plain(at_str_t s)
{
    size_t  i;

    for (i = 0; i < s.len; i++) {
        FUZZ_CHECK((uint8_t) s.data[i] >= ' ' && s.data[i] != 0x7f);
    }
}


/* What is appended to the location of a provider, and may not leave it. */

static void
fuzz_path(at_str_t s)
{
    char      c;
    size_t    i;
    at_str_t  segment;

    segment = (at_str_t) { 0, s.data };

    for (i = 0; i < s.len; i++) {
        c = s.data[i];
        FUZZ_CHECK((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z')
                   || (c >= 'A' && c <= 'Z')
                   || c == '/' || c == '-' || c == '_' || c == '.');

        if (c != '/') {
            segment.len++;
            continue;
        }

        FUZZ_CHECK(!at_str_is(segment, ".") && !at_str_is(segment, ".."));
        segment = (at_str_t) { 0, s.data + i + 1 };
    }

    FUZZ_CHECK(!at_str_is(segment, ".") && !at_str_is(segment, ".."));
}


static uint64_t
fuzz_call(const at_ai_call_t *call, uint64_t h)
{
    size_t  i;

    FUZZ_CHECK(call->method.len > 0);
    FUZZ_CHECK(call->nheaders <= AT_AI_HEADERS_MAX);
    FUZZ_CHECK(call->url.len <= AT_AI_URL_MAX);
    fuzz_plain(call->method);

    if (call->target == AT_AI_TO_RESULT) {
        FUZZ_CHECK(at_ai_url_allowed(call->url, fuzz_hosts, FUZZ_NHOSTS));
        FUZZ_CHECK(call->body.len == 0);

    } else {
        fuzz_path(call->url);
    }

    for (i = 0; i < call->nheaders; i++) {
        FUZZ_CHECK(call->headers[i].name.len > 0);
        fuzz_plain(call->headers[i].name);
        fuzz_plain(call->headers[i].value);
        h = fuzz_hash(h, call->headers[i].name.data,
                      call->headers[i].name.len);
        h = fuzz_hash(h, call->headers[i].value.data,
                      call->headers[i].value.len);
    }

    h = fuzz_hash(h, &call->target, sizeof(call->target));
    h = fuzz_hash(h, call->method.data, call->method.len);
    h = fuzz_hash(h, call->url.data, call->url.len);

    return fuzz_hash(h, call->body.data, call->body.len);
}


/* Whether a job can be called off; the call is fit to be sent then. */

static int
fuzz_cancel(const at_ai_provider_t *provider, at_str_t job)
{
    int           rc;
    at_buf_t      text;
    at_ai_call_t  call;

    memset(&call, 0, sizeof(at_ai_call_t));
    memset(&text, 0, sizeof(at_buf_t));

    rc = at_ai_cancel_call(provider, job, &call, &text);

    if (rc == AT_OK) {
        FUZZ_CHECK(provider->format->cancels && job.len > 0);
        FUZZ_CHECK(call.target == AT_AI_TO_PROVIDER && call.url.len > 0);
        (void) fuzz_call(&call, 0);
    }

    at_buf_free(&text);

    return rc;
}


/* A job that the lane knows of can be asked for again and called off. */

static uint64_t
fuzz_job(const at_ai_lane_t *lane, uint64_t h)
{
    FUZZ_CHECK(lane->job.len <= AT_AI_JOB_MAX);

    if (lane->job.len && lane->provider->format->cancels) {
        FUZZ_CHECK(fuzz_cancel(lane->provider, lane->job) == AT_OK);
    }

    return fuzz_hash(h, lane->job.data, lane->job.len);
}


static void
fuzz_done(const at_ai_lane_t *lane)
{
    const char  *why;
    at_image_t   image;

    FUZZ_CHECK(lane->class == AT_AI_CLASS_NONE);
    FUZZ_CHECK(lane->picture.len > 0);
    FUZZ_CHECK(lane->picture.len <= AT_AI_PICTURE_MAX);
    FUZZ_CHECK(at_image_inspect(lane->picture.data, lane->picture.len,
                                &image, &why)
               == AT_OK);
    FUZZ_CHECK(image.type == lane->image.type
               && image.width == lane->image.width
               && image.height == lane->image.height);
}


static void
fuzz_failed(const at_ai_lane_t *lane)
{
    size_t  len;

    FUZZ_CHECK(lane->class >= AT_AI_RATE_LIMITED
               && lane->class <= AT_AI_TRANSIENT);
    FUZZ_CHECK(lane->picture.len == 0);
    FUZZ_CHECK(lane->retry_after_ms == -1
               || at_ai_class_passing(lane->class));

    len = strnlen(lane->reason, sizeof(lane->reason));
    FUZZ_CHECK(len > 0 && len < sizeof(lane->reason));
    FUZZ_CHECK(at_utf8_valid((at_str_t) { len, lane->reason }));
    fuzz_plain((at_str_t) { len, lane->reason });
}


/* Checks where the lane stands; h: what has been seen so far. */

static uint64_t
fuzz_step(const at_ai_lane_t *lane, at_ai_step_e step, uint64_t h)
{
    uint32_t  seed;

    h = fuzz_hash(h, &step, sizeof(step));
    h = fuzz_hash(h, &lane->class, sizeof(lane->class));
    h = fuzz_hash(h, &lane->retry_after_ms, sizeof(lane->retry_after_ms));
    h = fuzz_job(lane, h);

    /* not the reason: of two faults in one answer either may be named */

    FUZZ_CHECK(lane->retry_after_ms >= -1
               && lane->retry_after_ms <= FUZZ_DAY_MS);

    switch (step) {

    case AT_AI_DONE:
        fuzz_done(lane);
        seed = lane->has_seed ? lane->seed : 1;
        h = fuzz_hash(h, &seed, sizeof(seed));
        return fuzz_hash(h, lane->picture.data, lane->picture.len);

    case AT_AI_FAILED:
        fuzz_failed(lane);
        return h;

    case AT_AI_WAIT:
        FUZZ_CHECK(lane->wait_ms >= 0 && lane->wait_ms <= FUZZ_DAY_MS);
        h = fuzz_hash(h, &lane->wait_ms, sizeof(lane->wait_ms));
        return fuzz_call(at_ai_lane_call(lane), h);

    case AT_AI_NEXT:
        return fuzz_call(at_ai_lane_call(lane), h);
    }

    FUZZ_CHECK(!"a step of at_ai_step_e");

    return h;
}


/* AT_ERROR: the lane needs no more of this answer. */

static int
fuzz_feed(at_ai_lane_t *lane, const fuzz_answer_t *a, unsigned how)
{
    size_t          i, n, state;
    const uint8_t  *p;

    at_ai_lane_begin(lane, a->status, FUZZ_NOW);
    fuzz_headers(lane, a->headers);

    p = (const uint8_t *) a->body.data;
    state = 0;

    for (i = 0; i < a->body.len; i += n) {
        n = fuzz_piece(how, &state, a->body.len - i);

        if (at_ai_lane_data(lane, p + i, n) != AT_OK) {
            FUZZ_CHECK(at_ai_lane_data(lane, p, 1) == AT_ERROR);
            return AT_ERROR;
        }
    }

    return AT_OK;
}


static uint64_t
fuzz_run(const fuzz_case_t *c, unsigned how)
{
    int            rc;
    size_t         i;
    uint64_t       h;
    at_ai_step_e   step;
    at_ai_lane_t  *lane;

    lane = at_ai_lane_create(&c->provider, &c->request, FUZZ_NOW);
    FUZZ_CHECK(lane != NULL);
    FUZZ_CHECK(lane->sent_prompt.len > 0);

    if (c->job.len && at_ai_lane_adopt(lane, c->job) == AT_OK) {
        FUZZ_CHECK(at_str_eq(lane->job, c->job));
    }

    h = fuzz_call(at_ai_lane_call(lane), 0);

    for (i = 0; i < c->nanswers; i++) {
        rc = fuzz_feed(lane, &c->answers[i], how);

        if (c->leave && i + 1 == c->nanswers) {
            break;
        }

        step = at_ai_lane_end(lane, rc != AT_OK || !c->answers[i].broken);
        h = fuzz_step(lane, step, h);

        if (step == AT_AI_DONE || step == AT_AI_FAILED) {
            break;
        }
    }

    at_ai_lane_free(lane);

    return h;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned            how;
    uint64_t            whole;
    fuzz_in_t           in;
    const char         *wrong;
    static fuzz_case_t  c;

    if (fuzz_nformats == 0) {
        fuzz_list_formats();
    }

    memset(&c, 0, sizeof(fuzz_case_t));
    in.p = data;
    in.end = data + size;

    fuzz_setup(&c, fuzz_section(&in));
    (void) fuzz_cancel(&c.provider, c.job);

    /* the configuration would be refused */

    wrong = at_ai_provider_check(&c.provider);

    if (wrong) {
        FUZZ_CHECK(wrong[0] != '\0');
        return 0;
    }

    while (in.p < in.end && c.nanswers < FUZZ_ANSWERS_MAX) {
        c.answers[c.nanswers++] = fuzz_answer(fuzz_section(&in));
    }

    whole = fuzz_run(&c, 0);

    for (how = 1; how <= 3; how++) {
        FUZZ_CHECK(fuzz_run(&c, how) == whole);
    }

    return 0;
}
