/*
 * robots.txt: the examples of RFC 9309, groups and how they join, the longest
 * match, spellings, Crawl-delay, and files that are huge or hostile.
 */

#include "at_test.h"
#include "at_robots.h"

#include <time.h>


typedef struct {
    const char  *text;
    const char  *path;
    int          allowed;
} test_row_t;


static int
ask(at_str_t text, const char *agent, const char *path)
{
    int          rc;
    at_str_t     exact;
    at_robots_t  r;

    exact = at_test_exact(text);
    assert_int_equal(at_robots_parse(exact, at_test_str(agent), &r), AT_OK);
    free((void *) exact.data);

    exact = at_test_exact(at_test_str(path));
    rc = at_robots_allowed(&r, exact);
    free((void *) exact.data);
    at_robots_free(&r);

    return rc;
}


static int64_t
delay(const char *text, const char *agent)
{
    int64_t      ms;
    at_robots_t  r;

    assert_int_equal(at_robots_parse(at_test_str(text), at_test_str(agent),
                                     &r), AT_OK);
    ms = r.delay;
    at_robots_free(&r);

    return ms;
}


static const test_row_t  rows[] = {
    /* section 2.2.2: the most octets decide, of equals the one that allows */
    { "user-agent: *\nallow: /p\ndisallow: /\n", "/page", 1 },
    { "user-agent: *\nallow: /folder\ndisallow: /folder\n",
      "/folder/page", 1 },
    { "user-agent: *\ndisallow: /folder\nallow: /folder\n",
      "/folder/page", 1 },
    { "user-agent: *\nallow: /page\ndisallow: /*.htm\n", "/page.htm", 0 },
    { "user-agent: *\nallow: /page\ndisallow: /*.ph\n", "/page.php5", 1 },
    { "user-agent: *\nallow: /$\ndisallow: /\n", "/", 1 },
    { "user-agent: *\nallow: /$\ndisallow: /\n", "/page.htm", 0 },

    /* section 5 */
    { "User-Agent: *\nDisallow: *.gif$\nDisallow: /example/\n"
      "Allow: /publications/\n", "/a.gif", 0 },
    { "User-Agent: *\nDisallow: *.gif$\nDisallow: /example/\n"
      "Allow: /publications/\n", "/a.gif?x", 1 },
    { "User-Agent: *\nDisallow: /example/page.html\n"
      "Allow: /example/page.html\n", "/example/page.html", 1 },
    { "User-Agent: *\nAllow: /example/page/\n"
      "Disallow: /example/page/disallowed.gif\n",
      "/example/page/disallowed.gif", 0 },

    /* nothing is said */
    { "", "/", 1 },
    { "User-agent: *\nDisallow:\n", "/a", 1 },
    { "Disallow: /\n", "/a", 1 },
    { "User-agent: other\nDisallow: /\n", "/a", 1 },

    /* always */
    { "User-agent: *\nDisallow: /\n", "/robots.txt", 1 },
    { "User-agent: *\nDisallow: /\n", "/robots.txt?x", 0 },

    /* one's own group, in whatever place, puts that of all aside */
    { "User-agent: *\nDisallow: /\n\nUser-agent: Atelier\nDisallow: /x\n",
      "/a", 1 },
    { "User-agent: ATELIER/2.0 (+x)\nDisallow: /x\nUser-agent: *\nAllow: /\n",
      "/x", 0 },
    { "User-agent: atelier\nDisallow: /a\n\nUser-agent: z\nDisallow: /b\n\n"
      "User-agent: atelier\nDisallow: /c\n", "/c", 0 },
    { "User-agent: atelier\nDisallow: /a\n\nUser-agent: z\nDisallow: /b\n\n"
      "User-agent: atelier\nDisallow: /c\n", "/b", 1 },
    { "User-agent: z\nUser-agent: atelier\nDisallow: /a\n", "/a", 0 },
    { "User-agent: ateliers\nDisallow: /\n", "/a", 1 },
    { "User-agent: atelier\n\nUser-agent: *\nDisallow: /a\n", "/a", 0 },

    /* other records stand between nothing */
    { "User-agent: atelier\nCrawl-delay: 1\nSitemap: https://x/y\n"
      "User-agent: z\nDisallow: /a\n", "/a", 0 },

    /* how it is written */
    { "\xef\xbb\xbfUser-agent: *\rDisallow: /a\r\n", "/a", 0 },
    { "  User-agent :*  # all\n\tDISALLOW\t:\t/a # b\n", "/a", 0 },
    { "User-agent: *\nDisallow: /a", "/ab", 0 },
    { "User-agent: *\nDisallow: /a#b\n", "/a", 0 },
    { "User-agent: *\nDisallow /a\n", "/a", 1 },

    /* stars */
    { "User-agent: *\nDisallow: /*/c\n", "/a/b/c", 0 },
    { "User-agent: *\nDisallow: /*/c$\n", "/a/c/c", 0 },
    { "User-agent: *\nDisallow: /*/c$\n", "/a/c/d", 1 },
    { "User-agent: *\nDisallow: *\n", "/", 0 },
    { "User-agent: *\nDisallow: /a***b\n", "/ab", 0 },
    { "User-agent: *\nDisallow: /a$b\n", "/a$b", 1 },
    { "User-agent: *\nDisallow: a\n", "/a", 1 },
    { "User-agent: *\nDisallow: /*?\n", "/a?b", 0 },

    /* spellings of one path */
    { "User-agent: *\nDisallow: /%7ejoe\n", "/~joe/", 0 },
    { "User-agent: *\nDisallow: /~joe\n", "/%7Ejoe/", 0 },
    { "User-agent: *\nDisallow: /a%3cd\n", "/a%3Cd", 0 },
    { "User-agent: *\nDisallow: /a%2fb\n", "/a/b", 1 },
    { "User-agent: *\nDisallow: /\xe3\x83\x84\n", "/%e3%83%84", 0 },
    { "User-agent: *\nDisallow: /%e3%83%84\n", "/\xe3\x83\x84", 0 },
    { "User-agent: *\nDisallow: /a-%2A.html\n", "/a-*.html", 0 },
    { "User-agent: *\nDisallow: /a-%24\n", "/a-$", 0 },
    { "User-agent: *\nDisallow: /a%\n", "/a%", 0 },
    { "User-agent: *\nDisallow: /a%zz\n", "/a%zz", 0 }
};


static void
test_rows(void **state)
{
    size_t  i;

    (void) state;

    for (i = 0; i < AT_TEST_N(rows); i++) {
        at_test_true(ask(at_test_str(rows[i].text), "Atelier", rows[i].path)
                     == rows[i].allowed,
                     "row %zu: \"%s\" %s", i, rows[i].text, rows[i].path);
    }
}


static void
test_delay(void **state)
{
    (void) state;

    assert_int_equal(delay("User-agent: *\nCrawl-delay: 5\n", "x"), 5000);
    assert_int_equal(delay("User-agent: *\nCrawl-delay: 0.25\n", "x"), 250);
    assert_int_equal(delay("User-agent: *\nCrawl-delay: 1.23456\n", "x"),
                     1234);
    assert_int_equal(delay("User-agent: *\nCrawl-delay: -1\n", "x"), 0);
    assert_int_equal(delay("User-agent: *\nCrawl-delay: 1e9\n", "x"), 0);
    assert_int_equal(delay("User-agent: *\nCrawl-delay:\n", "x"), 0);
    assert_int_equal(delay("User-agent: *\nCrawl-delay: "
                           "99999999999999999999999999999\n", "x"), 86400000);
    assert_int_equal(delay("User-agent: y\nCrawl-delay: 5\n", "x"), 0);
    assert_int_equal(delay("User-agent: *\nCrawl-delay: 5\n"
                           "User-agent: x\nCrawl-delay: 2\nDisallow: /a\n",
                           "x"), 2000);
}


static void
test_agents(void **state)
{
    (void) state;

    assert_true(at_str_is(at_robots_agent(AT_STR("Atelier/0.1 (+x)")),
                          "Atelier"));
    assert_true(at_str_is(at_robots_agent(AT_STR("a-b_C")), "a-b_C"));
    assert_int_equal(at_robots_agent(AT_STR("7x")).len, 0);
    assert_int_equal(at_robots_agent(AT_STR_NULL).len, 0);

    /* nobody is nobody's name */

    assert_true(ask(AT_STR("User-agent: \nDisallow: /\n"), "", "/a"));
}


/* What stands behind 500 kB is not there; what stands before it counts. */

static void
test_large(void **state)
{
    char    *text, path[1100];
    size_t   i, len;

    (void) state;

    len = 2 * 1024 * 1024;
    text = malloc(len);
    assert_non_null(text);
    memset(text, '\n', len);
    memcpy(text, "User-agent: *\n", 14);
    memcpy(text + AT_ROBOTS_MAX - 13, "Disallow: /a\n", 13);
    memcpy(text + AT_ROBOTS_MAX, "Disallow: /b\n", 13);

    assert_false(ask((at_str_t) { len, text }, "x", "/a"));
    assert_true(ask((at_str_t) { len, text }, "x", "/b"));

    /* a line that is longer than a path can be forbids what it begins with */

    memset(text, 'a', 64 * 1024);
    memcpy(text, "User-agent: *\nDisallow: /", 25);
    memset(text + 64 * 1024, '\n', len - 64 * 1024);
    assert_true(ask((at_str_t) { len, text }, "x", "/aaa"));

    for (i = 25; i < 64 * 1024; i += 2) {
        text[i] = '*';
    }

    /* ... here after 1,024 stars, each of which takes what there is */

    memset(path, 'a', sizeof(path) - 1);
    path[0] = '/';
    path[sizeof(path) - 1] = '\0';
    assert_false(ask((at_str_t) { len, text }, "x", path));
    free(text);
}


/* Rules that make a matcher go back and forth: no work without end. */

static void
test_hostile(void **state)
{
    char     path[AT_ROBOTS_PATH_MAX + 1];
    clock_t  begun;
    at_buf_t b = { .max = 0 };

    (void) state;

    memset(path, 'a', sizeof(path) - 1);
    path[0] = '/';
    path[sizeof(path) - 1] = '\0';

    assert_int_equal(at_buf_printf(&b, "User-agent: *\n"), AT_OK);

    while (b.len < AT_ROBOTS_MAX - 2048) {
        assert_int_equal(at_buf_printf(&b, "Disallow: /*%.*sb\n", 1000,
                                       path + 1), AT_OK);
    }

    begun = clock();
    (void) ask(at_buf_str(&b), "x", path);
    assert_true(clock() - begun < 20 * CLOCKS_PER_SEC);
    at_buf_free(&b);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_delay),
        cmocka_unit_test(test_agents),
        cmocka_unit_test(test_large),
        cmocka_unit_test(test_hostile)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
