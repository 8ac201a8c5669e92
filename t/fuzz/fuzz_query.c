/*
 * Query arguments of the feed: what is taken is in its normal form, which has
 * itself as its normal form, and makes calls that can stand in a request
 * line.
 *
 * The input is what stands behind "?".
 */

#include "fuzz.h"
#include "at_text.h"
#include "feed/at_feed.h"
#include "feed/at_feed_query.h"


static void
fuzz_check_text(at_str_t s)
{
    size_t  i;

    FUZZ_CHECK(at_utf8_valid(s));
    FUZZ_CHECK(at_utf8_count(s) <= AT_FEED_TEXT_MAX);
    FUZZ_CHECK(s.len == 0 || s.data[s.len - 1] != ' ');

    for (i = 0; i < s.len; i++) {
        FUZZ_CHECK((uint8_t) s.data[i] >= ' ' && s.data[i] != 0x7f);
        FUZZ_CHECK(s.data[i] != ' ' || (i > 0 && s.data[i - 1] != ' '));
        FUZZ_CHECK(!(s.data[i] >= 'A' && s.data[i] <= 'Z'));
    }
}


/* Encoded in full, and with "+" where that is a blank. */

static size_t
fuzz_encode(at_str_t s, char *out, int plus)
{
    size_t             i, n;
    static const char  hex[] = "0123456789abcdef";

    memcpy(out, "query=", 6);
    n = 6;

    for (i = 0; i < s.len; i++) {

        if (plus && s.data[i] == ' ') {
            out[n++] = '+';
            continue;
        }

        out[n++] = '%';
        out[n++] = hex[(uint8_t) s.data[i] >> 4];
        out[n++] = hex[(uint8_t) s.data[i] & 0xf];
    }

    return n;
}


static void
fuzz_check_again(at_str_t text, int plus)
{
    char                   raw[6 + 3 * AT_FEED_TEXT_BYTES];
    size_t                 n;
    at_args_error_t   error;
    static at_feed_args_t  args;

    n = fuzz_encode(text, raw, plus);

    FUZZ_CHECK(at_feed_args_parse((at_str_t) { n, raw }, &args, &error)
               == AT_OK);
    FUZZ_CHECK(at_str_eq(args.query.text, text));
}


static void
fuzz_check_call(const at_feed_source_t *source, const at_feed_query_t *query,
    unsigned page)
{
    int             rc;
    size_t          i;
    at_feed_call_t  call;

    rc = at_feed_call(source, query, page, AT_FEED_ALL, &call);

    FUZZ_CHECK(rc == (page <= source->pages ? AT_OK : AT_ERROR));

    if (rc != AT_OK) {
        return;
    }

    FUZZ_CHECK(source->paths || call.path.len == 0);
    FUZZ_CHECK(call.args.len > 0 && call.args.data[0] != '&');

    for (i = 0; i < call.args.len; i++) {
        FUZZ_CHECK((call.args.data[i] >= 'a' && call.args.data[i] <= 'z')
                   || (call.args.data[i] >= 'A' && call.args.data[i] <= 'Z')
                   || (call.args.data[i] >= '0' && call.args.data[i] <= '9')
                   || (call.args.data[i]
                       && strchr("-._~%=&,", call.args.data[i]) != NULL));
    }

    at_feed_call_free(&call);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char                   key[AT_FEED_KEY_MAX];
    size_t                 len;
    unsigned               i;
    at_str_t               raw = { size, (const char *) data };
    at_args_error_t   error;
    static at_feed_args_t  args;

    if (at_feed_args_parse(raw, &args, &error) != AT_OK) {
        FUZZ_CHECK(error.name[0] && strstr(error.message, error.name));
        return 0;
    }

    FUZZ_CHECK(args.page >= 1 && args.page <= AT_FEED_PAGE_MAX);
    FUZZ_CHECK(args.per_page >= 1 && args.per_page <= AT_FEED_PER_PAGE_MAX);
    FUZZ_CHECK(args.snapshot.len == 0
               || args.snapshot.len == AT_FEED_SNAPSHOT);
    FUZZ_CHECK(args.query.sources && args.query.sources <= AT_FEED_ALL);

    fuzz_check_text(args.query.text);
    fuzz_check_again(args.query.text, 0);
    fuzz_check_again(args.query.text, 1);

    len = at_feed_args_key(&args.query, key);

    FUZZ_CHECK(len < sizeof(key));
    FUZZ_CHECK(at_utf8_valid((at_str_t) { len, key }));

    for (i = 0; i < AT_FEED_SOURCES; i++) {
        fuzz_check_call(at_feed_source(i), &args.query, args.page);
    }

    return 0;
}
