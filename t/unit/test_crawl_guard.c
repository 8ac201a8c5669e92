/*
 * Where crawls must not lead: a listener on an address that is not allowed
 * sees nothing, by whatever spelling, name, redirect, connection or proxy it
 * is tried.  And proxies: turns, rests, and names that are judged here.
 */

#include "at_test.h"
#include "at_test_shop.h"

#include <fcntl.h>


typedef struct {
    int             fd;
    unsigned        port;
    int             refuse;         /* 407 */
    int             asked;
    char            line[128];
    pthread_t       thread;
} proxy_t;


static int       listener;
static unsigned  forbidden;


static int
bound(const char *ip, unsigned *port)
{
    int                 fd;
    socklen_t           len;
    struct sockaddr_in  sin;

    fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd != -1);
    memset(&sin, 0, sizeof(sin));
    sin.sin_family = AF_INET;
    assert_int_equal(inet_pton(AF_INET, ip, &sin.sin_addr), 1);
    assert_int_equal(bind(fd, (struct sockaddr *) &sin, sizeof(sin)), 0);
    assert_int_equal(listen(fd, 16), 0);

    len = sizeof(sin);
    assert_int_equal(getsockname(fd, (struct sockaddr *) &sin, &len), 0);
    *port = ntohs(sin.sin_port);

    return fd;
}


static int
reset(void **state)
{
    (void) shop_reset(state);
    listener = bound("127.0.0.2", &forbidden);
    assert_int_not_equal(fcntl(listener, F_SETFL, O_NONBLOCK), -1);
    (void) snprintf(names[7], sizeof(names[7]), "h.test:%u:127.0.0.2",
                    forbidden);

    return 0;
}


/* Nobody has knocked. */

static int
end(void **state)
{
    int  fd;

    (void) shop_close(state);
    fd = accept(listener, NULL, NULL);
    (void) close(listener);

    return (fd == -1) ? 0 : -1;
}


static void
refused(const char *format)
{
    char            url[300];
    shop_result_t  *r;

    (void) snprintf(url, sizeof(url), "http://%s:%u/page", format, forbidden);
    r = shop_get(url);
    at_test_true(r->outcome == AT_CRAWL_REFUSED, "%s: %s, %s", url,
                 at_crawl_outcome_name(r->outcome), r->why);
}


static void
test_spellings(void **state)
{
    int  robots;

    (void) state;
    shop_open();

    for (robots = 0; robots < 2; robots++) {
        policy.ignore_robots = (unsigned) (robots == 0);
        refused("127.0.0.2");
        refused("2130706434");
        refused("0x7f.2");
        refused("0177.0.0.2");
        refused("127.2");
        refused("[::ffff:127.0.0.2]");
        refused("h.test");
        refused("H.TEST.");
    }
}


static void
test_urls(void **state)
{
    size_t              i;
    char                url[64];
    const char         *why;
    at_crawl_job_t      job;
    static const char  *bad[] = {
        "ftp://a.test/", "file:///etc/passwd", "gopher://a.test/", "a.test",
        "http://u@a.test/", "http://u:p@a.test/", "http://",
        "javascript:alert(1)", "http://a.test/%2e%2e/x", "http://a.test/.%2E",
        "http://a.test/x/%2e/y", "http://\xc3\xa4.test/", "", "//a.test/x"
    };

    (void) state;
    shop_open();

    for (i = 0; i < AT_TEST_N(bad); i++) {
        job = shop_job("/", url, sizeof(url));
        job.url = at_test_str(bad[i]);
        at_test_true(at_crawl_add(crawl, &job, &why) == AT_ERROR, "%s",
                     bad[i]);
    }
}


static void
test_redirects(void **state)
{
    char         url[300];
    const char  *hosts[] = { "*" };

    (void) state;
    policy.hosts = hosts;
    policy.nhosts = 1;
    shop_open();

    (void) snprintf(url, sizeof(url), "/to?to=http://127.0.0.2:%u/x",
                    forbidden);
    assert_int_equal(shop_get(url)->outcome, AT_CRAWL_REFUSED);
    (void) snprintf(url, sizeof(url), "/to?to=http://h.test:%u/x", forbidden);
    assert_int_equal(shop_get(url)->outcome, AT_CRAWL_REFUSED);

    /* nor by that of a robots.txt */

    shop.robots_status = 302;
    (void) snprintf(shop.robots_to, sizeof(shop.robots_to),
                    "http://h.test:%u/robots.txt", forbidden);
    (void) snprintf(url, sizeof(url), "http://127.0.0.1:%u/page", shop.port);
    assert_int_equal(shop_get(url)->outcome, AT_CRAWL_REFUSED);
}


static void
test_used_again(void **state)
{
    (void) state;
    policy.ignore_robots = 1;
    shop_open();

    assert_int_equal(shop_get("/page")->outcome, AT_CRAWL_PAGE);
    shop_allow.n = 0;
    assert_int_equal(shop_get("/page")->outcome, AT_CRAWL_REFUSED);
    assert_int_equal(shop.nseen, 1);
}


/* Bytes of two connections to each other, until one ends. */

static void
proxy_relay(int a, int b)
{
    char           bytes[4096];
    ssize_t        n;
    size_t         i;
    struct pollfd  fds[2] = { { .fd = a, .events = POLLIN },
                              { .fd = b, .events = POLLIN } };

    for ( ;; ) {
        if (poll(fds, 2, -1) < 0) {
            return;
        }

        for (i = 0; i < 2; i++) {
            if (fds[i].revents == 0) {
                continue;
            }

            n = read(fds[i].fd, bytes, sizeof(bytes));

            if (n <= 0 || write(fds[1 - i].fd, bytes, (size_t) n) != n) {
                return;
            }
        }
    }
}


static void
proxy_serve(proxy_t *p, int fd)
{
    int                 to;
    char                head[2048], ip[64];
    size_t              len;
    ssize_t             n;
    unsigned            port;
    struct sockaddr_in  sin;

    len = 0;

    do {
        n = read(fd, head + len, sizeof(head) - 1 - len);
        len += (n > 0) ? (size_t) n : 0;
        head[len] = '\0';
    } while (n > 0 && strstr(head, "\r\n\r\n") == NULL);

    (void) snprintf(p->line, sizeof(p->line), "%.*s",
                    (int) strcspn(head, "\r"), head);
    p->asked++;

    if (p->refuse) {
        (void) !write(fd, "HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n", 38);
        return;
    }

    memset(&sin, 0, sizeof(sin));
    sin.sin_family = AF_INET;

    if (sscanf(head, "CONNECT %63[0-9.]:%u ", ip, &port) != 2
        || inet_pton(AF_INET, ip, &sin.sin_addr) != 1)
    {
        return;
    }

    sin.sin_port = htons((uint16_t) port);
    to = socket(AF_INET, SOCK_STREAM, 0);

    if (connect(to, (struct sockaddr *) &sin, sizeof(sin)) == 0
        && write(fd, "HTTP/1.1 200 OK\r\n\r\n", 19) == 19)
    {
        proxy_relay(fd, to);
    }

    (void) close(to);
}


static void *
proxy_thread(void *data)
{
    int       fd;
    proxy_t  *p = data;

    while ((fd = accept(p->fd, NULL, NULL)) != -1) {
        proxy_serve(p, fd);
        (void) close(fd);
    }

    return NULL;
}


static void
proxy_begin(proxy_t *p, int refuse)
{
    memset(p, 0, sizeof(proxy_t));
    p->fd = bound("127.0.0.3", &p->port);
    p->refuse = refuse;
    assert_int_equal(pthread_create(&p->thread, NULL, proxy_thread, p), 0);
}


static void
proxy_end(proxy_t *p)
{
    (void) shutdown(p->fd, SHUT_RDWR);
    (void) pthread_join(p->thread, NULL);
    (void) close(p->fd);
}


static void
test_proxies(void **state)
{
    int          i;
    char         urls[3][64];
    char         line[64];
    proxy_t      bad, good;
    const char  *list[3] = { urls[0], urls[1], urls[2] };

    (void) state;
    proxy_begin(&bad, 1);
    proxy_begin(&good, 0);
    (void) snprintf(urls[0], 64, "http://user:secret@127.0.0.3:%u", bad.port);
    (void) snprintf(urls[1], 64, "http://127.0.0.3:%u", good.port);
    (void) snprintf(urls[2], 64, "http://127.0.0.3:1");
    policy.ignore_robots = 1;
    settings.proxies = list;
    settings.nproxies = 3;
    shop_open();

    /* those that fail rest, the other one serves */

    for (i = 0; i < 6; i++) {
        assert_int_equal(shop_get("/page")->outcome, AT_CRAWL_PAGE);
    }

    assert_int_equal(shop.nseen, 6);
    assert_int_equal(bad.asked, 1);

    /* it is told an address that was judged here, and no name */

    (void) snprintf(line, sizeof(line), "CONNECT 127.0.0.1:%u HTTP/1.1",
                    shop.port);
    assert_string_equal(good.line, line);

    i = good.asked;
    refused("127.0.0.2");
    refused("h.test");
    assert_int_equal(good.asked, i);

    at_crawl_free(crawl);
    crawl = NULL;
    proxy_end(&bad);
    proxy_end(&good);
}


static void
test_proxy_resolves(void **state)
{
    char         url[64];
    proxy_t      p;
    const char  *list[1] = { url };

    (void) state;
    proxy_begin(&p, 1);
    (void) snprintf(url, 64, "http://127.0.0.3:%u", p.port);
    policy.ignore_robots = 1;
    settings.proxies = list;
    settings.nproxies = 1;
    settings.proxy_resolves = 1;
    settings.retries = 0;
    shop_open();

    /* by the operator's word it is the proxy's to look up */

    assert_int_equal(shop_get("/page")->outcome, AT_CRAWL_FAILED);
    assert_int_equal(strncmp(p.line, "GET http://a.test", 17), 0);
    assert_int_equal(shop.nseen, 0);

    at_crawl_free(crawl);
    crawl = NULL;
    proxy_end(&p);
}


int
main(void)
{
#define ROW(name)  cmocka_unit_test_setup_teardown(name, reset, end)
    const struct CMUnitTest  tests[] = {
        ROW(test_spellings), ROW(test_urls), ROW(test_redirects),
        ROW(test_used_again), ROW(test_proxies), ROW(test_proxy_resolves)
    };

    return cmocka_run_group_tests(tests, shop_begin, shop_end);
}
