/*
 * Price text of shops, to hundredths of the unit.
 *
 * "Rs. 1,23,456/-", "MRP ₹12,34,567.50", "₹2.5 Lakh",
 * "₹24,999 - ₹35,999", "15,75 €", "31.490" where pesos have no cents.
 * What is an instalment, an exchange or bank offer, a coupon, a saving, a
 * delivery charge or the price of 100 g is refused, and so is a text with two
 * prices, or one whose dots and commas can be read in two ways: no price is
 * better than a wrong one.
 * Nothing is allocated or kept.
 */

#ifndef AT_SHOP_MONEY_H
#define AT_SHOP_MONEY_H


#include "at.h"


/* 10,000,000 units; a price is below, and above 0. */
#define AT_SHOP_PRICE_MAX  INT64_C(1000000000)

#define AT_SHOP_MONEY_MAX  400      /* bytes of a text that can be a price */


typedef struct {
    const char  *currency;      /* of the shop, for bare numbers; or NULL */
    char         decimal;       /* '.' or ',' of the shop; 0: unknown */
    unsigned     bare:1;        /* a number alone is a price, too */
    unsigned     machine:1;     /* data: "." is decimal unless it cannot be */
    unsigned     minor:1;       /* bare integers are hundredths */
} at_shop_money_hint_t;


typedef struct {
    int64_t      min;
    int64_t      max;           /* of a range; else as min */
    char         currency[4];   /* "" if neither text nor hint says */
    unsigned     mrp:1;         /* it says that it is a list price */
    unsigned     from:1;        /* "from ..." */
} at_shop_money_t;


/*
 * AT_ERROR: it is no price; *why is a short static text, as in "an
 * instalment".  Zero, negative and endless numbers are none; whether it is
 * below AT_SHOP_PRICE_MAX is up to the caller.
 */
int at_shop_money(at_str_t text, const at_shop_money_hint_t *hint,
    at_shop_money_t *money, const char **why);

/* 1: text begins with a number beside a sign or name of a currency. */
int at_shop_money_like(at_str_t text);

/* "1234.50"; a buffer of 32 bytes is enough. */
void at_shop_money_write(int64_t minor, char out[32]);

/* The three letters of a currency's sign, name or code, or NULL. */
const char *at_shop_currency(at_str_t text);


#endif /* AT_SHOP_MONEY_H */
