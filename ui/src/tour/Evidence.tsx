// Why one of them is held for a bot: the sentence, and the very requests.
import { Link } from "../app/Link";
import { botName, withoutName } from "../words/bot";
import { plural } from "../words/number";
import type { useWorst } from "./data";
import style from "./Tour.module.css";

/** Requests shown here; the page has them all. */
const REQUESTS = 3;

export function Evidence({ worst }: { worst: ReturnType<typeof useWorst> }) {
  const { verdict, isPending, error } = worst;
  if (error !== null && verdict === undefined) return <p className="bad">{error.message}</p>;
  if (verdict === undefined) {
    return (
      <p>{isPending ? "Asking for the verdict …" : "Nobody there is held for a bot at present."}</p>
    );
  }
  const records = verdict.evidence[0]?.records ?? [];
  return (
    <>
      <p>
        Held for a bot ({botName(verdict.bot_type)}, {verdict.confidence.toFixed(2)}):{" "}
        {withoutName(verdict.reasons[0] ?? "the evidence is not stored any more")}.
      </p>
      {records.length > 0 && (
        <p className="soft">Of {plural(records.length, "request")} that show it:</p>
      )}
      <ul className={style.rules}>
        {records.slice(-REQUESTS).map((record) => (
          <li key={record.record_id}>
            <Link className="mono" to={`/sessions/${record.session}?at=${record.record_id}&tour=4`}>
              {record.method} {record.path} {record.status}
            </Link>
          </li>
        ))}
      </ul>
    </>
  );
}
