/*
 * Frames of a client, read while they arrive (RFC 6455, RFC 7692).
 *
 * at_ws_parse() is called with what a socket gave and takes it all, so one
 * read buffer serves every socket of a process.  A message or control frame
 * that lies whole in it is unmasked in place and handed out from there; only
 * what is cut or fragmented is copied, into memory that grows with the bytes
 * that came, never with a length that was announced.  An idle parser owns
 * nothing but itself.
 *
 * What is wrong is said at the first byte that makes it so: a length above
 * the bound before its payload, a byte that is no UTF-8 before its fragment
 * is complete (in a compressed message, at its end).  The sequence of events
 * is the same however the bytes are cut.
 *
 * Zero-initialise the parser, set deflate, and free it by at_ws_parser_free().
 */

#ifndef AT_WS_PARSER_H
#define AT_WS_PARSER_H


#include "at_ws.h"
#include "at_ws_deflate.h"
#include "at_ws_utf8.h"


#define AT_WS_HEAD_IN_MAX  14   /* bytes before the payload of a frame */


/* What all sockets of a kind have in common. */
typedef struct {
    size_t            message_max;  /* bytes of a message, inflated */
    at_ws_inflate_t  *inflate;      /* for parsers that have deflate set */
    unsigned          binary:1;     /* 0: binary messages fail by 1003 */
} at_ws_rules_t;


typedef struct {
    at_buf_t      kept;         /* the message so far, and behind its len a
                                   control frame that came in pieces */
    size_t        left;         /* of the payload under way */

    uint8_t       head[AT_WS_HEAD_IN_MAX];
    uint8_t       nhead;        /* bytes of it that came */
    uint8_t       need;         /* of how many, as far as that is known */
    uint8_t       turn;         /* the byte of the mask that is next */
    uint8_t       control;      /* bytes of a control frame in kept */
    at_ws_utf8_t  utf8;

    unsigned      deflate:1;    /* the owner's: permessage-deflate is agreed */
    unsigned      payload:1;    /* the head is complete */
    unsigned      message:1;    /* a fragmented one is under way: */
    unsigned      binary:1;     /*   binary, not text */
    unsigned      deflated:1;   /*   compressed */
    unsigned      lent:1;       /* the last event's data is in kept */
    unsigned      over:1;       /* a Close or a violation was reported */
} at_ws_parser_t;


typedef enum {
    AT_WS_MORE = 0,             /* all was taken, nothing more is complete */
    AT_WS_GOT_MESSAGE,
    AT_WS_GOT_PING,
    AT_WS_GOT_PONG,
    AT_WS_GOT_CLOSE,
    AT_WS_FAILED
} at_ws_result_e;


/*
 * data is the message, the payload of the ping or pong, or the reason of the
 * Close.  It is good until the next call for this parser, or for any with the
 * same inflate, and as long as the bytes that were passed in.
 */
typedef struct {
    at_str_t     data;
    unsigned     binary:1;      /* the message is not text */
    unsigned     code;          /* a Close: its code, or AT_WS_NO_CODE;
                                   AT_WS_FAILED: the one to close by */
    const char  *why;           /* AT_WS_FAILED: a static sentence */
} at_ws_event_t;


/*
 * Reads on from *pos, which it moves, and stops at each event; to be called
 * again until it says AT_WS_MORE: *pos is end then.  The bytes are changed.
 * After a Close or a violation whatever comes is passed over.
 */
at_ws_result_e at_ws_parse(at_ws_parser_t *p, const at_ws_rules_t *rules,
    uint8_t **pos, uint8_t *end, at_ws_event_t *event);
void at_ws_parser_free(at_ws_parser_t *p);


/* 1: between two messages; one that was zero-initialised is the same. */
static inline int
at_ws_parser_idle(const at_ws_parser_t *p)
{
    return p->nhead == 0 && !p->message && !p->lent && !p->over;
}


/* XORs p, which is at byte turn of its mask; the same puts it back. */
void at_ws_mask(uint8_t *p, size_t len, const uint8_t mask[4], unsigned turn);

/* 1: a client may close by this code (RFC 6455 section 7.4 and IANA). */
int at_ws_code_valid(unsigned code);


#endif /* AT_WS_PARSER_H */
