import { Link } from "../../app/Link";
import type { Session } from "../../api/schema";
import { Card, Figures } from "../../parts/Card";
import { FilterLink } from "../../parts/FilterLink";
import { Bones, Failed } from "../../parts/State";
import { Time } from "../../parts/Time";
import { Value } from "../../parts/Value";
import { botName } from "../../words/bot";
import { count } from "../../words/number";
import { length } from "../../words/time";
import { useSessionsOf } from "./data";

interface Props {
  title: string;
  note: string;
  /** Terms that pick the sessions. */
  word: string;
  q: string | undefined;
}

/** The latest sessions for which terms hold. */
export function Hurt({ title, note, word, q }: Props) {
  const sessions = useSessionsOf([word, q].filter(Boolean).join(" "));
  const items = sessions.data?.items ?? [];
  return (
    <Card
      title={title}
      note={note}
      actions={
        <FilterLink word={word} className="button">
          All of them
        </FilterLink>
      }
    >
      {sessions.isError ? (
        <Failed error={sessions.error} />
      ) : sessions.isPending ? (
        <Bones rows={6} label="Sessions are loading" />
      ) : items.length === 0 ? (
        <p className="quiet">None.</p>
      ) : (
        <Figures label={title} head={["Session", "Who", "#Requests", "#Errors", "Verdict"]}>
          {items.map((one) => (
            <tr key={one.session}>
              <th scope="row">
                <Link to={`/sessions/${one.session}`}>
                  <Time at={one.last} />
                </Link>{" "}
                <span className="soft">{length(one.duration_ms)}</span>
              </th>
              <td>
                <Who of={one} />
              </td>
              <td className="number">{count(one.requests)}</td>
              <td className="number">{count(one.errors_4xx + one.errors_5xx)}</td>
              <td>
                {one.verdict == null ? (
                  <span className="quiet">–</span>
                ) : (
                  <Value field="verdict" value={one.verdict.bot_type}>
                    <span className="bad">{botName(one.verdict.bot_type)}</span>
                  </Value>
                )}
              </td>
            </tr>
          ))}
        </Figures>
      )}
    </Card>
  );
}

/** Its user, or the address when none is known. */
function Who({ of }: { of: Session }) {
  const [user] = of.users.values;
  const [address] = of.ips.values;
  if (user !== undefined) return <Value field="user" value={user} />;
  if (address === undefined) return <span className="quiet">–</span>;
  return (
    <span className="mono">
      <Value field="ip" value={address} />
    </span>
  );
}
