'use client';

import type { DesignDialogProps } from './DesignDialog';
import { Dialog } from './Dialog';
import { later, NotHere } from './later';

/** The DesignDialog, whose script comes when the first one is opened. */
export const LaterDesignDialog = later<DesignDialogProps>(
  async () => (await import('./DesignDialog')).DesignDialog,
  null,
  ({ onClose, again, trying }) => (
    <Dialog label="Design" onClose={onClose}>
      <NotHere again={again} trying={trying} />
    </Dialog>
  ));
