/* Unit tests of what is published in Redis. */

#include "at_test.h"

#include "live/at_live_publish.h"


static void
test_forms(void **state)
{
    size_t    i;
    uint64_t  id;
    at_str_t  data;

    static const struct {
        const char  *text;
        int          rc;
        uint64_t     id;
        const char  *data;
    } cases[] = {
        { "12 {\"a\":1}", AT_OK, 12, "{\"a\":1}" },
        { "1 2", AT_OK, 1, "2" },
        { "9007199254740991 null", AT_OK, 9007199254740991ull, "null" },
        { "12  {}", AT_OK, 12, " {}" },

        /* one value of JSON, as any program may publish it */

        { "{\"a\":1}", AT_OK, 0, "{\"a\":1}" },
        { "12", AT_OK, 0, "12" },
        { "12 ", AT_OK, 0, "12 " },
        { "0", AT_OK, 0, "0" },
        { " {}", AT_OK, 0, " {}" },

        { "", AT_ERROR, 0, NULL },
        { "12 {", AT_ERROR, 0, NULL },
        { "12 {}}", AT_ERROR, 0, NULL },
        { "0 {}", AT_ERROR, 0, NULL },
        { "012 {}", AT_ERROR, 0, NULL },
        { "-1 {}", AT_ERROR, 0, NULL },
        { "9007199254740992 {}", AT_ERROR, 0, NULL },
        { "99999999999999999999999 {}", AT_ERROR, 0, NULL },
        { "12\t{}", AT_ERROR, 0, NULL },
        { "12 \"\xff\"", AT_ERROR, 0, NULL },
        { "hello", AT_ERROR, 0, NULL }
    };

    (void) state;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(at_live_published(at_test_str(cases[i].text),
                                           &id, &data), cases[i].rc);

        if (cases[i].rc == AT_OK) {
            assert_int_equal(id, cases[i].id);
            assert_true(at_str_is(data, cases[i].data));
        }
    }
}


static void
test_id(void **state)
{
    uint64_t  id;

    (void) state;

    assert_int_equal(at_live_id(AT_STR("17-0"), &id), 2);
    assert_int_equal(id, 17);
    assert_int_equal(at_live_id(AT_STR("x"), &id), 0);
    assert_int_equal(id, 0);
    assert_int_equal(at_live_id(AT_STR_NULL, &id), 0);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_id)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
