/*
 * Price text: every form shops write, every amount that is no price, and that
 * what can be read in two ways is not read at all.
 */

#include "at_test.h"
#include "shop/at_shop_money.h"


typedef struct {
    const char  *text;
    int64_t      min;
    int64_t      max;           /* 0: as min */
    const char  *currency;
} form_t;


static const at_shop_money_hint_t  india = { "INR", '.', 0, 0, 0 };
static const at_shop_money_hint_t  none = { NULL, 0, 0, 0, 0 };


static void
check_forms(const form_t *rows, size_t n, const at_shop_money_hint_t *hint)
{
    size_t           i;
    at_str_t         text;
    const char      *why;
    at_shop_money_t  money;

    for (i = 0; i < n; i++) {
        why = "";
        text = at_test_exact(at_test_str(rows[i].text));

        if (rows[i].min == 0) {
            at_test_true(at_shop_money(text, hint, &money, &why) == AT_ERROR
                         && money.min == 0 && why[0] != '\0',
                         "%s: %lld", rows[i].text, (long long) money.min);

        } else {
            at_test_true(at_shop_money(text, hint, &money, &why) == AT_OK
                         && money.min == rows[i].min
                         && money.max == (rows[i].max ? rows[i].max
                                                      : rows[i].min)
                         && strcmp(money.currency, rows[i].currency) == 0,
                         "%s: %lld-%lld %s (%s)", rows[i].text,
                         (long long) money.min, (long long) money.max,
                         money.currency, why);
        }

        free((void *) text.data);
    }
}


static void
test_india(void **state)
{
    static const form_t  rows[] = {
        { "₹1,23,456", 12345600, 0, "INR" },
        { "₹12,34,567.50", 123456750, 0, "INR" },
        { "₹ 99.50", 9950, 0, "INR" },
        { "Rs. 12,499/-", 1249900, 0, "INR" },
        { "Rs.12,499.00", 1249900, 0, "INR" },
        { "Rs 499", 49900, 0, "INR" },
        { "RS.499", 49900, 0, "INR" },
        { "INR 1,234.50", 123450, 0, "INR" },
        { "1,299 INR", 129900, 0, "INR" },
        { "4999INR", 499900, 0, "INR" },
        { "&#8377;4,999", 499900, 0, "INR" },
        { "&#x20B9;&nbsp;4,999", 499900, 0, "INR" },
        { "₹\xC2\xA0" "4,999", 499900, 0, "INR" },
        { "₹\xE2\x80\x89" "4,999", 499900, 0, "INR" },
        { "\n   ₹\n  24,999\n", 2499900, 0, "INR" },
        { "From ₹4,999", 499900, 0, "INR" },
        { "Starting at ₹4,999 only", 499900, 0, "INR" },
        { "₹24,999 - ₹35,999", 2499900, 3599900, "INR" },
        { "₹24,999 – ₹35,999", 2499900, 3599900, "INR" },
        { "₹24,999 to ₹35,999", 2499900, 3599900, "INR" },
        { "Rs. 24,999 - 35,999", 2499900, 3599900, "INR" },
        { "₹75.00(₹25.00 / 100 g)", 7500, 0, "INR" },
        { "₹75.00 (₹0.25 /gram)", 7500, 0, "INR" },
        { "₹1.2 Lakh", 12000000, 0, "INR" },
        { "₹2.5L", 25000000, 0, "INR" },
        { "Rs. 1.25 crore", 1250000000, 0, "INR" },
        { "₹55,990 M.R.P: ₹72,598 (23% off)", 5599000, 0, "INR" },
        { "₹11,499 23% off", 1149900, 0, "INR" },
        { "₹11,499 + ₹99 delivery", 1149900, 0, "INR" },
        { "₹11,499 Save ₹3,500", 1149900, 0, "INR" },
        { "₹11,499 (You save ₹3,500)", 1149900, 0, "INR" },
        { "₹11,499 | EMI from ₹555/month", 1149900, 0, "INR" },
        { "₹11,499 EMI from ₹555/month", 1149900, 0, "INR" },
        { "₹11,499 free delivery", 1149900, 0, "INR" },
        { "₹11,499 Free delivery on orders over ₹499", 1149900, 0, "INR" },
        { "₹2879.2 ₹2,879.20", 287920, 0, "INR" },
        { "Price: ₹11,499 inclusive of all taxes", 1149900, 0, "INR" },
        { "₹९,९९९", 999900, 0, "INR" },
        { "₹0.01", 1, 0, "INR" },
        { "₹9,999,999.99", 999999999, 0, "INR" },
        { "₹1,00,00,000", 1000000000, 0, "INR" },
        { "$45.99", 4599, 0, "USD" },
        { "US$ 1,045.99", 104599, 0, "USD" },
    };

    (void) state;

    check_forms(rows, AT_TEST_N(rows), &india);
}


static void
test_no_price(void **state)
{
    static const form_t  rows[] = {
        { "", 0, 0, NULL },
        { " ", 0, 0, NULL },
        { "₹", 0, 0, NULL },
        { "12,499", 0, 0, NULL },
        { "3 Seater Sofa", 0, 0, NULL },
        { "₹1,667/month", 0, 0, NULL },
        { "₹1,667 per month", 0, 0, NULL },
        { "EMI from ₹1,667", 0, 0, NULL },
        { "No Cost EMI ₹1,667", 0, 0, NULL },
        { "₹1,667 x 12", 0, 0, NULL },
        { "12 x ₹1,667", 0, 0, NULL },
        { "Rent ₹999 monthly", 0, 0, NULL },
        { "Upto ₹9,700 Off on Exchange", 0, 0, NULL },
        { "up to ₹9,700", 0, 0, NULL },
        { "₹9,700 off", 0, 0, NULL },
        { "₹500 cashback", 0, 0, NULL },
        { "Get ₹500 cash back", 0, 0, NULL },
        { "Apply ₹500 coupon", 0, 0, NULL },
        { "Save ₹500", 0, 0, NULL },
        { "Extra ₹500", 0, 0, NULL },
        { "Flat ₹1,000 discount", 0, 0, NULL },
        { "Buy at ₹17,490", 0, 0, NULL },
        { "₹17,490 with bank offer", 0, 0, NULL },
        { "Bank offer: ₹17,490", 0, 0, NULL },
        { "Delivery: ₹99", 0, 0, NULL },
        { "₹99 delivery charge", 0, 0, NULL },
        { "+ ₹99", 0, 0, NULL },
        { "₹25.00 / 100 g", 0, 0, NULL },
        { "₹25.00/kg", 0, 0, NULL },
        { "₹25 per 100 ml", 0, 0, NULL },
        { "over ₹899!", 0, 0, NULL },
        { "Free shipping on orders above ₹499", 0, 0, NULL },
        { "₹24,999 ₹35,999", 0, 0, NULL },
        { "₹11,499₹14,999", 0, 0, NULL },
        { "₹35 99", 0, 0, NULL },
        { "₹1e9", 0, 0, NULL },
        { "₹NaN", 0, 0, NULL },
        { "₹-500", 0, 0, NULL },
        { "-₹500", 0, 0, NULL },
        { "₹ −500", 0, 0, NULL },
        { "₹0", 0, 0, NULL },
        { "₹0.00", 0, 0, NULL },
        { "₹0.001", 0, 0, NULL },
        { "₹1,23,45", 0, 0, NULL },
        { "₹12,3456", 0, 0, NULL },
        { "₹1.234.567", 0, 0, NULL },
        { "₹12.499", 0, 0, NULL },
        { "₹15,75", 0, 0, NULL },
        { "₹99999999999999999999", 0, 0, NULL },
        { "₹999,999,999,999,999", 0, 0, NULL },
        { "2.5L bottle", 0, 0, NULL },
        { "₹5k", 0, 0, NULL },
        { "22% off", 0, 0, NULL },
        { "trsavings 99", 0, 0, NULL },
    };

    char             text[500];
    const char      *why;
    at_shop_money_t  money;

    (void) state;

    check_forms(rows, AT_TEST_N(rows), &india);

    memset(text, ' ', sizeof(text));
    memcpy(text, "Rs 500", 6);
    assert_int_equal(at_shop_money((at_str_t) { sizeof(text), text }, &india,
                                   &money, &why), AT_ERROR);
    memset(text, '1', sizeof(text));
    assert_int_equal(at_shop_money((at_str_t) { 400, text }, &india, &money,
                                   &why), AT_ERROR);
    memset(text, '-', sizeof(text));
    assert_int_equal(at_shop_money((at_str_t) { 400, text }, &india, &money,
                                   &why), AT_ERROR);
}


static void
test_list_price(void **state)
{
    size_t           i;
    const char      *why;
    at_shop_money_t  money;

    static const struct {
        const char  *text;
        int64_t      price;
    } rows[] = {
        { "M.R.P.: ₹72,598 (30% off)", 7259800 },
        { "M.R.P: ₹72,598", 7259800 },
        { "MRP Rs. 72,598", 7259800 },
        { "List Price: ₹72,598", 7259800 },
        { "Was ₹72,598", 7259800 },
    };

    (void) state;

    for (i = 0; i < AT_TEST_N(rows); i++) {
        at_test_true(at_shop_money(at_test_str(rows[i].text), &india, &money,
                                   &why) == AT_OK
                     && money.mrp && money.min == rows[i].price,
                     "%s: %s", rows[i].text, why);
    }

    assert_int_equal(at_shop_money(AT_STR("Rs 500"), &india, &money, &why),
                     AT_OK);
    assert_false(money.mrp);
    assert_false(money.from);
    assert_int_equal(at_shop_money(AT_STR("from Rs 500"), &india, &money,
                                   &why), AT_OK);
    assert_true(money.from);
}


static void
test_countries(void **state)
{
    static const form_t  rows[] = {
        { "15,75 €", 1575, 0, "EUR" },
        { "1.226,00 €", 122600, 0, "EUR" },
        { "1 226,00 €", 122600, 0, "EUR" },
        { "€ 119.01", 11901, 0, "EUR" },
        { "1.226 €", 0, 0, NULL },
        { "€1,234,567.890", 0, 0, NULL },
        { "Rp 129.500", 12950000, 0, "IDR" },
        { "CLP 31.490", 3149000, 0, "CLP" },
        { "R$ 1.299,90", 129990, 0, "BRL" },
        { "£2,499", 249900, 0, "GBP" },
        { "£25", 2500, 0, "GBP" },
        { "£2.499", 0, 0, NULL },
        { "CHF 1'299.50", 129950, 0, "CHF" },
        { "1 299 kr", 129900, 0, "" },
        { "12 990 руб.", 1299000, 0, "RUB" },
        { "¥12,800", 1280000, 0, "JPY" },
        { "₩1,200,000", 120000000, 0, "KRW" },
        { "1.299.000 ₫", 129900000, 0, "VND" },
        { "١٬٢٩٩٫٥٠ د.إ", 129950, 0, "AED" },
        { "₪ 1,299.90", 129990, 0, "ILS" },
        { "3.350", 0, 0, NULL },
        { "$3.350", 0, 0, NULL },
    };

    static const form_t  pesos[] = {
        { "31.490", 3149000, 0, "CLP" },
        { "$31.490", 3149000, 0, "CLP" },
        { "$ 1.231.490", 123149000, 0, "CLP" },
    };

    at_shop_money_hint_t  hint = { "CLP", 0, 1, 0, 0 };

    (void) state;

    check_forms(rows, AT_TEST_N(rows), &none);
    check_forms(pesos, AT_TEST_N(pesos), &hint);
}


static void
test_bare(void **state)
{
    static const form_t  rows[] = {
        { "1,13,999", 11399900, 0, "INR" },
        { "10539", 1053900, 0, "INR" },
        { "Price: 10539", 1053900, 0, "INR" },
        { "10539/-", 1053900, 0, "INR" },
        { "12.5", 1250, 0, "INR" },
        { "4.89", 489, 0, "INR" },
        { "24,999.00", 2499900, 0, "INR" },
        { "24999.000", 2499900, 0, "INR" },
        { "12.499", 0, 0, NULL },
        { "3 Seater", 0, 0, NULL },
        { "30%", 0, 0, NULL },
        { "2 4", 0, 0, NULL },
        { "100g", 0, 0, NULL },
        { "1e9", 0, 0, NULL },
        { "-500", 0, 0, NULL },
        { "2.5L", 0, 0, NULL },
        { "NaN", 0, 0, NULL },
        { "0", 0, 0, NULL },
    };

    static const form_t  data[] = {
        { "19490", 1949000, 0, "EUR" },
        { "19490.00", 1949000, 0, "EUR" },
        { "119.01", 11901, 0, "EUR" },
        { "1.226,00", 122600, 0, "EUR" },
        { "1.5", 150, 0, "EUR" },
        { "1.226", 0, 0, NULL },
    };

    static const form_t  paise[] = {
        { "1053900", 1053900, 0, "INR" },
        { "10539.50", 1053950, 0, "INR" },
    };

    at_shop_money_hint_t  hint = { "INR", '.', 1, 0, 0 };

    (void) state;

    check_forms(rows, AT_TEST_N(rows), &hint);

    hint = (at_shop_money_hint_t) { "EUR", ',', 1, 1, 0 };
    check_forms(data, AT_TEST_N(data), &hint);

    hint = (at_shop_money_hint_t) { "INR", '.', 1, 1, 1 };
    check_forms(paise, AT_TEST_N(paise), &hint);
}


/* A price written in any of the forms is read as what it was. */
static void
test_generated(void **state)
{
    int              decimals;
    char             grouped[40], text[80];
    size_t           i, n, k;
    int64_t          price;
    uint32_t         seed;
    const char      *why, *p;
    at_shop_money_t  money;

    static const char *const  forms[] = {
        "₹%s", "₹ %s", "Rs. %s", "Rs.%s", "INR %s", "%s INR", "Rs %s/-",
        "From ₹%s", "Price: ₹%s", "&#8377;%s", "₹\xC2\xA0%s",
        "₹%s (30%% off)", "₹%s + ₹40 delivery",
        "₹%s EMI from ₹99/month",
        "₹%s Save ₹9", "Now ₹%s MRP ₹99,99,999"
    };

    (void) state;

    seed = 2463534242u;

    for (i = 0; i < 10000; i++) {
        price = 1 + (int64_t) (at_test_random(&seed) % 999999998u);
        decimals = at_test_random(&seed) % 3 == 0;
        price = decimals ? price : price / 100 * 100 + 100;

        n = (size_t) snprintf(text, sizeof(text), "%lld",
                              (long long) (price / 100));

        /* lakhs: after the last three digits every two */

        for (k = 0, p = text; n; n--, p++) {
            grouped[k++] = *p;

            if (n > 3 && (n - 3) % 2 == 1 && n != 1) {
                grouped[k++] = ',';
            }
        }

        (void) snprintf(grouped + k, sizeof(grouped) - k,
                        decimals ? ".%02d" : "%.0d", (int) (price % 100));
        (void) snprintf(text, sizeof(text),
                        forms[at_test_random(&seed) % AT_TEST_N(forms)],
                        grouped);

        why = "";
        at_test_true(at_shop_money(at_test_str(text), &india, &money, &why)
                     == AT_OK && money.min == price && money.max == price,
                     "%s: %lld, not %lld (%s)", text, (long long) money.min,
                     (long long) price, why);
    }
}


static void
test_like(void **state)
{
    (void) state;

    assert_true(at_shop_money_like(AT_STR("\xE2\x82\xB9" "11,499")));
    assert_true(at_shop_money_like(AT_STR(" Rs. 500 ")));
    assert_false(at_shop_money_like(AT_STR("11,499")));
    assert_false(at_shop_money_like(AT_STR("23% off")));
    assert_false(at_shop_money_like(AT_STR("Save Rs. 500")));
    assert_false(at_shop_money_like(AT_STR("")));
}


static void
test_write(void **state)
{
    char  text[32];

    (void) state;

    at_shop_money_write(123450, text);
    assert_string_equal(text, "1234.50");
    at_shop_money_write(1, text);
    assert_string_equal(text, "0.01");
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_india),
        cmocka_unit_test(test_no_price),
        cmocka_unit_test(test_list_price),
        cmocka_unit_test(test_countries),
        cmocka_unit_test(test_bare),
        cmocka_unit_test(test_generated),
        cmocka_unit_test(test_like),
        cmocka_unit_test(test_write),
    };

    return cmocka_run_group_tests_name("shop_money", tests, NULL, NULL);
}
