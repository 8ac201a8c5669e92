/*
 * Recipes: what is refused and how that is said, addresses, ids, links and
 * images; and that the files of conf/retailers/ are right.
 */

#include "at_test.h"
#include "shop/at_recipe.h"

#include <glob.h>


/* A recipe that is right, with room for one member more. */
#define BASE(more)                                                           \
    "{\"name\": \"lamp\", \"hosts\": [\"lamp.example\"], "                   \
    "\"currency\": \"INR\", \"decimal\": \".\", "                            \
    "\"urls\": {\"search\": \"https://lamp.example/s?q={query}&p={page}\"},"  \
    "\"id\": {\"urls\": [\"/p/{id}\"], \"chars\": \"a-z0-9\"}" more "}"


static at_shop_pool_t  pool;


static at_recipe_t *
parse(const char *text)
{
    at_str_t      exact;
    at_recipe_t  *recipe;
    static char   error[AT_RECIPE_ERROR_MAX];

    exact = at_test_exact(at_test_str(text));
    error[0] = '\0';
    recipe = at_recipe_parse("lamp.json", exact, error);
    free((void *) exact.data);
    at_test_true(recipe != NULL, "%s", error);

    return recipe;
}


static void
test_errors(void **state)
{
    char          error[AT_RECIPE_ERROR_MAX];
    size_t        i;
    at_recipe_t  *recipe;

    static const struct {
        const char  *text;
        const char  *error;
    } rows[] = {
        { "{\n\"name\": \"x\"\n\"hosts\": 1}",
          "lamp.json:3: not JSON: no comma between two values; mend it" },
        { "", "lamp.json:1: not JSON: empty; mend it" },
        { "{} x", "lamp.json:1: not JSON: text behind the end; mend it" },
        { "[]", "lamp.json: $: a list: not an object; write {...}" },
        { "{}", "lamp.json: $.name: missing; add it" },
        { BASE(", \"colour\": 1"),
          "lamp.json: $.colour: not known here; take it out, or mend its "
          "name" },
        { BASE(", \"currency\": \"USD\""),
          "lamp.json: $.currency: stands here twice; take one out" },
        { "{\"name\": \"My Shop\"}",
          "lamp.json: $.name: \"My Shop\": not a shop's name; write up to 32 "
          "of a-z, 0-9 and -" },
        { "{\"hosts\": [\"https://lamp.example/\"]}",
          "lamp.json: $.hosts[0]: \"https://lamp.example/\": not a host; "
          "write its name alone, in small letters, as in shop.example" },
        { "{\"hosts\": []}",
          "lamp.json: $.hosts: a list: an empty list; take the member out" },
        { "{\"currency\": \"rupees\"}",
          "lamp.json: $.currency: \"rupees\": not a currency; write its three "
          "letters, as in INR" },
        { "{\"decimal\": 1}",
          "lamp.json: $.decimal: 1: not a decimal sign; write \".\" or \",\", "
          "as the shop's prices have it" },
        { "{\"urls\": {\"search\": \"https://lamp.example/\"}}",
          "lamp.json: $.urls.search: \"https://lamp.example/\": holds no "
          "{query}; write it where it belongs" },
        { "{\"urls\": {\"search\": \"https://l/{query}{colour}\"}}",
          "lamp.json: $.urls.search: \"https://l/{query}{colour}\": holds "
          "something in braces that is not known; known are {query}, "
          "{category}, {page} and {id}" },
        { BASE(", \"rates\": {\"gapMs\": 1}"),
          "lamp.json: $.rates.gapMs: 1: not a number of 100 to 3600000; write "
          "one" },
        { BASE(", \"categories\": {\"sofas\": \"so-1\"}"),
          "lamp.json: $.categories: there is no urls.category to put them "
          "in; write it, or leave these out" },
        { BASE(", \"robots\": \"never\""),
          "lamp.json: $.robots: \"never\": not known; write one of \"obey\", "
          "\"ignore\"" },
        { BASE(", \"product\": {\"price\": [\"h1\", \"div[\"]}"),
          "lamp.json: $.product.price[1]: \"div[\": a name is missing" },
        { BASE(", \"product\": {\"colour\": \"h1\"}"),
          "lamp.json: $.product.colour: \"h1\": not a field; fields are id, "
          "title, price, mrp, currency, stock, image, url" },
        { BASE(", \"product\": {\"price\": \"xpath://a[\"}"),
          "lamp.json: $.product.price: \"xpath://a[\": no XPath expression" },
        { BASE(", \"product\": {\"price\": {\"css\": \"b\", \"xpath\": "
               "\"//b\"}}"),
          "lamp.json: $.product.price: an object: a rule has either css or "
          "xpath; write one of them" },
        { BASE(", \"product\": {\"price\": {\"css\": \"b\", \"nth\": 2, "
               "\"pick\": \"last\"}}"),
          "lamp.json: $.product.price: an object: pick and nth exclude each "
          "other; take one of them out" },
        { BASE(", \"list\": {\"fields\": {}}"),
          "lamp.json: $.list.cards: missing; add it" },
        { BASE(", \"layers\": [\"ld\", \"html\"]"),
          "lamp.json: $.layers[1]: \"html\": not known; write one of \"api\", "
          "\"state\", \"ld\", \"microdata\", \"og\", \"selectors\", "
          "\"address\"" },
        { BASE(", \"layers\": [\"ld\", \"ld\"]"),
          "lamp.json: $.layers[1]: \"ld\": stands here twice; take one out" },
        { BASE(", \"state\": {\"product\": {\"price\": \"a.b\"}}"),
          "lamp.json: $.state: an object: does not say what stands before the "
          "data; add start" },
        { BASE(", \"api\": {\"list\": \"a\"}"),
          "lamp.json: $.api: an object: list and item go together; add the "
          "other one" },
        { BASE(", \"headers\": {\"Cookie\": \"a=b\"}"),
          "lamp.json: $.headers: Host, Cookie, Authorization, User-Agent, "
          "Accept-Encoding and those of the connection are not set by a "
          "recipe; take it out" },
        { BASE(", \"headers\": {\"Accept\": \"a\\nb\"}"),
          "lamp.json: $.headers.Accept: \"a\\nb\": holds a control character; "
          "take it out" },
    };

    (void) state;

    for (i = 0; i < AT_TEST_N(rows); i++) {
        at_str_t  text = at_test_exact(at_test_str(rows[i].text));

        error[0] = '\0';
        recipe = at_recipe_parse("lamp.json", text, error);
        at_test_true(recipe == NULL && strcmp(error, rows[i].error) == 0,
                     "%s\n%s\n%s", rows[i].text, error, rows[i].error);
        free((void *) text.data);
    }
}


static void
test_hosts_of_urls(void **state)
{
    char  error[AT_RECIPE_ERROR_MAX];

    static const char  text[] =
        "{\"name\": \"lamp\", \"hosts\": [\"lamp.example\"], \"currency\": "
        "\"INR\", \"decimal\": \".\", \"urls\": {\"search\": "
        "\"https://evil.example/?q={query}\"}, \"id\": {\"urls\": "
        "[\"/p/{id}\"], \"chars\": \"0-9\"}}";

    (void) state;

    assert_null(at_recipe_parse("r", AT_STR(text), error));
    assert_string_equal(error, "r: $.urls.search: not a URL of one of the "
                        "hosts; write https:// and a host that hosts has");
}


static const char *
text_of(at_str_t s)
{
    static char  out[AT_RECIPE_URL_MAX + 1];

    assert_true(s.len < sizeof(out));

    if (s.len) {
        memcpy(out, s.data, s.len);
    }

    out[s.len] = '\0';

    return out;
}


static void
test_urls(void **state)
{
    at_buf_t          url = { .data = NULL };
    at_recipe_t      *recipe;
    at_recipe_args_t  args;

    (void) state;

    recipe = parse("{\"name\": \"lamp\", \"hosts\": [\"lamp.example\"], "
                   "\"currency\": \"INR\", \"decimal\": \".\", \"urls\": {"
                   "\"search\": \"https://lamp.example/s?q={query}&start={page}"
                   "\", \"category\": \"https://lamp.example/c/{category}\", "
                   "\"product\": \"https://lamp.example/p/{id}\", "
                   "\"firstPage\": 0, \"pageStep\": 24}, "
                   "\"categories\": {\"Sofas\": \"so-1\", "
                   "\"tv-units\": \"tv/units\"}, "
                   "\"id\": {\"urls\": [\"/p/{id}\"], \"chars\": \"0-9\"}}");

    memset(&args, 0, sizeof(args));
    args.query = AT_STR("3 seater & \xC3\xA9");
    args.page = 3;
    assert_int_equal(at_recipe_url(recipe, &args, &url), AT_OK);
    assert_string_equal(text_of(at_buf_str(&url)),
                        "https://lamp.example/s?q=3%20seater%20%26%20%C3%A9"
                        "&start=48");

    url.len = 0;
    args.category = AT_STR("sofas/3 seater?x=");
    assert_int_equal(at_recipe_url(recipe, &args, &url), AT_OK);
    assert_string_equal(text_of(at_buf_str(&url)),
                        "https://lamp.example/c/sofas/3%20seater%3Fx%3D");

    url.len = 0;
    args.id = AT_STR("12");
    assert_int_equal(at_recipe_url(recipe, &args, &url), AT_OK);
    assert_string_equal(text_of(at_buf_str(&url)), "https://lamp.example/p/12");

    assert_string_equal(text_of(at_recipe_category(recipe, AT_STR("sofas"))),
                        "so-1");
    assert_string_equal(text_of(at_recipe_category(recipe,
                                                   AT_STR("TV_Units"))),
                        "tv/units");
    assert_int_equal(at_recipe_category(recipe, AT_STR("sofa")).len, 0);
    assert_int_equal(at_recipe_category(recipe, AT_STR("sofas ")).len, 0);
    assert_int_equal(at_recipe_category(recipe, AT_STR_NULL).len, 0);

    at_buf_free(&url);
    at_recipe_free(recipe);

    recipe = parse(BASE(""));
    assert_int_equal(at_recipe_url(recipe, &args, &url), AT_ERROR);
    at_recipe_free(recipe);
}


static void
test_hosts(void **state)
{
    size_t        i;
    at_recipe_t  *recipe;

    static const struct {
        const char  *url;
        int          own;
    } rows[] = {
        { "https://lamp.example/x", 1 },
        { "http://www.lamp.example", 1 },
        { "HTTPS://WWW.LAMP.EXAMPLE/", 1 },
        { "https://lamp.example:8443/", 1 },
        { "https://evillamp.example/", 0 },
        { "https://lamp.example.evil/", 0 },
        { "https://lamp.example@evil/", 0 },
        { "https://evil/?lamp.example", 0 },
        { "https://evil\\lamp.example/", 0 },
        { "https://evil#.lamp.example", 0 },
        { "ftp://lamp.example/", 0 },
        { "//lamp.example/", 0 },
        { "https://", 0 },
        { "", 0 },
    };

    (void) state;

    recipe = parse(BASE(""));

    for (i = 0; i < AT_TEST_N(rows); i++) {
        at_test_true(at_recipe_host(recipe, at_test_str(rows[i].url))
                     == rows[i].own, "%s", rows[i].url);
    }

    at_recipe_free(recipe);
}


static void
test_ids(void **state)
{
    size_t        i;
    at_recipe_t  *recipe;

    static const struct {
        const char  *url;
        const char  *id;
    } rows[] = {
        { "https://lamp.example/p/nice-lamp-s12345678/", "S12345678" },
        { "https://lamp.example/p/nice-lamp-12345678", "12345678" },
        { "https://lamp.example/x?pid=87654321&y=1", "87654321" },
        { "https://lamp.example/x?apid=87654321", "" },
        { "https://lamp.example/p/nice-lamp-1234/", "" },
        { "https://lamp.example/p/nice-lamp-1234567890/", "" },
        { "https://lamp.example/", "" },
        { "", "" },
    };

    (void) state;

    recipe = parse("{\"name\": \"lamp\", \"hosts\": [\"lamp.example\"], "
                   "\"currency\": \"INR\", \"decimal\": \".\", \"urls\": {"
                   "\"search\": \"https://lamp.example/s?q={query}\"}, "
                   "\"id\": {\"urls\": [\"-{id}/\", \"-{id}\", \"?pid={id}\"],"
                   "\"chars\": \"S0-9\", \"min\": 8, \"max\": 9, \"drop\": "
                   "\".\", \"case\": \"upper\"}}");

    for (i = 0; i < AT_TEST_N(rows); i++) {
        at_test_true(strcmp(text_of(at_recipe_url_id(recipe,
                                at_test_str(rows[i].url), &pool)),
                            rows[i].id) == 0, "%s", rows[i].url);
    }

    assert_string_equal(text_of(at_recipe_id(recipe, AT_STR("123.456.78"),
                                             &pool)), "12345678");
    assert_string_equal(text_of(at_recipe_id(recipe, AT_STR("s123.456.78"),
                                             &pool)), "S12345678");
    assert_string_equal(text_of(at_recipe_id(recipe, AT_STR("1234 5678"),
                                             &pool)), "");
    at_recipe_free(recipe);
}


static void
test_links(void **state)
{
    size_t        i;
    at_recipe_t  *recipe;

    static const struct {
        const char  *link;
        const char  *url;
    } rows[] = {
        { "/p/ab12?ref=x&pid=7&z=1#top", "https://lamp.example/p/ab12?pid=7" },
        { "ab12", "https://lamp.example/c/ab12" },
        { "?x=1", "https://lamp.example/c/" },
        { "//www.lamp.example/p/a", "https://www.lamp.example/p/a" },
        { "https://lamp.example/p/a b", "https://lamp.example/p/a%20b" },
        { "/click?url=%2Fp%2Fab12%3Fref%3Dx", "https://lamp.example/p/ab12" },
        { "/click?url=https%3A%2F%2Fevil.example%2Fp%2Fab", "" },
        { "https://evil.example/p/a", "" },
        { "javascript:alert(1)", "" },
        { "data:text/html,x", "" },
        { "#top", "" },
        { "\\\\evil.example\\x", "" },
        { "/p/a\nb", "" },
        { "", "" },
    };

    (void) state;

    recipe = parse("{\"name\": \"lamp\", \"hosts\": [\"lamp.example\"], "
                   "\"currency\": \"INR\", \"decimal\": \".\", \"urls\": {"
                   "\"search\": \"https://lamp.example/s?q={query}\"}, "
                   "\"id\": {\"urls\": [\"/p/{id}\"], \"chars\": \"a-z0-9\", "
                   "\"keep\": [\"pid\"], \"unwrap\": [\"url\"]}}");

    for (i = 0; i < AT_TEST_N(rows); i++) {
        at_str_t  link = at_test_exact(at_test_str(rows[i].link));
        at_str_t  url = at_recipe_link(recipe, link,
                                       AT_STR("https://lamp.example/c/d?e"),
                                       &pool);

        at_test_true(strcmp(text_of(url), rows[i].url) == 0, "%s: %s",
                     rows[i].link, text_of(url));
        free((void *) link.data);
    }

    at_recipe_free(recipe);
}


static void
test_images(void **state)
{
    size_t        i;
    at_recipe_t  *recipe;

    static const struct {
        const char  *link;
        const char  *url;
    } rows[] = {
        { "https://cdn.example/a.jpg", "https://cdn.example/a.jpg" },
        { "http://cdn.example/a.jpg", "https://cdn.example/a.jpg" },
        { "//img.cdn.example/a.jpg", "https://img.cdn.example/a.jpg" },
        { "/a.jpg", "https://lamp.example/a.jpg" },
        { "https://cdn.example/{w}/{w}/a.jpg",
          "https://cdn.example/832/832/a.jpg" },
        { "https://cdn.example/loader-1.gif", "" },
        { "https://evil.example/a.jpg", "" },
        { "data:image/gif;base64,x", "" },
        { "", "" },
    };

    (void) state;

    recipe = parse(BASE(", \"images\": {\"hosts\": [\"cdn.example\"], "
                        "\"refuse\": [\"loader-\"], \"replace\": {\"{w}\": "
                        "\"832\"}}"));

    for (i = 0; i < AT_TEST_N(rows); i++) {
        at_str_t  url = at_recipe_image(recipe, at_test_str(rows[i].link),
                                        AT_STR("https://lamp.example/p/1"),
                                        &pool);

        at_test_true(strcmp(text_of(url), rows[i].url) == 0, "%s: %s",
                     rows[i].link, text_of(url));
    }

    at_recipe_free(recipe);
}


static void
test_of_the_project(void **state)
{
    char          error[AT_RECIPE_ERROR_MAX];
    FILE         *f;
    glob_t        files;
    size_t        i;
    at_buf_t      text = { .data = NULL };
    at_recipe_t  *recipe;

    (void) state;

    assert_int_equal(glob("conf/retailers/*.json", 0, NULL, &files), 0);
    assert_int_equal(files.gl_pathc, 5);

    for (i = 0; i < files.gl_pathc; i++) {
        f = fopen(files.gl_pathv[i], "rb");
        assert_non_null(f);
        text.len = 0;
        assert_int_equal(at_buf_reserve(&text, AT_RECIPE_FILE_MAX), AT_OK);
        text.len = fread(text.data, 1, AT_RECIPE_FILE_MAX, f);
        assert_int_equal(fclose(f), 0);

        error[0] = '\0';
        recipe = at_recipe_parse(files.gl_pathv[i], at_buf_str(&text), error);
        at_test_true(recipe != NULL, "%s", error);

        /* a shop is asked as its recipe says, by its rules for robots */
        assert_true(recipe->headers.n >= 3);
        assert_true(recipe->gap >= 1000);
        assert_int_equal(recipe->robots_ignore, 0);
        assert_true(recipe->category.len > 0);
        assert_true(recipe->walls.n + recipe->captchas.n > 0);
        at_recipe_free(recipe);
    }

    at_buf_free(&text);
    globfree(&files);
}


static int
teardown(void **state)
{
    (void) state;
    at_shop_pool_free(&pool);

    return 0;
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_hosts_of_urls),
        cmocka_unit_test(test_urls),
        cmocka_unit_test(test_hosts),
        cmocka_unit_test(test_ids),
        cmocka_unit_test(test_links),
        cmocka_unit_test(test_images),
        cmocka_unit_test(test_of_the_project),
    };

    return cmocka_run_group_tests_name("recipe", tests, NULL, teardown);
}
