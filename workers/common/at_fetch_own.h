/*
 * What the files of at_fetch share; nobody else includes this.
 */

#ifndef AT_FETCH_OWN_H
#define AT_FETCH_OWN_H


#include "at_fetch.h"

#include <curl/curl.h>


struct at_fetch_s {
    const at_fetch_settings_t  *settings;
    CURLM                      *multi;
    struct curl_slist          *resolve;
    at_fetch_call_t            *ended;  /* found before anybody asked */
    at_fetch_call_t            *sent;   /* in this turn, with an after() */
};


/* Callbacks of libcurl; data is the call. */
size_t at_fetch_header(char *p, size_t size, size_t n, void *data);
size_t at_fetch_body(char *p, size_t size, size_t n, void *data);

/* Fills call->head; its easy handle is still there. */
void at_fetch_told(at_fetch_call_t *call, CURLcode rc);

/* Its outcome, and why. */
void at_fetch_outcome(at_fetch_call_t *call, CURLcode rc);


#endif /* AT_FETCH_OWN_H */
