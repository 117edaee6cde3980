// Whom to leave alone: no verdict, so neither alert nor reaction.
import { useState, type FormEvent } from "react";
import style from "./Setup.module.css";

type Exception = Record<string, string>;

const KINDS: readonly [string, string, string][] = [
  ["network", "Network", "203.0.113.0/24"],
  ["user_agent", "User agent", "UptimeRobot/2.0"],
  ["path_prefix", "Path begins with", "/health"],
  ["user", "User", "monitoring@shop.example"],
  ["session", "Session", "32 hex digits"],
  ["country", "Country", "DE"],
];

interface Props {
  list: Exception[];
  wanted: URLSearchParams | null;
  onSet: (list: Exception[]) => void;
}

export function Exceptions({ list, wanted, onSet }: Props) {
  const [kind, setKind] = useState(wanted?.get("kind") ?? "network");
  const [value, setValue] = useState(wanted?.get("value") ?? "");
  const [note, setNote] = useState("");
  const add = (event: FormEvent) => {
    event.preventDefault();
    onSet([...list, { [kind]: value.trim(), ...(note !== "" && { note }) }]);
    setValue("");
    setNote("");
  };
  const example = KINDS.find(([name]) => name === kind)?.[2];
  return (
    <section aria-label="Whom to leave alone">
      <h3>Whom to leave alone</h3>
      {list.length === 0 && <p className="quiet">Nobody: every session is judged.</p>}
      <ul className={style.entries}>
        {list.map((exception, index) => (
          <li key={JSON.stringify(exception)}>
            <span>
              <span className="soft">{titleOf(exception)}</span>{" "}
              <span className="mono">{valueOf(exception)}</span>
              {exception.note !== undefined && <span className="quiet"> · {exception.note}</span>}
            </span>
            <button
              type="button"
              className="button"
              aria-label={`Remove ${valueOf(exception)}`}
              onClick={() => onSet(list.filter((_, other) => other !== index))}
            >
              Remove
            </button>
          </li>
        ))}
      </ul>
      <form className={style.bar} onSubmit={add}>
        <select
          className="field"
          aria-label="Kind"
          value={kind}
          onChange={(event) => setKind(event.target.value)}
        >
          {KINDS.map(([name, title]) => (
            <option key={name} value={name}>
              {title}
            </option>
          ))}
        </select>
        <input
          className="field mono"
          aria-label="Value"
          required
          placeholder={example}
          value={value}
          onChange={(event) => setValue(event.target.value)}
        />
        <input
          className="field"
          aria-label="Note"
          placeholder="Why"
          value={note}
          onChange={(event) => setNote(event.target.value)}
        />
        <button type="submit" className="button">
          Add
        </button>
      </form>
    </section>
  );
}

const kindOf = (exception: Exception) =>
  Object.keys(exception).find((name) => name !== "note") ?? "";
const valueOf = (exception: Exception) => exception[kindOf(exception)] ?? "";
const titleOf = (exception: Exception) => {
  const name = kindOf(exception);
  return KINDS.find(([known]) => known === name)?.[1] ?? name;
};
