/*
 * What is published on the channels in Redis.
 *
 * The relay writes a message as its id, one space, and its data.  All else is
 * of some other program, and is data alone: JSON has no value that goes on
 * behind a number and a space, so the two are never taken for each other.
 *
 * Nothing is owned; the data points into the text.
 */

#ifndef AT_LIVE_PUBLISH_H
#define AT_LIVE_PUBLISH_H


#include "at_live_message.h"


/* AT_ERROR: it is neither, and is to be dropped.  id is 0 without one. */
int at_live_published(at_str_t text, uint64_t *id, at_str_t *data);

/*
 * The decimal digits of an id, from 1 to AT_LIVE_ID_MAX without a zero in
 * front; returns how many there are, or 0.
 */
size_t at_live_id(at_str_t text, uint64_t *id);


#endif /* AT_LIVE_PUBLISH_H */
