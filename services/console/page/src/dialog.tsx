/** A question that has to be answered first. The browser's own dialog keeps the focus in it, and Escape closes it. */
import { type ReactNode, useEffect, useRef } from 'react';

export const Dialog = ({
  label,
  onClose,
  loud,
  children,
}: {
  readonly label: string;
  /** Left out, it cannot be put away. */
  readonly onClose?: () => void;
  readonly loud?: boolean;
  readonly children: ReactNode;
}) => {
  const shown = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = shown.current;
    const before = document.activeElement;
    if (dialog?.open === false) dialog.showModal();
    dialog?.querySelector<HTMLElement>('[data-autofocus]')?.focus();
    return () => {
      dialog?.close();
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={shown}
      aria-label={label}
      className={loud ? 'loud' : undefined}
      onCancel={(event) => {
        event.preventDefault();
        onClose?.();
      }}
    >
      {children}
    </dialog>
  );
};
