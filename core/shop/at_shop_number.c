/*
 * Currencies, and numbers as shops write them (at_shop_number.h).
 *
 * "1.226" is a thousand and more in one country and little more than one in
 * the next.  What decides is the shop's own setting, then the form (two kinds
 * of signs, two digits behind the last one), then the currency's country; if
 * none of them does, the number is refused.
 */

#include <string.h>

#include "at_shop_money.h"
#include "at_shop_number.h"


#define AT_SHOP_GROUPS  8
#define AT_SHOP_DIGITS  15


typedef struct {
    const char  *name;          /* lower case */
    char         code[4];
} at_shop_sign_t;


/* Longer names before what they begin with. */

static const at_shop_sign_t  at_shop_signs[] = {
    { "\xE2\x82\xB9", "INR" }, { "\xE2\x82\xA8", "INR" }, { "rs.", "INR" },
    { "rs", "INR" }, { "rupees", "INR" }, { "rupee", "INR" }, { "inr", "INR" },
    { "us$", "USD" }, { "usd", "USD" }, { "clp$", "CLP" }, { "clp", "CLP" },
    { "mx$", "MXN" }, { "mxn", "MXN" }, { "au$", "AUD" }, { "a$", "AUD" },
    { "aud", "AUD" }, { "ca$", "CAD" }, { "c$", "CAD" }, { "cad", "CAD" },
    { "s$", "SGD" }, { "sgd", "SGD" }, { "hk$", "HKD" }, { "hkd", "HKD" },
    { "nz$", "NZD" }, { "nzd", "NZD" }, { "r$", "BRL" }, { "brl", "BRL" },
    { "cop", "COP" }, { "ars", "ARS" }, { "$", "$" },
    { "\xE2\x82\xAC", "EUR" }, { "eur", "EUR" }, { "euro", "EUR" },
    { "\xC2\xA3", "GBP" }, { "gbp", "GBP" }, { "\xC2\xA5", "JPY" },
    { "\xEF\xBF\xA5", "JPY" }, { "jpy", "JPY" }, { "cny", "CNY" },
    { "rmb", "CNY" }, { "rp.", "IDR" }, { "rp", "IDR" }, { "idr", "IDR" },
    { "\xE2\x82\xA9", "KRW" }, { "krw", "KRW" }, { "\xE2\x82\xAB", "VND" },
    { "vnd", "VND" }, { "\xE0\xB8\xBF", "THB" }, { "thb", "THB" },
    { "rm", "MYR" }, { "myr", "MYR" }, { "\xE2\x82\xB1", "PHP" },
    { "php", "PHP" }, { "twd", "TWD" }, { "nt$", "TWD" },
    { "\xE2\x82\xAA", "ILS" }, { "ils", "ILS" }, { "\xE2\x82\xBA", "TRY" },
    { "tl", "TRY" }, { "try", "TRY" }, { "\xE2\x82\xBD", "RUB" },
    { "\xD1\x80\xD1\x83\xD0\xB1.", "RUB" },
    { "\xD1\x80\xD1\x83\xD0\xB1", "RUB" },
    { "rub", "RUB" }, { "\xE2\x82\xB4", "UAH" },
    { "\xD0\xB3\xD1\x80\xD0\xBD", "UAH" }, { "uah", "UAH" },
    { "z\xC5\x82", "PLN" }, { "pln", "PLN" }, { "k\xC4\x8D", "CZK" },
    { "czk", "CZK" }, { "ft", "HUF" }, { "huf", "HUF" }, { "lei", "RON" },
    { "ron", "RON" }, { "chf", "CHF" }, { "sek", "SEK" }, { "nok", "NOK" },
    { "dkk", "DKK" }, { "kr.", "kr" }, { "kr", "kr" }, { "aed", "AED" },
    { "\xD8\xAF.\xD8\xA5", "AED" }, { "sar", "SAR" }, { "sr", "SAR" },
    { "\xD8\xB1.\xD8\xB3", "SAR" }, { "qar", "QAR" }, { "zar", "ZAR" },
    { "egp", "EGP" }, { "lkr", "LKR" }, { "npr", "NPR" }, { "pkr", "PKR" },
    { "bdt", "BDT" }
};

#define AT_SHOP_NSIGNS  (sizeof(at_shop_signs) / sizeof(at_shop_signs[0]))


static const char  at_shop_commas[] =
    "BRL IDR CLP COP ARS TRY RUB UAH PLN SEK NOK DKK CZK HUF VND RON ";
static const char  at_shop_unsure[] = "EUR ZAR kr ";
static const char  at_shop_wholes[] = "CLP COP IDR JPY KRW VND HUF ";
static const char  at_shop_blanks[] =
    "SEK NOK DKK kr PLN CZK RUB UAH HUF EUR ZAR ";
static const char  at_shop_dollars[] =
    "USD CLP COP MXN ARS AUD CAD SGD HKD NZD TWD ";
static const char  at_shop_crowns[] = "SEK NOK DKK ";


static int
at_shop_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}


size_t
at_shop_currency_at(at_str_t s, char code[4])
{
    size_t  i, n;

    for (i = 0; i < AT_SHOP_NSIGNS; i++) {
        n = strlen(at_shop_signs[i].name);

        if (n > s.len || memcmp(s.data, at_shop_signs[i].name, n) != 0) {
            continue;
        }

        /* "rs" is no currency in "rsvp" */

        if (at_shop_letter(s.data[n - 1]) && n < s.len
            && (at_shop_letter(s.data[n]) || (uint8_t) s.data[n] >= 0x80))
        {
            continue;
        }

        memcpy(code, at_shop_signs[i].code, 4);
        return n;
    }

    return 0;
}


const char *
at_shop_currency(at_str_t text)
{
    char    low[16], code[4];
    size_t  i, n;

    while (text.len && text.data[0] == ' ') {
        text.data++;
        text.len--;
    }

    while (text.len && text.data[text.len - 1] == ' ') {
        text.len--;
    }

    if (text.len == 0 || text.len > sizeof(low)) {
        return NULL;
    }

    memcpy(low, text.data, text.len);

    for (i = 0; i < text.len; i++) {
        if (low[i] >= 'A' && low[i] <= 'Z') {
            low[i] |= 0x20;
        }
    }

    n = at_shop_currency_at((at_str_t) { text.len, low }, code);

    if (n != text.len || code[2] == '\0') {
        return NULL;
    }

    for (i = 0; i < AT_SHOP_NSIGNS; i++) {
        if (strcmp(at_shop_signs[i].code, code) == 0) {
            return at_shop_signs[i].code;
        }
    }

    return NULL;
}


static int
at_shop_listed(const char *list, const char *code)
{
    size_t       n;
    const char  *p;

    n = strlen(code);
    p = n ? strstr(list, code) : NULL;

    return p != NULL && p[n] == ' ';
}


at_shop_style_t
at_shop_style(const char *code)
{
    at_shop_style_t  style = { '.', 0, 0, 0 };

    if (code[0] == '\0' || code[0] == '$'
        || at_shop_listed(at_shop_unsure, code))
    {
        style.decimal = code[0] == '$' ? '.' : 0;

    } else if (at_shop_listed(at_shop_commas, code)) {
        style.decimal = ',';
    }

    style.whole = at_shop_listed(at_shop_wholes, code) != 0;

    return style;
}


int
at_shop_spaced(const char *code)
{
    return at_shop_listed(at_shop_blanks, code);
}


int
at_shop_shares(const char *code, const char *sign)
{
    return at_shop_listed(sign[0] == '$' ? at_shop_dollars : at_shop_crowns,
                          code);
}


/* A number cut at its signs. */
typedef struct {
    unsigned  n;                        /* groups of digits */
    unsigned  len[AT_SHOP_GROUPS];
    char      sign[AT_SHOP_GROUPS];     /* before the group */
    char      first;                    /* digit of all */
} at_shop_cut_t;


static int
at_shop_cut(at_str_t s, at_shop_cut_t *cut, at_shop_number_t *n)
{
    size_t    i, digits;

    memset(cut, 0, sizeof(at_shop_cut_t));
    n->digits = 0;
    n->decimals = 0;
    digits = 0;
    cut->n = 1;
    cut->first = s.len ? s.data[0] : '\0';

    for (i = 0; i < s.len; i++) {

        if (s.data[i] >= '0' && s.data[i] <= '9') {

            if (++digits > AT_SHOP_DIGITS) {
                return AT_ERROR;
            }

            n->digits = n->digits * 10 + (uint64_t) (s.data[i] - '0');
            cut->len[cut->n - 1]++;
            continue;
        }

        if (cut->n == AT_SHOP_GROUPS || cut->len[cut->n - 1] == 0) {
            return AT_ERROR;
        }

        cut->sign[cut->n++] = s.data[i];
    }

    return cut->len[cut->n - 1] ? AT_OK : AT_ERROR;
}


/* 1: the first n groups are thousands, or lakhs and crores. */

static int
at_shop_grouped(const at_shop_cut_t *cut, unsigned n)
{
    unsigned  i, western, indian;

    if (n == 1) {
        return 1;
    }

    if (cut->first == '0' || cut->len[0] > 3) {
        return 0;
    }

    western = 1;
    indian = cut->len[0] <= 2;

    for (i = 1; i < n; i++) {
        western &= cut->len[i] == 3;
        indian &= cut->len[i] == (i == n - 1 ? 3u : 2u);

        if (i > 1 && cut->sign[i] != cut->sign[1]) {
            return 0;
        }
    }

    return western || (indian && cut->sign[1] == ',');
}


/* 1: the last sign is a decimal one, 0: it is not, -1: who knows. */

static int
at_shop_decimal(const at_shop_cut_t *cut, at_shop_style_t style)
{
    char      last;
    unsigned  i, same, after;

    if (cut->n == 1) {
        return 0;
    }

    last = cut->sign[cut->n - 1];
    after = cut->len[cut->n - 1];

    if (last != '.' && last != ',') {
        return 0;
    }

    for (i = 1, same = 0; i < cut->n; i++) {
        same += cut->sign[i] == last;
    }

    if (style.machine && last == '.' && cut->n == 2 && after == 3
        && style.whole)
    {
        return 0;
    }

    if (style.sure) {
        return last == style.decimal;
    }

    if (same < cut->n - 1) {
        return after == 3 ? -1 : 1;
    }

    if (same > 1) {
        return 0;
    }

    if (after != 3 || cut->first == '0' || cut->len[0] > 3) {
        return 1;
    }

    if (style.whole) {
        return 0;
    }

    return style.decimal && style.decimal != last && !style.machine ? 0 : -1;
}


int
at_shop_number(at_str_t s, at_shop_style_t style, at_shop_number_t *n,
    const char **why)
{
    int            decimal;
    at_shop_cut_t  cut;

    *why = "not a number";

    if (at_shop_cut(s, &cut, n) != AT_OK) {
        return AT_ERROR;
    }

    decimal = at_shop_decimal(&cut, style);

    if (decimal < 0) {
        *why = "a number that can be read in two ways";
        return AT_ERROR;
    }

    if (!at_shop_grouped(&cut, cut.n - (unsigned) decimal)) {
        return AT_ERROR;
    }

    n->decimals = decimal ? cut.len[cut.n - 1] : 0;

    return AT_OK;
}


int64_t
at_shop_minor(at_shop_number_t n, uint64_t times)
{
    while (n.decimals && n.digits % 10 == 0) {
        n.digits /= 10;
        n.decimals--;
    }

    times *= 100;

    while (n.decimals && times % 10 == 0) {
        times /= 10;
        n.decimals--;
    }

    if (n.decimals || n.digits > ((uint64_t) 1 << 53) / times) {
        return -1;
    }

    return (int64_t) (n.digits * times);
}
