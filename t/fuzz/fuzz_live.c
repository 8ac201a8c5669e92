/*
 * at_live_read(): a message that passes is within all its bounds, one that
 * does not gets a code and a sentence, and what is written about either is
 * JSON.
 *
 * The whole input is the message; it is also tried as data of another, and as
 * what is published in Redis.
 */

#include "fuzz.h"
#include "at_text.h"
#include "live/at_live_publish.h"


#define FUZZ_DATA  "{\"channel\":\"products\",\"id\":1,\"data\":"


static const char *const  fuzz_codes[] = {
    "invalid_json", "not_an_object", "missing_field", "wrong_type",
    "duplicate_field", "too_long", "out_of_range", "unknown_type",
    "unknown_channel", "invalid_channel"
};


static void
fuzz_json(at_buf_t *b)
{
    FUZZ_CHECK(at_live_data_valid(at_buf_str(b)));
    b->len = 0;
}


static void
fuzz_error(const at_live_error_t *error, at_buf_t *b)
{
    size_t  i;

    for (i = 0; strcmp(error->code, fuzz_codes[i]) != 0; i++) {
        FUZZ_CHECK(i + 1 < sizeof(fuzz_codes) / sizeof(char *));
    }

    FUZZ_CHECK(memchr(error->detail, '\0', sizeof(error->detail)) != NULL);
    FUZZ_CHECK(error->detail[0] != '\0');

    for (i = 0; error->detail[i]; i++) {
        FUZZ_CHECK(error->detail[i] >= ' ' && error->detail[i] <= '~');
    }

    FUZZ_CHECK(at_live_write_error(b, error) == AT_OK);
    fuzz_json(b);
}


static void
fuzz_channel(const at_live_channel_t *c, at_buf_t *b)
{
    size_t  i;

    FUZZ_CHECK(c->name.len > 0 && c->name.len <= AT_LIVE_CHANNEL_MAX);
    FUZZ_CHECK(c->id.len < c->name.len);
    FUZZ_CHECK((c->kind == AT_LIVE_PRODUCTS) == (c->id.len == 0));

    for (i = 0; i < c->name.len; i++) {
        FUZZ_CHECK(c->name.data[i] > ' ' && c->name.data[i] <= '~');
        FUZZ_CHECK(strchr("*?[]\\\"'/", c->name.data[i]) == NULL);
    }

    FUZZ_CHECK(at_live_write_subscribed(b, c->name, 1, 1) == AT_OK);
    fuzz_json(b);
}


static void
fuzz_published(at_str_t text)
{
    uint64_t  id;
    at_str_t  data;

    if (at_live_published(text, &id, &data) != AT_OK) {
        return;
    }

    FUZZ_CHECK(id <= AT_LIVE_ID_MAX);
    FUZZ_CHECK(at_live_data_valid(data));
    FUZZ_CHECK(data.data + data.len == text.data + text.len);
    FUZZ_CHECK((id == 0) == (data.len == text.len));
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    at_buf_t         b;
    at_str_t         text;
    at_live_in_t     in;
    at_live_error_t  error;

    text = (at_str_t) { size, (const char *) data };
    memset(&b, 0, sizeof(at_buf_t));

    fuzz_published(text);

    if (at_live_data_valid(text)) {
        FUZZ_CHECK(at_utf8_valid(text));
        FUZZ_CHECK(at_live_write_data(&b, AT_STR("products"), 1, text)
                   == AT_OK);

        /* it nests one deeper, which may be too deep to be read again */

        FUZZ_CHECK(b.len == text.len + sizeof(FUZZ_DATA "}") - 1);
        FUZZ_CHECK(memcmp(b.data, FUZZ_DATA, sizeof(FUZZ_DATA) - 1) == 0);
        b.len = 0;
    }

    if (!at_utf8_valid(text)) {
        return 0;
    }

    if (at_live_read(text, &in, &error) != AT_OK) {
        fuzz_error(&error, &b);

    } else if (in.type == AT_LIVE_PING) {
        FUZZ_CHECK(in.t_len <= AT_LIVE_T_MAX);
        FUZZ_CHECK(at_live_write_pong(&b, &in) == AT_OK);
        fuzz_json(&b);

    } else {
        FUZZ_CHECK(in.since <= AT_LIVE_ID_MAX);
        FUZZ_CHECK(in.has_since || in.since == 0);
        fuzz_channel(&in.channel, &b);
    }

    at_buf_free(&b);

    return 0;
}
