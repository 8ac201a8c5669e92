/*
 * For clang-tidy alone, before each file of ngx_module/.
 *
 * The analyzer does not see that the head of a queue changes when an entry is
 * taken out by way of that entry's own links, and says of every loop that
 * empties a queue that it meets the entry freed before.  A function it cannot
 * look into makes it forget what it knew of the head.
 */

#include <ngx_config.h>
#include <ngx_core.h>


#undef ngx_queue_empty

int ngx_queue_empty(ngx_queue_t *h);
