import { useEffect, useRef, type ReactNode } from "react";
import style from "./Dialog.module.css";

interface Props {
  title: string;
  onClose: () => void;
  children: ReactNode;
}

/** A dialogue above the page; esc and a click beside it close it. */
export function Dialog({ title, onClose, children }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const element = dialog.current;
    element?.showModal();
    return () => element?.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      className={style.dialog}
      aria-label={title}
      onClose={onClose}
      onClick={(event) => {
        if (event.target === dialog.current) onClose();
      }}
    >
      <div className={style.inside}>
        <header className={style.head}>
          <h2>{title}</h2>
          <button type="button" className="button" onClick={onClose}>
            Close <kbd>esc</kbd>
          </button>
        </header>
        {children}
      </div>
    </dialog>
  );
}
