/*
 * Where toasts are: behind a modal dialog they could be neither seen nor
 * clicked, so they are moved into it for as long as it is there.
 */

let place: HTMLElement | undefined;

export function toastPlace(): HTMLElement {
  place ??= document.body.appendChild(document.createElement('div'));
  return place;
}

/** Has toasts in there, until the returned call. */
export function toastsIn(dialog: HTMLElement): () => void {
  dialog.append(toastPlace());
  return () => { document.body.append(toastPlace()); };
}
