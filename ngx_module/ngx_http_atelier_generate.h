/*
 * What the files of the /generate endpoint share: the generation, from its
 * request to its end (ngx_http_atelier_generate.c), who is asked when
 * (ngx_http_atelier_generate_strategy.c), its answers
 * (ngx_http_atelier_generate_answer.c) and what is told before
 * (ngx_http_atelier_generate_lines.c), its row in PostgreSQL
 * (ngx_http_atelier_generate_queue.c), equal ones at the same time
 * (ngx_http_atelier_generate_twins.c), the addresses of what was made
 * (ngx_http_atelier_generate_rows.c), and /attempt, which goes the same way
 * for what was queued (ngx_http_atelier_attempt.c).
 */

#ifndef NGX_HTTP_ATELIER_GENERATE_H
#define NGX_HTTP_ATELIER_GENERATE_H


#include "ngx_http_atelier_adapter.h"
#include "ngx_http_atelier_pictures.h"
#include "ngx_http_atelier_problem.h"
#include "ngx_http_atelier_joint.h"
#include "ngx_http_atelier_zone.h"
#include "at_attempt.h"
#include "at_hash.h"


#define NGX_HTTP_ATELIER_KEY_MAX  255     /* bytes of an Idempotency-Key */


typedef struct ngx_http_atelier_queue_op_s  ngx_http_atelier_queue_op_t;


/* One provider's part; attempts stand in the order of priority. */
typedef struct {
    ngx_http_atelier_provider_t    *provider;
    ngx_http_atelier_lane_t        *lane;       /* NULL: it was not asked */
    ngx_http_atelier_reservation_t  reservation;    /* ... for its wait */
    ngx_http_atelier_outcome_e      outcome;    /* once finished */
    unsigned                        told_start:1;   /* by a line */
    unsigned                        told_end:1;
} ngx_http_atelier_attempt_t;


/* Of a client that wants to know how it goes on. */
typedef struct {
    ngx_event_t                     event;      /* posted: there may be
                                                   something to tell */
    unsigned                        wanted:1;
    unsigned                        begun:1;    /* the header has been sent */
} ngx_http_atelier_lines_t;


/*
 * A generation with a seed among the equal ones of its worker: the first of
 * them runs, the others wait for what it gets.
 */
typedef struct {
    ngx_queue_t                     queue;      /* of the first ones, or of
                                                   those who wait for one */
    ngx_queue_t                     waiting;    /* of a first one: for it */
    ngx_event_t                     wake;       /* of one who waits: posted
                                                   when the first has ended */
    ngx_http_atelier_result_e       result;     /* ... in this way */
    unsigned                        first:1;
    unsigned                        waits:1;
    unsigned                        listed:1;   /* queue is in use */
    unsigned                        shared:1;   /* a first one: others were
                                                   answered with its picture */
} ngx_http_atelier_twin_t;


/* What is known of a picture that is there. */
typedef struct {
    ngx_str_t                       provider;   /* empty: not known */
    at_image_t                      image;
    at_str_t                        enhanced;   /* prompt, as sent */
    uint32_t                        seed;
    unsigned                        has_seed:1;
} ngx_http_atelier_facts_t;


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
    ngx_http_atelier_facts_t        facts;
    ngx_msec_t                      started;
    ngx_msec_t                      picture_ms; /* to the verified picture */
    u_char                          id[NGX_HTTP_ATELIER_ID_LEN];

    /* Of the row; made when they are first needed: */
    ngx_http_atelier_queue_op_t    *op;         /* a statement that is out */
    ngx_str_t                       key;        /* empty: none */
    ngx_str_t                       visitor;    /* 16 bytes, as PostgreSQL
                                                   writes them */
    at_buf_t                        text;       /* the request as JSON */
    uint8_t                         hash[AT_HASH_BYTES];    /* of it */
    ngx_http_atelier_problem_t      problem;    /* if it cannot be queued */
    at_buf_t                        answer;     /* when it is done */
    ngx_http_atelier_twin_t         twin;
    ngx_http_atelier_lines_t        lines;
    at_attempt_t                   *attempt;    /* of /attempt, else NULL */

    unsigned                        decided:1;  /* the race is over */
    unsigned                        finished:1; /* counted */
    unsigned                        counted:1;  /* in location->in_flight */
    unsigned                        queue:1;    /* there is one */
    unsigned                        equals:1;   /* ... would do: its seed */
    unsigned                        row:1;      /* "running", by us */
    unsigned                        begun:1;    /* PostgreSQL knows the key */
    unsigned                        looked:1;   /* for an equal one, done */
    unsigned                        polling:1;  /* adopted jobs alone */
} ngx_http_atelier_generation_t;


/*
 * The way of a generation: its key, its seed, its race.  Returns what to
 * finalize the request with; NGX_AGAIN: it goes on by itself.
 */
ngx_int_t ngx_http_atelier_generate_next(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g);

/* What _next() and its like returned, as the end of the request if it is. */
void ngx_http_atelier_generate_end(ngx_http_request_t *r, ngx_int_t rc);

/* ... from events: and posted requests. */
void ngx_http_atelier_generate_over(ngx_http_atelier_generation_t *g,
    ngx_int_t rc);

/* NULL without memory; its id is made by the caller. */
ngx_http_atelier_generation_t *ngx_http_atelier_generate_create(
    ngx_http_request_t *r);

/* A client that leaves is noticed; an attempt does not depend on its. */
ngx_int_t ngx_http_atelier_generate_watch(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g);

/* NGX_DECLINED: there is room for one more in this worker, else a 503. */
ngx_int_t ngx_http_atelier_generate_full(ngx_http_request_t *r,
    ngx_http_atelier_loc_conf_t *alcf);

/* 1: what cannot be made now is kept, and done ones are known. */
#define ngx_http_atelier_generate_queues(amcf, alcf)                          \
    ((alcf)->queue && (amcf)->postgres)


/*
 * Who is asked when.  _prepare() is part of _start(), which asks the first;
 * _resume() is the fan-out's, and tells _decided() once: a lane that won, or
 * NULL.
 */
void ngx_http_atelier_strategy_prepare(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g);
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
 * ngx_http_finalize_request(), or NGX_AGAIN if its row has to be written
 * before.  _done() is called when the facts are known.
 */
ngx_int_t ngx_http_atelier_generate_done(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g);
ngx_int_t ngx_http_atelier_generate_fail(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g);
ngx_int_t ngx_http_atelier_generate_unstored(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g);

/* The members of an attempt: "provider":..., without braces. */
int ngx_http_atelier_generate_attempt_text(ngx_http_atelier_generation_t *g,
    ngx_http_atelier_attempt_t *a, at_buf_t *b);

/* The problem of a result, and what follows from it. */
ngx_int_t ngx_http_atelier_generate_failed(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g, ngx_http_atelier_result_e result);

/* g->problem, with the attempts; g->answer, which somebody else paid for. */
ngx_int_t ngx_http_atelier_generate_problem(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g);
ngx_int_t ngx_http_atelier_generate_again(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g, ngx_http_atelier_result_e result);

/* [{provider, job}] of jobs that go on though their lanes have ended. */
int ngx_http_atelier_generate_jobs_text(ngx_http_atelier_generation_t *g,
    at_buf_t *b);

/*
 * The row.  All return NGX_AGAIN, or NGX_DECLINED: PostgreSQL cannot be asked
 * now.  _begin() is for a request with a key, and goes on by _next();
 * _put() queues, or else answers g->problem; _end() tells how a row of ours
 * ended, result being that of the answer which follows.
 */
ngx_int_t ngx_http_atelier_queue_begin(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g);
ngx_int_t ngx_http_atelier_queue_known(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g);
ngx_int_t ngx_http_atelier_queue_put(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g);
ngx_int_t ngx_http_atelier_queue_done(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g);
ngx_int_t ngx_http_atelier_queue_fail(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g);

/*
 * The answer has been sent: its row is written behind its back.  shared: the
 * picture was made for another request.
 */
void ngx_http_atelier_queue_record(ngx_http_atelier_generation_t *g,
    ngx_uint_t shared);

/* The request ends: its statement, and a row that nobody would end. */
void ngx_http_atelier_queue_leave(ngx_http_atelier_generation_t *g);

/* The 503 of everything that needs PostgreSQL. */
ngx_int_t ngx_http_atelier_queue_away(ngx_http_request_t *r);

/* g->text and g->hash.  NGX_ERROR: no memory. */
ngx_int_t ngx_http_atelier_queue_text(ngx_http_atelier_generation_t *g);

/* Whose it is: the visitor, or else the address. */
ngx_int_t ngx_http_atelier_queue_visitor(ngx_http_request_t *r,
    ngx_str_t *digest);

/*
 * Lines, for a client that accepts them.  _wake(): a lane may have started or
 * ended, or the client takes more; _leave(): nothing is told any more but the
 * answer; _failed(): instead of a 500, returns what to finalize with.
 */
void ngx_http_atelier_lines_prepare(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g);
void ngx_http_atelier_lines_wake(ngx_http_atelier_generation_t *g);
void ngx_http_atelier_lines_leave(ngx_http_atelier_generation_t *g);
ngx_int_t ngx_http_atelier_lines_failed(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g);

/*
 * Equal ones.  _join(): NGX_DECLINED: go on; NGX_AGAIN: an equal one is at
 * it, and its end is ours.  _end(): whoever waits for g gets its result.
 */
ngx_int_t ngx_http_atelier_twins_join(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g);
void ngx_http_atelier_twins_end(ngx_http_atelier_generation_t *g,
    ngx_http_atelier_result_e result);
void ngx_http_atelier_twins_leave(ngx_http_atelier_generation_t *g);

/*
 * Adopted jobs: NGX_OK: lanes that poll them are out; NGX_DECLINED: there are
 * none.
 */
ngx_int_t ngx_http_atelier_attempt_adopt(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g);

/* Another attempt has stored a picture of this id meanwhile: it is that. */
ngx_int_t ngx_http_atelier_attempt_overtaken(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g);

/*
 * GET /generate, GET and DELETE /generate/{id}.  NGX_DECLINED: it is none of
 * these.
 */
ngx_int_t ngx_http_atelier_rows_handler(ngx_http_request_t *r);

/* 1: the address is that of the location, whatever it is called. */
ngx_uint_t ngx_http_atelier_rows_at_root(ngx_http_request_t *r);

/* A 4xx before there is a generation. */
ngx_int_t ngx_http_atelier_generate_refuse(ngx_http_request_t *r,
    ngx_uint_t status, const char *code, const char *detail);


/* atelier_generate and atelier_attempt [parameters]; */
char *ngx_http_atelier_generate(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_atelier_attempt(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


#endif /* NGX_HTTP_ATELIER_GENERATE_H */
