/*
 * Currencies, and numbers as shops write them (for at_shop_money.c).
 */

#ifndef AT_SHOP_NUMBER_H
#define AT_SHOP_NUMBER_H


#include "at.h"


typedef struct {
    uint64_t  digits;       /* the number without its decimal sign */
    unsigned  decimals;     /* so many of them are behind it */
} at_shop_number_t;


typedef struct {
    char      decimal;      /* '.' or ','; 0: unknown */
    unsigned  sure:1;       /* the shop says so, not the currency */
    unsigned  machine:1;
    unsigned  whole:1;      /* the currency has no hundredths */
} at_shop_style_t;


/* How many bytes of s, lower case, are a currency; code is its three letters,
   "$" or "kr" where several share a sign; 0: none. */
size_t at_shop_currency_at(at_str_t s, char code[4]);

/* How the currency's own countries write numbers. */
at_shop_style_t at_shop_style(const char *code);

/* 1: blanks stand between thousands there. */
int at_shop_spaced(const char *code);

/* 1: its sign is a dollar's, too; or a crown's for "kr". */
int at_shop_shares(const char *code, const char *sign);

/*
 * Digits with single ",", ".", "'" or blanks between them.  AT_ERROR: they can
 * be read in two ways or in none; *why says so.
 */
int at_shop_number(at_str_t s, at_shop_style_t style, at_shop_number_t *n,
    const char **why);

/* n * times in hundredths, or -1 if that is no whole number below 2^53. */
int64_t at_shop_minor(at_shop_number_t n, uint64_t times);


#endif /* AT_SHOP_NUMBER_H */
