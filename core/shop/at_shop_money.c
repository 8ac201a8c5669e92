/*
 * Price text of shops (at_shop_money.h).
 *
 * The text becomes a row of tokens: numbers, currencies, words, signs.  A
 * number beside a currency is an amount.  Words before it ("save", "EMI",
 * "MRP") and behind it ("off", "/month", "cashback") say what kind of amount
 * it is; the table below has them.  What is left must be one price, or the two
 * ends of a range.
 */

#include <stdio.h>
#include <string.h>

#include "at_shop_number.h"
#include "at_shop_token.h"


enum {
    AT_SHOP_M_EMI = 1,
    AT_SHOP_M_EXCHANGE,
    AT_SHOP_M_CASHBACK,
    AT_SHOP_M_COUPON,
    AT_SHOP_M_SAVING,
    AT_SHOP_M_BANK,
    AT_SHOP_M_CHARGE,
    AT_SHOP_M_UNIT,
    AT_SHOP_M_LIMIT,
    AT_SHOP_M_MRP
};

static const char *const  at_shop_kinds[] = {
    NULL, "an instalment", "an exchange offer", "a cashback",
    "a coupon", "a saving", "an offer of a bank", "an extra charge",
    "a unit price", "a limit, not a price", "a list price"
};


typedef struct {
    const char  *word;
    uint8_t      kind;
    uint8_t      ways;          /* 1: of the next amount, 2: of the last */
} at_shop_word_t;


static const at_shop_word_t  at_shop_words[] = {
    { "emi", AT_SHOP_M_EMI, 3 }, { "emis", AT_SHOP_M_EMI, 3 },
    { "instalment", AT_SHOP_M_EMI, 3 }, { "instalments", AT_SHOP_M_EMI, 3 },
    { "installment", AT_SHOP_M_EMI, 3 }, { "installments", AT_SHOP_M_EMI, 3 },
    { "monthly", AT_SHOP_M_EMI, 3 }, { "month", AT_SHOP_M_EMI, 2 },
    { "months", AT_SHOP_M_EMI, 2 }, { "mo", AT_SHOP_M_EMI, 2 },
    { "pm", AT_SHOP_M_EMI, 2 }, { "weekly", AT_SHOP_M_EMI, 3 },
    { "rent", AT_SHOP_M_EMI, 3 }, { "rental", AT_SHOP_M_EMI, 3 },
    { "lease", AT_SHOP_M_EMI, 3 }, { "exchange", AT_SHOP_M_EXCHANGE, 3 },
    { "cashback", AT_SHOP_M_CASHBACK, 3 }, { "cash", AT_SHOP_M_CASHBACK, 3 },
    { "reward", AT_SHOP_M_CASHBACK, 3 }, { "rewards", AT_SHOP_M_CASHBACK, 3 },
    { "points", AT_SHOP_M_CASHBACK, 3 }, { "coins", AT_SHOP_M_CASHBACK, 3 },
    { "supercoins", AT_SHOP_M_CASHBACK, 3 }, { "coupon", AT_SHOP_M_COUPON, 3 },
    { "coupons", AT_SHOP_M_COUPON, 3 }, { "voucher", AT_SHOP_M_COUPON, 3 },
    { "vouchers", AT_SHOP_M_COUPON, 3 }, { "promo", AT_SHOP_M_COUPON, 3 },
    { "code", AT_SHOP_M_COUPON, 3 }, { "gift", AT_SHOP_M_COUPON, 3 },
    { "save", AT_SHOP_M_SAVING, 1 }, { "saving", AT_SHOP_M_SAVING, 1 },
    { "savings", AT_SHOP_M_SAVING, 3 }, { "saved", AT_SHOP_M_SAVING, 3 },
    { "saves", AT_SHOP_M_SAVING, 1 }, { "off", AT_SHOP_M_SAVING, 2 },
    { "discount", AT_SHOP_M_SAVING, 3 }, { "discounts", AT_SHOP_M_SAVING, 3 },
    { "rebate", AT_SHOP_M_SAVING, 3 }, { "less", AT_SHOP_M_SAVING, 3 },
    { "cheaper", AT_SHOP_M_SAVING, 2 }, { "flat", AT_SHOP_M_SAVING, 1 },
    { "extra", AT_SHOP_M_SAVING, 1 }, { "additional", AT_SHOP_M_SAVING, 1 },
    { "upto", AT_SHOP_M_SAVING, 1 }, { "up", AT_SHOP_M_SAVING, 1 },
    { "get", AT_SHOP_M_SAVING, 1 }, { "earn", AT_SHOP_M_SAVING, 1 },
    { "bank", AT_SHOP_M_BANK, 3 }, { "card", AT_SHOP_M_BANK, 3 },
    { "cards", AT_SHOP_M_BANK, 3 }, { "credit", AT_SHOP_M_BANK, 3 },
    { "debit", AT_SHOP_M_BANK, 3 }, { "upi", AT_SHOP_M_BANK, 3 },
    { "wallet", AT_SHOP_M_BANK, 3 }, { "offer", AT_SHOP_M_BANK, 2 },
    { "offers", AT_SHOP_M_BANK, 2 }, { "buy", AT_SHOP_M_BANK, 1 },
    { "delivery", AT_SHOP_M_CHARGE, 3 }, { "shipping", AT_SHOP_M_CHARGE, 3 },
    { "postage", AT_SHOP_M_CHARGE, 3 }, { "handling", AT_SHOP_M_CHARGE, 3 },
    { "installation", AT_SHOP_M_CHARGE, 3 },
    { "assembly", AT_SHOP_M_CHARGE, 3 }, { "fee", AT_SHOP_M_CHARGE, 3 },
    { "fees", AT_SHOP_M_CHARGE, 3 }, { "charge", AT_SHOP_M_CHARGE, 3 },
    { "charges", AT_SHOP_M_CHARGE, 3 }, { "deposit", AT_SHOP_M_CHARGE, 3 },
    { "token", AT_SHOP_M_CHARGE, 3 }, { "advance", AT_SHOP_M_CHARGE, 3 },
    { "booking", AT_SHOP_M_CHARGE, 3 }, { "warranty", AT_SHOP_M_CHARGE, 3 },
    { "insurance", AT_SHOP_M_CHARGE, 3 },
    { "protection", AT_SHOP_M_CHARGE, 3 },
    { "membership", AT_SHOP_M_CHARGE, 3 }, { "plan", AT_SHOP_M_CHARGE, 3 },
    { "over", AT_SHOP_M_LIMIT, 1 }, { "above", AT_SHOP_M_LIMIT, 3 },
    { "below", AT_SHOP_M_LIMIT, 3 }, { "under", AT_SHOP_M_LIMIT, 1 },
    { "order", AT_SHOP_M_LIMIT, 1 }, { "orders", AT_SHOP_M_LIMIT, 1 },
    { "minimum", AT_SHOP_M_LIMIT, 3 }, { "min", AT_SHOP_M_LIMIT, 3 },
    { "maximum", AT_SHOP_M_LIMIT, 1 }, { "worth", AT_SHOP_M_LIMIT, 1 },
    { "than", AT_SHOP_M_LIMIT, 1 }, { "per", AT_SHOP_M_UNIT, 2 },
    { "mrp", AT_SHOP_M_MRP, 1 }, { "msrp", AT_SHOP_M_MRP, 1 },
    { "rrp", AT_SHOP_M_MRP, 1 }, { "uvp", AT_SHOP_M_MRP, 1 },
    { "list", AT_SHOP_M_MRP, 1 }, { "was", AT_SHOP_M_MRP, 1 },
    { "regular", AT_SHOP_M_MRP, 1 }, { "original", AT_SHOP_M_MRP, 1 },
    { "retail", AT_SHOP_M_MRP, 1 }, { "before", AT_SHOP_M_MRP, 1 },
    { "earlier", AT_SHOP_M_MRP, 1 }, { "previous", AT_SHOP_M_MRP, 1 },
    { "previously", AT_SHOP_M_MRP, 1 }, { "statt", AT_SHOP_M_MRP, 1 }
};

#define AT_SHOP_NWORDS  (sizeof(at_shop_words) / sizeof(at_shop_words[0]))


/* Beside a bare number no other word may stand. */

static const char  at_shop_bare_words[] =
    " price now only from starting at mrp our deal sale special selling "
    "incl inclusive of all taxes tax final to ";


static int
at_shop_is(const at_shop_read_t *r, size_t i, at_shop_token_e type)
{
    return i < r->n && r->tokens[i].type == type;
}


static int
at_shop_sign(const at_shop_read_t *r, size_t i, char c)
{
    return at_shop_is(r, i, AT_SHOP_T_SIGN) && r->tokens[i].text.data[0] == c;
}


/* Numbers beside a currency are amounts: behind it, else before it. */

static size_t
at_shop_bind(at_shop_read_t *r)
{
    size_t  i, n;

    n = 0;

    for (i = 0; i < r->n; i++) {
        if (at_shop_is(r, i, AT_SHOP_T_CURRENCY)
            && at_shop_is(r, i + 1, AT_SHOP_T_NUMBER))
        {
            r->tokens[i + 1].amount = 1;
            r->tokens[i].range = 1;     /* taken */
            n++;
        }
    }

    for (i = 1; i < r->n; i++) {
        if (at_shop_is(r, i, AT_SHOP_T_CURRENCY) && !r->tokens[i].range
            && at_shop_is(r, i - 1, AT_SHOP_T_NUMBER)
            && !r->tokens[i - 1].amount)
        {
            r->tokens[i - 1].amount = 1;
            n++;
        }
    }

    return n;
}


/* The first token of the amount at i: its currency, if that is before. */

static size_t
at_shop_start(const at_shop_read_t *r, size_t i)
{
    return i > 0 && at_shop_is(r, i - 1, AT_SHOP_T_CURRENCY)
           && r->tokens[i - 1].range ? i - 1 : i;
}


static size_t
at_shop_after(const at_shop_read_t *r, size_t i)
{
    i++;

    return at_shop_is(r, i, AT_SHOP_T_CURRENCY) && !r->tokens[i].range ? i + 1
                                                                     : i;
}


/* 1: between the amount at i and the number at *to are only "-" or "to". */

static int
at_shop_range(const at_shop_read_t *r, size_t i, size_t *to)
{
    i = at_shop_after(r, i);

    if (!at_shop_sign(r, i, '-')
        && !(at_shop_is(r, i, AT_SHOP_T_WORD)
             && at_str_is(r->tokens[i].text, "to")))
    {
        return 0;
    }

    i++;

    if (at_shop_is(r, i, AT_SHOP_T_CURRENCY)) {
        i++;
    }

    *to = i;

    return at_shop_is(r, i, AT_SHOP_T_NUMBER) && !r->tokens[i].glued
           && !at_shop_sign(r, i + 1, '%');
}


/* The value of a number, or why it has none. */

static int
at_shop_value(at_shop_read_t *r, at_shop_token_t *t)
{
    at_shop_style_t   style;
    at_shop_number_t  n;

    style = at_shop_style(r->code);
    style.machine = r->hint->machine;

    if (r->hint->decimal) {
        style.decimal = r->hint->decimal;
        style.sure = 1;
    }

    /* Data is written by a program: a point, whatever its readers write. */

    if (style.machine && style.sure && memchr(t->text.data, ',', t->text.len)
        == NULL && !style.whole)
    {
        style.decimal = '.';
    }

    if (t->glued) {
        r->why = "not a number";
        return AT_ERROR;
    }

    if (at_shop_number(t->text, style, &n, &r->why) != AT_OK) {
        return AT_ERROR;
    }

    t->minor = at_shop_minor(n, t->times);

    if (r->hint->minor && n.decimals == 0 && t->times == 1) {
        t->minor /= 100;
    }

    if (t->minor <= 0) {
        r->why = t->minor ? "no whole number of hundredths" : "zero";
        return AT_ERROR;
    }

    return AT_OK;
}


/* "- ₹500" is less than nothing, unless a range or "/-" is before. */

static int
at_shop_negative(const at_shop_read_t *r, size_t i)
{
    size_t  start;

    start = at_shop_start(r, i);

    if (start < i && at_shop_sign(r, i, '-')) {
        return 1;
    }

    if (start == 0 || !at_shop_sign(r, start - 1, '-')
        || r->tokens[start].apart)
    {
        return 0;
    }

    return start < 2 || !(at_shop_is(r, start - 2, AT_SHOP_T_NUMBER)
                          || at_shop_is(r, start - 2, AT_SHOP_T_CURRENCY)
                          || at_shop_sign(r, start - 2, '/'));
}


static const at_shop_word_t *
at_shop_word(at_str_t text)
{
    size_t  i;

    for (i = 0; i < AT_SHOP_NWORDS; i++) {
        if (at_str_is(text, at_shop_words[i].word)) {
            return &at_shop_words[i];
        }
    }

    return NULL;
}


static int
at_shop_word_is(const at_shop_read_t *r, size_t i, const char *word)
{
    return at_shop_is(r, i, AT_SHOP_T_WORD)
           && at_str_is(r->tokens[i].text, word);
}


/* The words of the row from first up to end, as they bind one way. */

static uint8_t
at_shop_words_kind(const at_shop_read_t *r, size_t first, size_t end,
    unsigned way)
{
    size_t                 i;
    uint8_t                kind;
    const at_shop_word_t  *w;

    kind = 0;

    for (i = first; i < end; i++) {

        if (at_shop_sign(r, i, ';') || at_shop_sign(r, i, '|')) {

            if (way == 2) {
                break;
            }

            kind = 0;
            continue;
        }

        w = at_shop_is(r, i, AT_SHOP_T_WORD) ? at_shop_word(r->tokens[i].text)
                                             : NULL;

        if (w == NULL || (w->ways & way) == 0
            || (i > 0 && (at_shop_word_is(r, i - 1, "free")
                          || at_shop_word_is(r, i - 1, "no")
                          || (w->kind == AT_SHOP_M_SAVING
                              && at_shop_sign(r, i - 1, '%')))))
        {
            continue;
        }

        /* "price ... EMI from ₹999": the next amount's */

        if (way == 2 && end < r->n && (w->ways & 1)) {
            continue;
        }

        if (kind == 0 || kind == AT_SHOP_M_MRP) {
            kind = w->kind;
        }
    }

    return kind;
}


/* The kind of the amount at i, whose words begin at first and end at end. */

static uint8_t
at_shop_kind(const at_shop_read_t *r, size_t i, size_t first, size_t end)
{
    size_t   start, after;
    uint8_t  kind;

    start = at_shop_start(r, i);
    after = at_shop_after(r, i);

    if ((at_shop_sign(r, after, '/')
         && (at_shop_is(r, after + 1, AT_SHOP_T_NUMBER)
             || at_shop_is(r, after + 1, AT_SHOP_T_WORD))))
    {
        kind = at_shop_words_kind(r, after + 1, after + 2, 2);
        return kind == AT_SHOP_M_EMI ? kind : AT_SHOP_M_UNIT;
    }

    if (at_shop_word_is(r, after, "x")
        || (start > 0 && at_shop_word_is(r, start - 1, "x")))
    {
        return AT_SHOP_M_EMI;
    }

    if (start > 0 && at_shop_sign(r, start - 1, '+')) {
        return AT_SHOP_M_CHARGE;
    }

    kind = at_shop_words_kind(r, after, end, 2);

    if (kind == 0) {
        kind = at_shop_words_kind(r, first, start, 1);
    }

    return kind;
}


static size_t
at_shop_next(const at_shop_read_t *r, size_t i)
{
    while (i < r->n && !r->tokens[i].amount) {
        i++;
    }

    return i;
}


static int
at_shop_amount(at_shop_read_t *r, size_t i, size_t first)
{
    size_t            to, next, end;
    at_shop_token_t  *t;

    t = &r->tokens[i];

    if (at_shop_negative(r, i)) {
        r->why = "negative";
        return AT_ERROR;
    }

    if (at_shop_is(r, i + 1, AT_SHOP_T_NUMBER) && !r->tokens[i + 1].glued
        && !at_shop_sign(r, i + 2, '%'))
    {
        r->why = "two numbers side by side";
        return AT_ERROR;
    }

    if (at_shop_range(r, i, &to)) {
        r->tokens[to].amount = 1;
        r->tokens[to].range = 1;
    }

    next = at_shop_next(r, i + 1);
    end = next < r->n ? at_shop_start(r, next) : next;
    t->kind = t->range ? 0 : at_shop_kind(r, i, first, end);

    /* Of a range the words behind it say what both ends are. */

    if (!t->range && next < r->n && r->tokens[next].range) {
        to = at_shop_next(r, next + 1);
        end = to < r->n ? at_shop_start(r, to) : to;

        if (t->kind == 0) {
            t->kind = at_shop_kind(r, next, next, end);
        }
    }

    return t->kind && t->kind != AT_SHOP_M_MRP ? AT_OK : at_shop_value(r, t);
}


/* Takes the amount at i into the result; its kind is mrp's or a price's. */

static int
at_shop_take(at_shop_read_t *r, const at_shop_token_t *t,
    at_shop_money_t *money)
{
    if (t->range) {
        if (money->min && t->minor < money->max) {
            r->why = "more than one price";
            return AT_ERROR;
        }

        money->max = t->minor;
        return AT_OK;
    }

    if (money->min && (money->min != t->minor || money->max != t->minor)) {
        r->why = "more than one price";
        return AT_ERROR;
    }

    money->min = t->minor;
    money->max = t->minor;

    return AT_OK;
}


static int
at_shop_judge(at_shop_read_t *r, uint8_t kind, at_shop_money_t *money)
{
    size_t            i;
    uint8_t           last;
    at_shop_token_t  *t;

    last = 0;
    money->min = 0;

    for (i = at_shop_next(r, 0); i < r->n; i = at_shop_next(r, i + 1)) {
        t = &r->tokens[i];

        if (!t->range) {
            last = t->kind;
        }

        if (last == kind && at_shop_take(r, t, money) != AT_OK) {
            return AT_ERROR;
        }

        if (last != kind && money->min == 0 && last != AT_SHOP_M_MRP) {
            r->why = at_shop_kinds[last];
        }
    }

    return AT_OK;
}


/* No amount: the number alone may be one, if nothing else is there. */

static int
at_shop_bare(at_shop_read_t *r)
{
    char    word[32];
    size_t  i, n;

    n = r->n;

    for (i = 0; i < r->n; i++) {

        if (at_shop_is(r, i, AT_SHOP_T_NUMBER)) {

            if (r->tokens[i].glued || at_shop_sign(r, i + 1, '%')
                || r->tokens[i].times > 1)
            {
                return AT_ERROR;
            }

            n = n == r->n ? i : n;
            continue;
        }

        if (at_shop_is(r, i, AT_SHOP_T_WORD)) {

            if (r->tokens[i].text.len > sizeof(word) - 3) {
                return AT_ERROR;
            }

            word[0] = ' ';
            memcpy(word + 1, r->tokens[i].text.data, r->tokens[i].text.len);
            memcpy(word + 1 + r->tokens[i].text.len, " ", 2);

            if (strstr(at_shop_bare_words, word) == NULL) {
                return AT_ERROR;
            }

            continue;
        }

        if (at_shop_is(r, i, AT_SHOP_T_SIGN)
            && strchr("-/:.,()", r->tokens[i].text.data[0]) == NULL)
        {
            return AT_ERROR;
        }
    }

    if (n == r->n) {
        return AT_ERROR;
    }

    r->tokens[n].amount = 1;

    return AT_OK;
}


static int
at_shop_money_find(at_shop_read_t *r, at_shop_money_t *money)
{
    size_t  i, first;

    if (at_shop_bind(r) == 0
        && (!r->hint->bare || at_shop_bare(r) != AT_OK))
    {
        r->why = "no amount";
        return AT_ERROR;
    }

    first = 0;

    for (i = at_shop_next(r, 0); i < r->n; i = at_shop_next(r, i + 1)) {

        if (at_shop_amount(r, i, first) != AT_OK) {
            return AT_ERROR;
        }

        first = at_shop_after(r, i);
    }

    r->why = "no amount";

    if (at_shop_judge(r, 0, money) != AT_OK) {
        return AT_ERROR;
    }

    if (money->min == 0) {

        if (at_shop_judge(r, AT_SHOP_M_MRP, money) != AT_OK
            || money->min == 0)
        {
            return AT_ERROR;
        }

        money->mrp = 1;
    }

    return AT_OK;
}


int
at_shop_money(at_str_t text, const at_shop_money_hint_t *hint,
    at_shop_money_t *money, const char **why)
{
    size_t          i;
    at_shop_read_t  r;

    memset(money, 0, sizeof(at_shop_money_t));
    r.hint = hint;

    if (at_shop_tokens(&r, text) != AT_OK
        || at_shop_money_find(&r, money) != AT_OK)
    {
        memset(money, 0, sizeof(at_shop_money_t));
        *why = r.why;
        return AT_ERROR;
    }

    memcpy(money->currency, r.code[2] ? r.code : "\0\0\0", 4);

    for (i = 0; i < r.n; i++) {
        money->from |= at_shop_word_is(&r, i, "from")
                       || at_shop_word_is(&r, i, "starting")
                       || at_shop_word_is(&r, i, "onwards");
    }

    return AT_OK;
}


int
at_shop_money_like(at_str_t text)
{
    char                  low[40];
    size_t                i, n;
    at_shop_money_t       money;
    const char           *why;
    at_shop_money_hint_t  hint = { NULL, '.', 0, 0, 0 };

    while (text.len && (uint8_t) text.data[0] <= ' ') {
        text.data++;
        text.len--;
    }

    if (text.len == 0 || text.len > sizeof(low)) {
        return 0;
    }

    for (i = 0, n = 0; i < text.len; i++) {
        n += at_shop_digit(text.data[i]) != 0;
    }

    return n && at_shop_money(text, &hint, &money, &why) == AT_OK
           && !money.mrp;
}


void
at_shop_money_write(int64_t minor, char out[32])
{
    (void) snprintf(out, 32, "%lld.%02d", (long long) (minor / 100),
                    (int) (minor % 100));
}
