'use client';

import { X } from 'lucide-react';
import { useLayoutEffect, useRef, type ReactNode } from 'react';
import { toastsIn } from '../lib/above';
import styles from './Dialog.module.css';

/** The browser's own modal dialog: it keeps the focus, and Escape closes. */
export function Dialog({ label, onClose, children }: {
  label: string;
  onClose: () => void;
  children: ReactNode;
}) {
  const ref = useRef<HTMLDialogElement>(null);

  // While it is still in the document, or the focus does not go back.
  useLayoutEffect(() => {
    const dialog = ref.current;
    if (!dialog) {
      return;
    }
    if (!dialog.open) {
      dialog.showModal();
    }
    const leave = toastsIn(dialog);
    return () => {
      leave();
      dialog.close();
    };
  }, []);

  return (
    <dialog
      ref={ref}
      className={styles.dialog}
      aria-label={label}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => {
        if (event.target === ref.current) {
          onClose();
        }
      }}
    >
      <div className={styles.inside}>
        <button type="button" className={styles.close} onClick={onClose}>
          <X size={20} strokeWidth={1.6} aria-hidden />
          <span className="hidden">Close</span>
        </button>
        {children}
      </div>
    </dialog>
  );
}
