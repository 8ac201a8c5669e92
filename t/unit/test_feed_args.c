/*
 * Query arguments: what is the same, what is refused, and the key.
 */

#include "test_feed.h"
#include "at_hash.h"
#include "at_text.h"


/* Raw arguments, and the key they have. */

static const char  *test_keys[][2] = {
    { "",                               "q=;o=;c=;s=" },
    { "&&=&=x&query",                   "q=;o=;c=;s=" },
    { "query=",                         "q=;o=;c=;s=" },
    { "query=+%20%09+",                 "q=;o=;c=;s=" },
    { "query=Grey+Sofa",                "q=grey sofa;o=;c=;s=" },
    { "query=grey%20sofa",              "q=grey sofa;o=;c=;s=" },
    { "query=%67rey++%20sofa%20",       "q=grey sofa;o=;c=;s=" },
    { "query=+grey%0Asofa",             "q=grey sofa;o=;c=;s=" },
    { "query=grey%00sofa",              "q=grey sofa;o=;c=;s=" },
    { "page=7&query=a&perPage=3",       "q=a;o=;c=;s=" },
    { "x=y&query=a&utm_source=b",       "q=a;o=;c=;s=" },
    { "query=a&query=b",                "q=a;o=;c=;s=" },
    { "Query=b&query=a",                "q=a;o=;c=;s=" },
    { "query=100%25",                   "q=100%;o=;c=;s=" },
    { "query=100%",                     "q=100%;o=;c=;s=" },
    { "query=a%zzb",                    "q=a%zzb;o=;c=;s=" },
    { "query=a=b",                      "q=a=b;o=;c=;s=" },
    { "query=a%26b",                    "q=a&b;o=;c=;s=" },

    /* Composed, decomposed, upper case: one and the same. */
    { "query=caf%C3%A9",                "q=caf\xC3\xA9;o=;c=;s=" },
    { "query=CAF%C3%89",                "q=caf\xC3\xA9;o=;c=;s=" },
    { "query=cafe%CC%81",               "q=caf\xC3\xA9;o=;c=;s=" },
    { "query=CAFE%cc%81",               "q=caf\xC3\xA9;o=;c=;s=" },
    { "query=caf\xC3\xA9",              "q=caf\xC3\xA9;o=;c=;s=" },
    { "query=Stra%C3%9Fe",              "q=strasse;o=;c=;s=" },
    { "query=%CE%A3%CE%BF%CF%86%CE%AC%CF%82",
      "q=\xCF\x83\xCE\xBF\xCF\x86\xCE\xAC\xCF\x83;o=;c=;s=" },
    { "query=%EC%86%8C%ED%8C%8C",
      "q=\xEC\x86\x8C\xED\x8C\x8C;o=;c=;s=" },
    { "query=%E1%84%89%E1%85%A9%E1%84%91%E1%85%A1",
      "q=\xEC\x86\x8C\xED\x8C\x8C;o=;c=;s=" },

    /* A mark that folds to a letter, in both orders. */
    { "query=%CE%B1%CD%85%CC%81",       "q=\xCE\xAC\xCE\xB9;o=;c=;s=" },
    { "query=%CE%B1%CC%81%CD%85",       "q=\xCE\xAC\xCE\xB9;o=;c=;s=" },
    { "query=%E1%BE%B4",                "q=\xCE\xAC\xCE\xB9;o=;c=;s=" },

    /* Blanks of all scripts, and what shows nothing. */
    { "query=%C2%A0gr%C3%B6n%E3%80%80%E2%80%82soffa%E2%80%A8",
      "q=gr\xC3\xB6n soffa;o=;c=;s=" },
    { "query=%EF%BB%BFgr%C2%ADo%E2%80%8B%CC%88n",
      "q=gr\xC3\xB6n;o=;c=;s=" },
    { "query=%E2%80%AE%C3%A4",          "q=\xC3\xA4;o=;c=;s=" },
    { "query=%E2%80%8B",                "q=;o=;c=;s=" },

    /* The joiners are letters of Persian and of emoji. */
    { "query=%D9%85%E2%80%8C%D8%A8",
      "q=\xD9\x85\xE2\x80\x8C\xD8\xA8;o=;c=;s=" },

    { "orientation=landscape",          "q=;o=landscape;c=;s=" },
    { "orientation=Portrait+",          "q=;o=portrait;c=;s=" },
    { "orientation=&color=&source=&page=&perPage=&snapshot=",
      "q=;o=;c=;s=" },
    { "color=red",                      "q=;o=;c=red;s=" },
    { "color=GREY",                     "q=;o=;c=gray;s=" },
    { "color=teal",                     "q=;o=;c=turquoise;s=" },
    { "color=purple",                   "q=;o=;c=violet;s=" },
    { "color=%23ff0000",                "q=;o=;c=red;s=" },
    { "color=00FF00",                   "q=;o=;c=green;s=" },
    { "color=0000ff",                   "q=;o=;c=blue;s=" },
    { "color=ffffff",                   "q=;o=;c=white;s=" },
    { "color=000000",                   "q=;o=;c=black;s=" },
    { "color=808080",                   "q=;o=;c=gray;s=" },
    { "color=ffa500",                   "q=;o=;c=orange;s=" },
    { "color=ffff00",                   "q=;o=;c=yellow;s=" },
    { "color=40e0d0",                   "q=;o=;c=turquoise;s=" },
    { "color=ee82ee",                   "q=;o=;c=pink;s=" },
    { "color=8a2be2",                   "q=;o=;c=violet;s=" },
    { "color=8b4513",                   "q=;o=;c=brown;s=" },

    { "source=flickr",                  "q=;o=;c=;s=flickr" },
    { "source=Flickr,PEXELS,flickr",    "q=;o=;c=;s=pexels,flickr" },
    { "source=pexels%2Cflickr",         "q=;o=;c=;s=pexels,flickr" },
    { "source=openverse,rawpixel,wikimedia,flickr,pixabay,unsplash,pexels",
      "q=;o=;c=;s=" },

    { "source=pexels&color=red&orientation=square&query=A",
      "q=a;o=square;c=red;s=pexels" }
};


static void
test_key(void **state)
{
    char            key[AT_FEED_KEY_MAX];
    size_t          i, len;
    at_str_t        raw;
    at_feed_args_t  args;

    (void) state;

    for (i = 0; i < AT_TEST_N(test_keys); i++) {
        at_args_error_t  error;

        raw = at_test_exact(at_test_str(test_keys[i][0]));

        at_test_true(at_feed_args_parse(raw, &args, &error) == AT_OK,
                     "%s: refused", test_keys[i][0]);

        len = at_feed_args_key(&args.query, key);

        at_test_true(at_str_is((at_str_t) { len, key }, test_keys[i][1]),
                     "%s: '%.*s', not '%s'", test_keys[i][0], (int) len, key,
                     test_keys[i][1]);
        free((void *) raw.data);
    }
}


static void
test_values(void **state)
{
    at_feed_args_t  args;

    (void) state;

    test_feed_args(&args, "", NULL);
    assert_int_equal(args.page, 1);
    assert_int_equal(args.per_page, 100);
    assert_int_equal(args.snapshot.len, 0);
    assert_int_equal(args.query.sources, AT_FEED_ALL);
    assert_int_equal(args.query.text.len, 0);

    test_feed_args(&args, "page=100000&perPage=200"
                          "&snapshot=0123456789abcdef", NULL);
    assert_int_equal(args.page, 100000);
    assert_int_equal(args.per_page, 200);
    assert_true(at_str_is(args.snapshot, "0123456789abcdef"));

    test_feed_args(&args, "page=%32&perPage=+7+", NULL);
    assert_int_equal(args.page, 2);
    assert_int_equal(args.per_page, 7);
}


static void
test_refused(void **state)
{
    size_t                i;
    at_feed_args_t        args;
    at_args_error_t  error;
    static const char    *rows[][2] = {
        { "page=0",                         "page" },
        { "page=-1",                        "page" },
        { "page=1.5",                       "page" },
        { "page=x",                         "page" },
        { "page=100001",                    "page" },
        { "page=4294967297",                "page" },
        { "page=99999999999999999999",      "page" },
        { "page=0x1",                       "page" },
        { "perPage=0",                      "perPage" },
        { "perPage=201",                    "perPage" },
        { "perPage=1+1",                    "perPage" },
        { "snapshot=0123456789abcde",       "snapshot" },
        { "snapshot=0123456789abcdef0",     "snapshot" },
        { "snapshot=0123456789ABCDEF",      "snapshot" },
        { "snapshot=../../etc/passwd",      "snapshot" },
        { "orientation=wide",               "orientation" },
        { "color=mauve",                    "color" },
        { "color=12345g",                   "color" },
        { "color=%23fff",                   "color" },
        { "source=google",                  "source" },
        { "source=pexels,",                 "source" },
        { "source=,",                       "source" },
        { "source=pexels,,flickr",          "source" },
        { "source=pexels,pexels,pexels,pexels,pexels,pexels,pexels,pexels,"
          "pexels,pexels",                  "source" },
        { "query=%FF",                      "query" },
        { "query=%C3",                      "query" },
        { "query=%C3%28",                   "query" },
        { "query=%ED%A0%80",                "query" },
        { "query=%C0%80",                   "query" },
        { "query=%F4%90%80%80",             "query" },
        { "query=a&page=x",                 "page" },
        { "perPage=x&page=x",               "perPage" }
    };

    (void) state;

    for (i = 0; i < AT_TEST_N(rows); i++) {
        at_test_true(at_feed_args_parse(at_test_str(rows[i][0]), &args,
                                        &error) == AT_ERROR,
                     "%s: taken", rows[i][0]);
        assert_string_equal(error.name, rows[i][1]);
        assert_non_null(strstr(error.message, rows[i][1]));
    }
}


/* Cut at a character, the rest still has to be UTF-8. */

static void
test_long(void **state)
{
    char                  raw[8192];
    size_t                i, n;
    at_feed_args_t        args;
    at_args_error_t  error;

    (void) state;

    n = (size_t) snprintf(raw, sizeof(raw), "query=");
    memset(raw + n, 'a', 300);
    raw[n + 300] = '\0';

    test_feed_args(&args, raw, NULL);
    assert_int_equal(args.query.text.len, 256);

    raw[n + 255] = ' ';
    test_feed_args(&args, raw, NULL);
    assert_int_equal(args.query.text.len, 255);

    memcpy(raw + n + 290, "\xFF", 1);
    assert_int_equal(at_feed_args_parse(at_test_str(raw), &args, &error),
                     AT_ERROR);

    for (i = 0; i < 600; i++) {
        memcpy(raw + n + 3 * i, "\xE1\xBE\xB4", 4);
    }

    test_feed_args(&args, raw, NULL);
    assert_int_equal(at_utf8_count(args.query.text), 256);

    for (i = 0; i < 600; i++) {
        memcpy(raw + n + 4 * i, "\xF0\x9F\x9B\x8B", 5);
    }

    test_feed_args(&args, raw, NULL);
    assert_int_equal(args.query.text.len, 1024);
}


static void
test_hash(void **state)
{
    char     hex[AT_HASH_HEX], other[AT_HASH_HEX];
    uint8_t  hash[AT_HASH_BYTES];

    (void) state;

    at_hash128("", 0, hash);
    at_hash_hex(hash, hex);
    assert_memory_equal(hex, "cae66941d9efbd404e4d88758ea67670", 32);

    at_hash128("q=;o=;c=;s=", 11, hash);
    at_hash_hex(hash, hex);
    at_hash128("q=;o=;c=;s=a", 12, hash);
    at_hash_hex(hash, other);
    assert_memory_not_equal(hex, other, 32);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_key),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_long),
        cmocka_unit_test(test_hash)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
