/*
 * Crawls: what is tried again and what is not, redirects, robots.txt, walls,
 * patience, and that hosts take turns.  Times are only compared with bounds
 * that hold on a busy machine too.
 */

#include "at_test.h"
#include "at_test_memory.h"
#include "at_test_shop.h"
#include "at_crawl_own.h"

#include <malloc.h>
#include <sys/resource.h>
#include <time.h>


static int
seen(const char *line)
{
    int     n;
    size_t  i;

    n = 0;

    for (i = 0; i < shop.nseen; i++) {
        n += (strcmp(shop.seen[i].line, line) == 0);
    }

    return n;
}


static void
test_page(void **state)
{
    shop_result_t      *r;
    const char         *lines[] = { "X-Extra: yes" };

    (void) state;

    policy.headers = lines;
    policy.nheaders = 1;
    shop_open();

    r = shop_get("/page");
    assert_int_equal(r->outcome, AT_CRAWL_PAGE);
    assert_int_equal(r->status, 200);
    assert_string_equal(r->body, "hello");
    assert_string_equal(r->etag, "\"one\"");
    assert_int_equal(r->tries, 1);

    r = shop_get("/gone");
    assert_int_equal(r->outcome, AT_CRAWL_STATUS);
    assert_int_equal(r->status, 404);
    assert_int_equal(r->tries, 1);

    /* robots.txt was asked for first, and once */

    assert_int_equal(shop.nseen, 3);
    assert_string_equal(shop.seen[0].line, "a.test/robots.txt");
    assert_string_equal(shop.seen[1].line, "a.test/page");
    assert_string_equal(shop.seen[1].agent, "Atelier/1 (+test)");
    assert_string_equal(shop.seen[1].extra, "yes");
}


static void
test_same(void **state)
{
    char             url[512];
    const char      *why;
    at_crawl_job_t   job;

    (void) state;
    shop_open();

    job = shop_job("/tagged", url, sizeof(url));
    job.etag = "\"one\"";
    assert_int_equal(at_crawl_add(crawl, &job, &why), AT_OK);
    shop_run();
    assert_int_equal(results[0].outcome, AT_CRAWL_SAME);

    job.etag = "\"two\"";
    assert_int_equal(at_crawl_add(crawl, &job, &why), AT_OK);
    shop_run();
    assert_int_equal(results[1].outcome, AT_CRAWL_PAGE);

    /* one that could not be sent is not */

    job.etag = "\"one\"\r\nX-Extra: no";
    assert_int_equal(at_crawl_add(crawl, &job, &why), AT_OK);
    shop_run();
    assert_int_equal(results[2].outcome, AT_CRAWL_PAGE);
    assert_string_equal(shop.seen[shop.nseen - 1].extra, "");
}


static void
test_agents(void **state)
{
    const char  *list[] = { "One/1", "Two/2" };

    (void) state;

    policy.ignore_robots = 1;
    settings.user_agents = list;
    settings.nuser_agents = 2;
    shop_open();

    (void) shop_get("/1");
    (void) shop_get("/2");
    (void) shop_get("/3");
    assert_string_equal(shop.seen[0].agent, "One/1");
    assert_string_equal(shop.seen[1].agent, "Two/2");
    assert_string_equal(shop.seen[2].agent, "One/1");
}


static void
test_retries(void **state)
{
    shop_result_t  *r;

    (void) state;
    shop_open();

    shop.fails = 2;
    r = shop_get("/fail");
    assert_int_equal(r->outcome, AT_CRAWL_PAGE);
    assert_int_equal(r->tries, 3);

    shop.fails = 100;
    r = shop_get("/fail");
    assert_int_equal(r->outcome, AT_CRAWL_STATUS);
    assert_int_equal(r->status, 500);
    assert_int_equal(r->tries, 4);
    assert_int_equal(seen("a.test/fail"), 7);

    r = shop_get("/cut");
    assert_int_equal(r->outcome, AT_CRAWL_TRUNCATED);
    assert_int_equal(r->tries, 4);

    /* what would not pass is not repeated */

    settings.fetch.wire = 3;
    r = shop_get("/page");
    assert_int_equal(r->outcome, AT_CRAWL_LARGE);
    assert_int_equal(r->tries, 1);
}


static void
test_connect(void **state)
{
    shop_result_t  *r;

    (void) state;
    policy.ignore_robots = 1;
    shop_open();

    r = shop_get("http://127.0.0.1:1/");
    assert_int_equal(r->outcome, AT_CRAWL_FAILED);
    assert_int_equal(r->tries, 4);

    /* without leave to ignore it, it is robots.txt that cannot be had */

    policy.ignore_robots = 0;
    r = shop_get("http://127.0.0.1:1/");
    assert_int_equal(r->outcome, AT_CRAWL_FAILED);
    assert_non_null(strstr(r->why, "robots.txt"));
    assert_true(r->later > 0);
}


/* A request that cannot be made leaves others of its host as they are. */

static void
test_starved(void **state)
{
    char             url[512];
    size_t           i;
    const char      *why;
    at_crawl_job_t   job;

    (void) state;
    policy.ignore_robots = 1;
    shop_open();

    for (i = 0; i < 3; i++) {
        job = shop_job("/page", url, sizeof(url));
        assert_int_equal(at_crawl_add(crawl, &job, &why), AT_OK);
    }

    at_test_memory_size = sizeof(at_crawl_flight_t);
    at_test_memory_fails = 1;
    shop_run();
    assert_int_equal(at_test_memory_fails, 0);
    assert_int_equal(nresults, 3);
    assert_int_equal(results[0].outcome, AT_CRAWL_FAILED);
    assert_string_equal(results[0].why, "no memory");
    assert_int_equal(results[1].outcome, AT_CRAWL_PAGE);
    assert_int_equal(results[2].outcome, AT_CRAWL_PAGE);

    /* one that cannot be taken is told so */

    at_test_memory_size = sizeof(at_crawl_task_t);
    at_test_memory_fails = 1;
    why = NULL;
    assert_int_equal(at_crawl_add(crawl, &job, &why), AT_NO_MEMORY);
    assert_string_equal(why, "no memory");
}


static void
test_timeout(void **state)
{
    shop_result_t  *r;

    (void) state;
    policy.ignore_robots = 1;
    settings.fetch.timeout = 50;
    settings.retries = 1;
    shop_open();

    shop.held = 1;
    r = shop_get("/held");
    assert_int_equal(r->outcome, AT_CRAWL_TIMEOUT);
    assert_int_equal(r->tries, 2);
    shop_let();
}


/* In seconds, and as a date; of a refusal and of nothing else. */

static void
test_retry_after(void **state)
{
    time_t     date;
    struct tm  tm;

    (void) state;
    policy.ignore_robots = 1;
    shop.fail_status = 503;
    (void) snprintf(shop.retry_after, sizeof(shop.retry_after), "1");
    shop_open();

    shop.fails = 1;
    assert_int_equal(shop_get("/fail")->tries, 2);
    assert_int_equal(shop.nseen, 2);
    assert_true(shop.seen[1].at - shop.seen[0].at >= 1000);

    /* for all of the host */

    date = time(NULL) + 3;
    (void) gmtime_r(&date, &tm);
    (void) strftime(shop.retry_after, sizeof(shop.retry_after),
                    "%a, %d %b %Y %H:%M:%S GMT", &tm);
    shop.fails = 1;
    shop.fail_status = 429;
    settings.retries = 0;
    assert_int_equal(shop_get("/fail")->status, 429);
    assert_int_equal(shop_get("/page")->outcome, AT_CRAWL_PAGE);
    assert_int_equal(shop.nseen, 4);
    assert_true(shop.seen[3].at - shop.seen[2].at >= 1000);
}


static void
test_again(void **state)
{
    (void) state;
    shop_open();

    verdict = AT_CRAWL_AGAIN;
    (void) shop_get("/page");
    assert_int_equal(nresults, 4);
    assert_int_equal(results[3].tries, 4);
    assert_int_equal(seen("a.test/page"), 4);
}


static void
test_redirects(void **state)
{
    char            url[300];
    const char     *hosts[] = { "*.test" };
    shop_result_t  *r;

    (void) state;
    shop.robots_status = 200;
    shop.robots = "User-agent: *\nDisallow: /private\n";
    shop_open();

    r = shop_get("/to?to=/page");
    assert_int_equal(r->outcome, AT_CRAWL_PAGE);
    assert_int_equal(r->hops, 1);
    assert_non_null(strstr(r->url, "/page"));

    r = shop_get("/to?to=/private");
    assert_int_equal(r->outcome, AT_CRAWL_DISALLOWED);
    assert_int_equal(seen("a.test/private"), 0);

    r = shop_get("/to?to=/to?to=/loop");
    assert_int_equal(r->outcome, AT_CRAWL_PAGE);

    (void) snprintf(url, sizeof(url), "/to?to=http://b.test:%u/page",
                    shop.port);
    r = shop_get(url);
    assert_int_equal(r->outcome, AT_CRAWL_MOVED);
    assert_non_null(strstr(r->location, "b.test"));
    assert_int_equal(seen("b.test/page"), 0);

    /* with leave, by the rules of the other host */

    policy.hosts = hosts;
    policy.nhosts = 1;
    r = shop_get(url);
    assert_int_equal(r->outcome, AT_CRAWL_PAGE);
    assert_int_equal(seen("b.test/robots.txt"), 1);
    assert_int_equal(seen("b.test/page"), 1);

    (void) snprintf(url, sizeof(url), "/to?to=http://b.test:%u/private",
                    shop.port);
    r = shop_get(url);
    assert_int_equal(r->outcome, AT_CRAWL_DISALLOWED);
    assert_int_equal(seen("b.test/private"), 0);

    r = shop_get("/to?to=file:///etc/passwd");
    assert_int_equal(r->outcome, AT_CRAWL_REFUSED);
}


static void
test_loop(void **state)
{
    char            url[300];
    shop_result_t  *r;

    (void) state;
    policy.ignore_robots = 1;
    settings.redirects = 2;
    shop_open();

    /* each one leads to the next one by its own argument */

    (void) snprintf(url, sizeof(url), "/to?to=%%2Fto%%3Fto%%3D%%252Fto"
                                      "%%253Fto%%253D%%25252Fpage");
    r = shop_get(url);
    assert_int_equal(r->outcome, AT_CRAWL_REFUSED);
    assert_non_null(strstr(r->why, "too many"));
    assert_int_equal(shop.nseen, 3);
}


static void
test_robots(void **state)
{
    shop_result_t  *r;

    (void) state;
    shop.robots_status = 200;
    shop.robots = "User-agent: atelier\nDisallow: /private\n"
                  "Crawl-delay: 0.3\n\nUser-agent: *\nDisallow: /\n";
    shop_open();

    r = shop_get("/private/x");
    assert_int_equal(r->outcome, AT_CRAWL_DISALLOWED);
    assert_int_equal(shop.nseen, 1);

    assert_int_equal(shop_get("/./private/../private")->outcome,
                     AT_CRAWL_DISALLOWED);
    assert_int_equal(shop_get("/%70rivate")->outcome, AT_CRAWL_DISALLOWED);
    assert_int_equal(shop.nseen, 1);

    assert_int_equal(shop_get("/page")->outcome, AT_CRAWL_PAGE);
    assert_int_equal(shop_get("/page")->outcome, AT_CRAWL_PAGE);
    assert_true(shop.seen[2].at - shop.seen[1].at >= 290);

    policy.ignore_robots = 1;
    assert_int_equal(shop_get("/private/x")->outcome, AT_CRAWL_PAGE);
}


static void
test_robots_away(void **state)
{
    shop_result_t  *r;

    (void) state;
    shop.robots_status = 500;
    shop_open();

    r = shop_get("/page");
    assert_int_equal(r->outcome, AT_CRAWL_DISALLOWED);
    assert_int_equal(r->status, 500);
    assert_true(r->later > 0);
    assert_int_equal(seen("a.test/page"), 0);
    assert_int_equal(seen("a.test/robots.txt"), 4);

    /* it is not asked for each job */

    assert_int_equal(shop_get("/page")->outcome, AT_CRAWL_DISALLOWED);
    assert_int_equal(seen("a.test/robots.txt"), 4);
}


static int
is_wall(const at_crawl_policy_t *p, long status, at_str_t body)
{
    (void) p;
    (void) status;

    return at_str_is(body, "captcha");
}


static void
test_wall(void **state)
{
    shop_result_t  *r;

    (void) state;
    policy.is_wall = is_wall;
    shop_open();

    r = shop_get("/wall");
    assert_int_equal(r->outcome, AT_CRAWL_WALL);
    assert_int_equal(r->status, 200);
    assert_int_equal(shop.nseen, 2);

    /* the host is left alone, others are not */

    r = shop_get("/page");
    assert_int_equal(r->outcome, AT_CRAWL_WALL);
    assert_int_equal(r->status, 0);
    assert_true(r->later > 800000);
    assert_int_equal(shop.nseen, 2);

    (void) snprintf(names[0], sizeof(names[0]), "http://b.test:%u/page",
                    shop.port);
    assert_int_equal(shop_get(names[0])->outcome, AT_CRAWL_PAGE);
}


static void
test_wall_told(void **state)
{
    (void) state;
    policy.ignore_robots = 1;
    settings.pace.wall_least = 300000;
    shop_open();

    verdict = AT_CRAWL_IS_WALL;
    assert_int_equal(shop_get("/page")->outcome, AT_CRAWL_PAGE);
    verdict = AT_CRAWL_FINE;
    assert_int_equal(shop_get("/page")->outcome, AT_CRAWL_WALL);
    assert_int_equal(shop.nseen, 1);

    /* when the time is over one tries, and opens it for all */

    while (shop_get("/page")->outcome == AT_CRAWL_WALL) {
        (void) usleep(20000);
    }

    shop_add("/page");
    shop_add("/page");
    assert_int_equal(shop_get("/page")->outcome, AT_CRAWL_PAGE);
}


static void
test_patience(void **state)
{
    char             url[512];
    const char      *why;
    at_crawl_job_t   job;

    (void) state;
    policy.ignore_robots = 1;
    policy.gap = 600000;
    shop_open();

    assert_int_equal(shop_get("/page")->outcome, AT_CRAWL_PAGE);
    job = shop_job("/late", url, sizeof(url));
    job.patience = 30;
    assert_int_equal(at_crawl_add(crawl, &job, &why), AT_OK);
    shop_run();
    assert_int_equal(results[1].outcome, AT_CRAWL_LATE);
    assert_int_equal(shop.nseen, 1);
}


static void
test_turns(void **state)
{
    int              i;
    char             url[512];
    const char      *why;
    at_crawl_job_t   job;

    (void) state;
    policy.ignore_robots = 1;
    policy.concurrency = 1;
    settings.fetch.parallel = 1;
    shop_open();

    for (i = 0; i < 20; i++) {
        shop_add("/page");
    }

    (void) snprintf(names[0], sizeof(names[0]), "http://b.test:%u/page",
                    shop.port);
    shop_add(names[0]);
    job = shop_job("/urgent", url, sizeof(url));
    job.urgent = 1;
    assert_int_equal(at_crawl_add(crawl, &job, &why), AT_OK);
    shop_run();

    assert_int_equal(shop.nseen, 22);

    for (i = 0; strcmp(shop.seen[i].line, "b.test/page") != 0; i++) {
        assert_true(i < 4);
    }

    assert_int_equal(seen("a.test/urgent"), 1);
    assert_string_equal(shop.seen[0].line, "a.test/urgent");
}


/* They cost no turn of the loop, and little memory. */

static void
test_waiting(void **state)
{
    int             i, turns;
    char            url[64];
    size_t          before, after;
    int64_t         end;
    struct rusage   from, to;

    (void) state;
    policy.ignore_robots = 1;
    policy.gap = 3600000;
    shop_open();

    for (i = 0; i < 8; i++) {
        (void) snprintf(url, sizeof(url), "http://%c.test:%u/page", 'a' + i,
                        shop.port);
        shop_add(url);
    }

    shop_run();
    before = mallinfo2().uordblks;

    for (i = 0; i < 2000; i++) {
        (void) snprintf(url, sizeof(url), "http://%c.test:%u/page/%d",
                        'a' + i % 8, shop.port, i);
        shop_add(url);
    }

    after = mallinfo2().uordblks;
    (void) getrusage(RUSAGE_SELF, &from);
    end = at_time_mono() + 500;

    for (turns = 0; at_time_mono() < end; turns++) {
        assert_int_equal(at_crawl_turn(crawl, 500, -1), 2000);
    }

    (void) getrusage(RUSAGE_SELF, &to);
    print_message("%zu bytes for a job that waits, %d turns, %ld us of CPU\n",
                  (after - before) / 2000, turns,
                  (long) (to.ru_utime.tv_usec - from.ru_utime.tv_usec
                          + (to.ru_utime.tv_sec - from.ru_utime.tv_sec)
                            * 1000000));

    assert_true(turns < 50);
    assert_int_equal(shop.nseen, 8);

    at_crawl_drain(crawl, 0);
    assert_int_equal(nresults, 2008);
    assert_int_equal(results[2007].outcome, AT_CRAWL_STOPPED);
}


static void
test_drain(void **state)
{
    const char      *why;
    char             url[512];
    at_crawl_job_t   job;

    (void) state;
    policy.ignore_robots = 1;
    policy.concurrency = 1;
    shop.held = 1;
    shop_open();

    shop_add("/held");
    shop_add("/page");
    shop_until(1);

    at_crawl_drain(crawl, 0);
    assert_int_equal(nresults, 2);
    assert_int_equal(results[0].outcome, AT_CRAWL_STOPPED);
    assert_int_equal(results[1].outcome, AT_CRAWL_STOPPED);
    shop_let();

    job = shop_job("/page", url, sizeof(url));
    assert_int_equal(at_crawl_add(crawl, &job, &why), AT_ERROR);
    at_crawl_free(crawl);

    /* with time enough what is under way ends well */

    (void) shop_reset(NULL);
    policy.ignore_robots = 1;
    shop_open();
    shop_add("/page");
    shop_until(1);
    at_crawl_drain(crawl, 60000);
    assert_int_equal(results[0].outcome, AT_CRAWL_PAGE);
}


static void
test_enough(void **state)
{
    char             url[512];
    const char      *why;
    at_crawl_job_t   job;

    (void) state;
    shop_open();

    job = shop_job("/page", url, sizeof(url));
    job.enough = 2;
    assert_int_equal(at_crawl_add(crawl, &job, &why), AT_OK);
    shop_run();
    assert_int_equal(results[0].outcome, AT_CRAWL_PAGE);
    assert_memory_equal(results[0].body, "he", 2);

    /* how long all of it would be does not matter */

    settings.fetch.wire = 3;
    assert_int_equal(at_crawl_add(crawl, &job, &why), AT_OK);
    shop_run();
    assert_int_equal(results[1].outcome, AT_CRAWL_PAGE);
}


static void
test_metrics(void **state)
{
    char      *text;
    at_buf_t   b = { .max = 0 };

    (void) state;
    shop_open();
    (void) shop_get("/page");

    assert_int_equal(at_crawl_metrics(crawl, &b), AT_OK);
    assert_int_equal(at_buf_append(&b, "", 1), AT_OK);
    text = (char *) b.data;
    assert_non_null(strstr(text, "atelier_crawl_results_total{policy=\"shop\","
                                 "outcome=\"page\"} 1\n"));
    assert_non_null(strstr(text, "atelier_crawl_requests_total"
                                 "{policy=\"shop\"} 2\n"));
    assert_non_null(strstr(text, "atelier_crawl_robots_total"
                                 "{policy=\"shop\"} 1\n"));
    assert_non_null(strstr(text, "atelier_crawl_waiting{policy=\"shop\"} 0"));
    at_buf_free(&b);
}


int
main(void)
{
#define ROW(name)  cmocka_unit_test_setup_teardown(name, shop_reset,          \
                                                   shop_close)
    const struct CMUnitTest  tests[] = {
        ROW(test_page), ROW(test_same), ROW(test_agents), ROW(test_retries),
        ROW(test_connect), ROW(test_starved), ROW(test_timeout),
        ROW(test_retry_after), ROW(test_again), ROW(test_redirects),
        ROW(test_loop),
        ROW(test_robots), ROW(test_robots_away), ROW(test_wall),
        ROW(test_wall_told), ROW(test_patience), ROW(test_turns),
        ROW(test_waiting), ROW(test_drain), ROW(test_enough),
        ROW(test_metrics)
    };

    return cmocka_run_group_tests(tests, shop_begin, shop_end);
}
