/*
 * Ids of designs: what is one, what would be trouble in a store, and where
 * they stand in an address.
 */

#include "at_test.h"
#include "feed/at_feed_id.h"

#include <string.h>


static at_str_t
str(const char *text)
{
    return (at_str_t) { strlen(text), text };
}


static void
test_valid(void **state)
{
    char  text[128];

    (void) state;

    assert_true(at_feed_id_valid(str("pexels:1")));
    assert_true(at_feed_id_valid(str("unsplash:a-B_9.z")));
    assert_true(at_feed_id_valid(str("openverse:"
                                     "a1b2c3d4-0000-4000-8000-123456789abc")));

    memset(text, 'x', sizeof(text));
    memcpy(text, "flickr:", 7);
    text[7 + 80] = '\0';
    assert_true(at_feed_id_valid(str(text)));
    assert_true(strlen(text) <= AT_FEED_ID_MAX);

    text[7 + 80] = 'x';
    text[7 + 81] = '\0';
    assert_false(at_feed_id_valid(str(text)));
}


static void
test_invalid(void **state)
{
    size_t  i;

    static const char *const  bad[] = {
        "", ":", "pexels", "pexels:", ":1", "Pexels:1", "nobody:1",
        "pexels :1", "pexels:1 ", "pexels:1,pexels:2", "pexels:a:b",
        "pexels:1'", "pexels:1;--", "pexels:1\"", "pexels:\\", "pexels:1/2",
        "pexels:1%27", "pexels:\xc3\xa9", "pexels:1\n", "' OR 1=1:1",
        "pexels:${x}", "pexels:{1}", "pexels:*", "pexels:?"
    };

    (void) state;

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (at_feed_id_valid(str(bad[i]))) {
            fail_msg("\"%s\" was taken", bad[i]);
        }
    }

    assert_false(at_feed_id_valid((at_str_t) { 10, "pexels:1\0x" }));
    assert_false(at_feed_id_valid(AT_STR_NULL));
}


static void
test_path(void **state)
{
    at_str_t  id;

    (void) state;

    assert_true(at_feed_id_path(AT_STR("/designs/pexels:1/like"),
                                AT_STR("like"), &id));
    assert_true(at_str_is(id, "pexels:1"));

    assert_true(at_feed_id_path(AT_STR("/a:1/like"), AT_STR("like"), &id));
    assert_true(at_str_is(id, "a:1"));

    assert_true(at_feed_id_path(AT_STR("/designs//like"), AT_STR("like"),
                                &id));
    assert_int_equal(id.len, 0);

    assert_false(at_feed_id_path(AT_STR("/designs/pexels:1/unlike"),
                                 AT_STR("like"), &id));
    assert_false(at_feed_id_path(AT_STR("/designs/pexels:1/likes"),
                                 AT_STR("like"), &id));
    assert_false(at_feed_id_path(AT_STR("/like"), AT_STR("like"), &id));
    assert_false(at_feed_id_path(AT_STR("like"), AT_STR("like"), &id));
    assert_false(at_feed_id_path(AT_STR(""), AT_STR("like"), &id));
    assert_false(at_feed_id_path(AT_STR("a/like"), AT_STR("like"), &id));
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_valid),
        cmocka_unit_test(test_invalid),
        cmocka_unit_test(test_path)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
