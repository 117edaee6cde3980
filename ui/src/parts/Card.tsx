import type { ReactNode } from "react";
import style from "./Card.module.css";

interface CardProps {
  title: ReactNode;
  /** The card's name, where its title is more than text. */
  label?: string;
  /** What one should know beside the title. */
  note?: ReactNode;
  /** Buttons, on the right. */
  actions?: ReactNode;
  className?: string | undefined;
  children: ReactNode;
}

/** A part of a page with a head: what it is, what one should know, what one can do. */
export function Card({ title, label, note, actions, className, children }: CardProps) {
  const name = label ?? (typeof title === "string" ? title : undefined);
  return (
    <section className={`panel ${style.card} ${className ?? ""}`} aria-label={name}>
      <header className={style.head}>
        <h2>{title}</h2>
        {note !== undefined && <span className="soft">{note}</span>}
        {actions && <span className={style.actions}>{actions}</span>}
      </header>
      {children}
    </section>
  );
}

interface FiguresProps {
  /** What the rows are, for those who do not see them. */
  label: string;
  /** Column titles; a leading `#` makes a column of numbers. */
  head: string[];
  children: ReactNode;
}

/** A table of a few rows, in a card; it scrolls sideways by itself where there is no room. */
export function Figures({ label, head, children }: FiguresProps) {
  return (
    <div className={style.wide} tabIndex={0} role="region" aria-label={label}>
      <table className={style.figures}>
        <thead>
          <tr>
            {head.map((title) => (
              <th key={title} scope="col" className={title.startsWith("#") ? "number" : undefined}>
                {title.replace(/^#/, "")}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}
