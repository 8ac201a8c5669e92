'use client';

import { Toaster } from 'sonner';

export default function Toasts() {
  return (
    <Toaster
      theme="system"
      position="bottom-center"
      closeButton
      offset={{ bottom: 28 }}
      mobileOffset={{ bottom: 84 }}
    />
  );
}
