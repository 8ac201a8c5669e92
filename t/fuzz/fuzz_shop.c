/*
 * Query arguments of /products: what is taken is within its bounds, has a key
 * that fits, and makes an object that is JSON.
 *
 * The input is what stands behind "?", and an id of a product.
 */

#include "fuzz.h"
#include "at_json.h"
#include "at_shop_args.h"
#include "at_text.h"


static void
fuzz_check_json(const at_shop_args_t *args)
{
    at_buf_t    b;
    at_json_t  *j;

    memset(&b, 0, sizeof(at_buf_t));

    FUZZ_CHECK(at_shop_args_json(args, &b) == AT_OK);

    j = at_json_create(&(at_json_handler_t) { 0 }, NULL, NULL);

    if (j) {
        FUZZ_CHECK(at_json_feed(j, b.data, b.len) == AT_OK);
        FUZZ_CHECK(at_json_finish(j) == AT_OK);
        at_json_free(j);
    }

    at_buf_free(&b);
}


static void
fuzz_check_text(at_str_t s)
{
    size_t  i;

    FUZZ_CHECK(at_utf8_valid(s));
    FUZZ_CHECK(at_utf8_count(s) <= AT_SHOP_TEXT_MAX);

    for (i = 0; i < s.len; i++) {
        FUZZ_CHECK((uint8_t) s.data[i] >= ' ' && s.data[i] != 0x7f);
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char                   key[AT_SHOP_KEY_MAX], text[AT_SHOP_TEXT_BYTES];
    size_t                 len;
    at_str_t               raw = { size, (const char *) data };
    at_args_error_t   error;
    static at_shop_args_t  args;

    FUZZ_CHECK(!at_shop_id_valid(raw) || size <= 113);
    FUZZ_CHECK(at_shop_days_parse(raw, &args, &error) != AT_OK
               || (args.days >= 1 && args.days <= AT_SHOP_DAYS_MAX));

    if (at_shop_query(raw, text, &len) == AT_OK) {
        fuzz_check_text((at_str_t) { len, text });
    }

    if (at_shop_args_parse(raw, &args, &error) != AT_OK) {
        FUZZ_CHECK(error.name[0] && strstr(error.message, error.name));
        return 0;
    }

    FUZZ_CHECK(args.per_page >= 1 && args.per_page <= AT_SHOP_PER_PAGE_MAX);
    FUZZ_CHECK(args.page >= 1 && (args.page - 1) * args.per_page
                                 <= AT_SHOP_OFFSET_MAX);
    FUZZ_CHECK(args.min_price <= AT_SHOP_MINOR_MAX);
    FUZZ_CHECK(args.max_price < 0 || args.min_price <= args.max_price);

    fuzz_check_text(args.query);
    fuzz_check_text(args.category);

    len = at_shop_args_key(&args, key);

    FUZZ_CHECK(len < sizeof(key));
    FUZZ_CHECK(at_utf8_valid((at_str_t) { len, key }));

    fuzz_check_json(&args);

    return 0;
}
