/*
 * Answers of hostile image sources: fed whole and in pieces they have to come
 * to the same end, and every design that comes out has to be fit to be shown.
 *
 * The input is text, so that seeds can be read:
 *
 *     flickr 200 1                    a source, its status, "!" if it broke,
 *                                     and how to cut it into pieces
 *     query=sofa&color=brown          what the reader asked
 *     Retry-After: 7                  headers
 *                                     an empty line
 *     {"photos":{...}}                the body
 */

#include "fuzz.h"
#include "at_json.h"
#include "at_text.h"
#include "feed/at_feed.h"
#include "feed/at_feed_query.h"


#define FUZZ_NOW     1790000000
#define FUZZ_RANKED  40


static const at_json_handler_t  fuzz_nothing;


typedef struct {
    const at_feed_source_t  *source;
    at_feed_args_t           args;
    unsigned                 status;
    unsigned                 pieces;
    int                      broken;
    at_str_t                 headers;
    at_str_t                 body;
} fuzz_case_t;


static unsigned
fuzz_number(at_str_t *line)
{
    unsigned  n;

    n = 0;

    while (line->len && *line->data == ' ') {
        line->data++;
        line->len--;
    }

    while (line->len && *line->data >= '0' && *line->data <= '9') {
        n = n < 10000 ? n * 10 + (unsigned) (*line->data - '0') : n;
        line->data++;
        line->len--;
    }

    return n;
}


static int
fuzz_read(fuzz_in_t *in, fuzz_case_t *c)
{
    size_t                i;
    at_str_t              line, name;
    at_args_error_t  error;

    line = fuzz_line(in);
    name = line;

    for (i = 0; i < line.len && line.data[i] != ' '; i++) { /* void */ }

    name.len = i;
    line.data += i;
    line.len -= i;

    c->source = at_feed_source_find(name);
    if (c->source == NULL) {
        return AT_ERROR;
    }

    c->status = fuzz_number(&line);
    c->broken = line.len && *line.data == '!';
    line.data += c->broken;
    line.len -= (size_t) c->broken;
    c->pieces = fuzz_number(&line) % 64;

    if (at_feed_args_parse(fuzz_line(in), &c->args, &error) != AT_OK) {
        FUZZ_CHECK(error.name[0] && error.message[0]);
        return AT_ERROR;
    }

    c->headers = fuzz_rest(in);

    while (in->p < in->end && fuzz_line(in).len) { /* void */ }

    c->headers.len = (size_t) ((const char *) in->p - c->headers.data);
    c->body = fuzz_rest(in);

    return AT_OK;
}


static void
fuzz_headers(at_feed_answer_t *a, at_str_t headers)
{
    at_str_t     name, value;
    fuzz_in_t    in;
    const char  *colon;

    in.p = (const uint8_t *) headers.data;
    in.end = in.p + headers.len;

    while (in.p < in.end) {
        value = fuzz_line(&in);
        colon = value.len ? memchr(value.data, ':', value.len) : NULL;

        if (colon == NULL) {
            continue;
        }

        name = (at_str_t) { (size_t) (colon - value.data), value.data };
        value.len -= name.len + 1;
        value.data = colon + 1;

        at_feed_answer_header(a, name, value);
    }
}


static at_feed_answer_t *
fuzz_run(const fuzz_case_t *c, unsigned pieces, at_feed_outcome_e *outcome)
{
    size_t             n, state;
    uint8_t           *exact;
    fuzz_in_t          in;
    at_feed_answer_t  *a;

    a = at_feed_answer_create(c->source, &c->args.query, 1, FUZZ_RANKED,
                              c->status, FUZZ_NOW);
    if (a == NULL) {
        abort();
    }

    fuzz_headers(a, c->headers);

    in.p = (const uint8_t *) c->body.data;
    in.end = in.p + c->body.len;
    state = 1;

    while (in.p < in.end) {
        n = fuzz_piece(pieces, &state, (size_t) (in.end - in.p));

        /* Of exactly its length, so that a sanitizer sees a read behind. */

        exact = malloc(n);
        if (exact == NULL) {
            abort();
        }

        memcpy(exact, in.p, n);
        in.p += n;

        if (at_feed_answer_data(a, exact, n) != AT_OK) {
            in.p = in.end;
        }

        free(exact);
    }

    *outcome = at_feed_answer_end(a, !c->broken);

    return a;
}


static void
fuzz_check_text(at_str_t s, size_t max)
{
    size_t  i;

    FUZZ_CHECK(at_utf8_valid(s));
    FUZZ_CHECK(at_utf8_count(s) <= max);

    for (i = 0; i < s.len; i++) {
        FUZZ_CHECK((uint8_t) s.data[i] >= ' ' && s.data[i] != 0x7f);
        FUZZ_CHECK(s.data[i] != ' ' || (i > 0 && s.data[i - 1] != ' '));
    }
}


static void
fuzz_check_url(at_str_t s)
{
    size_t  i;

    FUZZ_CHECK(s.len <= AT_FEED_URL_MAX + 64);
    FUZZ_CHECK((s.len > 8 && strncasecmp(s.data, "https://", 8) == 0)
               || (s.len > 7 && strncasecmp(s.data, "http://", 7) == 0));

    for (i = 0; i < s.len; i++) {
        FUZZ_CHECK(s.data[i] > ' ' && s.data[i] < 0x7f);
        FUZZ_CHECK(strchr("\"'<>\\`", s.data[i]) == NULL);
    }
}


static void
fuzz_check_id(const fuzz_case_t *c, at_str_t id)
{
    char    *end;
    size_t   i, start;
    char     text[128];

    FUZZ_CHECK(id.len < sizeof(text));
    memcpy(text, id.data, id.len);
    text[id.len] = '\0';

    end = strchr(text, ':');
    FUZZ_CHECK(end != NULL);
    start = (size_t) (end - text) + 1;

    FUZZ_CHECK(at_str_eq((at_str_t) { start - 1, text }, c->source->name));
    FUZZ_CHECK(id.len > start && id.len - start <= AT_DESIGN_NATIVE_MAX);

    for (i = start; i < id.len; i++) {
        FUZZ_CHECK((text[i] >= 'a' && text[i] <= 'z')
                   || (text[i] >= 'A' && text[i] <= 'Z')
                   || (text[i] >= '0' && text[i] <= '9')
                   || strchr("._-", text[i]) != NULL);
    }
}


static void
fuzz_check_json(const at_design_t *d)
{
    at_buf_t   b = { NULL, 0, 0, 0 };
    at_json_t  *json;

    FUZZ_CHECK(at_design_write(&b, d) == AT_OK);
    FUZZ_CHECK(b.data[0] == '{' && b.data[b.len - 1] == '}');

    json = at_json_create(&fuzz_nothing, NULL, NULL);
    if (json == NULL) {
        abort();
    }

    FUZZ_CHECK(at_json_feed(json, b.data, b.len) == AT_OK);
    FUZZ_CHECK(at_json_finish(json) == AT_OK);

    at_json_free(json);
    at_buf_free(&b);
}


static void
fuzz_check_design(const fuzz_case_t *c, const at_feed_answer_t *a, size_t n)
{
    size_t              i;
    const at_design_t  *d;

    d = &a->designs[n];

    fuzz_check_id(c, d->id);
    fuzz_check_text(d->title, AT_FEED_TITLE_MAX);
    fuzz_check_text(d->author, 100);
    fuzz_check_text(d->license, 100);
    fuzz_check_text(d->attribution, 600);
    fuzz_check_url(d->url);
    fuzz_check_url(d->thumb);
    fuzz_check_url(d->page_url);

    if (d->author_url.len) {
        fuzz_check_url(d->author_url);
    }

    FUZZ_CHECK(d->license.len && d->attribution.len);
    FUZZ_CHECK(d->color.len == 0 || d->color.len == 7);
    FUZZ_CHECK((d->width == 0) == (d->height == 0));
    FUZZ_CHECK(d->score <= 44000);
    FUZZ_CHECK(d->rank == FUZZ_RANKED + n + 1);
    FUZZ_CHECK(d->njoins >= 1 && d->njoins <= AT_DESIGN_JOINS_MAX);
    FUZZ_CHECK(at_str_eq(d->joins[0], d->id));

    for (i = 0; i < d->njoins; i++) {
        FUZZ_CHECK(d->joins[i].len > 2 && d->joins[i].len <= 200);
    }

    for (i = 0; i < n; i++) {
        FUZZ_CHECK(!at_str_eq(a->designs[i].id, d->id));
    }

    fuzz_check_json(d);
}


static void
fuzz_check(const fuzz_case_t *c, const at_feed_answer_t *a,
    at_feed_outcome_e outcome)
{
    size_t  i;

    FUZZ_CHECK(a->ndesigns <= c->source->size);
    FUZZ_CHECK(a->ndesigns <= a->received);
    FUZZ_CHECK(a->retry_after_ms >= -1);
    FUZZ_CHECK(a->quota.limit >= -1 && a->quota.remaining >= -1
               && a->quota.reset_ms >= -1 && a->quota.window_ms >= -1);
    FUZZ_CHECK(at_feed_outcome_name(outcome)[0]);

    if (outcome != AT_FEED_OK) {
        FUZZ_CHECK(a->ndesigns == 0 && a->more == 1 && a->reason[0]);
    }

    if (c->broken && c->status >= 200 && c->status <= 299) {
        FUZZ_CHECK(outcome != AT_FEED_OK);
    }

    for (i = 0; i < a->ndesigns; i++) {
        fuzz_check_design(c, a, i);
    }
}


static void
fuzz_check_same(const at_feed_answer_t *a, const at_feed_answer_t *b)
{
    size_t  i;

    FUZZ_CHECK(a->ndesigns == b->ndesigns);
    FUZZ_CHECK(a->more == b->more);
    FUZZ_CHECK(a->retry_after_ms == b->retry_after_ms);

    for (i = 0; i < a->ndesigns; i++) {
        FUZZ_CHECK(at_str_eq(a->designs[i].id, b->designs[i].id));
        FUZZ_CHECK(at_str_eq(a->designs[i].title, b->designs[i].title));
        FUZZ_CHECK(at_str_eq(a->designs[i].url, b->designs[i].url));
        FUZZ_CHECK(at_str_eq(a->designs[i].author, b->designs[i].author));
        FUZZ_CHECK(at_str_eq(a->designs[i].attribution,
                             b->designs[i].attribution));
        FUZZ_CHECK(a->designs[i].score == b->designs[i].score);
        FUZZ_CHECK(a->designs[i].njoins == b->designs[i].njoins);
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_in_t           in = { data, data + size };
    fuzz_case_t         c;
    at_feed_answer_t   *whole, *cut;
    at_feed_outcome_e   outcome, again;

    if (fuzz_read(&in, &c) != AT_OK) {
        return 0;
    }

    whole = fuzz_run(&c, 0, &outcome);
    fuzz_check(&c, whole, outcome);

    cut = fuzz_run(&c, c.pieces ? c.pieces : 1, &again);
    fuzz_check(&c, cut, again);

    FUZZ_CHECK(outcome == again);
    fuzz_check_same(whole, cut);

    at_feed_answer_free(whole);
    at_feed_answer_free(cut);

    return 0;
}
