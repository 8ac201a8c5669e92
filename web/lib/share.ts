import { tell } from './toast';

/** Copies the whole address of one of our pages. */
export async function copyLink(path: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(new URL(path, location.href).href);
    tell('success', 'Link copied', { duration: 1500 });
  } catch {
    tell('error', 'The link could not be copied');
  }
}

