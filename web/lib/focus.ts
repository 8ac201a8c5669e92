const SELECTOR = 'a[href], button:not(:disabled), input:not(:disabled), '
  + 'select:not(:disabled), textarea:not(:disabled)';

/** What can have the focus next, before or behind an element. */
export function outside(element: Element | null, behind: boolean):
HTMLElement | undefined {
  if (!element) {
    return undefined;
  }
  const side = behind
    ? Node.DOCUMENT_POSITION_FOLLOWING : Node.DOCUMENT_POSITION_PRECEDING;
  const all = [...document.querySelectorAll<HTMLElement>(SELECTOR)]
    .filter((one) => !element.contains(one) && one.tabIndex >= 0
      && (element.compareDocumentPosition(one) & side) !== 0);
  return behind ? all[0] : all.at(-1);
}
