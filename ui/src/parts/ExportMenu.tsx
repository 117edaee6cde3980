// What a page shows, as files: each list that fits it, in each format.
import { useEffect, useRef, useState } from "react";
import { asProblem } from "../api/problem";
import { bytes } from "../words/number";
import { Copy } from "./Copy";
import style from "./ExportMenu.module.css";
import { exported, save } from "./exported";
import { command, FORMATS, type Wanted } from "./exportWords";
import { Menu } from "./Menu";

interface Props {
  /** Names of lists, and what they are here. */
  lists: readonly (readonly [string, string])[];
  /** The filter of the page. */
  q: string | undefined;
}

interface Going {
  wanted: Wanted;
  state: "running" | "done" | "partial" | "failed";
  words: string;
}

const TONES = { running: "soft", done: "ok", partial: "warn", failed: "bad" } as const;

/** Goes on while the menu is closed, and until the page is left. */
export function ExportMenu({ lists, q }: Props) {
  const { going, begin, stop } = useExport();
  const label =
    going?.state === "running"
      ? "Exporting…"
      : going?.state === "failed"
        ? "Export failed"
        : "Export";
  return (
    <Menu label={label} name={`${label.replace("…", "")} as a file`} align="right">
      {() => (
        <div className={style.lists}>
          <ul>
            {lists.map(([list, name]) => (
              <li key={list}>
                <span>{name}</span>
                <span className={style.formats}>
                  {FORMATS.map(([format, title]) => (
                    <button
                      key={format}
                      type="button"
                      className="button"
                      aria-label={`${name} as ${title}`}
                      disabled={going?.state === "running"}
                      onClick={() => begin({ list, format, q })}
                    >
                      {title}
                    </button>
                  ))}
                </span>
              </li>
            ))}
          </ul>
          <p className={going ? TONES[going.state] : "quiet"} role="status">
            {going?.words ?? (q === undefined ? "All that is stored" : `Of ${q}`)}
          </p>
          {going && <After going={going} stop={stop} />}
        </div>
      )}
    </Menu>
  );
}

function After({ going, stop }: { going: Going; stop: () => void }) {
  if (going.state === "running") {
    return (
      <button type="button" className="button" onClick={stop}>
        Stop it
      </button>
    );
  }
  const text = command(going.wanted);
  return (
    <Copy what="same as a command" text={text} className={style.command}>
      <span className="cut">{text}</span>
    </Copy>
  );
}

/** One export at a time. */
function useExport() {
  const [going, setGoing] = useState<Going | null>(null);
  const running = useRef<AbortController | null>(null);
  const stop = () => {
    running.current?.abort();
    setGoing(null);
  };
  useEffect(() => () => running.current?.abort(), []);
  const begin = (wanted: Wanted) => {
    const mine = new AbortController();
    running.current = mine;
    setGoing({ wanted, state: "running", words: "The service writes it…" });
    exported(wanted, mine.signal).then(
      ({ file, partial }) => {
        if (mine.signal.aborted) return;
        const name = `${wanted.list}.${wanted.format}`;
        save(file, name);
        const saved = `Saved as ${name}, ${bytes(file.size)}`;
        if (!partial) return setGoing({ wanted, state: "done", words: saved });
        const words = `${saved}, with the newest requests only: not all could be looked at`;
        setGoing({ wanted, state: "partial", words });
      },
      (error: unknown) => {
        if (mine.signal.aborted) return;
        const { title, detail, remedy } = asProblem(error);
        const words = [title, detail, remedy].filter(Boolean).join(": ");
        setGoing({ wanted, state: "failed", words });
      },
    );
  };
  return { going, begin, stop };
}
