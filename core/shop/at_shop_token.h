/*
 * A price text as a row of tokens (for at_shop_money.c).
 *
 * Entities, blanks and digits of any script become plain ASCII, then numbers,
 * currencies, words and single signs are told apart.  Nothing is allocated.
 */

#ifndef AT_SHOP_TOKEN_H
#define AT_SHOP_TOKEN_H


#include "at_shop_money.h"


#define AT_SHOP_TOKENS  96


typedef enum {
    AT_SHOP_T_NUMBER,
    AT_SHOP_T_CURRENCY,
    AT_SHOP_T_WORD,
    AT_SHOP_T_SIGN
} at_shop_token_e;


typedef struct {
    at_shop_token_e  type;
    at_str_t         text;
    char             code[4];   /* of a currency */
    uint64_t         times;     /* of a number: lakh, crore */
    unsigned         glued:1;   /* letters hang on it: 100g, 1e9 */
    unsigned         amount:1;
    unsigned         range:1;   /* the upper end of the amount before */
    unsigned         apart:1;   /* a blank before it */
    uint8_t          kind;
    int64_t          minor;
} at_shop_token_t;


typedef struct {
    char                         text[AT_SHOP_MONEY_MAX + 1];
    size_t                       len;
    at_shop_token_t              tokens[AT_SHOP_TOKENS];
    size_t                       n;
    char                         code[4];   /* of the text, or the shop */
    const at_shop_money_hint_t  *hint;
    const char                  *why;
} at_shop_read_t;


/*
 * hint is set.  AT_ERROR: why says what is wrong.  The texts of the tokens lie
 * in r.
 */
int at_shop_tokens(at_shop_read_t *r, at_str_t text);

static inline int
at_shop_digit(char c)
{
    return c >= '0' && c <= '9';
}


#endif /* AT_SHOP_TOKEN_H */
