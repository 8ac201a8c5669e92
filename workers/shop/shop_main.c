/*
 * atelier-shop: the process.
 *
 *     atelier-shop check RECIPE               only check a recipe
 *     atelier-shop check RECIPE FILE|URL      and what it finds on a page
 *     atelier-shop run -c FILE                work until TERM or INT
 *     atelier-shop run -t -c FILE             only check settings and recipes
 *
 * Each sub-command has a function, an exit status and a line in the usage.
 */

#include "shop.h"

#include <stdio.h>
#include <string.h>


typedef struct {
    const char   *name;
    int         (*run)(int argc, char **argv);
    const char   *usage;
} shop_command_t;


static const shop_command_t  shop_commands[] = {
    { "check", shop_check,
      "check [-l|-p] [-v] [-a ADDRESS] [-u URL] RECIPE [FILE|URL]\n"
      "                what a recipe finds on a page, and by which layer;\n"
      "                -l a list, -p a product, -v the values that lost,\n"
      "                -u the URL a file is from, -a an address that may be\n"
      "                asked though it is not public" },
    { "run", shop_run,
      "run [-t] -c FILE\n"
      "                search shops by the settings in FILE and prove what\n"
      "                they have; -t only checks the settings" },
    { NULL, NULL, NULL }
};


static int
shop_usage(void)
{
    const shop_command_t  *c;

    fprintf(stderr, "usage: atelier-shop COMMAND ...\n");

    for (c = shop_commands; c->name; c++) {
        fprintf(stderr, "  atelier-shop %s\n", c->usage);
    }

    return SHOP_USAGE;
}


int
main(int argc, char **argv)
{
    int                    rc;
    const shop_command_t  *c;

    for (c = shop_commands; argc > 1 && c->name; c++) {

        if (strcmp(argv[1], c->name) == 0) {
            rc = c->run(argc - 1, argv + 1);
            return rc == SHOP_USAGE ? shop_usage() : rc;
        }
    }

    return shop_usage();
}
