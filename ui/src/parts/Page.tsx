import type { ReactNode } from "react";
import { Link } from "../app/Link";
import style from "./Page.module.css";

interface Tab {
  to: string;
  title: string;
  isHere: boolean;
}

interface Props {
  title: string;
  tabs?: Tab[];
  /** Beside the title: what one should know. */
  note?: ReactNode;
  /** On the right: what one can do. */
  actions?: ReactNode;
  /** The page is as high as the window, and its parts scroll by themselves. */
  fixed?: boolean;
  children: ReactNode;
}

/** The frame of a page: its name, its parts as links, what one can do. */
export function Page({ title, tabs = [], note, actions, fixed = false, children }: Props) {
  return (
    <div className={fixed ? `${style.page} ${style.fixed}` : style.page}>
      <header className={style.header}>
        <h1>{title}</h1>
        {tabs.length > 0 && (
          <nav className={style.tabs} aria-label={`Parts of ${title}`}>
            {tabs.map(({ to, title: name, isHere }) => (
              <Link key={to} to={to} {...(isHere && { "aria-current": "page" as const })}>
                {name}
              </Link>
            ))}
          </nav>
        )}
        {note !== undefined && <span className="soft">{note}</span>}
        {actions && <span className={style.actions}>{actions}</span>}
      </header>
      {children}
    </div>
  );
}
