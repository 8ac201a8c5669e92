/*
 * robots.txt of the shops, and who keeps to it.
 *
 * A shop's own rules are in its file.  Told by the path, all shops are one
 * host, whose robots.txt has the rules of all with their prefix.  What is
 * asked for although robots.txt disallows it is counted, by a matcher that
 * knows no more than these rules need: * and $, the longest match wins.
 */

#include <stdio.h>
#include <string.h>

#include "shop.h"


#define SB_ROBOTS_SIZE  ((size_t) 600 * 1024)


/* The length of the rule, if it matches the path; or -1. */

static int
sb_robots_match(const char *rule, size_t len, const char *path)
{
    size_t       i;
    const char  *star, *from;

    star = NULL;
    from = NULL;
    i = 0;

    for ( ;; ) {
        if (i == len) {
            return (int) len;
        }

        if (rule[i] == '$' && i + 1 == len && *path == '\0') {
            return (int) len;
        }

        if (rule[i] == '*') {
            star = rule + ++i;
            from = path;
            continue;
        }

        if (*path && rule[i] == *path) {
            i++;
            path++;
            continue;
        }

        if (star == NULL || *from == '\0') {
            return -1;
        }

        i = (size_t) (star - rule);
        path = ++from;
    }
}


int
sb_robots_allowed(sb_robots_e what, const sb_shop_t *shop, const char *path)
{
    int          n, best, allowed;
    size_t       head, len;
    const char  *line;

    if (what == SB_ROBOTS_CLOSED) {
        return 0;
    }

    if (what == SB_ROBOTS_OPEN || what == SB_ROBOTS_NONE) {
        return 1;
    }

    best = -1;
    allowed = 1;

    for (line = shop->robots; *line; line += len + 1) {
        len = strcspn(line, "\n");
        head = (size_t) (strchr(line, ' ') - line) + 1;
        n = sb_robots_match(line + head, len - head, path);

        /* Of two as long, to allow wins. */

        if (n > best || (n == best && n >= 0 && *line == 'A')) {
            best = n;
            allowed = (*line == 'A');
        }
    }

    return allowed;
}


static void
sb_robots_rules(sb_buf_t *b, const sb_shop_t *shop, const char *prefix)
{
    size_t       head, len;
    const char  *line;

    for (line = shop->robots; *line; line += len + 1) {
        len = strcspn(line, "\n");
        head = (size_t) (strchr(line, ' ') - line) + 1;
        sb_buf_print(b, "%.*s%s%.*s\n", (int) head, line, prefix,
                     (int) (len - head), line + head);
    }
}


/* What one shop adds to the group for everybody. */

static void
sb_robots_shop(sb_buf_t *b, const sb_shop_t *shop, const char *prefix,
    sb_robots_e what)
{
    if (what == SB_ROBOTS_CLOSED) {
        sb_buf_print(b, "Disallow: %s/\n", prefix);

    } else if (what != SB_ROBOTS_OPEN && what != SB_ROBOTS_NONE) {
        sb_robots_rules(b, shop, prefix);
    }

    if (what == SB_ROBOTS_DELAY) {
        sb_buf_print(b, "Crawl-delay: 5\n");
    }
}


/* Of all shops at once, where they share a host. */

static void
sb_robots_shared(sb_call_t *c)
{
    char              prefix[48];
    unsigned          i;
    sb_provider_t    *p;
    const sb_shop_t  *shop;

    sb_answer_begin(c, 200, "text/plain");
    sb_buf_print(&c->answer.body, "User-agent: *\n");

    for (i = 0; i < SB_SHOPS; i++) {
        shop = sb_shop_at(i);
        p = sb_provider_find(shop->name, strlen(shop->name));

        if (p) {
            snprintf(prefix, sizeof(prefix), "/shop/%s", shop->name);
            sb_robots_shop(&c->answer.body, shop, prefix,
                           sb_provider_robots(p));
        }
    }
}


static void
sb_robots_own(sb_call_t *c)
{
    sb_buf_t     *b;
    sb_robots_e   what;

    what = c->settings.robots;

    if (what == SB_ROBOTS_NONE) {
        sb_answer_text(c, 404, "text/html", "<h1>Not Found</h1>\n");
        return;
    }

    sb_answer_begin(c, 200, "text/plain");
    b = &c->answer.body;
    sb_buf_print(b, "# %s\n\nUser-agent: GreedyBot\nDisallow: /\n\n"
                 "User-agent: *\n", c->shop->title);
    sb_robots_shop(b, c->shop, "", what);

    if (what == SB_ROBOTS_OPEN) {
        sb_buf_print(b, "Disallow:\n");
    }

    /* Beyond what anybody has to read there is one more rule. */

    if (what == SB_ROBOTS_LARGE) {
        while (b->len < SB_ROBOTS_SIZE && !b->failed) {
            sb_buf_print(b, "# nothing, and a lot of it, to see here\n");
        }

        sb_buf_print(b, "Disallow: /\n");
    }

    sb_buf_print(b, "\nSitemap: https://www.example.org/sitemap.xml\n");
}


void
sb_serve_robots(sb_call_t *c)
{
    sb_job_t  job;

    if (c->provider == NULL) {
        sb_robots_shared(c);
        return;
    }

    memset(&job, 0, sizeof(sb_job_t));
    job.reply = SB_REPLY_DATA_URL;

    sb_decide(c);

    if (sb_latency_sleep(c) != SB_OK || sb_fault_no_picture(c, &job)) {
        return;
    }

    sb_robots_own(c);
    sb_fault_after(c, &job);
    sb_shop_asked(c, c->rest);
}
