/*
 * What the WebSocket parts of core/live/ share: the numbers of RFC 6455 and
 * RFC 7692.  The role is the server's throughout: frames that come are masked,
 * frames that go are not.
 *
 * Nothing is owned here.
 */

#ifndef AT_WS_H
#define AT_WS_H


#include "at.h"


/* The first byte of a frame. */
#define AT_WS_FIN           0x80
#define AT_WS_RSV1          0x40    /* the message is compressed */
#define AT_WS_RSV           0x70
#define AT_WS_OPCODE        0x0f

#define AT_WS_CONTINUATION  0x0
#define AT_WS_TEXT          0x1
#define AT_WS_BINARY        0x2
#define AT_WS_CONTROL       0x8     /* set in the opcode of a control frame */
#define AT_WS_CLOSE         0x8
#define AT_WS_PING          0x9
#define AT_WS_PONG          0xa

#define AT_WS_CONTROL_MAX   125     /* bytes of a control frame's payload */
#define AT_WS_REASON_MAX    123     /* of them behind the code of a Close */


/* Close codes; AT_WS_NO_CODE stands for a Close without one, on no wire. */
#define AT_WS_NORMAL        1000
#define AT_WS_GOING_AWAY    1001
#define AT_WS_PROTOCOL      1002
#define AT_WS_UNSUPPORTED   1003
#define AT_WS_NO_CODE       1005
#define AT_WS_BAD_DATA      1007
#define AT_WS_POLICY        1008
#define AT_WS_TOO_BIG       1009
#define AT_WS_INTERNAL      1011
#define AT_WS_RESTART       1012
#define AT_WS_TRY_LATER     1013


#endif /* AT_WS_H */
