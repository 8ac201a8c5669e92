/*
 * at_recipe_parse(): any text is refused with one line that names the file, or
 * is a recipe whose addresses lead to its own hosts and whose ids are of its
 * own characters.
 */

#include "fuzz.h"
#include "shop/at_recipe.h"


static void
fuzz_recipe_use(at_recipe_t *recipe)
{
    size_t            i;
    at_buf_t          url = { .data = NULL };
    at_str_t          link, id;
    at_shop_pool_t    pool = { .max = 1024 * 1024 };
    at_recipe_args_t  args = { AT_STR("a b&c"), { 0, NULL }, { 0, NULL }, 7 };

    if (at_recipe_url(recipe, &args, &url) == AT_OK) {
        FUZZ_CHECK(url.len <= AT_RECIPE_URL_MAX);
        FUZZ_CHECK(at_recipe_host(recipe, at_buf_str(&url)));
    }

    link = at_recipe_link(recipe, AT_STR("/a/b-12345678?pid=1&x=2#y"),
                          at_buf_str(&url), &pool);
    FUZZ_CHECK(link.len == 0 || at_recipe_host(recipe, link));

    id = at_recipe_url_id(recipe, AT_STR("https://x/dp/ABCDEFGH12/"), &pool);

    for (i = 0; i < id.len; i++) {
        FUZZ_CHECK(recipe->id_chars[(uint8_t) id.data[i]]);
    }

    (void) at_recipe_image(recipe, AT_STR("//x/{@w}/a.jpg"), link, &pool);

    at_buf_free(&url);
    at_shop_pool_free(&pool);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char          error[AT_RECIPE_ERROR_MAX];
    at_recipe_t  *recipe;

    error[0] = '\0';
    recipe = at_recipe_parse("f", (at_str_t) { size, (const char *) data },
                             error);

    if (recipe == NULL) {
        FUZZ_CHECK(memcmp(error, "f:", 2) == 0);
        FUZZ_CHECK(strchr(error, '\n') == NULL);
        return 0;
    }

    FUZZ_CHECK(recipe->hosts.n > 0 && recipe->name.len > 0);
    fuzz_recipe_use(recipe);
    at_recipe_free(recipe);

    return 0;
}
