/* The page's one LiveClient, made when it is first wanted. */

import { LiveClient } from './live';
import { measure } from './telemetry';

let client: LiveClient | undefined;

export function live(): LiveClient {
  client ??= new LiveClient({
    url: '/live',
    onLatency: (ms) => { measure('websocket_latency', ms); },
  });
  return client;
}
