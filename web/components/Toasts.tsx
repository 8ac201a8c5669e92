'use client';

import { createPortal } from 'react-dom';
import { Toaster } from 'sonner';
import { toastPlace } from '../lib/above';

export default function Toasts() {
  return createPortal(
    <Toaster
      theme="system"
      position="bottom-center"
      closeButton
      offset={{ bottom: 28 }}
      mobileOffset={{ bottom: 84 }}
    />, toastPlace());
}
