/*
 * Answers that are no success: from a status, the first bytes of the body and
 * the headers to an outcome.
 *
 * Bodies are JSON, HTML or plain text, whatever their type says, so they are
 * only searched for words.  Nothing of them goes into a reason: some repeat
 * the key that was sent.
 */

#include <string.h>

#include "at_feed_internal.h"


static const char *const  at_feed_rate_words[] = {
    "rate limit", "too many requests", "throttled", "limit exceeded",
    "quota exceeded", NULL
};

static const char *const  at_feed_key_words[] = {
    "api key", "apikey", "api_key", "access token", NULL
};


/* head is a C string. */

static int
at_feed_error_says(const char *head, const char *const *words)
{
    for ( /* void */ ; *words; words++) {
        if (strcasestr(head, *words)) {
            return 1;
        }
    }

    return 0;
}


static at_feed_outcome_e
at_feed_error_outcome(const at_feed_answer_t *a, const char *head)
{
    switch (a->private->status) {

    case 429:
        return AT_FEED_RATE_LIMITED;

    case 401:
    case 402:
    case 403:
        if (at_feed_error_says(head, at_feed_rate_words)
            || (a->quota.has && a->quota.remaining == 0))
        {
            return AT_FEED_RATE_LIMITED;
        }

        return AT_FEED_AUTH;

    case 400:
        return at_feed_error_says(head, at_feed_key_words) ? AT_FEED_AUTH
                                                           : AT_FEED_ERROR;

    case 408:
    case 504:
        return AT_FEED_TIMEOUT;

    default:
        return AT_FEED_ERROR;
    }
}


void
at_feed_error_end(at_feed_answer_t *a)
{
    char                    head[AT_FEED_HEAD_MAX + 1];
    size_t                  i;
    at_str_t                text;
    at_feed_outcome_e       outcome;
    at_feed_private_t      *s;
    const at_feed_rules_t  *r;

    s = a->private;
    r = a->source->rules;

    for (i = 0; i < s->nhead; i++) {
        head[i] = s->head[i] ? s->head[i] : ' ';
    }

    head[i] = '\0';
    text = (at_str_t) { i, head };

    if ((s->status == 404 && r->ends_404 && s->page > 1)
        || (r->error && r->error(a, text) != AT_OK))
    {
        s->failed = 0;
        s->last = 1;
        return;
    }

    outcome = at_feed_error_outcome(a, head);

    /* It may have failed before, for its length: the status says more. */

    s->failed = 0;
    (void) at_feed_fail(a, outcome, "status %u", s->status);

    if (a->retry_after_ms < 0
        && (outcome == AT_FEED_RATE_LIMITED || s->status == 503))
    {
        a->retry_after_ms = at_retry_after_text(text);
    }

    if (a->retry_after_ms < 0 && outcome == AT_FEED_RATE_LIMITED
        && a->quota.has && a->quota.remaining == 0)
    {
        a->retry_after_ms = a->quota.reset_ms;
    }
}
