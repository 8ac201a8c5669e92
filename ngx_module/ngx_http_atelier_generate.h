/*
 * What the files of the /generate endpoint share: the generation, from its
 * request to its end (ngx_http_atelier_generate.c), who is asked when
 * (ngx_http_atelier_generate_strategy.c), and its answers
 * (ngx_http_atelier_generate_answer.c).
 */

#ifndef NGX_HTTP_ATELIER_GENERATE_H
#define NGX_HTTP_ATELIER_GENERATE_H


#include "ngx_http_atelier_adapter.h"
#include "ngx_http_atelier_pictures.h"
#include "ngx_http_atelier_problem.h"
#include "ngx_http_atelier_joint.h"
#include "ngx_http_atelier_zone.h"


/* One provider's part; attempts stand in the order of priority. */
typedef struct {
    ngx_http_atelier_provider_t    *provider;
    ngx_http_atelier_lane_t        *lane;       /* NULL: it was not asked */
    ngx_http_atelier_reservation_t  reservation;    /* ... for its wait */
    ngx_http_atelier_outcome_e      outcome;    /* once finished */
} ngx_http_atelier_attempt_t;


typedef struct {
    ngx_http_request_t             *http;
    ngx_http_atelier_main_conf_t   *conf;
    ngx_http_atelier_loc_conf_t    *location;
    at_generate_t                   request;
    ngx_http_atelier_fanout_t      *fanout;
    ngx_http_atelier_attempt_t     *attempts;
    ngx_uint_t                      nattempts;
    ngx_uint_t                      next;       /* attempt to ask */
    ngx_event_t                     hedge;
    ngx_http_atelier_joint_waiter_t share;      /* before the first is asked */
    ngx_http_atelier_lane_t        *winner;
    ngx_msec_t                      started;
    ngx_msec_t                      picture_ms; /* to the verified picture */
    u_char                          id[NGX_HTTP_ATELIER_ID_LEN];
    unsigned                        decided:1;  /* the race is over */
    unsigned                        finished:1; /* counted */
    unsigned                        counted:1;  /* in location->in_flight */
} ngx_http_atelier_generation_t;


/*
 * Who is asked when.  _start() asks the first of them; _resume() is the
 * fan-out's, and tells _decided() once: a lane that won, or NULL.
 */
ngx_int_t ngx_http_atelier_strategy_start(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g);
void ngx_http_atelier_strategy_resume(ngx_http_request_t *r);

/* A lane has won: ends the others, at the latest when g->hedge runs out. */
void ngx_http_atelier_strategy_decided(ngx_http_atelier_generation_t *g);

/* The race is over; returns what to finalize with, NGX_AGAIN: not yet. */
ngx_int_t ngx_http_atelier_generate_decided(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g, ngx_http_atelier_lane_t *winner);

/* Counts the result and every provider's outcome, once. */
void ngx_http_atelier_generate_finish(ngx_http_atelier_generation_t *g,
    ngx_http_atelier_result_e result);

/* What became of one attempt, as far as it is known now. */
ngx_http_atelier_outcome_e ngx_http_atelier_generate_outcome(
    ngx_http_atelier_generation_t *g, ngx_http_atelier_attempt_t *a);

/*
 * The answers.  Each finishes the generation and returns what goes to
 * ngx_http_finalize_request().
 */
ngx_int_t ngx_http_atelier_generate_done(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g);
ngx_int_t ngx_http_atelier_generate_fail(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g);
ngx_int_t ngx_http_atelier_generate_unstored(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g);

/* A 4xx before there is a generation. */
ngx_int_t ngx_http_atelier_generate_refuse(ngx_http_request_t *r,
    ngx_uint_t status, const char *code, const char *detail);


#endif /* NGX_HTTP_ATELIER_GENERATE_H */
