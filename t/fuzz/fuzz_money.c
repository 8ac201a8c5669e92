/*
 * at_shop_money(): any text is refused with a reason, or is a price above 0
 * whose range is in order, which is the same when it is read again; and a text
 * with no digit is none.  The first byte chooses how the shop writes.
 */

#include "fuzz.h"
#include "shop/at_shop_money.h"


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t                how;
    at_str_t               text;
    fuzz_in_t              in = { data, data + size };
    const char            *why;
    at_shop_money_t        money, again;
    at_shop_money_hint_t   hint;

    static const char *const  currencies[] = { "INR", "EUR", "CLP", NULL };
    static const char         decimals[] = { '.', ',', 0, 0 };

    how = fuzz_byte(&in);
    hint.currency = currencies[how & 3];
    hint.decimal = decimals[how >> 2 & 3];
    hint.bare = how >> 4 & 1;
    hint.machine = how >> 5 & 1;
    hint.minor = how >> 6 & 1;
    text = fuzz_rest(&in);
    why = NULL;

    (void) at_shop_currency(text);
    (void) at_shop_money_like(text);

    if (at_shop_money(text, &hint, &money, &why) != AT_OK) {
        FUZZ_CHECK(why != NULL && why[0] != '\0');
        FUZZ_CHECK(money.min == 0 && money.max == 0);
        return 0;
    }

    FUZZ_CHECK(text.len <= AT_SHOP_MONEY_MAX);
    FUZZ_CHECK(money.min > 0 && money.max >= money.min);
    FUZZ_CHECK(money.max <= INT64_C(1) << 53);
    FUZZ_CHECK(strlen(money.currency) == 0 || strlen(money.currency) == 3);

    FUZZ_CHECK(at_shop_money(text, &hint, &again, &why) == AT_OK);
    FUZZ_CHECK(money.min == again.min && money.max == again.max
               && strcmp(money.currency, again.currency) == 0
               && money.mrp == again.mrp && money.from == again.from);

    return 0;
}
