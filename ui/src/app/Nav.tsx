import { useState } from "react";
import { Link } from "./Link";
import style from "./App.module.css";
import { TOUR } from "../tour/step";
import { setTheme, theme, type Theme } from "./theme";

const PLACES = [
  ["/sessions", "Sessions", "M4 7h5m3 0h8M4 12h9m3 0h4M4 17h3m3 0h10"],
  ["/bots", "Bots", "M6 9h12v10H6zM12 9V5M9.5 13v2M14.5 13v2M3 13v3M21 13v3"],
  [
    "/endpoints",
    "Endpoints",
    "M8 6a2 2 0 1 1-4 0a2 2 0 1 1 4 0M20 12a2 2 0 1 1-4 0a2 2 0 1 1 4 0M8 18a2 2 0 1 1-4 0a2 2 0 1 1 4 0M8 6.5l8 4.5M8 17.5l8-4.5",
  ],
  ["/setup", "Setup", "M4 8h9m4 0h3M15 6v4M4 16h3m4 0h9M9 14v4"],
  ["/system", "System", "M3 12h4l3-7 4 14 3-7h4"],
] as const;

const NEXT: Record<Theme, Theme> = { system: "light", light: "dark", dark: "system" };

export function Nav({ path, onHelp }: { path: string; onHelp: () => void }) {
  const [now, setNow] = useState(theme);
  const flip = () => {
    setTheme(NEXT[now]);
    setNow(NEXT[now]);
  };
  return (
    <nav className={style.nav} aria-label="Pages">
      <Link to="/sessions" className={style.brand} aria-label="Throughline">
        <img src="/favicon.svg" alt="" width="28" height="28" />
      </Link>
      {PLACES.map(([to, label, icon]) => {
        const isHere = path === to || path.startsWith(`${to}/`);
        return (
          <Link
            key={to}
            to={to}
            className={style.place}
            {...(isHere && { "aria-current": "page" })}
          >
            <svg viewBox="0 0 24 24" aria-hidden="true">
              <path d={icon} />
            </svg>
            {label}
          </Link>
        );
      })}
      <span className={style.rest} />
      <Link
        to={TOUR}
        className={`${style.small} ${style.wide}`}
        title="One address, one rule, in five steps (t)"
      >
        Tour
      </Link>
      <button
        type="button"
        className={style.small}
        onClick={flip}
        title="Light, dark, or as the system is"
      >
        {now === "system" ? "Auto" : now === "light" ? "Light" : "Dark"}
        <span className="unseen"> theme</span>
      </button>
      <button type="button" className={style.small} onClick={onHelp}>
        Keys
      </button>
    </nav>
  );
}
