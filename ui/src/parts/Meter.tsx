import type { ReactNode } from "react";
import { percent } from "../words/number";
import style from "./Meter.module.css";

interface Props {
  label: ReactNode;
  /** From 0 to 1; null when it is not known. */
  share: number | null;
  title?: string;
}

/** A share as a bar behind its name, and in percent. */
export function Meter({ label, share, title }: Props) {
  const wide = Math.round((share ?? 0) * 1000) / 10;
  return (
    <div
      className={style.meter}
      title={title}
      style={{ "--share": `${wide}%` } as React.CSSProperties}
    >
      <span className="cut">{label}</span>
      <span className="soft">{share === null ? "–" : percent(share)}</span>
    </div>
  );
}
