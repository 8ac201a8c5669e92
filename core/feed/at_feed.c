/*
 * The table of sources, and names (at_feed.h).
 *
 * Whoever wants a new source writes a file of rules and a row here.  All is
 * constant.
 */

#include <string.h>

#include "at_feed_internal.h"


#define AT_FEED_DAY  (24 * 60 * 60)


/*
 * pages is where a source ends whatever it says: 8,000 of Pexels, page 200 of
 * Unsplash, 500 of Pixabay, 4,000 of Flickr, offset 10,000 of Wikimedia,
 * 100,000 of Rawpixel, page 20 of Openverse.
 */
static const at_feed_source_t  at_feed_sources[AT_FEED_SOURCES] = {
    {
        .name = { 6, "pexels" }, .label = { 6, "Pexels" },
        .index = AT_FEED_I_PEXELS,
        .size = 80, .pages = 100, .paths = 1, .rules = &at_feed_pexels
    },
    {
        .name = { 8, "unsplash" }, .label = { 8, "Unsplash" },
        .index = AT_FEED_I_UNSPLASH,
        .size = 30, .pages = 200, .paths = 1, .pings = 1, .hotlink = 1,
        .rules = &at_feed_unsplash
    },
    {
        .name = { 7, "pixabay" }, .label = { 7, "Pixabay" },
        .index = AT_FEED_I_PIXABAY,
        .size = 200, .pages = 3, .keep = AT_FEED_DAY,
        .rules = &at_feed_pixabay
    },
    {
        .name = { 6, "flickr" }, .label = { 6, "Flickr" },
        .index = AT_FEED_I_FLICKR,
        .size = 100, .pages = 40, .rules = &at_feed_flickr
    },
    {
        .name = { 9, "wikimedia" }, .label = { 17, "Wikimedia Commons" },
        .index = AT_FEED_I_WIKIMEDIA,
        .size = 50, .pages = 200, .keyless = 1, .parallel = 3,
        .rules = &at_feed_wikimedia
    },
    {
        .name = { 8, "rawpixel" }, .label = { 8, "Rawpixel" },
        .index = AT_FEED_I_RAWPIXEL,
        .size = 100, .pages = 1000, .keyless = 1, .rules = &at_feed_rawpixel
    },
    {
        .name = { 9, "openverse" }, .label = { 9, "Openverse" },
        .index = AT_FEED_I_OPENVERSE,
        .size = 20, .pages = 20, .keyless = 1, .rules = &at_feed_openverse
    }
};


static const char *const  at_feed_outcomes[] = {
    "ok", "timeout", "rate_limited", "auth", "parse", "disabled", "error"
};


const at_feed_source_t *
at_feed_source(unsigned index)
{
    return index < AT_FEED_SOURCES ? &at_feed_sources[index] : NULL;
}


const at_feed_source_t *
at_feed_source_find(at_str_t name)
{
    size_t  i;

    for (i = 0; i < AT_FEED_SOURCES; i++) {
        if (at_str_eq(name, at_feed_sources[i].name)) {
            return &at_feed_sources[i];
        }
    }

    return NULL;
}


const char *
at_feed_source_names(void)
{
    return "pexels, unsplash, pixabay, flickr, wikimedia, rawpixel, "
           "openverse";
}


const char *
at_feed_outcome_name(at_feed_outcome_e outcome)
{
    return at_feed_outcomes[outcome];
}
