/*
 * What at_ws_handshake.c and at_ws_extension.c share; for nobody else.
 *
 * Nothing is owned here.
 */

#ifndef AT_WS_EXTENSION_H
#define AT_WS_EXTENSION_H


#include "at_ws_handshake.h"


/* AT_ERROR: the field is malformed. */
int at_ws_extension_read(at_ws_handshake_t *h, at_str_t value);


#endif /* AT_WS_EXTENSION_H */
