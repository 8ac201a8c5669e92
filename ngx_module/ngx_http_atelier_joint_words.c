/*
 * The question that a node asks Redis about shared limits: all it holds, and
 * the calls it has made since the last answer (see the script in
 * ngx_http_atelier_joint_lua.h).  Words live in a pool of the question's own;
 * without memory it is marked as failed and not sent.
 */

#include "ngx_http_atelier_joint_sync.h"


/* Calls of one window that one question reports. */
#define NGX_HTTP_ATELIER_JOINT_REPORT   500


static void ngx_http_atelier_joint_say_window(
    ngx_http_atelier_joint_sync_t *s, ngx_http_atelier_joint_words_t *w,
    ngx_http_atelier_party_t *party, ngx_uint_t n);
static void ngx_http_atelier_joint_say_calls(
    ngx_http_atelier_joint_words_t *w, ngx_http_atelier_joint_t *share,
    ngx_uint_t first, ngx_uint_t n);
static void ngx_http_atelier_joint_text(ngx_http_atelier_joint_words_t *w,
    ngx_str_t *text);
static void ngx_http_atelier_joint_number(ngx_http_atelier_joint_words_t *w,
    ngx_int_t number);


void
ngx_http_atelier_joint_say(ngx_http_atelier_joint_sync_t *s,
    ngx_http_atelier_joint_words_t *w)
{
    ngx_str_t                        name;
    ngx_uint_t                       i, n;
    ngx_msec_int_t                   left;
    ngx_http_atelier_slot_t         *slot;
    ngx_http_atelier_party_t       **p;
    ngx_http_atelier_joint_node_t   *node;

    node = &s->amcf->zone->sh->share;
    p = s->amcf->limits->parties.elts;

    s->windows = 0;
    s->parties = s->amcf->limits->parties.nelts;

    for (i = 0; i < s->parties; i++) {
        s->windows += p[i]->nrates;
    }

    s->more = 0;

    name.data = node->name;
    name.len = sizeof(node->name);

    ngx_http_atelier_joint_text(w, &ngx_http_atelier_joint_prefix);
    ngx_http_atelier_joint_text(w, &name);
    ngx_http_atelier_joint_number(w, s->amcf->limits->nodes);
    ngx_http_atelier_joint_number(w, s->amcf->limits->lease);
    ngx_http_atelier_joint_number(w, node->forgotten || !node->known);
    ngx_http_atelier_joint_number(w, s->full);
    ngx_http_atelier_joint_number(w, s->windows);
    ngx_http_atelier_joint_number(w, s->parties);
    ngx_http_atelier_joint_number(w, s->token);

    for (i = 0; i < s->parties; i++) {
        for (n = 0; n < p[i]->nrates; n++) {
            ngx_http_atelier_joint_say_window(s, w, p[i], n);
        }
    }

    for (i = 0; i < s->parties; i++) {
        slot = p[i]->slot;
        left = slot->tell ? (ngx_msec_int_t) (slot->tell - ngx_current_msec)
                          : 0;

        slot->told = slot->tell;

        ngx_http_atelier_joint_text(w, &p[i]->slot_name);
        ngx_http_atelier_joint_number(w, ngx_max(left, 0));
    }
}


static void
ngx_http_atelier_joint_say_window(ngx_http_atelier_joint_sync_t *s,
    ngx_http_atelier_joint_words_t *w, ngx_http_atelier_party_t *party,
    ngx_uint_t n)
{
    u_char                          *p;
    ngx_str_t                        name;
    ngx_uint_t                       calls, first, news, part;
    ngx_http_atelier_joint_t        *share;
    ngx_http_atelier_joint_call_t   *call;

    share = ngx_http_atelier_joint_current(party, n);
    calls = party->rates[n].calls;

    ngx_http_atelier_joint_prune(share, ngx_current_msec);

    for (first = share->count; first; first--) {
        call = ngx_http_atelier_joint_call(share, first - 1);

        if ((int32_t) (call->id - share->reported) <= 0) {
            break;
        }
    }

    news = ngx_min(share->count - first, NGX_HTTP_ATELIER_JOINT_REPORT);
    s->more |= (first + news < share->count);

    /* what others can use better goes back */

    part = calls - ngx_min(calls, share->counted);
    part /= s->amcf->limits->nodes * (share->made ? 1 : 4);

    if (share->promised > part + share->want) {
        share->promised = part + share->want;
    }

    p = ngx_pnalloc(w->pool, party->slot_name.len + 1 + NGX_INT64_LEN);
    if (p == NULL) {
        w->failed = 1;
        return;
    }

    name.data = p;
    name.len = ngx_sprintf(p, "%V:%M", &party->slot_name, share->period) - p;

    ngx_http_atelier_joint_text(w, &name);
    ngx_http_atelier_joint_number(w, calls);
    ngx_http_atelier_joint_number(w,
                                  ngx_http_atelier_joint_span(share->period));
    ngx_http_atelier_joint_number(w, share->promised
                                     + share->count - first - news);
    ngx_http_atelier_joint_number(w, share->want);
    ngx_http_atelier_joint_number(w, share->made != 0);
    ngx_http_atelier_joint_number(w, news);

    ngx_http_atelier_joint_say_calls(w, share, first, news);
}


static void
ngx_http_atelier_joint_say_calls(ngx_http_atelier_joint_words_t *w,
    ngx_http_atelier_joint_t *share, ngx_uint_t first, ngx_uint_t n)
{
    ngx_uint_t                      i;
    ngx_msec_int_t                  age;
    ngx_http_atelier_joint_call_t  *call;

    share->sent = share->reported;

    for (i = first; i < first + n; i++) {
        call = ngx_http_atelier_joint_call(share, i);
        age = (ngx_msec_int_t) (ngx_current_msec - call->at);

        ngx_http_atelier_joint_number(w, call->id);
        ngx_http_atelier_joint_number(w, ngx_max(age, 0));

        share->sent = call->id;
    }
}


static void
ngx_http_atelier_joint_text(ngx_http_atelier_joint_words_t *w,
    ngx_str_t *text)
{
    ngx_str_t  *word;

    word = ngx_array_push(&w->words);

    if (word == NULL) {
        w->failed = 1;
        return;
    }

    *word = *text;
}


static void
ngx_http_atelier_joint_number(ngx_http_atelier_joint_words_t *w,
    ngx_int_t number)
{
    u_char     *p;
    ngx_str_t   text;

    p = ngx_pnalloc(w->pool, NGX_INT64_LEN);

    if (p == NULL) {
        w->failed = 1;
        return;
    }

    text.data = p;
    text.len = ngx_sprintf(p, "%i", number) - p;

    ngx_http_atelier_joint_text(w, &text);
}
