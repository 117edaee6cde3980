import { useEffect, useRef, useState, type ReactNode } from "react";
import style from "./Menu.module.css";

interface Props {
  label: ReactNode;
  /** For readers who do not see the label. */
  name: string;
  align?: "left" | "right";
  children: (close: () => void) => ReactNode;
}

/** A button that opens a small panel below itself; esc and a click elsewhere close it. */
export function Menu({ label, name, align = "left", children }: Props) {
  const [open, setOpen] = useState(false);
  const place = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (!open) return;
    const away = (event: Event) => {
      if (event.target instanceof Node && !place.current?.contains(event.target)) setOpen(false);
    };
    const escape = (event: KeyboardEvent) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      setOpen(false);
      button.current?.focus();
    };
    const element = place.current;
    document.addEventListener("pointerdown", away);
    document.addEventListener("focusin", away);
    element?.addEventListener("keydown", escape);
    return () => {
      document.removeEventListener("pointerdown", away);
      document.removeEventListener("focusin", away);
      element?.removeEventListener("keydown", escape);
    };
  }, [open]);
  return (
    <div className={style.menu} ref={place}>
      <button
        type="button"
        ref={button}
        className="button"
        aria-expanded={open}
        aria-label={name}
        onClick={() => setOpen(!open)}
      >
        {label} <span aria-hidden="true">▾</span>
      </button>
      {open && (
        <div className={`${style.panel} ${align === "right" ? (style.right ?? "") : ""}`}>
          {children(() => {
            setOpen(false);
            button.current?.focus();
          })}
        </div>
      )}
    </div>
  );
}
