/*
 * Toasts, by sonner, which is loaded when there is the first thing to say.
 * Texts are those of the product's rules.
 */

import type { ExternalToast } from 'sonner';

type Kind = 'message' | 'success' | 'error';

// The order of what is said is kept.
let queue: Promise<unknown> = Promise.resolve();

function then(what: (sonner: typeof import('sonner')) => void): void {
  queue = queue.then(() => import('sonner')).then(what).catch(() => {});
}

export function tell(kind: Kind, text: string, options?: ExternalToast): void {
  then(({ toast }) => { toast[kind](text, options); });
}

export function untell(id: string): void {
  then(({ toast }) => { toast.dismiss(id); });
}
