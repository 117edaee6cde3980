// Who is flagged by one of the two profiles only.
import { Link } from "../../app/Link";
import type { BacktestAnswer, Changed, Flagged } from "../../api/schema";
import { Notice } from "../../parts/State";
import { Value } from "../../parts/Value";
import { Sure } from "../../verdict/Badge";
import { botName, withoutName } from "../../words/bot";
import { count, plural } from "../../words/number";
import style from "./Backtest.module.css";
import { sum } from "./words";

interface Props {
  found: BacktestAnswer;
  /** The profile was changed since. */
  isOld: boolean;
}

export function Outcome({ found, isOld }: Props) {
  return (
    <div aria-live="polite">
      {isOld && <Notice tone="warn">The profile was changed since: judge again.</Notice>}
      <p className={style.sum}>{sum(found)}</p>
      <p className="soft">{basis(found)}</p>
      <Who title="Newly flagged" changed={found.newly} />
      <Who title="No longer flagged" changed={found.no_longer} />
      <details className={style.notes}>
        <summary className="soft">What these figures are not</summary>
        <p className="soft">
          Both sides begin without knowledge and leave labels out: compare them with each other, not
          with the verdicts. Sessions that began before the first of these requests are judged by
          their rest.
        </p>
      </details>
    </div>
  );
}

function basis({ records, records_judged: judged, cut, policy_version: version }: BacktestAnswer) {
  const by = version == null ? "no policy" : `policy ${version}`;
  if (cut == null) return `By all ${plural(judged, "request")} that are stored, against ${by}`;
  const which = cut === "time" ? "the earliest of the latest: time was up" : "the latest";
  return `By ${count(judged)} of ${plural(records, "request")} (${which}), against ${by}`;
}

function Who({ title, changed }: { title: string; changed: Changed }) {
  const more = changed.count - changed.items.length;
  return (
    <section aria-label={title}>
      <h3>
        {title} <span className="quiet">{count(changed.count)}</span>
      </h3>
      {changed.count === 0 && <p className="quiet">Nobody</p>}
      <ul className={style.who}>
        {changed.items.map((one) => (
          <li key={one.id}>
            <Subject of={one} />
            <span className={style.kind}>
              {botName(one.bot_type)} <Sure share={one.confidence} />
            </span>
            <span className={`soft ${style.reason}`} title={one.reason}>
              {capital(one.reason.split(":")[0] ?? "")}: {withoutName(one.reason)}
            </span>
          </li>
        ))}
      </ul>
      {more > 0 && (
        <p className="soft">and {count(more)} more: `throughline backtest` lists all of them</p>
      )}
    </section>
  );
}

const capital = (word: string) => word.charAt(0).toUpperCase() + word.slice(1);

function Subject({ of: { subject, subject_kind: kind } }: { of: Flagged }) {
  if (kind === "session") {
    return (
      <Link className="mono" to={`/sessions/${subject}`}>
        {subject.slice(0, 12)}
      </Link>
    );
  }
  const field = kind === "user" ? "user" : "ip";
  return (
    <span>
      <span className="soft">{kind === "user" ? "user" : "address"}</span>{" "}
      <Value field={field} value={subject} />
    </span>
  );
}
